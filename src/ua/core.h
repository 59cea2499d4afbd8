/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the user agent share. Three objects: a *call*, a *registration* and a *send*
 * (one request of ours on its way: name looked up, transport chosen, transaction, credentials).
 *
 * Nobody outside is called while something is being done: what the user must hear is noted at the
 * call or registration, and told when the entry call ends (dt__ua_leave). What dies meanwhile is
 * freed there too. */
#ifndef UA_CORE_H
#define UA_CORE_H

#include "dualtone/containers.h"
#include "dualtone/dialog.h"
#include "dualtone/ua.h"

enum {
    DT__TOKEN = 20,             /* characters of a tag or Call-ID: 100 bits */
    DT__BRANCH = 7 + DT__TOKEN, /* magic cookie and token (RFC 3261 8.1.1.7) */
    DT__SCRATCH = DT_MSG_MAX,   /* the largest message that is built */
    DT__TCP_FROM = 1300,        /* bytes: above it a request goes by TCP (18.1.1) */
    DT__CHALLENGES = 4,         /* realms that one call or registration answers to */
    DT__LINGERING = 8,          /* ended calls remembered, for each that is allowed */
    DT__PASTS_MIN = 64,         /* ended INVITEs remembered at least (R11) */
    DT__COPIES = 2,             /* proxies beside the first that sent a copy of an INVITE (R7) */
    DT__TOLD = 6,               /* ended calls that `why` knows */
    DT__FORKS = 16,             /* 2xx of other To tags that are answered, a call */
    DT__HEADERS = DT_MSG_HEADERS_MAX /* of a message that is parsed again */
};

/* ---- ids with a generation (I38) ---- */

enum dt__kind { DT__CALL = 1, DT__REG, DT__SEND, DT__PRIMARY, DT__BACKUP };

struct dt__slot {
    void *object; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};
struct dt__ids {
    struct dt__slot *slots;
    uint32_t n, cap, free; /* `free`: 1 + index, or 0 */
};
/* 0 without memory. The kind is part of the id. */
uint64_t dt__id_new(struct dt__ids *ids, const struct dt_alloc *a, enum dt__kind kind,
                    void *object);
/* NULL when it is stale or of another kind. */
void *dt__id_find(const struct dt__ids *ids, uint64_t id, enum dt__kind kind);
void dt__id_drop(struct dt__ids *ids, uint64_t id);
/* The same object as another kind of cookie: what the resolver is asked for a call's servers. */
uint64_t dt__id_as(uint64_t id, enum dt__kind kind);
enum dt__kind dt__id_kind(uint64_t id);

/* ---- credentials (RFC 3261 22) ---- */

struct dt__challenge {
    char *text; /* the value of the challenge; owned; `auth` has slices into it */
    struct dt_auth auth;
    enum dt_header_id header; /* that the answer goes into */
    uint32_t nc;
};
struct dt__auth {
    struct dt__challenge list[DT__CHALLENGES];
    size_t n;
};

/* ---- a request on its way ---- */

enum dt__send_kind {
    DT__INVITE,   /* a path of an attempt; kept for late answers (R27) */
    DT__REINVITE, /* hold, resume */
    DT__BYE,
    DT__ACK, /* of a 2xx: no transaction; kept to be sent again */
    DT__REGISTER
};

/* The same request at the twin of its target. */
struct dt__copy {
    struct dt_hop hop;
    dt_tx tx; /* 0: none */
    bool heard;
    bool rang; /* more than 100 came by it */
};
enum dt__wait {
    DT__WAIT_ANSWER,    /* T1 for any: then the twin (R22) */
    DT__WAIT_CALLEE,    /* it rang and was moved: R24 */
    DT__WAIT_CANCELLED, /* T1 for the final: then CANCEL by the twin too (R23) */
    DT__WAIT_AGAIN      /* an ACK, by the twin once more (R22) */
};

