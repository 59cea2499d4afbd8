/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One media engine, its inputs and ticks given by hand: who is heard (I32), late ticks, orders that
 * are wrong, two calls, no memory (I39). */
#include "media_rig.h"

enum { OUT_MAX = 4096 };

static struct rig_end e;
static dt_time now;
static size_t n_rtp, n_rtcp, n_listen, n_unlisten;
static struct dt_rtp_packet sent[OUT_MAX]; /* payload: see loud */
static bool loud[OUT_MAX];                 /* not silence */

static struct dt_addr addr(const char *text)
{
    struct dt_addr out;
    assert_int_equal(dt_addr_parse(&out, dt_str_z(text)), DT_OK);
    return out;
}

static void take_datagram(const struct dt_output *o)
{
    struct dt_str data = dt_bytes_str(o->bytes);
    if (o->local.port % 2) {
        assert_int_equal(dt_rtcp_check(data), DT_OK);
        n_rtcp++;
        return;
    }
    assert_true(n_rtp < OUT_MAX);
    struct dt_rtp_packet *p = &sent[n_rtp];
    assert_int_equal(dt_rtp_parse(p, data), DT_OK);
    loud[n_rtp] = false;
    for (size_t i = 0; i < p->payload.n; i++)
        loud[n_rtp] |= (uint8_t)p->payload.p[i] != 0xff;
    n_rtp++;
}

/* The host: a socket that is asked for listens. */
static void drain(void)
{
    struct dt_output out[8];
    for (size_t n; (n = dt_media_node.output(e.media, now, out, 8)) > 0;)
        for (size_t i = 0; i < n; i++) {
            if (out[i].kind == DT_OUT_EVENT)
                rig_said(&e, out[i].text);
            else if (out[i].kind == DT_OUT_DATAGRAM)
                take_datagram(&out[i]);
            n_listen += out[i].kind == DT_OUT_LISTEN;
            n_unlisten += out[i].kind == DT_OUT_UNLISTEN;
            dt_bytes_drop(out[i].bytes);
        }
}

static void give(const struct dt_input *in)
{
    dt_media_node.input(e.media, now, in, 1);
    drain();
}

static void order(const char *line)
{
    give(&(struct dt_input){
        .kind = DT_IN_COMMAND, .channel = DT_CHANNEL_MEDIA, .data = dt_str_z(line)});
}

static void listening(const char *local)
{
    give(&(struct dt_input){.kind = DT_IN_LISTENING, .local = addr(local)});
}

static void datagram(const char *from, const char *to, struct dt_str data)
{
    give(&(struct dt_input){.kind = DT_IN_DATAGRAM,
                            .local = addr(to),
                            .remote = addr(from),
                            .data = kit_guarded_padded(0, data)});
}

/* RTP of 160 equal bytes. */
static void rtp(const char *from, uint16_t seq, uint8_t payload_type, uint32_t ssrc)
{
    char bytes[256], sound[160];
    memset(sound, 0x10, sizeof sound);
    struct dt_writer w = dt_writer(bytes, sizeof bytes);
    struct dt_rtp_packet p = {.payload_type = payload_type,
                              .seq = seq,
                              .timestamp = (uint32_t)seq * 160,
                              .ssrc = ssrc,
                              .payload = {sound, sizeof sound}};
    dt_rtp_write(&w, &p);
    assert_int_equal(w.err, DT_OK);
    datagram(from, "10.0.0.1:4000", dt_writer_str(&w));
}

static void open_engine(void)
{
    rig_end_init(&e, "10.0.0.1", 3);
    rig_end_open(&e);
    now = 77 * DT_SECOND;
    n_rtp = n_rtcp = n_listen = n_unlisten = 0;
}

static void begin(void)
{
    open_engine();
    order("start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 sendrecv");
    assert_int_equal(n_listen, 2);
    listening("10.0.0.1:4000");
    assert_int_equal(e.n_said, 0);
    listening("10.0.0.1:4001");
    assert_string_equal(rig_last(&e), "started 1");
}

static void end(void)
{
    dt_media_free(e.media);
}

/* Ticks when they are due. */
static void run_until(dt_time until)
{
    for (dt_time due; (due = dt_media_node.deadline(e.media)) <= until;) {
        now = due > now ? due : now;
        dt_media_node.tick(e.media, now);
        drain();
    }
    now = until;
}

/* ---- who is heard ---- */

struct from {
    const char *address;
    uint8_t payload_type;
    bool heard;
};

