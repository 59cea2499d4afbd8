/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Datagrams and errors from UDP sockets. The buffers are the host's, filled and given to a node
 * before the next are read. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <linux/errqueue.h> /* wants time.h */

#include "io/udp.h"

/* So many batches of one socket in a row; then the others. */
enum { BATCHES_A_TURN = 4, ERRORS_A_TURN = 256 };

struct io_rx {
    struct mmsghdr headers[UDP_BATCH];
    struct iovec vectors[UDP_BATCH];
    struct sockaddr_storage names[UDP_BATCH];
    union io_control controls[UDP_BATCH];
    struct dt_input inputs[UDP_BATCH];
    char buffers[UDP_BATCH][UDP_SIZE_MAX + DT_PAD];
};

int dt__udp_rx_init(struct dt_host *h)
{
    /* Not zeroed: most pages of the buffers are never touched. */
    struct io_rx *rx = h->alloc->resize(h->alloc->ctx, NULL, sizeof *rx);
    if (!rx)
        return DT_E_NOMEM;
    for (size_t i = 0; i < UDP_BATCH; i++) {
        rx->vectors[i] = (struct iovec){rx->buffers[i], UDP_SIZE_MAX};
        memset(&rx->headers[i], 0, sizeof rx->headers[i]);
        rx->headers[i].msg_hdr.msg_iov = &rx->vectors[i];
        rx->headers[i].msg_hdr.msg_iovlen = 1;
        rx->headers[i].msg_hdr.msg_name = &rx->names[i];
        rx->headers[i].msg_hdr.msg_control = rx->controls[i].space;
    }
    h->rx = rx;
    return DT_OK;
}

static void reset(struct io_rx *rx)
{
    for (size_t i = 0; i < UDP_BATCH; i++) {
        rx->headers[i].msg_hdr.msg_namelen = sizeof rx->names[i];
        rx->headers[i].msg_hdr.msg_controllen = sizeof rx->controls[i].space;
    }
}

/* ---- datagrams ---- */

/* How long it lay in the socket. The kernel stamps with the wall clock, so after a step of that the
 * difference means nothing (R10). */
static dt_time age_of(const struct dt_host *h, const struct timespec *stamp)
{
    int64_t wall = (int64_t)stamp->tv_sec * DT_SECOND + stamp->tv_nsec / 1000;
    dt_time age = h->now + h->wall - wall;
    return age < 0 || h->now < h->wall_doubt ? 0 : age;
}

/* What the control messages say. */
static void read_controls(const struct dt_host *h, struct msghdr *m, struct dt_input *in)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
            in->age = age_of(h, &stamp);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(in->local.ip, &info.ipi_spec_dst, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(in->local.ip, &info.ipi6_addr, 16);
        }
    }
}

/* One datagram as an input; false if it is too old to be read (R10). */
static bool make_input(struct io_udp *u, size_t i, struct dt_input *in)
{
    struct dt_host *h = u->place->host;
    struct mmsghdr *m = &h->rx->headers[i];
    size_t n = m->msg_len;
    *in = (struct dt_input){.kind = DT_IN_DATAGRAM, .local = u->local};
    read_controls(h, &m->msg_hdr, in);
    if (in->age > h->cfg.stall) {
        h->counts.datagrams_old++;
        return false;
    }
    memset(h->rx->buffers[i] + n, 0, DT_PAD);
    in->data = (struct dt_str){h->rx->buffers[i], n};
    in->remote = dt__sock_to_addr(&h->rx->names[i], DT_UDP);
    h->counts.datagrams_in++;
    if (h->cfg.watch.message)
        h->cfg.watch.message(h->cfg.watch.ctx, h->now, u->place->number, false, &in->local,
                             &in->remote, in->data);
    return true;
}

/* One batch; false if the socket is empty. */
static bool receive_batch(struct io_udp *u)
{
    struct dt_host *h = u->place->host;
    struct dt_input *in = h->rx->inputs;
    size_t n = 0;
    reset(h->rx);
    int got = recvmmsg(u->fd, h->rx->headers, UDP_BATCH, MSG_DONTWAIT, NULL);
    h->counts.calls_in++;
    if (got < 0)
        return errno != EAGAIN; /* somebody's pending error, now taken: read on */
    for (int i = 0; i < got; i++)
        if (make_input(u, (size_t)i, &in[n]))
            n++;
    dt__place_input(u->place, in, n);
    return got == UDP_BATCH;
}

void dt__udp_receive(struct io_udp *u)
{
    for (int i = 0; i < BATCHES_A_TURN && u->place && receive_batch(u); i++)
        continue;
}

/* ---- errors ---- */

static const struct sock_extended_err *find_error(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (v4 || v6)
            return (const void *)CMSG_DATA(c);
    }
    return NULL;
}

/* Says whether there was an error to take. */
static bool take_error(struct io_udp *u)
{
    struct dt_host *h = u->place->host;
    union io_control control;
    struct sockaddr_storage goal;
    char start[64]; /* the first bytes of what was sent; not needed */
    struct iovec vector = {start, sizeof start};
    memset(&goal, 0, sizeof goal);
    struct msghdr m = {.msg_name = &goal,
                       .msg_namelen = sizeof goal,
                       .msg_iov = &vector,
                       .msg_iovlen = 1,
                       .msg_control = control.space,
                       .msg_controllen = sizeof control.space};
    if (recvmsg(u->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return false;
    struct sock_extended_err e;
    const struct sock_extended_err *found = find_error(&m);
    if (!found)
        return true;
    memcpy(&e, found, sizeof e);
    if (e.ee_origin != SO_EE_ORIGIN_ICMP && e.ee_origin != SO_EE_ORIGIN_ICMP6)
        return true; /* our own: the send has failed too, and reports it */
    h->counts.socket_errors++;
    struct dt_input in = {.kind = DT_IN_SOCKET_ERROR, .local = u->local};
    in.remote = dt__sock_to_addr(&goal, DT_UDP);
    in.err = e.ee_errno == ECONNREFUSED ? DT_E_REFUSED
             : e.ee_errno == EMSGSIZE   ? DT_E_LIMIT
                                        : DT_E_UNREACHABLE;
    dt__place_later(u->place, &in, NULL, NULL);
    return true;
}

void dt__udp_errors(struct io_udp *u)
{
    for (int i = 0; i < ERRORS_A_TURN && take_error(u); i++)
        continue;
}
