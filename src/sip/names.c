/* SPDX-License-Identifier: BSD-2-Clause
 *
 * name-addr and addr-spec with their parameters: From, To, Contact, Route and their like
 * (RFC 3261 20.10 and 25.1). */
#include "sip/parts.h"

/* Without angle brackets the URI ends at the first of these, and a '?' or ',' may not stand in it
 * (20.10): what follows ';' is the header's. */
static struct dt_str take_bare_uri(struct dt_reader *r)
{
    const char *from = r->p;
    while (r->p < r->end && (unsigned char)*r->p > ' ' && *r->p != ';' && *r->p != ',' &&
           *r->p != '?' && *r->p != '<' && *r->p != '>' && *r->p != '"')
        r->p++;
    return (struct dt_str){from, (size_t)(r->p - from)};
}

/* A display name of tokens, up to '<'. */
static int take_tokens(struct dt_reader *r, struct dt_str *display)
{
    const char *from = r->p;
    while (dt__run(r, DT_C_TOKEN).n)
        dt__skip(r);
    *display = dt__taken(from, r);
    return dt_reader_peek(r) == '<' ? DT_OK : DT_E_SYNTAX;
}

static int take_display(struct dt_reader *r, struct dt_name_addr *out)
{
    if (dt_reader_peek(r) != '"')
        return take_tokens(r, &out->display);
    if (dt_reader_quoted(r, &out->display))
        return DT_E_SYNTAX;
    dt__skip(r);
    return dt_reader_peek(r) == '<' ? DT_OK : DT_E_SYNTAX;
}

/* True if an addr-spec begins here: a scheme with its colon. A display name has none. */
static bool at_scheme(struct dt_reader r)
{
    return dt__run(&r, DT_C_TOKEN).n && dt_reader_peek(&r) == ':';
}

static int take_uri(struct dt_reader *r, struct dt_name_addr *out, bool *angle)
{
    struct dt_str text;
    *angle = !at_scheme(*r);
    if (!*angle) {
        text = take_bare_uri(r);
    } else {
        if (take_display(r, out))
            return DT_E_SYNTAX;
        dt_reader_char(r, '<');
        text = dt_reader_until(r, '>');
        if (!dt_reader_char(r, '>'))
            return DT_E_SYNTAX;
    }
    return dt_uri_parse(&out->uri, text, NULL);
}

static int take_params(struct dt_reader *r, struct dt_name_addr *out)
{
    struct dt__param p;
    unsigned n = 0;
    int more;
    dt__skip(r);
    const char *from = r->p;
    while ((more = dt__param_next(r, &p)) > 0 && ++n <= DT__PARAMS_MAX)
        if (DT__IS(p.name, "tag"))
            out->tag = p.value;
    if (more)
        return DT_E_SYNTAX;
    out->params = dt__params_taken(from, r);
    return DT_OK;
}

/* Contact only: all bindings. */
static bool take_star(struct dt_reader *r)
{
    if (r->p == r->end || *r->p != '*' || r->end - r->p > 1)
        return false;
    r->p++;
    return true;
}

int dt__name_addr_take(struct dt_reader *r, struct dt_name_addr *out, bool *angle)
{
    *angle = false;
    dt__skip(r);
    const char *from = r->p;
    bool star = take_star(r);
    out->display = out->params = out->tag = DT_STR_NONE;
    out->star = star;
    if (star)
        out->uri = (struct dt_uri){.port = 0};
    else if (take_uri(r, out, angle) || take_params(r, out))
        goto bad;
    out->text = dt__taken(from, r);
    if (dt_reader_end(r) || *r->p == ',')
        return DT_OK;
bad:
    *out = (struct dt_name_addr){.star = false};
    return DT_E_SYNTAX;
}

int dt_sip_name_addr(struct dt_name_addr *out, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    bool angle;
    return dt__name_addr_take(&r, out, &angle) || !dt_reader_end(&r) ? DT_E_SYNTAX : DT_OK;
}
