/* SPDX-License-Identifier: BSD-2-Clause
 *
 * I28: each nonce count is accepted once; R14: but the same request may come again. */
#include "testkit.h"

#include "proxy/nonces.h"

static const uint64_t key[2] = {1, 2};
static const dt_time life = 60 * DT_SECOND;

static void counts(void **state)
{
    static const struct {
        uint32_t count;
        uint64_t request;
        int err;
    } rows[] = {
        {1, 100, DT_OK},      {1, 100, DT_OK},   {1, 101, DT_E_STALE},   {2, 102, DT_OK},
        {1, 100, DT_E_STALE}, {5, 103, DT_OK},   {3, 104, DT_OK},        {3, 105, DT_E_STALE},
        {4, 106, DT_OK},      {5, 103, DT_OK},   {0, 107, DT_E_STALE},   {200, 108, DT_OK},
        {6, 109, DT_E_STALE}, {137, 110, DT_OK}, {136, 111, DT_E_STALE}, {UINT32_MAX, 112, DT_OK},
    };
    struct kit_alloc mem;
    struct dt_nonces t;
    (void)state;
    kit_alloc_init(&mem);
    dt__nonces_init(&t, &mem.alloc, key, 10);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int err = dt__nonces_use(&t, 0, life, DT_STR("n"), rows[i].count, rows[i].request);
        if (err != rows[i].err)
            fail_msg("row %zu: %d", i, err);
    }
    assert_int_equal(dt__nonces_use(&t, 0, life, DT_STR("m"), 1, 1), DT_OK);
    dt__nonces_clear(&t);
    assert_int_equal(mem.live, 0);
}

static void bounds_and_life(void **state)
{
    struct kit_alloc mem;
    struct dt_nonces t;
    char name[2] = "a";
    (void)state;
    kit_alloc_init(&mem);
    dt__nonces_init(&t, &mem.alloc, key, 3);
    for (int i = 0; i < 10; i++, name[0]++)
        assert_int_equal(dt__nonces_use(&t, i, life, dt_str_z(name), 1, 1), DT_OK);
    assert_int_equal(t.n, 3);
    assert_int_equal(dt__nonces_use(&t, 11, life, DT_STR("j"), 1, 2), DT_E_STALE); /* the newest */
    assert_int_equal(dt__nonces_use(&t, 11 + life, life, DT_STR("z"), 1, 2), DT_OK);
    assert_int_equal(t.n, 1);
    mem.fail_at = mem.calls + 1;
    assert_int_equal(dt__nonces_use(&t, 11 + life, life, DT_STR("y"), 1, 2), DT_E_NOMEM);
    mem.fail_at = 0;
    dt__nonces_clear(&t);
    assert_int_equal(mem.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(bounds_and_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
