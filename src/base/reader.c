/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "dualtone/text.h"

/* The DT_C_ bits of each character; test_base_reader.c spells the classes out. */
/* clang-format off */
const uint16_t dt_char_class[256] = {
    0x000, 0x000, 0x000, 0x000, 0x000, 0x000, 0x000, 0x000,
    0x000, 0x000, 0x000, 0x000, 0x000, 0x000, 0x000, 0x000,
    0x000, 0x000, 0x000, 0x000, 0x000, 0x000, 0x000, 0x000,
    0x000, 0x000, 0x000, 0x000, 0x000, 0x000, 0x000, 0x000,
    0x000, 0x31b, 0x002, 0x000, 0x318, 0x01b, 0x318, 0x31b,
    0x31a, 0x31a, 0x31b, 0x31b, 0x108, 0x31f, 0x31f, 0x31a,
    0x3bf, 0x3bf, 0x3bf, 0x3bf, 0x3bf, 0x3bf, 0x3bf, 0x3bf,
    0x3bf, 0x3bf, 0x212, 0x108, 0x002, 0x108, 0x002, 0x10a,
    0x000, 0x3df, 0x3df, 0x3df, 0x3df, 0x3df, 0x3df, 0x35f,
    0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f,
    0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f,
    0x35f, 0x35f, 0x35f, 0x212, 0x002, 0x212, 0x000, 0x31b,
    0x003, 0x3df, 0x3df, 0x3df, 0x3df, 0x3df, 0x3df, 0x35f,
    0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f,
    0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f, 0x35f,
    0x35f, 0x35f, 0x35f, 0x002, 0x000, 0x002, 0x31b, 0x000,
};
/* clang-format on */

bool dt_reader_take(struct dt_reader *r, size_t n, struct dt_str *out)
{
    if ((size_t)(r->end - r->p) < n)
        return false;
    *out = (struct dt_str){r->p, n};
    if (n)
        r->p += n;
    return true;
}

struct dt_str dt_reader_until(struct dt_reader *r, char c)
{
    const char *from = r->p;
    size_t n = (size_t)(r->end - from);
    const char *hit = n ? memchr(from, c, n) : NULL;
    r->p = hit ? hit : r->end;
    return (struct dt_str){from, (size_t)(r->p - from)};
}

struct dt_str dt_reader_run(struct dt_reader *r, unsigned classes)
{
    const char *from = r->p;
    r->p = dt_char_run(from, r->end, classes);
    return (struct dt_str){from, (size_t)(r->p - from)};
}

bool dt_reader_word(struct dt_reader *r, struct dt_str literal)
{
    if (!dt_str_ieq(dt_str_sub(dt_reader_rest(r), 0, literal.n), literal))
        return false;
    if (literal.n)
        r->p += literal.n;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Where a fold that begins at `p` goes on: at its blank; NULL if there is no fold. */
static const char *fold(const char *p, const char *end)
{
    if (p < end && *p == '\r')
        p++;
    if (p == end || *p != '\n')
        return NULL;
    p++;
    return p < end && is_blank(*p) ? p : NULL;
}

void dt_reader_lws(struct dt_reader *r)
{
    while (r->p < r->end && (unsigned char)*r->p <= ' ') {
        const char *next = is_blank(*r->p) ? r->p + 1 : fold(r->p, r->end);
        if (!next)
            return;
        r->p = next;
    }
}

int dt_reader_u64(struct dt_reader *r, uint64_t max, uint64_t *out)
{
    enum { SAFE_DIGITS = 19 }; /* as many cannot be too large for 64 bits */
    const char *p = r->p, *end = r->end;
    uint64_t value = 0;
    for (; p < end && (unsigned char)(*p - '0') <= 9; p++)
        value = value * 10 + (uint64_t)(*p - '0');
    size_t n = (size_t)(p - r->p);
    int err = !n ? DT_E_SYNTAX : value > max ? DT_E_RANGE : DT_OK;
    if (n > SAFE_DIGITS)
        err = dt_str_u64((struct dt_str){r->p, n}, max, &value);
    if (err)
        return err;
    *out = value;
    r->p = p;
    return DT_OK;
}

int dt_reader_quoted(struct dt_reader *r, struct dt_str *out)
{
    const char *p = r->p;
    if (!dt_reader_char(&(struct dt_reader){p, r->end, p}, '"'))
        return DT_E_SYNTAX;
    const char *from = ++p;
    while (p < r->end && *p != '"') {
        if ((unsigned char)*p > '"' && *p != '\\') { /* most are */
            p++;
            continue;
        }
        if (*p == '\r' || *p == '\n') {
            p = fold(p, r->end); /* a line end stands in a quoted string only as a fold */
            if (!p)
                return DT_E_SYNTAX;
            continue;
        }
        if (*p == '\\' && (++p == r->end || *p == '\r' || *p == '\n'))
            return DT_E_SYNTAX; /* quoted-pair: anything but CR and LF */
        p++;
    }
    if (p == r->end)
        return DT_E_SYNTAX;
    *out = (struct dt_str){from, (size_t)(p - from)};
    r->p = p + 1;
    return DT_OK;
}
