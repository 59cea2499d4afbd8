/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the last column of tests/corpus/torture/INDEX.tsv asks for: each message says what it
 * means. */
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/msg.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];

/* The `i`-th value of a list header, or an empty slice. */
static struct dt_str value_at(const struct dt_sip_msg *m, enum dt_header_id id, unsigned i)
{
    struct dt_sip_values v = dt_sip_values(m, id);
    struct dt_str value;
    while (dt_sip_values_next(&v, &value))
        if (!i--)
            return value;
    return DT_STR_NONE;
}

static unsigned count(const struct dt_sip_msg *m, enum dt_header_id id)
{
    struct dt_sip_values v = dt_sip_values(m, id);
    struct dt_str value;
    unsigned n = 0;
    while (dt_sip_values_next(&v, &value))
        n++;
    return n;
}

static struct dt_via via_at(const struct dt_sip_msg *m, unsigned i)
{
    struct dt_via v;
    assert_int_equal(dt_sip_via(&v, value_at(m, DT_H_VIA, i)), DT_OK);
    return v;
}

static struct dt_name_addr contact_at(const struct dt_sip_msg *m, unsigned i)
{
    struct dt_name_addr a;
    assert_int_equal(dt_sip_name_addr(&a, value_at(m, DT_H_CONTACT, i)), DT_OK);
    return a;
}

/* `s` without its escapes is the `n` bytes at `want`. */
static void assert_plain(struct dt_str s, const char *want, size_t n)
{
    char buf[128];
    struct dt_writer w = dt_writer(buf, sizeof buf);
    dt_uri_write_unescaped(&w, s);
    assert_true(dt_str_eq(dt_writer_str(&w), (struct dt_str){want, n}));
}

static void assert_uri_eq(const struct dt_uri *a, const char *text)
{
    struct dt_uri b;
    assert_int_equal(dt_uri_parse(&b, dt_str_z(text), NULL), DT_OK);
    assert_true(dt_uri_eq(a, &b));
}

static void wsinv(const struct dt_sip_msg *m)
{
    assert_int_equal(m->max_forwards, 68);
    assert_int_equal(m->cseq.number, 9);
    assert_int_equal(m->cseq.method, DT_INVITE);
    kit_assert_str(m->from.display, "J Rosenberg \\\\\\\"");
    kit_assert_str(m->from.tag, "98asjd8");
    kit_assert_str(m->to.tag, "1918181833n");
    assert_int_equal(count(m, DT_H_VIA), 3);
    kit_assert_str(m->via.host, "192.0.2.2");
    kit_assert_str(m->via.branch, "390skdjuw");
    kit_assert_str(via_at(m, 1).host, "spindle.example.com");
    kit_assert_str(via_at(m, 1).transport, "TCP");
    kit_assert_str(via_at(m, 1).branch, "z9hG4bK9ikj8");
    kit_assert_str(via_at(m, 2).host, "192.168.255.111");
    kit_assert_str(via_at(m, 2).branch, "z9hG4bK30239");
    assert_non_null(dt_sip_get(m, DT_H_SUBJECT).p);
    kit_assert_str(dt_sip_get(m, DT_H_SUBJECT), "");
    kit_assert_str(dt_sip_get_other(m, "NewFangledHeader"),
                   "newfangled value\r\n continued newfangled value");
    kit_assert_str(dt_sip_get_other(m, "UnknownHeaderWithUnusualValue"), ";;,,;;,;");
    kit_assert_str(contact_at(m, 0).display, "Quoted string \\\"\\\"");
    assert_int_equal(m->body.n, 150);
    struct dt_str q;
    assert_true(dt_param(contact_at(m, 0).params, "q", &q));
    kit_assert_str(q, "0.33");
}

