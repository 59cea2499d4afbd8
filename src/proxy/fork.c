/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sending a request to its targets (RFC 3261 16.6): each branch finds its address, is built, and is
 * sent, the 100 before the first of them in the same batch (design.md R9). */
#include <limits.h>
#include <string.h>

#include "proxy/fork.h"

static const dt_time trying_after = 150 * DT_MS; /* R9 */

/* ---- a branch's target ---- */

static int keep_target(struct dt_proxy *p, struct dt_branch *b, const struct dt_proxy_target *t)
{
    struct dt_bytes *texts = dt_bytes_new(p->env->alloc, t->uri.n + t->path.n);
    if (!texts)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(texts->data, texts->cap);
    dt_write(&w, t->uri);
    dt_write(&w, t->path);
    texts->n = (uint32_t)w.n;
    b->live->texts = texts;
    b->live->uri_n = (uint16_t)t->uri.n;
    b->live->path_n = (uint16_t)t->path.n;
    if (t->flow)
        b->live->flow = *t->flow;
    return DT_OK;
}

static struct dt_proxy_target target_of(const struct dt_branch *b)
{
    struct dt_str texts = dt_bytes_str(b->live->texts);
    return (struct dt_proxy_target){
        .uri = dt_str_sub(texts, 0, b->live->uri_n),
        .path = dt_str_sub(texts, b->live->uri_n, b->live->path_n),
        .flow = b->live->flow.remote.port ? &b->live->flow : NULL,
    };
}

/* ---- its address ---- */

/* A registration over a stream is reached by that stream: a phone behind NAT by no other. */
static bool is_flow_to(const struct dt_proxy *p, const struct dt_branch *b, const struct dt_addr *a)
{
    return !b->live->path_n && a->transport == DT_TCP && dt_addr_ip_eq(&b->live->flow.remote, a) &&
           dt_stack_stream_is_open(p->stack, b->live->flow.stream);
}

static int aim(const struct dt_proxy_work *w, struct dt_branch *b, const struct dt_addr *remote)
{
    const struct dt_addr *prefer = b->live->flow.local.port ? &b->live->flow.local : &w->from.local;
    if (dt__addr_forbidden(remote)) /* I23 */
        return DT_E_UNREACHABLE;
    if (!b->live->built)
        b->live->built = dt_alloc_zero(w->p->env->alloc, sizeof *b->live->built);
    if (!b->live->built)
        return DT_E_NOMEM;
    struct dt_hop *to = &b->live->built->to;
    *to = (struct dt_hop){.remote = *remote};
    if (is_flow_to(w->p, b, remote) && !b->attempt) {
        to->remote = b->live->flow.remote;
        to->stream = b->live->flow.stream;
    }
    return dt__self_local(&w->p->self, &to->remote, prefer, &to->local);
}

/* The first address is for now, the others for when it fails. The contact's own address is one of
 * the others when the first try goes by the flow. */
static int keep_addresses(struct dt_proxy *p, struct dt_branch *b, const struct dt_addr *list,
                          size_t n)
{
    bool flow = is_flow_to(p, b, &list[0]) && !dt_addr_eq(&b->live->flow.remote, &list[0]);
    size_t skip = flow ? 0 : 1;
    if (n <= skip)
        return DT_OK;
    b->live->more = dt_alloc_array(p->env->alloc, NULL, n - skip, sizeof b->live->more[0]);
    if (!b->live->more)
        return DT_E_NOMEM;
    memcpy(b->live->more, list + skip, (n - skip) * sizeof b->live->more[0]);
    b->live->n_more = (uint8_t)(n - skip);
    return DT_OK;
}

static int build(const struct dt_proxy_work *w, struct dt_branch *b,
                 const struct dt_proxy_target *t)
{
    struct dt_forward f = {.target = t,
                           .to = b->live->built->to,
                           .attempt = b->attempt,
                           .breadth = b->live->breadth,
                           .forked = b->fork ? b->fork->n > 1 : w->n_targets > 1};
    int err = dt__forward_build(w, &f, &b->live->built->message, &b->live->built->branch);
    if (!err)
        b->state = DT_BRANCH_BUILT;
    return err;
}

