/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TCP inside the host, through libuv's streams. */
#ifndef IO_TCP_H
#define IO_TCP_H

#include "io/loop.h"

/* CLOSING: its node has let go; what was given is written, then the other side is waited for a
 * moment, because closing with unread bytes would take back what we wrote. */
enum io_stream_state { IO_CONNECTING, IO_OPEN, IO_CLOSING };

struct io_stream {
    struct dt_host *host;
    struct io_place *place;  /* NULL: closing */
    struct dt_list of_place; /* or of the host's closing ones */
    struct dt_map_entry by_id;
    uint64_t id;
    struct dt_addr local, remote;
    enum io_stream_state state;
    bool connected, accepted;
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    struct dt_host_timer timer;
};

/* A stream with a handle that is not open yet, in the host's care; NULL without memory. */
struct io_stream *dt__stream_new(struct io_place *p);
/* It is connected: read, and tell its node. */
void dt__stream_open(struct io_stream *s);
/* Gone at once; its node, if it still has one, is told why. */
void dt__stream_end(struct io_stream *s, int err);
/* Puts it into its place under an id. DT_OK or DT_E_NOMEM. */
int dt__stream_enter(struct io_stream *s, uint64_t id);

#endif
