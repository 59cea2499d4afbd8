/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Client transactions: figures 5 and 6 of RFC 3261, RFC 6026, to the millisecond. */
#include "stack_kit.h"

#include <string.h>

#define INVITE KIT_MSG(.method = "INVITE")
#define OPTIONS KIT_MSG(.method = "OPTIONS")
#define PEER "192.0.2.2:5060"
#define RFC3261 .repeats = UINT32_MAX

static const char *answer(const char *method, int status)
{
    return KIT_MSG(.method = method, .status = status, .to_tag = status > 100 ? "to" : NULL);
}

/* ---- who gets no answer (I4) ---- */

static const struct {
    const char *name, *method;
    unsigned repeats;
    int64_t timeout_ms;
    dt_time t1;
    const char *log;
} silent[] = {
    {"INVITE", "INVITE", UINT32_MAX, 0, 0,
     "0 > 192.0.2.2:5060 INVITE\n500 > 192.0.2.2:5060 INVITE\n1500 > 192.0.2.2:5060 INVITE\n"
     "3500 > 192.0.2.2:5060 INVITE\n7500 > 192.0.2.2:5060 INVITE\n15500 > 192.0.2.2:5060 INVITE\n"
     "31500 > 192.0.2.2:5060 INVITE\n32000 failed #7: no answer in time\n"},
    {"OPTIONS", "OPTIONS", UINT32_MAX, 0, 0,
     "0 > 192.0.2.2:5060 OPTIONS\n500 > 192.0.2.2:5060 OPTIONS\n1500 > 192.0.2.2:5060 OPTIONS\n"
     "3500 > 192.0.2.2:5060 OPTIONS\n7500 > 192.0.2.2:5060 OPTIONS\n"
     "11500 > 192.0.2.2:5060 OPTIONS\n15500 > 192.0.2.2:5060 OPTIONS\n"
     "19500 > 192.0.2.2:5060 OPTIONS\n23500 > 192.0.2.2:5060 OPTIONS\n"
     "27500 > 192.0.2.2:5060 OPTIONS\n31500 > 192.0.2.2:5060 OPTIONS\n"
     "32000 failed #7: no answer in time\n"},
    {"sip_invite_retx: 2", "INVITE", 2, 3500, 0,
     "0 > 192.0.2.2:5060 INVITE\n500 > 192.0.2.2:5060 INVITE\n1500 > 192.0.2.2:5060 INVITE\n"
     "3500 failed #7: no answer in time\n"},
    {"no repeat at all", "INVITE", 0, 1000, 0,
     "0 > 192.0.2.2:5060 INVITE\n1000 failed #7: no answer in time\n"},
    {"repeats end long before the time-out", "OPTIONS", 1, 0, 0,
     "0 > 192.0.2.2:5060 OPTIONS\n500 > 192.0.2.2:5060 OPTIONS\n"
     "32000 failed #7: no answer in time\n"},
    {"seven times, then one doubled wait more", "INVITE", 6, 63500, 0,
     "0 > 192.0.2.2:5060 INVITE\n500 > 192.0.2.2:5060 INVITE\n1500 > 192.0.2.2:5060 INVITE\n"
     "3500 > 192.0.2.2:5060 INVITE\n7500 > 192.0.2.2:5060 INVITE\n15500 > 192.0.2.2:5060 INVITE\n"
     "31500 > 192.0.2.2:5060 INVITE\n63500 failed #7: no answer in time\n"},
    {"T1 of 50 ms", "INVITE", UINT32_MAX, 0, 50 * DT_MS,
     "0 > 192.0.2.2:5060 INVITE\n50 > 192.0.2.2:5060 INVITE\n150 > 192.0.2.2:5060 INVITE\n"
     "350 > 192.0.2.2:5060 INVITE\n750 > 192.0.2.2:5060 INVITE\n1550 > 192.0.2.2:5060 INVITE\n"
     "3150 > 192.0.2.2:5060 INVITE\n3200 failed #7: no answer in time\n"},
};

static void test_silence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        struct kit_stack k;
        dt_tx tx;
        struct dt_request r = {
            .cookie = 7, .repeats = silent[i].repeats, .timeout = silent[i].timeout_ms * DT_MS};
        kit_stack_open(&k, &(struct dt_stack_config){.t1 = silent[i].t1});
        assert_int_equal(kit_stack_request(&k, KIT_MSG(.method = silent[i].method), r, &tx), DT_OK);
        kit_stack_until(&k, 200000);
        kit_stack_log(&k, silent[i].log);
        assert_int_equal(dt_stack_deadline(k.s), DT_TIME_NEVER);
        assert_int_equal(dt_stack_counts(k.s)->transactions, 0);
        kit_stack_close(&k);
    }
}

