/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Instructions that a whole call costs one proxy: INVITE 100 180 200 ACK, BYE 200, from what comes
 * in to what lies in the outbox, with the timers of the transactions until they are forgotten:
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_call build/release/tests/bench/bench_call
 *
 * prints the sum of all rounds; divide by ROUNDS, or by the number given as argument. The phones
 * are not counted.
 *
 *   build/release/tests/bench/bench_call memory
 *
 * prints the bytes that the proxy has from its allocator for a binding, for a ringing call, and for
 * a call that has ended and lingers: first with all of its transactions, then when those of T4 have
 * gone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/build.h"
#include "dualtone/stack.h"
#include "invite.h"
#include "proxy/proxy.h"

enum { ROUNDS = 1000, APART_MS = 20, OUTPUTS = 32, TEXT = 4096 };

#define ALICE "192.0.2.101:5060"
#define BOB "192.0.2.102:5060"
#define TARGET "sip:1002@" BOB

static struct {
    struct dt_env env;
    struct dt_conf conf;
    struct dt_proxy_config cfg;
    struct dt_proxy *proxy;
    dt_time now;
    struct dt_addr local, alice, bob;
    struct dt_bytes *last[2]; /* to Alice, to Bob */
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
} b;

/* libc's memory, its bytes counted: the size lies in front. */
enum { FRONT = 16 };
static size_t bytes_in_use;

static void *counted_resize(void *ctx, void *p, size_t n)
{
    char *old = p ? (char *)p - FRONT : NULL;
    size_t before = old ? *(size_t *)(void *)old : 0;
    (void)ctx;
    if (!n) {
        bytes_in_use -= before;
        free(old);
        return NULL;
    }
    char *got = realloc(old, n + FRONT);
    if (!got)
        return NULL;
    bytes_in_use += n - before;
    *(size_t *)(void *)got = n;
    return got + FRONT;
}

static const struct dt_alloc counted = {counted_resize, NULL};

/* One step of the node, without or with a datagram. What it sends is in `out`. */
size_t bench_call(struct dt_proxy *p, dt_time now, const struct dt_input *in,
                  struct dt_output *out);

__attribute__((noinline)) size_t bench_call(struct dt_proxy *p, dt_time now,
                                            const struct dt_input *in, struct dt_output *out)
{
    if (in)
        dt_proxy_node.input(p, now, in, 1);
    else
        dt_proxy_node.tick(p, now);
    return dt_proxy_node.output(p, now, out, OUTPUTS);
}

static void die(const char *what)
{
    fprintf(stderr, "bench_call: %s\n", what);
    exit(1);
}

static void step(const struct dt_input *in)
{
    struct dt_output out[OUTPUTS];
    size_t n = bench_call(b.proxy, b.now, in, out);
    for (size_t i = 0; i < n; i++) {
        if (out[i].kind != DT_OUT_DATAGRAM)
            continue;
        unsigned to = dt_addr_ip_eq(&out[i].remote, &b.bob);
        dt_bytes_drop(b.last[to]);
        b.last[to] = out[i].bytes;
    }
    if (n == OUTPUTS) /* there may be more: what comes next must not find it */
        step(NULL);
}

static void receive(const struct dt_addr *from, struct dt_str text)
{
    static char buf[TEXT + DT_PAD];
    struct dt_input in = {.kind = DT_IN_DATAGRAM, .local = b.local, .remote = *from};
    if (text.n > TEXT)
        die("a message is too long");
    memcpy(buf, text.p, text.n);
    in.data = (struct dt_str){buf, text.n};
    step(&in);
}

/* ---- the phones ---- */

static void must_be(unsigned who, const char *begin)
{
    struct dt_str got = b.last[who] ? dt_bytes_str(b.last[who]) : DT_STR_NONE;
    if (!dt_str_starts(got, dt_str_z(begin)))
        die(begin);
}

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
    char text[TEXT + DT_PAD] = "";
    memcpy(text, b.last[1]->data, b.last[1]->n);
    if (dt_sip_parse(&m, (struct dt_str){text, b.last[1]->n}, b.headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_check(&m) || dt_sip_answer(&m, &ans, b.env.alloc, &bytes))
        die("Bob cannot answer");
    receive(&b.bob, dt_bytes_str(bytes));
    dt_bytes_drop(bytes);
}

static void request(const char *method, unsigned long call, const char *to_tag, unsigned cseq)
{
    char text[TEXT], route[512] = "";
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
    receive(&b.alice, dt_writer_str(&w));
}

static void tick_until(dt_time end)
{
    for (dt_time due; (due = dt_proxy_node.deadline(b.proxy)) <= end;) {
        b.now = due > b.now ? due : b.now;
        step(NULL);
    }
    b.now = end;
}

