/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TCP in the simulator: opening, refusal, time-out, order, closing, reset, hung and dead ends. */
#include "sim_kit.h"

/* Two nodes with stream 2 of `a` open to `b`, where it is #3. */
static void connected(struct wire_node **a, struct wire_node **b)
{
    wire_pair(a, b, 1);
    wire_connect(*a, *b, 2);
    wire_run(2);
    wire_expect("1 b open a #3 accepted|2 a open b #2|");
}

static void test_open_and_bytes(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    connected(&a, &b);
    wire_stream(a, 2, "hello");
    wire_stream(a, 2, "again");
    wire_run(1);
    wire_stream(b, 3, "yes");
    wire_run(10);
    wire_expect("3 b data a #3 hello|3 b data a #3 again|4 a data b #2 yes|");
    wire_stream(a, 4, "no such stream");
    wire_run(10);
    wire_expect("");
    wire_close();
}

static void test_close(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    connected(&a, &b);
    wire_stream(a, 2, "last words");
    wire_shut(a, 2);
    wire_stream(a, 2, "too late");
    wire_run(10);
    wire_expect("3 b data a #3 last words|3 b closed a #3 (closed by the other side)|");
    wire_stream(b, 3, "nobody");
    wire_shut(b, 3);
    wire_run(10);
    wire_expect("");
    assert_int_equal(dt_sim_pending(wire.sim), 0);
    wire_close();
}

/* Both close at once: neither hears more of it. */
static void test_close_both(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    connected(&a, &b);
    wire_shut(a, 2);
    wire_shut(b, 3);
    wire_run(10);
    wire_expect("");
    wire_close();
}

static void test_close_while_connecting(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    wire_connect(a, b, 2);
    wire_shut(a, 2);
    wire_run(10);
    wire_expect("");
    wire_connect(a, b, 4);
    wire_run(1);
    wire_shut(a, 4); /* the SYN was there, its answer is under way */
    wire_run(10);
    wire_expect("11 b open a #3 accepted|12 b closed a #3 (closed by the other side)|");
    wire_close();
}

static void test_refused(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    dt_sim_kill(wire.sim, b->node);
    wire_connect(a, b, 2);
    wire_run(100);
    wire_expect("2 a closed b #2 (refused by the other side)|");
    wire_close();
}

/* Black hole, cut, silence: nothing answers the SYN. */
static void test_timed_out(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct wire_node *a, *b;
        wire_pair(&a, &b, 1);
        if (how == 0)
            dt_sim_blackhole(b->node, true);
        if (how == 1)
            dt_sim_link(wire.sim, a->node, b->node)->cut = true;
        if (how == 2) {
            dt_sim_silent(b->node, true);
            dt_sim_kill(wire.sim, b->node);
        }
        if (how == 3)
            dt_sim_default_link(wire.sim)->loss = 1000;
        wire_connect(a, b, 2);
        wire_run(9999);
        wire_expect("");
        wire_run(1);
        wire_expect("10000 a closed b #2 (no answer in time)|");
        wire_close();
    }
}

static void test_reset_on_kill(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    connected(&a, &b);
    wire_stream(a, 2, "under way");
    dt_sim_kill(wire.sim, b->node);
    wire_run(10);
    wire_expect("3 a closed b #2 (closed by the other side)|");
    wire_close();
}

/* A silent death: bytes are not acknowledged; when the machine is back, it knows no connection. */
static void test_silent_death(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    connected(&a, &b);
    dt_sim_silent(b->node, true);
    dt_sim_kill(wire.sim, b->node);
    wire_run(1000);
    wire_expect("");
    wire_listen(b, DT_TCP);
    dt_sim_restart(wire.sim, b->node, b);
    wire_stream(a, 2, "are you there?");
    wire_run(10);
    wire_expect("1002 b listening|1003 a closed b #2 (closed by the other side)|");
    wire_close();
}

/* The survivor has the address, and resets what it does not know: at once what was on its way all
 * the time, else with the next bytes. New connections are its own. */
