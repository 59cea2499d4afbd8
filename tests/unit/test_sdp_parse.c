/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <stdlib.h>
#include <string.h>

#include "dualtone/msg.h"
#include "dualtone/sdp.h"

#define VO "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\n"
#define AT (sizeof VO - 1)
/* RFC 8866 5, with an IPv4 origin. */
#define EXAMPLE \
    "v=0\r\n" \
    "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n" \
    "s=Call to John Smith\r\n" \
    "i=SDP Offer #1\r\n" \
    "u=http://www.jdoe.example.com/home.html\r\n" \
    "e=Jane Doe <jane@jdoe.example.com>\r\n" \
    "p=+1 617 555-6011\r\n" \
    "c=IN IP4 198.51.100.1\r\n" \
    "t=0 0\r\n" \
    "m=audio 49170 RTP/AVP 0\r\n" \
    "m=audio 49180 RTP/AVP 0\r\n" \
    "m=video 51372 RTP/AVP 99\r\n" \
    "c=IN IP6 2001:db8::2\r\n" \
    "a=rtpmap:99 h263-1998/90000\r\n"

static void example_of_the_rfc(void **state)
{
    (void)state;
    static struct dt_sdp s;
    struct dt_addr addr;
    char text[DT_ADDR_TEXT_MAX];
    assert_int_equal(dt_sdp_parse(&s, kit_guarded(0, DT_STR(EXAMPLE)), NULL), DT_OK);
    kit_assert_str(s.session_id, "3724394400");
    kit_assert_str(s.version, "3724394405");
    kit_assert_str(s.connection.host, "198.51.100.1");
    assert_int_equal(s.n, 14);
    assert_int_equal(s.n_media, 3);
    kit_assert_str(s.media[0].type, "audio");
    kit_assert_str(s.media[0].proto, "RTP/AVP");
    kit_assert_str(s.media[2].formats, "99");
    assert_int_equal(s.media[1].line, 10);
    assert_int_equal(s.media[1].end, 11);
    assert_int_equal(s.media[2].end, 14);
    assert_int_equal(dt_sdp_rtp(&s, &s.media[1], &addr), DT_OK);
    assert_string_equal(dt_addr_text(&addr, text), "198.51.100.1:49180");
    assert_int_equal(dt_sdp_rtp(&s, &s.media[2], &addr), DT_OK);
    assert_string_equal(dt_addr_text(&addr, text), "[2001:db8::2]:51372");
}

/* ---- what is taken and what is not, and where the mistake is ---- */