static void sources(const struct from *rows, size_t n)
{
    begin();
    long heard = 0, dropped = 0;
    for (size_t i = 0; i < n; i++) {
        rtp(rows[i].address, (uint16_t)(100 + i), rows[i].payload_type, 5);
        heard += rows[i].heard;
        dropped += !rows[i].heard;
    }
    order("stop 1");
    assert_int_equal(rig_stat(&e, "Pkt"), heard);
    assert_int_equal(rig_stat(&e, "Dropped"), dropped);
    end();
}

#define SOURCES(rows) sources((rows), sizeof(rows) / sizeof(rows)[0])

static void only_the_signalled_source(void **state)
{
    (void)state;
    static const struct from signalled[] = {
        {"10.0.0.3:5000", 0, false},  {"10.0.0.2:5000", 0, true},
        {"10.0.0.3:5000", 0, false},  {"10.0.0.2:6000", 0, false},
        {"10.0.0.2:5000", 0, true},   {"10.0.0.2:5000", 8, true},
        {"10.0.0.2:5000", 101, true}, {"[::ffff:a00:2]:5000", 0, false},
    };
    static const struct from other_port[] = {
        {"10.0.0.3:6000", 0, false}, {"10.0.0.2:6000", 101, false}, {"10.0.0.2:6000", 0, true},
        {"10.0.0.2:5000", 0, false}, {"10.0.0.2:7000", 0, false},   {"10.0.0.2:6000", 0, true},
    };
    SOURCES(signalled);
    SOURCES(other_port);
}

static void a_new_remote_is_heard_anew(void **state)
{
    (void)state;
    begin();
    rtp("10.0.0.2:6000", 1, 0, 5);
    order("start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 sendrecv"); /* the same: it stays latched */
    rtp("10.0.0.2:5000", 2, 0, 5);
    order("start 1 10.0.0.1:4000 10.0.0.4:5000 PCMU/0 sendrecv");
    rtp("10.0.0.2:6000", 3, 0, 5);
    rtp("10.0.0.4:5000", 4, 0, 5);
    rtp("10.0.0.4:5000", 5, 0, 5);
    order("start 1 10.0.0.1:4000 0.0.0.0:5000 PCMU/0 sendrecv"); /* nobody is signalled */
    rtp("10.0.0.4:5000", 6, 0, 5);
    order("stop 1");
    assert_int_equal(rig_stat(&e, "Pkt"), 3);
    assert_int_equal(rig_stat(&e, "Dropped"), 3);
    end();
}

/* A stray packet with another SSRC, even from the right source, does not end a stream. */
static void a_stray_stream_changes_nothing(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 100; i++) {
        rtp("10.0.0.2:5000", (uint16_t)i, 0, 5);
        if (i % 10 == 0)
            rtp("10.0.0.2:5000", (uint16_t)(7000 + 13 * i), 0, 6 + i);
        run_until(now + 20 * DT_MS);
    }
    order("stop 1");
    assert_int_equal(rig_stat(&e, "Pkt"), 100);
    assert_int_equal(rig_stat(&e, "LostPkt"), 0);
    assert_int_equal(rig_stat(&e, "LatePkt"), 0);
    end();
}

