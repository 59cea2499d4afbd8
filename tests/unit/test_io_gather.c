/* SPDX-License-Identifier: BSD-2-Clause
 *
 * When the host waits for more datagrams before it polls, and when not. */
#include <time.h>

#include "io/loop.h"

#include "testkit.h"

enum { GATHER = 100, GAP = 70 /* us between two datagrams: 14,000 a second */ };

static long slept; /* ns, in all */
static unsigned sleeps;

int __wrap_nanosleep(const struct timespec *wait, struct timespec *left);
int __wrap_nanosleep(const struct timespec *wait, struct timespec *left)
{
    (void)left;
    slept += wait->tv_sec * 1000000000L + wait->tv_nsec;
    sleeps++;
    return 0;
}

/* Turns, `gap` apart, that got `each` datagrams; what is due is `due` later. How often it slept. */
static unsigned turns(struct dt_host *h, unsigned n, dt_time gap, unsigned each, dt_time due)
{
    sleeps = 0;
    slept = 0;
    for (unsigned i = 0; i < n; i++) {
        h->now += gap;
        h->counts.datagrams_in += each;
        dt__gather(h, h->now + due);
    }
    return sleeps;
}

static struct dt_host host_at(dt_time now)
{
    return (struct dt_host){.now = now, .cfg.gather = GATHER};
}

static void test_fast_one_by_one(void **state)
{
    (void)state;
    struct dt_host h = host_at(DT_SECOND);
    (void)turns(&h, 300, GAP, 1, DT_SECOND);
    assert_int_equal(turns(&h, 100, GAP, 1, DT_SECOND), 100);
    assert_int_equal(slept, 100L * GATHER * 1000);
}

static void test_slow(void **state)
{
    (void)state;
    struct dt_host h = host_at(DT_SECOND);
    assert_int_equal(turns(&h, 1000, DT_MS, 1, DT_SECOND), 0);
    assert_int_equal(turns(&h, 10, 60 * DT_SECOND, 40, DT_SECOND), 0); /* once a minute a burst */
}

static void test_full_turns(void **state)
{
    (void)state;
    struct dt_host h = host_at(DT_SECOND);
    assert_int_equal(turns(&h, 1000, DT_MS, 16, DT_SECOND), 0);
    assert_true(turns(&h, 10, DT_MS, 15, DT_SECOND) > 0);
}

static void test_what_is_due(void **state)
{
    (void)state;
    struct dt_host h = host_at(DT_SECOND);
    (void)turns(&h, 300, GAP, 1, DT_SECOND);
    assert_int_equal(turns(&h, 10, GAP, 1, GATHER), 0);
    assert_int_equal(turns(&h, 10, GAP, 1, GATHER + 1), 10);
}

/* The first turn of a pause may still think that they come fast; the next window knows better. */
static void test_a_pause(void **state)
{
    (void)state;
    struct dt_host h = host_at(DT_SECOND);
    (void)turns(&h, 300, GAP, 1, DT_SECOND);
    assert_int_equal(turns(&h, 1, DT_SECOND, 1, DT_SECOND), 0);
    assert_int_equal(turns(&h, 10, DT_MS, 1, DT_SECOND), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast_one_by_one), cmocka_unit_test(test_slow),
        cmocka_unit_test(test_full_turns),      cmocka_unit_test(test_what_is_due),
        cmocka_unit_test(test_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
