/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A SIP message: parsed once, up front, into slices and an index of headers (design.md 4). No
 * allocation; the array of headers is the caller's. */
#ifndef DUALTONE_MSG_H
#define DUALTONE_MSG_H

#include "dualtone/uri.h"

/* ---- tables: a method, a header, a status code is a row ---- */

#define DT_METHODS(X) \
    X(INVITE) \
    X(ACK) \
    X(BYE) \
    X(CANCEL) \
    X(REGISTER) \
    X(OPTIONS) \
    X(REFER) \
    X(NOTIFY) \
    X(SUBSCRIBE) \
    X(INFO) \
    X(PRACK) \
    X(UPDATE) \
    X(MESSAGE) \
    X(PUBLISH)
enum dt_method {
    DT_METHOD_OTHER = 0, /* its text is kept */
#define X(name) DT_##name,
    DT_METHODS(X)
#undef X
        DT_METHOD_COUNT
};
/* "INVITE"; "?" for OTHER. */
const char *dt_method_name(enum dt_method m);
/* Methods are compared with regard to case (RFC 3261 7.1). */
enum dt_method dt_method_find(struct dt_str name);

/* id, name on the wire, compact form or 0, flags. SINGLE: a second one is a syntax error (closes
 * smuggling: From, To, Call-ID, CSeq, Max-Forwards, Content-Length, Content-Type, Expires, ...).
 * LIST: values separated by commas, also over several lines. The sip module's header table
 * (headers.h) has every header of RFC 3261 and of the RFCs named in docs/dependencies.md. */
#include "dualtone/headers.h"
enum dt_header_id {
    DT_H_OTHER = 0,
#define X(id, name, compact, flags) DT_H_##id,
    DT_HEADERS(X)
#undef X
        DT_H_COUNT
};
/* The name as it is written; "?" for OTHER. */
const char *dt_header_name(enum dt_header_id id);
/* Long or compact name in any case; DT_H_OTHER if it is none of the table. */
enum dt_header_id dt_header_find(struct dt_str name);
unsigned dt_header_flags(enum dt_header_id id);

/* The default reason phrase; "Unknown" for codes without a row. */
const char *dt_status_phrase(int status);

/* ---- the message ---- */

enum {
    DT_MSG_MAX = 65535,      /* bytes; offsets are 16 bits */
    DT_MSG_HEADERS_MAX = 256 /* header lines (reliability.md 2) */
};

/* One header line in wire order; offsets into the message's text. */
struct dt_sip_header {
    uint16_t id;   /* enum dt_header_id */
    uint16_t next; /* 1 + index of the next line with the same id (not OTHER); 0 */
    uint16_t name_at, name_n;
    uint16_t value_at, value_n; /* without blanks around it; folds are still inside */
    uint16_t end;               /* offset behind the line's end: the next line begins there */
};

/* What was found wrong first, if anything: rows with the status to answer and the phrase. */
#define DT_SIP_FAULTS(X) \
    X(NONE, 0, "") \
    X(START_LINE, 400, "Bad Start Line") \
    X(VERSION, 505, "Version Not Supported") \
    X(HEADER, 400, "Bad Header Line") \
    X(TOO_MANY, 400, "Too Many Headers") \
    X(DUPLICATE, 400, "Duplicate Header") \
    X(MISSING, 400, "Missing Mandatory Header") \
    X(LENGTH, 400, "Bad Content-Length") \
    X(VIA, 400, "Bad Via") \
    X(FROM, 400, "Bad From") \
    X(TO, 400, "Bad To") \
    X(CSEQ, 400, "Bad CSeq") \
    X(METHOD, 400, "CSeq Method Does Not Match") \
    X(CALL_ID, 400, "Bad Call-ID") \
    X(MAX_FORWARDS, 400, "Bad Max-Forwards") \
    X(CONTACT, 400, "Bad Contact") \
    X(ROUTE, 400, "Bad Route") \
    X(URI, 400, "Bad Request-URI") \
    X(SCHEME, 416, "Unsupported URI Scheme") \
    X(VALUE, 400, "Bad Header Value")
