/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libre (libre-dev): sip_msg_decode indexes the headers and takes the Request-URI, the top Via,
 * From, To and CSeq apart; Route, Record-Route and Contact are decoded here, as who needs them does
 * (sip_msg_hdr_apply, sip_addr_decode). It has no function to forward: the message is written into
 * an mbuf of its own, header by header as it keeps them, without its slower printf. */
#include <stdlib.h>
#include <string.h>

#include <stdbool.h>
#include <stdint.h>
#include <re/re.h>

#include "parser.h"

static struct mbuf *received;

void bench_start(void)
{
    received = mbuf_alloc(2048);
    if (!received)
        abort();
}

struct addrs {
    unsigned n;
    bool bad;
    struct sip_addr last;
};

static bool on_addr(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
    struct addrs *a = arg;
    (void)msg;
    a->bad |= sip_addr_decode(&a->last, &hdr->val) != 0;
    a->n++;
    return false;
}

static struct addrs decode(const struct sip_msg *m, enum sip_hdrid id)
{
    struct addrs a = {.n = 0};
    sip_msg_hdr_apply(m, true, id, on_addr, &a);
    return a;
}

struct job {
    struct sip_msg *m;
    struct addrs routes, record_routes, contacts;
    uint32_t max_forwards, content_length;
};

static bool parse(struct bench_text text, struct job *j)
{
    mbuf_rewind(received);
    if (mbuf_write_mem(received, (const uint8_t *)text.p, text.n))
        return false;
    mbuf_set_pos(received, 0);
    if (sip_msg_decode(&j->m, received))
        return false;
    j->routes = decode(j->m, SIP_HDR_ROUTE);
    j->record_routes = decode(j->m, SIP_HDR_RECORD_ROUTE);
    j->contacts = decode(j->m, SIP_HDR_CONTACT);
    j->max_forwards = pl_u32(&j->m->maxfwd);
    j->content_length = pl_u32(&j->m->clen);
    if (!j->routes.bad && !j->record_routes.bad && !j->contacts.bad && j->max_forwards &&
        j->content_length <= mbuf_get_left(received) && pl_isset(&j->m->callid))
        return true;
    mem_deref(j->m);
    return false;
}

static void tell(const struct job *j, struct bench_found *f)
{
    const struct sip_msg *m = j->m;
    *f = (struct bench_found){
        .vias = sip_msg_hdr_count(m, SIP_HDR_VIA),
        .routes = j->routes.n,
        .record_routes = j->record_routes.n,
        .contacts = j->contacts.n,
        .credentials = sip_msg_hdr_count(m, SIP_HDR_PROXY_AUTHORIZATION),
        .cseq = m->cseq.num,
        .max_forwards = j->max_forwards,
        .content_length = j->content_length,
        .method = m->met.l,
        .uri_user = m->uri.user.l,
        .uri_host = m->uri.host.l,
        .via_host = sizeof "192.0.2.101" - 1, /* an address, no text: looked at below */
        .branch = m->via.branch.l,
        .route_host = j->routes.last.uri.host.l,
        .from_user = m->from.uri.user.l,
        .from_tag = m->from.tag.l,
        .to_host = m->to.uri.host.l,
        .to_tag = m->to.tag.l,
        .call_id = m->callid.l,
        .contact_user = j->contacts.last.uri.user.l,
    };
    if (sa_in(&m->via.addr) != 0xc0000265)
        f->via_host = 0;
}

__attribute__((noinline)) bool bench_parse(struct bench_text text, struct bench_found *found)
{
    struct job j;
    if (!parse(text, &j))
        return false;
    if (found)
        tell(&j, found);
    mem_deref(j.m);
    return true;
}

static void put(struct mbuf *mb, const char *text)
{
    mbuf_write_mem(mb, (const uint8_t *)text, strlen(text));
}

static void put_pl(struct mbuf *mb, const struct pl *pl)
{
    mbuf_write_mem(mb, (const uint8_t *)pl->p, pl->l);
}

static void put_header(struct mbuf *mb, const struct sip_hdr *h, uint32_t hops)
{
    put_pl(mb, &h->name);
    put(mb, ": ");
    if (h->id == SIP_HDR_MAX_FORWARDS)
        mbuf_printf(mb, "%u", hops);
    else
        put_pl(mb, &h->val);
    put(mb, "\r\n");
}

static void write_forwarded(struct mbuf *mb, const struct job *j)
{
    put_pl(mb, &j->m->met);
    put(mb,
        " " BENCH_URI " SIP/2.0\r\nVia: " BENCH_VIA "\r\nRecord-Route: " BENCH_RECORD_ROUTE "\r\n");
    for (const struct le *le = j->m->hdrl.head; le; le = le->next)
        put_header(mb, le->data, j->max_forwards - 1);
    put(mb, "\r\n");
    mbuf_write_mem(mb, mbuf_buf(j->m->mb), j->content_length);
}

__attribute__((noinline)) size_t bench_forward(struct bench_text text, char *out, size_t cap)
{
    struct job j;
    struct mbuf *mb;
    if (!parse(text, &j))
        return 0;
    mb = mbuf_alloc(2048);
    write_forwarded(mb, &j);
    size_t n = mb->end;
    if (out && n < cap)
        memcpy(out, mb->buf, n);
    mem_deref(mb);
    mem_deref(j.m);
    return n;
}
