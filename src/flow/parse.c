/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The flow language: one function a statement, found by a table (docs/flow-language.md). */
#include "flow/flow.h"

#include "dualtone/msg.h"

#include <string.h>

struct parse {
    struct dt_flow *f;
    struct dt_problems *problems;
    struct dt_place place;
    struct dt_word words[DT_WORDS_MAX];
    int n;
    struct dt_str line;
    unsigned block, blocks;
    bool failed, nomem;
};

static void wrong(struct parse *p, int word, const char *what)
{
    struct dt_place place = p->place;
    place.column = word < p->n ? p->words[word].column : (unsigned)p->line.n + 1;
    if (word < p->n)
        dt_problem_add(p->problems, true, place, "\"%.*s\" %s", DT_FMT(p->words[word].text), what);
    else
        dt_problem_add(p->problems, true, place, "the line ends here; %s", what);
    p->failed = true;
}

static bool is(const struct parse *p, int word, const char *text)
{
    return word < p->n && !p->words[word].quoted && dt_str_eq(p->words[word].text, dt_str_z(text));
}

static int party_of(const struct parse *p, int word)
{
    for (size_t i = 0; word < p->n && i < p->f->n_parties; i++)
        if (dt_str_eq(p->words[word].text, dt_str_z(p->f->parties[i].name)))
            return (int)i;
    return -1;
}

/* The party named by a word; says so if there is none. */
static int want_party(struct parse *p, int word)
{
    int i = party_of(p, word);
    if (i < 0)
        wrong(p, word, "is no party of this flow; declare it with \"proxy\" or \"phone\" first");
    return i;
}

/* ---- declarations ---- */

static void parse_flow(struct parse *p)
{
    if (p->n < 2) {
        wrong(p, 1, "use: flow NAME \"TITLE\"");
        return;
    }
    p->f->name = p->words[1].text;
    p->f->title = p->n > 2 ? p->words[2].text : DT_STR("");
}

static struct dt_flow_party *new_party(struct parse *p, enum dt_flow_role role)
{
    if (p->n < 2 || p->words[1].text.n == 0 || p->words[1].text.n > 31) {
        wrong(p, 1, "use a name of 1 to 31 characters");
        return NULL;
    }
    if (party_of(p, 1) >= 0) {
        wrong(p, 1, "is declared twice; use another name");
        return NULL;
    }
    if (p->f->n_parties == DT_FLOW_PARTIES_MAX) {
        wrong(p, 1, "is one party too many; a flow has at most 16");
        return NULL;
    }
    struct dt_flow_party *x = &p->f->parties[p->f->n_parties++];
    memset(x, 0, sizeof *x);
    memcpy(x->name, p->words[1].text.p, p->words[1].text.n);
    x->role = role;
    x->primary = x->backup = -1;
    return x;
}

static void parse_proxy(struct parse *p)
{
    struct dt_flow_party *x = new_party(p, DT_FLOW_PROXY);
    for (int i = 2; x && i < p->n; i++) {
        if (is(p, i, "auth"))
            x->auth = true;
        else
            wrong(p, i, "is not known here; use: proxy NAME [auth]");
    }
}

static int want_proxy(struct parse *p, int word)
{
    int i = want_party(p, word);
    if (i >= 0 && p->f->parties[i].role == DT_FLOW_PHONE) {
        wrong(p, word, "is a phone; name a proxy");
        return -1;
    }
    return i;
}

static bool parse_register(struct parse *p, int word, enum dt_flow_register *out)
{
    static const char *const names[] = {"primary", "both", "none"};
    for (int i = 0; i < 3; i++)
        if (is(p, word, names[i])) {
            *out = (enum dt_flow_register)i;
            return true;
        }
    wrong(p, word, "is not known; use: register primary, both or none");
    return false;
}

