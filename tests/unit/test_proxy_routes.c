/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Route, Record-Route, loops, and who may be relayed (RFC 3261 16.4 to 16.6, RFC 5393). */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define ALICE "192.0.2.11:5060"
#define BOB "192.0.2.12:5060"

/* The token of call c1 under the kit's key, from our own Record-Route. */
static const char *token(void)
{
    static char text[32];
    static struct kit_proxy k;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    KIT_SEND(&k, .cseq = 1);
    const char *p = strstr(kit_header(kit_last(&k, BOB), "Record-Route"), "dt=");
    snprintf(text, sizeof text, "%.16s", p + 3);
    kit_proxy_close(&k);
    return text;
}

/* What goes where; T stands for the token. */
static void routing(void **state)
{
    static const struct {
        const char *uri, *extra;
        const char *log;
        const char *route; /* of what was sent; NULL: not looked at */
    } rows[] = {
        /* our own value is taken off; the Request-URI is elsewhere */
        {"sip:x@192.0.2.40", "Route: <sip:192.0.2.1:5060;lr;dt=T>\r\n",
         "> 192.0.2.40:5060 BYE sip:x@192.0.2.40", ""},
        /* by name, address of another node, without port, two lines, three of them */
        {"sip:x@192.0.2.40",
         "Route: <sip:192.0.2.2;lr;dt=T>, <sip:EXAMPLE.com;lr>\r\nRoute: <sip:192.0.2.1;lr>\r\n",
         "> 192.0.2.40:5060 BYE sip:x@192.0.2.40", ""},
        /* more routes behind ours: loose */
        {"sip:x@192.0.2.40",
         "Route: <sip:192.0.2.1;lr;dt=T>, \"N\" <sip:192.0.2.50:5070;lr>\r\nRoute: "
         "<sip:192.0.2.51;lr>\r\n",
         "> 192.0.2.50:5070 BYE sip:x@192.0.2.40",
         "\"N\" <sip:192.0.2.50:5070;lr> | <sip:192.0.2.51;lr>"},
        /* the next hop is strict: it gets its own URI (16.6 step 6) */
        {"sip:x@192.0.2.40",
         "Route: <sip:192.0.2.1;lr;dt=T>, <sip:192.0.2.50>, <sip:192.0.2.51;lr>\r\n",
         "> 192.0.2.50:5060 BYE sip:192.0.2.50", "<sip:192.0.2.51;lr>, <sip:x@192.0.2.40>"},
        /* a strict router was before us (16.4) */
        {"sip:192.0.2.1:5060;lr;dt=T", "Route: <sip:192.0.2.50;lr>, <sip:x@192.0.2.40>\r\n",
         "> 192.0.2.50:5060 BYE sip:x@192.0.2.40", "<sip:192.0.2.50;lr>"},
        {"sip:192.0.2.1:5060;lr;dt=T", "Route: <sip:x@192.0.2.40>\r\n",
         "> 192.0.2.40:5060 BYE sip:x@192.0.2.40", ""},
        /* to a user of ours, by whatever name of ours */
        {"sip:bob@192.0.2.1", "", "> 192.0.2.12:5060 BYE sip:bob@192.0.2.12", ""},
        {"sip:b%6fb@EXAMPLE.COM:5060;a=1", "Route: <sip:192.0.2.1;lr>\r\n",
         "> 192.0.2.12:5060 BYE sip:bob@192.0.2.12", ""},
        /* maddr decides where, not what */
        {"sip:x@192.0.2.40;maddr=192.0.2.41", "Route: <sip:192.0.2.1;lr;dt=T>\r\n",
         "> 192.0.2.41:5060 BYE sip:x@192.0.2.40;maddr=192.0.2.41", ""},
        /* no open relay: without a token, with a wrong one, with one of another call */
        {"sip:x@192.0.2.40", "", "> 192.0.2.11:5060 403 BYE", NULL},
        {"sip:x@192.0.2.40", "Route: <sip:192.0.2.1;lr>\r\n", "> 192.0.2.11:5060 403 BYE", NULL},
        {"sip:x@192.0.2.40", "Route: <sip:192.0.2.1;lr;dt=0123456789abcdef>\r\n",
         "> 192.0.2.11:5060 403 BYE", NULL},
        {"sip:bob@example.com", "Route: <sip:192.0.2.50;lr>\r\n", "> 192.0.2.11:5060 403 BYE",
         NULL},
        /* nonsense */
        {"sip:x@192.0.2.40", "Route: <sip:192.0.2.1;lr\r\n", "> 192.0.2.11:5060 400 BYE", NULL},
        {"sip:x@0.0.0.0", "Route: <sip:192.0.2.1;lr;dt=T>\r\n", "> 192.0.2.11:5060 500 BYE", NULL},
        {"sip:x@[2001:db8::1]", "Route: <sip:192.0.2.1;lr;dt=T>\r\n", "> 192.0.2.11:5060 500 BYE",
         NULL},
    };
    const char *t = token();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct kit_proxy k;
        char uri[256], extra[512], want[256];
        const char *p = strstr(rows[i].uri, "=T"), *q = strstr(rows[i].extra, "=T");
        snprintf(uri, sizeof uri, "%.*s%s%s", p ? (int)(p - rows[i].uri + 1) : 256, rows[i].uri,
                 p ? t : "", p ? p + 2 : "");
        snprintf(extra, sizeof extra, "%.*s%s%s", q ? (int)(q - rows[i].extra + 1) : 512,
                 rows[i].extra, q ? t : "", q ? q + 2 : "");
        unsigned bad;
        kit_proxy_open(&k, "peer: 192.0.2.2\n");
        assert_int_equal(dt_proxy_restore(k.p, 0, DT_STR("dualtone-location 1\n"), &bad), DT_OK);
        kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
        KIT_SEND(&k, .method = "BYE", .uri = uri, .extra = extra, .to_tag = "t",
                 .to = "sip:bob@example.com");
        snprintf(want, sizeof want, "0 %s\n", rows[i].log);
        if (!dt_str_eq((struct dt_str){k.log, k.log_n}, dt_str_z(want)))
            fail_msg("row %zu: %.*s", i, (int)k.log_n, k.log);
        const char *route = kit_header(k.sent[k.n_sent - 1].bytes->data, "Route");
        if (rows[i].route && strcmp(route, rows[i].route))
            fail_msg("row %zu: Route %s", i, route);
        kit_proxy_close(&k);
    }
}

