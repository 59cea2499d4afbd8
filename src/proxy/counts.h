/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What became of each message (I24): every message that the stack gives to the proxy is counted as
 * in, and, once it is decided, under exactly one row of the table. */
#ifndef PROXY_COUNTS_H
#define PROXY_COUNTS_H

#include "dualtone/text.h"

enum dt_count_group { DT_COUNT_FORWARDED, DT_COUNT_ANSWERED, DT_COUNT_DROPPED, DT_COUNT_GROUPS };

/* group, id: the reason code is the id in lower case */
#define DT_PROXY_COUNTS(X) \
    X(FORWARDED, request) \
    X(FORWARDED, ack) \
    X(FORWARDED, response) \
    X(FORWARDED, stray)        /* of a call that this node does not know (R5) */ \
    X(FORWARDED, siblings)     /* CANCEL of ours to the other targets of such a call */ \
    X(ANSWERED, sanity)        /* 400, 416, 420 */ \
    X(ANSWERED, hops)          /* 483 */ \
    X(ANSWERED, loop)          /* 482 */ \
    X(ANSWERED, auth)          /* 401, 407, 403 */ \
    X(ANSWERED, registrar)     /* whatever a REGISTER got */ \
    X(ANSWERED, copy)          /* what the twin told (R13) */ \
    X(ANSWERED, copy_forged)   /* who only said to be the twin */ \
    X(ANSWERED, copy_stranger) /* signed, but not from where the twin is */ \
    X(ANSWERED, copy_old)      /* signed and from there, but said before */ \
    X(ANSWERED, self)          /* OPTIONS to the proxy and the like */ \
    X(ANSWERED, location)      /* 404, 480 */ \
    X(ANSWERED, relay)         /* 403: no open relay */ \
    X(ANSWERED, cancel)        /* CANCEL of a call that is under way; 481 */ \
    X(ANSWERED, limit)         /* 503, 440 */ \
    X(ANSWERED, unreachable)   /* no branch could be sent */ \
    X(DROPPED, trying)         /* 100: goes no further (16.7 step 5) */ \
    X(DROPPED, collected)      /* a failure that was not the best of a fork */ \
    X(DROPPED, late)           /* a response after the final, or to a branch given up */ \
    X(DROPPED, own)            /* a response to a CANCEL of ours */ \
    X(DROPPED, stray_response) /* without a transaction, and not to be forwarded (R5) */ \
    X(DROPPED, stray_forged)   /* its dv is not ours */ \
    X(DROPPED, stray_limit)    /* max_strays */ \
    X(DROPPED, siblings)       /* there are none */ \
    X(DROPPED, bad_response)   /* no Via left, or not to be built */ \
    X(DROPPED, ack)            /* an ACK that leads nowhere */ \
    X(DROPPED, unfilled)       /* the bindings are not known yet (R12) */ \
    X(DROPPED, answered)       /* the copy of an INVITE whose 2xx went by (R5) */ \
    X(DROPPED, ended)          /* a request whose transaction ended before it was decided */

enum dt_proxy_count {
#define X(group, id) DT_COUNT_##group##_##id,
    DT_PROXY_COUNTS(X)
#undef X
        DT_PROXY_COUNT_N
};

struct dt_proxy_counts_table {
    uint64_t in;
    uint64_t rows[DT_PROXY_COUNT_N];
};

/* The static text of a row's reason. */
const char *dt__count_name(enum dt_proxy_count c);
uint64_t dt__count_sum(const struct dt_proxy_counts_table *t, enum dt_count_group group);
/* "in N", "forwarded N", "answered N", "dropped N", then a line a row: "answered.loop N". */
void dt__counts_write(const struct dt_proxy_counts_table *t, struct dt_writer *w);

#endif
