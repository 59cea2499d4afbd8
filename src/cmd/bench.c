/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone bench: loads a proxy with calls, registrations or questions, and says what became of
 * them. */
#include <stdio.h>
#include <string.h>

#include "cmd/bench_load.h"
#include "cmd/command.h"

/* Registrations before calls: so many at once; each trial of a search is this long, and it ends
 * when it knows the rate to one part in 25. */
enum { PREPARE_WINDOW = 64, SEARCH_MS = 1500, SEARCH_FROM = 1000, SEARCH_PART = 25 };

struct bench_values {
    struct dt_str target, local, domain, password;
    struct dt_str_list account;
    int64_t rate, window, count, duration, users, contacts, port, ring, hold, patience;
    int64_t digest, refresh, registered, spin, direct, search, json;
};

struct bench_job_kind {
    const struct bench_flow *flow;
    bool needs_users; /* registered before */
};

static int wrong(const char *sentence)
{
    fprintf(stderr, "dualtone bench: %s\n", sentence);
    return DT_EXIT_USAGE;
}

static const struct bench_flow *const flows[] = {&dt__bench_calls, &dt__bench_register,
                                                 &dt__bench_ask};

static const struct bench_flow *find(const struct dt_str_list *args)
{
    for (size_t i = 0; args->n == 1 && i < sizeof flows / sizeof *flows; i++)
        if (dt_str_eq(args->items[0], dt_str_z(flows[i]->name)))
            return flows[i];
    return NULL;
}

/* ---- options ---- */

static int take_account(struct bench_account *out, const struct dt_str_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        uint64_t pid;
        if (dt_str_u64(list->items[i], INT32_MAX, &pid) || !pid || out->n == BENCH_PIDS) {
            fprintf(stderr,
                    "dualtone bench: account \"%.*s\": use process ids, at most %d of them\n",
                    DT_FMT(list->items[i]), BENCH_PIDS);
            return DT_EXIT_USAGE;
        }
        out->pids[out->n++] = (int)pid;
    }
    return DT_EXIT_GOOD;
}

static int take(struct bench_options *o, const struct bench_values *v,
                const struct bench_flow *flow)
{
    *o = (struct bench_options){.target = v->target,
                                .local = v->local,
                                .domain = v->domain,
                                .password = v->password,
                                .users = v->users,
                                .contacts = v->contacts,
                                .rate = v->rate,
                                .window = v->window,
                                .count = v->count,
                                .port = v->port,
                                .duration = v->duration * DT_SECOND,
                                .ring = v->ring * DT_MS,
                                .hold = v->hold * DT_MS,
                                .patience = v->patience * DT_SECOND,
                                .digest = v->digest,
                                .refresh = v->refresh,
                                .registered = v->registered,
                                .spin = v->spin,
                                .direct = v->direct};
    if (!v->target.n)
        return wrong("--target is not set; use --target ADDRESS:PORT of a proxy");
    if (v->domain.n > 200)
        return wrong("the domain is longer than 200 bytes");
    if (v->search && (v->count || v->rate))
        return wrong("--search finds the rate itself; leave --rate and --count away");
    if (flow != &dt__bench_register && (v->digest || v->refresh))
        return wrong("--digest and --refresh are for register only");
    if (flow != &dt__bench_calls && (v->ring || v->hold || v->direct))
        return wrong("--ring, --hold and --direct are for calls only");
    if (v->direct && !v->port)
        return wrong("--direct wants a --port");
    return take_account(&o->account, &v->account);
}

/* ---- runs ---- */

static int gone(void)
{
    fprintf(stderr, "dualtone bench: a process of --account is not there, or is somebody else's\n");
    return DT_EXIT_FAILED;
}

/* Each user's bindings, before what is measured. */
static int prepare(struct bench_load *l)
{
    uint64_t n = (uint64_t)(l->o->users * l->o->contacts);
    l->serial = 0;
    if (dt__bench_trial(l, &dt__bench_register, n, 0, 0, PREPARE_WINDOW))
        return gone();
    if (l->r.done == n)
        return DT_EXIT_GOOD;
    dt__bench_print(l, "register", false);
    fprintf(stderr, "dualtone bench: the users could not be registered at %.*s\n",
            DT_FMT(l->o->target));
    return DT_EXIT_FAILED;
}

static int measure(struct bench_load *l, const struct bench_flow *flow)
{
    const struct bench_options *o = l->o;
    uint64_t count = (uint64_t)o->count;
    int64_t most = o->users * o->contacts, window = o->window;
    if (flow == &dt__bench_register) {
        window = window < most ? window : most; /* not one user twice at once */
        if (!o->refresh && (!count || count > (uint64_t)most))
            count = (uint64_t)most;
    }
    return dt__bench_trial(l, flow, count, count ? 0 : o->duration, o->rate, window) ? gone()
                                                                                     : DT_EXIT_GOOD;
}

/* Doubles until something is lost or sent again, then halves the distance. What is left in l->r is
 * the last trial; the rate is printed. */
