/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the unit tests share: input that ends at an unmapped page, an allocator that counts and
 * fails, digests. */
#ifndef TESTKIT_H
#define TESTKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dualtone/base.h"

/* A copy of `s` whose last byte lies before an unmapped page, so that a read past the end is a
 * fault. Valid until the next call with the same `slot` (0 to 3). */
struct dt_str kit_guarded(unsigned slot, struct dt_str s);
/* The same with DT_PAD readable zero bytes behind it: what the whole-message parser is promised. */
struct dt_str kit_guarded_padded(unsigned slot, struct dt_str s);

/* An allocator that counts what is live and fails the n-th call. */
struct kit_alloc {
    struct dt_alloc alloc; /* hand out a pointer to this */
    size_t live, calls;
    size_t fail_at;   /* 0: never; n: the n-th call that asks for memory fails */
    size_t fail_more; /* and so many behind it */
};
void kit_alloc_init(struct kit_alloc *k);

/* MD5 and SHA-256 by OpenSSL, a dt_hash_fn. */
int kit_hash(enum dt_hash_kind kind, const struct dt_str *parts, size_t n, uint8_t *out);

/* The whole of a file below tests/ ("corpus/rfc4475/wsinv.dat"), with DT_PAD zero bytes behind;
 * fails the test when it is not there. Free with free(). */
struct dt_str kit_file(const char *path, void **to_free);

#define kit_assert_str(got, want) kit_assert_str_at((got), (want), __FILE__, __LINE__)
void kit_assert_str_at(struct dt_str got, const char *want, const char *file, int line);

#endif
