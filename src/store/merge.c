/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two stores become equal (I26): what each has is owed to the other until it has it, and of two
 * bindings of one contact both keep the same one. */
#include "dualtone/uri.h"
#include "store/memory.h"

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

const struct dt_binding *dt_location_owed(const struct dt_location *l)
{
    return dt_list_empty(&l->owed) ? NULL : DT_OF(l->owed.next, struct dt_binding, owed);
}

void dt_location_paid(struct dt_location *l)
{
    if (!dt_list_empty(&l->owed))
        dt_list_del(l->owed.next);
}

void dt_location_owe(struct dt_location *l, struct dt_str aor, struct dt_str contact)
{
    struct dt_binding *b = dt__aor_binding(dt__aor_find(l, aor), contact);
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
        if (b->stamp < stamp && !dt_str_eq(dt_binding_contact(b), DT_STAR))
            drop(l, b);
    }
}

/* How a copy becomes a binding. */
struct new_one {
    dt_time life;
    uint64_t stamp;
    struct dt_binding *old; /* what it replaces, or NULL */
    bool owed;
};

static int put(struct dt_location *l, dt_time now, const struct dt_location_update *u,
               const struct new_one *new)
{
    struct dt_location_aor *a = dt__aor_find(l, u->aor);
    struct dt_binding *b = dt__binding_new(l, u, u->contacts), *old = new->old;
    if (!b)
        return DT_E_NOMEM;
    if (dt_timers_arm(&l->timers, &b->timer, now + new->life) ||
        (!a && !(a = dt__aor_new(l, u->aor)))) {
        dt__binding_free(l, b);
        return DT_E_NOMEM;
    }
    b->stamp = new->stamp;
    if (old) /* the way to the phone is this node's own business */
        b->flow = old->flow;
    dt__binding_attach(l, a, b, old ? &old->link : &a->bindings);
    l->counts.version++;
    if (new->owed)
        dt__binding_owe(l, b);
    if (old)
        drop(l, old);
    if (dt_str_eq(u->contacts->uri, DT_STAR))
        sweep(l, a, new->stamp);
    return DT_OK;
}

static int check(const struct dt_location *l, const struct dt_location_update *u,
                 const struct dt_location_aor *a, const struct dt_binding *old)
{
    const struct dt_location_contact *c = u->contacts;
    struct dt_uri uri;
    bool star = dt_str_eq(c->uri, DT_STAR) && !c->expires;
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

/* The two compared: what becomes of the copy. `restored`: it is from a snapshot of ours. */
static int settle(struct dt_location *l, dt_time now, const struct dt_location_update *u,
                  struct dt_binding *old, dt_time life, bool restored)
{
    int newer = old ? compare(old, u) : 1;
    struct new_one new = {.life = life, .stamp = u->wall, .old = old, .owed = restored};
    if (newer > 0 && old && old->stamp >= u->wall) {
        new.stamp = old->stamp + 1; /* by CSeq: then by stamp too, for all who compare later */
        new.owed = true;
    }
    if (newer > 0)
        return put(l, now, u, &new);
    if (newer < 0 && u->wall >= old->stamp)
        old->stamp = u->wall + 1;
    if (newer < 0)
        dt__binding_owe(l, old);
    return DT_OK;
}

static int merge(struct dt_location *l, dt_time now, const struct dt_location_update *u,
                 dt_time life, bool restored)
{
    dt_location_tick(l, now);
    struct dt_location_aor *a = dt__aor_find(l, u->aor);
    struct dt_binding *old = u->n ? dt__aor_binding(a, u->contacts[0].uri) : NULL;
    struct dt_binding *star = dt__aor_binding(a, DT_STAR);
    int err = check(l, u, a, old);
    if (err)
        return err;
    if (star && star != old && star->stamp > u->wall) {
        dt__binding_owe(l, star); /* the twin did not know of it */
        return DT_OK;
    }
    return settle(l, now, u, old, life, restored);
}

int dt_location_merge(struct dt_location *l, dt_time now, const struct dt_location_update *u)
{
    dt_time life = u->n ? (dt_time)u->contacts[0].expires * DT_SECOND : 0;
    return merge(l, now, u, life ? life : l->cfg.removed_kept, false);
}

int dt__location_restore(struct dt_location *l, dt_time now, const struct dt_location_update *u,
                         dt_time life)
{
    return merge(l, now, u, life, true);
}
