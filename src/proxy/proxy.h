/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The proxy as a node: registrar, location, forking, relay (design.md 1, 7). It is a chain of
 * steps, one file each in src/proxy/steps/. */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include "dualtone/conf.h"
#include "dualtone/node.h"

/* What a challenge offers. */
enum dt_proxy_digest { DT_PROXY_MD5, DT_PROXY_SHA256, DT_PROXY_BOTH };

/* As dualtone.conf says it; rows in config.c. */
struct dt_proxy_config {
    struct dt_str domain; /* what it is responsible for; also a list of aliases below */
    struct dt_str_list aliases;
    struct dt_str_list listen;        /* udp:192.0.2.10:5060 tcp:192.0.2.10:5060 */
    struct dt_str cluster_address;    /* R1 */
    struct dt_str name;               /* R1, R4: the cluster's DNS name; empty: cluster_address */
    struct dt_str_list peers;         /* R4: addresses of the cluster's other nodes */
    struct dt_str node;               /* R17; empty: the first address of `listen` */
    struct dt_str_list dns;           /* name servers that the host asks; empty: the system's */
    struct dt_str key_file;           /* R2, R3, R14: read by the host, handed in below */
    struct dt_str store;              /* memory, or memory:FILE for a snapshot */
    int64_t digest;                   /* enum dt_proxy_digest */
    struct dt_str subscribers;        /* file kept by `dualtone user`; empty: no authentication */
    int64_t timer_t1, timer_t2;       /* ms */
    int64_t timer_c;                  /* s, over 180 (RFC 3261 16.6 step 11) */
    int64_t min_expires, max_expires; /* s */
    int64_t max_contacts, max_bindings, max_transactions, max_breadth, nonce_life;
    int64_t snapshot_every; /* s */
    int64_t max_strays;     /* a second (R5) */
    int64_t stall;          /* s (R10): the host's */
    int64_t gather;         /* us: the host's */
    int64_t slice;          /* us: the host's */
    bool plain;             /* no option: for the simulation of proxies that are not ours: no dv, no
                               Dualtone-Node */
};
enum { DT_PROXY_OPTIONS = 27 }; /* rows; for who needs a constant */
extern const struct dt_option dt_proxy_options[];
extern const size_t dt_proxy_options_n;
/* Checks what rows cannot: listen is there and well formed, cluster_address set when listen is a
 * wildcard, timers fit each other. Adds problems; DT_OK or DT_E_SYNTAX. */
int dt_proxy_config_check(const struct dt_proxy_config *cfg, struct dt_problems *problems);

struct dt_proxy;
/* `cfg`'s texts must outlive it. `key`: the cluster's key (R2), the same on all nodes. Puts
 * DT_OUT_LISTEN for each address, an event READY when all listen, PROBLEM for one that cannot. */
struct dt_proxy *dt_proxy_new(const struct dt_proxy_config *cfg, const uint64_t key[2],
                              struct dt_env *env);
/* R15: a further key that what other nodes signed is verified with, while the keys are changed.
 * Once, before the first input; DT_E_LIMIT for more. */
int dt_proxy_add_key(struct dt_proxy *p, const uint64_t key[2]);
void dt_proxy_free(struct dt_proxy *p);
extern const struct dt_node_ops dt_proxy_node; /* the node is a struct dt_proxy */

/* The text of the subscribers' file (see src/store/subscribers.h), read by the host; may be called
 * again for a reload: on a bad file the old ones stay. DT_OK or DT_E_SYNTAX with problems. */
int dt_proxy_subscribers(struct dt_proxy *p, struct dt_str file, struct dt_str text,
                         struct dt_problems *problems);

/* Bindings as text, for the snapshot file; `changed` false: nothing new since the last call. */
int dt_proxy_snapshot(struct dt_proxy *p, dt_time now, bool *changed, struct dt_bytes **out);
/* What a snapshot had and has not run out since. Lines that are broken are passed over and counted
 * in `*bad`. Call before the node's first input. */
int dt_proxy_restore(struct dt_proxy *p, dt_time now, struct dt_str text, unsigned *bad);

/* Counters as lines "name value" (I24); objects now, for I36. */
void dt_proxy_counts(const struct dt_proxy *p, struct dt_writer *w);
unsigned dt_proxy_objects(const struct dt_proxy *p); /* transactions + forks + timers under way */

#endif
