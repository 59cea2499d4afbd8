/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A proxy's configuration: the file, then the command line, then what only the whole can tell. */
#include "cmd/proxy.h"

#include <stdio.h>
#include <string.h>

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

/* ---- where an option stands ---- */

static bool is_option(struct dt_str line, struct dt_str name, size_t *value)
{
    struct dt_str trimmed = dt_str_trim(line);
    size_t colon = dt_str_find(trimmed, ':');
    if (colon == trimmed.n || !dt_str_ieq(dt_str_trim(dt_str_sub(trimmed, 0, colon)), name))
        return false;
    struct dt_str rest = dt_str_sub(trimmed, colon + 1, trimmed.n);
    *value = (size_t)(dt_str_trim(rest).p - line.p);
    return true;
}

/* The last line that sets `name`, which is the one that counts. False: none does. */
static bool find_option(struct dt_str text, struct dt_str name, struct dt_place *place)
{
    bool found = false;
    for (unsigned number = 1; text.n; number++) {
        size_t n = dt_str_find(text, '\n'), value;
        if (is_option(dt_str_sub(text, 0, n), name, &value)) {
            place->line = number;
            place->column = (unsigned)value + 1;
            found = true;
        }
        text = dt_str_sub(text, n + 1, text.n);
    }
    return found;
}

/* A problem of the whole begins with its option's name. */
static void add_placed(struct dt_problems *to, const struct dt_problem *p, struct dt_str file,
                       struct dt_str text)
{
    struct dt_str sentence = dt_str_z(p->text);
    struct dt_place place = {.file = file};
    struct dt_str name = dt_str_sub(sentence, 0, dt_str_find(sentence, ' '));
    if (!find_option(text, name, &place) && !file.n)
        place = command_line;
    dt_problem_add(to, p->fatal, place, "%s", p->text);
}

static void check_whole(const struct dt_proxy_config *cfg, struct dt_str file, struct dt_str text,
                        struct dt_problems *problems)
{
    struct dt_problem list[CHECKS];
    struct dt_problems found = {.list = list, .cap = CHECKS};
    dt_proxy_config_check(cfg, &found);
    for (size_t i = 0; i < found.n && i < found.cap; i++)
        add_placed(problems, &list[i], file, text);
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
        check_whole(cfg, file, dt_bytes_str(text), problems);
    dt_bytes_drop(text);
    c->problems = NULL;
    return problems->fatal ? DT_E_SYNTAX : DT_OK;
}
