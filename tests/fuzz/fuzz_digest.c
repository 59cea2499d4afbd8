/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any text as a challenge or as credentials, with any user, password, method and URI: what we
 * answer is parsed as what we meant and verifies, and with one thing changed it does not. Nonces
 * are only ours when we made them. The input: a value, then lines: user, password, method, URI. */
#include "dualtone/build.h"
#include "dualtone/digest.h"
#include "fuzz.h"

enum { ROOM = 1 << 14 };

/* A keyed hash in place of MD5: it tells different parts apart, and is fast. */
static int quick_hash(enum dt_hash_kind kind, const struct dt_str *parts, size_t n, uint8_t *out)
{
    struct dt_siphash h[2];
    for (unsigned half = 0; half < 2; half++) {
        const uint64_t key[2] = {half, (uint64_t)kind};
        dt_siphash_init(&h[half], key);
        for (size_t i = 0; i < n; i++)
            dt_siphash_add(&h[half], parts[i].p, parts[i].n);
        uint64_t sum = dt_siphash_end(&h[half]);
        for (unsigned i = 0; i < (kind == DT_HASH_MD5 ? 8u : 16u); i++)
            out[half * (kind == DT_HASH_MD5 ? 8u : 16u) + i] = (uint8_t)(sum >> 8 * (i % 8));
    }
    return DT_OK;
}

static void parts_inside(const struct dt_auth *a, struct dt_str whole)
{
    const struct dt_str parts[] = {a->scheme,   a->realm,  a->nonce,  a->opaque,   a->algorithm,
                                   a->qop,      a->stale,  a->domain, a->username, a->uri,
                                   a->response, a->cnonce, a->nc};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        inside(parts[i], whole);
}

struct asked {
    struct dt_credentials cred;
    struct dt_str method, uri;
};

static int verify(const struct dt_auth *a, struct dt_str user, struct dt_str password,
                  struct dt_str method)
{
    static struct dt_digest_memo memo; /* of the inputs before */
    struct dt_digest_hex ha1;
    must(dt_digest_ha1(quick_hash, a->hash, user, a->realm, password, &ha1) == DT_OK);
    return dt_digest_verify(quick_hash, a, dt_str_z(ha1.text), method, &memo);
}

/* What is written reads as it was meant, and is believed; nothing else is. */
static void answer(const struct dt_auth *challenge, const struct asked *q)
{
    static char text[ROOM];
    struct dt_writer w = dt_writer(text, sizeof text);
    struct dt_auth a;
    int err =
        dt_digest_answer(&w, quick_hash, challenge, &q->cred, q->method, q->uri, DT_STR("cafe"), 7);
    if (err)
        return;
    struct dt_str whole = dt_writer_str(&w);
    must(dt_sip_line_safe(whole));
    /* A quote in the URI or a lone backslash would not come from a message. */
    if (dt_str_find(q->uri, '"') < q->uri.n || dt_str_find(q->uri, '\\') < q->uri.n)
        return;
    must(dt_auth_parse(&a, whole) == DT_OK);
    parts_inside(&a, whole);
    must(dt_str_eq(a.realm, challenge->realm) && dt_str_eq(a.nonce, challenge->nonce));
    must(dt_str_eq(a.opaque, challenge->opaque) && a.hash == challenge->hash);
    must(dt_str_eq(a.uri, q->uri) && a.qop_auth == challenge->qop_auth);
    must(verify(&a, q->cred.user, q->cred.password, q->method) == DT_OK);
    must(verify(&a, q->cred.user, DT_STR("\1other"), q->method) == DT_E_AUTH);
    must(verify(&a, q->cred.user, q->cred.password, DT_STR("\1OTHER")) == DT_E_AUTH);
    a.uri = DT_STR("\1other");
    must(verify(&a, q->cred.user, q->cred.password, q->method) == DT_E_AUTH);
}

/* Our own challenge, with any realm. */
static void challenge(struct dt_str realm, struct dt_str nonce, const struct asked *q)
{
    static char text[ROOM];
    for (unsigned i = 0; i < 4; i++) {
        struct dt_writer w = dt_writer(text, sizeof text);
        struct dt_auth a;
        enum dt_hash_kind kind = i & 1 ? DT_HASH_MD5 : DT_HASH_SHA256;
        dt_digest_challenge(&w, realm, nonce, kind, i & 2);
        must(w.err == DT_OK && dt_auth_parse(&a, dt_writer_str(&w)) == DT_OK);
        must(dt_str_eq(a.nonce, nonce) && a.hash == kind && a.qop_auth && a.known_algorithm);
        must(dt_str_eq(a.stale, DT_STR("true")) == ((i & 2) != 0));
        must(a.realm.n >= realm.n && a.realm.n <= 2 * realm.n);
        answer(&a, q);
    }
}

static void nonces(struct dt_str text, struct dt_str realm)
{
    const struct dt_nonce_key key = {{1, 2}};
    struct dt_addr a, b;
    char made[64];
    struct dt_writer w = dt_writer(made, sizeof made);
    const int64_t wall = 1700000000;
    must(!dt_addr_parse(&a, DT_STR("192.0.2.1:1")) && !dt_addr_parse(&b, DT_STR("192.0.2.2:1")));
    must(dt_nonce_check(&key, text, wall, 60, realm, &a) == DT_E_AUTH);
    dt_nonce_write(&w, &key, wall, (uint32_t)text.n, realm, &a);
    must(w.err == DT_OK && w.n == 32);
    must(dt_nonce_check(&key, dt_writer_str(&w), wall + 60, 60, realm, &a) == DT_OK);
    must(dt_nonce_check(&key, dt_writer_str(&w), wall + 61, 60, realm, &a) == DT_E_STALE);
    must(dt_nonce_check(&key, dt_writer_str(&w), wall, 60, realm, &b) == DT_E_AUTH);
    made[text.n % 32] ^= 1;
    must(dt_nonce_check(&key, dt_writer_str(&w), wall, 60, realm, &a) == DT_E_AUTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2048)
        return 0;
    char *copy = copy_of((struct dt_str){(const char *)data, size}, 0);
    struct dt_str rest = {copy, size}, value = take_line(&rest);
    struct asked q;
    struct dt_auth a;
    q.cred.user = take_line(&rest);
    q.cred.password = take_line(&rest);
    q.method = take_line(&rest);
    q.uri = take_line(&rest);
    int err = dt_auth_parse(&a, value);
    must(err == DT_OK || err == DT_E_SYNTAX || err == DT_E_UNSUPPORTED);
    parts_inside(&a, value);
    if (!err) {
        must(verify(&a, q.cred.user, q.cred.password, q.method) == DT_E_AUTH);
        answer(&a, &q);
    }
    if (dt_sip_line_safe(value)) /* a realm comes from a configuration that was checked */
        challenge(value, DT_STR("0123456789abcdef"), &q);
    nonces(value, q.uri);
    free(copy);
    return 0;
}
