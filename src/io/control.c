/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket of a running process, on its loop. */
#include "io/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io.h"
#include "io/loop.h"

enum { PATIENCE_S = 5 };

struct client {
    struct dt_control *owner;
    uint32_t id;    /* 0: free */
    bool answering; /* a line is being written, and no question is read */
    dt_time until;  /* it is dropped */
    char line[DT_CONTROL_LINE];
    size_t n;
    uv_write_t write;
    struct dt_bytes *answer;
    uv_pipe_t pipe;
};

/* Freed when the last of its handles is closed, after dt_control_free. */
struct dt_control {
    struct dt_host *host;
    void (*line)(void *ctx, uint32_t client, struct dt_str line);
    void *ctx;
    dt_time patience;
    bool freed;
    bool waits; /* somebody who was not accepted: all places are taken */
    char path[DT_CONTROL_PATH];
    uint32_t last_id;
    unsigned handles; /* open, or closing */
    struct dt_host_timer *timer;
    uv_pipe_t listener;
    struct client clients[DT_CONTROL_CLIENTS];
};

static void let_in(struct dt_control *c);

static void release(struct dt_control *c)
{
    if (--c->handles == 0 && c->freed)
        dt_alloc_free(&dt_alloc_libc, c);
}

/* ---- clients ---- */

static void on_client_closed(uv_handle_t *handle)
{
    struct client *k = handle->data;
    dt_bytes_drop(k->answer);
    k->answer = NULL;
    k->id = 0;
    if (k->owner->waits && !k->owner->freed)
        let_in(k->owner);
    release(k->owner);
}

static void drop(struct client *k)
{
    k->until = DT_TIME_NEVER;
    if (k->id && !uv_is_closing((uv_handle_t *)&k->pipe))
        uv_close((uv_handle_t *)&k->pipe, on_client_closed);
}

/* One timer for all: the next one that takes too long. */
static void arm(struct dt_control *c)
{
    dt_time due = DT_TIME_NEVER;
    for (size_t i = 0; i < DT_CONTROL_CLIENTS; i++)
        if (c->clients[i].id)
            due = dt_time_min(due, c->clients[i].until);
    dt_host_timer_at(c->timer, due);
}

static void be_patient(struct client *k)
{
    k->until = dt_host_now(k->owner->host) + k->owner->patience;
    arm(k->owner);
}

