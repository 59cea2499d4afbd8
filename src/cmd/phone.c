/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone phone: the phone node on the real host, its media engine on another in a thread of its
 * own, and a person or a script at its standard input. */
#include "cmd/phone.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- what is shown: --ui plain, a line an event, no prompt ---- */

static void print_event(const struct phone_program *g, const struct dt_output *ev)
{
    bool plain = g->options->ui == PHONE_UI_PLAIN;
    if (!plain && ev->event != DT_EV_PROBLEM)
        return;
    FILE *to = plain ? stdout : stderr;
    switch (ev->event) {
    case DT_EV_MEDIA: /* between the phone and its media engine */
    case DT_EV_DROP:
    case DT_EV_KNOWN:
    case DT_EV_QUIT:
    case DT_EV_WHY:
        return;
    case DT_EV_CALL:
        fprintf(to, "call %lu: %.*s\n", (unsigned long)ev->call, DT_FMT(ev->text));
        return;
    default:
        fprintf(to, "%s: %.*s\n", dt_event_name(ev->event), DT_FMT(ev->text));
    }
}

/* ---- commands: a script's wait until the phone is ready ---- */

static void command(struct phone_program *g, struct dt_str line)
{
    dt_host_command(g->host, g->node, DT_CHANNEL_USER, line);
}

static void wait_for_ready(struct phone_program *g, struct dt_str line)
{
    struct dt_bytes **more =
        dt_alloc_array(&dt_alloc_libc, g->waiting, g->n_waiting + 1, sizeof(struct dt_bytes *));
    if (!more)
        return;
    g->waiting = more;
    g->waiting[g->n_waiting] = dt_bytes_copy(&dt_alloc_libc, line);
    g->n_waiting += g->waiting[g->n_waiting] != NULL;
}

static void release(struct phone_program *g)
{
    g->ready = true;
    for (size_t i = 0; i < g->n_waiting; i++) {
        command(g, dt_bytes_str(g->waiting[i]));
        dt_bytes_drop(g->waiting[i]);
    }
    g->n_waiting = 0;
}

static void on_line(void *ctx, struct dt_str line)
{
    struct phone_program *g = ctx;
    if (g->ready || g->typed)
        command(g, line);
    else
        wait_for_ready(g, line);
}

static void on_end(void *ctx)
{
    struct phone_program *g = ctx;
    if (g->options->ui == PHONE_UI_PLAIN)
        on_line(g, DT_STR("quit idle"));
}

/* ---- the host's watch ---- */

static void on_message(void *ctx, dt_time now, int node, bool sent, const struct dt_addr *local,
                       const struct dt_addr *remote, struct dt_str bytes)
{
    struct phone_program *g = ctx;
    (void)node;
    dt_cmd_trace_message(&g->trace, now, sent, local, remote, bytes);
}

static void on_event(void *ctx, dt_time now, int node, const struct dt_output *ev)
{
    struct phone_program *g = ctx;
    (void)node;
    if (ev->channel == DT_CHANNEL_WHY) {
        dt_control_reply(g->control, ev->call, ev->text);
        return;
    }
    dt_cmd_trace_event(&g->trace, now, ev);
    print_event(g, ev);
    if (ev->event == DT_EV_READY)
        release(g);
    if (ev->event == DT_EV_KNOWN)
        dt__cmd_phone_keep(g, ev->text);
    if (ev->event == DT_EV_QUIT) {
        g->exit_code = dt_str_eq(ev->text, DT_STR("0")) ? DT_EXIT_GOOD : DT_EXIT_FAILED;
        dt_host_stop(g->host);
    }
}

/* Once: hang up and unregister. Twice: at once. */
static void on_signal(void *ctx, int signo)
{
    struct phone_program *g = ctx;
    (void)signo;
    if (g->signals++) {
        g->exit_code = DT_EXIT_FAILED;
        dt_host_stop(g->host);
    }
    command(g, DT_STR("quit"));
}

/* ---- running ---- */

static int fail(const char *sentence)
{
    fprintf(stderr, "dualtone phone: %s\n", sentence);
    return DT_EXIT_FAILED;
}

