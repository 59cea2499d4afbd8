/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a person, a script or a flow can tell the phone: a table. Each command is answered by one
 * plain sentence, REPLY or PROBLEM; show and help by a REPLY for each line. */
#include "phone/internal.h"

enum { SHOWN_MAX = 60 };

/* A command as it came. */
struct ask {
    struct dt_phone *p;
    dt_time now;
    struct dt_word words[DT_WORDS_MAX];
    int n;
};

struct command {
    const char *names; /* the first is the name, the others mean the same */
    const char *arguments, *help;
    int min, max; /* words behind the name */
    void (*run)(struct ask *a);
};

#define reply(a, ...) dt_outbox_event(&(a)->p->out, DT_EV_REPLY, __VA_ARGS__)
#define problem(a, ...) dt_outbox_event(&(a)->p->out, DT_EV_PROBLEM, __VA_ARGS__)

/* A word as sentences repeat it. */
static struct dt_str shown(struct dt_str word)
{
    return dt_str_sub(word, 0, SHOWN_MAX);
}

static unsigned long number_of(const struct phone_call *c)
{
    return (unsigned long)c->number;
}

/* ---- which call ---- */

#define BIT DT__PHONE_BIT
#define OUTGOING (BIT(NEW) | BIT(DIALLING) | BIT(BACKUP) | BIT(RINGING) | BIT(ANSWERING))
#define ANY (OUTGOING | BIT(ALERTING) | BIT(TALKING) | BIT(HOLDING) | BIT(HELD))

/* The call that the command names, else the first one in a phase of the first of `choices` (bits,
 * ended by 0) that has any. NULL after a PROBLEM: `none` where there is no such call. */
static struct phone_call *pick(struct ask *a, const unsigned *choices, const char *none)
{
    unsigned allowed = 0;
    struct phone_call *c = NULL;
    for (const unsigned *bits = choices; *bits; bits++) {
        allowed |= *bits;
        if (!c)
            c = dt__phone_call_in(a->p, *bits);
    }
    if (a->n > 1) {
        uint64_t number;
        struct dt_str text = a->words[1].text;
        if (dt_str_u64(text, UINT32_MAX, &number) ||
            !(c = dt__phone_call_find(a->p, (uint32_t)number))) {
            problem(a, 0, "There is no call %.*s; show lists the calls.", DT_FMT(shown(text)));
            return NULL;
        }
        if (!(allowed >> c->phase & 1))
            c = NULL;
    }
    if (!c)
        problem(a, 0, "%s", none);
    return c;
}

static void refuse(struct ask *a, const struct phone_call *c, const char *what, int err)
{
    problem(a, c->number, "Call %lu with %s cannot be %s now: %s; try again in a moment.",
            number_of(c), c->shown, what, dt_err_text(err));
}

/* One thing at a time: a call on its way must be up or gone before another is begun. */
static bool is_engaged(struct ask *a)
{
    const struct phone_call *c = dt__phone_call_in(a->p, OUTGOING);
    if (c)
        problem(a, c->number, "Call %lu with %s is on its way; hang it up first.", number_of(c),
                c->shown);
    else if (a->p->todo != DT__PHONE_NOTHING)
        problem(a, a->p->todo_holds, "Call %lu is just being put on hold; try again in a moment.",
                (unsigned long)a->p->todo_holds);
    return c || a->p->todo != DT__PHONE_NOTHING;
}

/* ---- dial ---- */

/* "dial X line N", or the first line. False after a PROBLEM. */
static bool pick_line(struct ask *a, unsigned *line)
{
    uint64_t number;
    *line = dt__phone_line_first(a->p);
    if (a->n == 2)
        return true;
    if (a->n != 4 || !dt_str_ieq(a->words[2].text, DT_STR("line"))) {
        problem(a, 0, "\"%.*s\" is not understood; say dial NUMBER line N.",
                DT_FMT(shown(a->words[2].text)));
        return false;
    }
    if (dt_str_u64(a->words[3].text, DT_PHONE_LINES, &number) || !number ||
        !a->p->lines[number - 1].used) {
        problem(a, 0, "There is no line %.*s; show lists the lines.",
                DT_FMT(shown(a->words[3].text)));
        return false;
    }
    *line = (unsigned)number - 1;
    return true;
}

/* "Calling 1002 at 127.0.0.1:5060 as call 1." */
static void reply_dialled(struct ask *a, struct dt_str number, unsigned line)
{
    char where[300];
    struct dt_writer w = dt_writer(where, sizeof where);
    const struct phone_call *c = dt__phone_call_in(a->p, OUTGOING);
    if (a->p->lines[line].primary.host.n) {
        dt_write_lit(&w, " at ");
        dt__phone_server_write(&w, &a->p->lines[line].primary);
    }
    if (c)
        reply(a, c->number, "Calling %.*s%.*s as call %lu.", DT_FMT(shown(number)),
              DT_FMT(dt_writer_str(&w)), number_of(c));
}

