/* SPDX-License-Identifier: BSD-2-Clause
 *
 * URIs: parse, escapes, address, address of record (RFC 3261 19.1, RFC 3966). */
#include "sip/parts.h"

/* ---- parse ---- */

static bool is_escape(const char *p, const char *end)
{
    return end - p > 2 && dt_char_is(p[1], DT_C_HEX) && dt_char_is(p[2], DT_C_HEX);
}

/* Behind a run of the class `plain`: escapes, and what there is between them. */
static int take_escapes(struct dt_reader *r, unsigned plain)
{
    const char *p = r->p, *end = r->end;
    while (p < end && *p == '%' && is_escape(p, end))
        p = dt_char_run(p + 3, end, plain);
    r->p = p;
    return p < end && *p == '%' ? DT_E_SYNTAX : DT_OK;
}

/* Take a run of the class `plain` and of escapes. */
static inline int take_escaped(struct dt_reader *r, unsigned plain, struct dt_str *out)
{
    const char *from = r->p;
    int err = DT_OK;
    r->p = dt_char_run(from, r->end, plain);
    if (r->p < r->end && *r->p == '%')
        err = take_escapes(r, plain);
    *out = (struct dt_str){from, (size_t)(r->p - from)};
    return err;
}

/* userinfo with its '@'. */
static int take_userinfo(struct dt_reader *r, struct dt_uri *u)
{
    if (take_escaped(r, DT_C_USER_PLAIN, &u->user))
        return DT_E_SYNTAX;
    if (dt_reader_char(r, ':') && take_escaped(r, DT_C_USER_PLAIN, &u->password))
        return DT_E_SYNTAX;
    u->has_user = u->user.n && dt_reader_char(r, '@');
    return u->has_user ? DT_OK : DT_E_SYNTAX;
}

/* [ userinfo ] host. A '@' stands behind a user and nowhere else, so where there is none, or where
 * a user has only what a host may have, too, one scan is enough. */
static int take_user_and_host(struct dt_reader *r, struct dt_uri *u)
{
    const char *from = r->p, *p = dt_char_run(from, r->end, DT_C_HOST);
    struct dt_str first = {from, (size_t)(p - from)};
    if (p < r->end && *p == '@' && first.n) {
        u->user = first;
        u->has_user = true;
        r->p = p + 1;
    } else if (p < r->end && memchr(p, '@', (size_t)(r->end - p))) {
        if (take_userinfo(r, u))
            return DT_E_SYNTAX;
    } else if (first.n) {
        u->host = first;
        r->p = p;
        return DT_OK;
    }
    return dt__host_take(r, &u->host, &u->host_v6);
}

/* *( ";" name [ "=" value ] ), at most DT__PARAMS_MAX. */
static int take_params(struct dt_reader *r, struct dt_uri *u)
{
    const char *from = r->p;
    struct dt_str part;
    unsigned n = 0;
    while (dt_reader_char(r, ';')) {
        if (take_escaped(r, DT_C_PARAM_PLAIN, &part) || !part.n || ++n > DT__PARAMS_MAX)
            return DT_E_SYNTAX;
        if (dt_reader_char(r, '=') && (take_escaped(r, DT_C_PARAM_PLAIN, &part) || !part.n))
            return DT_E_SYNTAX;
    }
    if (r->p > from)
        u->params = (struct dt_str){from + 1, (size_t)(r->p - from) - 1};
    return DT_OK;
}

