/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The transport-independent middle: stream framing, transactions (RFC 3261 17, RFC 6026), the
 * sending of requests and responses. Who speaks with the world through it (ua, proxy) is its
 * *user*: it feeds inputs in, is called through one const table, and what the stack wants sent lies
 * in the outbox that the user's node owns.
 *
 * Transactions are known by ids, never by pointers: an id that came too late gets DT_E_STALE. What
 * dies during a call of the user's is freed when the entry call ends. */
#ifndef DUALTONE_STACK_H
#define DUALTONE_STACK_H

#include "dualtone/build.h"
#include "dualtone/containers.h"
#include "dualtone/node.h"

/* A transaction: slot and generation; 0 is none. */
typedef uint64_t dt_tx;
/* A request that has none yet (dt_stack_config.open_late). */
#define DT_TX_NEW UINT64_MAX

/* Where a message came from or goes to. */
struct dt_hop {
    struct dt_addr local; /* the socket of ours */
    struct dt_addr remote;
    uint64_t stream; /* TCP: the connection; 0 for UDP, or "open one or use one to `remote`" */
};

struct dt_stack_user {
    /* A new request, no repeat, parsed and checked. Answer it by dt_stack_respond(tx), now or
     * later. `tx` is 0 for an ACK that belongs to no INVITE answered with a failure (the ACK of a
     * 2xx, or a stray one), which is never answered (I8). A CANCEL comes here only when it matches
     * no INVITE transaction. With `open_late` it is DT_TX_NEW for all other requests than INVITE:
     * what is not answered by dt_stack_reply or opened by dt_stack_open before this returns is
     * dropped, and its repeat is new. */
    void (*request)(void *user, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                    const struct dt_hop *from);
    /* The CANCEL of INVITE transaction `invite`, which has no final response yet. The stack has
     * answered the CANCEL with 200 (9.2); the user answers the INVITE (487). */
    void (*cancel)(void *user, dt_time now, dt_tx invite, uint64_t cookie,
                   const struct dt_sip_msg *m);
    /* A response to client transaction `tx`: each 1xx, the final, and each repeat of a 2xx to
     * INVITE (RFC 6026; the user ACKs it). `tx` is 0 for a stray response (no transaction; R5):
     * `cookie` is 0 then. Repeated failures are absorbed. */
    void (*response)(void *user, dt_time now, dt_tx tx, uint64_t cookie, const struct dt_sip_msg *m,
                     const struct dt_hop *from);
    /* Client transaction `tx` ended without a final: DT_E_TIMEOUT, or a transport error
     * (DT_E_REFUSED, DT_E_UNREACHABLE, DT_E_CLOSED, ...). Its id is stale, and nothing more comes
     * for it, `ended` neither. */
    void (*failed)(void *user, dt_time now, dt_tx tx, uint64_t cookie, int err);
    /* Transaction `tx` is gone, after a final (a server's also when nobody answered in time); its
     * id is stale from now on. Also told, with `cookie` 0, of a CANCEL that the stack answered.
     * Never called from within dt_stack_request, _respond, _answer, _cancel, _abandon or _forget:
     * it comes out of dt_stack_input or dt_stack_tick. */
    void (*ended)(void *user, dt_time now, dt_tx tx, uint64_t cookie);
    /* A message was dropped: for counters and the trace. `why` is static text. May be NULL. */
    void (*dropped)(void *user, dt_time now, const struct dt_hop *from, const char *why);
};

/* What becomes of an INVITE over UDP that ended without an answer, by timer B or an error of the
 * transport, when the callee rings after all: the request was long under way, or the answers were.
 * RFC 3261 17.1.1.2 forgets it: all that comes is a stray response. Else it stays for 64 T1 more:
 * failures are acknowledged and go no further, a 2xx is a stray as before, and what rings is left
 * alone (ABSORB: a twin may have called it with the same branch) or cancelled (CANCEL). */
enum dt_given_up { DT_GIVEN_UP_FORGET, DT_GIVEN_UP_ABSORB, DT_GIVEN_UP_CANCEL };

/* Bounds and timers (RFC 3261 table 4); 0 takes the default in brackets. */
struct dt_stack_config {
    dt_time t1;                /* [500 ms] */
    dt_time t2;                /* [4 s] */
    dt_time t4;                /* [5 s] */
    uint32_t max_transactions; /* [100000] under way; of those that have ended and only wait for
                                  repeats ten count as one, by their memory. At 7/8 of it requests
                                  that begin something get 503 and Retry-After, at all of it those
                                  inside dialogs, too (I37): a call can end. The CANCELs of what
                                  is under way, one each, come on top */
    uint32_t max_streams;      /* [1024] */
    uint32_t max_message;      /* [65535] bytes on a stream */
    dt_time stream_idle;       /* [120 s] a stream without traffic and transactions is closed */
    dt_time header_time;       /* [10 s] for a message on a stream to become whole */
    const char
        *server_name; /* value of Server in answers that the stack makes itself; NULL: none */
    bool linger; /* timers I and J over streams as over UDP: a copy may come by another one (R7);
                    RFC 3261 17.2 has zero there */
    enum dt_given_up given_up;
    bool open_late; /* a request other than INVITE is told of before it has a transaction: for who
                       answers most of them at once, which is cheaper then */
    bool plain; /* for the simulation of phones that are not ours: a repeat is answered to the first
                   source only, whoever sent it (17.2) */
};

