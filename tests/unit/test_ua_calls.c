/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls between user agents over a faultless network: each flow message by message. */
#include "ua_kit.h"

#include <string.h>

static struct net net;

struct pair {
    struct net_party *a, *b;
};

/* A and B, who rings at once. */
static struct pair open_pair(const struct dt_ua_config *cfg)
{
    struct pair w;

    net_init(&net);
    w.a = net_ua(&net, "A", cfg);
    w.b = net_ua(&net, "B", cfg);
    w.b->ring_after = 0;
    return w;
}

/* They talk, at 1 s. */
static struct pair open_talking(const struct dt_ua_config *cfg)
{
    struct pair w = open_pair(cfg);

    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 1000);
    net_answer(&net, w.b);
    net_settle(&net);
    assert_int_equal(w.a->state, DT_CALL_TALKING);
    net_hush(&net);
    return w;
}

static void close_pair(void)
{
    net_quiet_end(&net);
    net_free(&net);
}

static void plain(void **state)
{
    struct pair w = open_pair(NULL);

    (void)state;
    assert_int_equal(net_dial(&net, w.a, w.b, NULL, NULL), DT_OK);
    net_until(&net, 1000);
    net_answer(&net, w.b);
    net_until(&net, 3000);
    net_hangup(&net, w.a);
    net_until(&net, 4000);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "0 B is called as bob\n"
                   "0 B is ringing\n"
                   "0 B > A 180 INVITE\n"
                   "0 A is ringing\n"
                   "1000 B is talking\n"
                   "1000 B hears sendrecv\n"
                   "1000 B > A 200 INVITE\n"
                   "1000 A is talking\n"
                   "1000 A hears sendrecv\n"
                   "1000 A > B ACK 1\n"
                   "3000 A is ending\n"
                   "3000 A hears nothing\n"
                   "3000 A > B BYE 2\n"
                   "3000 B hears nothing\n"
                   "3000 B ended 0 by peer\n"
                   "3000 B > A 200 BYE\n"
                   "3000 A ended 0\n");
    close_pair();
}

static void callee_hangs_up(void **state)
{
    struct pair w = open_talking(NULL);

    (void)state;
    net_hangup(&net, w.b);
    net_until(&net, 2000);
    net_flow(&net, "1000 B is ending\n"
                   "1000 B hears nothing\n"
                   "1000 B > A BYE 1\n"
                   "1000 A hears nothing\n"
                   "1000 A ended 0 by peer\n"
                   "1000 A > B 200 BYE\n"
                   "1000 B ended 0\n");
    close_pair();
}

/* Both at once: each BYE is answered, each side ends once. */
static void both_hang_up(void **state)
{
    struct pair w = open_talking(NULL);

    (void)state;
    net.delay = 20 * DT_MS;
    net_hangup(&net, w.b);
    net_hangup(&net, w.a);
    net_until(&net, 2000);
    net_flow(&net, "1000 B is ending\n"
                   "1000 B hears nothing\n"
                   "1000 B > A BYE 1\n"
                   "1000 A is ending\n"
                   "1000 A hears nothing\n"
                   "1000 A > B BYE 2\n"
                   "1020 A > B 200 BYE\n"
                   "1020 B > A 200 BYE\n"
                   "1040 B ended 0\n"
                   "1040 A ended 0\n");
    close_pair();
}

static void busy(void **state)
{
    struct pair w = open_pair(NULL);

    (void)state;
    w.b->ring_after = -1;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 100);
    net_reject(&net, w.b, 486);
    net_until(&net, 1000);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "0 B is called as bob\n"
                   "100 B ended 486\n"
                   "100 B > A 486 INVITE\n"
                   "100 A ended 486 by peer\n"
                   "100 A > B ACK 1\n");
    close_pair();
}

/* I10: nobody answers the INVITE, so it gets 100 after 200 ms. */
static void slow_user(void **state)
{
    struct pair w = open_pair(NULL);

    (void)state;
    w.b->ring_after = 300 * DT_MS;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 400);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "0 B is called as bob\n"
                   "200 B > A 100 INVITE\n"
                   "300 B is ringing\n"
                   "300 B > A 180 INVITE\n"
                   "300 A is ringing\n");
    net_hangup(&net, w.b);
    close_pair();
}

static void caller_gives_up(void **state)
{
    struct pair w = open_pair(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 5000);
    net_hangup(&net, w.a);
    net_until(&net, 6000);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "0 B is called as bob\n"
                   "0 B is ringing\n"
                   "0 B > A 180 INVITE\n"
                   "0 A is ringing\n"
                   "5000 A is ending\n"
                   "5000 A > B CANCEL 1\n"
                   "5000 B ended 487 by peer\n"
                   "5000 B > A 200 CANCEL\n"
                   "5000 B > A 487 INVITE\n"
                   "5000 A ended 487\n"
                   "5000 A > B ACK 1\n");
    close_pair();
}

