/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Connections: opened on demand, used again, queued for while they open, closed when idle, slow or
 * not understood. */
#include "stack_kit.h"

#include <string.h>

#define VIA "SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bK1"
#define RFC3261 .repeats = UINT32_MAX

static struct dt_hop tcp(const char *remote)
{
    return (struct dt_hop){.remote = kit_addr(remote, DT_TCP)};
}

static void opened(struct kit_stack *k, uint64_t stream, bool accepted, const char *remote)
{
    kit_stack_input(k, &(struct dt_input){.kind = DT_IN_STREAM_OPEN,
                                          .stream = stream,
                                          .accepted = accepted,
                                          .local = kit_addr("192.0.2.1:5060", DT_TCP),
                                          .remote = kit_addr(remote, DT_TCP)});
}

static void closed(struct kit_stack *k, uint64_t stream, int err)
{
    kit_stack_input(k,
                    &(struct dt_input){.kind = DT_IN_STREAM_CLOSED, .stream = stream, .err = err});
}

/* Against an unmapped page: a stream's bytes have no padding. */
static void data(struct kit_stack *k, uint64_t stream, const char *text, size_t n)
{
    kit_stack_input(k, &(struct dt_input){.kind = DT_IN_STREAM_DATA,
                                          .stream = stream,
                                          .data = kit_guarded(0, (struct dt_str){text, n})});
}
static void text(struct kit_stack *k, uint64_t stream, const char *z)
{
    data(k, stream, z, strlen(z));
}

static int request(struct kit_stack *k, const char *method, uint64_t cookie, struct dt_hop to,
                   dt_tx *tx)
{
    return kit_stack_request(k, KIT_MSG(.method = method),
                             (struct dt_request){.cookie = cookie, .to = to, RFC3261}, tx);
}
static const char *answer(const char *method, int status)
{
    return KIT_MSG(.method = method, .status = status, .to_tag = "to");
}

/* ---- clients ---- */

static void test_open_on_demand(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, NULL);
    request(&k, "INVITE", 1, tcp("192.0.2.2:5060"), &tx);
    request(&k, "OPTIONS", 2, tcp("192.0.2.2:5060"), &tx);
    kit_stack_until(&k, 700);
    opened(&k, 2, false, "192.0.2.2:5060");
    request(&k, "INFO", 3, tcp("192.0.2.2:5060"), &tx);
    request(&k, "INFO", 4, tcp("192.0.2.3:5060"), &tx);
    text(&k, 2, answer("INVITE", 486));
    text(&k, 2, answer("OPTIONS", 200));
    kit_stack_until(&k, 100000);
    kit_stack_log(&k, "0 connect 2 to 192.0.2.2:5060\n700 > stream 2 INVITE\n"
                      "700 > stream 2 OPTIONS\n700 > stream 2 INFO\n"
                      "700 connect 4 to 192.0.2.3:5060\n700 response 486 #1\n700 > stream 2 ACK\n"
                      "700 response 200 #2\n700 ended #1\n700 ended #2\n" /* D and K are 0 */
                      "32700 failed #3: no answer in time\n32700 failed #4: no answer in time\n");
    kit_stack_close(&k);
}

/* I4: one send on TCP, and timer B all the same. */
static void test_silence(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, NULL);
    request(&k, "INVITE", 1, tcp("192.0.2.2:5060"), &tx);
    opened(&k, 2, false, "192.0.2.2:5060");
    kit_stack_until(&k, 33000);
    kit_stack_log(&k, "0 connect 2 to 192.0.2.2:5060\n0 > stream 2 INVITE\n"
                      "32000 failed #1: no answer in time\n");
    /* Nobody spoke on it: the next request does not wait for the same dead peer. */
    request(&k, "OPTIONS", 2, tcp("192.0.2.2:5060"), &tx);
    kit_stack_log(&k, "33000 connect 4 to 192.0.2.2:5060\n");
    kit_stack_close(&k);
}

