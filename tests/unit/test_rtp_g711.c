/* SPDX-License-Identifier: BSD-2-Clause
 *
 * G.711: all 256 code words of both laws, both ways, and that each of the 65,536 samples gets the
 * code word of its interval. */
#include "testkit.h"

#include <stdlib.h>

#include "rtp/codec.h"

/* The output values of G.711 tables 1 and 2, scaled to 16 bits, in order of the code words. */
static const int16_t ulaw_values[256] = {
    -32124, -31100, -30076, -29052, -28028, -27004, -25980, -24956, -23932, -22908, -21884, -20860,
    -19836, -18812, -17788, -16764, -15996, -15484, -14972, -14460, -13948, -13436, -12924, -12412,
    -11900, -11388, -10876, -10364, -9852,  -9340,  -8828,  -8316,  -7932,  -7676,  -7420,  -7164,
    -6908,  -6652,  -6396,  -6140,  -5884,  -5628,  -5372,  -5116,  -4860,  -4604,  -4348,  -4092,
    -3900,  -3772,  -3644,  -3516,  -3388,  -3260,  -3132,  -3004,  -2876,  -2748,  -2620,  -2492,
    -2364,  -2236,  -2108,  -1980,  -1884,  -1820,  -1756,  -1692,  -1628,  -1564,  -1500,  -1436,
    -1372,  -1308,  -1244,  -1180,  -1116,  -1052,  -988,   -924,   -876,   -844,   -812,   -780,
    -748,   -716,   -684,   -652,   -620,   -588,   -556,   -524,   -492,   -460,   -428,   -396,
    -372,   -356,   -340,   -324,   -308,   -292,   -276,   -260,   -244,   -228,   -212,   -196,
    -180,   -164,   -148,   -132,   -120,   -112,   -104,   -96,    -88,    -80,    -72,    -64,
    -56,    -48,    -40,    -32,    -24,    -16,    -8,     0,      32124,  31100,  30076,  29052,
    28028,  27004,  25980,  24956,  23932,  22908,  21884,  20860,  19836,  18812,  17788,  16764,
    15996,  15484,  14972,  14460,  13948,  13436,  12924,  12412,  11900,  11388,  10876,  10364,
    9852,   9340,   8828,   8316,   7932,   7676,   7420,   7164,   6908,   6652,   6396,   6140,
    5884,   5628,   5372,   5116,   4860,   4604,   4348,   4092,   3900,   3772,   3644,   3516,
    3388,   3260,   3132,   3004,   2876,   2748,   2620,   2492,   2364,   2236,   2108,   1980,
    1884,   1820,   1756,   1692,   1628,   1564,   1500,   1436,   1372,   1308,   1244,   1180,
    1116,   1052,   988,    924,    876,    844,    812,    780,    748,    716,    684,    652,
    620,    588,    556,    524,    492,    460,    428,    396,    372,    356,    340,    324,
    308,    292,    276,    260,    244,    228,    212,    196,    180,    164,    148,    132,
    120,    112,    104,    96,     88,     80,     72,     64,     56,     48,     40,     32,
    24,     16,     8,      0,
};
static const int16_t alaw_values[256] = {
    -5504,  -5248,  -6016,  -5760,  -4480,  -4224,  -4992,  -4736,  -7552,  -7296,  -8064,  -7808,
    -6528,  -6272,  -7040,  -6784,  -2752,  -2624,  -3008,  -2880,  -2240,  -2112,  -2496,  -2368,
    -3776,  -3648,  -4032,  -3904,  -3264,  -3136,  -3520,  -3392,  -22016, -20992, -24064, -23040,
    -17920, -16896, -19968, -18944, -30208, -29184, -32256, -31232, -26112, -25088, -28160, -27136,
    -11008, -10496, -12032, -11520, -8960,  -8448,  -9984,  -9472,  -15104, -14592, -16128, -15616,
    -13056, -12544, -14080, -13568, -344,   -328,   -376,   -360,   -280,   -264,   -312,   -296,
    -472,   -456,   -504,   -488,   -408,   -392,   -440,   -424,   -88,    -72,    -120,   -104,
    -24,    -8,     -56,    -40,    -216,   -200,   -248,   -232,   -152,   -136,   -184,   -168,
    -1376,  -1312,  -1504,  -1440,  -1120,  -1056,  -1248,  -1184,  -1888,  -1824,  -2016,  -1952,
    -1632,  -1568,  -1760,  -1696,  -688,   -656,   -752,   -720,   -560,   -528,   -624,   -592,
    -944,   -912,   -1008,  -976,   -816,   -784,   -880,   -848,   5504,   5248,   6016,   5760,
    4480,   4224,   4992,   4736,   7552,   7296,   8064,   7808,   6528,   6272,   7040,   6784,
    2752,   2624,   3008,   2880,   2240,   2112,   2496,   2368,   3776,   3648,   4032,   3904,
    3264,   3136,   3520,   3392,   22016,  20992,  24064,  23040,  17920,  16896,  19968,  18944,
    30208,  29184,  32256,  31232,  26112,  25088,  28160,  27136,  11008,  10496,  12032,  11520,
    8960,   8448,   9984,   9472,   15104,  14592,  16128,  15616,  13056,  12544,  14080,  13568,
    344,    328,    376,    360,    280,    264,    312,    296,    472,    456,    504,    488,
    408,    392,    440,    424,    88,     72,     120,    104,    24,     8,      56,     40,
    216,    200,    248,    232,    152,    136,    184,    168,    1376,   1312,   1504,   1440,
    1120,   1056,   1248,   1184,   1888,   1824,   2016,   1952,   1632,   1568,   1760,   1696,
    688,    656,    752,    720,    560,    528,    624,    592,    944,    912,    1008,   976,
    816,    784,    880,    848,
};