/* Guide 8.0: the called phone does not ring for ever. */
static void expires(void **state)
{
    struct dt_ua_config cfg = {.invite_expires = 20 * DT_SECOND};
    struct pair w = open_pair(&cfg);

    (void)state;
    net.delay = 1 * DT_MS;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 60000);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "1 B is called as bob\n"
                   "1 B is ringing\n"
                   "1 B > A 180 INVITE\n"
                   "2 A is ringing\n"
                   "20000 A is ending\n"
                   "20000 A > B CANCEL 1\n"
                   "20001 B ended 487 by peer\n"
                   "20001 B > A 200 CANCEL\n"
                   "20001 B > A 487 INVITE\n"
                   "20002 A ended 487: no answer in time\n"
                   "20002 A > B ACK 1\n");
    close_pair();
}

/* The 200 and the CANCEL cross: ACK, BYE (behaviour.md 3.5). */
static void cancel_crosses_answer(void **state)
{
    struct pair w = open_pair(NULL);

    (void)state;
    net.delay = 20 * DT_MS;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 1000);
    net_answer(&net, w.b);
    net_hangup(&net, w.a);
    net_until(&net, 2000);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "20 B is called as bob\n"
                   "20 B is ringing\n"
                   "20 B > A 180 INVITE\n"
                   "40 A is ringing\n"
                   "1000 B is talking\n"
                   "1000 B hears sendrecv\n"
                   "1000 B > A 200 INVITE\n"
                   "1000 A is ending\n"
                   "1000 A > B CANCEL 1\n"
                   "1020 A ended 0\n"
                   "1020 A > B ACK 1\n"
                   "1020 A > B BYE 2\n"
                   "1020 B > A 200 CANCEL\n"
                   "1040 B hears nothing\n"
                   "1040 B ended 0 by peer\n"
                   "1040 B > A 200 BYE\n");
    close_pair();
}

/* Hung up between the 200 and its ACK: the callee waits for the ACK (RFC 3261 15). */
static void callee_hangs_up_before_ack(void **state)
{
    struct pair w = open_pair(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 1000);
    net.delay = 20 * DT_MS;
    net_answer(&net, w.b);
    net_hangup(&net, w.b);
    net_until(&net, 2000);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "0 B is called as bob\n"
                   "0 B is ringing\n"
                   "0 B > A 180 INVITE\n"
                   "0 A is ringing\n"
                   "1000 B is talking\n"
                   "1000 B hears sendrecv\n"
                   "1000 B > A 200 INVITE\n"
                   "1000 B is ending\n"
                   "1000 B hears nothing\n"
                   "1020 A is talking\n"
                   "1020 A hears sendrecv\n"
                   "1020 A > B ACK 1\n"
                   "1040 B > A BYE 1\n"
                   "1060 A hears nothing\n"
                   "1060 A ended 0 by peer\n"
                   "1060 A > B 200 BYE\n"
                   "1080 B ended 0\n");
    close_pair();
}

/* The ACK is lost: the 200 comes again and is acknowledged again (13.3.1.4). */
static void lost_ack(void **state)
{
    struct pair w = open_pair(NULL);

    (void)state;
    net.lose = 1 << 3;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 1000);
    net_answer(&net, w.b);
    net_until(&net, 3000);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "0 B is called as bob\n"
                   "0 B is ringing\n"
                   "0 B > A 180 INVITE\n"
                   "0 A is ringing\n"
                   "1000 B is talking\n"
                   "1000 B hears sendrecv\n"
                   "1000 B > A 200 INVITE\n"
                   "1000 A is talking\n"
                   "1000 A hears sendrecv\n"
                   "1000 A > B ACK 1 lost\n"
                   "1500 B > A 200 INVITE\n"
                   "1500 A > B ACK 1\n");
    net_hangup(&net, w.a);
    close_pair();
}

