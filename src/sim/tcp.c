/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TCP as a node sees it: connections that open, are refused or time out, bytes in order, the end. A
 * lost segment is a late one. */
#include "sim/world.h"

enum {
    CONNECT_GIVES_UP_S = 10, /* as the real host does (io/host.h) */
    SILENCE_GIVES_UP_S =
        924, /* bytes that nobody acknowledges (RFC 1122 4.2.3.5, Linux's default) */
    RESENT_AFTER_MS = 200,
    RESENDS_MAX = 15
};

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

/* An event for the node at one end; NULL without memory. */
static struct sim_event *tell(struct sim_stream *s, int end, enum sim_event_kind kind, dt_time due,
                              int err)
{
    struct dt_sim_node *n = s->ends[end];
    struct sim_event *e = dt__sim_event(n->sim, kind, due);
    if (!e)
        return NULL;
    e->node = n;
    e->life = n->life;
    e->stream = s->ids[end];
    e->err = err;
    e->from = s->addr[1 - end];
    e->to = s->addr[end];
    return e;
}

/* When what is sent now towards `end` arrives: behind what was sent before; DT_TIME_NEVER: lost
 * again and again. */
static dt_time arrival(struct dt_sim *sim, struct sim_stream *s, int end)
{
    const struct dt_sim_link *link = dt__sim_link_of(sim, s->ends[1 - end], s->ends[end]);
    dt_time due = sim->now + dt__sim_delay(sim, link);
    for (int resends = 0; dt__sim_strikes(sim, link->loss); resends++) {
        if (resends == RESENDS_MAX)
            return DT_TIME_NEVER;
        due += RESENT_AFTER_MS * DT_MS;
    }
    if (due > s->busy[end])
        s->busy[end] = due;
    return s->busy[end];
}

/* ---- opening ---- */

static struct dt_addr source_of(const struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_addr from = o->local;
    if (from.family == 0 && !dt_list_empty(&n->sockets))
        from = DT_OF(n->sockets.next, struct sim_socket, link)->local;
    from.port = dt__sim_port(n->sim);
    from.transport = DT_TCP;
    return from;
}

static void connect_to(struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_sim *sim = n->sim;
    struct sim_stream *s = dt_alloc_zero(sim->alloc, sizeof *s);
    if (!s)
        return; /* as if the connection were never answered */
    struct dt_sim_node *to = dt__sim_find(sim, &o->remote);
    struct dt_sim_node *dead = to ? NULL : dt__sim_find_dead(sim, &o->remote);
    bool mute = dt__sim_mute(sim, n, to ? to : dead) || (dead && dead->silent);
    s->ends[0] = n;
    s->ids[0] = o->stream;
    s->open[0] = true;
    s->addr[0] = source_of(n, o);
    s->addr[1] = o->remote;
    dt_list_add(&sim->streams, &s->all);
    s->ends[1] = to ? to : dead; /* for the link */
    dt_time due = mute ? DT_TIME_NEVER : arrival(sim, s, 1);
    s->ends[1] = NULL;
    if (due == DT_TIME_NEVER)
        tell(s, 0, SIM_CLOSED, sim->now + CONNECT_GIVES_UP_S * DT_SECOND, DT_E_TIMEOUT);
    else
        tell(s, 0, SIM_CONNECT, due, 0);
}

/* The SYN is at its goal: accepted by the kernel, also of a hung process, or refused. */
static void connect_arrives(struct dt_sim *sim, const struct sim_event *e, struct sim_stream *s)
{
    struct dt_sim_node *to = dt__sim_find(sim, &s->addr[1]);
    dt_time back = sim->now + dt__sim_delay(sim, dt__sim_link_of(sim, to, e->node));
    if (!to) {
        tell(s, 0, SIM_CLOSED, back, DT_E_REFUSED);
        return;
    }
    to->accepted += 2;
    s->ends[1] = to;
    s->ids[1] = to->accepted + 1;
    s->open[1] = true;
    s->busy[0] = back;
    tell(s, 0, SIM_OPENED, back, 0);
    tell(s, 1, SIM_ACCEPTED, sim->now, 0);
}

/* ---- bytes ---- */

/* The bytes towards `end` are lost for good: what follows is, too, and the sender gives up. */
static void get_stuck(struct dt_sim *sim, struct sim_stream *s, int end)
{
    if (!s->stuck[end])
        tell(s, 1 - end, SIM_CLOSED, sim->now + SILENCE_GIVES_UP_S * DT_SECOND, DT_E_TIMEOUT);
    s->stuck[end] = true;
}

/* The bytes come to who knows nothing of the connection (RFC 9293 3.5.2). */
static void reset_by_stranger(struct sim_stream *s, int mine)
{
    struct dt_sim *sim = s->ends[mine]->sim;
    tell(s, mine, SIM_CLOSED, sim->now + 2 * sim->link.delay, DT_E_CLOSED);
}

void dt__sim_tcp_moved(struct dt_sim_node *n)
{
    DT_LIST_EACH(e, &n->sim->streams)
    {
        struct sim_stream *s = DT_OF(e, struct sim_stream, all);
        for (int mine = 0; mine < 2; mine++)
            if (s->ends[1 - mine] == n && s->open[mine] && s->stuck[1 - mine])
                reset_by_stranger(s, mine); /* what it repeats all the time */
    }
}

