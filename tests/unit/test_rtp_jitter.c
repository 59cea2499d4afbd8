/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The jitter buffer (I34): traces with loss, delay, reordering and duplicates, accounted for to the
 * packet; jumps, new senders, silence, clocks that drift. A codec of the test's tells which packet
 * is played. */
#include "testkit.h"

#include <stdlib.h>
#include <string.h>

#include "rtp/jitter.h"

enum { FRAME = DT_JITTER_FRAME, PACKETS = 6000, NETWORK_MS = 30 };

/* ---- a codec of 16 bits: each sample of a packet is the packet's number ---- */

static struct {
    unsigned n;
    int ids[2 * PACKETS];
} heard;

static void spy_encode(uint8_t *out, const int16_t *samples, size_t n)
{
    memcpy(out, samples, 2 * n);
}

static void spy_decode(int16_t *out, const uint8_t *data, size_t n)
{
    memcpy(out, data, 2 * n);
    assert_true(heard.n < 2 * PACKETS);
    heard.ids[heard.n++] = out[n - 1];
}

static const struct dt_rtp_codec spy = {
    .name = {"SPY", 3}, .rate = 8000, .bytes = 2, .encode = spy_encode, .decode = spy_decode};

/* ---- a line: sender, network, receiver ---- */

struct line {
    struct dt_jitter jitter;
    struct dt_rtp_source source;
    dt_time now; /* of the next frame */
    uint16_t seq;
    uint32_t timestamp, ssrc;
    uint64_t delivered; /* new ones */
};

static struct line line; /* too large for a stack */

static void line_init(void)
{
    memset(&line, 0, sizeof line);
    memset(&heard, 0, sizeof heard);
    dt_jitter_init(&line.jitter, 8000);
    dt_rtp_source_init(&line.source);
    line.now = 5 * DT_SECOND + 7 * DT_MS;
    line.seq = 65000; /* wraps under way */
    line.timestamp = 0xffff0000;
    line.ssrc = 1;
}

/* A packet arrives: `samples` long, with the line's SSRC. */
static void arrive(dt_time at, unsigned id, uint16_t seq, uint32_t timestamp, size_t samples)
{
    int16_t data[1024];
    for (size_t i = 0; i < samples; i++)
        data[i] = (int16_t)id;
    struct dt_rtp_packet p = {
        .seq = seq,
        .timestamp = timestamp,
        .ssrc = line.ssrc,
        .payload = {(const char *)data, 2 * samples},
    };
    enum dt_rtp_verdict v = dt_rtp_source_put(&line.source, &p, (uint32_t)(at / 125));
    if (v == DT_RTP_DUPLICATE || v == DT_RTP_STRANGE)
        return;
    line.delivered++;
    dt_jitter_put(&line.jitter, at, &p, samples ? &spy : NULL, v == DT_RTP_RESTART);
}

/* The next packet in order, `id` its number. */
static void next(dt_time at, unsigned id)
{
    arrive(at, id, line.seq++, line.timestamp, FRAME);
    line.timestamp += FRAME;
}

static void get(int16_t *out)
{
    int16_t frame[FRAME];
    dt_jitter_get(&line.jitter, line.now, out ? out : frame);
    line.now += 20 * DT_MS;
}

/* Frames until nothing waits. */
static void drain(void)
{
    for (unsigned i = 0; i < 200 && (line.jitter.waiting || line.jitter.queued || i < 2); i++)
        get(NULL);
    assert_int_equal(line.jitter.waiting, 0);
}

static void in_order(void)
{
    for (unsigned i = 1; i < heard.n; i++)
        if (heard.ids[i] <= heard.ids[i - 1])
            fail_msg("%d was played after %d", heard.ids[i], heard.ids[i - 1]);
}

/* ---- steady streams ---- */