/* ---- who gets answers: what arrives when, and the whole log ---- */

static const struct {
    const char *method;
    struct {
        int64_t at_ms;
        int status;
    } rx[6];
    int64_t end_ms;
    const char *log;
} answered[] = {
    {"INVITE",
     {{100, 100}, {400, 180}, {3000, 200}, {3500, 200}, {40000, 200}},
     100000,
     "0 > 192.0.2.2:5060 INVITE\n100 response 100 #7\n400 response 180 #7\n3000 response 200 #7\n"
     "3500 response 200 #7\n35000 ended #7\n40000 stray 200\n"}, /* M */
    {"INVITE",
     {{600, 200}, {700, 180}, {800, 486}},
     100000,
     "0 > 192.0.2.2:5060 INVITE\n500 > 192.0.2.2:5060 INVITE\n600 response 200 #7\n"
     "32600 ended #7\n"},
    {"INVITE",
     {{100, 100}, {200, 486}, {700, 486}, {800, 200}},
     100000,
     "0 > 192.0.2.2:5060 INVITE\n100 response 100 #7\n200 response 486 #7\n"
     "200 > 192.0.2.2:5060 ACK\n700 > 192.0.2.2:5060 ACK\n32200 ended #7\n"}, /* D */
    {"INVITE",
     {{0, 603}},
     100000,
     "0 > 192.0.2.2:5060 INVITE\n0 response 603 #7\n0 > 192.0.2.2:5060 ACK\n32000 ended #7\n"},
    {"INVITE",
     {{0, 301}},
     100000,
     "0 > 192.0.2.2:5060 INVITE\n0 response 301 #7\n0 > 192.0.2.2:5060 ACK\n32000 ended #7\n"},
    /* A provisional stops timers A and B for good (R19 is the user's). */
    {"INVITE", {{100, 180}}, 500000, "0 > 192.0.2.2:5060 INVITE\n100 response 180 #7\n"},
    {"OPTIONS",
     {{600, 200}, {700, 200}},
     100000,
     "0 > 192.0.2.2:5060 OPTIONS\n500 > 192.0.2.2:5060 OPTIONS\n600 response 200 #7\n"
     "5600 ended #7\n"}, /* K */
    {"OPTIONS",
     {{600, 404}, {6000, 404}},
     100000,
     "0 > 192.0.2.2:5060 OPTIONS\n500 > 192.0.2.2:5060 OPTIONS\n600 response 404 #7\n"
     "5600 ended #7\n6000 stray 404\n"},
    {"OPTIONS",
     {{100, 100}, {200, 404}, {300, 404}},
     100000,
     "0 > 192.0.2.2:5060 OPTIONS\n100 response 100 #7\n200 response 404 #7\n5200 ended #7\n"},
    /* After a provisional the timer E that runs goes on, then each T2 (17.1.2.2). */
    {"OPTIONS",
     {{600, 100}, {700, 100}, {13600, 200}},
     100000,
     "0 > 192.0.2.2:5060 OPTIONS\n500 > 192.0.2.2:5060 OPTIONS\n600 response 100 #7\n"
     "700 response 100 #7\n1500 > 192.0.2.2:5060 OPTIONS\n5500 > 192.0.2.2:5060 OPTIONS\n"
     "9500 > 192.0.2.2:5060 OPTIONS\n13500 > 192.0.2.2:5060 OPTIONS\n13600 response 200 #7\n"
     "18600 ended #7\n"},
    {"OPTIONS",
     {{100, 100}},
     100000,
     "0 > 192.0.2.2:5060 OPTIONS\n100 response 100 #7\n500 > 192.0.2.2:5060 OPTIONS\n"
     "4500 > 192.0.2.2:5060 OPTIONS\n8500 > 192.0.2.2:5060 OPTIONS\n"
     "12500 > 192.0.2.2:5060 OPTIONS\n16500 > 192.0.2.2:5060 OPTIONS\n"
     "20500 > 192.0.2.2:5060 OPTIONS\n24500 > 192.0.2.2:5060 OPTIONS\n"
     "28500 > 192.0.2.2:5060 OPTIONS\n32000 failed #7: no answer in time\n"},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answered / sizeof answered[0]; i++) {
        struct kit_stack k;
        dt_tx tx;
        kit_stack_open(&k, NULL);
        kit_stack_request(&k, KIT_MSG(.method = answered[i].method),
                          (struct dt_request){.cookie = 7, RFC3261}, &tx);
        for (size_t j = 0; answered[i].rx[j].status; j++) {
            kit_stack_until(&k, answered[i].rx[j].at_ms);
            kit_stack_recv(&k, PEER, answer(answered[i].method, answered[i].rx[j].status));
        }
        kit_stack_until(&k, answered[i].end_ms);
        kit_stack_log(&k, answered[i].log);
        kit_stack_close(&k);
    }
}

