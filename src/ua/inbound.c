/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests that came: the checks of RFC 3261 8.2 in their order, then to the call they belong to.
 */
#include "ua/core.h"

#include <string.h>

void dt__ua_answer(struct dt_ua *ua, dt_time now, dt_tx tx, int status, const char *extra)
{
    char tag[DT__TOKEN];

    dt__ua_token(ua, tag);
    (void)dt_stack_answer(ua->stack, now, tx, status, dt__token_str(tag), dt_str_z(extra));
}

/* ---- whose it is ---- */

struct dt_call *dt__call_of_dialog(struct dt_ua *ua, const struct dt_sip_msg *m)
{
    struct dt_map *map = &ua->by_call_id;
    struct dt_map_entry *e = dt_map_first(map, dt_map_hash(map, m->call_id));

    for (; e; e = dt_map_next(e)) {
        struct dt_call *c = DT_OF(e, struct dt_call, by_call_id);
        if (c->state != DT_CALL_ENDED && dt_dialog_has_request(&c->dialog, m))
            return c;
    }
    return NULL;
}

/* 8.2.2.2: the same request by another way, while the first one is not answered. */
static bool is_merged(struct dt_ua *ua, const struct dt_sip_msg *m)
{
    struct dt_map *map = &ua->by_call_id;
    struct dt_map_entry *e = dt_map_first(map, dt_map_hash(map, m->call_id));

    for (; e; e = dt_map_next(e)) {
        const struct dt_call *c = DT_OF(e, struct dt_call, by_call_id);
        if (!c->caller && c->state != DT_CALL_ENDED && c->invite_cseq == m->cseq.number &&
            dt_str_eq(c->dialog.call_id, m->call_id) &&
            dt_str_eq(c->dialog.remote_tag, m->from.tag))
            return true;
    }
    return false;
}

/* ---- checks ---- */

/* 8.2.2.3: no extension is supported yet. False: answered with 420. */
static bool check_require(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    struct dt_sip_values it = dt_sip_values(m, DT_H_REQUIRE);
    struct dt_str value;
    char line[512], tag[DT__TOKEN];
    struct dt_writer w = dt_writer(line, sizeof(line) - 2);
    const char *before = "Unsupported: ";

    while (dt_sip_values_next(&it, &value)) {
        dt_write_z(&w, before);
        dt_write(&w, value);
        before = ", ";
    }
    if (w.n == 0)
        return true;
    w.cap += 2;
    dt_write_lit(&w, "\r\n");
    if (w.err || !dt_sip_line_safe(dt_str_sub(dt_writer_str(&w), 0, w.n - 2)))
        w.n = 0; /* too long to be repeated to them */
    dt__ua_token(ua, tag);
    (void)dt_stack_answer(ua->stack, now, tx, 420, dt__token_str(tag), dt_writer_str(&w));
    return false;
}

static bool check_scheme(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    if (m->uri.scheme != DT_URI_OTHER)
        return true;
    dt__ua_answer(ua, now, tx, 416, NULL); /* 8.2.2.1 */
    return false;
}

/* ---- outside of dialogs ---- */

static void other(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    int status = m->method == DT_METHOD_OTHER ? 501 : 405;

    if (ua->ops->other && m->method != DT_METHOD_OTHER)
        status = ua->ops->other(ua->user, now, m);
    if (status < 200 || status > 699)
        status = 500;
    dt__ua_answer(ua, now, tx, status, status == 405 || status == 501 ? dt__allow : NULL);
}

static void answer_options(struct dt_ua *ua, dt_time now, dt_tx tx)
{
    char lines[256];
    struct dt_writer w = dt_writer(lines, sizeof(lines) - 1);

    dt_write_z(&w, dt__allow); /* 11.2 */
    dt_write_lit(&w, "Accept: application/sdp\r\nSupported:\r\n");
    lines[w.n] = '\0';
    dt__ua_answer(ua, now, tx, 200, lines);
}

static void new_request(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                        const struct dt_hop *from)
{
    switch (m->method) {
    case DT_INVITE:
        if (dt__past_answer(ua, now, tx, m))
            return;
        if (is_merged(ua, m)) {
            dt__ua_answer(ua, now, tx, 482, NULL);
            return;
        }
        dt__callee_invite(ua, now, tx, m, from);
        break;
    case DT_OPTIONS:
        answer_options(ua, now, tx);
        break;
    case DT_BYE:
        dt__ua_answer(ua, now, tx, 481, NULL);
        break;
    case DT_CANCEL: /* it matches no INVITE (9.2) yet: a repeat may find one that was late */
        dt__ua_answer(ua, now, tx, 481, NULL);
        dt_stack_abandon(ua->stack, now, tx);
        break;
    default:
        other(ua, now, tx, m);
        break;
    }
}

