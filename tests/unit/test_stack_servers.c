/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Server transactions: figures 7 and 8 of RFC 3261, RFC 6026, to the millisecond; where responses
 * go; CANCEL; peers of RFC 2543; what is malformed. */
#include "stack_kit.h"

#include <stdio.h>
#include <string.h>

#define PEER "192.0.2.2:5060"
#define VIA "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1"

static const char *request(const char *method)
{
    return KIT_MSG(.method = method, .via = VIA);
}
static const char *answer(const char *method, int status)
{
    return KIT_MSG(.method = method, .via = VIA, .status = status,
                   .to_tag = status > 100 ? "to" : NULL);
}
static const char *ack(void)
{
    return KIT_MSG(.method = "ACK", .via = VIA, .to_tag = "to");
}

/* ---- the machines ---- */

/* What happens when: a status is our response, REPEAT the request again, ACKED its ACK. */
enum { REPEAT = 1, ACKED = 2 };

static const struct {
    const char *method;
    struct {
        int64_t at_ms;
        int what;
        int err; /* of dt_stack_respond */
    } steps[8];
    int64_t end_ms;
    const char *log;
} machines[] = {
    /* Timer G doubles up to T2, H ends it (17.2.1). */
    {"INVITE",
     {{100, 486, 0}},
     100000,
     "0 request INVITE\n100 > 192.0.2.2:5060 486\n600 > 192.0.2.2:5060 486\n"
     "1600 > 192.0.2.2:5060 486\n3600 > 192.0.2.2:5060 486\n7600 > 192.0.2.2:5060 486\n"
     "11600 > 192.0.2.2:5060 486\n15600 > 192.0.2.2:5060 486\n19600 > 192.0.2.2:5060 486\n"
     "23600 > 192.0.2.2:5060 486\n27600 > 192.0.2.2:5060 486\n31600 > 192.0.2.2:5060 486\n"
     "32100 ended #7\n"},
    {"INVITE",
     {{100, 100, 0},
      {150, REPEAT, 0},
      {200, 180, 0},
      {250, REPEAT, 0},
      {300, 486, 0},
      {350, REPEAT, 0},
      {900, ACKED, 0},
      {950, REPEAT, 0}},
     100000,
     "0 request INVITE\n100 > 192.0.2.2:5060 100\n150 > 192.0.2.2:5060 100\n"
     "200 > 192.0.2.2:5060 180\n250 > 192.0.2.2:5060 180\n300 > 192.0.2.2:5060 486\n"
     "350 > 192.0.2.2:5060 486\n800 > 192.0.2.2:5060 486\n5900 ended #7\n"}, /* I */
    {"INVITE",
     {{10, REPEAT, 0}, {20, ACKED, 0}},
     500000,
     "0 request INVITE\n20 dropped: ACK before the final response\n"},
    {"INVITE",
     {{100, 600, 0},
      {100, 200, DT_E_STATE},
      {100, 180, DT_E_STATE},
      {100, 486, DT_E_STATE},
      {200, ACKED, 0},
      {300, ACKED, 0},
      {300, 200, DT_E_STATE}},
     100000,
     "0 request INVITE\n100 > 192.0.2.2:5060 600\n5200 ended #7\n"},
    /* RFC 6026: the user repeats its 2xx, the ACK of it is the user's. */
    {"INVITE",
     {{100, 180, 0},
      {200, 200, 0},
      {250, REPEAT, 0},
      {700, 200, 0},
      {800, 486, DT_E_STATE},
      {800, 180, DT_E_STATE},
      {900, ACKED, 0}},
     100000,
     "0 request INVITE\n100 > 192.0.2.2:5060 180\n200 > 192.0.2.2:5060 200\n"
     "700 > 192.0.2.2:5060 200\n900 request ACK without transaction\n32200 ended #7\n"}, /* L */
    {"OPTIONS",
     {{50, REPEAT, 0}, {100, 200, 0}, {150, REPEAT, 0}, {200, 404, DT_E_STATE}, {32050, REPEAT, 0}},
     32099,
     "0 request OPTIONS\n100 > 192.0.2.2:5060 200\n150 > 192.0.2.2:5060 200\n"
     "32050 > 192.0.2.2:5060 200\n"},
    {"OPTIONS",
     {{100, 100, 0}, {150, REPEAT, 0}, {200, 486, 0}, {250, REPEAT, 0}, {260, 100, DT_E_STATE}},
     100000,
     "0 request OPTIONS\n100 > 192.0.2.2:5060 100\n150 > 192.0.2.2:5060 100\n"
     "200 > 192.0.2.2:5060 486\n250 > 192.0.2.2:5060 486\n32200 ended #7\n"}, /* J */
    /* Nobody answers (I3). */
    {"OPTIONS",
     {{50, REPEAT, 0}, {32000, 200, DT_E_STALE}},
     100000,
     "0 request OPTIONS\n32000 ended #7\n"},
    {"OPTIONS",
     {{50, 100, 0}},
     100000,
     "0 request OPTIONS\n50 > 192.0.2.2:5060 100\n32000 ended #7\n"},
    {"OPTIONS",
     {{50, 100, 0}, {60, 180, 0}, {70, REPEAT, 0}, {80, 200, 0}},
     1000,
     "0 request OPTIONS\n50 > 192.0.2.2:5060 100\n60 > 192.0.2.2:5060 180\n"
     "70 > 192.0.2.2:5060 180\n80 > 192.0.2.2:5060 200\n"},
    {"FROB",
     {{50, 501, 0}, {60, REPEAT, 0}, {70, 99, DT_E_RANGE}, {70, 700, DT_E_RANGE}},
     1000,
     "0 request FROB\n50 > 192.0.2.2:5060 501\n60 > 192.0.2.2:5060 501\n"},
};

