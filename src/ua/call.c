/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The call as an object: its state, what its user is told, its end, and when it can go. A call that
 * has ended lives on for its user no more (the id is stale), but answers late messages until
 * nothing of it is under way (R27). */
#include "ua/core.h"

#include <string.h>

static const char *const state_names[] = {"calling", "ringing", "talking", "ending", "ended"};

const char *dt_call_state_name(enum dt_call_state s)
{
    return (unsigned)s <= DT_CALL_ENDED ? state_names[s] : "?";
}

/* ---- life ---- */

/* What lingers is bounded: past it the oldest is forgotten early (I37). */
static void make_room(struct dt_ua *ua)
{
    if (ua->n_lingering < DT__LINGERING * ua->cfg.max_calls)
        return;
    DT_LIST_EACH(e, &ua->calls)
    {
        struct dt_call *c = DT_OF(e, struct dt_call, link);
        if (c->closed) {
            dt__call_free(c);
            return;
        }
    }
}

static int park_timers(struct dt_call *c)
{
    int err = DT_OK;

    for (uint32_t i = 0; i < DT__CALL_TIMERS; i++)
        dt_timer_init(&c->timers[i], DT__TIMER_CALL | i);
    for (uint32_t i = 0; i < DT__CALL_TIMERS && !err; i++)
        err = dt_timers_arm(&c->ua->timers, &c->timers[i], DT__PARKED);
    return err;
}

struct dt_call *dt__call_new(struct dt_ua *ua, dt_time now, bool caller)
{
    struct dt_call *c;

    make_room(ua);
    c = dt_alloc_zero(ua->env->alloc, sizeof(*c));
    if (!c)
        return NULL;
    c->id = dt__id_new(&ua->ids, ua->env->alloc, DT__CALL, c);
    if (!c->id) {
        dt_alloc_free(ua->env->alloc, c);
        return NULL;
    }
    c->ua = ua;
    c->caller = c->known = caller;
    c->since = now;
    c->state = DT_CALL_CALLING;
    c->first_answer = true;
    dt__ua_token(ua, c->local_tag);
    dt_list_init(&c->telling);
    dt_list_init(&c->reaping);
    dt_list_init(&c->sends);
    dt_list_init(&c->forks);
    dt_list_add(&ua->calls, &c->link);
    ua->n_calls++;
    if (park_timers(c) == DT_OK)
        return c;
    dt__call_free(c);
    return NULL;
}

static void free_texts(struct dt_call *c)
{
    const struct dt_alloc *a = c->ua->env->alloc;

    dt_alloc_free(a, c->target);
    dt_alloc_free(a, c->contact_user);
    dt_alloc_free(a, c->past);
    for (size_t i = 0; i < DT_ATTEMPT_SERVERS; i++)
        dt_alloc_free(a, c->hosts[i]);
    dt_bytes_drop(c->offer);
    dt_bytes_drop(c->answer);
    dt__callee_drop_copies(c);
    dt__auth_clear(&c->auth, a);
    dt_dialog_clear(&c->dialog);
}

void dt__call_free(struct dt_call *c)
{
    struct dt_ua *ua = c->ua;

    dt__told_keep(c);
    for (int i = 0; i < DT__CALL_TIMERS; i++)
        dt_timers_stop(&ua->timers, &c->timers[i]);
    while (!dt_list_empty(&c->sends))
        dt__send_free(DT_OF(c->sends.next, struct dt__send, link));
    dt__ua_forks_clear(c);
    dt_resolver_cancel(ua->resolver, dt__id_as(c->id, DT__PRIMARY));
    dt_resolver_cancel(ua->resolver, dt__id_as(c->id, DT__BACKUP));
    if (c->in_map)
        dt_map_del(&ua->by_call_id, &c->by_call_id);
    dt__id_drop(&ua->ids, c->id);
    dt_list_del(&c->telling);
    dt_list_del(&c->reaping);
    dt_list_del(&c->link);
    ua->n_calls--;
    ua->n_lingering -= c->state == DT_CALL_ENDED;
    free_texts(c);
    dt_alloc_free(ua->env->alloc, c);
}

struct dt_call *dt__call_find(const struct dt_ua *ua, dt_call_id id)
{
    return dt__id_find(&ua->ids, id, DT__CALL);
}

int dt__call_map(struct dt_call *c, struct dt_str call_id)
{
    struct dt_map *m = &c->ua->by_call_id;
    int err;

    if (c->in_map)
        dt_map_del(m, &c->by_call_id);
    err = dt_map_add(m, &c->by_call_id, dt_map_hash(m, call_id));
    c->in_map = !err;
    return err;
}

/* ---- timers ---- */

void dt__call_arm(struct dt_call *c, enum dt__call_timer which, dt_time due)
{
    (void)dt_timers_arm(&c->ua->timers, &c->timers[which], dt_time_min(due, DT__PARKED));
}

