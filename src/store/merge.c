/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two stores become equal (I26): what each has is owed to the other until it has it, and of two
 * bindings of one contact both keep the same one. */
#include "dualtone/uri.h"
#include "store/memory.h"

#define STAR DT_STR("*")

struct dt_str dt_binding_aor(const struct dt_binding *b)
{
    return dt__aor_name(b->aor);
}

/* ---- what is owed ---- */

void dt__binding_owe(struct dt_location *l, struct dt_binding *b)
{
    dt_list_del(&b->owed);
    if (l->cfg.twin)
        dt_list_add(&l->owed, &b->owed);
}

const struct dt_binding *dt_location_owed(struct dt_location *l)
{
    return dt_list_empty(&l->owed) ? NULL : DT_OF(l->owed.next, struct dt_binding, owed);
}

void dt_location_paid(const struct dt_binding *b)
{
    struct dt_list *e = (struct dt_list *)&b->owed; /* ours: dt_location_owed gave it out */
    dt_list_del(e);
}

static bool same_contact(struct dt_str a, struct dt_str b)
{
    struct dt_uri x, y;
    if (dt_str_eq(a, b))
        return true;
    return !dt_uri_parse(&x, a, NULL) && !dt_uri_parse(&y, b, NULL) && dt_uri_eq(&x, &y);
}

static struct dt_binding *find(const struct dt_location_aor *a, struct dt_str contact)
{
    if (!a)
        return NULL;
    DT_LIST_EACH(e, &a->bindings)
    {
        struct dt_binding *b = DT_OF(e, struct dt_binding, link);
        if (same_contact(dt_binding_contact(b), contact))
            return b;
    }
    return NULL;
}

void dt_location_owe(struct dt_location *l, struct dt_str aor, struct dt_str contact)
{
    struct dt_binding *b = find(dt__aor_find(l, aor), contact);
    if (b)
        dt__binding_owe(l, b);
}

void dt_location_owe_all(struct dt_location *l)
{
    DT_LIST_EACH(e, &l->aors)
    {
        struct dt_location_aor *a = DT_OF(e, struct dt_location_aor, link);
        DT_LIST_EACH(f, &a->bindings)
        dt__binding_owe(l, DT_OF(f, struct dt_binding, link));
    }
}

/* ---- which of two is the newer ---- */

/* Below 0: ours, above 0: the copy; 0: they are the same. */
static int compare(const struct dt_binding *b, const struct dt_location_update *u)
{
    struct dt_str id = dt_binding_call_id(b);
    if (dt_str_eq(id, u->call_id)) {
        if (b->cseq != u->cseq)
            return u->cseq > b->cseq ? 1 : -1;
        return (u->wall > b->stamp) - (u->wall < b->stamp);
    }
    if (b->stamp != u->wall)
        return u->wall > b->stamp ? 1 : -1;
    return dt_str_cmp(u->call_id, id) > 0 ? 1 : -1;
}

static void drop(struct dt_location *l, struct dt_binding *b)
{
    l->counts.version += !b->gone;
    dt__binding_detach(l, b);
    dt__binding_free(l, b);
}

/* All that is older than a star goes. */
static void sweep(struct dt_location *l, struct dt_location_aor *a, uint64_t stamp)
{
    DT_LIST_EACH(e, &a->bindings)
    {
        struct dt_binding *b = DT_OF(e, struct dt_binding, link);
        if (b->stamp < stamp && !dt_str_eq(dt_binding_contact(b), STAR))
            drop(l, b);
    }
}

static int put(struct dt_location *l, dt_time now, const struct dt_location_update *u,
               uint64_t stamp, struct dt_binding *old)
{
    const struct dt_location_contact *c = u->contacts;
    dt_time life = (dt_time)c->expires * DT_SECOND;
    struct dt_location_aor *a = dt__aor_find(l, u->aor);
    struct dt_binding *b = dt__binding_new(l, u, c);
    if (!b)
        return DT_E_NOMEM;
    if (!c->expires)
        life = l->cfg.removed_kept;
    if (dt_timers_arm(&l->timers, &b->timer, now + life) || (!a && !(a = dt__aor_new(l, u->aor)))) {
        dt__binding_free(l, b);
        return DT_E_NOMEM;
    }
    b->stamp = stamp;
    if (old) /* the way to the phone is this node's own business */
        b->flow = old->flow;
    dt__binding_attach(l, a, b, old ? &old->link : &a->bindings);
    l->counts.version++;
    if (stamp != u->wall)
        dt__binding_owe(l, b);
    if (old)
        drop(l, old);
    if (dt_str_eq(c->uri, STAR))
        sweep(l, a, stamp);
    return DT_OK;
}

static int check(const struct dt_location *l, const struct dt_location_update *u,
                 const struct dt_location_aor *a, const struct dt_binding *old)
{
    const struct dt_location_contact *c = u->contacts;
    struct dt_uri uri;
    bool star = dt_str_eq(c->uri, STAR) && !c->expires;
    if (u->n != 1 || (!star && dt_uri_parse(&uri, c->uri, NULL)))
        return DT_E_SYNTAX;
    if (u->aor.n + c->uri.n + c->instance.n + u->call_id.n + u->path.n > DT_BINDING_TEXT_MAX)
        return DT_E_RANGE;
    if (old)
        return DT_OK;
    if (a && (size_t)a->live + a->gone >= 2 * (size_t)DT_CONTACTS_MAX)
        return DT_E_LIMIT;
    uint32_t all = c->expires ? l->counts.bindings : l->counts.removed;
    return all < l->cfg.max_bindings ? DT_OK : DT_E_RANGE;
}

int dt_location_merge(struct dt_location *l, dt_time now, const struct dt_location_update *u)
{
    dt_location_tick(l, now);
    struct dt_location_aor *a = dt__aor_find(l, u->aor);
    struct dt_binding *old = u->n ? find(a, u->contacts[0].uri) : NULL, *star = find(a, STAR);
    int err = check(l, u, a, old);
    if (err)
        return err;
    if (star && star != old && star->stamp > u->wall) {
        dt__binding_owe(l, star); /* the twin did not know of it */
        return DT_OK;
    }
    int newer = old ? compare(old, u) : 1;
    uint64_t stamp = u->wall;
    if (newer > 0 && old && old->stamp >= stamp)
        stamp = old->stamp + 1; /* by CSeq: then by stamp too, for all who compare later */
    if (newer > 0)
        return put(l, now, u, stamp, old);
    if (newer < 0 && u->wall >= old->stamp)
        old->stamp = u->wall + 1;
    if (newer < 0)
        dt__binding_owe(l, old);
    return DT_OK;
}