static void test_refused(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, NULL);
    request(&k, "INVITE", 1, tcp("192.0.2.2:5060"), &tx);
    request(&k, "OPTIONS", 2, tcp("192.0.2.2:5060"), &tx);
    request(&k, "OPTIONS", 3, tcp("192.0.2.3:5060"), &tx);
    closed(&k, 2, DT_E_REFUSED);
    closed(&k, 2, DT_E_REFUSED);
    kit_stack_log(&k, "0 connect 2 to 192.0.2.2:5060\n0 connect 4 to 192.0.2.3:5060\n"
                      "0 failed #1: refused by the other side\n"
                      "0 failed #2: refused by the other side\n");
    opened(&k, 2, false, "192.0.2.2:5060"); /* late: it was given up */
    kit_stack_log(&k, "0 close 2\n");
    assert_int_equal(dt_stack_counts(k.s)->streams, 1);
    kit_stack_close(&k);
}

/* The connection breaks: who waits learns it; an INVITE that rings goes on (figure 5), and its
 * CANCEL and ACK open a new one. */
static void test_broken(void **state)
{
    struct kit_stack k;
    dt_tx tx, invite, cancel;
    (void)state;
    kit_stack_open(&k, NULL);
    request(&k, "INVITE", 1, tcp("192.0.2.2:5060"), &invite);
    request(&k, "OPTIONS", 2, tcp("192.0.2.2:5060"), &tx);
    opened(&k, 2, false, "192.0.2.2:5060");
    text(&k, 2, answer("INVITE", 180));
    text(&k, 2, answer("OPTIONS", 100));
    kit_stack_hush(&k);
    closed(&k, 2, DT_E_CLOSED);
    assert_int_equal(dt_stack_cancel(k.s, k.now, invite, 3, &cancel), DT_OK);
    kit_stack_drain(&k);
    opened(&k, 4, false, "192.0.2.2:5060");
    text(&k, 4, answer("CANCEL", 200));
    text(&k, 4, answer("INVITE", 487));
    kit_stack_until(&k, 100);
    kit_stack_log(&k, "0 failed #2: closed by the other side\n0 connect 4 to 192.0.2.2:5060\n"
                      "0 > stream 4 CANCEL\n0 response 200 #3\n0 response 487 #1\n"
                      "0 > stream 4 ACK\n0 ended #3\n0 ended #1\n");
    kit_stack_close(&k);
}

/* ---- servers ---- */

static void test_server(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    opened(&k, 1, true, "192.0.2.2:40000");
    text(&k, 1, KIT_MSG(.method = "INVITE", .via = VIA));
    dt_tx tx = k.tx;
    text(&k, 1, KIT_MSG(.method = "INVITE", .via = VIA));
    dt_stack_answer(k.s, k.now, tx, 486, DT_STR("to"), DT_STR_NONE);
    kit_stack_until(&k, 1000);
    text(&k, 1, KIT_MSG(.method = "ACK", .via = VIA, .to_tag = "to"));
    kit_stack_until(&k, 1001);
    text(&k, 1, KIT_MSG(.method = "OPTIONS", .via = VIA));
    dt_stack_answer(k.s, k.now, k.tx, 200, DT_STR("to"), DT_STR_NONE);
    kit_stack_until(&k, 1002);
    kit_stack_log(&k, "0 request INVITE\n0 > stream 1 486\n1000 ended #0\n1001 request OPTIONS\n"
                      "1001 > stream 1 200\n1001 ended #0\n");
    /* A request of ours to the same remote uses the same connection. */
    assert_int_equal(request(&k, "INFO", 1, tcp("192.0.2.2:40000"), &tx), DT_OK);
    kit_stack_log(&k, "1002 > stream 1 INFO\n");
    kit_stack_close(&k);
}

/* R7: what lingers knows the copy that comes by another stream, for T4 behind the ACK of a refused
 * INVITE, and for 64 T1 else. */
static void test_server_lingers(void **state)
{
    struct kit_stack k;
    const struct dt_stack_config cfg = {.linger = true};
    (void)state;
    kit_stack_open(&k, &cfg);
    opened(&k, 1, true, "192.0.2.2:40000");
    opened(&k, 3, true, "192.0.2.3:40000");
    text(&k, 1, KIT_MSG(.method = "INVITE", .via = VIA));
    dt_stack_answer(k.s, k.now, k.tx, 486, DT_STR("to"), DT_STR_NONE);
    text(&k, 1, KIT_MSG(.method = "ACK", .via = VIA, .to_tag = "to"));
    kit_stack_until(&k, 4999);
    text(&k, 3, KIT_MSG(.method = "INVITE", .via = VIA));
    kit_stack_until(&k, 5001);
    text(&k, 1, KIT_MSG(.method = "OPTIONS", .via = VIA));
    dt_stack_answer(k.s, k.now, k.tx, 200, DT_STR("to"), DT_STR_NONE);
    kit_stack_until(&k, 37000);
    text(&k, 3, KIT_MSG(.method = "OPTIONS", .via = VIA));
    kit_stack_until(&k, 37010);
    kit_stack_log(&k, "0 request INVITE\n0 > stream 1 486\n5000 ended #0\n5001 request OPTIONS\n"
                      "5001 > stream 1 200\n37000 > stream 3 200\n37010 ended #0\n");
    kit_stack_close(&k);
}

