/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any text as the phone's files or as dualtone.conf: each problem has a place inside the text, a
 * fatal one is an error, and what was understood, written as a file and read again, is the same. An
 * allocation that fails leaves nothing behind. The first byte says which file, the second which
 * allocation fails. */
#include "fuzz.h"
#include "phone/phone.h"
#include "proxy/proxy.h"

enum { PROBLEMS = 8, ROOM = 1 << 18, INCLUDES_MAX = 12 };

static const struct kind {
    const struct dt_option *options;
    const size_t *n;
    bool guide;
} kinds[] = {
    {dt_phone_options, &dt_phone_options_n, true},
    {dt_proxy_options, &dt_proxy_options_n, false},
};

union settings {
    struct dt_phone_config phone;
    struct dt_proxy_config proxy;
};

struct reading {
    struct fuzz_alloc mem;
    struct dt_conf conf;
    union settings settings;
    struct dt_problem list[PROBLEMS];
    struct dt_problems problems;
    struct dt_str text; /* what include gives again */
    unsigned includes;
};

/* Every file includes the same text: itself, not so often that nothing else is tried. */
static int include(void *ctx, struct dt_str name, struct dt_bytes **out)
{
    struct reading *r = ctx;
    if (dt_str_find(name, 'x') < name.n || ++r->includes > INCLUDES_MAX)
        return DT_E_ABSENT;
    *out = dt_bytes_copy(&r->mem.alloc, dt_str_sub(r->text, 0, 64));
    return *out ? DT_OK : DT_E_NOMEM;
}

static int open_reading(struct reading *r, const struct kind *k, size_t fail_in)
{
    memset(r, 0, sizeof *r);
    fuzz_alloc_init(&r->mem);
    r->mem.fail_in = fail_in;
    r->problems = (struct dt_problems){.list = r->list, .cap = PROBLEMS};
    int err = dt_conf_init(&r->conf, &r->mem.alloc, k->options, *k->n, &r->settings, &r->problems);
    r->conf.guide_comments = k->guide;
    return err;
}

static void close_reading(struct reading *r)
{
    dt_conf_clear(&r->conf);
    must(r->mem.live == 0);
}

static unsigned count_lines(struct dt_str text)
{
    unsigned n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static void check_problems(const struct reading *r, bool placed)
{
    unsigned lines = count_lines(r->text);
    for (size_t i = 0; i < r->problems.n && i < PROBLEMS; i++) {
        const struct dt_problem *p = &r->list[i];
        must(memchr(p->text, '\0', sizeof p->text) != NULL && p->text[0]);
        for (size_t j = 0; p->text[j]; j++)
            must((unsigned char)p->text[j] >= ' ' && p->text[j] != 0x7f);
        if (placed)
            must(p->place.line >= 1 && p->place.line <= lines && p->place.column >= 1);
    }
}

/* ---- written again ---- */

static void write_name(struct dt_writer *w, const struct dt_option *o, unsigned index)
{
    struct dt_str row = dt_str_z(o->name);
    size_t percent = dt_str_find(row, '%');
    dt_write(w, dt_str_sub(row, 0, percent));
    if (percent < row.n)
        dt_write_u64(w, index + 1);
    dt_write(w, dt_str_sub(row, percent + 1, row.n));
    dt_write_lit(w, ": ");
}

static void write_choice(struct dt_writer *w, const char *choices, int64_t index)
{
    struct dt_reader r = dt_reader(dt_str_z(choices));
    struct dt_str word = dt_reader_until(&r, '|');
    for (int64_t i = 0; i < index; i++) {
        must(dt_reader_char(&r, '|'));
        word = dt_reader_until(&r, '|');
    }
    dt_write(w, word);
}

static void write_number(struct dt_writer *w, const struct dt_option *o, int64_t v)
{
    bool ranged = o->min || o->max;
    bool unset = v == 0 && !o->preset && ranged && o->min > 0;
    must(unset || !ranged || (v >= o->min && v <= o->max));
    if (!unset)
        dt_writef(w, "%lld", (long long)v);
}

static void write_list(struct dt_writer *w, const struct dt_option *o, unsigned index,
                       const struct dt_str_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (i) {
            dt_write_lit(w, "\n");
            write_name(w, o, index);
        }
        must(list->items[i].n > 0);
        dt_write_quoted(w, list->items[i]);
    }
    if (!list->n)
        dt_write_lit(w, "\"\"");
}

