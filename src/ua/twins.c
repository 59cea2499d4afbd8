/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The other path (design.md 5, `fast`): twins are one server, so a request of ours may have a copy
 * at the twin, with the same bytes and branch (R22); what either answers is the answer. When one of
 * them dies, what was under way there is done again at the other. */
#include "ua/core.h"

#include <string.h>

/* R24: so long more than 100 is waited for, where it rang before, and where that is not known. */
enum { MUTE_MS = 2000, MUTE_UNKNOWN_MS = 3500, ACKS_MORE = 2 };

/* ---- where ---- */

/* The same way as `of`, to its twin. */
static bool twin_hop(struct dt_ua *ua, const struct dt_hop *of, struct dt_hop *out)
{
    const struct dt_target *g = dt__known_find(ua, &of->remote);
    const struct dt_target *twin = g ? dt_targets_twin(&ua->known, &g->addr) : NULL;

    if (!twin)
        return false;
    *out = *of;
    out->remote = twin->addr;
    out->remote.transport = of->remote.transport;
    out->stream = 0;
    return true;
}

/* A request of a dialog goes where its route set leads (guide: to the end), but not to the dead. */
void dt__twins_choose(struct dt__send *s)
{
    struct dt_addr *to = &s->targets[s->at];
    const struct dt_target *g, *twin;

    if (s->kind == DT__REGISTER || !(g = dt__known_find(s->ua, to)) ||
        !(twin = dt_targets_twin(&s->ua->known, &g->addr)))
        return;
    if (twin->health == DT_HEALTH_DOWN)
        return;
    if (g->health == DT_HEALTH_DOWN ||
        (s->dialog && g->health == DT_HEALTH_SUSPECT && twin->health == DT_HEALTH_UP)) {
        uint8_t transport = to->transport;
        *to = twin->addr;
        to->transport = transport;
    }
}

void dt__twins_send(struct dt_ua *ua, dt_time now, struct dt_bytes *bytes, const struct dt_hop *to)
{
    struct dt_hop twin;

    if (twin_hop(ua, to, &twin))
        (void)dt_stack_send(ua->stack, now, bytes, &twin);
}

/* ---- copies ---- */

/* Is its final still waited for? */
static bool is_open(const struct dt__send *s)
{
    return s->tx && s->bytes && dt__send_is_wanted(s);
}

static void wait_for(struct dt__send *s, dt_time now, enum dt__wait what, dt_time t)
{
    s->wait = what;
    (void)dt_timers_arm(&s->ua->timers, &s->patience, now + t); /* without memory: no copy */
}

static void stop_waiting(struct dt__send *s)
{
    dt_timers_stop(&s->ua->timers, &s->patience);
}

void dt__twins_sent(struct dt__send *s, dt_time now)
{
    s->sent = now;
    s->hedged = s->cancelled = s->spent = false;
    s->cancels[0] = s->cancels[1] = 0;
    s->twin = (struct dt__copy){.tx = 0};
    s->woken = 0;
    if (s->kind == DT__REGISTER)
        dt__known_add(s->ua, now, &s->hop.remote);
    else if (s->kind != DT__ACK && dt__known_find(s->ua, &s->hop.remote))
        wait_for(s, now, DT__WAIT_ANSWER, dt__ua_t1(s->ua));
}

static void leave_twin(struct dt__send *s, dt_time now)
{
    if (s->twin.tx)
        dt_stack_leave(s->ua->stack, now, s->twin.tx);
    s->twin = (struct dt__copy){.tx = 0};
}

static enum dt_health health(struct dt_ua *ua, const struct dt_addr *at)
{
    const struct dt_target *g = dt__known_find(ua, at);

    return g ? g->health : DT_HEALTH_UNKNOWN;
}

/* R21, R23: the other copy has its final, `m`, so this one is cancelled. The branch is that of the
 * other one, so what has its final stays as it is. A silent target is asked no more, and cancelled
 * when it speaks after all. But if it lives its 100 was lost, and it has called, unless it asked
 * for credentials, too: twins are of one make, and take a CANCEL without a provisional (9.1 has it
 * wait).
 */
static void call_off(struct dt__send *s, dt_time now, dt_tx tx, bool heard,
                     const struct dt_sip_msg *m)
{
    struct dt_hop hop;
    dt_tx cancel;

    if (s->kind != DT__INVITE || dt_stack_hop_of(s->ua->stack, tx, &hop) != DT_OK)
        return;
    if (heard)
        (void)dt_stack_cancel(s->ua->stack, now, tx, s->id, &cancel);
    else if (m->status != 401 && m->status != 407 && health(s->ua, &hop.remote) == DT_HEALTH_UP)
        (void)dt_stack_cancel_early(s->ua->stack, now, tx, s->id, &cancel);
    else
        dt_stack_quiet(s->ua->stack, tx);
}

