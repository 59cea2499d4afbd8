/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that the user is told of before they have a transaction: what is answered at once, and
 * what is opened. */
#include "stack_kit.h"

#include <string.h>

#define PEER "192.0.2.2:5060"
#define TWIN "192.0.2.3:5060"
#define ASK(name) KIT_MSG(.method = (name), .via = "SIP/2.0/UDP " PEER ";branch=z9hG4bK7;rport")
#define BOUND "Contact: <sip:1001@192.0.2.2>;expires=60\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\n"

/* ---- what the user does ---- */

struct plan {
    int status; /* 0: nothing at all */
    bool keep, open;
    int err; /* that it came to */
    dt_tx opened;
};

static void run_plan(struct kit_stack *k, dt_tx tx, const struct dt_sip_msg *m)
{
    struct plan *p = k->world;
    if (p->open && tx == DT_TX_NEW) {
        p->opened = dt_stack_open(k->s, k->now);
        assert_true(!p->opened || p->opened == dt_stack_open(k->s, k->now));
    }
    if (p->status && !(p->open && !p->opened))
        p->err = dt_stack_reply(k->s, k->now, tx, m, &k->from, p->status, DT_STR(BOUND), p->keep);
}

static void open_late(struct kit_stack *k, struct plan *p)
{
    kit_stack_open(k, &(struct dt_stack_config){.open_late = true});
    k->on_request = run_plan;
    k->world = p;
}

/* ---- at once ---- */

/* I5: the same bytes to who asked, and R7: its own Via to who asks by another way. */
static void test_kept(void **state)
{
    struct kit_stack k;
    struct plan p = {.status = 200, .keep = true};
    (void)state;
    open_late(&k, &p);
    kit_stack_recv(&k, PEER, ASK("REGISTER"));
    assert_true(k.tx == DT_TX_NEW && p.err == DT_OK);
    assert_int_equal(dt_stack_counts(k.s)->lingering, 1);
    struct dt_bytes *first = dt_bytes_hold(k.last);
    assert_non_null(strstr(first->data, BOUND));
    for (int i = 0; i < 3; i++) {
        kit_stack_recv(&k, PEER, ASK("REGISTER"));
        assert_ptr_not_equal(k.last, first);
        kit_assert_str(dt_bytes_str(k.last), first->data);
    }
    kit_stack_recv(&k, TWIN, ASK("REGISTER"));
    assert_non_null(strstr(k.last->data, ";received=192.0.2.3;"));
    assert_non_null(strstr(k.last->data, BOUND));
    dt_bytes_drop(first);
    kit_stack_until(&k, 33000);
    kit_stack_log(&k, "0 request REGISTER\n0 > 192.0.2.2:5060 200\n0 > 192.0.2.2:5060 200\n"
                      "0 > 192.0.2.2:5060 200\n0 > 192.0.2.2:5060 200\n0 > 192.0.2.3:5060 200\n"
                      "32000 ended #0\n");
    assert_int_equal(dt_stack_counts(k.s)->transactions, 0);
    kit_stack_close(&k);
}

/* 8.2.7: nothing stays, and a copy gets the same tag. */
static void test_not_kept(void **state)
{
    struct kit_stack k;
    struct plan p = {.status = 401};
    (void)state;
    open_late(&k, &p);
    kit_stack_recv(&k, PEER, ASK("REGISTER"));
    struct dt_bytes *first = dt_bytes_hold(k.last);
    assert_int_equal(dt_stack_counts(k.s)->transactions, 0);
    kit_stack_recv(&k, PEER, ASK("REGISTER"));
    kit_assert_str(dt_bytes_str(k.last), first->data);
    dt_bytes_drop(first);
    kit_stack_log(&k, "0 request REGISTER\n0 > 192.0.2.2:5060 401\n0 request REGISTER\n"
                      "0 > 192.0.2.2:5060 401\n");
    kit_stack_close(&k);
}

/* RFC 3581 4: without rport to the port that the Via names. */
static void test_where_to(void **state)
{
    struct kit_stack k;
    struct plan p = {.status = 200};
    (void)state;
    open_late(&k, &p);
    kit_stack_recv(&k, "192.0.2.9:9999",
                   KIT_MSG(.method = "OPTIONS", .via = "SIP/2.0/UDP h:5070;branch=z9hG4bK8"));
    assert_non_null(strstr(k.last->data, ";received=192.0.2.9\r\n"));
    kit_stack_log(&k, "0 request OPTIONS\n0 > 192.0.2.9:5070 200\n");
    kit_stack_close(&k);
}

