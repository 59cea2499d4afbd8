/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One caller, one callee: what goes through, to the byte, and when. */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define ALICE "192.0.2.11:5060"
#define BOB "192.0.2.12:5060"
#define BOB_URI "sip:bob@192.0.2.12"

static void open_with_bob(struct kit_proxy *k)
{
    kit_proxy_open(k, NULL);
    kit_register(k, BOB, "bob", BOB_URI);
}

/* "Route: " and what stands in the Record-Route of the last message to `who`. */
static const char *route_of(struct kit_proxy *k, const char *who)
{
    static char line[512];
    snprintf(line, sizeof line, "Route: %s\r\n", kit_header(kit_last(k, who), "Record-Route"));
    return line;
}

static void whole_call(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with_bob(&k);
    KIT_SEND(&k, .cseq = 1);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 100 INVITE\n"
                      "0 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12\n");
    kit_proxy_until(&k, 100);
    kit_answer(&k, BOB, "INVITE", 100, "", NULL);
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_log(&k, "100 > 192.0.2.11:5060 180 INVITE\n");
    kit_proxy_until(&k, 3000); /* no repeat of INVITE after a provisional */
    kit_answer(&k, BOB, "INVITE", 200, "t", "Contact: <sip:bob@192.0.2.12>\r\n");
    kit_proxy_log(&k, "3000 > 192.0.2.11:5060 200 INVITE\n");
    const char *route = route_of(&k, ALICE);
    KIT_SEND(&k, .method = "ACK", .uri = BOB_URI, .branch = "z9hG4bKb2", .to_tag = "t",
             .extra = route);
    kit_proxy_log(&k, "3000 > 192.0.2.12:5060 ACK sip:bob@192.0.2.12\n");
    assert_string_equal(kit_header(kit_last(&k, BOB), "Route"), "");
    kit_proxy_recv(&k, BOB,
                   KIT_REQ(.method = "BYE", .uri = "sip:alice@192.0.2.11", .from = "bob",
                           .to = "sip:alice@example.com", .to_tag = "f1", .branch = "z9hG4bKx",
                           .via = BOB, .extra = route));
    kit_proxy_log(&k, "3000 > 192.0.2.11:5060 BYE sip:alice@192.0.2.11\n");
    kit_answer(&k, ALICE, "BYE", 200, "", NULL);
    kit_proxy_log(&k, "3000 > 192.0.2.12:5060 200 BYE\n");
    kit_proxy_quiet(&k);
    assert_int_equal(kit_count(&k, "forwarded.request"), 2);
    assert_int_equal(kit_count(&k, "forwarded.ack"), 1);
    assert_int_equal(kit_count(&k, "forwarded.response"), 3);
    assert_int_equal(kit_count(&k, "dropped.trying"), 1);
    kit_proxy_close(&k);
}

/* I20: to the byte. The branch and the token are functions of the kit's key and this request. */
static void forwarded_request(void **state)
{
    static struct kit_proxy k;
    char want[2048], branch[64] = "", echo[32] = "", token[32] = "";
    (void)state;
    open_with_bob(&k);
    kit_proxy_recv(&k, "192.0.2.99:6000",
                   "INVITE sip:bob@example.com SIP/2.0\r\n"
                   "v: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb1;rport;x=\"a;b\" , SIP/2.0/TCP h\r\n"
                   "Via: SIP/2.0/UDP older;branch=z9hG4bKo\r\n"
                   "from: \"A, L\" <sip:a@elsewhere.net>;tag=f1\r\n"
                   "To:<sip:bob@example.com>\r\n"
                   "Call-ID:   c1\r\n"
                   "CSeq: 1 INVITE\r\n"
                   "mAX-fORWARDS: 17\r\n"
                   "X-Strange:\tfolded\r\n  here\r\n"
                   "Record-Route: <sip:p0;lr>\r\n"
                   "Max-Breadth: 30\r\n"
                   "Contact: <sip:a@10.0.0.1>\r\n"
                   "Content-Type: application/sdp\r\n"
                   "Content-Length: 5\r\n\r\nv=0\r\n");
    const char *got = kit_last(&k, BOB);
    sscanf(kit_header(got, "Via"),
           "SIP/2.0/UDP 192.0.2.1:5060;branch=%41[0-9a-zA-Z];rport;dv=%31[0-9a-f.]", branch, echo);
    sscanf(kit_header(got, "Record-Route"), "<sip:192.0.2.1:5060;lr;dt=%16[0-9a-f]", token);
    snprintf(want, sizeof want,
             "INVITE sip:bob@192.0.2.12 SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=%s;rport;dv=%s\r\n"
             "v: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKb1;x=\"a;b\";received=192.0.2.99;rport=6000 , "
             "SIP/2.0/TCP h\r\n"
             "Via: SIP/2.0/UDP older;branch=z9hG4bKo\r\n"
             "from: \"A, L\" <sip:a@elsewhere.net>;tag=f1\r\n"
             "To:<sip:bob@example.com>\r\n"
             "Call-ID:   c1\r\n"
             "CSeq: 1 INVITE\r\n"
             "mAX-fORWARDS: 16\r\n"
             "X-Strange:\tfolded\r\n  here\r\n"
             "Record-Route: <sip:192.0.2.1:5060;lr;dt=%s>\r\n"
             "Record-Route: <sip:p0;lr>\r\n"
             "Max-Breadth: 30\r\n"
             "Contact: <sip:a@10.0.0.1>\r\n"
             "Content-Type: application/sdp\r\n"
             "Content-Length: 5\r\n\r\nv=0\r\n",
             branch, echo, token);
    assert_string_equal(got, want);
    assert_int_equal(strlen(branch), 41);
    assert_int_equal(strlen(token), 16);
    kit_proxy_close(&k);
}

