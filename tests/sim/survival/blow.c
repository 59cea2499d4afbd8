/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The blow: when P is struck, how, and what comes after. */
#include "stage.h"

#include "dualtone/msg.h"

#include <string.h>

enum { MOVES_AFTER_S = 1 };

/* ---- striking ---- */

static void note(struct stage *s, int party, const char *what)
{
    (void)dt_record_note(&s->result.record, stage_now(s), DT_REC_FAULT, (uint16_t)party,
                         dt_str_z(what));
}

static void fault(struct stage *s, const char *what)
{
    note(s, P, what);
    if (s->run.w->ops->fault(s->run.w, P, dt_str_z(what)))
        stage_fail(s, "%s: %s", what, s->run.w->error);
}

static const char *words(enum fault f)
{
    static const char *const table[N_FAULTS] = {
        [FAULT_KILL] = "silence",  [FAULT_BLACKHOLE] = "blackhole", [FAULT_REFUSE] = "kill",
        [FAULT_RESTART0] = "kill", [FAULT_RESTART2] = "kill",
    };
    return fault_hangs(f) ? "hang" : table[f];
}

void blow_strike(struct stage *s)
{
    const struct cell *c = s->cell;
    int returns = fault_returns(c->fault);
    s->moment.armed = false;
    s->struck = true;
    s->struck_at = stage_now(s);
    fault(s, words(c->fault));
    if (returns >= 0 && c->phase != PHASE_KNOWN) /* there it counts from dialling: people.c */
        s->return_at = s->struck_at + returns * DT_SECOND;
    if (cell_moves(c))
        s->move_at = s->struck_at + MOVES_AFTER_S * DT_SECOND;
}

static void cut(struct stage *s, bool on)
{
    for (int i = B; i <= last_callee(s); i++)
        dt__flow_sim_cut(s->run.w, P, i, on);
}

dt_time blow_tick(struct stage *s)
{
    dt_time now = stage_now(s);
    if (s->struck && s->cut.cut) {
        cut(s, false);
        s->cut.cut = false;
    }
    if (now >= s->move_at) {
        s->move_at = DT_TIME_NEVER;
        s->moved = true;
        note(s, P, "loses its address to S");
        dt__flow_sim_move(s->run.w, P, S);
    }
    if (now >= s->return_at) {
        s->return_at = DT_TIME_NEVER;
        s->returned = true;
        fault(s, fault_hangs(s->cell->fault) ? "wake" : "restart");
    }
    return dt_time_min(s->move_at, s->return_at);
}

/* ---- moments ---- */

static bool fits(const struct stage *s, const struct moment *m, const struct dt_record_item *it)
{
    const struct dt_record *r = &s->result.record;
    struct dt_label label;
    if (!m->armed || it->kind != m->kind || dt_record_whose(r, &it->from) != m->from ||
        dt_record_whose(r, &it->to) != m->to)
        return false;
    dt_label_of(&label, dt_bytes_str(it->bytes));
    struct dt_str text = dt_bytes_str(it->bytes);
    return label.sip && label.request == (m->status == 0) && label.status == m->status &&
           strcmp(label.method, m->method) == 0 &&
           (!m->has || dt_str_search(text, dt_str_z(m->has)) < text.n);
}

void blow_watch(void *ctx, const struct dt_record *r, const struct dt_record_item *item)
{
    struct stage *s = ctx;
    (void)r;
    struct dt_record_item it = *item; /* it moves when more is noted */
    if (fits(s, &s->cut, &it)) {
        s->cut.armed = false;
        cut(s, true);
    }
    if (fits(s, &s->moment, &it))
        blow_strike(s);
}

/* A request from `from` at P: a process that is killed has read it, for a stopped one it lies in
 * the socket. */
static struct moment at_p(const struct stage *s, int from, const char *method, const char *has)
{
    struct moment m = {.armed = true, .from = from, .to = P, .method = method, .has = has};
    m.kind = fault_kills(s->cell->fault) ? DT_REC_ARRIVED : DT_REC_SENT;
    return m;
}

static void arm_trying(struct stage *s)
{
    const struct cell *c = s->cell;
    s->moment = (struct moment){.armed = true, .from = P, .to = A, .method = "INVITE"};
    s->moment.status = 100;
    s->moment.has = c->auth ? "CSeq: 2 " : NULL;
    /* 100 leaves first (R9): who is killed then sends nothing more. */
    s->moment.kind = fault_kills(c->fault) ? DT_REC_SENT : DT_REC_ARRIVED;
    if (c->tcp || fault_kills(c->fault))
        return;
    s->cut = s->moment;
    s->cut.kind = DT_REC_SENT;
    s->cut.cut = true;
}

void blow_arm(struct stage *s)
{
    const char *credentials = s->cell->auth ? "Proxy-Authorization:" : NULL;
    switch (s->cell->phase) {
    case PHASE_INVITED:
        s->moment = at_p(s, A, "INVITE", credentials);
        break;
    case PHASE_TRYING:
        arm_trying(s);
        break;
    case PHASE_REACHED:
        s->moment = (struct moment){
            .armed = true, .kind = DT_REC_ARRIVED, .from = P, .to = B, .method = "INVITE"};
        break;
    case PHASE_CANCEL_WAY:
        s->moment = at_p(s, A, "CANCEL", NULL);
        break;
    case PHASE_OK_WAY:
        s->moment = (struct moment){
            .armed = true, .kind = DT_REC_SENT, .from = B, .to = P, .method = "INVITE"};
        s->moment.status = 200;
        break;
    case PHASE_ACK_WAY:
        s->moment = at_p(s, A, "ACK", NULL);
        break;
    case PHASE_REINVITE_WAY:
        s->moment = at_p(s, A, "INVITE", NULL);
        break;
    case PHASE_BYE_CALLER:
        s->moment = at_p(s, A, "BYE", NULL);
        break;
    case PHASE_BYE_CALLEE:
        s->moment = at_p(s, B, "BYE", NULL);
        break;
    default:
        break;
    }
}
