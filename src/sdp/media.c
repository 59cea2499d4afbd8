/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a parsed description says of one of its media. */
#include "dualtone/sdp.h"

/* ---- attributes ---- */

/* The lines of `m`, or with NULL those before the first m=. */
static void line_range(const struct dt_sdp *s, const struct dt_sdp_media *m, size_t *from,
                       size_t *to)
{
    *from = m ? m->line : 0;
    *to = m ? m->end : s->n_media ? s->media[0].line : s->n;
}

static bool attribute_is(const struct dt_sdp_line *line, struct dt_str name, struct dt_str *value)
{
    size_t colon = dt_str_find(line->value, ':');
    if (line->type != 'a' || !dt_str_eq(dt_str_sub(line->value, 0, colon), name))
        return false;
    *value = dt_str_sub(line->value, colon + 1, line->value.n);
    return true;
}

bool dt_sdp_attribute(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_str name,
                      struct dt_str *value)
{
    size_t i, to;
    for (line_range(s, m, &i, &to); i < to; i++)
        if (attribute_is(&s->lines[i], name, value))
            return true;
    return false;
}

/* ---- direction ---- */

static const struct dt_str direction_names[] = {
    [DT_INACTIVE] = {"inactive", 8},
    [DT_SEND] = {"sendonly", 8},
    [DT_RECV] = {"recvonly", 8},
    [DT_SENDRECV] = {"sendrecv", 8},
};

const char *dt_direction_name(enum dt_direction d)
{
    return direction_names[d & DT_SENDRECV].p;
}

enum dt_direction dt_direction_flip(enum dt_direction d)
{
    return (d & DT_SEND ? DT_RECV : 0) | (d & DT_RECV ? DT_SEND : 0);
}

static bool find_direction(const struct dt_sdp *s, const struct dt_sdp_media *m,
                           enum dt_direction *out)
{
    size_t i, to;
    struct dt_str value;
    for (line_range(s, m, &i, &to); i < to; i++)
        for (unsigned d = DT_INACTIVE; d <= DT_SENDRECV; d++)
            if (attribute_is(&s->lines[i], direction_names[d], &value)) {
                *out = d;
                return true;
            }
    return false;
}

enum dt_direction dt_sdp_direction(const struct dt_sdp *s, const struct dt_sdp_media *m)
{
    enum dt_direction d = DT_SENDRECV;
    if (!find_direction(s, m, &d))
        find_direction(s, NULL, &d);
    return d;
}

/* ---- addresses ---- */

int dt_sdp_rtp(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_addr *out)
{
    const struct dt_sdp_connection *c = m->connection.host.n ? &m->connection : &s->connection;
    if (!c->host.n)
        return DT_E_ABSENT;
    if (!c->addr.family)
        return DT_E_UNSUPPORTED; /* RFC 8866 5.7 allows a name; who writes one today wants ICE */
    *out = c->addr;
    out->port = m->port;
    return DT_OK;
}

/* "53020" or "53020 IN IP4 126.16.64.4" (RFC 3605 2.1). */
static int read_rtcp(struct dt_str value, struct dt_addr *io)
{
    struct dt_reader r = dt_reader(value);
    uint64_t port;
    struct dt_addr given;
    if (dt_reader_u64(&r, UINT16_MAX, &port))
        return DT_E_SYNTAX;
    io->port = (uint16_t)port;
    if (dt_reader_end(&r))
        return DT_OK;
    bool v6 = dt_reader_word(&r, DT_STR(" IN IP6 "));
    if (!v6 && !dt_reader_word(&r, DT_STR(" IN IP4 ")))
        return DT_E_SYNTAX;
    if (dt_addr_parse(&given, dt_reader_rest(&r)) || given.port || (given.family == 6) != v6)
        return DT_E_SYNTAX;
    given.port = (uint16_t)port;
    *io = given;
    return DT_OK;
}

