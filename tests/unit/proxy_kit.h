/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One proxy in virtual time, between phones that are only addresses. What it sends becomes a line:
 *
 *     0 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12
 *     20 > 192.0.2.11:5060 180 INVITE
 *     0 ? A example.org                    a question for the resolver */
#ifndef PROXY_KIT_H
#define PROXY_KIT_H

#include "testkit.h"

#include "dualtone/node.h"
#include "dualtone/stack.h"
#include "proxy/proxy.h"

enum { KIT_SENT_MAX = 8192 };

struct kit_proxy {
    struct kit_alloc mem;
    struct dt_env env;
    struct dt_conf conf;
    struct dt_proxy_config cfg;
    struct dt_proxy *p;
    dt_time now;
    struct dt_addr local; /* where datagrams come to: the first of `listen` */
    char log[65536];
    size_t log_n;
    struct kit_sent {
        struct dt_addr to;
        struct dt_bytes *bytes;
    } sent[KIT_SENT_MAX];
    size_t n_sent;
    uint32_t dns_id; /* of the last question */
    enum dt_dns_type dns_type;
};

/* The domain is example.com, it listens at udp:192.0.2.1:5060; `more` are further lines of
 * configuration (may be NULL). False without memory. */
bool kit_proxy_try(struct kit_proxy *k, const char *more);
void kit_proxy_open(struct kit_proxy *k, const char *more);
/* The cluster's key (NULL: one of the kit) and the one that only verifies (NULL: none) of nodes
 * that are opened from now on (R15). */
void kit_proxy_keys(const uint64_t *first, const uint64_t *second);
/* When the node that is opened next begins, its generator's seed, and its snapshot (may be empty).
 */
void kit_proxy_begin(dt_time now, uint64_t seed, struct dt_str snapshot);
/* Frees all; asserts that nothing is left, and that in = forwarded + answered + dropped (I24). */
void kit_proxy_close(struct kit_proxy *k);
void kit_proxy_until(struct kit_proxy *k, int64_t ms);
/* Lets everything end (80 s), and asserts that nothing is under way then (I36). */
void kit_proxy_quiet(struct kit_proxy *k);

#define kit_proxy_log(k, want) kit_proxy_log_at((k), (want), __FILE__, __LINE__)
void kit_proxy_log_at(struct kit_proxy *k, const char *want, const char *file, int line);
void kit_proxy_hush(struct kit_proxy *k);

void kit_proxy_input(struct kit_proxy *k, const struct dt_input *in);
/* A datagram from "192.0.2.11:5060" or the like, to the proxy's first socket. */
void kit_proxy_recv(struct kit_proxy *k, const char *from, const char *text);

/* A request as a phone sends it. */
struct kit_req {
    const char *method;  /* NULL: INVITE */
    const char *uri;     /* NULL: sip:bob@example.com */
    const char *from;    /* user; NULL: alice */
    const char *to;      /* URI; NULL: `uri` */
    const char *to_tag;  /* NULL: none */
    const char *call_id; /* NULL: c1 */
    unsigned cseq;       /* 0: 1 */
    const char *branch;  /* NULL: z9hG4bKb1 */
    const char *via;     /* sent-by; NULL: 192.0.2.11:5060 */
    const char *extra;   /* header lines, or NULL */
    int hops;            /* 0: 70; below 0: none at all; 1000: 0 */
    const char *body;
};
/* NUL-terminated, in one of eight buffers. */
const char *kit_req_text(const struct kit_req *r);
#define KIT_REQ(...) kit_req_text(&(struct kit_req){__VA_ARGS__})
/* Sends it from 192.0.2.11:5060. */
#define KIT_SEND(k, ...) kit_proxy_recv((k), "192.0.2.11:5060", KIT_REQ(__VA_ARGS__))

/* Binds `user` to `contact` from "192.0.2.N:5060", Call-ID and tag by `contact`; the answer is not
 * logged. */
void kit_register(struct kit_proxy *k, const char *from, const char *user, const char *contact);

/* The last message sent to an address; fails the test if there is none. NUL-terminated. */
const char *kit_last(struct kit_proxy *k, const char *to);
/* The value of a header in a message, by its name; in one of eight buffers. "" if it is not there.
 * All lines of that name, joined by " | ". */
const char *kit_header(const char *msg, const char *name);
/* Answers the last message that was sent to `from`, whose method is `method`. `extra` may be
 * NULL. */
void kit_answer(struct kit_proxy *k, const char *from, const char *method, int status,
                const char *tag, const char *extra);
/* Was a request with this method sent to `to`? */
bool kit_has_request(struct kit_proxy *k, const char *to, const char *method);
/* A counter by name. */
uint64_t kit_count(const struct kit_proxy *k, const char *name);
struct dt_addr kit_at(const char *text);

#endif
