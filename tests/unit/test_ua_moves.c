/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The calling half of the other path once the call stands, and over TCP (design.md 5: R22, R27). */
#include "ua_twins.h"

/* ---- the call stands ---- */

static void talk(struct world *w)
{
    say_plan(w->p, 100, 180, 200);
    say_plan(w->t, 100, 180, 200);
    dial(w);
    net_until(&net, 1100);
    assert_int_equal(w->a->state, DT_CALL_TALKING);
    net_hush(&net);
}

/* The ACK may have died with the node: again by the twin, if within 64 T1. */
static void ack_lost(void **state)
{
    static const struct {
        int64_t dies_at;
        unsigned acks;
    } rows[] = {{1100, 1}, {8000, 1}, {31000, 0}, {60000, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct world w = open_world(NULL);
        talk(&w);
        net_until(&net, rows[i].dies_at);
        w.p->dead = true;
        net_until(&net, rows[i].dies_at + 45000);
        assert_int_equal(strstr(net.log, "A > T ACK 1\n") != NULL, rows[i].acks);
        assert_int_equal(strchr(net.log, '\n') == NULL, rows[i].acks == 0);
        assert_int_equal(w.a->state, DT_CALL_TALKING); /* R27 */
        net_hush(&net);
        close_world(&w);
    }
}

/* BYE: T1, then the twin; to the twin alone when the death is known. */
static void bye(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    talk(&w);
    w.p->dead = true;
    net_hangup(&net, w.a);
    net_until(&net, 5000);
    net_flow(&net, "1100 A is ending\n"
                   "1100 A hears nothing\n"
                   "1100 A > P BYE 2\n"
                   "1600 A > P BYE 2\n"
                   "1600 A > T BYE 2\n"
                   "1600 T > A 200 BYE\n"
                   "1600 A ended 0\n"
                   "2350 A > T CANCEL 1\n" /* to other phones that P may not have reached */
                   "2350 T > A 200 CANCEL\n");
    close_world(&w);

    w = open_world(NULL);
    talk(&w);
    w.p->dead = true;
    net_until(&net, 60000);
    net_hush(&net);
    net_hangup(&net, w.a);
    net_until(&net, 61000);
    net_flow(&net, "60000 A is ending\n"
                   "60000 A hears nothing\n"
                   "60000 A > T BYE 2\n"
                   "60000 T > A 200 BYE\n"
                   "60000 A ended 0\n");
    close_world(&w);
}

/* The same for a re-INVITE. */
static void hold(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    talk(&w);
    w.p->dead = true;
    net_hold(&net, w.a, true);
    net_until(&net, 5000);
    net_flow(&net, "1100 A > P INVITE 2\n"
                   "1600 A > P INVITE 2\n"
                   "1600 A > T INVITE 2\n"
                   "1600 T > A 100 INVITE\n"
                   "1600 T > A 180 INVITE\n"
                   "1600 T > A 200 INVITE\n"
                   "1600 A hears sendonly\n"
                   "1600 A > T ACK 2\n"
                   "2350 A > T CANCEL 1\n" /* to other phones that P may not have reached */
                   "2350 A > T ACK 1\n"    /* of the first INVITE, whose proxy is dead */
                   "2350 T > A 200 CANCEL\n"
                   "2350 T > A 487 INVITE\n"
                   "2850 A > T ACK 1\n"
                   "3350 A > T ACK 1\n");
    close_world(&w);
}

/* ---- TCP ---- */

static void dial_tcp(struct world *w)
{
    struct dt_outgoing o;

    net_outgoing(&o, w->a, "sip:bob@example.com", w->p, w->t);
    o.policy = DT_REACH_FAST;
    o.primary.transport_given = o.backup.transport_given = true;
    o.primary.transport = o.backup.transport = DT_TCP;
    assert_int_equal(net_call(&net, w->a, &o), DT_OK);
}

static struct world open_tcp(void)
{
    struct dt_ua_config cfg = {.tcp = true};
    struct world w = open_world(&cfg);

    w.p->tcp = w.t->tcp = true;
    say_plan(w.p, 100, 180, 0);
    say_plan(w.t, 100, 180, 0);
    return w;
}

/* The connection ends while it rings. */
static void tcp_closed(void **state)
{
    struct world w = open_tcp();

    (void)state;
    dial_tcp(&w);
    net_until(&net, 1200);
    w.p->tcp = false;
    w.p->refuses = true;
    net_reset(&net, w.p);
    net_until(&net, 9000);
    net_flow(&net, "1000 A connects\n"
                   "1000 A > P INVITE 1 tcp\n"
                   "1000 P > A 100 INVITE tcp\n"
                   "1000 P > A 180 INVITE tcp\n"
                   "1000 A is ringing\n"
                   "2250 A words on\n"
                   "2250 A connects\n"
                   "2250 A > T INVITE 1 tcp\n"
                   "2250 T > A 100 INVITE tcp\n"
                   "2250 T > A 180 INVITE tcp\n"
                   "2250 A words off\n");
    w.p->refuses = false;
    close_world(&w);
}

static void tcp_refused(void **state)
{
    struct world w = open_tcp();

    (void)state;
    w.p->tcp = false;
    dial_tcp(&w);
    net_until(&net, 3000);
    net_flow(&net, "1000 A connects\n"
                   "1000 A words on\n"
                   "1000 A connects\n"
                   "1000 A > T INVITE 1 tcp\n"
                   "1000 T > A 100 INVITE tcp\n"
                   "1000 T > A 180 INVITE tcp\n"
                   "1000 A words off\n"
                   "1000 A is ringing\n");
    close_world(&w);
}

/* Over TCP nothing is repeated; T1 counts all the same. */
static void tcp_silent(void **state)
{
    struct world w = open_tcp();

    (void)state;
    w.p->dead = true;
    dial_tcp(&w);
    net_until(&net, 9000);
    net_flow(&net, "1000 A connects\n"
                   "1500 A connects\n"
                   "1500 A > T INVITE 1 tcp\n"
                   "1500 T > A 100 INVITE tcp\n"
                   "1500 T > A 180 INVITE tcp\n"
                   "1500 A words on\n"
                   "1500 A words off\n"
                   "1500 A is ringing\n");
    close_world(&w);
}

/* RFC 3261 18.1.1: too large for a datagram. The proxies are known by UDP, and are twins. */
static void large(void **state)
{
    struct world w = open_tcp();
    struct dt_outgoing o;
    char target[1300] = "sip:";

    (void)state;
    memset(target + 4, 'b', 1200);
    memcpy(target + 1204, "@example.com", sizeof("@example.com"));
    w.p->dead = true;
    net_outgoing(&o, w.a, target, w.p, w.t);
    o.policy = DT_REACH_FAST;
    assert_int_equal(net_call(&net, w.a, &o), DT_OK);
    net_until(&net, 9000);
    net_flow(&net, "1000 A connects\n"
                   "1500 A connects\n"
                   "1500 A > T INVITE 1 tcp\n"
                   "1500 T > A 100 INVITE tcp\n"
                   "1500 T > A 180 INVITE tcp\n"
                   "1500 A words on\n"
                   "1500 A words off\n"
                   "1500 A is ringing\n");
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ack_lost),   cmocka_unit_test(bye),         cmocka_unit_test(hold),
        cmocka_unit_test(tcp_closed), cmocka_unit_test(tcp_refused), cmocka_unit_test(tcp_silent),
        cmocka_unit_test(large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