static void clean_stream_is_played_sample_by_sample(void **state)
{
    (void)state;
    line_init();
    int16_t out[FRAME];
    unsigned last = 0;
    for (unsigned i = 1; i <= 3000; i++) {
        next(line.now - 5 * DT_MS, i);
        get(out);
        for (unsigned k = 0; k < FRAME; k++) {
            assert_true(out[k] == (int16_t)last || out[k] == (int16_t)(last + 1));
            last = (unsigned)out[k];
        }
        assert_int_equal(out[0], out[FRAME - 1]); /* packets and frames begin together */
    }
    assert_in_range(3000 - last, 1, 2); /* 20 to 45 ms behind */
    drain();
    assert_int_equal(heard.n, 3000);
    const struct dt_jitter_counts *c = &line.jitter.counts;
    assert_int_equal(c->played, 3000);
    assert_int_equal(c->late + c->holes + c->stretched_samples + c->compressed_samples, 0);
}

/* Packets of other lengths than our frame. */
static void lengths_of_packets(void **state)
{
    (void)state;
    static const size_t lengths[] = {40, 80, 120, 240, 320, 480, 640};
    for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
        line_init();
        int16_t out[FRAME];
        unsigned id = 0, last = 0, steps = 0;
        uint64_t sent = 0;
        for (unsigned i = 0; i < 1000; i++) {
            for (; sent + lengths[k] <= (uint64_t)i * FRAME; sent += lengths[k])
                arrive(line.now, ++id, line.seq++, (uint32_t)sent, lengths[k]);
            get(out);
            for (unsigned s = 0; i > 100 && s < FRAME; s++) {
                assert_true(last == 0 || (unsigned)out[s] - last <= 1);
                steps += (unsigned)out[s] != last;
                last = (unsigned)out[s];
            }
        }
        assert_in_range(steps, 899 * FRAME / lengths[k] - 1, 899 * FRAME / lengths[k] + 2);
        drain();
        assert_int_equal(line.jitter.counts.played, id);
        assert_int_equal(line.jitter.counts.late + line.jitter.counts.holes, 0);
        in_order();
    }
}

/* ---- random networks ---- */

struct network {
    const char *what;
    unsigned loss, duplicate; /* per mille */
    dt_time jitter;           /* uniform */
    unsigned spikes;          /* per mille of packets are later by up to 150 ms */
    unsigned late_max;        /* per mille of the delivered */
};

static const struct network networks[] = {
    {"clean", 0, 0, 0, 0, 0},
    {"loss", 50, 0, 0, 0, 0},
    {"heavy loss", 400, 0, 0, 0, 0},
    {"jitter 10 ms", 0, 0, 10 * DT_MS, 0, 0},
    {"jitter 30 ms, loss, duplicates", 50, 50, 30 * DT_MS, 0, 2},
    {"jitter 100 ms", 0, 0, 100 * DT_MS, 0, 5},
    {"jitter 150 ms, loss, duplicates", 100, 100, 150 * DT_MS, 0, 15},
    {"jitter 400 ms: more than is waited for", 0, 0, 400 * DT_MS, 0, 600},
    {"spikes", 20, 20, 5 * DT_MS, 20, 20},
};

struct arrival {
    dt_time at;
    unsigned id;
};

static int by_time(const void *a, const void *b)
{
    const struct arrival *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static size_t make_trace(const struct network *n, struct dt_rng *rng, struct arrival *out)
{
    size_t count = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        bool edge = i == 0 || i == PACKETS - 1; /* so that first and last number are known */
        if (!edge && dt_rng_below(rng, 1000) < n->loss)
            continue;
        dt_time at = line.now + (dt_time)i * 20 * DT_MS + NETWORK_MS * DT_MS;
        unsigned copies = dt_rng_below(rng, 1000) < n->duplicate ? 2 : 1;
        for (unsigned k = 0; k < copies; k++) {
            dt_time late = n->jitter && !edge ? (dt_time)dt_rng_below(rng, (uint64_t)n->jitter) : 0;
            if (!edge && dt_rng_below(rng, 1000) < n->spikes)
                late += (dt_time)dt_rng_below(rng, 150 * DT_MS);
            out[count++] = (struct arrival){at + late, i};
        }
    }
    qsort(out, count, sizeof out[0], by_time);
    return count;
}

