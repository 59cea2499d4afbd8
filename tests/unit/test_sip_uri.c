/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "dualtone/uri.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct dt_str guarded(const char *text)
{
    return kit_guarded(0, dt_str_z(text));
}

/* ---- parse ---- */

static const struct {
    const char *text;
    enum dt_uri_scheme scheme;
    const char *user, *password, *host;
    unsigned port;
    const char *params, *headers;
} good[] = {
    {"sip:alice@atlanta.com", DT_URI_SIP, "alice", "", "atlanta.com", 0, "", ""},
    {"SIP:biloxi.com", DT_URI_SIP, "", "", "biloxi.com", 0, "", ""},
    {"sip:alice:secret@atlanta.com;transport=tcp", DT_URI_SIP, "alice", "secret", "atlanta.com", 0,
     "transport=tcp", ""},
    {"sips:alice@atlanta.com?subject=project%20x&priority=urgent", DT_URI_SIPS, "alice", "",
     "atlanta.com", 0, "", "subject=project%20x&priority=urgent"},
    {"sip:+1-212-555-1212:1234@gateway.com;user=phone", DT_URI_SIP, "+1-212-555-1212", "1234",
     "gateway.com", 0, "user=phone", ""},
    {"sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", DT_URI_SIP, "", "", "atlanta.com", 0,
     "method=REGISTER", "to=alice%40atlanta.com"},
    {"sip:alice;day=tuesday@atlanta.com", DT_URI_SIP, "alice;day=tuesday", "", "atlanta.com", 0, "",
     ""},
    {"sip:user;par=u%40example.net@example.com", DT_URI_SIP, "user;par=u%40example.net", "",
     "example.com", 0, "", ""},
    {"sip:a?b@h", DT_URI_SIP, "a?b", "", "h", 0, "", ""},
    {"sip:a:@h", DT_URI_SIP, "a", "", "h", 0, "", ""},
    {"sip:h;a;b=c;lr", DT_URI_SIP, "", "", "h", 0, "a;b=c;lr", ""},
    {"sip:192.0.2.1:5060", DT_URI_SIP, "", "", "192.0.2.1", 5060, "", ""},
    {"sip:h:65535", DT_URI_SIP, "", "", "h", 65535, "", ""},
    {"sip:h:05060", DT_URI_SIP, "", "", "h", 5060, "", ""},
    {"sip:[2001:db8::10]", DT_URI_SIP, "", "", "2001:db8::10", 0, "", ""},
    {"sip:u@[2001:db8::10:5070]", DT_URI_SIP, "u", "", "2001:db8::10:5070", 0, "", ""},
    {"sip:u@[2001:db8::10]:5070;lr", DT_URI_SIP, "u", "", "2001:db8::10", 5070, "lr", ""},
    {"sip:u@[::ffff:192.0.2.2]", DT_URI_SIP, "u", "", "::ffff:192.0.2.2", 0, "", ""},
    {"sip:u@[2001:db8:::192.0.2.1]", DT_URI_SIP, "u", "", "2001:db8:::192.0.2.1", 0, "", ""},
    {"sip:%00@h", DT_URI_SIP, "%00", "", "h", 0, "", ""},
    {"sip:h;maddr=[2001:db8::1]", DT_URI_SIP, "", "", "h", 0, "maddr=[2001:db8::1]", ""},
    {"sip:h?a=b?c", DT_URI_SIP, "", "", "h", 0, "", "a=b?c"},
    {"tel:+1-201-555-0123", DT_URI_TEL, "+1-201-555-0123", "", "", 0, "", ""},
    {"tel:7042;phone-context=example.com", DT_URI_TEL, "7042", "", "", 0,
     "phone-context=example.com", ""},
    {"tel:*69#", DT_URI_TEL, "*69#", "", "", 0, "", ""},
    {"http://www.example.com/a?b=c", DT_URI_OTHER, "//www.example.com/a?b=c", "", "", 0, "", ""},
    {"urn:service:sos", DT_URI_OTHER, "service:sos", "", "", 0, "", ""},
    {"soap.beep://192.0.2.103:3002", DT_URI_OTHER, "//192.0.2.103:3002", "", "", 0, "", ""},
    {"sipx:alice@h", DT_URI_OTHER, "alice@h", "", "", 0, "", ""},
};

