/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/ladder.h"

#include <string.h>

enum {
    LEFT = 18, /* step and seconds */
    LANES_MAX = 16,
    PAGE = 100,     /* notes stay within so many columns if they can */
    LABEL_ROOM = 4, /* an arrow shows at least so much of itself beside its label */
    LINE_MAX = 768,
    TEXT_SIZE = 256,
    LOOK_MAX = 512 /* items searched for what became of a message */
};

/* Messages that repeat each other and are drawn as one arrow: "x7". */
struct fold {
    size_t head, last;
    unsigned n;
    bool lost; /* all of them */
};

struct drawing {
    const struct dt_ladder *l;
    struct dt_writer *w;
    bool dead[LANES_MAX];
    unsigned step;
    struct fold fold;
    char line[LINE_MAX];
};

static size_t lanes(const struct dt_ladder *l)
{
    return l->n_lanes < LANES_MAX ? l->n_lanes : LANES_MAX;
}

static int lane_of(const struct dt_ladder *l, uint16_t party)
{
    for (size_t i = 0; i < lanes(l); i++)
        if (l->lanes[i] == party)
            return (int)i;
    return -1;
}

/* Few lanes stand wide apart, so that labels fit; four fill the page. */
static size_t column(const struct dt_ladder *l, int lane)
{
    static const size_t apart[] = {24, 24, 38, 36};
    size_t n = lanes(l);
    return LEFT + 2 + (size_t)lane * (n < sizeof apart / sizeof *apart ? apart[n] : 24);
}

/* ---- lines ---- */

static void blank_line(struct drawing *d)
{
    memset(d->line, ' ', LINE_MAX);
    for (size_t i = 0; i < lanes(d->l); i++)
        d->line[column(d->l, (int)i)] = d->dead[i] ? ':' : '|';
}

/* What peers and people wrote must not move the cursor. */
static char printable(char c)
{
    return c >= ' ' && c <= '~' ? c : '?';
}

static void put(struct drawing *d, size_t at, struct dt_str text)
{
    for (size_t i = 0; i < text.n && at + i < LINE_MAX; i++)
        d->line[at + i] = printable(text.p[i]);
}

static void end_line(struct drawing *d)
{
    size_t n = LINE_MAX;
    while (n > 0 && d->line[n - 1] == ' ')
        n--;
    dt_write(d->w, (struct dt_str){d->line, n});
    dt_write_char(d->w, '\n');
}

static void put_time(struct drawing *d, dt_time at)
{
    char text[32];
    struct dt_writer w = dt_writer(text, sizeof text);
    int64_t ms = (at - d->l->zero) / DT_MS;
    const char *sign = ms <= (d->l->live ? -10 : -1) ? "-" : ""; /* no "-0.00" */
    ms = ms < 0 ? -ms : ms;
    if (d->l->live)
        dt_writef(&w, "%s%lld.%02lld", sign, (long long)(ms / 1000), (long long)(ms % 1000 / 10));
    else
        dt_writef(&w, "%s%lld.%03lld", sign, (long long)(ms / 1000), (long long)(ms % 1000));
    put(d, w.n < LEFT - 3 ? LEFT - 3 - w.n : 0, dt_writer_str(&w));
}

static void put_step(struct drawing *d, unsigned count)
{
    char text[24];
    struct dt_writer w = dt_writer(text, sizeof text);
    if (!d->l->steps)
        return;
    if (count > 1)
        dt_writef(&w, "%u-%u", d->step + 1, d->step + count);
    else
        dt_writef(&w, "%u", d->step + 1);
    d->step += count;
    put(d, 0, dt_writer_str(&w));
}

static void draw_head(struct drawing *d)
{
    memset(d->line, ' ', LINE_MAX);
    put(d, 0, d->l->steps ? DT_STR("step") : DT_STR(""));
    put(d, 8, DT_STR("seconds"));
    for (size_t i = 0; i < lanes(d->l); i++) {
        struct dt_str name = dt_str_z(d->l->record->parties[d->l->lanes[i]].name);
        put(d, column(d->l, (int)i) - (name.n < LEFT ? name.n / 2 : 0), name);
    }
    end_line(d);
    blank_line(d);
    end_line(d);
}

