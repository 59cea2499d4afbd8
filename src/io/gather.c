/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Waiting for more, as network cards do with their interrupts: where datagrams come fast, but one
 * by one, being woken up for each costs several times what a proxy does for a message
 * (docs/performance.md, "2,000 calls a second"). There the host sleeps a moment before it polls. */
#include <time.h>

#include "io/loop.h"

static const dt_time window = 10 * DT_MS;
enum {
    FAST = 32,  /* datagrams in a window, above which they come fast */
    ENOUGH = 16 /* in a turn: they come so fast that there are more already */
};

/* Whether the last window was fast; while nothing comes, it grows. */
static bool is_fast(struct io_gather *g, dt_time now, uint64_t in)
{
    dt_time lasted = now - g->since;
    if (lasted >= window) {
        g->fast = (dt_time)(in - g->before_window) * window >= FAST * lasted;
        g->since = now;
        g->before_window = in;
    }
    return g->fast;
}

void dt__gather(struct dt_host *h, dt_time due)
{
    struct io_gather *g = &h->gather;
    uint64_t in = h->counts.datagrams_in, turn = in - g->before_turn;
    g->before_turn = in;
    if (!is_fast(g, h->now, in) || turn >= ENOUGH || due - h->now <= h->cfg.gather)
        return;
    const struct timespec wait = {.tv_nsec = (long)h->cfg.gather * 1000};
    nanosleep(&wait, NULL); /* shorter, if a signal comes */
}
