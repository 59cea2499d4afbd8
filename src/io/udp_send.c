/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Datagrams out: collected while a node's outputs are taken, sent by one sendmmsg; what a full
 * socket does not take waits in a ring until it is writable. */
#include <errno.h>
#include <string.h>

#include "io/udp.h"

/* A send returns the pending error of an earlier datagram in place of being done; so many times it
 * is repeated before the error is believed to be its own. */
enum { SEND_TRIES = 4 };

struct io_tx {
    struct io_udp *socket; /* of the batch */
    size_t n;
    struct io_datagram batch[UDP_BATCH];
    struct mmsghdr headers[UDP_BATCH];
    struct iovec vectors[UDP_BATCH];
    struct sockaddr_storage names[UDP_BATCH];
    union io_control controls[UDP_BATCH];
};

int dt__udp_tx_init(struct dt_host *h)
{
    h->tx = dt_alloc_zero(h->alloc, sizeof *h->tx);
    return h->tx ? DT_OK : DT_E_NOMEM;
}

void dt__udp_tx_clear(struct dt_host *h)
{
    dt_alloc_free(h->alloc, h->tx);
    h->tx = NULL;
}

/* ---- one sendmmsg ---- */

/* From a socket bound to any address, leave from the one that was asked for. */
static void write_source(struct msghdr *m, union io_control *control, const struct dt_addr *local)
{
    bool v6 = local->family == 6;
    size_t n = v6 ? sizeof(struct in6_pktinfo) : sizeof(struct in_pktinfo);
    memset(control, 0, sizeof *control);
    m->msg_control = control->space;
    m->msg_controllen = CMSG_SPACE(n);
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(n);
    struct in6_pktinfo six = {.ipi6_ifindex = 0};
    struct in_pktinfo four = {.ipi_ifindex = 0};
    memcpy(&six.ipi6_addr, local->ip, 16);
    memcpy(&four.ipi_spec_dst, local->ip, 4);
    memcpy(CMSG_DATA(c), v6 ? (void *)&six : (void *)&four, n);
}

static void write_header(struct io_tx *tx, size_t i, const struct io_udp *u,
                         const struct io_datagram *d)
{
    struct msghdr *m = &tx->headers[i].msg_hdr;
    memset(&tx->headers[i], 0, sizeof tx->headers[i]);
    tx->vectors[i] = (struct iovec){d->bytes->data, d->bytes->n};
    m->msg_iov = &tx->vectors[i];
    m->msg_iovlen = 1;
    m->msg_namelen = dt__sock_from_addr(&d->remote, &tx->names[i]);
    m->msg_name = &tx->names[i];
    if (u->any && !dt_addr_is_any(&d->local))
        write_source(m, &tx->controls[i], &d->local);
}

static void report(struct io_udp *u, const struct io_datagram *d, int e)
{
    struct dt_input in = {.kind = DT_IN_SOCKET_ERROR, .local = u->local, .remote = d->remote};
    in.err = e == EPERM || e == EACCES ? DT_E_UNREACHABLE : dt__sock_err(e);
    u->place->host->counts.datagrams_lost++;
    dt__place_later(u->place, &in, NULL, NULL);
}

static void drop(struct io_datagram *d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dt_bytes_drop(d[i].bytes);
}

/* Sends up to a batch; returns how many are done with (the first ones), sent or failed. Fewer than
 * `n`: the socket is full. */
static size_t send_some(struct io_udp *u, struct io_datagram *d, size_t n)
{
    struct dt_host *h = u->place->host;
    size_t done = 0;
    int tries = 0;
    for (size_t i = 0; i < n; i++)
        write_header(h->tx, i, u, &d[i]);
    while (done < n) {
        int sent = sendmmsg(u->fd, h->tx->headers + done, (unsigned)(n - done), MSG_DONTWAIT);
        int e = errno;
        h->counts.calls_out++;
        if (sent > 0) {
            done += (size_t)sent;
            h->counts.datagrams_out += (uint64_t)sent;
            tries = 0;
        } else if (e == EAGAIN) {
            break;
        } else if (++tries >= SEND_TRIES) {
            report(u, &d[done++], e);
            tries = 0;
        } else {
            dt__udp_errors(
                u); /* perhaps an earlier datagram's error, which is now out of the way */
        }
    }
    drop(d, done);
    return done;
}

/* ---- the queue of a full socket ---- */

static void enqueue(struct io_udp *u, struct io_datagram *d, size_t n)
{
    struct dt_host *h = u->place->host;
    uint32_t cap = h->cfg.datagram_queue;
    if (!u->queue)
        u->queue = dt_alloc_array(h->alloc, NULL, cap, sizeof(struct io_datagram));
    for (size_t i = 0; i < n; i++) {
        if (!u->queue || u->queued == cap) {
            h->counts.datagrams_lost += n - i;
            drop(d + i, n - i);
            break;
        }
        u->queue[(u->first + u->queued++) % cap] = d[i];
    }
    dt__udp_poll(u);
}

void dt__udp_writable(struct io_udp *u)
{
    uint32_t cap = u->place->host->cfg.datagram_queue;
    while (u->queued > 0) {
        size_t n = u->queued < UDP_BATCH ? u->queued : UDP_BATCH;
        if (n > cap - u->first)
            n = cap - u->first;
        size_t done = send_some(u, u->queue + u->first, n);
        u->first = (u->first + (uint32_t)done) % cap;
        u->queued -= (uint32_t)done;
        if (done < n)
            return;
    }
    dt__udp_poll(u);
}

void dt__udp_queue_clear(struct io_udp *u)
{
    struct dt_host *h = u->place->host;
    for (; u->queued > 0; u->queued--) {
        drop(&u->queue[u->first], 1);
        u->first = (u->first + 1) % h->cfg.datagram_queue;
    }
    dt_alloc_free(h->alloc, u->queue);
    u->queue = NULL;
}

/* ---- the batch ---- */

void dt__udp_flush(struct dt_host *h)
{
    struct io_tx *tx = h->tx;
    struct io_udp *u = tx ? tx->socket : NULL;
    if (!u)
        return;
    size_t n = tx->n, done = 0;
    tx->socket = NULL;
    tx->n = 0;
    if (u->queued == 0)
        done = send_some(u, tx->batch, n); /* else behind those that wait: order is kept */
    if (done < n)
        enqueue(u, tx->batch + done, n - done);
}

void dt__udp_send(struct io_place *p, const struct dt_output *o)
{
    struct dt_host *h = p->host;
    struct io_tx *tx = h->tx;
    struct io_udp *u = dt__udp_find(p, &o->local);
    if (!o->bytes)
        return;
    if (!u || u->local.family != o->remote.family) {
        struct dt_input in = {.kind = DT_IN_SOCKET_ERROR,
                              .err = DT_E_ADDRESS,
                              .local = o->local,
                              .remote = o->remote};
        dt__place_later(p, &in, NULL, NULL);
        dt_bytes_drop(o->bytes);
        return;
    }
    if (tx->socket != u || tx->n == UDP_BATCH)
        dt__udp_flush(h);
    if (h->cfg.watch.message)
        h->cfg.watch.message(h->cfg.watch.ctx, h->now, p->number, true, &o->local, &o->remote,
                             dt_bytes_str(o->bytes));
    tx->socket = u;
    tx->batch[tx->n++] = (struct io_datagram){o->bytes, o->local, o->remote};
}
