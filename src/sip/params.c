/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters, and the host and port of a URI or a Via. */
#include <string.h>

#include "sip/parts.h"

/* The characters of a value without quotes: token and host of the grammar, and what peers send
 * besides (base64 ends in '='). */
static struct dt_str take_value(struct dt_reader *r)
{
    const char *from = r->p;
    do
        dt__run(r, DT_C_TOKEN | DT_C_PARAM);
    while (dt_reader_char(r, '=') || dt_reader_char(r, '@') || dt_reader_char(r, '?'));
    return (struct dt_str){from, (size_t)(r->p - from)};
}

int dt__param_next(struct dt_reader *r, struct dt__param *out)
{
    dt__skip(r);
    if (!dt_reader_char(r, ';'))
        return 0;
    dt__skip(r);
    out->name = dt__run(r, DT_C_TOKEN);
    out->value = DT_STR_NONE;
    if (!out->name.n)
        return DT_E_SYNTAX;
    dt__skip(r);
    if (!dt_reader_char(r, '='))
        return 1;
    dt__skip(r);
    if (dt_reader_peek(r) == '"') {
        if (dt_reader_quoted(r, &out->value))
            return DT_E_SYNTAX;
    } else {
        out->value = take_value(r);
        if (!out->value.n)
            return DT_E_SYNTAX;
    }
    dt__skip(r);
    return 1;
}

/* A value of dt_param, which also serves URIs: all up to the next ';'. */
static struct dt_str take_any_value(struct dt_reader *r)
{
    struct dt_str value;
    dt__skip(r);
    if (dt_reader_peek(r) == '"' && dt_reader_quoted(r, &value) == DT_OK)
        return value;
    return dt_str_trim(dt_reader_until(r, ';'));
}

bool dt_param(struct dt_str params, const char *name, struct dt_str *value)
{
    struct dt_reader r = dt_reader(params);
    struct dt_str want = dt_str_z(name);
    while (!dt_reader_end(&r)) {
        dt__skip(&r);
        struct dt_str found = dt_reader_run(&r, DT_C_TOKEN | DT_C_PARAM);
        struct dt_str text = {r.p, 0};
        dt__skip(&r);
        if (dt_reader_char(&r, '='))
            text = take_any_value(&r);
        if (dt_str_ieq(found, want)) {
            *value = text;
            return true;
        }
        dt_reader_until(&r, ';');
        dt_reader_char(&r, ';');
    }
    return false;
}

/* ---- host and port ---- */

int dt__ip6_take(struct dt_reader *r, struct dt_str *host)
{
    struct dt_addr addr;
    *host = dt_reader_until(r, ']');
    if (!dt_reader_char(r, ']') || dt_str_find(*host, ':') == host->n)
        return DT_E_SYNTAX;
    return dt__host_addr(*host, &addr) ? DT_E_SYNTAX : DT_OK;
}

int dt__port_take(struct dt_reader *r, uint16_t *port)
{
    uint64_t n;
    if (dt_reader_u64(r, UINT16_MAX, &n) || !n)
        return DT_E_SYNTAX;
    *port = (uint16_t)n;
    return DT_OK;
}

int dt__host_addr(struct dt_str host, struct dt_addr *out)
{
    char text[DT_ADDR_TEXT_MAX];
    size_t at = dt_str_find(host, ':'); /* which most have not */
    if (at < host.n)
        at = dt_str_search(host, DT_STR(":::"));
    if (at < host.n && host.n <= sizeof text) { /* RFC 5118 4.10 */
        memcpy(text, host.p, at);
        memcpy(text + at, host.p + at + 1, host.n - at - 1);
        host = (struct dt_str){text, host.n - 1};
    }
    return dt_addr_parse(out, host) || out->port ? DT_E_ABSENT : DT_OK;
}
