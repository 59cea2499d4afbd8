/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nodes of the simulator: deadlines, sockets, and what happens to them: black hole, kill, silence,
 * hanging, restart; name servers. */
#include "sim_kit.h"

static void test_deadlines(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    a->deadline = b->deadline = 30 * DT_MS;
    wire_kick(b);
    wire_kick(a);
    wire_run(29);
    wire_expect("");
    wire_run(1);
    wire_expect("30 b tick|30 a tick|"); /* in the order of arming */
    a->deadline = 10 * DT_MS;            /* in the past: at once */
    wire_kick(a);
    wire_expect("30 a tick|");
    a->deadline = 50 * DT_MS;
    wire_kick(a);
    a->deadline = 60 * DT_MS; /* another time: the old one is forgotten */
    wire_kick(a);
    wire_run(100);
    wire_expect("60 a tick|");
    assert_int_equal(dt_sim_now(wire.sim), 130 * DT_MS);
    assert_false(dt_sim_step(wire.sim, DT_TIME_NEVER)); /* nothing will ever happen */
    wire_close();
}

static bool has_ticked(void *ctx)
{
    return ((struct wire_node *)ctx)->ticks > 0;
}

static void test_until(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    a->deadline = 40 * DT_MS;
    wire_kick(a);
    assert_false(dt_sim_until(wire.sim, has_ticked, a, 39 * DT_MS));
    assert_int_equal(dt_sim_now(wire.sim), 39 * DT_MS);
    assert_true(dt_sim_until(wire.sim, has_ticked, a, 100 * DT_MS));
    assert_int_equal(dt_sim_now(wire.sim), 40 * DT_MS);
    wire_close();
}

static void test_sockets(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    struct dt_output o = {.kind = DT_OUT_LISTEN, .local = b->addr};
    wire_put(a, o, NULL); /* b's */
    wire_expect("0 a error (address in use)|");
    o.kind = DT_OUT_UNLISTEN;
    wire_put(a, o, NULL); /* not a's to close */
    wire_send(a, b, "still there");
    wire_run(1);
    wire_expect("1 b datagram a still there|");
    wire_put(b, o, NULL);
    wire_send(a, b, "closed now");
    wire_run(10);
    wire_expect("3 a error b (refused by the other side)|");
    o = (struct dt_output){.kind = DT_OUT_LISTEN, .local = wire_addr(2, DT_UDP)};
    o.local.port = 0;
    memset(o.local.ip, 0, sizeof o.local.ip); /* any address, any port */
    wire_put(b, o, NULL);
    wire_expect("11 b listening|");
    o = (struct dt_output){
        .kind = DT_OUT_DATAGRAM, .local = a->addr, .remote = wire_addr(77, DT_UDP)};
    o.remote.port = 40000;
    wire_put(a, o, "to the wildcard");
    wire_run(1);
    wire_expect("12 b datagram a to the wildcard|");
    wire_close();
}

/* What a sender hears when the other one was killed, is a black hole, was killed in silence. */
static void test_dead(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    wire_send(a, b, "under way");
    dt_sim_kill(wire.sim, b->node);
    assert_false(dt_sim_is_up(b->node));
    wire_run(10);
    wire_expect("2 a error b (refused by the other side)|");
    dt_sim_silent(b->node, true);
    wire_send(a, b, "into silence");
    wire_run(10);
    wire_expect("");
    dt_sim_command(wire.sim, b->node, DT_CHANNEL_USER, DT_STR("nobody reads this"));
    wire_listen(b, DT_UDP); /* b lives again, with one socket */
    dt_sim_restart(wire.sim, b->node, b);
    assert_true(dt_sim_is_up(b->node));
    wire_send(a, b, "hello");
    wire_run(10);
    wire_expect("20 b listening|21 b datagram a hello|");
    assert_int_equal(wire.fates[DT_SIM_UNHEARD], 2);
    wire_close();
}

