/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every (state, event) pair of the four machines is an arrow of its figure, or is ignored on
 * purpose, or cannot be. */
#include "testkit.h"

#include "stack/rules.h"

#define BIT(n) (1u << (n))
/* A client's, and not a server's. */
#define RX_RESPONSES (BIT(EV_RX_1XX) | BIT(EV_RX_2XX) | BIT(EV_RX_FAIL) | CLIENT_ONLY)
#define CLIENT_ONLY BIT(EV_LOST)
#define SERVER_EVENTS \
    (BIT(EV_RX_REPEAT) | BIT(EV_RX_ACK) | BIT(EV_TX_1XX) | BIT(EV_TX_2XX) | BIT(EV_TX_FAIL))

/* Events that mean nothing, with the reason; the reason is the test's text. */
static const struct {
    enum dt__machine machine;
    enum dt__state state;
    unsigned events;
    const char *why;
} ignored[] = {
    {DT__ICT, ST_CALLING, SERVER_EVENTS, "a client"},
    {DT__ICT, ST_PROCEEDING, SERVER_EVENTS, "a client"},
    {DT__ICT, ST_PROCEEDING, BIT(EV_RESEND), "timer A was stopped"},
    {DT__ICT, ST_PROCEEDING, BIT(EV_TRANSPORT), "figure 5: only Calling"},
    {DT__ICT, ST_ACCEPTED, SERVER_EVENTS, "a client"},
    {DT__ICT, ST_ACCEPTED, BIT(EV_RX_1XX) | BIT(EV_RX_FAIL), "late, after a 2xx"},
    {DT__ICT, ST_ACCEPTED, BIT(EV_RESEND) | BIT(EV_TRANSPORT), "sends nothing"},
    {DT__ICT, ST_COMPLETED, SERVER_EVENTS, "a client"},
    {DT__ICT, ST_COMPLETED, BIT(EV_RX_1XX) | BIT(EV_RX_2XX), "late, after a failure"},
    {DT__ICT, ST_COMPLETED, BIT(EV_RESEND), "ACK is not repeated by itself"},
    {DT__ICT, ST_COMPLETED, BIT(EV_TRANSPORT), "the user has its final response (I2)"},
    {DT__ICT, ST_ACCEPTED, BIT(EV_LOST), "it was answered"},
    {DT__ICT, ST_COMPLETED, BIT(EV_LOST), "it was answered"},
    {DT__ICT, ST_GIVEN_UP, SERVER_EVENTS, "a client"},
    {DT__ICT, ST_GIVEN_UP, BIT(EV_RESEND) | BIT(EV_TRANSPORT), "sends nothing"},
    {DT__ICT, ST_GIVEN_UP, BIT(EV_LOST), "it is already"},
    {DT__NICT, ST_TRYING, SERVER_EVENTS | BIT(EV_LOST), "a client; nobody rings for long"},
    {DT__NICT, ST_PROCEEDING, SERVER_EVENTS | BIT(EV_LOST), "a client; nobody rings for long"},
    {DT__NICT, ST_COMPLETED, SERVER_EVENTS | BIT(EV_LOST), "a client; nobody rings for long"},
    {DT__NICT, ST_COMPLETED, RX_RESPONSES, "repeats are absorbed (17.1.2.2)"},
    {DT__NICT, ST_COMPLETED, BIT(EV_RESEND) | BIT(EV_TRANSPORT), "sends nothing"},
    {DT__IST, ST_PROCEEDING, RX_RESPONSES, "a server"},
    {DT__IST, ST_PROCEEDING, BIT(EV_RX_ACK), "nothing to acknowledge"},
    {DT__IST, ST_PROCEEDING, BIT(EV_RESEND), "no timer"},
    {DT__IST, ST_PROCEEDING, BIT(EV_TRANSPORT), "the response goes another way (18.2.2)"},
    {DT__IST, ST_ACCEPTED, RX_RESPONSES, "a server"},
    {DT__IST, ST_ACCEPTED, BIT(EV_TX_1XX) | BIT(EV_TX_FAIL), "a final is final (I1)"},
    {DT__IST, ST_ACCEPTED, BIT(EV_RESEND), "the user repeats its 2xx"},
    {DT__IST, ST_ACCEPTED, BIT(EV_TRANSPORT), "the response goes another way"},
    {DT__IST, ST_COMPLETED, RX_RESPONSES, "a server"},
    {DT__IST, ST_COMPLETED, BIT(EV_TX_1XX) | BIT(EV_TX_2XX) | BIT(EV_TX_FAIL), "I1"},
    {DT__IST, ST_COMPLETED, BIT(EV_TRANSPORT), "the response goes another way"},
    {DT__IST, ST_CONFIRMED, RX_RESPONSES, "a server"},
    {DT__IST, ST_CONFIRMED, BIT(EV_TX_1XX) | BIT(EV_TX_2XX) | BIT(EV_TX_FAIL), "I1"},
    {DT__IST, ST_CONFIRMED, BIT(EV_RESEND) | BIT(EV_TRANSPORT), "sends nothing"},
    {DT__NIST, ST_TRYING, RX_RESPONSES | BIT(EV_RX_ACK), "a server, no INVITE"},
    {DT__NIST, ST_TRYING, BIT(EV_RESEND) | BIT(EV_TRANSPORT), "sends nothing by itself"},
    {DT__NIST, ST_PROCEEDING, RX_RESPONSES | BIT(EV_RX_ACK), "a server, no INVITE"},
    {DT__NIST, ST_PROCEEDING, BIT(EV_RESEND) | BIT(EV_TRANSPORT), "sends nothing by itself"},
    {DT__NIST, ST_COMPLETED, RX_RESPONSES | BIT(EV_RX_ACK), "a server, no INVITE"},
    {DT__NIST, ST_COMPLETED, BIT(EV_RESEND) | BIT(EV_TRANSPORT), "sends nothing by itself"},
    {DT__NIST, ST_COMPLETED, BIT(EV_TX_1XX) | BIT(EV_TX_2XX) | BIT(EV_TX_FAIL), "I1"},
};

