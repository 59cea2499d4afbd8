/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Phones and scripted registrars on a simulated network, and a log of what they send and say. */
#ifndef PHONE_NET_H
#define PHONE_NET_H

#include "testkit.h"

#include <string.h>

#include "dualtone/build.h"
#include "phone/phone.h"
#include "sim/sim.h"
#include "trace/record.h"

enum { NET_PARTIES = 6, NET_DELAY_MS = 10 };

/* A registrar that answers each REGISTER by the next status of its script, the last one for ever;
 * and each other request by 404. */
struct net_registrar {
    struct dt_outbox out;
    struct dt_addr addr;
    const int *script;
    uint32_t min_expires; /* with 423 */
    unsigned registers, removals;
};

struct net_party {
    const char *name;
    struct dt_addr addr;
    struct dt_sim_node *node;
    struct dt_env env;
    struct kit_alloc k;
    struct dt_conf conf;
    struct dt_phone_config cfg;
    struct dt_phone *phone; /* or: */
    struct net_registrar registrar;
    unsigned objects; /* at rest */
};

static struct {
    struct dt_sim *sim;
    struct net_party parties[NET_PARTIES];
    size_t n;
    char text[1 << 16];
    struct dt_writer log;
    bool quiet; /* packets are not logged */
} net;

/* ---- the log ---- */

static inline const char *net_name(const struct dt_addr *addr)
{
    for (size_t i = 0; i < net.n; i++)
        if (dt_addr_ip_eq(addr, &net.parties[i].addr))
            return net.parties[i].name;
    return "?";
}

static inline void net_packet(void *ctx, dt_time now, enum dt_sim_fate fate,
                              const struct dt_addr *from, const struct dt_addr *to,
                              struct dt_bytes *bytes)
{
    struct dt_label label;
    (void)ctx;
    (void)now;
    if (fate != DT_SIM_SENT || net.quiet)
        return;
    dt_label_of(&label, dt_bytes_str(bytes));
    dt_writef(&net.log, "%s -> %s %s\n", net_name(from), net_name(to), label.text);
}

static inline void net_event(void *ctx, dt_time now, struct dt_sim_node *node,
                             const struct dt_output *ev)
{
    (void)ctx;
    (void)now;
    if (ev->event == DT_EV_REPLY || ev->event == DT_EV_DROP)
        return;
    dt_writef(&net.log, "%s %s", dt_sim_name(node), dt_event_name(ev->event));
    if (ev->event == DT_EV_CALL)
        dt_writef(&net.log, " %u", ev->call);
    dt_writef(&net.log, ": %.*s\n", DT_FMT(ev->text));
}

/* What was logged since the last call is exactly `want`. */
#define net_expect(want) kit_assert_str_at(net_take(), (want), __FILE__, __LINE__)
static inline struct dt_str net_take(void)
{
    struct dt_str s = {net.text, net.log.n};
    assert_int_equal(net.log.err, DT_OK);
    net.log = dt_writer(net.text, sizeof net.text);
    return s;
}
#define net_expect_has(what) \
    do { \
        struct dt_str got_ = net_take(); \
        if (dt_str_search(got_, dt_str_z(what)) == got_.n) \
            fail_msg("\"%.*s\" lacks \"%s\"", DT_FMT(got_), (what)); \
    } while (0)

/* ---- registrars ---- */

static inline void registrar_answer(struct net_registrar *r, const struct dt_input *in,
                                    const struct dt_sip_msg *m)
{
    char extra[400];
    struct dt_writer w = dt_writer(extra, sizeof extra);
    struct dt_bytes *answer = NULL;
    bool removal = dt_str_eq(dt_sip_get(m, DT_H_EXPIRES), DT_STR("0")) ||
                   dt_str_search(m->text, DT_STR("expires=0")) < m->text.n;
    int status = m->method == DT_REGISTER ? *r->script : 404;
    if (m->method == DT_REGISTER && r->script[1])
        r->script++;
    r->registers += m->method == DT_REGISTER;
    r->removals += removal && status == 200;
    if (status == 401)
        dt_write_lit(&w, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n");
    if (status == 423)
        dt_writef(&w, "Min-Expires: %u\r\n", r->min_expires);
    if (status == 200 && !removal)
        dt_writef(&w, "Contact: %.*s;expires=3600\r\n", DT_FMT(dt_sip_get(m, DT_H_CONTACT)));
    assert_int_equal(dt_sip_answer(m,
                                   &(struct dt_sip_answer){.status = status,
                                                           .to_tag = DT_STR("registrar"),
                                                           .extra = dt_writer_str(&w),
                                                           .source = &in->remote},
                                   &dt_alloc_libc, &answer),
                     DT_OK);
    dt_outbox_datagram(&r->out, &in->local, &in->remote, answer);
    dt_bytes_drop(answer);
}

static inline void registrar_input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct net_registrar *r = node;
    struct dt_sip_header headers[64];
    struct dt_sip_msg m;
    (void)now;
    dt_outbox_begin(&r->out);
    for (size_t i = 0; i < n; i++)
        if (in[i].kind == DT_IN_DATAGRAM && !dt_sip_parse(&m, in[i].data, headers, 64) &&
            m.request && !dt_sip_check(&m) && m.method != DT_ACK)
            registrar_answer(r, &in[i], &m);
}

