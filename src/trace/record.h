/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The record of a run: what was sent, what arrived, what was shown, what was done to the system.
 * The simulator's watch and the real hosts write the same items; ladders, captures and the checks
 * of the flow tool are made from them. */
#ifndef TRACE_RECORD_H
#define TRACE_RECORD_H

#include "dualtone/containers.h"
#include "dualtone/node.h"

#define DT_RECORD_KINDS(X) \
    X(SENT, "sent")       /* `from`, `to`, `bytes`: a message as its sender sent it */ \
    X(ARRIVED, "arrived") /* the same as its receiver got it */ \
    X(LOST, "lost")       /* the network lost it */ \
    X(UNHEARD, "unheard") /* nobody read it: black hole, hung, closed port */ \
    X(EVENT, "event")     /* `who` said `event`: `bytes` is the text */ \
    X(COMMAND, "command") /* `who` was told `bytes` */ \
    X(FAULT, "fault")     /* `bytes` ("blackhole", "kill", ...) happened to `who` */
enum dt_record_kind {
#define X(name, text) DT_REC_##name,
    DT_RECORD_KINDS(X)
#undef X
};

struct dt_record_item {
    dt_time at;
    enum dt_record_kind kind;
    enum dt_event_kind event;
    uint32_t call;
    uint16_t who; /* index into parties; DT_RECORD_NOBODY */
    struct dt_addr from, to;
    struct dt_bytes *bytes;
};
#define DT_RECORD_NOBODY UINT16_MAX

struct dt_record_party {
    char name[32];
    struct dt_addr addrs[8]; /* ports count: 0 matches any */
    size_t n_addrs;
};
enum { DT_RECORD_PARTIES_MAX = 256 };

/* A row of the index of addresses. */
struct dt_record_home {
    struct dt_addr addr;
    uint16_t party;
    bool used;
};

struct dt_record {
    const struct dt_alloc *alloc;
    struct dt_record_item *items;
    size_t n, cap;
    struct dt_record_party *parties;
    size_t n_parties;
    struct dt_record_home *homes; /* hash table of all addresses; NULL: search the parties */
    size_t n_homes, cap_homes;    /* the table's size is a power of two */
    uint64_t lost;                /* items lost for want of memory */
};

void dt_record_init(struct dt_record *r, const struct dt_alloc *alloc);
void dt_record_clear(struct dt_record *r);
/* The index of a party by name (one word; 31 characters count), made if it is new;
 * DT_RECORD_NOBODY at the bound. */
uint16_t dt_record_party(struct dt_record *r, const char *name);
/* An address (port 0: any port of this IP) that belongs to a party. */
void dt_record_address(struct dt_record *r, uint16_t party, const struct dt_addr *addr);
/* Whose address this is: exact first, then by IP (an address given with port 0); the first party
 * where several have it; DT_RECORD_NOBODY. */
uint16_t dt_record_whose(const struct dt_record *r, const struct dt_addr *addr);
/* Appends, in order of time (an item that comes late is put where it belongs, behind equal times).
 * Takes a reference to `item->bytes`. Returns its index, or SIZE_MAX without memory. */
size_t dt_record_add(struct dt_record *r, const struct dt_record_item *item);
/* A short item with text. */
size_t dt_record_note(struct dt_record *r, dt_time at, enum dt_record_kind kind, uint16_t who,
                      struct dt_str text);
/* A keyed hash over all items: equal for equal runs (I40). */
uint64_t dt_record_digest(const struct dt_record *r);

/* ---- as text, between processes: one line an item ---- */

/* "@AT KIND WHO EVENT CALL FROM TO TEXT\n"; in TEXT a backslash, CR, LF and what is not printable
 * are escaped (\\, \r, \n, \xHH). At most 4 times the bytes and DT_RECORD_LINE_HEAD more. */
void dt_record_write(const struct dt_record *r, const struct dt_record_item *item,
                     struct dt_writer *w);
enum { DT_RECORD_LINE_HEAD = 320 };
/* Reads such a line, without its end. DT_OK, DT_E_SYNTAX or DT_E_NOMEM. `*item` gets one reference
 * to its bytes, which the caller drops. Parties are made as they are named. */
int dt_record_read(struct dt_record *r, struct dt_str line, struct dt_record_item *item);

/* ---- what a message is, in short ---- */

struct dt_label {
    bool sip; /* false: RTP, keep-alive or rubbish */
    bool request;
    int status;
    char text[48];   /* "INVITE", "180 Ringing", "200 OK (BYE)" */
    char method[24]; /* request: its method; response: CSeq's */
};
/* Reads the start line and CSeq of a message. */
void dt_label_of(struct dt_label *out, struct dt_str message);

#endif
