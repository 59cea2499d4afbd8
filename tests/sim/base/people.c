/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The base flows: the networks, and what the people in them do. */
#include "bed.h"

enum {
    PATIENCE_S = 75, /* over 64 T1 of one transaction, and an answer behind it */
    RETRIES_S = 400, /* a registration is tried again after a while */
    SENDS = 7        /* copies of an INVITE over UDP (I4): so many losses may end a transaction */
};

/* ---- tests ---- */

bool people_are_done(const struct bed *b)
{
    return !bed_busy(b, A) && !bed_busy(b, B) && !bed_busy(b, C);
}

static bool rings_or_given_up(const struct bed *b)
{
    return bed_has(b, B, RINGS) || bed_has(b, C, RINGS) || people_are_done(b);
}

static bool callee_rings(const struct bed *b)
{
    return bed_has(b, B, RINGS) || bed_has(b, C, RINGS);
}

static bool talks(const struct bed *b, int party)
{
    return bed_has(b, party, TALKING) && b->views[party].sound;
}

static bool talking(const struct bed *b)
{
    return talks(b, A) && (talks(b, B) || talks(b, C));
}

static bool talking_or_over(const struct bed *b)
{
    return talking(b) || people_are_done(b);
}

static bool held_or_over(const struct bed *b)
{
    return (bed_has(b, A, HOLDING) && bed_has(b, B, HELD)) || people_are_done(b);
}

static bool a_is_done(const struct bed *b)
{
    return !bed_busy(b, A);
}

static bool c_registered(const struct bed *b)
{
    return b->views[C].registered;
}

/* ---- expectations ---- */

/* It must come so or so: not to end is a failure. */
static bool expect(struct bed *b, const char *what, bed_test test)
{
    if (b->failed)
        return false;
    if (bed_until(b, test, PATIENCE_S * DT_SECOND))
        return true;
    if (!b->lenient)
        bed_fail(b, "%s: it never came, nor did it end", what);
    return false;
}

/* What was wanted did not come about. Only so many losses in one exchange excuse it. */
static void missed(struct bed *b, const char *what)
{
    if (!b->lenient && b->lost_at_a_hop < SENDS)
        bed_fail(b,
                 "%s: it does not come about, though at most %u packets of an exchange were lost",
                 what, b->lost_at_a_hop);
}

/* ---- what people do ---- */

static void pass(struct bed *b, dt_time t)
{
    (void)bed_until(b, NULL, t);
}

static bool set_up(struct bed *b, int callee)
{
    bed_type(b, A, callee == C ? "dial 1003" : "dial 1002");
    pass(b, DT_MS); /* until A has begun */
    if (!expect(b, "ringing", rings_or_given_up))
        return false;
    if (!callee_rings(b)) {
        missed(b, "ringing");
        return false;
    }
    pass(b, DT_SECOND);
    bed_type(b, callee, "answer");
    if (!expect(b, "talking", talking_or_over))
        return false;
    if (!talking(b))
        missed(b, "talking");
    return talking(b);
}

static void hang_up(struct bed *b)
{
    bed_type(b, A, "hangup");
    (void)expect(b, "the end of the call", people_are_done);
}

void people_call(struct bed *b, int callee)
{
    if (!set_up(b, callee))
        return;
    b->came = true;
    pass(b, 2 * DT_SECOND);
    hang_up(b);
}

static void play_call(struct bed *b)
{
    bed_count(b);
    people_call(b, B);
}

/* Hung up while it rings, or before it does. */
static void play_cancel(struct bed *b)
{
    bed_count(b);
    bed_type(b, A, "dial 1002");
    (void)bed_until(b, callee_rings, 3 * DT_SECOND);
    pass(b, 500 * DT_MS);
    bed_type(b, A, "hangup");
    (void)expect(b, "hanging up", a_is_done);
    b->came = bed_until(b, people_are_done, PATIENCE_S * DT_SECOND);
    if (!b->came)
        missed(b, "the end of the ringing"); /* the Expires of the INVITE ends it */
    if (b->views[A].talks + b->views[B].talks > 0)
        bed_fail(b, "a cancelled call is talked on");
}

/* A change that is not answered leaves the call as it was (14.1, R27). */
static bool change(struct bed *b, const char *command, bed_test test)
{
    bed_type(b, A, command);
    bool came = bed_until(b, test, PATIENCE_S * DT_SECOND) && !people_are_done(b);
    if (!came)
        missed(b, command);
    return came;
}

static void play_hold(struct bed *b)
{
    if (!set_up(b, B))
        return;
    pass(b, 2 * DT_SECOND);
    bed_count(b);
    b->came = change(b, "hold", held_or_over);
    pass(b, DT_SECOND);
    b->came = b->came && change(b, "resume", talking_or_over);
    pass(b, 2 * DT_SECOND);
    if (!people_are_done(b))
        hang_up(b);
}

static void play_registration(struct bed *b)
{
    bed_start(b, C);
    bed_count(b);
    b->came = bed_until(b, c_registered, RETRIES_S * DT_SECOND);
    if (!b->came && !b->lenient) /* the call afterwards shows whether it is */
        bed_fail(b, "C is never registered");
}

#define SECRET " password \"secret\""
#define OPEN "proxy P\nproxy S\nphone A 1001 primary P\nphone B 1002 primary P\n"
#define AUTH \
    "proxy P auth\nproxy S\nphone A 1001 primary P" SECRET "\nphone B 1002 primary P" SECRET "\n"
#define PAIR \
    "proxy P\nproxy S\npair P S\nphone A 1001 primary P backup S register both\n" \
    "phone B 1002 primary P backup S register both\n"
const struct base_flow base_flows[] = {
    {"call", "flow call\n" OPEN "wait 1\n", play_call, B, false},
    {"auth", "flow auth\n" AUTH "wait 1\n", play_call, B, false},
    {"cancel", "flow cancel\n" OPEN "wait 1\n", play_cancel, B, false},
    {"hold", "flow hold\n" OPEN "wait 1\n", play_hold, B, false},
    {"registration", "flow registration\n" AUTH "phone C 1003 primary P" SECRET " off\nC starts\n",
     play_registration, C, false},
    {"pair-call", "flow pair-call\n" PAIR "wait 1\n", play_call, B, true},
    {"pair-hold", "flow pair-hold\n" PAIR "wait 1\n", play_hold, B, true},
    {"tcp-call",
     "flow tcp-call\n" OPEN "set A proxy_transport tcp\nset B proxy_transport tcp\nwait 1\n",
     play_call, B, true},
};
const size_t base_flows_n = sizeof base_flows / sizeof *base_flows;