int dt_sdp_rtcp(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_addr *out)
{
    struct dt_addr addr;
    struct dt_str value;
    int err = dt_sdp_rtp(s, m, &addr);
    if (err)
        return err;
    if (!dt_sdp_attribute(s, m, DT_STR("rtcp"), &value)) {
        addr.port = (uint16_t)(addr.port + 1); /* above 65535 there is none: 0 */
    } else {
        err = read_rtcp(value, &addr);
        if (err)
            return err;
    }
    *out = addr;
    return DT_OK;
}

unsigned dt_sdp_ptime(const struct dt_sdp *s, const struct dt_sdp_media *m)
{
    struct dt_str value;
    uint64_t ms;
    if (!dt_sdp_attribute(s, m, DT_STR("ptime"), &value) || dt_str_u64(value, 1000, &ms))
        return 0;
    return (unsigned)ms;
}

/* ---- codecs ---- */

/* Payload types that need no rtpmap (RFC 3551 6). G722's clock is 8000 by an old mistake (4.5.2).
 */
static const struct dt_codec static_codecs[] = {
    {{"PCMU", 4}, 8000, 0, 1},   {{"GSM", 3}, 8000, 3, 1},    {{"G723", 4}, 8000, 4, 1},
    {{"DVI4", 4}, 8000, 5, 1},   {{"DVI4", 4}, 16000, 6, 1},  {{"LPC", 3}, 8000, 7, 1},
    {{"PCMA", 4}, 8000, 8, 1},   {{"G722", 4}, 8000, 9, 1},   {{"L16", 3}, 44100, 10, 2},
    {{"L16", 3}, 44100, 11, 1},  {{"QCELP", 5}, 8000, 12, 1}, {{"CN", 2}, 8000, 13, 1},
    {{"MPA", 3}, 90000, 14, 1},  {{"G728", 4}, 8000, 15, 1},  {{"DVI4", 4}, 11025, 16, 1},
    {{"DVI4", 4}, 22050, 17, 1}, {{"G729", 4}, 8000, 18, 1},
};

static bool find_static(uint8_t payload, struct dt_codec *out)
{
    for (size_t i = 0; i < sizeof static_codecs / sizeof static_codecs[0]; i++)
        if (static_codecs[i].payload == payload) {
            *out = static_codecs[i];
            return true;
        }
    return false;
}

/* "0 PCMU/8000" or "97 L16/44100/2" (RFC 8866 6.6). */
static bool read_rtpmap(struct dt_str value, uint8_t payload, struct dt_codec *out)
{
    struct dt_reader r = dt_reader(value);
    uint64_t number, clock, channels = 1;
    if (dt_reader_u64(&r, 127, &number) || number != payload || !dt_reader_char(&r, ' '))
        return false;
    struct dt_str name = dt_reader_until(&r, '/');
    if (!name.n || !dt_reader_char(&r, '/') || dt_reader_u64(&r, UINT32_MAX, &clock) || !clock)
        return false;
    if (dt_reader_char(&r, '/') && dt_reader_u64(&r, UINT8_MAX, &channels))
        return false;
    *out = (struct dt_codec){name, (uint32_t)clock, payload, (uint8_t)channels};
    return true;
}

static bool find_codec(const struct dt_sdp *s, const struct dt_sdp_media *m, uint8_t payload,
                       struct dt_codec *out)
{
    struct dt_str value;
    for (size_t i = m->line; i < m->end; i++)
        if (attribute_is(&s->lines[i], DT_STR("rtpmap"), &value) &&
            read_rtpmap(value, payload, out))
            return true;
    return find_static(payload, out);
}

bool dt_sdp_codec_next(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_reader *rest,
                       struct dt_codec *out)
{
    while (!dt_reader_end(rest)) {
        uint64_t payload;
        struct dt_str format = dt_reader_until(rest, ' ');
        while (dt_reader_char(rest, ' '))
            ;
        if (!dt_str_u64(format, 127, &payload) && find_codec(s, m, (uint8_t)payload, out))
            return true;
    }
    return false;
}

static unsigned channels_of(const struct dt_codec *c)
{
    return c->channels ? c->channels : 1;
}

bool dt_codec_eq(const struct dt_codec *a, const struct dt_codec *b)
{
    return dt_str_ieq(a->name, b->name) && a->clock == b->clock && channels_of(a) == channels_of(b);
}
