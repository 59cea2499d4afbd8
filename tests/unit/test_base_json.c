/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include "dualtone/json.h"

#include <string.h>

/* Each row as the one value of a document. */
static void texts(void **unused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "\"\""},
        {"bob", "\"bob\""},
        {"\"a\\b\"", "\"\\\"a\\\\b\\\"\""},
        {"a\r\n\tb", "\"a\\u000d\\u000a\\u0009b\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"M\xc3\xbcller", "\"M\xc3\xbcller\""},
        {"\xe2\x82\xac \xf0\x9f\x93\x9e", "\"\xe2\x82\xac \xf0\x9f\x93\x9e\""},
        {"\xc2\x85\xc2\x9b", "\"\\u0085\\u009b\""},               /* C1 */
        {"\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\""},       /* line separators */
        {"\xff", "\"\\ufffd\""},                                  /* begins nothing */
        {"\x80z", "\"\\ufffdz\""},                                /* follows nothing */
        {"\xc3", "\"\\ufffd\""},                                  /* cut */
        {"\xc3(", "\"\\ufffd(\""},                                /* not followed */
        {"\xe2\x82", "\"\\ufffd\\ufffd\""},                       /* cut */
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},                       /* overlong */
        {"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},            /* overlong */
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},            /* a surrogate */
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* above U+10FFFF */
    };
    char out[100];

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct dt_str text = dt_str_z(rows[i].text);
        for (size_t n = 0; n <= text.n; n++) { /* no byte behind the end is looked at */
            struct dt_writer w = dt_writer(out, sizeof(out));
            struct dt_json j = dt_json(&w);
            dt_json_str(&j, NULL, kit_guarded(0, dt_str_sub(text, 0, n)));
            assert_int_equal(w.err, DT_OK);
            if (n == text.n)
                kit_assert_str(dt_writer_str(&w), rows[i].want);
        }
    }
}

static void document(struct dt_json *j)
{
    dt_json_open(j, NULL, '{');
    dt_json_int(j, "n", INT64_MIN);
    dt_json_int(j, "m", 7);
    dt_json_bool(j, "yes", true);
    dt_json_z(j, "none", NULL);
    dt_json_open(j, "list", '[');
    dt_json_z(j, NULL, "a");
    dt_json_open(j, NULL, '[');
    dt_json_close(j, ']');
    dt_json_open(j, NULL, '{');
    dt_json_bool(j, "no", false);
    dt_json_close(j, '}');
    dt_json_close(j, ']');
    dt_json_str(j, "end", DT_STR("z"));
    dt_json_close(j, '}');
}

static const char whole[] = "{\"n\":-9223372036854775808,\"m\":7,\"yes\":true,\"none\":null,"
                            "\"list\":[\"a\",[],{\"no\":false}],\"end\":\"z\"}";

static void documents(void **unused)
{
    char out[200];

    (void)unused;
    for (size_t cap = 0; cap <= strlen(whole) + 1; cap++) {
        struct dt_writer w = dt_writer(out, cap);
        struct dt_json j = dt_json(&w);
        document(&j);
        assert_true(w.n <= cap);
        assert_int_equal(w.err, cap < strlen(whole) ? DT_E_LIMIT : DT_OK);
        if (!w.err)
            kit_assert_str(dt_writer_str(&w), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
