/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole phones in virtual time: calls between them, without a proxy. Each ladder stands with what
 * the screens show and what the media engines are told. */
#include "phone_net.h"

static struct net_party *a, *b, *c;

/* A 1001, B 1002 with more in its configuration, C 1003. */
static void three_phones(const char *more)
{
    char config[300];
    struct dt_writer w = dt_writer(config, sizeof config - 1);
    net_start(1);
    a = net_phone("A", "192.0.2.101", "line1_name: 1001\nrfc_2543_hold: 1\n");
    dt_writef(&w, "line1_name: 1002\nrfc_2543_hold: 1\n%s\n", more);
    config[w.n] = '\0';
    b = net_phone("B", "192.0.2.102", config);
    c = net_phone("C", "192.0.2.103", "line1_name: 1003\nline1_displayname: Carol\n");
    net_settle();
}

static const char dial_b[] = "dial sip:1002@192.0.2.102";

static void talk(void)
{
    net_type(a, dial_b);
    net_type(b, "answer");
    net_take();
}

/* guide: call-flows.md 2.4 */
static void test_simple_hold(void **state)
{
    (void)state;
    three_phones("");
    net_type(a, dial_b);
    net_expect("A -> B INVITE\n"
               "A call 1: calling 1002\n"
               "A screen: Calling 1002\n"
               "B call 1: ringing 1001\n"
               "B -> A 180 Ringing\n"
               "B screen: 1001 is calling\n"
               "A call 1: ringing 1002\n"
               "A screen: Ringing 1002\n");
    net_type(b, "answer");
    net_expect("B call 1: answering 1001\n"
               "B -> A 200 OK\n"
               "B call 1: talking 1001\n"
               "B media: start 1 192.0.2.102:16384 192.0.2.101:16384 PCMU/0 sendrecv\n"
               "B screen: Connected 1001\n"
               "A -> B ACK\n"
               "A call 1: talking 1002\n"
               "A media: start 1 192.0.2.101:16384 192.0.2.102:16384 PCMU/0 sendrecv\n"
               "A screen: Connected 1002\n");
    net_type(b, "hold");
    net_expect("B -> A INVITE\n"
               "A -> B 200 OK\n"
               "A media: start 1 192.0.2.101:16384 0.0.0.0:16384 PCMU/0 inactive\n"
               "A call 1: held 1002\n"
               "A screen: Held by 1002\n"
               "B -> A ACK\n"
               "B media: start 1 192.0.2.102:16384 192.0.2.101:16384 PCMU/0 inactive\n"
               "B call 1: holding 1001\n"
               "B screen: Holding 1001\n");
    net_type(b, "resume");
    net_expect("B -> A INVITE\n"
               "A -> B 200 OK\n"
               "A media: start 1 192.0.2.101:16384 192.0.2.102:16384 PCMU/0 sendrecv\n"
               "A call 1: talking 1002\n"
               "A screen: Connected 1002\n"
               "B -> A ACK\n"
               "B media: start 1 192.0.2.102:16384 192.0.2.101:16384 PCMU/0 sendrecv\n"
               "B call 1: talking 1001\n"
               "B screen: Connected 1001\n");
    net_type(a, "hangup");
    net_expect("A media: stop 1\n"
               "A call 1: ending 1002\n"
               "A -> B BYE\n"
               "A screen: 1001\n"
               "B -> A 200 OK (BYE)\n"
               "B media: stop 1\n"
               "B call 1: ended 1001\n"
               "B screen: 1002\n"
               "A call 1: ended 1002\n");
    net_end();
}

