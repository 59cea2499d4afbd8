/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The proxies of our lines under `fast` (design.md 5): evidence about them is gathered here, and
 * they are probed (R16 to R18). What their death means to requests under way: twins.c. */
#include "ua/core.h"

#include <string.h>

enum { PROBE_T1S = 4, ACK_S = 2 };

void dt__known_add(struct dt_ua *ua, dt_time now, const struct dt_addr *addr)
{
    if (ua->cfg.fast && !dt__known_find(ua, addr))
        (void)dt_targets_add(&ua->known, now, addr);
}

bool dt__known_has_ip(const struct dt_ua *ua, const struct dt_addr *addr)
{
    for (size_t i = 0; i < ua->known.n; i++)
        if (dt_addr_ip_eq(&ua->known.list[i].addr, addr))
            return true;
    return false;
}

struct dt_target *dt__known_find(struct dt_ua *ua, const struct dt_addr *addr)
{
    struct dt_target *g;
    struct dt_addr other = *addr;

    if (!ua->cfg.fast)
        return NULL;
    g = dt_targets_find(&ua->known, addr);
    other.transport = addr->transport == DT_TCP ? DT_UDP : DT_TCP;
    if (!g)
        g = dt_targets_find(&ua->known, &other);
    for (size_t i = 0; !g && addr->transport == DT_TCP && i < ua->known.n; i++)
        if (dt_addr_ip_eq(&ua->known.list[i].addr, addr))
            g = &ua->known.list[i]; /* it connected to us: from any port */
    return g;
}

/* ---- evidence ---- */

void dt__known_evidence(struct dt_ua *ua, dt_time now, const struct dt_addr *addr,
                        enum dt_evidence what)
{
    struct dt_target *g = dt__known_find(ua, addr);

    if (g && dt_target_evidence(now, g, what))
        dt__twins_died(ua, now, g);
}

/* R17: a node speaks of itself in what it answers itself. */
static bool is_own(const struct dt_sip_msg *m)
{
    return m->status == 100 || m->cseq.method == DT_OPTIONS || m->cseq.method == DT_REGISTER;
}

/* True: it has died since. */
static bool take_node(struct dt_ua *ua, dt_time now, struct dt_target *g, struct dt_str value)
{
    struct dt_node_id id;
    bool had = g->has_node, died;
    uint64_t boot = g->boot;

    if (dt_node_id_parse(&id, value) != DT_OK) {
        ua->drops.bad_node += value.n != 0;
        return false;
    }
    died = dt_target_node(now, g, &id);
    if ((!had || g->boot != boot) && ua->ops->known)
        ua->ops->known(ua->user, now);
    return died;
}

void dt__known_heard(struct dt_ua *ua, dt_time now, const struct dt_sip_msg *m,
                     const struct dt_hop *from)
{
    struct dt_target *g = dt__known_find(ua, &from->remote);
    size_t i;

    if (!g)
        return;
    i = (size_t)(g - ua->known.list);
    (void)dt_target_evidence(now, g, DT_EVIDENCE_RESPONSE);
    if (m->cseq.method == DT_OPTIONS && ua->probes[i]) {
        dt_stack_abandon(ua->stack, now, ua->probes[i]);
        ua->probes[i] = 0;
    }
    if (is_own(m) && take_node(ua, now, g, dt_sip_get(m, DT_H_DUALTONE_NODE)))
        dt__twins_died(ua, now, g);
}

void dt__known_busy(struct dt_ua *ua, dt_time now, const struct dt_sip_msg *m,
                    const struct dt_hop *from)
{
    struct dt_target *g = dt__known_find(ua, &from->remote);
    uint32_t seconds = 0;

    (void)dt_sip_retry_after(&seconds, dt_sip_get(m, DT_H_RETRY_AFTER)); /* or it is 0 */
    if (g)
        dt_target_busy(now, g, seconds);
}

/* ---- over a restart ---- */

void dt_ua_known_write(const struct dt_ua *ua, struct dt_writer *w)
{
    dt_targets_write(&ua->known, w);
}

