/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The calling side of a call until its answer: events of the paths go to the attempt (reach), its
 * orders are carried out here. */
#include "ua/core.h"

#include <string.h>

static void obey(struct dt_call *c, dt_time now, const struct dt_orders *orders,
                 const struct dt_sip_msg *m);

struct dt_str dt__caller_call_id(const struct dt_call *c)
{
    for (unsigned i = c->attempt.n_paths; i-- > 0;)
        if (c->paths[i])
            return dt_str_z(c->paths[i]->call_id);
    return DT_STR_NONE;
}

/* ---- dialling ---- */

static int set_server(struct dt_call *c, unsigned i, const struct dt_server *server)
{
    c->servers[i] = *server;
    c->hosts[i] = dt_alloc_text(c->ua->env->alloc, server->host);
    if (!c->hosts[i])
        return DT_E_NOMEM;
    c->servers[i].host = dt_str_z(c->hosts[i]);
    return DT_OK;
}

static int check_target(struct dt_str target)
{
    struct dt_uri uri;

    if (dt_uri_parse(&uri, target, NULL) != DT_OK)
        return DT_E_SYNTAX;
    return uri.scheme == DT_URI_SIP ? DT_OK : DT_E_UNSUPPORTED; /* sips: needs TLS */
}

static int make_offer(struct dt_call *c, const struct dt_media_caps *caps)
{
    struct dt_ua *ua = c->ua;
    struct dt_writer w = dt_writer(ua->scratch->data, ua->scratch->cap);
    int err;

    dt_oa_init(&c->oa, caps, dt_rng_u64(&ua->env->rng) >> 1);
    c->has_oa = true;
    err = dt_oa_offer(&c->oa, DT_SENDRECV, ua->cfg.hold, &w);
    if (err)
        return err;
    c->offer = dt_bytes_copy(ua->env->alloc, dt_writer_str(&w));
    return c->offer ? DT_OK : DT_E_NOMEM;
}

static int prepare(struct dt_call *c, const struct dt_outgoing *o)
{
    struct dt_ua *ua = c->ua;
    struct dt_attempt_config cfg = {.policy = o->policy,
                                    .servers = o->backup.host.n ? 2 : 1,
                                    .repeats = ua->cfg.invite_repeats,
                                    .t1 = dt__ua_t1(ua),
                                    .ring_time = ua->cfg.invite_expires,
                                    .known = ua->cfg.fast ? &ua->known : NULL};
    int err;

    c->identity = o->identity;
    c->anonymous = o->anonymous;
    c->target = dt_alloc_text(ua->env->alloc, o->target);
    if (!c->target)
        return DT_E_NOMEM;
    dt_attempt_init(&c->attempt, &cfg);
    err = set_server(c, 0, &o->primary);
    if (!err)
        err = set_server(c, 1, &o->backup);
    return err ? err : make_offer(c, &o->media);
}

/* RFC 3263 for the proxy, or for the target itself when there is no proxy. */
static void ask(struct dt_call *c, dt_time now, unsigned server)
{
    const enum dt__kind kind = server == 0 ? DT__PRIMARY : DT__BACKUP;
    const struct dt_server *s = &c->servers[server];
    struct dt_where w = {s->host, s->port, s->transport_given, s->transport};
    struct dt_addr targets[DT_ATTEMPT_TARGETS] = {0};
    struct dt_uri uri;
    int n;

    if (s->host.n == 0 && dt_uri_parse(&uri, dt_str_z(c->target), NULL) == DT_OK)
        dt_where_of_uri(&w, &uri);
    c->servers[server].transport_given = w.transport_given;
    n = dt_resolver_find(c->ua->resolver, now, &w, dt__id_as(c->id, kind), targets,
                         DT_ATTEMPT_TARGETS);
    if (n != 0)
        dt__caller_found(c, now, server, targets, n > 0 ? (size_t)n : 0, n > 0 ? DT_OK : n);
}

