/* SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/io.h"

enum { OUTPUTS = 32 };

struct bench_node b;

void bench_die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* ---- libc's memory, its bytes counted: the size lies in front ---- */

enum { FRONT = 16 };

static void *counted_resize(void *ctx, void *p, size_t n)
{
    char *old = p ? (char *)p - FRONT : NULL;
    size_t before = old ? *(size_t *)(void *)old : 0;
    (void)ctx;
    if (!n) {
        b.bytes_in_use -= before;
        free(old);
        return NULL;
    }
    char *got = realloc(old, n + FRONT);
    if (!got)
        return NULL;
    b.bytes_in_use += n - before;
    *(size_t *)(void *)got = n;
    return got + FRONT;
}

static const struct dt_alloc counted = {counted_resize, NULL};

/* ---- steps ---- */

__attribute__((noinline)) size_t bench_step(struct dt_proxy *p, dt_time now,
                                            const struct dt_input *in, struct dt_output *out)
{
    if (in)
        dt_proxy_node.input(p, now, in, 1);
    else
        dt_proxy_node.tick(p, now);
    return dt_proxy_node.output(p, now, out, OUTPUTS);
}

static void step(const struct dt_input *in)
{
    struct dt_output out[OUTPUTS];
    size_t n = bench_step(b.proxy, b.now, in, out);
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

void bench_receive(const struct dt_addr *from, struct dt_str text)
{
    static char buf[BENCH_TEXT + DT_PAD];
    struct dt_input in = {.kind = DT_IN_DATAGRAM, .local = b.local, .remote = *from};
    if (text.n > BENCH_TEXT)
        bench_die("a message is too long");
    memcpy(buf, text.p, text.n);
    in.data = (struct dt_str){buf, text.n};
    step(&in);
}

void bench_until(dt_time end)
{
    for (dt_time due; (due = dt_proxy_node.deadline(b.proxy)) <= end;) {
        b.now = due > b.now ? due : b.now;
        step(NULL);
    }
    b.now = end;
}

void bench_must_be(unsigned who, const char *begin)
{
    struct dt_str got = b.last[who] ? dt_bytes_str(b.last[who]) : DT_STR_NONE;
    if (!dt_str_starts(got, dt_str_z(begin)))
        bench_die(begin);
}

/* ---- life ---- */

void bench_open(const char *subscribers)
{
    static const char conf[] = "domain: example.com\nlisten: udp:192.0.2.1:5060\n";
    static const uint64_t key[2] = {1, 2};
    struct dt_problem list[4];
    struct dt_problems problems = {.list = list, .cap = 4};
    struct dt_input up = {.kind = DT_IN_LISTENING};
    dt_env_init(&b.env, 1);
    b.env.alloc = &counted;
    b.env.hash = dt_io_hash;
    b.env.wall_offset = 1700000000 * DT_SECOND;
    if (dt_conf_init(&b.conf, b.env.alloc, dt_proxy_options, dt_proxy_options_n, &b.cfg, &problems))
        bench_die("no memory");
    dt_conf_read(&b.conf, DT_STR("bench"), DT_STR(conf));
    if (problems.fatal || dt_proxy_config_check(&b.cfg, &problems))
        bench_die(list[0].text);
    b.proxy = dt_proxy_new(&b.cfg, key, &b.env);
    if (!b.proxy || dt_addr_parse(&b.local, DT_STR("192.0.2.1:5060")) ||
        dt_addr_parse(&b.alice, DT_STR(ALICE)) || dt_addr_parse(&b.bob, DT_STR(BOB)))
        bench_die("no proxy");
    if (subscribers &&
        dt_proxy_subscribers(b.proxy, DT_STR("bench"), dt_str_z(subscribers), &problems))
        bench_die("no subscribers");
    up.local = b.local;
    step(&up);
}

void bench_close(void)
{
    bench_until(b.now + 300 * DT_SECOND);
    if (dt_proxy_objects(b.proxy))
        bench_die("something is left");
    for (int i = 0; i < 2; i++) {
        dt_bytes_drop(b.last[i]);
        b.last[i] = NULL;
    }
    dt_proxy_free(b.proxy);
    dt_conf_clear(&b.conf);
}
