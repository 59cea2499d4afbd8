/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone proxy: the proxy node on the real host, with its key, its subscribers and the snapshot
 * of its bindings. */
#include "cmd/proxy.h"

#include <signal.h>
#include <stdio.h>
#include <uv.h>

#include "cmd/files.h"
#include "cmd/trace.h"
#include "io/host.h"
#include "io/io.h"

enum {
    PROBLEMS = 32,
    FILE_MAX = 64 << 20,
    PATH_SIZE = 4096,
    KEY_BYTES = 16,
    COUNTS_SIZE = 8192,
    DNS_SIZE = 1024
};

struct proxy_options {
    struct dt_str config, trace;
    int64_t log;
};

struct proxy_program {
    struct proxy_options *options;
    struct dt_conf conf;
    struct dt_proxy_config cfg;
    struct dt_log log;
    struct dt_env env;
    struct dt_proxy *proxy;
    struct dt_host *host;
    struct dt_host_timer *timer;
    struct dt_cmd_snapshot *snapshot; /* NULL: none is kept */
    struct dt_cmd_trace trace;
    uv_signal_t hangup, ask;
    char dns[DNS_SIZE]; /* the host keeps a pointer */
    bool ready;
    int exit_code;
};

static int fail(const char *sentence)
{
    fprintf(stderr, "dualtone proxy: %s\n", sentence);
    return DT_EXIT_FAILED;
}

/* ---- key and subscribers ---- */

static bool hex_key(struct dt_str text, uint64_t key[2])
{
    if (text.n != (size_t)2 * KEY_BYTES)
        return false;
    key[0] = key[1] = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = dt_lower(text.p[i]);
        if (!dt_char_is(c, DT_C_HEX))
            return false;
        uint64_t digit = (uint64_t)(dt_is_digit(c) ? c - '0' : c - 'a' + 10);
        key[i / KEY_BYTES] = key[i / KEY_BYTES] << 4 | digit;
    }
    return true;
}

/* R15: a line, or two of which the second only verifies; then `*n` is 2. */
static bool hex_keys(struct dt_str text, uint64_t keys[2][2], size_t *n)
{
    struct dt_reader r = dt_reader(dt_str_trim(text));
    bool good = hex_key(dt_str_trim(dt_reader_until(&r, '\n')), keys[0]);
    *n = 1;
    if (!good || !dt_reader_char(&r, '\n'))
        return good;
    *n = 2;
    return hex_key(dt_str_trim(dt_reader_rest(&r)), keys[1]);
}

/* Without a file the key lasts as long as the process: calls that outlive it lose R2's promise. */
static int read_keys(struct proxy_program *g, uint64_t keys[2][2], size_t *n, char *err,
                     size_t err_size)
{
    char path[PATH_SIZE];
    int e = DT_E_LIMIT;
    keys[0][0] = dt_rng_u64(&g->env.rng);
    keys[0][1] = dt_rng_u64(&g->env.rng);
    *n = 1;
    if (!g->cfg.key_file.n)
        return DT_OK;
    if (dt__cmd_path(g->cfg.key_file, path, sizeof path))
        e = dt_io_file_key(path, KEY_BYTES);
    struct dt_bytes *text = e ? NULL : dt_io_file_read(&dt_alloc_libc, path, 4096, &e);
    bool good = text && hex_keys(dt_bytes_str(text), keys, n);
    dt_bytes_drop(text);
    if (good)
        return DT_OK;
    if (e)
        snprintf(
            err, err_size,
            "key_file %.*s cannot be read or made: %s; give a file in a folder that exists and "
            "may be written",
            DT_FMT(g->cfg.key_file), dt_err_text(e));
    else
        snprintf(err, err_size,
                 "key_file %.*s does not hold 32 hex digits, or two lines of them; remove it to "
                 "have one "
                 "made",
                 DT_FMT(g->cfg.key_file));
    return e ? e : DT_E_SYNTAX;
}

/* An exit code; what is wrong has been said. */
static int read_subscribers(struct proxy_program *g)
{
    struct dt_problem list[PROBLEMS];
    struct dt_problems problems = {.list = list, .cap = PROBLEMS};
    struct dt_str file = g->cfg.subscribers;
    char path[PATH_SIZE];
    int err = DT_E_LIMIT;
    struct dt_bytes *text = NULL;
    if (!file.n)
        return DT_EXIT_GOOD;
    if (dt__cmd_path(file, path, sizeof path))
        text = dt_io_file_read(&dt_alloc_libc, path, FILE_MAX, &err);
    if (!text) {
        fprintf(stderr,
                "dualtone proxy: subscribers file %.*s cannot be read: %s; make it with "
                "`dualtone user add`\n",
                DT_FMT(file), dt_err_text(err));
        return DT_EXIT_FAILED;
    }
    err = dt_proxy_subscribers(g->proxy, file, dt_bytes_str(text), &problems);
    dt_bytes_drop(text);
    if (err == DT_E_SYNTAX)
        return dt_cmd_problems(&problems);
    return err ? fail(dt_err_text(err)) : DT_EXIT_GOOD;
}

