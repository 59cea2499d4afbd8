/* SPDX-License-Identifier: BSD-2-Clause */
#include "stack/rules.h"

/* INVITE client transaction: RFC 3261 17.1.1.2 (figure 5), RFC 6026 7.2. */
static const struct dt__rule ict_rules[] = {
    {ST_CALLING, EV_RX_1XX, ST_PROCEEDING, DO_STOP | DO_DELIVER},
    {ST_CALLING, EV_RX_2XX, ST_ACCEPTED, DO_SHED_ALL | DO_END_64T1 | DO_DELIVER},           /* M */
    {ST_CALLING, EV_RX_FAIL, ST_COMPLETED, DO_ACK | DO_SHED | DO_END_32S_UDP | DO_DELIVER}, /* D */
    {ST_CALLING, EV_RESEND, ST_CALLING, DO_REPEAT | DO_DOUBLE},                             /* A */
    {ST_CALLING, EV_END, ST_TERMINATED, DO_FAIL},                                           /* B */
    {ST_CALLING, EV_TRANSPORT, ST_TERMINATED, DO_FAIL},
    {ST_PROCEEDING, EV_RX_1XX, ST_PROCEEDING, DO_DELIVER},
    {ST_PROCEEDING, EV_RX_2XX, ST_ACCEPTED, DO_SHED_ALL | DO_END_64T1 | DO_DELIVER}, /* M */
    {ST_PROCEEDING, EV_RX_FAIL, ST_COMPLETED,
     DO_ACK | DO_SHED | DO_END_32S_UDP | DO_DELIVER}, /* D */
    {ST_PROCEEDING, EV_END, ST_TERMINATED, DO_FAIL},  /* 64 T1 after a CANCEL (9.1) */
    {ST_ACCEPTED, EV_RX_2XX, ST_ACCEPTED, DO_DELIVER},
    {ST_ACCEPTED, EV_END, ST_TERMINATED, 0}, /* M */
    {ST_COMPLETED, EV_RX_FAIL, ST_COMPLETED, DO_ACK},
    {ST_COMPLETED, EV_END, ST_TERMINATED, 0}, /* D */
    /* enum dt_given_up: not of RFC 3261 */
    {ST_CALLING, EV_LOST, ST_GIVEN_UP, DO_END_64T1 | DO_FAIL},
    {ST_PROCEEDING, EV_LOST, ST_GIVEN_UP, DO_END_64T1 | DO_FAIL},
    {ST_GIVEN_UP, EV_RX_1XX, ST_GIVEN_UP, DO_CANCEL},
    {ST_GIVEN_UP, EV_RX_2XX, ST_GIVEN_UP, DO_STRAY},
    {ST_GIVEN_UP, EV_RX_FAIL, ST_COMPLETED, DO_ACK | DO_SHED | DO_END_32S_UDP},
    {ST_GIVEN_UP, EV_END, ST_TERMINATED, 0},
};

/* Non-INVITE client transaction: RFC 3261 17.1.2.2 (figure 6). */
static const struct dt__rule nict_rules[] = {
    {ST_TRYING, EV_RX_1XX, ST_PROCEEDING, DO_DELIVER},
    {ST_TRYING, EV_RX_2XX, ST_COMPLETED, DO_SHED_ALL | DO_END_T4_UDP | DO_DELIVER},  /* K */
    {ST_TRYING, EV_RX_FAIL, ST_COMPLETED, DO_SHED_ALL | DO_END_T4_UDP | DO_DELIVER}, /* K */
    {ST_TRYING, EV_RESEND, ST_TRYING, DO_REPEAT | DO_CAPPED},                        /* E */
    {ST_TRYING, EV_END, ST_TERMINATED, DO_FAIL},                                     /* F */
    {ST_TRYING, EV_TRANSPORT, ST_TERMINATED, DO_FAIL},
    {ST_PROCEEDING, EV_RX_1XX, ST_PROCEEDING, DO_DELIVER},
    {ST_PROCEEDING, EV_RX_2XX, ST_COMPLETED, DO_SHED_ALL | DO_END_T4_UDP | DO_DELIVER},  /* K */
    {ST_PROCEEDING, EV_RX_FAIL, ST_COMPLETED, DO_SHED_ALL | DO_END_T4_UDP | DO_DELIVER}, /* K */
    {ST_PROCEEDING, EV_RESEND, ST_PROCEEDING, DO_REPEAT | DO_AT_T2},                     /* E */
    {ST_PROCEEDING, EV_END, ST_TERMINATED, DO_FAIL},                                     /* F */
    {ST_PROCEEDING, EV_TRANSPORT, ST_TERMINATED, DO_FAIL},
    {ST_COMPLETED, EV_END, ST_TERMINATED, 0}, /* K */
};

/* INVITE server transaction: RFC 3261 17.2.1 (figure 7), RFC 6026 7.1. A repeated INVITE gets
 * nothing in Accepted: the user repeats its 2xx itself. */