static void parse_phone(struct parse *p)
{
    struct dt_flow_party *x = new_party(p, DT_FLOW_PHONE);
    if (!x)
        return;
    if (p->n < 3) {
        wrong(p, 2, "use: phone NAME NUMBER [primary P] [backup P] [register both] ...");
        return;
    }
    x->number = p->words[2].text;
    for (int i = 3; i < p->n && !p->failed; i++) {
        if (is(p, i, "primary"))
            x->primary = want_proxy(p, ++i);
        else if (is(p, i, "backup"))
            x->backup = want_proxy(p, ++i);
        else if (is(p, i, "register"))
            parse_register(p, ++i, &x->registers);
        else if (is(p, i, "password") && i + 1 < p->n)
            x->password = p->words[++i].text;
        else if (is(p, i, "off"))
            x->off = true;
        else
            wrong(p, i,
                  "is not known here; use primary P, backup P, register HOW, password WORD "
                  "or off");
    }
    if (x->primary < 0)
        x->registers = DT_FLOW_REGISTER_NONE;
}

static void parse_foreign(struct parse *p)
{
    struct dt_flow_party *x = new_party(p, DT_FLOW_FOREIGN);
    if (!x)
        return;
    if (p->n != 5 || !is(p, 3, "at") || dt_addr_parse(&x->at, p->words[4].text) ||
        x->at.port == 0) {
        wrong(p, p->n < 5 ? p->n : 4, "use: foreign NAME NUMBER at IP:PORT");
        return;
    }
    x->number = p->words[2].text;
}

static void set_one(struct parse *p, struct dt_flow_party *x)
{
    if (x->n_sets == DT_FLOW_SETS_MAX) {
        wrong(p, 2, "is one setting too many; a party has at most 8");
        return;
    }
    x->sets[x->n_sets].name = p->words[2].text;
    x->sets[x->n_sets++].value = p->words[3].text;
}

static void parse_set(struct parse *p)
{
    if (p->n != 4) {
        wrong(p, p->n < 4 ? p->n : 4, "use: set PARTY PARAMETER VALUE (or: set phones ...)");
        return;
    }
    bool phones = is(p, 1, "phones"), proxies = is(p, 1, "proxies");
    int one = phones || proxies ? -1 : want_party(p, 1);
    for (size_t i = 0; i < p->f->n_parties && !p->failed; i++) {
        struct dt_flow_party *x = &p->f->parties[i];
        if ((phones && x->role == DT_FLOW_PHONE) || (proxies && x->role == DT_FLOW_PROXY) ||
            (int)i == one)
            set_one(p, x);
    }
}

/* ---- steps ---- */

static struct dt_flow_step *new_step(struct parse *p, enum dt_flow_step_kind kind)
{
    struct dt_flow *f = p->f;
    struct dt_flow_step *more = dt_alloc_array(f->alloc, f->steps, f->n_steps + 1, sizeof *more);
    if (!more) {
        p->nomem = p->failed = true;
        return NULL;
    }
    f->steps = more;
    struct dt_flow_step *s = &more[f->n_steps++];
    *s = (struct dt_flow_step){.kind = kind, .line = p->place.line, .party = -1, .to = -1};
    s->column = p->words[0].column;
    s->source = dt_str_trim(p->line);
    s->count = 1;
    s->block = p->block;
    return s;
}

/* "0.5": decimal seconds. */
static bool parse_seconds(struct dt_str text, dt_time *out)
{
    struct dt_reader r = dt_reader(text);
    uint64_t whole = 0;
    if (dt_reader_u64(&r, 1000000, &whole))
        return false;
    *out = (dt_time)whole * DT_SECOND;
    if (dt_reader_char(&r, '.')) {
        dt_time unit = DT_SECOND;
        struct dt_str digits = dt_reader_run(&r, DT_C_DIGIT);
        for (size_t i = 0; i < digits.n && unit > 1; i++) {
            unit /= 10;
            *out += (digits.p[i] - '0') * unit;
        }
    }
    return dt_reader_end(&r);
}

static void parse_fault(struct parse *p)
{
    int party = want_party(p, 1);
    struct dt_flow_step *s = party < 0 ? NULL : new_step(p, DT_FLOW_FAULT);
    if (!s)
        return;
    s->party = party;
    s->text = p->words[0].text;
}

