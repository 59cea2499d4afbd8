/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). */
#include "dualtone/base.h"

static uint64_t rotl(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void rounds(uint64_t v[4], unsigned n)
{
    while (n--) {
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
}

static void block(struct dt_siphash *h, uint64_t m)
{
    h->v[3] ^= m;
    rounds(h->v, 2);
    h->v[0] ^= m;
}

void dt_siphash_init(struct dt_siphash *h, const uint64_t key[2])
{
    *h = (struct dt_siphash){
        .v = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573},
    };
}

static void add_byte(struct dt_siphash *h, uint8_t byte)
{
    h->tail |= (uint64_t)byte << 8 * (h->n++ & 7);
    if (h->n & 7)
        return;
    block(h, h->tail);
    h->tail = 0;
}

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t m = 0;
    for (unsigned i = 0; i < 8; i++)
        m |= (uint64_t)p[i] << 8 * i;
    return m;
}

void dt_siphash_add(struct dt_siphash *h, const void *p, size_t n)
{
    const uint8_t *in = p;
    for (; n && (h->n & 7); n--)
        add_byte(h, *in++);
    for (; n >= 8; n -= 8, in += 8) {
        block(h, load_le64(in));
        h->n += 8;
    }
    while (n--)
        add_byte(h, *in++);
}

void dt_siphash_add_str(struct dt_siphash *h, struct dt_str s)
{
    uint8_t length[8];
    for (unsigned i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)s.n >> 8 * i);
    dt_siphash_add(h, length, sizeof length);
    dt_siphash_add(h, s.p, s.n);
}

uint64_t dt_siphash_end(struct dt_siphash *h)
{
    block(h, h->tail | h->n << 56);
    h->v[2] ^= 0xff;
    rounds(h->v, 4);
    return h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}

uint64_t dt_siphash(const uint64_t key[2], struct dt_str s)
{
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    dt_siphash_add(&h, s.p, s.n);
    return dt_siphash_end(&h);
}
