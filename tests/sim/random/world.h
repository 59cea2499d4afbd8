/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One random world: proxies, phones, the people at the phones, the faults that strike them, and
 * what is found wrong. All of it follows from the seed (I40). */
#ifndef RANDOM_WORLD_H
#define RANDOM_WORLD_H

#include "cover.h"
#include "flow/world.h"
#include "phone/phone.h"
#include "proxy/proxy.h"
#include "sim/sim.h"
#include "testkit.h"

enum {
    PARTIES_MAX = DT_FLOW_PARTIES_MAX,
    PROXIES_MAX = 2,
    LINES_MAX = 3,
    CALLS_MAX = 16,
    FAULTS_MAX = 512,
    REASON_SIZE = 400,
    CONFIG_SIZE = 2048
};

/* ---- faults: a row each (fault.c, struck.c) ---- */

/* id, name */
#define FAULT_KINDS(X) \
    X(LOSS, "loss") \
    X(DUPLICATE, "duplicate") \
    X(REORDER, "reorder") \
    X(DELAY, "delay") \
    X(CUT, "cut") \
    X(CUT_ONE_WAY, "cut-one-way") \
    X(BLACKHOLE, "blackhole") \
    X(KILL, "kill") \
    X(SILENCE, "silence") \
    X(RESTART, "restart") \
    X(HANG, "hang") \
    X(MOVE, "move") \
    X(WALL, "wall-jump") \
    X(RATE, "clock-rate") \
    X(DNS_FAIL, "dns-fail") \
    X(DNS_EMPTY, "dns-empty") \
    X(DNS_ORDER, "dns-order") \
    X(NOMEM, "allocation")
enum fault_kind {
#define X(id, name) FAULT_##id,
    FAULT_KINDS(X)
#undef X
        FAULT_KIND_COUNT
};

/* One fault of the plan. */
struct fault {
    enum fault_kind kind;
    dt_time at, lasts; /* since the people began; `at` NEVER: begun */
    dt_time ends;
    int a, b;   /* parties; -1: all */
    int amount; /* per mille, ms, ppm, s or n-th, as the kind has it */
    bool off;   /* left out of this run (shrinking) */
    bool on;    /* begun, and not ended */
};

/* ---- phones as their people see them ---- */

enum call_state {
    NO_CALL,
    CALLING,
    RINGS,
    ANSWERING,
    TALKING,
    HOLDING,
    HELD,
    ENDING,
    ENDED,
    CALL_STATES
};
struct call_view {
    enum call_state state;
    dt_time since;
    bool caller, sound;
    char peer[32];
};

struct world;

struct party {
    struct world *w;
    int index;
    char name[8];
    bool proxy;
    /* as it is configured */
    char numbers[LINES_MAX][16];
    unsigned n_lines;
    bool tcp, fast, dnd, shared, named;
    int expires;
    /* as it lives */
    struct kit_alloc memory;
    struct dt_env env;
    struct dt_conf conf;
    union {
        struct dt_phone_config phone;
        struct dt_proxy_config proxy;
    } cfg;
    bool configured, ready, quit;
    struct dt_phone *phone_node;
    struct dt_proxy *proxy_node;
    struct dt_sim_node *node;
    struct dt_bytes *kept; /* proxy: what its store holds, for a restart */
    /* its clock: node time = base_node + (sim time - base_sim) x (1 + ppm / 10^6) */
    dt_time base_sim, base_node;
    int ppm;
    unsigned turns; /* at one moment (I31) */
    dt_time turns_at;
    unsigned baseline;        /* objects after setting up */
    const struct fault *down; /* killed or hung by it */
    bool struck;              /* something happened to it from which calls may be lost */
    bool unsure; /* an event may be lost for want of memory: what its people know may be wrong */
    bool gone;   /* its address was taken: it is left out of what must end */
    /* who sits there */
    struct dt_rng rng;
    dt_time due, dialled;
    struct call_view calls[CALLS_MAX + 1];
    struct sound *sound; /* in worlds with media: sound.h */
};

struct tally;
struct judge; /* judge.h */

struct world {
    uint64_t seed;
    struct dt_flow flow; /* roles, for the judge and the ladder; parties by index */
    struct dt_record record;
    struct dt_sim *sim;
    struct party parties[PARTIES_MAX];
    int n_proxies, n_parties;
    bool auth, pair, dns;
    struct dt_sim_link calm;
    dt_time zero, busy; /* when the people begin, and for how long they go on */
    dt_time pace;       /* between two things that a person does, in the middle */
    unsigned cap;       /* max_transactions of the proxies; 0: the default */
    bool looped;        /* there are numbers whose bindings lead back to the proxies */
    struct dt_rng rng;
    struct fault faults[FAULTS_MAX];
    size_t n_faults;
    bool dns_empty, dns_order;
    bool healed;
    unsigned baseline; /* objects of the proxies alone */
    struct judge *judge;
    bool failed;
    char reason[REASON_SIZE];
    struct tally *tally;
};

