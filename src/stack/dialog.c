/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dialogs (RFC 3261 12). The strings of a dialog's identity never change and lie in one block; the
 * remote target and the route set change by themselves and have blocks of their own. Whatever is
 * replaced is replaced after the new block is whole, so that a failure changes nothing. */
#include "dualtone/dialog.h"

#include <string.h>

/* ---- copies ---- */

/* Appends `s` at `*at`, line breaks of folded headers as blanks (7.3.1), and says where it lies. */
static struct dt_str put(char **at, struct dt_str s)
{
    char *start = *at;

    for (size_t i = 0; i < s.n; i++)
        start[i] = s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\t' ? ' ' : s.p[i];
    *at += s.n;
    return (struct dt_str){start, s.n};
}

/* The value of From or To without `;tag=x`. */
static size_t without_tag(const struct dt_name_addr *v, struct dt_str out[2])
{
    size_t from, to;

    out[0] = v->text;
    out[1] = DT_STR_NONE;
    if (v->tag.n == 0)
        return v->text.n;
    from = (size_t)(v->tag.p - v->text.p);
    to = from + v->tag.n;
    while (from > 0 && v->text.p[from] != ';')
        from--;
    out[0] = dt_str_trim(dt_str_sub(v->text, 0, from));
    out[1] = dt_str_sub(v->text, to, v->text.n);
    return out[0].n + out[1].n;
}

static struct dt_str put_value(char **at, const struct dt_str parts[2])
{
    struct dt_str head = put(at, parts[0]);

    return (struct dt_str){head.p, head.n + put(at, parts[1]).n};
}

static int set_identity(struct dt_dialog *d, const struct dt_sip_msg *m,
                        const struct dt_name_addr *local, const struct dt_name_addr *remote,
                        struct dt_str local_tag)
{
    struct dt_str l[2], r[2];
    size_t n = without_tag(local, l) + without_tag(remote, r);
    char *at;

    n += m->call_id.n + local_tag.n + remote->tag.n;
    at = dt_alloc_zero(d->alloc, n + 1);
    if (!at)
        return DT_E_NOMEM;
    d->identity_text = at;
    d->call_id = put(&at, m->call_id);
    d->local_tag = put(&at, local_tag);
    d->remote_tag = put(&at, remote->tag);
    d->local = put_value(&at, l);
    d->remote = put_value(&at, r);
    return DT_OK;
}

static int set_target(struct dt_dialog *d, struct dt_str uri)
{
    char *text, *at;

    if (dt_str_eq(uri, d->target))
        return DT_OK;
    at = text = dt_alloc_zero(d->alloc, uri.n + 1);
    if (!text)
        return DT_E_NOMEM;
    dt_alloc_free(d->alloc, d->target_text);
    d->target_text = text;
    d->target = put(&at, uri);
    return DT_OK;
}

/* The first Contact's URI (8.1.1.8: exactly one in what forms a dialog). */
static int contact_of(const struct dt_sip_msg *m, struct dt_str *uri)
{
    struct dt_sip_values it = dt_sip_values(m, DT_H_CONTACT);
    struct dt_name_addr c;
    struct dt_str value;

    if (!dt_sip_values_next(&it, &value))
        return DT_E_ABSENT;
    if (dt_sip_name_addr(&c, value) != DT_OK || c.star)
        return DT_E_SYNTAX;
    *uri = c.uri.text;
    return DT_OK;
}

/* ---- route set ---- */

static int count_routes(const struct dt_sip_msg *m, size_t *n, size_t *bytes)
{
    struct dt_sip_values it = dt_sip_values(m, DT_H_RECORD_ROUTE);
    struct dt_str value;

    *n = *bytes = 0;
    while (dt_sip_values_next(&it, &value)) {
        struct dt_name_addr route;
        if (dt_sip_name_addr(&route, value) != DT_OK || route.star)
            return DT_E_SYNTAX;
        if (++*n > DT_DIALOG_ROUTES_MAX)
            return DT_E_LIMIT;
        *bytes += value.n;
    }
    return DT_OK;
}

