/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `dualtone phone` needs before it runs: configuration, an address, sound. */
#include "cmd/phone.h"

#include <stdio.h>
#include <string.h>

enum { PROBLEMS = 64, FILE_MAX = 1 << 20, PATH_SIZE = 1024, MAC_DIGITS = 12, CHECKS = 16 };

static const struct dt_place command_line = {.file = {"command line", 12}};

/* ---- files ---- */

static int read_file(struct phone_program *g, struct dt_str path, bool optional)
{
    char z[PATH_SIZE];
    int err = DT_E_LIMIT;
    struct dt_bytes *text = NULL;
    if (path.n < sizeof z) {
        memcpy(z, path.p, path.n);
        z[path.n] = '\0';
        text = dt_io_file_read(&dt_alloc_libc, z, FILE_MAX, &err);
    }
    if (!text && optional && err == DT_E_ABSENT)
        return DT_OK;
    if (!text) {
        dt_problem_add(g->conf.problems, true, command_line, "cannot read %.*s: %s", DT_FMT(path),
                       dt_err_text(err));
        return err;
    }
    err = dt_conf_read(&g->conf, path, dt_bytes_str(text));
    dt_cmd_files_add(&g->files, path, text);
    dt_bytes_drop(text);
    return err;
}

static bool is_default_file(struct dt_str path)
{
    struct dt_str name = DT_STR("SIPDefault.cnf");
    return dt_str_ends(path, name) && (path.n == name.n || path.p[path.n - name.n - 1] == '/');
}

/* The phone's file wins over the default file in whatever order they were given (guide v4.0 2-4);
 * else later files win. */
static void read_given(struct phone_program *g)
{
    const struct dt_str_list *files = &g->options->config;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < files->n; i++)
            if (is_default_file(files->items[i]) == (pass == 0))
                read_file(g, files->items[i], false);
}

/* "00-1b:2c..." as the file is named: twelve upper-case hex digits. */
static bool write_mac(struct dt_writer *w, struct dt_str mac)
{
    size_t digits = 0;
    for (size_t i = 0; i < mac.n; i++) {
        char c = mac.p[i];
        if (dt_char_is(c, DT_C_HEX)) {
            dt_write_char(w, c >= 'a' ? (char)(c - 'a' + 'A') : c);
            digits++;
        } else if (c != ':' && c != '-' && c != '.')
            return false;
    }
    return digits == MAC_DIGITS;
}

static void read_folder(struct phone_program *g)
{
    char path[PATH_SIZE];
    struct dt_str dir = g->options->config_dir, mac = g->options->mac;
    struct dt_writer w = dt_writer(path, sizeof path);
    if (!dir.n && !mac.n)
        return;
    if (!dir.n)
        dir = DT_STR(".");
    dt_writef(&w, "%.*s/SIPDefault.cnf", DT_FMT(dir));
    read_file(g, dt_writer_str(&w), mac.n != 0);
    if (!mac.n)
        return;
    w = dt_writer(path, sizeof path);
    dt_writef(&w, "%.*s/SIP", DT_FMT(dir));
    if (!write_mac(&w, mac)) {
        dt_problem_add(g->conf.problems, true, command_line,
                       "mac is \"%.*s\"; use twelve hex digits, as on the phone's label",
                       DT_FMT(mac));
        return;
    }
    dt_write_lit(&w, ".cnf");
    read_file(g, dt_writer_str(&w), false);
}

/* --set NAME=VALUE, then --NAME VALUE. */
static void apply_sets(struct phone_program *g, const struct dt_cmd_line *line)
{
    const struct dt_str_list *set = &g->options->set;
    g->conf.guide_comments = false; /* a slip on the command line is fatal */
    for (size_t i = 0; i < set->n; i++) {
        size_t eq = dt_str_find(set->items[i], '=');
        if (eq == set->items[i].n)
            dt_problem_add(g->conf.problems, true, command_line, "set is \"%.*s\"; use NAME=VALUE",
                           DT_FMT(set->items[i]));
        else
            dt_conf_set(&g->conf, dt_str_sub(set->items[i], 0, eq),
                        dt_str_sub(set->items[i], eq + 1, set->items[i].n), command_line);
    }
    for (size_t i = 0; i + 1 < line->sets.n; i += 2)
        dt_conf_set(&g->conf, line->sets.items[i], line->sets.items[i + 1], command_line);
}

static void check_whole(struct phone_program *g, const struct dt_cmd_line *line)
{
    static const struct dt_place whole = {.file = {"configuration", 13}};
    struct dt_problem list[CHECKS];
    struct dt_problems found = {.list = list, .cap = CHECKS};
    dt_phone_config_check(&g->cfg, &found);
    dt_cmd_files_place(&g->files, &line->sets, &found, whole, g->conf.problems);
}

