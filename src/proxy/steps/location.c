/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A user of our domain is looked up (RFC 3261 16.5): every binding is a target. */
#include "proxy/work.h"

/* Without subscribers nobody can say who exists; who has or just had bindings does. */
static bool exists(const struct dt_proxy_work *w, bool known)
{
    char buf[DT_AOR_MAX];
    const struct dt_proxy *p = w->p;
    return known || dt_subscribers_has(p->subscribers, dt__user_of(&w->uri, buf, sizeof buf),
                                       p->cfg->domain);
}

static enum dt_step_result nobody(struct dt_proxy_work *w, bool known)
{
    if (w->m->method == DT_CANCEL)
        return dt__answer(w, DT_COUNT_ANSWERED_cancel, 481, DT_STR_NONE);
    return dt__answer(w, DT_COUNT_ANSWERED_location, exists(w, known) ? 480 : 404, DT_STR_NONE);
}

/* R12: who does not know who is bound cannot say that a user is absent. */
static enum dt_step_result unfilled(struct dt_proxy_work *w)
{
    if (!dt__pair_is_quiet(w->p, w->now))
        return dt__answer(w, DT_COUNT_ANSWERED_limit, 503, DT_STR("Retry-After: 2\r\n"));
    if (w->tx && w->tx != DT_TX_NEW)
        dt_stack_abandon(w->p->stack, w->now, w->tx);
    return dt__drop(w->p, w->m, DT_COUNT_DROPPED_unfilled);
}

static enum dt_step_result run(struct dt_proxy_work *w)
{
    const struct dt_binding *found[DT_PROXY_TARGETS_MAX];
    bool known;
    if (!w->ours)
        return DT_STEP_CONTINUE;
    size_t n =
        dt_location_find(w->p->location, w->now, w->aor, found, DT_PROXY_TARGETS_MAX, &known);
    if (!dt__pair_knows(w->p, w->now, n))
        return unfilled(w);
    if (!n)
        return nobody(w, known);
    if (n > DT_PROXY_TARGETS_MAX)
        n = DT_PROXY_TARGETS_MAX;
    for (size_t i = 0; i < n; i++)
        w->targets[i] = (struct dt_proxy_target){.uri = dt_binding_contact(found[i]),
                                                 .path = dt_binding_path(found[i]),
                                                 .flow = &found[i]->flow};
    w->n_targets = n;
    return DT_STEP_CONTINUE;
}

const struct dt_proxy_step dt__step_location = {"location", run};
