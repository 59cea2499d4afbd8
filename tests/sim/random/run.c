/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"

#include <stdio.h>
#include <string.h>

enum { SHRINKS_MAX = 60, TWICE = 16 /* so many seeds apart */ };

static void choose(struct world *w, const struct choice_of_faults *faults)
{
    for (size_t i = 0; i < w->n_faults; i++)
        w->faults[i].off = !faults->all && !faults->wanted[i];
}

static void play(struct world *w)
{
    dt_time end = w->zero + w->busy;
    people_begin(w);
    while (world_now(w) < end && !w->failed) {
        dt_time next = dt_time_min(faults_tick(w), people_tick(w));
        world_run(w, dt_time_min(next, end));
    }
}

/* The record's digest goes to `digest`. */
static bool run_once(uint64_t seed, const struct choice_of_faults *faults, struct tally *t,
                     bool draw, char reason[REASON_SIZE], uint64_t *digest)
{
    static struct world w;
    cover_into(&t->cover);
    if (world_open(&w, seed, t)) {
        choose(&w, faults);
        play(&w);
        if (!w.failed)
            verdict(&w);
    }
    if (draw)
        draw_world(&w);
    *digest = dt_record_digest(&w.record);
    world_close(&w);
    memcpy(reason, w.reason, REASON_SIZE);
    return !w.failed;
}

bool run_world(uint64_t seed, const struct choice_of_faults *faults, struct tally *t, bool draw,
               char reason[REASON_SIZE])
{
    static struct tally ignored;
    uint64_t digest, again;
    bool good = run_once(seed, faults, t, draw, reason, &digest);
    if (good && seed % TWICE == 0 &&
        (!run_once(seed, faults, &ignored, false, reason, &again) || again != digest)) {
        good = false;
        snprintf(reason, REASON_SIZE, "I40: the second run is not as the first");
    }
    t->worlds++;
    t->failed += !good;
    return good;
}

/* ---- shrinking ---- */

/* The numbers of an invariant or the first word: what makes it the same failure. */
static struct dt_str kind_of(const char *reason)
{
    struct dt_str s = dt_str_z(reason);
    return dt_str_sub(s, 0, dt_str_find(s, ':'));
}

static bool still_fails(uint64_t seed, const struct choice_of_faults *faults,
                        char reason[REASON_SIZE])
{
    static struct tally ignored;
    char now[REASON_SIZE];
    if (run_world(seed, faults, &ignored, false, now) || !dt_str_eq(kind_of(now), kind_of(reason)))
        return false;
    memcpy(reason, now, sizeof now);
    return true;
}

static size_t list(const struct choice_of_faults *faults, size_t out[FAULTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < FAULTS_MAX; i++)
        if (faults->wanted[i])
            out[n++] = i;
    return n;
}

unsigned run_shrink(uint64_t seed, struct choice_of_faults *faults, char reason[REASON_SIZE])
{
    static size_t wanted[FAULTS_MAX];
    unsigned runs = 0;
    size_t n = list(faults, wanted);
    for (size_t part = (n + 1) / 2; part > 0 && n > 0;) {
        bool less = false;
        for (size_t from = 0; from < n && runs < SHRINKS_MAX; from += part) {
            struct choice_of_faults fewer = *faults;
            for (size_t i = from; i < n && i < from + part; i++)
                fewer.wanted[wanted[i]] = false;
            runs++;
            if (!still_fails(seed, &fewer, reason))
                continue;
            *faults = fewer;
            less = true;
        }
        n = list(faults, wanted);
        if (runs == SHRINKS_MAX || (part == 1 && !less))
            break;
        part = part == 1 ? 1 : (part + 1) / 2;
        part = part > n ? n : part;
    }
    return runs;
}

static void tell_parties(const struct world *w)
{
    printf("  %s%s%s;", w->pair ? "pair" : "one proxy", w->auth ? ", authentication" : "",
           w->dns ? ", names" : "");
    for (int i = w->n_proxies; i < w->n_parties; i++) {
        const struct party *p = &w->parties[i];
        printf(" %s%s%s%s%s%s", p->name, w->flow.parties[i].plain ? "(not ours)" : "",
               p->fast ? "" : "(guide)", p->tcp ? "(tcp)" : "", p->named ? "(by name)" : "",
               p->shared ? "(2001)" : "");
    }
    printf("\n");
}

void run_tell_faults(uint64_t seed, const struct choice_of_faults *faults)
{
    static struct world w;
    static struct tally ignored;
    char text[128];
    (void)world_open(&w, seed, &ignored);
    tell_parties(&w);
    for (size_t i = 0; i < w.n_faults; i++)
        if (faults->all || faults->wanted[i]) {
            fault_write(&w, i, text, sizeof text);
            printf("  %s\n", text);
        }
    world_close(&w);
}