struct dt__send {
    struct dt_list link; /* of its owner's sends, or of ua->dead */
    struct dt_ua *ua;
    uint64_t id;
    enum dt__send_kind kind;
    struct dt_call *call; /* one of these owns it */
    struct dt_reg *reg;
    struct dt_dialog *dialog; /* in a dialog: REINVITE, BYE, ACK */
    struct dt__send *ack;     /* INVITE, REINVITE: the ACK of its 2xx */
    uint32_t cseq;
    uint8_t path;            /* INVITE */
    uint8_t tries;           /* sends with credentials counted (I28) */
    bool redirected;         /* INVITE: followed a 3xx; sent to where that leads */
    bool resolving;          /* the resolver was asked */
    bool fixed;              /* the transport was configured, or stands in the URI */
    bool tcp_for_size;       /* 18.1.1 */
    bool udp_again;          /* TCP was refused: back to UDP whatever the size */
    bool heard;              /* a response came: no other target, no other transport */
    bool hold;               /* REINVITE: what it asks for */
    bool mapped;             /* is in ua->by_branch */
    struct dt_list breaking; /* of ua->broken: `err` is told when the entry call ends */
    int err;
    char *uri;     /* Request-URI outside of dialogs; owned, NUL-terminated */
    char *call_id; /* outside of dialogs; owned */
    struct dt_bytes *body, *auth, *bytes;
    char branch[DT__BRANCH];
    struct dt_map_entry by_branch; /* INVITE: for answers without a transaction */
    struct dt_addr targets[DT_ATTEMPT_TARGETS];
    size_t n_targets, at;
    struct dt_hop hop;
    dt_tx tx;         /* 0: none, or it has ended */
    dt_tx cancels[2]; /* of the CANCEL, and of that by the twin (R23) */
    /* fast */
    struct dt__copy twin; /* R22; when it is answered alone, it becomes `hop` and `tx` */
    dt_tx woken;          /* a copy that was left for dead, and has spoken since */
    bool hedged;          /* a copy was sent: once */
    bool spent;           /* a copy or another path has its final: it is not sent again */
    bool cancelled;       /* CANCEL was sent, by the twin too if nothing comes of it (R23) */
    enum dt__wait wait;   /* what `patience` is for */
    uint8_t more;         /* ACK: so many times it is still sent by the twin */
    dt_time mute_at;      /* WAIT_CALLEE: then the callee is mute (R24) */
    unsigned death;       /* the newest of ua->deaths that it was looked at for */
    dt_time sent;
    struct dt_timer patience;
};

/* ---- a call ---- */

enum dt__call_timer {
    DT__T_ATTEMPT, /* caller: deadline of the attempt */
    DT__T_TRYING,  /* callee: 100 within 200 ms (I10) */
    DT__T_EXPIRES, /* callee: the INVITE's Expires */
    DT__T_REPEAT,  /* callee: the 2xx again (13.3.1.4) */
    DT__T_NO_ACK,  /* callee: 64 T1 after the 2xx */
    DT__T_GLARE,   /* a re-INVITE that got 491 (14.1) */
    DT__CALL_TIMERS
};

/* What the user is to be told, in this order. */
enum {
    DT__TELL_INCOMING = 1,
    DT__TELL_WORDS = 2,
    DT__TELL_STATE = 4,
    DT__TELL_MEDIA = 8,
    DT__TELL_ENDED = 16
};

/* R7: a proxy beside the first that sent the INVITE or its CANCEL. */
struct dt__other {
    struct dt_hop hop;
    struct dt_bytes *request; /* its copy of the INVITE, for the Via list; NULL: not known */
};

/* Another fork's 2xx: answered with ACK and BYE (I13). */
struct dt__fork {
    struct dt_list link;
    struct dt_dialog dialog;
    struct dt__send *ack;
};

