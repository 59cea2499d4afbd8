/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any text as the value of any header. The first byte names the header. As a value with structure:
 * what was parsed, written from its parts and parsed again is the same. As a line of a message: it
 * comes out as it went in, and as a list its values joined again are the same list. */
#include "dualtone/build.h"
#include "fuzz.h"

enum { ROOM = 1 << 17, PARAMS_MAX = 64 /* of a value; `received` comes on top */ };

static char text[ROOM];

/* The writer's text as an exact copy of its own; free `*copy`. */
static struct dt_str settled(const struct dt_writer *w, char **copy)
{
    must(w->err == DT_OK);
    *copy = copy_of(dt_writer_str(w), 0);
    return (struct dt_str){*copy, w->n};
}

/* Not by printf's %s: a value may hold zero bytes. */
static void between(struct dt_writer *w, const char *before, struct dt_str s, const char *behind)
{
    dt_write_z(w, before);
    dt_write(w, s);
    dt_write_z(w, behind);
}

/* ---- one function a kind of value ---- */

static void same_via(const struct dt_via *a, const struct dt_via *b)
{
    must(dt_str_eq(a->transport, b->transport) && dt_str_eq(a->host, b->host));
    must(a->port == b->port && dt_str_eq(a->params, b->params));
    must(dt_str_eq(a->branch, b->branch) && dt_str_eq(a->received, b->received));
    must(dt_str_eq(a->rport, b->rport) && a->has_rport == b->has_rport);
    must(dt_via_has_cookie(a) == dt_via_has_cookie(b));
}

