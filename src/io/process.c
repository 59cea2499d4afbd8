/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Child processes. A process lives until its owner has let go and libuv has closed its handles. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/process.h"
#include "io/splitter.h"

enum { SOURCES = 3, READ_SIZE = 16384, LINE_CUT = 65536, QUEUE_MAX = 1 << 20 };

struct source {
    struct dt_process *process;
    enum dt_process_source which;
    uv_pipe_t pipe;
    bool open;
    struct io_splitter splitter;
};

struct dt_process {
    struct dt_host *host;
    struct dt_process_config cfg;
    uv_process_t process;
    uv_pipe_t input;
    bool input_open;
    struct source sources[SOURCES];
    int handles; /* of libuv, not closed yet */
    bool freed, exited, told;
    int status, signo;
    char buffer[READ_SIZE];
};

struct io_line {
    uv_write_t req;
    struct dt_process *process;
    struct dt_bytes *bytes;
};

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct dt_process *p = handle->data;
    if (--p->handles > 0 || !p->freed)
        return;
    for (size_t i = 0; i < SOURCES; i++)
        dt__splitter_clear(&p->sources[i].splitter);
    dt_alloc_free(p->host->alloc, p);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

static void tell_end(struct dt_process *p)
{
    if (!p->exited || p->told || p->freed)
        return;
    for (size_t i = 0; i < SOURCES; i++)
        if (p->sources[i].open)
            return;
    p->told = true;
    dt_process_send_end(p);
    if (p->cfg.ended)
        p->cfg.ended(p->cfg.ctx, p->status, p->signo);
}

static void on_exit(uv_process_t *process, int64_t status, int signo)
{
    struct dt_process *p = process->data;
    dt__host_turn(p->host);
    p->exited = true;
    p->status = (int)status;
    p->signo = signo;
    tell_end(p);
}

/* ---- lines from it ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct dt_process *p = handle->data;
    (void)suggested;
    *buf = uv_buf_init(p->buffer, READ_SIZE);
}

static void give(struct source *s, struct dt_str bytes)
{
    struct dt_process *p = s->process;
    struct dt_str line;
    while (!p->freed && dt__splitter_next(&s->splitter, &bytes, &line))
        if (p->cfg.line)
            p->cfg.line(p->cfg.ctx, s->which, line);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct source *s = DT_OF(stream, struct source, pipe);
    struct dt_process *p = s->process;
    struct dt_str line;
    dt__host_turn(p->host);
    if (n >= 0) {
        give(s, (struct dt_str){buf->base, (size_t)n});
        return;
    }
    if (!p->freed && dt__splitter_end(&s->splitter, &line) && p->cfg.line)
        p->cfg.line(p->cfg.ctx, s->which, line);
    s->open = false;
    close_handle(&s->pipe);
    tell_end(p);
}

/* ---- lines to it ---- */

static void on_written(uv_write_t *req, int status)
{
    struct io_line *l = DT_OF(req, struct io_line, req);
    (void)status; /* it has gone: `ended` says so */
    dt_bytes_drop(l->bytes);
    dt_alloc_free(l->process->host->alloc, l);
}

int dt_process_send(struct dt_process *p, struct dt_str line)
{
    const struct dt_alloc *a = p->host->alloc;
    uv_stream_t *stream = (uv_stream_t *)&p->input;
    if (!p->input_open || p->exited)
        return DT_E_CLOSED;
    if (uv_stream_get_write_queue_size(stream) > QUEUE_MAX || line.n > QUEUE_MAX)
        return DT_E_LIMIT;
    struct io_line *l = dt_alloc_zero(a, sizeof *l);
    struct dt_bytes *bytes = l ? dt_bytes_new(a, line.n + 1) : NULL;
    if (!bytes) {
        dt_alloc_free(a, l);
        return DT_E_NOMEM;
    }
    if (line.n > 0)
        memcpy(bytes->data, line.p, line.n);
    bytes->data[line.n] = '\n';
    bytes->n = (uint32_t)line.n + 1;
    *l = (struct io_line){.process = p, .bytes = bytes};
    uv_buf_t buf = uv_buf_init(bytes->data, bytes->n);
    if (uv_write(&l->req, stream, &buf, 1, on_written) == 0)
        return DT_OK;
    dt_bytes_drop(bytes);
    dt_alloc_free(a, l);
    return DT_E_CLOSED;
}

void dt_process_send_end(struct dt_process *p)
{
    if (!p->input_open)
        return;
    p->input_open = false;
    close_handle(&p->input);
}

