/* SPDX-License-Identifier: BSD-2-Clause
 *
 * UDP of the real host on loopback: batches, families, source addresses, refusals, full queues. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wirekit.h"

enum { BURST = 100 };

/* ---- echo ---- */

struct echo {
    struct wire_node a, b;
    const char *addr;
    uint64_t seen; /* of the first 64 */
    size_t sent_seen, received_seen;
};

static void echo_b(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct echo *t = n->test;
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        n->local = in->local;
        wire_listen(&t->a, t->addr, DT_UDP);
        dt_host_command(n->host, t->a.number, DT_CHANNEL_USER, DT_STR("go"));
        return;
    }
    assert_int_equal(in->kind, DT_IN_DATAGRAM);
    for (size_t i = 0; i < DT_PAD; i++)
        assert_int_equal(in->data.p[in->data.n + i], 0);
    char text[32];
    memcpy(text, in->data.p, in->data.n);
    text[in->data.n] = '\0';
    n->datagrams++;
    wire_send(n, &in->local, &in->remote, text);
}

static void echo_a(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct echo *t = n->test;
    uint64_t number;
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        assert_int_not_equal(in->local.port, 0);
        n->local = in->local;
        for (size_t i = 0; i < BURST; i++) {
            char text[16];
            snprintf(text, sizeof text, "%zu", i);
            wire_send(n, &n->local, &t->b.local, text);
        }
    }
    if (in->kind != DT_IN_DATAGRAM)
        return;
    assert_true(dt_addr_eq(&in->remote, &t->b.local));
    assert_true(dt_addr_eq(&in->local, &n->local));
    assert_true(in->age >= 0 && in->age < 4 * DT_SECOND);
    assert_int_equal(dt_str_u64(in->data, BURST - 1, &number), DT_OK);
    assert_int_equal(number, n->datagrams); /* loopback keeps the order, and so do batches */
    if (++n->datagrams == BURST)
        dt_host_stop(n->host);
}

static void echo_watch(void *ctx, dt_time now, int node, bool sent, const struct dt_addr *local,
                       const struct dt_addr *remote, struct dt_str bytes)
{
    struct echo *t = ctx;
    (void)now;
    (void)node;
    assert_int_equal(local->transport, DT_UDP);
    assert_int_not_equal(remote->port, 0);
    assert_true(bytes.n > 0);
    if (sent)
        t->sent_seen++;
    else
        t->received_seen++;
}

static void run_echo(const char *addr)
{
    struct echo t = {.addr = addr};
    struct dt_host_config cfg = {.watch = {.message = echo_watch, .ctx = &t}};
    struct dt_host *h = wire_host(&cfg);
    wire_node_init(&t.a, h, echo_a, &t);
    wire_node_init(&t.b, h, echo_b, &t);
    wire_listen(&t.b, addr, DT_UDP);
    wire_run(h);
    assert_int_equal(t.a.datagrams, BURST);
    assert_int_equal(t.b.datagrams, BURST);
    assert_int_equal(t.sent_seen, 2 * BURST);
    assert_int_equal(t.received_seen, 2 * BURST);
    assert_true(t.b.batches < BURST / 4); /* batches, not one by one */
    wire_node_clear(&t.a);
    wire_node_clear(&t.b);
}

static void udp_echo_in_batches_v4(void **state)
{
    (void)state;
    run_echo("127.0.0.1:0");
}

static void udp_echo_in_batches_v6(void **state)
{
    (void)state;
    if (wire_has_v6())
        run_echo("[::1]:0");
}

/* ---- a wildcard socket knows its local address, and answers from it ---- */

struct wild {
    struct wire_node any, asks;
    struct dt_addr target;
};

static void wild_any(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct wild *t = n->test;
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        t->target = wire_addr("127.0.0.7:0", DT_UDP);
        t->target.port = in->local.port;
        dt_host_command(n->host, t->asks.number, DT_CHANNEL_USER, DT_STR("go"));
    } else if (in->kind == DT_IN_DATAGRAM) {
        assert_true(dt_addr_eq(&in->local, &t->target));
        wire_send(n, &in->local, &in->remote, "answer");
    }
}

static void wild_asks(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct wild *t = n->test;
    (void)now;
    if (in->kind == DT_IN_COMMAND) {
        wire_listen(n, "127.0.0.1:0", DT_UDP);
    } else if (in->kind == DT_IN_LISTENING) {
        wire_send(n, &in->local, &t->target, "question");
    } else if (in->kind == DT_IN_DATAGRAM) {
        assert_true(dt_addr_eq(&in->remote, &t->target));
        dt_host_stop(n->host);
    }
}

