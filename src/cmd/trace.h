/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `--trace FILE|fd:N` of the programs that run nodes: the record of src/trace as lines, written as
 * it happens. */
#ifndef CMD_TRACE_H
#define CMD_TRACE_H

#include <stdio.h>

#include "trace/record.h"

struct dt_cmd_trace {
    FILE *file;             /* NULL: no trace is wanted */
    struct dt_record names; /* without parties: who reads the lines knows whose they are */
    char *line;
};

/* `spec` empty: no trace, and all other calls do nothing. DT_OK, or an error with a sentence in
 * `err` (always terminated). */
int dt_cmd_trace_open(struct dt_cmd_trace *t, struct dt_str spec, char *err, size_t err_size);
void dt_cmd_trace_close(struct dt_cmd_trace *t);
/* For dt_host_watch: a message sent or received, and an event of a node. */
void dt_cmd_trace_message(struct dt_cmd_trace *t, dt_time now, bool sent,
                          const struct dt_addr *local, const struct dt_addr *remote,
                          struct dt_str bytes);
void dt_cmd_trace_event(struct dt_cmd_trace *t, dt_time now, const struct dt_output *ev);

#endif
