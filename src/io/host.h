/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The real host of nodes (design.md 3 and 4): one libuv loop in one thread, with UDP, TCP, DNS,
 * timers and signals. Times are CLOCK_BOOTTIME microseconds, so that processes on one machine can
 * compare theirs; one `now` a loop turn. */
#ifndef IO_HOST_H
#define IO_HOST_H

#include "dualtone/node.h"

struct uv_loop_s;
struct dt_host;

/* What commands, traces and screens see. Any function may be NULL. They are called on the host's
 * thread, never from inside a node, and may call dt_host_command and dt_host_stop. */
struct dt_host_watch {
    /* A message (UDP) or a piece of a stream (TCP: `remote->transport`), received before the node
     * sees it or given to the socket. `bytes` is valid during the call. */
    void (*message)(void *ctx, dt_time now, int node, bool sent, const struct dt_addr *local,
                    const struct dt_addr *remote, struct dt_str bytes);
    /* A DT_OUT_EVENT of a node. `ev->text` is valid during the call. */
    void (*event)(void *ctx, dt_time now, int node, const struct dt_output *ev);
    /* Evidence and the like that the host puts into a node: LISTENING, SOCKET_ERROR, STREAM_OPEN,
     * STREAM_CLOSED, WALL_STEP, WOKE; not datagrams, stream data, DNS answers and commands. */
    void (*notice)(void *ctx, dt_time now, int node, const struct dt_input *in);
    /* SIGINT or SIGTERM, when `signals` of the configuration is set. */
    void (*signal)(void *ctx, int signo);
    void *ctx;
};

struct dt_host_config {
    const struct dt_alloc *alloc; /* NULL: libc */
    const struct dt_log *log;     /* NULL: none. It must outlive the host */
    struct dt_host_watch watch;
    bool signals;            /* catch SIGINT and SIGTERM (one host of a process), ignore SIGPIPE */
    const char *dns;         /* "ip:port" or "ip:port,ip:port"; NULL: /etc/resolv.conf */
    dt_time stall;           /* a gap between turns that means "was stopped" (R10); 0: 4 s;
                                DT_TIME_NEVER: never */
    dt_time gather;          /* where datagrams come fast, so long it waits for more of them before
                                it polls, up to 1 s; 0: never */
    dt_time slice;           /* its thread asks for the processor in slices so short; 0: as it is */
    dt_time connect_timeout; /* of DT_OUT_CONNECT; 0: 10 s */
    uint32_t streams_max;    /* at once; accepting pauses there, connecting fails; 0: 4096 */
    uint32_t streams_source; /* accepted at once from one IP address; 0: 256 */
    uint32_t stream_queue;   /* bytes waiting for a peer that does not read; more closes the stream
                                with DT_E_LIMIT; 0: 1 MiB */
    uint32_t datagram_queue; /* datagrams waiting for a full socket; more are lost; 0: 4096 */
};

/* Counters of one host; read them on its thread. */
struct dt_host_counts {
    uint64_t datagrams_in, datagrams_out, datagrams_old, datagrams_lost;
    uint64_t calls_in, calls_out; /* recvmmsg and sendmmsg calls */
    uint64_t socket_errors;       /* taken from error queues */
    uint64_t streams_refused;     /* over a cap */
};

/* A host without nodes, or NULL with a sentence in `err` (always terminated). */
struct dt_host *dt_host_new(const struct dt_host_config *cfg, char *err, size_t err_size);
/* Closes what is open; the nodes are their owners' business. Not from inside a callback. */
void dt_host_free(struct dt_host *h);

/* Adds a node; before dt_host_run or on the host's thread. Returns its number (from 0) or
 * DT_E_NOMEM. Its first outputs are taken when the loop runs. Stream ids that the host gives are
 * odd. After a DT_OUT_CLOSE of its own the node hears nothing more of that stream. */
int dt_host_add(struct dt_host *h, const struct dt_node_ops *ops, void *node);
/* Takes a node out: its sockets are closed, its streams closed after what was written; its number
 * is not used again. After this call the host does not touch the node. */
void dt_host_remove(struct dt_host *h, int node);

/* Runs the loop in this thread until dt_host_stop. Streams get half a second to write what they
 * have. DT_OK or DT_E_STATE (stopped before). Once only. */
int dt_host_run(struct dt_host *h);
/* In place of dt_host_run: one turn of the loop, waiting at most until `limit`. DT_OK or DT_E_STATE
 * (it runs in a thread of its own). */
int dt_host_turn(struct dt_host *h, dt_time limit);
/* Ends dt_host_run. From any thread, and before dt_host_run too. */
void dt_host_stop(struct dt_host *h);
/* The same as dt_host_run in a thread of its own; dt_host_join waits for its end. DT_OK or
 * DT_E_IO. */
int dt_host_start(struct dt_host *h);
void dt_host_join(struct dt_host *h);

/* A line of text for a node (DT_IN_COMMAND), given after the present callback. On the host's
 * thread, or before it runs. DT_OK, DT_E_NOMEM, DT_E_ABSENT (no such node), DT_E_STATE (another
 * thread: use a link). */
int dt_host_command(struct dt_host *h, int node, enum dt_channel channel, struct dt_str text);

/* ---- between threads: a link is one SPSC ring and a wake-up ---- */

struct dt_host_link;
/* A way for lines from exactly one other thread to `node` of `to`. NULL without memory. Made before
 * the hosts run, freed after both ended. */
struct dt_host_link *dt_host_link_new(struct dt_host *to, int node, enum dt_channel channel);
void dt_host_link_free(struct dt_host_link *l);
/* DT_OK, or DT_E_LIMIT when the ring is full or the line longer than 1,000 bytes. */
int dt_host_link_send(struct dt_host_link *l, struct dt_str text);
/* Each event of `node` on `channel` becomes a command to `to_node` of `to` (which may be `h`), on
 * the same channel: a phone and its media engine are two routes. Before the hosts run. DT_OK,
 * DT_E_NOMEM or DT_E_ABSENT. */
int dt_host_route(struct dt_host *h, int node, enum dt_channel channel, struct dt_host *to,
                  int to_node);

/* ---- for commands that do something besides ---- */

/* The `now` of this turn. */
dt_time dt_host_now(struct dt_host *h);
const struct dt_host_counts *dt_host_counts(const struct dt_host *h);
/* For src/io and src/web. */
struct uv_loop_s *dt_host_loop(struct dt_host *h);

/* A timer; may be set anew, stopped and freed in its own callback. NULL without memory. */
struct dt_host_timer;
struct dt_host_timer *dt_host_timer_new(struct dt_host *h, void (*fire)(void *ctx, dt_time now),
                                        void *ctx);
/* DT_TIME_NEVER stops it. */
void dt_host_timer_at(struct dt_host_timer *t, dt_time due);
void dt_host_timer_free(struct dt_host_timer *t);

#endif
