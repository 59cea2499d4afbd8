/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packet loss concealment in the manner of G.711 Appendix I: the last pitch period is repeated,
 * fades, and the sound that returns is faded in over it. And the opposite: a pitch period taken
 * out, when sound has to be played faster. For 8,000 samples a second. */
#ifndef RTP_PLC_H
#define RTP_PLC_H

#include "dualtone/base.h"

enum {
    DT_PLC_LAG_MIN = 40,  /* 200 Hz */
    DT_PLC_LAG_MAX = 160, /* 50 Hz */
    DT_PLC_MATCH = 160,   /* samples compared */
    DT_PLC_HISTORY = DT_PLC_LAG_MAX + DT_PLC_MATCH,
    DT_PLC_FADE_FROM = 80, /* 10 ms as it was, */
    DT_PLC_FADE_TO = 480,  /* silence after 60 ms */
    DT_PLC_COMPRESS_IN = 2 * 160,
    DT_PLC_COMPRESS_OUT = 160
};

struct dt_plc {
    int16_t history[DT_PLC_HISTORY]; /* the last that was played, real or not */
    int16_t cycle[DT_PLC_LAG_MAX];   /* what is repeated */
    size_t lag, at;                  /* its length, and the next of it */
    size_t concealed;                /* samples since the last real one */
    size_t blend, blended;           /* of the sound that returned: how long, how far */
    int step;                        /* from the last real sample to the cycle's beginning */
};

void dt_plc_init(struct dt_plc *p);
/* `n` samples that are missing. */
void dt_plc_conceal(struct dt_plc *p, int16_t *out, size_t n);
/* `n` real samples: changes the first ones where concealment went before, and remembers them. */
void dt_plc_real(struct dt_plc *p, int16_t *samples, size_t n);
/* Was the last 20 ms so quiet that time may be added or taken unheard? */
bool dt_plc_quiet(const struct dt_plc *p);
/* DT_PLC_COMPRESS_OUT samples out of DT_PLC_COMPRESS_IN, a pitch period blended away. Returns how
 * many of `in` are used up: DT_PLC_COMPRESS_OUT and the period. */
size_t dt_plc_compress(const int16_t *in, int16_t *out);

#endif
