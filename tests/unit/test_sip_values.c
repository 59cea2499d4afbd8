/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values with structure, each exact to the byte: every vector lies before an unmapped page, and is
 * tried at every truncation. */
#include "testkit.h"

#include <string.h>

#include "dualtone/msg.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct dt_str guarded(const char *text)
{
    return kit_guarded(0, dt_str_z(text));
}

static bool inside(struct dt_str part, struct dt_str whole)
{
    return !part.p || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

/* ---- Via ---- */

static const struct {
    const char *text;
    int err;
    const char *transport, *sent_by, *host;
    unsigned port;
    const char *params, *branch, *received;
    const char *rport; /* NULL: none; "": bare */
} vias[] = {
    {"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", DT_OK, "UDP", "192.0.2.1", "192.0.2.1", 0,
     "branch=z9hG4bKx", "z9hG4bKx", "", NULL},
    {"SIP/2.0/UDP h.example.com:5070;rport;branch=z9hG4bKx;received=192.0.2.9", DT_OK, "UDP",
     "h.example.com:5070", "h.example.com", 5070, "rport;branch=z9hG4bKx;received=192.0.2.9",
     "z9hG4bKx", "192.0.2.9", ""},
    {"sip / 2.0 \r\n / tcp \t h : 5060 ; rport = 99 ;\r\n BRANCH\t= 1", DT_OK, "tcp", "h : 5060",
     "h", 5060, "rport = 99 ;\r\n BRANCH\t= 1", "1", "", "99"},
    {"SIP/2.0/TLS [2001:db8::1]:5061;received=[2001:db8::2]", DT_OK, "TLS", "[2001:db8::1]:5061",
     "2001:db8::1", 5061, "received=[2001:db8::2]", "", "[2001:db8::2]", NULL},
    {"SIP/7.0/UDP h", DT_OK, "UDP", "h", "h", 0, "", "", "", NULL},
    {"SIP/2.0/UNKNOWN h", DT_OK, "UNKNOWN", "h", "h", 0, "", "", "", NULL},
    {"SIP/2.0/UDP h;received=2001:db8::9", DT_OK, "UDP", "h", "h", 0, "received=2001:db8::9", "",
     "2001:db8::9", NULL},
    {"SIP/2.0/UDP h;branch=a+b/c==;x=\"q;,\\\"\"", DT_OK, "UDP", "h", "h", 0,
     "branch=a+b/c==;x=\"q;,\\\"\"", "a+b/c==", "", NULL},
    {"SIP/2.0/UDP h;maddr=[2001:db8::1];ttl=16", DT_OK, "UDP", "h", "h", 0,
     "maddr=[2001:db8::1];ttl=16", "", "", NULL},
    {"", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP ", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0 h", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP//UDP h", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"/2.0/UDP h", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP[::1]", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP [::1", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP 2001:db8::1", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h:", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h:0", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h:65536", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h;", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h;;branch=x", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h;branch=", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h;=x", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h;x=\"open", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h x", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h,SIP/2.0/UDP i", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
    {"SIP/2.0/UDP h;a\r\nb", DT_E_SYNTAX, 0, 0, 0, 0, 0, 0, 0, 0},
};

static void vias_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vias); i++) {
        struct dt_via v;
        print_message("%s\n", vias[i].text);
        assert_int_equal(dt_sip_via(&v, guarded(vias[i].text)), vias[i].err);
        if (vias[i].err)
            continue;
        kit_assert_str(v.text, vias[i].text);
        kit_assert_str(v.transport, vias[i].transport);
        kit_assert_str(v.sent_by, vias[i].sent_by);
        kit_assert_str(v.host, vias[i].host);
        assert_int_equal(v.port, vias[i].port);
        kit_assert_str(v.params, vias[i].params);
        kit_assert_str(v.branch, vias[i].branch);
        kit_assert_str(v.received, vias[i].received);
        assert_int_equal(v.has_rport, vias[i].rport != NULL);
        kit_assert_str(v.rport, vias[i].rport ? vias[i].rport : "");
        for (size_t n = 0; n < strlen(vias[i].text); n++) {
            struct dt_str cut = kit_guarded(0, (struct dt_str){vias[i].text, n});
            if (dt_sip_via(&v, cut) == DT_OK)
                assert_true(inside(v.params, cut) && inside(v.branch, cut) && inside(v.host, cut));
        }
    }
}

