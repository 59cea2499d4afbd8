/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A response to a request (RFC 3261 8.2.6): what it repeats of the request, and the Via by which it
 * finds its way (18.2.1, RFC 3581). */
#include <string.h>

#include "dualtone/build.h"
#include "sip/parts.h"

/* Line ends in a parsed value are folds, and each byte of a fold may be a space (RFC 3261 7.3.1):
 * what is written is one line to every reader. */
static void unfold(struct dt_writer *w, size_t from)
{
    if (dt_sip_line_safe(dt_str_sub(dt_writer_str(w), from, w->n)))
        return; /* nearly always */
    for (size_t i = from; i < w->n; i++)
        if (w->p[i] == '\r' || w->p[i] == '\n')
            w->p[i] = ' ';
}

/* ---- Via ---- */

enum { VIA_GROWTH = 64 }; /* ";received=" IPv6 ";rport=65535" */

/* All parameters but the two that are ours to write. */
static void write_other_params(struct dt_writer *w, const struct dt_via *via)
{
    struct dt_str text = via->text;
    size_t head = (size_t)(via->sent_by.p + via->sent_by.n - text.p);
    struct dt_reader r = dt_reader(dt_str_sub(text, head, text.n));
    struct dt__param p;
    const char *from = r.p;
    for (; dt__param_next(&r, &p) > 0; from = r.p) {
        bool ours = DT__IS(p.name, "received") || DT__IS(p.name, "rport");
        if (!ours)
            dt_write(w, dt_str_trim((struct dt_str){from, (size_t)(r.p - from)}));
    }
}

static bool is_from(const struct dt_via *via, const struct dt_addr *source)
{
    struct dt_addr sent_by;
    return dt__host_addr(via->host, &sent_by) == DT_OK && dt_addr_ip_eq(&sent_by, source);
}

void dt_sip_write_via(struct dt_writer *w, const struct dt_via *via, const struct dt_addr *source)
{
    size_t from = w->n, head = (size_t)(via->sent_by.p + via->sent_by.n - via->text.p);
    dt_write(w, dt_str_sub(via->text, 0, head));
    write_other_params(w, via);
    if (via->has_rport || !is_from(via, source)) {
        dt_write_lit(w, ";received=");
        dt_addr_write_ip(w, source, false);
    }
    if (via->has_rport) {
        dt_write_lit(w, ";rport=");
        dt_write_u64(w, source->port);
    }
    unfold(w, from);
}

/* ---- what is copied ---- */

static bool wants_routes(const struct dt_sip_answer *ans)
{
    return ans->record_routes;
}
static bool is_trying(const struct dt_sip_answer *ans)
{
    return ans->status == 100; /* 8.2.6.1 */
}

static const struct copied {
    enum dt_header_id id;
    bool (*when)(const struct dt_sip_answer *ans); /* NULL: always */
} copied[] = {
    {DT_H_VIA, NULL},
    {DT_H_RECORD_ROUTE, wants_routes},
    {DT_H_FROM, NULL},
    {DT_H_TO, NULL},
    {DT_H_CALL_ID, NULL},
    {DT_H_CSEQ, NULL},
    {DT_H_TIMESTAMP, is_trying},
};
enum { COPIED = sizeof copied / sizeof copied[0] };

static bool is_copied(size_t i, const struct dt_sip_answer *ans)
{
    return !copied[i].when || copied[i].when(ans);
}

/* The tag to add to To, or empty: the request has one, or it is a 100 (8.2.6.2). */
static struct dt_str new_tag(const struct dt_sip_msg *req, const struct dt_sip_answer *ans)
{
    struct dt_name_addr to;
    if (ans->status == 100)
        return DT_STR_NONE;
    if (req->checked && req->to.text.p)
        return req->to.tag.n ? DT_STR_NONE : ans->to_tag;
    if (dt_sip_name_addr(&to, dt_sip_get(req, DT_H_TO)) || to.tag.n)
        return DT_STR_NONE;
    return ans->to_tag;
}

/* The top Via, which a check has parsed already. False: it cannot be, or it stands in another line
 * than the first, which is empty. */
static bool parse_top_via(const struct dt_sip_msg *req, struct dt_str line, struct dt_via *out)
{
    struct dt_sip_values values = dt_sip_values(req, DT_H_VIA);
    struct dt_str first;
    if (req->checked && req->via.text.p)
        *out = req->via;
    else if (!dt_sip_values_next(&values, &first) || dt_sip_via(out, first))
        return false;
    return out->text.p < line.p + line.n;
}

/* What cannot be parsed is repeated as it came. */
static void write_top_via(struct dt_writer *w, const struct dt_sip_msg *req, struct dt_str value,
                          const struct dt_addr *source)
{
    struct dt_via via;
    size_t behind = 0;
    if (parse_top_via(req, value, &via)) {
        dt_sip_write_via(w, &via, source);
        behind = (size_t)(via.text.p + via.text.n - value.p);
    }
    dt_write(w, dt_str_sub(value, behind, value.n));
}

/* Does the line begin on the wire as we would write it? */
static bool is_plain(const struct dt_sip_msg *req, const struct dt_sip_header *h)
{
    struct dt_str head = dt__header_heads[h->id];
    return h->name_at + head.n == h->value_at &&
           memcmp(req->text.p + h->name_at, head.p, head.n) == 0;
}

