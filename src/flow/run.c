/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs a flow: does what the steps do, and sees that what they say is seen, in order and in time.
 */
#include "flow/world.h"

#include "dualtone/msg.h"
#include "trace/ladder.h"

#include <string.h>

enum {
    SETUP_S = 40,
    PATIENCE_S = 70,   /* for a step: longer than 64 T1 and the answer behind it */
    QUIET_SIM_S = 300, /* after the last step: 74 s of reliability.md 3 and the memory of R11 */
    PROBES_S = 30,     /* idle probes come and go: most before, fewest after (I36) */
    QUIET_LIVE_MS = 300,
    LIVE_SLACK_MS = 50, /* design.md 8: within 50 ms or 5 % */
    LIVE_SLACK_PERCENT = 5,
    T1_DEFAULT_MS = 500
};

struct run {
    const struct dt_flow *f;
    const struct dt_flow_options *o;
    struct flow_world *w;
    struct dt_flow_result *r;
    size_t next;       /* the first item that no step has used */
    size_t events;     /* state and screen steps look from here */
    bool acted;        /* `zero` is set */
    dt_time zero;      /* the last action: times in the file count from it */
    unsigned baseline; /* objects after setting up */
    unsigned dialled;
};

static bool by_script(const struct run *x)
{
    bool script = false; /* without one it is judged as with faults */
    for (size_t i = 0; i < x->f->n_steps; i++)
        script = script || x->f->steps[i].kind == DT_FLOW_MESSAGE;
    return script && x->o->loss == 0 && x->o->duplicate == 0 && x->o->reorder == 0;
}

static const struct dt_record *record(const struct run *x)
{
    return &x->r->record;
}

/* Times in the file are for T1 = 500 ms. */
static dt_time scaled(const struct run *x, dt_time t)
{
    return x->o->t1 ? t * (x->o->t1 / DT_MS) / T1_DEFAULT_MS : t;
}

static int fail(struct run *x, const struct dt_flow_step *s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct run *x, const struct dt_flow_step *s, const char *fmt, ...)
{
    struct dt_flow_result *r = x->r;
    char text[256];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    va_list args;
    va_start(args, fmt);
    dt_vwritef(&w, fmt, args);
    va_end(args);
    text[w.n] = '\0';
    struct dt_writer out = dt_writer(r->reason, sizeof r->reason - 1);
    if (s)
        dt_writef(&out, "line %u: %.*s: %s", s->line, DT_FMT(s->source), text);
    else
        dt_writef(&out, "%s", text);
    r->reason[out.n] = '\0';
    r->line = s ? s->line : 0;
    r->column = s ? s->column : 0;
    r->held = false;
    r->mark = x->next;
    return DT_E_STATE;
}

/* ---- what can be seen ---- */

static bool is_checked(const struct run *x, const struct dt_record_item *it)
{
    if (it->kind != DT_REC_SENT || !it->bytes)
        return false;
    struct dt_label label;
    dt_label_of(&label, dt_bytes_str(it->bytes));
    if (dt_str_eq(dt_str_z(label.method), DT_STR("OPTIONS")))
        return false; /* probes (R18) are no part of a call */
    return label.sip && dt_record_whose(record(x), &it->from) < x->f->n_parties &&
           dt_record_whose(record(x), &it->to) < x->f->n_parties;
}

/* Live only: a process that was held up a moment repeats a message. */
static bool is_repeat(const struct run *x, size_t i)
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
static size_t next_message(struct run *x, dt_time limit, bool pass_repeats)
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

static void describe(const struct run *x, const struct dt_record_item *it, struct dt_writer *w)
{
    struct dt_label label;
    dt_label_of(&label, dt_bytes_str(it->bytes));
    dt_writef(w, "%s -> %s %s", x->f->parties[dt_record_whose(record(x), &it->from)].name,
              x->f->parties[dt_record_whose(record(x), &it->to)].name, label.text);
}

/* Why an item is not what the step wants; NULL when it is. */
static const char *mismatch(const struct run *x, const struct dt_flow_step *s,
                            const struct dt_record_item *it)
{
    struct dt_label label;
    dt_label_of(&label, dt_bytes_str(it->bytes));
    if (dt_record_whose(record(x), &it->from) != s->party ||
        dt_record_whose(record(x), &it->to) != s->to || label.request != (s->status == 0) ||
        label.status != s->status)
        return "another message came";
    if (s->method.n > 0 && !dt_str_eq(s->method, dt_str_z(label.method)))
        return "another message came";
    for (size_t i = 0; i < s->n_has; i++) {
        struct dt_str text = dt_bytes_str(it->bytes);
        bool there = dt_str_search(text, s->has[i].text) < text.n;
        if (there == s->has[i].lacks)
            return s->has[i].lacks ? "it holds what it should lack"
                                   : "it lacks what it should hold";
    }
    return NULL;
}

