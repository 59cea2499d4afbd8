/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone: one binary, subcommands. Each is a row here and a file of its own. */
#include "cmd/command.h"
#include "cmd/version.h"

#include <stdio.h>
#include <string.h>

static const struct dt_command *const commands[] = {
    &dt_cmd_phone, &dt_cmd_proxy, &dt_cmd_flow, &dt_cmd_demo,
    &dt_cmd_user,  &dt_cmd_check, &dt_cmd_why,  &dt_cmd_bench,
};
enum { COMMANDS = sizeof commands / sizeof *commands, PROBLEMS = 32 };

static const struct dt_command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int usage(FILE *to)
{
    fprintf(to,
            "dualtone %s - a SIP telephone system: phone, proxies, call flows\n\n"
            "use: dualtone COMMAND [OPTION ...]\n\n",
            DT_VERSION);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "\n\"dualtone COMMAND --help\" tells more; \"dualtone man [COMMAND]\" prints the "
                "manual page; exit codes: 0 good,\n1 the thing failed, 2 wrong usage or "
                "configuration.\n");
    return to == stdout ? DT_EXIT_GOOD : DT_EXIT_USAGE;
}

static bool asks_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* ---- options ---- */

struct reading {
    const struct dt_command *command;
    struct dt_cmd_line *line;
    struct dt_conf own;
    struct dt_problems *problems;
};

static void append(struct dt_str_list *list, struct dt_str s)
{
    struct dt_str *more = dt_alloc_array(&dt_alloc_libc, list->items, list->n + 1, sizeof *more);
    if (!more)
        return;
    list->items = more;
    list->items[list->n++] = s;
}

static struct dt_place place_of(struct dt_str name)
{
    (void)name;
    return (struct dt_place){.file = DT_STR("command line")};
}

static bool unknown_option(const struct dt_command *c, struct dt_str name)
{
    char nearest[80];
    struct dt_writer w = dt_writer(nearest, sizeof nearest);
    dt_option_nearest(c->options, c->n_options, name, &w);
    if (!w.n)
        dt_option_nearest(c->conf_options, c->n_conf_options, name, &w);
    fprintf(stderr, "dualtone %s: there is no option \"--%.*s\"; ", c->name, DT_FMT(name));
    if (w.n)
        fprintf(stderr, "did you mean \"--%.*s\"?\n", DT_FMT(dt_writer_str(&w)));
    else
        fprintf(stderr, "\"dualtone %s --help\" lists them\n", c->name);
    return false;
}

/* "--sip_tcp" alone means 1; "--sip_tcp 0" is what the file would say. Our own switches (--live)
 * stand alone, so that what follows them stays an argument. */
static bool is_switch_word(const char *text)
{
    static const char *const words[] = {"0", "1", "on", "off", "yes", "no", "true", "false"};
    for (size_t i = 0; text && i < sizeof words / sizeof words[0]; i++)
        if (dt_str_ieq(dt_str_z(text), dt_str_z(words[i])))
            return true;
    return false;
}

/* Takes option argv[*i] and its value, if it has one. False: usage is wrong, and was said. */
static bool take_option(struct reading *r, int argc, char **argv, int *i)
{
    struct dt_str text = dt_str_z(argv[*i] + 2);
    size_t eq = dt_str_find(text, '=');
    struct dt_str name = dt_str_sub(text, 0, eq), value = dt_str_sub(text, eq + 1, text.n);
    const struct dt_command *c = r->command;
    unsigned index = 0;
    const struct dt_option *own = dt_conf_find(c->options, c->n_options, name, &index);
    const struct dt_option *conf =
        own ? NULL : dt_conf_find(c->conf_options, c->n_conf_options, name, &index);
    const struct dt_option *row = own ? own : conf;
    if (!row)
        return unknown_option(c, name);
    if (eq == text.n && row->type == DT_OPTION_SWITCH && (own || !is_switch_word(argv[*i + 1]))) {
        value = DT_STR("1");
    } else if (eq == text.n) {
        if (*i + 1 == argc) {
            fprintf(stderr, "dualtone %s: option --%.*s needs a value\n", c->name, DT_FMT(name));
            return false;
        }
        value = dt_str_z(argv[++*i]);
    }
    if (own)
        return dt_conf_set(&r->own, name, value, place_of(name)) == DT_OK;
    append(&r->line->sets, name);
    append(&r->line->sets, value);
    return true;
}

static int run_command(const struct dt_command *c, int argc, char **argv)
{
    struct dt_problem list[PROBLEMS];
    struct dt_problems problems = {.list = list, .cap = PROBLEMS};
    struct dt_cmd_line line = {.program = argv[0]};
    struct reading r = {.command = c, .line = &line, .problems = &problems};
    int code = DT_EXIT_USAGE;
    line.options = dt_alloc_zero(&dt_alloc_libc, c->target_size + 1);
    if (!line.options ||
        dt_conf_init(&r.own, &dt_alloc_libc, c->options, c->n_options, line.options, &problems))
        goto out;
    bool only_args = false;
    for (int i = 2; i < argc; i++) {
        if (!only_args && asks_help(argv[i])) {
            dt_cmd_help(c);
            code = DT_EXIT_GOOD;
            goto out;
        }
        if (only_args || strncmp(argv[i], "--", 2) != 0)
            append(&line.args, dt_str_z(argv[i]));
        else if (argv[i][2] == '\0')
            only_args = true;
        else if (!take_option(&r, argc, argv, &i)) {
            dt_cmd_problems(&problems);
            goto out;
        }
    }
    code = c->run(c, &line);
out:
    dt_conf_clear(&r.own);
    dt_alloc_free(&dt_alloc_libc, line.options);
    dt_alloc_free(&dt_alloc_libc, line.args.items);
    dt_alloc_free(&dt_alloc_libc, line.sets.items);
    return code;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2)
        return usage(stderr);
    if (asks_help(argv[1]) || (strcmp(argv[1], "help") == 0 && argc == 2))
        return usage(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        printf("dualtone %s\n", DT_VERSION);
        return DT_EXIT_GOOD;
    }
    bool help = strcmp(argv[1], "help") == 0, man = strcmp(argv[1], "man") == 0;
    const struct dt_command *c = find(help || man ? (argc > 2 ? argv[2] : "") : argv[1]);
    if (man && argc == 2) {
        dt_cmd_man_overview(commands, COMMANDS);
        return DT_EXIT_GOOD;
    }
    if (!c) {
        fprintf(stderr, "dualtone: there is no command \"%s\"\n\n", argv[help || man ? 2 : 1]);
        return usage(stderr);
    }
    if (help)
        dt_cmd_help(c);
    else if (man)
        dt_cmd_man(c);
    else
        return run_command(c, argc, argv);
    return DT_EXIT_GOOD;
}
