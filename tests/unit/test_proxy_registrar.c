/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 3261 10.3, one REGISTER after the other; the snapshot at last. */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define BOB "192.0.2.12:5060"

static void send(struct kit_proxy *k, const char *call_id, unsigned cseq, const char *extra)
{
    char branch[32];
    static unsigned n;
    snprintf(branch, sizeof branch, "z9hG4bK%u", n++);
    kit_proxy_recv(k, BOB,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com",
                           .to = "sip:bob@example.com", .from = "bob", .call_id = call_id,
                           .cseq = cseq, .branch = branch, .extra = extra, .via = BOB));
}

static void steps(void **state)
{
    static const struct {
        const char *call_id;
        unsigned cseq;
        const char *extra;
        int status;
        const char *contacts; /* of a 200 */
    } rows[] = {
        {"c", 1, "", 200, ""},
        {"c", 2, "Contact: <sip:b@h1>\r\n", 200, "<sip:b@h1>;expires=3600"},
        {"c", 2, "Contact: <sip:b@h1>\r\n", 200, "<sip:b@h1>;expires=3600"}, /* R14 */
        {"c", 2, "Contact: <sip:b@h1>;expires=0\r\n", 500, NULL},
        {"c", 3, "Contact: <sip:b@h1>;expires=100, \"B\" <sip:b@h2;x=1>;q=0.5\r\nExpires: 200\r\n",
         200, "<sip:b@h1>;expires=100 | <sip:b@h2;x=1>;expires=200;q=0.500"},
        {"c", 4, "m: sip:b@h3;expires=99999999999\r\n", 200,
         "<sip:b@h1>;expires=100 | <sip:b@h3>;expires=7200 | <sip:b@h2;x=1>;expires=200;q=0.500"},
        {"c", 5, "Contact: <sip:b@h1>;expires=59\r\n", 423, NULL},
        {"c", 6, "Contact: *\r\n", 400, NULL},
        {"c", 6, "Contact: *\r\nExpires: 10\r\n", 400, NULL},
        {"c", 6, "Contact: *, <sip:b@h1>\r\nExpires: 0\r\n", 400, NULL},
        {"c", 6, "Contact: <sip:b@h1\r\n", 400, NULL},
        {"c", 7, "Contact: <sip:b@h2;x=1>\r\nExpires: 0\r\n", 200,
         "<sip:b@h1>;expires=100 | <sip:b@h3>;expires=7200"},
        {"c", 8, "Require: path, gruu, x\r\nContact: <sip:b@h1>\r\n", 420, NULL},
        {"c", 8, "Contact: <sip:b@h1>;expires=rubbish\r\n", 200,
         "<sip:b@h1>;expires=3600 | <sip:b@h3>;expires=7200"},
        {"c", 9, "Contact: *\r\nExpires: 0\r\n", 200, ""},
        {"c", 8, "Contact: <sip:b@h1>\r\n", 500, NULL}, /* late */
        {"d", 1, "Contact: <sip:b@h1>;+sip.instance=\"<urn:uuid:1>\"\r\n", 200,
         "<sip:b@h1>;expires=3600;+sip.instance=\"<urn:uuid:1>\""},
    };
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[16];
        send(&k, rows[i].call_id, rows[i].cseq, rows[i].extra);
        const char *got = kit_last(&k, BOB);
        snprintf(want, sizeof want, "SIP/2.0 %d ", rows[i].status);
        if (strncmp(got, want, strlen(want)) ||
            (rows[i].contacts && strcmp(kit_header(got, "Contact"), rows[i].contacts)))
            fail_msg("row %zu: %.12s \"%s\"", i, got, kit_header(got, "Contact"));
        if (rows[i].status == 423)
            assert_string_equal(kit_header(got, "Min-Expires"), "60");
        if (rows[i].status == 420)
            assert_string_equal(kit_header(got, "Unsupported"), "gruu, x");
        if (rows[i].status == 200)
            assert_string_equal(kit_header(got, "Date"), "Tue, 14 Nov 2023 22:13:20 GMT");
    }
    kit_proxy_close(&k);
}

