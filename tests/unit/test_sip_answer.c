/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/build.h"

struct parsed {
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
};

static void parse(struct parsed *p, unsigned slot, struct dt_str text)
{
    int err = dt_sip_parse(&p->m, kit_guarded_padded(slot, text), p->headers, DT_MSG_HEADERS_MAX);
    if (err)
        fail_msg("%s:\n%.*s", dt_sip_fault_phrase(p->m.fault), DT_FMT(text));
}

static struct dt_addr address(const char *text)
{
    struct dt_addr a;
    assert_int_equal(dt_addr_parse(&a, dt_str_z(text)), DT_OK);
    return a;
}

/* ---- Via ---- */

static const struct via_case {
    const char *via, *source, *want;
} via_cases[] = {
    /* 18.2.1: the address is the one it says: nothing is added. */
    {"SIP/2.0/UDP 192.0.2.1:5060;branch=b", "192.0.2.1:9999",
     "SIP/2.0/UDP 192.0.2.1:5060;branch=b"},
    {"SIP/2.0/UDP [2001:db8::1];branch=b", "[2001:db8:0::1]:5060",
     "SIP/2.0/UDP [2001:db8::1];branch=b"},
    /* Another address, or a name. */
    {"SIP/2.0/UDP 192.0.2.1:5060;branch=b", "192.0.2.2:5060",
     "SIP/2.0/UDP 192.0.2.1:5060;branch=b;received=192.0.2.2"},
    {"SIP/2.0/UDP pc33.example.com", "192.0.2.2:5060",
     "SIP/2.0/UDP pc33.example.com;received=192.0.2.2"},
    {"SIP/2.0/TCP h;branch=b", "[2001:db8::9]:5060", "SIP/2.0/TCP h;branch=b;received=2001:db8::9"},
    /* RFC 3581 4: rport asked for. */
    {"SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", "192.0.2.1:9988",
     "SIP/2.0/UDP 10.1.1.1:4540;branch=z9hG4bKkjshdyff;received=192.0.2.1;rport=9988"},
    {"SIP/2.0/UDP 192.0.2.1;RPORT;branch=b", "192.0.2.1:9988",
     "SIP/2.0/UDP 192.0.2.1;branch=b;received=192.0.2.1;rport=9988"},
    /* What the sender says of himself is not believed. */
    {"SIP/2.0/UDP 192.0.2.1;received=203.0.113.5;branch=b", "192.0.2.1:5060",
     "SIP/2.0/UDP 192.0.2.1;branch=b"},
    {"SIP/2.0/UDP 192.0.2.1;rport=53;received=203.0.113.5", "192.0.2.9:5060",
     "SIP/2.0/UDP 192.0.2.1;received=192.0.2.9;rport=5060"},
    /* Others stay, in their order; blanks and folds go or become spaces. */
    {"SIP / 2.0 / UDP h : 5060 ; a = \"x;rport,y\" ;\r\n branch=b;ttl=1", "192.0.2.2:1",
     "SIP / 2.0 / UDP h : 5060; a = \"x;rport,y\";   branch=b;ttl=1;received=192.0.2.2"},
};

static void via_says_where_it_came_from(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof via_cases / sizeof via_cases[0]; i++) {
        char text[256];
        struct dt_via via;
        struct dt_addr source = address(via_cases[i].source);
        struct dt_writer w = dt_writer(text, sizeof text);
        assert_int_equal(dt_sip_via(&via, kit_guarded(0, dt_str_z(via_cases[i].via))), DT_OK);
        dt_sip_write_via(&w, &via, &source);
        kit_assert_str(dt_writer_str(&w), via_cases[i].want);
        assert_int_equal(dt_sip_via(&via, dt_writer_str(&w)), DT_OK);
    }
}

/* ---- answers ---- */

static const char invite[] = "INVITE sip:b@example.com SIP/2.0\r\n"
                             "v: SIP/2.0/UDP p1:5070;branch=1;rport, SIP/2.0/UDP p2;branch=2\r\n"
                             "Record-Route: <sip:p1;lr>\r\n"
                             "Via: SIP/2.0/UDP a;branch=3\r\n"
                             "Record-Route: <sip:p2;lr>\r\n"
                             "Max-Forwards: 70\r\n"
                             "t: <sip:b@example.com>\r\n"
                             "f: \"A\"\r\n <sip:a@example.com>;tag=1\r\n"
                             "i: c1\r\n"
                             "CSeq: 5 INVITE\r\n"
                             "Timestamp: 54\r\n"
                             "Subject: not repeated\r\n"
                             "Content-Length: 2\r\n"
                             "\r\n"
                             "xy";

