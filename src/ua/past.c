/* SPDX-License-Identifier: BSD-2-Clause
 *
 * R11: INVITEs that have ended, remembered by branch and sent-by for Expires + 64 T1, so that a
 * copy which comes late, by a proxy that woke up, gets the same final and rings nobody. A proxy
 * that is not of the cluster has a branch of its own: its copy is known by what a caller never
 * repeats for another request (RFC 3261 8.1.1.4, 8.1.1.5, 19.3). */
#include "ua/core.h"

#include <string.h>

enum { REQUEST_MAX = 1024 };

static void forget(struct dt_ua *ua, struct dt__past *p)
{
    dt_timers_stop(&ua->timers, &p->timer);
    dt_map_del(&ua->pasts, &p->entry);
    dt_map_del(&ua->past_requests, &p->by_request);
    dt_list_del(&p->link);
    dt_bytes_drop(p->ok);
    dt_alloc_free(ua->env->alloc, p);
    ua->n_pasts--;
}

void dt__past_timer(struct dt_ua *ua, struct dt__past *p)
{
    forget(ua, p);
}

void dt__pasts_clear(struct dt_ua *ua)
{
    while (!dt_list_empty(&ua->past_list))
        forget(ua, DT_OF(ua->past_list.next, struct dt__past, link));
}

/* branch, a byte that is in none, sent-by */
static size_t write_key(char *out, const struct dt_sip_msg *m)
{
    if (m->via.branch.n)
        memcpy(out, m->via.branch.p, m->via.branch.n);
    out[m->via.branch.n] = ' ';
    memcpy(out + m->via.branch.n + 1, m->via.sent_by.p, m->via.sent_by.n);
    return m->via.branch.n + 1 + m->via.sent_by.n;
}

/* Empty if it does not fit. The Request-URI too: two lines here may be two steps of one search,
 * which a proxy tries one after the other. */
static struct dt_str write_request(char *out, size_t max, const struct dt_sip_msg *m)
{
    struct dt_writer w = dt_writer(out, max);

    dt_writef(&w, "%.*s %.*s %lu %.*s", DT_FMT(m->call_id), DT_FMT(m->from.tag),
              (unsigned long)m->cseq.number, DT_FMT(m->uri.text));
    return w.err ? DT_STR_NONE : dt_writer_str(&w);
}

int dt__past_new(struct dt_call *c, const struct dt_sip_msg *m)
{
    size_t n = m->via.branch.n + 1 + m->via.sent_by.n;
    char buf[REQUEST_MAX];
    struct dt_str request = write_request(buf, sizeof(buf), m);
    struct dt__past *p = dt_alloc_zero(c->ua->env->alloc, sizeof(*p) + n + DT__TOKEN + request.n);

    if (!p)
        return DT_E_NOMEM;
    p->key = (struct dt_str){p->text, write_key(p->text, m)};
    p->request = (struct dt_str){p->text + n + DT__TOKEN, request.n};
    if (request.n)
        memcpy(p->text + n + DT__TOKEN, request.p, request.n);
    memcpy(p->text + n, c->local_tag, DT__TOKEN);
    p->tag = (struct dt_str){p->text + n, DT__TOKEN};
    dt_timer_init(&p->timer, DT__TIMER_PAST);
    c->past = p;
    return DT_OK;
}

static void make_room(struct dt_ua *ua)
{
    unsigned max = DT__LINGERING * ua->cfg.max_calls;

    if (max < DT__PASTS_MIN)
        max = DT__PASTS_MIN;
    if (ua->n_pasts >= max)
        forget(ua, DT_OF(ua->past_list.next, struct dt__past, link));
}

/* Without memory nothing is remembered: a late copy would ring, which loses nothing. */
void dt__past_add(struct dt_call *c, dt_time now, int status, struct dt_bytes *ok)
{
    struct dt_ua *ua = c->ua;
    struct dt__past *p = c->past;
    dt_time expires = c->invite_expires ? c->invite_expires : ua->cfg.invite_expires;

    if (!p)
        return;
    make_room(ua);
    c->past = NULL;
    if (dt_map_add(&ua->pasts, &p->entry, dt_map_hash(&ua->pasts, p->key)) != DT_OK) {
        dt_alloc_free(ua->env->alloc, p);
        return;
    }
    if (dt_map_add(&ua->past_requests, &p->by_request,
                   dt_map_hash(&ua->past_requests, p->request)) != DT_OK) {
        dt_map_del(&ua->pasts, &p->entry);
        dt_alloc_free(ua->env->alloc, p);
        return;
    }
    p->status = status;
    p->ok = ok ? dt_bytes_hold(ok) : NULL;
    dt_list_add(&ua->past_list, &p->link);
    ua->n_pasts++;
    if (dt_timers_arm(&ua->timers, &p->timer, now + expires + 64 * dt__ua_t1(ua)) != DT_OK)
        forget(ua, p);
}

