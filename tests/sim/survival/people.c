/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What people do in a cell, and what they must see within which time. Who is promised nothing puts
 * the receiver down after a while. */
#include "stage.h"

enum {
    PATIENCE_S = 70, /* over 64 T1 and an answer behind it: where no bound is given */
    GHOST_S = 40,
    EXPIRES_S = 185 /* of a phone's INVITE, and the answer behind it */
};

/* ---- expectations ---- */

/* With losses a foreign caller that has got no 100 yet repeats into the closed port, too (RFC 3261
 * 18.4): its phone said so. */
bool stage_is_promised(const struct stage *s)
{
    bool closed = s->cell->fault == FAULT_REFUSE || s->cell->fault == FAULT_RESTART2;
    return cell_promise(s->cell) != PROMISE_NO_GHOST &&
           !(s->loss > 0 && closed && s->cell->kind == KIND_CALLER_FOREIGN && s->phones[A].refused);
}

/* `test` must hold within `bound` of `since` (0: of now; bound 0: PATIENCE_S). False: it does not,
 * and the call is given up. */
static bool expect(struct stage *s, const char *what, stage_test test, dt_time since, dt_time bound)
{
    dt_time from = since ? since : stage_now(s);
    dt_time patience = PATIENCE_S * DT_SECOND;
    if (s->lost || s->failed)
        return false;
    bool good = stage_until(s, test, (from > stage_now(s) ? from : stage_now(s)) + patience);
    dt_time took = stage_now(s) - from;
    if (!good && !stage_is_promised(s)) {
        s->lost = true;
        return false;
    }
    if (!good) {
        stage_fail(s, "%s: it never came", what);
        return false;
    }
    if (bound == 0 || s->loss > 0)
        return true;
    if (s->worst_bound == 0 || took * s->worst_bound > s->worst * bound) {
        s->worst = took;
        s->worst_bound = bound;
    }
    if (took > bound)
        stage_fail(s, "%s: after %lld ms, not %lld ms", what, (long long)(took / DT_MS),
                   (long long)(bound / DT_MS));
    return true; /* the rest is told by the first reason only, but shows in the ladder */
}

static bool is_struck(const struct stage *s)
{
    return s->struck;
}

static bool b_rings(const struct stage *s)
{
    return phone_has(s, B, RINGS);
}

/* A 180 is sent once: it may be lost by the way, and the dead address swallows it. */
static bool ringing(const struct stage *s)
{
    bool lost = s->loss > 0 || s->cell->kind == KIND_CALLER_FOREIGN ||
                cell_promise(s->cell) == PROMISE_RERING;
    return b_rings(s) && (lost || phone_has(s, A, RINGS));
}

/* The callee is confirmed when it has the ACK. */
static bool b_has_ack(const struct stage *s)
{
    const struct dt_record *r = &s->result.record;
    for (size_t i = r->n; i-- > s->result.from;) {
        struct dt_label label;
        const struct dt_record_item *it = &r->items[i];
        if (it->at < s->phones[B].since[ANSWERING] && it->at < s->phones[B].since[TALKING])
            return false;
        if (it->kind != DT_REC_ARRIVED || dt_record_whose(r, &it->to) != B)
            continue;
        dt_label_of(&label, dt_bytes_str(it->bytes));
        if (label.request && dt_str_eq(dt_str_z(label.method), DT_STR("ACK")))
            return true;
    }
    return false;
}

static bool talking(const struct stage *s)
{
    return phone_has(s, A, TALKING) && phone_has(s, B, TALKING) && s->phones[A].sound &&
           s->phones[B].sound;
}

static bool confirmed(const struct stage *s)
{
    return talking(s) && b_has_ack(s);
}

static bool a_holds(const struct stage *s)
{
    return phone_has(s, A, HOLDING) && phone_has(s, B, HELD);
}

static bool b_holds(const struct stage *s)
{
    return phone_has(s, B, HOLDING) && phone_has(s, A, HELD);
}

static bool callees_quiet(const struct stage *s)
{
    for (int i = B; i <= last_callee(s); i++)
        if (phone_has(s, i, RINGS))
            return false;
    return true;
}

