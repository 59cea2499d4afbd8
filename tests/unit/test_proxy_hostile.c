/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who wants a node to send where it should not, to move a call, or to do too much: forged and
 * repeated dv, Dualtone-Copy, Dualtone-Node, ICMP errors, credentials, and all callers at once.
 * Each destination is checked (I23), each drop has a counter and an event. */
#include "proxy_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/digest.h"
#include "store/subscribers.h"

#define ALICE "192.0.2.11:5060"
#define BOB "192.0.2.12:5060"
#define MALLORY "192.0.2.66:5060"

static struct kit_proxy k, s;

/* Everything that was sent since `from` went to one of those. */
static void assert_only_to(const struct kit_proxy *n, size_t from, const char *a, const char *b)
{
    struct dt_addr good[2] = {kit_at(a), kit_at(b)};
    for (size_t i = from; i < n->n_sent; i++) {
        struct dt_addr to = n->sent[i].to;
        to.transport = DT_UDP;
        if (!dt_addr_eq(&to, &good[0]) && !dt_addr_eq(&to, &good[1]))
            fail_msg("sent elsewhere: %.80s", n->sent[i].bytes->data);
    }
}

static void forget(void)
{
    kit_proxy_input(&k, &(struct dt_input){.kind = DT_IN_WOKE, .age = 5 * DT_SECOND});
    kit_proxy_hush(&k);
}

/* ---- dv ---- */

/* The Via list of Bob's copy of the call `branch`: ours and Alice's. */
static void vias_of(const char *branch, char ours[512], char below[512])
{
    KIT_SEND(&k, .branch = branch, .call_id = branch);
    const char *all = kit_header(kit_last(&k, BOB), "Via");
    const char *bar = strstr(all, " | ");
    if (bar) {
        snprintf(ours, 512, "%.*s", (int)(bar - all), all);
        snprintf(below, 512, "%s", bar + 3);
    } else {
        const char *comma = strchr(all, ',');
        assert_non_null(comma);
        snprintf(ours, 512, "%.*s", (int)(comma - all), all);
        snprintf(below, 512, "%s", comma + 1);
    }
}

static void respond(const char *from, const char *ours, const char *below)
{
    static char text[8192];
    snprintf(text, sizeof text,
             "SIP/2.0 200 OK\r\nVia: %s\r\nVia: %s\r\n"
             "From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>;tag=t\r\n"
             "Call-ID: z9hG4bKone\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
             ours, below);
    kit_proxy_recv(&k, from, text);
}

static void forged_dv(void **state)
{
    char ours[512], below[512], other[512], ignored[512], bad[4096];
    static const char *const belows[] = {
        "SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bKone",
        "SIP/2.0/UDP 192.0.2.11:5061;branch=z9hG4bKone",
        "SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKtwo",
        "SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKone;received=192.0.2.66",
        "SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKone;maddr=192.0.2.66;received=192.0.2.66",
        "SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKone;rport=6000",
        "SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKone;received=255.255.255.255",
        "SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKm, SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKone",
    };
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    vias_of("z9hG4bKtwo", other, ignored);
    vias_of("z9hG4bKone", ours, below);
    forget();
    size_t sent = k.n_sent;
    unsigned tried = 0;
    for (size_t i = 0; i < sizeof belows / sizeof belows[0]; i++, tried++)
        respond(MALLORY, ours, belows[i]);
    respond(MALLORY, other, below), tried++; /* the MAC of another branch */
    snprintf(bad, sizeof bad, "%s", ours);
    char *dv = strstr(bad, "dv=") + 3;
    *dv = *dv == '1' ? 'n' : '1'; /* the flag */
    respond(MALLORY, bad, below), tried++;
    for (size_t n = strlen(ours); n-- > (size_t)(dv - bad) + 1;) { /* cut off */
        snprintf(bad, sizeof bad, "%.*s", (int)n, ours);
        respond(MALLORY, bad, below), tried++;
    }
    snprintf(bad, sizeof bad, "%s%03000d", ours, 0); /* very long */
    respond(MALLORY, bad, below), tried++;
    snprintf(bad, sizeof bad, "%.*s192.0.2.66:5060%s", (int)(strchr(ours, ' ') + 1 - ours), ours,
             strchr(ours, ';')); /* another sent-by */
    respond(MALLORY, bad, below), tried++;
    assert_int_equal(k.n_sent, sent);
    assert_int_equal(kit_count(&k, "dropped.stray_forged"), tried);
    respond(MALLORY, ours, below); /* as it was: goes on, to Alice and nobody else */
    assert_int_equal(kit_count(&k, "forwarded.stray"), 1);
    assert_only_to(&k, sent, ALICE, ALICE);
    kit_proxy_close(&k);
}

