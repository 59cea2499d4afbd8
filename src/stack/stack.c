/* SPDX-License-Identifier: BSD-2-Clause */
#include "stack/private.h"

/* ---- creation ---- */

static struct dt_stack_config with_defaults(const struct dt_stack_config *cfg)
{
    struct dt_stack_config c = *cfg;
#define DEFAULT(field, value) c.field = c.field ? c.field : (value)
    DEFAULT(t1, 500 * DT_MS);
    DEFAULT(t2, 4 * DT_SECOND);
    DEFAULT(t4, 5 * DT_SECOND);
    DEFAULT(max_transactions, 100000);
    DEFAULT(max_streams, 1024);
    DEFAULT(max_message, DT_MSG_MAX);
    DEFAULT(stream_idle, 120 * DT_SECOND);
    DEFAULT(header_time, 10 * DT_SECOND);
#undef DEFAULT
    if (c.max_message > DT_MSG_MAX)
        c.max_message = DT_MSG_MAX;
    return c;
}

static void init_map(struct dt_stack *s, struct dt_map *m)
{
    uint64_t key[2] = {dt_rng_u64(&s->env->rng), dt_rng_u64(&s->env->rng)};
    dt_map_init(m, s->env->alloc, key);
}

struct dt_stack *dt_stack_new(const struct dt_stack_config *cfg, struct dt_env *env,
                              struct dt_outbox *out, const struct dt_stack_user *ops, void *user)
{
    struct dt_stack *s = dt_alloc_zero(env->alloc, sizeof *s);
    if (!s)
        return NULL;
    s->cfg = with_defaults(cfg);
    s->env = env;
    s->out = out;
    s->ops = ops;
    s->user = user;
    s->next_stream = 2;
    s->check_key[0] = dt_rng_u64(&env->rng);
    s->check_key[1] = dt_rng_u64(&env->rng);
    dt_timers_init(&s->timers, env->alloc);
    init_map(s, &s->txs);
    init_map(s, &s->peers);
    init_map(s, &s->streams_by_id);
    init_map(s, &s->streams_by_remote);
    dt__linger_init(s);
    dt_list_init(&s->streams);
    dt_list_init(&s->dead_streams);
    return s;
}

void dt_stack_free(struct dt_stack *s)
{
    if (!s)
        return;
    dt__enter(s);
    dt__pool_forget(s);
    dt__streams_forget(s, false);
    dt__leave(s);
    dt__pool_clear(s);
    dt_alloc_free(s->env->alloc, s->late);
    dt_map_clear(&s->txs);
    dt_map_clear(&s->peers);
    dt_map_clear(&s->streams_by_id);
    dt_map_clear(&s->streams_by_remote);
    dt_timers_clear(&s->timers);
    dt_alloc_free(s->env->alloc, s);
}

void dt_stack_forget(struct dt_stack *s, dt_time now)
{
    (void)now;
    dt__enter(s);
    dt__pool_forget(s);
    memset(s->refused, 0, sizeof s->refused);
    dt__streams_forget(s, true);
    dt__leave(s);
}

const struct dt_stack_counts *dt_stack_counts(const struct dt_stack *s)
{
    return &s->counts;
}

/* ---- entry calls ---- */

void dt__enter(struct dt_stack *s)
{
    s->depth++;
}

void dt__leave(struct dt_stack *s)
{
    if (--s->depth)
        return;
    dt__pool_reap(s);
    dt__streams_reap(s);
    while (s->n_late)
        dt_bytes_drop(s->late[--s->n_late]);
}

void dt__drop_late(struct dt_stack *s, struct dt_bytes **b)
{
    if (s->n_late == s->late_cap) {
        size_t cap = s->late_cap ? 2 * s->late_cap : 8;
        struct dt_bytes **late = dt_alloc_array(s->env->alloc, s->late, cap, sizeof *late);
        if (!late)
            return;
        s->late = late;
        s->late_cap = cap;
    }
    s->late[s->n_late++] = *b;
    *b = NULL;
}

