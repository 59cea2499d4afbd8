/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The life of a pair (R12, R13, I26): the first start, restarts one after the other, a cut link,
 * another key, another clock, copies that are repeated, long ones; and no memory. */
#include "pair_kit.h"

#include <stdlib.h>

static bool says(struct kit_proxy *k, const char *what)
{
    return dt_str_search((struct dt_str){k->log, k->log_n}, dt_str_z(what)) < k->log_n;
}

/* What a call to an unknown user gets: 0 nothing. */
static int status_of_nobody(struct kit_proxy *k)
{
    char branch[64];
    size_t before = k->n_sent;
    snprintf(branch, sizeof branch, "z9hG4bKn%zu-%lld", k->n_sent, (long long)k->now);
    kit_proxy_recv(k, ASKER,
                   KIT_REQ(.method = "MESSAGE", .uri = "sip:nobody@example.com", .branch = branch,
                           .call_id = branch, .via = ASKER));
    if (k->n_sent == before)
        return 0;
    return atoi(kit_last(k, ASKER) + 8);
}

/* Two that have never been there before need not be waited for. */
static void first_start(void **state)
{
    (void)state;
    for (unsigned late = 0; late <= 5000; late += 500) { /* S comes so much later */
        open_pair();
        s_down = true;
        run(late);
        assert_int_equal(status_of_nobody(&p), late < 2000 ? 0 : 503);
        bind(&p, 0, 0, 1, false); /* a phone does not wait for them */
        kit_proxy_close(&s);
        kit_proxy_begin(p.now, 9, DT_STR_NONE);
        open_s();
        s_down = false;
        run(1500);
        assert_int_equal(status_of_nobody(&s), 404);
        run(5000);
        assert_int_equal(status_of_nobody(&p), 404);
        assert_equal_stores(1);
        close_pair();
    }
}

/* One has a snapshot: it serves whom it knows at once, and says 404 when the twin was asked, or has
 * not answered for 2 s. */
static void with_a_snapshot(void **state)
{
    (void)state;
    for (int twin = 0; twin < 2; twin++) {
        open_pair();
        bind(&p, 0, 0, 1, false);
        run(3000);
        s_down = !twin;
        restart(&p, 5, true);
        KIT_SEND(&p, .uri = "sip:u0@example.com");
        assert_true(kit_has_request(&p, "192.0.2.100:5060", "INVITE"));
        assert_int_equal(status_of_nobody(&p), 0);
        run(100);
        assert_int_equal(status_of_nobody(&p), twin ? 404 : 0);
        run(2000);
        assert_int_equal(status_of_nobody(&p), 404);
        kit_proxy_until(&p, p.now / DT_MS + 200000);
        close_pair();
    }
}

/* I26: each is killed in turn, with 5 % loss, and comes back with or without a snapshot. */
static void rolling_restarts(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 100; seed++) {
        unsigned live[6] = {0}, cseq[6] = {0};
        open_pair();
        dt_rng_init(&dice, (const uint64_t[2]){seed, 2});
        loss = 50;
        run(3000);
        for (unsigned i = 0; i < 12; i++) {
            unsigned u = (unsigned)dt_rng_below(&dice, 6);
            live[u] = dt_rng_below(&dice, 4) != 0;
            bind(i & 1 ? &p : &s, u, 0, ++cseq[u], !live[u]);
            run((int64_t)dt_rng_below(&dice, 500));
        }
        for (unsigned i = 0; i < 4; i++) {
            run(10000);
            restart(i & 1 ? &p : &s, seed * 10 + i, dt_rng_below(&dice, 2));
        }
        run(15000);
        loss = 0;
        run(5000);
        assert_equal_stores(6);
        for (unsigned u = 0; u < 6; u++) {
            const struct dt_binding *found[4];
            char aor[64];
            snprintf(aor, sizeof aor, "sip:u%u@example.com", u);
            assert_int_equal(dt_location_find(p.p->location, p.now, dt_str_z(aor), found, 4, NULL),
                             live[u]);
        }
        run(40000);
        close_pair();
    }
}

