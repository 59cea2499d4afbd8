/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The called side until the ACK: 100, 180, 2xx and its repeats, refusals, CANCEL, the INVITE's
 * Expires. Server transactions of re-INVITEs end here too. */
#include "ua/core.h"

#include <string.h>

enum { TRYING_MS = 200 }; /* I10 */

/* ---- a new call ---- */

static size_t count_vias(const struct dt_sip_msg *m)
{
    struct dt_sip_values it = dt_sip_values(m, DT_H_VIA);
    struct dt_str value;
    size_t n = 0;

    while (dt_sip_values_next(&it, &value))
        n++;
    return n;
}

/* Guide: 100 at once when a proxy sent it, none when the caller itself did; but I10. */
static void say_trying(struct dt_call *c, dt_time now, const struct dt_sip_msg *m)
{
    if (count_vias(m) > 1)
        (void)dt_stack_answer(c->ua->stack, now, c->tx, 100, DT_STR_NONE, DT_STR_NONE);
    else
        dt__call_arm(c, DT__T_TRYING, now + TRYING_MS * DT_MS);
}

/* 13.2.1, 20.19; guide 8.0: 408 when it has run out. */
static void watch_expires(struct dt_call *c, dt_time now, const struct dt_sip_msg *m)
{
    struct dt_str value = dt_sip_get(m, DT_H_EXPIRES);
    uint32_t seconds;

    c->invite_expires = c->ua->cfg.invite_expires;
    if (!value.p || dt_sip_number(&seconds, value) != DT_OK || seconds == 0)
        return;
    c->invite_expires = (dt_time)seconds * DT_SECOND;
    dt__call_arm(c, DT__T_EXPIRES, now + c->invite_expires);
}

static int set_up(struct dt_call *c, dt_tx tx, const struct dt_sip_msg *m)
{
    struct dt_ua *ua = c->ua;
    int err = dt_dialog_callee(&c->dialog, ua->env->alloc, m, dt__token_str(c->local_tag));

    c->tx = tx;
    c->tx_cseq = c->invite_cseq = m->cseq.number;
    c->contact_user = dt_alloc_text(ua->env->alloc, m->uri.user);
    if (!err && !c->contact_user)
        err = DT_E_NOMEM;
    if (!err && !ua->cfg.plain)
        err = dt__past_new(c, m);
    if (!err)
        err = dt__call_map(c, m->call_id);
    return err ? err : dt_stack_set_cookie(ua->stack, tx, c->id);
}

/* Without memory a datagram is as good as lost: it comes again (I39), and may ring then. A refusal
 * could not be remembered (R11). */
static void cannot_begin(struct dt_ua *ua, dt_time now, dt_tx tx, int err,
                         const struct dt_hop *from)
{
    if (err == DT_E_NOMEM && from->remote.transport == DT_UDP) {
        dt_stack_abandon(ua->stack, now, tx);
        dt__ua_dropped(ua, now, from, "no memory");
    } else {
        dt__ua_answer(ua, now, tx, err == DT_E_NOMEM ? 500 : 400, NULL);
    }
}

void dt__callee_invite(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                       const struct dt_hop *from)
{
    struct dt_call *c;
    int err;

    if (m->body.n && dt__sdp_of(m).n == 0) { /* 8.2.3 */
        dt__ua_answer(ua, now, tx, 415, "Accept: application/sdp\r\n");
        return;
    }
    if (ua->n_calls - ua->n_lingering >= ua->cfg.max_calls) {
        dt__ua_answer(ua, now, tx, 486, NULL);
        return;
    }
    c = dt__call_new(ua, now, false);
    err = c ? set_up(c, tx, m) : DT_E_NOMEM;
    if (err) {
        cannot_begin(ua, now, tx, err, from);
        if (c)
            dt__call_free(c);
        return;
    }
    say_trying(c, now, m);
    watch_expires(c, now, m);
    dt__call_tell(c, DT__TELL_INCOMING);
}

/* ---- responses ---- */

