/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A flow's world in the simulator. */
#include "flow/world.h"

#include "dualtone/digest.h"
#include "io/io.h"
#include "phone/phone.h"
#include "proxy/proxy.h"
#include "sim/sim.h"

#include <string.h>

enum {
    CONFIG_MAX = 4096,
    SIP_PORT = 5060,
    PROXY_HOST = 10, /* 192.0.2.10, .11, ... (RFC 5737) */
    PHONE_HOST = 101
};

/* One party: what it was configured with, the node, its place in the simulator. */
struct sim_party {
    struct dt_env env;
    struct dt_conf conf;
    union {
        struct dt_phone_config phone;
        struct dt_proxy_config proxy;
    } cfg;
    struct dt_phone *phone;
    struct dt_proxy *proxy;
    struct dt_sim_node *node;
    bool configured;
};

struct world_sim {
    struct flow_world base;
    struct dt_sim *sim;
    struct sim_party parties[DT_FLOW_PARTIES_MAX];
    struct dt_problem problem;
};

static struct world_sim *of(struct flow_world *w)
{
    return (struct world_sim *)(void *)w;
}

/* ---- the record ---- */

static void add(struct world_sim *w, const struct dt_record_item *item)
{
    const struct dt_flow_options *o = w->base.options;
    size_t at = dt_record_add(w->base.record, item);
    if (o->watch && at != SIZE_MAX)
        o->watch(o->watch_ctx, w->base.record, &w->base.record->items[at]);
}

static void on_packet(void *ctx, dt_time now, enum dt_sim_fate fate, const struct dt_addr *from,
                      const struct dt_addr *to, struct dt_bytes *bytes)
{
    static const enum dt_record_kind kinds[] = {
        [DT_SIM_SENT] = DT_REC_SENT,
        [DT_SIM_ARRIVED] = DT_REC_ARRIVED,
        [DT_SIM_LOST] = DT_REC_LOST,
        [DT_SIM_UNHEARD] = DT_REC_UNHEARD,
    };
    struct world_sim *w = ctx;
    struct dt_record_item item = {.at = now, .kind = kinds[fate], .who = DT_RECORD_NOBODY};
    item.from = *from;
    item.to = *to;
    item.bytes = bytes;
    add(w, &item);
}

static void on_event(void *ctx, dt_time now, struct dt_sim_node *node, const struct dt_output *ev)
{
    struct world_sim *w = ctx;
    struct dt_record_item item = {.at = now, .kind = DT_REC_EVENT, .event = ev->event};
    item.who = dt_record_party(w->base.record, dt_sim_name(node));
    item.call = ev->call;
    item.bytes = dt_bytes_copy(w->base.record->alloc, ev->text);
    add(w, &item);
    dt_bytes_drop(item.bytes);
}

/* ---- parties ---- */

static bool is_plain(const struct world_sim *w, int i)
{
    return w->base.flow->parties[i].plain;
}

static int configure(struct world_sim *w, int i)
{
    struct sim_party *p = &w->parties[i];
    bool proxy = w->base.flow->parties[i].role == DT_FLOW_PROXY;
    char text[CONFIG_MAX];
    struct dt_writer out = dt_writer(text, sizeof text);
    struct dt_problems problems = {.list = &w->problem, .cap = 1};
    dt__flow_config(&w->base, i, &out);
    int err =
        dt_conf_init(&p->conf, w->base.flow->alloc, proxy ? dt_proxy_options : dt_phone_options,
                     proxy ? dt_proxy_options_n : dt_phone_options_n, &p->cfg, &problems);
    p->conf.guide_comments = !proxy;
    p->configured = true;
    if (!err)
        err = dt_conf_read(&p->conf, dt_str_z(w->base.flow->parties[i].name), dt_writer_str(&out));
    if (!err)
        err = proxy ? dt_proxy_config_check(&p->cfg.proxy, &problems)
                    : dt_phone_config_check(&p->cfg.phone, &problems);
    *(proxy ? &p->cfg.proxy.plain : &p->cfg.phone.plain) = is_plain(w, i);
    if (err || problems.fatal) {
        struct dt_writer e = dt_writer(w->base.error, sizeof w->base.error - 1);
        dt_writef(&e, "its configuration is wrong: %s",
                  problems.n ? w->problem.text : dt_err_text(err));
        w->base.error[e.n] = '\0';
        return DT_E_SYNTAX;
    }
    return DT_OK;
}

