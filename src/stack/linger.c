/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is left of a transaction that has its final. There are many of them for each that is under
 * way, so they are small, and wait in lanes: who goes to the end of one has waited for the same
 * time as all before it, and no heap is needed. */
#include "stack/private.h"

/* ---- lanes ---- */

enum {
    TIMER_D_MIN_S = 32 /* 17.1.1.2: the client does not know the server's T1 */
};

void dt__linger_init(struct dt_stack *s)
{
    for (unsigned i = 0; i < DT__LANES; i++)
        s->lanes[i] = (struct dt__lane){DT_TIME_NEVER, DT__NO_SLOT, DT__NO_SLOT};
}

dt_time dt__linger_wait(const struct dt_stack *s, enum dt__lane_of which)
{
    dt_time long_wait = 64 * s->cfg.t1, d_min = TIMER_D_MIN_S * DT_SECOND;
    const dt_time waits[DT__LANES] = {
        [DT__LANE_NOW] = 0,
        [DT__LANE_T4] = s->cfg.t4,
        [DT__LANE_64T1] = long_wait,
        [DT__LANE_D] = long_wait > d_min ? long_wait : d_min,
    };
    return waits[which];
}

void dt__linger_for(struct dt_stack *s, dt_time now, struct dt__tx *tx, enum dt__lane_of which)
{
    struct dt__lane *l = &s->lanes[which];
    tx->end_at = now + dt__linger_wait(s, which);
    tx->prev = l->last;
    tx->after = DT__NO_SLOT;
    if (l->last == DT__NO_SLOT) {
        l->first = tx->slot;
        l->due = tx->end_at;
    } else {
        dt__tx_at(s, l->last)->after = tx->slot;
    }
    l->last = tx->slot;
}

static void end_first(struct dt_stack *s, struct dt__lane *l)
{
    const struct dt__tx *first = dt__tx_at(s, l->first);
    l->first = first->after;
    l->due = l->first == DT__NO_SLOT ? DT_TIME_NEVER : dt__tx_at(s, l->first)->end_at;
}

static void leave_lane(struct dt_stack *s, struct dt__tx *tx)
{
    for (unsigned i = 0; i < DT__LANES; i++) {
        if (s->lanes[i].first == tx->slot)
            end_first(s, &s->lanes[i]);
        if (s->lanes[i].last == tx->slot)
            s->lanes[i].last = tx->prev;
    }
    if (tx->prev != DT__NO_SLOT)
        dt__tx_at(s, tx->prev)->after = tx->after;
    if (tx->after != DT__NO_SLOT)
        dt__tx_at(s, tx->after)->prev = tx->prev;
    tx->prev = tx->after = DT__NO_SLOT;
}

dt_time dt__linger_due(const struct dt_stack *s)
{
    dt_time due = DT_TIME_NEVER;
    for (unsigned i = 0; i < DT__LANES; i++)
        due = dt_time_min(due, s->lanes[i].due);
    return due;
}

/* To be woken up for each, where tens of thousands end in a second, costs more than all else that
 * is done for their end. */
dt_time dt__linger_wake(const struct dt_stack *s)
{
    const dt_time step = 10 * DT_MS;
    dt_time due = s->lanes[DT__LANE_NOW].due;
    for (unsigned i = 0; i < DT__LANES; i++)
        if (i != DT__LANE_NOW && s->lanes[i].due < DT_TIME_NEVER)
            due = dt_time_min(due, (s->lanes[i].due + step - 1) / step * step);
    return due;
}

struct dt__tx *dt__linger_first(const struct dt_stack *s, dt_time due)
{
    for (unsigned i = 0; i < DT__LANES; i++)
        if (s->lanes[i].due == due && s->lanes[i].first != DT__NO_SLOT)
            return dt__tx_at(s, s->lanes[i].first);
    return NULL;
}

/* ---- what stays ---- */

/* Of the answer to a BYE, the one that each call leaves behind. It says nothing that who repeats
 * the BYE by another way would miss. */
static struct dt__recipe *recipe_of(const struct dt_stack *s, const struct dt__active *a)
{
    struct dt_str request = dt_bytes_str(a->server.request);
    struct dt_str response = dt_bytes_str(a->way.message);
    if (!dt_str_starts(request, DT_STR("BYE ")) || !dt_str_ends(response, DT_STR("\r\n\r\n")))
        return NULL;
    return dt__recipe_new(s->env->alloc, request, response);
}

static enum dt__form form_of(const struct dt_stack *s, const struct dt__tx *tx)
{
    if (dt__is_client(tx))
        return tx->machine == DT__ICT && tx->state == ST_COMPLETED ? DT__FORM_WAY : DT__FORM_NONE;
    return tx->machine == DT__IST || s->cfg.plain ? DT__FORM_WAY : DT__FORM_MESSAGE;
}

static void leave_stream(struct dt_stack *s, const struct dt__way *way)
{
    struct dt__stream *st = way->hop.stream ? dt__stream_find(s, way->hop.stream) : NULL;
    if (st && st->users)
        st->users--;
}

static void keep_way(struct dt_stack *s, struct dt__tx *tx, struct dt__active *a)
{
    struct dt__way *way = dt_alloc_array(s->env->alloc, a, 1, sizeof *way);
    tx->way = way ? way : &a->way; /* as large as it was, then */
}