void dt__call_stop(struct dt_call *c, enum dt__call_timer which)
{
    dt__call_arm(c, which, DT__PARKED);
}

void dt__call_timer(struct dt_call *c, dt_time now, enum dt__call_timer which)
{
    if (which == DT__T_ATTEMPT)
        dt__caller_tick(c, now);
    else if (which == DT__T_GLARE)
        dt__session_pump(c, now);
    else
        dt__callee_timer(c, now, which);
}

/* ---- state ---- */

static bool allowed(enum dt_call_state from, enum dt_call_state to)
{
    return to > from; /* the states stand in their order; a call only goes on */
}

void dt__call_set_state(struct dt_call *c, dt_time now, enum dt_call_state state)
{
    if (!allowed(c->state, state))
        return;
    dt_log(c->ua->env, DT_LOG_DEBUG, "ua", c->dialog.call_id, "call %08x: %s -> %s",
           (unsigned)(c->id >> 8 & 0xffffff), state_names[c->state], state_names[state]);
    c->state = state;
    c->since = now;
    if (state == DT_CALL_ENDED)
        c->ua->n_lingering++;
    dt__call_tell(c, state == DT_CALL_ENDED ? DT__TELL_ENDED : DT__TELL_STATE);
}

void dt__call_media(struct dt_call *c, const struct dt_media_agreed *m)
{
    c->media = *m;
    dt__call_tell(c, DT__TELL_MEDIA);
}

static void keep_reason(struct dt_call *c, struct dt_str reason)
{
    size_t n = reason.n < sizeof(c->reason) ? reason.n : sizeof(c->reason);

    if (n)
        memcpy(c->reason, reason.p, n);
    c->end.reason = (struct dt_str){c->reason, n};
}

/* I14: media stops at once. */
static void stop_media(struct dt_call *c)
{
    struct dt_media_agreed off = {.active = false, .dtmf_payload = -1, .dtmf_receive_payload = -1};

    if (c->media.active)
        dt__call_media(c, &off);
}

void dt__call_end(struct dt_call *c, dt_time now, int status, int err, struct dt_str reason,
                  bool by_peer, uint32_t retry_after)
{
    if (c->state == DT_CALL_ENDED)
        return;
    c->end = (struct dt_call_end){
        .status = status, .err = err, .by_peer = by_peer, .retry_after = retry_after};
    keep_reason(c, reason);
    for (int i = 0; i < DT__CALL_TIMERS; i++)
        if (i != DT__T_ATTEMPT)
            dt__call_stop(c, (enum dt__call_timer)i);
    stop_media(c);
    dt__session_end(c, now);
    dt__call_set_state(c, now, DT_CALL_ENDED);
    dt__call_reap(c);
}

void dt__call_end_by(struct dt_call *c, dt_time now, const struct dt_sip_msg *m)
{
    uint32_t retry_after = 0;

    (void)dt_sip_retry_after(&retry_after, dt_sip_get(m, DT_H_RETRY_AFTER));
    dt__call_end(c, now, m->status, DT_OK, m->reason, c->state != DT_CALL_ENDING, retry_after);
}

void dt__call_leaving(struct dt_call *c, dt_time now)
{
    stop_media(c);
    dt__call_set_state(c, now, DT_CALL_ENDING);
}

void dt__call_forget(struct dt_call *c, dt_time now)
{
    dt__sends_forget(&c->sends);
    if (!c->caller && c->state < DT_CALL_TALKING)
        dt__call_end(c, now, 0, DT_E_CLOSED, DT_STR_NONE, false, 0);
}

/* ---- when it can go ---- */

void dt__call_reap(struct dt_call *c)
{
    if (dt_list_empty(&c->reaping))
        dt_list_add(&c->ua->reaping, &c->reaping);
}

static bool under_way(const struct dt_call *c, dt_time now)
{
    const struct dt_list *head = &c->sends;

    for (const struct dt_list *e = head->next; e != head; e = e->next) {
        const struct dt__send *s = DT_OF(e, const struct dt__send, link);
        bool kept = s->kind == DT__INVITE || s->kind == DT__REINVITE; /* for late answers */
        if (!kept || s->tx || s->resolving)
            return true;
    }
    return c->caller && !dt_attempt_done(&c->attempt, now);
}

/* A copy of the INVITE whose proxy said 100 and died would stay for ever: no timer ends it
 * (17.1.1.2). It is left when late answers have been looked after for long enough (R27). */
static void leave_copies(struct dt_call *c, dt_time now)
{
    enum { TIMES_64 = 64 };
    dt_time due = c->since + c->ua->cfg.invite_expires + TIMES_64 * dt__ua_t1(c->ua);

    if (!c->caller || c->state != DT_CALL_ENDED || !dt_attempt_done(&c->attempt, now))
        return;
    DT_LIST_EACH(e, &c->sends)
    {
        struct dt__send *s = DT_OF(e, struct dt__send, link);
        if (s->kind == DT__INVITE && s->tx && now >= due)
            dt__twins_drop(s, now);
        else if (s->kind == DT__INVITE && s->tx)
            dt__call_arm(c, DT__T_ATTEMPT, due);
    }
}