/* Builds for the first of the addresses that can be used. */
static int build_for(struct dt_proxy_work *w, struct dt_branch *b, const struct dt_addr *list,
                     size_t n)
{
    struct dt_proxy_target t = target_of(b);
    int err = DT_E_UNREACHABLE;
    for (size_t i = 0; i < n && err; i++) {
        err = aim(w, b, &list[i]);
        if (err)
            continue;
        err = keep_addresses(w->p, b, list + i, n - i);
        return err ? err : build(w, b, &t);
    }
    return err;
}

/* Afterwards the branch is RESOLVING, BUILT, or (with an error) as it was. */
static int prepare(struct dt_proxy_work *w, struct dt_branch *b, const struct dt_proxy_target *t)
{
    struct dt_proxy *p = w->p;
    struct dt_addr list[DT_TARGETS_MAX];
    struct dt_where where;
    struct dt_uri hop;
    int err = keep_target(p, b, t);
    if (!err)
        err = dt__forward_next_hop(w, t, &hop);
    if (err)
        return err;
    if (hop.scheme != DT_URI_SIP)
        return DT_E_UNSUPPORTED;
    dt_where_of_uri(&where, &hop);
    int n =
        dt_resolver_find(p->resolver, w->now, &where,
                         dt__fork_cookie(p, b->fork, dt__branch_index(b)), list, DT_TARGETS_MAX);
    if (n < 0)
        return n;
    if (n == 0)
        b->state = DT_BRANCH_RESOLVING;
    return n ? build_for(w, b, list, (size_t)n) : DT_OK;
}

/* ---- sending ---- */

static void send_trying(const struct dt_proxy_work *w, struct dt_fork *f)
{
    dt__fork_stop_trying(w->p, f);
    if (!f->invite || f->trying || f->answered)
        return;
    f->trying = true;
    if (f->behind)
        return;
    (void)dt__respond(w, 100, DT_STR_NONE); /* lost for want of memory: as on the wire */
}

int dt__branch_arm_c(struct dt_proxy *p, dt_time now, struct dt_branch *b)
{
    if (!b->fork->invite)
        return DT_OK;
    return dt_timers_arm(&p->timers, &b->live->timer, now + p->cfg->timer_c * DT_SECOND);
}

static int launch(struct dt_proxy *p, dt_time now, struct dt_branch *b, enum dt_method method)
{
    struct dt_branch_built *built = b->live->built;
    struct dt_request r = {
        .bytes = built->message,
        .to = built->to,
        .method = method,
        .branch = dt__branch_str(&built->branch),
        .cookie = dt__fork_cookie(p, b->fork, dt__branch_index(b)),
        .in_dialog = b->fork->in_dialog,
        .repeats = UINT_MAX,
    };
    b->state = DT_BRANCH_TRYING;
    /* First, since without it an INVITE that rings would have no end. */
    int err = dt__branch_arm_c(p, now, b);
    if (!err)
        err = dt_stack_request(p->stack, now, &r, &b->client);
    dt__branch_sent(p, b);
    if (err) {
        dt_timers_stop(&p->timers, &b->live->timer);
        b->client = 0;
        b->state = DT_BRANCH_DONE;
        b->status = 503;
        return err;
    }
    dt__fork_count(p, b->fork, DT_COUNT_FORWARDED_request);
    return DT_OK;
}

/* ---- a new request ---- */

/* RFC 5393 5.3.3: what may run in parallel below each branch. 0: more branches than that. */
static uint32_t incoming_breadth(const struct dt_proxy_work *w)
{
    uint32_t breadth, most = (uint32_t)w->p->cfg->max_breadth;
    struct dt_str value = dt_sip_get(w->m, DT_H_MAX_BREADTH);
    if (!value.n || dt_sip_number(&breadth, value) || breadth > most)
        breadth = most;
    return breadth >= w->n_targets ? breadth : 0;
}