void dt_ua_known_read(struct dt_ua *ua, dt_time now, struct dt_str text)
{
    if (ua->cfg.fast)
        dt_targets_read(&ua->known, now, text);
}

/* ---- probes ---- */

bool dt__known_probe_failed(struct dt_ua *ua, dt_time now, dt_tx tx, int err)
{
    for (size_t i = 0; i < ua->known.n; i++) {
        if (ua->probes[i] != tx)
            continue;
        ua->probes[i] = 0;
        if (dt__is_refusal(err))
            dt__known_evidence(ua, now, &ua->known.list[i].addr, DT_EVIDENCE_REFUSED);
        return true;
    }
    return false;
}

/* Is an ACK on its way? Nobody answers it: whether it passed shows by the proxy's life alone. */
static bool acks(const struct dt_call *c, dt_time now)
{
    for (unsigned i = 0; i < c->attempt.n_paths; i++) {
        const struct dt__send *s = c->paths[i];
        if (s && s->ack && s->ack->bytes && now - s->ack->sent < ACK_S * DT_SECOND)
            return true;
    }
    return false;
}

/* A call that waits for an answer, or repeats something. */
static bool waits(const struct dt_call *c, dt_time now)
{
    if (acks(c, now))
        return true;
    if (c->state == DT_CALL_TALKING)
        return c->reinvite || c->answer;
    return c->caller ? c->state != DT_CALL_ENDED : c->state == DT_CALL_ENDING;
}

enum dt_target_need dt__known_need(const struct dt_ua *ua, dt_time now)
{
    const struct dt_list *head = &ua->calls;

    for (const struct dt_list *e = head->next; e != head; e = e->next)
        if (waits(DT_OF(e, const struct dt_call, link), now))
            return DT_NEED_CALL;
    return DT_NEED_IDLE;
}

void dt__known_arm(struct dt_ua *ua, dt_time now)
{
    enum dt_target_need need = dt__known_need(ua, now);
    dt_time due = DT_TIME_NEVER;

    for (size_t i = 0; i < ua->known.n; i++)
        due = dt_time_min(due, dt_target_due(&ua->known.list[i], need));
    if (due == DT_TIME_NEVER || due == ua->probe_timer.due)
        return;
    (void)dt_timers_arm(&ua->timers, &ua->probe_timer, due > now ? due : now);
}

static void probe(struct dt_ua *ua, dt_time now, size_t i)
{
    const struct dt_target *g = &ua->known.list[i];
    struct dt_request r = {.method = DT_OPTIONS, .timeout = PROBE_T1S * dt__ua_t1(ua)};
    char tag[DT__TOKEN], branch[DT__BRANCH];

    if (ua->probes[i])
        dt_stack_abandon(ua->stack, now, ua->probes[i]);
    ua->probes[i] = 0;
    memcpy(branch, "z9hG4bK", 7);
    dt_rng_token(&ua->env->rng, branch + 7, DT__TOKEN);
    dt__ua_token(ua, tag);
    r.to.local = ua->cfg.local;
    r.to.remote = g->addr;
    r.to.local.transport = g->addr.transport;
    r.branch = (struct dt_str){branch, DT__BRANCH};
    if (dt__build_probe(ua, &r.to, r.branch, dt__token_str(tag), &r.bytes) == DT_OK)
        (void)dt_stack_request(ua->stack, now, &r, &ua->probes[i]);
    dt_bytes_drop(r.bytes);
}

void dt__known_tick(struct dt_ua *ua, dt_time now)
{
    enum dt_target_need need = dt__known_need(ua, now);

    for (size_t i = 0; i < ua->known.n; i++) {
        struct dt_target *g = &ua->known.list[i];
        unsigned jitter = (unsigned)dt_rng_below(&ua->env->rng, 1000);
        switch (dt_target_tick(&ua->known, now, g, need, jitter)) {
        case DT_TARGET_PROBE:
            probe(ua, now, i);
            break;
        case DT_TARGET_DIED:
            dt__twins_died(ua, now, g);
            break;
        case DT_TARGET_WAIT:
            break;
        }
    }
}
