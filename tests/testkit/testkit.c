/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/evp.h>

/* ---- guarded input ---- */

struct guarded {
    char *map;
    size_t size;
};

static struct dt_str guard(unsigned slot, struct dt_str s, size_t pad)
{
    static struct guarded slots[4];
    struct guarded *g = &slots[slot % 4];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t readable = (s.n + pad + page - 1) / page * page;
    if (g->map)
        munmap(g->map, g->size);
    g->size = readable + page;
    g->map = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->map == MAP_FAILED || mprotect(g->map + readable, page, PROT_NONE))
        fail_msg("no memory for a guarded copy of %zu bytes", s.n);
    char *at = g->map + readable - pad - s.n;
    if (s.n)
        memcpy(at, s.p, s.n);
    return (struct dt_str){at, s.n};
}

struct dt_str kit_guarded(unsigned slot, struct dt_str s)
{
    return guard(slot, s, 0);
}

struct dt_str kit_guarded_padded(unsigned slot, struct dt_str s)
{
    return guard(slot, s, DT_PAD);
}

/* ---- allocator ---- */

static void *kit_resize(void *ctx, void *p, size_t n)
{
    struct kit_alloc *k = ctx;
    if (!n) {
        k->live -= p != NULL;
        free(p);
        return NULL;
    }
    k->calls++;
    if (k->fail_at && k->calls >= k->fail_at && k->calls - k->fail_at <= k->fail_more)
        return NULL;
    void *grown = realloc(p, n);
    if (grown && !p) {
        memset(grown, 0xa5, n); /* so that who takes it for zero is found out */
        k->live++;
    }
    return grown;
}

void kit_alloc_init(struct kit_alloc *k)
{
    *k = (struct kit_alloc){.alloc = {kit_resize, k}};
}

/* ---- digests ---- */

int kit_hash(enum dt_hash_kind kind, const struct dt_str *parts, size_t n, uint8_t *out)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md && EVP_DigestInit_ex(md, kind == DT_HASH_MD5 ? EVP_md5() : EVP_sha256(), NULL);
    for (size_t i = 0; ok && i < n; i++)
        ok = EVP_DigestUpdate(md, parts[i].p, parts[i].n);
    ok = ok && EVP_DigestFinal_ex(md, out, NULL);
    EVP_MD_CTX_free(md);
    return ok ? DT_OK : DT_E_UNSUPPORTED;
}

/* ---- files and strings ---- */

struct dt_str kit_file(const char *path, void **to_free)
{
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", KIT_TESTS_DIR, path);
    FILE *f = fopen(full, "rb");
    if (!f)
        fail_msg("no file %s", full);
    size_t n = 0, cap = 65536;
    char *data = malloc(cap + DT_PAD);
    for (size_t got; data && (got = fread(data + n, 1, cap - n, f)) > 0;) {
        n += got;
        if (n < cap)
            continue;
        cap *= 2;
        char *more = realloc(data, cap + DT_PAD);
        if (!more)
            free(data);
        data = more;
    }
    fclose(f);
    if (!data)
        fail_msg("no memory for %s", full);
    memset(data + n, 0, DT_PAD);
    *to_free = data;
    return (struct dt_str){data, n};
}

void kit_assert_str_at(struct dt_str got, const char *want, const char *file, int line)
{
    if (dt_str_eq(got, dt_str_z(want)))
        return;
    print_error("got  \"%.*s\"\nwant \"%s\"\n", DT_FMT(got), want);
    _fail(file, line);
}