struct dt_stack;

/* `env` and `out` must outlive the stack. NULL without memory. */
struct dt_stack *dt_stack_new(const struct dt_stack_config *cfg, struct dt_env *env,
                              struct dt_outbox *out, const struct dt_stack_user *ops, void *user);
void dt_stack_free(struct dt_stack *s);

/* One input of the host: datagrams, stream events and socket errors; others are passed over. A
 * malformed request whose top Via is usable is answered (400 and its like, statelessly), all else
 * that is malformed is dropped and counted (I29). */
void dt_stack_input(struct dt_stack *s, dt_time now, const struct dt_input *in);
dt_time dt_stack_deadline(const struct dt_stack *s);
void dt_stack_tick(struct dt_stack *s, dt_time now);
/* R10: drop transactions and streams in silence, as if restarted. */
void dt_stack_forget(struct dt_stack *s, dt_time now);

/* ---- client transactions ---- */

struct dt_request {
    struct dt_bytes *bytes; /* the whole message; the stack takes a reference of its own */
    struct dt_hop to;       /* `local` set; the transport decides reliability */
    enum dt_method method;
    struct dt_str branch; /* of the top Via, for matching (17.1.3) */
    uint64_t cookie;      /* the user's, given back in callbacks */
    bool in_dialog;       /* it has a To tag: the last of max_transactions are for it */
    unsigned repeats;     /* UDP: at most so many retransmissions (the guide's sip_invite_retx,
                             sip_retx); UINT_MAX: as RFC 3261 */
    dt_time timeout;      /* until DT_E_TIMEOUT without a final (INVITE: without any response);
                             0: 64 T1 */
};
/* Starts the transaction and sends. Not for ACK. `*tx` is set before any callback. Errors:
 * DT_E_NOMEM, DT_E_LIMIT. Transport errors come later, by `failed`. */
int dt_stack_request(struct dt_stack *s, dt_time now, const struct dt_request *r, dt_tx *tx);
/* CANCEL for INVITE client transaction `invite` (9.1): same branch, sent to the same place, as a
 * transaction of its own with `cookie`. DT_E_STATE before a provisional came (R23) or after a
 * final; DT_E_STALE. If 64 T1 pass after it without a final, the INVITE ends by `failed`. */
int dt_stack_cancel(struct dt_stack *s, dt_time now, dt_tx invite, uint64_t cookie, dt_tx *tx);
/* The same before a provisional came, where 9.1 has it wait: for a node whose twin may have got the
 * provisional that this one lacks (R24). The INVITE is not repeated any more; if its provisional
 * comes after all, dt_stack_cancel is still to be called. DT_E_STATE in another state. */
int dt_stack_cancel_early(struct dt_stack *s, dt_time now, dt_tx invite, uint64_t cookie,
                          dt_tx *tx);
/* Ends a transaction in silence: of a client, late responses become strays; of a server, a repeat
 * of the request is a new one. */
void dt_stack_abandon(struct dt_stack *s, dt_time now, dt_tx tx);
/* A client transaction is not repeated any more: its twin was answered (R21). */
void dt_stack_quiet(struct dt_stack *s, dt_tx tx);
/* One that is quiet, and has had no response, is repeated again from now on: what answered in its
 * place has died. Nothing over TCP, where it has arrived or failed. */
void dt_stack_resume(struct dt_stack *s, dt_time now, dt_tx tx);
/* Once more, over UDP, beside what its timer sends and although it was answered by a provisional
 * (17.1.1.2 has it rest): who asked repeats himself, so more than 100 may have been lost. Nothing
 * of one that is quiet. */
void dt_stack_repeat(struct dt_stack *s, dt_time now, dt_tx tx);
/* Nobody waits for a client transaction any more. It is not repeated, acknowledges a failure that
 * still comes, and ends in silence (neither `failed` nor `ended`), 64 T1 from now at the latest.
 * What comes for it is told as before. */
void dt_stack_leave(struct dt_stack *s, dt_time now, dt_tx tx);

/* ---- server transactions ---- */

/* Sends a response (whole message; the stack takes a reference of its own): 1xx any number of
 * times, a final once; after a 2xx to INVITE further 2xx with other bytes or the same (RFC 6026:
 * the user repeats its 2xx itself, 13.3.1.4). DT_E_STATE after another final; DT_E_STALE. */
