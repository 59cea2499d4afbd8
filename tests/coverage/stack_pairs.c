/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counts the arrows of the four transaction machines. */
#include "pairs.h"
#include "stack/rules.h"

const struct dt__rule *__real_dt__rule_find(enum dt__machine, enum dt__state, enum dt__event_kind);
const struct dt__rule *__wrap_dt__rule_find(enum dt__machine, enum dt__state, enum dt__event_kind);

static unsigned long counts[DT__MACHINE_COUNT][ST_COUNT][EV_COUNT];

__attribute__((weak)) const struct dt__rule *
__wrap_dt__rule_find(enum dt__machine m, enum dt__state s, enum dt__event_kind e)
{
    counts[m][s][e]++;
    return __real_dt__rule_find(m, s, e);
}

__attribute__((destructor)) static void write_counts(void)
{
    static const char *const events[] = {"1xx",    "2xx",      "failure",   "repeat",
                                         "ack",    "send-1xx", "send-2xx",  "send-failure",
                                         "resend", "end",      "transport", "lost"};
    _Static_assert(sizeof events / sizeof events[0] == EV_COUNT, "a name for each event");
    FILE *f = pairs_open();
    if (!f)
        return;
    for (unsigned m = 0; m < DT__MACHINE_COUNT; m++)
        for (unsigned s = 0; s < ST_COUNT; s++)
            for (unsigned e = 0; e < EV_COUNT; e++)
                if (__real_dt__rule_find(m, s, e))
                    fprintf(f, "transaction-%s %s %s %lu arrow\n", dt__machine_name(m),
                            dt__state_name(s), events[e], counts[m][s][e]);
    fclose(f);
}
