/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the status line shows, and the sentences for calls that failed (guide: behaviour.md 16,
 * compliance.md 3). All words stand in tables. */
#include "phone/internal.h"

enum { NOTICE_TIME = 5 }; /* seconds that a failure stays on the screen */

struct phase_row {
    const char *name, *words;
    int rank;
};
static const struct phase_row phases[] = {
#define X(id, name, words, rank) [DT__PHONE_##id] = {(name), (words), (rank)},
    DT__PHONE_PHASES(X)
#undef X
};

/* Failures that are told by a status: the first row whose range holds it. '%' in `next` stands for
 * the number of the line. Empty words: the caller or callee ended it himself, there is nothing to
 * tell. */
struct status_row {
    int first, last;
    const char *words, *next;
};
static const struct status_row statuses[] = {
    {300, 399, "Moved", "dial the new number"},
    {400, 400, "Call Failed", "dial again, and report it if it stays so"},
    {401, 401, "Wrong Password", "check line%_authname and line%_password"},
    {402, 402, "Payment Required", "ask whoever runs the proxy"},
    {403, 403, "Forbidden", "ask whoever runs the proxy whether you may call this number"},
    {404, 404, "Not Found", "check the number and dial again"},
    {405, 405, "Not Allowed", "this number takes no calls"},
    {406, 406, "Call Failed", "the other side cannot take this kind of call"},
    {407, 407, "Wrong Password", "check line%_authname and line%_password"},
    {408, 408, "No Answer", "dial again later"},
    {409, 409, "Conflict", "dial again later"},
    {410, 410, "Number Gone", "the number is not in use any more"},
    {413, 413, "Request Too Large", "dial again later"},
    {414, 414, "Number Too Long", "check the number and dial again"},
    {415, 415, "Not Supported", "the other side cannot take this kind of call"},
    {416, 416, "Bad Number", "check the number and dial again"},
    {420, 420, "Not Supported", "the other side wants an extension that this phone lacks"},
    {480, 480, "Unavailable", "dial again later"},
    {481, 481, "Call Lost", "dial again"},
    {482, 482, "Loop Detected", "ask whoever runs the proxy; the call went round in circles"},
    {483, 483, "Too Many Hops", "ask whoever runs the proxy; the call went round in circles"},
    {484, 484, "Number Incomplete", "dial the whole number"},
    {485, 485, "Number Ambiguous", "dial a number that means one person"},
    {486, 486, "Busy", "dial again later"},
    {487, 487, "", ""},
    {488, 488, "No Common Codec", "the other side has no codec in common with preferred_codec"},
    {500, 599, "Call Failed", "dial again later"},
    {600, 600, "Busy", "dial again later"},
    {603, 603, "Declined", "the other side does not want the call"},
    {604, 604, "Not Found", "check the number and dial again"},
    {606, 606, "No Common Codec", "the other side has no codec in common with preferred_codec"},
    {0, 699, "Call Failed", "dial again later"},
};

/* Failures without a status. */
struct err_row {
    int err;
    const char *words, *cause, *next;
};
static const struct err_row errors[] = {
    {DT_E_TIMEOUT, "No Answer", "there was no answer", "check that it runs and dial again"},
    {DT_E_REFUSED, "Not Reachable", "nothing listens there", "check its address and port"},
    {DT_E_UNREACHABLE, "Not Reachable", "there is no way to it", "check the network"},
    {DT_E_CLOSED, "Connection Lost", "it closed the connection", "dial again"},
    {DT_E_ABSENT, "Not Found", "DNS does not know the name", "check the name and dial again"},
    {DT_E_AUTH, "Wrong Password", "the password was not accepted",
     "check line%_authname and line%_password"},
    {DT_E_UNSUPPORTED, "No Common Codec", "there is no common codec",
     "set another preferred_codec"},
};
static const struct err_row other_error = {0, "Call Failed", NULL, "dial again"};

static const struct status_row *find_status(int status)
{
    const struct status_row *row = statuses;
    while (status < row->first || status > row->last)
        row++;
    return row;
}

static const struct err_row *find_error(int err)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].err == err)
            return &errors[i];
    return &other_error;
}

/* `words` with each '%' replaced. */
static void write_words(struct dt_writer *w, const char *words, const char *who)
{
    struct dt_reader r = dt_reader(dt_str_z(words));
    while (!dt_reader_end(&r)) {
        dt_write(w, dt_reader_until(&r, '%'));
        if (dt_reader_char(&r, '%'))
            dt_write_z(w, who);
    }
}

/* ---- the status line ---- */

