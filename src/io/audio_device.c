/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sound card, through PortAudio's callback. Two rings stand between its thread and the media
 * engine's; neither waits. What PortAudio and ALSA print while they look for devices is sent
 * nowhere. */
#include <fcntl.h>
#include <limits.h>
#include <portaudio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/audio_ends.h"
#include "io/io.h"

/* Sound in the rings, in samples at 8 kHz: playing starts at 40 ms, and what was captured over
 * 120 ms ago is old news. */
enum { START_AT = 320, CAPTURED_MAX = 960 };
enum { CONFIG_MAX = 1 << 20 };

static const unsigned factors[] = {1, 2, 6}; /* 8, 16 and 48 kHz */

struct device {
    PaStream *stream;
    bool captures, plays;
    bool started; /* enough was there to play; the callback's */
    struct audio_ring captured, to_play;
    struct audio_filter slower, faster; /* the callback's */
};

/* ---- quiet ---- */

static int hush(void)
{
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fflush(stderr);
    if (kept >= 0 && null >= 0)
        dup2(null, STDERR_FILENO);
    if (null >= 0)
        close(null);
    return kept;
}

static void unhush(int kept)
{
    if (kept < 0)
        return;
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
}

/* ---- PortAudio's thread ---- */

static void capture(struct device *d, const int16_t *in, unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) {
        int16_t slow;
        if (dt__audio_slower(&d->slower, in[i], &slow))
            dt__audio_ring_write(&d->captured, &slow, 1);
    }
}

static void play(struct device *d, int16_t *out, unsigned long n)
{
    unsigned factor = d->faster.factor;
    if (!d->started && dt__audio_ring_n(&d->to_play) >= START_AT)
        d->started = true;
    for (unsigned long i = 0; i < n; i += factor) {
        int16_t slow = 0, fast[AUDIO_FACTOR_MAX];
        if (d->started && dt__audio_ring_read(&d->to_play, &slow, 1) == 0)
            d->started = false; /* dry: gather again */
        dt__audio_faster(&d->faster, slow, fast);
        unsigned long room = n - i < factor ? n - i : factor;
        memcpy(out + i, fast, room * sizeof fast[0]);
    }
}

static int on_audio(const void *in, void *out, unsigned long n,
                    const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags, void *ctx)
{
    struct device *d = ctx;
    (void)time;
    (void)flags;
    if (in)
        capture(d, in, n);
    if (out)
        play(d, out, n);
    return paContinue;
}

/* ---- the media engine's thread ---- */

static void read_device(void *ctx, int16_t *samples, size_t n)
{
    struct device *d = ctx;
    int16_t old[160];
    size_t there = dt__audio_ring_n(&d->captured);
    while (there > CAPTURED_MAX + n) {
        size_t skip =
            there - n < sizeof old / sizeof old[0] ? there - n : sizeof old / sizeof old[0];
        there -= dt__audio_ring_read(&d->captured, old, skip);
    }
    size_t got = dt__audio_ring_read(&d->captured, samples, n);
    memset(samples + got, 0, (n - got) * sizeof samples[0]);
}

static void write_device(void *ctx, const int16_t *samples, size_t n)
{
    struct device *d = ctx;
    if (d->plays)
        dt__audio_ring_write(&d->to_play, samples, n);
}

static void close_device(void *ctx)
{
    struct device *d = ctx;
    int kept = hush();
    if (d->stream) {
        Pa_AbortStream(d->stream);
        Pa_CloseStream(d->stream);
    }
    Pa_Terminate();
    unhush(kept);
    dt_alloc_free(&dt_alloc_libc, d);
}

/* ---- opening ---- */

/* The default device, or the first whose name contains `name`; paNoDevice if there is none that
 * has channels of this direction. */
static PaDeviceIndex choose(const char *name, bool input)
{
    if (name[0] == '\0')
        return input ? Pa_GetDefaultInputDevice() : Pa_GetDefaultOutputDevice();
    for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        if (info && strstr(info->name, name) &&
            (input ? info->maxInputChannels : info->maxOutputChannels) > 0)
            return i;
    }
    return paNoDevice;
}

static PaStreamParameters parameters(PaDeviceIndex which, bool input)
{
    PaStreamParameters p = {.device = which, .channelCount = 1, .sampleFormat = paInt16};
    const PaDeviceInfo *info = which == paNoDevice ? NULL : Pa_GetDeviceInfo(which);
    if (info)
        p.suggestedLatency = input ? info->defaultLowInputLatency : info->defaultLowOutputLatency;
    return p;
}

/* At 8 kHz, or the next rate that the device has. */
static PaError open_stream(struct device *d, const char *name)
{
    PaStreamParameters in = parameters(choose(name, true), true);
    PaStreamParameters out = parameters(choose(name, false), false);
    PaError e = paDeviceUnavailable;
    d->captures = in.device != paNoDevice;
    d->plays = out.device != paNoDevice;
    if (!d->captures && !d->plays)
        return e;
    for (size_t i = 0; e != paNoError && i < sizeof factors / sizeof factors[0]; i++) {
        dt__audio_filter_init(&d->slower, factors[i]);
        dt__audio_filter_init(&d->faster, factors[i]);
        e = Pa_OpenStream(&d->stream, d->captures ? &in : NULL, d->plays ? &out : NULL,
                          (double)DT_AUDIO_RATE * factors[i], 20UL * 8 * factors[i], paNoFlag,
                          on_audio, d);
    }
    if (e != paNoError)
        d->stream = NULL;
    return e == paNoError ? Pa_StartStream(d->stream) : e;
}

/* Without ALSA's configuration, or with one that has no "pcm" at all, PortAudio 19 fails an
 * assertion of its own and takes the process with it, so that is looked at first. */
static bool alsa_is_there(void)
{
    const char *path = getenv("ALSA_CONFIG_PATH");
    char first[PATH_MAX];
    size_t n = path ? strcspn(path, ":") : 0;
    int err;
    if (n == 0 || n >= sizeof first)
        n = (size_t)snprintf(first, sizeof first, "/usr/share/alsa/alsa.conf");
    else
        memcpy(first, path, n);
    first[n] = '\0';
    struct dt_bytes *text = dt_io_file_read(&dt_alloc_libc, first, CONFIG_MAX, &err);
    struct dt_str rest = dt_bytes_str(text);
    while (rest.n && !dt_str_starts(rest, DT_STR("pcm")))
        rest = dt_str_sub(rest, 1, rest.n);
    dt_bytes_drop(text);
    return rest.n > 0;
}

int dt__audio_open_device(struct dt_audio *out, const char *arg, char *err, size_t err_size)
{
    struct device *d = dt_alloc_zero(&dt_alloc_libc, sizeof *d);
    if (!d) {
        snprintf(err, err_size, "the sound device cannot be opened: out of memory");
        return DT_E_NOMEM;
    }
    int kept = hush();
    PaError e = alsa_is_there() ? Pa_Initialize() : paDeviceUnavailable;
    bool ready = e == paNoError;
    if (ready)
        e = open_stream(d, arg);
    unhush(kept);
    if (e == paNoError) {
        *out = (struct dt_audio){read_device, write_device, close_device, d};
        return DT_OK;
    }
    snprintf(err, err_size,
             "the sound device%s%s cannot be used: %s; use --audio device:NAME, "
             "file:in.wav,out.wav, tone:440 or null",
             arg[0] ? " " : "", arg,
             e == paDeviceUnavailable ? "there is none" : Pa_GetErrorText(e));
    if (ready)
        close_device(d);
    else
        dt_alloc_free(&dt_alloc_libc, d);
    return DT_E_ABSENT;
}
