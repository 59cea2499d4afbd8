/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "dualtone/text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* RFC 3261 25.1, written out. */
static const struct {
    unsigned bit;
    const char *members;
} classes[] = {
    {DT_C_TOKEN, LETTERS DIGITS "-.!%*_+`'~"},
    {DT_C_WORD, LETTERS DIGITS "-.!%*_+`'~()<>:\\\"/[]?{}"},
    {DT_C_HOST, LETTERS DIGITS ".-"},
    {DT_C_USER, LETTERS DIGITS "-_.!~*'()&=+$,;?/%"},
    {DT_C_PARAM, LETTERS DIGITS "-_.!~*'()[]/:&+$%"},
    {DT_C_USER_PLAIN, LETTERS DIGITS "-_.!~*'()&=+$,;?/"},
    {DT_C_PARAM_PLAIN, LETTERS DIGITS "-_.!~*'()[]/:&+$"},
    {DT_C_DIGIT, DIGITS},
    {DT_C_ALPHA, LETTERS},
    {DT_C_HEX, DIGITS "abcdefABCDEF"},
};

static void classes_are_those_of_the_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        for (int c = 0; c < 256; c++)
            assert_int_equal(dt_char_is((char)c, classes[i].bit),
                             c && strchr(classes[i].members, c) != NULL);
}

static void reader_takes_and_rolls_back(void **state)
{
    (void)state;
    struct dt_reader r = dt_reader(kit_guarded(0, DT_STR("INVITE sip:x")));
    struct dt_str out;
    assert_true(dt_reader_take(&r, 6, &out));
    kit_assert_str(out, "INVITE");
    struct dt_reader mark = r;
    assert_true(dt_reader_char(&r, ' '));
    assert_false(dt_reader_char(&r, ' '));
    assert_false(dt_reader_take(&r, 6, &out));
    assert_int_equal(dt_reader_at(&r), 7);
    kit_assert_str(dt_reader_until(&r, ':'), "sip");
    kit_assert_str(dt_reader_rest(&r), ":x");
    r = mark;
    kit_assert_str(dt_reader_until(&r, '@'), " sip:x");
    assert_true(dt_reader_end(&r));
    assert_int_equal(dt_reader_peek(&r), -1);
    assert_false(dt_reader_char(&r, 'x'));
    assert_true(dt_reader_take(&r, 0, &out));
    kit_assert_str(dt_reader_run(&r, DT_C_TOKEN), "");
}

static void empty_reader_is_at_its_end(void **state)
{
    (void)state;
    struct dt_reader r = dt_reader(DT_STR_NONE);
    struct dt_str out;
    uint64_t v;
    assert_true(dt_reader_end(&r));
    assert_int_equal(dt_reader_at(&r), 0);
    assert_true(dt_reader_take(&r, 0, &out));
    assert_false(dt_reader_take(&r, 1, &out));
    kit_assert_str(dt_reader_until(&r, 'x'), "");
    assert_true(dt_reader_word(&r, DT_STR("")));
    assert_false(dt_reader_word(&r, DT_STR("x")));
    dt_reader_lws(&r);
    assert_int_equal(dt_reader_u64(&r, 9, &v), DT_E_SYNTAX);
    assert_int_equal(dt_reader_quoted(&r, &out), DT_E_SYNTAX);
}

static void words_match_in_any_case(void **state)
{
    (void)state;
    struct dt_str text = DT_STR("SiP/2.0");
    for (size_t n = 0; n <= text.n; n++) {
        struct dt_reader r = dt_reader(kit_guarded(0, dt_str_sub(text, 0, n)));
        assert_int_equal(dt_reader_word(&r, DT_STR("sip/2.0")), n == text.n);
        assert_int_equal(dt_reader_at(&r), n == text.n ? n : 0);
    }
}

