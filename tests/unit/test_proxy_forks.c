/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A user with several phones: RFC 3261 16.7. */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define ALICE "192.0.2.11:5060"
#define P1 "192.0.2.21:5060"
#define P2 "192.0.2.22:5060"
#define P3 "192.0.2.23:5060"

static const char *const phones[] = {P1, P2, P3};

static void open_with(struct kit_proxy *k, unsigned n, const char *method)
{
    kit_proxy_open(k, NULL);
    for (unsigned i = 0; i < n; i++) {
        char contact[64];
        snprintf(contact, sizeof contact, "sip:bob@192.0.2.%u", 21 + i);
        kit_register(k, phones[i], "bob", contact);
    }
    KIT_SEND(k, .method = method);
}

static void busy_busy_answer(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with(&k, 3, "INVITE");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 100 INVITE\n"
                      "0 > 192.0.2.21:5060 INVITE sip:bob@192.0.2.21\n"
                      "0 > 192.0.2.22:5060 INVITE sip:bob@192.0.2.22\n"
                      "0 > 192.0.2.23:5060 INVITE sip:bob@192.0.2.23\n");
    kit_answer(&k, P1, "INVITE", 180, "t1", NULL);
    kit_answer(&k, P2, "INVITE", 180, "t2", NULL);
    kit_answer(&k, P1, "INVITE", 486, "t1", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 180 INVITE\n"
                      "0 > 192.0.2.11:5060 180 INVITE\n"
                      "0 > 192.0.2.21:5060 ACK sip:bob@192.0.2.21\n"); /* not upstream yet */
    kit_answer(&k, P2, "INVITE", 200, "t2", NULL);
    kit_proxy_log(&k,
                  "0 > 192.0.2.11:5060 200 INVITE\n"); /* the third has said nothing: no CANCEL */
    kit_answer(&k, P3, "INVITE", 180, "t3", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.23:5060 CANCEL sip:bob@192.0.2.23\n"); /* now it may (9.1) */
    kit_answer(&k, P3, "CANCEL", 200, "t3", NULL);
    kit_answer(&k, P3, "INVITE", 487, "t3", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.23:5060 ACK sip:bob@192.0.2.23\n");
    kit_proxy_quiet(&k);
    assert_int_equal(kit_count(&k, "dropped.late"), 1); /* the 180 after the 200 */
    assert_int_equal(kit_count(&k, "dropped.collected"), 2);
    assert_int_equal(kit_count(&k, "dropped.own"), 1);
    kit_proxy_close(&k);
}

static void two_answers(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with(&k, 2, "INVITE");
    kit_answer(&k, P1, "INVITE", 180, "t1", NULL);
    kit_answer(&k, P2, "INVITE", 180, "t2", NULL);
    kit_answer(&k, P1, "INVITE", 200, "t1", NULL);
    kit_proxy_hush(&k);
    kit_answer(&k, P2, "INVITE", 200, "t2", NULL); /* crossed our CANCEL: goes on too (I21) */
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 200 INVITE\n");
    assert_non_null(strstr(kit_last(&k, ALICE), "tag=t2"));
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* Which of three finals is the best, whatever their order (16.7 step 6). */
static void best_response(void **state)
{
    static const struct {
        int status[3];
        int best;
    } rows[] = {
        {{486, 486, 486}, 486}, {{404, 503, 486}, 486}, {{302, 486, 500}, 302},
        {{486, 407, 404}, 407}, {{480, 401, 302}, 302}, {{603, 302, 486}, 603},
        {{503, 503, 503}, 500}, {{503, 500, 503}, 500}, {{503, 408, 503}, 408},
        {{404, 484, 486}, 484}, {{500, 415, 404}, 415}, {{404, 480, 408}, 480},
    };
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t o = 0; o < 6; o++) {
            static struct kit_proxy k;
            char want[16];
            open_with(&k, 3, "INVITE");
            for (unsigned j = 0; j < 3; j++)
                kit_answer(&k, phones[orders[o][j]], "INVITE", rows[i].status[orders[o][j]], "t",
                           NULL);
            snprintf(want, sizeof want, "SIP/2.0 %d ", rows[i].best);
            if (strncmp(kit_last(&k, ALICE), want, strlen(want)))
                fail_msg("row %zu order %zu: %.12s", i, o, kit_last(&k, ALICE));
            assert_int_equal(
                kit_count(&k, "forwarded.response") + kit_count(&k, "dropped.collected"), 3);
            kit_proxy_quiet(&k);
            kit_proxy_close(&k);
        }
}

/* Every 6xx, the first as well as the last. */
static void decline_ends_the_search(void **state)
{
    static const int statuses[] = {600, 603, 604, 606, 699};
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        static struct kit_proxy k;
        char want[128];
        open_with(&k, 2, "INVITE");
        kit_answer(&k, P2, "INVITE", 180, "t2", NULL);
        kit_proxy_hush(&k);
        kit_answer(&k, P1, "INVITE", statuses[i], "t1", NULL);
        kit_proxy_log(&k,
                      "0 > 192.0.2.21:5060 ACK sip:bob@192.0.2.21\n"
                      "0 > 192.0.2.22:5060 CANCEL sip:bob@192.0.2.22\n"); /* it waits (step 5) */
        kit_answer(&k, P2, "INVITE", 487, "t2", NULL);
        snprintf(want, sizeof want,
                 "0 > 192.0.2.22:5060 ACK sip:bob@192.0.2.22\n0 > 192.0.2.11:5060 %d INVITE\n",
                 statuses[i]);
        kit_proxy_log(&k, want);
        kit_proxy_quiet(&k);
        kit_proxy_close(&k);
    }
}

