/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The four transaction machines as flat tables: RFC 3261 17, with Accepted from RFC 6026. */
#ifndef STACK_RULES_H
#define STACK_RULES_H

#include "dualtone/base.h"

/* INVITE and non-INVITE, client and server. */
#define DT__MACHINES(X) X(ICT) X(NICT) X(IST) X(NIST)
enum dt__machine {
#define X(name) DT__##name,
    DT__MACHINES(X)
#undef X
        DT__MACHINE_COUNT
};

#define DT__STATES(X) \
    X(TERMINATED, "terminated") \
    X(CALLING, "calling") \
    X(TRYING, "trying") \
    X(PROCEEDING, "proceeding") \
    X(ACCEPTED, "accepted") \
    X(COMPLETED, "completed") \
    X(CONFIRMED, "confirmed") \
    X(GIVEN_UP, "given up")
enum dt__state {
#define X(name, text) ST_##name,
    DT__STATES(X)
#undef X
        ST_COUNT
};

enum dt__event_kind {
    EV_RX_1XX, /* client: a response came */
    EV_RX_2XX,
    EV_RX_FAIL,   /* 300 to 699 */
    EV_RX_REPEAT, /* server: the request came again */
    EV_RX_ACK,    /* server: an ACK with the INVITE's branch */
    EV_TX_1XX,    /* server: the user answers */
    EV_TX_2XX,
    EV_TX_FAIL,
    EV_RESEND,    /* timers A, E, G */
    EV_END,       /* timers B, D, F, H, I, J, K, L, M */
    EV_TRANSPORT, /* the transport failed */
    EV_LOST,      /* one of these two, where late answers are caught (dt_given_up) */
    EV_COUNT
};

/* What to do on the way, performed in this order. */
enum dt__action {
    DO_SEND = 1 << 0,          /* the user's response goes out */
    DO_KEEP = 1 << 1,          /* ... and is what repeats are answered with */
    DO_REPEAT = 1 << 2,        /* what was sent last goes out again */
    DO_ACK = 1 << 3,           /* the ACK of a failure is made (17.1.1.3), sent and kept */
    DO_DROP_REQUEST = 1 << 4,  /* the server's copy of the request is not needed any more */
    DO_SHED = 1 << 5,          /* nor is all that only an unfinished transaction needs */
    DO_SHED_ALL = 1 << 6,      /* nor is the message kept */
    DO_STOP = 1 << 7,          /* no timer runs */
    DO_FIRST = 1 << 8,         /* resend after T1 (UDP) */
    DO_DOUBLE = 1 << 9,        /* resend after twice as long as before */
    DO_CAPPED = 1 << 10,       /* the same, T2 at most */
    DO_AT_T2 = 1 << 11,        /* resend after T2 */
    DO_END_64T1 = 1 << 12,     /* H, L, M */
    DO_END_64T1_UDP = 1 << 13, /* J: 0 on a stream */
    DO_END_32S_UDP = 1 << 14,  /* D: 32 s at least; 0 on a stream */
    DO_END_T4_UDP = 1 << 15,   /* I, K: 0 on a stream */
    DO_DELIVER = 1 << 16,      /* to the user */
    DO_FAIL = 1 << 17,         /* the user learns that it failed */
    DO_CANCEL = 1 << 18,       /* what rings though it was given up is cancelled */
    DO_STRAY = 1 << 19         /* to the user, as if there were no transaction */
};

/* One arrow of a figure. */
struct dt__rule {
    uint8_t state, event, next;
    uint32_t actions;
};

/* The arrow for `event` in `state`, or NULL: the event means nothing there. */
const struct dt__rule *dt__rule_find(enum dt__machine machine, enum dt__state state,
                                     enum dt__event_kind event);
/* Static texts. */
const char *dt__machine_name(enum dt__machine machine);
const char *dt__state_name(enum dt__state state);

#endif
