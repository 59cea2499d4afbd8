/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One REGISTER's change of one address of record (RFC 3261 10.3 steps 6 and 7): first everything
 * that can fail, then the change itself, which cannot. */
#include <string.h>

#include "dualtone/uri.h"
#include "store/memory.h"

/* A removed binding is remembered for twice 64 T1: no retransmission of an older REGISTER lives
 * longer (17.1.2.2), and delayed packets are covered too. */
static const dt_time removed_default = 64 * DT_SECOND;

struct change {
    struct dt_location *l;
    dt_time now;
    const struct dt_location_update *u;
    struct dt_location_aor *aor;                   /* NULL: not known yet */
    struct dt_binding *fresh[DT_CONTACTS_MAX + 1]; /* what replaces `old`, armed; or `old` itself */
    struct dt_binding *old[DT_CONTACTS_MAX + 1];   /* NULL: none */
    size_t n;
    uint64_t stamp;
    size_t repeats; /* contacts that are there with this Call-ID and CSeq already */
};

static bool same_call_id(const struct change *c, const struct dt_binding *b)
{
    return dt_str_eq(dt_binding_call_id(b), c->u->call_id);
}

/* ---- what is asked for, against what is there ---- */

/* A later `Contact: *` of the same Call-ID was delivered before this one. */
static int check_star(const struct change *c)
{
    const struct dt_binding *star = dt__aor_binding(c->aor, DT_STAR);
    if (!star || !same_call_id(c, star) || c->u->cseq > star->cseq)
        return DT_OK;
    return c->u->star && c->u->cseq == star->cseq ? DT_OK : DT_E_STALE;
}

static bool is_repeat(const struct change *c, const struct dt_binding *b,
                      const struct dt_location_contact *want)
{
    return b->cseq == c->u->cseq && b->gone == (want->expires == 0) &&
           dt_str_eq(dt_binding_contact(b), want->uri);
}

static int check_contact(struct change *c, const struct dt_location_contact *want)
{
    struct dt_uri uri;
    size_t text = want->uri.n + want->instance.n + c->u->call_id.n + c->u->path.n;
    struct dt_binding *b = dt__aor_binding(c->aor, want->uri);
    bool known = b && dt_str_eq(dt_binding_contact(b), want->uri);
    if (!known && (!want->uri.n || dt_uri_parse(&uri, want->uri, NULL)))
        return DT_E_SYNTAX;
    if (text > DT_BINDING_TEXT_MAX)
        return DT_E_RANGE;
    if (b && same_call_id(c, b)) {
        if (is_repeat(c, b, want))
            c->repeats++;
        else if (b->cseq >= c->u->cseq)
            return DT_E_STALE;
    }
    c->old[c->n++] = b;
    return DT_OK;
}

/* The same contact twice in one REGISTER would make two bindings of one. */
static bool is_twice(const struct dt_location_update *u, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (dt__same_contact(u->contacts[j].uri, u->contacts[i].uri))
            return true;
    return false;
}

static int check_contacts(struct change *c)
{
    for (size_t i = 0; i < c->u->n; i++) {
        int err = is_twice(c->u, i) ? DT_E_SYNTAX : check_contact(c, &c->u->contacts[i]);
        if (err)
            return err;
    }
    /* Some of it done and some not is no repeat, but a second request with this CSeq. */
    return c->repeats && c->repeats < c->n ? DT_E_STALE : DT_OK;
}

static int check_limits(const struct change *c)
{
    uint32_t more = 0, fewer = 0;
    for (size_t i = 0; i < c->n; i++) {
        more += c->u->contacts[i].expires != 0;
        fewer += c->old[i] && !c->old[i]->gone;
    }
    uint32_t live = c->aor ? c->aor->live : 0u;
    if (more && live - fewer + more > c->l->cfg.max_contacts)
        return DT_E_LIMIT;
    if (more > fewer && c->l->counts.bindings - fewer + more > c->l->cfg.max_bindings)
        return DT_E_RANGE;
    return DT_OK;
}

/* ---- the star: every binding goes ---- */

static int check_all_for_star(struct change *c)
{
    DT_LIST_EACH(e, &c->aor->bindings)
    {
        const struct dt_binding *b = DT_OF(e, struct dt_binding, link);
        if (!b->gone && same_call_id(c, b) && b->cseq >= c->u->cseq)
            return DT_E_STALE;
    }
    return DT_OK;
}

static void take_all(struct change *c)
{
    DT_LIST_EACH(e, &c->aor->bindings)
    {
        struct dt_binding *b = DT_OF(e, struct dt_binding, link);
        if (b->gone)
            continue;
        dt__binding_detach(c->l, b);
        dt__binding_free(c->l, b);
        c->l->counts.version++;
    }
}

/* ---- making and committing ---- */

/* A removed binding takes memory for a while; at the bound it is not remembered, which is what RFC
 * 3261 asks for and no more. */
static bool is_worth_remembering(const struct change *c)
{
    return (!c->aor || c->aor->gone < DT_CONTACTS_MAX) &&
           c->l->counts.removed < c->l->cfg.max_bindings;
}

