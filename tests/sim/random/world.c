/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a world from what was planned, its record, and its end. */
#include "judge.h"
#include "sound.h"

#include "io/io.h"
#include "store/subscribers.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SIP_PORT = 5060,
    PROXY_HOST = 10,
    PHONE_HOST = 101,
    SETUP_S = 40,
    SAMPLE_MS = 500,
    TEXT_SIZE = 8192
};

dt_time world_now(const struct world *w)
{
    return dt_sim_now(w->sim);
}

int64_t pick_between(struct dt_rng *r, int64_t from, int64_t to)
{
    return from + (int64_t)dt_rng_below(r, (uint64_t)(to - from + 1));
}

bool pick_chance(struct dt_rng *r, unsigned percent)
{
    return dt_rng_below(r, 100) < percent;
}

void world_fail(struct world *w, const char *fmt, ...)
{
    va_list args;
    if (w->failed)
        return;
    va_start(args, fmt);
    vsnprintf(w->reason, sizeof w->reason, fmt, args);
    va_end(args);
    w->failed = true;
}

/* ---- the record ---- */

static void on_packet(void *ctx, dt_time now, enum dt_sim_fate fate, const struct dt_addr *from,
                      const struct dt_addr *to, struct dt_bytes *bytes)
{
    static const enum dt_record_kind kinds[] = {
        [DT_SIM_SENT] = DT_REC_SENT,
        [DT_SIM_ARRIVED] = DT_REC_ARRIVED,
        [DT_SIM_LOST] = DT_REC_LOST,
        [DT_SIM_UNHEARD] = DT_REC_UNHEARD,
    };
    struct world *w = ctx;
    if (sound_packet(w, fate, from, to, bytes))
        return;
    struct dt_record_item item = {.at = now, .kind = kinds[fate], .who = DT_RECORD_NOBODY};
    item.from = *from;
    item.to = *to;
    item.bytes = bytes;
    (void)dt_record_add(&w->record, &item);
    w->tally->messages += fate == DT_SIM_SENT;
    w->tally->lost += fate == DT_SIM_LOST;
    w->tally->unheard += fate == DT_SIM_UNHEARD;
}

static void on_event(void *ctx, dt_time now, struct dt_sim_node *node, const struct dt_output *ev)
{
    struct world *w = ctx;
    int who = 0;
    if (sound_said(w, node, ev))
        return;
    while (who < w->n_parties && dt_sim_name(node) != w->parties[who].name)
        who++;
    struct dt_record_item item = {.at = now, .kind = DT_REC_EVENT, .event = ev->event};
    item.who = (uint16_t)who;
    item.call = ev->call;
    item.bytes = dt_bytes_copy(w->record.alloc, ev->text);
    (void)dt_record_add(&w->record, &item);
    dt_bytes_drop(item.bytes);
    people_hear(&w->parties[who], ev);
    if (ev->event == DT_EV_MEDIA)
        sound_ordered(&w->parties[who], ev);
}

/* ---- configuration, as a person would write it ---- */

static void write_ip(struct dt_writer *out, const struct party *p)
{
    dt_writef(out, "192.0.2.%d",
              p->proxy ? PROXY_HOST + p->index : PHONE_HOST + p->index - p->w->n_proxies);
}

static void write_proxy(const struct party *p, struct dt_writer *out)
{
    const struct world *w = p->w;
    dt_write_lit(out, "domain: example.com\nlisten: udp:");
    write_ip(out, p);
    dt_writef(out, ":%d tcp:", SIP_PORT);
    write_ip(out, p);
    dt_writef(out, ":%d\ncluster_address: ", SIP_PORT);
    write_ip(out, w->pair ? &w->parties[0] : p);
    if (w->pair) {
        dt_write_lit(out, "\npeer: ");
        write_ip(out, &w->parties[1 - p->index]);
    }
    dt_write_lit(out, "\nmin_expires: 1\n");
    if (w->cap)
        dt_writef(out, "max_transactions: %u\n", w->cap);
}

static void write_phone(const struct party *p, struct dt_writer *out)
{
    const struct world *w = p->w;
    for (unsigned i = 0; i < p->n_lines; i++) {
        dt_writef(out, "line%u_name: %s\n", i + 1, p->numbers[i]);
        if (w->auth)
            dt_writef(out, "line%u_authname: %s\nline%u_password: secret\n", i + 1, p->numbers[i],
                      i + 1);
    }
    dt_write_lit(out, "line_domain: example.com\nproxy_register: 1\nproxy1_address: ");
    if (p->named)
        dt_write_lit(out, "sip.example.com");
    else
        write_ip(out, &w->parties[0]);
    if (w->n_proxies > 1 && !p->named && !w->flow.parties[p->index].plain) {
        dt_write_lit(out, "\nproxy_register_backup: 1\nproxy_backup: ");
        write_ip(out, &w->parties[1]);
    }
    dt_writef(out, "\ntimer_register_expires: %d\n", p->expires);
    dt_writef(out, "proxy_failover: %s\n", p->fast ? "fast" : "guide");
    dt_writef(out, "dnd_control: %d\n", p->dnd);
    if (p->tcp)
        dt_write_lit(out, "proxy_transport: tcp\n");
}

