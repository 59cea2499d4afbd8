/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two media engines in the simulator: what one hears is what the other said, with the figures that
 * belong to it. */
#include "media_rig.h"

enum { MAX_PACKETS = 8192 };

/* What went over the network from A to B, as RTP. */
struct seen {
    dt_time at;
    uint16_t seq;
    uint32_t timestamp, ssrc;
    bool marker;
};

static struct rig_end a, b;
static struct dt_sim *sim;
static struct seen sent[MAX_PACKETS];
static size_t n_sent, n_lost, n_arrived; /* RTP from A to B */
static size_t n_reports[2], n_byes;      /* RTCP of A: RR, SR */
static dt_time report_times[64];

static struct dt_addr addr(const char *text)
{
    struct dt_addr out;
    assert_int_equal(dt_addr_parse(&out, dt_str_z(text)), DT_OK);
    return out;
}

static void note_rtcp(dt_time now, struct dt_str data)
{
    struct dt_reader r = dt_reader(data);
    struct dt_rtcp p;
    assert_int_equal(dt_rtcp_check(data), DT_OK);
    report_times[(n_reports[0] + n_reports[1]) % 64] = now;
    while (dt_rtcp_next(&r, &p) == DT_OK) {
        if (p.type == DT_RTCP_SR || p.type == DT_RTCP_RR)
            n_reports[p.type == DT_RTCP_SR]++;
        n_byes += dt_rtcp_bye_has(&p, sent[0].ssrc);
    }
}

static void on_packet(void *ctx, dt_time now, enum dt_sim_fate fate, const struct dt_addr *from,
                      const struct dt_addr *to, struct dt_bytes *bytes)
{
    (void)ctx;
    (void)to;
    struct dt_rtp_packet p;
    struct dt_addr base = addr("10.0.0.1:4000");
    if (!dt_addr_ip_eq(from, &base) || from->port / 2 != base.port / 2)
        return;
    if (from->port != base.port) {
        if (fate == DT_SIM_SENT)
            note_rtcp(now, dt_bytes_str(bytes));
        return;
    }
    assert_int_equal(dt_rtp_parse(&p, dt_bytes_str(bytes)), DT_OK);
    n_lost += fate == DT_SIM_LOST;
    n_arrived += fate == DT_SIM_ARRIVED;
    if (fate == DT_SIM_SENT && n_sent < MAX_PACKETS)
        sent[n_sent++] = (struct seen){now, p.seq, p.timestamp, p.ssrc, p.marker};
}

static void on_event(void *ctx, dt_time now, struct dt_sim_node *node, const struct dt_output *o)
{
    (void)ctx;
    (void)now;
    if (o->channel == DT_CHANNEL_MEDIA)
        rig_said(node == a.node || !a.node ? &a : &b, o->text);
}

static void order(const struct rig_end *e, const char *line)
{
    dt_sim_command(sim, e->node, DT_CHANNEL_MEDIA, dt_str_z(line));
}

static void setup_rig(uint64_t seed)
{
    const struct dt_sim_watch watch = {on_packet, on_event, NULL};
    n_sent = n_lost = n_arrived = n_byes = 0;
    n_reports[0] = n_reports[1] = 0;
    rig_end_init(&a, "10.0.0.1", 1);
    rig_end_init(&b, "10.0.0.2", 2);
    rig_end_open(&a);
    rig_end_open(&b);
    sim = dt_sim_new(&dt_alloc_libc, seed, &watch);
    assert_non_null(sim);
    a.node = dt_sim_attach(sim, "A", &dt_media_node, a.media);
    b.node = dt_sim_attach(sim, "B", &dt_media_node, b.media);
    dt_sim_run(sim, 3 * DT_MS);
}

static void end_rig(void)
{
    assert_int_equal(dt_media_calls(a.media), 0);
    assert_int_equal(dt_media_calls(b.media), 0);
    assert_int_equal(dt_media_node.deadline(a.media), DT_TIME_NEVER);
    dt_sim_free(sim);
    dt_media_free(a.media);
    dt_media_free(b.media);
}

/* Both begin, B at another moment. */
static void talk(void)
{
    order(&a, "start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 sendrecv");
    dt_sim_run(sim, dt_sim_now(sim) + 7 * DT_MS);
    order(&b, "start 9 10.0.0.2:5000 10.0.0.1:4000 PCMU/0 sendrecv");
    dt_sim_run(sim, dt_sim_now(sim) + 1 * DT_MS);
    assert_string_equal(rig_last(&a), "started 1");
    assert_string_equal(rig_last(&b), "started 9");
}

