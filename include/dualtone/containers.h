/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Intrusive containers: the member lies in the thing, nothing is allocated per entry (but the map's
 * table of buckets). */
#ifndef DUALTONE_CONTAINERS_H
#define DUALTONE_CONTAINERS_H

#include "dualtone/base.h"

/* The thing that holds `member`. */
#define DT_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* ---- list: circular, doubly linked, with a head of the same type ---- */

struct dt_list {
    struct dt_list *next, *prev;
};
static inline void dt_list_init(struct dt_list *l)
{
    l->next = l->prev = l;
}
static inline bool dt_list_empty(const struct dt_list *l)
{
    return l->next == l;
}
static inline void dt_list_add(struct dt_list *head, struct dt_list *e) /* at the end */
{
    e->prev = head->prev;
    e->next = head;
    head->prev->next = e;
    head->prev = e;
}
static inline void dt_list_del(struct dt_list *e) /* an entry of no list is fine after init */
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
    dt_list_init(e);
}
/* Walks; `e` may be taken out in the body. */
#define DT_LIST_EACH(e, head) \
    for (struct dt_list *e = (head)->next, *e##_next = e->next; e != (head); \
         e = e##_next, e##_next = e->next)

/* ---- map: keyed hash, chains; the entry owns its key ---- */

struct dt_map_entry {
    struct dt_map_entry *next;
    uint64_t hash;
};
struct dt_map {
    const struct dt_alloc *alloc;
    struct dt_map_entry **buckets;
    size_t n, mask;
    size_t split; /* so many buckets of the lower half are dealt out: growing is done bit by bit */
    uint64_t key[2];
};
/* `key` comes from the node's generator, so that a peer cannot aim at one bucket. */
void dt_map_init(struct dt_map *m, const struct dt_alloc *alloc, const uint64_t key[2]);
/* Frees the buckets; the entries are their owners' business. */
void dt_map_clear(struct dt_map *m);
/* The keyed hash of `s` in this map. */
uint64_t dt_map_hash(const struct dt_map *m, struct dt_str s);
/* DT_OK or DT_E_NOMEM. Equal hashes may stand side by side; the newest is found first. */
int dt_map_add(struct dt_map *m, struct dt_map_entry *e, uint64_t hash);
void dt_map_del(struct dt_map *m, struct dt_map_entry *e);
/* First entry with `hash`, then the next one; the caller compares the key itself. */
struct dt_map_entry *dt_map_first(const struct dt_map *m, uint64_t hash);
struct dt_map_entry *dt_map_next(const struct dt_map_entry *e);

/* ---- timers: one heap, ordered by (deadline, order of arming) ---- */

struct dt_timer {
    dt_time due;    /* DT_TIME_NEVER: not armed */
    uint64_t order; /* equal deadlines fire in the order of arming */
    uint32_t slot;  /* place in the heap */
    uint32_t kind;  /* the owner's: which object holds this timer, and which timer it is */
};
/* The deadline lies beside the pointer, so that a search through the heap does not look at each
 * timer. */
struct dt_timer_slot {
    dt_time due;
    struct dt_timer *timer;
};
struct dt_timers {
    const struct dt_alloc *alloc;
    struct dt_timer_slot *heap;
    uint32_t n, cap;
    uint64_t order;
};
void dt_timers_init(struct dt_timers *t, const struct dt_alloc *alloc);
void dt_timers_clear(struct dt_timers *t);
/* A timer that is not armed. */
static inline void dt_timer_init(struct dt_timer *e, uint32_t kind)
{
    *e = (struct dt_timer){DT_TIME_NEVER, 0, UINT32_MAX, kind};
}
/* Arm, or arm anew. DT_OK or DT_E_NOMEM; re-arming an armed timer never fails. */
int dt_timers_arm(struct dt_timers *t, struct dt_timer *e, dt_time due);
/* Not armed is fine. */
void dt_timers_stop(struct dt_timers *t, struct dt_timer *e);
/* The earliest deadline, or DT_TIME_NEVER. */
dt_time dt_timers_next(const struct dt_timers *t);
/* Takes out and returns the first timer that is due at `now`; NULL when there is none. */
struct dt_timer *dt_timers_due(struct dt_timers *t, dt_time now);

#endif