struct dt_call {
    struct dt_list link;    /* of ua->calls */
    struct dt_list telling; /* of ua->telling while `tell` is not 0 */
    struct dt_list reaping; /* of ua->reaping: may have nothing left to do */
    struct dt_ua *ua;
    dt_call_id id;
    enum dt_call_state state;
    dt_time since;
    bool caller, anonymous, in_map, closed; /* closed: ENDED was told, the id is stale */
    unsigned tell;
    uint32_t number; /* the owner's, for `why` */
    bool words_told;
    bool ring_again; /* dialled anew (R26): its 180 is news although it rang before */
    bool known;      /* the user knows its id */
    struct dt_identity identity;
    char *target;       /* caller: as dialled; owned */
    char *contact_user; /* callee: user part of the Request-URI; owned */
    char local_tag[DT__TOKEN];
    struct dt_dialog dialog;
    struct dt_map_entry by_call_id;
    struct dt_list sends;
    struct dt_list forks;
    unsigned n_forks;
    struct dt__auth auth;
    struct dt_timer timers[DT__CALL_TIMERS];
    /* caller */
    struct dt_server servers[DT_ATTEMPT_SERVERS];
    char *hosts[DT_ATTEMPT_SERVERS]; /* owned copies of the servers' hosts */
    struct dt_attempt attempt;
    struct dt__send *paths[DT_ATTEMPT_PATHS];
    struct dt_bytes *offer;
    /* callee: the INVITE (or re-INVITE) under way */
    dt_tx tx;
    uint32_t tx_cseq;
    uint32_t invite_cseq;    /* of the initial INVITE (8.2.2.2) */
    dt_time invite_expires;  /* its Expires (R11) */
    struct dt__past *past;   /* to be remembered with its final; owned until then */
    struct dt_bytes *answer; /* 2xx that waits for its ACK */
    struct dt__other copies[DT__COPIES];
    unsigned n_copies;
    dt_time repeat;    /* its interval */
    bool first_answer; /* of the initial INVITE */
    bool offered;      /* our offer is in the 2xx, the answer comes in the ACK */
    bool bye_wanted;   /* hung up before the ACK (15) */
    int bye_err;       /* why we send BYE, if the user did not want it */
    /* session */
    struct dt_oa oa;
    bool has_oa;
    struct dt_media_agreed media;
    bool want_hold, held;
    struct dt__send *reinvite; /* ours, without a final yet */
    unsigned reinvites;        /* tries of it after 491 */
    /* how it ended */
    struct dt_call_end end;
    char reason[64];
};

/* ---- a registration ---- */

enum dt__reg_state {
    DT__REG_TRYING,
    DT__REG_REGISTERED,
    DT__REG_WAITING,
    DT__REG_LEAVING,  /* to be removed, a REGISTER is still under way (10.2) */
    DT__REG_REMOVING, /* Expires: 0 sent */
    DT__REG_GONE,
    DT__REG_STATES
};

struct dt_reg {
    struct dt_list link;
    struct dt_list telling;
    struct dt_ua *ua;
    dt_reg_id id;
    enum dt__reg_state state;
    struct dt_registration cfg;
    char *host; /* owned copy of the registrar's */
    char *call_id;
    char tag[DT__TOKEN];
    uint32_t cseq, asked, granted;
    uint32_t retry_after;
    unsigned min_tries; /* 423 answered */
    unsigned failures;  /* in a row */
    bool bound;         /* the registrar said so */
    struct dt__auth auth;
    struct dt_list sends;
    struct dt__send *send;
    struct dt_timer timer;
    bool tell, registered;
    int status, err;
};

/* ---- an INVITE that has ended (R11) ---- */

struct dt__past {
    struct dt_list link;
    struct dt_map_entry entry;      /* of ua->pasts */
    struct dt_map_entry by_request; /* of ua->past_requests */
    struct dt_timer timer;
    int status;
    struct dt_str key;     /* branch and sent-by, in `text` */
    struct dt_str request; /* Call-ID, From tag, CSeq, Request-URI; there too */
    struct dt_str tag;     /* our To tag */
    struct dt_bytes *ok;   /* the 2xx itself */
    char text[];
};

/* ---- a call as `why` tells of it ---- */

struct dt__told_path {
    struct dt_addr at; /* where it goes on now: the target, or its twin */
    bool has_copy, copy_heard;
    struct dt_addr copy;
};
/* What is kept of a call that has ended, and drawn up of one that lives. */
struct dt__told {
    uint32_t number;
    bool caller;
    enum dt_call_state state;
    dt_time since;
    struct dt_call_end end;              /* its reason is in `reason` */
    char reason[64];                     /* texts are cut, and end with NUL */
    char who[96], user[64], call_id[96]; /* the other side's URI, and its user part */
    struct dt_attempt attempt;           /* caller */
    struct dt__told_path paths[DT_ATTEMPT_PATHS];
};

/* ---- the user agent ---- */

