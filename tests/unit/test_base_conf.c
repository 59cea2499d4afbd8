/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "dualtone/conf.h"

/* What a phone and a proxy have among them. */
struct settings {
    int64_t t1, offset, count, on, dtmf, size;
    struct dt_str label, proxy;
    struct dt_str_list listen, domains;
    struct {
        struct dt_str name;
        int64_t port;
    } lines[6];
};

#define AT(member) offsetof(struct settings, member)
#define STRIDE sizeof(((struct settings *)0)->lines[0])

static const struct dt_option options[] = {
    {.name = "timer_t1",
     .type = DT_OPTION_NUMBER,
     .offset = AT(t1),
     .preset = "500",
     .min = 10,
     .max = 5000,
     .unit = "ms"},
    {.name = "offset", .type = DT_OPTION_NUMBER, .offset = AT(offset), .min = -12, .max = 12},
    {.name = "count", .type = DT_OPTION_NUMBER, .offset = AT(count), .unit = "s"},
    {.name = "size",
     .type = DT_OPTION_NUMBER,
     .offset = AT(size),
     .preset = "4",
     .min = 1,
     .max = 64,
     .unit = "KiB"},
    {.name = "enable", .type = DT_OPTION_SWITCH, .offset = AT(on), .preset = "yes"},
    {.name = "dtmf",
     .type = DT_OPTION_CHOICE,
     .offset = AT(dtmf),
     .preset = "avt",
     .choices = "none|avt|avt_always"},
    {.name = "phone_label", .type = DT_OPTION_TEXT, .offset = AT(label), .preset = "SIP Phone"},
    {.name = "proxy", .type = DT_OPTION_ADDRESS, .offset = AT(proxy)},
    {.name = "listen", .type = DT_OPTION_LIST, .offset = AT(listen), .preset = "udp:any tcp:any"},
    {.name = "domain", .type = DT_OPTION_LIST, .offset = AT(domains)},
    {.name = "line%_name",
     .type = DT_OPTION_TEXT,
     .offset = AT(lines[0].name),
     .count = 6,
     .stride = STRIDE,
     .preset = "UNPROVISIONED"},
    {.name = "proxy%_port",
     .type = DT_OPTION_NUMBER,
     .offset = AT(lines[0].port),
     .count = 6,
     .stride = STRIDE,
     .preset = "5060",
     .min = 1,
     .max = 65535},
};
enum { N_OPTIONS = sizeof options / sizeof options[0] };

struct bench {
    struct kit_alloc k;
    struct dt_conf conf;
    struct settings s;
    struct dt_problem list[8];
    struct dt_problems problems;
    unsigned included;
};

static int setup(struct bench *b, size_t fail_at)
{
    *b = (struct bench){.problems = {.cap = 8}};
    b->problems.list = b->list;
    memset(&b->s, 0xee, sizeof b->s);
    kit_alloc_init(&b->k);
    b->k.fail_at = fail_at;
    return dt_conf_init(&b->conf, &b->k.alloc, options, N_OPTIONS, &b->s, &b->problems);
}

static void teardown(struct bench *b)
{
    dt_conf_clear(&b->conf);
    assert_int_equal(b->k.live, 0);
}

static int include(void *ctx, struct dt_str name, struct dt_bytes **out)
{
    struct bench *b = ctx;
    b->included++;
    if (dt_str_eq(name, DT_STR("loop.conf")))
        *out = dt_bytes_copy(&b->k.alloc, DT_STR("include: loop.conf\n"));
    else if (dt_str_eq(name, DT_STR("bush.conf")))
        *out = dt_bytes_copy(&b->k.alloc, DT_STR("include: bush.conf\ninclude: bush.conf\n"
                                                 "include: bush.conf\ninclude: bush.conf\n"));
    else if (dt_str_eq(name, DT_STR("other \"file\".conf")))
        *out = dt_bytes_copy(&b->k.alloc, DT_STR("timer_t1: 700\noffset: x\n"));
    else
        return DT_E_ABSENT;
    return *out ? DT_OK : DT_E_NOMEM;
}

