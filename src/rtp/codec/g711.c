/* SPDX-License-Identifier: BSD-2-Clause
 *
 * G.711 (ITU-T 1988), mu-law and A-law, as RFC 3551 4.5.14 puts them into RTP. Samples of 16 bits
 * carry the 14 (mu) or 13 (A) bits of the recommendation in their upper bits; a negative sample is
 * mirrored bit by bit, so that -1 lies beside 0. */
#include "rtp/codec.h"

enum {
    SIGN = 0x80,      /* set: positive or zero, in both laws */
    ULAW_FLIP = 0xff, /* all bits are sent inverted */
    ALAW_FLIP = 0x55, /* even bits are sent inverted */
    ULAW_BIAS = 33,   /* makes each mu-law segment begin at a power of two, in 14 bits */
    ULAW_MAX = 8191,  /* clipping level, bias included */
    STEPS = 16        /* steps a segment */
};

/* The distance from zero, mirrored for negative samples. */
static unsigned magnitude(int16_t sample)
{
    return (unsigned)(sample < 0 ? ~sample : sample);
}

/* How often `v` can be halved until it is below `2 * STEPS`. */
static unsigned segment_of(unsigned v)
{
    unsigned segment = 0;
    while (v >= 2 * STEPS) {
        v >>= 1;
        segment++;
    }
    return segment;
}

static uint8_t ulaw_byte(int16_t sample)
{
    unsigned v = (magnitude(sample) >> 2) + ULAW_BIAS;
    if (v > ULAW_MAX)
        v = ULAW_MAX;
    unsigned segment = segment_of(v); /* 1 to 8: the bias is above 32 */
    unsigned code = (segment - 1) << 4 | ((v >> segment) & (STEPS - 1));
    return (uint8_t)((code | (sample < 0 ? SIGN : 0)) ^ ULAW_FLIP);
}

static int16_t ulaw_sample(uint8_t byte)
{
    unsigned code = byte ^ ULAW_FLIP, segment = (code >> 4) & 7, step = code & (STEPS - 1);
    int v = (int)(((2 * step + ULAW_BIAS) << segment) - ULAW_BIAS) * 4;
    return (int16_t)(code & SIGN ? -v : v);
}

static uint8_t alaw_byte(int16_t sample)
{
    unsigned v = magnitude(sample) >> 4;
    unsigned segment = segment_of(v);
    unsigned code = segment ? (segment + 1) << 4 | ((v >> segment) & (STEPS - 1)) : v;
    return (uint8_t)((code | (sample < 0 ? 0 : SIGN)) ^ ALAW_FLIP);
}

static int16_t alaw_sample(uint8_t byte)
{
    unsigned code = byte ^ ALAW_FLIP, segment = (code >> 4) & 7, step = code & (STEPS - 1);
    unsigned half = 2 * step + 1; /* the middle of the step, in halves of the smallest step */
    int v = (int)(segment ? (half + 2 * STEPS) << (segment - 1) : half) * 8;
    return (int16_t)(code & SIGN ? v : -v);
}

static void ulaw_encode(uint8_t *out, const int16_t *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ulaw_byte(samples[i]);
}

static void ulaw_decode(int16_t *out, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ulaw_sample(data[i]);
}

static void alaw_encode(uint8_t *out, const int16_t *samples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_byte(samples[i]);
}

static void alaw_decode(int16_t *out, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_sample(data[i]);
}

const struct dt_rtp_codec dt_rtp_codec_pcmu = {
    .name = {"PCMU", 4},
    .rate = 8000,
    .payload = 0,
    .bytes = 1,
    .encode = ulaw_encode,
    .decode = ulaw_decode,
};

const struct dt_rtp_codec dt_rtp_codec_pcma = {
    .name = {"PCMA", 4},
    .rate = 8000,
    .payload = 8,
    .bytes = 1,
    .encode = alaw_encode,
    .decode = alaw_decode,
};
