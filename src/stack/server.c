/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Server transactions: RFC 3261 17.2, CANCEL by 9.2. */
#include "stack/private.h"

/* ---- in ---- */

/* maddr is passed over: it would let anybody aim our responses at a third party (I23). */
uint16_t dt__reply_port(const struct dt_via *via, const struct dt_hop *from)
{
    if (via->has_rport && !dt__is_reliable(from))
        return from->remote.port; /* RFC 3581 4 */
    return via->port ? via->port : DT__SIP_PORT;
}

static void receive_ack(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                        const struct dt_hop *from)
{
    struct dt__tx *tx = dt__find_acked(s, m);
    struct dt__event ev = {.kind = EV_RX_ACK, .m = m, .from = from};
    if (!tx)
        s->ops->request(s->user, now, 0, m, from);
    else if (dt__fire(s, now, tx, &ev))
        dt__dropped(s, now, from, "ACK before the final response");
}

/* The To tag that the INVITE was answered with so far: the response to the CANCEL should have the
 * same (9.2). Slices of the kept response. */
static struct dt_str tag_so_far(const struct dt__tx *invite)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_name_addr to;
    const struct dt_bytes *sent = dt__message_of(invite);
    if (!sent || dt_sip_parse(&m, dt_bytes_str(sent), headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_name_addr(&to, dt_sip_get(&m, DT_H_TO)))
        return DT_STR_NONE;
    return to.tag;
}

static void tell_copy(struct dt_stack *s, dt_time now, const struct dt__tx *invite,
                      const struct dt_sip_msg *m, const struct dt_hop *from)
{
    if (s->copy)
        s->copy(s->user, now, dt__tx_id(invite), invite->cookie, m, from);
}

void dt_stack_on_copy(struct dt_stack *s, dt_stack_copy copy)
{
    s->copy = copy;
}

/* Without memory (`tx` NULL) it has its effect all the same, and its repeat is answered (I39): to
 * refuse it would leave the callee ringing. */
static void receive_cancel(struct dt_stack *s, dt_time now, struct dt__tx *tx,
                           struct dt__tx *invite, const struct dt_sip_msg *m,
                           const struct dt_hop *from)
{
    if (tx && dt_stack_answer(s, now, dt__tx_id(tx), 200, tag_so_far(invite), DT_STR_NONE))
        dt__tx_end(s, tx); /* its repeat gets another try */
    if (invite->state != ST_PROCEEDING || invite->active->cancelled)
        return; /* after the final it has no effect (9.2) */
    invite->active->cancelled = true;
    tell_copy(s, now, invite, m, from);
    s->ops->cancel(s->user, now, dt__tx_id(invite), invite->cookie, m);
}

static int open_server(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                       const struct dt__key *key, struct dt_bytes *bytes, const struct dt_hop *from,
                       struct dt__tx **out)
{
    bool invite = m->method == DT_INVITE;
    int err = dt__tx_new(s, invite ? DT__IST : DT__NIST, key, from, out);
    if (err)
        return err;
    struct dt__active *a = (*out)->active;
    a->server.request = bytes ? dt_bytes_hold(bytes) : dt_bytes_copy(s->env->alloc, m->text);
    if (!a->server.request) {
        dt__tx_end(s, *out);
        return DT_E_NOMEM;
    }
    a->way.hop.remote.port = dt__reply_port(&m->via, from);
    if (!invite)
        (*out)->end_at = now + 64 * s->cfg.t1;
    dt__tx_schedule(s, *out);
    return DT_OK;
}

/* The user says what is to become of it. */
static void tell_new(struct dt_stack *s, dt_time now, struct dt__new *fresh)
{
    s->fresh = fresh;
    s->ops->request(s->user, now, DT_TX_NEW, fresh->m, fresh->from);
    s->fresh = NULL;
}

/* As if lost: it comes again (I39), but over a stream. */
static void no_memory(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                      const struct dt__key *key, const struct dt_hop *from)
{
    if (dt__is_reliable(from))
        dt__limit_refuse(s, now, m, key, from);
    else
        dt__dropped(s, now, from, "no memory");
}