static const struct parse_case {
    const char *text;
    int err;
    size_t at;
} parse_cases[] = {
    {VO, DT_OK, 0},
    {EXAMPLE, DT_OK, 0},
    /* Line ends. */
    {"v=0\no=- 1 2 IN IP4 192.0.2.1\ns=-\n", DT_OK, 0},
    {"v=0\r\no=- 1 2 IN IP4 192.0.2.1", DT_OK, 0},
    {VO "\r\n", DT_OK, 0},
    {VO "\r\n\n\r\n", DT_OK, 0},
    {VO "\r\ns=-\r\n", DT_E_SYNTAX, AT + 2},
    {"v=0\r\ro=- 1 2 IN IP4 192.0.2.1", DT_E_SYNTAX, 3},
    {VO "s=a\rb\r\n", DT_E_SYNTAX, AT + 3},
    /* Types. */
    {VO "y=unknown\r\nX=y\r\n", DT_OK, 0},
    {VO "y\r\n", DT_E_SYNTAX, AT + 1},
    {VO "yy=1\r\n", DT_E_SYNTAX, AT + 1},
    {VO "=1\r\n", DT_E_SYNTAX, AT + 0},
    {VO " s=1\r\n", DT_E_SYNTAX, AT + 0},
    {VO "s=\r\n", DT_OK, 0},
    /* v= */
    {"", DT_E_SYNTAX, 0},
    {"\r\n", DT_E_SYNTAX, 2},
    {"v=0\r\n", DT_E_SYNTAX, 5},
    {"v=1\r\no=- 1 2 IN IP4 192.0.2.1\r\n", DT_E_SYNTAX, 2},
    {"v=00\r\no=- 1 2 IN IP4 192.0.2.1\r\n", DT_E_SYNTAX, 3},
    {"o=- 1 2 IN IP4 192.0.2.1\r\nv=0\r\n", DT_E_SYNTAX, 2},
    {VO "v=0\r\n", DT_E_SYNTAX, AT + 2},
    /* o= */
    {"v=0\r\no=- 1 2 IN IP4\r\n", DT_E_SYNTAX, 19},
    {"v=0\r\no=- 1 2 IN IP4 h x\r\n", DT_E_SYNTAX, 22},
    {"v=0\r\no=-\r\n", DT_E_SYNTAX, 8},
    {"v=0\r\no= \r\n", DT_E_SYNTAX, 8},
    {VO "o=- 1 2 IN IP4 192.0.2.1\r\n", DT_E_SYNTAX, AT + 2},
    {"v=0\r\nm=audio 1 RTP/AVP 0\r\n", DT_E_SYNTAX, 7},
    /* c= */
    {VO "c=IN IP4 192.0.2.1\r\n", DT_OK, 0},
    {VO "c=IN IP4 224.2.36.42/127\r\n", DT_OK, 0},
    {VO "c=IN IP4 224.2.1.1/127/3\r\n", DT_OK, 0},
    {VO "c=IN IP6 ff15::101/3\r\n", DT_OK, 0},
    {VO "c=IN IP4 host.example.com\r\n", DT_OK, 0},
    {VO "c=IN IP4 1and1.example\r\n", DT_OK, 0},
    {VO "c=TN RFC2543 +1-201-406-4090\r\n", DT_OK, 0},
    {VO "c=IN IP4 192.0.2.256\r\n", DT_E_SYNTAX, AT + 9},
    {VO "c=IN IP4 192.0.2.1:5060\r\n", DT_E_SYNTAX, AT + 9},
    {VO "c=IN IP4 2001:db8::1\r\n", DT_E_SYNTAX, AT + 9},
    {VO "c=IN IP6 192.0.2.1\r\n", DT_E_SYNTAX, AT + 9},
    {VO "c=IN IP6 [2001:db8::1]\r\n", DT_E_SYNTAX, AT + 9},
    {VO "c=IN IP6 2001:db8::1::2\r\n", DT_E_SYNTAX, AT + 9},
    {VO "c=IN IP4 /127\r\n", DT_E_SYNTAX, AT + 9},
    {VO "c=IN IP5 192.0.2.1\r\n", DT_E_SYNTAX, AT + 5},
    {VO "c=IN IP4\r\n", DT_E_SYNTAX, AT + 8},
    {VO "c=\r\n", DT_E_SYNTAX, AT + 2},
    {VO "c=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\n", DT_E_SYNTAX, AT + 22},
    {VO "m=audio 1 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2\r\n", DT_OK, 0},
    /* m= */
    {VO "m=audio 0 RTP/AVP 0\r\n", DT_OK, 0},
    {VO "m=audio 65535/2 RTP/AVP 0 8 \r\n", DT_OK, 0},
    {VO "m=image 1 udptl t38\r\n", DT_OK, 0},
    {VO "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", DT_OK, 0},
    {VO "m=audio 65536 RTP/AVP 0\r\n", DT_E_SYNTAX, AT + 8},
    {VO "m=audio -1 RTP/AVP 0\r\n", DT_E_SYNTAX, AT + 8},
    {VO "m=audio 4294967296 RTP/AVP 0\r\n", DT_E_SYNTAX, AT + 8},
    {VO "m=audio 1/ RTP/AVP 0\r\n", DT_E_SYNTAX, AT + 8},
    {VO "m=audio 1/2/3 RTP/AVP 0\r\n", DT_E_SYNTAX, AT + 8},
    {VO "m=audio 1 RTP/AVP\r\n", DT_E_SYNTAX, AT + 17},
    {VO "m=audio 1\r\n", DT_E_SYNTAX, AT + 9},
    {VO "m=audio\r\n", DT_E_SYNTAX, AT + 7},
    {VO "m=\r\n", DT_E_SYNTAX, AT + 2},
    {VO "m=au:dio 1 RTP/AVP 0\r\n", DT_E_SYNTAX, AT + 2},
    /* a= */
    {VO "a=\r\n", DT_E_SYNTAX, AT + 2},
    {VO "a=:x\r\n", DT_E_SYNTAX, AT + 2},
    {VO "a=sendrecv\r\na=x:\r\n", DT_OK, 0},
};

