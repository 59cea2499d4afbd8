/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone demo: the promise in three acts, each a call between real processes, with sound, as it
 * happens. */
#include "cmd/command.h"
#include "cmd/demo.h"
#include "cmd/flows.h"
#include "cmd/hear.h"
#include "io/io.h"
#include "trace/pcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PATH_SIZE = DT_CMD_FOLDER_SIZE + 32,
    AUDIO_SIZE = 2 * PATH_SIZE + 16,
    T1_MS = 500,
    QUICK_T1_MS = 50,
    QUICK_HEAR_MS = 1700
};
#define HEARD_ENOUGH 0.90 /* of 1: G.711 alone costs about 0.01 */
#define LATE_S 0.1        /* of sound, what its packets and the jitter buffer may take */
#define QUICK_HEARD_S 1.0 /* so much of the samples is looked for */

struct demo_options {
    int64_t quick, act;
    struct dt_str folder;
};

static const struct dt_option rows[] = {
    {"quick", DT_OPTION_SWITCH, offsetof(struct demo_options, quick), "0", 0, 1, NULL, NULL, 0, 0,
     "timer_t1 of 50 ms in place of 500, and less is said: all in about 15 seconds", NULL},
    {"act", DT_OPTION_NUMBER, offsetof(struct demo_options, act), "0", 0, 3, NULL, NULL, 0, 0,
     "only this act; 0: all", NULL},
    {"folder", DT_OPTION_TEXT, offsetof(struct demo_options, folder), NULL, 0, 0, NULL, NULL, 0, 0,
     "where logs, recordings, ladders and captures go (default: a new one below /tmp)", NULL},
};

/* The caller waits from what somebody does (`from`, the start of a command) until its own call has
 * the state `until`. */
static const struct act {
    const char *title, *flow, *about, *from, *until, *waited;
} acts[] = {
    {"the guide's phone", "demo.flow",
     "P, the primary, is killed before Alice dials; a socket that nobody reads takes its place.\n"
     "The guide's phone tries it seven times in 64 T1 (32 s), then the backup S.",
     "dial", "ringing", "to ringing"},
    {"fast: the primary is silent", "demo-fast.flow",
     "The same dead primary, but P and S are a pair and the phones have proxy_failover: fast.\n"
     "After T1 (0.5 s) the twin gets the same INVITE.",
     "dial", "ringing", "to ringing"},
    {"fast: the proxy is killed while it rings", "demo-killed.flow",
     "Bob's phone rings through P. P is killed (SIGKILL), and with it all that it knew of the "
     "call;\nthen Bob answers.",
     "answer", "talking", "for the answer"},
};
enum { ACTS = sizeof acts / sizeof *acts };

struct outcome {
    bool played, held;
    dt_time waited;  /* -1: in vain */
    double heard[2]; /* by A, by B */
};

/* ---- afterwards ---- */

static bool is_event(const struct dt_record_item *it, enum dt_record_kind kind, const char *text)
{
    return it->kind == kind && it->bytes &&
           dt_str_starts(dt_bytes_str(it->bytes), dt_str_z(text)) &&
           (kind != DT_REC_EVENT || it->event == DT_EV_CALL);
}

static dt_time waited(const struct act *act, const struct dt_flow *f, const struct dt_record *r)
{
    dt_time from = -1;
    for (size_t i = 0; i < r->n; i++) {
        const struct dt_record_item *it = &r->items[i];
        bool caller = it->who < f->n_parties && strcmp(f->parties[it->who].name, "A") == 0;
        if (is_event(it, DT_REC_COMMAND, act->from))
            from = it->at;
        else if (from >= 0 && caller && is_event(it, DT_REC_EVENT, act->until))
            return it->at - from;
    }
    return -1;
}

static double heard(const char *folder, const char *speaker, const char *listener, double from,
                    bool quick)
{
    char a[PATH_SIZE], b[PATH_SIZE];
    const struct dt_hear what = {a, b, from, quick ? QUICK_HEARD_S : 0};
    struct dt_heard h;
    snprintf(a, sizeof a, "%s/%s.wav", folder, speaker);
    snprintf(b, sizeof b, "%s/%s-heard.wav", folder, listener);
    return dt_cmd_hear(&what, &h) ? 0 : h.correlation;
}