static void parse_wait(struct parse *p)
{
    dt_time t = 0;
    if (p->n != 2 || !parse_seconds(p->words[1].text, &t)) {
        wrong(p, 1, "use SECONDS, as in: wait 2.5");
        return;
    }
    struct dt_flow_step *s = new_step(p, DT_FLOW_WAIT);
    if (!s)
        return;
    s->times[0] = t;
    s->n_times = 1;
    s->unscaled = is(p, 0, "hear");
}

static void parse_state(struct parse *p)
{
    static const char *const names[] = {
#define X(name, text) text,
        DT_FLOW_STATES(X)
#undef X
    };
    if (p->n < 2)
        wrong(p, 1, "name at least one phone");
    for (int i = 1; i < p->n; i++) {
        int party = want_party(p, i);
        struct dt_flow_step *s = party < 0 ? NULL : new_step(p, DT_FLOW_STATE);
        if (!s)
            return;
        s->party = party;
        for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
            if (is(p, 0, names[k]))
                s->state = (enum dt_flow_state)k;
    }
}

static void parse_block(struct parse *p)
{
    bool begin = is(p, 0, "unordered");
    if (begin == (p->block != 0)) {
        wrong(p, 0,
              begin ? "stands inside another block; close that one with \"end\" first"
                    : "closes no block");
        return;
    }
    p->block = begin ? ++p->blocks : 0;
}

/* METHOD or STATUS [METHOD], xN, at T T T, has "text", lacks "text". */
static int parse_times(struct parse *p, struct dt_flow_step *s, int i)
{
    while (i < p->n && s->n_times < DT_FLOW_TIMES_MAX && dt_is_digit(p->words[i].text.p[0])) {
        if (!parse_seconds(p->words[i].text, &s->times[s->n_times++])) {
            wrong(p, i, "is no time; use seconds, as 0.5");
            return p->n;
        }
        i++;
    }
    if (s->n_times == 0)
        wrong(p, i, "use: at SECONDS ...");
    return i;
}

static void parse_conditions(struct parse *p, struct dt_flow_step *s, int i)
{
    while (i < p->n && !p->failed) {
        struct dt_str w = p->words[i].text;
        uint64_t count = 0;
        bool has = is(p, i, "has"), lacks = is(p, i, "lacks");
        if (w.n > 1 && w.p[0] == 'x' && !dt_str_u64(dt_str_sub(w, 1, w.n), 1000, &count)) {
            s->count = (unsigned)count;
            i++;
        } else if (is(p, i, "at")) {
            i = parse_times(p, s, i + 1);
        } else if ((has || lacks) && i + 1 < p->n && s->n_has < DT_FLOW_HAS_MAX) {
            s->has[s->n_has].lacks = lacks;
            s->has[s->n_has++].text = p->words[i + 1].text;
            i += 2;
        } else {
            wrong(p, i, "is not known here; use xN, at SECONDS, has \"TEXT\" or lacks \"TEXT\"");
        }
    }
    if (!p->failed && s->n_times > 1 && s->n_times != s->count)
        wrong(p, p->n, "give one time, or as many as xN says");
}

static void parse_message(struct parse *p, int first, bool optional)
{
    int from = want_party(p, first), to = p->failed ? -1 : want_party(p, first + 2);
    uint64_t status = 0;
    int i = first + 3;
    if (p->failed)
        return;
    if (i >= p->n) {
        wrong(p, i, "name a method (INVITE) or a status (180)");
        return;
    }
    struct dt_flow_step *s = new_step(p, DT_FLOW_MESSAGE);
    if (!s)
        return;
    s->party = from;
    s->to = to;
    s->optional = optional;
    if (dt_is_digit(p->words[i].text.p[0])) {
        if (dt_str_u64(p->words[i].text, 699, &status) || status < 100) {
            wrong(p, i, "is no status; use 100 to 699");
            return;
        }
        s->status = (int)status;
        i++;
    }
    if (i < p->n && dt_method_find(p->words[i].text) != DT_METHOD_OTHER)
        s->method = p->words[i++].text;
    else if (s->status == 0) {
        wrong(p, i, "is no SIP method; use INVITE, ACK, BYE, CANCEL, REGISTER, ...");
        return;
    }
    parse_conditions(p, s, i);
}