static void receive_new(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                        const struct dt__key *key, struct dt_bytes *bytes,
                        const struct dt_hop *from)
{
    struct dt__tx *invite = NULL, *tx = NULL;
    if (m->method == DT_CANCEL) {
        struct dt__key of = dt__key_request(s, m, DT_INVITE, m->to.tag);
        invite = dt__find_server(s, &of);
    }
    /* A CANCEL of what is under way is never refused: there is one for an INVITE. */
    bool full = !invite && (dt__is_full(s, m->to.tag.n > 0) || dt__was_refused(s, now, key));
    bool late = s->cfg.open_late && !invite && m->method != DT_INVITE;
    int err = full || late ? DT_OK : open_server(s, now, m, key, bytes, from, &tx);
    if (invite)
        receive_cancel(s, now, err ? NULL : tx, invite, m, from);
    else if (full)
        dt__limit_refuse(s, now, m, key, from);
    else if (err)
        no_memory(s, now, m, key, from);
    else if (late)
        tell_new(s, now, &(struct dt__new){.m = m, .key = key, .bytes = bytes, .from = from});
    else
        s->ops->request(s->user, now, dt__tx_id(tx), m, from);
}

dt_tx dt_stack_open(struct dt_stack *s, dt_time now)
{
    struct dt__new *n = s->fresh;
    struct dt__tx *tx;
    if (!n || n->tx)
        return n ? n->tx : 0;
    if (open_server(s, now, n->m, n->key, n->bytes, n->from, &tx)) {
        no_memory(s, now, n->m, n->key, n->from);
        return 0;
    }
    return n->tx = dt__tx_id(tx);
}

void dt__server_request(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                        struct dt_bytes *bytes, const struct dt_hop *from)
{
    if (m->method == DT_ACK) {
        receive_ack(s, now, m, from);
        return;
    }
    struct dt__key key = dt__key_request(s, m, m->method, m->to.tag);
    struct dt__tx *tx = dt__find_server(s, &key);
    if (!tx) {
        receive_new(s, now, m, &key, bytes, from);
        return;
    }
    s->counts.absorbed++;
    if (tx->machine == DT__IST)
        tell_copy(s, now, tx, m, from);
    (void)dt__fire(s, now, tx, &(struct dt__event){.kind = EV_RX_REPEAT, .m = m, .from = from});
}

/* ---- out ---- */

int dt_stack_respond(struct dt_stack *s, dt_time now, dt_tx tx, int status, struct dt_bytes *bytes)
{
    struct dt__tx *found = dt__tx_of(s, tx);
    if (!found)
        return DT_E_STALE;
    if (status < 100 || status > 699)
        return DT_E_RANGE;
    dt__enter(s);
    struct dt__event ev = {
        .kind = status < 200   ? EV_TX_1XX
                : status < 300 ? EV_TX_2XX
                               : EV_TX_FAIL,
        .bytes = bytes,
    };
    int err = dt__fire(s, now, found, &ev); /* the tables of clients have no such event */
    dt__leave(s);
    return err;
}

void dt_stack_unanswered(struct dt_stack *s, dt_time now, dt_tx tx)
{
    struct dt__tx *found = dt__tx_of(s, tx);
    if (!found || dt__is_client(found) || !dt__is_active(found) ||
        (found->state != ST_TRYING && found->state != ST_PROCEEDING))
        return;
    found->end_at = now;
    dt__tx_schedule(s, found);
}

static int respond_by(struct dt_stack *s, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                      const struct dt_sip_answer *ans)
{
    struct dt_bytes *bytes;
    int err = dt_sip_answer(m, ans, s->env->alloc, &bytes);
    if (err)
        return err;
    err = dt_stack_respond(s, now, tx, ans->status, bytes);
    dt_bytes_drop(bytes);
    return err;
}

static int answer(struct dt_stack *s, dt_time now, dt_tx tx, int status, struct dt_str to_tag,
                  struct dt_str extra)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_hop from;
    char tag[16], lines[1024];
    int err = dt_stack_request_of(s, tx, &m, headers, DT_MSG_HEADERS_MAX);
    if (err)
        return err;
    struct dt_writer w = dt_writer(lines, sizeof lines);
    dt__write_extra(s, &w, extra);
    if (w.err)
        return w.err;
    (void)dt_stack_hop_of(s, tx, &from);
    struct dt_sip_answer ans = {
        .status = status,
        .to_tag = to_tag.n ? to_tag : dt__answer_tag(s, &m, tag),
        .extra = dt_writer_str(&w),
        .source = &from.remote,
    };
    return respond_by(s, now, tx, &m, &ans);
}

