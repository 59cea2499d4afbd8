/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The links of the simulated network: how long a packet takes, and whether it arrives. */
#include "sim/world.h"

#include <string.h>

enum { LATE_BASE_MS = 10, LATE_TIMES = 4, PER_MILLE = 1000 };

struct dt_sim_link *dt_sim_default_link(struct dt_sim *sim)
{
    return &sim->link;
}

static uint64_t hash_of(const struct dt_map *m, const struct dt_sim_node *a,
                        const struct dt_sim_node *b)
{
    const struct dt_sim_node *key[] = {a, b};
    char bytes[sizeof key];
    memcpy(bytes, key, sizeof key);
    return dt_map_hash(m, (struct dt_str){bytes, sizeof bytes});
}

static struct sim_pair *find(const struct dt_sim *sim, const struct dt_sim_node *a,
                             const struct dt_sim_node *b)
{
    if (!sim->pairs || !a || !b)
        return NULL;
    uint64_t hash = hash_of(&sim->pair_map, a, b);
    for (struct dt_map_entry *e = dt_map_first(&sim->pair_map, hash); e; e = dt_map_next(e)) {
        struct sim_pair *p = DT_OF(e, struct sim_pair, entry);
        if (p->a == a && p->b == b)
            return p;
    }
    return NULL;
}

static struct sim_pair *find_or_add(struct dt_sim *sim, const struct dt_sim_node *a,
                                    const struct dt_sim_node *b)
{
    struct sim_pair *p = find(sim, a, b);
    if (p || !a || !b)
        return p;
    p = dt_alloc_zero(sim->alloc, sizeof *p);
    if (!p)
        return NULL;
    p->a = a;
    p->b = b;
    if (dt_map_add(&sim->pair_map, &p->entry, hash_of(&sim->pair_map, a, b))) {
        dt_alloc_free(sim->alloc, p);
        return NULL;
    }
    p->next = sim->pairs;
    sim->pairs = p;
    return p;
}

struct dt_sim_link *dt_sim_link(struct dt_sim *sim, struct dt_sim_node *a, struct dt_sim_node *b)
{
    struct sim_pair *p = find_or_add(sim, a, b);
    if (!p)
        return NULL;
    if (!p->own)
        p->link = sim->link;
    p->own = true;
    return &p->link;
}

const struct dt_sim_link *dt__sim_link_of(const struct dt_sim *sim, const struct dt_sim_node *a,
                                          const struct dt_sim_node *b)
{
    const struct sim_pair *p = find(sim, a, b);
    return p && p->own ? &p->link : &sim->link;
}

bool dt__sim_strikes(struct dt_sim *sim, unsigned per_mille)
{
    return per_mille > 0 && dt_rng_below(&sim->rng, PER_MILLE) < per_mille;
}

bool dt__sim_mute(const struct dt_sim *sim, const struct dt_sim_node *a,
                  const struct dt_sim_node *b)
{
    return dt__sim_link_of(sim, a, b)->cut || (a && a->blackhole) || (b && b->blackhole);
}

dt_time dt__sim_delay(struct dt_sim *sim, const struct dt_sim_link *l)
{
    return l->delay + (l->jitter > 0 ? (dt_time)dt_rng_below(&sim->rng, (uint64_t)l->jitter) : 0);
}

dt_time dt__sim_arrival(struct dt_sim *sim, const struct dt_sim_node *a,
                        const struct dt_sim_node *b)
{
    const struct dt_sim_link *l = dt__sim_link_of(sim, a, b);
    dt_time at = sim->now + dt__sim_delay(sim, l);
    if (dt__sim_strikes(sim, l->reorder)) {
        dt_time late = LATE_TIMES * (l->delay + LATE_BASE_MS * DT_MS);
        return at + (dt_time)dt_rng_below(&sim->rng, (uint64_t)late);
    }
    struct sim_pair *p = l->jitter > 0 ? find_or_add(sim, a, b) : NULL;
    if (!p)
        return at; /* without jitter equal delays keep the order */
    p->busy = at > p->busy ? at : p->busy;
    return p->busy;
}