struct dt_ua {
    struct dt_ua_config cfg;
    struct dt_env *env;
    struct dt_outbox *out;
    const struct dt_ua_user *ops;
    void *user;
    struct dt_stack *stack;
    struct dt_resolver *resolver;
    struct dt_timers timers;
    struct dt__ids ids;
    struct dt_map by_branch;  /* dt__send */
    struct dt_map by_call_id; /* dt_call: its dialog, or the INVITE that rings */
    struct dt_map pasts;
    struct dt_map past_requests;
    struct dt_list calls, regs, telling, telling_regs, reaping, dead, broken, past_list;
    unsigned n_calls, n_lingering, n_regs, n_pasts;
    unsigned depth; /* of entry calls */
    struct dt_bytes *scratch;
    struct dt_targets known; /* fast: the proxies of our lines */
    dt_tx probes[DT_TARGETS_KNOWN];
    struct dt_timer probe_timer;
    unsigned deaths; /* of known ones, counted */
    struct dt_ua_drops drops;
    struct dt__told told[DT__TOLD]; /* the n-th at n % DT__TOLD */
    unsigned n_told;
};

/* ua.c: entry calls nest (the user calls in from a callback); the outermost one tells and frees. */
void dt__ua_enter(struct dt_ua *ua);
void dt__ua_leave(struct dt_ua *ua, dt_time now);
void dt__ua_token(struct dt_ua *ua, char out[DT__TOKEN]);
static inline struct dt_str dt__token_str(const char token[DT__TOKEN])
{
    return (struct dt_str){token, DT__TOKEN};
}
void dt__ua_dropped(void *ua, dt_time now, const struct dt_hop *from, const char *why);
dt_time dt__ua_t1(const struct dt_ua *ua);
dt_time dt__ua_t2(const struct dt_ua *ua);

/* inbound.c: requests that came. */
void dt__inbound_request(void *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                         const struct dt_hop *from);
void dt__inbound_copy(void *ua, dt_time now, dt_tx tx, uint64_t cookie, const struct dt_sip_msg *m,
                      const struct dt_hop *from);
void dt__inbound_cancel(void *ua, dt_time now, dt_tx invite, uint64_t cookie,
                        const struct dt_sip_msg *m);
/* The call whose dialog this request belongs to, or NULL. */
struct dt_call *dt__call_of_dialog(struct dt_ua *ua, const struct dt_sip_msg *m);
void dt__ua_answer(struct dt_ua *ua, dt_time now, dt_tx tx, int status, const char *extra);

/* The guide: no common capability. The agent is a pseudonym, as 20.43 allows. */
#define DT__WARNING_304 "Warning: 304 dualtone \"Media type not available\"\r\n"

/* build.c: whole messages. */
enum dt_method dt__send_method(const struct dt__send *s);
/* Builds `s->bytes` for s->hop with a new branch. DT_OK, DT_E_NOMEM, DT_E_LIMIT, DT_E_SYNTAX. */
int dt__build_request(struct dt__send *s);
/* The CANCEL (9.1) and the ACK of the failure `m` (17.1.1.3) of a path whose transaction is gone.
 */
int dt__build_cancel(struct dt__send *s, struct dt_bytes **out);
/* OPTIONS to `to`; `tag` is its Call-ID too. */
int dt__build_probe(struct dt_ua *ua, const struct dt_hop *to, struct dt_str branch,
                    struct dt_str tag, struct dt_bytes **out);
int dt__build_nack(struct dt__send *s, const struct dt_sip_msg *m, struct dt_bytes **out);
/* A response of the call to request `req` from `hop`: To tag, Contact, Allow; `body` may be empty,
 * `extra` whole header lines. */
int dt__build_response(struct dt_call *c, const struct dt_sip_msg *req, const struct dt_hop *hop,
                       int status, struct dt_str extra, struct dt_str body, struct dt_bytes **out);
/* Writes <sip:user@host:port;transport=tcp>. */
void dt__write_contact(struct dt_writer *w, const struct dt_ua *ua, struct dt_str user,
                       enum dt_transport transport);
extern const char dt__allow[]; /* "Allow: ...\r\n" */
/* Parses a message of our own. */
int dt__ua_parse(const struct dt_bytes *bytes, struct dt_sip_msg *m, struct dt_sip_header *headers);

/* auth.c */
/* Takes the challenge of a 401 or 407. DT_OK: it can be answered; DT_E_AUTH: it cannot (no
 * credentials, unknown algorithm, or the same nonce refused them already); DT_E_NOMEM. */
int dt__auth_take(struct dt__auth *a, struct dt_ua *ua, const struct dt_credentials *cred,
                  const struct dt_sip_msg *m, bool answered_before);
