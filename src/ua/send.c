/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request of ours on its way: where it goes (RFC 3263), by which transport (RFC 3261 18.1.1), as
 * which transaction; and what comes back, handed to who owns it. */
#include "ua/core.h"

#include <string.h>

/* ---- life ---- */

struct dt__send *dt__send_new(struct dt_ua *ua, struct dt_call *c, struct dt_reg *r,
                              enum dt__send_kind kind)
{
    struct dt__send *s = dt_alloc_zero(ua->env->alloc, sizeof(*s));

    if (!s)
        return NULL;
    s->id = dt__id_new(&ua->ids, ua->env->alloc, DT__SEND, s);
    if (!s->id) {
        dt_alloc_free(ua->env->alloc, s);
        return NULL;
    }
    s->ua = ua;
    s->kind = kind;
    s->call = c;
    s->reg = r;
    s->tries = 1;
    dt_list_init(&s->link);
    dt_list_init(&s->breaking);
    dt_timer_init(&s->patience, DT__TIMER_SEND);
    if (kind != DT__ACK) /* whose owner is another send or a fork */
        dt_list_add(c ? &c->sends : &r->sends, &s->link);
    return s;
}

static void unmap(struct dt__send *s)
{
    if (s->mapped)
        dt_map_del(&s->ua->by_branch, &s->by_branch);
    s->mapped = false;
}

void dt__send_free(struct dt__send *s)
{
    if (!s)
        return;
    dt__twins_drop(s, 0);
    dt__send_free(s->ack);
    s->ack = NULL;
    if (s->resolving)
        dt_resolver_cancel(s->ua->resolver, s->id);
    unmap(s);
    dt__id_drop(&s->ua->ids, s->id);
    dt_list_del(&s->breaking);
    dt_list_del(&s->link);
    dt_list_add(&s->ua->dead, &s->link);
    if (s->call)
        dt__call_reap(s->call);
}

void dt__sends_bury(struct dt_ua *ua)
{
    const struct dt_alloc *a = ua->env->alloc;

    DT_LIST_EACH(e, &ua->dead)
    {
        struct dt__send *s = DT_OF(e, struct dt__send, link);
        dt_list_del(e);
        dt_alloc_free(a, s->uri);
        dt_alloc_free(a, s->call_id);
        dt_bytes_drop(s->body);
        dt_bytes_drop(s->auth);
        dt_bytes_drop(s->bytes);
        dt_alloc_free(a, s);
    }
}

void dt__send_break(struct dt__send *s, int err)
{
    s->err = err;
    dt_list_del(&s->breaking);
    dt_list_add(&s->ua->broken, &s->breaking);
}

/* ---- out ---- */

static void set_hop(struct dt__send *s, enum dt_transport transport)
{
    s->hop.local = s->ua->cfg.local;
    s->hop.remote = s->targets[s->at];
    s->hop.local.transport = s->hop.remote.transport = (uint8_t)transport;
    s->hop.stream = 0;
}

/* 18.1.1: what is too large for a datagram goes by TCP, if nobody said otherwise. */
static int build(struct dt__send *s)
{
    int err;

    set_hop(s, (enum dt_transport)s->targets[s->at].transport);
    err = dt__build_request(s);
    s->tcp_for_size = !err && s->hop.remote.transport == DT_UDP && !s->fixed && !s->udp_again &&
                      s->ua->cfg.tcp && s->bytes->n > DT__TCP_FROM;
    if (!s->tcp_for_size)
        return err;
    set_hop(s, DT_TCP);
    return dt__build_request(s);
}

/* Paths are found by their branch when the transaction is gone. */
static int map(struct dt__send *s)
{
    struct dt_str branch = {s->branch, DT__BRANCH};
    int err;

    unmap(s);
    if (s->kind != DT__INVITE)
        return DT_OK;
    err = dt_map_add(&s->ua->by_branch, &s->by_branch, dt_map_hash(&s->ua->by_branch, branch));
    s->mapped = !err;
    return err;
}

