/* SPDX-License-Identifier: BSD-2-Clause
 *
 * UDP sockets: opened, found, polled, closed. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "io/udp.h"

/* Holds 100 ms of a busy proxy: so long its process may have to wait for a processor. */
enum { RECEIVE_BUFFER = 4 << 20 };

/* True: failed. */
static bool set(int fd, int level, int option)
{
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) != 0;
}

/* IP_RECVERR: ICMP errors come with the datagram's goal. SO_SELECT_ERR_QUEUE: poll says so by
 * POLLPRI, without which libuv takes POLLERR for a broken socket and stops. True: failed (errno).
 */
static bool set_options(int fd, const struct dt_addr *local)
{
    dt__sock_room(fd, RECEIVE_BUFFER);
    if (set(fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE) || set(fd, SOL_SOCKET, SO_TIMESTAMPNS))
        return true;
    bool any = dt_addr_is_any(local);
    if (local->family == 4)
        return set(fd, IPPROTO_IP, IP_RECVERR) || (any && set(fd, IPPROTO_IP, IP_PKTINFO));
    return set(fd, IPPROTO_IPV6, IPV6_V6ONLY) || set(fd, IPPROTO_IPV6, IPV6_RECVERR) ||
           (any && set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO));
}

/* Bound, with the port in `*local`; -1 and errno. No SO_REUSEADDR: two could share a port then. */
static int open_socket(struct dt_addr *local)
{
    struct sockaddr_storage name;
    socklen_t n = dt__sock_from_addr(local, &name);
    int family = local->family == 6 ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (set_options(fd, local) || bind(fd, (struct sockaddr *)&name, n) ||
        getsockname(fd, (struct sockaddr *)&name, &n)) {
        int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    *local = dt__sock_to_addr(&name, DT_UDP);
    return fd;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct io_udp *u = handle->data;
    dt__host_turn(u->host);
    if (status < 0 || (events & UV_PRIORITIZED))
        dt__udp_errors(u);
    if (events & UV_READABLE)
        dt__udp_receive(u);
    if (u->place && (events & UV_WRITABLE))
        dt__udp_writable(u);
    if (u->place && status < 0)
        dt__udp_poll(u); /* libuv has stopped it */
}

void dt__udp_poll(struct io_udp *u)
{
    int events = UV_READABLE | UV_PRIORITIZED | (u->queued > 0 ? UV_WRITABLE : 0);
    if (uv_poll_start(&u->poll, events, on_poll))
        dt__host_log(u->place->host, DT_LOG_ERROR, "a socket cannot be polled");
}

static void on_closed(uv_handle_t *handle)
{
    struct io_udp *u = handle->data;
    dt_alloc_free(u->host->alloc, u);
}

void dt__udp_close(struct io_udp *u)
{
    dt__udp_flush(u->place->host);
    dt__udp_queue_clear(u);
    dt_list_del(&u->of_place);
    u->place = NULL;
    uv_close((uv_handle_t *)&u->poll, on_closed);
    close(u->fd);
}

int dt__udp_listen(struct io_place *p, struct dt_addr *local)
{
    if (local->family != 4 && local->family != 6)
        return DT_E_UNSUPPORTED;
    struct io_udp *u = dt_alloc_zero(p->host->alloc, sizeof *u);
    if (!u)
        return DT_E_NOMEM;
    u->fd = open_socket(local);
    int err = u->fd < 0 ? dt__sock_err(errno) : DT_OK;
    if (!err && uv_poll_init(&p->host->loop, &u->poll, u->fd)) {
        close(u->fd);
        err = DT_E_IO;
    }
    if (err) {
        dt_alloc_free(p->host->alloc, u);
        return err;
    }
    u->host = p->host;
    u->place = p;
    u->poll.data = u;
    u->local = *local;
    u->any = dt_addr_is_any(local);
    dt_list_add(&p->udp, &u->of_place);
    dt__udp_poll(u);
    return DT_OK;
}

struct io_udp *dt__udp_find(struct io_place *p, const struct dt_addr *local)
{
    struct io_udp *any = NULL;
    DT_LIST_EACH(e, &p->udp)
    {
        struct io_udp *u = DT_OF(e, struct io_udp, of_place);
        if (u->local.port != local->port || u->local.family != local->family)
            continue;
        if (dt_addr_ip_eq(&u->local, local))
            return u;
        if (u->any)
            any = u;
    }
    return any;
}

bool dt__udp_unlisten(struct io_place *p, const struct dt_addr *local)
{
    struct io_udp *u = dt__udp_find(p, local);
    if (!u || !dt_addr_ip_eq(&u->local, local))
        return false;
    dt__udp_close(u);
    return true;
}

void dt__udp_close_all(struct io_place *p)
{
    DT_LIST_EACH(e, &p->udp)
    dt__udp_close(DT_OF(e, struct io_udp, of_place));
}

int dt__udp_init(struct dt_host *h)
{
    int err = dt__udp_rx_init(h);
    return err ? err : dt__udp_tx_init(h);
}

void dt__udp_exit(struct dt_host *h)
{
    dt_alloc_free(h->alloc, h->rx);
    dt__udp_tx_clear(h);
}