static bool is_key(struct dt_str key, const struct dt_sip_msg *m)
{
    struct dt_str branch = m->via.branch, sent_by = m->via.sent_by;

    return key.n == branch.n + 1 + sent_by.n && dt_str_eq(dt_str_sub(key, 0, branch.n), branch) &&
           key.p[branch.n] == ' ' && dt_str_eq(dt_str_sub(key, branch.n + 1, key.n), sent_by);
}

static struct dt__past *find(struct dt_ua *ua, const struct dt_sip_msg *m)
{
    char buf[1024];
    struct dt_map_entry *e;
    struct dt_str key;

    if (m->via.branch.n == 0 || m->via.branch.n + 1 + m->via.sent_by.n > sizeof(buf))
        return NULL;
    key = (struct dt_str){buf, write_key(buf, m)};
    for (e = dt_map_first(&ua->pasts, dt_map_hash(&ua->pasts, key)); e; e = dt_map_next(e))
        if (is_key(DT_OF(e, struct dt__past, entry)->key, m))
            return DT_OF(e, struct dt__past, entry);
    return NULL;
}

/* The same request by another way. One that was cancelled is left out: a search may come back. */
static struct dt__past *find_merged(struct dt_ua *ua, const struct dt_sip_msg *m)
{
    char buf[REQUEST_MAX];
    struct dt_str request = write_request(buf, sizeof(buf), m);
    struct dt_map_entry *e =
        dt_map_first(&ua->past_requests, dt_map_hash(&ua->past_requests, request));

    for (; request.n && e; e = dt_map_next(e)) {
        struct dt__past *p = DT_OF(e, struct dt__past, by_request);
        if (p->status != 487 && dt_str_eq(p->request, request))
            return p;
    }
    return NULL;
}

/* The 2xx as it was, with the Via list of the copy (R7). */
/* The 2xx for this copy of its INVITE (R7). */
static struct dt_bytes *ok_for(struct dt_ua *ua, const struct dt__past *p,
                               const struct dt_sip_msg *m, const struct dt_hop *from)
{
    struct dt_sip_header headers[DT__HEADERS];
    struct dt_sip_msg ok;
    struct dt_bytes *bytes;

    if (dt__ua_parse(p->ok, &ok, headers) != DT_OK ||
        dt_sip_answer_copy(&ok, m, &from->remote, ua->env->alloc, &bytes) != DT_OK)
        bytes = dt_bytes_hold(p->ok);
    return bytes;
}

static void answer_ok(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt__past *p,
                      const struct dt_sip_msg *m)
{
    struct dt_hop from;
    struct dt_bytes *bytes;

    if (dt_stack_hop_of(ua->stack, tx, &from) != DT_OK)
        return;
    bytes = ok_for(ua, p, m, &from);
    (void)dt_stack_respond(ua->stack, now, tx, p->status, bytes);
    dt_bytes_drop(bytes);
}

void dt__past_repeat(struct dt_ua *ua, dt_time now, const struct dt_sip_msg *m,
                     const struct dt_hop *from)
{
    struct dt__past *p = find(ua, m);
    struct dt_bytes *bytes;

    if (!p || !p->ok)
        return;
    bytes = ok_for(ua, p, m, from);
    (void)dt_stack_send(ua->stack, now, bytes, from);
    dt_bytes_drop(bytes);
}

bool dt__past_answer(struct dt_ua *ua, dt_time now, dt_tx tx, const struct dt_sip_msg *m)
{
    struct dt__past *p = find(ua, m);

    if (!p) {
        p = m->to.tag.n ? NULL : find_merged(ua, m);
        if (p) /* 8.2.2.2: one call is enough; a failure holds here too */
            dt__ua_answer(ua, now, tx, p->ok ? 482 : p->status, NULL);
        return p;
    }
    if (p->ok)
        answer_ok(ua, now, tx, p, m);
    else
        (void)dt_stack_answer(ua->stack, now, tx, p->status, p->tag, DT_STR_NONE);
    return true;
}
