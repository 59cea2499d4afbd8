/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include "dualtone/build.h"

#define STR(literal) \
    { \
        (literal), sizeof(literal) - 1 \
    }

/* ---- whole messages ---- */

static void request_line_by_line(void **state)
{
    (void)state;
    char text[512];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_sip_write_request(&w, DT_STR("INVITE"), DT_STR("sip:b@example.com"));
    dt_sip_write_header(&w, DT_H_MAX_FORWARDS, DT_STR("70"));
    dt_sip_write_headerf(&w, DT_H_CSEQ, "%u %s", 7U, "INVITE");
    dt_sip_write_header(&w, DT_H_SUBJECT, DT_STR_NONE);
    dt_sip_write_body(&w, DT_STR("text/plain"), DT_STR("a\r\nb"));
    assert_int_equal(w.err, DT_OK);
    kit_assert_str(dt_writer_str(&w), "INVITE sip:b@example.com SIP/2.0\r\n"
                                      "Max-Forwards: 70\r\n"
                                      "CSeq: 7 INVITE\r\n"
                                      "Subject: \r\n"
                                      "Content-Type: text/plain\r\n"
                                      "Content-Length: 4\r\n"
                                      "\r\n"
                                      "a\r\nb");
}

static void status_lines(void **state)
{
    (void)state;
    char text[128];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_sip_write_status(&w, 200, DT_STR_NONE);
    dt_sip_write_status(&w, 486, DT_STR("Not now"));
    dt_sip_write_status(&w, 599, DT_STR_NONE);
    dt_sip_write_body(&w, DT_STR_NONE, DT_STR_NONE);
    kit_assert_str(dt_writer_str(&w), "SIP/2.0 200 OK\r\n"
                                      "SIP/2.0 486 Not now\r\n"
                                      "SIP/2.0 599 Unknown\r\n"
                                      "Content-Length: 0\r\n\r\n");
}

/* Every header has its name of the table, and what is written is parsed as that header. */
static void every_header_is_read_back(void **state)
{
    (void)state;
    for (int id = DT_H_OTHER + 1; id < DT_H_COUNT; id++) {
        char text[256 + DT_PAD];
        struct dt_writer w = dt_writer(text, 256);
        struct dt_sip_header headers[4];
        struct dt_sip_msg m;
        dt_sip_write_status(&w, 200, DT_STR_NONE);
        dt_sip_write_header(&w, (enum dt_header_id)id, DT_STR("0"));
        dt_write_lit(&w, "\r\n");
        struct dt_str all = kit_guarded_padded(0, dt_writer_str(&w));
        assert_int_equal(dt_sip_parse(&m, all, headers, 4), DT_OK);
        assert_int_equal(m.headers[0].id, id);
        kit_assert_str(dt_sip_get(&m, (enum dt_header_id)id), "0");
    }
}

/* ---- hostile values: no value can end its line ---- */

static const struct dt_str hostile[] = {
    STR("a\r\nX: y"), STR("a\nX: y"),    STR("a\rX: y"),   STR("a\0b"),
    STR("\r\n"),      STR("\n"),         STR("\r"),        STR("\0"),
    STR("a\r\n b"),   STR("12345678\n"), STR("1234567\r"), STR("\0001234567"),
};
static const struct dt_str harmless[] = {
    STR(""),         STR("a"),
    STR("\t"),       STR("caf\303\251"),
    STR("\"\\\a\""), STR("\200\377\337\001\013"),
    STR("12345678"), STR("123456789"),
};

static void write_request_method(struct dt_writer *w, struct dt_str s)
{
    dt_sip_write_request(w, s, DT_STR("sip:x"));
}
static void write_request_uri(struct dt_writer *w, struct dt_str s)
{
    dt_sip_write_request(w, DT_STR("BYE"), s);
}
static void write_status(struct dt_writer *w, struct dt_str s)
{
    dt_sip_write_status(w, 400, s);
}
static void write_header(struct dt_writer *w, struct dt_str s)
{
    dt_sip_write_header(w, DT_H_SUBJECT, s);
}
static void write_headerf(struct dt_writer *w, struct dt_str s)
{
    if (dt_str_find(s, '\0') < s.n)
        dt_sip_write_headerf(w, DT_H_SUBJECT, "a%cb", '\0'); /* to %s a NUL is the end */
    else
        dt_sip_write_headerf(w, DT_H_SUBJECT, "%.*s", DT_FMT(s));
}
static void write_type(struct dt_writer *w, struct dt_str s)
{
    dt_sip_write_body(w, s, DT_STR_NONE);
}

static void (*const writers[])(struct dt_writer *w, struct dt_str s) = {
    write_request_method, write_request_uri, write_status, write_header, write_headerf, write_type,
};

static void hostile_values_make_the_writer_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        for (size_t j = 0; j < sizeof hostile / sizeof hostile[0]; j++) {
            char text[256];
            struct dt_writer w = dt_writer(text, sizeof text);
            struct dt_str value = kit_guarded(0, hostile[j]);
            assert_false(dt_sip_line_safe(value));
            writers[i](&w, value);
            assert_int_equal(w.err, DT_E_SYNTAX);
            /* Nothing of it is left, even if nobody looks at the error. */
            assert_int_equal(dt_str_search(dt_writer_str(&w), DT_STR("X: y")), w.n);
            dt_sip_write_header(&w, DT_H_SUBJECT, DT_STR("x"));
            assert_int_equal(w.err, DT_E_SYNTAX);
        }
        for (size_t j = 0; j < sizeof harmless / sizeof harmless[0]; j++) {
            char text[256];
            struct dt_writer w = dt_writer(text, sizeof text);
            struct dt_str value = kit_guarded(0, harmless[j]);
            assert_true(dt_sip_line_safe(value));
            writers[i](&w, value);
            assert_int_equal(w.err, DT_OK);
        }
    }
}

/* Each byte at each place of up to three words. */
static void line_safe_sees_each_byte(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 24; n++) {
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                char text[24] = "ABCDEFGHIJKLMNOPQRSTUVWX";
                text[at] = (char)c;
                bool safe = c != '\r' && c != '\n' && c != '\0';
                assert_int_equal(dt_sip_line_safe((struct dt_str){text, n}), safe);
            }
        }
    }
    char text[40];
    for (size_t n = 0; n <= sizeof text; n++) {
        for (size_t i = 0; i < n; i++)
            text[i] = 'x';
        assert_true(dt_sip_line_safe(kit_guarded(0, (struct dt_str){text, n})));
    }
}

static void too_little_room_is_an_error(void **state)
{
    (void)state;
    const size_t whole = sizeof "Subject: x\r\nContent-Length: 0\r\n\r\n" - 1;
    char text[64];
    for (size_t room = 0; room <= whole; room++) {
        struct dt_writer w = dt_writer(text, room);
        dt_sip_write_header(&w, DT_H_SUBJECT, DT_STR("x"));
        dt_sip_write_body(&w, DT_STR_NONE, DT_STR_NONE);
        assert_int_equal(w.err, room < whole ? DT_E_LIMIT : DT_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_line_by_line),
        cmocka_unit_test(status_lines),
        cmocka_unit_test(every_header_is_read_back),
        cmocka_unit_test(hostile_values_make_the_writer_fail),
        cmocka_unit_test(line_safe_sees_each_byte),
        cmocka_unit_test(too_little_room_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
