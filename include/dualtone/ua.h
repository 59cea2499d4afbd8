/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The user agent: registrations, invite sessions with their dialogs, offers and answers. Policy
 * about which proxy is tried comes from reach. It owns a stack; the phone is its user: lines, keys,
 * screen and files are not known here. */
#ifndef DUALTONE_UA_H
#define DUALTONE_UA_H

#include "dualtone/digest.h"
#include "dualtone/node.h"
#include "dualtone/reach.h"
#include "dualtone/sdp.h"
#include "dualtone/stack.h"
#include "dualtone/why.h"

/* Ids with a generation; 0 is none. What has ended gives DT_E_STALE. */
typedef uint64_t dt_call_id;
typedef uint64_t dt_reg_id;

/* Where requests go first: a proxy as configured. */
struct dt_server {
    struct dt_str host; /* number or name; empty: no such proxy */
    uint16_t port;      /* 0: by DNS, or 5060 */
    bool transport_given;
    enum dt_transport transport;
};

/* Who speaks: one line of a phone. Slices must stay valid as long as the ua. */
struct dt_identity {
    struct dt_str user; /* sip:USER@domain */
    struct dt_str domain;
    struct dt_str display; /* may be empty */
    struct dt_credentials credentials;
};

/* 0 takes the default in brackets. */
struct dt_ua_config {
    struct dt_stack_config stack;
    struct dt_addr local;    /* SIP address and port; goes into Via and Contact */
    bool tcp;                /* listen on TCP too */
    unsigned invite_repeats; /* sip_invite_retx [6] */
    unsigned other_repeats;  /* sip_retx [10] */
    dt_time invite_expires;  /* timer_invite_expires [180 s] */
    enum dt_hold_form hold;  /* rfc_2543_hold */
    bool fast;  /* proxy_failover fast: proxies are probed, requests go by their twins too (R22) */
    bool plain; /* for the simulation of phones that are not ours: no R7, no R11 */
    const char *user_agent; /* User-Agent and Server */
    unsigned max_calls;     /* [32] */
};

/* ---- events ---- */

enum dt_call_state {                  /* set by one function only; each step is traced */
                     DT_CALL_CALLING, /* INVITE sent, nothing but 100 yet */
                     DT_CALL_RINGING, /* caller: 180; callee: it rings here */
                     DT_CALL_TALKING, /* confirmed */
                     DT_CALL_ENDING,  /* CANCEL or BYE under way */
                     DT_CALL_ENDED
};
const char *dt_call_state_name(enum dt_call_state s);

/* Why a call ended, for one plain sentence: status is the final (0: none), err a transport error or
 * DT_OK. */
struct dt_call_end {
    int status;
    int err;
    struct dt_str reason; /* phrase of the response */
    bool by_peer;
    uint32_t retry_after; /* seconds; 0: none */
};

struct dt_ua_user {
    /* An INVITE for us that was not seen before. Answer with dt_ua_ring, dt_ua_answer or
     * dt_ua_reject, now or later. `to_user`: user part of the Request-URI. */
    void (*incoming)(void *user, dt_time now, dt_call_id call, const struct dt_sip_msg *m,
                     struct dt_str to_user);
    void (*state)(void *user, dt_time now, dt_call_id call, enum dt_call_state state,
                  const struct dt_call_end *end /* ENDED only */);
    /* The first path failed, the backup is tried (R28, "screen"), or it answered. `trying`: the
     * words are to be shown; false: they go. */
    void (*backup)(void *user, dt_time now, dt_call_id call, bool trying);
    /* What was agreed changed: start, change or stop sound. `m->active` false: stop. */
    void (*media)(void *user, dt_time now, dt_call_id call, const struct dt_media_agreed *m);
    /* `registered`, or not, with the last status and error. `expires`: seconds granted. */
    void (*registration)(void *user, dt_time now, dt_reg_id reg, bool registered, int status,
                         int err, uint32_t expires);
    /* A request outside calls that the ua does not answer itself (NOTIFY, ...); return the status
     * to answer. OPTIONS is answered by the ua. May be NULL: 405. */
    int (*other)(void *user, dt_time now, const struct dt_sip_msg *m);
    /* What dt_ua_known_write says has changed. May be NULL. */
    void (*known)(void *user, dt_time now);
    /* A response or ACK failed to arrive, a repeat was seen, ...: for the log and the trace. */
    void (*dropped)(void *user, dt_time now, const struct dt_hop *from, const char *why);
};

struct dt_ua;

/* `env`, `out` and the slices in `cfg` must outlive it. NULL without memory. Puts DT_OUT_LISTEN for
 * its SIP sockets into `out`. */
struct dt_ua *dt_ua_new(const struct dt_ua_config *cfg, struct dt_env *env, struct dt_outbox *out,
                        const struct dt_ua_user *ops, void *user);
void dt_ua_free(struct dt_ua *ua);
/* The ua takes what is its: SIP datagrams, streams, DNS answers. True if it was taken. */
bool dt_ua_input(struct dt_ua *ua, dt_time now, const struct dt_input *in);
dt_time dt_ua_deadline(const struct dt_ua *ua);
void dt_ua_tick(struct dt_ua *ua, dt_time now);

