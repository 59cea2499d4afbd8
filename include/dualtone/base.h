/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every module stands on: errors, time, slices, memory, randomness, log. Nothing here reads a
 * clock, a socket or a random device (style.md, "Time, I/O, events"). */
#ifndef DUALTONE_BASE_H
#define DUALTONE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- errors ---- */

/* 0 is good, errors are negative. A SIP status code is not an error code. Incomplete (MORE) is not
 * malformed (SYNTAX). */
#define DT_ERRORS(X) \
    X(NOMEM, -1, "out of memory") \
    X(SYNTAX, -2, "malformed input") \
    X(MORE, -3, "incomplete input") \
    X(STALE, -4, "the call, transaction or registration has ended") \
    X(LIMIT, -5, "a configured limit was reached") \
    X(RANGE, -6, "a value is out of its range") \
    X(ABSENT, -7, "not there") \
    X(STATE, -8, "not possible in this state") \
    X(TIMEOUT, -9, "no answer in time") \
    X(REFUSED, -10, "refused by the other side") \
    X(UNREACHABLE, -11, "not reachable") \
    X(CLOSED, -12, "closed by the other side") \
    X(INUSE, -13, "address in use") \
    X(ADDRESS, -14, "address not on this machine") \
    X(PERMISSION, -15, "not permitted by the system") \
    X(IO, -16, "input or output failed") \
    X(AUTH, -17, "credentials are wrong") \
    X(UNSUPPORTED, -18, "not supported") \
    X(FOLDER, -19, "it is a folder, not a file") \
    X(SPACE, -20, "no space left on the disk")

enum dt_err {
    DT_OK = 0,
#define X(name, num, text) DT_E_##name = (num),
    DT_ERRORS(X)
#undef X
};

/* The sentence of an error code; never NULL. */
const char *dt_err_text(int err);

/* ---- time ---- */

/* Microseconds, monotonic, from an origin that the host chooses. No floating point in time. */
typedef int64_t dt_time;

#define DT_TIME_NEVER INT64_MAX
#define DT_MS ((dt_time)1000)
#define DT_SECOND ((dt_time)1000000)

/* The earlier of two deadlines. */
static inline dt_time dt_time_min(dt_time a, dt_time b)
{
    return a < b ? a : b;
}

/* ---- slices ---- */

/* Text from the wire: by value, never NUL-terminated, never freed by its user. */
struct dt_str {
    const char *p;
    size_t n;
};

#define DT_STR(literal) ((struct dt_str){(literal), sizeof(literal) - 1})
#define DT_STR_NONE ((struct dt_str){NULL, 0})
/* For printf's "%.*s". */
#define DT_FMT(s) ((int)(s).n), ((s).p ? (s).p : "")

