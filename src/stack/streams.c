/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Connections: opened when there is something to send, used again by whoever sends to the same
 * place, closed when idle. A connection that the other side opened serves both ways (RFC 3261 18,
 * RFC 5923 in spirit). */
#include <string.h>

#include "stack/private.h"

enum { FIRST_IN = 1024 /* bytes kept for a message that is not whole */ };

/* ---- the table ---- */

static struct dt_str addr_bytes(const struct dt_addr *a)
{
    return (struct dt_str){(const char *)a, sizeof *a};
}

static uint64_t id_hash(const struct dt_stack *s, uint64_t id)
{
    return dt_map_hash(&s->streams_by_id, (struct dt_str){(const char *)&id, sizeof id});
}

struct dt__stream *dt__stream_find(const struct dt_stack *s, uint64_t id)
{
    struct dt_map_entry *e = dt_map_first(&s->streams_by_id, id_hash(s, id));
    for (; e; e = dt_map_next(e)) {
        struct dt__stream *st = DT_OF(e, struct dt__stream, by_id);
        if (st->id == id)
            return st;
    }
    return NULL;
}

static struct dt__stream *find_remote(const struct dt_stack *s, const struct dt_addr *remote)
{
    uint64_t hash = dt_map_hash(&s->streams_by_remote, addr_bytes(remote));
    struct dt_map_entry *e = dt_map_first(&s->streams_by_remote, hash);
    for (; e; e = dt_map_next(e)) {
        struct dt__stream *st = DT_OF(e, struct dt__stream, by_remote);
        if (dt_addr_eq(&st->remote, remote) && !st->silent)
            return st;
    }
    return NULL;
}

/* Maps and timer; nothing is left behind when one fails. */
static int enlist(struct dt_stack *s, dt_time now, struct dt__stream *st)
{
    uint64_t remote = dt_map_hash(&s->streams_by_remote, addr_bytes(&st->remote));
    dt_timer_init(&st->timer, DT__STREAM_TIMER);
    if (dt_timers_arm(&s->timers, &st->timer, now + s->cfg.stream_idle))
        return DT_E_NOMEM;
    if (dt_map_add(&s->streams_by_id, &st->by_id, id_hash(s, st->id)))
        goto no_timer;
    if (dt_map_add(&s->streams_by_remote, &st->by_remote, remote))
        goto no_id;
    dt_list_add(&s->streams, &st->link);
    s->counts.streams++;
    return DT_OK;
no_id:
    dt_map_del(&s->streams_by_id, &st->by_id);
no_timer:
    dt_timers_stop(&s->timers, &st->timer);
    return DT_E_NOMEM;
}

static struct dt__stream *add(struct dt_stack *s, dt_time now, const struct dt_hop *hop, int *err)
{
    *err = DT_E_LIMIT;
    if (s->counts.streams >= s->cfg.max_streams)
        return NULL;
    *err = DT_E_NOMEM;
    struct dt__stream *st = dt_alloc_zero(s->env->alloc, sizeof *st);
    if (!st)
        return NULL;
    st->id = hop->stream;
    st->local = hop->local;
    st->remote = hop->remote;
    st->active_at = now;
    st->partial_since = DT_TIME_NEVER;
    dt_list_init(&st->waiting);
    if (enlist(s, now, st)) {
        dt_alloc_free(s->env->alloc, st);
        return NULL;
    }
    *err = DT_OK;
    return st;
}

/* Out of the tables; the memory goes when the entry call ends. */
static void retire(struct dt_stack *s, struct dt__stream *st, bool tell_host)
{
    st->gone = true;
    dt_map_del(&s->streams_by_id, &st->by_id);
    dt_map_del(&s->streams_by_remote, &st->by_remote);
    dt_timers_stop(&s->timers, &st->timer);
    dt_list_del(&st->link);
    dt_list_add(&s->dead_streams, &st->link);
    s->counts.streams--;
    if (tell_host)
        (void)dt_outbox_put(s->out, &(struct dt_output){.kind = DT_OUT_CLOSE, .stream = st->id});
}

