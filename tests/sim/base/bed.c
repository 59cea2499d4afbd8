/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The network of a base flow, the losses, and what its phones say. */
#include "bed.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LADDER_MAX = 1 << 20,
    TRIES = 20,
    LATE_S = 70,     /* over 2 x 64 T1 */
    GIVE_UP_S = 200, /* over the Expires of an INVITE, which ends what rings */
    QUIET_S = 300    /* 74 s of reliability.md 3 and the memory of R11 */
};

void bed_fail(struct bed *b, const char *fmt, ...)
{
    if (b->failed) /* the first reason counts */
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(b->reason, sizeof b->reason, fmt, args);
    va_end(args);
    b->failed = true;
}

/* ---- losses ---- */

void bed_count(struct bed *b)
{
    b->counting = true;
}

static enum dt_method method_of(const struct dt_label *label)
{
    return dt_method_find(dt_str_z(label->method));
}

/* Each packet is told just before the network looks whether it is lost: its way is cut, or not,
 * for it alone. Idle probes (R18) belong to no flow. */
static void see_sent(struct bed *b, const struct dt_record *r, const struct dt_record_item *it)
{
    struct dt_label label;
    uint16_t from = dt_record_whose(r, &it->from), to = dt_record_whose(r, &it->to);
    dt_label_of(&label, dt_bytes_str(it->bytes));
    if (!b->counting || !label.sip || from >= PARTIES || to >= PARTIES)
        return;
    enum dt_method method = method_of(&label);
    bool counts = method != DT_OPTIONS && b->sent < MASK_BITS;
    bool lost = counts && b->mask >> b->sent & 1;
    b->sent += counts;
    dt__flow_sim_cut(b->run.w, from, to, lost);
    if (!lost)
        return;
    unsigned *at = &b->hops[from < to ? from : to][from < to ? to : from][method];
    b->lost++;
    if (++*at > b->lost_at_a_hop)
        b->lost_at_a_hop = *at;
}

static void watch(void *ctx, const struct dt_record *r, const struct dt_record_item *item)
{
    if (item->kind == DT_REC_SENT)
        see_sent(ctx, r, item);
}

/* A way of its own for each pair: one made later would not hold for the packet it is made for. */
static void make_ways(struct bed *b)
{
    for (int from = P; from < (int)b->flow->n_parties; from++)
        for (int to = P; to < (int)b->flow->n_parties; to++)
            if (from != to && !b->flow->parties[from].off && !b->flow->parties[to].off)
                dt__flow_sim_cut(b->run.w, from, to, false);
}

/* ---- life ---- */

static bool parse(struct bed *b)
{
    struct dt_problem problem;
    struct dt_problems problems = {.list = &problem, .cap = 1};
    if (dt_flow_parse(&b->memory.alloc, dt_str_z(b->base->name), dt_str_z(b->base->text), &problems,
                      &b->flow))
        bed_fail(b, "the flow is wrong: %s", problems.n ? problem.text : "no memory");
    return !b->failed;
}

bool bed_open(struct bed *b, const struct base_flow *base, uint64_t seed)
{
    memset(b, 0, sizeof *b);
    b->base = base;
    kit_alloc_init(&b->memory);
    if (!parse(b))
        return false;
    b->options = (struct dt_flow_options){.seed = seed, .watch = watch, .watch_ctx = b};
    for (int i = P; i < PARTIES; i++) {
        kit_alloc_init(&b->nodes[i]);
        b->options.alloc[i] = &b->nodes[i].alloc;
    }
    b->result.mark = SIZE_MAX;
    dt_record_init(&b->result.record, b->flow->alloc);
    for (size_t i = 0; i < b->flow->n_parties; i++)
        (void)dt_record_party(&b->result.record, b->flow->parties[i].name);
    b->run = (struct flow_run){.f = b->flow, .o = &b->options, .r = &b->result};
    b->run.w = dt__flow_sim_open(b->flow, &b->options, &b->result.record);
    if (!b->run.w || dt__flow_set_up(&b->run))
        bed_fail(b, "%s", b->run.w ? b->result.reason : "no memory");
    else
        make_ways(b);
    return !b->failed;
}

void bed_close(struct bed *b)
{
    size_t live = 0;
    if (b->run.w)
        b->run.w->ops->close(b->run.w);
    if (b->flow) {
        dt_flow_result_clear(&b->result);
        dt_flow_free(b->flow);
    }
    for (int i = P; i < PARTIES; i++)
        live += b->nodes[i].live;
    if (live + b->memory.live > 0)
        bed_fail(b, "%zu pieces of memory were not freed", live + b->memory.live);
}

void bed_draw(struct bed *b)
{
    static char text[LADDER_MAX];
    struct dt_writer w = dt_writer(text, sizeof text);
    b->result.to = b->result.record.n;
    b->result.held = true;
    dt_flow_draw(b->flow, &b->options, &b->result, &w);
    printf("%.*s\n", DT_FMT(dt_writer_str(&w)));
}

void bed_start(struct bed *b, int party)
{
    b->run.acted = true;
    b->result.zero = bed_now(b);
    int err = b->run.w->ops->start(b->run.w, party);
    for (int i = 0; i < TRIES && err == DT_E_NOMEM && b->lenient; i++) /* somebody starts it anew */
        err = b->run.w->ops->start(b->run.w, party);
    if (err)
        bed_fail(b, "%s does not start: %s", b->flow->parties[party].name, b->run.w->error);
    else
        b->run.baseline++; /* its binding stays */
    b->flow->parties[party].off = false;
    make_ways(b);
}