static void test_moved(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        connected(&a, &b);
        struct wire_node *c = wire_add("c");
        wire_run(0);
        wire_expect("2 c listening|2 c listening|");
        dt_sim_silent(b->node, true);
        dt_sim_kill(wire.sim, b->node);
        if (waits)
            wire_stream(a, 2, "to nobody");
        dt_sim_move(b->node, c->node);
        wire_run(2);
        if (!waits)
            wire_stream(a, 2, "to who does not know");
        wire_run(2);
        wire_expect(waits ? "4 a closed b #2 (closed by the other side)|"
                          : "6 a closed b #2 (closed by the other side)|");
        wire_connect(a, b, 4);
        wire_run(2);
        wire_expect("7 c open a #3 accepted|8 a open b #4|");
        wire_close();
    }
}

static void test_nobody_acknowledges(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    connected(&a, &b);
    dt_sim_silent(b->node, true);
    dt_sim_kill(wire.sim, b->node);
    wire_stream(a, 2, "one");
    wire_stream(a, 2, "two");
    wire_run(923999);
    wire_expect("");
    wire_run(1);
    wire_expect("924002 a closed b #2 (no answer in time)|");
    assert_int_equal(dt_sim_pending(wire.sim), 0);
    wire_close();
}

/* Never a gap: what follows lost bytes is lost, also when the way is open again. */
static void test_no_gap(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    connected(&a, &b);
    dt_sim_link(wire.sim, a->node, b->node)->cut = true;
    wire_stream(a, 2, "lost");
    dt_sim_link(wire.sim, a->node, b->node)->cut = false;
    wire_stream(a, 2, "behind it");
    wire_stream(b, 3, "the other way");
    wire_run(10);
    wire_expect("3 a data b #2 the other way|");
    wire_close();
}

/* Loss makes bytes late; their order stays, with jitter too. */
static void test_order(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    connected(&a, &b);
    struct dt_sim_link *link = dt_sim_default_link(wire.sim);
    link->loss = 300;
    link->jitter = 40 * DT_MS;
    char want[2 * 64 + 1] = "", got[2 * 64 + 1] = "";
    for (char c = '0'; c < '0' + 64; c++) {
        const char text[] = {c, '\0'};
        wire_stream(a, 2, text);
        want[strlen(want)] = text[0]; /* `want` is zeroed */
    }
    wire_run(60000);
    struct dt_reader r = dt_reader(dt_writer_str(&wire.log));
    while (!dt_reader_end(&r)) {
        struct dt_str line = dt_reader_until(&r, '\n');
        dt_reader_char(&r, '\n');
        strncat(got, &line.p[line.n - 1], 1);
    }
    assert_string_equal(got, want);
    assert_int_equal(wire.fates[DT_SIM_LOST], 0);
    wire_close();
}

/* The kernel of a hung process accepts and takes bytes; the process reads them when it wakes. */
static void test_hung_listener(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    dt_sim_hang(wire.sim, b->node);
    wire_connect(a, b, 2);
    wire_run(10);
    wire_expect("2 a open b #2|");
    wire_stream(a, 2, "hello");
    wire_shut(a, 2);
    wire_run(1000);
    dt_sim_wake(wire.sim, b->node);
    wire_run(0);
    wire_expect("1010 b open a #3 accepted|1010 b data a #3 hello|"
                "1010 b closed a #3 (closed by the other side)|");
    wire_close();
}

/* A node connected to itself is killed: both ends go. */
static void test_to_itself(void **state)
{
    struct wire_node *a, *b;
    (void)state;
    wire_pair(&a, &b, 1);
    wire_connect(a, a, 2);
    wire_run(10);
    wire_expect("1 a open a #3 accepted|2 a open a #2|");
    dt_sim_kill(wire.sim, a->node);
    wire_run(10);
    wire_expect("");
    assert_int_equal(dt_sim_pending(wire.sim), 0);
    wire_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_and_bytes), cmocka_unit_test(test_close),
        cmocka_unit_test(test_close_both),     cmocka_unit_test(test_close_while_connecting),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_timed_out),
        cmocka_unit_test(test_reset_on_kill),  cmocka_unit_test(test_silent_death),
        cmocka_unit_test(test_moved),          cmocka_unit_test(test_nobody_acknowledges),
        cmocka_unit_test(test_no_gap),         cmocka_unit_test(test_order),
        cmocka_unit_test(test_hung_listener),  cmocka_unit_test(test_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
