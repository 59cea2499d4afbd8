/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The calling half of the other path (design.md 5: R16 to R23, R27, R28): two proxies of one
 * cluster, one of which dies at each moment of a call. */
#include "ua_twins.h"

/* ---- before any answer ---- */

/* R22: T1 without a response, then the twin. R28: the words, as it answers first. The death of the
 * primary changes nothing any more. */
static void silent_primary(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.p->dead = true;
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 20000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "1500 A > T INVITE 1\n"
                   "1500 T > A 100 INVITE\n"
                   "1500 T > A 180 INVITE\n"
                   "1500 A words on\n"
                   "1500 A words off\n"
                   "1500 A is ringing\n");
    net_hush(&net);
    net_node_says(&net, w.t, w.a, 200, "callee");
    net_until(&net, 20100);
    net_flow(&net, "20000 T > A 200 INVITE\n"
                   "20000 A is talking\n"
                   "20000 A hears sendrecv\n"
                   "20000 A > T ACK 1\n");
    close_world(&w);
}

/* A proxy that is alive and says nothing: both are asked, with the same bytes, once hedged (R22).
 * The first response of either ends the repeats to both (R21). */
static void mute_primary(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    dial(&w);
    net_until(&net, 1600);
    assert_true(dt_str_eq(w.p->invite->text, w.t->invite->text));
    net_until(&net, 4000);
    net_node_says(&net, w.t, w.a, 100, NULL);
    net_until(&net, 12000);
    net_node_says(&net, w.p, w.a, 180, "callee");
    net_until(&net, 12100);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "1500 A > T INVITE 1\n"
                   "2000 A > T INVITE 1\n"
                   "2500 A > P INVITE 1\n"
                   "3000 A > T INVITE 1\n"
                   "4000 T > A 100 INVITE\n"
                   "4000 A words on\n"
                   "12000 P > A 180 INVITE\n"
                   "12000 A words off\n"
                   "12000 A is ringing\n");
    close_world(&w);
}

/* Who says 503 or 500 of itself is left; the other one goes on (R21). */
static void one_refuses(void **state)
{
    static const int statuses[] = {503, 500, 408, 482};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world w = open_world(NULL);
        char want[400];
        dial(&w);
        net_until(&net, 1600);
        net_node_says(&net, w.t, w.a, 180, "callee");
        net_node_says(&net, w.p, w.a, statuses[i], "p");
        net_until(&net, 30000);
        snprintf(want, sizeof(want),
                 "1000 A > P INVITE 1\n1500 A > P INVITE 1\n1500 A > T INVITE 1\n"
                 "1600 T > A 180 INVITE\n1600 P > A %d INVITE\n1600 A is ringing\n"
                 "1600 A > P ACK 1\n",
                 statuses[i]);
        net_flow(&net, want);
        close_world(&w);
    }
}

static void twin_refuses(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    dial(&w);
    net_until(&net, 1600);
    net_node_says(&net, w.t, w.a, 503, "t");
    net_until(&net, 2000);
    net_node_says(&net, w.p, w.a, 180, "callee");
    net_until(&net, 3000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "1500 A > T INVITE 1\n"
                   "1600 T > A 503 INVITE\n"
                   "1600 A > T ACK 1\n"
                   "2000 P > A 180 INVITE\n"
                   "2000 A is ringing\n");
    close_world(&w);
}

/* ---- both answer ---- */

/* One dialog; each copy of the 2xx gets its ACK (R21, I6). The other copy is cancelled although
 * only its final was heard: it lives, so its provisionals may be lost. */
static void both_answer(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    dial(&w);
    net_until(&net, 1600);
    net_hush(&net);
    net_node_says(&net, w.p, w.a, 200, "callee");
    net_node_says(&net, w.t, w.a, 200, "callee");
    net_until(&net, 1700);
    net_node_says(&net, w.t, w.a, 200, "callee");
    net_until(&net, 5000);
    net_hangup(&net, w.a);
    net_until(&net, 6000);
    net_flow(&net, "1600 P > A 200 INVITE\n"
                   "1600 T > A 200 INVITE\n"
                   "1600 A is talking\n"
                   "1600 A hears sendrecv\n"
                   "1600 A > T CANCEL 1\n"
                   "1600 A > P ACK 1\n"
                   "1600 A > P ACK 1\n"
                   "1600 A > T ACK 1\n"
                   "1600 T > A 200 CANCEL\n"
                   "1600 T > A 487 INVITE\n"
                   "1700 T > A 200 INVITE\n"
                   "1700 A > P ACK 1\n"
                   "1700 A > T ACK 1\n"
                   "5000 A is ending\n"
                   "5000 A hears nothing\n"
                   "5000 A > P BYE 2\n"
                   "5000 P > A 200 BYE\n"
                   "5000 A ended 0\n");
    close_world(&w);
}

