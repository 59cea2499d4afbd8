/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The simulated world: nodes, the heap of what happens next, the clock. */
#include "sim/world.h"

struct dt_sim *dt_sim_new(const struct dt_alloc *alloc, uint64_t seed,
                          const struct dt_sim_watch *watch)
{
    struct dt_sim *sim = dt_alloc_zero(alloc, sizeof *sim);
    if (!sim)
        return NULL;
    sim->alloc = alloc;
    if (watch)
        sim->watch = *watch;
    const uint64_t key[2] = {seed, 0x73696d};
    dt_rng_init(&sim->rng, key);
    dt_timers_init(&sim->timers, alloc);
    dt_list_init(&sim->nodes);
    dt_list_init(&sim->events);
    dt_list_init(&sim->streams);
    dt_list_init(&sim->spare);
    const uint64_t map_key[2] = {dt_rng_u64(&sim->rng), dt_rng_u64(&sim->rng)};
    dt_map_init(&sim->sockets, alloc, map_key);
    dt_map_init(&sim->ghosts, alloc, map_key);
    dt_map_init(&sim->pair_map, alloc, map_key);
    sim->link = (struct dt_sim_link){.delay = 1 * DT_MS};
    sim->next_port = SIM_FIRST_PORT;
    return sim;
}

static void held_clear(struct dt_sim_node *n)
{
    DT_LIST_EACH(e, &n->held)
    dt__sim_event_free(n->sim, DT_OF(e, struct sim_event, all));
    n->n_held = 0;
}

static void node_free(struct dt_sim_node *n)
{
    const struct dt_alloc *a = n->sim->alloc;
    dt_timers_stop(&n->sim->timers, &n->timer);
    held_clear(n);
    dt__sim_sockets_die(n);
    dt__sim_ghosts_clear(n);
    dt_list_del(&n->all);
    dt_alloc_free(a, n);
}

void dt_sim_free(struct dt_sim *sim)
{
    if (!sim)
        return;
    DT_LIST_EACH(e, &sim->nodes)
    node_free(DT_OF(e, struct dt_sim_node, all));
    DT_LIST_EACH(e, &sim->events)
    dt__sim_event_free(sim, DT_OF(e, struct sim_event, all));
    DT_LIST_EACH(e, &sim->spare)
    dt_alloc_free(sim->alloc, DT_OF(e, struct sim_event, all));
    dt_map_clear(&sim->sockets);
    dt_map_clear(&sim->ghosts);
    dt_map_clear(&sim->pair_map);
    dt__sim_tcp_clear(sim);
    dt__sim_dns_clear(sim);
    for (struct sim_pair *p = sim->pairs, *next; p; p = next) {
        next = p->next;
        dt_alloc_free(sim->alloc, p);
    }
    dt_timers_clear(&sim->timers);
    dt_alloc_free(sim->alloc, sim);
}

dt_time dt_sim_now(const struct dt_sim *sim)
{
    return sim->now;
}

struct dt_rng *dt_sim_rng(struct dt_sim *sim)
{
    return &sim->rng;
}

static struct sim_event *event_new(struct dt_sim *sim)
{
    struct dt_list *spare = sim->spare.next;
    if (spare == &sim->spare)
        return dt_alloc_zero(sim->alloc, sizeof(struct sim_event));
    struct sim_event *e = DT_OF(spare, struct sim_event, all);
    dt_list_del(spare);
    *e = (struct sim_event){0};
    return e;
}

struct sim_event *dt__sim_event(struct dt_sim *sim, enum sim_event_kind kind, dt_time due)
{
    struct sim_event *e = event_new(sim);
    if (!e)
        return NULL;
    e->kind = kind;
    dt_timer_init(&e->timer, SIM_TIMER_EVENT);
    if (dt_timers_arm(&sim->timers, &e->timer, due)) {
        dt_list_init(&e->all);
        dt_list_add(&sim->spare, &e->all);
        return NULL;
    }
    dt_list_add(&sim->events, &e->all);
    sim->pending++;
    return e;
}

void dt__sim_event_free(struct dt_sim *sim, struct sim_event *e)
{
    dt_timers_stop(&sim->timers, &e->timer);
    dt_list_del(&e->all);
    sim->pending--;
    dt_bytes_drop(e->bytes);
    dt_list_add(&sim->spare, &e->all);
}

void dt__sim_tell(struct dt_sim *sim, enum dt_sim_fate fate, const struct dt_addr *from,
                  const struct dt_addr *to, struct dt_bytes *bytes)
{
    if (sim->watch.packet)
        sim->watch.packet(sim->watch.ctx, sim->now, fate, from, to, bytes);
}

static void event_out(struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_sim *sim = n->sim;
    if (sim->watch.event)
        sim->watch.event(sim->watch.ctx, sim->now, n, o);
    if (o->channel == DT_CHANNEL_MEDIA && n->media && n->media->node)
        dt_sim_command(sim, n->media, DT_CHANNEL_MEDIA, o->text);
}

