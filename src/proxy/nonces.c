/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/nonces.h"

enum { WINDOW = 64 };

struct nonce {
    struct dt_map_entry entry; /* its hash is the nonce's id */
    struct dt_list link;
    dt_time until;
    uint64_t last;   /* the request that used `top` */
    uint64_t window; /* bit i: `top` - i was used */
    uint32_t top;
};

void dt__nonces_init(struct dt_nonces *t, const struct dt_alloc *alloc, uint64_t seed, uint32_t max)
{
    const uint64_t unused[2] = {0, 0}; /* ids are keyed hashes already */
    *t = (struct dt_nonces){.alloc = alloc, .max = max, .salt = (uint32_t)seed};
    dt_map_init(&t->map, alloc, unused);
    dt_list_init(&t->oldest);
}

uint32_t dt__nonces_salt(struct dt_nonces *t)
{
    return ++t->salt;
}

static void forget(struct dt_nonces *t, struct nonce *n)
{
    dt_map_del(&t->map, &n->entry);
    dt_list_del(&n->link);
    t->n--;
    dt_alloc_free(t->alloc, n);
}

void dt__nonces_clear(struct dt_nonces *t)
{
    DT_LIST_EACH(e, &t->oldest)
    forget(t, DT_OF(e, struct nonce, link));
    dt_map_clear(&t->map);
}

static void forget_old(struct dt_nonces *t, dt_time now)
{
    DT_LIST_EACH(e, &t->oldest)
    {
        struct nonce *n = DT_OF(e, struct nonce, link);
        if (n->until > now && t->n < t->max)
            return;
        forget(t, n);
    }
}

static struct nonce *add(struct dt_nonces *t, uint64_t id)
{
    struct nonce *n = dt_alloc_zero(t->alloc, sizeof *n);
    if (!n)
        return NULL;
    if (dt_map_add(&t->map, &n->entry, id)) {
        dt_alloc_free(t->alloc, n);
        return NULL;
    }
    dt_list_add(&t->oldest, &n->link);
    t->n++;
    return n;
}

/* Marks `count` as used; false if it was, or lies behind the window. */
static bool take(struct nonce *n, uint32_t count)
{
    if (count > n->top) {
        uint32_t step = count - n->top;
        n->window = step < WINDOW ? n->window << step : 0;
        n->window |= 1;
        n->top = count;
        return true;
    }
    uint32_t back = n->top - count;
    if (back >= WINDOW || (n->window >> back & 1))
        return false;
    n->window |= (uint64_t)1 << back;
    return true;
}

int dt__nonces_use(struct dt_nonces *t, dt_time now, dt_time life, uint64_t nonce, uint32_t count,
                   uint64_t request)
{
    if (!count)
        return DT_E_STALE;
    struct dt_map_entry *found = dt_map_first(&t->map, nonce);
    struct nonce *n = found ? DT_OF(found, struct nonce, entry) : NULL;
    if (!n) {
        forget_old(t, now);
        n = add(t, nonce);
        if (!n)
            return DT_E_NOMEM;
        n->until = now + life;
    }
    if (n->top == count && n->last == request)
        return DT_OK; /* R14: a repeat, not a replay */
    if (!take(n, count))
        return DT_E_STALE;
    if (n->top == count)
        n->last = request;
    return DT_OK;
}
