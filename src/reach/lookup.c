/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 3263 4.1 (transport), 4.2 (port and address), RFC 2782 (SRV), RFC 7984 and 8305 (order of
 * families). There are no loops: NAPTR leads to SRV, SRV to addresses, and to nothing else; CNAMEs
 * are the name server's business. */
#include <string.h>

#include "reach/lookup.h"
#include "reach/order.h"

enum { SIP_PORT = 5060, NAPTR_MAX = 8, SRV_MAX = 16, QUESTIONS_MAX = 48, ADDRESSES_MAX = 16 };

/* Services that we can use (RFC 3263 4.1, 10), and what to ask where there is no NAPTR. TLS and
 * SCTP are none of them. The order is ours where the RFC leaves it open: UDP first. */
static const struct service {
    const char *naptr, *srv;
    enum dt_transport transport;
} services[] = {
    {"SIP+D2U", "_sip._udp.", DT_UDP},
    {"SIP+D2T", "_sip._tcp.", DT_TCP},
};
enum { SERVICES = sizeof services / sizeof services[0] };

static bool is_usable(const struct lookup *l, const struct service *s)
{
    if (l->where.transport_given)
        return s->transport == l->where.transport;
    return s->transport == DT_UDP || l->cfg->tcp;
}

/* An answer, or NULL: it is awaited, or there is none. */
static struct dns_name *get(struct lookup *l, struct dt_str name, enum dt_dns_type type)
{
    int err;
    if (l->questions >= QUESTIONS_MAX)
        return NULL;
    l->questions++;
    struct dns_name *e = dt__dns_cache_get(l->cache, l->now, l->since, name, type, &err);
    if (!e && err != DT_E_SYNTAX)
        l->err = err; /* a bad name inside an answer is as good as none */
    if (e && e->state == DNS_ASKED) {
        l->blocked_on = e;
        return NULL;
    }
    if (e && e->status == DT_DNS_FAILED && !l->err)
        l->err = DT_E_TIMEOUT;
    return e && e->status == DT_DNS_FOUND ? e : NULL;
}

/* ---- addresses ---- */

static void add_target(struct lookup *l, const struct dt_addr *a)
{
    for (size_t i = 0; i < l->n; i++)
        if (dt_addr_eq(&l->targets[i], a))
            return;
    if (l->n < DT_TARGETS_MAX)
        l->targets[l->n++] = *a;
}

static void add_record(struct lookup *l, const struct dt_dns_record *r, uint16_t port,
                       enum dt_transport transport)
{
    bool v6 = r->type == DT_DNS_AAAA;
    struct dt_addr a = {.port = port, .transport = (uint8_t)transport};
    a.family = v6 ? 6 : 4;
    memcpy(a.ip, r->ip, v6 ? 16 : 4);
    if (!dt_addr_is_any(&a)) /* never sent to (I23) */
        add_target(l, &a);
}

/* As a URI may have it: with a colon too many before an embedded IPv4 address (RFC 5118 4.10). */
static bool is_number(struct dt_str host, struct dt_addr *out)
{
    const struct dt_uri uri = {.scheme = DT_URI_SIP, .host = host};
    return (dt_addr_parse(out, host) == DT_OK && out->port == 0) || !dt_uri_addr(&uri, out);
}

/* A number in place of a name: true if it was one. */
static bool find_number(struct lookup *l, struct dt_str host, uint16_t port,
                        enum dt_transport transport)
{
    struct dt_addr a;
    if (!is_number(host, &a))
        return false;
    a.port = port;
    a.transport = (uint8_t)transport;
    if (dt_addr_is_any(&a) || (a.family == 6 ? !l->cfg->v6 : !l->cfg->v4))
        l->err = DT_E_UNREACHABLE;
    else
        add_target(l, &a);
    return true;
}

/* Both families by turns, IPv6 first (RFC 8305 4), so that a broken one costs one step only. */
static void find_addresses(struct lookup *l, struct dt_str host, uint16_t port,
                           enum dt_transport transport)
{
    if (find_number(l, host, port, transport))
        return;
    const struct dns_name *six = l->cfg->v6 ? get(l, host, DT_DNS_AAAA) : NULL;
    const struct dns_name *four = l->cfg->v4 ? get(l, host, DT_DNS_A) : NULL;
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        if (six && i < six->n_records)
            add_record(l, &six->records[i], port, transport);
        if (four && i < four->n_records)
            add_record(l, &four->records[i], port, transport);
    }
}

