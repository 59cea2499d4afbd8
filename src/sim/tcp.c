/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TCP as a node sees it: connections that open, are refused or time out, bytes in order, the end. A
 * lost segment is a late one. */
#include "sim/world.h"

enum { CONNECT_GIVES_UP_S = 63, RESENT_AFTER_MS = 200, PER_MILLE = 1000 };

static struct sim_stream *find(struct dt_sim_node *n, uint64_t id, int *end)
{
    DT_LIST_EACH(e, &n->sim->streams)
    {
        struct sim_stream *s = DT_OF(e, struct sim_stream, all);
        for (int i = 0; i < 2; i++)
            if (s->ends[i] == n && s->ids[i] == id && s->open[i]) {
                *end = i;
                return s;
            }
    }
    return NULL;
}

static void stream_free(struct dt_sim *sim, struct sim_stream *s)
{
    dt_list_del(&s->all);
    dt_alloc_free(sim->alloc, s);
}

static void close_end(struct dt_sim *sim, struct sim_stream *s, int end)
{
    s->open[end] = false;
    if (!s->open[0] && !s->open[1])
        stream_free(sim, s);
}

/* An event for one node at a time; NULL without memory. */
static struct sim_event *tell(struct dt_sim_node *n, enum sim_event_kind kind, dt_time due,
                              uint64_t stream, int err)
{
    struct sim_event *e = dt__sim_event(n->sim, kind, due);
    if (!e)
        return NULL;
    e->node = n;
    e->life = n->life;
    e->stream = stream;
    e->err = err;
    return e;
}

static void connect_to(struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_sim *sim = n->sim;
    struct dt_addr from = o->local;
    if (from.family == 0 && !dt_list_empty(&n->sockets))
        from = DT_OF(n->sockets.next, struct sim_socket, link)->local;
    from.port = sim->next_port++;
    from.transport = DT_TCP;
    struct dt_sim_node *to = dt__sim_find(sim, &o->remote);
    struct dt_sim_node *dead = dt__sim_find_dead(sim, &o->remote);
    const struct dt_sim_link *link = dt__sim_link_of(sim, n, to);
    bool mute = link->cut || n->blackhole || (to && (to->blackhole || to->hung)) ||
                (!to && dead && (dead->silent || dead->blackhole));
    dt_time delay = mute ? CONNECT_GIVES_UP_S * DT_SECOND : dt__sim_delay(sim, link);
    struct sim_event *e = tell(n, SIM_CONNECT, sim->now + delay, o->stream, 0);
    if (!e)
        return;
    e->err = mute ? DT_E_TIMEOUT : DT_OK;
    e->from = from;
    e->to = o->remote;
}

/* The SYN is at its goal: accepted, refused, or given up. */
static void connect_arrives(struct dt_sim *sim, struct sim_event *e)
{
    struct dt_sim_node *to = dt__sim_find(sim, &e->to);
    int err = e->err ? e->err : to ? DT_OK : DT_E_REFUSED;
    struct sim_stream *s = err ? NULL : dt_alloc_zero(sim->alloc, sizeof *s);
    dt_time back = sim->now + (e->err ? 0 : sim->link.delay);
    if (!s) {
        tell(e->node, SIM_CLOSED, back, e->stream, err ? err : DT_E_NOMEM);
        return;
    }
    to->accepted += 2;
    *s = (struct sim_stream){.ends = {e->node, to},
                             .ids = {e->stream, to->accepted + 1},
                             .addr = {e->from, e->to},
                             .open = {true, true}};
    dt_list_add(&sim->streams, &s->all);
    struct sim_event *opened = tell(e->node, SIM_OPENED, back, e->stream, 0);
    if (opened) {
        opened->from = e->to;
        opened->to = e->from;
    }
    struct dt_input in = {.kind = DT_IN_STREAM_OPEN, .accepted = true, .stream = s->ids[1]};
    in.local = e->to;
    in.remote = e->from;
    dt__sim_give(sim, to, &in);
}

