/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs a flow: sets up, takes step after step, and judges the whole. */
#include "flow/run.h"

#include "trace/ladder.h"

#include <limits.h>
#include <string.h>

enum {
    SETUP_S = 40,
    QUIET_SIM_S = 300, /* after the last step: 74 s of reliability.md 3 and the memory of R11 */
    QUIET_LIVE_MS = 300,
    JOIN_LIVE_MS = 2500, /* a node of a pair serves nobody for its first 2 s (R12) */
    PROBES_S = 30,       /* idle probes come and go: the fewest objects of so long count (I36) */
    T1_DEFAULT_MS = 500
};

/* ---- what all steps use ---- */

dt_time dt__flow_scaled(const struct flow_run *x, dt_time t)
{
    return x->o->t1 ? t * (x->o->t1 / DT_MS) / T1_DEFAULT_MS : t;
}

const char *dt__flow_name(const struct flow_run *x, int party)
{
    return party >= 0 && party < (int)x->f->n_parties ? x->f->parties[party].name : "?";
}

void dt__flow_pass(struct flow_run *x, dt_time t)
{
    dt_time until = x->w->ops->now(x->w) + t;
    while (x->w->ops->now(x->w) < until)
        x->w->ops->advance(x->w, until);
}

int dt__flow_fail(struct flow_run *x, const struct dt_flow_step *s, const char *fmt, ...)
{
    struct dt_flow_result *r = x->r;
    char text[256];
    struct dt_writer w = dt_writer(text, sizeof text);
    va_list args;
    va_start(args, fmt);
    dt_vwritef(&w, fmt, args);
    va_end(args);
    struct dt_writer out = dt_writer(r->reason, sizeof r->reason - 1);
    if (s)
        dt_writef(&out, "line %u: %.*s: ", s->line, DT_FMT(dt_str_sub(s->source, 0, 60)));
    dt_write(&out, dt_writer_str(&w));
    r->reason[out.n] = '\0';
    r->line = s ? s->line : 0;
    r->column = s ? s->column : 0;
    r->held = false;
    r->mark = x->next;
    return DT_E_STATE;
}

bool dt__flow_has_options(const struct dt_flow *f)
{
    for (size_t i = 0; i < f->n_steps; i++)
        if (f->steps[i].kind == DT_FLOW_MESSAGE && dt_str_eq(f->steps[i].method, DT_STR("OPTIONS")))
            return true;
    return false;
}

static const struct dt_record *record(const struct flow_run *x)
{
    return &x->r->record;
}

static bool is_faultless(const struct flow_run *x)
{
    return x->o->loss == 0 && x->o->duplicate == 0 && x->o->reorder == 0;
}

static bool by_script(const struct flow_run *x)
{
    bool script = false; /* without one it is judged as with faults */
    for (size_t i = 0; i < x->f->n_steps; i++)
        script = script || x->f->steps[i].kind == DT_FLOW_MESSAGE;
    return script && is_faultless(x);
}

/* ---- the run ---- */

/* With faults, messages and screens are as luck has it; what is done and what comes of it stays. */
static int step_run(struct flow_run *x, size_t *i)
{
    const struct dt_flow_step *s = &x->f->steps[*i];
    if (s->kind == DT_FLOW_MESSAGE && by_script(x))
        return dt__flow_see_messages(x, i);
    ++*i;
    if (s->kind == DT_FLOW_SHOWS && is_faultless(x))
        return dt__flow_see_screen(x, s);
    return s->kind == DT_FLOW_STATE ? dt__flow_see_state(x, s) : dt__flow_act(x, s);
}

static int start_party(struct flow_run *x, int party, dt_time limit)
{
    if (x->w->ops->start(x->w, party))
        return dt__flow_fail(x, NULL, "setting up %s: %s", x->f->parties[party].name, x->w->error);
    while (!dt__flow_event(x, party, DT_EV_READY)) {
        const struct dt_record_item *problem = dt__flow_event(x, party, DT_EV_PROBLEM);
        if (problem)
            return dt__flow_fail(x, NULL, "setting up %s: %.*s", x->f->parties[party].name,
                                 DT_FMT(dt_bytes_str(problem->bytes)));
        if (!x->w->ops->advance(x->w, limit))
            return dt__flow_fail(x, NULL, "setting up: %s was not ready in %d s",
                                 x->f->parties[party].name, SETUP_S);
    }
    return DT_OK;
}

unsigned dt__flow_fewest_objects(struct flow_run *x, dt_time until)
{
    unsigned fewest = UINT_MAX;
    while (x->w->ops->now(x->w) < until) {
        x->w->ops->advance(x->w, until);
        unsigned n = x->w->ops->objects(x->w);
        if (until - x->w->ops->now(x->w) <= PROBES_S * DT_SECOND && n < fewest)
            fewest = n;
    }
    return fewest;
}

