/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Headers of a message: chains, comma lists, a copy that outlives its buffer. */
#include "testkit.h"

#include <string.h>

#include "dualtone/msg.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];

static const char text[] =
    "INVITE sip:b@h;x=y SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport=9;received=192.0.2.2\r\n"
    "From: \"A\" <sip:a:pw@h;p=q?h=i>;tag=1\r\n"
    "To: <sip:b@h>\r\n"
    "Call-ID: 1@h\r\n"
    "CSeq: 1 INVITE\r\n"
    "Supported: timer, replaces\r\n"
    "X-Other: a, b\r\n"
    "k:\r\n"
    "SUPPORTED: ,, path ,,\r\n outbound,\r\n"
    "Contact: \"a,\\\",b\" <sip:a,b@h>;q=\",\", <sip:c@h>\r\n"
    "Authorization: Digest a=\"b\", c=\"d\"\r\n"
    "Authorization: Other e, f\r\n"
    "x-other: c\r\n"
    "Warning: 399 h \"open, to the end\r\n"
    "Content-Length: 4\r\n"
    "\r\n"
    "body";

static void parse(struct dt_sip_msg *m)
{
    assert_int_equal(
        dt_sip_parse(m, kit_guarded_padded(0, DT_STR(text)), headers, DT_MSG_HEADERS_MAX), DT_OK);
    assert_int_equal(dt_sip_check(m), DT_OK);
}

static void lines_of_an_id_are_chained(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    parse(&m);
    const struct dt_sip_header *h = dt_sip_first(&m, DT_H_SUPPORTED);
    kit_assert_str(dt_sip_value(&m, h), "timer, replaces");
    h = dt_sip_next(&m, h);
    kit_assert_str(dt_sip_name(&m, h), "k");
    kit_assert_str(dt_sip_value(&m, h), "");
    h = dt_sip_next(&m, h);
    kit_assert_str(dt_sip_value(&m, h), ",, path ,,\r\n outbound,");
    assert_null(dt_sip_next(&m, h));
    assert_null(dt_sip_first(&m, DT_H_ROUTE));
    assert_null(dt_sip_first(&m, DT_H_OTHER));
    assert_null(dt_sip_get(&m, DT_H_ROUTE).p);
    kit_assert_str(dt_sip_get(&m, DT_H_CALL_ID), "1@h");
    kit_assert_str(dt_sip_get_other(&m, "X-OTHER"), "a, b");
    assert_null(dt_sip_get_other(&m, "X-Nobody").p);
    assert_null(dt_sip_get_other(&m, "Call-ID").p);
}

static void lists_are_split_at_commas(void **state)
{
    (void)state;
    static const struct {
        enum dt_header_id id;
        const char *values[5];
    } rows[] = {
        {DT_H_SUPPORTED, {"timer", "replaces", "path", "outbound"}},
        {DT_H_CONTACT, {"\"a,\\\",b\" <sip:a,b@h>;q=\",\"", "<sip:c@h>"}},
        {DT_H_AUTHORIZATION, {"Digest a=\"b\", c=\"d\"", "Other e, f"}},
        {DT_H_WARNING, {"399 h \"open, to the end"}},
        {DT_H_ROUTE, {NULL}},
    };
    struct dt_sip_msg m;
    parse(&m);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dt_sip_values v = dt_sip_values(&m, rows[i].id);
        struct dt_str value;
        for (size_t k = 0; rows[i].values[k]; k++) {
            assert_true(dt_sip_values_next(&v, &value));
            kit_assert_str(value, rows[i].values[k]);
            assert_int_equal(v.line->id, rows[i].id);
        }
        assert_false(dt_sip_values_next(&v, &value));
        assert_false(dt_sip_values_next(&v, &value));
    }
}

static void tokens_are_found_in_lists(void **state)
{
    (void)state;
    struct dt_sip_msg m;
    parse(&m);
    assert_true(dt_sip_lists(&m, DT_H_SUPPORTED, DT_STR("Replaces")));
    assert_true(dt_sip_lists(&m, DT_H_SUPPORTED, DT_STR("outbound")));
    assert_false(dt_sip_lists(&m, DT_H_SUPPORTED, DT_STR("replace")));
    assert_false(dt_sip_lists(&m, DT_H_SUPPORTED, DT_STR("")));
    assert_false(dt_sip_lists(&m, DT_H_REQUIRE, DT_STR("timer")));
}