static const struct phone_call *highest(const struct dt_phone *p)
{
    const struct phone_call *found = NULL;
    DT_LIST_EACH(e, &p->calls)
    {
        const struct phone_call *c = DT_OF(e, struct phone_call, link);
        int rank = phases[c->phase].rank;
        if (rank && (!found || rank >= phases[found->phase].rank))
            found = c;
    }
    return found;
}

/* The labels of the lines (guide v4.0 3-24). */
static void write_idle(struct dt_writer *w, const struct dt_phone *p)
{
    bool first = true;
    for (unsigned i = 0; i < DT_PHONE_LINES; i++) {
        if (!p->lines[i].used)
            continue;
        if (!first)
            dt_write_lit(w, ", ");
        dt_write(w, dt__phone_line_label(p, i));
        first = false;
    }
}

void dt__phone_screen_update(struct dt_phone *p, dt_time now)
{
    enum { RINGING = 5 };
    char text[sizeof p->screen];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    const struct phone_call *c = highest(p);
    if (now >= p->notice_until)
        p->notice_until = DT_TIME_NEVER;
    bool notice = p->notice_until != DT_TIME_NEVER;
    if (c && (!notice || phases[c->phase].rank >= RINGING))
        write_words(&w, phases[c->phase].words, c->shown);
    else if (notice)
        dt_write_z(&w, p->notice);
    else
        write_idle(&w, p);
    text[w.n] = '\0';
    if (dt_str_eq(dt_str_z(text), dt_str_z(p->screen)))
        return;
    dt__phone_text(p->screen, sizeof p->screen, dt_writer_str(&w));
    dt_outbox_event(&p->out, DT_EV_SCREEN, c ? c->number : 0, "%s", p->screen);
}

void dt__phone_screen_call(struct dt_writer *w, const struct phone_call *c)
{
    dt_writef(w, "call %lu: ", (unsigned long)c->number);
    if (c->phase == DT__PHONE_ENDING || c->phase == DT__PHONE_OVER)
        dt_writef(w, "hanging up on %s", c->shown);
    else
        write_words(w, phases[c->phase].words, c->shown);
}

void dt__phone_call_set(struct dt_phone *p, struct phone_call *c, enum phone_phase phase)
{
    const char *was = phases[c->phase].name, *is = phases[phase].name;
    if (c->phase == phase || c->phase == DT__PHONE_OVER)
        return;
    c->phase = phase;
    if (!dt_str_eq(dt_str_z(was), dt_str_z(is)))
        dt_outbox_event(&p->out, DT_EV_CALL, c->number, "%s %s", is, c->who);
}

/* ---- failures ---- */

void dt__phone_write_cause(struct dt_writer *w, int status, int err, struct dt_str reason)
{
    const struct err_row *e = find_error(err);
    if (status)
        dt_writef(w, "the answer was %d %.*s", status,
                  DT_FMT(reason.n ? reason : dt_str_z(dt_status_phrase(status))));
    else
        dt_write_z(w, e->cause ? e->cause : dt_err_text(err));
}

/* "at 127.0.0.1:5060, then at the backup 127.0.0.2:5060" */
static void write_where(struct dt_writer *w, const struct dt_phone *p, const struct phone_call *c)
{
    const struct dt_server *primary = &p->lines[c->line].primary;
    if (primary->host.n) {
        dt_write_lit(w, " at ");
        dt__phone_server_write(w, primary);
    }
    if (c->backup) {
        dt_write_lit(w, ", then at the backup ");
        dt__phone_server_write(w, &p->backup);
    }
}

void dt__phone_screen_failed(struct dt_phone *p, dt_time now, const struct phone_call *c,
                             const struct dt_call_end *end)
{
    char text[700];
    const char line[] = {(char)('1' + c->line), '\0'};
    struct dt_writer w = dt_writer(text, sizeof text);
    const char *words = end->status ? find_status(end->status)->words : find_error(end->err)->words;
    const char *next = end->status ? find_status(end->status)->next : find_error(end->err)->next;
    if (!*words)
        return;
    dt__phone_text(p->notice, sizeof p->notice, dt_str_z(words));
    p->notice_until = now + NOTICE_TIME * DT_SECOND;
    dt_writef(&w, c->caller ? "Calling %s" : "The call from %s", c->shown);
    if (c->caller)
        write_where(&w, p, c);
    dt_write_lit(&w, " failed: ");
    dt__phone_write_cause(&w, end->status, end->err, end->reason);
    if (end->retry_after)
        dt_writef(&w, "; dial again in %lu seconds.", (unsigned long)end->retry_after);
    else {
        dt_write_lit(&w, "; ");
        write_words(&w, next, line);
        dt_write_char(&w, '.');
    }
    dt_outbox_event(&p->out, DT_EV_PROBLEM, c->number, "%.*s", DT_FMT(dt_writer_str(&w)));
}
