/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers for `dualtone why`: what the phone is, and what its user agent knows. */
#include "phone/internal.h"

enum { DOCUMENT = 16 << 10, DOCUMENT_MAX = 4 << 20, SHOWN_MAX = 60 };

struct asked {
    uint32_t who;
    struct dt_ua_question q;
    char error[160]; /* a sentence; empty: none */
};

/* What can be asked, and what it is about. */
static const struct {
    const char *word;
    bool calls, targets;
} subjects[] = {{"call", true, false}, {"target", false, true}};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static void say(struct asked *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct asked *a, const char *fmt, ...)
{
    struct dt_writer w = dt_writer(a->error, sizeof a->error - 1);
    va_list args;
    va_start(args, fmt);
    dt_vwritef(&w, fmt, args);
    va_end(args);
    a->error[w.n] = '\0';
}

/* False: there is nobody to answer to. */
static bool read_line(struct asked *a, struct dt_str line)
{
    struct dt_word words[DT_WORDS_MAX];
    unsigned column;
    uint64_t who;
    int n = dt_words_split(line, "", words, DT_WORDS_MAX, &column);
    size_t first = dt_str_find(line, ' ');
    if (dt_str_u64(dt_str_sub(line, 0, first), UINT32_MAX, &who))
        return false;
    *a = (struct asked){.who = (uint32_t)who, .q = {.calls = true, .targets = true}};
    bool known = n == 2;
    for (size_t i = 0; n > 2 && i < SUBJECTS; i++)
        if (dt_str_eq(words[2].text, dt_str_z(subjects[i].word))) {
            known = n <= 4;
            a->q =
                (struct dt_ua_question){.calls = subjects[i].calls, .targets = subjects[i].targets};
        }
    if (n == 4)
        a->q.which = words[3].text;
    if (!known || !dt_str_eq(words[1].text, DT_STR("why")))
        say(a, "That is not understood; say why, why call [WHICH] or why target [WHICH].");
    return true;
}

/* ---- the document ---- */

static void write_binding(struct dt_json *j, const struct phone_binding *b, const char *where)
{
    char text[300];
    struct dt_writer w = dt_writer(text, sizeof text);
    if (!b->asked)
        return;
    dt__phone_server_write(&w, &b->server);
    dt_json_open(j, NULL, '{');
    dt_json_z(j, "at", where);
    dt_json_str(j, "server", dt_writer_str(&w));
    dt_json_bool(j, "registered", b->good);
    dt_json_close(j, '}');
}

static void write_phone(struct dt_json *j, const struct dt_phone *p)
{
    char text[DT_ADDR_TEXT_MAX];
    dt_json_open(j, "phone", '{');
    dt_json_str(j, "name", dt__phone_line_label(p, dt__phone_line_first(p)));
    dt_json_z(j, "address", dt_addr_text(&p->local, text));
    dt_json_z(j, "policy", p->cfg->proxy_failover == DT_REACH_FAST ? "fast" : "guide");
    dt_json_bool(j, "ready", p->ready);
    dt_json_z(j, "screen", p->screen);
    dt_json_open(j, "lines", '[');
    for (unsigned i = 0; i < DT_PHONE_LINES; i++) {
        if (!p->lines[i].used)
            continue;
        dt_json_open(j, NULL, '{');
        dt_json_int(j, "line", i + 1);
        dt_json_str(j, "name", dt__phone_line_label(p, i));
        dt_json_open(j, "registrations", '[');
        write_binding(j, &p->lines[i].at[0], "primary");
        write_binding(j, &p->lines[i].at[1], "backup");
        dt_json_close(j, ']');
        dt_json_close(j, '}');
    }
    dt_json_close(j, ']');
    dt_json_close(j, '}');
}

static int write_document(const struct dt_phone *p, dt_time now, const struct asked *a,
                          struct dt_writer *w)
{
    struct dt_json j = dt_json(w);
    dt_json_open(&j, NULL, '{');
    write_phone(&j, p);
    int err = dt_ua_why(p->ua, now, &a->q, &j);
    dt_json_close(&j, '}');
    return err ? err : w->err;
}

/* ---- the answer ---- */

static void answer(struct dt_phone *p, uint32_t who, struct dt_str text)
{
    dt_outbox_put(&p->out, &(struct dt_output){.kind = DT_OUT_EVENT,
                                               .channel = DT_CHANNEL_WHY,
                                               .event = DT_EV_WHY,
                                               .call = who,
                                               .text = text});
}

static void answer_error(struct dt_phone *p, const struct asked *a)
{
    char text[2 * sizeof a->error + 40];
    struct dt_writer w = dt_writer(text, sizeof text);
    struct dt_json j = dt_json(&w);
    dt_json_open(&j, NULL, '{');
    dt_json_z(&j, "error", a->error);
    dt_json_close(&j, '}');
    answer(p, a->who, dt_writer_str(&w));
}

static void explain(struct asked *a, int err)
{
    struct dt_str which = dt_str_sub(a->q.which, 0, SHOWN_MAX);
    if (err == DT_E_ABSENT && a->q.calls)
        say(a, "There is no call %.*s; \"dualtone why call\" lists the calls.", DT_FMT(which));
    else if (err == DT_E_ABSENT)
        say(a, "%.*s is no proxy that this phone watches; \"dualtone why target\" lists them.",
            DT_FMT(which));
    else if (err == DT_E_SYNTAX)
        say(a, "\"%.*s\" is not an address; use one like 192.0.2.10 or 192.0.2.10:5060.",
            DT_FMT(which));
    else
        say(a, "The phone cannot answer: %s; try again.", dt_err_text(err));
}

/* The document grows until it fits. */
static int answer_question(struct dt_phone *p, dt_time now, const struct asked *a)
{
    const struct dt_alloc *alloc = p->env->alloc;
    int err = DT_E_LIMIT;
    for (size_t size = DOCUMENT; err == DT_E_LIMIT && size <= DOCUMENT_MAX; size *= 4) {
        char *text = dt_alloc_zero(alloc, size);
        if (!text)
            return DT_E_NOMEM;
        struct dt_writer w = dt_writer(text, size);
        err = write_document(p, now, a, &w);
        if (!err)
            answer(p, a->who, dt_writer_str(&w));
        dt_alloc_free(alloc, text);
    }
    return err;
}

void dt__phone_why(struct dt_phone *p, dt_time now, struct dt_str line)
{
    struct asked a;
    if (!read_line(&a, line))
        return;
    if (!a.error[0]) {
        int err = answer_question(p, now, &a);
        if (err)
            explain(&a, err);
    }
    if (a.error[0])
        answer_error(p, &a);
}
