/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands, screen, rules for calls that come in, RTP ports and orders to the media engine. */
#include "phone_fake.h"

#include <stdio.h>

static const char plain[] = "line1_name: 1001\n"
                            "proxy1_address: 127.0.0.1\n"
                            "proxy_backup: 127.0.0.2\n";

/* ---- a call out ---- */

static void test_call_out(void **state)
{
    (void)state;
    assert_int_equal(fake_new(plain, 0), DT_OK);
    expect("listen 192.0.2.1:5060\nscreen: 1001\n");
    fake_listens();
    expect("ready: 1001 at 192.0.2.1:5060\n");
    type("dial 1002");
    expect("> call 1 sip:1002@127.0.0.1;user=phone as 1001 by 127.0.0.1:5060 or 127.0.0.2:5060 "
           "192.0.2.1:16384 PCMU/0 PCMA/8\n"
           "call 1: calling 1002\n"
           "reply: Calling 1002 at 127.0.0.1:5060 as call 1.\n"
           "screen: Calling 1002\n");
    ua_state(1, DT_CALL_RINGING, NULL);
    expect("call 1: ringing 1002\nscreen: Ringing 1002\n");
    ua_media(1, true, "192.0.2.2:20000", "PCMU", DT_SENDRECV);
    expect("media: start 1 192.0.2.1:16384 192.0.2.2:20000 PCMU/0 sendrecv\n");
    ua_state(1, DT_CALL_TALKING, NULL);
    expect("call 1: talking 1002\nscreen: Connected 1002\n");
    type("hangup");
    expect("> hangup 1\n" /* what ua is asked stands before what is said */
           "media: stop 1\n"
           "call 1: ending 1002\n"
           "reply: Hanging up call 1 with 1002.\n"
           "screen: 1001\n");
    ua_state(1, DT_CALL_ENDING, NULL);
    expect("");
    ua_media(1, true, "192.0.2.2:20000", "PCMU", DT_SENDRECV); /* too late: I14 */
    expect("");
    ua_state(1, DT_CALL_ENDED, &(struct dt_call_end){0});
    expect("call 1: ended 1002\n");
    assert_int_equal(dt_phone_objects(fake.phone), 0);
    fake_end();
}

static void test_peer_hangs_up(void **state)
{
    (void)state;
    fake_start(plain);
    type("call sip:bob@192.0.2.9:5070");
    ua_state(1, DT_CALL_TALKING, NULL);
    ua_media(1, true, "192.0.2.9:20000", "PCMA", DT_SENDRECV);
    fake_take();
    ua_state(1, DT_CALL_ENDING, NULL);
    expect("media: stop 1\ncall 1: ending bob\nscreen: 1001\n");
    ua_state(1, DT_CALL_ENDED, &(struct dt_call_end){.by_peer = true});
    expect("call 1: ended bob\n");
    fake_end();
}

/* R28, "screen": the words of B-58 while the backup is tried, gone with its first answer. */
static void test_backup(void **state)
{
    (void)state;
    fake_start(plain);
    type("dial 1002");
    fake_take();
    ua_backup(1, true);
    expect("screen: Network Delay, Trying Backup\n");
    ua_backup(1, false);
    expect("screen: Calling 1002\n");
    ua_state(1, DT_CALL_RINGING, NULL);
    expect("call 1: ringing 1002\nscreen: Ringing 1002\n");
    ua_state(1, DT_CALL_ENDED, &(struct dt_call_end){.status = 404});
    expect("call 1: ended 1002\n"
           "problem: Calling 1002 at 127.0.0.1:5060, then at the backup 127.0.0.2:5060 failed: the "
           "answer was 404 Not Found; check the number and dial again.\n"
           "screen: Not Found\n");
    fake_wait(5 * DT_SECOND - 1);
    expect("");
    fake_wait(1);
    expect("screen: 1001\n");
    assert_int_equal(dt_phone_node.deadline(fake.phone), DT_TIME_NEVER);
    fake_end();
}

