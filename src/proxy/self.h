/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who this proxy is: the addresses it listens on, what it writes into Via (design.md R1) and
 * Record-Route (R4), and which hosts in URIs mean it or its cluster. */
#ifndef PROXY_SELF_H
#define PROXY_SELF_H

#include "dualtone/uri.h"
#include "proxy/proxy.h"

enum {
    DT_SELF_LISTEN_MAX = 16,
    DT_SENT_BY_MAX = 264, /* a host name of 255 bytes, and a port */
    DT_SELF_TRANSPORTS = 2,
    DT_SELF_NAME_MAX = 64,
    DT_SELF_NODE_MAX = 160
};

struct dt_self_listen {
    struct dt_addr addr;
    bool up;
};

struct dt_self {
    const struct dt_proxy_config *cfg;
    struct dt_self_listen listen[DT_SELF_LISTEN_MAX];
    size_t n;
    bool all_up;            /* all of `listen` hold */
    struct dt_addr cluster; /* family 0: cluster_address is a name, or not set */
    char sent_by[DT_SELF_TRANSPORTS][DT_SENT_BY_MAX]; /* by enum dt_transport; empty: none */
    size_t sent_by_n[DT_SELF_TRANSPORTS];
    uint64_t cluster_id; /* made from the key */
    uint32_t boot;       /* of this run (R17) */
    char node_line[DT_SELF_NODE_MAX];
    size_t node_line_n;
};

/* "udp:192.0.2.10:5060" (port 5060 when none is given). DT_OK or DT_E_SYNTAX. */
int dt__self_listen_parse(struct dt_addr *out, struct dt_str word);

/* From the configuration, which has been checked. `id` is the cluster's (equal on all nodes, tells
 * nothing of the key), `boot` differs from run to run. */
void dt__self_init(struct dt_self *s, const struct dt_proxy_config *cfg, uint64_t id,
                   uint32_t boot);
/* A socket holds: its port may have been chosen by the system. Returns true when the last one came
 * up just now. */
bool dt__self_up(struct dt_self *s, const struct dt_addr *local);

/* Does this host (and port; 0: none given) mean us, our domain, or our cluster? `local` (may be
 * NULL) is the socket that a message came in by, which counts too when we listen on a wildcard. */
bool dt__self_is(const struct dt_self *s, struct dt_str host, uint16_t port,
                 const struct dt_addr *local);
static inline bool dt__self_is_uri(const struct dt_self *s, const struct dt_uri *u,
                                   const struct dt_addr *local)
{
    return (u->scheme == DT_URI_SIP || u->scheme == DT_URI_SIPS) &&
           dt__self_is(s, u->host, u->port, local);
}

/* R1: the sent-by for a transport, the same text on every node of the cluster. */
static inline struct dt_str dt__self_sent_by(const struct dt_self *s, unsigned transport)
{
    return (struct dt_str){s->sent_by[transport], s->sent_by_n[transport]};
}
/* R17: the header line "Dualtone-Node: CLUSTER;node=N;boot=M". */
static inline struct dt_str dt__self_node_line(const struct dt_self *s)
{
    return (struct dt_str){s->node_line, s->node_line_n};
}
/* Is this Via's sent-by ours? */
bool dt__self_is_sent_by(const struct dt_self *s, struct dt_str sent_by);
/* R4: writes the URI for Record-Route without its brackets, up to the parameters: the cluster's
 * name, or the address that the socket `local` has. */
void dt__self_write_route(const struct dt_self *s, struct dt_writer *w,
                          const struct dt_addr *local);
/* The socket to send to `remote` by: `prefer` if it fits, else the first that does. DT_OK or
 * DT_E_UNREACHABLE. */
int dt__self_local(const struct dt_self *s, const struct dt_addr *remote,
                   const struct dt_addr *prefer, struct dt_addr *out);
/* Is there a socket of this kind? */
bool dt__self_has(const struct dt_self *s, unsigned transport, unsigned family);

/* I23: an address that nothing is ever sent to: 0.0.0.0, broadcast, multicast, port 0. */
bool dt__addr_forbidden(const struct dt_addr *a);

#endif
