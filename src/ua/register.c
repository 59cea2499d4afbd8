/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Registrations (RFC 3261 10) as a flat table. One REGISTER at a time, all with one Call-ID and
 * rising CSeq (10.2). */
#include "ua/core.h"

#include <string.h>

enum {
    REFRESH_FLOOR_S = 60, /* guide: behaviour.md 4 */
    RETRY_MIN_S = 30,     /* after a failure: 30 to 60 s, doubling */
    RETRY_MAX_S = 300,
    MIN_EXPIRES_TRIES = 3
};

enum event {
    EV_OK,     /* 2xx */
    EV_AUTH,   /* 401, 407 that can be answered */
    EV_MIN,    /* 423 with Min-Expires that is new */
    EV_FAIL,   /* any other final */
    EV_SILENT, /* time-out or transport error */
    EV_TIMER,
    EV_REMOVE, /* the user takes it back; a binding may stand at the registrar */
    EV_DROP,   /* the same, and there is none */
    EV_COUNT
};

enum {
    SEND = 1,
    TELL = 2,
    REFRESH = 4, /* arm the timer: before the end of what was granted */
    RETRY = 8,   /* arm it: Retry-After, or with jitter */
    ZERO = 16    /* from now on Expires: 0 */
};

static const struct rule {
    enum dt__reg_state state;
    enum event event;
    enum dt__reg_state next;
    unsigned acts;
} rules[] = {
    {DT__REG_TRYING, EV_OK, DT__REG_REGISTERED, REFRESH | TELL},
    {DT__REG_TRYING, EV_AUTH, DT__REG_TRYING, SEND},
    {DT__REG_TRYING, EV_MIN, DT__REG_TRYING, SEND},
    {DT__REG_TRYING, EV_FAIL, DT__REG_WAITING, RETRY | TELL},
    {DT__REG_TRYING, EV_SILENT, DT__REG_WAITING, RETRY | TELL},
    {DT__REG_TRYING, EV_REMOVE, DT__REG_LEAVING, 0},
    {DT__REG_TRYING, EV_DROP, DT__REG_LEAVING, 0},
    {DT__REG_REGISTERED, EV_TIMER, DT__REG_TRYING, SEND},
    {DT__REG_REGISTERED, EV_REMOVE, DT__REG_REMOVING, ZERO | SEND},
    {DT__REG_WAITING, EV_TIMER, DT__REG_TRYING, SEND},
    {DT__REG_WAITING, EV_REMOVE, DT__REG_REMOVING, ZERO | SEND},
    {DT__REG_WAITING, EV_DROP, DT__REG_GONE, TELL},
    {DT__REG_LEAVING, EV_OK, DT__REG_REMOVING, ZERO | SEND},
    {DT__REG_LEAVING, EV_AUTH, DT__REG_GONE, TELL},
    {DT__REG_LEAVING, EV_MIN, DT__REG_GONE, TELL},
    {DT__REG_LEAVING, EV_FAIL, DT__REG_GONE, TELL},
    {DT__REG_LEAVING, EV_SILENT, DT__REG_GONE, TELL},
    {DT__REG_REMOVING, EV_OK, DT__REG_GONE, TELL},
    {DT__REG_REMOVING, EV_AUTH, DT__REG_REMOVING, SEND},
    {DT__REG_REMOVING, EV_MIN, DT__REG_GONE, TELL},
    {DT__REG_REMOVING, EV_FAIL, DT__REG_GONE, TELL},
    {DT__REG_REMOVING, EV_SILENT, DT__REG_GONE, TELL},
};

/* ---- acts ---- */

static void arm(struct dt_reg *r, dt_time due)
{
    (void)dt_timers_arm(&r->ua->timers, &r->timer, due); /* it stands in the heap already */
}

static void tell(struct dt_reg *r)
{
    r->tell = true;
    if (dt_list_empty(&r->telling))
        dt_list_add(&r->ua->telling_regs, &r->telling);
}

