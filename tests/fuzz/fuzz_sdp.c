/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any description: parsed, written and parsed again it is the same; taken as an offer and as an
 * answer it leaves the session in order. Seeds: the bodies in tests/corpus/torture. */
#include "dualtone/sdp.h"
#include "fuzz.h"

/* ---- descriptions ---- */

static void one_media(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_str text)
{
    struct dt_reader rest = dt_reader(m->formats);
    struct dt_codec c;
    struct dt_addr a;
    must(m->line < m->end && m->end <= s->n && s->lines[m->line].type == 'm');
    inside(m->type, text);
    inside(m->proto, text);
    inside(m->formats, text);
    must(m->type.n && m->proto.n && m->formats.n);
    for (int n = 0; dt_sdp_codec_next(s, m, &rest, &c); n++)
        must(n < DT_SDP_FORMATS_MAX && c.payload < 128 && c.clock && c.name.n);
    must(dt_sdp_ptime(s, m) <= 1000);
    must(dt_sdp_direction(s, m) <= DT_SENDRECV);
    if (dt_sdp_rtp(s, m, &a) == DT_OK)
        must((a.family == 4 || a.family == 6) && a.port == m->port);
    dt_sdp_rtcp(s, m, &a);
}

static void same(const struct dt_sdp *a, const struct dt_sdp *b)
{
    must(a->n == b->n && a->n_media == b->n_media);
    for (size_t i = 0; i < a->n; i++)
        must(a->lines[i].type == b->lines[i].type &&
             dt_str_eq(a->lines[i].value, b->lines[i].value));
    for (size_t i = 0; i < a->n_media; i++)
        must(a->media[i].port == b->media[i].port && a->media[i].end == b->media[i].end);
}

static void description(struct dt_str text)
{
    static struct dt_sdp a, b;
    size_t at = SIZE_MAX;
    int err = dt_sdp_parse(&a, text, &at);
    must(err == DT_OK ? at == SIZE_MAX : at <= text.n);
    if (err)
        return;
    for (size_t i = 0; i < a.n_media; i++)
        one_media(&a, &a.media[i], text);
    size_t room = text.n + 2 * a.n; /* LF becomes CRLF, and the last may have had none */
    char *copy = malloc(room + 1);
    must(copy != NULL);
    struct dt_writer w = dt_writer(copy, room);
    dt_sdp_write(&w, &a);
    must(w.err == DT_OK && dt_sdp_parse(&b, dt_writer_str(&w), NULL) == DT_OK);
    same(&a, &b);
    free(copy);
}

/* ---- offer and answer ---- */

static const struct dt_codec codecs[] = {
    {{"PCMU", 4}, 8000, 0, 1},
    {{"opus", 4}, 48000, 111, 2},
    {{"telephone-event", 15}, 8000, 101, 1},
};

static void session_init(struct dt_oa *oa, bool v6)
{
    struct dt_media_caps caps = {.codecs = codecs, .n = 3};
    dt_addr_parse(&caps.local, v6 ? DT_STR("[2001:db8::1]:5004") : DT_STR("192.0.2.1:5004"));
    memset(oa, 0, sizeof *oa); /* padding too: copies are compared as bytes */
    dt_oa_init(oa, &caps, 1);
}

static void agreed(const struct dt_media_agreed *m)
{
    must(m->dtmf_payload >= -1 && m->dtmf_payload < 128);
    must(m->direction <= DT_SENDRECV);
    if (!m->active) {
        must(m->direction == DT_INACTIVE);
        return;
    }
    must(m->codec.name.n && m->codec.payload < 128 && m->receive_payload < 128);
    must(!dt_addr_is_any(&m->remote) || !(m->direction & DT_SEND));
}

/* What we write is a description with `lines` media. */
static void written(const struct dt_writer *w, size_t lines)
{
    static struct dt_sdp s;
    must(w->err == DT_OK && dt_sdp_parse(&s, dt_writer_str(w), NULL) == DT_OK);
    must(s.n_media == lines);
}

static void session(struct dt_str text, bool offer_first, bool v6)
{
    static char out[16384];
    static struct dt_oa oa, before;
    struct dt_media_agreed m = {0};
    struct dt_writer w = dt_writer(out, sizeof out);
    session_init(&oa, v6);
    if (offer_first)
        must(dt_oa_offer(&oa, DT_SENDRECV, DT_HOLD_RFC3264, &w) == DT_OK);
    memcpy(&before, &oa, sizeof oa);
    if (dt_oa_remote(&oa, text, &m)) {
        must(memcmp(&oa, &before, sizeof oa) == 0);
        return;
    }
    if (offer_first) {
        agreed(&m);
    } else {
        must(dt_oa_answer(&oa, DT_SENDRECV, DT_HOLD_RFC2543, &w, &m) == DT_OK);
        agreed(&m);
        written(&w, oa.agreed.n_lines);
    }
    must(oa.state == DT_OA_STABLE);
    w = dt_writer(out, sizeof out);
    if (dt_oa_offer(&oa, DT_SEND, DT_HOLD_RFC2543, &w) == DT_OK)
        written(&w, oa.open.n_lines);
    else
        must(oa.agreed.n_lines == DT_SDP_MEDIA_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);
    must(text != NULL);
    if (size)
        memcpy(text, data, size);
    struct dt_str s = {text, size};
    description(s);
    for (unsigned i = 0; i < 4; i++)
        session(s, i & 1, i & 2);
    free(text);
    return 0;
}
