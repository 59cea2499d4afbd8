/* SPDX-License-Identifier: BSD-2-Clause */
#include "reach/order.h"

/* Insertion sort: stable, and the answers are short. */
static void sort(const struct dt_dns_record **records, size_t n,
                 uint64_t (*rank)(const struct dt_dns_record *))
{
    for (size_t i = 1; i < n; i++) {
        const struct dt_dns_record *r = records[i];
        size_t at = i;
        for (; at > 0 && rank(records[at - 1]) > rank(r); at--)
            records[at] = records[at - 1];
        records[at] = r;
    }
}

static uint64_t srv_rank(const struct dt_dns_record *r)
{
    /* Weight 0 before the others of its priority, or it would never be drawn first. */
    return (uint64_t)r->order << 1 | (r->weight > 0);
}

static uint64_t naptr_rank(const struct dt_dns_record *r)
{
    return (uint64_t)r->order << 16 | r->weight;
}

void dt__order_naptr(const struct dt_dns_record **records, size_t n)
{
    sort(records, n, naptr_rank);
}

/* Which of `n` the lot falls on: the first whose running sum reaches a number from 0 to the sum. */
static size_t draw(const struct dt_dns_record **records, size_t n, struct dt_rng *rng)
{
    uint64_t sum = 0, running = 0;
    for (size_t i = 0; i < n; i++)
        sum += records[i]->weight;
    uint64_t lot = dt_rng_below(rng, sum + 1);
    for (size_t i = 0; i < n; i++) {
        running += records[i]->weight;
        if (running >= lot)
            return i;
    }
    return n - 1;
}

static void to_front(const struct dt_dns_record **records, size_t at)
{
    const struct dt_dns_record *r = records[at];
    for (; at > 0; at--)
        records[at] = records[at - 1];
    records[0] = r;
}

void dt__order_srv(const struct dt_dns_record **records, size_t n, struct dt_rng *rng)
{
    sort(records, n, srv_rank);
    for (size_t from = 0; from < n; from++) {
        size_t same = 1;
        while (from + same < n && records[from + same]->order == records[from]->order)
            same++;
        if (same > 1)
            to_front(records + from, draw(records + from, same, rng));
    }
}
