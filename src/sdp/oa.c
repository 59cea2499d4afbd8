/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Offer and answer for one audio stream (RFC 3264; in SIP: RFC 6337). What an exchange would bring
 * is put together beside what is agreed, and takes its place only when both sides have spoken. */
#include <string.h>

#include "sdp/oa.h"

/* ---- the machine ---- */

enum oa_event { OFFER, REMOTE, ANSWER, ROLLBACK };

/* What is not here is DT_E_STATE: at most one offer is open (I15). */
static const struct oa_rule {
    enum dt_oa_state state;
    enum oa_event event;
    enum dt_oa_state next;
} oa_rules[] = {
    {DT_OA_STABLE, OFFER, DT_OA_LOCAL_OFFER},   {DT_OA_STABLE, REMOTE, DT_OA_REMOTE_OFFER},
    {DT_OA_LOCAL_OFFER, REMOTE, DT_OA_STABLE},  {DT_OA_LOCAL_OFFER, ROLLBACK, DT_OA_STABLE},
    {DT_OA_REMOTE_OFFER, ANSWER, DT_OA_STABLE}, {DT_OA_REMOTE_OFFER, ROLLBACK, DT_OA_STABLE},
};

static const struct oa_rule *find_rule(const struct dt_oa *oa, enum oa_event event)
{
    for (size_t i = 0; i < sizeof oa_rules / sizeof oa_rules[0]; i++)
        if (oa_rules[i].state == oa->state && oa_rules[i].event == event)
            return &oa_rules[i];
    return NULL;
}

void dt_oa_init(struct dt_oa *oa, const struct dt_media_caps *caps, uint64_t session_id)
{
    *oa = (struct dt_oa){.caps = *caps, .session_id = session_id, .state = DT_OA_STABLE};
    if (oa->caps.n > DT_OA_CODECS_MAX)
        oa->caps.n = DT_OA_CODECS_MAX;
    oa->agreed.media.dtmf_payload = oa->agreed.media.dtmf_receive_payload = -1;
}

void dt_oa_rollback(struct dt_oa *oa)
{
    const struct oa_rule *rule = find_rule(oa, ROLLBACK);
    if (rule)
        oa->state = rule->next;
}

/* ---- payload numbers ---- */

static bool may_own(const struct dt_oa_terms *t, unsigned number, unsigned codec)
{
    return number < 128 && (!t->owner[number] || t->owner[number] == codec + 1);
}

/* The number for `codec` in our description: `wanted`, unless it already means something else. */
static void bind_payload(struct dt_oa_terms *t, unsigned codec, unsigned wanted)
{
    unsigned number = wanted;
    if (!may_own(t, number, codec))
        for (number = 96; number < 128 && !may_own(t, number, codec);)
            number++;
    if (number == 128)
        number = wanted & 127; /* they have used up all numbers: any choice breaks the rule */
    t->owner[number] = (uint8_t)(codec + 1);
    t->payload[codec] = (uint8_t)number;
}

/* ---- lines ---- */

static int copy_text(char *to, size_t size, struct dt_str s)
{
    if (s.n >= size)
        return DT_E_LIMIT;
    if (s.n)
        memcpy(to, s.p, s.n);
    to[s.n] = '\0';
    return DT_OK;
}

static int copy_line(struct dt_oa_line *to, struct dt_str type, struct dt_str proto,
                     struct dt_str format)
{
    int err = copy_text(to->type, sizeof to->type, type);
    if (!err)
        err = copy_text(to->proto, sizeof to->proto, proto);
    return err ? err : copy_text(to->format, sizeof to->format, format);
}

static bool is_audio(struct dt_str type, struct dt_str proto)
{
    return dt_str_eq(type, DT_STR("audio")) && dt_str_eq(proto, DT_STR("RTP/AVP"));
}

/* The line of our offer: the one in use, a refused one (RFC 3264 8.1), or a new one. */
static int take_line(struct dt_oa_terms *t)
{
    if (t->media.active)
        return DT_OK;
    for (t->audio = 0; t->audio < t->n_lines; t->audio++) {
        const struct dt_oa_line *line = &t->lines[t->audio];
        if (is_audio(dt_str_z(line->type), dt_str_z(line->proto)))
            return DT_OK;
    }
    if (t->n_lines == DT_SDP_MEDIA_MAX)
        return DT_E_LIMIT;
    return copy_line(&t->lines[t->n_lines++], DT_STR("audio"), DT_STR("RTP/AVP"), DT_STR("0"));
}

