/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ladders, to the byte. */
#include "trace_kit.h"

#include "trace/ladder.h"

static struct kit_alloc k;
static struct dt_record r;
static struct dt_ladder l;
static const uint16_t four[] = {0, 1, 2, 3};

static int setup(void **state)
{
    (void)state;
    kit_alloc_init(&k);
    dt_record_init(&r, &k.alloc);
    l = (struct dt_ladder){.record = &r, .lanes = four, .mark = SIZE_MAX, .steps = true};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dt_record_clear(&r);
    return k.live == 0 ? 0 : -1;
}

static void draw(const char *want)
{
    char text[8192];
    struct dt_writer w = dt_writer(text, sizeof text);
    l.n_lanes = r.n_parties;
    l.to = r.n;
    dt_ladder_write(&l, &w);
    assert_int_equal(w.err, DT_OK);
    kit_assert_str(dt_writer_str(&w), want);
}

static void note(dt_time at, enum dt_record_kind kind, uint16_t who, const char *text)
{
    dt_record_note(&r, at, kind, who, dt_str_z(text));
}

static void test_two_lanes(void **state)
{
    (void)state;
    kit_parties(&r, "AB");
    note(0, DT_REC_COMMAND, 0, "dial 1002");
    kit_sip(&r, 0, 0, 1, "INVITE", "1");
    kit_event(&r, 0, DT_EV_SCREEN, 0, "Calling 1002");
    kit_event(&r, 0, DT_EV_CALL, 0, "calling 1002"); /* not for people */
    kit_packet(&r, 1000, DT_REC_SENT, 0, 1, "\x80\x08voice");
    kit_sip(&r, 1500, 1, 0, "180 Ringing INVITE", "1");
    kit_event(&r, 2000, DT_EV_PROBLEM, 1, "no \x1b[2Jsound device");
    kit_sip(&r, 61234567, 1, 0, "200 OK BYE", "1");
    note(61234567, DT_REC_COMMAND, 1, "show");
    draw("step    seconds     A                                     B\n"
         "                    |                                     |\n"
         "          0.000     * dials 1002                          |\n"
         "1         0.000     |---------------INVITE--------------->|\n"
         "          0.000     | [Calling 1002]                      |\n"
         "2         0.001     |<------------180 Ringing-------------|\n"
         "          0.002     |                                     | ! no ?[2Jsound device\n"
         "3        61.234     |<-----------200 OK (BYE)-------------|\n"
         "         61.234     |                                     * is told: show\n");
}

/* The guide's page: seven INVITEs to a dead proxy, then past it. */
static void test_fold_and_dead_lane(void **state)
{
    (void)state;
    const int64_t at[] = {0, 500, 1500, 3500, 7500, 15500, 31500};
    kit_parties(&r, "APSB");
    note(0, DT_REC_FAULT, 1, "blackhole");
    for (int i = 0; i < 7; i++)
        kit_sip(&r, at[i] * DT_MS, 0, 1, "INVITE", "1");
    kit_event(&r, 0, DT_EV_SCREEN, 0, "Calling 1002");
    kit_sip(&r, 32000 * DT_MS, 0, 2, "INVITE", "2");
    kit_event(&r, 32000 * DT_MS, DT_EV_SCREEN, 0, "Network Delay, Trying Backup");
    kit_sip(&r, 32001 * DT_MS, 2, 3, "INVITE", "3");
    kit_event(&r, 32001 * DT_MS, DT_EV_SCREEN, 3, "1001 is calling");
    kit_sip(&r, 32002 * DT_MS, 3, 0, "486 Busy Here INVITE", "3");
    draw("step    seconds     A                       P                       S                  "
         "     B\n"
         "                    |                       |                       |                  "
         "     |\n"
         "          0.000     |                       X becomes a black hole  |                  "
         "     |\n"
         "1-7       0.000     |-------INVITE x7------x:                       |                  "
         "     |\n"
         "          0.000     | [Calling 1002]        :                       |                  "
         "     |\n"
         "         31.500     | - - the last of 7 - -x:                       |                  "
         "     |\n"
         "8        32.000     |--------INVITE---------:---------------------->|                  "
         "     |\n"
         "         32.000     | [Network Delay, Trying Backup]                |                  "
         "     |\n"
         "9        32.001     |                       :                       |--------INVITE----"
         "---->|\n"
         "         32.001     |                       :                       |     [1001 is "
         "calling] |\n"
         "10       32.002     |<----------------------:-----------------------+-----486 Busy "
         "Here-----|\n");
}

/* Lost ones end in an x, repeats only if all of them were; another message between ends a fold. */
static void test_lost(void **state)
{
    (void)state;
    kit_parties(&r, "AB");
    for (int i = 0; i < 3; i++) {
        size_t sent = kit_sip(&r, i * 500 * DT_MS, 0, 1, "BYE", "1");
        char text[512];
        snprintf(text, sizeof text, "%.*s", DT_FMT(dt_bytes_str(r.items[sent].bytes)));
        if (i < 2)
            kit_packet(&r, i * 500 * DT_MS, DT_REC_LOST, 0, 1, text);
        if (i == 0)
            kit_sip(&r, 100 * DT_MS, 1, 0, "OPTIONS", "2");
    }
    draw("step    seconds     A                                     B\n"
         "                    |                                     |\n"
         "1         0.000     |-----------------BYE----------------x|\n"
         "2         0.100     |<--------------OPTIONS---------------|\n"
         "3-4       0.500     |---------------BYE x2--------------->|\n"
         "          1.000     | - - - - -  the last of 2  - - - - ->|\n");
}

