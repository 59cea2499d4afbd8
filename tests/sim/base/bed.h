/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The base flows (a call, a call with authentication, a cancelled one, hold, registration) in a
 * simulated network, with what is done to them: packets lost by a mask, or one node whose n-th
 * allocation fails. Whatever is done, the flow ends cleanly and the next call is faultless. */
#ifndef BASE_BED_H
#define BASE_BED_H

#include "dualtone/msg.h"
#include "flow/run.h"
#include "testkit.h"

/* Parties, in the order of each flow's text; a flow without C ends at B. */
enum { P, S, A, B, C, PARTIES };

enum { MASK_BITS = 12, REASON_SIZE = 320, CALLS_MAX = 8 };

/* What a phone said of its calls, by their numbers. */
enum call_state { NO_CALL, CALLING, RINGS, ANSWERING, TALKING, HOLDING, HELD, ENDING, ENDED };
struct view {
    enum call_state calls[CALLS_MAX + 1];
    unsigned rings, talks; /* calls that began to ring here, that were talked on */
    bool sound;            /* the media engine was told to send and to receive */
    bool registered;
};

struct bed;
struct base_flow {
    const char *name;
    const char *text;            /* the network; C is "off" and starts when it is played */
    void (*play)(struct bed *b); /* what the people do, and what must come of it */
    int callee;                  /* of the call afterwards */
    bool extra;                  /* only for what lacks memory: at a pair, over TCP */
};

struct bed {
    const struct base_flow *base;
    struct kit_alloc memory;         /* of the network and the record */
    struct kit_alloc nodes[PARTIES]; /* of each node */
    struct dt_flow *flow;
    struct dt_flow_options options;
    struct dt_flow_result result;
    struct flow_run run;
    struct view views[PARTIES];
    size_t read; /* items of the record that the views know */
    /* losses */
    bool counting;
    unsigned mask, sent;          /* bit i: the i-th packet since counting began is lost */
    unsigned lost, lost_at_a_hop; /* the most of one method between two parties */
    unsigned hops[PARTIES][PARTIES][DT_METHOD_COUNT];
    /* how it goes */
    bool lenient; /* a node lacks memory: what does not come about is no failure */
    bool came;    /* what was wanted came about */
    bool failed;
    char reason[REASON_SIZE];
};

extern const struct base_flow base_flows[];
extern const size_t base_flows_n;

/* Sets up; false after a failure. `bed_close` in any case: it fails the run if memory was leaked.
 */
bool bed_open(struct bed *b, const struct base_flow *base, uint64_t seed);
void bed_close(struct bed *b);
/* After the flow was played: people put down what is not over, then a call between A and the
 * flow's callee must be faultless, then all is quiet: no call, no object left, the invariants. */
void bed_judge(struct bed *b);
void bed_draw(struct bed *b);

typedef bool (*bed_test)(const struct bed *b);
/* Lets time pass until `test` holds (NULL: never) or `limit` is over: did it hold? */
bool bed_until(struct bed *b, bed_test test, dt_time limit);
dt_time bed_now(const struct bed *b);
void bed_type(struct bed *b, int party, const char *command);
void bed_start(struct bed *b, int party);
void bed_fail(struct bed *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Packets count from now on. */
void bed_count(struct bed *b);
bool bed_has(const struct bed *b, int party, enum call_state state);
bool bed_busy(const struct bed *b, int party);

/* A call from A to `callee`, answered and hung up; `b->came` is set when it was talked on. */
void people_call(struct bed *b, int callee);
bool people_are_done(const struct bed *b);

#endif
