/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hash of a message does not depend on the parts that it comes in. */
#include <string.h>

#include "io/io.h"
#include "testkit.h"

/* RFC 1321 A.5, and FIPS 180-2 B.1, B.2. */
static const struct vector {
    enum dt_hash_kind kind;
    const char *text, *hex;
} vectors[] = {
    {DT_HASH_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {DT_HASH_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {DT_HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {DT_HASH_MD5,
     "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
    {DT_HASH_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void check(const uint8_t *raw, const char *hex)
{
    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned want = 0;
        for (size_t j = 0; j < 2; j++)
            want = want << 4 |
                   (unsigned)(strchr("0123456789abcdef", hex[2 * i + j]) - "0123456789abcdef");
        assert_int_equal(raw[i], want);
    }
}

/* Both kinds in turn, cut in two at each place, with nothing between. */
static void test_vectors(void **state)
{
    uint8_t raw[32];
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct dt_str text = dt_str_z(vectors[i].text);
        for (size_t cut = 0; cut <= text.n; cut++) {
            const struct dt_str parts[] = {dt_str_sub(text, 0, cut), DT_STR_NONE,
                                           dt_str_sub(text, cut, text.n)};
            assert_int_equal(dt_io_hash(vectors[i].kind, parts, 3, raw), DT_OK);
            check(raw, vectors[i].hex);
        }
    }
}

/* Parts that are short and long by turns, up to many kilobytes. */
static void test_long_parts(void **state)
{
    static char text[64 * 700];
    uint8_t whole[32], raw[32];
    struct dt_rng rng;
    (void)state;
    dt_rng_init(&rng, (const uint64_t[2]){3, 4});
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)dt_rng_u64(&rng);
    for (unsigned round = 0; round < 200; round++) {
        struct dt_str parts[64];
        size_t n = 0, at = 0;
        while (n < 64) {
            size_t most = dt_rng_below(&rng, 4) ? 80 : 700;
            parts[n++] = (struct dt_str){text + at, dt_rng_below(&rng, most)};
            at += parts[n - 1].n;
        }
        const struct dt_str one = {text, at};
        assert_int_equal(dt_io_hash(DT_HASH_SHA256, &one, 1, whole), DT_OK);
        assert_int_equal(dt_io_hash(DT_HASH_SHA256, parts, n, raw), DT_OK);
        assert_memory_equal(raw, whole, sizeof raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_long_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
