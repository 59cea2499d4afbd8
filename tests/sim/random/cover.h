/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which pairs of state and event of the product's tables were reached. */
#ifndef RANDOM_COVER_H
#define RANDOM_COVER_H

#include "dualtone/attempt.h"
#include "stack/rules.h"

/* What happens to a call (src/ua): the functions of an invite session that its other files call. */
#define SESSION_EVENTS(X) \
    X(INVITE_RESPONSE, "response to INVITE") \
    X(INVITE_FAILED, "INVITE failed") \
    X(REINVITE, "re-INVITE") \
    X(REINVITE_RESPONSE, "response to re-INVITE") \
    X(REINVITE_FAILED, "re-INVITE failed") \
    X(BYE, "BYE") \
    X(BYE_RESPONSE, "response to BYE") \
    X(BYE_FAILED, "BYE failed") \
    X(CANCEL, "CANCEL") \
    X(ACK, "ACK") \
    X(TIMER, "timer") \
    X(HANGUP, "hangup")
enum session_event {
#define X(id, name) SESSION_##id,
    SESSION_EVENTS(X)
#undef X
        SESSION_EVENT_COUNT
};

enum {
    COVER_PHASES = DT_ATTEMPT_PHASE_COUNT,
    COVER_CHOOSER = 2 * COVER_PHASES * DT_PATH_STATE_COUNT * DT_PATH_EVENT_COUNT,
    COVER_CALL_STATES = 5,
    COVER_SESSION = 2 * COVER_CALL_STATES * SESSION_EVENT_COUNT
};

struct cover {
    uint32_t transactions[DT__MACHINE_COUNT][ST_COUNT][EV_COUNT];
    uint32_t chooser[COVER_CHOOSER];
    uint32_t session[COVER_SESSION];
};

/* Counts go there from now on; NULL: nowhere. */
void cover_into(struct cover *c);
void cover_add(struct cover *sum, const struct cover *c);
/* How many of how many; `missing` names the others. */
void cover_report(const struct cover *c, bool missing);

#endif
