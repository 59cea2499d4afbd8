/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hold goes first: who dials, answers or resumes while he talks puts the present call on hold, and
 * only when the other side has agreed does the rest follow (guide v4.0 B-13: steps 7 to 9 before
 * 10). */
#include "phone/internal.h"

enum { PATIENCE = 5 }; /* seconds that a hold may take; then the rest is done all the same */

static int perform(struct dt_phone *p, dt_time now, enum phone_todo todo, uint32_t number,
                   unsigned line, struct dt_str target)
{
    struct phone_call *c = dt__phone_call_find(p, number);
    switch (todo) {
    case DT__PHONE_DIAL:
        return dt__phone_call_dial(p, now, line, target, &c);
    case DT__PHONE_ANSWER:
        return c && c->phase == DT__PHONE_ALERTING ? dt__phone_call_answer(p, now, c) : DT_E_STALE;
    case DT__PHONE_RESUME:
        return c && c->phase == DT__PHONE_HOLDING ? dt_ua_hold(p->ua, now, c->id, false)
                                                  : DT_E_STALE;
    default:
        return DT_OK;
    }
}

void dt__phone_todo_clear(struct dt_phone *p)
{
    dt_alloc_free(p->env->alloc, p->todo_target);
    p->todo_target = NULL;
    p->todo = DT__PHONE_NOTHING;
    p->todo_until = DT_TIME_NEVER;
}

int dt__phone_after_hold(struct dt_phone *p, dt_time now, enum phone_todo todo, uint32_t call,
                         unsigned line, struct dt_str target, uint32_t *held)
{
    struct phone_call *active = dt__phone_call_active(p);
    *held = 0;
    if (!active)
        return perform(p, now, todo, call, line, target);
    char *copy = target.n ? dt_alloc_text(p->env->alloc, target) : NULL;
    if (target.n && !copy)
        return DT_E_NOMEM;
    dt__phone_todo_clear(p);
    p->todo_target = copy;
    int err = dt_ua_hold(p->ua, now, active->id, true);
    if (err) {
        dt__phone_todo_clear(p);
        return err;
    }
    p->todo = todo;
    p->todo_call = call;
    p->todo_line = line;
    p->todo_until = now + PATIENCE * DT_SECOND;
    p->todo_holds = *held = active->number;
    return DT_OK;
}

void dt__phone_todo_run(struct dt_phone *p, dt_time now)
{
    if (p->todo == DT__PHONE_NOTHING)
        return;
    const struct phone_call *active = dt__phone_call_find(p, p->todo_holds);
    bool heard = active && (active->phase == DT__PHONE_TALKING || active->phase == DT__PHONE_HELD);
    if (heard && now < p->todo_until)
        return;
    enum phone_todo todo = p->todo;
    char *target = p->todo_target;
    p->todo_target = NULL;
    dt__phone_todo_clear(p);
    int err = perform(p, now, todo, p->todo_call, p->todo_line, dt_str_z(target));
    if (err)
        dt_outbox_event(&p->out, DT_EV_PROBLEM, p->todo_call,
                        "Call %lu is on hold, but what was to follow is not possible: %s.",
                        (unsigned long)p->todo_holds, dt_err_text(err));
    dt_alloc_free(p->env->alloc, target);
}