static bool in_time(const struct run *x, dt_time got, dt_time want)
{
    if (!x->o->live)
        return got == want;
    dt_time slack = LIVE_SLACK_MS * DT_MS;
    if (want * LIVE_SLACK_PERCENT / 100 > slack)
        slack = want * LIVE_SLACK_PERCENT / 100;
    return got >= want - slack && got <= want + slack;
}

static int check_time(struct run *x, const struct dt_flow_step *s, size_t i, unsigned copy)
{
    if (s->n_times == 0)
        return DT_OK;
    dt_time want = scaled(x, s->times[copy < s->n_times ? copy : 0]);
    dt_time got = record(x)->items[i].at - x->zero;
    if (copy < s->n_times && !in_time(x, got, want))
        return fail(x, s, "copy %u came at %lld.%03lld s, not at %lld.%03lld s", copy + 1,
                    (long long)(got / DT_SECOND), (long long)(got % DT_SECOND / DT_MS),
                    (long long)(want / DT_SECOND), (long long)(want % DT_SECOND / DT_MS));
    return DT_OK;
}

/* ---- steps that see ---- */

static dt_time patience(const struct run *x, const struct dt_flow_step *s)
{
    dt_time last = s->n_times > 0 ? x->zero + scaled(x, s->times[s->n_times - 1]) : 0;
    dt_time least = x->w->ops->now(x->w) + scaled(x, PATIENCE_S * DT_SECOND);
    return last + DT_SECOND > least ? last + DT_SECOND : least;
}

static int see_copy(struct run *x, const struct dt_flow_step *s, unsigned copy, bool *passed)
{
    size_t i = next_message(x, patience(x, s), x->o->live && copy == 0);
    if (i == SIZE_MAX) {
        x->next = record(x)->n;
        return s->optional ? (*passed = true, DT_OK)
                           : fail(x, s, "nothing came any more (copy %u of %u is missing)",
                                  copy + 1, s->count);
    }
    const char *why = mismatch(x, s, &record(x)->items[i]);
    if (why && s->optional && copy == 0)
        return *passed = true, DT_OK;
    if (why) {
        char text[96];
        struct dt_writer w = dt_writer(text, sizeof text - 1);
        describe(x, &record(x)->items[i], &w);
        text[w.n] = '\0';
        x->next = i;
        return fail(x, s, "%s: %s%s", why, text,
                    copy > 0 ? " (too few copies of the one wanted)" : "");
    }
    x->next = i + 1;
    return check_time(x, s, i, copy);
}

static int see_message(struct run *x, const struct dt_flow_step *s)
{
    bool passed = false;
    int err = DT_OK;
    for (unsigned copy = 0; copy < s->count && !err && !passed; copy++)
        err = see_copy(x, s, copy, &passed);
    return err;
}

/* Steps of one unordered block: each message that comes must be one of those left. */
static int see_block(struct run *x, size_t first, size_t n)
{
    bool used[64] = {false};
    for (size_t left = n; left > 0; left--) {
        const struct dt_flow_step *s = &x->f->steps[first];
        size_t i = next_message(x, patience(x, s), x->o->live), k = 0;
        if (i == SIZE_MAX)
            return fail(x, s, "%zu messages of this unordered block are missing", left);
        while (k < n && (used[k] || mismatch(x, s + k, &record(x)->items[i])))
            k++;
        x->next = i;
        if (k == n)
            return fail(x, s, "a message came that is not in this unordered block");
        used[k] = true;
        x->next = i + 1;
        int err = check_time(x, s + k, i, 0);
        if (err)
            return err;
    }
    return DT_OK;
}

static size_t block_size(const struct run *x, size_t first)
{
    size_t n = 1;
    const struct dt_flow_step *s = x->f->steps;
    while (first + n < x->f->n_steps && n < 64 && s[first + n].block == s[first].block &&
           s[first + n].kind == DT_FLOW_MESSAGE)
        n++;
    return n;
}