static int make_node(struct world_sim *w, int i)
{
    struct sim_party *p = &w->parties[i];
    /* One cluster, but for who is not ours. */
    const uint64_t cluster_key[2] = {0x6475616c746f6e65 + (is_plain(w, i) ? 1 + (uint64_t)i : 0),
                                     0x636c7573746572};
    if (w->base.flow->parties[i].role == DT_FLOW_PROXY) {
        p->proxy = dt_proxy_new(&p->cfg.proxy, cluster_key, &p->env);
        char text[CONFIG_MAX];
        struct dt_writer out = dt_writer(text, sizeof text);
        struct dt_problems none = {0};
        dt__flow_subscribers(&w->base, dt_io_hash, &out);
        if (p->proxy && w->base.flow->parties[i].auth)
            return dt_proxy_subscribers(p->proxy, DT_STR("flow"), dt_writer_str(&out), &none);
    } else {
        p->phone = dt_phone_new(&p->cfg.phone, &w->base.addrs[i], &p->env);
    }
    return p->proxy || p->phone ? DT_OK : DT_E_NOMEM;
}

static void free_node(struct sim_party *p)
{
    dt_phone_free(p->phone);
    dt_proxy_free(p->proxy);
    p->phone = NULL;
    p->proxy = NULL;
}

static void free_party(struct sim_party *p)
{
    free_node(p);
    if (p->configured)
        dt_conf_clear(&p->conf);
    p->configured = false;
}

static int sim_start(struct flow_world *base, int i)
{
    struct world_sim *w = of(base);
    struct sim_party *p = &w->parties[i];
    bool proxy = base->flow->parties[i].role == DT_FLOW_PROXY;
    dt_env_init(&p->env, base->options->seed * DT_FLOW_PARTIES_MAX + (uint64_t)i);
    p->env.hash = dt_io_hash;
    if (base->options->alloc[i])
        p->env.alloc = base->options->alloc[i];
    p->env.wall_offset = 1700000000 * DT_SECOND;
    int err = configure(w, i);
    if (!err)
        err = make_node(w, i);
    if (err) {
        free_party(p); /* it may be started again */
        return err;
    }
    p->node =
        dt_sim_attach(w->sim, base->flow->parties[i].name, proxy ? &dt_proxy_node : &dt_phone_node,
                      proxy ? (void *)p->proxy : (void *)p->phone);
    if (p->node)
        dt_sim_plain(p->node, is_plain(w, i));
    return p->node ? DT_OK : DT_E_NOMEM;
}

static void sim_command(struct flow_world *base, int i, struct dt_str text)
{
    struct world_sim *w = of(base);
    if (w->parties[i].node)
        dt_sim_command(w->sim, w->parties[i].node, DT_CHANNEL_USER, text);
}

static int restart(struct world_sim *w, int i)
{
    struct sim_party *p = &w->parties[i];
    dt_sim_kill(w->sim, p->node); /* if it lives, hung or not */
    free_node(p);
    dt_sim_blackhole(p->node, false);
    int err = make_node(w, i);
    if (!err)
        dt_sim_restart(w->sim, p->node, p->proxy ? (void *)p->proxy : (void *)p->phone);
    return err;
}

