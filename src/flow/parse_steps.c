/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The flow language: steps. */
#include "flow/parse.h"

#include "dualtone/msg.h"

enum { BLOCK_MAX = 64, COUNT_MAX = 1000, TIME_MAX_S = 1000000 };

/* The line from its first word to its last. */
static struct dt_str without_comment(const struct flow_parse *p)
{
    const struct dt_word *last = &p->words[p->n - 1];
    const char *end = last->text.p + last->text.n + last->quoted;
    return dt_str_trim(dt_str_sub(p->line, 0, (size_t)(end - p->line.p)));
}

static struct dt_flow_step *new_step(struct flow_parse *p, enum dt_flow_step_kind kind)
{
    struct dt_flow *f = p->f;
    if (p->block && kind != DT_FLOW_MESSAGE) {
        dt__flow_wrong(p, 0, "stands in an unordered block, where only messages may");
        return NULL;
    }
    if (p->block && p->block_steps++ == BLOCK_MAX) {
        dt__flow_wrong(p, 0, "is one message too many; an unordered block has at most 64");
        return NULL;
    }
    struct dt_flow_step *more = dt_alloc_array(f->alloc, f->steps, f->n_steps + 1, sizeof *more);
    if (!more) {
        p->nomem = p->bad = true;
        return NULL;
    }
    f->steps = more;
    struct dt_flow_step *s = &more[f->n_steps++];
    *s = (struct dt_flow_step){.kind = kind, .line = p->place.line, .party = -1, .to = -1};
    s->column = p->words[0].column;
    s->source = without_comment(p);
    s->count = 1;
    s->block = p->block;
    return s;
}

/* "0.5": decimal seconds, to the microsecond. */
static bool read_seconds(struct dt_str text, dt_time *out)
{
    struct dt_reader r = dt_reader(text);
    uint64_t whole = 0;
    if (dt_reader_u64(&r, TIME_MAX_S, &whole))
        return false;
    *out = (dt_time)whole * DT_SECOND;
    if (dt_reader_end(&r))
        return true;
    dt_time unit = DT_SECOND;
    bool point = dt_reader_char(&r, '.');
    struct dt_str digits = dt_reader_run(&r, DT_C_DIGIT);
    for (size_t i = 0; i < digits.n && unit > 1; i++) {
        unit /= 10;
        *out += (digits.p[i] - '0') * unit;
    }
    return point && digits.n > 0 && digits.n <= 6 && dt_reader_end(&r);
}

static bool begins_with_digit(const struct flow_parse *p, int word)
{
    return word < p->n && p->words[word].text.n > 0 && dt_is_digit(p->words[word].text.p[0]);
}

/* ---- what is done to the system ---- */

void dt__flow_parse_fault(struct flow_parse *p)
{
    int party = dt__flow_want_party(p, 1);
    if (party < 0 || !dt__flow_ends(p, 2,
                                    "is too much; use: blackhole, kill, hang, wake or "
                                    "restart PARTY"))
        return;
    if (p->f->parties[party].role == DT_FLOW_FOREIGN) {
        dt__flow_wrong(p, 1, "is foreign: it does not run here");
        return;
    }
    struct dt_flow_step *s = new_step(p, DT_FLOW_FAULT);
    if (!s)
        return;
    s->party = party;
    s->text = p->words[0].text;
}

void dt__flow_parse_wait(struct flow_parse *p)
{
    dt_time t = 0;
    if (p->n < 2 || !read_seconds(p->words[1].text, &t)) {
        dt__flow_wrong(p, 1, p->n < 2 ? "use SECONDS, as 2.5" : "is no time; use seconds, as 2.5");
        return;
    }
    if (!dt__flow_ends(p, 2, "is too much; use: wait SECONDS or hear SECONDS"))
        return;
    struct dt_flow_step *s = new_step(p, DT_FLOW_WAIT);
    if (!s)
        return;
    s->times[0] = t;
    s->n_times = 1;
    s->unscaled = dt__flow_is(p, 0, "hear");
}

/* What a person does at a phone: words behind its name, and the phone's command. */
static const struct {
    const char *word, *second, *command;
    bool argument;
} deeds[] = {
    {"dials", NULL, "dial ", true},     {"answers", NULL, "answer", false},
    {"rejects", NULL, "reject", false}, {"hangs", "up", "hangup", false},
    {"holds", NULL, "hold", false},     {"resumes", NULL, "resume", false},
};
enum { DEEDS = sizeof deeds / sizeof *deeds };
#define DEEDS_TEXT \
    "dials NUMBER, answers, rejects, hangs up, holds, resumes, starts, shows \"TEXT\", or -> " \
    "PARTY " \
    "MESSAGE"

