/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTP packets: vectors, each at every truncation against an unmapped page, and hostile lengths. */
#include "testkit.h"

#include <string.h>

#include "rtp/rtp.h"

#define HEAD "\x12\x34\x00\x01\x02\x03\xde\xad\xbe\xef"
#define BYTES(literal) DT_STR(literal)

struct vector {
    const char *what;
    struct dt_str bytes;
    bool good;
    uint8_t payload_type;
    bool marker;
    unsigned csrc;
    struct dt_str extension, payload;
    size_t least; /* the shortest prefix that is a packet too, 0: none is */
};

static const struct vector vectors[] = {
    {"plain", BYTES("\x80\x00" HEAD "abcd"), true, 0, false, 0, {0}, {"abcd", 4}, 12},
    {"marker", BYTES("\x80\x88" HEAD "x"), true, 8, true, 0, {0}, {"x", 1}, 12},
    {"no payload", BYTES("\x80\x00" HEAD), true, 0, false, 0, {0}, {"", 0}, 12},
    {"two CSRCs", BYTES("\x82\x00" HEAD "\0\0\0\1\0\0\0\2z"), true, 0, false, 2, {0}, {"z", 1}, 20},
    {"extension",
     BYTES("\x90\x00" HEAD "\xbe\xde\0\1wxyzp"),
     true,
     0,
     false,
     0,
     {"wxyz", 4},
     {"p", 1},
     20},
    {"empty extension",
     BYTES("\x90\x00" HEAD "\xbe\xde\0\0p"),
     true,
     0,
     false,
     0,
     {"", 0},
     {"p", 1},
     16},
    {"padding", BYTES("\xa0\x00" HEAD "ab\0\0\0\4"), true, 0, false, 0, {0}, {"ab", 2}, 0},
    {"all padding", BYTES("\xa0\x00" HEAD "\0\0\0\4"), true, 0, false, 0, {0}, {"", 0}, 0},
    {"padding with CSRC and extension",
     BYTES("\xb1\x00" HEAD "\0\0\0\1\xbe\xde\0\1wxyzab\2\2"),
     true,
     0,
     false,
     1,
     {"wxyz", 4},
     {"ab", 2},
     0},
    {"version 1", BYTES("\x40\x00" HEAD "abcd"), .good = false},
    {"version 3", BYTES("\xc0\x00" HEAD "abcd"), .good = false},
    {"an RTCP SR", BYTES("\x80\xc8" HEAD "abcd"), .good = false},
    {"an RTCP APP", BYTES("\x80\xcc" HEAD "abcd"), .good = false},
    {"type 76 without marker", BYTES("\x80\x4c" HEAD "abcd"), .good = false},
    {"15 CSRCs that are not there", BYTES("\x8f\x00" HEAD "\0\0\0\1\0\0\0\2"), .good = false},
    {"extension of 256 KB", BYTES("\x90\x00" HEAD "\xbe\xde\xff\xffwxyz"), .good = false},
    {"half an extension head", BYTES("\x90\x00" HEAD "\xbe\xde"), .good = false},
    {"padding 0", BYTES("\xa0\x00" HEAD "ab\0\0"), .good = false},
    {"padding above the payload", BYTES("\xa0\x00" HEAD "ab\0\5"), .good = false},
    {"padding 255", BYTES("\xa0\x00" HEAD "ab\0\xff"), .good = false},
    {"padding without a byte", BYTES("\xa0\x00" HEAD), .good = false},
    {"padding that would eat the extension", BYTES("\xb0\x00" HEAD "\xbe\xde\0\1wxy\4"),
     .good = false},
    {"a STUN request",
     BYTES("\0\1\0\0\x21\x12\xa4\x42"
           "0123456789ab"),
     .good = false},
    {"a DTLS hello", BYTES("\x16\xfe\xff\0\0\0\0\0\0\0\0\0\0\0"), .good = false},
    {"nothing", BYTES(""), .good = false},
};

