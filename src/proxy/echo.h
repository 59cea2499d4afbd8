/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parameter `dv` of our Via (design.md R3), which the callee echoes: by it a node knows a
 * response that it has no transaction for as the answer to a request of the cluster's, and where
 * that request came from. "1" (only target) or "n" (forked), a dot, and a MAC. */
#ifndef PROXY_ECHO_H
#define PROXY_ECHO_H

#include "proxy/branch.h"

enum { DT_ECHO_N = 2 + 16 };
struct dt_echo {
    char text[DT_ECHO_N];
};

/* `branch` is that of our Via; `below` the Via of the sender, from whom the request came by way of
 * `source`: what `received` and `rport` will say of it counts (RFC 3261 18.2.1, RFC 3581 4). */
void dt__echo_make(struct dt_echo *out, const uint64_t key[2], bool forked, struct dt_str branch,
                   const struct dt_via *below, const struct dt_addr *source);

/* Is `ours`, with `below` under it, as a node of the cluster wrote them? `*forked` is what it says,
 * `*to` where the response goes. Takes the same time however much of the MAC is right. */
bool dt__echo_check(const struct dt_keyring *keys, const struct dt_via *ours,
                    const struct dt_via *below, bool *forked, struct dt_addr *to);

#endif
