/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reach: who is tried, and when (design.md 5). It decides and does nothing: events go in, decisions
 * come out; `ua` and `proxy` own the transactions. */
#ifndef DUALTONE_REACH_H
#define DUALTONE_REACH_H

#include "dualtone/containers.h"
#include "dualtone/node.h"
#include "dualtone/uri.h"

/* ---- where a URI or a configured server leads: RFC 3263 4, from resolver answers ---- */

/* What is looked for. */
struct dt_where {
    struct dt_str host; /* number or name; copied */
    uint16_t port;      /* 0: none given */
    bool transport_given;
    enum dt_transport transport;
};
/* The `where` of a URI: host (or maddr), port, transport parameter. */
void dt_where_of_uri(struct dt_where *out, const struct dt_uri *u);

enum { DT_TARGETS_MAX = 16 };

struct dt_resolver_config {
    bool tcp;           /* TCP targets can be used (UDP always can) */
    bool v4, v6;        /* families we have sockets for */
    uint32_t max_ttl;   /* seconds an answer is kept at most; 0: 3600 */
    uint32_t max_names; /* names kept at most; 0: 1024 */
};
/* Targets in the order to try them: NAPTR, SRV by priority and weight (RFC 2782, drawn from the
 * generator), AAAA and A. Called from dt_resolver_input. n is 0 when nothing was found (`err`:
 * DT_E_ABSENT no such name, DT_E_TIMEOUT the servers did not answer, DT_E_NOMEM, DT_E_LIMIT). It
 * may find and cancel, not free. */
typedef void (*dt_resolver_found)(void *user, dt_time now, uint64_t cookie,
                                  const struct dt_addr *targets, size_t n, int err);

struct dt_resolver; /* looks up and caches; equal questions under way are asked once */
/* `env` and `out` must outlive it. NULL without memory. */
struct dt_resolver *dt_resolver_new(const struct dt_resolver_config *cfg, struct dt_env *env,
                                    struct dt_outbox *out, dt_resolver_found found, void *user);
void dt_resolver_free(struct dt_resolver *r);
/* The targets of `w`: their number (1 to max) if they are known now (a number, or cached); 0 if
 * questions were put, `found` comes with `cookie` later; or why there are none: DT_E_NOMEM,
 * DT_E_SYNTAX, DT_E_LIMIT, DT_E_UNSUPPORTED (TCP), DT_E_UNREACHABLE (a number of a family that we
 * have no socket for, or 0.0.0.0), and from the cache DT_E_ABSENT or DT_E_TIMEOUT. */
int dt_resolver_find(struct dt_resolver *r, dt_time now, const struct dt_where *w, uint64_t cookie,
                     struct dt_addr *out, size_t max);
/* Takes DT_IN_DNS answers of its own questions; true if it was one. */
bool dt_resolver_input(struct dt_resolver *r, dt_time now, const struct dt_input *in);
/* Nobody waits for `cookie` any more. */
void dt_resolver_cancel(struct dt_resolver *r, uint64_t cookie);

/* ---- which path of a dialling is tried next: the table of decisions (R19, R21, R27, R28) ---- */

/* proxy_failover (R28). */
enum dt_reach_policy { DT_REACH_GUIDE, DT_REACH_FAST };

#include "dualtone/attempt.h"

#endif
