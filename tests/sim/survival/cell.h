/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The cells of the survival matrix: design.md section 1, "What survives the death of the node that
 * holds the call". A cell is one moment of death, one kind of phones, one fault, one way to travel;
 * it is run over many seeds. */
#ifndef SURVIVAL_CELL_H
#define SURVIVAL_CELL_H

#include "dualtone/base.h"
#include "dualtone/text.h"

#include <stdbool.h>

/* When the fault strikes the primary proxy P: by what is seen on the wire, never by time alone. */
#define PHASES(X) \
    X(KNOWN, "known")           /* so long before dialling that probes had the time to find it */ \
    X(SILENT, "silent")         /* just before dialling */ \
    X(INVITED, "invited")       /* the INVITE is at P, and no 100 has left */ \
    X(TRYING, "trying")         /* 100 was sent, the copy to the callee is lost */ \
    X(REACHED, "reached")       /* the callee has the INVITE, its 180 has not passed */ \
    X(RINGING, "ringing")       /* then the callee answers */ \
    X(CANCELS, "cancels")       /* it rings; P dies, and the caller hangs up */ \
    X(CANCEL_WAY, "cancel-way") /* the CANCEL is at P */ \
    X(OK_WAY, "ok-way")         /* the 200 of the callee is on its way to P */ \
    X(ACK_WAY, "ack-way")       /* the ACK is at P */ \
    X(TALK_CALLER, "talk-caller")   /* then the caller holds, resumes, hangs up */ \
    X(TALK_CALLEE, "talk-callee")   /* then the callee does */ \
    X(REINVITE_WAY, "reinvite-way") /* the caller's re-INVITE is at P */ \
    X(BYE_CALLER, "bye-caller")     /* the caller's BYE is at P */ \
    X(BYE_CALLEE, "bye-callee")     /* the callee's BYE is at P */

/* Who the phones are. What is not ours is a node of ours with every addition switched off. */
#define KINDS(X) \
    X(OURS, "ours")                     /* both, at a pair of twins */ \
    X(CALLEE_FOREIGN, "foreign-callee") /* knows P only; its address does not move */ \
    X(CALLER_FOREIGN, "foreign-caller") /* knows P only; the survivor takes its address over */ \
    X(STRANGERS, "strangers")           /* our caller, a foreign callee, two unrelated proxies */

#define FAULTS(X) \
    X(KILL, "kill", -1)           /* the host is gone: nothing answers, nothing refuses */ \
    X(BLACKHOLE, "blackhole", -1) /* it lives, and is cut off from everybody */ \
    X(REFUSE, "refuse", -1)       /* the process is gone: closed ports refuse */ \
    X(RESTART0, "restart0", 0)    /* killed, and started again at once */ \
    X(RESTART2, "restart2", 2)    /* ... after 2 s */ \
    X(HANG1, "hang1", 1)          /* SIGSTOP, and SIGCONT after 1 s */ \
    X(HANG5, "hang5", 5) \
    X(HANG33, "hang33", 33) \
    X(HANG100, "hang100", 100) \
    X(HANG200, "hang200", 200)

enum phase {
#define X(name, text) PHASE_##name,
    PHASES(X)
#undef X
        N_PHASES
};
enum kind {
#define X(name, text) KIND_##name,
    KINDS(X)
#undef X
        N_KINDS
};
enum fault {
#define X(name, text, seconds) FAULT_##name,
    FAULTS(X)
#undef X
        N_FAULTS
};

struct cell {
    enum phase phase;
    enum kind kind;
    enum fault fault;
    bool tcp;      /* phones and proxies speak TCP */
    bool auth;     /* a 407 on the way */
    bool contacts; /* three phones are registered for the number that is called */
};

const char *phase_name(enum phase p);
const char *kind_name(enum kind k);
const char *fault_name(enum fault f);

enum { CELL_NAME = 80 };
/* "ours/ringing/kill/udp/407/fork". */
void cell_name(const struct cell *c, char out[CELL_NAME]);
size_t cell_count(void);
struct cell cell_at(size_t i);

/* P runs again so many seconds after it was struck; -1: never. */
int fault_returns(enum fault f);
bool fault_hangs(enum fault f);
/* The process is gone, with what it knew. */
bool fault_kills(enum fault f);
/* The survivor S takes over the address of P, 1 s after the fault. */
bool cell_moves(const struct cell *c);

/* What the table of design.md section 1 promises. */
enum promise {
    PROMISE_YES,    /* the call comes about, the hang-up or CANCEL reaches both */
    PROMISE_RERING, /* so too; the ring may stop and start again; lost if it is answered between */
    PROMISE_NO_GHOST, /* it may be lost, but never more than one call, and nothing stays behind */
};
enum promise cell_promise(const struct cell *c);

/* Bounds (both phones ours, one node alive, `fast`, no losses); 0: none. */
dt_time cell_ringing_bound(const struct cell *c); /* from dialling, or the death if that is later */
dt_time cell_bound(const struct cell *c);         /* of everything later: answer, hold, BYE, ... */

#endif
