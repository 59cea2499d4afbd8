/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTCP: what we write is read back; every truncation, every changed byte; times. */
#include "testkit.h"

#include <string.h>

#include "rtp/rtcp.h"

static const struct dt_rtcp_sender sender = {0x0123456789abcdef, 0x11223344, 0x55667788,
                                             0x99aabbcc};
static const struct dt_rtcp_block blocks[2] = {
    {0xaaaa5555, 64, 25, 0x00012345, 77, 0xcafe0001, 65536},
    {0xbbbb6666, 255, -3, 0xffffffff, 0xffffffff, 0, 0},
};

/* SR with two blocks, SDES, BYE with a reason. */
static struct dt_str compound(char *buf, size_t size)
{
    struct dt_writer w = dt_writer(buf, size);
    dt_rtcp_write_report(&w, 0xfeedf00d, &sender, blocks, 2);
    dt_rtcp_write_cname(&w, 0xfeedf00d, DT_STR("somebody"));
    dt_rtcp_write_bye(&w, 0xfeedf00d, DT_STR("bye"));
    assert_int_equal(w.err, DT_OK);
    return dt_writer_str(&w);
}

static void check_block(const struct dt_rtcp_block *a, const struct dt_rtcp_block *b)
{
    assert_int_equal(a->ssrc, b->ssrc);
    assert_int_equal(a->fraction, b->fraction);
    assert_int_equal(a->lost, b->lost);
    assert_int_equal(a->max_seq, b->max_seq);
    assert_int_equal(a->jitter, b->jitter);
    assert_int_equal(a->lsr, b->lsr);
    assert_int_equal(a->dlsr, b->dlsr);
}

static void written_is_read(void **state)
{
    (void)state;
    char buf[256];
    struct dt_str s = kit_guarded(0, compound(buf, sizeof buf)), item;
    struct dt_reader r = dt_reader(s);
    struct dt_rtcp p;
    struct dt_rtcp_block b;
    assert_int_equal(dt_rtcp_check(s), DT_OK);

    assert_int_equal(dt_rtcp_next(&r, &p), DT_OK);
    assert_int_equal(p.type, DT_RTCP_SR);
    assert_int_equal(p.ssrc, 0xfeedf00d);
    assert_true(p.sender.ntp == sender.ntp && p.sender.timestamp == sender.timestamp);
    assert_true(p.sender.packets == sender.packets && p.sender.octets == sender.octets);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(dt_rtcp_block(&p, i, &b));
        check_block(&b, &blocks[i]);
    }
    assert_false(dt_rtcp_block(&p, 2, &b));
    assert_false(dt_rtcp_bye_has(&p, 0xfeedf00d));

    assert_int_equal(dt_rtcp_next(&r, &p), DT_OK);
    assert_true(dt_rtcp_sdes_item(&p, 0xfeedf00d, DT_RTCP_CNAME, &item));
    kit_assert_str(item, "somebody");
    assert_false(dt_rtcp_sdes_item(&p, 0xfeedf00e, DT_RTCP_CNAME, &item));
    assert_false(dt_rtcp_sdes_item(&p, 0xfeedf00d, 2, &item));

    assert_int_equal(dt_rtcp_next(&r, &p), DT_OK);
    assert_true(dt_rtcp_bye_has(&p, 0xfeedf00d));
    assert_false(dt_rtcp_bye_has(&p, 0));
    assert_int_equal(dt_rtcp_next(&r, &p), DT_E_ABSENT);
}

/* Lengths 0 to 255 of CNAME and reason: padded to words, and whole again when read. */
static void texts_of_every_length(void **state)
{
    (void)state;
    char text[300], buf[1024];
    memset(text, 'x', sizeof text);
    for (size_t n = 0; n <= 300; n++) {
        struct dt_writer w = dt_writer(buf, sizeof buf);
        struct dt_rtcp p;
        struct dt_str item;
        dt_rtcp_write_report(&w, 1, NULL, NULL, 0);
        dt_rtcp_write_cname(&w, 1, (struct dt_str){text, n});
        dt_rtcp_write_bye(&w, 1, (struct dt_str){text, n});
        struct dt_str s = kit_guarded(0, dt_writer_str(&w));
        struct dt_reader r = dt_reader(s);
        assert_int_equal(w.err, DT_OK);
        assert_int_equal(dt_rtcp_check(s), DT_OK);
        assert_int_equal(dt_rtcp_next(&r, &p), DT_OK);
        assert_int_equal(p.type, DT_RTCP_RR);
        assert_int_equal(dt_rtcp_next(&r, &p), DT_OK);
        assert_true(dt_rtcp_sdes_item(&p, 1, DT_RTCP_CNAME, &item));
        assert_int_equal(item.n, n < 255 ? n : 255);
        assert_int_equal(dt_rtcp_next(&r, &p), DT_OK);
        assert_true(dt_rtcp_bye_has(&p, 1));
    }
}

