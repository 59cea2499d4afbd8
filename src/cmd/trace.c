/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/trace.h"

#include <errno.h>
#include <string.h>

enum { LINE_SIZE = 4 * 65536 + DT_RECORD_LINE_HEAD };

/* "fd:3": a descriptor that the parent opened. */
static FILE *open_spec(struct dt_str spec)
{
    char path[1024];
    uint64_t fd;
    if (dt_str_starts(spec, DT_STR("fd:")))
        return dt_str_u64(dt_str_sub(spec, 3, spec.n), 1023, &fd) ? NULL : fdopen((int)fd, "w");
    if (spec.n >= sizeof path)
        return NULL;
    memcpy(path, spec.p, spec.n);
    path[spec.n] = '\0';
    return fopen(path, "w");
}

int dt_cmd_trace_open(struct dt_cmd_trace *t, struct dt_str spec, char *err, size_t err_size)
{
    *t = (struct dt_cmd_trace){0};
    err[0] = '\0';
    if (!spec.n)
        return DT_OK;
    dt_record_init(&t->names, &dt_alloc_libc);
    errno = EBADF; /* what is said of a number that is none */
    t->file = open_spec(spec);
    if (!t->file) {
        snprintf(
            err, err_size,
            "the trace %.*s cannot be written: %s; give a file in a folder that exists, or fd:N",
            DT_FMT(spec), strerror(errno));
        return DT_E_IO;
    }
    t->line = dt_alloc_zero(&dt_alloc_libc, LINE_SIZE);
    return t->line ? DT_OK : DT_E_NOMEM;
}

void dt_cmd_trace_close(struct dt_cmd_trace *t)
{
    if (t->file)
        fclose(t->file);
    dt_alloc_free(&dt_alloc_libc, t->line);
    *t = (struct dt_cmd_trace){0};
}

/* Whole lines at once: the reader is another process, and ours may be killed. */
static void write_item(struct dt_cmd_trace *t, struct dt_record_item *item, struct dt_str text)
{
    item->who = DT_RECORD_NOBODY;
    item->bytes = dt_bytes_copy(&dt_alloc_libc, text);
    struct dt_writer w = dt_writer(t->line, LINE_SIZE);
    dt_record_write(&t->names, item, &w);
    if (!w.err) {
        fwrite(t->line, 1, w.n, t->file);
        fflush(t->file);
    }
    dt_bytes_drop(item->bytes);
}

void dt_cmd_trace_message(struct dt_cmd_trace *t, dt_time now, bool sent,
                          const struct dt_addr *local, const struct dt_addr *remote,
                          struct dt_str bytes)
{
    struct dt_record_item item = {.at = now, .kind = sent ? DT_REC_SENT : DT_REC_ARRIVED};
    if (!t->file)
        return;
    item.from = sent ? *local : *remote;
    item.to = sent ? *remote : *local;
    write_item(t, &item, bytes);
}

void dt_cmd_trace_event(struct dt_cmd_trace *t, dt_time now, const struct dt_output *ev)
{
    struct dt_record_item item = {
        .at = now, .kind = DT_REC_EVENT, .event = ev->event, .call = ev->call};
    if (t->file)
        write_item(t, &item, ev->text);
}