static int sim_fault(struct flow_world *base, int i, struct dt_str what)
{
    struct world_sim *w = of(base);
    struct sim_party *p = &w->parties[i];
    if (!p->node) {
        struct dt_writer e = dt_writer(base->error, sizeof base->error - 1);
        dt_writef(&e, "%s does not run", base->flow->parties[i].name);
        base->error[e.n] = '\0';
        return DT_E_STATE;
    }
    if (dt_str_eq(what, DT_STR("blackhole")))
        dt_sim_blackhole(p->node, true);
    else if (dt_str_eq(what, DT_STR("hang")))
        dt_sim_hang(w->sim, p->node);
    else if (dt_str_eq(what, DT_STR("wake")))
        dt_sim_wake(w->sim, p->node);
    else if (dt_str_eq(what, DT_STR("restart")))
        return restart(w, i);
    else {
        dt_sim_silent(p->node, dt_str_eq(what, DT_STR("silence")));
        dt_sim_kill(w->sim, p->node);
        free_node(p);
    }
    return DT_OK;
}

void dt__flow_sim_move(struct flow_world *base, int from, int to)
{
    struct world_sim *w = of(base);
    dt_sim_move(w->parties[from].node, w->parties[to].node);
}

void dt__flow_sim_cut(struct flow_world *base, int from, int to, bool on)
{
    struct world_sim *w = of(base);
    struct dt_sim_link *link = dt_sim_link(w->sim, w->parties[from].node, w->parties[to].node);
    if (link)
        link->cut = on;
}

static bool sim_advance(struct flow_world *base, dt_time limit)
{
    struct world_sim *w = of(base);
    size_t before = base->record->n;
    while (base->record->n == before)
        if (!dt_sim_step(w->sim, limit))
            return base->record->n != before;
    return true;
}

static dt_time sim_now(const struct flow_world *base)
{
    return dt_sim_now(((const struct world_sim *)(const void *)base)->sim);
}

static unsigned sim_objects(const struct flow_world *base)
{
    const struct world_sim *w = (const struct world_sim *)(const void *)base;
    unsigned n = 0;
    for (size_t i = 0; i < base->flow->n_parties; i++) {
        n += w->parties[i].phone ? dt_phone_objects(w->parties[i].phone) : 0;
        n += w->parties[i].proxy ? dt_proxy_objects(w->parties[i].proxy) : 0;
    }
    return n;
}

static void sim_close(struct flow_world *base)
{
    struct world_sim *w = of(base);
    dt_sim_free(w->sim);
    for (size_t i = 0; i < base->flow->n_parties; i++)
        free_party(&w->parties[i]);
    dt_alloc_free(base->flow->alloc, w);
}

static const struct flow_world_ops sim_ops = {
    .start = sim_start,
    .command = sim_command,
    .fault = sim_fault,
    .advance = sim_advance,
    .now = sim_now,
    .objects = sim_objects,
    .close = sim_close,
};

/* Proxies at 192.0.2.10, .11, ...; phones at .101, .102, ... */
static void give_addresses(struct flow_world *w)
{
    uint8_t proxy = PROXY_HOST, phone = PHONE_HOST;
    for (size_t i = 0; i < w->flow->n_parties; i++) {
        bool is_proxy = w->flow->parties[i].role == DT_FLOW_PROXY;
        w->addrs[i] = (struct dt_addr){
            .ip = {192, 0, 2, is_proxy ? proxy++ : phone++}, .port = SIP_PORT, .family = 4};
        struct dt_addr any_port = w->addrs[i];
        any_port.port = 0;
        dt_record_address(w->record, (uint16_t)i, &any_port);
    }
}

struct flow_world *dt__flow_sim_open(const struct dt_flow *f, const struct dt_flow_options *o,
                                     struct dt_record *record)
{
    struct world_sim *w = dt_alloc_zero(f->alloc, sizeof *w);
    if (!w)
        return NULL;
    const struct dt_sim_watch watch = {on_packet, on_event, w};
    w->base = (struct flow_world){.ops = &sim_ops, .flow = f, .options = o, .record = record};
    w->sim = dt_sim_new(f->alloc, o->seed, &watch);
    if (!w->sim) {
        dt_alloc_free(f->alloc, w);
        return NULL;
    }
    struct dt_sim_link *link = dt_sim_default_link(w->sim);
    if (o->delay)
        link->delay = o->delay;
    link->loss = o->loss;
    link->duplicate = o->duplicate;
    link->reorder = o->reorder;
    give_addresses(&w->base);
    return &w->base;
}