enum dt_sip_fault {
#define X(name, status, phrase) DT_FAULT_##name,
    DT_SIP_FAULTS(X)
#undef X
        DT_FAULT_COUNT
};
int dt_sip_fault_status(enum dt_sip_fault f);
const char *dt_sip_fault_phrase(enum dt_sip_fault f);

struct dt_via {
    struct dt_str text;      /* this one value */
    struct dt_str transport; /* "UDP" */
    struct dt_str sent_by;   /* host[:port] as written */
    struct dt_str host;      /* IPv6 without brackets */
    uint16_t port;           /* 0: none given */
    struct dt_str params;    /* without the first ';' */
    struct dt_str branch;    /* empty: none */
    struct dt_str received;
    struct dt_str rport; /* value; empty also for a bare "rport" */
    bool has_rport;
};

/* From, To, Contact, Route, Record-Route, Path, Refer-To, Diversion, ... (RFC 3261 20.10). */
struct dt_name_addr {
    struct dt_str text;    /* this one value */
    struct dt_str display; /* without its quotes, escapes as they are */
    struct dt_uri uri;
    struct dt_str params; /* header parameters, without the first ';' */
    struct dt_str tag;    /* From and To */
    bool star;            /* Contact: * */
};

struct dt_cseq {
    uint32_t number; /* below 2**31 (RFC 3261 8.1.1.5) */
    enum dt_method method;
    struct dt_str method_text;
};

struct dt_sip_msg {
    struct dt_str text; /* start line to the end of the body */
    bool request;
    enum dt_method method; /* request: of the start line; response: of CSeq, after check */
    struct dt_str method_text;
    struct dt_str uri_text; /* request */
    int status;             /* response: 100 to 699 */
    struct dt_str reason;
    struct dt_str body; /* Content-Length bytes, or all the rest of a datagram without one */
    struct dt_sip_header *headers;
    uint16_t n, cap;
    uint16_t headers_at, headers_end; /* first header line; the empty line */
    uint16_t first[DT_H_COUNT];       /* 1 + index of the first line with this id; 0: none */
    enum dt_sip_fault fault;
    /* Set by dt_sip_check; with a fault, a part that was bad or absent is empty (text.p NULL). */
    bool checked;
    struct dt_via via; /* the top one */
    struct dt_name_addr from, to;
    struct dt_str call_id;
    struct dt_cseq cseq;
    struct dt_uri uri; /* Request-URI */
    int max_forwards;  /* -1: none */
};

/* Parse start line and headers, and cut the body (RFC 3261 7, 18.3). `text` is one datagram, or one
 * message cut by the framing; DT_PAD readable bytes must follow it. Leading CRLFs are skipped.
 * `headers` has room for `cap` lines.
 *
 * Returns DT_OK with `out->fault` NONE, or DT_E_SYNTAX with the fault set; even then what could be
 * parsed is in `out`, so that a request with a good Via can be answered. Nothing is allocated;
 * `out` is valid while `text` and `headers` are. */
int dt_sip_parse(struct dt_sip_msg *out, struct dt_str text, struct dt_sip_header *headers,
                 uint16_t cap);

/* Parse and check what every element needs (RFC 3261 8.1.1, 16.3): Via (top), From, To, Call-ID,
 * CSeq, Max-Forwards, the Request-URI; the mandatory-header table. Returns DT_OK, or DT_E_SYNTAX
 * with `m->fault` set. Fills the fields behind `checked`. */
int dt_sip_check(struct dt_sip_msg *m);

/* A copy of a parsed message, text and index with it, in one allocation, for who must keep it:
 * release with dt_sip_msg_drop (NULL is fine). NULL without memory. */