static void dial(struct ask *a)
{
    char target[600];
    struct dt_writer w = dt_writer(target, sizeof target);
    struct dt_str number = a->words[1].text;
    unsigned line;
    uint32_t held;
    if (!a->p->ready) {
        problem(a, 0, "The phone is not ready yet; dial again when it is.");
        return;
    }
    if (!pick_line(a, &line) || is_engaged(a))
        return;
    if (dt__phone_line_calls(a->p, line) >= DT__PHONE_CALLS_A_LINE) {
        problem(a, 0, "Line %u has two calls already; hang up one of them first.", line + 1);
        return;
    }
    if (!dt__phone_line_target(a->p, line, number, &w)) {
        problem(a, 0, "No proxy is configured, so %.*s cannot be found; dial sip:%.*s@ADDRESS.",
                DT_FMT(shown(number)), DT_FMT(shown(number)));
        return;
    }
    int err = w.err ? w.err
                    : dt__phone_after_hold(a->p, a->now, DT__PHONE_DIAL, 0, line, dt_writer_str(&w),
                                           &held);
    if (err == DT_E_SYNTAX)
        problem(a, 0, "%.*s is not a number or a SIP address; dial digits, or sip:NAME@HOST.",
                DT_FMT(shown(number)));
    else if (err)
        problem(a, 0, "%.*s cannot be called: %s; try again in a moment.", DT_FMT(shown(number)),
                dt_err_text(err));
    else if (held)
        reply(a, held, "Call %lu goes on hold, then %.*s is called.", (unsigned long)held,
              DT_FMT(shown(number)));
    else
        reply_dialled(a, number, line);
}

/* ---- with calls ---- */

static void answer(struct ask *a)
{
    static const unsigned choices[] = {BIT(ALERTING), 0};
    uint32_t held;
    struct phone_call *c = pick(a, choices, "No call is ringing here.");
    if (!c || is_engaged(a))
        return;
    int err =
        dt__phone_after_hold(a->p, a->now, DT__PHONE_ANSWER, c->number, 0, DT_STR_NONE, &held);
    if (err)
        refuse(a, c, "answered", err);
    else if (held)
        reply(a, c->number, "Call %lu goes on hold, then call %lu from %s is answered.",
              (unsigned long)held, number_of(c), c->shown);
    else
        reply(a, c->number, "Answering call %lu from %s.", number_of(c), c->shown);
}

static void reject(struct ask *a)
{
    static const unsigned choices[] = {BIT(ALERTING), 0};
    struct phone_call *c = pick(a, choices, "No call is ringing here.");
    if (!c)
        return;
    dt__phone_call_hangup(a->p, a->now, c);
    reply(a, c->number, "Call %lu from %s is told that this phone is busy.", number_of(c),
          c->shown);
}

static void hangup(struct ask *a)
{
    static const unsigned choices[] = {BIT(TALKING) | BIT(HELD), OUTGOING, BIT(HOLDING),
                                       BIT(ALERTING), 0};
    struct phone_call *c = pick(a, choices, "There is no call to hang up.");
    if (!c)
        return;
    dt__phone_call_hangup(a->p, a->now, c);
    reply(a, c->number, "Hanging up call %lu with %s.", number_of(c), c->shown);
}

static void hold(struct ask *a)
{
    static const unsigned choices[] = {BIT(TALKING) | BIT(HELD), 0};
    struct phone_call *c = pick(a, choices, "There is no call to put on hold.");
    if (!c)
        return;
    int err = dt_ua_hold(a->p->ua, a->now, c->id, true);
    if (err)
        refuse(a, c, "put on hold", err);
    else
        reply(a, c->number, "Putting call %lu with %s on hold.", number_of(c), c->shown);
}

static void resume(struct ask *a)
{
    static const unsigned choices[] = {BIT(HOLDING), 0};
    uint32_t held;
    struct phone_call *c = pick(a, choices, "There is no call on hold.");
    if (!c || is_engaged(a))
        return;
    int err =
        dt__phone_after_hold(a->p, a->now, DT__PHONE_RESUME, c->number, 0, DT_STR_NONE, &held);
    if (err)
        refuse(a, c, "taken back", err);
    else if (held)
        reply(a, c->number, "Call %lu goes on hold, then call %lu with %s is taken back.",
              (unsigned long)held, number_of(c), c->shown);
    else
        reply(a, c->number, "Taking call %lu with %s back.", number_of(c), c->shown);
}

/* ---- the rest ---- */

static void write_binding(struct dt_writer *w, const struct phone_binding *b, bool *any)
{
    if (!b->asked)
        return;
    dt_write_z(w, b->good ? ", registered at " : ", not registered at ");
    dt__phone_server_write(w, &b->server);
    *any = true;
}

