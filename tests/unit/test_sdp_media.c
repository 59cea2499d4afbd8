/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include "dualtone/sdp.h"

#define VO "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\n"
#define M "m=audio 5004 RTP/AVP 0\r\n"

static struct dt_sdp sdp;

static const struct dt_sdp_media *parse(const char *text)
{
    int err = dt_sdp_parse(&sdp, kit_guarded(0, dt_str_z(text)), NULL);
    if (err || !sdp.n_media)
        fail_msg("%s\ngives %s", text, dt_err_text(err));
    return &sdp.media[0];
}

/* ---- direction ---- */

static const struct direction_case {
    const char *text;
    enum dt_direction want;
} direction_cases[] = {
    {VO M, DT_SENDRECV},
    {VO M "a=sendrecv\r\n", DT_SENDRECV},
    {VO M "a=sendonly\r\n", DT_SEND},
    {VO M "a=recvonly\r\n", DT_RECV},
    {VO M "a=inactive\r\n", DT_INACTIVE},
    {VO "a=sendonly\r\n" M, DT_SEND},
    {VO "a=sendonly\r\n" M "a=sendrecv\r\n", DT_SENDRECV},
    {VO "a=sendonly\r\n" M "a=inactive\r\n", DT_INACTIVE},
    {VO M "m=video 1 RTP/AVP 31\r\na=inactive\r\n", DT_SENDRECV}, /* another's */
    {VO M "a=sendonlyx\r\na=x:sendonly\r\nb=sendonly\r\n", DT_SENDRECV},
};

static void directions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof direction_cases / sizeof direction_cases[0]; i++) {
        const struct dt_sdp_media *m = parse(direction_cases[i].text);
        if (dt_sdp_direction(&sdp, m) != direction_cases[i].want)
            fail_msg("%s", direction_cases[i].text);
    }
    const enum dt_direction flipped[] = {DT_INACTIVE, DT_RECV, DT_SEND, DT_SENDRECV};
    const char *names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
    for (unsigned d = DT_INACTIVE; d <= DT_SENDRECV; d++) {
        assert_int_equal(dt_direction_flip(d), flipped[d]);
        assert_string_equal(dt_direction_name(d), names[d]);
    }
}

/* ---- addresses ---- */

static const struct address_case {
    const char *text;
    int err;
    const char *rtp;
    int rtcp_err;
    const char *rtcp;
} address_cases[] = {
    {VO "c=IN IP4 192.0.2.9\r\n" M, DT_OK, "192.0.2.9:5004", DT_OK, "192.0.2.9:5005"},
    {VO "c=IN IP4 192.0.2.9\r\n" M "c=IN IP4 192.0.2.8\r\n", DT_OK, "192.0.2.8:5004", DT_OK,
     "192.0.2.8:5005"},
    {VO M "c=IN IP6 2001:db8::1\r\n", DT_OK, "[2001:db8::1]:5004", DT_OK, "[2001:db8::1]:5005"},
    {VO "c=IN IP4 0.0.0.0\r\n" M, DT_OK, "0.0.0.0:5004", DT_OK, "0.0.0.0:5005"},
    {VO M, DT_E_ABSENT, "", DT_E_ABSENT, ""},
    {VO M "m=audio 1 RTP/AVP 0\r\nc=IN IP4 192.0.2.8\r\n", DT_E_ABSENT, "", DT_E_ABSENT, ""},
    {VO "c=IN IP4 host.example.com\r\n" M, DT_E_UNSUPPORTED, "", DT_E_UNSUPPORTED, ""},
    {VO "c=IN IP4 192.0.2.9\r\nm=audio 65535 RTP/AVP 0\r\n", DT_OK, "192.0.2.9:65535", DT_OK,
     "192.0.2.9:0"},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:53020\r\n", DT_OK, "192.0.2.9:5004", DT_OK,
     "192.0.2.9:53020"},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:53020 IN IP4 126.16.64.4\r\n", DT_OK, "192.0.2.9:5004",
     DT_OK, "126.16.64.4:53020"},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:53020 IN IP6 2001:2345:6789:ABCD:EF01::1\r\n", DT_OK,
     "192.0.2.9:5004", DT_OK, "[2001:2345:6789:abcd:ef01::1]:53020"},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:65536\r\n", DT_OK, "192.0.2.9:5004", DT_E_SYNTAX, ""},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:\r\n", DT_OK, "192.0.2.9:5004", DT_E_SYNTAX, ""},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp\r\n", DT_OK, "192.0.2.9:5004", DT_E_SYNTAX, ""},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:1 IN IP4 2001:db8::1\r\n", DT_OK, "192.0.2.9:5004",
     DT_E_SYNTAX, ""},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:1 IN IP4 192.0.2.1:7\r\n", DT_OK, "192.0.2.9:5004",
     DT_E_SYNTAX, ""},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:1 IN IP4 \r\n", DT_OK, "192.0.2.9:5004", DT_E_SYNTAX,
     ""},
    {VO "c=IN IP4 192.0.2.9\r\n" M "a=rtcp:1x\r\n", DT_OK, "192.0.2.9:5004", DT_E_SYNTAX, ""},
};

