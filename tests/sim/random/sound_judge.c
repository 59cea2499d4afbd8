/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RTP as it is sent (I33), and as it is counted and heard (I34). */
#include "sound.h"

#include "rtp/codec.h"
#include "rtp/rtp.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_PORT = 16384, /* start_media_port */
    LAST_PORT = 32766,
    FRAME = 160,
    RATE = 8000,
    EVEN_MS = 10,   /* packets that differ by no more are neither late nor compressed: jitter.c */
    LATE_MS = 60,   /* a burst after a late tick: three frames */
    WAITS_MS = 240, /* the bound of the jitter buffer, and two frames */
    MISORDER = 100, /* RFC 3550 A.1: beyond them a number is doubted */
    DROPOUT = 3000,
    LOUD = 4000, /* of a mark; all else of a frame is less */
    MURMUR = 900,
    MARK = 48,        /* samples near both ends of a frame, whose signs are its marks: */
    CHECK_BITS = 16,  /* a check sum, */
    NUMBER_BITS = 20, /* the number of the frame, */
    PARTY_BITS = 4,   /* whose it is, */
    SYNC = 0xa6,      /* and this, or the next for the mark at the beginning */
    CONCEALED = 2     /* of so many last frames concealment may repeat a mark */
};

/* ---- marks ---- */

struct mark {
    bool first; /* of its frame */
    uint32_t party, frame;
};

static uint64_t checked(const struct mark *m)
{
    uint64_t v = (uint64_t)(SYNC + m->first) << (NUMBER_BITS + PARTY_BITS) |
                 (uint64_t)m->party << NUMBER_BITS | (m->frame & ((1u << NUMBER_BITS) - 1));
    return v << CHECK_BITS | (v * 0x9e3779b97f4a7c15u >> (64 - CHECK_BITS));
}

/* A sign and loudness of each sample; a murmur stands at both ends of a mark. */
void sound_speak(void *sound, int16_t *samples, size_t n)
{
    struct sound *s = sound;
    struct mark m = {.party = (uint32_t)s->p->index, .frame = s->next++};
    uint64_t last = checked(&m), noise = last | 1;
    m.first = true;
    uint64_t first = checked(&m);
    for (size_t i = 0; i < n; i++) {
        size_t left = n - 1 - i;
        bool in_first = i > 0 && i <= MARK, in_last = left > 0 && left <= MARK;
        noise = noise * 6364136223846793005u + 1442695040888963407u;
        uint64_t sign = in_first ? first >> (MARK - i) : in_last ? last >> (left - 1) : noise >> 63;
        int loud = in_first || in_last ? LOUD : MURMUR;
        samples[i] = (int16_t)(sign & 1 ? loud : -loud);
    }
}

/* As loud as a mark is after one of the codecs, to the bit: sound that was repeated, faded or mixed
 * is not. */
static bool is_loud(int16_t sample)
{
    static int16_t levels[4];
    const struct dt_rtp_codec *codecs[] = {&dt_rtp_codec_pcmu, &dt_rtp_codec_pcma};
    for (int i = 0; i < 4 && !levels[3]; i++) {
        int16_t level = i % 2 ? LOUD : -LOUD;
        uint8_t byte;
        codecs[i / 2]->encode(&byte, &level, 1);
        codecs[i / 2]->decode(&levels[i], &byte, 1);
    }
    return sample == levels[0] || sample == levels[1] || sample == levels[2] || sample == levels[3];
}

/* One sample more; true: a mark ended before it. */
static bool mark_ends(uint64_t *signs, unsigned *run, int16_t sample, struct mark *m)
{
    if (is_loud(sample)) {
        *signs = *signs << 1 | (sample > 0);
        ++*run;
        return false;
    }
    uint64_t mark = *signs & ((UINT64_C(1) << MARK) - 1);
    bool whole = *run == MARK;
    *run = 0;
    m->first = mark >> (CHECK_BITS + NUMBER_BITS + PARTY_BITS) == SYNC + 1;
    m->frame = (uint32_t)(mark >> CHECK_BITS) & ((1u << NUMBER_BITS) - 1);
    m->party = (uint32_t)(mark >> (CHECK_BITS + NUMBER_BITS)) & ((1u << PARTY_BITS) - 1);
    return whole && m->party < PARTIES_MAX && mark == checked(m);
}

/* ---- what is heard (I34) ---- */

