/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The files that ship with the program, carried in the binary: the flows of flows/ and the demo's
 * samples. */
#ifndef FLOW_LIBRARY_H
#define FLOW_LIBRARY_H

#include "dualtone/base.h"

struct dt_flow_file {
    const char *name; /* "4.2.flow" */
    const char *text; /* or a WAV's bytes; not terminated */
    size_t n;
};
extern const struct dt_flow_file dt_flow_files[];
extern const size_t dt_flow_files_n;

#endif
