/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The response context (RFC 3261 16.2): one request that came, and its branches. */
#ifndef PROXY_FORK_H
#define PROXY_FORK_H

#include "proxy/work.h"

enum dt_branch_state {
    DT_BRANCH_RESOLVING,  /* waits for DNS */
    DT_BRANCH_BUILT,      /* its message is made, not sent */
    DT_BRANCH_TRYING,     /* sent */
    DT_BRANCH_PROCEEDING, /* a provisional came: may be cancelled (9.1) */
    DT_BRANCH_DONE        /* `status` says how */
};

enum { DT_TIMER_TRYING, DT_TIMER_C }; /* dt_timer.kind */
enum { DT_FORK_SERVER = 0xff };       /* in a cookie: the server transaction, not a branch */

/* What a branch needs until it is sent. */
struct dt_branch_built {
    struct dt_hop to;         /* where it goes */
    struct dt_bytes *message; /* in BUILT */
    struct dt_branch_text branch;
};

/* What a branch needs while the search is on: the most of a fork's memory. */
struct dt_branch_live {
    struct dt_branch *of;
    struct dt_timer timer; /* C */
    uint16_t uri_n, path_n;
    uint32_t breadth;
    struct dt_sip_msg *kept; /* its final, while others may be better */
    struct dt_bytes *texts;  /* URI and Path of its target */
    struct dt_branch_built *built;
    struct dt_addr *more; /* where else it may go (RFC 3263 4.3) */
    uint8_t n_more, next;
    struct dt_binding_flow flow; /* of the binding; no port: none */
};

/* What a fork needs while the search is on. */
struct dt_fork_live {
    struct dt_fork *of;
    struct dt_timer trying; /* R9: 100 is due */
    struct dt_branch_live branches[];
};

struct dt_branch {
    struct dt_fork *fork;
    struct dt_branch_live *live; /* NULL: all branches are done and a final went upstream */
    dt_tx client;
    uint8_t state; /* enum dt_branch_state */
    uint8_t attempt;
    bool cancel;    /* a CANCEL is wanted */
    bool cancelled; /* and was sent */
    bool rang;      /* more than 100 came */
    uint16_t status;
};

struct dt_fork {
    dt_tx server; /* 0: ended */
    uint32_t slot;
    uint16_t n;
    bool invite;
    bool in_dialog;            /* it has a To tag */
    bool trying;               /* 100 was sent */
    bool cancelled;            /* by the caller */
    bool refused;              /* a 6xx came: no new branches (16.7 step 5) */
    bool answered;             /* a final went upstream, or never will */
    bool success;              /* and it was a 2xx: more of them may follow */
    bool behind;               /* its 2xx went by (R5): nothing but a 2xx goes upstream */
    bool counted;              /* the request, in I24's sense */
    struct dt_fork_live *live; /* NULL: the search is over */
    struct dt_branch branches[];
};

static inline unsigned dt__branch_index(const struct dt_branch *b)
{
    return (unsigned)(b - b->fork->branches);
}
/* The branch of a cookie, or NULL if its fork has gone. */
struct dt_branch *dt__branch_find(const struct dt_proxy *p, uint64_t cookie);
/* The fork of a cookie, or NULL. */
struct dt_fork *dt__fork_find(const struct dt_proxy *p, uint64_t cookie);
uint64_t dt__fork_cookie(const struct dt_proxy *p, const struct dt_fork *f, unsigned branch);
/* A fork with room for `n` branches; NULL without memory. */
struct dt_fork *dt__fork_new(struct dt_proxy *p, unsigned n);
void dt__branch_clear(struct dt_proxy *p, struct dt_branch *b);
/* What only its sending needed goes. */
void dt__branch_sent(struct dt_proxy *p, struct dt_branch *b);
/* A branch has its final: sends another try, the best response, or waits for the others. `m` is the
 * response itself (NULL: made here). */
void dt__branch_done(struct dt_proxy *p, dt_time now, struct dt_branch *b, int status,
                     const struct dt_sip_msg *m);
/* Cancels all branches that are under way: with CANCEL where a provisional came, when it comes
 * elsewhere (9.1, R23). */
void dt__fork_cancel_all(struct dt_proxy *p, dt_time now, struct dt_fork *f);
void dt__branch_cancel(struct dt_proxy *p, dt_time now, struct dt_branch *b);
/* (Re)starts timer C of an INVITE's branch (16.6 step 11, 16.7 step 2). DT_E_NOMEM the first time
 * only. */
int dt__branch_arm_c(struct dt_proxy *p, dt_time now, struct dt_branch *b);
/* All branches are done and nothing went upstream yet: chooses and sends (16.7 step 6). `last` is a
 * response at hand that is not kept, of branch `of`; both may be NULL. */
void dt__fork_finish(struct dt_proxy *p, dt_time now, struct dt_fork *f, const struct dt_branch *of,
                     const struct dt_sip_msg *last);
/* Tries the next address of a branch; false if there is none, or it makes no sense any more. */
bool dt__branch_again(struct dt_proxy *p, dt_time now, struct dt_branch *b);
/* Is any branch not done? */
bool dt__fork_open(const struct dt_fork *f);
/* 100 is not due any more. */
void dt__fork_stop_trying(struct dt_proxy *p, struct dt_fork *f);
/* The request becomes one of the counts, once. */
void dt__fork_count(struct dt_proxy *p, struct dt_fork *f, enum dt_proxy_count why);
/* Frees the fork when both sides have ended (of a non-INVITE: when it is answered), and before that
 * what only the search needed. The last act of whoever has changed it. */
void dt__fork_settle(struct dt_proxy *p, struct dt_fork *f);

#endif
