/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Audio ends: tone, files with their conversion, a sound device made of files by ALSA. */
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wirekit.h"
#include "io/audio.h"

enum { FRAME = 160 };

static char folder[] = "/tmp/dualtone-audio-XXXXXX";

static const char *path(const char *name)
{
    static char out[4][128];
    static unsigned next;
    next = (next + 1) % 4;
    snprintf(out[next], sizeof out[next], "%s/%s", folder, name);
    return out[next];
}

/* Loudness of `hz` in `samples`: amplitude by the sums of Goertzel's bin. */
static double loudness(const int16_t *samples, size_t n, double hz)
{
    double re = 0, im = 0;
    for (size_t i = 0; i < n; i++) {
        double angle = 6.283185307179586 * hz * (double)i / DT_AUDIO_RATE;
        re += samples[i] * cos(angle);
        im += samples[i] * sin(angle);
    }
    return 2 * sqrt(re * re + im * im) / (double)n;
}

/* ---- null, tone ---- */

static void tone_and_null(void **state)
{
    struct dt_audio a;
    char err[200];
    int16_t s[DT_AUDIO_RATE];
    (void)state;
    assert_int_equal(dt_audio_open(&a, "tone:440", err, sizeof err), DT_OK);
    for (size_t i = 0; i < DT_AUDIO_RATE; i += FRAME)
        a.read(a.ctx, s + i, FRAME);
    a.write(a.ctx, s, FRAME);
    a.close(a.ctx);
    assert_in_range(loudness(s, DT_AUDIO_RATE, 440), 9900, 10100);
    assert_in_range(loudness(s, DT_AUDIO_RATE, 441), 0, 100);
    assert_int_equal(dt_audio_open(&a, "null", err, sizeof err), DT_OK);
    a.read(a.ctx, s, DT_AUDIO_RATE);
    a.write(a.ctx, s, FRAME);
    a.close(a.ctx);
    assert_in_range(loudness(s, DT_AUDIO_RATE, 440), 0, 0);
}

/* ---- what cannot be opened is said ---- */

