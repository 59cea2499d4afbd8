/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The request as it goes to one target: a list of edits on the request that came, one build (RFC
 * 3261 16.6). What no rule changes goes on byte for byte (I20). */
#include "proxy/work.h"

enum {
    VIA_TOP_MAX = 1024, /* the sender's Via, with received and rport */
    VIA_MAX = DT_SENT_BY_MAX + DT_BRANCH_N + DT_ECHO_N + 48,
    ROUTE_MAX = 2048,
    RECORD_MAX = DT_SENT_BY_MAX + 64,
    DEFAULT_HOPS = 70
};

/* All texts that the edits point at. */
struct plan {
    const struct dt_proxy_work *w;
    const struct dt_forward *f;
    struct dt_sip_edits edits;
    char top_via[VIA_TOP_MAX], via[VIA_MAX], hops[16], breadth[16];
    char record[2][RECORD_MAX];
    char route[ROUTE_MAX];
};

/* ---- Request-URI, Route and next hop: steps 2, 6, 7 ---- */

static bool is_loose(const struct dt_uri *uri)
{
    struct dt_str ignored;
    return dt_param(uri->params, "lr", &ignored);
}

static int uri_of_value(struct dt_uri *out, struct dt_str list)
{
    struct dt_name_addr a;
    int err = dt_sip_name_addr(&a, list);
    if (!err)
        *out = a.uri;
    return err;
}

/* The first value of a comma list, commas in quotes and brackets kept. */
static struct dt_str first_value(struct dt_str list)
{
    bool quoted = false, angle = false;
    for (size_t i = 0; i < list.n; i++) {
        char c = list.p[i];
        if (c == '"' && (!i || list.p[i - 1] != '\\'))
            quoted = !quoted;
        else if (!quoted && c == '<')
            angle = true;
        else if (!quoted && c == '>')
            angle = false;
        else if (!quoted && !angle && c == ',')
            return dt_str_trim(dt_str_sub(list, 0, i));
    }
    return dt_str_trim(list);
}

/* The first Route that the request will have, or empty. */
static struct dt_str first_route(const struct dt_proxy_work *w, const struct dt_proxy_target *t)
{
    if (t->path.n)
        return first_value(t->path);
    return w->n_routes ? w->routes[0] : DT_STR_NONE;
}

int dt__forward_next_hop(const struct dt_proxy_work *w, const struct dt_proxy_target *t,
                         struct dt_uri *out)
{
    struct dt_str route = first_route(w, t);
    if (route.n)
        return uri_of_value(out, route);
    return dt_uri_parse(out, t->uri, NULL);
}

/* All remaining Route values in one line; `last` (may be empty) becomes the last one. */
static void write_routes(struct plan *p, size_t from, struct dt_str last)
{
    struct dt_writer w = dt_writer(p->route, sizeof p->route);
    for (size_t i = from; i < p->w->n_routes; i++) {
        if (w.n)
            dt_write_lit(&w, ", ");
        dt_write(&w, p->w->routes[i]);
    }
    if (last.n) {
        dt_write(&w, w.n ? DT_STR(", <") : DT_STR("<"));
        dt_write(&w, last);
        dt_write_char(&w, '>');
    }
    if (w.err)
        p->edits.err = w.err;
    else if (w.n)
        dt_sip_edit_push(&p->edits, DT_H_ROUTE, dt_writer_str(&w));
}

static void remove_routes(struct plan *p)
{
    const struct dt_sip_msg *m = p->w->m;
    for (const struct dt_sip_header *h = dt_sip_first(m, DT_H_ROUTE); h; h = dt_sip_next(m, h))
        dt_sip_edit_remove(&p->edits, h);
}

/* 16.6, step 2: a contact may have headers, a Request-URI has none (19.1.1, table 1). */
static struct dt_str without_headers(struct dt_str uri)
{
    struct dt_uri u;
    if (dt_str_find(uri, '?') == uri.n || dt_uri_parse(&u, uri, NULL) || u.scheme == DT_URI_OTHER ||
        !u.headers.n)
        return uri;
    return dt_str_sub(uri, 0, (size_t)(u.headers.p - uri.p) - 1);
}

static void edit_uri(struct plan *p, struct dt_str uri)
{
    if (!dt_str_eq(uri, p->w->m->uri_text))
        dt_sip_edit_uri(&p->edits, uri);
}

/* Step 6: the next hop is a strict router, so the URIs change places. A Path whose first hop is
 * strict (RFC 3327 forbids it) is not served. */
static void edit_strict(struct plan *p, const struct dt_uri *hop)
{
    if (p->f->target->path.n) {
        p->edits.err = DT_E_UNSUPPORTED;
        return;
    }
    remove_routes(p);
    write_routes(p, 1, p->f->target->uri);
    edit_uri(p, hop->text);
}

static void edit_loose(struct plan *p)
{
    edit_uri(p, without_headers(p->f->target->uri));
    if (p->w->strict) {
        remove_routes(p);
        write_routes(p, 0, DT_STR_NONE);
    } else if (p->w->popped) {
        dt_sip_edit_pop(&p->edits, DT_H_ROUTE, p->w->popped);
    }
    if (p->f->target->path.n)
        dt_sip_edit_push(&p->edits, DT_H_ROUTE, p->f->target->path);
}