static void intmeth(const struct dt_sip_msg *m)
{
    kit_assert_str(m->method_text, "!interesting-Method0123456789_*+`.%indeed'~");
    assert_int_equal(m->method, DT_METHOD_OTHER);
    assert_true(dt_str_eq(m->to.display, DT_STR("BEL:\\\x07 NUL:\\\0 DEL:\\\x7f")));
    kit_assert_str(m->from.display, "token1~` token2'+_ token3*%!.-");
    kit_assert_str(m->from.tag, "_token~1'+`*%!-.");
    kit_assert_str(m->call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    assert_int_equal(m->max_forwards, 255);
    assert_int_equal(dt_sip_get_other(m, "extensionHeader-!.%*+_`'~").n, 12);
    kit_assert_str(m->uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
}

static void esc01(const struct dt_sip_msg *m)
{
    assert_int_equal(m->uri.scheme, DT_URI_SIP);
    assert_plain(m->uri.user, "sips:user@example.com", 21);
    kit_assert_str(m->uri.host, "example.net");
    assert_uri_eq(&m->to.uri, "sip:user@example.com");
    assert_plain(m->from.uri.user, "I have spaces", 13);
    struct dt_name_addr contact = contact_at(m, 0);
    assert_uri_eq(&contact.uri, "sip:caller@host5.example.net;lr;name=value%2541");
}

static void escnull(const struct dt_sip_msg *m)
{
    assert_plain(m->to.uri.user, "null-\0-null", 11);
    struct dt_name_addr one = contact_at(m, 0), two = contact_at(m, 1);
    assert_plain(one.uri.user, "\0", 1);
    assert_plain(two.uri.user, "\0\0", 2);
    assert_false(dt_uri_eq(&one.uri, &two.uri));
    assert_int_equal(count(m, DT_H_CONTACT), 2);
}

static void esc02(const struct dt_sip_msg *m)
{
    assert_int_equal(m->method, DT_METHOD_OTHER);
    kit_assert_str(m->method_text, "RE%47IST%45R");
    kit_assert_str(m->to.display, "%Z%45");
    assert_int_equal(count(m, DT_H_CONTACT), 2);
    kit_assert_str(contact_at(m, 0).uri.user, "alias1");
    kit_assert_str(contact_at(m, 1).uri.user, "alias3");
    kit_assert_str(dt_sip_get_other(m, "C%6Fntact"), "<sip:alias2@host2.example.com>");
}

static void lwsdisp(const struct dt_sip_msg *m)
{
    kit_assert_str(m->from.display, "caller");
    kit_assert_str(m->from.uri.text, "sip:caller@example.com");
}

static void longreq(const struct dt_sip_msg *m)
{
    assert_int_equal(count(m, DT_H_VIA), 34);
    kit_assert_str(m->via.host, "sip33.example.com");
    kit_assert_str(via_at(m, 32).host, "sip1.example.com");
    kit_assert_str(via_at(m, 33).received, "192.0.2.5");
    assert_true(via_at(m, 33).branch.n > 100);
    assert_int_equal(m->to.display.n, 103);
    assert_true(m->from.tag.n > 100 && m->call_id.n > 100);
    assert_int_equal(m->body.n, 150);
}

static void dblreq(const struct dt_sip_msg *m)
{
    assert_int_equal(m->method, DT_REGISTER);
    assert_int_equal(m->body.n, 0);
    assert_int_equal(m->text.n, 750 - 450);
}

static void semiuri(const struct dt_sip_msg *m)
{
    assert_plain(m->uri.user, "user;par=u@example.net", 22);
    kit_assert_str(m->uri.host, "example.com");
    kit_assert_str(m->uri.params, "");
    assert_int_equal(count(m, DT_H_ACCEPT), 6);
}

static void transports(const struct dt_sip_msg *m)
{
    static const char *const want[] = {"UDP", "SCTP", "TLS", "UNKNOWN", "TCP"};
    assert_int_equal(count(m, DT_H_VIA), 5);
    for (unsigned i = 0; i < 5; i++)
        kit_assert_str(via_at(m, i).transport, want[i]);
}

static void mpart01(const struct dt_sip_msg *m)
{
    assert_int_equal(m->body.n, 553);
    assert_non_null(memchr(m->body.p, 0, m->body.n));
    assert_true(dt_str_ends(m->body, DT_STR("--7a9cbec02ceef655--\r\n")));
    struct dt_media_type t;
    struct dt_str boundary;
    assert_int_equal(dt_sip_media_type(&t, dt_sip_get(m, DT_H_CONTENT_TYPE)), DT_OK);
    kit_assert_str(t.subtype, "mixed");
    assert_true(dt_param(t.params, "boundary", &boundary));
    kit_assert_str(boundary, "7a9cbec02ceef655");
}

static void unreason(const struct dt_sip_msg *m)
{
    assert_int_equal(m->status, 200);
    assert_true(dt_str_starts(m->reason, DT_STR("= 2**3 * 5**2 ")));
    assert_int_equal(m->reason.n, 74);
}

static void noreason(const struct dt_sip_msg *m)
{
    assert_int_equal(m->status, 100);
    assert_int_equal(m->reason.n, 0);
}

static void badinv01(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_VIA);
    assert_null(m->via.text.p);
    kit_assert_str(dt_sip_get(m, DT_H_VIA), "SIP/2.0/UDP 192.0.2.15;;,;,,");
}

static void clerr(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_LENGTH);
    assert_int_equal(m->body.n, 154);
    assert_int_equal(m->text.n, 498);
}