static void test_blackhole(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    dt_sim_blackhole(b->node, true);
    wire_send(a, b, "in");
    wire_send(b, a, "out");
    wire_run(10);
    wire_expect("");
    assert_int_equal(wire.fates[DT_SIM_UNHEARD], 2);
    dt_sim_blackhole(b->node, false);
    wire_send(a, b, "in");
    wire_send(b, a, "out");
    wire_run(10);
    wire_expect("11 b datagram a in|11 a datagram b out|");
    wire_close();
}

/* An error comes back by the same way as everything: not to a black hole, not through a cut. */
static void test_errors_get_lost_too(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    dt_sim_kill(wire.sim, b->node);
    dt_sim_link(wire.sim, b->node, a->node)->cut = true;
    wire_send(a, b, "x");
    wire_run(10);
    wire_expect("");
    dt_sim_link(wire.sim, b->node, a->node)->cut = false;
    wire_send(a, b, "y");
    wire_run(1);
    dt_sim_blackhole(a->node, true);
    wire_run(10);
    wire_expect("12 a error b (refused by the other side)|"); /* it was on its way */
    wire_close();
}

static void test_hang(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    b->deadline = 100 * DT_MS;
    wire_kick(b);
    dt_sim_hang(wire.sim, b->node);
    assert_false(dt_sim_is_up(b->node));
    wire_send(a, b, "1");
    wire_run(1000);
    wire_send(a, b, "2");
    dt_sim_command(wire.sim, b->node, DT_CHANNEL_USER, DT_STR("typed"));
    wire_run(1000);
    wire_expect("");
    dt_sim_wake(wire.sim, b->node);
    dt_sim_wake(wire.sim, b->node); /* it is awake: nothing */
    wire_run(0);
    wire_expect("2000 b datagram a age 1999 1|2000 b command typed|2000 b datagram a age 999 2|"
                "2000 b tick|");
    wire_close();
}

/* R10: after more than 4 s the node is told, and what is older is not read. */
static void test_long_hang(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    dt_sim_hang(wire.sim, b->node);
    wire_send(a, b, "old");
    wire_run(3000);
    wire_send(a, b, "new");
    wire_run(2000);
    dt_sim_wake(wire.sim, b->node);
    wire_run(0);
    wire_expect("5000 b woke age 5000|5000 b datagram a age 1999 new|");
    assert_int_equal(wire.fates[DT_SIM_UNHEARD], 1);
    wire_close();
}

/* A host that is not ours tells of no stop, and its sockets forget nothing. */
static void test_plain_hang(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    dt_sim_plain(b->node, true);
    dt_sim_hang(wire.sim, b->node);
    wire_send(a, b, "old");
    wire_run(5000);
    dt_sim_wake(wire.sim, b->node);
    wire_run(0);
    wire_expect("5000 b datagram a age 4999 old|");
    assert_int_equal(wire.fates[DT_SIM_UNHEARD], 0);
    wire_close();
}

/* The address of a killed node, and of one that lives: which then is heard by nobody. */
static void test_move(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        wire_pair(&a, &b, 1);
        struct wire_node *c = wire_add("c");
        wire_run(0);
        wire_expect("0 c listening|0 c listening|");
        if (killed)
            dt_sim_kill(wire.sim, b->node);
        dt_sim_move(b->node, c->node);
        wire_send(a, b, "to b");
        wire_run(1);
        wire_expect("1 c datagram a to b|");
        struct dt_output o = {.kind = DT_OUT_DATAGRAM, .local = b->addr, .remote = a->addr};
        wire_put(c, o, "as b");
        if (!killed)
            wire_send(b, a, "b has no address");
        wire_run(1);
        wire_expect("2 a datagram b as b|");
        wire_close();
    }
}

