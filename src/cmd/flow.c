/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone flow: lists, runs and draws call flows. */
#include "cmd/command.h"
#include "cmd/flows.h"
#include "io/io.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

struct flow_options {
    int64_t live, seed, loss, duplicate, reorder, t1, json, ladder, probes;
    struct dt_str folder, pcap;
};

#define ROW(name, type, field, preset, min, max, unit, choices, help) \
    { \
        name, type, offsetof(struct flow_options, field), preset, min, max, unit, choices, 0, 0, \
            help, NULL \
    }
static const struct dt_option rows[] = {
    ROW("live", DT_OPTION_SWITCH, live, "0", 0, 1, NULL, NULL,
        "real processes on loopback, real time"),
    ROW("seed", DT_OPTION_NUMBER, seed, "1", 0, INT64_MAX, NULL, NULL,
        "of the simulation; the same seed gives the same trace"),
    ROW("loss", DT_OPTION_NUMBER, loss, "0", 0, 900, "per mille", NULL,
        "packets lost; a run with faults is judged by its end and the invariants"),
    ROW("duplicate", DT_OPTION_NUMBER, duplicate, "0", 0, 900, "per mille", NULL,
        "packets that arrive twice"),
    ROW("reorder", DT_OPTION_NUMBER, reorder, "0", 0, 900, "per mille", NULL,
        "packets that come late"),
    ROW("t1", DT_OPTION_NUMBER, t1, "500", 10, 5000, "ms", NULL,
        "timer_t1 of all; the times of the file are scaled with it"),
    ROW("ladder", DT_OPTION_CHOICE, ladder, "text", 0, 0, NULL, "text|none", "draw the ladder"),
    ROW("probes", DT_OPTION_SWITCH, probes, "0", 0, 1, NULL, NULL,
        "draw OPTIONS too, by which phones ask whether a proxy lives"),
    ROW("json", DT_OPTION_SWITCH, json, "0", 0, 1, NULL, NULL, "the result as JSON"),
    ROW("folder", DT_OPTION_TEXT, folder, NULL, 0, 0, NULL, NULL,
        "live: where configurations and logs go (default: one of its own below /tmp, removed when "
        "the flow held)"),
};

/* ---- flows by name or file ---- */

/* The exit code; `*out` is set when it is 0. */
static int load(struct dt_str name, struct dt_flow **out)
{
    const struct dt_flow_file *file = dt_cmd_flows_file(name);
    if (file)
        return dt_cmd_flows_parse(dt_str_z(file->name), (struct dt_str){file->text, file->n}, out)
                   ? DT_EXIT_USAGE
                   : DT_EXIT_GOOD;
    char *path = dt_alloc_text(&dt_alloc_libc, name);
    int err = DT_E_NOMEM;
    struct dt_bytes *text = path ? dt_io_file_read(&dt_alloc_libc, path, FILE_MAX, &err) : NULL;
    dt_alloc_free(&dt_alloc_libc, path);
    if (!text) {
        fprintf(stderr,
                "dualtone flow: \"%.*s\" is neither a flow (\"dualtone flow list\" names "
                "them) nor a file that can be read: %s\n",
                DT_FMT(name), dt_err_text(err));
        return DT_EXIT_USAGE;
    }
    err = dt_cmd_flows_parse(name, dt_bytes_str(text), out);
    dt_bytes_drop(text);
    return err ? DT_EXIT_USAGE : DT_EXIT_GOOD;
}

static int list_flows(void)
{
    for (size_t i = 0; i < dt_flow_files_n; i++) {
        struct dt_flow *f = NULL;
        if (!dt_str_ends(dt_str_z(dt_flow_files[i].name), DT_STR(".flow")))
            continue;
        if (dt_cmd_flows_parse(dt_str_z(dt_flow_files[i].name),
                               (struct dt_str){dt_flow_files[i].text, dt_flow_files[i].n}, &f))
            return DT_EXIT_FAILED;
        printf("%-12.*s %.*s\n", DT_FMT(f->name), DT_FMT(f->title));
        dt_flow_free(f);
    }
    return DT_EXIT_GOOD;
}

/* ---- running ---- */

static void print_ladder(const struct dt_flow *f, const struct dt_flow_options *o,
                         const struct dt_flow_result *r)
{
    char *text = dt_cmd_flows_ladder(f, o, r);
    printf("%s", text ? text : "");
    free(text);
}

