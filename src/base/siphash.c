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

/* Compilers make one load of it. */
static uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* Eight bytes behind those that already wait for their block. */
static void add_word(struct dt_siphash *h, uint64_t m)
{
    unsigned waiting = 8 * (unsigned)(h->n & 7);
    block(h, h->tail | m << waiting);
    h->tail = waiting ? m >> (64 - waiting) : 0;
    h->n += 8;
}

static void add_byte(struct dt_siphash *h, uint8_t byte)
{
    h->tail |= (uint64_t)byte << 8 * (h->n++ & 7);
    if (h->n & 7)
        return;
    block(h, h->tail);
    h->tail = 0;
}

void dt_siphash_add(struct dt_siphash *h, const void *p, size_t n)
{
    const uint8_t *in = p;
    for (; n >= 8; n -= 8, in += 8)
        add_word(h, load_le64(in));
    while (n--)
        add_byte(h, *in++);
}

void dt_siphash_add_str(struct dt_siphash *h, struct dt_str s)
{
    add_word(h, s.n);
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
