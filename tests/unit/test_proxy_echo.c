/* SPDX-License-Identifier: BSD-2-Clause
 *
 * R3: each field that the MAC covers matters, nothing else does. */
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "proxy/echo.h"

static const uint64_t key[2] = {1, 2};
static const struct dt_keyring ring = {{{1, 2}}, 1}, other = {{{1, 3}}, 1},
                               both = {{{1, 3}, {1, 2}}, 2};

#define OURS "SIP/2.0/UDP p.example:5060;branch=z9hG4bKours;rport"

static struct dt_via via_of(const char *text)
{
    struct dt_via v;
    assert_int_equal(dt_sip_via(&v, dt_str_z(text)), DT_OK);
    return v;
}

/* As it is sent for a request whose Via is `below`, from 192.0.2.11:6000. */
static void make(char out[256], bool forked, const char *below)
{
    struct dt_via v = via_of(below);
    struct dt_addr source;
    struct dt_echo e;
    assert_int_equal(dt_addr_parse(&source, DT_STR("192.0.2.11:6000")), DT_OK);
    dt__echo_make(&e, key, forked, DT_STR("z9hG4bKours"), &v, &source);
    snprintf(out, 256, OURS ";dv=%.*s", DT_ECHO_N, e.text);
}

static bool check(const struct dt_keyring *keys, const char *ours, const char *below)
{
    struct dt_via o = via_of(ours), b = via_of(below);
    struct dt_addr to;
    bool forked;
    return dt__echo_check(keys, &o, &b, &forked, &to);
}

static const char sent[] = "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;rport";

static void what_matters(void **state)
{
    static const struct {
        const char *below;
        bool good;
    } rows[] = {
        {"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.11;rport=6000", true},
        {"SIP / 2.0 / UDP 10.0.0.1:5070; rport=6000 ;received=192.0.2.11;branch=z9hG4bKa", true},
        {"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.12;rport=6000", false},
        {"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.11;rport=6001", false},
        {"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.11", false},
        {"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;rport=6000", false},
        {"SIP/2.0/UDP 10.0.0.1:5071;branch=z9hG4bKa;received=192.0.2.11;rport=6000", false},
        {"SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKa;received=192.0.2.11;rport=6000", false},
        {"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKb;received=192.0.2.11;rport=6000", false},
        {"SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.11;rport=6000", false},
        {"SIP/2.0/SCTP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.11;rport=6000", false},
    };
    char ours[256];
    (void)state;
    make(ours, false, sent);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(check(&ring, ours, rows[i].below), rows[i].good);
    assert_false(check(&other, ours, rows[0].below));
    assert_true(check(&both, ours, rows[0].below)); /* R15 */
}

static void every_byte_of_it(void **state)
{
    static const char back[] = "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.11;"
                               "rport=6000";
    char ours[256], text[512];
    (void)state;
    for (int forked = 0; forked < 2; forked++) {
        make(ours, forked, sent);
        assert_true(check(&ring, ours, back));
        size_t n = strlen(ours), from = n - DT_ECHO_N;
        for (size_t i = from; i < n; i++) {
            for (const char *c = "0123456789abcdefnN.F"; *c; c++) {
                memcpy(text, ours, n + 1);
                text[i] = *c;
                assert_int_equal(check(&ring, text, back), *c == ours[i]);
            }
            snprintf(text, sizeof text, "%.*s", (int)i + (i == from), ours); /* cut off there */
            assert_false(check(&ring, text, back));
        }
        snprintf(text, sizeof text, "%s0", ours);
        assert_false(check(&ring, text, back));
        memcpy(text, ours, n + 1);
        text[strlen("SIP/2.0/UDP p.example:5060;branch=z9hG4bK")] ^= 1; /* another branch */
        assert_false(check(&ring, text, back));
    }
}

/* Without rport the response goes to the port of sent-by (18.2.2). */
static void without_rport(void **state)
{
    char ours[256];
    (void)state;
    make(ours, true, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa");
    assert_true(check(&ring, ours, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=192.0.2.11"));
    make(ours, true, "SIP/2.0/UDP 192.0.2.11:5070;branch=z9hG4bKa");
    assert_true(check(&ring, ours, "SIP/2.0/UDP 192.0.2.11:5070;branch=z9hG4bKa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matters),
        cmocka_unit_test(every_byte_of_it),
        cmocka_unit_test(without_rport),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
