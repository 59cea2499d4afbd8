/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One run of a cell: the network, what its phones say, the blow, and how it went. */
#ifndef SURVIVAL_STAGE_H
#define SURVIVAL_STAGE_H

#include "cell.h"
#include "flow/run.h"
#include "testkit.h"

/* Parties, in the order of the flow's text. */
enum { P, S, A, B, B2, B3, PARTIES };

enum { CALLS_MAX = 8, REASON_SIZE = 320 };

/* What a phone said of its calls, by their numbers (lowest free from 1). */
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
struct phone_view {
    enum call_state calls[CALLS_MAX + 1];
    unsigned rings;             /* calls that began to ring here */
    unsigned blinks;            /* of these, ended before anybody could hear it */
    unsigned talks;             /* calls that were talked on */
    bool sound;                 /* the media engine was told to send and to receive */
    unsigned gaps;              /* it was told to stop before anybody hung up */
    bool refused;               /* it was told that a closed port refused its call */
    dt_time since[CALL_STATES]; /* when a call came into that state last */
};

/* The message at which P is struck. */
struct moment {
    bool armed;
    enum dt_record_kind kind;
    int from, to;
    const char *method;
    int status; /* 0: a request */
    const char *has;
    bool cut; /* the way from P to the callees is cut when this is sent by P */
};

struct stage {
    const struct cell *cell;
    uint64_t seed;
    unsigned loss;
    struct kit_alloc memory;
    struct dt_rng rng; /* of the people */
    struct dt_flow *flow;
    struct dt_flow_options options;
    struct dt_flow_result result;
    struct flow_run run;
    size_t read; /* items of the record that the phones' views know */
    struct phone_view phones[PARTIES];
    /* the blow */
    struct moment moment, cut;
    bool struck, moved, returned;
    dt_time struck_at, return_at, move_at;
    /* how it went */
    bool failed, lost;
    bool hung_up; /* somebody did */
    char reason[REASON_SIZE];
    dt_time worst, worst_bound; /* the time nearest to, or furthest over, its bound */
};

/* ---- stage.c ---- */

/* Sets up; false after a failure. `stage_close` in any case. */
bool stage_open(struct stage *s, const struct cell *c, uint64_t seed, unsigned loss);
void stage_close(struct stage *s);
dt_time stage_now(const struct stage *s);
/* Prints the ladder. */
void stage_draw(struct stage *s);

typedef bool (*stage_test)(const struct stage *s);
/* Lets time pass until `test` holds (NULL: never) or `limit` is there: did it hold? */
bool stage_until(struct stage *s, stage_test test, dt_time limit);
void stage_pass(struct stage *s, dt_time t);
/* A time between, by the seed. */
dt_time stage_between(struct stage *s, int from_ms, int to_ms);
/* A person types. */
void stage_type(struct stage *s, int party, const char *command);
/* The first reason counts. */
void stage_fail(struct stage *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool phone_has(const struct stage *s, int party, enum call_state state);
/* Any call that is not over. */
bool phone_busy(const struct stage *s, int party);
int last_callee(const struct stage *s);

/* ---- blow.c ---- */

/* Strikes P now. */
void blow_strike(struct stage *s);
/* Strikes it when `cell`'s message is seen. */
void blow_arm(struct stage *s);
/* What is due after it: return, move. The time of the next of these. */
dt_time blow_tick(struct stage *s);
/* Called for each item of the record as it comes. */
void blow_watch(void *ctx, const struct dt_record *r, const struct dt_record_item *item);

/* ---- people.c ---- */

void people_play(struct stage *s);

/* ---- verdict.c ---- */

/* After the last call: quiet, ghosts, invariants, objects. */
void verdict(struct stage *s);

/* Does the table promise anything but that no ghost is left? */
bool stage_is_promised(const struct stage *s);

#endif