static bool has_pair(const struct dt_flow *f)
{
    bool pair = false;
    for (size_t i = 0; i < f->n_parties; i++)
        pair = pair || f->parties[i].peer >= 0;
    return pair;
}

int dt__flow_set_up(struct flow_run *x)
{
    dt_time limit = x->w->ops->now(x->w) + SETUP_S * DT_SECOND;
    for (int role = DT_FLOW_PROXY; role <= DT_FLOW_PHONE; role++)
        for (size_t i = 0; i < x->f->n_parties; i++) {
            const struct dt_flow_party *p = &x->f->parties[i];
            int err = (int)p->role != role || p->off ? DT_OK : start_party(x, (int)i, limit);
            if (err)
                return err;
        }
    if (x->o->live && has_pair(x->f))
        dt__flow_pass(x, JOIN_LIVE_MS * DT_MS);
    dt_time quiet = x->w->ops->now(x->w) + SETUP_S * DT_SECOND;
    x->baseline = x->o->live ? x->w->ops->objects(x->w) : dt__flow_fewest_objects(x, quiet);
    x->next = x->r->from = record(x)->n;
    for (size_t i = 0; i < x->f->n_parties; i++)
        x->screens[i] = record(x)->n;
    x->r->zero = x->zero = x->w->ops->now(x->w);
    return DT_OK;
}

static int wind_down(struct flow_run *x)
{
    dt_time now = x->w->ops->now(x->w);
    dt_time until = now + (x->o->live ? QUIET_LIVE_MS * DT_MS : QUIET_SIM_S * DT_SECOND);
    unsigned objects = dt__flow_fewest_objects(x, until);
    int err = by_script(x) ? dt__flow_see_nothing(x, until) : DT_OK;
    if (err)
        return err;
    if (!x->o->live && objects > x->baseline)
        return dt__flow_fail(x, NULL, "I36: %u objects after setting up, %u now", x->baseline,
                             objects);
    return DT_OK;
}

static int judge(struct flow_run *x)
{
    char reason[256];
    int err = dt__flow_invariants(x->f, record(x), x->r->from, reason, sizeof reason);
    if (err == DT_E_STATE)
        return dt__flow_fail(x, NULL, "%s", reason);
    return err ? dt__flow_fail(x, NULL, "it could not be judged: %s", dt_err_text(err)) : DT_OK;
}

static int run_steps(struct flow_run *x)
{
    int err = dt__flow_set_up(x);
    for (size_t i = 0; i < x->f->n_steps && !err;)
        err = step_run(x, &i);
    if (!err)
        err = wind_down(x);
    return err ? err : judge(x);
}

/* Why it cannot be run at all, or NULL. */
static const char *obstacle(const struct dt_flow *f, const struct dt_flow_options *o)
{
    for (size_t i = 0; i < f->n_parties; i++)
        if (f->parties[i].role == DT_FLOW_FOREIGN && !o->live)
            return "it has a foreign party, which only a run with --live can meet";
    if (o->live && (o->loss || o->duplicate || o->reorder))
        return "loss, duplicates and late packets are for the simulation; run it without --live";
    return NULL;
}

int dt_flow_run(const struct dt_flow *f, const struct dt_flow_options *o, struct dt_flow_result *r)
{
    struct dt_writer reason = dt_writer(r->reason, sizeof r->reason - 1);
    memset(r, 0, sizeof *r);
    r->mark = SIZE_MAX;
    dt_record_init(&r->record, f->alloc);
    if (obstacle(f, o)) {
        dt_write_z(&reason, obstacle(f, o));
        return DT_E_UNSUPPORTED;
    }
    for (size_t i = 0; i < f->n_parties; i++)
        if (dt_record_party(&r->record, f->parties[i].name) != i)
            return DT_E_NOMEM;
    struct flow_run x = {.f = f, .o = o, .r = r};
    x.w = o->live ? dt__flow_live_open(f, o, &r->record, r->reason, sizeof r->reason)
                  : dt__flow_sim_open(f, o, &r->record);
    if (!x.w)
        return o->live ? DT_E_IO : DT_E_NOMEM;
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
    l.hidden = o->probes || dt__flow_has_options(f) ? DT_STR_NONE : DT_STR("OPTIONS");
    l.mark = r->held ? SIZE_MAX : r->mark < l.to ? r->mark : l.to;
    l.mark_text = dt_str_z(r->reason);
    dt_ladder_write(&l, w);
}