/* ---- opened ---- */

/* It is answered later; its copies are absorbed meanwhile. */
static void test_opened(void **state)
{
    struct kit_stack k;
    struct plan p = {.open = true};
    (void)state;
    open_late(&k, &p);
    kit_stack_recv(&k, PEER, ASK("INFO"));
    assert_true(p.opened && p.opened != DT_TX_NEW);
    kit_stack_recv(&k, PEER, ASK("INFO"));
    assert_int_equal(kit_stack_respond(&k, p.opened, 200, "SIP/2.0 200 OK\r\n\r\n"), DT_OK);
    kit_stack_recv(&k, PEER, ASK("INFO"));
    kit_stack_until(&k, 33000);
    kit_stack_log(&k, "0 request INFO\n0 > 192.0.2.2:5060 200\n0 > 192.0.2.2:5060 200\n"
                      "32000 ended #0\n");
    kit_stack_close(&k);
}

/* What is answered by a reply may have been opened before, or be opened by it: a provisional. */
static void test_opened_and_replied(void **state)
{
    struct kit_stack k;
    struct plan p = {.status = 183, .keep = true};
    (void)state;
    open_late(&k, &p);
    kit_stack_recv(&k, PEER, ASK("INFO"));
    assert_int_equal(dt_stack_counts(k.s)->transactions, 1);
    p = (struct plan){.status = 486, .keep = true, .open = true};
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "INFO", .via = "SIP/2.0/UDP h;branch=z9hG4bK9"));
    assert_int_equal(dt_stack_counts(k.s)->transactions, 2);
    kit_stack_log(&k, "0 request INFO\n0 > 192.0.2.2:5060 183\n0 request INFO\n"
                      "0 > 192.0.2.2:5060 486\n");
    kit_stack_close(&k);
}

/* An INVITE has its transaction from the first; what the user does not look at is gone, and may
 * come again; outside the callback there is nothing to open. */
static void test_others(void **state)
{
    struct kit_stack k;
    struct plan p = {.status = 0};
    (void)state;
    open_late(&k, &p);
    kit_stack_recv(&k, PEER, ASK("INVITE"));
    assert_true(k.tx && k.tx != DT_TX_NEW);
    kit_stack_recv(&k, PEER, ASK("MESSAGE"));
    kit_stack_recv(&k, PEER, ASK("MESSAGE"));
    assert_int_equal(dt_stack_open(k.s, k.now), 0);
    assert_int_equal(dt_stack_counts(k.s)->transactions, 1);
    kit_stack_recv(&k, PEER, ASK("CANCEL"));
    kit_stack_log(&k, "0 request INVITE\n0 request MESSAGE\n0 request MESSAGE\n"
                      "0 cancel #0\n0 > 192.0.2.2:5060 200\n");
    kit_stack_close(&k);
}

/* ---- no memory ---- */

/* Whatever allocation fails: it was answered and a copy gets the same, or it was not and a copy is
 * new (I39). */
static void test_no_memory(void **state)
{
    static const struct plan plans[] = {{.status = 200, .keep = true},
                                        {.status = 401},
                                        {.status = 200, .keep = true, .open = true}};
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        bool failed = true;
        for (size_t n = 1; failed; n++) {
            struct kit_stack k;
            struct plan p = plans[i];
            open_late(&k, &p);
            k.mem.fail_at = k.mem.calls + n;
            kit_stack_recv(&k, PEER, ASK("REGISTER"));
            failed = k.mem.calls >= k.mem.fail_at;
            k.mem.fail_at = 0;
            kit_stack_hush(&k);
            kit_stack_until(&k, 1);
            kit_stack_recv(&k, PEER, ASK("REGISTER"));
            assert_non_null(k.last);
            assert_non_null(strstr(k.last->data, BOUND));
            kit_stack_until(&k, 66000);
            assert_int_equal(dt_stack_counts(k.s)->transactions, 0);
            kit_stack_close(&k);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_not_kept),
        cmocka_unit_test(test_where_to),
        cmocka_unit_test(test_opened),
        cmocka_unit_test(test_opened_and_replied),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
