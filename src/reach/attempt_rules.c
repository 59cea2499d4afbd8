/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of decisions of one dialling (design.md 5). Each row says under which policy, in which
 * phase of the attempt and in which state of the path an event moves the path, and what is ordered.
 * The columns are the policies of R28. */
#include "reach/attempt_rules.h"

/* ---- names ---- */

static const char *const state_names[] = {
#define X(name, text) text,
    DT_PATH_STATES(X)
#undef X
};
static const char *const event_names[] = {
#define X(name, text) text,
    DT_PATH_EVENTS(X)
#undef X
};
static const char *const order_names[] = {
#define X(name, text) text,
    DT_ORDERS(X)
#undef X
};

const char *dt_path_state_name(enum dt_path_state s)
{
    return (unsigned)s < DT_PATH_STATE_COUNT ? state_names[s] : "?";
}

const char *dt_path_event_name(enum dt_path_event e)
{
    return (unsigned)e < DT_PATH_EVENT_COUNT ? event_names[e] : "?";
}

const char *dt_order_name(enum dt_order_kind k)
{
    return (unsigned)k < DT_ORDER_COUNT ? order_names[k] : "?";
}

/* The rows of R21 by status. */
enum dt_path_event dt_path_event_of(int status)
{
    if (status < 200)
        return status == 100 ? DT_PATH_EV_100 : DT_PATH_EV_1XX;
    if (status < 300)
        return DT_PATH_EV_2XX;
    if (status < 400)
        return DT_PATH_EV_REDIRECT;
    switch (status) {
    case 401:
    case 407:
        return DT_PATH_EV_AUTH;
    case 408:
    case 430:
    case 482:
        return DT_PATH_EV_SOFT;
    case 503:
        return DT_PATH_EV_BUSY_HOP;
    default:
        return status >= 500 && status < 600 ? DT_PATH_EV_SOFT : DT_PATH_EV_FINAL;
    }
}

/* ---- the table ---- */

enum column { GUIDE = 1, FAST = 2, BOTH = GUIDE | FAST };

#define P(name) (1u << DT_ATTEMPT_##name)
#define S(name) (1u << DT_PATH_##name)
#define E(name) (1u << DT_PATH_EV_##name)
#define ANY_PHASE (P(TRYING) | P(TAKEN) | P(LEAVING) | P(OVER))
#define TRIED (S(CALLING) | S(PROCEEDING) | S(RINGING))
#define HEARD (S(PROCEEDING) | S(RINGING))
#define UNWANTED (S(CALLING) | S(CANCELLING))
#define LATE (S(GONE) | S(STOPPED))
#define PROVISIONAL (E(100) | E(1XX))
#define SUCCESS (E(2XX) | E(2XX_FORK))
#define ENDS (E(BUSY_HOP) | E(SOFT) | E(FINAL))
#define FAILURE (ENDS | E(AUTH) | E(REDIRECT))
#define SAME DT__RULE_SAME