int dt_stack_respond(struct dt_stack *s, dt_time now, dt_tx tx, int status, struct dt_bytes *bytes);
/* A short answer made by the stack (dt_sip_answer): status, default phrase, `to_tag` and `extra`
 * header lines may be empty. DT_E_NOMEM of a final: as by dt_stack_unanswered. */
int dt_stack_answer(struct dt_stack *s, dt_time now, dt_tx tx, int status, struct dt_str to_tag,
                    struct dt_str extra);
/* The transaction of the request that the user is being told of as DT_TX_NEW: at the first call it
 * is made. 0: there is no memory for it; the request is to be dropped, since it comes again (I39),
 * or has got a 503 over a stream, where it does not. */
dt_tx dt_stack_open(struct dt_stack *s, dt_time now);
/* The same as dt_stack_answer for who has the request `m` at hand, as it came from `from`: it is
 * not parsed again, the tag is the stack's, and there is no `Server`. `tx` may be DT_TX_NEW. Of
 * such a one only status and `extra` of a final stay for timer J (17.2.2): a copy of the request
 * brings the rest along; with `keep` false nothing stays, and a copy is a new request (8.2.7).
 * DT_E_NOMEM of a final: as by dt_stack_unanswered. */
int dt_stack_reply(struct dt_stack *s, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                   const struct dt_hop *from, int status, struct dt_str extra, bool keep);
/* There was no memory for the final: the server transaction ends (`ended`) with the next tick, and
 * a repeat of the request is a new one (I39). Nothing for a client, or after a final. */
void dt_stack_unanswered(struct dt_stack *s, dt_time now, dt_tx tx);
/* The request of a server transaction, parsed and checked into `out` with the caller's `headers`;
 * valid until the call that sends a final response has returned: then the request is dropped (what
 * lingers is small), and this gives DT_E_STATE. DT_E_STALE. */
int dt_stack_request_of(const struct dt_stack *s, dt_tx tx, struct dt_sip_msg *out,
                        struct dt_sip_header *headers, uint16_t cap);
/* Where a server's request came from, or a client's goes. DT_E_STALE; DT_E_STATE when it has its
 * final and will not send of itself: what lingers is small. */
int dt_stack_hop_of(const struct dt_stack *s, dt_tx tx, struct dt_hop *out);
/* Was a final response sent to the request of `method` with this topmost Via, as far as a
 * transaction still remembers it (17.2.1, 17.2.2)? */
bool dt_stack_is_answered(const struct dt_stack *s, const struct dt_via *via,
                          enum dt_method method);
/* The server transaction with this topmost Via, if no final was sent yet; or 0. */
dt_tx dt_stack_pending(const struct dt_stack *s, const struct dt_via *via, enum dt_method method);
/* The cookie that `cancel` and `ended` give back. DT_E_STALE. */
int dt_stack_set_cookie(struct dt_stack *s, dt_tx tx, uint64_t cookie);

/* Told of each further copy `m` of INVITE `tx`, or its CANCEL, before it is answered: for who
 * answers every proxy that sent one (R7). `cookie` as of `tx`; `user` as in the callbacks. */
typedef void (*dt_stack_copy)(void *user, dt_time now, dt_tx tx, uint64_t cookie,
                              const struct dt_sip_msg *m, const struct dt_hop *from);
void dt_stack_on_copy(struct dt_stack *s, dt_stack_copy copy);

/* ---- without a transaction ---- */

/* The ACK of a 2xx, a stray response, a forwarded ACK: sent once. */
int dt_stack_send(struct dt_stack *s, dt_time now, struct dt_bytes *bytes, const struct dt_hop *to);
/* Does this connection stand, so that a request may be given to it? For who remembers the flow of a
 * registration. */
bool dt_stack_stream_is_open(const struct dt_stack *s, uint64_t stream);

/* ---- counters (I24) ---- */

#define DT_STACK_COUNTS(X) \
    X(in, "messages that came in") \
    X(out, "messages sent, repeats included") \
    X(repeats, "retransmissions sent") \
    X(absorbed, "repeats of the other side, absorbed") \
    X(malformed, "messages that could not be parsed") \
    X(answered_malformed, "of these, answered with 4xx or 5xx") \
    X(stray, "responses without a transaction") \
    X(refused_limit, "requests refused at a limit") \
    X(transactions, "transactions now") \
    X(lingering, "of these, ended and waiting for repeats") \
    X(streams, "streams now")
struct dt_stack_counts {
#define X(name, text) uint64_t name;
    DT_STACK_COUNTS(X)
#undef X
};
const struct dt_stack_counts *dt_stack_counts(const struct dt_stack *s);

#endif