/* The header lines for a request; `*out` gets a reference, or NULL when there is no challenge. */
int dt__auth_lines(struct dt__auth *a, struct dt_ua *ua, const struct dt_credentials *cred,
                   struct dt_str method, struct dt_str uri, struct dt_bytes **out);
void dt__auth_clear(struct dt__auth *a, const struct dt_alloc *alloc);

/* send.c */
struct dt__send *dt__send_new(struct dt_ua *ua, struct dt_call *c, struct dt_reg *r,
                              enum dt__send_kind kind);
/* Out of its owner's list and out of reach at once; freed when the entry call ends. NULL is fine.
 */
void dt__send_free(struct dt__send *s);
/* To targets that are known. */
void dt__send_start(struct dt__send *s, dt_time now, const struct dt_addr *targets, size_t n);
/* To where `w` leads. */
void dt__send_where(struct dt__send *s, dt_time now, const struct dt_where *w);
/* To where s->dialog leads. */
void dt__send_dialog(struct dt__send *s, dt_time now);
/* The same request again with credentials or another URI: a new transaction to the same place. */
void dt__send_again(struct dt__send *s, dt_time now);
void dt__send_found(struct dt__send *s, dt_time now, const struct dt_addr *targets, size_t n,
                    int err);
/* Is its final still waited for? Not when another copy or path has brought one. */
bool dt__send_is_wanted(const struct dt__send *s);
/* Is this a 503 that the next hop made itself? A proxy makes a 500 of the 503 of others (16.7 step
 * 6). One that does not is told apart only when the callee has spoken before, with its 1xx. */
bool dt__send_is_hops(const struct dt__send *s, const struct dt_sip_msg *m);
/* s->bytes as a transaction to `to`. As dt_stack_request. */
int dt__send_request(struct dt__send *s, dt_time now, const struct dt_hop *to, dt_tx *tx);
/* The CANCEL of a path, by the stack or, when its transaction is gone, by ourselves. */
void dt__send_cancel(struct dt__send *s, dt_time now);
/* An ACK once more, if it has been sent. */
void dt__send_repeat(struct dt__send *s, dt_time now);
void dt__sends_broken(struct dt_ua *ua, dt_time now);
void dt__sends_bury(struct dt_ua *ua);
/* It fails with `err` when the entry call ends and nobody is in the middle of something. */
void dt__send_break(struct dt__send *s, int err);
/* Their transactions are gone in silence (R10): each fails when the entry call ends. */
void dt__sends_forget(struct dt_list *sends);
void dt__sends_response(void *ua, dt_time now, dt_tx tx, uint64_t cookie,
                        const struct dt_sip_msg *m, const struct dt_hop *from);
void dt__sends_failed(void *ua, dt_time now, dt_tx tx, uint64_t cookie, int err);
void dt__sends_ended(void *ua, dt_time now, dt_tx tx, uint64_t cookie);

/* call.c */
struct dt_call *dt__call_new(struct dt_ua *ua, dt_time now, bool caller);
/* The only writer of the state; a step that is not allowed is not taken. */
void dt__call_set_state(struct dt_call *c, dt_time now, enum dt_call_state state);
void dt__call_tell(struct dt_call *c, unsigned what);
void dt__call_tell_all(struct dt_ua *ua, dt_time now);
/* The end, with its reason: media stops, the user is told, timers and open questions go. */
void dt__call_end(struct dt_call *c, dt_time now, int status, int err, struct dt_str reason,
                  bool by_peer, uint32_t retry_after);
/* Hung up: media stops, the conversation of the end begins. */
void dt__call_leaving(struct dt_call *c, dt_time now);
/* The same from a response. */
void dt__call_end_by(struct dt_call *c, dt_time now, const struct dt_sip_msg *m);
/* Something of it has come to an end: when the entry call ends it is freed, if it has ended and
 * nothing of it is under way. */
void dt__call_reap(struct dt_call *c);
void dt__calls_reap(struct dt_ua *ua, dt_time now);
void dt__call_free(struct dt_call *c);
/* Its transactions are gone (R10). */
void dt__call_forget(struct dt_call *c, dt_time now);
void dt__call_timer(struct dt_call *c, dt_time now, enum dt__call_timer which);
/* Arming never fails (DT__PARKED); DT_TIME_NEVER stops. */
void dt__call_arm(struct dt_call *c, enum dt__call_timer which, dt_time due);
void dt__call_stop(struct dt_call *c, enum dt__call_timer which);
/* Enters the call under its Call-ID. */
int dt__call_map(struct dt_call *c, struct dt_str call_id);
struct dt_call *dt__call_find(const struct dt_ua *ua, dt_call_id id);
/* What was agreed changed. */
void dt__call_media(struct dt_call *c, const struct dt_media_agreed *m);

