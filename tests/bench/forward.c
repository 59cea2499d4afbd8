/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Instructions to parse one INVITE of 900 bytes, check it, and build the forwarded one: new
 * Request-URI, Via and Record-Route pushed, Max-Forwards changed (design.md 4):
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_forward
 * build/release/tests/bench/bench_forward
 *
 * prints the sum of all rounds; divide by ROUNDS, or by the number given as argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/build.h"
#include "invite.h"

enum { ROUNDS = 1000 };

struct dt_bytes *bench_forward(struct dt_str text, struct dt_sip_header *headers);

__attribute__((noinline)) struct dt_bytes *bench_forward(struct dt_str text,
                                                         struct dt_sip_header *headers)
{
    struct dt_sip_msg m;
    struct dt_sip_edits e;
    struct dt_bytes *out = NULL;
    char hops[4];
    struct dt_writer w = dt_writer(hops, sizeof hops);
    if (dt_sip_parse(&m, text, headers, DT_MSG_HEADERS_MAX) || dt_sip_check(&m))
        return NULL;
    dt_write_u64(&w, (uint64_t)(m.max_forwards - 1));
    dt_sip_edits_init(&e, &m);
    dt_sip_edit_uri(&e, DT_STR("sip:1002@192.0.2.102:5060;transport=udp"));
    dt_sip_edit_push(
        &e, DT_H_VIA,
        DT_STR("SIP/2.0/UDP proxy.example.com:5060;"
               "branch=z9hG4bK1a2b3c4d5e6f708192a3b4c5d6e7f809;rport;dv=1-0123456789"));
    dt_sip_edit_push(&e, DT_H_RECORD_ROUTE, DT_STR("<sip:proxy.example.com:5060;lr>"));
    dt_sip_edit_value(&e, dt_sip_first(&m, DT_H_MAX_FORWARDS), dt_writer_str(&w));
    return dt_sip_forward(&e, &dt_alloc_libc, &out) ? NULL : out;
}

int main(int argc, char **argv)
{
    static char buf[sizeof bench_invite + DT_PAD];
    static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_str text = {buf, sizeof bench_invite - 1};
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
    size_t n = 0;
    memcpy(buf, bench_invite, sizeof bench_invite);
    for (long i = 0; i < rounds; i++) {
        struct dt_bytes *out = bench_forward(text, headers);
        if (!out) {
            printf("the message could not be forwarded\n");
            return 1;
        }
        n = out->n;
        dt_bytes_drop(out);
    }
    printf("%ld rounds, %zu bytes in, %zu bytes out\n", rounds, text.n, n);
    return 0;
}
