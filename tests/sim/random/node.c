/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Between the simulator and a node: the node's own clock, what the name servers are made to say,
 * and the check that it does not turn on the spot (I31). */
#include "world.h"

#include <string.h>

enum { MILLION = 1000000, TURNS_MAX = 2000, ANSWER_MAX = 32 };

dt_time party_time(const struct party *p, dt_time sim_now)
{
    dt_time gone = sim_now - p->base_sim;
    return p->base_node + gone + gone / MILLION * p->ppm + gone % MILLION * p->ppm / MILLION;
}

dt_time party_sim_time(const struct party *p, dt_time t)
{
    if (t >= DT_TIME_NEVER / 4)
        return t;
    dt_time gone = t - p->base_node;
    dt_time at = p->base_sim + gone - gone / (MILLION + p->ppm) * p->ppm -
                 gone % (MILLION + p->ppm) * p->ppm / (MILLION + p->ppm);
    while (party_time(p, at) < t)
        at++;
    return at;
}

void party_set_rate(struct party *p, int ppm)
{
    dt_time now = world_now(p->w);
    p->base_node = party_time(p, now);
    p->base_sim = now;
    p->ppm = ppm;
}

static const struct dt_node_ops *ops_of(const struct party *p)
{
    return p->proxy ? &dt_proxy_node : &dt_phone_node;
}

static void *node_of(const struct party *p)
{
    return p->proxy ? (void *)p->proxy_node : (void *)p->phone_node;
}

void party_set_wall(struct party *p, int64_t offset)
{
    struct dt_input in = {.kind = DT_IN_WALL_STEP, .wall = offset};
    if (node_of(p) && p->proxy)
        ops_of(p)->input(node_of(p), party_time(p, world_now(p->w)), &in, 1);
    else
        p->env.wall_offset = offset;
}

/* An answer without its records, or with them the wrong way round. */
static void spoil(const struct world *w, struct dt_dns_answer *a, struct dt_dns_record *records)
{
    if (w->dns_empty) {
        a->n = 0;
        a->status = DT_DNS_NO_DATA;
    }
    if (!w->dns_order || a->n > ANSWER_MAX)
        return;
    for (size_t i = 0; i < a->n; i++)
        records[i] = a->records[a->n - 1 - i];
    a->records = records;
}

static void see_memory(struct party *p)
{
    p->unsure = p->unsure || (p->memory.fail_at && p->memory.calls >= p->memory.fail_at);
}

static void input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct party *p = node;
    struct dt_dns_record records[ANSWER_MAX];
    struct dt_dns_answer answer;
    struct dt_input one = *in;
    if (n == 1 && in->kind == DT_IN_DNS && (p->w->dns_empty || p->w->dns_order)) {
        answer = *in->dns;
        spoil(p->w, &answer, records);
        one.dns = &answer;
        in = &one;
    }
    ops_of(p)->input(node_of(p), party_time(p, now), in, n);
    see_memory(p);
}

static dt_time deadline(const void *node)
{
    const struct party *p = node;
    return party_sim_time(p, ops_of(p)->deadline(node_of(p)));
}

static void tick(void *node, dt_time now)
{
    struct party *p = node;
    p->turns = now == p->turns_at ? p->turns + 1 : 1;
    p->turns_at = now;
    if (p->turns > p->w->tally->worst_turns)
        p->w->tally->worst_turns = p->turns;
    if (p->turns > TURNS_MAX)
        world_fail(p->w, "I31: %s turned %u times at one moment", p->name, p->turns);
    if (!p->w->failed) /* else the simulator would turn with it */
        ops_of(p)->tick(node_of(p), party_time(p, now));
    see_memory(p);
}

static size_t output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    struct party *p = node;
    return ops_of(p)->output(node_of(p), party_time(p, now), out, max);
}

const struct dt_node_ops party_node = {input, deadline, tick, output};
