/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the user agent knows of its targets and calls, as JSON (`dualtone why`). */
#include "ua/core.h"

#include <string.h>

/* ---- a call, drawn up ---- */

static void put_text(char *out, size_t size, struct dt_str s)
{
    size_t n = s.n < size ? s.n : size - 1;

    if (n)
        memcpy(out, s.p, n);
    out[n] = '\0';
}

static void draw_path(struct dt__told_path *p, const struct dt_call *c, unsigned i)
{
    const struct dt__send *s = c->paths[i];

    p->at = c->attempt.paths[i].target;
    if (!s)
        return;
    if (s->hop.remote.family)
        p->at = s->hop.remote;
    p->has_copy = s->twin.tx != 0;
    p->copy = s->twin.hop.remote;
    p->copy_heard = s->twin.heard;
}

/* The other side, and the Call-ID; also of a call whose id is stale. */
static void draw_names(struct dt__told *t, const struct dt_call *c)
{
    struct dt_str who = c->caller ? dt_str_z(c->target) : DT_STR_NONE, call_id = DT_STR_NONE;
    struct dt_name_addr peer;
    struct dt_uri uri;

    if (!c->caller && dt_sip_name_addr(&peer, c->dialog.remote) == DT_OK)
        who = peer.uri.text;
    if (c->dialog.state != DT_DIALOG_NONE)
        call_id = c->dialog.call_id;
    else if (c->caller)
        call_id = dt__caller_call_id(c);
    put_text(t->who, sizeof(t->who), who);
    put_text(t->call_id, sizeof(t->call_id), call_id);
    if (dt_uri_parse(&uri, who, NULL) == DT_OK)
        put_text(t->user, sizeof(t->user), uri.user);
}

static void draw_up(struct dt__told *t, const struct dt_call *c)
{
    *t = (struct dt__told){.number = c->number,
                           .caller = c->caller,
                           .state = c->state,
                           .since = c->since,
                           .end = c->end,
                           .attempt = c->attempt};
    put_text(t->reason, sizeof(t->reason), c->end.reason);
    t->end.reason = DT_STR_NONE; /* it pointed into the call */
    draw_names(t, c);
    for (unsigned i = 0; i < c->attempt.n_paths; i++)
        draw_path(&t->paths[i], c, i);
}

void dt__told_keep(const struct dt_call *c)
{
    if (c->closed)
        draw_up(&c->ua->told[c->ua->n_told++ % DT__TOLD], c);
}

void dt_ua_call_number(struct dt_ua *ua, dt_call_id id, uint32_t number)
{
    struct dt_call *c = dt__call_find(ua, id);

    if (c)
        c->number = number;
}

/* ---- a call, told ---- */

struct telling {
    const struct dt__told *t;
    const struct dt_call *live; /* NULL: it has gone */
    dt_time now;
};

static void tell_path(void *ctx, struct dt_json *j, unsigned path)
{
    const struct telling *w = ctx;
    const struct dt__told_path *p = &w->t->paths[path];
    char text[DT_ADDR_TEXT_MAX];

    if (!dt_addr_ip_eq(&p->at, &w->t->attempt.paths[path].target))
        dt_json_z(j, "moved_to", dt_addr_text(&p->at, text));
    if (!p->has_copy)
        return;
    dt_json_z(j, "copy_at", dt_addr_text(&p->copy, text));
    dt_json_bool(j, "copy_answered", p->copy_heard);
}

static void tell_next(void *ctx, struct dt_json *j)
{
    static const char *const texts[] = {
        [DT__WAIT_ANSWER] = "without any answer by then, a copy goes to its twin, if it has one",
        [DT__WAIT_CALLEE] = "if the callee says nothing by then, it counts as mute",
        [DT__WAIT_CANCELLED] = "without its end by then, the twin is told to cancel too",
    };
    const struct telling *w = ctx;

    for (unsigned i = 0; w->live && i < w->t->attempt.n_paths; i++) {
        const struct dt__send *s = w->live->paths[i];
        if (s && s->patience.due != DT_TIME_NEVER)
            dt_why_next(j, w->now, s->patience.due, i, "%s", texts[s->wait]);
    }
}

static void tell_end(struct dt_json *j, const struct dt__told *t)
{
    dt_json_open(j, "end", '{');
    dt_json_int(j, "status", t->end.status);
    dt_json_z(j, "reason", t->reason);
    dt_json_z(j, "error", t->end.err ? dt_err_text(t->end.err) : NULL);
    dt_json_bool(j, "by_peer", t->end.by_peer);
    dt_json_close(j, '}');
}

/* What is under way inside the call. */
static void tell_requests(struct dt_json *j, dt_time now, const struct dt_call *c)
{
    char text[DT_ADDR_TEXT_MAX];

    dt_json_open(j, "requests", '[');
    for (const struct dt_list *e = c->sends.next; e != &c->sends; e = e->next) {
        struct dt__send *s = DT_OF(e, struct dt__send, link);
        if (s->kind == DT__INVITE || !s->tx)
            continue;
        dt_json_open(j, NULL, '{');
        dt_json_z(j, "method", dt_method_name(dt__send_method(s)));
        dt_why_addr(j, "address", &s->hop.remote);
        dt_why_age(j, "sent_ms", now, s->sent);
        dt_json_bool(j, "answered", s->heard);
        if (s->twin.tx)
            dt_json_z(j, "copy_at", dt_addr_text(&s->twin.hop.remote, text));
        dt_json_close(j, '}');
    }
    dt_json_close(j, ']');
}