int dt_ua_call(struct dt_ua *ua, dt_time now, const struct dt_outgoing *o, dt_call_id *id)
{
    struct dt_call *c;
    int err = check_target(o->target);

    *id = 0;
    if (err)
        return err;
    if (ua->n_calls - ua->n_lingering >= ua->cfg.max_calls)
        return DT_E_LIMIT;
    c = dt__call_new(ua, now, true);
    if (!c)
        return DT_E_NOMEM;
    err = prepare(c, o);
    if (err) {
        dt__call_free(c);
        return err;
    }
    *id = c->id;
    dt__ua_enter(ua);
    for (unsigned i = 0; i < c->attempt.cfg.servers; i++)
        ask(c, now, i);
    dt__ua_leave(ua, now);
    return DT_OK;
}

/* ---- orders ---- */

/* A new path: with a Call-ID of its own at another server (R26). */
static int fill_path(struct dt__send *s, unsigned path, bool fresh)
{
    struct dt_call *c = s->call;
    const struct dt_alloc *a = c->ua->env->alloc;
    const struct dt__send *before = path > 0 && !fresh ? c->paths[path - 1] : NULL;
    char token[DT__TOKEN];

    if (before && (!before->uri || !before->call_id)) /* for want of memory it was never sent */
        before = NULL;
    dt__ua_token(c->ua, token);
    s->path = (uint8_t)path;
    s->cseq = before ? before->cseq : 1;
    s->fixed = c->servers[c->attempt.paths[path].server].transport_given;
    s->body = dt_bytes_hold(c->offer);
    s->uri = dt_alloc_text(a, before ? dt_str_z(before->uri) : dt_str_z(c->target));
    s->call_id = dt_alloc_text(a, before ? dt_str_z(before->call_id) : dt__token_str(token));
    if (before && before->auth)
        s->auth = dt_bytes_hold(before->auth);
    return s->uri && s->call_id ? DT_OK : DT_E_NOMEM;
}

static void open_path(struct dt_call *c, dt_time now, unsigned path, bool fresh)
{
    struct dt__send *s = dt__send_new(c->ua, c, NULL, DT__INVITE);
    struct dt_orders more = {.n = 0};

    c->paths[path] = s;
    if (s && fill_path(s, path, fresh) == DT_OK) {
        dt__send_start(s, now, &c->attempt.paths[path].target, 1);
        return;
    }
    if (s) {
        dt__send_break(s, DT_E_NOMEM);
        return;
    }
    dt_attempt_event(&c->attempt, now, path, DT_PATH_EV_ERROR, DT_E_NOMEM, &more);
    obey(c, now, &more, NULL);
}

/* The next request on this path, with credentials for the URI that it has now. */
static void again(struct dt_call *c, dt_time now, struct dt__send *s)
{
    int err;

    dt_bytes_drop(s->auth);
    err = dt__auth_lines(&c->auth, c->ua, &c->identity.credentials, DT_STR("INVITE"),
                         dt_str_z(s->uri), &s->auth);
    s->cseq++;
    s->udp_again = false;
    if (err)
        dt__send_break(s, err);
    else
        dt__send_again(s, now);
}

/* q of a Contact in thousandths (20.10); 1 when there is none. */
static unsigned q_of(const struct dt_name_addr *contact)
{
    struct dt_str q;
    struct dt_reader r;
    uint64_t whole = 0;
    unsigned value = 0, unit = 100;

    if (!dt_param(contact->params, "q", &q))
        return 1000;
    r = dt_reader(q);
    if (dt_reader_u64(&r, 1, &whole) != DT_OK)
        return 0;
    if (dt_reader_char(&r, '.'))
        for (; dt_is_digit((char)dt_reader_peek(&r)) && unit; unit /= 10, r.p++)
            value += (unsigned)(*r.p - '0') * unit;
    return whole ? 1000 : value;
}

