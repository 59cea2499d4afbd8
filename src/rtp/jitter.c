/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The time line: places are counted in samples like timestamps, but go on over wraps, jumps and new
 * senders. A packet's transit is its arrival minus its place; `play` is the place that is played
 * next; now - base - play is the play-out delay. */
#include <string.h>

#include "rtp/jitter.h"

enum {
    FRAME = DT_JITTER_FRAME,
    START_MS = 40,      /* delay of the first packet, at most; 20 ms less at least */
    JUMP_MS = 400,      /* timestamps that leave arrivals by more are another clock */
    SHRINK_MS = 30,     /* above the target before sound is compressed */
    GROW_MS = 10,       /* below the target before silence is stretched */
    BEHIND_MAX = 10,    /* packets */
    COMPRESS_EVERY = 10 /* frames */
};

void dt_jitter_init(struct dt_jitter *j, uint32_t rate)
{
    memset(j, 0, sizeof *j);
    j->rate = rate;
    dt_delay_init(&j->delay, rate);
    dt_plc_init(&j->plc);
    for (unsigned i = 0; i < DT_JITTER_PACKETS; i++)
        j->order[i] = (uint8_t)i;
}

static int64_t units(const struct dt_jitter *j, dt_time t)
{
    return t / DT_SECOND * j->rate + t % DT_SECOND * j->rate / DT_SECOND;
}

