/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTP (RFC 3550): packets, and what a receiver counts of one source. */
#ifndef RTP_RTP_H
#define RTP_RTP_H

#include "dualtone/text.h"

enum { DT_RTP_HEADER = 12, DT_RTP_CSRC_MAX = 15, DT_RTP_PAYLOAD_MAX = 127 };

/* ---- packets ---- */

/* RFC 3550 5.1, 5.3.1. The slices point into what was parsed. */
struct dt_rtp_packet {
    bool marker, extended;
    uint8_t payload_type, n_csrc;
    uint16_t seq;
    uint32_t timestamp, ssrc;
    uint32_t csrc[DT_RTP_CSRC_MAX];
    uint16_t profile;        /* of the header extension, if `extended` */
    struct dt_str extension; /* its words; a multiple of four bytes */
    struct dt_str payload;   /* without padding */
};

/* Parses one datagram; `out` keeps slices into it. DT_OK, or DT_E_SYNTAX for what A.1 calls
 * invalid: version, a payload type that is RTCP's (72 to 76, section 5.1), lengths that do not fit.
 */
int dt_rtp_parse(struct dt_rtp_packet *out, struct dt_str datagram);
/* Writes the packet, without padding. An extension whose length is not a multiple of four, a
 * payload type above 127 or too many CSRCs give DT_E_LIMIT in `w->err`. */
void dt_rtp_write(struct dt_writer *w, const struct dt_rtp_packet *p);

/* ---- one source, as received: A.1, A.3, A.8 ---- */

enum dt_rtp_verdict {
    DT_RTP_NEW,       /* to be played */
    DT_RTP_RESTART,   /* to be played; the sender, or its numbering, is a new one */
    DT_RTP_DUPLICATE, /* had before */
    DT_RTP_STRANGE    /* its numbers fit nothing; a second one in sequence makes it a restart */
};

struct dt_rtp_source {
    bool heard; /* a packet was accepted; before that nothing below holds */
    uint32_t ssrc;
    int64_t base_seq, max_seq; /* extended by wrapped cycles */
    uint32_t max_timestamp;    /* of max_seq */
    uint64_t seen[2];          /* of the 128 numbers up to max_seq: which came; bit 0: max_seq */
    uint64_t received;         /* packets of this SSRC, duplicates included (A.3) */
    uint64_t unique;           /* without duplicates */
    uint64_t expected_prior, received_prior; /* at the last report */
    uint32_t transit;
    bool transit_known;
    uint32_t jitter; /* in sixteenths of a timestamp unit */
    /* The one who may be next: strange until its second packet. */
    bool rival;
    uint32_t rival_ssrc;
    uint16_t rival_seq; /* that would follow */
    /* Of the sources before this one. */
    uint64_t past_lost, past_unique;
    uint64_t strange, duplicates; /* over all */
};

/* Nothing heard yet. */
void dt_rtp_source_init(struct dt_rtp_source *s);
/* A packet came at `arrival`, in units of its timestamp. Tells what to do with it. The first one is
 * taken without probation: its address was signalled, which is a better sign than its number. */
enum dt_rtp_verdict dt_rtp_source_put(struct dt_rtp_source *s, const struct dt_rtp_packet *p,
                                      uint32_t arrival);
/* Packets that never came, those of earlier sources included; late ones did come. */
uint64_t dt_rtp_source_lost(const struct dt_rtp_source *s);
/* Packets that came, each once, those of earlier sources included. */
uint64_t dt_rtp_source_unique(const struct dt_rtp_source *s);
/* Interarrival jitter in timestamp units (A.8). */
uint32_t dt_rtp_source_jitter(const struct dt_rtp_source *s);

#endif
