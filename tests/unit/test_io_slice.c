/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Short slices: what the system says of the thread afterwards. */
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/slice.h"
#include "testkit.h"

static struct sched_attr now(void)
{
    struct sched_attr attr;
    memset(&attr, 0, sizeof attr);
    assert_int_equal(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0), 0);
    return attr;
}

/* Before Linux 6.12 a thread has no slice of its own, and the system tells of none. */
static void test_slice(void **state)
{
    (void)state;
    assert_int_equal(setpriority(PRIO_PROCESS, 0, 3), 0);
    struct sched_attr before = now();
    assert_int_equal(dt__slice(200), DT_OK);
    struct sched_attr after = now();
    assert_int_equal(after.sched_policy, SCHED_NORMAL);
    assert_int_equal(after.sched_nice, 3);
    assert_int_equal(after.sched_runtime, before.sched_runtime ? 200000 : 0);
}

/* Who was given another class by his administrator keeps it as it is. */
static void test_other_class(void **state)
{
    struct sched_attr attr = now();
    (void)state;
    attr.sched_policy = SCHED_BATCH;
    assert_int_equal(syscall(SYS_sched_setattr, 0, &attr, 0), 0);
    struct sched_attr before = now();
    assert_int_equal(dt__slice(300), DT_E_IO);
    struct sched_attr after = now();
    assert_memory_equal(&before, &after, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice),
        cmocka_unit_test(test_other_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
