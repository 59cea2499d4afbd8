/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Page B-58: the primary is dead, the backup is tried. Exact times, late answers, hang-ups. */
#include "ua_kit.h"

#include <string.h>

static struct net net;

/* A proxy that the test speaks for: it keeps the last INVITE. */
static struct dt_sip_msg *kept;
static void keep(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                 struct net_party *from)
{
    (void)n;
    (void)from;
    self->got++;
    if (!m->request || m->method != DT_INVITE)
        return;
    dt_sip_msg_drop(kept);
    kept = dt_sip_msg_keep(&dt_alloc_libc, m);
}

static void answer_cancel(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                          struct net_party *from)
{
    if (m->request && m->method == DT_CANCEL)
        net_respond(n, self, from, m, 200, "p1", NULL, NULL);
}

struct world {
    struct net_party *a, *b, *p, *s;
};

/* A, B, the primary P that the test speaks for, the backup S that relays. */
static struct world open_world(const struct dt_ua_config *cfg)
{
    struct world w;

    net_init(&net);
    w.a = net_ua(&net, "A", cfg);
    w.b = net_ua(&net, "B", NULL);
    w.p = net_script(&net, "P", keep);
    w.s = net_relay(&net, "S", w.b);
    w.b->ring_after = 0;
    return w;
}

static void close_world(void)
{
    net_quiet_end(&net);
    net_free(&net);
    dt_sip_msg_drop(kept);
    kept = NULL;
}

#define SEVEN \
    "0 A > P INVITE 1\n" \
    "500 A > P INVITE 1\n" \
    "1500 A > P INVITE 1\n" \
    "3500 A > P INVITE 1\n" \
    "7500 A > P INVITE 1\n" \
    "15500 A > P INVITE 1\n" \
    "31500 A > P INVITE 1\n"

#define BACKUP_RINGS \
    "32000 A words on\n" \
    "32000 A > S INVITE 1\n" \
    "32000 S > A 100 INVITE\n" \
    "32000 S > B INVITE 1\n" \
    "32000 A words off\n" \
    "32000 B is called as bob\n" \
    "32000 B is ringing\n" \
    "32000 B > S 100 INVITE\n" \
    "32000 B > S 180 INVITE\n" \
    "32000 S > A 180 INVITE\n" \
    "32000 A is ringing\n"

/* P's late response: a provisional, a failure, a 2xx. */
static void p_says(struct world *w, int status, const char *tag)
{
    net_respond(&net, w->p, w->a, kept, status, tag, NULL, status == 200 ? net_sdp : NULL);
    net_settle(&net);
}

static void backup(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 33000);
    net_answer(&net, w.b);
    net_until(&net, 40000);
    net_hangup(&net, w.a);
    net_until(&net, 41000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "500 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "3500 A > P INVITE 1\n"
                   "7500 A > P INVITE 1\n"
                   "15500 A > P INVITE 1\n"
                   "31500 A > P INVITE 1\n"
                   "32000 A words on\n"
                   "32000 A > S INVITE 1\n"
                   "32000 S > A 100 INVITE\n"
                   "32000 S > B INVITE 1\n"
                   "32000 A words off\n"
                   "32000 B is called as bob\n"
                   "32000 B is ringing\n"
                   "32000 B > S 100 INVITE\n"
                   "32000 B > S 180 INVITE\n"
                   "32000 S > A 180 INVITE\n"
                   "32000 A is ringing\n"
                   "33000 B is talking\n"
                   "33000 B hears sendrecv\n"
                   "33000 B > S 200 INVITE\n"
                   "33000 S > A 200 INVITE\n"
                   "33000 A is talking\n"
                   "33000 A hears sendrecv\n"
                   "33000 A > S ACK 1\n"
                   "33000 S > B ACK 1\n"
                   "40000 A is ending\n"
                   "40000 A hears nothing\n"
                   "40000 A > S BYE 2\n"
                   "40000 S > B BYE 2\n"
                   "40000 B hears nothing\n"
                   "40000 B ended 0 by peer\n"
                   "40000 B > S 200 BYE\n"
                   "40000 S > A 200 BYE\n"
                   "40000 A ended 0\n");
    close_world();
}

/* RFC 3665 3.4: a new Call-ID and branch, CSeq 1 again, the same From tag. */
static void backup_is_new(void **state)
{
    struct world w = open_world(NULL);
    struct dt_sip_msg *first;

    (void)state;
    w.s->peer = keep;
    net_dial(&net, w.a, w.b, w.p, w.s);
    first = kept;
    kept = NULL;
    net_until(&net, 31999);
    assert_true(dt_str_eq(first->via.branch, kept->via.branch));
    assert_true(dt_str_eq(first->text, kept->text));
    net_until(&net, 32000);
    assert_false(dt_str_eq(first->call_id, kept->call_id));
    assert_false(dt_str_eq(first->via.branch, kept->via.branch));
    assert_true(dt_str_eq(first->from.tag, kept->from.tag));
    assert_int_equal(kept->cseq.number, 1);
    kit_assert_str(kept->uri_text, "sip:bob@192.0.2.2:5060");
    dt_sip_msg_drop(first);
    net_until(&net, 64000);
    assert_int_equal(w.a->end.err, DT_E_TIMEOUT);
    assert_false(w.a->words);
    close_world();
}

