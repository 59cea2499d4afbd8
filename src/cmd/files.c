/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Places of options: what checks of the whole find has none of its own. */
#include "cmd/files.h"

#include "dualtone/node.h"

void dt_cmd_files_add(struct dt_cmd_files *f, struct dt_str path, struct dt_bytes *text)
{
    struct dt_bytes *name = f->n < DT_CMD_FILES_MAX ? dt_bytes_copy(&dt_alloc_libc, path) : NULL;
    if (!name)
        return;
    f->file[f->n].path = name;
    f->file[f->n].text = dt_bytes_hold(text);
    f->n++;
}

void dt_cmd_files_clear(struct dt_cmd_files *f)
{
    for (size_t i = 0; i < f->n; i++) {
        dt_bytes_drop(f->file[i].path);
        dt_bytes_drop(f->file[i].text);
    }
    f->n = 0;
}

/* As the command line takes names: without regard to case, and '-' equals '_'. */
static bool same_name(struct dt_str a, struct dt_str b)
{
    bool same = a.n == b.n;
    for (size_t i = 0; same && i < a.n; i++)
        same = dt_lower(a.p[i] == '-' ? '_' : a.p[i]) == dt_lower(b.p[i] == '-' ? '_' : b.p[i]);
    return same;
}

static bool is_option(struct dt_str line, struct dt_str name, size_t *value)
{
    struct dt_str trimmed = dt_str_trim(line);
    size_t colon = dt_str_find(trimmed, ':');
    if (colon == trimmed.n || !same_name(dt_str_trim(dt_str_sub(trimmed, 0, colon)), name))
        return false;
    struct dt_str rest = dt_str_sub(trimmed, colon + 1, trimmed.n);
    *value = (size_t)(dt_str_trim(rest).p - line.p);
    return true;
}

/* The last line that sets `name`. False: none does. */
static bool find_line(struct dt_str text, struct dt_str name, struct dt_place *place)
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

static bool is_set(const struct dt_str_list *sets, struct dt_str name)
{
    for (size_t i = 0; sets && i + 1 < sets->n; i += 2)
        if (same_name(sets->items[i], name))
            return true;
    return false;
}

static struct dt_place place_of(const struct dt_cmd_files *f, const struct dt_str_list *sets,
                                struct dt_str name, struct dt_place otherwise)
{
    struct dt_place place = {.file = DT_STR("command line")};
    if (is_set(sets, name))
        return place;
    for (size_t i = f->n; i-- > 0;) {
        place.file = dt_bytes_str(f->file[i].path);
        if (find_line(dt_bytes_str(f->file[i].text), name, &place))
            return place;
    }
    return otherwise;
}

void dt_cmd_files_place(const struct dt_cmd_files *f, const struct dt_str_list *sets,
                        const struct dt_problems *found, struct dt_place otherwise,
                        struct dt_problems *to)
{
    for (size_t i = 0; i < found->n && i < found->cap; i++) {
        const struct dt_problem *p = &found->list[i];
        struct dt_str text = dt_str_z(p->text);
        if (p->place.file.n)
            text = dt_str_sub(text, p->place.file.n + 2, text.n); /* "configuration: " */
        struct dt_str name = dt_str_sub(text, 0, dt_str_find(text, ' '));
        dt_problem_add(to, p->fatal, place_of(f, sets, name, otherwise), "%.*s", DT_FMT(text));
    }
}

const char *dt_cmd_dns(const struct dt_str *servers, size_t n, char *out, size_t size)
{
    enum { DNS_PORT = 53 };
    struct dt_writer w = dt_writer(out, size - 1);
    for (size_t i = 0; i < n; i++) {
        struct dt_addr addr;
        char text[DT_ADDR_TEXT_MAX];
        if (dt_addr_parse(&addr, servers[i]) || dt_addr_is_any(&addr))
            continue;
        if (!addr.port)
            addr.port = DNS_PORT;
        dt_writef(&w, "%s%s", w.n ? "," : "", dt_addr_text(&addr, text));
    }
    out[w.n] = '\0';
    return w.n ? out : NULL;
}
