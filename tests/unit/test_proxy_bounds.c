/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS on the way, streams, limits (I37), and every allocation failing in turn (I39). */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define ALICE "192.0.2.11:5060"
#define BOB "192.0.2.12:5060"

static void open_to_name(struct kit_proxy *k)
{
    kit_proxy_open(k, NULL);
    kit_register(k, ALICE, "alice", "sip:alice@192.0.2.11");
    KIT_SEND(k, .uri = "sip:x@gw.example.org:5070");
}

/* Answers the last question with IPv4 addresses; none: no such name. */
static void resolve(struct kit_proxy *k, const char *const *ips, size_t n)
{
    struct dt_dns_record records[4];
    struct dt_dns_answer a = {.id = k->dns_id,
                              .type = k->dns_type,
                              .status = n ? DT_DNS_FOUND : DT_DNS_NO_NAME,
                              .records = records,
                              .n = n};
    for (size_t i = 0; i < n; i++) {
        struct dt_addr addr = kit_at(ips[i]);
        records[i] = (struct dt_dns_record){.type = DT_DNS_A, .ttl = 60};
        memcpy(records[i].ip, addr.ip, sizeof addr.ip);
    }
    kit_proxy_input(k, &(struct dt_input){.kind = DT_IN_DNS, .dns = &a});
}

/* R9: 100 leaves with the request, or after 150 ms. */
static void quick_and_slow_names(void **state)
{
    static const char *const ip[] = {"192.0.2.50"};
    static struct kit_proxy k;
    (void)state;
    open_to_name(&k);
    kit_proxy_log(&k, "0 ? 1 gw.example.org\n");
    kit_proxy_until(&k, 100);
    resolve(&k, ip, 1);
    kit_proxy_log(&k, "100 > 192.0.2.11:5060 100 INVITE\n"
                      "100 > 192.0.2.50:5070 INVITE sip:x@gw.example.org:5070\n");
    kit_answer(&k, "192.0.2.50:5070", "INVITE", 486, "t", NULL);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
    open_to_name(&k);
    kit_proxy_until(&k, 400);
    kit_proxy_log(&k, "0 ? 1 gw.example.org\n150 > 192.0.2.11:5060 100 INVITE\n");
    resolve(&k, ip, 1);
    kit_proxy_log(&k, "400 > 192.0.2.50:5070 INVITE sip:x@gw.example.org:5070\n");
    kit_answer(&k, "192.0.2.50:5070", "INVITE", 486, "t", NULL);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

static void no_such_name(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_to_name(&k);
    kit_proxy_hush(&k);
    resolve(&k, NULL, 0);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 500 INVITE\n");
    kit_proxy_quiet(&k);
    assert_int_equal(kit_count(&k, "answered.unreachable"), 1);
    kit_proxy_close(&k);
}

static void cancelled_while_resolving(void **state)
{
    static const char *const ip[] = {"192.0.2.50"};
    static struct kit_proxy k;
    (void)state;
    open_to_name(&k);
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "CANCEL", .uri = "sip:x@gw.example.org:5070");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 200 CANCEL\n"
                      "0 > 192.0.2.11:5060 487 INVITE\n");
    resolve(&k, ip, 1);
    kit_proxy_log(&k, "");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* RFC 3263 4.3: the next server, with a new branch; not after a provisional. */
