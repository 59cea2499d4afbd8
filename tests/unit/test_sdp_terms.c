/* SPDX-License-Identifier: BSD-2-Clause */
#include "oa_kit.h"

/* ---- what comes of what they say ---- */

#define SESSION "v=0\r\no=- 7 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"

static const struct offer_case {
    const char *name, *sdp;
    int err;
    const char *answer; /* from the first m= on; NULL: none is given */
    enum dt_direction direction;
    bool active, hold;
    const char *remote, *codec;
    int payload, receive, dtmf, dtmf_receive;
    unsigned ptime;
} offer_cases[] = {
    {"their order is taken", SESSION "m=audio 4000 RTP/AVP 8 0\r\na=ptime:30\r\n", DT_OK,
     "m=audio 6004 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n",
     DT_SENDRECV, true, false, "192.0.2.9:4000", "PCMA", 8, 8, -1, -1, 30},
    {"their numbers are taken",
     SESSION "m=audio 4000 RTP/AVP 96 97 98\r\na=rtpmap:96 opus/48000/2\r\n"
             "a=rtpmap:97 TELEPHONE-EVENT/8000\r\na=rtpmap:98 pcmu/8000\r\n",
     DT_OK,
     "m=audio 6004 RTP/AVP 97 98\r\na=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-15\r\n"
     "a=rtpmap:98 PCMU/8000\r\na=sendrecv\r\n",
     DT_SENDRECV, true, false, "192.0.2.9:4000", "PCMU", 98, 98, 97, 97, 0},
    {"the same codec twice", SESSION "m=audio 4000 RTP/AVP 0 98\r\na=rtpmap:98 PCMU/8000\r\n",
     DT_OK, "m=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n", DT_SENDRECV, true,
     false, "192.0.2.9:4000", "PCMU", 0, 0, -1, -1, 0},
    {"they send only", SESSION "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", DT_OK,
     "m=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=recvonly\r\n", DT_RECV, true, true,
     "192.0.2.9:4000", "PCMU", 0, 0, -1, -1, 0},
    {"they receive only", SESSION "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n", DT_OK,
     "m=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendonly\r\n", DT_SEND, true, false,
     "192.0.2.9:4000", "PCMU", 0, 0, -1, -1, 0},
    {"inactive", SESSION "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", DT_OK,
     "m=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=inactive\r\n", DT_INACTIVE, true, true,
     "192.0.2.9:4000", "PCMU", 0, 0, -1, -1, 0},
    /* RFC 6337 5.4: the answer follows the attribute, but nothing is sent. */
    {"hold of RFC 2543", SESSION "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", DT_OK,
     "m=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n", DT_RECV, true, true,
     "0.0.0.0:4000", "PCMU", 0, 0, -1, -1, 0},
    {"both holds", SESSION "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n", DT_OK,
     "m=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=inactive\r\n", DT_INACTIVE, true, true,
     "0.0.0.0:4000", "PCMU", 0, 0, -1, -1, 0},
    {"hold by ::", SESSION "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::\r\n", DT_OK,
     "m=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n", DT_RECV, true, true,
     "[::]:4000", "PCMU", 0, 0, -1, -1, 0},
    {"other media are refused in their places",
     SESSION "m=video 4002 RTP/AVP 31 34\r\nm=audio 0 RTP/AVP 0\r\nm=audio 4004 RTP/SAVP 0\r\n"
             "m=audio 4000 RTP/AVP 0\r\nm=audio 4006 RTP/AVP 0\r\nm=image 9 udptl t38\r\n",
     DT_OK,
     "m=video 0 RTP/AVP 31\r\nm=audio 0 RTP/AVP 0\r\nm=audio 0 RTP/SAVP 0\r\n"
     "m=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
     "m=audio 0 RTP/AVP 0\r\nm=image 0 udptl t38\r\n",
     DT_SENDRECV, true, false, "192.0.2.9:4000", "PCMU", 0, 0, -1, -1, 0},
    {"the second audio can be done", SESSION "m=audio 4000 RTP/AVP 3\r\nm=audio 4002 RTP/AVP 0\r\n",
     DT_OK,
     "m=audio 0 RTP/AVP 3\r\nm=audio 6004 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n",
     DT_SENDRECV, true, false, "192.0.2.9:4002", "PCMU", 0, 0, -1, -1, 0},
    {"all refused already", SESSION "m=audio 0 RTP/AVP 0\r\n", DT_OK, "m=audio 0 RTP/AVP 0\r\n",
     DT_INACTIVE, false, false, NULL, "", 0, 0, -1, -1, 0},
    {"no media", SESSION, DT_OK, "", DT_INACTIVE, false, false, NULL, "", 0, 0, -1, -1, 0},
    {.name = "no common codec",
     .sdp = SESSION "m=audio 4000 RTP/AVP 3 18 96\r\n",
     .err = DT_E_UNSUPPORTED},
    {.name = "digits alone",
     .sdp = SESSION "m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n",
     .err = DT_E_UNSUPPORTED},
    {.name = "no audio", .sdp = SESSION "m=video 4000 RTP/AVP 31\r\n", .err = DT_E_UNSUPPORTED},
    {.name = "only encrypted",
     .sdp = SESSION "m=audio 4000 RTP/SAVP 0\r\n",
     .err = DT_E_UNSUPPORTED},
    {.name = "the other family",
     .sdp = SESSION "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n",
     .err = DT_E_UNSUPPORTED},
    {.name = "a name for an address",
     .sdp = SESSION "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 host.example.com\r\n",
     .err = DT_E_UNSUPPORTED},
    {.name = "no address",
     .sdp = "v=0\r\no=- 7 7 IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 0\r\n",
     .err = DT_E_SYNTAX},
    {.name = "a bad rtcp",
     .sdp = SESSION "m=audio 4000 RTP/AVP 0\r\na=rtcp:x\r\n",
     .err = DT_E_SYNTAX},
    {.name = "not SDP", .sdp = "<xml/>", .err = DT_E_SYNTAX},
    {.name = "nothing", .sdp = "", .err = DT_E_SYNTAX},
    {.name = "a word too long to be kept",
     .sdp = SESSION "m=abcdefghijklmnop 4000 RTP/AVP 0\r\n",
     .err = DT_E_LIMIT},
};

