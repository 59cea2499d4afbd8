/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Records made by hand: parties by number, messages in one line. */
#ifndef TRACE_KIT_H
#define TRACE_KIT_H

#include "testkit.h"

#include "trace/record.h"

#include <stdio.h>
#include <string.h>

/* Party i of a record made here has 192.0.2.(i + 1), any port. */
static inline struct dt_addr kit_addr(unsigned party)
{
    return (struct dt_addr){.ip = {192, 0, 2, (uint8_t)(party + 1)}, .port = 5060, .family = 4};
}

static inline void kit_parties(struct dt_record *r, const char *names)
{
    for (; *names; names++) {
        const char name[] = {*names, '\0'};
        uint16_t who = dt_record_party(r, name);
        struct dt_addr a = kit_addr(who);
        a.port = 0;
        dt_record_address(r, who, &a);
    }
}

static inline size_t kit_packet(struct dt_record *r, dt_time at, enum dt_record_kind kind,
                                unsigned from, unsigned to, const char *text)
{
    struct dt_record_item item = {.at = at, .kind = kind, .who = DT_RECORD_NOBODY};
    item.from = kit_addr(from);
    item.to = kit_addr(to);
    item.bytes = dt_bytes_copy(r->alloc, dt_str_z(text));
    size_t index = dt_record_add(r, &item);
    dt_bytes_drop(item.bytes);
    return index;
}

/* "INVITE" or "180 Ringing INVITE": a message with what the ladder reads; the branch tells one
 * transaction from another. */
static inline size_t kit_sip(struct dt_record *r, dt_time at, unsigned from, unsigned to,
                             const char *what, const char *branch)
{
    char text[512], start[128], method[32] = "";
    if (what[0] >= '0' && what[0] <= '9') {
        const char *space = strrchr(what, ' ');
        snprintf(start, sizeof start, "SIP/2.0 %.*s", (int)(space - what), what);
        snprintf(method, sizeof method, "%s", space + 1);
    } else {
        snprintf(start, sizeof start, "%s sip:b@example.com SIP/2.0", what);
        snprintf(method, sizeof method, "%s", what);
    }
    snprintf(text, sizeof text,
             "%s\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK%s\r\nCSeq: 1 %s\r\n\r\n", start,
             branch, method);
    return kit_packet(r, at, DT_REC_SENT, from, to, text);
}

static inline void kit_event(struct dt_record *r, dt_time at, enum dt_event_kind event,
                             uint16_t who, const char *text)
{
    struct dt_record_item item = {.at = at, .kind = DT_REC_EVENT, .event = event, .who = who};
    item.bytes = dt_bytes_copy(r->alloc, dt_str_z(text));
    dt_record_add(r, &item);
    dt_bytes_drop(item.bytes);
}

#endif
