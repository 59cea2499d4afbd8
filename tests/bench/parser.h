/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One job for several parsers, ours and those of Debian's packages, each a program of its own
 * (parser_<name>.c with parser_main.c; tools/bench-parser runs them in turn). The message is
 * tests/bench/invite.sip, 900 bytes as a phone sends them to its proxy.
 *
 * What is asked of each is what a proxy must know of a request before it can forward it (RFC 3261
 * 16.3 to 16.6), as structure and not as text: method and Request-URI; all Via, Route and
 * Record-Route; From and To with their tags, Call-ID, CSeq; Max-Forwards, Content-Length; Contact;
 * Proxy-Authorization where there is one. Who parses more than that at once, and cannot be told not
 * to, pays for it here as in his proxy; who parses less is asked for the rest by his public
 * functions. Memory that one message takes is given back in the same round. What a proxy would
 * prepare once for all messages (its Record-Route, say) each may prepare. */
#ifndef BENCH_PARSER_H
#define BENCH_PARSER_H

#include <stdbool.h>
#include <stddef.h>

/* A datagram as it was received, in storage as the parser wants it: 64 readable zero bytes follow.
 */
struct bench_text {
    const char *p;
    size_t n;
};

/* What was found: counts, numbers and the lengths of texts, so that it can be compared. */
struct bench_found {
    unsigned vias, routes, record_routes, contacts, credentials;
    unsigned long cseq, max_forwards, content_length;
    size_t method, uri_user, uri_host, via_host, branch, route_host;
    size_t from_user, from_tag, to_host, to_tag, call_id, contact_user;
};

/* What the forwarded message gets. */
#define BENCH_URI "sip:1002@192.0.2.102:5060;transport=udp"
#define BENCH_VIA_HOST "proxy.example.com"
#define BENCH_VIA_PORT "5060"
#define BENCH_VIA_BRANCH "branch=z9hG4bK1a2b3c4d5e6f708192a3b4c5d6e7f809"
#define BENCH_VIA_OURS "dv=1-0123456789"
#define BENCH_VIA \
    "SIP/2.0/UDP " BENCH_VIA_HOST ":" BENCH_VIA_PORT ";" BENCH_VIA_BRANCH ";rport;" BENCH_VIA_OURS
#define BENCH_RECORD_ROUTE "<sip:proxy.example.com:5060;lr>"

/* Once, before all rounds. */
void bench_start(void);
/* Parses and lets go. `found` is filled in unless it is NULL; with NULL all the same is parsed.
 * False: the message was refused. */
bool bench_parse(struct bench_text text, struct bench_found *found);
/* Parses, builds the message that goes on: new Request-URI, Via pushed, Record-Route added,
 * Max-Forwards less one; lets go. It is copied into `out` unless that is NULL. Returns its size, or
 * 0.
 */
size_t bench_forward(struct bench_text text, char *out, size_t cap);

#endif
