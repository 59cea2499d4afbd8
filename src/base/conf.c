/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines into options. A value that is wrong does not end the reading: a person wants to hear of
 * all mistakes at once. */
#include <string.h>

#include "dualtone/text.h"
#include "base/option.h"
#include "dualtone/node.h"

enum { DEPTH_MAX = 8, INCLUDED_MAX = 100, SHOWN_MAX = 60 };

/* ---- problems ---- */

static struct dt_problem *slot_for(struct dt_problems *p, bool fatal)
{
    if (p->n < p->cap)
        return &p->list[p->n];
    /* The first fatal one says why nothing works: it takes the last place. */
    return fatal && !p->fatal && p->cap ? &p->list[p->cap - 1] : NULL;
}

static void write_place(struct dt_writer *w, struct dt_place place)
{
    if (place.file.n)
        dt_writef(w, "%.*s:", DT_FMT(place.file));
    if (place.line)
        dt_writef(w, "%u:", place.line);
    if (place.line && place.column)
        dt_writef(w, "%u:", place.column);
    if (w->n)
        dt_write_char(w, ' ');
}

void dt_problem_add(struct dt_problems *p, bool fatal, struct dt_place place, const char *fmt, ...)
{
    struct dt_problem *slot = slot_for(p, fatal);
    p->n++;
    p->fatal += fatal;
    if (!slot)
        return;
    *slot = (struct dt_problem){.place = place, .fatal = fatal};
    struct dt_writer w = dt_writer(slot->text, sizeof slot->text - 1);
    write_place(&w, place);
    va_list args;
    va_start(args, fmt);
    dt_vwritef(&w, fmt, args);
    va_end(args);
    for (size_t i = 0; i < w.n; i++) /* a file can hold anything, and this goes to a terminal */
        if ((unsigned char)slot->text[i] < ' ' || slot->text[i] == 0x7f)
            slot->text[i] = '?';
}

static struct dt_str shown(struct dt_str s)
{
    return dt_str_sub(s, 0, SHOWN_MAX);
}

/* Adds a fatal problem and gives the error that goes with it. */
#define FATAL(c, ...) \
    ((c)->problems ? dt_problem_add((c)->problems, true, __VA_ARGS__) : (void)0, DT_E_SYNTAX)

/* ---- what the dt_conf owns ---- */

/* Takes over `b`, also when it fails. */
static int keep(struct dt_conf *c, struct dt_bytes *b)
{
    if (!b)
        return DT_E_NOMEM;
    if ((c->n_kept & (c->n_kept - 1)) == 0) { /* full at each power of two */
        size_t cap = c->n_kept ? c->n_kept * 2 : 1;
        struct dt_bytes **kept = dt_alloc_array(c->alloc, c->kept, cap, sizeof(struct dt_bytes *));
        if (!kept) {
            dt_bytes_drop(b);
            return DT_E_NOMEM;
        }
        c->kept = kept;
    }
    c->kept[c->n_kept++] = b;
    return DT_OK;
}

static int keep_text(struct dt_conf *c, struct dt_str text, struct dt_str *out)
{
    struct dt_bytes *b = dt_bytes_copy(c->alloc, text);
    int err = keep(c, b);
    if (!err)
        *out = dt_bytes_str(b);
    return err;
}

/* The same without the backslashes before `"` and `\`. */
static int keep_unescaped(struct dt_conf *c, struct dt_str text, struct dt_str *out)
{
    struct dt_bytes *b = dt_bytes_new(c->alloc, text.n);
    if (!b)
        return DT_E_NOMEM;
    for (size_t i = 0; i < text.n; i++) {
        bool escape =
            text.p[i] == '\\' && i + 1 < text.n && (text.p[i + 1] == '"' || text.p[i + 1] == '\\');
        i += escape;
        b->data[b->n++] = text.p[i];
    }
    int err = keep(c, b);
    if (!err)
        *out = dt_bytes_str(b);
    return err;
}

/* ---- values: DT_E_SYNTAX here means a value that the row does not allow ---- */

static int parse_number(const struct dt_option *o, struct dt_str text, int64_t *out)
{
    int64_t min, max;
    uint64_t size;
    dt__option_range(o, &min, &max);
    bool negative = dt_str_starts(text, DT_STR("-"));
    if (dt_str_u64(dt_str_sub(text, negative, text.n), INT64_MAX, &size))
        return DT_E_SYNTAX;
    int64_t value = negative ? -(int64_t)size : (int64_t)size;
    if (value < min || value > max)
        return DT_E_SYNTAX;
    *out = value;
    return DT_OK;
}

static int parse_choice(const char *choices, struct dt_str text, int64_t *out)
{
    int index = dt__option_choice(choices, text);
    if (index < 0)
        return DT_E_SYNTAX;
    *out = index;
    return DT_OK;
}