static int search(struct bench_load *l, const struct bench_flow *flow, bool json)
{
    int64_t good = 0, bad = 0, rate = SEARCH_FROM;
    while (!bad || bad - good > (good + bad) / 2 / SEARCH_PART) {
        if (dt__bench_trial(l, flow, 0, SEARCH_MS * DT_MS, rate, 0))
            return gone();
        bool clean = dt__bench_clean(&l->r);
        if (!json)
            printf("%lld a second: %s\n", (long long)rate, clean ? "all well" : "not all");
        *(clean ? &good : &bad) = rate;
        rate = bad ? (good + bad) / 2 : rate * 2;
        if (rate < 10 || rate > 1000000)
            break;
    }
    if (json)
        printf("{\"highest\": %lld}\n", (long long)good);
    else
        printf("%s: %lld a second without loss\n", flow->name, (long long)good);
    return good ? DT_EXIT_GOOD : DT_EXIT_FAILED;
}

static int run_load(struct bench_load *l, const struct bench_flow *flow,
                    const struct bench_values *v)
{
    int code = DT_EXIT_GOOD;
    if (!v->registered && !v->direct && (flow == &dt__bench_calls || v->refresh))
        code = prepare(l);
    if (code == DT_EXIT_GOOD && v->search)
        return search(l, flow, v->json);
    if (code == DT_EXIT_GOOD)
        code = measure(l, flow);
    if (code != DT_EXIT_GOOD)
        return code;
    dt__bench_print(l, flow->name, v->json);
    return l->r.done == l->r.started && !l->r.held ? DT_EXIT_GOOD : DT_EXIT_FAILED;
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    const struct bench_values *v = line->options;
    const struct bench_flow *flow = find(&line->args);
    struct bench_options o;
    struct bench_load l = {0};
    (void)c;
    if (!flow)
        return wrong("say calls, register or options; \"dualtone bench --help\" tells more");
    int code = take(&o, v, flow);
    if (code != DT_EXIT_GOOD)
        return code;
    code = dt__bench_open(&l, &o);
    if (code == DT_EXIT_GOOD)
        code = run_load(&l, flow, v);
    dt__bench_close(&l);
    return code;
}

#define AT(field_) .name = #field_, .offset = offsetof(struct bench_values, field_)
#define TEXT(field_, preset_, help_) \
    { \
        AT(field_), .type = DT_OPTION_TEXT, .preset = (preset_), .help = (help_) \
    }
#define NUMBER(field_, preset_, min_, max_, unit_, help_) \
    { \
        AT(field_), .type = DT_OPTION_NUMBER, .preset = (preset_), .min = (min_), .max = (max_), \
                    .unit = (unit_), .help = (help_) \
    }
#define SWITCH(field_, help_) \
    { \
        AT(field_), .type = DT_OPTION_SWITCH, .preset = "0", .help = (help_) \
    }

static const struct dt_option options[] = {
    TEXT(target, NULL, "ADDRESS:PORT of the proxy, by UDP"),
    TEXT(domain, "localhost", "its domain"),
    TEXT(local, NULL, "the address here; empty: the one that leads to the target"),
    NUMBER(port, "0", 0, 65534, NULL,
           "port of the calling end, the called end has the next one; 0: any two"),
    NUMBER(rate, "0", 0, 1000000, NULL,
           "begin so many a second whatever happens; 0: keep --window under way"),
    NUMBER(window, "64", 1, BENCH_SLOTS, NULL, "under way at once when there is no --rate"),
    SWITCH(search, "find the highest rate at which nothing is lost or sent again"),
    NUMBER(duration, "5", 1, 86400, "s", "begin new ones for so long"),
    NUMBER(count, "0", 0, 1000000000, NULL, "begin so many, in place of --duration"),
    NUMBER(users, "1000", 1, 1000000, NULL, "users that are called or registered, in turn"),
    NUMBER(contacts, "1", 1, 60, NULL, "bindings of each user"),
    SWITCH(registered, "the users are registered already"),
    SWITCH(digest, "register with a digest: each is two transactions"),
    TEXT(password, "secret", "of each user"),
    SWITCH(refresh, "register anew what is registered; else each binding is new, once"),
    NUMBER(ring, "0", 0, 3600000, "ms", "the called end rings so long"),
    NUMBER(hold, "0", 0, 3600000, "ms", "a call is talked so long"),
    NUMBER(patience, "8", 1, 3600, "s", "what takes longer is lost"),
    {AT(account), .type = DT_OPTION_LIST,
     .help = "process ids whose processor time and memory are told; more than once"},
    SWITCH(spin, "never sleep: delays without this program's own waking up"),
    SWITCH(direct,
           "no proxy between: both ends talk to each other, which is to be taken from delays"),
    SWITCH(json, "one line of JSON, for programs"),
};

const struct dt_command dt_cmd_bench = {
    .name = "bench",
    .arguments = "calls|register|options [OPTION ...]",
    .summary = "loads a proxy and measures it",
    .details =
        "Both ends of each call are in this program, over two sockets: INVITE, 180, 200, "
        "ACK, BYE, 200. The users\nare 0000000, 0000001 and so on; calls registers them "
        "first. Exit code 1: not all were done.\n\n"
        "Example: dualtone bench calls --target 127.0.0.1:5060 --rate 2000 --account $(pidof "
        "dualtone)",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .target_size = sizeof(struct bench_values),
    .run = run,
};
