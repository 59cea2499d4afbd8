/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines from one thread to a node of another: a ring with one producer and one consumer, and a
 * wake-up. Each line lies in the ring as two bytes of length and its text. */
#include <string.h>

#include "io/loop.h"

enum { RING_SIZE = 1 << 16, LINE_MAX_BYTES = 1000, CACHE_LINE = 64 };
enum { PENDING_ENOUGH = 1024 }; /* inputs that wait for a node's turn */

struct dt_host_link {
    const struct dt_alloc *alloc;
    struct dt_list of_host;
    struct dt_host *to; /* NULL: has ended */
    int node;
    enum dt_channel channel;
    /* Counts of bytes ever written and read; each side writes its own only. */
    atomic_size_t written;
    char apart[CACHE_LINE];
    atomic_size_t taken;
    char ring[RING_SIZE];
};

struct dt_host_link *dt_host_link_new(struct dt_host *to, int node, enum dt_channel channel)
{
    struct dt_host_link *l = dt_alloc_zero(to->alloc, sizeof *l);
    if (!l)
        return NULL;
    l->alloc = to->alloc;
    l->to = to;
    l->node = node;
    l->channel = channel;
    atomic_init(&l->written, 0);
    atomic_init(&l->taken, 0);
    dt_list_add(&to->links, &l->of_host);
    return l;
}

void dt_host_link_free(struct dt_host_link *l)
{
    if (!l)
        return;
    dt_list_del(&l->of_host);
    dt_alloc_free(l->alloc, l);
}

static void copy_in(struct dt_host_link *l, size_t at, const void *from, size_t n)
{
    size_t start = at % RING_SIZE;
    size_t first = n < RING_SIZE - start ? n : RING_SIZE - start;
    memcpy(l->ring + start, from, first);
    memcpy(l->ring, (const char *)from + first, n - first);
}

static void copy_out(const struct dt_host_link *l, size_t at, void *to, size_t n)
{
    size_t start = at % RING_SIZE;
    size_t first = n < RING_SIZE - start ? n : RING_SIZE - start;
    memcpy(to, l->ring + start, first);
    memcpy((char *)to + first, l->ring, n - first);
}

int dt_host_link_send(struct dt_host_link *l, struct dt_str text)
{
    uint16_t n = (uint16_t)text.n;
    size_t at = atomic_load_explicit(&l->written, memory_order_relaxed);
    size_t used = at - atomic_load_explicit(&l->taken, memory_order_acquire);
    if (text.n > LINE_MAX_BYTES || used + sizeof n + text.n > RING_SIZE)
        return DT_E_LIMIT;
    copy_in(l, at, &n, sizeof n);
    if (n > 0)
        copy_in(l, at + sizeof n, text.p, n);
    /* Not only released: uv_async_send looks whether a wake-up is pending before it makes one, and
     * must not look before the other side can see the line, or nobody would take it. */
    atomic_store_explicit(&l->written, at + sizeof n + n, memory_order_seq_cst);
    if (l->to)
        uv_async_send(&l->to->wake);
    return DT_OK;
}

/* The next line before `end`, into `line`; false if there is none. */
static bool take(struct dt_host_link *l, size_t end, char line[LINE_MAX_BYTES], struct dt_str *out)
{
    uint16_t n;
    size_t at = atomic_load_explicit(&l->taken, memory_order_relaxed);
    if (at == end)
        return false;
    copy_out(l, at, &n, sizeof n);
    copy_out(l, at + sizeof n, line, n);
    atomic_store_explicit(&l->taken, at + sizeof n + n, memory_order_release);
    *out = (struct dt_str){line, n};
    return true;
}

/* What is there now, as far as the node keeps up: the rest stays in the ring, whose writer then
 * hears that it is full, and is taken in the next turn. */
static void take_some(struct dt_host *h, struct dt_host_link *l)
{
    char line[LINE_MAX_BYTES];
    struct dt_str text;
    size_t end = atomic_load_explicit(&l->written, memory_order_acquire);
    while (h->places[l->node]->n_pending < PENDING_ENOUGH) {
        if (!take(l, end, line, &text))
            return;
        if (dt_host_command(h, l->node, l->channel, text))
            dt__host_log(h, DT_LOG_WARN, "a line for node %d is lost", l->node);
    }
    uv_async_send(&h->wake);
}

void dt__links_take(struct dt_host *h)
{
    DT_LIST_EACH(e, &h->links)
    {
        take_some(h, DT_OF(e, struct dt_host_link, of_host));
    }
}

void dt__links_cut(struct dt_host *h)
{
    DT_LIST_EACH(e, &h->links)
    {
        DT_OF(e, struct dt_host_link, of_host)->to = NULL;
        dt_list_del(e);
    }
}

int dt_host_route(struct dt_host *h, int node, enum dt_channel channel, struct dt_host *to,
                  int to_node)
{
    if (node < 0 || node >= h->n_places || to_node < 0 || to_node >= to->n_places)
        return DT_E_ABSENT;
    struct io_route *r = dt_alloc_zero(h->alloc, sizeof *r);
    if (!r)
        return DT_E_NOMEM;
    *r = (struct io_route){.channel = channel, .to_node = to_node};
    if (to != h && !(r->link = dt_host_link_new(to, to_node, channel))) {
        dt_alloc_free(h->alloc, r);
        return DT_E_NOMEM;
    }
    r->next = h->places[node]->routes;
    h->places[node]->routes = r;
    return DT_OK;
}