void dt__twins_drop(struct dt__send *s, dt_time now)
{
    stop_waiting(s);
    leave_twin(s, now);
    if (s->tx)
        dt_stack_leave(s->ua->stack, now, s->tx);
    s->tx = 0;
}

/* The copy becomes the request: what follows (ACK, CANCEL, credentials) goes to the twin. It is
 * quiet if the other one was answered, and may be lost. */
static void promote(struct dt__send *s, dt_time now)
{
    if (!s->twin.heard && !s->cancelled)
        dt_stack_resume(s->ua->stack, now, s->twin.tx);
    if (s->tx)
        dt_stack_leave(s->ua->stack, now, s->tx);
    s->tx = s->twin.tx;
    s->hop = s->twin.hop;
    s->heard = s->twin.heard;
    s->targets[s->at] = s->hop.remote;
    s->twin = (struct dt__copy){.tx = 0};
}

/* Not where it has its final: there its branch is at its end (17.1.1.2), and would begin anew. */
static bool copy(struct dt__send *s, dt_time now)
{
    if (s->spent || !twin_hop(s->ua, &s->hop, &s->twin.hop) ||
        dt__send_request(s, now, &s->twin.hop, &s->twin.tx) != DT_OK)
        return false;
    s->hedged = true;
    return true;
}

/* The request goes on at the twin alone. */
static bool move(struct dt__send *s, dt_time now)
{
    if (!s->twin.tx && !copy(s, now))
        return false;
    promote(s, now);
    return true;
}

/* R23: the same CANCEL to the twin, which has the branch or finds the callee without it (R6). */
static void cancel_by_twin(struct dt__send *s, dt_time now)
{
    struct dt_request r = {.method = DT_CANCEL,
                           .branch = {s->branch, DT__BRANCH},
                           .cookie = s->id,
                           .repeats = s->ua->cfg.other_repeats};

    if (s->cancels[1] || !twin_hop(s->ua, &s->hop, &r.to) || dt__build_cancel(s, &r.bytes) != DT_OK)
        return;
    (void)dt_stack_request(s->ua->stack, now, &r, &s->cancels[1]);
    dt_bytes_drop(r.bytes);
}

void dt__twins_cancelled(struct dt__send *s, dt_time now)
{
    dt_tx cancel;

    s->cancelled = true;
    (void)dt_stack_cancel(s->ua->stack, now, s->woken, s->id, &cancel);
    if (s->twin.tx && s->twin.heard)
        (void)dt_stack_cancel(s->ua->stack, now, s->twin.tx, s->id, &s->cancels[1]);
    else if (health(s->ua, &s->hop.remote) == DT_HEALTH_DOWN)
        cancel_by_twin(s, now);
    else if (dt__known_find(s->ua, &s->hop.remote))
        wait_for(s, now, DT__WAIT_CANCELLED, dt__ua_t1(s->ua));
}

/* R22: nobody answers an ACK, and the callee may not repeat its 2xx by the twin: some more times,
 * since packets are lost. */
static void ack_by_twin(struct dt__send *s, dt_time now)
{
    if (s->more == 0 || !s->bytes || s->call->state != DT_CALL_TALKING)
        return;
    s->more--;
    dt__twins_send(s->ua, now, s->bytes, &s->hop);
    wait_for(s, now, DT__WAIT_AGAIN, dt__ua_t1(s->ua));
}

/* The 180 that the callee sent by the twin may be lost: it is asked for until the patience is over.
 */
static void ask_callee(struct dt__send *s, dt_time now)
{
    if (now >= s->mute_at) {
        dt__caller_event(s, now, DT_PATH_EV_MUTE);
        return;
    }
    dt_stack_repeat(s->ua->stack, now, s->tx);
    wait_for(s, now, DT__WAIT_CALLEE, dt_time_min(dt__ua_t1(s->ua), s->mute_at - now));
}

void dt__twins_patience(struct dt__send *s, dt_time now)
{
    if (s->wait != DT__WAIT_AGAIN && !is_open(s))
        return;
    switch (s->wait) {
    case DT__WAIT_ANSWER: /* R22 */
        if (!s->heard && !s->twin.heard)
            dt__known_evidence(s->ua, now, &s->hop.remote, DT_EVIDENCE_SILENCE);
        if (is_open(s) && !s->heard && !s->hedged)
            (void)copy(s, now);
        break;
    case DT__WAIT_CALLEE:
        ask_callee(s, now);
        break;
    case DT__WAIT_CANCELLED:
        cancel_by_twin(s, now);
        break;
    case DT__WAIT_AGAIN:
        ack_by_twin(s, now);
        break;
    }
}

/* ---- what came ---- */

/* R21: what a hop says of itself; nothing of the callee's. */
static bool is_of_hop(const struct dt_sip_msg *m)
{
    return m->status == 408 || m->status == 430 || m->status == 482 ||
           (m->status >= 500 && m->status < 600);
}

