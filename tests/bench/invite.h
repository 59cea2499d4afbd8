/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The message of the benchmarks, invite.sip. */
#ifndef BENCH_INVITE_H
#define BENCH_INVITE_H

#include <stdio.h>

/* Its text, NUL-terminated and with more zero bytes behind (DT_PAD of them at least), or NULL. */
static inline const char *bench_invite(size_t *n)
{
    static char text[2048];
    FILE *f = fopen(BENCH_INVITE, "rb");
    if (!f)
        return NULL;
    *n = fread(text, 1, sizeof text / 2, f);
    fclose(f);
    return text;
}

#endif
