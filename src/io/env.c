/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Clocks, entropy, hashes, the log on stderr, the local address. */
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "io/io.h"
#include "io/loop.h"

static int64_t clock_us(clockid_t which)
{
    struct timespec t = {0, 0};
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * DT_SECOND + t.tv_nsec / 1000;
}

dt_time dt_io_now(void)
{
    return clock_us(CLOCK_BOOTTIME);
}

int64_t dt_io_wall_offset(void)
{
    return clock_us(CLOCK_REALTIME) - clock_us(CLOCK_BOOTTIME);
}

/* Looked up once a process: what EVP_md5() gives is looked up, under a lock, with each digest. */
static const EVP_MD *fetch(enum dt_hash_kind kind)
{
    static _Atomic(EVP_MD *) fetched[DT_HASH_SHA256 + 1];
    EVP_MD *md = atomic_load(&fetched[kind]), *none = NULL;
    if (md)
        return md;
    md = EVP_MD_fetch(NULL, kind == DT_HASH_MD5 ? "MD5" : "SHA256", NULL);
    if (!md || atomic_compare_exchange_strong(&fetched[kind], &none, md))
        return md;
    EVP_MD_free(md); /* another thread was faster */
    return none;
}

static tss_t context_key;

static void make_context_key(void)
{
    (void)tss_create(&context_key, (tss_dtor_t)EVP_MD_CTX_free);
}

/* One a thread: to make one takes as long as a short digest. NULL without memory. */
static EVP_MD_CTX *context(void)
{
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, make_context_key);
    EVP_MD_CTX *ctx = tss_get(context_key);
    if (ctx || !(ctx = EVP_MD_CTX_new()))
        return ctx;
    if (tss_set(context_key, ctx) == thrd_success)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

int dt_io_hash(enum dt_hash_kind kind, const struct dt_str *parts, size_t n, uint8_t *out)
{
    char joined[512]; /* each call of EVP costs as much as many bytes */
    size_t held = 0;
    const EVP_MD *md = fetch(kind);
    EVP_MD_CTX *ctx = context();
    bool ok = ctx && md && EVP_DigestInit_ex(ctx, md, NULL) == 1;
    for (size_t i = 0; ok && i < n; i++) {
        if (!parts[i].n)
            continue;
        if (parts[i].n <= sizeof joined - held) {
            memcpy(joined + held, parts[i].p, parts[i].n);
            held += parts[i].n;
            continue;
        }
        ok = EVP_DigestUpdate(ctx, joined, held) == 1 &&
             EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
        held = 0;
    }
    ok = ok && EVP_DigestUpdate(ctx, joined, held) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    return ok ? DT_OK : DT_E_UNSUPPORTED;
}

int dt_io_random(void *out, size_t n)
{
    char *p = out;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return DT_E_IO;
        p += got;
        n -= (size_t)got;
    }
    return DT_OK;
}

int dt_io_env_init(struct dt_env *env, const struct dt_log *log)
{
    uint64_t seed[2];
    if (dt_io_random(seed, sizeof seed))
        return DT_E_IO;
    *env = (struct dt_env){.alloc = &dt_alloc_libc, .hash = dt_io_hash, .log = log};
    dt_rng_init(&env->rng, seed);
    env->wall_offset = dt_io_wall_offset();
    return DT_OK;
}

/* One write, so that lines of several threads do not mix. */
static void write_line(void *ctx, enum dt_log_level level, const char *module,
                       struct dt_str call_id, struct dt_str text)
{
    static const char *const levels[] = {
#define X(name, word) [DT_LOG_##name] = (word),
        DT_LOG_LEVELS(X)
#undef X
    };
    char line[1536], clock[16] = "";
    struct timespec t = {0, 0};
    struct tm tm;
    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &t);
    if (localtime_r(&t.tv_sec, &tm))
        strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    bool id = call_id.n > 0;
    int n = snprintf(line, sizeof line - 1, "%s.%06ld %-5s %s %s%.*s%s%.*s", clock,
                     t.tv_nsec / 1000, levels[level], module, id ? "[" : "", DT_FMT(call_id),
                     id ? "] " : "", DT_FMT(text));
    if (n < 0)
        return;
    size_t end = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[end++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, end);
    (void)written; /* a log that cannot be written is no reason to stop */
}

struct dt_log dt_io_log_stderr(enum dt_log_level level)
{
    return (struct dt_log){.line = write_line, .level = level};
}

/* Connecting a UDP socket asks the routing table and sends nothing. */
int dt_io_local_for(const struct dt_addr *remote, struct dt_addr *local)
{
    enum { ANY_PORT = 9 };
    struct sockaddr_storage name;
    struct dt_addr to = *remote;
    if (to.family != 4 && to.family != 6)
        return DT_E_UNREACHABLE;
    if (to.port == 0)
        to.port = ANY_PORT;
    socklen_t n = dt__sock_from_addr(&to, &name);
    int fd = socket(to.family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return DT_E_UNREACHABLE;
    bool ok = connect(fd, (struct sockaddr *)&name, n) == 0;
    n = sizeof name;
    ok = ok && getsockname(fd, (struct sockaddr *)&name, &n) == 0;
    close(fd);
    if (!ok)
        return DT_E_UNREACHABLE;
    *local = dt__sock_to_addr(&name, remote->transport);
    local->port = 0;
    return DT_OK;
}
