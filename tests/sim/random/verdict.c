/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quiescence: the faults end, the people hang up, and then nothing may be left: no call, no
 * transaction, no binding, no memory. */
#include "world.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    SETTLE_S = 40, /* what was begun comes to its end: 64 T1 and more */
    HANG_UPS = 4,  /* a call that was just coming, or being held, is hung up the next time */
    END_S = 75,    /* 2 x 64 T1 + 10 s (reliability.md 3.7) */
    QUIET_S = 50,  /* within which objects must be as few as before */
    QUIT_S = 60,
    STEP_S = 300,
    COUNTS_SIZE = 8192
};

/* ---- calls (I12) ---- */

static void judge_calls(struct world *w)
{
    static const char *const names[CALL_STATES] = {
        "none", "calling", "ringing", "answering", "talking", "holding", "held", "ending", "ended"};
    for (int i = 0; i < HANG_UPS && !w->failed; i++) {
        people_hang_up(w);
        world_run(w, world_now(w) + END_S * DT_SECOND);
    }
    for (int i = w->n_proxies; i < w->n_parties; i++)
        for (int k = 1; k <= CALLS_MAX && !w->parties[i].unsure; k++)
            if (w->parties[i].calls[k].state != NO_CALL && w->parties[i].calls[k].state != ENDED)
                world_fail(w, "I12: call %d of %s with %s does not end: %s", k, w->parties[i].name,
                           w->parties[i].calls[k].peer, names[w->parties[i].calls[k].state]);
}

/* ---- proxies (I24) ---- */

/* The value of a line "name value". */
static uint64_t count_of(struct dt_str text, const char *name)
{
    struct dt_reader r = dt_reader(text);
    uint64_t value = 0;
    while (!dt_reader_end(&r)) {
        struct dt_str line = dt_reader_until(&r, '\n');
        dt_reader_char(&r, '\n');
        size_t at = dt_str_find(line, ' ');
        if (dt_str_eq(dt_str_sub(line, 0, at), dt_str_z(name)))
            (void)dt_str_u64(dt_str_sub(line, at + 1, line.n), UINT64_MAX, &value);
    }
    return value;
}

uint64_t world_count(const struct party *p, const char *name)
{
    char text[COUNTS_SIZE];
    struct dt_writer out = dt_writer(text, sizeof text);
    dt_proxy_counts(p->proxy_node, &out);
    return count_of(dt_writer_str(&out), name);
}

static void judge_counts(struct world *w)
{
    for (int i = 0; i < w->n_proxies; i++) {
        const struct party *p = &w->parties[i];
        uint64_t in = world_count(p, "in"), forwarded = world_count(p, "forwarded"),
                 answered = world_count(p, "answered"), dropped = world_count(p, "dropped");
        w->tally->refused += world_count(p, "stack.refused_limit");
        if (in != forwarded + answered + dropped)
            world_fail(w, "I24: %s got %llu, forwarded %llu, answered %llu, dropped %llu", p->name,
                       (unsigned long long)in, (unsigned long long)forwarded,
                       (unsigned long long)answered, (unsigned long long)dropped);
    }
}

/* ---- bindings (I25) ---- */

/* A proxy that holds any, or NULL. */
static const struct party *bindings_left(const struct world *w)
{
    for (int i = 0; i < w->n_proxies; i++)
        if (!w->parties[i].gone && world_count(&w->parties[i], "location.bindings"))
            return &w->parties[i];
    return NULL;
}

static void quit_all(struct world *w)
{
    int longest = 0;
    for (int i = w->n_proxies; i < w->n_parties; i++) {
        people_type(&w->parties[i], "quit");
        longest = w->parties[i].expires > longest ? w->parties[i].expires : longest;
    }
    world_run(w, world_now(w) + QUIT_S * DT_SECOND);
    for (int i = w->n_proxies; i < w->n_parties; i++)
        if (!w->parties[i].quit)
            world_fail(w, "%s does not quit", w->parties[i].name);
    world_run(w, world_now(w) + (longest + 2) * DT_SECOND);
    if (w->looped)
        world_run(w, (LOOPED_FOR_S + 2) * DT_SECOND);
    dt_time until = world_now(w) + faults_jumped(w);
    while (bindings_left(w) && world_now(w) < until && !w->failed)
        world_run(w, world_now(w) + STEP_S * DT_SECOND);
}

