/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Chains, and behind the buckets a byte for each: one bit of eight is set for each entry of its
 * chain. Most look-ups are for what is not there, and this says so without a look at the entries,
 * which in a large table are in no cache. */
#include <string.h>

#include "dualtone/containers.h"

enum { FIRST_BUCKETS = 16, SPLITS = 2, AHEAD = 4 };

void dt_map_init(struct dt_map *m, const struct dt_alloc *alloc, const uint64_t key[2])
{
    *m = (struct dt_map){.alloc = alloc, .key = {key[0], key[1]}};
}

void dt_map_clear(struct dt_map *m)
{
    dt_alloc_free(m->alloc, m->buckets);
    m->buckets = NULL;
    m->n = m->mask = m->split = 0;
}

uint64_t dt_map_hash(const struct dt_map *m, struct dt_str s)
{
    return dt_siphash(m->key, s);
}

static uint8_t *tags_of(const struct dt_map *m)
{
    return (uint8_t *)(m->buckets + m->mask + 1);
}

/* A bucket of the lower half that has not been split holds those of the upper half, too. */
static size_t bucket_of(const struct dt_map *m, uint64_t hash)
{
    size_t low = hash & (m->mask >> 1);
    return low < m->split ? hash & m->mask : low;
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

/* Deals the chain of the next bucket out to it and its like in the upper half. The order within a
 * chain stays, so that among equal hashes the newest is still found first. */
static void split(struct dt_map *m)
{
    size_t half = (m->mask + 1) / 2, at = m->split++;
    struct dt_map_entry *e = m->buckets[at];
    __builtin_prefetch(m->buckets[at + AHEAD]); /* there are: half is 8 or more */
    struct dt_map_entry **low = &m->buckets[at], **high = &m->buckets[at + half];
    for (; e; e = e->next) {
        struct dt_map_entry ***end = e->hash & half ? &high : &low;
        **end = e;
        *end = &e->next;
    }
    *low = *high = NULL;
    tags_of(m)[at] = tags_in(m->buckets[at]);
    tags_of(m)[at + half] = tags_in(m->buckets[at + half]);
}

/* Makes room. The entries move bucket by bucket, two for each that is added: all at once would take
 * a table of a million some 110 ms. */
static int grow(struct dt_map *m)
{
    size_t half = m->buckets ? m->mask + 1 : 0;
    size_t size = half ? half * 2 : FIRST_BUCKETS, slot = sizeof m->buckets[0] + 1;
    struct dt_map_entry **buckets = dt_alloc_array(m->alloc, m->buckets, size, slot);
    if (!buckets)
        return DT_E_NOMEM;
    if (half)
        memmove(buckets + size, buckets + half, half); /* the tags */
    else
        memset(buckets, 0, size * slot);
    m->buckets = buckets;
    m->mask = size - 1;
    m->split = half ? 0 : size / 2;
    return DT_OK;
}

int dt_map_add(struct dt_map *m, struct dt_map_entry *e, uint64_t hash)
{
    /* A table that cannot grow gets slower; only one that is not there is an error. */
    if ((!m->buckets || m->n > m->mask) && grow(m) && !m->buckets)
        return DT_E_NOMEM;
    for (int i = 0; i < SPLITS && m->split <= m->mask >> 1; i++)
        split(m);
    size_t at = bucket_of(m, hash);
    e->hash = hash;
    e->next = m->buckets[at];
    m->buckets[at] = e;
    tags_of(m)[at] = (uint8_t)(tags_of(m)[at] | tag(hash));
    m->n++;
    return DT_OK;
}

void dt_map_del(struct dt_map *m, struct dt_map_entry *e)
{
    if (!m->buckets)
        return;
    size_t bucket = bucket_of(m, e->hash);
    for (struct dt_map_entry **at = &m->buckets[bucket]; *at; at = &(*at)->next) {
        if (*at != e)
            continue;
        *at = e->next;
        e->next = NULL;
        m->n--;
        tags_of(m)[bucket] = tags_in(m->buckets[bucket]);
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
    size_t at = bucket_of(m, hash);
    __builtin_prefetch(&m->buckets[at]); /* what is not there is often added next */
    if (!(tags_of(m)[at] & tag(hash)))
        return NULL;
    return with_hash(m->buckets[at], hash);
}

struct dt_map_entry *dt_map_next(const struct dt_map_entry *e)
{
    return with_hash(e->next, e->hash);
}
