/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is by chance: who is there, and which faults come when. Each seed has its own subset of the
 * kinds of faults, so that some meet undisturbed by others (reliability.md 3.5). */
#include "world.h"

#include <stdio.h>

enum {
    PHONES_MIN = 2,
    PAIR_PERCENT = 75,
    AUTH_PERCENT = 35,
    DNS_PERCENT = 20,
    KIND_PERCENT = 45, /* a kind of fault is in a world's set */
    CALM_PERCENT = 6,  /* a world without any */
    PAIR_CLOCK_S = 25,
    BOUNDS_ONE_IN = 32,
    NARROW = 9, /* of these */
    LOOPED = 21,
    CAP_MIN = 10,
    CAP_STEPS = 5,
    CAP_STEP = 6
};

/* Whom a kind strikes. */
enum victim { ALL_LINKS, ONE_LINK, ANY_NODE, A_PROXY, FIRST_OF_PAIR, A_PHONE_OR_PROXY, NAMES };

struct kind_row {
    const char *name;
    enum victim victim;
    int lasts_min, lasts_max; /* ms */
    int least, most;          /* amount */
};
static const struct kind_row kinds[FAULT_KIND_COUNT] = {
    [FAULT_LOSS] = {"loss", ALL_LINKS, 500, 15000, 20, 400},           /* per mille */
    [FAULT_DUPLICATE] = {"duplicate", ALL_LINKS, 500, 20000, 50, 500}, /* per mille */
    [FAULT_REORDER] = {"reorder", ALL_LINKS, 500, 20000, 50, 500},     /* per mille */
    [FAULT_DELAY] = {"delay", ALL_LINKS, 500, 15000, 20, 900},         /* ms */
    [FAULT_CUT] = {"cut", ONE_LINK, 100, 40000, 0, 0},
    [FAULT_CUT_ONE_WAY] = {"cut-one-way", ONE_LINK, 100, 40000, 0, 0},
    [FAULT_BLACKHOLE] = {"blackhole", ANY_NODE, 100, 30000, 0, 0},
    [FAULT_KILL] = {"kill", ANY_NODE, 100, 30000, 0, 0},
    [FAULT_SILENCE] = {"silence", ANY_NODE, 100, 30000, 0, 0},
    [FAULT_RESTART] = {"restart", ANY_NODE, 0, 0, 0, 0},
    [FAULT_HANG] = {"hang", ANY_NODE, 50, 20000, 0, 0},
    [FAULT_MOVE] = {"move", FIRST_OF_PAIR, 0, 0, 0, 0},
    [FAULT_WALL] = {"wall-jump", A_PROXY, 500, 90000, -3600, 3600},             /* s */
    [FAULT_RATE] = {"clock-rate", A_PHONE_OR_PROXY, 1000, 120000, -2000, 2000}, /* ppm */
    [FAULT_DNS_FAIL] = {"dns-fail", NAMES, 500, 60000, 0, 0},
    [FAULT_DNS_EMPTY] = {"dns-empty", NAMES, 500, 60000, 0, 0},
    [FAULT_DNS_ORDER] = {"dns-order", NAMES, 500, 60000, 0, 0},
    [FAULT_NOMEM] = {"allocation", ANY_NODE, 0, 0, 1, 60}, /* the n-th from then */
};

const char *fault_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

void fault_write(const struct world *w, size_t i, char *out, size_t size)
{
    const struct fault *f = &w->faults[i];
    struct dt_writer o = dt_writer(out, size - 1);
    dt_writef(&o, "%zu %s", i, kinds[f->kind].name);
    if (f->a >= 0)
        dt_writef(&o, " %s", w->parties[f->a].name);
    if (f->b >= 0)
        dt_writef(&o, "-%s", w->parties[f->b].name);
    if (f->amount)
        dt_writef(&o, " %d", f->amount);
    dt_writef(&o, " at %lld.%03d s", (long long)(f->at / DT_SECOND),
              (int)(f->at % DT_SECOND / DT_MS));
    if (f->lasts)
        dt_writef(&o, " for %lld.%03d s", (long long)(f->lasts / DT_SECOND),
                  (int)(f->lasts % DT_SECOND / DT_MS));
    out[o.n] = '\0';
}