/* Timer D is 64 T1, but 32 s at least. */
static void test_timer_d(void **state)
{
    static const struct {
        int64_t t1_ms;
        const char *end;
    } rows[] = {{50, "32000 ended #0\n"}, {500, "32000 ended #0\n"}, {1000, "64000 ended #0\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kit_stack k;
        dt_tx tx;
        kit_stack_open(&k, &(struct dt_stack_config){.t1 = rows[i].t1_ms * DT_MS});
        kit_stack_request(&k, INVITE, (struct dt_request){RFC3261}, &tx);
        kit_stack_recv(&k, PEER, answer("INVITE", 486));
        kit_stack_hush(&k);
        kit_stack_until(&k, 100000);
        kit_stack_log(&k, rows[i].end);
        kit_stack_close(&k);
    }
}

/* ---- ACK and CANCEL, byte for byte ---- */

#define HOP_INVITE \
    "INVITE sip:bob@192.0.2.2 SIP/2.0\r\n" \
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport , SIP/2.0/UDP 192.0.2.9\r\n" \
    "v: SIP/2.0/UDP 192.0.2.10\r\n" \
    "Route: <sip:192.0.2.2;lr>,\r\n <sip:192.0.2.3;lr>\r\n" \
    "Max-Forwards: 12\r\n" \
    "f: \"A\"\r\n  <sip:alice@example.com>;tag=from\r\n" \
    "Route: <sip:192.0.2.4;lr>\r\n" \
    "To: <sip:bob@example.com>\r\n" \
    "Call-ID: call@example.com\r\n" \
    "CSeq: 4711 INVITE\r\n" \
    "Require: 100rel\r\n" \
    "Content-Length: 0\r\n\r\n"
#define DERIVED(method, to) \
    method " sip:bob@192.0.2.2 SIP/2.0\r\n" \
           "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n" \
           "Max-Forwards: 70\r\n" \
           "Route: <sip:192.0.2.2;lr>,\r\n <sip:192.0.2.3;lr>\r\n" \
           "Route: <sip:192.0.2.4;lr>\r\n" \
           "f: \"A\"\r\n  <sip:alice@example.com>;tag=from\r\n" to "\r\n" \
           "Call-ID: call@example.com\r\n" \
           "CSeq: 4711 " method "\r\n" \
           "Content-Length: 0\r\n\r\n"

static void test_derived(void **state)
{
    struct kit_stack k;
    dt_tx tx, cancel;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, HOP_INVITE, (struct dt_request){.cookie = 7, RFC3261}, &tx);
    kit_stack_recv(&k, PEER, answer("INVITE", 180));
    assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 8, &cancel), DT_OK);
    kit_stack_drain(&k);
    kit_assert_str(dt_bytes_str(k.last), DERIVED("CANCEL", "To: <sip:bob@example.com>"));
    kit_stack_recv(&k, PEER, answer("CANCEL", 200));
    kit_stack_recv(&k, PEER, answer("INVITE", 487));
    kit_assert_str(dt_bytes_str(k.last), DERIVED("ACK", "To: <sip:bob@example.com>;tag=to"));
    kit_stack_until(&k, 100);
    kit_stack_recv(&k, PEER, answer("INVITE", 487));
    kit_assert_str(dt_bytes_str(k.last), DERIVED("ACK", "To: <sip:bob@example.com>;tag=to"));
    kit_stack_until(&k, 100000);
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 response 180 #7\n0 > 192.0.2.2:5060 CANCEL\n"
                      "0 response 200 #8\n0 response 487 #7\n0 > 192.0.2.2:5060 ACK\n"
                      "100 > 192.0.2.2:5060 ACK\n5000 ended #8\n32000 ended #7\n");
    kit_stack_close(&k);
}