/* The copy says the same when the original is gone. */
static void a_kept_message_owns_its_text(void **state)
{
    (void)state;
    struct kit_alloc k;
    struct dt_sip_msg m;
    kit_alloc_init(&k);
    parse(&m);
    struct dt_sip_msg *copy = dt_sip_msg_keep(&k.alloc, &m);
    assert_non_null(copy);
    assert_int_equal(k.calls, 1);
    memset((char *)(uintptr_t)m.text.p, '#', m.text.n);
    memset(headers, 0, sizeof headers);

    kit_assert_str(copy->text, text);
    kit_assert_str(copy->method_text, "INVITE");
    kit_assert_str(copy->uri_text, "sip:b@h;x=y");
    kit_assert_str(copy->body, "body");
    kit_assert_str(copy->via.transport, "UDP");
    kit_assert_str(copy->via.sent_by, "192.0.2.1");
    kit_assert_str(copy->via.host, "192.0.2.1");
    kit_assert_str(copy->via.branch, "z9hG4bKx");
    kit_assert_str(copy->via.rport, "9");
    kit_assert_str(copy->via.received, "192.0.2.2");
    kit_assert_str(copy->via.params, "branch=z9hG4bKx;rport=9;received=192.0.2.2");
    kit_assert_str(copy->from.text, "\"A\" <sip:a:pw@h;p=q?h=i>;tag=1");
    kit_assert_str(copy->from.display, "A");
    kit_assert_str(copy->from.params, "tag=1");
    kit_assert_str(copy->from.tag, "1");
    kit_assert_str(copy->from.uri.text, "sip:a:pw@h;p=q?h=i");
    kit_assert_str(copy->from.uri.scheme_text, "sip");
    kit_assert_str(copy->from.uri.user, "a");
    kit_assert_str(copy->from.uri.password, "pw");
    kit_assert_str(copy->from.uri.host, "h");
    kit_assert_str(copy->from.uri.params, "p=q");
    kit_assert_str(copy->from.uri.headers, "h=i");
    kit_assert_str(copy->to.text, "<sip:b@h>");
    assert_null(copy->to.tag.p);
    kit_assert_str(copy->call_id, "1@h");
    kit_assert_str(copy->cseq.method_text, "INVITE");
    kit_assert_str(copy->uri.user, "b");
    kit_assert_str(copy->uri.params, "x=y");
    assert_int_equal(copy->n, m.n);
    kit_assert_str(dt_sip_get_other(copy, "x-other"), "a, b");
    assert_true(dt_sip_lists(copy, DT_H_SUPPORTED, DT_STR("outbound")));
    for (unsigned i = 0; i < DT_PAD; i++)
        assert_int_equal(copy->text.p[copy->text.n + i], 0);

    dt_sip_msg_drop(copy);
    assert_int_equal(k.live, 0);
}

/* Every slice of the struct is in the copy: none still points at the old text. */
static void no_slice_stays_behind(void **state)
{
    (void)state;
    struct kit_alloc k;
    struct dt_sip_msg m;
    kit_alloc_init(&k);
    parse(&m);
    struct dt_sip_msg *copy = dt_sip_msg_keep(&k.alloc, &m);
    for (size_t at = 0; at + sizeof(char *) <= sizeof m; at += sizeof(char *)) {
        const char *p;
        memcpy(&p, (const char *)copy + at, sizeof p);
        assert_false((uintptr_t)p >= (uintptr_t)m.text.p &&
                     (uintptr_t)p <= (uintptr_t)(m.text.p + m.text.n));
        assert_ptr_not_equal(p, headers);
    }
    dt_sip_msg_drop(copy);
}

static void keeping_can_fail(void **state)
{
    (void)state;
    struct kit_alloc k;
    struct dt_sip_msg m;
    kit_alloc_init(&k);
    k.fail_at = 1;
    parse(&m);
    assert_null(dt_sip_msg_keep(&k.alloc, &m));
    assert_int_equal(k.live, 0);
    dt_sip_msg_drop(NULL);
    /* a message that is nothing can be kept, too */
    dt_sip_parse(&m, DT_STR_NONE, headers, 0);
    struct dt_sip_msg *copy = dt_sip_msg_keep(&k.alloc, &m);
    assert_non_null(copy);
    dt_sip_msg_drop(copy);
    assert_int_equal(k.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_an_id_are_chained),
        cmocka_unit_test(lists_are_split_at_commas),
        cmocka_unit_test(tokens_are_found_in_lists),
        cmocka_unit_test(a_kept_message_owns_its_text),
        cmocka_unit_test(no_slice_stays_behind),
        cmocka_unit_test(keeping_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