/* A genuine response again and again: no more than max_strays a second, and calls do not suffer. */
static void a_flood_of_them(void **state)
{
    char ours[512], below[512];
    (void)state;
    kit_proxy_open(&k, "max_strays: 10\n");
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    vias_of("z9hG4bKone", ours, below);
    forget();
    for (unsigned second = 1; second <= 3; second++) {
        for (unsigned i = 0; i < 500; i++)
            respond(MALLORY, ours, below);
        assert_int_equal(kit_count(&k, "forwarded.stray"), 10 * second);
        assert_int_equal(kit_count(&k, "dropped.stray_limit"), 490 * second);
        kit_proxy_until(&k, k.now / DT_MS + 1000);
    }
    kit_proxy_hush(&k);
    KIT_SEND(&k, .branch = "z9hG4bKlive", .call_id = "live");
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    assert_non_null(strstr(kit_last(&k, ALICE), "live"));
    assert_memory_equal(kit_last(&k, ALICE), "SIP/2.0 200", 11);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* ---- Dualtone-Copy, Dualtone-Node ---- */

static void forged_words(void **state)
{
    static const char *const values[] = {
        "",
        "join",
        "join 0 1700000000000 1 0123456789abcdef",
        "join 0 1700000000000 4294967296 0123456789abcdef",
        "join 99999999999999999999 1 1 0",
        "filled 1 1 1 0123456789abcdef 7",
        "binding 1 1700000000000 1 0123456789abcdef",
        "BINDING 1 1 1 00",
        "new 1 1 1 ",
    };
    unsigned forged = 0;
    (void)state;
    for (int paired = 0; paired < 2; paired++) {
        kit_proxy_open(&k, paired ? "peer: 192.0.2.2\n" : NULL);
        forged = 0;
        for (size_t i = 0; i < 2 * sizeof values / sizeof values[0]; i++) {
            char extra[256], branch[32];
            size_t sent = k.n_sent;
            const char *from = i & 1 ? MALLORY : "192.0.2.2:5060";
            snprintf(branch, sizeof branch, "z9hG4bKf%zu", i);
            snprintf(extra, sizeof extra,
                     "Dualtone-Copy: %s\r\nContact: <sip:bob@192.0.2.66>;expires=600\r\n",
                     values[i / 2]);
            kit_proxy_recv(&k, from,
                           KIT_REQ(.method = i % 4 < 2 ? "REGISTER" : "OPTIONS",
                                   .uri = "sip:example.com", .branch = branch, .extra = extra,
                                   .to = "sip:bob@example.com", .via = from));
            assert_int_equal(kit_count(&k, "answered.copy_forged"), ++forged);
            assert_int_equal(k.n_sent, sent + 1);
            assert_only_to(&k, sent, from, from);
        }
        assert_int_equal(kit_count(&k, "location.bindings"), 0);
        kit_proxy_close(&k);
    }
}

/* What others write into Dualtone-Node goes on as it is, and is not what we say of ourselves. */
static void forged_node(void **state)
{
    static const char line[] = "Dualtone-Node: ffffffffffffffff;node=evil;boot=1";
    char extra[128], own[256];
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    KIT_SEND(&k, .method = "OPTIONS", .uri = "sip:example.com", .branch = "z9hG4bK1");
    snprintf(own, sizeof own, "%s", kit_header(kit_last(&k, ALICE), "Dualtone-Node"));
    assert_non_null(strstr(own, ";node=192.0.2.1-5060;boot="));
    snprintf(extra, sizeof extra, "%s\r\n", line);
    KIT_SEND(&k, .extra = extra);
    assert_memory_equal(kit_last(&k, ALICE), "SIP/2.0 100", 11);
    assert_string_equal(kit_header(kit_last(&k, ALICE), "Dualtone-Node"), own); /* on the wire */
    assert_string_equal(kit_header(kit_last(&k, BOB), "Dualtone-Node"), line + 15); /* I20 */
    assert_int_equal(k.n_sent, 4);
    kit_answer(&k, BOB, "INVITE", 486, "t", NULL);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* ---- ICMP ---- */

static void icmp(const char *about)
{
    struct dt_input in = {
        .kind = DT_IN_SOCKET_ERROR, .err = DT_E_REFUSED, .local = k.local, .remote = kit_at(about)};
    kit_proxy_input(&k, &in);
}

/* An error about somebody else changes nothing; one about Bob, once he rings, neither: the answer
 * still goes through. */
static void forged_icmp(void **state)
{
    static const char *const about[] = {
        MALLORY, ALICE, "192.0.2.12:5061", "0.0.0.0:0", "255.255.255.255:5060", BOB};
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    KIT_SEND(&k, .branch = "z9hG4bK1");
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    size_t sent = k.n_sent;
    for (size_t i = 0; i < sizeof about / sizeof about[0]; i++)
        icmp(about[i]);
    assert_int_equal(k.n_sent, sent);
    kit_answer(&k, BOB, "INVITE", 200, "t", NULL);
    assert_memory_equal(kit_last(&k, ALICE), "SIP/2.0 200", 11);
    assert_only_to(&k, sent, ALICE, BOB);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

/* ---- a request with a password, again ---- */

static void load_subscribers(struct kit_proxy *n)
{
    struct dt_bytes *text = dt_bytes_copy(&dt_alloc_libc, DT_STR("# test\n")), *more;
    assert_int_equal(dt_subscribers_put(&dt_alloc_libc, kit_hash, dt_bytes_str(text),
                                        DT_STR("alice"), DT_STR("example.com"), DT_STR("secret"),
                                        &more),
                     DT_OK);
    assert_int_equal(dt_proxy_subscribers(n->p, DT_STR("f"), dt_bytes_str(more), NULL), DT_OK);
    dt_bytes_drop(text);
    dt_bytes_drop(more);
}

static const char *credentials(struct kit_proxy *n)
{
    static char out[1024];
    struct dt_sip_header headers[64];
    struct dt_sip_msg m;
    struct dt_auth auth;
    enum dt_header_id id;
    struct dt_credentials cred = {DT_STR("alice"), DT_STR("secret")};
    assert_int_equal(dt_sip_parse(&m, dt_str_z(kit_last(n, ALICE)), headers, 64), DT_OK);
    assert_true(dt_digest_pick(&m, &auth, &id));
    struct dt_writer w = dt_writer(out, sizeof out - 1);
    dt_writef(&w, "%s: ", dt_header_name(id));
    assert_int_equal(dt_digest_answer(&w, kit_hash, &auth, &cred, DT_STR("INVITE"),
                                      DT_STR("sip:bob@example.com"), DT_STR("cn"), 1),
                     DT_OK);
    dt_write_lit(&w, "\r\n");
    out[w.n] = '\0';
    return out;
}

static bool is_let_in(struct kit_proxy *n, const char *branch, unsigned cseq, const char *cred)
{
    uint64_t before = kit_count(n, "forwarded.request");
    KIT_SEND(n, .branch = branch, .cseq = cseq, .extra = cred);
    return kit_count(n, "forwarded.request") == before + 1;
}

/* R14: the same request by the other node is a repeat there too; another one with its count is a
 * replay at each node that has seen the count. The key may have changed meanwhile (R15). */
static void replayed_digest(void **state)
{
    static const uint64_t old_key[2] = {1, 2}, new_key[2] = {3, 4};
    (void)state;
    for (int changed = 0; changed < 2; changed++) {
        kit_proxy_keys(old_key, new_key);
        kit_proxy_open(&k, NULL);
        kit_proxy_keys(changed ? new_key : old_key, changed ? old_key : new_key);
        kit_proxy_open(&s, "cluster_address: 192.0.2.1\nlisten: \"\" udp:192.0.2.2:5060\n");
        kit_proxy_keys(NULL, NULL);
        kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
        kit_register(&s, BOB, "bob", "sip:bob@192.0.2.12");
        load_subscribers(&k);
        load_subscribers(&s);
        KIT_SEND(&k, .branch = "z9hG4bK1", .cseq = 1);
        const char *cred = credentials(&k);
        assert_true(is_let_in(&k, "z9hG4bK2", 2, cred));
        assert_true(is_let_in(&s, "z9hG4bK2", 2, cred)); /* the hedge */
        assert_false(is_let_in(&k, "z9hG4bK3", 3, cred));
        assert_false(is_let_in(&s, "z9hG4bK3", 3, cred));
        assert_non_null(strstr(kit_last(&s, ALICE), "stale=true"));
        KIT_SEND(&k, .branch = "z9hG4bK4", .cseq = 4);
        cred = credentials(&k); /* not hedged: the twin has not seen the count, and takes it once */
        assert_true(is_let_in(&k, "z9hG4bK5", 5, cred));
        assert_true(is_let_in(&s, "z9hG4bK6", 6, cred));
        assert_false(is_let_in(&s, "z9hG4bK7", 7, cred));
        assert_only_to(&k, 0, ALICE, BOB);
        assert_only_to(&s, 0, ALICE, BOB);
        kit_proxy_until(&k, 400000);
        kit_proxy_until(&s, 400000);
        kit_proxy_close(&k);
        kit_proxy_close(&s);
    }
}

/* R15: the token in a Record-Route of the old key still admits to the call. */
static void token_of_the_old_key(void **state)
{
    static const uint64_t keys[3][2] = {{1, 2}, {3, 4}, {5, 6}};
    char route[256];
    (void)state;
    for (int known = 0; known < 2; known++) {
        kit_proxy_keys(keys[0], NULL);
        kit_proxy_open(&k, NULL);
        kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
        KIT_SEND(&k, .branch = "z9hG4bK1");
        snprintf(route, sizeof route, "Route: %s\r\n",
                 kit_header(kit_last(&k, BOB), "Record-Route"));
        kit_proxy_keys(keys[1], known ? keys[0] : keys[2]);
        kit_proxy_open(&s, NULL);
        kit_proxy_keys(NULL, NULL);
        load_subscribers(&s);
        KIT_SEND(&s, .method = "BYE", .uri = "sip:bob@192.0.2.12", .to_tag = "t", .extra = route,
                 .branch = "z9hG4bKbye");
        kit_proxy_log(&s, known ? "0 > 192.0.2.12:5060 BYE sip:bob@192.0.2.12\n"
                                : "0 > 192.0.2.11:5060 407 BYE\n");
        kit_proxy_close(&s);
        kit_proxy_close(&k);
    }
}

/* ---- everybody hedges ---- */

enum { CALLERS = 1000 };

static size_t count_sent(const char *begin)
{
    size_t n = 0;
    for (size_t i = 0; i < k.n_sent; i++)
        n += !strncmp(k.sent[i].bytes->data, begin, strlen(begin));
    return n;
}

static void all_call(unsigned copies)
{
    for (unsigned c = 0; c < copies; c++)
        for (unsigned i = 0; i < CALLERS; i++) {
            char id[32], via[32];
            snprintf(id, sizeof id, "z9hG4bKh%u", i);
            snprintf(via, sizeof via, "198.51.%u.%u:5060", 100 + i / 200, 1 + i % 200);
            kit_proxy_recv(&k, via, KIT_REQ(.branch = id, .call_id = id, .via = via));
            k.log_n = 0;
        }
}

/* While one node is slow each caller asks the other one too, and repeats: each INVITE is served
 * once. */
static void hedge_storm(void **state)
{
    (void)state;
    kit_proxy_open(&k, NULL);
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    all_call(3);
    assert_int_equal(count_sent("INVITE "), CALLERS);
    assert_int_equal(kit_count(&k, "forwarded.request"), CALLERS);
    assert_int_equal(kit_count(&k, "stack.absorbed"), 2 * CALLERS);
    forget();
    kit_proxy_close(&k);
}

/* At the cap: 503 with Retry-After for the new ones, which R16 takes as busy; the others live. */
static void storm_over_the_cap(void **state)
{
    (void)state;
    kit_proxy_open(&k, "max_transactions: 300\n");
    kit_register(&k, BOB, "bob", "sip:bob@192.0.2.12");
    KIT_SEND(&k, .branch = "z9hG4bKlive", .call_id = "live");
    kit_answer(&k, BOB, "INVITE", 180, "t", NULL);
    kit_proxy_hush(&k);
    all_call(2);
    assert_true(kit_count(&k, "stack.transactions") <= 310); /* the answers that linger too */
    uint64_t served = kit_count(&k, "forwarded.request");
    assert_int_equal(count_sent("INVITE "), served);
    assert_true(served >= 100 && served < 300);
    size_t refused = 0;
    for (size_t i = 0; i < k.n_sent; i++)
        if (!strncmp(k.sent[i].bytes->data, "SIP/2.0 503", 11)) {
            refused++;
            assert_string_not_equal(kit_header(k.sent[i].bytes->data, "Retry-After"), "");
        }
    assert_true(refused >= CALLERS - served);
    KIT_SEND(&k, .method = "CANCEL", .branch = "z9hG4bKlive", .call_id = "live");
    assert_true(kit_has_request(&k, BOB, "CANCEL")); /* the old one is served */
    forget();
    kit_proxy_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forged_dv),
        cmocka_unit_test(a_flood_of_them),
        cmocka_unit_test(forged_words),
        cmocka_unit_test(forged_node),
        cmocka_unit_test(forged_icmp),
        cmocka_unit_test(replayed_digest),
        cmocka_unit_test(token_of_the_old_key),
        cmocka_unit_test(hedge_storm),
        cmocka_unit_test(storm_over_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