static void parse_start(struct flow_parse *p, int party)
{
    if (!p->f->parties[party].off) {
        dt__flow_wrong(p, 0, "runs from the beginning; declare it \"off\" to start it here");
        return;
    }
    for (size_t i = 0; i < p->f->n_steps; i++)
        if (p->f->steps[i].kind == DT_FLOW_START && p->f->steps[i].party == party) {
            dt__flow_wrong(p, 0, "was started before; use: restart PARTY");
            return;
        }
    struct dt_flow_step *s = new_step(p, DT_FLOW_START);
    if (s)
        s->party = party;
}

static void parse_shows(struct flow_parse *p, int party)
{
    if (p->n < 3) {
        dt__flow_wrong(p, 2, "use: shows \"TEXT\"");
        return;
    }
    struct dt_flow_step *s = new_step(p, DT_FLOW_SHOWS);
    if (!s)
        return;
    s->party = party;
    s->text = p->words[2].text;
}

static void parse_command(struct flow_parse *p, int party, size_t deed)
{
    if (deeds[deed].argument && (p->n < 3 || p->words[2].text.n == 0)) {
        dt__flow_wrong(p, 2, "name a number");
        return;
    }
    if (deeds[deed].second && !dt__flow_is(p, 2, deeds[deed].second)) {
        dt__flow_wrong(p, 2, "use: hangs up");
        return;
    }
    struct dt_flow_step *s = new_step(p, DT_FLOW_DO);
    if (!s)
        return;
    s->party = party;
    s->text = dt_str_z(deeds[deed].command);
    s->method = deeds[deed].argument ? p->words[2].text : DT_STR_NONE;
}

void dt__flow_parse_deed(struct flow_parse *p)
{
    size_t deed = 0;
    int party = dt__flow_want_party(p, 0);
    bool shows = dt__flow_is(p, 1, "shows"), starts = dt__flow_is(p, 1, "starts");
    while (deed < DEEDS && !dt__flow_is(p, 1, deeds[deed].word))
        deed++;
    if (party < 0)
        return;
    if (deed == DEEDS && !shows && !starts) {
        dt__flow_wrong(
            p, 1, p->n > 1 ? "is nothing that a party does; use " DEEDS_TEXT : "use " DEEDS_TEXT);
        return;
    }
    if (p->f->parties[party].role != DT_FLOW_PHONE) {
        dt__flow_wrong(p, 0, "is no phone of this flow: nobody sits there");
        return;
    }
    bool argument = shows || (deed < DEEDS && (deeds[deed].argument || deeds[deed].second));
    if (!dt__flow_ends(p, argument ? 3 : 2, "is too much here"))
        return;
    if (shows)
        parse_shows(p, party);
    else if (starts)
        parse_start(p, party);
    else
        parse_command(p, party, deed);
}

/* ---- what must be seen ---- */

void dt__flow_parse_state(struct flow_parse *p)
{
    static const char *const names[] = {
#define X(name, text) text,
        DT_FLOW_STATES(X)
#undef X
    };
    dt_time within = 0;
    int n = p->n;
    if (n > 3 && dt__flow_is(p, n - 2, "within")) {
        n -= 2;
        if (!read_seconds(p->words[n + 1].text, &within) || within == 0)
            dt__flow_wrong(p, n + 1, "is no time; use seconds, as 0.5");
    }
    if (n < 2)
        dt__flow_wrong(p, 1, "name at least one phone");
    for (int i = 1; i < n; i++) {
        int party = dt__flow_want_party(p, i);
        if (party >= 0 && p->f->parties[party].role != DT_FLOW_PHONE)
            dt__flow_wrong(p, i, "is no phone of this flow: it cannot be asked");
        struct dt_flow_step *s = p->bad ? NULL : new_step(p, DT_FLOW_STATE);
        if (!s)
            return;
        s->party = party;
        s->times[0] = within;
        s->n_times = within > 0;
        for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
            if (dt__flow_is(p, 0, names[k]))
                s->state = (enum dt_flow_state)k;
    }
}

void dt__flow_parse_block(struct flow_parse *p)
{
    bool begin = dt__flow_is(p, 0, "unordered");
    if (!dt__flow_ends(p, 1, "is too much; this word stands alone"))
        return;
    if (begin == (p->block != 0)) {
        dt__flow_wrong(p, 0,
                       begin ? "stands inside another block; close that one with \"end\" first"
                             : "closes no block; it belongs to \"unordered\"");
        return;
    }
    p->block = begin ? ++p->blocks : 0;
    p->block_steps = 0;
}