#define FROM "From: \"A\"   <sip:a@example.com>;tag=1\r\n"
#define REST "Call-ID: c1\r\nCSeq: 5 INVITE\r\n"
#define VIAS \
    "Via: SIP/2.0/UDP p1:5070;branch=1;rport, SIP/2.0/UDP p2;branch=2\r\n" \
    "Via: SIP/2.0/UDP a;branch=3\r\n"
#define SOURCE_VIAS \
    "Via: SIP/2.0/UDP p1:5070;branch=1;received=192.0.2.1;rport=5071, " \
    "SIP/2.0/UDP p2;branch=2\r\n" \
    "Via: SIP/2.0/UDP a;branch=3\r\n"
#define STR(literal) \
    { \
        (literal), sizeof(literal) - 1 \
    }

static const struct answer_case {
    struct dt_sip_answer ans; /* without source */
    const char *source;
    const char *want;
} answer_cases[] = {
    {{.status = 100, .to_tag = STR("t")},
     NULL,
     "SIP/2.0 100 Trying\r\n" VIAS FROM "To: <sip:b@example.com>\r\n" REST
     "Timestamp: 54\r\nContent-Length: 0\r\n\r\n"},
    {{.status = 180, .to_tag = STR("t"), .record_routes = true},
     "192.0.2.1:5071",
     "SIP/2.0 180 Ringing\r\n" SOURCE_VIAS
     "Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\n" FROM
     "To: <sip:b@example.com>;tag=t\r\n" REST "Content-Length: 0\r\n\r\n"},
    {{.status = 200,
      .reason = STR("Fine"),
      .to_tag = STR("t"),
      .extra = STR("Contact: <sip:b@192.0.2.2>\r\nAllow: ACK\r\n"),
      .type = STR("application/sdp"),
      .body = STR("v=0\r\n")},
     NULL,
     "SIP/2.0 200 Fine\r\n" VIAS FROM "To: <sip:b@example.com>;tag=t\r\n" REST
     "Contact: <sip:b@192.0.2.2>\r\nAllow: ACK\r\n"
     "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"},
    {{.status = 404},
     NULL,
     "SIP/2.0 404 Not Found\r\n" VIAS FROM "To: <sip:b@example.com>\r\n" REST
     "Content-Length: 0\r\n\r\n"},
};

static void answers_repeat_what_they_must(void **state)
{
    (void)state;
    struct parsed req, res;
    parse(&req, 0, DT_STR(invite));
    for (size_t i = 0; i < sizeof answer_cases / sizeof answer_cases[0]; i++) {
        const struct answer_case *c = &answer_cases[i];
        struct kit_alloc k;
        struct dt_bytes *out = NULL;
        struct dt_sip_answer ans = c->ans;
        struct dt_addr source = address(c->source ? c->source : "192.0.2.1");
        ans.source = c->source ? &source : NULL;
        kit_alloc_init(&k);
        assert_int_equal(dt_sip_answer(&req.m, &ans, &k.alloc, &out), DT_OK);
        kit_assert_str(dt_bytes_str(out), c->want);
        assert_int_equal(out->cap, out->n); /* it may be kept for long */
        parse(&res, 1, dt_bytes_str(out));
        assert_int_equal(res.m.status, ans.status);
        dt_bytes_drop(out);
        assert_int_equal(k.calls, 1);
        assert_int_equal(k.live, 0);
        k.calls = 0;
        k.fail_at = 1;
        assert_int_equal(dt_sip_answer(&req.m, &ans, &k.alloc, &out), DT_E_NOMEM);
        assert_int_equal(k.live, 0);
    }
}

