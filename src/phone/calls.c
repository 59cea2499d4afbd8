/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The calls: from the user agent's events to what the user sees, and the rules for calls that come
 * in (guide: behaviour.md 5, 8, 9). */
#include "phone/internal.h"

enum {
    BUSY_HERE = 486,
    /* The codes of DND and blocked callers are recalled only (behaviour.md 9): here to change. */
    DO_NOT_DISTURB = 486,
    BLOCKED = 486,
    KNOWN_SIZE = 4096 /* of all proxies; more are not kept */
};

#define OUTGOING (DT__PHONE_BIT(DIALLING) | DT__PHONE_BIT(BACKUP) | DT__PHONE_BIT(RINGING))
#define UP (DT__PHONE_BIT(TALKING) | DT__PHONE_BIT(HOLDING) | DT__PHONE_BIT(HELD))
/* Whoever has such a call is off hook (guide v4.0 A-6). */
#define OFF_HOOK (OUTGOING | UP | DT__PHONE_BIT(NEW) | DT__PHONE_BIT(ANSWERING))
#define GOING (OFF_HOOK | DT__PHONE_BIT(ALERTING))

/* ---- the table of calls ---- */

struct phone_call *dt__phone_call_find(const struct dt_phone *p, uint32_t number)
{
    DT_LIST_EACH(e, &p->calls)
    {
        struct phone_call *c = DT_OF(e, struct phone_call, link);
        if (c->number == number && c->phase != DT__PHONE_OVER)
            return c;
    }
    return NULL;
}

static struct phone_call *find_id(const struct dt_phone *p, dt_call_id id)
{
    DT_LIST_EACH(e, &p->calls)
    {
        struct phone_call *c = DT_OF(e, struct phone_call, link);
        if (c->id == id && c->phase != DT__PHONE_OVER)
            return c;
    }
    return NULL;
}

static unsigned count(const struct dt_phone *p, unsigned phases, int line)
{
    unsigned n = 0;
    DT_LIST_EACH(e, &p->calls)
    {
        const struct phone_call *c = DT_OF(e, struct phone_call, link);
        n += (phases >> c->phase & 1) && (line < 0 || c->line == (unsigned)line);
    }
    return n;
}

unsigned dt__phone_line_calls(const struct dt_phone *p, unsigned line)
{
    return count(p, GOING, (int)line);
}

struct phone_call *dt__phone_call_in(const struct dt_phone *p, unsigned phases)
{
    DT_LIST_EACH(e, &p->calls)
    {
        struct phone_call *c = DT_OF(e, struct phone_call, link);
        if (phases >> c->phase & 1)
            return c;
    }
    return NULL;
}

struct phone_call *dt__phone_call_active(const struct dt_phone *p)
{
    return dt__phone_call_in(p, DT__PHONE_BIT(TALKING) | DT__PHONE_BIT(HELD));
}

/* Puts it in its place by number: the lowest that is free. */
static struct phone_call *new_call(struct dt_phone *p, unsigned line)
{
    struct phone_call *c = dt_alloc_zero(p->env->alloc, sizeof *c);
    if (!c)
        return NULL;
    c->line = line;
    c->number = 1;
    struct dt_list *after = &p->calls;
    while (after->next != &p->calls &&
           DT_OF(after->next, struct phone_call, link)->number == c->number) {
        c->number++;
        after = after->next;
    }
    dt_list_add(after->next, &c->link); /* before the next one */
    return c;
}

static void free_call(struct dt_phone *p, struct phone_call *c)
{
    dt_list_del(&c->link);
    dt_alloc_free(p->env->alloc, c);
}

void dt__phone_calls_sweep(struct dt_phone *p)
{
    DT_LIST_EACH(e, &p->calls)
    {
        struct phone_call *c = DT_OF(e, struct phone_call, link);
        if (c->phase == DT__PHONE_OVER)
            free_call(p, c);
    }
}