/* An ACK has no answer: what may not be relayed is dropped. */
static void acks(void **state)
{
    static struct kit_proxy k;
    char extra[128];
    (void)state;
    snprintf(extra, sizeof extra, "Route: <sip:192.0.2.1;lr;dt=%s>\r\n", token());
    kit_proxy_open(&k, NULL);
    KIT_SEND(&k, .method = "ACK", .uri = "sip:x@192.0.2.40", .extra = extra);
    kit_proxy_log(&k, "0 > 192.0.2.40:5060 ACK sip:x@192.0.2.40\n");
    KIT_SEND(&k, .method = "ACK", .uri = "sip:x@192.0.2.40");
    KIT_SEND(&k, .method = "ACK", .uri = "sip:nobody@example.com");
    KIT_SEND(&k, .method = "ACK", .uri = "sip:x@192.0.2.40", .extra = extra, .hops = 1000);
    KIT_SEND(&k, .method = "ACK", .uri = "sip:x@0.0.0.0", .extra = extra);
    KIT_SEND(&k, .method = "ACK", .uri = "sip:x@name.example", .extra = extra); /* DNS: not kept */
    kit_proxy_hush(&k);
    assert_int_equal(kit_count(&k, "dropped.ack"), 5);
    assert_int_equal(kit_count(&k, "forwarded.ack"), 1);
    kit_proxy_close(&k);
}

/* Without passwords, who calls from where he is registered is known. */
static void registered_callers(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, ALICE, "alice", "sip:alice@192.0.2.11");
    KIT_SEND(&k, .uri = "sip:x@192.0.2.40");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 100 INVITE\n"
                      "0 > 192.0.2.40:5060 INVITE sip:x@192.0.2.40\n");
    kit_proxy_recv(&k, "192.0.2.66:5060", KIT_REQ(.uri = "sip:x@192.0.2.40", .branch = "z9hG4bK2"));
    kit_proxy_log(&k, "0 > 192.0.2.66:5060 403 INVITE\n");
    KIT_SEND(&k, .uri = "sip:x@192.0.2.40", .from = "bob", .branch = "z9hG4bK3");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 403 INVITE\n");
    kit_proxy_close(&k);
}

/* ---- loops ---- */

/* Bob's binding leads back to us: the second pass is seen (RFC 5393 4.2.2). */
static void loop_is_found(void **state)
{
    static struct kit_proxy k;
    char copy[4096];
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.1:5060;round=1");
    KIT_SEND(&k, .method = "MESSAGE");
    kit_proxy_log(&k, "0 > 192.0.2.1:5060 MESSAGE sip:bob@192.0.2.1:5060;round=1\n");
    snprintf(copy, sizeof copy, "%s", kit_last(&k, "192.0.2.1:5060"));
    kit_proxy_recv(&k, "192.0.2.1:5060", copy);
    kit_proxy_log(&k, "0 > 192.0.2.1:5060 482 MESSAGE\n");
    assert_int_equal(kit_count(&k, "answered.loop"), 1);
    kit_proxy_close(&k);
}

/* The INVITE that it cancels has ended by 482, and so it finds none (RFC 3261 9.2). */
static void cancel_that_loops(void **state)
{
    static struct kit_proxy k;
    char extra[512];
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.1:5060");
    KIT_SEND(&k, .method = "INVITE");
    const char *ours = kit_header(kit_last(&k, "192.0.2.1:5060"), "Via");
    snprintf(extra, sizeof extra, "Via: %.*s\r\n", (int)(strstr(ours, " | ") - ours), ours);
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "CANCEL", .branch = "z9hG4bK2", .extra = extra);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 481 CANCEL\n");
    assert_int_equal(kit_count(&k, "answered.loop"), 1);
    kit_proxy_close(&k);
}

