/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TCP of the real host on loopback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wirekit.h"

/* ---- a large message there and back, then the end ---- */

enum { LARGE = 3 * 1024 * 1024, PIECE = 64 * 1024 };

struct large {
    struct wire_node client, server;
    const char *addr;
    char *bytes;
    size_t sent, seen_by_watch;
};

static char pattern(size_t i)
{
    return (char)(i * 7 + i / 251);
}

/* Echoes, and keeps count. */
static void large_server(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct large *t = n->test;
    (void)now;
    switch (in->kind) {
    case DT_IN_LISTENING:
        n->local = in->local;
        wire_connect(&t->client, 2, &n->local);
        dt_host_command(n->host, t->client.number, DT_CHANNEL_USER, DT_STR("go"));
        break;
    case DT_IN_STREAM_OPEN:
        assert_true(in->accepted);
        assert_int_equal(in->stream % 2, 1);
        assert_true(dt_addr_eq(&in->local, &n->local));
        n->opened++;
        break;
    case DT_IN_STREAM_DATA:
        wire_write(n, in->stream, in->data);
        break;
    case DT_IN_STREAM_CLOSED:
        assert_int_equal(in->err, DT_E_CLOSED);
        n->closed++;
        dt_host_stop(n->host);
        break;
    default:
        fail();
    }
}

static void send_piece(struct large *t)
{
    size_t n = LARGE - t->sent < PIECE ? LARGE - t->sent : PIECE;
    if (n > 0)
        wire_write(&t->client, 2, (struct dt_str){t->bytes + t->sent, n});
    t->sent += n;
}

static void large_client(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct large *t = n->test;
    (void)now;
    if (in->kind == DT_IN_STREAM_OPEN) {
        assert_false(in->accepted);
        assert_int_equal(in->stream, 2);
        assert_true(dt_addr_eq(&in->remote, &t->server.local));
        assert_int_equal(in->remote.transport, DT_TCP);
        for (int i = 0; i < 4; i++)
            send_piece(t);
    } else if (in->kind == DT_IN_STREAM_DATA) {
        assert_true(n->bytes + in->data.n <= LARGE);
        assert_memory_equal(in->data.p, t->bytes + n->bytes, in->data.n);
        size_t before = n->bytes / PIECE;
        n->bytes += in->data.n;
        for (; before < n->bytes / PIECE; before++)
            send_piece(t);
        if (n->bytes == LARGE)
            wire_close(n, 2);
    } else {
        assert_int_equal(in->kind, DT_IN_COMMAND); /* no CLOSED: the node closed it itself */
    }
}

static void large_watch(void *ctx, dt_time now, int node, bool sent, const struct dt_addr *local,
                        const struct dt_addr *remote, struct dt_str bytes)
{
    struct large *t = ctx;
    (void)now;
    (void)local;
    assert_int_equal(remote->transport, DT_TCP);
    if (sent && node == t->client.number)
        t->seen_by_watch += bytes.n;
}

static void run_large(const char *addr)
{
    struct large t = {.addr = addr, .bytes = malloc(LARGE)};
    struct dt_host_config cfg = {.watch = {.message = large_watch, .ctx = &t}};
    struct dt_host *h = wire_host(&cfg);
    assert_non_null(t.bytes);
    for (size_t i = 0; i < LARGE; i++)
        t.bytes[i] = pattern(i);
    wire_node_init(&t.client, h, large_client, &t);
    wire_node_init(&t.server, h, large_server, &t);
    wire_listen(&t.server, addr, DT_TCP);
    wire_run(h);
    assert_int_equal(t.client.bytes, LARGE);
    assert_int_equal(t.seen_by_watch, LARGE);
    assert_int_equal(t.server.opened, 1);
    assert_int_equal(t.server.closed, 1);
    wire_node_clear(&t.client);
    wire_node_clear(&t.server);
    free(t.bytes);
}

static void tcp_large_writes_v4(void **state)
{
    (void)state;
    run_large("127.0.0.1:0");
}

static void tcp_large_writes_v6(void **state)
{
    (void)state;
    if (wire_has_v6())
        run_large("[::1]:0");
}

/* ---- all that was given before a close arrives, and also before the stream was open ---- */

static void last_server(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct large *t = n->test;
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        static char text[300000];
        n->local = in->local;
        memset(text, 'l', sizeof text);
        wire_connect(&t->client, 4, &n->local);
        wire_write(&t->client, 4, (struct dt_str){text, sizeof text});
        wire_close(&t->client, 4);
        dt_host_command(n->host, t->client.number, DT_CHANNEL_USER, DT_STR("go"));
    } else if (in->kind == DT_IN_STREAM_DATA) {
        n->bytes += in->data.n;
    } else if (in->kind == DT_IN_STREAM_CLOSED) {
        assert_int_equal(in->err, DT_E_CLOSED);
        dt_host_stop(n->host);
    }
}

static void last_client(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    (void)n;
    (void)now;
    assert_int_equal(in->kind, DT_IN_COMMAND);
}

static void tcp_close_lets_the_last_bytes_through(void **state)
{
    struct large t = {.addr = NULL};
    struct dt_host *h = wire_host(NULL);
    (void)state;
    wire_node_init(&t.client, h, last_client, &t);
    wire_node_init(&t.server, h, last_server, &t);
    wire_listen(&t.server, "127.0.0.1:0", DT_TCP);
    wire_run(h);
    assert_int_equal(t.server.bytes, 300000);
    wire_node_clear(&t.client);
    wire_node_clear(&t.server);
}