static void mistakes_get_one_sentence(void **state)
{
    static const struct {
        const char *spec;
        int err;
        const char *says;
    } rows[] = {
        {"", DT_E_SYNTAX, "use null, tone:440"},
        {"tape", DT_E_SYNTAX, "audio \"tape\" is not known"},
        {"null:x", DT_E_SYNTAX, "takes nothing"},
        {"tone", DT_E_SYNTAX, "use tone: and 1 to 3999 (Hz)"},
        {"tone:0", DT_E_SYNTAX, "use tone:"},
        {"tone:4000", DT_E_SYNTAX, "use tone:"},
        {"tone:4x", DT_E_SYNTAX, "use tone:"},
        {"file", DT_E_SYNTAX, "use file:IN.wav,OUT.wav"},
        {"file:,", DT_E_SYNTAX, "use file:IN.wav,OUT.wav"},
        {"file:/nonexistent/in.wav,", DT_E_ABSENT, "/nonexistent/in.wav cannot be read"},
        {"file:/dev/null,", DT_E_IO, "/dev/null cannot be read"},
        {"file:,/nonexistent/out.wav", DT_E_IO, "/nonexistent/out.wav cannot be written"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dt_audio a;
        char err[300];
        int e = dt_audio_open(&a, rows[i].spec, err, sizeof err);
        if (e != rows[i].err || !strstr(err, rows[i].says) || strchr(err, '\n'))
            fail_msg("%s: %d \"%s\"", rows[i].spec, e, err);
    }
}

/* ---- files ---- */

/* A second of 440 Hz in each channel, and 5,000 Hz in the first, which 8,000 samples a second
 * cannot carry. */
static void write_wav(const char *name, int rate, int channels)
{
    SF_INFO info = {
        .samplerate = rate, .channels = channels, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    SNDFILE *f = sf_open(name, SFM_WRITE, &info);
    assert_non_null(f);
    for (int i = 0; i < rate; i++) {
        short frame[8];
        for (int c = 0; c < channels; c++) {
            double t = 6.283185307179586 * i / rate;
            double high = rate > 10000 ? 8000 * sin(5000 * t) : 0;
            frame[c] = (short)lrint(8000 * sin(440 * t) + high);
        }
        assert_int_equal(sf_writef_short(f, frame, 1), 1);
    }
    sf_close(f);
}

static void files_are_converted(void **state)
{
    static const struct {
        int rate, channels;
    } rows[] = {{8000, 1}, {8000, 2}, {16000, 1}, {44100, 2}, {48000, 1}, {6000, 1}};
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct dt_audio a;
        char spec[300], err[300];
        int16_t s[DT_AUDIO_RATE + FRAME], after[FRAME];
        write_wav(path("in.wav"), rows[r].rate, rows[r].channels);
        snprintf(spec, sizeof spec, "file:%s,%s", path("in.wav"), path("out.wav"));
        assert_int_equal(dt_audio_open(&a, spec, err, sizeof err), DT_OK);
        for (size_t i = 0; i < DT_AUDIO_RATE; i += FRAME) {
            a.read(a.ctx, s + i, FRAME);
            a.write(a.ctx, s + i, FRAME);
        }
        a.read(a.ctx, after, FRAME); /* past the end: silence */
        a.close(a.ctx);
        for (size_t i = 0; i < FRAME; i++)
            assert_int_equal(after[i], 0);
        assert_in_range(loudness(s, DT_AUDIO_RATE, 440), 7900, 8100);
        assert_in_range(loudness(s, DT_AUDIO_RATE, 3000), 0, 60); /* 5,000 Hz did not fold */
        SF_INFO info = {.format = 0};
        SNDFILE *f = sf_open(path("out.wav"), SFM_READ, &info);
        int16_t heard[DT_AUDIO_RATE];
        assert_non_null(f);
        assert_int_equal(info.samplerate, DT_AUDIO_RATE);
        assert_int_equal(info.channels, 1);
        assert_int_equal(sf_read_short(f, heard, DT_AUDIO_RATE), DT_AUDIO_RATE);
        assert_memory_equal(heard, s, sizeof heard);
        sf_close(f);
    }
}

/* A process that is killed closes nothing: the recording is whole all the same. */
static void a_recording_is_whole_at_any_moment(void **state)
{
    struct dt_audio a;
    char spec[300], err[300];
    int16_t s[FRAME] = {1, 2, 3};
    (void)state;
    snprintf(spec, sizeof spec, "file:,%s", path("live.wav"));
    assert_int_equal(dt_audio_open(&a, spec, err, sizeof err), DT_OK);
    for (int i = 0; i < 10; i++)
        a.write(a.ctx, s, FRAME);
    SF_INFO info = {.format = 0};
    SNDFILE *f = sf_open(path("live.wav"), SFM_READ, &info);
    assert_non_null(f);
    assert_int_equal(info.frames, 10 * FRAME);
    sf_close(f);
    a.close(a.ctx);
}

/* ---- a device ---- */

static void write_text(const char *name, const char *text)
{
    assert_int_equal(dt_io_file_write(name, dt_str_z(text), 0600), DT_OK);
}

/* ALSA's "file" device: what is captured comes from one file, what is played goes into another. */
static void make_alsa_device(void)
{
    char conf[700];
    FILE *f = fopen(path("in.raw"), "wb");
    assert_non_null(f);
    for (int i = 0; i < 200000; i++) {
        int16_t v = (int16_t)lrint(9000 * sin(6.283185307179586 * 400 * i / DT_AUDIO_RATE));
        fwrite(&v, sizeof v, 1, f);
    }
    fclose(f);
    snprintf(
        conf, sizeof conf,
        "pcm.!default { type asym playback.pcm \"play\" capture.pcm \"capture\" }\n"
        "pcm.play { type file slave.pcm \"null\" file \"%s\" format raw }\n"
        "pcm.capture { type file slave.pcm \"null\" file /dev/null infile \"%s\" format raw }\n"
        "pcm.null { type null }\n"
        "ctl.!default { type hw card 0 }\n",
        path("out.raw"), path("in.raw"));
    write_text(path("asound.conf"), conf);
    setenv("ALSA_CONFIG_PATH", path("asound.conf"), 1);
}

/* ALSA's null device is faster than any clock, so what we played lies between much silence. */
static bool was_played(void)
{
    enum { LOOK_AT = 1 << 21 };
    static int16_t samples[LOOK_AT];
    FILE *f = fopen(path("out.raw"), "rb");
    if (!f)
        return false;
    if (fseek(f, -(long)sizeof samples, SEEK_END))
        rewind(f);
    size_t n = fread(samples, sizeof samples[0], LOOK_AT, f);
    fclose(f);
    for (size_t i = 0; i + 1 < n; i++)
        if (samples[i] == 1234 && samples[i + 1] == 1234)
            return true;
    return false;
}

/* PortAudio, ALSA and JACK keep some memory for ever; that is not for us to mend. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

static int open_device(struct dt_audio *a, const char *spec, char *err, size_t err_size)
{
    if (__lsan_disable)
        __lsan_disable();
    int e = dt_audio_open(a, spec, err, err_size);
    if (__lsan_enable)
        __lsan_enable();
    return e;
}

/* What the libraries print while they look for devices is not seen. */
static int catch_stderr(int *kept)
{
    int fd = open(path("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    fflush(stderr);
    *kept = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    return fd;
}

static off_t release_stderr(int fd, int kept)
{
    off_t said = lseek(fd, 0, SEEK_END);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fd);
    return said;
}

static void device_plays_and_captures_quietly(void **state)
{
    struct dt_audio a;
    char err[300];
    int kept;
    (void)state;
    make_alsa_device();
    int fd = catch_stderr(&kept);
    int e = open_device(&a, "device", err, sizeof err);
    int16_t played[FRAME], heard[FRAME];
    bool captured = false, arrived = false;
    dt_time give_up = dt_io_now() + 10 * DT_SECOND;
    for (size_t i = 0; i < FRAME; i++)
        played[i] = 1234;
    while (e == DT_OK && !(captured && arrived) && dt_io_now() < give_up) {
        for (int i = 0; i < 4; i++)
            a.write(a.ctx, played, FRAME);
        a.read(a.ctx, heard, FRAME);
        for (size_t i = 0; i < FRAME; i++)
            captured = captured || heard[i] > 8000;
        arrived = arrived || was_played();
    }
    if (e == DT_OK)
        a.close(a.ctx);
    off_t said = release_stderr(fd, kept);
    assert_int_equal(e, DT_OK);
    assert_true(captured);
    assert_true(arrived);
    assert_int_equal(said, 0);
}

static void expect_no_device(void)
{
    struct dt_audio a;
    char err[300];
    int kept;
    int fd = catch_stderr(&kept);
    int e = open_device(&a, "device:Such A Name Has No Card", err, sizeof err);
    off_t said = release_stderr(fd, kept);
    assert_int_equal(e, DT_E_ABSENT);
    assert_non_null(strstr(err, "cannot be used: there is none; use --audio"));
    assert_int_equal(said, 0);
}

static void no_device_is_said_quietly(void **state)
{
    (void)state;
    unsetenv("ALSA_CONFIG_PATH");
    expect_no_device();
    setenv("ALSA_CONFIG_PATH", "/nonexistent/alsa.conf", 1);
    expect_no_device();
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"in.wav",  "out.wav", "live.wav",   "in.raw",
                                        "out.raw", "stderr",  "asound.conf"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tone_and_null),
        cmocka_unit_test(mistakes_get_one_sentence),
        cmocka_unit_test(files_are_converted),
        cmocka_unit_test(a_recording_is_whole_at_any_moment),
        cmocka_unit_test(device_plays_and_captures_quietly),
        cmocka_unit_test(no_device_is_said_quietly),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
