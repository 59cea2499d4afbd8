/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone.conf: a row an option (design.md 7), and what rows cannot check. */
#include "proxy/proxy.h"
#include "proxy/self.h"

#define FIELD(name) offsetof(struct dt_proxy_config, name)
#define TEXT(name, preset, help, source) \
    { \
#name, DT_OPTION_TEXT, FIELD(name), preset, 0, 0, NULL, NULL, 0, 0, help, source \
    }
#define ADDRESS(name, help, source) \
    { \
#name, DT_OPTION_ADDRESS, FIELD(name), NULL, 0, 0, NULL, NULL, 0, 0, help, source \
    }
#define LIST(name, field, help, source) \
    { \
        name, DT_OPTION_LIST, FIELD(field), NULL, 0, 0, NULL, NULL, 0, 0, help, source \
    }
#define NUMBER(name, preset, min, max, unit, help, source) \
    { \
#name, DT_OPTION_NUMBER, FIELD(name), preset, min, max, unit, NULL, 0, 0, help, source \
    }

#define CHOICE(name, preset, choices, help, source) \
    { \
#name, DT_OPTION_CHOICE, FIELD(name), preset, 0, 0, NULL, choices, 0, 0, help, source \
    }

const struct dt_option dt_proxy_options[] = {
    TEXT(domain, "localhost", "the domain that the proxy is responsible for, and the realm", NULL),
    LIST("alias", aliases, "other names of the domain", NULL),
    LIST("listen", listen, "where to listen: udp:ADDRESS:PORT tcp:ADDRESS:PORT", NULL),
    ADDRESS(cluster_address, "what callees see in Via: the same text on all nodes", "R1"),
    ADDRESS(name, "the cluster's DNS name, in place of cluster_address", "R1, R4"),
    LIST("peer", peers, "addresses of the cluster's other nodes", "R4"),
    TEXT(node, "", "what this node calls itself; empty: its address", "R17"),
    LIST("dns", dns, "name servers: ADDRESS or ADDRESS:PORT; empty: the system's", "RFC 3263"),
    TEXT(key_file, "",
         "the cluster's key; made when missing; a second line verifies only; empty: a new key each "
         "run",
         "R2, R15"),
    TEXT(store, "memory", "memory, or memory:FILE to keep bindings over a restart", NULL),
    TEXT(subscribers, "", "file kept by `dualtone user`; empty: no authentication", NULL),
    CHOICE(digest, "md5", "md5|sha256|both",
           "what a challenge offers; many phones take no challenge that names SHA-256 at all",
           "RFC 8760 2.4"),
    NUMBER(timer_t1, "500", 10, 5000, "ms", "round-trip time estimate", "RFC 3261 17.1.1.1"),
    NUMBER(timer_t2, "4000", 100, 60000, "ms", "longest interval between repeats", "RFC 3261 17"),
    NUMBER(timer_c, "181", 181, 86400, "s", "a ringing branch is given up", "RFC 3261 16.6"),
    NUMBER(min_expires, "60", 1, 3600, "s", "shortest registration", "RFC 3261 10.3"),
    NUMBER(max_expires, "7200", 60, 604800, "s", "longest registration", "RFC 3261 10.3"),
    NUMBER(max_contacts, "10", 1, 60, NULL, "bindings of one user", NULL),
    NUMBER(max_bindings, "100000", 1, 10000000, NULL, "bindings in all", NULL),
    NUMBER(max_transactions, "100000", 10, 10000000, NULL,
           "under way at once; ten that have ended and wait for repeats count as one; more get 503",
           "RFC 3261 21.5.4"),
    NUMBER(max_breadth, "60", 1, 60, NULL, "parallel branches of one request", "RFC 5393 5.3"),
    NUMBER(nonce_life, "60", 1, 3600, "s", "a nonce may be used so long", "RFC 7616 3.3"),
    NUMBER(max_strays, "10000", 0, 10000000, NULL,
           "responses of the cluster's calls that this node does not know are passed on, a second",
           "R5"),
    NUMBER(stall, "4", 1, 86400, "s", "who was stopped for longer acts as restarted", "R10"),
    NUMBER(
        gather, "100", 0, 100000, "us",
        "where datagrams come faster than 3,200 a second, so long it waits for more of them; each "
        "is that much later at most, and takes less processor time; 0: never",
        NULL),
    NUMBER(slice, "100", 0, 100000, "us",
           "it asks for the processor in slices so short, and gets it the sooner where others want "
           "it too (Linux 6.12 and later; before, no effect); 0: as the system has it",
           NULL),
    NUMBER(snapshot_every, "5", 1, 3600, "s", "changed bindings are written so often", NULL),
};
const size_t dt_proxy_options_n = sizeof dt_proxy_options / sizeof dt_proxy_options[0];
_Static_assert(sizeof dt_proxy_options / sizeof dt_proxy_options[0] == DT_PROXY_OPTIONS, "rows");

/* The rows' places in the file are not known here: a problem begins with its option's name, by
 * which the host finds the line. */
static const struct dt_place nowhere;
#define PROBLEM(p, ...) dt_problem_add((p), true, nowhere, __VA_ARGS__)

