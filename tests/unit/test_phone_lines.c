/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines and registrations, readiness, quitting, and memory that runs out. */
#include "phone_fake.h"

#include <stdio.h>

/* ---- who registers where, and as whom ---- */

static void test_registrations(void **state)
{
    static const struct {
        const char *config, *want;
    } cases[] = {
        {"line1_name: 1001\nproxy1_address: 127.0.0.1\n", ""},
        {"line1_name: 1001\nproxy1_address: 127.0.0.1\nproxy_register: 1\n",
         "> register 1 sip:1001@127.0.0.1 at 127.0.0.1:5060 as / expires 3600 delta 5 user=\n"},
        {"line1_name: 1001\nproxy1_address: 127.0.0.1\nproxy_register: 1\nproxy_backup: "
         "127.0.0.2\n",
         "> register 1 sip:1001@127.0.0.1 at 127.0.0.1:5060 as / expires 3600 delta 5 user=\n"},
        {"line1_name: 1001\nproxy1_address: 127.0.0.1\nproxy_register_backup: 1\nproxy_backup: "
         "127.0.0.2\n",
         "> register 1 sip:1001@127.0.0.1 at 127.0.0.2:5060 as / expires 3600 delta 5 user=\n"},
        {"line1_name: 1001\nproxy1_address: 127.0.0.1\nproxy_register: 1\nproxy_register_backup: "
         "1\nproxy_backup: 127.0.0.2\nproxy_backup_port: 5070\nline_domain: example.com\n"
         "line1_password: secret\ntimer_register_expires: 60\ntimer_register_delta: 9\n"
         "user_info: phone\n",
         "> register 1 sip:1001@example.com at 127.0.0.1:5060 as 1001/secret expires 60 delta 9 "
         "user=phone\n"
         "> register 2 sip:1001@example.com at 127.0.0.2:5070 as 1001/secret expires 60 delta 9 "
         "user=phone\n"},
        {"line1_name: 1001\nline1_authname: a1\nline1_password: p1\nline2_name: UNPROVISIONED\n"
         "line3_name: 1003\nline3_authname: UNPROVISIONED\nline4_name: 1004\nline4_authname: a4\n"
         "line4_password: p4\nproxy1_address: h1\nproxy4_address: h4\nproxy4_port: 5064\n"
         "proxy_register: 1\nuser_info: ip\n",
         "> register 1 sip:1001@h1 at h1:0 as a1/p1 expires 3600 delta 5 user=ip\n"
         "> register 2 sip:1003@h1 at h1:0 as a1/p1 expires 3600 delta 5 user=ip\n"
         "> register 3 sip:1004@h4 at h4:5064 as a4/p4 expires 3600 delta 5 user=ip\n"},
        {"line1_name: 1001\nproxy1_address: h\nproxy_register: 1\noutbound_proxy: o\n"
         "outbound_proxy_port: 5090\nproxy_backup: b\nproxy_register_backup: 1\n",
         "> register 1 sip:1001@h at o:5090 as / expires 3600 delta 5 user=\n"
         "> register 2 sip:1001@h at b:0 as / expires 3600 delta 5 user=\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char ready[300];
        assert_int_equal(fake_new(cases[i].config, 0), DT_OK);
        fake_take();
        fake_listens();
        snprintf(ready, sizeof ready, "%s%s", cases[i].want,
                 fake.regs ? "" : "ready: 1001 at 192.0.2.1:5060\n");
        struct dt_str got = fake_take();
        if (fake.regs ? !dt_str_eq(got, dt_str_z(cases[i].want)) : !dt_str_eq(got, dt_str_z(ready)))
            fail_msg("case %zu: \"%.*s\"", i, DT_FMT(got));
        fake_end();
    }
}

static const char both[] = "line1_name: 1001\n"
                           "line1_password: secret\n"
                           "proxy1_address: 127.0.0.1\n"
                           "proxy_register: 1\n"
                           "proxy_backup: 127.0.0.2\n"
                           "proxy_register_backup: 1\n";

static void test_ready_when_registered(void **state)
{
    (void)state;
    fake_start(both);
    ua_registration(2, true, 200, DT_OK);
    expect("registration: registered 1001 at 127.0.0.2:5060\n");
    type("dial 1002");
    expect("problem: The phone is not ready yet; dial again when it is.\n");
    ua_registration(1, true, 200, DT_OK);
    expect("registration: registered 1001 at 127.0.0.1:5060\nready: 1001 at 192.0.2.1:5060\n");
    ua_registration(1, true, 200, DT_OK); /* a refresh is no news */
    expect("");
    ua_registration(1, false, 0, DT_E_TIMEOUT);
    expect("registration: not registered 1001 at 127.0.0.1:5060\n"
           "problem: Line 1 is not registered as 1001 at 127.0.0.1:5060: there was no answer; it "
           "is tried again.\n");
    ua_registration(1, false, 0, DT_E_TIMEOUT);
    expect("");
    type("show");
    expect("reply: screen: 1001\n"
           "reply: line 1: 1001, not registered at 127.0.0.1:5060, registered at 127.0.0.2:5060\n"
           "reply: no calls\n");
    ua_registration(1, true, 200, DT_OK);
    expect("registration: registered 1001 at 127.0.0.1:5060\n");
    fake_end();
}

/* A dead primary is no reason to wait for ever, nor to give up. */
static void test_ready_without_the_primary(void **state)
{
    (void)state;
    fake_start(both);
    ua_registration(1, false, 0, DT_E_REFUSED);
    expect("registration: not registered 1001 at 127.0.0.1:5060\n"
           "problem: Line 1 is not registered as 1001 at 127.0.0.1:5060: nothing listens there; it "
           "is tried again.\n");
    ua_registration(2, false, 503, DT_OK);
    expect(
        "registration: not registered 1001 at 127.0.0.2:5060\n"
        "problem: Line 1 is not registered as 1001 at 127.0.0.2:5060: the answer was 503 Service "
        "Unavailable; it is tried again.\n"
        "ready: 1001 at 192.0.2.1:5060\n");
    fake_end();
}

static void test_wrong_password(void **state)
{
    (void)state;
    fake_start(both);
    ua_registration(1, false, 403, DT_E_AUTH);
    expect("registration: not registered 1001 at 127.0.0.1:5060\n"
           "problem: Line 1 is not registered as 1001 at 127.0.0.1:5060: the answer was 403 "
           "Forbidden; check line1_authname and line1_password.\n");
    ua_registration(2, false, 401, DT_E_AUTH);
    expect("registration: not registered 1001 at 127.0.0.2:5060\n"
           "problem: Line 1 is not registered as 1001 at 127.0.0.2:5060: the answer was 401 "
           "Unauthorized; check line1_authname and line1_password.\n"
           "quit: 1\n");
    type("show"); /* nothing more is done */
    expect("");
    fake_end();

    fake_start(both); /* one that is good is enough */
    ua_registration(1, false, 403, DT_E_AUTH);
    fake_take();
    ua_registration(2, true, 200, DT_OK);
    expect("registration: registered 1001 at 127.0.0.2:5060\nready: 1001 at 192.0.2.1:5060\n");
    ua_registration(2, false, 403, DT_E_AUTH); /* refused later: it goes on */
    struct dt_str got = fake_take();
    assert_int_equal(dt_str_search(got, DT_STR("quit")), got.n);
    fake_end();
}

static void test_registration_without_memory(void **state)
{
    (void)state;
    assert_int_equal(fake_new(both, 0), DT_OK);
    fake_take();
    fake.fails = DT_E_NOMEM;
    fake_listens();
    struct dt_str got = fake_take();
    assert_true(
        dt_str_ends(got, DT_STR("problem: Line 1 cannot be registered: out of memory; it is tried "
                                "again.\n")));
    ua_registration(2, true, 200, DT_OK);
    expect("registration: registered 1001 at 127.0.0.2:5060\nready: 1001 at 192.0.2.1:5060\n");
    fake_wait(30 * DT_SECOND - 1);
    expect("");
    fake_wait(1); /* what failed is tried again, the other one is not touched */
    expect("> register 3 sip:1001@127.0.0.1 at 127.0.0.1:5060 as 1001/secret expires 3600 delta 5 "
           "user=\n");
    fake_wait(100 * DT_SECOND);
    expect("");
    fake_end();
}

/* ---- sockets ---- */

static void test_tcp_too(void **state)
{
    (void)state;
    assert_int_equal(fake_new("line1_name: 1\nsip_tcp: 1\nvoip_control_port: 5070\n", 0), DT_OK);
    assert_true(fake.ua.cfg.tcp);
    fake_take();
    struct dt_input in = {.kind = DT_IN_LISTENING, .local = fake.ua.cfg.local};
    fake_input(&in);
    expect("");
    in.local.transport = DT_TCP;
    fake_input(&in);
    expect("ready: 1 at 192.0.2.1:5070\n");
    fake_end();
}

static void test_port_in_use(void **state)
{
    (void)state;
    assert_int_equal(fake_new(both, 0), DT_OK);
    fake_take();
    struct dt_input in = {
        .kind = DT_IN_SOCKET_ERROR, .local = fake.ua.cfg.local, .err = DT_E_INUSE};
    fake_input(&in);
    expect("problem: The phone cannot listen on 192.0.2.1:5060 (UDP): address in use; choose "
           "another address or port with --listen.\n"
           "quit: 1\n");
    fake_end();
}

/* An ICMP error to a datagram of ours is ua's business. */
static void test_error_of_a_peer(void **state)
{
    (void)state;
    fake_start("line1_name: 1\n");
    struct dt_input in = {.kind = DT_IN_SOCKET_ERROR,
                          .local = fake.ua.cfg.local,
                          .remote = fake.ua.cfg.local,
                          .err = DT_E_REFUSED};
    fake_input(&in);
    expect("");
    fake_end();
}

static void test_configuration_reaches_ua(void **state)
{
    (void)state;
    fake_start("line1_name: 1\ntimer_t1: 50\ntimer_t2: 800\nsip_invite_retx: 3\nsip_retx: 7\n"
               "timer_invite_expires: 20\nrfc_2543_hold: 1\n");
    assert_int_equal(fake.ua.cfg.stack.t1, 50 * DT_MS);
    assert_int_equal(fake.ua.cfg.stack.t2, 800 * DT_MS);
    assert_int_equal(fake.ua.cfg.invite_repeats, 3);
    assert_int_equal(fake.ua.cfg.other_repeats, 7);
    assert_int_equal(fake.ua.cfg.invite_expires, 20 * DT_SECOND);
    assert_int_equal(fake.ua.cfg.hold, DT_HOLD_RFC2543);
    fake_end();
}

/* ---- quit ---- */

static void test_quit(void **state)
{
    (void)state;
    fake_start("line1_name: 1001\n");
    type("quit");
    expect("reply: Quitting when calls and registrations have ended.\nquit: 0\n");
    fake_end();
}

/* Whatever allocation fails: that it has quit is told, at once or half a second later. */
static void test_quit_without_memory(void **state)
{
    bool failed = true;
    (void)state;
    for (size_t n = 1; failed; n++) {
        fake_start("line1_name: 1001\n");
        fake.k.fail_at = fake.k.calls + n;
        type("quit");
        fake_wait(500 * DT_MS);
        failed = fake.k.calls >= fake.k.fail_at;
        fake.k.fail_at = 0;
        struct dt_str got = fake_take();
        assert_true(dt_str_ends(got, DT_STR("quit: 0\n")));
        fake_end();
    }
}

static void test_quit_ends_all(void **state)
{
    (void)state;
    fake_start(both);
    ua_registration(1, true, 200, DT_OK);
    ua_registration(2, true, 200, DT_OK);
    type("dial 1002");
    ua_state(1, DT_CALL_TALKING, NULL);
    ua_incoming("sip:1003@h", "", "1001");
    fake_take();
    type("quit");
    expect("> hangup 1\n"
           "> reject 2 486\n"
           "> unregister 1\n"
           "> unregister 2\n"
           "call 1: ending 1002\n"
           "call 2: ending 1003\n"
           "reply: Quitting when calls and registrations have ended.\n"
           "screen: 1001\n");
    ua_state(1, DT_CALL_ENDED, &(struct dt_call_end){0});
    ua_registration(1, false, 200, DT_OK);
    ua_state(2, DT_CALL_ENDED, &(struct dt_call_end){.status = 486});
    expect("call 1: ended 1002\n"
           "registration: not registered 1001 at 127.0.0.1:5060\n"
           "call 2: ended 1003\n");
    ua_registration(2, false, 200, DT_OK);
    expect("registration: not registered 1001 at 127.0.0.2:5060\nquit: 0\n");
    fake_end();
}

static void test_quit_waits_two_seconds(void **state)
{
    (void)state;
    fake_start(both);
    ua_registration(1, true, 200, DT_OK);
    ua_registration(2, true, 200, DT_OK);
    type("quit");
    fake_take();
    fake_wait(2 * DT_SECOND - 1);
    expect("");
    fake_wait(1);
    expect("quit: 0\n");
    fake_end();

    fake_start(both);
    ua_registration(1, true, 200, DT_OK);
    ua_registration(2, true, 200, DT_OK);
    type("quit");
    fake_take();
    type("quit");
    expect("reply: Quitting at once.\nquit: 0\n");
    fake_end();
}

static void test_quit_when_idle(void **state)
{
    (void)state;
    fake_start("line1_name: 1001\nproxy1_address: h\n");
    type("dial 1002");
    ua_state(1, DT_CALL_TALKING, NULL);
    type("dial 1003"); /* follows the hold: it is not forgotten */
    fake_take();
    type("quit idle");
    expect("reply: Quitting when the calls have ended.\n");
    ua_state(1, DT_CALL_ENDED, &(struct dt_call_end){.by_peer = true});
    struct dt_str got = fake_take();
    assert_true(dt_str_search(got, DT_STR("> call 2 ")) < got.n);
    assert_int_equal(dt_str_search(got, DT_STR("quit")), got.n);
    ua_state(2, DT_CALL_ENDED, &(struct dt_call_end){.by_peer = true});
    expect("call 2: ended 1003\nscreen: 1001\nquit: 0\n");
    fake_end();
}

/* ---- memory ---- */

static void play(void)
{
    fake_listens();
    ua_registration(1, true, 200, DT_OK);
    ua_registration(2, true, 200, DT_OK);
    type("dial 1002");
    if (dt_phone_objects(fake.phone)) {
        ua_media(1, true, "192.0.2.2:20000", "PCMU", DT_SENDRECV);
        ua_state(1, DT_CALL_TALKING, NULL);
    }
    ua_incoming("sip:1003@h", "", "1001");
    type("answer 2");
    type("show");
    type("quit");
    type("quit");
}

static void test_without_memory(void **state)
{
    bool whole = false;
    (void)state;
    for (size_t n = 1; !whole; n++) {
        if (!fake_new(both, n))
            play();
        whole = fake.k.calls < n;
        fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registrations),
        cmocka_unit_test(test_ready_when_registered),
        cmocka_unit_test(test_ready_without_the_primary),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_registration_without_memory),
        cmocka_unit_test(test_tcp_too),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_error_of_a_peer),
        cmocka_unit_test(test_configuration_reaches_ua),
        cmocka_unit_test(test_quit),
        cmocka_unit_test(test_quit_ends_all),
        cmocka_unit_test(test_quit_without_memory),
        cmocka_unit_test(test_quit_waits_two_seconds),
        cmocka_unit_test(test_quit_when_idle),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
