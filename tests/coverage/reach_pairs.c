/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts what the table of decisions of a dialling was asked and then did: a look-up counts when
 * its row is carried out, so that a test which only reads the table reaches nothing. */
#include "pairs.h"
#include "reach/attempt_rules.h"
#include "../unit/reach_never.h"

enum { POLICIES = 2 };

int __real_dt_attempt_rule(enum dt_reach_policy, enum dt_attempt_phase, enum dt_path_state,
                           enum dt_path_event);
int __wrap_dt_attempt_rule(enum dt_reach_policy, enum dt_attempt_phase, enum dt_path_state,
                           enum dt_path_event);
const struct dt__attempt_rule *__real_dt__attempt_rule_at(int row);
const struct dt__attempt_rule *__wrap_dt__attempt_rule_at(int row);

static unsigned long counts[POLICIES][DT_ATTEMPT_PHASE_COUNT][DT_PATH_STATE_COUNT]
                           [DT_PATH_EVENT_COUNT];
static unsigned long *asked;

__attribute__((weak)) int __wrap_dt_attempt_rule(enum dt_reach_policy policy,
                                                 enum dt_attempt_phase phase,
                                                 enum dt_path_state state, enum dt_path_event e)
{
    asked = &counts[policy][phase][state][e];
    return __real_dt_attempt_rule(policy, phase, state, e);
}

__attribute__((weak)) const struct dt__attempt_rule *__wrap_dt__attempt_rule_at(int row)
{
    if (asked)
        ++*asked;
    asked = NULL;
    return __real_dt__attempt_rule_at(row);
}

static void write_policy(FILE *f, enum dt_reach_policy policy)
{
    static const char *const phases[] = {
#define X(name, text) text,
        DT_ATTEMPT_PHASES(X)
#undef X
    };
    for (unsigned p = 0; p < DT_ATTEMPT_PHASE_COUNT; p++)
        for (unsigned s = 0; s < DT_PATH_STATE_COUNT; s++)
            for (unsigned e = 0; e < DT_PATH_EVENT_COUNT; e++)
                if (__real_dt_attempt_rule(policy, p, s, e) >= 0)
                    fprintf(f, "dialling-%s-%s %s %s %lu %s\n",
                            policy == DT_REACH_FAST ? "fast" : "guide", phases[p],
                            dt_path_state_name(s), dt_path_event_name(e), counts[policy][p][s][e],
                            reach_never_why(policy, p, s) ? "never" : "arrow");
}

__attribute__((destructor)) static void write_counts(void)
{
    FILE *f = pairs_open();
    if (!f)
        return;
    write_policy(f, DT_REACH_GUIDE);
    write_policy(f, DT_REACH_FAST);
    fclose(f);
}
