/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The user agent as its owner sees it: creation, inputs, time. */
#include "ua/core.h"

#include <string.h>

enum { MAX_CALLS = 32, INVITE_REPEATS = 6, OTHER_REPEATS = 10, INVITE_EXPIRES_S = 180 };

static const struct dt_stack_user stack_ops = {
    .request = dt__inbound_request,
    .cancel = dt__inbound_cancel,
    .response = dt__sends_response,
    .failed = dt__sends_failed,
    .ended = dt__sends_ended,
    .dropped = dt__ua_dropped,
};

dt_time dt__ua_t1(const struct dt_ua *ua)
{
    return ua->cfg.stack.t1 ? ua->cfg.stack.t1 : 500 * DT_MS;
}

dt_time dt__ua_t2(const struct dt_ua *ua)
{
    return ua->cfg.stack.t2 ? ua->cfg.stack.t2 : 4 * DT_SECOND;
}

void dt__ua_token(struct dt_ua *ua, char out[DT__TOKEN])
{
    dt_rng_token(&ua->env->rng, out, DT__TOKEN);
}

void dt__ua_dropped(void *user, dt_time now, const struct dt_hop *from, const char *why)
{
    struct dt_ua *ua = user;

    if (ua->ops->dropped)
        ua->ops->dropped(ua->user, now, from, why);
}

/* ---- entry calls ---- */

void dt__ua_enter(struct dt_ua *ua)
{
    ua->depth++;
}

static bool busy(const struct dt_ua *ua)
{
    return !dt_list_empty(&ua->broken) || !dt_list_empty(&ua->telling) ||
           !dt_list_empty(&ua->telling_regs) || !dt_list_empty(&ua->reaping);
}

void dt__ua_leave(struct dt_ua *ua, dt_time now)
{
    while (ua->depth == 1 && busy(ua)) {
        dt__sends_broken(ua, now);
        dt__call_tell_all(ua, now);
        dt__regs_tell(ua, now);
        dt__calls_reap(ua, now);
    }
    if (ua->depth == 1) {
        dt__known_arm(ua, now);
        dt__sends_bury(ua);
    }
    ua->depth--;
}

/* ---- creation ---- */

static void found(void *user, dt_time now, uint64_t cookie, const struct dt_addr *targets, size_t n,
                  int err)
{
    struct dt_ua *ua = user;
    enum dt__kind kind = dt__id_kind(cookie);
    struct dt_call *c;
    struct dt__send *s;

    if (kind == DT__SEND) {
        s = dt__id_find(&ua->ids, cookie, DT__SEND);
        if (s)
            dt__send_found(s, now, targets, n, err);
        return;
    }
    c = dt__id_find(&ua->ids, dt__id_as(cookie, DT__CALL), DT__CALL);
    if (c)
        dt__caller_found(c, now, kind == DT__BACKUP, targets, n, err);
}

static void set_config(struct dt_ua *ua, const struct dt_ua_config *cfg)
{
    ua->cfg = *cfg;
    ua->cfg.stack.plain = cfg->plain;
    if (!ua->cfg.invite_repeats)
        ua->cfg.invite_repeats = INVITE_REPEATS;
    if (!ua->cfg.other_repeats)
        ua->cfg.other_repeats = OTHER_REPEATS;
    if (!ua->cfg.invite_expires)
        ua->cfg.invite_expires = INVITE_EXPIRES_S * DT_SECOND;
    if (!ua->cfg.max_calls)
        ua->cfg.max_calls = MAX_CALLS;
    ua->cfg.local.transport = DT_UDP;
    ua->cfg.stack.linger = !ua->cfg.plain;
}

static void init_map(struct dt_ua *ua, struct dt_map *m)
{
    uint64_t key[2] = {dt_rng_u64(&ua->env->rng), dt_rng_u64(&ua->env->rng)};

    dt_map_init(m, ua->env->alloc, key);
}