static void too_many_blocks(void **state)
{
    (void)state;
    static const struct dt_rtcp_block many[32];
    char buf[1024];
    struct dt_writer w = dt_writer(buf, sizeof buf);
    dt_rtcp_write_report(&w, 1, NULL, many, 31);
    assert_int_equal(w.err, DT_OK);
    assert_int_equal(dt_rtcp_check(dt_writer_str(&w)), DT_OK);
    w = dt_writer(buf, sizeof buf);
    dt_rtcp_write_report(&w, 1, NULL, many, 32);
    assert_int_equal(w.err, DT_E_LIMIT);
}

/* Everything that a receiver does with a datagram. */
static void read_all(struct dt_str s)
{
    struct dt_reader r = dt_reader(s);
    struct dt_rtcp p;
    struct dt_rtcp_block b;
    struct dt_str item;
    while (dt_rtcp_next(&r, &p) == DT_OK) {
        for (unsigned i = 0; dt_rtcp_block(&p, i, &b); i++)
            assert_true(i < DT_RTCP_BLOCKS_MAX);
        dt_rtcp_bye_has(&p, 0x12345678);
        dt_rtcp_sdes_item(&p, 0xfeedf00d, DT_RTCP_CNAME, &item);
        dt_rtcp_sdes_item(&p, 0x12345678, 8, &item);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    char buf[256];
    struct dt_str s = compound(buf, sizeof buf);
    for (size_t n = 0; n < s.n; n++) {
        struct dt_str cut = kit_guarded(0, dt_str_sub(s, 0, n));
        bool whole = n == 76 || n == 76 + 20; /* after the SR, after the SDES */
        assert_int_equal(dt_rtcp_check(cut), whole ? DT_OK : DT_E_SYNTAX);
        read_all(cut);
    }
}

static void every_byte_changed(void **state)
{
    (void)state;
    char buf[256];
    struct dt_str s = kit_guarded(0, compound(buf, sizeof buf));
    char *bytes = (char *)(uintptr_t)s.p;
    for (size_t at = 0; at < s.n; at++)
        for (unsigned v = 0; v < 256; v++) {
            char kept = bytes[at];
            bytes[at] = (char)v;
            dt_rtcp_check(s);
            read_all(s);
            bytes[at] = kept;
        }
}

static void hostile(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct dt_str bytes;
        int want;
    } rows[] = {
        {"empty RR", DT_STR("\x80\xc9\0\1abcd"), DT_OK},
        {"nothing", DT_STR(""), DT_E_SYNTAX},
        {"first is SDES", DT_STR("\x80\xca\0\0"), DT_E_SYNTAX},
        {"first is BYE", DT_STR("\x81\xcb\0\1abcd"), DT_E_SYNTAX},
        {"version 1", DT_STR("\x40\xc9\0\1abcd"), DT_E_SYNTAX},
        {"version 1 behind", DT_STR("\x80\xc9\0\1abcd\x40\xcb\0\0"), DT_E_SYNTAX},
        {"RR without SSRC", DT_STR("\x80\xc9\0\0"), DT_E_SYNTAX},
        {"SR without sender", DT_STR("\x80\xc8\0\1abcd"), DT_E_SYNTAX},
        {"31 blocks that are not there", DT_STR("\x9f\xc9\0\1abcd"), DT_E_SYNTAX},
        {"length 65535",
         DT_STR("\x80\xc9\xff\xff"
                "abcd"),
         DT_E_SYNTAX},
        {"bytes behind", DT_STR("\x80\xc9\0\1abcdx"), DT_E_SYNTAX},
        {"first is padded", DT_STR("\xa0\xc9\0\2abcd\0\0\0\4"), DT_E_SYNTAX},
        {"BYE, 31 sources that are not there", DT_STR("\x80\xc9\0\1abcd\x9f\xcb\0\1abcd"),
         DT_E_SYNTAX},
        {"last is padded", DT_STR("\x80\xc9\0\1abcd\xa0\xcb\0\1\0\0\0\4"), DT_OK},
        {"padding 0", DT_STR("\x80\xc9\0\1abcd\xa0\xcb\0\1\0\0\0\0"), DT_E_SYNTAX},
        {"padding 3", DT_STR("\x80\xc9\0\1abcd\xa0\xcb\0\1\0\0\0\3"), DT_E_SYNTAX},
        {"padding above the body", DT_STR("\x80\xc9\0\1abcd\xa0\xcb\0\1\0\0\0\x08"), DT_E_SYNTAX},
        {"padding of no body", DT_STR("\x80\xc9\0\1abcd\xa0\xcb\0\0"), DT_E_SYNTAX},
        {"padding in the middle", DT_STR("\x80\xc9\0\1abcd\xa0\xcb\0\1\0\0\0\4\x80\xcb\0\0"),
         DT_E_SYNTAX},
        {"an unknown type", DT_STR("\x80\xc9\0\1abcd\x80\xcf\0\1wxyz"), DT_OK},
        {"an XR that lies about its blocks", DT_STR("\x80\xc9\0\1abcd\x80\xcf\0\2wxyz\7\0\xff\xff"),
         DT_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dt_str s = kit_guarded(0, rows[i].bytes);
        if (dt_rtcp_check(s) != rows[i].want)
            fail_msg("%s", rows[i].what);
        read_all(s);
    }
}

static void hostile_sdes(void **state)
{
    (void)state;
    static const struct dt_str rows[] = {
        DT_STR("\x80\xc9\0\1abcd\x81\xca\0\1wxyz"), /* no items, no end */
        DT_STR("\x80\xc9\0\1abcd\x81\xca\0\2wxyz\1\xff"
               "ab"),                                       /* an item of 255 bytes */
        DT_STR("\x80\xc9\0\1abcd\x81\xca\0\2wxyz\1\2ab"),   /* no null byte */
        DT_STR("\x80\xc9\0\1abcd\x9f\xca\0\2wxyz\0\0\0\0"), /* 31 chunks that are not there */
        DT_STR("\x80\xc9\0\1abcd\x82\xca\0\2wxyz\0\0\0\0"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dt_str s = kit_guarded(0, rows[i]), item;
        struct dt_reader r = dt_reader(s);
        struct dt_rtcp p;
        assert_int_equal(dt_rtcp_next(&r, &p), DT_OK);
        assert_int_equal(dt_rtcp_next(&r, &p), DT_OK);
        assert_false(dt_rtcp_sdes_item(&p, 0x7778797a, DT_RTCP_CNAME, &item));
    }
}

static void times(void **state)
{
    (void)state;
    /* 1970 is 2,208,988,800 s after 1900; half a second is the upper bit. */
    assert_true(dt_rtcp_ntp(0) == UINT64_C(2208988800) << 32);
    assert_true(dt_rtcp_ntp(1500000) == (UINT64_C(2208988801) << 32 | 0x80000000u));
    assert_true(dt_rtcp_ntp(-500000) == (UINT64_C(2208988799) << 32 | 0x80000000u));
    /* The example of RFC 3550 figure 2. */
    struct dt_rtcp_block b = {.lsr = 0xb705a000 - 0, .dlsr = 0x00054000};
    b.lsr = 0xb7052000;
    assert_int_equal(dt_rtcp_round_trip(&b, (uint64_t)0xb7108000 << 16), 0x00062000);
    b.lsr = 0;
    assert_int_equal(dt_rtcp_round_trip(&b, (uint64_t)0xb7108000 << 16), 0);
    b.lsr = 0xb7108000; /* a delay above what has passed is no round trip */
    assert_int_equal(dt_rtcp_round_trip(&b, (uint64_t)0xb7108001 << 16), 0);
}

static void intervals(void **state)
{
    (void)state;
    const uint64_t seed[2] = {3, 4};
    struct dt_rng rng;
    dt_rng_init(&rng, seed);
    for (int initial = 0; initial < 2; initial++) {
        dt_time least = DT_TIME_NEVER, most = 0, td = initial ? 2500000 : 5000000;
        for (unsigned i = 0; i < 20000; i++) {
            dt_time t = dt_rtcp_interval(&rng, initial);
            least = t < least ? t : least;
            most = t > most ? t : most;
        }
        /* [0.5, 1.5] / 1.21828, and nearly all of it. */
        assert_in_range(least, td * 410 / 1000, td * 412 / 1000);
        assert_in_range(most, td * 1229 / 1000, td * 1232 / 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),    cmocka_unit_test(texts_of_every_length),
        cmocka_unit_test(too_many_blocks),    cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_byte_changed), cmocka_unit_test(hostile),
        cmocka_unit_test(hostile_sdes),       cmocka_unit_test(times),
        cmocka_unit_test(intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