static void no_backup(void)
{
    fake.ua.ops->backup(fake.ua.user, fake.now, 1, false);
}

static void backup_and_then_not(void)
{
    fake.ua.ops->backup(fake.ua.user, fake.now, 1, true);
    fake.then = no_backup; /* by the next message */
}

/* Shown also when the answer that takes them off came together with what put them on. */
static void test_messages_at_once(void **state)
{
    const struct dt_input both[] = {{.kind = DT_IN_DATAGRAM}, {.kind = DT_IN_DATAGRAM}};

    (void)state;
    fake_start(plain);
    type("dial 1002");
    fake_take();
    fake.then = backup_and_then_not;
    dt_phone_node.input(fake.phone, fake.now, both, 2);
    fake_drain();
    expect("screen: Network Delay, Trying Backup\nscreen: Calling 1002\n");
    fake_end();
}

/* What the user is told: compliance.md 3. */
static void test_words_of_failures(void **state)
{
    static const struct {
        int status, err;
        uint32_t retry_after;
        const char *screen, *sentence;
    } cases[] = {
        {302, 0, 0, "Moved", "the answer was 302 Moved Temporarily; dial the new number."},
        {403, 0, 0, "Forbidden",
         "the answer was 403 Forbidden; ask whoever runs the proxy whether you may call this "
         "number."},
        {404, 0, 0, "Not Found", "the answer was 404 Not Found; check the number and dial again."},
        {407, 0, 0, "Wrong Password",
         "the answer was 407 Proxy Authentication Required; check line1_authname and "
         "line1_password."},
        {408, 0, 0, "No Answer", "the answer was 408 Request Timeout; dial again later."},
        {480, 0, 30, "Unavailable",
         "the answer was 480 Temporarily Unavailable; dial again in 30 seconds."},
        {486, 0, 0, "Busy", "the answer was 486 Busy Here; dial again later."},
        {500, 0, 0, "Call Failed", "the answer was 500 Server Internal Error; dial again later."},
        {503, 0, 5, "Call Failed",
         "the answer was 503 Service Unavailable; dial again in 5 seconds."},
        {600, 0, 0, "Busy", "the answer was 600 Busy Everywhere; dial again later."},
        {603, 0, 0, "Declined",
         "the answer was 603 Decline; the other side does not want the "
         "call."},
        {0, DT_E_TIMEOUT, 0, "No Answer",
         "there was no answer; check that it runs and dial again."},
        {0, DT_E_REFUSED, 0, "Not Reachable", "nothing listens there; check its address and port."},
        {0, DT_E_ABSENT, 0, "Not Found",
         "DNS does not know the name; check the name and dial again."},
        {0, DT_E_NOMEM, 0, "Call Failed", "out of memory; dial again."},
    };
    char want[400];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_start(plain);
        type("dial 1002");
        fake_take();
        ua_state(1, DT_CALL_ENDED,
                 &(struct dt_call_end){.status = cases[i].status,
                                       .err = cases[i].err,
                                       .retry_after = cases[i].retry_after});
        snprintf(want, sizeof want,
                 "call 1: ended 1002\nproblem: Calling 1002 at 127.0.0.1:5060 failed: %s\nscreen: "
                 "%s\n",
                 cases[i].sentence, cases[i].screen);
        expect(want);
        fake_end();
    }
}

/* Every status has words; what the user ended himself has none. */
static void test_all_statuses(void **state)
{
    (void)state;
    fake_start(plain);
    for (int status = 300; status <= 699; status++) {
        type("dial 1002");
        fake_take();
        ua_state(fake.calls, DT_CALL_ENDED, &(struct dt_call_end){.status = status});
        struct dt_str got = fake_take();
        bool told = dt_str_search(got, DT_STR("problem: ")) < got.n;
        assert_int_equal(told, status != 487);
    }
    type("dial 1002");
    type("hangup");
    fake_take();
    ua_state(fake.calls, DT_CALL_ENDED, &(struct dt_call_end){.err = DT_E_TIMEOUT});
    expect("call 1: ended 1002\n");
    fake_end();
}

