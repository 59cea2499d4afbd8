/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the stack share.
 *
 *   stack.c      creation, inputs, ticks, forgetting
 *   pool.c       slots with generations; what lies in them ends here
 *   limit.c      when there are too many of them
 *   linger.c     what is left of a transaction that has its final; recipe.c the shortest form of it
 *   match.c      keys: which transaction a message belongs to
 *   rules.c      the four machines as tables
 *   act.c        performs the actions of a rule; timers
 *   client.c     requests, responses to them, CANCEL; server.c the other way round
 *   derive.c     ACK and CANCEL made from an INVITE
 *   stateless.c  answers without a transaction: malformed requests, limits
 *   framing.c    where a message on a stream ends; streams.c the connections
 *   peers.c      UDP targets with transactions, for socket errors */
#ifndef STACK_PRIVATE_H
#define STACK_PRIVATE_H

#include "dualtone/stack.h"
#include "stack/framing.h"
#include "stack/recipe.h"
#include "stack/rules.h"

enum {
    DT__POOL_CHUNK = 64,   /* transactions that are allocated together */
    DT__SIP_PORT = 5060,   /* where none is written (RFC 3261 19.1.2) */
    DT__RETRY_AFTER_S = 5, /* in a 503 at a limit */
    DT__QUEUE_MAX = 64     /* messages that wait for a connection to open */
};

/* dt_timer.kind of a stream's timer; that of a transaction is its slot. */
#define DT__STREAM_TIMER UINT32_MAX

/* A keyed hash of 128 bits stands for the key of 17.1.3 or 17.2.3: its key is of the node's own
 * generator, so that nobody can aim, and by chance no two are equal. It keeps what lingers small.
 */
struct dt__key {
    uint64_t hash; /* the map's half */
    uint64_t check;
};

/* Where a transaction sends to, and what it sends again. */
struct dt__way {
    struct dt_hop hop;        /* a server's port is the one that responses go to (18.2.2) */
    struct dt_bytes *message; /* request, ACK, last response */
};

/* What only an unfinished transaction needs. */
struct dt__active {
    struct dt__way way;    /* first: it may stay when the rest goes */
    struct dt_timer timer; /* the only one: whichever comes first; kind: the slot */
    union {
        struct {
            struct dt_list link;   /* in the `waiting` list of its peer or stream */
            struct dt__peer *peer; /* over UDP */
        } client;
        struct {
            struct dt_bytes *request;
        } server;
    };
    dt_time resend_at;
    dt_time interval; /* of the last wait for resend_at */
    unsigned repeats; /* retransmissions still allowed */
    bool cancelled;   /* INVITE: a CANCEL was sent, or came */
};

/* What a transaction has beside its key. All but the first are of one that lingers. */
enum dt__form {
    DT__FORM_ACTIVE,
    DT__FORM_WAY,     /* it may have to send */
    DT__FORM_MESSAGE, /* a response, for who asks again */
    DT__FORM_RECIPE,  /* the same, told by how it differs from its request */
    DT__FORM_PARTS,   /* the same, sent by dt_stack_reply: by what it was made of */
    DT__FORM_NONE     /* it only absorbs */
};

enum { DT__NO_SLOT = UINT32_MAX };

/* What an answer of ours has beside what its request brings along. */
struct dt__parts {
    uint16_t status, n;
    char extra[]; /* header lines */
};

/* One transaction. Lives in a chunk of the pool and never moves. */
struct dt__tx {
    union {
        struct dt_map_entry entry; /* by key */
        struct dt__tx *next;       /* free, or dead until the entry call ends */
    };
    uint64_t check; /* of the key */
    uint64_t cookie;
    dt_time end_at;       /* it lingers: its place in the lane */
    uint32_t prev, after; /* it lingers: slots in the lane */
    uint32_t slot, generation;
    union {
        struct dt__active *active;
        struct dt__way *way;
        struct dt_bytes *message;
        struct dt__recipe *recipe;
        struct dt__parts *parts;
    };
    uint32_t remote_ip; /* hash; with the port: who is at the other end */
    uint16_t remote_port;
    uint8_t state;
    uint8_t machine : 2;
    uint8_t form : 3;
    uint8_t reliable : 1; /* over a stream */
    uint8_t left : 1;     /* client: nobody waits for it */
    uint8_t acked : 1;    /* client: `message` is the ACK */
};
/* Of a call that has ended four linger, an answer to a BYE told as a recipe, and a way (design.md
 * 4). */
_Static_assert(sizeof(struct dt__tx) <= 72, "what lingers is small");

