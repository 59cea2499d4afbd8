/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The calls: what people do in each, what comes of it, and what is wrong with it. */
#include "chaos.h"

#include <stdio.h>
#include <string.h>

enum {
    RING_MS = 1500, /* at most, before somebody answers or gives up */
    TALK_MS = 2000,
    GIVE_UP_PERCENT = 10,
    STUCK_S = 40 /* longer than 64 T1 */
};

static const char *const phase_names[] = {
#define X(name, text) text,
    CHAOS_PHASES(X)
#undef X
};

const char *chaos_phase_name(enum chaos_phase p)
{
    return phase_names[p];
}

enum chaos_phase chaos_call_phase(const struct chaos_call *c)
{
    if (c->hung)
        return CHAOS_ENDING;
    if (c->answered)
        return c->acked && c->talked_a ? CHAOS_TALKING : CHAOS_ANSWER;
    return c->rang_a ? CHAOS_RINGING : c->tried ? CHAOS_TRYING : CHAOS_DIALLING;
}

static void blame(struct chaos *x, struct chaos_call *c, const char *why)
{
    if (c->wrong[0])
        return;
    snprintf(c->wrong, sizeof c->wrong, "%s (%s)", why, chaos_phase_name(chaos_call_phase(c)));
    x->wrong++;
}

/* The first time counts. */
static void reach(struct chaos_call *c, dt_time *when, dt_time now)
{
    if (*when)
        return;
    *when = c->moved = now;
}

/* ---- what the phones say ---- */

static void caller_says(struct chaos *x, struct chaos_call *c, dt_time now, struct dt_str state)
{
    if (dt_str_eq(state, DT_STR("ringing")))
        reach(c, &c->rang_a, now);
    else if (dt_str_eq(state, DT_STR("talking")))
        reach(c, &c->talked_a, now);
    else if (dt_str_eq(state, DT_STR("ended"))) {
        if (!c->hung)
            blame(x, c, "lost: ended at the caller before anybody hung up");
        reach(c, &c->ended_a, now);
    }
}

static void callee_says(struct chaos *x, struct chaos_call *c, dt_time now, struct dt_str state)
{
    if (dt_str_eq(state, DT_STR("ringing"))) {
        if (c->rings++) {
            x->double_rings++;
            blame(x, c, "rang twice");
        }
        reach(c, &c->rang_b, now);
    } else if (dt_str_eq(state, DT_STR("talking")))
        reach(c, &c->talked_b, now);
    else if (dt_str_eq(state, DT_STR("ended"))) {
        if (!c->hung)
            blame(x, c, "lost: ended at the callee before anybody hung up");
        reach(c, &c->ended_b, now);
    }
}

unsigned chaos_phone_calls(const struct chaos_phone *ph)
{
    unsigned n = 0;
    for (size_t i = 0; i < CHAOS_LIVE; i++)
        n += ph->live[i] != 0;
    return n;
}

static void count(struct chaos_phone *ph, uint32_t call, bool ended)
{
    uint32_t *place = NULL;
    for (size_t i = 0; i < CHAOS_LIVE; i++)
        if (ph->live[i] == call || (!place && ph->live[i] == 0))
            place = &ph->live[i];
    if (place)
        *place = ended ? 0 : call;
}

void chaos_calls_event(struct chaos *x, dt_time now, struct chaos_phone *ph,
                       const struct dt_output *ev)
{
    struct chaos_call *c = ph->call;
    struct dt_str state = dt_str_sub(ev->text, 0, dt_str_find(ev->text, ' '));
    struct dt_str peer = dt_str_sub(ev->text, state.n + 1, ev->text.n);
    bool ringing = dt_str_eq(state, DT_STR("ringing")), caller = c && c->a == ph;
    bool known = c && dt_str_eq(peer, dt_str_z(caller ? c->b->number : c->a->number));
    count(ph, ev->call, dt_str_eq(state, DT_STR("ended")));
    if (known && caller)
        caller_says(x, c, now, state);
    else if (known)
        callee_says(x, c, now, state);
    else if (ringing) {
        x->stray_rings++;
        printf("%s rings, and nobody calls it: %.*s\n", ph->number, DT_FMT(ev->text));
    }
}

/* ---- what they send and get ---- */

static struct dt_str call_id_of(struct dt_str message)
{
    struct dt_str name = DT_STR("\r\nCall-ID: ");
    size_t at = dt_str_search(message, name);
    struct dt_str rest = dt_str_sub(message, at < message.n ? at + name.n : message.n, message.n);
    return dt_str_sub(rest, 0, dt_str_find(rest, '\r'));
}

static bool has_id(const struct chaos_call *c, struct dt_str id)
{
    for (size_t i = 0; i < c->n_ids; i++)
        if (dt_str_eq(dt_str_z(c->ids[i]), id))
            return true;
    return false;
}

static void add_id(struct chaos_call *c, struct dt_str id)
{
    if (has_id(c, id) || c->n_ids == CHAOS_IDS || id.n >= CHAOS_TEXT)
        return;
    memcpy(c->ids[c->n_ids++], id.p, id.n);
}

static void caller_message(struct chaos_call *c, dt_time now, bool sent,
                           const struct dt_label *label, int node)
{
    bool provisional = !sent && !label->request && label->status < 200;
    bool first = sent && label->request && c->via < 0;
    if (node >= 0 && (first || (!sent && !label->request)))
        c->via = node;
    if (provisional)
        reach(c, &c->tried, now);
}

