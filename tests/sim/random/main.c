/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs random worlds over a range of seeds, and says what happened in them. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_SIZE = 200, SHRUNK_MAX = 3 /* the others are only told */ };

struct options {
    uint64_t from, seeds;
    int jobs;
    bool verbose, keep;
    bool full;        /* it must be as much as a release needs */
    const char *list; /* a file of seeds */
    const char *open; /* a file of those that are known to fail */
    struct choice_of_faults faults;
};

static void usage(void)
{
    fputs(
        "usage: test_random [--from SEED] [--seeds N] [--list FILE] [--jobs N] [--verbose]\n"
        "                   [--faults none|N,N,...] [--keep-going] [--open FILE] [--full]\n"
        "Each seed is a world. --list plays the seeds of a file, too. --faults plays a world with\n"
        "these of its faults only. What fails is played again with ever fewer faults; --verbose\n"
        "draws its ladder. Without --keep-going ten failures are enough. --full wants 200 hours,\n"
        "2x10^5 calls and 10^5 faults. --judged\n"
        "tells by what worlds are judged.\n",
        stderr);
    exit(2);
}

static void parse_faults(struct options *o, const char *text)
{
    struct dt_reader r = dt_reader(dt_str_z(text));
    uint64_t number;
    o->faults.all = false;
    if (strcmp(text, "none") == 0)
        return;
    while (!dt_reader_end(&r)) {
        if (dt_str_u64(dt_reader_until(&r, ','), FAULTS_MAX - 1, &number))
            usage();
        o->faults.wanted[number] = true;
        dt_reader_char(&r, ',');
    }
}

static struct options parse(int argc, char **argv)
{
    struct options o = {.from = 1, .seeds = 1, .jobs = 2, .faults.all = true};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--judged") == 0) {
            judged_print();
            exit(0);
        }
        if (strcmp(name, "--verbose") == 0 || strcmp(name, "--keep-going") == 0 ||
            strcmp(name, "--full") == 0) {
            *(name[2] == 'v' ? &o.verbose : name[2] == 'k' ? &o.keep : &o.full) = true;
            continue;
        }
        if (++i == argc)
            usage();
        if (strcmp(name, "--from") == 0)
            o.from = strtoull(argv[i], NULL, 10);
        else if (strcmp(name, "--seeds") == 0)
            o.seeds = strtoull(argv[i], NULL, 10);
        else if (strcmp(name, "--jobs") == 0)
            o.jobs = atoi(argv[i]);
        else if (strcmp(name, "--list") == 0)
            o.list = argv[i];
        else if (strcmp(name, "--open") == 0)
            o.open = argv[i];
        else if (strcmp(name, "--faults") == 0)
            parse_faults(&o, argv[i]);
        else
            usage();
    }
    return o;
}

/* ---- runs ---- */

static void print_numbers(const struct choice_of_faults *faults)
{
    const char *between = "";
    for (size_t i = 0; i < FAULTS_MAX; i++)
        if (faults->wanted[i]) {
            printf("%s%zu", between, i);
            between = ",";
        }
    printf("%s", *between ? "" : "none");
}

static void tell_failure(const struct options *o, uint64_t seed, char reason[REASON_SIZE])
{
    static struct tally ignored;
    static unsigned shrunk; /* of this process */
    struct choice_of_faults few = o->faults;
    printf("FAIL seed %llu: %s\n", (unsigned long long)seed, reason);
    fflush(stdout);
    if (++shrunk > SHRUNK_MAX) {
        printf("again: test_random --from %llu --seeds 1\n", (unsigned long long)seed);
        return;
    }
    if (few.all)
        memset(few.wanted, true, sizeof few.wanted);
    few.all = false;
    unsigned runs = run_shrink(seed, &few, reason);
    printf("seed %llu, after %u runs with fewer faults: %s\n", (unsigned long long)seed, runs,
           reason);
    run_tell_faults(seed, &few);
    printf("again: test_random --from %llu --seeds 1 --verbose --faults ",
           (unsigned long long)seed);
    static struct world w; /* only numbers that there are */
    (void)world_open(&w, seed, &ignored);
    for (size_t i = w.n_faults; i < FAULTS_MAX; i++)
        few.wanted[i] = false;
    world_close(&w);
    print_numbers(&few);
    printf("\n");
    if (o->verbose)
        (void)run_world(seed, &few, &ignored, true, reason);
    fflush(stdout);
}

/* The line of a file of seeds that begins with this one; false: there is none. */
static bool find_line(const char *file, uint64_t seed, char line[LINE_SIZE])
{
    FILE *f = file ? fopen(file, "r") : NULL;
    bool found = false;
    while (f && !found && fgets(line, LINE_SIZE, f))
        found = dt_is_digit(line[0]) && strtoull(line, NULL, 10) == seed;
    if (f)
        fclose(f);
    return found;
}

static void run_seed(const struct options *o, uint64_t seed, struct tally *t)
{
    char reason[REASON_SIZE], line[LINE_SIZE];
    bool draw = o->verbose && o->seeds == 1 && !o->faults.all;
    bool good = run_world(seed, &o->faults, t, draw, reason);
    if (draw) {
        printf("%s\n", good ? "nothing is wrong" : reason);
    } else if (find_line(o->open, seed, line)) {
        t->failed -= !good;
        t->open += !good;
        printf("%s %s", good ? "open, but nothing is wrong:" : "still open:", line);
    } else if (!good) {
        tell_failure(o, seed, reason);
    }
    fflush(stdout);
}

static void run_share(const struct options *o, int job, struct tally *t)
{
    for (uint64_t i = (uint64_t)job; i < o->seeds; i += (uint64_t)o->jobs)
        if (o->keep || t->failed < 5)
            run_seed(o, o->from + i, t);
}