static void step(struct kit_stack *k, const char *method, int what, int err)
{
    if (what == REPEAT)
        kit_stack_recv(k, PEER, request(method));
    else if (what == ACKED)
        kit_stack_recv(k, PEER, ack());
    else
        assert_int_equal(kit_stack_respond(k, k->tx, what, answer(method, what)), err);
}

static void test_machines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        struct kit_stack k;
        kit_stack_open(&k, NULL);
        kit_stack_recv(&k, PEER, request(machines[i].method));
        dt_tx tx = k.tx;
        assert_int_equal(dt_stack_set_cookie(k.s, k.tx, 7), DT_OK);
        for (size_t j = 0; j < 8 && machines[i].steps[j].what; j++) {
            kit_stack_until(&k, machines[i].steps[j].at_ms);
            k.tx = tx;
            step(&k, machines[i].method, machines[i].steps[j].what, machines[i].steps[j].err);
        }
        kit_stack_until(&k, machines[i].end_ms);
        kit_stack_log(&k, machines[i].log);
        kit_stack_close(&k);
    }
}

/* ---- where responses go (18.2.2, RFC 3581) ---- */

static const struct {
    const char *from, *via, *to;
} ways[] = {
    {"192.0.2.2:5060", "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1", "192.0.2.2:5060"},
    {"192.0.2.2:4000", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1", "192.0.2.2:5060"},
    {"192.0.2.2:4000", "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1", "192.0.2.2:5070"},
    {"192.0.2.2:4000", "SIP/2.0/UDP host.example:5070;branch=z9hG4bK1;rport", "192.0.2.2:4000"},
    {"192.0.2.2:4000", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.77",
     "192.0.2.2:5060"}, /* what the sender claims to have seen is no address to send to */
    {"192.0.2.2:4000", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1;maddr=224.0.1.75", "192.0.2.2:5060"},
    {"[2001:db8::2]:4000", "SIP/2.0/UDP [2001:db8::2]:5070;branch=z9hG4bK1", "[2001:db8::2]:5070"},
};

static void test_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct kit_stack k;
        char log[256];
        kit_stack_open(&k, NULL);
        kit_stack_recv(&k, ways[i].from, KIT_MSG(.method = "OPTIONS", .via = ways[i].via));
        dt_tx tx = k.tx;
        assert_int_equal(dt_stack_answer(k.s, k.now, tx, 200, DT_STR("t"), DT_STR_NONE), DT_OK);
        kit_stack_drain(&k);
        snprintf(log, sizeof log, "0 request OPTIONS\n0 > %s 200\n", ways[i].to);
        kit_stack_log(&k, log);
        kit_stack_close(&k);
    }
}