static void run_for(dt_time t)
{
    dt_sim_run(sim, dt_sim_now(sim) + t);
}

static void stop_both(void)
{
    order(&a, "stop 1");
    run_for(200 * DT_MS);
    order(&b, "stop 9");
    run_for(200 * DT_MS);
}

/* Where in what `from` said lies the sound that `to` has at `at`; SIZE_MAX: nowhere. */
static size_t place_of(const struct rig_end *from, const struct rig_end *to, size_t at)
{
    for (size_t i = 0; i + RIG_FRAME <= from->read && i <= at; i++) {
        size_t k = 0;
        while (k < RIG_FRAME && rig_coded(from->played[i + k]) == to->record[at + k])
            k++;
        if (k == RIG_FRAME)
            return i;
    }
    return SIZE_MAX;
}

/* All that `to` recorded from `at` to `end` is what `from` said, `offset` samples earlier. */
static void check_copy(const struct rig_end *from, const struct rig_end *to, size_t at, size_t end,
                       size_t offset)
{
    for (; at < end; at++)
        if (to->record[at] != rig_coded(from->played[at - offset]))
            fail_msg("sample %zu of %s differs", at, to->ip);
}

static void check_pacing(void)
{
    assert_true(sent[0].marker);
    for (size_t i = 1; i < n_sent; i++) { /* I33 */
        assert_int_equal(sent[i].at - sent[i - 1].at, 20 * DT_MS);
        assert_int_equal((uint16_t)(sent[i].seq - sent[i - 1].seq), 1);
        assert_int_equal(sent[i].timestamp - sent[i - 1].timestamp, 160);
        assert_int_equal(sent[i].ssrc, sent[0].ssrc);
        assert_false(sent[i].marker);
    }
}

static void sound_arrives_sample_by_sample(void **state)
{
    (void)state;
    setup_rig(1);
    dt_sim_default_link(sim)->delay = 15 * DT_MS;
    talk();
    run_for(20 * DT_SECOND);
    stop_both();
    check_pacing();

    size_t ab = place_of(&a, &b, 8000), ba = place_of(&b, &a, 8000);
    assert_true(ab != SIZE_MAX && ba != SIZE_MAX);
    /* 20 to 60 ms in the buffer, 15 ms on the way, up to 20 ms for the frame; the ends began 7 ms
     * apart. */
    assert_in_range(8000 - ab, (20 + 15 - 7) * 8, (60 + 15 + 20) * 8);
    assert_in_range(8000 - ba, (20 + 15) * 8, (60 + 15 + 20 + 27) * 8);
    check_copy(&a, &b, 8000 - ab, 19 * 8000, 8000 - ab);
    check_copy(&b, &a, 8000 - ba, 19 * 8000, 8000 - ba);
    for (size_t i = 0; i < 8000 - ab; i++) /* before: silence, and not less of it */
        assert_int_equal(b.record[i], 0);
    assert_int_equal(a.read, a.recorded);
    assert_in_range(b.recorded, 20 * 8000, 21 * 8000);
    end_rig();
}

static void figures_of_a_clean_call(void **state)
{
    (void)state;
    setup_rig(2);
    dt_sim_default_link(sim)->delay = 15 * DT_MS;
    talk();
    run_for(20 * DT_SECOND);
    stop_both();
    assert_string_equal(a.said[0], "started 1");
    assert_true(strncmp(rig_last(&a), "stats 1 Dur=", 12) == 0);
    assert_true(strncmp(rig_last(&b), "stats 9 Dur=", 12) == 0);
    assert_int_equal(rig_stat(&a, "TxPkt"), (long)n_sent);
    assert_int_equal(rig_stat(&a, "TxOct"), (long)n_sent * 160);
    assert_int_equal(rig_stat(&a, "TxDur"), 20);
    assert_int_equal(rig_stat(&b, "Pkt"), (long)n_sent);
    assert_int_equal(rig_stat(&b, "Oct"), (long)n_sent * 160);
    assert_int_equal(rig_stat(&b, "Dur"), 20);
    assert_int_equal(rig_stat(&b, "LostPkt"), 0);
    assert_int_equal(rig_stat(&b, "LatePkt"), 0);
    assert_int_equal(rig_stat(&b, "AvgJit"), 0);
    assert_int_equal(rig_stat(&b, "Dropped"), 0);
    assert_in_range(rig_stat(&b, "RoundTrip"), 29, 31);
    assert_in_range(rig_stat(&a, "RoundTrip"), 29, 31);
    end_rig();
}

