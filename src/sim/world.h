/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The insides of the simulator, shared by its files only. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/sim.h"

enum {
    SIM_HUNG_MAX = 256, /* datagrams in the sockets of a hung node */
    SIM_STALL_S = 4,    /* a longer stop is told by DT_IN_WOKE (design.md R10) */
    SIM_FIRST_PORT = 40000
};
/* When the timer of a node stands that wants nothing: it stays in the heap, so that arming it anew
 * never fails. */
#define SIM_PARKED (DT_TIME_NEVER - 1)

/* An address that a node has, or had when it was killed. */
struct sim_socket {
    struct dt_map_entry entry;
    struct dt_list link; /* of its node */
    struct dt_sim_node *node;
    struct dt_addr local;
};

/* What happens later. One allocation each; `timer` is its place in the heap. */
enum sim_event_kind {
    SIM_PACKET,    /* a datagram arrives at `to` */
    SIM_ERROR,     /* an ICMP error for a datagram from `to` to `from` arrives */
    SIM_LISTENING, /* answer to DT_OUT_LISTEN */
    SIM_CONNECT,   /* a SYN arrives */
    SIM_ACCEPTED,  /* the callee is told of it */
    SIM_OPENED,    /* the caller is told of its answer */
    SIM_BYTES,     /* stream bytes arrive */
    SIM_CLOSED,    /* the end of a stream arrives */
    SIM_DNS,       /* an answer of the name servers */
    SIM_COMMAND    /* a line for the node */
};
struct sim_event {
    struct dt_timer timer;
    struct dt_list all;
    enum sim_event_kind kind;
    enum dt_channel channel;
    int err;
    uint32_t dns_id;
    enum dt_dns_type dns_type;
    struct dt_addr from, to;
    uint64_t stream;
    dt_time came; /* to a hung node, where `held` says so */
    bool held;
    struct dt_sim_node *node; /* who it is for, where that is known when it starts */
    uint32_t life;            /* of that node: events of an earlier life are dropped */
    struct dt_bytes *bytes;
};

/* A TCP connection: two ends, each a node with its own id for it. The first opened it; the second
 * is NULL until the SYN is there. */
struct sim_stream {
    struct dt_list all;
    struct dt_sim_node *ends[2];
    uint64_t ids[2];
    struct dt_addr addr[2];
    dt_time busy[2]; /* when the last byte towards this end arrives: order is kept */
    bool open[2];
    bool stuck[2]; /* bytes towards this end were lost for good: what follows cannot arrive */
};

struct dt_sim_node {
    struct dt_sim *sim;
    const char *name;
    const struct dt_node_ops *ops;
    void *node; /* NULL: killed */
    struct dt_sim_node *media;
    struct dt_timer timer; /* the node's own deadline */
    struct dt_list all;
    struct dt_list sockets;
    struct dt_list ghosts; /* the sockets of the life before, while it is killed */
    struct dt_list held;   /* events that came while it hangs */
    size_t n_held;         /* datagrams of them */
    dt_time hung_at;
    uint32_t life;
    uint64_t accepted; /* last id given to an accepted stream */
    bool hung, blackhole, silent, plain;
    bool moved; /* another node has its addresses */
};

/* From one node to another: a link of its own, or only what keeps the order of datagrams. */
struct sim_pair {
    struct dt_map_entry entry;
    struct sim_pair *next;
    const struct dt_sim_node *a, *b;
    struct dt_sim_link link;
    bool own;
    dt_time busy; /* when the last datagram arrives */
};

struct sim_name {
    struct sim_name *next;
    struct dt_dns_record record;
    struct dt_bytes *texts[4]; /* name, target, service, flags */
};

enum { SIM_TIMER_EVENT, SIM_TIMER_NODE };

struct dt_sim {
    const struct dt_alloc *alloc;
    struct dt_sim_watch watch;
    struct dt_rng rng;
    struct dt_timers timers;
    struct dt_list nodes, events, streams;
    struct dt_list spare; /* events to be used again */
    struct dt_map sockets, ghosts, pair_map;
    struct dt_sim_link link;
    struct sim_pair *pairs;
    struct sim_name *names;
    dt_time now;
    size_t pending;
    uint16_t next_port;
    bool dns_fails;
};

/* A new event of `kind` at `due`, or NULL. */
struct sim_event *dt__sim_event(struct dt_sim *sim, enum sim_event_kind kind, dt_time due);
void dt__sim_event_free(struct dt_sim *sim, struct sim_event *e);
/* Hand one input to a node, then take its outputs and its deadline. */
void dt__sim_give(struct dt_sim *sim, struct dt_sim_node *n, const struct dt_input *in);
/* Who has a socket with this address, and whose it was when that node was killed. */
struct dt_sim_node *dt__sim_find(struct dt_sim *sim, const struct dt_addr *a);
struct dt_sim_node *dt__sim_find_dead(struct dt_sim *sim, const struct dt_addr *a);
/* Tell the watch. */
void dt__sim_tell(struct dt_sim *sim, enum dt_sim_fate fate, const struct dt_addr *from,
                  const struct dt_addr *to, struct dt_bytes *bytes);

/* link.c: how packets fare */
/* The link between two nodes; either may be NULL. */
const struct dt_sim_link *dt__sim_link_of(const struct dt_sim *sim, const struct dt_sim_node *a,
                                          const struct dt_sim_node *b);
/* One packet's time on the way. */
dt_time dt__sim_delay(struct dt_sim *sim, const struct dt_sim_link *l);
/* When a datagram sent now arrives: in order with the ones before, unless `reorder` strikes. */
dt_time dt__sim_arrival(struct dt_sim *sim, const struct dt_sim_node *a,
                        const struct dt_sim_node *b);
/* Does something with this rate happen now? */
bool dt__sim_strikes(struct dt_sim *sim, unsigned per_mille);
/* Nothing can come from `a` to `b`: cut, or one of them is in a black hole. */
bool dt__sim_mute(const struct dt_sim *sim, const struct dt_sim_node *a,
                  const struct dt_sim_node *b);

/* net.c: datagrams and sockets */
void dt__sim_listen(struct dt_sim_node *n, const struct dt_addr *local, bool open);
/* The node is killed: its sockets are ghosts. It is restarted or gone: the ghosts go. */
void dt__sim_sockets_die(struct dt_sim_node *n);
void dt__sim_ghosts_clear(struct dt_sim_node *n);
/* All sockets and ghosts of `from` are sockets of `to`. */
void dt__sim_sockets_move(struct dt_sim_node *from, struct dt_sim_node *to);
uint16_t dt__sim_port(struct dt_sim *sim); /* the next ephemeral one */
void dt__sim_datagram(struct dt_sim_node *n, const struct dt_output *o);
void dt__sim_packet_arrives(struct dt_sim *sim, struct sim_event *e);

/* tcp.c */
void dt__sim_tcp_output(struct dt_sim_node *n, const struct dt_output *o);
void dt__sim_tcp_event(struct dt_sim *sim, struct sim_event *e);
void dt__sim_tcp_reset(struct dt_sim_node *n); /* it was killed */
void dt__sim_tcp_moved(struct dt_sim_node *n); /* its addresses went to another node */
void dt__sim_tcp_clear(struct dt_sim *sim);

/* dns.c */
void dt__sim_resolve(struct dt_sim_node *n, const struct dt_output *o);
void dt__sim_dns_arrives(struct dt_sim *sim, struct sim_event *e);
void dt__sim_dns_clear(struct dt_sim *sim);

#endif
