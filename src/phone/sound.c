/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Orders to the media engine (media.h), and RTP ports. */
#include "phone/internal.h"

/* Preference order: from the first, or from the second (RFC 3551 6). */
static const struct dt_codec codecs[] = {
    {.name = {"PCMU", 4}, .clock = 8000, .payload = 0, .channels = 1},
    {.name = {"PCMA", 4}, .clock = 8000, .payload = 8, .channels = 1},
    {.name = {"PCMU", 4}, .clock = 8000, .payload = 0, .channels = 1},
};

static bool is_port_used(const struct dt_phone *p, uint16_t port)
{
    DT_LIST_EACH(e, &p->calls)
    if (DT_OF(e, struct phone_call, link)->rtp_port == port)
        return true;
    return false;
}

uint16_t dt__phone_port_take(struct dt_phone *p)
{
    uint16_t first = (uint16_t)((p->cfg->start_media_port + 1) & ~INT64_C(1));
    int64_t last = p->cfg->end_media_port - 1; /* RTCP is the port above */
    unsigned count = (unsigned)(last - first) / 2 + 1;
    for (unsigned i = 0; i < count; i++) {
        uint16_t port = p->next_port < first || p->next_port > last ? first : p->next_port;
        p->next_port = (uint16_t)(port + 2);
        if (!is_port_used(p, port))
            return port;
    }
    return 0;
}

struct dt_media_caps dt__phone_caps(const struct dt_phone *p, const struct phone_call *c)
{
    struct dt_media_caps caps = {
        .local = p->local,
        .codecs = codecs + (p->cfg->preferred_codec == DT__PHONE_G711A),
        .n = 2,
    };
    caps.local.port = c->rtp_port;
    caps.local.transport = DT_UDP;
    return caps;
}

/* On hold sound goes neither way, whatever form the hold has on the wire (guide v4.0 B-9): the held
 * one must not hear what is said here. Nothing goes to 0.0.0.0, and nothing comes from there. */
static enum dt_direction direction_of(const struct dt_phone *p, const struct phone_call *c,
                                      const struct dt_media_agreed *m)
{
    struct dt_call_view view;
    bool held = !dt_ua_view(p->ua, c->id, &view) && view.local_hold;
    return held || dt_addr_is_any(&m->remote) ? DT_INACTIVE : m->direction;
}

void dt__phone_sound_set(struct dt_phone *p, struct phone_call *c, const struct dt_media_agreed *m)
{
    char local[DT_ADDR_TEXT_MAX], remote[DT_ADDR_TEXT_MAX];
    struct dt_addr addr = dt__phone_caps(p, c).local;
    if (!m->active) {
        dt__phone_sound_stop(p, c);
        return;
    }
    if (c->phase == DT__PHONE_ENDING || c->phase == DT__PHONE_OVER)
        return; /* I14 */
    c->sound = true;
    dt_outbox_event(&p->out, DT_EV_MEDIA, c->number, "start %lu %s %s %.*s/%u %s",
                    (unsigned long)c->number, dt_addr_text(&addr, local),
                    dt_addr_text(&m->remote, remote), DT_FMT(m->codec.name),
                    (unsigned)m->codec.payload, dt_direction_name(direction_of(p, c, m)));
}

void dt__phone_sound_stop(struct dt_phone *p, struct phone_call *c)
{
    if (c->sound)
        dt_outbox_event(&p->out, DT_EV_MEDIA, c->number, "stop %lu", (unsigned long)c->number);
    c->sound = false;
}

void dt__phone_sound_report(struct dt_phone *p, struct dt_str line)
{
    struct dt_word words[DT_WORDS_MAX];
    unsigned column;
    uint64_t number;
    int n = dt_words_split(line, "", words, DT_WORDS_MAX, &column);
    if (n < 2 || dt_str_u64(words[1].text, UINT32_MAX, &number))
        return;
    const struct phone_call *c = dt__phone_call_find(p, (uint32_t)number);
    if (c && dt_str_eq(words[0].text, DT_STR("failed")))
        dt_outbox_event(&p->out, DT_EV_PROBLEM, c->number,
                        "There is no sound in the call with %s: %.*s; hang up and dial again.",
                        c->shown,
                        DT_FMT(n > 2 ? dt_str_sub(line, words[2].column - 1, line.n)
                                     : DT_STR("the media engine failed")));
    dt_log(p->env, DT_LOG_INFO, "phone", DT_STR_NONE, "media: %.*s", DT_FMT(line));
}
