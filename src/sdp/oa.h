/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Between the machine (oa.c) and the writer of its descriptions (describe.c). */
#ifndef SDP_OA_H
#define SDP_OA_H

#include "dualtone/sdp.h"

/* A description that is to be sent. */
struct dt__oa_text {
    const struct dt_oa_terms *terms;
    const uint8_t *codecs; /* indexes into the caps */
    size_t n;
    enum dt_direction direction; /* as it is written */
    bool zero;                   /* c=IN IP4 0.0.0.0 in place of a direction */
};

/* Writes it; `oa->version` goes up by one if it differs from what was written last. DT_OK, or
 * DT_E_LIMIT with `oa` as it was. */
int dt__oa_describe(struct dt_oa *oa, const struct dt__oa_text *text, struct dt_writer *w);

/* telephone-event and CN carry no voice: a stream of them alone is of no use. */
bool dt__codec_is_dtmf(const struct dt_codec *c);
bool dt__codec_is_voice(const struct dt_codec *c);

#endif