static void takes_and_refuses(void **state)
{
    (void)state;
    static struct dt_sdp s;
    for (size_t i = 0; i < sizeof parse_cases / sizeof parse_cases[0]; i++) {
        const struct parse_case *c = &parse_cases[i];
        struct dt_str text = kit_guarded(0, dt_str_z(c->text));
        size_t at = 0;
        int err = dt_sdp_parse(&s, text, &at);
        if (err != c->err || at != c->at)
            fail_msg("%s\ngives %s at %zu, not %zu", c->text, dt_err_text(err), at, c->at);
        for (size_t n = 0; n < text.n; n++) {
            at = 0;
            err = dt_sdp_parse(&s, kit_guarded(1, dt_str_sub(text, 0, n)), &at);
            assert_true(at <= n);
            assert_true(err == DT_OK || err == DT_E_SYNTAX);
        }
    }
}

static void nul_in_a_line(void **state)
{
    (void)state;
    static struct dt_sdp s;
    size_t at = 0;
    assert_int_equal(dt_sdp_parse(&s, DT_STR(VO "s=a\0b\r\n"), &at), DT_E_SYNTAX);
    assert_int_equal(at, AT + 3);
}

/* ---- limits: what a peer writes is never a size of ours ---- */

static void repeat(struct dt_writer *w, const char *text, int n)
{
    while (n--)
        dt_write_z(w, text);
}

static int parse_repeated(const char *head, const char *text, int n, const char *tail)
{
    static char buf[16384];
    static struct dt_sdp s;
    struct dt_writer w = dt_writer(buf, sizeof buf);
    dt_write_z(&w, VO);
    dt_write_z(&w, head);
    repeat(&w, text, n);
    dt_write_z(&w, tail);
    assert_int_equal(w.err, DT_OK);
    return dt_sdp_parse(&s, kit_guarded(0, dt_writer_str(&w)), NULL);
}

static void limits(void **state)
{
    (void)state;
    const int lines = DT_SDP_LINES_MAX - 2;
    assert_int_equal(parse_repeated("", "a=x\r\n", lines, ""), DT_OK);
    assert_int_equal(parse_repeated("", "a=x\r\n", lines + 1, ""), DT_E_LIMIT);
    assert_int_equal(parse_repeated("", "\r\n", 4 * lines, ""), DT_OK);
    const char *m = "m=audio 1 RTP/AVP 0\r\n";
    assert_int_equal(parse_repeated("", m, DT_SDP_MEDIA_MAX, ""), DT_OK);
    assert_int_equal(parse_repeated("", m, DT_SDP_MEDIA_MAX + 1, ""), DT_E_LIMIT);
    const char *head = "m=audio 1 RTP/AVP";
    assert_int_equal(parse_repeated(head, " 0", DT_SDP_FORMATS_MAX, "\r\n"), DT_OK);
    assert_int_equal(parse_repeated(head, " 0", DT_SDP_FORMATS_MAX + 1, "\r\n"), DT_E_LIMIT);
}

/* ---- written and parsed again it is the same ---- */

static void assert_written_is_the_same(struct dt_str text)
{
    static struct dt_sdp a, b;
    static char buf[DT_MSG_MAX];
    struct dt_writer w = dt_writer(buf, sizeof buf);
    assert_int_equal(dt_sdp_parse(&a, text, NULL), DT_OK);
    dt_sdp_write(&w, &a);
    assert_int_equal(dt_sdp_parse(&b, kit_guarded(3, dt_writer_str(&w)), NULL), DT_OK);
    assert_int_equal(a.n, b.n);
    assert_int_equal(a.n_media, b.n_media);
    for (size_t i = 0; i < a.n; i++) {
        assert_int_equal(a.lines[i].type, b.lines[i].type);
        assert_true(dt_str_eq(a.lines[i].value, b.lines[i].value));
    }
    for (size_t i = 0; i < a.n_media; i++) {
        assert_int_equal(a.media[i].line, b.media[i].line);
        assert_int_equal(a.media[i].end, b.media[i].end);
        assert_int_equal(a.media[i].port, b.media[i].port);
    }
    for (size_t room = 0; room < w.n; room++) {
        struct dt_writer small = dt_writer(buf, room);
        dt_sdp_write(&small, &b);
        assert_int_equal(small.err, DT_E_LIMIT);
    }
}