/* The other side as people know it: number or user part, and a display name. */
static void name_call(struct phone_call *c, const struct dt_uri *uri, struct dt_str display)
{
    char plain[DT__PHONE_TEXT_MAX];
    struct dt_writer w = dt_writer(plain, sizeof plain);
    if (uri->has_user || uri->scheme == DT_URI_TEL)
        dt_uri_write_unescaped(&w, uri->user);
    if (w.err || !w.n) {
        w = dt_writer(plain, sizeof plain);
        dt_write(&w, dt_str_sub(uri->has_user ? uri->user : uri->host, 0, sizeof plain));
    }
    dt__phone_text(c->who, sizeof c->who, dt_writer_str(&w));
    dt__phone_text(c->shown, sizeof c->shown, dt_writer_str(&w));
    display = dt_str_trim(display);
    if (!display.n || dt_str_eq(display, dt_writer_str(&w)))
        return;
    char both[2 * DT__PHONE_TEXT_MAX];
    struct dt_writer b = dt_writer(both, sizeof both);
    dt_writef(&b, "%.*s (%s)", DT_FMT(dt_str_sub(display, 0, DT__PHONE_TEXT_MAX / 2)), c->who);
    dt__phone_text(c->shown, sizeof c->shown, dt_writer_str(&b));
}

/* ---- out ---- */

int dt__phone_call_dial(struct dt_phone *p, dt_time now, unsigned line, struct dt_str target,
                        struct phone_call **out)
{
    struct dt_uri uri;
    if (dt_uri_parse(&uri, target, NULL))
        return DT_E_SYNTAX;
    struct phone_call *c = new_call(p, line);
    if (!c)
        return DT_E_NOMEM;
    name_call(c, &uri, DT_STR_NONE);
    c->caller = true;
    c->rtp_port = dt__phone_port_take(p);
    struct dt_outgoing o = {
        .identity = p->lines[line].identity,
        .target = target,
        .primary = p->lines[line].primary,
        .backup = p->backup,
        .policy = (enum dt_reach_policy)p->cfg->proxy_failover,
        .media = dt__phone_caps(p, c),
        .anonymous = p->cfg->callerid_blocking & 1,
    };
    if (!o.primary.host.n) /* nothing to be backed up: straight to the target */
        o.backup.host = DT_STR_NONE;
    int err = c->rtp_port ? dt_ua_call(p->ua, now, &o, &c->id) : DT_E_LIMIT;
    if (err) {
        free_call(p, c);
        return err;
    }
    dt_ua_call_number(p->ua, c->id, c->number);
    if (c->phase == DT__PHONE_NEW)
        dt__phone_call_set(p, c, DT__PHONE_DIALLING);
    *out = c;
    return DT_OK;
}

int dt__phone_call_answer(struct dt_phone *p, dt_time now, struct phone_call *c)
{
    struct dt_media_caps caps = dt__phone_caps(p, c);
    dt__phone_call_set(p, c, DT__PHONE_ANSWERING);
    int err = dt_ua_answer(p->ua, now, c->id, &caps);
    if (err && c->phase == DT__PHONE_ANSWERING)
        dt__phone_call_set(p, c, DT__PHONE_ALERTING);
    return err;
}

int dt__phone_call_hangup(struct dt_phone *p, dt_time now, struct phone_call *c)
{
    bool rings = c->phase == DT__PHONE_ALERTING;
    c->by_user = true;
    dt__phone_sound_stop(p, c);
    dt__phone_call_set(p, c, DT__PHONE_ENDING);
    return rings ? dt_ua_reject(p->ua, now, c->id, BUSY_HERE, DT_STR_NONE)
                 : dt_ua_hangup(p->ua, now, c->id);
}

/* ---- in ---- */

/* RFC 3323 4.1.1.3, and the guide's phone (behaviour.md 9). */
static bool is_anonymous(const struct dt_sip_msg *m)
{
    return dt_str_ieq(m->from.uri.user, DT_STR("anonymous")) ||
           dt_str_ieq(m->from.uri.host, DT_STR("anonymous.invalid")) ||
           dt_str_ieq(m->from.display, DT_STR("anonymous"));
}

/* The status that a new call gets at once; 0: it may ring. */
static int judge(const struct dt_phone *p, const struct dt_sip_msg *m, int line)
{
    if (line < 0)
        return 404; /* callee not located (compliance.md 3) */
    if (p->quitting)
        return 480;
    if (p->cfg->dnd_control & 1)
        return DO_NOT_DISTURB;
    if ((p->cfg->anonymous_call_block & 1) && is_anonymous(m))
        return BLOCKED;
    if (dt__phone_line_calls(p, (unsigned)line) >= DT__PHONE_CALLS_A_LINE)
        return BUSY_HERE;
    if (!(p->cfg->call_waiting & 1) && count(p, OFF_HOOK, -1))
        return BUSY_HERE;
    return 0;
}

