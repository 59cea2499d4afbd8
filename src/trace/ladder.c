/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/ladder.h"

#include <string.h>

enum {
    LEFT = 18,
    LANES_MAX = 16,
    FEW_LANES = 3, /* so many may be wide */
    WIDE = 30,
    NARROW = 24,
    LINE_MAX = LEFT + LANES_MAX * NARROW + 8
};

struct drawing {
    const struct dt_ladder *l;
    struct dt_writer *w;
    bool dead[LANES_MAX];
    unsigned step;
};

static int lane_of(const struct dt_ladder *l, uint16_t party)
{
    for (size_t i = 0; i < l->n_lanes && i < LANES_MAX; i++)
        if (l->lanes[i] == party)
            return (int)i;
    return -1;
}

static size_t column(const struct dt_ladder *l, int lane)
{
    return LEFT + (size_t)lane * (l->n_lanes <= FEW_LANES ? WIDE : NARROW) + 2;
}

/* ---- lines ---- */

static void blank_line(const struct drawing *d, char *line)
{
    memset(line, ' ', LINE_MAX);
    for (size_t i = 0; i < d->l->n_lanes && i < LANES_MAX; i++)
        line[column(d->l, (int)i)] = d->dead[i] ? ':' : '|';
}

static void put(char *line, size_t at, const char *text)
{
    size_t n = strlen(text);
    if (at < LINE_MAX && at + n < LINE_MAX)
        memcpy(line + at, text, n);
}

static void end_line(const struct drawing *d, const char *line, const char *behind)
{
    size_t n = LINE_MAX;
    while (n > 0 && line[n - 1] == ' ')
        n--;
    dt_write(d->w, (struct dt_str){line, n});
    if (behind[0]) {
        dt_write_lit(d->w, "  ");
        dt_write_z(d->w, behind);
    }
    dt_write_char(d->w, '\n');
}