/* No ACK ever: 64 T1, then BYE. */
static void no_ack(void **state)
{
    struct pair w = open_pair(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 1000);
    w.a->dead = true;
    net_answer(&net, w.b);
    net_until(&net, 32999);
    assert_int_equal(w.b->state, DT_CALL_TALKING);
    net_flow(&net, "0 A > B INVITE 1\n"
                   "0 B is called as bob\n"
                   "0 B is ringing\n"
                   "0 B > A 180 INVITE\n"
                   "0 A is ringing\n"
                   "1000 B is talking\n"
                   "1000 B hears sendrecv\n"
                   "1000 B > A 200 INVITE\n"
                   "1500 B > A 200 INVITE\n"
                   "2500 B > A 200 INVITE\n"
                   "4500 B > A 200 INVITE\n"
                   "8500 B > A 200 INVITE\n"
                   "12500 B > A 200 INVITE\n"
                   "16500 B > A 200 INVITE\n"
                   "20500 B > A 200 INVITE\n"
                   "24500 B > A 200 INVITE\n"
                   "28500 B > A 200 INVITE\n"
                   "32500 B > A 200 INVITE\n");
    net_until(&net, 33001);
    net_flow(&net, "33000 B is ending\n"
                   "33000 B hears nothing\n"
                   "33000 B > A BYE 1\n");
    net_until(&net, 70000);
    assert_int_equal(w.b->end.err, DT_E_TIMEOUT);
    assert_int_equal(w.a->ends, 0);
    net_hangup(&net, w.a);
    w.a->dead = false;
    close_pair();
}

static void hold_and_resume(void **state)
{
    struct dt_ua_config cfg = {.hold = DT_HOLD_RFC2543};
    struct pair w = open_talking(&cfg);
    struct dt_call_view view;

    (void)state;
    net_hold(&net, w.b, true);
    net_until(&net, 2000);
    net_flow(&net, "1000 B > A INVITE 1\n"
                   "1000 A hears recvonly held\n"
                   "1000 A > B 200 INVITE\n"
                   "1000 B hears sendonly\n"
                   "1000 B > A ACK 1\n");
    assert_int_equal(dt_ua_view(w.b->ua, w.b->call, &view), DT_OK);
    assert_true(view.local_hold && !view.remote_hold);
    assert_int_equal(dt_ua_view(w.a->ua, w.a->call, &view), DT_OK);
    assert_true(!view.local_hold && view.remote_hold);
    net_hold(&net, w.b, false);
    net_until(&net, 3000);
    net_flow(&net, "2000 B > A INVITE 2\n"
                   "2000 A hears sendrecv\n"
                   "2000 A > B 200 INVITE\n"
                   "2000 B hears sendrecv\n"
                   "2000 B > A ACK 2\n");
    net_hangup(&net, w.a);
    close_pair();
}

/* Resume is wanted before the hold is answered: it follows by itself. */
static void hold_changed_mind(void **state)
{
    struct pair w = open_talking(NULL);

    (void)state;
    net.delay = 20 * DT_MS;
    net_hold(&net, w.a, true);
    net_hold(&net, w.a, false);
    net_until(&net, 2000);
    net_flow(&net, "1000 A > B INVITE 2\n"
                   "1020 B hears recvonly held\n"
                   "1020 B > A 200 INVITE\n"
                   "1040 A hears sendonly\n"
                   "1040 A > B ACK 2\n"
                   "1040 A > B INVITE 3\n"
                   "1060 B hears sendrecv\n"
                   "1060 B > A 200 INVITE\n"
                   "1080 A hears sendrecv\n"
                   "1080 A > B ACK 3\n");
    net_hangup(&net, w.b);
    close_pair();
}

/* I15: both hold at once, 491 both ways, then each in its window: who was called first (14.1). */
static void glare(void **state)
{
    struct pair w = open_talking(NULL);

    (void)state;
    net.delay = 20 * DT_MS;
    net_hold(&net, w.a, true);
    net_hold(&net, w.b, true);
    net_until(&net, 9000);
    net_flow(&net, "1000 A > B INVITE 2\n"
                   "1000 B > A INVITE 1\n"
                   "1020 B > A 491 INVITE\n"
                   "1020 A > B 491 INVITE\n"
                   "1040 A > B ACK 2\n"
                   "1040 B > A ACK 1\n"
                   "1730 B > A INVITE 2\n"
                   "1750 A hears recvonly held\n"
                   "1750 A > B 200 INVITE\n"
                   "1770 B hears sendonly\n"
                   "1770 B > A ACK 2\n"
                   "4270 A > B INVITE 3\n"
                   "4290 B hears inactive held\n"
                   "4290 B > A 200 INVITE\n"
                   "4310 A hears inactive held\n"
                   "4310 A > B ACK 3\n");
    net_hangup(&net, w.a);
    close_pair();
}

/* R27: nobody answers the re-INVITE; the call stays, and can be hung up. */
static void hold_unanswered(void **state)
{
    struct pair w = open_talking(NULL);
    struct dt_call_view view;

    (void)state;
    net.quiet = true;
    w.b->dead = true;
    net_hold(&net, w.a, true);
    net_until(&net, 40000);
    assert_int_equal(w.a->state, DT_CALL_TALKING);
    assert_int_equal(dt_ua_view(w.a->ua, w.a->call, &view), DT_OK);
    assert_false(view.local_hold);
    w.b->dead = false;
    net.quiet = false;
    net_hold(&net, w.a, true);
    net_until(&net, 41000);
    net_flow(&net, "40000 A > B INVITE 3\n"
                   "40000 B hears recvonly held\n"
                   "40000 B > A 200 INVITE\n"
                   "40000 A hears sendonly\n"
                   "40000 A > B ACK 3\n");
    net_hangup(&net, w.a);
    close_pair();
}

