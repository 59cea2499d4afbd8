/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The called half of the other path (design.md R7, R11), and whole calls between two phones by two
 * proxies of a cluster, one of which dies at any moment or has no memory when it does. */
#include "ua_kit.h"

#include <stdio.h>
#include <string.h>

static struct net net;
static struct net_party *a, *b, *p, *t;

static void enroll(struct net_party *who, const char *host)
{
    struct dt_registration r = {
        .identity = {.user = DT_STR("alice"), .domain = DT_STR("example.com")},
        .registrar = {.host = dt_str_z(host), .port = 5060},
        .expires = 36000};

    assert_int_equal(dt_ua_register(who->ua, net.now, &r, &who->reg), DT_OK);
    net_settle(&net);
}

/* P is 192.0.2.3, T is 192.0.2.4. Both phones know both. */
static void open_world(void)
{
    struct dt_ua_config cfg = {.fast = true};

    net_init(&net);
    a = net_ua(&net, "A", &cfg);
    b = net_ua(&net, "B", &cfg);
    p = net_node(&net, "P", b);
    t = net_node(&net, "T", b);
    net.no_probes = true;
    for (int i = 0; i < 2; i++) {
        enroll(i ? b : a, "192.0.2.3");
        enroll(i ? b : a, "192.0.2.4");
    }
    net_until(&net, 1000);
    net_hush(&net);
}

static void dial(void)
{
    struct dt_outgoing o;

    net_outgoing(&o, a, "sip:bob@example.com", p, t);
    o.policy = DT_REACH_FAST;
    (void)net_call(&net, a, &o);
}

/* ---- whole calls ---- */

enum { ANSWER_MS = 3000, HOLD_MS = 8000, HANGUP_MS = 14000, OVER_MS = 90000 };

/* Dialled at 1000, rings at 1300, answered, held, hung up; times from the dialling. */
static void whole_call(void)
{
    int64_t t0 = net.now / DT_MS;

    b->ring_after = 300 * DT_MS;
    b->answer_after = ANSWER_MS * DT_MS;
    dial();
    net_until(&net, t0 + HOLD_MS);
    if (a->alive && a->state == DT_CALL_TALKING)
        net_hold(&net, a, true);
    net_until(&net, t0 + HANGUP_MS);
    net_hangup(&net, a);
    net_until(&net, t0 + OVER_MS);
}

enum death { SILENT, REFUSING, RESTARTED, DEATHS };

static struct net_party *victim;
static enum death how;

static void die(void)
{
    victim->dead = how == SILENT;
    victim->refuses = how == REFUSING;
    victim->boot += how == RESTARTED;
}

static void one_death(int64_t at, bool hangup_early)
{
    int64_t t0 = 1000;

    b->ring_after = 300 * DT_MS;
    b->answer_after = ANSWER_MS * DT_MS;
    net.delay = 5 * DT_MS;
    net.quiet = true;
    if (at <= 0)
        die();
    dial();
    for (int64_t ms = 50; ms <= OVER_MS; ms += 50) {
        net_until(&net, t0 + ms);
        if (ms == at)
            die();
        if (ms == HOLD_MS && !hangup_early)
            net_hold(&net, a, true);
        if (ms == (hangup_early ? 2000 : HANGUP_MS))
            net_hangup(&net, a);
    }
}

/* Whenever the primary dies: it rings once, is talked and hung up by both, and nothing is left. */
static void any_moment(void **state)
{
    (void)state;
    for (how = SILENT; how < DEATHS; how++)
        for (int64_t at = 0; at <= HANGUP_MS + 1000; at += 250)
            for (int early = 0; early < 2; early++) {
                open_world();
                victim = p;
                one_death(at, early);
                if (b->rings != 1 || a->ends != 1 || b->ends != 1 || a->alive || b->alive ||
                    (!early && (a->end.status || a->end.err || b->end.err)))
                    fail_msg("how %d at %d early %d: rings %d, ends %d %d, A %d %s, B %d %s", how,
                             (int)at, early, b->rings, a->ends, b->ends, a->end.status,
                             dt_err_text(a->end.err), b->end.status, dt_err_text(b->end.err));
                victim->dead = victim->refuses = false;
                net_quiet_end(&net);
                net_free(&net);
            }
}

/* ---- memory ---- */

/* The n-th allocation of one side fails during a call whose primary dies while it rings; the same
 * phones make a faultless call afterwards. */
static void starve(struct net_party **who)
{
    for (size_t i = 1;; i++) {
        bool failed;
        open_world();
        net.quiet = true;
        net.delay = 5 * DT_MS;
        victim = p;
        how = SILENT;
        (*who)->mem.fail_at = (*who)->mem.calls + i;
        b->ring_after = 0;
        b->answer_after = 4000 * DT_MS;
        dial();
        net_until(&net, 1400);
        p->dead = true;
        net_until(&net, 10000);
        net_hangup(&net, a);
        net_until(&net, 60000);
        net_hangup(&net, b);
        failed = (*who)->mem.calls >= (*who)->mem.fail_at;
        (*who)->mem.fail_at = 0;
        p->dead = false;
        net_until(&net, 500000);
        a->rings = b->rings = a->ends = b->ends = 0;
        whole_call();
        if (b->rings != 1 || a->ends != 1 || b->ends != 1)
            fail_msg("after failure %zu of %s: rings %d, ends %d %d", i, (*who)->name, b->rings,
                     a->ends, b->ends);
        net_quiet_end(&net);
        net_free(&net);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_moment),
        cmocka_unit_test(no_memory_caller),
        cmocka_unit_test(no_memory_callee),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
