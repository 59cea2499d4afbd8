/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Is this a request that can be worked on at all (RFC 3261 16.3)? Syntax and mandatory headers were
 * checked by the stack. */
#include "proxy/work.h"

static enum dt_step_result refuse(struct dt_proxy_work *w, int status)
{
    return dt__answer(w, DT_COUNT_ANSWERED_sanity, status, DT_STR_NONE);
}

static size_t count_values(const struct dt_sip_msg *m, enum dt_header_id id, size_t max)
{
    struct dt_sip_values v = dt_sip_values(m, id);
    struct dt_str value;
    size_t n = 0;
    while (n <= max && dt_sip_values_next(&v, &value))
        n++;
    return n;
}

/* 16.3 step 5: extensions that a proxy must know; we know none that needs one. */
static enum dt_step_result refuse_extensions(struct dt_proxy_work *w)
{
    char extra[512];
    struct dt_writer out = dt_writer(extra, sizeof extra);
    struct dt_sip_values v = dt_sip_values(w->m, DT_H_PROXY_REQUIRE);
    struct dt_str value;
    dt_write_lit(&out, "Unsupported: ");
    for (size_t n = 0; dt_sip_values_next(&v, &value); n++) {
        if (n)
            dt_write_lit(&out, ", ");
        dt_write(&out, value);
    }
    dt_write_lit(&out, "\r\n");
    return dt__answer(w, DT_COUNT_ANSWERED_sanity, 420,
                      out.err ? DT_STR_NONE : dt_writer_str(&out));
}

/* 16.3 step 3. OPTIONS is answered by whoever it reaches last (R18: a probe). */
static enum dt_step_result at_the_end(struct dt_proxy_work *w)
{
    if (w->m->method == DT_OPTIONS)
        return dt__answer_options(w);
    return dt__answer(w, DT_COUNT_ANSWERED_hops, 483, DT_STR_NONE);
}

static enum dt_step_result run(struct dt_proxy_work *w)
{
    const struct dt_sip_msg *m = w->m;
    if (m->uri.scheme != DT_URI_SIP) /* no TLS here, so no SIPS either */
        return refuse(w, 416);
    if (count_values(m, DT_H_VIA, DT_PROXY_VIAS_MAX) > DT_PROXY_VIAS_MAX ||
        count_values(m, DT_H_ROUTE, DT_PROXY_ROUTES_MAX) > DT_PROXY_ROUTES_MAX)
        return refuse(w, 400);
    if (m->max_forwards == 0)
        return at_the_end(w);
    /* CANCEL and ACK are never refused for an extension (8.2.2.3, 16.3). */
    if (dt_sip_first(m, DT_H_PROXY_REQUIRE) && m->method != DT_CANCEL && m->method != DT_ACK)
        return refuse_extensions(w);
    return DT_STEP_CONTINUE;
}

const struct dt_proxy_step dt__step_sanity = {"sanity", run};
