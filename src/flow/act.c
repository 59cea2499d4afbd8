/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Steps that do something to the system: what a person does at a phone, faults, waiting. */
#include "flow/run.h"

enum { COMMAND_SIZE = 160 };

/* Into the record, and told to who watches. */
static void note(struct flow_run *x, enum dt_record_kind kind, int party, struct dt_str text)
{
    struct dt_record *r = &x->r->record;
    size_t at = dt_record_note(r, x->w->ops->now(x->w), kind, (uint16_t)party, text);
    if (x->o->watch && at != SIZE_MAX)
        x->o->watch(x->o->watch_ctx, r, &r->items[at]);
}

static void note_action(struct flow_run *x, int party, struct dt_str text)
{
    x->zero = x->w->ops->now(x->w);
    if (!x->acted)
        x->r->zero = x->zero;
    x->acted = true;
    note(x, DT_REC_COMMAND, party, text);
}

/* "dial 1002": phones without a proxy call the other party's address. */
static void write_dial(const struct flow_run *x, const struct dt_flow_step *s, struct dt_writer *w)
{
    dt_write(w, s->text);
    for (size_t i = 0; i < x->f->n_parties; i++) {
        const struct dt_flow_party *p = &x->f->parties[i];
        if (p->role == DT_FLOW_PROXY || x->f->parties[s->party].primary >= 0 ||
            !dt_str_eq(p->number, s->method))
            continue;
        dt_write_lit(w, "sip:");
        dt_write(w, s->method);
        dt_write_char(w, '@');
        dt_addr_write(w, &x->w->addrs[i]);
        return;
    }
    dt_write(w, s->method);
}

/* A person answers or rejects what rings. */
static int wait_for_ring(struct flow_run *x, const struct dt_flow_step *s)
{
    struct dt_flow_step ring = *s;
    ring.state = DT_FLOW_RINGING;
    if (!dt_str_eq(s->text, DT_STR("answer")) && !dt_str_eq(s->text, DT_STR("reject")))
        return DT_OK;
    return dt__flow_see_state(x, &ring);
}

static int act_command(struct flow_run *x, const struct dt_flow_step *s)
{
    char text[COMMAND_SIZE];
    struct dt_writer w = dt_writer(text, sizeof text);
    int err = wait_for_ring(x, s);
    if (err)
        return err;
    if (s->method.n > 0)
        write_dial(x, s, &w);
    else
        dt_write(&w, s->text);
    if (w.err)
        return dt__flow_fail(x, s, "the number is too long");
    note_action(x, s->party, dt_writer_str(&w));
    x->w->ops->command(x->w, s->party, dt_writer_str(&w));
    return DT_OK;
}

static int act_fault(struct flow_run *x, const struct dt_flow_step *s)
{
    if (!x->acted)
        x->r->zero = x->w->ops->now(x->w);
    note(x, DT_REC_FAULT, s->party, s->text);
    return x->w->ops->fault(x->w, s->party, s->text) ? dt__flow_fail(x, s, "%s", x->w->error)
                                                     : DT_OK;
}

static int act_start(struct flow_run *x, const struct dt_flow_step *s)
{
    static const unsigned bindings[] = {
        [DT_FLOW_REGISTER_PRIMARY] = 1, [DT_FLOW_REGISTER_BOTH] = 2, [DT_FLOW_REGISTER_NONE] = 0};
    x->baseline += bindings[x->f->parties[s->party].registers]; /* they stay */
    note_action(x, s->party, DT_STR("start"));
    return x->w->ops->start(x->w, s->party) ? dt__flow_fail(x, s, "%s", x->w->error) : DT_OK;
}

static int act_wait(struct flow_run *x, const struct dt_flow_step *s)
{
    dt_time heard = x->o->hear ? x->o->hear : s->times[0];
    dt_time t = s->unscaled ? heard : dt__flow_scaled(x, s->times[0]);
    dt__flow_pass(x, t);
    return DT_OK;
}

int dt__flow_act(struct flow_run *x, const struct dt_flow_step *s)
{
    switch (s->kind) {
    case DT_FLOW_DO:
        return act_command(x, s);
    case DT_FLOW_FAULT:
        return act_fault(x, s);
    case DT_FLOW_START:
        return act_start(x, s);
    case DT_FLOW_WAIT:
        return act_wait(x, s);
    default:
        return DT_OK;
    }
}
