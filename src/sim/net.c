/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sockets, links and datagrams of the simulated network. */
#include "sim/world.h"

enum { LATE_BASE_MS = 10, LATE_TIMES = 4, PER_MILLE = 1000 };

struct dt_sim_link *dt_sim_default_link(struct dt_sim *sim)
{
    return &sim->link;
}

struct dt_sim_link *dt_sim_link(struct dt_sim *sim, struct dt_sim_node *a, struct dt_sim_node *b)
{
    for (struct sim_pair *p = sim->pairs; p; p = p->next)
        if (p->a == a && p->b == b)
            return &p->link;
    struct sim_pair *p = dt_alloc_zero(sim->alloc, sizeof *p);
    if (!p)
        return NULL;
    *p = (struct sim_pair){sim->pairs, a, b, sim->link};
    sim->pairs = p;
    return &p->link;
}

const struct dt_sim_link *dt__sim_link_of(struct dt_sim *sim, const struct dt_sim_node *a,
                                          const struct dt_sim_node *b)
{
    for (struct sim_pair *p = sim->pairs; p; p = p->next)
        if (p->a == a && p->b == b)
            return &p->link;
    return &sim->link;
}

dt_time dt__sim_delay(struct dt_sim *sim, const struct dt_sim_link *l)
{
    return l->delay + (l->jitter > 0 ? (dt_time)dt_rng_below(&sim->rng, (uint64_t)l->jitter) : 0);
}

static bool strikes(struct dt_sim *sim, unsigned per_mille)
{
    return per_mille > 0 && dt_rng_below(&sim->rng, PER_MILLE) < per_mille;
}

/* ---- sockets ---- */

static uint64_t hash_of(const struct dt_map *m, const struct dt_addr *a)
{
    return dt_map_hash(m, (struct dt_str){(const char *)a, sizeof *a});
}

static struct sim_socket *lookup(const struct dt_map *m, const struct dt_addr *a)
{
    for (struct dt_map_entry *e = dt_map_first(m, hash_of(m, a)); e; e = dt_map_next(e)) {
        struct sim_socket *s = DT_OF(e, struct sim_socket, entry);
        if (dt_addr_eq(&s->local, a))
            return s;
    }
    return NULL;
}

/* The address itself, then the wildcard of its family. */
static struct dt_sim_node *find(const struct dt_map *m, const struct dt_addr *a)
{
    struct sim_socket *s = lookup(m, a);
    if (!s) {
        struct dt_addr any = {.port = a->port, .family = a->family, .transport = a->transport};
        s = lookup(m, &any);
    }
    return s ? s->node : NULL;
}

struct dt_sim_node *dt__sim_find(struct dt_sim *sim, const struct dt_addr *a)
{
    return find(&sim->sockets, a);
}

struct dt_sim_node *dt__sim_find_dead(struct dt_sim *sim, const struct dt_addr *a)
{
    return find(&sim->ghosts, a);
}

static int socket_open(struct dt_sim_node *n, struct dt_addr *local)
{
    struct dt_sim *sim = n->sim;
    while (local->port == 0) {
        local->port = sim->next_port++;
        if (sim->next_port == 0)
            sim->next_port = SIM_FIRST_PORT;
        if (lookup(&sim->sockets, local))
            local->port = 0;
    }
    if (lookup(&sim->sockets, local))
        return DT_E_INUSE;
    struct sim_socket *s = dt_alloc_zero(sim->alloc, sizeof *s);
    if (!s)
        return DT_E_NOMEM;
    s->node = n;
    s->local = *local;
    if (dt_map_add(&sim->sockets, &s->entry, hash_of(&sim->sockets, local))) {
        dt_alloc_free(sim->alloc, s);
        return DT_E_NOMEM;
    }
    dt_list_add(&n->sockets, &s->link);
    return DT_OK;
}

static void socket_close(struct dt_sim_node *n, const struct dt_addr *local)
{
    struct sim_socket *s = lookup(&n->sim->sockets, local);
    if (!s || s->node != n)
        return;
    dt_map_del(&n->sim->sockets, &s->entry);
    dt_list_del(&s->link);
    dt_alloc_free(n->sim->alloc, s);
}

void dt__sim_sockets_die(struct dt_sim_node *n)
{
    struct dt_sim *sim = n->sim;
    DT_LIST_EACH(e, &n->sockets)
    {
        struct sim_socket *s = DT_OF(e, struct sim_socket, link);
        dt_map_del(&sim->sockets, &s->entry);
        dt_list_del(&s->link);
        if (dt_map_add(&sim->ghosts, &s->entry, hash_of(&sim->ghosts, &s->local)))
            dt_alloc_free(sim->alloc, s);
        else
            dt_list_add(&n->ghosts, &s->link);
    }
}