static void addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof address_cases / sizeof address_cases[0]; i++) {
        const struct address_case *c = &address_cases[i];
        const struct dt_sdp_media *m = parse(c->text);
        struct dt_addr a;
        char text[DT_ADDR_TEXT_MAX];
        assert_int_equal(dt_sdp_rtp(&sdp, m, &a), c->err);
        if (!c->err)
            assert_string_equal(dt_addr_text(&a, text), c->rtp);
        assert_int_equal(dt_sdp_rtcp(&sdp, m, &a), c->rtcp_err);
        if (!c->rtcp_err)
            assert_string_equal(dt_addr_text(&a, text), c->rtcp);
    }
}

/* ---- attributes ---- */

static void attributes(void **state)
{
    (void)state;
    const struct dt_sdp_media *m =
        parse(VO "a=tool:x\r\na=flag\r\n" M "a=ptime:20\r\na=tool:y:z\r\n"
                 "a=empty:\r\na=tool:second\r\n");
    struct dt_str value;
    assert_true(dt_sdp_attribute(&sdp, m, DT_STR("tool"), &value));
    kit_assert_str(value, "y:z");
    assert_true(dt_sdp_attribute(&sdp, NULL, DT_STR("tool"), &value));
    kit_assert_str(value, "x");
    assert_true(dt_sdp_attribute(&sdp, NULL, DT_STR("flag"), &value));
    kit_assert_str(value, "");
    assert_true(dt_sdp_attribute(&sdp, m, DT_STR("empty"), &value));
    kit_assert_str(value, "");
    assert_false(dt_sdp_attribute(&sdp, m, DT_STR("flag"), &value));
    assert_false(dt_sdp_attribute(&sdp, m, DT_STR("too"), &value));
    assert_false(dt_sdp_attribute(&sdp, m, DT_STR("Tool"), &value)); /* RFC 8866 5: case counts */
    assert_false(dt_sdp_attribute(&sdp, NULL, DT_STR("ptime"), &value));
}

static const struct ptime_case {
    const char *line;
    unsigned want;
} ptime_cases[] = {
    {"", 0},
    {"a=ptime:20\r\n", 20},
    {"a=ptime:1000\r\n", 1000},
    {"a=ptime:1001\r\n", 0},
    {"a=ptime:0\r\n", 0},
    {"a=ptime:\r\n", 0},
    {"a=ptime:-20\r\n", 0},
    {"a=ptime:18446744073709551636\r\n", 0},
};