static void close_stream(struct dt_stack *s, dt_time now, struct dt__stream *st, int err,
                         bool tell_host)
{
    retire(s, st, tell_host);
    dt__clients_fail(s, now, &st->waiting, err);
}

void dt__streams_forget(struct dt_stack *s, bool tell_host)
{
    DT_LIST_EACH(e, &s->streams)
    {
        retire(s, DT_OF(e, struct dt__stream, link), tell_host);
    }
}

void dt__streams_reap(struct dt_stack *s)
{
    DT_LIST_EACH(e, &s->dead_streams)
    {
        struct dt__stream *st = DT_OF(e, struct dt__stream, link);
        dt_list_del(e);
        for (size_t i = 0; i < st->queued; i++)
            dt_bytes_drop(st->queue[i]);
        dt_alloc_free(s->env->alloc, st->queue);
        dt_bytes_drop(st->in);
        dt_alloc_free(s->env->alloc, st);
    }
}

/* ---- out ---- */

static struct dt__stream *connect_to(struct dt_stack *s, dt_time now, const struct dt_hop *to,
                                     int *err)
{
    struct dt_hop hop = *to;
    hop.stream = s->next_stream;
    struct dt__stream *st = add(s, now, &hop, err);
    if (!st)
        return NULL;
    s->next_stream += 2; /* the node's ids are even */
    *err = dt_outbox_put(s->out, &(struct dt_output){
                                     .kind = DT_OUT_CONNECT,
                                     .local = hop.local,
                                     .remote = hop.remote,
                                     .stream = hop.stream,
                                 });
    if (!*err)
        return st;
    retire(s, st, false);
    return NULL;
}

struct dt__stream *dt__stream_for(struct dt_stack *s, dt_time now, const struct dt_hop *hop,
                                  int *err)
{
    struct dt__stream *st = hop->stream ? dt__stream_find(s, hop->stream) : NULL;
    if (!st)
        st = find_remote(s, &hop->remote);
    return st ? st : connect_to(s, now, hop, err);
}

bool dt_stack_stream_is_open(const struct dt_stack *s, uint64_t stream)
{
    const struct dt__stream *st = stream ? dt__stream_find(s, stream) : NULL;
    return st && st->open && !st->gone && !st->silent;
}

static int put_data(struct dt_stack *s, const struct dt__stream *st, struct dt_bytes *bytes)
{
    return dt_outbox_put(s->out, &(struct dt_output){
                                     .kind = DT_OUT_STREAM_DATA,
                                     .stream = st->id,
                                     .bytes = dt_bytes_hold(bytes),
                                 });
}

static int enqueue(struct dt_stack *s, struct dt__stream *st, struct dt_bytes *bytes)
{
    if (st->queued == DT__QUEUE_MAX)
        return DT_E_LIMIT;
    if (st->queued == st->queue_cap) {
        size_t cap = st->queue_cap ? 2 * st->queue_cap : 4;
        struct dt_bytes **queue = dt_alloc_array(s->env->alloc, st->queue, cap, sizeof *queue);
        if (!queue)
            return DT_E_NOMEM;
        st->queue = queue;
        st->queue_cap = cap;
    }
    st->queue[st->queued++] = dt_bytes_hold(bytes);
    return DT_OK;
}

int dt__stream_send(struct dt_stack *s, dt_time now, struct dt__stream *st, struct dt_bytes *bytes)
{
    if (!st->open)
        return enqueue(s, st, bytes);
    st->active_at = now;
    return put_data(s, st, bytes);
}

static void flush(struct dt_stack *s, struct dt__stream *st)
{
    for (size_t i = 0; i < st->queued; i++) {
        (void)put_data(s, st, st->queue[i]);
        dt_bytes_drop(st->queue[i]);
    }
    dt_alloc_free(s->env->alloc, st->queue);
    st->queue = NULL;
    st->queued = st->queue_cap = 0;
}

