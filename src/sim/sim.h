/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The simulated host (design.md 3): a network, nodes and a clock in one process. Same seed, same
 * trace, byte for byte (I40). Nodes are attached with their seam functions; which sockets they have
 * they say themselves by DT_OUT_LISTEN. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "dualtone/containers.h"
#include "dualtone/node.h"

struct dt_sim;
struct dt_sim_node; /* one attached node; valid until dt_sim_free, also after it was killed */

/* How packets fare from one node to another; rates in per mille. */
struct dt_sim_link {
    dt_time delay;  /* one way */
    dt_time jitter; /* up to so much more, uniform; order is kept unless `reorder` strikes */
    unsigned loss;
    unsigned duplicate;
    unsigned reorder; /* such a packet is late by up to 4 x (delay + 10 ms): others pass it */
    bool cut;         /* partition: nothing passes */
};

/* What happened to a packet, for who watches. */
enum dt_sim_fate { DT_SIM_SENT, DT_SIM_ARRIVED, DT_SIM_LOST, DT_SIM_UNHEARD };

struct dt_sim_watch {
    /* A datagram, or bytes on a stream. ARRIVED: just before the node gets it, for a hung one when
     * it reads on; UNHEARD: nobody reads there (black hole, closed port, too long in the socket of
     * a hung node). */
    void (*packet)(void *ctx, dt_time now, enum dt_sim_fate fate, const struct dt_addr *from,
                   const struct dt_addr *to, struct dt_bytes *bytes);
    void (*event)(void *ctx, dt_time now, struct dt_sim_node *node, const struct dt_output *event);
    void *ctx;
};

/* NULL without memory. `watch` (may be NULL) is copied. */
struct dt_sim *dt_sim_new(const struct dt_alloc *alloc, uint64_t seed,
                          const struct dt_sim_watch *watch);
/* Detaches and forgets; the nodes are freed by who made them, before or after. */
void dt_sim_free(struct dt_sim *sim);
dt_time dt_sim_now(const struct dt_sim *sim);
/* The scenario's generator, for choices that must repeat with the seed. */
struct dt_rng *dt_sim_rng(struct dt_sim *sim);

/* ---- nodes ---- */

/* Attach a node under a name (kept by reference) and take its first outputs. NULL without memory.
 */
struct dt_sim_node *dt_sim_attach(struct dt_sim *sim, const char *name,
                                  const struct dt_node_ops *ops, void *node);
const char *dt_sim_name(const struct dt_sim_node *n);
/* A line to a node: as typed by its user, or said by its media engine. */
void dt_sim_command(struct dt_sim *sim, struct dt_sim_node *n, enum dt_channel channel,
                    struct dt_str text);
/* Events of `n` on channel MEDIA become commands of `engine`, and the other way. */
void dt_sim_join_media(struct dt_sim_node *n, struct dt_sim_node *engine);

/* Killed: all is gone at once, sockets closed, streams reset; the caller frees the node object (its
 * pointer is not used again). Restarted: a new node object takes the place (what still lived there
 * is killed first). */
void dt_sim_kill(struct dt_sim *sim, struct dt_sim_node *n);
void dt_sim_restart(struct dt_sim *sim, struct dt_sim_node *n, void *node);
/* Hung (SIGSTOP): sockets stay open and connections are accepted, but nothing answers; datagrams
 * pile up (at most 256) and are delivered with their age on waking. As the real host does
 * (design.md R10), waking after more than 4 s begins with DT_IN_WOKE, and datagrams older than that
 * are dropped unread. */
void dt_sim_hang(struct dt_sim *sim, struct dt_sim_node *n);
void dt_sim_wake(struct dt_sim *sim, struct dt_sim_node *n);
/* Black hole: what is sent to this node vanishes, and so does what it sends. Undone by `on` false.
 */
void dt_sim_blackhole(struct dt_sim_node *n, bool on);
/* A killed node's address says nothing in place of refusing (its host is gone, or a bound socket
 * that nobody reads stands there). Set before dt_sim_kill, no stream of it is reset either; a
 * restart ends it. */
void dt_sim_silent(struct dt_sim_node *n, bool on);
/* The host of a node that is not ours: it does not tell of a stop (no DT_IN_WOKE), and what lay in
 * the sockets is read however old it is. */
void dt_sim_plain(struct dt_sim_node *n, bool on);
/* A virtual address moves: all addresses that `from` has, or had when it was killed, come to `to`,
 * datagrams and new connections with them. A connection that was open at `from` is reset when its
 * other end sends or has unanswered bytes: `to` knows nothing of it. `from` is cut off, if it lives
 * (as by dt_sim_blackhole). */
void dt_sim_move(struct dt_sim_node *from, struct dt_sim_node *to);
bool dt_sim_is_up(const struct dt_sim_node *n);

/* ---- the network ---- */

/* The link for all pairs without one of their own. */
struct dt_sim_link *dt_sim_default_link(struct dt_sim *sim);
/* The link from `a` to `b` alone, made as a copy of the default one; NULL without memory. */
struct dt_sim_link *dt_sim_link(struct dt_sim *sim, struct dt_sim_node *a, struct dt_sim_node *b);

/* A DNS record; several of a name and type make one answer, in the order given. Texts are copied.
 * Names without records: DT_DNS_NO_NAME. */
int dt_sim_dns_add(struct dt_sim *sim, struct dt_str name, const struct dt_dns_record *record);
/* The name servers answer nothing (DT_DNS_FAILED after `delay`) while `on`. */
void dt_sim_dns_fail(struct dt_sim *sim, bool on);

/* ---- time ---- */

/* The next event, if it is due at or before `limit`: true. Else the clock goes to `limit`: false.
 */
bool dt_sim_step(struct dt_sim *sim, dt_time limit);
/* Everything until `until`. */
void dt_sim_run(struct dt_sim *sim, dt_time until);
/* Until `done` says so, or `limit`; tells which. */
bool dt_sim_until(struct dt_sim *sim, bool (*done)(void *ctx), void *ctx, dt_time limit);
/* Packets and timers under way, for I36: 0 when nothing will happen any more but node deadlines. */
size_t dt_sim_pending(const struct dt_sim *sim);

#endif