/* ---- who is there ---- */

static void plan_proxy(struct world *w, int i)
{
    struct party *p = &w->parties[i];
    p->proxy = true;
    snprintf(p->name, sizeof p->name, "%c", i == 0 ? 'P' : 'S');
}

static void plan_lines(struct world *w, struct party *p, unsigned more, unsigned shared)
{
    int i = p->index - w->n_proxies;
    snprintf(p->numbers[p->n_lines++], sizeof p->numbers[0], "%d", 1001 + i);
    if (pick_chance(&w->rng, more))
        snprintf(p->numbers[p->n_lines++], sizeof p->numbers[0], "%d", 1101 + i);
    p->shared = pick_chance(&w->rng, shared);
    if (p->shared)
        snprintf(p->numbers[p->n_lines++], sizeof p->numbers[0], "2001");
}

/* What share of the phones is so, differs from world to world. */
struct shares {
    unsigned more, shared, fast, tcp, dnd, plain, named, short_lived;
};

static void plan_phone(struct world *w, int i, const struct shares *s)
{
    struct party *p = &w->parties[i];
    const uint64_t key[2] = {w->seed, (uint64_t)i};
    dt_rng_init(&p->rng, key);
    snprintf(p->name, sizeof p->name, "%c", 'A' + i - w->n_proxies);
    plan_lines(w, p, s->more, s->shared);
    p->fast = pick_chance(&w->rng, s->fast);
    p->tcp = pick_chance(&w->rng, s->tcp);
    p->dnd = pick_chance(&w->rng, s->dnd);
    p->named = w->dns && pick_chance(&w->rng, s->named);
    p->expires = (int)pick_between(&w->rng, 60, pick_chance(&w->rng, s->short_lived) ? 180 : 900);
    w->flow.parties[i].plain = !p->named && pick_chance(&w->rng, s->plain);
    p->fast = p->fast && !w->flow.parties[i].plain;
}

/* Bounds are met in few worlds, by the number of the seed, since most calls fail there. */
static void plan_bounds(struct world *w)
{
    if (w->seed % BOUNDS_ONE_IN == NARROW)
        w->cap = CAP_MIN + (unsigned)(w->seed / BOUNDS_ONE_IN % CAP_STEPS) * CAP_STEP;
    w->looped = w->seed % BOUNDS_ONE_IN == LOOPED;
    w->tally->narrow_worlds += w->cap > 0;
    w->tally->looped_worlds += w->looped;
}

void plan_world(struct world *w)
{
    struct dt_rng *r = &w->rng;
    plan_bounds(w);
    w->pair = pick_chance(r, PAIR_PERCENT);
    w->n_proxies = w->pair ? 2 : 1;
    w->n_parties = w->n_proxies + (int)pick_between(r, PHONES_MIN, PARTIES_MAX - w->n_proxies);
    w->auth = pick_chance(r, AUTH_PERCENT);
    w->dns = pick_chance(r, DNS_PERCENT);
    w->calm = (struct dt_sim_link){.delay = pick_between(r, 1, 40) * DT_MS};
    w->calm.jitter = pick_chance(r, 50) ? pick_between(r, 1, 20) * DT_MS : 0;
    w->busy = pick_between(r, 200, 700) * DT_SECOND;
    w->pace = pick_between(r, 800, 6000) * DT_MS;
    const struct shares s = {
        .more = (unsigned)pick_between(r, 0, 60),
        .shared = pick_chance(r, 40) ? 40 : 0,
        .fast = pick_chance(r, 70) ? 100 : 40,
        .tcp = pick_chance(r, 20) ? 50 : 0,
        .dnd = pick_chance(r, 30) ? 15 : 0,
        .plain = pick_chance(r, 25) ? 30 : 0,
        .named = 60,
        .short_lived = (unsigned)pick_between(r, 0, 100),
    };
    for (int i = 0; i < w->n_parties; i++) {
        w->parties[i].w = w;
        w->parties[i].index = i;
        if (i < w->n_proxies)
            plan_proxy(w, i);
        else
            plan_phone(w, i, &s);
    }
}

