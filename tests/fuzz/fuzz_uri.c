/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any text as a URI: parts lie inside, a URI equals itself and what is written from it parses
 * again. The input is one URI, or two with a line end between them, which are compared. */
#include "dualtone/uri.h"
#include "fuzz.h"

/* Escaped again, the user part is a user part that means the same. */
static void user(const struct dt_uri *u)
{
    char plain[1024], text[4096], again[1024];
    struct dt_writer p = dt_writer(plain, sizeof plain), w = dt_writer(text, sizeof text),
                     a = dt_writer(again, sizeof again);
    struct dt_uri v;
    dt_uri_write_unescaped(&p, u->user);
    if (!u->has_user || p.err)
        return;
    dt_write_lit(&w, "sip:");
    dt_uri_write_user(&w, dt_writer_str(&p));
    dt_write_lit(&w, "@h");
    must(!w.err && dt_uri_parse(&v, dt_writer_str(&w), NULL) == DT_OK);
    dt_uri_write_unescaped(&a, v.user);
    must(!a.err && dt_str_eq(dt_writer_str(&a), dt_writer_str(&p)));
}

static bool parse(struct dt_uri *u, struct dt_str text)
{
    size_t at = SIZE_MAX;
    if (dt_uri_parse(u, text, &at)) {
        must(at <= text.n);
        return false;
    }
    const struct dt_str parts[] = {u->text,     u->scheme_text, u->user,   u->host,
                                   u->password, u->params,      u->headers};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        inside(parts[i], text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1), key[512];
    must(text != NULL);
    if (size)
        memcpy(text, data, size);
    struct dt_str all = {text, size}, value;
    size_t line = dt_str_find(all, '\n');
    struct dt_uri a, b;
    struct dt_addr addr;
    bool first = parse(&a, dt_str_sub(all, 0, line));
    bool second = parse(&b, dt_str_sub(all, line + 1, size));
    if (first) {
        struct dt_writer w = dt_writer(key, sizeof key);
        must(dt_uri_eq(&a, &a));
        dt_uri_write_aor(&w, &a);
        dt_uri_addr(&a, &addr);
        if (dt_param(a.params, "transport", &value))
            inside(value, a.params);
        user(&a);
    }
    if (first && second)
        must(dt_uri_eq(&a, &b) == dt_uri_eq(&b, &a));
    free(text);
    return 0;
}
