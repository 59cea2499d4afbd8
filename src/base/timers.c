/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A heap with four children a node: flatter than a binary one, and children share a cache line.
 *
 * Most timers are put off again and again and never fire. One that is armed for later stays where
 * it is, and only its own `due` changes; when it comes to the top it goes down to where it belongs.
 * So the top, which is all that others see, is always right. */
#include "dualtone/containers.h"

enum { CHILDREN = 4, FIRST_SLOTS = 16 };

void dt_timers_init(struct dt_timers *t, const struct dt_alloc *alloc)
{
    *t = (struct dt_timers){.alloc = alloc};
}

static void disarm(struct dt_timer *e)
{
    e->due = DT_TIME_NEVER;
    e->slot = UINT32_MAX;
}

static bool is_armed(const struct dt_timer *e)
{
    return e->slot != UINT32_MAX;
}

void dt_timers_clear(struct dt_timers *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        disarm(t->heap[i].timer);
    dt_alloc_free(t->alloc, t->heap);
    t->heap = NULL;
    t->n = t->cap = 0;
}

static bool is_put_off(struct dt_timer_slot e)
{
    return e.due != e.timer->due;
}

/* Of equal deadlines first what is put off, in any order: at the top it goes down, before one that
 * fires then. */
static bool is_before(struct dt_timer_slot a, struct dt_timer_slot b)
{
    if (a.due != b.due)
        return a.due < b.due;
    bool off = is_put_off(a), other = is_put_off(b);
    return off || other ? off && !other : a.timer->order < b.timer->order;
}

static void place(struct dt_timers *t, uint32_t slot, struct dt_timer_slot e)
{
    t->heap[slot] = e;
    e.timer->slot = slot;
}

/* Each moves `e`, for which there is a hole at `slot`, to where it belongs in one direction. */
static void sift_up(struct dt_timers *t, uint32_t slot, struct dt_timer_slot e)
{
    while (slot) {
        uint32_t parent = (slot - 1) / CHILDREN;
        if (!is_before(e, t->heap[parent]))
            break;
        place(t, slot, t->heap[parent]);
        slot = parent;
    }
    place(t, slot, e);
}

static uint32_t first_child(const struct dt_timers *t, uint32_t slot)
{
    uint32_t best = slot * CHILDREN + 1;
    for (uint32_t i = best + 1; i < t->n && i <= slot * CHILDREN + CHILDREN; i++)
        if (is_before(t->heap[i], t->heap[best]))
            best = i;
    return best;
}

static void sift_down(struct dt_timers *t, uint32_t slot, struct dt_timer_slot e)
{
    for (;;) {
        uint32_t child = first_child(t, slot);
        if (child >= t->n || !is_before(t->heap[child], e))
            break;
        place(t, slot, t->heap[child]);
        slot = child;
    }
    place(t, slot, e);
}

static void settle(struct dt_timers *t, uint32_t slot, struct dt_timer *timer)
{
    const struct dt_timer_slot e = {timer->due, timer};
    sift_up(t, slot, e);
    if (timer->slot == slot)
        sift_down(t, slot, e);
}

static void right_the_top(struct dt_timers *t)
{
    while (t->n && is_put_off(t->heap[0]))
        sift_down(t, 0, (struct dt_timer_slot){t->heap[0].timer->due, t->heap[0].timer});
}

static int make_room(struct dt_timers *t)
{
    if (t->n < t->cap)
        return DT_OK;
    /* Slots are 32 bits, and a child's number must not wrap. */
    if (t->cap > UINT32_MAX / CHILDREN / 2)
        return DT_E_NOMEM;
    uint32_t cap = t->cap ? t->cap * 2 : FIRST_SLOTS;
    struct dt_timer_slot *heap = dt_alloc_array(t->alloc, t->heap, cap, sizeof *heap);
    if (!heap)
        return DT_E_NOMEM;
    t->heap = heap;
    t->cap = cap;
    return DT_OK;
}

int dt_timers_arm(struct dt_timers *t, struct dt_timer *e, dt_time due)
{
    if (due == DT_TIME_NEVER) {
        dt_timers_stop(t, e);
        return DT_OK;
    }
    uint32_t slot = e->slot;
    if (is_armed(e) && due > t->heap[slot].due) {
        e->due = due;
        e->order = t->order++;
        sift_up(t, slot, t->heap[slot]);
        right_the_top(t);
        return DT_OK;
    }
    if (!is_armed(e)) {
        int err = make_room(t);
        if (err)
            return err;
        slot = t->n++;
    }
    e->due = due;
    e->order = t->order++;
    settle(t, slot, e);
    return DT_OK;
}

void dt_timers_stop(struct dt_timers *t, struct dt_timer *e)
{
    if (!is_armed(e))
        return;
    struct dt_timer *last = t->heap[--t->n].timer;
    if (last != e)
        settle(t, e->slot, last);
    disarm(e);
    right_the_top(t);
}

dt_time dt_timers_next(const struct dt_timers *t)
{
    return t->n ? t->heap[0].due : DT_TIME_NEVER;
}

struct dt_timer *dt_timers_due(struct dt_timers *t, dt_time now)
{
    if (!t->n || t->heap[0].due > now)
        return NULL;
    struct dt_timer *e = t->heap[0].timer;
    dt_timers_stop(t, e);
    return e;
}
