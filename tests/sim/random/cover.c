/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The look-ups of the product's tables, overheard: the linker (--wrap) leads each call of them from
 * another file here. The product knows nothing of it, and the build is the one that is measured. */
#include "cover.h"

#include "ua/core.h"

#include <stdio.h>

static struct cover *into;

void cover_into(struct cover *c)
{
    into = c;
}

void cover_add(struct cover *sum, const struct cover *c)
{
    uint32_t *to = &sum->transactions[0][0][0];
    const uint32_t *from = &c->transactions[0][0][0];
    for (size_t i = 0; i < sizeof c->transactions / sizeof *from; i++)
        to[i] += from[i];
    for (size_t i = 0; i < COVER_CHOOSER; i++)
        sum->chooser[i] += c->chooser[i];
    for (size_t i = 0; i < COVER_SESSION; i++)
        sum->session[i] += c->session[i];
}

/* ---- transactions: src/stack/rules.c ---- */

const struct dt__rule *__real_dt__rule_find(enum dt__machine machine, enum dt__state state,
                                            enum dt__event_kind event);
const struct dt__rule *__wrap_dt__rule_find(enum dt__machine machine, enum dt__state state,
                                            enum dt__event_kind event);
const struct dt__rule *__wrap_dt__rule_find(enum dt__machine machine, enum dt__state state,
                                            enum dt__event_kind event)
{
    if (into)
        into->transactions[machine][state][event]++;
    return __real_dt__rule_find(machine, state, event);
}

/* ---- the chooser: src/reach/attempt_rules.c ---- */

static size_t chooser_at(unsigned policy, unsigned phase, unsigned state, unsigned event)
{
    return ((policy * COVER_PHASES + phase) * DT_PATH_STATE_COUNT + state) * DT_PATH_EVENT_COUNT +
           event;
}

int __real_dt_attempt_rule(enum dt_reach_policy policy, enum dt_attempt_phase phase,
                           enum dt_path_state state, enum dt_path_event e);
int __wrap_dt_attempt_rule(enum dt_reach_policy policy, enum dt_attempt_phase phase,
                           enum dt_path_state state, enum dt_path_event e);
int __wrap_dt_attempt_rule(enum dt_reach_policy policy, enum dt_attempt_phase phase,
                           enum dt_path_state state, enum dt_path_event e)
{
    if (into)
        into->chooser[chooser_at(policy == DT_REACH_FAST, phase, state, e)]++;
    return __real_dt_attempt_rule(policy, phase, state, e);
}

/* ---- the invite session: src/ua ---- */

static void see(const struct dt_call *c, enum session_event e)
{
    if (into && c)
        into->session[((unsigned)c->caller * COVER_CALL_STATES + c->state) * SESSION_EVENT_COUNT +
                      e]++;
}

/* function, event, parameters, arguments, the call */
#define SESSION_FUNCTIONS(X) \
    X(caller_response, INVITE_RESPONSE, \
      (struct dt__send * s, dt_time now, const struct dt_sip_msg *m, const struct dt_hop *from), \
      (s, now, m, from), s->call) \
    X(caller_failed, INVITE_FAILED, (struct dt__send * s, dt_time now, int err), (s, now, err), \
      s->call) \
    X(session_reinvite, REINVITE, \
      (struct dt_call * c, dt_time now, dt_tx tx, const struct dt_sip_msg *m), (c, now, tx, m), c) \
    X(session_response, REINVITE_RESPONSE, \
      (struct dt__send * s, dt_time now, const struct dt_sip_msg *m), (s, now, m), s->call) \
    X(session_failed, REINVITE_FAILED, (struct dt__send * s, dt_time now), (s, now), s->call) \
    X(bye_request, BYE, (struct dt_call * c, dt_time now, dt_tx tx, const struct dt_sip_msg *m), \
      (c, now, tx, m), c) \
    X(bye_response, BYE_RESPONSE, (struct dt__send * s, dt_time now, const struct dt_sip_msg *m), \
      (s, now, m), s->call) \
    X(bye_failed, BYE_FAILED, (struct dt__send * s, dt_time now), (s, now), s->call) \
    X(callee_cancelled, CANCEL, (struct dt_call * c, dt_time now), (c, now), c) \
    X(callee_ack, ACK, (struct dt_call * c, dt_time now, const struct dt_sip_msg *m), (c, now, m), \
      c) \
    X(callee_timer, TIMER, (struct dt_call * c, dt_time now, enum dt__call_timer which), \
      (c, now, which), c) \
    X(caller_tick, TIMER, (struct dt_call * c, dt_time now), (c, now), c) \
    X(caller_hangup, HANGUP, (struct dt_call * c, dt_time now), (c, now), c) \
    X(callee_hangup, HANGUP, (struct dt_call * c, dt_time now), (c, now), c)