/* A final came by one copy. True: the other one goes on in its place. One that was left, and woke
 * up to call as well, is called off like the other. */
static bool settle(struct dt__send *s, dt_time now, bool by_twin, const struct dt_sip_msg *m)
{
    if (is_of_hop(m) && s->tx && s->twin.tx) {
        if (by_twin)
            leave_twin(s, now);
        else
            promote(s, now);
        return true;
    }
    call_off(s, now, s->woken, true, m);
    if (by_twin) {
        call_off(s, now, s->tx, s->heard, m);
        promote(s, now);
    } else {
        call_off(s, now, s->twin.tx, s->twin.heard, m);
        leave_twin(s, now);
    }
    return false;
}

/* By a copy that was left because its target seemed dead (R27), or that speaks when all is over. */
static enum dt__twins_verdict late(struct dt__send *s, dt_time now, dt_tx tx,
                                   const struct dt_sip_msg *m)
{
    if (!is_open(s) && (!tx || m->status >= 200))
        return DT__TWINS_HAND;
    if (!is_open(s)) {
        call_off(s, now, tx, true, m);
        return DT__TWINS_GO_ON;
    }
    if (m->status >= 200 && is_of_hop(m)) {
        s->spent = true;
        return DT__TWINS_GO_ON;
    }
    if (s->wait == DT__WAIT_CALLEE && m->status > 100)
        stop_waiting(s);
    if (m->status < 200) {
        s->woken = tx;
        return DT__TWINS_HAND;
    }
    call_off(s, now, s->tx, s->heard, m);
    call_off(s, now, s->twin.tx, s->twin.heard, m);
    if (s->kind == DT__REINVITE) /* nothing cancels it: its own final may be lost */
        dt__twins_drop(s, now);
    return DT__TWINS_HAND;
}

enum dt__twins_verdict dt__twins_answered(struct dt__send *s, dt_time now, dt_tx tx,
                                          const struct dt_sip_msg *m)
{
    bool by_twin = tx && tx == s->twin.tx;
    bool ours = by_twin || (tx && tx == s->tx);
    bool first = !s->heard && !s->twin.heard;

    s->spent = s->spent || m->status >= 200;
    if (ours && s->cancelled && m->status < 200)
        call_off(s, now, tx, true, m); /* this copy had not spoken yet (9.1) */
    if (!ours || (s->kind == DT__INVITE && m->status < 200 && !is_open(s)))
        return late(s, now, tx, m);
    *(by_twin ? &s->twin.heard : &s->heard) = true;
    s->twin.rang |= by_twin && m->status > 100;
    if (s->wait == DT__WAIT_ANSWER || (s->wait == DT__WAIT_CALLEE && m->status > 100))
        stop_waiting(s);
    if (first && s->twin.tx)
        dt_stack_quiet(s->ua->stack, by_twin ? s->tx : s->twin.tx);
    if (m->status >= 200 && settle(s, now, by_twin, m))
        return DT__TWINS_GO_ON;
    return by_twin && first && s->kind == DT__INVITE && m->status == 100 ? DT__TWINS_MOVED
                                                                         : DT__TWINS_HAND;
}

/* The twin is asked once whatever is believed of it; again only while it may live: of two that
 * refuse, each would else send the request back to the other for ever. What was cancelled is not
 * sent any more (9.1: the CANCEL is of that INVITE, and is sent to both, R23). */
static bool may_move(struct dt__send *s)
{
    const struct dt_target *g = dt__known_find(s->ua, &s->hop.remote);
    const struct dt_target *twin = g ? dt_targets_twin(&s->ua->known, &g->addr) : NULL;

    return s->kind != DT__REGISTER && s->bytes && twin && !s->cancelled &&
           (!s->hedged || twin->health != DT_HEALTH_DOWN);
}

bool dt__twins_failed(struct dt__send *s, dt_time now, int err)
{
    struct dt_addr at = s->hop.remote;
    bool refused = dt__is_refusal(err);
    bool rang = s->twin.rang;
    bool moved = dt__send_is_wanted(s) && (s->twin.tx || (refused && may_move(s))) && move(s, now);

    if (moved && s->kind == DT__INVITE && !rang)
        dt__caller_event(s, now, DT_PATH_EV_TWIN); /* R28: the only way left */
    if (refused)
        dt__known_evidence(s->ua, now, &at, DT_EVIDENCE_REFUSED);
    return moved;
}

/* Is `from` the twin of where `hop` leads? */
static bool is_twin(struct dt_ua *ua, const struct dt_hop *hop, const struct dt_hop *from)
{
    const struct dt_target *g = dt__known_find(ua, &hop->remote);
    const struct dt_target *f = dt__known_find(ua, &from->remote);

    return g && f && g != f && dt_targets_twin(&ua->known, &g->addr) == f;
}