static const struct {
    const char *text;
    size_t taken;
} blanks[] = {
    {"  \tx", 3},    {"x", 0},      {"\r\n x", 3}, {"\n\tx", 2},      {" \r\n x", 4},
    {" \r\nx", 1},   {" \r x", 1},  {"\r\n", 0},   {" \r\n \r\n", 4}, {"\r\n \r\n\tx", 6},
    {"\r\r\n x", 0}, {"\n\n x", 0},
};

static void linear_white_space_is_skipped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        struct dt_str text = dt_str_z(blanks[i].text);
        for (size_t n = 0; n <= text.n; n++) {
            struct dt_reader r = dt_reader(kit_guarded(0, dt_str_sub(text, 0, n)));
            dt_reader_lws(&r);
            assert_true(n < text.n || dt_reader_at(&r) == blanks[i].taken);
        }
    }
}

static void numbers_are_read(void **state)
{
    (void)state;
    uint64_t v = 0;
    struct dt_reader r = dt_reader(kit_guarded(0, DT_STR("42 70000 x")));
    assert_int_equal(dt_reader_u64(&r, 100, &v), DT_OK);
    assert_int_equal(v, 42);
    assert_int_equal(dt_reader_u64(&r, 100, &v), DT_E_SYNTAX);
    dt_reader_lws(&r);
    assert_int_equal(dt_reader_u64(&r, 65535, &v), DT_E_RANGE);
    assert_int_equal(dt_reader_at(&r), 3); /* nothing taken */
    assert_int_equal(dt_reader_u64(&r, 70000, &v), DT_OK);
    assert_int_equal(v, 70000);
}

static void numbers_of_many_digits_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        uint64_t value;
    } rows[] = {
        {"9999999999999999999", DT_OK, 9999999999999999999u},
        {"18446744073709551615", DT_OK, UINT64_MAX},
        {"18446744073709551616", DT_E_RANGE, 0},
        {"36893488147419103233", DT_E_RANGE, 0}, /* 1 when it wraps */
        {"000000000000000000000000000005", DT_OK, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t v = 42;
        struct dt_reader r = dt_reader(kit_guarded(0, dt_str_z(rows[i].text)));
        assert_int_equal(dt_reader_u64(&r, UINT64_MAX, &v), rows[i].err);
        assert_true(v == (rows[i].err ? 42 : rows[i].value));
        assert_true(dt_reader_end(&r) == !rows[i].err);
    }
}

/* Each length, with an end of the run and with the end of what is readable behind it. */
static void runs_end_where_they_end(void **state)
{
    (void)state;
    for (size_t n = 0; n < 13; n++) {
        struct dt_str open = kit_guarded(0, dt_str_sub(DT_STR("abcdefghijklm"), 0, n));
        struct dt_str closed = kit_guarded(1, dt_str_sub(DT_STR("abcdefghijklm"), 0, n + 1));
        *(char *)(uintptr_t)(closed.p + n) = ';';
        assert_ptr_equal(dt_char_run(open.p, open.p + n, DT_C_TOKEN), open.p + n);
        assert_ptr_equal(dt_char_run(closed.p, closed.p + n + 1, DT_C_TOKEN), closed.p + n);
    }
}

static const struct {
    const char *text;
    int err;
    const char *want; /* between the quotes */
    const char *rest;
} quotes[] = {
    {"\"abc\" x", DT_OK, "abc", " x"},
    {"\"\"", DT_OK, "", ""},
    {"\"a\\\"b\\\\\"c", DT_OK, "a\\\"b\\\\", "c"},
    {"\"a\r\n b\"", DT_OK, "a\r\n b", ""},
    {"\"\xc3\xa4\\\x07\"", DT_OK, "\xc3\xa4\\\x07", ""},
    {"abc", DT_E_SYNTAX, NULL, "abc"},
    {"\"abc", DT_E_SYNTAX, NULL, "\"abc"},
    {"\"abc\\\"", DT_E_SYNTAX, NULL, "\"abc\\\""},
    {"\"abc\\", DT_E_SYNTAX, NULL, "\"abc\\"},
    {"\"a\r\nb\"", DT_E_SYNTAX, NULL, "\"a\r\nb\""},
    {"\"a\\\nb\"", DT_E_SYNTAX, NULL, "\"a\\\nb\""},
};