/* While the link is cut both serve, and both change; it heals. */
static void partition(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        open_pair();
        dt_rng_init(&dice, (const uint64_t[2]){seed, 3});
        run(3000);
        for (unsigned u = 0; u < 4; u++)
            bind(&p, u, 0, 1, false);
        run(1000);
        loss = 1000;
        for (unsigned i = 0; i < 20; i++) {
            bind(dt_rng_below(&dice, 2) ? &p : &s, (unsigned)dt_rng_below(&dice, 4),
                 (unsigned)dt_rng_below(&dice, 2), 10 + i, dt_rng_below(&dice, 2));
            run((int64_t)dt_rng_below(&dice, 20000));
        }
        assert_int_equal(status_of_nobody(&p), 404);
        assert_int_equal(status_of_nobody(&s), 404);
        loss = 0;
        run(15000);
        assert_equal_stores(4);
        run(40000);
        close_pair();
    }
}

/* All contacts of one REGISTER, the removal of all, and one that is longer than a datagram. */
static void several_contacts(void **state)
{
    static char extra[4096];
    (void)state;
    open_pair();
    run(1000);
    for (unsigned i = 0; i < 3; i++)
        snprintf(extra + strlen(extra), 200, "Contact: <sip:u0@192.0.2.%u>;expires=3600;q=0.%u\r\n",
                 100 + i, i + 1);
    kit_proxy_recv(&p, BOB,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .branch = "z9hG4bKm",
                           .to = "sip:u0@example.com", .extra = extra, .via = BOB));
    snprintf(
        extra, sizeof extra,
        "Contact: <sip:u1@192.0.2.100;x=%01800d>;expires=3600\r\nPath: <sip:192.0.2.50;lr>\r\n", 7);
    kit_proxy_recv(&p, BOB,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .branch = "z9hG4bKn",
                           .to = "sip:u1@example.com", .call_id = "c2", .extra = extra,
                           .via = BOB));
    run(1000);
    assert_int_equal(kit_count(&s, "location.bindings"), 4);
    assert_equal_stores(2);
    kit_proxy_recv(&s, BOB,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .branch = "z9hG4bKo",
                           .to = "sip:u0@example.com", .cseq = 9, .via = BOB,
                           .extra = "Contact: *\r\nExpires: 0\r\n"));
    run(1000);
    assert_int_equal(kit_count(&p, "location.bindings"), 1);
    assert_equal_stores(2);
    run(40000);
    close_pair();
}

/* RFC 3261 18.1.1: over 1,300 bytes by TCP, where there is TCP; by UDP if that fails. */
static void long_copies_by_stream(void **state)
{
    static char extra[4096];
    (void)state;
    kit_proxy_open(&p, "listen: tcp:192.0.2.1:5060\npeer: 192.0.2.2\n");
    kit_proxy_until(&p, 61000);
    kit_proxy_input(&p, &(struct dt_input){.kind = DT_IN_WOKE});
    kit_proxy_recv(&p, S, KIT_REQ(.method = "OPTIONS", .uri = "sip:example.com", .via = S));
    for (size_t i = p.n_sent; i-- > 0;)
        if (strstr(p.sent[i].bytes->data, "join")) { /* S answers it */
            kit_answer(&p, S, "OPTIONS", 200, "t", NULL);
            break;
        }
    kit_proxy_hush(&p);
    snprintf(extra, sizeof extra, "Contact: <sip:u1@192.0.2.100;x=%01800d>;expires=3600\r\n", 7);
    kit_proxy_recv(&p, BOB,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .branch = "z9hG4bKn",
                           .to = "sip:u1@example.com", .extra = extra, .via = BOB));
    assert_true(says(&p, "connect 192.0.2.2:5060"));
    assert_false(kit_has_request(&p, S, "REGISTER"));
    kit_proxy_until(&p, p.now / DT_MS + 4000); /* nobody takes the connection */
    assert_true(kit_has_request(&p, S, "REGISTER"));
    kit_proxy_until(&p, p.now / DT_MS + 80000);
    kit_proxy_close(&p);
}

/* ---- who is not the twin ---- */