/* ---- a call in ---- */

static void test_call_in(void **state)
{
    (void)state;
    fake_start("line1_name: 1001\npreferred_codec: g711alaw\n");
    assert_int_equal(ua_incoming("sip:1002@h", "Bob \x1b[2J", "1001"), 1);
    expect("> ring 1\n"
           "call 1: ringing 1002\n"
           "screen: Bob ?[2J (1002) is calling\n");
    type("answer");
    expect("> answer 1 192.0.2.1:16384 PCMA/8 PCMU/0\n"
           "call 1: answering 1002\n"
           "reply: Answering call 1 from Bob ?[2J (1002).\n"
           "screen: Connecting Bob ?[2J (1002)\n");
    ua_state(1, DT_CALL_TALKING, NULL);
    expect("call 1: talking 1002\nscreen: Connected Bob ?[2J (1002)\n");
    ua_state(1, DT_CALL_ENDED, &(struct dt_call_end){.by_peer = true});
    expect("call 1: ended 1002\nscreen: 1001\n");
    ua_incoming("sip:1002@h", "", "1001");
    fake_take();
    type("reject");
    expect("> reject 2 486\n"
           "call 1: ending 1002\n"
           "reply: Call 1 from 1002 is told that this phone is busy.\n"
           "screen: 1001\n");
    ua_state(2, DT_CALL_ENDED, &(struct dt_call_end){.status = 486});
    expect("call 1: ended 1002\n");
    ua_incoming("sip:1002@h", "", "1001");
    ua_state(3, DT_CALL_ENDED, &(struct dt_call_end){.status = 487, .by_peer = true});
    expect("> ring 3\ncall 1: ringing 1002\nscreen: 1002 is calling\n"
           "call 1: ended 1002\nscreen: 1001\n");
    fake_end();
}

/* guide: behaviour.md 5, 8, 9 */
static void test_who_may_ring(void **state)
{
    static const struct {
        const char *config, *from, *to_user;
        const char *before[2]; /* commands */
        int talking;           /* so many of the calls dialled before are up */
        int status;            /* 0: it rings */
    } cases[] = {
        {"", "sip:1002@h", "1001", {0}, 0, 0},
        {"", "sip:1002@h", "%31001", {0}, 0, 0},
        {"", "sip:1002@h", "", {0}, 0, 0},
        {"", "sip:1002@h", "1003", {0}, 0, 404},
        {"", "sip:1002@h", "10010", {0}, 0, 404},
        {"line3_name: 1003", "sip:1002@h", "1003", {0}, 0, 0},
        {"dnd_control: 1", "sip:1002@h", "1001", {0}, 0, 486},
        {"dnd_control: 2", "sip:1002@h", "1001", {0}, 0, 0},
        {"dnd_control: 3", "sip:1002@h", "1001", {0}, 0, 486},
        {"anonymous_call_block: 1", "sip:anonymous@anonymous.invalid", "1001", {0}, 0, 486},
        {"anonymous_call_block: 1", "sip:1002@h", "1001", {0}, 0, 0},
        {"anonymous_call_block: 2", "sip:anonymous@anonymous.invalid", "1001", {0}, 0, 0},
        {"", "sip:1002@h", "1001", {"dial 1003"}, 1, 0}, /* call waiting */
        {"", "sip:1002@h", "1001", {"dial 1003"}, 0, 0},
        {"call_waiting: 0", "sip:1002@h", "1001", {"dial 1003"}, 1, 486},
        {"call_waiting: 2", "sip:1002@h", "1001", {"dial 1003"}, 0, 486},
        {"call_waiting: 3", "sip:1002@h", "1001", {"dial 1003"}, 1, 0},
        {"call_waiting: 0", "sip:1002@h", "1001", {"dial 1003", "hangup"}, 0, 0},
        {"", "sip:1002@h", "1001", {"quit"}, 0, 480},
    };
    char config[300];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(config, sizeof config, "%s%s\n", plain, cases[i].config);
        fake_start(config);
        for (size_t k = 0; k < 2 && cases[i].before[k]; k++)
            type(cases[i].before[k]);
        if (cases[i].talking)
            ua_state(1, DT_CALL_TALKING, NULL);
        fake_take();
        unsigned id = (unsigned)ua_incoming(cases[i].from, "", cases[i].to_user);
        char want[60];
        if (cases[i].status)
            snprintf(want, sizeof want, "> reject %u %d\n", id, cases[i].status);
        else
            snprintf(want, sizeof want, "> ring %u\n", id);
        struct dt_str got = fake_take();
        if (dt_str_search(got, dt_str_z(want)) == got.n)
            fail_msg("case %zu: \"%.*s\" lacks %s", i, DT_FMT(got), want);
        fake_end();
    }
}