/* The request of c->tx, parsed again. */
static int request_of(const struct dt_call *c, struct dt_sip_msg *m, struct dt_sip_header *headers)
{
    int err = dt_stack_request_of(c->ua->stack, c->tx, m, headers, DT__HEADERS);

    return err ? err : dt_sip_check(m);
}

/* R7: to each other proxy that sent a copy, with the Via list of its own; a CANCEL alone does not
 * show one. */
static struct dt_bytes *for_copy(struct dt_call *c, const struct dt__other *k,
                                 struct dt_bytes *answer)
{
    struct dt_sip_header headers[DT__HEADERS], own[DT__HEADERS];
    struct dt_sip_msg m, req;
    struct dt_bytes *bytes;

    if (!k->request || dt__ua_parse(answer, &m, headers) != DT_OK ||
        dt__ua_parse(k->request, &req, own) != DT_OK ||
        dt_sip_answer_copy(&m, &req, &k->hop.remote, c->ua->env->alloc, &bytes) != DT_OK)
        return dt_bytes_hold(answer);
    return bytes;
}

static void respond_copies(struct dt_call *c, dt_time now, struct dt_bytes *answer)
{
    for (unsigned i = 0; i < c->n_copies; i++) {
        struct dt_bytes *bytes = for_copy(c, &c->copies[i], answer);
        (void)dt_stack_send(c->ua->stack, now, bytes, &c->copies[i].hop);
        dt_bytes_drop(bytes);
    }
}

void dt__callee_drop_copies(struct dt_call *c)
{
    for (; c->n_copies; c->n_copies--)
        dt_bytes_drop(c->copies[c->n_copies - 1].request);
}

static int respond(struct dt_call *c, dt_time now, const struct dt_sip_msg *m, int status,
                   struct dt_str extra, struct dt_str body, struct dt_bytes **kept)
{
    struct dt_bytes *bytes = NULL;
    struct dt_hop hop;
    int err = dt_stack_hop_of(c->ua->stack, c->tx, &hop);

    if (!err)
        err = dt__build_response(c, m, &hop, status, extra, body, &bytes);
    if (!err)
        respond_copies(c, now, bytes);
    if (!err)
        err = dt_stack_respond(c->ua->stack, now, c->tx, status, bytes);
    if (!err && kept)
        *kept = dt_bytes_hold(bytes);
    dt_bytes_drop(bytes);
    return err;
}

void dt__callee_refuse(struct dt_call *c, dt_time now, int status, struct dt_str extra)
{
    struct dt_sip_header headers[DT__HEADERS];
    struct dt_sip_msg m;
    int err = request_of(c, &m, headers);

    if (!err) {
        err = respond(c, now, &m, status, extra, DT_STR_NONE, NULL);
        dt__past_add(c, now, status, NULL);
    }
    if (err) /* a shorter one, made without us */
        (void)dt_stack_answer(c->ua->stack, now, c->tx, status, dt__token_str(c->local_tag),
                              DT_STR_NONE);
}

static void refuse_and_end(struct dt_call *c, dt_time now, int status, int why, bool by_peer)
{
    dt__callee_refuse(c, now, status, DT_STR_NONE);
    dt__call_end(c, now, status, why, DT_STR_NONE, by_peer, 0);
}

/* ---- the 2xx and its ACK ---- */

static void stop_answer(struct dt_call *c)
{
    dt__call_stop(c, DT__T_REPEAT);
    dt__call_stop(c, DT__T_NO_ACK);
    dt_bytes_drop(c->answer);
    c->answer = NULL;
    c->offered = false;
}

/* 13.3.1.4: repeated at T1 doubling to T2, whatever the transport, until the ACK or 64 T1. A newer
 * INVITE says that the 2xx before it arrived. */
int dt__callee_accept(struct dt_call *c, dt_time now, const struct dt_sip_msg *m,
                      struct dt_str body)
{
    bool offered = c->offered;
    struct dt_bytes *answer = NULL;
    int err = respond(c, now, m, 200, DT_STR_NONE, body, &answer);

