/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Links of the simulator: loss, duplicates, late packets and jitter keep their rates, a seed gives
 * the same run, a cut and a link of its own for a pair. */
#include "sim_kit.h"

#include <stdio.h>

enum { PACKETS = 20000, SPACING_MS = 2 };

static struct dt_sim_link *settings(void)
{
    return dt_sim_default_link(wire.sim);
}

/* PACKETS numbered datagrams from a to b, one each SPACING_MS. */
static void stream_of_packets(struct wire_node *a, struct wire_node *b)
{
    for (unsigned i = 1; i <= PACKETS; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", i);
        wire_send(a, b, text);
        wire_run(SPACING_MS);
    }
    wire_run(10000);
}

static void test_delay(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    settings()->delay = 7 * DT_MS;
    wire_send(a, b, "one");
    wire_send(a, b, "two");
    wire_run(6);
    wire_expect("");
    assert_int_equal(dt_sim_pending(wire.sim), 2);
    wire_run(1);
    wire_expect("7 b datagram a one|7 b datagram a two|");
    assert_int_equal(dt_sim_pending(wire.sim), 0);
    wire_close();
}

/* Each rate alone, within four standard deviations of what was asked for. */
static void test_rates(void **state)
{
    static const struct {
        unsigned loss, duplicate, reorder, arrived, slack;
    } table[] = {
        {0, 0, 0, PACKETS, 0},
        {50, 0, 0, PACKETS * 95 / 100, 125},
        {500, 0, 0, PACKETS / 2, 285},
        {1000, 0, 0, 0, 0},
        {0, 100, 0, PACKETS * 110 / 100, 170},
        {0, 1000, 0, 2 * PACKETS, 0},
        {0, 0, 300, PACKETS, 0},
        {200, 250, 0, PACKETS, 330}, /* 0.8 * 1.25 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct wire_node *a, *b;
        wire_pair(&a, &b, 40 + i);
        wire.quiet = true;
        settings()->loss = table[i].loss;
        settings()->duplicate = table[i].duplicate;
        settings()->reorder = table[i].reorder;
        b->inputs = 0;
        stream_of_packets(a, b);
        assert_in_range(b->inputs, table[i].arrived - table[i].slack,
                        table[i].arrived + table[i].slack);
        assert_int_equal(wire.fates[DT_SIM_SENT], PACKETS);
        assert_int_equal(wire.fates[DT_SIM_ARRIVED], b->inputs);
        if (!table[i].duplicate)
            assert_int_equal(wire.fates[DT_SIM_LOST] + b->inputs, PACKETS);
        if (table[i].reorder)
            assert_in_range(b->behind, PACKETS / 5, PACKETS / 3);
        else
            assert_int_equal(b->behind, 0);
        wire_close();
    }
}

/* Jitter delays, but what was sent first arrives first; the other direction does not wait. */
static void test_jitter_keeps_order(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 3);
    wire.quiet = true;
    settings()->jitter = 30 * DT_MS;
    stream_of_packets(a, b);
    assert_int_equal(b->behind, 0);
    assert_int_equal(b->last, PACKETS);
    wire.quiet = false;
    wire_send(a, b, "x");
    wire_run(1);
    wire_expect(""); /* it is late: seed 3 */
    wire_run(30);
    assert_true(wire.log.n > 0);
    wire_close();
}

static uint64_t digest_of(uint64_t seed)
{
    struct wire_node *a, *b;
    wire_pair(&a, &b, seed);
    wire.quiet = true;
    *settings() = (struct dt_sim_link){
        .delay = 3 * DT_MS, .jitter = DT_MS, .loss = 100, .duplicate = 100, .reorder = 100};
    stream_of_packets(a, b);
    uint64_t digest = wire.digest;
    wire_close();
    return digest;
}

static void test_same_seed_same_run(void **state) /* I40 */
{
    (void)state;
    uint64_t one = digest_of(1);
    assert_true(digest_of(1) == one);
    assert_false(digest_of(2) == one);
}

static void test_links_of_their_own(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    struct wire_node *c = wire_add("c");
    settings()->delay = 5 * DT_MS;
    struct dt_sim_link *ab = dt_sim_link(wire.sim, a->node, b->node);
    assert_int_equal(ab->delay, 5 * DT_MS); /* a copy */
    ab->delay = 50 * DT_MS;
    assert_ptr_equal(dt_sim_link(wire.sim, a->node, b->node), ab);
    wire_run(0);
    wire_expect("0 c listening|0 c listening|");
    wire_send(a, b, "there");
    wire_send(b, a, "back");
    wire_send(a, c, "aside");
    wire_run(100);
    wire_expect("5 a datagram b back|5 c datagram a aside|50 b datagram a there|");
    wire_close();
}

/* A partition of one direction, and its end. */
static void test_cut(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    struct dt_sim_link *ab = dt_sim_link(wire.sim, a->node, b->node);
    ab->cut = true;
    wire_send(a, b, "there");
    wire_send(b, a, "back");
    wire_run(100);
    wire_expect("1 a datagram b back|");
    assert_int_equal(wire.fates[DT_SIM_LOST], 1);
    ab->cut = false;
    wire_send(a, b, "again");
    wire_run(100);
    wire_expect("101 b datagram a again|");
    wire_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_jitter_keeps_order),
        cmocka_unit_test(test_same_seed_same_run),
        cmocka_unit_test(test_links_of_their_own),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