static bool is_event(const struct dt_record_item *it, int who, enum dt_event_kind kind)
{
    return it->kind == DT_REC_EVENT && it->who == who && it->event == kind && it->bytes;
}

static int see_screen(struct run *x, const struct dt_flow_step *s)
{
    dt_time limit = patience(x, s);
    for (size_t i = x->events;; i++) {
        while (i >= record(x)->n)
            if (!x->w->ops->advance(x->w, limit))
                return fail(x, s, "the screen did not show it");
        const struct dt_record_item *it = &record(x)->items[i];
        if (is_event(it, s->party, DT_EV_SCREEN) && dt_str_eq(dt_bytes_str(it->bytes), s->text)) {
            x->events = i + 1;
            return DT_OK;
        }
    }
}

/* The first word of the last CALL event of a phone. */
static struct dt_str call_state(const struct run *x, int party)
{
    struct dt_str state = DT_STR_NONE;
    for (size_t i = x->r->from; i < record(x)->n; i++)
        if (is_event(&record(x)->items[i], party, DT_EV_CALL)) {
            struct dt_str text = dt_bytes_str(record(x)->items[i].bytes);
            state = dt_str_sub(text, 0, dt_str_find(text, ' '));
        }
    return state;
}

static bool registered(const struct run *x, int party)
{
    for (size_t i = x->r->from; i < record(x)->n; i++)
        if (is_event(&record(x)->items[i], party, DT_EV_REGISTRATION) &&
            dt_str_starts(dt_bytes_str(record(x)->items[i].bytes), DT_STR("registered")))
            return true;
    return false;
}

static bool in_state(const struct run *x, int party, enum dt_flow_state state)
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

static int see_state(struct run *x, const struct dt_flow_step *s)
{
    bool timed = s->kind == DT_FLOW_STATE && s->n_times > 0 && x->o->loss == 0;
    dt_time limit = timed ? x->zero + scaled(x, s->times[0])
                          : x->w->ops->now(x->w) + scaled(x, 3 * PATIENCE_S * DT_SECOND);
    bool late = timed && x->w->ops->now(x->w) > limit;
    while (late || !in_state(x, s->party, s->state))
        if (late || !x->w->ops->advance(x->w, limit))
            return fail(x, s, "%s is not%s (its call is \"%.*s\")", x->f->parties[s->party].name,
                        timed ? " in time" : "", DT_FMT(call_state(x, s->party)));
    return DT_OK;
}

/* ---- steps that act ---- */

/* Into the record, and told to who watches. */
static void note(struct run *x, enum dt_record_kind kind, int party, struct dt_str text)
{
    struct dt_record *r = &x->r->record;
    size_t at = dt_record_note(r, x->w->ops->now(x->w), kind, (uint16_t)party, text);
    if (x->o->watch && at != SIZE_MAX)
        x->o->watch(x->o->watch_ctx, r, &r->items[at]);
}

static void act_note(struct run *x, enum dt_record_kind kind, int party, struct dt_str text)
{
    x->zero = x->w->ops->now(x->w);
    if (!x->acted)
        x->r->zero = x->zero;
    x->acted = true;
    note(x, kind, party, text);
}

/* "dial 1002": phones without a proxy call the other phone's address. */
static void write_dial(const struct run *x, const struct dt_flow_step *s, struct dt_writer *w)
{
    dt_write(w, s->text);
    for (size_t i = 0; i < x->f->n_parties; i++) {
        const struct dt_flow_party *p = &x->f->parties[i];
        if (p->role != DT_FLOW_PROXY && x->f->parties[s->party].primary < 0 &&
            dt_str_eq(p->number, s->method)) {
            dt_write_lit(w, "sip:");
            dt_write(w, s->method);
            dt_write_char(w, '@');
            dt_addr_write(w, &x->w->addrs[i]);
            return;
        }
    }
    dt_write(w, s->method);
}

static int act_command(struct run *x, const struct dt_flow_step *s)
{
    char text[160];
    struct dt_writer w = dt_writer(text, sizeof text);
    bool dial = s->method.n > 0;
    if (dial)
        write_dial(x, s, &w);
    else
        dt_write(&w, s->text);
    /* A person answers or rejects what rings. */
    bool needs_ring = dt_str_eq(s->text, DT_STR("answer")) || dt_str_eq(s->text, DT_STR("reject"));
    struct dt_flow_step ring = *s;
    ring.state = DT_FLOW_RINGING;
    if (needs_ring) {
        int err = see_state(x, &ring);
        if (err)
            return err;
    }
    x->dialled += dial;
    act_note(x, DT_REC_COMMAND, s->party, dt_writer_str(&w));
    x->w->ops->command(x->w, s->party, dt_writer_str(&w));
    return DT_OK;
}

