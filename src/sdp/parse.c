/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A description as a list of lines (RFC 8866 5). What our own decisions need is looked at here, so
 * that a mistake is found where it stands; the rest is kept as text. */
#include "dualtone/sdp.h"

/* Takes a field and the blanks behind it; empty at the end of the line. */
static struct dt_str field(struct dt_reader *r)
{
    struct dt_str out = dt_reader_until(r, ' ');
    while (dt_reader_char(r, ' '))
        ;
    return out;
}

static bool all_of(struct dt_str s, unsigned classes)
{
    for (size_t i = 0; i < s.n; i++)
        if (!dt_char_is(s.p[i], classes))
            return false;
    return s.n > 0;
}

static bool has_letter(struct dt_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (dt_is_alpha(s.p[i]))
            return true;
    return false;
}

/* "192.0.2.1/127/3" without what follows the slash (5.7). */
static int read_host(struct dt_reader *r, uint8_t family, struct dt_sdp_connection *out)
{
    struct dt_reader from = *r;
    struct dt_str text = field(r);
    text = dt_str_sub(text, 0, dt_str_find(text, '/'));
    bool colons = dt_str_find(text, ':') < text.n;
    struct dt_addr addr = {0};
    out->host = text;
    if (dt_str_find(text, '[') == text.n && colons == (family == 6) &&
        dt_addr_parse(&addr, text) == DT_OK) {
        out->addr = addr;
        return DT_OK;
    }
    out->addr = (struct dt_addr){0};
    if (all_of(text, DT_C_HOST) && has_letter(text))
        return DT_OK; /* a name */
    *r = from;
    return DT_E_SYNTAX;
}

/* "IN IP4 192.0.2.1". Another kind of network is legal, and of no use to us. */
static int read_connection(struct dt_reader *r, struct dt_sdp_connection *out)
{
    struct dt_str net = field(r);
    struct dt_reader at_type = *r;
    struct dt_str type = field(r);
    bool v4 = dt_str_eq(type, DT_STR("IP4"));
    if (!net.n || !type.n || dt_reader_end(r))
        return DT_E_SYNTAX;
    if (!dt_str_eq(net, DT_STR("IN"))) {
        *out = (struct dt_sdp_connection){.host = field(r)};
        return DT_OK;
    }
    if (!v4 && !dt_str_eq(type, DT_STR("IP6"))) {
        *r = at_type;
        return DT_E_SYNTAX;
    }
    return read_host(r, v4 ? 4 : 6, out);
}

static int read_version(struct dt_sdp *s, struct dt_reader *r)
{
    if (s->n != 1 || !dt_reader_char(r, '0') || !dt_reader_end(r))
        return DT_E_SYNTAX; /* 5.1: there is no other version, and it comes first */
    return DT_OK;
}

/* 5.2. The address is not looked at: nothing is ever sent there. */
static int read_origin(struct dt_sdp *s, struct dt_reader *r)
{
    if (s->session_id.n || s->n_media)
        return DT_E_SYNTAX;
    field(r);
    s->session_id = field(r);
    s->version = field(r);
    for (int i = 0; i < 3; i++)
        if (!field(r).n)
            return DT_E_SYNTAX;
    return dt_reader_end(r) ? DT_OK : DT_E_SYNTAX;
}

/* 5.7: one for the session; several for a medium are layers, of which the first is the base. */
static int read_c(struct dt_sdp *s, struct dt_reader *r)
{
    struct dt_sdp_connection c;
    struct dt_reader from = *r;
    int err = read_connection(r, &c);
    struct dt_sdp_connection *to = &s->connection;
    if (err)
        return err;
    if (s->n_media)
        to = &s->media[s->n_media - 1].connection;
    else if (to->host.n) {
        *r = from;
        return DT_E_SYNTAX;
    }
    if (!to->host.n)
        *to = c;
    return DT_OK;
}

static int read_formats(struct dt_sdp_media *m, struct dt_reader *r)
{
    m->formats = dt_reader_rest(r);
    for (int i = 0; !dt_reader_end(r); i++) {
        if (i == DT_SDP_FORMATS_MAX)
            return DT_E_LIMIT;
        if (!all_of(field(r), DT_C_TOKEN))
            return DT_E_SYNTAX;
    }
    return m->formats.n ? DT_OK : DT_E_SYNTAX;
}

/* "49170" or "49170/2". */
static bool read_port(struct dt_str text, uint16_t *out)
{
    struct dt_reader r = dt_reader(text);
    uint64_t port, count;
    if (dt_reader_u64(&r, UINT16_MAX, &port) ||
        (dt_reader_char(&r, '/') && dt_reader_u64(&r, UINT16_MAX, &count)))
        return false;
    *out = (uint16_t)port;
    return dt_reader_end(&r);
}

