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

/* ---- R7: the callee answers each proxy that sent a copy ---- */

/* B is called by a script that speaks for both proxies; what came to each is kept. */
static struct dt_bytes *had_p, *had_t;

static void listen(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                   struct net_party *from)
{
    struct dt_bytes **had = self->name[0] == 'P' ? &had_p : &had_t;

    if (m->request && (m->method == DT_OPTIONS || m->method == DT_REGISTER))
        net_respond(n, self, from, m, 200, "p",
                    self->name[0] == 'P' ? "Dualtone-Node: C;node=P;boot=1\r\n"
                                         : "Dualtone-Node: C;node=T;boot=1\r\n",
                    NULL);
    if (m->request)
        return;
    dt_bytes_drop(*had);
    *had = dt_bytes_copy(&dt_alloc_libc, m->text);
}

/* As proxy `who` writes it: the caller's address as that one saw it. */
static void ask_as(struct net_party *from, const char *who, const char *method)
{
    char text[900];

    snprintf(text, sizeof(text),
             "%s sip:bob@192.0.2.1 SIP/2.0\n"
             "Via: SIP/2.0/UDP cluster.test;rport;branch=z9hG4bKsame\n"
             "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKfar;received=%s;rport=4000\n"
             "Record-Route: <sip:cluster.test;lr>\n"
             "From: <sip:al@example.com>;tag=al\nTo: <sip:bob@example.com>\n"
             "Call-ID: c\nCSeq: 1 %s\nContact: <sip:al@192.0.2.9>\nMax-Forwards: 69\n"
             "Expires: 30\n%sContent-Length: %zu\n\n%s",
             method, who, method,
             strcmp(method, "INVITE") == 0 ? "Content-Type: application/sdp\n" : "",
             strcmp(method, "INVITE") == 0 ? strlen(net_sdp) : 0,
             strcmp(method, "INVITE") == 0 ? net_sdp : "");
    net_send(&net, from, b, text);
    net_settle(&net);
}

static bool says(const struct dt_bytes *had, const char *what)
{
    char text[2048];

    snprintf(text, sizeof(text), "%.*s", DT_FMT(dt_bytes_str(had)));
    return strstr(text, what) != NULL;
}

static struct net_party *x;

static void open_callee(void)
{
    struct dt_ua_config cfg = {.fast = true};

    net_init(&net);
    b = net_ua(&net, "B", &cfg);
    p = net_script(&net, "P", listen);
    t = net_script(&net, "T", listen);
    x = net_script(&net, "X", listen);
    had_p = had_t = NULL;
    net.no_probes = true;
    enroll(b, "192.0.2.2");
    enroll(b, "192.0.2.3");
    net_until(&net, 1000);
    net_hush(&net);
    b->ring_after = 0;
}

static void close_callee(void)
{
    net_until(&net, net.now / DT_MS + 200000);
    net_hangup(&net, b);
    net_quiet_end(&net);
    net_free(&net);
    dt_bytes_drop(had_p);
    dt_bytes_drop(had_t);
}

#define BY_P "received=198.51.100.1;rport=4000"
#define BY_T "received=198.51.100.2;rport=4000"