/* A line serves a second of the wall clock, which may be set back. */
static void dates(void **state)
{
    static const struct {
        dt_time later; /* than in the row before */
        int64_t wall;  /* seconds that the wall clock is moved by */
        const char *date;
    } rows[] = {
        {0, 0, "Tue, 14 Nov 2023 22:13:20 GMT"},
        {999 * DT_MS, 0, "Tue, 14 Nov 2023 22:13:20 GMT"},
        {1 * DT_MS, 0, "Tue, 14 Nov 2023 22:13:21 GMT"},
        {0, 9399, "Wed, 15 Nov 2023 00:50:00 GMT"},
        {0, -9400, "Tue, 14 Nov 2023 22:13:20 GMT"},
    };
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, NULL);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        k.now += rows[i].later;
        k.env.wall_offset += rows[i].wall * DT_SECOND;
        send(&k, "c", 1 + i, "Contact: <sip:b@h1>\r\n");
        assert_string_equal(kit_header(kit_last(&k, BOB), "Date"), rows[i].date);
    }
    kit_proxy_close(&k);
}

static void whose_names(void **state)
{
    static const struct {
        const char *uri, *to;
        int status;
    } rows[] = {
        {"sip:example.com", "sip:bob@example.com", 200},
        {"sip:192.0.2.1", "sip:bob@192.0.2.1", 200}, /* a phone that knows us by address */
        {"sip:192.0.2.1:5060", "sip:b%6Fb@EXAMPLE.com;x=1", 200},
        {"sip:example.com", "sip:bob@elsewhere.net", 404},
        {"sip:example.com", "sip:example.com", 404},
        {"sip:example.com", "tel:+49", 400},
        {"sip:example.com", "isbn:2983792873", 400},
        {"sip:elsewhere.net", "sip:bob@elsewhere.net", 403}, /* no open relay */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct kit_proxy k;
        char want[16];
        kit_proxy_open(&k, NULL);
        kit_proxy_recv(&k, BOB,
                       KIT_REQ(.method = "REGISTER", .uri = rows[i].uri, .to = rows[i].to,
                               .via = BOB, .extra = "Contact: <sip:b@192.0.2.12>\r\n"));
        snprintf(want, sizeof want, "SIP/2.0 %d ", rows[i].status);
        if (strncmp(kit_last(&k, BOB), want, strlen(want)))
            fail_msg("row %zu: %.12s", i, kit_last(&k, BOB));
        if (rows[i].status == 200) { /* all are one user */
            KIT_SEND(&k, .cseq = 1);
            assert_int_equal(strncmp(kit_last(&k, BOB), "INVITE sip:b@192.0.2.12 ", 24), 0);
        }
        kit_proxy_close(&k);
    }
}

/* RFC 3327: what registers through an edge is reached through it. */
static void path(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, NULL);
    send(&k, "c", 1,
         "Contact: <sip:b@10.0.0.9>\r\nPath: <sip:192.0.2.30;lr>\r\nSupported: path\r\n"
         "Path: <sip:192.0.2.31:5080;lr>\r\n");
    assert_string_equal(kit_header(kit_last(&k, BOB), "Path"),
                        "<sip:192.0.2.30;lr>, <sip:192.0.2.31:5080;lr>");
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "MESSAGE");
    kit_proxy_log(&k, "0 > 192.0.2.30:5060 MESSAGE sip:b@10.0.0.9\n");
    assert_string_equal(kit_header(kit_last(&k, "192.0.2.30:5060"), "Route"),
                        "<sip:192.0.2.30;lr>, <sip:192.0.2.31:5080;lr>");
    kit_proxy_close(&k);
}