/* The Record-Route values: in order for the callee (12.1.1), reversed for the caller (12.1.2). */
static int set_routes(struct dt_dialog *d, const struct dt_sip_msg *m)
{
    struct dt_sip_values it = dt_sip_values(m, DT_H_RECORD_ROUTE);
    struct dt_str value;
    size_t n, bytes, i = 0;
    char *block, *at;
    int err = count_routes(m, &n, &bytes);

    if (err)
        return err;
    block = dt_alloc_zero(d->alloc, n * sizeof(struct dt_str) + bytes + 1);
    if (!block)
        return DT_E_NOMEM;
    dt_alloc_free(d->alloc, d->routes_text);
    d->routes_text = block;
    d->routes = (struct dt_str *)(void *)block;
    d->n_routes = n;
    at = block + n * sizeof(struct dt_str);
    for (; i < n && dt_sip_values_next(&it, &value); i++)
        d->routes[d->caller ? n - 1 - i : i] = put(&at, value);
    return DT_OK;
}

/* ---- life ---- */

void dt_dialog_clear(struct dt_dialog *d)
{
    if (d->alloc) {
        dt_alloc_free(d->alloc, d->identity_text);
        dt_alloc_free(d->alloc, d->target_text);
        dt_alloc_free(d->alloc, d->routes_text);
    }
    memset(d, 0, sizeof(*d));
}

static int finish(struct dt_dialog *d, int err)
{
    if (err)
        dt_dialog_clear(d);
    return err;
}

int dt_dialog_caller(struct dt_dialog *d, const struct dt_alloc *a,
                     const struct dt_sip_msg *request, const struct dt_sip_msg *response)
{
    struct dt_str target = request->uri_text;
    int err = contact_of(response, &target);

    memset(d, 0, sizeof(*d));
    d->alloc = a;
    d->caller = true;
    d->state = response->status < 200 ? DT_DIALOG_EARLY : DT_DIALOG_CONFIRMED;
    d->local_cseq = request->cseq.number;
    if (response->status <= 100 || response->status >= 300 || response->to.tag.n == 0 ||
        err == DT_E_SYNTAX || (err && d->state == DT_DIALOG_CONFIRMED))
        return finish(d, DT_E_SYNTAX);
    err = set_identity(d, request, &request->from, &response->to, request->from.tag);
    if (!err)
        err = set_target(d, target);
    if (!err)
        err = set_routes(d, response);
    return finish(d, err);
}

int dt_dialog_callee(struct dt_dialog *d, const struct dt_alloc *a,
                     const struct dt_sip_msg *request, struct dt_str local_tag)
{
    struct dt_str target;
    int err;

    memset(d, 0, sizeof(*d));
    d->alloc = a;
    d->state = DT_DIALOG_EARLY;
    d->remote_cseq = request->cseq.number;
    d->has_remote_cseq = true;
    if (contact_of(request, &target) != DT_OK)
        return finish(d, DT_E_SYNTAX);
    err = set_identity(d, request, &request->to, &request->from, local_tag);
    if (!err)
        err = set_target(d, target);
    if (!err)
        err = set_routes(d, request);
    return finish(d, err);
}

/* I16: the route set is fixed from here on. */
int dt_dialog_confirm(struct dt_dialog *d, const struct dt_sip_msg *response)
{
    int err = DT_OK;

    if (d->state == DT_DIALOG_NONE)
        return DT_E_STATE;
    if (d->state == DT_DIALOG_EARLY && d->caller && response) {
        err = set_routes(d, response);
        if (!err)
            err = dt_dialog_refresh(d, response);
    }
    if (!err)
        d->state = DT_DIALOG_CONFIRMED;
    return err;
}

int dt_dialog_refresh(struct dt_dialog *d, const struct dt_sip_msg *m)
{
    struct dt_str uri;
    int err = contact_of(m, &uri);

    if (err == DT_E_ABSENT)
        return DT_OK;
    return err ? err : set_target(d, uri);
}