/* ---- what they said ---- */

/* Fills codecs and payload numbers of `t` from the formats of `m`; false if there is no voice. The
 * first of theirs that we have is the one (RFC 3264 6.1). */
static bool match_codecs(const struct dt_oa *oa, const struct dt_sdp *s,
                         const struct dt_sdp_media *m, struct dt_oa_terms *t)
{
    struct dt_reader rest = dt_reader(m->formats);
    struct dt_codec theirs;
    bool voice = false;
    uint32_t seen = 0;
    t->media.dtmf_payload = -1;
    t->n_common = 0;
    while (dt_sdp_codec_next(s, m, &rest, &theirs)) {
        unsigned i = 0;
        while (i < oa->caps.n && !dt_codec_eq(&oa->caps.codecs[i], &theirs))
            i++;
        if (i == oa->caps.n || seen >> i & 1)
            continue;
        seen |= (uint32_t)1 << i;
        t->common[t->n_common++] = (uint8_t)i;
        if (oa->state == DT_OA_STABLE)
            bind_payload(t, i, theirs.payload); /* the answer names it as the offer did */
        if (dt__codec_is_dtmf(&theirs)) {
            t->media.dtmf_payload = theirs.payload;
            t->media.dtmf_receive_payload = t->payload[i];
        } else if (!voice && dt__codec_is_voice(&theirs)) {
            voice = true;
            t->media.codec = oa->caps.codecs[i];
            t->media.codec.payload = theirs.payload;
            t->media.receive_payload = t->payload[i];
        }
    }
    if (t->media.dtmf_payload < 0)
        t->media.dtmf_receive_payload = -1;
    return voice;
}

/* Can we send there? Nobody is meant to at 0.0.0.0, so any family will do. */
static bool can_reach(const struct dt_oa *oa, const struct dt_addr *a)
{
    return dt_addr_is_any(a) || !oa->caps.local.family || a->family == oa->caps.local.family;
}

/* Their line `m` as our stream. DT_E_UNSUPPORTED if it cannot be that. */
static int read_stream(const struct dt_oa *oa, const struct dt_sdp *s, const struct dt_sdp_media *m,
                       struct dt_oa_terms *t)
{
    if (!is_audio(m->type, m->proto))
        return DT_E_UNSUPPORTED;
    int err = dt_sdp_rtp(s, m, &t->media.remote);
    if (!err)
        err = dt_sdp_rtcp(s, m, &t->media.remote_rtcp);
    if (err)
        return err == DT_E_ABSENT ? DT_E_SYNTAX : err; /* RFC 8866 5.7: there must be a c= */
    if (!can_reach(oa, &t->media.remote) || !match_codecs(oa, s, m, t))
        return DT_E_UNSUPPORTED;
    t->media.active = true;
    t->media.ptime = dt_sdp_ptime(s, m);
    t->remote = dt_sdp_direction(s, m);
    t->media.remote_hold = !(t->remote & DT_RECV) || dt_addr_is_any(&t->media.remote);
    return DT_OK;
}

static void no_stream(struct dt_oa_terms *t)
{
    t->media = (struct dt_media_agreed){.dtmf_payload = -1, .dtmf_receive_payload = -1};
    t->n_common = 0;
}

/* What is left of `ours` after what they want. To c=0.0.0.0 nothing is sent, though it leaves the
 * direction in the answer alone (RFC 6337 5.4). */
static void settle(struct dt_oa_terms *t, enum dt_direction ours)
{
    t->media.direction = ours & dt_direction_flip(t->remote);
    if (dt_addr_is_any(&t->media.remote))
        t->media.direction &= DT_RECV;
    if (!t->media.active)
        t->media.direction = DT_INACTIVE;
}

static int keep_lines(const struct dt_sdp *s, struct dt_oa_terms *t)
{
    if (s->n_media < t->n_lines)
        return DT_E_SYNTAX; /* lines stay for the session (RFC 3264 8) */
    for (t->n_lines = 0; t->n_lines < s->n_media; t->n_lines++) {
        const struct dt_sdp_media *m = &s->media[t->n_lines];
        struct dt_str first = dt_str_sub(m->formats, 0, dt_str_find(m->formats, ' '));
        int err = copy_line(&t->lines[t->n_lines], m->type, m->proto, first);
        if (err)
            return err;
    }
    return DT_OK;
}