static void next_server(void **state)
{
    static const char *const ips[] = {"192.0.2.50", "192.0.2.51"};
    static struct kit_proxy k;
    char first[256];
    (void)state;
    open_to_name(&k);
    resolve(&k, ips, 2);
    snprintf(first, sizeof first, "%s", kit_header(kit_last(&k, "192.0.2.50:5070"), "Via"));
    kit_proxy_hush(&k);
    kit_answer(&k, "192.0.2.50:5070", "INVITE", 503, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.50:5070 ACK sip:x@gw.example.org:5070\n"
                      "0 > 192.0.2.51:5070 INVITE sip:x@gw.example.org:5070\n");
    assert_string_not_equal(kit_header(kit_last(&k, "192.0.2.51:5070"), "Via"), first);
    kit_answer(&k, "192.0.2.51:5070", "INVITE", 503, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.51:5070 ACK sip:x@gw.example.org:5070\n"
                      "0 > 192.0.2.11:5060 500 INVITE\n"); /* 503 -> 500 (16.7 step 6) */
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
    open_to_name(&k);
    resolve(&k, ips, 2);
    kit_answer(&k, "192.0.2.50:5070", "INVITE", 180, "t", NULL);
    kit_proxy_hush(&k);
    kit_answer(&k, "192.0.2.50:5070", "INVITE", 503, "t", NULL);
    kit_proxy_log(&k, "0 > 192.0.2.50:5070 ACK sip:x@gw.example.org:5070\n"
                      "0 > 192.0.2.11:5060 500 INVITE\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
    open_to_name(&k);
    resolve(&k, ips, 2);
    kit_proxy_until(&k, 31999);
    kit_proxy_hush(&k);
    kit_proxy_until(&k, 32000);
    kit_proxy_log(&k, "32000 > 192.0.2.51:5070 INVITE sip:x@gw.example.org:5070\n");
    kit_answer(&k, "192.0.2.51:5070", "INVITE", 404, "t", NULL);
    kit_proxy_log(&k, "32000 > 192.0.2.51:5070 ACK sip:x@gw.example.org:5070\n"
                      "32000 > 192.0.2.11:5060 404 INVITE\n");
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* ---- streams ---- */

static void on_stream(struct kit_proxy *k, enum dt_input_kind kind, const char *text)
{
    struct dt_input in = {.kind = kind, .accepted = true, .stream = 1, .err = DT_E_CLOSED};
    in.local = kit_at("192.0.2.1:5060");
    in.remote = kit_at("192.0.2.12:40000");
    in.local.transport = in.remote.transport = DT_TCP;
    in.data = dt_str_z(text);
    kit_proxy_input(k, &in);
}

static void open_with_tcp_bob(struct kit_proxy *k)
{
    kit_proxy_open(k, "listen: tcp:192.0.2.1:5060\n");
    on_stream(k, DT_IN_STREAM_OPEN, NULL);
    char text[2048];
    snprintf(text, sizeof text, "%s",
             KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .to = "sip:bob@example.com",
                     .via = "192.0.2.12:5062",
                     .extra = "Contact: <sip:bob@192.0.2.12:5062;transport=tcp>\r\n"));
    memcpy(strstr(text, "UDP"), "TCP", 3);
    on_stream(k, DT_IN_STREAM_DATA, text);
    kit_proxy_log(k, "0 > stream 1 SIP/2.0 200 OK\n");
}

/* A phone that registered over a stream is called by that stream, and else at its Contact. */
static void calls_by_the_flow(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_with_tcp_bob(&k);
    KIT_SEND(&k, .method = "MESSAGE");
    kit_proxy_log(&k, "0 > stream 1 MESSAGE sip:bob@192.0.2.12:5062;transport=tcp SIP/2.0\n");
    const char *via = kit_header(k.sent[k.n_sent - 1].bytes->data, "Via");
    assert_int_equal(strncmp(via, "SIP/2.0/TCP 192.0.2.1:5060;branch=", 34), 0);
    on_stream(&k, DT_IN_STREAM_CLOSED, NULL); /* at once at its Contact (RFC 3263 4.3) */
    kit_proxy_log(&k, "0 connect 192.0.2.12:5062\n");
    kit_proxy_close(&k);
    open_with_tcp_bob(&k);
    on_stream(&k, DT_IN_STREAM_CLOSED, NULL);
    KIT_SEND(&k, .method = "MESSAGE");
    kit_proxy_log(&k, "0 connect 192.0.2.12:5062\n");
    kit_proxy_close(&k);
}

/* ---- limits ---- */

static void too_many_transactions(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, "max_transactions: 10\n");
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    for (int i = 0; i < 12; i++) {
        char branch[32];
        snprintf(branch, sizeof branch, "z9hG4bKn%d", i);
        KIT_SEND(&k, .method = "MESSAGE", .branch = branch);
    }
    assert_int_equal(strncmp(kit_last(&k, ALICE), "SIP/2.0 503", 11), 0);
    assert_string_not_equal(kit_header(kit_last(&k, ALICE), "Retry-After"), "");
    kit_answer(&k, BOB, "MESSAGE", 200, "t", NULL); /* what is under way goes on */
    assert_int_equal(strncmp(kit_last(&k, ALICE), "SIP/2.0 200", 11), 0);
    kit_proxy_quiet(&k);
    KIT_SEND(&k, .method = "MESSAGE", .branch = "z9hG4bKlater");
    assert_int_equal(strncmp(kit_last(&k, BOB), "MESSAGE", 7), 0);
    kit_proxy_close(&k);
}

/* ---- memory ---- */

