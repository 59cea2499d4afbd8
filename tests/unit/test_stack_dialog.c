/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dialogs: how they are made, what they write, where it goes (RFC 3261 12; route vectors of 16.12).
 */
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "dualtone/dialog.h"

/* Parsed messages of a test, two at a time. */
static struct dt_sip_header headers[3][256];
static struct dt_bytes *buffers[3];

static struct dt_sip_msg parse(unsigned slot, const char *start, const char *from, const char *to,
                               const char *extra)
{
    char text[4096];
    struct dt_sip_msg m;
    const char *method = strstr(start, "BYE") ? "BYE" : "INVITE";
    int n = snprintf(text, sizeof(text),
                     "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: %s\r\n"
                     "To: %s\r\nCall-ID: c@h\r\nCSeq: 5 %s\r\n%sContent-Length: 0\r\n\r\n",
                     start, from, to, method, extra);

    dt_bytes_drop(buffers[slot]);
    buffers[slot] = dt_bytes_copy(&dt_alloc_libc, (struct dt_str){text, (size_t)n});
    assert_int_equal(dt_sip_parse(&m, dt_bytes_str(buffers[slot]), headers[slot], 256), DT_OK);
    assert_int_equal(dt_sip_check(&m), DT_OK);
    return m;
}

#define INVITE "INVITE sip:bob@b.example SIP/2.0"
#define A "Alice <sip:alice@a.example>;tag=a1"
#define B "<sip:bob@b.example>"
#define BT B ";tag=b1"
#define CONTACT "Contact: <sip:bob@192.0.2.9:5070>\r\n"

static void written(const struct dt_dialog *d, enum dt_method method, uint32_t cseq,
                    const char *want)
{
    char text[2048];
    struct dt_writer w = dt_writer(text, sizeof(text));

    dt_dialog_write(d, &w, method, cseq, DT_STR("SIP/2.0/UDP x;branch=z9hG4bKy"));
    assert_int_equal(w.err, DT_OK);
    kit_assert_str(dt_writer_str(&w), want);
}

#define HEAD "Via: SIP/2.0/UDP x;branch=z9hG4bKy\r\nMax-Forwards: 70\r\n"

static void caller(void **state)
{
    struct dt_sip_msg req = parse(0, INVITE, A, B, "");
    struct dt_sip_msg ringing = parse(1, "SIP/2.0 180 Ringing", A, BT, "");
    struct dt_sip_msg ok =
        parse(2, "SIP/2.0 200 OK", A, BT, CONTACT "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n");
    struct dt_dialog d;
    struct dt_uri hop;

    (void)state;
    assert_int_equal(dt_dialog_caller(&d, &dt_alloc_libc, &req, &ringing), DT_OK);
    assert_int_equal(d.state, DT_DIALOG_EARLY);
    kit_assert_str(d.target, "sip:bob@b.example"); /* no Contact yet */
    assert_true(dt_dialog_has_response(&d, &ok));
    assert_int_equal(dt_dialog_confirm(&d, &ok), DT_OK);
    assert_int_equal(d.state, DT_DIALOG_CONFIRMED);
    assert_int_equal(dt_dialog_next_cseq(&d), 6);
    written(&d, DT_BYE, 6,
            "BYE sip:bob@192.0.2.9:5070 SIP/2.0\r\n" HEAD "Route: <sip:p1;lr>\r\n"
            "Route: <sip:p2;lr>\r\nFrom: Alice <sip:alice@a.example>;tag=a1\r\n"
            "To: <sip:bob@b.example>;tag=b1\r\nCall-ID: c@h\r\nCSeq: 6 BYE\r\n");
    assert_int_equal(dt_dialog_next_hop(&d, &hop), DT_OK);
    kit_assert_str(hop.host, "p1");
    dt_dialog_clear(&d);
}

