/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bounded reader through which every parser looks at input, and the bounded writer through
 * which every message is built (reliability.md 1, rule 1). */
#ifndef DUALTONE_TEXT_H
#define DUALTONE_TEXT_H

#include "dualtone/base.h"

/* ---- reader ---- */

/* A place in a slice. To roll back, copy the struct before and assign it back. */
struct dt_reader {
    const char *p;
    const char *end;
    const char *start;
};

static inline struct dt_reader dt_reader(struct dt_str s)
{
    return (struct dt_reader){s.p, s.p ? s.p + s.n : s.p, s.p};
}
static inline bool dt_reader_end(const struct dt_reader *r)
{
    return r->p >= r->end;
}
/* Offset of the next byte from the start. */
static inline size_t dt_reader_at(const struct dt_reader *r)
{
    return r->start ? (size_t)(r->p - r->start) : 0;
}
/* The next byte, not taken; -1 at the end. */
static inline int dt_reader_peek(const struct dt_reader *r)
{
    return r->p < r->end ? (unsigned char)*r->p : -1;
}
/* What is left. */
static inline struct dt_str dt_reader_rest(const struct dt_reader *r)
{
    return (struct dt_str){r->p, (size_t)(r->end - r->p)};
}
/* Take the byte `c` if it is next. */
static inline bool dt_reader_char(struct dt_reader *r, char c)
{
    if (r->p < r->end && *r->p == c) {
        r->p++;
        return true;
    }
    return false;
}

/* Classes of characters of RFC 3261 25.1, as bits of one table. */
enum {
    DT_C_TOKEN = 1,  /* token: alphanum and -.!%*_+`'~ */
    DT_C_WORD = 2,   /* word: token and ()<>:\"/[]?{} */
    DT_C_HOST = 4,   /* alphanum . - */
    DT_C_USER = 8,   /* user: unreserved, &=+$,;?/ and % */
    DT_C_PARAM = 16, /* uri parameter: unreserved, []/:&+$ and % */
    DT_C_DIGIT = 32,
    DT_C_ALPHA = 64,
    DT_C_HEX = 128,
    DT_C_USER_PLAIN =
        256, /* user and uri parameter without '%', where no escape is to be looked at */
    DT_C_PARAM_PLAIN = 512
};
extern const uint16_t dt_char_class[256];
static inline bool dt_char_is(char c, unsigned classes)
{
    return (dt_char_class[(unsigned char)c] & classes) != 0;
}

/* The end of the run of bytes of `classes` that begins at `p`. By fours, so that the end is looked
 * for less often than the class; in line, so that the class is a constant. */
static inline const char *dt_char_run(const char *p, const char *end, unsigned classes)
{
    for (; end - p >= 4; p += 4) {
        if (!dt_char_is(p[0], classes))
            return p;
        if (!dt_char_is(p[1], classes))
            return p + 1;
        if (!dt_char_is(p[2], classes))
            return p + 2;
        if (!dt_char_is(p[3], classes))
            return p + 3;
    }
    while (p < end && dt_char_is(*p, classes))
        p++;
    return p;
}

/* Take `n` bytes; false (nothing taken) if there are fewer. */
bool dt_reader_take(struct dt_reader *r, size_t n, struct dt_str *out);
/* Take up to, not including, the first `c`, or to the end. */
struct dt_str dt_reader_until(struct dt_reader *r, char c);
/* Take the longest run of bytes of `classes`; may be empty. */
struct dt_str dt_reader_run(struct dt_reader *r, unsigned classes);
/* Take `literal` in any case of letters. */
bool dt_reader_word(struct dt_reader *r, struct dt_str literal);
/* Skip SP and HT, and folds: CRLF (or LF) before SP or HT (LWS, RFC 3261 25.1). */
void dt_reader_lws(struct dt_reader *r);
/* Take decimal digits, at least one: DT_E_SYNTAX if there is none, DT_E_RANGE above `max`. */
int dt_reader_u64(struct dt_reader *r, uint64_t max, uint64_t *out);
/* Take a quoted string, quotes included (RFC 3261 25.1): DT_E_SYNTAX if it is not closed. `*out`
 * is what stands between the quotes, its escapes as they are. */
int dt_reader_quoted(struct dt_reader *r, struct dt_str *out);

/* ---- writer ---- */

/* Writes into storage of a fixed size and keeps its first error: check `err` once, at the end. */
struct dt_writer {
    char *p;
    size_t n;
    size_t cap;
    int err; /* DT_OK or DT_E_LIMIT */
};

static inline struct dt_writer dt_writer(void *p, size_t cap)
{
    return (struct dt_writer){p, 0, cap, DT_OK};
}
void dt_write(struct dt_writer *w, struct dt_str s);
/* Where the length is known: most of a message's lines begin with such a text. */
static inline void dt_write_short(struct dt_writer *w, struct dt_str s)
{
    if (s.n > w->cap - w->n) {
        dt_write(w, s);
        return;
    }
    memcpy(w->p + w->n, s.p, s.n);
    w->n += s.n;
}
#define dt_write_lit(w, literal) dt_write_short((w), DT_STR(literal))
void dt_write_z(struct dt_writer *w, const char *z);
void dt_write_char(struct dt_writer *w, char c);
void dt_write_u64(struct dt_writer *w, uint64_t v);
/* `digits` hex digits, lower case. */
void dt_write_hex(struct dt_writer *w, uint64_t v, unsigned digits);
/* In quotes, with `"` and `\` escaped. */
void dt_write_quoted(struct dt_writer *w, struct dt_str s);
/* printf-like; not for the hot path. */
void dt_writef(struct dt_writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with its arguments as a list. */
void dt_vwritef(struct dt_writer *w, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
/* What has been written. */
static inline struct dt_str dt_writer_str(const struct dt_writer *w)
{
    return (struct dt_str){w->p, w->n};
}

#endif
