/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The flow language: one function a statement, found by a table (docs/flow-language.md). Here the
 * lines; the statements are in parse_parties.c and parse_steps.c. */
#include "flow/parse.h"

static const struct {
    const char *word;
    void (*parse)(struct flow_parse *p);
    bool declaration;
} statements[] = {
    {"flow", dt__flow_parse_flow, true},         {"proxy", dt__flow_parse_proxy, true},
    {"phone", dt__flow_parse_phone, true},       {"foreign", dt__flow_parse_foreign, true},
    {"pair", dt__flow_parse_pair, true},         {"set", dt__flow_parse_set, true},
    {"blackhole", dt__flow_parse_fault, false},  {"kill", dt__flow_parse_fault, false},
    {"hang", dt__flow_parse_fault, false},       {"wake", dt__flow_parse_fault, false},
    {"restart", dt__flow_parse_fault, false},    {"wait", dt__flow_parse_wait, false},
    {"hear", dt__flow_parse_wait, false},        {"ringing", dt__flow_parse_state, false},
    {"talking", dt__flow_parse_state, false},    {"ended", dt__flow_parse_state, false},
    {"registered", dt__flow_parse_state, false}, {"unordered", dt__flow_parse_block, false},
    {"end", dt__flow_parse_block, false},        {"optional", NULL, false}, /* before a message */
};
enum { STATEMENTS = sizeof statements / sizeof *statements };

/* ---- what the statements use ---- */

void dt__flow_wrong(struct flow_parse *p, int word, const char *what)
{
    struct dt_place place = p->place;
    place.column = word < p->n ? p->words[word].column : (unsigned)dt_str_trim(p->line).n + 1;
    if (p->bad)
        return;
    bool order = dt_str_starts(dt_str_z(what), DT_STR("use")) ||
                 dt_str_starts(dt_str_z(what), DT_STR("name"));
    if (word < p->n)
        dt_problem_add(p->problems, true, place, "\"%.*s\" %s%s", DT_FMT(p->words[word].text),
                       order ? "is not right here; " : "", what);
    else
        dt_problem_add(p->problems, true, place, "the line ends here; %s", what);
    p->bad = p->failed = true;
}

bool dt__flow_is(const struct flow_parse *p, int word, const char *text)
{
    return word < p->n && !p->words[word].quoted && dt_str_eq(p->words[word].text, dt_str_z(text));
}

bool dt__flow_ends(struct flow_parse *p, int n, const char *use)
{
    if (p->n > n)
        dt__flow_wrong(p, n, use);
    return p->n <= n;
}

int dt__flow_party(const struct flow_parse *p, int word)
{
    for (size_t i = 0; word < p->n && i < p->f->n_parties; i++)
        if (dt_str_eq(p->words[word].text, dt_str_z(p->f->parties[i].name)))
            return (int)i;
    return -1;
}

int dt__flow_want_party(struct flow_parse *p, int word)
{
    int i = dt__flow_party(p, word);
    if (i < 0)
        dt__flow_wrong(p, word,
                       word < p->n
                           ? "is no party of this flow; declare it with \"proxy\", \"phone\" or "
                             "\"foreign\" first"
                           : "name a party");
    return i;
}

bool dt__flow_is_statement(struct dt_str word)
{
    for (size_t i = 0; i < STATEMENTS; i++)
        if (dt_str_eq(word, dt_str_z(statements[i].word)))
            return true;
    return false;
}

/* ---- lines ---- */

static void parse_statement(struct flow_parse *p)
{
    bool optional = dt__flow_is(p, 0, "optional");
    for (size_t i = 0; i < STATEMENTS && !optional; i++) {
        if (!dt__flow_is(p, 0, statements[i].word))
            continue;
        if (statements[i].declaration && p->f->n_steps > 0)
            dt__flow_wrong(p, 0, "must stand before the first step");
        else
            statements[i].parse(p);
        return;
    }
    if (optional || dt__flow_is(p, 1, "->"))
        dt__flow_parse_message(p, optional, optional);
    else
        dt__flow_parse_deed(p);
}

static void parse_line(struct flow_parse *p)
{
    unsigned column = 1;
    p->bad = false;
    p->n = dt_words_split(p->line, "#", p->words, DT_WORDS_MAX, &column);
    if (p->n > 0)
        parse_statement(p);
    if (p->n >= 0)
        return;
    p->place.column = column;
    dt_problem_add(p->problems, true, p->place, "%s",
                   p->n == DT_E_LIMIT ? "the line has more than 64 words; use fewer"
                                      : "a quote is opened here and not closed");
    p->failed = true;
}

static void parse_end(struct flow_parse *p)
{
    p->n = 0;
    p->bad = false;
    p->line = DT_STR("");
    p->place.column = 1;
    const char *what = p->f->name.n == 0    ? "the file has no line: flow NAME \"TITLE\""
                       : p->f->n_steps == 0 ? "the flow has no steps"
                       : p->block           ? "an \"unordered\" block is not closed with \"end\""
                                            : NULL;
    if (p->failed || !what)
        return;
    p->place.line += p->place.line == 0; /* an empty file */
    dt_problem_add(p->problems, true, p->place, "%s", what);
    p->failed = true;
}

int dt_flow_parse(const struct dt_alloc *alloc, struct dt_str file, struct dt_str text,
                  struct dt_problems *problems, struct dt_flow **out)
{
    struct dt_flow *f = dt_alloc_zero(alloc, sizeof *f);
    *out = NULL;
    if (!f)
        return DT_E_NOMEM;
    f->alloc = alloc;
    f->source = dt_bytes_copy(alloc, text);
    if (!f->source) {
        dt_flow_free(f);
        return DT_E_NOMEM;
    }
    struct flow_parse p = {.f = f, .problems = problems, .place = {.file = file}};
    struct dt_reader r = dt_reader(dt_bytes_str(f->source));
    while (!dt_reader_end(&r) && !p.nomem) {
        p.line = dt_reader_until(&r, '\n');
        dt_reader_char(&r, '\n');
        p.place.line++;
        parse_line(&p);
    }
    if (!p.nomem)
        parse_end(&p);
    if (p.failed || p.nomem) {
        dt_flow_free(f);
        return p.nomem ? DT_E_NOMEM : DT_E_SYNTAX;
    }
    *out = f;
    return DT_OK;
}

void dt_flow_free(struct dt_flow *f)
{
    if (!f)
        return;
    dt_bytes_drop(f->source);
    dt_alloc_free(f->alloc, f->steps);
    dt_alloc_free(f->alloc, f);
}
