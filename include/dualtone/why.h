/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known and what was decided, told as JSON: `dualtone why` (design.md 2). Times are whole
 * milliseconds: `..._ms` of something past is its age, `in_ms` is how far away something is. */
#ifndef DUALTONE_WHY_H
#define DUALTONE_WHY_H

#include "dualtone/json.h"
#include "dualtone/reach.h"

/* `age` of what was at `at`, in milliseconds. */
void dt_why_age(struct dt_json *j, const char *key, dt_time now, dt_time at);
/* Adds "KEY": "ip:port", and "transport" beside it. */
void dt_why_addr(struct dt_json *j, const char *key, const struct dt_addr *a);
/* One target as an object: health with its evidence, who it is, its twins, the next probe. */
void dt_why_target(struct dt_json *j, dt_time now, const struct dt_targets *t,
                   const struct dt_target *g, enum dt_target_need need);

/* What the owner of the transactions adds to an attempt; any may be NULL. */
struct dt_why_more {
    void (*path)(void *ctx, struct dt_json *j, unsigned path); /* members of the path's object */
    void (*next)(void *ctx, struct dt_json *j);                /* by dt_why_next */
    void *ctx;
};
/* Adds the members policy, phase, words, renewed, candidates, paths, decisions, forgotten and next
 * to the object that is open. */
void dt_why_attempt(struct dt_json *j, dt_time now, const struct dt_attempt *a,
                    const struct dt_why_more *more);
/* One entry of "next": what happens at `at` (DT_TIME_NEVER: at no known time) about `path`. */
void dt_why_next(struct dt_json *j, dt_time now, dt_time at, unsigned path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