void dt__sim_ghosts_clear(struct dt_sim_node *n)
{
    DT_LIST_EACH(e, &n->ghosts)
    {
        struct sim_socket *s = DT_OF(e, struct sim_socket, link);
        dt_map_del(&n->sim->ghosts, &s->entry);
        dt_list_del(&s->link);
        dt_alloc_free(n->sim->alloc, s);
    }
}

void dt__sim_listen(struct dt_sim_node *n, const struct dt_addr *local, bool open)
{
    if (!open) {
        socket_close(n, local);
        return;
    }
    struct dt_addr a = *local;
    int err = socket_open(n, &a);
    struct sim_event *e = dt__sim_event(n->sim, SIM_LISTENING, n->sim->now);
    if (!e)
        return;
    e->node = n;
    e->life = n->life;
    e->err = err;
    e->to = a;
}

/* ---- datagrams ---- */

static void send_one(struct dt_sim_node *n, const struct dt_output *o,
                     const struct dt_sim_link *link)
{
    struct dt_sim *sim = n->sim;
    dt_time delay = dt__sim_delay(sim, link);
    if (strikes(sim, link->reorder))
        delay += (dt_time)dt_rng_below(
            &sim->rng, (uint64_t)(LATE_TIMES * (link->delay + LATE_BASE_MS * DT_MS)));
    struct sim_event *e = dt__sim_event(sim, SIM_PACKET, sim->now + delay);
    if (!e)
        return; /* as a lost packet */
    e->from = o->local;
    e->to = o->remote;
    e->bytes = dt_bytes_hold(o->bytes);
}

void dt__sim_datagram(struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_sim *sim = n->sim;
    struct dt_sim_node *to = dt__sim_find(sim, &o->remote);
    const struct dt_sim_link *link = dt__sim_link_of(sim, n, to);
    dt__sim_tell(sim, DT_SIM_SENT, &o->local, &o->remote, o->bytes);
    if (link->cut || strikes(sim, link->loss)) {
        dt__sim_tell(sim, DT_SIM_LOST, &o->local, &o->remote, o->bytes);
        return;
    }
    if (n->blackhole || (to && to->blackhole)) {
        dt__sim_tell(sim, DT_SIM_UNHEARD, &o->local, &o->remote, o->bytes);
        return;
    }
    send_one(n, o, link);
    if (strikes(sim, link->duplicate))
        send_one(n, o, link);
}

/* Nobody listens: the sender hears of it (ICMP port unreachable), unless the place is silent. */
static void unheard(struct dt_sim *sim, const struct sim_event *e)
{
    struct dt_sim_node *dead = dt__sim_find_dead(sim, &e->to);
    dt__sim_tell(sim, DT_SIM_UNHEARD, &e->from, &e->to, e->bytes);
    if (dead && (dead->silent || dead->blackhole))
        return;
    struct sim_event *back = dt__sim_event(sim, SIM_ERROR, sim->now + sim->link.delay);
    if (!back)
        return;
    back->from = e->to;
    back->to = e->from;
    back->err = DT_E_REFUSED;
}

static void datagram_arrives(struct dt_sim *sim, const struct sim_event *e)
{
    struct dt_sim_node *n = dt__sim_find(sim, &e->to);
    if (!n) {
        unheard(sim, e);
        return;
    }
    dt__sim_tell(sim, DT_SIM_ARRIVED, &e->from, &e->to, e->bytes);
    struct dt_input in = {.kind = DT_IN_DATAGRAM, .local = e->to, .remote = e->from};
    in.data = dt_bytes_str(e->bytes);
    in.age = e->held ? sim->now - e->held : 0;
    dt__sim_give(sim, n, &in);
}

void dt__sim_packet_arrives(struct dt_sim *sim, struct sim_event *e)
{
    if (e->kind == SIM_PACKET) {
        datagram_arrives(sim, e);
        return;
    }
    bool failed = e->kind == SIM_ERROR || e->err != DT_OK;
    struct dt_sim_node *n = e->node ? e->node : dt__sim_find(sim, &e->to);
    if (!n)
        return;
    struct dt_input in = {.kind = failed ? DT_IN_SOCKET_ERROR : DT_IN_LISTENING, .err = e->err};
    in.local = e->to;
    in.remote = e->from;
    dt__sim_give(sim, n, &in);
}
