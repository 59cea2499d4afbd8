/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Loop detection (RFC 5393 4.2.2): has a node of the cluster forwarded this request before, with
 * nothing changed that decides where it goes? Another Request-URI or Route is a spiral. */
#include "proxy/work.h"

static bool is_looped(const struct dt_proxy_work *w, const struct dt_via *via)
{
    uint64_t loop;
    return dt__branch_loop_of(&w->p->keys, via->branch, &loop) &&
           dt__self_is_sent_by(&w->p->self, via->sent_by) && loop == dt__route_loop(w);
}

static enum dt_step_result run(struct dt_proxy_work *w)
{
    struct dt_sip_values v = dt_sip_values(w->m, DT_H_VIA);
    struct dt_str value;
    bool first = true;
    int status = w->m->method == DT_CANCEL ? 481 : 482; /* its INVITE has gone (RFC 3261 9.2) */
    while (dt_sip_values_next(&v, &value)) {
        struct dt_via via = w->m->via; /* the top one has been parsed */
        if ((first || !dt_sip_via(&via, value)) && is_looped(w, &via))
            return dt__answer(w, DT_COUNT_ANSWERED_loop, status, DT_STR_NONE);
        first = false;
    }
    return DT_STEP_CONTINUE;
}

const struct dt_proxy_step dt__step_loop = {"loop", run};
