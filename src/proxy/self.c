/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "proxy/self.h"

enum { SIP_PORT = 5060 };

/* ---- listening ---- */

int dt__self_listen_parse(struct dt_addr *out, struct dt_str word)
{
    static const struct {
        struct dt_str name;
        enum dt_transport transport;
    } kinds[] = {{{"udp:", 4}, DT_UDP}, {{"tcp:", 4}, DT_TCP}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!dt_str_starts(word, kinds[i].name))
            continue;
        struct dt_str rest = dt_str_sub(word, kinds[i].name.n, word.n);
        if (dt_addr_parse(out, rest))
            return DT_E_SYNTAX;
        if (!out->port && !dt_str_ends(rest, DT_STR(":0"))) /* port 0: any, for tests */
            out->port = SIP_PORT;
        out->transport = (uint8_t)kinds[i].transport;
        return DT_OK;
    }
    return DT_E_SYNTAX;
}

/* The port that peers find us at by this transport. */
static uint16_t port_of(const struct dt_self *s, unsigned transport)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->listen[i].addr.transport == transport)
            return s->listen[i].addr.port;
    return s->n ? s->listen[0].addr.port : SIP_PORT;
}

static bool is_number(const struct dt_addr *a)
{
    return a->family != 0;
}

/* R1: `name` where DNS has it, else `cluster_address`, else the only address there is. */
static void write_sent_by(struct dt_self *s, unsigned transport)
{
    struct dt_writer w = dt_writer(s->sent_by[transport], DT_SENT_BY_MAX);
    uint16_t port = port_of(s, transport);
    if (s->cfg->name.n) {
        dt_write(&w, s->cfg->name);
    } else if (is_number(&s->cluster)) {
        dt_addr_write_ip(&w, &s->cluster, true);
        port = s->cluster.port ? s->cluster.port : port;
    } else if (s->cfg->cluster_address.n) {
        dt_write(&w, s->cfg->cluster_address);
    } else if (s->n) {
        dt_addr_write_ip(&w, &s->listen[0].addr, true);
    }
    dt_write_char(&w, ':');
    dt_write_u64(&w, port);
    s->sent_by_n[transport] = w.err ? 0 : w.n;
}

static void write_all_sent_by(struct dt_self *s)
{
    for (unsigned t = 0; t < DT_SELF_TRANSPORTS; t++)
        write_sent_by(s, t);
}

/* An address as a token: what a token may not hold becomes a hyphen. */
static void write_node_name(const struct dt_self *s, struct dt_writer *w)
{
    char text[DT_ADDR_TEXT_MAX];
    if (s->cfg->node.n || !s->n) {
        dt_write(w, s->cfg->node.n ? s->cfg->node : DT_STR("-"));
        return;
    }
    for (const char *c = dt_addr_text(&s->listen[0].addr, text); *c; c++)
        dt_write_char(w, dt_char_is(*c, DT_C_TOKEN) ? *c : '-');
}

/* Twins are who has the same key and writes the same sent-by: to a callee two that write different
 * ones are two servers (R1), whatever their key. */
static uint64_t cluster(const struct dt_self *s)
{
    uint64_t key[2] = {s->cluster_id, 0};
    for (unsigned t = 0; t < DT_SELF_TRANSPORTS; t++)
        key[1] = dt_siphash(key, dt__self_sent_by(s, t));
    return key[1];
}

static void write_node_line(struct dt_self *s)
{
    struct dt_writer w = dt_writer(s->node_line, sizeof s->node_line);
    s->node_line_n = 0;
    if (s->cfg->plain)
        return;
    dt_write_lit(&w, "Dualtone-Node: ");
    dt_write_hex(&w, cluster(s), 16);
    dt_write_lit(&w, ";node=");
    write_node_name(s, &w);
    dt_writef(&w, ";boot=%u\r\n", (unsigned)s->boot);
    s->node_line_n = w.err ? 0 : w.n;
}

void dt__self_init(struct dt_self *s, const struct dt_proxy_config *cfg, uint64_t id, uint32_t boot)
{
    *s = (struct dt_self){.cfg = cfg, .cluster_id = id, .boot = boot};
    for (size_t i = 0; i < cfg->listen.n && s->n < DT_SELF_LISTEN_MAX; i++)
        if (!dt__self_listen_parse(&s->listen[s->n].addr, cfg->listen.items[i]))
            s->n++;
    if (cfg->cluster_address.n && dt_addr_parse(&s->cluster, cfg->cluster_address))
        s->cluster = (struct dt_addr){.family = 0};
    write_all_sent_by(s);
    write_node_line(s);
}

