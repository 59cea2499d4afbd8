/* SPDX-License-Identifier: BSD-2-Clause
 *
 * UDP inside the host: raw sockets on uv_poll, in batches (design.md 4). */
#ifndef IO_UDP_H
#define IO_UDP_H

#include <netinet/in.h>

#include "io/loop.h"

enum { UDP_BATCH = 32, UDP_SIZE_MAX = 65535 };

struct io_datagram {
    struct dt_bytes *bytes;
    struct dt_addr local, remote;
};

struct io_udp {
    struct dt_list of_place;
    struct dt_host *host;
    struct io_place *place; /* NULL: closing */
    struct dt_addr local;   /* the port filled in */
    bool any;               /* bound to no address in particular */
    int fd;
    uv_poll_t poll;
    struct io_datagram *queue; /* that the socket did not take yet: a ring of datagram_queue */
    uint32_t first, queued;
};

/* Control messages: a time stamp and an IPV6_PKTINFO, or an extended error with its sender. */
union io_control {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) +
               CMSG_SPACE(64)];
};

/* The socket of a place that `local` names: bound to it, or to any address with its port. */
struct io_udp *dt__udp_find(struct io_place *p, const struct dt_addr *local);
/* Polls for what is of interest now. */
void dt__udp_poll(struct io_udp *u);

/* udp_receive.c */
int dt__udp_rx_init(struct dt_host *h);
void dt__udp_receive(struct io_udp *u);
/* Empties the error queue; what it says is evidence (R16). */
void dt__udp_errors(struct io_udp *u);

/* udp_send.c */
int dt__udp_tx_init(struct dt_host *h);
void dt__udp_tx_clear(struct dt_host *h);
/* The socket may be written again. */
void dt__udp_writable(struct io_udp *u);
void dt__udp_queue_clear(struct io_udp *u);

#endif
