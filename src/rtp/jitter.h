/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The adaptive jitter buffer with its concealment: packets in as they come, an even stream of
 * samples out. It reads no clock: who calls says what time it is.
 *
 * Each packet is played at most once and in order (I34). The play-out delay (from the arrival of a
 * packet that waited nowhere to its play-out) follows dt_delay_target between 20 and 200 ms: it
 * grows when sound runs out or in silence, and shrinks by leaving out pitch periods. Whatever is
 * not played came too late (counted) or did not come. */
#ifndef RTP_JITTER_H
#define RTP_JITTER_H

#include "rtp/codec.h"
#include "rtp/delay.h"
#include "rtp/plc.h"
#include "rtp/rtp.h"

enum {
    DT_JITTER_FRAME = 160,  /* samples per dt_jitter_get: 20 ms */
    DT_JITTER_PACKETS = 64, /* that wait at most; then the oldest goes */
    DT_JITTER_BYTES = 1280, /* of payload at most: 160 ms of G.711 */
    DT_JITTER_QUEUE = DT_PLC_COMPRESS_IN + DT_JITTER_BYTES
};

struct dt_jitter_slot {
    int64_t seq, at; /* extended number; place of its first sample on our time line */
    const struct dt_rtp_codec *codec;
    size_t n; /* samples; 0: something else that has a number */
    uint8_t data[DT_JITTER_BYTES];
};

/* In packets, but where samples are named. */
struct dt_jitter_counts {
    uint64_t played;     /* in whole or in part */
    uint64_t late;       /* came when their time was over, or could not wait */
    uint64_t holes;      /* numbers that were passed without being played: lost and late ones */
    uint64_t refused;    /* too long */
    uint64_t duplicates; /* of one that waits */
    uint64_t concealed_samples, stretched_samples, compressed_samples;
};

struct dt_jitter {
    uint32_t rate;
    struct dt_delay delay;
    struct dt_plc plc;
    struct dt_jitter_counts counts;
    bool begun, playing, passed_any; /* a packet came; time runs; `passed` holds */
    /* The newest packet; the next ones are placed by their distance from it. */
    int64_t max_seq, max_at, max_end, max_arrival;
    uint32_t max_timestamp;
    uint16_t max_wire; /* its number as sent: a new sender's have nothing to do with max_seq */
    int64_t passed;    /* number of the last packet that was played or given up */
    int64_t play;      /* place of the next sample to be played */
    int64_t real_end;  /* end of the last real sample */
    unsigned behind;   /* packets in a row that were beyond the bounds */
    unsigned since_compressed;      /* frames */
    int16_t queue[DT_JITTER_QUEUE]; /* decoded, from `play` on */
    size_t queued;
    uint8_t order[DT_JITTER_PACKETS]; /* slots by number, the first `waiting` of them; then free */
    size_t waiting;
    struct dt_jitter_slot slots[DT_JITTER_PACKETS];
};

/* Empty, for packets of codecs of this rate (8,000: concealment is made for it). */
void dt_jitter_init(struct dt_jitter *j, uint32_t rate);
/* A packet that dt_rtp_source_put called new, or (`restart`) the first of a new sender. It came at
 * `arrival`. `codec` NULL: no sound (events, comfort noise), of which only the number counts. */
void dt_jitter_put(struct dt_jitter *j, dt_time arrival, const struct dt_rtp_packet *p,
                   const struct dt_rtp_codec *codec, bool restart);
/* The next DT_JITTER_FRAME samples, due at `now`: call every 20 ms. */
void dt_jitter_get(struct dt_jitter *j, dt_time now, int16_t out[DT_JITTER_FRAME]);
/* The play-out delay of what would be played at `now`, in samples; 0 when nothing plays. */
int64_t dt_jitter_delay(const struct dt_jitter *j, dt_time now);

#endif