static void no_backup(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.p->dead = true;
    net_dial(&net, w.a, w.b, w.p, NULL);
    net_until(&net, 100000);
    net_flow(&net, SEVEN "32000 A ended 0: no answer in time\n");
    close_world();
}

static void both_silent(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.p->dead = w.s->dead = true;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 100000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "500 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "3500 A > P INVITE 1\n"
                   "7500 A > P INVITE 1\n"
                   "15500 A > P INVITE 1\n"
                   "31500 A > P INVITE 1\n"
                   "32000 A words on\n"
                   "32000 A > S INVITE 1\n"
                   "32500 A > S INVITE 1\n"
                   "33500 A > S INVITE 1\n"
                   "35500 A > S INVITE 1\n"
                   "39500 A > S INVITE 1\n"
                   "47500 A > S INVITE 1\n"
                   "63500 A > S INVITE 1\n"
                   "64000 A words off\n"
                   "64000 A ended 0: no answer in time\n");
    close_world();
}

static void refused(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.p->refuses = true;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 100);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "0 A words on\n"
                   "0 A > S INVITE 1\n"
                   "0 S > A 100 INVITE\n"
                   "0 S > B INVITE 1\n"
                   "0 A words off\n"
                   "0 B is called as bob\n"
                   "0 B is ringing\n"
                   "0 B > S 100 INVITE\n"
                   "0 B > S 180 INVITE\n"
                   "0 S > A 180 INVITE\n"
                   "0 A is ringing\n");
    net_hangup(&net, w.a);
    close_world();
}

/* Any response stops the count: 100, then silence until the INVITE's Expires. */
static void trying_then_silence(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 600);
    p_says(&w, 100, NULL);
    net_until(&net, 300000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "500 A > P INVITE 1\n"
                   "600 P > A 100 INVITE\n"
                   "180000 A is ending\n"
                   "180000 A > P CANCEL 1\n"
                   "180500 A > P CANCEL 1\n"
                   "181500 A > P CANCEL 1\n"
                   "183500 A > P CANCEL 1\n"
                   "187500 A > P CANCEL 1\n"
                   "191500 A > P CANCEL 1\n"
                   "195500 A > P CANCEL 1\n"
                   "199500 A > P CANCEL 1\n"
                   "203500 A > P CANCEL 1\n"
                   "207500 A > P CANCEL 1\n"
                   "211500 A > P CANCEL 1\n"
                   "212000 A ended 0: no answer in time\n");
    close_world();
}

/* A 503 of the primary ends the call (behaviour.md 1, item 2). */
static void refusal_by_status(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 100);
    net_respond(&net, w.p, w.a, kept, 503, "p1", "Retry-After: 7\r\n", NULL);
    net_until(&net, 60000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "100 P > A 503 INVITE\n"
                   "100 A ended 503 by peer\n"
                   "100 A > P ACK 1\n");
    assert_int_equal(w.a->end.retry_after, 7);
    close_world();
}

/* R27: while the backup rings. The CANCEL is sent once (I7). */
static void late_ringing(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 40000);
    net_flow(&net, SEVEN BACKUP_RINGS);
    p_says(&w, 180, "p1");
    p_says(&w, 180, "p1");
    net_until(&net, 40100);
    net_flow(&net, "40000 P > A 180 INVITE\n"
                   "40000 A > P CANCEL 1\n"
                   "40000 P > A 180 INVITE\n");
    p_says(&w, 487, "p1");
    p_says(&w, 487, "p1");
    net_flow(&net, "40100 P > A 487 INVITE\n"
                   "40100 A > P ACK 1\n"
                   "40100 P > A 487 INVITE\n"
                   "40100 A > P ACK 1\n");
    net_answer(&net, w.b);
    net_until(&net, 50000);
    net_hush(&net);
    net_hangup(&net, w.a);
    close_world();
}

static void late_answer(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 40000);
    net_answer(&net, w.b);
    net_until(&net, 41000);
    net_hush(&net);
    p_says(&w, 200, "p1");
    p_says(&w, 200, "p1"); /* a copy: the ACK again, no second BYE (I6, I13) */
    net_until(&net, 41100);
    net_flow(&net, "41000 P > A 200 INVITE\n"
                   "41000 A > P ACK 1\n"
                   "41000 A > P BYE 2\n"
                   "41000 P > A 200 INVITE\n"
                   "41000 A > P ACK 1\n");
    assert_int_equal(w.a->state, DT_CALL_TALKING);
    net_hangup(&net, w.a);
    close_world();
}

static void late_busy(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 33000);
    net_hush(&net);
    p_says(&w, 486, "p1");
    net_flow(&net, "33000 P > A 486 INVITE\n"
                   "33000 A > P ACK 1\n");
    assert_int_equal(w.a->state, DT_CALL_RINGING);
    net_hangup(&net, w.a);
    close_world();
}