/* What is to be known again after a restart, under `fast`: which proxies are twins (R20). As
 * dt_targets_write and dt_targets_read, which see. */
void dt_ua_known_write(const struct dt_ua *ua, struct dt_writer *w);
void dt_ua_known_read(struct dt_ua *ua, dt_time now, struct dt_str text);

/* ---- registration (RFC 3261 10; guide: behaviour.md 4) ---- */

struct dt_registration {
    struct dt_identity identity;
    struct dt_server registrar;
    uint32_t expires;         /* seconds asked for */
    uint32_t delta;           /* refresh so many seconds early (timer_register_delta) */
    struct dt_str user_param; /* user_info: "phone", "ip" or empty */
};
/* Registers, keeps registered (refresh, 423, 401, 503 and Retry-After, silence: tried again with
 * jitter), until dt_ua_unregister. */
int dt_ua_register(struct dt_ua *ua, dt_time now, const struct dt_registration *r, dt_reg_id *id);
/* Expires: 0 is sent; the registration event tells the end. */
int dt_ua_unregister(struct dt_ua *ua, dt_time now, dt_reg_id id);

/* ---- calls ---- */

struct dt_outgoing {
    struct dt_identity identity;
    struct dt_str target;        /* Request-URI and To: a whole URI */
    struct dt_server primary;    /* empty host: straight to the target (RFC 3263) */
    struct dt_server backup;     /* empty host: none */
    enum dt_reach_policy policy; /* guide or fast */
    struct dt_media_caps media;
    bool anonymous; /* caller-ID blocking */
};
int dt_ua_call(struct dt_ua *ua, dt_time now, const struct dt_outgoing *o, dt_call_id *id);
/* Callee: 180; idempotent. */
int dt_ua_ring(struct dt_ua *ua, dt_time now, dt_call_id call);
/* Callee: 200 with an answer (or an offer if the INVITE had none), repeated until its ACK. */
int dt_ua_answer(struct dt_ua *ua, dt_time now, dt_call_id call, const struct dt_media_caps *media);
/* Callee: a final 3xx to 6xx. `contact` for 302, else empty. */
int dt_ua_reject(struct dt_ua *ua, dt_time now, dt_call_id call, int status, struct dt_str contact);
/* Ends a call in whatever state: nothing, CANCEL (as soon as it may be sent, R23), 487 or 486,
 * ACK and BYE for a late 200. */
int dt_ua_hangup(struct dt_ua *ua, dt_time now, dt_call_id call);
/* Hold and resume by re-INVITE (guide 2.4); glare (491) is tried again in its window (14.1). */
int dt_ua_hold(struct dt_ua *ua, dt_time now, dt_call_id call, bool hold);

/* What a person or a test wants to see of a call. Slices valid until the next call into the ua. */
struct dt_call_view {
    enum dt_call_state state;
    bool caller, local_hold, remote_hold;
    struct dt_str peer_display, peer_uri, sip_call_id;
    dt_time since; /* of this state */
};
int dt_ua_view(const struct dt_ua *ua, dt_call_id call, struct dt_call_view *out);

/* Transactions, dialogs, calls and timers now: I36 compares it with what it was before. */
struct dt_ua_counts {
    unsigned transactions, calls, registrations, lingering; /* lingering: R11, R27 */
};
void dt_ua_count(const struct dt_ua *ua, struct dt_ua_counts *out);

/* ---- why (design.md 2) ---- */

/* What was not believed, counted. */
#define DT_UA_DROPS(X) \
    X(stray, "responses that belong to no request of ours") \
    X(strangers, "late responses from an address that the request did not go to") \
    X(unasked, "Dualtone-Node in a response that was not asked for") \
    X(bad_node, "Dualtone-Node that cannot be read") \
    X(acks, "ACKs of no call")
struct dt_ua_drops {
#define X(name, text) uint64_t name;
    DT_UA_DROPS(X)
#undef X
};

/* What is asked; `which` empty: all of them. Calls: the number that the owner gave, a Call-ID, the
 * URI that was dialled or its user part. Targets: an IP address, with or without port. */
struct dt_ua_question {
    bool calls, targets;
    struct dt_str which;
};
/* Adds the members targets, calls, dropped and stack (as asked) to the object that is open in `j`:
 * calls under way and the last ones that ended. DT_OK, or DT_E_ABSENT when `which` is not there,
 * or DT_E_SYNTAX when it is not an address. Changes nothing. */
int dt_ua_why(const struct dt_ua *ua, dt_time now, const struct dt_ua_question *q,
              struct dt_json *j);
/* What the owner calls a call, for `why`; 0: nothing. A stale id is passed over. */
void dt_ua_call_number(struct dt_ua *ua, dt_call_id call, uint32_t number);
/* The stack below, for its counters. */
const struct dt_stack *dt_ua_stack(const struct dt_ua *ua);

#endif
