/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone check: reads configuration files and says what is wrong, file:line:column. */
#include <stdio.h>

#include "cmd/proxy.h"
#include "io/io.h"
#include "phone/phone.h"

enum { PROBLEMS = 64, FILE_MAX = 1 << 20, PATH_SIZE = 4096 };

/* A row a kind of file. */
static int check_phone(struct dt_str file, struct dt_problems *problems);
static int check_proxy(struct dt_str file, struct dt_problems *problems);
static const struct kind {
    const char *name;
    int (*check)(struct dt_str file, struct dt_problems *problems);
} kinds[] = {{"phone", check_phone}, {"proxy", check_proxy}};

struct check_options {
    int64_t kind; /* 0: by the file's name */
};

static int check_phone(struct dt_str file, struct dt_problems *problems)
{
    const struct dt_place place = {.file = file};
    struct dt_phone_config cfg;
    struct dt_conf conf;
    char path[PATH_SIZE];
    int err = DT_E_LIMIT;
    struct dt_bytes *text = NULL;
    if (dt__cmd_path(file, path, sizeof path))
        text = dt_io_file_read(&dt_alloc_libc, path, FILE_MAX, &err);
    if (!text) {
        dt_problem_add(problems, true, place, "cannot be read: %s", dt_err_text(err));
        return DT_E_SYNTAX;
    }
    err = dt_conf_init(&conf, &dt_alloc_libc, dt_phone_options, dt_phone_options_n, &cfg, problems);
    conf.guide_comments = true;
    if (!err)
        err = dt_conf_read(&conf, file, dt_bytes_str(text));
    if (!err)
        err = dt_phone_config_check(&cfg, problems);
    dt_phone_config_unused(file, dt_bytes_str(text), problems);
    dt_conf_clear(&conf);
    dt_bytes_drop(text);
    return err;
}

static int check_proxy(struct dt_str file, struct dt_problems *problems)
{
    struct dt_proxy_config cfg;
    struct dt_conf conf;
    int err = dt__cmd_proxy_configure(&conf, &cfg, file, NULL, problems);
    dt_conf_clear(&conf);
    return err;
}

/* The guide's files are SIPDefault.cnf and SIP<MAC>.cnf. */
static const struct kind *kind_of(struct dt_str file, int64_t given)
{
    if (given)
        return &kinds[given - 1];
    return dt_str_ends(file, DT_STR(".cnf")) ? &kinds[0] : &kinds[1];
}

static int check(struct dt_str file, int64_t given)
{
    struct dt_problem list[PROBLEMS];
    struct dt_problems problems = {.list = list, .cap = PROBLEMS};
    const struct kind *kind = kind_of(file, given);
    int err = kind->check(file, &problems);
    int code = dt_cmd_problems(&problems);
    if (!err && code == DT_EXIT_GOOD)
        printf("%.*s: a good %s file\n", DT_FMT(file), kind->name);
    return err ? DT_EXIT_USAGE : code;
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    const struct check_options *o = line->options;
    int code = DT_EXIT_GOOD;
    (void)c;
    if (!line->args.n) {
        fprintf(stderr, "dualtone check: which files? \"dualtone check --help\" tells more\n");
        return DT_EXIT_USAGE;
    }
    for (size_t i = 0; i < line->args.n; i++) {
        int one = check(line->args.items[i], o->kind);
        code = one > code ? one : code;
    }
    return code;
}

static const struct dt_option options[] = {
    {.name = "kind",
     .type = DT_OPTION_CHOICE,
     .offset = offsetof(struct check_options, kind),
     .preset = "auto",
     .choices = "auto|phone|proxy",
     .help = "what the files are; auto: *.cnf is a phone's, all others a proxy's"},
};

const struct dt_command dt_cmd_check = {
    .name = "check",
    .arguments = "FILE ...",
    .summary = "tells what is wrong in configuration files",
    .details = "Says for each mistake the file, line and column, what was found and what is "
               "allowed. Exit code 0: all\ncan be used; 2: something is wrong.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .target_size = sizeof(struct check_options),
    .run = run,
};