static void parameters_are_limited(void **state)
{
    (void)state;
    static char text[1024] = "SIP/2.0/UDP h";
    struct dt_via v;
    for (int i = 0; i < 64; i++)
        strcat(text, ";a=b");
    assert_int_equal(dt_sip_via(&v, guarded(text)), DT_OK);
    strcat(text, ";a");
    assert_int_equal(dt_sip_via(&v, guarded(text)), DT_E_SYNTAX);
}

static void cookie_needs_something_behind_it(void **state)
{
    (void)state;
    static const struct {
        const char *branch;
        bool has;
    } rows[] = {{"z9hG4bKx", true}, {"Z9HG4BKx", true}, {"z9hG4bK", false},
                {"z9hG4b", false},  {"", false},        {"390skdjuw", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_via v = {.branch = guarded(rows[i].branch)};
        assert_int_equal(dt_via_has_cookie(&v), rows[i].has);
    }
}

/* RFC 3261 18.2.2, RFC 3581 4. */
static void responses_find_their_way(void **state)
{
    (void)state;
    static const struct {
        const char *via;
        int err;
        const char *addr;
        unsigned transport;
    } rows[] = {
        {"SIP/2.0/UDP 192.0.2.1", DT_OK, "192.0.2.1:5060", DT_UDP},
        {"SIP/2.0/UDP 192.0.2.1:5070", DT_OK, "192.0.2.1:5070", DT_UDP},
        {"SIP/2.0/TCP 192.0.2.1:5070", DT_OK, "192.0.2.1:5070", DT_TCP},
        {"SIP/2.0/UDP h:5070;received=192.0.2.9", DT_OK, "192.0.2.9:5070", DT_UDP},
        {"SIP/2.0/UDP h:5070;received=192.0.2.9;rport=99", DT_OK, "192.0.2.9:99", DT_UDP},
        {"SIP/2.0/UDP 192.0.2.1:5070;rport", DT_OK, "192.0.2.1:5070", DT_UDP},
        {"SIP/2.0/UDP 192.0.2.1;rport=70000", DT_OK, "192.0.2.1:5060", DT_UDP},
        {"SIP/2.0/UDP 192.0.2.1;rport=0", DT_E_ABSENT, "", 0},
        {"SIP/2.0/UDP h", DT_E_ABSENT, "", 0},
        {"SIP/2.0/UDP h;received=name", DT_E_ABSENT, "", 0},
        {"SIP/2.0/UDP h;received=192.0.2.9:80", DT_E_ABSENT, "", 0},
        {"SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]", DT_OK, "[2001:db8::9:255]:5060",
         DT_UDP},
        {"SIP/2.0/UDP h;received=2001:db8::1", DT_OK, "[2001:db8::1]:5060", DT_UDP},
        {"SIP/2.0/UDP [2001:db8:::192.0.2.1]", DT_OK, "[2001:db8::c000:201]:5060", DT_UDP},
        {"SIP/2.0/TLS 192.0.2.1", DT_E_UNSUPPORTED, "", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_via v;
        struct dt_addr a;
        char text[DT_ADDR_TEXT_MAX];
        print_message("%s\n", rows[i].via);
        assert_int_equal(dt_sip_via(&v, guarded(rows[i].via)), DT_OK);
        assert_int_equal(dt_via_response_addr(&v, &a), rows[i].err);
        if (rows[i].err)
            continue;
        assert_string_equal(dt_addr_text(&a, text), rows[i].addr);
        assert_int_equal(a.transport, rows[i].transport);
    }
}

/* ---- name-addr ---- */

static const struct {
    const char *text;
    int err;
    const char *display, *uri, *params, *tag;
} names[] = {
    {"<sip:a@h>", DT_OK, "", "sip:a@h", "", ""},
    {"sip:a@h", DT_OK, "", "sip:a@h", "", ""},
    {"sip:a@h;tag=1", DT_OK, "", "sip:a@h", "tag=1", "1"},
    {"<sip:a@h;lr>;tag=1;x", DT_OK, "", "sip:a@h;lr", "tag=1;x", "1"},
    {"\"J Rosenberg \\\\\\\"\" <sip:a@h>\r\n ;\r\n tag = 98", DT_OK, "J Rosenberg \\\\\\\"",
     "sip:a@h", "tag = 98", "98"},
    {"\"a,b;c<d>\"<sip:a@h>", DT_OK, "a,b;c<d>", "sip:a@h", "", ""},
    {"caller<sip:a@h>;TAG=3", DT_OK, "caller", "sip:a@h", "TAG=3", "3"},
    {"T. de \t Bee  <sip:a@h>", DT_OK, "T. de \t Bee", "sip:a@h", "", ""},
    {"\"\" <sip:a@h?Route=%3Csip:b%3E>", DT_OK, "", "sip:a@h?Route=%3Csip:b%3E", "", ""},
    {"<tel:+1-201-555-0123>;tag=x", DT_OK, "", "tel:+1-201-555-0123", "tag=x", "x"},
    {"isbn:2983792873", DT_OK, "", "isbn:2983792873", "", ""},
    {"<name:John_Smith>", DT_OK, "", "name:John_Smith", "", ""},
    {"<sip:a@h>;+sip.instance=\"<urn:uuid:f8>\";q=0.7", DT_OK, "", "sip:a@h",
     "+sip.instance=\"<urn:uuid:f8>\";q=0.7", ""},
    {" <sip:a@h> ; a ", DT_OK, "", "sip:a@h", "a", ""},
    {"", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<>", DT_E_SYNTAX, 0, 0, 0, 0},
    {"a", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<sip:a@h", DT_E_SYNTAX, 0, 0, 0, 0},
    {"sip:a@h>", DT_E_SYNTAX, 0, 0, 0, 0},
    {"< sip:a@h>", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<sip:a@h >", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<<sip:a@h>>", DT_E_SYNTAX, 0, 0, 0, 0},
    {"\"open <sip:a@h>", DT_E_SYNTAX, 0, 0, 0, 0},
    {"\"a\" \"b\" <sip:a@h>", DT_E_SYNTAX, 0, 0, 0, 0},
    {"\"a\" sip:a@h", DT_E_SYNTAX, 0, 0, 0, 0},
    {"Bell, Alexander <sip:a@h>", DT_E_SYNTAX, 0, 0, 0, 0},
    {"sip:a@h?Route=x", DT_E_SYNTAX, 0, 0, 0, 0},
    {"sip:a,b@h", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<sip:a@h>,<sip:b@h>", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<sip:a@h>;", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<sip:a@h>;;;", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<sip:a@h>;tag=", DT_E_SYNTAX, 0, 0, 0, 0},
    {"<sip:a@h> x", DT_E_SYNTAX, 0, 0, 0, 0},
    {"* ", DT_E_SYNTAX, 0, 0, 0, 0},
    {"*;a=b", DT_E_SYNTAX, 0, 0, 0, 0},
};

static void name_addrs_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct dt_name_addr a;
        print_message("%s\n", names[i].text);
        assert_int_equal(dt_sip_name_addr(&a, guarded(names[i].text)), names[i].err);
        if (names[i].err)
            continue;
        kit_assert_str(a.display, names[i].display);
        kit_assert_str(a.uri.text, names[i].uri);
        kit_assert_str(a.params, names[i].params);
        kit_assert_str(a.tag, names[i].tag);
        assert_false(a.star);
        for (size_t n = 0; n < strlen(names[i].text); n++) {
            struct dt_str cut = kit_guarded(0, (struct dt_str){names[i].text, n});
            if (dt_sip_name_addr(&a, cut) == DT_OK)
                assert_true(inside(a.display, cut) && inside(a.uri.text, cut) &&
                            inside(a.params, cut) && inside(a.text, cut));
        }
    }
    struct dt_name_addr a;
    assert_int_equal(dt_sip_name_addr(&a, guarded("*")), DT_OK);
    assert_true(a.star);
    assert_int_equal(dt_sip_name_addr(&a, guarded("* <sip:a@h>")), DT_OK); /* '*' is a token too */
    assert_false(a.star);
}

/* ---- numbers ---- */

static void cseqs_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        uint32_t number;
        enum dt_method method;
        const char *name;
    } rows[] = {
        {"1 INVITE", DT_OK, 1, DT_INVITE, "INVITE"},
        {"0009\r\n  INVITE", DT_OK, 9, DT_INVITE, "INVITE"},
        {"2147483647 BYE", DT_OK, 2147483647, DT_BYE, "BYE"},
        {"0 bye", DT_OK, 0, DT_METHOD_OTHER, "bye"},
        {"2147483648 BYE", DT_E_SYNTAX, 0, 0, 0},
        {"36893488147419103232 REGISTER", DT_E_SYNTAX, 0, 0, 0},
        {"-1 BYE", DT_E_SYNTAX, 0, 0, 0},
        {"+1 BYE", DT_E_SYNTAX, 0, 0, 0},
        {"1BYE", DT_E_SYNTAX, 0, 0, 0},
        {"1", DT_E_SYNTAX, 0, 0, 0},
        {"1 ", DT_E_SYNTAX, 0, 0, 0},
        {"BYE", DT_E_SYNTAX, 0, 0, 0},
        {"1 BYE x", DT_E_SYNTAX, 0, 0, 0},
        {"1 B/E", DT_E_SYNTAX, 0, 0, 0},
        {"", DT_E_SYNTAX, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_cseq c;
        print_message("%s\n", rows[i].text);
        assert_int_equal(dt_sip_cseq(&c, guarded(rows[i].text)), rows[i].err);
        if (rows[i].err)
            continue;
        assert_int_equal(c.number, rows[i].number);
        assert_int_equal(c.method, rows[i].method);
        kit_assert_str(c.method_text, rows[i].name);
        for (size_t n = 0; n < strlen(rows[i].text); n++)
            dt_sip_cseq(&c, kit_guarded(0, (struct dt_str){rows[i].text, n}));
    }
}

static void numbers_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int number_err, retry_err;
        uint32_t value;
    } rows[] = {
        {"0", DT_OK, DT_OK, 0},
        {"3600", DT_OK, DT_OK, 3600},
        {"4294967295", DT_OK, DT_OK, 4294967295u},
        {"4294967296", DT_E_RANGE, DT_E_RANGE, 0},
        {"949302838503028349304023988", DT_E_RANGE, DT_E_RANGE, 0},
        {"120;duration=3600", DT_E_SYNTAX, DT_OK, 120},
        {"120 (in a meeting);x", DT_E_SYNTAX, DT_OK, 120},
        {"120(x)", DT_E_SYNTAX, DT_OK, 120},
        {"120 x", DT_E_SYNTAX, DT_E_SYNTAX, 0},
        {"120x", DT_E_SYNTAX, DT_E_SYNTAX, 0},
        {"-1", DT_E_SYNTAX, DT_E_SYNTAX, 0},
        {"+1", DT_E_SYNTAX, DT_E_SYNTAX, 0},
        {" 1", DT_E_SYNTAX, DT_E_SYNTAX, 0},
        {"1 2", DT_E_SYNTAX, DT_E_SYNTAX, 0},
        {"Thu, 01 Dec 1994 16:00:00 GMT", DT_E_SYNTAX, DT_E_SYNTAX, 0},
        {"", DT_E_SYNTAX, DT_E_SYNTAX, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t number = 77, retry = 77;
        print_message("%s\n", rows[i].text);
        assert_int_equal(dt_sip_number(&number, guarded(rows[i].text)), rows[i].number_err);
        assert_int_equal(dt_sip_retry_after(&retry, guarded(rows[i].text)), rows[i].retry_err);
        assert_int_equal(number, rows[i].number_err ? 77 : rows[i].value);
        assert_int_equal(retry, rows[i].retry_err ? 77 : rows[i].value);
        for (size_t n = 0; n < strlen(rows[i].text); n++)
            dt_sip_retry_after(&retry, kit_guarded(0, (struct dt_str){rows[i].text, n}));
    }
}

