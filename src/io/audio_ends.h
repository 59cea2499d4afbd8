/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kinds of audio ends, and what they share. */
#ifndef IO_AUDIO_ENDS_H
#define IO_AUDIO_ENDS_H

#include <stdatomic.h>

#include "io/audio.h"

/* One opener a kind; `arg` is what follows the colon, or "". */
int dt__audio_open_null(struct dt_audio *out, const char *arg, char *err, size_t err_size);
int dt__audio_open_tone(struct dt_audio *out, const char *arg, char *err, size_t err_size);
int dt__audio_open_file(struct dt_audio *out, const char *arg, char *err, size_t err_size);
int dt__audio_open_device(struct dt_audio *out, const char *arg, char *err, size_t err_size);

/* ---- audio_resample.c ---- */

/* A whole sound at `rate` samples a second as one at DT_AUDIO_RATE, by a windowed sinc that lets
 * nothing above half of the lower rate pass. `*n` samples at the result, free with dt_alloc_free
 * (libc's); NULL without memory. */
int16_t *dt__audio_resample(const int16_t *in, size_t in_n, unsigned rate, size_t *n);

/* The same as a stream, between DT_AUDIO_RATE and `factor` times that. */
enum { AUDIO_FACTOR_MAX = 6, AUDIO_SPAN = 8 }; /* the filter spans so many slow samples each way */
struct audio_filter {
    unsigned factor, phase;
    float taps[2 * AUDIO_SPAN * AUDIO_FACTOR_MAX];
    float past[2 * AUDIO_SPAN * AUDIO_FACTOR_MAX];
};
void dt__audio_filter_init(struct audio_filter *f, unsigned factor);
/* One slow sample in, `factor` fast ones out. */
void dt__audio_faster(struct audio_filter *f, int16_t in, int16_t *out);
/* One fast sample in; true, with a slow one out, every `factor` times. */
bool dt__audio_slower(struct audio_filter *f, int16_t in, int16_t *out);

/* ---- audio_ring.c: samples from one thread to one other ---- */

enum { AUDIO_RING = 4096 }; /* samples: half a second */
struct audio_ring {
    atomic_size_t written, taken;
    int16_t samples[AUDIO_RING];
};
/* Writes what fits. */
void dt__audio_ring_write(struct audio_ring *r, const int16_t *samples, size_t n);
/* Reads up to `n`; returns how many. */
size_t dt__audio_ring_read(struct audio_ring *r, int16_t *samples, size_t n);
/* Samples that can be read. */
size_t dt__audio_ring_n(struct audio_ring *r);

#endif
