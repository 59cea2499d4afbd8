/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Steps that say what must be seen: messages in order and in time, screens, states of calls. */
#include "flow/run.h"

#include <string.h>

enum {
    PATIENCE_S = 70,    /* for a step: longer than 64 T1 and the answer behind it */
    SHORTLY_S = 4,      /* for an optional message with nothing behind it: T2 */
    LIVE_SLACK_MS = 50, /* design.md 8: within 50 ms or 5 % */
    LIVE_SLACK_PERCENT = 5,
    LIVE_RECORD_MS = 50, /* so late a live record may come */
    BLOCK_MAX = 64,      /* messages of an unordered block; the parser sees to it */
    DESCRIPTION = 160
};

static const struct dt_record *record(const struct flow_run *x)
{
    return &x->r->record;
}

/* ---- which message is next ---- */

static bool is_checked(const struct flow_run *x, const struct dt_record_item *it)
{
    if (it->kind != DT_REC_SENT || !it->bytes ||
        dt_record_whose(record(x), &it->from) >= x->f->n_parties ||
        dt_record_whose(record(x), &it->to) >= x->f->n_parties)
        return false;
    struct dt_label label;
    dt_label_of(&label, dt_bytes_str(it->bytes));
    return label.sip &&
           (!dt_str_eq(dt_str_z(label.method), DT_STR("OPTIONS")) || dt__flow_has_options(x->f));
}

/* Live only: a process that was held up a moment repeats a message. */
static bool is_repeat(const struct flow_run *x, size_t i)
{
    const struct dt_record_item *it = &record(x)->items[i];
    for (size_t k = x->r->from; k < i; k++) {
        const struct dt_record_item *b = &record(x)->items[k];
        if (b->kind == DT_REC_SENT && dt_addr_eq(&b->from, &it->from) &&
            dt_addr_eq(&b->to, &it->to) &&
            dt_str_eq(dt_bytes_str(b->bytes), dt_bytes_str(it->bytes)))
            return true;
    }
    return false;
}

/* The next message that no step has used yet; waits for it until `limit`. SIZE_MAX: none came. */
static size_t next_message(struct flow_run *x, dt_time limit, bool pass_repeats)
{
    size_t i = x->next;
    for (;;) {
        for (; i < record(x)->n; i++)
            if (is_checked(x, &record(x)->items[i]) && !(pass_repeats && is_repeat(x, i)))
                return i;
        if (!x->w->ops->advance(x->w, limit))
            return SIZE_MAX;
    }
}

/* "A -> P INVITE"; `out` has DESCRIPTION bytes. Returns `out`. */
static const char *describe(const struct flow_run *x, const struct dt_record_item *it, char *out)
{
    struct dt_label label;
    struct dt_writer w = dt_writer(out, DESCRIPTION - 1);
    dt_label_of(&label, dt_bytes_str(it->bytes));
    dt_writef(&w, "%s -> %s %s", dt__flow_name(x, dt_record_whose(record(x), &it->from)),
              dt__flow_name(x, dt_record_whose(record(x), &it->to)), label.text);
    out[w.n] = '\0';
    return out;
}

/* ---- is it the one that a step wants ---- */

/* Why an item is not what the step wants; NULL when it is. */
static const char *mismatch(const struct flow_run *x, const struct dt_flow_step *s,
                            const struct dt_record_item *it)
{
    struct dt_label label;
    struct dt_str text = dt_bytes_str(it->bytes);
    dt_label_of(&label, text);
    if (dt_record_whose(record(x), &it->from) != s->party ||
        dt_record_whose(record(x), &it->to) != s->to || label.request != (s->status == 0) ||
        label.status != s->status ||
        (s->method.n > 0 && !dt_str_eq(s->method, dt_str_z(label.method))))
        return "another message came";
    for (size_t i = 0; i < s->n_has; i++) {
        bool there = dt_str_search(text, s->has[i].text) < text.n;
        if (there == s->has[i].lacks)
            return s->has[i].lacks ? "it holds what it should lack"
                                   : "it lacks what it should hold";
    }
    return NULL;
}

/* How far from a time it may be; 0 in simulation. */
static dt_time slack(const struct flow_run *x, dt_time want)
{
    dt_time least = LIVE_SLACK_MS * DT_MS, part = want * LIVE_SLACK_PERCENT / 100;
    if (!x->o->live)
        return 0;
    return part > least ? part : least;
}

static bool in_time(const struct flow_run *x, dt_time got, dt_time want)
{
    return got >= want - slack(x, want) && got <= want + slack(x, want);
}

