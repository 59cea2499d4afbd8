/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). */
#include "dualtone/base.h"

static uint64_t rotl(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

/* Written out where it is used, so that `v` can stay in registers. */
static inline void one_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

static inline void block(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    one_round(v);
    one_round(v);
    v[0] ^= m;
}

void dt_siphash_init(struct dt_siphash *h, const uint64_t key[2])
{
    *h = (struct dt_siphash){
        .v = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573},
    };
}

/* Compilers make one load of it. */
static uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* The `n` bytes at `p`, fewer than eight; `before` is how many more may be read in front of them.
 */
static uint64_t load_tail(const uint8_t *p, size_t n, size_t before)
{
    uint64_t m = 0;
    if (n && n + before >= 8)
        return load_le64(p + n - 8) >> (64 - 8 * n);
    while (n)
        m = m << 8 | p[--n];
    return m;
}

void dt_siphash_add(struct dt_siphash *h, const void *p, size_t n)
{
    const uint8_t *in = p;
    uint64_t v[4] = {h->v[0], h->v[1], h->v[2], h->v[3]}; /* in registers */
    uint64_t tail = h->tail;                              /* bytes that wait for their block */
    const size_t waiting = h->n & 7;
    const unsigned up = 8 * (unsigned)waiting, down = (64 - up) & 63;
    const uint64_t keep = waiting ? UINT64_MAX : 0;
    h->n += n;
    for (; n >= 8; n -= 8, in += 8) {
        uint64_t m = load_le64(in);
        block(v, tail | m << up);
        tail = m >> down & keep;
    }
    uint64_t m = load_tail(in, n, (size_t)(in - (const uint8_t *)p));
    tail |= m << up;
    if (waiting + n >= 8) {
        block(v, tail);
        tail = m >> down;
    }
    h->tail = tail;
    for (unsigned i = 0; i < 4; i++)
        h->v[i] = v[i];
}

void dt_siphash_add_str(struct dt_siphash *h, struct dt_str s)
{
    const unsigned up = 8 * (unsigned)(h->n & 7); /* its length as eight bytes more */
    block(h->v, h->tail | (uint64_t)s.n << up);
    h->tail = up ? (uint64_t)s.n >> (64 - up) : 0;
    h->n += 8;
    dt_siphash_add(h, s.p, s.n);
}

static inline uint64_t finish(uint64_t v[4])
{
    for (unsigned i = 0; i < 4; i++)
        one_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t dt_siphash_end(struct dt_siphash *h)
{
    uint64_t v[4] = {h->v[0], h->v[1], h->v[2], h->v[3]};
    block(v, h->tail | h->n << 56);
    v[2] ^= 0xff;
    return finish(v);
}

void dt_siphash_init_wide(struct dt_siphash *h, const uint64_t key[2])
{
    dt_siphash_init(h, key);
    h->v[1] ^= 0xee;
}

void dt_siphash_end_wide(struct dt_siphash *h, uint64_t out[2])
{
    uint64_t v[4] = {h->v[0], h->v[1], h->v[2], h->v[3]};
    block(v, h->tail | h->n << 56);
    v[2] ^= 0xee;
    out[0] = finish(v);
    v[1] ^= 0xdd;
    out[1] = finish(v);
}

uint64_t dt_siphash(const uint64_t key[2], struct dt_str s)
{
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    dt_siphash_add(&h, s.p, s.n);
    return dt_siphash_end(&h);
}