static void writes_what_it_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parse_cases / sizeof parse_cases[0]; i++)
        if (!parse_cases[i].err)
            assert_written_is_the_same(dt_str_z(parse_cases[i].text));
    static struct dt_sdp s;
    char text[sizeof EXAMPLE];
    struct dt_writer w = dt_writer(text, sizeof text);
    assert_int_equal(dt_sdp_parse(&s, DT_STR(EXAMPLE), NULL), DT_OK);
    dt_sdp_write(&w, &s);
    kit_assert_str(dt_writer_str(&w), EXAMPLE);
}

/* ---- the descriptions in the torture messages (RFC 4475, RFC 5118) ---- */

/* Counts the description in a message, if it holds one that is whole. */
static size_t read_body(struct dt_str text)
{
    static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    static struct dt_sdp s;
    struct dt_sip_msg m;
    struct dt_media_type type;
    struct dt_addr addr;
    if (dt_sip_parse(&m, text, headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_media_type(&type, dt_sip_get(&m, DT_H_CONTENT_TYPE)) ||
        !dt_str_eq(type.subtype, DT_STR("sdp")))
        return 0;
    struct dt_str body = kit_guarded(1, m.body);
    size_t at = 0;
    if (dt_sdp_parse(&s, body, &at))
        fail_msg("at %zu of:\n%.*s", at, DT_FMT(body));
    assert_true(s.n_media >= 1);
    for (size_t i = 0; i < s.n_media; i++)
        assert_int_equal(dt_sdp_rtcp(&s, &s.media[i], &addr), DT_OK);
    assert_written_is_the_same(body);
    return 1;
}

static void torture_descriptions(void **state)
{
    (void)state;
    void *index_memory;
    struct dt_reader index = dt_reader(kit_file("corpus/torture/INDEX.tsv", &index_memory));
    size_t n = 0;
    dt_reader_until(&index, '\n');
    while (dt_reader_char(&index, '\n') && !dt_reader_end(&index)) {
        char path[128];
        void *memory;
        struct dt_writer w = dt_writer(path, sizeof path - 1);
        dt_write_lit(&w, "corpus/torture/");
        dt_write(&w, dt_reader_until(&index, '\t'));
        path[w.n] = '\0';
        n += read_body(kit_file(path, &memory));
        free(memory);
        dt_reader_until(&index, '\n');
    }
    free(index_memory);
    assert_true(n >= 15); /* the others have no SDP, or cannot be parsed */
}

/* RFC 5118 4.8: one medium by IPv4, the other by IPv6. */
static void two_families_in_one_description(void **state)
{
    (void)state;
    static struct dt_sdp s;
    void *memory;
    struct dt_addr addr;
    char text[DT_ADDR_TEXT_MAX];
    struct dt_str file = kit_file("corpus/torture/rfc5118/mult-ip-in-sdp.dat", &memory);
    size_t body = dt_str_search(file, DT_STR("\r\n\r\n")) + 4;
    assert_int_equal(dt_sdp_parse(&s, dt_str_sub(file, body, file.n), NULL), DT_OK);
    assert_int_equal(s.n_media, 2);
    assert_int_equal(dt_sdp_rtp(&s, &s.media[0], &addr), DT_OK);
    assert_string_equal(dt_addr_text(&addr, text), "192.0.2.1:22334");
    assert_int_equal(dt_sdp_rtp(&s, &s.media[1], &addr), DT_OK);
    assert_string_equal(dt_addr_text(&addr, text), "[2001:db8::1]:6024");
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_the_rfc),
        cmocka_unit_test(takes_and_refuses),
        cmocka_unit_test(nul_in_a_line),
        cmocka_unit_test(limits),
        cmocka_unit_test(writes_what_it_read),
        cmocka_unit_test(torture_descriptions),
        cmocka_unit_test(two_families_in_one_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
