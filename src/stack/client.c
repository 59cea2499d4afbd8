/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Client transactions: RFC 3261 17.1, CANCEL by 9.1. */
#include "stack/private.h"

/* ---- out ---- */

/* Who must hear of an error: the connection, or the UDP target. */
static int attach(struct dt_stack *s, dt_time now, struct dt__tx *tx)
{
    int err = DT_OK;
    struct dt_hop *to = &tx->active->way.hop;
    if (!tx->reliable)
        return dt__peer_attach(s, tx);
    struct dt__stream *st = dt__stream_for(s, now, to, &err);
    if (!st)
        return err;
    if (to->stream != st->id) {
        to->stream = st->id;
        st->users++;
    }
    dt_list_add(&st->waiting, &tx->active->client.link);
    return DT_OK;
}

static void start_timers(struct dt_stack *s, dt_time now, struct dt__tx *tx,
                         const struct dt_request *r)
{
    struct dt__active *a = tx->active;
    a->repeats = r->repeats;
    a->interval = s->cfg.t1;
    if (r->repeats && !tx->reliable)
        a->resend_at = now + s->cfg.t1;                            /* A, E */
    tx->end_at = now + (r->timeout ? r->timeout : 64 * s->cfg.t1); /* B, F */
    dt__tx_schedule(s, tx);
}

static int start(struct dt_stack *s, dt_time now, const struct dt_request *r, dt_tx *id)
{
    enum dt__machine machine = r->method == DT_INVITE ? DT__ICT : DT__NICT;
    struct dt__key key = dt__key_response(s, r->branch, r->method);
    struct dt_hop to = r->to;
    struct dt__tx *tx;
    if (to.stream && !dt__stream_find(s, to.stream))
        to.stream = 0;
    int err = dt__tx_new(s, machine, &key, &to, &tx);
    if (err)
        return err;
    tx->cookie = r->cookie;
    tx->active->way.message = dt_bytes_hold(r->bytes);
    err = attach(s, now, tx);
    if (err) {
        dt__tx_end(s, tx);
        return err;
    }
    start_timers(s, now, tx, r);
    err = dt__send(s, now, &tx->active->way.hop, r->bytes);
    if (err && tx->reliable) { /* over UDP: as good as lost */
        dt__tx_end(s, tx);
        return err;
    }
    *id = dt__tx_id(tx);
    return DT_OK;
}

int dt_stack_request(struct dt_stack *s, dt_time now, const struct dt_request *r, dt_tx *tx)
{
    *tx = 0;
    if (r->method == DT_ACK)
        return DT_E_STATE;
    if (dt__is_full(s, r->in_dialog))
        return DT_E_LIMIT;
    dt__enter(s);
    int err = start(s, now, r, tx);
    dt__leave(s);
    return err;
}

/* The branch lies in the message that was made from the INVITE, so it lives long enough. */
static int start_cancel(struct dt_stack *s, dt_time now, struct dt__tx *invite, uint64_t cookie,
                        struct dt_bytes *bytes, dt_tx *id)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    if (dt_sip_parse(&m, dt_bytes_str(bytes), headers, DT_MSG_HEADERS_MAX) || dt_sip_check(&m))
        return DT_E_SYNTAX;
    return start(s, now,
                 &(struct dt_request){
                     .bytes = bytes,
                     .to = invite->active->way.hop,
                     .method = DT_CANCEL,
                     .branch = m.via.branch,
                     .cookie = cookie,
                     .repeats = UINT32_MAX,
                 },
                 id);
}

/* 9.1: so long its final is waited for. Also where there is no memory for a CANCEL: an INVITE that
 * rings has no other end. */
static void wait_for_final(struct dt_stack *s, dt_time now, struct dt__tx *invite)
{
    invite->end_at = now + 64 * s->cfg.t1;
    dt__tx_schedule(s, invite);
}

static int cancel(struct dt_stack *s, dt_time now, struct dt__tx *invite, uint64_t cookie,
                  dt_tx *id)
{
    struct dt_bytes *bytes;
    if (invite->state == ST_PROCEEDING)
        wait_for_final(s, now, invite);
    int err = dt__derive(s, invite->active->way.message, NULL, &bytes);
    if (err)
        return err;
    err = start_cancel(s, now, invite, cookie, bytes, id);
    dt_bytes_drop(bytes);
    if (!err)
        wait_for_final(s, now, invite);
    return err;
}

void dt__client_cancel(struct dt_stack *s, dt_time now, struct dt__tx *invite)
{
    dt_tx id;
    if (invite->active->cancelled || cancel(s, now, invite, 0, &id))
        return;
    invite->active->cancelled = true;
    dt__tx_of(s, id)->left = 1;
}