/* One frame; what it took out of the buffer was sent within the bounds, and what plays too. */
static void check_frame(dt_time first_sent)
{
    unsigned before = heard.n;
    dt_time now = line.now;
    get(NULL);
    int64_t delay = dt_jitter_delay(&line.jitter, now + 20 * DT_MS);
    if (line.jitter.playing)
        assert_in_range(delay, 0, 220 * 8);
    for (unsigned i = before; i < heard.n; i++) {
        dt_time sent = first_sent + (dt_time)heard.ids[i] * 20 * DT_MS + NETWORK_MS * DT_MS;
        if (now < sent || now - sent > 220 * DT_MS)
            fail_msg("%d was played after %ld us", heard.ids[i], (long)(now - sent));
    }
}

static void run_network(const struct network *n, uint64_t seed)
{
    static struct arrival trace[2 * PACKETS];
    struct dt_rng rng;
    const uint64_t key[2] = {seed, 99};
    line_init();
    dt_rng_init(&rng, key);
    size_t count = make_trace(n, &rng, trace), at = 0;
    dt_time first_sent = line.now;
    line.now += (dt_time)dt_rng_below(&rng, 20 * DT_MS);
    while (at < count) {
        for (; at < count && trace[at].at <= line.now; at++)
            arrive(trace[at].at, trace[at].id, (uint16_t)(65000 + trace[at].id),
                   trace[at].id * FRAME, FRAME);
        check_frame(first_sent);
    }
    drain();

    const struct dt_jitter_counts *c = &line.jitter.counts;
    uint64_t lost = dt_rtp_source_lost(&line.source);
    in_order();
    assert_int_equal(c->played, heard.n);
    assert_int_equal(c->played + c->late, line.delivered);
    assert_int_equal(line.delivered + lost, PACKETS);
    assert_int_equal(c->holes, lost + c->late); /* I34: exactly */
    assert_int_equal(c->refused + c->duplicates, 0);
    if (c->late * 1000 > n->late_max * line.delivered)
        fail_msg("%s, seed %lu: %lu of %lu late", n->what, (unsigned long)seed,
                 (unsigned long)c->late, (unsigned long)line.delivered);
}

static void random_networks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        for (uint64_t seed = 1; seed <= 5; seed++)
            run_network(&networks[i], seed);
}

/* ---- adapting ---- */

/* Jitter comes and goes: so does the delay. */
static void delay_follows_jitter(void **state)
{
    (void)state;
    line_init();
    const uint64_t key[2] = {5, 5};
    struct dt_rng rng;
    int64_t delay[3];
    dt_rng_init(&rng, key);
    static struct arrival held[3 * 1000];
    size_t n = 0, at = 0;
    for (unsigned i = 0; i < 3000; i++) {
        dt_time late = i / 1000 == 1 ? (dt_time)dt_rng_below(&rng, 80 * DT_MS) : 0;
        held[n++] = (struct arrival){line.now + i * 20 * DT_MS + late, i};
    }
    qsort(held, n, sizeof held[0], by_time);
    for (unsigned f = 0; f < 3000; f++) {
        for (; at < n && held[at].at <= line.now; at++)
            arrive(held[at].at, held[at].id, (uint16_t)held[at].id, held[at].id * FRAME, FRAME);
        get(NULL);
        if (f % 1000 == 999)
            delay[f / 1000] = dt_jitter_delay(&line.jitter, line.now) / 8;
    }
    assert_in_range(delay[0], 20, 60);
    assert_in_range(delay[1], 65, 150);
    assert_in_range(delay[2], 20, 70);
    assert_true(line.jitter.counts.compressed_samples > 0);
    assert_in_range(line.jitter.counts.late, 0, 30);
}