static void garbage_is_counted(void **state)
{
    (void)state;
    static const struct dt_str rows[] = {
        {"", 0},
        {"\0\1\0\0\x21\x12\xa4\x42", 8},
        {"\x80\xc8\0\1abcd", 8},
        {"\x16\xfe\xff\0\0", 5},
        {"\x8f\0\0\1\0\0\0\1\0\0\0\1", 12},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    begin();
    for (size_t i = 0; i < ROWS; i++) {
        datagram("10.0.0.2:5000", "10.0.0.1:4000", rows[i]);
        datagram("10.0.0.2:5001", "10.0.0.1:4001", i == 2 ? dt_str_sub(rows[i], 0, 7) : rows[i]);
        datagram("10.0.0.2:5001", "10.0.0.1:4444", rows[i]); /* no socket of ours */
    }
    run_until(now + DT_SECOND);
    order("stop 1");
    assert_int_equal(rig_stat(&e, "Dropped"), 2 * ROWS);
    assert_int_equal(rig_stat(&e, "Pkt"), 0);
    assert_int_equal(rig_stat(&e, "TxPkt"), 51);
    end();
}

/* BYE in RTCP ends nothing; a report from elsewhere is not believed. */
static void rtcp_changes_no_state(void **state)
{
    (void)state;
    begin();
    rtp("10.0.0.2:5000", 1, 0, 5);
    run_until(now + DT_SECOND);
    char bytes[256];
    struct dt_writer w = dt_writer(bytes, sizeof bytes);
    const struct dt_rtcp_block block = {.ssrc = sent[0].ssrc, .lsr = 1, .dlsr = 0};
    dt_rtcp_write_report(&w, 5, NULL, &block, 1);
    dt_rtcp_write_bye(&w, 5, DT_STR("now"));
    datagram("10.0.0.3:5001", "10.0.0.1:4001", dt_writer_str(&w));
    size_t before = n_rtp;
    run_until(now + DT_SECOND);
    assert_int_equal(n_rtp - before, 50);
    datagram("10.0.0.2:5001", "10.0.0.1:4001", dt_writer_str(&w));
    run_until(now + DT_SECOND);
    assert_int_equal(n_rtp - before, 100);
    order("stop 1");
    assert_int_equal(rig_stat(&e, "Dropped"), 1);
    assert_true(rig_stat(&e, "RoundTrip") > 0); /* the second one was believed */
    end();
}

/* ---- the clock ---- */

static void late_ticks(void **state)
{
    (void)state;
    begin();
    dt_time first = now;
    run_until(first + DT_SECOND);
    assert_int_equal(n_rtp, 51);
    /* A little late: made up for, at most three at once, and no drift. */
    static const dt_time lateness[] = {3 * DT_MS, 19 * DT_MS, 25 * DT_MS, 39 * DT_MS};
    static const size_t frames[] = {1, 1, 2, 2};
    for (size_t i = 0; i < 4; i++) {
        size_t before = n_rtp;
        dt_time due = dt_media_node.deadline(e.media);
        now = due + lateness[i];
        dt_media_node.tick(e.media, now);
        drain();
        assert_int_equal(n_rtp - before, frames[i]);
        assert_int_equal((dt_media_node.deadline(e.media) - first) % (20 * DT_MS), 0);
        assert_true(dt_media_node.deadline(e.media) > now);
    }
    for (size_t i = 1; i < n_rtp; i++)
        assert_int_equal(sent[i].timestamp - sent[i - 1].timestamp, 160);
    end();
}

static void a_long_stop(void **state)
{
    (void)state;
    begin();
    dt_time first = now;
    run_until(first + DT_SECOND);
    size_t before = n_rtp, recorded = e.recorded;
    now = dt_media_node.deadline(e.media) + 5 * DT_SECOND;
    dt_media_node.tick(e.media, now);
    drain();
    assert_int_equal(n_rtp - before, 3);
    /* 251 frames were due: the recording has them all, and the timestamps tell of them. */
    assert_int_equal(e.recorded - recorded, 251 * 160);
    assert_in_range(dt_media_node.deadline(e.media) - now, 1, 20 * DT_MS);
    run_until(now + DT_SECOND);
    assert_int_equal(sent[before + 3].timestamp - sent[before + 2].timestamp, 249 * 160);
    assert_int_equal((uint16_t)(sent[before + 3].seq - sent[before + 2].seq), 1);
    assert_true(sent[before + 3].marker);
    order("stop 1");
    end();
}

/* ---- orders ---- */

static void wrong_orders(void **state)
{
    (void)state;
    static const struct {
        const char *line, *said;
    } rows[] = {
        {"start 2", "failed 2 start takes CALL LOCAL REMOTE CODEC/PAYLOAD DIRECTION"},
        {"start 2 10.0.0.1:4000 10.0.0.2:5000 PCMU/0",
         "failed 2 start takes CALL LOCAL REMOTE CODEC/PAYLOAD DIRECTION"},
        {"start 2 nowhere 10.0.0.2:5000 PCMU/0 sendrecv",
         "failed 2 LOCAL is no address with a port"},
        {"start 2 10.0.0.1 10.0.0.2:5000 PCMU/0 sendrecv",
         "failed 2 LOCAL is no address with a port"},
        {"start 2 10.0.0.1:65535 10.0.0.2:5000 PCMU/0 sendrecv",
         "failed 2 LOCAL is no address with a port"},
        {"start 2 10.0.0.1:4000 x PCMU/0 sendrecv", "failed 2 REMOTE is no address"},
        {"start 2 10.0.0.1:4000 [::1]:5000 PCMU/0 sendrecv",
         "failed 2 LOCAL and REMOTE are of different families"},
        {"start 2 10.0.0.1:4000 10.0.0.2:5000 OPUS/96 sendrecv",
         "failed 2 the codec is not supported"},
        {"start 2 10.0.0.1:4000 10.0.0.2:5000 PCMU/128 sendrecv",
         "failed 2 the codec is not supported"},
        {"start 2 10.0.0.1:4000 10.0.0.2:5000 PCMU sendrecv",
         "failed 2 the codec is not supported"},
        {"start 2 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 both", "failed 2 DIRECTION is not known"},
        {"stop 2", "stats 2 Dur=0 Pkt=0 Oct=0 LatePkt=0 LostPkt=0 AvgJit=0 TxDur=0 TxPkt=0 TxOct=0 "
                   "Dropped=0 RoundTrip=0"},
        {"stop x", ""},
        {"stop", ""},
        {"stop 99999999999", ""},
        {"", ""},
        {"a b c d e f g h i j", ""},
        {"start \"2", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_engine();
        order(rows[i].line);
        assert_string_equal(rig_last(&e), rows[i].said);
        assert_int_equal(dt_media_calls(e.media), 0);
        assert_int_equal(n_listen, 0);
        end();
    }
    begin(); /* a call that runs is not hurt by any */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "%s", rows[i].line);
        char *two = strstr(line, " 2");
        if (strncmp(line, "start 2", 7) == 0 && two)
            two[1] = '1';
        order(line);
    }
    order("start 1 10.0.0.1:4400 10.0.0.2:5000 PCMU/0 sendrecv");
    assert_string_equal(rig_last(&e), "failed 1 a call that runs keeps its local address");
    run_until(now + DT_SECOND);
    assert_int_equal(n_rtp, 51);
    assert_int_equal(dt_media_calls(e.media), 1);
    end();
}