/* call-flows.md 2.6, steps 5 to 22: the first call is held before the second is answered. */
static void test_call_waiting(void **state)
{
    (void)state;
    three_phones("");
    talk();
    net_type(c, dial_b);
    net_expect("C -> B INVITE\n"
               "C call 1: calling 1002\n"
               "C screen: Calling 1002\n"
               "B call 2: ringing 1003\n"
               "B -> C 180 Ringing\n"
               "B screen: Carol (1003) is calling\n"
               "C call 1: ringing 1002\n"
               "C screen: Ringing 1002\n");
    net_type(b, "answer 2");
    net_expect("B -> A INVITE\n"
               "A -> B 200 OK\n"
               "A media: start 1 192.0.2.101:16384 0.0.0.0:16384 PCMU/0 inactive\n"
               "A call 1: held 1002\n"
               "A screen: Held by 1002\n"
               "B -> A ACK\n"
               "B media: start 1 192.0.2.102:16384 192.0.2.101:16384 PCMU/0 inactive\n"
               "B call 1: holding 1001\n"
               "B call 2: answering 1003\n"
               "B -> C 200 OK\n"
               "B call 2: talking 1003\n"
               "B media: start 2 192.0.2.102:16386 192.0.2.103:16384 PCMU/0 sendrecv\n"
               "B screen: Connected Carol (1003)\n"
               "C -> B ACK\n"
               "C call 1: talking 1002\n"
               "C media: start 1 192.0.2.103:16384 192.0.2.102:16386 PCMU/0 sendrecv\n"
               "C screen: Connected 1002\n");
    net_type(b, "resume 1");
    net_expect("B -> C INVITE\n"
               "C -> B 200 OK\n"
               "C media: start 1 192.0.2.103:16384 0.0.0.0:16386 PCMU/0 inactive\n"
               "C call 1: held 1002\n"
               "C screen: Held by 1002\n"
               "B -> C ACK\n"
               "B media: start 2 192.0.2.102:16386 192.0.2.103:16384 PCMU/0 inactive\n"
               "B call 2: holding 1003\n"
               "B -> A INVITE\n"
               "B screen: Holding Carol (1003)\n"
               "A -> B 200 OK\n"
               "A media: start 1 192.0.2.101:16384 192.0.2.102:16384 PCMU/0 sendrecv\n"
               "A call 1: talking 1002\n"
               "A screen: Connected 1002\n"
               "B -> A ACK\n"
               "B media: start 1 192.0.2.102:16384 192.0.2.101:16384 PCMU/0 sendrecv\n"
               "B call 1: talking 1001\n"
               "B screen: Connected 1001\n");
    net_type(b, "hangup");
    net_expect_has("B screen: Holding Carol (1003)\n"); /* the phone tells that C is still there */
    net_type(b, "resume");
    net_expect_has("B call 2: talking 1003\nB screen: Connected Carol (1003)\n");
    net_type(c, "hangup");
    net_expect("C media: stop 1\n"
               "C call 1: ending 1002\n"
               "C -> B BYE\n"
               "C screen: 1003\n"
               "B -> C 200 OK (BYE)\n"
               "B media: stop 2\n"
               "B call 2: ended 1003\n"
               "B screen: 1002\n"
               "C call 1: ended 1002\n");
    net_end();
}

/* call-flows.md 2.5: B holds A, calls C, hangs up on C, takes A back. */
static void test_consultation(void **state)
{
    (void)state;
    three_phones("");
    talk();
    net.quiet = true;
    net_type(b, "dial sip:1003@192.0.2.103");
    net_expect("A media: start 1 192.0.2.101:16384 0.0.0.0:16384 PCMU/0 inactive\n"
               "A call 1: held 1002\n"
               "A screen: Held by 1002\n"
               "B media: start 1 192.0.2.102:16384 192.0.2.101:16384 PCMU/0 inactive\n"
               "B call 1: holding 1001\n"
               "B call 2: calling 1003\n"
               "B screen: Calling 1003\n"
               "C call 1: ringing 1002\n"
               "C screen: 1002 is calling\n"
               "B call 2: ringing 1003\n"
               "B screen: Ringing 1003\n");
    net_type(c, "answer");
    net_take();
    net_type(b, "hangup"); /* the one that is heard */
    net_expect_has("B media: stop 2\nB call 2: ending 1003\nB screen: Holding 1001\n");
    net_type(b, "resume");
    net_expect_has("B call 1: talking 1001\nB screen: Connected 1001\n");
    net_type(a, "hangup");
    net_end();
}

/* Both hold, both resume: sound goes only when neither does. */
static void test_hold_from_both_sides(void **state)
{
    (void)state;
    three_phones("");
    talk();
    net_type(a, "hold");
    net_type(b, "hold");
    net_expect_has("B call 1: holding 1001\n");
    net_type(a, "resume");
    net_expect_has("A call 1: held 1002\n");
    net_type(b, "resume");
    net_expect_has("A media: start 1 192.0.2.101:16384 192.0.2.102:16384 PCMU/0 sendrecv\n"
                   "A call 1: talking 1002\n");
    net_type(b, "hangup");
    net_end();
}

static void test_cancel(void **state)
{
    (void)state;
    three_phones("");
    net_type(a, dial_b);
    net_take();
    net_type(a, "hangup");
    net_expect("A call 1: ending 1002\n"
               "A -> B CANCEL\n"
               "A screen: 1001\n"
               "B -> A 200 OK (CANCEL)\n"
               "B -> A 487 Request Terminated\n"
               "B call 1: ended 1001\n"
               "B screen: 1002\n"
               "A -> B ACK\n"
               "A call 1: ended 1002\n");
    net_end();
}

/* call-flows.md 3.4: no 100, no 180 */
static const char busy[] = "A -> B INVITE\n"
                           "A call 1: calling 1002\n"
                           "A screen: Calling 1002\n"
                           "B -> A 486 Busy Here\n"
                           "A -> B ACK\n"
                           "A call 1: ended 1002\n"
                           "A problem: Calling 1002 failed: the answer was 486 Busy Here; dial "
                           "again later.\n"
                           "A screen: Busy\n";

static void test_busy(void **state)
{
    (void)state;
    three_phones("call_waiting: 0");
    net_type(c, dial_b);
    net_type(b, "answer");
    net_take();
    net_type(a, dial_b);
    net_expect(busy);
    net_wait(5 * DT_SECOND);
    net_expect("A screen: 1001\n");
    net_type(c, "hangup");
    net_end();
}

static void test_do_not_disturb(void **state)
{
    (void)state;
    three_phones("dnd_control: 1");
    net_type(a, dial_b);
    net_expect(busy);
    net_end();
}

