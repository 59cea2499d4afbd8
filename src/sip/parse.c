/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole message: start line, index of header lines, body (RFC 3261 7 and 18.3). Values with
 * structure are left to check.c and to who asks for them. */
#include <string.h>

#include "sip/parts.h"

static void fail(struct dt_sip_msg *m, enum dt_sip_fault fault)
{
    if (!m->fault)
        m->fault = fault;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- lines ---- */

#define EACH_BYTE(b) (0x0101010101010101u * (b))

/* Eight bytes, the first one lowest. `p` may be up to seven of them before the end of the text,
 * where DT_PAD are readable. */
static uint64_t load(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* From the top bits of a word's bytes: the first byte whose bit is set; one is. */
static size_t first_set(uint64_t tops)
{
    return (size_t)__builtin_ctzll(tops) / 8;
}

/* The one scan over the text: the first control character from `p` on, or `end`. A word that has
 * none is mostly known by one subtraction; only where a byte borrows, or has its top bit set, is it
 * looked at again. Of the bits that are left the lowest is right: what is above it may come from a
 * borrow. */
static const char *next_control(const char *p, const char *end)
{
    for (; p < end; p += 8) {
        uint64_t w = load(p), low = (w - EACH_BYTE(0x20u)) & EACH_BYTE(0x80u);
        if (low && (low &= ~w)) {
            p += first_set(low);
            break;
        }
    }
    return p < end ? p : end;
}

/* The first `c` in [p, end), or `end`: for a colon, which is near. */
static const char *next_char(const char *p, const char *end, char c)
{
    const uint64_t all = EACH_BYTE((unsigned char)c);
    for (; p < end; p += 8) {
        uint64_t w = load(p) ^ all, zero = (w - EACH_BYTE(1u)) & ~w & EACH_BYTE(0x80u);
        if (zero) {
            p += first_set(zero);
            break;
        }
    }
    return p < end ? p : end;
}

struct line {
    const char *stop; /* its first byte of CRLF or LF */
    const char *next; /* the line behind it */
    bool dirty;       /* holds a control character that may not stand there */
};

/* The length of the line end at `p`: 2 for CRLF, 1 for LF, which is tolerated; 0 for none. */
static size_t line_end(const char *p, const char *end)
{
    if (*p == '\r')
        return end - p > 1 && p[1] == '\n' ? 2 : 0;
    return *p == '\n';
}

/* The line that begins at `p`, with the lines that are folded into it (RFC 3261 7.3.1). False if it
 * has no end. A control character stands in a line only as a quoted pair (25.1): others would be
 * read differently by who takes a bare CR for a line end, or NUL for the end of all. */
static bool read_line(const char *p, const char *end, bool folds, struct line *out)
{
    const char *start = p;
    out->dirty = false;
    while ((p = next_control(p, end)) < end) {
        size_t n = line_end(p, end);
        if (!n) {
            out->dirty |= *p != '\t' && (*p == '\r' || p == start || p[-1] != '\\');
            p++;
            continue;
        }
        out->stop = p;
        out->next = p += n;
        if (!folds || p == end || (unsigned char)*p > ' ' || !is_blank(*p))
            return true;
    }
    return false;
}

/* ---- start line ---- */

/* "SIP/7.0" is a version that we do not speak; "SPAM/1" is no version. */
static enum dt_sip_fault version_fault(struct dt_str version)
{
    if (DT__IS(version, "SIP/2.0"))
        return DT_FAULT_NONE;
    struct dt_reader r = dt_reader(version);
    bool is_version = dt_reader_word(&r, DT_STR("SIP/")) && dt_reader_run(&r, DT_C_DIGIT).n &&
                      dt_reader_char(&r, '.') && dt_reader_run(&r, DT_C_DIGIT).n;
    return is_version && dt_reader_end(&r) ? DT_FAULT_VERSION : DT_FAULT_START_LINE;
}

/* Request-Line: Method SP Request-URI SP SIP-Version, single spaces (RFC 3261 7.1). */
static enum dt_sip_fault read_request_line(struct dt_sip_msg *m, struct dt_str line)
{
    struct dt_reader r = dt_reader(line);
    m->method_text = dt__run(&r, DT_C_TOKEN);
    m->method = dt_method_find(m->method_text);
    if (!m->method_text.n || !dt_reader_char(&r, ' '))
        return DT_FAULT_START_LINE;
    m->uri_text = dt_reader_until(&r, ' ');
    if (!m->uri_text.n || !dt_reader_char(&r, ' '))
        return DT_FAULT_START_LINE;
    return version_fault(dt_reader_rest(&r));
}

/* Status-Line: SIP-Version SP Status-Code SP Reason-Phrase (7.2). A missing SP before an empty
 * phrase is tolerated. */
static enum dt_sip_fault read_status_line(struct dt_sip_msg *m, struct dt_str line)
{
    struct dt_reader r = dt_reader(line);
    uint64_t status;
    enum dt_sip_fault fault = version_fault(dt_reader_until(&r, ' '));
    if (fault)
        return fault;
    if (!dt_reader_char(&r, ' '))
        return DT_FAULT_START_LINE;
    struct dt_str digits = dt_reader_until(&r, ' ');
    if (digits.n != 3 || dt_str_u64(digits, 699, &status) || status < 100)
        return DT_FAULT_START_LINE;
    dt_reader_char(&r, ' ');
    m->status = (int)status;
    m->reason = dt_reader_rest(&r);
    return DT_FAULT_NONE;
}

static const char *read_start_line(struct dt_sip_msg *m, const char *end)
{
    struct line line;
    if (!read_line(m->text.p, end, false, &line)) {
        fail(m, DT_FAULT_START_LINE);
        return end;
    }
    struct dt_str text = {m->text.p, (size_t)(line.stop - m->text.p)};
    struct dt_str four = {text.p, text.n < 4 ? 0 : 4};
    m->request = (*text.p | 0x20) != 's' || !DT__IS(four, "SIP/");
    enum dt_sip_fault fault = m->request ? read_request_line(m, text) : read_status_line(m, text);
    if (fault || line.dirty)
        fail(m, fault ? fault : DT_FAULT_START_LINE);
    return line.next;
}

/* ---- header lines ---- */

/* Enters the header `h`, whose number is `place` from 1 on, into the chain of its id; `last` is
 * where each chain ends. */
static void chain(struct dt_sip_msg *m, unsigned id, uint16_t place, uint16_t *last)
{
    if (!id)
        return;
    if (!m->first[id]) {
        m->first[id] = place;
    } else {
        m->headers[last[id] - 1].next = place;
        if (id == DT_H_CONTENT_LENGTH) /* two are a lie about where the message ends */
            fail(m, DT_FAULT_LENGTH);
        else if (dt_header_flags((enum dt_header_id)id) & DT_HF_SINGLE)
            fail(m, DT_FAULT_DUPLICATE);
    }
    last[id] = place;
}

static bool is_token(struct dt_str s)
{
    return s.n && dt_char_run(s.p, s.p + s.n, DT_C_TOKEN) == s.p + s.n;
}

/* One header line (RFC 3261 7.3.1): name, blanks, colon, value with blanks and folds around it.
 * It is entered into the index unless that is full. */
static enum dt_sip_fault read_header(struct dt_sip_msg *m, const char *p, const struct line *line,
                                     uint16_t *last)
{
    const char *base = m->text.p, *stop = line->stop;
    const char *colon = next_char(p, stop, ':');
    if (colon == stop || line->dirty)
        return DT_FAULT_HEADER;
    const char *name_end = colon;
    while (name_end > p && is_blank(name_end[-1]))
        name_end--;
    struct dt_str name = {p, (size_t)(name_end - p)};
    enum dt_header_id id = dt_header_find(name);
    if (!id && !is_token(name)) /* a name of the table is a token already */
        return DT_FAULT_HEADER;
    if (m->n == m->cap)
        return DT_FAULT_TOO_MANY;
    const char *from = colon + 1;
    while (from < stop && (unsigned char)*from <= ' ')
        from++;
    while (stop > from && (unsigned char)stop[-1] <= ' ')
        stop--;
    struct dt_sip_header *h = &m->headers[m->n++];
    h->id = (uint16_t)id;
    h->next = 0;
    h->name_at = (uint16_t)(p - base);
    h->name_n = (uint16_t)name.n;
    h->value_at = (uint16_t)(from - base);
    h->value_n = (uint16_t)(stop - from);
    h->end = (uint16_t)(line->next - base);
    chain(m, id, m->n, last);
    return DT_FAULT_NONE;
}

/* All header lines and the empty line; returns where the body begins. */
static const char *read_headers(struct dt_sip_msg *m, const char *p, const char *end)
{
    uint16_t last[DT_H_COUNT]; /* read only where m->first is set */
    struct line line;
    for (;;) {
        size_t empty = p < end ? line_end(p, end) : 0;
        if (empty) {
            m->headers_end = (uint16_t)(p - m->text.p);
            return p + empty;
        }
        if (p == end || !read_line(p, end, true, &line)) {
            fail(m, DT_FAULT_HEADER); /* no empty line: the message is cut off */
            m->headers_end = (uint16_t)(p - m->text.p);
            return end;
        }
        enum dt_sip_fault fault = read_header(m, p, &line, last);
        if (fault)
            fail(m, fault);
        p = line.next;
    }
}

/* ---- body ---- */

/* What is behind the body in a datagram is no part of the message; a body that is cut off makes it
 * a bad one (RFC 3261 18.3). A number that wraps must not get past here. */
static void cut_body(struct dt_sip_msg *m, const char *p, const char *end)
{
    uint64_t n = (uint64_t)(end - p);
    const struct dt_sip_header *length = dt_sip_first(m, DT_H_CONTENT_LENGTH);
    if (length && dt_str_u64(dt_sip_value(m, length), n, &n))
        fail(m, DT_FAULT_LENGTH);
    m->body = (struct dt_str){p, (size_t)n};
    m->text.n = (size_t)(p - m->text.p) + m->body.n;
}

int dt_sip_parse(struct dt_sip_msg *out, struct dt_str text, struct dt_sip_header *headers,
                 uint16_t cap)
{
    *out = (struct dt_sip_msg){.headers = headers, .max_forwards = -1};
    out->cap = cap < DT_MSG_HEADERS_MAX ? cap : DT_MSG_HEADERS_MAX;
    while (text.n && (*text.p == '\r' || *text.p == '\n')) /* RFC 3261 7.5 */
        text = dt_str_sub(text, 1, text.n);
    out->text = text;
    if (text.n > DT_MSG_MAX) {
        fail(out, DT_FAULT_LENGTH);
        out->text.n = DT_MSG_MAX;
    }
    if (!text.n) {
        fail(out, DT_FAULT_START_LINE);
        return DT_E_SYNTAX;
    }
    const char *end = text.p + out->text.n;
    const char *p = read_start_line(out, end);
    out->headers_at = (uint16_t)(p - text.p);
    p = read_headers(out, p, end);
    cut_body(out, p, end);
    return out->fault ? DT_E_SYNTAX : DT_OK;
}