static void init_containers(struct dt_ua *ua)
{
    struct dt_list *lists[] = {&ua->calls,   &ua->regs, &ua->telling, &ua->telling_regs,
                               &ua->reaping, &ua->dead, &ua->broken,  &ua->past_list};

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        dt_list_init(lists[i]);
    dt_timers_init(&ua->timers, ua->env->alloc);
    dt_timer_init(&ua->probe_timer, DT__TIMER_PROBE);
    ua->known.t1 = dt__ua_t1(ua);
    init_map(ua, &ua->by_branch);
    init_map(ua, &ua->by_call_id);
    init_map(ua, &ua->pasts);
    init_map(ua, &ua->past_requests);
}

static int listen_on(struct dt_ua *ua, enum dt_transport transport)
{
    struct dt_output o = {.kind = DT_OUT_LISTEN, .local = ua->cfg.local};

    o.local.transport = (uint8_t)transport;
    return dt_outbox_put(ua->out, &o);
}

static int start(struct dt_ua *ua)
{
    struct dt_resolver_config names = {
        .tcp = ua->cfg.tcp, .v4 = ua->cfg.local.family == 4, .v6 = ua->cfg.local.family == 6};

    if (!ua->cfg.stack.server_name)
        ua->cfg.stack.server_name = ua->cfg.user_agent;
    ua->scratch = dt_bytes_new(ua->env->alloc, DT__SCRATCH);
    ua->stack = dt_stack_new(&ua->cfg.stack, ua->env, ua->out, &stack_ops, ua);
    ua->resolver = dt_resolver_new(&names, ua->env, ua->out, found, ua);
    if (!ua->scratch || !ua->stack || !ua->resolver || listen_on(ua, DT_UDP))
        return DT_E_NOMEM;
    if (ua->cfg.fast)
        dt_stack_on_copy(ua->stack, dt__inbound_copy);
    return ua->cfg.tcp ? listen_on(ua, DT_TCP) : DT_OK;
}

struct dt_ua *dt_ua_new(const struct dt_ua_config *cfg, struct dt_env *env, struct dt_outbox *out,
                        const struct dt_ua_user *ops, void *user)
{
    struct dt_ua *ua = dt_alloc_zero(env->alloc, sizeof(*ua));

    if (!ua)
        return NULL;
    ua->env = env;
    ua->out = out;
    ua->ops = ops;
    ua->user = user;
    set_config(ua, cfg);
    init_containers(ua);
    if (start(ua) != DT_OK) {
        dt_ua_free(ua);
        return NULL;
    }
    return ua;
}

void dt_ua_free(struct dt_ua *ua)
{
    const struct dt_alloc *a;

    if (!ua)
        return;
    a = ua->env->alloc;
    while (!dt_list_empty(&ua->calls))
        dt__call_free(DT_OF(ua->calls.next, struct dt_call, link));
    while (!dt_list_empty(&ua->regs))
        dt__reg_free(DT_OF(ua->regs.next, struct dt_reg, link));
    dt__pasts_clear(ua);
    dt__sends_bury(ua);
    dt_resolver_free(ua->resolver);
    dt_stack_free(ua->stack);
    dt_map_clear(&ua->by_branch);
    dt_map_clear(&ua->by_call_id);
    dt_map_clear(&ua->pasts);
    dt_map_clear(&ua->past_requests);
    dt_timers_clear(&ua->timers);
    dt_alloc_free(a, ua->ids.slots);
    dt_bytes_drop(ua->scratch);
    dt_alloc_free(a, ua);
}

/* ---- inputs ---- */

static bool is_ours(const struct dt_ua *ua, const struct dt_addr *local)
{
    return dt_addr_ip_eq(local, &ua->cfg.local) && local->port == ua->cfg.local.port;
}

/* The port that the host chose. Noted, and left to the owner, who wants to know it too. */
static void listening(struct dt_ua *ua, const struct dt_addr *local)
{
    if (ua->cfg.local.port == 0 && dt_addr_ip_eq(local, &ua->cfg.local) &&
        local->transport == DT_UDP)
        ua->cfg.local.port = local->port;
}

