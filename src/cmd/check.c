/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone check: reads configuration files and says what is wrong, file:line:column. */
#include <stdio.h>

#include "cmd/files.h"
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

static const char default_file[] = "SIPDefault.cnf";

struct check_options {
    int64_t kind; /* 0: by the file's name */
};

static struct dt_bytes *read_file(struct dt_str file, int *err)
{
    char path[PATH_SIZE];
    *err = DT_E_LIMIT;
    return dt__cmd_path(file, path, sizeof path)
               ? dt_io_file_read(&dt_alloc_libc, path, FILE_MAX, err)
               : NULL;
}

/* What the phone would have read before, from the same folder (guide v4.0 2-4). */
static void read_default(struct dt_conf *conf, struct dt_str file, struct dt_cmd_files *files)
{
    char path[PATH_SIZE];
    struct dt_writer w = dt_writer(path, sizeof path);
    struct dt_problems *told = conf->problems;
    size_t folder = file.n;
    while (folder && file.p[folder - 1] != '/')
        folder--;
    dt_writef(&w, "%.*s%s", DT_FMT(dt_str_sub(file, 0, folder)), default_file);
    int err;
    struct dt_bytes *text = w.err ? NULL : read_file(dt_writer_str(&w), &err);
    conf->problems = NULL; /* its mistakes are told when it is checked */
    if (text) {
        dt_conf_read(conf, dt_writer_str(&w), dt_bytes_str(text));
        dt_cmd_files_add(files, dt_writer_str(&w), text);
    }
    conf->problems = told;
    dt_bytes_drop(text);
}

static int check_whole(const struct dt_phone_config *cfg, struct dt_str file,
                       const struct dt_cmd_files *files, struct dt_problems *problems)
{
    const struct dt_place whole = {.file = file};
    struct dt_problem list[PROBLEMS];
    struct dt_problems found = {.list = list, .cap = PROBLEMS};
    int err = dt_phone_config_check(cfg, &found);
    dt_cmd_files_place(files, NULL, &found, whole, problems);
    return err;
}

static int check_phone(struct dt_str file, struct dt_problems *problems)
{
    const struct dt_place place = {.file = file};
    struct dt_phone_config cfg;
    struct dt_conf conf;
    int err;
    struct dt_cmd_files files = {.n = 0};
    bool is_default = dt_str_ends(file, dt_str_z(default_file));
    struct dt_bytes *text = read_file(file, &err);
    if (!text) {
        dt_problem_add(problems, true, place, "cannot be read: %s", dt_err_text(err));
        return DT_E_SYNTAX;
    }
    err = dt_conf_init(&conf, &dt_alloc_libc, dt_phone_options, dt_phone_options_n, &cfg, problems);
    conf.guide_comments = true;
    if (!err && !is_default)
        read_default(&conf, file, &files);
    if (!err)
        err = dt_conf_read(&conf, file, dt_bytes_str(text));
    dt_cmd_files_add(&files, file, text);
    if (!err && !is_default) /* which says nothing of lines */
        err = check_whole(&cfg, file, &files, problems);
    dt_cmd_files_clear(&files);
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
               "allowed. A phone's\nSIP<MAC>.cnf is checked together with the SIPDefault.cnf "
               "beside it. Exit code 0: all can be used;\n2: something is wrong.\n\n"
               "Example: dualtone check dualtone.conf SIPDefault.cnf SIP001122334455.cnf",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .target_size = sizeof(struct check_options),
    .run = run,
};
