/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two proxies that are no twins (design.md R24 to R27), what forged messages may not do (R16, R17,
 * R20), and the pace of probes (R18). */
#include "ua_kit.h"

#include <stdio.h>
#include <string.h>

static struct net net;

struct world {
    struct net_party *a, *p, *t;
};

static void enroll(struct net_party *a, const char *host)
{
    struct dt_registration r = {
        .identity = {.user = DT_STR("alice"), .domain = DT_STR("example.com")},
        .registrar = {.host = dt_str_z(host), .port = 5060},
        .expires = 36000};

    assert_int_equal(dt_ua_register(a->ua, net.now, &r, &a->reg), DT_OK);
    net_settle(&net);
}

/* A knows both proxies from its registrations. Times count from there: the call is at 1000. */
static struct world open_as(const char *p_cluster, const char *t_cluster)
{
    struct dt_ua_config c = {.fast = true};
    struct world w;

    net_init(&net);
    w.a = net_ua(&net, "A", &c);
    w.p = net_node(&net, "P", NULL);
    w.t = net_node(&net, "T", NULL);
    w.p->cluster = p_cluster;
    w.t->cluster = t_cluster;
    w.p->node = p_cluster ? "P" : NULL;
    w.t->node = t_cluster ? "T" : NULL;
    net.no_probes = true;
    enroll(w.a, "192.0.2.2");
    enroll(w.a, "192.0.2.3");
    assert_true(w.a->registered);
    net_until(&net, 1000);
    net_hush(&net);
    return w;
}

static struct world strangers(void)
{
    return open_as("C", "D");
}

static void dial(struct world *w)
{
    struct dt_outgoing o;

    net_outgoing(&o, w->a, "sip:bob@example.com", w->p, w->t);
    o.policy = DT_REACH_FAST;
    assert_int_equal(net_call(&net, w->a, &o), DT_OK);
}

static void say_plan(struct net_party *p, int a, int b, int c)
{
    p->plan[0] = a;
    p->plan[1] = b;
    p->plan[2] = c;
}

/* Everything that is left ends by itself. */
static void close_world(struct world *w)
{
    w->p->dead = w->t->dead = false;
    net_until(&net, net.now / DT_MS + 1);
    if (w->a->alive)
        net_hangup(&net, w->a);
    net_quiet_end(&net);
    net_free(&net);
}

static void send_as(struct net_party *self, struct net_party *to, const struct dt_sip_msg *m,
                    int status, const char *tag, const char *extra)
{
    net_respond(&net, self, to, m, status, tag, extra, status == 200 ? net_sdp : NULL);
    net_settle(&net);
}

/* ---- R25 ---- */

/* Never by T1; by death: the same Call-ID, From tag and CSeq, a new branch. */
static void silent(void **state)
{
    struct world w = strangers();
    struct dt_sip_msg *first;

    (void)state;
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1100);
    first = dt_sip_msg_keep(&dt_alloc_libc, w.p->invite);
    w.p->dead = true;
    net_until(&net, 20000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "2250 A words on\n"
                   "2250 A > T INVITE 1\n"
                   "2250 T > A 100 INVITE\n"
                   "2250 T > A 180 INVITE\n"
                   "2250 A words off\n"
                   "2250 A is ringing\n"
                   "2500 A > P INVITE 1\n"
                   "4500 A > P INVITE 1\n"
                   "8500 A > P INVITE 1\n"
                   "16500 A > P INVITE 1\n");
    assert_true(dt_str_eq(first->call_id, w.t->invite->call_id));
    assert_true(dt_str_eq(first->from.tag, w.t->invite->from.tag));
    assert_int_equal(w.t->invite->cseq.number, 1);
    assert_false(dt_str_eq(first->via.branch, w.t->invite->via.branch));
    dt_sip_msg_drop(first);
    close_world(&w);
}

/* Who shows no cluster is a stranger to all, and so is another cluster's node of the same name. */
static void nobodies_twin(void **state)
{
    static const struct {
        const char *p, *t;
    } rows[] = {{NULL, NULL}, {"C", NULL}, {NULL, "C"}, {"C", "c"}, {"C;x", "C;x"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct world w = open_as(rows[i].p, rows[i].t);
        dial(&w);
        net_until(&net, 3900);
        net_flow(&net, "1000 A > P INVITE 1\n1500 A > P INVITE 1\n2500 A > P INVITE 1\n");
        assert_null(w.t->invite);
        close_world(&w);
    }
}

/* It answers probes: as `guide`. */
static void mute(void **state)
{
    struct world w = strangers();

    (void)state;
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 40000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "2500 A > P INVITE 1\n"
                   "4500 A > P INVITE 1\n"
                   "8500 A > P INVITE 1\n"
                   "16500 A > P INVITE 1\n"
                   "32500 A > P INVITE 1\n"
                   "33000 A words on\n"
                   "33000 A > T INVITE 1\n"
                   "33000 T > A 100 INVITE\n"
                   "33000 T > A 180 INVITE\n"
                   "33000 A words off\n"
                   "33000 A is ringing\n");
    close_world(&w);
}