/* A stop of the network, all that it held comes at once: what fits into 200 ms is played. */
static void a_burst_after_a_stop(void **state)
{
    (void)state;
    static const dt_time stops[] = {60 * DT_MS, 140 * DT_MS, 300 * DT_MS, 700 * DT_MS};
    for (size_t k = 0; k < 4; k++) {
        line_init();
        unsigned id = 0, held = (unsigned)(stops[k] / (20 * DT_MS));
        for (unsigned i = 0; i < 200; i++) {
            next(line.now, ++id);
            get(NULL);
        }
        for (unsigned i = 0; i < held; i++)
            get(NULL);
        for (unsigned i = 0; i < held; i++)
            next(line.now, ++id);
        for (unsigned i = 0; i < 1000; i++) {
            next(line.now, ++id);
            get(NULL);
            assert_in_range(dt_jitter_delay(&line.jitter, line.now), 20 * 8, 221 * 8);
        }
        drain();
        in_order();
        const struct dt_jitter_counts *c = &line.jitter.counts;
        assert_int_equal(c->played + c->late, id);
        assert_int_equal(c->holes, c->late);
        assert_in_range(c->late, 0, stops[k] <= 140 * DT_MS ? 0 : held);
        assert_int_equal(heard.ids[heard.n - 1], (int)id);
    }
}

/* One packet is so late that sound waits for it, which need not be so for long: the delay that this
 * cost is gone after the next silence. */
static void silence_shortens_the_delay(void **state)
{
    (void)state;
    line_init();
    unsigned id = 0;
    for (unsigned i = 0; i < 500; i++) {
        next(line.now, ++id);
        get(NULL);
    }
    for (unsigned i = 0; i < 7; i++)
        get(NULL);
    next(line.now, ++id);
    line.seq = (uint16_t)(line.seq + 6); /* the others are lost */
    line.timestamp += 6 * FRAME;
    for (unsigned i = 0; i < 5; i++) {
        next(line.now, ++id);
        get(NULL);
    }
    assert_in_range(dt_jitter_delay(&line.jitter, line.now) / 8, 120, 200);
    for (unsigned i = 0; i < 15; i++)
        get(NULL);
    line.timestamp += 15 * FRAME;
    for (unsigned i = 0; i < 5; i++) {
        next(line.now, ++id);
        get(NULL);
    }
    assert_in_range(dt_jitter_delay(&line.jitter, line.now) / 8, 20, 60);
    drain();
    assert_int_equal(line.jitter.counts.played, id);
}

/* The way becomes longer for good, by more than is waited for: after some late packets all is as
 * before. */
static void a_longer_way(void **state)
{
    (void)state;
    line_init();
    unsigned id = 0;
    for (unsigned i = 0; i < 200; i++) {
        next(line.now, ++id);
        get(NULL);
    }
    for (unsigned i = 0; i < 18; i++) /* 360 ms more */
        get(NULL);
    for (unsigned i = 0; i < 500; i++) {
        next(line.now, ++id);
        get(NULL);
    }
    assert_in_range(line.jitter.counts.late, 1, 20);
    drain();
    in_order();
    assert_int_equal(line.jitter.counts.played + line.jitter.counts.late, id);
}

/* The way becomes longer by less than the delay: at first nothing happens; when the shorter way is
 * forgotten, the delay is made long enough again. */
static void a_slightly_longer_way(void **state)
{
    (void)state;
    line_init();
    unsigned id = 1000; /* not quiet */
    for (unsigned i = 0; i < 200; i++) {
        next(line.now, ++id);
        get(NULL);
    }
    get(NULL);
    get(NULL);
    for (unsigned i = 0; i < 2000; i++) {
        next(line.now - 10 * DT_MS, ++id); /* 30 ms more */
        get(NULL);
        assert_true(line.jitter.delay.base == 0 || i > 400);
    }
    assert_true(line.jitter.delay.base == 30 * 8);
    assert_in_range(dt_jitter_delay(&line.jitter, line.now) / 8, 20, 60);
    assert_int_equal(line.jitter.counts.late, 0);
    assert_in_range(line.jitter.counts.stretched_samples, FRAME, 2 * FRAME);
}

