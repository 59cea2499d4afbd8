/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Registration in virtual time at scripted registrars, primary P and backup S (guide: behaviour.md
 * 4). */
#include "phone_net.h"

static const int always[] = {200, 0};

static struct net_party *p, *s, *a;

#define A_CONFIG \
    "line1_name: 1001\n" \
    "line1_password: secret\n" \
    "proxy1_address: 192.0.2.10\n" \
    "proxy_register: 1\n" \
    "proxy_backup: 192.0.2.11\n"

static void phone_and_registrars(const int *at_p, const int *at_s, const char *config)
{
    net_start(1);
    p = net_registrar("P", "192.0.2.10", at_p);
    s = net_registrar("S", "192.0.2.11", at_s);
    a = net_phone("A", "192.0.2.101", config);
    net_wait(DT_SECOND);
}

static void test_primary_only(void **state)
{
    (void)state;
    phone_and_registrars(always, always, A_CONFIG);
    net_expect("A screen: 1001\n"
               "A -> P REGISTER\n"
               "P -> A 200 OK (REGISTER)\n"
               "A registration: registered 1001 at 192.0.2.10:5060\n"
               "A ready: 1001 at 192.0.2.101:5060\n");
    assert_int_equal(s->registrar.registers, 0);
    net_settle();
    net_end();
}

static void test_both(void **state)
{
    (void)state;
    phone_and_registrars(always, always, A_CONFIG "proxy_register_backup: 1\n");
    net_expect("A screen: 1001\n"
               "A -> P REGISTER\n"
               "A -> S REGISTER\n"
               "P -> A 200 OK (REGISTER)\n"
               "S -> A 200 OK (REGISTER)\n"
               "A registration: registered 1001 at 192.0.2.10:5060\n"
               "A registration: registered 1001 at 192.0.2.11:5060\n"
               "A ready: 1001 at 192.0.2.101:5060\n");
    net_settle();
    net_end();
}

/* RFC 3665 2.1 */
static void test_challenge(void **state)
{
    static const int script[] = {401, 200, 0};
    (void)state;
    phone_and_registrars(script, always, A_CONFIG);
    net_expect("A screen: 1001\n"
               "A -> P REGISTER\n"
               "P -> A 401 Unauthorized (REGISTER)\n"
               "A -> P REGISTER\n"
               "P -> A 200 OK (REGISTER)\n"
               "A registration: registered 1001 at 192.0.2.10:5060\n"
               "A ready: 1001 at 192.0.2.101:5060\n");
    net_settle();
    net_end();
}

/* RFC 3665 2.5: the second 401 is the end; the phone cannot go on. */
static void test_wrong_password(void **state)
{
    static const int refused[] = {401, 0}, forbidden[] = {401, 403, 0};
    (void)state;
    phone_and_registrars(refused, always, A_CONFIG);
    net_expect("A screen: 1001\n"
               "A -> P REGISTER\n"
               "P -> A 401 Unauthorized (REGISTER)\n"
               "A -> P REGISTER\n"
               "P -> A 401 Unauthorized (REGISTER)\n"
               "A registration: not registered 1001 at 192.0.2.10:5060\n"
               "A problem: Line 1 is not registered as 1001 at 192.0.2.10:5060: the answer was 401 "
               "Unauthorized; check line1_authname and line1_password.\n"
               "A quit: 1\n");
    net_settle();
    net_end();
    phone_and_registrars(forbidden, always, A_CONFIG);
    net_expect_has("check line1_authname and line1_password.\nA quit: 1\n");
    net_settle();
    net_end();
}

/* The refresh comes timer_register_delta before the end, and says nothing. */
static void test_refresh(void **state)
{
    (void)state;
    phone_and_registrars(always, always, A_CONFIG);
    net_take();
    net_wait(3595 * DT_SECOND - 2 * DT_SECOND);
    net_expect("");
    net_wait(2 * DT_SECOND);
    net_expect("A -> P REGISTER\nP -> A 200 OK (REGISTER)\n");
    net_settle();
    net_end();
}

