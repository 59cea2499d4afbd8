/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The faults: how each begins and ends. */
#include "sound.h"

#include <stdlib.h>
#include <string.h>

/* Names as src/flow/invariants.c reads them: what makes a new node of a party, and what not. */
static void note(struct world *w, int party, const char *what)
{
    uint16_t who = party < 0 ? DT_RECORD_NOBODY : (uint16_t)party;
    (void)dt_record_note(&w->record, world_now(w), DT_REC_FAULT, who, dt_str_z(what));
}

static void clear_calls(struct party *p)
{
    memset(p->calls, 0, sizeof p->calls);
}

/* ---- links: what is in force is the sum of the faults that are on ---- */

static void worsen(struct dt_sim_link *l, const struct fault *f, int a, int b)
{
    unsigned amount = (unsigned)f->amount;
    bool one_way = f->kind == FAULT_CUT_ONE_WAY;
    if (f->kind == FAULT_LOSS && amount > l->loss)
        l->loss = amount;
    else if (f->kind == FAULT_DUPLICATE && amount > l->duplicate)
        l->duplicate = amount;
    else if (f->kind == FAULT_REORDER && amount > l->reorder)
        l->reorder = amount;
    else if (f->kind == FAULT_DELAY && f->amount * DT_MS > l->delay)
        l->delay = f->amount * DT_MS;
    else if ((f->kind == FAULT_CUT || one_way) &&
             ((a == f->a && b == f->b) || (!one_way && a == f->b && b == f->a)))
        l->cut = true;
}

/* What strikes all links strikes sound as well; the others lie at proxies, where it does not pass.
 */
static void set_sound_links(struct world *w)
{
    struct dt_sim_link *l = dt_sim_default_link(w->sim);
    *l = w->calm;
    for (size_t i = 0; i < w->n_faults; i++)
        if (w->faults[i].on)
            worsen(l, &w->faults[i], -1, -1);
}

static void set_links(struct world *w)
{
    set_sound_links(w);
    for (int a = 0; a < w->n_parties; a++)
        for (int b = 0; b < w->n_parties; b++) {
            struct dt_sim_link *l = dt_sim_link(w->sim, w->parties[a].node, w->parties[b].node);
            if (!l) {
                world_fail(w, "no memory");
                return;
            }
            *l = w->calm;
            for (size_t i = 0; i < w->n_faults; i++)
                if (w->faults[i].on)
                    worsen(l, &w->faults[i], a, b);
        }
}

static bool link_changes(struct world *w, struct fault *f)
{
    (void)f;
    set_links(w);
    return true;
}

/* ---- processes ---- */

static bool is_up(const struct party *p)
{
    return !p->down && !p->gone && dt_sim_is_up(p->node);
}

void party_keep_store(struct party *p)
{
    bool changed = false;
    struct dt_bytes *text = NULL;
    size_t fail_at = p->memory.fail_at;
    p->memory.fail_at = 0;
    if (p->proxy_node && !dt_proxy_snapshot(p->proxy_node, world_now(p->w), &changed, &text) &&
        changed) {
        dt_bytes_drop(p->kept);
        p->kept = text;
    }
    p->memory.fail_at = fail_at;
}

static bool begin_kill(struct world *w, struct fault *f)
{
    struct party *p = &w->parties[f->a];
    if (!is_up(p))
        return false;
    note(w, f->a, f->kind == FAULT_SILENCE ? "silence" : "kill");
    party_keep_store(p);
    dt_sim_silent(p->node, f->kind == FAULT_SILENCE);
    dt_sim_kill(w->sim, p->node);
    sound_kill(p);
    world_free_node(p);
    clear_calls(p);
    p->down = f;
    p->struck = true;
    return true;
}

void party_read_store(struct party *p)
{
    unsigned bad = 0;
    if (p->kept && (dt_proxy_restore(p->proxy_node, party_time(p, world_now(p->w)),
                                     dt_bytes_str(p->kept), &bad) ||
                    bad))
        world_fail(p->w, "I27: %s could not read what it had kept", p->name);
}