/* "audio 49170/2 RTP/AVP 0 8" (5.14). */
static int read_m(struct dt_sdp *s, struct dt_reader *r)
{
    if (!s->session_id.n)
        return DT_E_SYNTAX; /* the o= line is missing */
    if (s->n_media == DT_SDP_MEDIA_MAX)
        return DT_E_LIMIT;
    struct dt_sdp_media *m = &s->media[s->n_media++];
    struct dt_reader from = *r;
    *m = (struct dt_sdp_media){.line = (uint16_t)(s->n - 1), .type = field(r)};
    if (!all_of(m->type, DT_C_TOKEN)) {
        *r = from;
        return DT_E_SYNTAX;
    }
    from = *r;
    if (!read_port(field(r), &m->port)) {
        *r = from;
        return DT_E_SYNTAX;
    }
    m->proto = field(r);
    return m->proto.n ? read_formats(m, r) : DT_E_SYNTAX;
}

static int read_a(struct dt_sdp *s, struct dt_reader *r)
{
    (void)s;
    struct dt_str name = dt_reader_until(r, ':');
    return name.n ? DT_OK : DT_E_SYNTAX;
}

/* The lines that are looked at. */
static const struct line_rule {
    char type;
    int (*read)(struct dt_sdp *s, struct dt_reader *r);
} line_rules[] = {
    {'v', read_version}, {'o', read_origin}, {'c', read_c}, {'m', read_m}, {'a', read_a},
};

/* `r` is at the line's first byte; where it stands after an error is where the error is. */
static int read_line(struct dt_sdp *s, struct dt_reader *r)
{
    struct dt_str type;
    if (s->n == DT_SDP_LINES_MAX)
        return DT_E_LIMIT;
    if (!dt_char_is(*r->p, DT_C_ALPHA) || !dt_reader_take(r, 1, &type) || !dt_reader_char(r, '='))
        return DT_E_SYNTAX;
    s->lines[s->n++] = (struct dt_sdp_line){dt_reader_rest(r), type.p[0]};
    if (s->n == 1 && type.p[0] != 'v')
        return DT_E_SYNTAX;
    for (size_t i = 0; i < sizeof line_rules / sizeof line_rules[0]; i++)
        if (line_rules[i].type == type.p[0])
            return line_rules[i].read(s, r);
    return DT_OK;
}

/* Cuts the next line, without its end. A NUL or a CR in it would make two readers read two
 * things (byte-string, RFC 8866 9). */
static int cut_line(struct dt_reader *r, struct dt_reader *line)
{
    struct dt_str text = dt_reader_until(r, '\n');
    bool ended = dt_reader_char(r, '\n');
    if (ended && text.n && text.p[text.n - 1] == '\r')
        text.n--;
    *line = dt_reader(text);
    size_t bad = dt_str_find(text, '\0'), cr = dt_str_find(text, '\r');
    if (cr < bad)
        bad = cr;
    if (bad == text.n)
        return DT_OK;
    line->p += bad;
    return DT_E_SYNTAX;
}

static int read_lines(struct dt_sdp *s, struct dt_reader *r, struct dt_reader *line)
{
    bool over = false; /* only empty lines may follow an empty line */
    while (!dt_reader_end(r)) {
        int err = cut_line(r, line);
        if (err)
            return err;
        if (dt_reader_end(line)) {
            over = true;
            continue;
        }
        err = over ? DT_E_SYNTAX : read_line(s, line);
        if (err)
            return err;
        if (s->n_media)
            s->media[s->n_media - 1].end = s->n;
    }
    *line = *r;
    return s->session_id.n ? DT_OK : DT_E_SYNTAX;
}

int dt_sdp_parse(struct dt_sdp *out, struct dt_str text, size_t *at)
{
    struct dt_reader r = dt_reader(text), line = r;
    out->session_id = out->version = DT_STR_NONE;
    out->connection = (struct dt_sdp_connection){0};
    out->n = out->n_media = 0;
    int err = read_lines(out, &r, &line);
    if (err && at)
        *at = line.p ? (size_t)(line.p - text.p) : 0;
    return err;
}

void dt_sdp_write(struct dt_writer *w, const struct dt_sdp *s)
{
    for (size_t i = 0; i < s->n; i++) {
        dt_write_char(w, s->lines[i].type);
        dt_write_char(w, '=');
        dt_write(w, s->lines[i].value);
        dt_write_lit(w, "\r\n");
    }
}
