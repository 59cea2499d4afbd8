/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTP of one call: frames out, packets in. */
#include <string.h>

#include "phone/media_internal.h"

void dt__media_stream_init(struct media_call *c)
{
    struct dt_rng *rng = &c->engine->env->rng;
    c->ssrc = (uint32_t)dt_rng_u64(rng);
    c->timestamp = (uint32_t)dt_rng_u64(rng);
    c->seq = (uint16_t)dt_rng_u64(rng);
    c->tx_since = c->rx_since = DT_TIME_NEVER;
    dt_rng_token(rng, c->cname, sizeof c->cname); /* RFC 7022 4.2: tells nothing of who we are */
    dt_rtp_source_init(&c->source);
    dt__media_stream_restart(c);
}

void dt__media_stream_restart(struct media_call *c)
{
    c->late_before += c->jitter.counts.late;
    dt_jitter_init(&c->jitter, c->codec->rate);
}

/* ---- out ---- */

static void send(struct media_call *c, dt_time at, const int16_t *mic)
{
    const struct media_socket *s = &c->sockets[DT__RTP];
    uint8_t data[2 * DT__MEDIA_FRAME];
    struct dt_rtp_packet p = {
        .marker = !c->talks, /* RFC 3551 4.1: after silence */
        .payload_type = c->payload,
        .seq = c->seq++,
        .timestamp = c->timestamp,
        .ssrc = c->ssrc,
        .payload = {(const char *)data, (size_t)DT__MEDIA_FRAME * c->codec->bytes},
    };
    c->codec->encode(data, mic, DT__MEDIA_FRAME);
    c->talks = true;
    struct dt_bytes *b = dt_bytes_new(c->engine->env->alloc, DT_RTP_HEADER + p.payload.n);
    if (!b)
        return; /* as a lost packet */
    struct dt_writer w = dt_writer(b->data, b->cap);
    dt_rtp_write(&w, &p);
    b->n = (uint32_t)w.n;
    if (!w.err && !dt_outbox_datagram(&c->engine->out, &s->local, &s->remote, b)) {
        if (c->tx_packets == 0)
            c->tx_since = at;
        c->tx_packets++;
        c->tx_octets += p.payload.n;
    }
    dt_bytes_drop(b);
}

/* RFC 3264 8.4, and RFC 2543's hold: to 0.0.0.0 nothing is sent. */
static bool may_send(const struct media_call *c)
{
    const struct dt_addr *to = &c->sockets[DT__RTP].remote;
    return (c->direction & DT_SEND) && to->port != 0 && !dt_addr_is_any(to);
}

void dt__media_stream_frame(struct media_call *c, dt_time at, const int16_t *mic, int16_t *speaker)
{
    c->frame_at = at;
    if (may_send(c))
        send(c, at, mic);
    else
        c->talks = false;
    c->timestamp += DT__MEDIA_FRAME; /* RFC 3550 5.1: time passes, also while nothing is sent */
    if (c->direction & DT_RECV)
        dt_jitter_get(&c->jitter, at, speaker);
    else
        memset(speaker, 0, DT__MEDIA_FRAME * sizeof speaker[0]);
}

void dt__media_stream_skip(struct media_call *c, uint64_t frames)
{
    c->timestamp += (uint32_t)(frames * DT__MEDIA_FRAME);
    c->frame_at += (dt_time)frames * dt__media_frame_time;
    c->talks = false;
}

/* ---- in ---- */

static const struct dt_rtp_codec *codec_of(const struct media_call *c, uint8_t payload)
{
    /* Any format of our description may come at any time (RFC 3264 6.1); both laws were in it. */
    return payload == c->payload ? c->codec : dt_rtp_codec_of_payload(payload);
}

static uint32_t units(const struct media_call *c, dt_time t)
{
    return (uint32_t)(t / DT_MS * c->codec->rate / 1000 + t % DT_MS * c->codec->rate / DT_SECOND);
}

void dt__media_stream_put(struct media_call *c, dt_time now, const struct dt_input *in)
{
    struct dt_rtp_packet p;
    const struct media_socket *s = &c->sockets[DT__RTP];
    const struct dt_rtp_codec *codec = NULL;
    bool good = dt_rtp_parse(&p, in->data) == DT_OK;
    if (good)
        codec = codec_of(c, p.payload_type);
    /* Only sound of ours says who is heard: a stray packet must not (I32). */
    if (!good || (!codec && !s->heard.family)) {
        c->dropped++;
        return;
    }
    if (!dt__media_heard(c, DT__RTP, &in->remote))
        return;
    dt_time arrival = now - in->age;
    enum dt_rtp_verdict verdict = dt_rtp_source_put(&c->source, &p, units(c, arrival));
    if (verdict != DT_RTP_NEW && verdict != DT_RTP_RESTART)
        return;
    if (c->rx_since == DT_TIME_NEVER)
        c->rx_since = arrival;
    c->rx_octets += p.payload.n;
    if (c->direction & DT_RECV)
        dt_jitter_put(&c->jitter, arrival, &p, codec, verdict == DT_RTP_RESTART);
}
