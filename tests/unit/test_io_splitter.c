/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes into lines, however they arrive. */
#include <stdio.h>
#include <string.h>

#include "testkit.h"
#include "io/splitter.h"

enum { LONGEST = 8 };

/* The lines of `text` when it comes in pieces of `piece` bytes, each followed by '|'. */
static void split(const struct dt_alloc *a, const char *text, size_t piece, char out[200])
{
    struct io_splitter s;
    struct dt_str all = dt_str_z(text), line;
    size_t used = 0;
    out[0] = '\0';
    dt__splitter_init(&s, a, LONGEST);
    for (size_t at = 0; at < all.n; at += piece) {
        struct dt_str bytes = kit_guarded(0, dt_str_sub(all, at, piece));
        while (dt__splitter_next(&s, &bytes, &line))
            used += (size_t)snprintf(out + used, 200 - used, "%.*s|", DT_FMT(line));
        assert_int_equal(bytes.n, 0);
    }
    if (dt__splitter_end(&s, &line))
        snprintf(out + used, 200 - used, "%.*s|", DT_FMT(line));
    assert_false(dt__splitter_end(&s, &line));
    dt__splitter_clear(&s);
}

static const struct {
    const char *text, *want;
} rows[] = {
    {"", ""},
    {"\n", "|"},
    {"one", "one|"},
    {"one\n", "one|"},
    {"one\r\ntwo\n\nthree", "one|two||three|"},
    {"a\rb\n", "a\rb|"},
    {"12345678\nx\n", "12345678|x|"},
    {"123456789\nx\n", "12345678|x|"},
    {"12345678901234567890\nx\n123456789", "12345678|x|12345678|"},
};

static void lines_are_the_same_in_all_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t piece = 1; piece < 25; piece++) {
            struct kit_alloc a;
            char out[200];
            kit_alloc_init(&a);
            split(&a.alloc, rows[i].text, piece, out);
            assert_string_equal(out, rows[i].want);
            assert_int_equal(a.live, 0);
        }
}

/* Without memory a line is cut; the next one is whole. */
static void memory_that_fails_cuts_one_line(void **state)
{
    struct kit_alloc a;
    char out[200];
    (void)state;
    kit_alloc_init(&a);
    a.fail_at = 1;
    split(&a.alloc, "12345\nabc\n", 3, out);
    assert_string_equal(out, "|abc|");
    assert_int_equal(a.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_the_same_in_all_pieces),
        cmocka_unit_test(memory_that_fails_cuts_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
