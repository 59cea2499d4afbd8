/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a receiver counts of a source: RFC 3550 A.1, A.3, A.8. */
#include "testkit.h"

#include "rtp/rtcp.h"

static enum dt_rtp_verdict put(struct dt_rtp_source *s, uint32_t ssrc, unsigned seq)
{
    struct dt_rtp_packet p = {.ssrc = ssrc, .seq = (uint16_t)seq, .timestamp = (uint32_t)seq * 160};
    return dt_rtp_source_put(s, &p, (uint32_t)seq * 160);
}

struct step {
    uint32_t ssrc;
    uint16_t seq;
    enum dt_rtp_verdict want;
};

struct trace {
    const char *what;
    struct step steps[10];
    uint64_t unique, lost, received;
};

enum { A = 0xaaaa, B = 0xbbbb };
#define NEW DT_RTP_NEW
#define DUP DT_RTP_DUPLICATE
#define STRANGE DT_RTP_STRANGE
#define RESTART DT_RTP_RESTART

static const struct trace traces[] = {
    {"in order", {{A, 5, NEW}, {A, 6, NEW}, {A, 7, NEW}}, 3, 0, 3},
    {"a gap", {{A, 5, NEW}, {A, 9, NEW}}, 2, 3, 2},
    {"a gap that is filled", {{A, 5, NEW}, {A, 9, NEW}, {A, 7, NEW}, {A, 6, NEW}}, 4, 1, 4},
    {"duplicates", {{A, 5, NEW}, {A, 5, DUP}, {A, 6, NEW}, {A, 5, DUP}, {A, 6, DUP}}, 2, 0, 5},
    {"wrap", {{A, 65534, NEW}, {A, 65535, NEW}, {A, 0, NEW}, {A, 1, NEW}}, 4, 0, 4},
    {"reordered over the wrap", {{A, 65535, NEW}, {A, 1, NEW}, {A, 0, NEW}, {A, 0, DUP}}, 3, 0, 4},
    {"first came second", {{A, 6, NEW}, {A, 5, NEW}, {A, 7, NEW}, {A, 5, DUP}}, 3, 0, 4},
    {"2999 ahead", {{A, 10, NEW}, {A, 3009, NEW}}, 2, 2998, 2},
    {"3000 ahead is strange", {{A, 10, NEW}, {A, 3010, STRANGE}, {A, 11, NEW}}, 2, 0, 2},
    {"100 behind", {{A, 200, NEW}, {A, 100, NEW}}, 2, 99, 2},
    {"101 behind is strange", {{A, 200, NEW}, {A, 99, STRANGE}}, 1, 0, 1},
    {"a restart takes two",
     {{A, 10, NEW}, {A, 9000, STRANGE}, {A, 9001, RESTART}, {A, 9002, NEW}},
     3,
     0,
     2},
    {"a restart behind", {{A, 60000, NEW}, {A, 40000, STRANGE}, {A, 40001, RESTART}}, 2, 0, 1},
    {"what was long under way is none",
     {{A, 500, NEW}, {A, 300, STRANGE}, {A, 301, STRANGE}, {A, 302, STRANGE}, {A, 501, NEW}},
     2,
     0,
     2},
    {"two jumps are none",
     {{A, 10, NEW}, {A, 9000, STRANGE}, {A, 9002, STRANGE}, {A, 11, NEW}},
     2,
     0,
     2},
    {"another SSRC takes two",
     {{A, 10, NEW}, {B, 77, STRANGE}, {B, 78, RESTART}, {B, 79, NEW}},
     3,
     0,
     2},
    {"a stray SSRC changes nothing", {{A, 10, NEW}, {B, 77, STRANGE}, {A, 11, NEW}}, 2, 0, 2},
    {"losses before a restart count",
     {{A, 10, NEW}, {A, 13, NEW}, {B, 77, STRANGE}, {B, 78, RESTART}, {B, 80, NEW}},
     4,
     3,
     2},
    {"losses before two restarts count",
     {{A, 10, NEW},
      {A, 13, NEW},
      {B, 77, STRANGE},
      {B, 78, RESTART},
      {B, 80, NEW},
      {A, 14, STRANGE},
      {A, 15, RESTART}},
     5,
     3,
     1},
    {"the restart's numbers wrap", {{A, 9, NEW}, {B, 65535, STRANGE}, {B, 0, RESTART}}, 2, 0, 1},
};

