/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTCP written, and the figures that go into it. */
#include "rtp/bytes.h"
#include "rtp/rtcp.h"

enum { VERSION_BITS = 2 << 6, WORD = 4, BLOCK_WORDS = 6, SENDER_WORDS = 5 };

/* 6.3.1: at least 5 s, half of it before the first, spread over [0.5, 1.5] and divided by
 * e - 3/2. */
static const dt_time interval_min = 5 * DT_SECOND;
static const int64_t compensation_ppm = 1218280;
/* From 1900 to 1970. */
static const uint64_t ntp_offset = UINT64_C(2208988800);

static void write_head(struct dt_writer *w, unsigned count, enum dt_rtcp_type type, size_t words)
{
    dt__write_be(w, VERSION_BITS | count, 1);
    dt__write_be(w, type, 1);
    dt__write_be(w, words, 2);
}

static void write_block(struct dt_writer *w, const struct dt_rtcp_block *b)
{
    dt__write_be(w, b->ssrc, 4);
    dt__write_be(w, b->fraction, 1);
    dt__write_be(w, (uint32_t)b->lost, 3);
    dt__write_be(w, b->max_seq, 4);
    dt__write_be(w, b->jitter, 4);
    dt__write_be(w, b->lsr, 4);
    dt__write_be(w, b->dlsr, 4);
}

void dt_rtcp_write_report(struct dt_writer *w, uint32_t ssrc, const struct dt_rtcp_sender *sender,
                          const struct dt_rtcp_block *blocks, size_t n)
{
    if (n > DT_RTCP_BLOCKS_MAX) {
        w->err = w->err ? w->err : DT_E_LIMIT;
        return;
    }
    write_head(w, (unsigned)n, sender ? DT_RTCP_SR : DT_RTCP_RR,
               1 + (sender ? (size_t)SENDER_WORDS : 0) + n * BLOCK_WORDS);
    dt__write_be(w, ssrc, 4);
    if (sender) {
        dt__write_be(w, sender->ntp, 8);
        dt__write_be(w, sender->timestamp, 4);
        dt__write_be(w, sender->packets, 4);
        dt__write_be(w, sender->octets, 4);
    }
    for (size_t i = 0; i < n; i++)
        write_block(w, &blocks[i]);
}

static void write_zeros(struct dt_writer *w, size_t n)
{
    while (n-- > 0)
        dt_write_char(w, 0);
}

void dt_rtcp_write_cname(struct dt_writer *w, uint32_t ssrc, struct dt_str cname)
{
    struct dt_str text = dt_str_sub(cname, 0, DT_RTCP_TEXT_MAX);
    size_t zeros = WORD - (2 + text.n) % WORD; /* at least one ends the chunk */
    write_head(w, 1, DT_RTCP_SDES, 1 + (2 + text.n + zeros) / WORD);
    dt__write_be(w, ssrc, 4);
    dt__write_be(w, DT_RTCP_CNAME, 1);
    dt__write_be(w, text.n, 1);
    dt_write(w, text);
    write_zeros(w, zeros);
}

void dt_rtcp_write_bye(struct dt_writer *w, uint32_t ssrc, struct dt_str reason)
{
    struct dt_str text = dt_str_sub(reason, 0, DT_RTCP_TEXT_MAX);
    size_t words = text.n ? (1 + text.n + WORD - 1) / WORD : 0;
    write_head(w, 1, DT_RTCP_BYE, 1 + words);
    dt__write_be(w, ssrc, 4);
    if (!text.n)
        return;
    dt__write_be(w, text.n, 1);
    dt_write(w, text);
    write_zeros(w, words * WORD - 1 - text.n);
}

static int32_t clamp24(int64_t v)
{
    const int64_t max = 0x7fffff, min = -0x800000;
    return (int32_t)(v > max ? max : v < min ? min : v);
}

void dt_rtcp_block_of(struct dt_rtp_source *s, struct dt_rtcp_block *out)
{
    *out = (struct dt_rtcp_block){0};
    if (!s->heard)
        return;
    uint64_t expected = (uint64_t)(s->max_seq - s->base_seq + 1);
    int64_t expected_now = (int64_t)(expected - s->expected_prior);
    int64_t lost_now = expected_now - (int64_t)(s->received - s->received_prior);
    s->expected_prior = expected;
    s->received_prior = s->received;
    out->ssrc = s->ssrc;
    /* 8 bits hold no 256/256: all lost reads 255. */
    if (expected_now > 0 && lost_now > 0)
        out->fraction = (uint8_t)(lost_now >= expected_now ? 255 : lost_now * 256 / expected_now);
    out->lost = clamp24((int64_t)expected - (int64_t)s->received);
    out->max_seq = (uint32_t)s->max_seq;
    out->jitter = dt_rtp_source_jitter(s);
}

uint64_t dt_rtcp_ntp(int64_t wall)
{
    int64_t seconds = wall / DT_SECOND, micros = wall % DT_SECOND;
    if (micros < 0) {
        micros += DT_SECOND;
        seconds--;
    }
    uint64_t fraction = ((uint64_t)micros << 32) / (uint64_t)DT_SECOND;
    return ((uint64_t)seconds + ntp_offset) << 32 | fraction;
}

uint32_t dt_rtcp_round_trip(const struct dt_rtcp_block *b, uint64_t ntp)
{
    uint32_t middle = (uint32_t)(ntp >> 16), since = middle - b->lsr;
    return b->lsr == 0 || since < b->dlsr ? 0 : since - b->dlsr;
}

dt_time dt_rtcp_interval(struct dt_rng *rng, bool initial)
{
    dt_time least = initial ? interval_min / 2 : interval_min;
    dt_time drawn = least / 2 + (dt_time)dt_rng_below(rng, (uint64_t)least + 1);
    return drawn * DT_SECOND / compensation_ppm;
}