struct dt_sip_msg *dt_sip_msg_keep(const struct dt_alloc *a, const struct dt_sip_msg *m);
void dt_sip_msg_drop(struct dt_sip_msg *m);

/* ---- headers of a message ---- */

/* The first line with this id, or NULL. */
static inline const struct dt_sip_header *dt_sip_first(const struct dt_sip_msg *m,
                                                       enum dt_header_id id)
{
    return m->first[id] ? &m->headers[m->first[id] - 1] : NULL;
}
/* The next line with the id of `h`, or NULL. */
static inline const struct dt_sip_header *dt_sip_next(const struct dt_sip_msg *m,
                                                      const struct dt_sip_header *h)
{
    return h->next ? &m->headers[h->next - 1] : NULL;
}
static inline struct dt_str dt_sip_name(const struct dt_sip_msg *m, const struct dt_sip_header *h)
{
    return (struct dt_str){m->text.p + h->name_at, h->name_n};
}
static inline struct dt_str dt_sip_value(const struct dt_sip_msg *m, const struct dt_sip_header *h)
{
    return (struct dt_str){m->text.p + h->value_at, h->value_n};
}
/* Value of the first line with this id; empty (p NULL) if there is none. */
struct dt_str dt_sip_get(const struct dt_sip_msg *m, enum dt_header_id id);
/* The same for a header that has no row, by its name in any case. */
struct dt_str dt_sip_get_other(const struct dt_sip_msg *m, const char *name);

/* The values of a LIST header, over all its lines, in order. */
struct dt_sip_values {
    const struct dt_sip_msg *m;
    const struct dt_sip_header *line; /* the line of the value given last */
    struct dt_reader rest;
};
struct dt_sip_values dt_sip_values(const struct dt_sip_msg *m, enum dt_header_id id);
/* The next value, trimmed, commas inside quotes and <> kept; false at the end. */
bool dt_sip_values_next(struct dt_sip_values *v, struct dt_str *out);

/* ---- values with structure; all return DT_OK or DT_E_SYNTAX and keep slices ---- */

int dt_sip_via(struct dt_via *out, struct dt_str value);             /* RFC 3261 20.42, RFC 3581 */
int dt_sip_name_addr(struct dt_name_addr *out, struct dt_str value); /* 20.10, 20.20, 20.34 */
int dt_sip_cseq(struct dt_cseq *out, struct dt_str value);           /* 20.16 */
/* Seconds or a count: decimal up to 2**32-1 (20.19, 20.22, 20.23); DT_E_RANGE above. */
int dt_sip_number(uint32_t *out, struct dt_str value);
/* Retry-After: seconds, what stands behind is left (20.33). */
int dt_sip_retry_after(uint32_t *out, struct dt_str value);
/* Content-Type: "application/sdp;charset=x" (20.15). */
struct dt_media_type {
    struct dt_str type, subtype, params;
};
int dt_sip_media_type(struct dt_media_type *out, struct dt_str value);
/* Warning: code, agent, text without its quotes (20.43). */
struct dt_warning {
    unsigned code;
    struct dt_str agent, text;
};
int dt_sip_warning(struct dt_warning *out, struct dt_str value);
/* True if the comma list of `id` (Require, Supported, Allow, ...) holds `token` (any case). */
bool dt_sip_lists(const struct dt_sip_msg *m, enum dt_header_id id, struct dt_str token);

/* Is the top Via's branch one of RFC 3261 (magic cookie)? */
bool dt_via_has_cookie(const struct dt_via *v);
/* Where a response goes by this Via (RFC 3261 18.2.2, RFC 3581 4): received and rport first, then
 * sent-by when it is an address. DT_OK, DT_E_ABSENT when sent-by is a name, or DT_E_UNSUPPORTED for
 * a transport other than UDP and TCP. */
int dt_via_response_addr(const struct dt_via *v, struct dt_addr *out);

#endif
