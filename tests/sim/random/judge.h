/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The judges of a world that look at each message: they follow the record while it grows, with the
 * world as it is at that moment. What they remember is found by its key, so that a long world takes
 * as long as its messages. */
#ifndef RANDOM_JUDGE_H
#define RANDOM_JUDGE_H

#include "world.h"

#include "dualtone/msg.h"
#include "dualtone/sdp.h"

#define T1 (500 * DT_MS)
#define T2 (4 * DT_SECOND)
#define T4 (5 * DT_SECOND)
#define ICMP_COMES (2 * DT_SECOND) /* so long it takes at most to be told that nobody is there */

/* A message that was sent or has arrived. */
struct seen {
    struct world *w;
    const struct dt_record_item *item;
    const struct dt_sip_msg *m;
    bool sent;                 /* else it has arrived, or: */
    bool unheard;              /* nobody read it */
    struct party *party;       /* who got it, else who sent it */
    uint32_t life;             /* which life of that party's: what it remembers is of this one */
    struct dt_str below, vias; /* branch of the second Via; all lines of Via but the first value */
};

/* What a judge remembers under a key. */
struct memo {
    uint64_t key;
    bool used; /* false: just made, all else is zero */
    dt_time first, last, final;
    uint32_t n, value;
    uint64_t digest;
    struct dt_str text; /* in the record, which stays */
    struct memo *next;
};

struct judge;
struct judge *judge_new(void);
void judge_free(struct judge *j);
/* What is new in the record. */
void judge_look(struct world *w);

/* The memo of this party's life (0: of all), kind and texts. It stays where it is. */
enum memo_kind {
    MEMO_REQUEST,   /* to an address: how often and when sent */
    MEMO_HEARD,     /* branch: to how many addresses, what is known of it */
    MEMO_ADDRESS,   /* when nobody heard */
    MEMO_REPLY,     /* a final to an address: its bytes */
    MEMO_TRYING,    /* branch: how often answered */
    MEMO_BRANCH,    /* which request */
    MEMO_PASSED,    /* a request and target: which branch */
    MEMO_TAG,       /* of which call */
    MEMO_CAME,      /* what a proxy got */
    MEMO_GROUP,     /* paths of a request: judge_forks.c */
    MEMO_PATH,      /* one of them */
    MEMO_ROUTE,     /* dialog: its Route values */
    MEMO_RECORDED,  /* Record-Route values that were seen */
    MEMO_OFFER,     /* dialog: our re-INVITE */
    MEMO_ANSWERED,  /* branch: a re-INVITE has its final */
    MEMO_CALLER,    /* Call-ID: made here */
    MEMO_STREAMS,   /* branch: m-lines of its offer */
    MEMO_ORIGIN,    /* session: its version and bytes */
    MEMO_REGISTER,  /* branch: the REGISTER */
    MEMO_ACCEPTED,  /* Call-ID: the CSeq of the last REGISTER that was accepted */
    MEMO_FORWARDED, /* an INVITE of a caller's that loops: how often it was forwarded */
    MEMO_LOOPED     /* branch: it is counted there */
};
struct memo *judge_memo(const struct seen *s, enum memo_kind kind, uint32_t owner,
                        const struct dt_str *texts, size_t n);
uint64_t judge_hash(struct dt_str text);
/* A key of this life alone. */
uint32_t judge_owner(const struct seen *s);
/* An address as a part of a key. */
struct dt_str judge_address(const struct dt_addr *a, char buf[48]);
/* When this party was last not heard at the address (`last`): within ICMP_COMES it may be told so.
 */
struct memo *judge_unheard_at(const struct seen *s, const struct dt_addr *address);
/* Which message of the record it is. */
size_t judge_turn(const struct seen *s);
/* The reason with the message. */
void judge_fail(const struct seen *s, const char *invariant, const char *what);
/* The party lacked memory or lost its address: what it does not do proves nothing. */
bool judge_excuses(const struct party *p);
/* Since when it has been alive and not been hung. */
dt_time judge_steady_since(const struct party *p);

/* ---- what must have happened some time later: rows ---- */

/* id, how long, what to ask then */
#define DUES(X) \
    X(REPEAT, T1 + 60 * DT_MS, judge_due_repeat) \
    X(TRYING, 200 * DT_MS, judge_due_trying) \
    X(CANCEL, 20 * DT_MS, judge_due_cancel)

enum due_kind {
#define X(id, wait, ask) DUE_##id,
    DUES(X)
#undef X
        DUE_COUNT
};
/* Asks in time, with the message as it was, if its party has been steady all the while. */
void judge_wait(const struct seen *s, enum due_kind kind, struct memo *memo);
void judge_due_repeat(const struct seen *s, struct memo *memo);
void judge_due_trying(const struct seen *s, struct memo *memo);
void judge_due_cancel(const struct seen *s, struct memo *memo);

/* ---- the judges ---- */

void judge_transactions(const struct seen *s); /* I3, I4, I5 */
void judge_unheard(const struct seen *s);      /* its sender may be told by ICMP */
void judge_offer_unheard(const struct seen *s);
void judge_proxies(const struct seen *s); /* I9, I20 */
void judge_answers(const struct seen *s); /* I10, I30 */
void judge_forks(const struct seen *s);   /* I21 */
void judge_path_unheard(const struct seen *s);
void judge_dialogs(const struct seen *s);  /* I15, I16 */
void judge_bytes(const struct seen *s);    /* I29 */
void judge_bindings(const struct seen *s); /* I25 */
void judge_bounds(const struct seen *s);   /* I22, I37 */
#endif
