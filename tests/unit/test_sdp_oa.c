/* SPDX-License-Identifier: BSD-2-Clause */
#include "oa_kit.h"

/* ---- the texts of a plain call ---- */

#define HEAD(id, version, ip, c) \
    "v=0\r\no=- " id " " version " IN IP4 " ip "\r\ns=-\r\nc=IN IP4 " c "\r\nt=0 0\r\n"
#define A_CODECS \
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n" \
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"

static void plain_call(void **state)
{
    (void)state;
    struct side a, b;
    pair_init(&a, &b);
    exchange(&a, DT_SENDRECV, &b, DT_SENDRECV);
    char text[DT_ADDR_TEXT_MAX];
    const struct dt_media_agreed *m = &a.agreed;
    kit_assert_str(dt_writer_str(&a.w),
                   HEAD("1", "1", "192.0.2.1",
                        "192.0.2.1") "m=audio 5004 RTP/AVP 0 8 101\r\n" A_CODECS "a=sendrecv\r\n");
    kit_assert_str(dt_writer_str(&b.w),
                   HEAD("2", "1", "192.0.2.2",
                        "192.0.2.2") "m=audio 6004 RTP/AVP 0 8 101\r\n" A_CODECS "a=sendrecv\r\n");
    assert_true(m->active);
    assert_string_equal(dt_addr_text(&m->remote, text), "192.0.2.2:6004");
    assert_string_equal(dt_addr_text(&m->remote_rtcp, text), "192.0.2.2:6005");
    kit_assert_str(m->codec.name, "PCMU");
    assert_int_equal(m->codec.payload, 0);
    assert_int_equal(m->dtmf_payload, 101);
    assert_int_equal(m->direction, DT_SENDRECV);
    assert_false(m->remote_hold);
    assert_string_equal(dt_addr_text(&b.agreed.remote, text), "192.0.2.1:5004");
    assert_int_equal(b.agreed.direction, DT_SENDRECV);
}

/* ---- every state and every event: in the table, or DT_E_STATE and nothing changed ---- */

enum event { OFFER, REMOTE, ANSWER, ROLLBACK, EVENTS };

static const int allowed[3][EVENTS] = {
    [DT_OA_STABLE] = {DT_OA_LOCAL_OFFER, DT_OA_REMOTE_OFFER, -1, DT_OA_STABLE},
    [DT_OA_LOCAL_OFFER] = {-1, DT_OA_STABLE, -1, DT_OA_STABLE},
    [DT_OA_REMOTE_OFFER] = {-1, -1, DT_OA_STABLE, DT_OA_STABLE},
};

static void bring_to(struct side *a, struct side *b, enum dt_oa_state state)
{
    pair_init(a, b);
    if (state == DT_OA_LOCAL_OFFER)
        assert_int_equal(offer(a, DT_SENDRECV), DT_OK);
    if (state == DT_OA_REMOTE_OFFER) {
        assert_int_equal(offer(b, DT_SENDRECV), DT_OK);
        assert_int_equal(deliver(b, a), DT_OK);
    }
    assert_int_equal(a->oa.state, state);
}

static int perform(struct side *a, struct side *b, enum event event)
{
    switch (event) {
    case OFFER:
        return offer(a, DT_SENDRECV);
    case REMOTE:
        dt_oa_rollback(&b->oa);
        assert_int_equal(offer(b, DT_SENDRECV), DT_OK);
        return deliver(b, a);
    case ANSWER:
        return answer(a, DT_SENDRECV);
    default:
        dt_oa_rollback(&a->oa);
        return DT_OK;
    }
}

static void every_state_and_event(void **state)
{
    (void)state;
    for (unsigned s = DT_OA_STABLE; s <= DT_OA_REMOTE_OFFER; s++) {
        for (unsigned event = OFFER; event < EVENTS; event++) {
            struct side a, b;
            bring_to(&a, &b, s);
            struct dt_oa before = a.oa;
            int err = perform(&a, &b, event);
            assert_int_equal(err, allowed[s][event] < 0 ? DT_E_STATE : DT_OK);
            if (err) {
                assert_memory_equal(&a.oa, &before, sizeof before);
            } else {
                assert_int_equal(a.oa.state, allowed[s][event]);
            }
        }
    }
}