bool dt__self_up(struct dt_self *s, const struct dt_addr *local)
{
    bool all = true, news = false;
    for (size_t i = 0; i < s->n; i++) {
        struct dt_self_listen *l = &s->listen[i];
        bool same = l->addr.transport == local->transport && dt_addr_ip_eq(&l->addr, local) &&
                    (!l->addr.port || l->addr.port == local->port);
        if (same && !l->up && !news) {
            l->addr.port = local->port;
            l->up = news = true;
        }
        all = all && l->up;
    }
    write_all_sent_by(s);
    write_node_line(s);
    s->all_up = all;
    return all && news;
}

/* ---- which hosts are we ---- */

static bool is_our_port(const struct dt_self *s, uint16_t port)
{
    if (!port)
        return true;
    for (size_t i = 0; i < s->n; i++)
        if (s->listen[i].addr.port == port)
            return true;
    return is_number(&s->cluster) && s->cluster.port == port;
}

static bool is_our_name(const struct dt_self *s, struct dt_str host)
{
    const struct dt_proxy_config *cfg = s->cfg;
    if (dt_str_ieq(host, cfg->domain) || (cfg->name.n && dt_str_ieq(host, cfg->name)) ||
        (cfg->cluster_address.n && dt_str_ieq(host, cfg->cluster_address)))
        return true;
    for (size_t i = 0; i < cfg->aliases.n; i++)
        if (dt_str_ieq(host, cfg->aliases.items[i]))
            return true;
    return false;
}

static bool is_our_ip(const struct dt_self *s, const struct dt_addr *ip,
                      const struct dt_addr *local)
{
    if (local && dt_addr_ip_eq(ip, local))
        return true;
    if (is_number(&s->cluster) && dt_addr_ip_eq(ip, &s->cluster))
        return true;
    for (size_t i = 0; i < s->n; i++)
        if (dt_addr_ip_eq(ip, &s->listen[i].addr))
            return true;
    return false;
}

/* The other nodes of the cluster: Route entries with their addresses are ours too (R4). */
static bool is_peer(const struct dt_self *s, const struct dt_addr *a)
{
    for (size_t i = 0; i < s->cfg->peers.n; i++) {
        struct dt_addr peer;
        if (dt_addr_parse(&peer, s->cfg->peers.items[i]) || !dt_addr_ip_eq(&peer, a))
            continue;
        uint16_t port = peer.port ? peer.port : port_of(s, DT_UDP);
        if (!a->port || a->port == port)
            return true;
    }
    return false;
}

bool dt__self_is(const struct dt_self *s, struct dt_str host, uint16_t port,
                 const struct dt_addr *local)
{
    struct dt_addr ip;
    if (is_our_name(s, host))
        return is_our_port(s, port);
    if (dt_addr_parse(&ip, host))
        return false;
    ip.port = port;
    return (is_our_ip(s, &ip, local) && is_our_port(s, port)) || is_peer(s, &ip);
}

bool dt__self_is_sent_by(const struct dt_self *s, struct dt_str sent_by)
{
    for (unsigned t = 0; t < DT_SELF_TRANSPORTS; t++)
        if (s->sent_by_n[t] && dt_str_ieq(dt__self_sent_by(s, t), sent_by))
            return true;
    return false;
}

/* ---- sockets and routes ---- */

void dt__self_write_route(const struct dt_self *s, struct dt_writer *w, const struct dt_addr *local)
{
    const struct dt_addr *ip = local;
    dt_write_lit(w, "sip:");
    if (s->cfg->name.n) {
        dt_write(w, s->cfg->name);
    } else {
        if (dt_addr_is_any(local) && is_number(&s->cluster))
            ip = &s->cluster;
        dt_addr_write_ip(w, ip, true);
    }
    dt_write_char(w, ':');
    dt_write_u64(w, local->port);
    if (local->transport == DT_TCP)
        dt_write_lit(w, ";transport=tcp");
}

static bool fits(const struct dt_addr *local, const struct dt_addr *remote)
{
    return local->family == remote->family && local->transport == remote->transport;
}

int dt__self_local(const struct dt_self *s, const struct dt_addr *remote,
                   const struct dt_addr *prefer, struct dt_addr *out)
{
    if (prefer && prefer->port && fits(prefer, remote)) {
        *out = *prefer;
        return DT_OK;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (!fits(&s->listen[i].addr, remote))
            continue;
        *out = s->listen[i].addr;
        return DT_OK;
    }
    return DT_E_UNREACHABLE;
}

bool dt__self_has(const struct dt_self *s, unsigned transport, unsigned family)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->listen[i].addr.transport == transport &&
            (!family || s->listen[i].addr.family == family))
            return true;
    return false;
}

bool dt__addr_forbidden(const struct dt_addr *a)
{
    if (!a->family || !a->port || dt_addr_is_any(a))
        return true;
    if (a->family == 4)
        return a->ip[0] >= 224 ||
               a->ip[0] == 0; /* multicast, reserved, broadcast; "this network" */
    return a->ip[0] == 0xff;
}