static void defaults_are_set(void **state)
{
    (void)state;
    struct bench b;
    assert_int_equal(setup(&b, 0), DT_OK);
    assert_int_equal(b.s.t1, 500);
    assert_int_equal(b.s.offset, 0);
    assert_int_equal(b.s.on, 1);
    assert_int_equal(b.s.dtmf, 1);
    kit_assert_str(b.s.label, "SIP Phone");
    assert_int_equal(b.s.proxy.n, 0);
    assert_int_equal(b.s.listen.n, 2);
    kit_assert_str(b.s.listen.items[1], "tcp:any");
    assert_int_equal(b.s.domains.n, 0);
    kit_assert_str(b.s.lines[5].name, "UNPROVISIONED");
    assert_int_equal(b.s.lines[5].port, 5060);
    assert_int_equal(b.problems.n, 0);
    teardown(&b);
}

static const char good[] = "\xef\xbb\xbf# a comment\r\n"
                           "\r\n"
                           "timer_t1: 5000\r\n"
                           "  TIMER-T1 :\t20   # ms\r\n"
                           "offset:-3\n"
                           "enable: off\n"
                           "dtmf: AVT_always\n"
                           "phone_label: My \"own\" phone#1 ; here\n"
                           "line1_name: \"a \\\"b\\\" \\\\ \\n # c\"   # d\n"
                           "line6_name:\n"
                           "proxy6_port: 5070\n"
                           "proxy: [2001:db8::1]:5060\n"
                           "listen: udp:1 # only\n"
                           "listen: \"tcp 2\" tcp:3\n"
                           "domain: a b c d e\n"
                           "domain: f # g\n"
                           "size: \"\"\n"
                           "count: 0";

static void files_are_read(void **state)
{
    (void)state;
    struct bench b;
    assert_int_equal(setup(&b, 0), DT_OK);
    b.s.size = 9;
    char copy[sizeof good];
    memcpy(copy, good, sizeof good);
    int err = dt_conf_read(&b.conf, DT_STR("x.conf"), dt_str_z(copy));
    memset(copy, '!', sizeof copy); /* texts are the dt_conf's own */
    if (b.problems.n)
        fail_msg("%s", b.problems.list[0].text);
    assert_int_equal(err, DT_OK);
    assert_int_equal(b.s.t1, 20);
    assert_int_equal(b.s.offset, -3);
    assert_int_equal(b.s.on, 0);
    assert_int_equal(b.s.dtmf, 2);
    assert_int_equal(b.s.size, 4);
    kit_assert_str(b.s.label, "My \"own\" phone#1 ; here");
    kit_assert_str(b.s.lines[0].name, "a \"b\" \\ \\n # c");
    assert_int_equal(b.s.lines[5].name.n, 0);
    assert_int_equal(b.s.lines[5].port, 5070);
    kit_assert_str(b.s.proxy, "[2001:db8::1]:5060");
    assert_int_equal(b.s.listen.n, 3); /* the default is gone */
    kit_assert_str(b.s.listen.items[0], "udp:1");
    kit_assert_str(b.s.listen.items[1], "tcp 2");
    assert_int_equal(b.s.domains.n, 6);
    kit_assert_str(b.s.domains.items[0], "a");
    kit_assert_str(b.s.domains.items[5], "f");
    teardown(&b);
}

