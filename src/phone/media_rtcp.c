/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTCP of one call (RFC 3550 section 6). */
#include "phone/media_internal.h"

enum { COMPOUND_MAX = 256 };

static int64_t wall(const struct media_call *c, dt_time now)
{
    return now + c->engine->env->wall_offset;
}

static dt_time interval(struct media_call *c)
{
    return dt_rtcp_interval(&c->engine->env->rng, !c->reported);
}

void dt__media_rtcp_start(struct media_call *c, dt_time now)
{
    c->report_last = now;
    c->report_due = now + interval(c);
}

/* 6.4.1: the timestamp that belongs to this very moment. */
static struct dt_rtcp_sender sender_now(const struct media_call *c, dt_time now)
{
    dt_time since = now - c->frame_at; /* `timestamp` is the one of the frame after frame_at */
    int64_t moved = since * c->codec->rate / DT_SECOND - DT__MEDIA_FRAME;
    return (struct dt_rtcp_sender){
        .ntp = dt_rtcp_ntp(wall(c, now)),
        .timestamp = c->timestamp + (uint32_t)moved,
        .packets = (uint32_t)c->tx_packets,
        .octets = (uint32_t)c->tx_octets,
    };
}

/* SR if packets were sent since the report before the last one (6.4), else RR; a block if packets
 * came since the last. */
static void write_report(struct media_call *c, struct dt_writer *w, dt_time now)
{
    struct dt_rtcp_sender sender = sender_now(c, now);
    struct dt_rtcp_block block;
    bool sent = c->tx_packets > c->tx_reported[1];
    bool received = c->source.heard && c->source.received > c->source.received_prior;
    if (received) {
        dt_rtcp_block_of(&c->source, &block);
        block.lsr = c->lsr;
        block.dlsr = c->lsr ? (uint32_t)((now - c->lsr_at) * 65536 / DT_SECOND) : 0;
    }
    dt_rtcp_write_report(w, c->ssrc, sent ? &sender : NULL, &block, received);
    dt_rtcp_write_cname(w, c->ssrc, (struct dt_str){c->cname, sizeof c->cname});
    c->tx_reported[1] = c->tx_reported[0];
    c->tx_reported[0] = c->tx_packets;
}

static void send_report(struct media_call *c, dt_time now, bool bye)
{
    const struct media_socket *s = &c->sockets[DT__RTCP];
    if (s->remote.port == 0 || dt_addr_is_any(&s->remote))
        return;
    struct dt_bytes *b = dt_bytes_new(c->engine->env->alloc, COMPOUND_MAX);
    if (!b)
        return; /* as a lost packet */
    struct dt_writer w = dt_writer(b->data, b->cap);
    write_report(c, &w, now);
    if (bye)
        dt_rtcp_write_bye(&w, c->ssrc, DT_STR_NONE);
    b->n = (uint32_t)w.n;
    if (!w.err && !dt_outbox_datagram(&c->engine->out, &s->local, &s->remote, b))
        c->reported = true;
    dt_bytes_drop(b);
}

/* 6.3.6, timer reconsideration: a new interval is drawn, and waited for if it is longer. */
void dt__media_rtcp_tick(struct media_call *c, dt_time now)
{
    if (!dt__media_runs(c) || now < c->report_due)
        return;
    dt_time due = c->report_last + interval(c);
    if (due > now) {
        c->report_due = due;
        return;
    }
    send_report(c, now, false);
    c->report_last = now;
    c->report_due = now + interval(c);
}

void dt__media_rtcp_bye(struct media_call *c, dt_time now)
{
    if (c->reported || c->tx_packets > 0)
        send_report(c, now, true);
}

static void sender_report(struct media_call *c, dt_time now, const struct dt_rtcp *p)
{
    if (!c->source.heard || p->ssrc != c->source.ssrc)
        return;
    c->lsr = (uint32_t)(p->sender.ntp >> 16);
    c->lsr_at = now;
}

/* What the other side's RTCP says changes figures and nothing else; the call ends by SIP (I32). */
void dt__media_rtcp_put(struct media_call *c, dt_time now, const struct dt_input *in)
{
    if (dt_rtcp_check(in->data)) {
        c->dropped++;
        return;
    }
    if (!dt__media_heard(c, DT__RTCP, &in->remote))
        return;
    dt_time arrival = now - in->age;
    struct dt_reader r = dt_reader(in->data);
    struct dt_rtcp p;
    struct dt_rtcp_block block;
    while (dt_rtcp_next(&r, &p) == DT_OK) {
        if (p.type == DT_RTCP_SR)
            sender_report(c, arrival, &p);
        for (unsigned i = 0; dt_rtcp_block(&p, i, &block); i++)
            if (block.ssrc == c->ssrc)
                c->round_trip = dt_rtcp_round_trip(&block, dt_rtcp_ntp(wall(c, arrival)));
    }
}
