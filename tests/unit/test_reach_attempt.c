/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of an attempt, pair by pair, and diallings as lines of events and orders. */
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "dualtone/reach.h"

/* ---- pair by pair ---- */

#define P(name) (1u << DT_ATTEMPT_##name)
#define S(name) (1u << DT_PATH_##name)
#define E(name) (1u << DT_PATH_EV_##name)
#define ALL 0xfffffu
#define RESPONSES \
    (E(100) | E(1XX) | E(2XX) | E(2XX_FORK) | E(AUTH) | E(REDIRECT) | E(BUSY_HOP) | E(SOFT) | \
     E(FINAL))
#define LOST (E(TIMEOUT) | E(ERROR))
#define MOVES (E(DEAD) | E(MUTE) | E(TWIN) | E(LEFT))

/* What no row serves, and why that is right. A pair that is in neither is a bug. */
struct ignored {
    unsigned phases, states, events;
    const char *why;
};
static const struct ignored by_both[] = {
    {ALL, S(UNUSED), ALL, "no such path yet"},
    {P(TRYING), S(PROCEEDING) | S(RINGING), E(100), "a second 100 says nothing new"},
    {P(TRYING) | P(LEAVING) | P(TAKEN) | P(OVER), S(CANCELLING) | S(ANSWERED) | S(FAILED),
     E(100) | E(1XX), "a provisional behind the decision"},
    {ALL, S(STOPPED), E(100) | E(1XX), "CANCEL leaves once (I7)"},
    {ALL, S(CALLING), E(RING_OVER), "armed by the first provisional only (R19)"},
    {P(TAKEN) | P(LEAVING) | P(OVER), ALL, E(RING_OVER) | E(HANGUP), "nothing to leave any more"},
    {ALL, S(CANCELLING) | S(ANSWERED) | S(FAILED) | S(GONE) | S(STOPPED), E(RING_OVER) | E(HANGUP),
     "ended already"},
    {ALL, S(ANSWERED) | S(FAILED) | S(GONE) | S(STOPPED), LOST, "its transaction has ended"},
    {ALL, S(ANSWERED) | S(FAILED), RESPONSES & ~(E(2XX) | E(2XX_FORK)),
     "repeats are absorbed by the transaction"},
    {P(TRYING) | P(LEAVING), S(ANSWERED), ALL, "an answer ends the trying"},
    {P(LEAVING) | P(TAKEN) | P(OVER), S(PROCEEDING) | S(RINGING), ALL,
     "leaving and taking cancel each such path"},
};

static const struct ignored by_guide[] = {
    {P(TRYING), S(CANCELLING), ALL, "who cancels does not try any more"},
    {ALL, ALL, MOVES, "fast only"},
};
static const struct ignored by_fast[] = {
    {ALL & ~P(TRYING), ALL, MOVES, "nothing is tried any more"},
    {P(TRYING), S(CALLING), E(MUTE) | E(LEFT), "it never rang"},
    {P(TRYING), S(PROCEEDING) | S(RINGING), E(LEFT), "it is not left"},
    {P(TRYING), S(CANCELLING), E(DEAD) | E(MUTE) | E(TWIN), "left already"},
    {P(TRYING), S(ANSWERED) | S(FAILED) | S(GONE) | S(STOPPED), MOVES, "its transaction has ended"},
};

static bool is_in(const struct ignored *list, size_t n, unsigned phase, unsigned state,
                  unsigned event)
{
    for (size_t i = 0; i < n; i++)
        if ((list[i].phases >> phase & 1) && (list[i].states >> state & 1) &&
            (list[i].events >> event & 1))
            return true;
    return false;
}
#define IS_IN(list, p, s, e) is_in(list, sizeof(list) / sizeof(*(list)), p, s, e)

