/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The headers of a parsed message. */
#include "sip/parts.h"

struct dt_str dt_sip_get(const struct dt_sip_msg *m, enum dt_header_id id)
{
    const struct dt_sip_header *h = dt_sip_first(m, id);
    return h ? dt_sip_value(m, h) : DT_STR_NONE;
}

struct dt_str dt_sip_get_other(const struct dt_sip_msg *m, const char *name)
{
    struct dt_str want = dt_str_z(name);
    for (uint16_t i = 0; i < m->n; i++)
        if (!m->headers[i].id && dt_str_ieq(dt_sip_name(m, &m->headers[i]), want))
            return dt_sip_value(m, &m->headers[i]);
    return DT_STR_NONE;
}

/* ---- comma lists ---- */

struct dt_sip_values dt_sip_values(const struct dt_sip_msg *m, enum dt_header_id id)
{
    return (struct dt_sip_values){m, dt_sip_first(m, id), dt_reader(dt_sip_get(m, id))};
}

static void skip_commas(struct dt_reader *r)
{
    do
        dt__skip(r);
    while (dt_reader_char(r, ','));
}

/* The comma behind the value that begins at `r`, or the end: one that is not in quotes or angle
 * brackets (RFC 3261 7.3.1). What is not closed goes to the end of the line. */
static void skip_value(struct dt_reader *r)
{
    struct dt_str inside;
    while (!dt_reader_end(r) && *r->p != ',') {
        if (*r->p == '"') {
            if (dt_reader_quoted(r, &inside))
                r->p = r->end;
        } else if (*r->p == '<') {
            dt_reader_until(r, '>');
        } else {
            r->p++;
        }
    }
}

static bool has(struct dt_str s, char c)
{
    return s.n && memchr(s.p, c, s.n);
}

static struct dt_str take_value(struct dt_reader *r)
{
    const char *from = r->p;
    struct dt_str to_comma = dt_reader_until(r, ',');
    if (has(to_comma, '<') || has(to_comma, '"')) { /* then it may be no comma of the list */
        r->p = from;
        skip_value(r);
    }
    return dt_str_trim((struct dt_str){from, (size_t)(r->p - from)});
}

bool dt_sip_values_next(struct dt_sip_values *v, struct dt_str *out)
{
    while (v->line) {
        bool list = dt_header_flags((enum dt_header_id)v->line->id) & DT_HF_LIST;
        if (list)
            skip_commas(&v->rest);
        if (!dt_reader_end(&v->rest)) {
            *out = list ? take_value(&v->rest) : dt_reader_rest(&v->rest);
            if (!list)
                v->rest.p = v->rest.end;
            return true;
        }
        v->line = dt_sip_next(v->m, v->line);
        if (v->line)
            v->rest = dt_reader(dt_sip_value(v->m, v->line));
    }
    return false;
}

bool dt_sip_lists(const struct dt_sip_msg *m, enum dt_header_id id, struct dt_str token)
{
    struct dt_sip_values values = dt_sip_values(m, id);
    struct dt_str value;
    while (dt_sip_values_next(&values, &value))
        if (dt_str_ieq(value, token))
            return true;
    return false;
}