static void ring(unsigned long call, const char *tag)
{
    request("INVITE", call, "", 1);
    must_be(0, "SIP/2.0 100");
    must_be(1, "INVITE " TARGET);
    answer(180, tag);
    must_be(0, "SIP/2.0 180");
}

static void one_call(unsigned long call)
{
    char tag[24], ok[128];
    snprintf(tag, sizeof tag, "b%lu", call);
    ring(call, tag);
    answer(200, tag);
    must_be(0, "SIP/2.0 200");
    request("ACK", call, tag, 1);
    must_be(1, "ACK " TARGET);
    request("BYE", call, tag, 2);
    must_be(1, "BYE " TARGET);
    answer(200, tag);
    must_be(0, "SIP/2.0 200");
    snprintf(ok, sizeof ok, "CSeq: 2 BYE");
    if (dt_str_search(dt_bytes_str(b.last[0]), dt_str_z(ok)) >= b.last[0]->n)
        die("the BYE was not answered");
    tick_until(b.now + APART_MS * DT_MS);
}

/* ---- the proxy ---- */

static void bind_user(unsigned long user)
{
    char text[TEXT];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_writef(&w,
              "REGISTER sip:example.com SIP/2.0\r\n"
              "Via: SIP/2.0/UDP " BOB ";branch=z9hG4bKr%lu;rport\r\nMax-Forwards: 70\r\n"
              "From: <sip:%lu@example.com>;tag=r\r\nTo: <sip:%lu@example.com>\r\n"
              "Call-ID: %lu-003094c3-8c4a0011@192.0.2.102\r\nCSeq: 1 REGISTER\r\n"
              "Contact: <sip:%lu@" BOB ">;expires=7200\r\nContent-Length: 0\r\n\r\n",
              user, user, user, user, user);
    receive(&b.bob, dt_writer_str(&w));
    must_be(1, "SIP/2.0 200");
}

static void open_proxy(void)
{
    static const char conf[] = "domain: example.com\nlisten: udp:192.0.2.1:5060\n";
    static const uint64_t key[2] = {1, 2};
    struct dt_problem list[4];
    struct dt_problems problems = {.list = list, .cap = 4};
    struct dt_input up = {.kind = DT_IN_LISTENING};
    dt_env_init(&b.env, 1);
    b.env.alloc = &counted;
    b.env.wall_offset = 1700000000 * DT_SECOND;
    if (dt_conf_init(&b.conf, b.env.alloc, dt_proxy_options, dt_proxy_options_n, &b.cfg, &problems))
        die("no memory");
    dt_conf_read(&b.conf, DT_STR("bench"), DT_STR(conf));
    if (problems.fatal || dt_proxy_config_check(&b.cfg, &problems))
        die(list[0].text);
    b.proxy = dt_proxy_new(&b.cfg, key, &b.env);
    if (!b.proxy || dt_addr_parse(&b.local, DT_STR("192.0.2.1:5060")) ||
        dt_addr_parse(&b.alice, DT_STR(ALICE)) || dt_addr_parse(&b.bob, DT_STR(BOB)))
        die("no proxy");
    up.local = b.local;
    step(&up);
    bind_user(1002);
}

/* ---- memory ---- */

static size_t base;

static void tell(const char *what)
{
    printf("%-48s %zu bytes\n", what, (bytes_in_use - base) / ROUNDS);
}

static void memory(void)
{
    tick_until(b.now + 300 * DT_SECOND);
    base = bytes_in_use;
    for (unsigned long i = 0; i < ROUNDS; i++)
        bind_user(100000 + i);
    tell("a binding, its REGISTER lingering");
    tick_until(b.now + 300 * DT_SECOND);
    tell("a binding");
    base = bytes_in_use;
    for (unsigned long i = 0; i < ROUNDS; i++)
        ring(200000 + i, "b");
    tell("a ringing call");
    tick_until(b.now + 300 * DT_SECOND);
    base = bytes_in_use;
    for (unsigned long i = 0; i < ROUNDS; i++)
        one_call(300000 + i);
    tell("a call that has ended");
    tick_until(b.now + 6 * DT_SECOND);
    tell("the same 6 s later");
    tick_until(b.now + 300 * DT_SECOND);
}

int main(int argc, char **argv)
{
    bool measures = argc > 1 && !strcmp(argv[1], "memory");
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS;
    open_proxy();
    if (measures)
        memory();
    for (unsigned long i = 0; i < rounds; i++)
        one_call(i + 100000);
    tick_until(b.now + 300 * DT_SECOND);
    if (dt_proxy_objects(b.proxy))
        die("something is left");
    if (!measures)
        printf("%lu calls\n", rounds);
    for (int i = 0; i < 2; i++)
        dt_bytes_drop(b.last[i]);
    dt_proxy_free(b.proxy);
    dt_conf_clear(&b.conf);
    return 0;
}