static bool a_done(const struct stage *s)
{
    return !phone_busy(s, A);
}

static bool b_done(const struct stage *s)
{
    return !phone_busy(s, B);
}

static bool all_done(const struct stage *s)
{
    for (int i = A; i <= last_callee(s); i++)
        if (phone_busy(s, i))
            return false;
    return true;
}

/* ---- acts ---- */

static dt_time since_dialling(struct stage *s, dt_time dialled)
{
    return s->struck && s->struck_at > dialled ? s->struck_at : dialled;
}

/* Dials; the phases up to "reached" strike on the way. */
static bool dial(struct stage *s)
{
    enum { NOTICED_S = 75 }; /* idle probes every 20 to 30 s, then three */
    const struct cell *c = s->cell;
    int returns = fault_returns(c->fault);
    if (c->phase <= PHASE_SILENT)
        blow_strike(s);
    if (c->phase == PHASE_KNOWN) {
        stage_pass(s, NOTICED_S * DT_SECOND);
        s->return_at = returns < 0 ? DT_TIME_NEVER : stage_now(s) + returns * DT_SECOND;
    }
    dt_time dialled = stage_now(s);
    if (c->phase <= PHASE_REACHED)
        blow_arm(s);
    stage_type(s, A, "dial 1002");
    bool awaited = c->phase >= PHASE_INVITED && c->phase <= PHASE_REACHED;
    if (awaited && s->loss > 0 && !stage_until(s, is_struck, stage_now(s) + 10 * DT_SECOND))
        s->lost = true; /* what it waits for was lost: this run says nothing */
    else if (awaited && !expect(s, "the blow", is_struck, 0, 0))
        return false;
    return expect(s, "ringing", ringing, since_dialling(s, dialled), cell_ringing_bound(c));
}

/* The person at B lifts the receiver when it rings. */
static bool answer(struct stage *s)
{
    if (!b_rings(s) && !expect(s, "ringing again", b_rings, 0, 0))
        return false;
    stage_type(s, B, "answer");
    return true;
}

/* Was the ring answered between the blow and its new start? Then the table allows a loss. The new
 * start must not take longer than the design says: probes find the death (R18: 1 s and three times
 * 250 ms, after one that is under way), the callee is mute for 2 s (R24), its CANCEL is waited for
 * 2 s (R26). */
static bool answered_between(const struct stage *s)
{
    dt_time since = stage_now(s) - s->struck_at;
    dt_time bound = (s->loss > 0 ? 20 : 7) * DT_SECOND;
    return cell_promise(s->cell) == PROMISE_RERING && s->struck && s->phones[B].rings < 2 &&
           since <= bound;
}

static bool talk(struct stage *s)
{
    if (answered_between(s) && !stage_until(s, confirmed, stage_now(s) + PATIENCE_S * DT_SECOND))
        s->lost = true;
    return expect(s, "confirmed at both", confirmed, s->lost ? 0 : stage_now(s),
                  cell_bound(s->cell));
}

static void hang_up(struct stage *s, int who)
{
    stage_type(s, who, "hangup");
    (void)expect(s, "the other side hears the hang-up", who == A ? b_done : a_done, stage_now(s),
                 cell_bound(s->cell));
}

/* Some calls last beyond the moment at which a stopped node wakes up. */
static void talk_on(struct stage *s)
{
    dt_time t = stage_between(s, 500, 2000);
    if (s->return_at != DT_TIME_NEVER && s->seed % 2 == 0)
        t += s->return_at - stage_now(s);
    stage_pass(s, t);
}

static void hold_and_resume(struct stage *s, int who)
{
    dt_time bound = cell_bound(s->cell);
    stage_type(s, who, "hold");
    if (!expect(s, "hold", who == A ? a_holds : b_holds, stage_now(s), bound))
        return;
    stage_pass(s, stage_between(s, 100, 1500));
    stage_type(s, who, "resume");
    (void)expect(s, "resume", talking, stage_now(s), bound);
}

/* ---- a call in each phase ---- */