static void ncl(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_LENGTH);
    kit_assert_str(m->via.host, "192.0.2.53");
}

static void scalar02(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_CSEQ);
    uint32_t n;
    assert_int_equal(dt_sip_number(&n, dt_sip_get(m, DT_H_EXPIRES)), DT_E_RANGE);
    struct dt_str expires;
    assert_true(dt_param(contact_at(m, 0).params, "expires", &expires));
    assert_int_equal(dt_sip_number(&n, expires), DT_E_RANGE);
}

static void scalarlg(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_CSEQ);
    uint32_t n;
    struct dt_warning w;
    assert_int_equal(dt_sip_retry_after(&n, dt_sip_get(m, DT_H_RETRY_AFTER)), DT_E_RANGE);
    assert_int_equal(dt_sip_warning(&w, dt_sip_get(m, DT_H_WARNING)), DT_E_SYNTAX);
}

static void quotbal(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_TO);
    assert_null(m->to.text.p);
    kit_assert_str(m->from.tag, "93334");
}

static void bad_uri(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_URI);
    assert_null(m->uri.text.p);
}

static void bad_start_line(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_START_LINE);
}

static void bad_to(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_TO);
}

static void bad_contact(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_CONTACT);
    assert_int_equal(count(m, DT_H_CONTACT), 1);
}

static void baddn(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_FROM);
    assert_null(m->from.text.p);
    assert_int_equal(count(m, DT_H_FROM), 1); /* its comma makes no list */
}

static void badvers(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_VERSION);
    kit_assert_str(m->via.host, "c.example.com");
}

static void mismatch(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_METHOD);
    assert_int_equal(m->cseq.method, DT_INVITE);
}

static void bigcode(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_START_LINE);
    assert_int_equal(m->status, 0);
}

static void badbranch(const struct dt_sip_msg *m)
{
    kit_assert_str(m->via.branch, "z9hG4bK");
    assert_false(dt_via_has_cookie(&m->via));
}

static void insuf(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_MISSING);
    assert_null(m->from.text.p);
    assert_null(m->to.text.p);
    assert_null(m->call_id.p);
    kit_assert_str(m->via.host, "192.0.2.95");
}

static void unkscm(const struct dt_sip_msg *m)
{
    assert_int_equal(m->uri.scheme, DT_URI_OTHER);
    kit_assert_str(m->uri.scheme_text, "nobodyKnowsThisScheme");
    kit_assert_str(m->uri.user, "totallyopaquecontent");
}

static void novelsc(const struct dt_sip_msg *m)
{
    kit_assert_str(m->uri.scheme_text, "soap.beep");
    kit_assert_str(m->uri.user, "//192.0.2.103:3002");
}

