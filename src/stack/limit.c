/* SPDX-License-Identifier: BSD-2-Clause
 *
 * At max_transactions what is new is refused, and what is there goes on (I37). A request that was
 * refused stays refused: its copy that the network made, or that was on the way, would ring where
 * nobody waits any more. As many as there are places are remembered. */
#include "stack/private.h"

bool dt__is_full(const struct dt_stack *s, bool in_dialog)
{
    /* What lingers takes a tenth of the memory (docs/performance.md). */
    enum { LINGERING_AS_ONE = 10, KEPT_SHARE = 8 };
    uint64_t lingering = s->counts.lingering, most = s->cfg.max_transactions;
    uint64_t n = s->counts.transactions - lingering + lingering / LINGERING_AS_ONE;
    return n >= (in_dialog ? most : most - most / KEPT_SHARE);
}

bool dt__was_refused(const struct dt_stack *s, dt_time now, const struct dt__key *key)
{
    const struct dt__refusal *r = &s->refused[key->hash % DT__REFUSALS];
    return r->check == key->check && now < r->until;
}

void dt__limit_refuse(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                      const struct dt__key *key, const struct dt_hop *from)
{
    char line[64];
    struct dt_writer w = dt_writer(line, sizeof line);
    dt_sip_write_headerf(&w, DT_H_RETRY_AFTER, "%d", DT__RETRY_AFTER_S);
    s->refused[key->hash % DT__REFUSALS] = (struct dt__refusal){key->check, now + 64 * s->cfg.t1};
    s->counts.refused_limit++;
    if (!dt__refuse(s, now, m, from, 503, DT_STR_NONE, dt_writer_str(&w)))
        dt__dropped(s, now, from, "limit reached");
}
