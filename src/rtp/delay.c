/* SPDX-License-Identifier: BSD-2-Clause */
#include "rtp/delay.h"

enum {
    WINDOW_MS = 10000,
    FORGET_SHIFT = 7, /* a packet's weight falls to 1/e in 128 packets, 2.5 s */
    WEIGHT = 1 << 16, /* of a new packet */
    LATE_SHARE = 100  /* one packet of so many may be late */
};

void dt_delay_init(struct dt_delay *d, uint32_t rate)
{
    *d = (struct dt_delay){.unit = rate / 1000};
}

void dt_delay_restart(struct dt_delay *d, int64_t arrival, int64_t transit)
{
    d->known = true;
    d->window_start = arrival;
    d->base = d->least = d->least_before = transit;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Two windows, so that a clock that runs slower than ours is noticed without forgetting all. */
static void learn_base(struct dt_delay *d, int64_t arrival, int64_t transit)
{
    int64_t age = arrival - d->window_start, window = WINDOW_MS * d->unit;
    if (!d->known || age > 2 * window) {
        dt_delay_restart(d, arrival, transit);
        return;
    }
    if (age > window) {
        d->least_before = d->least;
        d->least = transit;
        d->window_start = arrival;
    }
    d->least = lesser(d->least, transit);
    d->base = lesser(d->least, d->least_before);
}

void dt_delay_put(struct dt_delay *d, int64_t arrival, int64_t transit)
{
    learn_base(d, arrival, transit);
    int64_t bucket = (transit - d->base) / (DT_DELAY_BUCKET_MS * d->unit);
    if (bucket > DT_DELAY_BUCKETS)
        bucket = DT_DELAY_BUCKETS;
    for (size_t i = 0; i <= DT_DELAY_BUCKETS; i++)
        d->weights[i] -= d->weights[i] >> FORGET_SHIFT;
    d->weights[bucket] += WEIGHT;
}

int64_t dt_delay_target(const struct dt_delay *d)
{
    uint64_t total = 0, above = 0;
    int64_t bucket = DT_DELAY_BUCKETS;
    for (size_t i = 0; i <= DT_DELAY_BUCKETS; i++)
        total += d->weights[i];
    for (; bucket > 0; bucket--) {
        above += d->weights[bucket];
        if (above * LATE_SHARE > total)
            break;
    }
    int64_t ms = (bucket + 1) * DT_DELAY_BUCKET_MS;
    if (bucket == 0 || ms < DT_DELAY_MIN_MS)
        ms = DT_DELAY_MIN_MS;
    return (ms > DT_DELAY_MAX_MS ? DT_DELAY_MAX_MS : ms) * d->unit;
}