static void write_copy(struct dt_writer *w, const struct dt_sip_msg *req,
                       const struct dt_sip_header *h, const struct dt_sip_answer *ans)
{
    size_t from = w->n;
    struct dt_str value = dt_sip_value(req, h);
    bool top_via = h->id == DT_H_VIA && ans->source && h == dt_sip_first(req, DT_H_VIA);
    if (!top_via && is_plain(req, h)) /* head and value at once */
        value = dt_str_sub(req->text, h->name_at, (size_t)(h->value_at - h->name_at) + h->value_n);
    else
        dt_write(w, dt__header_heads[h->id]);
    if (top_via)
        write_top_via(w, req, value, ans->source);
    else
        dt_write(w, value);
    /* A faulty request may have several: the tag is added once, as copies_room has it. */
    bool first_to = h->id == DT_H_TO && h == dt_sip_first(req, DT_H_TO);
    struct dt_str tag = first_to ? new_tag(req, ans) : DT_STR_NONE;
    if (tag.n) {
        dt_write_lit(w, ";tag=");
        dt_write(w, tag);
    }
    unfold(w, from);
    dt_write_lit(w, "\r\n");
}

static void write_copies(struct dt_writer *w, const struct dt_sip_msg *req,
                         const struct dt_sip_answer *ans)
{
    for (size_t i = 0; i < COPIED; i++) {
        if (!is_copied(i, ans))
            continue;
        const struct dt_sip_header *h = dt_sip_first(req, copied[i].id);
        for (; h; h = dt_sip_next(req, h))
            write_copy(w, req, h, ans);
    }
}

/* At least what write_copies needs. */
static size_t copies_room(const struct dt_sip_msg *req, const struct dt_sip_answer *ans)
{
    size_t n = VIA_GROWTH + ans->to_tag.n + sizeof ";tag=";
    for (size_t i = 0; i < COPIED; i++) {
        if (!is_copied(i, ans))
            continue;
        size_t name = dt__header_heads[copied[i].id].n;
        const struct dt_sip_header *h = dt_sip_first(req, copied[i].id);
        for (; h; h = dt_sip_next(req, h))
            n += name + h->value_n + sizeof ": \r\n";
    }
    return n;
}

/* ---- the response ---- */

enum { SHORT = 1500 };

static int write_answer(struct dt_writer *w, const struct dt_sip_msg *req,
                        const struct dt_sip_answer *ans, struct dt_str reason)
{
    dt_sip_write_status(w, ans->status, reason);
    write_copies(w, req, ans);
    dt_write(w, ans->extra);
    dt_sip_write_body(w, ans->type, ans->body);
    return w->err || w->n > DT_MSG_MAX ? DT_E_LIMIT : DT_OK;
}

/* Most are short. They are written here first, so that no more is kept than there is: for 64 T1
 * (17.2.2). */
static int make_short(const struct dt_sip_msg *req, const struct dt_sip_answer *ans,
                      struct dt_str reason, const struct dt_alloc *alloc, struct dt_bytes **out)
{
    char text[SHORT];
    struct dt_writer w = dt_writer(text, sizeof text);
    int err = write_answer(&w, req, ans, reason);
    struct dt_bytes *b = err ? NULL : dt_bytes_copy(alloc, dt_writer_str(&w));
    if (!b)
        return err ? err : DT_E_NOMEM;
    *out = b;
    return DT_OK;
}

int dt_sip_answer(const struct dt_sip_msg *req, const struct dt_sip_answer *ans,
                  const struct dt_alloc *alloc, struct dt_bytes **out)
{
    /* Status line without its phrase; Content-Type, Content-Length and the empty line. */
    enum { FIXED = sizeof "SIP/2.0 200 \r\nContent-Type: \r\nContent-Length: 65535\r\n\r\n" };
    struct dt_str reason = ans->reason.n ? ans->reason : dt_str_z(dt_status_phrase(ans->status));
    if (!dt_sip_line_safe(reason) || !dt_sip_line_safe(ans->to_tag) || !dt_sip_line_safe(ans->type))
        return DT_E_SYNTAX;
    size_t given = ans->extra.n + ans->type.n + ans->body.n;
    if (given > DT_MSG_MAX)
        return DT_E_LIMIT;
    size_t room = FIXED + reason.n + copies_room(req, ans) + given;
    if (room <= SHORT)
        return make_short(req, ans, reason, alloc, out);
    struct dt_bytes *b = dt_bytes_new(alloc, room);
    if (!b)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(b->data, b->cap);
    int err = write_answer(&w, req, ans, reason);
    b->n = (uint32_t)w.n;
    if (err)
        dt_bytes_drop(b);
    else
        *out = b;
    return err;
}

static void write_but_vias(struct dt_writer *w, const struct dt_sip_msg *m)
{
    for (uint16_t i = 0; i < m->n; i++) {
        const struct dt_sip_header *h = &m->headers[i];
        if (h->id != DT_H_VIA)
            dt_write(w, dt_str_sub(m->text, h->name_at, (size_t)(h->end - h->name_at)));
    }
    dt_write(w, dt_str_sub(m->text, m->headers_end, m->text.n));
}

int dt_sip_answer_copy(const struct dt_sip_msg *response, const struct dt_sip_msg *req,
                       const struct dt_addr *source, const struct dt_alloc *alloc,
                       struct dt_bytes **out)
{
    struct dt_sip_answer ans = {.source = source};
    size_t room = response->text.n + copies_room(req, &ans);
    struct dt_bytes *b = dt_bytes_new(alloc, room);
    if (!b)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(b->data, b->cap);
    dt_write(&w, dt_str_sub(response->text, 0, response->headers_at));
    for (const struct dt_sip_header *h = dt_sip_first(req, DT_H_VIA); h; h = dt_sip_next(req, h))
        write_copy(&w, req, h, &ans);
    write_but_vias(&w, response);
    b->n = (uint32_t)w.n;
    if (w.err || w.n > DT_MSG_MAX) {
        dt_bytes_drop(b);
        return DT_E_LIMIT;
    }
    *out = b;
    return DT_OK;
}
