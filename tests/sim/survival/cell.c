/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tables of the matrix: which cells there are, and what each must keep. */
#include "cell.h"

#include <stdio.h>

static const char *const phases[] = {
#define X(name, text) text,
    PHASES(X)
#undef X
};
static const char *const kinds[] = {
#define X(name, text) text,
    KINDS(X)
#undef X
};
static const struct {
    const char *name;
    int returns;
} faults[] = {
#define X(name, text, seconds) {text, seconds},
    FAULTS(X)
#undef X
};

const char *phase_name(enum phase p)
{
    return phases[p];
}

const char *kind_name(enum kind k)
{
    return kinds[k];
}

const char *fault_name(enum fault f)
{
    return faults[f].name;
}

int fault_returns(enum fault f)
{
    return faults[f].returns;
}

bool fault_hangs(enum fault f)
{
    return f >= FAULT_HANG1;
}

bool fault_kills(enum fault f)
{
    return f != FAULT_BLACKHOLE && !fault_hangs(f);
}

void cell_name(const struct cell *c, char out[CELL_NAME])
{
    snprintf(out, CELL_NAME, "%s/%s/%s/%s/%s/%s", kinds[c->kind], phases[c->phase],
             faults[c->fault].name, c->tcp ? "tcp" : "udp", c->auth ? "407" : "open",
             c->contacts ? "three" : "one");
}

/* The last dimensions change first. */
size_t cell_count(void)
{
    return (size_t)N_KINDS * N_PHASES * N_FAULTS * 8;
}

struct cell cell_at(size_t i)
{
    struct cell c = {.contacts = i & 1, .auth = i >> 1 & 1, .tcp = i >> 2 & 1};
    i >>= 3;
    c.fault = (enum fault)(i % N_FAULTS);
    c.phase = (enum phase)(i / N_FAULTS % N_PHASES);
    c.kind = (enum kind)(i / N_FAULTS / N_PHASES);
    return c;
}

/* A node that comes back with its address keeps it. */
bool cell_moves(const struct cell *c)
{
    return c->kind == KIND_CALLER_FOREIGN &&
           (fault_returns(c->fault) < 0 || fault_hangs(c->fault)) && c->fault != FAULT_HANG1;
}

/* ---- promises ---- */

/* P, or who took its address, is there again before a phone has given up repeating (64 T1). A stop
 * of 33 s is too long for that, and R10 leaves unread what came meanwhile. */
static bool is_back_soon(const struct cell *c)
{
    int s = fault_returns(c->fault);
    return s >= 0 && s <= 5;
}

/* "callee foreign, address not moved". */
static enum promise callee_foreign(const struct cell *c)
{
    switch (c->phase) {
    case PHASE_TRYING: /* bytes on a stream are not lost: a P that goes on has reached the callee */
        return c->tcp && !fault_kills(c->fault) ? PROMISE_RERING : PROMISE_YES;
    case PHASE_REACHED: /* "INVITE, no 100: yes; if it already rings, as below" */
    case PHASE_RINGING: /* "ring stops, starts again (new Call-ID); lost if answered in between" */
        return PROMISE_RERING;
    case PHASE_OK_WAY: /* "lost: the callee repeats it to the dead address, BYE after 32 s" */
        return PROMISE_NO_GHOST;
    case PHASE_TALK_CALLEE: /* below the table: "Not moved, but Record-Route is a name that resolves
                               to both nodes: requests inside calls survive". Here it is an address:
                               what the foreign callee itself sends goes to the dead node. Over UDP
                               its repeats reach a node that is back soon, unless a closed port
                               has refused them before (RFC 3261 18.4). */
    case PHASE_BYE_CALLEE:
        return is_back_soon(c) && !c->tcp && c->fault != FAULT_RESTART2 ? PROMISE_YES
                                                                        : PROMISE_NO_GHOST;
    default:
        return PROMISE_YES;
    }
}

/* The caller itself sends something to the closed port, before the address has moved or P is there
 * again: who is told of a refusal does not repeat (RFC 3261 18.4), and the table's "yes: the caller
 * repeats" says nothing of him. */
static bool caller_is_refused(const struct cell *c)
{
    switch (c->phase) {
    case PHASE_KNOWN:
        return c->fault == FAULT_RESTART2;
    case PHASE_SILENT:
    case PHASE_INVITED:
    case PHASE_CANCELS:
    case PHASE_CANCEL_WAY:
    case PHASE_TALK_CALLER:
    case PHASE_REINVITE_WAY:
    case PHASE_BYE_CALLER:
        return c->fault == FAULT_REFUSE || c->fault == FAULT_RESTART2;
    default:
        return false;
    }
}

/* "caller foreign, address moved to the survivor". */
static enum promise caller_foreign(const struct cell *c)
{
    if (caller_is_refused(c))
        return PROMISE_NO_GHOST;
    if (c->fault == FAULT_HANG1 && c->phase != PHASE_KNOWN) /* nothing is lost, nothing moves */
        return PROMISE_YES;
    if (c->tcp) /* "Address moved holds for UDP. TCP and TLS: a phone must connect again" */
        return PROMISE_NO_GHOST;
    if (c->phase == PHASE_TRYING) /* "lost only if the copy to the callee was lost too": it was */
        return PROMISE_NO_GHOST;
    return PROMISE_YES;
}

/* "With strangers: never more than one call; nothing worse than `guide`", which reaches the backup
 * when nothing at all came from the primary, and a restarted stranger that lost its bindings says
 * 404 to the guide's phone too. What had a provisional the guide's phone loses. */
static enum promise strangers(const struct cell *c)
{
    bool nothing_came =
        c->phase == PHASE_KNOWN || c->phase == PHASE_SILENT || c->phase == PHASE_INVITED;
    bool forgot = c->fault == FAULT_RESTART0 || c->fault == FAULT_RESTART2;
    return nothing_came && !forgot ? PROMISE_YES : PROMISE_NO_GHOST;
}

enum promise cell_promise(const struct cell *c)
{
    switch (c->kind) {
    case KIND_CALLEE_FOREIGN:
        return callee_foreign(c);
    case KIND_CALLER_FOREIGN:
        return caller_foreign(c);
    case KIND_STRANGERS:
        return strangers(c);
    default:
        return PROMISE_YES;
    }
}

/* ---- bounds ---- */

dt_time cell_ringing_bound(const struct cell *c)
{
    static const int ms[N_PHASES] = {
        [PHASE_KNOWN] = 50,    [PHASE_SILENT] = 600,   [PHASE_INVITED] = 600,
        [PHASE_TRYING] = 3000, [PHASE_REACHED] = 3000,
    };
    return c->kind == KIND_OURS ? ms[c->phase] * DT_MS : 0;
}

dt_time cell_bound(const struct cell *c)
{
    return c->kind == KIND_OURS ? 1500 * DT_MS : 0;
}