static size_t count(struct dt_str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

static void via(struct dt_str s)
{
    struct dt_via v, again;
    struct dt_addr at, there = {.family = 0}, here = {.family = 0};
    struct dt_writer w = dt_writer(text, sizeof text);
    char *copy;
    if (dt_sip_via(&v, s))
        return;
    const struct dt_str parts[] = {v.text,   v.transport, v.sent_by,  v.host,
                                   v.params, v.branch,    v.received, v.rport};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        inside(parts[i], s);
    between(&w, "SIP/2.0/", v.transport, " ");
    between(&w, "", v.sent_by, v.params.n ? ";" : "");
    dt_write(&w, v.params);
    must(dt_sip_via(&again, settled(&w, &copy)) == DT_OK);
    same_via(&v, &again);
    must(dt_via_response_addr(&v, &here) == dt_via_response_addr(&again, &there));
    must(dt_addr_eq(&here, &there));
    free(copy);

    /* Passed on, it holds the source, whatever the sender wrote there. */
    must(dt_addr_parse(&at, DT_STR("192.0.2.9:4321")) == DT_OK);
    w = dt_writer(text, sizeof text);
    dt_sip_write_via(&w, &v, &at);
    if (w.err == DT_E_SYNTAX && !dt_sip_line_safe(s))
        return;
    int err = dt_sip_via(&again, settled(&w, &copy));
    must(err == DT_OK || count(s, ';') >= PARAMS_MAX);
    must(err || (dt_str_eq(again.host, v.host) && again.port == v.port));
    must(err || !dt_sip_line_safe(v.branch) || dt_str_eq(again.branch, v.branch));
    if (!err && v.has_rport)
        must(dt_str_eq(again.rport, DT_STR("4321")) &&
             dt_str_eq(again.received, DT_STR("192.0.2.9")));
    free(copy);
}

static void name_addr(struct dt_str s)
{
    struct dt_name_addr a, again;
    struct dt_writer w = dt_writer(text, sizeof text);
    char *copy;
    if (dt_sip_name_addr(&a, s))
        return;
    const struct dt_str parts[] = {a.text, a.display, a.params, a.tag, a.uri.text};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        inside(parts[i], s);
    if (a.star)
        return;
    between(&w, "\"", a.display, "\" ");
    between(&w, "<", a.uri.text, a.params.n ? ">;" : ">");
    dt_write(&w, a.params);
    must(dt_sip_name_addr(&again, settled(&w, &copy)) == DT_OK);
    must(dt_str_eq(a.display, again.display) && dt_str_eq(a.uri.text, again.uri.text));
    must(dt_str_eq(a.params, again.params) && dt_str_eq(a.tag, again.tag));
    must(dt_uri_eq(&a.uri, &again.uri));
    free(copy);
}

static void numbers(struct dt_str s)
{
    struct dt_cseq c, again;
    uint32_t n, m;
    char *copy;
    struct dt_writer w = dt_writer(text, sizeof text);
    if (dt_sip_cseq(&c, s) == DT_OK) {
        dt_writef(&w, "%u %.*s", c.number, DT_FMT(c.method_text));
        must(dt_sip_cseq(&again, settled(&w, &copy)) == DT_OK);
        must(c.number == again.number && c.method == again.method && c.number < 1u << 31);
        must(dt_str_eq(c.method_text, again.method_text));
        free(copy);
    }
    w = dt_writer(text, sizeof text);
    if (dt_sip_number(&n, s) == DT_OK) {
        must(dt_sip_retry_after(&m, s) == DT_OK && m == n);
        dt_write_u64(&w, n);
        must(dt_sip_number(&m, dt_writer_str(&w)) == DT_OK && m == n);
    }
}

static void others(struct dt_str s)
{
    struct dt_media_type t, t2;
    struct dt_warning warn, warn2;
    char *copy;
    struct dt_writer w = dt_writer(text, sizeof text);
    if (dt_sip_media_type(&t, s) == DT_OK) {
        inside(t.params, s);
        dt_write(&w, t.type);
        between(&w, "/", t.subtype, t.params.n ? ";" : "");
        dt_write(&w, t.params);
        must(dt_sip_media_type(&t2, settled(&w, &copy)) == DT_OK);
        must(dt_str_eq(t.type, t2.type) && dt_str_eq(t.subtype, t2.subtype) &&
             dt_str_eq(t.params, t2.params));
        free(copy);
    }
    w = dt_writer(text, sizeof text);
    if (dt_sip_warning(&warn, s) == DT_OK) {
        dt_writef(&w, "%03u ", warn.code);
        dt_write(&w, warn.agent);
        between(&w, " \"", warn.text, "\"");
        must(dt_sip_warning(&warn2, settled(&w, &copy)) == DT_OK);
        must(warn.code == warn2.code && dt_str_eq(warn.agent, warn2.agent) &&
             dt_str_eq(warn.text, warn2.text));
        free(copy);
    }
}

/* ---- as a line of a message ---- */

struct parsed {
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    char *copy;
};

static int parse(struct parsed *p, const struct dt_writer *w)
{
    must(w->err == DT_OK);
    p->copy = copy_of(dt_writer_str(w), DT_PAD);
    return dt_sip_parse(&p->m, (struct dt_str){p->copy, w->n}, p->headers, DT_MSG_HEADERS_MAX);
}

/* The parser takes control characters at the ends for blanks. */
static struct dt_str trimmed(struct dt_str s)
{
    while (s.n && (unsigned char)s.p[s.n - 1] <= ' ')
        s.n--;
    while (s.n && (unsigned char)s.p[0] <= ' ')
        s = dt_str_sub(s, 1, s.n);
    return s;
}

/* All values of the list, joined by commas. */
static void join(struct dt_writer *w, const struct dt_sip_msg *m, enum dt_header_id id)
{
    struct dt_sip_values v = dt_sip_values(m, id);
    struct dt_str value;
    for (size_t n = 0; dt_sip_values_next(&v, &value); n++) {
        must(value.n > 0);
        inside(value, dt_sip_value(m, v.line));
        dt_write_z(w, n ? ", " : "");
        dt_write(w, value);
    }
}

static void list(const struct dt_sip_msg *m, enum dt_header_id id)
{
    static char joined[ROOM];
    static struct parsed again;
    struct dt_writer all = dt_writer(joined, sizeof joined), w = dt_writer(text, sizeof text);
    struct dt_sip_values a = dt_sip_values(m, id), b;
    struct dt_str x, y;
    join(&all, m, id);
    if (!all.n || all.err)
        return;
    dt_sip_write_request(&w, DT_STR("OPTIONS"), DT_STR("sip:h"));
    dt_write_z(&w, dt_header_name(id));
    between(&w, ": ", dt_writer_str(&all), "\r\n\r\n");
    must(parse(&again, &w) == DT_OK);
    b = dt_sip_values(&again.m, id);
    while (dt_sip_values_next(&a, &x))
        must(dt_sip_values_next(&b, &y) && dt_str_eq(trimmed(x), trimmed(y)));
    must(!dt_sip_values_next(&b, &y));
    free(again.copy);
}

static void line(struct dt_str s, enum dt_header_id id)
{
    static struct parsed p;
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_sip_write_request(&w, DT_STR("OPTIONS"), DT_STR("sip:h"));
    dt_sip_write_header(&w, id, s);
    must((w.err == DT_E_SYNTAX) == !dt_sip_line_safe(s));
    if (w.err)
        return;
    dt_write_lit(&w, "\r\n");
    if (parse(&p, &w) == DT_OK) {
        must(p.m.n == 1 && p.m.headers[0].id == id);
        must(dt_str_eq(trimmed(dt_sip_get(&p.m, id)), trimmed(s)));
        list(&p.m, id);
    }
    free(p.copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dt_str in = {(const char *)data, size};
    enum dt_header_id id = (enum dt_header_id)(1 + take_byte(&in) % (DT_H_COUNT - 1));
    if (in.n > 4096)
        return 0;
    char *copy = copy_of(in, 0);
    struct dt_str s = {copy, in.n};
    via(s);
    name_addr(s);
    numbers(s);
    others(s);
    line(s, id);
    free(copy);
    return 0;
}