#define X(name, event, parameters, arguments, call) \
    void __real_dt__##name parameters; \
    void __wrap_dt__##name parameters; \
    void __wrap_dt__##name parameters \
    { \
        see(call, SESSION_##event); \
        __real_dt__##name arguments; \
    }
SESSION_FUNCTIONS(X)
#undef X

/* ---- the report ---- */

static const char *const events[EV_COUNT] = {
    "1xx",    "2xx",         "failure",         "request again",
    "ACK",    "1xx to send", "2xx to send",     "failure to send",
    "resend", "end",         "transport failed"};

static void report_transactions(const struct cover *c, bool missing)
{
    unsigned all = 0, reached = 0, without = 0;
    for (int m = 0; m < DT__MACHINE_COUNT; m++)
        for (int s = 0; s < ST_COUNT; s++)
            for (int e = 0; e < EV_COUNT; e++) {
                bool rule = __real_dt__rule_find((enum dt__machine)m, (enum dt__state)s,
                                                 (enum dt__event_kind)e) != NULL;
                bool seen = c->transactions[m][s][e] > 0;
                all += rule;
                reached += rule && seen;
                without += !rule && seen;
                if (missing && rule && !seen)
                    printf("  never: %s %s, %s\n", dt__machine_name((enum dt__machine)m),
                           dt__state_name((enum dt__state)s), events[e]);
            }
    printf("pairs of the transaction tables: %u of %u, and %u that have no rule\n", reached, all,
           without);
}

static void report_chooser(const struct cover *c, bool missing)
{
    unsigned all = 0, reached = 0;
    for (unsigned p = 0; p < 2; p++)
        for (unsigned f = 0; f < COVER_PHASES; f++)
            for (unsigned s = 0; s < DT_PATH_STATE_COUNT; s++)
                for (unsigned e = 0; e < DT_PATH_EVENT_COUNT; e++) {
                    bool rule = __real_dt_attempt_rule(
                                    p ? DT_REACH_FAST : DT_REACH_GUIDE, (enum dt_attempt_phase)f,
                                    (enum dt_path_state)s, (enum dt_path_event)e) >= 0;
                    bool seen = c->chooser[chooser_at(p, f, s, e)] > 0;
                    all += rule;
                    reached += rule && seen;
                    if (missing && rule && !seen)
                        printf("  never: chooser %s, phase %u, %s, %s\n", p ? "fast" : "guide", f,
                               dt_path_state_name((enum dt_path_state)s),
                               dt_path_event_name((enum dt_path_event)e));
                }
    printf("policies x phases x states x events of the chooser's table: %u of %u\n", reached, all);
}

static void report_session(const struct cover *c, bool missing)
{
    static const char *const names[] = {
#define X(id, name) name,
        SESSION_EVENTS(X)
#undef X
    };
    unsigned reached = 0;
    for (unsigned i = 0; i < COVER_SESSION; i++) {
        unsigned e = i % SESSION_EVENT_COUNT, s = i / SESSION_EVENT_COUNT % COVER_CALL_STATES;
        reached += c->session[i] > 0;
        if (missing && !c->session[i])
            printf("  never: %s, %s, %s\n",
                   i / SESSION_EVENT_COUNT / COVER_CALL_STATES ? "caller" : "callee",
                   dt_call_state_name((enum dt_call_state)s), names[e]);
    }
    printf("roles x states x events of the invite session: %u of %d, of which many cannot be\n",
           reached, COVER_SESSION);
}

void cover_report(const struct cover *c, bool missing)
{
    report_transactions(c, missing);
    report_chooser(c, missing);
    report_session(c, missing);
}