static int parse_switch(struct dt_str text, int64_t *out)
{
    int err = parse_choice("0|1|off|on|no|yes|false|true", text, out);
    if (!err)
        *out &= 1; /* the words come in pairs */
    return err;
}

/* RFC 1123 2.1, with the underscore that people use. A last label of digits alone would be an IP
 * address with a slip in it. */
static bool is_host_name(struct dt_str text)
{
    struct dt_reader r = dt_reader(text);
    bool numeric = true;
    if (!text.n || text.n > 253)
        return false;
    while (!dt_reader_end(&r)) {
        struct dt_str label = dt_reader_until(&r, '.');
        numeric = true;
        if (!label.n || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++) {
            numeric = numeric && dt_is_digit(label.p[i]);
            if (!dt_char_is(label.p[i], DT_C_ALPHA | DT_C_DIGIT) && label.p[i] != '-' &&
                label.p[i] != '_')
                return false;
        }
        dt_reader_char(&r, '.');
    }
    return !numeric;
}

static bool is_address(struct dt_str text)
{
    struct dt_addr ignored;
    return !dt_addr_parse(&ignored, text) || is_host_name(text);
}

static bool is_preset(const struct dt_conf *c, const struct dt_str_list *list)
{
    for (size_t i = 0; i < c->n_preset; i++)
        if ((const void *)list->items == (const void *)c->kept[i]->data)
            return true;
    return false;
}

static int append(struct dt_conf *c, struct dt_str_list *list, struct dt_word word)
{
    struct dt_str text;
    int err = word.quoted ? keep_unescaped(c, word.text, &text) : keep_text(c, word.text, &text);
    if (err)
        return err;
    if (list->n == 0 || (list->n >= 4 && (list->n & (list->n - 1)) == 0)) { /* 0, 4, 8, 16: full */
        size_t cap = list->n ? list->n * 2 : 4;
        struct dt_bytes *b = dt_bytes_new(c->alloc, cap * sizeof text);
        err = keep(c, b);
        if (err)
            return err;
        struct dt_str *items = (struct dt_str *)(void *)b->data;
        if (list->n)
            memcpy(items, list->items, list->n * sizeof text);
        list->items = items;
    }
    list->items[list->n++] = text;
    return DT_OK;
}

/* ---- one option ---- */

/* An option as a line names it, and where its value stands. */
struct setting {
    const struct dt_option *option;
    void *target;
    struct dt_str name; /* as it was written */
    struct dt_place place;
};

static int complain(struct dt_conf *c, const struct setting *s, struct dt_str value)
{
    char allowed[160];
    struct dt_writer w = dt_writer(allowed, sizeof allowed);
    dt_option_allowed(s->option, &w);
    return FATAL(c, s->place, "%.*s is \"%.*s\"; use %.*s", DT_FMT(shown(s->name)),
                 DT_FMT(shown(value)), DT_FMT(dt_writer_str(&w)));
}

static int parse_integer(const struct setting *s, struct dt_str value)
{
    const struct dt_option *o = s->option;
    if (!value.n) { /* unset */
        value = dt_str_z(o->preset);
        if (!value.n) {
            *(int64_t *)s->target = 0;
            return DT_OK;
        }
    }
    switch (o->type) {
    case DT_OPTION_NUMBER:
        return parse_number(o, value, s->target);
    case DT_OPTION_SWITCH:
        return parse_switch(value, s->target);
    default:
        return parse_choice(o->choices, value, s->target);
    }
}

static int set_value(struct dt_conf *c, const struct setting *s, struct dt_word value)
{
    int err;
    switch (s->option->type) {
    case DT_OPTION_ADDRESS:
        if (value.text.n && !is_address(value.text))
            return complain(c, s, value.text);
        return keep_text(c, value.text, s->target);
    case DT_OPTION_TEXT:
        return value.quoted ? keep_unescaped(c, value.text, s->target)
                            : keep_text(c, value.text, s->target);
    default:
        err = parse_integer(s, value.text);
        return err == DT_E_SYNTAX ? complain(c, s, value.text) : err;
    }
}

