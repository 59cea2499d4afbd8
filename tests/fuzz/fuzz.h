/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the fuzzers share: an assertion that any build keeps, exact copies of input, an allocator
 * that counts, and the input read as a little program. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what does not hold, and ends the run. */
#define must(holds) ((holds) ? (void)0 : fuzz_broken(#holds, __FILE__, __LINE__))
static inline void fuzz_broken(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

/* A slice points into `whole`, or nowhere. */
static inline void inside(struct dt_str part, struct dt_str whole)
{
    if (part.p)
        must(part.p >= whole.p && part.n <= whole.n && part.p + part.n <= whole.p + whole.n);
    else
        must(part.n == 0);
}

/* A copy of its own with `pad` zero bytes behind, so that the sanitizer sees the first byte too
 * far. Free it. */
static inline char *copy_of(struct dt_str s, size_t pad)
{
    char *copy = calloc(1, s.n + pad + 1);
    must(copy != NULL);
    if (pad == 0) {
        free(copy);
        copy = malloc(s.n ? s.n : 1);
        must(copy != NULL);
    }
    if (s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

/* ---- memory ---- */

/* Counts what is live, and fails one call. Hand out a pointer to `alloc`. */
struct fuzz_alloc {
    struct dt_alloc alloc;
    size_t live;
    size_t fail_in; /* 0: never; n: the n-th call from now that asks for memory fails */
};

static inline void *fuzz_resize(void *ctx, void *p, size_t n)
{
    struct fuzz_alloc *a = ctx;
    if (!n) {
        a->live -= p != NULL;
        free(p);
        return NULL;
    }
    if (a->fail_in && --a->fail_in == 0)
        return NULL;
    void *grown = realloc(p, n);
    if (grown && !p) {
        memset(grown, 0xa5, n);
        a->live++;
    }
    return grown;
}

static inline void fuzz_alloc_init(struct fuzz_alloc *a)
{
    *a = (struct fuzz_alloc){.alloc = {fuzz_resize, a}};
}

/* ---- the input as a program ---- */

static inline unsigned take_byte(struct dt_str *in)
{
    if (!in->n)
        return 0;
    unsigned c = (unsigned char)in->p[0];
    *in = dt_str_sub(*in, 1, in->n);
    return c;
}

/* Up to `n` bytes. */
static inline struct dt_str take_bytes(struct dt_str *in, size_t n)
{
    struct dt_str s = dt_str_sub(*in, 0, n);
    *in = dt_str_sub(*in, s.n, in->n);
    return s;
}

/* Up to the next line end, which is taken too. */
static inline struct dt_str take_line(struct dt_str *in)
{
    struct dt_str s = dt_str_sub(*in, 0, dt_str_find(*in, '\n'));
    *in = dt_str_sub(*in, s.n + 1, in->n);
    return s;
}

#endif