static void keep_message(struct dt_stack *s, struct dt__tx *tx, struct dt__active *a)
{
    struct dt_bytes *message = a->way.message;
    leave_stream(s, &a->way);
    dt_alloc_free(s->env->alloc, a);
    tx->message = message;
}

static void keep_recipe(struct dt_stack *s, struct dt__tx *tx, struct dt__active *a,
                        struct dt__recipe *recipe)
{
    dt_bytes_drop(a->way.message);
    leave_stream(s, &a->way);
    dt_alloc_free(s->env->alloc, a);
    tx->recipe = recipe;
}

/* The request of a server may be looked at until the entry call ends. False: there is no memory to
 * put that off. */
static bool drop_request(struct dt_stack *s, struct dt__tx *tx)
{
    struct dt_bytes **request = &tx->active->server.request;
    if (!dt__is_client(tx) && *request)
        dt__drop_late(s, request);
    return dt__is_client(tx) || !*request;
}

/* Nothing points to the active part any more. */
static void detach(struct dt_stack *s, struct dt__tx *tx)
{
    if (dt__is_client(tx))
        dt__peer_detach(s, tx);
    dt_timers_stop(&s->timers, &tx->active->timer);
}

void dt__linger(struct dt_stack *s, struct dt__tx *tx, bool keep)
{
    struct dt__active *a = tx->active;
    struct dt__recipe *recipe = NULL;
    enum dt__form form = form_of(s, tx);
    if (!dt__is_active(tx) || (form == DT__FORM_WAY && dt__is_client(tx) && !tx->acked))
        return;
    a->resend_at = DT_TIME_NEVER; /* should it have to stay */
    if (!keep) {
        dt_bytes_drop(a->way.message);
        a->way.message = NULL;
    }
    if (form == DT__FORM_MESSAGE && !tx->reliable)
        recipe = recipe_of(s, a);
    if (!drop_request(s, tx)) {
        dt_alloc_free(s->env->alloc, recipe);
        return;
    }
    detach(s, tx);
    if (form == DT__FORM_WAY)
        keep_way(s, tx, a);
    else if (recipe)
        keep_recipe(s, tx, a, recipe);
    else
        keep_message(s, tx, a);
    tx->form = (unsigned)(recipe ? DT__FORM_RECIPE : form) & 7;
    s->counts.lingering++;
}

void dt__linger_end(struct dt_stack *s, struct dt__tx *tx)
{
    struct dt__way *way = dt__way(tx);
    if (dt__is_active(tx)) {
        if (!drop_request(s, tx))
            dt_bytes_drop(tx->active->server.request); /* there is no choice */
        detach(s, tx);
    } else {
        s->counts.lingering--;
    }
    leave_lane(s, tx);
    if (way) {
        leave_stream(s, way);
        dt_bytes_drop(way->message);
        dt_alloc_free(s->env->alloc, way);
    } else if (tx->form == DT__FORM_MESSAGE) {
        dt_bytes_drop(tx->message);
    } else if (tx->form == DT__FORM_RECIPE) {
        dt_alloc_free(s->env->alloc, tx->recipe);
    } else if (tx->form == DT__FORM_PARTS) {
        dt_alloc_free(s->env->alloc, tx->parts);
    }
    tx->form = DT__FORM_NONE;
}

/* ---- what it answers ---- */

/* NULL without memory. */
static struct dt__parts *parts_of(const struct dt_stack *s, int status, struct dt_str extra)
{
    struct dt__parts *parts = dt_alloc_array(s->env->alloc, NULL, 1, sizeof *parts + extra.n);
    if (!parts)
        return NULL;
    parts->status = (uint16_t)status;
    parts->n = (uint16_t)extra.n;
    if (extra.n)
        memcpy(parts->extra, extra.p, extra.n);
    return parts;
}

int dt__linger_new(struct dt_stack *s, dt_time now, const struct dt__new *fresh, int status,
                   struct dt_str extra)
{
    struct dt__tx *tx;
    struct dt__parts *parts = parts_of(s, status, extra);
    if (!parts || dt__tx_bare(s, DT__NIST, fresh->key, fresh->from, &tx)) {
        dt_alloc_free(s->env->alloc, parts);
        return DT_E_NOMEM;
    }
    tx->state = ST_COMPLETED;
    tx->parts = parts;
    tx->form = DT__FORM_PARTS;
    s->counts.lingering++;
    dt__linger_for(s, now, tx, DT__LANE_64T1);
    return DT_OK;
}

/* R7: who asks by another way gets an answer that goes back by it. */
struct dt_bytes *dt__linger_answer(const struct dt_stack *s, const struct dt__tx *tx,
                                   const struct dt_sip_msg *m, const struct dt_hop *from)
{
    char tag[16];
    struct dt_bytes *made;
    const struct dt__parts *parts = tx->form == DT__FORM_PARTS ? tx->parts : NULL;
    if (!parts && dt__recipe_is_for(tx->recipe, m->text))
        return dt__recipe_make(tx->recipe, s->env->alloc, m->text);
    struct dt_sip_answer ans = {
        .status = parts ? parts->status : tx->recipe->status,
        .to_tag = dt__answer_tag(s, m, tag),
        .extra = parts ? (struct dt_str){parts->extra, parts->n} : DT_STR_NONE,
        .source = &from->remote,
    };
    return dt_sip_answer(m, &ans, s->env->alloc, &made) ? NULL : made;
}
