/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A world in which a flow runs: the simulator, or real processes on loopback. */
#ifndef FLOW_WORLD_H
#define FLOW_WORLD_H

#include "flow/flow.h"

struct flow_world;

struct flow_world_ops {
    /* Switch a party on. */
    int (*start)(struct flow_world *w, int party);
    /* A line for a phone. */
    void (*command)(struct flow_world *w, int party, struct dt_str text);
    /* blackhole, kill, hang, wake, restart; in simulation also silence: as kill, but nothing
     * refuses there. */
    int (*fault)(struct flow_world *w, int party, struct dt_str what);
    /* Lets time pass until something is recorded or `limit` is reached: true if something was. */
    bool (*advance)(struct flow_world *w, dt_time limit);
    dt_time (*now)(const struct flow_world *w);
    /* Objects under way in all nodes (I36); 0 where it cannot be asked. */
    unsigned (*objects)(const struct flow_world *w);
    void (*close)(struct flow_world *w);
};

struct flow_world {
    const struct flow_world_ops *ops;
    const struct dt_flow *flow;
    const struct dt_flow_options *options;
    struct dt_record *record;                  /* party i of the flow is party i of the record */
    struct dt_addr addrs[DT_FLOW_PARTIES_MAX]; /* SIP address of each party */
    char error[256];                           /* why start or fault failed: one sentence */
};

struct flow_world *dt__flow_sim_open(const struct dt_flow *f, const struct dt_flow_options *o,
                                     struct dt_record *record);
/* For tests, of a world in the simulator: the addresses of a party that was struck go to another
 * one (dt_sim_move); packets from one to the other are lost. */
void dt__flow_sim_move(struct flow_world *w, int from, int to);
void dt__flow_sim_cut(struct flow_world *w, int from, int to, bool on);
/* NULL with a sentence in `err`. */
struct flow_world *dt__flow_live_open(const struct dt_flow *f, const struct dt_flow_options *o,
                                      struct dt_record *record, char *err, size_t err_size);

/* The configuration of a party as text, as a person would write it: dualtone.conf or SIP<MAC>.cnf.
 */
void dt__flow_config(const struct flow_world *w, int party, struct dt_writer *out);
/* The subscribers' file of all phones with a password, as `dualtone user add` writes it. */
void dt__flow_subscribers(const struct flow_world *w, dt_hash_fn hash, struct dt_writer *out);
/* The domain of all parties. */
struct dt_str dt__flow_domain(void);

/* Judges a whole run by the invariants of reliability.md that a record shows. DT_OK, or DT_E_STATE
 * with the invariant and what broke it in `reason`. */
int dt__flow_invariants(const struct dt_flow *f, const struct dt_record *r, size_t from,
                        char *reason, size_t size);

#endif
