/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A flow must be able to fail: each message step of 4.2 is changed in turn, and the run must fail
 * at that line (a removed one: at the next). */
#include "kit.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 8192, LINE_SIZE = 256 };

/* The n-th line (from 1) of `text`, without its end. */
static struct dt_str line_of(struct dt_str text, unsigned n)
{
    struct dt_reader r = dt_reader(text);
    struct dt_str line = DT_STR_NONE;
    for (unsigned i = 0; i < n; i++) {
        line = dt_reader_until(&r, '\n');
        dt_reader_char(&r, '\n');
    }
    return line;
}

/* The text with one line in place of another; `with` NULL takes it out. */
static struct dt_str changed(struct dt_str text, unsigned n, const char *with, char *out)
{
    struct dt_writer w = dt_writer(out, TEXT_MAX);
    struct dt_reader r = dt_reader(text);
    for (unsigned i = 1; !dt_reader_end(&r); i++) {
        struct dt_str line = dt_reader_until(&r, '\n');
        dt_reader_char(&r, '\n');
        if (i == n && with)
            dt_write_z(&w, with);
        else if (i != n)
            dt_write(&w, line);
        dt_write_char(&w, '\n');
    }
    assert_int_equal(w.err, DT_OK);
    return dt_writer_str(&w);
}

static void must_fail(struct dt_str text, unsigned line, const char *what)
{
    struct kit_alloc k;
    struct dt_flow_result r;
    const struct dt_flow_options o = {.seed = 1};
    kit_alloc_init(&k);
    struct dt_flow *f = kit_flow(&k.alloc, "mutant", text);
    assert_int_equal(dt_flow_run(f, &o, &r), DT_OK);
    if (r.held || (line > 0 && r.line != line)) {
        kit_show(f, &o, &r);
        fail_msg("%s: %s at line %u, not at line %u: %s", what, r.held ? "held" : "failed", r.line,
                 line, r.reason);
    }
    dt_flow_result_clear(&r);
    dt_flow_free(f);
    assert_int_equal(k.live, 0);
}

static bool is_message(struct dt_str line)
{
    return dt_str_search(line, DT_STR(" -> ")) < line.n && line.p[0] != '#';
}

/* "A -> S INVITE at 32" with another message: BYE for a request, 199 for a status. */
static void other_message(struct dt_str line, char *out)
{
    size_t at = dt_str_search(line, DT_STR(" -> "));
    struct dt_str rest = dt_str_sub(line, at + 4, line.n);
    size_t what = dt_str_find(rest, ' ') + 1;
    snprintf(out, LINE_SIZE, "%.*s -> %.*s %s", (int)at, line.p, (int)(what - 1), rest.p,
             dt_is_digit(rest.p[what]) ? "199" : "OPTIONS");
}

static unsigned count_lines(struct dt_str text)
{
    unsigned n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static void test_another_message(void **state)
{
    (void)state;
    struct dt_str text = kit_flow_text("4.2.flow");
    unsigned tried = 0;
    for (unsigned n = 1; n <= count_lines(text); n++) {
        char with[LINE_SIZE], out[TEXT_MAX];
        if (!is_message(line_of(text, n)))
            continue;
        other_message(line_of(text, n), with);
        must_fail(changed(text, n, with, out), n, with);
        tried++;
    }
    assert_int_equal(tried, 15); /* 21 steps, seven of them in one line */
}

static void test_one_less(void **state)
{
    (void)state;
    struct dt_str text = kit_flow_text("4.2.flow");
    for (unsigned n = 1; n <= count_lines(text); n++) {
        char out[TEXT_MAX];
        if (is_message(line_of(text, n)))
            must_fail(changed(text, n, NULL, out), 0, "a step taken out");
    }
}

static void test_one_more(void **state)
{
    (void)state;
    struct dt_str text = kit_flow_text("4.2.flow");
    for (unsigned n = 1; n <= count_lines(text); n++) {
        char with[2 * LINE_SIZE], out[TEXT_MAX];
        struct dt_str line = line_of(text, n);
        if (!is_message(line))
            continue;
        snprintf(with, sizeof with, "%.*s\nA -> P OPTIONS", DT_FMT(line));
        must_fail(changed(text, n, with, out), n + 1, "a step put in");
    }
}

static void test_times_and_counts(void **state)
{
    static const struct {
        const char *old, *with;
    } table[] = {
        {"A -> P INVITE  x7", "A -> P INVITE x6 at 0 0.5 1.5 3.5 7.5 15.5"},
        {"A -> P INVITE  x7", "A -> P INVITE x8"},
        {"A -> P INVITE  x7", "A -> P INVITE x7 at 0 0.5 1.5 3.5 7.5 15.5 31.4"},
        {"A -> P INVITE  x7", "A -> P INVITE x7 at 0 0.5 1.5 3.501 7.5 15.5 31.5"},
        {"A -> S INVITE", "A -> S INVITE at 31.999"},
        {"A -> S INVITE", "A -> S INVITE at 32 has \"CSeq: 2\""},
        {"A -> S INVITE", "A -> S INVITE at 32 lacks \"Call-ID\""},
        {"A shows", "A shows \"Network Delay, Trying Backup.\""},
    };
    (void)state;
    struct dt_str text = kit_flow_text("4.2.flow");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[TEXT_MAX];
        unsigned n = 1;
        struct dt_str start = dt_str_sub(dt_str_z(table[i].old), 0, 7);
        while (!dt_str_starts(line_of(text, n), start) ||
               (table[i].old[2] == '-' && line_of(text, n).p[5] != table[i].old[5]))
            assert_true(++n <= count_lines(text));
        /* Six in place of seven: the seventh fails the line behind, which is the next step. */
        bool fewer = strstr(table[i].with, "x6") != NULL;
        must_fail(changed(text, n, table[i].with, out), fewer ? 0 : n, table[i].with);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_message),
        cmocka_unit_test(test_one_less),
        cmocka_unit_test(test_one_more),
        cmocka_unit_test(test_times_and_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
