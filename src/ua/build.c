/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole messages: requests in and outside of dialogs, responses of calls, and the CANCEL and ACK of
 * a path whose transaction is gone. */
#include "ua/core.h"

#include <string.h>

#include "dualtone/build.h"

const char dt__allow[] = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY\r\n";
static const char supported[] = "Supported:\r\n"; /* 20.37: empty, no extension yet */

enum { LINE = 256 }; /* a Via or Contact of ours */

static const enum dt_method methods[] = {
    [DT__INVITE] = DT_INVITE, [DT__REINVITE] = DT_INVITE,   [DT__BYE] = DT_BYE,
    [DT__ACK] = DT_ACK,       [DT__REGISTER] = DT_REGISTER,
};

enum dt_method dt__send_method(const struct dt__send *s)
{
    return methods[s->kind];
}

int dt__ua_parse(const struct dt_bytes *bytes, struct dt_sip_msg *m, struct dt_sip_header *headers)
{
    int err = bytes ? dt_sip_parse(m, dt_bytes_str(bytes), headers, DT__HEADERS) : DT_E_STATE;

    return err ? err : dt_sip_check(m);
}

/* ---- parts ---- */

void dt__write_contact(struct dt_writer *w, const struct dt_ua *ua, struct dt_str user,
                       enum dt_transport transport)
{
    dt_write_lit(w, "<sip:");
    if (user.n) {
        dt_uri_write_user(w, user);
        dt_write_char(w, '@');
    }
    dt_addr_write(w, &ua->cfg.local);
    if (transport == DT_TCP)
        dt_write_lit(w, ";transport=tcp");
    dt_write_char(w, '>');
}

/* rport: RFC 3581. */
static void write_via(struct dt_writer *w, const struct dt__send *s)
{
    dt_write_z(w, s->hop.remote.transport == DT_TCP ? "SIP/2.0/TCP " : "SIP/2.0/UDP ");
    dt_addr_write(w, &s->ua->cfg.local);
    dt_write_lit(w, ";branch=");
    dt_write(w, (struct dt_str){s->branch, DT__BRANCH});
    dt_write_lit(w, ";rport");
}

static void write_agent(struct dt_writer *w, const struct dt_ua *ua, enum dt_header_id id)
{
    if (ua->cfg.user_agent)
        dt_sip_write_header(w, id, dt_str_z(ua->cfg.user_agent));
}

/* "User A" <sip:1001@example.com>;tag=x */
static void write_identity(struct dt_writer *w, const char *name, const struct dt_identity *i,
                           bool anonymous, struct dt_str tag)
{
    dt_write_z(w, name);
    if (anonymous) {
        dt_write_lit(w, "\"Anonymous\" <sip:anonymous@anonymous.invalid>"); /* RFC 3323 4.1.1.3 */
    } else {
        if (i->display.n) {
            dt_write_quoted(w, i->display);
            dt_write_char(w, ' ');
        }
        dt_write_lit(w, "<sip:");
        dt_uri_write_user(w, i->user);
        dt_write_char(w, '@');
        dt_write(w, i->domain);
        dt_write_char(w, '>');
    }
    if (tag.n) {
        dt_write_lit(w, ";tag=");
        dt_write(w, tag);
    }
    dt_write_lit(w, "\r\n");
}

static void write_cseq(struct dt_writer *w, uint32_t n, enum dt_method method)
{
    dt_write_lit(w, "CSeq: ");
    dt_write_u64(w, n);
    dt_write_char(w, ' ');
    dt_write_z(w, dt_method_name(method));
    dt_write_lit(w, "\r\n");
}

/* ---- requests outside of dialogs (8.1.1) ---- */

static void write_start(struct dt_writer *w, const struct dt__send *s, struct dt_str via)
{
    dt_sip_write_request(w, dt_str_z(dt_method_name(dt__send_method(s))), dt_str_z(s->uri));
    dt_sip_write_header(w, DT_H_VIA, via);
    dt_write_lit(w, "Max-Forwards: 70\r\n");
}