/* caller.c */
void dt__caller_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m,
                         const struct dt_hop *from);
void dt__caller_failed(struct dt__send *s, dt_time now, int err);
void dt__caller_found(struct dt_call *c, dt_time now, unsigned server,
                      const struct dt_addr *targets, size_t n, int err);
void dt__caller_tick(struct dt_call *c, dt_time now);
void dt__caller_hangup(struct dt_call *c, dt_time now);
/* The Call-ID of the newest path. */
struct dt_str dt__caller_call_id(const struct dt_call *c);

/* callee.c */
void dt__callee_invite(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                       const struct dt_hop *from);
void dt__callee_cancelled(struct dt_call *c, dt_time now);
void dt__callee_ack(struct dt_call *c, dt_time now, const struct dt_sip_msg *m);
void dt__callee_timer(struct dt_call *c, dt_time now, enum dt__call_timer which);
void dt__callee_hangup(struct dt_call *c, dt_time now);
/* Sends a 2xx with `body` to c->tx and repeats it until its ACK. */
int dt__callee_accept(struct dt_call *c, dt_time now, const struct dt_sip_msg *m,
                      struct dt_str body);
/* Who sent copies of the INVITE is of no more interest. */
void dt__callee_drop_copies(struct dt_call *c);
void dt__callee_refuse(struct dt_call *c, dt_time now, int status, struct dt_str extra);

/* session.c */
void dt__session_reinvite(struct dt_call *c, dt_time now, dt_tx tx, const struct dt_sip_msg *m);
void dt__session_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m);
void dt__session_failed(struct dt__send *s, dt_time now);
void dt__session_end(struct dt_call *c, dt_time now);
/* Sends what is wanted and was not possible before. */
void dt__session_pump(struct dt_call *c, dt_time now);
enum dt_direction dt__session_want(const struct dt_call *c);
/* The SDP in a message; empty if there is none. */
struct dt_str dt__sdp_of(const struct dt_sip_msg *m);

/* bye.c */
void dt__bye_start(struct dt_call *c, dt_time now);
void dt__bye_request(struct dt_call *c, dt_time now, dt_tx tx, const struct dt_sip_msg *m);
void dt__bye_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m);
void dt__bye_failed(struct dt__send *s, dt_time now);
/* ACK and BYE for the 2xx `m` that nobody wants. */
void dt__fork_answer(struct dt_call *c, dt_time now, struct dt__send *invite,
                     const struct dt_sip_msg *m);
/* The ACK of a 2xx, or its repeat. */
void dt__ack_send(struct dt__send **ack, struct dt__send *invite, struct dt_dialog *d, dt_time now,
                  struct dt_str body);
void dt__ua_forks_clear(struct dt_call *c);

/* register.c */
void dt__reg_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m);
void dt__reg_failed(struct dt__send *s, dt_time now, int err);
void dt__reg_timer(struct dt_reg *r, dt_time now);
void dt__regs_tell(struct dt_ua *ua, dt_time now);
void dt__reg_free(struct dt_reg *r);

/* past.c */
/* Notes the key of the INVITE `m` in c->past. DT_OK or DT_E_NOMEM. */
int dt__past_new(struct dt_call *c, const struct dt_sip_msg *m);
/* The INVITE has got its final; `ok` is the 2xx, or NULL. */
void dt__past_add(struct dt_call *c, dt_time now, int status, struct dt_bytes *ok);
/* Answers a late copy; false if the INVITE is not one. */
bool dt__past_answer(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m);
/* A copy by another proxy, of an INVITE that has its 2xx: it gets that too (R7), so that the proxy
 * knows that it is over. */
void dt__past_repeat(struct dt_ua *ua, dt_time now, const struct dt_sip_msg *m,
                     const struct dt_hop *from);
void dt__past_timer(struct dt_ua *ua, struct dt__past *p);
void dt__pasts_clear(struct dt_ua *ua);

