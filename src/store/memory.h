/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What memory.c and update.c share. */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include "store/location.h"

/* An address of record that has bindings, or remembers removed ones. */
struct dt_location_aor {
    struct dt_map_entry entry;
    struct dt_list link;     /* of all, in the order of their making */
    struct dt_list bindings; /* oldest first, removed ones among them */
    uint16_t live, gone;
    uint16_t name_n;
    char name[];
};

struct dt_location {
    const struct dt_alloc *alloc;
    struct dt_location_config cfg;
    struct dt_map map;
    struct dt_list aors;
    struct dt_timers timers;
    struct dt_list owed;
    struct dt_location_counts counts;
};

static inline struct dt_str dt__aor_name(const struct dt_location_aor *a)
{
    return (struct dt_str){a->name, a->name_n};
}
struct dt_location_aor *dt__aor_find(const struct dt_location *l, struct dt_str name);
/* Without bindings yet; in the map. NULL without memory. */
struct dt_location_aor *dt__aor_new(struct dt_location *l, struct dt_str name);
/* Frees it if it has nothing left. */
void dt__aor_settle(struct dt_location *l, struct dt_location_aor *a);

/* A binding that is in no list and not armed. NULL without memory. */
struct dt_binding *dt__binding_new(struct dt_location *l, const struct dt_location_update *u,
                                   const struct dt_location_contact *c);
void dt__binding_free(struct dt_location *l, struct dt_binding *b);
/* Into the list of `a` before `place` (an entry or the head), and counted; the timer is armed
 * already. */
void dt__binding_attach(struct dt_location *l, struct dt_location_aor *a, struct dt_binding *b,
                        struct dt_list *place);
/* Does the twin have to be told? */
void dt__binding_owe(struct dt_location *l, struct dt_binding *b);
void dt__binding_detach(struct dt_location *l, struct dt_binding *b);

#endif