static void reports_are_spread(void **state)
{
    (void)state;
    setup_rig(3);
    talk();
    dt_time begun = dt_sim_now(sim);
    run_for(120 * DT_SECOND);
    size_t n = n_reports[0] + n_reports[1];
    assert_true(n < 64);
    assert_in_range(report_times[0] - begun, 1000 * DT_MS, 3200 * DT_MS);
    dt_time least = DT_TIME_NEVER, most = 0;
    for (size_t i = 1; i < n; i++) {
        dt_time gap = report_times[i] - report_times[i - 1];
        least = gap < least ? gap : least;
        most = gap > most ? gap : most;
    }
    assert_true(least >= 2052 * DT_MS && most > least + DT_SECOND && most < 13 * DT_SECOND);
    assert_int_equal(n_reports[0], 0); /* a sender sends SR */
    assert_int_equal(n_byes, 0);
    /* On the average 5 s, which takes the reconsideration: without it, 4.1 s. */
    run_for(3000 * DT_SECOND);
    assert_in_range(n_reports[1], 3120 * 10 / 53, 3120 * 10 / 47);
    stop_both();
    assert_int_equal(n_byes, 1);
    end_rig();
}

/* Of the frames that B recorded, how many are what A said at one of the delays that are allowed? */
static unsigned per_mille_heard(size_t from, size_t to)
{
    unsigned good = 0, all = 0;
    for (size_t at = from; at + 16 <= to; at += 16, all++)
        for (size_t offset = 20 * 8; offset <= (220 + 20 + 40) * 8; offset++) {
            size_t k = 0;
            while (k < 16 && b.record[at + k] == rig_coded(a.played[at - offset + k]))
                k++;
            if (k == 16) {
                good++;
                break;
            }
        }
    return good * 1000 / all;
}

static void loss_and_jitter(void **state)
{
    (void)state;
    setup_rig(4);
    *dt_sim_default_link(sim) = (struct dt_sim_link){
        .delay = 20 * DT_MS, .jitter = 30 * DT_MS, .loss = 50, .duplicate = 30};
    talk();
    run_for(40 * DT_SECOND);
    stop_both();
    check_pacing();
    assert_true(n_lost > 50);
    assert_int_equal(rig_stat(&b, "LostPkt"), (long)n_lost);
    assert_int_equal(rig_stat(&b, "Pkt"), (long)(n_sent - n_lost));
    assert_in_range(rig_stat(&b, "LatePkt"), 0, n_sent / 40);
    assert_in_range(rig_stat(&b, "AvgJit"), 4 * 8, 30 * 8);
    assert_in_range(b.recorded, 40 * 8000, 41 * 8000);
    /* 5 % are lost, and after each loss 4 to 9 ms are blended: 7 to 8 % in all, and the late. */
    assert_in_range(per_mille_heard(8000, 39 * 8000), 870, 960);
    end_rig();
}

static void hold_and_resume(void **state)
{
    (void)state;
    setup_rig(5);
    talk();
    run_for(4 * DT_SECOND);
    order(&a, "start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 inactive");
    order(&b, "start 9 10.0.0.2:5000 10.0.0.1:4000 PCMU/0 inactive");
    run_for(1 * DT_MS);
    assert_string_equal(rig_last(&a), "started 1");
    size_t held = n_sent, recorded = b.recorded;
    run_for(4 * DT_SECOND);
    assert_int_equal(n_sent, held);
    assert_in_range(b.recorded - recorded, 4 * 8000 - 160, 4 * 8000 + 160); /* it keeps time */
    for (size_t i = recorded; i < b.recorded; i++)
        assert_int_equal(b.record[i], 0);

    order(&a, "start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 sendrecv");
    order(&b, "start 9 10.0.0.2:5000 10.0.0.1:4000 PCMU/0 sendrecv");
    run_for(4 * DT_SECOND);
    const struct seen *before = &sent[held - 1], *after = &sent[held];
    assert_true(after->marker); /* RFC 3551 4.1 */
    assert_int_equal(after->ssrc, before->ssrc);
    assert_int_equal((uint16_t)(after->seq - before->seq), 1);
    assert_int_equal(after->timestamp - before->timestamp, (after->at - before->at) / 125);
    size_t at = b.recorded - 8000, from = place_of(&a, &b, at);
    assert_true(from != SIZE_MAX);
    assert_in_range(at - from, 20 * 8, 100 * 8);
    stop_both();
    assert_int_equal(rig_stat(&b, "LostPkt"), 0);
    assert_int_equal(rig_stat(&b, "LatePkt"), 0);
    assert_int_equal(rig_stat(&b, "Pkt"), (long)n_arrived); /* those of the hold too */
    end_rig();
}