/* "?" name=value *( "&" name=value ), at most DT__PARAMS_MAX: to compare them is quadratic. */
static int take_headers(struct dt_reader *r, struct dt_uri *u)
{
    struct dt_str part;
    unsigned n = 1;
    if (!dt_reader_char(r, '?'))
        return DT_OK;
    const char *from = r->p;
    do { /* hnv-unreserved has '?' besides what a parameter has; '&' is among that */
        if (take_escaped(r, DT_C_PARAM_PLAIN, &part))
            return DT_E_SYNTAX;
    } while (dt_reader_char(r, '=') || dt_reader_char(r, '?'));
    u->headers = (struct dt_str){from, (size_t)(r->p - from)};
    for (size_t i = 0; i < u->headers.n; i++)
        n += u->headers.p[i] == '&';
    return u->headers.n && n <= DT__PARAMS_MAX ? DT_OK : DT_E_SYNTAX;
}

static int take_sip(struct dt_reader *r, struct dt_uri *u)
{
    if (take_user_and_host(r, u))
        return DT_E_SYNTAX;
    if (dt_reader_char(r, ':') && dt__port_take(r, &u->port))
        return DT_E_SYNTAX;
    return take_params(r, u) || take_headers(r, u) ? DT_E_SYNTAX : DT_OK;
}

/* A telephone number: global "+" digits, or local digits; visual separators in both, and one digit
 * at least (RFC 3966 3). */
static int take_tel(struct dt_reader *r, struct dt_uri *u)
{
    const char *from = r->p;
    bool digit = false;
    dt_reader_char(r, '+');
    for (; r->p < r->end; r->p++) {
        if (dt_char_is(*r->p, DT_C_HEX) || *r->p == '*' || *r->p == '#')
            digit = true;
        else if (dt_str_find(DT_STR("-.()"), *r->p) == 4)
            break;
    }
    u->user = (struct dt_str){from, (size_t)(r->p - from)};
    return digit ? take_params(r, u) : DT_E_SYNTAX;
}

/* Any other scheme is carried as it is; what would break a header is refused. */
static int take_other(struct dt_reader *r, struct dt_uri *u)
{
    const char *from = r->p;
    while (r->p < r->end && (unsigned char)*r->p > ' ' && *r->p != 0x7f && *r->p != '<' &&
           *r->p != '>' && *r->p != '"')
        r->p++;
    u->user = (struct dt_str){from, (size_t)(r->p - from)};
    return u->user.n ? DT_OK : DT_E_SYNTAX;
}

static bool is_letter(char c, char lower)
{
    return (c | 0x20) == lower;
}

/* sip and sips, which nearly all are. */
static bool take_sip_scheme(struct dt_reader *r, struct dt_uri *u)
{
    const char *p = r->p;
    if (r->end - p < 5 || !is_letter(p[0], 's') || !is_letter(p[1], 'i') || !is_letter(p[2], 'p'))
        return false;
    size_t n = is_letter(p[3], 's') ? 4 : 3;
    if (p[n] != ':')
        return false;
    u->scheme = n == 4 ? DT_URI_SIPS : DT_URI_SIP;
    u->scheme_text = (struct dt_str){p, n};
    r->p += n + 1;
    return true;
}

static int take_scheme(struct dt_reader *r, struct dt_uri *u)
{
    if (take_sip_scheme(r, u))
        return DT_OK;
    if (dt_reader_end(r) || !dt_is_alpha(*r->p))
        return DT_E_SYNTAX;
    const char *from = r->p;
    while (r->p < r->end && (dt_char_is(*r->p, DT_C_ALPHA | DT_C_DIGIT) || *r->p == '+' ||
                             *r->p == '-' || *r->p == '.'))
        r->p++;
    u->scheme_text = (struct dt_str){from, (size_t)(r->p - from)};
    u->scheme = dt_str_ieq(u->scheme_text, DT_STR("tel")) ? DT_URI_TEL : DT_URI_OTHER;
    return dt_reader_char(r, ':') ? DT_OK : DT_E_SYNTAX;
}

static int take_rest(struct dt_reader *r, struct dt_uri *u)
{
    switch (u->scheme) {
    case DT_URI_SIP:
    case DT_URI_SIPS:
        return take_sip(r, u);
    case DT_URI_TEL:
        return take_tel(r, u);
    case DT_URI_OTHER:
        return take_other(r, u);
    }
    return DT_E_SYNTAX;
}