/* ---- the host's watch ---- */

static void on_message(void *ctx, dt_time now, int node, bool sent, const struct dt_addr *local,
                       const struct dt_addr *remote, struct dt_str bytes)
{
    struct proxy_program *g = ctx;
    (void)node;
    dt_cmd_trace_message(&g->trace, now, sent, local, remote, bytes);
}

static void on_problem(struct proxy_program *g, struct dt_str text)
{
    if (g->exit_code == DT_EXIT_GOOD) /* of two sockets that fail, one is enough to say */
        fprintf(stderr, "dualtone proxy: %.*s\n", DT_FMT(text));
    if (g->ready)
        return;
    g->exit_code = DT_EXIT_FAILED;
    dt_host_stop(g->host);
}

static void on_event(void *ctx, dt_time now, int node, const struct dt_output *ev)
{
    struct proxy_program *g = ctx;
    (void)node;
    dt_cmd_trace_event(&g->trace, now, ev);
    if (ev->event == DT_EV_READY) {
        g->ready = true;
        printf("ready: %.*s\n", DT_FMT(ev->text));
        fflush(stdout);
    } else if (ev->event == DT_EV_PROBLEM) {
        on_problem(g, ev->text);
    } else if (ev->event == DT_EV_DROP) {
        dt_log(&g->env, DT_LOG_INFO, "proxy", DT_STR_NONE, "dropped %.*s", DT_FMT(ev->text));
    }
}

static void on_signal(void *ctx, int signo)
{
    struct proxy_program *g = ctx;
    (void)signo;
    dt_host_stop(g->host);
}

static void on_hangup(uv_signal_t *handle, int signo)
{
    struct proxy_program *g = handle->data;
    (void)signo;
    if (read_subscribers(g) != DT_EXIT_GOOD)
        fprintf(stderr, "dualtone proxy: the subscribers stay as they were\n");
}

/* Counters on request: "count NAME VALUE", one a line. */
static void on_ask(uv_signal_t *handle, int signo)
{
    const struct proxy_program *g = handle->data;
    char text[COUNTS_SIZE];
    struct dt_writer w = dt_writer(text, sizeof text);
    (void)signo;
    dt_proxy_counts(g->proxy, &w);
    struct dt_reader r = dt_reader(dt_writer_str(&w));
    while (!dt_reader_end(&r)) {
        struct dt_str row = dt_reader_until(&r, '\n');
        printf("count %.*s\n", DT_FMT(row));
        dt_reader_char(&r, '\n');
    }
    printf("count objects %u\n", dt_proxy_objects(g->proxy));
}

static void on_timer(void *ctx, dt_time now)
{
    struct proxy_program *g = ctx;
    dt__cmd_snapshot_write(g->snapshot, g->proxy, now);
    dt_host_timer_at(g->timer, now + g->cfg.snapshot_every * DT_SECOND);
}

/* ---- running ---- */

static void watch_signal(struct proxy_program *g, uv_signal_t *handle, int signo, uv_signal_cb cb)
{
    handle->data = g;
    uv_signal_init(dt_host_loop(g->host), handle);
    uv_signal_start(handle, cb, signo);
}

static void close_signal(uv_signal_t *handle)
{
    if (handle->data)
        uv_close((uv_handle_t *)handle, NULL); /* the host's end runs the loop to the last */
}

static int make_host(struct proxy_program *g, char *err, size_t err_size)
{
    const struct dt_host_config cfg = {
        .log = &g->log,
        .signals = true,
        .stall = g->cfg.stall * DT_SECOND,
        .gather = g->cfg.gather,
        .slice = g->cfg.slice,
        .dns = dt_cmd_dns(g->cfg.dns.items, g->cfg.dns.n, g->dns, sizeof g->dns),
        .watch = {.message = g->options->trace.n ? on_message : NULL,
                  .event = on_event,
                  .signal = on_signal,
                  .ctx = g},
    };
    g->host = dt_host_new(&cfg, err, err_size);
    if (!g->host)
        return DT_E_IO;
    if (dt_host_add(g->host, &dt_proxy_node, g->proxy) < 0) {
        snprintf(err, err_size, "%s", dt_err_text(DT_E_NOMEM));
        return DT_E_NOMEM;
    }
    watch_signal(g, &g->hangup, SIGHUP, on_hangup);
    watch_signal(g, &g->ask, SIGUSR1, on_ask);
    return DT_OK;
}