/* ---- the bindings of a pair (I26) ---- */

enum {
    BINDINGS_MAX = 256,
    SAME_S = 60,
    FIELDS_KEPT = 7, /* "binding", five texts, CSeq */
    CLOCKS_S = 60
};

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* A key for each line of its snapshot, without when and where it was bound; in order. */
static size_t bindings_of(struct party *p, uint64_t keys[BINDINGS_MAX])
{
    static const uint64_t key[2] = {0, 0};
    size_t n = 0;
    party_keep_store(p);
    struct dt_reader r = dt_reader(p->kept ? dt_bytes_str(p->kept) : DT_STR_NONE);
    while (!dt_reader_end(&r) && n < BINDINGS_MAX) {
        struct dt_str line = dt_reader_until(&r, '\n');
        size_t at = 0;
        dt_reader_char(&r, '\n');
        for (int i = 0; i < FIELDS_KEPT; i++)
            at += dt_str_find(dt_str_sub(line, at, line.n), ' ') + 1;
        if (dt_str_starts(line, DT_STR("binding ")))
            keys[n++] = dt_siphash(key, dt_str_sub(line, 0, at));
    }
    qsort(keys, n, sizeof *keys, by_value);
    return n;
}

static bool pair_agrees(struct world *w, size_t n[2])
{
    static uint64_t keys[2][BINDINGS_MAX];
    for (int i = 0; i < 2; i++)
        n[i] = bindings_of(&w->parties[i], keys[i]);
    return n[0] == n[1] && !memcmp(keys[0], keys[1], n[0] * sizeof keys[0][0]);
}

/* The clocks of a pair may differ by a minute (docs/survival.md); what a node with a worse one read
 * from its file, or was sent, may be over there sooner. */
static bool clocks_agree(const struct world *w)
{
    for (size_t i = 0; i < w->n_faults; i++)
        if (w->faults[i].kind == FAULT_WALL && !w->faults[i].off &&
            abs(w->faults[i].amount) > CLOCKS_S)
            return false;
    return true;
}

static void judge_pair(struct world *w)
{
    size_t n[2];
    dt_time until = world_now(w) + SAME_S * DT_SECOND;
    if (!w->pair || w->parties[0].gone || !clocks_agree(w))
        return;
    while (!pair_agrees(w, n)) {
        if (world_now(w) >= until) {
            world_fail(w, "I26: P and S do not have the same bindings: %zu and %zu", n[0], n[1]);
            return;
        }
        world_run(w, world_now(w) + DT_SECOND);
    }
}

static void judge_bindings(struct world *w)
{
    const struct party *p = bindings_left(w);
    if (p)
        world_fail(w, "I25: %s holds %llu bindings after their time", p->name,
                   (unsigned long long)world_count(p, "location.bindings"));
}

/* ---- all of it ---- */

/* Whose objects they are: "P 2, A 1". */
static void write_owners(const struct world *w, char *out, size_t size)
{
    struct dt_writer o = dt_writer(out, size - 1);
    for (int i = 0; i < w->n_parties; i++) {
        unsigned n = party_objects(&w->parties[i]);
        if (n > 0)
            dt_writef(&o, "%s%s %u", o.n ? ", " : "", w->parties[i].name, n);
    }
    out[o.n] = '\0';
}

/* Without phones nothing goes on but what the proxies have with each other. */
static void judge_objects(struct world *w)
{
    char owners[128];
    unsigned left = world_fewest_objects(w, world_now(w) + QUIET_S * DT_SECOND);
    write_owners(w, owners, sizeof owners);
    if (left > w->baseline)
        world_fail(w, "I36: %u objects before there were phones, %u now (%s)", w->baseline, left,
                   owners);
}

static void judge_record(struct world *w)
{
    char reason[256];
    if (dt__flow_invariants(&w->flow, &w->record, 0, reason, sizeof reason))
        world_fail(w, "%s", reason);
}

void verdict(struct world *w)
{
    static void (*const parts[])(struct world *) = {judge_calls,   judge_pair,   quit_all,
                                                    judge_objects, judge_counts, judge_bindings,
                                                    judge_record};
    w->healed = true;
    faults_heal(w);
    world_run(w, world_now(w) + SETTLE_S * DT_SECOND);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !w->failed; i++)
        parts[i](w);
}