int dt__send_request(struct dt__send *s, dt_time now, const struct dt_hop *to, dt_tx *tx)
{
    const struct dt_ua_config *cfg = &s->ua->cfg;
    bool invite = dt__send_method(s) == DT_INVITE;
    struct dt_request r = {.bytes = s->bytes,
                           .to = *to,
                           .method = dt__send_method(s),
                           .branch = {s->branch, DT__BRANCH},
                           .cookie = s->id,
                           .in_dialog = s->dialog != NULL,
                           .repeats = invite ? cfg->invite_repeats : cfg->other_repeats};

    if (s->kind == DT__INVITE)
        r.timeout = dt_attempt_patience(dt__ua_t1(s->ua), cfg->invite_repeats);
    return dt_stack_request(s->ua->stack, now, &r, tx);
}

static void go(struct dt__send *s, dt_time now)
{
    int err;

    dt__twins_drop(s, now);
    dt__twins_choose(s);
    err = build(s);
    s->tx = 0;
    s->heard = false;
    if (!err)
        err = map(s);
    if (!err)
        err = s->kind == DT__ACK ? dt_stack_send(s->ua->stack, now, s->bytes, &s->hop)
                                 : dt__send_request(s, now, &s->hop, &s->tx);
    if (!err)
        dt__twins_sent(s, now);
    if (err)
        dt__send_break(s, err);
}

void dt__send_start(struct dt__send *s, dt_time now, const struct dt_addr *targets, size_t n)
{
    if (n > DT_ATTEMPT_TARGETS)
        n = DT_ATTEMPT_TARGETS;
    if (n && targets != s->targets)
        memcpy(s->targets, targets, n * sizeof(*targets));
    s->n_targets = n;
    s->at = 0;
    s->resolving = false;
    if (n)
        go(s, now);
    else
        dt__send_break(s, DT_E_UNREACHABLE);
}

void dt__send_where(struct dt__send *s, dt_time now, const struct dt_where *w)
{
    int n = dt_resolver_find(s->ua->resolver, now, w, s->id, s->targets, DT_ATTEMPT_TARGETS);

    s->fixed = w->transport_given;
    s->resolving = n == 0;
    if (n > 0)
        dt__send_start(s, now, s->targets, (size_t)n);
    else if (n < 0)
        dt__send_break(s, n);
}

void dt__send_dialog(struct dt__send *s, dt_time now)
{
    struct dt_where w;
    struct dt_uri uri;
    int err = dt_dialog_next_hop(s->dialog, &uri);

    if (err) {
        dt__send_break(s, err);
        return;
    }
    dt_where_of_uri(&w, &uri);
    dt__send_where(s, now, &w);
}

void dt__send_found(struct dt__send *s, dt_time now, const struct dt_addr *targets, size_t n,
                    int err)
{
    if (!s->resolving)
        return;
    s->resolving = false;
    if (s->kind == DT__INVITE && s->call->state >= DT_CALL_ENDING)
        dt__send_break(s, DT_E_CLOSED); /* hung up meanwhile */
    else if (n)
        dt__send_start(s, now, targets, n);
    else
        dt__send_break(s, err ? err : DT_E_ABSENT);
}

void dt__send_again(struct dt__send *s, dt_time now)
{
    go(s, now);
}

void dt__send_repeat(struct dt__send *s, dt_time now)
{
    if (s && s->bytes && !s->resolving)
        (void)dt_stack_send(s->ua->stack, now, s->bytes, &s->hop); /* lost like a packet */
    if (s && s->bytes && !s->resolving) /* it was asked for again: perhaps a dead proxy had it */
        dt__twins_send(s->ua, now, s->bytes, &s->hop);
}

void dt__send_cancel(struct dt__send *s, dt_time now)
{
    struct dt_request r = {.to = s->hop,
                           .method = DT_CANCEL,
                           .branch = {s->branch, DT__BRANCH},
                           .cookie = s->id,
                           .repeats = s->ua->cfg.other_repeats};

    dt__twins_cancelled(s, now);
    if (s->tx) {
        (void)dt_stack_cancel(s->ua->stack, now, s->tx, s->id, &s->cancels[0]);
        return;
    }
    if (dt__build_cancel(s, &r.bytes) == DT_OK)
        (void)dt_stack_request(s->ua->stack, now, &r, &s->cancels[0]);
    dt_bytes_drop(r.bytes);
}

