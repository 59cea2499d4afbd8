/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nonces without memory (design.md R14): eight hex digits of time, eight of salt, sixteen of a
 * keyed hash over both, the realm and the client's IP. Any node that has the key can check one; the
 * port is left out, because a client behind NAT changes it. */
#include "dualtone/digest.h"

enum { TIME_DIGITS = 8, SALT_DIGITS = 8, MAC_DIGITS = 16 };

struct nonce {
    uint32_t time, salt; /* seconds of Unix time, modulo 2**32 */
    uint64_t mac;
};

static uint64_t nonce_mac(const struct dt_nonce_key *key, const struct nonce *n,
                          struct dt_str realm, const struct dt_addr *source)
{
    struct dt_siphash h;
    uint8_t head[8];
    for (unsigned i = 0; i < 4; i++) {
        head[i] = (uint8_t)(n->time >> 8 * i);
        head[4 + i] = (uint8_t)(n->salt >> 8 * i);
    }
    dt_siphash_init(&h, key->key);
    dt_siphash_add(&h, head, sizeof head);
    dt_siphash_add_str(&h, realm);
    dt_siphash_add(&h, &source->family, 1);
    dt_siphash_add(&h, source->ip, sizeof source->ip);
    return dt_siphash_end(&h);
}

void dt_nonce_write(struct dt_writer *w, const struct dt_nonce_key *key, int64_t wall,
                    uint32_t salt, struct dt_str realm, const struct dt_addr *source)
{
    struct nonce n = {.time = (uint32_t)(uint64_t)wall, .salt = salt};
    dt_write_hex(w, n.time, TIME_DIGITS);
    dt_write_hex(w, n.salt, SALT_DIGITS);
    dt_write_hex(w, nonce_mac(key, &n, realm, source), MAC_DIGITS);
}

/* Exactly `digits` lower-case hex digits: one nonce has one spelling. */
static bool read_hex(struct dt_reader *r, size_t digits, uint64_t *out)
{
    struct dt_str text;
    uint64_t value = 0;
    if (!dt_reader_take(r, digits, &text))
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = text.p[i];
        if (!dt_is_digit(c) && (c < 'a' || c > 'f'))
            return false;
        value = value << 4 | (uint64_t)(dt_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *out = value;
    return true;
}

static bool read_nonce(struct dt_str text, struct nonce *n)
{
    struct dt_reader r = dt_reader(text);
    uint64_t time, salt;
    if (!read_hex(&r, TIME_DIGITS, &time) || !read_hex(&r, SALT_DIGITS, &salt) ||
        !read_hex(&r, MAC_DIGITS, &n->mac) || !dt_reader_end(&r))
        return false;
    n->time = (uint32_t)time;
    n->salt = (uint32_t)salt;
    return true;
}

int dt_nonce_check(const struct dt_nonce_key *key, struct dt_str nonce, int64_t wall, int64_t life,
                   struct dt_str realm, const struct dt_addr *source)
{
    struct nonce n;
    /* One comparison of two words takes the same time wherever they differ. */
    if (!read_nonce(nonce, &n) || n.mac != nonce_mac(key, &n, realm, source))
        return DT_E_AUTH;
    int64_t age = (int32_t)((uint32_t)(uint64_t)wall - n.time);
    /* The other node of a pair may have made it by a clock that is a little ahead. */
    return age > life || age < -life ? DT_E_STALE : DT_OK;
}

uint64_t dt_nonce_id(struct dt_str nonce)
{
    struct nonce n;
    return read_nonce(nonce, &n) ? n.mac : 0;
}