/* RFC 5626 4.4.1: who opened the connection pings, the other side answers. */
static void pong(struct dt_stack *s, const struct dt__stream *st)
{
    struct dt_bytes *crlf = st->accepted ? dt_bytes_copy(s->env->alloc, DT_STR("\r\n")) : NULL;
    if (!crlf)
        return;
    (void)put_data(s, st, crlf);
    dt_bytes_drop(crlf);
}

/* ---- in ---- */

static struct dt_hop hop_of(const struct dt__stream *st)
{
    return (struct dt_hop){.local = st->local, .remote = st->remote, .stream = st->id};
}

static void receive_message(struct dt_stack *s, dt_time now, struct dt__stream *st,
                            struct dt_str text)
{
    struct dt_hop from = hop_of(st);
    struct dt_bytes *bytes = dt_bytes_copy(s->env->alloc, text);
    if (!bytes) {
        dt__dropped(s, now, &from, "out of memory");
        return;
    }
    dt__message(s, now, dt_bytes_str(bytes), bytes, &from);
    dt_bytes_drop(bytes);
}

/* The sender of what cannot be framed is told, if its head came, and the connection ends: nobody
 * knows where the next message begins. */
static void receive_bad(struct dt_stack *s, dt_time now, struct dt__stream *st, struct dt_str text)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_hop from = hop_of(st);
    struct dt_bytes *head = NULL;
    s->counts.in++;
    if (st->framing.status)
        head = dt_bytes_copy(s->env->alloc, dt_str_sub(text, 0, st->framing.head));
    if (head) {
        (void)dt_sip_parse(&m, dt_bytes_str(head), headers, DT_MSG_HEADERS_MAX);
        dt__malformed(s, now, &m, &from, st->framing.status);
        dt_bytes_drop(head);
    } else {
        s->counts.malformed++;
        dt__dropped(s, now, &from, "no end of a message in sight");
    }
    if (!st->gone)
        close_stream(s, now, st, DT_E_CLOSED, true);
}

/* Takes everything whole off the front; returns how many bytes. */
static size_t take_whole(struct dt_stack *s, dt_time now, struct dt__stream *st, struct dt_str text)
{
    size_t at = 0;
    while (at < text.n && !st->gone) {
        struct dt_str rest = dt_str_sub(text, at, text.n);
        int err = dt__frame(&st->framing, rest, s->cfg.max_message);
        if (err == DT_E_MORE)
            break;
        if (err) {
            receive_bad(s, now, st, rest);
            break;
        }
        struct dt__framing done = st->framing;
        st->framing = (struct dt__framing){.size = 0};
        st->partial_since = DT_TIME_NEVER;
        at += done.size;
        if (done.ping)
            pong(s, st);
        else if (!done.filler)
            receive_message(s, now, st, dt_str_sub(rest, 0, done.size));
    }
    return at;
}

/* Room for `n` bytes in `st->in`, which keeps what it has. */
static int grow_in(struct dt_stack *s, struct dt__stream *st, size_t n)
{
    size_t cap = st->in ? st->in->cap : FIRST_IN;
    if (st->in && n <= cap)
        return DT_OK;
    while (cap < n)
        cap *= 2;
    struct dt_bytes *in = dt_bytes_new(s->env->alloc, cap);
    if (!in)
        return DT_E_NOMEM;
    struct dt_str old = dt_bytes_str(st->in);
    if (old.n)
        memcpy(in->data, old.p, old.n);
    in->n = (uint32_t)old.n;
    dt_bytes_drop(st->in);
    st->in = in;
    return DT_OK;
}

static int append_in(struct dt_stack *s, struct dt__stream *st, struct dt_str data)
{
    size_t have = st->in ? st->in->n : 0;
    if (grow_in(s, st, have + data.n))
        return DT_E_NOMEM;
    memcpy(st->in->data + have, data.p, data.n);
    st->in->n += (uint32_t)data.n;
    return DT_OK;
}