static void each_pair(void **unused)
{
    bool used[64] = {false};
    int rows = 0;

    (void)unused;
    for (unsigned k = 0; k < 2 * DT_ATTEMPT_PHASE_COUNT; k++)
        for (unsigned s = 0; s < DT_PATH_STATE_COUNT; s++)
            for (unsigned e = 0; e < DT_PATH_EVENT_COUNT; e++) {
                unsigned p = k / 2;
                bool fast = k % 2;
                int row =
                    dt_attempt_rule(fast ? DT_REACH_FAST : DT_REACH_GUIDE, (enum dt_attempt_phase)p,
                                    (enum dt_path_state)s, (enum dt_path_event)e);
                bool nothing = IS_IN(by_both, p, s, e) ||
                               (fast ? IS_IN(by_fast, p, s, e) : IS_IN(by_guide, p, s, e));
                if ((row < 0) != nothing)
                    fail_msg("%s, phase %u, %s, %s: row %d", fast ? "fast" : "guide", p,
                             dt_path_state_name((enum dt_path_state)s),
                             dt_path_event_name((enum dt_path_event)e), row);
                if (row >= 0) {
                    used[row] = true;
                    rows = row > rows ? row : rows;
                }
            }
    for (int i = 0; i <= rows; i++)
        if (!used[i])
            fail_msg("row %d is never reached", i);
}

/* ---- statuses ---- */

