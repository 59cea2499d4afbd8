/* SPDX-License-Identifier: BSD-2-Clause */
#include "dualtone/json.h"

/* ---- text ---- */

enum { NO_CHARACTER = 0xfffd };

/* Lead bytes of UTF-8 (RFC 3629 4): how many bytes follow, and the least that is not overlong. */
static const struct {
    uint8_t mask, lead, follow;
    uint32_t least;
} forms[] = {
    {0x80, 0x00, 0, 0}, {0xe0, 0xc0, 1, 0x80}, {0xf0, 0xe0, 2, 0x800}, {0xf8, 0xf0, 3, 0x10000}};

/* The bytes of the next character, and which it is; NO_CHARACTER for one byte that begins none. */
static struct dt_str take(struct dt_str *s, uint32_t *c)
{
    struct dt_str one = dt_str_sub(*s, 0, 1);
    uint8_t first = (uint8_t)s->p[0];
    size_t f = 0, n;

    *c = NO_CHARACTER;
    while (f < sizeof(forms) / sizeof(*forms) && (first & forms[f].mask) != forms[f].lead)
        f++;
    n = f < sizeof(forms) / sizeof(*forms) ? forms[f].follow + 1u : s->n + 1;
    if (n <= s->n) {
        uint32_t value = first & (uint8_t)~forms[f].mask;
        size_t i = 1;
        for (; i < n && ((uint8_t)s->p[i] & 0xc0) == 0x80; i++)
            value = value << 6 | ((uint8_t)s->p[i] & 0x3f);
        if (i == n && value >= forms[f].least && value <= 0x10ffff && value >> 11 != 0x1b) {
            *c = value;
            one = dt_str_sub(*s, 0, n);
        }
    }
    *s = dt_str_sub(*s, one.n, s->n);
    return one;
}

static bool is_plain(uint32_t c)
{
    return c >= ' ' && c != '"' && c != '\\' && (c < 0x7f || c > 0x9f) && c != NO_CHARACTER &&
           c != 0x2028 && c != 0x2029;
}

static void write_text(struct dt_writer *w, struct dt_str s)
{
    uint32_t c;

    dt_write_char(w, '"');
    while (s.n) {
        struct dt_str bytes = take(&s, &c);
        if (is_plain(c)) {
            dt_write(w, bytes);
        } else if (c == '"' || c == '\\') {
            dt_write_char(w, '\\');
            dt_write(w, bytes);
        } else {
            dt_write_lit(w, "\\u");
            dt_write_hex(w, c, 4);
        }
    }
    dt_write_char(w, '"');
}

/* ---- values ---- */

static void begin(struct dt_json *j, const char *key)
{
    if (j->more)
        dt_write_char(j->w, ',');
    j->more = true;
    if (key) {
        write_text(j->w, dt_str_z(key));
        dt_write_char(j->w, ':');
    }
}

void dt_json_open(struct dt_json *j, const char *key, char bracket)
{
    begin(j, key);
    dt_write_char(j->w, bracket);
    j->more = false;
}

void dt_json_close(struct dt_json *j, char bracket)
{
    dt_write_char(j->w, bracket);
    j->more = true;
}

void dt_json_str(struct dt_json *j, const char *key, struct dt_str value)
{
    begin(j, key);
    write_text(j->w, value);
}

void dt_json_z(struct dt_json *j, const char *key, const char *value)
{
    begin(j, key);
    if (value)
        write_text(j->w, dt_str_z(value));
    else
        dt_write_lit(j->w, "null");
}

void dt_json_int(struct dt_json *j, const char *key, int64_t value)
{
    begin(j, key);
    if (value < 0)
        dt_write_char(j->w, '-');
    dt_write_u64(j->w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void dt_json_bool(struct dt_json *j, const char *key, bool value)
{
    begin(j, key);
    dt_write_z(j->w, value ? "true" : "false");
}
