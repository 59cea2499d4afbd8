/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Response processing (RFC 3261 16.7): what goes upstream at once, what is collected, and which of
 * the collected is the best. */
#include "proxy/fork.h"

/* ---- sending upstream ---- */

static int send_up(struct dt_proxy *p, dt_time now, const struct dt_fork *f, struct dt_sip_edits *e)
{
    struct dt_bytes *bytes = dt__without_via(p, e);
    if (!bytes)
        return DT_E_NOMEM;
    int err = dt_stack_respond(p->stack, now, f->server, e->m->status, bytes);
    dt_bytes_drop(bytes);
    return err;
}

static int relay(struct dt_proxy *p, dt_time now, const struct dt_fork *f,
                 const struct dt_sip_msg *m)
{
    struct dt_sip_edits e;
    dt_sip_edits_init(&e, m);
    int err = send_up(p, now, f, &e);
    dt__count(p, err ? DT_COUNT_DROPPED_bad_response : DT_COUNT_FORWARDED_response);
    return err;
}

/* ---- the best of those collected (step 6) ---- */

/* Rows from the best on: the first that fits. A 6xx is obeyed; of 4xx those first that tell the
 * caller how to do better; 503 speaks of one server only. */
static unsigned rank(int status)
{
    static const struct {
        int from, to;
    } rows[] = {
        {600, 699}, {300, 399}, {401, 401}, {407, 407}, {415, 415}, {420, 420}, {484, 484},
        {409, 499}, {400, 407}, {408, 408}, {504, 599}, {500, 502}, {503, 503},
    };
    unsigned i = 0;
    while (i < sizeof rows / sizeof rows[0] && (status < rows[i].from || status > rows[i].to))
        i++;
    return i;
}

static const struct dt_branch *best_of(const struct dt_fork *f)
{
    const struct dt_branch *best = &f->branches[0];
    for (unsigned i = 1; i < f->n; i++)
        if (rank(f->branches[i].status) < rank(best->status))
            best = &f->branches[i];
    return best;
}

/* Step 7: the caller must see every challenge, to answer all of them. */
static void add_challenges(struct dt_sip_edits *e, const struct dt_sip_msg *m)
{
    static const enum dt_header_id ids[] = {DT_H_WWW_AUTHENTICATE, DT_H_PROXY_AUTHENTICATE};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const struct dt_sip_header *h = dt_sip_first(m, ids[i]);
        for (; h; h = dt_sip_next(m, h))
            dt_sip_edit_append(e, ids[i], dt_sip_value(m, h));
    }
}

static bool is_challenge(int status)
{
    return status == 401 || status == 407;
}

static int send_best(struct dt_proxy *p, dt_time now, const struct dt_fork *f,
                     const struct dt_branch *best, const struct dt_branch *of,
                     const struct dt_sip_msg *last)
{
    struct dt_sip_edits e;
    dt_sip_edits_init(&e, best == of ? last : best->live->kept);
    for (unsigned i = 0; is_challenge(best->status) && i < f->n; i++) {
        const struct dt_branch *b = &f->branches[i];
        const struct dt_sip_msg *m = b == of ? last : b->live->kept;
        if (b != best && m && is_challenge(b->status))
            add_challenges(&e, m);
    }
    return send_up(p, now, f, &e);
}

/* ---- what is made here ---- */

/* What stands for a best response that is no message, or that is not to be passed on. 0: nothing
 * is sent. */
static int own_status(const struct dt_fork *f, int status)
{
    if (f->cancelled)
        return 487;
    if (status == 408 && !f->invite)
        return 0; /* RFC 4320 4.2: it would come too late to be of use */
    if (status == 503 || !status)
        return 500; /* step 6: we are not unavailable */
    return status;
}

static void send_own(struct dt_proxy *p, dt_time now, const struct dt_fork *f, int status)
{
    status = own_status(f, status);
    if (f->behind)
        dt_stack_unanswered(p->stack, now, f->server);
    else if (status)
        dt_stack_answer(p->stack, now, f->server, status, DT_STR_NONE, DT_STR_NONE);
}

static void clear_kept(struct dt_proxy *p, struct dt_fork *f, const struct dt_branch *sent)
{
    if (sent && sent->live->kept) {
        dt__count(p, DT_COUNT_FORWARDED_response);
        dt_sip_msg_drop(sent->live->kept);
        sent->live->kept = NULL;
    }
    for (unsigned i = 0; i < f->n; i++)
        dt__branch_clear(p, &f->branches[i]);
}

