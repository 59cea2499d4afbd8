/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "dualtone/conf.h"

/* Words as "column:text", quoted ones in '...'. */
static const struct {
    const char *line, *comment;
    int n;
    unsigned column; /* of the mistake */
    const char *want;
} vectors[] = {
    {"", "#", 0, 0, ""},
    {"  \t ", "#", 0, 0, ""},
    {"A dials 1002", "#", 3, 0, "1:A 3:dials 9:1002 "},
    {"  a\tb  ", "#", 2, 0, "3:a 5:b "},
    {"A shows \"Network Delay\" x", "#", 4, 0, "1:A 3:shows 9:'Network Delay' 25:x "},
    {"a # b", "#", 1, 0, "1:a "},
    {"# b", "#", 0, 0, ""},
    {"a#b *72#", "#", 2, 0, "1:a#b 5:*72# "},
    {"a ; b", "#;", 1, 0, "1:a "},
    {"a;b ; c", "#;", 1, 0, "1:a;b "},
    {"a # b", NULL, 3, 0, "1:a 3:# 5:b "},
    {"\"a # b\" # c", "#", 1, 0, "1:'a # b' "},
    {"\"\" x", "#", 2, 0, "1:'' 4:x "},
    {"\"a\\\"b\\\\\"", "#", 1, 0, "1:'a\\\"b\\\\' "},
    {"a\"b c\"", "#", 2, 0, "1:a\"b 5:c\" "},
    {"\"a\"b", "#", 2, 0, "1:'a' 4:b "},
    {"\"a\"# b", "#", 3, 0, "1:'a' 4:# 6:b "},
    {"ab \r\n", "#", 1, 0, "1:ab "},
    {"a \"b", "#", DT_E_SYNTAX, 3, NULL},
    {"a \"b\\\"", "#", DT_E_SYNTAX, 3, NULL},
    {"a \"", "#", DT_E_SYNTAX, 3, NULL},
    {"1 2 3 4 5 6", "#", DT_E_LIMIT, 11, NULL},
};

static void lines_become_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct dt_str line = dt_str_z(vectors[i].line);
        struct dt_word words[5];
        unsigned column = 0;
        char buf[200];
        for (size_t n = 0; n < line.n; n++)
            dt_words_split(kit_guarded(0, dt_str_sub(line, 0, n)), vectors[i].comment, words, 5,
                           &column);
        column = 0;
        int n = dt_words_split(kit_guarded(0, line), vectors[i].comment, words, 5, &column);
        assert_int_equal(n, vectors[i].n);
        if (n < 0) {
            assert_int_equal(column, vectors[i].column);
            continue;
        }
        struct dt_writer w = dt_writer(buf, sizeof buf);
        for (int k = 0; k < n; k++)
            dt_writef(&w, words[k].quoted ? "%u:'%.*s' " : "%u:%.*s ", words[k].column,
                      DT_FMT(words[k].text));
        kit_assert_str(dt_writer_str(&w), vectors[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_become_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