/* So many seconds early, but not before a minute has passed; half of what is shorter than that. */
static dt_time refresh_after(uint32_t granted, uint32_t delta)
{
    dt_time half = (dt_time)granted * DT_SECOND / 2;

    if (granted <= REFRESH_FLOOR_S)
        return half;
    if (granted < delta || granted - delta < REFRESH_FLOOR_S)
        return REFRESH_FLOOR_S * DT_SECOND;
    return (dt_time)(granted - delta) * DT_SECOND;
}

static dt_time retry_after(struct dt_reg *r)
{
    uint64_t base = RETRY_MIN_S;

    if (r->retry_after)
        return (dt_time)r->retry_after * DT_SECOND;
    for (unsigned i = 1; i < r->failures && base < RETRY_MAX_S / 2; i++)
        base *= 2;
    if (base > RETRY_MAX_S / 2)
        base = RETRY_MAX_S / 2;
    return (dt_time)(base * 1000 + dt_rng_below(&r->ua->env->rng, base * 1000 + 1)) * DT_MS;
}

static int write_uri(struct dt_reg *r, struct dt__send *s)
{
    struct dt_str host = r->cfg.identity.domain;
    char *p = dt_alloc_zero(r->ua->env->alloc, host.n + sizeof("sip:"));

    if (!p)
        return DT_E_NOMEM;
    memcpy(p, "sip:", 4);
    if (host.n)
        memcpy(p + 4, host.p, host.n);
    s->uri = p;
    return DT_OK;
}

static int credentials(struct dt_reg *r, struct dt__send *s)
{
    dt_bytes_drop(s->auth);
    return dt__auth_lines(&r->auth, r->ua, &r->cfg.identity.credentials, DT_STR("REGISTER"),
                          dt_str_z(s->uri), &s->auth);
}

static int fill(struct dt_reg *r, struct dt__send *s)
{
    int err = write_uri(r, s);

    if (err)
        return err;
    s->cseq = ++r->cseq;
    s->call_id = dt_alloc_text(r->ua->env->alloc, dt_str_z(r->call_id));
    return s->call_id ? credentials(r, s) : DT_E_NOMEM;
}

static void start(struct dt_reg *r, dt_time now)
{
    struct dt_where w = {r->cfg.registrar.host, r->cfg.registrar.port,
                         r->cfg.registrar.transport_given, r->cfg.registrar.transport};
    int err;

    r->send = dt__send_new(r->ua, NULL, r, DT__REGISTER);
    if (!r->send) { /* tried again a little later: a second, not at once */
        r->state = DT__REG_WAITING;
        arm(r, now + DT_SECOND);
        return;
    }
    err = fill(r, r->send);
    if (err)
        dt__send_break(r->send, err);
    else
        dt__send_where(r->send, now, &w);
}

/* The next one: the same place, another CSeq (and credentials, and Expires). */
static void send_next(struct dt_reg *r, dt_time now)
{
    struct dt__send *s = r->send;
    int err;

    if (!s) {
        start(r, now);
        return;
    }
    s->cseq = ++r->cseq;
    err = credentials(r, s);
    if (err)
        dt__send_break(s, err);
    else
        dt__send_again(s, now);
}

static void perform(struct dt_reg *r, dt_time now, unsigned acts)
{
    if (acts & ZERO)
        r->asked = 0;
    if (acts & REFRESH)
        arm(r, now + refresh_after(r->granted, r->cfg.delta));
    if (acts & RETRY)
        arm(r, now + retry_after(r));
    if (acts & SEND)
        send_next(r, now);
    if (acts & TELL)
        tell(r);
}

static void happen(struct dt_reg *r, dt_time now, enum event e)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        if (rules[i].state != r->state || rules[i].event != e)
            continue;
        r->state = rules[i].next;
        arm(r, DT__PARKED);
        perform(r, now, rules[i].acts);
        return;
    }
}