/* ---- refused ---- */

static void refused_input(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        /* A port that was free a moment ago. */
        struct dt_output close = {.kind = DT_OUT_UNLISTEN, .local = in->local};
        n->local = in->local;
        assert_int_equal(dt_outbox_put(&n->out, &close), DT_OK);
        wire_connect(n, 2, &n->local);
        wire_write(n, 2, DT_STR("nobody reads this"));
        return;
    }
    assert_int_equal(in->kind, DT_IN_STREAM_CLOSED);
    assert_int_equal(in->stream, 2);
    assert_int_equal(in->err, DT_E_REFUSED);
    assert_true(dt_addr_eq(&in->remote, &n->local));
    n->closed++;
    dt_host_stop(n->host);
}

static void tcp_refused(void **state)
{
    struct wire_node n;
    struct dt_host *h = wire_host(NULL);
    (void)state;
    wire_node_init(&n, h, refused_input, NULL);
    wire_listen(&n, "127.0.0.1:0", DT_TCP);
    wire_run(h);
    assert_int_equal(n.closed, 1);
    wire_node_clear(&n);
}

/* ---- caps: so many at once, the others wait until there is room ---- */

enum { CLIENTS = 6 };

struct caps {
    struct wire_node client, server;
    uint64_t open;
    size_t most;
};

/* Each accepted stream is answered and closed by the client; so room comes one by one. */
static void caps_server(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct caps *t = n->test;
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        n->local = in->local;
        /* The other host is another thread's: it is told through the route of this event. */
        assert_int_equal(dt_host_command(t->client.host, t->client.number, DT_CHANNEL_USER,
                                         DT_STR("not from here")),
                         DT_E_STATE);
        dt_outbox_event(&n->out, DT_EV_READY, 0, "go");
    } else if (in->kind == DT_IN_STREAM_OPEN) {
        n->opened++;
        if (++t->open > t->most)
            t->most = t->open;
        wire_write(n, in->stream, DT_STR("hello"));
    } else if (in->kind == DT_IN_STREAM_CLOSED) {
        t->open--;
        if (++n->closed == CLIENTS)
            dt_host_stop(n->host);
    }
}

/* In a host of its own, so that the cap counts the server's streams only. */
static void caps_client(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct caps *t = n->test;
    (void)now;
    if (in->kind == DT_IN_COMMAND) {
        for (uint64_t i = 1; i <= CLIENTS; i++)
            wire_connect(n, 2 * i, &t->server.local);
    } else if (in->kind == DT_IN_STREAM_DATA) {
        wire_close(n, in->stream);
    }
}

static void tcp_accepting_pauses_at_the_cap(void **state)
{
    struct caps t = {.open = 0};
    struct dt_host_config cfg = {.streams_max = 2};
    struct dt_host *h = wire_host(&cfg), *clients = wire_host(NULL);
    (void)state;
    wire_node_init(&t.server, h, caps_server, &t);
    wire_node_init(&t.client, clients, caps_client, &t);
    wire_listen(&t.server, "127.0.0.1:0", DT_TCP);
    assert_int_equal(dt_host_route(h, t.server.number, DT_CHANNEL_USER, clients, t.client.number),
                     DT_OK);
    assert_int_equal(dt_host_start(clients), DT_OK);
    wire_run(h);
    dt_host_stop(clients);
    dt_host_join(clients);
    dt_host_free(clients);
    assert_int_equal(t.server.opened, CLIENTS);
    assert_int_equal(t.most, 2);
    wire_node_clear(&t.client);
    wire_node_clear(&t.server);
}

/* ---- a peer that does not read ---- */

static void flood(struct wire_node *n)
{
    static char text[PIECE];
    for (int i = 0; i < 8; i++)
        wire_write(n, 2, (struct dt_str){text, sizeof text});
    n->due = 0;
}

static void flood_tick(struct wire_node *n, dt_time now)
{
    (void)now;
    flood(n);
}

static void flood_input(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        wire_connect(n, 2, &in->local); /* the backlog connects; it is never accepted */
    } else if (in->kind == DT_IN_STREAM_OPEN && !in->accepted) {
        flood(n);
    } else if (in->kind == DT_IN_STREAM_CLOSED) {
        assert_int_equal(in->stream, 2);
        assert_int_equal(in->err, DT_E_LIMIT);
        n->due = DT_TIME_NEVER;
        n->closed++;
        dt_host_stop(n->host);
    }
}

static void tcp_unread_writes_hit_a_limit(void **state)
{
    struct wire_node n;
    struct dt_host_config cfg = {.streams_max = 1};
    struct dt_host *h = wire_host(&cfg);
    (void)state;
    wire_node_init(&n, h, flood_input, NULL);
    n.tick = flood_tick;
    wire_listen(&n, "127.0.0.1:0", DT_TCP);
    wire_run(h);
    assert_int_equal(n.closed, 1);
    wire_node_clear(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_large_writes_v4),
        cmocka_unit_test(tcp_large_writes_v6),
        cmocka_unit_test(tcp_close_lets_the_last_bytes_through),
        cmocka_unit_test(tcp_refused),
        cmocka_unit_test(tcp_accepting_pauses_at_the_cap),
        cmocka_unit_test(tcp_unread_writes_hit_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
