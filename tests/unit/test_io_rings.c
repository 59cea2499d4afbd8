/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two rings between threads, under stress: samples between the sound card and the media engine,
 * lines between hosts. One thread writes numbers, the other reads them: each comes once, and in
 * order. Nobody sleeps; who finds the ring full or empty lets the other run. The thread sanitizer
 * sees what the order of memory hides (preset tsan). */
#include "testkit.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "io/audio_ends.h"
#include "io/host.h"

enum { SAMPLES = 4000000, PIECE_MAX = 321, LINES = 100000 };

/* ---- samples ---- */

/* So that pieces of all lengths cross the end of the ring at all places. */
static size_t piece(uint32_t *state, size_t left)
{
    *state = *state * 1664525u + 1013904223u;
    size_t n = 1 + (*state >> 16) % PIECE_MAX;
    return n < left ? n : left;
}

static void *write_samples(void *arg)
{
    struct audio_ring *r = arg;
    int16_t samples[PIECE_MAX];
    uint32_t state = 1;
    for (size_t done = 0; done < SAMPLES;) {
        size_t room = AUDIO_RING - dt__audio_ring_n(r); /* only grows: the other side reads */
        size_t n = piece(&state, SAMPLES - done);
        n = n < room ? n : room;
        for (size_t i = 0; i < n; i++)
            samples[i] = (int16_t)((done + i) % 30011);
        dt__audio_ring_write(r, samples, n);
        done += n;
        if (n == 0)
            sched_yield();
    }
    return NULL;
}

static void samples_come_once_and_in_order(void **state)
{
    static struct audio_ring ring;
    pthread_t writer;
    int16_t samples[PIECE_MAX];
    uint32_t lengths = 7;
    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_samples, &ring), 0);
    for (size_t done = 0; done < SAMPLES;) {
        size_t n = dt__audio_ring_read(&ring, samples, piece(&lengths, SAMPLES - done));
        for (size_t i = 0; i < n; i++)
            if (samples[i] != (int16_t)((done + i) % 30011))
                fail_msg("sample %zu is %d", done + i, samples[i]);
        done += n;
        if (n == 0)
            sched_yield();
    }
    pthread_join(writer, NULL);
    assert_int_equal(dt__audio_ring_n(&ring), 0);
}

static void a_full_ring_takes_no_more(void **state)
{
    static struct audio_ring ring;
    static int16_t samples[AUDIO_RING + 10], back[AUDIO_RING + 10];
    (void)state;
    for (int i = 0; i < AUDIO_RING + 10; i++)
        samples[i] = (int16_t)i;
    dt__audio_ring_write(&ring, samples, 100);
    assert_int_equal(dt__audio_ring_read(&ring, back, 100), 100);
    dt__audio_ring_write(&ring, samples, AUDIO_RING + 10);
    assert_int_equal(dt__audio_ring_n(&ring), AUDIO_RING);
    dt__audio_ring_write(&ring, samples, 1);
    assert_int_equal(dt__audio_ring_read(&ring, back, AUDIO_RING + 10), AUDIO_RING);
    assert_memory_equal(samples, back, AUDIO_RING * sizeof *samples);
}

/* ---- lines ---- */

struct reader {
    struct dt_host *host;
    unsigned lines, wrong;
};

/* "N" and as many dots as N modulo 90 says. */
static void write_line(struct dt_writer *w, unsigned n)
{
    dt_write_u64(w, n);
    for (unsigned i = 0; i < n % 90; i++)
        dt_write_char(w, '.');
}

static void on_input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct reader *r = node;
    (void)now;
    for (size_t i = 0; i < n; i++) {
        char text[128];
        struct dt_writer w = dt_writer(text, sizeof text);
        if (in[i].kind != DT_IN_COMMAND)
            continue;
        write_line(&w, r->lines++);
        r->wrong += !dt_str_eq(in[i].data, dt_writer_str(&w));
        if (r->lines == LINES)
            dt_host_stop(r->host);
    }
}

static dt_time on_deadline(const void *node)
{
    (void)node;
    return DT_TIME_NEVER;
}

static void on_tick(void *node, dt_time now)
{
    (void)node;
    (void)now;
}

static size_t on_output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    (void)node;
    (void)now;
    (void)out;
    (void)max;
    return 0;
}

static void lines_come_once_and_in_order(void **state)
{
    static const struct dt_node_ops ops = {on_input, on_deadline, on_tick, on_output};
    static const struct dt_host_config cfg = {.stall = DT_TIME_NEVER};
    struct reader r = {.lines = 0};
    char err[200];
    (void)state;
    r.host = dt_host_new(&cfg, err, sizeof err);
    assert_non_null(r.host);
    int node = dt_host_add(r.host, &ops, &r);
    struct dt_host_link *link = dt_host_link_new(r.host, node, DT_CHANNEL_MEDIA);
    assert_non_null(link);
    assert_int_equal(dt_host_start(r.host), DT_OK);
    for (unsigned i = 0; i < LINES;) {
        char text[128];
        struct dt_writer w = dt_writer(text, sizeof text);
        write_line(&w, i);
        int sent = dt_host_link_send(link, dt_writer_str(&w));
        assert_true(sent == DT_OK || sent == DT_E_LIMIT);
        i += sent == DT_OK;
        if (sent)
            sched_yield();
    }
    dt_host_join(r.host);
    dt_host_free(r.host);
    dt_host_link_free(link);
    assert_int_equal(r.lines, LINES);
    assert_int_equal(r.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_once_and_in_order),
        cmocka_unit_test(a_full_ring_takes_no_more),
        cmocka_unit_test(lines_come_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
