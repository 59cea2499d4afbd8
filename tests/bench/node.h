/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A proxy between two phones, Alice and Bob, without a network: for programs that count what a call
 * or a registration costs it. What is counted happens in bench_step:
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_step PROGRAM
 */
#ifndef BENCH_NODE_H
#define BENCH_NODE_H

#include "dualtone/build.h"
#include "dualtone/stack.h"
#include "proxy/proxy.h"

enum { BENCH_TEXT = 4096 };

#define ALICE "192.0.2.101:5060"
#define BOB "192.0.2.102:5060"

struct bench_node {
    struct dt_env env;
    struct dt_conf conf;
    struct dt_proxy_config cfg;
    struct dt_proxy *proxy;
    dt_time now;
    struct dt_addr local, alice, bob;
    struct dt_bytes *last[2]; /* to Alice, to Bob */
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    size_t bytes_in_use; /* that the proxy has from its allocator */
};
extern struct bench_node b;

/* One step of the node, without or with a datagram. What it sends is in `out`. */
size_t bench_step(struct dt_proxy *p, dt_time now, const struct dt_input *in,
                  struct dt_output *out);

/* The end, with a word of why. */
_Noreturn void bench_die(const char *what);
/* `subscribers`: a file's text, or NULL: nobody has to prove a password. */
void bench_open(const char *subscribers);
/* All transactions have ended, or the program dies. */
void bench_close(void);
void bench_receive(const struct dt_addr *from, struct dt_str text);
/* Ticks until then. */
void bench_until(dt_time end);
/* What Alice (0) or Bob (1) got last must begin so. */
void bench_must_be(unsigned who, const char *begin);

#endif
