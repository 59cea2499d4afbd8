/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses of record in a keyed map, each with a short list of bindings; one allocation a binding,
 * one heap of expiries. */
#include <string.h>

#include "dualtone/uri.h"
#include "store/memory.h"

struct dt_str dt_binding_contact(const struct dt_binding *b)
{
    return (struct dt_str){b->text, b->contact_n};
}

struct dt_str dt_binding_call_id(const struct dt_binding *b)
{
    return (struct dt_str){b->text + b->contact_n, b->call_id_n};
}

struct dt_str dt_binding_path(const struct dt_binding *b)
{
    return (struct dt_str){b->text + b->contact_n + b->call_id_n, b->path_n};
}

struct dt_str dt_binding_instance(const struct dt_binding *b)
{
    return (struct dt_str){b->text + b->contact_n + b->call_id_n + b->path_n, b->instance_n};
}

uint32_t dt_binding_left(const struct dt_binding *b, dt_time now)
{
    dt_time left = b->timer.due - now;
    return left <= 0 ? 0 : (uint32_t)((left + DT_SECOND - 1) / DT_SECOND);
}

/* ---- addresses of record ---- */

struct dt_location_aor *dt__aor_find(const struct dt_location *l, struct dt_str name)
{
    if (l->last && dt_str_eq(dt__aor_name(l->last), name))
        return l->last;
    uint64_t hash = dt_map_hash(&l->map, name);
    for (struct dt_map_entry *e = dt_map_first(&l->map, hash); e; e = dt_map_next(e)) {
        struct dt_location_aor *a = DT_OF(e, struct dt_location_aor, entry);
        if (dt_str_eq(dt__aor_name(a), name))
            return a;
    }
    return NULL;
}

bool dt__same_contact(struct dt_str a, struct dt_str b)
{
    struct dt_uri x, y;
    if (dt_str_eq(a, b))
        return true;
    return !dt_uri_parse(&x, a, NULL) && !dt_uri_parse(&y, b, NULL) && dt_uri_eq(&x, &y);
}

struct dt_binding *dt__aor_binding(const struct dt_location_aor *a, struct dt_str contact)
{
    if (!a)
        return NULL;
    DT_LIST_EACH(e, &a->bindings)
    {
        struct dt_binding *b = DT_OF(e, struct dt_binding, link);
        if (dt__same_contact(dt_binding_contact(b), contact))
            return b;
    }
    return NULL;
}

struct dt_location_aor *dt__aor_new(struct dt_location *l, struct dt_str name)
{
    struct dt_location_aor *a = dt_alloc_zero(l->alloc, sizeof *a + name.n);
    if (!a)
        return NULL;
    if (dt_map_add(&l->map, &a->entry, dt_map_hash(&l->map, name))) {
        dt_alloc_free(l->alloc, a);
        return NULL;
    }
    memcpy(a->name, name.p, name.n);
    a->name_n = (uint16_t)name.n;
    dt_list_init(&a->bindings);
    dt_list_add(&l->aors, &a->link);
    l->counts.aors++;
    return a;
}

void dt__aor_settle(struct dt_location *l, struct dt_location_aor *a)
{
    if (!dt_list_empty(&a->bindings))
        return;
    if (l->last == a)
        l->last = NULL;
    dt_map_del(&l->map, &a->entry);
    dt_list_del(&a->link);
    l->counts.aors--;
    dt_alloc_free(l->alloc, a);
}

/* ---- bindings ---- */

static char *put(char *at, struct dt_str s)
{
    if (s.n)
        memcpy(at, s.p, s.n);
    return at + s.n;
}

struct dt_binding *dt__binding_new(struct dt_location *l, const struct dt_location_update *u,
                                   const struct dt_location_contact *c)
{
    size_t n = c->uri.n + u->call_id.n + u->path.n + c->instance.n;
    struct dt_binding *b = dt_alloc_zero(l->alloc, sizeof *b + n);
    if (!b)
        return NULL;
    dt_list_init(&b->link);
    dt_list_init(&b->owed);
    b->stamp = u->wall;
    dt_timer_init(&b->timer, 0);
    b->flow = u->flow;
    b->cseq = u->cseq;
    b->q = c->q;
    b->gone = c->expires == 0;
    b->contact_n = (uint16_t)c->uri.n;
    b->call_id_n = (uint16_t)u->call_id.n;
    b->path_n = (uint16_t)u->path.n;
    b->instance_n = (uint16_t)c->instance.n;
    put(put(put(put(b->text, c->uri), u->call_id), u->path), c->instance);
    return b;
}

