/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Concealment and compression: pitch, fade, joints without clicks. */
#include "testkit.h"

#include <stdlib.h>
#include <string.h>

#include "rtp/plc.h"

enum { FRAME = 160, AMPLITUDE = 8000 };

/* A triangle of `period` samples: no libm, a clear pitch, small steps. */
static int16_t triangle(unsigned i, unsigned period)
{
    unsigned at = i % period, half = period / 2;
    int up = (int)(at < half ? at : period - at);
    return (int16_t)(up * 2 * AMPLITUDE / (int)half - AMPLITUDE);
}

static void play(struct dt_plc *p, unsigned from, unsigned period, int16_t *out)
{
    for (unsigned i = 0; i < FRAME; i++)
        out[i] = triangle(from + i, period);
    dt_plc_real(p, out, FRAME);
}

static int largest_step(const int16_t *s, size_t n)
{
    int most = 0;
    for (size_t i = 1; i < n; i++)
        if (abs(s[i] - s[i - 1]) > most)
            most = abs(s[i] - s[i - 1]);
    return most;
}

static int peak(const int16_t *s, size_t n)
{
    int most = 0;
    for (size_t i = 0; i < n; i++)
        most = abs(s[i]) > most ? abs(s[i]) : most;
    return most;
}

static void real_sound_is_left_alone(void **state)
{
    (void)state;
    struct dt_plc p;
    int16_t out[FRAME];
    dt_plc_init(&p);
    for (unsigned f = 0; f < 10; f++) {
        play(&p, f * FRAME, 57, out);
        for (unsigned i = 0; i < FRAME; i++)
            assert_int_equal(out[i], triangle(f * FRAME + i, 57));
    }
}

static void nothing_before_gives_silence(void **state)
{
    (void)state;
    struct dt_plc p;
    int16_t out[FRAME];
    dt_plc_init(&p);
    dt_plc_conceal(&p, out, FRAME);
    assert_int_equal(peak(out, FRAME), 0);
    play(&p, 0, 57, out); /* and no fading in */
    assert_int_equal(out[0], triangle(0, 57));
}

/* One lost frame of a steady tone is nearly restored; the joints have no steps that the tone has
 * not. */
static void a_tone_goes_on(void **state)
{
    (void)state;
    for (unsigned period = DT_PLC_LAG_MIN; period <= DT_PLC_LAG_MAX; period += 6) {
        struct dt_plc p;
        int16_t out[5 * FRAME];
        dt_plc_init(&p);
        for (unsigned f = 0; f < 5; f++)
            if (f == 3)
                dt_plc_conceal(&p, out + 3 * FRAME, FRAME);
            else
                play(&p, f * FRAME, period, out + f * FRAME);
        for (unsigned i = 0; i < FRAME; i++) {
            int want = triangle(3 * FRAME + i, period);
            int fade = i > DT_PLC_FADE_FROM ? AMPLITUDE / 4 : 0; /* at 20 ms: a fifth is gone */
            if (abs(out[3 * FRAME + i] - want) > AMPLITUDE / 10 + fade)
                fail_msg("period %u, sample %u: %d for %d", period, i, out[3 * FRAME + i], want);
        }
        int step = 2 * AMPLITUDE / ((int)period / 2);
        assert_in_range(largest_step(out + 2 * FRAME, 3 * FRAME), 1, step * 3 / 2 + 60);
        for (unsigned i = 112; i < FRAME; i++) /* after the blend all is as sent */
            assert_int_equal(out[4 * FRAME + i], triangle(4 * FRAME + i, period));
    }
}

/* A tone that swells: neither where concealment begins nor where it repeats is there a click. */
static void a_swelling_tone_has_no_clicks(void **state)
{
    (void)state;
    enum { PERIOD = 100, FROM = 2000, SWELL = 20, AFTER_PEAK = 20 };
    struct dt_plc p;
    int16_t out[5 * FRAME];
    dt_plc_init(&p);
    for (int i = 0; i < 4 * FRAME; i++)
        out[i] =
            (int16_t)(triangle((unsigned)i + AFTER_PEAK, PERIOD) * (FROM + SWELL * i) / AMPLITUDE);
    dt_plc_real(&p, out, 4 * FRAME);
    int step = largest_step(out, 4 * FRAME);
    dt_plc_conceal(&p, out + 4 * FRAME, FRAME);
    assert_in_range(largest_step(out + 4 * FRAME - 1, FRAME + 1), 1, step * 3 / 2);
}