/* The Contact to go on with (8.1.3.4): the best SIP one that is not where we were. Without the
 * headers of the URI: another party does not write headers of ours. */
static struct dt_str best_contact(const struct dt__send *s, const struct dt_sip_msg *m)
{
    struct dt_sip_values it = dt_sip_values(m, DT_H_CONTACT);
    struct dt_str value, best = DT_STR_NONE;
    unsigned best_q = 0;

    while (dt_sip_values_next(&it, &value)) {
        struct dt_name_addr contact;
        struct dt_str uri;
        if (dt_sip_name_addr(&contact, value) != DT_OK || contact.star ||
            contact.uri.scheme != DT_URI_SIP)
            continue;
        uri = contact.uri.text;
        if (contact.uri.headers.p)
            uri = dt_str_sub(uri, 0, dt_str_find(uri, '?'));
        if (dt_str_eq(uri, dt_str_z(s->uri)) || (best.n && q_of(&contact) <= best_q))
            continue;
        best = uri;
        best_q = q_of(&contact);
    }
    return best;
}

/* Through the same proxy, or where the Contact leads when the call has none. */
static void redirect(struct dt_call *c, dt_time now, struct dt__send *s, const struct dt_sip_msg *m)
{
    struct dt_str to = best_contact(s, m);
    char *uri = dt_alloc_text(c->ua->env->alloc, to);
    struct dt_where w;
    struct dt_uri parsed;

    if (!uri) {
        dt__send_break(s, DT_E_NOMEM);
        return;
    }
    dt_alloc_free(c->ua->env->alloc, s->uri);
    s->uri = uri;
    if (c->servers[c->attempt.paths[s->path].server].host.n) {
        again(c, now, s);
        return;
    }
    s->cseq++;
    dt_bytes_drop(s->auth);
    s->auth = NULL; /* another host: not the realm that asked */
    s->tx = 0;
    if (dt_uri_parse(&parsed, dt_str_z(uri), NULL) == DT_OK)
        dt_where_of_uri(&w, &parsed);
    else
        w = (struct dt_where){.port = 0};
    dt__send_where(s, now, &w);
}

/* 180 rings; 181 and 182 count as 100; a body is early media (behaviour.md 5). */
static void progress(struct dt_call *c, dt_time now, const struct dt_sip_msg *m)
{
    struct dt_str sdp = dt__sdp_of(m);
    struct dt_media_agreed early;
    struct dt_oa oa;

    if (sdp.n) {
        oa = c->oa; /* 13.2.1: the 2xx decides */
        if (dt_oa_remote(&oa, sdp, &early) == DT_OK)
            dt__call_media(c, &early);
    }
    if (m->status != 180)
        return;
    dt__call_set_state(c, now, DT_CALL_RINGING);
    if (c->ring_again)
        dt__call_tell(c, DT__TELL_STATE);
    c->ring_again = false;
}

static int make_dialog(struct dt_call *c, struct dt__send *s, const struct dt_sip_msg *m)
{
    struct dt_sip_header headers[DT__HEADERS];
    struct dt_sip_msg request;
    int err = dt__ua_parse(s->bytes, &request, headers);

    if (!err)
        err = dt_dialog_caller(&c->dialog, c->ua->env->alloc, &request, m);
    return err ? err : dt__call_map(c, c->dialog.call_id);
}

/* The callee has decided. Who has not said anything yet need not be asked again, or it would ring
 * there once more: when it speaks it is cancelled (R23). Not another call (R26), which is not
 * decided. */
static void hush(struct dt_call *c, const struct dt__send *decided)
{
    for (unsigned i = 0; i < c->attempt.n_paths; i++) {
        struct dt__send *s = c->paths[i];
        if (!s || s == decided || !s->tx || !s->call_id ||
            strcmp(s->call_id, decided->call_id) != 0)
            continue;
        dt_stack_quiet(c->ua->stack, s->tx);
        s->spent = true; /* nor by a copy at its twin */
    }
}

