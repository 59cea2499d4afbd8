/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The location service: which contacts an address of record is bound to (RFC 3261 10.2, 10.3), in
 * memory. What must hold: I25 (the set is that of the accepted REGISTERs in CSeq order per Call-ID,
 * whatever the order of delivery; changes are atomic; nothing outlives its expiry) and I37. */
#ifndef STORE_LOCATION_H
#define STORE_LOCATION_H

#include "dualtone/containers.h"
#include "dualtone/node.h"
#include "dualtone/text.h"

enum {
    DT_CONTACTS_MAX = 64, /* contacts in one REGISTER, and bindings of one address of record */
    DT_BINDING_TEXT_MAX = 8192, /* bytes of one binding's texts together */
    DT_Q_MAX = 1000             /* q is kept in thousandths */
};

/* Where a REGISTER came from: the flow that reaches the phone behind a NAT. */
struct dt_binding_flow {
    struct dt_addr local, remote;
    uint64_t stream; /* 0: UDP, or a stream of an earlier run */
};

/* One binding. Owned by the location; valid until the next change or tick. */
struct dt_binding {
    struct dt_list link;   /* of its address of record */
    struct dt_list owed;   /* of those that the twin has not got yet */
    struct dt_timer timer; /* `due` is the expiry */
    struct dt_location_aor *aor;
    struct dt_binding_flow flow;
    uint64_t stamp; /* when it was accepted, wall time in ms, later than all that was known then: by
                       it twins agree which of two is the newer */
    uint32_t cseq;
    uint16_t q;
    bool gone; /* removed, and remembered so that an older REGISTER that is delivered
                  late cannot bring it back */
    uint16_t contact_n, call_id_n, path_n, instance_n;
    char text[]; /* contact, Call-ID, Path, instance, one behind the other */
};
struct dt_str dt_binding_contact(const struct dt_binding *b); /* the URI as registered */
struct dt_str dt_binding_call_id(const struct dt_binding *b);
struct dt_str dt_binding_path(const struct dt_binding *b);     /* Path values, or empty */
struct dt_str dt_binding_instance(const struct dt_binding *b); /* +sip.instance, or empty */
/* Whole seconds until the expiry, rounded up. */
uint32_t dt_binding_left(const struct dt_binding *b, dt_time now);

struct dt_location_config {
    uint32_t max_bindings; /* in all */
    uint32_t max_contacts; /* of one address of record; at most DT_CONTACTS_MAX */
    bool twin;             /* keep note of what the twin has to be told */
    dt_time removed_kept;  /* so long a removed binding is remembered; 0: 64 s. With a twin: as
                              long as a binding lives, which it may have and we know nothing of */
};

struct dt_location;
/* `env` must outlive it; nothing of its generator is used after creation. NULL without memory. */
struct dt_location *dt_location_new(const struct dt_location_config *cfg, struct dt_env *env);
void dt_location_free(struct dt_location *l);

struct dt_location_contact {
    struct dt_str uri;
    struct dt_str instance;
    uint16_t q;
    uint32_t expires; /* seconds; 0: remove */
};
/* What one REGISTER asks for. Slices are copied where they are kept. */
struct dt_location_update {
    struct dt_str aor; /* canonical (RFC 3261 10.3 step 5), the caller's business */
    struct dt_str call_id;
    uint32_t cseq;
    uint64_t wall; /* ms, for the stamp */
    struct dt_str path;
    struct dt_binding_flow flow;
    const struct dt_location_contact *contacts;
    size_t n;
    bool star; /* Contact: * with Expires: 0; `n` is 0 */
};
/* All or nothing (10.3 steps 6 and 7). DT_OK, also for the repeat of a REGISTER that was accepted
 * (same Call-ID, CSeq and contacts, design.md R14), which changes nothing; DT_E_STALE: a binding
 * has this Call-ID and a CSeq that is not lower; DT_E_LIMIT: too many contacts of this address of
 * record; DT_E_RANGE: max_bindings is reached, or a text is too long; DT_E_SYNTAX: a contact is no
 * URI; DT_E_NOMEM. */
int dt_location_update(struct dt_location *l, dt_time now, const struct dt_location_update *u);

/* ---- the twin (design.md R13, I26) ---- */

/* A binding as the twin has it: one contact, or "*" for all that are older. The newer one of it and
 * ours stays: with the same Call-ID by CSeq, else by stamp, so that whoever exchanges copies, in
 * whatever order, ends with the same. If ours is the newer one it is owed. Errors as
 * dt_location_update but for DT_E_STALE. */
int dt_location_merge(struct dt_location *l, dt_time now, const struct dt_location_update *u);
/* The oldest binding that is owed, or NULL; by dt_location_paid it is not owed any more. */
const struct dt_binding *dt_location_owed(const struct dt_location *l);
void dt_location_paid(struct dt_location *l);
/* It is owed again, if it is still there; all of them. */
void dt_location_owe(struct dt_location *l, struct dt_str aor, struct dt_str contact);
void dt_location_owe_all(struct dt_location *l);
/* The address of record of a binding. */
struct dt_str dt_binding_aor(const struct dt_binding *b);

/* The bindings of an address of record that hold at `now`, highest q first, then the oldest:
 * fills at most `max`, returns how many there are. `*known` (may be NULL): the address of record
 * has bindings, or had until a moment ago. */
size_t dt_location_find(const struct dt_location *l, dt_time now, struct dt_str aor,
                        const struct dt_binding **out, size_t max, bool *known);

/* When the next binding runs out; takes out what has. */
dt_time dt_location_deadline(const struct dt_location *l);
void dt_location_tick(struct dt_location *l, dt_time now);

struct dt_location_counts {
    uint32_t bindings; /* that hold */
    uint32_t removed;  /* remembered as removed */
    uint32_t aors;
    uint64_t version; /* grows with each change of the bindings */
};
struct dt_location_counts dt_location_count(const struct dt_location *l);

/* ---- snapshot: one line a binding, expiry as wall time, so that it may be read days later; with a
 * twin removed ones too, so that an old copy cannot bring them back ---- */

/* `wall_offset` as in dt_env. `*out` gets one reference. DT_OK, DT_E_NOMEM or DT_E_LIMIT. */
int dt_location_save(const struct dt_location *l, dt_time now, int64_t wall_offset,
                     const struct dt_alloc *alloc, struct dt_bytes **out);
/* Adds what has not run out. Lines that are broken, or that a limit keeps out, are passed over and
 * counted in `*bad`. DT_OK; DT_E_SYNTAX if the first line says that it is no snapshot. */
int dt_location_load(struct dt_location *l, dt_time now, int64_t wall_offset, struct dt_str text,
                     unsigned *bad);

#endif