static void check_agreed(const struct offer_case *c, const struct dt_media_agreed *m)
{
    char text[DT_ADDR_TEXT_MAX];
    assert_int_equal(m->active, c->active);
    assert_int_equal(m->direction, c->direction);
    assert_int_equal(m->remote_hold, c->hold);
    assert_int_equal(m->dtmf_payload, c->dtmf);
    assert_int_equal(m->dtmf_receive_payload, c->dtmf_receive);
    kit_assert_str(m->codec.name, c->codec);
    assert_int_equal(m->codec.payload, c->payload);
    assert_int_equal(m->receive_payload, c->receive);
    assert_int_equal(m->ptime, c->ptime);
    if (c->remote)
        assert_string_equal(dt_addr_text(&m->remote, text), c->remote);
}

static void answers_to_offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof offer_cases / sizeof offer_cases[0]; i++) {
        const struct offer_case *c = &offer_cases[i];
        struct side b;
        side_init(&b, "192.0.2.2:6004", 2);
        struct dt_oa before = b.oa;
        struct dt_str sdp = kit_guarded(0, dt_str_z(c->sdp));
        int err = dt_oa_remote(&b.oa, sdp, NULL);
        if (err != c->err)
            fail_msg("%s: %s", c->name, dt_err_text(err));
        for (size_t n = 0; n < sdp.n; n++) {
            struct dt_oa copy = before;
            dt_oa_remote(&copy, kit_guarded(1, dt_str_sub(sdp, 0, n)), NULL);
        }
        if (err) {
            assert_memory_equal(&b.oa, &before, sizeof before);
            continue;
        }
        assert_int_equal(answer(&b, DT_SENDRECV), DT_OK);
        struct dt_str text = dt_writer_str(&b.w);
        kit_assert_str(dt_str_sub(text, dt_str_search(text, DT_STR("m=")), text.n), c->answer);
        check_agreed(c, &b.agreed);
    }
}