/* What a person does at a phone: words behind its name, and the phone's command. */
static const struct {
    const char *words, *command;
    bool argument;
} deeds[] = {
    {"dials", "dial ", true},   {"answers", "answer", false}, {"rejects", "reject", false},
    {"hangs", "hangup", false}, {"holds", "hold", false},     {"resumes", "resume", false},
};

static void parse_deed(struct parse *p)
{
    int party = want_party(p, 0);
    if (party < 0)
        return;
    if (is(p, 1, "shows") && p->n == 3) {
        struct dt_flow_step *s = new_step(p, DT_FLOW_SHOWS);
        if (s) {
            s->party = party;
            s->text = p->words[2].text;
        }
        return;
    }
    if (is(p, 1, "starts")) {
        struct dt_flow_step *s = new_step(p, DT_FLOW_START);
        if (s)
            s->party = party;
        return;
    }
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (!is(p, 1, deeds[i].words) || (deeds[i].argument && p->n < 3))
            continue;
        struct dt_flow_step *s = new_step(p, DT_FLOW_DO);
        if (s) {
            s->party = party;
            s->text = dt_str_z(deeds[i].command);
            s->method = deeds[i].argument ? p->words[2].text : DT_STR_NONE;
        }
        return;
    }
    wrong(p, 1,
          "is nothing that a party does; use dials NUMBER, answers, rejects, hangs up, holds, "
          "resumes, starts, shows \"TEXT\", or -> PARTY MESSAGE");
}

/* ---- lines ---- */

static const struct {
    const char *word;
    void (*parse)(struct parse *p);
    bool declaration;
} statements[] = {
    {"flow", parse_flow, true},        {"proxy", parse_proxy, true},
    {"phone", parse_phone, true},      {"foreign", parse_foreign, true},
    {"set", parse_set, true},          {"blackhole", parse_fault, false},
    {"kill", parse_fault, false},      {"hang", parse_fault, false},
    {"wake", parse_fault, false},      {"restart", parse_fault, false},
    {"wait", parse_wait, false},       {"hear", parse_wait, false},
    {"ringing", parse_state, false},   {"talking", parse_state, false},
    {"ended", parse_state, false},     {"registered", parse_state, false},
    {"unordered", parse_block, false}, {"end", parse_block, false},
};

static void parse_line(struct parse *p)
{
    unsigned column = 1;
    p->n = dt_words_split(p->line, "#", p->words, DT_WORDS_MAX, &column);
    if (p->n < 0) {
        p->place.column = column;
        dt_problem_add(p->problems, true, p->place, "%s",
                       p->n == DT_E_LIMIT ? "the line has more than 64 words"
                                          : "a quote is opened here and not closed");
        p->failed = true;
        return;
    }
    if (p->n == 0)
        return;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (!is(p, 0, statements[i].word))
            continue;
        if (statements[i].declaration && p->f->n_steps > 0)
            wrong(p, 0, "must stand before the first step");
        else
            statements[i].parse(p);
        return;
    }
    bool optional = is(p, 0, "optional");
    if (is(p, optional + 1, "->"))
        parse_message(p, optional, optional);
    else
        parse_deed(p);
}

static void parse_end(struct parse *p)
{
    p->n = 0;
    p->line = DT_STR("");
    if (p->failed)
        return;
    if (p->f->name.n == 0)
        wrong(p, 0, "the file has no line \"flow NAME\"");
    else if (p->f->n_steps == 0)
        wrong(p, 0, "the flow has no steps");
    else if (p->block)
        wrong(p, 0, "an \"unordered\" block is not closed with \"end\"");
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
    struct parse p = {.f = f, .problems = problems, .place = {.file = file}};
    struct dt_reader r = dt_reader(dt_bytes_str(f->source));
    while (!dt_reader_end(&r) && !p.nomem) {
        p.line = dt_reader_until(&r, '\n');
        dt_reader_char(&r, '\n');
        if (dt_str_ends(p.line, DT_STR("\r")))
            p.line.n--;
        p.place.line++;
        parse_line(&p);
    }
    parse_end(&p);
    if (p.failed) {
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
