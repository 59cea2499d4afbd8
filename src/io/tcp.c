/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TCP streams: connect, read, write with a limit, close. */
#include "io/tcp.h"

enum { READ_SIZE = 65536, KEEPALIVE_S = 60 };

static const dt_time linger = DT_SECOND; /* for the other side to close, or to read */

struct io_write {
    uv_write_t req;
    struct dt_bytes *bytes;
};

int dt__tcp_init(struct dt_host *h)
{
    h->stream_buffer = dt_alloc_zero(h->alloc, READ_SIZE + DT_PAD);
    return h->stream_buffer ? DT_OK : DT_E_NOMEM;
}

/* ---- ids ---- */

static uint64_t hash_of(struct io_place *p, uint64_t id)
{
    return dt_map_hash(&p->by_id, (struct dt_str){(const char *)&id, sizeof id});
}

static struct io_stream *find(struct io_place *p, uint64_t id)
{
    struct dt_map_entry *e = dt_map_first(&p->by_id, hash_of(p, id));
    for (; e; e = dt_map_next(e)) {
        struct io_stream *s = DT_OF(e, struct io_stream, by_id);
        if (s->id == id)
            return s;
    }
    return NULL;
}

int dt__stream_enter(struct io_stream *s, uint64_t id)
{
    s->id = id;
    if (dt_map_add(&s->place->by_id, &s->by_id, hash_of(s->place, id)))
        return DT_E_NOMEM;
    dt_list_del(&s->of_place);
    dt_list_add(&s->place->streams, &s->of_place);
    return DT_OK;
}

/* Its node hears no more of it. */
static void leave(struct io_stream *s)
{
    if (s->place)
        dt_map_del(&s->place->by_id, &s->by_id);
    s->place = NULL;
    dt_list_del(&s->of_place);
    dt_list_add(&s->host->closing, &s->of_place);
}

/* ---- beginning and end ---- */

static void on_timer(void *ctx, dt_time now)
{
    struct io_stream *s = ctx;
    (void)now;
    dt__stream_end(s, DT_E_TIMEOUT);
}

struct io_stream *dt__stream_new(struct io_place *p)
{
    struct dt_host *h = p->host;
    struct io_stream *s = dt_alloc_zero(h->alloc, sizeof *s);
    if (!s)
        return NULL;
    if (uv_tcp_init(&h->loop, &s->tcp)) {
        dt_alloc_free(h->alloc, s);
        return NULL;
    }
    s->host = h;
    s->place = p;
    s->tcp.data = s->connect.data = s->shutdown.data = s;
    dt_list_init(&s->of_place);
    dt_list_add(&h->closing, &s->of_place);
    dt__timer_init(&s->timer, h, on_timer, s);
    h->n_streams++;
    return s;
}

static void on_closed(uv_handle_t *handle)
{
    struct io_stream *s = handle->data;
    struct dt_host *h = s->host;
    dt_list_del(&s->of_place);
    dt_alloc_free(h->alloc, s);
    h->n_streams--;
    if (h->accept_waits && !h->ending)
        dt__tcp_accept_more(h);
    if (h->n_streams == 0)
        dt__host_streams_gone(h);
}

void dt__stream_end(struct io_stream *s, int err)
{
    if (uv_is_closing((uv_handle_t *)&s->tcp))
        return;
    if (s->place) {
        struct dt_input in = {.kind = DT_IN_STREAM_CLOSED,
                              .stream = s->id,
                              .err = err,
                              .local = s->local,
                              .remote = s->remote,
                              .accepted = s->accepted};
        dt__place_later(s->place, &in, NULL, NULL);
    }
    leave(s);
    dt_timers_stop(&s->host->timers, &s->timer.timer);
    uv_close((uv_handle_t *)&s->tcp, on_closed);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct io_stream *s = handle->data;
    (void)suggested;
    *buf = uv_buf_init(s->host->stream_buffer, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct io_stream *s = stream->data;
    struct dt_host *h = s->host;
    dt__host_turn(h);
    if (n < 0) {
        dt__stream_end(s, dt__sock_err_uv((int)n));
        return;
    }
    if (n == 0 || !s->place)
        return;
    struct dt_input in = {.kind = DT_IN_STREAM_DATA,
                          .stream = s->id,
                          .local = s->local,
                          .remote = s->remote,
                          .data = {buf->base, (size_t)n}};
    if (h->cfg.watch.message)
        h->cfg.watch.message(h->cfg.watch.ctx, h->now, s->place->number, false, &s->local,
                             &s->remote, in.data);
    dt__place_input(s->place, &in, 1);
}

static void learn_names(struct io_stream *s)
{
    struct sockaddr_storage name;
    int n = sizeof name;
    if (uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&name, &n) == 0)
        s->local = dt__sock_to_addr(&name, DT_TCP);
    n = sizeof name;
    if (uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&name, &n) == 0)
        s->remote = dt__sock_to_addr(&name, DT_TCP);
}

void dt__stream_open(struct io_stream *s)
{
    s->connected = true;
    learn_names(s);
    uv_tcp_nodelay(&s->tcp, 1);
    uv_tcp_keepalive(&s->tcp, 1, KEEPALIVE_S);
    int err = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
    if (err) {
        dt__stream_end(s, dt__sock_err_uv(err));
        return;
    }
    if (!s->place)
        return;
    s->state = IO_OPEN;
    struct dt_input in = {.kind = DT_IN_STREAM_OPEN,
                          .stream = s->id,
                          .local = s->local,
                          .remote = s->remote,
                          .accepted = s->accepted};
    dt__place_later(s->place, &in, NULL, NULL);
}

/* ---- closing ---- */

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct io_stream *s = req->data;
    if (status < 0 || s->host->ending)
        dt__stream_end(s, DT_E_CLOSED);
}

