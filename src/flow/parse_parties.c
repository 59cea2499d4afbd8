/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The flow language: the flow's name, its parties and their settings. */
#include "flow/parse.h"

#include <string.h>

void dt__flow_parse_flow(struct flow_parse *p)
{
    static const char use[] = "use: flow NAME \"TITLE\"";
    if (p->n < 2 || p->words[1].text.n == 0) {
        dt__flow_wrong(p, 1, use);
        return;
    }
    if (p->f->name.n > 0)
        dt__flow_wrong(p, 0, "stands twice; a file is one flow");
    if (!dt__flow_ends(p, 3, use))
        return;
    p->f->name = p->words[1].text;
    p->f->title = p->n > 2 ? p->words[2].text : DT_STR("");
}

/* ---- parties ---- */

/* One word, so that records can name it: a letter, then letters, digits, '-' and '_'. */
static bool is_name(struct dt_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!dt_is_alpha(s.p[i]) &&
            (i == 0 || (!dt_is_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')))
            return false;
    return s.n > 0 && s.n < sizeof((struct dt_flow_party *)0)->name;
}

static const char *name_problem(const struct flow_parse *p)
{
    struct dt_str name = p->n > 1 ? p->words[1].text : DT_STR("");
    if (!is_name(name))
        return "use a name of 1 to 31 letters, digits, - or _ that begins with a letter";
    if (dt__flow_is_statement(name) || dt_str_eq(name, DT_STR("phones")) ||
        dt_str_eq(name, DT_STR("proxies")))
        return "is a word of the language; use another name";
    if (dt__flow_party(p, 1) >= 0)
        return "is declared twice; use another name";
    if (p->f->n_parties == DT_FLOW_PARTIES_MAX)
        return "is one party too many; a flow has at most 16";
    return NULL;
}

static struct dt_flow_party *new_party(struct flow_parse *p, enum dt_flow_role role)
{
    const char *problem = name_problem(p);
    if (problem) {
        dt__flow_wrong(p, 1, problem);
        return NULL;
    }
    struct dt_flow_party *x = &p->f->parties[p->f->n_parties++];
    memset(x, 0, sizeof *x);
    memcpy(x->name, p->words[1].text.p, p->words[1].text.n);
    x->role = role;
    x->primary = x->backup = x->peer = -1;
    return x;
}

void dt__flow_parse_proxy(struct flow_parse *p)
{
    struct dt_flow_party *x = new_party(p, DT_FLOW_PROXY);
    for (int i = 2; x && i < p->n; i++) {
        if (dt__flow_is(p, i, "auth"))
            x->auth = true;
        else
            dt__flow_wrong(p, i, "is not known here; use: proxy NAME [auth]");
    }
}

/* The number of a phone or foreign party, which nobody else has. */
static void parse_number(struct flow_parse *p, struct dt_flow_party *x, const char *use)
{
    if (p->n < 3 || p->words[2].text.n == 0) {
        dt__flow_wrong(p, 2, use);
        return;
    }
    for (size_t i = 0; i < p->f->n_parties; i++)
        if (dt_str_eq(p->f->parties[i].number, p->words[2].text))
            dt__flow_wrong(p, 2, "is the number of another party; use another one");
    x->number = p->words[2].text;
}

static int want_proxy(struct flow_parse *p, int word)
{
    int i = dt__flow_want_party(p, word);
    if (i < 0 || p->f->parties[i].role != DT_FLOW_PHONE)
        return i;
    dt__flow_wrong(p, word, "is a phone; name a proxy");
    return -1;
}

static void parse_register(struct flow_parse *p, int word, struct dt_flow_party *x)
{
    static const char *const names[] = {"primary", "both", "none"};
    for (int i = 0; i < 3; i++)
        if (dt__flow_is(p, word, names[i])) {
            x->registers = (enum dt_flow_register)i;
            return;
        }
    dt__flow_wrong(p, word,
                   word < p->n ? "is not known; use: register primary, both or none"
                               : "use: register primary, both or none");
}

static void parse_password(struct flow_parse *p, int word, struct dt_flow_party *x)
{
    if (word >= p->n || p->words[word].text.n == 0)
        dt__flow_wrong(p, word, "use: password \"TEXT\"");
    else
        x->password = p->words[word].text;
}

/* Do its words fit together? */
static void check_phone(struct flow_parse *p, struct dt_flow_party *x)
{
    if (x->backup >= 0 && x->primary < 0)
        dt__flow_wrong(p, 0, "has a backup without a primary; add: primary P");
    else if (x->registers == DT_FLOW_REGISTER_BOTH && x->backup < 0)
        dt__flow_wrong(p, 0, "registers at both, but has one proxy; add: backup P");
    if (x->primary < 0)
        x->registers = DT_FLOW_REGISTER_NONE;
}

void dt__flow_parse_phone(struct flow_parse *p)
{
    struct dt_flow_party *x = new_party(p, DT_FLOW_PHONE);
    if (!x)
        return;
    parse_number(p, x, "use: phone NAME NUMBER [primary P] [backup P] [register both] ...");
    for (int i = 3; i < p->n && !p->bad; i++) {
        if (dt__flow_is(p, i, "primary"))
            x->primary = want_proxy(p, ++i);
        else if (dt__flow_is(p, i, "backup"))
            x->backup = want_proxy(p, ++i);
        else if (dt__flow_is(p, i, "register"))
            parse_register(p, ++i, x);
        else if (dt__flow_is(p, i, "password"))
            parse_password(p, ++i, x);
        else if (dt__flow_is(p, i, "off"))
            x->off = true;
        else
            dt__flow_wrong(p, i,
                           "is not known here; use primary P, backup P, register HOW, password "
                           "\"TEXT\" or off");
    }
    check_phone(p, x);
}

void dt__flow_parse_foreign(struct flow_parse *p)
{
    static const char use[] = "use: foreign NAME NUMBER at IP:PORT";
    struct dt_flow_party *x = new_party(p, DT_FLOW_FOREIGN);
    if (!x)
        return;
    parse_number(p, x, use);
    if (!dt__flow_is(p, 3, "at"))
        dt__flow_wrong(p, 3, use);
    else if (p->n < 5 || dt_addr_parse(&x->at, p->words[4].text) || x->at.port == 0)
        dt__flow_wrong(p, 4, p->n < 5 ? use : "is no address; use IP:PORT, as 127.0.0.9:5060");
    (void)dt__flow_ends(p, 5, use);
}

/* ---- pairs ---- */

/* A proxy of ours that has no peer yet, or -1. */
static int want_single(struct flow_parse *p, int word)
{
    int i = dt__flow_want_party(p, word);
    if (i < 0)
        return -1;
    if (p->f->parties[i].role != DT_FLOW_PROXY)
        dt__flow_wrong(p, word, "is no proxy; a pair is two proxies");
    else if (p->f->parties[i].peer >= 0)
        dt__flow_wrong(p, word, "is in a pair already");
    return p->bad ? -1 : i;
}

void dt__flow_parse_pair(struct flow_parse *p)
{
    int a = want_single(p, 1), b = a < 0 ? -1 : want_single(p, 2);
    if (b < 0 || !dt__flow_ends(p, 3, "is too much; use: pair PROXY PROXY"))
        return;
    if (a == b) {
        dt__flow_wrong(p, 2, "is the same proxy; name another one");
        return;
    }
    p->f->parties[a].peer = b;
    p->f->parties[b].peer = a;
}

/* ---- settings ---- */

static void set_one(struct flow_parse *p, struct dt_flow_party *x)
{
    if (x->n_sets == DT_FLOW_SETS_MAX) {
        dt__flow_wrong(p, 2, "is one setting too many; a party has at most 8");
        return;
    }
    x->sets[x->n_sets].name = p->words[2].text;
    x->sets[x->n_sets++].value = p->words[3].text;
}

void dt__flow_parse_set(struct flow_parse *p)
{
    static const char use[] =
        "use: set PARTY PARAMETER VALUE (or: set phones ..., set proxies ...)";
    if (p->n < 4)
        dt__flow_wrong(p, p->n, use);
    if (p->n < 4 || !dt__flow_ends(p, 4, use))
        return;
    bool phones = dt__flow_is(p, 1, "phones"), proxies = dt__flow_is(p, 1, "proxies");
    int one = phones || proxies ? -1 : dt__flow_want_party(p, 1), found = 0;
    for (size_t i = 0; i < p->f->n_parties && !p->bad; i++) {
        struct dt_flow_party *x = &p->f->parties[i];
        bool wanted = (int)i == one || (phones && x->role == DT_FLOW_PHONE) ||
                      (proxies && x->role == DT_FLOW_PROXY);
        if (wanted && x->role == DT_FLOW_FOREIGN)
            dt__flow_wrong(p, 1, "is foreign: nothing of it can be set here");
        else if (wanted)
            set_one(p, x);
        found += wanted;
    }
    if (found == 0)
        dt__flow_wrong(p, 1, "are none yet; write this line behind theirs");
}