/* Who answers speaks at once; before the caller has the answer it is lost. */
static double lost_words(const struct act *act, dt_time wait)
{
    bool answer = strcmp(act->from, "answer") == 0 && wait > 0;
    return answer ? (double)wait / DT_SECOND + LATE_S : 0;
}

static void keep(const char *folder, const char *name, struct dt_str bytes)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!bytes.p || dt_io_file_write(path, bytes, 0644))
        printf("%s could not be written.\n", path);
}

static void finish(const struct act *act, const struct dt_flow *f, const struct dt_flow_options *o,
                   const struct dt_flow_result *r, struct outcome *out)
{
    bool quick = o->hear != 0;
    struct dt_bytes *capture = dt_pcap_make(&r->record, dt_io_wall_offset());
    char *ladder = dt_cmd_flows_ladder(f, o, r);
    keep(o->folder, "demo.pcap", dt_bytes_str(capture));
    keep(o->folder, "ladder.txt", ladder ? dt_str_z(ladder) : DT_STR_NONE);
    out->waited = waited(act, f, &r->record);
    out->heard[0] = heard(o->folder, "bob", "alice", lost_words(act, out->waited), quick);
    out->heard[1] = heard(o->folder, "alice", "bob", 0, quick);
    out->held = r->held && out->waited >= 0 && out->heard[0] >= HEARD_ENOUGH &&
                out->heard[1] >= HEARD_ENOUGH;
    if (!r->held)
        printf("\n%s\nThe flow failed: %s\n", ladder ? ladder : "", r->reason);
    dt_bytes_drop(capture);
    free(ladder);
}

/* ---- an act ---- */

static int unpack(const char *name, const char *folder)
{
    char path[PATH_SIZE];
    const struct dt_flow_file *f = dt_cmd_flows_file(dt_str_z(name));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return f ? dt_io_file_write(path, (struct dt_str){f->text, f->n}, 0644) : DT_E_ABSENT;
}

static int play_in(const struct act *act, const struct dt_flow *f,
                   const struct dt_flow_options *bare, struct outcome *out)
{
    static const char *const who[] = {"alice", "bob"};
    struct dt_flow_options with = *bare, *o = &with; /* and with sound */
    struct dt_flow_result r;
    char audio[2][AUDIO_SIZE];
    for (size_t i = 0, phones = 0; i < f->n_parties && phones < 2; i++) {
        if (f->parties[i].role != DT_FLOW_PHONE)
            continue;
        snprintf(audio[phones], AUDIO_SIZE, "file:%s/%s.wav,%s/%s-heard.wav", o->folder,
                 who[phones], o->folder, who[phones]);
        o->audio[i] = audio[phones++];
    }
    if (unpack("alice.wav", o->folder) || unpack("bob.wav", o->folder)) {
        fprintf(stderr, "dualtone demo: cannot write to %s; give another folder by --folder\n",
                o->folder);
        return DT_E_IO;
    }
    int err = dt_flow_run(f, o, &r);
    if (err)
        fprintf(stderr, "dualtone demo: it could not be run: %s\n",
                r.reason[0] ? r.reason : dt_err_text(err));
    else
        finish(act, f, o, &r, out);
    dt_flow_result_clear(&r);
    return err;
}

static void play(size_t i, const struct demo_options *opt, const char *net, const char *folder,
                 struct outcome *out)
{
    const struct dt_flow_file *file = dt_cmd_flows_file(dt_str_z(acts[i].flow));
    struct demo_stage stage = {0};
    struct dt_flow *f = NULL;
    char sub[PATH_SIZE];
    snprintf(sub, sizeof sub, "%s/act-%zu", folder, i + 1);
    (void)mkdir(sub, 0755);
    *out = (struct outcome){.played = true, .waited = -1};
    if (!file || dt_cmd_flows_parse(dt_str_z(file->name), (struct dt_str){file->text, file->n}, &f))
        return;
    struct dt_flow_options o = dt_cmd_flows_options(1, true, opt->quick ? QUICK_T1_MS : T1_MS, sub);
    o.hear = opt->quick ? QUICK_HEAR_MS * DT_MS : 0;
    o.network = net;
    o.watch = dt__cmd_demo_tell;
    o.watch_ctx = &stage;
    printf("\n---- Act %zu: %s\n%s\n\n", i + 1, acts[i].title, acts[i].about);
    (void)play_in(&acts[i], f, &o, out);
    dt_flow_free(f);
}