/* The answer (13.2.2.4). Without a dialog nothing can be said to the other side: the copies of its
 * 2xx are treated as those of another fork. */
static void accept(struct dt_call *c, dt_time now, struct dt__send *s, const struct dt_sip_msg *m)
{
    struct dt_str sdp = dt__sdp_of(m);
    struct dt_media_agreed agreed;
    int err = make_dialog(c, s, m);

    if (err) {
        struct dt_orders none = {.n = 0};
        dt_dialog_clear(&c->dialog);
        dt_attempt_hangup(&c->attempt, now, &none);
        dt__fork_answer(c, now, s, m);
        dt__call_end(c, now, m->status, err, DT_STR_NONE, false, 0);
        return;
    }
    dt__ack_send(&s->ack, s, &c->dialog, now, DT_STR_NONE);
    hush(c, s);
    dt__call_set_state(c, now, DT_CALL_TALKING);
    err = sdp.n ? dt_oa_remote(&c->oa, sdp, &agreed) : DT_E_ABSENT;
    if (err) {
        c->bye_err = err;
        dt__bye_start(c, now);
        return;
    }
    dt__call_media(c, &agreed);
}

/* The ACK of a repeated 2xx, or of a failure that no transaction answers any more. */
static void ack(struct dt_call *c, dt_time now, struct dt__send *s, const struct dt_sip_msg *m)
{
    struct dt_bytes *bytes;

    if (m->status < 300) {
        dt__ack_send(&s->ack, s, &c->dialog, now, DT_STR_NONE);
        return;
    }
    if (dt__build_nack(s, m, &bytes) != DT_OK)
        return; /* it comes again */
    (void)dt_stack_send(c->ua->stack, now, bytes, &s->hop);
    dt_bytes_drop(bytes);
}

static void end(struct dt_call *c, dt_time now, int err, const struct dt_sip_msg *m)
{
    if (m && err == DT_OK && m->status >= 300)
        dt__call_end_by(c, now, m);
    else
        dt__call_end(c, now, m && m->status >= 300 ? m->status : 0, err, DT_STR_NONE, false, 0);
}

/* Orders that carry on with the message that came on a path. */
static void obey_message(struct dt_call *c, dt_time now, enum dt_order_kind kind,
                         struct dt__send *s, const struct dt_sip_msg *m)
{
    switch (kind) {
    case DT_ORDER_AUTH:
        again(c, now, s);
        break;
    case DT_ORDER_REDIRECT:
        redirect(c, now, s, m);
        break;
    case DT_ORDER_PROGRESS:
        progress(c, now, m);
        break;
    case DT_ORDER_ACCEPT:
        accept(c, now, s, m);
        break;
    case DT_ORDER_ACK:
        ack(c, now, s, m);
        break;
    case DT_ORDER_ACK_BYE:
        dt__fork_answer(c, now, s, m);
        break;
    default:
        break;
    }
}

static void obey_one(struct dt_call *c, dt_time now, const struct dt_order *o,
                     const struct dt_sip_msg *m)
{
    struct dt__send *s = o->path < DT_ATTEMPT_PATHS ? c->paths[o->path] : NULL;

    switch (o->kind) {
    case DT_ORDER_OPEN:
        c->ring_again = o->fresh && o->path > 0;
        open_path(c, now, o->path, o->fresh);
        break;
    case DT_ORDER_CANCEL:
        if (s)
            dt__send_cancel(s, now);
        break;
    case DT_ORDER_WORDS_ON:
    case DT_ORDER_WORDS_OFF:
        dt__call_tell(c, DT__TELL_WORDS);
        break;
    case DT_ORDER_END:
        end(c, now, o->err, m);
        break;
    default:
        if (s && m)
            obey_message(c, now, o->kind, s, m);
        break;
    }
}