/* The connection is gone: by a new one to the source's address and the port of sent-by (18.2.2). */
static void test_server_reconnects(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    opened(&k, 1, true, "192.0.2.2:40000");
    text(&k, 1, KIT_MSG(.method = "INVITE", .via = "SIP/2.0/TCP h:5070;branch=z9hG4bK1;rport"));
    closed(&k, 1, DT_E_CLOSED);
    dt_stack_answer(k.s, k.now, k.tx, 180, DT_STR("to"), DT_STR_NONE);
    dt_stack_answer(k.s, k.now, k.tx, 200, DT_STR("to"), DT_STR_NONE);
    kit_stack_drain(&k);
    opened(&k, 2, false, "192.0.2.2:5070");
    kit_stack_log(&k, "0 request INVITE\n0 connect 2 to 192.0.2.2:5070\n0 > stream 2 180\n"
                      "0 > stream 2 200\n");
    kit_stack_close(&k);
}

/* ---- bytes ---- */

#define THREE 3

/* Three messages and a ping, cut in two at each place, and byte by byte. */
static void test_every_split(void **state)
{
    char all[4096] = "";
    (void)state;
    for (int i = 0; i < THREE; i++) {
        strcat(all, KIT_MSG(.method = "INFO", .cseq = (unsigned)i + 1,
                            .via = i == 0   ? VIA "a"
                                   : i == 1 ? VIA "b"
                                            : VIA "c"));
        if (i == 1)
            strcat(all, "\r\n\r\n");
    }
    size_t n = strlen(all);
    for (size_t cut = 0; cut <= n; cut++) {
        struct kit_stack k;
        kit_stack_open(&k, NULL);
        opened(&k, 1, true, "192.0.2.2:40000");
        data(&k, 1, all, cut);
        data(&k, 1, all + cut, n - cut);
        assert_int_equal(dt_stack_counts(k.s)->in, THREE);
        assert_int_equal(dt_stack_counts(k.s)->transactions, THREE);
        kit_assert_str(dt_bytes_str(k.last), "\r\n");
        kit_stack_close(&k);
    }
    struct kit_stack k;
    kit_stack_open(&k, NULL);
    opened(&k, 1, true, "192.0.2.2:40000");
    for (size_t i = 0; i < n; i++)
        data(&k, 1, all + i, 1);
    kit_stack_log(&k, "0 request INFO\n0 request INFO\n0 > stream 1 crlf\n0 request INFO\n");
    kit_stack_close(&k);
}

/* A message that was kept in parts is the same message. */
static void test_long_message(void **state)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct kit_stack k;
    static char body[5000], msg[8000];
    (void)state;
    memset(body, 'x', sizeof body);
    const char *head = KIT_MSG(.method = "INFO", .via = VIA);
    size_t n = strlen(head) - strlen("Content-Length: 0\r\n\r\n");
    struct dt_writer w = dt_writer(msg, sizeof msg);
    dt_write(&w, (struct dt_str){head, n});
    dt_sip_write_body(&w, DT_STR_NONE, (struct dt_str){body, sizeof body});
    kit_stack_open(&k, NULL);
    opened(&k, 1, true, "192.0.2.2:40000");
    for (size_t at = 0; at < w.n; at += 700)
        data(&k, 1, msg + at, w.n - at < 700 ? w.n - at : 700);
    assert_int_equal(dt_stack_request_of(k.s, k.tx, &m, headers, DT_MSG_HEADERS_MAX), DT_OK);
    assert_true(dt_str_eq(m.text, dt_writer_str(&w)));
    kit_stack_close(&k);
}

/* ---- what cannot be understood ---- */

