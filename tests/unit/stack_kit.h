/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One stack in virtual time. Everything it sends and every callback becomes a line of text, so that
 * a test reads like a call flow:
 *
 *     0 > 192.0.2.2:5060 INVITE            a datagram left, at that millisecond
 *     600 response 180 #7                  a callback; # is the cookie
 *     1000 > stream 2 INVITE               */
#ifndef STACK_KIT_H
#define STACK_KIT_H

#include "testkit.h"

#include "dualtone/stack.h"

struct kit_stack {
    struct kit_alloc mem;
    struct dt_env env;
    struct dt_outbox out;
    struct dt_stack *s;
    dt_time now;
    struct dt_addr local; /* 192.0.2.1:5060 */
    char log[65536];
    size_t log_n;
    dt_tx tx;              /* of the last request callback */
    struct dt_hop from;    /* the same */
    dt_tx response_tx;     /* of the last response callback */
    struct dt_bytes *last; /* the last message that left */
    void (*on_request)(struct kit_stack *k, dt_tx tx, const struct dt_sip_msg *m); /* or NULL */
    void (*on_response)(struct kit_stack *k, dt_tx tx, const struct dt_sip_msg *m);
    void (*on_sent)(struct kit_stack *k, const struct dt_output *out);
    void *world;
};

/* NULL: the default configuration. False without memory. */
bool kit_stack_try(struct kit_stack *k, const struct dt_stack_config *cfg);
void kit_stack_open(struct kit_stack *k, const struct dt_stack_config *cfg);
/* Frees all and asserts that nothing is left. */
void kit_stack_close(struct kit_stack *k);
/* Lets time pass to `ms` after the start. */
void kit_stack_until(struct kit_stack *k, int64_t ms);
/* Compares the log so far, and empties it. */
#define kit_stack_log(k, want) kit_stack_log_at((k), (want), __FILE__, __LINE__)
void kit_stack_log_at(struct kit_stack *k, const char *want, const char *file, int line);
/* Empties the log unread. */
void kit_stack_hush(struct kit_stack *k);

/* A datagram from `from` ("ip:port"). */
void kit_stack_recv(struct kit_stack *k, const char *from, const char *text);
void kit_stack_input(struct kit_stack *k, const struct dt_input *in);
/* Takes what lies in the outbox into the log. Called by all of these; needed after own calls. */
void kit_stack_drain(struct kit_stack *k);

struct kit_msg {
    const char *method; /* of the CSeq too */
    int status;         /* 0: a request */
    const char *via;    /* NULL: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1" */
    const char *to_tag; /* NULL: none */
    const char *extra;  /* header lines, or NULL */
    unsigned cseq;      /* 0: 1 */
};
/* The text, in a buffer that is used again after eight more; NUL-terminated. */
const char *kit_msg_text(const struct kit_msg *m);
#define KIT_MSG(...) kit_msg_text(&(struct kit_msg){__VA_ARGS__})

struct dt_addr kit_addr(const char *text, enum dt_transport transport);
/* Starts a client transaction; fields of `r` that are 0 are filled in: `to` is UDP
 * 192.0.2.2:5060, the branch is that of the text's Via, repeats are unlimited. */
int kit_stack_request(struct kit_stack *k, const char *text, struct dt_request r, dt_tx *tx);
int kit_stack_respond(struct kit_stack *k, dt_tx tx, int status, const char *text);

#endif
