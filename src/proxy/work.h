/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of the proxy: the node, a request on its way through the steps, and what the steps
 * call. */
#ifndef PROXY_WORK_H
#define PROXY_WORK_H

#include "dualtone/digest.h"
#include "dualtone/reach.h"
#include "dualtone/stack.h"
#include "proxy/branch.h"
#include "proxy/counts.h"
#include "proxy/echo.h"
#include "proxy/nonces.h"
#include "proxy/pair.h"
#include "proxy/self.h"
#include "store/location.h"
#include "store/subscribers.h"

enum {
    DT_PROXY_TARGETS_MAX = DT_CONTACTS_MAX,
    DT_PROXY_ROUTES_MAX = 60, /* reliability.md 2 */
    DT_PROXY_VIAS_MAX = 100,
    DT_AOR_MAX = 512
};

struct dt_fork;
struct dt_fork_slot {
    struct dt_fork *fork;
    uint32_t gen;
    uint32_t next; /* free list: 1 + slot */
};
struct dt_forks {
    struct dt_fork_slot *slots;
    uint32_t n, cap, free, live;
};

/* Of the responses without a transaction: how many more may go on in this second, and for which 2xx
 * the siblings were cancelled already (R5). */
enum { DT_STRAYS_KEPT = 64, DT_STRAYS_WAITING = 64, DT_STRAYS_ANSWERED = 256 };
/* The CANCEL of a 2xx's siblings, until it is known who they are (R12). */
struct dt_stray_cancel {
    struct dt_bytes *bytes, *spared; /* owned; `spared` is the branch that answered */
    struct dt_hop from;
};
/* A caller's INVITE whose 2xx went by as a stray. */
struct dt_stray_answer {
    uint64_t branch; /* hash of the caller's */
    dt_time at;
};
struct dt_strays {
    dt_time second;
    uint32_t used;
    uint64_t cancelled[DT_STRAYS_KEPT]; /* hashes of branches, a ring */
    unsigned next;
    struct dt_stray_answer answered[DT_STRAYS_ANSWERED]; /* by hash; the newer one stays */
    dt_time answered_at;                                 /* the last of them */
    bool any_answered;
    struct dt_stray_cancel waiting[DT_STRAYS_WAITING];
    size_t n_waiting;
};

/* The registrar's Date line of this second of the wall clock. */
struct dt_date_line {
    int64_t second;
    char text[48];
    size_t n;
};

struct dt_proxy {
    const struct dt_proxy_config *cfg;
    struct dt_env *env;
    struct dt_self self;
    struct dt_keyring keys;
    const uint64_t *key;                         /* the one that signs: the first of `keys` */
    struct dt_nonce_key nonce_keys[DT_KEYS_MAX]; /* made from `keys` */
    struct dt_outbox out;
    struct dt_stack *stack;
    struct dt_resolver *resolver;
    struct dt_location *location;
    struct dt_subscribers *subscribers;
    struct dt_nonces nonces;
    struct dt_digest_memo checked;
    struct dt_timers timers;
    struct dt_forks forks;
    struct dt_proxy_counts_table counts;
    uint64_t saved_version;
    struct dt_strays strays;
    struct dt_pair pair;
    uint64_t boot_seed;
    struct dt_date_line date;
};

/* One place where a request shall go. Slices live as long as the request and the location. */
struct dt_proxy_target {
    struct dt_str uri;  /* the new Request-URI, and the target of R2's hash: for a binding the
                           Contact as registered, which every node knows alike */
    struct dt_str path; /* Path values of the binding: Route */
    const struct dt_binding_flow *flow; /* NULL: not a binding */
};