static void good_uris_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct dt_uri u;
        print_message("%s\n", good[i].text);
        assert_int_equal(dt_uri_parse(&u, guarded(good[i].text), NULL), DT_OK);
        assert_int_equal(u.scheme, good[i].scheme);
        kit_assert_str(u.text, good[i].text);
        kit_assert_str(u.user, good[i].user);
        kit_assert_str(u.password, good[i].password);
        kit_assert_str(u.host, good[i].host);
        assert_int_equal(u.port, good[i].port);
        kit_assert_str(u.params, good[i].params);
        kit_assert_str(u.headers, good[i].headers);
        bool sip = u.scheme == DT_URI_SIP || u.scheme == DT_URI_SIPS;
        assert_int_equal(u.has_user, sip && good[i].user[0]);
        assert_int_equal(u.host_v6, strchr(good[i].host, ':') != NULL);
    }
}

static const struct {
    const char *text;
    size_t at;
} bad[] = {
    {"", 0},
    {"sip", 3},
    {"sip:", 4},
    {":alice", 0},
    {"1sip:h", 0},
    {"alice@h", 5},
    {"<sip:h>", 0},
    {"sip:@h", 4},
    {"sip:a@", 6},
    {"sip:a@b@c", 7},
    {"sip:a b@h", 5},
    {"sip:h h", 5},
    {"sip:h;", 6},
    {"sip:h;;a", 6},
    {"sip:h;a=", 8},
    {"sip:h;a=b c", 9},
    {"sip:h?", 6},
    {"sip:h:", 6},
    {"sip:h:0", 7},
    {"sip:h:65536", 6},
    {"sip:h:4294972356", 6}, /* 5060 and 2**32 */
    {"sip:h:+5060", 6},
    {"sip:2001:db8::10", 9},
    {"sip:[2001:db8::10", 17},
    {"sip:[]", 6},
    {"sip:[192.0.2.1]", 15},
    {"sip:[2001:db8:::10::1]", 22},
    {"sip:a%4@h", 5},
    {"sip:a%zz@h", 5},
    {"sip:h;a=%4", 8},
    {"sip:\"a\"@h", 4},
    {"sip:a@h>", 7},
    {"tel:", 4},
    {"tel:+", 5},
    {"tel:12+3", 6},
    {"tel:12 3", 6},
    {"http:", 5},
    {"http:a b", 6},
    {"http:a>b", 6},
};

static void bad_uris_say_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct dt_uri u;
        size_t at = 999;
        print_message("%s\n", bad[i].text);
        assert_int_equal(dt_uri_parse(&u, guarded(bad[i].text), &at), DT_E_SYNTAX);
        assert_int_equal(at, bad[i].at);
    }
}

/* What is inside a URI is inside its text, also when the text is cut off. */
static void truncations_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        for (size_t n = 0; n < strlen(good[i].text); n++) {
            struct dt_str cut = kit_guarded(0, (struct dt_str){good[i].text, n});
            struct dt_uri u;
            size_t at = 0;
            if (dt_uri_parse(&u, cut, &at))
                assert_true(at <= n);
            else
                assert_true(u.params.n + u.headers.n + u.host.n + u.user.n <= n);
        }
    }
}

static void limits_hold(void **state)
{
    (void)state;
    static char text[4096];
    struct dt_uri u;
    strcpy(text, "sip:h");
    for (int i = 0; i < 64; i++)
        strcat(text, ";a=b");
    assert_int_equal(dt_uri_parse(&u, guarded(text), NULL), DT_OK);
    strcat(text, ";a=b");
    assert_int_equal(dt_uri_parse(&u, guarded(text), NULL), DT_E_SYNTAX);

    strcpy(text, "sip:h?a=b");
    for (int i = 0; i < 63; i++)
        strcat(text, "&a=b");
    assert_int_equal(dt_uri_parse(&u, guarded(text), NULL), DT_OK);
    strcat(text, "&a=b");
    assert_int_equal(dt_uri_parse(&u, guarded(text), NULL), DT_E_SYNTAX);
}

/* ---- compare: RFC 3261 19.1.4, its examples first ---- */

