/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Engines in virtual time for test_media*.c: sound that is known, what was said and sent. */
#ifndef MEDIA_RIG_H
#define MEDIA_RIG_H

#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "phone/media.h"
#include "rtp/jitter.h"
#include "rtp/rtcp.h"
#include "sim/sim.h"

enum { RIG_FRAME = 160, RIG_SAMPLES = 8000 * 60, RIG_SAID = 64 };

/* One engine, its sound, and what it said. */
struct rig_end {
    const char *ip;
    struct dt_env env;
    struct dt_media *media;
    struct dt_sim_node *node;
    uint32_t tone;   /* state of what it plays */
    size_t read;     /* samples asked for */
    size_t recorded; /* samples given */
    int16_t played[RIG_SAMPLES], record[RIG_SAMPLES];
    char said[RIG_SAID][256];
    size_t n_said;
};

/* Noise that differs by end and never repeats: each place is found again. */
static inline int16_t rig_noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (int16_t)((int32_t)(*state >> 16) - 32768) / 4;
}

static inline void rig_read(void *ctx, int16_t *samples, size_t n)
{
    struct rig_end *e = ctx;
    for (size_t i = 0; i < n; i++, e->read++) {
        samples[i] = rig_noise(&e->tone);
        if (e->read < RIG_SAMPLES)
            e->played[e->read] = samples[i];
    }
}

static inline void rig_write(void *ctx, const int16_t *samples, size_t n)
{
    struct rig_end *e = ctx;
    for (size_t i = 0; i < n; i++, e->recorded++)
        if (e->recorded < RIG_SAMPLES)
            e->record[e->recorded] = samples[i];
}

static inline void rig_end_init(struct rig_end *e, const char *ip, uint32_t seed)
{
    memset(e, 0, sizeof *e);
    e->ip = ip;
    e->tone = seed;
    dt_env_init(&e->env, seed);
    e->env.wall_offset = INT64_C(1700000000) * DT_SECOND;
}

static inline void rig_end_open(struct rig_end *e)
{
    const struct dt_sound sound = {rig_read, rig_write, e};
    e->media = dt_media_new(&sound, &e->env);
    assert_non_null(e->media);
}

/* What an end said last, "" if nothing. */
static inline const char *rig_last(const struct rig_end *e)
{
    return e->n_said ? e->said[(e->n_said - 1) % RIG_SAID] : "";
}

static inline void rig_said(struct rig_end *e, struct dt_str text)
{
    snprintf(e->said[e->n_said++ % RIG_SAID], sizeof e->said[0], "%.*s", DT_FMT(text));
}

/* The number behind "NAME=" in what was said last; fails where there is none. */
static inline long rig_stat(const struct rig_end *e, const char *name)
{
    char key[32];
    snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(rig_last(e), key);
    if (!at)
        fail_msg("no %s in \"%s\"", name, rig_last(e));
    uint64_t v = 0;
    struct dt_reader r = dt_reader(dt_str_z(at + strlen(key)));
    assert_int_equal(dt_reader_u64(&r, UINT32_MAX, &v), DT_OK);
    return (long)v;
}

/* As it is after mu-law. */
static inline int16_t rig_coded(int16_t sample)
{
    uint8_t byte;
    dt_rtp_codec_pcmu.encode(&byte, &sample, 1);
    dt_rtp_codec_pcmu.decode(&sample, &byte, 1);
    return sample;
}

#endif
