/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone demo: page B-58 of the guide between real processes, with sound, as it happens. */
#include "cmd/command.h"

#include "cmd/hear.h"
#include "flow/flow.h"
#include "flow/library.h"
#include "io/io.h"
#include "trace/ladder.h"
#include "trace/pcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 400, AUDIO_SIZE = 2 * PATH_SIZE + 16, LADDER_SIZE = 1 << 18, QUICK_T1_MS = 50 };
#define HEARD_ENOUGH 0.90 /* of 1: G.711 alone costs about 0.01 */

struct demo_options {
    int64_t quick;
    struct dt_str folder;
};

static const struct dt_option rows[] = {
    {"quick", DT_OPTION_SWITCH, offsetof(struct demo_options, quick), "0", 0, 1, NULL, NULL, 0, 0,
     "timer_t1 of 50 ms in place of 500: the whole in under 10 seconds", NULL},
    {"folder", DT_OPTION_TEXT, offsetof(struct demo_options, folder), NULL, 0, 0, NULL, NULL, 0, 0,
     "where logs, recordings and the capture go (default: a new one below /tmp)", NULL},
};

/* ---- what is seen while it happens ---- */

struct stage {
    dt_time zero;
    bool began; /* the fault or the dialling: what is before is setting up */
};

static void tell_setting_up(const struct dt_record *r, const struct dt_record_item *it)
{
    bool registered = it->kind == DT_REC_EVENT && it->event == DT_EV_REGISTRATION;
    bool ready = it->kind == DT_REC_EVENT && it->event == DT_EV_READY;
    if (it->who >= r->n_parties || (!registered && !ready))
        return;
    printf("           %s: %.*s\n", r->parties[it->who].name,
           DT_FMT(ready ? DT_STR("ready") : dt_bytes_str(it->bytes)));
}

static bool worth_telling(const struct dt_record_item *it)
{
    struct dt_label label;
    if (it->kind == DT_REC_SENT) {
        dt_label_of(&label, dt_bytes_str(it->bytes));
        return label.sip;
    }
    return it->kind == DT_REC_COMMAND || it->kind == DT_REC_FAULT ||
           (it->kind == DT_REC_EVENT && (it->event == DT_EV_SCREEN || it->event == DT_EV_PROBLEM) &&
            it->bytes && it->bytes->n > 0);
}

/* A screen as a person sees it, apart from the messages. */
static void tell_screen(const struct stage *s, const struct dt_record *r,
                        const struct dt_record_item *it)
{
    int64_t ms = (it->at - s->zero) / DT_MS;
    printf("%4lld.%03lld  %-*s[ %s | %-30.*s ]\n", (long long)(ms / 1000), (long long)(ms % 1000),
           34, "", r->parties[it->who].name, DT_FMT(dt_bytes_str(it->bytes)));
}

static void on_item(void *ctx, const struct dt_record *r, const struct dt_record_item *it)
{
    struct stage *s = ctx;
    char text[400];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    if (!s->began && it->kind != DT_REC_FAULT) {
        tell_setting_up(r, it);
        return;
    }
    if (!s->began) {
        s->zero = it->at;
        s->began = true;
    }
    if (it->kind == DT_REC_COMMAND && dt_str_starts(dt_bytes_str(it->bytes), DT_STR("dial")))
        s->zero = it->at;
    if (!worth_telling(it))
        return;
    if (it->kind == DT_REC_EVENT && it->event == DT_EV_SCREEN && it->who < r->n_parties) {
        tell_screen(s, r, it);
        return;
    }
    dt_ladder_line(r, it, s->zero, &w);
    text[w.n] = '\0';
    printf("%s\n", text);
}

/* ---- files ---- */

static const struct dt_flow_file *file_of(const char *name)
{
    for (size_t i = 0; i < dt_flow_files_n; i++)
        if (strcmp(dt_flow_files[i].name, name) == 0)
            return &dt_flow_files[i];
    return NULL;
}

static int unpack(const char *name, const char *path)
{
    const struct dt_flow_file *f = file_of(name);
    return f ? dt_io_file_write(path, (struct dt_str){f->text, f->n}, 0644) : DT_E_ABSENT;
}

