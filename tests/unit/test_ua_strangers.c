/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `fast` with proxies that are not twins: what probes tell, merged copies, who is busy (design.md
 * 5: R16, R25, R26). P and S relay, each with branches of its own. */
#include "ua_kit.h"

#include <stdio.h>
#include <string.h>

static struct net net;
static net_peer relay;   /* what net_relay does */
static const char *says; /* what P says to INVITEs by itself: lines beside a 503 */
static bool rings_first; /* with a 180 before it, as of a callee */

static void stranger(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                     struct net_party *from)
{
    if (m->request && m->method == DT_OPTIONS)
        net_respond(n, self, from, m, 483, "o", NULL, NULL); /* Max-Forwards is 0 */
    else if (m->request && m->method == DT_INVITE && says && !strcmp(self->name, "P")) {
        if (rings_first)
            net_respond(n, self, from, m, 180, "b", NULL, NULL);
        net_respond(n, self, from, m, 503, "b", says, NULL);
    } else if (!says || m->method != DT_ACK || strcmp(self->name, "P") != 0) {
        relay(n, self, m, from);
    }
}

struct world {
    struct net_party *a, *b, *p, *s;
};

static struct world open_world(void)
{
    const struct dt_ua_config cfg = {.fast = true};
    struct world w;

    net_init(&net);
    w.a = net_ua(&net, "A", &cfg);
    w.b = net_ua(&net, "B", NULL);
    w.p = net_relay(&net, "P", w.b);
    w.s = net_relay(&net, "S", w.b);
    relay = w.p->peer;
    w.p->peer = w.s->peer = stranger;
    w.b->ring_after = 0;
    says = NULL;
    rings_first = false;
    return w;
}

static void close_world(void)
{
    net_quiet_end(&net);
    net_free(&net);
}

static void dial(struct world *w)
{
    struct dt_outgoing o;
    char target[100], addr[DT_ADDR_TEXT_MAX];

    snprintf(target, sizeof(target), "sip:bob@%s", dt_addr_text(&w->b->addr, addr));
    net_outgoing(&o, w->a, target, w->p, w->s);
    o.policy = DT_REACH_FAST;
    (void)net_call(&net, w->a, &o);
}

/* P holds the INVITE while it hangs. When it wakes, B has had the same request by another way. */
static struct dt_sip_msg *kept;
static void hang(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                 struct net_party *from)
{
    (void)n;
    (void)self;
    (void)from;
    if (m->request && m->method == DT_INVITE && !kept)
        kept = dt_sip_msg_keep(&dt_alloc_libc, m);
}

static void wake(struct world *w)
{
    w->p->peer = stranger;
    stranger(&net, w->p, kept, w->a);
    net_settle(&net);
    dt_sip_msg_drop(kept);
    kept = NULL;
}

/* After what did B do with the first copy does the late one come? It must not ring again. */
static void wakes_late(void **unused)
{
    enum { RINGS, TALKS, HUNG_UP, REFUSED, CANCELLED, PHASES };

    (void)unused;
    for (int phase = RINGS; phase < PHASES; phase++) {
        struct world w = open_world();
        w.p->peer = hang;
        dial(&w);
        net_until(&net, 3000);
        assert_int_equal(w.b->rings, 1);
        if (phase == TALKS || phase == HUNG_UP)
            net_answer(&net, w.b);
        if (phase == REFUSED)
            net_reject(&net, w.b, 486);
        net_until(&net, 4000);
        if (phase == HUNG_UP || phase == CANCELLED)
            net_hangup(&net, w.a);
        net_until(&net, 5000);
        wake(&w);
        net_until(&net, 6000);
        /* What was cancelled may ring, until the caller's CANCEL, which is there at once. */
        assert_int_equal(w.b->rings, phase == CANCELLED ? 2 : 1);
        if (phase == RINGS)
            net_answer(&net, w.b);
        net_until(&net, 7000);
        assert_int_equal(w.a->alive, phase == RINGS || phase == TALKS);
        assert_int_equal(w.b->alive, w.a->alive);
        net_hangup(&net, w.a);
        close_world();
    }
}

/* The callee has refused by the one when the other one has not said anything yet: it is not asked
 * any more, and does not ring there when it wakes up. */
static void refused_by_other(void **unused)
{
    struct world w = open_world();

    (void)unused;
    w.p->peer = hang;
    w.s->dead = true;
    dial(&w);
    net_until(&net, 4000);
    assert_non_null(strstr(net.log, "A > S INVITE 1"));
    wake(&w);
    net_until(&net, 4100);
    net_reject(&net, w.b, 486);
    net_until(&net, 4200);
    assert_false(w.a->alive);
    net_hush(&net);
    w.s->dead = false;
    net_until(&net, 40000);
    if (strstr(net.log, "INVITE"))
        fail_msg("%s", net.log);
    close_world();
}