static void write_invite(struct dt_writer *w, const struct dt__send *s, struct dt_str via)
{
    const struct dt_call *c = s->call;

    write_start(w, s, via);
    write_identity(w, "From: ", &c->identity, c->anonymous, dt__token_str(c->local_tag));
    dt_write_lit(w, "To: <");
    dt_write_z(w, c->target);
    dt_write_lit(w, ">\r\n");
    dt_sip_write_header(w, DT_H_CALL_ID, dt_str_z(s->call_id));
    write_cseq(w, s->cseq, DT_INVITE);
    dt_write_lit(w, "Expires: "); /* 13.2.1 */
    dt_write_u64(w, (uint64_t)(s->ua->cfg.invite_expires / DT_SECOND));
    dt_write_lit(w, "\r\n");
}

static void write_register(struct dt_writer *w, const struct dt__send *s, struct dt_str via)
{
    const struct dt_reg *r = s->reg;

    write_start(w, s, via);
    write_identity(w, "From: ", &r->cfg.identity, false, dt__token_str(r->tag));
    write_identity(w, "To: ", &r->cfg.identity, false, DT_STR_NONE);
    dt_sip_write_header(w, DT_H_CALL_ID, dt_str_z(s->call_id));
    write_cseq(w, s->cseq, DT_REGISTER);
    dt_write_lit(w, "Expires: ");
    dt_write_u64(w, r->asked);
    dt_write_lit(w, "\r\n");
}

static void write_contact_line(struct dt_writer *w, const struct dt__send *s)
{
    struct dt_str user = s->reg            ? s->reg->cfg.identity.user
                         : s->call->caller ? s->call->identity.user
                                           : dt_str_z(s->call->contact_user);
    struct dt_str kind = s->reg ? s->reg->cfg.user_param : DT_STR_NONE;

    if (s->call && s->call->anonymous)
        user = DT_STR_NONE;
    dt_write_lit(w, "Contact: ");
    dt__write_contact(w, s->ua, user, (enum dt_transport)s->hop.remote.transport);
    if (kind.n) {
        w->n--; /* before the '>' */
        dt_write_lit(w, ";user=");
        dt_write(w, kind);
        dt_write_char(w, '>');
    }
    dt_write_lit(w, "\r\n");
}

static void write_head(struct dt_writer *w, const struct dt__send *s, struct dt_str via)
{
    if (s->dialog)
        dt_dialog_write(s->dialog, w, dt__send_method(s), s->cseq, via);
    else if (s->kind == DT__REGISTER)
        write_register(w, s, via);
    else
        write_invite(w, s, via);
}

static struct dt_writer scratch(struct dt_ua *ua)
{
    return dt_writer(ua->scratch->data, ua->scratch->cap);
}

static int finish(struct dt_ua *ua, const struct dt_writer *w, struct dt_bytes **out)
{
    if (w->err)
        return w->err;
    *out = dt_bytes_copy(ua->env->alloc, dt_writer_str(w));
    return *out ? DT_OK : DT_E_NOMEM;
}

int dt__build_request(struct dt__send *s)
{
    struct dt_writer w = scratch(s->ua);
    char line[LINE];
    struct dt_writer via = dt_writer(line, sizeof(line));
    struct dt_bytes *bytes;
    int err;

    memcpy(s->branch, "z9hG4bK", 7);
    dt_rng_token(&s->ua->env->rng, s->branch + 7, DT__TOKEN);
    write_via(&via, s);
    write_head(&w, s, dt_writer_str(&via));
    if (s->kind == DT__INVITE || s->kind == DT__REINVITE || s->kind == DT__REGISTER)
        write_contact_line(&w, s);
    if (s->kind == DT__INVITE || s->kind == DT__REINVITE) {
        dt_write_z(&w, dt__allow);
        dt_write_z(&w, supported);
    }
    write_agent(&w, s->ua, DT_H_USER_AGENT);
    dt_write(&w, dt_bytes_str(s->auth));
    dt_sip_write_body(&w, s->body ? DT_STR("application/sdp") : DT_STR_NONE, dt_bytes_str(s->body));
    err = finish(s->ua, &w, &bytes);
    if (err)
        return err;
    dt_bytes_drop(s->bytes);
    s->bytes = bytes;
    return DT_OK;
}

/* R18: Max-Forwards 0, so that whoever it reaches answers it (16.3). */
int dt__build_probe(struct dt_ua *ua, const struct dt_hop *to, struct dt_str branch,
                    struct dt_str tag, struct dt_bytes **out)
{
    struct dt_writer w = scratch(ua);

