/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One whole call (dial, ring, answer, hold, talk, hang up) with each of its first datagrams lost,
 * or doubled, or with the n-th allocation failing; judged by its end: both sides are done and
 * nothing is left (I12, I36, I39). */
#include "ua_kit.h"

#include <string.h>

static struct net net;
static struct net_party *a, *b;

enum { ANSWER_MS = 1000, HOLD_MS = 8000, HANGUP_MS = 20000, OVER_MS = 120000 };

static void open_pair(void)
{
    net_init(&net);
    net.quiet = true;
    net.delay = 5 * DT_MS;
    a = net_ua(&net, "A", NULL);
    b = net_ua(&net, "B", NULL);
    b->ring_after = 0;
    b->answer_after = ANSWER_MS * DT_MS;
}

/* Times are counted from the dialling. */
static void whole_call(struct net_party *relay)
{
    int64_t t0 = net.now / DT_MS;

    (void)net_dial(&net, a, b, relay, NULL);
    net_until(&net, t0 + HOLD_MS);
    net_hold(&net, a, true);
    net_until(&net, t0 + HANGUP_MS);
    net_hangup(&net, a);
    net_until(&net, t0 + OVER_MS);
    net_hangup(&net, b); /* if A never reached it */
    net_until(&net, t0 + 2 * OVER_MS);
}

static void check_end(uint64_t mask)
{
    if (a->alive || b->alive)
        fail_msg("mask %llx: A %d, B %d", (unsigned long long)mask, a->alive, b->alive);
    if (a->rings + b->rings > 1)
        fail_msg("mask %llx: it rang %d times", (unsigned long long)mask, b->rings);
    net_quiet_end(&net);
    net_free(&net);
}

/* Every pattern of loss among the first twelve datagrams. */
static void losses(void **state)
{
    (void)state;
    for (uint64_t mask = 0; mask < 1u << 12; mask++) {
        open_pair();
        net.lose = mask;
        whole_call(NULL);
        assert_int_equal(b->rings, (mask & 0x7f) != 0x7f); /* all seven INVITEs are lost */
        assert_int_equal(a->ends, 1);
        check_end(mask);
    }
}

/* Every pattern of doubling, the copies 50 ms late. */
static void doubles(void **state)
{
    (void)state;
    for (uint64_t mask = 0; mask < 1u << 11; mask++) {
        open_pair();
        net.twice = mask;
        whole_call(NULL);
        assert_int_equal(b->rings, 1);
        assert_int_equal(a->ends + b->ends, 2);
        check_end(mask);
    }
}

/* Through a proxy, with burst losses later in the call. */
static void relayed_losses(void **state)
{
    struct net_party *s;

    (void)state;
    for (uint64_t mask = 0; mask < 1u << 10; mask++) {
        open_pair();
        s = net_relay(&net, "S", b);
        net.lose = mask << 5;
        whole_call(s);
        assert_int_equal(b->rings, 1);
        check_end(mask);
    }
}

/* The n-th allocation of one side fails; afterwards the same agents make a faultless call. */
static void starve(struct net_party **who)
{
    for (size_t i = 1;; i++) {
        bool failed;
        open_pair();
        (*who)->mem.fail_at = (*who)->mem.calls + i;
        whole_call(NULL);
        failed = (*who)->mem.calls >= (*who)->mem.fail_at;
        (*who)->mem.fail_at = 0;
        a->rings = b->rings = 0;
        a->ends = b->ends = 0;
        net_until(&net, net.now / DT_MS + 400000);
        whole_call(NULL);
        if (b->rings != 1 || a->ends != 1 || b->ends != 1)
            fail_msg("after failure %zu of %s: rings %d, ends %d %d", i, (*who)->name, b->rings,
                     a->ends, b->ends);
        check_end(i);
        if (!failed)
            return;
    }
}

static void no_memory_caller(void **state)
{
    (void)state;
    starve(&a);
}

static void no_memory_callee(void **state)
{
    (void)state;
    starve(&b);
}

static void no_memory_to_start(void **state)
{
    struct net_party *p;
    size_t i = 0;

    (void)state;
    net_init(&net);
    p = net_ua(&net, "A", NULL);
    do {
        dt_ua_free(p->ua);
        dt_outbox_clear(&p->out);
        dt_outbox_init(&p->out, &p->mem.alloc);
        assert_int_equal(p->mem.live, 0);
        p->mem.fail_at = p->mem.calls + ++i;
    } while (!net_ua_open(p));
    assert_true(i > 3);
    p->mem.fail_at = 0;
    net_free(&net);
}

/* A registrar that says yes. */
static void says_yes(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                     struct net_party *from)
{
    if (!m->request)
        return;
    if (!dt_sip_first(m, DT_H_AUTHORIZATION))
        net_respond(n, self, from, m, 401, "r",
                    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", NULL);
    else
        net_respond(n, self, from, m, 200, "r", "Expires: 60\r\n", NULL);
}

static void no_memory_registering(void **state)
{
    struct dt_registration cfg = {.identity = {.user = DT_STR("1001"),
                                               .domain = DT_STR("example.com"),
                                               .credentials = {DT_STR("1001"), DT_STR("pw")}},
                                  .registrar = {.host = DT_STR("192.0.2.2"), .port = 5060},
                                  .expires = 60,
                                  .delta = 5};
    bool failed;

    (void)state;
    for (size_t i = 1;; i++) {
        net_init(&net);
        net.quiet = true;
        a = net_ua(&net, "A", NULL);
        net_script(&net, "R", says_yes);
        a->mem.fail_at = a->mem.calls + i;
        if (dt_ua_register(a->ua, net.now, &cfg, &a->reg) != DT_OK)
            a->reg = 0;
        net_until(&net, 100000);
        failed = a->mem.calls >= a->mem.fail_at;
        a->mem.fail_at = 0;
        net_until(&net, 300000); /* tried again by now */
        if (a->reg && !a->registered)
            fail_msg("failure %zu: not registered", i);
        assert_int_equal(dt_ua_unregister(a->ua, net.now, a->reg), a->reg ? DT_OK : DT_E_STALE);
        net_settle(&net);
        net_quiet_end(&net);
        net_free(&net);
        if (!failed)
            return;
    }
}

/* R10: the host slept. What stood stands, what was being set up ends, nothing is left. */
static void woke(void **state)
{
    static const int64_t at[] = {500, 5000, 8001, 20001};
    struct dt_input in = {.kind = DT_IN_WOKE, .age = 10 * DT_SECOND};

    (void)state;
    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
        for (int side = 0; side < 2; side++) {
            open_pair();
            (void)net_dial(&net, a, b, NULL, NULL);
            net_until(&net, dt_time_min(at[i], HOLD_MS));
            if (at[i] > HOLD_MS)
                net_hold(&net, a, true);
            net_until(&net, dt_time_min(at[i], HANGUP_MS));
            if (at[i] > HANGUP_MS)
                net_hangup(&net, a);
            net_until(&net, at[i]);
            (void)dt_ua_input(side ? b->ua : a->ua, net.now, &in);
            net_until(&net, at[i] + 100);
            net_hangup(&net, a);
            net_until(&net, OVER_MS);
            net_hangup(&net, b);
            net_until(&net, 2 * OVER_MS);
            check_end((uint64_t)at[i]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses),
        cmocka_unit_test(doubles),
        cmocka_unit_test(relayed_losses),
        cmocka_unit_test(no_memory_to_start),
        cmocka_unit_test(no_memory_caller),
        cmocka_unit_test(no_memory_callee),
        cmocka_unit_test(no_memory_registering),
        cmocka_unit_test(woke),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
