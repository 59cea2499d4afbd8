/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of `dualtone demo` share. */
#ifndef CMD_DEMO_H
#define CMD_DEMO_H

#include "trace/record.h"

#include <stdbool.h>

/* An act while it happens. */
struct demo_stage {
    dt_time zero; /* the dialling, the fault before it */
    bool began;   /* what is before is setting up */
};

/* demo_tell.c: dt_flow_options.watch; `stage` is a struct demo_stage. Prints a line. */
void dt__cmd_demo_tell(void *stage, const struct dt_record *r, const struct dt_record_item *it);

/* The loopback net of a demo: its parties are NET.1 to NET.4, port 5060. */
struct demo_place {
    char net[16]; /* "127.0.0" */
    int keeper;   /* a descriptor: another demo goes elsewhere while it is open */
};

/* demo_place.c: finds one of which nobody has the addresses, 127.0.0 if that is free. False: none,
 * as when a program has port 5060 of every address. */
bool dt__cmd_demo_place_take(struct demo_place *p);
void dt__cmd_demo_place_leave(struct demo_place *p);

#endif
