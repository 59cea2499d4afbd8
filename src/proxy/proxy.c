/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The node: its making, its seam (design.md 3), and what the stack and the resolver call. */
#include "proxy/work.h"

enum { NONCES_MAX = 65536 };

/* ---- called by the stack and the resolver ---- */

static void on_request(void *user, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                       const struct dt_hop *from)
{
    struct dt_proxy_work w;
    struct dt_proxy *p = user;
    w.p = p; /* the steps set the rest before it is read */
    w.now = now;
    w.tx = tx;
    w.m = m;
    w.from = *from;
    w.user = w.spared = DT_STR_NONE;
    w.n_targets = 0;
    w.stateless = false;
    p->counts.in++;
    dt__chain_run(&w);
}

static void on_cancel(void *user, dt_time now, dt_tx invite, uint64_t cookie,
                      const struct dt_sip_msg *m)
{
    struct dt_proxy *p = user;
    (void)invite;
    (void)m;
    p->counts.in++;
    dt__count(p, DT_COUNT_ANSWERED_cancel);
    dt__fork_cancelled(p, now, cookie);
}

static void on_response(void *user, dt_time now, dt_tx tx, uint64_t cookie,
                        const struct dt_sip_msg *m, const struct dt_hop *from)
{
    struct dt_proxy *p = user;
    p->counts.in++;
    if (tx && dt__pair_is_cookie(cookie)) {
        dt__count(p, DT_COUNT_DROPPED_own);
        dt__pair_answered(p, now, cookie, tx, m->status);
        return;
    }
    dt__response(p, now, tx, cookie, m, from);
}

static void on_failed(void *user, dt_time now, dt_tx tx, uint64_t cookie, int err)
{
    if (dt__pair_is_cookie(cookie))
        dt__pair_answered(user, now, cookie, tx, 0);
    else
        dt__fork_failed(user, now, tx, cookie, err);
}

static void on_ended(void *user, dt_time now, dt_tx tx, uint64_t cookie)
{
    (void)now;
    dt__fork_ended(user, tx, cookie);
}

static void on_dropped(void *user, dt_time now, const struct dt_hop *from, const char *why)
{
    struct dt_proxy *p = user;
    char text[DT_ADDR_TEXT_MAX];
    (void)now;
    dt_outbox_event(&p->out, DT_EV_DROP, 0, "%s from %s", why,
                    from ? dt_addr_text(&from->remote, text) : "nowhere");
}

static const struct dt_stack_user stack_user = {on_request, on_cancel, on_response,
                                                on_failed,  on_ended,  on_dropped};

static void on_found(void *user, dt_time now, uint64_t cookie, const struct dt_addr *targets,
                     size_t n, int err)
{
    (void)err;
    if (cookie)
        dt__fork_resolved(user, now, cookie, targets, n);
}

/* ---- life ---- */

static int make_parts(struct dt_proxy *p)
{
    const struct dt_proxy_config *cfg = p->cfg;
    struct dt_stack_config stack = {.t1 = cfg->timer_t1 * DT_MS,
                                    .t2 = cfg->timer_t2 * DT_MS,
                                    .max_transactions = (uint32_t)cfg->max_transactions,
                                    .linger = cfg->peers.n > 0 && !cfg->plain,
                                    .open_late = true,
                                    .given_up = cfg->plain     ? DT_GIVEN_UP_FORGET
                                                : cfg->peers.n ? DT_GIVEN_UP_ABSORB
                                                               : DT_GIVEN_UP_CANCEL};
    struct dt_resolver_config resolver = {
        .tcp = dt__self_has(&p->self, DT_TCP, 0),
        .v4 = dt__self_has(&p->self, DT_UDP, 4) || dt__self_has(&p->self, DT_TCP, 4),
        .v6 = dt__self_has(&p->self, DT_UDP, 6) || dt__self_has(&p->self, DT_TCP, 6)};
    struct dt_location_config location = {.max_bindings = (uint32_t)cfg->max_bindings,
                                          .max_contacts = (uint32_t)cfg->max_contacts,
                                          .twin = cfg->peers.n > 0,
                                          .removed_kept =
                                              cfg->peers.n ? cfg->max_expires * DT_SECOND : 0};
    p->stack = dt_stack_new(&stack, p->env, &p->out, &stack_user, p);
    if (p->stack)
        dt_stack_on_copy(p->stack, dt__fork_copy);
    p->resolver = dt_resolver_new(&resolver, p->env, &p->out, on_found, p);
    p->location = dt_location_new(&location, p->env);
    p->subscribers = dt_subscribers_new(p->env);
    return p->stack && p->resolver && p->location && p->subscribers ? DT_OK : DT_E_NOMEM;
}

