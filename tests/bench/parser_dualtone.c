/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ours: dt_sip_parse finds the lines, dt_sip_check takes the top Via, From, To, Call-ID, CSeq,
 * Max-Forwards and the Request-URI apart, and reads every Route and Contact through; further Via
 * values are cut at their commas. */
#include <string.h>

#include "dualtone/build.h"
#include "parser.h"

static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];

void bench_start(void)
{
}

static unsigned count(const struct dt_sip_msg *m, enum dt_header_id id)
{
    struct dt_sip_values values = dt_sip_values(m, id);
    struct dt_str value;
    unsigned n = 0;
    while (dt_sip_values_next(&values, &value))
        n++;
    return n;
}

static void tell(const struct dt_sip_msg *m, struct bench_found *f)
{
    struct dt_name_addr route = {.star = false}, contact = {.star = false};
    dt_sip_name_addr(&route, dt_sip_get(m, DT_H_ROUTE));
    dt_sip_name_addr(&contact, dt_sip_get(m, DT_H_CONTACT));
    *f = (struct bench_found){
        .vias = count(m, DT_H_VIA),
        .routes = count(m, DT_H_ROUTE),
        .record_routes = count(m, DT_H_RECORD_ROUTE),
        .contacts = count(m, DT_H_CONTACT),
        .credentials = count(m, DT_H_PROXY_AUTHORIZATION),
        .cseq = m->cseq.number,
        .max_forwards = (unsigned long)m->max_forwards,
        .content_length = m->body.n,
        .method = m->method_text.n,
        .uri_user = m->uri.user.n,
        .uri_host = m->uri.host.n,
        .via_host = m->via.host.n,
        .branch = m->via.branch.n,
        .route_host = route.uri.host.n,
        .from_user = m->from.uri.user.n,
        .from_tag = m->from.tag.n,
        .to_host = m->to.uri.host.n,
        .to_tag = m->to.tag.n,
        .call_id = m->call_id.n,
        .contact_user = contact.uri.user.n,
    };
}

__attribute__((noinline)) bool bench_parse(struct bench_text text, struct bench_found *found)
{
    struct dt_sip_msg m;
    if (dt_sip_parse(&m, (struct dt_str){text.p, text.n}, headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_check(&m))
        return false;
    if (found)
        tell(&m, found);
    return true;
}

__attribute__((noinline)) size_t bench_forward(struct bench_text text, char *out, size_t cap)
{
    struct dt_sip_msg m;
    struct dt_sip_edits e;
    struct dt_bytes *bytes = NULL;
    char hops[4];
    struct dt_writer w = dt_writer(hops, sizeof hops);
    if (dt_sip_parse(&m, (struct dt_str){text.p, text.n}, headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_check(&m))
        return 0;
    dt_write_u64(&w, (uint64_t)(m.max_forwards - 1));
    dt_sip_edits_init(&e, &m);
    dt_sip_edit_uri(&e, DT_STR(BENCH_URI));
    dt_sip_edit_push(&e, DT_H_VIA, DT_STR(BENCH_VIA));
    dt_sip_edit_push(&e, DT_H_RECORD_ROUTE, DT_STR(BENCH_RECORD_ROUTE));
    dt_sip_edit_value(&e, dt_sip_first(&m, DT_H_MAX_FORWARDS), dt_writer_str(&w));
    if (dt_sip_forward(&e, &dt_alloc_libc, &bytes))
        return 0;
    size_t n = bytes->n;
    if (out && n < cap)
        memcpy(out, bytes->data, n);
    dt_bytes_drop(bytes);
    return n;
}
