/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Our own descriptions (RFC 8866 5, RFC 3264 5 and 6). */
#include "sdp/oa.h"

/* Parameters that go with a coding wherever it is named. */
static const struct fmtp {
    struct dt_str name, value;
} fmtps[] = {
    {{"telephone-event", 15}, {"0-15", 4}}, /* digits, *, #, A to D (RFC 4733 2.4.1) */
    {{"G729", 4}, {"annexb=no", 9}},        /* without it comfort noise is on (RFC 3555 4.1.9) */
};

bool dt__codec_is_dtmf(const struct dt_codec *c)
{
    return dt_str_ieq(c->name, DT_STR("telephone-event"));
}

bool dt__codec_is_voice(const struct dt_codec *c)
{
    return !dt__codec_is_dtmf(c) && !dt_str_ieq(c->name, DT_STR("CN"));
}

static void write_connection(struct dt_writer *w, const struct dt_addr *a)
{
    dt_write(w, a->family == 6 ? DT_STR("IN IP6 ") : DT_STR("IN IP4 "));
    dt_addr_write_ip(w, a, false);
    dt_write_lit(w, "\r\n");
}

static void write_session(struct dt_writer *w, const struct dt_oa *oa, bool zero)
{
    static const struct dt_addr any = {.family = 4};
    dt_write_lit(w, "v=0\r\no=- ");
    dt_write_u64(w, oa->session_id);
    dt_write_char(w, ' ');
    dt_write_u64(w, oa->version);
    dt_write_char(w, ' ');
    write_connection(w, &oa->caps.local);
    dt_write_lit(w, "s=-\r\nc=");
    write_connection(w, zero ? &any : &oa->caps.local);
    dt_write_lit(w, "t=0 0\r\n");
}

static void write_attribute(struct dt_writer *w, struct dt_str name, uint8_t payload)
{
    dt_write_lit(w, "a=");
    dt_write(w, name);
    dt_write_char(w, ':');
    dt_write_u64(w, payload);
    dt_write_char(w, ' ');
}

static void write_codec(struct dt_writer *w, const struct dt_codec *c, uint8_t payload)
{
    write_attribute(w, DT_STR("rtpmap"), payload);
    dt_write(w, c->name);
    dt_write_char(w, '/');
    dt_write_u64(w, c->clock);
    if (c->channels > 1) {
        dt_write_char(w, '/');
        dt_write_u64(w, c->channels);
    }
    dt_write_lit(w, "\r\n");
    for (size_t i = 0; i < sizeof fmtps / sizeof fmtps[0]; i++) {
        if (!dt_str_ieq(fmtps[i].name, c->name))
            continue;
        write_attribute(w, DT_STR("fmtp"), payload);
        dt_write(w, fmtps[i].value);
        dt_write_lit(w, "\r\n");
    }
}

static void write_media_head(struct dt_writer *w, const struct dt_oa_line *line, uint16_t port)
{
    dt_write_lit(w, "m=");
    dt_write_z(w, line->type);
    dt_write_char(w, ' ');
    dt_write_u64(w, port);
    dt_write_char(w, ' ');
    dt_write_z(w, line->proto);
}

static void write_audio(struct dt_writer *w, const struct dt_oa *oa, const struct dt__oa_text *text)
{
    const struct dt_oa_terms *t = text->terms;
    write_media_head(w, &t->lines[t->audio], oa->caps.local.port);
    for (size_t i = 0; i < text->n; i++) {
        dt_write_char(w, ' ');
        dt_write_u64(w, t->payload[text->codecs[i]]);
    }
    dt_write_lit(w, "\r\n");
    for (size_t i = 0; i < text->n; i++)
        write_codec(w, &oa->caps.codecs[text->codecs[i]], t->payload[text->codecs[i]]);
    if (text->zero)
        return; /* RFC 2543 B.5 knows the address only */
    dt_write_lit(w, "a=");
    dt_write_z(w, dt_direction_name(text->direction));
    dt_write_lit(w, "\r\n");
}

static void write_all(struct dt_writer *w, const struct dt_oa *oa, const struct dt__oa_text *text)
{
    const struct dt_oa_terms *t = text->terms;
    write_session(w, oa, text->zero);
    for (unsigned i = 0; i < t->n_lines; i++) {
        if (i == t->audio) {
            write_audio(w, oa, text);
            continue;
        }
        write_media_head(w, &t->lines[i], 0);
        dt_write_char(w, ' ');
        dt_write_z(w, t->lines[i].format);
        dt_write_lit(w, "\r\n");
    }
}

/* The digest is not a secret and guards nothing: it only spares a copy of the last text. */
static uint64_t digest(struct dt_str text)
{
    static const uint64_t key[2] = {0, 0};
    return dt_siphash(key, text);
}

int dt__oa_describe(struct dt_oa *oa, const struct dt__oa_text *text, struct dt_writer *w)
{
    size_t from = w->n;
    uint64_t version = oa->version, written;
    /* With the version of the last time first: only a text that differs gets the next one
     * (RFC 3264 8, I15). */
    write_all(w, oa, text);
    written = digest(dt_str_sub(dt_writer_str(w), from, w->n));
    if (written != oa->written) {
        w->n = from;
        oa->version++;
        write_all(w, oa, text);
        written = digest(dt_str_sub(dt_writer_str(w), from, w->n));
    }
    if (w->err) {
        oa->version = version;
        return DT_E_LIMIT;
    }
    oa->written = written;
    return DT_OK;
}
