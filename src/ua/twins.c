/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The other path (design.md 5, `fast`): twins are one server, so a request of ours may have a copy
 * at the twin, with the same bytes and branch (R22); what either answers is the answer. Evidence
 * about our proxies is gathered here, and they are probed (R16 to R18). */
#include "ua/core.h"

#include <string.h>

enum { MUTE_S = 2, PROBE_T1S = 4 };

/* ---- our proxies ---- */

void dt__twins_learn(struct dt_ua *ua, dt_time now, const struct dt_addr *addr)
{
    if (ua->cfg.fast)
        (void)dt_targets_add(&ua->known, now, addr);
}

bool dt__twins_is_ours(const struct dt_ua *ua, const struct dt_addr *addr)
{
    for (size_t i = 0; i < ua->known.n; i++)
        if (dt_addr_ip_eq(&ua->known.list[i].addr, addr))
            return true;
    return false;
}

static struct dt_target *target_of(struct dt__send *s)
{
    return s->ua->cfg.fast ? dt_targets_find(&s->ua->known, &s->hop.remote) : NULL;
}

void dt__twins_choose(struct dt__send *s)
{
    struct dt_target *g, *twin;

    if (!s->ua->cfg.fast || s->kind == DT__REGISTER)
        return;
    g = dt_targets_find(&s->ua->known, &s->targets[s->at]);
    twin = g ? dt_targets_twin(&s->ua->known, &g->addr) : NULL;
    if (twin && (g->health == DT_HEALTH_DOWN ||
                 (s->dialog && g->health == DT_HEALTH_SUSPECT && twin->health == DT_HEALTH_UP)))
        s->targets[s->at] = twin->addr;
}

/* ---- copies ---- */

static void wait_for(struct dt__send *s, dt_time now, dt_time t)
{
    (void)dt_timers_arm(&s->ua->timers, &s->patience, now + t); /* without memory: no copy */
}

void dt__twins_sent(struct dt__send *s, dt_time now)
{
    s->sent = now;
    s->hedged = s->twin_heard = s->cancelled = s->mute = false;
    if (s->kind == DT__REGISTER)
        dt__twins_learn(s->ua, now, &s->hop.remote);
    else if (s->kind != DT__ACK && target_of(s))
        wait_for(s, now, dt__ua_t1(s->ua));
}

void dt__twins_drop(struct dt__send *s, dt_time now)
{
    dt_timers_stop(&s->ua->timers, &s->patience);
    if (!s->hedged)
        return;
    if (s->twin_tx && !s->twin_heard)
        dt_stack_abandon(s->ua->stack, now, s->twin_tx);
    if (s->tx && !s->heard)
        dt_stack_abandon(s->ua->stack, now, s->tx);
    s->twin_tx = 0;
}

static bool twin_hop(struct dt_ua *ua, const struct dt_hop *of, struct dt_hop *out)
{
    struct dt_target *twin = ua->cfg.fast ? dt_targets_twin(&ua->known, &of->remote) : NULL;

    if (!twin)
        return false;
    *out = *of;
    out->remote = twin->addr;
    out->stream = 0;
    return true;
}

bool dt__twins_copy(struct dt__send *s, dt_time now)
{
    enum dt_method method = dt__send_method(s);
    struct dt_request r = {.bytes = s->bytes,
                           .method = method,
                           .branch = {s->branch, DT__BRANCH},
                           .cookie = s->id,
                           .repeats = method == DT_INVITE ? s->ua->cfg.invite_repeats
                                                          : s->ua->cfg.other_repeats};

    if (s->hedged || s->kind == DT__REGISTER || !s->bytes || !twin_hop(s->ua, &s->hop, &s->twin))
        return false;
    r.to = s->twin;
    s->hedged = dt_stack_request(s->ua->stack, now, &r, &s->twin_tx) == DT_OK;
    return s->hedged;
}

void dt__twins_send(struct dt_ua *ua, dt_time now, struct dt_bytes *bytes, const struct dt_hop *to)
{
    struct dt_hop twin;

    if (twin_hop(ua, to, &twin))
        (void)dt_stack_send(ua->stack, now, bytes, &twin);
}

