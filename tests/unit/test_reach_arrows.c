/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What each event does in each situation of a dialling, as design.md 5 (R21 to R28) wants it: a
 * situation is played, the event comes, and what is ordered and what the path has come to is read
 * off. Each arrow of the table is played somewhere, or reach_never.h says why not. */
#include "reach_play.h"
#include "reach_never.h"

#include <stdio.h>

/* What is ordered: + words on, - words off, O open, N open with a new Call-ID, C cancel, U auth
 * (user), R redirect, P progress, T accept (take), K ack, B ack and bye, E end; a digit is the
 * path, if not 0. Behind it the state of the path: c calling, p proceeding, r ringing, x
 * cancelling, a answered, f failed, g gone, s stopped. A point: nothing is ordered, and the path
 * stays as it was. */
static const char order_letters[DT_ORDER_COUNT + 1] = "OCURPTKB+-E";
static const char state_letters[DT_PATH_STATE_COUNT + 1] = "ucprxafgs";

enum { GUIDE = DT_REACH_GUIDE, FAST = DT_REACH_FAST };

static const struct situation {
    int policy;
    unsigned servers; /* with a target each */
    unsigned path;    /* which one the event is about */
    const char *play; /* what happened before: EVENT/PATH, or EVENT for path 0 */
    const char *then; /* what follows, an event of PLAY_EVENTS, hang-up and tick each */
} situations[] = {
    /* 100 180 200 fork 401 302 503 482 486 time-out error dead mute twin hang-up tick */
    /* guide */
    {GUIDE, 2, 0, "",
     "p    Pr   Ta   Ta   Uc   Rc   Ef   Ef   Ef   +1N1g +1N1g .    .    .    .    ."},
    {GUIDE, 1, 0, "",
     "p    Pr   Ta   Ta   Uc   Rc   Ef   Ef   Ef   Eg   Eg   .    .    .    .    ."},
    {GUIDE, 2, 0, "100",
     ".    Pr   Ta   Ta   Uc   Rc   Ef   Ef   Ef   Eg   Eg   .    .    .    Cx   Cx"},
    {GUIDE, 2, 0, "180",
     ".    Pr   Ta   Ta   Uc   Rc   Ef   Ef   Ef   Eg   Eg   .    .    .    Cx   Cx"},
    {GUIDE, 2, 0, "timeout",
     "Cs   Cs   Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    -1g  ."},
    {GUIDE, 2, 0, "timeout 180",
     ".    .    Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    -1s  ."},
    {GUIDE, 2, 0, "200",
     ".    .    Ka   Ba   .    .    .    .    .    .    .    .    .    .    .    ."},
    {GUIDE, 2, 0, "timeout 200/1",
     "Cs   Cs   Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {GUIDE, 2, 0, "timeout 180 200/1",
     ".    .    Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {GUIDE, 2, 0, "hangup",
     "Cx   Cx   BEf  BEf  Ef   Ef   Ef   Ef   Ef   Eg   Eg   .    .    .    .    ."},
    {GUIDE, 2, 0, "180 hangup",
     ".    .    BEf  BEf  Ef   Ef   Ef   Ef   Ef   Es   Es   .    .    .    .    ."},
    {GUIDE, 2, 0, "timeout hangup",
     "Cs   Cs   Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {GUIDE, 2, 0, "timeout 180 hangup",
     ".    .    Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {GUIDE, 2, 0, "200 hangup",
     ".    .    Ka   Ba   .    .    .    .    .    .    .    .    .    .    .    ."},
    {GUIDE, 2, 0, "486",
     ".    .    Bf   Bf   .    .    .    .    .    .    .    .    .    .    .    ."},
    {GUIDE, 2, 0, "timeout timeout/1",
     "Cs   Cs   Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {GUIDE, 2, 0, "timeout timeout/1 180",
     ".    .    Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    /* fast */
    {FAST, 2, 0, "",
     "p    Pr   Ta   Ta   Uc   Rc   +1O1f Ef   Ef   +1O1g +1O1g +1O1c .    +c   .    ."},
    {FAST, 1, 0, "",
     "p    Pr   Ta   Ta   Uc   Rc   Ef   Ef   Ef   Eg   Eg   .    .    +c   .    ."},
    {FAST, 2, 0, "100",
     ".    Pr   Ta   Ta   Uc   Rc   +1O1f Ef   Ef   +1N1g +1N1g Cx   Cx   +p   Cx   Cx"},
    {FAST, 2, 0, "180",
     ".    Pr   Ta   Ta   Uc   Rc   +1O1f Ef   Ef   +1N1g +1N1g Cx   Cx   +r   Cx   Cx"},
    {FAST, 1, 0, "180",
     ".    Pr   Ta   Ta   Uc   Rc   Ef   Ef   Ef   N1g  N1g  .    Cx   +r   Cx   Cx"},
    {FAST, 2, 0, "dead",
     "-p   -Pr  -Ta  -Ta  -Uc  -Rc  -f   -f   -Ef  g    g    .    .    .    -1c  ."},
    {FAST, 2, 0, "dead 100/1",
     "p    Pr   TC1a TC1a Uc   Rc   f    f    C1Ef g    g    .    .    +c   C1c  C1c"},
    {FAST, 2, 0, "dead 100",
     ".    Pr   Ta   Ta   Uc   Rc   f    f    Ef   g    g    .    Cx   +p   Cx   Cx"},
    {FAST, 2, 0, "180 mute",
     ".    .    Ta   Ta   +1N1f +1N1f +1N1f +1N1f +1N1f +1N1s +1N1s .    .    .    .    +1N1s"},
    {FAST, 2, 0, "180 dead",
     ".    .    Ta   Ta   +1N1f +1N1f +1N1f +1N1f +1N1f +1N1s +1N1s .    .    .    .    +1N1s"},
    {FAST, 1, 0, "180 mute",
     ".    .    Ta   Ta   N1f  N1f  N1f  N1f  N1f  N1s  N1s  .    .    .    .    N1s"},
    {FAST, 2, 0, "dead 180 mute",
     ".    .    Ta   Ta   f    f    f    f    f    s    s    .    .    .    .    s"},
    {FAST, 2, 0, "180 twin mute",
     ".    .    -Ta  -Ta  N1f  N1f  N1f  N1f  N1f  N1s  N1s  .    .    .    -x   N1s"},
    {FAST, 2, 0, "dead 180 mute 100/1",
     ".    .    TC1a TC1a f    f    f    f    f    s    s    .    .    .    C1x  s"},
    {FAST, 2, 1, "180 mute 486 180/1",
     ".    P1r  T1a  T1a  U1c  R1c  E1f  E1f  E1f  E1g  E1g  .    C1x  +1r  C1x  ."},
    {FAST, 2, 1, "180 mute 486 180/1 mute/1",
     ".    .    T1a  T1a  E1f  E1f  E1f  E1f  E1f  E1s  E1s  .    .    .    .    E1s"},
    {FAST, 2, 1, "dead 100 mute tick",
     "p    P1r  T1a  T1a  U1c  R1c  N2f  N2f  E1f  N2g  N2g  .    .    +1c  .    ."},
    {FAST, 2, 0, "dead 482",
     ".    .    Bf   Bf   .    .    .    .    .    .    .    .    .    .    .    ."},
    {FAST, 2, 0, "timeout",
     "Cs   Cs   Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    -1g  ."},
    {FAST, 2, 0, "timeout 180",
     ".    .    Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    -1s  ."},
    {FAST, 2, 0, "200",
     ".    .    Ka   Ba   .    .    .    .    .    .    .    .    .    .    .    ."},
    {FAST, 2, 0, "dead 200/1",
     "Cx   Cx   Bf   Bf   f    f    f    f    f    g    g    .    .    .    .    ."},
    {FAST, 2, 0, "dead 100 200/1",
     ".    .    Bf   Bf   f    f    f    f    f    s    s    .    .    .    .    ."},
    {FAST, 2, 0, "dead 482 200/1",
     ".    .    Bf   Bf   .    .    .    .    .    .    .    .    .    .    .    ."},
    {FAST, 2, 0, "dead timeout 200/1",
     "Cs   Cs   Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {FAST, 2, 0, "dead timeout 180 200/1",
     ".    .    Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {FAST, 2, 0, "hangup",
     "Cx   Cx   BEf  BEf  Ef   Ef   Ef   Ef   Ef   Eg   Eg   .    .    .    .    ."},
    {FAST, 2, 0, "dead hangup",
     "Cx   Cx   Bf   Bf   f    f    f    f    f    g    g    .    .    .    .    ."},
    {FAST, 2, 0, "180 hangup",
     ".    .    BEf  BEf  Ef   Ef   Ef   Ef   Ef   Es   Es   .    .    .    .    ."},
    {FAST, 2, 0, "dead 482 hangup",
     ".    .    Bf   Bf   .    .    .    .    .    .    .    .    .    .    .    ."},
    {FAST, 2, 0, "dead timeout hangup",
     "Cs   Cs   Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {FAST, 2, 0, "dead timeout 180 hangup",
     ".    .    Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {FAST, 2, 0, "dead 486/1",
     "Cx   Cx   Bf   Bf   f    f    f    f    f    g    g    .    .    .    .    ."},
    {FAST, 2, 0, "dead 100 486/1",
     ".    .    Bf   Bf   f    f    f    f    f    s    s    .    .    .    .    ."},
    {FAST, 2, 0, "200 hangup",
     ".    .    Ka   Ba   .    .    .    .    .    .    .    .    .    .    .    ."},
    {FAST, 2, 0, "486",
     ".    .    Bf   Bf   .    .    .    .    .    .    .    .    .    .    .    ."},
    {FAST, 2, 0, "timeout timeout/1",
     "Cs   Cs   Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
    {FAST, 2, 0, "timeout timeout/1 180",
     ".    .    Bs   Bs   Ks   Ks   Ks   Ks   Ks   .    .    .    .    .    .    ."},
};

/* ---- playing ---- */

static const char *const words[PLAY_COLUMNS] = {
#define X(word) #word,
    PLAY_EVENTS(X)
#undef X
        "hangup",
    "tick"};

static bool played[2][DT_ATTEMPT_PHASE_COUNT][DT_PATH_STATE_COUNT][DT_PATH_EVENT_COUNT];

/* The next word, its end at a blank. */
static struct dt_str next_word(struct dt_str *rest)
{
    struct dt_str s = *rest;

    while (s.n && *s.p == ' ')
        s = dt_str_sub(s, 1, s.n);
    *rest = dt_str_sub(s, dt_str_find(s, ' '), s.n);
    return dt_str_sub(s, 0, dt_str_find(s, ' '));
}

static void play_word(struct play *p, struct dt_str word)
{
    size_t slash = dt_str_find(word, '/');
    unsigned path = slash < word.n ? (unsigned)(word.p[slash + 1] - '0') : 0;

    for (int what = 0; what < PLAY_COLUMNS; what++)
        if (dt_str_eq(dt_str_sub(word, 0, slash), dt_str_z(words[what]))) {
            play_act(p, what, path);
            return;
        }
    fail_msg("no such event: %.*s", DT_FMT(word));
}

static void set_scene(struct play *p, const struct situation *s)
{
    struct dt_str rest = dt_str_z(s->play), word;

    play_begin(p, (enum dt_reach_policy)s->policy, s->servers, (const unsigned[]){1, 1});
    for (unsigned server = 0; server < s->servers; server++)
        play_act(p, PLAY_FOUND, server);
    while ((word = next_word(&rest)).n)
        play_word(p, word);
}

/* ---- reading off ---- */

static void write_orders(const struct play *p, struct dt_writer *w)
{
    for (size_t i = 0; i < p->orders.n; i++) {
        const struct dt_order *o = &p->orders.list[i];
        char letter = o->kind == DT_ORDER_OPEN && o->fresh ? 'N' : order_letters[o->kind];
        dt_writef(w, "%c", letter);
        if (o->path)
            dt_writef(w, "%u", o->path);
    }
}

static void note_arrows(const struct dt_attempt *a, unsigned from, int policy)
{
    for (unsigned i = from; i < a->n_steps; i++) {
        const struct dt_attempt_step *s = &a->steps[i % DT_ATTEMPT_STEPS];
        played[policy][s->phase][s->before][s->event] = true;
    }
}

static void check_cell(const struct situation *s, int what, struct dt_str want)
{
    struct play p;
    char text[64];
    struct dt_writer w = dt_writer(text, sizeof(text));
    enum dt_path_state before;
    unsigned from;

    set_scene(&p, s);
    before = p.attempt.paths[s->path].state;
    from = p.attempt.n_steps;
    play_act(&p, what, s->path);
    note_arrows(&p.attempt, from, s->policy);
    write_orders(&p, &w);
    if (p.orders.n == 0 && p.attempt.paths[s->path].state == before)
        dt_write_lit(&w, ".");
    else
        dt_writef(&w, "%c", state_letters[p.attempt.paths[s->path].state]);
    if (!dt_str_eq(dt_writer_str(&w), want))
        fail_msg("%s, %u servers, \"%s\", then %s: want %.*s, got %.*s",
                 s->policy == FAST ? "fast" : "guide", s->servers, s->play, words[what],
                 DT_FMT(want), DT_FMT(dt_writer_str(&w)));
}

static void every_situation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(situations) / sizeof(*situations); i++) {
        struct dt_str rest = dt_str_z(situations[i].then);
        for (int what = 0; what < PLAY_COLUMNS; what++)
            check_cell(&situations[i], what, next_word(&rest));
        assert_int_equal(next_word(&rest).n, 0);
    }
}

/* ---- nothing is left out ---- */

static unsigned n_unplayed(enum dt_reach_policy policy)
{
    unsigned missing = 0;

    for (unsigned p = 0; p < DT_ATTEMPT_PHASE_COUNT; p++)
        for (unsigned s = 0; s < DT_PATH_STATE_COUNT; s++)
            for (unsigned e = 0; e < DT_PATH_EVENT_COUNT; e++) {
                if (dt_attempt_rule(policy, p, s, e) < 0 || played[policy][p][s][e] ||
                    reach_never_why(policy, p, s))
                    continue;
                missing++;
                print_error("%s, phase %u, %s, %s: in no situation\n",
                            policy == DT_REACH_FAST ? "fast" : "guide", p, dt_path_state_name(s),
                            dt_path_event_name(e));
            }
    return missing;
}

static void every_arrow(void **state)
{
    (void)state;
    assert_int_equal(n_unplayed(DT_REACH_GUIDE) + n_unplayed(DT_REACH_FAST), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_situation),
        cmocka_unit_test(every_arrow), /* behind it: judges what it played */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
