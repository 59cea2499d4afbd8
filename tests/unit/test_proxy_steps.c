/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a request is answered with before it goes anywhere, as tables. */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define ALICE "192.0.2.11:5060"
#define BOB "192.0.2.12:5060"

static void requests(void **state)
{
    static const struct {
        struct kit_req req;
        int status;          /* 0: forwarded */
        const char *counter; /* that counts it */
    } rows[] = {
        {{.method = "INVITE"}, 0, "forwarded.request"},
        {{.method = "INVITE", .hops = -1}, 0, "forwarded.request"},
        {{.method = "INVITE", .hops = 1}, 0, "forwarded.request"},
        {{.method = "INVITE", .hops = 1000}, 483, "answered.hops"},
        {{.method = "REGISTER", .uri = "sip:example.com", .hops = 1000}, 483, "answered.hops"},
        {{.method = "OPTIONS", .hops = 1000}, 200, "answered.self"}, /* R18 */
        {{.method = "OPTIONS", .uri = "sip:x@elsewhere.net", .hops = 1000}, 200, "answered.self"},
        {{.method = "OPTIONS", .uri = "sip:example.com"}, 200, "answered.self"},
        {{.method = "OPTIONS", .uri = "sip:192.0.2.1:5060"}, 200, "answered.self"},
        {{.method = "OPTIONS"}, 0, "forwarded.request"},
        {{.method = "MESSAGE", .uri = "sip:example.com"}, 404, "answered.self"},
        {{.uri = "sip:nobody@example.com"}, 404, "answered.location"},
        {{.uri = "sip:gone@example.com"}, 480, "answered.location"},
        {{.uri = "sip:x@elsewhere.net"}, 403, "answered.relay"},
        {{.uri = "tel:+4930"}, 416, "answered.sanity"},
        {{.uri = "sips:bob@example.com"}, 416, "answered.sanity"},
        {{.uri = "urn:service:sos"}, 416, "answered.sanity"},
        {{.extra = "Proxy-Require: a, b\r\nProxy-Require: c\r\n"}, 420, "answered.sanity"},
        {{.extra = "Require: a, b\r\n"}, 0, "forwarded.request"}, /* the callee's business */
        {{.method = "CANCEL", .extra = "Proxy-Require: a\r\n"}, 0, "forwarded.request"},
        {{.method = "CANCEL", .uri = "sip:nobody@example.com"}, 481, "answered.cancel"},
        {{.uri = "sip:bob@example.com:5061"}, 403, "answered.relay"}, /* not our port */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct kit_proxy k;
        char want[16];
        kit_proxy_open(&k, NULL);
        kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
        kit_register(&k, BOB, "gone", "sip:gone@192.0.2.12");
        kit_proxy_recv(&k, BOB,
                       KIT_REQ(.method = "REGISTER", .uri = "sip:example.com",
                               .to = "sip:gone@example.com", .branch = "z9hG4bKg", .via = BOB,
                               .extra = "Contact: *\r\nExpires: 0\r\n"));
        kit_proxy_recv(&k, ALICE, kit_req_text(&rows[i].req));
        snprintf(want, sizeof want, "SIP/2.0 %d ", rows[i].status);
        if (kit_count(&k, rows[i].counter) != 1 ||
            (rows[i].status && strncmp(kit_last(&k, ALICE), want, strlen(want))))
            fail_msg("row %zu: %.*s", i, (int)k.log_n, k.log);
        if (rows[i].status == 420)
            assert_string_equal(kit_header(kit_last(&k, ALICE), "Unsupported"), "a, b, c");
        if (rows[i].status == 200)
            assert_non_null(strstr(kit_header(kit_last(&k, ALICE), "Allow"), "INVITE"));
        kit_proxy_close(&k);
    }
}

static void max_forwards(void **state)
{
    static const struct {
        int hops;
        const char *want;
    } rows[] = {{-1, "70"}, {0, "69"}, {1, "0"}, {255, "254"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct kit_proxy k;
        kit_proxy_open(&k, NULL);
        kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
        KIT_SEND(&k, .hops = rows[i].hops);
        assert_string_equal(kit_header(kit_last(&k, BOB), "Max-Forwards"), rows[i].want);
        kit_proxy_close(&k);
    }
}

/* reliability.md 2: caps on what a header can multiply. */
static void header_bombs(void **state)
{
    static const struct {
        const char *line;
        unsigned n;
        bool refused;
    } rows[] = {
        {"Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\n", 99, false},
        {"Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\n", 100, true},
        {"Route: <sip:192.0.2.1;lr>\r\n", 60, false},
        {"Route: <sip:192.0.2.1;lr>\r\n", 61, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct kit_proxy k;
        char extra[6000] = "";
        for (unsigned j = 0; j < rows[i].n; j++)
            strcat(extra, rows[i].line);
        kit_proxy_open(&k, NULL);
        kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
        KIT_SEND(&k, .method = "MESSAGE", .extra = extra);
        struct dt_str log = {k.log, k.log_n};
        if ((dt_str_search(log, DT_STR(" 400 MESSAGE")) < log.n) != rows[i].refused)
            fail_msg("row %zu: %.*s", i, (int)k.log_n, k.log);
        /* more edits than fit are an answer, not a crash */
        assert_int_equal(kit_count(&k, "forwarded.request") + kit_count(&k, "answered.limit"),
                         !rows[i].refused);
        kit_proxy_close(&k);
    }
}

static void listening(void **state)
{
    static struct kit_proxy k;
    (void)state;
    struct dt_input in = {.kind = DT_IN_SOCKET_ERROR, .err = DT_E_INUSE};
    kit_proxy_open(&k, NULL);
    in.local = kit_at("192.0.2.1:5060");
    kit_proxy_input(&k, &in);
    kit_proxy_log(
        &k, "0 ! cannot listen on udp:192.0.2.1:5060: address in use; end the program that has "
            "it, or change listen\n");
    kit_proxy_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(max_forwards),
        cmocka_unit_test(header_bombs),
        cmocka_unit_test(listening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