/* ---- in ---- */

void dt__dropped(struct dt_stack *s, dt_time now, const struct dt_hop *from, const char *why)
{
    if (s->ops->dropped)
        s->ops->dropped(s->user, now, from, why);
}

void dt__message(struct dt_stack *s, dt_time now, struct dt_str text, struct dt_bytes *bytes,
                 const struct dt_hop *from)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    s->counts.in++;
    if (dt_sip_parse(&m, text, headers, DT_MSG_HEADERS_MAX) || dt_sip_check(&m))
        dt__malformed(s, now, &m, from, 0);
    else if (m.request)
        dt__server_request(s, now, &m, bytes, from);
    else
        dt__client_response(s, now, &m, from);
}

/* CRLFs (RFC 5626 3.5.1 has them on streams, some send them over UDP) and single zero bytes. */
static bool is_keep_alive(struct dt_str data)
{
    size_t i = 0;
    while (i < data.n && (data.p[i] == '\r' || data.p[i] == '\n' || data.p[i] == '\0'))
        i++;
    return i == data.n;
}

static void receive_datagram(struct dt_stack *s, dt_time now, const struct dt_input *in)
{
    struct dt_hop from = {.local = in->local, .remote = in->remote};
    if (!is_keep_alive(in->data))
        dt__message(s, now, in->data, NULL, &from);
}

static void receive_error(struct dt_stack *s, dt_time now, const struct dt_input *in)
{
    if (in->remote.family && in->remote.transport == DT_UDP)
        dt__peer_error(s, now, &in->remote, in->err);
}

void dt_stack_input(struct dt_stack *s, dt_time now, const struct dt_input *in)
{
    dt__enter(s);
    switch (in->kind) {
    case DT_IN_DATAGRAM:
        receive_datagram(s, now, in);
        break;
    case DT_IN_STREAM_OPEN:
    case DT_IN_STREAM_DATA:
    case DT_IN_STREAM_CLOSED:
        dt__stream_input(s, now, in);
        break;
    case DT_IN_SOCKET_ERROR:
        receive_error(s, now, in);
        break;
    default:
        break;
    }
    dt__leave(s);
}

static dt_time next_due(const struct dt_stack *s)
{
    return dt_time_min(dt_timers_next(&s->timers), dt__linger_due(s));
}

dt_time dt_stack_deadline(const struct dt_stack *s)
{
    dt_time next = dt_time_min(dt_timers_next(&s->timers), dt__linger_wake(s));
    return next == DT_TIME_NEVER - 1 ? DT_TIME_NEVER : next; /* act.c, arm */
}

static void fire(struct dt_stack *s, dt_time now, struct dt_timer *t)
{
    if (t->kind == DT__STREAM_TIMER)
        dt__stream_timer(s, now, DT_OF(t, struct dt__stream, timer));
    else
        dt__tx_timer(s, now, dt__tx_at(s, t->kind));
}

void dt_stack_tick(struct dt_stack *s, dt_time now)
{
    dt_time due;
    dt__enter(s);
    while ((due = next_due(s)) <= now) {
        struct dt__tx *tx = dt__linger_first(s, due);
        if (tx)
            dt__tx_timer(s, now, tx);
        else
            fire(s, now, dt_timers_due(&s->timers, now));
    }
    dt__leave(s);
}

/* ---- out ---- */

int dt__send(struct dt_stack *s, dt_time now, const struct dt_hop *to, struct dt_bytes *bytes)
{
    int err = DT_OK;
    s->counts.out++;
    if (!dt__is_reliable(to))
        return dt_outbox_datagram(s->out, &to->local, &to->remote, bytes);
    struct dt__stream *st = dt__stream_for(s, now, to, &err);
    return st ? dt__stream_send(s, now, st, bytes) : err;
}

int dt_stack_send(struct dt_stack *s, dt_time now, struct dt_bytes *bytes, const struct dt_hop *to)
{
    dt__enter(s);
    int err = dt__send(s, now, to, bytes);
    dt__leave(s);
    return err;
}