static bool configure(struct party *p)
{
    struct dt_problem list[1];
    struct dt_problems problems = {.list = list, .cap = 1};
    char text[CONFIG_SIZE];
    struct dt_writer out = dt_writer(text, sizeof text);
    if (p->proxy)
        write_proxy(p, &out);
    else
        write_phone(p, &out);
    int err = dt_conf_init(&p->conf, &dt_alloc_libc, p->proxy ? dt_proxy_options : dt_phone_options,
                           p->proxy ? dt_proxy_options_n : dt_phone_options_n, &p->cfg, &problems);
    p->configured = true;
    if (!err)
        err = dt_conf_read(&p->conf, dt_str_z(p->name), dt_writer_str(&out));
    if (!err)
        err = p->proxy ? dt_proxy_config_check(&p->cfg.proxy, &problems)
                       : dt_phone_config_check(&p->cfg.phone, &problems);
    p->conf.problems = NULL;
    *(p->proxy ? &p->cfg.proxy.plain : &p->cfg.phone.plain) = p->w->flow.parties[p->index].plain;
    if (err || problems.fatal)
        world_fail(p->w, "the configuration of %s is wrong: %s", p->name,
                   problems.n ? list[0].text : dt_err_text(err));
    return !p->w->failed;
}

/* ---- nodes ---- */

static int subscribe(struct party *p)
{
    struct dt_bytes *text = NULL;
    struct dt_problems none = {0};
    for (int i = p->w->n_proxies; i < p->w->n_parties; i++)
        for (unsigned k = 0; k < p->w->parties[i].n_lines; k++) {
            struct dt_bytes *more = NULL;
            if (dt_subscribers_put(&dt_alloc_libc, dt_io_hash, dt_bytes_str(text),
                                   dt_str_z(p->w->parties[i].numbers[k]), DT_STR("example.com"),
                                   DT_STR("secret"), &more))
                continue; /* a shared number is there already */
            dt_bytes_drop(text);
            text = more;
        }
    int err = dt_proxy_subscribers(p->proxy_node, DT_STR("world"), dt_bytes_str(text), &none);
    dt_bytes_drop(text);
    return err;
}

struct dt_addr party_address(const struct party *p)
{
    const struct world *w = p->w;
    int host = p->proxy ? PROXY_HOST + p->index : PHONE_HOST + p->index - w->n_proxies;
    return (struct dt_addr){.ip = {192, 0, 2, (uint8_t)host}, .port = SIP_PORT, .family = 4};
}

int world_make_node(struct party *p)
{
    uint64_t own = p->w->flow.parties[p->index].plain ? 1 + (uint64_t)p->index : 0;
    const uint64_t key[2] = {0x6475616c746f6e65 + own, 0x636c7573746572};
    struct dt_addr addr = party_address(p);
    size_t fail_at = p->memory.fail_at;
    p->memory.fail_at = 0; /* who cannot start is started again by who started it */
    if (p->proxy)
        p->proxy_node = dt_proxy_new(&p->cfg.proxy, key, &p->env);
    else
        p->phone_node = dt_phone_new(&p->cfg.phone, &addr, &p->env);
    int err = p->proxy_node || p->phone_node ? DT_OK : DT_E_NOMEM;
    if (!err && p->proxy && p->w->auth)
        err = subscribe(p);
    p->memory.fail_at = fail_at;
    return err;
}

void world_free_node(struct party *p)
{
    dt_phone_free(p->phone_node);
    dt_proxy_free(p->proxy_node);
    p->phone_node = NULL;
    p->proxy_node = NULL;
}

unsigned party_objects(const struct party *p)
{
    if (p->phone_node)
        return dt_phone_objects(p->phone_node) + sound_calls(p);
    return p->proxy_node && !p->gone ? dt_proxy_objects(p->proxy_node) : 0;
}

unsigned world_objects(const struct world *w)
{
    unsigned n = 0;
    for (int i = 0; i < w->n_parties; i++)
        n += party_objects(&w->parties[i]);
    return n;
}

unsigned world_fewest_objects(struct world *w, dt_time until)
{
    unsigned fewest = UINT_MAX;
    while (world_now(w) < until && !w->failed) {
        world_run(w, dt_time_min(world_now(w) + SAMPLE_MS * DT_MS, until));
        unsigned n = world_objects(w);
        fewest = n < fewest ? n : fewest;
    }
    return fewest;
}

static bool start(struct party *p)
{
    struct world *w = p->w;
    kit_alloc_init(&p->memory);
    dt_env_init(&p->env, w->seed * PARTIES_MAX + (uint64_t)p->index);
    p->env.alloc = &p->memory.alloc;
    p->env.hash = dt_io_hash;
    p->env.wall_offset = WALL_START;
    if (!configure(p))
        return false;
    if (world_make_node(p)) {
        world_fail(w, "%s could not be made", p->name);
        return false;
    }
    if (p->proxy && w->looped) {
        bounds_bind_loops(p);
        party_read_store(p);
    }
    p->node = dt_sim_attach(w->sim, p->name, &party_node, p);
    if (!p->node) {
        world_fail(w, "no memory");
        return false;
    }
    dt_sim_plain(p->node, w->flow.parties[p->index].plain);
    return p->proxy || !sound_wanted(w) || sound_open(p);
}

