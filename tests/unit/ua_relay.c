/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A stateless proxy with Record-Route for the little network. */
#include "ua_kit.h"

#include <stdio.h>

static struct net_party *target_of(struct net *n, const struct dt_sip_msg *m, unsigned routes)
{
    struct dt_addr addr;
    struct net_party *p;

    if (routes == 0 && !m->to.tag.n)
        return NULL;
    if (dt_uri_addr(&m->uri, &addr) != DT_OK)
        return NULL;
    p = net_party_at(n, &addr);
    return p;
}

static void relay_request(struct net *n, struct net_party *self, const struct dt_sip_msg *m)
{
    struct dt_sip_edits e;
    struct dt_bytes *bytes;
    struct net_party *to;
    char via[200], rr[100], addr[DT_ADDR_TEXT_MAX];
    unsigned routes = dt_sip_first(m, DT_H_ROUTE) ? 1 : 0;

    dt_addr_text(&self->addr, addr);
    snprintf(via, sizeof(via), "SIP/2.0/UDP %s;branch=z9hG4bKr%s%.*s", addr, self->name,
             DT_FMT(m->via.branch));
    snprintf(rr, sizeof(rr), "<sip:%s;lr>", addr);
    dt_sip_edits_init(&e, m);
    dt_sip_edit_push(&e, DT_H_VIA, dt_str_z(via));
    if (m->method == DT_INVITE && !m->to.tag.n)
        dt_sip_edit_push(&e, DT_H_RECORD_ROUTE, dt_str_z(rr));
    if (routes)
        dt_sip_edit_pop(&e, DT_H_ROUTE, 1);
    to = target_of(n, m, routes);
    if (!to)
        to = self->next;
    assert_int_equal(dt_sip_forward(&e, &dt_alloc_libc, &bytes), DT_OK);
    net_send_bytes(n, self, to, bytes);
    dt_bytes_drop(bytes);
}

static void relay_response(struct net *n, struct net_party *self, const struct dt_sip_msg *m)
{
    struct dt_sip_edits e;
    struct dt_sip_values it = dt_sip_values(m, DT_H_VIA);
    struct dt_str value;
    struct dt_via via;
    struct dt_addr addr;
    struct dt_bytes *bytes;

    if (m->status == 100)
        return; /* hop by hop */
    dt_sip_values_next(&it, &value);
    if (!dt_sip_values_next(&it, &value) || dt_sip_via(&via, value) != DT_OK ||
        dt_via_response_addr(&via, &addr) != DT_OK || !net_party_at(n, &addr))
        return;
    dt_sip_edits_init(&e, m);
    dt_sip_edit_pop(&e, DT_H_VIA, 1);
    assert_int_equal(dt_sip_forward(&e, &dt_alloc_libc, &bytes), DT_OK);
    net_send_bytes(n, self, net_party_at(n, &addr), bytes);
    dt_bytes_drop(bytes);
}

static void relay(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                  struct net_party *from)
{
    if (m->request && m->method == DT_INVITE && !m->to.tag.n)
        net_respond(n, self, from, m, 100, NULL, NULL, NULL);
    if (m->request)
        relay_request(n, self, m);
    else
        relay_response(n, self, m);
}

struct net_party *net_relay(struct net *n, const char *name, struct net_party *next)
{
    struct net_party *p = net_script(n, name, relay);

    p->next = next;
    return p;
}