static const struct {
    const char *text, *log;
} bad[] = {
    {"OPTIONS sip:b SIP/2.0\r\nVia: " VIA "\r\n\r\n",
     "0 dropped: message too large or its end unknown\n0 > stream 1 400\n0 close 1\n"},
    {"OPTIONS sip:b SIP/2.0\r\nVia: " VIA "\r\nContent-Length: 99999999\r\n\r\n",
     "0 dropped: message too large or its end unknown\n0 > stream 1 513\n0 close 1\n"},
    {"OPTIONS sip:b SIP/2.0\r\nContent-Length: x\r\n\r\n",
     "0 dropped: message too large or its end unknown\n0 close 1\n"},
    /* malformed, but framed: the connection lives */
    {"OPTIONS sip:b SIP/2.0\r\nVia: " VIA "\r\nContent-Length: 0\r\n\r\n",
     "0 dropped: Missing Mandatory Header\n0 > stream 1 400\n"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kit_stack k;
        kit_stack_open(&k, NULL);
        opened(&k, 1, true, "192.0.2.2:40000");
        text(&k, 1, bad[i].text);
        kit_stack_log(&k, bad[i].log);
        assert_int_equal(dt_stack_counts(k.s)->malformed, 1);
        kit_stack_close(&k);
    }
}

static void test_endless_head(void **state)
{
    struct kit_stack k;
    char x[1000];
    (void)state;
    memset(x, 'x', sizeof x);
    kit_stack_open(&k, &(struct dt_stack_config){.max_message = 10000});
    opened(&k, 1, true, "192.0.2.2:40000");
    for (int i = 0; i < 9; i++)
        data(&k, 1, x, sizeof x);
    kit_stack_log(&k, "");
    data(&k, 1, x, sizeof x);
    kit_stack_log(&k, "0 dropped: no end of a message in sight\n0 close 1\n");
    kit_stack_close(&k);
}

/* ---- time ---- */

static void test_times(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    opened(&k, 1, true, "192.0.2.2:40000");
    opened(&k, 3, true, "192.0.2.2:40001");
    opened(&k, 5, true, "192.0.2.2:40002");
    kit_stack_until(&k, 60000);
    text(&k, 3, "\r\n\r\n"); /* a keep-alive is traffic */
    text(&k, 5, "OPTI");
    kit_stack_until(&k, 65000);
    text(&k, 5, "ONS"); /* one byte now and then does not help */
    kit_stack_until(&k, 300000);
    kit_stack_log(&k,
                  "60000 > stream 3 crlf\n70000 dropped: message on a stream not whole in time\n"
                  "70000 close 5\n120000 close 1\n180000 close 3\n");
    assert_int_equal(dt_stack_counts(k.s)->streams, 0);
    assert_int_equal(dt_stack_deadline(k.s), DT_TIME_NEVER);
    kit_stack_close(&k);
}

/* A message that became whole in time is forgotten: the next one has its own time. */
static void test_two_in_parts(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    const char *info = KIT_MSG(.method = "INFO", .via = VIA);
    opened(&k, 1, true, "192.0.2.2:40000");
    for (int64_t at = 0; at < 2; at++) {
        kit_stack_until(&k, 9000 * at);
        data(&k, 1, info, 20);
        kit_stack_until(&k, 9000 * at + 5000);
        data(&k, 1, info + 20, strlen(info) - 20);
    }
    kit_stack_until(&k, 100000);
    kit_stack_log(&k, "5000 request INFO\n37000 ended #0\n");
    kit_stack_close(&k);
}

/* Who opened the connection pings; what comes back is a pong, or nothing to us. */
static void test_no_pong_to_a_pong(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, NULL);
    request(&k, "INFO", 1, tcp("192.0.2.2:5060"), &tx);
    opened(&k, 2, false, "192.0.2.2:5060");
    text(&k, 2, "\r\n\r\n");
    kit_stack_log(&k, "0 connect 2 to 192.0.2.2:5060\n0 > stream 2 INFO\n");
    kit_stack_close(&k);
}

/* Over TCP the transaction of a CANCEL is over at once; its repeat must not cancel again. */
static void test_cancel_twice(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    opened(&k, 1, true, "192.0.2.2:40000");
    text(&k, 1, KIT_MSG(.method = "INVITE", .via = VIA));
    for (int64_t at = 0; at < 3; at++) {
        kit_stack_until(&k, at);
        text(&k, 1, KIT_MSG(.method = "CANCEL", .via = VIA));
    }
    kit_stack_log(&k, "0 request INVITE\n0 cancel #0\n0 > stream 1 200\n0 ended #0\n"
                      "1 > stream 1 200\n1 ended #0\n2 > stream 1 200\n");
    kit_stack_close(&k);
}

