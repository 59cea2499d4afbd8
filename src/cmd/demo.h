/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of `dualtone demo` share. */
#ifndef CMD_DEMO_H
#define CMD_DEMO_H

#include "trace/record.h"

/* An act while it happens. */
struct demo_stage {
    dt_time zero; /* the dialling, the fault before it */
    bool began;   /* what is before is setting up */
};

/* demo_tell.c: dt_flow_options.watch; `stage` is a struct demo_stage. Prints a line. */
void dt__cmd_demo_tell(void *stage, const struct dt_record *r, const struct dt_record_item *it);

#endif
