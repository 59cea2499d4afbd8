/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTCP (RFC 3550 section 6): compound packets read and written, reports, and when they are due. */
#ifndef RTP_RTCP_H
#define RTP_RTCP_H

#include "rtp/rtp.h"

enum dt_rtcp_type {
    DT_RTCP_SR = 200,
    DT_RTCP_RR = 201,
    DT_RTCP_SDES = 202,
    DT_RTCP_BYE = 203,
    DT_RTCP_APP = 204
};
enum { DT_RTCP_BLOCKS_MAX = 31, DT_RTCP_CNAME = 1, DT_RTCP_TEXT_MAX = 255 };

/* Sender information of an SR (6.4.1). */
struct dt_rtcp_sender {
    uint64_t ntp; /* seconds since 1900 in the upper 32 bits */
    uint32_t timestamp, packets, octets;
};
/* A report block (6.4.1). */
struct dt_rtcp_block {
    uint32_t ssrc;
    uint8_t fraction; /* lost since the last report, in 256ths */
    int32_t lost;     /* over all; 24 bits */
    uint32_t max_seq; /* extended */
    uint32_t jitter;  /* timestamp units */
    uint32_t lsr;     /* the middle of the last SR's ntp; 0: none */
    uint32_t dlsr;    /* since then, in 1/65536 s */
};

/* One packet of a compound. `body` is what follows the four bytes of the head, without padding. */
struct dt_rtcp {
    uint8_t type;  /* enum dt_rtcp_type, or another that is passed over */
    uint8_t count; /* blocks, chunks or sources */
    uint32_t ssrc; /* SR, RR, APP: of the sender */
    struct dt_rtcp_sender sender;
    struct dt_str body;
    struct dt_str blocks; /* SR, RR: `count` report blocks */
};

/* ---- reading ---- */

/* Is this one a valid compound packet? DT_OK, or DT_E_SYNTAX (A.2: version, first is SR or RR and
 * not padded, lengths add up; and each known packet has room for what its count says). */
int dt_rtcp_check(struct dt_str datagram);
/* Takes the next packet of a compound out of `r`. DT_OK; DT_E_ABSENT at the end; DT_E_SYNTAX. */
int dt_rtcp_next(struct dt_reader *r, struct dt_rtcp *out);
/* Block `i` of an SR or RR; false where there is none. */
bool dt_rtcp_block(const struct dt_rtcp *p, unsigned i, struct dt_rtcp_block *out);
/* Does this BYE name `ssrc`? (6.6) */
bool dt_rtcp_bye_has(const struct dt_rtcp *p, uint32_t ssrc);
/* The first item `type` (DT_RTCP_CNAME, ...) that this SDES gives for `ssrc` (6.5); false where
 * there is none, or the chunks are malformed before it. */
bool dt_rtcp_sdes_item(const struct dt_rtcp *p, uint32_t ssrc, uint8_t type, struct dt_str *out);

/* ---- writing ---- */

/* An SR with `sender`, an RR where it is NULL; at most DT_RTCP_BLOCKS_MAX blocks, more give
 * DT_E_LIMIT in `w->err`. */
void dt_rtcp_write_report(struct dt_writer *w, uint32_t ssrc, const struct dt_rtcp_sender *sender,
                          const struct dt_rtcp_block *blocks, size_t n);
/* SDES with one chunk and its CNAME (6.5.1), cut after DT_RTCP_TEXT_MAX bytes. */
void dt_rtcp_write_cname(struct dt_writer *w, uint32_t ssrc, struct dt_str cname);
/* BYE with one source and a reason, which may be empty (6.6). */
void dt_rtcp_write_bye(struct dt_writer *w, uint32_t ssrc, struct dt_str reason);

/* ---- statistics and times ---- */

/* Fills all of a report block but lsr and dlsr, and begins the next interval (A.3). */
void dt_rtcp_block_of(struct dt_rtp_source *s, struct dt_rtcp_block *out);
/* The 64 bits of NTP of a wall clock in microseconds of Unix time. */
uint64_t dt_rtcp_ntp(int64_t wall);
/* Round trip in 1/65536 s from a block about us that came at `ntp` (6.4.1); 0 when not known. */
uint32_t dt_rtcp_round_trip(const struct dt_rtcp_block *b, uint64_t ntp);
/* The time to the next report (6.3.1), drawn from `rng`, for a session of two: the share of the
 * bandwidth never asks for more than the minimum. `initial`: nothing was sent yet. */
dt_time dt_rtcp_interval(struct dt_rng *rng, bool initial);

#endif
