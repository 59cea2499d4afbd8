/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Performs what the tables say. Nothing here knows which machine it is working for. */
#include "stack/private.h"

/* ---- timers ---- */

/* A timer of ours is always armed until it lingers, so that this cannot fail for want of memory.
 * What waits for nothing waits for the end of time. */
static void arm(struct dt_stack *s, struct dt__tx *tx, dt_time due)
{
    (void)dt_timers_arm(&s->timers, &tx->active->timer, dt_time_min(due, DT_TIME_NEVER - 1));
}

void dt__tx_schedule(struct dt_stack *s, struct dt__tx *tx)
{
    arm(s, tx, dt_time_min(tx->end_at, tx->active->resend_at));
}

static void end_after(struct dt_stack *s, dt_time now, struct dt__tx *tx, enum dt__lane_of lane)
{
    if (!dt__is_active(tx)) {
        dt__linger_for(s, now, tx, lane);
        return;
    }
    tx->end_at = now + dt__linger_wait(s, lane);
    dt__tx_schedule(s, tx);
}

/* Counted from when the last one was due, not from when the host came round to it, so that delays
 * do not add up. */
static void resend_after(struct dt_stack *s, dt_time now, struct dt__tx *tx, dt_time wait)
{
    struct dt__active *a = tx->active;
    dt_time from = a->resend_at == DT_TIME_NEVER ? now : a->resend_at;
    if (from + wait <= now)
        from = now;
    a->interval = wait;
    a->resend_at = a->repeats ? from + wait : DT_TIME_NEVER;
    dt__tx_schedule(s, tx);
}

static void set_resend(struct dt_stack *s, dt_time now, struct dt__tx *tx, uint32_t todo)
{
    if (!dt__is_active(tx) || tx->reliable)
        return;
    dt_time last = tx->active->interval;
    if (todo & DO_FIRST) {
        tx->active->repeats = UINT32_MAX;
        resend_after(s, now, tx, s->cfg.t1);
    } else if (todo & DO_DOUBLE) {
        resend_after(s, now, tx, 2 * last);
    } else if (todo & DO_CAPPED) {
        resend_after(s, now, tx, dt_time_min(2 * last, s->cfg.t2));
    } else if (todo & DO_AT_T2) {
        resend_after(s, now, tx, s->cfg.t2);
    }
}

static void set_end(struct dt_stack *s, dt_time now, struct dt__tx *tx, uint32_t todo)
{
    bool lingers = !tx->reliable || (s->cfg.linger && !dt__is_client(tx));
    if (todo & DO_END_64T1)
        end_after(s, now, tx, DT__LANE_64T1);
    else if (todo & DO_END_64T1_UDP)
        end_after(s, now, tx, lingers ? DT__LANE_64T1 : DT__LANE_NOW);
    else if (todo & DO_END_32S_UDP)
        end_after(s, now, tx, lingers ? DT__LANE_D : DT__LANE_NOW);
    else if (todo & DO_END_T4_UDP)
        end_after(s, now, tx, lingers ? DT__LANE_T4 : DT__LANE_NOW);
}

/* ---- sending ---- */

static struct dt_hop where_to(const struct dt_stack *s, const struct dt__tx *tx,
                              const struct dt__event *ev)
{
    const struct dt__way *way = dt__way(tx);
    bool again = ev->kind == EV_RX_REPEAT && !s->cfg.plain;
    struct dt_hop to = again ? *ev->from : way->hop;
    if (again)
        to.remote.port = dt__reply_port(&ev->m->via, ev->from); /* to who asked again (I5) */
    return to;
}

static void send_response(struct dt_stack *s, dt_time now, struct dt__tx *tx,
                          const struct dt__event *ev, bool keep)
{
    struct dt_hop to = where_to(s, tx, ev);
    (void)dt__send(s, now, &to, ev->bytes); /* what is lost is asked for again */
    if (!keep)
        return;
    struct dt_bytes *old = tx->active->way.message;
    tx->active->way.message = dt_bytes_hold(ev->bytes);
    dt_bytes_drop(old);
}

