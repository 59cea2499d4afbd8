/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The guide's phone as a node: lines, keys (commands), screen; calls and registrations by ua. Sound
 * is another node (media.h) that it directs by lines of text. */
#ifndef PHONE_PHONE_H
#define PHONE_PHONE_H

#include "dualtone/conf.h"
#include "dualtone/node.h"
#include "dualtone/reach.h"

enum { DT_PHONE_LINES = 6 }; /* a 7960 */

struct dt_phone_line_config {
    struct dt_str name, shortname, authname, password, displayname; /* lineN_* */
    struct dt_str proxy; /* proxyN_address; empty: line 1's */
    int64_t proxy_port;  /* proxyN_port */
};
/* Choices of proxy_transport, in the order of the row. */
enum dt_phone_transport { DT_PHONE_AUTO, DT_PHONE_UDP, DT_PHONE_TCP };
/* The guide's parameters (guide/configuration.md); rows in config.c. */
struct dt_phone_config {
    struct dt_phone_line_config lines[DT_PHONE_LINES];
    struct dt_str proxy_backup, proxy_emergency, outbound_proxy;
    int64_t proxy_backup_port, proxy_emergency_port, outbound_proxy_port;
    int64_t proxy_register, proxy_register_backup;        /* the latter is ours */
    int64_t proxy_failover;                               /* ours: enum dt_reach_policy */
    int64_t timer_register_expires, timer_register_delta; /* s */
    int64_t timer_t1, timer_t2;                           /* ms */
    int64_t timer_invite_expires;                         /* s */
    int64_t sip_invite_retx, sip_retx;
    int64_t rfc_2543_hold, preferred_codec, user_info, call_waiting, callerid_blocking;
    int64_t dnd_control, anonymous_call_block;
    int64_t voip_control_port, start_media_port, end_media_port;
    int64_t tos_media;
    int64_t sip_tcp;         /* ours: 1 listens on TCP too */
    int64_t proxy_transport; /* ours: enum dt_phone_transport */
    struct dt_str dns[2];    /* dyn_dns_addr_N: the host asks these */
    struct dt_str phone_label;
    struct dt_str line_domain; /* ours: the host part of our addresses of record, the same at each
                                  proxy; empty: the line's proxy address */
    bool plain; /* no option: for the simulation of phones that are not ours (dt_ua_config) */
    union {
        struct dt_str text;
        int64_t number;
    } not_used; /* parameters that are checked, and not yet acted on, end here */
};
enum { DT_PHONE_OPTIONS = 96 };                   /* rows; for who needs a constant */
extern const struct dt_option dt_phone_options[]; /* also parameters that are known, not yet used */
extern const size_t dt_phone_options_n;
/* Checks what rows cannot: a line has a name, registration has somewhere to go, timers and ports
 * fit each other. Adds problems; DT_OK, or DT_E_SYNTAX if one of them is fatal. */
int dt_phone_config_check(const struct dt_phone_config *cfg, struct dt_problems *problems);
/* Is the parameter acted on? False: known, not yet used. */
bool dt_phone_option_used(const struct dt_option *o);
/* For `dualtone check`: adds "NAME is known, not yet used" (not fatal), with its place, for each
 * such parameter that `text` sets. */
void dt_phone_config_unused(struct dt_str file, struct dt_str text, struct dt_problems *problems);

struct dt_phone;
/* `local`: the phone's IP address (its port 0: voip_control_port). `cfg`'s texts must outlive it.
 */
struct dt_phone *dt_phone_new(const struct dt_phone_config *cfg, const struct dt_addr *local,
                              struct dt_env *env);
void dt_phone_free(struct dt_phone *p);
/* The text of the last KNOWN event of an earlier run (R20), before the first input; anything else
 * is passed over. */
void dt_phone_remember(struct dt_phone *p, dt_time now, struct dt_str text);
extern const struct dt_node_ops dt_phone_node; /* the node is a struct dt_phone */

/* Commands (DT_IN_COMMAND, channel USER), one a line; the table is in commands.c: dial NUMBER|URI
 * [line N], answer [CALL], reject [CALL], hangup [CALL], hold [CALL], resume [CALL], show,
 * quit [idle] (idle: when the calls have ended), help. Each gets a REPLY or PROBLEM event. Events:
 * SCREEN (status line), CALL ("STATE peer"; STATE is calling, ringing, answering, talking, holding,
 * held, ending or ended), REGISTRATION ("registered 1001 at 127.0.0.1:5060", "not registered ..."),
 * MEDIA (orders), KNOWN (which proxies are twins, when that changes), READY when listening (and
 * after the first registrations are done or failed), QUIT after `quit` when calls have ended and
 * bindings are removed (or 2 s passed), and with code 1 when the phone cannot listen, or every
 * registration was refused for its credentials. */

/* On channel WHY: "N why [call [WHICH] | target [WHICH]]", N from 0 to 2^32 - 1. The answer is one
 * WHY event for N with a JSON document: what there is of it, or {"error": "a sentence"}. */

/* Objects under way (transactions, calls, timers), for I36. */
unsigned dt_phone_objects(const struct dt_phone *p);

#endif
