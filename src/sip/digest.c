/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Challenges and credentials as text, and the sums in them (RFC 7616 3.3, 3.4; RFC 3261 22.4;
 * RFC 8760). */
#include <string.h>

#include "dualtone/build.h"
#include "dualtone/digest.h"

/* ---- parse ---- */

/* The parameters that are looked at; a second one of a kind is an error, because two readers might
 * take different ones. */
static const struct param_rule {
    struct dt_str name;
    size_t offset;
} param_rules[] = {
#define P(field) \
    { \
        {#field, sizeof #field - 1}, offsetof(struct dt_auth, field) \
    }
    P(realm),  P(nonce),    P(opaque), P(algorithm), P(qop),    P(stale),
    P(domain), P(username), P(uri),    P(response),  P(cnonce), P(nc),
#undef P
};

static struct dt_str *find_param(struct dt_auth *a, struct dt_str name)
{
    for (size_t i = 0; i < sizeof param_rules / sizeof param_rules[0]; i++)
        if (name.n == param_rules[i].name.n && dt_str_ieq(name, param_rules[i].name))
            return (struct dt_str *)(void *)((char *)a + param_rules[i].offset);
    return NULL;
}

/* Without quotes: up to a comma or a blank. Some peers write a nonce so, with '=' or '/' in it. It
 * goes back between quotes, where a backslash would mean something else. */
static struct dt_str read_bare(struct dt_reader *r)
{
    struct dt_reader from = *r;
    while (!dt_reader_end(r) && *r->p != ',' && *r->p != '"' && *r->p != '\\' &&
           (unsigned char)*r->p > ' ')
        r->p++;
    return (struct dt_str){from.p, (size_t)(r->p - from.p)};
}

static int read_param(struct dt_auth *a, struct dt_reader *r)
{
    struct dt_str value, name = dt_reader_run(r, DT_C_TOKEN);
    dt_reader_lws(r);
    if (!name.n || !dt_reader_char(r, '='))
        return DT_E_SYNTAX;
    dt_reader_lws(r);
    if (dt_reader_peek(r) != '"')
        value = read_bare(r);
    else if (dt_reader_quoted(r, &value))
        return DT_E_SYNTAX;
    struct dt_str *to = find_param(a, name);
    if (to && to->p)
        return DT_E_SYNTAX;
    if (to)
        *to = value;
    return DT_OK;
}

static int read_params(struct dt_auth *a, struct dt_reader *r)
{
    for (;;) {
        dt_reader_lws(r);
        if (dt_reader_end(r))
            return DT_OK;
        if (dt_reader_char(r, ','))
            continue; /* an empty element of the list */
        if (read_param(a, r))
            return DT_E_SYNTAX;
        dt_reader_lws(r);
        if (!dt_reader_end(r) && !dt_reader_char(r, ','))
            return DT_E_SYNTAX;
    }
}

static bool holds_token(struct dt_str list, struct dt_str token)
{
    struct dt_reader r = dt_reader(list);
    while (!dt_reader_end(&r)) {
        if (dt_str_ieq(dt_str_trim(dt_reader_until(&r, ',')), token))
            return true;
        dt_reader_char(&r, ',');
    }
    return false;
}

static const struct algorithm {
    struct dt_str name;
    enum dt_hash_kind hash;
    unsigned bytes;
} algorithms[] = {
    [DT_HASH_MD5] = {{"MD5", 3}, DT_HASH_MD5, 16},
    [DT_HASH_SHA256] = {{"SHA-256", 7}, DT_HASH_SHA256, 32},
};
_Static_assert(DT_DIGEST_HEX_MAX >= 2 * 32, "room for the longest digest as text");

static void find_algorithm(struct dt_auth *a)
{
    a->hash = DT_HASH_MD5;
    a->known_algorithm = !a->algorithm.p; /* none named: MD5 (RFC 7616 3.3) */
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (!dt_str_ieq(a->algorithm, algorithms[i].name))
            continue;
        a->hash = algorithms[i].hash;
        a->known_algorithm = true;
    }
}

int dt_auth_parse(struct dt_auth *out, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    *out = (struct dt_auth){0};
    dt_reader_lws(&r);
    out->scheme = dt_reader_run(&r, DT_C_TOKEN);
    if (!out->scheme.n)
        return DT_E_SYNTAX;
    if (!dt_str_ieq(out->scheme, DT_STR("Digest")))
        return DT_E_UNSUPPORTED;
    int err = read_params(out, &r);
    find_algorithm(out);
    out->qop_auth = holds_token(out->qop, DT_STR("auth"));
    return err;
}

/* ---- the sums ---- */

