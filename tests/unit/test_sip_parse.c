/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole messages: what is taken, what is refused and with which fault. */
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "dualtone/msg.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];

/* Parse and check; the message lies in memory with DT_PAD bytes behind it, and no more. */
static int take(struct dt_sip_msg *m, struct dt_str text)
{
    int err = dt_sip_parse(m, kit_guarded_padded(0, text), headers, DT_MSG_HEADERS_MAX);
    int checked = dt_sip_check(m);
    assert_true(!err || err == DT_E_SYNTAX);
    assert_true(!checked || checked == DT_E_SYNTAX);
    assert_int_equal(checked == DT_OK, m->fault == DT_FAULT_NONE);
    return checked;
}

#define VIA "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
#define FROM "From: <sip:a@h>;tag=1\r\n"
#define TO "To: <sip:b@h>\r\n"
#define ID "Call-ID: 1@h\r\n"
#define CSEQ "CSeq: 1 INVITE\r\n"
#define FIVE VIA FROM TO ID CSEQ
#define LINE "INVITE sip:b@h SIP/2.0\r\n"
#define OK "SIP/2.0 200 OK\r\n"

static const char whole[] = LINE "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n"
                                 "Max-Forwards: 70\r\n"
                                 "Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\n"
                                 "f: \"A\" <sip:a@h>;tag=1\r\n"
                                 "t:<sip:b@h>\r\n"
                                 "i : 1@h\r\n"
                                 "X-Other:\t value \r\n"
                                 "CSeq: 1 INVITE\r\n"
                                 "VIA: SIP/2.0/TCP 192.0.2.2\r\n"
                                 "Subject:\r\n"
                                 "m: <sip:a@192.0.2.1>\r\n"
                                 "l: 4\r\n"
                                 "\r\n"
                                 "body";

static void a_request_is_taken_apart(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    assert_int_equal(take(&m, DT_STR(whole)), DT_OK);
    assert_true(m.request && m.checked);
    assert_int_equal(m.method, DT_INVITE);
    kit_assert_str(m.method_text, "INVITE");
    kit_assert_str(m.uri_text, "sip:b@h");
    kit_assert_str(m.uri.user, "b");
    kit_assert_str(m.body, "body");
    kit_assert_str(m.via.branch, "z9hG4bKx");
    kit_assert_str(m.from.display, "A");
    kit_assert_str(m.from.tag, "1");
    kit_assert_str(m.to.uri.text, "sip:b@h");
    kit_assert_str(m.to.tag, "");
    kit_assert_str(m.call_id, "1@h");
    assert_int_equal(m.cseq.number, 1);
    assert_int_equal(m.cseq.method, DT_INVITE);
    assert_int_equal(m.max_forwards, 70);
    assert_int_equal(m.n, 12);
    kit_assert_str(dt_sip_name(&m, &m.headers[5]), "i");
    kit_assert_str(dt_sip_value(&m, &m.headers[5]), "1@h");
    kit_assert_str(dt_sip_get(&m, DT_H_SUBJECT), "");
    kit_assert_str(dt_sip_get(&m, DT_H_ROUTE), "<sip:p1;lr>,\r\n <sip:p2;lr>");
    kit_assert_str(dt_sip_get_other(&m, "x-other"), "value");
}

static void the_index_covers_every_byte(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    assert_int_equal(take(&m, DT_STR(whole)), DT_OK);
    kit_assert_str(dt_str_sub(m.text, 0, m.headers_at), LINE);
    size_t at = m.headers_at;
    for (unsigned i = 0; i < m.n; i++) {
        assert_int_equal(m.headers[i].name_at, at);
        at = m.headers[i].end;
        kit_assert_str(dt_str_sub(m.text, at - 2, 2), "\r\n");
    }
    assert_int_equal(at, m.headers_end);
    kit_assert_str(dt_str_sub(m.text, at, 99), "\r\nbody");
}

static void a_response_is_taken_apart(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    assert_int_equal(take(&m, DT_STR("sip/2.0 180 Ringing 100%\r\n" FIVE "\r\n")), DT_OK);
    assert_false(m.request);
    assert_int_equal(m.status, 180);
    kit_assert_str(m.reason, "Ringing 100%");
    assert_int_equal(m.method, DT_INVITE);
    kit_assert_str(m.method_text, "INVITE");
    assert_int_equal(m.max_forwards, -1);
    assert_int_equal(take(&m, DT_STR("SIP/2.0 100 \r\n" FIVE "\r\n")), DT_OK);
    kit_assert_str(m.reason, "");
    assert_int_equal(take(&m, DT_STR("SIP/2.0 699\r\n" FIVE "\r\n")), DT_OK);
    assert_int_equal(m.status, 699);
}

