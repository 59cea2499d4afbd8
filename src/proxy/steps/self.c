/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests to the proxy itself: of our domain, and no user is named. */
#include "proxy/work.h"

/* What OPTIONS is answered with (RFC 3261 11.2). */
#define ABOUT_US \
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, REFER, NOTIFY, " \
    "SUBSCRIBE, MESSAGE, PUBLISH\r\nAccept: application/sdp\r\nSupported: path\r\n"

/* Without a state behind it (8.2.7): a repeat is answered anew, and probes (R18) cost no memory. */
enum dt_step_result dt__answer_options(struct dt_proxy_work *w)
{
    w->stateless = true;
    return dt__answer(w, DT_COUNT_ANSWERED_self, 200, DT_STR(ABOUT_US));
}

static enum dt_step_result run(struct dt_proxy_work *w)
{
    if (!w->ours || w->aor.n)
        return DT_STEP_CONTINUE;
    if (w->m->method == DT_OPTIONS && dt_sip_first(w->m, DT_H_DUALTONE_COPY))
        return dt__pair_word(w);
    if (w->m->method == DT_OPTIONS)
        return dt__answer_options(w);
    if (w->m->method == DT_CANCEL)
        return dt__answer(w, DT_COUNT_ANSWERED_cancel, 481, DT_STR_NONE);
    return dt__answer(w, DT_COUNT_ANSWERED_self, 404, DT_STR_NONE);
}

const struct dt_proxy_step dt__step_self = {"self", run};
