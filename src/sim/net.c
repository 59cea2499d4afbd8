/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sockets and datagrams of the simulated network. */
#include "sim/world.h"

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

uint16_t dt__sim_port(struct dt_sim *sim)
{
    uint16_t port = sim->next_port;
    sim->next_port = port == UINT16_MAX ? SIM_FIRST_PORT : (uint16_t)(port + 1);
    return port;
}

static void choose_port(struct dt_sim *sim, struct dt_addr *local)
{
    for (int tries = UINT16_MAX - SIM_FIRST_PORT; tries >= 0; tries--) {
        local->port = dt__sim_port(sim);
        if (!lookup(&sim->sockets, local))
            return;
    }
}

static int socket_open(struct dt_sim_node *n, struct dt_addr *local)
{
    struct dt_sim *sim = n->sim;
    if (local->port == 0)
        choose_port(sim, local);
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

static void move_list(struct dt_list *list, struct dt_sim_node *to)
{
    struct dt_sim *sim = to->sim;
    DT_LIST_EACH(e, list)
    {
        struct sim_socket *s = DT_OF(e, struct sim_socket, link);
        dt_map_del(&sim->ghosts, &s->entry);
        dt_list_del(&s->link);
        s->node = to;
        if (lookup(&sim->sockets, &s->local) ||
            dt_map_add(&sim->sockets, &s->entry, hash_of(&sim->sockets, &s->local)))
            dt_alloc_free(sim->alloc, s);
        else
            dt_list_add(&to->sockets, &s->link);
    }
}

void dt__sim_sockets_move(struct dt_sim_node *from, struct dt_sim_node *to)
{
    dt__sim_sockets_die(from);
    move_list(&from->ghosts, to);
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

static void send_one(struct dt_sim_node *n, const struct dt_output *o, struct dt_sim_node *to)
{
    struct dt_sim *sim = n->sim;
    struct sim_event *e = dt__sim_event(sim, SIM_PACKET, dt__sim_arrival(sim, n, to));
    if (!e)
        return; /* as a lost packet */
    e->from = o->local;
    e->to = o->remote;
    e->bytes = dt_bytes_hold(o->bytes);
}

void dt__sim_datagram(struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_sim *sim = n->sim;
    if (n->moved)
        return; /* it has no address to send from */
    struct dt_sim_node *to = dt__sim_find(sim, &o->remote);
    if (!to)
        to = dt__sim_find_dead(sim, &o->remote);
    const struct dt_sim_link *link = dt__sim_link_of(sim, n, to);
    dt__sim_tell(sim, DT_SIM_SENT, &o->local, &o->remote, o->bytes);
    if (link->cut || dt__sim_strikes(sim, link->loss)) {
        dt__sim_tell(sim, DT_SIM_LOST, &o->local, &o->remote, o->bytes);
        return;
    }
    if (dt__sim_mute(sim, n, to)) {
        dt__sim_tell(sim, DT_SIM_UNHEARD, &o->local, &o->remote, o->bytes);
        return;
    }
    send_one(n, o, to);
    if (dt__sim_strikes(sim, link->duplicate))
        send_one(n, o, to);
}

/* Nobody listens: the sender hears of it (ICMP port unreachable), unless the place is silent or the
 * way back is no better than the way there. */
static void unheard(struct dt_sim *sim, const struct sim_event *e)
{
    struct dt_sim_node *dead = dt__sim_find_dead(sim, &e->to);
    struct dt_sim_node *sender = dt__sim_find(sim, &e->from);
    const struct dt_sim_link *link = dt__sim_link_of(sim, dead, sender);
    dt__sim_tell(sim, DT_SIM_UNHEARD, &e->from, &e->to, e->bytes);
    if ((dead && dead->silent) || dt__sim_mute(sim, dead, sender) ||
        dt__sim_strikes(sim, link->loss))
        return;
    struct sim_event *back = dt__sim_event(sim, SIM_ERROR, sim->now + dt__sim_delay(sim, link));
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
    in.age = e->held ? sim->now - e->came : 0;
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