static void udp_wildcard_answers_from_the_address_asked(void **state)
{
    struct wild t = {.any = {.number = 0}};
    struct dt_host *h = wire_host(NULL);
    (void)state;
    wire_node_init(&t.any, h, wild_any, &t);
    wire_node_init(&t.asks, h, wild_asks, &t);
    wire_listen(&t.any, "0.0.0.0:0", DT_UDP);
    wire_run(h);
    wire_node_clear(&t.any);
    wire_node_clear(&t.asks);
}

/* ---- refusal: reported with its remote, and nobody else's datagram is lost ---- */

struct refusal {
    struct wire_node sender, receiver;
    const char *addr;
    struct dt_addr dead[2];
    size_t rounds;
};

enum { REFUSAL_ROUNDS = 20 };

/* A port that was just free: bound and closed again. */
static struct dt_addr dead_port(const char *addr)
{
    struct dt_addr a = wire_addr(addr, DT_UDP);
    struct sockaddr_storage name = {.ss_family = 0};
    socklen_t n = sizeof name;
    int family = a.family == 6 ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int bound = family == AF_INET ? bind(fd, (struct sockaddr *)&in4, sizeof in4)
                                  : bind(fd, (struct sockaddr *)&in6, sizeof in6);
    assert_int_equal(bound, 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &n), 0);
    memcpy(&in4, &name, sizeof in4);
    memcpy(&in6, &name, sizeof in6);
    a.port = ntohs(family == AF_INET ? in4.sin_port : in6.sin6_port);
    close(fd);
    return a;
}

/* Alternates between dead ports and a live one, in one batch: each refusal comes back while the
 * next is sent. */
static void refusal_round(struct refusal *t)
{
    struct wire_node *n = &t->sender;
    for (size_t i = 0; i < 2; i++) {
        wire_send(n, &n->local, &t->dead[i], "to nobody");
        wire_send(n, &n->local, &t->receiver.local, "to somebody");
    }
    t->rounds++;
}

static void refusal_sender(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct refusal *t = n->test;
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        n->local = in->local;
        refusal_round(t);
    } else if (in->kind == DT_IN_SOCKET_ERROR) {
        assert_int_equal(in->err, DT_E_REFUSED);
        assert_true(dt_addr_eq(&in->remote, &t->dead[0]) || dt_addr_eq(&in->remote, &t->dead[1]));
        assert_true(dt_addr_eq(&in->local, &n->local));
        n->errors++;
    } else if (in->kind == DT_IN_COMMAND && in->data.n > 0) {
        refusal_round(t);
    }
}

static void refusal_receiver(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct refusal *t = n->test;
    (void)now;
    if (in->kind == DT_IN_LISTENING) {
        n->local = in->local;
        wire_listen(&t->sender, t->addr, DT_UDP);
        dt_host_command(n->host, t->sender.number, DT_CHANNEL_USER, DT_STR(""));
        return;
    }
    if (in->kind != DT_IN_DATAGRAM)
        return;
    kit_assert_str(in->data, "to somebody");
    n->datagrams++;
    if (n->datagrams < 2 * t->rounds)
        return;
    if (t->rounds < REFUSAL_ROUNDS)
        dt_host_command(n->host, t->sender.number, DT_CHANNEL_USER, DT_STR("again"));
    else
        n->due = now; /* the errors of the last round lie in the queue already */
}

static void refusal_end(struct wire_node *n, dt_time now)
{
    struct refusal *t = n->test;
    if (t->sender.errors < 2)
        n->due = now + DT_MS;
    else
        dt_host_stop(n->host);
}

static void run_refusal(const char *addr)
{
    struct refusal t = {.addr = addr};
    struct dt_host *h = wire_host(NULL);
    t.dead[0] = dead_port(addr);
    t.dead[1] = dead_port(addr);
    wire_node_init(&t.sender, h, refusal_sender, &t);
    wire_node_init(&t.receiver, h, refusal_receiver, &t);
    t.receiver.tick = refusal_end;
    wire_listen(&t.receiver, addr, DT_UDP);
    wire_run(h);
    assert_int_equal(t.receiver.datagrams, 2 * t.rounds);
    assert_true(t.sender.errors >= 2); /* the kernel limits the rate of ICMP */
    wire_node_clear(&t.sender);
    wire_node_clear(&t.receiver);
}