void chaos_calls_message(struct chaos *x, dt_time now, struct chaos_phone *ph, bool sent,
                         const struct dt_addr *remote, struct dt_str bytes)
{
    struct chaos_call *c = ph->call;
    struct dt_label label;
    dt_label_of(&label, bytes);
    if (!c || !label.sip)
        return;
    bool invite = strcmp(label.method, "INVITE") == 0, caller = c->a == ph;
    struct dt_str id = call_id_of(bytes);
    if (caller && sent && label.request && invite)
        add_id(c, id);
    if (!has_id(c, id))
        return;
    if (caller && invite)
        caller_message(c, now, sent, &label, chaos_pair_which(x, remote));
    if (!caller && !sent && label.request && strcmp(label.method, "ACK") == 0)
        reach(c, &c->acked, now);
    chaos_pair_moment(x, c, chaos_call_phase(c));
}

/* ---- what people do ---- */

static void finish(struct chaos *x, struct chaos_call *c, dt_time now)
{
    c->over = true;
    x->over++;
    c->a->call = c->b->call = NULL;
    c->a->freed = c->b->freed = now;
    if (c->wrong[0])
        chaos_report_wrong(x, c);
}

static void hang_up(struct chaos *x, struct chaos_call *c, dt_time now, bool at_b)
{
    reach(c, &c->hung, now);
    chaos_phone_tell(x, at_b ? c->b : c->a, "hangup");
}

/* What the plan has next, and when; DT_TIME_NEVER: it waits for the phones. */
static dt_time due(const struct chaos_call *c)
{
    if (c->hung)
        return DT_TIME_NEVER;
    if (c->gives_up)
        return c->rang_a ? c->rang_a + c->ring_for : DT_TIME_NEVER;
    if (!c->answered)
        return c->rang_b ? c->rang_b + c->ring_for : DT_TIME_NEVER;
    dt_time both = c->talked_a > c->talked_b ? c->talked_a : c->talked_b;
    return c->talked_a && c->talked_b ? both + c->talk_for : DT_TIME_NEVER;
}

static void act(struct chaos *x, struct chaos_call *c, dt_time now)
{
    if (c->gives_up || c->answered) {
        hang_up(x, c, now, !c->gives_up && c->b_hangs);
        return;
    }
    reach(c, &c->answered, now);
    chaos_phone_tell(x, c->b, "answer");
}

/* Nothing moves: the phones are hung up, so that they can be told apart from ghosts. */
static void give_up_on(struct chaos *x, struct chaos_call *c, dt_time now)
{
    blame(x, c, c->hung ? "ghost: hung up, and not ended" : "lost: nothing moves");
    chaos_phone_tell(x, c->a, "hangup");
    chaos_phone_tell(x, c->b, c->answered ? "hangup" : "reject");
    finish(x, c, now);
}

static dt_time step(struct chaos *x, struct chaos_call *c, dt_time now)
{
    dt_time stuck = c->moved + STUCK_S * DT_SECOND;
    bool gone = c->ended_a && (c->ended_b || !c->rings);
    if (gone || (c->ended_a && c->ended_b)) {
        finish(x, c, now);
        return DT_TIME_NEVER;
    }
    if (now >= due(c))
        act(x, c, now);
    if (now >= stuck) {
        give_up_on(x, c, now);
        return DT_TIME_NEVER;
    }
    return dt_time_min(due(c), stuck);
}

/* The free phone that has been so for longest, but for `not_this`. */
static struct chaos_phone *free_phone(struct chaos *x, const struct chaos_phone *not_this)
{
    struct chaos_phone *best = NULL;
    for (unsigned i = 0; i < x->n_phones; i++) {
        struct chaos_phone *ph = &x->phones[i];
        if (!ph->call && chaos_phone_calls(ph) == 0 && ph != not_this &&
            (!best || ph->freed < best->freed))
            best = ph;
    }
    return best;
}

static bool begin(struct chaos *x, dt_time now)
{
    char command[32];
    struct chaos_call *c = &x->calls[x->begun];
    struct chaos_phone *a = free_phone(x, NULL), *b = a ? free_phone(x, a) : NULL;
    if (!b)
        return false;
    *c = (struct chaos_call){.number = ++x->begun, .a = a, .b = b, .via = -1};
    c->gives_up = dt_rng_below(&x->rng, 100) < GIVE_UP_PERCENT;
    c->b_hangs = dt_rng_below(&x->rng, 2);
    c->ring_for = chaos_between(x, 0, RING_MS * DT_MS);
    c->talk_for = chaos_between(x, 0, TALK_MS * DT_MS);
    c->dialled = c->moved = now;
    a->call = b->call = c;
    snprintf(command, sizeof command, "dial %s", b->number);
    chaos_phone_tell(x, a, command);
    return true;
}

dt_time chaos_calls_step(struct chaos *x, dt_time now)
{
    dt_time next = DT_TIME_NEVER;
    dt_time start = x->zero + (dt_time)x->begun * DT_SECOND / x->rate;
    if (x->begun < x->n_calls && now >= start) {
        x->late_starts += !begin(x, now);
        start = now + DT_MS;
    }
    if (x->begun < x->n_calls)
        next = start;
    for (unsigned i = 0; i < x->begun; i++)
        if (!x->calls[i].over)
            next = dt_time_min(next, step(x, &x->calls[i], now));
    return next;
}