static void statuses(void **unused)
{
    static const struct {
        int status;
        enum dt_path_event event;
    } rows[] = {
        {100, DT_PATH_EV_100},      {101, DT_PATH_EV_1XX},      {180, DT_PATH_EV_1XX},
        {199, DT_PATH_EV_1XX},      {200, DT_PATH_EV_2XX},      {299, DT_PATH_EV_2XX},
        {300, DT_PATH_EV_REDIRECT}, {380, DT_PATH_EV_REDIRECT}, {400, DT_PATH_EV_FINAL},
        {401, DT_PATH_EV_AUTH},     {404, DT_PATH_EV_FINAL},    {407, DT_PATH_EV_AUTH},
        {408, DT_PATH_EV_SOFT},     {430, DT_PATH_EV_SOFT},     {482, DT_PATH_EV_SOFT},
        {486, DT_PATH_EV_FINAL},    {500, DT_PATH_EV_SOFT},     {503, DT_PATH_EV_BUSY_HOP},
        {599, DT_PATH_EV_SOFT},     {600, DT_PATH_EV_FINAL},    {699, DT_PATH_EV_FINAL},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(dt_path_event_of(rows[i].status), rows[i].event);
}

/* The guide's numbers (R28). */
static void patience(void **unused)
{
    static const struct {
        unsigned repeats;
        dt_time wait;
    } rows[] = {
        {0, 500 * DT_MS},   {1, 1500 * DT_MS},   {2, 3500 * DT_MS},   {3, 7500 * DT_MS},
        {5, 31500 * DT_MS}, {6, 32 * DT_SECOND}, {7, 32 * DT_SECOND}, {400, 32 * DT_SECOND},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(dt_attempt_patience(500 * DT_MS, rows[i].repeats), rows[i].wait);
    assert_int_equal(dt_attempt_patience(50 * DT_MS, 6), 3200 * DT_MS);
}

/* ---- diallings ---- */

static struct dt_attempt attempt;
static dt_time now;
static struct dt_orders orders;

static void begin(unsigned servers)
{
    struct dt_attempt_config cfg = {.policy = DT_REACH_GUIDE,
                                    .servers = servers,
                                    .repeats = 6,
                                    .t1 = 500 * DT_MS,
                                    .ring_time = 180 * DT_SECOND};

    dt_attempt_init(&attempt, &cfg);
    now = 0;
    orders.n = 0;
}

/* `n` targets of a server; 0: none. */
static void found(unsigned server, size_t n)
{
    struct dt_addr list[DT_ATTEMPT_TARGETS + 2] = {0};

    for (size_t i = 0; i < n; i++)
        list[i] = (struct dt_addr){.ip = {10, 0, (uint8_t)server, (uint8_t)(i + 1)}, .family = 4};
    dt_attempt_found(&attempt, now, server, list, n, n ? DT_OK : DT_E_ABSENT, &orders);
}

static void event(unsigned path, enum dt_path_event e)
{
    dt_attempt_event(&attempt, now, path, e, e == DT_PATH_EV_TIMEOUT ? DT_E_TIMEOUT : DT_E_REFUSED,
                     &orders);
}

static void tick(dt_time at)
{
    now = at;
    dt_attempt_tick(&attempt, now, &orders);
}

/* "open 0, words on 1, open 1 fresh, end 1 no answer in time" */
#define expect(want) expect_at((want), __LINE__)
static void expect_at(const char *want, int line)
{
    char text[400] = "";
    size_t n = 0;

    for (size_t i = 0; i < orders.n; i++) {
        const struct dt_order *o = &orders.list[i];
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %u%s%s%s", i ? ", " : "",
                              dt_order_name(o->kind), o->path, o->fresh ? " fresh" : "",
                              o->err ? " " : "", o->err ? dt_err_text(o->err) : "");
    }
    if (strcmp(text, want) != 0)
        fail_msg("line %d: want \"%s\", got \"%s\"", line, want, text);
    orders.n = 0;
}

/* R25: the same Call-ID by the next target, the first path stays; a 482 leaves it open. */
static void fast_strangers(void **unused)
{
    (void)unused;
    begin(2);
    attempt.cfg.policy = DT_REACH_FAST;
    found(0, 1);
    found(1, 1);
    expect("open 0");
    event(0, DT_PATH_EV_DEAD);
    expect("words on 1, open 1");
    event(1, DT_PATH_EV_SOFT);
    expect("words off 1");
    event(0, DT_PATH_EV_1XX);
    expect("progress 0");
    event(0, DT_PATH_EV_2XX);
    expect("accept 0");
}

/* R28, R26: it got through and died: CANCEL, and 2 s later a new Call-ID, once. */
static void fast_renewed(void **unused)
{
    (void)unused;
    begin(2);
    attempt.cfg.policy = DT_REACH_FAST;
    found(0, 1);
    found(1, 1);
    expect("open 0");
    event(0, DT_PATH_EV_100);
    event(0, DT_PATH_EV_DEAD);
    expect("cancel 0");
    assert_int_equal(dt_attempt_deadline(&attempt), 2 * DT_SECOND);
    tick(2 * DT_SECOND);
    expect("words on 1, open 1 fresh");
    event(1, DT_PATH_EV_1XX);
    expect("words off 1, progress 1");
    event(1, DT_PATH_EV_DEAD); /* nowhere to go */
    expect("");
}

static void silent_primary(void **unused)
{
    (void)unused;
    begin(2);
    expect("");
    found(0, 1);
    expect("open 0");
    found(1, 1);
    expect("");
    now = 32 * DT_SECOND;
    event(0, DT_PATH_EV_TIMEOUT);
    expect("words on 1, open 1 fresh");
    event(1, DT_PATH_EV_100);
    expect("words off 1");
    event(1, DT_PATH_EV_1XX);
    expect("progress 1");
    event(0, DT_PATH_EV_1XX); /* late: R27 */
    expect("cancel 0");
    event(0, DT_PATH_EV_1XX);
    expect("");
    event(0, DT_PATH_EV_FINAL);
    expect("ack 0");
    event(0, DT_PATH_EV_2XX);
    expect("ack and bye 0");
    event(1, DT_PATH_EV_2XX);
    expect("accept 1");
    event(1, DT_PATH_EV_2XX);
    expect("ack 1");
    event(1, DT_PATH_EV_2XX_FORK);
    expect("ack and bye 1");
    assert_false(dt_attempt_done(&attempt, now));
    assert_int_equal(dt_attempt_deadline(&attempt), (32 + 180 + 32) * DT_SECOND);
    tick((32 + 180 + 32) * DT_SECOND);
    assert_true(dt_attempt_done(&attempt, now));
    assert_int_equal(dt_attempt_deadline(&attempt), DT_TIME_NEVER);
}

static void backup_is_found_late(void **unused)
{
    (void)unused;
    begin(2);
    found(0, 1);
    event(0, DT_PATH_EV_ERROR);
    expect("open 0");
    found(1, 1);
    expect("words on 1, open 1 fresh");
    event(1, DT_PATH_EV_ERROR);
    expect("words off 1, end 1 refused by the other side");
}

static void nothing_found(void **unused)
{
    (void)unused;
    begin(2);
    found(1, 0);
    expect("");
    found(0, 0);
    expect("end 0 not there");
    assert_true(dt_attempt_done(&attempt, now));
    begin(2);
    found(0, 0);
    found(1, 2);
    expect("words on 0, open 0");
}

/* RFC 3263 4.3: the other addresses of a name keep the Call-ID. */
static void several_addresses(void **unused)
{
    (void)unused;
    begin(2);
    found(0, DT_ATTEMPT_TARGETS + 2);
    found(1, 1);
    expect("open 0");
    for (unsigned i = 0; i + 1 < DT_ATTEMPT_TARGETS; i++) {
        char want[20];
        event(i, DT_PATH_EV_ERROR);
        snprintf(want, sizeof(want), "open %u", i + 1);
        expect(want);
    }
    event(DT_ATTEMPT_TARGETS - 1, DT_PATH_EV_ERROR);
    expect("words on 4, open 4 fresh");
}

static void credentials(void **unused)
{
    (void)unused;
    begin(1);
    found(0, 1);
    event(0, DT_PATH_EV_AUTH);
    event(0, DT_PATH_EV_AUTH);
    event(0, DT_PATH_EV_AUTH);
    expect("open 0, auth 0, auth 0, end 0");
}

static void redirections(void **unused)
{
    (void)unused;
    begin(1);
    found(0, 1);
    for (int i = 0; i <= DT_ATTEMPT_REDIRECTS; i++)
        event(0, DT_PATH_EV_REDIRECT);
    expect("open 0, redirect 0, redirect 0, redirect 0, redirect 0, redirect 0, end 0");
}

/* R19: the ringing time counts from the INVITE, once a provisional has come. */
static void ringing_time(void **unused)
{
    (void)unused;
    begin(2);
    found(0, 1);
    found(1, 1);
    assert_int_equal(dt_attempt_deadline(&attempt), DT_TIME_NEVER);
    now = 3 * DT_SECOND;
    event(0, DT_PATH_EV_100);
    assert_int_equal(dt_attempt_deadline(&attempt), 180 * DT_SECOND);
    orders.n = 0;
    tick(180 * DT_SECOND - 1);
    expect("");
    tick(180 * DT_SECOND);
    expect("cancel 0");
    event(0, DT_PATH_EV_FINAL);
    expect("end 0 no answer in time");
}

static void hang_up(void **unused)
{
    static const struct {
        enum dt_path_event before; /* HANGUP: nothing */
        enum dt_path_event after;
        const char *want;
    } rows[] = {
        {DT_PATH_EV_HANGUP, DT_PATH_EV_1XX, "cancel 0"},
        {DT_PATH_EV_HANGUP, DT_PATH_EV_2XX, "ack and bye 0, end 0"},
        {DT_PATH_EV_HANGUP, DT_PATH_EV_FINAL, "end 0"},
        {DT_PATH_EV_HANGUP, DT_PATH_EV_AUTH, "end 0"},
        {DT_PATH_EV_HANGUP, DT_PATH_EV_TIMEOUT, "end 0"},
        {DT_PATH_EV_100, DT_PATH_EV_FINAL, "cancel 0, end 0"},
        {DT_PATH_EV_1XX, DT_PATH_EV_2XX, "cancel 0, ack and bye 0, end 0"},
        {DT_PATH_EV_1XX, DT_PATH_EV_TIMEOUT, "cancel 0, end 0"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        begin(2);
        found(0, 1);
        found(1, 1);
        event(0, rows[i].before); /* HANGUP is refused there */
        orders.n = 0;
        dt_attempt_hangup(&attempt, now, &orders);
        event(0, rows[i].after);
        expect(rows[i].want);
        assert_int_equal(attempt.n_paths, 1); /* no backup any more */
    }
    begin(2);
    dt_attempt_hangup(&attempt, now, &orders);
    expect("end 0");
    found(0, 1);
    expect("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pair),
        cmocka_unit_test(statuses),
        cmocka_unit_test(patience),
        cmocka_unit_test(fast_strangers),
        cmocka_unit_test(fast_renewed),
        cmocka_unit_test(silent_primary),
        cmocka_unit_test(backup_is_found_late),
        cmocka_unit_test(nothing_found),
        cmocka_unit_test(several_addresses),
        cmocka_unit_test(credentials),
        cmocka_unit_test(redirections),
        cmocka_unit_test(ringing_time),
        cmocka_unit_test(hang_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
