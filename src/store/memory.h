/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What memory.c, update.c, merge.c and snapshot.c share. */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include "store/location.h"

/* The contact of a remembered `Contact: *`. */
#define DT_STAR DT_STR("*")

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
    struct dt_location_aor *last; /* updated last, and listed next; or NULL */
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
/* Its binding, or removed binding, of a contact, compared as a URI (RFC 3261 10.3 step 7); NULL:
 * none, or no `a`. */
struct dt_binding *dt__aor_binding(const struct dt_location_aor *a, struct dt_str contact);
bool dt__same_contact(struct dt_str a, struct dt_str b);
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

/* What a snapshot has: as dt_location_merge, but it lives for `life`, and the twin has to be told.
 */
int dt__location_restore(struct dt_location *l, dt_time now, const struct dt_location_update *u,
                         dt_time life);

#endif