static uint32_t share(uint32_t breadth, size_t n, size_t i)
{
    return (uint32_t)(breadth / n + (i < breadth % n));
}

/* A CANCEL of ours is repeated until it is answered, by a transaction that tells nobody. */
static int send_alone(const struct dt_proxy_work *w, const struct dt_branch *b)
{
    const struct dt_branch_built *built = b->live->built;
    struct dt_request r = {.bytes = built->message,
                           .to = built->to,
                           .method = w->m->method,
                           .branch = dt__branch_str(&built->branch),
                           .repeats = UINT_MAX};
    dt_tx ignored;
    if (dt_str_eq(r.branch, w->spared))
        return DT_E_STATE;
    if (w->m->method == DT_CANCEL)
        return dt_stack_request(w->p->stack, w->now, &r, &ignored);
    return dt_stack_send(w->p->stack, w->now, built->message, &built->to);
}

/* What is not answered: an ACK, sent once, without a transaction (16.11), and the CANCEL of
 * siblings (R5). To the target of the route set, or to all that the look-up yields (R6). */
static enum dt_step_result send_unanswered(struct dt_proxy_work *w, uint32_t breadth)
{
    struct dt_proxy *p = w->p;
    bool sent = false;
    for (size_t i = 0; i < w->n_targets; i++) {
        struct dt_branch_live live = {.breadth = share(breadth, w->n_targets, i)};
        struct dt_branch b = {.live = &live};
        struct dt_addr list[DT_TARGETS_MAX];
        struct dt_where where;
        struct dt_uri hop;
        if (dt__forward_next_hop(w, &w->targets[i], &hop) || hop.scheme != DT_URI_SIP)
            continue;
        dt_where_of_uri(&where, &hop);
        /* A name that must be asked for first: the ACK of the 2xx's next repeat will find it. */
        int n = dt_resolver_find(p->resolver, w->now, &where, 0, list, DT_TARGETS_MAX);
        if (n > 0 && !keep_target(p, &b, &w->targets[i]) && !build_for(w, &b, list, (size_t)n))
            sent = !send_alone(w, &b) || sent;
        dt__branch_clear(p, &b);
    }
    bool cancel = w->m->method == DT_CANCEL;
    if (!sent)
        return dt__drop(p, w->m, cancel ? DT_COUNT_DROPPED_siblings : DT_COUNT_DROPPED_ack);
    dt__count(p, cancel ? DT_COUNT_FORWARDED_siblings : DT_COUNT_FORWARDED_ack);
    return DT_STEP_WAIT;
}

static unsigned launch_all(struct dt_proxy_work *w, struct dt_fork *f)
{
    unsigned launched = 0;
    for (unsigned i = 0; i < f->n; i++)
        if (f->branches[i].state == DT_BRANCH_BUILT)
            launched += !launch(w->p, w->now, &f->branches[i], w->m->method);
    return launched;
}

static unsigned count_state(const struct dt_fork *f, enum dt_branch_state state)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->n; i++)
        n += f->branches[i].state == state;
    return n;
}

/* Nothing could be sent and nothing is awaited. */
static enum dt_step_result give_up(struct dt_proxy_work *w, struct dt_fork *f, bool busy)
{
    f->answered = f->counted = true;
    dt__fork_settle(w->p, f); /* of a non-INVITE: it is gone */
    if (busy)
        return dt__answer_busy(w);
    return dt__answer(w, DT_COUNT_ANSWERED_unreachable, 500, DT_STR_NONE);
}

