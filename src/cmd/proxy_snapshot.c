/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The snapshot file: what the signalling thread renders, another one writes, so that a slow disk
 * delays no call. */
#include "cmd/proxy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "io/io.h"

enum { PATH_SIZE = 4096, FILE_MAX = 1 << 30 };

struct dt_cmd_snapshot {
    char path[PATH_SIZE];
    pthread_t thread;
    bool running;
    atomic_bool done;
    struct dt_bytes *text; /* the thread's while it runs; after it: what could not be written */
    int err, told;         /* `told`: what stderr has heard of */
};

struct dt_cmd_snapshot *dt__cmd_snapshot_new(struct dt_str path)
{
    struct dt_cmd_snapshot *s = dt_alloc_zero(&dt_alloc_libc, sizeof *s);
    if (s && !dt__cmd_path(path, s->path, sizeof s->path)) {
        dt_alloc_free(&dt_alloc_libc, s);
        return NULL;
    }
    return s;
}

/* ---- at the start ---- */

/* The next snapshot replaces the file, so what was not understood is kept beside it. */
static void keep_broken(const struct dt_cmd_snapshot *s, struct dt_str text, unsigned bad)
{
    char path[PATH_SIZE + 8];
    snprintf(path, sizeof path, "%s.broken", s->path);
    int err = dt_io_file_write(path, text, 0600);
    fprintf(stderr, "dualtone proxy: %u broken lines in %s were passed over; ", bad, s->path);
    if (err)
        fprintf(stderr, "the file could not be kept as %s: %s\n", path, dt_err_text(err));
    else
        fprintf(stderr, "the whole is kept as %s\n", path);
}

/* Writes what is there already: better to hear now that it cannot be done than with the first
 * registration. */
static int try_to_write(const struct dt_cmd_snapshot *s, struct dt_str text, char *err,
                        size_t err_size)
{
    int e = dt_io_file_write(s->path, text, 0600);
    if (e)
        snprintf(err, err_size,
                 "the bindings cannot be kept in %s: %s; give `store` a file in a folder that "
                 "exists and may be written",
                 s->path, dt_err_text(e));
    return e;
}

int dt__cmd_snapshot_read(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now, char *err,
                          size_t err_size)
{
    unsigned bad = 0;
    int e;
    struct dt_bytes *text = dt_io_file_read(&dt_alloc_libc, s->path, FILE_MAX, &e);
    if (!text && e != DT_E_ABSENT) {
        snprintf(err, err_size, "the bindings in %s cannot be read: %s; give `store` another file",
                 s->path, dt_err_text(e));
        return e;
    }
    e = text ? dt_proxy_restore(p, now, dt_bytes_str(text), &bad) : DT_OK;
    if (e)
        snprintf(err, err_size, "%s does not hold bindings of dualtone; move it away or set store",
                 s->path);
    else if (bad)
        keep_broken(s, dt_bytes_str(text), bad);
    if (!e)
        e = try_to_write(s, dt_bytes_str(text), err, err_size);
    dt_bytes_drop(text);
    return e;
}

/* ---- while it runs ---- */

static void *write_text(void *arg)
{
    struct dt_cmd_snapshot *s = arg;
    s->err = dt_io_file_write(s->path, dt_bytes_str(s->text), 0600);
    atomic_store(&s->done, true);
    return NULL;
}

static void tell(struct dt_cmd_snapshot *s)
{
    if (s->err && s->err != s->told)
        fprintf(stderr,
                "dualtone proxy: the bindings cannot be written to %s: %s; it is tried again\n",
                s->path, dt_err_text(s->err));
    else if (s->told && !s->err)
        fprintf(stderr, "dualtone proxy: the bindings are written to %s again\n", s->path);
    s->told = s->err;
}

static void join(struct dt_cmd_snapshot *s)
{
    if (!s->running)
        return;
    pthread_join(s->thread, NULL);
    s->running = false;
    tell(s);
    if (s->err)
        return;
    dt_bytes_drop(s->text);
    s->text = NULL;
}

static void start(struct dt_cmd_snapshot *s)
{
    atomic_store(&s->done, false);
    s->running = pthread_create(&s->thread, NULL, write_text, s) == 0;
    if (s->running)
        return;
    write_text(s); /* then here and now: late is better than never */
    tell(s);
}

void dt__cmd_snapshot_write(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now)
{
    bool changed;
    struct dt_bytes *text;
    if (s->running && !atomic_load(&s->done))
        return;
    join(s);
    if (dt_proxy_snapshot(p, now, &changed, &text) == DT_OK && changed) {
        dt_bytes_drop(s->text);
        s->text = text;
    }
    if (s->text)
        start(s);
}

int dt__cmd_snapshot_finish(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now)
{
    join(s);
    s->told = DT_OK;
    s->err = DT_OK;
    dt__cmd_snapshot_write(s, p, now);
    join(s);
    return s->err;
}

void dt__cmd_snapshot_free(struct dt_cmd_snapshot *s)
{
    if (!s)
        return;
    join(s);
    dt_bytes_drop(s->text);
    dt_alloc_free(&dt_alloc_libc, s);
}