/* ---- CANCEL: when (I7) ---- */

static void test_cancel(void **state)
{
    struct kit_stack k;
    dt_tx tx, cancel;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 7, RFC3261}, &tx);
    assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 8, &cancel), DT_E_STATE); /* R23 */
    kit_stack_until(&k, 100);
    kit_stack_recv(&k, PEER, answer("INVITE", 100));
    kit_stack_until(&k, 200);
    assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 8, &cancel), DT_OK);
    kit_stack_drain(&k);
    assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 9, &cancel), DT_E_STATE);
    kit_stack_recv(&k, PEER, answer("CANCEL", 200));
    kit_stack_until(&k, 31000);
    kit_stack_recv(&k, PEER, answer("INVITE", 180)); /* does not move the end */
    kit_stack_until(&k, 100000);
    kit_stack_log(&k,
                  "0 > 192.0.2.2:5060 INVITE\n100 response 100 #7\n200 > 192.0.2.2:5060 CANCEL\n"
                  "200 response 200 #8\n5200 ended #8\n31000 response 180 #7\n"
                  "32200 failed #7: no answer in time\n");
    assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 8, &cancel), DT_E_STALE);
    kit_stack_close(&k);
}

static void test_cancel_states(void **state)
{
    static const int finals[] = {200, 486};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct kit_stack k;
        dt_tx tx, cancel;
        kit_stack_open(&k, NULL);
        kit_stack_request(&k, INVITE, (struct dt_request){RFC3261}, &tx);
        kit_stack_recv(&k, PEER, answer("INVITE", 180));
        kit_stack_recv(&k, PEER, answer("INVITE", finals[i]));
        assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 8, &cancel), DT_E_STATE);
        kit_stack_close(&k);
    }
    struct kit_stack k;
    dt_tx tx, cancel;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, OPTIONS, (struct dt_request){RFC3261}, &tx);
    kit_stack_recv(&k, PEER, answer("OPTIONS", 100));
    assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 8, &cancel), DT_E_STATE);
    assert_int_equal(
        kit_stack_request(&k, KIT_MSG(.method = "ACK"), (struct dt_request){RFC3261}, &tx),
        DT_E_STATE);
    assert_int_equal(kit_stack_respond(&k, tx, 200, answer("OPTIONS", 200)), DT_E_STALE);
    kit_stack_close(&k);
}

/* A CANCEL that is not answered is repeated like any other request, and fails on its own. */
static void test_cancel_silence(void **state)
{
    struct kit_stack k;
    dt_tx tx, cancel;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 7, RFC3261}, &tx);
    kit_stack_recv(&k, PEER, answer("INVITE", 100));
    assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 8, &cancel), DT_OK);
    kit_stack_drain(&k);
    kit_stack_until(&k, 100000);
    kit_stack_log(
        &k,
        "0 > 192.0.2.2:5060 INVITE\n0 response 100 #7\n0 > 192.0.2.2:5060 CANCEL\n"
        "500 > 192.0.2.2:5060 CANCEL\n1500 > 192.0.2.2:5060 CANCEL\n3500 > 192.0.2.2:5060 CANCEL\n"
        "7500 > 192.0.2.2:5060 CANCEL\n11500 > 192.0.2.2:5060 CANCEL\n"
        "15500 > 192.0.2.2:5060 CANCEL\n19500 > 192.0.2.2:5060 CANCEL\n"
        "23500 > 192.0.2.2:5060 CANCEL\n27500 > 192.0.2.2:5060 CANCEL\n"
        "31500 > 192.0.2.2:5060 CANCEL\n32000 failed #7: no answer in time\n"
        "32000 failed #8: no answer in time\n");
    kit_stack_close(&k);
}

/* ---- which transaction a response belongs to ---- */