static void incoming(void *user, dt_time now, dt_call_id id, const struct dt_sip_msg *m,
                     struct dt_str to_user)
{
    struct dt_phone *p = user;
    int line = dt__phone_line_find(p, to_user);
    int status = judge(p, m, line);
    struct phone_call *c = status ? NULL : new_call(p, (unsigned)line);
    if (!status && !c)
        status = 500;
    if (c) {
        c->rtp_port = dt__phone_port_take(p);
        if (!c->rtp_port) {
            free_call(p, c);
            status = BUSY_HERE;
        }
    }
    if (status) {
        dt_ua_reject(p->ua, now, id, status, DT_STR_NONE);
        return;
    }
    c->id = id;
    dt_ua_call_number(p->ua, id, c->number);
    name_call(c, &m->from.uri, m->from.display);
    dt__phone_call_set(p, c, DT__PHONE_ALERTING);
    dt_ua_ring(p->ua, now, id);
}

/* ---- what ua tells ---- */

/* Which of talking, holding and held it is. */
static void set_up(struct dt_phone *p, struct phone_call *c)
{
    struct dt_call_view view;
    if (dt_ua_view(p->ua, c->id, &view))
        return;
    dt__phone_call_set(p, c,
                       view.local_hold    ? DT__PHONE_HOLDING
                       : view.remote_hold ? DT__PHONE_HELD
                                          : DT__PHONE_TALKING);
}

static void ended(struct dt_phone *p, dt_time now, struct phone_call *c,
                  const struct dt_call_end *end)
{
    bool failed = end && (c->caller ? end->status >= 300 || end->err : end->err);
    dt__phone_sound_stop(p, c);
    dt__phone_call_set(p, c, DT__PHONE_OVER);
    if (failed && !c->by_user)
        dt__phone_screen_failed(p, now, c, end);
}

static void state(void *user, dt_time now, dt_call_id id, enum dt_call_state s,
                  const struct dt_call_end *end)
{
    struct dt_phone *p = user;
    struct phone_call *c = find_id(p, id);
    if (!c)
        return;
    switch (s) {
    case DT_CALL_CALLING:
        if (c->phase == DT__PHONE_NEW)
            dt__phone_call_set(p, c, DT__PHONE_DIALLING);
        break;
    case DT_CALL_RINGING:
        if (c->caller)
            dt__phone_call_set(p, c, DT__PHONE_RINGING);
        break;
    case DT_CALL_TALKING:
        set_up(p, c);
        break;
    case DT_CALL_ENDING: /* I14: sound ends with the BYE, not with its answer */
        dt__phone_sound_stop(p, c);
        dt__phone_call_set(p, c, DT__PHONE_ENDING);
        break;
    case DT_CALL_ENDED:
        ended(p, now, c, end);
        break;
    }
}

static void backup(void *user, dt_time now, dt_call_id id, bool trying)
{
    struct dt_phone *p = user;
    struct phone_call *c = find_id(p, id);
    (void)now;
    if (!c || !(OUTGOING >> c->phase & 1))
        return;
    c->backup = c->backup || trying;
    if (trying)
        dt__phone_call_set(p, c, DT__PHONE_BACKUP);
    else if (c->phase == DT__PHONE_BACKUP)
        dt__phone_call_set(p, c, DT__PHONE_DIALLING);
}

static void media(void *user, dt_time now, dt_call_id id, const struct dt_media_agreed *m)
{
    struct dt_phone *p = user;
    struct phone_call *c = find_id(p, id);
    (void)now;
    if (!c)
        return;
    dt__phone_sound_set(p, c, m);
    if (UP >> c->phase & 1)
        set_up(p, c);
}

static void dropped(void *user, dt_time now, const struct dt_hop *from, const char *why)
{
    struct dt_phone *p = user;
    char addr[DT_ADDR_TEXT_MAX];
    (void)now;
    dt_outbox_event(&p->out, DT_EV_DROP, 0, "from %s: %s", dt_addr_text(&from->remote, addr), why);
}

/* R20: for who keeps it over a restart. */
static void known(void *user, dt_time now)
{
    struct dt_phone *p = user;
    char text[KNOWN_SIZE];
    struct dt_writer w = dt_writer(text, sizeof text);
    (void)now;
    dt_ua_known_write(p->ua, &w);
    if (!w.err)
        dt_outbox_event(&p->out, DT_EV_KNOWN, 0, "%.*s", DT_FMT(dt_writer_str(&w)));
}

const struct dt_ua_user dt__phone_ua_user = {
    .incoming = incoming,
    .state = state,
    .backup = backup,
    .media = media,
    .registration = dt__phone_registration,
    .known = known,
    .dropped = dropped,
};