/* R23: the same CANCEL to the twin, which has the branch or finds the callee without it (R6). */
static void cancel_by_twin(struct dt__send *s, dt_time now)
{
    struct dt_request r = {.method = DT_CANCEL,
                           .branch = {s->branch, DT__BRANCH},
                           .repeats = s->ua->cfg.other_repeats};
    dt_tx tx;

    if (!twin_hop(s->ua, &s->hop, &r.to) || dt__build_cancel(s, &r.bytes) != DT_OK)
        return;
    (void)dt_stack_request(s->ua->stack, now, &r, &tx);
    dt_bytes_drop(r.bytes);
}

void dt__twins_cancelled(struct dt__send *s, dt_time now)
{
    struct dt_target *g = target_of(s);
    dt_tx tx;

    s->cancelled = true;
    if (s->twin_tx && s->twin_heard)
        (void)dt_stack_cancel(s->ua->stack, now, s->twin_tx, 0, &tx);
    else if (g && g->health == DT_HEALTH_DOWN)
        cancel_by_twin(s, now);
    else if (g)
        wait_for(s, now, dt__ua_t1(s->ua));
}

void dt__twins_patience(struct dt__send *s, dt_time now)
{
    struct dt_target *g = target_of(s);
    bool open = s->kind != DT__INVITE || dt_path_is_open(&s->call->attempt.paths[s->path]);

    if (!s->tx || !open)
        return;
    if (s->cancelled) {
        cancel_by_twin(s, now);
    } else if (s->mute) {
        s->mute = false;
        dt__caller_event(s, now, DT_PATH_EV_MUTE);
    } else if (!s->heard) {
        if (g && !s->hedged && dt_target_evidence(now, g, DT_EVIDENCE_SILENCE))
            return;
        (void)dt__twins_copy(s, now);
    }
}

/* ---- what came ---- */

bool dt__twins_answered(struct dt__send *s, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    bool by_twin = tx && tx == s->twin_tx;
    bool first = !s->heard && !s->twin_heard;
    dt_tx other = by_twin ? s->tx : s->twin_tx;
    bool other_heard = by_twin ? s->heard : s->twin_heard;

    *(by_twin ? &s->twin_heard : &s->heard) = true;
    if (m->status > 100)
        s->mute = false;
    if (!s->hedged)
        return false;
    if (first)
        dt_stack_quiet(s->ua->stack, other);
    if (m->status >= 200 && other && !other_heard) { /* nothing more to be had there */
        dt_stack_abandon(s->ua->stack, now, other);
        *(by_twin ? &s->tx : &s->twin_tx) = 0;
    }
    if (by_twin && !s->tx) { /* the only one left: what follows goes there */
        s->tx = s->twin_tx;
        s->twin_tx = 0;
        s->hop = s->targets[s->at].family ? s->twin : s->hop;
        s->targets[s->at] = s->twin.remote;
        s->heard = true;
    }
    return by_twin && first && s->kind == DT__INVITE && m->status == 100;
}

void dt__twins_failed(struct dt__send *s, dt_time now, int err)
{
    struct dt_target *g = target_of(s);

    if (!s->twin_tx && (s->kind != DT__INVITE || err != DT_E_TIMEOUT))
        (void)dt__twins_copy(s, now);
    if (s->twin_tx) {
        s->tx = s->twin_tx;
        s->hop = s->twin;
        s->heard = s->twin_heard;
        s->targets[s->at] = s->twin.remote;
        s->twin_tx = 0;
    }
    if (g && err != DT_E_TIMEOUT)
        (void)dt_target_evidence(now, g, DT_EVIDENCE_REFUSED);
}

/* ---- death ---- */

static bool is_at(const struct dt__send *s, const struct dt_addr *addr)
{
    return dt_addr_eq(&s->hop.remote, addr);
}

/* R22: what is under way there is done again at the twin. */
static void move(struct dt__send *s, dt_time now)
{
    bool rang;

    if (s->kind == DT__ACK) {
        if (s->bytes && now - s->sent < 64 * dt__ua_t1(s->ua))
            dt__twins_send(s->ua, now, s->bytes, &s->hop);
        return;
    }
    if (!s->tx || s->cancelled)
        return;
    if (s->kind == DT__INVITE && (!dt_path_is_open(&s->call->attempt.paths[s->path]) ||
                                  s->call->attempt.phase != DT_ATTEMPT_TRYING))
        return;
    rang = s->kind == DT__INVITE && s->call->attempt.paths[s->path].state == DT_PATH_RINGING;
    if (dt__twins_copy(s, now)) {
        if (s->kind == DT__INVITE)
            dt__caller_event(s, now, DT_PATH_EV_TWIN);
        s->mute = rang;
        if (rang)
            wait_for(s, now, MUTE_S * DT_SECOND);
    } else if (s->kind == DT__INVITE && !s->hedged) {
        dt__caller_event(s, now, DT_PATH_EV_DEAD);
    }
}