/* A sender whose clock runs 0.5 % fast or slow: nothing is lost of ten minutes. */
static void clocks_drift(void **state)
{
    (void)state;
    for (int fast = -1; fast <= 1; fast += 2) {
        line_init();
        dt_time sent = line.now;
        unsigned id = 0;
        for (unsigned f = 0; f < 5500; f++) {
            for (; sent <= line.now; sent += 20 * DT_MS - fast * 100)
                next(sent, ++id);
            get(NULL);
            if (f > 5)
                assert_in_range(dt_jitter_delay(&line.jitter, line.now), 19 * 8, 200 * 8);
        }
        drain();
        in_order();
        assert_int_equal(line.jitter.counts.played, id);
        assert_int_equal(line.jitter.counts.holes, 0);
        if (fast > 0)
            assert_true(line.jitter.counts.compressed_samples > 0);
    }
}

/* ---- silence, jumps, new senders ---- */

enum change {
    SILENCE,      /* the timestamp moves with time: DTX */
    FROZEN,       /* time passes, the timestamp does not */
    JUMP_FORWARD, /* the timestamp moves, time does not */
    JUMP_BACK,
    NEW_SENDER,
    NEW_NUMBERS
};

static void change_now(enum change kind, unsigned id)
{
    switch (kind) {
    case SILENCE:
        line.timestamp += 50 * FRAME;
        break;
    case FROZEN:
        break;
    case JUMP_FORWARD:
        line.timestamp += 1000000;
        break;
    case JUMP_BACK:
        line.timestamp -= 1000000;
        break;
    case NEW_SENDER:
    case NEW_NUMBERS:
        line.ssrc += kind == NEW_SENDER;
        line.seq = (uint16_t)(line.seq + 20000);
        line.timestamp = 77;
        next(line.now, id); /* strange: it takes two */
        break;
    }
}

static void changes(void **state)
{
    (void)state;
    for (int kind = SILENCE; kind <= NEW_NUMBERS; kind++) {
        line_init();
        unsigned id = 0;
        for (unsigned round = 0; round < 20; round++) {
            for (unsigned i = 0; i < 60; i++) {
                next(line.now, ++id);
                get(NULL);
            }
            for (unsigned i = 0; kind <= FROZEN && i < 50; i++)
                get(NULL);
            change_now((enum change)kind, 30000);
        }
        drain();
        in_order();
        const struct dt_jitter_counts *c = &line.jitter.counts;
        if (c->played != id || c->late + c->holes > 0)
            fail_msg("kind %d: %lu of %u played, %lu late, %lu holes", kind,
                     (unsigned long)c->played, id, (unsigned long)c->late, (unsigned long)c->holes);
        /* Not more than the silence itself, and a little at each change. */
        uint64_t silent = kind <= FROZEN ? 20 * 50 * FRAME : 0;
        assert_in_range(c->concealed_samples, 0, silent + 20 * 4 * FRAME);
    }
}

/* Digits have numbers of their own, and keep the timestamp of their beginning (RFC 4733). */
static void events_are_no_losses(void **state)
{
    (void)state;
    line_init();
    unsigned id = 0;
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 50; i++) {
            next(line.now, ++id);
            get(NULL);
        }
        for (unsigned i = 0; i < 50; i++) {
            arrive(line.now, 0, line.seq++, line.timestamp, 0);
            get(NULL);
        }
        line.timestamp += 50 * FRAME;
    }
    drain();
    assert_int_equal(line.jitter.counts.played, id);
    assert_int_equal(line.jitter.counts.late + line.jitter.counts.holes, 0);
}

/* ---- limits ---- */

static void limits(void **state)
{
    (void)state;
    line_init();
    next(line.now, 1);
    arrive(line.now, 2, line.seq++, line.timestamp, 641); /* 1,282 bytes */
    assert_int_equal(line.jitter.counts.refused, 1);
    for (unsigned i = 0; i < 200; i++) /* 4 s at once */
        next(line.now, 3 + i);
    assert_int_equal(line.jitter.waiting, DT_JITTER_PACKETS);
    drain();
    in_order();
    const struct dt_jitter_counts *c = &line.jitter.counts;
    assert_int_equal(c->played + c->late, 201);
    assert_in_range(c->played, 1, 201);
}