/* ---- questions ---- */

static bool is_dialog(const struct dt_dialog *d, const struct dt_sip_msg *m,
                      const struct dt_name_addr *local, const struct dt_name_addr *remote)
{
    return d->state != DT_DIALOG_NONE && dt_str_eq(d->call_id, m->call_id) &&
           dt_str_eq(d->local_tag, local->tag) && dt_str_eq(d->remote_tag, remote->tag);
}

bool dt_dialog_has_request(const struct dt_dialog *d, const struct dt_sip_msg *m)
{
    return is_dialog(d, m, &m->to, &m->from);
}

bool dt_dialog_has_response(const struct dt_dialog *d, const struct dt_sip_msg *m)
{
    return is_dialog(d, m, &m->from, &m->to);
}

/* An equal number outside of its transaction is a copy that came by another way: no new request
 * either, so refused like a lower one. */
int dt_dialog_cseq(struct dt_dialog *d, const struct dt_sip_msg *m)
{
    if (m->method == DT_ACK || m->method == DT_CANCEL)
        return DT_OK;
    if (d->has_remote_cseq && m->cseq.number <= d->remote_cseq)
        return DT_E_RANGE;
    d->remote_cseq = m->cseq.number;
    d->has_remote_cseq = true;
    return DT_OK;
}

uint32_t dt_dialog_next_cseq(struct dt_dialog *d)
{
    return ++d->local_cseq;
}

/* ---- requests ---- */

static int first_route(const struct dt_dialog *d, struct dt_uri *out)
{
    struct dt_name_addr route;
    int err = dt_sip_name_addr(&route, d->routes[0]);

    *out = route.uri;
    return err;
}

/* Without `lr` the first hop is a strict router: it becomes the Request-URI, and the target the
 * last Route (12.2.1.1). */
static bool is_strict(const struct dt_dialog *d, struct dt_uri *first)
{
    struct dt_str value;

    return d->n_routes > 0 && first_route(d, first) == DT_OK &&
           !dt_param(first->params, "lr", &value);
}

static void write_tagged(struct dt_writer *w, const char *name, struct dt_str value,
                         struct dt_str tag)
{
    dt_write_z(w, name);
    dt_write(w, value);
    if (tag.n) {
        dt_write_lit(w, ";tag=");
        dt_write(w, tag);
    }
    dt_write_lit(w, "\r\n");
}

static void write_routes(const struct dt_dialog *d, struct dt_writer *w, bool strict)
{
    for (size_t i = strict; i < d->n_routes; i++)
        dt_sip_write_header(w, DT_H_ROUTE, d->routes[i]);
    if (!strict)
        return;
    dt_write_lit(w, "Route: <");
    dt_write(w, d->target);
    dt_write_lit(w, ">\r\n");
}

void dt_dialog_write(const struct dt_dialog *d, struct dt_writer *w, enum dt_method method,
                     uint32_t cseq, struct dt_str via)
{
    struct dt_uri first;
    bool strict = is_strict(d, &first);

    dt_sip_write_request(w, dt_str_z(dt_method_name(method)), strict ? first.text : d->target);
    dt_sip_write_header(w, DT_H_VIA, via);
    dt_write_lit(w, "Max-Forwards: 70\r\n");
    write_routes(d, w, strict);
    write_tagged(w, "From: ", d->local, d->local_tag);
    write_tagged(w, "To: ", d->remote, d->remote_tag);
    dt_sip_write_header(w, DT_H_CALL_ID, d->call_id);
    dt_write_lit(w, "CSeq: ");
    dt_write_u64(w, cseq);
    dt_write_char(w, ' ');
    dt_write_z(w, dt_method_name(method));
    dt_write_lit(w, "\r\n");
}

int dt_dialog_next_hop(const struct dt_dialog *d, struct dt_uri *out)
{
    return d->n_routes ? first_route(d, out) : dt_uri_parse(out, d->target, NULL);
}