/* The copy comes while it rings; all that follows goes to both, to each with its own Via list. */
static void copy_while_ringing(void **state)
{
    (void)state;
    open_callee();
    ask_as(p, "198.51.100.1", "INVITE");
    net_until(&net, 2000);
    ask_as(t, "198.51.100.2", "INVITE");
    assert_true(says(had_p, " 180 ") && says(had_p, BY_P) && !says(had_p, BY_T));
    assert_true(says(had_t, " 180 ") && says(had_t, BY_T) && !says(had_t, BY_P));
    assert_true(says(had_t, "Record-Route: <sip:cluster.test;lr>"));
    net_until(&net, 3000);
    net_answer(&net, b);
    net_until(&net, 3600);
    assert_true(says(had_p, " 200 ") && says(had_p, BY_P) && !says(had_p, BY_T));
    assert_true(says(had_t, " 200 ") && says(had_t, BY_T) && !says(had_t, BY_P));
    net_flow(&net, "1000 P > B INVITE 1\n"
                   "1000 B is called as bob\n"
                   "1000 B is ringing\n"
                   "1000 B > P 100 INVITE\n"
                   "1000 B > P 180 INVITE\n"
                   "2000 T > B INVITE 1\n"
                   "2000 B > T 180 INVITE\n"
                   "3000 B is talking\n"
                   "3000 B hears sendrecv\n"
                   "3000 B > T 200 INVITE\n"
                   "3000 B > P 200 INVITE\n"
                   "3500 B > P 200 INVITE\n"
                   "3500 B > T 200 INVITE\n");
    assert_int_equal(b->rings, 1);
    close_callee();
}

static void copy_and_refusal(void **state)
{
    (void)state;
    open_callee();
    ask_as(p, "198.51.100.1", "INVITE");
    ask_as(t, "198.51.100.2", "INVITE");
    net_until(&net, 2000);
    net_hush(&net);
    net_reject(&net, b, 486);
    net_until(&net, 2100);
    ask_as(p, "198.51.100.1", "ACK");
    ask_as(t, "198.51.100.2", "INVITE"); /* it was lost on that way; timer I absorbs */
    net_until(&net, 7500);
    ask_as(t, "198.51.100.2", "INVITE");
    ask_as(t, "198.51.100.2", "ACK");
    net_flow(&net, "2000 B ended 486\n"
                   "2000 B > T 486 INVITE\n"
                   "2000 B > P 486 INVITE\n"
                   "2100 P > B ACK 1\n"
                   "2100 T > B INVITE 1\n"
                   "7500 T > B INVITE 1\n"
                   "7500 B > T 486 INVITE\n"
                   "7500 T > B ACK 1\n");
    assert_true(says(had_t, " 486 ") && says(had_t, BY_T) && !says(had_t, BY_P));
    close_callee();
}

/* The copy is the first that this proxy sent, and the call is over. */
static void copy_after_refusal(void **state)
{
    (void)state;
    open_callee();
    ask_as(p, "198.51.100.1", "INVITE");
    net_reject(&net, b, 486);
    net_until(&net, 1100);
    net_hush(&net);
    ask_as(t, "198.51.100.2", "INVITE");
    net_flow(&net, "1100 T > B INVITE 1\n"
                   "1100 B > T 486 INVITE\n");
    assert_true(says(had_t, " 486 ") && says(had_t, BY_T));
    ask_as(t, "198.51.100.2", "ACK");
    net_until(&net, 30000);
    net_hush(&net);
    ask_as(t, "198.51.100.2", "INVITE"); /* R11: Expires and 64 T1 */
    ask_as(t, "198.51.100.2", "ACK");
    net_until(&net, 1000 + 30000 + 31000);
    ask_as(p, "198.51.100.1", "INVITE");
    ask_as(p, "198.51.100.1", "ACK");
    net_until(&net, 1000 + 30000 + 33000 + 10000);
    assert_int_equal(b->rings, 1);
    net_flow(&net, "30000 T > B INVITE 1\n"
                   "30000 B > T 486 INVITE\n"
                   "30000 T > B ACK 1\n"
                   "62000 P > B INVITE 1\n"
                   "62000 B > P 486 INVITE\n"
                   "62000 P > B ACK 1\n");
    ask_as(p, "198.51.100.1", "INVITE"); /* forgotten: it rings */
    assert_int_equal(b->rings, 2);
    close_callee();
}