static void run_list(const struct options *o, struct tally *t)
{
    char line[LINE_SIZE];
    FILE *f = fopen(o->list, "r");
    if (!f)
        usage();
    while (fgets(line, sizeof line, f))
        if (dt_is_digit(line[0]))
            run_seed(o, strtoull(line, NULL, 10), t);
    fclose(f);
}

static bool run_all(const struct options *o, struct tally *tallies)
{
    bool good = true;
    fflush(stdout);
    for (int job = 0; job < o->jobs; job++) {
        pid_t pid = fork();
        if (pid < 0)
            return false;
        if (pid == 0) {
            run_share(o, job, &tallies[job]);
            _exit(0);
        }
    }
    for (int status, n = 0; n < o->jobs; n++)
        good = wait(&status) > 0 && status == 0 && good;
    return good;
}

/* ---- the report ---- */

static void add(struct tally *sum, const struct tally *t)
{
    sum->worlds += t->worlds;
    sum->failed += t->failed;
    sum->open += t->open;
    sum->calls += t->calls;
    sum->talked += t->talked;
    sum->rings += t->rings;
    sum->virtual_time += t->virtual_time;
    sum->messages += t->messages;
    sum->lost += t->lost;
    sum->unheard += t->unheard;
    sum->media_worlds += t->media_worlds;
    sum->streams += t->streams;
    sum->even_streams += t->even_streams;
    sum->frames_sent += t->frames_sent;
    sum->frames_heard += t->frames_heard;
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        sum->faults[i] += t->faults[i];
    for (int i = 0; i < DEED_COUNT; i++)
        sum->deeds[i] += t->deeds[i];
    cover_add(&sum->cover, &t->cover);
    sum->narrow_worlds += t->narrow_worlds;
    sum->refused += t->refused;
    sum->looped_worlds += t->looped_worlds;
    sum->loops += t->loops;
    sum->loops_found += t->loops_found;
    if (t->worst_turns > sum->worst_turns)
        sum->worst_turns = t->worst_turns;
    if (t->worst_forwarded > sum->worst_forwarded)
        sum->worst_forwarded = t->worst_forwarded;
}

static uint64_t fired(const struct tally *t)
{
    uint64_t n = 0;
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        n += t->faults[i];
    return n;
}

static bool is_full(const struct tally *t)
{
    enum { HOURS = 200, CALLS = 200000, FIRED = 100000 };
    bool full = t->virtual_time >= (dt_time)HOURS * 3600 * DT_SECOND && t->calls >= CALLS &&
                fired(t) >= FIRED;
    if (!full)
        printf("too little: %d hours, %d calls and %d faults are wanted\n", HOURS, CALLS, FIRED);
    return full;
}

static void report(const struct tally *t, bool verbose)
{
    static const char *const deeds[] = {
#define X(id, name) name,
        DEEDS(X)
#undef X
    };
    printf("%llu worlds, %.1f virtual hours, %llu calls (%llu rang, %llu were talked on)\n",
           (unsigned long long)t->worlds, (double)t->virtual_time / 3600.0 / (double)DT_SECOND,
           (unsigned long long)t->calls, (unsigned long long)t->rings,
           (unsigned long long)t->talked);
    printf("%llu messages, %llu lost, %llu unheard\n", (unsigned long long)t->messages,
           (unsigned long long)t->lost, (unsigned long long)t->unheard);
    printf("%llu worlds with media: %llu streams counted (%llu of them even), %llu frames sent, "
           "%llu heard\n",
           (unsigned long long)t->media_worlds, (unsigned long long)t->streams,
           (unsigned long long)t->even_streams, (unsigned long long)t->frames_sent,
           (unsigned long long)t->frames_heard);
    printf("%llu worlds with narrow proxies: %llu requests refused at the cap\n",
           (unsigned long long)t->narrow_worlds, (unsigned long long)t->refused);
    printf("%llu worlds with bindings that lead back: %llu calls to them, %llu of which ended by "
           "482 or 483, one forwarded at most %llu times\n",
           (unsigned long long)t->looped_worlds, (unsigned long long)t->loops,
           (unsigned long long)t->loops_found, (unsigned long long)t->worst_forwarded);
    printf("people:");
    for (int i = 0; i < DEED_COUNT; i++)
        printf(" %s %llu%s", deeds[i], (unsigned long long)t->deeds[i],
               i + 1 < DEED_COUNT ? "," : "\n");
    printf("faults:");
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        printf(" %s %llu%s", fault_name((enum fault_kind)i), (unsigned long long)t->faults[i],
               i + 1 < FAULT_KIND_COUNT ? "," : "\n");
    cover_report(&t->cover, verbose);
    printf("%llu faults fired, %llu packets lost; %llu worlds failed\n",
           (unsigned long long)fired(t), (unsigned long long)t->lost,
           (unsigned long long)t->failed);
}

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    size_t size = (size_t)(o.jobs > 0 ? o.jobs : 1) * sizeof(struct tally);
    struct tally *tallies =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct tally sum = {0};
    if (tallies == MAP_FAILED || o.jobs < 1)
        usage();
    bool good = run_all(&o, tallies);
    if (o.list)
        run_list(&o, &sum);
    for (int i = 0; i < o.jobs; i++)
        add(&sum, &tallies[i]);
    report(&sum, o.verbose && o.seeds > 1);
    if (!good)
        printf("a process died\n");
    if (o.full)
        good = is_full(&sum) && good;
    return good && sum.worlds > 0 && sum.failed == 0 ? 0 : 1;
}