/* They are lost, and the sender will hear of it, at once or much later. */
static void not_heard(struct sim_stream *s, int mine, dt_time due)
{
    struct dt_sim *sim = s->ends[mine]->sim;
    int end = 1 - mine;
    if (s->ends[end]->moved)
        reset_by_stranger(s, mine);
    else if (due == DT_TIME_NEVER)
        get_stuck(sim, s, end);
    else /* who knows nothing of the connection resets it (RFC 9293 3.5.2) */
        tell(s, mine, SIM_CLOSED, due, DT_E_CLOSED);
}

/* Who watches may kill the sender: what was said to be sent is on its way then, and the stream may
 * be gone. */
static void send_bytes(struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_sim *sim = n->sim;
    int mine = 0;
    struct sim_stream *s = find(n, o->stream, &mine);
    if (!s || !s->ends[1] || n->moved)
        return;
    int end = 1 - mine;
    const struct dt_sim_node *to = s->ends[end];
    const struct dt_addr from_addr = s->addr[mine], to_addr = s->addr[end];
    bool mute = s->stuck[end] || dt__sim_mute(sim, n, to) || (!to->node && to->silent);
    dt_time due = mute ? DT_TIME_NEVER : arrival(sim, s, end);
    bool heard = due != DT_TIME_NEVER && s->open[end] && !to->moved;
    struct sim_event *e = heard ? tell(s, end, SIM_BYTES, due, 0) : NULL;
    if (e)
        e->bytes = dt_bytes_hold(o->bytes);
    else if (heard)
        s->stuck[end] = true; /* no memory: never bytes with a gap before them */
    else
        not_heard(s, mine, due);
    dt__sim_tell(sim, DT_SIM_SENT, &from_addr, &to_addr, o->bytes);
    if (!heard)
        dt__sim_tell(sim, DT_SIM_UNHEARD, &from_addr, &to_addr, o->bytes);
}

/* ---- the end ---- */

static void close_stream(struct dt_sim *sim, struct sim_stream *s, int mine)
{
    int end = 1 - mine;
    struct dt_sim_node *n = s->ends[mine];
    bool silent = !n->node && n->silent;
    if (s->open[end] && !s->stuck[end] && !silent && !dt__sim_mute(sim, n, s->ends[end])) {
        dt_time due = arrival(sim, s, end);
        if (due != DT_TIME_NEVER)
            tell(s, end, SIM_CLOSED, due, DT_E_CLOSED);
    }
    close_end(sim, s, mine);
}

void dt__sim_tcp_output(struct dt_sim_node *n, const struct dt_output *o)
{
    int end = 0;
    struct sim_stream *s = o->kind == DT_OUT_CLOSE ? find(n, o->stream, &end) : NULL;
    if (o->kind == DT_OUT_CONNECT)
        connect_to(n, o);
    else if (o->kind == DT_OUT_STREAM_DATA)
        send_bytes(n, o);
    else if (s)
        close_stream(n->sim, s, end);
}

void dt__sim_tcp_event(struct dt_sim *sim, struct sim_event *e)
{
    static const enum dt_input_kind kinds[] = {
        [SIM_ACCEPTED] = DT_IN_STREAM_OPEN,
        [SIM_OPENED] = DT_IN_STREAM_OPEN,
        [SIM_BYTES] = DT_IN_STREAM_DATA,
        [SIM_CLOSED] = DT_IN_STREAM_CLOSED,
    };
    int end = 0;
    struct sim_stream *s = find(e->node, e->stream, &end);
    if (!s) /* this end closed it meanwhile and hears nothing more (io/host.h) */
        return;
    if (e->kind == SIM_CONNECT) {
        connect_arrives(sim, e, s);
        return;
    }
    struct dt_input in = {.kind = kinds[e->kind], .stream = e->stream, .err = e->err};
    in.accepted = e->kind == SIM_ACCEPTED;
    in.local = e->to;
    in.remote = e->from;
    in.data = dt_bytes_str(e->bytes);
    if (e->kind == SIM_CLOSED)
        close_end(sim, s, end);
    if (e->kind == SIM_BYTES)
        dt__sim_tell(sim, DT_SIM_ARRIVED, &e->from, &e->to, e->bytes);
    dt__sim_give(sim, e->node, &in);
}

void dt__sim_tcp_reset(struct dt_sim_node *n)
{
    DT_LIST_EACH(e, &n->sim->streams)
    {
        struct sim_stream *s = DT_OF(e, struct sim_stream, all);
        const bool mine[] = {s->ends[0] == n && s->open[0], s->ends[1] == n && s->open[1]};
        if (mine[0])
            close_stream(n->sim, s, 0);
        if (mine[1]) /* open until now, so not freed */
            close_stream(n->sim, s, 1);
    }
}

void dt__sim_tcp_clear(struct dt_sim *sim)
{
    DT_LIST_EACH(e, &sim->streams)
    stream_free(sim, DT_OF(e, struct sim_stream, all));
}