static int make_folder(const struct demo_options *opt, char *out)
{
    if (opt->folder.n > 0) {
        snprintf(out, PATH_SIZE, "%.*s", DT_FMT(opt->folder));
        (void)mkdir(out, 0755);
        return DT_OK;
    }
    const char *base = getenv("TMPDIR");
    snprintf(out, PATH_SIZE, "%s/dualtone-demo-XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(out) ? DT_OK : DT_E_IO;
}

static int write_pcap(const char *folder, const struct dt_record *r)
{
    char path[PATH_SIZE + 32];
    struct dt_bytes *b = dt_pcap_make(r, dt_io_wall_offset());
    snprintf(path, sizeof path, "%s/demo.pcap", folder);
    int err = b ? dt_io_file_write(path, dt_bytes_str(b), 0644) : DT_E_NOMEM;
    dt_bytes_drop(b);
    return err;
}

/* ---- afterwards ---- */

static bool tell_heard(const char *folder, const char *played, const char *recorded,
                       const char *who)
{
    char a[PATH_SIZE + 32], b[PATH_SIZE + 32];
    struct dt_heard h;
    snprintf(a, sizeof a, "%s/%s", folder, played);
    snprintf(b, sizeof b, "%s/%s", folder, recorded);
    int err = dt_cmd_hear(a, b, &h);
    bool good = err == DT_OK && h.correlation >= HEARD_ENOUGH;
    if (err)
        printf("  %-38s NOT heard: %s\n", who,
               err == DT_E_MORE ? "the recording is too short" : dt_err_text(err));
    else
        printf("  %-38s %s: correlation %.3f with what was sent (at least %.2f)\n", who,
               good ? "heard" : "NOT heard", h.correlation, HEARD_ENOUGH);
    return good;
}

static void print_ladder(const struct dt_flow *f, const struct dt_flow_options *o,
                         const struct dt_flow_result *r)
{
    char *text = malloc(LADDER_SIZE);
    struct dt_writer w = dt_writer(text, text ? LADDER_SIZE : 0);
    dt_flow_draw(f, o, r, &w);
    printf("\n");
    fwrite(text, 1, w.n, stdout);
    free(text);
}

static int finish(const struct dt_flow *f, const struct dt_flow_options *o,
                  const struct dt_flow_result *r)
{
    print_ladder(f, o, r);
    printf("\n");
    bool heard = true;
    if (!r->held) {
        printf("The flow failed: %s\n", r->reason);
    } else {
        heard = tell_heard(o->folder, "alice.wav", "bob-heard.wav", "Bob, of what Alice said:");
        heard = tell_heard(o->folder, "bob.wav", "alice-heard.wav", "Alice, of what Bob said:") &&
                heard;
    }
    if (write_pcap(o->folder, &r->record))
        printf("The capture could not be written.\n");
    printf(
        "\n%s\nLogs, recordings and demo.pcap: %s\n",
        r->held && heard
            ? "The primary proxy was dead, and the call was made, talked and hung up all the same."
            : "THE DEMO FAILED.",
        o->folder);
    return r->held && heard ? DT_EXIT_GOOD : DT_EXIT_FAILED;
}

static int parse(struct dt_flow **out)
{
    const struct dt_flow_file *file = file_of("demo.flow");
    struct dt_problem list[4];
    struct dt_problems problems = {.list = list, .cap = 4};
    int err = file ? dt_flow_parse(&dt_alloc_libc, DT_STR("demo.flow"),
                                   (struct dt_str){file->text, file->n}, &problems, out)
                   : DT_E_ABSENT;
    dt_cmd_problems(&problems);
    return err;
}

static int play(const struct dt_flow *f, struct dt_flow_options *o)
{
    char path[PATH_SIZE + 32], audio[2][AUDIO_SIZE];
    struct dt_flow_result r;
    snprintf(path, sizeof path, "%s/alice.wav", o->folder);
    int err = unpack("alice.wav", path);
    snprintf(path, sizeof path, "%s/bob.wav", o->folder);
    if (err || unpack("bob.wav", path)) {
        fprintf(stderr, "dualtone demo: cannot write to %s; give another folder by --folder\n",
                o->folder);
        return DT_EXIT_FAILED;
    }
    snprintf(audio[0], AUDIO_SIZE, "file:%s/alice.wav,%s/alice-heard.wav", o->folder, o->folder);
    snprintf(audio[1], AUDIO_SIZE, "file:%s/bob.wav,%s/bob-heard.wav", o->folder, o->folder);
    for (size_t i = 0, phones = 0; i < f->n_parties && phones < 2; i++)
        if (f->parties[i].role == DT_FLOW_PHONE)
            o->audio[i] = audio[phones++];
    err = dt_flow_run(f, o, &r);
    if (err)
        fprintf(stderr, "dualtone demo: it could not be run: %s\n",
                r.reason[0] ? r.reason : dt_err_text(err));
    int code = err ? DT_EXIT_FAILED : finish(f, o, &r);
    dt_flow_result_clear(&r);
    return code;
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    const struct demo_options *opt = line->options;
    struct stage stage = {0};
    char folder[PATH_SIZE];
    struct dt_flow *f = NULL;
    if (line->args.n > 0) {
        fprintf(stderr, "use: dualtone demo %s\n", c->arguments);
        return DT_EXIT_USAGE;
    }
    if (make_folder(opt, folder) || parse(&f)) {
        fprintf(stderr, "dualtone demo: no folder can be made; give one by --folder\n");
        return DT_EXIT_FAILED;
    }
    struct dt_flow_options o = {.seed = 1, .live = true, .program = "/proc/self/exe"};
    o.folder = folder;
    o.network = "127.0.0";
    o.t1 = opt->quick ? QUICK_T1_MS * DT_MS : 0;
    o.watch = on_item;
    o.watch_ctx = &stage;
    printf("Two proxies (P primary, S backup) and two phones (A Alice 1001, B Bob 1002), real "
           "processes on 127.0.0.1 to .4.\nP is killed before Alice dials; a socket that nobody "
           "reads takes its place: %s.\n\n",
           opt->quick ? "timer_t1 is 50 ms, so the guide's 32 s are 3.2"
                      : "the guide's phone tries it for 32 s");
    int code = play(f, &o);
    dt_flow_free(f);
    return code;
}

const struct dt_command dt_cmd_demo = {
    .name = "demo",
    .arguments = "[--quick] [--folder DIR]",
    .summary = "a call through the backup proxy, as it happens, with sound",
    .details = "Starts two proxies and two phones as real processes on loopback, kills the primary "
               "proxy, lets A dial B, and\nshows screens, messages and the clock. At the end it "
               "measures that both heard each other.",
    .options = rows,
    .n_options = sizeof rows / sizeof *rows,
    .target_size = sizeof(struct demo_options),
    .run = run,
};