static void udp_refusal_v4(void **state)
{
    (void)state;
    run_refusal("127.0.0.1:0");
}

static void udp_refusal_v6(void **state)
{
    (void)state;
    if (wire_has_v6())
        run_refusal("[::1]:0");
}

/* ---- listening that fails ---- */

static void fails_input(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    (void)now;
    if (in->kind == DT_IN_LISTENING && n->listening++ == 0) {
        struct dt_output again = {.kind = DT_OUT_LISTEN, .local = in->local};
        n->local = in->local;
        assert_int_equal(dt_outbox_put(&n->out, &again), DT_OK);
        wire_listen(n, "192.0.2.1:0", in->local.transport); /* TEST-NET-1: nobody has it */
    }
    if (in->kind != DT_IN_SOCKET_ERROR)
        return;
    bool first = n->errors++ == 0;
    struct dt_addr nowhere = wire_addr("192.0.2.1:0", in->local.transport);
    assert_int_equal(in->err, first ? DT_E_INUSE : DT_E_ADDRESS);
    assert_true(dt_addr_eq(&in->local, first ? &n->local : &nowhere));
    assert_int_equal(in->remote.family, 0);
    if (!first)
        dt_host_stop(n->host);
}

static void run_listen_fails(enum dt_transport transport)
{
    struct wire_node n;
    struct dt_host *h = wire_host(NULL);
    wire_node_init(&n, h, fails_input, NULL);
    wire_listen(&n, "127.0.0.1:0", transport);
    wire_run(h);
    assert_int_equal(n.errors, 2);
    wire_node_clear(&n);
}

static void udp_port_in_use_and_foreign_address(void **state)
{
    (void)state;
    run_listen_fails(DT_UDP);
}

static void tcp_port_in_use_and_foreign_address(void **state)
{
    (void)state;
    run_listen_fails(DT_TCP);
}

/* ---- too big, wrong socket, unlisten ---- */

static void misuse_input(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    static char big[65536];
    (void)now;
    if (in->kind == DT_IN_LISTENING && n->listening++ == 0) {
        memset(big, 'x', sizeof big - 1);
        n->local = in->local;
        struct dt_addr other = in->local;
        other.port = (uint16_t)(other.port ^ 1);
        wire_send(n, &n->local, &n->local, big); /* over what UDP carries */
        wire_send(n, &other, &n->local, "from a socket that is not ours");
        wire_send(n, &n->local, &n->local, "last");
    } else if (in->kind == DT_IN_SOCKET_ERROR) {
        static const int want[2] = {DT_E_ADDRESS, DT_E_LIMIT};
        assert_true(n->errors < 2);
        assert_int_equal(in->err, want[n->errors++]);
        assert_true(dt_addr_eq(&in->remote, &n->local));
    } else if (in->kind == DT_IN_DATAGRAM) {
        kit_assert_str(in->data, "last");
        struct dt_output close = {.kind = DT_OUT_UNLISTEN, .local = n->local};
        struct dt_output open = {.kind = DT_OUT_LISTEN, .local = n->local};
        wire_send(n, &n->local, &n->local, "lost with its socket");
        assert_int_equal(dt_outbox_put(&n->out, &close), DT_OK);
        assert_int_equal(dt_outbox_put(&n->out, &open), DT_OK); /* free again at once */
    } else if (in->kind == DT_IN_LISTENING) {
        assert_true(dt_addr_eq(&in->local, &n->local));
        dt_host_stop(n->host);
    }
}

static void udp_misuse_is_told(void **state)
{
    struct wire_node n;
    struct dt_host *h = wire_host(NULL);
    (void)state;
    wire_node_init(&n, h, misuse_input, NULL);
    wire_listen(&n, "127.0.0.1:0", DT_UDP);
    wire_run(h);
    assert_int_equal(n.errors, 2);
    wire_node_clear(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_echo_in_batches_v4),
        cmocka_unit_test(udp_echo_in_batches_v6),
        cmocka_unit_test(udp_wildcard_answers_from_the_address_asked),
        cmocka_unit_test(udp_refusal_v4),
        cmocka_unit_test(udp_refusal_v6),
        cmocka_unit_test(udp_port_in_use_and_foreign_address),
        cmocka_unit_test(tcp_port_in_use_and_foreign_address),
        cmocka_unit_test(udp_misuse_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
