/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Branches as pure functions of the request (design.md R2), so that any node of the cluster, and
 * the same node restarted, sends the same branch for the same request. No clock, no counter, no
 * source address, no address of the target goes in. */
#ifndef PROXY_BRANCH_H
#define PROXY_BRANCH_H

#include "dualtone/msg.h"

enum {
    DT_BRANCH_KEY_DIGITS = 2,
    DT_BRANCH_PART_DIGITS = 16,
    DT_BRANCH_N = 7 + DT_BRANCH_KEY_DIGITS + 2 * DT_BRANCH_PART_DIGITS
};

/* "z9hG4bK", key id, loop part, keyed hash. */
struct dt_branch_text {
    char text[DT_BRANCH_N];
};
static inline struct dt_str dt__branch_str(const struct dt_branch_text *b)
{
    return (struct dt_str){b->text, DT_BRANCH_N};
}

/* R15: the first key signs, all verify. */
enum { DT_KEYS_MAX = 2 };
struct dt_keyring {
    uint64_t key[DT_KEYS_MAX][2];
    size_t n;
};

/* Up to 16 lower-case hex digits. DT_OK or DT_E_SYNTAX. */
int dt__read_hex(struct dt_str s, uint64_t *out);

/* A byte that tells keys apart (R15). */
unsigned dt__branch_key_id(const uint64_t key[2]);

/* The loop part (RFC 5393 4.2.1): everything that decides where a request goes, hence the canonical
 * Request-URI and the Route values behind our own; not the method, so that INVITE, CANCEL and ACK
 * agree. */
uint64_t dt__branch_loop(const uint64_t key[2], struct dt_str uri, const struct dt_str *routes,
                         size_t n);
/* The loop part of a branch that one of our nodes made with one of these keys; false if none did.
 */
bool dt__branch_loop_of(const struct dt_keyring *keys, struct dt_str branch, uint64_t *loop);

/* The branch for one target of a checked request. `target` is the Contact as registered, or the
 * URI: never an address or a flow. `attempt` is 0 but where another server
 * of the same target is tried (RFC 3263 4.3 wants a new branch there). */
void dt__branch_make(struct dt_branch_text *out, const uint64_t key[2], const struct dt_sip_msg *m,
                     uint64_t loop, struct dt_str target, unsigned attempt);

/* R4: proof, in our Record-Route, that a call with this Call-ID was let through by a node of the
 * cluster. */
uint64_t dt__branch_call_token(const uint64_t key[2], struct dt_str call_id);

#endif
