/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ids: generation, slot and kind in 64 bits, so that one that came too late finds nothing. */
#include "ua/core.h"

enum { KIND_BITS = 8, SLOT_BITS = 24, SLOTS_MAX = 1 << SLOT_BITS };

static uint32_t slot_of(uint64_t id)
{
    return (uint32_t)(id >> KIND_BITS) & (SLOTS_MAX - 1);
}

enum dt__kind dt__id_kind(uint64_t id)
{
    return (enum dt__kind)(id & ((1 << KIND_BITS) - 1));
}

uint64_t dt__id_as(uint64_t id, enum dt__kind kind)
{
    return id ? (id >> KIND_BITS << KIND_BITS) | (uint64_t)kind : 0;
}

static bool grow(struct dt__ids *ids, const struct dt_alloc *a)
{
    uint32_t cap = ids->cap ? 2 * ids->cap : 16;
    struct dt__slot *slots;

    if (cap > SLOTS_MAX)
        return false;
    slots = dt_alloc_array(a, ids->slots, cap, sizeof(*slots));
    if (!slots)
        return false;
    ids->slots = slots;
    ids->cap = cap;
    return true;
}

uint64_t dt__id_new(struct dt__ids *ids, const struct dt_alloc *a, enum dt__kind kind, void *object)
{
    uint32_t i;

    if (ids->free) {
        i = ids->free - 1;
        ids->free = ids->slots[i].next_free;
    } else {
        if (ids->n == ids->cap && !grow(ids, a))
            return 0;
        i = ids->n++;
        ids->slots[i].generation = 0;
    }
    ids->slots[i].object = object;
    ids->slots[i].generation++;
    return (uint64_t)ids->slots[i].generation << 32 | (uint64_t)i << KIND_BITS | (uint64_t)kind;
}

void *dt__id_find(const struct dt__ids *ids, uint64_t id, enum dt__kind kind)
{
    uint32_t i = slot_of(id);

    if (dt__id_kind(id) != kind || i >= ids->n || ids->slots[i].generation != id >> 32)
        return NULL;
    return ids->slots[i].object;
}

void dt__id_drop(struct dt__ids *ids, uint64_t id)
{
    uint32_t i = slot_of(id);

    if (id == 0 || i >= ids->n || ids->slots[i].generation != id >> 32 || !ids->slots[i].object)
        return;
    ids->slots[i].object = NULL;
    ids->slots[i].next_free = ids->free;
    ids->free = i + 1;
}
