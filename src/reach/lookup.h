/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One look-up after RFC 3263 4, as a function of the cache. */
#ifndef REACH_LOOKUP_H
#define REACH_LOOKUP_H

#include "reach/cache.h"

struct lookup {
    struct dns_cache *cache;
    const struct dt_resolver_config *cfg;
    dt_time now, since; /* answers that came after `since` count whatever their TTL */
    struct dt_where where;
    /* result */
    struct dt_addr targets[DT_TARGETS_MAX];
    size_t n;
    struct dns_name *blocked_on; /* a question without an answer yet; all others were put too */
    int err;                     /* DT_OK; with n 0: why */
    unsigned questions;          /* names used; bounded */
};

/* Walks from the NAPTR down to the addresses as far as the cache knows, and puts what is missing as
 * questions. To be called again when `blocked_on` is answered. */
void dt__lookup_run(struct lookup *l);

#endif