static void put_time(const struct drawing *d, char *line, dt_time at)
{
    char text[32];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    int64_t ms = (at - d->l->zero) / DT_MS;
    if (d->l->live)
        dt_writef(&w, "%5lld.%02lld", (long long)(ms / 1000), (long long)(ms % 1000 / 10));
    else
        dt_writef(&w, "%5lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
    text[w.n] = '\0';
    put(line, 6, text);
}

static void put_step(struct drawing *d, char *line, unsigned count)
{
    char text[24];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    if (!d->l->steps)
        return;
    if (count > 1)
        dt_writef(&w, "%u-%u", d->step + 1, d->step + count);
    else
        dt_writef(&w, "%u", d->step + 1);
    text[w.n] = '\0';
    d->step += count;
    put(line, 0, text);
}

/* ---- messages ---- */

static bool same_message(const struct dt_record_item *a, const struct dt_record_item *b)
{
    return a->kind == DT_REC_SENT && b->kind == DT_REC_SENT && dt_addr_eq(&a->from, &b->from) &&
           dt_addr_eq(&a->to, &b->to) && dt_str_eq(dt_bytes_str(a->bytes), dt_bytes_str(b->bytes));
}

/* Is this item drawn as part of an earlier one? Repeats that follow each other are folded. */
static bool drawn_before(const struct dt_ladder *l, size_t i)
{
    const struct dt_record_item *it = &l->record->items[i];
    for (size_t k = i; k-- > l->from;) {
        const struct dt_record_item *b = &l->record->items[k];
        if (same_message(b, it))
            return true;
        if (b->kind == DT_REC_SENT)
            return false;
    }
    return false;
}

static unsigned copies(const struct dt_ladder *l, size_t i)
{
    unsigned n = 1;
    for (size_t k = i + 1; k < l->to; k++) {
        const struct dt_record_item *b = &l->record->items[k];
        if (b->kind != DT_REC_SENT)
            continue;
        if (!same_message(b, &l->record->items[i]))
            break;
        n++;
    }
    return n;
}

static bool was_lost(const struct dt_ladder *l, size_t i)
{
    const struct dt_record_item *it = &l->record->items[i];
    for (size_t k = i + 1; k < l->record->n; k++) {
        const struct dt_record_item *b = &l->record->items[k];
        bool gone = b->kind == DT_REC_LOST || b->kind == DT_REC_UNHEARD;
        if (gone && dt_addr_eq(&b->from, &it->from) && dt_addr_eq(&b->to, &it->to) &&
            dt_str_eq(dt_bytes_str(b->bytes), dt_bytes_str(it->bytes)))
            return true;
        if (b->at > it->at + DT_SECOND)
            break;
    }
    return false;
}

static void put_arrow(const struct dt_ladder *l, char *line, int from, int to, const char *label,
                      bool lost)
{
    size_t a = column(l, from < to ? from : to) + 1;
    size_t b = column(l, from < to ? to : from) - 1;
    size_t room = b - a + 1;
    size_t n = strlen(label);
    memset(line + a, '-', room);
    n = n > room - 4 ? room - 4 : n;
    memcpy(line + a + (room - n) / 2, label, n);
    line[from < to ? b : a] = lost ? 'x' : from < to ? '>' : '<';
}

static void draw_message(struct drawing *d, size_t i)
{
    const struct dt_ladder *l = d->l;
    const struct dt_record_item *it = &l->record->items[i];
    int from = lane_of(l, dt_record_whose(l->record, &it->from));
    int to = lane_of(l, dt_record_whose(l->record, &it->to));
    struct dt_label label;
    dt_label_of(&label, dt_bytes_str(it->bytes));
    if (from < 0 || to < 0 || from == to || !label.sip || drawn_before(l, i))
        return;
    char line[LINE_MAX], text[64];
    unsigned n = copies(l, i);
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    dt_write_z(&w, label.text);
    if (n > 1)
        dt_writef(&w, " x%u", n);
    text[w.n] = '\0';
    blank_line(d, line);
    put_step(d, line, n);
    put_time(d, line, it->at);
    put_arrow(l, line, from, to, text, d->dead[to] || was_lost(l, i));
    end_line(d, line, "");
}

/* ---- what people see and do ---- */

static const struct {
    enum dt_event_kind kind;
    const char *verb;
} shown_events[] = {{DT_EV_SCREEN, "shows"}, {DT_EV_PROBLEM, "says"}};

static const char *event_verb(const struct dt_record_item *it)
{
    if (it->kind == DT_REC_COMMAND)
        return "is told:";
    if (it->kind == DT_REC_FAULT)
        return "--";
    for (size_t i = 0; i < sizeof shown_events / sizeof *shown_events; i++)
        if (it->kind == DT_REC_EVENT && it->event == shown_events[i].kind)
            return shown_events[i].verb;
    return NULL;
}

static void draw_event(struct drawing *d, const struct dt_record_item *it)
{
    const char *verb = event_verb(it);
    int lane = lane_of(d->l, it->who);
    if (!verb || lane < 0 || !it->bytes || it->bytes->n == 0)
        return;
    char line[LINE_MAX], text[200];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    dt_writef(&w, "%s %s %.*s", d->l->record->parties[it->who].name, verb,
              DT_FMT(dt_bytes_str(it->bytes)));
    text[w.n] = '\0';
    blank_line(d, line);
    line[column(d->l, lane)] = it->kind == DT_REC_FAULT ? 'X' : '*';
    put_time(d, line, it->at);
    end_line(d, line, text);
}

/* Which faults make a lane dead, and which bring it back. */
static void note_fault(struct drawing *d, const struct dt_record_item *it)
{
    int lane = lane_of(d->l, it->who);
    struct dt_str what = dt_bytes_str(it->bytes);
    if (lane < 0)
        return;
    bool back = dt_str_starts(what, DT_STR("woken")) || dt_str_starts(what, DT_STR("restart")) ||
                dt_str_starts(what, DT_STR("heal"));
    d->dead[lane] = !back;
}

static void draw_head(const struct drawing *d)
{
    char line[LINE_MAX];
    memset(line, ' ', LINE_MAX);
    put(line, 0, d->l->steps ? "step" : "");
    put(line, 8, "seconds");
    for (size_t i = 0; i < d->l->n_lanes && i < LANES_MAX; i++)
        put(line, column(d->l, (int)i), d->l->record->parties[d->l->lanes[i]].name);
    end_line(d, line, "");
}

static void draw_mark(const struct drawing *d)
{
    dt_write_lit(d->w, "  >>>  ");
    dt_write(d->w, d->l->mark_text);
    dt_write_char(d->w, '\n');
}

void dt_ladder_write(const struct dt_ladder *l, struct dt_writer *w)
{
    struct drawing d = {.l = l, .w = w};
    draw_head(&d);
    for (size_t i = 0; i < l->from; i++)
        if (l->record->items[i].kind == DT_REC_FAULT)
            note_fault(&d, &l->record->items[i]);
    for (size_t i = l->from; i < l->to; i++) {
        const struct dt_record_item *it = &l->record->items[i];
        if (i == l->mark)
            draw_mark(&d);
        if (it->kind == DT_REC_FAULT)
            note_fault(&d, it);
        if (it->kind == DT_REC_SENT)
            draw_message(&d, i);
        else
            draw_event(&d, it);
    }
    if (l->mark == l->to)
        draw_mark(&d);
}

void dt_ladder_line(const struct dt_record *r, const struct dt_record_item *item, dt_time zero,
                    struct dt_writer *w)
{
    int64_t ms = (item->at - zero) / DT_MS;
    dt_writef(w, "%4lld.%03lld  ", (long long)(ms / 1000), (long long)(ms % 1000));
    const char *verb = event_verb(item);
    if (item->kind == DT_REC_SENT) {
        struct dt_label label;
        uint16_t from = dt_record_whose(r, &item->from), to = dt_record_whose(r, &item->to);
        dt_label_of(&label, dt_bytes_str(item->bytes));
        dt_writef(w, "%s -> %s  %s", from < r->n_parties ? r->parties[from].name : "?",
                  to < r->n_parties ? r->parties[to].name : "?", label.text);
    } else {
        dt_writef(w, "%s %s %.*s", item->who < r->n_parties ? r->parties[item->who].name : "?",
                  verb ? verb : "", DT_FMT(dt_bytes_str(item->bytes)));
    }
}
