/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Instructions that a whole call costs one proxy: INVITE 100 180 200 ACK, BYE 200, from what comes
 * in to what lies in the outbox, with the timers of the transactions until they are forgotten:
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_step build/release/tests/bench/bench_call
 *
 * prints the sum of all rounds; divide by ROUNDS, or by the number given as argument. The phones
 * are not counted.
 *
 *   build/release/tests/bench/bench_call memory
 *
 * prints the bytes that a fresh proxy takes from its allocator for a binding, for a ringing call,
 * and for a call that has ended and lingers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invite.h"
#include "node.h"

enum { ROUNDS = 1000, APART_MS = 20 };

#define TARGET "sip:1002@" BOB

/* Bob answers what he got last. */
static void answer(int status, const char *to_tag)
{
    struct dt_sip_msg m;
    struct dt_bytes *bytes = NULL;
    struct dt_sip_answer ans = {.status = status,
                                .to_tag = dt_str_z(to_tag),
                                .extra = DT_STR("Contact: <" TARGET ">\r\n"),
                                .record_routes = true,
                                .source = &b.local};
    char text[BENCH_TEXT + DT_PAD] = "";
    memcpy(text, b.last[1]->data, b.last[1]->n);
    if (dt_sip_parse(&m, (struct dt_str){text, b.last[1]->n}, b.headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_check(&m) || dt_sip_answer(&m, &ans, b.env.alloc, &bytes))
        bench_die("Bob cannot answer");
    bench_receive(&b.bob, dt_bytes_str(bytes));
    dt_bytes_drop(bytes);
}

static void request(const char *method, unsigned long call, const char *to_tag, unsigned cseq)
{
    char text[BENCH_TEXT], route[512] = "";
    size_t n;
    struct dt_writer w = dt_writer(text, sizeof text);
    struct dt_sip_msg m;
    if (to_tag[0] && b.last[0] &&
        !dt_sip_parse(&m, dt_bytes_str(b.last[0]), b.headers, DT_MSG_HEADERS_MAX))
        snprintf(route, sizeof route, "Route: %.*s\r\n", DT_FMT(dt_sip_get(&m, DT_H_RECORD_ROUTE)));
    dt_writef(&w,
              "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP " ALICE ";branch=z9hG4bK%lu%s;rport\r\n%s"
              "Max-Forwards: 70\r\nFrom: \"Alice\" <sip:1001@example.com>;tag=a%lu\r\n"
              "To: <sip:1002@example.com>%s%s\r\nCall-ID: %lu-003094c3-8c4a0011@192.0.2.101\r\n"
              "CSeq: %u %s\r\nContact: <sip:1001@" ALICE ">\r\nUser-Agent: bench\r\n",
              method, to_tag[0] ? TARGET : "sip:1002@example.com", call, method, route, call,
              to_tag[0] ? ";tag=" : "", to_tag, call, cseq, method);
    if (!strcmp(method, "INVITE"))
        dt_sip_write_body(&w, DT_STR("application/sdp"), dt_str_z(strstr(bench_invite(&n), "v=0")));
    else
        dt_sip_write_body(&w, DT_STR_NONE, DT_STR_NONE);
    bench_receive(&b.alice, dt_writer_str(&w));
}

static void ring(unsigned long call, const char *tag)
{
    request("INVITE", call, "", 1);
    bench_must_be(0, "SIP/2.0 100");
    bench_must_be(1, "INVITE " TARGET);
    answer(180, tag);
    bench_must_be(0, "SIP/2.0 180");
}

static void one_call(unsigned long call)
{
    char tag[24], ok[128];
    snprintf(tag, sizeof tag, "b%lu", call);
    ring(call, tag);
    answer(200, tag);
    bench_must_be(0, "SIP/2.0 200");
    request("ACK", call, tag, 1);
    bench_must_be(1, "ACK " TARGET);
    request("BYE", call, tag, 2);
    bench_must_be(1, "BYE " TARGET);
    answer(200, tag);
    bench_must_be(0, "SIP/2.0 200");
    snprintf(ok, sizeof ok, "CSeq: 2 BYE");
    if (dt_str_search(dt_bytes_str(b.last[0]), dt_str_z(ok)) >= b.last[0]->n)
        bench_die("the BYE was not answered");
}

/* ---- bindings ---- */

static void bind_user(unsigned long user)
{
    char text[BENCH_TEXT];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_writef(&w,
              "REGISTER sip:example.com SIP/2.0\r\n"
              "Via: SIP/2.0/UDP " BOB ";branch=z9hG4bKr%lu;rport\r\nMax-Forwards: 70\r\n"
              "From: <sip:%lu@example.com>;tag=r\r\nTo: <sip:%lu@example.com>\r\n"
              "Call-ID: %lu-003094c3-8c4a0011@192.0.2.102\r\nCSeq: 1 REGISTER\r\n"
              "Contact: <sip:%lu@" BOB ">;expires=7200\r\nContent-Length: 0\r\n\r\n",
              user, user, user, user, user);
    bench_receive(&b.bob, dt_writer_str(&w));
    bench_must_be(1, "SIP/2.0 200");
}

/* ---- memory ---- */

/* From a proxy that has made room for nothing yet, so that tables and pools count as well. */
static void tell(const char *what, void (*make)(unsigned long), dt_time later)
{
    bench_open(NULL);
    bind_user(1002);
    size_t base = b.bytes_in_use;
    for (unsigned long i = 0; i < ROUNDS; i++)
        make(100000 + i);
    bench_until(b.now + later);
    printf("%-48s %zu bytes\n", what, (b.bytes_in_use - base) / ROUNDS);
    bench_close();
}

static void ring_once(unsigned long call)
{
    ring(call, "b");
}

static void memory(void)
{
    tell("a binding, its REGISTER lingering", bind_user, 0);
    tell("a binding, and the room its REGISTER had", bind_user, 300 * DT_SECOND);
    tell("a ringing call", ring_once, 0);
    tell("a call that has ended", one_call, 0);
}

int main(int argc, char **argv)
{
    bool measures = argc > 1 && !strcmp(argv[1], "memory");
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS;
    if (measures) {
        memory();
        return 0;
    }
    bench_open(NULL);
    bind_user(1002);
    for (unsigned long i = 0; i < rounds; i++) {
        one_call(i + 100000);
        bench_until(b.now + APART_MS * DT_MS);
    }
    bench_close();
    printf("%lu calls\n", rounds);
    return 0;
}