/* The tag of a request inside a dialog stays. */
static void to_keeps_its_tag(void **state)
{
    (void)state;
    struct parsed req;
    struct dt_bytes *out;
    const struct dt_sip_answer ans = {.status = 200, .to_tag = DT_STR("new")};
    parse(&req, 0, DT_STR("BYE sip:b SIP/2.0\r\nTo: <sip:b;tag=uri>;x=y ; TAG = old\r\n\r\n"));
    assert_int_equal(dt_sip_answer(&req.m, &ans, &dt_alloc_libc, &out), DT_OK);
    kit_assert_str(dt_bytes_str(out), "SIP/2.0 200 OK\r\nTo: <sip:b;tag=uri>;x=y ; TAG = old\r\n"
                                      "Content-Length: 0\r\n\r\n");
    dt_bytes_drop(out);
    parse(&req, 0, DT_STR("BYE sip:b SIP/2.0\r\nTo: sip:b;user=phone\r\n\r\n"));
    assert_int_equal(dt_sip_answer(&req.m, &ans, &dt_alloc_libc, &out), DT_OK);
    kit_assert_str(dt_bytes_str(out), "SIP/2.0 200 OK\r\nTo: sip:b;user=phone;tag=new\r\n"
                                      "Content-Length: 0\r\n\r\n");
    dt_bytes_drop(out);
}

/* A line that looks as we would write it is repeated in one piece, and any other header line comes
 * out just as that one. */
static void lines_of_any_looks(void **state)
{
    static const char *const from[] = {
        "From: <sip:a@b>;tag=1\r\n",     "from: <sip:a@b>;tag=1\r\n",  "From:<sip:a@b>;tag=1\r\n",
        "f: <sip:a@b>;tag=1\r\n",        "From:  <sip:a@b>;tag=1\r\n", "From : <sip:a@b>;tag=1\r\n",
        "From: <sip:a@b>;tag=1 \t\r\n",  "From: <sip:a@b>;tag=1\n",    "From:\t<sip:a@b>;tag=1\r\n",
        "From:\r\n <sip:a@b>;tag=1\r\n", "From: <sip:a@b>;tag=1 \n",   "fROM: <sip:a@b>;tag=1\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        char text[200];
        struct parsed req;
        struct dt_bytes *out;
        const struct dt_sip_answer ans = {.status = 200, .to_tag = DT_STR("new")};
        snprintf(text, sizeof text, "BYE sip:b SIP/2.0\r\n%sCall-ID: c\r\n\r\n", from[i]);
        parse(&req, 0, dt_str_z(text));
        assert_int_equal(dt_sip_answer(&req.m, &ans, &dt_alloc_libc, &out), DT_OK);
        kit_assert_str(dt_bytes_str(out),
                       "SIP/2.0 200 OK\r\nFrom: <sip:a@b>;tag=1\r\nCall-ID: c\r\n"
                       "Content-Length: 0\r\n\r\n");
        dt_bytes_drop(out);
    }
}

/* Found by a fuzzer: a faulty request with many To lines is answered too; the first gets the tag.
 */
static void many_to_lines(void **state)
{
    enum { LINES = 100 };
    char text[16 * LINES + 200];
    struct dt_writer w = dt_writer(text, sizeof text);
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_bytes *out;
    (void)state;
    dt_write_lit(&w, "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=b\r\n");
    for (int i = 0; i < LINES; i++)
        dt_write_lit(&w, "t:<sip:b>\r\n");
    dt_write_lit(&w, "\r\n");
    struct dt_str request = kit_guarded_padded(0, dt_writer_str(&w));
    assert_int_equal(dt_sip_parse(&m, request, headers, DT_MSG_HEADERS_MAX), DT_E_SYNTAX);
    const struct dt_sip_answer ans = {.status = 400, .to_tag = DT_STR("a-tag")};
    assert_int_equal(dt_sip_answer(&m, &ans, &dt_alloc_libc, &out), DT_OK);
    struct dt_str answer = dt_bytes_str(out);
    size_t first = dt_str_search(answer, DT_STR("To: <sip:b>;tag=a-tag\r\n"));
    assert_true(first < answer.n);
    struct dt_str rest = dt_str_sub(answer, first + 10, answer.n);
    assert_int_equal(dt_str_search(dt_str_sub(rest, 12, rest.n), DT_STR("tag=")), rest.n - 12);
    dt_bytes_drop(out);
}

