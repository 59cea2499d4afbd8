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

static bool matches(const struct dt_addr *socket, const struct dt_addr *a)
{
    return socket->port == a->port && socket->transport == a->transport &&
           (dt_addr_ip_eq(socket, a) || (dt_addr_is_any(socket) && socket->family == a->family));
}

struct dt_sim_node *dt__sim_find(struct dt_sim *sim, const struct dt_addr *a)
{
    DT_LIST_EACH(e, &sim->nodes)
    {
        struct dt_sim_node *n = DT_OF(e, struct dt_sim_node, all);
        for (size_t i = 0; i < n->n_sockets; i++)
            if (matches(&n->sockets[i].local, a))
                return n;
    }
    return NULL;
}

struct dt_sim_node *dt__sim_find_dead(struct dt_sim *sim, const struct dt_addr *a)
{
    DT_LIST_EACH(e, &sim->nodes)
    {
        struct dt_sim_node *n = DT_OF(e, struct dt_sim_node, all);
        for (size_t i = 0; i < n->n_ghosts; i++)
            if (matches(&n->ghosts[i], a))
                return n;
    }
    return NULL;
}

static int socket_open(struct dt_sim_node *n, struct dt_addr *local)
{
    struct dt_sim *sim = n->sim;
    while (local->port == 0) {
        local->port = sim->next_port++;
        if (sim->next_port == 0)
            sim->next_port = 40000;
        if (dt__sim_find(sim, local))
            local->port = 0;
    }
    if (dt__sim_find(sim, local))
        return DT_E_INUSE;
    struct sim_socket *more =
        dt_alloc_array(sim->alloc, n->sockets, n->n_sockets + 1, sizeof *more);
    if (!more)
        return DT_E_NOMEM;
    n->sockets = more;
    n->sockets[n->n_sockets++].local = *local;
    return DT_OK;
}

static void socket_close(struct dt_sim_node *n, const struct dt_addr *local)
{
    for (size_t i = 0; i < n->n_sockets; i++)
        if (dt_addr_eq(&n->sockets[i].local, local)) {
            n->sockets[i] = n->sockets[--n->n_sockets];
            return;
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
