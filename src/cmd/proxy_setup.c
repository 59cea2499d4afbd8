/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A proxy's configuration: the file, then the command line, then what only the whole can tell. */
#include "cmd/proxy.h"

#include <stdio.h>
#include <string.h>

#include "cmd/files.h"
#include "io/io.h"

enum { FILE_MAX = 1 << 20, PATH_SIZE = 4096, CHECKS = 16 };

static const struct dt_place command_line = {.file = {"command line", 12}};

bool dt__cmd_path(struct dt_str path, char *out, size_t size)
{
    if (!path.n || path.n >= size)
        return false;
    memcpy(out, path.p, path.n);
    out[path.n] = '\0';
    return true;
}

static struct dt_bytes *read_file(struct dt_str path, int *err)
{
    char z[PATH_SIZE];
    *err = DT_E_LIMIT;
    return dt__cmd_path(path, z, sizeof z) ? dt_io_file_read(&dt_alloc_libc, z, FILE_MAX, err)
                                           : NULL;
}

static int include_file(void *ctx, struct dt_str name, struct dt_bytes **out)
{
    int err;
    (void)ctx;
    *out = read_file(name, &err);
    return *out ? DT_OK : err;
}

static void check_whole(const struct dt_proxy_config *cfg, struct dt_str file,
                        struct dt_bytes *text, const struct dt_str_list *sets,
                        struct dt_problems *problems)
{
    struct dt_problem list[CHECKS];
    struct dt_problems found = {.list = list, .cap = CHECKS};
    struct dt_cmd_files files = {.n = 0};
    const struct dt_place place = {.file = file};
    if (text)
        dt_cmd_files_add(&files, file, text);
    dt_proxy_config_check(cfg, &found);
    dt_cmd_files_place(&files, sets, &found, text ? place : command_line, problems);
    dt_cmd_files_clear(&files);
}

/* ---- all of it ---- */

int dt__cmd_proxy_configure(struct dt_conf *c, struct dt_proxy_config *cfg, struct dt_str file,
                            const struct dt_str_list *sets, struct dt_problems *problems)
{
    struct dt_bytes *text = NULL;
    int err = dt_conf_init(c, &dt_alloc_libc, dt_proxy_options, dt_proxy_options_n, cfg, problems);
    if (err)
        return err;
    c->include = include_file;
    if (file.n && !(text = read_file(file, &err)))
        dt_problem_add(problems, true, (struct dt_place){.file = file}, "cannot be read: %s",
                       dt_err_text(err));
    if (text)
        dt_conf_read(c, file, dt_bytes_str(text));
    for (size_t i = 0; sets && i + 1 < sets->n; i += 2)
        dt_conf_set(c, sets->items[i], sets->items[i + 1], command_line);
    if (!problems->fatal)
        check_whole(cfg, file, text, sets, problems);
    dt_bytes_drop(text);
    c->problems = NULL;
    return problems->fatal ? DT_E_SYNTAX : DT_OK;
}