int dt_uri_parse(struct dt_uri *out, struct dt_str text, size_t *at)
{
    struct dt_reader r = dt_reader(text);
    *out = (struct dt_uri){.text = text};
    if (take_scheme(&r, out) == DT_OK && take_rest(&r, out) == DT_OK && dt_reader_end(&r))
        return DT_OK;
    if (at)
        *at = dt_reader_at(&r);
    return DT_E_SYNTAX;
}

/* ---- address ---- */

int dt_uri_addr(const struct dt_uri *u, struct dt_addr *out)
{
    struct dt_str transport = DT_STR("udp");
    struct dt_addr a;
    if (dt__host_addr(u->host, &a)) /* other schemes have an empty one */
        return DT_E_ABSENT;
    dt_param(u->params, "transport", &transport);
    bool tcp = dt_str_ieq(transport, DT_STR("tcp"));
    if (u->scheme != DT_URI_SIP || (!tcp && !dt_str_ieq(transport, DT_STR("udp"))))
        return DT_E_UNSUPPORTED;
    a.port = u->port;
    a.transport = tcp ? DT_TCP : DT_UDP;
    *out = a;
    return DT_OK;
}

/* ---- escapes ---- */

static unsigned hex(char c)
{
    return dt_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(dt_lower(c) - 'a') + 10;
}

void dt_uri_write_unescaped(struct dt_writer *w, struct dt_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '%' && s.n - i > 2 && dt_char_is(s.p[i + 1], DT_C_HEX) &&
                      dt_char_is(s.p[i + 2], DT_C_HEX);
        if (!escape) {
            dt_write_char(w, s.p[i]);
            continue;
        }
        dt_write_char(w, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
        i += 2;
    }
}

void dt_uri_write_user(struct dt_writer *w, struct dt_str user)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < user.n; i++) {
        unsigned char c = (unsigned char)user.p[i];
        if (c != '%' && dt_char_is(user.p[i], DT_C_USER)) {
            dt_write_char(w, user.p[i]);
            continue;
        }
        dt_write_char(w, '%');
        dt_write_char(w, digits[c >> 4]);
        dt_write_char(w, digits[c & 15]);
    }
}

/* ---- address of record ---- */

static void write_lower(struct dt_writer *w, struct dt_str s)
{
    for (size_t i = 0; i < s.n; i++)
        dt_write_char(w, dt_lower(s.p[i]));
}

/* Visual separators are not part of a number (RFC 3966 5.1.1). */
static void write_number(struct dt_writer *w, struct dt_str number)
{
    for (size_t i = 0; i < number.n; i++)
        if (dt_str_find(DT_STR("-.()"), number.p[i]) == 4)
            dt_write_char(w, dt_lower(number.p[i]));
}

static void write_host(struct dt_writer *w, const struct dt_uri *u)
{
    struct dt_addr a;
    if (u->host_v6 && dt__host_addr(u->host, &a) == DT_OK)
        dt_addr_write_ip(w, &a, true); /* one text for one address (RFC 5952) */
    else
        write_lower(w, u->host);
}

void dt_uri_write_aor(struct dt_writer *w, const struct dt_uri *u)
{
    write_lower(w, u->scheme_text);
    dt_write_char(w, ':');
    if (u->scheme == DT_URI_TEL) {
        write_number(w, u->user);
        return;
    }
    if (u->scheme == DT_URI_OTHER) {
        dt_write(w, u->user);
        return;
    }
    if (u->has_user) {
        dt_uri_write_unescaped(w, u->user);
        dt_write_char(w, '@');
    }
    write_host(w, u);
    if (u->port && u->port != (u->scheme == DT_URI_SIPS ? 5061 : 5060)) {
        dt_write_char(w, ':');
        dt_write_u64(w, u->port);
    }
}
