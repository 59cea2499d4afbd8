/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one seam (design.md 3). A phone, its media engine or a proxy is a *node*; src/io and src/sim
 * are the two *hosts*. The host calls in; the node never calls out. */
#ifndef DUALTONE_NODE_H
#define DUALTONE_NODE_H

#include "dualtone/base.h"
#include "dualtone/text.h"

/* ---- addresses ---- */

enum dt_transport { DT_UDP, DT_TCP };

/* IP address, port and transport by value; unused bytes are zero, so equal addresses are equal
 * bytes. */
struct dt_addr {
    uint8_t ip[16]; /* IPv4 in the first four */
    uint16_t port;  /* host order */
    uint8_t family; /* 4, 6, or 0: none */
    uint8_t transport;
};
#define DT_ADDR_TEXT_MAX 64

/* "192.0.2.1", "192.0.2.1:5060", "[2001:db8::1]:5060", "2001:db8::1"; without a port `port` stays
 * 0. Transport is set to UDP. DT_OK or DT_E_SYNTAX. */
int dt_addr_parse(struct dt_addr *out, struct dt_str text);
/* The IP alone, IPv6 in brackets (`bracket`) or bare. */
void dt_addr_write_ip(struct dt_writer *w, const struct dt_addr *a, bool bracket);
/* ip:port. */
void dt_addr_write(struct dt_writer *w, const struct dt_addr *a);
/* The same into `buf`, NUL-terminated; returns `buf`. */
const char *dt_addr_text(const struct dt_addr *a, char buf[DT_ADDR_TEXT_MAX]);
bool dt_addr_eq(const struct dt_addr *a, const struct dt_addr *b);    /* all of it */
bool dt_addr_ip_eq(const struct dt_addr *a, const struct dt_addr *b); /* family and IP */
/* 0.0.0.0 or ::. */
bool dt_addr_is_any(const struct dt_addr *a);

/* ---- DNS as a node sees it (RFC 1035, 2782, 3403) ---- */

enum dt_dns_type { DT_DNS_A = 1, DT_DNS_AAAA = 28, DT_DNS_SRV = 33, DT_DNS_NAPTR = 35 };
enum dt_dns_status { DT_DNS_FOUND, DT_DNS_NO_NAME, DT_DNS_NO_DATA, DT_DNS_FAILED };

struct dt_dns_record {
    enum dt_dns_type type;
    uint32_t ttl;                 /* seconds */
    uint16_t order;               /* NAPTR order, SRV priority */
    uint16_t weight;              /* NAPTR preference, SRV weight */
    uint16_t port;                /* SRV */
    uint8_t ip[16];               /* A: the first four bytes; AAAA */
    struct dt_str target;         /* SRV target, NAPTR replacement: without the last dot */
    struct dt_str service, flags; /* NAPTR */
};
struct dt_dns_answer {
    uint32_t id; /* of the DT_OUT_RESOLVE */
    enum dt_dns_type type;
    enum dt_dns_status status;
    const struct dt_dns_record *records;
    size_t n;
};

/* ---- in ---- */

enum dt_input_kind {
    DT_IN_LISTENING,     /* `local`: a DT_OUT_LISTEN holds (the port filled in if it was 0) */
    DT_IN_DATAGRAM,      /* `local`, `remote`, `data`, `age` */
    DT_IN_STREAM_OPEN,   /* `stream`, `local`, `remote`; `accepted` if the other side opened it */
    DT_IN_STREAM_DATA,   /* `stream`, `data` */
    DT_IN_STREAM_CLOSED, /* `stream`, `err`: DT_E_CLOSED, DT_E_REFUSED, ...; the stream is gone */
    DT_IN_SOCKET_ERROR,  /* evidence: `err` and, where known, `remote` (an ICMP error to a datagram
                            of ours), or only `local` (a DT_OUT_LISTEN that failed) */
    DT_IN_DNS,           /* `dns` */
    DT_IN_WALL_STEP,     /* `wall`: new value of dt_env.wall_offset */
    DT_IN_WOKE,   /* `age`: so long the process did not run (design.md R10): act as restarted */
    DT_IN_COMMAND /* `data`: one line of text, from `channel` */
};

/* Who speaks in a command, and who is spoken to in an event. */
enum dt_channel {
    DT_CHANNEL_USER,  /* a person, a script, a flow */
    DT_CHANNEL_MEDIA, /* the media engine to its phone, and back */
    DT_CHANNEL_WHY    /* who asks why: "N QUESTION", answered by a WHY event for N */
};

struct dt_input {
    enum dt_input_kind kind;
    enum dt_channel channel;
    bool accepted;
    int err;
    struct dt_addr local, remote;
    uint64_t stream;    /* the node's ids are even (DT_OUT_CONNECT), the host's (accepted) odd */
    dt_time age;        /* how long the datagram lay in the socket; 0 if not known (R10) */
    struct dt_str data; /* valid during the call; DT_PAD readable bytes follow a datagram */
    const struct dt_dns_answer *dns;
    int64_t wall;
};