/* Those that linger and end by the same wait: in the order in which they end. */
struct dt__lane {
    dt_time due;          /* of the first, or DT_TIME_NEVER */
    uint32_t first, last; /* slots */
};
enum dt__lane_of { DT__LANE_NOW, DT__LANE_T4, DT__LANE_64T1, DT__LANE_D, DT__LANES };

/* A UDP target for which client transactions are not finished. */
struct dt__peer {
    struct dt_map_entry entry; /* by remote */
    struct dt_addr remote;
    struct dt_list waiting; /* dt__active.client.link */
    bool pinned;            /* somebody walks */
};

struct dt__stream {
    struct dt_map_entry by_id, by_remote;
    struct dt_list link; /* in dt_stack.streams, or dead_streams */
    uint64_t id;
    struct dt_addr local, remote;
    struct dt_list waiting; /* dt__active.client.link */
    struct dt_timer timer;  /* idle or header time, whichever comes first */
    dt_time active_at;      /* last traffic */
    dt_time partial_since;  /* DT_TIME_NEVER: no part of a message is waiting */
    uint32_t users;         /* transactions */
    bool accepted, open, gone;
    bool silent;         /* a request over it timed out: no new ones until it speaks */
    struct dt_bytes *in; /* what is not whole yet */
    struct dt__framing framing;
    struct dt_bytes **queue; /* until it is open */
    size_t queued, queue_cap;
};

/* What the user is being told of as DT_TX_NEW. */
struct dt__new {
    const struct dt_sip_msg *m;
    const struct dt__key *key;
    struct dt_bytes *bytes; /* its counted buffer, or NULL */
    const struct dt_hop *from;
    dt_tx tx; /* once it is open */
};

/* A request that found no room. */
struct dt__refusal {
    uint64_t check; /* of its key */
    dt_time until;
};
enum { DT__REFUSALS = 256 };

struct dt_stack {
    struct dt_stack_config cfg;
    struct dt_env *env;
    struct dt_outbox *out;
    const struct dt_stack_user *ops;
    void *user;
    dt_stack_copy copy; /* may be NULL */
    struct dt_stack_counts counts;
    unsigned depth; /* entry calls under way */
    struct dt_timers timers;

    struct dt__new *fresh; /* or NULL */
    struct dt_map txs;
    uint64_t check_key[2];
    struct dt__tx **chunks;
    size_t n_chunks;
    struct dt__tx *free, *dead;
    struct dt__lane lanes[DT__LANES];
    struct dt__refusal refused[DT__REFUSALS];

    struct dt_map peers;
    struct dt_map streams_by_id, streams_by_remote;
    struct dt_list streams, dead_streams;
    uint64_t next_stream;

    struct dt_bytes **late; /* buffers to drop when the entry call ends */
    size_t n_late, late_cap;
};

/* One event for a transaction. */
struct dt__event {
    enum dt__event_kind kind;
    int err;                    /* EV_TRANSPORT, EV_END of a client */
    const struct dt_sip_msg *m; /* EV_RX_* */
    const struct dt_hop *from;  /* EV_RX_* */
    struct dt_bytes *bytes;     /* EV_TX_* */
};

/* ---- stack.c ---- */

/* Around every entry call: what died is freed when the outermost one ends. */
void dt__enter(struct dt_stack *s);
void dt__leave(struct dt_stack *s);
/* Drops the buffer in `*b` at the end of the entry call, because the user may be looking at it. If
 * there is no memory for that, it stays where it is. */
void dt__drop_late(struct dt_stack *s, struct dt_bytes **b);
/* One whole message that came in. `bytes` is its counted buffer, or NULL. */
void dt__message(struct dt_stack *s, dt_time now, struct dt_str text, struct dt_bytes *bytes,
                 const struct dt_hop *from);
/* Sends once; to a stream that is gone by a new one to `to->remote`. */
int dt__send(struct dt_stack *s, dt_time now, const struct dt_hop *to, struct dt_bytes *bytes);
void dt__dropped(struct dt_stack *s, dt_time now, const struct dt_hop *from, const char *why);
static inline bool dt__is_reliable(const struct dt_hop *h)
{
    return h->remote.transport != DT_UDP;
}
static inline bool dt__is_client(const struct dt__tx *tx)
{
    return tx->machine == DT__ICT || tx->machine == DT__NICT;
}
static inline bool dt__is_active(const struct dt__tx *tx)
{
    return tx->form == DT__FORM_ACTIVE;
}
/* A client that has had no answer: only to it is an ICMP error news. */
static inline bool dt__is_waiting(const struct dt__tx *tx)
{
    return tx->state == ST_CALLING || tx->state == ST_TRYING;
}
/* NULL: it sends to nobody of itself. */
static inline struct dt__way *dt__way(const struct dt__tx *tx)
{
    return tx->form == DT__FORM_ACTIVE ? &tx->active->way
           : tx->form == DT__FORM_WAY  ? tx->way
                                       : NULL;
}
/* What is sent again, or NULL. */
static inline struct dt_bytes *dt__message_of(const struct dt__tx *tx)
{
    const struct dt__way *way = dt__way(tx);
    return way ? way->message : tx->form == DT__FORM_MESSAGE ? tx->message : NULL;
}