static int act_fault(struct run *x, const struct dt_flow_step *s)
{
    if (!x->acted)
        x->r->zero = x->w->ops->now(x->w);
    note(x, DT_REC_FAULT, s->party, s->text);
    return x->w->ops->fault(x->w, s->party, s->text) ? fail(x, s, "%s", x->w->error) : DT_OK;
}

static int act_start(struct run *x, const struct dt_flow_step *s)
{
    /* Its registrations stay: one at each proxy. */
    x->baseline += x->f->parties[s->party].registers == DT_FLOW_REGISTER_BOTH      ? 2
                   : x->f->parties[s->party].registers == DT_FLOW_REGISTER_PRIMARY ? 1
                                                                                   : 0;
    act_note(x, DT_REC_COMMAND, s->party, DT_STR("start"));
    return x->w->ops->start(x->w, s->party) ? fail(x, s, "%s", x->w->error) : DT_OK;
}

static int act_wait(struct run *x, const struct dt_flow_step *s)
{
    dt_time until = x->w->ops->now(x->w) + (s->unscaled ? s->times[0] : scaled(x, s->times[0]));
    while (x->w->ops->now(x->w) < until)
        x->w->ops->advance(x->w, until);
    return DT_OK;
}

/* ---- the run ---- */

static int step_run(struct run *x, size_t *i)
{
    const struct dt_flow_step *s = &x->f->steps[*i];
    size_t n = s->block && s->kind == DT_FLOW_MESSAGE ? block_size(x, *i) : 1;
    bool script = by_script(x);
    *i += n;
    switch (s->kind) {
    case DT_FLOW_DO:
        return act_command(x, s);
    case DT_FLOW_FAULT:
        return act_fault(x, s);
    case DT_FLOW_START:
        return act_start(x, s);
    case DT_FLOW_WAIT:
        return act_wait(x, s);
    case DT_FLOW_MESSAGE:
        return !script ? DT_OK : n > 1 ? see_block(x, *i - n, n) : see_message(x, s);
    case DT_FLOW_SHOWS:
        return script ? see_screen(x, s) : DT_OK;
    case DT_FLOW_STATE:
        return see_state(x, s);
    }
    return DT_OK;
}

static const struct dt_record_item *find_event(const struct run *x, int who,
                                               enum dt_event_kind kind)
{
    for (size_t i = 0; i < record(x)->n; i++)
        if (is_event(&record(x)->items[i], who, kind))
            return &record(x)->items[i];
    return NULL;
}

static int start_party(struct run *x, int party, dt_time limit)
{
    if (x->w->ops->start(x->w, party))
        return fail(x, NULL, "setting up %s: %s", x->f->parties[party].name, x->w->error);
    while (!find_event(x, party, DT_EV_READY)) {
        const struct dt_record_item *problem = find_event(x, party, DT_EV_PROBLEM);
        if (problem)
            return fail(x, NULL, "setting up %s: %.*s", x->f->parties[party].name,
                        DT_FMT(dt_bytes_str(problem->bytes)));
        if (!x->w->ops->advance(x->w, limit))
            return fail(x, NULL, "setting up: %s was not ready in %d s", x->f->parties[party].name,
                        SETUP_S);
    }
    return DT_OK;
}

/* Proxies first, then phones, each ready before the next: outside the checked trace. */
static int set_up(struct run *x)
{
    dt_time limit = x->w->ops->now(x->w) + SETUP_S * DT_SECOND;
    for (int role = DT_FLOW_PROXY; role <= DT_FLOW_PHONE; role++)
        for (size_t i = 0; i < x->f->n_parties; i++) {
            const struct dt_flow_party *p = &x->f->parties[i];
            int err = (int)p->role != role || p->off ? DT_OK : start_party(x, (int)i, limit);
            if (err)
                return err;
        }
    if (!x->o->live) /* the transactions of the registrations end */
        for (dt_time until = x->w->ops->now(x->w) + 40 * DT_SECOND; x->w->ops->now(x->w) < until;) {
            x->w->ops->advance(x->w, until);
            unsigned n = x->w->ops->objects(x->w);
            if (until - x->w->ops->now(x->w) > PROBES_S * DT_SECOND)
                x->baseline = 0;
            x->baseline = n > x->baseline ? n : x->baseline;
        }
    else
        x->baseline = x->w->ops->objects(x->w);
    x->next = x->events = x->r->from = record(x)->n;
    x->r->zero = x->zero = x->w->ops->now(x->w);
    return DT_OK;
}

