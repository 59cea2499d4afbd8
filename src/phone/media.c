/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The media engine: its clock of 20 ms, and what comes in. Frames are due at fixed distances from
 * the first one, however late the ticks come; after a long stop what was missed is left out. */
#include "phone/media_internal.h"

enum {
    BURST = 3,         /* frames at most in one tick */
    SILENCE_MAX = 3000 /* missed frames that a recording gets as silence: a minute */
};

/* ---- calls ---- */

bool dt__media_runs(const struct media_call *c)
{
    return !c->ending && c->sockets[DT__RTP].state == DT__SOCKET_OPEN &&
           c->sockets[DT__RTCP].state == DT__SOCKET_OPEN;
}

bool dt__media_heard(struct media_call *c, unsigned i, const struct dt_addr *from)
{
    struct media_socket *s = &c->sockets[i];
    bool good = s->heard.family ? dt_addr_eq(&s->heard, from) : dt_addr_ip_eq(&s->remote, from);
    if (good)
        s->heard = *from;
    else
        c->dropped++;
    return good;
}

struct dt_media *dt_media_new(const struct dt_sound *sound, struct dt_env *env)
{
    struct dt_media *m = dt_alloc_zero(env->alloc, sizeof *m);
    if (!m)
        return NULL;
    m->env = env;
    m->sound = *sound;
    m->frame_due = DT_TIME_NEVER;
    dt_list_init(&m->calls);
    dt_outbox_init(&m->out, env->alloc);
    return m;
}

void dt_media_free(struct dt_media *m)
{
    if (!m)
        return;
    DT_LIST_EACH(e, &m->calls)
    dt_alloc_free(m->env->alloc, DT_OF(e, struct media_call, link));
    dt_outbox_clear(&m->out);
    dt_alloc_free(m->env->alloc, m);
}

unsigned dt_media_calls(const struct dt_media *m)
{
    return m->n_calls;
}

/* ---- frames ---- */

/* Who has the sound: started last and not held; if all are held, started last. */
static struct media_call *owner(struct dt_media *m)
{
    struct media_call *best = NULL;
    DT_LIST_EACH(e, &m->calls)
    {
        struct media_call *c = DT_OF(e, struct media_call, link);
        if (!dt__media_runs(c))
            continue;
        bool active = c->direction != DT_INACTIVE;
        bool best_active = best && best->direction != DT_INACTIVE;
        if (!best || (active && !best_active) || (active == best_active && c->turn > best->turn))
            best = c;
    }
    return best;
}

static void frame(struct dt_media *m, dt_time at)
{
    int16_t mic[DT__MEDIA_FRAME] = {0}, speaker[DT__MEDIA_FRAME];
    static const int16_t silence[DT__MEDIA_FRAME];
    struct media_call *first = owner(m);
    if (first && m->sound.read)
        m->sound.read(m->sound.ctx, mic, DT__MEDIA_FRAME);
    DT_LIST_EACH(e, &m->calls)
    {
        struct media_call *c = DT_OF(e, struct media_call, link);
        if (!dt__media_runs(c))
            continue;
        dt__media_stream_frame(c, at, c == first ? mic : silence, speaker);
        if (c == first && m->sound.write)
            m->sound.write(m->sound.ctx, speaker, DT__MEDIA_FRAME);
    }
}

/* The engine stood still: neither a burst nor old sound; a recording keeps time. */
static void skip(struct dt_media *m, uint64_t frames)
{
    static const int16_t silence[DT__MEDIA_FRAME];
    m->frame_due += (dt_time)frames * dt__media_frame_time;
    DT_LIST_EACH(e, &m->calls)
    dt__media_stream_skip(DT_OF(e, struct media_call, link), frames);
    for (uint64_t i = 0; m->sound.write && i < frames && i < SILENCE_MAX; i++)
        m->sound.write(m->sound.ctx, silence, DT__MEDIA_FRAME);
}

static void frames_due(struct dt_media *m, dt_time now)
{
    if (!owner(m)) {
        m->frame_due = DT_TIME_NEVER;
        return;
    }
    if (m->frame_due == DT_TIME_NEVER)
        m->frame_due = now;
    for (unsigned i = 0; i < BURST && m->frame_due <= now; i++) {
        frame(m, m->frame_due);
        m->frame_due += dt__media_frame_time;
    }
    if (m->frame_due <= now)
        skip(m, (uint64_t)((now - m->frame_due) / dt__media_frame_time) + 1);
}

/* ---- the node ---- */

static dt_time media_deadline(const void *node)
{
    const struct dt_media *m = node;
    dt_time due = DT_TIME_NEVER;
    for (const struct dt_list *e = m->calls.next; e != &m->calls; e = e->next) {
        const struct media_call *c = DT_OF(e, const struct media_call, link);
        due = dt_time_min(due, c->report_due);
    }
    return dt_time_min(due, m->frame_due);
}

static void media_tick(void *node, dt_time now)
{
    struct dt_media *m = node;
    dt_outbox_begin(&m->out);
    frames_due(m, now);
    DT_LIST_EACH(e, &m->calls)
    {
        struct media_call *c = DT_OF(e, struct media_call, link);
        if (now < c->report_due)
            continue;
        if (c->ending)
            dt__media_end(c, now);
        else
            dt__media_rtcp_tick(c, now);
    }
}

static bool is_at(const struct media_socket *s, const struct dt_addr *local)
{
    if (s->state != DT__SOCKET_OPEN)
        return false;
    return dt_addr_eq(&s->local, local) ||
           (dt_addr_is_any(&s->local) && s->local.family == local->family &&
            s->local.port == local->port);
}

static void datagram(struct dt_media *m, dt_time now, const struct dt_input *in)
{
    DT_LIST_EACH(e, &m->calls)
    {
        struct media_call *c = DT_OF(e, struct media_call, link);
        if (!dt__media_runs(c))
            continue;
        if (is_at(&c->sockets[DT__RTP], &in->local))
            dt__media_stream_put(c, now, in);
        else if (is_at(&c->sockets[DT__RTCP], &in->local))
            dt__media_rtcp_put(c, now, in);
    }
}

static void input_one(struct dt_media *m, dt_time now, const struct dt_input *in)
{
    switch (in->kind) {
    case DT_IN_LISTENING:
        dt__media_socket_is(m, now, &in->local, DT_OK);
        break;
    case DT_IN_SOCKET_ERROR:
        if (!in->remote.family) /* else: nobody listens there yet, which RTP bears */
            dt__media_socket_is(m, now, &in->local, in->err);
        break;
    case DT_IN_DATAGRAM:
        datagram(m, now, in);
        break;
    case DT_IN_COMMAND:
        if (in->channel == DT_CHANNEL_MEDIA)
            dt__media_order(m, now, in->data);
        break;
    case DT_IN_WALL_STEP:
        m->env->wall_offset = in->wall;
        break;
    default:
        break;
    }
}

static void media_input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct dt_media *m = node;
    dt_outbox_begin(&m->out);
    for (size_t i = 0; i < n; i++)
        input_one(m, now, &in[i]);
    /* The clock begins with the first call that runs, and ends with the last one. */
    bool runs = owner(m) != NULL;
    if (!runs)
        m->frame_due = DT_TIME_NEVER;
    else if (m->frame_due == DT_TIME_NEVER)
        m->frame_due = now;
}

static size_t media_output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    struct dt_media *m = node;
    (void)now;
    return dt_outbox_take(&m->out, out, max);
}

const struct dt_node_ops dt_media_node = {media_input, media_deadline, media_tick, media_output};