/* A refresh as nearly all are: with the texts that are there. */
static bool is_same_but_time(const struct change *c, const struct dt_binding *b,
                             const struct dt_location_contact *want)
{
    return b && !b->gone && want->expires && dt_str_eq(dt_binding_contact(b), want->uri) &&
           same_call_id(c, b) && dt_str_eq(dt_binding_path(b), c->u->path) &&
           dt_str_eq(dt_binding_instance(b), want->instance);
}

static int make(struct change *c, size_t i, const struct dt_location_contact *want)
{
    dt_time kept = c->l->cfg.removed_kept ? c->l->cfg.removed_kept : removed_default;
    dt_time life = want->expires ? (dt_time)want->expires * DT_SECOND : kept;
    c->fresh[i] = is_same_but_time(c, c->old[i], want) ? c->old[i] : NULL;
    if (c->fresh[i])
        return DT_OK;
    if (!want->expires && !is_worth_remembering(c))
        return DT_OK;
    struct dt_binding *b = dt__binding_new(c->l, c->u, want);
    if (!b)
        return DT_E_NOMEM;
    int err = dt_timers_arm(&c->l->timers, &b->timer, c->now + life);
    if (err) {
        dt__binding_free(c->l, b);
        return err;
    }
    c->fresh[i] = b;
    return DT_OK;
}

static void unmake(struct change *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c->fresh[i] && c->fresh[i] != c->old[i])
            dt__binding_free(c->l, c->fresh[i]);
}

/* Later than all that is known of this address of record. */
static uint64_t stamp_of(const struct change *c)
{
    uint64_t stamp = c->u->wall;
    DT_LIST_EACH(e, &c->aor->bindings)
    {
        const struct dt_binding *b = DT_OF(e, struct dt_binding, link);
        if (b->stamp >= stamp)
            stamp = b->stamp + 1;
    }
    return stamp;
}

static int make_all(struct change *c, const struct dt_location_contact *contacts)
{
    for (size_t i = 0; i < c->n; i++) {
        int err = make(c, i, &contacts[i]);
        if (err) {
            unmake(c, i);
            return err;
        }
    }
    if (!c->aor && !(c->aor = dt__aor_new(c->l, c->u->aor))) {
        unmake(c, c->n);
        return DT_E_NOMEM;
    }
    c->stamp = stamp_of(c);
    return DT_OK;
}

static void prolong(const struct change *c, struct dt_binding *b,
                    const struct dt_location_contact *want)
{
    b->flow = c->u->flow;
    b->cseq = c->u->cseq;
    b->q = want->q;
    (void)dt_timers_arm(&c->l->timers, &b->timer,
                        c->now + (dt_time)want->expires * DT_SECOND); /* it is armed: no memory */
}

static void replace(const struct change *c, struct dt_binding *old, struct dt_binding *fresh)
{
    if (fresh) /* a refreshed binding keeps its place */
        dt__binding_attach(c->l, c->aor, fresh, old ? &old->link : &c->aor->bindings);
    if (old) {
        dt__binding_detach(c->l, old);
        dt__binding_free(c->l, old);
    }
}

static void commit(struct change *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct dt_binding *old = c->old[i], *fresh = c->fresh[i];
        if ((old && !old->gone) || (fresh && !fresh->gone) || c->l->cfg.twin)
            c->l->counts.version++;
        if (fresh && fresh == old)
            prolong(c, fresh, &c->u->contacts[i]);
        else
            replace(c, old, fresh);
        if (fresh) {
            fresh->stamp = c->stamp;
            dt__binding_owe(c->l, fresh);
        }
    }
}

static int update_star(struct change *c)
{
    static const struct dt_location_contact star = {{"*", 1}, {NULL, 0}, 0, 0};
    c->old[0] = dt__aor_binding(c->aor, DT_STAR);
    c->n = 1;
    if (c->old[0] && same_call_id(c, c->old[0]) && c->old[0]->cseq == c->u->cseq)
        return DT_OK; /* a repeat: what others have bound since stays */
    if (c->aor && check_all_for_star(c))
        return DT_E_STALE;
    int err = make_all(c, &star);
    if (err)
        return err;
    take_all(c);
    commit(c);
    return DT_OK;
}

static int update_contacts(struct change *c)
{
    int err = check_contacts(c);
    if (err)
        return err;
    if (!c->n || c->repeats == c->n)
        return DT_OK;
    err = check_limits(c);
    if (!err)
        err = make_all(c, c->u->contacts);
    if (!err)
        commit(c);
    return err;
}

int dt_location_update(struct dt_location *l, dt_time now, const struct dt_location_update *u)
{
    struct change c = {.l = l, .now = now, .u = u};
    if (u->n > DT_CONTACTS_MAX)
        return DT_E_LIMIT;
    if (u->aor.n + u->call_id.n > DT_BINDING_TEXT_MAX)
        return DT_E_RANGE;
    dt_location_tick(l, now); /* what has run out takes no place */
    c.aor = dt__aor_find(l, u->aor);
    int err = check_star(&c);
    if (!err)
        err = u->star ? update_star(&c) : update_contacts(&c);
    l->last = c.aor;
    if (c.aor)
        dt__aor_settle(l, c.aor);
    return err;
}