static void test_faults(void **state)
{
    (void)state;
    kit_parties(&r, "AB");
    note(0, DT_REC_FAULT, 1, "kill");
    l.from = 1; /* before what is drawn, but it lasts */
    kit_sip(&r, 1000, 0, 1, "INVITE", "1");
    note(2000, DT_REC_FAULT, 1, "restart");
    note(3000, DT_REC_FAULT, 0, "hang");
    note(4000, DT_REC_FAULT, 0, "wake");
    note(5000, DT_REC_FAULT, 0, "sawn off");
    draw("step    seconds     A                                     B\n"
         "                    |                                     :\n"
         "1         0.001     |---------------INVITE---------------x:\n"
         "          0.002     |                                     X restarts\n"
         "          0.003     X hangs                               |\n"
         "          0.004     X wakes                               |\n"
         "          0.005     X -- sawn off                         |\n");
}

static void test_mark(void **state)
{
    (void)state;
    kit_parties(&r, "AB");
    kit_sip(&r, 0, 0, 1, "INVITE", "1");
    kit_sip(&r, 1000, 1, 0, "404 Not Found INVITE", "1");
    l.mark = 1;
    l.mark_text = DT_STR("line 7: another message came");
    l.steps = false;
    l.live = true;
    l.zero = -1230 * DT_MS;
    draw("        seconds     A                                     B\n"
         "                    |                                     |\n"
         "           1.23     |---------------INVITE--------------->|\n"
         ">>> line 7: another message came\n"
         "           1.23     |<-----------404 Not Found------------|\n");
    l.mark = 2;
    l.zero = 10 * DT_SECOND;
    draw("        seconds     A                                     B\n"
         "                    |                                     |\n"
         "         -10.00     |---------------INVITE--------------->|\n"
         "          -9.99     |<-----------404 Not Found------------|\n"
         ">>> line 7: another message came\n");
}

/* A long label ends with a whole word; strangers are not drawn. */
static void test_labels_that_do_not_fit(void **state)
{
    (void)state;
    kit_parties(&r, "APSB");
    kit_sip(&r, 0, 1, 0, "407 Proxy Authentication Required REGISTER", "1");
    kit_sip(&r, 0, 0, 77, "INVITE", "2");
    kit_sip(&r, 0, 0, 0, "INVITE", "3");
    draw("step    seconds     A                       P                       S                  "
         "     B\n"
         "                    |                       |                       |                  "
         "     |\n"
         "1         0.000     |<------407 Proxy-------|                       |                  "
         "     |\n");
}

/* A thousand calls at once, each message sent twice: in a moment, and within the page. */
static void test_many(void **state)
{
    static char text[4 << 20];
    (void)state;
    kit_parties(&r, "APSB");
    for (unsigned i = 0; i < 20000; i++) {
        char branch[16];
        snprintf(branch, sizeof branch, "%u", i / 2);
        kit_sip(&r, i, i % 3, i % 3 + 1, "INVITE", branch);
        if (i % 100 == 0)
            kit_event(&r, i, DT_EV_SCREEN, (uint16_t)(i / 100 % 4), "Network Delay, Trying Backup");
    }
    struct dt_writer w = dt_writer(text, sizeof text);
    l.n_lanes = 4;
    l.to = r.n;
    dt_ladder_write(&l, &w);
    assert_int_equal(w.err, DT_OK);
    struct dt_reader in = dt_reader(dt_writer_str(&w));
    size_t lines = 0;
    for (; !dt_reader_end(&in); lines++) {
        assert_true(dt_reader_until(&in, '\n').n <= 100);
        dt_reader_char(&in, '\n');
    }
    assert_int_equal(lines, 20000 + 200 + 2);
}

static void test_no_room(void **state)
{
    char text[64];
    (void)state;
    kit_parties(&r, "AB");
    kit_sip(&r, 0, 0, 1, "INVITE", "1");
    struct dt_writer w = dt_writer(text, sizeof text);
    l.n_lanes = 2;
    l.to = r.n;
    dt_ladder_write(&l, &w);
    assert_int_equal(w.err, DT_E_LIMIT);
}

static void test_lines(void **state)
{
    char text[512];
    (void)state;
    struct dt_writer w = dt_writer(text, sizeof text);
    kit_parties(&r, "AB");
    kit_sip(&r, 1500 * DT_MS, 0, 1, "INVITE", "1");
    kit_sip(&r, 1501 * DT_MS, 9, 1, "200 OK BYE", "1");
    note(1502 * DT_MS, DT_REC_FAULT, 0, "blackhole");
    note(1503 * DT_MS, DT_REC_COMMAND, 0, "dial 1002");
    kit_event(&r, 1504 * DT_MS, DT_EV_SCREEN, 1, "Ringing\x07");
    for (size_t i = 0; i < r.n; i++) {
        dt_ladder_line(&r, &r.items[i], DT_SECOND, &w);
        dt_write_char(&w, '|');
    }
    kit_assert_str(dt_writer_str(&w), "   0.500  A -> B  INVITE|   0.501  ? -> B  200 OK (BYE)|"
                                      "   0.502  A becomes a black hole|   0.503  A dials 1002|"
                                      "   0.504  B [Ringing?]|");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_two_lanes), TEST(test_fold_and_dead_lane),
        TEST(test_lost),      TEST(test_faults),
        TEST(test_mark),      TEST(test_labels_that_do_not_fit),
        TEST(test_many),      TEST(test_no_room),
        TEST(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