static void test_strays(void **state)
{
    static const char *const vias[] = {
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK2", /* another branch */
        "SIP/2.0/UDP 192.0.2.1:5060",                 /* none */
    };
    (void)state;
    struct kit_stack k;
    dt_tx tx;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 7, RFC3261}, &tx);
    for (size_t i = 0; i < 2; i++)
        kit_stack_recv(&k, PEER, KIT_MSG(.method = "INVITE", .status = 200, .via = vias[i]));
    kit_stack_recv(&k, PEER, answer("BYE", 200)); /* the method of CSeq (17.1.3) */
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 stray 200\n0 stray 200\n0 stray 200\n");
    assert_int_equal(dt_stack_counts(k.s)->stray, 3);
    kit_stack_close(&k);
}

/* Paths to twins share a branch (design.md 5). */
static void test_shared_branch(void **state)
{
    static const struct {
        const char *from;
        const char *log;
    } rows[] = {
        {"192.0.2.2:5060", "0 response 180 #1\n"},
        {"192.0.2.3:5060", "0 response 180 #2\n"},
        {"192.0.2.3:5099", "0 response 180 #2\n"}, /* its address, another port */
        {"192.0.2.9:5060", "0 response 180 #1\n"}, /* the oldest */
    };
    (void)state;
    struct kit_stack k;
    dt_tx tx;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 1, RFC3261}, &tx);
    kit_stack_request(
        &k, INVITE,
        (struct dt_request){.cookie = 2, .to.remote = kit_addr("192.0.2.3:5060", DT_UDP), RFC3261},
        &tx);
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 > 192.0.2.3:5060 INVITE\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kit_stack_recv(&k, rows[i].from, answer("INVITE", 180));
        kit_stack_log(&k, rows[i].log);
    }
    kit_stack_recv(&k, PEER, answer("INVITE", 486)); /* #1 is not open any more */
    kit_stack_recv(&k, "192.0.2.9:5060", answer("INVITE", 200));
    kit_stack_log(&k, "0 response 486 #1\n0 > 192.0.2.2:5060 ACK\n0 response 200 #2\n");
    kit_stack_close(&k);
}

/* The same request once more to the same place, with its branch (design.md R2), while the first
 * lingers: what comes now answers the second. */
static void test_sent_again(void **state)
{
    static const struct {
        int first;
        const char *log;
    } rows[] = {
        {500, "0 response 500 #1\n0 > 192.0.2.2:5060 ACK\n"},
        {200, "0 response 200 #1\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kit_stack k;
        dt_tx tx;
        kit_stack_open(&k, NULL);
        kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 1, RFC3261}, &tx);
        kit_stack_hush(&k);
        kit_stack_recv(&k, PEER, answer("INVITE", rows[i].first));
        kit_stack_log(&k, rows[i].log);
        kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 2, RFC3261}, &tx);
        kit_stack_recv(&k, PEER, answer("INVITE", 180));
        kit_stack_until(&k, 5000); /* no repeats */
        kit_stack_recv(&k, PEER, answer("INVITE", 486));
        kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 response 180 #2\n"
                          "5000 response 486 #2\n5000 > 192.0.2.2:5060 ACK\n");
        kit_stack_close(&k);
    }
}

static void test_abandon(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 7, RFC3261}, &tx);
    dt_stack_abandon(k.s, k.now, tx);
    dt_stack_abandon(k.s, k.now, tx);
    assert_int_equal(dt_stack_set_cookie(k.s, tx, 1), DT_E_STALE);
    kit_stack_recv(&k, PEER, answer("INVITE", 200));
    kit_stack_until(&k, 100000);
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 stray 200\n");
    kit_stack_close(&k);
}

/* ---- two ways (R21, R22) ---- */