static void test_two_calls_a_line(void **state)
{
    (void)state;
    fake_start("line1_name: 1001\nline2_name: 1002\n");
    ua_incoming("sip:a@h", "", "1001");
    ua_incoming("sip:b@h", "", "1001");
    fake_take();
    ua_incoming("sip:c@h", "", "1001");
    expect("> reject 3 486\n");
    ua_incoming("sip:c@h", "", "1002");
    expect("> ring 4\ncall 3: ringing c\nscreen: c is calling\n");
    type("reject 2");
    ua_state(2, DT_CALL_ENDED, &(struct dt_call_end){.status = 486});
    fake_take();
    ua_incoming("sip:d@h", "", "1001"); /* the lowest number that is free */
    expect("> ring 5\ncall 2: ringing d\n");
    fake_end();
}

/* ---- hold goes first ---- */

static void hold_is_done(dt_call_id call, bool hold)
{
    fake.views[call].local_hold = hold;
    ua_media(call, true, "192.0.2.2:20000", "PCMU", hold ? DT_SEND : DT_SENDRECV);
}

/* guide v4.0 B-13 to B-17, call-flows.md 2.6 */
static void test_call_waiting(void **state)
{
    (void)state;
    fake_start("line1_name: 2\n");
    ua_incoming("sip:1@h", "", "2");
    type("answer");
    ua_state(1, DT_CALL_TALKING, NULL);
    ua_incoming("sip:3@h", "", "2");
    fake_take();
    type("answer 2"); /* steps 7 to 10: call 1 is held before call 2 is answered */
    expect("> hold 1\nreply: Call 1 goes on hold, then call 2 from 3 is answered.\n");
    type("answer 2");
    expect("problem: Call 1 is just being put on hold; try again in a moment.\n");
    hold_is_done(1, true);
    expect("> answer 2 192.0.2.1:16386 PCMU/0 PCMA/8\n"
           "media: start 1 192.0.2.1:16384 192.0.2.2:20000 PCMU/0 inactive\n"
           "call 1: holding 1\n"
           "call 2: answering 3\n"
           "screen: Connecting 3\n");
    ua_state(2, DT_CALL_TALKING, NULL);
    expect("call 2: talking 3\nscreen: Connected 3\n");
    type("resume 1"); /* steps 12 to 17 */
    expect("> hold 2\nreply: Call 2 goes on hold, then call 1 with 1 is taken back.\n");
    hold_is_done(2, true);
    expect("> resume 1\n"
           "media: start 2 192.0.2.1:16386 192.0.2.2:20000 PCMU/0 inactive\n"
           "call 2: holding 3\n"
           "screen: Holding 3\n");
    hold_is_done(1, false);
    expect("media: start 1 192.0.2.1:16384 192.0.2.2:20000 PCMU/0 sendrecv\n"
           "call 1: talking 1\nscreen: Connected 1\n");
    type("hangup"); /* 18: the talking one; the other stays held */
    ua_state(1, DT_CALL_ENDED, &(struct dt_call_end){0});
    expect("> hangup 1\nmedia: stop 1\ncall 1: ending 1\nreply: Hanging up call 1 with 1.\n"
           "screen: Holding 3\ncall 1: ended 1\n");
    type("resume");
    expect("> resume 2\nreply: Taking call 2 with 3 back.\n");
    fake_end();
}