/* ---- media type, warning ---- */

static void media_types_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text, *type, *subtype, *params; /* type NULL: bad */
    } rows[] = {
        {"application/sdp", "application", "sdp", ""},
        {"multipart/mixed ; boundary=\"a;b\"", "multipart", "mixed", "boundary=\"a;b\""},
        {"text / plain;charset=utf-8", "text", "plain", "charset=utf-8"},
        {"application/unknown+xml", "application", "unknown+xml", ""},
        {"application", 0, 0, 0},
        {"application/", 0, 0, 0},
        {"/sdp", 0, 0, 0},
        {"application/sdp;", 0, 0, 0},
        {"application/sdp x", 0, 0, 0},
        {"a/b,c/d", 0, 0, 0},
        {"a/b;c=\"d", 0, 0, 0},
        {"", 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_media_type t;
        print_message("%s\n", rows[i].text);
        int err = dt_sip_media_type(&t, guarded(rows[i].text));
        assert_int_equal(err, rows[i].type ? DT_OK : DT_E_SYNTAX);
        if (err)
            continue;
        kit_assert_str(t.type, rows[i].type);
        kit_assert_str(t.subtype, rows[i].subtype);
        kit_assert_str(t.params, rows[i].params);
        for (size_t n = 0; n < strlen(rows[i].text); n++)
            dt_sip_media_type(&t, kit_guarded(0, (struct dt_str){rows[i].text, n}));
    }
}