/* Another user each time is a spiral, and goes on. */
static void spiral_is_none(void **state)
{
    static struct kit_proxy k;
    char copy[4096];
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:carol@192.0.2.1:5060");
    kit_register(&k, BOB, "carol", "sip:carol@192.0.2.13");
    KIT_SEND(&k, .method = "MESSAGE");
    snprintf(copy, sizeof copy, "%s", kit_last(&k, "192.0.2.1:5060"));
    kit_proxy_hush(&k);
    kit_proxy_recv(&k, "192.0.2.1:5060", copy);
    kit_proxy_log(&k, "0 > 192.0.2.13:5060 MESSAGE sip:carol@192.0.2.13\n");
    kit_proxy_close(&k);
}

/* A Via of somebody else that looks like ours, and ours with another sent-by. */
static void foreign_vias(void **state)
{
    static struct kit_proxy k;
    char extra[512], via[256];
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    KIT_SEND(&k, .method = "MESSAGE");
    const char *ours = kit_header(kit_last(&k, BOB), "Via");
    snprintf(via, sizeof via, "%.*s", (int)(strstr(ours, " | ") - ours), ours);
    snprintf(extra, sizeof extra, "Via: %s\r\n", via);
    KIT_SEND(&k, .method = "MESSAGE", .branch = "z9hG4bK2", .extra = extra);
    assert_int_equal(kit_count(&k, "answered.loop"), 1);
    char *host = strstr(extra, "192.0.2.1:");
    memcpy(host, "192.0.2.9:", 10);
    KIT_SEND(&k, .method = "MESSAGE", .branch = "z9hG4bK3", .extra = extra);
    assert_int_equal(kit_count(&k, "answered.loop"), 1);
    kit_proxy_close(&k);
}

/* The phone calls each node by that node's address; the branch does not tell them apart (R2). */
static void nodes_of_a_cluster(void **state)
{
    static struct kit_proxy p, s;
    char via[512];
    (void)state;
    kit_proxy_open(&p, "cluster_address: 192.0.2.1\n");
    kit_proxy_open(&s, "cluster_address: 192.0.2.1\nlisten: udp:192.0.2.2:5060\n");
    kit_register(&p, BOB, "bob", "sip:bob@192.0.2.12");
    kit_register(&s, BOB, "bob", "sip:bob@192.0.2.12");
    KIT_SEND(&p, .uri = "sip:bob@192.0.2.1", .to = "sip:bob@example.com");
    s.local = kit_at("192.0.2.2:5060");
    kit_proxy_recv(&s, "192.0.2.77:999",
                   KIT_REQ(.uri = "sip:bob@192.0.2.2", .to = "sip:bob@example.com"));
    snprintf(via, sizeof via, "%.70s", kit_header(kit_last(&p, BOB), "Via"));
    assert_int_equal(strncmp(kit_header(kit_last(&s, BOB), "Via"), via, strlen(via)), 0);
    assert_non_null(
        strstr(kit_header(kit_last(&s, BOB), "Record-Route"), "<sip:192.0.2.2:5060;lr"));
    kit_proxy_close(&p);
    kit_proxy_close(&s);
}

/* 16.6, step 2: what a contact has behind '?' is no part of a Request-URI, and no header either
 * (RFC 4475 3.3.14). A '?' in the user part is another matter. */
static void headers_of_a_contact(void **state)
{
    static const struct {
        const char *contact, *uri;
    } rows[] = {
        {"sip:bob@192.0.2.12?Route=%3Csip:192.0.2.9%3E", "sip:bob@192.0.2.12"},
        {"sip:bob@192.0.2.12;a=1?b=2&c=3", "sip:bob@192.0.2.12;a=1"},
        {"sip:b?ob@192.0.2.12", "sip:b?ob@192.0.2.12"},
        {"sip:b?ob@192.0.2.12?x=y", "sip:b?ob@192.0.2.12"},
    };
    static struct kit_proxy k;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[80];
        kit_proxy_open(&k, NULL);
        kit_register(&k, BOB, "bob", rows[i].contact);
        KIT_SEND(&k, .method = "MESSAGE");
        snprintf(line, sizeof line, "MESSAGE %s SIP/2.0\r\n", rows[i].uri);
        struct dt_str sent = dt_str_z(kit_last(&k, BOB));
        kit_assert_str(dt_str_sub(sent, 0, strlen(line)), line);
        assert_int_equal(dt_str_search(sent, DT_STR("192.0.2.9")), sent.n);
        kit_proxy_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routing),
        cmocka_unit_test(acks),
        cmocka_unit_test(registered_callers),
        cmocka_unit_test(loop_is_found),
        cmocka_unit_test(cancel_that_loops),
        cmocka_unit_test(spiral_is_none),
        cmocka_unit_test(foreign_vias),
        cmocka_unit_test(nodes_of_a_cluster),
        cmocka_unit_test(headers_of_a_contact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