static int listen_all(struct dt_proxy *p)
{
    for (size_t i = 0; i < p->self.n; i++) {
        struct dt_output o = {.kind = DT_OUT_LISTEN, .local = p->self.listen[i].addr};
        int err = dt_outbox_put(&p->out, &o);
        if (err)
            return err;
    }
    return DT_OK;
}

/* One key of the cluster, a key of its own for each use. */
static void add_key(struct dt_proxy *p, const uint64_t key[2])
{
    uint64_t *own = p->keys.key[p->keys.n];
    struct dt_nonce_key *nonce = &p->nonce_keys[p->keys.n++];
    own[0] = key[0];
    own[1] = key[1];
    nonce->key[0] = dt_siphash(own, DT_STR("nonce 0"));
    nonce->key[1] = dt_siphash(own, DT_STR("nonce 1"));
}

int dt_proxy_add_key(struct dt_proxy *p, const uint64_t key[2])
{
    if (p->keys.n == DT_KEYS_MAX)
        return DT_E_LIMIT;
    add_key(p, key);
    return DT_OK;
}

struct dt_proxy *dt_proxy_new(const struct dt_proxy_config *cfg, const uint64_t key[2],
                              struct dt_env *env)
{
    struct dt_proxy *p = dt_alloc_zero(env->alloc, sizeof *p);
    if (!p)
        return NULL;
    uint64_t table_key[2] = {dt_rng_u64(&env->rng), dt_rng_u64(&env->rng)};
    p->cfg = cfg;
    p->env = env;
    p->key = p->keys.key[0];
    add_key(p, key);
    dt__self_init(&p->self, cfg, dt_siphash(key, DT_STR("cluster")), 0);
    dt__pair_init(p);
    p->boot_seed = dt_siphash(table_key, DT_STR("boot"));
    dt_outbox_init(&p->out, env->alloc);
    dt_timers_init(&p->timers, env->alloc);
    dt__nonces_init(&p->nonces, env->alloc, dt_siphash(table_key, DT_STR("salt")), NONCES_MAX);
    if (make_parts(p) || listen_all(p)) {
        dt_proxy_free(p);
        return NULL;
    }
    return p;
}

void dt_proxy_free(struct dt_proxy *p)
{
    if (!p)
        return;
    dt__forks_clear(p);
    dt__pair_clear(p);
    dt__strays_clear(p);
    dt_stack_free(p->stack);
    dt_resolver_free(p->resolver);
    dt_location_free(p->location);
    dt_subscribers_free(p->subscribers);
    dt__nonces_clear(&p->nonces);
    dt_timers_clear(&p->timers);
    dt_alloc_free(p->env->alloc, p->forks.slots);
    dt_outbox_clear(&p->out);
    dt_alloc_free(p->env->alloc, p);
}

/* ---- the seam ---- */

static const char *transport_name(const struct dt_addr *a)
{
    return a->transport == DT_TCP ? "tcp" : "udp";
}

static void listening(struct dt_proxy *p, dt_time now, const struct dt_input *in)
{
    char where[DT_SELF_LISTEN_MAX * (DT_ADDR_TEXT_MAX + 5)], text[DT_ADDR_TEXT_MAX];
    struct dt_writer w = dt_writer(where, sizeof where);
    if (!p->self.boot) /* a host whose generator begins alike each time still has a clock */
        p->self.boot =
            1 | (uint32_t)(p->boot_seed + (uint64_t)((now + p->env->wall_offset) / DT_MS));
    if (!dt__self_up(&p->self, &in->local))
        return;
    dt__pair_start(p, now);
    for (size_t i = 0; i < p->self.n; i++)
        dt_writef(&w, " %s:%s", transport_name(&p->self.listen[i].addr),
                  dt_addr_text(&p->self.listen[i].addr, text));
    dt_outbox_event(&p->out, DT_EV_READY, 0, "proxy for %.*s at%.*s", DT_FMT(p->cfg->domain),
                    DT_FMT(dt_writer_str(&w)));
}

/* A row an error: what a person can do about it. */
static const char *remedy(int err)
{
    static const struct {
        int err;
        const char *text;
    } rows[] = {
        {DT_E_INUSE, "end the program that has it, or change listen"},
        {DT_E_ADDRESS, "change listen to an address of this machine"},
        {DT_E_PERMISSION, "ports below 1024 need more rights; change listen"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].err == err)
            return rows[i].text;
    return "change listen";
}