static void output_one(struct dt_sim_node *n, const struct dt_output *o)
{
    switch (o->kind) {
    case DT_OUT_LISTEN:
    case DT_OUT_UNLISTEN:
        dt__sim_listen(n, &o->local, o->kind == DT_OUT_LISTEN);
        break;
    case DT_OUT_DATAGRAM:
        dt__sim_datagram(n, o);
        break;
    case DT_OUT_CONNECT:
    case DT_OUT_STREAM_DATA:
    case DT_OUT_CLOSE:
        dt__sim_tcp_output(n, o);
        break;
    case DT_OUT_RESOLVE:
        dt__sim_resolve(n, o);
        break;
    case DT_OUT_EVENT:
        event_out(n, o);
        break;
    }
}

static void arm(struct dt_sim_node *n, dt_time due)
{
    if (due != n->timer.due)
        (void)dt_timers_arm(&n->sim->timers, &n->timer, due); /* it is armed: this cannot fail */
}

/* After each call into a node: what it wants sent, and when it wants to be woken. Who watches may
 * kill it meanwhile; the rest of its outputs is dropped then. */
static void drain(struct dt_sim_node *n)
{
    struct dt_output out[32];
    uint32_t life = n->life;
    for (size_t k; n->life == life && (k = n->ops->output(n->node, n->sim->now, out, 32)) > 0;)
        for (size_t i = 0; i < k; i++) {
            if (n->life == life)
                output_one(n, &out[i]);
            dt_bytes_drop(out[i].bytes);
        }
    if (n->life != life)
        return;
    dt_time due = n->ops->deadline(n->node);
    arm(n, due < n->sim->now ? n->sim->now : due < SIM_PARKED ? due : SIM_PARKED);
}

void dt__sim_give(struct dt_sim *sim, struct dt_sim_node *n, const struct dt_input *in)
{
    if (!n || !n->node)
        return;
    n->ops->input(n->node, sim->now, in, 1);
    drain(n);
}

/* ---- nodes ---- */

struct dt_sim_node *dt_sim_attach(struct dt_sim *sim, const char *name,
                                  const struct dt_node_ops *ops, void *node)
{
    struct dt_sim_node *n = dt_alloc_zero(sim->alloc, sizeof *n);
    if (!n)
        return NULL;
    n->sim = sim;
    n->name = name;
    n->ops = ops;
    n->node = node;
    n->life = 1;
    dt_timer_init(&n->timer, SIM_TIMER_NODE);
    if (dt_timers_arm(&sim->timers, &n->timer, SIM_PARKED)) {
        dt_alloc_free(sim->alloc, n);
        return NULL;
    }
    dt_list_init(&n->sockets);
    dt_list_init(&n->ghosts);
    dt_list_init(&n->held);
    dt_list_add(&sim->nodes, &n->all);
    drain(n);
    return n;
}

const char *dt_sim_name(const struct dt_sim_node *n)
{
    return n->name;
}

void dt_sim_command(struct dt_sim *sim, struct dt_sim_node *n, enum dt_channel channel,
                    struct dt_str text)
{
    struct dt_bytes *copy = n->node ? dt_bytes_copy(sim->alloc, text) : NULL;
    struct sim_event *e = copy ? dt__sim_event(sim, SIM_COMMAND, sim->now) : NULL;
    if (!e) {
        dt_bytes_drop(copy);
        return;
    }
    e->node = n;
    e->life = n->life;
    e->channel = channel;
    e->bytes = copy;
}

void dt_sim_join_media(struct dt_sim_node *n, struct dt_sim_node *engine)
{
    n->media = engine;
    engine->media = n;
}

void dt_sim_kill(struct dt_sim *sim, struct dt_sim_node *n)
{
    (void)sim;
    if (!n->node)
        return;
    n->node = NULL;
    n->hung = false;
    n->life++;
    arm(n, SIM_PARKED);
    dt__sim_tcp_reset(n);
    held_clear(n);
    dt__sim_sockets_die(n);
}

void dt_sim_restart(struct dt_sim *sim, struct dt_sim_node *n, void *node)
{
    dt_sim_kill(sim, n);
    n->node = node;
    n->silent = false;
    dt__sim_ghosts_clear(n);
    drain(n);
}

void dt_sim_hang(struct dt_sim *sim, struct dt_sim_node *n)
{
    if (!n->node || n->hung)
        return;
    n->hung = true;
    n->hung_at = sim->now;
    arm(n, SIM_PARKED);
}

static bool is_too_old(struct dt_sim *sim, const struct sim_event *e)
{
    const struct dt_sim_node *n = dt__sim_find(sim, &e->to);
    return e->kind == SIM_PACKET && !(n && n->plain) &&
           sim->now - e->came > SIM_STALL_S * DT_SECOND;
}

/* What lay in the sockets happens now, in the order in which it came. */
static void held_release(struct dt_sim_node *n)
{
    struct dt_sim *sim = n->sim;
    n->n_held = 0;
    DT_LIST_EACH(entry, &n->held)
    {
        struct sim_event *e = DT_OF(entry, struct sim_event, all);
        dt_list_del(&e->all);
        dt_list_add(&sim->events, &e->all);
        if (is_too_old(sim, e))
            dt__sim_tell(sim, DT_SIM_UNHEARD, &e->from, &e->to, e->bytes);
        if (is_too_old(sim, e) || dt_timers_arm(&sim->timers, &e->timer, sim->now))
            dt__sim_event_free(sim, e);
    }
}

