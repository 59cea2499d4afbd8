/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A node in its place: input in, outputs taken and carried out. */
#include "io/loop.h"

enum { OUTPUTS_AT_ONCE = 64, PENDING_MAX = 65536 };

/* ---- in ---- */

void dt__place_later(struct io_place *p, const struct dt_input *in, struct dt_bytes *bytes,
                     struct io_query *query)
{
    bool room = p->n_pending < p->cap_pending;
    if (!room && p->n_pending < PENDING_MAX) {
        size_t cap = p->cap_pending ? 2 * p->cap_pending : 16;
        struct io_pending *more =
            dt_alloc_array(p->host->alloc, p->pending, cap, sizeof(struct io_pending));
        if (more) {
            p->pending = more;
            p->cap_pending = cap;
            room = true;
        }
    }
    if (!room || !p->ops) {
        dt_bytes_drop(bytes);
        dt__query_free(query);
        return;
    }
    p->pending[p->n_pending++] = (struct io_pending){*in, bytes, query};
}

static void pending_drop(struct io_place *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dt_bytes_drop(p->pending[i].bytes);
        dt__query_free(p->pending[i].query);
    }
    p->n_pending -= n;
    for (size_t i = 0; i < p->n_pending; i++)
        p->pending[i] = p->pending[i + n];
}

static bool is_notice(enum dt_input_kind kind)
{
    switch (kind) {
    case DT_IN_LISTENING:
    case DT_IN_STREAM_OPEN:
    case DT_IN_STREAM_CLOSED:
    case DT_IN_SOCKET_ERROR:
    case DT_IN_WALL_STEP:
    case DT_IN_WOKE:
        return true;
    default:
        return false;
    }
}

/* Gives a first part of what is pending; false if there was nothing. */
static bool give_pending(struct io_place *p)
{
    struct dt_input in[OUTPUTS_AT_ONCE];
    const struct dt_host_watch *watch = &p->host->cfg.watch;
    size_t n = p->n_pending < OUTPUTS_AT_ONCE ? p->n_pending : OUTPUTS_AT_ONCE;
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        in[i] = p->pending[i].in;
        if (watch->notice && is_notice(in[i].kind))
            watch->notice(watch->ctx, p->host->now, p->number, &in[i]);
    }
    /* A watcher may have added a command; the first n are still the first n. */
    p->ops->input(p->node, p->host->now, in, n);
    pending_drop(p, n);
    return true;
}

/* ---- out ---- */

static void refuse(struct io_place *p, const struct dt_addr *local, int err)
{
    struct dt_input in = {.kind = DT_IN_SOCKET_ERROR, .err = err, .local = *local};
    dt__place_later(p, &in, NULL, NULL);
}

static void out_listen(struct io_place *p, const struct dt_output *o)
{
    struct dt_addr local = o->local;
    int err = local.transport == DT_TCP ? dt__tcp_listen(p, &local) : dt__udp_listen(p, &local);
    if (err) {
        refuse(p, &o->local, err); /* what was asked, so that the node can tell which */
        return;
    }
    struct dt_input in = {.kind = DT_IN_LISTENING, .local = local};
    dt__place_later(p, &in, NULL, NULL);
}

static void out_unlisten(struct io_place *p, const struct dt_output *o)
{
    if (o->local.transport == DT_TCP)
        dt__tcp_unlisten(p, &o->local);
    else
        dt__udp_unlisten(p, &o->local);
}

static void out_event(struct io_place *p, const struct dt_output *o)
{
    struct dt_host *h = p->host;
    if (h->cfg.watch.event)
        h->cfg.watch.event(h->cfg.watch.ctx, h->now, p->number, o);
    for (struct io_route *r = p->routes; r; r = r->next) {
        if (r->channel != o->channel)
            continue;
        int err = r->link ? dt_host_link_send(r->link, o->text)
                          : dt_host_command(h, r->to_node, r->channel, o->text);
        if (err)
            dt__host_log(h, DT_LOG_WARN, "a line for node %d is lost: %s", r->to_node,
                         dt_err_text(err));
    }
}

static void carry_out(struct io_place *p, const struct dt_output *o)
{
    switch (o->kind) {
    case DT_OUT_LISTEN:
        out_listen(p, o);
        break;
    case DT_OUT_UNLISTEN:
        out_unlisten(p, o);
        break;
    case DT_OUT_DATAGRAM:
        dt__udp_send(p, o);
        break;
    case DT_OUT_CONNECT:
        dt__tcp_connect(p, o);
        break;
    case DT_OUT_STREAM_DATA:
        dt__tcp_send(p, o);
        break;
    case DT_OUT_CLOSE:
        dt__tcp_close(p, o->stream);
        break;
    case DT_OUT_RESOLVE:
        dt__dns_resolve(p, o);
        break;
    case DT_OUT_EVENT:
        out_event(p, o);
        break;
    }
}

static void take_outputs(struct io_place *p)
{
    struct dt_output out[OUTPUTS_AT_ONCE];
    size_t n;
    while ((n = p->ops->output(p->node, p->host->now, out, OUTPUTS_AT_ONCE)) > 0)
        for (size_t i = 0; i < n; i++)
            carry_out(p, &out[i]);
    dt__udp_flush(p->host);
}

/* ---- entries ---- */

void dt__place_settle(struct io_place *p)
{
    if (!p->ops || p->busy)
        return;
    p->busy = p->started = true;
    take_outputs(p);
    /* What the outputs caused (LISTENING, refusals) comes once more; the rest waits a turn, so that
     * two nodes that talk to each other cannot keep the loop. */
    for (int rounds = 0; rounds < 4 && give_pending(p); rounds++)
        take_outputs(p);
    p->busy = false;
}

void dt__place_input(struct io_place *p, const struct dt_input *in, size_t n)
{
    if (!p->ops || p->busy || n == 0)
        return;
    if (p->n_pending > 0)
        dt__place_settle(p); /* first come */
    p->busy = true;
    p->ops->input(p->node, p->host->now, in, n);
    take_outputs(p);
    p->busy = false;
}

void dt__place_tick(struct io_place *p, dt_time now)
{
    if (!p->ops || p->busy || p->ops->deadline(p->node) > now)
        return;
    p->busy = true;
    p->ops->tick(p->node, now);
    take_outputs(p);
    p->busy = false;
}

void dt__place_clear(struct io_place *p)
{
    p->ops = NULL;
    dt__udp_close_all(p);
    dt__tcp_unlisten_all(p);
    dt__tcp_close_all(p);
    dt__dns_forget(p);
    pending_drop(p, p->n_pending);
    for (struct io_route *r = p->routes, *next; r; r = next) {
        next = r->next;
        dt_host_link_free(r->link);
        dt_alloc_free(p->host->alloc, r);
    }
    p->routes = NULL;
}