/* A slice over a C string (NULL gives the empty slice). */
struct dt_str dt_str_z(const char *z);
/* From `from` (clamped) for at most `n` bytes. */
static inline struct dt_str dt_str_sub(struct dt_str s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return s.p ? (struct dt_str){s.p + from, n} : DT_STR_NONE;
}
/* Same bytes. */
static inline bool dt_str_eq(struct dt_str a, struct dt_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
/* Same bytes but for the case of ASCII letters (RFC 3261 7.3.1). */
bool dt_str_ieq(struct dt_str a, struct dt_str b);
/* Starts with, ends with; exact case. */
bool dt_str_starts(struct dt_str s, struct dt_str prefix);
bool dt_str_ends(struct dt_str s, struct dt_str suffix);
/* Offset of the first `c`, or `s.n` where there is none. */
size_t dt_str_find(struct dt_str s, char c);
/* Offset of the first occurrence of `what`, or `s.n`. */
size_t dt_str_search(struct dt_str s, struct dt_str what);
/* Without leading and trailing SP, HT, CR, LF. */
struct dt_str dt_str_trim(struct dt_str s);
/* Order of bytes: <0, 0, >0. */
int dt_str_cmp(struct dt_str a, struct dt_str b);
/* The one checked integer parser (reliability.md 1, rule 2): all of `s` is decimal digits and the
 * value is at most `max`. DT_E_SYNTAX or DT_E_RANGE leave `*out` alone. */
int dt_str_u64(struct dt_str s, uint64_t max, uint64_t *out);
/* ASCII only, whatever the locale. */
static inline char dt_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
static inline bool dt_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool dt_is_alpha(char c)
{
    return dt_lower(c) >= 'a' && dt_lower(c) <= 'z';
}

/* ---- memory ---- */

/* The only way to memory in the core. `resize(ctx, NULL, n)` gives, `resize(ctx, p, 0)` frees and
 * returns NULL; a failed call returns NULL and leaves `p` valid. */
struct dt_alloc {
    void *(*resize)(void *ctx, void *p, size_t n);
    void *ctx;
};

/* libc's. */
extern const struct dt_alloc dt_alloc_libc;

/* `n` zeroed bytes, or NULL. */
void *dt_alloc_zero(const struct dt_alloc *a, size_t n);
/* Room for `n` things of `size` bytes in place of `p`; NULL (with `p` left valid) when there is no
 * memory or the product overflows. */
void *dt_alloc_array(const struct dt_alloc *a, void *p, size_t n, size_t size);
/* A NUL-terminated copy, or NULL. Free with dt_alloc_free. */
char *dt_alloc_text(const struct dt_alloc *a, struct dt_str s);
/* Free; NULL is fine. */
void dt_alloc_free(const struct dt_alloc *a, void *p);

/* Readable bytes that lie behind every message buffer, so that a scan by words of eight may load
 * past the end. Not more: a call that rings keeps four buffers. */
#define DT_PAD 16

/* A counted buffer; its bytes are immutable once it is shared. One owner a reference. */
struct dt_bytes {
    const struct dt_alloc *alloc;
    uint32_t refs;
    uint32_t n;   /* bytes in use */
    uint32_t cap; /* bytes there are, DT_PAD zero bytes behind them not counted */
    _Alignas(8) char data[];
};

/* An empty buffer with room for `cap` bytes and one reference, or NULL. */
struct dt_bytes *dt_bytes_new(const struct dt_alloc *a, size_t cap);
/* A buffer with a copy of `s`, or NULL. */
struct dt_bytes *dt_bytes_copy(const struct dt_alloc *a, struct dt_str s);
/* One reference more; returns `b`. */
struct dt_bytes *dt_bytes_hold(struct dt_bytes *b);
/* One reference less; the last one frees. NULL is fine. */
void dt_bytes_drop(struct dt_bytes *b);
static inline struct dt_str dt_bytes_str(const struct dt_bytes *b)
{
    return b ? (struct dt_str){b->data, b->n} : DT_STR_NONE;
}

/* ---- randomness and keyed hashes ---- */

/* SipHash-2-4 (Aumasson, Bernstein 2012) with a 128-bit key. Hash tables keyed by what a peer
 * sends use it, and so do branches (design.md R2) and the generator below. */
struct dt_siphash {
    uint64_t v[4];
    uint64_t tail;
    uint64_t n;
};
void dt_siphash_init(struct dt_siphash *h, const uint64_t key[2]);
void dt_siphash_add(struct dt_siphash *h, const void *p, size_t n);
/* Adds the length first, so that ("ab","c") and ("a","bc") differ. */
void dt_siphash_add_str(struct dt_siphash *h, struct dt_str s);
uint64_t dt_siphash_end(struct dt_siphash *h);
/* The same with 128 bits of result (SipHash-2-4-128): begun by dt_siphash_init_wide, ended by this.
 */
void dt_siphash_init_wide(struct dt_siphash *h, const uint64_t key[2]);
void dt_siphash_end_wide(struct dt_siphash *h, uint64_t out[2]);
/* The same in one call. */
uint64_t dt_siphash(const uint64_t key[2], struct dt_str s);

/* Every tag, branch, Call-ID, SSRC, nonce and jitter comes from here: SipHash in counter mode,
 * seeded by the system in io, by the scenario in sim. Not shared between threads. */
struct dt_rng {
    uint64_t key[2];
    uint64_t count;
};
void dt_rng_init(struct dt_rng *r, const uint64_t seed[2]);
uint64_t dt_rng_u64(struct dt_rng *r);
/* 0 to n-1, without bias; n > 0. */
uint64_t dt_rng_below(struct dt_rng *r, uint64_t n);
/* `n` characters out of [a-z0-9], not terminated. */
void dt_rng_token(struct dt_rng *r, char *out, size_t n);

/* ---- log ---- */

#define DT_LOG_LEVELS(X) X(ERROR, "error") X(WARN, "warn") X(INFO, "info") X(DEBUG, "debug")

enum dt_log_level {
#define X(name, text) DT_LOG_##name,
    DT_LOG_LEVELS(X)
#undef X
};

/* Nothing in the library prints: lines go to the sink. `text` is valid during the call. */
struct dt_log {
    void (*line)(void *ctx, enum dt_log_level level, const char *module, struct dt_str call_id,
                 struct dt_str text);
    void *ctx;
    enum dt_log_level level; /* what is above it is dropped before it is formatted */
};

/* ---- what a node is given at creation, and nothing else ---- */

/* A digest over parts, as OpenSSL gives it in io and tests: writes 16 (MD5) or 32 (SHA-256) bytes.
 * Returns DT_OK or DT_E_UNSUPPORTED. */
enum dt_hash_kind { DT_HASH_MD5, DT_HASH_SHA256 };
typedef int (*dt_hash_fn)(enum dt_hash_kind kind, const struct dt_str *parts, size_t n,
                          uint8_t *out);

struct dt_env {
    const struct dt_alloc *alloc;
    dt_hash_fn hash;          /* NULL: no digest authentication */
    const struct dt_log *log; /* NULL: no log */
    struct dt_rng rng;
    int64_t wall_offset; /* wall clock in microseconds of Unix time = now + wall_offset */
};

/* libc's allocator, no hash, no log, a generator seeded with (seed, 0). */
void dt_env_init(struct dt_env *env, uint64_t seed);

/* One line to the sink, printf-like. Not for the hot path. */
void dt_log(const struct dt_env *env, enum dt_log_level level, const char *module,
            struct dt_str call_id, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
