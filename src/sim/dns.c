/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The name servers of the simulated network. */
#include "sim/world.h"

enum { DNS_FAILS_AFTER_S = 5, DNS_ANSWER_MAX = 32 };

static struct dt_str copy(struct dt_sim *sim, struct dt_str s, struct dt_bytes **kept)
{
    *kept = dt_bytes_copy(sim->alloc, s);
    return dt_bytes_str(*kept);
}

int dt_sim_dns_add(struct dt_sim *sim, struct dt_str name, const struct dt_dns_record *record)
{
    struct sim_name *s = dt_alloc_zero(sim->alloc, sizeof *s);
    if (!s)
        return DT_E_NOMEM;
    s->record = *record;
    (void)copy(sim, name, &s->texts[0]);
    s->record.target = copy(sim, record->target, &s->texts[1]);
    s->record.service = copy(sim, record->service, &s->texts[2]);
    s->record.flags = copy(sim, record->flags, &s->texts[3]);
    struct sim_name **end = &sim->names;
    while (*end)
        end = &(*end)->next;
    *end = s;
    return DT_OK;
}

void dt_sim_dns_fail(struct dt_sim *sim, bool on)
{
    sim->dns_fails = on;
}

void dt__sim_dns_clear(struct dt_sim *sim)
{
    for (struct sim_name *s = sim->names, *next; s; s = next) {
        next = s->next;
        for (size_t i = 0; i < 4; i++)
            dt_bytes_drop(s->texts[i]);
        dt_alloc_free(sim->alloc, s);
    }
    sim->names = NULL;
}

void dt__sim_resolve(struct dt_sim_node *n, const struct dt_output *o)
{
    struct dt_sim *sim = n->sim;
    dt_time delay = sim->dns_fails ? DNS_FAILS_AFTER_S * DT_SECOND : 2 * sim->link.delay;
    struct sim_event *e = dt__sim_event(sim, SIM_DNS, sim->now + delay);
    if (!e)
        return;
    e->node = n;
    e->life = n->life;
    e->dns_id = o->dns_id;
    e->dns_type = o->dns_type;
    e->err = sim->dns_fails ? DT_E_TIMEOUT : DT_OK;
    e->bytes = dt_bytes_copy(sim->alloc, o->text);
}

void dt__sim_dns_arrives(struct dt_sim *sim, struct sim_event *e)
{
    struct dt_dns_record found[DNS_ANSWER_MAX];
    struct dt_dns_answer answer = {.id = e->dns_id, .type = e->dns_type, .records = found};
    bool known = false;
    for (struct sim_name *s = sim->names; s; s = s->next) {
        if (!dt_str_ieq(dt_bytes_str(s->texts[0]), dt_bytes_str(e->bytes)))
            continue;
        known = true;
        if (s->record.type == e->dns_type && answer.n < DNS_ANSWER_MAX)
            found[answer.n++] = s->record;
    }
    answer.status = e->err         ? DT_DNS_FAILED
                    : answer.n > 0 ? DT_DNS_FOUND
                    : known        ? DT_DNS_NO_DATA
                                   : DT_DNS_NO_NAME;
    struct dt_input in = {.kind = DT_IN_DNS, .dns = &answer};
    dt__sim_give(sim, e->node, &in);
}