/* Two callees answered: the second one's call is ended (I13). */
static void both_fork(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    dial(&w);
    net_until(&net, 1600);
    net_hush(&net);
    net_node_says(&net, w.p, w.a, 200, "callee");
    net_node_says(&net, w.t, w.a, 200, "other");
    net_until(&net, 1700);
    net_flow(&net, "1600 P > A 200 INVITE\n"
                   "1600 T > A 200 INVITE\n"
                   "1600 A is talking\n"
                   "1600 A hears sendrecv\n"
                   "1600 A > T CANCEL 1\n"
                   "1600 A > P ACK 1\n"
                   "1600 A > T ACK 1\n"
                   "1600 A > T BYE 2\n"
                   "1600 T > A 200 CANCEL\n"
                   "1600 T > A 487 INVITE\n"
                   "1600 T > A 200 BYE\n");
    assert_int_equal(w.a->state, DT_CALL_TALKING);
    close_world(&w);
}

static void both_busy(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    dial(&w);
    net_until(&net, 1600);
    net_hush(&net);
    net_node_says(&net, w.t, w.a, 486, "callee");
    net_node_says(&net, w.p, w.a, 486, "callee");
    net_until(&net, 5000);
    net_flow(&net, "1600 T > A 486 INVITE\n"
                   "1600 P > A 486 INVITE\n"
                   "1600 A ended 486 by peer\n"
                   "1600 A > T ACK 1\n"
                   "1600 A > P CANCEL 1\n"
                   "1600 A > P ACK 1\n"
                   "1600 P > A 200 CANCEL\n"
                   "1600 P > A 487 INVITE\n"
                   "1600 A > P ACK 1\n");
    close_world(&w);
}

/* The next CSeq goes where the challenge came from. */
static void challenge_by_twin(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.p->dead = true;
    dial(&w);
    net_until(&net, 1600);
    net_respond(&net, w.t, w.a, w.t->invite, 407, "t",
                "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", NULL);
    say_plan(w.t, 100, 180, 0);
    net_until(&net, 6000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "1500 A > T INVITE 1\n"
                   "1600 T > A 407 INVITE\n"
                   "1600 A > T ACK 1\n"
                   "1600 A > T INVITE 2\n"
                   "1600 T > A 100 INVITE\n"
                   "1600 T > A 180 INVITE\n"
                   "1600 A is ringing\n");
    close_world(&w);
}

/* ---- death after 100 ---- */

/* R18: asked once a second, then each 250 ms; the third that is missed is death. */
static void dies_proceeding(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net.no_probes = false;
    say_plan(w.p, 100, 0, 0);
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    net_until(&net, 4500);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 P > A 100 INVITE\n"
                   "1000 A > T OPTIONS 1\n"
                   "1000 T > A 200 OPTIONS\n"
                   "2000 A > P OPTIONS 1\n"
                   "2000 A > T OPTIONS 1\n"
                   "2000 T > A 200 OPTIONS\n"
                   "2500 A > P OPTIONS 1\n"
                   "2750 A > P OPTIONS 1\n"
                   "3000 A > P OPTIONS 1\n"
                   "3000 A > T OPTIONS 1\n"
                   "3000 T > A 200 OPTIONS\n"
                   "3250 A words on\n"
                   "3250 A > T INVITE 1\n"
                   "3250 T > A 100 INVITE\n"
                   "3250 T > A 180 INVITE\n"
                   "3250 A words off\n"
                   "3250 A is ringing\n"
                   "4250 A > T OPTIONS 1\n"
                   "4250 T > A 200 OPTIONS\n");
    assert_true(dt_str_eq(w.p->invite->text, w.t->invite->text));
    close_world(&w);
}

/* It rang: the twin finds the callee again, who says so (R24 has nothing to do). */
static void dies_ringing(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 180, 0);
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    net_until(&net, 20000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 P > A 100 INVITE\n"
                   "1000 P > A 180 INVITE\n"
                   "1000 A is ringing\n"
                   "3250 A words on\n"
                   "3250 A > T INVITE 1\n"
                   "3250 T > A 100 INVITE\n"
                   "3250 T > A 180 INVITE\n"
                   "3250 A words off\n");
    assert_true(dt_str_eq(w.p->invite->text, w.t->invite->text));
    net_node_says(&net, w.t, w.a, 200, "callee");
    net_until(&net, 20100);
    net_flow(&net, "20000 T > A 200 INVITE\n"
                   "20000 A is talking\n"
                   "20000 A hears sendrecv\n"
                   "20000 A > T ACK 1\n");
    close_world(&w);
}

