/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sofia-SIP (libsofia-sip-ua-dev): msg_make, its way from a text to a message, takes all headers
 * that it knows apart, in place. To forward, headers are inserted as its transaction layer does
 * (nta.c), and msg_prepare writes only what is new: the others keep the text that they came in. */
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_alloc.h>

#include "parser.h"

static const msg_mclass_t *sip_class;
static su_home_t home[1] = {SU_HOME_INIT(home)};
static url_t *new_url;
static sip_record_route_t *new_route;

void bench_start(void)
{
    su_init();
    sip_class = sip_default_mclass();
    new_url = url_make(home, BENCH_URI);
    new_route = sip_record_route_make(home, BENCH_RECORD_ROUTE);
    if (!new_url || !new_route)
        abort();
}

static msg_t *parse(struct bench_text text, sip_t **sip)
{
    msg_t *msg = msg_make(sip_class, 0, text.p, (ssize_t)text.n);
    *sip = msg ? sip_object(msg) : NULL;
    if (*sip && !(*sip)->sip_error && !MSG_HAS_ERROR((*sip)->sip_flags) && (*sip)->sip_request &&
        sip_sanity_check(*sip) == 0)
        return msg;
    if (msg)
        msg_destroy(msg);
    return NULL;
}

static size_t length(const char *z)
{
    return z ? strlen(z) : 0;
}

static void tell(const sip_t *sip, struct bench_found *f)
{
    *f = (struct bench_found){
        .vias = 0,
        .cseq = sip->sip_cseq->cs_seq,
        .max_forwards = sip->sip_max_forwards->mf_count,
        .content_length = sip->sip_content_length->l_length,
        .method = length(sip->sip_request->rq_method_name),
        .uri_user = length(sip->sip_request->rq_url->url_user),
        .uri_host = length(sip->sip_request->rq_url->url_host),
        .via_host = length(sip->sip_via->v_host),
        .branch = length(sip->sip_via->v_branch),
        .route_host = length(sip->sip_route->r_url->url_host),
        .from_user = length(sip->sip_from->a_url->url_user),
        .from_tag = length(sip->sip_from->a_tag),
        .to_host = length(sip->sip_to->a_url->url_host),
        .to_tag = length(sip->sip_to->a_tag),
        .call_id = length(sip->sip_call_id->i_id),
        .contact_user = length(sip->sip_contact->m_url->url_user),
    };
    for (const sip_via_t *v = sip->sip_via; v; v = v->v_next)
        f->vias++;
    for (const sip_route_t *r = sip->sip_route; r; r = r->r_next)
        f->routes++;
    for (const sip_record_route_t *r = sip->sip_record_route; r; r = r->r_next)
        f->record_routes++;
    for (const sip_contact_t *c = sip->sip_contact; c; c = c->m_next)
        f->contacts++;
    for (const sip_proxy_authorization_t *a = sip->sip_proxy_authorization; a; a = a->au_next)
        f->credentials++;
}

__attribute__((noinline)) bool bench_parse(struct bench_text text, struct bench_found *found)
{
    sip_t *sip;
    msg_t *msg = parse(text, &sip);
    if (!msg)
        return false;
    if (found)
        tell(sip, found);
    msg_destroy(msg);
    return true;
}

static bool edit(msg_t *msg, sip_t *sip)
{
    su_home_t *h = msg_home(msg);
    sip_request_t *old = sip->sip_request;
    sip_request_t *rq = sip_request_create(h, old->rq_method, old->rq_method_name,
                                           (url_string_t *)(void *)new_url, NULL);
    sip_via_t *via = sip_via_create(h, BENCH_VIA_HOST, BENCH_VIA_PORT, "SIP/2.0/UDP",
                                    BENCH_VIA_BRANCH, "rport", BENCH_VIA_OURS, NULL);
    sip_record_route_t *route = sip_record_route_dup(h, new_route);
    if (!rq || !via || !route || !sip->sip_max_forwards->mf_count)
        return false;
    sip->sip_max_forwards->mf_count--;
    msg_fragment_clear(sip->sip_max_forwards->mf_common);
    return sip_header_insert(msg, sip, (sip_header_t *)(void *)rq) == 0 &&
           sip_header_insert(msg, sip, (sip_header_t *)(void *)via) == 0 &&
           sip_header_insert(msg, sip, (sip_header_t *)(void *)route) == 0;
}

/* The pieces are sent by one system call; they are copied only to be looked at. */
static size_t gather(msg_t *msg, char *out, size_t cap)
{
    enum { PARTS = 64 };
    msg_iovec_t parts[PARTS];
    isize_t count = msg_iovec(msg, parts, PARTS);
    size_t n = 0;
    if (count > PARTS)
        return 0;
    for (isize_t i = 0; i < count; i++) {
        if (out && n + parts[i].mv_len < cap)
            memcpy(out + n, parts[i].mv_base, parts[i].mv_len);
        n += parts[i].mv_len;
    }
    return n;
}

__attribute__((noinline)) size_t bench_forward(struct bench_text text, char *out, size_t cap)
{
    sip_t *sip;
    msg_t *msg = parse(text, &sip);
    size_t n = 0;
    if (!msg)
        return 0;
    if (edit(msg, sip) && msg_serialize(msg, (msg_pub_t *)(void *)sip) == 0 && msg_prepare(msg) > 0)
        n = gather(msg, out, cap);
    msg_destroy(msg);
    return n;
}