/* A request on its way through the steps. */
struct dt_proxy_work {
    struct dt_proxy *p;
    dt_time now;
    dt_tx tx; /* 0: an ACK, or a CANCEL of ours (stray.c), which are never answered; DT_TX_NEW: it
                 is opened when something has to wait for an answer (fork.c) */
    const struct dt_sip_msg *m;
    struct dt_hop from;
    bool stateless; /* its answer leaves no transaction behind (8.2.7) */
    /* by steps/route.c */
    struct dt_str uri_text; /* the Request-URI after RFC 3261 16.4 */
    struct dt_uri uri;
    struct dt_str routes[DT_PROXY_ROUTES_MAX]; /* values that remain */
    size_t n_routes;
    unsigned popped;  /* values of ours taken from the top */
    bool strict;      /* the last value became the Request-URI (16.4) */
    bool let_through; /* a Route of ours proves that the call was admitted (R4) */
    bool ours;        /* the Request-URI is of our domain, and no Route remains */
    char aor_buf[DT_AOR_MAX];
    struct dt_str aor;    /* ours, and a user is named: canonical */
    struct dt_str spared; /* a CANCEL of ours: the branch that has answered */
    /* by steps/auth.c */
    struct dt_str user; /* who has proved a password; a subscriber's name */
    /* by steps/location.c and relay.c */
    struct dt_proxy_target targets[DT_PROXY_TARGETS_MAX];
    size_t n_targets;
};

enum dt_step_result { DT_STEP_CONTINUE, DT_STEP_WAIT, DT_STEP_ANSWERED, DT_STEP_DROP };
struct dt_proxy_step {
    const char *name;
    enum dt_step_result (*run)(struct dt_proxy_work *w);
};
extern const struct dt_proxy_step dt__step_sanity, dt__step_route, dt__step_loop, dt__step_auth,
    dt__step_registrar, dt__step_self, dt__step_location, dt__step_relay, dt__step_fork;

/* ---- chain.c ---- */

/* Runs a new request through all steps. */
void dt__chain_run(struct dt_proxy_work *w);
/* A response to the request, made from the message at hand: no second parse. */
int dt__respond(const struct dt_proxy_work *w, int status, struct dt_str extra);
/* Answers with `extra` header lines (may be empty), counts it; an ACK is dropped in its place. */
enum dt_step_result dt__answer(struct dt_proxy_work *w, enum dt_proxy_count why, int status,
                               struct dt_str extra);
/* 503 with Retry-After: a limit of ours (I37). */
enum dt_step_result dt__answer_busy(struct dt_proxy_work *w);
/* steps/self.c: 200 with what we can do, for OPTIONS that end here. */
enum dt_step_result dt__answer_options(struct dt_proxy_work *w);
void dt__count(struct dt_proxy *p, enum dt_proxy_count why);
/* Must users of our domain prove a password? Also with a file of subscribers that is empty. */
bool dt__auth_required(const struct dt_proxy *p);
/* Counts, and tells the trace. */
enum dt_step_result dt__drop(struct dt_proxy *p, const struct dt_sip_msg *m,
                             enum dt_proxy_count why);

/* ---- steps/route.c ---- */

/* RFC 3261 16.4, and what the Request-URI then is: a pure function of message, socket and
 * configuration, run again when a request that waited goes on. DT_OK or DT_E_SYNTAX. */
int dt__route_read(struct dt_proxy_work *w);
/* Then: the hash of what decides where it goes (RFC 5393 4.2.1). */
uint64_t dt__route_loop(const struct dt_proxy_work *w);
/* The canonical address of record of a URI of ours (RFC 3261 10.3 step 5): one domain, whichever
 * name or address of ours the URI had. Empty if it names no user or is too long. */
struct dt_str dt__aor_of(const struct dt_proxy *p, const struct dt_uri *uri, char buf[DT_AOR_MAX]);
/* The unescaped user part, in `buf`; empty if it is too long. */
struct dt_str dt__user_of(const struct dt_uri *uri, char *buf, size_t size);

/* ---- forward.c ---- */

/* Where a target's request is to go: its first Path or the first Route that remains, else its URI
 * (RFC 3261 16.6 steps 6 and 7). `*out` has slices of the target and the request. */
int dt__forward_next_hop(const struct dt_proxy_work *w, const struct dt_proxy_target *t,
                         struct dt_uri *out);
struct dt_forward {
    const struct dt_proxy_target *target;
    struct dt_hop to;
    unsigned attempt;
    uint32_t breadth; /* Max-Breadth of this branch; 0: as it is */
    bool forked;      /* there are other targets (R3) */
};
/* The request as it goes to one target (16.6 steps 1 to 8), one build. `*out` gets one reference,
 * `branch` is that of its top Via. DT_OK, DT_E_NOMEM, DT_E_LIMIT, DT_E_SYNTAX. */
int dt__forward_build(const struct dt_proxy_work *w, const struct dt_forward *f,
                      struct dt_bytes **out, struct dt_branch_text *branch);