static void write_option(struct dt_writer *w, const struct dt_option *o, unsigned index,
                         const void *at)
{
    write_name(w, o, index);
    switch (o->type) {
    case DT_OPTION_TEXT:
        dt_write_quoted(w, *(const struct dt_str *)at);
        break;
    case DT_OPTION_ADDRESS:
        dt_write(w, *(const struct dt_str *)at);
        break;
    case DT_OPTION_NUMBER:
        write_number(w, o, *(const int64_t *)at);
        break;
    case DT_OPTION_SWITCH:
        must(*(const int64_t *)at == 0 || *(const int64_t *)at == 1);
        dt_writef(w, "%lld", (long long)*(const int64_t *)at);
        break;
    case DT_OPTION_CHOICE:
        write_choice(w, o->choices, *(const int64_t *)at);
        break;
    case DT_OPTION_LIST:
        write_list(w, o, index, at);
        break;
    }
    dt_write_lit(w, "\n");
}

static void same_option(const struct dt_option *o, const void *a, const void *b)
{
    const struct dt_str_list *x = a, *y = b;
    switch (o->type) {
    case DT_OPTION_TEXT:
    case DT_OPTION_ADDRESS:
        must(dt_str_eq(*(const struct dt_str *)a, *(const struct dt_str *)b));
        break;
    case DT_OPTION_LIST:
        must(x->n == y->n);
        for (size_t i = 0; i < x->n; i++)
            must(dt_str_eq(x->items[i], y->items[i]));
        break;
    default:
        must(*(const int64_t *)a == *(const int64_t *)b);
        break;
    }
}

/* Parameters that nothing reads yet share one place. */
static bool has_place(const struct kind *k, const struct dt_option *o)
{
    return !k->guide || o->offset != offsetof(struct dt_phone_config, not_used);
}

static void again(const struct reading *r, const struct kind *k)
{
    static char text[ROOM];
    static struct reading second;
    struct dt_writer w = dt_writer(text, sizeof text);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < *k->n; i++) {
            const struct dt_option *o = &k->options[i];
            for (unsigned j = 0; has_place(k, o) && j < (o->count ? o->count : 1); j++) {
                size_t at = o->offset + j * o->stride;
                if (pass == 0)
                    write_option(&w, o, j, (const char *)&r->settings + at);
                else
                    same_option(o, (const char *)&r->settings + at,
                                (const char *)&second.settings + at);
            }
        }
        if (w.err || dt_str_find(dt_writer_str(&w), '\r') < w.n)
            return; /* a CR cannot stand in quotes */
        if (pass)
            break;
        must(open_reading(&second, k, 0) == DT_OK);
        must(dt_conf_read(&second.conf, DT_STR("again"), dt_writer_str(&w)) == DT_OK);
        must(second.problems.n == 0);
    }
    close_reading(&second);
}

/* What the rows cannot say is said without harm, whatever the values are. */
static void beyond_rows(struct reading *r, const struct kind *k)
{
    size_t fatal = r->problems.fatal;
    int err = k->guide ? dt_phone_config_check(&r->settings.phone, &r->problems)
                       : dt_proxy_config_check(&r->settings.proxy, &r->problems);
    must((err == DT_E_SYNTAX) == (r->problems.fatal > fatal));
    if (k->guide)
        dt_phone_config_unused(DT_STR("f"), r->text, &r->problems);
    check_problems(r, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading r;
    struct dt_str in = {(const char *)data, size};
    unsigned which = take_byte(&in), fail_in = take_byte(&in);
    const struct kind *k = &kinds[which & 1];
    if (in.n > 512)
        return 0;
    char *copy = copy_of(in, 0);
    int err = open_reading(&r, k, fail_in);
    r.text = (struct dt_str){copy, in.n};
    if (which & 2) {
        r.conf.include = include;
        r.conf.include_ctx = &r;
    }
    if (!err)
        err = dt_conf_read(&r.conf, DT_STR("f"), r.text);
    must(err == DT_OK || err == DT_E_SYNTAX || (err == DT_E_NOMEM && fail_in));
    must(err == DT_E_NOMEM || (err == DT_E_SYNTAX) == (r.problems.fatal > 0));
    check_problems(&r, true);
    if (err != DT_E_NOMEM) {
        r.mem.fail_in = 0;
        again(&r, k);
        beyond_rows(&r, k);
    }
    close_reading(&r);
    free(copy);
    return 0;
}