static void callee(void **state)
{
    struct dt_sip_msg req = parse(0, INVITE, A, B,
                                  "Contact: <sip:alice@192.0.2.1>\r\nRecord-Route: <sip:p2;lr>\r\n"
                                  "Record-Route: <sip:p1;lr>\r\n");
    struct dt_sip_msg bye = parse(1, "BYE sip:bob@x SIP/2.0", A, B ";tag=t", "");
    struct dt_sip_msg stranger = parse(2, "BYE sip:bob@x SIP/2.0", A, B ";tag=u", "");
    struct dt_dialog d;

    (void)state;
    assert_int_equal(dt_dialog_callee(&d, &dt_alloc_libc, &req, DT_STR("t")), DT_OK);
    assert_int_equal(dt_dialog_confirm(&d, NULL), DT_OK);
    assert_true(dt_dialog_has_request(&d, &bye));
    assert_false(dt_dialog_has_request(&d, &stranger));
    written(&d, DT_INVITE, dt_dialog_next_cseq(&d),
            "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n" HEAD "Route: <sip:p2;lr>\r\n"
            "Route: <sip:p1;lr>\r\nFrom: <sip:bob@b.example>;tag=t\r\n"
            "To: Alice <sip:alice@a.example>;tag=a1\r\nCall-ID: c@h\r\nCSeq: 1 INVITE\r\n");
    dt_dialog_clear(&d);
}

/* 12.2.1.1: a strict router first. */
static void strict_router(void **state)
{
    struct dt_sip_msg req = parse(0, INVITE, A, B,
                                  "Contact: <sip:alice@192.0.2.1>\r\n"
                                  "Record-Route: <sip:p2;x=1>, <sip:p1;lr>\r\n");
    struct dt_dialog d;
    struct dt_uri hop;

    (void)state;
    assert_int_equal(dt_dialog_callee(&d, &dt_alloc_libc, &req, DT_STR("t")), DT_OK);
    written(&d, DT_BYE, 1,
            "BYE sip:p2;x=1 SIP/2.0\r\n" HEAD "Route: <sip:p1;lr>\r\n"
            "Route: <sip:alice@192.0.2.1>\r\nFrom: <sip:bob@b.example>;tag=t\r\n"
            "To: Alice <sip:alice@a.example>;tag=a1\r\nCall-ID: c@h\r\nCSeq: 1 BYE\r\n");
    assert_int_equal(dt_dialog_next_hop(&d, &hop), DT_OK);
    kit_assert_str(hop.host, "p2");
    dt_dialog_clear(&d);
}

/* A folded From and parameters around its tag come back as one line. */
static void odd_values(void **state)
{
    struct dt_sip_msg req = parse(0, INVITE, "\"A;tag=no\"\r\n <sip:a@h;p=1>;x=1 ;tag=a1;y=2", B,
                                  "Contact: <sip:alice@192.0.2.1>\r\n");
    struct dt_dialog d;

    (void)state;
    assert_int_equal(dt_dialog_callee(&d, &dt_alloc_libc, &req, DT_STR("t")), DT_OK);
    kit_assert_str(d.remote, "\"A;tag=no\"   <sip:a@h;p=1>;x=1;y=2");
    kit_assert_str(d.remote_tag, "a1");
    dt_dialog_clear(&d);
}

/* I11, 12.2.2. */
static void sequence(void **state)
{
    struct dt_sip_msg req = parse(0, INVITE, A, B, CONTACT);
    struct dt_sip_msg bye = parse(1, "BYE sip:bob@x SIP/2.0", A, B ";tag=t", "");
    struct dt_dialog d;
    static const struct {
        enum dt_method method;
        uint32_t number;
        int err;
    } rows[] = {{DT_BYE, 5, DT_E_RANGE}, {DT_BYE, 4, DT_E_RANGE}, {DT_ACK, 5, DT_OK},
                {DT_CANCEL, 4, DT_OK},   {DT_BYE, 9, DT_OK},      {DT_BYE, 8, DT_E_RANGE},
                {DT_BYE, 9, DT_E_RANGE}, {DT_BYE, 10, DT_OK}};

    (void)state;
    assert_int_equal(dt_dialog_callee(&d, &dt_alloc_libc, &req, DT_STR("t")), DT_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        bye.method = rows[i].method;
        bye.cseq.number = rows[i].number;
        assert_int_equal(dt_dialog_cseq(&d, &bye), rows[i].err);
    }
    dt_dialog_clear(&d);
}

