/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/flows.h"

#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PROBLEMS = 16, LADDER_BASE = 1 << 16, LADDER_LINE = 400, T1_MS = 500 };

static bool is_named(struct dt_str file, struct dt_str name)
{
    return dt_str_eq(file, name) ||
           (dt_str_ends(file, DT_STR(".flow")) &&
            dt_str_eq(dt_str_sub(file, 0, file.n - DT_STR(".flow").n), name));
}

const struct dt_flow_file *dt_cmd_flows_file(struct dt_str name)
{
    for (size_t i = 0; i < dt_flow_files_n; i++)
        if (is_named(dt_str_z(dt_flow_files[i].name), name))
            return &dt_flow_files[i];
    return NULL;
}

int dt_cmd_flows_parse(struct dt_str file, struct dt_str text, struct dt_flow **out)
{
    struct dt_problem list[PROBLEMS];
    struct dt_problems problems = {.list = list, .cap = PROBLEMS};
    int err = dt_flow_parse(&dt_alloc_libc, file, text, &problems, out);
    dt_cmd_problems(&problems);
    return err;
}

int dt_cmd_flows_folder(const char *what, struct dt_str given, char out[DT_CMD_FOLDER_SIZE])
{
    const char *base = getenv("TMPDIR");
    if (given.n > 0) {
        int n = snprintf(out, DT_CMD_FOLDER_SIZE, "%.*s", DT_FMT(given));
        (void)mkdir(out, 0755);
        return n < DT_CMD_FOLDER_SIZE ? DT_OK : DT_E_IO;
    }
    snprintf(out, DT_CMD_FOLDER_SIZE, "%s/dualtone-%s-XXXXXX", base && *base ? base : "/tmp", what);
    return mkdtemp(out) ? DT_OK : DT_E_IO;
}

struct dt_flow_options dt_cmd_flows_options(uint64_t seed, bool live, int64_t t1_ms,
                                            const char *folder)
{
    return (struct dt_flow_options){
        .seed = seed,
        .live = live,
        .t1 = t1_ms == T1_MS ? 0 : t1_ms * DT_MS,
        .program = "/proc/self/exe",
        .folder = folder,
    };
}

char *dt_cmd_flows_ladder(const struct dt_flow *f, const struct dt_flow_options *o,
                          const struct dt_flow_result *r)
{
    size_t size = LADDER_BASE + r->record.n * LADDER_LINE;
    char *text = malloc(size);
    struct dt_writer w = dt_writer(text, text ? size - 1 : 0);
    if (!text)
        return NULL;
    dt_flow_draw(f, o, r, &w);
    text[w.n] = '\0';
    return text;
}
