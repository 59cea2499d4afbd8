/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every element needs of a message (RFC 3261 8.1.1, 8.2, 16.3): read once, before any
 * handler. All parts are read even when one is bad, so that a request with a good Via can be
 * answered. */
#include "sip/parts.h"

static void fail(struct dt_sip_msg *m, enum dt_sip_fault fault)
{
    if (!m->fault)
        m->fault = fault;
}

/* Mandatory in every request and response (RFC 3261 8.1.1). Max-Forwards is, too, but RFC 2543 did
 * not know it, and a proxy adds it (16.6 step 3). */
static const enum dt_header_id mandatory[] = {DT_H_VIA, DT_H_FROM, DT_H_TO, DT_H_CALL_ID,
                                              DT_H_CSEQ};

static void check_mandatory(struct dt_sip_msg *m)
{
    for (size_t i = 0; i < sizeof mandatory / sizeof mandatory[0]; i++)
        if (!m->first[mandatory[i]])
            fail(m, DT_FAULT_MISSING);
}

/* The top Via is ours to act on, the others are only counted. */
static void check_via(struct dt_sip_msg *m)
{
    const struct dt_sip_header *line = dt_sip_first(m, DT_H_VIA);
    if (!line)
        return;
    struct dt_reader r = dt_reader(dt_sip_value(m, line));
    if (dt__via_take(&r, &m->via)) {
        m->via = (struct dt_via){.text = DT_STR_NONE};
        fail(m, DT_FAULT_VIA);
    }
    if (dt_reader_end(&r) && !line->next)
        return;
    struct dt_sip_values values = dt_sip_values(m, DT_H_VIA);
    struct dt_str value;
    unsigned n = 0;
    while (n <= DT__VIAS_MAX && dt_sip_values_next(&values, &value))
        n++;
    if (n > DT__VIAS_MAX)
        fail(m, DT_FAULT_TOO_MANY);
}

static void check_party(struct dt_sip_msg *m, enum dt_header_id id, struct dt_name_addr *out,
                        enum dt_sip_fault fault)
{
    const struct dt_sip_header *line = dt_sip_first(m, id);
    if (!line)
        return;
    if (dt_sip_name_addr(out, dt_sip_value(m, line)) || out->star) {
        *out = (struct dt_name_addr){.text = DT_STR_NONE};
        fail(m, fault);
    }
}

/* All of `s` is 0x21 to 0x7e. Eight bytes at a time: what is carried from one byte into the next
 * comes from a byte that is bad itself. */
static bool is_visible(struct dt_str s)
{
    const uint64_t one = 0x0101010101010101u;
    uint64_t bad = 0;
    size_t i = 0;
    for (; s.n - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, s.p + i, sizeof w);
        bad |= (w - 0x21 * one) | (w + one) | w;
    }
    for (; i < s.n; i++)
        bad |= s.p[i] > ' ' && s.p[i] < 0x7f ? 0 : 0x80;
    return !(bad & 0x80 * one);
}

/* Call-ID is only ever compared as bytes, so what is visible is good (25.1 has nearly as much). */
static void check_call_id(struct dt_sip_msg *m)
{
    struct dt_str id = dt_sip_get(m, DT_H_CALL_ID);
    if (id.n && is_visible(id))
        m->call_id = id;
    else
        fail(m, DT_FAULT_CALL_ID);
}

static void check_cseq(struct dt_sip_msg *m)
{
    const struct dt_sip_header *line = dt_sip_first(m, DT_H_CSEQ);
    if (!line)
        return;
    if (dt_sip_cseq(&m->cseq, dt_sip_value(m, line))) {
        m->cseq = (struct dt_cseq){.number = 0};
        fail(m, DT_FAULT_CSEQ);
    } else if (!m->request) {
        m->method = m->cseq.method;
        m->method_text = m->cseq.method_text;
    } else if (m->cseq.method != m->method ||
               (!m->method && !dt_str_eq(m->cseq.method_text, m->method_text))) {
        fail(m, DT_FAULT_METHOD); /* 8.1.1.5 */
    }
}

/* 0 to 255 (RFC 3261 20.22). */
static void check_max_forwards(struct dt_sip_msg *m)
{
    const struct dt_sip_header *line = dt_sip_first(m, DT_H_MAX_FORWARDS);
    uint64_t n;
    if (!line)
        return;
    if (dt_str_u64(dt_sip_value(m, line), 255, &n))
        fail(m, DT_FAULT_MAX_FORWARDS);
    else
        m->max_forwards = (int)n;
}

/* Any scheme is a good URI; whether it is supported is the next question (16.3 step 2). Header
 * components may not stand in a Request-URI (19.1.1, table 1). */
static void check_uri(struct dt_sip_msg *m)
{
    if (dt_uri_parse(&m->uri, m->uri_text, NULL) || m->uri.headers.p) {
        m->uri = (struct dt_uri){.port = 0};
        fail(m, DT_FAULT_URI);
    }
}

/* Each value of a Route line, comma to comma; its URI must be in angle brackets (20.34). Returns
 * how many, or DT_E_SYNTAX. */
static int check_route_line(struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    struct dt_name_addr addr;
    bool angle;
    int n = 0;
    do {
        if (dt__name_addr_take(&r, &addr, &angle) || !angle)
            return DT_E_SYNTAX;
        n++;
    } while (dt_reader_char(&r, ','));
    return n;
}

static void check_routes(struct dt_sip_msg *m)
{
    const struct dt_sip_header *h = dt_sip_first(m, DT_H_ROUTE);
    int sum = 0;
    for (; h; h = dt_sip_next(m, h)) {
        int n = check_route_line(dt_sip_value(m, h));
        if (n < 0)
            fail(m, DT_FAULT_ROUTE);
        else if ((sum += n) > DT__ROUTES_MAX)
            fail(m, DT_FAULT_TOO_MANY);
    }
}

static void check_contacts(struct dt_sip_msg *m)
{
    struct dt_name_addr addr;
    bool angle;
    for (const struct dt_sip_header *h = dt_sip_first(m, DT_H_CONTACT); h; h = dt_sip_next(m, h)) {
        struct dt_reader r = dt_reader(dt_sip_value(m, h));
        bool bad;
        do
            bad = dt__name_addr_take(&r, &addr, &angle) != DT_OK;
        while (!bad && dt_reader_char(&r, ','));
        if (bad)
            fail(m, DT_FAULT_CONTACT);
    }
}

int dt_sip_check(struct dt_sip_msg *m)
{
    check_via(m);
    check_mandatory(m);
    check_party(m, DT_H_FROM, &m->from, DT_FAULT_FROM);
    check_party(m, DT_H_TO, &m->to, DT_FAULT_TO);
    if (m->first[DT_H_CALL_ID])
        check_call_id(m);
    check_cseq(m);
    if (m->request) {
        check_max_forwards(m);
        check_uri(m);
        check_routes(m);
    }
    if (m->request || m->status < 400) /* a failure's Contact is for nobody to act on */
        check_contacts(m);
    m->checked = true;
    return m->fault ? DT_E_SYNTAX : DT_OK;
}