/* What is above our hop: from the second value on. */
static bool same_vias_below(const struct dt_sip_msg *a, const struct dt_sip_msg *b)
{
    struct dt_sip_values x = dt_sip_values(a, DT_H_VIA), y = dt_sip_values(b, DT_H_VIA);
    struct dt_str v = DT_STR_NONE, w = DT_STR_NONE;
    bool more, first = true, same = true;
    do {
        more = dt_sip_values_next(&x, &v);
        same = more == dt_sip_values_next(&y, &w) && (first || !more || dt_str_eq(v, w));
        first = false;
    } while (more && same);
    return same;
}

/* R7, R8: who repeats a request by another way may have another Via list. With the same one it gets
 * the same bytes (I5); also for want of memory. */
static struct dt_bytes *for_copy(struct dt_stack *s, struct dt__tx *tx, const struct dt__event *ev)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_bytes *message = dt__message_of(tx), *own;
    if (ev->kind != EV_RX_REPEAT || dt__is_remote(tx, &ev->from->remote) ||
        dt_sip_parse(&m, dt_bytes_str(message), headers, DT_MSG_HEADERS_MAX) ||
        same_vias_below(&m, ev->m) ||
        dt_sip_answer_copy(&m, ev->m, &ev->from->remote, s->env->alloc, &own))
        return dt_bytes_hold(message);
    return own;
}

static void send_again(struct dt_stack *s, dt_time now, struct dt__tx *tx,
                       const struct dt__event *ev)
{
    struct dt_hop to = where_to(s, tx, ev);
    struct dt_bytes *bytes = NULL;
    if (tx->form == DT__FORM_RECIPE || tx->form == DT__FORM_PARTS)
        bytes = dt__linger_answer(s, tx, ev->m, ev->from);
    else if (dt__message_of(tx))
        bytes = for_copy(s, tx, ev);
    if (!bytes)
        return;
    if (ev->kind == EV_RESEND)
        tx->active->repeats--;
    s->counts.repeats++;
    (void)dt__send(s, now, &to, bytes);
    dt_bytes_drop(bytes);
}

/* An ACK for which there was no memory is made when the failure comes again; until then `message`
 * is the INVITE, and the transaction stays as it is. */
static void send_ack(struct dt_stack *s, dt_time now, struct dt__tx *tx, const struct dt_sip_msg *m)
{
    struct dt__way *way = dt__way(tx);
    struct dt_bytes *ack;
    if (tx->acked) {
        s->counts.repeats++;
    } else {
        tx->active->resend_at = DT_TIME_NEVER;
        if (dt__derive(s, way->message, m, &ack))
            return;
        dt_bytes_drop(way->message);
        way->message = ack;
        tx->acked = 1;
    }
    (void)dt__send(s, now, &way->hop, way->message);
}

/* ---- the user ---- */

static void deliver(struct dt_stack *s, dt_time now, struct dt__tx *tx, const struct dt__event *ev)
{
    if (ev->kind == EV_RX_ACK)
        s->ops->request(s->user, now, 0, ev->m, ev->from);
    else
        s->ops->response(s->user, now, dt__tx_id(tx), tx->cookie, ev->m, ev->from);
}

/* For the user it is over; nobody waits for what comes now. */
static void give_up(struct dt_stack *s, dt_time now, struct dt__tx *tx, int err)
{
    dt_tx id = dt__tx_id(tx);
    bool left = tx->left;
    tx->left = 1;
    dt__tx_rename(tx);
    if (!left)
        s->ops->failed(s->user, now, id, tx->cookie, err);
}

/* The last arrow. */
static void finish(struct dt_stack *s, dt_time now, struct dt__tx *tx, const struct dt__rule *rule,
                   const struct dt__event *ev)
{
    dt_tx id = dt__tx_id(tx);
    uint64_t cookie = tx->cookie;
    const struct dt__way *way = dt__way(tx);
    if ((rule->actions & DO_FAIL) && ev->err == DT_E_TIMEOUT && way->hop.stream) {
        struct dt__stream *st = dt__stream_find(s, way->hop.stream);
        if (st)
            st->silent = true;
    }
    bool left = tx->left;
    dt__tx_end(s, tx);
    if (left)
        return;
    if (rule->actions & DO_FAIL)
        s->ops->failed(s->user, now, id, cookie, ev->err);
    else
        s->ops->ended(s->user, now, id, cookie);
}