void dt__fork_finish(struct dt_proxy *p, dt_time now, struct dt_fork *f, const struct dt_branch *of,
                     const struct dt_sip_msg *last)
{
    const struct dt_branch *best = best_of(f);
    const struct dt_sip_msg *m = best == of ? last : best->live->kept;
    bool sent = m && !f->behind && best->status != 503 && !send_best(p, now, f, best, of, last);
    f->answered = true;
    dt__fork_stop_trying(p, f);
    if (!sent)
        send_own(p, now, f, best->status);
    dt__fork_count(p, f, DT_COUNT_ANSWERED_unreachable);
    if (last)
        dt__count(p, sent && best == of ? DT_COUNT_FORWARDED_response : DT_COUNT_DROPPED_collected);
    clear_kept(p, f, sent ? best : NULL);
}

/* ---- responses of a branch ---- */

/* RFC 3263 4.3: the next server is tried when this one was silent, unreachable or said 503. */
static bool may_try_again(const struct dt_branch *b, int status, bool provisional)
{
    return (status == 503 || status == 408) && !provisional && b->live->next < b->live->n_more;
}

void dt__branch_done(struct dt_proxy *p, dt_time now, struct dt_branch *b, int status,
                     const struct dt_sip_msg *m)
{
    struct dt_fork *f = b->fork;
    bool provisional = b->state == DT_BRANCH_PROCEEDING;
    dt_timers_stop(&p->timers, &b->live->timer);
    b->state = DT_BRANCH_DONE;
    b->status = (uint16_t)status;
    if ((!m || status == 503) && may_try_again(b, status, provisional) &&
        dt__branch_again(p, now, b)) {
        if (m)
            dt__count(p, DT_COUNT_DROPPED_collected);
        return;
    }
    if (status >= 600) {
        f->refused = true;
        dt__fork_cancel_all(p, now, f);
    }
    if (!f->answered && !dt__fork_open(f)) {
        dt__fork_finish(p, now, f, b, m);
        return;
    }
    if (m && !f->answered)
        b->live->kept = dt_sip_msg_keep(p->env->alloc, m);
    if (m && !b->live->kept)
        dt__count(p, DT_COUNT_DROPPED_collected);
}

/* A first provisional makes CANCEL possible (9.1). */
static void provisional(struct dt_proxy *p, dt_time now, struct dt_branch *b)
{
    if (b->state == DT_BRANCH_TRYING)
        b->state = DT_BRANCH_PROCEEDING;
    if (b->cancel)
        dt__branch_cancel(p, now, b);
}

static void ringing(struct dt_proxy *p, dt_time now, struct dt_branch *b,
                    const struct dt_sip_msg *m)
{
    b->rang = true;
    if (b->state == DT_BRANCH_DONE || b->fork->answered || b->fork->behind) {
        dt__count(p, DT_COUNT_DROPPED_late);
        provisional(p, now, b);
        return;
    }
    if (!b->cancel)
        (void)dt__branch_arm_c(p, now, b); /* it runs */
    relay(p, now, b->fork, m);
    provisional(p, now, b);
}

/* Every 2xx of an INVITE goes upstream (step 5), the first one ends the search. */
static void success(struct dt_proxy *p, dt_time now, struct dt_branch *b,
                    const struct dt_sip_msg *m)
{
    struct dt_fork *f = b->fork;
    if (b->live)
        dt_timers_stop(&p->timers, &b->live->timer);
    b->state = DT_BRANCH_DONE;
    b->status = (uint16_t)m->status;
    if (f->answered && !(f->success && f->invite)) {
        dt__count(p, DT_COUNT_DROPPED_late);
        return;
    }
    bool first = !f->answered;
    if (relay(p, now, f, m) && first)
        return send_own(p, now, f, 500); /* no memory: the caller hears something */
    f->answered = f->success = true;
    dt__fork_stop_trying(p, f);
    if (first)
        dt__fork_cancel_all(p, now, f);
    clear_kept(p, f, NULL);
}

/* ---- entry ---- */

static void of_branch(struct dt_proxy *p, dt_time now, struct dt_branch *b,
                      const struct dt_sip_msg *m)
{
    if (m->status == 100) {
        dt__count(p, DT_COUNT_DROPPED_trying);
        provisional(p, now, b);
    } else if (m->status < 200) {
        ringing(p, now, b, m);
    } else if (m->status < 300) {
        success(p, now, b, m);
    } else if (b->state == DT_BRANCH_DONE) {
        dt__count(p, DT_COUNT_DROPPED_late);
    } else {
        dt__branch_done(p, now, b, m->status, m);
    }
}

void dt__response(struct dt_proxy *p, dt_time now, dt_tx tx, uint64_t cookie,
                  const struct dt_sip_msg *m, const struct dt_hop *from)
{
    struct dt_branch *b = dt__branch_find(p, cookie);
    if (!tx)
        return dt__stray(p, now, m, from);
    if (!cookie)
        return dt__count(p, DT_COUNT_DROPPED_own);
    if (!b || b->client != tx)
        return dt__count(p, DT_COUNT_DROPPED_late);
    struct dt_fork *f = b->fork;
    of_branch(p, now, b, m);
    dt__fork_settle(p, f);
}