/* Two hosts, the nodes on them, and the way for lines between the nodes. */
static int join(struct phone_program *g, char *err, size_t err_size)
{
    const struct dt_host_config signalling = {
        .log = &g->log,
        .signals = true,
        .dns = dt_cmd_dns(g->cfg.dns, 2, g->dns, sizeof g->dns),
        .watch = {.message = on_message, .event = on_event, .signal = on_signal, .ctx = g},
    };
    const struct dt_host_config media = {.log = &g->log};
    g->host = dt_host_new(&signalling, err, err_size);
    g->media_host = g->host ? dt_host_new(&media, err, err_size) : NULL;
    if (!g->media_host)
        return DT_E_IO;
    g->node = dt_host_add(g->host, &dt_phone_node, g->phone);
    int engine = dt_host_add(g->media_host, &dt_media_node, g->media);
    if (g->node < 0 || engine < 0 ||
        dt_host_route(g->host, g->node, DT_CHANNEL_MEDIA, g->media_host, engine) ||
        dt_host_route(g->media_host, engine, DT_CHANNEL_MEDIA, g->host, g->node)) {
        snprintf(err, err_size, "%s", dt_err_text(DT_E_NOMEM));
        return DT_E_NOMEM;
    }
    return DT_OK;
}

static void listen_to_commands(struct phone_program *g)
{
    g->typed = isatty(STDIN_FILENO);
    if (g->options->ui == PHONE_UI_PLAIN || !g->typed)
        g->lines = dt_io_lines_new(g->host, STDIN_FILENO, on_line, on_end, g);
}

/* ---- who asks why ---- */

static void on_question(void *ctx, uint32_t client, struct dt_str question)
{
    struct phone_program *g = ctx;
    char line[DT_CONTROL_LINE + 16];
    struct dt_writer w = dt_writer(line, sizeof line);
    dt_writef(&w, "%lu ", (unsigned long)client);
    dt_write(&w, question);
    dt_host_command(g->host, g->node, DT_CHANNEL_WHY, dt_writer_str(&w));
}

/* Where nobody has named a folder, a phone without a control socket is still a phone. */
static int open_control(struct phone_program *g, char *err, size_t err_size)
{
    const struct phone_options *o = g->options;
    char pid[24];
    struct dt_writer w = dt_writer(pid, sizeof pid);
    if (dt_str_eq(o->run_folder, DT_STR("none")))
        return DT_OK;
    dt_write_u64(&w, (uint64_t)getpid());
    const struct dt_control_config cfg = {.folder = o->run_folder,
                                          .name = o->run_name.n ? o->run_name : dt_writer_str(&w),
                                          .line = on_question,
                                          .ctx = g};
    g->control = dt_control_new(g->host, &cfg, err, err_size);
    if (g->control)
        return DT_OK;
    if (o->run_folder.n || o->run_name.n)
        return DT_E_FOLDER;
    dt_log(&g->env, DT_LOG_WARN, "phone", DT_STR_NONE, "nobody can ask why: %s", err);
    return DT_OK;
}

static int run_hosts(struct phone_program *g)
{
    char err[256];
    if (join(g, err, sizeof err) || open_control(g, err, sizeof err))
        return fail(err);
    listen_to_commands(g);
    if (dt_host_start(g->media_host))
        return fail("the thread for the sound cannot be started; try again");
    g->exit_code = DT_EXIT_GOOD;
    int ended = dt_host_run(g->host);
    dt_host_stop(g->media_host);
    dt_host_join(g->media_host);
    return ended ? DT_EXIT_FAILED : g->exit_code;
}

static void clear(struct phone_program *g)
{
    dt_io_lines_free(g->lines);
    dt_control_free(g->control);
    dt_host_free(g->host);
    dt_host_free(g->media_host);
    dt_media_free(g->media);
    dt_phone_free(g->phone);
    for (size_t i = 0; i < g->n_waiting; i++)
        dt_bytes_drop(g->waiting[i]);
    dt_alloc_free(&dt_alloc_libc, g->waiting);
    if (g->audio.close)
        g->audio.close(g->audio.ctx);
    dt_cmd_trace_close(&g->trace);
}

