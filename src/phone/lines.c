/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines: who they are, where their proxy is, and their registrations (guide: behaviour.md 4). */
#include "phone/internal.h"

enum { PRIMARY, BACKUP };
enum { AGAIN_S = 30 }; /* for a registration that there was no memory for (I39) */

/* ---- who and where ---- */

/* A configured address: ip, ip:port or a name. `srv`: a name with the standard port asks DNS for
 * SRV first (guide v4.0 1-9). */
static struct dt_server server_of(const struct dt_phone *p, struct dt_str text, int64_t port,
                                  bool srv)
{
    struct dt_server s = {.host = text, .port = (uint16_t)port};
    struct dt_addr addr;
    if (!dt__phone_is_set(text))
        return (struct dt_server){0};
    s.transport_given = p->cfg->proxy_transport != DT_PHONE_AUTO;
    s.transport = p->cfg->proxy_transport == DT_PHONE_TCP ? DT_TCP : DT_UDP;
    if (dt_addr_parse(&addr, text)) {
        if (srv && port == 5060)
            s.port = 0;
        return s;
    }
    if (addr.port)
        s.port = addr.port;
    if (dt_str_starts(text, DT_STR("[")))
        s.host = dt_str_sub(text, 1, dt_str_find(text, ']') - 1);
    else if (addr.family == 4)
        s.host = dt_str_sub(text, 0, dt_str_find(text, ':'));
    return s;
}

/* The host part of the line's address of record: what is the same at each proxy, else the proxy
 * as configured, else the phone itself. */
static char *domain_of(const struct dt_phone *p, struct dt_server proxy)
{
    char buf[300];
    struct dt_writer w = dt_writer(buf, sizeof buf);
    struct dt_addr addr;
    struct dt_str host = dt__phone_is_set(p->cfg->line_domain) ? p->cfg->line_domain : proxy.host;
    if (!host.n)
        dt_addr_write_ip(&w, &p->local, true);
    else if (!dt_addr_parse(&addr, host))
        dt_addr_write_ip(&w, &addr, true);
    else
        dt_write(&w, host);
    return dt_alloc_text(p->env->alloc, dt_writer_str(&w));
}

static struct dt_str or_first(struct dt_str own, struct dt_str first)
{
    struct dt_str value = dt__phone_is_set(own) ? own : first;
    return dt__phone_is_set(value) ? value : DT_STR_NONE;
}

static int init_line(struct dt_phone *p, unsigned i)
{
    const struct dt_phone_config *cfg = p->cfg;
    const struct dt_phone_line_config *own = &cfg->lines[i], *first = &cfg->lines[0];
    struct phone_line *l = &p->lines[i];
    l->used = dt__phone_is_set(own->name);
    if (!l->used)
        return DT_OK;
    const struct dt_phone_line_config *at = dt__phone_is_set(own->proxy) ? own : first;
    struct dt_server proxy = server_of(p, at->proxy, at->proxy_port, true);
    struct dt_server outbound = server_of(p, cfg->outbound_proxy, cfg->outbound_proxy_port, false);
    l->primary = outbound.host.n ? outbound : proxy;
    l->domain = domain_of(p, proxy);
    l->identity = (struct dt_identity){
        .user = own->name,
        .domain = dt_str_z(l->domain),
        .display = own->displayname,
        .credentials = {or_first(own->authname, first->authname),
                        or_first(own->password, first->password)},
    };
    if (!l->identity.credentials.user.n && l->identity.credentials.password.n)
        l->identity.credentials.user = own->name;
    l->at[PRIMARY].server = l->primary;
    l->at[BACKUP].server = p->backup;
    return l->domain ? DT_OK : DT_E_NOMEM;
}

int dt__phone_lines_init(struct dt_phone *p)
{
    int err = DT_OK;
    p->backup = server_of(p, p->cfg->proxy_backup, p->cfg->proxy_backup_port, true);
    for (unsigned i = 0; i < DT_PHONE_LINES && !err; i++)
        err = init_line(p, i);
    return err;
}

void dt__phone_lines_clear(struct dt_phone *p)
{
    for (unsigned i = 0; i < DT_PHONE_LINES; i++)
        dt_alloc_free(p->env->alloc, p->lines[i].domain);
}