int dt__cmd_phone_configure(struct phone_program *g, const struct dt_cmd_line *line)
{
    struct dt_problem list[PROBLEMS];
    struct dt_problems problems = {.list = list, .cap = PROBLEMS};
    if (dt_conf_init(&g->conf, &dt_alloc_libc, dt_phone_options, dt_phone_options_n, &g->cfg,
                     &problems))
        return DT_EXIT_FAILED;
    g->conf.guide_comments = true;
    if (line->args.n)
        dt_problem_add(&problems, true, command_line, "\"%.*s\" is not understood; use --config",
                       DT_FMT(line->args.items[0]));
    read_folder(g);
    read_given(g);
    apply_sets(g, line);
    if (!problems.fatal)
        check_whole(g, line);
    dt_cmd_files_clear(&g->files);
    struct dt_addr *local = &g->local;
    if (g->options->listen.n && (dt_addr_parse(local, g->options->listen) || dt_addr_is_any(local)))
        dt_problem_add(&problems, true, command_line,
                       "listen is \"%.*s\"; use one IP address of this machine, or ADDRESS:PORT",
                       DT_FMT(g->options->listen));
    g->conf.problems = NULL;
    return dt_cmd_problems(&problems);
}

/* ---- the address ---- */

/* Where the phone sends first; a name leads somewhere outside (192.0.2.1 is no host: RFC 5737). */
static struct dt_addr far_end(const struct phone_program *g)
{
    struct dt_addr addr;
    struct dt_str proxy = g->cfg.outbound_proxy.n ? g->cfg.outbound_proxy : g->cfg.lines[0].proxy;
    for (unsigned i = 0; i < DT_PHONE_LINES && !proxy.n; i++)
        proxy = g->cfg.lines[i].proxy;
    if (dt_addr_parse(&addr, proxy))
        dt_addr_parse(&addr, dt_str_ieq(proxy, DT_STR("localhost")) ? DT_STR("127.0.0.1")
                                                                    : DT_STR("192.0.2.1"));
    addr.port = 5060;
    return addr;
}

int dt__cmd_phone_local(struct phone_program *g, char *err, size_t err_size)
{
    char text[DT_ADDR_TEXT_MAX];
    if (g->local.family)
        return DT_OK;
    struct dt_addr far = far_end(g);
    if (!dt_io_local_for(&far, &g->local))
        return DT_OK;
    snprintf(err, err_size,
             "this machine has no way to %s; connect it to a network, or give --listen ADDRESS",
             dt_addr_text(&far, text));
    return DT_E_UNREACHABLE;
}

/* ---- sound ---- */

int dt__cmd_phone_audio(struct phone_program *g, char *err, size_t err_size)
{
    char spec[PATH_SIZE];
    struct dt_str given = g->options->audio;
    snprintf(spec, sizeof spec, "%.*s", DT_FMT(given.n ? given : DT_STR("device")));
    int failed = dt_audio_open(&g->audio, spec, err, err_size);
    if (!failed || given.n)
        return failed;
    fprintf(stderr, "dualtone phone: %s; the phone is silent\n", err);
    return dt_audio_open(&g->audio, "null", err, err_size);
}

/* ---- over a restart (design.md R20) ---- */

enum { MEMORY_MAX = 8192 };

/* The path of --memory; false: there is none. */
static bool memory_path(const struct phone_program *g, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%.*s", DT_FMT(g->options->memory));
    return g->options->memory.n > 0;
}

void dt__cmd_phone_recall(struct phone_program *g)
{
    char path[PATH_SIZE];
    int err;
    if (!memory_path(g, path))
        return;
    struct dt_bytes *text = dt_io_file_read(&dt_alloc_libc, path, MEMORY_MAX, &err);
    if (text)
        dt_phone_remember(g->phone, dt_io_now(), dt_str_trim(dt_bytes_str(text)));
    else if (err != DT_E_ABSENT)
        fprintf(stderr, "dualtone phone: %s cannot be read (%s); the phone learns anew\n", path,
                dt_err_text(err));
    dt_bytes_drop(text);
}

void dt__cmd_phone_keep(struct phone_program *g, struct dt_str text)
{
    char path[PATH_SIZE];
    int err = memory_path(g, path) ? dt_io_file_write(path, text, 0600) : DT_OK;
    if (err)
        fprintf(stderr,
                "dualtone phone: %s cannot be written (%s); give another file by --memory\n", path,
                dt_err_text(err));
}
