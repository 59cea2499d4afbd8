/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Steps: a byte below 128 is a count of bytes that follow as they are; COPY is followed by an
 * offset in the request and a length, 16 bits each. */
#include "stack/recipe.h"

#include <string.h>

#include "dualtone/build.h"

enum {
    COPY = 0x80,
    WORDS_MAX = 0x7f, /* bytes that one step brings itself */
    COPY_SIZE = 5,
    COPY_MIN = 8, /* shorter ones cost as much as the bytes */
    LINES_MAX = 48,
    STEPS_MAX = 1024
};

/* ---- which request ---- */

/* Not against ill will: who sends other bytes with the same hash gets nonsense himself. */
static uint64_t hash_of(struct dt_str s)
{
    uint64_t h = s.n, word = 0;
    size_t i = 0;
    for (; i + sizeof word <= s.n; i += sizeof word) {
        memcpy(&word, s.p + i, sizeof word);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    word = 0;
    if (i < s.n)
        memcpy(&word, s.p + i, s.n - i);
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

/* ---- making one ---- */

struct lines {
    struct dt_str line[LINES_MAX]; /* each with its end */
    unsigned n, next;              /* where the search goes on: lines come in the same order */
};

static bool split(struct lines *l, struct dt_str s)
{
    l->n = l->next = 0;
    while (s.n && l->n < LINES_MAX) {
        const char *end = memchr(s.p, '\n', s.n);
        size_t n = end ? (size_t)(end - s.p) + 1 : s.n;
        l->line[l->n++] = (struct dt_str){s.p, n};
        s = (struct dt_str){s.p + n, s.n - n};
    }
    return !s.n;
}

static size_t common(struct dt_str a, struct dt_str b)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    if (n >= COPY_MIN && memcmp(a.p, b.p, COPY_MIN) != 0)
        return 0;
    for (; i + COPY_MIN <= n && !memcmp(a.p + i, b.p + i, COPY_MIN); i += COPY_MIN)
        ;
    while (i < n && a.p[i] == b.p[i])
        i++;
    return i;
}

/* How much of `line` the request has, and where. */
static size_t find(struct lines *l, struct dt_str line, const char **at)
{
    for (unsigned i = 0; i < l->n; i++) {
        unsigned which = l->next + i < l->n ? l->next + i : l->next + i - l->n;
        size_t n = common(line, l->line[which]);
        if (n < COPY_MIN)
            continue;
        *at = l->line[which].p;
        l->next = which + 1 < l->n ? which + 1 : 0;
        return n;
    }
    return 0;
}

struct kitchen {
    const char *request;
    struct dt_str words, copy; /* not written yet: of the response, then of the request */
    struct dt_writer w;
};

static void write_words(struct kitchen *k)
{
    while (k->words.n) {
        size_t n = k->words.n < WORDS_MAX ? k->words.n : WORDS_MAX;
        dt_write_char(&k->w, (char)n);
        dt_write(&k->w, (struct dt_str){k->words.p, n});
        k->words = (struct dt_str){k->words.p + n, k->words.n - n};
    }
}

static void write_copy(struct kitchen *k)
{
    size_t at = (size_t)(k->copy.p - k->request), n = k->copy.n;
    if (!n)
        return;
    dt_write(&k->w, (struct dt_str){(char[COPY_SIZE]){(char)COPY, (char)(at >> 8), (char)at,
                                                      (char)(n >> 8), (char)n},
                                    COPY_SIZE});
    k->copy = DT_STR_NONE;
}

static void add_words(struct kitchen *k, struct dt_str s)
{
    if (!s.n)
        return;
    write_copy(k);
    k->words = (struct dt_str){k->words.n ? k->words.p : s.p, k->words.n + s.n};
}

static void add_copy(struct kitchen *k, struct dt_str s)
{
    write_words(k);
    if (k->copy.n && k->copy.p + k->copy.n == s.p) {
        k->copy.n += s.n;
        return;
    }
    write_copy(k);
    k->copy = s;
}

/* At most one of the two waits to be written. */
static void tell(struct kitchen *k, struct lines *request, struct dt_str response)
{
    while (response.n && !k->w.err) {
        const char *end = memchr(response.p, '\n', response.n), *at = NULL;
        size_t n = end ? (size_t)(end - response.p) + 1 : response.n;
        size_t same = find(request, (struct dt_str){response.p, n}, &at);
        if (same)
            add_copy(k, (struct dt_str){at, same});
        add_words(k, (struct dt_str){response.p + same, n - same});
        response = (struct dt_str){response.p + n, response.n - n};
    }
    write_copy(k);
    write_words(k);
}

/* "SIP/2.0 200 OK" */
static uint16_t status_of(struct dt_str response)
{
    unsigned status = 0;
    for (size_t i = 8; i < 11 && i < response.n; i++)
        status = 10 * status + (unsigned)(response.p[i] - '0');
    return (uint16_t)status;
}

/* Length of the status line, if it has the phrase that everybody writes; else 0. */
static size_t usual_line(struct dt_str response)
{
    char line[64];
    struct dt_writer w = dt_writer(line, sizeof line);
    dt_sip_write_status(&w, status_of(response), DT_STR_NONE);
    return !w.err && dt_str_starts(response, dt_writer_str(&w)) ? w.n : 0;
}

struct dt__recipe *dt__recipe_new(const struct dt_alloc *a, struct dt_str request,
                                  struct dt_str response)
{
    char steps[STEPS_MAX];
    struct lines lines;
    size_t most = response.n / 2 < STEPS_MAX ? response.n / 2 : STEPS_MAX;
    struct kitchen k = {.request = request.p, .w = dt_writer(steps, most)};
    if (request.n > UINT16_MAX || response.n > UINT16_MAX || !split(&lines, request))
        return NULL;
    size_t known = usual_line(response);
    tell(&k, &lines, dt_str_sub(response, known, response.n));
    if (k.w.err)
        return NULL;
    struct dt__recipe *r = dt_alloc_zero(a, offsetof(struct dt__recipe, steps) + k.w.n);
    if (!r)
        return NULL;
    r->request = hash_of(request);
    r->made = (uint16_t)response.n;
    r->status = status_of(response);
    r->n = (uint16_t)k.w.n;
    r->phrase = known > 0;
    memcpy(r->steps, steps, k.w.n);
    return r;
}

/* ---- following it ---- */

static size_t number(const char *p)
{
    return (size_t)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

bool dt__recipe_is_for(const struct dt__recipe *r, struct dt_str request)
{
    return hash_of(request) == r->request;
}

struct dt_bytes *dt__recipe_make(const struct dt__recipe *r, const struct dt_alloc *a,
                                 struct dt_str request)
{
    struct dt_bytes *b = dt_bytes_new(a, r->made);
    if (!b)
        return NULL;
    struct dt_writer w = dt_writer(b->data, b->cap);
    if (r->phrase)
        dt_sip_write_status(&w, r->status, DT_STR_NONE);
    for (const char *p = r->steps, *end = p + r->n; p < end;) {
        unsigned step = (unsigned char)*p++;
        if (step == COPY) {
            dt_write(&w, dt_str_sub(request, number(p), number(p + 2)));
            p += COPY_SIZE - 1;
        } else {
            dt_write(&w, (struct dt_str){p, step});
            p += step;
        }
    }
    b->n = (uint32_t)w.n;
    return b;
}
