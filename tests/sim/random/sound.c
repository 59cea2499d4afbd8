/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engines of a world with media: made, killed, stopped and cut off with their phones. */
#include "sound.h"

#include <stdlib.h>
#include <string.h>

enum { ONE_IN = 128, OF_THESE = 5 };

bool sound_wanted(const struct world *w)
{
    return w->seed % ONE_IN == OF_THESE;
}

/* ---- the engine as a node, by the clock of its phone ---- */

static void input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct sound *s = node;
    dt_media_node.input(s->media, party_time(s->p, now), in, n);
}

static dt_time deadline(const void *node)
{
    const struct sound *s = node;
    return party_sim_time(s->p, dt_media_node.deadline(s->media));
}

static void tick(void *node, dt_time now)
{
    struct sound *s = node;
    dt_media_node.tick(s->media, party_time(s->p, now));
}

static size_t output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    struct sound *s = node;
    return dt_media_node.output(s->media, party_time(s->p, now), out, max);
}

static const struct dt_node_ops engine_node = {input, deadline, tick, output};

/* ---- its life ---- */

static bool make(struct sound *s)
{
    const struct dt_sound in_and_out = {sound_speak, sound_hear, s};
    s->media = dt_media_new(&in_and_out, &s->env);
    memset(s->streams, 0, sizeof s->streams);
    memset(s->heard, 0, sizeof s->heard);
    memset(s->came, 0, sizeof s->came);
    return s->media != NULL;
}

bool sound_open(struct party *p)
{
    struct world *w = p->w;
    struct sound *s = calloc(1, sizeof *s);
    p->sound = s;
    if (s) {
        s->p = p;
        kit_alloc_init(&s->memory);
        dt_env_init(&s->env, w->seed * PARTIES_MAX + (uint64_t)p->index + PARTIES_MAX / 2);
        s->env.alloc = &s->memory.alloc;
        s->env.wall_offset = WALL_START;
        s->node = make(s) ? dt_sim_attach(w->sim, "engine", &engine_node, s) : NULL;
    }
    if (!s || !s->node) {
        world_fail(w, "no memory");
        return false;
    }
    dt_sim_plain(s->node, w->flow.parties[p->index].plain);
    dt_sim_join_media(p->node, s->node);
    return true;
}

void sound_close(struct party *p)
{
    struct sound *s = p->sound;
    if (!s)
        return;
    dt_media_free(s->media);
    if (s->memory.live > 0)
        world_fail(p->w, "I36: %zu pieces of memory of the engine of %s were not freed",
                   s->memory.live, p->name);
    free(s);
    p->sound = NULL;
}

void sound_kill(struct party *p)
{
    struct sound *s = p->sound;
    if (!s)
        return;
    dt_sim_kill(p->w->sim, s->node);
    dt_media_free(s->media);
    s->media = NULL;
}

void sound_restart(struct party *p)
{
    struct sound *s = p->sound;
    if (!s)
        return;
    sound_kill(p);
    if (make(s))
        dt_sim_restart(p->w->sim, s->node, s);
    else
        world_fail(p->w, "no memory");
}

void sound_hang(struct party *p, bool on)
{
    struct sound *s = p->sound;
    if (!s)
        return;
    if (on) {
        dt_sim_hang(p->w->sim, s->node);
        return;
    }
    s->woke = world_now(p->w);
    dt_sim_wake(p->w->sim, s->node);
}

void sound_hole(struct party *p, bool on)
{
    if (p->sound)
        dt_sim_blackhole(p->sound->node, on);
}

unsigned sound_calls(const struct party *p)
{
    return p->sound && p->sound->media ? dt_media_calls(p->sound->media) : 0;
}