/* ---- pool.c ---- */

dt_tx dt__tx_id(const struct dt__tx *tx);
/* NULL: stale. */
struct dt__tx *dt__tx_of(const struct dt_stack *s, dt_tx id);
/* A transaction in its first state, in the map, with an active part and a timer that is armed for
 * never, so that arming it later cannot fail. DT_OK, DT_E_NOMEM or DT_E_LIMIT. */
int dt__tx_new(struct dt_stack *s, enum dt__machine machine, const struct dt__key *key,
               const struct dt_hop *hop, struct dt__tx **out);
/* The same with nothing beside its key (DT__FORM_NONE), and without a timer. */
int dt__tx_bare(struct dt_stack *s, enum dt__machine machine, const struct dt__key *key,
                const struct dt_hop *hop, struct dt__tx **out);
/* The id that was handed out is stale. */
void dt__tx_rename(struct dt__tx *tx);
/* The end, in silence; the id is stale, the slot is free when the entry call ends. */
void dt__tx_end(struct dt_stack *s, struct dt__tx *tx);
/* Ends all of them in silence. */
void dt__pool_forget(struct dt_stack *s);
void dt__pool_reap(struct dt_stack *s);
void dt__pool_clear(struct dt_stack *s);
/* Transaction number `slot`, which there is. */
static inline struct dt__tx *dt__tx_at(const struct dt_stack *s, uint32_t slot)
{
    return &s->chunks[slot / DT__POOL_CHUNK][slot % DT__POOL_CHUNK];
}

/* ---- limit.c ---- */

/* There is no room (max_transactions) for one more; inside a dialog there is for longer. */
bool dt__is_full(const struct dt_stack *s, bool in_dialog);
/* The request of this key was refused not long ago: its repeat is, too (I1). */
bool dt__was_refused(const struct dt_stack *s, dt_time now, const struct dt__key *key);
/* 503 with Retry-After, without a transaction. */
void dt__limit_refuse(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                      const struct dt__key *key, const struct dt_hop *from);

/* ---- linger.c ---- */

void dt__linger_init(struct dt_stack *s);
/* Lets go of what only an unfinished transaction needs, if there is memory for that; `keep`: of the
 * message not. What lingers must go to a lane before the event ends. */
void dt__linger(struct dt_stack *s, struct dt__tx *tx, bool keep);
/* It lingers so long from now on. */
void dt__linger_for(struct dt_stack *s, dt_time now, struct dt__tx *tx, enum dt__lane_of which);
/* All that it has beside its key goes. */
void dt__linger_end(struct dt_stack *s, struct dt__tx *tx);
/* How long those of a lane linger. */
dt_time dt__linger_wait(const struct dt_stack *s, enum dt__lane_of which);
/* When the first of those that linger ends, or DT_TIME_NEVER; and who ends at `due`, or NULL. */
dt_time dt__linger_due(const struct dt_stack *s);
struct dt__tx *dt__linger_first(const struct dt_stack *s, dt_time due);
/* When to look for that: up to 10 ms later, so that many end at once. */
dt_time dt__linger_wake(const struct dt_stack *s);
/* A server that is answered as soon as it is asked: it lingers from its birth, by parts. Not over a
 * stream, and `extra` has at most UINT16_MAX bytes. DT_OK or DT_E_NOMEM. */
int dt__linger_new(struct dt_stack *s, dt_time now, const struct dt__new *fresh, int status,
                   struct dt_str extra);
/* What a server of form RECIPE or PARTS answers to `m`, its request from `from` come again. One
 * reference; NULL without memory. */
struct dt_bytes *dt__linger_answer(const struct dt_stack *s, const struct dt__tx *tx,
                                   const struct dt_sip_msg *m, const struct dt_hop *from);

/* ---- match.c ---- */

/* Of the address without its port. */
uint32_t dt__hash_ip(const struct dt_addr *a);
/* Is this where the request came from, or went to? */
bool dt__is_remote(const struct dt__tx *tx, const struct dt_addr *a);
/* Key of a server transaction for request `m` (17.2.3), taken as one of `method`: INVITE for ACK
 * and for the INVITE that a CANCEL means. `to_tag` counts for peers of RFC 2543 only. */
struct dt__key dt__key_request(const struct dt_stack *s, const struct dt_sip_msg *m,
                               enum dt_method method, struct dt_str to_tag);