/* ---- hold and resume, and the version of o= ---- */

static void assert_line(const struct side *s, const char *line, bool there)
{
    struct dt_str text = dt_writer_str(&s->w);
    if ((dt_str_search(text, dt_str_z(line)) < text.n) != there)
        fail_msg("\"%s\" is %s:\n%.*s", line, there ? "missing" : "there", DT_FMT(text));
}

static void hold_and_resume(void **state)
{
    (void)state;
    struct side a, b;
    pair_init(&a, &b);
    exchange(&a, DT_SENDRECV, &b, DT_SENDRECV);
    exchange(&b, DT_SEND, &a, DT_SENDRECV);
    assert_line(&b, "o=- 2 2 IN IP4 192.0.2.2\r\n", true);
    assert_line(&b, "c=IN IP4 192.0.2.2\r\n", true);
    assert_line(&b, "a=sendonly\r\n", true);
    assert_line(&a, "a=recvonly\r\n", true);
    assert_line(&a, "o=- 1 2 IN IP4 192.0.2.1\r\n", true);
    assert_true(a.agreed.remote_hold);
    assert_false(b.agreed.remote_hold);
    assert_int_equal(a.agreed.direction, DT_RECV);
    assert_int_equal(b.agreed.direction, DT_SEND);
    exchange(&b, DT_SENDRECV, &a, DT_SENDRECV);
    assert_line(&b, "o=- 2 3 IN IP4 192.0.2.2\r\n", true);
    assert_int_equal(a.agreed.direction, DT_SENDRECV);
    assert_int_equal(b.agreed.direction, DT_SENDRECV);
    assert_false(a.agreed.remote_hold);
}

/* The guide's flow 2.4. */
static void hold_of_rfc_2543(void **state)
{
    (void)state;
    struct side a, b;
    pair_init(&a, &b);
    exchange(&a, DT_SENDRECV, &b, DT_SENDRECV);
    assert_int_equal(offer_as(&b, DT_SEND, DT_HOLD_RFC2543), DT_OK);
    assert_line(&b, "c=IN IP4 0.0.0.0\r\n", true);
    assert_line(&b, "o=- 2 2 IN IP4 192.0.2.2\r\n", true);
    assert_line(&b, "m=audio 6004 RTP/AVP", true); /* a port of 0 would end the stream */
    assert_line(&b, "a=send", false);
    assert_int_equal(deliver(&b, &a), DT_OK);
    assert_int_equal(answer(&a, DT_SENDRECV), DT_OK);
    assert_int_equal(deliver(&a, &b), DT_OK);
    assert_true(a.agreed.remote_hold);
    assert_int_equal(a.agreed.direction & DT_SEND, 0);
    assert_int_equal(b.agreed.direction & DT_RECV, 0);
    assert_int_equal(offer_as(&b, DT_SENDRECV, DT_HOLD_RFC2543), DT_OK);
    assert_line(&b, "c=IN IP4 192.0.2.2\r\n", true);
    assert_line(&b, "a=sendrecv\r\n", true);
    assert_int_equal(deliver(&b, &a), DT_OK);
    assert_int_equal(answer(&a, DT_SENDRECV), DT_OK);
    assert_int_equal(deliver(&a, &b), DT_OK);
    assert_int_equal(a.agreed.direction, DT_SENDRECV);
    assert_int_equal(b.agreed.direction, DT_SENDRECV);
}

