/* SPDX-License-Identifier: BSD-2-Clause */
#include "rtp/codec.h"

static const struct dt_rtp_codec *const codecs[] = {&dt_rtp_codec_pcmu, &dt_rtp_codec_pcma};

enum { CODECS = sizeof codecs / sizeof codecs[0] };

const struct dt_rtp_codec *dt_rtp_codec_find(struct dt_str name)
{
    for (size_t i = 0; i < CODECS; i++)
        if (dt_str_ieq(codecs[i]->name, name))
            return codecs[i];
    return NULL;
}

const struct dt_rtp_codec *dt_rtp_codec_of_payload(uint8_t payload)
{
    for (size_t i = 0; i < CODECS; i++)
        if (codecs[i]->payload == payload)
            return codecs[i];
    return NULL;
}