/* known.c: only under cfg.fast; else nobody is known. */
/* A proxy of ours: known from now on, and probed. */
void dt__known_add(struct dt_ua *ua, dt_time now, const struct dt_addr *addr);
/* Is there one at this IP address, whatever its port? */
bool dt__known_has_ip(const struct dt_ua *ua, const struct dt_addr *addr);
/* By address and port, if need be with the other transport: a process is alive or dead as a whole.
 * Or NULL. */
struct dt_target *dt__known_find(struct dt_ua *ua, const struct dt_addr *addr);
/* Evidence (R16) about who is at `addr`, if it is known; its death moves what is under way. */
void dt__known_evidence(struct dt_ua *ua, dt_time now, const struct dt_addr *addr,
                        enum dt_evidence what);
/* A response came from there: life, and perhaps who it is (R17). */
void dt__known_heard(struct dt_ua *ua, dt_time now, const struct dt_sip_msg *m,
                     const struct dt_hop *from);
/* A 503 that it made itself came from there. */
void dt__known_busy(struct dt_ua *ua, dt_time now, const struct dt_sip_msg *m,
                    const struct dt_hop *from);
/* Arms ua->probe_timer; what is due then (R18). */
void dt__known_arm(struct dt_ua *ua, dt_time now);
void dt__known_tick(struct dt_ua *ua, dt_time now);
/* Was this the transaction of a probe, which has failed now? A refusal is evidence (R16); that
 * nothing came is counted by dt_target_tick. */
bool dt__known_probe_failed(struct dt_ua *ua, dt_time now, dt_tx tx, int err);
/* Is this error of a transaction the other side's doing? */
static inline bool dt__is_refusal(int err)
{
    return err != DT_E_TIMEOUT && err != DT_E_NOMEM && err != DT_E_LIMIT;
}

/* What is at stake decides the pace of probes. */
enum dt_target_need dt__known_need(const struct dt_ua *ua, dt_time now);

/* why.c: keeps what is told of a call that goes now. */
void dt__told_keep(const struct dt_call *c);

/* twins.c: only for requests to targets that are known. */
/* Where a request goes that would go to a proxy known to be down: into s->targets. */
void dt__twins_choose(struct dt__send *s);
/* It was sent, as new; it was cancelled; s->patience is over; its transactions are left. */
void dt__twins_sent(struct dt__send *s, dt_time now);
void dt__twins_cancelled(struct dt__send *s, dt_time now);
void dt__twins_patience(struct dt__send *s, dt_time now);
void dt__twins_drop(struct dt__send *s, dt_time now);
/* Without a transaction, to the twin of `to`: an ACK, a repeated 2xx. */
void dt__twins_send(struct dt_ua *ua, dt_time now, struct dt_bytes *bytes, const struct dt_hop *to);
/* A response to `s` in transaction `tx` (0: none). HAND: it is the request's. MOVED: the same, and
 * the twin took the call first (R28). GO_ON: only this copy has failed. */
enum dt__twins_verdict { DT__TWINS_HAND, DT__TWINS_MOVED, DT__TWINS_GO_ON };
enum dt__twins_verdict dt__twins_answered(struct dt__send *s, dt_time now, dt_tx tx,
                                          const struct dt_sip_msg *m);
/* R5: a final came back by the twin of the way that the ACK goes, or went: that way may be dead, so
 * the ACK goes by the twin too. */
void dt__twins_acknowledge(struct dt__send *s, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                           const struct dt_hop *from);
/* Its transaction failed. True: it goes on at the twin. */
bool dt__twins_failed(struct dt__send *s, dt_time now, int err);
/* R22: what is under way at `g` is done again at its twin. */
void dt__twins_died(struct dt_ua *ua, dt_time now, const struct dt_target *g);
/* A path's target is dead and no twin serves, or the callee is mute. */
void dt__caller_event(struct dt__send *s, dt_time now, enum dt_path_event e);

/* The timers of calls and registrations always stand in the heap, far away when they are not
 * wanted: arming one never fails for want of memory (I39). */
#define DT__PARKED (DT_TIME_NEVER - 1)

/* Kinds of timers: what holds it. */
enum {
    DT__TIMER_CALL = 1 << 8,
    DT__TIMER_REG = 2 << 8,
    DT__TIMER_PAST = 3 << 8,
    DT__TIMER_SEND = 4 << 8,
    DT__TIMER_PROBE = 5 << 8
};

#endif