void dt__binding_free(struct dt_location *l, struct dt_binding *b)
{
    dt_timers_stop(&l->timers, &b->timer);
    dt_list_del(&b->owed);
    dt_alloc_free(l->alloc, b);
}

void dt__binding_attach(struct dt_location *l, struct dt_location_aor *a, struct dt_binding *b,
                        struct dt_list *place)
{
    b->aor = a;
    dt_list_add(place, &b->link);
    a->live += !b->gone;
    a->gone += b->gone;
    l->counts.bindings += !b->gone;
    l->counts.removed += b->gone;
}

void dt__binding_detach(struct dt_location *l, struct dt_binding *b)
{
    dt_list_del(&b->link);
    b->aor->live -= !b->gone;
    b->aor->gone -= b->gone;
    l->counts.bindings -= !b->gone;
    l->counts.removed -= b->gone;
}

/* ---- life ---- */

struct dt_location *dt_location_new(const struct dt_location_config *cfg, struct dt_env *env)
{
    struct dt_location *l = dt_alloc_zero(env->alloc, sizeof *l);
    if (!l)
        return NULL;
    uint64_t key[2] = {dt_rng_u64(&env->rng), dt_rng_u64(&env->rng)};
    l->alloc = env->alloc;
    l->cfg = *cfg;
    if (l->cfg.max_contacts > DT_CONTACTS_MAX)
        l->cfg.max_contacts = DT_CONTACTS_MAX;
    dt_map_init(&l->map, l->alloc, key);
    dt_list_init(&l->aors);
    dt_list_init(&l->owed);
    dt_timers_init(&l->timers, l->alloc);
    return l;
}

static void drop(struct dt_location *l, struct dt_binding *b)
{
    struct dt_location_aor *a = b->aor;
    dt__binding_detach(l, b);
    dt__binding_free(l, b);
    dt__aor_settle(l, a);
}

void dt_location_free(struct dt_location *l)
{
    if (!l)
        return;
    dt_timers_clear(&l->timers); /* first: it touches the timers that lie in the bindings */
    DT_LIST_EACH(e, &l->aors)
    {
        struct dt_location_aor *a = DT_OF(e, struct dt_location_aor, link);
        DT_LIST_EACH(f, &a->bindings)
        dt_alloc_free(l->alloc, DT_OF(f, struct dt_binding, link));
        dt_alloc_free(l->alloc, a);
    }
    dt_map_clear(&l->map);
    dt_alloc_free(l->alloc, l);
}

dt_time dt_location_deadline(const struct dt_location *l)
{
    return dt_timers_next(&l->timers);
}

void dt_location_tick(struct dt_location *l, dt_time now)
{
    struct dt_timer *t;
    while ((t = dt_timers_due(&l->timers, now))) {
        struct dt_binding *b = DT_OF(t, struct dt_binding, timer);
        l->counts.version += !b->gone;
        drop(l, b);
    }
}

struct dt_location_counts dt_location_count(const struct dt_location *l)
{
    return l->counts;
}

/* ---- looking up ---- */

/* Keeps `out` in falling order of q; equal ones stay in the order of their making. */
static void insert(const struct dt_binding **out, size_t n, const struct dt_binding *b)
{
    size_t i = n;
    for (; i && out[i - 1]->q < b->q; i--)
        out[i] = out[i - 1];
    out[i] = b;
}

size_t dt_location_find(const struct dt_location *l, dt_time now, struct dt_str aor,
                        const struct dt_binding **out, size_t max, bool *known)
{
    const struct dt_location_aor *a = dt__aor_find(l, aor);
    size_t n = 0;
    if (known)
        *known = a != NULL;
    if (!a)
        return 0;
    DT_LIST_EACH(e, &a->bindings)
    {
        const struct dt_binding *b = DT_OF(e, struct dt_binding, link);
        if (b->gone || b->timer.due <= now)
            continue;
        if (n < max)
            insert(out, n, b);
        n++;
    }
    return n;
}