static inline dt_time registrar_deadline(const void *node)
{
    (void)node;
    return DT_TIME_NEVER;
}

static inline void registrar_tick(void *node, dt_time now)
{
    (void)node;
    (void)now;
}

static inline size_t registrar_output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    (void)now;
    return dt_outbox_take(&((struct net_registrar *)node)->out, out, max);
}

static const struct dt_node_ops registrar_ops = {registrar_input, registrar_deadline,
                                                 registrar_tick, registrar_output};

/* ---- the network ---- */

static inline void net_start(uint64_t seed)
{
    memset(&net, 0, sizeof net);
    net.log = dt_writer(net.text, sizeof net.text);
    net.sim = dt_sim_new(&dt_alloc_libc, seed, &(struct dt_sim_watch){net_packet, net_event, NULL});
    assert_non_null(net.sim);
    dt_sim_default_link(net.sim)->delay = NET_DELAY_MS * DT_MS;
}

static inline struct net_party *net_party(const char *name, const char *ip)
{
    struct net_party *p = &net.parties[net.n++];
    p->name = name;
    assert_int_equal(dt_addr_parse(&p->addr, dt_str_z(ip)), DT_OK);
    p->addr.port = 5060;
    return p;
}

static inline struct net_party *net_phone(const char *name, const char *ip, const char *config)
{
    struct dt_problem list[2];
    struct dt_problems problems = {.list = list, .cap = 2};
    struct net_party *p = net_party(name, ip);
    assert_int_equal(dt_conf_init(&p->conf, &dt_alloc_libc, dt_phone_options, dt_phone_options_n,
                                  &p->cfg, &problems),
                     DT_OK);
    if (dt_conf_read(&p->conf, DT_STR("config"), dt_str_z(config)) ||
        dt_phone_config_check(&p->cfg, &problems))
        fail_msg("%s", list[0].text);
    kit_alloc_init(&p->k);
    dt_env_init(&p->env, 7 + net.n);
    p->env.alloc = &p->k.alloc;
    p->env.hash = kit_hash;
    p->phone = dt_phone_new(&p->cfg, &p->addr, &p->env);
    assert_non_null(p->phone);
    p->node = dt_sim_attach(net.sim, name, &dt_phone_node, p->phone);
    assert_non_null(p->node);
    return p;
}

static inline struct net_party *net_registrar(const char *name, const char *ip, const int *script)
{
    struct net_party *p = net_party(name, ip);
    struct net_registrar *r = &p->registrar;
    r->script = script;
    dt_outbox_init(&r->out, &dt_alloc_libc);
    dt_outbox_put(&r->out, &(struct dt_output){.kind = DT_OUT_LISTEN, .local = p->addr});
    p->node = dt_sim_attach(net.sim, name, &registrar_ops, r);
    assert_non_null(p->node);
    return p;
}

static inline void net_wait(dt_time more)
{
    dt_sim_run(net.sim, dt_sim_now(net.sim) + more);
}

/* All are at rest: the log is forgotten, and what there is now is the measure for net_end. */
static inline void net_settle(void)
{
    net_wait(6 * DT_SECOND); /* T4 is 5 s (RFC 3261 17.1.2.2) */
    net_take();
    for (size_t i = 0; i < net.n; i++)
        if (net.parties[i].phone)
            net.parties[i].objects = dt_phone_objects(net.parties[i].phone);
}

/* A command, and a second for what comes of it. */
static inline void net_type(const struct net_party *p, const char *line)
{
    dt_sim_command(net.sim, p->node, DT_CHANNEL_USER, dt_str_z(line));
    net_wait(DT_SECOND);
}

/* After the transactions' last timers there is what there was (I36). */
static inline void net_end(void)
{
    net_wait(64 * DT_SECOND);
    for (size_t i = 0; i < net.n; i++) {
        struct net_party *p = &net.parties[i];
        if (p->phone)
            assert_int_equal(dt_phone_objects(p->phone), p->objects);
    }
    dt_sim_free(net.sim);
    for (size_t i = 0; i < net.n; i++) {
        struct net_party *p = &net.parties[i];
        if (p->phone) {
            dt_phone_free(p->phone);
            dt_conf_clear(&p->conf);
            assert_int_equal(p->k.live, 0);
        } else
            dt_outbox_clear(&p->registrar.out);
    }
}

#endif