/* Found by a fuzzer: the first Via line is empty, and no Via is written twice for it. */
static void empty_via_line(void **state)
{
    static const char text[] = "OPTIONS sip:a SIP/2.0\r\nVia:\r\nVia: SIP/2.0/UDP h;branch=b\r\n"
                               "Call-ID: c\r\n\r\n";
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_bytes *out;
    struct dt_addr source = address("192.0.2.1:5060");
    (void)state;
    (void)dt_sip_parse(&m, kit_guarded_padded(0, dt_str_z(text)), headers, DT_MSG_HEADERS_MAX);
    const struct dt_sip_answer ans = {.status = 400, .source = &source};
    assert_int_equal(dt_sip_answer(&m, &ans, &dt_alloc_libc, &out), DT_OK);
    kit_assert_str(dt_bytes_str(out), "SIP/2.0 400 Bad Request\r\nVia: \r\n"
                                      "Via: SIP/2.0/UDP h;branch=b\r\nCall-ID: c\r\n"
                                      "Content-Length: 0\r\n\r\n");
    dt_bytes_drop(out);
}

static void hostile_parts_are_refused(void **state)
{
    (void)state;
    static const struct dt_sip_answer hostile[] = {
        {.status = 400, .reason = STR("a\r\nX: y")},
        {.status = 400, .to_tag = STR("a\nX: y")},
        {.status = 400, .to_tag = STR("a\0")},
        {.status = 400, .type = STR("text/plain\r")},
    };
    struct parsed req;
    parse(&req, 0, DT_STR(invite));
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct dt_bytes *out = NULL;
        assert_int_equal(dt_sip_answer(&req.m, &hostile[i], &dt_alloc_libc, &out), DT_E_SYNTAX);
        assert_null(out);
    }
}

static void too_large_an_answer_is_refused(void **state)
{
    (void)state;
    static char big[DT_MSG_MAX + 1];
    struct parsed req;
    struct dt_bytes *out = NULL;
    memset(big, 'x', sizeof big);
    parse(&req, 0, DT_STR("BYE sip:b SIP/2.0\r\nTo: <sip:b>\r\n\r\n"));
    struct dt_sip_answer ans = {.status = 200};
    const size_t around =
        sizeof "SIP/2.0 200 OK\r\nTo: <sip:b>\r\nContent-Length: 65000\r\n\r\n" - 1;
    ans.body = (struct dt_str){big, DT_MSG_MAX - around};
    assert_int_equal(dt_sip_answer(&req.m, &ans, &dt_alloc_libc, &out), DT_OK);
    assert_int_equal(out->n, DT_MSG_MAX);
    dt_bytes_drop(out);
    out = NULL;
    for (ans.body.n++; ans.body.n <= sizeof big; ans.body.n++) {
        assert_int_equal(dt_sip_answer(&req.m, &ans, &dt_alloc_libc, &out), DT_E_LIMIT);
        assert_null(out);
    }
}

/* ---- whatever comes is answered by something that can be parsed ---- */

/* What a check has parsed is not parsed again: it makes no difference to the answer. */
static void same_after_check(const struct dt_sip_msg *req, const struct dt_sip_answer *ans,
                             struct dt_str want)
{
    struct dt_sip_msg checked = *req;
    struct dt_bytes *out = NULL;
    (void)dt_sip_check(&checked);
    assert_int_equal(dt_sip_answer(&checked, ans, &dt_alloc_libc, &out), DT_OK);
    assert_true(dt_str_eq(dt_bytes_str(out), want));
    dt_bytes_drop(out);
}

static void answer_any(struct dt_str text)
{
    static const struct dt_sip_answer kinds[] = {
        {.status = 100},
        {.status = 400, .to_tag = STR("t"), .record_routes = true},
    };
    struct parsed req, res;
    struct dt_addr source = address("[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
    dt_sip_parse(&req.m, kit_guarded_padded(1, text), req.headers, DT_MSG_HEADERS_MAX);
    for (size_t i = 0; i < 2; i++) {
        struct dt_bytes *out = NULL;
        struct dt_sip_answer ans = kinds[i];
        ans.source = &source;
        assert_int_equal(dt_sip_answer(&req.m, &ans, &dt_alloc_libc, &out), DT_OK);
        /* Faults of the request itself are repeated: two To lines, say. No others are made. */
        int err = dt_sip_parse(&res.m, kit_guarded_padded(2, dt_bytes_str(out)), res.headers,
                               DT_MSG_HEADERS_MAX);
        if (err)
            assert_int_equal(res.m.fault, DT_FAULT_DUPLICATE);
        assert_int_equal(res.m.status, ans.status);
        kit_assert_str(res.m.body, "");
        same_after_check(&req.m, &ans, dt_bytes_str(out));
        dt_bytes_drop(out);
    }
}

static void torture_messages_are_answered(void **state)
{
    (void)state;
    void *index_memory;
    struct dt_reader index = dt_reader(kit_file("corpus/torture/INDEX.tsv", &index_memory));
    dt_reader_until(&index, '\n');
    while (dt_reader_char(&index, '\n') && !dt_reader_end(&index)) {
        char path[128];
        void *memory;
        struct dt_writer w = dt_writer(path, sizeof path - 1);
        dt_write_lit(&w, "corpus/torture/");
        dt_write(&w, dt_reader_until(&index, '\t'));
        path[w.n] = '\0';
        struct dt_str text = kit_file(path, &memory);
        answer_any(text);
        free(memory);
        dt_reader_until(&index, '\n');
    }
    free(index_memory);
}

static void every_truncation_is_answered(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof invite; n++)
        answer_any((struct dt_str){invite, n});
}

