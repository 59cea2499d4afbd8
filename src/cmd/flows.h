/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs of flows, for the commands that make them: flow and demo. */
#ifndef CMD_FLOWS_H
#define CMD_FLOWS_H

#include "flow/flow.h"
#include "flow/library.h"

enum { DT_CMD_FOLDER_SIZE = 400 };

/* The file of the library with this name ("4.2.flow"; "4.2" will do), or NULL. */
const struct dt_flow_file *dt_cmd_flows_file(struct dt_str name);
/* Parses; what is wrong is printed. DT_OK or the parser's error. */
int dt_cmd_flows_parse(struct dt_str file, struct dt_str text, struct dt_flow **out);
/* The folder of a run in `out`: `given`, made if it is missing, or if that is empty a new one,
 * dualtone-WHAT-XXXXXX below $TMPDIR. DT_OK, or DT_E_IO when none could be made. */
int dt_cmd_flows_folder(const char *what, struct dt_str given, char out[DT_CMD_FOLDER_SIZE]);
/* Options of a run by this program. `t1_ms`: of the phones and proxies; 500: as the flow says.
 * `folder` is kept, and may be NULL in simulation. */
struct dt_flow_options dt_cmd_flows_options(uint64_t seed, bool live, int64_t t1_ms,
                                            const char *folder);
/* The ladder as text from malloc, for its user to free; NULL without memory. */
char *dt_cmd_flows_ladder(const struct dt_flow *f, const struct dt_flow_options *o,
                          const struct dt_flow_result *r);

#endif