static void forwarded_response(void **state)
{
    static struct kit_proxy k;
    char text[2048];
    (void)state;
    open_with_bob(&k);
    KIT_SEND(&k, .cseq = 1);
    static const char rest[] = "f:<sip:alice@example.com>;tag=f1\r\n"
                               "To: <sip:bob@example.com>;tag=t\r\n"
                               "Call-ID: c1\r\nCSeq: 1 INVITE\r\n"
                               "Contact: <sip:bob@192.0.2.12>\r\n"
                               "Warning: 399 h \"odd\"\r\n"
                               "l: 3\r\n\r\nabc";
    static const char next[] = "SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKb1";
    const char *vias = kit_header(kit_last(&k, BOB), "Via");
    snprintf(text, sizeof text, "SIP/2.0 183 Odd Words\r\nVia: %.*s, %s\r\n%s",
             (int)(strstr(vias, " | ") - vias), vias, next, rest);
    kit_proxy_recv(&k, BOB, text);
    snprintf(text, sizeof text, "SIP/2.0 183 Odd Words\r\nVia: %s\r\n%s", next, rest);
    assert_string_equal(kit_last(&k, ALICE), text);
    kit_proxy_close(&k);
}

static void repeats_are_absorbed(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with_bob(&k);
    KIT_SEND(&k, .cseq = 1);
    kit_proxy_hush(&k);
    KIT_SEND(&k, .cseq = 1); /* its repeat hears the last answer again (I5) */
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 100 INVITE\n");
    kit_proxy_until(&k, 1600); /* Bob is silent: timer A */
    kit_proxy_log(&k, "500 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12\n"
                      "1500 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12\n");
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL); /* each repeat of a 2xx goes on (RFC 6026) */
    kit_proxy_log(&k, "1600 > 192.0.2.11:5060 200 INVITE\n"
                      "1600 > 192.0.2.11:5060 200 INVITE\n");
    kit_proxy_until(&k, 20000);
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    kit_proxy_log(&k, "20000 > 192.0.2.11:5060 200 INVITE\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

static void failure_is_acked_here(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with_bob(&k);
    KIT_SEND(&k, .cseq = 1);
    kit_proxy_hush(&k);
    kit_answer(&k, BOB, "INVITE", 486, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.12:5060 ACK sip:bob@192.0.2.12\n"
                      "0 > 192.0.2.11:5060 486 INVITE\n");
    kit_answer(&k, BOB, "INVITE", 486, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.12:5060 ACK sip:bob@192.0.2.12\n");
    KIT_SEND(&k, .method = "ACK", .to_tag = "t");
    kit_proxy_log(&k, ""); /* hop by hop */
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

static void other_methods(void **state)
{
    static const char *const methods[] = {"MESSAGE", "OPTIONS",   "INFO",   "PRACK", "UPDATE",
                                          "REFER",   "SUBSCRIBE", "NOTIFY", "FROB"};
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        static struct kit_proxy k;
        char want[256];
        open_with_bob(&k);
        KIT_SEND(&k, .method = methods[i]);
        kit_proxy_until(&k, 200);
        snprintf(want, sizeof want, "0 > 192.0.2.12:5060 %s sip:bob@192.0.2.12\n", methods[i]);
        kit_proxy_log(&k, want); /* no 100 */
        kit_answer(&k, BOB, methods[i], 202, "t", NULL);
        snprintf(want, sizeof want, "200 > 192.0.2.11:5060 202 %s\n", methods[i]);
        kit_proxy_log(&k, want);
        assert_int_equal(dt_proxy_objects(k.p), 3); /* two transactions and the REGISTER's */
        kit_answer(&k, BOB, methods[i], 202, "t", NULL);
        kit_proxy_log(&k, ""); /* the transaction is over */
        kit_proxy_quiet(&k);
        kit_proxy_close(&k);
    }
}

static void silence(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with_bob(&k);
    KIT_SEND(&k, .cseq = 1);
    kit_proxy_until(&k, 31900);
    kit_proxy_hush(&k);
    kit_proxy_until(&k, 32000);
    kit_proxy_log(&k, "32000 > 192.0.2.11:5060 408 INVITE\n");
    const char *tag = strstr(kit_header(kit_last(&k, ALICE), "To"), "tag=");
    KIT_SEND(&k, .method = "ACK", .to_tag = tag + 4);
    KIT_SEND(&k, .method = "MESSAGE", .branch = "z9hG4bKm");
    kit_proxy_until(&k, 63900);
    kit_proxy_hush(&k);
    kit_proxy_until(&k, 70000);
    kit_proxy_log(&k, ""); /* RFC 4320: no 408 to non-INVITE */
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* 16.6 step 11, 16.8: timer C, restarted by each 101 to 199. */
static void timer_c(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with_bob(&k);
    KIT_SEND(&k, .cseq = 1);
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_until(&k, 100000);
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_hush(&k);
    kit_proxy_until(&k, 280999);
    kit_proxy_log(&k, "");
    kit_proxy_until(&k, 281000);
    kit_proxy_log(&k, "281000 > 192.0.2.12:5060 CANCEL sip:bob@192.0.2.12\n");
    kit_answer(&k, BOB, "CANCEL", 200, "t", NULL);
    kit_answer(&k, BOB, "INVITE", 487, "t", NULL);
    kit_proxy_log(&k, "281000 > 192.0.2.12:5060 ACK sip:bob@192.0.2.12\n"
                      "281000 > 192.0.2.11:5060 487 INVITE\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* A request over TCP to a phone on UDP: a Record-Route for each side (RFC 5658). */
static void between_transports(void **state)
{
    static struct kit_proxy k;
    struct dt_input in = {.kind = DT_IN_STREAM_OPEN, .accepted = true, .stream = 1};
    (void)state;
    kit_proxy_open(&k, "listen: tcp:192.0.2.1:5062");
    kit_register(&k, BOB, "bob", BOB_URI);
    in.local = kit_at("192.0.2.1:5062");
    in.remote = kit_at("192.0.2.11:40000");
    in.local.transport = in.remote.transport = DT_TCP;
    kit_proxy_input(&k, &in);
    in.kind = DT_IN_STREAM_DATA;
    in.data = dt_str_z(KIT_REQ(.via = "192.0.2.11", .cseq = 1));
    kit_proxy_input(&k, &in);
    const char *record = kit_header(kit_last(&k, BOB), "Record-Route");
    assert_non_null(strstr(record, "<sip:192.0.2.1:5060;lr;dt="));
    assert_non_null(strstr(record, " | <sip:192.0.2.1:5062;transport=tcp;lr;dt="));
    assert_int_equal(strncmp(record, "<sip:192.0.2.1:5060;lr", 22), 0); /* nearer to Bob */
    kit_proxy_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_call),
        cmocka_unit_test(forwarded_request),
        cmocka_unit_test(forwarded_response),
        cmocka_unit_test(repeats_are_absorbed),
        cmocka_unit_test(failure_is_acked_here),
        cmocka_unit_test(other_methods),
        cmocka_unit_test(silence),
        cmocka_unit_test(timer_c),
        cmocka_unit_test(between_transports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
