/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `dualtone proxy` and `dualtone check` share: a proxy's configuration from file and options;
 * and its snapshot file. */
#ifndef CMD_PROXY_H
#define CMD_PROXY_H

#include "cmd/command.h"
#include "proxy/proxy.h"

/* Reads `file` (empty: none), then `sets` (name, value pairs; may be NULL), and checks the whole.
 * `c` owns the texts of `cfg`; clear it with dt_conf_clear. Problems have their place in the file
 * where they have one. DT_OK, DT_E_SYNTAX (see `problems`) or DT_E_NOMEM. */
int dt__cmd_proxy_configure(struct dt_conf *c, struct dt_proxy_config *cfg, struct dt_str file,
                            const struct dt_str_list *sets, struct dt_problems *problems);

/* A NUL-terminated copy in `out`; false if it is too long. */
bool dt__cmd_path(struct dt_str path, char *out, size_t size);

/* ---- the snapshot of the bindings: written by a thread of its own, since a disk may stall ---- */

struct dt_cmd_snapshot;
/* `path` is copied. NULL without memory. */
struct dt_cmd_snapshot *dt__cmd_snapshot_new(struct dt_str path);
/* Reads the file into `p`; one that is not there is made. DT_OK, or an error with a sentence in
 * `err`, also when it cannot be written. Broken lines are told on stderr, and the file as it was is
 * kept beside it. */
int dt__cmd_snapshot_read(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now, char *err,
                          size_t err_size);
/* Writes what has changed or could not be written, unless the last write is still under way. */
void dt__cmd_snapshot_write(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now);
/* The same and waits for it: at the end. DT_OK, or the error that stderr was told of. */
int dt__cmd_snapshot_finish(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now);
void dt__cmd_snapshot_free(struct dt_cmd_snapshot *s);

#endif