/* The primary is dead: ready all the same, told once, registered when it is back. */
static void test_dead_primary(void **state)
{
    (void)state;
    net_start(1);
    p = net_registrar("P", "192.0.2.10", always);
    s = net_registrar("S", "192.0.2.11", always);
    dt_sim_blackhole(p->node, true);
    a = net_phone("A", "192.0.2.101", A_CONFIG "proxy_register_backup: 1\n");
    net.quiet = true;
    net_wait(33 * DT_SECOND);
    net_expect("A screen: 1001\n"
               "A registration: registered 1001 at 192.0.2.11:5060\n"
               "A registration: not registered 1001 at 192.0.2.10:5060\n"
               "A problem: Line 1 is not registered as 1001 at 192.0.2.10:5060: there was no "
               "answer; it is tried again.\n"
               "A ready: 1001 at 192.0.2.101:5060\n");
    net_wait(300 * DT_SECOND);
    net_expect("");
    dt_sim_blackhole(p->node, false);
    net_wait(3600 * DT_SECOND);
    net_expect("A registration: registered 1001 at 192.0.2.10:5060\n");
    net_settle();
    net_end();
}

static void test_quit_unregisters(void **state)
{
    (void)state;
    phone_and_registrars(always, always, A_CONFIG "proxy_register_backup: 1\n");
    net_settle();
    net_type(a, "quit");
    net_expect("A -> P REGISTER\n"
               "A -> S REGISTER\n"
               "P -> A 200 OK (REGISTER)\n"
               "S -> A 200 OK (REGISTER)\n"
               "A registration: not registered 1001 at 192.0.2.10:5060\n"
               "A registration: not registered 1001 at 192.0.2.11:5060\n"
               "A quit: 0\n");
    assert_int_equal(p->registrar.removals, 1);
    assert_int_equal(s->registrar.removals, 1);
    a->objects = 0;
    net_end();
}

static void test_quit_at_a_dead_primary(void **state)
{
    (void)state;
    phone_and_registrars(always, always, A_CONFIG "proxy_register_backup: 1\n");
    net_settle();
    dt_sim_blackhole(p->node, true);
    dt_time from = dt_sim_now(net.sim);
    net.quiet = true;
    net_type(a, "quit");
    net_expect("A registration: not registered 1001 at 192.0.2.11:5060\n");
    dt_sim_run(net.sim, from + 2 * DT_SECOND - 1);
    net_expect("");
    dt_sim_run(net.sim, from + 2 * DT_SECOND);
    net_expect("A quit: 0\n");
    assert_int_equal(s->registrar.removals, 1);
    a->objects = 0;
    net_end();
}

/* guide: behaviour.md 1: seven INVITEs at the primary, the words, the eighth at the backup. */
static void test_backup_is_tried(void **state)
{
    (void)state;
    phone_and_registrars(always, always, A_CONFIG);
    net_settle();
    dt_sim_blackhole(p->node, true);
    dt_time from = dt_sim_now(net.sim);
    net_type(a, "dial 1002");
    net_expect("A -> P INVITE\n"
               "A call 1: calling 1002\n"
               "A screen: Calling 1002\n"
               "A -> P INVITE\n");
    dt_sim_run(net.sim, from + 32 * DT_SECOND - 1);
    net_expect("A -> P INVITE\nA -> P INVITE\nA -> P INVITE\nA -> P INVITE\nA -> P INVITE\n");
    dt_sim_run(net.sim, from + 32 * DT_SECOND);
    net_expect("A -> S INVITE\n"
               "A screen: Network Delay, Trying Backup\n");
    net_wait(DT_SECOND);
    net_expect("S -> A 404 Not Found\n"
               "A -> S ACK\n"
               "A call 1: ended 1002\n"
               "A problem: Calling 1002 at 192.0.2.10:5060, then at the backup 192.0.2.11:5060 "
               "failed: the answer was 404 Not Found; check the number and dial again.\n"
               "A screen: Not Found\n");
    dt_sim_blackhole(p->node, false);
    net_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_primary_only),     cmocka_unit_test(test_both),
        cmocka_unit_test(test_challenge),        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_refresh),          cmocka_unit_test(test_dead_primary),
        cmocka_unit_test(test_quit_unregisters), cmocka_unit_test(test_quit_at_a_dead_primary),
        cmocka_unit_test(test_backup_is_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
