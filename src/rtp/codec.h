/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Codecs of sound: one const struct and one file in codec/ each. */
#ifndef RTP_CODEC_H
#define RTP_CODEC_H

#include "dualtone/base.h"

struct dt_rtp_codec {
    struct dt_str name; /* encoding name of SDP (RFC 3551 6), compared without case */
    uint32_t rate;      /* samples a second, and the clock of the RTP timestamp */
    uint8_t payload;    /* static payload type (RFC 3551 table 4) */
    uint8_t bytes;      /* bytes a sample on the wire */
    /* `n` samples to `n * bytes` bytes, and back. Neither can fail. */
    void (*encode)(uint8_t *out, const int16_t *samples, size_t n);
    void (*decode)(int16_t *out, const uint8_t *data, size_t n);
};

extern const struct dt_rtp_codec dt_rtp_codec_pcmu, dt_rtp_codec_pcma; /* codec/g711.c */

/* By name ("PCMU", "pcma"), or by static payload type; NULL when there is none. */
const struct dt_rtp_codec *dt_rtp_codec_find(struct dt_str name);
const struct dt_rtp_codec *dt_rtp_codec_of_payload(uint8_t payload);

#endif