/* Anything at all: counts stay in balance, and frames are made. */
static void hostile_numbers(void **state)
{
    (void)state;
    const uint64_t key[2] = {8, 8};
    struct dt_rng rng;
    dt_rng_init(&rng, key);
    line_init();
    uint64_t put = 0;
    for (unsigned i = 0; i < 100000; i++) {
        heard.n = 0;
        uint16_t seq = (uint16_t)(line.seq + dt_rng_below(&rng, 5));
        uint32_t timestamp = line.timestamp;
        unsigned kind = (unsigned)dt_rng_below(&rng, 12);
        if (kind == 0)
            seq = (uint16_t)dt_rng_u64(&rng);
        if (kind == 1)
            timestamp = (uint32_t)dt_rng_u64(&rng);
        else if (kind < 5)
            timestamp += (uint32_t)dt_rng_below(&rng, 3000) - 1500;
        struct dt_rtp_packet p = {.seq = seq, .timestamp = timestamp, .payload = {NULL, 0}};
        uint8_t data[1280] = {0};
        p.payload = (struct dt_str){(const char *)data, 2 * (size_t)dt_rng_below(&rng, 641)};
        put += p.payload.n > 0;
        dt_jitter_put(&line.jitter, line.now, &p, &spy, kind == 11);
        line.seq++;
        line.timestamp += FRAME;
        if (kind > 2)
            get(NULL);
        const struct dt_jitter_counts *c = &line.jitter.counts;
        assert_true(c->played + c->late + c->duplicates <= put);
        assert_in_range(put - c->played - c->late - c->duplicates, 0, DT_JITTER_PACKETS);
    }
}

/* Hours on the clock of the host, and the end of its life. */
static void large_times(void **state)
{
    (void)state;
    line_init();
    line.now = INT64_C(100) * 365 * 86400 * DT_SECOND;
    for (unsigned i = 1; i <= 100; i++) {
        next(line.now, i);
        get(NULL);
    }
    drain();
    assert_int_equal(heard.n, 100);
    assert_int_equal(line.jitter.counts.late, 0);
}

/* What the source would have told apart: each packet that waits, the first, one between and the
 * last, comes once more. */
static void one_that_waits_is_taken_once(void **state)
{
    (void)state;
    for (uint16_t twice = 0; twice < 3; twice++) {
        const struct dt_jitter_counts *c = &line.jitter.counts;
        int16_t data[FRAME] = {0};
        line_init();
        for (uint16_t i = 0; i < 4; i++) {
            uint16_t n = i < 3 ? i : twice;
            for (size_t k = 0; k < FRAME; k++)
                data[k] = (int16_t)(n + 1);
            struct dt_rtp_packet p = {.seq = (uint16_t)(65534 + n),
                                      .timestamp = n * FRAME,
                                      .payload = {(const char *)data, sizeof data}};
            dt_jitter_put(&line.jitter, line.now, &p, &spy, false);
        }
        assert_int_equal(c->duplicates, 1);
        assert_int_equal(line.jitter.waiting, 3);
        drain();
        in_order();
        assert_int_equal(c->played, 3);
        assert_int_equal(c->late + c->holes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_stream_is_played_sample_by_sample),
        cmocka_unit_test(lengths_of_packets),
        cmocka_unit_test(random_networks),
        cmocka_unit_test(delay_follows_jitter),
        cmocka_unit_test(a_burst_after_a_stop),
        cmocka_unit_test(silence_shortens_the_delay),
        cmocka_unit_test(a_longer_way),
        cmocka_unit_test(a_slightly_longer_way),
        cmocka_unit_test(clocks_drift),
        cmocka_unit_test(changes),
        cmocka_unit_test(events_are_no_losses),
        cmocka_unit_test(limits),
        cmocka_unit_test(hostile_numbers),
        cmocka_unit_test(large_times),
        cmocka_unit_test(one_that_waits_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