/* ---- what happens to them ---- */

static int a_party(struct world *w)
{
    /* A proxy as often as a phone: more hangs on it. */
    if (pick_chance(&w->rng, 50))
        return (int)dt_rng_below(&w->rng, (uint64_t)w->n_proxies);
    return (int)pick_between(&w->rng, w->n_proxies, w->n_parties - 1);
}

static void choose_victim(struct world *w, struct fault *f)
{
    f->a = f->b = -1;
    switch (kinds[f->kind].victim) {
    case ONE_LINK:
        f->a = (int)dt_rng_below(&w->rng, (uint64_t)w->n_proxies);
        do
            f->b = a_party(w);
        while (f->b == f->a);
        if (pick_chance(&w->rng, 50)) { /* which matters for one way */
            int a = f->a;
            f->a = f->b;
            f->b = a;
        }
        break;
    case ANY_NODE:
    case A_PHONE_OR_PROXY:
        f->a = a_party(w);
        break;
    case A_PROXY:
        f->a = (int)dt_rng_below(&w->rng, (uint64_t)w->n_proxies);
        break;
    case FIRST_OF_PAIR:
        f->a = 0;
        f->b = 1;
        break;
    case ALL_LINKS:
    case NAMES:
        break;
    }
}

static bool is_possible(const struct world *w, enum fault_kind kind)
{
    if (kinds[kind].victim == NAMES)
        return w->dns;
    return kind != FAULT_MOVE || w->pair;
}

static void plan_one(struct world *w, enum fault_kind kind, dt_time at)
{
    const struct kind_row *k = &kinds[kind];
    struct fault *f = &w->faults[w->n_faults++];
    *f = (struct fault){.kind = kind, .at = at};
    choose_victim(w, f);
    /* Short ones as often as long ones. */
    int64_t most =
        pick_chance(&w->rng, 50) ? k->lasts_min + (k->lasts_max - k->lasts_min) / 8 : k->lasts_max;
    f->lasts = pick_between(&w->rng, k->lasts_min, most) * DT_MS;
    f->amount = (int)pick_between(&w->rng, k->least, k->most);
    /* The clocks of a pair may differ by a minute, since nonces need that (docs/survival.md). */
    if (kind == FAULT_WALL && w->pair && w->auth)
        f->amount = f->amount * PAIR_CLOCK_S / k->most;
}

void plan_faults(struct world *w)
{
    enum fault_kind set[FAULT_KIND_COUNT];
    size_t n = 0;
    for (int k = 0; k < FAULT_KIND_COUNT; k++)
        if (is_possible(w, (enum fault_kind)k) && pick_chance(&w->rng, KIND_PERCENT))
            set[n++] = (enum fault_kind)k;
    if (n == 0 || pick_chance(&w->rng, CALM_PERCENT))
        return;
    dt_time gap = pick_between(&w->rng, 1000, 12000) * DT_MS;
    bool moved = false;
    for (dt_time at = 0; w->n_faults < FAULTS_MAX;) {
        at += 1 + (dt_time)dt_rng_below(&w->rng, (uint64_t)(2 * gap));
        enum fault_kind kind = set[dt_rng_below(&w->rng, n)];
        if (at >= w->busy)
            return;
        if (kind == FAULT_MOVE && moved)
            continue; /* the address goes once */
        moved = moved || kind == FAULT_MOVE;
        plan_one(w, kind, at);
    }
}
