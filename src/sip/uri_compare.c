/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When two URIs are the same (RFC 3261 19.1.4, RFC 3966 5). */
#include "sip/parts.h"

/* ---- text with escapes ---- */

static unsigned hex(char c)
{
    return dt_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(dt_lower(c) - 'a') + 10;
}

/* The next character; an escape counts as what it stands for, but for the reserved set of RFC 2396,
 * whose characters mean something else when they are not escaped: those are told apart by 256. */
static unsigned next_char(struct dt_reader *r)
{
    char c = *r->p++;
    struct dt_str digits = dt_reader_rest(r);
    if (c != '%' || digits.n < 2 || !dt_char_is(digits.p[0], DT_C_HEX) ||
        !dt_char_is(digits.p[1], DT_C_HEX))
        return (unsigned char)c;
    r->p += 2;
    unsigned code = hex(digits.p[0]) << 4 | hex(digits.p[1]);
    bool reserved = dt_str_find(DT_STR(";/?:@&=+$,"), (char)code) < 10;
    return reserved ? code + 256 : code;
}

static bool same_text(struct dt_str a, struct dt_str b, bool fold)
{
    struct dt_reader x = dt_reader(a), y = dt_reader(b);
    while (!dt_reader_end(&x) && !dt_reader_end(&y)) {
        unsigned c = next_char(&x), d = next_char(&y);
        if (fold && c < 128 && d < 128) {
            c = (unsigned char)dt_lower((char)c);
            d = (unsigned char)dt_lower((char)d);
        }
        if (c != d)
            return false;
    }
    return dt_reader_end(&x) && dt_reader_end(&y);
}

/* ---- lists of name[=value] ---- */

struct pair {
    struct dt_str name, value;
};

static bool take_pair(struct dt_reader *r, char separator, struct pair *out)
{
    if (dt_reader_end(r))
        return false;
    struct dt_str text = dt_reader_until(r, separator);
    size_t equals = dt_str_find(text, '=');
    dt_reader_char(r, separator);
    out->name = dt_str_sub(text, 0, equals);
    out->value = dt_str_sub(text, equals + 1, text.n);
    return true;
}

static bool find_pair(struct dt_str list, char separator, struct dt_str name, struct pair *out)
{
    struct dt_reader r = dt_reader(list);
    while (take_pair(&r, separator, out))
        if (same_text(out->name, name, true))
            return true;
    return false;
}

/* Parameters with a default: one URI that has it is never equal to one that has not. */
static bool must_be_in_both(struct dt_str name)
{
    static const struct dt_str names[] = {
        {"user", 4}, {"ttl", 3}, {"method", 6}, {"maddr", 5}, {"transport", 9},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (same_text(name, names[i], true))
            return true;
    return false;
}

/* Each of `a` is in `b` with the same value, or may be left out. */
static bool params_within(struct dt_str a, struct dt_str b, bool all)
{
    struct dt_reader r = dt_reader(a);
    struct pair mine, theirs;
    while (take_pair(&r, ';', &mine)) {
        if (!find_pair(b, ';', mine.name, &theirs)) {
            if (all || must_be_in_both(mine.name))
                return false;
        } else if (!same_text(mine.value, theirs.value, true)) {
            return false;
        }
    }
    return true;
}

/* Header components are never ignored. */
static bool headers_within(struct dt_str a, struct dt_str b)
{
    struct dt_reader r = dt_reader(a);
    struct pair mine, theirs;
    while (take_pair(&r, '&', &mine))
        if (!find_pair(b, '&', mine.name, &theirs) || !same_text(mine.value, theirs.value, true))
            return false;
    return true;
}

/* ---- schemes ---- */

static bool same_host(const struct dt_uri *a, const struct dt_uri *b)
{
    struct dt_addr x, y;
    if (a->host_v6 && b->host_v6 && !dt__host_addr(a->host, &x) && !dt__host_addr(b->host, &y))
        return dt_addr_ip_eq(&x, &y);
    return a->host_v6 == b->host_v6 && dt_str_ieq(a->host, b->host);
}

static bool same_sip(const struct dt_uri *a, const struct dt_uri *b)
{
    return a->has_user == b->has_user && same_text(a->user, b->user, false) &&
           !a->password.p == !b->password.p && same_text(a->password, b->password, false) &&
           same_host(a, b) && a->port == b->port && params_within(a->params, b->params, false) &&
           params_within(b->params, a->params, false) && headers_within(a->headers, b->headers) &&
           headers_within(b->headers, a->headers);
}

static bool skip_separators(struct dt_reader *r)
{
    while (!dt_reader_end(r) && dt_str_find(DT_STR("-.()"), *r->p) < 4)
        r->p++;
    return !dt_reader_end(r);
}

static bool same_number(struct dt_str a, struct dt_str b)
{
    struct dt_reader x = dt_reader(a), y = dt_reader(b);
    for (;;) {
        bool more = skip_separators(&x);
        if (more != skip_separators(&y))
            return false;
        if (!more)
            return true;
        if (dt_lower(*x.p++) != dt_lower(*y.p++))
            return false;
    }
}

/* RFC 3966 5: the number without its visual separators, and all parameters in any order. */
static bool same_tel(const struct dt_uri *a, const struct dt_uri *b)
{
    return same_number(a->user, b->user) && params_within(a->params, b->params, true) &&
           params_within(b->params, a->params, true);
}

bool dt_uri_eq(const struct dt_uri *a, const struct dt_uri *b)
{
    if (dt_str_eq(a->text, b->text))
        return true;
    if (a->scheme != b->scheme)
        return false;
    switch (a->scheme) {
    case DT_URI_SIP:
    case DT_URI_SIPS:
        return same_sip(a, b);
    case DT_URI_TEL:
        return same_tel(a, b);
    case DT_URI_OTHER:
        break;
    }
    return false;
}