static void draw_mark(struct drawing *d)
{
    dt_write_lit(d->w, ">>> ");
    for (size_t i = 0; i < d->l->mark_text.n; i++)
        dt_write_char(d->w, printable(d->l->mark_text.p[i]));
    dt_write_char(d->w, '\n');
}

/* ---- messages ---- */

struct arrow {
    int from, to; /* lanes */
    struct dt_label label;
};

static bool arrow_of(const struct dt_ladder *l, const struct dt_record_item *it, struct arrow *out)
{
    out->from = lane_of(l, dt_record_whose(l->record, &it->from));
    out->to = lane_of(l, dt_record_whose(l->record, &it->to));
    if (it->kind != DT_REC_SENT || out->from < 0 || out->to < 0 || out->from == out->to)
        return false;
    dt_label_of(&out->label, dt_bytes_str(it->bytes));
    return out->label.sip && (!l->hidden.n || !dt_str_eq(dt_str_z(out->label.method), l->hidden));
}

static bool same_message(const struct dt_record_item *a, const struct dt_record_item *b)
{
    return dt_addr_eq(&a->from, &b->from) && dt_addr_eq(&a->to, &b->to) &&
           dt_str_eq(dt_bytes_str(a->bytes), dt_bytes_str(b->bytes));
}

static bool was_lost(const struct dt_record *r, size_t i)
{
    const struct dt_record_item *it = &r->items[i];
    for (size_t k = i + 1; k < r->n && k - i < LOOK_MAX; k++) {
        const struct dt_record_item *b = &r->items[k];
        bool gone = b->kind == DT_REC_LOST || b->kind == DT_REC_UNHEARD;
        if ((gone || b->kind == DT_REC_ARRIVED) && same_message(b, it))
            return gone;
        if (b->at > it->at + DT_SECOND)
            break;
    }
    return false;
}

/* The repeats of a message that follow it with no other message drawn between. */
static struct fold fold_at(const struct dt_ladder *l, size_t head)
{
    const struct dt_record_item *items = l->record->items;
    struct fold f = {.head = head, .last = head, .n = 1, .lost = was_lost(l->record, head)};
    struct arrow other;
    for (size_t k = head + 1; k < l->to; k++) {
        if (items[k].kind != DT_REC_SENT)
            continue;
        if (same_message(&items[k], &items[head])) {
            f.last = k;
            f.n++;
            f.lost = f.lost && was_lost(l->record, k);
        } else if (arrow_of(l, &items[k], &other)) {
            break;
        }
    }
    return f;
}

/* A label that is too long ends with a whole word. */
static struct dt_str fit(struct dt_str label, size_t room)
{
    if (label.n <= room)
        return label;
    label.n = room;
    size_t cut = room;
    while (cut > 0 && label.p[cut] != ' ')
        cut--;
    label.n = cut > 0 ? cut : room;
    return dt_str_trim(label);
}

/* Lanes that the arrow only crosses stay visible; the label stands beside the sender. `dash`: of
 * "- - -", for the last of folded repeats. */
static void put_arrow(struct drawing *d, const struct arrow *a, struct dt_str label, bool lost,
                      bool dashed)
{
    bool right = a->from < a->to;
    size_t start = column(d->l, right ? a->from : a->to) + 1;
    size_t end = column(d->l, right ? a->to : a->from) - 1;
    size_t gap = column(d->l, 1) - column(d->l, 0) - 1;
    for (size_t i = start; i <= end; i++)
        d->line[i] = d->line[i] == '|'   ? '+'
                     : d->line[i] == ':' ? ':'
                     : dashed && i % 2   ? ' '
                                         : '-';
    d->line[right ? end : start] = lost ? 'x' : right ? '>' : '<';
    label = fit(label, gap - LABEL_ROOM);
    put(d, (right ? start : end + 1 - gap) + (gap - label.n) / 2, label);
}