static void quoted_strings_are_closed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
        struct dt_str text = dt_str_z(quotes[i].text), out = DT_STR_NONE;
        for (size_t n = 0; n <= text.n; n++) {
            struct dt_reader r = dt_reader(kit_guarded(0, dt_str_sub(text, 0, n)));
            int err = dt_reader_quoted(&r, &out);
            assert_true(!err || dt_reader_at(&r) == 0);
            if (n < text.n)
                continue;
            assert_int_equal(err, quotes[i].err);
            kit_assert_str(dt_reader_rest(&r), quotes[i].rest);
            if (!err)
                kit_assert_str(out, quotes[i].want);
        }
    }
}

/* ---- writer ---- */

static void write_all(struct dt_writer *w)
{
    dt_write_lit(w, "a");
    dt_write_z(w, "bc");
    dt_write_z(w, NULL);
    dt_write_char(w, ' ');
    dt_write_u64(w, 0);
    dt_write_char(w, ' ');
    dt_write_u64(w, UINT64_MAX);
    dt_write_char(w, ' ');
    dt_write_hex(w, 0xab, 4);
    dt_write_hex(w, 0xfedcba9876543210, 16);
    dt_write_hex(w, 1, 17);
    dt_write_quoted(w, DT_STR("a\"b\\c"));
    dt_writef(w, "%s-%d", "x", -5);
}

#define ALL "abc 0 18446744073709551615 00abfedcba987654321000000000000000001\"a\\\"b\\\\c\"x--5"

static void writer_stays_in_its_storage(void **state)
{
    (void)state;
    const size_t full = strlen(ALL);
    for (size_t cap = 0; cap <= full + 1; cap++) {
        char blank[sizeof ALL + 1] = {0};
        /* The storage ends at the unmapped page. */
        struct dt_str room = kit_guarded(0, (struct dt_str){blank, cap});
        struct dt_writer w = dt_writer((void *)(uintptr_t)room.p, cap);
        write_all(&w);
        assert_int_equal(w.err, cap < full ? DT_E_LIMIT : DT_OK);
        assert_true(w.n <= cap);
        if (cap >= full)
            kit_assert_str(dt_writer_str(&w), ALL);
    }
}

static void long_formats_fit_or_are_cut(void **state)
{
    (void)state;
    char big[3000], out[3000];
    memset(big, 'y', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    for (size_t cap = 0; cap <= sizeof out; cap += cap < 2990 ? 13 : 1) {
        struct dt_str room = kit_guarded(0, (struct dt_str){out, cap});
        struct dt_writer w = dt_writer((void *)(uintptr_t)room.p, cap);
        dt_writef(&w, "%s", big);
        assert_true(w.n <= cap);
        assert_int_equal(w.err, cap < sizeof big ? DT_E_LIMIT : DT_OK);
        assert_true(w.n + 1 >= cap || w.n == 511);
        for (size_t i = 0; i < w.n; i++)
            assert_int_equal(room.p[i], 'y');
    }
}

static void first_error_stays(void **state)
{
    (void)state;
    char out[2];
    struct dt_writer w = dt_writer(out, sizeof out);
    dt_write_lit(&w, "abc");
    dt_write_lit(&w, "");
    assert_int_equal(w.err, DT_E_LIMIT);
    kit_assert_str(dt_writer_str(&w), "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_those_of_the_grammar),
        cmocka_unit_test(reader_takes_and_rolls_back),
        cmocka_unit_test(empty_reader_is_at_its_end),
        cmocka_unit_test(words_match_in_any_case),
        cmocka_unit_test(linear_white_space_is_skipped),
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(numbers_of_many_digits_are_read),
        cmocka_unit_test(runs_end_where_they_end),
        cmocka_unit_test(quoted_strings_are_closed),
        cmocka_unit_test(writer_stays_in_its_storage),
        cmocka_unit_test(long_formats_fit_or_are_cut),
        cmocka_unit_test(first_error_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