static void show(struct ask *a)
{
    const struct dt_phone *p = a->p;
    char text[700];
    if (p->cfg->phone_label.n)
        reply(a, 0, "%.*s", DT_FMT(p->cfg->phone_label));
    reply(a, 0, "screen: %s", p->screen);
    for (unsigned i = 0; i < DT_PHONE_LINES; i++) {
        struct dt_writer w = dt_writer(text, sizeof text);
        bool any = false;
        if (!p->lines[i].used)
            continue;
        dt_writef(&w, "line %u: %.*s", i + 1, DT_FMT(dt__phone_line_label(p, i)));
        write_binding(&w, &p->lines[i].at[0], &any);
        write_binding(&w, &p->lines[i].at[1], &any);
        if (!any)
            dt_write_lit(&w, ", without registration");
        reply(a, 0, "%.*s", DT_FMT(dt_writer_str(&w)));
    }
    DT_LIST_EACH(e, &p->calls)
    {
        struct dt_writer w = dt_writer(text, sizeof text);
        const struct phone_call *c = DT_OF(e, struct phone_call, link);
        dt__phone_screen_call(&w, c);
        reply(a, c->number, "%.*s", DT_FMT(dt_writer_str(&w)));
    }
    if (dt_list_empty(&p->calls))
        reply(a, 0, "no calls");
}

static void quit(struct ask *a)
{
    bool again = a->p->quitting;
    if (a->n == 2 && !dt_str_ieq(a->words[1].text, DT_STR("idle"))) {
        problem(a, 0, "\"%.*s\" is not understood; say quit, or quit idle.",
                DT_FMT(shown(a->words[1].text)));
        return;
    }
    if (a->n == 2) {
        a->p->quit_idle = true; /* phone.c looks whether it is */
        reply(a, 0, "Quitting when the calls have ended.");
        return;
    }
    dt__phone_quit(a->p, a->now);
    reply(a, 0, again ? "Quitting at once." : "Quitting when calls and registrations have ended.");
}

static void help(struct ask *a);

static const struct command commands[] = {
    {"dial|call", "NUMBER|URI [line N]", "call somebody", 1, 3, dial},
    {"answer|accept", "[CALL]", "answer the call that rings", 0, 1, answer},
    {"reject|decline", "[CALL]", "tell the caller that this phone is busy", 0, 1, reject},
    {"hangup|bye|end", "[CALL]", "end a call", 0, 1, hangup},
    {"hold", "[CALL]", "put a call on hold", 0, 1, hold},
    {"resume|unhold", "[CALL]", "take a call back from hold", 0, 1, resume},
    {"show|status", "", "the screen, the lines and the calls", 0, 0, show},
    {"quit|exit", "[idle]", "end all calls (idle: wait for their end), then the phone", 0, 1, quit},
    {"help|?", "", "this list", 0, 0, help},
};
static const size_t n_commands = sizeof commands / sizeof commands[0];

static struct dt_str first_name(const struct command *c)
{
    struct dt_reader r = dt_reader(dt_str_z(c->names));
    return dt_reader_until(&r, '|');
}

static void help(struct ask *a)
{
    for (size_t i = 0; i < n_commands; i++)
        reply(a, 0, "%.*s%s%s: %s", DT_FMT(first_name(&commands[i])),
              *commands[i].arguments ? " " : "", commands[i].arguments, commands[i].help);
}

static const struct command *find(struct dt_str name)
{
    for (size_t i = 0; i < n_commands; i++) {
        struct dt_reader r = dt_reader(dt_str_z(commands[i].names));
        while (!dt_reader_end(&r)) {
            if (dt_str_ieq(dt_reader_until(&r, '|'), name))
                return &commands[i];
            dt_reader_char(&r, '|');
        }
    }
    return NULL;
}

void dt__phone_command(struct dt_phone *p, dt_time now, struct dt_str line)
{
    struct ask a = {.p = p, .now = now};
    unsigned column = 0;
    a.n = dt_words_split(line, "", a.words, DT_WORDS_MAX, &column);
    if (a.n == 0)
        return;
    if (a.n < 0) {
        problem(&a, 0, "The quote at column %u is not closed; nothing was done.", column);
        return;
    }
    const struct command *c = find(a.words[0].text);
    if (!c)
        problem(&a, 0, "There is no command \"%.*s\"; help lists the commands.",
                DT_FMT(shown(a.words[0].text)));
    else if (a.n - 1 < c->min || a.n - 1 > c->max)
        problem(&a, 0, "That is not understood; say %.*s%s%s.", DT_FMT(first_name(c)),
                *c->arguments ? " " : "", c->arguments);
    else
        c->run(&a);
}
