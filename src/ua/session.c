/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Changes of a session that stands: re-INVITE both ways, hold and resume, glare (RFC 3261 14). */
#include "ua/core.h"

#include <string.h>

enum {
    GLARE_OWNER_MIN = 210, /* 10 ms units: 2.1 to 4.0 s for who made the Call-ID (14.1) */
    GLARE_OWNER_SPAN = 191,
    GLARE_OTHER_SPAN = 201, /* 0 to 2.0 s for the other */
    REINVITES_MAX = 10,     /* tries of one change */
    RETRY_AFTER_MAX = 10    /* seconds; 14.2 wants 0 to 10 */
};

struct dt_str dt__sdp_of(const struct dt_sip_msg *m)
{
    struct dt_media_type type;

    if (m->body.n == 0 || dt_sip_media_type(&type, dt_sip_get(m, DT_H_CONTENT_TYPE)) != DT_OK ||
        !dt_str_ieq(type.type, DT_STR("application")) || !dt_str_ieq(type.subtype, DT_STR("sdp")))
        return DT_STR_NONE;
    return m->body;
}

enum dt_direction dt__session_want(const struct dt_call *c)
{
    return c->held ? DT_SEND : DT_SENDRECV;
}

/* ---- ours ---- */

static int send_reinvite(struct dt_call *c, dt_time now, struct dt_str sdp)
{
    struct dt_ua *ua = c->ua;
    struct dt__send *s = dt__send_new(ua, c, NULL, DT__REINVITE);

    if (!s)
        return DT_E_NOMEM;
    s->dialog = &c->dialog;
    s->hold = c->want_hold;
    s->body = dt_bytes_copy(ua->env->alloc, sdp);
    if (!s->body || dt__auth_lines(&c->auth, ua, &c->identity.credentials, DT_STR("INVITE"),
                                   c->dialog.target, &s->auth) != DT_OK) {
        dt__send_free(s);
        return DT_E_NOMEM;
    }
    s->cseq = dt_dialog_next_cseq(&c->dialog);
    c->reinvite = s;
    dt__send_dialog(s, now);
    return DT_OK;
}

/* 14.1: none while an INVITE of either side is under way. */
static bool may_send(const struct dt_call *c)
{
    return c->state == DT_CALL_TALKING && !c->reinvite && !c->answer &&
           c->timers[DT__T_GLARE].due >= DT__PARKED && c->want_hold != c->held;
}

void dt__session_pump(struct dt_call *c, dt_time now)
{
    struct dt_ua *ua = c->ua;
    struct dt_writer w = dt_writer(ua->scratch->data, ua->scratch->cap);

    if (!may_send(c))
        return;
    if (dt_oa_offer(&c->oa, c->want_hold ? DT_SEND : DT_SENDRECV, ua->cfg.hold, &w) == DT_OK &&
        send_reinvite(c, now, dt_writer_str(&w)) == DT_OK)
        return;
    dt_oa_rollback(&c->oa);
    c->want_hold = c->held;
}

int dt_ua_hold(struct dt_ua *ua, dt_time now, dt_call_id id, bool hold)
{
    struct dt_call *c = dt__call_find(ua, id);
    int err = DT_OK;

    if (!c)
        return DT_E_STALE;
    if (c->state != DT_CALL_TALKING)
        return DT_E_STATE;
    dt__ua_enter(ua);
    c->want_hold = hold;
    c->reinvites = 0;
    dt__session_pump(c, now);
    if (c->want_hold != hold)
        err = DT_E_NOMEM;
    dt__ua_leave(ua, now);
    return err;
}

/* The change was refused or never answered: what was agreed stays (14.1). R27: a time-out does not
 * end the call. */
static void give_up(struct dt_call *c)
{
    dt_oa_rollback(&c->oa);
    c->reinvite = NULL;
    c->want_hold = c->held;
    c->reinvites = 0;
}

/* 491, or 500 with a short Retry-After (14.2): the same change later. */
static void later(struct dt_call *c, dt_time now, dt_time wait)
{
    dt_oa_rollback(&c->oa);
    c->reinvite = NULL;
    if (++c->reinvites >= REINVITES_MAX)
        c->want_hold = c->held;
    else
        dt__call_arm(c, DT__T_GLARE, now + wait);
}

static dt_time glare_window(struct dt_call *c)
{
    struct dt_rng *rng = &c->ua->env->rng;
    uint64_t units = c->caller ? GLARE_OWNER_MIN + dt_rng_below(rng, GLARE_OWNER_SPAN)
                               : dt_rng_below(rng, GLARE_OTHER_SPAN);

    return (dt_time)units * 10 * DT_MS;
}

static void changed(struct dt__send *s, dt_time now, const struct dt_sip_msg *m)
{
    struct dt_call *c = s->call;
    struct dt_str sdp = dt__sdp_of(m);
    struct dt_media_agreed agreed;
    int err;

    c->reinvite = NULL;
    dt__ack_send(&s->ack, s, &c->dialog, now, DT_STR_NONE);
    (void)dt_dialog_refresh(&c->dialog, m); /* without memory the old target still stands */
    err = sdp.n ? dt_oa_remote(&c->oa, sdp, &agreed) : DT_E_ABSENT;
    if (c->state != DT_CALL_TALKING)
        return;
    if (err) { /* 13.2.2.4: an answer that is none ends the call */
        dt_oa_rollback(&c->oa);
        c->bye_err = err;
        dt__bye_start(c, now);
        return;
    }
    c->held = s->hold;
    c->reinvites = 0;
    dt__call_media(c, &agreed);
    dt__session_pump(c, now);
}