/* ---- the name servers: both proxies under one name ---- */

static void add_names(struct world *w)
{
    for (int i = 0; i < w->n_proxies; i++) {
        struct dt_addr addr = party_address(&w->parties[i]);
        char host[32];
        snprintf(host, sizeof host, "p%d.example.com", i);
        struct dt_dns_record srv = {.type = DT_DNS_SRV,
                                    .ttl = 60,
                                    .order = (uint16_t)(10 + i),
                                    .port = SIP_PORT,
                                    .target = dt_str_z(host)};
        struct dt_dns_record a = {.type = DT_DNS_A, .ttl = 60};
        memcpy(a.ip, addr.ip, sizeof a.ip);
        (void)dt_sim_dns_add(w->sim, DT_STR("_sip._udp.sip.example.com"), &srv);
        (void)dt_sim_dns_add(w->sim, DT_STR("_sip._tcp.sip.example.com"), &srv);
        (void)dt_sim_dns_add(w->sim, dt_str_z(host), &a);
        (void)dt_sim_dns_add(w->sim, DT_STR("sip.example.com"), &a);
    }
}

/* ---- life ---- */

void world_run(struct world *w, dt_time until)
{
    while (!w->failed && dt_sim_step(w->sim, until))
        judge_look(w);
    if (!w->failed)
        judge_look(w); /* what was due until then, before anything is done to anybody */
}

static bool all_ready(void *ctx)
{
    const struct world *w = ctx;
    for (int i = 0; i < w->n_parties; i++)
        if (!w->parties[i].ready)
            return w->failed;
    return true;
}

static bool come_up(struct world *w)
{
    for (int i = 0; i < w->n_parties; i++) {
        if (!start(&w->parties[i]))
            return false;
        world_run(w, world_now(w) + pick_between(&w->rng, 10, 900) * DT_MS);
        if (i + 1 == w->n_proxies) /* what they need for themselves */
            w->baseline = world_fewest_objects(w, world_now(w) + SETUP_S * DT_SECOND);
    }
    if (!dt_sim_until(w->sim, all_ready, w, world_now(w) + SETUP_S * DT_SECOND))
        for (int i = 0; i < w->n_parties; i++)
            if (!w->parties[i].ready)
                world_fail(w, "%s was not ready after %d s", w->parties[i].name, SETUP_S);
    return !w->failed;
}

static void name_parties(struct world *w)
{
    w->flow.n_parties = (size_t)w->n_parties;
    for (int i = 0; i < w->n_parties; i++) {
        struct party *p = &w->parties[i];
        struct dt_addr any_port = party_address(p);
        any_port.port = 0;
        snprintf(w->flow.parties[i].name, sizeof w->flow.parties[i].name, "%s", p->name);
        w->flow.parties[i].role = p->proxy ? DT_FLOW_PROXY : DT_FLOW_PHONE;
        w->flow.parties[i].peer = p->proxy && w->pair ? 1 - i : -1;
        (void)dt_record_party(&w->record, p->name);
        dt_record_address(&w->record, (uint16_t)i, &any_port);
    }
}

bool world_open(struct world *w, uint64_t seed, struct tally *t)
{
    const uint64_t key[2] = {seed, 0x776f726c64};
    const struct dt_sim_watch watch = {on_packet, on_event, w};
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->tally = t;
    t->media_worlds += sound_wanted(w);
    w->flow.alloc = &dt_alloc_libc;
    dt_rng_init(&w->rng, key);
    dt_record_init(&w->record, &dt_alloc_libc);
    w->sim = dt_sim_new(&dt_alloc_libc, seed, &watch);
    w->judge = judge_new();
    if (!w->sim || !w->judge) {
        world_fail(w, "no memory");
        return false;
    }
    plan_world(w);
    *dt_sim_default_link(w->sim) = w->calm;
    name_parties(w);
    add_names(w);
    if (!come_up(w))
        return false;
    w->zero = world_now(w);
    plan_faults(w);
    return true;
}

void world_close(struct world *w)
{
    if (w->sim)
        w->tally->virtual_time += world_now(w);
    dt_sim_free(w->sim);
    judge_free(w->judge);
    for (int i = 0; i < w->n_parties; i++) {
        world_free_node(&w->parties[i]);
        sound_close(&w->parties[i]);
        dt_bytes_drop(w->parties[i].kept);
        if (w->parties[i].configured)
            dt_conf_clear(&w->parties[i].conf);
    }
    dt_record_clear(&w->record);
    for (int i = 0; i < w->n_parties; i++)
        if (w->parties[i].memory.live > 0)
            world_fail(w, "I36: %zu pieces of memory of %s were not freed",
                       w->parties[i].memory.live, w->parties[i].name);
}
