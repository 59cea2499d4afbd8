/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "wirekit.h"

static struct {
    struct dt_host *host;
    struct dt_host_timer *timer;
    bool bitten;
} watchdog;

static void bite(void *ctx, dt_time now)
{
    (void)ctx;
    (void)now;
    watchdog.bitten = true;
    dt_host_stop(watchdog.host);
}

struct dt_host *wire_host(const struct dt_host_config *cfg)
{
    char err[200];
    static struct dt_log log;
    struct dt_host_config with_log = cfg ? *cfg : (struct dt_host_config){.alloc = NULL};
    log = dt_io_log_stderr(DT_LOG_WARN);
    if (!with_log.log)
        with_log.log = &log;
    struct dt_host *h = dt_host_new(&with_log, err, sizeof err);
    assert_non_null(h);
    return h;
}

void wire_loop(struct dt_host *h)
{
    watchdog.host = h;
    watchdog.bitten = false;
    watchdog.timer = dt_host_timer_new(h, bite, NULL);
    dt_host_timer_at(watchdog.timer, dt_io_now() + 10 * DT_SECOND);
    assert_int_equal(dt_host_run(h), DT_OK);
    dt_host_timer_free(watchdog.timer);
    assert_false(watchdog.bitten);
}

void wire_run(struct dt_host *h)
{
    wire_loop(h);
    dt_host_free(h);
}

/* ---- the node ---- */

static void node_input(void *node, dt_time now, const struct dt_input *in, size_t count)
{
    struct wire_node *n = node;
    dt_outbox_begin(&n->out);
    n->batches++;
    for (size_t i = 0; i < count; i++)
        n->input(n, now, &in[i]);
}

static dt_time node_deadline(const void *node)
{
    return ((const struct wire_node *)node)->due;
}

static void node_tick(void *node, dt_time now)
{
    struct wire_node *n = node;
    dt_outbox_begin(&n->out);
    n->due = DT_TIME_NEVER;
    n->tick(n, now);
}

static size_t node_output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    struct wire_node *n = node;
    (void)now;
    return dt_outbox_take(&n->out, out, max);
}

static const struct dt_node_ops ops = {node_input, node_deadline, node_tick, node_output};

bool wire_node_try(struct wire_node *n, struct dt_host *h,
                   void (*input)(struct wire_node *, dt_time, const struct dt_input *), void *test)
{
    memset(n, 0, sizeof *n);
    dt_outbox_init(&n->out, &dt_alloc_libc);
    n->input = input;
    n->due = DT_TIME_NEVER;
    n->host = h;
    n->test = test;
    n->number = dt_host_add(h, &ops, n);
    return n->number >= 0;
}

void wire_node_init(struct wire_node *n, struct dt_host *h,
                    void (*input)(struct wire_node *, dt_time, const struct dt_input *), void *test)
{
    assert_true(wire_node_try(n, h, input, test));
}

void wire_node_clear(struct wire_node *n)
{
    dt_outbox_clear(&n->out);
}

/* ---- what it wants ---- */

struct dt_addr wire_addr(const char *text, enum dt_transport transport)
{
    struct dt_addr a;
    assert_int_equal(dt_addr_parse(&a, dt_str_z(text)), DT_OK);
    a.transport = (uint8_t)transport;
    return a;
}

static void put(struct wire_node *n, const struct dt_output *o)
{
    assert_int_equal(dt_outbox_put(&n->out, o), DT_OK);
}

void wire_listen(struct wire_node *n, const char *addr, enum dt_transport transport)
{
    put(n, &(struct dt_output){.kind = DT_OUT_LISTEN, .local = wire_addr(addr, transport)});
}

void wire_send(struct wire_node *n, const struct dt_addr *from, const struct dt_addr *to,
               const char *text)
{
    put(n, &(struct dt_output){.kind = DT_OUT_DATAGRAM,
                               .local = *from,
                               .remote = *to,
                               .bytes = dt_bytes_copy(&dt_alloc_libc, dt_str_z(text))});
}

void wire_connect(struct wire_node *n, uint64_t stream, const struct dt_addr *to)
{
    put(n, &(struct dt_output){.kind = DT_OUT_CONNECT, .stream = stream, .remote = *to});
}

void wire_write(struct wire_node *n, uint64_t stream, struct dt_str text)
{
    put(n, &(struct dt_output){.kind = DT_OUT_STREAM_DATA,
                               .stream = stream,
                               .bytes = dt_bytes_copy(&dt_alloc_libc, text)});
}

void wire_close(struct wire_node *n, uint64_t stream)
{
    put(n, &(struct dt_output){.kind = DT_OUT_CLOSE, .stream = stream});
}

bool wire_has_v6(void)
{
    struct dt_addr remote = wire_addr("[::1]:9", DT_UDP), local;
    if (dt_io_local_for(&remote, &local) == DT_OK)
        return true;
    print_message("no IPv6 on loopback here: left out\n");
    return false;
}