static void limits(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, "max_contacts: 2\nmax_bindings: 3\n");
    send(&k, "c", 1, "Contact: <sip:b@h1>, <sip:b@h2>\r\n");
    send(&k, "c", 2, "Contact: <sip:b@h3>\r\n");
    assert_int_equal(strncmp(kit_last(&k, BOB), "SIP/2.0 403", 11), 0);
    kit_register(&k, "192.0.2.13:5060", "carol", "sip:carol@192.0.2.13");
    kit_proxy_recv(&k, "192.0.2.14:5060",
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com",
                           .to = "sip:dan@example.com", .branch = "z9hG4bKd",
                           .via = "192.0.2.14:5060", .extra = "Contact: <sip:d@192.0.2.14>\r\n"));
    assert_int_equal(strncmp(kit_last(&k, "192.0.2.14:5060"), "SIP/2.0 503", 11), 0);
    assert_string_equal(kit_header(kit_last(&k, "192.0.2.14:5060"), "Retry-After"), "60");
    kit_proxy_close(&k);
}

/* More than a response buffer of the usual size holds. */
static void many_long_contacts(void **state)
{
    static struct kit_proxy k;
    char extra[4096];
    (void)state;
    kit_proxy_open(&k, NULL);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(extra, sizeof extra, "Contact: <sip:%0200u@h>\r\n", i);
        send(&k, "c", i + 1, extra);
    }
    const char *got = kit_last(&k, BOB);
    assert_int_equal(strncmp(got, "SIP/2.0 200", 11), 0);
    assert_true(strlen(got) > 2200);
    kit_proxy_close(&k);
}

static void run_out(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, NULL);
    send(&k, "c", 1, "Contact: <sip:b@192.0.2.12>;expires=60\r\n");
    kit_proxy_until(&k, 59999);
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "MESSAGE");
    kit_proxy_log(&k, "59999 > 192.0.2.12:5060 MESSAGE sip:b@192.0.2.12\n");
    kit_answer(&k, BOB, "MESSAGE", 200, "t", NULL);
    kit_proxy_until(&k, 60001);
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "MESSAGE", .branch = "z9hG4bK2");
    kit_proxy_log(&k, "60001 > 192.0.2.11:5060 404 MESSAGE\n");
    kit_proxy_close(&k);
}

static void snapshot_and_restore(void **state)
{
    static struct kit_proxy k, l;
    struct dt_bytes *text, *none;
    bool changed;
    unsigned bad;
    (void)state;
    kit_proxy_open(&k, NULL);
    assert_int_equal(dt_proxy_snapshot(k.p, k.now, &changed, &text), DT_OK);
    assert_false(changed);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    kit_register(&k, BOB, "carol", "sip:carol@192.0.2.13");
    assert_int_equal(dt_proxy_snapshot(k.p, k.now, &changed, &text), DT_OK);
    assert_true(changed);
    assert_int_equal(dt_proxy_snapshot(k.p, k.now, &changed, &none), DT_OK);
    assert_false(changed);
    kit_proxy_open(&l, NULL);
    assert_int_equal(dt_proxy_restore(l.p, l.now, dt_bytes_str(text), &bad), DT_OK);
    assert_int_equal(bad, 0);
    dt_bytes_drop(text);
    assert_int_equal(kit_count(&l, "location.bindings"), 2);
    /* R2: the node restarted sends the same branch for the same request */
    char via[256];
    KIT_SEND(&k, .cseq = 1);
    snprintf(via, sizeof via, "%s", kit_header(kit_last(&k, BOB), "Via"));
    KIT_SEND(&l, .cseq = 1);
    assert_string_equal(kit_header(kit_last(&l, BOB), "Via"), via);
    kit_proxy_close(&k);
    kit_proxy_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),       cmocka_unit_test(dates),
        cmocka_unit_test(whose_names), cmocka_unit_test(path),
        cmocka_unit_test(limits),      cmocka_unit_test(many_long_contacts),
        cmocka_unit_test(run_out),     cmocka_unit_test(snapshot_and_restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