static int set_list(struct dt_conf *c, struct setting *s, struct dt_str rest, bool is_line)
{
    struct dt_word words[DT_WORDS_MAX];
    struct dt_str_list *list = s->target;
    bool guide = is_line && c->guide_comments;
    unsigned base = s->place.column ? s->place.column - 1 : 0, column = 0;
    int n = dt_words_split(rest, !is_line ? "" : guide ? "#;" : "#", words, DT_WORDS_MAX, &column);
    s->place.column = base + column;
    if (n == DT_E_LIMIT)
        return FATAL(c, s->place, "more than %d words; write the rest on a line of its own",
                     DT_WORDS_MAX);
    if (n < 0)
        return FATAL(c, s->place, "the quote is not closed");
    if (is_preset(c, list))
        *list = (struct dt_str_list){NULL, 0};
    for (int i = 0; i < n; i++) {
        struct dt_str *text = &words[i].text;
        size_t end = guide && !words[i].quoted ? dt_str_find(*text, ';') : text->n;
        bool cut = end < text->n;
        text->n = end;
        if (!text->n && words[i].quoted)
            *list = (struct dt_str_list){NULL, 0}; /* "" means unset */
        int err = text->n ? append(c, list, words[i]) : DT_OK;
        if (err || cut)
            return err;
    }
    return DT_OK;
}

static int unknown(struct dt_conf *c, struct dt_str name, struct dt_place place)
{
    char nearest[80];
    struct dt_writer w = dt_writer(nearest, sizeof nearest);
    bool fatal = !c->guide_comments;
    dt_option_nearest(c->options, c->n_options, name, &w);
    if (c->problems && w.n)
        dt_problem_add(c->problems, fatal, place, "there is no \"%.*s\"; did you mean \"%.*s\"?",
                       DT_FMT(shown(name)), DT_FMT(dt_writer_str(&w)));
    else if (c->problems)
        dt_problem_add(c->problems, fatal, place, "there is no \"%.*s\"", DT_FMT(shown(name)));
    return fatal ? DT_E_SYNTAX : DT_OK;
}

/* DT_E_ABSENT when there is no such option. */
static int find(const struct dt_conf *c, struct dt_str name, struct dt_place place,
                struct setting *out)
{
    unsigned index;
    const struct dt_option *o = dt_conf_find(c->options, c->n_options, name, &index);
    if (!o)
        return DT_E_ABSENT;
    *out = (struct setting){o, (char *)c->target + o->offset + index * o->stride, name, place};
    return DT_OK;
}

int dt_conf_set(struct dt_conf *c, struct dt_str name, struct dt_str value, struct dt_place place)
{
    struct setting s;
    if (find(c, name, place, &s))
        return unknown(c, name, place);
    if (s.option->type == DT_OPTION_LIST)
        return set_list(c, &s, value, false);
    return set_value(c, &s, (struct dt_word){.text = value});
}

static int set_preset(struct dt_conf *c, const struct dt_option *o, unsigned index)
{
    struct dt_str preset = dt_str_z(o->preset);
    struct setting s = {o,
                        (char *)c->target + o->offset + index * o->stride,
                        dt_str_z(o->name),
                        {.file = DT_STR("default")}};
    switch (o->type) {
    case DT_OPTION_LIST:
        *(struct dt_str_list *)s.target = (struct dt_str_list){NULL, 0};
        return set_list(c, &s, preset, false);
    case DT_OPTION_TEXT:
    case DT_OPTION_ADDRESS:
        *(struct dt_str *)s.target = DT_STR_NONE;
        return preset.n ? set_value(c, &s, (struct dt_word){.text = preset}) : DT_OK;
    default:
        *(int64_t *)s.target = 0;
        return set_value(c, &s, (struct dt_word){.text = preset});
    }
}

int dt_conf_init(struct dt_conf *c, const struct dt_alloc *alloc, const struct dt_option *options,
                 size_t n, void *target, struct dt_problems *problems)
{
    *c = (struct dt_conf){
        .alloc = alloc,
        .options = options,
        .n_options = n,
        .target = target,
        .problems = problems,
    };
    int err = DT_OK;
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < (options[i].count ? options[i].count : 1) && !err; k++)
            err = set_preset(c, &options[i], k);
    c->n_preset = c->n_kept;
    return err;
}

void dt_conf_clear(struct dt_conf *c)
{
    for (size_t i = 0; i < c->n_kept; i++)
        dt_bytes_drop(c->kept[i]);
    dt_alloc_free(c->alloc, c->kept);
    c->kept = NULL;
    c->n_kept = c->n_preset = 0;
}

/* ---- lines ---- */

static void skip_blanks(struct dt_reader *r)
{
    while (dt_reader_char(r, ' ') || dt_reader_char(r, '\t'))
        ;
}

/* Whether a comment begins at `p`. After a value the guide's files put a ';' without a blank. */
static bool is_comment(const struct dt_conf *c, const struct dt_reader *r, const char *p)
{
    bool apart = p == r->start || p[-1] == ' ' || p[-1] == '\t';
    return (*p == '#' && apart) || (*p == ';' && c->guide_comments);
}

static bool at_end(const struct dt_conf *c, const struct dt_reader *r)
{
    return dt_reader_end(r) || is_comment(c, r, r->p);
}

static struct dt_str take_bare(const struct dt_conf *c, struct dt_reader *r)
{
    const char *from = r->p;
    while (!at_end(c, r))
        r->p++;
    return dt_str_trim((struct dt_str){from, (size_t)(r->p - from)});
}

