/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A subcommand is a const struct in a file of its own, listed in main.c. Options are rows, so that
 * parsing, --help and the manual come from them. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "dualtone/conf.h"

/* Exit codes (design.md 2). */
enum { DT_EXIT_GOOD = 0, DT_EXIT_FAILED = 1, DT_EXIT_USAGE = 2 };

struct dt_cmd_line;

struct dt_command {
    const char *name;
    const char *arguments;           /* "[FILE]", as --help shows it */
    const char *summary;             /* one line */
    const char *details;             /* paragraphs for --help and the manual */
    const struct dt_option *options; /* own ones: --name VALUE or --name=VALUE */
    size_t n_options;
    size_t target_size;                   /* of the struct that the rows fill */
    const struct dt_option *conf_options; /* file options that the command line takes too; NULL */
    size_t n_conf_options;
    size_t conf_size;
    bool (*conf_used)(
        const struct dt_option *o); /* false: known, without effect yet; NULL: all are */
    /* `options`: filled; `conf`: defaults of conf_options with what the command line set recorded
     * in `sets` (name, value pairs), to be applied after the files; `args`: what is no option. */
    int (*run)(const struct dt_command *c, struct dt_cmd_line *line);
};

struct dt_cmd_line {
    void *options;           /* target_size bytes, filled */
    struct dt_str_list sets; /* name, value, name, value, ...: for conf_options */
    struct dt_str_list args;
    const char *program; /* path of this binary, for commands that start others */
};

extern const struct dt_command dt_cmd_phone, dt_cmd_proxy, dt_cmd_flow, dt_cmd_demo, dt_cmd_user,
    dt_cmd_check, dt_cmd_why, dt_cmd_bench;

/* Prints problems to stderr, one a line; returns the exit code they mean. */
int dt_cmd_problems(const struct dt_problems *p);
/* Prints the usage of a command, and its manual page, from its rows. */
void dt_cmd_help(const struct dt_command *c);
void dt_cmd_man(const struct dt_command *c);
void dt_cmd_man_overview(const struct dt_command *const *list, size_t n);

#endif
