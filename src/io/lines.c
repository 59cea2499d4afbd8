/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines from a descriptor. libuv has a way for each kind: terminals, pipes and sockets are streams;
 * a file (and /dev/null) cannot be polled and is read by libuv's worker threads. */
#include <fcntl.h>
#include <unistd.h>

#include "io/io.h"
#include "io/loop.h"
#include "io/splitter.h"

enum { LINE_CUT = 4000, READ_SIZE = 4096 };

struct dt_io_lines {
    struct dt_host *host;
    void (*line)(void *ctx, struct dt_str line);
    void (*end)(void *ctx);
    void *ctx;
    struct io_splitter splitter;
    bool freed, ended;
    bool reading; /* a read of a file is under way */
    int fd;       /* a file; -1: the stream's */
    union {
        uv_stream_t stream;
        uv_tty_t tty;
        uv_pipe_t pipe;
    } handle;
    uv_fs_t read;
    char buffer[READ_SIZE];
};

static void release(struct dt_io_lines *l)
{
    dt__splitter_clear(&l->splitter);
    if (l->fd >= 0)
        close(l->fd);
    dt_alloc_free(l->host->alloc, l);
}

static void give(struct dt_io_lines *l, struct dt_str bytes)
{
    struct dt_str line;
    while (!l->freed && dt__splitter_next(&l->splitter, &bytes, &line))
        l->line(l->ctx, line);
}

static void finish(struct dt_io_lines *l)
{
    struct dt_str line;
    if (l->ended || l->freed)
        return;
    l->ended = true;
    if (dt__splitter_end(&l->splitter, &line))
        l->line(l->ctx, line);
    if (l->end)
        l->end(l->ctx);
}

/* ---- streams ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct dt_io_lines *l = handle->data;
    (void)suggested;
    *buf = uv_buf_init(l->buffer, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct dt_io_lines *l = stream->data;
    dt__host_turn(l->host);
    if (n >= 0) {
        give(l, (struct dt_str){buf->base, (size_t)n});
        return;
    }
    uv_read_stop(stream);
    finish(l);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static int open_stream(struct dt_io_lines *l, int fd, uv_handle_type type)
{
    uv_loop_t *loop = &l->host->loop;
    int err = type == UV_TTY ? uv_tty_init(loop, &l->handle.tty, fd, 1)
                             : uv_pipe_init(loop, &l->handle.pipe, 0);
    if (err) {
        close(fd);
        release(l);
        return err;
    }
    l->handle.stream.data = l;
    if (type != UV_TTY && (err = uv_pipe_open(&l->handle.pipe, fd)) != 0)
        close(fd);
    if (!err)
        err = uv_read_start(&l->handle.stream, on_alloc, on_read);
    if (err) {
        l->freed = true;
        uv_close((uv_handle_t *)&l->handle.stream, on_closed);
    }
    return err;
}

/* ---- files ---- */

static int read_file(struct dt_io_lines *l);

static void on_file(uv_fs_t *req)
{
    struct dt_io_lines *l = req->data;
    ssize_t n = req->result;
    uv_fs_req_cleanup(req);
    dt__host_turn(l->host);
    l->reading = false;
    if (n > 0)
        give(l, (struct dt_str){l->buffer, (size_t)n});
    if (l->freed)
        release(l);
    else if (n <= 0 || read_file(l))
        finish(l);
}

static int read_file(struct dt_io_lines *l)
{
    uv_buf_t buf = uv_buf_init(l->buffer, READ_SIZE);
    l->read.data = l;
    int err = uv_fs_read(&l->host->loop, &l->read, l->fd, &buf, 1, -1, on_file);
    l->reading = !err;
    return err;
}

/* ---- both ---- */

struct dt_io_lines *dt_io_lines_new(struct dt_host *h, int fd,
                                    void (*line)(void *ctx, struct dt_str line),
                                    void (*end)(void *ctx), void *ctx)
{
    struct dt_io_lines *l = dt_alloc_zero(h->alloc, sizeof *l);
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* libuv closes what it is given */
    if (!l || own < 0) {
        dt_alloc_free(h->alloc, l);
        if (own >= 0)
            close(own);
        return NULL;
    }
    l->host = h;
    l->line = line;
    l->end = end;
    l->ctx = ctx;
    l->fd = -1;
    dt__splitter_init(&l->splitter, h->alloc, LINE_CUT);
    uv_handle_type type = uv_guess_handle(own);
    if (type != UV_FILE)
        return open_stream(l, own, type) ? NULL : l;
    l->fd = own;
    if (read_file(l)) {
        release(l);
        return NULL;
    }
    return l;
}

void dt_io_lines_free(struct dt_io_lines *l)
{
    if (!l || l->freed)
        return;
    l->freed = true;
    if (l->fd < 0)
        uv_close((uv_handle_t *)&l->handle.stream, on_closed);
    else if (!l->reading)
        release(l);
    /* else when the read is done */
}