/* ---- the end ---- */

static void write_waited(const struct act *act, const struct outcome *o, char *out, size_t size)
{
    if (o->waited < 0)
        snprintf(out, size, "in vain");
    else
        snprintf(out, size, "%.2f s %s", (double)o->waited / DT_SECOND, act->waited);
}

static int print_table(const struct outcome *out)
{
    bool all = true;
    char text[64];
    printf("\n%-44s%-24s%-9s%-9s%s\n", "act", "the caller waited", "A heard", "B heard", "");
    for (size_t i = 0; i < ACTS; i++) {
        if (!out[i].played)
            continue;
        write_waited(&acts[i], &out[i], text, sizeof text);
        printf("%zu %-42s%-24s%-9.3f%-9.3f%s\n", i + 1, acts[i].title, text, out[i].heard[0],
               out[i].heard[1], out[i].held ? "holds" : "FAILS");
        all = all && out[i].held;
    }
    printf(
        "\n\"heard\" is the correlation of what was recorded with what the other side sent; at "
        "least %.2f.\nIn act 3 Bob speaks as he answers: his words count from when Alice's phone "
        "has the answer.\n",
        HEARD_ENOUGH);
    return all ? DT_EXIT_GOOD : DT_EXIT_FAILED;
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    const struct demo_options *opt = line->options;
    struct outcome out[ACTS] = {0};
    struct demo_place place;
    char folder[DT_CMD_FOLDER_SIZE];
    if (line->args.n > 0) {
        fprintf(stderr, "use: dualtone demo %s\n", c->arguments);
        return DT_EXIT_USAGE;
    }
    if (dt_cmd_flows_folder("demo", opt->folder, folder)) {
        fprintf(stderr, "dualtone demo: no folder can be made; give one by --folder\n");
        return DT_EXIT_FAILED;
    }
    if (!dt__cmd_demo_place_take(&place)) {
        fprintf(stderr, "dualtone demo: another program has UDP or TCP port 5060 of every loopback "
                        "address; end it, or have it listen on one address only\n");
        return DT_EXIT_FAILED;
    }
    printf("Two proxies (P primary, S backup) and two phones (A Alice 1001, B Bob 1002), real "
           "processes on %s.1 to .4.\n%s",
           place.net, opt->quick ? "Quick: timer_t1 is 50 ms, a tenth of the usual.\n" : "");
    for (size_t i = 0; i < ACTS; i++)
        if (opt->act == 0 || (size_t)opt->act == i + 1)
            play(i, opt, place.net, folder, &out[i]);
    dt__cmd_demo_place_leave(&place);
    int code = print_table(out);
    printf("%s\nLogs, recordings, ladders and captures: %s\n",
           code == DT_EXIT_GOOD ? "A proxy was dead, and each call was made, talked and hung up."
                                : "THE DEMO FAILED.",
           folder);
    return code;
}

const struct dt_command dt_cmd_demo = {
    .name = "demo",
    .arguments = "[--quick] [--act N] [--folder DIR]",
    .summary = "three calls and a dead proxy, as it happens, with sound",
    .details =
        "Starts two proxies and two phones as real processes on loopback, and shows "
        "screens, messages and the clock:\n1. the primary is dead, the guide's phone waits "
        "32 s for it; 2. under proxy_failover: fast it waits half a\nsecond; 3. the proxy is "
        "killed while the call rings, which is answered and hung up all the same. At the "
        "end\na table says what the caller waited and measures that both heard each other.",
    .options = rows,
    .n_options = sizeof rows / sizeof *rows,
    .target_size = sizeof(struct demo_options),
    .run = run,
};
