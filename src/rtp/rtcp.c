/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTCP read: lengths are believed only after they were compared with what there is. */
#include "rtp/bytes.h"
#include "rtp/rtcp.h"

enum { VERSION = 2, PADDING = 0x20, COUNT = 0x1f, WORD = 4, BLOCK = 24, SENDER = 20 };

static uint64_t be64(struct dt_str s, size_t at)
{
    return (uint64_t)dt__be32(s, at) << 32 | dt__be32(s, at + 4);
}

static bool take_sender(struct dt_rtcp *out, struct dt_reader *r)
{
    struct dt_str s;
    if (!dt_reader_take(r, SENDER, &s))
        return false;
    out->sender.ntp = be64(s, 0);
    out->sender.timestamp = dt__be32(s, 8);
    out->sender.packets = dt__be32(s, 12);
    out->sender.octets = dt__be32(s, 16);
    return true;
}

/* What the types we know must hold (6.4.1, 6.4.2, 6.6). */
static bool take_fields(struct dt_rtcp *out)
{
    struct dt_reader r = dt_reader(out->body);
    struct dt_str s;
    switch (out->type) {
    case DT_RTCP_SR:
    case DT_RTCP_RR:
    case DT_RTCP_APP:
        if (!dt_reader_take(&r, WORD, &s))
            return false;
        out->ssrc = dt__be32(s, 0);
        if (out->type == DT_RTCP_APP)
            return true;
        if (out->type == DT_RTCP_SR && !take_sender(out, &r))
            return false;
        return dt_reader_take(&r, (size_t)out->count * BLOCK, &out->blocks);
    case DT_RTCP_BYE:
        return out->body.n >= (size_t)out->count * WORD;
    default:
        return true;
    }
}

/* The last byte counts the padding, a multiple of four, itself included (6.4.1). */
static bool cut_padding(struct dt_str *body)
{
    uint8_t padding = body->n ? dt__be8(*body, body->n - 1) : 0;
    if (padding == 0 || padding % WORD != 0 || padding > body->n)
        return false;
    body->n -= padding;
    return true;
}

int dt_rtcp_next(struct dt_reader *r, struct dt_rtcp *out)
{
    struct dt_str head;
    *out = (struct dt_rtcp){0};
    if (dt_reader_end(r))
        return DT_E_ABSENT;
    if (!dt_reader_take(r, WORD, &head))
        return DT_E_SYNTAX;
    uint8_t flags = dt__be8(head, 0);
    out->count = flags & COUNT;
    out->type = dt__be8(head, 1);
    if (flags >> 6 != VERSION || !dt_reader_take(r, (size_t)dt__be16(head, 2) * WORD, &out->body))
        return DT_E_SYNTAX;
    /* Padding is the last one's alone. */
    if ((flags & PADDING) && (!dt_reader_end(r) || !cut_padding(&out->body)))
        return DT_E_SYNTAX;
    return take_fields(out) ? DT_OK : DT_E_SYNTAX;
}

int dt_rtcp_check(struct dt_str datagram)
{
    struct dt_reader r = dt_reader(datagram);
    struct dt_rtcp p;
    int err = dt_rtcp_next(&r, &p);
    bool first_good =
        !err && (p.type == DT_RTCP_SR || p.type == DT_RTCP_RR) && !(dt__be8(datagram, 0) & PADDING);
    if (!first_good)
        return DT_E_SYNTAX;
    while (!err)
        err = dt_rtcp_next(&r, &p);
    return err == DT_E_ABSENT ? DT_OK : DT_E_SYNTAX;
}

bool dt_rtcp_block(const struct dt_rtcp *p, unsigned i, struct dt_rtcp_block *out)
{
    struct dt_str s = dt_str_sub(p->blocks, (size_t)i * BLOCK, BLOCK);
    if (s.n < BLOCK)
        return false;
    uint32_t lost = dt__be32(s, 4) & 0xffffff;
    *out = (struct dt_rtcp_block){
        .ssrc = dt__be32(s, 0),
        .fraction = dt__be8(s, 4),
        .lost = (int32_t)lost - (lost & 0x800000 ? 0x1000000 : 0),
        .max_seq = dt__be32(s, 8),
        .jitter = dt__be32(s, 12),
        .lsr = dt__be32(s, 16),
        .dlsr = dt__be32(s, 20),
    };
    return true;
}

bool dt_rtcp_bye_has(const struct dt_rtcp *p, uint32_t ssrc)
{
    if (p->type != DT_RTCP_BYE)
        return false;
    for (size_t i = 0; i < p->count; i++)
        if (dt__be32(p->body, i * WORD) == ssrc)
            return true;
    return false;
}

/* Reads one chunk's items up to its null byte and the padding behind (6.5); false: malformed. */
static bool take_chunk(struct dt_reader *r, uint8_t wanted, struct dt_str *out)
{
    struct dt_str head;
    *out = DT_STR_NONE;
    for (;;) {
        if (dt_reader_peek(r) == 0)
            break;
        if (!dt_reader_take(r, 2, &head))
            return false;
        struct dt_str text;
        if (!dt_reader_take(r, dt__be8(head, 1), &text))
            return false;
        if (dt__be8(head, 0) == wanted && !out->p)
            *out = text;
    }
    size_t padding = WORD - dt_reader_at(r) % WORD;
    return dt_reader_take(r, padding, &head);
}

bool dt_rtcp_sdes_item(const struct dt_rtcp *p, uint32_t ssrc, uint8_t type, struct dt_str *out)
{
    struct dt_reader r = dt_reader(p->body);
    for (unsigned i = 0; p->type == DT_RTCP_SDES && i < p->count; i++) {
        struct dt_str source;
        if (!dt_reader_take(&r, WORD, &source) || !take_chunk(&r, type, out))
            return false;
        if (dt__be32(source, 0) == ssrc && out->p)
            return true;
    }
    return false;
}