    if (err)
        return err;
    if (c->answer) {
        stop_answer(c);
        c->first_answer = false;
    }
    c->offered = offered;
    c->answer = answer;
    c->repeat = dt__ua_t1(c->ua);
    dt__call_arm(c, DT__T_REPEAT, now + c->repeat);
    dt__call_arm(c, DT__T_NO_ACK, now + 64 * dt__ua_t1(c->ua));
    return DT_OK;
}

/* An answer in the ACK belongs to our offer in the 2xx (13.2.2.4). */
static int answer_in_ack(struct dt_call *c, const struct dt_sip_msg *m)
{
    struct dt_str sdp = dt__sdp_of(m);
    struct dt_media_agreed agreed;
    int err;

    if (!c->offered)
        return DT_OK;
    err = sdp.n ? dt_oa_remote(&c->oa, sdp, &agreed) : DT_E_ABSENT;
    if (err)
        dt_oa_rollback(&c->oa);
    else
        dt__call_media(c, &agreed);
    return err;
}

void dt__callee_ack(struct dt_call *c, dt_time now, const struct dt_sip_msg *m)
{
    bool first = c->first_answer;
    int err;

    if (!c->answer || m->cseq.number != c->tx_cseq)
        return;
    c->first_answer = false;
    err = answer_in_ack(c, m);
    stop_answer(c);
    if (c->bye_wanted || err) {
        c->bye_wanted = false;
        c->bye_err = err;
        dt__bye_start(c, now);
    } else if (first || c->state == DT_CALL_TALKING) {
        dt__session_pump(c, now);
    }
}

static void no_ack(struct dt_call *c, dt_time now)
{
    if (c->offered)
        dt_oa_rollback(&c->oa);
    stop_answer(c);
    c->first_answer = false;
    if (!c->bye_wanted)
        c->bye_err = DT_E_TIMEOUT;
    c->bye_wanted = false;
    dt__bye_start(c, now);
}

static void repeat_answer(struct dt_call *c, dt_time now)
{
    struct dt_hop hop;

    (void)dt_stack_respond(c->ua->stack, now, c->tx, 200, c->answer);
    respond_copies(c, now, c->answer); /* R7: by the other proxy too */
    if (!c->n_copies && dt_stack_hop_of(c->ua->stack, c->tx, &hop) == DT_OK)
        dt__twins_send(c->ua, now, c->answer, &hop);
    c->repeat = dt_time_min(2 * c->repeat, dt__ua_t2(c->ua));
    dt__call_arm(c, DT__T_REPEAT, now + c->repeat);
}

void dt__callee_timer(struct dt_call *c, dt_time now, enum dt__call_timer which)
{
    switch (which) {
    case DT__T_TRYING:
        (void)dt_stack_answer(c->ua->stack, now, c->tx, 100, DT_STR_NONE, DT_STR_NONE);
        break;
    case DT__T_EXPIRES:
        refuse_and_end(c, now, 408, DT_E_TIMEOUT, false);
        break;
    case DT__T_REPEAT:
        repeat_answer(c, now);
        break;
    case DT__T_NO_ACK:
        no_ack(c, now);
        break;
    default:
        break;
    }
}

void dt__callee_cancelled(struct dt_call *c, dt_time now)
{
    if (c->state < DT_CALL_TALKING)
        refuse_and_end(c, now, 487, DT_OK, true);
}

void dt__callee_hangup(struct dt_call *c, dt_time now)
{
    refuse_and_end(c, now, 486, DT_OK, false);
}

/* ---- what the user does ---- */

static struct dt_call *unanswered(const struct dt_ua *ua, dt_call_id id, int *err)
{
    struct dt_call *c = dt__call_find(ua, id);

    *err = !c ? DT_E_STALE : c->caller || c->state >= DT_CALL_TALKING ? DT_E_STATE : DT_OK;
    return *err ? NULL : c;
}