static int take_value(struct dt_conf *c, struct dt_reader *r, struct dt_place *place,
                      struct dt_word *out)
{
    skip_blanks(r);
    place->column = (unsigned)dt_reader_at(r) + 1;
    *out = (struct dt_word){.quoted = dt_reader_peek(r) == '"', .column = place->column};
    if (!out->quoted) {
        out->text = take_bare(c, r);
        return DT_OK;
    }
    if (dt_reader_quoted(r, &out->text))
        return FATAL(c, *place, "the quote is not closed");
    skip_blanks(r);
    if (at_end(c, r))
        return DT_OK;
    place->column = (unsigned)dt_reader_at(r) + 1;
    return FATAL(c, *place, "\"%.*s\" follows the closing quote; put the whole value in quotes",
                 DT_FMT(shown(dt_reader_rest(r))));
}

static int read_include(struct dt_conf *c, struct dt_reader *r, struct dt_place place)
{
    struct dt_word name;
    struct dt_str file;
    struct dt_bytes *text = NULL;
    int err = take_value(c, r, &place, &name);
    if (err)
        return err;
    if (!c->include)
        return FATAL(c, place, "include is not possible here");
    if (!name.text.n)
        return FATAL(c, place, "include what? write include: FILE");
    if (c->depth == DEPTH_MAX)
        return FATAL(c, place, "includes are nested more than %d deep; does a file include itself?",
                     DEPTH_MAX);
    if (c->included == INCLUDED_MAX) /* a file that includes itself twice would be read 256 times */
        return FATAL(c, place, "more than %d files are included; does a file include itself?",
                     INCLUDED_MAX);
    c->included++;
    /* Kept, since problems say where they are for as long as anybody looks at them. */
    err = name.quoted ? keep_unescaped(c, name.text, &file) : keep_text(c, name.text, &file);
    if (err)
        return err;
    err = c->include(c->include_ctx, file, &text);
    if (err && err != DT_E_NOMEM)
        return FATAL(c, place, "cannot read \"%.*s\": %s", DT_FMT(shown(file)), dt_err_text(err));
    if (!err)
        err = keep(c, text);
    if (err)
        return err;
    c->depth++;
    err = dt_conf_read(c, file, dt_bytes_str(text));
    c->depth--;
    return err;
}

static int read_option(struct dt_conf *c, struct dt_reader *r, struct dt_str name,
                       struct dt_place place)
{
    struct setting s;
    struct dt_word value;
    if (find(c, name, place, &s))
        return unknown(c, name, place);
    if (s.option->type == DT_OPTION_LIST) {
        /* From the colon on, so that a '#' at the start is one after a blank or part of a word. */
        skip_blanks(r);
        s.place.column = (unsigned)dt_reader_at(r) + 1;
        return at_end(c, r) ? DT_OK : set_list(c, &s, dt_reader_rest(r), true);
    }
    int err = take_value(c, r, &s.place, &value);
    return err ? err : set_value(c, &s, value);
}

static int read_line(struct dt_conf *c, struct dt_str line, struct dt_place place)
{
    struct dt_reader r = dt_reader(line);
    skip_blanks(&r);
    if (at_end(c, &r))
        return DT_OK;
    place.column = (unsigned)dt_reader_at(&r) + 1;
    const char *from = r.p;
    while (!dt_reader_end(&r) && *r.p != ':' && *r.p != ' ' && *r.p != '\t')
        r.p++;
    struct dt_str name = {from, (size_t)(r.p - from)};
    skip_blanks(&r);
    bool colon = dt_reader_char(&r, ':');
    if (dt_str_ieq(name, DT_STR("include")))
        return read_include(c, &r, place);
    if (!name.n)
        return FATAL(c, place, "there is no name before the colon; write name: value");
    if (!colon)
        return FATAL(c, place, "there is no colon after \"%.*s\"; write name: value",
                     DT_FMT(shown(name)));
    return read_option(c, &r, name, place);
}

int dt_conf_read(struct dt_conf *c, struct dt_str file, struct dt_str text)
{
    struct dt_reader r = dt_reader(text);
    struct dt_place place = {.file = file};
    int result = DT_OK;
    dt_reader_word(&r, DT_STR("\xef\xbb\xbf")); /* the byte order mark of some editors */
    while (!dt_reader_end(&r)) {
        struct dt_str line = dt_reader_until(&r, '\n');
        dt_reader_char(&r, '\n');
        if (dt_str_ends(line, DT_STR("\r")))
            line.n--;
        place.line++;
        int err = read_line(c, line, place);
        if (err == DT_E_NOMEM)
            return err;
        if (err)
            result = err;
    }
    return result;
}
