/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "dualtone/base.h"

static void *libc_resize(void *ctx, void *p, size_t n)
{
    (void)ctx;
    if (!n) {
        free(p);
        return NULL;
    }
    return realloc(p, n);
}

const struct dt_alloc dt_alloc_libc = {libc_resize, NULL};

void *dt_alloc_zero(const struct dt_alloc *a, size_t n)
{
    void *p = a->resize(a->ctx, NULL, n);
    return p ? memset(p, 0, n) : NULL;
}

void *dt_alloc_array(const struct dt_alloc *a, void *p, size_t n, size_t size)
{
    /* A product of 0 would free `p`, and the caller would take the NULL for a failure. */
    if (!n || !size || n > SIZE_MAX / size)
        return NULL;
    return a->resize(a->ctx, p, n * size);
}

char *dt_alloc_text(const struct dt_alloc *a, struct dt_str s)
{
    if (s.n == SIZE_MAX)
        return NULL;
    char *text = a->resize(a->ctx, NULL, s.n + 1);
    if (!text)
        return NULL;
    if (s.n)
        memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return text;
}

void dt_alloc_free(const struct dt_alloc *a, void *p)
{
    if (p)
        a->resize(a->ctx, p, 0);
}

struct dt_bytes *dt_bytes_new(const struct dt_alloc *a, size_t cap)
{
    if (cap > UINT32_MAX - DT_PAD - sizeof(struct dt_bytes))
        return NULL;
    struct dt_bytes *b = a->resize(a->ctx, NULL, sizeof *b + cap + DT_PAD);
    if (!b)
        return NULL;
    b->alloc = a;
    b->refs = 1;
    b->n = 0;
    b->cap = (uint32_t)cap;
    memset(b->data + cap, 0, DT_PAD);
    return b;
}

struct dt_bytes *dt_bytes_copy(const struct dt_alloc *a, struct dt_str s)
{
    struct dt_bytes *b = dt_bytes_new(a, s.n);
    if (!b)
        return NULL;
    if (s.n)
        memcpy(b->data, s.p, s.n);
    b->n = (uint32_t)s.n;
    return b;
}

struct dt_bytes *dt_bytes_hold(struct dt_bytes *b)
{
    b->refs++;
    return b;
}

void dt_bytes_drop(struct dt_bytes *b)
{
    if (b && --b->refs == 0)
        dt_alloc_free(b->alloc, b);
}