/* A half keep-alive is not the beginning of a message. */
static void test_lone_crlf(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    opened(&k, 1, true, "192.0.2.2:40000");
    text(&k, 1, "\r\n");
    kit_stack_until(&k, 50000);
    text(&k, 1, KIT_MSG(.method = "INFO", .via = VIA));
    kit_stack_log(&k, "50000 request INFO\n");
    kit_stack_close(&k);
}

/* As long as a transaction needs it, it stays. */
static void test_not_idle(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    opened(&k, 1, true, "192.0.2.2:40000");
    text(&k, 1, KIT_MSG(.method = "INVITE", .via = VIA));
    kit_stack_until(&k, 500000);
    kit_stack_log(&k, "0 request INVITE\n");
    dt_stack_answer(k.s, k.now, k.tx, 486, DT_STR("to"), DT_STR_NONE);
    kit_stack_until(&k, 1000000);
    kit_stack_log(&k, "500000 > stream 1 486\n532000 ended #0\n620000 close 1\n");
    kit_stack_close(&k);
}

/* ---- bounds ---- */

static void test_limits(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, &(struct dt_stack_config){.max_streams = 2});
    opened(&k, 1, true, "192.0.2.2:40000");
    opened(&k, 3, true, "192.0.2.2:40001");
    opened(&k, 5, true, "192.0.2.2:40002");
    assert_int_equal(request(&k, "INVITE", 1, tcp("192.0.2.9:5060"), &tx), DT_E_LIMIT);
    assert_int_equal(tx, 0);
    text(&k, 5, KIT_MSG(.method = "INFO", .via = VIA));
    text(&k, 1, KIT_MSG(.method = "INFO", .via = VIA));
    kit_stack_log(&k, "0 close 5\n0 request INFO\n");
    assert_int_equal(dt_stack_counts(k.s)->refused_limit, 1);
    kit_stack_close(&k);
}

static void test_queue_limit(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    int err = DT_OK, n = 0;
    (void)state;
    kit_stack_open(&k, NULL);
    while (!err && n < 1000) {
        err = request(&k, "INFO", 1, tcp("192.0.2.9:5060"), &tx);
        n += !err;
    }
    assert_int_equal(err, DT_E_LIMIT);
    assert_int_equal(n, 64);
    assert_int_equal(dt_stack_counts(k.s)->transactions, 64);
    kit_stack_close(&k);
}

/* R10: as if restarted. */
static void test_forget(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, NULL);
    request(&k, "INVITE", 1, tcp("192.0.2.2:5060"), &tx);
    kit_stack_request(&k, KIT_MSG(.method = "INVITE"), (struct dt_request){RFC3261}, &tx);
    opened(&k, 1, true, "192.0.2.2:40000");
    text(&k, 1, KIT_MSG(.method = "INVITE", .via = VIA));
    text(&k, 1, "part of a mess");
    kit_stack_hush(&k);
    dt_stack_forget(k.s, k.now);
    kit_stack_until(&k, 500000);
    kit_stack_log(&k, "0 close 2\n0 close 1\n");
    assert_int_equal(kit_stack_respond(&k, k.tx, 200, answer("INVITE", 200)), DT_E_STALE);
    assert_int_equal(dt_stack_counts(k.s)->transactions, 0);
    assert_int_equal(dt_stack_counts(k.s)->streams, 0);
    assert_int_equal(dt_stack_deadline(k.s), DT_TIME_NEVER);
    kit_stack_recv(&k, "192.0.2.2:5060", KIT_MSG(.method = "INVITE", .via = VIA));
    kit_stack_log(&k, "500000 request INVITE\n"); /* and works */
    kit_stack_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_on_demand),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_server_lingers),
        cmocka_unit_test(test_server_reconnects),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_long_message),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_endless_head),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_two_in_parts),
        cmocka_unit_test(test_no_pong_to_a_pong),
        cmocka_unit_test(test_cancel_twice),
        cmocka_unit_test(test_lone_crlf),
        cmocka_unit_test(test_not_idle),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_queue_limit),
        cmocka_unit_test(test_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