/* A repeat from another node of a cluster, or another path, is answered there, with the same bytes
 * (I5). */
static void test_repeat_from_elsewhere(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_recv(&k, PEER, request("INVITE"));
    kit_stack_respond(&k, k.tx, 180, answer("INVITE", 180));
    struct dt_bytes *first = dt_bytes_hold(k.last);
    kit_stack_recv(&k, "192.0.2.3:5060", request("INVITE"));
    assert_true(dt_str_eq(dt_bytes_str(first), dt_bytes_str(k.last)));
    dt_bytes_drop(first);
    kit_stack_respond(&k, k.tx, 200, answer("INVITE", 200));
    kit_stack_log(&k, "0 request INVITE\n0 > 192.0.2.2:5060 180\n0 > 192.0.2.3:5060 180\n"
                      "0 > 192.0.2.2:5060 200\n");
    assert_int_equal(dt_stack_counts(k.s)->absorbed, 1);
    kit_stack_close(&k);
}

/* Another sent-by, method or branch is another transaction (17.2.3). */
static void test_keys(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_recv(&k, PEER, request("OPTIONS"));
    kit_stack_recv(&k, PEER, request("INFO"));
    kit_stack_recv(&k, PEER, request("FROB"));
    kit_stack_recv(&k, PEER, request("FROZ"));
    kit_stack_recv(
        &k, PEER,
        KIT_MSG(.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.2:5062;branch=z9hG4bK1"));
    kit_stack_recv(
        &k, PEER,
        KIT_MSG(.method = "OPTIONS", .via = "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK2"));
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "OPTIONS", .via = VIA, .to_tag = "x", .cseq = 2));
    kit_stack_log(&k, "0 request OPTIONS\n0 request INFO\n0 request FROB\n0 request FROZ\n"
                      "0 request OPTIONS\n0 request OPTIONS\n");
    kit_stack_close(&k);
}

/* ---- the request, kept ---- */

static void test_request_of(void **state)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_hop hop;
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_recv(&k, PEER, request("INVITE"));
    assert_int_equal(dt_stack_request_of(k.s, k.tx, &m, headers, DT_MSG_HEADERS_MAX), DT_OK);
    kit_assert_str(m.text, request("INVITE"));
    assert_int_equal(dt_stack_request_of(k.s, k.tx, &m, headers, 2), DT_E_SYNTAX);
    assert_int_equal(dt_stack_hop_of(k.s, k.tx, &hop), DT_OK);
    assert_int_equal(hop.remote.port, 5060);
    assert_true(dt_addr_eq(&hop.local, &k.local));
    kit_stack_respond(&k, k.tx, 486, answer("INVITE", 486));
    assert_int_equal(dt_stack_request_of(k.s, k.tx, &m, headers, DT_MSG_HEADERS_MAX), DT_E_STATE);
    kit_stack_until(&k, 100000);
    assert_int_equal(dt_stack_request_of(k.s, k.tx, &m, headers, DT_MSG_HEADERS_MAX), DT_E_STALE);
    assert_int_equal(dt_stack_request_of(k.s, 0, &m, headers, DT_MSG_HEADERS_MAX), DT_E_STALE);
    assert_int_equal(dt_stack_request_of(k.s, UINT64_MAX, &m, headers, DT_MSG_HEADERS_MAX),
                     DT_E_STALE);
    kit_stack_close(&k);
}