static void test_consultation(void **state)
{
    (void)state;
    fake_start(plain);
    type("dial 1002");
    ua_state(1, DT_CALL_TALKING, NULL);
    fake_take();
    type("dial 1003");
    expect("> hold 1\nreply: Call 1 goes on hold, then 1003 is called.\n");
    hold_is_done(1, true);
    struct dt_str got = fake_take();
    assert_true(dt_str_search(got, DT_STR("> call 2 sip:1003@127.0.0.1;user=phone")) < got.n);
    type("dial 1004");
    expect("problem: Call 2 with 1003 is on its way; hang it up first.\n");
    ua_state(2, DT_CALL_TALKING, NULL);
    fake_take();
    type("dial 1004");
    expect("problem: Line 1 has two calls already; hang up one of them first.\n");
    fake_end();
}

/* A hold that nobody answers does not block the rest for ever. */
static void test_hold_without_answer(void **state)
{
    (void)state;
    fake_start(plain);
    type("dial 1002");
    ua_state(1, DT_CALL_TALKING, NULL);
    type("dial 1003");
    fake_take();
    fake_wait(5 * DT_SECOND - 1);
    expect("");
    fake_wait(1);
    struct dt_str got = fake_take();
    assert_true(dt_str_search(got, DT_STR("> call 2 ")) < got.n);
    ua_state(2, DT_CALL_ENDED, &(struct dt_call_end){.status = 486});
    type("dial 1003");
    fake_take();
    ua_state(1, DT_CALL_ENDED, &(struct dt_call_end){.by_peer = true}); /* gone: no hold needed */
    got = fake_take();
    assert_true(dt_str_search(got, DT_STR("> call 3 ")) < got.n);
    fake_end();
}

static void test_held_by_the_other_side(void **state)
{
    (void)state;
    fake_start(plain);
    type("dial 1002");
    ua_state(1, DT_CALL_TALKING, NULL);
    fake_take();
    fake.views[1].remote_hold = true;
    ua_media(1, true, "192.0.2.2:20000", "PCMU", DT_INACTIVE);
    expect("media: start 1 192.0.2.1:16384 192.0.2.2:20000 PCMU/0 inactive\n"
           "call 1: held 1002\nscreen: Held by 1002\n");
    fake.views[1].remote_hold = false;
    ua_media(1, true, "192.0.2.2:20000", "PCMU", DT_SENDRECV);
    expect("media: start 1 192.0.2.1:16384 192.0.2.2:20000 PCMU/0 sendrecv\n"
           "call 1: talking 1002\nscreen: Connected 1002\n");
    ua_media(1, false, "192.0.2.2:20000", "PCMU", DT_INACTIVE);
    expect("media: stop 1\n");
    fake_end();
}

/* ---- what is dialled ---- */