void dt_sim_wake(struct dt_sim *sim, struct dt_sim_node *n)
{
    if (!n->hung)
        return;
    n->hung = false;
    held_release(n);
    dt_time gap = sim->now - n->hung_at;
    struct dt_input woke = {.kind = DT_IN_WOKE, .age = gap};
    if (gap > SIM_STALL_S * DT_SECOND && !n->plain)
        n->ops->input(n->node, sim->now, &woke, 1);
    drain(n);
}

void dt_sim_blackhole(struct dt_sim_node *n, bool on)
{
    n->blackhole = on;
}

void dt_sim_silent(struct dt_sim_node *n, bool on)
{
    n->silent = on;
}

void dt_sim_plain(struct dt_sim_node *n, bool on)
{
    n->plain = on;
}

void dt_sim_move(struct dt_sim_node *from, struct dt_sim_node *to)
{
    if (from->node)
        dt_sim_blackhole(from, true);
    from->moved = true;
    dt__sim_sockets_move(from, to);
    dt__sim_tcp_moved(from);
}

bool dt_sim_is_up(const struct dt_sim_node *n)
{
    return n->node != NULL && !n->hung;
}

/* ---- time ---- */

static void command_arrives(struct dt_sim *sim, struct sim_event *e)
{
    struct dt_input in = {.kind = DT_IN_COMMAND, .channel = e->channel};
    in.data = dt_bytes_str(e->bytes);
    dt__sim_give(sim, e->node, &in);
}

/* Whom an event concerns; NULL: the network alone. */
static struct dt_sim_node *whose(struct dt_sim *sim, const struct sim_event *e)
{
    if (e->kind == SIM_CONNECT) /* the kernel answers it */
        return NULL;
    return e->node ? e->node : dt__sim_find(sim, &e->to);
}

/* A hung process: what arrives lies in its sockets, until they are full. */
static void hold_back(struct dt_sim *sim, struct dt_sim_node *n, struct sim_event *e)
{
    if (e->kind == SIM_PACKET && n->n_held == SIM_HUNG_MAX) {
        dt__sim_tell(sim, DT_SIM_UNHEARD, &e->from, &e->to, e->bytes);
        dt__sim_event_free(sim, e);
        return;
    }
    n->n_held += e->kind == SIM_PACKET;
    e->held = true;
    e->came = sim->now;
    dt_list_del(&e->all);
    dt_list_add(&n->held, &e->all);
}

static void event_happens(struct dt_sim *sim, struct sim_event *e)
{
    bool stale = e->node && e->node->life != e->life;
    struct dt_sim_node *n = stale ? NULL : whose(sim, e);
    if (n && n->hung) {
        hold_back(sim, n, e);
        return;
    }
    if (!stale) {
        switch (e->kind) {
        case SIM_PACKET:
        case SIM_ERROR:
        case SIM_LISTENING:
            dt__sim_packet_arrives(sim, e);
            break;
        case SIM_CONNECT:
        case SIM_ACCEPTED:
        case SIM_OPENED:
        case SIM_BYTES:
        case SIM_CLOSED:
            dt__sim_tcp_event(sim, e);
            break;
        case SIM_DNS:
            dt__sim_dns_arrives(sim, e);
            break;
        case SIM_COMMAND:
            command_arrives(sim, e);
            break;
        }
    }
    dt__sim_event_free(sim, e);
}

bool dt_sim_step(struct dt_sim *sim, dt_time limit)
{
    dt_time next = dt_timers_next(&sim->timers);
    if (next > limit || next >= SIM_PARKED) {
        sim->now = limit > sim->now ? limit : sim->now;
        return false;
    }
    sim->now = next > sim->now ? next : sim->now;
    struct dt_timer *t = dt_timers_due(&sim->timers, sim->now);
    if (!t)
        return false;
    if (t->kind == SIM_TIMER_EVENT) {
        event_happens(sim, DT_OF(t, struct sim_event, timer));
        return true;
    }
    struct dt_sim_node *n = DT_OF(t, struct dt_sim_node, timer);
    (void)dt_timers_arm(&sim->timers, t, SIM_PARKED); /* there is room: it was just taken out */
    if (n->node && !n->hung) {
        n->ops->tick(n->node, sim->now);
        drain(n);
    }
    return true;
}

void dt_sim_run(struct dt_sim *sim, dt_time until)
{
    while (dt_sim_step(sim, until))
        ;
}

bool dt_sim_until(struct dt_sim *sim, bool (*done)(void *ctx), void *ctx, dt_time limit)
{
    while (!done(ctx))
        if (!dt_sim_step(sim, limit))
            return done(ctx);
    return true;
}

size_t dt_sim_pending(const struct dt_sim *sim)
{
    return sim->pending;
}