/* ---- its beginning ---- */

static int init_pipe(struct dt_process *p, uv_pipe_t *pipe)
{
    int err = uv_pipe_init(&p->host->loop, pipe, 0);
    if (err)
        return err;
    pipe->data = p;
    p->handles++;
    return 0;
}

static int source_init(struct dt_process *p, enum dt_process_source which)
{
    struct source *s = &p->sources[which];
    s->process = p;
    s->which = which;
    s->open = true;
    dt__splitter_init(&s->splitter, p->host->alloc, LINE_CUT);
    return init_pipe(p, &s->pipe);
}

/* Output to a file, or through a pipe to us. */
static int output_init(struct dt_process *p, enum dt_process_source which, const char *path,
                       uv_stdio_container_t *out, int *to_close)
{
    if (path) {
        *to_close = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        out->flags = UV_INHERIT_FD;
        out->data.fd = *to_close;
        return *to_close < 0 ? -errno : 0;
    }
    int err = source_init(p, which);
    out->flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    out->data.stream = (uv_stream_t *)&p->sources[which].pipe;
    return err;
}

static int spawn(struct dt_process *p, uv_stdio_container_t stdio[4])
{
    const struct dt_process_config *cfg = &p->cfg;
    uv_process_options_t o = {
        .file = cfg->file, .exit_cb = on_exit, .stdio = stdio, .stdio_count = cfg->records ? 4 : 3};
    /* uv_spawn's type is execvp's: neither writes to the arguments. */
    memcpy(&o.args, &cfg->argv, sizeof o.args);
    p->process.data = p;
    p->handles++; /* also when it fails, the handle must be closed */
    return uv_spawn(&p->host->loop, &p->process, &o);
}

static int begin(struct dt_process *p)
{
    const struct dt_process_config *cfg = &p->cfg;
    uv_stdio_container_t stdio[4] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&p->input}};
    int out = -1, errors = -1;
    int err = init_pipe(p, &p->input);
    p->input_open = !err;
    if (!err)
        err = output_init(p, DT_PROCESS_STDOUT, cfg->stdout_path, &stdio[1], &out);
    if (!err)
        err = output_init(p, DT_PROCESS_STDERR, cfg->stderr_path, &stdio[2], &errors);
    if (!err && cfg->records)
        err = output_init(p, DT_PROCESS_RECORDS, NULL, &stdio[3], &(int){-1});
    if (!err)
        err = spawn(p, stdio);
    if (out >= 0)
        close(out);
    if (errors >= 0)
        close(errors);
    for (size_t i = 0; !err && i < SOURCES; i++)
        if (p->sources[i].open)
            err = uv_read_start((uv_stream_t *)&p->sources[i].pipe, on_alloc, on_read);
    return err;
}

struct dt_process *dt_process_start(struct dt_host *h, const struct dt_process_config *cfg,
                                    char *err, size_t err_size)
{
    struct dt_process *p = dt_alloc_zero(h->alloc, sizeof *p);
    if (!p) {
        snprintf(err, err_size, "%s cannot be started: out of memory", cfg->file);
        return NULL;
    }
    p->host = h;
    p->cfg = *cfg;
    int e = begin(p);
    if (!e)
        return p;
    snprintf(err, err_size, "%s cannot be started: %s", cfg->file, uv_strerror(e));
    p->exited = p->process.pid == 0;
    dt_process_free(p);
    return NULL;
}

void dt_process_free(struct dt_process *p)
{
    if (!p || p->freed)
        return;
    p->freed = true;
    if (!p->exited && p->process.pid > 0)
        uv_process_kill(&p->process, SIGKILL);
    p->handles++; /* so that the last close callback comes after this function */
    p->input_open = false;
    if (p->input.data)
        close_handle(&p->input);
    for (size_t i = 0; i < SOURCES; i++)
        if (p->sources[i].pipe.data)
            close_handle(&p->sources[i].pipe);
    if (p->process.data)
        close_handle(&p->process);
    if (--p->handles == 0)
        dt_alloc_free(p->host->alloc, p);
}

int dt_process_kill(struct dt_process *p, int signo)
{
    if (p->exited)
        return DT_E_STALE;
    return uv_process_kill(&p->process, signo) ? DT_E_STALE : DT_OK;
}

int dt_process_pid(const struct dt_process *p)
{
    return p->process.pid;
}

void dt_process_follow_parent(void)
{
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        raise(SIGTERM); /* it died in between */
}
