/* SPDX-License-Identifier: BSD-2-Clause
 *
 * I39 for the simulator: a run in which the n-th allocation fails, n rising until none does. What
 * cannot be carried is lost as a packet would be: no crash, no leak, and the network works again.
 */
#include "sim_kit.h"

static void busy(struct wire_node *a, struct wire_node *b)
{
    struct dt_sim_link *ab = dt_sim_link(wire.sim, a->node, b->node);
    if (ab)
        ab->jitter = DT_MS;
    dt_sim_default_link(wire.sim)->duplicate = 500;
    wire_send(a, b, "1");
    wire_connect(a, b, 2);
    wire_run(5);
    wire_stream(a, 2, "x");
    wire_stream(b, 3, "y");
    dt_outbox_resolve(&a->out, 1, DT_DNS_A, DT_STR("example.com"));
    dt_sim_hang(wire.sim, b->node);
    wire_send(a, b, "2");
    wire_run(5);
    dt_sim_wake(wire.sim, b->node);
    wire_run(5);
    dt_sim_kill(wire.sim, b->node);
    wire_send(a, b, "3");
    wire_run(20);
    wire_listen(b, DT_UDP);
    dt_sim_restart(wire.sim, b->node, b);
    wire_run(20);
}

/* True if no allocation failed. */
static bool run_once(size_t fail_at)
{
    kit_alloc_init(&wire.k);
    wire.k.fail_at = fail_at;
    if (wire_open(1)) {
        const struct dt_dns_record record = {.type = DT_DNS_A, .target = DT_STR("t")};
        struct wire_node *a = wire_add("a"), *b = a ? wire_add("b") : NULL;
        int err = dt_sim_dns_add(wire.sim, DT_STR("example.com"), &record);
        assert_true(err == DT_OK || err == DT_E_NOMEM);
        if (a && b) {
            wire.quiet = true;
            wire_run(0);
            busy(a, b);
            /* It works again: a deadline is kept, and a datagram arrives where somebody listens. */
            wire_listen(b, DT_UDP);
            wire_listen(a, DT_UDP);
            wire_kick(a);
            wire_kick(b);
            unsigned ticks = a->ticks, inputs = b->inputs;
            a->deadline = dt_sim_now(wire.sim) + DT_MS;
            wire_kick(a);
            wire_send(a, b, "4");
            wire_run(100);
            if (wire.k.calls < fail_at || fail_at + 20 < wire.k.calls) {
                assert_int_equal(a->ticks, ticks + 1);
                assert_true(b->inputs > inputs);
            }
        }
    }
    bool reached = fail_at && wire.k.calls >= fail_at;
    wire_close();
    return !reached;
}

static void test_each_allocation(void **state)
{
    size_t n = 1;
    (void)state;
    while (!run_once(n))
        n++;
    print_message("%zu allocations failed in turn\n", n - 1);
    assert_true(n > 30);
}

static void test_free_at_any_moment(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 12; ms++) {
        struct wire_node *a, *b;
        wire_pair(&a, &b, 1);
        wire_connect(a, b, 2);
        wire_send(a, b, "x");
        wire_run(ms);
        if (ms > 2)
            dt_sim_hang(wire.sim, b->node);
        wire_stream(a, 2, "y");
        wire_send(a, b, "z");
        wire_run(ms / 2);
        wire_close(); /* says what leaked */
    }
    dt_sim_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_free_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
