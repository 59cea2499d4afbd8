/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Responses to requests that another node of the cluster forwarded, or this one before it was
 * restarted (design.md R5). RFC 6026 7.3 forbids to pass on what has no transaction, because that
 * opens a relay; the MAC in our Via and a rate limit keep it closed. */
#include "proxy/work.h"

enum { SIP_PORT = 5060 };

struct stray {
    struct dt_proxy *p;
    dt_time now;
    const struct dt_sip_msg *m;
    const struct dt_hop *from;
    struct dt_via below;
    struct dt_hop to;
    bool forked;
};

struct dt_bytes *dt__without_via(struct dt_proxy *p, struct dt_sip_edits *e)
{
    struct dt_bytes *out;
    struct dt_sip_values v = dt_sip_values(e->m, DT_H_VIA);
    struct dt_str value;
    if (!dt_sip_values_next(&v, &value) || !dt_sip_values_next(&v, &value))
        return NULL;
    dt_sip_edit_pop(e, DT_H_VIA, 1);
    return dt_sip_forward(e, p->env->alloc, &out) ? NULL : out;
}

/* ---- may it go on? ---- */

/* A CANCEL that lost its transaction is repeated by whoever sent it. */
static bool is_wanted(const struct dt_sip_msg *m)
{
    return m->status > 100 && m->cseq.method != DT_CANCEL;
}

static bool is_ours(struct stray *s)
{
    struct dt_sip_values v = dt_sip_values(s->m, DT_H_VIA);
    struct dt_str value;
    if (!dt_sip_values_next(&v, &value) || !dt_sip_values_next(&v, &value) ||
        dt_sip_via(&s->below, value))
        return false;
    return dt__self_is_sent_by(&s->p->self, s->m->via.sent_by) &&
           dt__echo_check(&s->p->keys, &s->m->via, &s->below, &s->forked, &s->to.remote);
}

/* The caller has its final, of ours or as a stray: nothing goes behind that (17.2.1) but a 2xx of
 * an INVITE (16.7 step 5). */
static bool is_late(const struct stray *s)
{
    enum dt_method method = s->m->cseq.method;
    if (s->m->status / 100 == 2 && method == DT_INVITE)
        return false;
    return dt_stack_is_answered(s->p->stack, &s->below, method) ||
           (method == DT_INVITE && dt__stray_answered(s->p, s->now, s->below.branch));
}

static bool is_within_limit(struct dt_proxy *p, dt_time now)
{
    struct dt_strays *s = &p->strays;
    if (now - s->second >= DT_SECOND) {
        s->second = now;
        s->used = 0;
    }
    return s->used++ < (uint64_t)p->cfg->max_strays;
}

/* ---- on its way ---- */

/* RFC 3261 18.2.2: the connection that the request came by was our twin's, so it goes where the
 * sender says that it accepts connections. */
static void leave_connection(struct stray *s)
{
    if (s->to.remote.transport == DT_TCP)
        s->to.remote.port = s->below.port ? s->below.port : SIP_PORT;
}

static int send_on(const struct stray *s)
{
    struct dt_sip_edits e;
    dt_sip_edits_init(&e, s->m);
    struct dt_bytes *bytes = dt__without_via(s->p, &e);
    if (!bytes)
        return DT_E_NOMEM;
    /* The callee may answer by the twin's branch while ours is still open: then no other final
     * goes behind this one (16.7 step 5). */
    bool is_2xx = s->m->status / 100 == 2;
    dt_tx open = is_2xx ? dt_stack_pending(s->p->stack, &s->below, s->m->cseq.method) : 0;
    int err = open ? dt_stack_respond(s->p->stack, s->now, open, s->m->status, bytes)
                   : dt_stack_send(s->p->stack, s->now, bytes, &s->to);
    dt_bytes_drop(bytes);
    return err;
}

/* ---- what was answered ---- */

bool dt__stray_answered(const struct dt_proxy *p, dt_time now, struct dt_str branch)
{
    dt_time kept = 64 * p->cfg->timer_t1 * DT_MS;
    if (!p->strays.any_answered || now - p->strays.answered_at > kept)
        return false;
    uint64_t hash = dt_siphash(p->key, branch);
    const struct dt_stray_answer *a = &p->strays.answered[hash % DT_STRAYS_ANSWERED];
    return a->branch == hash && now - a->at <= kept;
}

static void note_answer(const struct stray *s)
{
    struct dt_strays *t = &s->p->strays;
    uint64_t hash = dt_siphash(s->p->key, s->below.branch);
    t->answered[hash % DT_STRAYS_ANSWERED] = (struct dt_stray_answer){hash, s->now};
    t->answered_at = s->now;
    t->any_answered = true;
}

/* ---- the siblings of a 2xx ---- */

/* Its repeats need not cancel them again. */
static bool is_new(struct dt_proxy *p, struct dt_str branch)
{
    struct dt_strays *s = &p->strays;
    uint64_t hash = dt_siphash(p->key, branch);
    for (size_t i = 0; i < DT_STRAYS_KEPT; i++)
        if (s->cancelled[i] == hash)
            return false;
    s->cancelled[s->next++ % DT_STRAYS_KEPT] = hash;
    return true;
}