static void guide_files_have_semicolons(void **state)
{
    (void)state;
    static const char text[] = "; a comment\n"
                               "timer_t1 : 600; in ms\n"
                               "phone_label: \"a;b\";\n"
                               "proxy: 10.0.0.1;\n"
                               "line1_name: 1001 ; first\n"
                               "line2_name: \"\" ;\n"
                               "domain: a \"b;c\" d;e f\n"
                               "domain: g;\n"
                               "domain: \"h\";i\n"
                               "Domain_Name: x ;\n";
    struct bench b;
    assert_int_equal(setup(&b, 0), DT_OK);
    b.conf.guide_comments = true;
    assert_int_equal(dt_conf_read(&b.conf, DT_STR("SIP.cnf"), DT_STR(text)), DT_OK);
    assert_int_equal(b.s.t1, 600);
    kit_assert_str(b.s.label, "a;b");
    kit_assert_str(b.s.proxy, "10.0.0.1");
    kit_assert_str(b.s.lines[0].name, "1001");
    assert_int_equal(b.s.lines[1].name.n, 0);
    assert_int_equal(b.s.domains.n, 5);
    kit_assert_str(b.s.domains.items[1], "b;c");
    kit_assert_str(b.s.domains.items[2], "d");
    kit_assert_str(b.s.domains.items[4], "h");
    assert_int_equal(b.problems.n, 1);
    assert_int_equal(b.problems.fatal, 0);
    assert_string_equal(b.list[0].text, "SIP.cnf:10:1: there is no \"Domain_Name\"");
    teardown(&b);
}

static const struct {
    const char *text, *problem;
} bad[] = {
    {"timer_t1: 5s", "f:1:11: timer_t1 is \"5s\"; use milliseconds between 10 and 5000"},
    {"\n\n  Timer-T1 :  9 # low",
     "f:3:15: Timer-T1 is \"9\"; use milliseconds between 10 and 5000"},
    {"timer_t1:\"5001\"", "f:1:10: timer_t1 is \"5001\"; use milliseconds between 10 and 5000"},
    {"timer_t1: 99999999999999999999",
     "f:1:11: timer_t1 is \"99999999999999999999\"; use milliseconds between 10 and 5000"},
    {"offset: -13", "f:1:9: offset is \"-13\"; use a number between -12 and 12"},
    {"offset: --1", "f:1:9: offset is \"--1\"; use a number between -12 and 12"},
    {"count: -1", "f:1:8: count is \"-1\"; use seconds, 0 or more"},
    {"size: 65", "f:1:7: size is \"65\"; use KiB between 1 and 64"},
    {"enable: maybe",
     "f:1:9: enable is \"maybe\"; use 1 or 0 (also on or off, yes or no, true or false)"},
    {"dtmf: av", "f:1:7: dtmf is \"av\"; use none, avt or avt_always"},
    {"proxy: 10.0.0.300",
     "f:1:8: proxy is \"10.0.0.300\"; use an IP address, an IP address and port, or a host name"},
    {"proxy: -x.example",
     "f:1:8: proxy is \"-x.example\"; use an IP address, an IP address and port, or a host name"},
    {"proxy: a..b",
     "f:1:8: proxy is \"a..b\"; use an IP address, an IP address and port, or a host name"},
    {"proxy7_port: 1", "f:1:1: there is no \"proxy7_port\"; did you mean \"proxy1_port\"?"},
    {"proxy0_port: 1", "f:1:1: there is no \"proxy0_port\"; did you mean \"proxy1_port\"?"},
    {"line3_nmae: 1", "f:1:1: there is no \"line3_nmae\"; did you mean \"line3_name\"?"},
    {" timer-t11: 1", "f:1:2: there is no \"timer-t11\"; did you mean \"timer_t1\"?"},
    {"something: 1", "f:1:1: there is no \"something\""},
    {"x: 1", "f:1:1: there is no \"x\""},
    {"timer_t1 500", "f:1:1: there is no colon after \"timer_t1\"; write name: value"},
    {"timer_t1", "f:1:1: there is no colon after \"timer_t1\"; write name: value"},
    {" : 5", "f:1:2: there is no name before the colon; write name: value"},
    {"phone_label: \"abc", "f:1:14: the quote is not closed"},
    {"phone_label: \"abc\" d",
     "f:1:20: \"d\" follows the closing quote; put the whole value in quotes"},
    {"domain: a \"b", "f:1:11: the quote is not closed"},
    {"include: x.conf", "f:1:10: include is not possible here"},
    {"timer_t1: \x1b[1m", "f:1:11: timer_t1 is \"?[1m\"; use milliseconds between 10 and 5000"},
};

