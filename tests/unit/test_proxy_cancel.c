/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CANCEL (RFC 3261 9, 16.10), and what comes without a transaction. */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define ALICE "192.0.2.11:5060"
#define BOB "192.0.2.12:5060"

static void open_calling(struct kit_proxy *k)
{
    kit_proxy_open(k, NULL);
    kit_register(k, BOB, "bob", "sip:bob@192.0.2.12");
    KIT_SEND(k, .cseq = 1);
    kit_proxy_hush(k);
}

static void after_ringing(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_calling(&k);
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "CANCEL");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 200 CANCEL\n"
                      "0 > 192.0.2.12:5060 CANCEL sip:bob@192.0.2.12\n");
    char via[256];
    snprintf(via, sizeof via, "%s", kit_header(kit_last(&k, BOB), "Via"));
    kit_answer(&k, BOB, "CANCEL", 200, "t", NULL);
    kit_answer(&k, BOB, "INVITE", 487, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.12:5060 ACK sip:bob@192.0.2.12\n"
                      "0 > 192.0.2.11:5060 487 INVITE\n");
    /* I6: the ACK has the branch of INVITE and CANCEL */
    assert_string_equal(kit_header(kit_last(&k, BOB), "Via"), via);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* 9.1, R23, I7: before a provisional no CANCEL may leave. */
static void before_ringing(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_calling(&k);
    KIT_SEND(&k, .method = "CANCEL");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 200 CANCEL\n");
    kit_proxy_until(&k, 400);
    kit_answer(&k, BOB, "INVITE", 100, "", NULL);
    kit_proxy_log(&k, "400 > 192.0.2.12:5060 CANCEL sip:bob@192.0.2.12\n");
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL); /* once */
    kit_proxy_log(&k, "400 > 192.0.2.11:5060 180 INVITE\n");
    kit_answer(&k, BOB, "INVITE", 487, "t", NULL);
    kit_proxy_log(&k, "400 > 192.0.2.12:5060 ACK sip:bob@192.0.2.12\n"
                      "400 > 192.0.2.11:5060 487 INVITE\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* R24: of a pair, the caller of a dead twin's call asks again and again whether it rings. Each time
 * the callee is asked, who may have got nothing, or whose 180 was lost; not once it is known. */
static void asked_again(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, "peer: 192.0.2.2\n");
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    kit_proxy_until(&k, 10000);
    KIT_SEND(&k, .method = "INVITE");
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "INVITE");
    kit_proxy_log(&k, "10000 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12\n"
                      "10000 > 192.0.2.11:5060 100 INVITE\n");
    kit_answer(&k, BOB, "INVITE", 100, "", NULL);
    KIT_SEND(&k, .method = "INVITE");
    kit_proxy_log(&k, "10000 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12\n"
                      "10000 > 192.0.2.11:5060 100 INVITE\n");
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "INVITE");
    kit_proxy_log(&k, "10000 > 192.0.2.11:5060 180 INVITE\n");
    kit_proxy_close(&k);
}

/* It rings there, but what it said was lost: the INVITE is repeated as before (17.1.1.2), so that
 * it says so again and can be cancelled. */
static void provisional_was_lost(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_calling(&k);
    kit_proxy_until(&k, 200);
    KIT_SEND(&k, .method = "CANCEL");
    kit_proxy_hush(&k);
    kit_proxy_until(&k, 1500);
    kit_proxy_log(&k, "500 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12\n"
                      "1500 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12\n");
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_log(&k, "1500 > 192.0.2.11:5060 180 INVITE\n"
                      "1500 > 192.0.2.12:5060 CANCEL sip:bob@192.0.2.12\n");
    kit_answer(&k, BOB, "CANCEL", 200, "t", NULL);
    kit_answer(&k, BOB, "INVITE", 487, "t", NULL);
    kit_proxy_log(&k, "1500 > 192.0.2.12:5060 ACK sip:bob@192.0.2.12\n"
                      "1500 > 192.0.2.11:5060 487 INVITE\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

static void callee_is_dead(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_calling(&k);
    KIT_SEND(&k, .method = "CANCEL");
    kit_proxy_until(&k, 31999);
    kit_proxy_hush(&k);
    kit_proxy_until(&k, 32000);
    kit_proxy_log(&k, "32000 > 192.0.2.11:5060 487 INVITE\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

static void answer_crosses_cancel(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_calling(&k);
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    KIT_SEND(&k, .method = "CANCEL");
    kit_proxy_hush(&k);
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 200 INVITE\n");
    KIT_SEND(&k, .method = "CANCEL", .cseq = 1, .extra = "X: too late\r\n");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 200 CANCEL\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* R6: a CANCEL whose INVITE this node does not know goes where the INVITE would have gone, with the
 * INVITE's branch. */
static void without_its_invite(void **state)
{
    static struct kit_proxy k;
    char via[256];
    (void)state;
    open_calling(&k);
    snprintf(via, sizeof via, "%s", kit_header(kit_last(&k, BOB), "Via"));
    kit_proxy_input(&k, &(struct dt_input){.kind = DT_IN_WOKE, .age = 5 * DT_SECOND}); /* R10 */
    assert_int_equal(dt_proxy_objects(k.p), 0);
    KIT_SEND(&k, .method = "CANCEL");
    kit_proxy_log(&k, "0 > 192.0.2.12:5060 CANCEL sip:bob@192.0.2.12\n");
    assert_string_equal(kit_header(kit_last(&k, BOB), "Via"), via);
    kit_answer(&k, BOB, "CANCEL", 200, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 200 CANCEL\n");
    KIT_SEND(&k, .method = "CANCEL", .uri = "sip:nobody@example.com", .branch = "z9hG4bK2");
    KIT_SEND(&k, .method = "CANCEL", .uri = "sip:x@elsewhere.net", .branch = "z9hG4bK3");
    KIT_SEND(&k, .method = "CANCEL", .uri = "sip:example.com", .branch = "z9hG4bK4");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 481 CANCEL\n"
                      "0 > 192.0.2.11:5060 481 CANCEL\n"
                      "0 > 192.0.2.11:5060 481 CANCEL\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* Responses of a transaction that lost its Vias, or has none but ours. */
static void response_without_via(void **state)
{
    static struct kit_proxy k;
    char text[2048];
    (void)state;
    open_calling(&k);
    const char *via = kit_header(kit_last(&k, BOB), "Via");
    snprintf(text, sizeof text,
             "SIP/2.0 180 Ringing\r\nVia: %.*s\r\n"
             "From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>;tag=t\r\n"
             "Call-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
             (int)(strstr(via, " | ") - via), via);
    kit_proxy_recv(&k, BOB, text);
    kit_proxy_log(&k, "");
    assert_int_equal(kit_count(&k, "dropped.bad_response"), 1);
    kit_proxy_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_ringing),      cmocka_unit_test(before_ringing),
        cmocka_unit_test(asked_again),        cmocka_unit_test(provisional_was_lost),
        cmocka_unit_test(callee_is_dead),     cmocka_unit_test(answer_crosses_cancel),
        cmocka_unit_test(without_its_invite), cmocka_unit_test(response_without_via),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