/* One time is that of the first copy. */
static int check_time(struct flow_run *x, const struct dt_flow_step *s, size_t i, unsigned copy)
{
    if (copy >= s->n_times)
        return DT_OK;
    dt_time want = dt__flow_scaled(x, s->times[copy]);
    dt_time got = record(x)->items[i].at - x->zero;
    if (in_time(x, got, want))
        return DT_OK;
    return dt__flow_fail(x, s, "copy %u came at %lld.%03lld s, not at %lld.%03lld s", copy + 1,
                         (long long)(got / DT_SECOND), (long long)(got % DT_SECOND / DT_MS),
                         (long long)(want / DT_SECOND), (long long)(want % DT_SECOND / DT_MS));
}

/* ---- one step ---- */

/* An optional message is waited for as long as what stands behind it, and shortly if nothing does.
 */
static dt_time patience(const struct flow_run *x, const struct dt_flow_step *s)
{
    const struct dt_flow_step *end = x->f->steps + x->f->n_steps, *behind = s;
    while (behind < end && behind->kind == DT_FLOW_MESSAGE && behind->optional)
        behind++;
    bool shortly = s->optional && (behind == end || behind->kind != DT_FLOW_MESSAGE);
    dt_time last = s->n_times > 0 ? x->zero + dt__flow_scaled(x, s->times[s->n_times - 1]) : 0;
    dt_time least =
        x->w->ops->now(x->w) + dt__flow_scaled(x, (shortly ? SHORTLY_S : PATIENCE_S) * DT_SECOND);
    return last + DT_SECOND > least ? last + DT_SECOND : least;
}

/* `*passed`: it is optional and did not come. */
static int see_copy(struct flow_run *x, const struct dt_flow_step *s, unsigned copy, bool *passed)
{
    char text[DESCRIPTION];
    size_t i = next_message(x, patience(x, s), x->o->live && copy == 0);
    const char *why = i == SIZE_MAX ? "" : mismatch(x, s, &record(x)->items[i]);
    if (why && s->optional && copy == 0) {
        *passed = true;
        return DT_OK;
    }
    if (i == SIZE_MAX) {
        x->next = record(x)->n;
        return dt__flow_fail(x, s, "nothing came any more (copy %u of %u is missing)", copy + 1,
                             s->count);
    }
    x->next = why ? i : i + 1;
    if (!why)
        return check_time(x, s, i, copy);
    return dt__flow_fail(x, s, "%s: %s%s", why, describe(x, &record(x)->items[i], text),
                         copy > 0 ? " (too few copies of the one wanted)" : "");
}

static int see_message(struct flow_run *x, const struct dt_flow_step *s)
{
    bool passed = false;
    int err = DT_OK;
    for (unsigned copy = 0; copy < s->count && !err && !passed; copy++)
        err = see_copy(x, s, copy, &passed);
    return err;
}

/* ---- unordered blocks ---- */

/* A block under way: how many of each message are still wanted. */
struct block {
    const struct dt_flow_step *steps;
    size_t n;
    unsigned wanted[BLOCK_MAX];
};

/* How many must still come, and how many may. */
static unsigned left(const struct block *b, bool optional)
{
    unsigned sum = 0;
    for (size_t i = 0; i < b->n; i++)
        sum += b->steps[i].optional == optional ? b->wanted[i] : 0;
    return sum;
}

/* The step of a block that wants this item, or its size. */
static size_t taker(const struct flow_run *x, const struct block *b,
                    const struct dt_record_item *it)
{
    size_t k = 0;
    while (k < b->n && (b->wanted[k] == 0 || mismatch(x, &b->steps[k], it)))
        k++;
    return k;
}

/* What a block waits for: the longest of those that are still wanted. */
static dt_time block_patience(const struct flow_run *x, const struct block *b)
{
    dt_time limit = 0;
    for (size_t i = 0; i < b->n; i++) {
        dt_time t = b->wanted[i] > 0 ? patience(x, &b->steps[i]) : 0;
        limit = t > limit ? t : limit;
    }
    return limit;
}

/* Each message that comes must be one of those left. */
static int see_block(struct flow_run *x, struct block *b)
{
    char text[DESCRIPTION];
    while (left(b, false) + left(b, true) > 0) {
        size_t i = next_message(x, block_patience(x, b), x->o->live);
        size_t k = i == SIZE_MAX ? b->n : taker(x, b, &record(x)->items[i]);
        if (k == b->n && left(b, false) == 0)
            return DT_OK; /* what is left is optional */
        if (i == SIZE_MAX) {
            x->next = record(x)->n;
            return dt__flow_fail(x, b->steps,
                                 "nothing came any more (%u missing of this unordered block)",
                                 left(b, false));
        }
        x->next = k == b->n ? i : i + 1;
        if (k == b->n)
            return dt__flow_fail(x, b->steps,
                                 "a message came that is not in this unordered block: %s",
                                 describe(x, &record(x)->items[i], text));
        int err = check_time(x, &b->steps[k], i, b->steps[k].count - b->wanted[k]);
        if (err)
            return err;
        b->wanted[k]--;
    }
    return DT_OK;
}