static int open_store(struct proxy_program *g, char *err, size_t err_size)
{
    struct dt_str file = dt_str_sub(g->cfg.store, sizeof "memory", g->cfg.store.n);
    if (!file.n)
        return DT_OK;
    g->snapshot = dt__cmd_snapshot_new(file);
    if (!g->snapshot) {
        snprintf(err, err_size, "%s", dt_err_text(DT_E_NOMEM));
        return DT_E_NOMEM;
    }
    return dt__cmd_snapshot_read(g->snapshot, g->proxy, dt_io_now(), err, err_size);
}

static int make_proxy(struct proxy_program *g, char *err, size_t err_size)
{
    uint64_t keys[2][2];
    size_t n;
    if (dt_cmd_trace_open(&g->trace, g->options->trace, err, err_size))
        return DT_E_IO;
    g->log = dt_io_log_stderr((enum dt_log_level)g->options->log);
    if (dt_io_env_init(&g->env, &g->log)) {
        snprintf(err, err_size, "the system gives no random numbers");
        return DT_E_IO;
    }
    int e = read_keys(g, keys, &n, err, err_size);
    if (e)
        return e;
    g->proxy = dt_proxy_new(&g->cfg, keys[0], &g->env);
    if (g->proxy && n > 1)
        (void)dt_proxy_add_key(g->proxy, keys[1]);
    if (!g->proxy)
        snprintf(err, err_size, "%s", dt_err_text(DT_E_NOMEM));
    return g->proxy ? open_store(g, err, err_size) : DT_E_NOMEM;
}

static int run_host(struct proxy_program *g)
{
    char err[256];
    if (make_host(g, err, sizeof err))
        return fail(err);
    if (g->snapshot) {
        g->timer = dt_host_timer_new(g->host, on_timer, g);
        if (!g->timer)
            return fail(dt_err_text(DT_E_NOMEM));
        dt_host_timer_at(g->timer, dt_io_now() + g->cfg.snapshot_every * DT_SECOND);
    }
    int e = dt_host_run(g->host);
    if (g->snapshot && g->ready && dt__cmd_snapshot_finish(g->snapshot, g->proxy, dt_io_now()))
        e = DT_E_IO;
    return e ? DT_EXIT_FAILED : g->exit_code;
}

static int run_program(struct proxy_program *g)
{
    char err[256];
    if (make_proxy(g, err, sizeof err))
        return fail(err);
    int code = read_subscribers(g);
    return code == DT_EXIT_GOOD ? run_host(g) : code;
}

static void clear(struct proxy_program *g)
{
    close_signal(&g->hangup);
    close_signal(&g->ask);
    dt_host_timer_free(g->timer);
    dt_host_free(g->host);
    dt__cmd_snapshot_free(g->snapshot);
    dt_proxy_free(g->proxy);
    dt_cmd_trace_close(&g->trace);
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    struct proxy_program g = {.options = line->options};
    struct dt_problem list[PROBLEMS];
    struct dt_problems problems = {.list = list, .cap = PROBLEMS};
    (void)c;
    if (line->args.n) {
        fprintf(stderr, "dualtone proxy: \"%.*s\" is not understood; use --config FILE\n",
                DT_FMT(line->args.items[0]));
        return DT_EXIT_USAGE;
    }
    int err = dt__cmd_proxy_configure(&g.conf, &g.cfg, g.options->config, &line->sets, &problems);
    int code = dt_cmd_problems(&problems);
    if (!err) {
        code = run_program(&g);
        clear(&g);
    }
    dt_conf_clear(&g.conf);
    return err == DT_E_NOMEM ? DT_EXIT_FAILED : code;
}

#define ROW(name_, type_, preset_, choices_, help_) \
    { \
        .name = #name_, .type = (type_), .offset = offsetof(struct proxy_options, name_), \
        .preset = (preset_), .choices = (choices_), .help = (help_) \
    }
static const struct dt_option options[] = {
    ROW(config, DT_OPTION_TEXT, NULL, NULL, "configuration file; options below win over it"),
    ROW(trace, DT_OPTION_TEXT, NULL, NULL,
        "FILE or fd:N that gets a line for each message and event"),
    ROW(log, DT_OPTION_CHOICE, "error", "error|warn|info|debug",
        "how much is said on standard error"),
};

const struct dt_command dt_cmd_proxy = {
    .name = "proxy",
    .arguments = "[--config FILE] [OPTION ...]",
    .summary = "a proxy, registrar and location service",
    .details = "Serves one domain until SIGINT or SIGTERM. SIGHUP reads the file of subscribers "
               "anew;\nSIGUSR1 prints the counters.\n\nExample: dualtone proxy --domain "
               "example.com --listen udp:127.0.0.1:5060 "
               "--store memory:bindings",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .target_size = sizeof(struct proxy_options),
    .conf_options = dt_proxy_options,
    .n_conf_options = DT_PROXY_OPTIONS,
    .conf_size = sizeof(struct dt_proxy_config),
    .run = run,
};
