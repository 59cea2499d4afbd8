/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a message on a stream ends: whole, cut at each place, byte by byte; what cannot be framed.
 */
#include "testkit.h"

#include <string.h>

#include "stack/framing.h"

#define A "OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 5\r\n\r\nab\r\n\r"
#define B "BYE sip:b SIP/2.0\r\nl : 0\r\nX: y\r\n\r\n"
#define C "SIP/2.0 200 OK\r\nCONTENT-LENGTH:\r\n\t3\r\nX: folded\r\n Content-Length: 9\r\n\r\n123"
#define LF "BYE sip:b SIP/2.0\nl: 1\n\nx"

/* ---- what comes off the front ---- */

/* m: a message, p: a ping, f: filler; then its size. */
static const struct {
    const char *text;
    struct {
        char kind;
        size_t size;
    } parts[8];
} good[] = {
    {A, {{'m', sizeof A - 1}}},
    {B, {{'m', sizeof B - 1}}},
    {C, {{'m', sizeof C - 1}}},
    {LF, {{'m', sizeof LF - 1}}},
    {A B C, {{'m', sizeof A - 1}, {'m', sizeof B - 1}, {'m', sizeof C - 1}}},
    {"\r\n\r\n" B "\r\n\r\n\r\n\r\n" B,
     {{'p', 4}, {'m', sizeof B - 1}, {'p', 4}, {'p', 4}, {'m', sizeof B - 1}}},
    {"\r\n" B, {{'f', 2}, {'m', sizeof B - 1}}},
    {"\n\r" B, {{'f', 1}, {'f', 1}, {'m', sizeof B - 1}}},
    {"\r\n\r" B, {{'f', 3}, {'m', sizeof B - 1}}},
};

static char kind_of(const struct dt__framing *f)
{
    return f->ping ? 'p' : f->filler ? 'f' : 'm';
}

/* Takes all off `text`, of which `piece` bytes more are seen at a time (0: all at once). */
static void check_parts(struct dt_str text, size_t row, size_t piece)
{
    struct dt__framing f = {.size = 0};
    size_t at = 0, seen = piece ? 0 : text.n, part = 0;
    while (at < text.n) {
        int err = dt__frame(&f, kit_guarded(0, dt_str_sub(text, at, seen - at)), 65535);
        if (err == DT_E_MORE && seen < text.n) {
            seen = seen + piece < text.n ? seen + piece : text.n;
            continue;
        }
        assert_int_equal(err, DT_OK);
        assert_int_equal(kind_of(&f), good[row].parts[part].kind);
        assert_int_equal(f.size, good[row].parts[part].size);
        at += f.size;
        part++;
        f = (struct dt__framing){.size = 0};
    }
    assert_int_equal(good[row].parts[part].size, 0);
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct dt_str text = dt_str_z(good[i].text);
        for (size_t piece = 0; piece <= text.n; piece++)
            check_parts(text, i, piece);
    }
}

/* Cut in two at each place: the first part never is a message too early. */
static void test_split(void **state)
{
    static const char *const texts[] = {A, B, C, LF};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct dt_str text = dt_str_z(texts[i]);
        for (size_t n = 0; n < text.n; n++) {
            struct dt__framing f = {.size = 0};
            assert_int_equal(dt__frame(&f, kit_guarded(0, dt_str_sub(text, 0, n)), 65535),
                             DT_E_MORE);
            assert_int_equal(dt__frame(&f, kit_guarded(0, text), 65535), DT_OK);
            assert_int_equal(f.size, text.n);
        }
    }
}

/* ---- bad ---- */

#define HEAD "BYE sip:b SIP/2.0\r\n"

static const struct {
    const char *text;
    int err, status;
} bad[] = {
    {HEAD "\r\n", DT_E_SYNTAX, 400}, /* none at all (20.14) */
    {HEAD "Content-Length: -1\r\n\r\n", DT_E_SYNTAX, 400},
    {HEAD "Content-Length: +1\r\n\r\n", DT_E_SYNTAX, 400},
    {HEAD "Content-Length: 0x5\r\n\r\n", DT_E_SYNTAX, 400},
    {HEAD "Content-Length: 5,5\r\n\r\n", DT_E_SYNTAX, 400},
    {HEAD "Content-Length:\r\n\r\n", DT_E_SYNTAX, 400},
    {HEAD "Content-Length: 1 2\r\n\r\n", DT_E_SYNTAX, 400},
    {HEAD "Content-Length: 5\r\nl: 5\r\n\r\n", DT_E_SYNTAX, 400},
    {HEAD "l: 0\r\nContent-Length: 5\r\n\r\n", DT_E_SYNTAX, 400},
    {HEAD "Content-Length: 65536\r\n\r\n", DT_E_LIMIT, 513},
    {HEAD "Content-Length: 4294967296\r\n\r\n", DT_E_LIMIT, 513},
    {HEAD "Content-Length: 4294967328\r\n\r\n", DT_E_LIMIT, 513}, /* CVE-2026-23457 */
    {HEAD "Content-Length: 18446744073709551615\r\n\r\n", DT_E_LIMIT, 513},
    {HEAD "Content-Length: 18446744073709551617\r\n\r\n", DT_E_LIMIT, 513},
    {HEAD "Content-Length: 99999999999999999999999999\r\n\r\n", DT_E_LIMIT, 513},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dt_str text = dt_str_z(bad[i].text);
        for (size_t n = 0; n <= text.n; n++) {
            struct dt__framing f = {.size = 0};
            int err = dt__frame(&f, kit_guarded(0, dt_str_sub(text, 0, n)), 65535);
            assert_int_equal(err, n < text.n ? DT_E_MORE : bad[i].err);
            assert_int_equal(f.status, n < text.n ? 0 : bad[i].status);
        }
    }
}

/* ---- the bound ---- */

static void test_limit(void **state)
{
    static const char text[] = HEAD "l: 3\r\n\r\nabc";
    size_t size = sizeof text - 1;
    (void)state;
    for (size_t max = 1; max < size + 4; max++) {
        struct dt__framing f = {.size = 0};
        int err = dt__frame(&f, kit_guarded(0, (struct dt_str){text, size}), max);
        assert_int_equal(err, max < size ? DT_E_LIMIT : DT_OK);
    }
    for (size_t n = 0; n < 20; n++) { /* no end of the head in sight */
        struct dt__framing f = {.size = 0};
        int err = dt__frame(&f, (struct dt_str){"xxxxxxxxxxxxxxxxxxxx", n}, 16);
        assert_int_equal(err, n < 16 ? DT_E_MORE : DT_E_LIMIT);
        assert_int_equal(f.status, 0);
    }
}

/* Bytes that come one by one are not looked at again and again (I31). */
static void test_scanned_once(void **state)
{
    char text[4096];
    struct dt__framing f = {.size = 0};
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t n = 1; n <= sizeof text; n++) {
        assert_int_equal(dt__frame(&f, (struct dt_str){text, n}, 65535), DT_E_MORE);
        assert_int_equal(f.scanned, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),         cmocka_unit_test(test_split),
        cmocka_unit_test(test_bad),          cmocka_unit_test(test_limit),
        cmocka_unit_test(test_scanned_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