static void refused(void **state)
{
    struct world w = strangers();

    (void)state;
    w.p->refuses = true;
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1900);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 A words on\n"
                   "1000 A > T INVITE 1\n"
                   "1000 T > A 100 INVITE\n"
                   "1000 T > A 180 INVITE\n"
                   "1000 A words off\n"
                   "1000 A is ringing\n");
    w.p->refuses = false;
    close_world(&w);
}

/* It had got through: CANCEL, 2 s, then once with a new Call-ID (R26). */
static void dies_proceeding(void **state)
{
    struct world w = strangers();
    struct dt_sip_msg *first;

    (void)state;
    say_plan(w.p, 100, 0, 0);
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1100);
    first = dt_sip_msg_keep(&dt_alloc_libc, w.p->invite);
    w.p->dead = true;
    net_until(&net, 9000);
    assert_false(dt_str_eq(first->call_id, w.t->invite->call_id));
    assert_true(dt_str_eq(first->from.tag, w.t->invite->from.tag));
    assert_int_equal(w.t->invite->cseq.number, 1);
    w.t->dead = true; /* once is enough */
    net_until(&net, 60000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 P > A 100 INVITE\n"
                   "3250 A > P CANCEL 1\n"
                   "3750 A > P CANCEL 1\n"
                   "4750 A > P CANCEL 1\n"
                   "5250 A words on\n"
                   "5250 A > T INVITE 1\n"
                   "5250 T > A 100 INVITE\n"
                   "5250 T > A 180 INVITE\n"
                   "5250 A words off\n"
                   "5250 A is ringing\n"
                   "6750 A > P CANCEL 1\n"
                   "10750 A > P CANCEL 1\n"
                   "14750 A > P CANCEL 1\n"
                   "18750 A > P CANCEL 1\n"
                   "22750 A > P CANCEL 1\n"
                   "26750 A > P CANCEL 1\n"
                   "30750 A > P CANCEL 1\n"
                   "34750 A > P CANCEL 1\n");
    dt_sip_msg_drop(first);
    close_world(&w);
}

/* ---- R24 ---- */

static void mute_callee(void **state)
{
    struct world w = open_as("C", "C");

    (void)state;
    say_plan(w.p, 100, 180, 0);
    say_plan(w.t, 100, 0, 0);
    dial(&w);
    net_until(&net, 1100);
    w.p->dead = true;
    net_until(&net, 5100);
    say_plan(w.t, 100, 180, 0);
    net_until(&net, 9000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 P > A 100 INVITE\n"
                   "1000 P > A 180 INVITE\n"
                   "1000 A is ringing\n"
                   "3250 A words on\n"
                   "3250 A > T INVITE 1\n"
                   "3250 T > A 100 INVITE\n"
                   "3750 A > T INVITE 1\n" /* is the 180 lost? */
                   "3750 T > A 100 INVITE\n"
                   "4250 A > T INVITE 1\n"
                   "4250 T > A 100 INVITE\n"
                   "4750 A > T INVITE 1\n"
                   "4750 T > A 100 INVITE\n"
                   "5250 A > T CANCEL 1\n"
                   "5250 T > A 200 CANCEL\n"
                   "5250 T > A 487 INVITE\n"
                   "5250 A > T ACK 1\n"
                   "5250 A > T INVITE 1\n"
                   "5250 T > A 100 INVITE\n"
                   "5250 T > A 180 INVITE\n"
                   "5250 A words off\n"
                   "5250 A is ringing\n");
    close_world(&w);
}

/* It answers before the 2 s are over. */
static void slow_callee(void **state)
{
    struct world w = open_as("C", "C");

    (void)state;
    say_plan(w.p, 100, 180, 0);
    say_plan(w.t, 100, 0, 0);
    dial(&w);
    net_until(&net, 1100);
    w.p->dead = true;
    net_until(&net, 5200);
    net_hush(&net);
    net_node_says(&net, w.t, w.a, 200, "callee");
    net_until(&net, 9000);
    net_flow(&net, "5200 T > A 200 INVITE\n"
                   "5200 A words off\n"
                   "5200 A is talking\n"
                   "5200 A hears sendrecv\n"
                   "5200 A > T ACK 1\n");
    close_world(&w);
}

