/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "dualtone/msg.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static enum dt_header_id find(const char *name)
{
    return dt_header_find(kit_guarded(0, dt_str_z(name)));
}

static const struct {
    enum dt_header_id id;
    const char *name;
    char compact;
    unsigned flags;
} rows[] = {
#define X(id, name, compact, flags) {DT_H_##id, (name), (compact), (flags)},
    DT_HEADERS(X)
#undef X
};

static void every_row_is_found_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(COUNT(rows), DT_H_COUNT - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char upper[32], lower[32];
        snprintf(upper, sizeof upper, "%s", rows[i].name);
        snprintf(lower, sizeof lower, "%s", rows[i].name);
        for (size_t k = 0; upper[k]; k++) {
            lower[k] = dt_lower(lower[k]);
            if (dt_is_alpha(upper[k]))
                upper[k] = (char)(lower[k] - 32);
        }
        assert_int_equal(find(rows[i].name), rows[i].id);
        assert_int_equal(find(upper), rows[i].id);
        assert_int_equal(find(lower), rows[i].id);
        assert_string_equal(dt_header_name(rows[i].id), rows[i].name);
        assert_int_equal(dt_header_flags(rows[i].id), rows[i].flags);
    }
}

/* One wrong byte anywhere, above all one that differs from a letter or '-' in the bit of the case,
 * makes it another header: a hash may propose, a comparison confirms. */
static void nearly_a_name_is_no_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = strlen(rows[i].name);
        for (size_t k = 0; k < n; k++) {
            for (int c = 0; c < 256; c++) {
                char name[32];
                memcpy(name, rows[i].name, n);
                name[k] = (char)c;
                bool same = dt_lower((char)c) == dt_lower(rows[i].name[k]);
                enum dt_header_id id = dt_header_find((struct dt_str){name, n});
                assert_int_equal(id == rows[i].id, same);
            }
        }
        char longer[32];
        snprintf(longer, sizeof longer, "%sx", rows[i].name);
        assert_int_not_equal(find(longer), rows[i].id);
        longer[n > 2 ? n - 1 : 0] = '\0'; /* "T" is To */
        assert_int_not_equal(find(longer), rows[i].id);
    }
}

static void compact_forms_are_unique(void **state)
{
    (void)state;
    unsigned n = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!rows[i].compact)
            continue;
        char name[2] = {rows[i].compact, 0};
        assert_int_equal(find(name), rows[i].id);
        name[0] = (char)(rows[i].compact - 32);
        assert_int_equal(find(name), rows[i].id);
        n++;
    }
    unsigned found = 0;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        found += dt_header_find((struct dt_str){&byte, 1}) != DT_H_OTHER;
    }
    assert_int_equal(found, 2 * n);
}

static void unknown_names_are_other(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "-",
                                        "X-Custom",
                                        "C%6Fntact",
                                        "Via ",
                                        " Via",
                                        "Content-Length-But-Much-Longer-Than-Any"};
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(find(names[i]), DT_H_OTHER);
    assert_string_equal(dt_header_name(DT_H_OTHER), "?");
    assert_string_equal(dt_header_name((enum dt_header_id)9999), "?");
    assert_int_equal(dt_header_flags((enum dt_header_id)9999), 0);
}

static void methods_regard_case(void **state)
{
    (void)state;
    for (int m = 1; m < DT_METHOD_COUNT; m++) {
        const char *name = dt_method_name((enum dt_method)m);
        assert_int_equal(dt_method_find(kit_guarded(0, dt_str_z(name))), m);
        assert_int_equal(dt_method_find(kit_guarded(0, dt_str_sub(dt_str_z(name), 0, 2))),
                         DT_METHOD_OTHER);
    }
    assert_string_equal(dt_method_name(DT_INVITE), "INVITE");
    assert_int_equal(dt_method_find(DT_STR("invite")), DT_METHOD_OTHER);
    assert_int_equal(dt_method_find(DT_STR("INVITES")), DT_METHOD_OTHER);
    assert_int_equal(dt_method_find(DT_STR("")), DT_METHOD_OTHER);
    assert_string_equal(dt_method_name(DT_METHOD_OTHER), "?");
    assert_string_equal(dt_method_name((enum dt_method)99), "?");
}

static void statuses_have_phrases(void **state)
{
    (void)state;
    assert_string_equal(dt_status_phrase(100), "Trying");
    assert_string_equal(dt_status_phrase(200), "OK");
    assert_string_equal(dt_status_phrase(481), "Call/Transaction Does Not Exist");
    assert_string_equal(dt_status_phrase(606), "Not Acceptable");
    assert_string_equal(dt_status_phrase(299), "Unknown");
    assert_string_equal(dt_status_phrase(-1), "Unknown");
}

static void faults_have_statuses(void **state)
{
    (void)state;
    assert_int_equal(dt_sip_fault_status(DT_FAULT_NONE), 0);
    assert_int_equal(dt_sip_fault_status(DT_FAULT_VERSION), 505);
    assert_int_equal(dt_sip_fault_status(DT_FAULT_SCHEME), 416);
    assert_int_equal(dt_sip_fault_status(DT_FAULT_VIA), 400);
    assert_string_equal(dt_sip_fault_phrase(DT_FAULT_VIA), "Bad Via");
    assert_int_equal(dt_sip_fault_status((enum dt_sip_fault)99), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_in_any_case),
        cmocka_unit_test(nearly_a_name_is_no_name),
        cmocka_unit_test(compact_forms_are_unique),
        cmocka_unit_test(unknown_names_are_other),
        cmocka_unit_test(methods_regard_case),
        cmocka_unit_test(statuses_have_phrases),
        cmocka_unit_test(faults_have_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