static const struct dt__attempt_rule rules[] = {
    /* An attempt that tries: R21 as R28's guide column has it. Any response stops the count
       (behaviour.md 1, item 2), so what fails ends the call and does not fail over. */
    {BOTH, P(TRYING), S(CALLING), E(100), DT_PATH_PROCEEDING, WORDS_OFF | ARM,
     "the proxy has the call and works on it: from now on the ringing time counts"},
    {BOTH, P(TRYING), TRIED, E(1XX), DT_PATH_RINGING, WORDS_OFF | ARM | PROGRESS,
     "the callee is being called: the ringing time counts, and no other target is tried while this "
     "one lives"},
    {BOTH, P(TRYING), TRIED, SUCCESS, DT_PATH_ANSWERED, WORDS_OFF | ACCEPT | CANCEL_OTHERS,
     "the callee answered: this is the call, and every other path is cancelled"},
    {BOTH, P(TRYING), TRIED, E(AUTH), DT_PATH_CALLING, WORDS_OFF | AUTH,
     "the proxy asks who calls: the same target is asked again with credentials"},
    {BOTH, P(TRYING), TRIED, E(REDIRECT), DT_PATH_CALLING, WORDS_OFF | REDIRECT,
     "the callee is elsewhere: the same server is asked again for the address that was given"},
    {GUIDE, P(TRYING), TRIED, ENDS, DT_PATH_FAILED, END,
     "an answer that refuses ends the call: guide tries the backup only where nothing answered"},
    {GUIDE, P(TRYING), S(CALLING), E(TIMEOUT) | E(ERROR), DT_PATH_GONE, NEXT,
     "nothing answered there: the next target is tried, and without one the call ends"},
    /* It got through to the primary: not for the backup (behaviour.md 1). RFC 3261 8.1.3.1 takes a
       transport error as 503. */
    {GUIDE, P(TRYING), HEARD, E(TIMEOUT) | E(ERROR), DT_PATH_GONE, END,
     "it had got through there and was lost: guide does not try the backup after an answer"},
    {BOTH, P(TRYING), HEARD, E(RING_OVER) | E(HANGUP), DT_PATH_CANCELLING, CANCEL,
     "the call is given up while the callee is being called: CANCEL stops the ringing"},
    /* R23, RFC 3261 9.1: no CANCEL before a provisional. */
    {BOTH, P(TRYING), S(CALLING), E(HANGUP), SAME, 0,
     "the call is given up before any answer: CANCEL has to wait for a provisional one"},
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), S(CALLING), PROVISIONAL, DT_PATH_CANCELLING, CANCEL,
     "a path that nobody wants any more gave a sign of life: now it can be cancelled"},

    /* `fast`, R21: what a hop says of itself leads on; what a callee says ends the call. */
    {FAST, P(TRYING), TRIED, E(BUSY_HOP), DT_PATH_FAILED, WORDS_OFF | NEXT_LAST,
     "the proxy itself refuses: the next target is tried as soon as no other path is open"},
    {FAST, P(TRYING), TRIED, E(SOFT), DT_PATH_FAILED, WORDS_OFF | END_LAST,
     "only this path failed: the call goes on while another path is open, else it ends with this "
     "answer"},
    {FAST, P(TRYING), TRIED, E(FINAL), DT_PATH_FAILED, CANCEL_OTHERS | END,
     "the callee decided: the call ends with this answer, and every other path is cancelled"},
    {FAST, P(TRYING), S(CALLING), E(TIMEOUT) | E(ERROR), DT_PATH_GONE, NEXT_LAST,
     "nothing answered there: the next target is tried as soon as no other path is open"},
    {FAST, P(TRYING), HEARD, E(TIMEOUT) | E(ERROR), DT_PATH_GONE, NEXT_NEW,
     "it had got through there and was lost: the number is dialled anew, once, as soon as no path "
     "is open"},
    {FAST, P(TRYING), TRIED, E(TWIN), SAME, WORDS_ON,
     "the twin of this proxy has the call now: the same path goes on there"},
    /* R25: the first path stays open; a callee that has its copy says 482 to the second. */
    {FAST, P(TRYING), S(CALLING), E(DEAD), SAME, NEXT,
     "the proxy is dead before it answered, and no twin serves: the next target is tried with the "
     "same Call-ID"},
    /* R24, R28: it got through, and is lost or foreign: CANCEL, then a new Call-ID (R26). */
    {FAST, P(TRYING), HEARD, E(DEAD) | E(MUTE), DT_PATH_CANCELLING, CANCEL,
     "it got through, but the proxy died or the callee is mute: CANCEL, and the number is dialled "
     "anew"},
    {FAST, P(TRYING), S(CANCELLING), SUCCESS, DT_PATH_ANSWERED, WORDS_OFF | ACCEPT | CANCEL_OTHERS,
     "the answer crossed the CANCEL: it is taken as the call, and every other path is cancelled"},
    {FAST, P(TRYING), S(CANCELLING), FAILURE, DT_PATH_FAILED, NEXT_NEW,
     "the cancelled path has ended: the number is dialled anew, once, as soon as no path is open"},
    {FAST, P(TRYING), S(CANCELLING), E(TIMEOUT) | E(ERROR) | E(LEFT), DT_PATH_STOPPED, NEXT_NEW,
     "the cancelled path says nothing more: the number is dialled anew, once, as soon as no path "
     "is open"},

    /* Paths that nobody wants any more, with their transaction. */
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), UNWANTED, SUCCESS, DT_PATH_FAILED, ACK_BYE | END_LAST,
     "an answer that nobody wants any more: it is acknowledged and hung up"},
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), UNWANTED, FAILURE, DT_PATH_FAILED, END_LAST,
     "a path that nobody wants any more has ended with a failure"},
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), S(CALLING), E(TIMEOUT) | E(ERROR), DT_PATH_GONE,
     END_LAST,
     "a path that nobody wants any more was never answered; late answers are looked after"},
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), S(CANCELLING), E(TIMEOUT) | E(ERROR), DT_PATH_STOPPED,
     END_LAST, "a cancelled path was never ended by the other side; late answers are looked after"},

    /* The answer that was taken: each copy gets its ACK (I6), other forks a BYE too (I13). */
    {BOTH, P(TAKEN) | P(OVER), S(ANSWERED), E(2XX), SAME, ACK,
     "the answer that was taken came again: it is acknowledged again"},
    {BOTH, P(TAKEN) | P(OVER), S(ANSWERED), E(2XX_FORK), SAME, ACK_BYE,
     "a second phone answered: it is acknowledged and hung up, so that there is one call"},
    /* A 2xx of another fork that crossed the failure (16.7 step 5 lets it through). */
    {BOTH, ANY_PHASE, S(FAILED), SUCCESS, SAME, ACK_BYE,
     "an answer came behind the failure of its path: it is acknowledged and hung up"},

    /* R27: late answers, without a transaction. */
    {BOTH, ANY_PHASE, S(GONE), PROVISIONAL, DT_PATH_STOPPED, CANCEL,
     "a path that was given up gave a late sign of life: CANCEL stops the ringing"},
    {BOTH, ANY_PHASE, LATE, SUCCESS, DT_PATH_STOPPED, ACK_BYE,
     "a path that was given up was answered late: it is acknowledged and hung up"},
    {BOTH, ANY_PHASE, LATE, FAILURE, DT_PATH_STOPPED, ACK,
     "a path that was given up failed late: the failure is acknowledged"},
};

static enum column column_of(enum dt_reach_policy policy)
{
    return policy == DT_REACH_FAST ? FAST : GUIDE;
}

int dt_attempt_rule(enum dt_reach_policy policy, enum dt_attempt_phase phase,
                    enum dt_path_state state, enum dt_path_event e)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        const struct dt__attempt_rule *r = &rules[i];
        if ((r->columns & column_of(policy)) && (r->phases & (1u << phase)) &&
            (r->states & (1u << state)) && (r->events & (1u << e)))
            return (int)i;
    }
    return -1;
}

const char *dt_attempt_rule_why(int row)
{
    return row >= 0 && (size_t)row < sizeof(rules) / sizeof(*rules) ? rules[row].why : NULL;
}

const struct dt__attempt_rule *dt__attempt_rule_at(int row)
{
    return &rules[row];
}