static void held_by_both(void **state)
{
    (void)state;
    struct side a, b;
    pair_init(&a, &b);
    exchange(&a, DT_SENDRECV, &b, DT_SENDRECV);
    exchange(&a, DT_SEND, &b, DT_SEND);
    assert_line(&b, "a=inactive\r\n", true);
    assert_int_equal(a.agreed.direction, DT_INACTIVE);
    assert_int_equal(b.agreed.direction, DT_INACTIVE);
    assert_true(a.agreed.remote_hold && b.agreed.remote_hold);
}

/* RFC 3264 8.4: there is no zero address that means hold in IPv6. */
static void hold_with_ipv6(void **state)
{
    (void)state;
    struct side a;
    side_init(&a, "[2001:db8::1]:5004", 1);
    assert_int_equal(offer_as(&a, DT_SEND, DT_HOLD_RFC2543), DT_OK);
    assert_line(&a, "c=IN IP6 2001:db8::1\r\n", true);
    assert_line(&a, "a=sendonly\r\n", true);
}

/* I15: the same text keeps its version; a changed one has the next, also behind one refused. */
static void version_rises_with_each_change(void **state)
{
    (void)state;
    struct side a, b;
    pair_init(&a, &b);
    exchange(&a, DT_SENDRECV, &b, DT_SENDRECV);
    exchange(&a, DT_SENDRECV, &b, DT_SENDRECV);
    assert_line(&a, "o=- 1 1 IN", true);
    assert_line(&b, "o=- 2 1 IN", true);
    assert_int_equal(offer(&a, DT_SEND), DT_OK);
    assert_line(&a, "o=- 1 2 IN", true);
    dt_oa_rollback(&a.oa); /* 491 */
    assert_int_equal(offer(&a, DT_SEND), DT_OK);
    assert_line(&a, "o=- 1 2 IN", true);
    dt_oa_rollback(&a.oa);
    assert_int_equal(offer(&a, DT_SENDRECV), DT_OK);
    assert_line(&a, "o=- 1 3 IN", true);
    dt_oa_rollback(&a.oa);
    exchange(&b, DT_SENDRECV, &a, DT_SENDRECV);
    assert_line(&a, "o=- 1 3 IN", true);
    assert_line(&b, "o=- 2 1 IN", true);
}

static void rollback_keeps_what_was_agreed(void **state)
{
    (void)state;
    struct side a, b;
    pair_init(&a, &b);
    exchange(&a, DT_SENDRECV, &b, DT_SENDRECV);
    struct dt_oa_terms terms = a.oa.agreed;
    assert_int_equal(offer(&a, DT_SEND), DT_OK);
    dt_oa_rollback(&a.oa);
    assert_memory_equal(&a.oa.agreed, &terms, sizeof terms);
    assert_int_equal(offer(&b, DT_INACTIVE), DT_OK);
    assert_int_equal(deliver(&b, &a), DT_OK);
    dt_oa_rollback(&a.oa);
    assert_memory_equal(&a.oa.agreed, &terms, sizeof terms);
    dt_oa_rollback(&a.oa);
    assert_int_equal(a.oa.state, DT_OA_STABLE);
}

#define SESSION "v=0\r\no=- 7 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"

/* ---- lines and numbers over the life of a session ---- */