static void problems_say_what_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bench b;
        assert_int_equal(setup(&b, 0), DT_OK);
        assert_int_equal(dt_conf_read(&b.conf, DT_STR("f"), dt_str_z(bad[i].text)), DT_E_SYNTAX);
        assert_int_equal(b.problems.n, 1);
        assert_int_equal(b.problems.fatal, 1);
        assert_string_equal(b.list[0].text, bad[i].problem);
        assert_int_equal(b.s.t1, 500);
        teardown(&b);
    }
}

static void reading_goes_on_after_a_problem(void **state)
{
    (void)state;
    struct bench b;
    assert_int_equal(setup(&b, 0), DT_OK);
    assert_int_equal(dt_conf_read(&b.conf, DT_STR("f"), DT_STR("offset: x\ntimer_t1: 60\nx\n")),
                     DT_E_SYNTAX);
    assert_int_equal(b.problems.n, 2);
    assert_int_equal(b.list[1].place.line, 3);
    assert_int_equal(b.s.t1, 60);
    teardown(&b);
}

static void first_fatal_problem_finds_room(void **state)
{
    (void)state;
    struct dt_problem list[2];
    struct dt_problems p = {.list = list, .cap = 2};
    struct dt_place at = {DT_STR("f"), 1, 2};
    for (int i = 0; i < 3; i++)
        dt_problem_add(&p, false, at, "warning %d", i);
    dt_problem_add(&p, true, at, "fatal 1");
    dt_problem_add(&p, true, at, "fatal 2");
    assert_int_equal(p.n, 5);
    assert_int_equal(p.fatal, 2);
    assert_string_equal(list[0].text, "f:1:2: warning 0");
    assert_string_equal(list[1].text, "f:1:2: fatal 1");
    struct dt_problems none = {0};
    dt_problem_add(&none, true, at, "counted");
    assert_int_equal(none.n, 1);
}

static void places_may_lack_parts(void **state)
{
    (void)state;
    struct dt_problem list[3];
    struct dt_problems p = {.list = list, .cap = 3};
    char big[300];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    dt_problem_add(&p, true, (struct dt_place){.file = DT_STR("command line")}, "no");
    dt_problem_add(&p, true, (struct dt_place){.file = DT_STR("f"), .line = 3}, "no");
    dt_problem_add(&p, true, (struct dt_place){.line = 0}, "%s", big);
    assert_string_equal(list[0].text, "command line: no");
    assert_string_equal(list[1].text, "f:3: no");
    assert_int_equal(strlen(list[2].text), sizeof list[2].text - 1);
}

static void command_line_sets_options(void **state)
{
    (void)state;
    struct bench b;
    struct dt_place at = {.file = DT_STR("command line")};
    assert_int_equal(setup(&b, 0), DT_OK);
    assert_int_equal(dt_conf_set(&b.conf, DT_STR("timer-t1"), DT_STR("70"), at), DT_OK);
    assert_int_equal(dt_conf_set(&b.conf, DT_STR("phone-label"), DT_STR("a # b; \"c\""), at),
                     DT_OK);
    assert_int_equal(dt_conf_set(&b.conf, DT_STR("listen"), DT_STR("a #b \"c d\""), at), DT_OK);
    assert_int_equal(dt_conf_set(&b.conf, DT_STR("listen"), DT_STR("e"), at), DT_OK);
    assert_int_equal(b.s.t1, 70);
    kit_assert_str(b.s.label, "a # b; \"c\"");
    assert_int_equal(b.s.listen.n, 4);
    kit_assert_str(b.s.listen.items[1], "#b");
    kit_assert_str(b.s.listen.items[2], "c d");
    assert_int_equal(dt_conf_set(&b.conf, DT_STR("timer-t1"), DT_STR("x"), at), DT_E_SYNTAX);
    assert_int_equal(dt_conf_set(&b.conf, DT_STR("timer-tx"), DT_STR("x"), at), DT_E_SYNTAX);
    assert_string_equal(b.list[0].text,
                        "command line: timer-t1 is \"x\"; use milliseconds between 10 and 5000");
    assert_string_equal(b.list[1].text,
                        "command line: there is no \"timer-tx\"; did you mean \"timer_t1\"?");
    b.conf.problems = NULL; /* nobody wants to hear of them */
    assert_int_equal(dt_conf_set(&b.conf, DT_STR("timer-t1"), DT_STR("x"), at), DT_E_SYNTAX);
    assert_int_equal(dt_conf_set(&b.conf, DT_STR("no"), DT_STR("x"), at), DT_E_SYNTAX);
    teardown(&b);
}