unsigned dt__phone_line_first(const struct dt_phone *p)
{
    unsigned i = 0;
    while (i + 1 < DT_PHONE_LINES && !p->lines[i].used)
        i++;
    return i;
}

struct dt_str dt__phone_line_label(const struct dt_phone *p, unsigned line)
{
    const struct dt_phone_line_config *l = &p->cfg->lines[line];
    return dt__phone_is_set(l->shortname) ? l->shortname : l->name;
}

int dt__phone_line_find(const struct dt_phone *p, struct dt_str user)
{
    char plain[256];
    struct dt_writer w = dt_writer(plain, sizeof plain);
    dt_uri_write_unescaped(&w, user);
    if (w.err)
        return DT_E_ABSENT;
    if (!user.n)
        return (int)dt__phone_line_first(p);
    for (int i = 0; i < DT_PHONE_LINES; i++)
        if (p->lines[i].used && dt_str_eq(p->cfg->lines[i].name, dt_writer_str(&w)))
            return i;
    return DT_E_ABSENT;
}

/* ---- what a number means ---- */

/* RFC 3966 3: global or local, with visual separators. */
static bool is_telephone_number(struct dt_str s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        digits += dt_is_digit(s.p[i]);
        if (!dt_is_digit(s.p[i]) && dt_str_find(DT_STR("*#-.()"), s.p[i]) == 6 &&
            !(s.p[i] == '+' && i == 0))
            return false;
    }
    return digits > 0;
}

bool dt__phone_line_target(const struct dt_phone *p, unsigned line, struct dt_str number,
                           struct dt_writer *w)
{
    static const char *const schemes[] = {"sip:", "sips:", "tel:"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct dt_str scheme = dt_str_z(schemes[i]);
        if (dt_str_ieq(dt_str_sub(number, 0, scheme.n), scheme)) {
            dt_write(w, number);
            return true;
        }
    }
    dt_write_lit(w, "sip:");
    if (dt_str_find(number, '@') < number.n) {
        dt_write(w, number);
        return true;
    }
    dt_uri_write_user(w, number);
    dt_write_char(w, '@');
    dt_write_z(w, p->lines[line].domain);
    if (is_telephone_number(number)) /* guide: call-flows.md 0 */
        dt_write_lit(w, ";user=phone");
    return p->lines[line].primary.host.n || dt__phone_is_set(p->cfg->line_domain);
}

void dt__phone_server_write(struct dt_writer *w, const struct dt_server *s)
{
    struct dt_addr addr;
    if (!dt_addr_parse(&addr, s->host)) {
        addr.port = s->port;
        dt_addr_write(w, &addr);
        return;
    }
    dt_write(w, s->host);
    if (s->port)
        dt_writef(w, ":%u", (unsigned)s->port);
}

/* ---- registration ---- */

static struct dt_str user_param(const struct dt_phone *p)
{
    switch (p->cfg->user_info) {
    case DT__PHONE_USER_PHONE:
        return DT_STR("phone");
    case DT__PHONE_USER_IP:
        return DT_STR("ip");
    default:
        return DT_STR_NONE;
    }
}

static void register_at(struct dt_phone *p, dt_time now, unsigned line, struct phone_binding *b)
{
    struct dt_registration r = {
        .identity = p->lines[line].identity,
        .registrar = b->server,
        .expires = (uint32_t)p->cfg->timer_register_expires,
        .delta = (uint32_t)p->cfg->timer_register_delta,
        .user_param = user_param(p),
    };
    b->asked = true; /* before, since the result may come during the call */
    int err = dt_ua_register(p->ua, now, &r, &b->id);
    if (!err)
        return;
    b->asked = false;
    b->settled = true;
    p->register_at = now + AGAIN_S * DT_SECOND;
    dt_outbox_event(&p->out, DT_EV_PROBLEM, 0,
                    "Line %u cannot be registered: %s; it is tried again.", line + 1,
                    dt_err_text(err));
}

