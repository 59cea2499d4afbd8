/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Credentials of a call or a registration (RFC 3261 22). A challenge is only ever taken from the
 * response to a request of ours that is under way, never from what else comes along
 * (CVE-2021-41158). It is kept, so that the next request of the call goes right away with the same
 * nonce and the next count (RFC 7616 3.4). */
#include "ua/core.h"

#include <string.h>

static void drop(struct dt__challenge *c, const struct dt_alloc *alloc)
{
    dt_alloc_free(alloc, c->text);
    memset(c, 0, sizeof(*c));
}

void dt__auth_clear(struct dt__auth *a, const struct dt_alloc *alloc)
{
    for (size_t i = 0; i < a->n; i++)
        drop(&a->list[i], alloc);
    a->n = 0;
}

/* The place for this realm: its own, a new one, or NULL when there are too many. */
static struct dt__challenge *place(struct dt__auth *a, enum dt_header_id header,
                                   struct dt_str realm)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->list[i].header == header && dt_str_eq(a->list[i].auth.realm, realm))
            return &a->list[i];
    return a->n < DT__CHALLENGES ? &a->list[a->n] : NULL;
}

/* The text of the challenge that dt_digest_pick chose: the value that its slices lie in. */
static struct dt_str value_of(const struct dt_sip_msg *m, enum dt_header_id header,
                              const struct dt_auth *picked)
{
    enum dt_header_id id =
        header == DT_H_AUTHORIZATION ? DT_H_WWW_AUTHENTICATE : DT_H_PROXY_AUTHENTICATE;

    for (const struct dt_sip_header *h = dt_sip_first(m, id); h; h = dt_sip_next(m, h)) {
        struct dt_str v = dt_sip_value(m, h);
        if (picked->scheme.p >= v.p && picked->scheme.p < v.p + v.n)
            return v;
    }
    return DT_STR_NONE;
}

int dt__auth_take(struct dt__auth *a, struct dt_ua *ua, const struct dt_credentials *cred,
                  const struct dt_sip_msg *m, bool answered_before)
{
    struct dt_auth picked;
    enum dt_header_id header;
    struct dt__challenge *c;
    bool refused;
    char *text;

    if (!ua->env->hash || cred->user.n == 0 || !dt_digest_pick(m, &picked, &header))
        return DT_E_AUTH;
    c = place(a, header, picked.realm);
    if (!c)
        return DT_E_LIMIT;
    /* The same nonce again, not stale: these credentials are wrong (RFC 7616 3.3, `stale`). */
    refused = answered_before && c->text && dt_str_eq(c->auth.nonce, picked.nonce) &&
              !dt_str_ieq(picked.stale, DT_STR("true"));
    if (refused)
        return DT_E_AUTH;
    text = dt_alloc_text(ua->env->alloc, value_of(m, header, &picked));
    if (!text)
        return DT_E_NOMEM;
    if (c == &a->list[a->n])
        a->n++;
    else
        drop(c, ua->env->alloc);
    c->text = text;
    c->header = header;
    c->nc = 0;
    return dt_auth_parse(&c->auth, dt_str_z(text));
}

static void write_line(struct dt_writer *w, struct dt__challenge *c, struct dt_ua *ua,
                       const struct dt_credentials *cred, struct dt_str method, struct dt_str uri)
{
    char cnonce[DT__TOKEN];
    int err;

    dt__ua_token(ua, cnonce);
    dt_write_z(w, dt_header_name(c->header));
    dt_write_lit(w, ": ");
    err = dt_digest_answer(w, ua->env->hash, &c->auth, cred, method, uri, dt__token_str(cnonce),
                           ++c->nc);
    if (err && !w->err)
        w->err = err;
    dt_write_lit(w, "\r\n");
}

int dt__auth_lines(struct dt__auth *a, struct dt_ua *ua, const struct dt_credentials *cred,
                   struct dt_str method, struct dt_str uri, struct dt_bytes **out)
{
    char buf[4096];
    struct dt_writer w = dt_writer(buf, sizeof(buf));

    *out = NULL;
    if (a->n == 0)
        return DT_OK;
    for (size_t i = 0; i < a->n; i++)
        write_line(&w, &a->list[i], ua, cred, method, uri);
    if (w.err)
        return w.err;
    *out = dt_bytes_copy(ua->env->alloc, dt_writer_str(&w));
    return *out ? DT_OK : DT_E_NOMEM;
}