/* ---- what phones say ---- */

static enum call_state state_of(struct dt_str text)
{
    static const char *const names[ENDED + 1] = {
        [CALLING] = "calling", [RINGS] = "ringing",   [ANSWERING] = "answering",
        [TALKING] = "talking", [HOLDING] = "holding", [HELD] = "held",
        [ENDING] = "ending",   [ENDED] = "ended",
    };
    struct dt_str word = dt_str_sub(text, 0, dt_str_find(text, ' '));
    for (int i = CALLING; i <= ENDED; i++)
        if (dt_str_eq(word, dt_str_z(names[i])))
            return (enum call_state)i;
    return NO_CALL;
}

static void hear_call(struct view *v, const struct dt_record_item *it)
{
    enum call_state now = state_of(dt_bytes_str(it->bytes));
    if (it->call > CALLS_MAX || now == NO_CALL || now == v->calls[it->call])
        return;
    enum call_state old = v->calls[it->call];
    v->rings += now == RINGS && (old == NO_CALL || old == ENDED);
    v->talks += now == TALKING && old != HOLDING && old != HELD;
    v->calls[it->call] = now;
}

static void hear(struct bed *b, const struct dt_record_item *it)
{
    if (it->kind != DT_REC_EVENT || it->who >= PARTIES)
        return;
    struct view *v = &b->views[it->who];
    struct dt_str text = dt_bytes_str(it->bytes);
    if (it->event == DT_EV_CALL)
        hear_call(v, it);
    else if (it->event == DT_EV_MEDIA)
        v->sound = dt_str_ends(text, DT_STR(" sendrecv"));
    else if (it->event == DT_EV_REGISTRATION)
        v->registered = dt_str_starts(text, DT_STR("registered"));
}

bool bed_has(const struct bed *b, int party, enum call_state state)
{
    for (int i = 0; i <= CALLS_MAX; i++)
        if (b->views[party].calls[i] == state)
            return true;
    return false;
}

bool bed_busy(const struct bed *b, int party)
{
    for (int i = 0; i <= CALLS_MAX; i++)
        if (b->views[party].calls[i] != NO_CALL && b->views[party].calls[i] != ENDED)
            return true;
    return false;
}

/* ---- time ---- */

dt_time bed_now(const struct bed *b)
{
    return b->run.w->ops->now(b->run.w);
}

bool bed_until(struct bed *b, bed_test test, dt_time limit)
{
    dt_time until = bed_now(b) + limit;
    for (;;) {
        for (; b->read < b->result.record.n; b->read++)
            hear(b, &b->result.record.items[b->read]);
        if (test && test(b))
            return true;
        if (bed_now(b) >= until)
            return false;
        b->run.w->ops->advance(b->run.w, until);
    }
}

void bed_type(struct bed *b, int party, const char *command)
{
    if (!b->run.acted)
        b->result.zero = bed_now(b);
    b->run.acted = true;
    (void)dt_record_note(&b->result.record, bed_now(b), DT_REC_COMMAND, (uint16_t)party,
                         dt_str_z(command));
    b->run.w->ops->command(b->run.w, party, dt_str_z(command));
}

/* ---- the end ---- */

/* Who has something on the line puts it down, and what was repeated all the time gets where it was
 * to go: another ring that nobody wants any more ends by itself. */
static void put_down(struct bed *b)
{
    for (int i = A; i < (int)b->flow->n_parties; i++)
        if (!(i != A && bed_has(b, i, RINGS)) &&
            (b->lenient || (bed_busy(b, i) && !bed_has(b, i, ENDING))))
            bed_type(b, i, "hangup");
    (void)bed_until(b, NULL, LATE_S * DT_SECOND);
    if (!bed_until(b, people_are_done, GIVE_UP_S * DT_SECOND) && !b->lenient)
        bed_fail(b, "a ghost call");
}

/* I36. Who had no memory may not even have said that a call was over: the nodes know it. */
static void look_for_objects(struct bed *b)
{
    unsigned left = dt__flow_fewest_objects(&b->run, bed_now(b) + QUIET_S * DT_SECOND);
    if (left > b->run.baseline)
        bed_fail(b, "I36: %u objects after setting up, %u now", b->run.baseline, left);
    (void)bed_until(b, NULL, 0);
    for (int i = A; i < PARTIES; i++)
        if (b->lenient)
            memset(b->views[i].calls, 0, sizeof b->views[i].calls);
}

static void call_again(struct bed *b)
{
    unsigned rings = b->views[b->base->callee].rings;
    b->lenient = false;
    b->came = false;
    people_call(b, b->base->callee);
    if (!b->failed && (!b->came || b->views[b->base->callee].rings != rings + 1))
        bed_fail(b, "the call afterwards does not come about");
}

void bed_judge(struct bed *b)
{
    char reason[256];
    bool came = b->came;
    b->mask = 0;
    if (!b->failed)
        put_down(b);
    if (!b->failed && b->lenient)
        look_for_objects(b);
    if (!b->failed)
        call_again(b);
    b->came = came;
    if (!b->failed)
        look_for_objects(b);
    if (!b->failed && !people_are_done(b))
        bed_fail(b, "a ghost call after all was over");
    if (!b->failed &&
        dt__flow_invariants(b->flow, &b->result.record, b->result.from, reason, sizeof reason))
        bed_fail(b, "%s", reason);
}
