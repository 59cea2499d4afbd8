/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files as wholes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io.h"
#include "io/loop.h"

enum { PATH_SIZE = 4096, KEY_MAX = 256 };

/* ---- read ---- */

/* DT_OK, DT_E_LIMIT if there is more than fits, DT_E_IO. */
static int read_all(int fd, struct dt_bytes *b)
{
    for (;;) {
        char more;
        bool full = b->n == b->cap;
        ssize_t got = full ? read(fd, &more, 1) : read(fd, b->data + b->n, b->cap - b->n);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || full)
            return got < 0 ? DT_E_IO : DT_E_LIMIT;
        b->n += (uint32_t)got;
    }
    memset(b->data + b->n, 0, b->cap - b->n); /* DT_PAD zero bytes follow what is in use */
    return DT_OK;
}

/* Room for the file, or for `max` if its size does not say (a pipe, /proc). */
static struct dt_bytes *room_for(const struct dt_alloc *a, int fd, size_t max, int *err)
{
    struct stat st;
    bool known = fstat(fd, &st) == 0;
    if (!known || S_ISDIR(st.st_mode)) {
        *err = known ? DT_E_FOLDER : DT_E_IO;
        return NULL;
    }
    size_t size = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : max;
    struct dt_bytes *b = size <= max ? dt_bytes_new(a, size) : NULL;
    *err = b ? DT_OK : size <= max ? DT_E_NOMEM : DT_E_LIMIT;
    return b;
}

struct dt_bytes *dt_io_file_read(const struct dt_alloc *a, const char *path, size_t max, int *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *err = dt__sock_err(errno);
        return NULL;
    }
    struct dt_bytes *b = room_for(a, fd, max, err);
    if (b && (*err = read_all(fd, b)) != DT_OK) {
        dt_bytes_drop(b);
        b = NULL;
    }
    close(fd);
    return b;
}

/* ---- write ---- */

static bool write_all(int fd, struct dt_str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = dt_str_sub(text, (size_t)n, text.n);
    }
    return true;
}

/* The folder that `path` lies in, opened; -1 with errno set. */
static int open_folder(const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 1;
    if (n >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, slash ? path : ".", n);
    folder[n] = '\0';
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A rename is on the disk only when its folder is. */
static void sync_folder(const char *path)
{
    int fd = open_folder(path);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int dt_io_file_lock(const char *path)
{
    int fd = open_folder(path);
    if (fd < 0)
        return dt__sock_err(errno);
    int e;
    do
        e = flock(fd, LOCK_EX);
    while (e && errno == EINTR);
    if (!e)
        return fd;
    int err = dt__sock_err(errno);
    close(fd);
    return err;
}

void dt_io_file_unlock(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Writes `text` to a new file beside `path`, whose name is put into `made`. */
static int write_beside(const char *path, struct dt_str text, mode_t mode, char made[PATH_SIZE])
{
    int n = snprintf(made, PATH_SIZE, "%s.XXXXXX", path);
    if (n < 0 || n >= PATH_SIZE)
        return DT_E_LIMIT;
    int fd = mkostemp(made, O_CLOEXEC);
    if (fd < 0)
        return dt__sock_err(errno);
    errno = EIO;
    bool ok = write_all(fd, text) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int err = ok ? DT_OK : dt__sock_err(errno);
    if (close(fd) && ok)
        err = DT_E_IO;
    if (err)
        unlink(made);
    return err;
}

int dt_io_file_write(const char *path, struct dt_str text, unsigned mode)
{
    char made[PATH_SIZE];
    struct stat st;
    mode_t kept = stat(path, &st) == 0 ? st.st_mode & 07777 : (mode_t)mode;
    int err = write_beside(path, text, kept, made);
    if (err)
        return err;
    if (rename(made, path)) {
        err = dt__sock_err(errno);
        unlink(made);
        return err;
    }
    sync_folder(path);
    return DT_OK;
}

/* link() fails if the name is taken, and the file is whole when it appears: who comes second finds
 * all of the first one's key. */
int dt_io_file_key(const char *path, size_t n)
{
    uint8_t key[KEY_MAX];
    char text[2 * KEY_MAX + 1], made[PATH_SIZE];
    if (access(path, F_OK) == 0)
        return DT_OK;
    if (n > KEY_MAX || dt_io_random(key, n))
        return DT_E_IO;
    struct dt_writer w = dt_writer(text, sizeof text);
    for (size_t i = 0; i < n; i++)
        dt_write_hex(&w, key[i], 2);
    dt_write_char(&w, '\n');
    int err = write_beside(path, dt_writer_str(&w), 0600, made);
    if (err)
        return err;
    if (link(made, path) && errno != EEXIST)
        err = dt__sock_err(errno);
    unlink(made);
    sync_folder(path);
    return err;
}