/* A word of P's, as somebody recorded it, from `from` as another transaction. */
static void play_again(const char *from, const char *word)
{
    static unsigned turn;
    char text[4096];
    for (size_t i = p.n_sent; i-- > 0;) {
        if (!strstr(p.sent[i].bytes->data, word))
            continue;
        snprintf(text, sizeof text, "%s", p.sent[i].bytes->data);
        char *branch = strstr(text, "z9hG4bKcopy") + 11;
        snprintf(branch, 9, "%08u", ++turn);
        branch[8] = 'x';
        kit_proxy_recv(&s, from, text);
        return;
    }
    fail_msg("P never said %s", word);
}

/* A join is heard once; a copy not from elsewhere, and not a minute later. */
static void repeated_words(void **state)
{
    (void)state;
    open_pair();
    run(3000);
    for (unsigned u = 0; u < 50; u++)
        bind(&s, u, 0, 1, false);
    bind(&p, 60, 0, 1, false);
    run(3000);
    size_t sent = s.n_sent;
    for (unsigned i = 0; i < 20; i++) {
        play_again(P, "Dualtone-Copy: join");
        assert_int_equal(kit_count(&s, "answered.copy_old"), i + 1);
        run(500);
    }
    assert_int_equal(s.n_sent, sent + 20); /* the refusals, no table */
    play_again("192.0.2.66:5060", "Dualtone-Copy: binding");
    assert_int_equal(kit_count(&s, "answered.copy_stranger"), 1);
    assert_int_equal(kit_count(&s, "location.bindings"), 51);
    play_again(P, "Dualtone-Copy: binding"); /* what is there already */
    assert_int_equal(kit_count(&s, "location.bindings"), 51);
    bind(&p, 60, 0, 2, true);
    run(1000);
    assert_int_equal(kit_count(&s, "location.bindings"), 50);
    for (size_t i = 0; i < p.n_sent; i++) /* the one before the removal */
        if (strstr(p.sent[i].bytes->data, "expires=3600") &&
            strstr(p.sent[i].bytes->data, "Dualtone-Copy: binding")) {
            char text[4096];
            snprintf(text, sizeof text, "%s", p.sent[i].bytes->data);
            memcpy(strstr(text, "z9hG4bKcopy") + 11, "replayed", 8);
            kit_proxy_recv(&s, P, text);
        }
    assert_int_equal(kit_count(&s, "location.bindings"), 50);
    run(62000);
    uint64_t old = kit_count(&s, "answered.copy_old");
    play_again(P, "Dualtone-Copy: binding");
    assert_int_equal(kit_count(&s, "answered.copy_old"), old + 1);
    assert_int_equal(kit_count(&s, "location.bindings"), 50);
    run(40000);
    close_pair();
}

/* A binding that has run out is not brought back, and lives no longer, by its copy said again. */
static void no_longer_life(void **state)
{
    (void)state;
    open_pair();
    run(3000);
    kit_proxy_recv(&p, BOB,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .branch = "z9hG4bKs",
                           .to = "sip:u0@example.com", .via = BOB,
                           .extra = "Contact: <sip:u0@192.0.2.12>;expires=60\r\n"));
    run(1000);
    assert_int_equal(kit_count(&s, "location.bindings"), 1);
    run(57500);
    play_again(P, "Dualtone-Copy: binding");
    run(2000);
    assert_int_equal(kit_count(&s, "location.bindings"), 0);
    play_again(P, "Dualtone-Copy: binding");
    assert_int_equal(kit_count(&s, "location.bindings"), 0);
    run(40000);
    close_pair();
}

