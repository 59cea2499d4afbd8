/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How branches end other than by their response: CANCEL (RFC 3261 9.1, 16.10), timer C (16.8),
 * silence and transport errors (16.9). */
#include "proxy/fork.h"

void dt__branch_cancel(struct dt_proxy *p, dt_time now, struct dt_branch *b)
{
    dt_tx tx;
    bool first = !b->cancel;
    b->cancel = true;
    if (b->state == DT_BRANCH_PROCEEDING && !b->cancelled && b->client) {
        int err = dt_stack_cancel(p->stack, now, b->client, 0, &tx);
        b->cancelled = !err;
        if (err == DT_E_NOMEM) /* again, in the timer's own place in the heap */
            (void)dt_timers_arm(&p->timers, &b->live->timer, now + p->cfg->timer_t1 * DT_MS);
    }
    if (!first || b->state != DT_BRANCH_TRYING || !b->client)
        return;
    /* R24: it may ring there, by our dead twin. Else the INVITE is repeated until a provisional
     * lets it be cancelled (9.1): it may ring there, and what it said of it was lost. */
    if (p->pair.peer.family)
        (void)dt_stack_cancel_early(p->stack, now, b->client, 0, &tx);
}

/* A branch that has not been sent ends here and now. */
static void stop_resolving(struct dt_proxy *p, struct dt_branch *b)
{
    dt_resolver_cancel(p->resolver, dt__fork_cookie(p, b->fork, dt__branch_index(b)));
    b->state = DT_BRANCH_DONE;
    b->status = 487;
}

void dt__fork_cancel_all(struct dt_proxy *p, dt_time now, struct dt_fork *f)
{
    if (!f->invite) /* only INVITE can be cancelled (9.1) */
        return;
    for (unsigned i = 0; i < f->n; i++) {
        struct dt_branch *b = &f->branches[i];
        if (b->state == DT_BRANCH_RESOLVING)
            stop_resolving(p, b);
        else if (b->state != DT_BRANCH_DONE)
            dt__branch_cancel(p, now, b);
    }
}

void dt__fork_cancelled(struct dt_proxy *p, dt_time now, uint64_t cookie)
{
    struct dt_fork *f = dt__fork_find(p, cookie);
    if (!f || f->answered)
        return;
    f->cancelled = true;
    dt__fork_cancel_all(p, now, f);
    if (!dt__fork_open(f))
        dt__fork_finish(p, now, f, NULL, NULL);
}

/* The caller asks again although it has our 100 (R24: its proxy died, and it wants to hear whether
 * it still rings): so does each branch that has heard no more either. */
void dt__fork_copy(void *proxy, dt_time now, dt_tx tx, uint64_t cookie, const struct dt_sip_msg *m,
                   const struct dt_hop *from)
{
    struct dt_proxy *p = proxy;
    struct dt_fork *f = dt__fork_find(p, cookie);
    (void)from;
    if (!f || f->server != tx || !f->invite || f->answered || m->method != DT_INVITE ||
        !p->pair.peer.family)
        return;
    for (unsigned i = 0; i < f->n; i++) {
        struct dt_branch *b = &f->branches[i];
        if (b->state != DT_BRANCH_DONE && !b->rang && b->client)
            dt_stack_repeat(p->stack, now, b->client);
    }
}

/* R9: forwarding takes long (DNS), so 100 goes alone. */
static void trying_due(struct dt_proxy *p, dt_time now, struct dt_fork *f)
{
    if (f->trying || f->answered || f->behind)
        return;
    f->trying = true;
    dt_stack_answer(p->stack, now, f->server, 100, DT_STR_NONE, dt__self_node_line(&p->self));
}

/* 16.8: with a provisional CANCEL, and its 487 ends the branch; without one as if 408 had come. */
static void timer_c(struct dt_proxy *p, dt_time now, struct dt_branch *b)
{
    struct dt_fork *f = b->fork;
    if (b->state == DT_BRANCH_PROCEEDING) {
        dt__branch_cancel(p, now, b);
    } else if (b->state == DT_BRANCH_TRYING) {
        dt_stack_abandon(p->stack, now, b->client);
        b->client = 0;
        dt__branch_done(p, now, b, 408, NULL);
    }
    dt__fork_settle(p, f);
}

void dt__fork_timer(struct dt_proxy *p, dt_time now, struct dt_timer *t)
{
    if (t->kind == DT_TIMER_TRYING)
        trying_due(p, now, DT_OF(t, struct dt_fork_live, trying)->of);
    else
        timer_c(p, now, DT_OF(t, struct dt_branch_live, timer)->of);
}

void dt__fork_failed(struct dt_proxy *p, dt_time now, dt_tx tx, uint64_t cookie, int err)
{
    struct dt_branch *b = dt__branch_find(p, cookie);
    if (!b || b->client != tx)
        return;
    struct dt_fork *f = b->fork;
    b->client = 0;
    if (b->state != DT_BRANCH_DONE)
        dt__branch_done(p, now, b, err == DT_E_TIMEOUT ? 408 : 503, NULL);
    dt__fork_settle(p, f);
}

void dt__fork_ended(struct dt_proxy *p, dt_tx tx, uint64_t cookie)
{
    struct dt_fork *f = dt__fork_find(p, cookie);
    struct dt_branch *b = dt__branch_find(p, cookie);
    if (f && !b && f->server == tx) {
        f->server = 0;
        f->answered = true;
        dt__fork_stop_trying(p, f);
        for (unsigned i = 0; i < f->n; i++)
            if (f->branches[i].state == DT_BRANCH_RESOLVING)
                stop_resolving(p, &f->branches[i]);
    } else if (b && b->client == tx) {
        b->client = 0;
    }
    if (f)
        dt__fork_settle(p, f);
}