int dt_stack_answer(struct dt_stack *s, dt_time now, dt_tx tx, int status, struct dt_str to_tag,
                    struct dt_str extra)
{
    int err = answer(s, now, tx, status, to_tag, extra);
    if (err == DT_E_NOMEM && status >= 200)
        dt_stack_unanswered(s, now, tx);
    return err;
}

/* To one that is new: it is sent before there is a transaction, if there is one at all. */
static int reply_at_once(struct dt_stack *s, dt_time now, const struct dt_sip_answer *ans,
                         bool keep)
{
    const struct dt__new *n = s->fresh;
    struct dt_hop to = *n->from;
    struct dt_bytes *bytes;
    int err = dt_sip_answer(n->m, ans, s->env->alloc, &bytes);
    if (err)
        return err;
    if (keep)
        err = dt__linger_new(s, now, n, ans->status, ans->extra);
    to.remote.port = dt__reply_port(&n->m->via, n->from);
    if (!err)
        (void)dt__send(s, now, &to, bytes); /* what is lost is asked for again */
    dt_bytes_drop(bytes);
    return err;
}

int dt_stack_reply(struct dt_stack *s, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                   const struct dt_hop *from, int status, struct dt_str extra, bool keep)
{
    char tag[16];
    struct dt_sip_answer ans = {
        .status = status,
        .to_tag = dt__answer_tag(s, m, tag),
        .extra = extra,
        .source = &from->remote,
    };
    bool at_once = !keep || (status >= 200 && extra.n <= UINT16_MAX && !dt__is_reliable(from) &&
                             !s->cfg.plain);
    if (tx == DT_TX_NEW && s->fresh && !s->fresh->tx && at_once)
        return reply_at_once(s, now, &ans, keep);
    if (tx == DT_TX_NEW && !(tx = dt_stack_open(s, now)))
        return DT_E_NOMEM;
    int err = respond_by(s, now, tx, m, &ans);
    if (err == DT_E_NOMEM && status >= 200)
        dt_stack_unanswered(s, now, tx);
    return err;
}

int dt_stack_request_of(const struct dt_stack *s, dt_tx tx, struct dt_sip_msg *out,
                        struct dt_sip_header *headers, uint16_t cap)
{
    const struct dt__tx *found = dt__tx_of(s, tx);
    if (!found)
        return DT_E_STALE;
    if (!dt__is_active(found) || dt__is_client(found) || !found->active->server.request)
        return DT_E_STATE;
    /* It was good when it came, so this fails only when `cap` is too small. */
    int err = dt_sip_parse(out, dt_bytes_str(found->active->server.request), headers, cap);
    return err ? err : dt_sip_check(out);
}

int dt_stack_hop_of(const struct dt_stack *s, dt_tx tx, struct dt_hop *out)
{
    const struct dt__tx *found = dt__tx_of(s, tx);
    if (!found)
        return DT_E_STALE;
    if (!dt__way(found))
        return DT_E_STATE;
    *out = dt__way(found)->hop;
    out->remote.port = found->remote_port;
    return DT_OK;
}

static const struct dt__tx *server_of(const struct dt_stack *s, const struct dt_via *via,
                                      enum dt_method method)
{
    struct dt_sip_msg m = {.request = true, .method = method, .via = *via};
    if (!dt_via_has_cookie(via)) /* its key is made of more than the Via */
        return NULL;
    struct dt__key key = dt__key_request(s, &m, method, DT_STR_NONE);
    return dt__find_server(s, &key);
}

static bool is_pending(const struct dt__tx *tx)
{
    return tx->state == ST_TRYING || tx->state == ST_PROCEEDING;
}

bool dt_stack_is_answered(const struct dt_stack *s, const struct dt_via *via, enum dt_method method)
{
    const struct dt__tx *tx = server_of(s, via, method);
    return tx && !is_pending(tx);
}

dt_tx dt_stack_pending(const struct dt_stack *s, const struct dt_via *via, enum dt_method method)
{
    const struct dt__tx *tx = server_of(s, via, method);
    return tx && is_pending(tx) ? dt__tx_id(tx) : 0;
}

int dt_stack_set_cookie(struct dt_stack *s, dt_tx tx, uint64_t cookie)
{
    struct dt__tx *found = dt__tx_of(s, tx);
    if (!found)
        return DT_E_STALE;
    found->cookie = cookie;
    return DT_OK;
}