/* A day in the proxy's life; returns whether the call got through. */
static bool scenario(struct kit_proxy *k)
{
    static const char *const ip[] = {"192.0.2.50"};
    char bye[2048];
    if (!kit_proxy_try(k, NULL))
        return false;
    static const char *const contacts[][2] = {{"sip:bob@example.com", "sip:bob@192.0.2.12"},
                                              {"sip:bob@example.com", "sip:bob@192.0.2.13"},
                                              {"sip:carol@example.com", "sip:c@name.example:5070"}};
    for (unsigned i = 0; i < 3; i++) {
        char extra[128], branch[32];
        snprintf(extra, sizeof extra, "Contact: <%s>\r\n", contacts[i][1]);
        snprintf(branch, sizeof branch, "z9hG4bKr%u", i);
        kit_proxy_recv(k, BOB,
                       KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .via = BOB,
                               .to = contacts[i][0], .extra = extra, .branch = branch,
                               .call_id = branch));
    }
    KIT_SEND(k, .method = "MESSAGE", .branch = "z9hG4bKm");
    KIT_SEND(k, .cseq = 1);
    KIT_SEND(k, .method = "MESSAGE", .uri = "sip:carol@example.com", .branch = "z9hG4bKn");
    if (k->dns_id)
        resolve(k, ip, 1);
    kit_proxy_until(k, 1000);
    struct dt_str all = {k->log, k->log_n};
    bool through = dt_str_search(all, DT_STR("192.0.2.12:5060 INVITE")) < all.n &&
                   dt_str_search(all, DT_STR("192.0.2.13:5060 INVITE")) < all.n;
    if (through) {
        kit_answer(k, BOB, "INVITE", 180, "t", NULL);
        kit_answer(k, "192.0.2.13:5060", "INVITE", 407, "t", "Proxy-Authenticate: Digest x\r\n");
        kit_answer(k, BOB, "INVITE", 200, "t", NULL);
    }
    snprintf(bye, sizeof bye, "%s", KIT_REQ(.method = "BYE", .branch = "z9hG4bKbye"));
    kit_proxy_recv(k, ALICE, bye);
    kit_proxy_until(k, 200000);
    return through && dt_str_search((struct dt_str){k->log, k->log_n},
                                    DT_STR("192.0.2.11:5060 200 INVITE")) < k->log_n;
}

/* I39: an error answer or a drop, no leak, and it works again afterwards. */
static void every_allocation_may_fail(void **state)
{
    static struct kit_proxy k;
    (void)state;
    size_t calls = 0;
    for (size_t n = 0; n <= calls; n++) {
        k.mem.fail_at = n;
        bool through = scenario(&k);
        if (!n && !through)
            fail_msg("%.*s", (int)k.log_n, k.log);
        if (!n) {
            assert_true(through);
            calls = k.mem.calls;
            assert_true(calls > 50);
        }
        k.mem.fail_at = 0;
        if (k.p) {
            assert_int_equal(dt_proxy_objects(k.p), 0);
            kit_register(&k, "192.0.2.14:5060", "dan", "sip:dan@192.0.2.14");
            KIT_SEND(&k, .method = "MESSAGE", .uri = "sip:dan@example.com", .branch = "z9hG4bKz");
            kit_answer(&k, "192.0.2.14:5060", "MESSAGE", 200, "t", NULL);
            assert_int_equal(strncmp(kit_last(&k, ALICE), "SIP/2.0 200", 11), 0);
            kit_proxy_quiet(&k);
        }
        kit_proxy_close(&k);
    }
}

/* What lacks memory when the caller hangs up is done a little later: the callee stops to ring. */
static void a_cancel_without_memory(void **state)
{
    static struct kit_proxy k;
    unsigned late = 0;
    (void)state;
    for (size_t n = 1; n <= 12; n++) {
        kit_proxy_open(&k, NULL);
        kit_register(&k, "192.0.2.12:5060", "bob", "sip:bob@192.0.2.12");
        KIT_SEND(&k, .method = "INVITE");
        kit_answer(&k, "192.0.2.12:5060", "INVITE", 180, "t", NULL);
        k.mem.fail_at = k.mem.calls + n;
        KIT_SEND(&k, .method = "CANCEL");
        k.mem.fail_at = 0;
        late += !kit_has_request(&k, "192.0.2.12:5060", "CANCEL");
        kit_proxy_until(&k, 500); /* T1: it is tried again, or the caller's comes again */
        KIT_SEND(&k, .method = "CANCEL");
        assert_true(kit_has_request(&k, "192.0.2.12:5060", "CANCEL"));
        kit_answer(&k, "192.0.2.12:5060", "INVITE", 487, "t", NULL);
        kit_proxy_until(&k, 200000);
        assert_int_equal(dt_proxy_objects(k.p), 0);
        kit_proxy_close(&k);
    }
    assert_true(late > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_and_slow_names),      cmocka_unit_test(no_such_name),
        cmocka_unit_test(cancelled_while_resolving), cmocka_unit_test(next_server),
        cmocka_unit_test(calls_by_the_flow),         cmocka_unit_test(too_many_transactions),
        cmocka_unit_test(every_allocation_may_fail), cmocka_unit_test(a_cancel_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
