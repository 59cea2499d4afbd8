/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bindings as text: a first line that says what it is, then a line a binding, its fields
 * separated by single blanks. What could be mistaken for a separator is written as %HH; "-" is an
 * empty field. Removed bindings are kept where there is a twin, which may have an older copy of
 * them; without one, what they guard against is over sooner than a restart. The last field, the
 * stamp, is not in files that begin with FIRST_OLD. */
#include <string.h>

#include "store/memory.h"

#include "dualtone/uri.h"

#define FIRST_LINE "dualtone-location 2"
#define FIRST_OLD "dualtone-location 1"
enum {
    LINE_FIXED = 256, /* what a line needs besides its texts */
    FIELDS = 12,
    FIELDS_OLD = 11
};

/* ---- writing ---- */

static void write_field(struct dt_writer *w, struct dt_str s)
{
    if (!s.n || dt_str_eq(s, DT_STR("-"))) {
        dt_write(w, s.n ? DT_STR("%2d") : DT_STR("-"));
        return;
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c > ' ' && c < 0x7f && c != '%') {
            dt_write_char(w, s.p[i]);
            continue;
        }
        dt_write_char(w, '%');
        dt_write_hex(w, c, 2);
    }
}

static void write_addr(struct dt_writer *w, const struct dt_addr *a)
{
    if (a->family)
        dt_addr_write(w, a);
    else
        dt_write_char(w, '-');
}

static void write_binding(struct dt_writer *w, const struct dt_binding *b, int64_t wall_offset)
{
    const struct dt_str texts[] = {dt__aor_name(b->aor), dt_binding_contact(b),
                                   dt_binding_call_id(b), dt_binding_path(b),
                                   dt_binding_instance(b)};
    int64_t expires = (b->timer.due + wall_offset) / DT_MS;
    dt_write_z(w, b->gone ? "removed" : "binding");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        dt_write_char(w, ' ');
        write_field(w, texts[i]);
    }
    const uint64_t numbers[] = {b->cseq, b->q, (uint64_t)expires};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        dt_write_char(w, ' ');
        dt_write_u64(w, numbers[i]);
    }
    dt_write_z(w, b->flow.remote.transport == DT_TCP ? " tcp " : " udp ");
    write_addr(w, &b->flow.local);
    dt_write_char(w, ' ');
    write_addr(w, &b->flow.remote);
    dt_write_char(w, ' ');
    dt_write_u64(w, b->stamp);
    dt_write_char(w, '\n');
}

static size_t room_for(const struct dt_binding *b)
{
    size_t texts = (size_t)b->aor->name_n + b->contact_n + b->call_id_n + b->path_n + b->instance_n;
    return LINE_FIXED + 3 * texts;
}

static bool is_kept(const struct dt_location *l, const struct dt_binding *b, dt_time now)
{
    return (!b->gone || l->cfg.twin) && b->timer.due > now;
}

/* Every binding that is kept: sums up the room, and writes if there is `w`. */
static size_t walk(const struct dt_location *l, dt_time now, int64_t wall_offset,
                   struct dt_writer *w)
{
    size_t room = sizeof FIRST_LINE + 1;
    DT_LIST_EACH(e, &l->aors)
    {
        const struct dt_location_aor *a = DT_OF(e, struct dt_location_aor, link);
        DT_LIST_EACH(f, &a->bindings)
        {
            const struct dt_binding *b = DT_OF(f, struct dt_binding, link);
            if (!is_kept(l, b, now))
                continue;
            if (w)
                write_binding(w, b, wall_offset);
            room += room_for(b);
        }
    }
    return room;
}

int dt_location_save(const struct dt_location *l, dt_time now, int64_t wall_offset,
                     const struct dt_alloc *alloc, struct dt_bytes **out)
{
    size_t room = walk(l, now, wall_offset, NULL);
    if (room > UINT32_MAX / 2)
        return DT_E_LIMIT;
    struct dt_bytes *b = dt_bytes_new(alloc, room);
    if (!b)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(b->data, b->cap);
    dt_write_lit(&w, FIRST_LINE "\n");
    walk(l, now, wall_offset, &w);
    b->n = (uint32_t)w.n;
    *out = b;
    return w.err;
}

/* ---- reading ---- */

struct line {
    bool removed;
    size_t n;                    /* fields that the file's lines have */
    struct dt_str field[FIELDS]; /* as they stand */
    char text[3 * DT_BINDING_TEXT_MAX];
    size_t used;
};