static void move_call(struct dt_call *c, dt_time now, const struct dt_addr *addr)
{
    struct dt__send *at[32];
    size_t n = 0;

    DT_LIST_EACH(e, &c->sends) /* an event may add some */
    {
        struct dt__send *s = DT_OF(e, struct dt__send, link);
        if (n < sizeof(at) / sizeof(*at) && is_at(s, addr))
            at[n++] = s;
        if (s->ack && n < sizeof(at) / sizeof(*at) && is_at(s->ack, addr))
            at[n++] = s->ack;
    }
    for (size_t i = 0; i < n; i++)
        move(at[i], now); /* nothing is freed before the entry call ends */
}

static void died(struct dt_ua *ua, dt_time now, const struct dt_target *g)
{
    struct dt_addr addr = g->addr;

    dt_log(ua->env, DT_LOG_INFO, "ua", DT_STR_NONE, "a proxy has died or restarted");
    DT_LIST_EACH(e, &ua->calls)
    {
        move_call(DT_OF(e, struct dt_call, link), now, &addr);
    }
}

/* ---- evidence and probes ---- */

/* R17: a node speaks of itself in what it answers itself. */
static bool is_own(const struct dt_sip_msg *m)
{
    return m->status == 100 || m->cseq.method == DT_OPTIONS || m->cseq.method == DT_REGISTER;
}

void dt__twins_heard(struct dt_ua *ua, dt_time now, const struct dt_sip_msg *m,
                     const struct dt_hop *from)
{
    struct dt_target *g = ua->cfg.fast ? dt_targets_find(&ua->known, &from->remote) : NULL;
    struct dt_node_id id;
    size_t i;

    if (!g)
        return;
    i = (size_t)(g - ua->known.list);
    (void)dt_target_evidence(now, g, DT_EVIDENCE_RESPONSE);
    if (m->cseq.method == DT_OPTIONS && ua->probes[i]) {
        dt_stack_abandon(ua->stack, now, ua->probes[i]);
        ua->probes[i] = 0;
    }
    if (is_own(m) && dt_node_id_parse(&id, dt_sip_get(m, DT_H_DUALTONE_NODE)) == DT_OK &&
        dt_target_node(now, g, &id))
        died(ua, now, g);
}

bool dt__twins_is_probe(struct dt_ua *ua, dt_tx tx)
{
    for (size_t i = 0; i < ua->known.n; i++)
        if (ua->probes[i] == tx) {
            ua->probes[i] = 0;
            return true;
        }
    return false;
}

static enum dt_target_need need_of(const struct dt_ua *ua)
{
    const struct dt_list *head = &ua->calls;

    for (const struct dt_list *e = head->next; e != head; e = e->next) {
        const struct dt_call *c = DT_OF(e, const struct dt_call, link);
        bool waits = c->caller && (c->state < DT_CALL_TALKING || c->state == DT_CALL_ENDING);
        if (waits || (c->state == DT_CALL_TALKING && (c->reinvite || c->answer)))
            return DT_NEED_CALL;
    }
    return DT_NEED_IDLE;
}

void dt__twins_arm(struct dt_ua *ua, dt_time now)
{
    enum dt_target_need need = need_of(ua);
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

void dt__twins_tick(struct dt_ua *ua, dt_time now)
{
    enum dt_target_need need = need_of(ua);

    for (size_t i = 0; i < ua->known.n; i++) {
        struct dt_target *g = &ua->known.list[i];
        unsigned jitter = (unsigned)dt_rng_below(&ua->env->rng, 1000);
        switch (dt_target_tick(&ua->known, now, g, need, jitter)) {
        case DT_TARGET_PROBE:
            probe(ua, now, i);
            break;
        case DT_TARGET_DIED:
            died(ua, now, g);
            break;
        case DT_TARGET_WAIT:
            break;
        }
    }
}
