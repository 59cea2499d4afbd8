/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <limits.h>
#include <string.h>

#define S(literal) DT_STR(literal)

static void errors_have_sentences(void **state)
{
    (void)state;
    assert_string_equal(dt_err_text(DT_OK), "no error");
    assert_string_equal(dt_err_text(DT_E_NOMEM), "out of memory");
    assert_string_equal(dt_err_text(DT_E_UNSUPPORTED), "not supported");
    assert_string_equal(dt_err_text(1), "unknown error");
    assert_string_equal(dt_err_text(-1000), "unknown error");
    assert_string_equal(dt_err_text(INT_MIN), "unknown error");
    assert_string_equal(dt_err_text(INT_MAX), "unknown error");
}

static void slices_are_clamped(void **state)
{
    (void)state;
    kit_assert_str(dt_str_sub(S("hello"), 1, 3), "ell");
    kit_assert_str(dt_str_sub(S("hello"), 3, 99), "lo");
    kit_assert_str(dt_str_sub(S("hello"), 99, SIZE_MAX), "");
    kit_assert_str(dt_str_sub(DT_STR_NONE, 1, 1), "");
    assert_int_equal(dt_str_z(NULL).n, 0);
    kit_assert_str(dt_str_z("ab"), "ab");
}

static const struct {
    struct dt_str a, b;
    bool eq, ieq, starts, ends;
    int order;
} pairs[] = {
    {DT_STR("abc"), DT_STR("abc"), true, true, true, true, 0},
    {DT_STR("abc"), DT_STR("aBC"), false, true, false, false, 1},
    {DT_STR("abc"), DT_STR("ab"), false, false, true, false, 1},
    {DT_STR("abc"), DT_STR("bc"), false, false, false, true, -1},
    {DT_STR("ab"), DT_STR("abc"), false, false, false, false, -1},
    {DT_STR("["), DT_STR("{"), false, false, false, false, -1}, /* 32 apart, and no letters */
    {DT_STR(""), DT_STR(""), true, true, true, true, 0},
    {{NULL, 0}, DT_STR(""), true, true, true, true, 0},
    {DT_STR("\xff"), DT_STR("a"), false, false, false, false, 1},
};

static void slices_compare(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct dt_str a = pairs[i].a, b = pairs[i].b;
        int order = dt_str_cmp(a, b);
        assert_int_equal(dt_str_eq(a, b), pairs[i].eq);
        assert_int_equal(dt_str_ieq(a, b), pairs[i].ieq);
        assert_int_equal(dt_str_starts(a, b), pairs[i].starts);
        assert_int_equal(dt_str_ends(a, b), pairs[i].ends);
        assert_int_equal((order > 0) - (order < 0), pairs[i].order);
    }
}

static void things_are_found(void **state)
{
    (void)state;
    assert_int_equal(dt_str_find(S("a:b:c"), ':'), 1);
    assert_int_equal(dt_str_find(S("abc"), ':'), 3);
    assert_int_equal(dt_str_find(DT_STR_NONE, ':'), 0);
    assert_int_equal(dt_str_search(S("aab"), S("ab")), 1);
    assert_int_equal(dt_str_search(S("aab"), S("aabb")), 3);
    assert_int_equal(dt_str_search(S("aab"), S("")), 0);
    assert_int_equal(dt_str_search(S(""), S("x")), 0);
    struct dt_str text = kit_guarded(0, S("xxaa"));
    assert_int_equal(dt_str_search(text, S("aab")), 4);
}

static void blanks_are_trimmed(void **state)
{
    (void)state;
    kit_assert_str(dt_str_trim(S(" \t\r\na b\r\n")), "a b");
    kit_assert_str(dt_str_trim(S(" \t ")), "");
    kit_assert_str(dt_str_trim(kit_guarded(0, S("  "))), "");
    kit_assert_str(dt_str_trim(DT_STR_NONE), "");
}

static const struct {
    struct dt_str text;
    uint64_t max;
    int err;
    uint64_t value;
} numbers[] = {
    {DT_STR("0"), 0, DT_OK, 0},
    {DT_STR("007"), 7, DT_OK, 7},
    {DT_STR("65535"), 65535, DT_OK, 65535},
    {DT_STR("65536"), 65535, DT_E_RANGE, 0},
    {DT_STR("18446744073709551615"), UINT64_MAX, DT_OK, UINT64_MAX},
    {DT_STR("18446744073709551616"), UINT64_MAX, DT_E_RANGE, 0},
    {DT_STR("4294967296000000000000000000"), UINT64_MAX, DT_E_RANGE, 0},
    {DT_STR("9"), 5, DT_E_RANGE, 0},
    {DT_STR("10"), 5, DT_E_RANGE, 0},
    {DT_STR("99999999999999999999999x"), 5, DT_E_SYNTAX, 0},
    {DT_STR(""), 5, DT_E_SYNTAX, 0},
    {DT_STR("-1"), 5, DT_E_SYNTAX, 0},
    {DT_STR("+1"), 5, DT_E_SYNTAX, 0},
    {DT_STR(" 1"), 5, DT_E_SYNTAX, 0},
    {DT_STR("1 "), 5, DT_E_SYNTAX, 0},
};

static void numbers_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint64_t value = 42;
        struct dt_str text = kit_guarded(0, numbers[i].text);
        assert_int_equal(dt_str_u64(text, numbers[i].max, &value), numbers[i].err);
        assert_true(value == (numbers[i].err ? 42 : numbers[i].value));
    }
}

static void letters_are_ascii(void **state)
{
    (void)state;
    for (int c = -128; c < 128; c++) {
        bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
        assert_int_equal(dt_is_alpha((char)c), upper || lower);
        assert_int_equal(dt_is_digit((char)c), c >= '0' && c <= '9');
        assert_int_equal(dt_lower((char)c), upper ? c + 32 : c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_sentences), cmocka_unit_test(slices_are_clamped),
        cmocka_unit_test(slices_compare),        cmocka_unit_test(things_are_found),
        cmocka_unit_test(blanks_are_trimmed),    cmocka_unit_test(numbers_are_checked),
        cmocka_unit_test(letters_are_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