/* ---- one event ---- */

/* The only writer of a state between birth and end (pool.c). */
static void set_state(struct dt_stack *s, struct dt__tx *tx, enum dt__state next)
{
    if (tx->state == next)
        return;
    if (s->env->log && s->env->log->level >= DT_LOG_DEBUG)
        dt_log(s->env, DT_LOG_DEBUG, "stack", DT_STR_NONE, "%s %08x: %s, then %s",
               dt__machine_name(tx->machine), (unsigned)tx->slot, dt__state_name(tx->state),
               dt__state_name(next));
    tx->state = (uint8_t)next;
    if (dt__is_client(tx) && dt__is_active(tx) && tx->active->client.peer && !dt__is_waiting(tx))
        dt__peer_detach(s, tx); /* an ICMP error says nothing of it any more */
}

static void perform(struct dt_stack *s, dt_time now, struct dt__tx *tx, const struct dt__rule *rule,
                    const struct dt__event *ev)
{
    uint32_t todo = rule->actions;
    set_state(s, tx, rule->next);
    if (todo & DO_SEND)
        send_response(s, now, tx, ev, todo & DO_KEEP);
    if (todo & DO_REPEAT)
        send_again(s, now, tx, ev);
    if (todo & DO_ACK)
        send_ack(s, now, tx, ev->m);
    if (todo & DO_DROP_REQUEST)
        dt__drop_late(s, &tx->active->server.request);
    if (todo & (DO_SHED | DO_SHED_ALL))
        dt__linger(s, tx, todo & DO_SHED);
    if (todo & DO_STOP) {
        tx->active->resend_at = DT_TIME_NEVER;
        if (!tx->left) /* nobody would cancel it */
            tx->end_at = DT_TIME_NEVER;
        dt__tx_schedule(s, tx);
    }
    if (todo & DO_FAIL)
        tx->active->resend_at = DT_TIME_NEVER;
    set_resend(s, now, tx, todo);
    set_end(s, now, tx, todo);
    if ((todo & DO_CANCEL) && s->cfg.given_up == DT_GIVEN_UP_CANCEL)
        dt__client_cancel(s, now, tx);
    if (todo & DO_STRAY)
        s->ops->response(s->user, now, 0, 0, ev->m, ev->from);
    if (todo & DO_FAIL)
        give_up(s, now, tx, ev->err);
    if (todo & DO_DELIVER)
        deliver(s, now, tx, ev); /* last: it may end anything */
}

/* Over a stream answers come by the same way, or not at all. */
static enum dt__event_kind kind_of(const struct dt_stack *s, const struct dt__tx *tx,
                                   enum dt__event_kind kind)
{
    bool is_lost = (tx->state == ST_CALLING && (kind == EV_END || kind == EV_TRANSPORT)) ||
                   (tx->state == ST_PROCEEDING && kind == EV_END);
    bool is_kept = s->cfg.given_up && tx->machine == DT__ICT && !tx->reliable;
    return is_lost && is_kept ? EV_LOST : kind;
}

int dt__fire(struct dt_stack *s, dt_time now, struct dt__tx *tx, const struct dt__event *ev)
{
    const struct dt__rule *rule = dt__rule_find(tx->machine, tx->state, kind_of(s, tx, ev->kind));
    if (!rule)
        return DT_E_STATE;
    if (rule->next == ST_TERMINATED)
        finish(s, now, tx, rule, ev);
    else
        perform(s, now, tx, rule, ev);
    return DT_OK;
}

void dt__tx_timer(struct dt_stack *s, dt_time now, struct dt__tx *tx)
{
    struct dt__event ev = {.kind = now >= tx->end_at ? EV_END : EV_RESEND, .err = DT_E_TIMEOUT};
    if (dt__is_active(tx))
        arm(s, tx, DT_TIME_NEVER); /* takes back the place in the heap */
    (void)dt__fire(s, now, tx, &ev);
}
