/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inside the host: who owns what. The host owns a libuv loop, its places (one a node) and what they
 * opened. A handle of libuv is freed in its close callback only.
 *
 * One turn: the loop polls; each callback starts with dt__host_turn (reads the clocks once a turn);
 * datagrams and stream data are given to their node at once, everything else is put into its
 * `pending` queue; before the next poll all pending input is given and due ticks are made. A node
 * is never entered from inside itself. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdatomic.h>
#include <sys/socket.h>
#include <uv.h>

#include "dualtone/containers.h"
#include "io/host.h"

struct io_dns;
struct io_query;
struct io_udp;
struct io_rx;
struct io_tx;

struct io_pending {
    struct dt_input in;
    struct dt_bytes *bytes; /* behind in.data, or NULL */
    struct io_query *query; /* behind in.dns, or NULL */
};

struct io_route {
    struct io_route *next;
    enum dt_channel channel;
    struct dt_host_link *link; /* to a node of another host, or NULL: */
    int to_node;               /* of the same one */
};

/* Counts of datagrams, for dt__gather. */
struct io_gather {
    dt_time since; /* a window's begin */
    uint64_t before_window, before_turn;
    bool fast;
};

/* A node's place in its host. */
struct io_place {
    struct dt_host *host;
    const struct dt_node_ops *ops; /* NULL: removed */
    void *node;
    int number;
    bool started; /* its first outputs were taken */
    bool busy;    /* inside one of its functions, or carrying out what it wants */
    struct dt_list udp, listeners, streams;
    struct dt_map by_id; /* streams */
    uint64_t last_id;    /* of an accepted stream */
    struct io_pending *pending;
    size_t n_pending, cap_pending;
    struct io_route *routes;
};

struct dt_host_timer {
    struct dt_host *host;
    struct dt_timer timer;
    void (*fire)(void *ctx, dt_time now);
    void *ctx;
};

struct dt_host {
    const struct dt_alloc *alloc;
    struct dt_host_config cfg; /* with defaults filled in */
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_async_t wake;
    uv_poll_t clock; /* a timerfd: microseconds, and CLOCK_BOOTTIME as the deadlines are */
    uv_signal_t signals[2];
    bool loop_is_open;
    int clock_fd;
    dt_time clock_due; /* what the timerfd is set to */
    struct io_place **places;
    int n_places;

    dt_time now;
    bool now_is_read;   /* in this turn */
    int64_t wall;       /* wall clock minus now, this turn */
    int64_t wall_told;  /* what the nodes know */
    dt_time wall_doubt; /* until then kernel stamps are not trusted */

    struct dt_timers timers;
    struct dt_list links;   /* rings into this host */
    struct dt_list closing; /* streams without a node, that still write */
    struct dt_host_timer grace;
    struct io_dns *dns;
    struct io_rx *rx;    /* buffers for recvmmsg */
    struct io_tx *tx;    /* the batch for sendmmsg */
    char *stream_buffer; /* what is read from a stream, until its node has seen it */
    uint32_t n_streams;
    bool accept_waits; /* a listener has a connection that could not be accepted */
    struct dt_host_counts counts;
    struct io_gather gather;

    uv_thread_t thread; /* that runs the loop */
    bool has_thread;    /* of its own: dt_host_start */
    atomic_bool ran;    /* `thread` is set */
    atomic_bool stop;
    bool ending;
};

/* ---- host.c ---- */

/* First in each callback of the loop: the clocks, once a turn, and what they tell (WOKE,
 * WALL_STEP). */
void dt__host_turn(struct dt_host *h);
void dt__host_log(const struct dt_host *h, enum dt_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The last stream has gone; the loop may end. */
void dt__host_streams_gone(struct dt_host *h);
/* A timer inside an object of ours; no allocation. */
void dt__timer_init(struct dt_host_timer *t, struct dt_host *h,
                    void (*fire)(void *ctx, dt_time now), void *ctx);

/* ---- gather.c ---- */

/* Last before each poll; what is `due` is not delayed. */
void dt__gather(struct dt_host *h, dt_time due);

/* ---- place.c ---- */

/* Gives pending input, then these, then takes the outputs. */
void dt__place_input(struct io_place *p, const struct dt_input *in, size_t n);
/* Queues for before the next poll; takes `bytes` and `query` over. Lost without memory. */
void dt__place_later(struct io_place *p, const struct dt_input *in, struct dt_bytes *bytes,
                     struct io_query *query);
/* Gives pending input and takes the outputs. */
void dt__place_settle(struct io_place *p);
void dt__place_tick(struct io_place *p, dt_time now);
/* Closes all that it opened. */
void dt__place_clear(struct io_place *p);

/* ---- sock.c ---- */

socklen_t dt__sock_from_addr(const struct dt_addr *a, struct sockaddr_storage *out);
/* An address of another family gives family 0. */
struct dt_addr dt__sock_to_addr(const void *sockaddr, enum dt_transport transport);
/* An errno, and one of libuv's (negative), as a DT_E_. */
int dt__sock_err(int err);
int dt__sock_err_uv(int err);
/* Asks for so much room for what was received: past net.core.rmem_max where CAP_NET_ADMIN lets it.
 */
void dt__sock_room(int fd, int bytes);

/* ---- udp.c ---- */

int dt__udp_init(struct dt_host *h); /* DT_OK or DT_E_NOMEM */
void dt__udp_exit(struct dt_host *h);
/* DT_OK with the port filled in, or why not. */
int dt__udp_listen(struct io_place *p, struct dt_addr *local);
void dt__udp_close(struct io_udp *u);
/* Closes all of a place. */
void dt__udp_close_all(struct io_place *p);
bool dt__udp_unlisten(struct io_place *p, const struct dt_addr *local);
/* Into the batch; takes the reference over. */
void dt__udp_send(struct io_place *p, const struct dt_output *o);
/* Sends the batch. */
void dt__udp_flush(struct dt_host *h);

/* ---- tcp.c, tcp_listen.c ---- */

int dt__tcp_init(struct dt_host *h); /* DT_OK or DT_E_NOMEM */

int dt__tcp_listen(struct io_place *p, struct dt_addr *local);
bool dt__tcp_unlisten(struct io_place *p, const struct dt_addr *local);
void dt__tcp_unlisten_all(struct io_place *p);
void dt__tcp_connect(struct io_place *p, const struct dt_output *o);
/* Takes the reference over. */
void dt__tcp_send(struct io_place *p, const struct dt_output *o);
void dt__tcp_close(struct io_place *p, uint64_t id);
/* Closes all of a place after what was written. */
void dt__tcp_close_all(struct io_place *p);
/* Drops those that still write. */
void dt__tcp_abort_closing(struct dt_host *h);
/* A stream has gone: waiting connections may be accepted. */
void dt__tcp_accept_more(struct dt_host *h);

/* ---- dns.c ---- */

void dt__dns_resolve(struct io_place *p, const struct dt_output *o);
void dt__dns_forget(struct io_place *p); /* its questions under way */
void dt__dns_exit(struct dt_host *h);
void dt__query_free(struct io_query *q);

/* ---- ring.c ---- */

/* Moves what the rings hold into the places. */
void dt__links_take(struct dt_host *h);
/* The host ends: its links lead nowhere from now on. */
void dt__links_cut(struct dt_host *h);

#endif