/* Hung up while the re-INVITE is under way. */
static void hangup_during_hold(void **state)
{
    struct pair w = open_talking(NULL);

    (void)state;
    net.delay = 20 * DT_MS;
    net_hold(&net, w.a, true);
    net_hangup(&net, w.a);
    net_until(&net, 3000);
    net_flow(&net, "1000 A > B INVITE 2\n"
                   "1000 A is ending\n"
                   "1000 A hears nothing\n"
                   "1000 A > B BYE 3\n"
                   "1020 B hears recvonly held\n"
                   "1020 B > A 200 INVITE\n"
                   "1020 B hears nothing\n"
                   "1020 B ended 0 by peer\n"
                   "1020 B > A 200 BYE\n"
                   "1040 A > B ACK 2\n"
                   "1040 A ended 0\n");
    close_pair();
}

/* I37: at the bound the new one is refused, the old one lives. */
static void limit(void **state)
{
    struct dt_ua_config cfg = {.max_calls = 1};
    struct pair w = open_pair(&cfg);
    struct net_party *c = net_ua(&net, "C", NULL);
    dt_call_id first;

    (void)state;
    net_dial(&net, w.a, w.b, NULL, NULL);
    net_until(&net, 100);
    net_hush(&net);
    net_dial(&net, c, w.b, NULL, NULL);
    net_flow(&net, "100 C > B INVITE 1\n"
                   "100 B > C 486 INVITE\n"
                   "100 C ended 486 by peer\n"
                   "100 C > B ACK 1\n");
    first = w.a->call;
    assert_int_equal(net_dial(&net, w.a, c, NULL, NULL), DT_E_LIMIT);
    w.a->call = first;
    net_answer(&net, w.b);
    net_settle(&net);
    assert_int_equal(w.a->state, DT_CALL_TALKING);
    net_hangup(&net, w.a);
    close_pair();
}

/* 18.1.1: too large for a datagram, so TCP; refused there, so UDP all the same. */
static void large(void **state)
{
    struct dt_ua_config cfg = {.tcp = true};
    struct pair w = open_pair(&cfg);
    struct dt_outgoing o;
    char target[1200];

    (void)state;
    memset(target, 'x', sizeof(target));
    memcpy(target, "sip:", 4);
    memcpy(target + sizeof(target) - 11, "@192.0.2.2", 11);
    net_outgoing(&o, w.a, target, NULL, NULL);
    net_call(&net, w.a, &o);
    assert_int_equal(w.b->rings, 1);
    assert_non_null(strstr(net.log, "0 A connects\n0 A > B INVITE 1\n"));
    net_hangup(&net, w.a);
    close_pair();
}

static void stale_ids(void **state)
{
    struct pair w = open_pair(NULL);
    struct dt_call_view view;
    dt_call_id id;

    (void)state;
    net_dial(&net, w.a, w.b, NULL, NULL);
    id = w.a->call;
    net_hangup(&net, w.a);
    net_until(&net, 1000);
    assert_int_equal(dt_ua_hangup(w.a->ua, net.now, id), DT_E_STALE);
    assert_int_equal(dt_ua_hold(w.a->ua, net.now, id, true), DT_E_STALE);
    assert_int_equal(dt_ua_ring(w.a->ua, net.now, id), DT_E_STALE);
    assert_int_equal(dt_ua_view(w.a->ua, id, &view), DT_E_STALE);
    assert_int_equal(dt_ua_unregister(w.a->ua, net.now, id), DT_E_STALE);
    assert_int_equal(dt_ua_view(w.a->ua, 0, &view), DT_E_STALE);
    close_pair();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(callee_hangs_up),
        cmocka_unit_test(both_hang_up),
        cmocka_unit_test(busy),
        cmocka_unit_test(slow_user),
        cmocka_unit_test(caller_gives_up),
        cmocka_unit_test(expires),
        cmocka_unit_test(cancel_crosses_answer),
        cmocka_unit_test(callee_hangs_up_before_ack),
        cmocka_unit_test(lost_ack),
        cmocka_unit_test(no_ack),
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(hold_changed_mind),
        cmocka_unit_test(glare),
        cmocka_unit_test(hold_unanswered),
        cmocka_unit_test(hangup_during_hold),
        cmocka_unit_test(limit),
        cmocka_unit_test(large),
        cmocka_unit_test(stale_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
