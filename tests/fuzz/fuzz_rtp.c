/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any datagrams: as RTP parsed, written and parsed again they are the same; as RTCP nothing is read
 * that is not there; as a stream they leave the jitter buffer in balance. The input is cut into
 * records: a length byte, a control byte (how much time passes, which frames), then the datagram.
 */
#include "fuzz.h"
#include "rtp/jitter.h"
#include "rtp/rtcp.h"

static void same(const struct dt_rtp_packet *a, const struct dt_rtp_packet *b)
{
    must(a->marker == b->marker && a->extended == b->extended && a->seq == b->seq);
    must(a->payload_type == b->payload_type && a->n_csrc == b->n_csrc && a->ssrc == b->ssrc);
    must(a->timestamp == b->timestamp && a->profile == b->profile);
    must(memcmp(a->csrc, b->csrc, sizeof a->csrc) == 0);
    must(dt_str_eq(a->extension, b->extension) && dt_str_eq(a->payload, b->payload));
}

static bool rtp(struct dt_str s, struct dt_rtp_packet *p)
{
    char buf[1024];
    struct dt_writer w = dt_writer(buf, sizeof buf);
    struct dt_rtp_packet again;
    if (dt_rtp_parse(p, s))
        return false;
    inside(p->payload, s);
    inside(p->extension, s);
    dt_rtp_write(&w, p);
    must(w.err == DT_OK && dt_rtp_parse(&again, dt_writer_str(&w)) == DT_OK);
    same(p, &again);
    return true;
}

static void rtcp(struct dt_str s)
{
    struct dt_reader r = dt_reader(s);
    struct dt_rtcp p;
    struct dt_rtcp_block b;
    struct dt_str item;
    int err;
    bool good = dt_rtcp_check(s) == DT_OK;
    while ((err = dt_rtcp_next(&r, &p)) == DT_OK) {
        inside(p.body, s);
        unsigned n = 0;
        while (dt_rtcp_block(&p, n, &b))
            n++;
        must(n <= DT_RTCP_BLOCKS_MAX);
        dt_rtcp_bye_has(&p, 1);
        if (dt_rtcp_sdes_item(&p, 1, DT_RTCP_CNAME, &item))
            inside(item, s);
    }
    must(!good || err == DT_E_ABSENT);
}

static void stream(struct dt_jitter *j, struct dt_rtp_source *source, dt_time now,
                   const struct dt_rtp_packet *p, uint64_t *put)
{
    enum dt_rtp_verdict v = dt_rtp_source_put(source, p, (uint32_t)(now / 125));
    if (v == DT_RTP_DUPLICATE || v == DT_RTP_STRANGE)
        return;
    const struct dt_rtp_codec *codec = dt_rtp_codec_of_payload(p->payload_type);
    dt_jitter_put(j, now, p, codec, v == DT_RTP_RESTART);
    *put += codec && p->payload.n > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dt_jitter j;
    struct dt_rtp_source source;
    dt_time now = 1000 * DT_SECOND;
    uint64_t put = 0;
    dt_jitter_init(&j, 8000);
    dt_rtp_source_init(&source);
    while (size >= 2) {
        size_t n = data[0] < size - 2 ? data[0] : size - 2;
        unsigned control = data[1];
        char *copy = malloc(n ? n : 1);
        must(copy != NULL);
        memcpy(copy, data + 2, n);
        data += 2 + n;
        size -= 2 + n;
        struct dt_str s = {copy, n};
        struct dt_rtp_packet p;
        rtcp(s);
        if (rtp(s, &p))
            stream(&j, &source, now, &p, &put);
        free(copy);
        now += (control & 0x3f) * DT_MS;
        for (unsigned i = 0; i < control >> 6; i++) {
            int16_t out[DT_JITTER_FRAME];
            dt_jitter_get(&j, now + i * 20 * DT_MS, out);
        }
        const struct dt_jitter_counts *c = &j.counts;
        must(c->played + c->late + c->refused + c->duplicates + j.waiting >= put);
        must(c->played + c->late + c->refused + c->duplicates <= put);
    }
    return 0;
}
