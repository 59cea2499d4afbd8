/* SPDX-License-Identifier: BSD-2-Clause
 *
 * UDP targets that owe us an answer. An ICMP error names its target, and a flood of them must not
 * cost a walk over all transactions each. */
#include "stack/private.h"

static struct dt_str bytes_of(const struct dt_addr *a)
{
    return (struct dt_str){(const char *)a, sizeof *a};
}

static struct dt__peer *find(const struct dt_stack *s, const struct dt_addr *remote)
{
    uint64_t hash = dt_map_hash(&s->peers, bytes_of(remote));
    for (struct dt_map_entry *e = dt_map_first(&s->peers, hash); e; e = dt_map_next(e)) {
        struct dt__peer *p = DT_OF(e, struct dt__peer, entry);
        if (dt_addr_eq(&p->remote, remote))
            return p;
    }
    return NULL;
}

static struct dt__peer *add(struct dt_stack *s, const struct dt_addr *remote)
{
    struct dt__peer *p = dt_alloc_zero(s->env->alloc, sizeof *p);
    if (!p)
        return NULL;
    p->remote = *remote;
    dt_list_init(&p->waiting);
    if (dt_map_add(&s->peers, &p->entry, dt_map_hash(&s->peers, bytes_of(remote)))) {
        dt_alloc_free(s->env->alloc, p);
        return NULL;
    }
    return p;
}

int dt__peer_attach(struct dt_stack *s, struct dt__tx *tx)
{
    struct dt__active *a = tx->active;
    struct dt__peer *p = find(s, &a->way.hop.remote);
    if (!p)
        p = add(s, &a->way.hop.remote);
    if (!p)
        return DT_E_NOMEM;
    a->client.peer = p;
    dt_list_add(&p->waiting, &a->client.link);
    return DT_OK;
}

static void drop_if_idle(struct dt_stack *s, struct dt__peer *p)
{
    if (p->pinned || !dt_list_empty(&p->waiting))
        return;
    dt_map_del(&s->peers, &p->entry);
    dt_alloc_free(s->env->alloc, p);
}

void dt__peer_detach(struct dt_stack *s, struct dt__tx *tx)
{
    struct dt__active *a = tx->active;
    struct dt__peer *p = a->client.peer;
    dt_list_del(&a->client.link);
    a->client.peer = NULL;
    if (p)
        drop_if_idle(s, p);
}

void dt__peer_error(struct dt_stack *s, dt_time now, const struct dt_addr *remote, int err)
{
    struct dt__peer *p = find(s, remote);
    if (!p)
        return;
    p->pinned = true;
    dt__clients_fail(s, now, &p->waiting, err);
    p->pinned = false;
    drop_if_idle(s, p);
}
