/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forwarding (RFC 3261 16.6, 16.7): a list of edits in the order of the text, then one pass from
 * the old message to the new one. */
#include <string.h>

#include "dualtone/build.h"
#include "sip/parts.h"

enum { PARTS = sizeof((struct dt_sip_edit *)0)->parts / sizeof(struct dt_str) };

/* ---- the list ---- */

void dt_sip_edits_init(struct dt_sip_edits *e, const struct dt_sip_msg *m)
{
    e->m = m; /* the list itself is written as it grows */
    e->n = 0;
    e->first = 0;
    e->err = DT_OK;
}

static void fail(struct dt_sip_edits *e, int err)
{
    if (!e->err)
        e->err = err;
}

/* Does `old` stay before a new edit of [from, to)? At one place an insertion comes before what
 * replaces the bytes there; of two insertions the older one, unless the new one is `above`. */
static bool stays_before(const struct dt_sip_edit *old, size_t from, size_t to, bool above)
{
    if (old->from != from)
        return old->from < from;
    return old->from == old->to && !(above && from == to);
}

/* A new edit in its place, without its parts; NULL if there is no room. */
static struct dt_sip_edit *add(struct dt_sip_edits *e, size_t from, size_t to, bool above)
{
    if (e->n == DT_EDITS_MAX) {
        fail(e, DT_E_LIMIT);
        return NULL;
    }
    uint8_t *link = &e->first;
    while (*link && stays_before(&e->list[*link - 1], from, to, above))
        link = &e->list[*link - 1].next;
    struct dt_sip_edit *edit = &e->list[e->n++];
    edit->from = (uint16_t)from;
    edit->to = (uint16_t)to;
    edit->next = *link;
    *link = (uint8_t)e->n;
    return edit;
}

static void replace(struct dt_sip_edits *e, size_t from, size_t to, struct dt_str with)
{
    struct dt_sip_edit *edit = add(e, from, to, false);
    if (!edit)
        return;
    edit->parts[0] = with;
    for (size_t i = 1; i < PARTS; i++)
        edit->parts[i].n = 0;
}

static void insert_line(struct dt_sip_edits *e, size_t at, enum dt_header_id id,
                        struct dt_str value, bool above)
{
    if (!dt__header_heads[id].n)
        fail(e, DT_E_STATE);
    if (!dt_sip_line_safe(value))
        fail(e, DT_E_SYNTAX);
    struct dt_sip_edit *edit = e->err ? NULL : add(e, at, at, above);
    if (!edit)
        return;
    edit->parts[0] = dt__header_heads[id];
    edit->parts[1] = value;
    edit->parts[2] = DT_STR("\r\n");
    edit->parts[3].n = 0;
}

/* ---- edits ---- */

void dt_sip_edit_slice(struct dt_sip_edits *e, struct dt_str slice, struct dt_str with)
{
    struct dt_str text = e->m->text;
    size_t from = (size_t)((uintptr_t)slice.p - (uintptr_t)text.p);
    if (from > text.n || slice.n > text.n - from)
        fail(e, DT_E_STATE);
    else if (from < e->m->headers_end && !dt_sip_line_safe(with))
        fail(e, DT_E_SYNTAX);
    else
        replace(e, from, from + slice.n, with);
}

void dt_sip_edit_uri(struct dt_sip_edits *e, struct dt_str uri)
{
    dt_sip_edit_slice(e, e->m->uri_text, uri);
}

void dt_sip_edit_value(struct dt_sip_edits *e, const struct dt_sip_header *h, struct dt_str value)
{
    dt_sip_edit_slice(e, dt_sip_value(e->m, h), value);
}

void dt_sip_edit_push(struct dt_sip_edits *e, enum dt_header_id id, struct dt_str value)
{
    const struct dt_sip_header *h = dt_sip_first(e->m, id);
    insert_line(e, h ? h->name_at : e->m->headers_at, id, value, true);
}

void dt_sip_edit_append(struct dt_sip_edits *e, enum dt_header_id id, struct dt_str value)
{
    insert_line(e, e->m->headers_end, id, value, false);
}

void dt_sip_edit_remove(struct dt_sip_edits *e, const struct dt_sip_header *h)
{
    replace(e, h->name_at, h->end, DT_STR_NONE);
}

void dt_sip_edit_pop(struct dt_sip_edits *e, enum dt_header_id id, unsigned count)
{
    struct dt_sip_values values = dt_sip_values(e->m, id);
    const struct dt_sip_header *line = NULL; /* of the value that was popped last */
    struct dt_str value;
    for (; count && dt_sip_values_next(&values, &value); count--) {
        if (line && line != values.line)
            dt_sip_edit_remove(e, line);
        line = values.line;
    }
    if (!line)
        return;
    if (dt_sip_values_next(&values, &value) && values.line == line)
        replace(e, line->value_at, (size_t)(value.p - e->m->text.p), DT_STR_NONE);
    else
        dt_sip_edit_remove(e, line);
}

/* ---- the pass ---- */

static const struct dt_sip_edit *edit_at(const struct dt_sip_edits *e, uint8_t place)
{
    return place ? &e->list[place - 1] : NULL;
}

/* The size of the new message, if the edits fit together. */
static int measure(const struct dt_sip_edits *e, size_t *out)
{
    size_t n = e->m->text.n, at = 0;
    const struct dt_sip_edit *edit = edit_at(e, e->first);
    for (; edit; edit = edit_at(e, edit->next)) {
        if (edit->from < at)
            return DT_E_STATE;
        at = edit->to;
        n -= (size_t)(edit->to - edit->from);
        for (size_t i = 0; i < PARTS; i++)
            n += edit->parts[i].n;
    }
    *out = n;
    return n > DT_MSG_MAX ? DT_E_LIMIT : DT_OK;
}

static char *put(char *to, struct dt_str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

int dt_sip_forward(const struct dt_sip_edits *e, const struct dt_alloc *alloc,
                   struct dt_bytes **out)
{
    struct dt_str text = e->m->text;
    size_t n, at = 0;
    int err = e->err ? e->err : measure(e, &n);
    if (err)
        return err;
    struct dt_bytes *b = dt_bytes_new(alloc, n);
    if (!b)
        return DT_E_NOMEM;
    char *to = b->data;
    const struct dt_sip_edit *edit = edit_at(e, e->first);
    for (; edit; edit = edit_at(e, edit->next)) {
        to = put(to, dt_str_sub(text, at, edit->from - at));
        for (size_t i = 0; i < PARTS; i++)
            to = put(to, edit->parts[i]);
        at = edit->to;
    }
    put(to, dt_str_sub(text, at, text.n));
    b->n = (uint32_t)n;
    *out = b;
    return DT_OK;
}
