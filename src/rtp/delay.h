/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How late packets come, and how long to wait for them: the estimate behind the jitter buffer.
 *
 * Transit is arrival minus timestamp. The least transit of the last 10 to 20 s is the `base`: what
 * a packet needs that waits nowhere. How much more each packet needed goes into a histogram that
 * forgets; the `target` is what 99 of 100 packets needed. */
#ifndef RTP_DELAY_H
#define RTP_DELAY_H

#include "dualtone/base.h"

enum { DT_DELAY_BUCKETS = 40, DT_DELAY_BUCKET_MS = 5, DT_DELAY_MIN_MS = 20, DT_DELAY_MAX_MS = 200 };

/* All times in timestamp units. */
struct dt_delay {
    int64_t unit; /* a millisecond */
    bool known;
    int64_t base;
    int64_t window_start, least, least_before; /* of this window, and of the one before */
    uint32_t weights[DT_DELAY_BUCKETS + 1];    /* the last: more than the buckets hold */
};

void dt_delay_init(struct dt_delay *d, uint32_t rate);
/* A packet came. */
void dt_delay_put(struct dt_delay *d, int64_t arrival, int64_t transit);
/* The sender's clock is another one now: `transit` is what its packets need at least. */
void dt_delay_restart(struct dt_delay *d, int64_t arrival, int64_t transit);
/* How long after the base's arrival to play: DT_DELAY_MIN_MS to DT_DELAY_MAX_MS. */
int64_t dt_delay_target(const struct dt_delay *d);

#endif