static void unksm2(const struct dt_sip_msg *m)
{
    kit_assert_str(m->to.uri.scheme_text, "isbn");
    kit_assert_str(m->to.uri.user, "2983792873");
    kit_assert_str(m->from.uri.scheme_text, "http");
    kit_assert_str(m->from.tag, "3234233");
    kit_assert_str(contact_at(m, 0).uri.text, "name:John_Smith");
}

static void bext01(const struct dt_sip_msg *m)
{
    assert_true(dt_sip_lists(m, DT_H_REQUIRE, DT_STR("nothingSupportsThis")));
    assert_true(dt_sip_lists(m, DT_H_REQUIRE, DT_STR("nothingSupportsThisEither")));
    assert_true(dt_sip_lists(m, DT_H_PROXY_REQUIRE, DT_STR("noProxiesSupportThis")));
    assert_int_equal(count(m, DT_H_PROXY_REQUIRE), 2);
}

static void invut(const struct dt_sip_msg *m)
{
    kit_assert_str(dt_sip_get(m, DT_H_CONTENT_TYPE), "application/unknownformat");
}

static void regaut01(const struct dt_sip_msg *m)
{
    assert_true(dt_str_starts(value_at(m, DT_H_AUTHORIZATION, 0),
                              DT_STR("NoOneKnowsThisScheme opaque-data=here")));
}

static void multi01(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_DUPLICATE);
}

static void mcl01(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_LENGTH);
}

static void bcast(const struct dt_sip_msg *m)
{
    struct dt_via v = via_at(m, 1);
    kit_assert_str(v.host, "255.255.255.255");
    assert_int_equal(m->method, DT_INVITE);
}

static void zeromf(const struct dt_sip_msg *m)
{
    assert_int_equal(m->max_forwards, 0);
}

static void cparam01(const struct dt_sip_msg *m)
{
    kit_assert_str(contact_at(m, 0).params, "unknownparam");
    kit_assert_str(contact_at(m, 0).uri.text, "sip:+19725552222@gw1.example.net");
}

static void cparam02(const struct dt_sip_msg *m)
{
    kit_assert_str(contact_at(m, 0).params, "");
    kit_assert_str(contact_at(m, 0).uri.params, "unknownparam");
}

static void regescrt(const struct dt_sip_msg *m)
{
    kit_assert_str(contact_at(m, 0).uri.text,
                   "sip:user@example.com?Route=%3Csip:sip.example.com%3E");
}

static void inv2543(const struct dt_sip_msg *m)
{
    assert_null(m->via.branch.p);
    assert_null(m->from.tag.p);
    assert_int_equal(m->max_forwards, -1);
    assert_true(dt_str_starts(m->body, DT_STR("v=0\r\n")));
    assert_true(dt_str_ends(m->body, DT_STR("m=audio 49217 RTP/AVP 0\r\n")));
    assert_true(m->text.p + m->text.n == m->body.p + m->body.n);
}

static void not_sip(const struct dt_sip_msg *m)
{
    assert_int_equal(m->fault, DT_FAULT_START_LINE);
    kit_assert_str(m->uri_text, "sip:alan@jasomi.com");
}

/* ---- RFC 5118 ---- */

static void ipv6_good(const struct dt_sip_msg *m)
{
    kit_assert_str(m->uri.host, "2001:db8::10");
    assert_true(m->uri.host_v6);
    kit_assert_str(m->via.host, "2001:db8::9:1");
    kit_assert_str(contact_at(m, 0).uri.host, "2001:db8::1");
}

static void port_ambiguous(const struct dt_sip_msg *m)
{
    kit_assert_str(m->uri.host, "2001:db8::10:5070");
    assert_int_equal(m->uri.port, 0);
}

static void port_unambiguous(const struct dt_sip_msg *m)
{
    kit_assert_str(m->uri.host, "2001:db8::10");
    assert_int_equal(m->uri.port, 5070);
}

static void received_v6(const struct dt_sip_msg *m)
{
    struct dt_addr a;
    char text[DT_ADDR_TEXT_MAX];
    assert_int_equal(dt_via_response_addr(&m->via, &a), DT_OK);
    assert_string_equal(dt_addr_text(&a, text), "[2001:db8::9:255]:5060");
}

