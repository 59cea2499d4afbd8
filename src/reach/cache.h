/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What DNS said, by name and type: kept for its time, asked once, the oldest given up for the new.
 */
#ifndef REACH_CACHE_H
#define REACH_CACHE_H

#include "dualtone/reach.h"

enum { DNS_NAME_MAX = 253 };

/* ASKED: an answer is awaited; records may still be there from before. */
enum dns_state { DNS_NEW, DNS_ASKED, DNS_KNOWN };

struct dns_name {
    struct dt_map_entry by_name;
    struct dt_list by_use; /* least recently used first */
    enum dns_state state;
    enum dt_dns_type type;
    enum dt_dns_status status;
    uint32_t id;                   /* of the question */
    uint64_t round;                /* of the last lookup that used it */
    dt_time asked;                 /* when the question was put */
    dt_time answered;              /* when `records` came */
    dt_time until;                 /* good until then */
    struct dt_dns_record *records; /* with their texts in one block */
    size_t n_records;
    size_t n_name;
    char name[DNS_NAME_MAX]; /* lower case, without the last dot */
};

struct dns_cache {
    struct dt_env *env;
    struct dt_outbox *out;
    struct dt_map names;
    struct dt_list by_use;
    uint32_t n, max_names, max_ttl;
    uint32_t last_id;
    uint64_t round; /* raised by each lookup: what it uses must not be given up under its hands */
};

void dt__dns_cache_init(struct dns_cache *c, const struct dt_resolver_config *cfg,
                        struct dt_env *env, struct dt_outbox *out);
void dt__dns_cache_clear(struct dns_cache *c);

/* The entry of a name: KNOWN (good now, or answered since `since`), or ASKED: the question was put
 * now or before. NULL: no memory, no room, or no name (`*err` DT_E_NOMEM, DT_E_LIMIT,
 * DT_E_SYNTAX). */
struct dns_name *dt__dns_cache_get(struct dns_cache *c, dt_time now, dt_time since,
                                   struct dt_str name, enum dt_dns_type type, int *err);

/* Takes an answer; the entry it was for, or NULL if it is none of ours. */
struct dns_name *dt__dns_cache_answer(struct dns_cache *c, dt_time now,
                                      const struct dt_dns_answer *a);

#endif