/* Frames between the last one that was heard and this one. */
static void count_skipped(struct sound *s, uint32_t party, uint32_t frame)
{
    uint32_t f = s->heard[party];
    if (f == 0 || frame - f > SOUND_RECENT)
        return;
    for (; f < frame; f++)
        if (s->came[party][f % SOUND_RECENT].frame == f + 1)
            s->came[party][f % SOUND_RECENT].on->got.skipped++;
}

/* Concealment repeats what was heard last, of a mark at most one whole frame's last 10 ms
 * unchanged: played twice is a frame whose first mark, too, was heard again. */
static bool is_again(const struct sound *s, uint32_t party, uint32_t frame)
{
    uint32_t last = s->heard[party];
    return last > frame && (last > frame + CONCEALED || s->begun[party] == frame + 1);
}

/* By its last mark. */
static void hear_frame(struct sound *s, uint32_t party, uint32_t frame)
{
    struct world *w = s->p->w;
    const char *from = w->parties[party].name, *to = s->p->name;
    dt_time now = world_now(w), at = s->came[party][frame % SOUND_RECENT].at;
    w->tally->frames_heard++;
    if (is_again(s, party, frame))
        world_fail(w, "I34: %s hears frame %u of %s after frame %u", to, frame, from,
                   s->heard[party] - 1);
    else if (s->came[party][frame % SOUND_RECENT].frame != frame + 1)
        world_fail(w, "I34: %s hears frame %u of %s, which never came", to, frame, from);
    else if (now - at > WAITS_MS * DT_MS && now - s->woke > WAITS_MS * DT_MS)
        world_fail(w, "I34: frame %u of %s waited %lld ms at %s", frame, from,
                   (long long)((now - at) / DT_MS), to);
    else
        count_skipped(s, party, frame);
    s->heard[party] = frame >= s->heard[party] ? frame + 1 : s->heard[party];
    s->begun[party] = 0;
}

void sound_hear(void *sound, const int16_t *samples, size_t n)
{
    struct sound *s = sound;
    struct mark m;
    for (size_t i = 0; i < n; i++) {
        if (!mark_ends(&s->signs, &s->run, samples[i], &m))
            continue;
        if (m.first)
            s->begun[m.party] = m.frame + 1;
        else
            hear_frame(s, m.party, m.frame);
    }
}

/* ---- what is sent (I33) ---- */

static struct stream *stream_at(struct sound *s, uint16_t port)
{
    return &s->streams[(port - FIRST_PORT) / 2 % SOUND_STREAMS];
}

static void judge_next(const struct sound *s, const struct stream *t, const struct dt_rtp_packet *p,
                       dt_time spoken)
{
    struct world *w = s->p->w;
    uint32_t step = p->timestamp - t->sent.timestamp;
    int64_t gone = (int64_t)(p->timestamp - t->sent.first_timestamp) * DT_SECOND / RATE;
    int64_t ahead = gone - (spoken - t->sent.first_at);
    const char *name = s->p->name;
    if (p->ssrc != t->sent.ssrc)
        world_fail(w, "I33: call %u of %s has two sources", t->call, name);
    else if ((uint16_t)(p->seq - t->sent.seq) != 1)
        world_fail(w, "I33: call %u of %s sends %u after %u", t->call, name, p->seq, t->sent.seq);
    else if (step == 0 || step % FRAME != 0 || (step != FRAME && !p->marker))
        world_fail(w, "I33: call %u of %s: %u samples later without a mark", t->call, name, step);
    else if (ahead > DT_MS || (ahead < -LATE_MS * DT_MS && world_now(w) - s->woke > DT_SECOND))
        world_fail(w, "I33: call %u of %s is %lld ms ahead of its clock", t->call, name,
                   (long long)(ahead / DT_MS));
}

static void sent(struct sound *s, const struct dt_addr *from, const struct dt_rtp_packet *p)
{
    struct stream *t = stream_at(s, from->port);
    struct world *w = s->p->w;
    dt_time spoken = party_time(s->p, world_now(w));
    w->tally->frames_sent++;
    if (t->call == 0 || t->local.port != from->port)
        world_fail(w, "I33: %s sends from port %u without a call", s->p->name, from->port);
    else if (t->stopped && world_now(w) > t->stopped_at)
        world_fail(w, "I33: call %u of %s sends after its end", t->call, s->p->name);
    else if (t->sent.any)
        judge_next(s, t, p, spoken);
    if (!t->sent.any) {
        t->sent.any = true;
        t->sent.first_timestamp = p->timestamp;
        t->sent.first_at = spoken;
    }
    t->sent.ssrc = p->ssrc;
    t->sent.timestamp = p->timestamp;
    t->sent.seq = p->seq;
}

