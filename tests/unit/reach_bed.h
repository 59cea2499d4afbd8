/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A resolver between a test and a name server made of rows. */
#ifndef REACH_BED_H
#define REACH_BED_H

#include <stdio.h>
#include <string.h>

#include "testkit.h"
#include "dualtone/reach.h"

/* ---- zones ---- */

struct zone {
    const char *name;
    enum dt_dns_type type;
    uint16_t order, weight, port;
    const char *target;  /* SRV, NAPTR; A and AAAA: the address */
    const char *service; /* NAPTR; its flag is "s" unless it begins with '!' */
    uint32_t ttl;        /* 0: 300 */
};

#define A(name, ip) \
    { \
        name, DT_DNS_A, 0, 0, 0, ip, NULL, 0 \
    }
#define AAAA(name, ip) \
    { \
        name, DT_DNS_AAAA, 0, 0, 0, ip, NULL, 0 \
    }
#define SRV(name, prio, weight, port, target) \
    { \
        name, DT_DNS_SRV, prio, weight, port, target, NULL, 0 \
    }
#define NAPTR(name, order, pref, service, target) \
    { \
        name, DT_DNS_NAPTR, order, pref, 0, target, service, 0 \
    }

enum { ZONE_MAX = 24, SCRIPT_ROUNDS = 64 };

static inline struct dt_dns_record record_of(const struct zone *z)
{
    struct dt_dns_record r = {.type = z->type,
                              .ttl = z->ttl ? z->ttl : 300,
                              .order = z->order,
                              .weight = z->weight,
                              .port = z->port};
    struct dt_addr a;
    if (z->type == DT_DNS_A || z->type == DT_DNS_AAAA) {
        assert_int_equal(dt_addr_parse(&a, dt_str_z(z->target)), DT_OK);
        memcpy(r.ip, a.ip, 16);
        return r;
    }
    r.target = dt_str_z(z->target);
    bool odd = z->service && z->service[0] == '!';
    r.service = dt_str_z(odd ? z->service + 1 : z->service);
    r.flags = odd ? DT_STR("u") : DT_STR("s");
    return r;
}

/* ---- a resolver and its name server ---- */

struct bed {
    struct kit_alloc alloc;
    struct dt_env env;
    struct dt_outbox out;
    struct dt_resolver *resolver;
    const struct zone *zone;
    size_t n_zone;
    bool servers_fail;
    dt_time now;
    unsigned questions;
    char asked[1024];
    /* what was found */
    unsigned founds;
    uint64_t cookie;
    struct dt_addr targets[DT_TARGETS_MAX];
    size_t n;
    int err;
    uint64_t cancel_next; /* `found` cancels this one */
};

static inline void on_found(void *user, dt_time now, uint64_t cookie, const struct dt_addr *targets,
                            size_t n, int err)
{
    struct bed *b = user;
    assert_int_equal(now, b->now);
    b->founds++;
    b->cookie = cookie;
    b->n = n;
    b->err = err;
    if (n > 0)
        memcpy(b->targets, targets, n * sizeof *targets);
    if (b->cancel_next)
        dt_resolver_cancel(b->resolver, b->cancel_next);
}

/* No zones: the names are not known. */
static inline bool bed_init(struct bed *b, const struct dt_resolver_config *cfg, size_t fail_at)
{
    memset(b, 0, sizeof *b);
    kit_alloc_init(&b->alloc);
    b->alloc.fail_at = fail_at;
    dt_env_init(&b->env, 7);
    b->env.alloc = &b->alloc.alloc;
    b->now = 1000 * DT_SECOND;
    dt_outbox_init(&b->out, &b->alloc.alloc);
    b->resolver = dt_resolver_new(cfg, &b->env, &b->out, on_found, b);
    return b->resolver != NULL;
}

static inline void bed_clear(struct bed *b)
{
    dt_resolver_free(b->resolver);
    dt_outbox_clear(&b->out);
    assert_int_equal(b->alloc.live, 0);
}

static inline void answer(struct bed *b, uint32_t id, enum dt_dns_type type, struct dt_str name)
{
    struct dt_dns_record records[ZONE_MAX];
    struct dt_dns_answer a = {.id = id, .type = type, .records = records, .status = DT_DNS_NO_NAME};
    for (size_t i = 0; i < b->n_zone; i++) {
        if (!dt_str_ieq(name, dt_str_z(b->zone[i].name)))
            continue;
        if (b->zone[i].type != type) {
            a.status = a.n > 0 ? DT_DNS_FOUND : DT_DNS_NO_DATA;
            continue;
        }
        if (!b->zone[i].target) {
            a.status = DT_DNS_FAILED;
            break;
        }
        records[a.n++] = record_of(&b->zone[i]);
        a.status = DT_DNS_FOUND;
    }
    if (b->servers_fail)
        a = (struct dt_dns_answer){.id = id, .type = type, .status = DT_DNS_FAILED};
    struct dt_input in = {.kind = DT_IN_DNS, .dns = &a};
    assert_true(dt_resolver_input(b->resolver, b->now, &in));
    assert_false(dt_resolver_input(b->resolver, b->now, &in)); /* once is enough */
}

/* The questions that wait, as "TYPE name", are noted and answered. False if there were none. */
static inline bool serve(struct bed *b)
{
    struct dt_output q[32];
    char names[32][256];
    size_t n = dt_outbox_take(&b->out, q, 32);
    for (size_t i = 0; i < n; i++) {
        const char *type = q[i].dns_type == DT_DNS_A      ? "A"
                           : q[i].dns_type == DT_DNS_AAAA ? "AAAA"
                           : q[i].dns_type == DT_DNS_SRV  ? "SRV"
                                                          : "NAPTR";
        size_t used = strlen(b->asked);
        assert_int_equal(q[i].kind, DT_OUT_RESOLVE);
        snprintf(names[i], sizeof names[i], "%.*s", DT_FMT(q[i].text));
        snprintf(b->asked + used, sizeof b->asked - used, "%s%s %s", used ? ", " : "", type,
                 names[i]);
        b->questions++;
    }
    for (size_t i = 0; i < n; i++) {
        dt_outbox_begin(&b->out);
        answer(b, q[i].dns_id, q[i].dns_type, dt_str_z(names[i]));
    }
    return n > 0;
}

/* Looks up and waits for the end; false if memory failed. */
static inline bool look_up(struct bed *b, const struct dt_where *w)
{
    b->asked[0] = '\0';
    b->founds = 0;
    int got = dt_resolver_find(b->resolver, b->now, w, 42, b->targets, DT_TARGETS_MAX);
    if (got == DT_E_NOMEM)
        return false;
    if (got != 0) {
        b->n = got > 0 ? (size_t)got : 0;
        b->err = got > 0 ? DT_OK : got;
        return true;
    }
    for (int i = 0; i < SCRIPT_ROUNDS && b->founds == 0 && serve(b); i++)
        continue;
    if (b->founds == 0)
        return false;
    assert_int_equal(b->founds, 1);
    assert_int_equal(b->cookie, 42);
    return b->err != DT_E_NOMEM;
}

enum { UDP_ONLY, ALL, V4_ALL };

static const struct dt_resolver_config configs[] = {
    [UDP_ONLY] = {.v4 = true, .v6 = true},
    [ALL] = {.tcp = true, .v4 = true, .v6 = true},
    [V4_ALL] = {.tcp = true, .v4 = true},
};

#endif