static void test_anonymous(void **state)
{
    (void)state;
    three_phones("anonymous_call_block: 1\n");
    struct net_party *d = net_phone("D", "192.0.2.104", "line1_name: 1004\ncallerid_blocking: 1\n");
    net_settle();
    net_type(d, dial_b);
    net_expect_has("B -> D 486 Busy Here\n");
    net_type(d, "dial sip:1001@192.0.2.101");
    net_expect_has("A screen: Anonymous (anonymous) is calling\n");
    net_type(d, "hangup");
    net_end();
}

static void test_reject(void **state)
{
    (void)state;
    three_phones("");
    net_type(a, dial_b);
    net_take();
    net_type(b, "reject");
    net_expect("B call 1: ending 1001\n"
               "B -> A 486 Busy Here\n"
               "B call 1: ended 1001\n"
               "B screen: 1002\n"
               "A -> B ACK\n"
               "A call 1: ended 1002\n"
               "A problem: Calling 1002 failed: the answer was 486 Busy Here; dial again later.\n"
               "A screen: Busy\n");
    net_end();
}

static void test_unknown_number(void **state)
{
    (void)state;
    three_phones("");
    net_type(a, "dial sip:1009@192.0.2.102");
    net_expect_has("A problem: Calling 1009 failed: the answer was 404 Not Found; check the number "
                   "and dial again.\nA screen: Not Found\n");
    net_end();
}

static void test_nobody_there(void **state)
{
    (void)state;
    three_phones("");
    net_type(a, "dial sip:1009@192.0.2.109");
    net_expect_has("A problem: Calling 1009 failed: nothing listens there; check its address and "
                   "port.\nA screen: Not Reachable\n");
    dt_sim_blackhole(b->node, true);
    net_type(a, dial_b);
    net_wait(31 * DT_SECOND - 1);
    net_take();
    net_wait(1);
    net_expect("A call 1: ended 1002\n"
               "A problem: Calling 1002 failed: there was no answer; check that it runs and dial "
               "again.\n"
               "A screen: No Answer\n");
    dt_sim_blackhole(b->node, false);
    net_end();
}

/* The called phone does not ring for ever (guide v8.0 A-4). */
static void test_rings_until_expires(void **state)
{
    (void)state;
    three_phones("");
    net_type(a, dial_b);
    net_take();
    net_wait(180 * DT_SECOND);
    struct dt_str got = net_take();
    assert_true(dt_str_search(got, DT_STR("B call 1: ended 1001\n")) < got.n);
    assert_true(dt_str_search(got, DT_STR("A call 1: ended 1002\n")) < got.n);
    net_end();
}

/* A dead peer: the one who is left hangs up, and is alone again. */
static void test_peer_dies(void **state)
{
    (void)state;
    three_phones("");
    talk();
    dt_sim_blackhole(b->node, true);
    net_type(a, "hangup");
    net_expect_has("A media: stop 1\nA call 1: ending 1002\nA -> B BYE\nA screen: 1001\n");
    net_wait(33 * DT_SECOND);
    net_expect_has("A call 1: ended 1002\n");
    dt_sim_blackhole(b->node, false);
    net_type(b, "hangup");
    net_end();
}

static void test_quit_in_a_call(void **state)
{
    (void)state;
    three_phones("");
    talk();
    net_type(a, "quit");
    net_expect("A media: stop 1\n"
               "A call 1: ending 1002\n"
               "A -> B BYE\n"
               "A screen: 1001\n"
               "B -> A 200 OK (BYE)\n"
               "B media: stop 1\n"
               "B call 1: ended 1001\n"
               "B screen: 1002\n"
               "A call 1: ended 1002\n"
               "A quit: 0\n");
    net_end();
}

/* Memory runs out once, anywhere: nothing is lost but what was being done, and nothing leaks. */
static void test_without_memory(void **state)
{
    size_t calls;
    (void)state;
    three_phones("");
    calls = b->k.calls;
    talk();
    net_type(b, "hold");
    net_type(a, "hangup");
    size_t n = b->k.calls - calls;
    net_end();
    for (size_t i = 1; i <= n; i++) {
        three_phones("");
        net.quiet = true;
        b->k.fail_at = b->k.calls + i;
        net_type(a, dial_b);
        net_type(b, "answer");
        net_type(b, "hold");
        net_type(a, "hangup");
        net_type(b, "hangup");
        net_take();
        net_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple_hold),    cmocka_unit_test(test_call_waiting),
        cmocka_unit_test(test_consultation),   cmocka_unit_test(test_hold_from_both_sides),
        cmocka_unit_test(test_cancel),         cmocka_unit_test(test_busy),
        cmocka_unit_test(test_do_not_disturb), cmocka_unit_test(test_anonymous),
        cmocka_unit_test(test_reject),         cmocka_unit_test(test_unknown_number),
        cmocka_unit_test(test_nobody_there),   cmocka_unit_test(test_rings_until_expires),
        cmocka_unit_test(test_peer_dies),      cmocka_unit_test(test_quit_in_a_call),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
