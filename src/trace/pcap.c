/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/pcap.h"

#include <string.h>

enum {
    FILE_HEAD = 24,
    PACKET_HEAD = 16,
    HEADS_MAX = 60, /* IPv6 and TCP */
    LINK_RAW = 101,
    SNAP = 262144,
    STREAMS_MAX = 256,
    PAYLOAD_MAX = 65000
};

/* The next sequence number of each direction of each connection. */
struct pcap_flow {
    struct dt_addr from, to;
    uint32_t sequence;
};
struct pcap_out {
    struct dt_writer w;
    struct pcap_flow flows[STREAMS_MAX];
    size_t n_flows;
    uint32_t spare; /* for connections past the bound */
};

static void le32(struct dt_writer *w, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        dt_write_char(w, (char)(v >> (8 * i)));
}
static void be16(struct dt_writer *w, uint32_t v)
{
    dt_write_char(w, (char)(v >> 8));
    dt_write_char(w, (char)v);
}
static void be32(struct dt_writer *w, uint32_t v)
{
    be16(w, v >> 16);
    be16(w, v & 0xffff);
}
static void zeros(struct dt_writer *w, int n)
{
    while (n-- > 0)
        dt_write_char(w, '\0');
}

/* RFC 1071. */
static uint32_t sum16(uint32_t sum, const char *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)((unsigned char)p[i] << 8 | (unsigned char)p[i + 1]);
    if (n % 2)
        sum += (uint32_t)((unsigned char)p[n - 1] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}
static void patch16(char *p, uint32_t v)
{
    p[0] = (char)(v >> 8);
    p[1] = (char)v;
}

static void ip_head(struct dt_writer *w, const struct dt_record_item *it, size_t payload)
{
    bool tcp = it->from.transport == DT_TCP;
    const char proto = tcp ? 6 : 17;
    size_t start = w->n;
    if (it->from.family == 6) {
        be32(w, 6u << 28);
        be16(w, (uint32_t)payload);
        dt_write_char(w, proto);
        dt_write_char(w, 64);
        dt_write(w, (struct dt_str){(const char *)it->from.ip, 16});
        dt_write(w, (struct dt_str){(const char *)it->to.ip, 16});
        return;
    }
    be16(w, 0x4500);
    be16(w, (uint32_t)payload + 20);
    be32(w, 0x00004000); /* do not fragment */
    dt_write_char(w, 64);
    dt_write_char(w, proto);
    be16(w, 0);
    dt_write(w, (struct dt_str){(const char *)it->from.ip, 4});
    dt_write(w, (struct dt_str){(const char *)it->to.ip, 4});
    if (w->err == DT_OK)
        patch16(w->p + start + 10, ~sum16(0, w->p + start, 20) & 0xffff);
}

static uint32_t *sequence(struct pcap_out *o, const struct dt_addr *from, const struct dt_addr *to)
{
    for (size_t i = 0; i < o->n_flows; i++)
        if (dt_addr_eq(&o->flows[i].from, from) && dt_addr_eq(&o->flows[i].to, to))
            return &o->flows[i].sequence;
    if (o->n_flows == STREAMS_MAX)
        return &o->spare;
    o->flows[o->n_flows] = (struct pcap_flow){*from, *to, 1};
    return &o->flows[o->n_flows++].sequence;
}

static void transport_head(struct pcap_out *o, const struct dt_record_item *it)
{
    struct dt_writer *w = &o->w;
    be16(w, it->from.port);
    be16(w, it->to.port);
    if (it->from.transport == DT_UDP) {
        be16(w, 8 + it->bytes->n);
        be16(w, 0);
        return;
    }
    uint32_t *seq = sequence(o, &it->from, &it->to);
    be32(w, *seq);
    be32(w, *sequence(o, &it->to, &it->from));
    be16(w, 0x5018); /* 20 bytes, PSH ACK */
    be16(w, 0xffff);
    zeros(w, 4);
    *seq += it->bytes->n;
}

static void checksum(struct dt_writer *w, const struct dt_record_item *it, size_t at)
{
    size_t n = w->n - at;
    uint32_t proto = it->from.transport == DT_TCP ? 6 : 17;
    size_t ip = it->from.family == 6 ? 16 : 4;
    if (w->err)
        return;
    uint32_t sum = sum16((uint32_t)n + proto, (const char *)it->from.ip, ip);
    sum = sum16(sum, (const char *)it->to.ip, ip);
    sum = ~sum16(sum, w->p + at, n) & 0xffff;
    patch16(w->p + at + (proto == 6 ? 16 : 6), sum ? sum : 0xffff);
}

static void packet(struct pcap_out *o, const struct dt_record_item *it, int64_t wall)
{
    size_t head = it->from.transport == DT_TCP ? 20 : 8;
    size_t ip = it->from.family == 6 ? 40 : 20;
    int64_t us = it->at + wall;
    uint32_t n = (uint32_t)(ip + head + it->bytes->n);
    le32(&o->w, (uint32_t)(us / 1000000));
    le32(&o->w, (uint32_t)(us % 1000000));
    le32(&o->w, n);
    le32(&o->w, n);
    ip_head(&o->w, it, head + it->bytes->n);
    size_t at = o->w.n;
    transport_head(o, it);
    dt_write(&o->w, dt_bytes_str(it->bytes));
    checksum(&o->w, it, at);
}

/* Which parties wrote a record of what they sent. */
static void find_writers(const struct dt_record *r, bool *wrote)
{
    for (size_t i = 0; i < r->n; i++) {
        uint16_t who = dt_record_whose(r, &r->items[i].from);
        if (r->items[i].kind == DT_REC_SENT && who != DT_RECORD_NOBODY)
            wrote[who] = true;
    }
}

static bool is_packet(const struct dt_record *r, const struct dt_record_item *it, const bool *wrote)
{
    if (!it->bytes || it->from.family == 0 || it->from.family != it->to.family ||
        it->bytes->n > PAYLOAD_MAX)
        return false;
    if (it->kind != DT_REC_ARRIVED)
        return it->kind == DT_REC_SENT;
    uint16_t who = dt_record_whose(r, &it->from);
    return who == DT_RECORD_NOBODY || !wrote[who];
}

struct dt_bytes *dt_pcap_make(const struct dt_record *r, int64_t wall_offset)
{
    bool wrote[DT_RECORD_PARTIES_MAX] = {false};
    size_t size = FILE_HEAD;
    find_writers(r, wrote);
    for (size_t i = 0; i < r->n; i++)
        if (is_packet(r, &r->items[i], wrote))
            size += PACKET_HEAD + HEADS_MAX + r->items[i].bytes->n;
    struct dt_bytes *b = dt_bytes_new(r->alloc, size);
    struct pcap_out *o = b ? dt_alloc_zero(r->alloc, sizeof *o) : NULL;
    if (!o) {
        dt_bytes_drop(b);
        return NULL;
    }
    o->w = dt_writer(b->data, size);
    const uint32_t head[] = {0xa1b2c3d4, 2u | 4u << 16, 0, 0, SNAP, LINK_RAW};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        le32(&o->w, head[i]);
    for (size_t i = 0; i < r->n; i++)
        if (is_packet(r, &r->items[i], wrote))
            packet(o, &r->items[i], wall_offset);
    b->n = (uint32_t)o->w.n;
    dt_alloc_free(r->alloc, o);
    return b;
}
