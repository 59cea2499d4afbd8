/* SPDX-License-Identifier: BSD-2-Clause
 *
 * R12, R13, R14, R17: two proxies that share their bindings, over a link that loses, is cut, and
 * with nodes that are started anew. */
#include "pair_kit.h"

static void a_call_at_the_other(void **state)
{
    (void)state;
    open_pair();
    kit_register(&p, BOB, "bob", "sip:bob@192.0.2.12");
    run(3000); /* neither knew anything: R12 is over */
    KIT_SEND(&s, .branch = "z9hG4bKb1");
    assert_true(kit_has_request(&s, BOB, "INVITE"));
    close_pair();
}

/* Anything registered and removed anywhere, a link that loses and is cut, a node that loses all. */
static void ends_alike(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        open_pair();
        dt_rng_init(&dice, (const uint64_t[2]){seed, 1});
        unsigned cseq[4][3] = {{0}};
        run(100);
        for (unsigned i = 0; i < 60; i++) {
            unsigned u = (unsigned)dt_rng_below(&dice, 4), c = (unsigned)dt_rng_below(&dice, 3);
            loss = dt_rng_below(&dice, 5) ? (unsigned)dt_rng_below(&dice, 400) : 1000;
            bind(dt_rng_below(&dice, 2) ? &p : &s, u, c, ++cseq[u][c], !dt_rng_below(&dice, 3));
            if (!dt_rng_below(&dice, 20)) {
                loss = 0;
                run(8000);
                restart(&s, seed * 100 + i, false);
            }
            run((int64_t)dt_rng_below(&dice, 3000));
        }
        loss = 0;
        run(15000);
        assert_equal_stores(4);
        run(40000);
        assert_int_equal(dt_proxy_objects(p.p), 0);
        close_pair();
    }
}

/* R12: silence, then 503, until the twin has told. */
static void not_yet_filled(void **state)
{
    (void)state;
    open_pair();
    KIT_SEND(&p, .branch = "z9hG4bKb1");
    assert_int_equal(kit_count(&p, "dropped.unfilled"), 1);
    kit_proxy_until(&p, 500);
    KIT_SEND(&p, .branch = "z9hG4bKb1"); /* the repeat is a new request, so it is not lost */
    assert_int_equal(kit_count(&p, "dropped.unfilled"), 2);
    kit_proxy_until(&p, 2500);
    KIT_SEND(&p, .branch = "z9hG4bKb1");
    assert_memory_equal(kit_last(&p, "192.0.2.11:5060"), "SIP/2.0 503", 11);
    kit_proxy_until(&p, 60000);
    KIT_SEND(&p, .branch = "z9hG4bKb2", .call_id = "c2");
    assert_memory_equal(kit_last(&p, "192.0.2.11:5060"), "SIP/2.0 404", 11);
    close_pair();
}

/* A copy without the right MAC, or with another field, binds nobody. */
static void forged_copies(void **state)
{
    char good[2048], bad[2048];
    static const char *const fields[] = {"u0@192",  "Call-ID: id", "To: <sip:u", "expires=36",
                                         "CSeq: 1", "binding 1",   "instance"};
    (void)state;
    open_pair();
    run(100);
    done_p = p.n_sent;
    bind(&p, 0, 0, 1, false);
    snprintf(good, sizeof good, "%s", kit_last(&p, S));
    assert_non_null(strstr(good, "Dualtone-Copy: binding "));
    for (size_t i = 0; i + 1 < sizeof fields / sizeof fields[0]; i++) {
        snprintf(bad, sizeof bad, "%s", good);
        char *at = strstr(bad, fields[i]);
        assert_non_null(at);
        at += strlen(fields[i]) - 1;
        *at = *at == '1' ? '2' : *at == 'd' ? 'e' : *at == 'e' ? 'f' : *at == '6' ? '5' : '1';
        char *branch = strstr(bad, "z9hG4bKcopy") + 11;
        *branch = (char)('P' + (int)i);
        kit_proxy_recv(&s, P, bad);
        assert_int_equal(kit_count(&s, "answered.copy_forged"), i + 1);
        assert_int_equal(kit_count(&s, "location.bindings"), 0);
    }
    kit_proxy_recv(&s, P, good);
    assert_int_equal(kit_count(&s, "location.bindings"), 1);
    kit_proxy_recv(&s, "192.0.2.66:5060",
                   KIT_REQ(.method = "OPTIONS", .uri = "sip:example.com", .branch = "z9hG4bKw",
                           .extra = "Dualtone-Copy: join 1 0123456789abcdef\r\n"));
    assert_int_equal(kit_count(&s, "answered.copy_forged"), 7);
    close_pair();
}

/* R17: one CLUSTER, each its own name, a boot number a run. */
static void who_answers(void **state)
{
    char a[256], b[256], again[256];
    (void)state;
    open_pair();
    KIT_SEND(&p, .method = "OPTIONS", .uri = "sip:example.com");
    KIT_SEND(&s, .method = "OPTIONS", .uri = "sip:example.com");
    snprintf(a, sizeof a, "%s", kit_header(kit_last(&p, "192.0.2.11:5060"), "Dualtone-Node"));
    snprintf(b, sizeof b, "%s", kit_header(kit_last(&s, "192.0.2.11:5060"), "Dualtone-Node"));
    assert_memory_equal(a, b, 16);
    assert_non_null(strstr(a, ";node=192.0.2.1-5060;boot="));
    assert_string_not_equal(a, b);
    kit_register(&p, BOB, "bob", "sip:bob@192.0.2.12");
    assert_string_equal(kit_header(kit_last(&p, BOB), "Dualtone-Node"), a);
    KIT_SEND(&p, .branch = "z9hG4bKx");
    snprintf(again, sizeof again, "%s",
             kit_header(kit_last(&p, "192.0.2.11:5060"), "Dualtone-Node"));
    assert_true(!again[0] || !strcmp(again, a)); /* dropped, or 100 */
    close_pair();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_at_the_other), cmocka_unit_test(ends_alike),
        cmocka_unit_test(not_yet_filled),      cmocka_unit_test(forged_copies),
        cmocka_unit_test(who_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