static void tell_call(struct dt_json *j, dt_time now, const struct dt__told *t,
                      const struct dt_call *live)
{
    struct telling w = {.t = t, .live = live, .now = now};
    const struct dt_why_more more = {.path = tell_path, .next = tell_next, .ctx = &w};

    dt_json_open(j, NULL, '{');
    dt_json_int(j, "number", t->number);
    dt_json_z(j, "direction", t->caller ? "out" : "in");
    dt_json_z(j, "who", t->who);
    dt_json_z(j, "call_id", t->call_id);
    dt_json_z(j, "state", dt_call_state_name(t->state));
    dt_why_age(j, "since_ms", now, t->since);
    if (t->state == DT_CALL_ENDED)
        tell_end(j, t);
    if (live)
        tell_requests(j, now, live);
    if (t->caller)
        dt_why_attempt(j, now, &t->attempt, &more);
    dt_json_close(j, '}');
}

/* ---- which ---- */

static bool is_meant(const struct dt__told *t, struct dt_str which)
{
    uint64_t number;

    if (!which.n || dt_str_eq(which, dt_str_z(t->call_id)) || dt_str_eq(which, dt_str_z(t->who)) ||
        dt_str_eq(which, dt_str_z(t->user)))
        return true;
    return t->number && dt_str_u64(which, UINT32_MAX, &number) == DT_OK && number == t->number;
}

/* Calls in ua->calls, newest first; at most `max` of them. */
static unsigned tell_listed(const struct dt_ua *ua, dt_time now, struct dt_str which, bool ended,
                            unsigned max, struct dt_json *j)
{
    unsigned n = 0;

    for (const struct dt_list *e = ua->calls.prev; e != &ua->calls && n < max; e = e->prev) {
        const struct dt_call *c = DT_OF(e, const struct dt_call, link);
        struct dt__told t;
        if ((c->state == DT_CALL_ENDED) != ended)
            continue;
        draw_up(&t, c);
        if (!is_meant(&t, which))
            continue;
        tell_call(j, now, &t, c);
        n++;
    }
    return n;
}

static unsigned tell_gone(const struct dt_ua *ua, dt_time now, struct dt_str which, unsigned max,
                          struct dt_json *j)
{
    unsigned oldest = ua->n_told > DT__TOLD ? ua->n_told - DT__TOLD : 0, n = 0;

    for (unsigned i = ua->n_told; i-- > oldest && n < max;) {
        const struct dt__told *t = &ua->told[i % DT__TOLD];
        if (!is_meant(t, which))
            continue;
        tell_call(j, now, t, NULL);
        n++;
    }
    return n;
}

/* Who names a call means those under way; if there is none, the newest that ended. */
static int tell_calls(const struct dt_ua *ua, dt_time now, struct dt_str which, struct dt_json *j)
{
    unsigned n;

    dt_json_open(j, "calls", '[');
    n = tell_listed(ua, now, which, false, UINT32_MAX, j);
    if (!n || !which.n)
        n += tell_listed(ua, now, which, true, which.n ? 1 : DT__TOLD, j);
    if (!n || !which.n)
        n += tell_gone(ua, now, which, which.n ? 1 : DT__TOLD, j);
    dt_json_close(j, ']');
    return n || !which.n ? DT_OK : DT_E_ABSENT;
}

static int tell_targets(const struct dt_ua *ua, dt_time now, struct dt_str which, struct dt_json *j)
{
    struct dt_addr addr = {.family = 0};
    unsigned n = 0;

    if (which.n && dt_addr_parse(&addr, which) != DT_OK)
        return DT_E_SYNTAX;
    dt_json_open(j, "targets", '[');
    for (size_t i = 0; i < ua->known.n; i++) {
        const struct dt_target *g = &ua->known.list[i];
        if (which.n &&
            (!dt_addr_ip_eq(&addr, &g->addr) || (addr.port && addr.port != g->addr.port)))
            continue;
        dt_why_target(j, now, &ua->known, g, dt__known_need(ua, now));
        n++;
    }
    dt_json_close(j, ']');
    return n || !which.n ? DT_OK : DT_E_ABSENT;
}

static void tell_counters(const struct dt_ua *ua, struct dt_json *j)
{
    const struct dt_stack_counts *counts = dt_stack_counts(ua->stack);

    dt_json_open(j, "dropped", '[');
#define X(name, text_) \
    dt_json_open(j, NULL, '{'); \
    dt_json_int(j, "count", (int64_t)ua->drops.name); \
    dt_json_z(j, "what", text_); \
    dt_json_close(j, '}');
    DT_UA_DROPS(X)
#undef X
    dt_json_close(j, ']');
    dt_json_open(j, "stack", '{');
#define X(name, text_) dt_json_int(j, #name, (int64_t)counts->name);
    DT_STACK_COUNTS(X)
#undef X
    dt_json_close(j, '}');
}

int dt_ua_why(const struct dt_ua *ua, dt_time now, const struct dt_ua_question *q,
              struct dt_json *j)
{
    int err = DT_OK;

    if (q->targets)
        err = tell_targets(ua, now, q->which, j);
    if (q->calls && !err)
        err = tell_calls(ua, now, q->which, j);
    if (!q->which.n)
        tell_counters(ua, j);
    return err;
}
