/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "dualtone/node.h"

/* ---- parse ---- */

static int read_ip4(struct dt_reader *r, uint8_t ip[4])
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t part;
        if (i && !dt_reader_char(r, '.'))
            return DT_E_SYNTAX;
        struct dt_reader from = *r;
        if (dt_reader_u64(r, 255, &part))
            return DT_E_SYNTAX;
        if (*from.p == '0' && r->p - from.p > 1)
            return DT_E_SYNTAX; /* "010" is 8 to some and 10 to others: nobody may mean it */
        ip[i] = (uint8_t)part;
    }
    return DT_OK;
}

static bool next_is_hex(const struct dt_reader *r)
{
    return !dt_reader_end(r) && dt_char_is(*r->p, DT_C_HEX);
}

static unsigned hex_value(char c)
{
    return dt_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(dt_lower(c) - 'a') + 10;
}

/* One group of IPv6, or the IPv4 address that may stand in place of the last two. */
static int read_group(struct dt_reader *r, uint8_t ip[16], size_t *n)
{
    struct dt_reader start = *r;
    struct dt_str digits = dt_reader_run(r, DT_C_HEX);
    if (dt_reader_peek(r) == '.') {
        *r = start;
        if (*n > 12 || read_ip4(r, ip + *n))
            return DT_E_SYNTAX;
        *n += 4;
        return DT_OK;
    }
    if (digits.n < 1 || digits.n > 4 || *n > 14)
        return DT_E_SYNTAX;
    unsigned value = 0;
    for (size_t i = 0; i < digits.n; i++)
        value = value << 4 | hex_value(digits.p[i]);
    ip[(*n)++] = (uint8_t)(value >> 8);
    ip[(*n)++] = (uint8_t)value;
    return DT_OK;
}

/* RFC 4291 2.2, without a zone. */
static int read_ip6(struct dt_reader *r, uint8_t ip[16])
{
    uint8_t groups[16] = {0};
    size_t n = 0, gap = SIZE_MAX;
    if (dt_reader_word(r, DT_STR("::")))
        gap = 0;
    while (next_is_hex(r)) {
        size_t before = n;
        if (read_group(r, groups, &n))
            return DT_E_SYNTAX;
        if (n - before == 4)
            break; /* IPv4 comes last */
        if (gap == SIZE_MAX && dt_reader_word(r, DT_STR("::")))
            gap = n;
        else if (!dt_reader_char(r, ':'))
            break;
        else if (!next_is_hex(r))
            return DT_E_SYNTAX; /* a colon with nothing behind it */
    }
    if (gap == SIZE_MAX ? n != 16 : n > 14)
        return DT_E_SYNTAX;
    if (gap == SIZE_MAX)
        gap = n;
    memset(ip, 0, 16);
    memcpy(ip, groups, gap);
    memcpy(ip + 16 - (n - gap), groups + gap, n - gap);
    return DT_OK;
}

static bool has_two_colons(struct dt_str text)
{
    size_t first = dt_str_find(text, ':');
    struct dt_str rest = dt_str_sub(text, first + (first < text.n), text.n);
    return dt_str_find(rest, ':') < rest.n;
}

static int read_ip(struct dt_reader *r, struct dt_addr *a, struct dt_str text)
{
    bool bracket = dt_reader_char(r, '[');
    if (!bracket && !has_two_colons(text)) {
        a->family = 4;
        return read_ip4(r, a->ip);
    }
    a->family = 6;
    if (read_ip6(r, a->ip))
        return DT_E_SYNTAX;
    /* Without brackets a port could not be told from a group, so there is none. */
    return (bracket ? dt_reader_char(r, ']') : dt_reader_end(r)) ? DT_OK : DT_E_SYNTAX;
}

int dt_addr_parse(struct dt_addr *out, struct dt_str text)
{
    struct dt_addr a = {.transport = DT_UDP};
    struct dt_reader r = dt_reader(text);
    uint64_t port = 0;
    if (read_ip(&r, &a, text))
        return DT_E_SYNTAX;
    if (dt_reader_char(&r, ':') && dt_reader_u64(&r, UINT16_MAX, &port))
        return DT_E_SYNTAX;
    if (!dt_reader_end(&r))
        return DT_E_SYNTAX;
    a.port = (uint16_t)port;
    *out = a;
    return DT_OK;
}

/* ---- write ---- */

static void write_ip4(struct dt_writer *w, const uint8_t ip[4])
{
    for (unsigned i = 0; i < 4; i++) {
        if (i)
            dt_write_char(w, '.');
        dt_write_u64(w, ip[i]);
    }
}

static unsigned group_at(const uint8_t ip[16], unsigned i)
{
    return (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
}

/* The first of the longest runs of two zero groups or more (RFC 5952 4.2); `*n` is 0 if none. */
static unsigned find_gap(const uint8_t ip[16], unsigned *n)
{
    unsigned best = 8;
    *n = 1;
    for (unsigned from = 0; from < 8; from++) {
        unsigned to = from;
        while (to < 8 && !group_at(ip, to))
            to++;
        if (to - from > *n) {
            best = from;
            *n = to - from;
        }
    }
    return best;
}

static void write_group(struct dt_writer *w, unsigned v)
{
    dt_write_hex(w, v, v > 0xfff ? 4 : v > 0xff ? 3 : v > 0xf ? 2 : 1);
}

/* RFC 5952: shortest form, lower case, IPv4 behind ::ffff: dotted (section 5). */
static void write_ip6(struct dt_writer *w, const uint8_t ip[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(ip, mapped, sizeof mapped) == 0) {
        dt_write_lit(w, "::ffff:");
        write_ip4(w, ip + 12);
        return;
    }
    unsigned gap_n;
    unsigned gap = find_gap(ip, &gap_n);
    for (unsigned i = 0; i < 8; i++) {
        if (i == gap) {
            dt_write_lit(w, "::");
            i += gap_n - 1;
            continue;
        }
        if (i && i != gap + gap_n)
            dt_write_char(w, ':');
        write_group(w, group_at(ip, i));
    }
}

void dt_addr_write_ip(struct dt_writer *w, const struct dt_addr *a, bool bracket)
{
    if (a->family == 4) {
        write_ip4(w, a->ip);
    } else if (a->family == 6) {
        if (bracket)
            dt_write_char(w, '[');
        write_ip6(w, a->ip);
        if (bracket)
            dt_write_char(w, ']');
    } else {
        dt_write_lit(w, "none");
    }
}

void dt_addr_write(struct dt_writer *w, const struct dt_addr *a)
{
    dt_addr_write_ip(w, a, true);
    if (!a->family)
        return;
    dt_write_char(w, ':');
    dt_write_u64(w, a->port);
}

const char *dt_addr_text(const struct dt_addr *a, char buf[DT_ADDR_TEXT_MAX])
{
    struct dt_writer w = dt_writer(buf, DT_ADDR_TEXT_MAX - 1);
    dt_addr_write(&w, a);
    buf[w.n] = '\0';
    return buf;
}

/* ---- compare ---- */

bool dt_addr_eq(const struct dt_addr *a, const struct dt_addr *b)
{
    return dt_addr_ip_eq(a, b) && a->port == b->port && a->transport == b->transport;
}

bool dt_addr_ip_eq(const struct dt_addr *a, const struct dt_addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool dt_addr_is_any(const struct dt_addr *a)
{
    static const uint8_t zero[16];
    return a->family && memcmp(a->ip, zero, sizeof zero) == 0;
}