static void ends_of_lines_are_tolerated(void **state)
{
    (void)state;
    char text[sizeof whole];
    size_t n = 0;
    for (size_t i = 0; i < sizeof whole - 1; i++)
        if (whole[i] != '\r')
            text[n++] = whole[i];
    struct dt_sip_msg m;
    assert_int_equal(take(&m, (struct dt_str){text, n}), DT_OK);
    kit_assert_str(m.body, "body");
    kit_assert_str(m.to.uri.text, "sip:b@h");
    assert_int_equal(m.n, 12);

    assert_int_equal(take(&m, DT_STR("\r\n\n\r\n" LINE FIVE "\r\n")), DT_OK);
    kit_assert_str(dt_str_sub(m.text, 0, 6), "INVITE");
    assert_int_equal(m.text.n, sizeof(LINE FIVE "\r\n") - 1);
}

/* Only the whole message is one; at each truncation something is missing. */
static void truncations_are_refused(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        assert_int_equal(take(&m, (struct dt_str){whole, n}), DT_E_SYNTAX);
        assert_true(m.text.n <= n);
        assert_true(m.body.n <= 4);
    }
}

/* ---- faults ---- */

static const struct {
    const char *text;
    enum dt_sip_fault fault;
} faults[] = {
    {LINE FIVE "\r\n", DT_FAULT_NONE},
    {"", DT_FAULT_START_LINE},
    {"\r\n\r\n", DT_FAULT_START_LINE},
    {"INVITE sip:b@h SIP/2.0", DT_FAULT_START_LINE},
    {"INVITE sip:b@h\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {" INVITE sip:b@h SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE  sip:b@h SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE sip:b@h  SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE sip:b@h SIP/2.0 \r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE\tsip:b@h SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE sip:b@h; lr SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INV/TE sip:b@h SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE sip:b@h SPAM/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE sip:b@h SIP/2\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"INVITE sip:b@h SIP/7.0\r\n" FIVE "\r\n", DT_FAULT_VERSION},
    {"INVITE sip:b@h SIP/2.00\r\n" FIVE "\r\n", DT_FAULT_VERSION},
    {"INVITE sip:b\001@h SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"SIP/7.0 200 OK\r\n" FIVE "\r\n", DT_FAULT_VERSION},
    {"SIP/2.0 99 OK\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"SIP/2.0 099 OK\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"SIP/2.0 700 OK\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"SIP/2.0 4294967301 OK\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"SIP/2.0 20 OK\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"SIP/2.0 2x0 OK\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    {"SIP/2.0  200 OK\r\n" FIVE "\r\n", DT_FAULT_START_LINE},
    /* header lines */
    {LINE FIVE, DT_FAULT_HEADER},
    {LINE FIVE "X", DT_FAULT_HEADER},
    {LINE FIVE "X\r\n\r\n", DT_FAULT_HEADER},
    {LINE FIVE ":x\r\n\r\n", DT_FAULT_HEADER},
    {LINE FIVE " :x\r\n\r\n", DT_FAULT_CSEQ}, /* a fold of CSeq */
    {LINE " x: y\r\n" FIVE "\r\n", DT_FAULT_HEADER},
    {LINE FIVE "X Y: z\r\n\r\n", DT_FAULT_HEADER},
    {LINE FIVE "X\"Y: z\r\n\r\n", DT_FAULT_HEADER},
    {LINE FIVE "X: a\rb\r\n\r\n", DT_FAULT_HEADER},
    {LINE FIVE "X: a\001b\r\n\r\n", DT_FAULT_HEADER},
    {LINE FIVE "X: \"a\\\001b\"\r\n\r\n", DT_FAULT_NONE},
    {LINE FIVE "X: a\\\rb\r\n\r\n", DT_FAULT_HEADER},
    {LINE FIVE "X\r\n : y\r\n\r\n", DT_FAULT_HEADER},
    {LINE FIVE "X\t : a\tb\r\n\tc\r\n\r\n", DT_FAULT_NONE},
    /* what must be there, and once */
    {LINE FROM TO ID CSEQ "\r\n", DT_FAULT_MISSING},
    {LINE VIA TO ID CSEQ "\r\n", DT_FAULT_MISSING},
    {LINE VIA FROM ID CSEQ "\r\n", DT_FAULT_MISSING},
    {LINE VIA FROM TO CSEQ "\r\n", DT_FAULT_MISSING},
    {LINE VIA FROM TO ID "\r\n", DT_FAULT_MISSING},
    {LINE "\r\n", DT_FAULT_MISSING},
    {LINE FIVE FROM "\r\n", DT_FAULT_DUPLICATE},
    {LINE FIVE "t: <sip:b@h>\r\n\r\n", DT_FAULT_DUPLICATE},
    {LINE FIVE "i: 1@h\r\n\r\n", DT_FAULT_DUPLICATE},
    {LINE FIVE CSEQ "\r\n", DT_FAULT_DUPLICATE},
    {LINE FIVE "Max-Forwards: 1\r\nmax-forwards : 1\r\n\r\n", DT_FAULT_DUPLICATE},
    {LINE FIVE "Expires: 1\r\nExpires: 1\r\n\r\n", DT_FAULT_DUPLICATE},
    {LINE FIVE "X-A: 1\r\nX-A: 1\r\n\r\n", DT_FAULT_NONE},
    /* Content-Length of every wrong kind */
    {LINE FIVE "Content-Length: 4\r\n\r\nbody", DT_FAULT_NONE},
    {LINE FIVE "Content-Length: 0004\r\n\r\nbody", DT_FAULT_NONE},
    {LINE FIVE "Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: 4\r\nl: 3\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: -1\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: +4\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: 4,4\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: 4 4\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: 4;x\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: 0x4\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: 5\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: 4294967300\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length: 18446744073709551620\r\n\r\nbody", DT_FAULT_LENGTH},
    {LINE FIVE "Content-Length:\r\n\r\nbody", DT_FAULT_LENGTH},
    /* values */
    {LINE "Via: SIP/2.0/UDP h;;\r\n" FROM TO ID CSEQ "\r\n", DT_FAULT_VIA},
    {LINE "Via: SIP/2.0/UDP h,\r\n" FROM TO ID CSEQ "\r\n", DT_FAULT_NONE},
    {LINE "Via:\r\n" FROM TO ID CSEQ "\r\n", DT_FAULT_VIA},
    {LINE VIA "From: \r\n" TO ID CSEQ "\r\n", DT_FAULT_FROM},
    {LINE VIA "From: *\r\n" TO ID CSEQ "\r\n", DT_FAULT_FROM},
    {LINE VIA "From: <sip:a@h>\r\n" TO ID CSEQ "\r\n", DT_FAULT_NONE},
    {LINE VIA FROM "To:  \r\n" ID CSEQ "\r\n", DT_FAULT_TO},
    {LINE VIA FROM "To: \"b <sip:b@h>\r\n" ID CSEQ "\r\n", DT_FAULT_TO},
    {LINE VIA FROM "To: <sip:b@h>,<sip:c@h>\r\n" ID CSEQ "\r\n", DT_FAULT_TO},
    {LINE VIA FROM TO "Call-ID:\r\n" CSEQ "\r\n", DT_FAULT_CALL_ID},
    {LINE VIA FROM TO "Call-ID: a b\r\n" CSEQ "\r\n", DT_FAULT_CALL_ID},
    {LINE VIA FROM TO "Call-ID: a\xc3\r\n" CSEQ "\r\n", DT_FAULT_CALL_ID},
    {LINE VIA FROM TO ID "CSeq: 1\r\n\r\n", DT_FAULT_CSEQ},
    {LINE VIA FROM TO ID "CSeq: 2147483648 INVITE\r\n\r\n", DT_FAULT_CSEQ},
    {LINE VIA FROM TO ID "CSeq: 2147483647 INVITE\r\n\r\n", DT_FAULT_NONE},
    {LINE VIA FROM TO ID "CSeq: 1 BYE\r\n\r\n", DT_FAULT_METHOD},
    {LINE VIA FROM TO ID "CSeq: 1 invite\r\n\r\n", DT_FAULT_METHOD},
    {"NEW sip:b@h SIP/2.0\r\n" VIA FROM TO ID "CSeq: 1 NEW\r\n\r\n", DT_FAULT_NONE},
    {"NEW sip:b@h SIP/2.0\r\n" VIA FROM TO ID "CSeq: 1 OLD\r\n\r\n", DT_FAULT_METHOD},
    {LINE FIVE "Max-Forwards: 255\r\n\r\n", DT_FAULT_NONE},
    {LINE FIVE "Max-Forwards: 256\r\n\r\n", DT_FAULT_MAX_FORWARDS},
    {LINE FIVE "Max-Forwards: -1\r\n\r\n", DT_FAULT_MAX_FORWARDS},
    {LINE FIVE "Max-Forwards: \r\n\r\n", DT_FAULT_MAX_FORWARDS},
    {OK FIVE "Max-Forwards: x\r\n\r\n", DT_FAULT_NONE},
    {"INVITE <sip:b@h> SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_URI},
    {"INVITE sip: SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_URI},
    {"INVITE sip:b@h?Route=x SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_URI},
    {"INVITE other:thing SIP/2.0\r\n" FIVE "\r\n", DT_FAULT_NONE},
    {LINE FIVE "Route: <sip:p;lr>\r\nRoute: <sip:q;lr>;x , <sip:r>\r\n\r\n", DT_FAULT_NONE},
    {LINE FIVE "Route: sip:p;lr\r\n\r\n", DT_FAULT_ROUTE},
    {LINE FIVE "Route: *\r\n\r\n", DT_FAULT_ROUTE},
    {LINE FIVE "Route:\r\n\r\n", DT_FAULT_ROUTE},
    {LINE FIVE "Route: <sip:p;lr>,\r\n\r\n", DT_FAULT_ROUTE},
    {LINE FIVE "Route: <sip:p;lr>\r\nRoute: <p>\r\n\r\n", DT_FAULT_ROUTE},
    {LINE FIVE "Contact: *\r\n\r\n", DT_FAULT_NONE},
    {LINE FIVE "Contact: \"a,b\" <sip:a@h>;q=1, sip:b@h;q=0, <sips:c>\r\n\r\n", DT_FAULT_NONE},
    {LINE FIVE "Contact: sip:a@h?x=y\r\n\r\n", DT_FAULT_CONTACT},
    {LINE FIVE "Contact: <sip:a@h>,\r\n\r\n", DT_FAULT_CONTACT},
    {LINE FIVE "Contact: <sip:a@h>\r\nContact: a\r\n\r\n", DT_FAULT_CONTACT},
    {OK FIVE "Contact: a\r\n\r\n", DT_FAULT_CONTACT},
    {"SIP/2.0 486 Busy\r\n" FIVE "Contact: a\r\n\r\n", DT_FAULT_NONE},
};

static void faults_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct dt_sip_msg m;
        print_message("%s\n", faults[i].text);
        int err = take(&m, dt_str_z(faults[i].text));
        assert_string_equal(dt_sip_fault_phrase(m.fault), dt_sip_fault_phrase(faults[i].fault));
        assert_int_equal(err, faults[i].fault ? DT_E_SYNTAX : DT_OK);
    }
}

static void nul_is_a_byte_like_others(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    assert_int_equal(
        take(&m, DT_STR(LINE VIA "From: \"\\\0\" <sip:a@h>\r\n" TO ID CSEQ "\r\na\0b\r\rc")),
        DT_OK);
    assert_true(dt_str_eq(m.from.display, DT_STR("\\\0")));
    assert_true(dt_str_eq(m.body, DT_STR("a\0b\r\rc")));
    assert_int_equal(take(&m, DT_STR(LINE FIVE "X: \0\r\n\r\n")), DT_E_SYNTAX);
    assert_int_equal(m.fault, DT_FAULT_HEADER);
    assert_int_equal(take(&m, DT_STR(LINE FIVE "X\0: y\r\n\r\n")), DT_E_SYNTAX);
    assert_int_equal(m.fault, DT_FAULT_HEADER);
}

/* RFC 3261 18.3: what is behind the body in a datagram is dropped; without a length all is body. */
static void the_body_is_cut_by_its_length(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    assert_int_equal(take(&m, DT_STR(LINE FIVE "l: 4\r\n\r\nbodyINVITE sip:x SIP/2.0\r\n")), DT_OK);
    kit_assert_str(m.body, "body");
    assert_int_equal(m.text.n, sizeof(LINE FIVE "l: 4\r\n\r\nbody") - 1);
    assert_int_equal(take(&m, DT_STR(LINE FIVE "\r\nbody")), DT_OK);
    kit_assert_str(m.body, "body");
    assert_int_equal(take(&m, DT_STR(LINE FIVE "l: 9999\r\n\r\nbody")), DT_E_SYNTAX);
    kit_assert_str(m.body, "body");
}

/* A request with a good Via can be answered, whatever else is bad. */
static void good_parts_of_bad_messages_are_there(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    assert_int_equal(take(&m, DT_STR("INVITE sip:b@h SIP/7.0\r\n" VIA "junk\r\nFrom: \"\r\n" TO
                                     "Call-ID:\r\nCSeq: 1 BYE\r\n")),
                     DT_E_SYNTAX);
    assert_int_equal(m.fault, DT_FAULT_VERSION);
    assert_true(m.request);
    assert_int_equal(m.method, DT_INVITE);
    kit_assert_str(m.via.host, "192.0.2.1");
    kit_assert_str(m.to.uri.text, "sip:b@h");
    assert_null(m.from.text.p);
    assert_null(m.call_id.p);
    assert_int_equal(m.cseq.number, 1);
    assert_int_equal(m.n, 5);
}

/* ---- limits ---- */

static char big[DT_MSG_MAX + 200];

static struct dt_str repeat(const char *head, const char *line, unsigned n, const char *tail)
{
    struct dt_writer w = dt_writer(big, sizeof big);
    dt_write_z(&w, head);
    while (n--)
        dt_write_z(&w, line);
    dt_write_z(&w, tail);
    assert_int_equal(w.err, DT_OK);
    return dt_writer_str(&w);
}

static void limits_hold(void **state)
{
    (void)state;
    static const struct {
        const char *head, *line;
        unsigned max;
    } rows[] = {
        {LINE FIVE, "X-A: y\r\n", DT_MSG_HEADERS_MAX - 5},
        {LINE FIVE, "Via: SIP/2.0/UDP h\r\n", 99},
        {LINE FROM TO ID CSEQ "Via: SIP/2.0/UDP h", ",\r\n SIP/2.0/UDP h;x=\",\"", 99},
        {LINE FIVE, "Route: <sip:p>\r\n", 60},
        {LINE FIVE "Route: <sip:p>", ",<sip:p>", 59},
    };
    struct dt_sip_msg m;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool open = rows[i].line[0] == ',';
        const char *tail = open ? "\r\n\r\n" : "\r\n";
        take(&m, repeat(rows[i].head, rows[i].line, rows[i].max, tail));
        assert_int_equal(m.fault, DT_FAULT_NONE);
        take(&m, repeat(rows[i].head, rows[i].line, rows[i].max + 1, tail));
        assert_int_equal(m.fault, DT_FAULT_TOO_MANY);
    }
    struct dt_sip_header few[4];
    struct dt_str text = kit_guarded_padded(0, DT_STR(LINE FIVE "\r\nbody"));
    assert_int_equal(dt_sip_parse(&m, text, few, 4), DT_E_SYNTAX);
    assert_int_equal(m.fault, DT_FAULT_TOO_MANY);
    assert_int_equal(m.n, 4);
    kit_assert_str(m.body, "body");
    assert_int_equal(dt_sip_parse(&m, text, few, 0), DT_E_SYNTAX);
}

static void size_is_limited(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    size_t n = sizeof(LINE FIVE "\r\n") - 1;
    struct dt_str text = repeat(LINE FIVE "\r\n", "x", (unsigned)(DT_MSG_MAX - n), "");
    assert_int_equal(take(&m, text), DT_OK);
    assert_int_equal(m.text.n, DT_MSG_MAX);
    text = repeat(LINE FIVE "\r\n", "x", (unsigned)(DT_MSG_MAX - n) + 1, "");
    assert_int_equal(take(&m, text), DT_E_SYNTAX);
    assert_int_equal(m.fault, DT_FAULT_LENGTH);
    text = repeat("INVITE ", "x", DT_MSG_MAX, "\r\n");
    assert_int_equal(take(&m, text), DT_E_SYNTAX);
    /* the last line ends at the last byte that an offset can name */
    n = sizeof(LINE FIVE "X: ") - 1;
    text = repeat(LINE FIVE "X: ", "x", (unsigned)(DT_MSG_MAX - n) - 4, "\r\n\r\n");
    assert_int_equal(take(&m, text), DT_OK);
    assert_int_equal(m.headers[5].end, DT_MSG_MAX - 2);
    assert_int_equal(m.headers_end, DT_MSG_MAX - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_taken_apart),
        cmocka_unit_test(the_index_covers_every_byte),
        cmocka_unit_test(a_response_is_taken_apart),
        cmocka_unit_test(ends_of_lines_are_tolerated),
        cmocka_unit_test(truncations_are_refused),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(nul_is_a_byte_like_others),
        cmocka_unit_test(the_body_is_cut_by_its_length),
        cmocka_unit_test(good_parts_of_bad_messages_are_there),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(size_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
