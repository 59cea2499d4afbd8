/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dialogs (RFC 3261 12): a value type in the caller's storage that owns copies of its strings. */
#ifndef DUALTONE_DIALOG_H
#define DUALTONE_DIALOG_H

#include "dualtone/build.h"

enum dt_dialog_state { DT_DIALOG_NONE, DT_DIALOG_EARLY, DT_DIALOG_CONFIRMED };
enum { DT_DIALOG_ROUTES_MAX = 60 }; /* reliability.md 2 */

struct dt_dialog {
    const struct dt_alloc *alloc;
    enum dt_dialog_state state;
    bool caller; /* we sent the INVITE */
    struct dt_str call_id, local_tag, remote_tag;
    struct dt_str local; /* From or To value without its tag: name-addr as written */
    struct dt_str remote;
    struct dt_str target;  /* remote target: Contact URI; refreshed */
    struct dt_str *routes; /* route set, first hop first: values with <> */
    size_t n_routes;
    uint32_t local_cseq, remote_cseq;
    bool has_remote_cseq;
    char *identity_text; /* owns the strings above; the target and the routes apart */
    char *target_text;
    char *routes_text;
};

void dt_dialog_clear(struct dt_dialog *d);
/* 12.1.2: from our request and a response 101-299 with a To tag. 101-199 early, 2xx confirmed.
 * DT_OK, DT_E_NOMEM, DT_E_SYNTAX (no Contact in a 2xx, bad Record-Route). */
int dt_dialog_caller(struct dt_dialog *d, const struct dt_alloc *a,
                     const struct dt_sip_msg *request, const struct dt_sip_msg *response);
/* 12.1.1: from a request that came, with our tag. */
int dt_dialog_callee(struct dt_dialog *d, const struct dt_alloc *a,
                     const struct dt_sip_msg *request, struct dt_str local_tag);
/* The 2xx of an early dialog: confirmed; the route set is taken anew (12.2.1.2, 13.2.2.4). */
int dt_dialog_confirm(struct dt_dialog *d, const struct dt_sip_msg *response);
/* Target refresh by re-INVITE or UPDATE and their 2xx (12.2.1.2, 12.2.2). Same target: nothing. */
int dt_dialog_refresh(struct dt_dialog *d, const struct dt_sip_msg *m);
/* Does this request belong here (Call-ID and both tags)? And this response (tags the other way)? */
bool dt_dialog_has_request(const struct dt_dialog *d, const struct dt_sip_msg *m);
bool dt_dialog_has_response(const struct dt_dialog *d, const struct dt_sip_msg *m);
/* The CSeq rule of 12.2.2 (I11): DT_OK and the number is kept; DT_E_RANGE: lower, answer 500. ACK
 * and CANCEL are not judged. */
int dt_dialog_cseq(struct dt_dialog *d, const struct dt_sip_msg *m);
/* The next number for a request of ours (not ACK, CANCEL). */
uint32_t dt_dialog_next_cseq(struct dt_dialog *d);
/* Start line, Via (given, whole value), Max-Forwards 70, Route set, From, To, Call-ID, CSeq
 * (12.2.1.1; strict routers too). The caller adds the rest and the body. */
void dt_dialog_write(const struct dt_dialog *d, struct dt_writer *w, enum dt_method method,
                     uint32_t cseq, struct dt_str via);
/* Where requests go: the first route, or the target (12.2.1.1, 8.1.2). `*out` has slices into the
 * dialog. */
int dt_dialog_next_hop(const struct dt_dialog *d, struct dt_uri *out);

#endif