static void mult_ip_in_header(const struct dt_sip_msg *m)
{
    assert_int_equal(count(m, DT_H_VIA), 3);
    kit_assert_str(m->via.host, "2001:db8::9:1");
    assert_int_equal(m->via.port, 6050);
    kit_assert_str(via_at(m, 1).host, "192.0.2.1");
    kit_assert_str(via_at(m, 2).received, "192.0.2.200");
}

static void mapped(const struct dt_sip_msg *m)
{
    kit_assert_str(m->via.host, "::ffff:192.0.2.10");
    assert_int_equal(m->via.port, 19823);
    kit_assert_str(contact_at(m, 0).uri.host, "::ffff:192.0.2.2");
    kit_assert_str(contact_at(m, 0).display, "T. desk phone");
}

static void three_colons(const struct dt_sip_msg *m)
{
    struct dt_addr a;
    char text[DT_ADDR_TEXT_MAX];
    assert_int_equal(dt_uri_addr(&m->uri, &a), DT_OK);
    assert_string_equal(dt_addr_text(&a, text), "[2001:db8::c000:201]:0");
    assert_uri_eq(&m->uri, "sip:user@[2001:db8::192.0.2.1]");
}

static void baddate(const struct dt_sip_msg *m)
{
    assert_true(
        dt_str_ends(dt_sip_get(m, DT_H_DATE), DT_STR(" EST"))); /* kept, and nobody reads it */
}

static void baddn_open(const struct dt_sip_msg *m)
{
    assert_int_equal(dt_sip_fault_status(m->fault), 400);
    assert_true(count(m, DT_H_FROM) <= 1);
}

static void sdp01(const struct dt_sip_msg *m)
{
    kit_assert_str(value_at(m, DT_H_ACCEPT, 0), "text/nobodyKnowsThis");
    assert_int_equal(count(m, DT_H_ACCEPT), 1);
    kit_assert_str(dt_sip_get(m, DT_H_CONTENT_TYPE), "application/sdp");
}

static bool says(const struct dt_sip_msg *m, const char *line)
{
    return dt_str_search(m->body, dt_str_z(line)) < m->body.n;
}

static void ipv6_in_sdp(const struct dt_sip_msg *m)
{
    assert_int_equal(m->body.n, 251);
    assert_true(says(m, "\r\nc=IN IP6 2001:db8::20\r\n"));
}

static void mult_ip_in_sdp(const struct dt_sip_msg *m)
{
    assert_int_equal(m->body.n, 189);
    assert_true(says(m, "\r\nc=IN IP4 192.0.2.1\r\n"));
    assert_true(says(m, "\r\nc=IN IP6 2001:db8::1\r\n"));
}