static void socket_error(struct dt_proxy *p, const struct dt_input *in)
{
    char text[DT_ADDR_TEXT_MAX];
    if (!in->remote.family)
        dt_outbox_event(&p->out, DT_EV_PROBLEM, 0, "cannot listen on %s:%s: %s; %s",
                        transport_name(&in->local), dt_addr_text(&in->local, text),
                        dt_err_text(in->err), remedy(in->err));
}

/* R10: who was stopped for long knows nothing of what happened meanwhile. */
static void woke(struct dt_proxy *p, dt_time now)
{
    dt__forks_clear(p);
    dt_stack_forget(p->stack, now);
    dt__pair_forget(p, now);
}

static void input_one(struct dt_proxy *p, dt_time now, const struct dt_input *in)
{
    switch (in->kind) {
    case DT_IN_LISTENING:
        listening(p, now, in);
        break;
    case DT_IN_SOCKET_ERROR:
        socket_error(p, in);
        break;
    case DT_IN_DNS:
        dt_resolver_input(p->resolver, now, in);
        break;
    case DT_IN_WALL_STEP:
        p->env->wall_offset = in->wall;
        break;
    case DT_IN_WOKE:
        woke(p, now);
        break;
    default:
        break;
    }
    dt_stack_input(p->stack, now, in);
}

static void node_input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct dt_proxy *p = node;
    dt_outbox_begin(&p->out);
    for (size_t i = 0; i < n; i++)
        input_one(p, now, &in[i]);
}

static dt_time node_deadline(const void *node)
{
    const struct dt_proxy *p = node;
    dt_time due = dt_time_min(dt_stack_deadline(p->stack), dt_timers_next(&p->timers));
    due = dt_time_min(due, p->pair.due);
    return dt_time_min(due, dt_location_deadline(p->location));
}

static void node_tick(void *node, dt_time now)
{
    struct dt_proxy *p = node;
    struct dt_timer *t;
    dt_outbox_begin(&p->out);
    dt_stack_tick(p->stack, now);
    while ((t = dt_timers_due(&p->timers, now)))
        dt__fork_timer(p, now, t);
    if (p->pair.due <= now)
        dt__pair_run(p, now);
    dt_location_tick(p->location, now);
}

static size_t node_output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    struct dt_proxy *p = node;
    (void)now;
    return dt_outbox_take(&p->out, out, max);
}

const struct dt_node_ops dt_proxy_node = {node_input, node_deadline, node_tick, node_output};

/* ---- what the host reads and writes for it ---- */

int dt_proxy_subscribers(struct dt_proxy *p, struct dt_str file, struct dt_str text,
                         struct dt_problems *problems)
{
    return dt_subscribers_read(p->subscribers, file, text, problems);
}

int dt_proxy_snapshot(struct dt_proxy *p, dt_time now, bool *changed, struct dt_bytes **out)
{
    uint64_t version = dt_location_count(p->location).version;
    *changed = version != p->saved_version;
    *out = NULL;
    if (!*changed)
        return DT_OK;
    int err = dt_location_save(p->location, now, p->env->wall_offset, p->env->alloc, out);
    if (!err)
        p->saved_version = version;
    return err;
}

int dt_proxy_restore(struct dt_proxy *p, dt_time now, struct dt_str text, unsigned *bad)
{
    int err = dt_location_load(p->location, now, p->env->wall_offset, text, bad);
    p->saved_version = dt_location_count(p->location).version;
    p->pair.restored = p->pair.restored || (!err && text.n);
    return err;
}

/* ---- counters ---- */

void dt_proxy_counts(const struct dt_proxy *p, struct dt_writer *w)
{
    const struct dt_stack_counts *s = dt_stack_counts(p->stack);
    struct dt_location_counts l = dt_location_count(p->location);
    dt__counts_write(&p->counts, w);
#define X(name, text) dt_writef(w, "stack." #name " %llu\n", (unsigned long long)s->name);
    DT_STACK_COUNTS(X)
#undef X
    dt_writef(w, "location.bindings %u\nlocation.users %u\n", (unsigned)l.bindings,
              (unsigned)l.aors);
    dt_writef(w, "forks %u\nlost.outputs %llu\n", (unsigned)p->forks.live,
              (unsigned long long)p->out.lost);
}

unsigned dt_proxy_objects(const struct dt_proxy *p)
{
    return (unsigned)dt_stack_counts(p->stack)->transactions + p->forks.live + p->timers.n;
}