static void warnings_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned code; /* 0: bad */
        const char *agent, *words;
    } rows[] = {
        {"307 isi.edu \"Session parameter 'foo' not understood\"", 307, "isi.edu",
         "Session parameter 'foo' not understood"},
        {"399 [2001:db8::1]:5060 \"a \\\"b\\\"\"", 399, "[2001:db8::1]:5060", "a \\\"b\\\""},
        {"1812 overture \"In Progress\"", 0, 0, 0},
        {"99 x \"y\"", 0, 0, 0},
        {"399 x y", 0, 0, 0},
        {"399 \"y\"", 0, 0, 0},
        {"399 x \"y", 0, 0, 0},
        {"399 x \"y\" z", 0, 0, 0},
        {"399", 0, 0, 0},
        {"", 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_warning w;
        print_message("%s\n", rows[i].text);
        int err = dt_sip_warning(&w, guarded(rows[i].text));
        assert_int_equal(err, rows[i].code ? DT_OK : DT_E_SYNTAX);
        if (err)
            continue;
        assert_int_equal(w.code, rows[i].code);
        kit_assert_str(w.agent, rows[i].agent);
        kit_assert_str(w.text, rows[i].words);
        for (size_t n = 0; n < strlen(rows[i].text); n++)
            assert_int_equal(dt_sip_warning(&w, kit_guarded(0, (struct dt_str){rows[i].text, n})),
                             DT_E_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vias_parse),
        cmocka_unit_test(parameters_are_limited),
        cmocka_unit_test(cookie_needs_something_behind_it),
        cmocka_unit_test(responses_find_their_way),
        cmocka_unit_test(name_addrs_parse),
        cmocka_unit_test(cseqs_parse),
        cmocka_unit_test(numbers_parse),
        cmocka_unit_test(media_types_parse),
        cmocka_unit_test(warnings_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