/* H(part:part:...) as lower-case hex. */
static int hash_hex(dt_hash_fn hash, enum dt_hash_kind kind, const struct dt_str *parts, size_t n,
                    struct dt_digest_hex *out)
{
    struct dt_str joined[11]; /* six parts and five colons */
    uint8_t raw[DT_DIGEST_HEX_MAX / 2] = {0};
    size_t m = 0;
    if (!hash || kind > DT_HASH_SHA256)
        return DT_E_UNSUPPORTED;
    for (size_t i = 0; i < n; i++) {
        if (i)
            joined[m++] = DT_STR(":");
        joined[m++] = parts[i];
    }
    int err = hash(kind, joined, m, raw);
    if (err)
        return err;
    char *text = out->text;
    for (unsigned i = 0; i < algorithms[kind].bytes; i++) {
        *text++ = "0123456789abcdef"[raw[i] >> 4];
        *text++ = "0123456789abcdef"[raw[i] & 15];
    }
    *text = '\0';
    return DT_OK;
}

int dt_digest_ha1(dt_hash_fn hash, enum dt_hash_kind kind, struct dt_str user, struct dt_str realm,
                  struct dt_str password, struct dt_digest_hex *out)
{
    const struct dt_str parts[] = {user, realm, password};
    return hash_hex(hash, kind, parts, 3, out);
}

static int hash_request(dt_hash_fn hash, enum dt_hash_kind kind, struct dt_str method,
                        struct dt_str uri, struct dt_digest_hex *ha2)
{
    const struct dt_str parts[] = {method, uri};
    return hash_hex(hash, kind, parts, 2, ha2);
}

static int respond(dt_hash_fn hash, enum dt_hash_kind kind, struct dt_str ha1,
                   const struct dt_auth *a, const struct dt_digest_hex *ha2,
                   struct dt_digest_hex *out)
{
    const struct dt_str h2 = dt_str_z(ha2->text);
    const struct dt_str with_qop[] = {ha1, a->nonce, a->nc, a->cnonce, a->qop, h2};
    const struct dt_str without[] = {ha1, a->nonce, h2}; /* as RFC 2069 had it */
    return a->qop.n ? hash_hex(hash, kind, with_qop, 6, out)
                    : hash_hex(hash, kind, without, 3, out);
}

int dt_digest_response(dt_hash_fn hash, enum dt_hash_kind kind, struct dt_str ha1,
                       const struct dt_auth *a, struct dt_str method, struct dt_str uri,
                       struct dt_digest_hex *out)
{
    struct dt_digest_hex ha2;
    int err = hash_request(hash, kind, method, uri, &ha2);
    return err ? err : respond(hash, kind, ha1, a, &ha2, out);
}

/* ---- client ---- */

static void write_param(struct dt_writer *w, struct dt_str before, struct dt_str value)
{
    dt_write(w, before);
    dt_write(w, value);
    dt_write_char(w, '"');
}

static void write_credentials(struct dt_writer *w, const struct dt_auth *a, struct dt_str user)
{
    dt_write_lit(w, "Digest username=");
    dt_write_quoted(w, user);
    /* What came between quotes goes back as it was, escapes included. */
    write_param(w, DT_STR(", realm=\""), a->realm);
    write_param(w, DT_STR(", nonce=\""), a->nonce);
    write_param(w, DT_STR(", uri=\""), a->uri);
    write_param(w, DT_STR(", response=\""), a->response);
    if (a->algorithm.n) {
        dt_write_lit(w, ", algorithm=");
        dt_write(w, algorithms[a->hash].name);
    }
    if (a->qop.n) {
        write_param(w, DT_STR(", cnonce=\""), a->cnonce);
        dt_write_lit(w, ", qop=auth, nc=");
        dt_write(w, a->nc);
    }
    if (a->opaque.p)
        write_param(w, DT_STR(", opaque=\""), a->opaque);
}

static bool can_answer(const struct dt_auth *challenge)
{
    return challenge->known_algorithm && challenge->nonce.n && challenge->realm.p &&
           (!challenge->qop.n || challenge->qop_auth);
}