static void print_json(const struct dt_flow *f, const struct dt_flow_options *o,
                       const struct dt_flow_result *r)
{
    char digest[24];
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)r->digest);
    json_t *j = json_object();
    json_object_set_new(j, "flow", json_stringn(f->name.p, f->name.n));
    json_object_set_new(j, "title", json_stringn(f->title.p, f->title.n));
    json_object_set_new(j, "held", json_boolean(r->held));
    json_object_set_new(j, "live", json_boolean(o->live));
    json_object_set_new(j, "seed", json_integer((json_int_t)o->seed));
    json_object_set_new(j, "seconds", json_real((double)r->lasted / (double)DT_SECOND));
    json_object_set_new(j, "messages", json_integer((json_int_t)r->messages));
    json_object_set_new(j, "digest", json_string(digest));
    if (!r->held) {
        json_object_set_new(j, "line", json_integer(r->line));
        json_object_set_new(j, "column", json_integer(r->column));
        json_object_set_new(j, "reason", json_string(r->reason));
    }
    char *text = json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    printf("%s\n", text ? text : "{}");
    free(text);
    json_decref(j);
}

static void print_result(const struct dt_flow *f, const struct dt_flow_options *o,
                         const struct dt_flow_result *r)
{
    if (r->held)
        printf("flow %.*s holds: %zu messages, %s\n", DT_FMT(f->name), r->messages,
               o->live ? "live" : "in simulation");
    else
        printf("flow %.*s fails: %s\n", DT_FMT(f->name), r->reason);
}

static void remove_folder(const struct dt_flow *f, const char *folder)
{
    static const char *const endings[] = {".conf", ".log", ".subscribers"};
    char path[512];
    for (size_t i = 0; i < f->n_parties; i++)
        for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
            snprintf(path, sizeof path, "%s/%s%s", folder, f->parties[i].name, endings[k]);
            unlink(path);
        }
    snprintf(path, sizeof path, "%s/cluster.key", folder);
    unlink(path);
    rmdir(folder);
}

static int run_flow(struct dt_cmd_line *line, const struct flow_options *opt)
{
    struct dt_flow *f = NULL;
    struct dt_flow_result r;
    char folder[DT_CMD_FOLDER_SIZE];
    bool own = opt->live && opt->folder.n == 0, kept = opt->folder.n > 0;
    int code = load(line->args.items[1], &f);
    if (code)
        return code;
    if ((own || kept) && dt_cmd_flows_folder("flow", opt->folder, folder)) {
        fprintf(stderr, "dualtone flow: no folder for logs can be made; give one by --folder\n");
        dt_flow_free(f);
        return DT_EXIT_FAILED;
    }
    struct dt_flow_options o = dt_cmd_flows_options((uint64_t)opt->seed, opt->live != 0, opt->t1,
                                                    own || kept ? folder : NULL);
    o.loss = (unsigned)opt->loss;
    o.duplicate = (unsigned)opt->duplicate;
    o.reorder = (unsigned)opt->reorder;
    o.probes = opt->probes != 0;
    int err = dt_flow_run(f, &o, &r);
    if (err)
        fprintf(stderr, "dualtone flow: it could not be run: %s\n",
                r.reason[0] ? r.reason : dt_err_text(err));
    else if (opt->json)
        print_json(f, &o, &r);
    else {
        printf("flow %.*s  %.*s\n\n", DT_FMT(f->name), DT_FMT(f->title));
        if (opt->ladder == 0)
            print_ladder(f, &o, &r);
        printf("\n");
        print_result(f, &o, &r);
    }
    code = !err && r.held ? DT_EXIT_GOOD : DT_EXIT_FAILED;
    if (own && code == DT_EXIT_GOOD)
        remove_folder(f, folder);
    else if (o.folder && opt->live && !opt->json)
        printf("logs and configurations: %s\n", o.folder);
    dt_flow_result_clear(&r);
    dt_flow_free(f);
    return code;
}

static int check_flow(struct dt_str name)
{
    struct dt_flow *f = NULL;
    int code = load(name, &f);
    if (code == DT_EXIT_GOOD)
        printf("flow %.*s is well formed: %zu parties, %zu steps\n", DT_FMT(f->name), f->n_parties,
               f->n_steps);
    dt_flow_free(f);
    return code;
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    const struct flow_options *opt = line->options;
    struct dt_str verb = line->args.n > 0 ? line->args.items[0] : DT_STR("");
    if (dt_str_eq(verb, DT_STR("list")) && line->args.n == 1)
        return list_flows();
    if (dt_str_eq(verb, DT_STR("run")) && line->args.n == 2)
        return run_flow(line, opt);
    if (dt_str_eq(verb, DT_STR("check")) && line->args.n == 2)
        return check_flow(line->args.items[1]);
    fprintf(stderr, "use: dualtone flow %s\n", c->arguments);
    return DT_EXIT_USAGE;
}

const struct dt_command dt_cmd_flow = {
    .name = "flow",
    .arguments = "list | run NAME|FILE [OPTION ...] | check NAME|FILE",
    .summary = "lists, runs and draws call flows, in simulation or live",
    .details = "A flow file says what is done and what must be seen; an unexpected message, a "
               "missing one or a wrong time\nfails the flow at that line, and the ladder shows "
               "where. The language is in docs/flow-language.md.",
    .options = rows,
    .n_options = sizeof rows / sizeof *rows,
    .target_size = sizeof(struct flow_options),
    .run = run,
};