static const struct {
    const char *a, *b;
    bool equal;
} pairs[] = {
    {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
    {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
    {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
     "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
    {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
     "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
    {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
    {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
    {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;security=off", true},
    {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
    /* ours */
    {"sip:a@h", "sips:a@h", false},
    {"sip:a@h", "sip:h", false},
    {"sip:a@h", "sip:a:@h", false},
    {"sip:a:b@h", "sip:a:c@h", false},
    {"sip:a@h", "sip:a@h;user=phone", false},
    {"sip:a@h", "sip:a@h;ttl=1", false},
    {"sip:a@h", "sip:a@h;maddr=192.0.2.1", false},
    {"sip:a@h", "sip:a@h;method=INVITE", false},
    {"sip:a@h;lr", "sip:a@h", true},
    {"sip:a@h;x=1;x=2", "sip:a@h;x=1;x=2", true}, /* no URI of 19.1.1, but equal to itself */
    {"sip:a@h;%6C%72;n%61me=v%61lue%25%34%31", "sip:a@h;lr;name=value%2541", true},
    {"sip:a%3bb@h", "sip:a;b@h", false}, /* reserved: not the same when escaped */
    {"sip:a%3bb@h", "sip:a%3Bb@h", true},
    {"sip:%00@h", "sip:%00%00@h", false},
    {"sip:a%2Db@h", "sip:a-b@h", true},
    {"sip:a@h?x=y", "sip:a@h?X=Y", true},
    {"sip:a@h?x=y&x=y", "sip:a@h?x=y&z=y", false},
    {"sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]", true},
    {"sip:a@[2001:db8::1]", "sip:a@[2001:db8::2]", false},
    {"sip:a@[2001:db8:::192.0.2.1]", "sip:a@[2001:db8::192.0.2.1]", true},
    {"tel:+1-201-555-0123", "TEL:+1(201)5550123", true},
    {"tel:+12015550123", "tel:12015550123", false},
    {"tel:+12015550123", "tel:+1201555012", false},
    {"tel:7042;phone-context=example.com", "tel:7042;PHONE-CONTEXT=EXAMPLE.com", true},
    {"tel:7042;phone-context=example.com", "tel:7042", false},
    {"tel:7042;a=1;b=2", "tel:7042;b=2;a=1", true},
    {"tel:7042", "sip:7042", false},
    {"urn:a", "urn:a", true},
    {"urn:a", "urn:A", false},
};

static void equality_is_that_of_19_1_4(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct dt_uri a, b;
        print_message("%s %s %s\n", pairs[i].a, pairs[i].equal ? "=" : "!=", pairs[i].b);
        assert_int_equal(dt_uri_parse(&a, kit_guarded(0, dt_str_z(pairs[i].a)), NULL), DT_OK);
        assert_int_equal(dt_uri_parse(&b, kit_guarded(1, dt_str_z(pairs[i].b)), NULL), DT_OK);
        assert_int_equal(dt_uri_eq(&a, &b), pairs[i].equal);
        assert_int_equal(dt_uri_eq(&b, &a), pairs[i].equal);
    }
}

/* ---- parameters ---- */

static const struct {
    const char *params, *name, *value; /* value NULL: not there */
} params[] = {
    {"transport=udp;lr", "transport", "udp"},
    {"transport=udp;lr", "LR", ""},
    {"Transport=UDP;lr", "transport", "UDP"},
    {"transport=udp;lr", "l", NULL},
    {"transport=udp;lr", "udp", NULL},
    {"a=\"x;lr;y\";b=2", "lr", NULL},
    {"a=\"x;lr;y\";b=2", "a", "x;lr;y"},
    {"a=\"x\\\";b=3\";b=2", "b", "2"},
    {"a = 1 ; b\r\n =\r\n 2", "b", "2"},
    {"a = 1 ; b\r\n =\r\n 2", "a", "1"},
    {"a=;b", "a", ""},
    {"a=1;a=2", "a", "1"},
    {"gr=urn:uuid:f81d4fae", "gr", "urn:uuid:f81d4fae"},
    {"received=[2001:db8::1]", "received", "[2001:db8::1]"},
    {"a=\"open", "a", "\"open"},
    {"", "a", NULL},
    {";;", "a", NULL},
};

static void params_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(params); i++) {
        struct dt_str value = DT_STR("untouched");
        bool found = dt_param(guarded(params[i].params), params[i].name, &value);
        print_message("%s in %s\n", params[i].name, params[i].params);
        assert_int_equal(found, params[i].value != NULL);
        kit_assert_str(value, params[i].value ? params[i].value : "untouched");
        for (size_t n = 0; n < strlen(params[i].params); n++)
            dt_param(kit_guarded(0, (struct dt_str){params[i].params, n}), params[i].name, &value);
    }
}

/* ---- address, escapes, address of record ---- */

static void addresses_come_from_numbers_only(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        int err;
        const char *addr;
        unsigned transport;
    } rows[] = {
        {"sip:192.0.2.1", DT_OK, "192.0.2.1:0", DT_UDP},
        {"sip:192.0.2.1:5070;transport=UDP", DT_OK, "192.0.2.1:5070", DT_UDP},
        {"sip:192.0.2.1;transport=tcp", DT_OK, "192.0.2.1:0", DT_TCP},
        {"sip:[2001:db8:::192.0.2.1]:7", DT_OK, "[2001:db8::c000:201]:7", DT_UDP},
        {"sip:192.0.2.1;transport=sctp", DT_E_UNSUPPORTED, "", 0},
        {"sip:example.com", DT_E_ABSENT, "", 0},
        {"sip:192.0.2.256", DT_E_ABSENT, "", 0},
        {"sips:192.0.2.1", DT_E_UNSUPPORTED, "", 0},
        {"tel:+1", DT_E_ABSENT, "", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_uri u;
        struct dt_addr a;
        char text[DT_ADDR_TEXT_MAX];
        print_message("%s\n", rows[i].uri);
        assert_int_equal(dt_uri_parse(&u, guarded(rows[i].uri), NULL), DT_OK);
        assert_int_equal(dt_uri_addr(&u, &a), rows[i].err);
        if (rows[i].err)
            continue;
        assert_string_equal(dt_addr_text(&a, text), rows[i].addr);
        assert_int_equal(a.transport, rows[i].transport);
    }
}

static void escapes_are_undone_and_made(void **state)
{
    (void)state;
    static const struct {
        const char *escaped;
        struct dt_str plain;
    } rows[] = {
        {"alice", DT_STR("alice")},
        {"%61lice", DT_STR("alice")},
        {"null-%00-null", DT_STR("null-\0-null")},
        {"a%", DT_STR("a%")},
        {"a%4", DT_STR("a%4")},
        {"a%4g%41", DT_STR("a%4gA")},
        {"%2541", DT_STR("%41")},
        {"%fF", DT_STR("\xff")},
    };
    char buf[64];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_writer w = dt_writer(buf, sizeof buf);
        dt_uri_write_unescaped(&w, guarded(rows[i].escaped));
        assert_int_equal(w.err, DT_OK);
        assert_true(dt_str_eq(dt_writer_str(&w), rows[i].plain));
    }
    struct dt_writer w = dt_writer(buf, sizeof buf);
    dt_uri_write_user(&w, DT_STR("a b@c:d%\"\xc3;x=1\0"));
    kit_assert_str(dt_writer_str(&w), "a%20b%40c%3Ad%25%22%C3;x=1%00");
}

static void address_of_record_is_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *aor;
    } rows[] = {
        {"sip:Alice@Example.COM", "sip:Alice@example.com"},
        {"SIP:%61lice:pw@example.com:5060;transport=tcp?a=b", "sip:alice@example.com"},
        {"sip:alice@example.com:5070", "sip:alice@example.com:5070"},
        {"sip:alice@example.com:5061", "sip:alice@example.com:5061"},
        {"sips:alice@example.com:5061", "sips:alice@example.com"},
        {"sips:alice@example.com:5060", "sips:alice@example.com:5060"},
        {"sip:example.com", "sip:example.com"},
        {"sip:a@[2001:DB8:0::1]:5060", "sip:a@[2001:db8::1]"},
        {"tel:+1-201-555-0123;x=y", "tel:+12015550123"},
        {"urn:Service:sos", "urn:Service:sos"},
    };
    char buf[64];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_uri u;
        struct dt_writer w = dt_writer(buf, sizeof buf);
        assert_int_equal(dt_uri_parse(&u, guarded(rows[i].uri), NULL), DT_OK);
        dt_uri_write_aor(&w, &u);
        kit_assert_str(dt_writer_str(&w), rows[i].aor);
    }
    struct dt_uri u;
    assert_int_equal(dt_uri_parse(&u, guarded("sip:%00@h"), NULL), DT_OK);
    struct dt_writer w = dt_writer(buf, sizeof buf);
    dt_uri_write_aor(&w, &u);
    assert_true(dt_str_eq(dt_writer_str(&w), DT_STR("sip:\0@h")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_uris_parse),
        cmocka_unit_test(bad_uris_say_where),
        cmocka_unit_test(truncations_stay_inside),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(equality_is_that_of_19_1_4),
        cmocka_unit_test(params_are_found),
        cmocka_unit_test(addresses_come_from_numbers_only),
        cmocka_unit_test(escapes_are_undone_and_made),
        cmocka_unit_test(address_of_record_is_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