static void test_answer(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, &(struct dt_stack_config){.server_name = "dualtone"});
    kit_stack_recv(
        &k, "192.0.2.2:4000",
        KIT_MSG(.method = "OPTIONS", .via = "SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1"));
    assert_int_equal(
        dt_stack_answer(k.s, k.now, k.tx, 420, DT_STR("tag"), DT_STR("Unsupported: x\r\n")), DT_OK);
    kit_stack_drain(&k);
    kit_assert_str(
        dt_bytes_str(k.last),
        "SIP/2.0 420 Bad Extension\r\n"
        "Via: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;received=192.0.2.2;rport=4000\r\n"
        "From: <sip:alice@example.com>;tag=from\r\n"
        "To: <sip:bob@example.com>;tag=tag\r\n"
        "Call-ID: call@example.com\r\n"
        "CSeq: 1 OPTIONS\r\n"
        "Server: dualtone\r\n"
        "Unsupported: x\r\n"
        "Content-Length: 0\r\n\r\n");
    kit_stack_close(&k);
}

/* ---- CANCEL (9.2) ---- */

static struct dt_str to_of(struct dt_bytes *b)
{
    struct dt_str text = dt_bytes_str(b);
    size_t at = dt_str_search(text, DT_STR("To: "));
    text = dt_str_sub(text, at, text.n);
    return dt_str_sub(text, 0, dt_str_find(text, '\r'));
}

static void test_cancel(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_recv(&k, PEER, request("INVITE"));
    dt_tx invite = k.tx;
    dt_stack_set_cookie(k.s, invite, 7);
    kit_stack_respond(&k, invite, 180, answer("INVITE", 180));
    kit_stack_recv(&k, PEER, request("CANCEL"));
    kit_assert_str(to_of(k.last), "To: <sip:bob@example.com>;tag=to");
    kit_stack_recv(&k, PEER, request("CANCEL")); /* repeated */
    kit_stack_respond(&k, invite, 487, answer("INVITE", 487));
    kit_stack_recv(&k, PEER, ack());
    kit_stack_until(&k, 100000);
    kit_stack_log(&k, "0 request INVITE\n0 > 192.0.2.2:5060 180\n0 cancel #7\n"
                      "0 > 192.0.2.2:5060 200\n0 > 192.0.2.2:5060 200\n0 > 192.0.2.2:5060 487\n"
                      "5000 ended #7\n32000 ended #0\n");
    kit_stack_close(&k);
}

static void test_cancel_late(void **state)
{
    static const int finals[] = {200, 404};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct kit_stack k;
        kit_stack_open(&k, NULL);
        kit_stack_recv(&k, PEER, request("INVITE"));
        kit_stack_respond(&k, k.tx, finals[i], answer("INVITE", finals[i]));
        kit_stack_hush(&k);
        kit_stack_recv(&k, PEER, request("CANCEL"));
        kit_stack_log(&k, "0 > 192.0.2.2:5060 200\n");
        kit_stack_close(&k);
    }
}

static void test_cancel_of_nothing(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_recv(&k, PEER, request("CANCEL"));
    dt_stack_answer(k.s, k.now, k.tx, 481, DT_STR_NONE, DT_STR_NONE);
    kit_stack_drain(&k);
    kit_stack_recv(&k, PEER, request("OPTIONS"));
    kit_stack_recv(&k, PEER, request("CANCEL"));
    kit_stack_log(&k, "0 request CANCEL\n0 > 192.0.2.2:5060 481\n0 request OPTIONS\n"
                      "0 > 192.0.2.2:5060 481\n");
    kit_stack_close(&k);
}

/* ---- peers of RFC 2543: no magic cookie (17.2.3) ---- */

#define OLD_VIA "SIP/2.0/UDP 192.0.2.2:5060"