static void call_off(struct stage *s)
{
    dt_time bound = cell_bound(s->cell);
    stage_pass(s, stage_between(s, 100, 3000));
    if (s->cell->phase == PHASE_CANCELS)
        blow_strike(s);
    else
        blow_arm(s);
    stage_pass(s, stage_between(s, 1, 30));
    dt_time pressed = stage_now(s);
    stage_type(s, A, "hangup");
    (void)expect(s, "the ringing stops", callees_quiet, pressed, bound);
    (void)expect(s, "the call is over everywhere", all_done, 0, 0);
}

static void set_up_call(struct stage *s)
{
    const struct cell *c = s->cell;
    bool long_wait = c->kind == KIND_CALLEE_FOREIGN && s->seed % 2 == 0;
    if (c->phase == PHASE_RINGING) {
        stage_pass(s, stage_between(s, 100, 3000));
        blow_strike(s);
    }
    stage_pass(s, long_wait ? stage_between(s, 8000, 12000) : stage_between(s, 10, 4000));
    if (c->phase == PHASE_OK_WAY || c->phase == PHASE_ACK_WAY)
        blow_arm(s);
    if (answer(s))
        (void)talk(s);
}

static void end_call(struct stage *s)
{
    const struct cell *c = s->cell;
    bool callee = c->phase == PHASE_TALK_CALLEE || c->phase == PHASE_BYE_CALLEE;
    stage_pass(s, stage_between(s, 100, 3000));
    if (c->phase == PHASE_TALK_CALLER || c->phase == PHASE_TALK_CALLEE) {
        blow_strike(s);
        stage_pass(s, stage_between(s, 1, 3000));
        hold_and_resume(s, callee ? B : A);
    } else if (c->phase == PHASE_REINVITE_WAY) {
        blow_arm(s);
        hold_and_resume(s, A);
    }
    if (c->phase == PHASE_BYE_CALLER || c->phase == PHASE_BYE_CALLEE)
        blow_arm(s);
    else
        talk_on(s);
    if (!s->lost && !s->failed)
        hang_up(s, callee ? B : A);
}

/* Nobody is connected: people put the receiver down, first the caller, then who still hears
 * something. */
static void give_up(struct stage *s)
{
    static const stage_test done[] = {[A] = a_done, [B] = b_done};
    for (int i = A; i <= last_callee(s); i++) {
        if (i != A)
            (void)stage_until(s, all_done, stage_now(s) + GHOST_S * DT_SECOND);
        for (int k = 0; k < 3 && phone_busy(s, i) && !phone_has(s, i, ENDING); k++) {
            stage_type(s, i, "hangup");
            (void)stage_until(s, done[i == A ? A : B], stage_now(s) + 100 * DT_MS);
        }
    }
}

/* The others of a fork whose CANCEL was lost just before P died: a caller that is not ours, or has
 * no twin to ask, does not have them cancelled, and they ring until the Expires of their INVITE. */
static dt_time longest_ghost(const struct stage *s)
{
    bool no_twin = s->cell->kind == KIND_CALLER_FOREIGN || s->cell->kind == KIND_STRANGERS;
    bool until_expires =
        no_twin && s->cell->contacts && s->loss > 0 && !phone_busy(s, A) && !phone_busy(s, B);
    return (until_expires ? EXPIRES_S : GHOST_S) * DT_SECOND;
}

void people_play(struct stage *s)
{
    stage_pass(s, stage_between(s, 10, 25000)); /* somewhere between two idle probes */
    if (dial(s)) {
        if (s->cell->phase == PHASE_CANCELS || s->cell->phase == PHASE_CANCEL_WAY) {
            call_off(s);
        } else {
            set_up_call(s);
            if (!s->lost && !s->failed)
                end_call(s);
        }
    }
    if (s->lost && !s->failed)
        give_up(s);
    if (!s->failed)
        (void)stage_until(s, all_done, stage_now(s) + GHOST_S * DT_SECOND);
    if (!s->failed && !stage_until(s, all_done, stage_now(s) + longest_ghost(s)))
        stage_fail(s, "a ghost call %d s after the end at %s", GHOST_S,
                   phone_busy(s, A)   ? "A"
                   : phone_busy(s, B) ? "B"
                                      : "B2 or B3");
    if (!s->failed && !s->struck && s->loss == 0) /* with losses the call may not be at P */
        stage_fail(s, "P was never struck");
}