static const struct answer_case {
    const char *name, *sdp;
    int err;
    enum dt_direction offered, direction;
    bool active, hold;
    const char *codec;
    int payload, receive, dtmf, dtmf_receive;
} answer_cases[] = {
    {"as offered", SESSION "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
     DT_OK, DT_SENDRECV, DT_SENDRECV, true, false, "PCMU", 0, 0, 101, 101},
    {"the other codec", SESSION "m=audio 4000 RTP/AVP 8\r\n", DT_OK, DT_SENDRECV, DT_SENDRECV, true,
     false, "PCMA", 8, 8, -1, -1},
    {"their own numbers",
     SESSION "m=audio 4000 RTP/AVP 96 97\r\na=rtpmap:96 PCMA/8000\r\n"
             "a=rtpmap:97 telephone-event/8000\r\n",
     DT_OK, DT_SENDRECV, DT_SENDRECV, true, false, "PCMA", 96, 8, 97, 101},
    {"held", SESSION "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n", DT_OK, DT_SEND, DT_SEND, true,
     false, "PCMU", 0, 0, -1, -1},
    {"held, and they do not listen", SESSION "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", DT_OK,
     DT_SEND, DT_INACTIVE, true, true, "PCMU", 0, 0, -1, -1},
    {"more than was offered", SESSION "m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n", DT_OK, DT_SEND,
     DT_SEND, true, false, "PCMU", 0, 0, -1, -1},
    {"to nowhere", SESSION "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", DT_OK, DT_SENDRECV,
     DT_RECV, true, true, "PCMU", 0, 0, -1, -1},
    {"refused", SESSION "m=audio 0 RTP/AVP 0\r\n", DT_OK, DT_SENDRECV, DT_INACTIVE, false, false,
     "", 0, 0, -1, -1},
    {.name = "no line", .sdp = SESSION, .err = DT_E_SYNTAX, .offered = DT_SENDRECV},
    {.name = "a line too many",
     .sdp = SESSION "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 31\r\n",
     .err = DT_E_SYNTAX,
     .offered = DT_SENDRECV},
    {.name = "another kind of line",
     .sdp = SESSION "m=video 4000 RTP/AVP 0\r\n",
     .err = DT_E_SYNTAX,
     .offered = DT_SENDRECV},
    {.name = "a codec that was not offered",
     .sdp = SESSION "m=audio 4000 RTP/AVP 3\r\n",
     .err = DT_E_UNSUPPORTED,
     .offered = DT_SENDRECV},
    {.name = "another protocol",
     .sdp = SESSION "m=audio 4000 RTP/SAVP 0\r\n",
     .err = DT_E_UNSUPPORTED,
     .offered = DT_SENDRECV},
    {.name = "not SDP", .sdp = "x", .err = DT_E_SYNTAX, .offered = DT_SENDRECV},
};

static void answers_from_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answer_cases / sizeof answer_cases[0]; i++) {
        const struct answer_case *c = &answer_cases[i];
        struct side a;
        side_init(&a, "192.0.2.1:5004", 1);
        assert_int_equal(offer(&a, c->offered), DT_OK);
        struct dt_oa before = a.oa;
        struct dt_media_agreed m = {.dtmf_payload = 77};
        int err = dt_oa_remote(&a.oa, kit_guarded(0, dt_str_z(c->sdp)), &m);
        if (err != c->err)
            fail_msg("%s: %s", c->name, dt_err_text(err));
        if (err) {
            assert_memory_equal(&a.oa, &before, sizeof before);
            assert_int_equal(m.dtmf_payload, 77);
            continue;
        }
        assert_int_equal(m.active, c->active);
        assert_int_equal(m.direction, c->direction);
        assert_int_equal(m.remote_hold, c->hold);
        kit_assert_str(m.codec.name, c->codec);
        assert_int_equal(m.codec.payload, c->payload);
        assert_int_equal(m.receive_payload, c->receive);
        assert_int_equal(m.dtmf_payload, c->dtmf);
        assert_int_equal(m.dtmf_receive_payload, c->dtmf_receive);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_to_offers),
        cmocka_unit_test(answers_from_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
