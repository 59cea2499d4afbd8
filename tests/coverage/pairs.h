/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which rows of a state table a run reached. Only in the coverage build: the linker puts a counting
 * function in the place of the one that looks a row up (-Wl,--wrap), so the product knows nothing
 * of it. Each program appends lines "TABLE STATE EVENT COUNT KIND" to the file that DT_PAIRS names
 * with its own name behind; tools/coverage adds them up. KIND is "arrow", or "never" for one that
 * nothing can reach, as a test shows. A program may have a counter of its own: these are weak. */
#ifndef COVERAGE_PAIRS_H
#define COVERAGE_PAIRS_H

#define _GNU_SOURCE /* program_invocation_short_name */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Open for appending, or NULL: nobody counts. All is written at once, as programs of one name end
 * at the same time. */
static inline FILE *pairs_open(void)
{
    static char whole[1 << 16];
    char path[4096];
    FILE *f;
    const char *to = getenv("DT_PAIRS");
    if (!to)
        return NULL;
    snprintf(path, sizeof path, "%s.%s", to, program_invocation_short_name);
    f = fopen(path, "a");
    if (f)
        setvbuf(f, whole, _IOFBF, sizeof whole);
    return f;
}

#endif
