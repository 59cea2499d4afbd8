/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Subscribers: who may register and call from our domain. A file of lines
 * `user realm algorithm HA1`, kept by `dualtone user`, holds digest hashes only (RFC 7616 3.4.2),
 * never a password. Reading and writing the file itself is the host's business. */
#ifndef STORE_SUBSCRIBERS_H
#define STORE_SUBSCRIBERS_H

#include "dualtone/conf.h"
#include "dualtone/containers.h"
#include "dualtone/digest.h"

struct dt_subscriber {
    struct dt_str user, realm;
    enum dt_hash_kind hash;
    struct dt_str ha1; /* hex digits, lower case */
};

struct dt_subscribers;
/* Without any. `env` must outlive it. NULL without memory. */
struct dt_subscribers *dt_subscribers_new(struct dt_env *env);
void dt_subscribers_free(struct dt_subscribers *s);
/* Takes the lines of `text` in place of those it had. On a bad line the old ones stay, each mistake
 * is added to `problems` (may be NULL) and DT_E_SYNTAX is returned; DT_E_NOMEM leaves the old ones
 * too. */
int dt_subscribers_read(struct dt_subscribers *s, struct dt_str file, struct dt_str text,
                        struct dt_problems *problems);
/* NULL if there is none. Valid until the next read. */
const struct dt_subscriber *dt_subscribers_find(const struct dt_subscribers *s, struct dt_str user,
                                                struct dt_str realm, enum dt_hash_kind hash);
/* Is this user there, with whatever algorithm? */
bool dt_subscribers_has(const struct dt_subscribers *s, struct dt_str user, struct dt_str realm);
/* Number of lines. */
size_t dt_subscribers_n(const struct dt_subscribers *s);
/* Has every user of `realm` a line for this algorithm? Then it may be offered in a challenge. False
 * if there is no user of this realm. */
bool dt_subscribers_offer(struct dt_subscribers *s, struct dt_str realm, enum dt_hash_kind hash);

/* ---- the file as text, for `dualtone user` ---- */

/* May this be a user name: not empty, no blanks, colons or control characters (a colon would shift
 * the hash), not too long. */
bool dt_subscriber_name_ok(struct dt_str user);
/* The text with the lines of (user, realm) replaced, or added at the end: one for each algorithm.
 * All other lines stay as they are. `*out` gets one reference. DT_OK, DT_E_NOMEM, DT_E_SYNTAX (a
 * name that is not allowed). */
int dt_subscribers_put(const struct dt_alloc *a, dt_hash_fn hash, struct dt_str text,
                       struct dt_str user, struct dt_str realm, struct dt_str password,
                       struct dt_bytes **out);
/* The text without the lines of (user, realm). DT_E_ABSENT if there was none. */
int dt_subscribers_remove(const struct dt_alloc *a, struct dt_str text, struct dt_str user,
                          struct dt_str realm, struct dt_bytes **out);
/* Walks the lines: fills `out` from the next good one in `*rest` and moves on; false at the end.
 * Blank lines, comments and broken lines are passed over. */
bool dt_subscribers_next(struct dt_str *rest, struct dt_subscriber *out);

#endif
