/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Header values with structure, but for name-addr (names.c). */
#include "sip/parts.h"

/* ---- Via ---- */

/* A token and the '/' behind it, blanks around both. */
static bool take_part(struct dt_reader *r)
{
    bool token = dt__run(r, DT_C_TOKEN).n > 0;
    dt__skip(r);
    bool slash = dt_reader_char(r, '/');
    dt__skip(r);
    return token && slash;
}

/* sent-protocol: SIP / 2.0 / transport (RFC 3261 25.1). Name and version may be any token: who
 * sends SIP/7.0 says so in its Via too, and its 505 must find the way back. */
static int take_protocol(struct dt_reader *r, struct dt_via *v)
{
    dt__skip(r);
    if (!take_part(r) || !take_part(r))
        return DT_E_SYNTAX;
    v->transport = dt__run(r, DT_C_TOKEN);
    bool blank = dt_reader_peek(r) >= 0 && dt_reader_peek(r) <= ' ';
    dt__skip(r);
    return blank && v->transport.n ? DT_OK : DT_E_SYNTAX;
}

static int take_sent_by(struct dt_reader *r, struct dt_via *v)
{
    const char *from = r->p;
    bool v6;
    if (dt__host_take(r, &v->host, &v6))
        return DT_E_SYNTAX;
    const char *to = r->p;
    dt__skip(r);
    if (dt_reader_char(r, ':')) {
        dt__skip(r);
        if (dt__port_take(r, &v->port))
            return DT_E_SYNTAX;
        to = r->p;
    }
    v->sent_by = (struct dt_str){from, (size_t)(to - from)};
    return DT_OK;
}

static void note_via_param(struct dt_via *v, const struct dt__param *p)
{
    if (DT__IS(p->name, "branch")) {
        v->branch = p->value;
    } else if (DT__IS(p->name, "rport")) {
        v->has_rport = true;
        v->rport = p->value;
    } else if (DT__IS(p->name, "received")) {
        v->received = p->value;
    }
}

static bool at_end(const struct dt_reader *r)
{
    return dt_reader_end(r) || *r->p == ',';
}

int dt__via_take(struct dt_reader *r, struct dt_via *out)
{
    struct dt__param p;
    unsigned n = 0;
    int more;
    *out = (struct dt_via){.port = 0};
    dt__skip(r);
    const char *from = r->p;
    if (take_protocol(r, out) || take_sent_by(r, out))
        return DT_E_SYNTAX;
    dt__skip(r);
    const char *params = r->p;
    while ((more = dt__param_next(r, &p)) > 0 && ++n <= DT__PARAMS_MAX)
        note_via_param(out, &p);
    if (more || !at_end(r))
        return DT_E_SYNTAX;
    out->params = dt__params_taken(params, r);
    out->text = dt__taken(from, r);
    return DT_OK;
}

int dt_sip_via(struct dt_via *out, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    return dt__via_take(&r, out) || !dt_reader_end(&r) ? DT_E_SYNTAX : DT_OK;
}

bool dt_via_has_cookie(const struct dt_via *v)
{
    const struct dt_str cookie = DT_STR("z9hG4bK"); /* RFC 3261 8.1.1.7, in any case as a token */
    return v->branch.n > cookie.n && dt_str_ieq(dt_str_sub(v->branch, 0, cookie.n), cookie);
}

/* IPv6 in `received` came with brackets in some (RFC 5118 4.5). */
static int received_addr(struct dt_str text, struct dt_addr *out)
{
    if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = dt_str_sub(text, 1, text.n - 2);
    return dt__host_addr(text, out);
}

int dt_via_response_addr(const struct dt_via *v, struct dt_addr *out)
{
    struct dt_addr a;
    uint64_t port = v->port ? v->port : 5060;
    bool tcp = dt_str_ieq(v->transport, DT_STR("TCP"));
    if (!tcp && !dt_str_ieq(v->transport, DT_STR("UDP")))
        return DT_E_UNSUPPORTED;
    if (received_addr(v->received, &a) && dt__host_addr(v->host, &a))
        return DT_E_ABSENT;
    if (dt_str_u64(v->rport, UINT16_MAX, &port) == DT_OK && !port)
        return DT_E_ABSENT;
    a.port = (uint16_t)port;
    a.transport = tcp ? DT_TCP : DT_UDP;
    *out = a;
    return DT_OK;
}

/* ---- numbers ---- */

int dt_sip_cseq(struct dt_cseq *out, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    uint64_t number;
    if (dt_reader_u64(&r, INT32_MAX, &number)) /* below 2**31 (RFC 3261 8.1.1.5) */
        return DT_E_SYNTAX;
    size_t digits = dt_reader_at(&r);
    dt__skip(&r);
    bool blank = dt_reader_at(&r) > digits;
    out->number = (uint32_t)number;
    out->method_text = dt__run(&r, DT_C_TOKEN);
    out->method = dt_method_find(out->method_text);
    return blank && out->method_text.n && dt_reader_end(&r) ? DT_OK : DT_E_SYNTAX;
}

int dt_sip_number(uint32_t *out, struct dt_str value)
{
    uint64_t n;
    int err = dt_str_u64(value, UINT32_MAX, &n);
    if (!err)
        *out = (uint32_t)n;
    return err;
}

int dt_sip_retry_after(uint32_t *out, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    uint64_t n;
    int err = dt_reader_u64(&r, UINT32_MAX, &n);
    if (err)
        return err;
    dt__skip(&r);
    int next = dt_reader_peek(&r);
    if (next >= 0 && next != ';' && next != '(')
        return DT_E_SYNTAX;
    *out = (uint32_t)n;
    return DT_OK;
}

/* ---- media type, warning ---- */

int dt_sip_media_type(struct dt_media_type *out, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    struct dt__param p;
    int more;
    unsigned n = 0;
    out->type = dt_reader_run(&r, DT_C_TOKEN);
    dt__skip(&r);
    if (!out->type.n || !dt_reader_char(&r, '/'))
        return DT_E_SYNTAX;
    dt__skip(&r);
    out->subtype = dt_reader_run(&r, DT_C_TOKEN);
    dt__skip(&r);
    const char *params = r.p;
    while ((more = dt__param_next(&r, &p)) > 0 && ++n <= DT__PARAMS_MAX)
        ;
    if (!out->subtype.n || more || !dt_reader_end(&r))
        return DT_E_SYNTAX;
    out->params = dt__params_taken(params, &r);
    return DT_OK;
}

/* Three digits, an agent, a quoted text, one SP between them (RFC 3261 20.43). */
int dt_sip_warning(struct dt_warning *out, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    struct dt_str code = dt_reader_run(&r, DT_C_DIGIT);
    uint64_t n;
    if (code.n != 3 || dt_str_u64(code, 999, &n) || !dt_reader_char(&r, ' '))
        return DT_E_SYNTAX;
    dt__skip(&r);
    out->code = (unsigned)n;
    out->agent = dt_reader_until(&r, ' ');
    dt__skip(&r);
    if (!out->agent.n || dt_reader_quoted(&r, &out->text))
        return DT_E_SYNTAX;
    dt__skip(&r);
    return dt_reader_end(&r) ? DT_OK : DT_E_SYNTAX;
}