void dt__calls_reap(struct dt_ua *ua, dt_time now)
{
    while (!dt_list_empty(&ua->reaping)) {
        struct dt_call *c = DT_OF(ua->reaping.next, struct dt_call, reaping);
        dt_list_del(&c->reaping);
        leave_copies(c, now);
        if (c->closed && !under_way(c, now))
            dt__call_free(c);
    }
}

/* ---- telling the user ---- */

void dt__call_tell(struct dt_call *c, unsigned what)
{
    if (c->closed)
        return;
    c->tell |= what;
    if (dt_list_empty(&c->telling))
        dt_list_add(&c->ua->telling, &c->telling);
}

static void tell_incoming(struct dt_call *c, dt_time now)
{
    struct dt_sip_header headers[DT__HEADERS];
    struct dt_sip_msg m;

    if (c->state == DT_CALL_ENDED ||
        dt_stack_request_of(c->ua->stack, c->tx, &m, headers, DT__HEADERS) != DT_OK ||
        dt_sip_check(&m) != DT_OK)
        return;
    c->known = true;
    c->ua->ops->incoming(c->ua->user, now, c->id, &m, m.uri.user);
}

static void tell_words(struct dt_call *c, dt_time now)
{
    if (c->words_told == c->attempt.words)
        return;
    c->words_told = c->attempt.words;
    c->ua->ops->backup(c->ua->user, now, c->id, c->words_told);
}

/* A callback may call in and add to c->tell; the call itself stays until the entry call ends. */
static void tell(struct dt_call *c, dt_time now)
{
    const struct dt_ua_user *ops = c->ua->ops;
    unsigned what = c->tell;

    c->tell = 0;
    if (what & DT__TELL_INCOMING)
        tell_incoming(c, now);
    if (!c->known)
        what &= DT__TELL_ENDED;
    if (what & DT__TELL_WORDS)
        tell_words(c, now);
    if ((what & DT__TELL_STATE) && c->state != DT_CALL_ENDED)
        ops->state(c->ua->user, now, c->id, c->state, NULL);
    if (what & DT__TELL_MEDIA)
        ops->media(c->ua->user, now, c->id, &c->media);
    if (what & DT__TELL_ENDED) {
        if (c->known)
            ops->state(c->ua->user, now, c->id, DT_CALL_ENDED, &c->end);
        c->closed = true;
        dt__id_drop(&c->ua->ids, c->id);
        dt__call_reap(c);
    }
}

void dt__call_tell_all(struct dt_ua *ua, dt_time now)
{
    while (!dt_list_empty(&ua->telling)) {
        struct dt_call *c = DT_OF(ua->telling.next, struct dt_call, telling);
        dt_list_del(&c->telling);
        tell(c, now);
    }
}

/* ---- what a person wants to see ---- */

static void view_peer(const struct dt_call *c, struct dt_call_view *out)
{
    struct dt_name_addr peer;

    if (c->dialog.state == DT_DIALOG_NONE) {
        out->peer_uri = dt_str_z(c->target);
        return;
    }
    if (dt_sip_name_addr(&peer, c->dialog.remote) == DT_OK) {
        out->peer_display = peer.display;
        out->peer_uri = peer.uri.text;
    }
}

int dt_ua_view(const struct dt_ua *ua, dt_call_id id, struct dt_call_view *out)
{
    const struct dt_call *c = dt__call_find(ua, id);

    if (!c)
        return DT_E_STALE;
    *out = (struct dt_call_view){.state = c->state,
                                 .caller = c->caller,
                                 .local_hold = c->held,
                                 .remote_hold = c->media.active && c->media.remote_hold,
                                 .since = c->since};
    view_peer(c, out);
    if (c->dialog.state != DT_DIALOG_NONE)
        out->sip_call_id = c->dialog.call_id;
    else if (c->caller)
        out->sip_call_id = dt__caller_call_id(c);
    return DT_OK;
}

/* ---- what the user does ---- */

int dt_ua_hangup(struct dt_ua *ua, dt_time now, dt_call_id id)
{
    struct dt_call *c = dt__call_find(ua, id);

    if (!c)
        return DT_E_STALE;
    if (c->state >= DT_CALL_ENDING)
        return DT_OK;
    dt__ua_enter(ua);
    if (c->state == DT_CALL_TALKING)
        dt__bye_start(c, now);
    else if (c->caller)
        dt__caller_hangup(c, now);
    else
        dt__callee_hangup(c, now);
    dt__ua_leave(ua, now);
    return DT_OK;
}