/* R10: as restarted. What stood is gone in silence; what was being set up ends. */
static void woke(struct dt_ua *ua, dt_time now)
{
    dt_stack_forget(ua->stack, now);
    DT_LIST_EACH(e, &ua->calls)
    {
        dt__call_forget(DT_OF(e, struct dt_call, link), now);
    }
    DT_LIST_EACH(e, &ua->regs)
    {
        dt__sends_forget(&DT_OF(e, struct dt_reg, link)->sends);
    }
}

static bool take(struct dt_ua *ua, dt_time now, const struct dt_input *in)
{
    switch (in->kind) {
    case DT_IN_LISTENING:
        listening(ua, &in->local);
        return false;
    case DT_IN_DATAGRAM:
        if (!is_ours(ua, &in->local))
            return false;
        break;
    case DT_IN_SOCKET_ERROR:
        if (in->local.family && !is_ours(ua, &in->local))
            return false;
        dt_stack_input(ua->stack, now, in);
        return in->local.family != 0;
    case DT_IN_STREAM_OPEN:
    case DT_IN_STREAM_DATA:
    case DT_IN_STREAM_CLOSED:
        break;
    case DT_IN_DNS:
        return dt_resolver_input(ua->resolver, now, in);
    case DT_IN_WOKE:
        woke(ua, now);
        return false;
    default:
        return false;
    }
    dt_stack_input(ua->stack, now, in);
    return true;
}

bool dt_ua_input(struct dt_ua *ua, dt_time now, const struct dt_input *in)
{
    bool taken;

    dt__ua_enter(ua);
    taken = take(ua, now, in);
    dt__ua_leave(ua, now);
    return taken;
}

dt_time dt_ua_deadline(const struct dt_ua *ua)
{
    dt_time mine = dt_timers_next(&ua->timers);

    return dt_time_min(dt_stack_deadline(ua->stack), mine >= DT__PARKED ? DT_TIME_NEVER : mine);
}

static void fire(struct dt_ua *ua, dt_time now, struct dt_timer *t)
{
    uint32_t index = t->kind & 0xff;

    if ((t->kind & ~0xffu) < DT__TIMER_PAST) /* its place is still there */
        (void)dt_timers_arm(&ua->timers, t, DT__PARKED);
    switch (t->kind & ~0xffu) {
    case DT__TIMER_CALL:
        dt__call_timer(DT_OF(t - index, struct dt_call, timers), now, (enum dt__call_timer)index);
        break;
    case DT__TIMER_REG:
        dt__reg_timer(DT_OF(t, struct dt_reg, timer), now);
        break;
    case DT__TIMER_SEND:
        dt__twins_patience(DT_OF(t, struct dt__send, patience), now);
        break;
    case DT__TIMER_PROBE:
        dt__known_tick(ua, now);
        break;
    case DT__TIMER_PAST:
        dt__past_timer(ua, DT_OF(t, struct dt__past, timer));
        break;
    }
}

void dt_ua_tick(struct dt_ua *ua, dt_time now)
{
    struct dt_timer *t;

    dt__ua_enter(ua);
    dt_stack_tick(ua->stack, now);
    while ((t = dt_timers_due(&ua->timers, now)) != NULL)
        fire(ua, now, t);
    dt__ua_leave(ua, now);
}

/* ---- questions ---- */

const struct dt_stack *dt_ua_stack(const struct dt_ua *ua)
{
    return ua->stack;
}

void dt_ua_count(const struct dt_ua *ua, struct dt_ua_counts *out)
{
    unsigned probes = 0;

    for (size_t i = 0; i < ua->known.n; i++)
        probes += ua->probes[i] != 0;
    *out = (struct dt_ua_counts){
        .transactions = (unsigned)dt_stack_counts(ua->stack)->transactions - probes,
        .calls = ua->n_calls - ua->n_lingering,
        .registrations = ua->n_regs,
        .lingering = ua->n_lingering + ua->n_pasts,
    };
}