/* The first stream that we can do; the others will be refused. */
static int read_offer(const struct dt_oa *oa, const struct dt_sdp *s, struct dt_oa_terms *t)
{
    int err = keep_lines(s, t), verdict = DT_OK;
    if (err)
        return err;
    for (t->audio = 0; t->audio < s->n_media; t->audio++) {
        if (!s->media[t->audio].port)
            continue;
        err = read_stream(oa, s, &s->media[t->audio], t);
        if (err != DT_E_UNSUPPORTED)
            return err;
        verdict = err;
    }
    no_stream(t);
    return verdict;
}

/* RFC 3264 6: as many lines as the offer had, each in its place. */
static int read_answer(const struct dt_oa *oa, const struct dt_sdp *s, struct dt_oa_terms *t)
{
    const struct dt_sdp_media *m = &s->media[t->audio];
    if (s->n_media != t->n_lines || !dt_str_eq(m->type, DT_STR("audio")))
        return DT_E_SYNTAX;
    if (!m->port) {
        no_stream(t);
        return DT_OK;
    }
    int err = read_stream(oa, s, m, t);
    settle(t, oa->offered);
    return err;
}

int dt_oa_remote(struct dt_oa *oa, struct dt_str sdp, struct dt_media_agreed *out)
{
    const struct oa_rule *rule = find_rule(oa, REMOTE);
    bool answer = oa->state == DT_OA_LOCAL_OFFER;
    struct dt_oa_terms t = answer ? oa->open : oa->agreed;
    struct dt_sdp s;
    if (!rule)
        return DT_E_STATE;
    int err = dt_sdp_parse(&s, sdp, NULL);
    if (!err)
        err = answer ? read_answer(oa, &s, &t) : read_offer(oa, &s, &t);
    if (err)
        return err;
    oa->open = t;
    oa->state = rule->next;
    if (!answer)
        return DT_OK;
    oa->agreed = t;
    if (out)
        *out = t.media;
    return DT_OK;
}

/* ---- what we say ---- */

/* Hold as RFC 2543 had it; it does not exist for IPv6 (RFC 3264 8.4). */
static bool is_zero(const struct dt_oa *oa, enum dt_direction want, enum dt_hold_form form)
{
    return form == DT_HOLD_RFC2543 && !(want & DT_RECV) && oa->caps.local.family != 6;
}

int dt_oa_offer(struct dt_oa *oa, enum dt_direction want, enum dt_hold_form form,
                struct dt_writer *w)
{
    const struct oa_rule *rule = find_rule(oa, OFFER);
    struct dt_oa_terms t = oa->agreed;
    uint8_t all[DT_OA_CODECS_MAX];
    if (!rule)
        return DT_E_STATE;
    int err = take_line(&t);
    if (err)
        return err;
    for (unsigned i = 0; i < oa->caps.n; i++) {
        all[i] = (uint8_t)i;
        /* What they have had a number for keeps it. */
        bool known = t.owner[t.payload[i]] == i + 1;
        bind_payload(&t, i, known ? t.payload[i] : oa->caps.codecs[i].payload);
    }
    struct dt__oa_text text = {&t, all, oa->caps.n, want, is_zero(oa, want, form)};
    err = dt__oa_describe(oa, &text, w);
    if (err)
        return err;
    oa->open = t;
    oa->offered = want;
    oa->state = rule->next;
    return DT_OK;
}

int dt_oa_answer(struct dt_oa *oa, enum dt_direction want, enum dt_hold_form form,
                 struct dt_writer *w, struct dt_media_agreed *out)
{
    const struct oa_rule *rule = find_rule(oa, ANSWER);
    struct dt_oa_terms t = oa->open;
    if (!rule)
        return DT_E_STATE;
    settle(&t, want);
    enum dt_direction said = want & dt_direction_flip(t.remote);
    struct dt__oa_text text = {&t, t.common, t.n_common, said, is_zero(oa, want, form)};
    int err = dt__oa_describe(oa, &text, w);
    if (err)
        return err;
    oa->agreed = t;
    oa->state = rule->next;
    if (out)
        *out = t.media;
    return DT_OK;
}