static void on_time(void *ctx, dt_time now)
{
    struct dt_control *c = ctx;
    for (size_t i = 0; i < DT_CONTROL_CLIENTS; i++)
        if (c->clients[i].id && c->clients[i].until <= now)
            drop(&c->clients[i]);
    arm(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *k = handle->data;
    (void)suggested;
    *buf = uv_buf_init(k->line + k->n, (unsigned)(sizeof k->line - k->n));
}

/* The next question, once the one before is answered. */
static void take_line(struct client *k)
{
    const char *end = memchr(k->line, '\n', k->n);
    if (k->answering)
        return;
    if (!end) {
        if (k->n == sizeof k->line)
            drop(k);
        return;
    }
    char line[DT_CONTROL_LINE];
    size_t n = (size_t)(end - k->line);
    memcpy(line, k->line, n);
    k->n -= n + 1;
    memmove(k->line, end + 1, k->n);
    k->answering = true;
    uv_read_stop((uv_stream_t *)&k->pipe);
    k->owner->line(k->owner->ctx, k->id, dt_str_trim((struct dt_str){line, n}));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *k = stream->data;
    (void)buf;
    dt__host_turn(k->owner->host);
    if (n < 0) {
        drop(k);
        return;
    }
    k->n += (size_t)n;
    take_line(k);
}

static struct client *find(struct dt_control *c, uint32_t id)
{
    for (size_t i = 0; i < DT_CONTROL_CLIENTS; i++)
        if (c->clients[i].id == id)
            return &c->clients[i];
    return NULL;
}

static void on_written(uv_write_t *req, int status)
{
    struct client *k = req->data;
    dt_bytes_drop(k->answer);
    k->answer = NULL;
    if (uv_is_closing((uv_handle_t *)&k->pipe))
        return;
    dt__host_turn(k->owner->host);
    k->answering = false;
    be_patient(k);
    if (status || uv_read_start((uv_stream_t *)&k->pipe, on_alloc, on_read))
        drop(k);
    else
        take_line(k);
}

void dt_control_reply(struct dt_control *c, uint32_t id, struct dt_str text)
{
    struct client *k = id ? find(c, id) : NULL;
    if (!k || !k->answering || k->answer || uv_is_closing((uv_handle_t *)&k->pipe))
        return;
    k->answer = dt_bytes_new(&dt_alloc_libc, text.n + 1);
    if (!k->answer || text.n + 1 > DT_CONTROL_ANSWER) {
        drop(k);
        return;
    }
    memcpy(k->answer->data, text.p, text.n);
    k->answer->data[text.n] = '\n';
    uv_buf_t buf = uv_buf_init(k->answer->data, (unsigned)text.n + 1);
    k->write.data = k;
    be_patient(k);
    if (uv_write(&k->write, (uv_stream_t *)&k->pipe, &buf, 1, on_written))
        drop(k);
}

/* Into a free place; without one libuv keeps it, and does not poll for more. */
static void let_in(struct dt_control *c)
{
    struct client *k = find(c, 0);
    c->waits = !k;
    if (!k)
        return;
    *k = (struct client){.owner = c};
    if (uv_pipe_init(&c->host->loop, &k->pipe, 0))
        return;
    k->id = ++c->last_id ? c->last_id : ++c->last_id;
    k->pipe.data = k;
    c->handles++;
    be_patient(k);
    if (uv_accept((uv_stream_t *)&c->listener, (uv_stream_t *)&k->pipe) ||
        uv_read_start((uv_stream_t *)&k->pipe, on_alloc, on_read))
        drop(k);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct dt_control *c = stream->data;
    dt__host_turn(c->host);
    if (!status)
        let_in(c);
}

/* ---- the socket ---- */

/* Ours, for nobody else, and no link that somebody else has put there. */
static int check_folder(const char *folder, char *err, size_t err_size)
{
    struct stat st;
    bool made = mkdir(folder, 0700) == 0;
    int failed = errno;
    if (lstat(folder, &st))
        snprintf(err, err_size, "the run folder %s cannot be made: %s; name another one", folder,
                 dt_err_text(dt__sock_err(made ? errno : failed)));
    else if (!S_ISDIR(st.st_mode))
        snprintf(err, err_size, "the run folder %s is no folder; name another one", folder);
    else if (st.st_uid != geteuid() || (st.st_mode & 077))
        snprintf(err, err_size,
                 "the run folder %s is open to others; make it yours with mode 0700, or name "
                 "another one",
                 folder);
    else if (access(folder, W_OK | X_OK))
        snprintf(err, err_size, "the run folder %s cannot be written to; name another one", folder);
    else
        return DT_OK;
    return DT_E_FOLDER;
}

static int choose_folder(struct dt_str given, char *out, size_t size, char *err, size_t err_size)
{
    if (given.n >= size) {
        snprintf(err, err_size, "the name of the run folder is too long; name another one");
        return DT_E_LIMIT;
    }
    if (given.n) {
        memcpy(out, given.p, given.n);
        out[given.n] = '\0';
        return check_folder(out, err, err_size);
    }
    for (unsigned i = 0; dt_control_folder(i, out, size); i++)
        if (out[0] && !check_folder(out, err, err_size))
            return DT_OK;
    return DT_E_FOLDER;
}

/* Does somebody listen there? What is left of a process that has gone is removed. */
static bool is_live(const char *path)
{
    int err = dt_control_try(path);
    if (err == DT_E_REFUSED)
        unlink(path);
    return err != DT_E_REFUSED && err != DT_E_ABSENT;
}

static void sweep(const char *folder)
{
    struct dt_control_names *names = dt_alloc_zero(&dt_alloc_libc, sizeof *names);
    if (names)
        dt_control_list(names, dt_str_z(folder));
    for (size_t i = 0; names && i < names->n; i++)
        (void)is_live(names->paths[i]);
    dt_alloc_free(&dt_alloc_libc, names);
}

static bool is_good_name(struct dt_str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '/' || name.p[i] <= ' ' || name.p[i] == 0x7f)
            return false;
    return name.n > 0;
}