/* ---- inside ---- */

/* The callee hung up and its 2xx never came: the call that we still think is ringing. It belongs to
 * an early dialog of ours (12.2.2), of which nothing is kept but the Call-ID and our tag. */
static struct dt_call *unanswered_call(struct dt_ua *ua, const struct dt_sip_msg *m)
{
    DT_LIST_EACH(e, &ua->calls)
    {
        struct dt_call *c = DT_OF(e, struct dt_call, link);
        if (c->caller && c->state < DT_CALL_TALKING &&
            dt_str_eq(m->to.tag, dt__token_str(c->local_tag)) &&
            dt_str_eq(m->call_id, dt__caller_call_id(c)))
            return c;
    }
    return NULL;
}

static void in_dialog(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    struct dt_call *c = dt__call_of_dialog(ua, m);
    struct dt_call *early = c || m->method != DT_BYE ? NULL : unanswered_call(ua, m);

    if (early) {
        dt__ua_answer(ua, now, tx, 200, NULL);
        dt__caller_hangup(early, now); /* what is left of the INVITE on the way */
        dt__call_end(early, now, 0, DT_OK, DT_STR_NONE, true, 0);
        return;
    }
    if (m->method == DT_INVITE && dt__past_answer(ua, now, tx, m))
        return;
    if (!c) {
        dt__ua_answer(ua, now, tx, 481, NULL); /* 12.2.2 */
        return;
    }
    if (dt_dialog_cseq(&c->dialog, m) != DT_OK) {
        dt__ua_answer(ua, now, tx, 500, NULL); /* I11 */
        return;
    }
    switch (m->method) {
    case DT_INVITE:
        dt__session_reinvite(c, now, tx, m);
        break;
    case DT_BYE:
        dt__bye_request(c, now, tx, m);
        break;
    case DT_OPTIONS:
        answer_options(ua, now, tx);
        break;
    default:
        dt__ua_answer(ua, now, tx, m->method == DT_METHOD_OTHER ? 501 : 405, dt__allow);
        break;
    }
}

void dt__inbound_request(void *user, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                         const struct dt_hop *from)
{
    struct dt_ua *ua = user;

    if (m->method == DT_ACK) {
        struct dt_call *c = dt__call_of_dialog(ua, m);
        ua->drops.acks += !c;
        if (c)
            dt__callee_ack(c, now, m);
        else
            dt__ua_dropped(ua, now, from, "ACK without a call");
        return;
    }
    if (m->method != DT_CANCEL && (!check_scheme(ua, now, tx, m) || !check_require(ua, now, tx, m)))
        return;
    if (m->to.tag.n && m->method != DT_CANCEL)
        in_dialog(ua, now, tx, m);
    else
        new_request(ua, now, tx, m, from);
}

/* R7: nobody but the proxies of our lines is answered beside the first. */
void dt__inbound_copy(void *user, dt_time now, dt_tx tx, uint64_t cookie,
                      const struct dt_sip_msg *m, const struct dt_hop *from)
{
    struct dt_ua *ua = user;
    struct dt_call *c = dt__call_find(ua, cookie);
    struct dt_hop first;
    unsigned i = 0;

    if (!c || c->tx != tx || !dt__known_has_ip(ua, &from->remote) ||
        dt_stack_hop_of(ua->stack, tx, &first) != DT_OK || dt_addr_eq(&first.remote, &from->remote))
        return;
    while (i < c->n_copies && !dt_addr_eq(&c->copies[i].hop.remote, &from->remote))
        i++;
    if (i >= DT__COPIES)
        return;
    if (i == c->n_copies)
        c->copies[c->n_copies++] = (struct dt__other){.hop = *from};
    if (m->method == DT_INVITE && !c->copies[i].request)
        c->copies[i].request = dt_bytes_copy(ua->env->alloc, m->text);
    if (m->method == DT_INVITE)
        dt__past_repeat(ua, now, m, from);
}

void dt__inbound_cancel(void *user, dt_time now, dt_tx invite, uint64_t cookie,
                        const struct dt_sip_msg *m)
{
    struct dt_ua *ua = user;
    struct dt_call *c = dt__call_find(ua, cookie);

    (void)m;
    if (c && c->tx == invite)
        dt__callee_cancelled(c, now);
    else /* an INVITE that is not a call: a re-INVITE is answered at once */
        dt__ua_answer(ua, now, invite, 487, NULL);
}
