/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "dualtone/text.h"

void dt_write(struct dt_writer *w, struct dt_str s)
{
    if (s.n > w->cap - w->n) {
        w->err = DT_E_LIMIT;
        s.n = w->cap - w->n; /* a text for people is still worth reading when it is cut */
    }
    if (!s.n)
        return;
    memcpy(w->p + w->n, s.p, s.n);
    w->n += s.n;
}

void dt_write_z(struct dt_writer *w, const char *z)
{
    dt_write(w, dt_str_z(z));
}

void dt_write_char(struct dt_writer *w, char c)
{
    if (w->n == w->cap)
        w->err = DT_E_LIMIT;
    else
        w->p[w->n++] = c;
}

void dt_write_u64(struct dt_writer *w, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    dt_write(w, (struct dt_str){digits + at, sizeof digits - at});
}

void dt_write_hex(struct dt_writer *w, uint64_t v, unsigned digits)
{
    char text[16];
    for (; digits > sizeof text; digits--)
        dt_write_char(w, '0');
    for (unsigned i = digits; i--; v >>= 4)
        text[i] = "0123456789abcdef"[v & 15];
    dt_write(w, (struct dt_str){text, digits});
}

void dt_write_quoted(struct dt_writer *w, struct dt_str s)
{
    dt_write_char(w, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            dt_write_char(w, '\\');
        dt_write_char(w, s.p[i]);
    }
    dt_write_char(w, '"');
}

void dt_vwritef(struct dt_writer *w, const char *fmt, va_list args)
{
    /* vsnprintf wants a byte for its NUL, which the writer's storage need not have. So what is
     * short goes by way of a copy, and only what is long is written in place. */
    char text[512];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(text, sizeof text, fmt, args);
    size_t room = w->cap - w->n;
    if (n < 0) {
        w->err = DT_E_LIMIT;
    } else if ((size_t)n < sizeof text) {
        dt_write(w, (struct dt_str){text, (size_t)n});
    } else if (room <= sizeof text) {
        dt_write(w, (struct dt_str){text, sizeof text - 1});
        w->err = DT_E_LIMIT;
    } else {
        vsnprintf(w->p + w->n, room, fmt, again);
        w->n += (size_t)n < room ? (size_t)n : room - 1;
        if ((size_t)n >= room)
            w->err = DT_E_LIMIT;
    }
    va_end(again);
}

void dt_writef(struct dt_writer *w, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    dt_vwritef(w, fmt, args);
    va_end(args);
}
