/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sound from a file and into one. The file is read and converted as a whole when it is opened, so
 * that the media engine never waits for a disk. */
#include <limits.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

#include "io/audio_ends.h"

enum { MINUTES_MAX = 30, CHANNELS_MAX = 8, RATE_MIN = 4000, RATE_MAX = 192000, PIECE = 1024 };

struct file_end {
    int16_t *sound; /* at DT_AUDIO_RATE; NULL: none */
    size_t n, at;
    SNDFILE *record;
};

static void read_file(void *ctx, int16_t *samples, size_t n)
{
    struct file_end *f = ctx;
    size_t there = f->n - f->at < n ? f->n - f->at : n;
    if (there > 0)
        memcpy(samples, f->sound + f->at, there * sizeof samples[0]);
    memset(samples + there, 0, (n - there) * sizeof samples[0]);
    f->at += there;
}

static void write_file(void *ctx, const int16_t *samples, size_t n)
{
    struct file_end *f = ctx;
    if (f->record)
        sf_write_short(f->record, samples, (sf_count_t)n);
}

static void close_file(void *ctx)
{
    struct file_end *f = ctx;
    if (f->record)
        sf_close(f->record);
    dt_alloc_free(&dt_alloc_libc, f->sound);
    dt_alloc_free(&dt_alloc_libc, f);
}

/* ---- in ---- */

/* All channels mixed into one. Returns samples read; `mono` has room for `max`. */
static size_t read_mono(SNDFILE *in, int channels, int16_t *mono, size_t max)
{
    short piece[PIECE * CHANNELS_MAX];
    size_t n = 0;
    sf_count_t got;
    while (n < max && (got = sf_readf_short(in, piece, PIECE)) > 0)
        for (sf_count_t i = 0; i < got && n < max; i++) {
            int sum = 0;
            for (int c = 0; c < channels; c++)
                sum += piece[i * channels + c];
            mono[n++] = (int16_t)(sum / channels);
        }
    return n;
}

static int load_open(struct file_end *f, SNDFILE *in, const SF_INFO *info)
{
    size_t max = (size_t)info->samplerate * 60 * MINUTES_MAX;
    size_t room = info->frames > 0 && (uint64_t)info->frames < max ? (size_t)info->frames : max;
    int16_t *mono = dt_alloc_array(&dt_alloc_libc, NULL, room, sizeof *mono);
    if (!mono)
        return DT_E_NOMEM;
    size_t n = read_mono(in, info->channels, mono, room);
    f->sound = dt__audio_resample(mono, n, (unsigned)info->samplerate, &f->n);
    dt_alloc_free(&dt_alloc_libc, mono);
    return f->sound ? DT_OK : DT_E_NOMEM;
}

static int load(struct file_end *f, const char *path, char *err, size_t err_size)
{
    SF_INFO info = {.format = 0};
    SNDFILE *in = sf_open(path, SFM_READ, &info);
    if (!in) {
        bool system = sf_error(NULL) == SF_ERR_SYSTEM;
        snprintf(err, err_size, "the sound file %s cannot be read: %s; give a WAV file that exists",
                 path,
                 system ? "no such file, or not permitted" : "it holds no sound of a known kind");
        return system ? DT_E_ABSENT : DT_E_IO;
    }
    int e = DT_E_UNSUPPORTED;
    if (info.channels > 0 && info.channels <= CHANNELS_MAX && info.samplerate >= RATE_MIN &&
        info.samplerate <= RATE_MAX)
        e = load_open(f, in, &info);
    sf_close(in);
    if (e)
        snprintf(err, err_size,
                 "the sound file %s cannot be used: %s; give one of up to %d channels, %d to %d Hz",
                 path, dt_err_text(e), CHANNELS_MAX, RATE_MIN, RATE_MAX);
    return e;
}

/* ---- out ---- */

static int open_record(struct file_end *f, const char *path, char *err, size_t err_size)
{
    SF_INFO info = {
        .samplerate = DT_AUDIO_RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    f->record = sf_open(path, SFM_WRITE, &info);
    if (!f->record) {
        snprintf(err, err_size,
                 "the recording %s cannot be written; give a path in a folder that exists and may "
                 "be written",
                 path);
        return DT_E_IO;
    }
    /* So that the file is whole at any moment, also when the process is killed. */
    sf_command(f->record, SFC_SET_UPDATE_HEADER_AUTO, NULL, SF_TRUE);
    return DT_OK;
}

int dt__audio_open_file(struct dt_audio *out, const char *arg, char *err, size_t err_size)
{
    char in[PATH_MAX];
    const char *comma = strchr(arg, ',');
    size_t n = comma ? (size_t)(comma - arg) : strlen(arg);
    const char *record = comma ? comma + 1 : "";
    if (n >= sizeof in || (n == 0 && record[0] == '\0')) {
        snprintf(err, err_size, "audio file is \"%s\"; use file:IN.wav,OUT.wav", arg);
        return DT_E_SYNTAX;
    }
    memcpy(in, arg, n);
    in[n] = '\0';
    struct file_end *f = dt_alloc_zero(&dt_alloc_libc, sizeof *f);
    if (!f) {
        snprintf(err, err_size, "sound files cannot be opened: out of memory");
        return DT_E_NOMEM;
    }
    int e = n > 0 ? load(f, in, err, err_size) : DT_OK;
    if (!e && record[0] != '\0')
        e = open_record(f, record, err, err_size);
    if (e)
        close_file(f);
    else
        *out = (struct dt_audio){read_file, write_file, close_file, f};
    return e;
}
