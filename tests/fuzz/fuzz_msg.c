/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any datagram through the parser, the check and every value parser; what comes out keeps the
 * promises of msg.h. Seeds: tests/corpus/torture. */
#include "dualtone/msg.h"
#include "fuzz.h"

/* ---- values: each from a copy of its own, so that the sanitizer sees the first byte too far ----
 */

static void uri(const struct dt_uri *u, struct dt_str whole)
{
    const struct dt_str parts[] = {u->text,     u->scheme_text, u->user,   u->host,
                                   u->password, u->params,      u->headers};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        inside(parts[i], whole);
}

static void via(struct dt_str s)
{
    struct dt_via v;
    struct dt_addr a;
    if (dt_sip_via(&v, s))
        return;
    const struct dt_str parts[] = {v.text,   v.transport, v.sent_by,  v.host,
                                   v.params, v.branch,    v.received, v.rport};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        inside(parts[i], s);
    dt_via_response_addr(&v, &a);
    dt_via_has_cookie(&v);
}

static void name_addr(struct dt_str s)
{
    struct dt_name_addr a;
    struct dt_str value;
    if (dt_sip_name_addr(&a, s))
        return;
    const struct dt_str parts[] = {a.text, a.display, a.params, a.tag};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        inside(parts[i], s);
    uri(&a.uri, s);
    if (dt_param(a.params, "tag", &value))
        inside(value, s);
}

static void others(struct dt_str s)
{
    struct dt_cseq c;
    struct dt_media_type t;
    struct dt_warning w;
    uint32_t n;
    if (dt_sip_cseq(&c, s) == DT_OK)
        must(c.number < 1u << 31 && c.method_text.n);
    if (dt_sip_media_type(&t, s) == DT_OK)
        inside(t.params, s);
    if (dt_sip_warning(&w, s) == DT_OK)
        inside(w.text, s);
    dt_sip_number(&n, s);
    dt_sip_retry_after(&n, s);
}

static void values(struct dt_str s)
{
    char *copy = malloc(s.n ? s.n : 1);
    must(copy != NULL);
    if (s.n)
        memcpy(copy, s.p, s.n);
    s.p = copy;
    via(s);
    name_addr(s);
    others(s);
    free(copy);
}

/* ---- the message ---- */

/* Lines follow each other without a gap, and the chain of each id holds each of its lines once. */
static void index_of(const struct dt_sip_msg *m)
{
    unsigned chained = 0, known = 0;
    for (unsigned i = 0; i < m->n; i++) {
        const struct dt_sip_header *h = &m->headers[i];
        must(h->name_at >= m->headers_at && h->end <= m->headers_end);
        must(h->name_at + h->name_n < h->value_at && h->value_at + h->value_n < h->end);
        must(!i || h->name_at >= h[-1].end);
        must(h->id == dt_header_find(dt_sip_name(m, h)));
        known += h->id != DT_H_OTHER;
        values(dt_sip_value(m, h));
    }
    for (int id = 1; id < DT_H_COUNT; id++)
        for (const struct dt_sip_header *h = dt_sip_first(m, (enum dt_header_id)id); h;
             h = dt_sip_next(m, h)) {
            must(h->id == id);
            chained++;
        }
    must(chained == known);
}

static void lists(const struct dt_sip_msg *m)
{
    for (int id = 1; id < DT_H_COUNT; id++) {
        struct dt_sip_values v = dt_sip_values(m, (enum dt_header_id)id);
        struct dt_str value;
        while (dt_sip_values_next(&v, &value)) {
            inside(value, dt_sip_value(m, v.line));
            must(value.n > 0);
            values(value);
        }
    }
}

static void parts(const struct dt_sip_msg *m)
{
    const struct dt_str all[] = {m->method_text, m->uri_text,         m->reason,
                                 m->body,        m->via.text,         m->from.text,
                                 m->to.text,     m->cseq.method_text, m->call_id};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        inside(all[i], m->text);
    uri(&m->uri, m->text);
    must(m->max_forwards >= -1 && m->max_forwards <= 255);
    must(m->status == 0 || (m->status >= 100 && m->status <= 699));
    must(m->headers_at <= m->headers_end && m->headers_end <= m->text.n);
    if (m->fault)
        return;
    must(m->via.text.p && m->from.text.p && m->to.text.p && m->call_id.n && m->cseq.method_text.n);
    must(m->request ? m->uri.text.p != NULL : m->status != 0);
}

static void keep(const struct dt_sip_msg *m)
{
    struct dt_sip_msg *copy = dt_sip_msg_keep(&dt_alloc_libc, m);
    if (!copy)
        return;
    must(dt_str_eq(copy->text, m->text) && dt_str_eq(copy->from.tag, m->from.tag));
    parts(copy);
    dt_sip_msg_drop(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    char *text = calloc(1, size + DT_PAD);
    must(text != NULL);
    if (size)
        memcpy(text, data, size);
    int err = dt_sip_parse(&m, (struct dt_str){text, size}, headers, DT_MSG_HEADERS_MAX);
    must((err == DT_OK) == (m.fault == DT_FAULT_NONE));
    inside(m.text, (struct dt_str){text, size});
    must(dt_sip_check(&m) == (m.fault ? DT_E_SYNTAX : DT_OK));
    parts(&m);
    index_of(&m);
    lists(&m);
    keep(&m);
    free(text);
    return 0;
}
