/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Route information (RFC 3261 16.4, design.md R4): what a strict router did to the Request-URI is
 * undone, and the Route values that name any node of the cluster are taken from the top. */
#include <string.h>

#include "proxy/work.h"

/* ---- canonical users ---- */

struct dt_str dt__user_of(const struct dt_uri *uri, char *buf, size_t size)
{
    struct dt_writer w = dt_writer(buf, size);
    dt_uri_write_unescaped(&w, uri->user);
    return w.err ? DT_STR_NONE : dt_writer_str(&w);
}

struct dt_str dt__aor_of(const struct dt_proxy *p, const struct dt_uri *uri, char buf[DT_AOR_MAX])
{
    struct dt_writer w = dt_writer(buf, DT_AOR_MAX);
    if (!uri->user.n)
        return DT_STR_NONE;
    dt_write_lit(&w, "sip:");
    dt_uri_write_unescaped(&w, uri->user);
    dt_write_char(&w, '@');
    for (size_t i = 0; i < p->cfg->domain.n; i++)
        dt_write_char(&w, dt_lower(p->cfg->domain.p[i]));
    return w.err ? DT_STR_NONE : dt_writer_str(&w);
}

/* ---- Route ---- */

static int parse_route(struct dt_uri *out, struct dt_str value)
{
    struct dt_name_addr a;
    int err = dt_sip_name_addr(&a, value);
    if (!err)
        *out = a.uri;
    return err;
}

/* Our Record-Route holds a token; with the right one the call was let in by one of us. */
static bool proves(const struct dt_proxy_work *w, const struct dt_uri *uri)
{
    struct dt_str token;
    uint64_t got;
    bool good = false;
    if (!dt_param(uri->params, "dt", &token) || token.n != 16 || dt__read_hex(token, &got))
        return false;
    for (size_t i = 0; i < w->p->keys.n; i++)
        good |= (dt__branch_call_token(w->p->keys.key[i], w->m->call_id) ^ got) == 0;
    return good;
}

/* 16.4: the Request-URI is a value that we once put into Record-Route. */
static bool is_our_route(const struct dt_proxy_work *w, const struct dt_uri *uri)
{
    struct dt_str ignored;
    return !uri->user.n && dt_param(uri->params, "lr", &ignored) &&
           dt__self_is_uri(&w->p->self, uri, &w->from.local);
}

static int read_values(struct dt_proxy_work *w)
{
    struct dt_sip_values v = dt_sip_values(w->m, DT_H_ROUTE);
    struct dt_str value;
    w->n_routes = 0;
    while (dt_sip_values_next(&v, &value)) {
        if (w->n_routes == DT_PROXY_ROUTES_MAX)
            return DT_E_LIMIT;
        w->routes[w->n_routes++] = value;
    }
    return DT_OK;
}

static int undo_strict(struct dt_proxy_work *w)
{
    if (!w->n_routes || !is_our_route(w, &w->uri))
        return DT_OK;
    w->let_through = proves(w, &w->uri);
    w->strict = true;
    int err = parse_route(&w->uri, w->routes[--w->n_routes]);
    w->uri_text = w->uri.text;
    return err;
}

static int pop_ours(struct dt_proxy_work *w)
{
    for (; w->popped < w->n_routes; w->popped++) {
        struct dt_uri uri;
        int err = parse_route(&uri, w->routes[w->popped]);
        if (err)
            return err;
        if (!dt__self_is_uri(&w->p->self, &uri, &w->from.local))
            break;
        w->let_through = w->let_through || proves(w, &uri);
    }
    w->n_routes -= w->popped;
    memmove(w->routes, w->routes + w->popped, w->n_routes * sizeof w->routes[0]);
    return DT_OK;
}

int dt__route_read(struct dt_proxy_work *w)
{
    w->uri = w->m->uri;
    w->uri_text = w->m->uri.text;
    w->popped = 0;
    w->strict = w->let_through = false;
    int err = read_values(w);
    if (!err)
        err = undo_strict(w);
    if (!err)
        err = pop_ours(w);
    if (err)
        return err;
    bool ours = dt__self_is_uri(&w->p->self, &w->uri, &w->from.local);
    w->aor = ours ? dt__aor_of(w->p, &w->uri, w->aor_buf) : DT_STR_NONE;
    w->ours = ours && !w->n_routes;
    return DT_OK;
}

/* One text for all names and addresses of ours: a phone calls each node by its address. */
uint64_t dt__route_loop(const struct dt_proxy_work *w)
{
    return dt__branch_loop(w->p->key, w->aor.n ? w->aor : w->uri_text, w->routes, w->n_routes);
}

static enum dt_step_result run(struct dt_proxy_work *w)
{
    if (dt__route_read(w))
        return dt__answer(w, DT_COUNT_ANSWERED_sanity, 400, DT_STR_NONE);
    return DT_STEP_CONTINUE;
}

const struct dt_proxy_step dt__step_route = {"route", run};
