/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a receiver keeps of one source: RFC 3550 A.1 (numbers), A.3 (lost), A.8 (jitter). */
#include "rtp/rtp.h"

enum {
    DROPOUT_MAX = 3000, /* A.1: so far ahead is a gap, farther a jump */
    MISORDER_MAX = 100, /* A.1: so far behind is reordering */
    OLD_MAX = 500,      /* 10 s of frames of 20 ms: */
    FRAME = 160,
    WINDOW = 128,
    JITTER_SHIFT = 4
};
/* A change of transit above 2^16 units (8 s) is a clock that was set, and no jitter. */
static const uint32_t transit_max = 1u << 16;

void dt_rtp_source_init(struct dt_rtp_source *s)
{
    *s = (struct dt_rtp_source){0};
}

static uint64_t expected(const struct dt_rtp_source *s)
{
    return s->heard ? (uint64_t)(s->max_seq - s->base_seq + 1) : 0;
}

/* The first packet of a source, or of its new numbering. */
static void begin(struct dt_rtp_source *s, const struct dt_rtp_packet *p)
{
    s->past_lost += expected(s) - s->unique;
    s->past_unique += s->unique;
    s->heard = true;
    s->ssrc = p->ssrc;
    s->base_seq = s->max_seq = p->seq;
    s->max_timestamp = p->timestamp;
    s->seen[0] = 1;
    s->seen[1] = 0;
    s->received = s->unique = 1;
    s->expected_prior = s->received_prior = 0;
    s->transit_known = s->rival = false;
    s->jitter = 0;
}

static void window_move(struct dt_rtp_source *s, unsigned by)
{
    if (by >= WINDOW) {
        s->seen[0] = s->seen[1] = 0;
    } else if (by >= WINDOW / 2) {
        s->seen[1] = s->seen[0] << (by - WINDOW / 2);
        s->seen[0] = 0;
    } else if (by > 0) {
        s->seen[1] = s->seen[1] << by | s->seen[0] >> (WINDOW / 2 - by);
        s->seen[0] <<= by;
    }
}

/* Marks the number `behind` max_seq as had; false if it was. */
static bool window_mark(struct dt_rtp_source *s, unsigned behind)
{
    uint64_t *word = &s->seen[behind / (WINDOW / 2)];
    uint64_t bit = UINT64_C(1) << (behind % (WINDOW / 2));
    if (*word & bit)
        return false;
    *word |= bit;
    return true;
}

/* A number that fits nothing: A.1 believes it when the next one follows. */
static enum dt_rtp_verdict strange(struct dt_rtp_source *s, const struct dt_rtp_packet *p)
{
    if (s->rival && s->rival_ssrc == p->ssrc && s->rival_seq == p->seq) {
        begin(s, p);
        return DT_RTP_RESTART;
    }
    s->rival = true;
    s->rival_ssrc = p->ssrc;
    s->rival_seq = (uint16_t)(p->seq + 1);
    s->strange++;
    return DT_RTP_STRANGE;
}

/* Is a number that lies far behind one of this numbering, on its way for seconds? A.1 would take
 * two of them for a new beginning, and play what is over once more (I34). A new beginning has a
 * time of its own as well (RFC 3550 5.1). */
static bool is_old(const struct dt_rtp_source *s, const struct dt_rtp_packet *p)
{
    uint16_t behind = (uint16_t)((uint16_t)s->max_seq - p->seq);
    uint32_t age = s->max_timestamp - p->timestamp;
    return behind < OLD_MAX && age > 0 && age < OLD_MAX * FRAME;
}

static enum dt_rtp_verdict number(struct dt_rtp_source *s, const struct dt_rtp_packet *p)
{
    uint16_t ahead = (uint16_t)(p->seq - (uint16_t)s->max_seq);
    uint16_t behind = (uint16_t)-ahead;
    if (ahead > 0 && ahead < DROPOUT_MAX) {
        s->max_seq += ahead;
        s->max_timestamp = p->timestamp;
        window_move(s, ahead);
    } else if (behind > MISORDER_MAX) {
        s->strange += is_old(s, p);
        return is_old(s, p) ? DT_RTP_STRANGE : strange(s, p);
    }
    unsigned place = ahead < DROPOUT_MAX ? 0 : behind;
    s->received++;
    if (!window_mark(s, place)) {
        s->duplicates++;
        return DT_RTP_DUPLICATE;
    }
    s->unique++;
    if (s->max_seq - place < s->base_seq)
        s->base_seq = s->max_seq - place; /* sent before the first that came */
    return DT_RTP_NEW;
}

static void learn_jitter(struct dt_rtp_source *s, uint32_t transit)
{
    uint32_t up = transit - s->transit, down = s->transit - transit;
    uint32_t d = up < down ? up : down;
    bool usable = s->transit_known && d < transit_max;
    s->transit = transit;
    s->transit_known = true;
    if (usable) /* the integer form of A.8 */
        s->jitter += d - ((s->jitter + (1 << (JITTER_SHIFT - 1))) >> JITTER_SHIFT);
}

enum dt_rtp_verdict dt_rtp_source_put(struct dt_rtp_source *s, const struct dt_rtp_packet *p,
                                      uint32_t arrival)
{
    enum dt_rtp_verdict verdict = DT_RTP_NEW;
    if (!s->heard)
        begin(s, p);
    else if (p->ssrc != s->ssrc)
        verdict = strange(s, p);
    else
        verdict = number(s, p);
    if (verdict == DT_RTP_NEW || verdict == DT_RTP_RESTART)
        learn_jitter(s, arrival - p->timestamp);
    return verdict;
}

uint64_t dt_rtp_source_lost(const struct dt_rtp_source *s)
{
    return s->past_lost + expected(s) - s->unique;
}

uint64_t dt_rtp_source_unique(const struct dt_rtp_source *s)
{
    return s->past_unique + s->unique;
}

uint32_t dt_rtp_source_jitter(const struct dt_rtp_source *s)
{
    return s->jitter >> JITTER_SHIFT;
}