int dt_ua_ring(struct dt_ua *ua, dt_time now, dt_call_id id)
{
    struct dt_sip_header headers[DT__HEADERS];
    struct dt_sip_msg m;
    int err;
    struct dt_call *c = unanswered(ua, id, &err);

    if (!c || c->state == DT_CALL_RINGING)
        return err;
    dt__ua_enter(ua);
    err = request_of(c, &m, headers);
    if (!err)
        err = respond(c, now, &m, 180, DT_STR_NONE, DT_STR_NONE, NULL);
    if (!err) {
        dt__call_stop(c, DT__T_TRYING);
        dt__call_set_state(c, now, DT_CALL_RINGING);
    }
    dt__ua_leave(ua, now);
    return err;
}

/* Our session description: the answer to theirs, or an offer. */
static int describe(struct dt_call *c, const struct dt_sip_msg *m, const struct dt_media_caps *caps,
                    struct dt_writer *w, struct dt_media_agreed *agreed)
{
    struct dt_str sdp = dt__sdp_of(m);
    int err;

    dt_oa_init(&c->oa, caps, dt_rng_u64(&c->ua->env->rng) >> 1);
    c->has_oa = true;
    c->offered = sdp.n == 0;
    if (c->offered)
        return dt_oa_offer(&c->oa, DT_SENDRECV, c->ua->cfg.hold, w);
    err = dt_oa_remote(&c->oa, sdp, NULL);
    return err ? err : dt_oa_answer(&c->oa, DT_SENDRECV, c->ua->cfg.hold, w, agreed);
}

/* I39: what cannot be answered for want of memory is refused, and the call is over. */
static void cannot(struct dt_call *c, dt_time now, int err)
{
    bool media = err == DT_E_UNSUPPORTED || err == DT_E_SYNTAX || err == DT_E_LIMIT;

    dt__callee_refuse(c, now, media ? 488 : 500, media ? dt_str_z(DT__WARNING_304) : DT_STR_NONE);
    dt__call_end(c, now, media ? 488 : 500, err, DT_STR_NONE, false, 0);
}

static int answer(struct dt_call *c, dt_time now, const struct dt_media_caps *caps)
{
    struct dt_ua *ua = c->ua;
    struct dt_sip_header headers[DT__HEADERS];
    struct dt_sip_msg m;
    struct dt_media_agreed agreed;
    struct dt_writer w = dt_writer(ua->scratch->data, ua->scratch->cap);
    int err = request_of(c, &m, headers);

    if (!err)
        err = describe(c, &m, caps, &w, &agreed);
    if (!err)
        err = dt__callee_accept(c, now, &m, dt_writer_str(&w));
    if (err) {
        cannot(c, now, err);
        return err;
    }
    dt__past_add(c, now, 200, c->answer);
    (void)dt_dialog_confirm(&c->dialog, NULL);
    dt__call_stop(c, DT__T_TRYING);
    dt__call_stop(c, DT__T_EXPIRES);
    dt__call_set_state(c, now, DT_CALL_TALKING);
    if (!c->offered)
        dt__call_media(c, &agreed);
    return DT_OK;
}

int dt_ua_answer(struct dt_ua *ua, dt_time now, dt_call_id id, const struct dt_media_caps *media)
{
    int err;
    struct dt_call *c = unanswered(ua, id, &err);

    if (!c)
        return err;
    dt__ua_enter(ua);
    err = answer(c, now, media);
    dt__ua_leave(ua, now);
    return err;
}

int dt_ua_reject(struct dt_ua *ua, dt_time now, dt_call_id id, int status, struct dt_str contact)
{
    char line[1024];
    struct dt_writer w = dt_writer(line, sizeof(line));
    int err;
    struct dt_call *c = unanswered(ua, id, &err);

    if (!c)
        return err;
    if (status < 300 || status > 699)
        return DT_E_RANGE;
    if (contact.n) {
        dt_write_lit(&w, "Contact: <");
        dt_write(&w, contact);
        dt_write_lit(&w, ">\r\n");
    }
    if (w.err || !dt_sip_line_safe(contact))
        return DT_E_SYNTAX;
    dt__ua_enter(ua);
    dt__callee_refuse(c, now, status, dt_writer_str(&w));
    dt__call_end(c, now, status, DT_OK, DT_STR_NONE, false, 0);
    dt__ua_leave(ua, now);
    return DT_OK;
}