static int wind_down(struct run *x)
{
    dt_time now = x->w->ops->now(x->w);
    dt_time until = now + (x->o->live ? QUIET_LIVE_MS * DT_MS : QUIET_SIM_S * DT_SECOND);
    if (by_script(x)) {
        size_t i = next_message(x, until, x->o->live);
        if (i != SIZE_MAX) {
            char text[96];
            struct dt_writer w = dt_writer(text, sizeof text - 1);
            describe(x, &record(x)->items[i], &w);
            text[w.n] = '\0';
            x->next = i;
            return fail(x, NULL, "after the last step something else came: %s", text);
        }
    }
    unsigned objects = x->w->ops->objects(x->w);
    while (x->w->ops->now(x->w) < until) {
        x->w->ops->advance(x->w, until);
        unsigned n = x->w->ops->objects(x->w);
        if (until - x->w->ops->now(x->w) > 2 * PROBES_S * DT_SECOND || n < objects)
            objects = n;
    }
    if (!x->o->live && objects > x->baseline)
        return fail(x, NULL, "I36: %u objects after setting up, %u now", x->baseline, objects);
    return DT_OK;
}

static int judge(struct run *x)
{
    char reason[256];
    if (dt__flow_invariants(x->f, record(x), x->r->from, reason, sizeof reason))
        return fail(x, NULL, "%s", reason);
    return DT_OK;
}

static int run_steps(struct run *x)
{
    int err = set_up(x);
    for (size_t i = 0; i < x->f->n_steps && !err;)
        err = step_run(x, &i);
    if (!err)
        err = wind_down(x);
    return err ? err : judge(x);
}

int dt_flow_run(const struct dt_flow *f, const struct dt_flow_options *o, struct dt_flow_result *r)
{
    memset(r, 0, sizeof *r);
    r->mark = SIZE_MAX;
    dt_record_init(&r->record, f->alloc);
    for (size_t i = 0; i < f->n_parties; i++)
        (void)dt_record_party(&r->record, f->parties[i].name);
    struct run x = {.f = f, .o = o, .r = r};
    x.w = o->live ? dt__flow_live_open(f, o, &r->record, r->reason, sizeof r->reason)
                  : dt__flow_sim_open(f, o, &r->record);
    if (!x.w)
        return DT_E_IO;
    r->held = run_steps(&x) == DT_OK;
    r->lasted = x.w->ops->now(x.w) - r->zero;
    r->to = r->record.n;
    for (size_t i = r->from; i < r->to; i++)
        r->messages += r->record.items[i].kind == DT_REC_SENT;
    r->digest = dt_record_digest(&r->record);
    x.w->ops->close(x.w);
    return DT_OK;
}

void dt_flow_result_clear(struct dt_flow_result *r)
{
    dt_record_clear(&r->record);
}

void dt_flow_draw(const struct dt_flow *f, const struct dt_flow_options *o,
                  const struct dt_flow_result *r, struct dt_writer *w)
{
    uint16_t lanes[DT_FLOW_PARTIES_MAX];
    size_t n = 0;
    /* Phones and proxies in the order of the guide's figures: the first phone, the proxies, the
     * others. */
    for (size_t i = 0; i < f->n_parties && n == 0; i++)
        if (f->parties[i].role != DT_FLOW_PROXY)
            lanes[n++] = (uint16_t)i;
    size_t first = n > 0 ? lanes[0] : SIZE_MAX;
    for (size_t i = 0; i < f->n_parties; i++)
        if (f->parties[i].role == DT_FLOW_PROXY)
            lanes[n++] = (uint16_t)i;
    for (size_t i = 0; i < f->n_parties; i++)
        if (f->parties[i].role != DT_FLOW_PROXY && i != first)
            lanes[n++] = (uint16_t)i;
    struct dt_ladder l = {.record = &r->record, .lanes = lanes, .n_lanes = n, .from = r->from};
    l.to = r->to;
    l.zero = r->zero;
    l.live = o->live;
    l.steps = true;
    l.mark = r->held ? SIZE_MAX : r->mark < l.to ? r->mark : l.to;
    l.mark_text = dt_str_z(r->reason);
    dt_ladder_write(&l, w);
}
