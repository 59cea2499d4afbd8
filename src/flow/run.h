/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A run of a flow, shared by the files that do (act.c), see (see.c) and order both (run.c). */
#ifndef FLOW_RUN_H
#define FLOW_RUN_H

#include "flow/world.h"

struct flow_run {
    const struct dt_flow *f;
    const struct dt_flow_options *o;
    struct flow_world *w;
    struct dt_flow_result *r;
    size_t next;                         /* the first item that no message step has used */
    size_t screens[DT_FLOW_PARTIES_MAX]; /* screen steps of a party look from here */
    bool acted;                          /* `zero` is set */
    dt_time zero;                        /* the last action: times in the file count from it */
    unsigned baseline;                   /* objects after setting up */
};

/* Not held: at a step, or (NULL) at the end; the reason as printf has it. Returns DT_E_STATE. */
int dt__flow_fail(struct flow_run *x, const struct dt_flow_step *s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Times in the file are for T1 = 500 ms. */
dt_time dt__flow_scaled(const struct flow_run *x, dt_time t);
/* Lets so much time pass. */
void dt__flow_pass(struct flow_run *x, dt_time t);
/* The name of a party, or "?". */
const char *dt__flow_name(const struct flow_run *x, int party);

/* Does the flow speak of OPTIONS? Else they are probes (R18): no part of the call, passed over. */
bool dt__flow_has_options(const struct dt_flow *f);

/* Proxies first, then phones, each ready before the next; then a quiet time for the baseline. What
 * is recorded until then is not judged. DT_OK, or DT_E_STATE with the reason in the result. */
int dt__flow_set_up(struct flow_run *x);
/* Runs until `until`; the fewest objects that there were in the last 30 s of it (I36). */
unsigned dt__flow_fewest_objects(struct flow_run *x, dt_time until);

/* ---- see.c: DT_OK when it was seen ---- */

/* The step at `*i`, with its whole unordered block; `*i` goes behind it. */
int dt__flow_see_messages(struct flow_run *x, size_t *i);
int dt__flow_see_screen(struct flow_run *x, const struct dt_flow_step *s);
/* Waits until the call of s->party is in s->state. */
int dt__flow_see_state(struct flow_run *x, const struct dt_flow_step *s);
/* Fails if a message that no step wanted comes until `until`. */
int dt__flow_see_nothing(struct flow_run *x, dt_time until);
/* The first event of this kind that a party said, or NULL. */
const struct dt_record_item *dt__flow_event(const struct flow_run *x, int who,
                                            enum dt_event_kind kind);

/* ---- act.c ---- */

int dt__flow_act(struct flow_run *x, const struct dt_flow_step *s);

#endif
