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
    struct dt_bytes *text; /* the thread's while it runs; else what could not be written */
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

int dt__cmd_snapshot_read(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now, char *err,
                          size_t err_size)
{
    unsigned bad;
    int e;
    struct dt_bytes *text = dt_io_file_read(&dt_alloc_libc, s->path, FILE_MAX, &e);
    if (!text && e == DT_E_ABSENT)
        return DT_OK;
    if (!text) {
        snprintf(err, err_size, "the bindings in %s cannot be read: %s", s->path, dt_err_text(e));
        return e;
    }
    e = dt_proxy_restore(p, now, dt_bytes_str(text), &bad);
    dt_bytes_drop(text);
    if (e)
        snprintf(err, err_size, "%s does not hold bindings of dualtone; move it away or set store",
                 s->path);
    else if (bad)
        fprintf(stderr, "dualtone proxy: %u broken lines in %s were passed over\n", bad, s->path);
    return e;
}

static void *write_text(void *arg)
{
    struct dt_cmd_snapshot *s = arg;
    s->err = dt_io_file_write(s->path, dt_bytes_str(s->text), 0600);
    atomic_store(&s->done, true);
    return NULL;
}

static void settle(struct dt_cmd_snapshot *s)
{
    if (s->err && s->err != s->told)
        fprintf(stderr, "dualtone proxy: the bindings cannot be written to %s: %s\n", s->path,
                dt_err_text(s->err));
    s->told = s->err;
    if (s->err)
        return; /* the text is kept for another try */
    dt_bytes_drop(s->text);
    s->text = NULL;
}

static void join(struct dt_cmd_snapshot *s)
{
    if (!s->running)
        return;
    pthread_join(s->thread, NULL);
    s->running = false;
    settle(s);
}

static void start(struct dt_cmd_snapshot *s)
{
    atomic_store(&s->done, false);
    s->running = pthread_create(&s->thread, NULL, write_text, s) == 0;
    if (s->running)
        return;
    write_text(s); /* no thread: here and now, late is better than never */
    settle(s);
}

void dt__cmd_snapshot_write(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now)
{
    bool changed;
    struct dt_bytes *text;
    if (s->running && !atomic_load(&s->done))
        return;
    join(s);
    if (!dt_proxy_snapshot(p, now, &changed, &text) && changed) {
        dt_bytes_drop(s->text);
        s->text = text;
    }
    if (s->text)
        start(s);
}

void dt__cmd_snapshot_finish(struct dt_cmd_snapshot *s, struct dt_proxy *p, dt_time now)
{
    join(s);
    dt__cmd_snapshot_write(s, p, now);
    join(s);
}

void dt__cmd_snapshot_free(struct dt_cmd_snapshot *s)
{
    if (s) {
        join(s);
        dt_bytes_drop(s->text);
    }
    dt_alloc_free(&dt_alloc_libc, s);
}
