/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An attempt: one dialling, its paths, and the table that decides (design.md 5: R19, R21, R23, R26,
 * R27, R28). Included by reach.h.
 *
 * A value type that does nothing by itself: events go in, orders come out, and who owns the
 * transactions carries them out. A *path* is one client transaction of the dialling to one target;
 * a *server* is what a path's target was found for: 0 the primary, 1 the backup.
 *
 * Under DT_REACH_FAST twins are one server: a path to one of them may have a copy of its
 * transaction at the other (R22), and what either answers is the path's answer. Who owns the
 * transactions opens and compares the copies (src/ua/twins.c); the table sees one path. It sees
 * DEAD only where no twin can go on. */
#ifndef DUALTONE_ATTEMPT_H
#define DUALTONE_ATTEMPT_H

#include "dualtone/node.h"
#include "dualtone/target.h"
#include "dualtone/reach.h" /* enum dt_reach_policy; it includes this file at its end */

enum {
    DT_ATTEMPT_SERVERS = 2,
    DT_ATTEMPT_TARGETS = 4, /* addresses tried of one server */
    DT_ATTEMPT_PATHS = DT_ATTEMPT_SERVERS * DT_ATTEMPT_TARGETS + 1, /* and one anew (R26) */
    DT_ATTEMPT_ORDERS = DT_ATTEMPT_PATHS + 6, /* orders that one event can give */
    DT_ATTEMPT_TRIES = 3,     /* sends of one request: the first and two with credentials (I28) */
    DT_ATTEMPT_REDIRECTS = 5, /* 3xx followed in one dialling */
    DT_ATTEMPT_STEPS = 20,    /* decisions that are remembered for `why` */
    DT_ATTEMPT_STEP_ORDERS = 4
};

/* What a path has come to. GONE: ended without a final; late answers are waited for (R27). STOPPED:
 * gone, and nothing is left to cancel. CANCELLING: CANCEL sent, its final is waited for. */
#define DT_PATH_STATES(X) \
    X(UNUSED, "unused") \
    X(CALLING, "calling") \
    X(PROCEEDING, "proceeding") \
    X(RINGING, "ringing") \
    X(CANCELLING, "cancelling") \
    X(ANSWERED, "answered") \
    X(FAILED, "failed") \
    X(GONE, "gone") \
    X(STOPPED, "stopped")
enum dt_path_state {
#define X(name, text) DT_PATH_##name,
    DT_PATH_STATES(X)
#undef X
        DT_PATH_STATE_COUNT
};
const char *dt_path_state_name(enum dt_path_state s);

/* TRYING: no answer yet. TAKEN: a 2xx was accepted. LEAVING: the caller hung up or the ringing time
 * is over, and a path is still open. OVER: the end was ordered; only late answers count. */
#define DT_ATTEMPT_PHASES(X) \
    X(TRYING, "trying") X(TAKEN, "taken") X(LEAVING, "leaving") X(OVER, "over")
enum dt_attempt_phase {
#define X(name, text) DT_ATTEMPT_##name,
    DT_ATTEMPT_PHASES(X)
#undef X
        DT_ATTEMPT_PHASE_COUNT
};

/* What happened on a path. The classes of responses are the rows of R21. */
#define DT_PATH_EVENTS(X) \
    X(100, "100") \
    X(1XX, "101-199") \
    X(2XX, "2xx") /* of the dialog that was accepted, or the first one */ \
    X(2XX_FORK, "2xx of another To tag") \
    X(AUTH, "401, 407") /* that the caller can answer; else FINAL */ \
    X(REDIRECT, "3xx")  /* that the caller can follow; else FINAL */ \
    X(BUSY_HOP, "503")  /* made by the hop itself, or not told apart */ \
    X(SOFT, "482, 408, 430, other 5xx") \
    X(FINAL, "6xx, other 4xx") \
    X(TIMEOUT, "time-out")      /* the transaction ended without a response, or without a final */ \
    X(ERROR, "transport error") /* refusal (ICMP, reset), unreachable, closed */ \
    X(DEAD, "target dead")      /* R25, R28: by probes or a new boot, and no twin serves */ \
    X(MUTE, "callee mute")      /* R24: it rang, and says nothing by the twin */ \
    X(TWIN, "by the twin")      /* R28: it answered first, or is the only way left */ \
    X(LEFT, "cancelled long enough")  /* R26; from dt_attempt_tick only */ \
    X(RING_OVER, "ringing time over") /* from dt_attempt_tick only */ \
    X(HANGUP, "hang-up")              /* from dt_attempt_hangup only */
enum dt_path_event {
#define X(name, text) DT_PATH_EV_##name,
    DT_PATH_EVENTS(X)
#undef X
        DT_PATH_EVENT_COUNT
};
const char *dt_path_event_name(enum dt_path_event e);
/* The event of a response's status; AUTH for 401 and 407, REDIRECT for 3xx. */
enum dt_path_event dt_path_event_of(int status);

/* What is to be done now, in the order given. */
#define DT_ORDERS(X) \
    X(OPEN, "open")     /* send an INVITE to the path's target: new branch; `fresh`: with a new \
                           Call-ID and CSeq 1, From tag kept (RFC 3665 3.4); else Call-ID, From \
                           tag and CSeq of the path before (RFC 3263 4.3) */ \
    X(CANCEL, "cancel") /* a provisional has come on this path (R23) */ \
    X(AUTH, "auth")     /* again on this path, next CSeq, new branch, with credentials */ \
    X(REDIRECT, "redirect")   /* again on this path, to the Contact: next CSeq, new branch */ \
    X(PROGRESS, "progress")   /* tell the user of this provisional */ \
    X(ACCEPT, "accept")       /* this 2xx is the answer: ACK, confirm the dialog */ \
    X(ACK, "ack")             /* a repeat, or a failure without a transaction: its ACK */ \
    X(ACK_BYE, "ack and bye") /* a 2xx that nobody wants: ACK, then BYE */ \
    X(WORDS_ON, "words on")   /* show "Network Delay, Trying Backup" (R28) */ \
    X(WORDS_OFF, "words off") \
    X(END, "end") /* tell the user the end: the response or error at hand, `err` */