static void test_old_peer(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    const char *invite = KIT_MSG(.method = "INVITE", .via = OLD_VIA);
    kit_stack_recv(&k, PEER, invite);
    dt_tx tx = k.tx;
    dt_stack_set_cookie(k.s, tx, 7);
    kit_stack_recv(&k, PEER, invite);
    kit_stack_respond(&k, tx, 180, answer("INVITE", 180));
    kit_stack_recv(&k, PEER, invite);
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "CANCEL", .via = OLD_VIA));
    kit_stack_respond(&k, tx, 487, answer("INVITE", 487));
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "ACK", .via = OLD_VIA, .to_tag = "other"));
    kit_stack_log(&k, "0 request INVITE\n0 > 192.0.2.2:5060 180\n0 > 192.0.2.2:5060 180\n"
                      "0 cancel #7\n0 > 192.0.2.2:5060 200\n0 > 192.0.2.2:5060 487\n"
                      "0 request ACK without transaction\n");
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "ACK", .via = OLD_VIA, .to_tag = "to"));
    kit_stack_until(&k, 6000);
    kit_stack_log(&k, "5000 ended #7\n");
    /* Another CSeq number, and one inside a dialog, are other transactions. */
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "BYE", .via = OLD_VIA, .to_tag = "to", .cseq = 2));
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "BYE", .via = OLD_VIA, .to_tag = "to", .cseq = 2));
    kit_stack_recv(&k, PEER,
                   KIT_MSG(.method = "INVITE", .via = OLD_VIA, .to_tag = "to", .cseq = 3));
    kit_stack_respond(&k, k.tx, 488, answer("INVITE", 488));
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "ACK", .via = OLD_VIA, .to_tag = "to", .cseq = 3));
    kit_stack_log(&k, "6000 request BYE\n6000 request INVITE\n6000 > 192.0.2.2:5060 488\n");
    kit_stack_until(&k, 7000);
    kit_stack_log(&k, "");
    kit_stack_close(&k);
}

/* ---- without a transaction ---- */

static void test_acks_and_strays(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_recv(&k, PEER, ack());
    kit_stack_recv(&k, PEER, answer("INVITE", 200));
    struct dt_bytes *b = dt_bytes_copy(&dt_alloc_libc, dt_str_z(ack()));
    struct dt_hop to = {.local = k.local, .remote = kit_addr("192.0.2.5:5080", DT_UDP)};
    assert_int_equal(dt_stack_send(k.s, k.now, b, &to), DT_OK);
    dt_bytes_drop(b);
    kit_stack_until(&k, 100000);
    kit_stack_log(&k, "0 request ACK without transaction\n0 stray 200\n0 > 192.0.2.5:5080 ACK\n");
    kit_stack_close(&k);
}

/* ---- malformed (I8, I29, I30) ---- */

#define GOOD_REST \
    "From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n" \
    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
#define GOOD_VIA "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1\r\n"

static const struct {
    const char *text, *log;
} malformed[] = {
    {"OPTIONS sip:b@h SIP/7.0\r\n" GOOD_VIA GOOD_REST,
     "0 dropped: Version Not Supported\n0 > 192.0.2.2:5060 505\n"},
    {"OPTIONS sip:b@h SIP/2.0\r\n" GOOD_VIA "To: <sip:x@h>\r\n" GOOD_REST,
     "0 dropped: Duplicate Header\n0 > 192.0.2.2:5060 400\n"},
    {"OPTIONS sip:b@h SIP/2.0\r\n" GOOD_VIA
     "From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INFO\r\n\r\n",
     "0 dropped: CSeq Method Does Not Match\n0 > 192.0.2.2:5060 400\n"},
    {"OPTIONS sip:b@h SIP/2.0\r\n" GOOD_VIA
     "From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n\r\n",
     "0 dropped: Missing Mandatory Header\n0 > 192.0.2.2:5060 400\n"},
    {"OPTIONS sip:b@h SIP/2.0\r\n" GOOD_VIA
     "From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"
     "Content-Length: 5\r\n\r\n",
     "0 dropped: Bad Content-Length\n0 > 192.0.2.2:5060 400\n"},
    /* no usable Via: no answer at all */
    {"OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP ;;branch=z9hG4bK1\r\n" GOOD_REST,
     "0 dropped: Bad Via\n"},
    {"OPTIONS sip:b@h SIP/2.0\r\n" GOOD_REST, "0 dropped: Missing Mandatory Header\n"},
    /* no answer to an ACK, nor to a response */
    {"ACK sip:b@h SIP/2.0\r\n" GOOD_VIA "\r\n", "0 dropped: Missing Mandatory Header\n"},
    {"SIP/2.0 200 OK\r\n" GOOD_VIA "\r\n", "0 dropped: Missing Mandatory Header\n"},
    {"x", "0 dropped: Bad Start Line\n"},
    /* keep-alives are no messages */
    {"\r\n\r\n", ""},
    {"\r\n", ""},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct kit_stack k;
        kit_stack_open(&k, NULL);
        kit_stack_recv(&k, PEER, malformed[i].text);
        kit_stack_until(&k, 100000);
        kit_stack_log(&k, malformed[i].log);
        const struct dt_stack_counts *c = dt_stack_counts(k.s);
        assert_int_equal(c->malformed, c->in);
        assert_int_equal(c->answered_malformed, c->out);
        if (k.last)
            assert_true(k.last->n <= 3 * strlen(malformed[i].text));
        kit_stack_close(&k);
    }
}

