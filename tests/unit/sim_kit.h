/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network of nodes that do what the test tells them and write down what they are given. */
#ifndef SIM_KIT_H
#define SIM_KIT_H

#include "testkit.h"

#include "sim/sim.h"

#include <string.h>

enum { WIRE_NODES = 4, WIRE_LOG = 1 << 16 };

struct wire_node {
    const char *name;
    struct dt_addr addr;
    struct dt_outbox out;
    struct dt_sim_node *node;
    dt_time deadline;
    unsigned inputs, ticks, last; /* `last`: the number in the last datagram */
    unsigned behind;              /* datagrams that came behind a later one */
};

static struct {
    struct kit_alloc k;
    struct dt_sim *sim;
    struct wire_node nodes[WIRE_NODES];
    size_t n;
    char text[WIRE_LOG];
    struct dt_writer log;
    bool quiet;
    unsigned fates[DT_SIM_UNHEARD + 1];
    uint64_t digest;
} wire;

static inline const char *wire_name(const struct dt_addr *a)
{
    for (size_t i = 0; i < wire.n; i++)
        if (dt_addr_ip_eq(a, &wire.nodes[i].addr))
            return wire.nodes[i].name;
    return "?";
}

/* ---- the node ---- */

static inline void wire_input_line(const struct wire_node *w, dt_time now,
                                   const struct dt_input *in)
{
    static const char *const kinds[] = {
        [DT_IN_LISTENING] = "listening",
        [DT_IN_DATAGRAM] = "datagram",
        [DT_IN_STREAM_OPEN] = "open",
        [DT_IN_STREAM_DATA] = "data",
        [DT_IN_STREAM_CLOSED] = "closed",
        [DT_IN_SOCKET_ERROR] = "error",
        [DT_IN_DNS] = "dns",
        [DT_IN_WALL_STEP] = "wall",
        [DT_IN_WOKE] = "woke",
        [DT_IN_COMMAND] = "command",
    };
    dt_writef(&wire.log, "%lld %s %s", (long long)(now / DT_MS), w->name, kinds[in->kind]);
    if (in->remote.family)
        dt_writef(&wire.log, " %s", wire_name(&in->remote));
    if (in->stream)
        dt_writef(&wire.log, " #%llu%s", (unsigned long long)in->stream,
                  in->accepted ? " accepted" : "");
    if (in->err)
        dt_writef(&wire.log, " (%s)", dt_err_text(in->err));
    if (in->age)
        dt_writef(&wire.log, " age %lld", (long long)(in->age / DT_MS));
    if (in->data.n)
        dt_writef(&wire.log, " %.*s", DT_FMT(in->data));
    if (in->dns) {
        static const char *const status[] = {"found", "no name", "no data", "failed"};
        dt_writef(&wire.log, " %u %s %zu", in->dns->id, status[in->dns->status], in->dns->n);
        for (size_t i = 0; i < in->dns->n; i++)
            dt_writef(&wire.log, " %.*s:%u", DT_FMT(in->dns->records[i].target),
                      in->dns->records[i].port);
    }
    dt_write_char(&wire.log, '\n');
}

static inline void wire_input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct wire_node *w = node;
    dt_outbox_begin(&w->out);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = 0;
        if (dt_str_eq(in[i].data, DT_STR("!"))) /* wire_kick */
            continue;
        w->inputs++;
        if (!wire.quiet)
            wire_input_line(w, now, &in[i]);
        if (in[i].kind != DT_IN_DATAGRAM || dt_str_u64(in[i].data, UINT32_MAX, &number))
            continue;
        w->behind += number < w->last;
        w->last = number > w->last ? (unsigned)number : w->last;
    }
}
static inline dt_time wire_deadline(const void *node)
{
    return ((const struct wire_node *)node)->deadline;
}
static inline void wire_tick(void *node, dt_time now)
{
    struct wire_node *w = node;
    dt_outbox_begin(&w->out);
    w->ticks++;
    w->deadline = DT_TIME_NEVER;
    if (!wire.quiet)
        dt_writef(&wire.log, "%lld %s tick\n", (long long)(now / DT_MS), w->name);
}
static inline size_t wire_output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    (void)now;
    return dt_outbox_take(&((struct wire_node *)node)->out, out, max);
}
static const struct dt_node_ops wire_ops = {wire_input, wire_deadline, wire_tick, wire_output};

/* ---- the network ---- */

static inline void wire_packet(void *ctx, dt_time now, enum dt_sim_fate fate,
                               const struct dt_addr *from, const struct dt_addr *to,
                               struct dt_bytes *bytes)
{
    (void)ctx;
    wire.fates[fate]++;
    const uint64_t key[2] = {wire.digest, (uint64_t)now * 4 + (uint64_t)fate};
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    dt_siphash_add(&h, from, sizeof *from);
    dt_siphash_add(&h, to, sizeof *to);
    dt_siphash_add_str(&h, dt_bytes_str(bytes));
    wire.digest = dt_siphash_end(&h);
}