    dt_write_lit(&w, "OPTIONS sip:");
    dt_addr_write(&w, &to->remote);
    dt_write_lit(&w, " SIP/2.0\r\nVia: SIP/2.0/");
    dt_write_z(&w, to->remote.transport == DT_TCP ? "TCP " : "UDP ");
    dt_addr_write(&w, &ua->cfg.local);
    dt_write_lit(&w, ";branch=");
    dt_write(&w, branch);
    dt_write_lit(&w, ";rport\r\nMax-Forwards: 0\r\nFrom: <sip:");
    dt_addr_write(&w, &ua->cfg.local);
    dt_write_lit(&w, ">;tag=");
    dt_write(&w, tag);
    dt_write_lit(&w, "\r\nTo: <sip:");
    dt_addr_write(&w, &to->remote);
    dt_write_lit(&w, ">\r\nCall-ID: ");
    dt_write(&w, tag);
    dt_write_lit(&w, "\r\n");
    write_cseq(&w, 1, DT_OPTIONS);
    write_agent(&w, ua, DT_H_USER_AGENT);
    dt_sip_write_body(&w, DT_STR_NONE, DT_STR_NONE);
    return finish(ua, &w, out);
}

/* ---- for a path whose transaction is gone ---- */

/* What CANCEL (9.1) and the ACK of a failure (17.1.1.3) have in common: Request-URI, the one Via,
 * Route, From, Call-ID and CSeq number of the request. */
static int derive(struct dt__send *s, enum dt_method method, struct dt_str to,
                  struct dt_bytes **out)
{
    struct dt_writer w = scratch(s->ua);
    struct dt_sip_header headers[DT__HEADERS];
    struct dt_sip_msg m;
    int err = dt__ua_parse(s->bytes, &m, headers);

    if (err)
        return err;
    dt_sip_write_request(&w, dt_str_z(dt_method_name(method)), m.uri_text);
    dt_sip_write_header(&w, DT_H_VIA, m.via.text);
    dt_write_lit(&w, "Max-Forwards: 70\r\n");
    for (const struct dt_sip_header *h = dt_sip_first(&m, DT_H_ROUTE); h; h = dt_sip_next(&m, h))
        dt_sip_write_header(&w, DT_H_ROUTE, dt_sip_value(&m, h));
    dt_sip_write_header(&w, DT_H_FROM, m.from.text);
    dt_sip_write_header(&w, DT_H_TO, to.n ? to : m.to.text);
    dt_sip_write_header(&w, DT_H_CALL_ID, m.call_id);
    write_cseq(&w, m.cseq.number, method);
    write_agent(&w, s->ua, DT_H_USER_AGENT);
    dt_sip_write_body(&w, DT_STR_NONE, DT_STR_NONE);
    return finish(s->ua, &w, out);
}

int dt__build_cancel(struct dt__send *s, struct dt_bytes **out)
{
    return derive(s, DT_CANCEL, DT_STR_NONE, out);
}

int dt__build_nack(struct dt__send *s, const struct dt_sip_msg *m, struct dt_bytes **out)
{
    return derive(s, DT_ACK, m->to.text, out);
}

/* ---- responses ---- */

int dt__build_response(struct dt_call *c, const struct dt_sip_msg *req, const struct dt_hop *hop,
                       int status, struct dt_str extra, struct dt_str body, struct dt_bytes **out)
{
    char lines[2048];
    struct dt_writer w = dt_writer(lines, sizeof(lines));
    struct dt_str user = c->caller ? c->identity.user : dt_str_z(c->contact_user);
    bool forms = status > 100 && status < 300; /* a dialog: 12.1.1 */
    struct dt_sip_answer a = {.status = status, .to_tag = dt__token_str(c->local_tag)};

    if (forms) {
        dt_write_lit(&w, "Contact: ");
        dt__write_contact(&w, c->ua, user, (enum dt_transport)hop->remote.transport);
        dt_write_lit(&w, "\r\n");
        dt_write_z(&w, dt__allow); /* 13.3.1.4 */
    }
    if (status >= 200 && status < 300)
        dt_write_z(&w, supported);
    write_agent(&w, c->ua, DT_H_SERVER);
    dt_write(&w, extra);
    if (w.err)
        return w.err;
    a.extra = dt_writer_str(&w);
    a.record_routes = forms;
    a.source = &hop->remote;
    a.body = body;
    a.type = body.n ? DT_STR("application/sdp") : DT_STR_NONE;
    return dt_sip_answer(req, &a, c->ua->env->alloc, out);
}
