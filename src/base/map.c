/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Chains, and behind the buckets a byte for each: one bit of eight is set for each entry of its
 * chain. Most look-ups are for what is not there, and this says so without a look at the entries,
 * which in a large table are in no cache. */
#include <string.h>

#include "dualtone/containers.h"

enum { FIRST_BUCKETS = 16 };

void dt_map_init(struct dt_map *m, const struct dt_alloc *alloc, const uint64_t key[2])
{
    *m = (struct dt_map){.alloc = alloc, .key = {key[0], key[1]}};
}

void dt_map_clear(struct dt_map *m)
{
    dt_alloc_free(m->alloc, m->buckets);
    m->buckets = NULL;
    m->n = m->mask = 0;
}

uint64_t dt_map_hash(const struct dt_map *m, struct dt_str s)
{
    return dt_siphash(m->key, s);
}

static uint8_t *tags_of(const struct dt_map *m)
{
    return (uint8_t *)(m->buckets + m->mask + 1);
}

/* Of bits that choose no bucket. */
static uint8_t tag(uint64_t hash)
{
    return (uint8_t)(1u << (hash >> 61));
}

static uint8_t tags_in(const struct dt_map_entry *e)
{
    uint8_t tags = 0;
    for (; e; e = e->next)
        tags = (uint8_t)(tags | tag(e->hash));
    return tags;
}

/* Deals the chain of bucket `at` out to `at` and `at + half`. The order within a chain stays, so
 * that among equal hashes the newest is still found first. */
static void split(struct dt_map_entry **buckets, size_t at, size_t half)
{
    struct dt_map_entry *e = buckets[at];
    struct dt_map_entry **low = &buckets[at], **high = &buckets[at + half];
    for (; e; e = e->next) {
        struct dt_map_entry ***end = e->hash & half ? &high : &low;
        **end = e;
        *end = &e->next;
    }
    *low = *high = NULL;
}

static int grow(struct dt_map *m)
{
    size_t half = m->buckets ? m->mask + 1 : 0;
    size_t size = half ? half * 2 : FIRST_BUCKETS;
    struct dt_map_entry **buckets =
        dt_alloc_array(m->alloc, m->buckets, size, sizeof(struct dt_map_entry *) + 1);
    if (!buckets)
        return DT_E_NOMEM;
    memset(buckets + half, 0, (size - half) * sizeof(struct dt_map_entry *));
    for (size_t i = 0; i < half; i++)
        split(buckets, i, half);
    m->buckets = buckets;
    m->mask = size - 1;
    for (size_t i = 0; i < size; i++)
        tags_of(m)[i] = tags_in(buckets[i]);
    return DT_OK;
}

int dt_map_add(struct dt_map *m, struct dt_map_entry *e, uint64_t hash)
{
    /* A table that cannot grow gets slower; only one that is not there is an error. */
    if ((!m->buckets || m->n > m->mask) && grow(m) && !m->buckets)
        return DT_E_NOMEM;
    struct dt_map_entry **bucket = &m->buckets[hash & m->mask];
    e->hash = hash;
    e->next = *bucket;
    *bucket = e;
    tags_of(m)[hash & m->mask] = (uint8_t)(tags_of(m)[hash & m->mask] | tag(hash));
    m->n++;
    return DT_OK;
}

void dt_map_del(struct dt_map *m, struct dt_map_entry *e)
{
    if (!m->buckets)
        return;
    struct dt_map_entry **bucket = &m->buckets[e->hash & m->mask];
    for (struct dt_map_entry **at = bucket; *at; at = &(*at)->next) {
        if (*at != e)
            continue;
        *at = e->next;
        e->next = NULL;
        m->n--;
        tags_of(m)[e->hash & m->mask] = tags_in(*bucket);
        return;
    }
}

static struct dt_map_entry *with_hash(struct dt_map_entry *e, uint64_t hash)
{
    while (e && e->hash != hash)
        e = e->next;
    return e;
}

struct dt_map_entry *dt_map_first(const struct dt_map *m, uint64_t hash)
{
    if (!m->buckets)
        return NULL;
    __builtin_prefetch(&m->buckets[hash & m->mask]); /* what is not there is often added next */
    if (!(tags_of(m)[hash & m->mask] & tag(hash)))
        return NULL;
    return with_hash(m->buckets[hash & m->mask], hash);
}

struct dt_map_entry *dt_map_next(const struct dt_map_entry *e)
{
    return with_hash(e->next, e->hash);
}
