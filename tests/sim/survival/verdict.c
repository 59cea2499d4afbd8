/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What must hold for a run as a whole: one ring, one call, no ghost, the invariants that a record
 * shows, and nothing left over. */
#include "stage.h"

enum {
    GHOST_S = 40,
    QUIET_S = 300, /* after the last: 74 s of reliability.md 3 and the memory of R11 */
    LATER_S = 5
};

/* By TCP a foreign phone forgets a branch with its ACK (17.2.1: timer I is zero), so the late
 * INVITE of a proxy that wakes up is new to it, until the CANCEL that follows. */
static bool may_blink(const struct cell *c)
{
    return c->kind == KIND_CALLEE_FOREIGN && c->tcp && fault_hangs(c->fault);
}

/* One ring for each user agent, one call; with strangers at least the latter. */
static void count(struct stage *s)
{
    unsigned talks = 0;
    enum promise promise = cell_promise(s->cell);
    unsigned rings_max = promise == PROMISE_RERING ? 2 : 1;
    for (int i = B; i <= last_callee(s); i++) {
        unsigned blinks = may_blink(s->cell) ? s->phones[i].blinks : 0;
        talks += s->phones[i].talks;
        if (promise != PROMISE_NO_GHOST && s->cell->kind != KIND_STRANGERS &&
            s->phones[i].rings - blinks > rings_max)
            stage_fail(s, "B%s rang %u times",
                       i == B    ? ""
                       : i == B2 ? "2"
                                 : "3",
                       s->phones[i].rings);
    }
    if (s->phones[A].talks > 1 || talks > 1)
        stage_fail(s, "more than one call: A talked %u times, the callees %u", s->phones[A].talks,
                   talks);
}

static void judge_sound(struct stage *s)
{
    if (stage_is_promised(s) && cell_promise(s->cell) == PROMISE_YES &&
        s->phones[A].gaps + s->phones[B].gaps > 0)
        stage_fail(s, "the sound stopped before anybody hung up");
}

static bool anybody(const struct stage *s)
{
    for (int i = A; i <= last_callee(s); i++)
        if (phone_busy(s, i))
            return true;
    return false;
}

/* What P does when it is there again changes nothing. */
static void wait_for_return(struct stage *s)
{
    if (s->return_at != DT_TIME_NEVER)
        stage_pass(s, s->return_at - stage_now(s) + LATER_S * DT_SECOND);
    stage_pass(s, GHOST_S * DT_SECOND);
    if (anybody(s))
        stage_fail(s, "a ghost call, %d s after all was over", GHOST_S);
}

static void judge_record(struct stage *s)
{
    char reason[256];
    if (dt__flow_invariants(s->flow, &s->result.record, s->result.from, reason, sizeof reason))
        stage_fail(s, "%s", reason);
}

/* A node that has lost its address for good asks for its peer for ever: it is left out. */
static void judge_objects(struct stage *s)
{
    if (s->moved && !fault_kills(s->cell->fault))
        (void)s->run.w->ops->fault(s->run.w, P, DT_STR("silence"));
    unsigned left = dt__flow_fewest_objects(&s->run, stage_now(s) + QUIET_S * DT_SECOND);
    if (left > s->run.baseline)
        stage_fail(s, "I36: %u objects after setting up, %u now", s->run.baseline, left);
}

void verdict(struct stage *s)
{
    if (!s->failed)
        wait_for_return(s);
    if (!s->failed)
        count(s);
    if (!s->failed)
        judge_sound(s);
    if (!s->failed)
        judge_record(s);
    if (!s->failed)
        judge_objects(s);
}