/* ---- for another copy of the request ---- */

#define COPIED \
    "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n" \
    "Record-Route: <sip:h;lr>\r\nContent-Length: 4\r\n\r\nbody"

static const struct {
    const char *response, *vias, *want;
} copies[] = {
    {"SIP/2.0 180 R\r\nVia: SIP/2.0/UDP p;branch=z\r\nVia: SIP/2.0/UDP a;received=192.0.2.1\r\n",
     "Via: SIP/2.0/UDP p;branch=z\r\nVia: SIP/2.0/UDP a;received=192.0.2.7\r\n",
     "SIP/2.0 180 R\r\nVia: SIP/2.0/UDP p;branch=z;received=192.0.2.9\r\n"
     "Via: SIP/2.0/UDP a;received=192.0.2.7\r\n"},
    {"SIP/2.0 180 R\r\nv: SIP/2.0/UDP p, SIP/2.0/UDP a, SIP/2.0/UDP c\r\n",
     "v: SIP/2.0/UDP p,\r\n SIP/2.0/UDP longer.example.com;rport=7\r\n",
     "SIP/2.0 180 R\r\nVia: SIP/2.0/UDP p;received=192.0.2.9,   SIP/2.0/UDP "
     "longer.example.com;rport=7\r\n"},
    {"SIP/2.0 180 R\r\n", "Via: SIP/2.0/UDP 192.0.2.9\r\n",
     "SIP/2.0 180 R\r\nVia: SIP/2.0/UDP 192.0.2.9\r\n"},
};

static void copies_have_vias_of_their_own(void **state)
{
    struct dt_addr source = address("192.0.2.9:5060");
    struct kit_alloc mem;

    (void)state;
    kit_alloc_init(&mem);
    for (size_t i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
        struct parsed response, request;
        struct dt_bytes *b;
        char text[1000], want[1000];
        snprintf(text, sizeof(text), "%s" COPIED, copies[i].response);
        parse(&response, 0, dt_str_z(text));
        snprintf(text, sizeof(text), "INVITE sip:c@d SIP/2.0\r\n%s" COPIED, copies[i].vias);
        parse(&request, 1, dt_str_z(text));
        mem.fail_at = mem.calls + 1;
        assert_int_equal(dt_sip_answer_copy(&response.m, &request.m, &source, &mem.alloc, &b),
                         DT_E_NOMEM);
        assert_int_equal(dt_sip_answer_copy(&response.m, &request.m, &source, &mem.alloc, &b),
                         DT_OK);
        snprintf(want, sizeof(want), "%s" COPIED, copies[i].want);
        kit_assert_str(dt_bytes_str(b), want);
        dt_bytes_drop(b);
    }
    assert_int_equal(mem.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(via_says_where_it_came_from),
        cmocka_unit_test(answers_repeat_what_they_must),
        cmocka_unit_test(to_keeps_its_tag),
        cmocka_unit_test(lines_of_any_looks),
        cmocka_unit_test(many_to_lines),
        cmocka_unit_test(empty_via_line),
        cmocka_unit_test(hostile_parts_are_refused),
        cmocka_unit_test(too_large_an_answer_is_refused),
        cmocka_unit_test(torture_messages_are_answered),
        cmocka_unit_test(every_truncation_is_answered),
        cmocka_unit_test(copies_have_vias_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
