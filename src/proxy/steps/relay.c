/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request to somewhere else goes on by its Route or by RFC 3263, but only for callers that we
 * know: an open relay would serve anybody. */
#include "proxy/work.h"

/* Comes it by the flow that its From registered by? All there is to know somebody by without
 * subscribers. */
static bool is_registered(const struct dt_proxy_work *w)
{
    const struct dt_binding *found[DT_PROXY_TARGETS_MAX];
    const struct dt_uri *from = &w->m->from.uri;
    char buf[DT_AOR_MAX];
    if (!dt__self_is_uri(&w->p->self, from, &w->from.local))
        return false;
    struct dt_str aor = dt__aor_of(w->p, from, buf);
    size_t n = dt_location_find(w->p->location, w->now, aor, found, DT_PROXY_TARGETS_MAX, NULL);
    for (size_t i = 0; i < n && i < DT_PROXY_TARGETS_MAX; i++)
        if (dt_addr_eq(&found[i]->flow.remote, &w->from.remote))
            return true;
    return false;
}

static bool may_relay(const struct dt_proxy_work *w)
{
    if (w->let_through || w->user.n)
        return true;
    /* Where passwords exist, an address is no proof; ACK and CANCEL cannot be asked for one. */
    bool unasked = w->m->method == DT_ACK || w->m->method == DT_CANCEL;
    return (!dt__auth_required(w->p) || unasked) && is_registered(w);
}

static enum dt_step_result run(struct dt_proxy_work *w)
{
    if (w->n_targets)
        return DT_STEP_CONTINUE;
    if (!may_relay(w)) {
        bool cancel = w->m->method == DT_CANCEL;
        return dt__answer(w, cancel ? DT_COUNT_ANSWERED_cancel : DT_COUNT_ANSWERED_relay,
                          cancel ? 481 : 403, DT_STR_NONE);
    }
    w->targets[w->n_targets++] = (struct dt_proxy_target){.uri = w->uri_text};
    return DT_STEP_CONTINUE;
}

const struct dt_proxy_step dt__step_relay = {"relay", run};
