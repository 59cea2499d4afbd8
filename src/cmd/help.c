/* SPDX-License-Identifier: BSD-2-Clause
 *
 * --help and the manual pages, made from the rows of the tables. */
#include "cmd/command.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 256, NAME_WIDTH = 26 };

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

static void option_allowed(const struct dt_option *o, char *out)
{
    struct dt_writer w = dt_writer(out, TEXT_MAX - 1);
    dt_option_allowed(o, &w);
    out[w.n] = '\0';
}

static void help_rows(const struct dt_option *rows, size_t n)
{
    char name[TEXT_MAX], allowed[TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        option_name(&rows[i], true, name);
        option_allowed(&rows[i], allowed);
        printf("  --%-*s %s (%s%s%s)\n", NAME_WIDTH, name, rows[i].help, allowed,
               rows[i].preset && rows[i].preset[0] ? "; default " : "",
               rows[i].preset ? rows[i].preset : "");
    }
}

void dt_cmd_help(const struct dt_command *c)
{
    printf("use: dualtone %s %s\n\n%s\n", c->name, c->arguments, c->summary);
    if (c->details)
        printf("\n%s\n", c->details);
    if (c->n_options > 0)
        printf("\nOptions:\n");
    help_rows(c->options, c->n_options);
    if (c->n_conf_options > 0)
        printf("\nWhat the configuration files have, as options too:\n");
    help_rows(c->conf_options, c->n_conf_options);
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

static void man_rows(const struct dt_option *rows, size_t n, bool dashes)
{
    char name[TEXT_MAX], allowed[TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        option_name(&rows[i], dashes, name);
        option_allowed(&rows[i], allowed);
        printf(".TP\n.B ");
        roff(dashes ? "--" : "");
        roff(name);
        printf("\n");
        roff(rows[i].help);
        printf(" (");
        roff(allowed);
        if (rows[i].preset && rows[i].preset[0]) {
            printf("; default ");
            roff(rows[i].preset);
        }
        printf(")\n");
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
    roff(c->details ? c->details : c->summary);
    printf("\n");
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