enum { VECTORS = sizeof vectors / sizeof vectors[0] };

static void check(const struct vector *v, const struct dt_rtp_packet *p)
{
    assert_int_equal(p->payload_type, v->payload_type);
    assert_int_equal(p->marker, v->marker);
    assert_int_equal(p->n_csrc, v->csrc);
    for (unsigned i = 0; i < v->csrc; i++)
        assert_int_equal(p->csrc[i], i + 1);
    assert_int_equal(p->seq, 0x1234);
    assert_int_equal(p->timestamp, 0x00010203);
    assert_int_equal(p->ssrc, 0xdeadbeef);
    assert_true(dt_str_eq(p->extension, v->extension));
    assert_true(dt_str_eq(p->payload, v->payload));
}

static void vectors_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct dt_rtp_packet p;
        int err = dt_rtp_parse(&p, kit_guarded(0, vectors[i].bytes));
        if (err != (vectors[i].good ? DT_OK : DT_E_SYNTAX))
            fail_msg("%s: %d", vectors[i].what, err);
        if (vectors[i].good)
            check(&vectors[i], &p);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++)
        for (size_t n = 0; n < vectors[i].bytes.n; n++) {
            struct dt_rtp_packet p;
            const struct vector *v = &vectors[i];
            int err = dt_rtp_parse(&p, kit_guarded(0, dt_str_sub(v->bytes, 0, n)));
            bool padded = v->bytes.p[0] & 0x20;
            if (padded || !v->good) /* the byte that is last now says something else */
                continue;
            if (err != (n >= v->least ? DT_OK : DT_E_SYNTAX))
                fail_msg("%s, %zu bytes: %d", v->what, n, err);
        }
}

/* Each byte of each vector, with each value: nothing is read that is not there. */
static void every_byte_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct dt_str s = kit_guarded(0, vectors[i].bytes);
        char *bytes = (char *)(uintptr_t)s.p;
        for (size_t at = 0; at < s.n && at < 40; at++)
            for (unsigned v = 0; v < 256; v++) {
                char kept = bytes[at];
                struct dt_rtp_packet p;
                bytes[at] = (char)v;
                if (!dt_rtp_parse(&p, s)) {
                    size_t used = 12 + 4u * p.n_csrc + (p.extended ? 4 + p.extension.n : 0);
                    assert_true(used + p.payload.n <= s.n);
                }
                bytes[at] = kept;
            }
    }
}

static void written_as_it_was_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct dt_rtp_packet p;
        char buf[128];
        struct dt_writer w = dt_writer(buf, sizeof buf);
        if (!vectors[i].good || dt_rtp_parse(&p, vectors[i].bytes))
            continue;
        dt_rtp_write(&w, &p);
        assert_int_equal(w.err, DT_OK);
        if (!(vectors[i].bytes.p[0] & 0x20)) {
            assert_true(dt_str_eq(dt_writer_str(&w), vectors[i].bytes));
            continue;
        }
        struct dt_rtp_packet again; /* padding is not written: the rest is the same */
        assert_int_equal(dt_rtp_parse(&again, dt_writer_str(&w)), DT_OK);
        check(&vectors[i], &again);
    }
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    const struct dt_rtp_packet bad[] = {
        {.payload_type = 128},
        {.n_csrc = 16},
        {.extended = true, .extension = {"abc", 3}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char buf[128];
        struct dt_writer w = dt_writer(buf, sizeof buf);
        dt_rtp_write(&w, &bad[i]);
        assert_int_equal(w.err, DT_E_LIMIT);
        assert_int_equal(w.n, 0);
    }
    char small[11];
    struct dt_writer w = dt_writer(small, sizeof small);
    dt_rtp_write(&w, &(struct dt_rtp_packet){0});
    assert_int_equal(w.err, DT_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_parse),          cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_byte_changed),     cmocka_unit_test(written_as_it_was_read),
        cmocka_unit_test(what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
