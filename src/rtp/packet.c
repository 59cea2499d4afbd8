/* SPDX-License-Identifier: BSD-2-Clause */
#include "rtp/bytes.h"
#include "rtp/rtp.h"

enum {
    VERSION = 2,
    PADDING = 0x20,
    EXTENDED = 0x10,
    CSRC_MASK = 0x0f,
    MARKER = 0x80,
    WORD = 4,
    RTCP_FIRST = 72, /* what RTCP types look like here: 200 to 204 without the marker bit */
    RTCP_LAST = 76
};

static bool take_extension(struct dt_rtp_packet *out, struct dt_reader *r)
{
    struct dt_str head;
    if (!dt_reader_take(r, WORD, &head))
        return false;
    out->profile = dt__be16(head, 0);
    return dt_reader_take(r, (size_t)dt__be16(head, 2) * WORD, &out->extension);
}

/* The last byte counts the padding, itself included (5.1). */
static bool cut_padding(struct dt_str *payload)
{
    if (payload->n == 0)
        return false;
    uint8_t padding = dt__be8(*payload, payload->n - 1);
    if (padding == 0 || padding > payload->n)
        return false;
    payload->n -= padding;
    return true;
}

int dt_rtp_parse(struct dt_rtp_packet *out, struct dt_str datagram)
{
    struct dt_reader r = dt_reader(datagram);
    struct dt_str head, csrc;
    *out = (struct dt_rtp_packet){0};
    if (!dt_reader_take(&r, DT_RTP_HEADER, &head))
        return DT_E_SYNTAX;
    uint8_t flags = dt__be8(head, 0), type = dt__be8(head, 1);
    out->marker = (type & MARKER) != 0;
    out->payload_type = type & DT_RTP_PAYLOAD_MAX;
    if (flags >> 6 != VERSION ||
        (out->payload_type >= RTCP_FIRST && out->payload_type <= RTCP_LAST))
        return DT_E_SYNTAX;
    out->seq = dt__be16(head, 2);
    out->timestamp = dt__be32(head, 4);
    out->ssrc = dt__be32(head, 8);
    out->n_csrc = flags & CSRC_MASK;
    out->extended = (flags & EXTENDED) != 0;
    if (!dt_reader_take(&r, (size_t)out->n_csrc * WORD, &csrc))
        return DT_E_SYNTAX;
    for (size_t i = 0; i < out->n_csrc; i++)
        out->csrc[i] = dt__be32(csrc, i * WORD);
    if (out->extended && !take_extension(out, &r))
        return DT_E_SYNTAX;
    out->payload = dt_reader_rest(&r);
    return (flags & PADDING) && !cut_padding(&out->payload) ? DT_E_SYNTAX : DT_OK;
}

void dt_rtp_write(struct dt_writer *w, const struct dt_rtp_packet *p)
{
    bool extension_bad = p->extension.n % WORD != 0 || p->extension.n / WORD > UINT16_MAX;
    if (p->n_csrc > DT_RTP_CSRC_MAX || p->payload_type > DT_RTP_PAYLOAD_MAX ||
        (p->extended && extension_bad)) {
        w->err = w->err ? w->err : DT_E_LIMIT;
        return;
    }
    dt__write_be(w, VERSION << 6 | (p->extended ? EXTENDED : 0) | p->n_csrc, 1);
    dt__write_be(w, (p->marker ? MARKER : 0) | p->payload_type, 1);
    dt__write_be(w, p->seq, 2);
    dt__write_be(w, p->timestamp, 4);
    dt__write_be(w, p->ssrc, 4);
    for (size_t i = 0; i < p->n_csrc; i++)
        dt__write_be(w, p->csrc[i], 4);
    if (p->extended) {
        dt__write_be(w, p->profile, 2);
        dt__write_be(w, p->extension.n / WORD, 2);
        dt_write(w, p->extension);
    }
    dt_write(w, p->payload);
}
