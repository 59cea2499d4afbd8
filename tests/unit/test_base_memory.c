/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <stdlib.h>
#include <string.h>

static void libc_gives_and_takes(void **state)
{
    (void)state;
    const struct dt_alloc *a = &dt_alloc_libc;
    char *p = dt_alloc_zero(a, 100);
    assert_non_null(p);
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    p = dt_alloc_array(a, p, 50, 4);
    assert_non_null(p);
    assert_null(dt_alloc_array(a, p, SIZE_MAX / 2, 3)); /* and `p` is still ours */
    assert_null(dt_alloc_array(a, p, 0, 3));
    assert_null(dt_alloc_array(a, p, 3, 0));
    p[199] = 1;
    dt_alloc_free(a, p);
    dt_alloc_free(a, NULL);
}

static void texts_are_terminated(void **state)
{
    (void)state;
    struct kit_alloc k;
    kit_alloc_init(&k);
    char *text = dt_alloc_text(&k.alloc, DT_STR("abc"));
    assert_string_equal(text, "abc");
    char *empty = dt_alloc_text(&k.alloc, DT_STR_NONE);
    assert_string_equal(empty, "");
    dt_alloc_free(&k.alloc, text);
    dt_alloc_free(&k.alloc, empty);
    k.fail_at = k.calls + 1;
    assert_null(dt_alloc_text(&k.alloc, DT_STR("abc")));
    k.fail_at = k.calls + 1;
    assert_null(dt_alloc_zero(&k.alloc, 8));
    assert_int_equal(k.live, 0);
}

static void bytes_are_counted_and_padded(void **state)
{
    (void)state;
    struct kit_alloc k;
    kit_alloc_init(&k);
    struct dt_bytes *b = dt_bytes_copy(&k.alloc, DT_STR("hello"));
    assert_non_null(b);
    kit_assert_str(dt_bytes_str(b), "hello");
    assert_int_equal(b->cap, 5);
    for (unsigned i = 0; i < DT_PAD; i++)
        assert_int_equal(b->data[b->cap + i], 0);
    assert_ptr_equal(dt_bytes_hold(b), b);
    dt_bytes_drop(b);
    assert_int_equal(k.live, 1);
    dt_bytes_drop(b);
    assert_int_equal(k.live, 0);

    b = dt_bytes_new(&k.alloc, 0);
    assert_int_equal(dt_bytes_str(b).n, 0);
    assert_int_equal(b->data[DT_PAD - 1], 0);
    assert_int_equal((uintptr_t)b->data % 8, 0);
    dt_bytes_drop(b);
    dt_bytes_drop(NULL);
    assert_int_equal(dt_bytes_str(NULL).n, 0);
    assert_null(dt_bytes_new(&k.alloc, UINT32_MAX));
    k.fail_at = k.calls + 1;
    assert_null(dt_bytes_copy(&k.alloc, DT_STR("x")));
    assert_int_equal(k.live, 0);
}

struct seen {
    unsigned lines;
    char text[2000];
    enum dt_log_level level;
};

static void remember(void *ctx, enum dt_log_level level, const char *module, struct dt_str call_id,
                     struct dt_str text)
{
    struct seen *seen = ctx;
    seen->lines++;
    seen->level = level;
    struct dt_str all = text;
    assert_string_equal(module, "test");
    kit_assert_str(call_id, "abc@host");
    memcpy(seen->text, all.p, all.n);
    seen->text[all.n] = '\0';
}

static void log_lines_go_to_the_sink(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct dt_log log = {remember, &seen, DT_LOG_INFO};
    struct dt_env env;
    char big[1500];
    dt_env_init(&env, 1);
    dt_log(&env, DT_LOG_ERROR, "test", DT_STR("abc@host"), "nobody listens");
    env.log = &log;
    dt_log(&env, DT_LOG_WARN, "test", DT_STR("abc@host"), "%d of %s", 3, "four");
    assert_string_equal(seen.text, "3 of four");
    assert_int_equal(seen.level, DT_LOG_WARN);
    dt_log(&env, DT_LOG_DEBUG, "test", DT_STR("abc@host"), "too much");
    assert_int_equal(seen.lines, 1);
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    dt_log(&env, DT_LOG_INFO, "test", DT_STR("abc@host"), "%s", big);
    assert_int_equal(seen.lines, 2);
    assert_in_range(strlen(seen.text), 1000, 1024);
}

static void environment_has_defaults(void **state)
{
    (void)state;
    struct dt_env env;
    dt_env_init(&env, 7);
    assert_ptr_equal(env.alloc, &dt_alloc_libc);
    assert_null(env.log);
    assert_true(env.hash == NULL);
    assert_int_equal(env.rng.key[0], 7);
    assert_int_equal(env.wall_offset, 0);
}

static void testkit_digests(void **state)
{
    (void)state;
    static const uint8_t md5_abc[] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                      0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
    uint8_t out[32];
    struct dt_str parts[] = {DT_STR("a"), DT_STR_NONE, DT_STR("bc")};
    assert_int_equal(kit_hash(DT_HASH_MD5, parts, 3, out), DT_OK);
    assert_memory_equal(out, md5_abc, sizeof md5_abc);
    assert_int_equal(kit_hash(DT_HASH_SHA256, parts, 3, out), DT_OK);
    assert_int_equal(out[0], 0xba);
    assert_int_equal(out[31], 0xad);
}

static void testkit_reads_files(void **state)
{
    (void)state;
    void *data;
    struct dt_str text = kit_file("testkit/testkit.h", &data);
    assert_true(dt_str_starts(text, DT_STR("/* SPDX-License-Identifier")));
    assert_int_equal(text.p[text.n + DT_PAD - 1], 0);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libc_gives_and_takes),         cmocka_unit_test(texts_are_terminated),
        cmocka_unit_test(bytes_are_counted_and_padded), cmocka_unit_test(log_lines_go_to_the_sink),
        cmocka_unit_test(environment_has_defaults),     cmocka_unit_test(testkit_digests),
        cmocka_unit_test(testkit_reads_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