/* A 2xx has its ACK by now; that of a failure has been sent by the stack to where its transaction
 * leads. */
void dt__twins_acknowledge(struct dt__send *s, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                           const struct dt_hop *from)
{
    struct dt_bytes *nack;
    struct dt_hop acked;

    if (m->cseq.method != DT_INVITE || m->status < 200)
        return;
    if (m->status < 300) {
        if (s->ack && s->ack->bytes && is_twin(s->ua, &s->ack->hop, from))
            dt__twins_send(s->ua, now, s->ack->bytes, &s->ack->hop);
    } else if ((dt_stack_hop_of(s->ua->stack, tx, &acked) != DT_OK ||
                !dt_addr_eq(&acked.remote, &from->remote)) &&
               is_twin(s->ua, &s->hop, from) && dt__build_nack(s, m, &nack) == DT_OK) {
        dt__twins_send(s->ua, now, nack, &s->hop);
        dt_bytes_drop(nack);
    }
}

/* ---- death ---- */

static bool is_at(const struct dt_hop *hop, const struct dt_target *g)
{
    return dt_addr_ip_eq(&hop->remote, &g->addr) && hop->remote.port == g->addr.port;
}

/* R22: the INVITE is done again at the twin; without one the chooser says what next. */
static void move_invite(struct dt__send *s, dt_time now)
{
    const struct dt_attempt *a = &s->call->attempt;
    bool trying = a->phase == DT_ATTEMPT_TRYING;
    bool by_twin = s->twin.rang; /* nothing is lost with the other copy */
    enum dt_path_state state = a->paths[s->path].state;

    if (s->cancelled) {
        cancel_by_twin(s, now);
        return;
    }
    if (!move(s, now)) {
        dt__caller_event(s, now, DT_PATH_EV_DEAD);
        return;
    }
    if (!trying || by_twin)
        return;
    dt__caller_event(s, now, DT_PATH_EV_TWIN);
    if (state == DT_PATH_CALLING)
        return; /* nobody has got it yet */
    s->mute_at = now + (state == DT_PATH_RINGING ? MUTE_MS : MUTE_UNKNOWN_MS) * DT_MS;
    wait_for(s, now, DT__WAIT_CALLEE, dt__ua_t1(s->ua));
}

/* It was answered, and its proxy cancelled the other phones of a fork; did all of them hear it? The
 * one that answered is beyond that (9.2). */
static void cancel_siblings(struct dt__send *s, dt_time now, const struct dt_target *g)
{
    if (s->kind == DT__INVITE && s->bytes && is_at(&s->hop, g) && s->ack &&
        now - s->ack->sent < 64 * dt__ua_t1(s->ua) &&
        s->call->attempt.paths[s->path].state == DT_PATH_ANSWERED)
        cancel_by_twin(s, now);
}

static void move_send(struct dt__send *s, dt_time now, const struct dt_target *g)
{
    if (s->kind == DT__ACK) {
        s->more = ACKS_MORE + 1;
        if (is_at(&s->hop, g) && s->bytes && now - s->sent < 64 * dt__ua_t1(s->ua))
            ack_by_twin(s, now);
        return;
    }
    cancel_siblings(s, now, g);
    if (!is_open(s))
        return;
    if (s->twin.tx && is_at(&s->twin.hop, g)) {
        if (g->health == DT_HEALTH_UP)
            return; /* it has restarted: this copy may be what it answers now */
        if (s->heard || !s->twin.heard) {
            leave_twin(s, now);
            return;
        }
        promote(s, now); /* it alone had answered */
    }
    if (!is_at(&s->hop, g))
        return;
    if (s->kind == DT__INVITE)
        move_invite(s, now);
    else
        (void)move(s, now);
}

/* One that has not been moved by this death; events may add and end others meanwhile. */
static struct dt__send *unmoved(struct dt_call *c, unsigned death)
{
    DT_LIST_EACH(e, &c->sends)
    {
        struct dt__send *s = DT_OF(e, struct dt__send, link);
        if (s->death != death)
            return s;
        if (s->ack && s->ack->death != death)
            return s->ack;
    }
    return NULL;
}

void dt__twins_died(struct dt_ua *ua, dt_time now, const struct dt_target *g)
{
    unsigned death = ++ua->deaths;

    dt_targets_hurry(&ua->known, now, g);
    dt_log(ua->env, DT_LOG_INFO, "ua", DT_STR_NONE, "a proxy has died or restarted");
    DT_LIST_EACH(e, &ua->calls)
    {
        struct dt_call *c = DT_OF(e, struct dt_call, link);
        for (struct dt__send *s; (s = unmoved(c, death)) != NULL;) {
            s->death = death;
            move_send(s, now, g);
        }
    }
}