static void commands_of_a_user_are_not_ours(void **state)
{
    (void)state;
    begin();
    give(&(struct dt_input){
        .kind = DT_IN_COMMAND, .channel = DT_CHANNEL_USER, .data = DT_STR("stop 1")});
    assert_int_equal(dt_media_calls(e.media), 1);
    end();
}

static void too_many_calls(void **state)
{
    (void)state;
    open_engine();
    char line[128];
    for (unsigned i = 0; i < 33; i++) {
        snprintf(line, sizeof line, "start %u 10.0.0.1:%u 10.0.0.2:5000 PCMU/0 sendrecv", i,
                 4000 + 2 * i);
        order(line);
    }
    assert_string_equal(rig_last(&e), "failed 32 a configured limit was reached");
    assert_int_equal(dt_media_calls(e.media), 32);
    order("stop 7"); /* the others go on, and there is room again (I37) */
    order(line);
    assert_int_equal(dt_media_calls(e.media), 32);
    end();
}

/* For a second, only call 1 (`which` 0) or only call 2 (1) sends sound. */
static void loudest(int which)
{
    size_t from = n_rtp, n = 0;
    run_until(now + DT_SECOND);
    for (size_t i = from; i < n_rtp; i++) {
        int call = sent[i].ssrc != sent[0].ssrc;
        assert_int_equal(loud[i], call == which);
        n += call == which;
    }
    assert_in_range(n, 49, 51);
}

/* Sound belongs to the call that was started last and is not held; the other one sends silence. */
static void two_calls(void **state)
{
    (void)state;
    begin();
    run_until(now + DT_SECOND);
    order("start 2 10.0.0.1:4002 10.0.0.3:5000 PCMU/0 sendrecv");
    listening("10.0.0.1:4002");
    listening("10.0.0.1:4003");
    size_t from = n_rtp;
    for (unsigned i = 0; i < 50; i++) {
        rtp("10.0.0.2:5000", (uint16_t)i, 0, 5); /* to call 1, which is not heard now */
        run_until(now + 20 * DT_MS);
    }
    for (size_t i = from; i < n_rtp; i++)
        assert_int_equal(loud[i], sent[i].ssrc != sent[0].ssrc);
    for (size_t i = e.recorded - 8000; i < e.recorded; i++)
        assert_int_equal(e.record[i], 0);
    assert_int_equal(e.recorded, e.read); /* one device: one frame a tick */

    order("start 2 10.0.0.1:4002 10.0.0.3:5000 PCMU/0 inactive");
    from = n_rtp;
    for (unsigned i = 50; i < 100; i++) {
        rtp("10.0.0.2:5000", (uint16_t)i, 0, 5);
        run_until(now + 20 * DT_MS);
    }
    assert_in_range(n_rtp - from, 50, 51);
    for (size_t i = from; i < n_rtp; i++)
        assert_true(loud[i] && sent[i].ssrc == sent[0].ssrc);
    assert_true(e.record[e.recorded - 1] != 0);

    /* Back to the second; the first, though resumed after it and held again, stays silent. */
    order("start 2 10.0.0.1:4002 10.0.0.3:5000 PCMU/0 sendrecv");
    loudest(1);
    order("start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 inactive");
    loudest(1);
    order("start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 sendrecv");
    loudest(0);
    order("start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 inactive");
    loudest(1);
    order("stop 1");
    order("stop 2");
    assert_int_equal(n_unlisten, 4);
    assert_int_equal(dt_media_node.deadline(e.media), DT_TIME_NEVER);
    end();
}