/* I16: only the target changes. */
static void refresh(void **state)
{
    struct dt_sip_msg req = parse(0, INVITE, A, B, CONTACT "Record-Route: <sip:p1;lr>\r\n");
    struct dt_sip_msg re = parse(1, INVITE, A, B ";tag=t",
                                 "Contact: <sip:new@192.0.2.8>\r\nRecord-Route: <sip:evil;lr>\r\n");
    struct dt_sip_msg bare = parse(2, INVITE, A, B ";tag=t", "");
    struct dt_dialog d;

    (void)state;
    assert_int_equal(dt_dialog_callee(&d, &dt_alloc_libc, &req, DT_STR("t")), DT_OK);
    assert_int_equal(dt_dialog_refresh(&d, &re), DT_OK);
    kit_assert_str(d.target, "sip:new@192.0.2.8");
    assert_int_equal(dt_dialog_refresh(&d, &bare), DT_OK);
    kit_assert_str(d.target, "sip:new@192.0.2.8");
    assert_int_equal(d.n_routes, 1);
    kit_assert_str(d.routes[0], "<sip:p1;lr>");
    dt_dialog_clear(&d);
}

static void refused(void **state)
{
    char many[4000] = CONTACT "Record-Route: <sip:p;lr>";
    static const struct {
        const char *status, *to, *extra;
        int err;
    } rows[] = {
        {"SIP/2.0 200 OK", BT, "", DT_E_SYNTAX}, /* no Contact */
        {"SIP/2.0 200 OK", BT, "Contact: *\r\n", DT_E_SYNTAX},
        {"SIP/2.0 200 OK", B, CONTACT, DT_E_SYNTAX}, /* no tag */
        {"SIP/2.0 100 Trying", BT, CONTACT, DT_E_SYNTAX},
        {"SIP/2.0 404 No", BT, CONTACT, DT_E_SYNTAX},
    };
    struct dt_sip_msg req = parse(0, INVITE, A, B, ""), m;
    struct dt_dialog d;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        m = parse(1, rows[i].status, A, rows[i].to, rows[i].extra);
        assert_int_equal(dt_dialog_caller(&d, &dt_alloc_libc, &req, &m), rows[i].err);
        assert_int_equal(d.state, DT_DIALOG_NONE);
    }
    for (int i = 0; i < DT_DIALOG_ROUTES_MAX; i++)
        strcat(many, ", <sip:p;lr>");
    strcat(many, "\r\n");
    m = parse(1, "SIP/2.0 200 OK", A, BT, many);
    assert_int_equal(dt_dialog_caller(&d, &dt_alloc_libc, &req, &m), DT_E_LIMIT);
}

/* I39: a failure leaves nothing behind and changes nothing. */
static void no_memory(void **state)
{
    struct dt_sip_msg req = parse(0, INVITE, A, B, "");
    struct dt_sip_msg ringing = parse(1, "SIP/2.0 180 Ringing", A, BT, CONTACT);
    struct dt_sip_msg ok = parse(2, "SIP/2.0 200 OK", A, BT,
                                 "Contact: <sip:other@192.0.2.9>\r\nRecord-Route: <sip:p;lr>\r\n");
    struct kit_alloc k;
    struct dt_dialog d;

    (void)state;
    for (size_t i = 1;; i++) {
        kit_alloc_init(&k);
        k.fail_at = i;
        int err = dt_dialog_caller(&d, &k.alloc, &req, &ringing);
        if (!err && (err = dt_dialog_confirm(&d, &ok)) != DT_OK) {
            assert_int_equal(d.state, DT_DIALOG_EARLY);
            assert_int_equal(dt_dialog_confirm(&d, &ok), DT_OK); /* the repeat of the 2xx */
            err = DT_E_NOMEM;
        }
        dt_dialog_clear(&d);
        assert_int_equal(k.live, 0);
        if (!err)
            break;
        assert_int_equal(err, DT_E_NOMEM);
    }
}

static int drop_buffers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        dt_bytes_drop(buffers[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caller),     cmocka_unit_test(callee),    cmocka_unit_test(strict_router),
        cmocka_unit_test(odd_values), cmocka_unit_test(sequence),  cmocka_unit_test(refresh),
        cmocka_unit_test(refused),    cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, drop_buffers);
}