/* What is remembered has an end: Expires + 64 T1 after the path was given up. */
static void late_too_late(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.s->dead = true;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 32000 + 212000 - 1);
    net_hush(&net);
    p_says(&w, 486, "p1");
    net_flow(&net, "243999 P > A 486 INVITE\n243999 A > P ACK 1\n");
    net_until(&net, 64000 + 212000);
    p_says(&w, 486, "p1");
    net_flow(&net, "276000 P > A 486 INVITE\n");
    close_world();
}

/* behaviour.md 1, item 12; R23. */
static void hangup_unheard(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 2000);
    net_hangup(&net, w.a);
    net_until(&net, 3600);
    w.p->peer = answer_cancel;
    p_says(&w, 180, "p1");
    net_until(&net, 3700);
    p_says(&w, 487, "p1");
    net_until(&net, 60000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "500 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "2000 A is ending\n"
                   "3500 A > P INVITE 1\n"
                   "3600 P > A 180 INVITE\n"
                   "3600 A > P CANCEL 1\n"
                   "3600 P > A 200 CANCEL\n"
                   "3700 P > A 487 INVITE\n"
                   "3700 A ended 487\n"
                   "3700 A > P ACK 1\n");
    close_world();
}

/* Hung up, and nothing ever came: no CANCEL, no backup. */
static void hangup_silent(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.p->dead = true;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 2000);
    net_hangup(&net, w.a);
    net_until(&net, 60000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "500 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "2000 A is ending\n"
                   "3500 A > P INVITE 1\n"
                   "7500 A > P INVITE 1\n"
                   "15500 A > P INVITE 1\n"
                   "31500 A > P INVITE 1\n"
                   "32000 A ended 0\n");
    close_world();
}

/* Hung up, then the 200 comes all the same: ACK and BYE. */
static void hangup_late_answer(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 100);
    net_hangup(&net, w.a);
    p_says(&w, 200, "p1");
    net_until(&net, 200);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "100 A is ending\n"
                   "100 P > A 200 INVITE\n"
                   "100 A ended 0\n"
                   "100 A > P ACK 1\n"
                   "100 A > P BYE 2\n");
    close_world();
}

static void hangup_while_trying_backup(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.s->dead = true;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 33000);
    net_hush(&net);
    net_hangup(&net, w.a);
    net_until(&net, 33100);
    net_flow(&net, "33000 A words off\n"
                   "33000 A is ending\n");
    close_world();
}

/* sip_invite_retx and timer_t1 count: 3 repeats of 100 ms give up at 1.5 s. */
static void other_numbers(void **state)
{
    struct dt_ua_config cfg = {.invite_repeats = 3, .stack = {.t1 = 100 * DT_MS}};
    struct world w = open_world(&cfg);

    (void)state;
    w.p->dead = w.s->dead = true;
    net_dial(&net, w.a, w.b, w.p, w.s);
    net_until(&net, 10000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "100 A > P INVITE 1\n"
                   "300 A > P INVITE 1\n"
                   "700 A > P INVITE 1\n"
                   "1500 A words on\n"
                   "1500 A > S INVITE 1\n"
                   "1600 A > S INVITE 1\n"
                   "1800 A > S INVITE 1\n"
                   "2200 A > S INVITE 1\n"
                   "3000 A words off\n"
                   "3000 A ended 0: no answer in time\n");
    close_world();
}

/* A name is looked up before the first INVITE; one that does not exist counts as refused. */
static void names(void **state)
{
    struct world w = open_world(NULL);
    struct dt_outgoing o;

    (void)state;
    net_outgoing(&o, w.a, "sip:bob@192.0.2.2", w.p, w.s);
    o.primary.host = DT_STR("nobody.test");
    o.backup.host = DT_STR("S.test");
    net_call(&net, w.a, &o);
    net_until(&net, 10);
    net_flow(&net, "0 A words on\n"
                   "0 A > S INVITE 1\n"
                   "0 S > A 100 INVITE\n"
                   "0 S > B INVITE 1\n"
                   "0 A words off\n"
                   "0 B is called as bob\n"
                   "0 B is ringing\n"
                   "0 B > S 100 INVITE\n"
                   "0 B > S 180 INVITE\n"
                   "0 S > A 180 INVITE\n"
                   "0 A is ringing\n");
    net_hangup(&net, w.a);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backup),
        cmocka_unit_test(backup_is_new),
        cmocka_unit_test(no_backup),
        cmocka_unit_test(both_silent),
        cmocka_unit_test(refused),
        cmocka_unit_test(trying_then_silence),
        cmocka_unit_test(refusal_by_status),
        cmocka_unit_test(late_ringing),
        cmocka_unit_test(late_answer),
        cmocka_unit_test(late_busy),
        cmocka_unit_test(late_too_late),
        cmocka_unit_test(hangup_unheard),
        cmocka_unit_test(hangup_silent),
        cmocka_unit_test(hangup_late_answer),
        cmocka_unit_test(hangup_while_trying_backup),
        cmocka_unit_test(other_numbers),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
