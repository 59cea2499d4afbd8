/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The other node of a pair (design.md R13, R12): the first `peer`. What was bound here is sent to
 * it as copies of the REGISTER, until it has them; who starts asks for all that the other has.
 *
 * The messages carry "Dualtone-Copy: KIND NUMBER MAC". KIND and NUMBER: "binding" and the stamp, in
 * a REGISTER with the AOR, contact, Call-ID and CSeq of the binding; "join" and the boot number of
 * who asks, in an OPTIONS; "filled" or "unfilled" and the boot number of who asked, in an OPTIONS
 * when all that was there has been sent. */
#ifndef PROXY_PAIR_H
#define PROXY_PAIR_H

#include "dualtone/stack.h"

enum { DT_PAIR_WINDOW = 16, DT_PAIR_COOKIE = 0xfe, DT_PAIR_TIMER = 2 };

enum dt_pair_kind { DT_PAIR_BINDING, DT_PAIR_JOIN, DT_PAIR_FILLED, DT_PAIR_UNFILLED };

/* A message under way. */
struct dt_pair_slot {
    dt_tx tx; /* 0: free */
    enum dt_pair_kind kind;
    struct dt_bytes *texts; /* AOR and contact of a binding, to find it again */
    uint32_t aor_n;
};

struct dt_pair {
    struct dt_addr peer;   /* family 0: there is none */
    struct dt_timer timer; /* the next try, and the end of `wait_until` */
    struct dt_pair_slot slots[DT_PAIR_WINDOW];
    bool silent; /* the last message was not answered: one at a time, a second apart */
    bool joining, asked;
    uint32_t asked_by; /* the boot number of who asked and waits for the end of the list */
    bool filled;       /* R12 */
    dt_time started, retry_at;
};

#endif