static void draw_first(struct drawing *d, size_t i, const struct arrow *a)
{
    char text[TEXT_SIZE];
    struct dt_writer w = dt_writer(text, sizeof text);
    d->fold = fold_at(d->l, i);
    dt_write_z(&w, a->label.text);
    if (d->fold.n > 1)
        dt_writef(&w, " x%u", d->fold.n);
    blank_line(d);
    put_step(d, d->fold.n);
    put_time(d, d->l->record->items[i].at);
    put_arrow(d, a, dt_writer_str(&w), d->dead[a->to] || d->fold.lost, false);
    end_line(d);
}

/* When the repeats ended: the last one, if it came later. */
static void draw_last(struct drawing *d, size_t i, const struct arrow *a)
{
    const struct dt_record_item *items = d->l->record->items;
    char text[TEXT_SIZE];
    struct dt_writer w = dt_writer(text, sizeof text);
    if (i != d->fold.last || items[i].at == items[d->fold.head].at)
        return;
    dt_writef(&w, " the last of %u ", d->fold.n);
    blank_line(d);
    put_time(d, items[i].at);
    put_arrow(d, a, dt_writer_str(&w), d->dead[a->to] || d->fold.lost, true);
    end_line(d);
}

static void draw_message(struct drawing *d, size_t i)
{
    const struct dt_record_item *items = d->l->record->items;
    struct arrow a;
    if (!arrow_of(d->l, &items[i], &a))
        return;
    if (d->fold.n > 0 && i <= d->fold.last && same_message(&items[i], &items[d->fold.head]))
        draw_last(d, i, &a);
    else
        draw_first(d, i, &a);
}

/* ---- what people see and do ---- */

/* A phone's command as a person's deed, a fault as what becomes of the party. */
static const struct {
    enum dt_record_kind kind;
    const char *word, *deed;
    bool dead; /* FAULT: the lane is, from then on */
} deeds[] = {
    {DT_REC_COMMAND, "dial", "dials", false},
    {DT_REC_COMMAND, "answer", "answers", false},
    {DT_REC_COMMAND, "reject", "rejects", false},
    {DT_REC_COMMAND, "hangup", "hangs up", false},
    {DT_REC_COMMAND, "hold", "holds", false},
    {DT_REC_COMMAND, "resume", "resumes", false},
    {DT_REC_COMMAND, "start", "starts", false},
    {DT_REC_FAULT, "blackhole", "becomes a black hole", true},
    {DT_REC_FAULT, "kill", "is killed", true},
    {DT_REC_FAULT, "hang", "hangs", true},
    {DT_REC_FAULT, "wake", "wakes", false},
    {DT_REC_FAULT, "restart", "restarts", false},
};
enum { DEEDS = sizeof deeds / sizeof *deeds };

/* The row of an item, or DEEDS; `*rest`: what stands behind the word. */
static size_t deed_of(const struct dt_record_item *it, struct dt_str *rest)
{
    struct dt_str text = dt_bytes_str(it->bytes);
    size_t n = dt_str_find(text, ' ');
    *rest = dt_str_sub(text, n, text.n);
    for (size_t i = 0; i < DEEDS; i++)
        if (it->kind == deeds[i].kind && dt_str_eq(dt_str_sub(text, 0, n), dt_str_z(deeds[i].word)))
            return i;
    *rest = text;
    return DEEDS;
}

/* What a person sees or does, in words: "dials 1002", "[Ringing 1002]", "! no answer". */
static bool note_of(const struct dt_record_item *it, struct dt_writer *w)
{
    struct dt_str rest;
    bool event = it->kind == DT_REC_EVENT;
    bool shown = event && (it->event == DT_EV_SCREEN || it->event == DT_EV_PROBLEM);
    if (!it->bytes || it->bytes->n == 0 ||
        (!shown && it->kind != DT_REC_COMMAND && it->kind != DT_REC_FAULT))
        return false;
    size_t deed = deed_of(it, &rest);
    if (deed < DEEDS)
        dt_writef(w, "%s%.*s", deeds[deed].deed, DT_FMT(rest));
    else if (event)
        dt_writef(w, it->event == DT_EV_SCREEN ? "[%.*s]" : "! %.*s", DT_FMT(rest));
    else
        dt_writef(w, "%s %.*s", it->kind == DT_REC_COMMAND ? "is told:" : "--", DT_FMT(rest));
    return true;
}