/* ---- what is counted, over all worlds; shared between the processes ---- */

/* What people do. */
#define DEEDS(X) \
    X(DIAL, "dial") \
    X(CANCEL, "cancel") \
    X(ANSWER, "answer") \
    X(REJECT, "reject") \
    X(HOLD, "hold") \
    X(RESUME, "resume") \
    X(GLARE, "glare") \
    X(HANGUP, "hangup") \
    X(BOTH_HANG_UP, "both hang up") \
    X(SECOND, "second call") \
    X(QUIT, "unregister")
enum deed {
#define X(id, name) DEED_##id,
    DEEDS(X)
#undef X
        DEED_COUNT
};

struct tally {
    uint64_t worlds, failed, open;
    uint64_t calls, talked, rings;
    dt_time virtual_time;
    uint64_t messages, lost, unheard;
    uint64_t media_worlds, streams, even_streams, frames_sent,
        frames_heard; /* streams: counted exactly */
    uint64_t faults[FAULT_KIND_COUNT];
    uint64_t deeds[DEED_COUNT];
    uint64_t worst_turns;
    uint64_t narrow_worlds, refused;                             /* at a cap (I37) */
    uint64_t looped_worlds, loops, loops_found, worst_forwarded; /* I22 */
    struct cover cover;
};

/* ---- world.c ---- */

/* Makes it and lets it come up. False after a failure; world_close in any case. */
bool world_open(struct world *w, uint64_t seed, struct tally *t);
/* Frees it, and looks for memory that was not freed. */
void world_close(struct world *w);
/* Draws a plan anew: the configuration of all. */
dt_time world_now(const struct world *w);
/* Everything until then; people and faults do not act meanwhile. */
void world_run(struct world *w, dt_time until);
/* The first reason counts. */
void world_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A node object for a party, new or again. */
int world_make_node(struct party *p);
void world_free_node(struct party *p);
/* Between, by a generator. */
int64_t pick_between(struct dt_rng *r, int64_t from, int64_t to);
bool pick_chance(struct dt_rng *r, unsigned percent);
/* Objects of all nodes (I36). */
unsigned world_objects(const struct world *w);
unsigned party_objects(const struct party *p);
struct dt_addr party_address(const struct party *p);
/* The fewest that there were until then. */
unsigned world_fewest_objects(struct world *w, dt_time until);

/* ---- node.c: between the simulator and a node: its clock, its answers from DNS ---- */

extern const struct dt_node_ops party_node; /* the node is a struct party */
dt_time party_time(const struct party *p, dt_time sim_now);
/* The first moment of the simulator at which the clock shows `t` or more. */
dt_time party_sim_time(const struct party *p, dt_time t);
/* From now on its clock goes so much faster. */
void party_set_rate(struct party *p, int ppm);
/* Its wall clock steps to its monotonic one and so much more. */
void party_set_wall(struct party *p, int64_t offset);
#define WALL_START (1700000000 * DT_SECOND)

/* ---- plan.c ---- */

/* All of a world that is by chance, from its seed: kinds of phones, faults. */
void plan_world(struct world *w);
void plan_faults(struct world *w);
const char *fault_name(enum fault_kind kind);
/* "17 hang S 12.3 s for 4.5 s". */
void fault_write(const struct world *w, size_t i, char *out, size_t size);

/* ---- fault.c ---- */

/* What is due by the plan; the time of the next. */
dt_time faults_tick(struct world *w);
/* All of them end, and what was killed comes back. */
void faults_heal(struct world *w);
/* So much longer, at most, lives what a node with a wrong wall clock read from its file, or wrote
 * there (I25).
 */
dt_time faults_jumped(const struct world *w);
/* What its store holds is kept in `kept`, as by its snapshot file. */
void party_keep_store(struct party *p);
/* A proxy reads what was kept, if anything was. */
void party_read_store(struct party *p);
/* Starts a party anew. */
void party_comes_back(struct party *p);

/* ---- people.c ---- */

void people_begin(struct world *w);
/* Whoever is due does something; the time of the next. */
dt_time people_tick(struct world *w);
/* They hang up all there is. */
void people_hang_up(struct world *w);
void people_type(struct party *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What a phone says. */
void people_hear(struct party *p, const struct dt_output *ev);
bool people_busy(const struct party *p);

/* ---- judge_bounds.c ---- */

#define LOOPED_BEGIN "300"
enum { LOOPED_FIRST = 3001, LOOPED_LAST = 3003, LOOPED_FOR_S = 3600 };
/* What a proxy's file holds at first: bindings of these numbers that lead back to the proxies. */
void bounds_bind_loops(struct party *p);

/* ---- verdict.c ---- */

/* One of a proxy's counters, by its name. */
uint64_t world_count(const struct party *p, const char *name);

/* After the last deed: everything ends, nothing is left. */
void verdict(struct world *w);

#endif