int dt__flow_see_messages(struct flow_run *x, size_t *i)
{
    const struct dt_flow_step *end = x->f->steps + x->f->n_steps, *s = x->f->steps + *i;
    struct block b = {.steps = s};
    if (!s->block) {
        ++*i;
        return see_message(x, s);
    }
    for (; s < end && s->block == b.steps->block && b.n < BLOCK_MAX; s++)
        b.wanted[b.n++] = s->count;
    *i += b.n;
    return see_block(x, &b);
}

int dt__flow_see_nothing(struct flow_run *x, dt_time until)
{
    char text[DESCRIPTION];
    size_t i = next_message(x, until, x->o->live);
    if (i == SIZE_MAX)
        return DT_OK;
    x->next = i;
    return dt__flow_fail(x, NULL, "after the last step something else came: %s",
                         describe(x, &record(x)->items[i], text));
}

/* ---- screens and states ---- */

static bool is_event(const struct dt_record_item *it, int who, enum dt_event_kind kind)
{
    return it->kind == DT_REC_EVENT && it->who == who && it->event == kind && it->bytes;
}

const struct dt_record_item *dt__flow_event(const struct flow_run *x, int who,
                                            enum dt_event_kind kind)
{
    for (size_t i = 0; i < record(x)->n; i++)
        if (is_event(&record(x)->items[i], who, kind))
            return &record(x)->items[i];
    return NULL;
}

int dt__flow_see_screen(struct flow_run *x, const struct dt_flow_step *s)
{
    dt_time limit = patience(x, s);
    struct dt_str last = DT_STR("nothing");
    for (size_t i = x->screens[s->party];; i++) {
        while (i >= record(x)->n)
            if (!x->w->ops->advance(x->w, limit))
                return dt__flow_fail(x, s, "the screen did not show it; it shows \"%.*s\"",
                                     DT_FMT(last));
        const struct dt_record_item *it = &record(x)->items[i];
        if (!is_event(it, s->party, DT_EV_SCREEN))
            continue;
        last = dt_bytes_str(it->bytes);
        if (!dt_str_eq(last, s->text))
            continue;
        x->screens[s->party] = i + 1;
        return DT_OK;
    }
}

/* The first word of the last CALL event of a phone. */
static struct dt_str call_state(const struct flow_run *x, int party)
{
    for (size_t i = record(x)->n; i > x->r->from; i--) {
        const struct dt_record_item *it = &record(x)->items[i - 1];
        struct dt_str text = dt_bytes_str(it->bytes);
        if (is_event(it, party, DT_EV_CALL))
            return dt_str_sub(text, 0, dt_str_find(text, ' '));
    }
    return DT_STR("none");
}

static bool registered(const struct flow_run *x, int party)
{
    for (size_t i = record(x)->n; i > 0; i--) {
        const struct dt_record_item *it = &record(x)->items[i - 1];
        if (is_event(it, party, DT_EV_REGISTRATION))
            return dt_str_starts(dt_bytes_str(it->bytes), DT_STR("registered"));
    }
    return false;
}

static bool in_state(const struct flow_run *x, int party, enum dt_flow_state state)
{
    static const char *const names[] = {
#define X(name, text) text,
        DT_FLOW_STATES(X)
#undef X
    };
    if (state == DT_FLOW_REGISTERED)
        return registered(x, party);
    return dt_str_eq(call_state(x, party), dt_str_z(names[state]));
}

/* `within` counts from the last action. */
static dt_time state_limit(const struct flow_run *x, const struct dt_flow_step *s, bool timed)
{
    if (!timed)
        return x->w->ops->now(x->w) + dt__flow_scaled(x, 3 * PATIENCE_S * DT_SECOND);
    dt_time within = dt__flow_scaled(x, s->times[0]);
    return x->zero + within + slack(x, within) + (x->o->live ? LIVE_RECORD_MS * DT_MS : 0);
}

/* With losses `within` is as luck has it. */
int dt__flow_see_state(struct flow_run *x, const struct dt_flow_step *s)
{
    bool timed = s->kind == DT_FLOW_STATE && s->n_times > 0 && x->o->loss == 0;
    dt_time limit = state_limit(x, s, timed);
    bool late = timed && x->w->ops->now(x->w) > limit;
    while (late || !in_state(x, s->party, s->state)) {
        if (!late && x->w->ops->advance(x->w, limit))
            continue;
        if (s->state == DT_FLOW_REGISTERED)
            return dt__flow_fail(x, s, "%s is not", dt__flow_name(x, s->party));
        return dt__flow_fail(x, s, "%s is not%s (its call: %.*s)", dt__flow_name(x, s->party),
                             timed ? " in time" : "", DT_FMT(call_state(x, s->party)));
    }
    return DT_OK;
}