static void stopped_before_it_listened(void **state)
{
    (void)state;
    open_engine();
    order("start 1 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 sendrecv");
    listening("10.0.0.1:4000");
    order("stop 1");
    assert_int_equal(n_unlisten, 2);
    assert_int_equal(rig_stat(&e, "TxPkt"), 0);
    listening("10.0.0.1:4001"); /* too late */
    assert_int_equal(n_rtp + n_rtcp, 0);
    assert_int_equal(dt_media_calls(e.media), 0);
    end();
}

static void ipv6(void **state)
{
    (void)state;
    open_engine();
    order("start 1 [2001:db8::1]:4000 [2001:db8::2]:5000 PCMA/8 sendrecv");
    listening("[2001:db8::1]:4000");
    listening("[2001:db8::1]:4001");
    assert_string_equal(rig_last(&e), "started 1");
    run_until(now + 100 * DT_MS);
    assert_int_equal(n_rtp, 6);
    assert_int_equal(sent[0].payload_type, 8);
    end();
}

/* ---- no memory ---- */

/* A short life with the n-th allocation failing. Whatever fails, nothing leaks, sockets that were
 * asked for are given back, and a call works afterwards. */
static bool life(size_t fail_at, struct kit_alloc *k)
{
    kit_alloc_init(k);
    rig_end_init(&e, "10.0.0.1", 3);
    e.env.alloc = &k->alloc;
    k->fail_at = fail_at;
    const struct dt_sound sound = {rig_read, rig_write, &e};
    now = 77 * DT_SECOND;
    n_rtp = n_rtcp = n_listen = n_unlisten = 0;
    e.media = dt_media_new(&sound, &e.env);
    if (!e.media)
        return true;
    for (unsigned call = 1; call <= 2; call++) {
        char line[128];
        snprintf(line, sizeof line, "start %u 10.0.0.1:4000 10.0.0.2:5000 PCMU/0 sendrecv", call);
        order(line);
        listening("10.0.0.1:4000");
        listening("10.0.0.1:4001");
        for (unsigned i = 0; i < 20; i++) {
            rtp("10.0.0.2:5000", (uint16_t)i, 0, 5);
            run_until(now + 20 * DT_MS);
        }
        run_until(now + 4 * DT_SECOND);
        snprintf(line, sizeof line, "stop %u", call);
        order(line);
        run_until(now + DT_SECOND);
        assert_int_equal(dt_media_calls(e.media), 0);
        assert_int_equal(n_listen, n_unlisten);
    }
    bool failed = k->calls >= k->fail_at;
    if (!failed || fail_at < k->calls / 3) /* the second call was not hit */
        assert_int_equal(rig_stat(&e, "Pkt"), 20);
    dt_media_free(e.media);
    return failed;
}

static void every_allocation_fails_once(void **state)
{
    (void)state;
    struct kit_alloc k;
    size_t n = 1;
    for (; life(n, &k); n++)
        assert_int_equal(k.live, 0);
    assert_int_equal(k.live, 0);
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_signalled_source),
        cmocka_unit_test(a_new_remote_is_heard_anew),
        cmocka_unit_test(a_stray_stream_changes_nothing),
        cmocka_unit_test(garbage_is_counted),
        cmocka_unit_test(rtcp_changes_no_state),
        cmocka_unit_test(late_ticks),
        cmocka_unit_test(a_long_stop),
        cmocka_unit_test(wrong_orders),
        cmocka_unit_test(commands_of_a_user_are_not_ours),
        cmocka_unit_test(too_many_calls),
        cmocka_unit_test(two_calls),
        cmocka_unit_test(stopped_before_it_listened),
        cmocka_unit_test(ipv6),
        cmocka_unit_test(every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
