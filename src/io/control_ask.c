/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who asks at a control socket, and where the sockets are. Without a loop: one line out, one in. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/control.h"
#include "io/io.h"
#include "io/loop.h"

/* ---- where ---- */

bool dt_control_folder(unsigned i, char *out, size_t size)
{
    const char *run = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
    int n = -1;
    if (i == 0 && run && run[0] == '/')
        n = snprintf(out, size, "%s/dualtone", run);
    else if (i == 1)
        n = snprintf(out, size, "/run/dualtone");
    else if (i == 2)
        n = snprintf(out, size, "%s/dualtone-%u", tmp && tmp[0] == '/' ? tmp : "/tmp",
                     (unsigned)geteuid());
    if (n < 0 || (size_t)n >= size)
        out[0] = '\0';
    return i < 3;
}

static bool is_socket_name(const char *name)
{
    return dt_str_starts(dt_str_z(name), DT_STR("phone-")) &&
           dt_str_ends(dt_str_z(name), DT_STR(".sock"));
}

static void list_folder(struct dt_control_names *out, const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && out->n < DT_CONTROL_NAMES && (e = readdir(dir)) != NULL;) {
        int n = snprintf(out->paths[out->n], DT_CONTROL_PATH, "%s/%s", folder, e->d_name);
        out->n += is_socket_name(e->d_name) && n > 0 && n < DT_CONTROL_PATH;
    }
    if (dir)
        closedir(dir);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

void dt_control_list(struct dt_control_names *out, struct dt_str folder)
{
    char text[DT_CONTROL_PATH];
    out->n = 0;
    if (folder.n) {
        snprintf(text, sizeof text, "%.*s", DT_FMT(folder));
        list_folder(out, text);
    }
    for (unsigned i = 0; !folder.n && dt_control_folder(i, text, sizeof text); i++)
        if (text[0])
            list_folder(out, text);
    qsort(out->paths, out->n, sizeof out->paths[0], by_name);
}

/* ---- asking ---- */

int dt__control_connect(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path)
        return DT_E_LIMIT;
    memcpy(to.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return dt__sock_err(errno);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
        int err = errno == EAGAIN ? DT_E_TIMEOUT : dt__sock_err(errno); /* its queue is full */
        close(fd);
        return err;
    }
    return fd;
}

int dt_control_try(const char *path)
{
    int fd = dt__control_connect(path);
    if (fd < 0)
        return fd;
    close(fd);
    return DT_OK;
}

static int wait_for(int fd, short events, dt_time until)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        dt_time left = until - dt_io_now();
        if (left <= 0)
            return DT_E_TIMEOUT;
        int n = poll(&p, 1, (int)(left / DT_MS) + 1);
        if (n > 0)
            return DT_OK;
        if (n < 0 && errno != EINTR)
            return DT_E_IO;
    }
}

static int send_line(int fd, struct dt_str line, dt_time until)
{
    while (line.n) {
        ssize_t n = send(fd, line.p, line.n, MSG_NOSIGNAL);
        int err = n < 0 && errno == EAGAIN ? wait_for(fd, POLLOUT, until) : DT_OK;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return DT_E_CLOSED;
        if (err)
            return err;
        line = dt_str_sub(line, n > 0 ? (size_t)n : 0, line.n);
    }
    return DT_OK;
}

/* The bytes up to the first line end, into `*text`, which grows. */
static int read_line(int fd, dt_time until, char **text, size_t *n)
{
    enum { PIECE = 64 << 10 };
    for (;;) {
        char *more = dt_alloc_array(&dt_alloc_libc, *text, *n + PIECE, 1);
        if (!more)
            return DT_E_NOMEM;
        *text = more;
        ssize_t got = recv(fd, *text + *n, PIECE, 0);
        int err = DT_OK;
        if (got < 0 && errno == EAGAIN)
            err = wait_for(fd, POLLIN, until);
        else if (got == 0 || (got < 0 && errno != EINTR))
            err = DT_E_CLOSED;
        if (err)
            return err;
        const char *end = got > 0 ? memchr(*text + *n, '\n', (size_t)got) : NULL;
        *n = end ? (size_t)(end - *text) : *n + (got > 0 ? (size_t)got : 0);
        if (end)
            return DT_OK;
        if (*n > DT_CONTROL_ANSWER)
            return DT_E_LIMIT;
    }
}

/* Many ask at once, and the queue of the socket is full: in a moment it is not. */
static int connect_within(const char *path, dt_time until)
{
    enum { AGAIN_MS = 10 };
    int fd = dt__control_connect(path);
    while (fd == DT_E_TIMEOUT && dt_io_now() < until) {
        (void)poll(NULL, 0, AGAIN_MS);
        fd = dt__control_connect(path);
    }
    return fd;
}

int dt_control_ask(const char *path, struct dt_str line, dt_time patience, struct dt_bytes **out)
{
    dt_time until = dt_io_now() + patience;
    char *text = NULL;
    size_t n = 0;
    int fd = connect_within(path, until);
    *out = NULL;
    if (fd < 0)
        return fd;
    int err = send_line(fd, line, until);
    if (!err)
        err = send_line(fd, DT_STR("\n"), until);
    if (!err)
        err = read_line(fd, until, &text, &n);
    if (!err && !(*out = dt_bytes_copy(&dt_alloc_libc, (struct dt_str){text, n})))
        err = DT_E_NOMEM;
    dt_alloc_free(&dt_alloc_libc, text);
    close(fd);
    return err;
}