static void lists_can_be_emptied(void **state)
{
    (void)state;
    struct bench b;
    assert_int_equal(setup(&b, 0), DT_OK);
    assert_int_equal(dt_conf_read(&b.conf, DT_STR("f"), DT_STR("listen: \"\"\n")), DT_OK);
    assert_int_equal(b.s.listen.n, 0);
    assert_int_equal(dt_conf_read(&b.conf, DT_STR("f"), DT_STR("listen: a\nlisten: # b\n")), DT_OK);
    assert_int_equal(b.s.listen.n, 1);
    teardown(&b);
}

static void long_lists_are_refused_by_line(void **state)
{
    (void)state;
    struct bench b;
    char text[300];
    struct dt_writer w = dt_writer(text, sizeof text);
    assert_int_equal(setup(&b, 0), DT_OK);
    dt_write_lit(&w, "domain:");
    for (int i = 0; i < DT_WORDS_MAX + 1; i++)
        dt_write_lit(&w, " x");
    assert_int_equal(dt_conf_read(&b.conf, DT_STR("f"), dt_writer_str(&w)), DT_E_SYNTAX);
    assert_string_equal(b.list[0].text,
                        "f:1:137: more than 64 words; write the rest on a line of its own");
    teardown(&b);
}

static void files_include_files(void **state)
{
    (void)state;
    struct bench b;
    assert_int_equal(setup(&b, 0), DT_OK);
    b.conf.include = include;
    b.conf.include_ctx = &b;
    assert_int_equal(dt_conf_read(&b.conf, DT_STR("f"),
                                  DT_STR("include \"other \\\"file\\\".conf\" # here\n"
                                         "INCLUDE: none.conf\n"
                                         "include: loop.conf\n"
                                         "include:\n")),
                     DT_E_SYNTAX);
    assert_int_equal(b.s.t1, 700);
    assert_int_equal(b.problems.n, 4);
    assert_string_equal(b.list[0].text, "other \"file\".conf:2:9: offset is \"x\"; use a number "
                                        "between -12 and 12");
    assert_string_equal(b.list[1].text, "f:2:10: cannot read \"none.conf\": not there");
    assert_string_equal(b.list[2].text,
                        "loop.conf:1:10: includes are nested more than 8 deep; does "
                        "a file include itself?");
    assert_string_equal(b.list[3].text, "f:4:9: include what? write include: FILE");
    assert_int_equal(b.included, 2 + 8);
    teardown(&b);
}

/* Four times at each of eight depths would be 65,536 files. */
static void includes_are_bounded(void **state)
{
    (void)state;
    struct bench b;
    assert_int_equal(setup(&b, 0), DT_OK);
    b.conf.include = include;
    b.conf.include_ctx = &b;
    assert_int_equal(dt_conf_read(&b.conf, DT_STR("f"), DT_STR("include: bush.conf\n")),
                     DT_E_SYNTAX);
    assert_int_equal(b.included, 100);
    teardown(&b);
}

