/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration of a flow's parties, as a person would write it. */
#include "flow/world.h"

#include "store/subscribers.h"

struct dt_str dt__flow_domain(void)
{
    return DT_STR("example.com");
}

static void write_option(struct dt_writer *w, const char *name, struct dt_str value)
{
    dt_write_z(w, name);
    dt_write_lit(w, ": ");
    dt_write_quoted(w, value);
    dt_write_char(w, '\n');
}

static void write_server(const struct flow_world *w, struct dt_writer *out, const char *name,
                         const char *port_name, int proxy)
{
    const struct dt_addr *a = &w->addrs[proxy];
    dt_write_z(out, name);
    dt_write_lit(out, ": ");
    dt_addr_write_ip(out, a, false);
    dt_writef(out, "\n%s: %u\n", port_name, a->port);
}

static void write_phone(const struct flow_world *w, const struct dt_flow_party *p,
                        struct dt_writer *out)
{
    write_option(out, "line1_name", p->number);
    write_option(out, "line_domain", dt__flow_domain());
    if (p->password.n > 0) {
        write_option(out, "line1_authname", p->number);
        write_option(out, "line1_password", p->password);
    }
    if (p->primary >= 0)
        write_server(w, out, "proxy1_address", "proxy1_port", p->primary);
    if (p->backup >= 0)
        write_server(w, out, "proxy_backup", "proxy_backup_port", p->backup);
    dt_writef(out, "proxy_register: %d\n", p->registers != DT_FLOW_REGISTER_NONE);
    dt_writef(out, "proxy_register_backup: %d\n", p->registers == DT_FLOW_REGISTER_BOTH);
}

/* Both of a pair have one cluster_address, that of the first, and the same port (R1). */
static void write_proxy(const struct flow_world *w, int party, struct dt_writer *out)
{
    const struct dt_addr *a = &w->addrs[party];
    int peer = w->flow->parties[party].peer;
    dt_write_lit(out, "domain: ");
    dt_write(out, dt__flow_domain());
    dt_write_lit(out, "\nlisten: udp:");
    dt_addr_write(out, a);
    dt_write_lit(out, " tcp:");
    dt_addr_write(out, a);
    dt_write_lit(out, "\ncluster_address: ");
    dt_addr_write_ip(out, peer >= 0 && peer < party ? &w->addrs[peer] : a, false);
    if (peer >= 0) {
        dt_write_lit(out, "\npeer: ");
        dt_addr_write_ip(out, &w->addrs[peer], false);
    }
    dt_write_char(out, '\n');
}

void dt__flow_config(const struct flow_world *w, int party, struct dt_writer *out)
{
    const struct dt_flow_party *p = &w->flow->parties[party];
    dt_writef(out, "# made for %s of flow %.*s\n", p->name, DT_FMT(w->flow->name));
    if (p->role == DT_FLOW_PROXY)
        write_proxy(w, party, out);
    else
        write_phone(w, p, out);
    if (w->options->t1)
        dt_writef(out, "timer_t1: %lld\n", (long long)(w->options->t1 / DT_MS));
    for (size_t i = 0; i < p->n_sets; i++) {
        dt_write(out, p->sets[i].name);
        dt_write_lit(out, ": ");
        dt_write_quoted(out, p->sets[i].value);
        dt_write_char(out, '\n');
    }
}

void dt__flow_subscribers(const struct flow_world *w, dt_hash_fn hash, struct dt_writer *out)
{
    const struct dt_alloc *a = w->flow->alloc;
    struct dt_bytes *text = NULL;
    for (size_t i = 0; i < w->flow->n_parties; i++) {
        const struct dt_flow_party *p = &w->flow->parties[i];
        struct dt_bytes *more = NULL;
        if (p->password.n == 0 || dt_subscribers_put(a, hash, dt_bytes_str(text), p->number,
                                                     dt__flow_domain(), p->password, &more))
            continue;
        dt_bytes_drop(text);
        text = more;
    }
    dt_write(out, dt_bytes_str(text));
    dt_bytes_drop(text);
}