/* A person is told once, in a sentence; when it is mended all that is owed goes over. */
static void another_key(void **state)
{
    static const uint64_t wrong[2] = {7, 7};
    (void)state;
    open_pair();
    kit_proxy_close(&s);
    kit_proxy_keys(wrong, NULL);
    open_s();
    kit_proxy_keys(NULL, NULL);
    bind(&p, 0, 0, 1, false);
    p.log_n = s.log_n = 0;
    unsigned told = 0;
    for (unsigned i = 0; i < 100; i++) {
        kit_proxy_until(&p, i * 1000);
        kit_proxy_until(&s, i * 1000);
        for (bool any = true; any;) {
            any = carry(&p, P, &s, S, &done_p, false);
            any = carry(&s, S, &p, P, &done_s, false) || any;
        }
        told += says(&p, "! the peer 192.0.2.2:5060 refuses what is bound here (403); give both");
        told += says(&s, "! the peer 192.0.2.1:5060 sends bindings that our key did not sign");
        p.log_n = s.log_n = 0;
    }
    assert_int_equal(told, 2);
    assert_true(kit_count(&s, "answered.copy_forged") < 20); /* not one a second */
    s.now = p.now;
    restart(&s, 4, false);
    run(35000);
    assert_int_equal(kit_count(&s, "location.bindings"), 1);
    run(40000);
    close_pair();
}

static void another_clock(void **state)
{
    (void)state;
    open_pair();
    run(1000);
    kit_proxy_input(&s, &(struct dt_input){.kind = DT_IN_WALL_STEP,
                                           .wall = s.env.wall_offset + 90 * DT_SECOND});
    bind(&p, 0, 0, 1, false);
    kit_proxy_recv(&s, P, kit_last(&p, S));
    assert_true(says(&s, "! the peer 192.0.2.1:5060 has a clock that is 90 s behind, or somebody "
                         "repeats what it said; set the clocks of both machines\n"));
    assert_int_equal(kit_count(&s, "location.bindings"), 0);
    kit_proxy_input(&s, &(struct dt_input){.kind = DT_IN_WALL_STEP,
                                           .wall = s.env.wall_offset - 90 * DT_SECOND});
    run(35000);
    assert_int_equal(kit_count(&s, "location.bindings"), 1);
    run(40000);
    close_pair();
}

static void step_clocks(int64_t seconds)
{
    struct kit_proxy *both[] = {&p, &s};
    for (int i = 0; i < 2; i++) {
        int64_t wall = both[i]->env.wall_offset + seconds * DT_SECOND;
        kit_proxy_input(both[i], &(struct dt_input){.kind = DT_IN_WALL_STEP, .wall = wall});
    }
}

/* A join that was heard while both clocks were ahead says nothing of those that come after they
 * were set back: until then nobody would be found. */
static void clocks_set_back(void **state)
{
    (void)state;
    open_pair();
    run(3000);
    bind(&s, 0, 0, 1, false);
    restart(&p, 5, false);
    step_clocks(2400);
    run(35000);
    assert_int_equal(kit_count(&p, "location.bindings"), 1);
    step_clocks(-2400);
    restart(&p, 6, false);
    run(35000);
    assert_int_equal(kit_count(&p, "location.bindings"), 1);
    assert_int_equal(status_of_nobody(&p), 404);
    run(40000);
    close_pair();
}

/* ---- no memory (I39) ---- */

static void scenario(void)
{
    for (unsigned u = 0; u < 3; u++) {
        bind(&p, u, 0, 1, false);
        bind(&s, u, 1, 1, false);
        run(200);
    }
    bind(&s, 0, 0, 2, true);
    run(200);
    restart(&s, 3, true);
    run(300);
}

static void every_allocation_may_fail(void **state)
{
    struct kit_proxy *both[] = {&p, &s};
    (void)state;
    for (unsigned who = 0; who < 2; who++)
        for (size_t n = 1; n < 400; n += n < 60 ? 1 : 7) {
            open_pair();
            run(500);
            both[who]->mem.calls = 0;
            both[who]->mem.fail_at = n;
            scenario();
            both[who]->mem.fail_at = 0;
            bind(&p, 0, 2, 1, false);
            run(8000);
            assert_equal_stores(3);
            run(40000);
            close_pair();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start),      cmocka_unit_test(with_a_snapshot),
        cmocka_unit_test(rolling_restarts), cmocka_unit_test(partition),
        cmocka_unit_test(several_contacts), cmocka_unit_test(long_copies_by_stream),
        cmocka_unit_test(repeated_words),   cmocka_unit_test(no_longer_life),
        cmocka_unit_test(another_key),      cmocka_unit_test(another_clock),
        cmocka_unit_test(clocks_set_back),  cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