static void shut(struct io_stream *s)
{
    dt_host_timer_at(&s->timer, dt_host_now(s->host) + linger);
    if (uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp, on_shutdown))
        dt__stream_end(s, DT_E_CLOSED);
}

static void close_politely(struct io_stream *s)
{
    size_t waiting = uv_stream_get_write_queue_size((uv_stream_t *)&s->tcp);
    leave(s);
    s->state = IO_CLOSING;
    if (s->connected)
        shut(s);
    else if (waiting == 0)
        dt__stream_end(s, DT_E_CLOSED);
    /* else when it is connected */
}

void dt__tcp_close(struct io_place *p, uint64_t id)
{
    struct io_stream *s = find(p, id);
    if (s)
        close_politely(s);
}

void dt__tcp_close_all(struct io_place *p)
{
    DT_LIST_EACH(e, &p->streams)
    close_politely(DT_OF(e, struct io_stream, of_place));
}

void dt__tcp_abort_closing(struct dt_host *h)
{
    DT_LIST_EACH(e, &h->closing)
    dt__stream_end(DT_OF(e, struct io_stream, of_place), DT_E_CLOSED);
}

/* ---- connecting ---- */

static void on_connect(uv_connect_t *req, int status)
{
    struct io_stream *s = req->data;
    dt__host_turn(s->host);
    if (uv_is_closing((uv_handle_t *)&s->tcp))
        return;
    dt_timers_stop(&s->host->timers, &s->timer.timer);
    if (status < 0) {
        dt__stream_end(s, dt__sock_err_uv(status));
        return;
    }
    dt__stream_open(s);
    if (s->state == IO_CLOSING && !uv_is_closing((uv_handle_t *)&s->tcp))
        shut(s);
}

static int begin_connect(struct io_stream *s, const struct dt_addr *from)
{
    struct sockaddr_storage name;
    int err = 0;
    if (from->family == s->remote.family && !dt_addr_is_any(from)) {
        struct dt_addr source = *from;
        source.port = 0; /* the node's own port is where it listens */
        dt__sock_from_addr(&source, &name);
        err = uv_tcp_bind(&s->tcp, (struct sockaddr *)&name, 0);
    }
    dt__sock_from_addr(&s->remote, &name);
    if (!err)
        err = uv_tcp_connect(&s->connect, &s->tcp, (struct sockaddr *)&name, on_connect);
    return err ? dt__sock_err_uv(err) : DT_OK;
}

static void refuse(struct io_place *p, const struct dt_output *o, int err)
{
    struct dt_input in = {
        .kind = DT_IN_STREAM_CLOSED, .stream = o->stream, .err = err, .remote = o->remote};
    dt__place_later(p, &in, NULL, NULL);
}

void dt__tcp_connect(struct io_place *p, const struct dt_output *o)
{
    struct dt_host *h = p->host;
    if (find(p, o->stream)) {
        dt__host_log(h, DT_LOG_ERROR, "stream %llu is open already", (unsigned long long)o->stream);
        return;
    }
    struct io_stream *s = h->n_streams < h->cfg.streams_max ? dt__stream_new(p) : NULL;
    if (!s || (o->remote.family != 4 && o->remote.family != 6) || dt__stream_enter(s, o->stream)) {
        refuse(p, o, s ? DT_E_UNREACHABLE : DT_E_LIMIT);
        if (s) {
            s->place = NULL;
            dt__stream_end(s, DT_E_LIMIT);
        }
        return;
    }
    s->remote = o->remote;
    s->remote.transport = s->local.transport = DT_TCP;
    int err = begin_connect(s, &o->local);
    if (err)
        dt__stream_end(s, err);
    else
        dt_host_timer_at(&s->timer, h->now + h->cfg.connect_timeout);
}

/* ---- writing ---- */

static void on_write(uv_write_t *req, int status)
{
    struct io_write *w = DT_OF(req, struct io_write, req);
    struct io_stream *s = req->handle->data;
    dt__host_turn(s->host);
    dt_bytes_drop(w->bytes);
    dt_alloc_free(s->host->alloc, w);
    if (status < 0)
        dt__stream_end(s, dt__sock_err_uv(status));
}

/* Takes the reference over. */
static int write_bytes(struct io_stream *s, struct dt_bytes *bytes)
{
    uv_stream_t *stream = (uv_stream_t *)&s->tcp;
    size_t waiting = uv_stream_get_write_queue_size(stream);
    struct io_write *w = NULL;
    int err = DT_E_LIMIT;
    if (waiting + bytes->n <= s->host->cfg.stream_queue) {
        w = dt_alloc_zero(s->host->alloc, sizeof *w);
        err = w ? DT_OK : DT_E_NOMEM;
    }
    if (!err) {
        uv_buf_t buf = uv_buf_init(bytes->data, bytes->n);
        w->bytes = bytes;
        int e = uv_write(&w->req, stream, &buf, 1, on_write);
        err = e ? dt__sock_err_uv(e) : DT_OK;
    }
    if (err) {
        dt_alloc_free(s->host->alloc, w);
        dt_bytes_drop(bytes);
    }
    return err;
}

void dt__tcp_send(struct io_place *p, const struct dt_output *o)
{
    struct dt_host *h = p->host;
    struct io_stream *s = find(p, o->stream);
    if (!o->bytes)
        return;
    if (!s || o->bytes->n == 0) {
        dt_bytes_drop(o->bytes);
        return;
    }
    if (h->cfg.watch.message)
        h->cfg.watch.message(h->cfg.watch.ctx, h->now, p->number, true, &s->local, &s->remote,
                             dt_bytes_str(o->bytes));
    int err = write_bytes(s, o->bytes);
    if (err)
        dt__stream_end(s, err);
}