/* Each prefix of a good message: never a transaction but for the whole, never more than three times
 * its size in answer, and nothing left behind. */
static void test_truncated(void **state)
{
    static const char text[] = "OPTIONS sip:b@h SIP/2.0\r\n" GOOD_VIA GOOD_REST;
    (void)state;
    struct kit_stack k;
    kit_stack_open(&k, NULL);
    for (size_t n = 0; n < sizeof text; n++) {
        struct dt_stack_counts before = *dt_stack_counts(k.s);
        struct dt_str part = kit_guarded_padded(0, (struct dt_str){text, n});
        kit_stack_input(&k, &(struct dt_input){.kind = DT_IN_DATAGRAM,
                                               .local = k.local,
                                               .remote = kit_addr(PEER, DT_UDP),
                                               .data = part});
        const struct dt_stack_counts *c = dt_stack_counts(k.s);
        assert_int_equal(c->transactions, n == sizeof text - 1);
        assert_true(c->out == before.out || k.last->n <= 3 * n);
        kit_stack_hush(&k);
    }
    kit_stack_close(&k);
}

/* An answer of more than three times the request is none (I30). */
static void test_amplification(void **state)
{
    char name[200];
    (void)state;
    memset(name, 'x', sizeof name);
    for (size_t n = 0; n < sizeof name; n++) {
        struct kit_stack k;
        name[sizeof name - 1] = '\0';
        kit_stack_open(&k, &(struct dt_stack_config){.server_name = name + sizeof name - 1 - n});
        const char *text = "X sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\n\r\n";
        kit_stack_recv(&k, PEER, text);
        bool sent = dt_stack_counts(k.s)->answered_malformed;
        if (n == 0 || n == sizeof name - 1)
            assert_int_equal(sent, n == 0);
        if (sent)
            assert_true(k.last->n <= 3 * strlen(text));
        assert_int_equal(dt_stack_counts(k.s)->out, sent);
        kit_stack_close(&k);
    }
}

/* The answer is the same for the same request (8.2.7). */
static void test_stateless_tag(void **state)
{
    static const char text[] = "OPTIONS sip:b@h SIP/7.0\r\n" GOOD_VIA GOOD_REST;
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    kit_stack_recv(&k, PEER, text);
    struct dt_bytes *first = dt_bytes_hold(k.last);
    kit_stack_recv(&k, PEER, text);
    assert_true(first != k.last && dt_str_eq(dt_bytes_str(first), dt_bytes_str(k.last)));
    assert_true(dt_str_search(dt_bytes_str(first), DT_STR(";tag=")) < first->n);
    dt_bytes_drop(first);
    kit_stack_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_repeat_from_elsewhere),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_request_of),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_late),
        cmocka_unit_test(test_cancel_of_nothing),
        cmocka_unit_test(test_old_peer),
        cmocka_unit_test(test_acks_and_strays),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_amplification),
        cmocka_unit_test(test_stateless_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
