/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Control sockets: one Unix stream socket a running phone, in its run folder, for `dualtone why`. A
 * client sends a line and gets a line. The folder has mode 0700 and is ours; the socket 0600. */
#ifndef IO_CONTROL_H
#define IO_CONTROL_H

#include "io/host.h"

enum {
    DT_CONTROL_CLIENTS = 8,      /* at once; more are closed */
    DT_CONTROL_LINE = 512,       /* bytes of a question; more closes the connection */
    DT_CONTROL_ANSWER = 8 << 20, /* bytes of an answer */
    DT_CONTROL_PATH = 108,       /* of a socket, with its NUL: sun_path */
    DT_CONTROL_NAMES = 64        /* sockets that are looked at */
};

/* ---- where ---- */

/* The i-th folder that is used when none is configured: $XDG_RUNTIME_DIR/dualtone, /run/dualtone,
 * $TMPDIR/dualtone-UID. False: there is no more. A folder that cannot be named is empty. */
bool dt_control_folder(unsigned i, char *out, size_t size);

/* Sockets in a folder (empty: in all of those above): their paths, in order of name. */
struct dt_control_names {
    char paths[DT_CONTROL_NAMES][DT_CONTROL_PATH];
    size_t n;
};
void dt_control_list(struct dt_control_names *out, struct dt_str folder);

/* ---- the side that answers ---- */

struct dt_control;
struct dt_control_config {
    struct dt_str folder; /* empty: the first of dt_control_folder that can be used */
    struct dt_str name;
    /* Called on the host's thread for each question; `client` is for dt_control_reply. */
    void (*line)(void *ctx, uint32_t client, struct dt_str line);
    void *ctx;
    dt_time patience; /* for a question, and for an answer to be read; 0: 5 s */
};
/* Opens phone-NAME.sock in the folder, which is made if it is not there. Sockets of processes that
 * are gone are removed. Before the host runs, or on its thread. NULL with a sentence in `err`
 * (always terminated): the folder cannot be used, or somebody answers at that name. */
struct dt_control *dt_control_new(struct dt_host *h, const struct dt_control_config *cfg, char *err,
                                  size_t err_size);
/* A line for a client; one that is gone, or has not read the one before, gets nothing. */
void dt_control_reply(struct dt_control *c, uint32_t client, struct dt_str text);
/* Closes and removes the socket. Before the host is freed, when it does not run. NULL is fine. */
void dt_control_free(struct dt_control *c);

/* ---- the side that asks ---- */

/* Sends `line` to the socket at `path` and waits for the line that answers it: a reference in
 * `*out`. DT_OK, DT_E_ABSENT (no such socket), DT_E_REFUSED (nobody listens: its process is gone),
 * DT_E_PERMISSION, DT_E_TIMEOUT (`patience`), DT_E_CLOSED, DT_E_LIMIT, DT_E_NOMEM or DT_E_IO. */
int dt_control_ask(const char *path, struct dt_str line, dt_time patience, struct dt_bytes **out);
/* Does somebody listen there? DT_OK, or the errors above; nothing is sent. */
int dt_control_try(const char *path);
/* A connected socket, not blocking: a descriptor, or the errors above. */
int dt__control_connect(const char *path);

#endif
