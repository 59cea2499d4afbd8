/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Building messages: line by line for who speaks first, and by a list of edits for who forwards
 * (design.md 4): one pass from the old buffer to the new one. What you read later is what went
 * out. */
#ifndef DUALTONE_BUILD_H
#define DUALTONE_BUILD_H

#include "dualtone/msg.h"

/* ---- line by line; the writer keeps its first error ---- */

/* No CR, LF or NUL: `s` cannot end the line it stands in. */
bool dt_sip_line_safe(struct dt_str s);
/* "INVITE sip:b@h SIP/2.0\r\n". */
void dt_sip_write_request(struct dt_writer *w, struct dt_str method, struct dt_str uri);
/* "SIP/2.0 200 OK\r\n"; `reason` empty: the default phrase. */
void dt_sip_write_status(struct dt_writer *w, int status, struct dt_str reason);
/* "Name: value\r\n". Bytes that would end the line (CR, LF, NUL) make DT_E_SYNTAX the writer's
 * error, so that no value can smuggle a header. */
void dt_sip_write_header(struct dt_writer *w, enum dt_header_id id, struct dt_str value);
void dt_sip_write_headerf(struct dt_writer *w, enum dt_header_id id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Content-Type (if `type` is not empty), Content-Length, the empty line, the body. Ends a message.
 */
void dt_sip_write_body(struct dt_writer *w, struct dt_str type, struct dt_str body);

/* One Via value as it is passed on by who got the request from `source`: with `received` if sent-by
 * is not its IP (RFC 3261 18.2.1), with `received` and `rport` filled in if it asks for rport (RFC
 * 3581 4). What the sender wrote into these two himself goes. */
void dt_sip_write_via(struct dt_writer *w, const struct dt_via *via, const struct dt_addr *source);

/* ---- a response to a request (RFC 3261 8.2.6) ---- */

struct dt_sip_answer {
    int status;
    struct dt_str reason; /* empty: the default phrase */
    struct dt_str to_tag; /* added if the request's To has none and status is not 100 */
    struct dt_str extra;  /* whole header lines, each with CRLF; may be empty */
    struct dt_str type, body;
    bool record_routes;           /* copy Record-Route (dialog-forming 101 to 299, 12.1.1) */
    const struct dt_addr *source; /* not NULL: write `received` and `rport` into the top Via as
                                     18.2.1 and RFC 3581 want for a request from there */
};
/* Via (all), From, To, Call-ID, CSeq copied, folds taken out; Timestamp into 100. The request may
 * be a faulty one: what it lacks is left out. `*out` gets one reference. DT_OK, DT_E_NOMEM,
 * DT_E_LIMIT above DT_MSG_MAX, or DT_E_SYNTAX if `reason`, `to_tag` or `type` would end their line.
 */
int dt_sip_answer(const struct dt_sip_msg *req, const struct dt_sip_answer *ans,
                  const struct dt_alloc *alloc, struct dt_bytes **out);

/* `response` for another copy `req` of the request that it answers, which came from `source`: the
 * Via list is that of the copy, all else stays (design.md R7, R8). `*out` gets one reference.
 * DT_OK, DT_E_NOMEM, DT_E_LIMIT. */
int dt_sip_answer_copy(const struct dt_sip_msg *response, const struct dt_sip_msg *req,
                       const struct dt_addr *source, const struct dt_alloc *alloc,
                       struct dt_bytes **out);

/* ---- edits, for forwarding ---- */

enum { DT_EDITS_MAX = 40 };
struct dt_sip_edit {
    uint16_t from, to;      /* bytes of the old text that go */
    uint8_t next;           /* 1 + index of the edit behind it in the text; 0: none */
    struct dt_str parts[4]; /* what comes in their place; slices of the caller's */
};
struct dt_sip_edits {
    const struct dt_sip_msg *m;
    struct dt_sip_edit list[DT_EDITS_MAX];
    size_t n;
    uint8_t first; /* as `next` */
    int err;       /* the first one, kept until dt_sip_forward: DT_E_LIMIT: too many edits;
                      DT_E_SYNTAX: a value holds CR, LF or NUL; DT_E_STATE: not a place in `m` */
};
void dt_sip_edits_init(struct dt_sip_edits *e, const struct dt_sip_msg *m);
/* A new Request-URI. */
void dt_sip_edit_uri(struct dt_sip_edits *e, struct dt_str uri);
/* A new line before the first line of this id, or before all headers if there is none. What is
 * pushed later stands above. */
void dt_sip_edit_push(struct dt_sip_edits *e, enum dt_header_id id, struct dt_str value);
/* A new line behind all headers. */
void dt_sip_edit_append(struct dt_sip_edits *e, enum dt_header_id id, struct dt_str value);
/* The line `h` gets another value. */
void dt_sip_edit_value(struct dt_sip_edits *e, const struct dt_sip_header *h, struct dt_str value);
/* The line `h` goes. */
void dt_sip_edit_remove(struct dt_sip_edits *e, const struct dt_sip_header *h);
/* The first value of a LIST header goes; its line too if it was the only one there. Call `count`
 * values at once, not repeatedly. */
void dt_sip_edit_pop(struct dt_sip_edits *e, enum dt_header_id id, unsigned count);
/* Bytes inside the message: `slice` (of m->text) is replaced, e.g. by a Via with ;received. In the
 * body line ends are allowed; the caller then changes Content-Length too. */
void dt_sip_edit_slice(struct dt_sip_edits *e, struct dt_str slice, struct dt_str with);
/* The new message, one pass and one allocation. Edits may have been made in any order; they may not
 * overlap. `*out` gets one reference. DT_OK, the error of an edit, DT_E_STATE for an overlap,
 * DT_E_LIMIT above DT_MSG_MAX, DT_E_NOMEM. */
int dt_sip_forward(const struct dt_sip_edits *e, const struct dt_alloc *alloc,
                   struct dt_bytes **out);

#endif