/* ---- what came, counted by ourselves ---- */

/* When a frame came here. */
static void note_frame(struct sound *s, struct stream *t, const struct dt_rtp_packet *p)
{
    const struct dt_rtp_codec *codec = dt_rtp_codec_of_payload(p->payload_type);
    int16_t samples[FRAME];
    uint64_t signs = 0;
    unsigned run = 0;
    struct mark m;
    if (!codec || p->payload.n != FRAME)
        return;
    codec->decode(samples, (const uint8_t *)p->payload.p, FRAME);
    for (size_t i = 0; i < FRAME; i++) {
        if (!mark_ends(&signs, &run, samples[i], &m) || m.first)
            continue;
        struct came *c = &s->came[m.party][m.frame % SOUND_RECENT];
        if (c->frame != m.frame + 1)
            *c = (struct came){m.frame + 1, world_now(s->p->w), t};
    }
}

static void note_transit(const struct sound *s, struct stream *t, const struct dt_rtp_packet *p)
{
    int32_t spoken = (int32_t)(p->timestamp - t->got.timestamp);
    if (!t->got.any) {
        t->got.timestamp = p->timestamp;
        t->got.first_at = world_now(s->p->w);
        return;
    }
    dt_time transit = world_now(s->p->w) - t->got.first_at - (dt_time)spoken * DT_SECOND / RATE;
    t->got.least = dt_time_min(t->got.least, transit);
    t->got.most = transit > t->got.most ? transit : t->got.most;
}

static void came(struct sound *s, const struct dt_addr *from, const struct dt_addr *to,
                 const struct dt_rtp_packet *p)
{
    struct stream *t = stream_at(s, to->port);
    if (t->call == 0 || t->local.port != to->port || !t->runs)
        return;
    note_frame(s, t, p);
    note_transit(s, t, p);
    int64_t ahead = t->got.any ? (int16_t)(uint16_t)(p->seq - (uint16_t)t->got.last) : 0;
    int64_t seq = t->got.any ? t->got.last + ahead : p->seq + INT64_C(0x10000);
    bool other = t->got.any && p->ssrc != t->got.ssrc;
    if (other || !dt_addr_eq(from, &t->remote) || ahead <= -MISORDER || ahead >= DROPOUT) {
        t->got.odd = true;
        return;
    }
    int64_t *mine = &t->got.recent[seq % SOUND_RECENT];
    t->got.unique += *mine != seq;
    *mine = seq;
    t->got.first = !t->got.any || seq < t->got.first ? seq : t->got.first;
    t->got.last = !t->got.any || seq > t->got.last ? seq : t->got.last;
    t->got.ssrc = p->ssrc;
    t->got.any = true;
}

static struct sound *sound_of(struct world *w, const struct dt_addr *addr)
{
    for (int i = w->n_proxies; i < w->n_parties; i++) {
        const struct dt_addr own = party_address(&w->parties[i]);
        if (dt_addr_ip_eq(&own, addr))
            return w->parties[i].sound;
    }
    return NULL;
}

static bool is_media(const struct dt_addr *a)
{
    return a->transport == DT_UDP && a->port >= FIRST_PORT && a->port <= LAST_PORT;
}

bool sound_packet(struct world *w, enum dt_sim_fate fate, const struct dt_addr *from,
                  const struct dt_addr *to, const struct dt_bytes *bytes)
{
    struct dt_rtp_packet p;
    if (!is_media(from) || !is_media(to))
        return false;
    struct sound *s = sound_of(w, fate == DT_SIM_SENT ? from : to);
    if (!s || from->port % 2) /* RTCP */
        return true;
    if (dt_rtp_parse(&p, dt_bytes_str(bytes)))
        world_fail(w, "I33: what %s sends is no RTP", s->p->name);
    else if (fate == DT_SIM_SENT)
        sent(s, from, &p);
    else if (fate == DT_SIM_ARRIVED)
        came(s, from, to, &p);
    return true;
}

/* ---- what phones order and engines say ---- */