/* R17: no probe has failed, but what it held is lost. */
static void restarts(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 180, 0);
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->boot = 2;
    net_until(&net, 6000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 P > A 100 INVITE\n"
                   "1000 P > A 180 INVITE\n"
                   "1000 A is ringing\n"
                   "2000 A words on\n"
                   "2000 A > T INVITE 1\n"
                   "2000 T > A 100 INVITE\n"
                   "2000 T > A 180 INVITE\n"
                   "2000 A words off\n");
    close_world(&w);
}

/* Its copy was not repeated any more, as the primary had answered, and nothing came of it: it was
 * lost. It is sent again when the primary dies. */
static void dies_alone(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    dial(&w);
    w.t->dead = true;
    net_until(&net, 1600);
    w.t->dead = false;
    net_node_says(&net, w.p, w.a, 100, NULL);
    say_plan(w.t, 100, 180, 0);
    w.p->dead = true;
    net_until(&net, 6000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1500 A > P INVITE 1\n"
                   "1500 A > T INVITE 1\n"
                   "1600 P > A 100 INVITE\n"
                   "3850 A words on\n"
                   "3850 A > T INVITE 1\n"
                   "3850 T > A 100 INVITE\n"
                   "3850 T > A 180 INVITE\n"
                   "3850 A words off\n"
                   "3850 A is ringing\n");
    close_world(&w);
}

/* A proxy that was left for dead wakes, and calls: it is cancelled like a copy, when the other one
 * has the answer, or with it. */
static void wakes(void **state)
{
    (void)state;
    for (int hangs_up = 0; hangs_up < 2; hangs_up++) {
        struct world w = open_world(NULL);
        say_plan(w.p, 100, 0, 0);
        say_plan(w.t, 100, 180, 0);
        dial(&w);
        net_until(&net, 1200);
        w.p->dead = true;
        net_until(&net, 6000);
        net_hush(&net);
        w.p->dead = false;
        net_node_says(&net, w.p, w.a, 180, "callee");
        net_until(&net, 7000);
        if (hangs_up)
            net_hangup(&net, w.a);
        else
            net_node_says(&net, w.t, w.a, 200, "callee");
        net_until(&net, 7100);
        net_flow(&net, hangs_up ? "6000 P > A 180 INVITE\n"
                                  "7000 A is ending\n"
                                  "7000 A > P CANCEL 1\n"
                                  "7000 A > T CANCEL 1\n"
                                  "7000 P > A 200 CANCEL\n"
                                  "7000 P > A 487 INVITE\n"
                                  "7000 T > A 200 CANCEL\n"
                                  "7000 T > A 487 INVITE\n"
                                  "7000 A ended 487\n"
                                  "7000 A > P ACK 1\n"
                                  "7000 A > T ACK 1\n"
                                : "6000 P > A 180 INVITE\n"
                                  "7000 T > A 200 INVITE\n"
                                  "7000 A is talking\n"
                                  "7000 A hears sendrecv\n"
                                  "7000 A > P CANCEL 1\n"
                                  "7000 A > T ACK 1\n"
                                  "7000 P > A 200 CANCEL\n"
                                  "7000 P > A 487 INVITE\n"
                                  "7000 A > P ACK 1\n");
        close_world(&w);
    }
}

/* R16: an ICMP error can be forged: one does nothing, the second is death. */
static void refuses_later(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    net.no_probes = false;
    say_plan(w.p, 100, 0, 0);
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->refuses = true;
    net_until(&net, 3500);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 P > A 100 INVITE\n"
                   "1000 A > T OPTIONS 1\n"
                   "1000 T > A 200 OPTIONS\n"
                   "2000 A > P OPTIONS 1\n"
                   "2000 A > T OPTIONS 1\n"
                   "2000 T > A 200 OPTIONS\n"
                   "2250 A > P OPTIONS 1\n"
                   "2250 A words on\n"
                   "2250 A > T INVITE 1\n"
                   "2250 T > A 100 INVITE\n"
                   "2250 T > A 180 INVITE\n"
                   "2250 A words off\n"
                   "2250 A is ringing\n"
                   "3250 A > T OPTIONS 1\n"
                   "3250 T > A 200 OPTIONS\n");
    w.p->refuses = false;
    close_world(&w);
}

/* One error, and it answers the next probe: nothing has happened. */
static void refuses_once(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 0, 0);
    dial(&w);
    net_hush(&net);
    w.p->refuses = true;
    net.delay = 1 * DT_MS;
    net_until(&net, 2000);
    w.p->refuses = false;
    net_until(&net, 9000);
    net_flow(&net, "");
    assert_null(w.t->invite);
    close_world(&w);
}

/* The INVITE itself is refused: this path ends at once (R16), by the twin. */
static void refuses(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.p->refuses = true;
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1900);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 A words on\n"
                   "1000 A > T INVITE 1\n"
                   "1000 T > A 100 INVITE\n"
                   "1000 T > A 180 INVITE\n"
                   "1000 A words off\n"
                   "1000 A is ringing\n");
    w.p->refuses = false;
    close_world(&w);
}

