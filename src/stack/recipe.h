/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A response told by how it differs from its request: most of it is lines of the request, and who
 * repeats the request brings them along. The response comes out byte for byte (I5). */
#ifndef STACK_RECIPE_H
#define STACK_RECIPE_H

#include "dualtone/base.h"

struct dt__recipe {
    uint64_t request; /* hash of its bytes */
    uint16_t made;    /* length of the response */
    uint16_t status;
    uint16_t n;  /* of `steps` */
    bool phrase; /* the status line is the one that dt_sip_write_status writes; no step tells it */
    char steps[];
};

/* The recipe of `response` to `request`, both whole messages: one allocation that the caller frees.
 * NULL if it would not save half, or without memory. */
struct dt__recipe *dt__recipe_new(const struct dt_alloc *a, struct dt_str request,
                                  struct dt_str response);
/* Is this the request, byte for byte? */
bool dt__recipe_is_for(const struct dt__recipe *r, struct dt_str request);
/* The response to that request, one reference; NULL without memory. */
struct dt_bytes *dt__recipe_make(const struct dt__recipe *r, const struct dt_alloc *a,
                                 struct dt_str request);

#endif
