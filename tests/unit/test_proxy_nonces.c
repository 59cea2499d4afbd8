/* SPDX-License-Identifier: BSD-2-Clause
 *
 * I28: each nonce count is accepted once; R14: but the same request may come again. */
#include <stdlib.h>

#include "testkit.h"

#include "proxy/nonces.h"

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
    dt__nonces_init(&t, &mem.alloc, 7, 10);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int err = dt__nonces_use(&t, 0, life, 'n', rows[i].count, rows[i].request);
        if (err != rows[i].err)
            fail_msg("row %zu: %d", i, err);
    }
    assert_int_equal(dt__nonces_use(&t, 0, life, 'm', 1, 1), DT_OK);
    dt__nonces_clear(&t);
    assert_int_equal(mem.live, 0);
}

static void bounds_and_life(void **state)
{
    struct kit_alloc mem;
    struct dt_nonces t;
    uint64_t name = 'a';
    (void)state;
    kit_alloc_init(&mem);
    dt__nonces_init(&t, &mem.alloc, 7, 3);
    for (int i = 0; i < 10; i++, name++)
        assert_int_equal(dt__nonces_use(&t, i, life, name, 1, 1), DT_OK);
    assert_int_equal(t.n, 3);
    assert_int_equal(dt__nonces_use(&t, 11, life, 'j', 1, 2), DT_E_STALE); /* the newest */
    assert_int_equal(dt__nonces_use(&t, 11 + life, life, 'z', 1, 2), DT_OK);
    assert_int_equal(t.n, 1);
    mem.fail_at = mem.calls + 1;
    assert_int_equal(dt__nonces_use(&t, 11 + life, life, 'y', 1, 2), DT_E_NOMEM);
    mem.fail_at = 0;
    dt__nonces_clear(&t);
    assert_int_equal(mem.live, 0);
}

/* Two challenges of one second with the same salt were one nonce: with salts by chance about 128
 * pairs of these. */
static void salts_differ(void **state)
{
    enum { MANY = 1 << 20 };
    struct kit_alloc mem;
    struct dt_nonces t;
    (void)state;
    kit_alloc_init(&mem);
    dt__nonces_init(&t, &mem.alloc, UINT64_C(0xfffffffffffffff0), 10);
    uint64_t *seen = calloc(((uint64_t)1 << 32) / 64, sizeof *seen);
    assert_non_null(seen);
    for (int i = 0; i < MANY; i++) {
        uint32_t salt = dt__nonces_salt(&t);
        assert_false(seen[salt / 64] >> (salt % 64) & 1);
        seen[salt / 64] |= (uint64_t)1 << (salt % 64);
    }
    free(seen);
    dt__nonces_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(bounds_and_life),
        cmocka_unit_test(salts_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
