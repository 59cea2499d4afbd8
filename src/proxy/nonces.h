/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The replay guard of digest (I28, design.md R14). Nonces are stateless; only those with which
 * somebody has proved a password are remembered, until they are too old to be used. */
#ifndef PROXY_NONCES_H
#define PROXY_NONCES_H

#include "dualtone/containers.h"

struct dt_nonces {
    const struct dt_alloc *alloc;
    struct dt_map map;
    struct dt_list oldest; /* in the order of their first use */
    uint32_t n, max;
    uint32_t salt; /* of the nonce made last */
};
/* `seed` from the node's generator; at most `max` nonces are remembered, the oldest goes first. */
void dt__nonces_init(struct dt_nonces *t, const struct dt_alloc *alloc, uint64_t seed,
                     uint32_t max);
void dt__nonces_clear(struct dt_nonces *t);
/* The salt of a new nonce: the next one, not one by chance, because of as many as a busy proxy
 * makes in a second two would be equal every few seconds, and whoever comes second would be taken
 * for a replay. */
uint32_t dt__nonces_salt(struct dt_nonces *t);
/* Credentials with the nonce of this dt_nonce_id and this count were right, in the request that
 * `request` identifies (a hash). `life` is how long a nonce may be used. DT_OK; DT_E_STALE: the
 * count was used before by another request, or lies too far back; DT_E_NOMEM. The same request
 * again is DT_OK. */
int dt__nonces_use(struct dt_nonces *t, dt_time now, dt_time life, uint64_t nonce, uint32_t count,
                   uint64_t request);

#endif