static void edit_routes(struct plan *p)
{
    struct dt_str route = first_route(p->w, p->f->target);
    struct dt_uri hop;
    if (route.n && uri_of_value(&hop, route)) {
        p->edits.err = DT_E_SYNTAX;
        return;
    }
    if (route.n && !is_loose(&hop))
        edit_strict(p, &hop);
    else
        edit_loose(p);
}

/* ---- Max-Forwards and Max-Breadth: step 3, RFC 5393 5.3.3 ---- */

static void edit_number(struct plan *p, enum dt_header_id id, char *buf, uint64_t value)
{
    const struct dt_sip_header *h = dt_sip_first(p->w->m, id);
    struct dt_writer w = dt_writer(buf, 16);
    dt_write_u64(&w, value);
    if (h)
        dt_sip_edit_value(&p->edits, h, dt_writer_str(&w));
    else
        dt_sip_edit_append(&p->edits, id, dt_writer_str(&w));
}

static void edit_limits(struct plan *p)
{
    int hops = p->w->m->max_forwards;
    edit_number(p, DT_H_MAX_FORWARDS, p->hops, hops < 0 ? DEFAULT_HOPS : (uint64_t)hops - 1);
    if (p->f->breadth)
        edit_number(p, DT_H_MAX_BREADTH, p->breadth, p->f->breadth);
}

/* ---- Record-Route: step 4 ---- */

static void push_record(struct plan *p, unsigned i, const struct dt_addr *local)
{
    struct dt_writer w = dt_writer(p->record[i], RECORD_MAX);
    dt_write_char(&w, '<');
    dt__self_write_route(&p->w->p->self, &w, local);
    dt_write_lit(&w, ";lr;dt=");
    dt_write_hex(&w, dt__branch_call_token(p->w->p->key, p->w->m->call_id), 16);
    dt_write_char(&w, '>');
    if (w.err)
        p->edits.err = w.err;
    dt_sip_edit_push(&p->edits, DT_H_RECORD_ROUTE, dt_writer_str(&w));
}

/* Where a request may begin a dialog we stay on its path; between two sockets with a value for each
 * side (RFC 5658 3.3). */
static void edit_record(struct plan *p)
{
    enum dt_method method = p->w->m->method;
    const struct dt_addr *in = &p->w->from.local, *out = &p->f->to.local;
    if (method != DT_INVITE && method != DT_SUBSCRIBE && method != DT_REFER)
        return;
    push_record(p, 0, in);
    if (in->transport != out->transport || !dt_addr_ip_eq(in, out) || in->port != out->port)
        push_record(p, 1, out);
}

/* ---- Via: 18.2.1, RFC 3581, step 8 ---- */

static void edit_via(struct plan *p, struct dt_str branch)
{
    static const struct dt_str heads[DT_SELF_TRANSPORTS] = {{"SIP/2.0/UDP ", 12},
                                                            {"SIP/2.0/TCP ", 12}};
    const struct dt_sip_msg *m = p->w->m;
    unsigned transport = p->f->to.remote.transport;
    struct dt_writer top = dt_writer(p->top_via, sizeof p->top_via);
    struct dt_writer w = dt_writer(p->via, sizeof p->via);
    struct dt_echo echo;
    dt__echo_make(&echo, p->w->p->key, p->f->forked, branch, &m->via, &p->w->from.remote);
    dt_sip_write_via(&top, &m->via, &p->w->from.remote);
    if (!dt_str_eq(dt_writer_str(&top), m->via.text))
        dt_sip_edit_slice(&p->edits, m->via.text, dt_writer_str(&top));
    dt_write(&w, heads[transport]);
    dt_write(&w, dt__self_sent_by(&p->w->p->self, transport));
    dt_write_lit(&w, ";branch=");
    dt_write(&w, branch);
    dt_write_lit(&w, ";rport");
    if (!p->w->p->cfg->plain) {
        dt_write_lit(&w, ";dv=");
        dt_write(&w, (struct dt_str){echo.text, sizeof echo.text});
    }
    dt_sip_edit_push(&p->edits, DT_H_VIA, dt_writer_str(&w));
    if (top.err || w.err)
        p->edits.err = DT_E_LIMIT;
}

/* ---- credentials for us: consumed here (22.3), no business of who comes behind ---- */

static void edit_credentials(struct plan *p)
{
    const struct dt_sip_msg *m = p->w->m;
    const struct dt_sip_header *h = dt_sip_first(m, DT_H_PROXY_AUTHORIZATION);
    for (; h; h = dt_sip_next(m, h)) {
        struct dt_auth auth;
        if (!dt_auth_parse(&auth, dt_sip_value(m, h)) &&
            dt_str_ieq(auth.realm, p->w->p->cfg->domain))
            dt_sip_edit_remove(&p->edits, h);
    }
}

int dt__forward_build(const struct dt_proxy_work *w, const struct dt_forward *f,
                      struct dt_bytes **out, struct dt_branch_text *branch)
{
    struct plan p;
    p.w = w;
    p.f = f;
    dt_sip_edits_init(&p.edits, w->m);
    dt__branch_make(branch, w->p->key, w->m, dt__route_loop(w), f->target->uri, f->attempt);
    edit_via(&p, dt__branch_str(branch));
    edit_routes(&p);
    edit_limits(&p);
    edit_record(&p);
    edit_credentials(&p);
    return dt_sip_forward(&p.edits, w->p->env->alloc, out);
}
