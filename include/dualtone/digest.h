/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Digest authentication: RFC 3261 22, RFC 7616, RFC 8760. MD5 and SHA-256, qop auth and none. The
 * hash function is handed in (dt_env.hash). */
#ifndef DUALTONE_DIGEST_H
#define DUALTONE_DIGEST_H

#include "dualtone/msg.h"

enum { DT_DIGEST_HEX_MAX = 64 };
/* A fixed type with room for the longest digest as text (reliability.md: CVE-2022-24754). */
struct dt_digest_hex {
    char text[DT_DIGEST_HEX_MAX + 1]; /* NUL-terminated */
};

/* A challenge or credentials, values without quotes. Unknown parameters are passed over. */
struct dt_auth {
    struct dt_str scheme, realm, nonce, opaque, algorithm, qop, stale, domain;
    struct dt_str username, uri, response, cnonce, nc;
    enum dt_hash_kind hash;
    bool known_algorithm; /* MD5, SHA-256, or none named (MD5) */
    bool qop_auth;        /* the qop list (challenge) or value (credentials) holds "auth" */
};
/* Parse the value of Authorization, WWW-Authenticate or their sisters. DT_OK; DT_E_SYNTAX;
 * DT_E_UNSUPPORTED for a scheme that is not Digest. */
int dt_auth_parse(struct dt_auth *out, struct dt_str value);

/* H(user:realm:password), as the subscribers' file keeps it. */
int dt_digest_ha1(dt_hash_fn hash, enum dt_hash_kind kind, struct dt_str user, struct dt_str realm,
                  struct dt_str password, struct dt_digest_hex *out);

/* The response value (RFC 7616 3.4.1); `qop` empty: the old form without cnonce and nc. */
int dt_digest_response(dt_hash_fn hash, enum dt_hash_kind kind, struct dt_str ha1,
                       const struct dt_auth *a, struct dt_str method, struct dt_str uri,
                       struct dt_digest_hex *out);

/* ---- client ---- */

struct dt_credentials {
    struct dt_str user, password;
};
/* Writes the value of (Proxy-)Authorization that answers `challenge`. `nc` counts from 1; `cnonce`
 * is used with qop only. DT_OK, DT_E_UNSUPPORTED (algorithm or qop not known, no nonce),
 * DT_E_LIMIT, DT_E_SYNTAX (a value would end the header's line). */
int dt_digest_answer(struct dt_writer *w, dt_hash_fn hash, const struct dt_auth *challenge,
                     const struct dt_credentials *cred, struct dt_str method, struct dt_str uri,
                     struct dt_str cnonce, uint32_t nc);
/* Picks the best challenge of a 401 or 407 that we can answer (SHA-256 before MD5, RFC 8760 2.4);
 * false if there is none. `*credentials` is the header that the answer goes into. */
bool dt_digest_pick(const struct dt_sip_msg *response, struct dt_auth *out,
                    enum dt_header_id *credentials);

/* ---- server: stateless keyed nonces (design.md R14) ---- */

struct dt_nonce_key {
    uint64_t key[2];
};
/* The nonce of this second: time, salt and a keyed hash of (time, salt, realm, source IP without
 * its port). Writes 32 hex digits. `wall` is in seconds of Unix time. */
void dt_nonce_write(struct dt_writer *w, const struct dt_nonce_key *key, int64_t wall,
                    uint32_t salt, struct dt_str realm, const struct dt_addr *source);
/* DT_OK; DT_E_STALE when it is ours but older than `life` seconds, or by a clock that is further
 * ahead; DT_E_AUTH when it is not ours. */
int dt_nonce_check(const struct dt_nonce_key *key, struct dt_str nonce, int64_t wall, int64_t life,
                   struct dt_str realm, const struct dt_addr *source);
/* What tells a nonce that dt_nonce_check found good from all others: its keyed hash, so nobody can
 * aim. */
uint64_t dt_nonce_id(struct dt_str nonce);
/* Writes a challenge: Digest realm="", nonce="", algorithm=, qop="auth"[, stale=true]. */
void dt_digest_challenge(struct dt_writer *w, struct dt_str realm, struct dt_str nonce,
                         enum dt_hash_kind hash, bool stale);
/* H(method:uri) of the request that was checked last: nearly all REGISTERs have the same. Nothing
 * in it is secret. All zero at first. */
struct dt_digest_memo {
    char text[128];
    size_t n; /* 0: of none */
    enum dt_hash_kind hash;
    struct dt_digest_hex ha2;
};
/* Are these credentials right for this method, by `ha1` (hex)? Compares in constant time. DT_OK or
 * DT_E_AUTH. The caller checks nonce, realm and that `a->uri` fits the request. `memo` may be NULL.
 */
int dt_digest_verify(dt_hash_fn hash, const struct dt_auth *a, struct dt_str ha1,
                     struct dt_str method, struct dt_digest_memo *memo);

#endif
