/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A dialling as a play of short words: for the tests that drive each arrow of its table. */
#ifndef REACH_PLAY_H
#define REACH_PLAY_H

#include <string.h>

#include "testkit.h"
#include "dualtone/reach.h"

/* What can happen to a path from outside, in the order of enum dt_path_event; behind them what
 * happens to the whole dialling. */
#define PLAY_EVENTS(X) \
    X(100) \
    X(180) \
    X(200) X(fork) X(401) X(302) X(503) X(482) X(486) X(timeout) X(error) X(dead) X(mute) X(twin)
enum {
#define X(word) PLAY_##word,
    PLAY_EVENTS(X)
#undef X
        PLAY_HANGUP,
    PLAY_TICK, /* at the deadline */
    PLAY_FOUND /* 0 or 1: that server's targets are known now */
};
enum { PLAY_COLUMNS = PLAY_TICK + 1 };
_Static_assert((int)PLAY_twin == (int)DT_PATH_EV_TWIN, "a word for each event of a path");

struct play {
    struct dt_attempt attempt;
    dt_time now;
    struct dt_orders orders; /* of the last act */
    unsigned targets[DT_ATTEMPT_SERVERS];
};

static inline struct dt_addr play_target(unsigned server, unsigned i)
{
    return (struct dt_addr){
        .ip = {10, 0, (uint8_t)server, (uint8_t)(i + 1)}, .port = 5060, .family = 4};
}

/* One thing that happens; `path` is a server's number for PLAY_FOUND. */
static inline void play_act(struct play *p, int what, unsigned path)
{
    struct dt_attempt *a = &p->attempt;
    struct dt_addr list[DT_ATTEMPT_TARGETS];

    p->orders.n = 0;
    switch (what) {
    case PLAY_HANGUP:
        dt_attempt_hangup(a, p->now, &p->orders);
        break;
    case PLAY_TICK:
        if (dt_attempt_deadline(a) != DT_TIME_NEVER)
            p->now = dt_attempt_deadline(a);
        dt_attempt_tick(a, p->now, &p->orders);
        break;
    case PLAY_FOUND:
        for (unsigned i = 0; i < p->targets[path]; i++)
            list[i] = play_target(path, i);
        dt_attempt_found(a, p->now, path, list, p->targets[path],
                         p->targets[path] ? DT_OK : DT_E_ABSENT, &p->orders);
        break;
    default:
        dt_attempt_event(a, p->now, path, (enum dt_path_event)what,
                         what == PLAY_timeout ? DT_E_TIMEOUT : DT_E_REFUSED, &p->orders);
    }
}

/* A dialling of `servers` servers with that many targets; nothing is found yet. */
static inline void play_begin(struct play *p, enum dt_reach_policy policy, unsigned servers,
                              const unsigned targets[DT_ATTEMPT_SERVERS])
{
    const struct dt_attempt_config cfg = {.policy = policy,
                                          .servers = servers,
                                          .repeats = 6,
                                          .t1 = 500 * DT_MS,
                                          .ring_time = 180 * DT_SECOND};

    memset(p, 0, sizeof(*p));
    memcpy(p->targets, targets, sizeof(p->targets));
    dt_attempt_init(&p->attempt, &cfg);
}

#endif