/* Beside its lane: to the right if the page has room there or the left has none; inside. */
static void put_note(struct drawing *d, int lane, struct dt_str text)
{
    size_t at = column(d->l, lane);
    size_t last = column(d->l, (int)lanes(d->l) - 1);
    bool outside = lanes(d->l) > 2 && at == last; /* would stand outside the ladder */
    bool left = (outside || at + 2 + text.n > PAGE) && at > text.n + LEFT + 2;
    size_t start = left ? at - 1 - text.n : at + 2;
    size_t end = start + text.n; /* a blank on both sides: it does not touch a lane */
    put(d, start, text);
    if (left)
        d->line[start - 1] = d->line[at - 1] = ' ';
    else if (end <= last)
        d->line[end] = ' ';
}

static void draw_note(struct drawing *d, const struct dt_record_item *it)
{
    char text[TEXT_SIZE];
    struct dt_writer w = dt_writer(text, sizeof text);
    int lane = lane_of(d->l, it->who);
    if (lane < 0 || !note_of(it, &w))
        return;
    blank_line(d);
    if (it->kind != DT_REC_EVENT)
        d->line[column(d->l, lane)] = it->kind == DT_REC_FAULT ? 'X' : '*';
    put_time(d, it->at);
    put_note(d, lane, dt_writer_str(&w));
    end_line(d);
}

/* ---- the whole ---- */

static void note_fault(struct drawing *d, const struct dt_record_item *it)
{
    struct dt_str rest;
    int lane = lane_of(d->l, it->who);
    size_t deed = it->kind == DT_REC_FAULT ? deed_of(it, &rest) : DEEDS;
    if (lane >= 0 && deed < DEEDS)
        d->dead[lane] = deeds[deed].dead;
}

void dt_ladder_write(const struct dt_ladder *l, struct dt_writer *w)
{
    struct drawing d = {.l = l, .w = w};
    for (size_t i = 0; i < l->from; i++)
        note_fault(&d, &l->record->items[i]);
    draw_head(&d);
    for (size_t i = l->from; i < l->to; i++) {
        const struct dt_record_item *it = &l->record->items[i];
        if (i == l->mark)
            draw_mark(&d);
        note_fault(&d, it);
        if (it->kind == DT_REC_SENT)
            draw_message(&d, i);
        else
            draw_note(&d, it);
    }
    if (l->mark == l->to)
        draw_mark(&d);
}

static const char *name_of(const struct dt_record *r, uint16_t party)
{
    return party < r->n_parties ? r->parties[party].name : "?";
}

void dt_ladder_line(const struct dt_record *r, const struct dt_record_item *item, dt_time zero,
                    struct dt_writer *w)
{
    int64_t ms = (item->at - zero) / DT_MS;
    char text[TEXT_SIZE];
    struct dt_writer note = dt_writer(text, sizeof text);
    size_t start = w->n;
    dt_writef(w, "%4lld.%03lld  ", (long long)(ms / 1000), (long long)(ms % 1000));
    if (item->kind == DT_REC_SENT) {
        struct dt_label label;
        dt_label_of(&label, dt_bytes_str(item->bytes));
        dt_writef(w, "%s -> %s  %s", name_of(r, dt_record_whose(r, &item->from)),
                  name_of(r, dt_record_whose(r, &item->to)), label.text);
    } else if (note_of(item, &note)) {
        dt_writef(w, "%s %.*s", name_of(r, item->who), DT_FMT(dt_writer_str(&note)));
    }
    for (size_t i = start; i < w->n; i++)
        w->p[i] = printable(w->p[i]);
}