static void come_back(struct party *p)
{
    struct world *w = p->w;
    note(w, p->index, "restart");
    p->down = NULL;
    p->quit = p->ready = p->unsure = false;
    p->memory.fail_at = 0;
    dt_sim_kill(w->sim, p->node);
    world_free_node(p);
    clear_calls(p);
    if (world_make_node(p)) {
        world_fail(w, "%s could not be made again", p->name);
        return;
    }
    party_read_store(p);
    sound_restart(p);
    dt_sim_restart(w->sim, p->node, p);
}

static bool end_kill(struct world *w, struct fault *f)
{
    if (w->parties[f->a].down == f)
        come_back(&w->parties[f->a]);
    return true;
}

static bool begin_restart(struct world *w, struct fault *f)
{
    struct party *p = &w->parties[f->a];
    if (!is_up(p))
        return false;
    party_keep_store(p);
    p->struck = true;
    come_back(p);
    return true;
}

static bool begin_hang(struct world *w, struct fault *f)
{
    struct party *p = &w->parties[f->a];
    if (!is_up(p))
        return false;
    note(w, f->a, "hang");
    dt_sim_hang(w->sim, p->node);
    sound_hang(p, true);
    p->down = f;
    p->struck = true;
    return true;
}

static bool end_hang(struct world *w, struct fault *f)
{
    struct party *p = &w->parties[f->a];
    if (p->down != f)
        return true;
    note(w, f->a, "wake");
    p->down = NULL;
    sound_hang(p, false);
    dt_sim_wake(w->sim, p->node);
    return true;
}

static void set_holes(struct world *w, int party)
{
    bool on = w->parties[party].gone;
    for (size_t i = 0; i < w->n_faults; i++)
        on = on ||
             (w->faults[i].on && w->faults[i].kind == FAULT_BLACKHOLE && w->faults[i].a == party);
    dt_sim_blackhole(w->parties[party].node, on);
    sound_hole(&w->parties[party], on);
}

static bool begin_blackhole(struct world *w, struct fault *f)
{
    note(w, f->a, "blackhole");
    w->parties[f->a].struck = true;
    set_holes(w, f->a);
    return true;
}

static bool end_blackhole(struct world *w, struct fault *f)
{
    note(w, -1, "the black hole ends");
    set_holes(w, f->a);
    return true;
}

/* The first's address goes to the second; who has none is left alone from then on. */
static bool begin_move(struct world *w, struct fault *f)
{
    struct party *p = &w->parties[f->a];
    if (!is_up(p) || !is_up(&w->parties[f->b]))
        return false;
    note(w, f->a, "loses its address to S");
    p->gone = true;
    dt_sim_move(p->node, w->parties[f->b].node);
    return true;
}

/* ---- clocks ---- */

/* What is over is put right again, as a time server does. */
static bool wall_changes(struct world *w, struct fault *f)
{
    struct party *p = &w->parties[f->a];
    int64_t off = 0;
    for (size_t i = 0; i < w->n_faults; i++)
        if (w->faults[i].on && w->faults[i].kind == FAULT_WALL && w->faults[i].a == f->a)
            off += w->faults[i].amount * DT_SECOND;
    note(w, -1, f->on ? "a wall clock jumps" : "a wall clock is put right");
    party_set_wall(p, WALL_START + off);
    return true;
}

static bool begin_rate(struct world *w, struct fault *f)
{
    party_set_rate(&w->parties[f->a], f->amount);
    return true;
}

static bool end_rate(struct world *w, struct fault *f)
{
    party_set_rate(&w->parties[f->a], 0);
    return true;
}

/* ---- names ---- */

static bool is_on(const struct world *w, enum fault_kind kind)
{
    for (size_t i = 0; i < w->n_faults; i++)
        if (w->faults[i].on && w->faults[i].kind == kind)
            return true;
    return false;
}

