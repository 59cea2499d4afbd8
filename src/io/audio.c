/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which audio end; silence, and a tone. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/audio_ends.h"

static const struct kind {
    const char *name;
    int (*open)(struct dt_audio *out, const char *arg, char *err, size_t err_size);
} kinds[] = {
    {"null", dt__audio_open_null},
    {"tone", dt__audio_open_tone},
    {"file", dt__audio_open_file},
    {"device", dt__audio_open_device},
};

int dt_audio_open(struct dt_audio *out, const char *spec, char *err, size_t err_size)
{
    size_t n = strcspn(spec, ":");
    const char *arg = spec[n] == ':' ? spec + n + 1 : spec + n;
    *out = (struct dt_audio){.ctx = NULL};
    if (err_size > 0)
        err[0] = '\0';
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, spec, n) == 0)
            return kinds[i].open(out, arg, err, err_size);
    snprintf(err, err_size,
             "audio \"%s\" is not known; use null, tone:440, file:in.wav,out.wav or device", spec);
    return DT_E_SYNTAX;
}

/* ---- null ---- */

static void read_silence(void *ctx, int16_t *samples, size_t n)
{
    (void)ctx;
    memset(samples, 0, n * sizeof samples[0]);
}

static void write_nothing(void *ctx, const int16_t *samples, size_t n)
{
    (void)ctx;
    (void)samples;
    (void)n;
}

static void close_nothing(void *ctx)
{
    (void)ctx;
}

int dt__audio_open_null(struct dt_audio *out, const char *arg, char *err, size_t err_size)
{
    if (arg[0] != '\0') {
        snprintf(err, err_size, "audio null takes nothing behind it, and got \"%s\"", arg);
        return DT_E_SYNTAX;
    }
    *out = (struct dt_audio){read_silence, write_nothing, close_nothing, NULL};
    return DT_OK;
}

/* ---- tone ---- */

enum { TONE_LOUDNESS = 10000, TONE_MAX_HZ = DT_AUDIO_RATE / 2 - 1 };

struct tone {
    unsigned hz, at; /* `at`: samples played, within one second */
};

static void read_tone(void *ctx, int16_t *samples, size_t n)
{
    struct tone *t = ctx;
    const double turn = 6.283185307179586;
    for (size_t i = 0; i < n; i++) {
        double x = turn * (double)t->hz * (double)t->at / DT_AUDIO_RATE;
        samples[i] = (int16_t)lrint(TONE_LOUDNESS * sin(x));
        t->at = (t->at + 1) % DT_AUDIO_RATE;
    }
}

static void close_tone(void *ctx)
{
    dt_alloc_free(&dt_alloc_libc, ctx);
}

int dt__audio_open_tone(struct dt_audio *out, const char *arg, char *err, size_t err_size)
{
    uint64_t hz;
    if (dt_str_u64(dt_str_z(arg), TONE_MAX_HZ, &hz) || hz == 0) {
        snprintf(err, err_size, "audio tone is \"%s\"; use tone: and 1 to %d (Hz)", arg,
                 TONE_MAX_HZ);
        return DT_E_SYNTAX;
    }
    struct tone *t = dt_alloc_zero(&dt_alloc_libc, sizeof *t);
    if (!t) {
        snprintf(err, err_size, "the tone cannot be played: out of memory");
        return DT_E_NOMEM;
    }
    t->hz = (unsigned)hz;
    *out = (struct dt_audio){read_tone, write_nothing, close_tone, t};
    return DT_OK;
}
