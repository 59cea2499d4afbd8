/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One message from a node of a pair to the other. It carries "Dualtone-Copy: KIND NUMBER SENT BOOT
 * MAC": SENT is the sender's wall time in ms, so that what was recorded cannot be played again
 * later, BOOT the number of its run; the MAC covers all that the message says. KIND and NUMBER:
 *   binding   the stamp; a REGISTER with the AOR, one contact, Call-ID and CSeq of the binding
 *   join      0; asks for all that the other has; an OPTIONS, as the rest
 *   filled    the BOOT of who asked: all has been sent, by a node that knows who is bound
 *   unfilled  the same, by a node that does not
 *   new       the same, by a node that does not, and had nothing to tell but what was bound since
 *             both started */
#ifndef PROXY_COPY_H
#define PROXY_COPY_H

#include "proxy/branch.h"
#include "proxy/pair.h"
#include "store/location.h"

struct dt_proxy;

struct dt_copy {
    enum dt_pair_kind kind;
    uint64_t number, sent, mac;
    uint32_t boot;
    struct dt_str aor, call_id, path;
    uint32_t cseq;
    struct dt_location_contact contact;
};

/* The message with its MAC, one reference; NULL without memory, or if a text does not fit. */
struct dt_bytes *dt__copy_write(const struct dt_proxy *p, const struct dt_copy *c,
                                unsigned transport, struct dt_str branch);
/* The header's value: kind, number, sent, mac. */
bool dt__copy_read(struct dt_copy *c, struct dt_str value);
/* Is the MAC that of one of the keys? The same time however much of it is right. */
bool dt__copy_is_genuine(const struct dt_keyring *keys, const struct dt_copy *c);

#endif