/* ---- in ---- */

static void hand_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m,
                          const struct dt_hop *from)
{
    switch (s->kind) {
    case DT__INVITE:
        dt__caller_response(s, now, m, from);
        break;
    case DT__REINVITE:
        dt__session_response(s, now, m);
        break;
    case DT__BYE:
        dt__bye_response(s, now, m);
        break;
    case DT__REGISTER:
        dt__reg_response(s, now, m);
        break;
    case DT__ACK:
        break;
    }
}

static void hand_failure(struct dt__send *s, dt_time now, int err)
{
    switch (s->kind) {
    case DT__INVITE:
        dt__caller_failed(s, now, err);
        break;
    case DT__REINVITE:
        dt__session_failed(s, now);
        break;
    case DT__BYE:
        dt__bye_failed(s, now);
        break;
    case DT__REGISTER:
        dt__reg_failed(s, now, err);
        break;
    case DT__ACK: /* the 2xx is repeated, and the ACK tried again with it */
        dt_bytes_drop(s->bytes);
        s->bytes = NULL;
        break;
    }
}

/* From where the request was sent to, or from a proxy of ours (R5, R8)? Nobody else answers what
 * has no transaction any more. */
static bool is_from_path(const struct dt__send *s, const struct dt_hop *from)
{
    return dt_addr_ip_eq(&s->hop.remote, &from->remote) || dt__known_has_ip(s->ua, &from->remote);
}

/* R27: an answer to a path whose transaction is gone or was left, found by its branch. */
static struct dt__send *stray(struct dt_ua *ua, const struct dt_sip_msg *m,
                              const struct dt_hop *from)
{
    struct dt_str branch = m->via.branch;
    struct dt_map_entry *e = dt_map_first(&ua->by_branch, dt_map_hash(&ua->by_branch, branch));

    for (; e; e = dt_map_next(e)) {
        struct dt__send *s = DT_OF(e, struct dt__send, by_branch);
        if (m->cseq.method != DT_INVITE ||
            !dt_str_eq(branch, (struct dt_str){s->branch, DT__BRANCH}))
            continue;
        if (is_from_path(s, from))
            return s;
        ua->drops.strangers++;
    }
    return NULL;
}

/* Whose it is; NULL: nobody's any more. What was left behind still speaks for its request while
 * that has not gone on with another branch. */
static struct dt__send *owner(struct dt_ua *ua, dt_tx tx, uint64_t cookie,
                              const struct dt_sip_msg *m, const struct dt_hop *from)
{
    struct dt__send *s = tx ? dt__id_find(&ua->ids, cookie, DT__SEND) : stray(ua, m, from);

    return s && dt_str_eq(m->via.branch, (struct dt_str){s->branch, DT__BRANCH}) ? s : NULL;
}

/* One CANCEL has arrived, or the INVITE has its final: the other one need not be repeated. A final
 * by a copy that was left for dead says nothing of where the CANCEL goes. */
static void stop_cancels(struct dt__send *s, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    bool done = m->cseq.method == DT_CANCEL ? m->status < 300 : tx == s->tx || tx == s->twin.tx;

    if (m->status < 200 || !done)
        return;
    for (size_t i = 0; i < 2; i++)
        if (s->cancels[i])
            dt_stack_leave(s->ua->stack, now, s->cancels[i]);
}

bool dt__send_is_wanted(const struct dt__send *s)
{
    if (s->kind == DT__REINVITE)
        return s == s->call->reinvite;
    return s->kind != DT__INVITE || dt_path_is_open(&s->call->attempt.paths[s->path]);
}

bool dt__send_is_hops(const struct dt__send *s, const struct dt_sip_msg *m)
{
    return m->status == 503 && s->kind == DT__INVITE &&
           s->call->attempt.paths[s->path].state != DT_PATH_RINGING;
}

/* One of two copies was asked for credentials, and the INVITE was sent with them, on a new branch;
 * the other one was not asked, and calls with the old ones. */
static void call_off_outdated(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    dt_tx cancel;

    if (m->cseq.method == DT_INVITE && m->status < 200)
        (void)dt_stack_cancel(ua->stack, now, tx, 0, &cancel);
}

