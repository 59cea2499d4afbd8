/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs the survival matrix, and prints a table for each kind of phones. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOSS = 50, LOSSES = 2 };

struct options {
    const char *cell;
    uint64_t from, seeds;
    int jobs, loss; /* loss -1: without, and with LOSS */
    bool verbose;
};

/* Of one cell; shared between the processes, each of which writes its own cells. */
struct tally {
    unsigned runs, failed, lost;
    dt_time worst, bound;
};

static void usage(void)
{
    fputs(
        "usage: test_survival [--cell TEXT] [--from SEED] [--seeds N] [--loss PER_MILLE]\n"
        "                     [--jobs N] [--verbose]\n"
        "A cell is named KIND/PHASE/FAULT/TRANSPORT/open|407/one|three; TEXT is a part of it, or\n"
        "several with * between. Without --loss each seed runs with none and with 50. --verbose\n"
        "draws the ladder of what failed.\n",
        stderr);
    exit(2);
}

static struct options parse(int argc, char **argv)
{
    struct options o = {.cell = "", .from = 1, .seeds = 1, .jobs = 2, .loss = -1};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--verbose") == 0) {
            o.verbose = true;
            continue;
        }
        if (++i == argc)
            usage();
        if (strcmp(name, "--cell") == 0)
            o.cell = argv[i];
        else if (strcmp(name, "--from") == 0)
            o.from = strtoull(argv[i], NULL, 10);
        else if (strcmp(name, "--seeds") == 0)
            o.seeds = strtoull(argv[i], NULL, 10);
        else if (strcmp(name, "--loss") == 0)
            o.loss = atoi(argv[i]);
        else if (strcmp(name, "--jobs") == 0)
            o.jobs = atoi(argv[i]);
        else
            usage();
    }
    return o;
}

/* Are all parts of `pattern`, between its stars, in `name`, one behind the other? */
static bool is_wanted(const char *pattern, const char *name)
{
    struct dt_reader r = dt_reader(dt_str_z(pattern));
    struct dt_str rest = dt_str_z(name);
    while (!dt_reader_end(&r)) {
        struct dt_str part = dt_reader_until(&r, '*');
        size_t at = dt_str_search(rest, part);
        if (part.n > 0 && at == rest.n)
            return false;
        rest = dt_str_sub(rest, at + part.n, rest.n);
        dt_reader_char(&r, '*');
    }
    return true;
}

/* ---- runs ---- */

static void tell_failure(const struct stage *s)
{
    char name[CELL_NAME];
    cell_name(s->cell, name);
    printf("FAIL %s: %s   [--cell %s --from %llu --seeds 1 --loss %u --verbose]\n", name, s->reason,
           name, (unsigned long long)s->seed, s->loss);
}

static void run_one(const struct options *o, const struct cell *c, uint64_t seed, unsigned loss,
                    struct tally *t)
{
    static struct stage s;
    if (stage_open(&s, c, seed, loss)) {
        people_play(&s);
        verdict(&s);
    }
    if (o->verbose && (s.failed || o->seeds == 1))
        stage_draw(&s);
    stage_close(&s);
    t->runs++;
    t->lost += s.lost;
    t->failed += s.failed;
    if (s.worst_bound && s.worst > t->worst) {
        t->worst = s.worst;
        t->bound = s.worst_bound;
    }
    if (s.failed)
        tell_failure(&s);
    fflush(stdout);
}

static void run_cell(const struct options *o, const struct cell *c, struct tally *t)
{
    for (uint64_t i = 0; i < o->seeds; i++) {
        if (o->loss >= 0) {
            run_one(o, c, o->from + i, (unsigned)o->loss, t);
            continue;
        }
        run_one(o, c, o->from + i, 0, t);
        run_one(o, c, o->from + i, LOSS, t);
    }
}

static void run_share(const struct options *o, int job, struct tally *tallies)
{
    char name[CELL_NAME];
    size_t wanted = 0;
    for (size_t i = 0; i < cell_count(); i++) {
        struct cell c = cell_at(i);
        cell_name(&c, name);
        if (is_wanted(o->cell, name) && (int)(wanted++ % (size_t)o->jobs) == job)
            run_cell(o, &c, &tallies[i]);
    }
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
            run_share(o, job, tallies);
            _exit(0);
        }
    }
    for (int status, n = 0; n < o->jobs; n++)
        good = wait(&status) > 0 && status == 0 && good;
    return good;
}

/* ---- tables ---- */

static void add(struct tally *sum, const struct tally *t)
{
    sum->runs += t->runs;
    sum->failed += t->failed;
    sum->lost += t->lost;
    if (t->bound && t->worst > sum->worst) {
        sum->worst = t->worst;
        sum->bound = t->bound;
    }
}

static struct tally sum_of(const struct tally *tallies, int kind, int phase, int fault)
{
    struct tally sum = {0};
    for (size_t i = 0; i < cell_count(); i++) {
        struct cell c = cell_at(i);
        if ((kind < 0 || (int)c.kind == kind) && (phase < 0 || (int)c.phase == phase) &&
            (fault < 0 || (int)c.fault == fault))
            add(&sum, &tallies[i]);
    }
    return sum;
}

/* "3/8 1.52": failed of runs, the worst time in seconds that a bound was set for. */
static void print_tally(const struct tally *t)
{
    char text[32] = "-";
    if (t->runs > 0 && t->bound)
        snprintf(text, sizeof text, "%u/%u %.2f", t->failed, t->runs,
                 (double)t->worst / (double)DT_SECOND);
    else if (t->runs > 0)
        snprintf(text, sizeof text, "%u/%u", t->failed, t->runs);
    printf(" %12s", text);
}

static void print_kind(const struct tally *tallies, int kind)
{
    struct tally all = sum_of(tallies, kind, -1, -1);
    if (all.runs == 0)
        return;
    printf("\n%-14s", kind_name((enum kind)kind));
    for (int f = 0; f < N_FAULTS; f++)
        printf(" %12s", fault_name((enum fault)f));
    for (int p = 0; p < N_PHASES; p++) {
        if (sum_of(tallies, kind, p, -1).runs == 0)
            continue;
        printf("\n%-14s", phase_name((enum phase)p));
        for (int f = 0; f < N_FAULTS; f++) {
            struct tally t = sum_of(tallies, kind, p, f);
            print_tally(&t);
        }
    }
    printf("\n%u runs, %u failed, %u calls lost where the table allows it\n", all.runs, all.failed,
           all.lost);
}

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    size_t size = cell_count() * sizeof(struct tally);
    struct tally *tallies =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tallies == MAP_FAILED || o.jobs < 1)
        usage();
    bool good = run_all(&o, tallies);
    for (int k = 0; k < N_KINDS; k++)
        print_kind(tallies, k);
    struct tally all = sum_of(tallies, -1, -1, -1);
    printf("\n%u runs, %u failed%s\n", all.runs, all.failed, good ? "" : "; a process died");
    return good && all.runs > 0 && all.failed == 0 ? 0 : 1;
}