/* ---- what came ---- */

/* The REGISTER has its final: the next one is a request of its own. */
static void finish(struct dt_reg *r)
{
    dt__send_free(r->send);
    r->send = NULL;
}

/* What the registrar granted: `expires` of our Contact, else Expires, else what we asked (10.2.4).
 */
static uint32_t granted(const struct dt_reg *r, const struct dt_sip_msg *m)
{
    struct dt_sip_values it = dt_sip_values(m, DT_H_CONTACT);
    char text[512];
    struct dt_writer w = dt_writer(text, sizeof(text));
    struct dt_name_addr ours, theirs;
    struct dt_str value;
    uint32_t n;

    dt__write_contact(&w, r->ua, r->cfg.identity.user,
                      (enum dt_transport)r->send->hop.remote.transport);
    while (!w.err && dt_sip_name_addr(&ours, dt_writer_str(&w)) == DT_OK &&
           dt_sip_values_next(&it, &value)) {
        struct dt_str expires;
        if (dt_sip_name_addr(&theirs, value) == DT_OK && !theirs.star &&
            dt_str_eq(ours.uri.user, theirs.uri.user) &&
            dt_str_ieq(ours.uri.host, theirs.uri.host) && ours.uri.port == theirs.uri.port &&
            dt_param(theirs.params, "expires", &expires) && dt_sip_number(&n, expires) == DT_OK)
            return n;
    }
    value = dt_sip_get(m, DT_H_EXPIRES);
    return value.p && dt_sip_number(&n, value) == DT_OK ? n : r->asked;
}

/* `*err` says why a challenge cannot be answered. */
static enum event event_of(struct dt_reg *r, const struct dt_sip_msg *m, int *err)
{
    struct dt__send *s = r->send;
    uint32_t min;

    if (m->status < 300)
        return EV_OK;
    if ((m->status == 401 || m->status == 407) && s->tries < DT_ATTEMPT_TRIES) {
        *err = dt__auth_take(&r->auth, r->ua, &r->cfg.identity.credentials, m, s->auth != NULL);
        if (!*err) {
            s->tries++;
            return EV_AUTH;
        }
    }
    if (m->status == 423 && r->min_tries < MIN_EXPIRES_TRIES &&
        dt_sip_number(&min, dt_sip_get(m, DT_H_MIN_EXPIRES)) == DT_OK && min > r->asked) {
        r->min_tries++; /* 10.2.8 */
        r->asked = min;
        return EV_MIN;
    }
    return EV_FAIL;
}

/* A final that ends this request: remembered for the user and for the next try. */
static void note(struct dt_reg *r, const struct dt_sip_msg *m)
{
    bool ok = m->status < 300;
    bool bound = ok && r->asked > 0;

    r->status = m->status;
    r->err = DT_OK;
    r->retry_after = 0;
    r->min_tries = 0;
    (void)dt_sip_retry_after(&r->retry_after, dt_sip_get(m, DT_H_RETRY_AFTER));
    if (ok)
        r->granted = granted(r, m);
    r->failures = ok ? 0 : r->failures + 1;
    r->registered = bound && r->granted > 0;
    if (ok)
        r->bound = r->registered;
    if (ok && bound && !r->registered) { /* granted nothing: a refusal in other words */
        r->failures++;
        r->err = DT_E_REFUSED;
    }
}

void dt__reg_response(struct dt__send *s, dt_time now, const struct dt_sip_msg *m)
{
    struct dt_reg *r = s->reg;
    enum event e;
    int err = DT_OK;

    if (m->status < 200)
        return;
    e = event_of(r, m, &err);
    if (e == EV_OK || e == EV_FAIL) {
        note(r, m);
        if (err == DT_E_NOMEM) { /* ours, not one of the credentials (I39) */
            r->status = 0;
            r->err = err;
        }
        finish(r);
    } else if (r->state == DT__REG_LEAVING) {
        finish(r);
    }
    if (e == EV_OK && r->err == DT_E_REFUSED && r->state == DT__REG_TRYING)
        e = EV_FAIL;
    happen(r, now, e);
}