enum dt_order_kind {
#define X(name, text) DT_ORDER_##name,
    DT_ORDERS(X)
#undef X
        DT_ORDER_COUNT
};
const char *dt_order_name(enum dt_order_kind k);
struct dt_order {
    enum dt_order_kind kind;
    uint8_t path;
    bool fresh; /* OPEN */
    int err;    /* END: DT_OK when a response ends it; DT_E_TIMEOUT, ... */
};
struct dt_orders {
    struct dt_order list[DT_ATTEMPT_ORDERS];
    size_t n;
};

struct dt_attempt_config {
    enum dt_reach_policy policy;
    unsigned servers; /* 1, or 2 with a backup */
    unsigned repeats; /* sip_invite_retx */
    dt_time t1;
    dt_time ring_time; /* timer_invite_expires: from sending to CANCEL, once a provisional came */
    const struct dt_targets *known; /* FAST: who is known down is skipped; may be NULL */
};

struct dt_path {
    enum dt_path_state state;
    uint16_t status; /* of the newest response; 0: none */
    uint8_t server;
    uint8_t tries; /* sends of the request that is under way */
    struct dt_addr target;
    dt_time sent;       /* of the INVITE that is under way */
    dt_time ring_over;  /* armed by the first provisional; DT_TIME_NEVER */
    dt_time left_at;    /* R26: cancelled to be dialled anew; DT_TIME_NEVER */
    dt_time keep_until; /* GONE, STOPPED, FAILED: late answers are answered until then (R27) */
};

/* A decision: a row of the table that was carried out. */
struct dt_attempt_step {
    dt_time at;
    enum dt_path_event event;
    enum dt_attempt_phase phase;
    enum dt_path_state before, after;
    int row;
    int status; /* of the response that it is about, or 0 */
    uint8_t path, n_orders;
    struct dt_order orders[DT_ATTEMPT_STEP_ORDERS]; /* the first of them */
};

/* One dialling. Read its members freely; only these functions write them. */
struct dt_attempt {
    struct dt_attempt_config cfg;
    enum dt_attempt_phase phase;
    bool words;       /* shown now */
    bool renewed;     /* a new Call-ID was made: once per dialling (R26) */
    bool renewal_due; /* and is to be, once no path is open */
    bool asked;       /* the next server's targets are waited for */
    bool anew;        /* ... by a path with a new Call-ID (R26) */
    unsigned server;  /* whose targets are tried now */
    unsigned target;  /* the next one of them */
    unsigned redirects;
    int err; /* of the path that ended last without an answer */
    struct {
        bool known;
        uint8_t n;
        uint8_t skipped; /* bit i: known down when its turn came */
        struct dt_addr list[DT_ATTEMPT_TARGETS];
    } found[DT_ATTEMPT_SERVERS];
    struct dt_path paths[DT_ATTEMPT_PATHS];
    unsigned n_paths;
    struct dt_attempt_step steps[DT_ATTEMPT_STEPS]; /* the n-th at n % DT_ATTEMPT_STEPS */
    unsigned n_steps;                               /* so many were taken */
};

/* How long a silent target is waited for: 1 + `repeats` sends at doubling T1, given up at
 * min(64 T1, last send + 2 x last interval) (R28). */
dt_time dt_attempt_patience(dt_time t1, unsigned repeats);

/* Nothing is tried before dt_attempt_found. */
void dt_attempt_init(struct dt_attempt *a, const struct dt_attempt_config *cfg);
/* The targets of a server, in the order to try them; n = 0: there are none (`err` says why). The
 * first DT_ATTEMPT_TARGETS count. Orders are added to `out` (set `out->n` to 0 before). */
void dt_attempt_found(struct dt_attempt *a, dt_time now, unsigned server,
                      const struct dt_addr *targets, size_t n, int err, struct dt_orders *out);
/* An event on a path; `err` for TIMEOUT and ERROR. */
void dt_attempt_event(struct dt_attempt *a, dt_time now, unsigned path, enum dt_path_event e,
                      int err, struct dt_orders *out);
/* The status of the response that dt_attempt_event is about to be told of: for `why` alone. */
void dt_attempt_status(struct dt_attempt *a, unsigned path, int status);
/* The caller hangs up (before or after an answer). After it no new path is opened. */
void dt_attempt_hangup(struct dt_attempt *a, dt_time now, struct dt_orders *out);
/* When tick is due: the ringing time, or the end of what is remembered. DT_TIME_NEVER: not. */
dt_time dt_attempt_deadline(const struct dt_attempt *a);
void dt_attempt_tick(struct dt_attempt *a, dt_time now, struct dt_orders *out);
/* Is a transaction of this path under way (calling, proceeding, ringing, cancelling)? */
bool dt_path_is_open(const struct dt_path *p);
/* True when the end was ordered (or an answer taken) and no late answer is waited for any more. */
bool dt_attempt_done(const struct dt_attempt *a, dt_time now);

/* The table itself, for the test that walks it: which row serves (phase, state, event) under
 * `policy`, or -1: the pair is ignored. */
int dt_attempt_rule(enum dt_reach_policy policy, enum dt_attempt_phase phase,
                    enum dt_path_state state, enum dt_path_event e);
/* What a row means, as a plain sentence without a full stop; NULL: no such row. */
const char *dt_attempt_rule_why(int row);

#endif