static void send_bytes(struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_sim *sim = n->sim;
    int end = 0;
    struct sim_stream *s = find(n, o->stream, &end);
    if (!s)
        return;
    dt__sim_tell(sim, DT_SIM_SENT, &s->addr[end], &s->addr[1 - end], o->bytes);
    struct dt_sim_node *to = s->ends[1 - end];
    const struct dt_sim_link *link = dt__sim_link_of(sim, n, to);
    if (link->cut || n->blackhole || to->blackhole || !s->open[1 - end]) {
        dt__sim_tell(sim, DT_SIM_UNHEARD, &s->addr[end], &s->addr[1 - end], o->bytes);
        return;
    }
    dt_time due = sim->now + dt__sim_delay(sim, link);
    while (link->loss > 0 && dt_rng_below(&sim->rng, PER_MILLE) < link->loss)
        due += RESENT_AFTER_MS * DT_MS;
    if (due < s->busy[1 - end])
        due = s->busy[1 - end];
    s->busy[1 - end] = due;
    struct sim_event *e = tell(to, SIM_BYTES, due, s->ids[1 - end], 0);
    if (!e)
        return;
    e->from = s->addr[end];
    e->to = s->addr[1 - end];
    e->bytes = dt_bytes_hold(o->bytes);
}

static void close_stream(struct dt_sim_node *n, uint64_t id, int err)
{
    struct dt_sim *sim = n->sim;
    int end = 0;
    struct sim_stream *s = find(n, id, &end);
    if (!s)
        return;
    struct dt_sim_node *to = s->ends[1 - end];
    dt_time due = sim->now + sim->link.delay;
    if (due < s->busy[1 - end])
        due = s->busy[1 - end];
    if (s->open[1 - end] && to->node && !n->blackhole && !n->silent)
        tell(to, SIM_CLOSED, due, s->ids[1 - end], err);
    close_end(sim, s, end);
}

void dt__sim_tcp_output(struct dt_sim_node *n, const struct dt_output *o)
{
    if (o->kind == DT_OUT_CONNECT)
        connect_to(n, o);
    else if (o->kind == DT_OUT_STREAM_DATA)
        send_bytes(n, o);
    else
        close_stream(n, o->stream, DT_E_CLOSED);
}

void dt__sim_tcp_event(struct dt_sim *sim, struct sim_event *e)
{
    if (e->kind == SIM_CONNECT) {
        connect_arrives(sim, e);
        return;
    }
    struct dt_input in = {.stream = e->stream, .err = e->err, .local = e->to, .remote = e->from};
    int end = 0;
    struct sim_stream *s = find(e->node, e->stream, &end);
    if (e->kind == SIM_CLOSED) {
        in.kind = DT_IN_STREAM_CLOSED;
        if (s)
            close_end(sim, s, end);
        dt__sim_give(sim, e->node, &in);
        return;
    }
    if (!s)
        return;
    in.kind = e->kind == SIM_OPENED ? DT_IN_STREAM_OPEN : DT_IN_STREAM_DATA;
    in.data = dt_bytes_str(e->bytes);
    if (e->kind == SIM_BYTES)
        dt__sim_tell(sim, DT_SIM_ARRIVED, &e->from, &e->to, e->bytes);
    dt__sim_give(sim, e->node, &in);
}

void dt__sim_tcp_reset(struct dt_sim_node *n)
{
    DT_LIST_EACH(e, &n->sim->streams)
    {
        struct sim_stream *s = DT_OF(e, struct sim_stream, all);
        for (int i = 0; i < 2; i++)
            if (s->ends[i] == n && s->open[i]) {
                close_stream(n, s->ids[i], DT_E_CLOSED);
                break;
            }
    }
}

void dt__sim_tcp_clear(struct dt_sim *sim)
{
    DT_LIST_EACH(e, &sim->streams)
    stream_free(sim, DT_OF(e, struct sim_stream, all));
}