/* ---- out ---- */

enum dt_output_kind {
    DT_OUT_LISTEN,      /* `local`: open this socket; port 0: any */
    DT_OUT_UNLISTEN,    /* `local`: close it */
    DT_OUT_DATAGRAM,    /* `local` (a socket that listens), `remote`, `bytes` */
    DT_OUT_CONNECT,     /* `stream` (even, chosen by the node), `remote` */
    DT_OUT_STREAM_DATA, /* `stream`, `bytes` */
    DT_OUT_CLOSE,       /* `stream`: after what was given is written */
    DT_OUT_RESOLVE,     /* `dns_id`, `dns_type`, `text`: the name */
    DT_OUT_EVENT        /* `event`, `channel`, `call`, `text` */
};

/* Events are for people, scripts and the trace. `text` is one line. */
#define DT_EVENTS(X) \
    X(SCREEN, "screen")             /* what the phone's status line shows from now on */ \
    X(CALL, "call")                 /* "STATE peer" of call number `call` */ \
    X(REGISTRATION, "registration") /* "registered 1001 at 127.0.0.1:5060", ... */ \
    X(REPLY, "reply")               /* answer to a command */ \
    X(PROBLEM, "problem")           /* a plain sentence: what failed and what to do */ \
    X(MEDIA, "media")               /* an order to the media engine, or its report */ \
    X(READY, "ready")               /* the node can be used */ \
    X(DROP, "drop")                 /* a message was dropped, and why */ \
    X(KNOWN, "known")               /* what it wants to know again after a restart */ \
    X(QUIT, "quit")                 /* the node wants to end; `text` is the exit code */ \
    X(WHY, "why")                   /* a JSON document, on channel WHY, `call`: who asked */
enum dt_event_kind {
#define X(name, text) DT_EV_##name,
    DT_EVENTS(X)
#undef X
};
const char *dt_event_name(enum dt_event_kind kind);

struct dt_output {
    enum dt_output_kind kind;
    enum dt_channel channel;
    enum dt_event_kind event;
    uint32_t call;
    struct dt_addr local, remote;
    uint64_t stream;
    struct dt_bytes *bytes; /* the host drops this reference when it is done; NULL but for
                               DATAGRAM and STREAM_DATA */
    struct dt_str text;     /* valid until the next call into the node */
    uint32_t dns_id;
    enum dt_dns_type dns_type;
};

/* A phone, a media engine or a proxy as its host sees it. */
struct dt_node_ops {
    /* A batch. `in` and what it points at are valid during the call. */
    void (*input)(void *node, dt_time now, const struct dt_input *in, size_t n);
    /* When tick is due; DT_TIME_NEVER: not. */
    dt_time (*deadline)(const void *node);
    void (*tick)(void *node, dt_time now);
    /* Fills at most `max`, returns how many; the host calls again until it returns 0, after every
     * input and tick and once after creation. */
    size_t (*output)(void *node, dt_time now, struct dt_output *out, size_t max);
};

/* ---- a queue of outputs, for who implements a node ---- */

struct dt_outbox {
    const struct dt_alloc *alloc;
    struct dt_output *items;
    size_t n, taken, cap;
    struct dt_bytes **texts; /* buffers of event texts, kept until the next entry call */
    size_t n_texts, cap_texts;
    uint64_t lost; /* outputs lost for want of memory: as a packet would be */
};
void dt_outbox_init(struct dt_outbox *o, const struct dt_alloc *alloc);
void dt_outbox_clear(struct dt_outbox *o);
/* Call first in input and tick of the outermost node: frees what was handed out before. */
void dt_outbox_begin(struct dt_outbox *o);
/* Appends, with a copy of `out->text`; takes over the reference in `out->bytes`, also when it
 * fails. DT_OK or DT_E_NOMEM. */
int dt_outbox_put(struct dt_outbox *o, const struct dt_output *out);
/* A datagram from `local` to `remote`; holds a reference of its own to `bytes`. */
int dt_outbox_datagram(struct dt_outbox *o, const struct dt_addr *local,
                       const struct dt_addr *remote, struct dt_bytes *bytes);
/* An event with printf-like text on the user's channel (MEDIA: on the media's). */
int dt_outbox_event(struct dt_outbox *o, enum dt_event_kind event, uint32_t call, const char *fmt,
                    ...) __attribute__((format(printf, 4, 5)));
/* A request for DNS records; `name` is copied. */
int dt_outbox_resolve(struct dt_outbox *o, uint32_t id, enum dt_dns_type type, struct dt_str name);
/* For dt_node_ops.output. */
size_t dt_outbox_take(struct dt_outbox *o, struct dt_output *out, size_t max);

#endif
