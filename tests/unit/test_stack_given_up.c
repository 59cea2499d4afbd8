/* SPDX-License-Identifier: BSD-2-Clause
 *
 * INVITEs that ended without an answer, and then the callee rings after all (enum dt_given_up). */
#include "stack_kit.h"

#include "stack/private.h"

#define PEER "192.0.2.2:5060"
#define SEVEN_INVITES \
    "0 > 192.0.2.2:5060 INVITE\n500 > 192.0.2.2:5060 INVITE\n1500 > 192.0.2.2:5060 INVITE\n" \
    "3500 > 192.0.2.2:5060 INVITE\n7500 > 192.0.2.2:5060 INVITE\n15500 > 192.0.2.2:5060 INVITE\n" \
    "31500 > 192.0.2.2:5060 INVITE\n32000 failed #7: no answer in time\n"

struct late {
    int64_t at_ms;
    int status;
    const char *method; /* NULL: INVITE */
};

static const struct {
    enum dt_given_up given_up;
    struct late rx[4];
    const char *log; /* behind SEVEN_INVITES */
} silent[] = {
    {DT_GIVEN_UP_FORGET,
     {{33000, 180, NULL}, {34000, 486, NULL}},
     "33000 stray 180\n34000 stray 486\n"},
    {DT_GIVEN_UP_ABSORB,
     {{33000, 100, NULL}, {33000, 180, NULL}, {34000, 486, NULL}, {34500, 486, NULL}},
     "34000 > 192.0.2.2:5060 ACK\n34500 > 192.0.2.2:5060 ACK\n"},
    {DT_GIVEN_UP_ABSORB,
     {{33000, 180, NULL}, {34000, 200, NULL}, {34500, 200, NULL}},
     "34000 stray 200\n34500 stray 200\n"},
    {DT_GIVEN_UP_CANCEL,
     {{33000, 100, NULL}, {33000, 180, NULL}, {33100, 200, "CANCEL"}, {33200, 487, NULL}},
     "33000 > 192.0.2.2:5060 CANCEL\n33100 response 200 #0\n33200 > 192.0.2.2:5060 ACK\n"},
    /* The CANCEL was lost, and is repeated; the callee answered before it came. */
    {DT_GIVEN_UP_CANCEL,
     {{33000, 180, NULL}, {33600, 200, NULL}, {33700, 200, "CANCEL"}},
     "33000 > 192.0.2.2:5060 CANCEL\n33500 > 192.0.2.2:5060 CANCEL\n33600 stray 200\n"
     "33700 response 200 #0\n"},
    /* 64 T1 later it is forgotten, whatever is configured. */
    {DT_GIVEN_UP_CANCEL, {{64001, 180, NULL}}, "64001 stray 180\n"},
};

static void recv_late(struct kit_stack *k, const struct late *r)
{
    kit_stack_until(k, r->at_ms);
    kit_stack_recv(k, PEER,
                   KIT_MSG(.method = r->method ? r->method : "INVITE", .status = r->status,
                           .to_tag = r->status > 100 ? "to" : NULL));
}

static void after_silence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        struct kit_stack k;
        dt_tx tx;
        kit_stack_open(&k, &(struct dt_stack_config){.given_up = silent[i].given_up});
        kit_stack_request(&k, KIT_MSG(.method = "INVITE"),
                          (struct dt_request){.cookie = 7, .repeats = UINT32_MAX}, &tx);
        kit_stack_until(&k, 32500);
        kit_stack_log(&k, SEVEN_INVITES);
        for (const struct late *r = silent[i].rx; r < silent[i].rx + 4 && r->status; r++)
            recv_late(&k, r);
        kit_stack_until(&k, 300000);
        kit_stack_log(&k, silent[i].log);
        assert_int_equal(dt_stack_counts(k.s)->transactions, 0);
        kit_stack_close(&k);
    }
}

/* The host was down for a moment, and a copy came when it was up again. */
static void after_an_error(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, &(struct dt_stack_config){.given_up = DT_GIVEN_UP_CANCEL});
    kit_stack_request(&k, KIT_MSG(.method = "INVITE"),
                      (struct dt_request){.cookie = 7, .repeats = UINT32_MAX}, &tx);
    kit_stack_input(&k, &(struct dt_input){.kind = DT_IN_SOCKET_ERROR,
                                           .err = DT_E_REFUSED,
                                           .remote = kit_addr(PEER, DT_UDP)});
    recv_late(&k, &(struct late){1000, 180, NULL});
    recv_late(&k, &(struct late){1100, 200, "CANCEL"});
    recv_late(&k, &(struct late){1200, 487, NULL});
    kit_stack_until(&k, 300000);
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 failed #7: refused by the other side\n"
                      "1000 > 192.0.2.2:5060 CANCEL\n1100 response 200 #0\n"
                      "1200 > 192.0.2.2:5060 ACK\n");
    kit_stack_close(&k);
}

/* An error concerns who waits for a first answer. Those that ring, or were given up, are not even
 * looked at: of a gateway that is down there may be very many. */
static void errors_are_for_who_waits(void **state)
{
    struct kit_stack k;
    dt_tx tx;
    (void)state;
    kit_stack_open(&k, &(struct dt_stack_config){.given_up = DT_GIVEN_UP_CANCEL});
    for (int i = 0; i < 2; i++) {
        kit_stack_request(&k, KIT_MSG(.method = "INVITE"),
                          (struct dt_request){.cookie = 7, .repeats = UINT32_MAX}, &tx);
        assert_int_equal(k.s->peers.n, 1);
        if (i == 0)
            recv_late(&k, &(struct late){0, 180, NULL});
        else
            kit_stack_input(&k, &(struct dt_input){.kind = DT_IN_SOCKET_ERROR,
                                                   .err = DT_E_REFUSED,
                                                   .remote = kit_addr(PEER, DT_UDP)});
        assert_int_equal(k.s->peers.n, 0);
        assert_int_equal(dt_stack_counts(k.s)->transactions, i + 1);
    }
    kit_stack_log(&k, "0 > 192.0.2.2:5060 INVITE\n0 response 180 #7\n0 > 192.0.2.2:5060 INVITE\n"
                      "0 failed #7: refused by the other side\n");
    kit_stack_close(&k);
}

/* A callee that was cancelled in vain for 64 T1, and then says so (9.1). */
static void after_a_cancel(void **state)
{
    struct kit_stack k;
    dt_tx tx, cancel;
    (void)state;
    kit_stack_open(&k, &(struct dt_stack_config){.given_up = DT_GIVEN_UP_CANCEL});
    kit_stack_request(&k, KIT_MSG(.method = "INVITE"),
                      (struct dt_request){.cookie = 7, .repeats = UINT32_MAX}, &tx);
    recv_late(&k, &(struct late){100, 180, NULL});
    assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 8, &cancel), DT_OK);
    recv_late(&k, &(struct late){200, 200, "CANCEL"});
    kit_stack_until(&k, 33000);
    kit_stack_hush(&k);
    recv_late(&k, &(struct late){33000, 180, NULL}); /* it was told so already */
    recv_late(&k, &(struct late){33100, 487, NULL});
    kit_stack_until(&k, 300000);
    kit_stack_log(&k, "33100 > 192.0.2.2:5060 ACK\n");
    kit_stack_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_silence),
        cmocka_unit_test(after_an_error),
        cmocka_unit_test(errors_are_for_who_waits),
        cmocka_unit_test(after_a_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