static inline struct dt_addr wire_addr(unsigned host, enum dt_transport transport)
{
    return (struct dt_addr){.ip = {192, 0, 2, (uint8_t)host},
                            .port = 5060,
                            .family = 4,
                            .transport = (uint8_t)transport};
}

static inline bool wire_open(uint64_t seed)
{
    const struct dt_sim_watch watch = {.packet = wire_packet};
    wire.n = 0;
    wire.quiet = false;
    wire.digest = 0;
    memset(wire.fates, 0, sizeof wire.fates);
    wire.log = dt_writer(wire.text, sizeof wire.text);
    wire.sim = dt_sim_new(&wire.k.alloc, seed, &watch);
    return wire.sim != NULL;
}

static inline void wire_listen(struct wire_node *w, enum dt_transport transport)
{
    struct dt_output listen = {.kind = DT_OUT_LISTEN, .local = w->addr};
    listen.local.transport = (uint8_t)transport;
    (void)dt_outbox_put(&w->out, &listen);
}

/* A node at 192.0.2.N, listening on UDP and TCP; NULL without memory. */
static inline struct wire_node *wire_add(const char *name)
{
    struct wire_node *w = &wire.nodes[wire.n++];
    *w = (struct wire_node){.name = name, .deadline = DT_TIME_NEVER};
    w->addr = wire_addr((unsigned)wire.n, DT_UDP);
    dt_outbox_init(&w->out, &wire.k.alloc);
    wire_listen(w, DT_UDP);
    wire_listen(w, DT_TCP);
    w->node = dt_sim_attach(wire.sim, name, &wire_ops, w);
    return w->node ? w : NULL;
}

static inline void wire_close(void)
{
    dt_sim_free(wire.sim);
    for (size_t i = 0; i < wire.n; i++)
        dt_outbox_clear(&wire.nodes[i].out);
    wire.sim = NULL;
    assert_int_equal(wire.k.live, 0);
}

/* What has been logged since the last call is `want`; '|' stands for the end of a line. */
#define wire_expect(want) wire_expect_at((want), __FILE__, __LINE__)
static inline void wire_expect_at(const char *want, const char *file, int line)
{
    for (size_t i = 0; i < wire.log.n; i++)
        if (wire.text[i] == '\n')
            wire.text[i] = '|';
    kit_assert_str_at(dt_writer_str(&wire.log), want, file, line);
    wire.log = dt_writer(wire.text, sizeof wire.text);
}

/* Runs for so long, in milliseconds. */
static inline void wire_run(int64_t ms)
{
    dt_sim_run(wire.sim, dt_sim_now(wire.sim) + ms * DT_MS);
}

/* ---- what a node does ---- */

/* Hands out what stands in the node's outbox: any command makes the host drain it. */
static inline void wire_kick(struct wire_node *w)
{
    dt_sim_command(wire.sim, w->node, DT_CHANNEL_USER, DT_STR("!"));
    dt_sim_run(wire.sim, dt_sim_now(wire.sim));
}

static inline void wire_put(struct wire_node *w, struct dt_output o, const char *text)
{
    o.bytes = text ? dt_bytes_copy(&wire.k.alloc, dt_str_z(text)) : NULL;
    if (text && !o.bytes)
        return;
    (void)dt_outbox_put(&w->out, &o);
    wire_kick(w);
}

static inline void wire_send(struct wire_node *from, struct wire_node *to, const char *text)
{
    wire_put(from,
             (struct dt_output){.kind = DT_OUT_DATAGRAM, .local = from->addr, .remote = to->addr},
             text);
}

static inline void wire_connect(struct wire_node *from, struct wire_node *to, uint64_t id)
{
    struct dt_output o = {.kind = DT_OUT_CONNECT, .stream = id, .remote = to->addr};
    o.remote.transport = DT_TCP;
    wire_put(from, o, NULL);
}
static inline void wire_stream(struct wire_node *from, uint64_t id, const char *text)
{
    wire_put(from, (struct dt_output){.kind = DT_OUT_STREAM_DATA, .stream = id}, text);
}
static inline void wire_shut(struct wire_node *from, uint64_t id)
{
    wire_put(from, (struct dt_output){.kind = DT_OUT_CLOSE, .stream = id}, NULL);
}

/* Two nodes, set up; each test opens with it. */
static inline void wire_pair(struct wire_node **a, struct wire_node **b, uint64_t seed)
{
    kit_alloc_init(&wire.k);
    assert_true(wire_open(seed));
    *a = wire_add("a");
    *b = wire_add("b");
    wire_run(0);
    wire_expect("0 a listening|0 a listening|0 b listening|0 b listening|");
}

#endif
