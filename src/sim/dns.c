/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The name servers of the simulated network. */
#include "sim/world.h"

enum { DNS_FAILS_AFTER_S = 5, DNS_ANSWER_MAX = 32, NAME_TEXTS = 4 };

static void name_free(struct dt_sim *sim, struct sim_name *s)
{
    for (size_t i = 0; i < NAME_TEXTS; i++)
        dt_bytes_drop(s->texts[i]);
    dt_alloc_free(sim->alloc, s);
}

int dt_sim_dns_add(struct dt_sim *sim, struct dt_str name, const struct dt_dns_record *record)
{
    struct sim_name *s = dt_alloc_zero(sim->alloc, sizeof *s);
    if (!s)
        return DT_E_NOMEM;
    s->record = *record;
    const struct dt_str texts[NAME_TEXTS] = {name, record->target, record->service, record->flags};
    for (size_t i = 0; i < NAME_TEXTS; i++) {
        s->texts[i] = dt_bytes_copy(sim->alloc, texts[i]);
        if (!s->texts[i]) {
            name_free(sim, s);
            return DT_E_NOMEM;
        }
    }
    s->record.target = dt_bytes_str(s->texts[1]);
    s->record.service = dt_bytes_str(s->texts[2]);
    s->record.flags = dt_bytes_str(s->texts[3]);
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
        name_free(sim, s);
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
    e->bytes = dt_bytes_copy(sim->alloc, o->text);
    e->err = sim->dns_fails || !e->bytes ? DT_E_TIMEOUT : DT_OK;
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
    answer.n = e->err ? 0 : answer.n;
    answer.status = e->err         ? DT_DNS_FAILED
                    : answer.n > 0 ? DT_DNS_FOUND
                    : known        ? DT_DNS_NO_DATA
                                   : DT_DNS_NO_NAME;
    struct dt_input in = {.kind = DT_IN_DNS, .dns = &answer};
    dt__sim_give(sim, e->node, &in);
}