static void one_way(void **state)
{
    (void)state;
    setup_rig(6);
    order(&a, "start 1 10.0.0.1:4000 10.0.0.2:5000 PCMA/8 sendonly");
    order(&b, "start 9 10.0.0.2:5000 10.0.0.1:4000 PCMA/8 recvonly");
    run_for(12 * DT_SECOND);
    stop_both();
    assert_int_equal(rig_stat(&b, "TxPkt"), 0);
    assert_int_equal(rig_stat(&b, "Pkt"), (long)n_sent);
    assert_int_equal(rig_stat(&a, "Pkt"), 0);
    for (size_t i = 0; i < a.recorded; i++)
        assert_int_equal(a.record[i], 0);
    assert_in_range(a.recorded, 12 * 8000, 13 * 8000);
    end_rig();
}

/* The remote side moves (re-INVITE): to another port, and away. */
static void the_remote_moves(void **state)
{
    (void)state;
    setup_rig(7);
    talk();
    run_for(2 * DT_SECOND);
    order(&b, "stop 9");
    order(&b, "start 10 10.0.0.2:6000 10.0.0.1:4000 PCMU/0 sendrecv");
    order(&a, "start 1 10.0.0.1:4000 10.0.0.2:6000 PCMU/0 sendrecv");
    run_for(3 * DT_SECOND);
    check_pacing(); /* without a gap */
    size_t at = b.recorded - 8000;
    assert_true(place_of(&a, &b, at) != SIZE_MAX);
    size_t at_a = a.recorded - 8000;
    assert_true(place_of(&b, &a, at_a) != SIZE_MAX); /* another sender: taken after two packets */
    size_t before = n_sent;
    order(&a, "start 1 10.0.0.1:4000 0.0.0.0:6000 PCMU/0 sendrecv");
    run_for(DT_SECOND);
    assert_in_range(n_sent - before, 0, 1);
    order(&a, "stop 1");
    order(&b, "stop 10");
    run_for(DT_SECOND);
    end_rig();
}

/* I14, I33: nothing leaves after the end, and the sockets are closed. */
static void nothing_after_stop(void **state)
{
    (void)state;
    setup_rig(8);
    talk();
    run_for(DT_SECOND);
    order(&a, "stop 1");
    run_for(1 * DT_MS);
    size_t at_stop = n_sent;
    assert_int_equal(n_byes, 1);
    run_for(2 * DT_SECOND); /* B still sends; nobody hears */
    assert_int_equal(n_sent, at_stop);
    size_t recorded = a.recorded;
    run_for(DT_SECOND);
    assert_int_equal(a.recorded, recorded);
    assert_true(rig_stat(&a, "Pkt") < 60);
    /* The same ports again. */
    order(&a, "start 2 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 sendrecv");
    run_for(DT_MS);
    assert_string_equal(rig_last(&a), "started 2");
    order(&a, "stop 2");
    order(&b, "stop 9");
    run_for(DT_SECOND);
    end_rig();
}

static void ports_in_use(void **state)
{
    (void)state;
    setup_rig(9);
    /* Two RTP sockets beside each other: the second one's RTP is the first one's RTCP. */
    order(&a, "start 1 10.0.0.1:7000 10.0.0.2:5000 PCMU/0 sendrecv");
    order(&a, "start 2 10.0.0.1:7001 10.0.0.2:5000 PCMU/0 sendrecv");
    run_for(DT_MS);
    assert_string_equal(rig_last(&a), "failed 2 RTP 10.0.0.1:7001: address in use");
    order(&a, "start 3 10.0.0.1:6999 10.0.0.2:5000 PCMU/0 sendrecv");
    run_for(DT_MS);
    assert_string_equal(rig_last(&a), "failed 3 RTCP 10.0.0.1:7000: address in use");
    assert_int_equal(dt_media_calls(a.media), 1);
    order(&a, "stop 1");
    run_for(DT_MS);
    order(&a, "start 4 10.0.0.1:6999 10.0.0.2:5000 PCMU/0 sendrecv"); /* 6999 was given back */
    run_for(DT_MS);
    assert_string_equal(rig_last(&a), "started 4");
    order(&a, "stop 4");
    run_for(DT_MS);
    end_rig();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_arrives_sample_by_sample),
        cmocka_unit_test(figures_of_a_clean_call),
        cmocka_unit_test(reports_are_spread),
        cmocka_unit_test(loss_and_jitter),
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(one_way),
        cmocka_unit_test(the_remote_moves),
        cmocka_unit_test(nothing_after_stop),
        cmocka_unit_test(ports_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