static void long_gaps_fade_to_silence(void **state)
{
    (void)state;
    struct dt_plc p;
    int16_t out[FRAME];
    int before = INT16_MAX;
    dt_plc_init(&p);
    for (unsigned f = 0; f < 4; f++)
        play(&p, f * FRAME, 80, out);
    for (unsigned f = 0; f < 3; f++) {
        dt_plc_conceal(&p, out, FRAME);
        assert_true(peak(out, FRAME) < before && peak(out, FRAME) > 0);
        before = peak(out, FRAME);
    }
    for (unsigned f = 0; f < 5; f++) {
        dt_plc_conceal(&p, out, FRAME);
        assert_int_equal(peak(out, FRAME), 0);
    }
    play(&p, 0, 80, out); /* after silence the sound comes as it is */
    for (unsigned i = 0; i < FRAME; i++)
        assert_int_equal(out[i], triangle(i, 80));
}

/* In pieces, or at once: the same. */
static void pieces_make_no_difference(void **state)
{
    (void)state;
    struct dt_plc a, b;
    int16_t one[FRAME], other[FRAME];
    dt_plc_init(&a);
    dt_plc_init(&b);
    for (unsigned f = 0; f < 3; f++) {
        play(&a, f * FRAME, 71, one);
        play(&b, f * FRAME, 71, other);
    }
    dt_plc_conceal(&a, one, FRAME);
    for (unsigned i = 0; i < FRAME; i += 32)
        dt_plc_conceal(&b, other + i, 32);
    assert_memory_equal(one, other, sizeof one);
    play(&a, 4 * FRAME, 71, one);
    for (unsigned i = 0; i < FRAME; i++)
        other[i] = triangle(4 * FRAME + i, 71);
    for (unsigned i = 0; i < FRAME; i += 10)
        dt_plc_real(&b, other + i, 10);
    assert_memory_equal(one, other, sizeof one);
}

/* The loudest and the strangest there is: no overflow (the sanitizers look), nothing wraps. */
static void extremes(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        struct dt_plc p;
        int16_t out[FRAME], in[DT_PLC_COMPRESS_IN];
        dt_plc_init(&p);
        for (unsigned f = 0; f < 6; f++) {
            for (unsigned i = 0; i < FRAME; i++)
                out[i] = kind == 0   ? INT16_MIN
                         : kind == 1 ? INT16_MAX
                         : kind == 2 ? (i & 1 ? INT16_MIN : INT16_MAX)
                                     : (int16_t)(i / 40 % 2 ? INT16_MIN : INT16_MAX);
            if (f % 2)
                dt_plc_conceal(&p, out, FRAME);
            else
                dt_plc_real(&p, out, FRAME);
        }
        for (unsigned i = 0; i < DT_PLC_COMPRESS_IN; i++)
            in[i] = (int16_t)(i / 50 % 2 ? INT16_MIN : INT16_MAX);
        assert_in_range(dt_plc_compress(in, out), FRAME + DT_PLC_LAG_MIN, DT_PLC_COMPRESS_IN);
    }
}

/* A period is taken out: what is left is the tone, and joins what follows. */
static void compression_takes_a_period(void **state)
{
    (void)state;
    for (unsigned period = 45; period <= DT_PLC_LAG_MAX; period += 5) {
        int16_t in[DT_PLC_COMPRESS_IN], out[DT_PLC_COMPRESS_OUT];
        for (unsigned i = 0; i < DT_PLC_COMPRESS_IN; i++)
            in[i] = triangle(i, period);
        size_t used = dt_plc_compress(in, out);
        assert_int_equal((used - DT_PLC_COMPRESS_OUT) % period, 0);
        assert_true(used > DT_PLC_COMPRESS_OUT && used <= DT_PLC_COMPRESS_IN);
        for (unsigned i = 0; i < DT_PLC_COMPRESS_OUT; i++)
            assert_in_range(abs(out[i] - triangle(i, period)), 0, 1);
    }
}

static void quiet(void **state)
{
    (void)state;
    struct dt_plc p;
    int16_t out[FRAME];
    dt_plc_init(&p);
    assert_true(dt_plc_quiet(&p));
    play(&p, 0, 60, out);
    assert_false(dt_plc_quiet(&p));
    for (unsigned i = 0; i < FRAME; i++)
        out[i] = i & 1 ? 30 : -30;
    dt_plc_real(&p, out, FRAME);
    assert_true(dt_plc_quiet(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_sound_is_left_alone),
        cmocka_unit_test(nothing_before_gives_silence),
        cmocka_unit_test(a_tone_goes_on),
        cmocka_unit_test(a_swelling_tone_has_no_clicks),
        cmocka_unit_test(long_gaps_fade_to_silence),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(extremes),
        cmocka_unit_test(compression_takes_a_period),
        cmocka_unit_test(quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
