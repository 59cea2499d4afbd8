/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Instructions to parse one INVITE of 900 bytes to a proxy's needs (design.md 4):
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_parse build/release/tests/bench/bench_parse
 *
 * prints the sum of all rounds; divide by ROUNDS, or by the number given as argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/msg.h"
#include "invite.h"

enum { ROUNDS = 1000 };

int bench_parse(struct dt_sip_msg *m, struct dt_str text, struct dt_sip_header *headers);

__attribute__((noinline)) int bench_parse(struct dt_sip_msg *m, struct dt_str text,
                                          struct dt_sip_header *headers)
{
    int err = dt_sip_parse(m, text, headers, DT_MSG_HEADERS_MAX);
    return err ? err : dt_sip_check(m);
}

int main(int argc, char **argv)
{
    static char buf[sizeof bench_invite + DT_PAD];
    static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_str text = {buf, sizeof bench_invite - 1};
    struct dt_sip_msg m;
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
    memcpy(buf, bench_invite, sizeof bench_invite);
    for (long i = 0; i < rounds; i++) {
        if (bench_parse(&m, text, headers)) {
            printf("%s\n", dt_sip_fault_phrase(m.fault));
            return 1;
        }
    }
    printf("%ld rounds of %zu bytes, %u headers\n", rounds, text.n, (unsigned)m.n);
    return 0;
}