/* Key of a client transaction (17.1.3). */
struct dt__key dt__key_response(const struct dt_stack *s, struct dt_str branch,
                                enum dt_method method);
/* The server transaction of `key`, or NULL. */
struct dt__tx *dt__find_server(const struct dt_stack *s, const struct dt__key *key);
/* The INVITE server transaction that an ACK belongs to, or NULL. */
struct dt__tx *dt__find_acked(const struct dt_stack *s, const struct dt_sip_msg *ack);
/* Several client transactions may share a branch (design.md 5): the one whose target is `from`,
 * else the oldest open one, else the oldest. */
struct dt__tx *dt__find_client(const struct dt_stack *s, const struct dt__key *key,
                               const struct dt_hop *from);

/* ---- client.c ---- */

/* Cancels an INVITE that was given up and rings; nobody is told what comes of it. Without memory
 * the next answer tries again. */
void dt__client_cancel(struct dt_stack *s, dt_time now, struct dt__tx *invite);

/* ---- act.c ---- */

/* DT_OK, or DT_E_STATE if the event means nothing in this state. The transaction may be gone
 * after it. */
int dt__fire(struct dt_stack *s, dt_time now, struct dt__tx *tx, const struct dt__event *ev);
void dt__tx_timer(struct dt_stack *s, dt_time now, struct dt__tx *tx);
/* Arms the timer for what `active` says. */
void dt__tx_schedule(struct dt_stack *s, struct dt__tx *tx);

/* ---- client.c, server.c ---- */

void dt__client_response(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                         const struct dt_hop *from);
void dt__server_request(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                        struct dt_bytes *bytes, const struct dt_hop *from);
/* Where the response to a request from `from` with this top Via goes (18.2.2, RFC 3581 4). */
uint16_t dt__reply_port(const struct dt_via *via, const struct dt_hop *from);
/* Every client transaction in the list `waiting` gets a transport error, one over UDP only if no
 * response has come (R16). */
void dt__clients_fail(struct dt_stack *s, dt_time now, struct dt_list *waiting, int err);

/* ---- derive.c ---- */

/* The ACK of failure `response` (17.1.1.3), or with `response` NULL the CANCEL (9.1), of `invite`.
 * DT_OK, DT_E_NOMEM or DT_E_SYNTAX. */
int dt__derive(const struct dt_stack *s, struct dt_bytes *invite, const struct dt_sip_msg *response,
               struct dt_bytes **out);

/* ---- stateless.c ---- */

/* Answers without a transaction: same tag for the same request (8.2.7), at most three times its
 * size over UDP (I30), nothing to an ACK (I8). False if nothing was sent. */
bool dt__refuse(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                const struct dt_hop *from, int status, struct dt_str reason, struct dt_str extra);
/* A message with a fault: answered if it is a request with a usable Via, dropped and counted. */
void dt__malformed(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                   const struct dt_hop *from, int status);
/* A tag for answers of ours to `m`, 16 characters in `buf`. */
struct dt_str dt__answer_tag(const struct dt_stack *s, const struct dt_sip_msg *m, char buf[16]);
/* `Server`, if configured, and `extra`, into `w`. */
void dt__write_extra(const struct dt_stack *s, struct dt_writer *w, struct dt_str extra);

/* ---- streams.c ---- */

struct dt__stream *dt__stream_find(const struct dt_stack *s, uint64_t id);
/* The stream for `hop`: its own, else one to its remote, else a new one. NULL with `*err`. */
struct dt__stream *dt__stream_for(struct dt_stack *s, dt_time now, const struct dt_hop *hop,
                                  int *err);
/* Sends, or queues while the connection is being opened. DT_OK, DT_E_NOMEM, DT_E_LIMIT. */
int dt__stream_send(struct dt_stack *s, dt_time now, struct dt__stream *st, struct dt_bytes *bytes);
void dt__stream_input(struct dt_stack *s, dt_time now, const struct dt_input *in);
void dt__stream_timer(struct dt_stack *s, dt_time now, struct dt__stream *st);
void dt__streams_forget(struct dt_stack *s, bool tell_host);
void dt__streams_reap(struct dt_stack *s);

/* ---- peers.c ---- */

/* Puts the client transaction into the list of its UDP target. DT_OK or DT_E_NOMEM. */
int dt__peer_attach(struct dt_stack *s, struct dt__tx *tx);
/* Takes it out of that list, or of its stream's. */
void dt__peer_detach(struct dt_stack *s, struct dt__tx *tx);
/* An ICMP error to a datagram for `remote`. */
void dt__peer_error(struct dt_stack *s, dt_time now, const struct dt_addr *remote, int err);

#endif
