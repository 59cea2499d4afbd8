/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a compound RTCP packet: nothing is read that is not there, and each report, CNAME
 * and BYE in it, written and read again, is the same. */
#include "fuzz.h"
#include "rtp/rtcp.h"

static void same_block(const struct dt_rtcp_block *a, const struct dt_rtcp_block *b)
{
    must(a->ssrc == b->ssrc && a->fraction == b->fraction && a->lost == b->lost);
    must(a->max_seq == b->max_seq && a->jitter == b->jitter);
    must(a->lsr == b->lsr && a->dlsr == b->dlsr);
    must(a->lost >= -0x800000 && a->lost <= 0x7fffff);
}

static void one(struct dt_rtcp *out, const struct dt_writer *w)
{
    struct dt_reader r = dt_reader(dt_writer_str(w));
    struct dt_rtcp none;
    must(w->err == DT_OK && w->n % 4 == 0);
    must(dt_rtcp_next(&r, out) == DT_OK && dt_rtcp_next(&r, &none) == DT_E_ABSENT);
}

static void report(const struct dt_rtcp *p)
{
    struct dt_rtcp_block blocks[DT_RTCP_BLOCKS_MAX], b;
    struct dt_rtcp again;
    char text[1024];
    struct dt_writer w = dt_writer(text, sizeof text);
    unsigned n = 0;
    while (dt_rtcp_block(p, n, &b)) {
        must(n < DT_RTCP_BLOCKS_MAX);
        blocks[n++] = b;
    }
    must(n == p->count);
    bool sr = p->type == DT_RTCP_SR;
    dt_rtcp_write_report(&w, p->ssrc, sr ? &p->sender : NULL, blocks, n);
    one(&again, &w);
    must(dt_rtcp_check(dt_writer_str(&w)) == DT_OK);
    must(again.type == p->type && again.count == n && again.ssrc == p->ssrc);
    must(again.sender.ntp == p->sender.ntp && again.sender.timestamp == p->sender.timestamp);
    must(again.sender.packets == p->sender.packets && again.sender.octets == p->sender.octets);
    for (unsigned i = 0; i < n; i++) {
        must(dt_rtcp_block(&again, i, &b));
        same_block(&blocks[i], &b);
        uint32_t trip = dt_rtcp_round_trip(&b, p->sender.ntp);
        must(trip <= (uint32_t)(p->sender.ntp >> 16) - b.lsr);
    }
}

/* The first four bytes of the body name a source: what is said of it is found, and said again. */
static void about(const struct dt_rtcp *p, struct dt_str whole)
{
    struct dt_str item, copy;
    struct dt_rtcp again;
    char text[512];
    struct dt_writer w = dt_writer(text, sizeof text);
    uint32_t ssrc = 0;
    if (p->body.n < 4)
        return;
    for (size_t i = 0; i < 4; i++)
        ssrc = ssrc << 8 | (uint8_t)p->body.p[i];
    if (p->type == DT_RTCP_BYE && p->count) {
        must(dt_rtcp_bye_has(p, ssrc));
        dt_rtcp_write_bye(&w, ssrc, dt_str_sub(p->body, 4, 200));
        one(&again, &w);
        must(again.type == DT_RTCP_BYE && again.count == 1 && dt_rtcp_bye_has(&again, ssrc));
        must(!dt_rtcp_bye_has(&again, ssrc + 1));
    }
    if (!dt_rtcp_sdes_item(p, ssrc, DT_RTCP_CNAME, &item))
        return;
    must(p->type == DT_RTCP_SDES && item.n <= DT_RTCP_TEXT_MAX);
    inside(item, whole);
    dt_rtcp_write_cname(&w, ssrc, item);
    one(&again, &w);
    must(dt_rtcp_sdes_item(&again, ssrc, DT_RTCP_CNAME, &copy) && dt_str_eq(item, copy));
    must(!dt_rtcp_sdes_item(&again, ssrc + 1, DT_RTCP_CNAME, &copy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = copy_of((struct dt_str){(const char *)data, size}, 0);
    struct dt_str s = {copy, size};
    struct dt_reader r = dt_reader(s);
    struct dt_rtcp p;
    bool good = dt_rtcp_check(s) == DT_OK;
    int err;
    while ((err = dt_rtcp_next(&r, &p)) == DT_OK) {
        inside(p.body, s);
        inside(p.blocks, s);
        if (p.type == DT_RTCP_SR || p.type == DT_RTCP_RR)
            report(&p);
        about(&p, s);
    }
    must(err == DT_E_ABSENT || err == DT_E_SYNTAX);
    must(!good || err == DT_E_ABSENT);
    free(copy);
    return 0;
}
