/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ends of dialogs: BYE both ways (RFC 3261 15), the ACK of a 2xx (13.2.2.4), and both for a 2xx
 * that nobody wants: another fork's, or one that came too late (I13, R27). */
#include "ua/core.h"

#include <string.h>

/* ---- ACK ---- */

/* The ACK carries the credentials of its INVITE (22.1). */
static struct dt__send *new_ack(struct dt__send *invite, struct dt_dialog *d, struct dt_str body)
{
    struct dt_ua *ua = invite->ua;
    struct dt__send *s = dt__send_new(ua, invite->call, NULL, DT__ACK);

    if (!s)
        return NULL;
    s->dialog = d;
    s->cseq = invite->cseq;
    if (invite->auth)
        s->auth = dt_bytes_hold(invite->auth);
    if (body.n) {
        s->body = dt_bytes_copy(ua->env->alloc, body);
        if (!s->body) {
            dt__send_free(s);
            return NULL;
        }
    }
    return s;
}

void dt__ack_send(struct dt__send **ack, struct dt__send *invite, struct dt_dialog *d, dt_time now,
                  struct dt_str body)
{
    if (*ack && ((*ack)->bytes || (*ack)->resolving)) {
        dt__send_repeat(*ack, now);
        return;
    }
    if (!*ack)
        *ack = new_ack(invite, d, body);
    if (*ack) /* else: the 2xx comes again */
        dt__send_dialog(*ack, now);
}

/* ---- BYE of ours ---- */

static int add_credentials(struct dt__send *s)
{
    struct dt_call *c = s->call;

    dt_bytes_drop(s->auth);
    return dt__auth_lines(&c->auth, c->ua, &c->identity.credentials, DT_STR("BYE"),
                          s->dialog->target, &s->auth);
}

static int send_bye(struct dt_call *c, dt_time now, struct dt_dialog *d)
{
    struct dt__send *s = dt__send_new(c->ua, c, NULL, DT__BYE);

    if (!s)
        return DT_E_NOMEM;
    s->dialog = d;
    s->cseq = dt_dialog_next_cseq(d);
    if (add_credentials(s) != DT_OK) {
        dt__send_free(s);
        return DT_E_NOMEM;
    }
    dt__send_dialog(s, now);
    return DT_OK;
}

/* 15: the callee's side sends none before the ACK of its first 2xx came, or 64 T1 passed. */
void dt__bye_start(struct dt_call *c, dt_time now)
{
    struct dt_orders none = {.n = 0};

    dt__call_leaving(c, now);
    if (c->caller)
        dt_attempt_hangup(&c->attempt, now, &none);
    else if (c->answer && c->first_answer) {
        c->bye_wanted = true;
        return;
    }
    dt__call_stop(c, DT__T_REPEAT);
    dt__call_stop(c, DT__T_NO_ACK);
    dt__call_stop(c, DT__T_GLARE);
    if (send_bye(c, now, &c->dialog) != DT_OK)
        dt__call_end(c, now, 0, DT_E_NOMEM, DT_STR_NONE, false, 0);
}

static void finished(struct dt__send *s, dt_time now)
{
    struct dt_call *c = s->call;

    if (s->dialog == &c->dialog)
        dt__call_end(c, now, 0, c->bye_err, DT_STR_NONE, false, 0);
    dt__send_free(s);
}

void dt__bye_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m)
{
    struct dt_call *c = s->call;

    if (m->status < 200)
        return;
    if ((m->status == 401 || m->status == 407) && s->tries < DT_ATTEMPT_TRIES &&
        dt__auth_take(&c->auth, c->ua, &c->identity.credentials, m, s->auth != NULL) == DT_OK &&
        add_credentials(s) == DT_OK) {
        s->tries++;
        s->cseq = dt_dialog_next_cseq(s->dialog);
        dt__send_again(s, now);
        return;
    }
    finished(s, now);
}

/* Nobody there to hear it: the call is over all the same (15.1.1). */
void dt__bye_failed(struct dt__send *s, dt_time now)
{
    finished(s, now);
}

/* ---- BYE of theirs ---- */

void dt__bye_request(struct dt_call *c, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    struct dt_orders none = {.n = 0};

    (void)m;
    dt__ua_answer(c->ua, now, tx, 200, NULL);
    if (!c->caller && c->state < DT_CALL_TALKING) { /* an early dialog: 15.1.2 */
        dt__callee_cancelled(c, now);
        return;
    }
    if (c->state == DT_CALL_ENDING && !c->bye_wanted)
        return; /* ours is under way and ends the call */
    if (c->caller)
        dt_attempt_hangup(&c->attempt, now, &none);
    dt__call_end(c, now, 0, DT_OK, DT_STR_NONE, true, 0);
}

/* ---- a 2xx that nobody wants ---- */

static struct dt__fork *find_fork(struct dt_call *c, const struct dt_sip_msg *m)
{
    DT_LIST_EACH(e, &c->forks)
    {
        struct dt__fork *f = DT_OF(e, struct dt__fork, link);
        if (dt_dialog_has_response(&f->dialog, m))
            return f;
    }
    return NULL;
}

static struct dt__fork *new_fork(struct dt_call *c, struct dt__send *invite,
                                 const struct dt_sip_msg *m)
{
    const struct dt_alloc *a = c->ua->env->alloc;
    struct dt_sip_header headers[DT__HEADERS];
    struct dt_sip_msg request;
    struct dt__fork *f;

    if (c->n_forks >= DT__FORKS || dt__ua_parse(invite->bytes, &request, headers) != DT_OK)
        return NULL;
    f = dt_alloc_zero(a, sizeof(*f));
    if (!f)
        return NULL;
    if (dt_dialog_caller(&f->dialog, a, &request, m) != DT_OK) {
        dt_alloc_free(a, f);
        return NULL;
    }
    dt_list_add(&c->forks, &f->link);
    c->n_forks++;
    return f;
}

void dt__fork_answer(struct dt_call *c, dt_time now, struct dt__send *invite,
                     const struct dt_sip_msg *m)
{
    struct dt__fork *f = find_fork(c, m);
    bool seen = f != NULL;

    if (!f)
        f = new_fork(c, invite, m);
    if (!f)
        return; /* it comes again; without a Contact nothing can be said */
    dt__ack_send(&f->ack, invite, &f->dialog, now, DT_STR_NONE);
    if (!seen && send_bye(c, now, &f->dialog) != DT_OK)
        dt_log(c->ua->env, DT_LOG_ERROR, "ua", f->dialog.call_id, "no memory for a BYE");
}

void dt__ua_forks_clear(struct dt_call *c)
{
    DT_LIST_EACH(e, &c->forks)
    {
        struct dt__fork *f = DT_OF(e, struct dt__fork, link);
        dt_list_del(e);
        dt__send_free(f->ack);
        dt_dialog_clear(&f->dialog);
        dt_alloc_free(c->ua->env->alloc, f);
    }
    c->n_forks = 0;
}