/* Under the folder's lock, so that no sweep sees a socket before it is listened on. */
static int open_socket(struct dt_control *c, char *err, size_t err_size)
{
    if (is_live(c->path)) {
        snprintf(err, err_size,
                 "another process answers at %s; give this one another name, or end that one",
                 c->path);
        return DT_E_INUSE;
    }
    mode_t mask = umask(0177);
    int e = uv_pipe_bind(&c->listener, c->path);
    umask(mask);
    if (!e)
        e = uv_listen((uv_stream_t *)&c->listener, DT_CONTROL_CLIENTS, on_connection);
    if (e)
        snprintf(err, err_size, "the control socket %s cannot be opened: %s", c->path,
                 dt_err_text(dt__sock_err_uv(e)));
    return e ? DT_E_IO : DT_OK;
}

static int open_at(struct dt_control *c, struct dt_str folder, struct dt_str name, char *err,
                   size_t err_size)
{
    char where[DT_CONTROL_PATH];
    if (choose_folder(folder, where, sizeof where, err, err_size))
        return DT_E_FOLDER;
    int n = snprintf(c->path, sizeof c->path, "%s/phone-%.*s.sock", where, DT_FMT(name));
    if (n < 0 || (size_t)n >= sizeof c->path || !is_good_name(name)) {
        snprintf(err, err_size,
                 "no socket can be named %s/phone-%.*s.sock; use a shorter name "
                 "of letters and digits",
                 where, DT_FMT(dt_str_sub(name, 0, 40)));
        return DT_E_LIMIT;
    }
    int lock = dt_io_file_lock(c->path);
    sweep(where);
    int e = open_socket(c, err, err_size);
    dt_io_file_unlock(lock);
    return e;
}

static void on_listener_closed(uv_handle_t *handle)
{
    release(handle->data);
}

struct dt_control *dt_control_new(struct dt_host *h, const struct dt_control_config *cfg, char *err,
                                  size_t err_size)
{
    struct dt_control *c = dt_alloc_zero(&dt_alloc_libc, sizeof *c);
    snprintf(err, err_size, "%s", dt_err_text(DT_E_NOMEM));
    if (!c)
        return NULL;
    c->host = h;
    c->line = cfg->line;
    c->ctx = cfg->ctx;
    c->patience = cfg->patience ? cfg->patience : PATIENCE_S * DT_SECOND;
    c->timer = dt_host_timer_new(h, on_time, c);
    if (!c->timer || uv_pipe_init(&h->loop, &c->listener, 0)) {
        dt_host_timer_free(c->timer);
        dt_alloc_free(&dt_alloc_libc, c);
        return NULL;
    }
    c->listener.data = c;
    c->handles = 1;
    if (!open_at(c, cfg->folder, cfg->name, err, err_size))
        return c;
    c->path[0] = '\0'; /* not ours */
    dt_control_free(c);
    return NULL;
}

void dt_control_free(struct dt_control *c)
{
    if (!c)
        return;
    c->freed = true;
    if (c->path[0])
        unlink(c->path);
    dt_host_timer_free(c->timer);
    for (size_t i = 0; i < DT_CONTROL_CLIENTS; i++)
        drop(&c->clients[i]);
    uv_close((uv_handle_t *)&c->listener, on_listener_closed);
}