static int64_t ms(const struct dt_jitter *j, int64_t n)
{
    return n * j->rate / 1000;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t delay_at(const struct dt_jitter *j, int64_t now)
{
    return now - j->delay.base - j->play;
}

int64_t dt_jitter_delay(const struct dt_jitter *j, dt_time now)
{
    return j->playing ? delay_at(j, units(j, now)) : 0;
}

static struct dt_jitter_slot *head(struct dt_jitter *j)
{
    return j->waiting ? &j->slots[j->order[0]] : NULL;
}

/* The first waiting packet is played, or given up; its slot is free after that, and its bytes hold
 * until the next put. */
static struct dt_jitter_slot *pass(struct dt_jitter *j, bool played)
{
    uint8_t index = j->order[0];
    struct dt_jitter_slot *s = &j->slots[index];
    int64_t missing = j->passed_any ? s->seq - j->passed - 1 : 0;
    j->waiting--;
    memmove(j->order, j->order + 1, j->waiting);
    j->order[j->waiting] = index;
    j->passed = s->seq;
    j->passed_any = true;
    j->counts.holes += (uint64_t)missing;
    if (s->n == 0)
        return s;
    if (played) {
        j->counts.played++;
    } else {
        j->counts.late++;
        j->counts.holes++;
    }
    return s;
}

/* ---- in ---- */

/* Where a new clock's packet goes: as one that waited nowhere, behind what there is. */
static int64_t replace(struct dt_jitter *j, int64_t arrival)
{
    int64_t at = later(arrival - j->delay.base, later(j->max_end, j->real_end));
    dt_delay_restart(&j->delay, arrival, arrival - at);
    return at;
}

/* The number and the place of a packet. */
static void place(struct dt_jitter *j, int64_t arrival, const struct dt_rtp_packet *p, bool restart,
                  struct dt_jitter_slot *s)
{
    if (!j->begun) {
        s->seq = p->seq;
        s->at = arrival;
        return;
    }
    int64_t ahead = (int16_t)(uint16_t)(p->seq - j->max_wire);
    int64_t moved = (int32_t)(p->timestamp - j->max_timestamp);
    int64_t drift = moved - (arrival - j->max_arrival);
    s->seq = j->max_seq + (restart ? 1 : ahead);
    s->at = j->max_at + moved;
    bool jump = drift > ms(j, JUMP_MS) || drift < -ms(j, JUMP_MS);
    if (s->n > 0 && (restart || (jump && ahead > 0)))
        s->at = replace(j, arrival);
}

static void keep_newest(struct dt_jitter *j, const struct dt_jitter_slot *s, int64_t arrival,
                        const struct dt_rtp_packet *p)
{
    bool newest = !j->begun || s->seq > j->max_seq;
    j->begun = true;
    if (!newest)
        return;
    j->max_seq = s->seq;
    j->max_wire = p->seq;
    if (s->n == 0)
        return; /* events keep the timestamp of their beginning (RFC 4733 2.3) */
    j->max_at = s->at;
    j->max_end = s->at + (int64_t)s->n;
    j->max_timestamp = p->timestamp;
    j->max_arrival = arrival;
}

/* Sound had run out, and its continuation comes now: nothing after it was played, so it is played
 * now, and the delay has grown. Beyond the bounds it is too late; but when all are, this is how
 * things are now. */
static void wind_back(struct dt_jitter *j, struct dt_jitter_slot *s, int64_t arrival)
{
    int64_t back = later(s->at, j->real_end);
    bool ran_out = j->playing && j->waiting == 0 && j->queued == 0;
    if (s->n == 0 || !ran_out)
        return;
    if (back >= j->play) {
        j->behind = 0;
        return;
    }
    if (arrival - j->delay.base - back <= ms(j, DT_DELAY_MAX_MS)) {
        j->play = back;
        j->behind = 0;
        return;
    }
    if (++j->behind < BEHIND_MAX)
        return;
    j->behind = 0;
    s->at = replace(j, arrival);
    j->play = s->at < j->play ? s->at : j->play;
}

/* The slot for a packet by its number; false: there is one already. */
static bool insert(struct dt_jitter *j, struct dt_jitter_slot *s)
{
    size_t i = j->waiting;
    while (i > 0 && j->slots[j->order[i - 1]].seq >= s->seq)
        i--;
    if (i < j->waiting && j->slots[j->order[i]].seq == s->seq)
        return false;
    uint8_t index = (uint8_t)(s - j->slots);
    memmove(j->order + i + 1, j->order + i, j->waiting - i);
    j->order[i] = index;
    j->waiting++;
    return true;
}

void dt_jitter_put(struct dt_jitter *j, dt_time arrival, const struct dt_rtp_packet *p,
                   const struct dt_rtp_codec *codec, bool restart)
{
    size_t n = codec ? p->payload.n / codec->bytes : 0;
    if (n * (codec ? codec->bytes : 0) > DT_JITTER_BYTES) {
        j->counts.refused++;
        return;
    }
    if (j->waiting == DT_JITTER_PACKETS)
        pass(j, false);
    struct dt_jitter_slot *s = &j->slots[j->order[j->waiting]];
    int64_t now = units(j, arrival);
    *s = (struct dt_jitter_slot){.codec = codec, .n = n};
    if (n)
        memcpy(s->data, p->payload.p, n * codec->bytes);
    place(j, now, p, restart, s);
    if (n)
        dt_delay_put(&j->delay, now, now - s->at);
    if (j->passed_any && s->seq <= j->passed) {
        j->counts.late += n > 0;
        return;
    }
    wind_back(j, s, now);
    if (insert(j, s))
        keep_newest(j, s, now, p);
    else
        j->counts.duplicates += n > 0;
}

/* ---- out ---- */

static void drop_queue(struct dt_jitter *j, size_t n)
{
    j->queued -= n;
    memmove(j->queue, j->queue + n, j->queued * sizeof j->queue[0]);
}

/* Decodes the packets that follow the queue without a gap, until it holds `need`. */
static void fill(struct dt_jitter *j, size_t need)
{
    for (struct dt_jitter_slot *s; j->queued < need && (s = head(j)) != NULL;) {
        int64_t skip = j->play + (int64_t)j->queued - s->at;
        if (s->n == 0) {
            pass(j, true);
            continue;
        }
        if (skip < 0)
            return;
        if (skip >= (int64_t)s->n) {
            pass(j, false);
            continue;
        }
        pass(j, true);
        size_t n = s->n - (size_t)skip;
        s->codec->decode(j->queue + j->queued, s->data + (size_t)skip * s->codec->bytes, n);
        j->queued += n;
        j->real_end = j->play + (int64_t)j->queued;
    }
}

static void take_real(struct dt_jitter *j, int16_t *out, size_t n)
{
    memcpy(out, j->queue, n * sizeof out[0]);
    dt_plc_real(&j->plc, out, n);
    drop_queue(j, n);
    j->play += (int64_t)n;
}

static void conceal(struct dt_jitter *j, int16_t *out, size_t n)
{
    dt_plc_conceal(&j->plc, out, n);
    j->counts.concealed_samples += n;
}

/* A frame of what there is, and of concealment where there is nothing. */
static void copy(struct dt_jitter *j, int16_t *out)
{
    for (size_t n = 0, k; n < FRAME; n += k) {
        k = FRAME - n;
        fill(j, 1);
        const struct dt_jitter_slot *s = head(j);
        if (j->queued) {
            k = j->queued < k ? j->queued : k;
            take_real(j, out + n, k);
            continue;
        }
        if (s && s->at - j->play < (int64_t)k)
            k = (size_t)(s->at - j->play);
        conceal(j, out + n, k);
        j->play += (int64_t)k;
    }
}

/* The first packet begins a frame, START_MS after its arrival or up to a frame before. */
static bool start(struct dt_jitter *j, int64_t now)
{
    const struct dt_jitter_slot *s = head(j);
    if (!s || (s->n == 0 && j->waiting == 1))
        return false;
    if (s->n == 0)
        s = &j->slots[j->order[1]];
    int64_t want = now - j->delay.base - ms(j, START_MS);
    int64_t frames = s->at > want ? (s->at - want) / FRAME : 0;
    j->play = j->real_end = s->at - frames * FRAME;
    j->playing = true;
    return true;
}

/* Silence that the sender did not fill, with no number missing (RFC 3551 4.1). */
static bool in_gap(struct dt_jitter *j)
{
    const struct dt_jitter_slot *s = head(j);
    return s && !j->queued && s->at - j->play >= FRAME && j->passed_any && s->seq == j->passed + 1;
}

/* Too far behind: what no longer fits into the bounds is left out. */
static void keep_bounds(struct dt_jitter *j, int64_t now)
{
    int64_t over = delay_at(j, now) - ms(j, DT_DELAY_MAX_MS);
    if (over <= 0)
        return;
    over = (over + FRAME - 1) / FRAME * FRAME;
    drop_queue(j, over < (int64_t)j->queued ? (size_t)over : j->queued);
    j->play += over;
}

/* In silence the delay goes straight to where it should be. */
static void shorten_gap(struct dt_jitter *j, int64_t now)
{
    const struct dt_jitter_slot *s = head(j);
    int64_t over = (delay_at(j, now) - dt_delay_target(&j->delay)) / FRAME * FRAME;
    int64_t room = s->at - j->play;
    j->play += room % FRAME; /* packets and frames begin together */
    room -= room % FRAME;
    if (over > 0)
        j->play += over < room ? over : room;
}

/* Should time be added, by a frame that moves nothing? */
static bool should_wait(const struct dt_jitter *j, int64_t now, bool gap)
{
    size_t rest = j->queued < FRAME ? j->queued : 0; /* the next packet is needed so much earlier */
    int64_t delay = delay_at(j, now), left = delay - (int64_t)rest;
    bool unheard = gap || dt_plc_quiet(&j->plc);
    if (delay + FRAME > ms(j, DT_DELAY_MAX_MS))
        return false; /* keep_bounds would take it back, and nothing would ever be played */
    return left < ms(j, DT_DELAY_MIN_MS) ||
           (unheard && left + ms(j, GROW_MS) < dt_delay_target(&j->delay));
}

/* Plays a frame faster, when the delay is too long and sound enough is there. */
static bool compress(struct dt_jitter *j, int64_t now, int16_t *out)
{
    int64_t over = delay_at(j, now) - dt_delay_target(&j->delay);
    if (++j->since_compressed < COMPRESS_EVERY || over <= ms(j, SHRINK_MS))
        return false;
    fill(j, DT_PLC_COMPRESS_IN);
    if (j->queued < DT_PLC_COMPRESS_IN)
        return false;
    size_t used = dt_plc_compress(j->queue, out);
    dt_plc_real(&j->plc, out, FRAME);
    drop_queue(j, used);
    j->play += (int64_t)used;
    j->counts.compressed_samples += used - FRAME;
    j->since_compressed = 0;
    return true;
}

void dt_jitter_get(struct dt_jitter *j, dt_time at, int16_t out[DT_JITTER_FRAME])
{
    int64_t now = units(j, at);
    if (!j->playing && !start(j, now)) {
        memset(out, 0, FRAME * sizeof out[0]);
        return;
    }
    keep_bounds(j, now);
    bool gap = in_gap(j);
    if (gap)
        shorten_gap(j, now);
    if (should_wait(j, now, gap)) {
        conceal(j, out, FRAME);
        j->counts.stretched_samples += FRAME;
        return;
    }
    if (!compress(j, now, out))
        copy(j, out);
}
