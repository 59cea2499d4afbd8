/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A little network in virtual time: user agents wired through their outboxes, and scripted peers.
 * Everything that travels and every callback becomes a line of text, so that a test reads like a
 * call flow:
 *
 *     500 A > P INVITE 1           a request left at that millisecond, with its CSeq number
 *     500 P > A 180 INVITE         a response
 *     500 A > P INVITE 1 lost      it was dropped on the way
 *     500 A > P INVITE 1 tcp       over a connection
 *     600 A is talking             a callback */
#ifndef UA_KIT_H
#define UA_KIT_H

#include "testkit.h"

#include "dualtone/ua.h"

enum { NET_PARTIES = 6, NET_PACKETS = 512, NET_STREAMS = 16, NET_PLAN = 4 };

struct net;
struct net_party;
/* What a scripted peer does with a message; `data` in it is valid during the call. */
typedef void (*net_peer)(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                         struct net_party *from);

struct net_party {
    const char *name;
    struct dt_addr addr;    /* 192.0.2.K:5060 */
    net_peer peer;          /* a scripted one, or NULL */
    bool dead;              /* swallows everything */
    bool refuses;           /* sends to it come back as an ICMP error */
    struct net_party *next; /* a relay: where it forwards requests to */
    int got;                /* requests that a script has seen; it may count on */
    bool tcp;               /* it accepts connections */
    /* a node of a cluster (net_node) */
    const char *cluster, *node; /* of its Dualtone-Node; NULL: it shows none */
    unsigned boot;
    int plan[NET_PLAN];        /* what it says to an INVITE, until 0 */
    int probes;                /* OPTIONS seen */
    struct dt_sip_msg *invite; /* the newest; freed by net_free */
    /* a user agent */
    struct kit_alloc mem;
    struct dt_env env;
    struct dt_outbox out;
    struct dt_ua *ua;
    struct dt_ua_config cfg;
    dt_call_id call; /* the newest */
    dt_reg_id reg;
    enum dt_call_state state;
    bool alive; /* its newest call has not ended */
    struct dt_call_end end;
    char reason[64];
    struct dt_media_agreed media;
    bool words, registered;
    int rings, ends;
    dt_time ring_after, answer_after, hangup_after; /* what it does by itself; -1: nothing */
    dt_time answer_at, ring_at, hangup_at;
    int other_status; /* dt_ua_user.other; 0: none */
};

struct net_packet {
    dt_time due;
    struct dt_bytes *bytes;
    uint8_t from, to;
    bool icmp;
    uint64_t stream; /* not 0: by this connection */
    bool opened, closed;
    uint32_t dns_id; /* not 0: a question on its way, `bytes` is the name */
    enum dt_dns_type dns_type;
};

struct net_stream {
    uint64_t id;
    uint8_t ua, peer;
};

struct net {
    dt_time now, delay;
    struct net_party p[NET_PARTIES];
    unsigned n_parties;
    struct net_packet packets[NET_PACKETS];
    unsigned n_packets;
    struct net_stream streams[NET_STREAMS]; /* that stand */
    unsigned n_streams;
    bool no_probes; /* OPTIONS do not stand in the log */
    unsigned sent;  /* datagrams so far */
    uint64_t lose;  /* bit i: the i-th datagram is lost */
    uint64_t twice; /* bit i: it comes twice, the second time 50 ms later */
    bool quiet;     /* no log */
    char log[32768];
    size_t log_n;
};

void net_init(struct net *n);
/* `cfg` may be NULL. */
struct net_party *net_ua(struct net *n, const char *name, const struct dt_ua_config *cfg);
/* False without memory: the party is there, its ua is NULL. */
bool net_ua_open(struct net_party *p);
struct net_party *net_script(struct net *n, const char *name, net_peer peer);
/* A stateless proxy with Record-Route that forwards to `next`. */
struct net_party *net_relay(struct net *n, const char *name, struct net_party *next);
/* A proxy of a cluster (design.md R1, R2): all of its nodes write the same branch and sent-by, and
 * are known by "Dualtone-Node: C;node=NAME;boot=1" in what they answer themselves. Without `next`
 * it is the callee too: it says `plan` to an INVITE, 200 to BYE, and 487 after CANCEL. */
struct net_party *net_node(struct net *n, const char *name, struct net_party *next);
/* What a node says to its newest INVITE, from `a`. */
void net_node_says(struct net *n, struct net_party *node, struct net_party *a, int status,
                   const char *tag);
/* All connections to `p` end. */
void net_reset(struct net *n, struct net_party *p);
/* The party with this IP address, or NULL. */
struct net_party *net_party_at(struct net *n, const struct dt_addr *a);
/* Frees all; nothing may be left in any allocator. */
void net_free(struct net *n);

/* Lets time pass to `ms` after the start. */
void net_until(struct net *n, int64_t ms);
/* Takes what lies in its outbox; needed after own calls into its ua. */
void net_drain(struct net *n, struct net_party *p);
/* Delivers what is due now. */
void net_settle(struct net *n);
/* After all that is remembered: no transactions, calls, entries (I36). */
void net_quiet_end(struct net *n);

/* A dials sip:bob@B, by the proxies given (NULL: none). */
int net_dial(struct net *n, struct net_party *a, struct net_party *b, struct net_party *primary,
             struct net_party *backup);
/* With whatever else; `o` is filled in by net_outgoing. */
void net_outgoing(struct dt_outgoing *o, struct net_party *a, const char *target,
                  struct net_party *primary, struct net_party *backup);
int net_call(struct net *n, struct net_party *a, const struct dt_outgoing *o);
void net_ring(struct net *n, struct net_party *p);
void net_answer(struct net *n, struct net_party *p);
void net_reject(struct net *n, struct net_party *p, int status);
void net_hangup(struct net *n, struct net_party *p);
void net_hold(struct net *n, struct net_party *p, bool hold);
struct dt_media_caps net_caps(const struct net_party *p);

/* A script answers `m`: To tag, extra header lines and body may be NULL. */
void net_respond(struct net *n, struct net_party *self, struct net_party *to,
                 const struct dt_sip_msg *m, int status, const char *tag, const char *extra,
                 const char *body);
/* Sends text, NUL-terminated, with LF for CRLF. */
void net_send(struct net *n, struct net_party *self, struct net_party *to, const char *text);
void net_send_bytes(struct net *n, struct net_party *self, struct net_party *to,
                    struct dt_bytes *bytes);

/* Compares the log so far, and empties it. */
#define net_flow(n, want) net_flow_at((n), (want), __FILE__, __LINE__)
void net_flow_at(struct net *n, const char *want, const char *file, int line);
void net_hush(struct net *n);

extern const char net_sdp[]; /* of a scripted peer */

#endif
