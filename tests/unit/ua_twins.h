/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A caller that knows two proxies of one cluster, for the ladders of the other path. */
#ifndef UA_TWINS_H
#define UA_TWINS_H

#include "ua_kit.h"

#include <stdio.h>
#include <string.h>

static struct net net;

struct world {
    struct net_party *a, *p, *t;
};

static inline void enroll(struct net_party *a, const char *host)
{
    struct dt_registration r = {
        .identity = {.user = DT_STR("alice"), .domain = DT_STR("example.com")},
        .registrar = {.host = dt_str_z(host), .port = 5060},
        .expires = 36000};

    assert_int_equal(dt_ua_register(a->ua, net.now, &r, &a->reg), DT_OK);
    net_settle(&net);
}

/* A knows both proxies from its registrations. Times count from there: the call is at 1000. */
static inline struct world open_world(const struct dt_ua_config *cfg)
{
    struct dt_ua_config c = cfg ? *cfg : (struct dt_ua_config){.fast = true};
    struct world w;

    c.fast = true;
    net_init(&net);
    w.a = net_ua(&net, "A", &c);
    w.p = net_node(&net, "P", NULL);
    w.t = net_node(&net, "T", NULL);
    net.no_probes = true;
    enroll(w.a, "192.0.2.2");
    enroll(w.a, "192.0.2.3");
    assert_true(w.a->registered);
    net_until(&net, 1000);
    net_hush(&net);
    return w;
}

static inline void dial(struct world *w)
{
    struct dt_outgoing o;

    net_outgoing(&o, w->a, "sip:bob@example.com", w->p, w->t);
    o.policy = DT_REACH_FAST;
    assert_int_equal(net_call(&net, w->a, &o), DT_OK);
}

static inline void say_plan(struct net_party *p, int a, int b, int c)
{
    p->plan[0] = a;
    p->plan[1] = b;
    p->plan[2] = c;
}

/* Everything that is left ends by itself. */
static inline void close_world(struct world *w)
{
    w->p->dead = w->t->dead = false;
    net_until(&net, net.now / DT_MS + 1);
    if (w->a->alive)
        net_hangup(&net, w->a);
    net_quiet_end(&net);
    net_free(&net);
}

#endif
