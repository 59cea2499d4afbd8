/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "reach/cache.h"

enum { NAMES_DEFAULT = 1024, TTL_DEFAULT_S = 3600, RECORDS_MAX = 64 };

static const dt_time negative_ttl = 30 * DT_SECOND;  /* RFC 2308 allows hours; people mend zones */
static const dt_time failed_ttl = 2 * DT_SECOND;     /* enough that a storm of calls asks once */
static const dt_time question_lost = 30 * DT_SECOND; /* any host has answered by then */
/* When the servers do not answer, an old answer is better than no call (RFC 8767 4 and 5). */
static const dt_time stale_max = 24 * 3600 * DT_SECOND;
static const dt_time stale_ttl = 30 * DT_SECOND;

void dt__dns_cache_init(struct dns_cache *c, const struct dt_resolver_config *cfg,
                        struct dt_env *env, struct dt_outbox *out)
{
    uint64_t key[2] = {dt_rng_u64(&env->rng), dt_rng_u64(&env->rng)};
    *c = (struct dns_cache){.env = env, .out = out};
    dt_map_init(&c->names, env->alloc, key);
    dt_list_init(&c->by_use);
    c->max_names = cfg->max_names ? cfg->max_names : NAMES_DEFAULT;
    c->max_ttl = cfg->max_ttl ? cfg->max_ttl : TTL_DEFAULT_S;
    c->last_id = (uint32_t)dt_rng_u64(&env->rng); /* others may ask through the same host */
}

static void drop(struct dns_cache *c, struct dns_name *e)
{
    dt_map_del(&c->names, &e->by_name);
    dt_list_del(&e->by_use);
    dt_alloc_free(c->env->alloc, e->records);
    dt_alloc_free(c->env->alloc, e);
    c->n--;
}

void dt__dns_cache_clear(struct dns_cache *c)
{
    DT_LIST_EACH(e, &c->by_use)
    drop(c, DT_OF(e, struct dns_name, by_use));
    dt_map_clear(&c->names);
}

/* ---- names ---- */

/* Lower case, without the last dot; 0 for what is no name. */
static size_t clean_name(struct dt_str name, char out[DNS_NAME_MAX])
{
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    if (name.n > DNS_NAME_MAX)
        return 0;
    for (size_t i = 0; i < name.n; i++) {
        bool dot_at_dot = name.p[i] == '.' && (i == 0 || name.p[i - 1] == '.');
        if (name.p[i] <= ' ' || name.p[i] == 0x7f || dot_at_dot)
            return 0;
        out[i] = dt_lower(name.p[i]);
    }
    return name.n;
}

static struct dns_name *find(struct dns_cache *c, struct dt_str name, enum dt_dns_type type)
{
    struct dt_map_entry *m = dt_map_first(&c->names, dt_map_hash(&c->names, name));
    for (; m; m = dt_map_next(m)) {
        struct dns_name *e = DT_OF(m, struct dns_name, by_name);
        if (e->type == type && dt_str_eq((struct dt_str){e->name, e->n_name}, name))
            return e;
    }
    return NULL;
}

/* Gives up the least recently used answer that the present lookup does not stand on. */
static bool make_room(struct dns_cache *c)
{
    if (c->n < c->max_names)
        return true;
    DT_LIST_EACH(e, &c->by_use)
    {
        struct dns_name *old = DT_OF(e, struct dns_name, by_use);
        if (old->state != DNS_ASKED && old->round != c->round) {
            drop(c, old);
            return true;
        }
    }
    return false;
}

static struct dns_name *add(struct dns_cache *c, struct dt_str name, enum dt_dns_type type,
                            int *err)
{
    *err = DT_E_LIMIT;
    if (!make_room(c))
        return NULL;
    *err = DT_E_NOMEM;
    struct dns_name *e = dt_alloc_zero(c->env->alloc, sizeof *e);
    if (!e)
        return NULL;
    e->type = type;
    e->n_name = name.n;
    memcpy(e->name, name.p, name.n);
    if (dt_map_add(&c->names, &e->by_name, dt_map_hash(&c->names, name))) {
        dt_alloc_free(c->env->alloc, e);
        return NULL;
    }
    dt_list_add(&c->by_use, &e->by_use);
    c->n++;
    *err = DT_OK;
    return e;
}

/* ---- questions ---- */

static bool is_good(const struct dns_name *e, dt_time now, dt_time since)
{
    return e->state == DNS_KNOWN && (now < e->until || e->answered >= since);
}

