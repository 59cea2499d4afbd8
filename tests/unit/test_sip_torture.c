/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The messages of RFC 4475 and RFC 5118 (tests/corpus/torture): the verdict of INDEX.tsv as far as
 * a parser can give it; test_sip_torture_parts.c has what its last column asks for. */
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/msg.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];

static int take(struct dt_sip_msg *m, struct dt_str text)
{
    dt_sip_parse(m, kit_guarded_padded(0, text), headers, DT_MSG_HEADERS_MAX);
    return dt_sip_check(m);
}

/* ---- the index ---- */

enum { COLUMNS = 11 };
enum { FILE_NAME, SECTION, MESSAGE, WELL_FORMED, EXPECTED, ALSO, PROXY, UA, WHAT, BYTES };

static bool read_row(struct dt_reader *r, struct dt_str cells[COLUMNS])
{
    if (dt_reader_end(r))
        return false;
    for (unsigned i = 0; i < COLUMNS; i++) {
        cells[i] = dt_reader_until(r, i == COLUMNS - 1 ? '\n' : '\t');
        dt_reader_char(r, i == COLUMNS - 1 ? '\n' : '\t');
    }
    return true;
}

static struct dt_str torture(struct dt_str name, void **to_free)
{
    char path[128];
    snprintf(path, sizeof path, "corpus/torture/%.*s", DT_FMT(name));
    return kit_file(path, to_free);
}

static int leading_number(struct dt_str s)
{
    char digits[4] = {0};
    memcpy(digits, s.p, s.n < 3 ? s.n : 3);
    return atoi(digits);
}

/* What is left to who handles the message, a parser takes: another answer is right, too, where the
 * index says that the message is well formed or to be tolerated. */
static void judge(const struct dt_str cells[COLUMNS], const struct dt_sip_msg *m, int err)
{
    bool fine = dt_str_ieq(cells[WELL_FORMED], DT_STR("yes")) ||
                dt_str_ieq(cells[WELL_FORMED], DT_STR("tolerate")) ||
                dt_str_starts(cells[EXPECTED], DT_STR("accept")) ||
                dt_str_starts(cells[ALSO], DT_STR("fall back")); /* a branch of the cookie alone */
    int status = dt_sip_fault_status(m->fault);
    if (fine)
        assert_int_equal(err, DT_OK);
    else if (dt_str_starts(cells[EXPECTED], DT_STR("drop")))
        assert_true(err && !m->request);
    else
        assert_true(err && (status == leading_number(cells[EXPECTED]) ||
                            status == leading_number(cells[ALSO])));
}

static void every_verdict_is_that_of_the_index(void **state)
{
    (void)state;
    void *index;
    struct dt_reader r = dt_reader(kit_file("corpus/torture/INDEX.tsv", &index));
    struct dt_str cells[COLUMNS];
    unsigned rows = 0;
    assert_true(read_row(&r, cells)); /* the names of the columns */
    while (read_row(&r, cells)) {
        void *file;
        struct dt_sip_msg m;
        uint64_t bytes;
        struct dt_str text = torture(cells[FILE_NAME], &file);
        print_message("%.*s\n", DT_FMT(cells[FILE_NAME]));
        assert_int_equal(dt_str_u64(cells[BYTES], SIZE_MAX, &bytes), DT_OK);
        assert_int_equal(text.n, bytes); /* nobody has changed its line ends */
        int err = take(&m, text);
        print_message("    %s\n", dt_sip_fault_phrase(m.fault));
        judge(cells, &m, err);
        free(file);
        rows++;
    }
    assert_int_equal(rows, 63);
    free(index);
}

/* Cut anywhere, none is read past its end, and none is good before its empty line. */
static void truncations_are_harmless(void **state)
{
    (void)state;
    void *index;
    struct dt_reader r = dt_reader(kit_file("corpus/torture/INDEX.tsv", &index));
    struct dt_str cells[COLUMNS];
    assert_true(read_row(&r, cells));
    while (read_row(&r, cells)) {
        void *file;
        struct dt_sip_msg m;
        struct dt_str text = torture(cells[FILE_NAME], &file);
        take(&m, text);
        size_t empty_line = m.headers_end;
        for (size_t n = 0; n < text.n; n++) {
            int err = take(&m, (struct dt_str){text.p, n});
            assert_true(err || n >= empty_line + 2);
            assert_true(m.text.n <= n && m.body.n <= n);
        }
        free(file);
    }
    free(index);
}

/* The archive of RFC 5118 has bare LF, no empty line in two, and a length that is wrong with LF in
 * two. */
static void archive_of_5118_has_its_own_verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum dt_sip_fault fault;
    } rows[] = {
        {"rfc5118-archive/ipv4-mapped-ipv6.dat", DT_FAULT_NONE},
        {"rfc5118-archive/ipv6-bad.dat", DT_FAULT_URI},
        {"rfc5118-archive/ipv6-bug-abnf-3-colons.dat", DT_FAULT_HEADER},
        {"rfc5118-archive/ipv6-correct-abnf-2-colons.dat", DT_FAULT_HEADER},
        {"rfc5118-archive/ipv6-good.dat", DT_FAULT_NONE},
        {"rfc5118-archive/ipv6-in-sdp.dat", DT_FAULT_LENGTH},
        {"rfc5118-archive/mult-ip-in-header.dat", DT_FAULT_NONE},
        {"rfc5118-archive/mult-ip-in-sdp.dat", DT_FAULT_LENGTH},
        {"rfc5118-archive/port-ambiguous.dat", DT_FAULT_NONE},
        {"rfc5118-archive/port-unambiguous.dat", DT_FAULT_NONE},
        {"rfc5118-archive/via-received-param-no-delim.dat", DT_FAULT_NONE},
        {"rfc5118-archive/via-received-param-with-delim.dat", DT_FAULT_NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        void *file;
        struct dt_sip_msg m;
        take(&m, torture(dt_str_z(rows[i].name), &file));
        print_message("%s: %s\n", rows[i].name, dt_sip_fault_phrase(m.fault));
        assert_int_equal(m.fault, rows[i].fault);
        free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict_is_that_of_the_index),
        cmocka_unit_test(truncations_are_harmless),
        cmocka_unit_test(archive_of_5118_has_its_own_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
