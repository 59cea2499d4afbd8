/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parties of the little network do: dial, ring, answer, hang up. */
#include "ua_kit.h"

#include <stdio.h>

static const struct dt_codec codecs[] = {{{"PCMU", 4}, 8000, 0, 1}, {{"PCMA", 4}, 8000, 8, 1}};

struct dt_media_caps net_caps(const struct net_party *p)
{
    struct dt_media_caps caps = {.local = p->addr, .codecs = codecs, .n = 2};

    caps.local.port = 16384;
    return caps;
}

static struct dt_server server(const struct net_party *p)
{
    static char hosts[NET_PARTIES][DT_ADDR_TEXT_MAX];
    char *text = p ? hosts[p->addr.ip[3] - 1] : NULL;
    struct dt_addr bare;

    if (!p)
        return (struct dt_server){.port = 0};
    bare = p->addr;
    bare.port = 0;
    snprintf(text, DT_ADDR_TEXT_MAX, "192.0.2.%u", bare.ip[3]);
    return (struct dt_server){.host = dt_str_z(text), .port = 5060};
}

void net_outgoing(struct dt_outgoing *o, struct net_party *a, const char *target,
                  struct net_party *primary, struct net_party *backup)
{
    *o = (struct dt_outgoing){
        .identity = {.user = DT_STR("alice"),
                     .domain = DT_STR("example.com"),
                     .display = DT_STR("Alice"),
                     .credentials = {DT_STR("alice"), DT_STR("secret")}},
        .target = dt_str_z(target),
        .primary = server(primary),
        .backup = server(backup),
        .media = net_caps(a),
    };
}

int net_call(struct net *n, struct net_party *a, const struct dt_outgoing *o)
{
    int err = dt_ua_call(a->ua, n->now, o, &a->call);

    a->alive = err == DT_OK && (dt_ua_view(a->ua, a->call, &(struct dt_call_view){0}) == DT_OK);
    a->state = DT_CALL_CALLING;
    net_settle(n);
    return err;
}

int net_dial(struct net *n, struct net_party *a, struct net_party *b, struct net_party *primary,
             struct net_party *backup)
{
    struct dt_outgoing o;
    char target[100], addr[DT_ADDR_TEXT_MAX];

    snprintf(target, sizeof(target), "sip:bob@%s", dt_addr_text(&b->addr, addr));
    net_outgoing(&o, a, target, primary, backup);
    return net_call(n, a, &o);
}

void net_ring(struct net *n, struct net_party *p)
{
    (void)dt_ua_ring(p->ua, n->now, p->call);
    net_drain(n, p);
}

void net_answer(struct net *n, struct net_party *p)
{
    struct dt_media_caps caps = net_caps(p);

    (void)dt_ua_answer(p->ua, n->now, p->call, &caps);
    net_drain(n, p);
}

void net_reject(struct net *n, struct net_party *p, int status)
{
    (void)dt_ua_reject(p->ua, n->now, p->call, status, DT_STR_NONE);
    net_drain(n, p);
}

void net_hangup(struct net *n, struct net_party *p)
{
    (void)dt_ua_hangup(p->ua, n->now, p->call);
    net_drain(n, p);
}

void net_hold(struct net *n, struct net_party *p, bool hold)
{
    (void)dt_ua_hold(p->ua, n->now, p->call, hold);
    net_drain(n, p);
}