static void obey(struct dt_call *c, dt_time now, const struct dt_orders *orders,
                 const struct dt_sip_msg *m)
{
    for (size_t i = 0; i < orders->n; i++)
        obey_one(c, now, &orders->list[i], m);
    dt__call_arm(c, DT__T_ATTEMPT, dt_attempt_deadline(&c->attempt));
    dt__call_reap(c);
}

/* ---- events ---- */

/* What a response means to the attempt. Only what belongs to a request under way is followed or
 * answered with credentials. */
static enum dt_path_event event_of(struct dt__send *s, const struct dt_sip_msg *m)
{
    struct dt_call *c = s->call;
    const struct dt_path *p = &c->attempt.paths[s->path];
    enum dt_path_event e = dt_path_event_of(m->status);
    bool trying = c->attempt.phase == DT_ATTEMPT_TRYING && dt_path_is_open(p);

    if (e == DT_PATH_EV_2XX && p->state == DT_PATH_ANSWERED &&
        !dt_dialog_has_response(&c->dialog, m))
        return DT_PATH_EV_2XX_FORK;
    if (e == DT_PATH_EV_BUSY_HOP && !dt__send_is_hops(s, m))
        return DT_PATH_EV_SOFT;
    if (e == DT_PATH_EV_REDIRECT && trying && best_contact(s, m).n == 0)
        return DT_PATH_EV_FINAL;
    if (e == DT_PATH_EV_AUTH && trying &&
        (p->tries >= DT_ATTEMPT_TRIES ||
         dt__auth_take(&c->auth, c->ua, &c->identity.credentials, m, p->tries > 1) != DT_OK))
        return DT_PATH_EV_FINAL;
    return e;
}

void dt__caller_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m,
                         const struct dt_hop *from)
{
    struct dt_orders orders = {.n = 0};
    enum dt_path_event e = event_of(s, m);

    (void)from;
    dt_attempt_status(&s->call->attempt, s->path, m->status);
    dt_attempt_event(&s->call->attempt, now, s->path, e, DT_OK, &orders);
    if (e == DT_PATH_EV_FINAL && s->call->attempt.phase != DT_ATTEMPT_TRYING)
        hush(s->call, s);
    obey(s->call, now, &orders, m);
}

void dt__caller_failed(struct dt__send *s, dt_time now, int err)
{
    enum dt_path_event e = err == DT_E_TIMEOUT ? DT_PATH_EV_TIMEOUT : DT_PATH_EV_ERROR;
    struct dt_orders orders = {.n = 0};

    dt_attempt_event(&s->call->attempt, now, s->path, e, err, &orders);
    obey(s->call, now, &orders, NULL);
}

void dt__caller_event(struct dt__send *s, dt_time now, enum dt_path_event e)
{
    struct dt_orders orders = {.n = 0};

    dt_attempt_event(&s->call->attempt, now, s->path, e, DT_OK, &orders);
    obey(s->call, now, &orders, NULL);
}

void dt__caller_found(struct dt_call *c, dt_time now, unsigned server,
                      const struct dt_addr *targets, size_t n, int err)
{
    struct dt_orders orders = {.n = 0};

    for (size_t i = 0; i < n && c->servers[server].host.n; i++)
        dt__known_add(c->ua, now, &targets[i]);
    dt_attempt_found(&c->attempt, now, server, targets, n, err, &orders);
    obey(c, now, &orders, NULL);
}

void dt__caller_tick(struct dt_call *c, dt_time now)
{
    struct dt_orders orders = {.n = 0};

    dt_attempt_tick(&c->attempt, now, &orders);
    if (c->attempt.phase == DT_ATTEMPT_LEAVING)
        dt__call_leaving(c, now);
    obey(c, now, &orders, NULL);
}

void dt__caller_hangup(struct dt_call *c, dt_time now)
{
    struct dt_orders orders = {.n = 0};

    dt_attempt_hangup(&c->attempt, now, &orders);
    dt__call_leaving(c, now);
    obey(c, now, &orders, NULL);
}