/* No repeat any more, by either machine; the time-out stands, and answers come as ever. */
static void test_quiet(void **state)
{
    static const struct {
        const char *method, *log;
        int64_t answered_ms;
    } rows[] = {
        {"INVITE", "0 > 192.0.2.2:5060 INVITE\n32000 failed #7: no answer in time\n", 0},
        {"OPTIONS", "0 > 192.0.2.2:5060 OPTIONS\n32000 failed #7: no answer in time\n", 0},
        {"INVITE", "0 > 192.0.2.2:5060 INVITE\n9000 response 180 #7\n", 9000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kit_stack k;
        dt_tx tx;
        kit_stack_open(&k, NULL);
        kit_stack_request(&k, KIT_MSG(.method = rows[i].method),
                          (struct dt_request){.cookie = 7, RFC3261}, &tx);
        kit_stack_until(&k, 100);
        dt_stack_quiet(k.s, tx);
        kit_stack_until(&k, rows[i].answered_ms ? rows[i].answered_ms : 100);
        if (rows[i].answered_ms)
            kit_stack_recv(&k, PEER, answer(rows[i].method, 180));
        kit_stack_until(&k, 200000);
        kit_stack_log(&k, rows[i].log);
        kit_stack_close(&k);
    }
}

/* What is done to the transaction, left or not, at those times. */
static const struct {
    const char *name;
    struct {
        int64_t at_ms;
        int status;
    } rx[3];
    int64_t leave_ms;
    const char *log;
} left[] = {
    {"silent to the end", {{0, 0}}, 100, "0 > 192.0.2.2:5060 INVITE\n"},
    {"it had a provisional: not for ever",
     {{100, 180}},
     5000,
     "0 > 192.0.2.2:5060 INVITE\n100 response 180 #7\n"},
    {"a provisional that comes late is told, and does not move the end",
     {{3000, 180}},
     100,
     "0 > 192.0.2.2:5060 INVITE\n3000 response 180 #7\n"},
    {"a failure gets its ACK, each time",
     {{3000, 486}, {4000, 486}},
     100,
     "0 > 192.0.2.2:5060 INVITE\n3000 response 486 #7\n3000 > 192.0.2.2:5060 ACK\n"
     "4000 > 192.0.2.2:5060 ACK\n"},
    {"a 2xx is the user's",
     {{3000, 200}, {4000, 200}},
     100,
     "0 > 192.0.2.2:5060 INVITE\n3000 response 200 #7\n4000 response 200 #7\n"},
    {"after the final: it ends when it would have",
     {{100, 486}, {7000, 486}},
     5000,
     "0 > 192.0.2.2:5060 INVITE\n100 response 486 #7\n100 > 192.0.2.2:5060 ACK\n"
     "7000 > 192.0.2.2:5060 ACK\n"},
};

static void test_leave(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        struct kit_stack k;
        bool is_left = false;
        dt_tx tx;
        kit_stack_open(&k, NULL);
        kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 7, RFC3261}, &tx);
        for (size_t j = 0; j < 3; j++) {
            int64_t at = left[i].rx[j].status ? left[i].rx[j].at_ms : 200000;
            if (!is_left && at > left[i].leave_ms) {
                kit_stack_until(&k, left[i].leave_ms);
                dt_stack_leave(k.s, k.now, tx);
                is_left = true;
            }
            kit_stack_until(&k, at);
            if (left[i].rx[j].status)
                kit_stack_recv(&k, PEER, answer("INVITE", left[i].rx[j].status));
        }
        kit_stack_log(&k, left[i].log);
        assert_int_equal(dt_stack_counts(k.s)->transactions, 0);
        dt_stack_leave(k.s, k.now, tx); /* stale ids do nothing */
        dt_stack_quiet(k.s, tx);
        kit_stack_close(&k);
    }
}

/* A server's transaction can be neither left nor quieted. */
static void test_leave_server(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_recv(&k, PEER,
                   KIT_MSG(.method = "INVITE", .via = "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKs"));
    assert_int_equal(dt_stack_set_cookie(k.s, k.tx, 5), DT_OK);
    dt_stack_leave(k.s, k.now, k.tx);
    dt_stack_quiet(k.s, k.tx);
    assert_int_equal(dt_stack_answer(k.s, k.now, k.tx, 486, DT_STR("t"), DT_STR_NONE), DT_OK);
    kit_stack_drain(&k);
    kit_stack_hush(&k);
    kit_stack_until(&k, 600);
    kit_stack_log(&k, "500 > 192.0.2.2:5060 486\n");
    kit_stack_close(&k);
}

/* The request came back to where it was left: the answer is for the one that waits. */
static void test_left_and_back(void **state)
{
    struct kit_stack k;
    dt_tx first, again;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 1, RFC3261}, &first);
    kit_stack_recv(&k, PEER, answer("INVITE", 100));
    dt_stack_leave(k.s, k.now, first);
    kit_stack_until(&k, 1000);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 2, RFC3261}, &again);
    kit_stack_until(&k, 1100);
    kit_stack_recv(&k, PEER, answer("INVITE", 180));
    kit_stack_until(&k, 31000);
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 response 100 #1\n"
                      "1000 > 192.0.2.2:5060 INVITE\n1100 response 180 #2\n");
    dt_stack_abandon(k.s, k.now, again);
    kit_stack_close(&k);
}

