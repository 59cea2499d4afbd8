/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Proxies of a cluster for the little network: without a state, as design.md R1, R2, R4 and R17
 * have it, so that any of them can do again what another has done. */
#include "ua_kit.h"

#include <stdio.h>
#include <string.h>

static void name_line(const struct net_party *p, char *line, size_t cap)
{
    line[0] = '\0';
    if (p->node)
        snprintf(line, cap, "Dualtone-Node: %s;node=%s;boot=%u\r\n", p->cluster, p->node, p->boot);
}

/* Of itself: 100, OPTIONS, REGISTER (R17). */
static void answer_itself(struct net *n, struct net_party *self, struct net_party *to,
                          const struct dt_sip_msg *m, int status)
{
    char line[128];

    name_line(self, line, sizeof(line));
    net_respond(n, self, to, m, status, status > 100 ? self->name : NULL, line, NULL);
}

void net_node_says(struct net *n, struct net_party *node, struct net_party *a, int status,
                   const char *tag)
{
    if (status == 100)
        answer_itself(n, node, a, node->invite, 100);
    else
        net_respond(n, node, a, node->invite, status, tag, NULL, status == 200 ? net_sdp : NULL);
}

static void invited(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                    struct net_party *from)
{
    dt_sip_msg_drop(self->invite);
    self->invite = dt_sip_msg_keep(&dt_alloc_libc, m);
    for (int i = 0; i < NET_PLAN && self->plan[i]; i++)
        net_node_says(n, self, from, self->plan[i], "callee");
}

/* The callee behind it, as far as a plan has it. */
static void callee(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                   struct net_party *from)
{
    switch (m->method) {
    case DT_INVITE:
        invited(n, self, m, from);
        break;
    case DT_CANCEL:
        net_respond(n, self, from, m, 200, "callee", NULL, NULL);
        if (self->invite)
            net_node_says(n, self, from, 487, "callee");
        break;
    case DT_BYE:
        net_respond(n, self, from, m, 200, NULL, NULL, NULL);
        break;
    default:
        break;
    }
}

/* R2: a branch that is the same at each node; R1: one sent-by. R4: the Route of any node is ours.
 */
static void forward(struct net *n, struct net_party *self, const struct dt_sip_msg *m)
{
    struct dt_sip_edits e;
    struct dt_bytes *bytes;
    struct dt_addr target;
    struct net_party *to = self->next;
    char via[200], rr[100], addr[DT_ADDR_TEXT_MAX];

    snprintf(via, sizeof(via), "SIP/2.0/UDP cluster.test;rport;branch=z9hG4bKc%.*s",
             DT_FMT(m->via.branch));
    snprintf(rr, sizeof(rr), "<sip:%s;lr>", dt_addr_text(&self->addr, addr));
    dt_sip_edits_init(&e, m);
    dt_sip_edit_push(&e, DT_H_VIA, dt_str_z(via));
    if (m->method == DT_INVITE && !m->to.tag.n)
        dt_sip_edit_push(&e, DT_H_RECORD_ROUTE, dt_str_z(rr));
    if (dt_sip_first(m, DT_H_ROUTE))
        dt_sip_edit_pop(&e, DT_H_ROUTE, 1);
    if (m->to.tag.n && dt_uri_addr(&m->uri, &target) == DT_OK && net_party_at(n, &target))
        to = net_party_at(n, &target);
    assert_int_equal(dt_sip_forward(&e, &dt_alloc_libc, &bytes), DT_OK);
    net_send_bytes(n, self, to, bytes);
    dt_bytes_drop(bytes);
}

/* R5: by the next Via. */
static void back(struct net *n, struct net_party *self, const struct dt_sip_msg *m)
{
    struct dt_sip_edits e;
    struct dt_sip_values it = dt_sip_values(m, DT_H_VIA);
    struct dt_str value;
    struct dt_via via;
    struct dt_addr addr;
    struct dt_bytes *bytes;

    if (m->status == 100 || !dt_sip_values_next(&it, &value) || !dt_sip_values_next(&it, &value) ||
        dt_sip_via(&via, value) != DT_OK || dt_via_response_addr(&via, &addr) != DT_OK ||
        !net_party_at(n, &addr))
        return;
    dt_sip_edits_init(&e, m);
    dt_sip_edit_pop(&e, DT_H_VIA, 1);
    assert_int_equal(dt_sip_forward(&e, &dt_alloc_libc, &bytes), DT_OK);
    net_send_bytes(n, self, net_party_at(n, &addr), bytes);
    dt_bytes_drop(bytes);
}

static void node(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                 struct net_party *from)
{
    if (!m->request) {
        back(n, self, m);
        return;
    }
    self->got++;
    if (m->method == DT_OPTIONS || m->method == DT_REGISTER) {
        self->probes += m->method == DT_OPTIONS;
        answer_itself(n, self, from, m, 200);
        return;
    }
    if (!self->next) {
        callee(n, self, m, from);
        return;
    }
    if (m->method == DT_INVITE && !m->to.tag.n)
        answer_itself(n, self, from, m, 100);
    forward(n, self, m);
}

struct net_party *net_node(struct net *n, const char *name, struct net_party *next)
{
    struct net_party *p = net_script(n, name, node);

    p->next = next;
    p->cluster = "C";
    p->node = name;
    p->boot = 1;
    return p;
}