static const struct dt__rule ist_rules[] = {
    {ST_PROCEEDING, EV_RX_REPEAT, ST_PROCEEDING, DO_REPEAT},
    {ST_PROCEEDING, EV_TX_1XX, ST_PROCEEDING, DO_SEND | DO_KEEP},
    {ST_PROCEEDING, EV_TX_2XX, ST_ACCEPTED, DO_SEND | DO_SHED_ALL | DO_END_64T1}, /* L */
    {ST_PROCEEDING, EV_TX_FAIL, ST_COMPLETED,
     DO_SEND | DO_KEEP | DO_DROP_REQUEST | DO_FIRST | DO_END_64T1}, /* G, H */
    {ST_PROCEEDING, EV_END, ST_TERMINATED, 0}, /* no memory for the final (I39) */
    {ST_ACCEPTED, EV_RX_REPEAT, ST_ACCEPTED, 0},
    {ST_ACCEPTED, EV_RX_ACK, ST_ACCEPTED, DO_DELIVER},
    {ST_ACCEPTED, EV_TX_2XX, ST_ACCEPTED, DO_SEND},
    {ST_ACCEPTED, EV_END, ST_TERMINATED, 0}, /* L */
    {ST_COMPLETED, EV_RX_REPEAT, ST_COMPLETED, DO_REPEAT},
    {ST_COMPLETED, EV_RX_ACK, ST_CONFIRMED, DO_SHED_ALL | DO_END_T4_UDP}, /* I */
    {ST_COMPLETED, EV_RESEND, ST_COMPLETED, DO_REPEAT | DO_CAPPED},       /* G */
    {ST_COMPLETED, EV_END, ST_TERMINATED, 0},                             /* H */
    {ST_CONFIRMED, EV_RX_REPEAT, ST_CONFIRMED, 0},
    {ST_CONFIRMED, EV_RX_ACK, ST_CONFIRMED, 0},
    {ST_CONFIRMED, EV_END, ST_TERMINATED, 0}, /* I */
};

/* Non-INVITE server transaction: RFC 3261 17.2.2 (figure 8). It ends 64 T1 after the request also
 * when nobody answers: a later response would find no client (RFC 4320 4.2; I3). */
static const struct dt__rule nist_rules[] = {
    {ST_TRYING, EV_RX_REPEAT, ST_TRYING, 0},
    {ST_TRYING, EV_TX_1XX, ST_PROCEEDING, DO_SEND | DO_KEEP},
    {ST_TRYING, EV_TX_2XX, ST_COMPLETED, DO_SEND | DO_KEEP | DO_SHED | DO_END_64T1_UDP},  /* J */
    {ST_TRYING, EV_TX_FAIL, ST_COMPLETED, DO_SEND | DO_KEEP | DO_SHED | DO_END_64T1_UDP}, /* J */
    {ST_TRYING, EV_END, ST_TERMINATED, 0},
    {ST_PROCEEDING, EV_RX_REPEAT, ST_PROCEEDING, DO_REPEAT},
    {ST_PROCEEDING, EV_TX_1XX, ST_PROCEEDING, DO_SEND | DO_KEEP},
    {ST_PROCEEDING, EV_TX_2XX, ST_COMPLETED, DO_SEND | DO_KEEP | DO_SHED | DO_END_64T1_UDP}, /* J */
    {ST_PROCEEDING, EV_TX_FAIL, ST_COMPLETED,
     DO_SEND | DO_KEEP | DO_SHED | DO_END_64T1_UDP}, /* J */
    {ST_PROCEEDING, EV_END, ST_TERMINATED, 0},
    {ST_COMPLETED, EV_RX_REPEAT, ST_COMPLETED, DO_REPEAT},
    {ST_COMPLETED, EV_END, ST_TERMINATED, 0}, /* J */
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
static const struct {
    const struct dt__rule *rules;
    size_t n;
} machines[DT__MACHINE_COUNT] = {
    [DT__ICT] = {ict_rules, COUNT(ict_rules)},
    [DT__NICT] = {nict_rules, COUNT(nict_rules)},
    [DT__IST] = {ist_rules, COUNT(ist_rules)},
    [DT__NIST] = {nist_rules, COUNT(nist_rules)},
};

const struct dt__rule *dt__rule_find(enum dt__machine machine, enum dt__state state,
                                     enum dt__event_kind event)
{
    const struct dt__rule *r = machines[machine].rules;
    for (const struct dt__rule *end = r + machines[machine].n; r < end; r++)
        if (r->state == state && r->event == event)
            return r;
    return NULL;
}

const char *dt__machine_name(enum dt__machine machine)
{
    static const char *const names[] = {
#define X(name) #name,
        DT__MACHINES(X)
#undef X
    };
    return names[machine];
}

const char *dt__state_name(enum dt__state state)
{
    static const char *const names[] = {
#define X(name, text) text,
        DT__STATES(X)
#undef X
    };
    return names[state];
}