/* ---- fork.c: the response context of RFC 3261 16.2 ---- */

/* Sends the request to all targets; the rest comes with responses. */
enum dt_step_result dt__fork_start(struct dt_proxy_work *w);
void dt__fork_copy(void *proxy, dt_time now, dt_tx tx, uint64_t cookie, const struct dt_sip_msg *m,
                   const struct dt_hop *from); /* another copy of a request came; a dt_stack_copy */
void dt__fork_cancelled(struct dt_proxy *p, dt_time now, uint64_t cookie);
void dt__fork_resolved(struct dt_proxy *p, dt_time now, uint64_t cookie,
                       const struct dt_addr *targets, size_t n);
void dt__fork_timer(struct dt_proxy *p, dt_time now, struct dt_timer *t);
/* A client transaction ended by itself. */
void dt__fork_failed(struct dt_proxy *p, dt_time now, dt_tx tx, uint64_t cookie, int err);
void dt__fork_ended(struct dt_proxy *p, dt_tx tx, uint64_t cookie);
/* R10, or the end: all forks go, in silence. */
void dt__forks_clear(struct dt_proxy *p);

/* ---- response.c ---- */

void dt__response(struct dt_proxy *p, dt_time now, dt_tx tx, uint64_t cookie,
                  const struct dt_sip_msg *m, const struct dt_hop *from);

/* ---- pair.c: R12, R13 ---- */

void dt__pair_init(struct dt_proxy *p);
/* All sockets hold: asks the twin for its bindings. */
void dt__pair_start(struct dt_proxy *p, dt_time now);
void dt__pair_clear(struct dt_proxy *p);
/* R10: the transactions are gone. */
void dt__pair_forget(struct dt_proxy *p, dt_time now);
/* Sends what is owed to the twin. */
void dt__pair_run(struct dt_proxy *p, dt_time now);
bool dt__pair_is_cookie(uint64_t cookie);
/* `status` 0: there was no answer. */
void dt__pair_answered(struct dt_proxy *p, dt_time now, uint64_t cookie, dt_tx tx, int status);
/* Does this node know who is bound? */
bool dt__pair_is_filled(const struct dt_proxy *p, dt_time now);
/* May a user of whom it has `n` bindings be looked up here? If not: is it so young that dropping is
 * better than 503? */
bool dt__pair_knows(const struct dt_proxy *p, dt_time now, size_t n);
bool dt__pair_is_quiet(const struct dt_proxy *p, dt_time now);

/* Wall time as copies tell it; is `boot` another run of the twin's than the one that has told us
 * all that we know? */
uint64_t dt__pair_wall_ms(const struct dt_proxy *p, dt_time now);
bool dt__pair_is_new(const struct dt_pair *t, uint32_t boot);

/* ---- pair_in.c ---- */

/* An OPTIONS, and a REGISTER as the registrar read it, with Dualtone-Copy: done and answered, or
 * refused if it is not the twin's. */
enum dt_step_result dt__pair_word(struct dt_proxy_work *w);
enum dt_step_result dt__pair_binding(struct dt_proxy_work *w, const struct dt_location_update *u);
/* Tells a person once, until it is mended. `what` goes between the peer's address and what to do.
 */
void dt__pair_tell(struct dt_proxy *p, enum dt_pair_trouble trouble, const char *what);
void dt__pair_mended(struct dt_proxy *p, enum dt_pair_trouble trouble);

/* ---- stray.c: R5 ---- */

/* A response that belongs to no transaction. */
void dt__stray(struct dt_proxy *p, dt_time now, const struct dt_sip_msg *m,
               const struct dt_hop *from);
/* Whether the 2xx of an INVITE with this branch went by within the last 64 T1: a copy that comes
 * later may go on, but nothing of our own goes behind that (17.2.1). Costs nothing without strays.
 */
bool dt__stray_answered(const struct dt_proxy *p, dt_time now, struct dt_str branch);
/* What waited for the bindings goes on, once they are there. Cheap when nothing waits. */
void dt__strays_run(struct dt_proxy *p, dt_time now);
void dt__strays_clear(struct dt_proxy *p);
/* Without our Via; NULL if no Via would be left (16.7 step 3) or there is no memory. */
struct dt_bytes *dt__without_via(struct dt_proxy *p, struct dt_sip_edits *e);

#endif