static bool with_credentials(struct dt__send *s, dt_time now, const struct dt_sip_msg *m)
{
    struct dt_call *c = s->call;
    bool before = s->auth != NULL;

    if ((m->status != 401 && m->status != 407) || s->tries >= DT_ATTEMPT_TRIES ||
        c->state != DT_CALL_TALKING ||
        dt__auth_take(&c->auth, c->ua, &c->identity.credentials, m, before) != DT_OK)
        return false;
    dt_bytes_drop(s->auth);
    if (dt__auth_lines(&c->auth, c->ua, &c->identity.credentials, DT_STR("INVITE"),
                       c->dialog.target, &s->auth) != DT_OK)
        return false;
    s->tries++;
    s->cseq = dt_dialog_next_cseq(&c->dialog);
    dt__send_again(s, now);
    return true;
}

static void refused(struct dt_call *c, dt_time now, const struct dt_sip_msg *m)
{
    uint32_t after = 0;
    bool soon = dt_sip_retry_after(&after, dt_sip_get(m, DT_H_RETRY_AFTER)) == DT_OK &&
                after <= RETRY_AFTER_MAX;

    if (m->status == 491) {
        later(c, now, glare_window(c));
    } else if (m->status == 500 && soon) {
        later(c, now, (dt_time)after * DT_SECOND);
    } else {
        give_up(c);
        if (m->status == 481) /* 12.2.1.2: they know no such dialog */
            dt__call_end_by(c, now, m);
    }
}

void dt__session_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m)
{
    struct dt_call *c = s->call;

    if (m->status < 200)
        return;
    if (s != c->reinvite) {
        if (m->status < 300)
            dt__ack_send(&s->ack, s, &c->dialog, now, DT_STR_NONE);
    } else if (m->status < 300) {
        changed(s, now, m);
    } else if (!with_credentials(s, now, m)) {
        refused(c, now, m);
    }
}

void dt__session_failed(struct dt__send *s, dt_time now)
{
    (void)now;
    if (s == s->call->reinvite)
        give_up(s->call);
    dt__send_free(s);
}

/* A re-INVITE of ours that is still under way may never have its final: who hung up stops repeating
 * it (15.1.2). */
void dt__session_end(struct dt_call *c, dt_time now)
{
    struct dt__send *s = c->reinvite;

    c->reinvite = NULL;
    if (!s)
        return;
    dt__twins_drop(s, now);
    dt__send_free(s);
}

/* ---- theirs ---- */

/* Writes our side into the 2xx: the answer to their offer, or an offer of ours. */
static int our_side(struct dt_call *c, const struct dt_sip_msg *m, struct dt_writer *w,
                    struct dt_media_agreed *agreed)
{
    enum dt_hold_form form = c->ua->cfg.hold;
    struct dt_str sdp = dt__sdp_of(m);
    int err;

    c->offered = sdp.n == 0;
    if (c->offered)
        return dt_oa_offer(&c->oa, dt__session_want(c), form, w);
    err = dt_oa_remote(&c->oa, sdp, NULL);
    if (err)
        return err;
    err = dt_oa_answer(&c->oa, dt__session_want(c), form, w, agreed);
    if (err)
        dt_oa_rollback(&c->oa);
    return err;
}

static void refuse(struct dt_call *c, dt_time now, dt_tx tx, int err)
{
    if (err == DT_E_STATE)
        dt__ua_answer(c->ua, now, tx, 491, NULL);
    else if (err == DT_E_NOMEM)
        dt__ua_answer(c->ua, now, tx, 500, NULL);
    else
        dt__ua_answer(c->ua, now, tx, 488, DT__WARNING_304);
}

void dt__session_reinvite(struct dt_call *c, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    struct dt_ua *ua = c->ua;
    struct dt_bytes *sdp = NULL;
    struct dt_media_agreed agreed;
    struct dt_writer w = dt_writer(ua->scratch->data, ua->scratch->cap);
    int err;

    if (c->reinvite) { /* 14.2: glare */
        dt__ua_answer(ua, now, tx, 491, NULL);
        return;
    }
    if (c->state != DT_CALL_TALKING || c->offered) { /* 14.2: the first is not done yet */
        dt__ua_answer(ua, now, tx, 500, "Retry-After: 2\r\n");
        return;
    }
    if (m->body.n && dt__sdp_of(m).n == 0) {
        dt__ua_answer(ua, now, tx, 415, "Accept: application/sdp\r\n");
        return;
    }
    err = our_side(c, m, &w, &agreed);
    if (err) {
        c->offered = false;
        refuse(c, now, tx, err);
        return;
    }
    sdp = dt_bytes_copy(ua->env->alloc, dt_writer_str(&w));
    dt__callee_drop_copies(c);
    c->tx = tx;
    c->tx_cseq = m->cseq.number;
    (void)dt_dialog_refresh(&c->dialog, m);
    if (!sdp || dt__callee_accept(c, now, m, dt_bytes_str(sdp)) != DT_OK) {
        dt__ua_answer(ua, now, tx, 500, NULL);
    } else {
        if (!c->past && dt__past_new(c, m) == DT_OK) /* R11: a copy may come when all is over */
            dt__past_add(c, now, 200, c->answer);
        if (!c->offered)
            dt__call_media(c, &agreed);
    }
    dt_bytes_drop(sdp);
}
