/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Arrows of a dialling that no sequence of events reaches, and why the table has them all the same.
 * test_reach_worlds.c fails if it reaches one, and `make coverage` if any test does. */
#ifndef REACH_NEVER_H
#define REACH_NEVER_H

#include "dualtone/reach.h"

#define NEVER_P(name) (1u << DT_ATTEMPT_##name)
#define NEVER_S(name) (1u << DT_PATH_##name)

/* All events of these pairs. The rows have them for `fast`; what must be done is the same. */
static const struct reach_never {
    enum dt_reach_policy policy;
    unsigned phases, states;
    const char *why;
} reach_never[] = {
    {DT_REACH_GUIDE, NEVER_P(TAKEN) | NEVER_P(OVER), NEVER_S(CALLING) | NEVER_S(CANCELLING),
     "guide has one path open at a time, and this one took or ended the call"},
    {DT_REACH_GUIDE, NEVER_P(TRYING) | NEVER_P(TAKEN) | NEVER_P(LEAVING), NEVER_S(FAILED),
     "guide ends the call with the first failure, so there is no other phase beside one"},
};

/* Why an arrow is never reached, or NULL. */
static inline const char *reach_never_why(enum dt_reach_policy policy, enum dt_attempt_phase phase,
                                          enum dt_path_state state)
{
    for (size_t i = 0; i < sizeof(reach_never) / sizeof(*reach_never); i++) {
        const struct reach_never *n = &reach_never[i];
        if (n->policy == policy && (n->phases >> phase & 1) && (n->states >> state & 1))
            return n->why;
    }
    return NULL;
}

#endif