static void lines_stay(void **state)
{
    (void)state;
    struct side b;
    side_init(&b, "192.0.2.2:6004", 2);
    const char *first = SESSION "m=video 9 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_int_equal(dt_oa_remote(&b.oa, dt_str_z(first), NULL), DT_OK);
    assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
    assert_int_equal(offer(&b, DT_SENDRECV), DT_OK); /* ours now: both lines, in their places */
    assert_line(&b, "t=0 0\r\nm=video 0 RTP/AVP 31\r\nm=audio 6004 RTP/AVP 0 8 101\r\n", true);
    dt_oa_rollback(&b.oa);
    /* Fewer lines than before break RFC 3264 8. */
    const char *fewer = SESSION "m=audio 4000 RTP/AVP 0\r\n";
    assert_int_equal(dt_oa_remote(&b.oa, dt_str_z(fewer), NULL), DT_E_SYNTAX);
    /* They end the stream; we may offer it again, in the same line. */
    const char *ended = SESSION "m=video 0 RTP/AVP 31\r\nm=audio 0 RTP/AVP 0\r\n";
    assert_int_equal(dt_oa_remote(&b.oa, dt_str_z(ended), NULL), DT_OK);
    assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
    assert_false(b.agreed.active);
    assert_line(&b, "m=video 0 RTP/AVP 31\r\nm=audio 0 RTP/AVP 0\r\n", true);
    assert_int_equal(offer(&b, DT_SENDRECV), DT_OK);
    assert_line(&b, "m=video 0 RTP/AVP 31\r\nm=audio 6004 RTP/AVP 0 8 101\r\n", true);
    dt_oa_rollback(&b.oa);
    /* The second audio line is the one in use, and stays so. */
    side_init(&b, "192.0.2.2:6004", 2);
    const char *second = SESSION "m=audio 9 RTP/AVP 3\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_int_equal(dt_oa_remote(&b.oa, dt_str_z(second), NULL), DT_OK);
    assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
    assert_int_equal(offer(&b, DT_SEND), DT_OK);
    assert_line(&b, "m=audio 0 RTP/AVP 3\r\nm=audio 6004 RTP/AVP 0 8 101\r\n", true);
    /* No audio line at all: one more. */
    side_init(&b, "192.0.2.2:6004", 2);
    assert_int_equal(dt_oa_remote(&b.oa, DT_STR(SESSION "m=video 0 RTP/AVP 31\r\n"), NULL), DT_OK);
    assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
    assert_int_equal(offer(&b, DT_SENDRECV), DT_OK);
    assert_line(&b, "m=video 0 RTP/AVP 31\r\nm=audio 6004 RTP/AVP 0 8 101\r\n", true);
}

static void no_room_for_one_more_line(void **state)
{
    (void)state;
    struct side b;
    char text[2048];
    struct dt_writer w = dt_writer(text, sizeof text);
    side_init(&b, "192.0.2.2:6004", 2);
    dt_write_lit(&w, SESSION);
    for (int i = 0; i < DT_SDP_MEDIA_MAX; i++)
        dt_write_lit(&w, "m=video 0 RTP/AVP 31\r\n");
    assert_int_equal(dt_oa_remote(&b.oa, dt_writer_str(&w), NULL), DT_OK);
    assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
    struct dt_oa before = b.oa;
    assert_int_equal(offer(&b, DT_SENDRECV), DT_E_LIMIT);
    assert_memory_equal(&b.oa, &before, sizeof before);
}

/* RFC 3264 8.3.2: a number means one codec for the whole session. */
static void numbers_keep_their_meaning(void **state)
{
    (void)state;
    struct side b;
    side_init(&b, "192.0.2.2:6004", 2);
    /* 101 is PCMA to them, so our later offer needs another number for the digits. */
    const char *first = SESSION "m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 PCMA/8000\r\n";
    assert_int_equal(dt_oa_remote(&b.oa, dt_str_z(first), NULL), DT_OK);
    assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
    assert_line(&b, "m=audio 6004 RTP/AVP 101\r\na=rtpmap:101 PCMA/8000\r\n", true);
    assert_int_equal(offer(&b, DT_SENDRECV), DT_OK);
    assert_line(&b, "m=audio 6004 RTP/AVP 0 101 96\r\n", true);
    assert_line(&b, "a=rtpmap:101 PCMA/8000\r\n", true);
    assert_line(&b, "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n", true);
}