static void decline_crosses_an_answer(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with(&k, 2, "INVITE");
    kit_answer(&k, P2, "INVITE", 180, "t2", NULL);
    kit_answer(&k, P1, "INVITE", 603, "t1", NULL);
    kit_answer(&k, P2, "INVITE", 200, "t2", NULL);
    assert_int_equal(strncmp(kit_last(&k, ALICE), "SIP/2.0 200", 11), 0);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* Step 7: the caller sees all challenges. */
static void challenges_are_collected(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with(&k, 3, "INVITE");
    kit_answer(&k, P1, "INVITE", 407, "t1", "Proxy-Authenticate: Digest realm=\"one\"\r\n");
    kit_answer(&k, P2, "INVITE", 401, "t2",
               "WWW-Authenticate: Digest realm=\"two\"\r\n"
               "WWW-Authenticate: Digest realm=\"two b\"\r\n");
    kit_answer(&k, P3, "INVITE", 486, "t3", NULL);
    const char *got = kit_last(&k, ALICE);
    assert_int_equal(strncmp(got, "SIP/2.0 401", 11), 0);
    assert_string_equal(kit_header(got, "WWW-Authenticate"),
                        "Digest realm=\"two\" | Digest realm=\"two b\"");
    assert_string_equal(kit_header(got, "Proxy-Authenticate"), "Digest realm=\"one\"");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

static void one_phone_is_silent(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with(&k, 2, "INVITE");
    kit_answer(&k, P1, "INVITE", 486, "t1", NULL);
    kit_proxy_until(&k, 31999);
    kit_proxy_hush(&k);
    kit_proxy_until(&k, 32000);
    kit_proxy_log(&k, "32000 > 192.0.2.11:5060 486 INVITE\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

static void one_phone_is_refused(void **state)
{
    static struct kit_proxy k;
    struct dt_input in = {.kind = DT_IN_SOCKET_ERROR, .err = DT_E_REFUSED};
    (void)state;
    open_with(&k, 2, "INVITE");
    kit_proxy_hush(&k);
    in.local = k.local;
    in.remote = kit_at(P1);
    for (int i = 0; i < 3; i++) /* one alone can be forged (R16) */
        kit_proxy_input(&k, &in);
    kit_answer(&k, P2, "INVITE", 486, "t2", NULL);
    kit_proxy_until(&k, 33000);
    assert_int_equal(strncmp(kit_last(&k, ALICE), "SIP/2.0 486", 11), 0);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* A non-INVITE has one final too, and its 2xx ends it. */
static void message_to_two(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with(&k, 2, "MESSAGE");
    kit_proxy_hush(&k);
    kit_answer(&k, P1, "MESSAGE", 200, "t1", NULL);
    kit_answer(&k, P2, "MESSAGE", 200, "t2", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 200 MESSAGE\n");
    kit_proxy_quiet(&k);
    assert_int_equal(kit_count(&k, "dropped.late"), 1);
    kit_proxy_close(&k);
}

/* R2: the branches of a fork differ; the merged copy of a request gets others (I9). */
static void branches_differ(void **state)
{
    static struct kit_proxy k;
    char first[256], second[256];
    (void)state;
    open_with(&k, 2, "INVITE");
    snprintf(first, sizeof first, "%s", kit_header(kit_last(&k, P1), "Via"));
    snprintf(second, sizeof second, "%s", kit_header(kit_last(&k, P2), "Via"));
    assert_string_not_equal(first, second);
    KIT_SEND(&k, .branch = "z9hG4bKmerged");
    assert_string_not_equal(kit_header(kit_last(&k, P1), "Via"), first);
    kit_answer(&k, P1, "INVITE", 482, "t", NULL); /* what a phone says to it (8.2.2.2) */
    kit_answer(&k, P2, "INVITE", 482, "t", NULL);
    assert_int_equal(strncmp(kit_last(&k, ALICE), "SIP/2.0 482", 11), 0);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* RFC 5393 5.3.3: the breadth is split, and too little of it is 440. */
static void breadth(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with(&k, 3, "MESSAGE");
    assert_string_equal(kit_header(kit_last(&k, P1), "Max-Breadth"), "20");
    KIT_SEND(&k, .branch = "z9hG4bK2", .extra = "Max-Breadth: 5\r\n");
    assert_string_equal(kit_header(kit_last(&k, P1), "Max-Breadth"), "2");
    assert_string_equal(kit_header(kit_last(&k, P2), "Max-Breadth"), "2");
    assert_string_equal(kit_header(kit_last(&k, P3), "Max-Breadth"), "1");
    kit_proxy_hush(&k);
    KIT_SEND(&k, .branch = "z9hG4bK3", .extra = "Max-Breadth: 2\r\n");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 440 INVITE\n");
    KIT_SEND(&k, .branch = "z9hG4bK4", .extra = "Max-Breadth: 4000\r\n");
    assert_string_equal(kit_header(kit_last(&k, P1), "Max-Breadth"), "20");
    kit_proxy_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(busy_busy_answer),
        cmocka_unit_test(two_answers),
        cmocka_unit_test(best_response),
        cmocka_unit_test(decline_ends_the_search),
        cmocka_unit_test(decline_crosses_an_answer),
        cmocka_unit_test(challenges_are_collected),
        cmocka_unit_test(one_phone_is_silent),
        cmocka_unit_test(one_phone_is_refused),
        cmocka_unit_test(message_to_two),
        cmocka_unit_test(branches_differ),
        cmocka_unit_test(breadth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