static void test_targets(void **state)
{
    static const struct {
        const char *config, *dialled, *want;
    } cases[] = {
        {"proxy1_address: p.example.com", "1002",
         "> call 1 sip:1002@p.example.com;user=phone as 1 by p.example.com:0 "},
        {"proxy1_address: p.example.com\nproxy1_port: 5070", "bob",
         "> call 1 sip:bob@p.example.com as 1 by p.example.com:5070 "},
        {"proxy1_address: 127.0.0.1\nline_domain: example.com", "+1-555.0002",
         "> call 1 sip:+1-555.0002@example.com;user=phone as 1 by 127.0.0.1:5060 "},
        {"proxy1_address: 127.0.0.1", "*69#",
         "> call 1 sip:*69%23@127.0.0.1;user=phone as 1 by 127.0.0.1:5060 "},
        {"proxy1_address: 127.0.0.1", "bob@example.org",
         "> call 1 sip:bob@example.org as 1 by 127.0.0.1:5060 "},
        {"proxy1_address: 127.0.0.1", "SIP:bob@example.org;transport=tcp",
         "> call 1 SIP:bob@example.org;transport=tcp as 1 by 127.0.0.1:5060 "},
        {"proxy1_address: 127.0.0.1", "tel:+15550002",
         "> call 1 tel:+15550002 as 1 by 127.0.0.1:5060 "},
        {"proxy1_address: 2001:db8::1", "1002",
         "> call 1 sip:1002@[2001:db8::1];user=phone as 1 by 2001:db8::1:5060 "},
        {"proxy1_address: [2001:db8::1]:5070", "1002",
         "> call 1 sip:1002@[2001:db8::1];user=phone as 1 by 2001:db8::1:5070 "},
        {"proxy1_address: 192.0.2.7:5070", "1002",
         "> call 1 sip:1002@192.0.2.7;user=phone as 1 by 192.0.2.7:5070 "},
        {"proxy1_address: h.example.com\noutbound_proxy: o.example.com", "1002",
         "> call 1 sip:1002@h.example.com;user=phone as 1 by o.example.com:5060 "},
        {"proxy1_address: h\nproxy_backup: b\nproxy_failover: fast\ncallerid_blocking: 1", "1002",
         "> call 1 sip:1002@h;user=phone as 1 by h:0 or b:0 fast anonymous "},
        {"", "sip:1002@192.0.2.9:5062", "> call 1 sip:1002@192.0.2.9:5062 as 1 192.0.2.1:"},
        {"proxy_backup: b", "sip:1002@192.0.2.9", "> call 1 sip:1002@192.0.2.9 as 1 192.0.2.1:"},
        {"line_domain: example.com", "1002",
         "> call 1 sip:1002@example.com;user=phone as 1 192.0.2.1:"},
        {"", "1002",
         "problem: No proxy is configured, so 1002 cannot be found; dial sip:1002@ADDRESS."},
        {"proxy1_address: h", "sip:@",
         "problem: sip:@ is not a number or a SIP address; dial digits, or sip:NAME@HOST."},
        {"line2_name: 2\nproxy1_address: h\nproxy1_port: 5080", "1002 line 2",
         "> call 1 sip:1002@h;user=phone as 2 by h:5080 "},
        {"line2_name: 2\nproxy1_address: h\nproxy2_address: k", "1002 LINE 2",
         "> call 1 sip:1002@k;user=phone as 2 by k:0 "},
    };
    char text[300];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "line1_name: 1\n%s\n", cases[i].config);
        fake_start(text);
        snprintf(text, sizeof text, "dial %s", cases[i].dialled);
        type(text);
        struct dt_str got = fake_take();
        if (!dt_str_starts(got, dt_str_z(cases[i].want)))
            fail_msg("case %zu: \"%.*s\" is not %s", i, DT_FMT(got), cases[i].want);
        fake_end();
    }
}