/* A peer that takes another number each time runs out of them, and nothing else happens. */
static void numbers_run_out(void **state)
{
    (void)state;
    struct side b;
    side_init(&b, "192.0.2.2:6004", 2);
    for (unsigned i = 0; i < 256; i++) {
        char text[512];
        struct dt_writer w = dt_writer(text, sizeof text);
        dt_writef(&w, "%sm=audio 4000 RTP/AVP %u %u\r\na=rtpmap:%u PCM%c/8000\r\n", SESSION,
                  i % 128, (i + 1) % 128, i % 128, i & 1 ? 'A' : 'U');
        assert_int_equal(dt_oa_remote(&b.oa, dt_writer_str(&w), NULL), DT_OK);
        assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
        assert_true(b.agreed.receive_payload < 128);
        assert_int_equal(offer(&b, DT_SENDRECV), DT_OK);
        dt_oa_rollback(&b.oa);
    }
}

/* ---- errors leave everything as it was ---- */

static void no_room_to_write(void **state)
{
    (void)state;
    struct side a, b;
    pair_init(&a, &b);
    assert_int_equal(offer(&a, DT_SENDRECV), DT_OK);
    size_t whole = a.w.n;
    dt_oa_rollback(&a.oa);
    assert_int_equal(deliver(&a, &b), DT_OK);
    side_init(&a, "192.0.2.1:5004", 1);
    const struct dt_oa fresh = a.oa, asked = b.oa;
    for (size_t room = 0; room < whole; room++) {
        char text[2048];
        struct dt_writer w = dt_writer(text, room);
        assert_int_equal(dt_oa_offer(&a.oa, DT_SENDRECV, DT_HOLD_RFC3264, &w), DT_E_LIMIT);
        assert_memory_equal(&a.oa, &fresh, sizeof fresh);
        w = dt_writer(text, room);
        assert_int_equal(dt_oa_answer(&b.oa, DT_SENDRECV, DT_HOLD_RFC3264, &w, NULL), DT_E_LIMIT);
        assert_memory_equal(&b.oa, &asked, sizeof asked);
    }
    assert_int_equal(offer(&a, DT_SENDRECV), DT_OK);
    assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
    assert_int_equal(deliver(&b, &a), DT_OK);
}

static void codecs_of_two_channels(void **state)
{
    (void)state;
    static const struct dt_codec stereo[] = {{{"opus", 4}, 48000, 111, 2},
                                             {{"L8", 2}, 8000, 97, 0}};
    const struct dt_media_caps caps = {address("192.0.2.1:5004"), stereo, 2};
    struct side a, b;
    pair_init(&a, &b);
    dt_oa_init(&a.oa, &caps, 1);
    dt_oa_init(&b.oa, &caps, 2);
    exchange(&a, DT_SENDRECV, &b, DT_SENDRECV);
    assert_line(&a, "a=rtpmap:111 opus/48000/2\r\na=rtpmap:97 L8/8000\r\n", true);
    kit_assert_str(a.agreed.codec.name, "opus");
    assert_int_equal(a.agreed.codec.channels, 2);
}

/* It may be written behind other things. */
static void writes_behind_what_is_there(void **state)
{
    (void)state;
    struct side a;
    side_init(&a, "192.0.2.1:5004", 1);
    char text[2048];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_write_lit(&w, "head");
    assert_int_equal(dt_oa_offer(&a.oa, DT_SENDRECV, DT_HOLD_RFC3264, &w), DT_OK);
    kit_assert_str(dt_str_sub(dt_writer_str(&w), 0, 30), "headv=0\r\no=- 1 1 IN IP4 192.0.");
}

/* ---- two sides that do anything: they always end up agreed (I12, I15) ---- */

static void assert_agree(const struct side *a, const struct side *b)
{
    const struct dt_media_agreed *x = &a->oa.agreed.media, *y = &b->oa.agreed.media;
    assert_int_equal(x->active, y->active);
    if (!x->active)
        return;
    assert_true(dt_codec_eq(&x->codec, &y->codec));
    assert_int_equal(x->codec.payload, y->receive_payload);
    assert_int_equal(y->codec.payload, x->receive_payload);
    assert_int_equal(x->dtmf_payload, y->dtmf_receive_payload);
    /* Nobody sends to who does not listen. */
    assert_false((x->direction & DT_SEND) && !(y->direction & DT_RECV));
    assert_false((y->direction & DT_SEND) && !(x->direction & DT_RECV));
}