/* at T T T: returns the word behind. */
static int parse_times(struct flow_parse *p, struct dt_flow_step *s, int i)
{
    if (s->n_times > 0)
        dt__flow_wrong(p, i - 1, "stands twice; write all times behind one \"at\"");
    for (; begins_with_digit(p, i) && !p->bad; i++) {
        if (s->n_times == DT_FLOW_TIMES_MAX)
            dt__flow_wrong(p, i, "is one time too many; a step has at most 16");
        else if (!read_seconds(p->words[i].text, &s->times[s->n_times++]))
            dt__flow_wrong(p, i, "is no time; use seconds, as 0.5");
    }
    if (s->n_times == 0)
        dt__flow_wrong(p, i, i < p->n ? "is no time; use seconds, as 0.5" : "use: at SECONDS ...");
    return i;
}

/* has "TEXT", lacks "TEXT": returns the word behind. */
static int parse_has(struct flow_parse *p, struct dt_flow_step *s, int i)
{
    if (i + 1 >= p->n || p->words[i + 1].text.n == 0)
        dt__flow_wrong(p, i + 1, "use: has \"TEXT\" or lacks \"TEXT\"");
    else if (s->n_has == DT_FLOW_HAS_MAX)
        dt__flow_wrong(p, i, "is one condition too many; a step has at most 4");
    if (p->bad)
        return p->n;
    s->has[s->n_has].lacks = dt__flow_is(p, i, "lacks");
    s->has[s->n_has++].text = p->words[i + 1].text;
    return i + 2;
}

/* xN: returns the word behind. */
static int parse_count(struct flow_parse *p, struct dt_flow_step *s, int i)
{
    uint64_t count = 0;
    struct dt_str w = p->words[i].text;
    if (dt_str_u64(dt_str_sub(w, 1, w.n), COUNT_MAX, &count) || count == 0)
        dt__flow_wrong(p, i, "is no count; use x1 to x1000");
    s->count = (unsigned)count;
    return i + 1;
}

static void parse_conditions(struct flow_parse *p, struct dt_flow_step *s, int i)
{
    while (i < p->n && !p->bad) {
        struct dt_str w = p->words[i].text;
        if (w.n > 1 && w.p[0] == 'x' && dt_is_digit(w.p[1]))
            i = parse_count(p, s, i);
        else if (dt__flow_is(p, i, "at"))
            i = parse_times(p, s, i + 1);
        else if (dt__flow_is(p, i, "has") || dt__flow_is(p, i, "lacks"))
            i = parse_has(p, s, i);
        else
            dt__flow_wrong(p, i,
                           "is not known here; use xN, at SECONDS, has \"TEXT\" or lacks \"TEXT\"");
    }
    if (!p->bad && s->n_times > 1 && s->n_times != s->count)
        dt__flow_wrong(p, p->n, "give one time, or as many as xN says");
}

/* METHOD, or STATUS [METHOD]: returns the word behind. */
static int parse_what(struct flow_parse *p, struct dt_flow_step *s, int i)
{
    uint64_t status = 0;
    if (i >= p->n) {
        dt__flow_wrong(p, i, "name a method (INVITE) or a status (180)");
        return i;
    }
    if (begins_with_digit(p, i)) {
        if (dt_str_u64(p->words[i].text, 699, &status) || status < 100)
            dt__flow_wrong(p, i, "is no status; use 100 to 699");
        s->status = (int)status;
        i++;
    }
    if (i < p->n && dt_method_find(p->words[i].text) != DT_METHOD_OTHER)
        s->method = p->words[i++].text;
    else if (s->status == 0)
        dt__flow_wrong(p, i, "is no SIP method; use INVITE, ACK, BYE, CANCEL, REGISTER, ...");
    return i;
}

void dt__flow_parse_message(struct flow_parse *p, int first, bool optional)
{
    if (!dt__flow_is(p, first + 1, "->")) {
        dt__flow_wrong(p, first + 1 < p->n ? first + 1 : p->n,
                       "use: optional PARTY -> PARTY MESSAGE");
        return;
    }
    int from = dt__flow_want_party(p, first);
    int to = from < 0 ? -1 : dt__flow_want_party(p, first + 2);
    if (to == from && to >= 0)
        dt__flow_wrong(p, first + 2, "is the sender; name another party");
    struct dt_flow_step *s = p->bad ? NULL : new_step(p, DT_FLOW_MESSAGE);
    if (!s)
        return;
    s->party = from;
    s->to = to;
    s->optional = optional;
    parse_conditions(p, s, parse_what(p, s, first + 3));
}
