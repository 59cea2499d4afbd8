/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Audio ends: where the sound of a call comes from and goes to. 8,000 samples a second, mono, 16
 * bits. The functions have the signatures of `struct dt_sound` of the media engine, which runs in a
 * thread of its own; they are called from one thread. */
#ifndef IO_AUDIO_H
#define IO_AUDIO_H

#include "dualtone/base.h"

enum { DT_AUDIO_RATE = 8000 };

struct dt_audio {
    /* Fills `n` samples; what there is not is silence. Never waits for a device. */
    void (*read)(void *ctx, int16_t *samples, size_t n);
    void (*write)(void *ctx, const int16_t *samples, size_t n);
    /* Ends both; files are complete afterwards. */
    void (*close)(void *ctx);
    void *ctx;
};

/* Opens what `--audio` says:
 *   null                silence, and nothing kept
 *   tone:HZ             a sine of HZ; nothing kept
 *   file:IN.wav,OUT.wav plays IN once, records to OUT; either may be empty ("file:,out.wav")
 *   device[:NAME]       sound card through PortAudio
 * DT_OK; else DT_E_SYNTAX, DT_E_ABSENT, DT_E_IO or DT_E_NOMEM with one plain sentence in `err`
 * (always terminated) that says what to do. */
int dt_audio_open(struct dt_audio *out, const char *spec, char *err, size_t err_size);

#endif