int dt_digest_answer(struct dt_writer *w, dt_hash_fn hash, const struct dt_auth *challenge,
                     const struct dt_credentials *cred, struct dt_str method, struct dt_str uri,
                     struct dt_str cnonce, uint32_t nc)
{
    struct dt_auth a = *challenge;
    struct dt_digest_hex ha1, response;
    char count[8];
    size_t from = w->n;
    if (!can_answer(challenge))
        return DT_E_UNSUPPORTED;
    struct dt_writer digits = dt_writer(count, sizeof count);
    dt_write_hex(&digits, nc, sizeof count);
    a.nc = dt_writer_str(&digits);
    a.cnonce = cnonce;
    a.uri = uri;
    if (a.qop.n)
        a.qop = DT_STR("auth");
    int err = dt_digest_ha1(hash, a.hash, cred->user, a.realm, cred->password, &ha1);
    if (!err)
        err = dt_digest_response(hash, a.hash, dt_str_z(ha1.text), &a, method, uri, &response);
    if (err)
        return err;
    a.response = dt_str_z(response.text);
    write_credentials(w, &a, cred->user);
    if (w->err)
        return w->err;
    return dt_sip_line_safe(dt_str_sub(dt_writer_str(w), from, w->n)) ? DT_OK : DT_E_SYNTAX;
}

/* RFC 8760 2.4 lets a client prefer by its own policy: ours is the stronger one, wherever it
 * stands. */
bool dt_digest_pick(const struct dt_sip_msg *response, struct dt_auth *out,
                    enum dt_header_id *credentials)
{
    bool proxy = response->status == 407, found = false;
    enum dt_header_id id = proxy ? DT_H_PROXY_AUTHENTICATE : DT_H_WWW_AUTHENTICATE;
    const struct dt_sip_header *h = dt_sip_first(response, id);
    for (; h; h = dt_sip_next(response, h)) {
        struct dt_auth a;
        if (dt_auth_parse(&a, dt_sip_value(response, h)) || !can_answer(&a))
            continue;
        if (found && (a.hash != DT_HASH_SHA256 || out->hash == DT_HASH_SHA256))
            continue;
        *out = a;
        found = true;
    }
    if (found)
        *credentials = proxy ? DT_H_PROXY_AUTHORIZATION : DT_H_AUTHORIZATION;
    return found;
}

/* ---- server ---- */

void dt_digest_challenge(struct dt_writer *w, struct dt_str realm, struct dt_str nonce,
                         enum dt_hash_kind hash, bool stale)
{
    dt_write_lit(w, "Digest realm=");
    dt_write_quoted(w, realm);
    write_param(w, DT_STR(", nonce=\""), nonce);
    dt_write_lit(w, ", algorithm=");
    dt_write(w, algorithms[hash].name);
    dt_write_lit(w, ", qop=\"auth\"");
    if (stale)
        dt_write_lit(w, ", stale=true");
}

/* Looks at every byte, whatever it finds. */
static bool same_secret(struct dt_str a, struct dt_str b)
{
    unsigned differ = a.n != b.n;
    for (size_t i = 0; i < a.n && i < b.n; i++)
        differ |= (unsigned char)(dt_lower(a.p[i]) ^ b.p[i]);
    return !differ;
}

static bool is_count(struct dt_str nc)
{
    size_t i = 0;
    while (i < nc.n && dt_char_is(nc.p[i], DT_C_HEX))
        i++;
    return i == 8 && nc.n == 8; /* 8LHEX (RFC 7616 3.4) */
}

/* H(method:uri), which `memo` may know. A method has no colon, so the text tells them apart. */
static int recall_request(dt_hash_fn hash, enum dt_hash_kind kind, struct dt_str method,
                          struct dt_str uri, struct dt_digest_memo *memo, struct dt_digest_hex *ha2)
{
    char text[sizeof memo->text];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_write(&w, method);
    dt_write_char(&w, ':');
    dt_write(&w, uri);
    if (!memo || w.err)
        return hash_request(hash, kind, method, uri, ha2);
    if (memo->hash != kind || !dt_str_eq(dt_writer_str(&w), (struct dt_str){memo->text, memo->n})) {
        memo->n = 0;
        int err = hash_request(hash, kind, method, uri, &memo->ha2);
        if (err)
            return err;
        memcpy(memo->text, text, w.n);
        memo->n = w.n;
        memo->hash = kind;
    }
    *ha2 = memo->ha2;
    return DT_OK;
}

int dt_digest_verify(dt_hash_fn hash, const struct dt_auth *a, struct dt_str ha1,
                     struct dt_str method, struct dt_digest_memo *memo)
{
    struct dt_digest_hex ha2, want;
    if (!a->known_algorithm || !a->response.n)
        return DT_E_AUTH;
    if (a->qop.n && (!dt_str_ieq(a->qop, DT_STR("auth")) || !a->cnonce.n || !is_count(a->nc)))
        return DT_E_AUTH;
    if (recall_request(hash, a->hash, method, a->uri, memo, &ha2) ||
        respond(hash, a->hash, ha1, a, &ha2, &want))
        return DT_E_AUTH;
    return same_secret(a->response, dt_str_z(want.text)) ? DT_OK : DT_E_AUTH;
}
