/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small things that ask the operating system: clocks, entropy, hashes, log, files, lines. */
#ifndef IO_IO_H
#define IO_IO_H

#include "dualtone/node.h"

struct dt_host;

/* ---- clocks ---- */

/* CLOCK_BOOTTIME in microseconds: goes on while the machine sleeps, comparable between processes.
 */
dt_time dt_io_now(void);
/* Microseconds of Unix time minus dt_io_now(): dt_env.wall_offset. */
int64_t dt_io_wall_offset(void);

/* ---- what a node is given ---- */

/* MD5 and SHA-256 by OpenSSL, a dt_hash_fn. */
int dt_io_hash(enum dt_hash_kind kind, const struct dt_str *parts, size_t n, uint8_t *out);
/* Fills `out` with random bytes of the system. DT_OK or DT_E_IO. */
int dt_io_random(void *out, size_t n);
/* libc's allocator, OpenSSL's hashes, a generator seeded by the system, the offset of the wall
 * clock, and `log` (may be NULL). DT_OK or DT_E_IO (no randomness: do not go on). */
int dt_io_env_init(struct dt_env *env, const struct dt_log *log);
/* A sink that writes "12:00:00.123456 level module [call-id] text" to stderr. */
struct dt_log dt_io_log_stderr(enum dt_log_level level);

/* ---- addresses ---- */

/* The local IP address that datagrams to `remote` would leave from; port 0, transport as in
 * `remote`. DT_OK or DT_E_UNREACHABLE. Sends nothing. */
int dt_io_local_for(const struct dt_addr *remote, struct dt_addr *local);

/* ---- files ---- */

/* The whole of a file, one reference. NULL and `*err` DT_E_ABSENT, DT_E_PERMISSION, DT_E_NOMEM,
 * DT_E_LIMIT (over `max` bytes), DT_E_FOLDER or DT_E_IO. */
struct dt_bytes *dt_io_file_read(const struct dt_alloc *a, const char *path, size_t max, int *err);
/* Replaces a file as a whole: temporary file beside it, fsync, rename, fsync of the folder. Keeps
 * the mode of a file that is there, else `mode`. DT_OK, DT_E_PERMISSION, DT_E_ABSENT (no such
 * folder), DT_E_FOLDER, DT_E_SPACE or DT_E_IO. */
int dt_io_file_write(const char *path, struct dt_str text, unsigned mode);
/* Waits for the lock of the folder that `path` lies in: who reads a file, changes and replaces it
 * holds that meanwhile, so that two who do it at once lose nothing. A descriptor for
 * dt_io_file_unlock, or DT_E_ABSENT (no such folder), DT_E_PERMISSION, DT_E_LIMIT, DT_E_IO. */
int dt_io_file_lock(const char *path);
void dt_io_file_unlock(int fd);
/* Makes `path` with `n` random bytes as hex and a line end, mode 0600, if it is not there; one of
 * two processes that try at once wins, and both then find the same. DT_OK also when it was there.
 */
int dt_io_file_key(const char *path, size_t n);

/* ---- lines ---- */

/* Lines from a descriptor (terminal, pipe or file), for `--ui plain`: called on the host's thread
 * for each line, without its end, and once at the end of input. Lines over 4,000 bytes are cut. */
struct dt_io_lines;
struct dt_io_lines *dt_io_lines_new(struct dt_host *h, int fd,
                                    void (*line)(void *ctx, struct dt_str line),
                                    void (*end)(void *ctx), void *ctx);
/* Not from inside its own callbacks. */
void dt_io_lines_free(struct dt_io_lines *l);

#endif