static void test_commands_that_do_not_fit(void **state)
{
    static const struct {
        const char *line, *want;
    } cases[] = {
        {"", ""},
        {"   ", ""},
        {"frob", "problem: There is no command \"frob\"; help lists the commands.\n"},
        {"dial", "problem: That is not understood; say dial NUMBER|URI [line N].\n"},
        {"dial 1 line", "problem: \"line\" is not understood; say dial NUMBER line N.\n"},
        {"dial 1 lime 2", "problem: \"lime\" is not understood; say dial NUMBER line N.\n"},
        {"dial 1 line 2", "problem: There is no line 2; show lists the lines.\n"},
        {"dial 1 line 7", "problem: There is no line 7; show lists the lines.\n"},
        {"dial 1 line 0", "problem: There is no line 0; show lists the lines.\n"},
        {"dial \"1", "problem: The quote at column 6 is not closed; nothing was done.\n"},
        {"answer", "problem: No call is ringing here.\n"},
        {"accept 3", "problem: There is no call 3; show lists the calls.\n"},
        {"reject x", "problem: There is no call x; show lists the calls.\n"},
        {"hangup", "problem: There is no call to hang up.\n"},
        {"bye 99999999999", "problem: There is no call 99999999999; show lists the calls.\n"},
        {"hold", "problem: There is no call to put on hold.\n"},
        {"resume", "problem: There is no call on hold.\n"},
        {"hold 1 2", "problem: That is not understood; say hold [CALL].\n"},
        {"show me", "problem: That is not understood; say show.\n"},
        {"quit now", "problem: \"now\" is not understood; say quit, or quit idle.\n"},
    };
    (void)state;
    fake_start(plain);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        type(cases[i].line);
        expect(cases[i].want);
    }
    type("dial 1002");
    fake_take();
    type("answer 1");
    expect("problem: No call is ringing here.\n");
    type("hold 1");
    expect("problem: There is no call to put on hold.\n");
    fake_end();
}

static void test_not_ready(void **state)
{
    (void)state;
    assert_int_equal(fake_new(plain, 0), DT_OK);
    fake_take();
    type("dial 1002");
    expect("problem: The phone is not ready yet; dial again when it is.\n");
    fake_end();
}

static void test_show_and_help(void **state)
{
    (void)state;
    fake_start("line1_name: 1001\nline2_name: 5550002\nline2_shortname: \"desk\"\n"
               "phone_label: \"User A\"\nproxy1_address: 127.0.0.1\n");
    type("show");
    expect("reply: User A\n"
           "reply: screen: 1001, desk\n"
           "reply: line 1: 1001, without registration\n"
           "reply: line 2: desk, without registration\n"
           "reply: no calls\n");
    type("dial 1002");
    fake_take();
    type("status");
    expect("reply: User A\n"
           "reply: screen: Calling 1002\n"
           "reply: line 1: 1001, without registration\n"
           "reply: line 2: desk, without registration\n"
           "reply: call 1: Calling 1002\n");
    type("help");
    struct dt_str got = fake_take();
    assert_true(dt_str_starts(got, DT_STR("reply: dial NUMBER|URI [line N]: call somebody\n")));
    type("hangup");
    fake_take();
    type("show");
    got = fake_take();
    assert_true(dt_str_ends(got, DT_STR("reply: call 1: hanging up on 1002\n")));
    fake_end();
}

/* What ua refuses is said, and changes nothing. */
static void test_refusals_of_ua(void **state)
{
    (void)state;
    fake_start(plain);
    fake.fails = DT_E_LIMIT;
    type("dial 1002");
    struct dt_str got = fake_take();
    assert_true(dt_str_ends(got, DT_STR("problem: 1002 cannot be called: a configured limit was "
                                        "reached; try again in a moment.\n")));
    assert_int_equal(dt_phone_objects(fake.phone), 0);
    type("dial 1002");
    ua_state(2, DT_CALL_TALKING, NULL);
    fake_take();
    fake.fails = DT_E_STATE;
    type("hold");
    expect("> hold 2\nproblem: Call 1 with 1002 cannot be put on hold now: not possible in this "
           "state; try again in a moment.\n");
    fake.fails = DT_E_STATE;
    type("dial 1003");
    expect("> hold 2\nproblem: 1003 cannot be called: not possible in this state; try again in a "
           "moment.\n");
    fake_end();
}

/* ---- ports and the media engine ---- */