/* ---- R27 ---- */

/* The first path answers after the second has rung. */
static void late(void **state)
{
    static const struct {
        int status;
        const char *flow;
    } rows[] = {
        {180, "10000 P > A 180 INVITE\n10000 A > P CANCEL 1\n10000 P > A 200 CANCEL\n"},
        {200, "10000 P > A 200 INVITE\n10000 A > P ACK 1\n10000 A > P BYE 2\n"
              "10000 P > A 200 BYE\n"},
        {486, "10000 P > A 486 INVITE\n10000 A > P ACK 1\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct world w = strangers();
        struct dt_sip_msg *first;
        say_plan(w.t, 100, 180, 200);
        dial(&w);
        net_until(&net, 1100);
        first = w.p->invite;
        w.p->invite = NULL;
        w.p->dead = true;
        net_until(&net, 10000);
        assert_int_equal(w.a->state, DT_CALL_TALKING);
        w.p->dead = false;
        net_hush(&net);
        send_as(w.p, w.a, first, rows[i].status, "late", NULL);
        net_until(&net, 10100);
        net_flow(&net, rows[i].flow);
        assert_int_equal(w.a->state, DT_CALL_TALKING);
        if (rows[i].status == 180)
            send_as(w.p, w.a, first, 487, "late", NULL);
        dt_sip_msg_drop(first);
        close_world(&w);
    }
}

/* ---- what is forged ---- */

/* A third party knows the branch: nobody listens to it once the transaction is gone. */
static void stranger_answers(void **state)
{
    struct world w = open_as("C", "C");
    struct net_party *x = net_node(&net, "X", NULL);

    (void)state;
    say_plan(w.p, 100, 180, 200);
    dial(&w);
    net_until(&net, 40000); /* 64 T1 are over */
    net_hush(&net);
    send_as(x, w.a, w.p->invite, 200, "forged", NULL);
    send_as(x, w.a, w.p->invite, 180, "forged", NULL);
    send_as(x, w.a, w.p->invite, 486, "forged", NULL);
    net_flow(&net, "40000 X > A 200 INVITE\n40000 X > A 180 INVITE\n40000 X > A 486 INVITE\n");
    assert_int_equal(w.a->state, DT_CALL_TALKING);
    close_world(&w);
}

/* What nobody asked for does not prove a restart, from the right address neither; nor does what
 * cannot be read, or belongs to another node, or was said by the callee. */
static void forged_boots(void **state)
{
    static const struct {
        int status;
        const char *line;
    } rows[] = {
        {183, "Dualtone-Node: C;node=P;boot=7\r\n"},
        {100, "Dualtone-Node: C;node=P;boot=\r\n"},
        {100, "Dualtone-Node: C;node=P;boot=-1\r\n"},
        {100, "Dualtone-Node: C;node=P;boot=99999999999999999999999\r\n"},
        {100, "Dualtone-Node: C;node=P\r\n"},
        {100, "Dualtone-Node: ;node=P;boot=7\r\n"},
        {100, "Dualtone-Node: C;boot=7;node=P\r\n"},
        {100, "Dualtone-Node: C;node=P;boot=7;boot=1\r\n"},
        {100, "Dualtone-Node:\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct world w = open_as("C", "C");
        say_plan(w.p, 100, 0, 0);
        dial(&w);
        net_until(&net, 1100);
        send_as(w.p, w.a, w.p->invite, rows[i].status, rows[i].status > 100 ? "x" : NULL,
                rows[i].line);
        net_until(&net, 1200);
        if (w.t->invite)
            fail_msg("%s", rows[i].line);
        close_world(&w);
    }
}

static void unasked(void **state)
{
    struct world w = open_as("C", "C");
    char text[700];

    (void)state;
    say_plan(w.p, 100, 0, 0);
    dial(&w);
    net_until(&net, 1100);
    net_hush(&net);
    for (int i = 0; i < 3; i++) {
        static const char *const methods[] = {"OPTIONS", "REGISTER", "INVITE"};
        snprintf(text, sizeof(text),
                 "SIP/2.0 %d x\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKforged\n"
                 "From: <sip:a@b>;tag=1\nTo: <sip:a@b>\nCall-ID: 1\nCSeq: 1 %s\n"
                 "Dualtone-Node: C;node=P;boot=9\nContent-Length: 0\n\n",
                 i == 2 ? 100 : 200, methods[i]);
        net_send(&net, w.p, w.a, text);
    }
    net_until(&net, 1900);
    net_flow(&net, "1100 P > A 200 REGISTER\n1100 P > A 100 INVITE\n");
    assert_null(w.t->invite);
    close_world(&w);
}

/* ICMP errors: for who is not asked they are nothing; one for the proxy is not its death. */
static void icmp(void **state)
{
    struct world w = open_as("C", "C");
    struct dt_input in = {.kind = DT_IN_SOCKET_ERROR, .err = DT_E_REFUSED, .local = w.a->addr};
    struct net_party *x = net_node(&net, "X", NULL);

    (void)state;
    say_plan(w.p, 100, 180, 0);
    dial(&w);
    net_until(&net, 1100);
    net_hush(&net);
    for (int i = 0; i < 5; i++) {
        in.remote = x->addr;
        (void)dt_ua_input(w.a->ua, net.now, &in);
        in.remote = w.p->addr; /* nothing waits there: a provisional came */
        (void)dt_ua_input(w.a->ua, net.now, &in);
    }
    net_until(&net, 5000);
    net_flow(&net, "");
    assert_null(w.t->invite);
    close_world(&w);
}

/* ---- R18 ---- */

/* OPTIONS that each had, in that time. */
static void pace(void **state)
{
    struct world w = open_as("C", "C");
    int before;

    (void)state;
    before = w.p->probes;
    net_until(&net, 600000);
    assert_in_range(w.p->probes - before, 20, 30); /* idle: every 20 to 30 s */
    assert_in_range(w.t->probes, 20, 30);
    say_plan(w.p, 100, 180, 0);
    dial(&w);
    before = w.p->probes;
    net_until(&net, 620000);
    assert_in_range(w.p->probes - before, 19, 20); /* a call waits: each second */
    net_node_says(&net, w.p, w.a, 200, "callee");
    net_until(&net, 621000);
    before = w.p->probes;
    net_until(&net, 721000);
    assert_in_range(w.p->probes - before, 3, 5); /* talking is idle */
    close_world(&w);
}

/* The dead one is asked about every 5 s; it comes back for calls after three good probes. */
static void pace_of_the_dead(void **state)
{
    struct world w = open_as("C", "C");

    (void)state;
    w.p->refuses = true;
    dial(&w);
    net_until(&net, 10000);
    net_hangup(&net, w.a);
    net.no_probes = false;
    net_until(&net, 40000);
    net_hush(&net);
    net_until(&net, 70000);
    w.p->refuses = false;
    {
        unsigned n = 0;
        for (const char *at = net.log; (at = strstr(at, "A > P OPTIONS")); at++)
            n++;
        assert_in_range(n, 4, 7);
    }
    net_hush(&net);
    net.no_probes = true;
    w.p->got = 0;
    net_until(&net, 76000);
    say_plan(w.t, 100, 486, 0);
    dial(&w); /* one good probe at most */
    assert_true(strstr(net.log, "A > T INVITE") && !strstr(net.log, "A > P INVITE"));
    net_until(&net, 76100);
    net_hush(&net);
    net_until(&net, 180000);
    say_plan(w.p, 100, 486, 0);
    dial(&w);
    assert_true(strstr(net.log, "A > P INVITE") && !strstr(net.log, "A > T INVITE"));
    net_until(&net, 180100);
    close_world(&w);
}

/* Nobody is probed under `guide`, and nobody is a twin. */
static void guide(void **state)
{
    struct net_party *a, *p, *t;
    struct dt_outgoing o;

    (void)state;
    net_init(&net);
    a = net_ua(&net, "A", NULL);
    p = net_node(&net, "P", NULL);
    t = net_node(&net, "T", NULL);
    enroll(a, "192.0.2.2");
    enroll(a, "192.0.2.3");
    net_outgoing(&o, a, "sip:bob@example.com", p, t);
    say_plan(p, 100, 180, 200);
    (void)net_call(&net, a, &o);
    net_until(&net, 100000);
    assert_int_equal(p->probes + t->probes, 0);
    p->boot = 2;
    net_hangup(&net, a);
    net_until(&net, 101000);
    assert_null(t->invite);
    net_quiet_end(&net);
    net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent),
        cmocka_unit_test(nobodies_twin),
        cmocka_unit_test(mute),
        cmocka_unit_test(refused),
        cmocka_unit_test(dies_proceeding),
        cmocka_unit_test(mute_callee),
        cmocka_unit_test(slow_callee),
        cmocka_unit_test(late),
        cmocka_unit_test(stranger_answers),
        cmocka_unit_test(forged_boots),
        cmocka_unit_test(unasked),
        cmocka_unit_test(icmp),
        cmocka_unit_test(pace),
        cmocka_unit_test(pace_of_the_dead),
        cmocka_unit_test(guide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
