/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "dualtone/text.h"

/* One byte of DT_C_ bits a character; test_base_reader.c spells the classes out. */
/* clang-format off */
const uint8_t dt_char_class[256] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* 00 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* 08 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* 10 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* 18 */
    0x00, 0x1b, 0x02, 0x00, 0x18, 0x1b, 0x18, 0x1b, /* 20 */
    0x1a, 0x1a, 0x1b, 0x1b, 0x08, 0x1f, 0x1f, 0x1a, /* 28 */
    0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, /* 30 */
    0xbf, 0xbf, 0x12, 0x08, 0x02, 0x08, 0x02, 0x0a, /* 38 */
    0x00, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0x5f, /* 40 */
    0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, /* 48 */
    0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, /* 50 */
    0x5f, 0x5f, 0x5f, 0x12, 0x02, 0x12, 0x00, 0x1b, /* 58 */
    0x03, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0x5f, /* 60 */
    0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, /* 68 */
    0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, /* 70 */
    0x5f, 0x5f, 0x5f, 0x02, 0x00, 0x02, 0x1b, 0x00, /* 78 */
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
    struct dt_str rest = dt_reader_rest(r);
    struct dt_str taken = dt_str_sub(rest, 0, dt_str_find(rest, c));
    if (taken.n)
        r->p += taken.n;
    return taken;
}

struct dt_str dt_reader_run(struct dt_reader *r, unsigned classes)
{
    const char *from = r->p, *p = from, *end = r->end;
    while (p < end && dt_char_is(*p, classes))
        p++;
    r->p = p;
    return (struct dt_str){from, (size_t)(p - from)};
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
    while (r->p < r->end) {
        const char *next = is_blank(*r->p) ? r->p + 1 : fold(r->p, r->end);
        if (!next)
            return;
        r->p = next;
    }
}

int dt_reader_u64(struct dt_reader *r, uint64_t max, uint64_t *out)
{
    struct dt_reader at = *r;
    int err = dt_str_u64(dt_reader_run(&at, DT_C_DIGIT), max, out);
    if (!err)
        *r = at;
    return err;
}

int dt_reader_quoted(struct dt_reader *r, struct dt_str *out)
{
    const char *p = r->p;
    if (!dt_reader_char(&(struct dt_reader){p, r->end, p}, '"'))
        return DT_E_SYNTAX;
    const char *from = ++p;
    while (p < r->end && *p != '"') {
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
