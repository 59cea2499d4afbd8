/* SPDX-License-Identifier: BSD-2-Clause
 *
 * R5: what a node does with the responses to requests that it has forgotten, or that its twin
 * forwarded. */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define ALICE "192.0.2.11:5060"
#define BOB "192.0.2.12:5060"
#define DESK "192.0.2.13:5060"

static struct kit_proxy k;

static void forget(void)
{
    kit_proxy_input(&k, &(struct dt_input){.kind = DT_IN_WOKE, .age = 5 * DT_SECOND}); /* R10 */
    assert_int_equal(dt_proxy_objects(k.p), 0);
    kit_proxy_hush(&k);
}

/* A call of Alice's to Bob, at one or two phones, of which the node then knows nothing. */
static void open_forgotten(unsigned contacts, const char *method, const char *more)
{
    kit_proxy_open(&k, more);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    if (contacts > 1)
        kit_register(&k, DESK, "bob", "sip:bob@192.0.2.13");
    KIT_SEND(&k, .method = method);
    forget();
}

static void what_goes_on(void **state)
{
    static const struct {
        unsigned contacts;
        const char *method;
        int status;
        const char *log, *count;
    } rows[] = {
        {1, "INVITE", 100, "", "dropped.stray_response"},
        {1, "INVITE", 180, "0 > " ALICE " 180 INVITE\n", "forwarded.stray"},
        {1, "INVITE", 200, "0 > " ALICE " 200 INVITE\n", "forwarded.stray"},
        {1, "INVITE", 486, "0 > " ALICE " 486 INVITE\n", "forwarded.stray"},
        {1, "MESSAGE", 202, "0 > " ALICE " 202 MESSAGE\n", "forwarded.stray"},
        {1, "MESSAGE", 404, "0 > " ALICE " 404 MESSAGE\n", "forwarded.stray"},
        {1, "CANCEL", 200, "", "dropped.stray_response"},
        {2, "INVITE", 183, "0 > " ALICE " 183 INVITE\n", "forwarded.stray"},
        {2, "INVITE", 486, "", "dropped.stray_response"},
        {2, "MESSAGE", 200, "0 > " ALICE " 200 MESSAGE\n", "forwarded.stray"},
        {2, "MESSAGE", 480, "", "dropped.stray_response"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_forgotten(rows[i].contacts, rows[i].method, NULL);
        kit_answer(&k, BOB, rows[i].method, rows[i].status, "t", NULL);
        kit_proxy_log(&k, rows[i].log);
        assert_int_equal(kit_count(&k, rows[i].count), 1);
        kit_proxy_close(&k);
    }
}

/* The branch was given up, and the caller has its final: a 180 that comes after all stays here
 * (17.2.1), and its phone is told to stop, but at a pair, whose other node may have called it with
 * this branch. A 2xx goes on (16.7 step 5). */
static void late_for_the_caller(void **state)
{
    static const char *const peers[] = {NULL, "peer: 192.0.2.2\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        kit_proxy_open(&k, peers[i]);
        kit_proxy_until(&k, 61000); /* the peer is not there */
        kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
        KIT_SEND(&k, .method = "INVITE");
        kit_proxy_until(&k, 93100); /* timer B */
        kit_proxy_hush(&k);
        kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
        assert_int_equal(kit_has_request(&k, BOB, "CANCEL"), !peers[i]);
        kit_proxy_hush(&k);
        kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
        kit_proxy_log(&k, "93100 > " ALICE " 200 INVITE\n");
        kit_proxy_close(&k);
    }
}

static void nobody_is_bound(void)
{
    kit_proxy_recv(&k, BOB,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .call_id = "gone",
                           .to = "sip:bob@example.com", .branch = "z9hG4bKg", .via = BOB,
                           .extra = "Contact: *\r\nExpires: 0\r\n"));
    kit_proxy_hush(&k);
}

/* Its 2xx has gone by. A copy of the INVITE that comes late goes on, without a 100; where nobody is
 * bound (any more), nothing is said; and no failure goes behind the 2xx. After 64 T1 it is a new
 * one. */
static void nothing_behind_a_2xx(void **state)
{
    (void)state;
    open_forgotten(1, "INVITE", NULL);
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    kit_proxy_hush(&k);
    kit_answer(&k, BOB, "INVITE", 486, "t", NULL);
    kit_proxy_log(&k, "");
    KIT_SEND(&k, .method = "INVITE");
    kit_proxy_log(&k, "0 > " BOB " INVITE sip:bob@192.0.2.12\n");
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_log(&k, "");
    kit_answer(&k, BOB, "INVITE", 486, "t", NULL);
    kit_proxy_log(&k, "0 > " BOB " ACK sip:bob@192.0.2.12\n");
    kit_proxy_until(&k, 33000);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);

    open_forgotten(1, "INVITE", NULL);
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    nobody_is_bound();
    KIT_SEND(&k, .method = "INVITE");
    kit_proxy_log(&k, "");
    assert_int_equal(kit_count(&k, "dropped.answered"), 1);
    kit_proxy_until(&k, 32100);
    KIT_SEND(&k, .method = "INVITE");
    kit_proxy_log(&k, "32100 > " ALICE " 480 INVITE\n");
    kit_proxy_close(&k);
}

/* Its own final was told: the failure that the twin's branch brings stays here, a 2xx does not. */
static void behind_a_final_of_ours(void **state)
{
    (void)state;
    open_forgotten(1, "INVITE", NULL);
    nobody_is_bound();
    KIT_SEND(&k, .method = "INVITE");
    kit_proxy_log(&k, "0 > " ALICE " 480 INVITE\n");
    kit_answer(&k, BOB, "INVITE", 487, "t", NULL);
    kit_proxy_log(&k, "");
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    kit_proxy_log(&k, "0 > " ALICE " 200 INVITE\n");
    kit_proxy_close(&k);
}