static void ptimes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ptime_cases / sizeof ptime_cases[0]; i++) {
        char text[256];
        struct dt_writer w = dt_writer(text, sizeof text);
        dt_writef(&w, "%s%s%s%c", VO, M, ptime_cases[i].line, '\0');
        assert_int_equal(dt_sdp_ptime(&sdp, parse(text)), ptime_cases[i].want);
    }
}

/* ---- codecs ---- */

static const struct codec_case {
    const char *formats, *lines;
    const char *want; /* "payload name/clock/channels ..." */
} codec_cases[] = {
    {"0 8 9 18 3", "", "0 PCMU/8000/1 8 PCMA/8000/1 9 G722/8000/1 18 G729/8000/1 3 GSM/8000/1 "},
    {"10 11", "", "10 L16/44100/2 11 L16/44100/1 "},
    {"101 0", "a=rtpmap:101 telephone-event/8000\r\n", "101 telephone-event/8000/1 0 PCMU/8000/1 "},
    {"97", "a=rtpmap:97 opus/48000/2\r\n", "97 opus/48000/2 "},
    {"0", "a=rtpmap:0 PCMA/8000\r\n", "0 PCMA/8000/1 "}, /* theirs to say */
    {"96 0  8 ", "", "0 PCMU/8000/1 8 PCMA/8000/1 "},
    {"96", "a=rtpmap:97 x/8000\r\na=rtpmap:96 y/16000\r\n", "96 y/16000/1 "},
    /* Not payload types, or nothing said of them: passed over. */
    {"128 255 256 -1 4294967296 x 1", "", ""},
    {"96", "a=rtpmap:96 x\r\n", ""},
    {"96", "a=rtpmap:96 x/\r\n", ""},
    {"96", "a=rtpmap:96 /8000\r\n", ""},
    {"96", "a=rtpmap:96 x/0\r\n", ""},
    {"96", "a=rtpmap:96 x/4294967296\r\n", ""},
    {"96", "a=rtpmap:96 x/8000/256\r\n", ""},
    {"96", "a=rtpmap:96\r\na=rtpmap:\r\na=rtpmap\r\n", ""},
    {"96", "a=rtpmap:224 x/8000\r\na=fmtp:96\r\n", ""},
    {"96", "m=video 1 RTP/AVP 96\r\na=rtpmap:96 x/90000\r\n", ""}, /* another's */
};

static void codecs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codec_cases / sizeof codec_cases[0]; i++) {
        char text[512], got[512];
        struct dt_writer w = dt_writer(text, sizeof text);
        dt_writef(&w, "%sm=audio 1 RTP/AVP %s\r\n%s%c", VO, codec_cases[i].formats,
                  codec_cases[i].lines, '\0');
        const struct dt_sdp_media *m = parse(text);
        struct dt_reader rest = dt_reader(m->formats);
        struct dt_codec c;
        w = dt_writer(got, sizeof got);
        while (dt_sdp_codec_next(&sdp, m, &rest, &c))
            dt_writef(&w, "%u %.*s/%u/%u ", c.payload, DT_FMT(c.name), c.clock, c.channels);
        kit_assert_str(dt_writer_str(&w), codec_cases[i].want);
    }
}

static void codecs_are_compared_without_payload(void **state)
{
    (void)state;
    const struct dt_codec a = {DT_STR("PCMU"), 8000, 0, 0};
    struct dt_codec b = {DT_STR("pcmu"), 8000, 96, 1};
    assert_true(dt_codec_eq(&a, &b));
    b.clock = 16000;
    assert_false(dt_codec_eq(&a, &b));
    b = (struct dt_codec){DT_STR("PCMU"), 8000, 0, 2};
    assert_false(dt_codec_eq(&a, &b));
    b = (struct dt_codec){DT_STR("PCMA"), 8000, 0, 0};
    assert_false(dt_codec_eq(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions), cmocka_unit_test(addresses),
        cmocka_unit_test(attributes), cmocka_unit_test(ptimes),
        cmocka_unit_test(codecs),     cmocka_unit_test(codecs_are_compared_without_payload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
