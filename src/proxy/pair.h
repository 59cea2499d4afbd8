/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The other node of a pair (design.md R13, R12): the first `peer`. What was bound here is sent to
 * it as copies of the REGISTER, until it has them; who starts asks for all that the other has. The
 * messages are told in copy.h. */
#ifndef PROXY_PAIR_H
#define PROXY_PAIR_H

#include "dualtone/stack.h"

enum { DT_PAIR_WINDOW = 16, DT_PAIR_COOKIE = 0xfe, DT_PAIR_ANSWER_S = 2 /* for an answer */ };

enum dt_pair_kind { DT_PAIR_BINDING, DT_PAIR_JOIN, DT_PAIR_FILLED, DT_PAIR_UNFILLED, DT_PAIR_NEW };

/* A message under way. */
struct dt_pair_slot {
    dt_tx tx; /* 0: free */
    enum dt_pair_kind kind;
    struct dt_bytes *texts; /* AOR and contact of a binding, to find it again */
    uint32_t aor_n;
};

/* What a person was told, once until it is mended. */
enum dt_pair_trouble {
    DT_PAIR_REFUSED,
    DT_PAIR_NOT_TAKEN,
    DT_PAIR_KEY,
    DT_PAIR_WHERE,
    DT_PAIR_CLOCK
};

struct dt_pair {
    struct dt_addr peer; /* family 0: there is none */
    bool own_port;       /* `peer` names a port: it holds for each transport */
    struct dt_pair_slot slots[DT_PAIR_WINDOW];
    dt_time due; /* of dt__pair_run */
    bool silent; /* the last message was not answered: one at a time, until it is */
    dt_time retry_at, pause;
    /* what we ask */
    bool joining;
    dt_time join_again; /* while this node is not filled */
    /* what we were asked */
    bool asked, table; /* an answer is due; before it all that is here */
    uint32_t asked_by;
    dt_time table_from;    /* not earlier than this: joins cost little, tables much */
    uint64_t last_join;    /* the time written in it */
    uint32_t got_boot;     /* the run of the twin's that the first copy came from; 0: none came */
    bool mixed;            /* and copies of another run came */
    bool filled, restored; /* R12: by the twin; by a snapshot */
    dt_time started;
    unsigned told; /* bits of enum dt_pair_trouble */
};

#endif
