/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls between user agents over a faultless network: each flow message by message. */
#include "ua_kit.h"

#include <string.h>

static struct net net;

static void direct_call(void **state)
{
    struct net *n = &net;
    struct net_party *a, *b;

    (void)state;
    net_init(n);
    a = net_ua(n, "A", NULL);
    b = net_ua(n, "B", NULL);
    b->ring_after = 0;
    assert_int_equal(net_dial(n, a, b, NULL, NULL), DT_OK);
    net_until(n, 1000);
    net_answer(n, b);
    net_until(n, 3000);
    net_hangup(n, a);
    net_until(n, 4000);
    net_flow(n, "0 A > B INVITE 1\n"
                "0 B is called as bob\n"
                "0 B is ringing\n"
                "0 B > A 180 INVITE\n"
                "0 A is ringing\n"
                "1000 B is talking\n"
                "1000 B hears sendrecv\n"
                "1000 B > A 200 INVITE\n"
                "1000 A is talking\n"
                "1000 A hears sendrecv\n"
                "1000 A > B ACK 1\n"
                "3000 A is ending\n"
                "3000 A hears nothing\n"
                "3000 A > B BYE 2\n"
                "3000 B hears nothing\n"
                "3000 B ended 0 ok by peer\n"
                "3000 B > A 200 BYE\n"
                "3000 A ended 0 ok\n");
    net_quiet_end(n);
    net_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(direct_call)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