static int hex(char c)
{
    if (dt_is_digit(c))
        return c - '0';
    c = dt_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The field with its escapes resolved, in `l->text`. */
static int unescape(struct line *l, struct dt_str field, struct dt_str *out)
{
    char *to = l->text + l->used;
    size_t n = 0;
    *out = DT_STR_NONE;
    if (dt_str_eq(field, DT_STR("-")))
        return DT_OK;
    if (l->used + field.n > sizeof l->text)
        return DT_E_LIMIT;
    for (size_t i = 0; i < field.n; i++) {
        if (field.p[i] != '%') {
            to[n++] = field.p[i];
            continue;
        }
        bool whole = field.n - i > 2;
        int high = whole ? hex(field.p[i + 1]) : -1;
        int low = whole ? hex(field.p[i + 2]) : -1;
        if (high < 0 || low < 0)
            return DT_E_SYNTAX;
        to[n++] = (char)(high * 16 + low);
        i += 2;
    }
    l->used += n;
    *out = (struct dt_str){to, n};
    return DT_OK;
}

static int split(struct line *l, struct dt_str text)
{
    struct dt_reader r = dt_reader(text);
    struct dt_str what = dt_reader_until(&r, ' ');
    l->removed = dt_str_eq(what, DT_STR("removed"));
    if ((!l->removed && !dt_str_eq(what, DT_STR("binding"))) || !dt_reader_char(&r, ' '))
        return DT_E_SYNTAX;
    for (size_t i = 0; i < l->n; i++) {
        l->field[i] = dt_reader_until(&r, ' ');
        if (!l->field[i].n || (i + 1 < l->n && !dt_reader_char(&r, ' ')))
            return DT_E_SYNTAX;
    }
    return dt_reader_end(&r) ? DT_OK : DT_E_SYNTAX;
}

static int read_flow(const struct line *l, struct dt_binding_flow *out)
{
    struct dt_addr *to[] = {&out->local, &out->remote};
    uint8_t transport = DT_UDP;
    if (dt_str_eq(l->field[8], DT_STR("tcp")))
        transport = DT_TCP;
    else if (!dt_str_eq(l->field[8], DT_STR("udp")))
        return DT_E_SYNTAX;
    for (size_t i = 0; i < 2; i++) {
        if (dt_str_eq(l->field[9 + i], DT_STR("-")))
            continue;
        if (dt_addr_parse(to[i], l->field[9 + i]))
            return DT_E_SYNTAX;
        to[i]->transport = transport;
    }
    return DT_OK;
}

struct numbers {
    uint64_t cseq, q, expires, stamp;
};

static int read_numbers(const struct line *l, struct numbers *out)
{
    out->stamp = 0;
    if (dt_str_u64(l->field[5], UINT32_MAX, &out->cseq) ||
        dt_str_u64(l->field[6], DT_Q_MAX, &out->q) ||
        dt_str_u64(l->field[7], INT64_MAX / DT_MS, &out->expires) ||
        (l->n > 11 && dt_str_u64(l->field[11], INT64_MAX, &out->stamp)))
        return DT_E_SYNTAX;
    return DT_OK;
}

/* The twin is told of it by a REGISTER, and callers' requests are sent there. */
static bool is_uri(struct dt_str text)
{
    struct dt_uri uri;
    return !dt_uri_parse(&uri, text, NULL);
}

static int read_texts(struct line *l, struct dt_location_update *u, struct dt_location_contact *c)
{
    struct dt_str *to[] = {&u->aor, &c->uri, &u->call_id, &u->path, &c->instance};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        int err = unescape(l, l->field[i], to[i]);
        if (err)
            return err;
    }
    bool all = l->removed && dt_str_eq(c->uri, DT_STR("*"));
    return is_uri(u->aor) && (all || is_uri(c->uri)) ? DT_OK : DT_E_SYNTAX;
}

struct load {
    struct dt_location *l;
    dt_time now;
    int64_t wall_offset;
    size_t fields;
};

static int read_binding(const struct load *load, struct dt_str text)
{
    struct line line = {.n = load->fields};
    struct dt_location_contact c = {.q = DT_Q_MAX};
    struct dt_location_update u = {.contacts = &c, .n = 1};
    struct numbers n;
    if (split(&line, text) || read_numbers(&line, &n) || read_flow(&line, &u.flow) ||
        read_texts(&line, &u, &c))
        return DT_E_SYNTAX;
    int64_t left = (int64_t)n.expires * DT_MS - load->wall_offset - load->now;
    if (left <= 0 || (line.removed && !load->l->cfg.twin))
        return DT_OK;
    if (left / DT_SECOND >= UINT32_MAX)
        return DT_E_RANGE;
    c.expires = line.removed ? 0 : (uint32_t)((left + DT_SECOND - 1) / DT_SECOND);
    c.q = (uint16_t)n.q;
    u.cseq = (uint32_t)n.cseq;
    u.wall = n.stamp;
    return dt__location_restore(load->l, load->now, &u, left);
}

/* 0: it is no snapshot. */
static size_t fields_of(struct dt_str first_line)
{
    if (dt_str_eq(first_line, DT_STR(FIRST_LINE)))
        return FIELDS;
    return dt_str_eq(first_line, DT_STR(FIRST_OLD)) ? FIELDS_OLD : 0;
}

int dt_location_load(struct dt_location *l, dt_time now, int64_t wall_offset, struct dt_str text,
                     unsigned *bad)
{
    struct dt_reader r = dt_reader(text);
    struct load load = {.l = l, .now = now, .wall_offset = wall_offset};
    *bad = 0;
    if (!text.n)
        return DT_OK;
    load.fields = fields_of(dt_str_trim(dt_reader_until(&r, '\n')));
    if (!load.fields)
        return DT_E_SYNTAX;
    while (dt_reader_char(&r, '\n') && !dt_reader_end(&r)) {
        struct dt_str line = dt_str_trim(dt_reader_until(&r, '\n'));
        if (line.n && line.p[0] != '#' && read_binding(&load, line))
            ++*bad;
    }
    return DT_OK;
}