static void check_listen(const struct dt_proxy_config *cfg, struct dt_problems *p)
{
    bool wildcard = false;
    if (!cfg->listen.n)
        PROBLEM(p, "listen is not set; use udp:ADDRESS:PORT, for example udp:127.0.0.1:5060");
    if (cfg->listen.n > DT_SELF_LISTEN_MAX)
        PROBLEM(p, "listen has %zu addresses; use at most %d", cfg->listen.n, DT_SELF_LISTEN_MAX);
    for (size_t i = 0; i < cfg->listen.n; i++) {
        struct dt_addr a;
        if (dt__self_listen_parse(&a, cfg->listen.items[i]))
            PROBLEM(p, "listen is \"%.*s\"; use udp:ADDRESS:PORT or tcp:ADDRESS:PORT, a number",
                    DT_FMT(dt_str_sub(cfg->listen.items[i], 0, 60)));
        else
            wildcard = wildcard || dt_addr_is_any(&a);
    }
    if (wildcard && !cfg->cluster_address.n && !cfg->name.n)
        PROBLEM(p, "listen is a wildcard, so cluster_address must be set: the address that callees "
                   "see in Via");
}

static void check_store(const struct dt_proxy_config *cfg, struct dt_problems *p)
{
    if (dt_str_eq(cfg->store, DT_STR("memory")) ||
        (dt_str_starts(cfg->store, DT_STR("memory:")) && cfg->store.n > 7))
        return;
    PROBLEM(p, "store is \"%.*s\"; use memory or memory:FILE",
            DT_FMT(dt_str_sub(cfg->store, 0, 60)));
}

static void check_timers(const struct dt_proxy_config *cfg, struct dt_problems *p)
{
    if (cfg->timer_t2 < cfg->timer_t1)
        PROBLEM(p, "timer_t2 is %lld, less than timer_t1; use at least %lld milliseconds",
                (long long)cfg->timer_t2, (long long)cfg->timer_t1);
    if (cfg->max_expires < cfg->min_expires)
        PROBLEM(p, "max_expires is %lld, less than min_expires; use at least %lld seconds",
                (long long)cfg->max_expires, (long long)cfg->min_expires);
}

/* A host name or number as domain: what a URI can hold. */
static void check_domain(const struct dt_proxy_config *cfg, struct dt_problems *p)
{
    struct dt_addr ignored;
    struct dt_reader r = dt_reader(cfg->domain);
    struct dt_str name = dt_reader_run(&r, DT_C_HOST);
    if (cfg->domain.n && (name.n == cfg->domain.n || !dt_addr_parse(&ignored, cfg->domain)))
        return;
    PROBLEM(p, "domain is \"%.*s\"; use a host name or an IP address without a port",
            DT_FMT(dt_str_sub(cfg->domain, 0, 60)));
}

/* R1: a name without a port, since the port is that of `listen` and differs by transport. */
static void check_name(const struct dt_proxy_config *cfg, struct dt_problems *p)
{
    if (dt_str_find(cfg->name, ':') < cfg->name.n)
        PROBLEM(p, "name is \"%.*s\"; use a host name without a port",
                DT_FMT(dt_str_sub(cfg->name, 0, 60)));
}

/* R17: stands in a header parameter. */
static void check_node(const struct dt_proxy_config *cfg, struct dt_problems *p)
{
    struct dt_reader r = dt_reader(cfg->node);
    if (dt_reader_run(&r, DT_C_TOKEN).n != cfg->node.n || cfg->node.n > DT_SELF_NAME_MAX)
        PROBLEM(p, "node is \"%.*s\"; use at most %d letters, digits, dots and hyphens",
                DT_FMT(dt_str_sub(cfg->node, 0, 60)), DT_SELF_NAME_MAX);
}

static void check_peers(const struct dt_proxy_config *cfg, struct dt_problems *p)
{
    for (size_t i = 0; i < cfg->peers.n; i++) {
        struct dt_addr a;
        if (dt_addr_parse(&a, cfg->peers.items[i]))
            PROBLEM(p, "peer is \"%.*s\"; use ADDRESS or ADDRESS:PORT, a number",
                    DT_FMT(dt_str_sub(cfg->peers.items[i], 0, 60)));
    }
}

static void check_dns(const struct dt_proxy_config *cfg, struct dt_problems *p)
{
    for (size_t i = 0; i < cfg->dns.n; i++) {
        struct dt_addr a;
        if (dt_addr_parse(&a, cfg->dns.items[i]))
            PROBLEM(p, "dns is \"%.*s\"; use ADDRESS or ADDRESS:PORT, a number",
                    DT_FMT(dt_str_sub(cfg->dns.items[i], 0, 60)));
    }
}

int dt_proxy_config_check(const struct dt_proxy_config *cfg, struct dt_problems *problems)
{
    static void (*const checks[])(const struct dt_proxy_config *, struct dt_problems *) = {
        check_domain, check_name, check_listen, check_store,
        check_timers, check_node, check_peers,  check_dns};
    size_t before = problems->fatal;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        checks[i](cfg, problems);
    return problems->fatal == before ? DT_OK : DT_E_SYNTAX;
}