static int ask(struct dns_cache *c, dt_time now, struct dns_name *e)
{
    if (e->state == DNS_ASKED && now - e->asked < question_lost)
        return DT_OK;
    struct dt_str name = {e->name, e->n_name};
    int err = dt_outbox_resolve(c->out, c->last_id + 1, e->type, name);
    if (err)
        return err;
    e->id = ++c->last_id;
    e->asked = now;
    e->state = DNS_ASKED;
    return DT_OK;
}

struct dns_name *dt__dns_cache_get(struct dns_cache *c, dt_time now, dt_time since,
                                   struct dt_str name, enum dt_dns_type type, int *err)
{
    char clean[DNS_NAME_MAX];
    struct dt_str key = {clean, clean_name(name, clean)};
    if (key.n == 0) {
        *err = DT_E_SYNTAX;
        return NULL;
    }
    struct dns_name *e = find(c, key, type);
    if (!e)
        e = add(c, key, type, err);
    if (!e)
        return NULL;
    e->round = c->round;
    dt_list_del(&e->by_use);
    dt_list_add(&c->by_use, &e->by_use);
    *err = is_good(e, now, since) ? DT_OK : ask(c, now, e);
    return *err ? NULL : e;
}

/* ---- answers ---- */

static size_t texts_of(const struct dt_dns_record *r)
{
    return r->target.n + r->service.n + r->flags.n;
}

static struct dt_str move(char **to, struct dt_str s)
{
    struct dt_str moved = {*to, s.n};
    if (s.n > 0)
        memcpy(*to, s.p, s.n);
    *to += s.n;
    return moved;
}

/* A copy of the records and their texts in one block; NULL without memory. */
static struct dt_dns_record *copy_records(const struct dt_alloc *a,
                                          const struct dt_dns_record *from, size_t n)
{
    size_t size = n * sizeof *from;
    for (size_t i = 0; i < n; i++)
        size += texts_of(&from[i]);
    struct dt_dns_record *copy = a->resize(a->ctx, NULL, size);
    if (!copy)
        return NULL;
    char *text = (char *)(copy + n);
    for (size_t i = 0; i < n; i++) {
        copy[i] = from[i];
        copy[i].target = move(&text, from[i].target);
        copy[i].service = move(&text, from[i].service);
        copy[i].flags = move(&text, from[i].flags);
    }
    return copy;
}

static dt_time ttl_of(const struct dns_cache *c, const struct dt_dns_record *records, size_t n)
{
    uint32_t ttl = c->max_ttl;
    for (size_t i = 0; i < n; i++)
        if (records[i].ttl < ttl)
            ttl = records[i].ttl;
    return (ttl > 0 ? ttl : 1) * DT_SECOND;
}

/* The servers failed: what they said before counts on for a while. */
static bool stays_stale(const struct dns_name *e, dt_time now)
{
    return e->status == DT_DNS_FOUND && e->n_records > 0 && now - e->until < stale_max;
}

static void forget_records(struct dns_cache *c, struct dns_name *e)
{
    dt_alloc_free(c->env->alloc, e->records);
    e->records = NULL;
    e->n_records = 0;
}

static void keep_failure(struct dns_cache *c, struct dns_name *e, dt_time now,
                         enum dt_dns_status status)
{
    if (status == DT_DNS_FAILED && stays_stale(e, now)) {
        e->until = e->until > now ? e->until : now + stale_ttl;
        return;
    }
    forget_records(c, e);
    e->status = status;
    e->until = now + (status == DT_DNS_FAILED ? failed_ttl : negative_ttl);
}

static void keep_records(struct dns_cache *c, struct dns_name *e, dt_time now,
                         const struct dt_dns_answer *a)
{
    size_t n = a->n < RECORDS_MAX ? a->n : RECORDS_MAX;
    struct dt_dns_record *copy = copy_records(c->env->alloc, a->records, n);
    if (!copy) {
        keep_failure(c, e, now, DT_DNS_FAILED);
        return;
    }
    forget_records(c, e);
    e->records = copy;
    e->n_records = n;
    e->status = DT_DNS_FOUND;
    e->until = now + ttl_of(c, copy, n);
}

struct dns_name *dt__dns_cache_answer(struct dns_cache *c, dt_time now,
                                      const struct dt_dns_answer *a)
{
    struct dns_name *e = NULL;
    DT_LIST_EACH(i, &c->by_use)
    {
        struct dns_name *x = DT_OF(i, struct dns_name, by_use);
        if (x->state == DNS_ASKED && x->id == a->id && x->type == a->type)
            e = x;
    }
    if (!e)
        return NULL;
    if (a->status == DT_DNS_FOUND && a->n > 0)
        keep_records(c, e, now, a);
    else
        keep_failure(c, e, now, a->status == DT_DNS_FOUND ? DT_DNS_NO_DATA : a->status);
    e->state = DNS_KNOWN;
    e->answered = now;
    return e;
}
