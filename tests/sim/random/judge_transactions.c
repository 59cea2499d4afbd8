/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Transactions as the packets show them: how often and when a request leaves over UDP (I4), that
 * nothing is repeated that has its final, or that is older than 64 T1 (I3), and that a copy is
 * answered with the same bytes (I5). */
#include "judge.h"

enum { SENDS_INVITE = 7, SENDS_OTHER = 11 };

/* What is known of a request: a response came; it may be known to be refused. */
enum { HEARD = 1, REFUSED = 2 };

/* A clock may run 2000 ppm too fast or too slow. */
static dt_time slack(dt_time t)
{
    return t / 200 + 2 * DT_MS;
}

static struct memo *of_hop(const struct seen *s, enum memo_kind kind, const struct dt_addr *peer)
{
    char buf[48];
    struct dt_str texts[] = {judge_address(peer, buf), s->m->via.branch, s->m->cseq.method_text};
    return judge_memo(s, kind, judge_owner(s), texts, 3);
}

/* Whether anything was heard of this branch, from whomever. */
static struct memo *of_method(const struct seen *s, struct dt_str method)
{
    struct dt_str texts[] = {s->m->via.branch, method};
    return judge_memo(s, MEMO_HEARD, judge_owner(s), texts, 2);
}

static struct memo *of_branch(const struct seen *s)
{
    return of_method(s, s->m->cseq.method_text);
}

/* ---- clients ---- */

/* The wait before the n-th repeat: timer A doubles, timer E up to T2 (17.1.1.2, 17.1.2.2). */
static dt_time wait_before(unsigned n, bool invite)
{
    dt_time wait = T1 << (n - 1 < 10 ? n - 1 : 10);
    return invite ? wait : dt_time_min(wait, T2);
}

/* A twin is asked with the same branch (R22): who of the two is repeated to then follows from what
 * is known of them. A proxy of a pair repeats an INVITE when a copy comes, too. A REGISTER goes to
 * both by itself, and what a proxy cancels may be a copy of the caller's CANCEL each time (R6,
 * R24). */
static bool is_exact(const struct seen *s)
{
    enum dt_method m = s->m->method;
    bool proxy = s->party->proxy, pair = s->w->pair;
    return of_branch(s)->n == 1 && !(m == DT_CANCEL && (proxy || pair)) &&
           !(pair && (m == DT_REGISTER || (m == DT_INVITE && proxy)));
}

static void judge_repeat(const struct seen *s, const struct memo *r)
{
    bool invite = s->m->method == DT_INVITE;
    bool exact = judge_steady_since(s->party) < r->first && is_exact(s) && !of_branch(s)->value;
    dt_time gap = s->item->at - r->last, wait = wait_before(r->n, invite);
    bool forgotten = s->item->at - r->final > 64 * T1 - slack(64 * T1); /* a copy begins anew */
    if (r->final && s->item->at > r->final && !forgotten && is_exact(s))
        judge_fail(s, "I3", "a request is repeated that has its final");
    else if (s->item->at - r->first > 64 * T1 + slack(64 * T1) && exact)
        judge_fail(s, "I3", "a request is repeated after 64 T1");
    else if (r->n >= (invite ? SENDS_INVITE : SENDS_OTHER) && exact)
        judge_fail(s, "I4", "a request is sent too often");
    else if (exact && gap < wait - slack(wait))
        judge_fail(s, "I4", "a request is repeated too early");
    else if (exact && gap > wait + slack(wait))
        judge_fail(s, "I4", "a request is repeated too late");
}

static void sent_request(const struct seen *s)
{
    struct memo *r = of_hop(s, MEMO_REQUEST, &s->item->to);
    bool udp = s->item->to.transport == DT_UDP;
    if (s->m->method == DT_ACK)
        return;
    /* What comes again when a proxy has forgotten it, begins anew. */
    if (s->party->proxy && r->used && s->item->at - r->first > 64 * T1 - slack(64 * T1))
        *r = (struct memo){.key = r->key};
    of_branch(s)->n += !r->used;
    if (s->m->method == DT_CANCEL) /* 9.1: what is cancelled early is not repeated any more */
        of_method(s, DT_STR("INVITE"))->value |= HEARD;
    if (r->used && udp)
        judge_repeat(s, r);
    else if (r->used && is_exact(s) && !s->w->pair && !of_branch(s)->value)
        judge_fail(s, "I4", "a request is repeated over TCP");
    else if (s->m->method == DT_INVITE && udp && !s->m->to.tag.n) /* a BYE ends a re-INVITE */
        judge_wait(s, DUE_REPEAT, r);
    if (!r->used)
        r->first = s->item->at;
    r->used = true;
    r->last = s->item->at;
    r->n++;
}

void judge_due_repeat(const struct seen *s, struct memo *r)
{
    /* A phone may have another way (R22); and it may be known that nobody is there. */
    bool told = judge_unheard_at(s, &s->item->to)->last + ICMP_COMES > s->item->at;
    if (s->party->proxy && r->n == 1 && is_exact(s) && !of_branch(s)->value && !told)
        judge_fail(s, "I4", "a request without any response is not repeated");
}

void judge_unheard(const struct seen *s)
{
    judge_unheard_at(s, &s->item->to)->last = s->item->at;
    if (s->m->request)
        of_branch(s)->value |= REFUSED;
}

static void got_response(const struct seen *s)
{
    struct memo *r = of_hop(s, MEMO_REQUEST, &s->item->from);
    of_branch(s)->value |= HEARD;
    if (s->m->status >= 200 && r->used && !r->final)
        r->final = s->item->at;
}

/* ---- servers ---- */

static void sent_response(const struct seen *s)
{
    char buf[48], status[2] = {(char)(s->m->status >> 8), (char)s->m->status};
    struct dt_str texts[] = {judge_address(&s->item->to, buf),
                             s->m->via.branch,
                             s->m->cseq.method_text,
                             s->vias,
                             {status, 2},
                             s->m->to.tag};
    /* The first Via shows by which way its copy came (R7). */
    size_t via_end = (size_t)(s->m->via.text.p + s->m->via.text.n - s->m->text.p);
    uint64_t digest = judge_hash(dt_str_sub(s->m->text, via_end, s->m->text.n));
    bool challenge = s->m->status == 401 || s->m->status == 407;
    if (s->m->status < 200 || (challenge && s->m->method != DT_INVITE)) /* 26.3.2.4: stateless */
        return;
    struct memo *a = judge_memo(s, MEMO_REPLY, judge_owner(s), texts, 6);
    /* Timers H and J end it, and timer I a refused INVITE, T4 behind its ACK (until then it is told
     * each T2). A copy that comes later is a new request, with the same tag (8.2.7). */
    bool refused = s->m->method == DT_INVITE && s->m->status >= 300;
    bool over = s->item->at - a->first > 64 * T1 - slack(64 * T1) ||
                (refused && s->item->at - a->last > T4);
    if (a->used && a->digest != digest && !over)
        judge_fail(s, "I5", "a copy is answered with other bytes");
    if (!a->used || over)
        a->first = s->item->at;
    a->used = true;
    a->last = s->item->at;
    a->digest = digest;
}

void judge_transactions(const struct seen *s)
{
    if (judge_excuses(s->party))
        return;
    if (s->sent && s->m->request)
        sent_request(s);
    else if (s->sent)
        sent_response(s);
    else if (!s->m->request)
        got_response(s);
}
