/* SPDX-License-Identifier: BSD-2-Clause
 *
 * --help and the manual pages, made from the rows of the tables. */
#include "cmd/command.h"
#include "cmd/version.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 256, NAME_WIDTH = 26, WIDTH = 96 };

int dt_cmd_problems(const struct dt_problems *p)
{
    size_t kept = p->n < p->cap ? p->n : p->cap;
    for (size_t i = 0; i < kept; i++)
        fprintf(stderr, "%s\n", p->list[i].text);
    if (p->n > kept)
        fprintf(stderr, "and %zu more\n", p->n - kept);
    return p->fatal ? DT_EXIT_USAGE : DT_EXIT_GOOD;
}

/* "line%_name" as people write it: "lineN_name"; on the command line with '-'. */
static void option_name(const struct dt_option *o, bool dashes, char *out)
{
    size_t n = 0;
    for (const char *p = o->name; *p && n < TEXT_MAX - 2; p++)
        out[n++] = *p == '%' ? 'N' : dashes && *p == '_' ? '-' : *p;
    out[n] = '\0';
}

/* ---- --help: words laid out in two columns ---- */

static size_t put_word(struct dt_str word, size_t column, size_t indent)
{
    bool fits = column + 1 + word.n <= WIDTH;
    if (!fits)
        printf("\n%*s", (int)indent, "");
    else if (column > indent)
        putchar(' ');
    printf("%.*s", DT_FMT(word));
    return (!fits || column <= indent ? (fits ? column : indent) : column + 1) + word.n;
}

/* Prints `text` from `column` on; lines after the first begin at `indent`. */
static void put_wrapped(struct dt_str text, size_t column, size_t indent)
{
    struct dt_reader r = dt_reader(text);
    while (!dt_reader_end(&r)) {
        struct dt_str word = dt_reader_until(&r, ' ');
        dt_reader_char(&r, ' ');
        if (word.n > 0)
            column = put_word(word, column, indent);
    }
    putchar('\n');
}

/* What is allowed, shorter than in messages about mistakes; our own switches take nothing. */
static void write_allowed(struct dt_writer *w, const struct dt_option *o, bool own)
{
    switch (o->type) {
    case DT_OPTION_SWITCH:
        dt_write_z(w, own ? "" : "1 or 0");
        break;
    case DT_OPTION_ADDRESS:
        dt_write_lit(w, "IP address or name");
        break;
    case DT_OPTION_NUMBER:
    case DT_OPTION_CHOICE:
        dt_option_allowed(o, w);
        break;
    case DT_OPTION_TEXT:
    case DT_OPTION_LIST:
        break;
    }
}

/* "lowest retransmission interval (milliseconds between 10 and 5000; default 500)" */
static void write_help(struct dt_writer *w, const struct dt_option *o, bool own)
{
    char text[TEXT_MAX];
    struct dt_writer in = dt_writer(text, sizeof text);
    write_allowed(&in, o, own);
    if (o->preset && o->preset[0] && !(own && o->type == DT_OPTION_SWITCH))
        dt_writef(&in, "%sdefault %s", in.n ? "; " : "", o->preset);
    dt_write_z(w, o->help);
    if (in.n)
        dt_writef(w, " (%.*s)", DT_FMT(dt_writer_str(&in)));
}

static void help_row(const struct dt_option *o, bool own)
{
    char name[TEXT_MAX], help[2 * TEXT_MAX];
    struct dt_writer w = dt_writer(help, sizeof help);
    option_name(o, true, name);
    write_help(&w, o, own);
    int n = printf("  --%-*s ", NAME_WIDTH, name);
    put_wrapped(dt_writer_str(&w), n > 0 ? (size_t)n : 0, NAME_WIDTH + 5);
}

static bool is_used(const struct dt_command *c, const struct dt_option *o)
{
    return !c->conf_used || c->conf_used(o);
}