/* Two lines of one phone are two steps of a search: the second one is another request. */
static void another_line(void **unused)
{
    static const char invite[] =
        "INVITE sip:%s@192.0.2.1:5060 SIP/2.0\n"
        "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%s\n"
        "From: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 INVITE\nMax-Forwards: 9\n"
        "Contact: <sip:a@192.0.2.2>\nContent-Length: 0\n\n";
    static const struct {
        const char *user, *branch;
        int rings;
    } rows[] = {{"b", "1", 1}, {"b", "2", 1}, {"c", "3", 2}};
    struct net_party *b, *p;
    char text[600];

    (void)unused;
    net_init(&net);
    b = net_ua(&net, "B", NULL);
    p = net_script(&net, "P", hang);
    b->ring_after = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        snprintf(text, sizeof(text), invite, rows[i].user, rows[i].branch);
        net_send(&net, p, b, text);
        net_until(&net, (int64_t)(i + 1) * 1000);
        assert_int_equal(b->rings, rows[i].rings);
        if (b->alive)
            net_reject(&net, b, 486);
        net_until(&net, (int64_t)(i + 1) * 1000 + 500);
    }
    close_world();
    dt_sip_msg_drop(kept);
    kept = NULL;
}

/* Died while ringing, on a host that says so: two refused probes are the proof. The backup's ring
 * is told again. */
static void dies_ringing(void **unused)
{
    struct world w = open_world();

    (void)unused;
    dial(&w);
    net_until(&net, 500);
    w.p->refuses = true;
    net_hush(&net);
    net_until(&net, 3500);
    net_flow(&net, "1000 A > P OPTIONS 1\n"
                   "1000 A > S OPTIONS 1\n"
                   "1000 S > A 483 OPTIONS\n"
                   "1250 A > P OPTIONS 1\n" /* R16: the second refusal counts */
                   "1250 A > P CANCEL 1\n"
                   "2000 A > S OPTIONS 1\n"
                   "2000 S > A 483 OPTIONS\n"
                   "3000 A > S OPTIONS 1\n"
                   "3000 S > A 483 OPTIONS\n"
                   "3250 A words on\n" /* R26 */
                   "3250 A > S INVITE 1\n"
                   "3250 S > A 100 INVITE\n"
                   "3250 S > B INVITE 1\n"
                   "3250 A words off\n"
                   "3250 B is called as bob\n"
                   "3250 B is ringing\n"
                   "3250 B > S 100 INVITE\n"
                   "3250 B > S 180 INVITE\n"
                   "3250 S > A 180 INVITE\n"
                   "3250 A is ringing\n");
    net_hangup(&net, w.a);
    w.p->refuses = false;
    close_world();
}

/* A 503 of the proxy itself: the backup at once, and it is left alone until Retry-After. One that
 * comes after a 1xx is the callee's: it ends the call and blames nobody. */
static void busy(void **unused)
{
    static const struct {
        const char *says;
        bool rings;
        int64_t again_ms; /* the second call */
        int rang;         /* by the first one */
        const char *to;
    } rows[] = {
        {"Retry-After: 20\r\n", false, 19000, 1, "19000 A > S INVITE 1\n"},
        {"Retry-After: 20\r\n", false, 21000, 1, "21000 A > P INVITE 1\n"},
        {"Retry-After: 9999999\r\n", false, 299000, 1, "299000 A > S INVITE 1\n"},
        {"Retry-After: 9999999\r\n", false, 301000, 1, "301000 A > P INVITE 1\n"},
        {"", false, 4000, 1, "4000 A > S INVITE 1\n"},
        {"", false, 6000, 1, "6000 A > P INVITE 1\n"},
        {"Retry-After: 20\r\n", true, 2000, 0, "2000 A > P INVITE 1\n"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct world w = open_world();
        says = rows[i].says;
        rings_first = rows[i].rings;
        dial(&w);
        net_until(&net, 1000);
        assert_int_equal(w.b->rings, rows[i].rang);
        assert_int_equal(w.a->alive, rows[i].rang);
        if (rows[i].rang)
            net_hangup(&net, w.a);
        net_until(&net, rows[i].again_ms);
        says = NULL;
        net_hush(&net);
        dial(&w);
        if (!strstr(net.log, rows[i].to))
            fail_msg("row %zu: %s", i, net.log);
        net_settle(&net);
        net_hangup(&net, w.a);
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wakes_late),   cmocka_unit_test(refused_by_other),
        cmocka_unit_test(another_line), cmocka_unit_test(dies_ringing),
        cmocka_unit_test(busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