struct law {
    const struct dt_rtp_codec *codec;
    const int16_t *values;
};
static const struct law laws[] = {
    {&dt_rtp_codec_pcmu, ulaw_values},
    {&dt_rtp_codec_pcma, alaw_values},
};

static void code_words_decode_to_their_values(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (unsigned i = 0; i < 256; i++) {
            uint8_t byte = (uint8_t)i;
            int16_t got;
            laws[k].codec->decode(&got, &byte, 1);
            assert_int_equal(got, laws[k].values[i]);
        }
}

/* Each code word survives; but for the negative zero of mu-law, which is sent as the positive. */
static void values_encode_to_their_code_words(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (unsigned i = 0; i < 256; i++) {
            uint8_t got;
            laws[k].codec->encode(&got, &laws[k].values[i], 1);
            unsigned want = k == 0 && i == 0x7f ? 0xff : i;
            assert_int_equal(got, want);
        }
}

static int ascending(const void *a, const void *b)
{
    return *(const int16_t *)a - *(const int16_t *)b;
}

/* The 128 positive values in order. */
static void positive_values(const struct law *l, int16_t out[128])
{
    size_t n = 0;
    for (unsigned i = 0; i < 256; i++)
        if (i & 0x80) /* the sign bit: positive in both laws */
            out[n++] = l->values[i];
    assert_int_equal(n, 128);
    qsort(out, n, sizeof out[0], ascending);
    assert_true(out[0] >= 0);
}

/* Each value of G.711 is the middle of its interval (but for the zero of mu-law, which shares the
 * first one with the negative zero): so between two segments the border is not half-way. */
static void each_sample_goes_to_its_interval(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        int16_t v[128];
        positive_values(&laws[k], v);
        unsigned at = 0;
        int border = v[0] ? 2 * v[0] : v[1] / 2;
        for (int x = 0; x <= INT16_MAX; x++) {
            if (at < 127 && x == border)
                border = 2 * v[++at] - border;
            int16_t samples[2] = {(int16_t)x, (int16_t)~x}, back[2];
            uint8_t bytes[2];
            laws[k].codec->encode(bytes, samples, 2);
            laws[k].codec->decode(back, bytes, 2);
            if (back[0] != v[at] || back[1] != -v[at])
                fail_msg("%.*s: %d and %d became %d and %d", DT_FMT(laws[k].codec->name),
                         samples[0], samples[1], back[0], back[1]);
        }
        assert_int_equal(at, 127);
    }
}

static void blocks_are_coded_sample_by_sample(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        uint8_t bytes[256], again[256];
        int16_t samples[256];
        for (unsigned i = 0; i < 256; i++)
            bytes[i] = (uint8_t)(i ^ 0x5a);
        laws[k].codec->decode(samples, bytes, 256);
        laws[k].codec->encode(again, samples, 256);
        for (unsigned i = 0; i < 256; i++)
            if (bytes[i] != 0x7f || k != 0)
                assert_int_equal(again[i], bytes[i]);
    }
}

static void codecs_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const struct dt_rtp_codec *want;
        int payload;
    } rows[] = {
        {"PCMU", &dt_rtp_codec_pcmu, 0},
        {"pcma", &dt_rtp_codec_pcma, 8},
        {"PCM", NULL, 9},
        {"PCMUX", NULL, 127},
        {"", NULL, 128},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_ptr_equal(dt_rtp_codec_find(dt_str_z(rows[i].name)), rows[i].want);
        assert_ptr_equal(dt_rtp_codec_of_payload((uint8_t)rows[i].payload), rows[i].want);
    }
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(laws[k].codec->rate, 8000);
        assert_int_equal(laws[k].codec->bytes, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_words_decode_to_their_values),
        cmocka_unit_test(values_encode_to_their_code_words),
        cmocka_unit_test(each_sample_goes_to_its_interval),
        cmocka_unit_test(blocks_are_coded_sample_by_sample),
        cmocka_unit_test(codecs_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
