/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TCP sockets that listen. At the cap a connection is left unaccepted, with which libuv stops to
 * poll the socket until one may be accepted again. */
#include "io/tcp.h"

enum { BACKLOG = 511 };

struct io_listener {
    struct dt_list of_place;
    struct dt_host *host;
    struct io_place *place; /* NULL: closing */
    struct dt_addr local;
    bool waits; /* a connection is there and was not accepted */
    uv_tcp_t tcp;
};

/* ---- accepting ---- */

static uint32_t count_source(const struct dt_host *h, const struct dt_addr *remote)
{
    uint32_t n = 0;
    for (int i = 0; i < h->n_places; i++)
        DT_LIST_EACH(e, &h->places[i]->streams)
        {
            const struct io_stream *s = DT_OF(e, struct io_stream, of_place);
            n += s->accepted && dt_addr_ip_eq(&s->remote, remote);
        }
    return n;
}

/* Open, or ended again: over the cap of its source, or without memory. */
static void welcome(struct io_listener *l, struct io_stream *s)
{
    struct dt_host *h = l->host;
    struct sockaddr_storage name;
    int n = sizeof name;
    struct io_place *place = s->place;
    s->place = NULL; /* until it is let in, its end is nobody's business */
    if (uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&s->tcp) ||
        uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&name, &n)) {
        dt__stream_end(s, DT_E_CLOSED);
        return;
    }
    s->remote = dt__sock_to_addr(&name, DT_TCP);
    if (count_source(h, &s->remote) >= h->cfg.streams_source) {
        h->counts.streams_refused++;
        dt__stream_end(s, DT_E_LIMIT);
        return;
    }
    s->place = place;
    s->accepted = true;
    place->last_id += 2;
    if (dt__stream_enter(s, place->last_id)) {
        s->place = NULL;
        dt__stream_end(s, DT_E_NOMEM);
        return;
    }
    dt__stream_open(s);
}

static void accept_one(struct io_listener *l)
{
    struct dt_host *h = l->host;
    struct io_stream *s = h->n_streams < h->cfg.streams_max ? dt__stream_new(l->place) : NULL;
    l->waits = !s;
    if (s)
        welcome(l, s);
    else
        h->accept_waits = true;
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct io_listener *l = stream->data;
    dt__host_turn(l->host);
    if (status == 0 && l->place)
        accept_one(l);
}

void dt__tcp_accept_more(struct dt_host *h)
{
    h->accept_waits = false;
    for (int i = 0; i < h->n_places; i++)
        DT_LIST_EACH(e, &h->places[i]->listeners)
        {
            struct io_listener *l = DT_OF(e, struct io_listener, of_place);
            if (l->waits)
                accept_one(l);
        }
}

/* ---- listening ---- */

static void on_closed(uv_handle_t *handle)
{
    struct io_listener *l = handle->data;
    dt_alloc_free(l->host->alloc, l);
}

static void close_listener(struct io_listener *l)
{
    dt_list_del(&l->of_place);
    l->place = NULL;
    uv_close((uv_handle_t *)&l->tcp, on_closed);
}

static int begin(struct io_listener *l)
{
    struct sockaddr_storage name;
    int n = sizeof name;
    dt__sock_from_addr(&l->local, &name);
    unsigned flags = l->local.family == 6 ? UV_TCP_IPV6ONLY : 0;
    int err = uv_tcp_bind(&l->tcp, (struct sockaddr *)&name, flags);
    if (!err)
        err = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
    if (!err)
        err = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&name, &n);
    if (err)
        return dt__sock_err_uv(err);
    l->local = dt__sock_to_addr(&name, DT_TCP);
    return DT_OK;
}

int dt__tcp_listen(struct io_place *p, struct dt_addr *local)
{
    if (local->family != 4 && local->family != 6)
        return DT_E_UNSUPPORTED;
    struct io_listener *l = dt_alloc_zero(p->host->alloc, sizeof *l);
    if (!l)
        return DT_E_NOMEM;
    *l = (struct io_listener){.host = p->host, .place = p, .local = *local};
    if (uv_tcp_init(&p->host->loop, &l->tcp)) {
        dt_alloc_free(p->host->alloc, l);
        return DT_E_IO;
    }
    l->tcp.data = l;
    dt_list_add(&p->listeners, &l->of_place);
    int err = begin(l);
    if (err)
        close_listener(l);
    else
        *local = l->local;
    return err;
}

bool dt__tcp_unlisten(struct io_place *p, const struct dt_addr *local)
{
    DT_LIST_EACH(e, &p->listeners)
    {
        struct io_listener *l = DT_OF(e, struct io_listener, of_place);
        if (dt_addr_eq(&l->local, local)) {
            close_listener(l);
            return true;
        }
    }
    return false;
}

void dt__tcp_unlisten_all(struct io_place *p)
{
    DT_LIST_EACH(e, &p->listeners)
    close_listener(DT_OF(e, struct io_listener, of_place));
}