/* What is not whole waits; how long is bounded from its first byte on. */
static int keep_rest(struct dt_stack *s, dt_time now, struct dt__stream *st, struct dt_str rest)
{
    if (!rest.n) {
        dt_bytes_drop(st->in);
        st->in = NULL;
        return DT_OK;
    }
    if (st->in) {
        memmove(st->in->data, rest.p, rest.n);
        st->in->n = (uint32_t)rest.n;
    } else if (append_in(s, st, rest)) {
        return DT_E_NOMEM;
    }
    if (st->partial_since == DT_TIME_NEVER && !st->framing.filler) {
        st->partial_since = now;
        dt_time due = dt_time_min(st->timer.due, now + s->cfg.header_time);
        (void)dt_timers_arm(&s->timers, &st->timer, due); /* is armed, cannot fail */
    }
    return DT_OK;
}

static void receive_data(struct dt_stack *s, dt_time now, struct dt__stream *st, struct dt_str data)
{
    int err = DT_OK;
    st->active_at = now;
    st->silent = false;
    if (!data.n)
        return;
    bool kept = st->in;
    if (kept)
        err = append_in(s, st, data);
    struct dt_str text = kept ? dt_bytes_str(st->in) : data;
    size_t taken = err ? 0 : take_whole(s, now, st, text);
    if (st->gone)
        return;
    if (!err)
        err = keep_rest(s, now, st, dt_str_sub(text, taken, text.n));
    if (err)
        close_stream(s, now, st, err, true); /* bytes are lost, so the framing is */
}

static void refuse_stream(struct dt_stack *s, uint64_t id)
{
    s->counts.refused_limit++;
    (void)dt_outbox_put(s->out, &(struct dt_output){.kind = DT_OUT_CLOSE, .stream = id});
}

static void receive_open(struct dt_stack *s, dt_time now, const struct dt_input *in)
{
    struct dt__stream *st = dt__stream_find(s, in->stream);
    int err;
    if (!st && in->accepted) {
        struct dt_hop hop = {.local = in->local, .remote = in->remote, .stream = in->stream};
        st = add(s, now, &hop, &err);
    }
    if (!st) {
        refuse_stream(s, in->stream); /* at the limit, or ours that was given up */
        return;
    }
    st->accepted = in->accepted;
    st->open = true;
    st->active_at = now;
    if (in->local.family)
        st->local = in->local;
    flush(s, st);
}

void dt__stream_input(struct dt_stack *s, dt_time now, const struct dt_input *in)
{
    struct dt__stream *st = dt__stream_find(s, in->stream);
    if (in->kind == DT_IN_STREAM_OPEN)
        receive_open(s, now, in);
    else if (st && in->kind == DT_IN_STREAM_DATA)
        receive_data(s, now, st, in->data);
    else if (st && in->kind == DT_IN_STREAM_CLOSED)
        close_stream(s, now, st, in->err ? in->err : DT_E_CLOSED, false);
}

/* The timer is not moved at each byte: when it fires, it looks at what has happened since. */
void dt__stream_timer(struct dt_stack *s, dt_time now, struct dt__stream *st)
{
    dt_time slow = DT_TIME_NEVER, idle = st->active_at + s->cfg.stream_idle;
    if (st->partial_since != DT_TIME_NEVER)
        slow = st->partial_since + s->cfg.header_time;
    if (idle <= now && st->users)
        idle = now + s->cfg.stream_idle;
    dt_time due = dt_time_min(slow, idle);
    if (due > now) {
        (void)dt_timers_arm(&s->timers, &st->timer, due); /* its place in the heap is still free */
        return;
    }
    if (slow <= now) {
        struct dt_hop from = hop_of(st);
        dt__dropped(s, now, &from, "message on a stream not whole in time");
    }
    if (!st->gone)
        close_stream(s, now, st, DT_E_CLOSED, true);
}