static const struct {
    enum dt__machine machine;
    enum dt__state first;
    unsigned states;
} machines[] = {
    {DT__ICT, ST_CALLING,
     BIT(ST_CALLING) | BIT(ST_PROCEEDING) | BIT(ST_ACCEPTED) | BIT(ST_COMPLETED) |
         BIT(ST_GIVEN_UP)},
    {DT__NICT, ST_TRYING, BIT(ST_TRYING) | BIT(ST_PROCEEDING) | BIT(ST_COMPLETED)},
    {DT__IST, ST_PROCEEDING,
     BIT(ST_PROCEEDING) | BIT(ST_ACCEPTED) | BIT(ST_COMPLETED) | BIT(ST_CONFIRMED)},
    {DT__NIST, ST_TRYING, BIT(ST_TRYING) | BIT(ST_PROCEEDING) | BIT(ST_COMPLETED)},
};
enum { MACHINES = sizeof machines / sizeof machines[0] };

static bool is_ignored(enum dt__machine machine, enum dt__state state, enum dt__event_kind event)
{
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        if (ignored[i].machine == machine && ignored[i].state == state &&
            (ignored[i].events & BIT(event)))
            return true;
    return false;
}

/* ICMP errors and closed connections concern no server, so they have no row there. */
static void test_every_pair(void **state)
{
    (void)state;
    for (size_t i = 0; i < MACHINES; i++)
        for (unsigned st = 0; st < ST_COUNT; st++)
            for (unsigned ev = 0; ev < EV_COUNT; ev++) {
                bool in_table = dt__rule_find(machines[i].machine, st, ev);
                bool reachable = machines[i].states & BIT(st);
                bool wanted = reachable && !is_ignored(machines[i].machine, st, ev);
                if (in_table != wanted)
                    fail_msg("%s, state %s, event %u: %s", dt__machine_name(machines[i].machine),
                             dt__state_name(st), ev,
                             in_table ? "in the table, but listed as ignored or unreachable"
                                      : "neither in the table nor listed as ignored");
            }
}

static unsigned reach(enum dt__machine machine, unsigned states)
{
    unsigned more = states;
    for (unsigned st = 0; st < ST_COUNT; st++)
        for (unsigned ev = 0; ev < EV_COUNT; ev++) {
            const struct dt__rule *r = dt__rule_find(machine, st, ev);
            if (r && (states & BIT(st)))
                more |= BIT(r->next);
        }
    return more == states ? states : reach(machine, more);
}

static void test_every_state_is_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < MACHINES; i++) {
        unsigned all = reach(machines[i].machine, BIT(machines[i].first));
        assert_int_equal(all, machines[i].states | BIT(ST_TERMINATED));
    }
}

/* Whoever is told to fail is at its end, and whoever ends does nothing else. */
static void test_last_arrows(void **state)
{
    (void)state;
    for (size_t i = 0; i < MACHINES; i++)
        for (unsigned st = 0; st < ST_COUNT; st++)
            for (unsigned ev = 0; ev < EV_COUNT; ev++) {
                const struct dt__rule *r = dt__rule_find(machines[i].machine, st, ev);
                if (!r)
                    continue;
                if (r->next == ST_TERMINATED)
                    assert_int_equal(r->actions & ~(unsigned)DO_FAIL, 0);
                else if (r->next != ST_GIVEN_UP) /* for the user that is the end */
                    assert_int_equal(r->actions & DO_FAIL, 0);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair),
        cmocka_unit_test(test_every_state_is_reached),
        cmocka_unit_test(test_last_arrows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