static bool names_change(struct world *w, struct fault *f)
{
    (void)f;
    dt_sim_dns_fail(w->sim, is_on(w, FAULT_DNS_FAIL));
    w->dns_empty = is_on(w, FAULT_DNS_EMPTY);
    w->dns_order = is_on(w, FAULT_DNS_ORDER);
    return true;
}

/* ---- memory ---- */

static bool begin_nomem(struct world *w, struct fault *f)
{
    struct party *p = &w->parties[f->a];
    if (!is_up(p))
        return false;
    note(w, -1, "an allocation will fail");
    p->memory.fail_at = p->memory.calls + (size_t)f->amount;
    p->struck = true;
    return true;
}

/* ---- in their time ---- */

/* `begin` says whether there was anything to strike; `on` is set before both are called. */
static const struct {
    bool (*begin)(struct world *w, struct fault *f);
    bool (*end)(struct world *w, struct fault *f);
} ways[FAULT_KIND_COUNT] = {
    [FAULT_LOSS] = {link_changes, link_changes},
    [FAULT_DUPLICATE] = {link_changes, link_changes},
    [FAULT_REORDER] = {link_changes, link_changes},
    [FAULT_DELAY] = {link_changes, link_changes},
    [FAULT_CUT] = {link_changes, link_changes},
    [FAULT_CUT_ONE_WAY] = {link_changes, link_changes},
    [FAULT_BLACKHOLE] = {begin_blackhole, end_blackhole},
    [FAULT_KILL] = {begin_kill, end_kill},
    [FAULT_SILENCE] = {begin_kill, end_kill},
    [FAULT_RESTART] = {begin_restart, NULL},
    [FAULT_HANG] = {begin_hang, end_hang},
    [FAULT_MOVE] = {begin_move, NULL},
    [FAULT_WALL] = {wall_changes, wall_changes},
    [FAULT_RATE] = {begin_rate, end_rate},
    [FAULT_DNS_FAIL] = {names_change, names_change},
    [FAULT_DNS_EMPTY] = {names_change, names_change},
    [FAULT_DNS_ORDER] = {names_change, names_change},
    [FAULT_NOMEM] = {begin_nomem, NULL},
};

static void begin(struct world *w, struct fault *f)
{
    f->on = ways[f->kind].end != NULL;
    if (ways[f->kind].begin(w, f))
        w->tally->faults[f->kind]++;
    else
        f->on = false;
    f->at = DT_TIME_NEVER; /* once */
}

static void end(struct world *w, struct fault *f)
{
    f->on = false;
    (void)ways[f->kind].end(w, f);
}

dt_time faults_tick(struct world *w)
{
    dt_time now = world_now(w) - w->zero, next = DT_TIME_NEVER;
    for (size_t i = 0; i < w->n_faults && !w->failed; i++) {
        struct fault *f = &w->faults[i];
        if (f->off)
            continue;
        dt_time ends = f->at == DT_TIME_NEVER ? f->ends : DT_TIME_NEVER;
        if (f->at <= now) {
            ends = f->ends = f->at + f->lasts;
            begin(w, f);
        }
        if (f->on && ends <= now)
            end(w, f);
        next = dt_time_min(next, f->at);
        if (f->on)
            next = dt_time_min(next, ends);
    }
    return next == DT_TIME_NEVER ? next : next + w->zero;
}

void faults_heal(struct world *w)
{
    for (size_t i = 0; i < w->n_faults && !w->failed; i++)
        if (w->faults[i].on)
            end(w, &w->faults[i]);
    for (int i = 0; i < w->n_parties && !w->failed; i++) {
        w->parties[i].memory.fail_at = 0;
        if (w->parties[i].quit)
            come_back(&w->parties[i]);
    }
}

void party_comes_back(struct party *p)
{
    come_back(p);
}

dt_time faults_jumped(const struct world *w)
{
    dt_time all = 0;
    for (size_t i = 0; i < w->n_faults; i++)
        if (w->faults[i].kind == FAULT_WALL && !w->faults[i].off)
            all += abs(w->faults[i].amount) * DT_SECOND;
    return all;
}
