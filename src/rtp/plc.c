/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "rtp/plc.h"

enum {
    QUIET_LEVEL = 64,                                    /* mean amplitude, -54 dB */
    DECLICK = 16,                                        /* samples over which the joint is bent */
    BLEND_MIN = 32,                                      /* 4 ms, and longer after a longer gap */
    BLEND_MAX = 112,                                     /* 14 ms */
    COMPRESS_BLEND = 80,                                 /* 10 ms */
    COMPRESS_MATCH = DT_PLC_COMPRESS_IN - DT_PLC_LAG_MAX /* so that each lag lies inside */
};

void dt_plc_init(struct dt_plc *p)
{
    memset(p, 0, sizeof *p);
    p->concealed = DT_PLC_FADE_TO; /* nothing was played: nothing to repeat, nothing to blend */
}

static int16_t clip(int64_t v)
{
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

/* Walks from `a` to `b`: at step `i` of `n`. */
static int16_t mix(int16_t a, int16_t b, size_t i, size_t n)
{
    return clip(((int64_t)a * (int64_t)(n - i) + (int64_t)b * (int64_t)i) / (int64_t)n);
}

/* How like `y` is to `x`: the square of their correlation over the energy of `y`; 0 if they are
 * opposed. Both are means of at most 31 bits, so the square fits. */
static int64_t likeness(const int16_t *x, const int16_t *y, size_t n)
{
    int64_t cross = 0, energy = 0;
    for (size_t i = 0; i < n; i++) {
        cross += x[i] * y[i];
        energy += y[i] * y[i];
    }
    cross /= (int64_t)n;
    energy /= (int64_t)n;
    return cross > 0 ? cross * cross / (energy + 1) : 0;
}

/* The lag at which the `n` samples from `x` on are most like those so much later (`direction` 1) or
 * earlier (-1). */
static size_t best_lag(const int16_t *x, size_t n, int direction)
{
    int best = DT_PLC_LAG_MAX;
    int64_t most = 0;
    for (int lag = DT_PLC_LAG_MIN; lag <= DT_PLC_LAG_MAX; lag++) {
        int64_t like = likeness(x, x + direction * lag, n);
        if (like > most) {
            most = like;
            best = lag;
        }
    }
    return (size_t)best;
}

/* ---- concealment ---- */

static void remember(struct dt_plc *p, const int16_t *samples, size_t n)
{
    if (n >= DT_PLC_HISTORY) {
        memcpy(p->history, samples + n - DT_PLC_HISTORY, sizeof p->history);
        return;
    }
    memmove(p->history, p->history + n, (DT_PLC_HISTORY - n) * sizeof p->history[0]);
    memcpy(p->history + DT_PLC_HISTORY - n, samples, n * sizeof p->history[0]);
}

/* The cycle: the last pitch period; its last quarter walks over to what came before the period, so
 * that its end fits its beginning. */
static void begin(struct dt_plc *p)
{
    const int16_t *end = p->history + DT_PLC_HISTORY;
    p->lag = best_lag(end - DT_PLC_MATCH, DT_PLC_MATCH, -1);
    p->at = 0;
    memcpy(p->cycle, end - p->lag, p->lag * sizeof p->cycle[0]);
    size_t quarter = p->lag / 4;
    const int16_t *before = end - p->lag - quarter;
    for (size_t i = 0; i < quarter; i++) {
        int16_t *c = &p->cycle[p->lag - quarter + i];
        *c = mix(*c, before[i], i + 1, quarter);
    }
    p->step = end[-1] - end[-1 - (ptrdiff_t)p->lag];
}

/* The next sample of the repeated sound, with its fade. */
static int16_t next_concealed(struct dt_plc *p)
{
    if (p->concealed >= DT_PLC_FADE_TO)
        return 0;
    int64_t v = p->cycle[p->at];
    p->at = (p->at + 1) % p->lag;
    if (p->concealed < DECLICK)
        v += p->step * (int64_t)(DECLICK - p->concealed) / DECLICK;
    if (p->concealed > DT_PLC_FADE_FROM)
        v = v * (int64_t)(DT_PLC_FADE_TO - p->concealed) / (DT_PLC_FADE_TO - DT_PLC_FADE_FROM);
    p->concealed++;
    return clip(v);
}

void dt_plc_conceal(struct dt_plc *p, int16_t *out, size_t n)
{
    if (p->concealed == 0)
        begin(p);
    p->blend = p->blended = 0;
    for (size_t i = 0; i < n; i++)
        out[i] = next_concealed(p);
    remember(p, out, n);
}

void dt_plc_real(struct dt_plc *p, int16_t *samples, size_t n)
{
    if (p->concealed > 0 && p->concealed < DT_PLC_FADE_TO && p->blend == 0) {
        p->blend = BLEND_MIN + p->concealed / 4;
        if (p->blend > BLEND_MAX)
            p->blend = BLEND_MAX;
    }
    for (size_t i = 0; i < n && p->blended < p->blend; i++, p->blended++)
        samples[i] = mix(next_concealed(p), samples[i], p->blended + 1, p->blend);
    if (p->blended >= p->blend)
        p->concealed = p->blend = p->blended = 0;
    remember(p, samples, n);
}

bool dt_plc_quiet(const struct dt_plc *p)
{
    int64_t sum = 0;
    for (size_t i = DT_PLC_HISTORY - DT_PLC_MATCH; i < DT_PLC_HISTORY; i++)
        sum += p->history[i] < 0 ? -p->history[i] : p->history[i];
    return sum < (int64_t)QUIET_LEVEL * DT_PLC_MATCH;
}

/* ---- compression ---- */

size_t dt_plc_compress(const int16_t *in, int16_t *out)
{
    size_t lag = best_lag(in, COMPRESS_MATCH, 1);
    for (size_t i = 0; i < COMPRESS_BLEND; i++)
        out[i] = mix(in[i], in[lag + i], i + 1, COMPRESS_BLEND);
    memcpy(out + COMPRESS_BLEND, in + lag + COMPRESS_BLEND,
           (DT_PLC_COMPRESS_OUT - COMPRESS_BLEND) * sizeof out[0]);
    return DT_PLC_COMPRESS_OUT + lag;
}