static void traces_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++) {
        const struct trace *t = &traces[i];
        struct dt_rtp_source s;
        dt_rtp_source_init(&s);
        for (size_t k = 0; k < 10 && t->steps[k].ssrc; k++) {
            enum dt_rtp_verdict got = put(&s, t->steps[k].ssrc, t->steps[k].seq);
            if (got != t->steps[k].want)
                fail_msg("%s, step %zu: %d", t->what, k, (int)got);
        }
        if (dt_rtp_source_unique(&s) != t->unique || dt_rtp_source_lost(&s) != t->lost ||
            s.received != t->received)
            fail_msg("%s: %lu unique, %lu lost, %lu received", t->what,
                     (unsigned long)dt_rtp_source_unique(&s), (unsigned long)dt_rtp_source_lost(&s),
                     (unsigned long)s.received);
    }
}

/* Against a count that remembers everything. */
static void random_traces_are_counted_exactly(void **state)
{
    (void)state;
    enum { N = 5000, NEAR = 90 };
    static uint8_t had[N + NEAR];
    const uint64_t seed[2] = {7, 1};
    struct dt_rng rng;
    dt_rng_init(&rng, seed);
    for (unsigned run = 0; run < 20; run++) {
        struct dt_rtp_source s;
        unsigned first = (unsigned)dt_rng_below(&rng, 65536), top = 0, low = 0, unique = 0;
        dt_rtp_source_init(&s);
        for (unsigned i = 0; i < N + NEAR; i++)
            had[i] = 0;
        for (unsigned i = NEAR; i < N; i++) {
            unsigned at = i - (unsigned)dt_rng_below(&rng, NEAR) * (dt_rng_below(&rng, 4) == 0);
            if (dt_rng_below(&rng, 10) == 0)
                continue;
            low = unique == 0 || at < low ? at : low;
            enum dt_rtp_verdict want = had[at] ? DT_RTP_DUPLICATE : DT_RTP_NEW;
            assert_int_equal(put(&s, A, first + at), want);
            unique += !had[at];
            had[at] = 1;
            top = at > top ? at : top;
        }
        assert_int_equal(dt_rtp_source_unique(&s), unique);
        assert_int_equal(dt_rtp_source_lost(&s), top - low + 1 - unique);
    }
}

static void interarrival_jitter(void **state)
{
    (void)state;
    struct dt_rtp_source s;
    dt_rtp_source_init(&s);
    double exact = 0; /* the form of A.8 with fractions */
    for (unsigned i = 0; i < 2000; i++) {
        struct dt_rtp_packet p = {.ssrc = A, .seq = (uint16_t)i, .timestamp = 0xffffff00 + i * 160};
        uint32_t late = i % 2 ? 80 : 0;
        dt_rtp_source_put(&s, &p, 5000 + i * 160 + late);
        if (i > 0)
            exact += (80 - exact) / 16;
    }
    assert_in_range(dt_rtp_source_jitter(&s), (unsigned)exact - 1, (unsigned)exact + 1);
    /* A clock that was set is no jitter. */
    struct dt_rtp_packet p = {.ssrc = A, .seq = 2000, .timestamp = 0x70000000};
    dt_rtp_source_put(&s, &p, 5000 + 2000 * 160);
    assert_in_range(dt_rtp_source_jitter(&s), (unsigned)exact - 1, (unsigned)exact + 1);
}

static void report_blocks(void **state)
{
    (void)state;
    struct dt_rtp_source s;
    struct dt_rtcp_block b;
    dt_rtp_source_init(&s);
    dt_rtcp_block_of(&s, &b);
    assert_int_equal(b.ssrc, 0);
    for (unsigned i = 65500; i < 65600; i++)
        if (i % 4 != 1 || i == 65599)
            put(&s, A, i);
    dt_rtcp_block_of(&s, &b);
    assert_int_equal(b.ssrc, A);
    assert_int_equal(b.lost, 25);
    assert_int_equal(b.fraction, 64); /* a quarter */
    assert_int_equal(b.max_seq, 65599);
    dt_rtcp_block_of(&s, &b); /* nothing since */
    assert_int_equal(b.fraction, 0);
    assert_int_equal(b.lost, 25);
    put(&s, A, 65599 + 1000); /* 1,000 expected, one came */
    dt_rtcp_block_of(&s, &b);
    assert_int_equal(b.fraction, 255);
    for (unsigned i = 0; i < 1100; i++)
        put(&s, A, 65599 + 1000); /* more duplicates than were lost: less than nothing is lost */
    dt_rtcp_block_of(&s, &b);
    assert_int_equal(b.fraction, 0);
    assert_int_equal(b.lost, 25 + 999 - 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_are_counted),
        cmocka_unit_test(random_traces_are_counted_exactly),
        cmocka_unit_test(interarrival_jitter),
        cmocka_unit_test(report_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