/* The sibling is cancelled with the branch of its INVITE, once for all repeats of the 2xx; the one
 * that answered is not. */
static void siblings_are_cancelled(void **state)
{
    char via[512];
    (void)state;
    open_forgotten(2, "INVITE", NULL);
    snprintf(via, sizeof via, "%s", kit_header(kit_last(&k, DESK), "Via"));
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    kit_proxy_log(&k, "0 > " ALICE " 200 INVITE\n0 > " DESK " CANCEL sip:bob@192.0.2.13\n");
    assert_memory_equal(kit_header(kit_last(&k, DESK), "Via"), via,
                        strlen("SIP/2.0/UDP 192.0.2.1:5060;branch=") + 41);
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    kit_proxy_log(&k, "0 > " ALICE " 200 INVITE\n");
    kit_answer(&k, DESK, "CANCEL", 200, "t", NULL);
    kit_proxy_log(&k, "");
    kit_answer(&k, DESK, "INVITE", 487, "t2", NULL);
    kit_proxy_log(&k, "");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* The second 2xx of a fork goes on too (16.7 step 5): the caller ends it. */
static void two_answer(void **state)
{
    (void)state;
    open_forgotten(2, "INVITE", NULL);
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    kit_proxy_hush(&k);
    kit_answer(&k, DESK, "INVITE", 200, "t2", NULL);
    kit_proxy_log(&k, "0 > " ALICE " 200 INVITE\n0 > " BOB " CANCEL sip:bob@192.0.2.12\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* Nothing of a forged response makes the proxy send. */
static void forged(void **state)
{
    static const char *const tops[] = {
        "192.0.2.1:5060;branch=z9hG4bKx",
        "192.0.2.1:5060;branch=z9hG4bKx;dv=1",
        "192.0.2.1:5060;branch=z9hG4bKx;dv=1.0123456789abcdef",
        "192.0.2.1:5060;branch=z9hG4bKx;dv=n.0123456789abcdef",
        "192.0.2.9:5060;branch=z9hG4bKx;dv=1.0123456789abcdef",
    };
    (void)state;
    open_forgotten(1, "INVITE", NULL);
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP %s\r\n"
                 "Via: SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKb1\r\n"
                 "From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>;tag=t\r\n"
                 "Call-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
                 tops[i]);
        kit_proxy_recv(&k, "192.0.2.66:5060", text);
        assert_int_equal(kit_count(&k, "dropped.stray_forged"), i + 1);
    }
    kit_proxy_log(&k, "");
    kit_proxy_close(&k);
}

/* I23: a dv that is good for a sender at a forbidden address does not carry us there. */
static void to_nowhere(void **state)
{
    static const char *const sent_by[] = {"0.0.0.0:5060", "255.255.255.255:5060", "224.0.0.1:5060"};
    (void)state;
    for (size_t i = 0; i < sizeof sent_by / sizeof sent_by[0]; i++) {
        kit_proxy_open(&k, NULL);
        kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
        kit_proxy_recv(&k, sent_by[i], KIT_REQ(.via = sent_by[i]));
        forget();
        kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
        kit_proxy_log(&k, "");
        kit_proxy_close(&k);
    }
}

static void no_more_than_the_limit(void **state)
{
    (void)state;
    open_forgotten(1, "INVITE", "max_strays: 3\n");
    for (int i = 0; i < 5; i++)
        kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    assert_int_equal(kit_count(&k, "forwarded.stray"), 3);
    assert_int_equal(kit_count(&k, "dropped.stray_limit"), 2);
    kit_proxy_until(&k, 1000);
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    assert_int_equal(kit_count(&k, "forwarded.stray"), 4);
    kit_proxy_close(&k);
}

/* R6: the ACK of a failure that this node did not pass on goes where the INVITE went, with the
 * INVITE's branch; to each target. */
static void ack_without_transaction(void **state)
{
    char via[512];
    (void)state;
    open_forgotten(2, "INVITE", NULL);
    snprintf(via, sizeof via, "%s", kit_header(kit_last(&k, DESK), "Via"));
    KIT_SEND(&k, .method = "ACK", .to_tag = "t");
    kit_proxy_log(&k, "0 > " BOB " ACK sip:bob@192.0.2.12\n0 > " DESK " ACK sip:bob@192.0.2.13\n");
    assert_string_equal(kit_header(kit_last(&k, DESK), "Via"), via);
    kit_proxy_close(&k);
}

/* R8: the answer goes to where this node's copy came from, not the twin's. */
static void to_the_source_of_our_copy(void **state)
{
    (void)state;
    open_forgotten(1, "INVITE", NULL);
    kit_proxy_recv(&k, "192.0.2.99:7000", KIT_REQ(.via = "10.0.0.1:5060;rport"));
    kit_proxy_hush(&k);
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.99:7000 180 INVITE\n");
    kit_proxy_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_on),
        cmocka_unit_test(late_for_the_caller),
        cmocka_unit_test(nothing_behind_a_2xx),
        cmocka_unit_test(behind_a_final_of_ours),
        cmocka_unit_test(siblings_are_cancelled),
        cmocka_unit_test(two_answer),
        cmocka_unit_test(forged),
        cmocka_unit_test(to_nowhere),
        cmocka_unit_test(no_more_than_the_limit),
        cmocka_unit_test(ack_without_transaction),
        cmocka_unit_test(to_the_source_of_our_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
