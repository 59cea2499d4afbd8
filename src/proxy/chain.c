/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request runs through the steps until one of them has dealt with it. */
#include "proxy/work.h"

enum { ROOM = 768 }; /* for lines of an answer: nearly all fit */

static const struct dt_proxy_step *const steps[] = {
    &dt__step_sanity, &dt__step_route,    &dt__step_loop,  &dt__step_auth, &dt__step_registrar,
    &dt__step_self,   &dt__step_location, &dt__step_relay, &dt__step_fork,
};

void dt__chain_run(struct dt_proxy_work *w)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i]->run(w) != DT_STEP_CONTINUE)
            return;
}

void dt__count(struct dt_proxy *p, enum dt_proxy_count why)
{
    p->counts.rows[why]++;
}

enum dt_step_result dt__drop(struct dt_proxy *p, const struct dt_sip_msg *m,
                             enum dt_proxy_count why)
{
    dt__count(p, why);
    dt_outbox_event(&p->out, DT_EV_DROP, 0, "%s: %.*s %.*s", dt__count_name(why),
                    DT_FMT(m->cseq.method_text), DT_FMT(m->call_id));
    return DT_STEP_DROP;
}

/* R17: whom the answer comes from, where we are the one who is asked. In `room` if it fits, else
 * `*own` (may come out NULL) is to be dropped. */
static struct dt_str with_node(const struct dt_proxy_work *w, int status, struct dt_str extra,
                               struct dt_writer *room, struct dt_bytes **own)
{
    struct dt_str line = dt__self_node_line(&w->p->self);
    *own = NULL;
    if (status != 100 && w->m->method != DT_OPTIONS && w->m->method != DT_REGISTER)
        return extra;
    if (!extra.n)
        return line;
    if (extra.n + line.n <= room->cap) {
        dt_write(room, extra);
        dt_write(room, line);
        return dt_writer_str(room);
    }
    *own = dt_bytes_new(w->p->env->alloc, extra.n + line.n);
    if (!*own)
        return extra;
    struct dt_writer out = dt_writer((*own)->data, (*own)->cap);
    dt_write(&out, extra);
    dt_write(&out, line);
    return dt_writer_str(&out);
}

int dt__respond(const struct dt_proxy_work *w, int status, struct dt_str extra)
{
    char lines[ROOM];
    struct dt_writer room = dt_writer(lines, sizeof lines);
    struct dt_bytes *own;
    struct dt_str all = with_node(w, status, extra, &room, &own);
    int err =
        dt_stack_reply(w->p->stack, w->now, w->tx, w->m, &w->from, status, all, !w->stateless);
    dt_bytes_drop(own);
    return err;
}

enum dt_step_result dt__answer(struct dt_proxy_work *w, enum dt_proxy_count why, int status,
                               struct dt_str extra)
{
    if (!w->tx)
        return dt__drop(w->p, w->m, DT_COUNT_DROPPED_ack);
    if (w->m->method == DT_INVITE && dt__stray_answered(w->p, w->now, w->m->via.branch)) {
        dt_stack_unanswered(w->p->stack, w->now, w->tx);
        return dt__drop(w->p, w->m, DT_COUNT_DROPPED_answered);
    }
    if (dt__respond(w, status, extra)) {
        dt_stack_unanswered(w->p->stack, w->now, w->tx);
        return dt__drop(w->p, w->m, DT_COUNT_DROPPED_ended);
    }
    dt__count(w->p, why);
    return DT_STEP_ANSWERED;
}

enum dt_step_result dt__answer_busy(struct dt_proxy_work *w)
{
    return dt__answer(w, DT_COUNT_ANSWERED_limit, 503, DT_STR("Retry-After: 5\r\n"));
}
