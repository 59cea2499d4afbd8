/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

/* "vectors.h" of the authors: key 00 01 .. 0f, input 00 01 .. of each length from 0 to 63. */
/* clang-format off */
static const uint64_t vectors[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
    0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
    0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
    0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
    0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
    0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
    0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
    0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
    0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
    0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
    0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};
/* clang-format on */

static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static void siphash_matches_the_official_vectors(void **state)
{
    (void)state;
    char input[64];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (char)i;
    for (size_t n = 0; n < 64; n++)
        assert_true(dt_siphash(key, kit_guarded(0, (struct dt_str){input, n})) == vectors[n]);
}

static void siphash_does_not_care_how_it_is_fed(void **state)
{
    (void)state;
    char input[63];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (char)i;
    for (size_t a = 0; a <= sizeof input; a++) {
        for (size_t b = a; b <= sizeof input; b++) {
            struct dt_siphash h;
            dt_siphash_init(&h, key);
            dt_siphash_add(&h, input, a);
            dt_siphash_add(&h, input + a, b - a);
            dt_siphash_add(&h, input + b, sizeof input - b);
            assert_true(dt_siphash_end(&h) == vectors[63]);
        }
    }
}

/* The first two of the reference implementation's vectors_sip128. */
static void wide_siphash_matches_the_official_vectors(void **state)
{
    static const struct {
        size_t n;
        uint64_t out[2];
    } wide[] = {
        {0, {0xe6a825ba047f81a3, 0x930255c71472f66d}},
        {1, {0x44af996bd8c187da, 0x45fc229b11597634}},
    };
    (void)state;
    char input[64];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (char)i;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        struct dt_siphash h;
        uint64_t out[2];
        dt_siphash_init_wide(&h, key);
        dt_siphash_add(&h, input, wide[i].n);
        dt_siphash_end_wide(&h, out);
        assert_true(out[0] == wide[i].out[0] && out[1] == wide[i].out[1]);
    }
}

static uint64_t hash_of_two(const char *a, const char *b)
{
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    dt_siphash_add_str(&h, dt_str_z(a));
    dt_siphash_add_str(&h, dt_str_z(b));
    return dt_siphash_end(&h);
}

static void strings_are_kept_apart(void **state)
{
    (void)state;
    assert_true(hash_of_two("ab", "c") != hash_of_two("a", "bc"));
    assert_true(hash_of_two("", "abc") != hash_of_two("abc", ""));
    assert_true(hash_of_two("ab", "c") == hash_of_two("ab", "c"));
    assert_true(hash_of_two(NULL, "c") == hash_of_two("", "c"));
}

static void same_seed_same_numbers(void **state)
{
    (void)state;
    struct dt_rng a, b, other;
    dt_rng_init(&a, (uint64_t[2]){1, 2});
    dt_rng_init(&b, (uint64_t[2]){1, 2});
    dt_rng_init(&other, (uint64_t[2]){2, 2});
    for (int i = 0; i < 100; i++) {
        uint64_t v = dt_rng_u64(&a);
        assert_true(v == dt_rng_u64(&b));
        assert_true(v != dt_rng_u64(&other));
    }
}

static void below_stays_below_without_bias(void **state)
{
    (void)state;
    struct dt_rng r;
    unsigned seen[3] = {0};
    dt_rng_init(&r, (uint64_t[2]){5, 0});
    for (int i = 0; i < 30000; i++)
        seen[dt_rng_below(&r, 3)]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(seen[i], 9600, 10400);
    /* Three quarters of the range: without rejection the lower third would come twice as often. */
    const uint64_t n = UINT64_C(3) << 62;
    unsigned low = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t v = dt_rng_below(&r, n);
        assert_true(v < n);
        low += v < n / 3;
    }
    assert_in_range(low, 9600, 10400);
    for (int i = 0; i < 10; i++)
        assert_true(dt_rng_below(&r, 1) == 0);
}

static void tokens_use_every_letter(void **state)
{
    (void)state;
    struct dt_rng r;
    char token[5000];
    unsigned seen[256] = {0}, different = 0;
    dt_rng_init(&r, (uint64_t[2]){9, 9});
    memset(token, '!', sizeof token);
    dt_rng_token(&r, token, sizeof token - 1);
    assert_int_equal(token[sizeof token - 1], '!');
    for (size_t i = 0; i < sizeof token - 1; i++) {
        char c = token[i];
        assert_true(dt_is_digit(c) || (c >= 'a' && c <= 'z'));
        different += seen[(unsigned char)c]++ == 0;
    }
    assert_int_equal(different, 36);
    dt_rng_token(&r, token, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_matches_the_official_vectors),
        cmocka_unit_test(wide_siphash_matches_the_official_vectors),
        cmocka_unit_test(siphash_does_not_care_how_it_is_fed),
        cmocka_unit_test(strings_are_kept_apart),
        cmocka_unit_test(same_seed_same_numbers),
        cmocka_unit_test(below_stays_below_without_bias),
        cmocka_unit_test(tokens_use_every_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
