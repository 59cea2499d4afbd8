/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The calling half of the other path, late: what a copy says when the other one has answered, or
 * when the user has hung up (design.md 5: R21 to R23). */
#include "ua_twins.h"

/* The other one has the final when the refusal of the copy comes: there is nothing left to ask. */
static void refused_too_late(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 0, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    net_until(&net, 3245);
    net_hush(&net);
    w.p->dead = false;
    w.t->refuses = true;
    net.delay = 20 * DT_MS;
    net_node_says(&net, w.p, w.a, 486, "callee");
    net.delay = 100 * DT_MS;
    net_until(&net, 9000);
    net_flow(&net, "3245 P > A 486 INVITE\n"
                   "3250 A words on\n"
                   "3250 A > T INVITE 1\n"
                   "3265 A words off\n"
                   "3265 A ended 486 by peer\n"
                   "3265 A > P ACK 1\n"
                   "3265 A > T CANCEL 1\n");
    w.t->refuses = false;
    close_world(&w);
}

/* A proxy that was left for dead wakes with a failure of its own: it has its final there, and when
 * the other one dies it is not asked once more under the same branch (17.2.1: it would be done
 * anew), but as a new call (R26). */
static void wakes_to_refuse(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 0, 0);
    say_plan(w.t, 100, 0, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    net_until(&net, 4000);
    w.p->dead = false;
    net_node_says(&net, w.p, w.a, 500, "p");
    net_until(&net, 4100);
    w.t->dead = true;
    net_until(&net, 6500);
    net_hush(&net);
    net_until(&net, 12000);
    net_flow(&net, "6750 A > P CANCEL 1\n"
                   "6750 A > T CANCEL 1\n"
                   "6750 P > A 200 CANCEL\n"
                   "6750 P > A 487 INVITE\n"
                   "6750 A > P ACK 1\n"
                   "7750 A > P INVITE 1\n"
                   "7750 P > A 100 INVITE\n"
                   "7750 A words off\n");
    close_world(&w);
}

/* The INVITE went on at the twin of one that has restarted, and that one still said the final of
 * its earlier life: it is not asked once more when the twin refuses. */
static void final_of_the_restarted(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 0, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->boot = 2;
    w.t->refuses = true;
    net.delay = 10 * DT_MS;
    net_until(&net, 2025); /* the refusal is on its way */
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 P > A 100 INVITE\n"
                   "2020 A words on\n"
                   "2020 A > T INVITE 1\n");
    net.delay = 0;
    net_node_says(&net, w.p, w.a, 486, "callee");
    net_until(&net, 60000);
    net_flow(&net, "2025 P > A 486 INVITE\n"
                   "2025 A words off\n"
                   "2025 A ended 486 by peer\n"
                   "2025 A > P ACK 1\n");
    w.t->refuses = false;
    close_world(&w);
}

/* One asks for credentials, and the other one has called with the old ones: that is cancelled. */
static void challenge_and_ring(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    dial(&w);
    net_until(&net, 1600);
    net_hush(&net);
    net_respond(&net, w.p, w.a, w.p->invite, 407, "p",
                "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", NULL);
    net_until(&net, 1650);
    net_node_says(&net, w.t, w.a, 180, "callee");
    net_until(&net, 1700);
    net_flow(&net, "1600 P > A 407 INVITE\n"
                   "1600 A > P ACK 1\n"
                   "1600 A > P INVITE 2\n"
                   "1650 T > A 180 INVITE\n"
                   "1650 A > T CANCEL 1\n"
                   "1650 T > A 200 CANCEL\n"
                   "1650 T > A 487 INVITE\n"
                   "1650 A > T ACK 1\n");
    close_world(&w);
}

/* Both were dead for a while, so that the INVITE is on its way to the one when the other one's
 * CANCEL ends the call: it is not sent any more, and cancelled if it had arrived. */
static void late_to_the_dead(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 180, 0);
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    net_until(&net, 5000);
    w.t->dead = true;
    net_until(&net, 8000);
    net_hush(&net);
    w.t->dead = false;
    net_hangup(&net, w.a);
    net_until(&net, 30000);
    net_flow(&net, "8000 A words off\n"
                   "8000 A is ending\n"
                   "8000 A > T CANCEL 1\n"
                   "8000 T > A 200 CANCEL\n"
                   "8000 T > A 487 INVITE\n"
                   "8000 A ended 487\n"
                   "8000 A > T ACK 1\n");
    w.p->dead = false;
    net_node_says(&net, w.p, w.a, 180, "callee");
    net_until(&net, 30100);
    net_flow(&net, "30000 P > A 180 INVITE\n"
                   "30000 A > P CANCEL 1\n"
                   "30000 P > A 200 CANCEL\n"
                   "30000 P > A 487 INVITE\n"
                   "30000 A > P ACK 1\n");
    close_world(&w);
}

/* The path was heard by the primary, so CANCEL goes out at once; the twin, where the INVITE is now,
 * has not spoken, and is cancelled when it does. */
static void hangup_moved(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 0, 0);
    say_plan(w.t, 0, 0, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    net_until(&net, 5000);
    net_hush(&net);
    net_hangup(&net, w.a);
    net_until(&net, 5400);
    net_hush(&net);
    net_node_says(&net, w.t, w.a, 100, NULL);
    net_until(&net, 60000);
    net_flow(&net, "5400 T > A 100 INVITE\n"
                   "5400 A > T CANCEL 1\n"
                   "5400 T > A 200 CANCEL\n"
                   "5400 T > A 487 INVITE\n"
                   "5400 A ended 487\n"
                   "5400 A > T ACK 1\n");
    close_world(&w);
}

/* It has restarted, and shows it in its answer to the copy: it calls too, and is cancelled when the
 * other one has the answer. */
static void restarted_twin(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.t, 100, 0, 0);
    dial(&w);
    net_until(&net, 1200);
    w.t->boot = 2;
    net_until(&net, 2000);
    net_node_says(&net, w.p, w.a, 200, "callee");
    net_until(&net, 3000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "1500 A > T INVITE 1\n"
                   "1500 T > A 100 INVITE\n"
                   "1500 A words on\n"
                   "2000 P > A 200 INVITE\n"
                   "2000 A words off\n"
                   "2000 A is talking\n"
                   "2000 A hears sendrecv\n"
                   "2000 A > T CANCEL 1\n"
                   "2000 A > P ACK 1\n"
                   "2000 T > A 200 CANCEL\n"
                   "2000 T > A 487 INVITE\n"
                   "2000 A > T ACK 1\n");
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_too_late),       cmocka_unit_test(wakes_to_refuse),
        cmocka_unit_test(final_of_the_restarted), cmocka_unit_test(challenge_and_ring),
        cmocka_unit_test(late_to_the_dead),       cmocka_unit_test(hangup_moved),
        cmocka_unit_test(restarted_twin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