/* Names alone: what a file may hold already without any effect. */
static void help_unused(const struct dt_command *c)
{
    char text[8 * TEXT_MAX], name[TEXT_MAX];
    struct dt_writer w = dt_writer(text, sizeof text);
    for (size_t i = 0; i < c->n_conf_options; i++) {
        if (is_used(c, &c->conf_options[i]))
            continue;
        option_name(&c->conf_options[i], false, name);
        dt_writef(&w, "%s ", name);
    }
    if (!w.n)
        return;
    printf("\nKnown and checked, without effect yet:\n  ");
    put_wrapped(dt_writer_str(&w), 2, 2);
}

void dt_cmd_help(const struct dt_command *c)
{
    printf("use: dualtone %s %s\n\n%s\n", c->name, c->arguments, c->summary);
    if (c->details)
        printf("\n%s\n", c->details);
    if (c->n_options > 0)
        printf("\nOptions, as --name VALUE or --name=VALUE:\n");
    for (size_t i = 0; i < c->n_options; i++)
        help_row(&c->options[i], true);
    if (c->n_conf_options > 0)
        printf("\nWhat the configuration files have (there as name: value), as options too:\n");
    for (size_t i = 0; i < c->n_conf_options; i++)
        if (is_used(c, &c->conf_options[i]))
            help_row(&c->conf_options[i], false);
    help_unused(c);
}

/* ---- manual pages (man(7)) ---- */

/* Roff takes '-' for a hyphen and a leading '.' or '\'' for a request. */
static void roff(const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '-' || *text == '\\')
            putchar('\\');
        putchar(*text);
        start = *text == '\n';
    }
}

static void man_rows(const struct dt_option *rows, size_t n, bool own)
{
    char name[TEXT_MAX], help[2 * TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        struct dt_writer w = dt_writer(help, sizeof help - 1);
        option_name(&rows[i], own, name);
        write_help(&w, &rows[i], own);
        help[w.n] = '\0';
        printf(".TP\n.B ");
        roff(own ? "--" : "");
        roff(name);
        printf("\n");
        roff(help);
        printf("\n");
    }
}

/* Paragraphs; an example keeps its lines. */
static void man_details(struct dt_str text)
{
    char part[8 * TEXT_MAX];
    while (text.n) {
        size_t n = 0;
        while (n < text.n && !dt_str_starts(dt_str_sub(text, n, text.n), DT_STR("\n\n")))
            n++;
        bool example = dt_str_starts(text, DT_STR("Example:"));
        struct dt_writer w = dt_writer(part, sizeof part - 1);
        dt_write(&w, dt_str_sub(text, 0, n));
        part[w.n] = '\0';
        printf(example ? ".PP\n.nf\n" : ".PP\n");
        roff(part);
        printf(example ? "\n.fi\n" : "\n");
        text = dt_str_sub(text, n + 2, text.n);
    }
}

void dt_cmd_man(const struct dt_command *c)
{
    printf(".TH DUALTONE\\-%s 1 \"\" \"dualtone %s\"\n.SH NAME\ndualtone\\-%s \\- ", c->name,
           DT_VERSION, c->name);
    roff(c->summary);
    printf("\n.SH SYNOPSIS\n.B dualtone %s\n", c->name);
    roff(c->arguments);
    printf("\n.SH DESCRIPTION\n");
    man_details(dt_str_z(c->details ? c->details : c->summary));
    if (c->n_options > 0)
        printf(".SH OPTIONS\n");
    man_rows(c->options, c->n_options, true);
    if (c->n_conf_options > 0)
        printf(".SH CONFIGURATION\nIn the file as \\fIname: value\\fR, and as options "
               "\\fI\\-\\-name value\\fR.\n");
    man_rows(c->conf_options, c->n_conf_options, false);
    printf(".SH EXIT STATUS\n0 good, 1 the thing failed, 2 wrong usage or configuration.\n");
}

void dt_cmd_man_overview(const struct dt_command *const *list, size_t n)
{
    printf(".TH DUALTONE 1 \"\" \"dualtone %s\"\n.SH NAME\ndualtone \\- a SIP telephone system\n"
           ".SH SYNOPSIS\n.B dualtone\nCOMMAND [OPTION ...]\n.SH COMMANDS\n",
           DT_VERSION);
    for (size_t i = 0; i < n; i++) {
        printf(".TP\n.B %s\n", list[i]->name);
        roff(list[i]->summary);
        printf("\n");
    }
}