/* The first came back as another boot; then the twin dies: back to the first. */
static void second_death(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 180, 0);
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    net_until(&net, 5000);
    w.p->dead = false;
    w.p->boot = 2;
    net_until(&net, 12000);
    w.t->dead = true;
    net_until(&net, 20000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1000 P > A 100 INVITE\n"
                   "1000 P > A 180 INVITE\n"
                   "1000 A is ringing\n"
                   "3250 A words on\n"
                   "3250 A > T INVITE 1\n"
                   "3250 T > A 100 INVITE\n"
                   "3250 T > A 180 INVITE\n"
                   "3250 A words off\n"
                   "13500 A words on\n"
                   "13500 A > P INVITE 1\n"
                   "13500 P > A 100 INVITE\n"
                   "13500 P > A 180 INVITE\n"
                   "13500 A words off\n");
    net_node_says(&net, w.p, w.a, 200, "callee");
    net_until(&net, 20100);
    net_flow(&net, "20000 P > A 200 INVITE\n"
                   "20000 A is talking\n"
                   "20000 A hears sendrecv\n"
                   "20000 A > P ACK 1\n");
    close_world(&w);
}

/* ---- CANCEL (R23) ---- */

/* The one that is known to be dead is not asked. */
static void cancel_dead(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 180, 0);
    say_plan(w.t, 100, 180, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    net_until(&net, 5000);
    net_hush(&net);
    net_hangup(&net, w.a);
    net_until(&net, 60000);
    net_flow(&net, "5000 A is ending\n"
                   "5000 A > T CANCEL 1\n"
                   "5000 T > A 200 CANCEL\n"
                   "5000 T > A 487 INVITE\n"
                   "5000 A ended 487\n"
                   "5000 A > T ACK 1\n");
    close_world(&w);
}

/* Its death is not known yet: T1 without a final, then the twin. */
static void cancel_unnoticed(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    say_plan(w.p, 100, 180, 0);
    dial(&w);
    net_until(&net, 1200);
    w.p->dead = true;
    w.t->invite = dt_sip_msg_keep(&dt_alloc_libc, w.p->invite); /* as found by R6 */
    net_hush(&net);
    net_hangup(&net, w.a);
    net_until(&net, 60000);
    net_flow(&net, "1200 A is ending\n"
                   "1200 A > P CANCEL 1\n"
                   "1700 A > P CANCEL 1\n"
                   "1700 A > T CANCEL 1\n"
                   "1700 T > A 200 CANCEL\n"
                   "1700 T > A 487 INVITE\n"
                   "1700 A ended 487\n"
                   "1700 A > P ACK 1\n"
                   "1700 A > T ACK 1\n");
    close_world(&w);
}

/* No CANCEL before a provisional: the path is kept, at the twin too, and cancelled by its first
 * 1xx. */
static void hangup_unheard(void **state)
{
    struct world w = open_world(NULL);

    (void)state;
    w.p->dead = true;
    say_plan(w.t, 0, 0, 0);
    dial(&w);
    net_until(&net, 1200);
    net_hangup(&net, w.a);
    net_until(&net, 3000);
    net_flow(&net, "1000 A > P INVITE 1\n"
                   "1200 A is ending\n"
                   "1500 A > P INVITE 1\n"
                   "1500 A > T INVITE 1\n"
                   "2000 A > T INVITE 1\n"
                   "3000 A > T INVITE 1\n");
    net_node_says(&net, w.t, w.a, 180, "callee");
    net_until(&net, 60000);
    net_flow(&net, "3000 T > A 180 INVITE\n"
                   "3000 A > T CANCEL 1\n"
                   "3000 T > A 200 CANCEL\n"
                   "3000 T > A 487 INVITE\n"
                   "3000 A ended 487\n"
                   "3000 A > T ACK 1\n");
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_primary),
        cmocka_unit_test(mute_primary),
        cmocka_unit_test(one_refuses),
        cmocka_unit_test(twin_refuses),
        cmocka_unit_test(both_answer),
        cmocka_unit_test(both_fork),
        cmocka_unit_test(both_busy),
        cmocka_unit_test(challenge_by_twin),
        cmocka_unit_test(dies_proceeding),
        cmocka_unit_test(dies_ringing),
        cmocka_unit_test(restarts),
        cmocka_unit_test(dies_alone),
        cmocka_unit_test(wakes),
        cmocka_unit_test(refuses_later),
        cmocka_unit_test(refuses_once),
        cmocka_unit_test(refuses),
        cmocka_unit_test(second_death),
        cmocka_unit_test(cancel_dead),
        cmocka_unit_test(cancel_unnoticed),
        cmocka_unit_test(hangup_unheard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