static int run_program(struct phone_program *g)
{
    char err[256];
    if (dt_cmd_trace_open(&g->trace, g->options->trace, err, sizeof err))
        return fail(err);
    int e = dt__cmd_phone_audio(g, err, sizeof err);
    if (e == DT_E_SYNTAX) {
        fail(err);
        return DT_EXIT_USAGE;
    }
    if (e || dt__cmd_phone_local(g, err, sizeof err))
        return fail(err);
    g->log = dt_io_log_stderr((enum dt_log_level)g->options->log);
    if (dt_io_env_init(&g->env, &g->log) || dt_io_env_init(&g->media_env, &g->log))
        return fail("the system gives no random numbers");
    const struct dt_sound sound = {g->audio.read, g->audio.write, g->audio.ctx};
    g->phone = dt_phone_new(&g->cfg, &g->local, &g->env);
    g->media = dt_media_new(&sound, &g->media_env);
    if (!g->phone || !g->media)
        return fail(dt_err_text(DT_E_NOMEM));
    dt__cmd_phone_recall(g);
    return run_hosts(g);
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    struct phone_program g = {.options = line->options};
    (void)c;
    int code = dt__cmd_phone_configure(&g, line);
    if (code == DT_EXIT_GOOD) {
        code = run_program(&g);
        clear(&g);
    }
    dt_conf_clear(&g.conf);
    return code;
}

#define ROW(name_, type_, field_, preset_, choices_, help_) \
    { \
        .name = (name_), .type = (type_), .offset = offsetof(struct phone_options, field_), \
        .preset = (preset_), .choices = (choices_), .help = (help_) \
    }
static const struct dt_option options[] = {
    ROW("config", DT_OPTION_LIST, config, NULL, NULL,
        "configuration file; again for SIP<MAC>.cnf, whose values win over SIPDefault.cnf's"),
    ROW("config_dir", DT_OPTION_TEXT, config_dir, NULL, NULL,
        "folder with SIPDefault.cnf and SIP<MAC>.cnf"),
    ROW("mac", DT_OPTION_TEXT, mac, NULL, NULL, "which SIP<MAC>.cnf of --config-dir"),
    ROW("listen", DT_OPTION_TEXT, listen, NULL, NULL,
        "ADDR[:PORT] of the phone; default: the address that reaches the proxy"),
    ROW("ui", DT_OPTION_CHOICE, ui, "plain", "plain|none",
        "plain: commands from standard input, a line an event; none: commands only from a pipe"),
    ROW("audio", DT_OPTION_TEXT, audio, NULL, NULL,
        "file:IN.wav,OUT.wav, tone:HZ, null or device[:NAME]; default: the device if there is "
        "one"),
    ROW("trace", DT_OPTION_TEXT, trace, NULL, NULL,
        "FILE or fd:N that gets a line for each message and event"),
    ROW("memory", DT_OPTION_TEXT, memory, NULL, NULL,
        "FILE that keeps over a restart which proxies are twins (proxy_failover: fast)"),
    ROW("run_folder", DT_OPTION_TEXT, run_folder, NULL, NULL,
        "folder of the socket that \"dualtone why\" asks, or none; default: "
        "$XDG_RUNTIME_DIR/dualtone, /run/dualtone or $TMPDIR/dualtone-UID"),
    ROW("run_name", DT_OPTION_TEXT, run_name, NULL, NULL,
        "NAME of this phone for \"dualtone why --phone\"; default: its process id"),
    ROW("set", DT_OPTION_LIST, set, NULL, NULL, "NAME=VALUE of the configuration; may be repeated"),
    ROW("log", DT_OPTION_CHOICE, log, "error", "error|warn|info|debug",
        "how much is said on standard error"),
};

const struct dt_command dt_cmd_phone = {
    .name = "phone",
    .arguments = "[--config FILE ...] [OPTION ...]",
    .summary = "a telephone: lines, calls, screen",
    .details = "Reads SIPDefault.cnf and SIP<MAC>.cnf, registers its lines and takes commands, one "
               "a line:\ndial NUMBER|URI [line N], answer, reject, hangup, hold, resume, show, "
               "quit, help.\nThe end of standard input ends the phone when its calls have ended; "
               "SIGINT and SIGTERM end it\nproperly, a second one at once. lineN_name and the "
               "like are line1_name to line6_name.\n\n"
               "Example: dualtone phone --listen 127.0.0.2 --line1-name 1001 --line-domain "
               "example.com \\\n    --proxy1-address 127.0.0.1 --proxy-register 1 --audio "
               "tone:440\nThen type: dial 1002",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .target_size = sizeof(struct phone_options),
    .conf_options = dt_phone_options,
    .n_conf_options = DT_PHONE_OPTIONS,
    .conf_size = sizeof(struct dt_phone_config),
    .conf_used = dt_phone_option_used,
    .run = run,
};