void dt__reg_failed(struct dt__send *s, dt_time now, int err)
{
    struct dt_reg *r = s->reg;

    r->status = 0;
    r->err = err;
    r->retry_after = 0;
    r->failures++;
    r->registered = false;
    finish(r);
    happen(r, now, EV_SILENT);
}

void dt__reg_timer(struct dt_reg *r, dt_time now)
{
    happen(r, now, EV_TIMER);
}

/* ---- telling ---- */

void dt__regs_tell(struct dt_ua *ua, dt_time now)
{
    while (!dt_list_empty(&ua->telling_regs)) {
        struct dt_reg *r = DT_OF(ua->telling_regs.next, struct dt_reg, telling);
        dt_list_del(&r->telling);
        r->tell = false;
        ua->ops->registration(ua->user, now, r->id, r->registered, r->status, r->err,
                              r->registered ? r->granted : 0);
        if (r->state == DT__REG_GONE && !r->tell)
            dt__reg_free(r);
    }
}

/* ---- public ---- */

void dt__reg_free(struct dt_reg *r)
{
    struct dt_ua *ua = r->ua;

    dt_timers_stop(&ua->timers, &r->timer);
    while (!dt_list_empty(&r->sends))
        dt__send_free(DT_OF(r->sends.next, struct dt__send, link));
    dt__id_drop(&ua->ids, r->id);
    dt_list_del(&r->telling);
    dt_list_del(&r->link);
    ua->n_regs--;
    dt__auth_clear(&r->auth, ua->env->alloc);
    dt_alloc_free(ua->env->alloc, r->host);
    dt_alloc_free(ua->env->alloc, r->call_id);
    dt_alloc_free(ua->env->alloc, r);
}

static struct dt_reg *new_reg(struct dt_ua *ua, const struct dt_registration *cfg)
{
    const struct dt_alloc *a = ua->env->alloc;
    struct dt_reg *r = dt_alloc_zero(a, sizeof(*r));
    char token[DT__TOKEN];

    if (!r)
        return NULL;
    r->ua = ua;
    r->cfg = *cfg;
    r->asked = cfg->expires;
    dt_list_init(&r->telling);
    dt_list_init(&r->sends);
    dt_list_add(&ua->regs, &r->link);
    ua->n_regs++;
    dt_timer_init(&r->timer, DT__TIMER_REG);
    dt__ua_token(ua, r->tag);
    dt__ua_token(ua, token);
    r->call_id = dt_alloc_text(a, dt__token_str(token));
    r->host = dt_alloc_text(a, cfg->registrar.host);
    r->id = dt__id_new(&ua->ids, a, DT__REG, r);
    if (r->call_id && r->host && r->id &&
        dt_timers_arm(&ua->timers, &r->timer, DT__PARKED) == DT_OK) {
        r->cfg.registrar.host = dt_str_z(r->host);
        return r;
    }
    dt__reg_free(r);
    return NULL;
}

int dt_ua_register(struct dt_ua *ua, dt_time now, const struct dt_registration *cfg, dt_reg_id *id)
{
    struct dt_reg *r = new_reg(ua, cfg);

    *id = 0;
    if (!r)
        return DT_E_NOMEM;
    *id = r->id;
    dt__ua_enter(ua);
    start(r, now);
    dt__ua_leave(ua, now);
    return DT_OK;
}

int dt_ua_unregister(struct dt_ua *ua, dt_time now, dt_reg_id id)
{
    struct dt_reg *r = dt__id_find(&ua->ids, id, DT__REG);

    if (!r)
        return DT_E_STALE;
    dt__ua_enter(ua);
    happen(r, now, r->bound ? EV_REMOVE : EV_DROP);
    dt__ua_leave(ua, now);
    return DT_OK;
}
