/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages line by line. A value that would end its line never gets out: what one peer gave us must
 * not become a header for another. */
#include <string.h>

#include "dualtone/build.h"

/* Is there a byte below 0x20? Eight bytes at a time: every value of a forwarded message comes by.
 */
static bool has_control(struct dt_str s)
{
    const uint64_t low = 0x2020202020202020u, high = 0x8080808080808080u;
    size_t i = 0;
    for (; s.n - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, s.p + i, sizeof w);
        if (((w - low) & high) && ((w - low) & ~w & high)) /* mostly the first says it */
            return true;
    }
    for (; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20)
            return true;
    return false;
}

bool dt_sip_line_safe(struct dt_str s)
{
    return !has_control(s) || (dt_str_find(s, '\n') == s.n && dt_str_find(s, '\r') == s.n &&
                               dt_str_find(s, '\0') == s.n);
}

/* Takes back what was written from `from` on. */
static void refuse(struct dt_writer *w, size_t from)
{
    w->n = from;
    if (!w->err)
        w->err = DT_E_SYNTAX;
}

/* Ends the line that began at `from`, if it is one line. */
static void end_line(struct dt_writer *w, size_t from)
{
    if (dt_sip_line_safe(dt_str_sub(dt_writer_str(w), from, w->n)))
        dt_write_lit(w, "\r\n");
    else
        refuse(w, from);
}

void dt_sip_write_request(struct dt_writer *w, struct dt_str method, struct dt_str uri)
{
    size_t from = w->n;
    dt_write(w, method);
    dt_write_char(w, ' ');
    dt_write(w, uri);
    dt_write_lit(w, " SIP/2.0");
    end_line(w, from);
}

void dt_sip_write_status(struct dt_writer *w, int status, struct dt_str reason)
{
    size_t from = w->n;
    dt_write_lit(w, "SIP/2.0 ");
    dt_write_u64(w, (uint64_t)status);
    dt_write_char(w, ' ');
    dt_write(w, reason.n ? reason : dt_str_z(dt_status_phrase(status)));
    end_line(w, from);
}

void dt_sip_write_header(struct dt_writer *w, enum dt_header_id id, struct dt_str value)
{
    size_t from = w->n;
    dt_write_z(w, dt_header_name(id));
    dt_write_lit(w, ": ");
    dt_write(w, value);
    end_line(w, from);
}

void dt_sip_write_headerf(struct dt_writer *w, enum dt_header_id id, const char *fmt, ...)
{
    size_t from = w->n;
    va_list args;
    dt_write_z(w, dt_header_name(id));
    dt_write_lit(w, ": ");
    va_start(args, fmt);
    dt_vwritef(w, fmt, args);
    va_end(args);
    end_line(w, from);
}

void dt_sip_write_body(struct dt_writer *w, struct dt_str type, struct dt_str body)
{
    if (type.n)
        dt_sip_write_header(w, DT_H_CONTENT_TYPE, type);
    dt_write_lit(w, "Content-Length: ");
    dt_write_u64(w, body.n);
    dt_write_lit(w, "\r\n\r\n");
    dt_write(w, body);
}