void dt__sends_response(void *user, dt_time now, dt_tx tx, uint64_t cookie,
                        const struct dt_sip_msg *m, const struct dt_hop *from)
{
    struct dt_ua *ua = user;
    struct dt__send *s;
    enum dt__twins_verdict verdict;
    bool acked;

    if (tx) /* what we did not ask for proves nothing: it may be forged */
        dt__known_heard(ua, now, m, from);
    else
        ua->drops.unasked += dt_sip_get(m, DT_H_DUALTONE_NODE).n != 0;
    s = owner(ua, tx, cookie, m, from); /* evidence may have moved it */
    if (!s) {
        ua->drops.stray += tx == 0;
        if (tx == 0)
            dt__ua_dropped(ua, now, from, "response without a transaction");
        else
            call_off_outdated(ua, now, tx, m);
        return;
    }
    stop_cancels(s, now, tx, m);
    if (m->cseq.method == DT_CANCEL)
        return;
    if (tx && dt__send_is_hops(s, m))
        dt__known_busy(ua, now, m, from);
    verdict = dt__twins_answered(s, now, tx, m);
    if (m->status >= 300) /* before it goes on with another branch */
        dt__twins_acknowledge(s, now, tx, m, from);
    acked = s->ack != NULL;
    if (verdict != DT__TWINS_GO_ON)
        hand_response(s, now, m, from);
    if (m->status < 300 && !acked) /* a repeated ACK has gone both ways already */
        dt__twins_acknowledge(s, now, tx, m, from);
    if (verdict == DT__TWINS_MOVED)
        dt__caller_event(s, now, DT_PATH_EV_TWIN);
}

/* RFC 3261 18.1.1: TCP for size alone that is refused gives way to UDP. RFC 3263 4.3: the next
 * address of the same name; the paths of an attempt are chosen by reach. Not for what has its final
 * by another copy: that would be a second call. */
static bool try_another(struct dt__send *s, dt_time now)
{
    if (s->heard || !dt__send_is_wanted(s))
        return false;
    if (s->tcp_for_size) {
        s->udp_again = true;
        go(s, now);
        return true;
    }
    if (s->kind == DT__INVITE || s->at + 1 >= s->n_targets)
        return false;
    s->at++;
    s->udp_again = false;
    go(s, now);
    return true;
}

void dt__sends_failed(void *user, dt_time now, dt_tx tx, uint64_t cookie, int err)
{
    struct dt_ua *ua = user;
    struct dt__send *s = dt__id_find(&ua->ids, cookie, DT__SEND);

    if (dt__known_probe_failed(ua, now, tx, err) || !s)
        return;
    if (s->twin.tx == tx) {
        s->twin.tx = 0;
        return;
    }
    if (s->tx != tx)
        return;
    s->tx = 0;
    if (dt__twins_failed(s, now, err))
        return;
    if (!try_another(s, now))
        hand_failure(s, now, err);
}

void dt__sends_ended(void *user, dt_time now, dt_tx tx, uint64_t cookie)
{
    struct dt_ua *ua = user;
    struct dt__send *s = dt__id_find(&ua->ids, cookie, DT__SEND);

    (void)now;
    if (s && s->twin.tx == tx)
        s->twin.tx = 0;
    if (!s || s->tx != tx)
        return;
    s->tx = 0;
    if (s->kind == DT__REINVITE && s != s->call->reinvite)
        dt__send_free(s); /* nothing more can come for it */
    else if (s->call)
        dt__call_reap(s->call);
}

void dt__sends_broken(struct dt_ua *ua, dt_time now)
{
    while (!dt_list_empty(&ua->broken)) {
        struct dt__send *s = DT_OF(ua->broken.next, struct dt__send, breaking);
        dt_list_del(&s->breaking);
        hand_failure(s, now, s->err);
    }
}

void dt__sends_forget(struct dt_list *sends)
{
    DT_LIST_EACH(e, sends)
    {
        struct dt__send *s = DT_OF(e, struct dt__send, link);
        if (s->tx)
            dt__send_break(s, DT_E_CLOSED);
        s->tx = 0;
    }
}