/* The slot is used again, the id is not (I38). */
static void test_stale(void **state)
{
    struct kit_stack k;
    struct dt_hop hop;
    dt_tx old, tx;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){RFC3261}, &old);
    for (int i = 0; i < 200; i++) {
        dt_stack_abandon(k.s, k.now, old);
        kit_stack_request(&k, INVITE, (struct dt_request){RFC3261}, &tx);
        assert_int_equal(dt_stack_hop_of(k.s, old, &hop), DT_E_STALE);
        assert_int_equal(dt_stack_hop_of(k.s, tx, &hop), DT_OK);
        old = tx;
    }
    assert_int_equal(dt_stack_counts(k.s)->transactions, 1);
    kit_stack_close(&k);
}

/* ---- socket errors (R16) ---- */

static void refuse(struct kit_stack *k, const char *remote)
{
    kit_stack_input(k, &(struct dt_input){.kind = DT_IN_SOCKET_ERROR,
                                          .err = DT_E_REFUSED,
                                          .remote = kit_addr(remote, DT_UDP)});
}

static void test_refused(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    struct dt_hop other = {.remote = kit_addr("192.0.2.2:5061", DT_UDP)};
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 1, RFC3261}, &tx);
    kit_stack_request(&k, KIT_MSG(.method = "INVITE", .via = "SIP/2.0/UDP h;branch=z9hG4bK2"),
                      (struct dt_request){.cookie = 2, RFC3261}, &tx);
    kit_stack_request(&k, OPTIONS, (struct dt_request){.cookie = 3, RFC3261}, &tx);
    kit_stack_request(&k, OPTIONS, (struct dt_request){.cookie = 4, .to = other, RFC3261}, &tx);
    kit_stack_request(&k, KIT_MSG(.method = "INFO"), (struct dt_request){.cookie = 5, RFC3261},
                      &tx);
    /* Two are proceeding: an error may be forged. */
    kit_stack_recv(&k, PEER, answer("INVITE", 100));
    kit_stack_recv(&k, PEER, answer("INFO", 100));
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 > 192.0.2.2:5060 INVITE\n"
                      "0 > 192.0.2.2:5060 OPTIONS\n0 > 192.0.2.2:5061 OPTIONS\n"
                      "0 > 192.0.2.2:5060 INFO\n0 response 100 #1\n0 response 100 #5\n");
    refuse(&k, "192.0.2.7:5060");
    kit_stack_log(&k, "");
    refuse(&k, PEER);
    kit_stack_log(&k, "0 failed #2: refused by the other side\n"
                      "0 failed #3: refused by the other side\n");
    refuse(&k, PEER);
    kit_stack_log(&k, "");
    kit_stack_recv(&k, PEER, answer("INVITE", 200));
    kit_stack_log(&k, "0 response 200 #1\n");
    assert_int_equal(dt_stack_counts(k.s)->transactions, 3);
    kit_stack_close(&k);
}

/* ---- a host that was late ---- */

/* What was due in between is not made up for in a burst, and the schedule is kept after it. */
static void test_late_host(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_request(&k, INVITE, (struct dt_request){.cookie = 7, RFC3261}, &tx);
    k.now = 510 * DT_MS; /* a little: the next one is at 1500 all the same */
    kit_stack_until(&k, 1400);
    k.now = 10000 * DT_MS;
    kit_stack_until(&k, 40000);
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n510 > 192.0.2.2:5060 INVITE\n"
                      "10000 > 192.0.2.2:5060 INVITE\n12000 > 192.0.2.2:5060 INVITE\n"
                      "16000 > 192.0.2.2:5060 INVITE\n24000 > 192.0.2.2:5060 INVITE\n"
                      "32000 failed #7: no answer in time\n");
    kit_stack_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence),       cmocka_unit_test(test_answers),
        cmocka_unit_test(test_derived),       cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_states), cmocka_unit_test(test_cancel_silence),
        cmocka_unit_test(test_strays),        cmocka_unit_test(test_shared_branch),
        cmocka_unit_test(test_sent_again),    cmocka_unit_test(test_abandon),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_stale),
        cmocka_unit_test(test_timer_d),       cmocka_unit_test(test_late_host),
        cmocka_unit_test(test_quiet),         cmocka_unit_test(test_leave),
        cmocka_unit_test(test_leave_server),  cmocka_unit_test(test_left_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
