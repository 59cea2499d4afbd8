/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses and errors of the system, and ours; the room of a socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "io/loop.h"

socklen_t dt__sock_from_addr(const struct dt_addr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == 6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
        memcpy(&in6.sin6_addr, a->ip, 16);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    memcpy(&in4.sin_addr, a->ip, 4);
    memcpy(out, &in4, sizeof in4);
    return sizeof in4;
}

struct dt_addr dt__sock_to_addr(const void *sockaddr, enum dt_transport transport)
{
    struct dt_addr a = {.transport = (uint8_t)transport};
    sa_family_t family;
    memcpy(&family, (const char *)sockaddr + offsetof(struct sockaddr, sa_family), sizeof family);
    if (family == AF_INET) {
        struct sockaddr_in in4;
        memcpy(&in4, sockaddr, sizeof in4);
        a.family = 4;
        a.port = ntohs(in4.sin_port);
        memcpy(a.ip, &in4.sin_addr, 4);
    } else if (family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sockaddr, sizeof in6);
        a.family = 6;
        a.port = ntohs(in6.sin6_port);
        memcpy(a.ip, &in6.sin6_addr, 16);
    }
    return a;
}

static const struct err_row {
    int from, to;
} err_rows[] = {
    {EADDRINUSE, DT_E_INUSE},
    {EADDRNOTAVAIL, DT_E_ADDRESS},
    {EACCES, DT_E_PERMISSION},
    {EPERM, DT_E_PERMISSION},
    {ECONNREFUSED, DT_E_REFUSED},
    {ENETUNREACH, DT_E_UNREACHABLE},
    {EHOSTUNREACH, DT_E_UNREACHABLE},
    {ENETDOWN, DT_E_UNREACHABLE},
    {EHOSTDOWN, DT_E_UNREACHABLE},
    {EPROTO, DT_E_UNREACHABLE},
    {ECONNRESET, DT_E_CLOSED},
    {ECONNABORTED, DT_E_CLOSED},
    {EPIPE, DT_E_CLOSED},
    {ETIMEDOUT, DT_E_TIMEOUT},
    {ENOMEM, DT_E_NOMEM},
    {ENOBUFS, DT_E_NOMEM},
    {EMSGSIZE, DT_E_LIMIT},
    {EMFILE, DT_E_LIMIT},
    {ENFILE, DT_E_LIMIT},
    {ENOENT, DT_E_ABSENT},
    {ENOTDIR, DT_E_ABSENT},
    {EROFS, DT_E_PERMISSION},
    {EISDIR, DT_E_FOLDER},
    {ENOSPC, DT_E_SPACE},
    {EDQUOT, DT_E_SPACE},
    {EAFNOSUPPORT, DT_E_UNSUPPORTED},
};

int dt__sock_err(int err)
{
    for (size_t i = 0; i < sizeof err_rows / sizeof err_rows[0]; i++)
        if (err_rows[i].from == err)
            return err_rows[i].to;
    return DT_E_IO;
}

/* On Unix libuv's codes are negated errnos, but for its own few. */
int dt__sock_err_uv(int err)
{
    return err == UV_EOF ? DT_E_CLOSED : dt__sock_err(-err);
}

void dt__sock_room(int fd, int bytes)
{
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes)) /* CAP_NET_ADMIN */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);      /* net.core.rmem_max */
}