static void test_full_sockets(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    wire.quiet = true;
    b->inputs = 0;
    dt_sim_hang(wire.sim, b->node);
    for (int i = 0; i < 300; i++)
        wire_send(a, b, "x");
    wire_run(100);
    assert_int_equal(b->inputs, 0);
    assert_int_equal(wire.fates[DT_SIM_UNHEARD], 300 - 256);
    dt_sim_wake(wire.sim, b->node);
    wire_run(0);
    assert_int_equal(b->inputs, 256);
    dt_sim_hang(wire.sim, b->node);
    wire_send(a, b, "x");
    wire_run(10);
    dt_sim_kill(wire.sim, b->node); /* what lay there is gone */
    wire_run(100);
    assert_int_equal(b->inputs, 256);
    assert_int_equal(dt_sim_pending(wire.sim), 0);
    wire_close();
}

/* An answer on its way to the life before is not given to the new one. */
static void test_answers_of_another_life(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    wire_put(a, (struct dt_output){.kind = DT_OUT_RESOLVE, .dns_id = 1, .dns_type = DT_DNS_A},
             NULL);
    dt_sim_kill(wire.sim, a->node);
    dt_sim_restart(wire.sim, a->node, a);
    wire_run(10000);
    wire_expect("");
    wire_close();
}

static void resolve(struct wire_node *w, uint32_t id, enum dt_dns_type type, const char *name)
{
    dt_outbox_resolve(&w->out, id, type, dt_str_z(name));
    wire_kick(w);
}

static void test_dns(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    const struct dt_dns_record srv = {
        .type = DT_DNS_SRV, .port = 5060, .target = DT_STR("p1.example.com")};
    struct dt_dns_record second = srv;
    second.target = DT_STR("p2.example.com");
    second.port = 5070;
    assert_int_equal(dt_sim_dns_add(wire.sim, DT_STR("_sip._udp.example.com"), &srv), DT_OK);
    assert_int_equal(dt_sim_dns_add(wire.sim, DT_STR("_sip._udp.example.com"), &second), DT_OK);
    resolve(a, 1, DT_DNS_SRV, "_SIP._udp.Example.com");
    resolve(a, 2, DT_DNS_A, "_sip._udp.example.com");
    resolve(a, 3, DT_DNS_A, "nobody.example.com");
    wire_run(2);
    wire_expect("2 a dns 1 found 2 p1.example.com:5060 p2.example.com:5070|"
                "2 a dns 2 no data 0|2 a dns 3 no name 0|");
    dt_sim_dns_fail(wire.sim, true);
    resolve(a, 4, DT_DNS_SRV, "_sip._udp.example.com");
    wire_run(10000);
    wire_expect("5002 a dns 4 failed 0|");
    dt_sim_dns_fail(wire.sim, false);
    resolve(a, 5, DT_DNS_SRV, "_sip._udp.example.com");
    wire_run(10);
    wire_expect("10004 a dns 5 found 2 p1.example.com:5060 p2.example.com:5070|");
    wire_close();
}

/* A phone and its media engine. */
static void test_joined(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    dt_sim_join_media(a->node, b->node);
    dt_outbox_event(&a->out, DT_EV_MEDIA, 1, "start");
    dt_outbox_event(&a->out, DT_EV_SCREEN, 1, "not for the engine");
    wire_kick(a);
    dt_outbox_event(&b->out, DT_EV_MEDIA, 1, "started");
    wire_kick(b);
    wire_run(0);
    wire_expect("0 b command start|0 a command started|");
    wire_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines),    cmocka_unit_test(test_until),
        cmocka_unit_test(test_sockets),      cmocka_unit_test(test_dead),
        cmocka_unit_test(test_blackhole),    cmocka_unit_test(test_errors_get_lost_too),
        cmocka_unit_test(test_hang),         cmocka_unit_test(test_long_hang),
        cmocka_unit_test(test_plain_hang),   cmocka_unit_test(test_move),
        cmocka_unit_test(test_full_sockets), cmocka_unit_test(test_answers_of_another_life),
        cmocka_unit_test(test_dns),          cmocka_unit_test(test_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
