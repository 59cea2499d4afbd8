/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ACK of a failure (RFC 3261 17.1.1.3) and CANCEL (9.1): both are made from the INVITE, hop by hop,
 * with its Request-URI, top Via, Route, From, Call-ID and CSeq number. */
#include "stack/private.h"

/* A header line as it stands there, folds and all: it was good once. */
static void copy_line(struct dt_writer *w, const struct dt_sip_msg *m,
                      const struct dt_sip_header *h)
{
    dt_write(w, (struct dt_str){m->text.p + h->name_at, (size_t)(h->end - h->name_at)});
}

static void copy_lines(struct dt_writer *w, const struct dt_sip_msg *m, enum dt_header_id id)
{
    for (const struct dt_sip_header *h = dt_sip_first(m, id); h; h = dt_sip_next(m, h))
        copy_line(w, m, h);
}

static void write(struct dt_writer *w, const struct dt_sip_msg *invite,
                  const struct dt_sip_msg *response)
{
    struct dt_str method = response ? DT_STR("ACK") : DT_STR("CANCEL");
    dt_sip_write_request(w, method, invite->uri_text);
    dt_write_lit(w, "Via: ");
    dt_write(w, invite->via.text); /* one, with the same branch */
    dt_write_lit(w, "\r\n");
    dt_write_lit(w, "Max-Forwards: 70\r\n");
    copy_lines(w, invite, DT_H_ROUTE);
    copy_lines(w, invite, DT_H_FROM);
    copy_lines(w, response ? response : invite, DT_H_TO);
    copy_lines(w, invite, DT_H_CALL_ID);
    dt_write_lit(w, "CSeq: ");
    dt_write_u64(w, invite->cseq.number);
    dt_write_char(w, ' ');
    dt_write(w, method);
    dt_write_lit(w, "\r\n");
    dt_sip_write_body(w, DT_STR_NONE, DT_STR_NONE);
}

/* What is written at most: lines of the INVITE and of the response, and these words. */
static size_t room_for(const struct dt_sip_msg *invite, const struct dt_sip_msg *response)
{
    size_t n = 128 + invite->uri_text.n + invite->via.text.n;
    enum dt_header_id ids[] = {DT_H_ROUTE, DT_H_FROM, DT_H_TO, DT_H_CALL_ID};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const struct dt_sip_msg *m = response && ids[i] == DT_H_TO ? response : invite;
        for (const struct dt_sip_header *h = dt_sip_first(m, ids[i]); h; h = dt_sip_next(m, h))
            n += (size_t)(h->end - h->name_at);
    }
    return n;
}

int dt__derive(const struct dt_stack *s, struct dt_bytes *invite, const struct dt_sip_msg *response,
               struct dt_bytes **out)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    if (dt_sip_parse(&m, dt_bytes_str(invite), headers, DT_MSG_HEADERS_MAX) || dt_sip_check(&m))
        return DT_E_SYNTAX;
    struct dt_bytes *b = dt_bytes_new(s->env->alloc, room_for(&m, response));
    if (!b)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(b->data, b->cap);
    write(&w, &m, response);
    b->n = (uint32_t)w.n;
    if (w.err) {
        dt_bytes_drop(b);
        return w.err;
    }
    *out = b;
    return DT_OK;
}