/* After the 200: the copy gets it with the next repeat, whoever's ACK ends them. */
static void copy_after_answer(void **state)
{
    (void)state;
    open_callee();
    ask_as(p, "198.51.100.1", "INVITE");
    net_answer(&net, b);
    net_until(&net, 1100);
    net_hush(&net);
    ask_as(t, "198.51.100.2", "INVITE");
    net_until(&net, 2600);
    net_flow(&net, "1100 T > B INVITE 1\n"
                   "1100 B > T 200 INVITE\n"
                   "1500 B > P 200 INVITE\n"
                   "1500 B > T 200 INVITE\n"
                   "2500 B > P 200 INVITE\n"
                   "2500 B > T 200 INVITE\n");
    assert_true(says(had_t, " 200 ") && says(had_t, BY_T) && !says(had_t, BY_P));
    close_callee();
}

/* R11: after the transaction too. */
static void copy_long_after_answer(void **state)
{
    (void)state;
    open_callee();
    ask_as(p, "198.51.100.1", "INVITE");
    net_answer(&net, b);
    ask_as(p, "198.51.100.1", "ACK");
    net_until(&net, 40000);
    net_hush(&net);
    ask_as(t, "198.51.100.2", "INVITE");
    net_flow(&net, "40000 T > B INVITE 1\n"
                   "40000 B > T 200 INVITE\n");
    assert_true(says(had_t, " 200 ") && says(had_t, BY_T) && !says(had_t, BY_P));
    close_callee();
}

/* CANCEL by the other proxy: both get the 487. */
static void cancel_by_other(void **state)
{
    (void)state;
    open_callee();
    ask_as(p, "198.51.100.1", "INVITE");
    net_until(&net, 2000);
    net_hush(&net);
    ask_as(t, "198.51.100.2", "CANCEL");
    ask_as(t, "198.51.100.2", "ACK");
    net_until(&net, 4000);
    net_flow(&net, "2000 T > B CANCEL 1\n"
                   "2000 B ended 487 by peer\n"
                   "2000 B > T 200 CANCEL\n"
                   "2000 B > T 487 INVITE\n"
                   "2000 B > P 487 INVITE\n"
                   "2000 T > B ACK 1\n");
    close_callee();
}

/* Who is none of the line's proxies gets what it asks for again, and no more. */
static void copy_by_stranger(void **state)
{
    (void)state;
    open_callee();
    ask_as(p, "198.51.100.1", "INVITE");
    net_until(&net, 2000);
    net_hush(&net);
    ask_as(x, "198.51.100.3", "INVITE");
    net_until(&net, 3000);
    net_answer(&net, b);
    net_until(&net, 3600);
    net_flow(&net, "2000 X > B INVITE 1\n"
                   "2000 B > X 180 INVITE\n"
                   "3000 B is talking\n"
                   "3000 B hears sendrecv\n"
                   "3000 B > P 200 INVITE\n"
                   "3500 B > P 200 INVITE\n"
                   "3500 B > T 200 INVITE\n");
    close_callee();
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

/* A call that there is no memory for is not refused: the INVITE comes again, and rings (I39). A
 * refusal would be forgotten, and the late copy of another proxy ring behind it (R11, I8). */
static void no_memory_to_begin(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t i = 1; failed; i++) {
        open_callee();
        b->mem.fail_at = b->mem.calls + i;
        ask_as(p, "198.51.100.1", "INVITE");
        failed = b->rings == 0;
        b->mem.fail_at = 0;
        net_until(&net, 2000);
        ask_as(p, "198.51.100.1", "INVITE");
        net_until(&net, 2100);
        if (strstr(net.log, " 500 ") || b->rings != 1)
            fail_msg("failure %zu: rings %d\n%s", i, b->rings, net.log);
        close_callee();
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
        cmocka_unit_test(copy_while_ringing),     cmocka_unit_test(copy_and_refusal),
        cmocka_unit_test(copy_after_refusal),     cmocka_unit_test(copy_after_answer),
        cmocka_unit_test(copy_long_after_answer), cmocka_unit_test(cancel_by_other),
        cmocka_unit_test(copy_by_stranger),       cmocka_unit_test(any_moment),
        cmocka_unit_test(no_memory_to_begin),     cmocka_unit_test(no_memory_caller),
        cmocka_unit_test(no_memory_callee),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