/* ---- SRV ---- */

/* True if there are SRV records, also if they say that there is no such service (target "."). */
static bool find_srv(struct lookup *l, struct dt_str name, enum dt_transport transport)
{
    const struct dt_dns_record *order[SRV_MAX];
    const struct dns_name *e = get(l, name, DT_DNS_SRV);
    if (!e)
        return false;
    size_t n = e->n_records < SRV_MAX ? e->n_records : SRV_MAX;
    for (size_t i = 0; i < n; i++)
        order[i] = &e->records[i];
    dt__order_srv(order, n, &l->cache->env->rng);
    for (size_t i = 0; i < n; i++)
        if (order[i]->target.n > 0 && order[i]->port != 0)
            find_addresses(l, order[i]->target, order[i]->port, transport);
    return true;
}

/* The SRV records of the domain itself, for each transport that we can use. */
static bool find_services(struct lookup *l)
{
    bool found = false;
    for (size_t i = 0; i < SERVICES; i++) {
        char name[DNS_NAME_MAX];
        struct dt_writer w = dt_writer(name, sizeof name);
        if (!is_usable(l, &services[i]))
            continue;
        dt_write_z(&w, services[i].srv);
        dt_write(&w, l->where.host);
        if (!w.err && find_srv(l, dt_writer_str(&w), services[i].transport))
            found = true;
    }
    return found;
}

/* ---- NAPTR ---- */

static const struct service *service_of(const struct lookup *l, const struct dt_dns_record *r)
{
    if (!dt_str_ieq(r->flags, DT_STR("s")) || r->target.n == 0)
        return NULL;
    for (size_t i = 0; i < SERVICES; i++)
        if (is_usable(l, &services[i]) && dt_str_ieq(r->service, dt_str_z(services[i].naptr)))
            return &services[i];
    return NULL;
}

/* True if a usable NAPTR record leads to SRV records. */
static bool find_naptr(struct lookup *l)
{
    const struct dt_dns_record *order[NAPTR_MAX];
    const struct dns_name *e = get(l, l->where.host, DT_DNS_NAPTR);
    size_t n = 0;
    bool found = false;
    for (size_t i = 0; e && i < e->n_records && n < NAPTR_MAX; i++)
        if (service_of(l, &e->records[i]))
            order[n++] = &e->records[i];
    dt__order_naptr(order, n);
    for (size_t i = 0; i < n; i++)
        if (find_srv(l, order[i]->target, service_of(l, order[i])->transport))
            found = true;
    return found;
}

/* ---- all ---- */

static enum dt_transport transport_of(const struct lookup *l)
{
    return l->where.transport_given ? l->where.transport : DT_UDP;
}

/* RFC 3263 4.2 in its order. Each step is asked only when the one before is fully answered. A step
 * whose servers failed counts as empty: a call by an address that may be second best is better than
 * none. */
static void walk(struct lookup *l)
{
    struct dt_addr number;
    struct dt_str host = l->where.host;
    if (transport_of(l) == DT_TCP && !l->cfg->tcp) {
        l->err = DT_E_UNSUPPORTED;
        return;
    }
    if (l->where.port != 0 || is_number(host, &number)) {
        find_addresses(l, host, l->where.port ? l->where.port : SIP_PORT, transport_of(l));
        return;
    }
    if (!l->where.transport_given && (find_naptr(l) || l->blocked_on))
        return;
    if (find_services(l) || l->blocked_on)
        return;
    find_addresses(l, host, SIP_PORT, transport_of(l));
}

void dt__lookup_run(struct lookup *l)
{
    l->cache->round++;
    l->n = 0;
    l->err = DT_OK;
    l->blocked_on = NULL;
    l->questions = 0;
    walk(l);
    if (l->err == DT_E_NOMEM || l->err == DT_E_LIMIT)
        l->blocked_on = NULL; /* what could not be asked will not be answered */
    if (l->blocked_on || l->n > 0)
        l->err = DT_OK;
    else if (!l->err)
        l->err = DT_E_ABSENT;
}
