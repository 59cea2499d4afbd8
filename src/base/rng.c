/* SPDX-License-Identifier: BSD-2-Clause */
#include "dualtone/base.h"

void dt_rng_init(struct dt_rng *r, const uint64_t seed[2])
{
    *r = (struct dt_rng){.key = {seed[0], seed[1]}};
}

uint64_t dt_rng_u64(struct dt_rng *r)
{
    /* Byte by byte, so that a seed gives the same run on any machine. */
    char counter[8];
    for (unsigned i = 0; i < sizeof counter; i++)
        counter[i] = (char)(r->count >> 8 * i);
    r->count++;
    return dt_siphash(r->key, (struct dt_str){counter, sizeof counter});
}

/* Written out where `n` is known: no division then. */
static inline uint64_t below(struct dt_rng *r, uint64_t n)
{
    /* 2^64 mod n: values below it would make the small remainders more likely. */
    uint64_t reject = (0 - n) % n;
    uint64_t value;
    do {
        value = dt_rng_u64(r);
    } while (value < reject);
    return value % n;
}

uint64_t dt_rng_below(struct dt_rng *r, uint64_t n)
{
    return below(r, n);
}

void dt_rng_token(struct dt_rng *r, char *out, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    enum { BASE = 36, A_DRAW = 12 };
    const uint64_t range = 4738381338321616896; /* 36^12 */
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % A_DRAW == 0)
            value = below(r, range);
        out[i] = letters[value % BASE];
        value /= BASE;
    }
}