static void rows_are_found(void **state)
{
    (void)state;
    static const struct {
        struct dt_str name;
        int row;
        unsigned index;
    } names[] = {
        {DT_STR("timer_t1"), 0, 0},    {DT_STR("TIMER-T1"), 0, 0},
        {DT_STR("line1_name"), 10, 0}, {DT_STR("Line6-Name"), 10, 5},
        {DT_STR("line7_name"), -1, 0}, {DT_STR("line01_name"), -1, 0},
        {DT_STR("line_name"), -1, 0},  {DT_STR("line%_name"), -1, 0},
        {DT_STR("linex_name"), -1, 0}, {DT_STR("line_nam"), -1, 0},
        {DT_STR(""), -1, 0},           {DT_STR("timer_t"), -1, 0},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsigned index = 99;
        const struct dt_option *o =
            dt_conf_find(options, N_OPTIONS, kit_guarded(0, names[i].name), &index);
        assert_ptr_equal(o, names[i].row < 0 ? NULL : &options[names[i].row]);
        if (o)
            assert_int_equal(index, names[i].index);
    }
    assert_non_null(dt_conf_find(options, N_OPTIONS, DT_STR("count"), NULL));
}

static void wrong_defaults_are_reported(void **state)
{
    (void)state;
    static const struct dt_option wrong = {.name = "n", .type = DT_OPTION_NUMBER, .preset = "x"};
    struct dt_problem list[1];
    struct dt_problems p = {.list = list, .cap = 1};
    struct dt_conf c;
    int64_t n;
    assert_int_equal(dt_conf_init(&c, &dt_alloc_libc, &wrong, 1, &n, &p), DT_E_SYNTAX);
    assert_string_equal(list[0].text, "default: n is \"x\"; use a number, 0 or more");
    dt_conf_clear(&c);
}

static void truncated_files_do_no_harm(void **state)
{
    (void)state;
    for (int guide = 0; guide < 2; guide++) {
        for (size_t n = 0; n < sizeof good; n++) {
            struct bench b;
            assert_int_equal(setup(&b, 0), DT_OK);
            b.conf.guide_comments = guide;
            dt_conf_read(&b.conf, DT_STR("f"), kit_guarded(0, (struct dt_str){good, n}));
            teardown(&b);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t n = 0; n <= strlen(bad[i].text); n++) {
            struct bench b;
            assert_int_equal(setup(&b, 0), DT_OK);
            dt_conf_read(&b.conf, DT_STR("f"),
                         kit_guarded(0, dt_str_sub(dt_str_z(bad[i].text), 0, n)));
            teardown(&b);
        }
    }
}

static void failing_memory_is_an_error(void **state)
{
    (void)state;
    static const char more[] = "include: \"other \\\"file\\\".conf\"\nlisten: a b c d e f g h i\n";
    int err = DT_E_NOMEM;
    for (size_t fail = 1; err; fail++) {
        struct bench b;
        err = setup(&b, fail);
        b.conf.include = include;
        b.conf.include_ctx = &b;
        if (!err)
            err = dt_conf_read(&b.conf, DT_STR("f"), DT_STR(good));
        if (!err)
            err = dt_conf_read(&b.conf, DT_STR("f"), DT_STR(more));
        bool failed = b.k.calls >= fail;
        assert_int_equal(err, failed ? DT_E_NOMEM : DT_E_SYNTAX);
        if (!failed)
            err = DT_OK; /* the syntax error is the included file's "offset: x" */
        teardown(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_set),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(guide_files_have_semicolons),
        cmocka_unit_test(problems_say_what_and_where),
        cmocka_unit_test(reading_goes_on_after_a_problem),
        cmocka_unit_test(first_fatal_problem_finds_room),
        cmocka_unit_test(places_may_lack_parts),
        cmocka_unit_test(command_line_sets_options),
        cmocka_unit_test(lists_can_be_emptied),
        cmocka_unit_test(long_lists_are_refused_by_line),
        cmocka_unit_test(files_include_files),
        cmocka_unit_test(includes_are_bounded),
        cmocka_unit_test(rows_are_found),
        cmocka_unit_test(wrong_defaults_are_reported),
        cmocka_unit_test(truncated_files_do_no_harm),
        cmocka_unit_test(failing_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
