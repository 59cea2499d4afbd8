/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of decisions, between the file that holds it (attempt_rules.c) and the one that carries
 * it out (attempt.c). */
#ifndef REACH_ATTEMPT_RULES_H
#define REACH_ATTEMPT_RULES_H

#include "dualtone/reach.h"

/* What a row does, done in this order. */
enum {
    WORDS_OFF = 1 << 0,
    ACK = 1 << 1,
    ACK_BYE = 1 << 2,
    ACCEPT = 1 << 3,
    PROGRESS = 1 << 4,
    ARM = 1 << 5, /* the ringing time, if it is not armed (R19) */
    CANCEL = 1 << 6,
    CANCEL_OTHERS = 1 << 7, /* R23: those with a provisional */
    AUTH = 1 << 8,
    REDIRECT = 1 << 9,
    NEXT = 1 << 10,      /* open the next target, or end */
    END = 1 << 11,       /* whatever other paths do */
    END_LAST = 1 << 12,  /* once no path is open */
    NEXT_LAST = 1 << 13, /* the next target, once no path is open */
    NEXT_NEW = 1 << 14,  /* the same with a new Call-ID (R26) */
    WORDS_ON = 1 << 15
};

#define DT__RULE_SAME DT_PATH_STATE_COUNT

struct dt__attempt_rule {
    uint8_t columns;
    uint8_t phases;
    uint16_t states;
    uint32_t events;
    uint8_t next; /* state of the path, or SAME */
    uint32_t acts;
    const char *why; /* for `dualtone why`: what it means, and what follows */
};

/* The row of this number, which dt_attempt_rule gave. */
const struct dt__attempt_rule *dt__attempt_rule_at(int row);

#endif
