/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who waits for which look-up. A look-up is run again, as a whole, each time the question is
 * answered that it was blocked on; all it knows lies in the cache. */
#include <string.h>

#include "reach/lookup.h"

/* A cache too small for one look-up would ask in circles. */
enum { ROUNDS_MAX = 256, WAITERS_MAX = 65536 };

struct waiter {
    struct dt_list all; /* of the resolver */
    uint64_t cookie;
    dt_time since;
    struct dns_name *blocked_on;
    unsigned rounds;
    struct dt_where where; /* host in `host` */
    char host[];
};

struct dt_resolver {
    struct dt_resolver_config cfg;
    struct dns_cache cache;
    struct dt_list waiters;
    struct dt_list ready; /* their question was answered; only inside dt_resolver_input */
    size_t n_waiters;
    dt_resolver_found found;
    void *user;
};

struct dt_resolver *dt_resolver_new(const struct dt_resolver_config *cfg, struct dt_env *env,
                                    struct dt_outbox *out, dt_resolver_found found, void *user)
{
    struct dt_resolver *r = dt_alloc_zero(env->alloc, sizeof *r);
    if (!r)
        return NULL;
    r->cfg = *cfg;
    r->found = found;
    r->user = user;
    dt_list_init(&r->waiters);
    dt_list_init(&r->ready);
    dt__dns_cache_init(&r->cache, cfg, env, out);
    return r;
}

static void waiter_free(struct dt_resolver *r, struct waiter *w)
{
    dt_list_del(&w->all);
    r->n_waiters--;
    dt_alloc_free(r->cache.env->alloc, w);
}

void dt_resolver_free(struct dt_resolver *r)
{
    if (!r)
        return;
    DT_LIST_EACH(e, &r->waiters)
    waiter_free(r, DT_OF(e, struct waiter, all));
    dt__dns_cache_clear(&r->cache);
    dt_alloc_free(r->cache.env->alloc, r);
}

static int wait_for(struct dt_resolver *r, const struct lookup *l, uint64_t cookie)
{
    size_t n = l->where.host.n;
    if (r->n_waiters >= WAITERS_MAX)
        return DT_E_LIMIT;
    struct waiter *w = dt_alloc_zero(r->cache.env->alloc, sizeof *w + n);
    if (!w)
        return DT_E_NOMEM;
    *w = (struct waiter){
        .cookie = cookie, .since = l->now, .blocked_on = l->blocked_on, .where = l->where};
    memcpy(w->host, l->where.host.p, n);
    w->where.host.p = w->host;
    dt_list_add(&r->waiters, &w->all);
    r->n_waiters++;
    return DT_OK;
}

int dt_resolver_find(struct dt_resolver *r, dt_time now, const struct dt_where *w, uint64_t cookie,
                     struct dt_addr *out, size_t max)
{
    if (w->host.n == 0 || w->host.n > DNS_NAME_MAX + 1)
        return DT_E_SYNTAX;
    struct lookup l = {.cache = &r->cache, .cfg = &r->cfg, .now = now, .since = now, .where = *w};
    dt__lookup_run(&l);
    if (l.blocked_on)
        return wait_for(r, &l, cookie);
    if (l.n == 0)
        return l.err;
    size_t n = l.n < max ? l.n : max;
    memcpy(out, l.targets, n * sizeof out[0]);
    return (int)n;
}

/* A further step of a look-up; its end is told. */
static void go_on(struct dt_resolver *r, dt_time now, struct waiter *w)
{
    struct lookup l = {
        .cache = &r->cache, .cfg = &r->cfg, .now = now, .since = w->since, .where = w->where};
    uint64_t cookie = w->cookie;
    dt__lookup_run(&l);
    if (l.blocked_on && ++w->rounds < ROUNDS_MAX) {
        w->blocked_on = l.blocked_on;
        dt_list_del(&w->all);
        dt_list_add(&r->waiters, &w->all);
        return;
    }
    waiter_free(r, w); /* before the call: who is told may look up again, or cancel */
    r->found(r->user, now, cookie, l.targets, l.n, l.blocked_on ? DT_E_LIMIT : l.err);
}

bool dt_resolver_input(struct dt_resolver *r, dt_time now, const struct dt_input *in)
{
    if (in->kind != DT_IN_DNS || !in->dns)
        return false;
    struct dns_name *answered = dt__dns_cache_answer(&r->cache, now, in->dns);
    if (!answered)
        return false;
    DT_LIST_EACH(e, &r->waiters)
    {
        if (DT_OF(e, struct waiter, all)->blocked_on != answered)
            continue;
        dt_list_del(e);
        dt_list_add(&r->ready, e);
    }
    while (!dt_list_empty(&r->ready))
        go_on(r, now, DT_OF(r->ready.next, struct waiter, all));
    return true;
}

static void cancel_in(struct dt_resolver *r, struct dt_list *list, uint64_t cookie)
{
    DT_LIST_EACH(e, list)
    {
        struct waiter *w = DT_OF(e, struct waiter, all);
        if (w->cookie == cookie)
            waiter_free(r, w);
    }
}

void dt_resolver_cancel(struct dt_resolver *r, uint64_t cookie)
{
    cancel_in(r, &r->waiters, cookie);
    cancel_in(r, &r->ready, cookie);
}