static void test_ports(void **state)
{
    (void)state;
    fake_start("line1_name: 1\nline2_name: 2\nstart_media_port: 20001\nend_media_port: 20007\n");
    static const char *const lines[] = {"1", "1", "2", "2"};
    static const char *const ports[] = {":20002 ", ":20004 ", ":20006 "};
    for (size_t i = 0; i < 3; i++) {
        ua_incoming("sip:x@h", "", lines[i]);
        ua_incoming("sip:y@h", "", "nobody"); /* takes no port */
    }
    for (size_t i = 0; i < 3; i++) {
        char line[20];
        snprintf(line, sizeof line, "answer %zu", i + 1);
        fake_take();
        type(line);
        struct dt_str got = fake_take();
        assert_true(dt_str_search(got, dt_str_z(ports[i])) < got.n);
        ua_state(2 * i + 1, DT_CALL_TALKING, NULL);
        fake.views[2 * i + 1].local_hold = true;
        ua_media(2 * i + 1, true, "192.0.2.2:20000", "PCMU", DT_SEND);
    }
    fake_take();
    ua_incoming("sip:x@h", "", lines[3]); /* all ports are taken */
    expect("> reject 7 486\n");
    ua_state(3, DT_CALL_ENDED, &(struct dt_call_end){0});
    fake_take();
    ua_incoming("sip:x@h", "", lines[3]);
    type("answer");
    struct dt_str got = fake_take();
    assert_true(dt_str_search(got, DT_STR(":20004 ")) < got.n);
    fake_end();
}

/* In turn, so that late packets of the last call do not meet the next one. */
static void test_ports_in_turn(void **state)
{
    (void)state;
    fake_start(
        "line1_name: 1\nproxy1_address: h\nstart_media_port: 20000\nend_media_port: 20005\n");
    static const char *const ports[] = {":20000 ", ":20002 ", ":20004 ", ":20000 "};
    for (size_t i = 0; i < 4; i++) {
        type("dial 2");
        struct dt_str got = fake_take();
        assert_true(dt_str_search(got, dt_str_z(ports[i])) < got.n);
        ua_state(i + 1, DT_CALL_ENDED, &(struct dt_call_end){0});
    }
    fake_end();
}

static void test_engine_reports(void **state)
{
    (void)state;
    fake_start(plain);
    type("dial 1002");
    fake_take();
    engine_says("started 1");
    engine_says("stats 1 Dur=1 Pkt=50 Oct=8000 LatePkt=0 LostPkt=0 AvgJit=0 TxPkt=50 TxOct=8000");
    engine_says("failed 2 no such call");
    engine_says("failed");
    engine_says("failed x y");
    engine_says("");
    expect("");
    engine_says("failed 1 port 16384 is in use");
    expect("problem: There is no sound in the call with 1002: port 16384 is in use; hang up and "
           "dial again.\n");
    engine_says("failed 1");
    expect("problem: There is no sound in the call with 1002: the media engine failed; hang up and "
           "dial again.\n");
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_out),
        cmocka_unit_test(test_peer_hangs_up),
        cmocka_unit_test(test_backup),
        cmocka_unit_test(test_messages_at_once),
        cmocka_unit_test(test_words_of_failures),
        cmocka_unit_test(test_all_statuses),
        cmocka_unit_test(test_call_in),
        cmocka_unit_test(test_who_may_ring),
        cmocka_unit_test(test_two_calls_a_line),
        cmocka_unit_test(test_call_waiting),
        cmocka_unit_test(test_consultation),
        cmocka_unit_test(test_hold_without_answer),
        cmocka_unit_test(test_held_by_the_other_side),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_commands_that_do_not_fit),
        cmocka_unit_test(test_not_ready),
        cmocka_unit_test(test_show_and_help),
        cmocka_unit_test(test_refusals_of_ua),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_ports_in_turn),
        cmocka_unit_test(test_engine_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