static const struct {
    const char *name;
    void (*check)(const struct dt_sip_msg *m);
} asserts[] = {
    {"rfc4475/wsinv.dat", wsinv},
    {"rfc4475/intmeth.dat", intmeth},
    {"rfc4475/esc01.dat", esc01},
    {"rfc4475/escnull.dat", escnull},
    {"rfc4475/esc02.dat", esc02},
    {"rfc4475/lwsdisp.dat", lwsdisp},
    {"rfc4475/longreq.dat", longreq},
    {"rfc4475/dblreq.dat", dblreq},
    {"rfc4475/semiuri.dat", semiuri},
    {"rfc4475/transports.dat", transports},
    {"rfc4475/mpart01.dat", mpart01},
    {"rfc4475/unreason.dat", unreason},
    {"rfc4475/noreason.dat", noreason},
    {"rfc4475/badinv01.dat", badinv01},
    {"rfc4475/clerr.dat", clerr},
    {"rfc4475/ncl.dat", ncl},
    {"rfc4475/scalar02.dat", scalar02},
    {"rfc4475/scalarlg.dat", scalarlg},
    {"rfc4475/quotbal.dat", quotbal},
    {"rfc4475/ltgtruri.dat", bad_uri},
    {"rfc4475/lwsruri.dat", bad_start_line},
    {"rfc4475/lwsstart.dat", bad_start_line},
    {"rfc4475/trws.dat", bad_start_line},
    {"rfc4475/escruri.dat", bad_uri},
    {"rfc4475/baddate.dat", baddate},
    {"rfc4475/regbadct.dat", bad_contact},
    {"rfc4475/badaspec.dat", bad_to},
    {"rfc4475/baddn.dat", baddn_open},
    {"rfc4475/baddn-closed.dat", baddn},
    {"rfc4475/badvers.dat", badvers},
    {"rfc4475/mismatch01.dat", mismatch},
    {"rfc4475/mismatch02.dat", mismatch},
    {"rfc4475/bigcode.dat", bigcode},
    {"rfc4475/badbranch.dat", badbranch},
    {"rfc4475/insuf.dat", insuf},
    {"rfc4475/unkscm.dat", unkscm},
    {"rfc4475/novelsc.dat", novelsc},
    {"rfc4475/unksm2.dat", unksm2},
    {"rfc4475/bext01.dat", bext01},
    {"rfc4475/invut.dat", invut},
    {"rfc4475/regaut01.dat", regaut01},
    {"rfc4475/multi01.dat", multi01},
    {"rfc4475/mcl01.dat", mcl01},
    {"rfc4475/bcast.dat", bcast},
    {"rfc4475/zeromf.dat", zeromf},
    {"rfc4475/cparam01.dat", cparam01},
    {"rfc4475/cparam02.dat", cparam02},
    {"rfc4475/regescrt.dat", regescrt},
    {"rfc4475/sdp01.dat", sdp01},
    {"rfc4475/inv2543.dat", inv2543},
    {"rfc4475/test.dat", not_sip},
    {"rfc5118/ipv6-good.dat", ipv6_good},
    {"rfc5118/ipv6-bad.dat", bad_uri},
    {"rfc5118/port-ambiguous.dat", port_ambiguous},
    {"rfc5118/port-unambiguous.dat", port_unambiguous},
    {"rfc5118/via-received-param-with-delim.dat", received_v6},
    {"rfc5118/via-received-param-no-delim.dat", received_v6},
    {"rfc5118/ipv6-in-sdp.dat", ipv6_in_sdp},
    {"rfc5118/mult-ip-in-header.dat", mult_ip_in_header},
    {"rfc5118/mult-ip-in-sdp.dat", mult_ip_in_sdp},
    {"rfc5118/ipv4-mapped-ipv6.dat", mapped},
    {"rfc5118/ipv6-bug-abnf-3-colons.dat", three_colons},
    {"rfc5118/ipv6-correct-abnf-2-colons.dat", three_colons},
};

static void messages_say_what_they_mean(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(asserts); i++) {
        void *file;
        struct dt_sip_msg m;
        char path[128];
        print_message("%s\n", asserts[i].name);
        snprintf(path, sizeof path, "corpus/torture/%s", asserts[i].name);
        struct dt_str text = kit_guarded_padded(0, kit_file(path, &file));
        dt_sip_parse(&m, text, headers, DT_MSG_HEADERS_MAX);
        dt_sip_check(&m);
        asserts[i].check(&m);
        free(file);
    }
}

/* Each row of the index has its check, once. */
static void no_message_is_left_out(void **state)
{
    void *file;
    size_t rows = 0;
    (void)state;
    struct dt_reader r = dt_reader(kit_file("corpus/torture/INDEX.tsv", &file));
    for (dt_reader_until(&r, '\n'); dt_reader_char(&r, '\n') && !dt_reader_end(&r); rows++) {
        struct dt_str name = dt_reader_until(&r, '\t');
        unsigned checks = 0;
        for (size_t i = 0; i < COUNT(asserts); i++)
            checks += dt_str_eq(dt_str_z(asserts[i].name), name);
        if (checks != 1)
            fail_msg("%.*s has %u checks", DT_FMT(name), checks);
        dt_reader_until(&r, '\n');
    }
    assert_int_equal(rows, COUNT(asserts));
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_message_is_left_out),
        cmocka_unit_test(messages_say_what_they_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