static enum dt_direction any_direction(struct dt_rng *rng)
{
    return (enum dt_direction)dt_rng_below(rng, 4);
}

static int any_answer(struct side *s, struct dt_rng *rng)
{
    s->w = dt_writer(s->text, sizeof s->text);
    return dt_oa_answer(&s->oa, any_direction(rng), (enum dt_hold_form)dt_rng_below(rng, 2), &s->w,
                        &s->agreed);
}

/* Both offer at once; each refuses the other's (491). */
static void glare(struct side *x, struct side *y)
{
    assert_int_equal(offer(y, DT_SENDRECV), DT_OK);
    struct dt_oa before = y->oa;
    assert_int_equal(dt_oa_answer(&y->oa, DT_SEND, DT_HOLD_RFC3264, &x->w, NULL), DT_E_STATE);
    assert_memory_equal(&y->oa, &before, sizeof before);
    dt_oa_rollback(&x->oa);
    dt_oa_rollback(&y->oa);
}

static void one_step(struct side *x, struct side *y, struct dt_rng *rng)
{
    enum { REFUSED, LOST_ANSWER, GLARE, WHOLE };
    enum dt_hold_form form = (enum dt_hold_form)dt_rng_below(rng, 2);
    uint64_t version = x->oa.version;
    assert_int_equal(offer_as(x, any_direction(rng), form), DT_OK);
    assert_true(x->oa.version == version || x->oa.version == version + 1);
    switch (dt_rng_below(rng, 6)) {
    case REFUSED:
        dt_oa_rollback(&x->oa);
        break;
    case LOST_ANSWER: /* 488 by who could have done it */
        assert_int_equal(deliver(x, y), DT_OK);
        assert_int_equal(deliver(x, y), DT_E_STATE);
        dt_oa_rollback(&x->oa);
        dt_oa_rollback(&y->oa);
        break;
    case GLARE:
        glare(x, y);
        break;
    default:
        assert_int_equal(deliver(x, y), DT_OK);
        assert_int_equal(any_answer(y, rng), DT_OK);
        assert_int_equal(deliver(y, x), DT_OK);
        assert_agree(x, y);
    }
    assert_int_equal(x->oa.state, DT_OA_STABLE);
    assert_int_equal(y->oa.state, DT_OA_STABLE);
}

static void any_sequence(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct dt_rng rng;
        const uint64_t seeds[2] = {seed, 0};
        struct side sides[2];
        dt_rng_init(&rng, seeds);
        pair_init(&sides[0], &sides[1]);
        for (int step = 0; step < 40; step++) {
            uint64_t who = dt_rng_below(&rng, 2);
            one_step(&sides[who], &sides[1 - who], &rng);
        }
        exchange(&sides[0], DT_SENDRECV, &sides[1], DT_SENDRECV);
        assert_int_equal(sides[0].agreed.direction, DT_SENDRECV);
        assert_int_equal(sides[1].agreed.direction, DT_SENDRECV);
        assert_agree(&sides[0], &sides[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_call),
        cmocka_unit_test(every_state_and_event),
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(hold_of_rfc_2543),
        cmocka_unit_test(held_by_both),
        cmocka_unit_test(hold_with_ipv6),
        cmocka_unit_test(version_rises_with_each_change),
        cmocka_unit_test(rollback_keeps_what_was_agreed),
        cmocka_unit_test(lines_stay),
        cmocka_unit_test(no_room_for_one_more_line),
        cmocka_unit_test(numbers_keep_their_meaning),
        cmocka_unit_test(numbers_run_out),
        cmocka_unit_test(no_room_to_write),
        cmocka_unit_test(codecs_of_two_channels),
        cmocka_unit_test(writes_behind_what_is_there),
        cmocka_unit_test(any_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
