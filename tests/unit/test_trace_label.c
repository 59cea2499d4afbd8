/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a message is, in short: each kind, and each at every truncation. */
#include "testkit.h"

#include "trace/record.h"

#include <string.h>

static const struct {
    const char *message, *text, *method;
    bool sip, request;
    int status;
} table[] = {
    {"INVITE sip:b@h SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n", "INVITE", "INVITE", true, true, 0},
    {"HUM sip:b@h SIP/2.0\r\nCSeq: 1 HUM\r\n\r\n", "HUM", "HUM", true, true, 0},
    {"SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n", "180 Ringing", "INVITE", true, false, 180},
    {"SIP/2.0 183 Progress\r\nCSeq: 1 BYE\r\n\r\n", "183 Progress", "BYE", true, false, 183},
    {"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n", "200 OK", "INVITE", true, false, 200},
    {"SIP/2.0 200 OK\r\nCSeq: 7 BYE\r\n\r\n", "200 OK (BYE)", "BYE", true, false, 200},
    {"SIP/2.0 486 \r\nCSeq: 7 INVITE\r\n\r\n", "486", "INVITE", true, false, 486},
    {"SIP/2.0 200 OK\r\n\r\n", "200 OK", "", true, false, 200},
    {"SIP/2.0 404 \x1b[2Jgone\r\nCSeq: 1 INVITE\r\n\r\n", "404 ?[2Jgone", "INVITE", true, false,
     404},
    {"SIP/2.0 500 A reason that is much longer than what a ladder has room for\r\n"
     "CSeq: 1 REGISTER\r\n\r\n",
     "500 A reason that is much longer tha (REGISTER)", "REGISTER", true, false, 500},
    {"\x80\x08\x01\x02voice", "RTP", "", false, false, 0},
    {"\r\n\r\n", "(no SIP)", "", false, false, 0},
    {"", "(no SIP)", "", false, false, 0},
    {"GET / HTTP/1.1\r\n\r\n", "(no SIP)", "", false, false, 0},
};

static void test_labels(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct dt_label l;
        struct dt_str message = kit_guarded_padded(0, dt_str_z(table[i].message));
        dt_label_of(&l, message);
        kit_assert_str(dt_str_z(l.text), table[i].text);
        kit_assert_str(dt_str_z(l.method), table[i].method);
        assert_int_equal(l.sip, table[i].sip);
        assert_int_equal(l.request, table[i].request);
        assert_int_equal(l.status, table[i].status);
    }
}

static void test_truncations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t n = 0; n < strlen(table[i].message); n++) {
            struct dt_label l;
            dt_label_of(&l, kit_guarded_padded(0, (struct dt_str){table[i].message, n}));
            assert_true(strlen(l.text) < sizeof l.text && l.text[0]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_truncations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