static enum dt_step_result start(struct dt_proxy_work *w, struct dt_fork *f, uint32_t breadth)
{
    bool busy = false;
    for (unsigned i = 0; i < f->n; i++) {
        struct dt_branch *b = &f->branches[i];
        b->live->breadth = share(breadth, f->n, i);
        int err = prepare(w, b, &w->targets[i]);
        b->status = err ? 503 : 0;
        busy = busy || err == DT_E_NOMEM || err == DT_E_LIMIT;
    }
    if (count_state(f, DT_BRANCH_BUILT)) {
        send_trying(w, f);
        busy = launch_all(w, f) == 0 || busy;
    } else if (f->invite && count_state(f, DT_BRANCH_RESOLVING)) {
        dt_timers_arm(&w->p->timers, &f->live->trying, w->now + trying_after);
    }
    return dt__fork_open(f) ? DT_STEP_WAIT : give_up(w, f, busy);
}

enum dt_step_result dt__fork_start(struct dt_proxy_work *w)
{
    struct dt_proxy *p = w->p;
    uint32_t breadth = incoming_breadth(w);
    if (!breadth)
        return dt__answer(w, DT_COUNT_ANSWERED_limit, 440, DT_STR_NONE);
    if (!w->tx)
        return send_unanswered(w, breadth);
    if (w->tx == DT_TX_NEW && !(w->tx = dt_stack_open(p->stack, w->now)))
        return dt__drop(p, w->m, DT_COUNT_DROPPED_ended);
    struct dt_fork *f = dt__fork_new(p, (unsigned)w->n_targets);
    if (!f)
        return dt__answer_busy(w);
    f->server = w->tx;
    f->invite = w->m->method == DT_INVITE;
    f->in_dialog = w->m->to.tag.n > 0;
    f->behind = f->invite && dt__stray_answered(w->p, w->now, w->m->via.branch);
    dt_stack_set_cookie(p->stack, w->tx, dt__fork_cookie(p, f, DT_FORK_SERVER));
    return start(w, f, breadth);
}

/* ---- a request that waited, or another try ---- */

struct again {
    struct dt_proxy_work work;
    struct dt_sip_msg m;
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
};

/* The request of a fork as it was, through the part of the chain that is a pure function. */
static int read_again(struct dt_proxy *p, dt_time now, const struct dt_fork *f, struct again *a)
{
    a->work = (struct dt_proxy_work){.p = p, .now = now, .tx = f->server, .m = &a->m};
    int err = dt_stack_request_of(p->stack, f->server, &a->m, a->headers, DT_MSG_HEADERS_MAX);
    if (!err && !a->m.checked)
        err = dt_sip_check(&a->m);
    if (!err)
        err = dt_stack_hop_of(p->stack, f->server, &a->work.from);
    return err ? err : dt__route_read(&a->work);
}

static int launch_late(struct dt_proxy *p, dt_time now, struct dt_branch *b,
                       const struct dt_addr *list, size_t n)
{
    struct again a;
    int err = read_again(p, now, b->fork, &a);
    if (!err)
        err = build_for(&a.work, b, list, n);
    if (err)
        return err;
    send_trying(&a.work, b->fork);
    return launch(p, now, b, a.m.method);
}

void dt__fork_resolved(struct dt_proxy *p, dt_time now, uint64_t cookie,
                       const struct dt_addr *targets, size_t n)
{
    struct dt_branch *b = dt__branch_find(p, cookie);
    if (!b || b->state != DT_BRANCH_RESOLVING)
        return;
    struct dt_fork *f = b->fork;
    if (!n || launch_late(p, now, b, targets, n))
        dt__branch_done(p, now, b, 503, NULL);
    dt__fork_settle(p, f);
}

bool dt__branch_again(struct dt_proxy *p, dt_time now, struct dt_branch *b)
{
    struct dt_fork *f = b->fork;
    bool over = f->cancelled || f->refused || f->answered || b->cancel || !f->server;
    while (!over && b->live->next < b->live->n_more) {
        struct again a;
        struct dt_proxy_target t = target_of(b);
        const struct dt_addr *remote = &b->live->more[b->live->next++];
        b->attempt++;
        if (!read_again(p, now, f, &a) && !aim(&a.work, b, remote) && !build(&a.work, b, &t) &&
            !launch(p, now, b, a.m.method))
            return true;
    }
    return false;
}
