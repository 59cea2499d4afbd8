/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Child processes for `flow --live` and `demo`: lines to their standard input, lines from their
 * output and from an extra pipe (descriptor 3), their end. */
#ifndef IO_PROCESS_H
#define IO_PROCESS_H

#include "dualtone/base.h"

struct dt_host;
struct dt_process;

enum dt_process_source { DT_PROCESS_STDOUT, DT_PROCESS_STDERR, DT_PROCESS_RECORDS };

struct dt_process_config {
    const char *file;        /* program; looked up in PATH if it has no '/' */
    const char *const *argv; /* argv[0] first, NULL at the end */
    const char
        *stdout_path; /* appended to; NULL: lines to `line`. The same path for both is fine */
    const char *stderr_path;
    bool records; /* a pipe as descriptor 3; its lines come to `line` */
    /* A line without its end, on the host's thread. Lines over 64 KiB are cut. */
    void (*line)(void *ctx, enum dt_process_source source, struct dt_str line);
    /* After the process ended and all its pipes are read: exit status, or the signal that ended it
     * (0: none). */
    void (*ended)(void *ctx, int status, int signo);
    void *ctx;
};

/* Starts it. NULL with a sentence in `err`. */
struct dt_process *dt_process_start(struct dt_host *h, const struct dt_process_config *cfg,
                                    char *err, size_t err_size);
/* Kills it (SIGKILL) if it still runs and forgets it; `ended` is not called any more. May be called
 * in its callbacks. */
void dt_process_free(struct dt_process *p);
/* A line (its end is added) to its standard input. DT_OK, DT_E_NOMEM, DT_E_CLOSED or DT_E_LIMIT (it
 * does not read). */
int dt_process_send(struct dt_process *p, struct dt_str line);
/* Closes its standard input. */
void dt_process_send_end(struct dt_process *p);
/* The signals that its users need, without <signal.h>. */
enum { DT_PROCESS_KILL = 9, DT_PROCESS_END = 15, DT_PROCESS_CONTINUE = 18, DT_PROCESS_STOP = 19 };
/* DT_OK, or DT_E_STALE if it has ended. */
int dt_process_kill(struct dt_process *p, int signo);
int dt_process_pid(const struct dt_process *p);
/* For the child, early in main: be sent SIGTERM when the parent dies, also by SIGKILL. */
void dt_process_follow_parent(void);

#endif