/* Not refused at the limit: what is under way must be able to end, and an INVITE has one CANCEL. */
static int cancel_in(struct dt_stack *s, dt_time now, dt_tx id, enum dt__state state,
                     uint64_t cookie, dt_tx *tx)
{
    struct dt__tx *invite = dt__tx_of(s, id);
    *tx = 0;
    if (!invite)
        return DT_E_STALE;
    if (invite->machine != DT__ICT || invite->state != state || invite->active->cancelled)
        return DT_E_STATE;
    dt__enter(s);
    int err = cancel(s, now, invite, cookie, tx);
    if (!err && state == ST_PROCEEDING)
        invite->active->cancelled = true;
    if (!err && state == ST_CALLING)
        dt_stack_quiet(s, id);
    dt__leave(s);
    return err;
}

int dt_stack_cancel(struct dt_stack *s, dt_time now, dt_tx invite, uint64_t cookie, dt_tx *tx)
{
    return cancel_in(s, now, invite, ST_PROCEEDING, cookie, tx);
}

int dt_stack_cancel_early(struct dt_stack *s, dt_time now, dt_tx invite, uint64_t cookie, dt_tx *tx)
{
    return cancel_in(s, now, invite, ST_CALLING, cookie, tx);
}

void dt_stack_abandon(struct dt_stack *s, dt_time now, dt_tx tx)
{
    struct dt__tx *found = dt__tx_of(s, tx);
    (void)now;
    if (!found)
        return;
    dt__enter(s);
    dt__tx_end(s, found);
    dt__leave(s);
}

void dt_stack_quiet(struct dt_stack *s, dt_tx tx)
{
    struct dt__tx *found = dt__tx_of(s, tx);
    if (found && dt__is_client(found) && dt__is_active(found)) {
        found->active->resend_at = DT_TIME_NEVER;
        dt__tx_schedule(s, found);
    }
}

void dt_stack_resume(struct dt_stack *s, dt_time now, dt_tx tx)
{
    struct dt__tx *found = dt__tx_of(s, tx);
    if (!found || !dt__is_client(found) || !dt__is_waiting(found) ||
        found->active->resend_at != DT_TIME_NEVER || found->reliable)
        return;
    if (!found->active->repeats)
        found->active->repeats = 1;
    found->active->resend_at = now;
    dt__tx_schedule(s, found);
}

void dt_stack_repeat(struct dt_stack *s, dt_time now, dt_tx tx)
{
    struct dt__tx *found = dt__tx_of(s, tx);
    if (!found || found->machine != DT__ICT || found->state > ST_PROCEEDING ||
        (found->state == ST_CALLING && found->active->resend_at == DT_TIME_NEVER) ||
        found->reliable)
        return;
    dt__enter(s);
    (void)dt__send(s, now, &found->active->way.hop, found->active->way.message);
    dt__leave(s);
}

void dt_stack_leave(struct dt_stack *s, dt_time now, dt_tx tx)
{
    struct dt__tx *found = dt__tx_of(s, tx);
    if (!found || !dt__is_client(found))
        return;
    found->left = 1;
    if (!dt__is_active(found) || found->state >= ST_ACCEPTED)
        return;
    found->active->resend_at = DT_TIME_NEVER;
    found->end_at = dt_time_min(found->end_at, now + 64 * s->cfg.t1);
    dt__tx_schedule(s, found);
}

/* ---- in ---- */

void dt__client_response(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                         const struct dt_hop *from)
{
    struct dt__key key = dt__key_response(s, m->via.branch, m->method);
    struct dt__tx *tx = dt__find_client(s, &key, from);
    if (!tx) {
        s->counts.stray++;
        s->ops->response(s->user, now, 0, 0, m, from);
        return;
    }
    struct dt__event ev = {
        .kind = m->status < 200   ? EV_RX_1XX
                : m->status < 300 ? EV_RX_2XX
                                  : EV_RX_FAIL,
        .m = m,
        .from = from,
    };
    bool repeat = tx->state == ST_COMPLETED || (tx->state == ST_ACCEPTED && ev.kind != EV_RX_2XX);
    if (repeat)
        s->counts.absorbed++;
    (void)dt__fire(s, now, tx, &ev);
}

/* Callbacks may start new ones for the same target, so what is to be looked at is set apart. */
void dt__clients_fail(struct dt_stack *s, dt_time now, struct dt_list *waiting, int err)
{
    struct dt__event ev = {.kind = EV_TRANSPORT, .err = err};
    struct dt_list todo;
    dt_list_init(&todo);
    while (!dt_list_empty(waiting)) {
        struct dt_list *e = waiting->next;
        dt_list_del(e);
        dt_list_add(&todo, e);
    }
    while (!dt_list_empty(&todo)) {
        struct dt__active *a = DT_OF(todo.next, struct dt__active, client.link);
        struct dt__tx *tx = dt__tx_at(s, a->timer.kind);
        dt_list_del(&a->client.link);
        if (a->client.peer)
            dt_list_add(waiting, &a->client.link);
        (void)dt__fire(s, now, tx, &ev);
    }
}