void dt__phone_lines_register(struct dt_phone *p, dt_time now)
{
    const bool wanted[] = {p->cfg->proxy_register != 0, p->cfg->proxy_register_backup != 0};
    p->register_at = DT_TIME_NEVER;
    for (unsigned k = PRIMARY; k <= BACKUP; k++)
        for (unsigned i = 0; i < DT_PHONE_LINES; i++)
            if (wanted[k] && p->lines[i].used && p->lines[i].at[k].server.host.n &&
                !p->lines[i].at[k].asked)
                register_at(p, now, i, &p->lines[i].at[k]);
}

/* Registration `n` of all: two a line. */
static struct phone_binding *binding_at(struct dt_phone *p, unsigned n)
{
    return &p->lines[n / 2].at[n % 2];
}

void dt__phone_lines_unregister(struct dt_phone *p, dt_time now)
{
    for (unsigned n = 0; n < 2 * DT_PHONE_LINES; n++) {
        struct phone_binding *b = binding_at(p, n);
        if (b->asked && dt_ua_unregister(p->ua, now, b->id))
            b->asked = false;
    }
}

bool dt__phone_lines_settled(const struct dt_phone *p)
{
    for (unsigned i = 0; i < DT_PHONE_LINES; i++)
        for (unsigned k = PRIMARY; k <= BACKUP; k++)
            if (p->lines[i].at[k].asked && !p->lines[i].at[k].settled)
                return false;
    return true;
}

bool dt__phone_lines_refused(const struct dt_phone *p)
{
    bool refused = false;
    for (unsigned i = 0; i < DT_PHONE_LINES; i++) {
        for (unsigned k = PRIMARY; k <= BACKUP; k++) {
            if (p->lines[i].at[k].good)
                return false;
            refused = refused || p->lines[i].at[k].refused;
        }
    }
    return refused;
}

unsigned dt__phone_lines_live(const struct dt_phone *p)
{
    unsigned n = 0;
    for (unsigned i = 0; i < DT_PHONE_LINES; i++)
        for (unsigned k = PRIMARY; k <= BACKUP; k++)
            n += p->lines[i].at[k].asked;
    return n;
}

/* "1001 at 127.0.0.1:5060" */
static void write_binding(struct dt_writer *w, const struct dt_phone *p, unsigned line,
                          const struct phone_binding *b)
{
    dt_writef(w, "%.*s at ", DT_FMT(p->cfg->lines[line].name));
    dt__phone_server_write(w, &b->server);
}

static void tell_failure(struct dt_phone *p, unsigned line, const struct phone_binding *b,
                         int status, int err)
{
    char text[512];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_writef(&w, "Line %u is not registered as ", line + 1);
    write_binding(&w, p, line, b);
    dt_write_lit(&w, ": ");
    if (b->refused)
        dt_writef(&w, "the answer was %d %s; check line%u_authname and line%u_password.", status,
                  dt_status_phrase(status), line + 1, line + 1);
    else {
        dt__phone_write_cause(&w, status, err, DT_STR_NONE);
        dt_write_lit(&w, "; it is tried again.");
    }
    dt_outbox_event(&p->out, DT_EV_PROBLEM, 0, "%.*s", DT_FMT(dt_writer_str(&w)));
}

static void tell_state(struct dt_phone *p, unsigned line, const struct phone_binding *b)
{
    char text[400];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_write_z(&w, b->good ? "registered " : "not registered ");
    write_binding(&w, p, line, b);
    dt_outbox_event(&p->out, DT_EV_REGISTRATION, 0, "%.*s", DT_FMT(dt_writer_str(&w)));
}

void dt__phone_registration(void *user, dt_time now, dt_reg_id reg, bool registered, int status,
                            int err, uint32_t expires)
{
    struct dt_phone *p = user;
    (void)now;
    (void)expires;
    for (unsigned n = 0; n < 2 * DT_PHONE_LINES; n++) {
        struct phone_binding *b = binding_at(p, n);
        if (!b->asked || b->id != reg)
            continue;
        bool changed = !b->settled || b->good != registered;
        b->settled = true;
        b->good = registered;
        b->refused = !registered && (status == 401 || status == 403 || status == 407);
        if (p->quitting && !registered)
            b->asked = false;
        if (changed)
            tell_state(p, n / 2, b);
        if (changed && !registered && !p->quitting)
            tell_failure(p, n / 2, b, status, err);
        return;
    }
}