/* The CANCEL that the caller would send. */
static struct dt_bytes *write_cancel(const struct stray *s)
{
    struct dt_bytes *b = dt_bytes_new(s->p->env->alloc, s->m->text.n + 256);
    if (!b)
        return NULL;
    struct dt_writer w = dt_writer(b->data, b->cap);
    struct dt_str to = s->m->to.uri.text;
    dt_sip_write_request(&w, DT_STR("CANCEL"), to);
    dt_sip_write_header(&w, DT_H_VIA, s->below.text);
    dt_sip_write_header(&w, DT_H_FROM, dt_sip_get(s->m, DT_H_FROM));
    dt_sip_write_headerf(&w, DT_H_TO, "<%.*s>", DT_FMT(to));
    dt_sip_write_header(&w, DT_H_CALL_ID, s->m->call_id);
    dt_sip_write_headerf(&w, DT_H_CSEQ, "%u CANCEL", (unsigned)s->m->cseq.number);
    dt_sip_write_body(&w, DT_STR_NONE, DT_STR_NONE);
    b->n = (uint32_t)w.n;
    if (!w.err)
        return b;
    dt_bytes_drop(b);
    return NULL;
}

/* It runs through the steps as if the caller had sent it, so by R2 the siblings get the branches
 * that their INVITEs had. Where To is not what the caller dialled, it finds nobody. */
static void run_cancel(struct dt_proxy *p, dt_time now, const struct dt_stray_cancel *c)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_proxy_work w = {
        .p = p, .now = now, .m = &m, .from = c->from, .spared = dt_bytes_str(c->spared)};
    if (dt_sip_parse(&m, dt_bytes_str(c->bytes), headers, DT_MSG_HEADERS_MAX) || dt_sip_check(&m) ||
        !dt__self_is_uri(&p->self, &m.uri, NULL))
        return;
    p->counts.in++;
    dt__chain_run(&w);
}

static void drop_cancel(struct dt_stray_cancel *c)
{
    dt_bytes_drop(c->bytes);
    dt_bytes_drop(c->spared);
}

/* A node that was restarted learns in a moment who is bound; what finds no room is tried at once.
 */
static void cancel_siblings(const struct stray *s)
{
    struct dt_strays *t = &s->p->strays;
    struct dt_stray_cancel c = {
        .bytes = write_cancel(s),
        .spared = dt_bytes_copy(s->p->env->alloc, s->m->via.branch),
        .from = {.local = s->to.local, .remote = s->to.remote},
    };
    if (c.bytes && c.spared && !dt__pair_is_filled(s->p, s->now) &&
        t->n_waiting < DT_STRAYS_WAITING) {
        t->waiting[t->n_waiting++] = c;
        return;
    }
    if (c.bytes && c.spared)
        run_cancel(s->p, s->now, &c);
    drop_cancel(&c);
}

void dt__strays_run(struct dt_proxy *p, dt_time now)
{
    struct dt_strays *t = &p->strays;
    if (t->n_waiting == 0 || !dt__pair_is_filled(p, now))
        return;
    for (size_t i = 0; i < t->n_waiting; i++) {
        run_cancel(p, now, &t->waiting[i]);
        drop_cancel(&t->waiting[i]);
    }
    t->n_waiting = 0;
}

void dt__strays_clear(struct dt_proxy *p)
{
    for (size_t i = 0; i < p->strays.n_waiting; i++)
        drop_cancel(&p->strays.waiting[i]);
    p->strays.n_waiting = 0;
}

/* ---- entry ---- */

static enum dt_proxy_count judge(struct stray *s)
{
    if (!is_wanted(s->m))
        return DT_COUNT_DROPPED_stray_response;
    if (!is_ours(s))
        return DT_COUNT_DROPPED_stray_forged;
    if (s->forked && s->m->status >= 300)
        return DT_COUNT_DROPPED_stray_response; /* the caller's repeat forks again */
    if (is_late(s))
        return DT_COUNT_DROPPED_stray_response;
    leave_connection(s);
    if (dt__addr_forbidden(&s->to.remote) ||
        dt__self_local(&s->p->self, &s->to.remote, &s->from->local, &s->to.local))
        return DT_COUNT_DROPPED_stray_response;
    if (!is_within_limit(s->p, s->now))
        return DT_COUNT_DROPPED_stray_limit;
    return send_on(s) ? DT_COUNT_DROPPED_stray_response : DT_COUNT_FORWARDED_stray;
}

void dt__stray(struct dt_proxy *p, dt_time now, const struct dt_sip_msg *m,
               const struct dt_hop *from)
{
    struct stray s = {.p = p, .now = now, .m = m, .from = from};
    enum dt_proxy_count result = judge(&s);
    if (result != DT_COUNT_FORWARDED_stray) {
        dt__drop(p, m, result);
        return;
    }
    dt__count(p, result);
    if (m->status / 100 != 2 || m->cseq.method != DT_INVITE)
        return;
    note_answer(&s);
    if (s.forked && is_new(p, m->via.branch))
        cancel_siblings(&s);
}
