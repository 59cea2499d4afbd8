/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rows of an option table: found by name, and put into words. */
#include "base/option.h"

enum { NAME_MAX = 64 }; /* longer names get no suggestion */

/* ---- names ---- */

static char fold(char c)
{
    return c == '-' ? '_' : dt_lower(c);
}

static bool same_name(struct dt_str a, struct dt_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (fold(a.p[i]) != fold(b.p[i]))
            return false;
    return true;
}

/* "line%_name" against "line3_name": the number is the index plus 1. */
static bool matches_numbered(const struct dt_option *o, struct dt_str name, unsigned *index)
{
    struct dt_str row = dt_str_z(o->name);
    size_t percent = dt_str_find(row, '%');
    struct dt_str tail = dt_str_sub(row, percent + 1, row.n);
    if (percent == row.n || name.n < row.n ||
        !same_name(dt_str_sub(name, 0, percent), dt_str_sub(row, 0, percent)))
        return false;
    struct dt_str digits = dt_str_sub(name, percent, name.n - tail.n - percent);
    uint64_t number;
    if (!digits.n || dt_str_u64(digits, o->count, &number) || !number || digits.p[0] == '0')
        return false;
    *index = (unsigned)number - 1;
    return same_name(dt_str_sub(name, percent + digits.n, name.n), tail);
}

const struct dt_option *dt_conf_find(const struct dt_option *options, size_t n, struct dt_str name,
                                     unsigned *index)
{
    unsigned ignored;
    if (!index)
        index = &ignored;
    for (size_t i = 0; i < n; i++) {
        *index = 0;
        if (options[i].count ? matches_numbered(&options[i], name, index)
                             : same_name(dt_str_z(options[i].name), name))
            return &options[i];
    }
    return NULL;
}

/* ---- the nearest name ---- */

/* Letters to insert, delete or replace (Levenshtein), row by row. */
static unsigned distance(struct dt_str a, struct dt_str b)
{
    unsigned row[NAME_MAX + 1];
    if (a.n > NAME_MAX || b.n > NAME_MAX)
        return NAME_MAX;
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 0; i < a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < b.n; j++) {
            unsigned best = diagonal + (fold(a.p[i]) != fold(b.p[j]));
            if (best > row[j] + 1)
                best = row[j] + 1;
            if (best > row[j + 1] + 1)
                best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[b.n];
}

/* The name of a row for one number, "line3_name". */
static struct dt_str spell(const struct dt_option *o, unsigned number, char buf[NAME_MAX])
{
    struct dt_writer w = dt_writer(buf, NAME_MAX);
    struct dt_str row = dt_str_z(o->name);
    size_t percent = o->count ? dt_str_find(row, '%') : row.n;
    dt_write(&w, dt_str_sub(row, 0, percent));
    if (percent < row.n)
        dt_write_u64(&w, number);
    dt_write(&w, dt_str_sub(row, percent + 1, row.n));
    return dt_writer_str(&w);
}

void dt_option_nearest(const struct dt_option *options, size_t n, struct dt_str name,
                       struct dt_writer *w)
{
    char buf[NAME_MAX];
    unsigned nearest = 3, number = 0;
    const struct dt_option *found = NULL;
    for (size_t i = 0; i < n; i++) {
        for (unsigned k = 1; k <= (options[i].count ? options[i].count : 1); k++) {
            unsigned d = distance(name, spell(&options[i], k, buf));
            /* Half a short name changed is another name, not a slip. */
            if (d >= nearest || 2 * d >= name.n)
                continue;
            nearest = d;
            number = k;
            found = &options[i];
        }
    }
    if (found)
        dt_write(w, spell(found, number, buf));
}

/* ---- what is allowed ---- */

void dt__option_range(const struct dt_option *o, int64_t *min, int64_t *max)
{
    *min = o->min;
    *max = o->min || o->max ? o->max : INT64_MAX;
}

int dt__option_choice(const char *choices, struct dt_str word)
{
    struct dt_reader r = dt_reader(dt_str_z(choices));
    for (int i = 0; !dt_reader_end(&r); i++) {
        if (dt_str_ieq(dt_reader_until(&r, '|'), word))
            return i;
        dt_reader_char(&r, '|');
    }
    return -1;
}

static const char *unit_words(const char *unit)
{
    struct dt_str u = dt_str_z(unit);
    if (dt_str_eq(u, DT_STR("ms")))
        return "milliseconds";
    if (dt_str_eq(u, DT_STR("s")))
        return "seconds";
    return unit ? unit : "a number";
}

static void write_number(struct dt_writer *w, int64_t v)
{
    if (v < 0)
        dt_write_char(w, '-');
    dt_write_u64(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void write_range(struct dt_writer *w, const struct dt_option *o)
{
    int64_t min, max;
    dt__option_range(o, &min, &max);
    dt_write_z(w, unit_words(o->unit));
    if (max == INT64_MAX) {
        dt_write_lit(w, ", ");
        write_number(w, min);
        dt_write_lit(w, " or more");
        return;
    }
    dt_write_lit(w, " between ");
    write_number(w, min);
    dt_write_lit(w, " and ");
    write_number(w, max);
}

/* "none, avt or avt_always". */
static void write_choices(struct dt_writer *w, const char *choices)
{
    struct dt_reader r = dt_reader(dt_str_z(choices));
    for (bool first = true; !dt_reader_end(&r); first = false) {
        struct dt_str word = dt_reader_until(&r, '|');
        bool last = !dt_reader_char(&r, '|');
        if (!first)
            dt_write_z(w, last ? " or " : ", ");
        dt_write(w, word);
    }
}

void dt_option_allowed(const struct dt_option *o, struct dt_writer *w)
{
    switch (o->type) {
    case DT_OPTION_NUMBER:
        write_range(w, o);
        break;
    case DT_OPTION_SWITCH:
        dt_write_lit(w, "1 or 0 (also on or off, yes or no, true or false)");
        break;
    case DT_OPTION_CHOICE:
        write_choices(w, o->choices);
        break;
    case DT_OPTION_ADDRESS:
        dt_write_lit(w, "an IP address, an IP address and port, or a host name");
        break;
    case DT_OPTION_LIST:
        dt_write_lit(w, "words separated by blanks");
        break;
    case DT_OPTION_TEXT:
        dt_write_lit(w, "text");
        break;
    }
}