static struct stream *stream_of(struct sound *s, uint32_t call)
{
    for (int i = 0; i < SOUND_STREAMS; i++)
        if (s->streams[i].call == call && !s->streams[i].stopped)
            return &s->streams[i];
    return NULL;
}

static void begins(struct sound *s, uint32_t call, const struct dt_addr *local,
                   const struct dt_addr *remote)
{
    struct stream *t = stream_of(s, call);
    if (!t) {
        t = stream_at(s, local->port);
        *t = (struct stream){.call = call, .local = *local, .remote = *remote};
    }
    t->got.odd = t->got.odd || !dt_addr_eq(&t->remote, remote);
    t->remote = *remote;
}

void sound_ordered(struct party *p, const struct dt_output *ev)
{
    struct sound *s = p->sound;
    struct dt_word words[DT_WORDS_MAX];
    struct dt_addr local, remote;
    unsigned column;
    if (!s)
        return;
    memset(s->heard, 0, sizeof s->heard); /* who is heard may be another call now */
    int n = dt_words_split(ev->text, "", words, DT_WORDS_MAX, &column);
    if (n > 3 && !dt_addr_parse(&local, words[2].text) && !dt_addr_parse(&remote, words[3].text))
        begins(s, ev->call, &local, &remote);
    struct stream *t = n == 2 ? stream_of(s, ev->call) : NULL;
    if (t) {
        t->stopped = true;
        t->stopped_at = world_now(p->w);
    }
}

/* The number of the word "NAME=number". */
static uint64_t count_in(struct dt_str text, struct dt_str name)
{
    struct dt_word words[DT_WORDS_MAX];
    unsigned column;
    uint64_t v = 0;
    int n = dt_words_split(text, "", words, DT_WORDS_MAX, &column);
    for (int i = 0; i < n; i++)
        if (dt_str_starts(words[i].text, name))
            (void)dt_str_u64(dt_str_sub(words[i].text, name.n, words[i].text.n), UINT64_MAX, &v);
    return v;
}

/* A phone whose clock is not that of who speaks has a frame too many now and then. */
static bool clock_is_wrong(const struct world *w)
{
    for (size_t i = 0; i < w->n_faults; i++)
        if (w->faults[i].kind == FAULT_RATE && !w->faults[i].off && w->faults[i].a >= w->n_proxies)
            return true;
    return false;
}

/* A call's numbers are those of the network: none is counted twice, none forgotten. */
static void judge_counts(const struct sound *s, const struct stream *t, struct dt_str stats)
{
    uint64_t lost = t->got.any ? (uint64_t)(t->got.last - t->got.first + 1) - t->got.unique : 0;
    uint64_t says = count_in(stats, DT_STR("Pkt=")),
             says_lost = count_in(stats, DT_STR("LostPkt="));
    struct world *w = s->p->w;
    if (t->got.odd)
        return;
    w->tally->streams++;
    /* An engine that stood still gets what came meanwhile at once. */
    bool even = t->got.most - t->got.least <= EVEN_MS * DT_MS && s->woke < t->got.first_at &&
                !clock_is_wrong(w);
    w->tally->even_streams += even;
    if (even && t->got.skipped > count_in(stats, DT_STR("LatePkt=")))
        world_fail(w, "I34: in call %u of %s %u frames came in time, and were not heard", t->call,
                   s->p->name, t->got.skipped);
    if (says != t->got.unique || says_lost != lost)
        world_fail(w, "I34: %s counts %llu packets and %llu lost in call %u: %llu and %llu",
                   s->p->name, (unsigned long long)says, (unsigned long long)says_lost, t->call,
                   (unsigned long long)t->got.unique, (unsigned long long)lost);
}

bool sound_said(struct world *w, const struct dt_sim_node *node, const struct dt_output *ev)
{
    struct sound *s = NULL;
    for (int i = w->n_proxies; i < w->n_parties && !s; i++)
        if (w->parties[i].sound && w->parties[i].sound->node == node)
            s = w->parties[i].sound;
    if (!s)
        return false;
    for (int i = 0; i < SOUND_STREAMS; i++) {
        struct stream *t = &s->streams[i];
        if (t->call != ev->call || t->call == 0)
            continue;
        if (dt_str_starts(ev->text, DT_STR("started")) && !t->stopped)
            t->runs = true;
        if (dt_str_starts(ev->text, DT_STR("stats")) && t->stopped && t->runs) {
            judge_counts(s, t, ev->text);
            t->runs = false;
        }
    }
    return true;
}
