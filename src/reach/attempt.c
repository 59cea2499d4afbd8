/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One dialling: carries out what the table of decisions says (attempt_rules.c). */
#include "reach/attempt_rules.h"

#include <string.h>

/* ---- carrying it out ---- */

enum { LEFT_S = 2, MUTE_LEFT_S = 1 }; /* R26, R24 */

static struct dt_order *order(struct dt_orders *out, enum dt_order_kind kind, unsigned path)
{
    /* DT_ATTEMPT_ORDERS holds what one event can give: the last place is never taken twice. */
    struct dt_order *o = &out->list[out->n < DT_ATTEMPT_ORDERS ? out->n++ : out->n - 1];

    *o = (struct dt_order){.kind = kind, .path = (uint8_t)path, .err = DT_OK};
    return o;
}

bool dt_path_is_open(const struct dt_path *p)
{
    return p->state == DT_PATH_CALLING || p->state == DT_PATH_PROCEEDING ||
           p->state == DT_PATH_RINGING || p->state == DT_PATH_CANCELLING;
}

static bool any_open(const struct dt_attempt *a)
{
    for (unsigned i = 0; i < a->n_paths; i++)
        if (dt_path_is_open(&a->paths[i]))
            return true;
    return false;
}

/* Has a request that is under way got through? */
static bool any_heard(const struct dt_attempt *a)
{
    for (unsigned i = 0; i < a->n_paths; i++)
        if (dt_path_is_open(&a->paths[i]) && a->paths[i].state != DT_PATH_CALLING)
            return true;
    return false;
}

static void words(struct dt_attempt *a, bool on, struct dt_orders *out, unsigned path)
{
    if (a->words == on)
        return;
    a->words = on;
    order(out, on ? DT_ORDER_WORDS_ON : DT_ORDER_WORDS_OFF, path);
}

/* The only writer of a path's state. How long it is remembered: R27; a failure only as long as the
 * transaction of it lives (timer D). */
static void set_state(struct dt_attempt *a, dt_time now, struct dt_path *p, enum dt_path_state s)
{
    dt_time t64 = 64 * a->cfg.t1;

    if (s == p->state)
        return;
    if (s == DT_PATH_FAILED)
        p->keep_until = now + t64;
    else if ((s == DT_PATH_GONE || s == DT_PATH_STOPPED) && p->keep_until == DT_TIME_NEVER)
        p->keep_until = now + a->cfg.ring_time + t64;
    if (s != DT_PATH_PROCEEDING && s != DT_PATH_RINGING)
        p->ring_over = DT_TIME_NEVER;
    p->left_at = DT_TIME_NEVER;
    if (s == DT_PATH_CANCELLING && a->cfg.policy == DT_REACH_FAST && a->phase == DT_ATTEMPT_TRYING)
        p->left_at = now + LEFT_S * DT_SECOND;
    p->state = s;
}

static void end(struct dt_attempt *a, struct dt_orders *out, unsigned path, int err)
{
    words(a, false, out, path);
    a->asked = false;
    a->phase = DT_ATTEMPT_OVER;
    order(out, DT_ORDER_END, path)->err = err;
}

static void open_path(struct dt_attempt *a, dt_time now, bool renew, struct dt_orders *out)
{
    unsigned i = a->n_paths++;
    struct dt_path *p = &a->paths[i];

    *p = (struct dt_path){.state = DT_PATH_CALLING,
                          .server = (uint8_t)a->server,
                          .tries = 1,
                          .target = a->found[a->server].list[a->target],
                          .sent = now,
                          .ring_over = DT_TIME_NEVER,
                          .left_at = DT_TIME_NEVER,
                          .keep_until = DT_TIME_NEVER};
    if (a->server > 0)
        words(a, true, out, i); /* R28: when the backup is tried */
    /* The backup is a new attempt with a Call-ID of its own (RFC 3665 3.4, R26); another address of
       the same server only a new transaction (RFC 3263 4.3). */
    order(out, DT_ORDER_OPEN, i)->fresh =
        a->cfg.policy == DT_REACH_FAST ? renew : i > 0 && a->paths[i - 1].server != a->server;
    a->target++;
}

static bool is_usable(const struct dt_attempt *a, dt_time now, unsigned server, unsigned target)
{
    return !a->cfg.known || dt_targets_usable(a->cfg.known, now, &a->found[server].list[target]);
}

/* Is there one behind this that is worth more than one known to be down? */
static bool has_better(const struct dt_attempt *a, dt_time now)
{
    for (unsigned s = a->server; s < a->cfg.servers; s++) {
        if (!a->found[s].known)
            return true;
        for (unsigned i = s == a->server ? a->target + 1 : 0; i < a->found[s].n; i++)
            if (is_usable(a, now, s, i))
                return true;
    }
    return false;
}

/* Who is believed to be down comes after the others, not never. */
static bool open_skipped(struct dt_attempt *a, dt_time now, bool renew, struct dt_orders *out)
{
    for (unsigned s = 0; s < a->cfg.servers; s++)
        for (unsigned i = 0; i < a->found[s].n; i++) {
            if (!(a->found[s].skipped >> i & 1))
                continue;
            a->found[s].skipped &= (uint8_t) ~(1u << i);
            a->server = s;
            a->target = i;
            open_path(a, now, renew, out);
            a->server = a->cfg.servers;
            return true;
        }
    return false;
}

/* The next target, over all of the servers; waits for one whose targets are not known yet. Known
 * down: skipped under `fast`, if there is another. True: a path was opened, or is waited for. */
static bool advance(struct dt_attempt *a, dt_time now, bool renew, struct dt_orders *out)
{
    a->asked = false;
    for (; a->server < a->cfg.servers; a->server++, a->target = 0) {
        if (!a->found[a->server].known) {
            a->asked = true;
            a->anew = renew;
            return true;
        }
        while (a->target < a->found[a->server].n && !is_usable(a, now, a->server, a->target) &&
               has_better(a, now)) {
            a->found[a->server].skipped |= (uint8_t)(1u << a->target);
            a->target++;
        }
        if (a->target < a->found[a->server].n) {
            open_path(a, now, renew, out);
            return true;
        }
    }
    return open_skipped(a, now, renew, out);
}

/* All were tried: the first that may live, and none behind it. */
static bool open_again(struct dt_attempt *a, dt_time now, struct dt_orders *out)
{
    a->server = 0;
    a->target = 0;
    if (!advance(a, now, true, out))
        return false;
    a->server = a->cfg.servers;
    for (unsigned s = 0; s < a->cfg.servers; s++)
        a->found[s].skipped = 0;
    return true;
}

/* R26: at the next target, or once more at one that was tried. */
static bool advance_anew(struct dt_attempt *a, dt_time now, struct dt_orders *out)
{
    return advance(a, now, true, out) || open_again(a, now, out);
}

/* Beside a path that got through none is opened, also where the one that is asked for one, or was
 * waited for, comes late (R21, R25). */
static void next(struct dt_attempt *a, dt_time now, bool anew, struct dt_orders *out, unsigned path)
{
    if (any_heard(a))
        a->asked = false;
    else if (!(anew ? advance_anew(a, now, out) : advance(a, now, false, out)) && !any_open(a))
        end(a, out, path, a->err);
}

/* Once per dialling (R26). */
static void renew(struct dt_attempt *a, dt_time now, struct dt_orders *out, unsigned path)
{
    if (a->renewed)
        end(a, out, path, a->err);
    else
        next(a, now, true, out, path);
    a->renewed = true;
    a->renewal_due = false;
}

static void cancel_others(struct dt_attempt *a, dt_time now, unsigned path, struct dt_orders *out)
{
    for (unsigned i = 0; i < a->n_paths; i++) {
        struct dt_path *p = &a->paths[i];
        if (i == path || (p->state != DT_PATH_PROCEEDING && p->state != DT_PATH_RINGING))
            continue;
        set_state(a, now, p, DT_PATH_CANCELLING);
        order(out, DT_ORDER_CANCEL, i);
    }
}

/* The request goes again on the same path: a new transaction. */
static void again(struct dt_attempt *a, dt_time now, unsigned path, bool redirect,
                  struct dt_orders *out)
{
    struct dt_path *p = &a->paths[path];

    if (redirect)
        a->redirects++;
    a->asked = false; /* this one lives */
    p->tries = redirect ? 1 : (uint8_t)(p->tries + 1);
    p->sent = now;
    p->ring_over = DT_TIME_NEVER;
    order(out, redirect ? DT_ORDER_REDIRECT : DT_ORDER_AUTH, path);
}

/* No path is open any more. A renewal that is due comes before the next target, and before the end
 * that another path brought. */
static void go_on(struct dt_attempt *a, dt_time now, unsigned path, unsigned acts,
                  struct dt_orders *out)
{
    bool due = a->phase == DT_ATTEMPT_TRYING && a->renewal_due && !a->renewed;

    if (due || (acts & NEXT_NEW))
        renew(a, now, out, path);
    else if (acts & NEXT_LAST)
        next(a, now, false, out, path);
    else if (a->phase == DT_ATTEMPT_TRYING || a->phase == DT_ATTEMPT_LEAVING)
        end(a, out, path, a->err);
}

static void perform(struct dt_attempt *a, dt_time now, unsigned path, unsigned acts,
                    struct dt_orders *out)
{
    static const struct {
        unsigned act;
        enum dt_order_kind kind;
    } simple[] = {{ACK, DT_ORDER_ACK},
                  {ACK_BYE, DT_ORDER_ACK_BYE},
                  {ACCEPT, DT_ORDER_ACCEPT},
                  {PROGRESS, DT_ORDER_PROGRESS},
                  {CANCEL, DT_ORDER_CANCEL}};
    struct dt_path *p = &a->paths[path];

    if (acts & WORDS_OFF)
        words(a, false, out, path);
    for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++)
        if (acts & simple[i].act)
            order(out, simple[i].kind, path);
    if (acts & ACCEPT)
        a->phase = DT_ATTEMPT_TAKEN;
    if ((acts & ARM) && p->ring_over == DT_TIME_NEVER)
        p->ring_over = p->sent + a->cfg.ring_time;
    if (acts & CANCEL_OTHERS)
        cancel_others(a, now, path, out);
    if (acts & (AUTH | REDIRECT))
        again(a, now, path, acts & REDIRECT, out);
    if (acts & WORDS_ON)
        words(a, true, out, path);
    if (acts & NEXT)
        next(a, now, false, out, path);
    if (acts & END)
        end(a, out, path, a->err);
    if (acts & NEXT_NEW)
        a->renewal_due = true;
    if ((acts & (NEXT_LAST | NEXT_NEW | END_LAST)) && !any_open(a))
        go_on(a, now, path, acts, out);
}

/* What may not be repeated for ever is a plain failure after its last try (I28; RFC 3261 8.1.3.4
 * wants redirections bounded). */
static enum dt_path_event bounded(const struct dt_attempt *a, unsigned path, enum dt_path_event e)
{
    if (e == DT_PATH_EV_AUTH && a->paths[path].tries >= DT_ATTEMPT_TRIES)
        return DT_PATH_EV_FINAL;
    if (e == DT_PATH_EV_REDIRECT && a->redirects >= DT_ATTEMPT_REDIRECTS)
        return DT_PATH_EV_FINAL;
    return e;
}

/* What was decided, for `why`. */
static void note(struct dt_attempt *a, const struct dt_attempt_step *step,
                 const struct dt_orders *out, size_t from)
{
    struct dt_attempt_step *s = &a->steps[a->n_steps++ % DT_ATTEMPT_STEPS];

    *s = *step;
    s->after = a->paths[s->path].state;
    for (size_t i = from; i < out->n && s->n_orders < DT_ATTEMPT_STEP_ORDERS; i++)
        s->orders[s->n_orders++] = out->list[i];
}

static void apply(struct dt_attempt *a, dt_time now, unsigned path, enum dt_path_event e,
                  struct dt_orders *out)
{
    struct dt_path *p = &a->paths[path];
    struct dt_attempt_step step = {.at = now, .path = (uint8_t)path, .before = p->state};
    const struct dt__attempt_rule *rule;
    size_t before = out->n;
    int row;

    e = bounded(a, path, e);
    row = dt_attempt_rule(a->cfg.policy, a->phase, p->state, e);
    if (row < 0)
        return;
    step.row = row;
    step.event = e;
    step.phase = a->phase;
    step.status = e < DT_PATH_EV_TIMEOUT ? p->status : 0;
    rule = dt__attempt_rule_at(row);
    if (rule->next != DT__RULE_SAME)
        set_state(a, now, p, rule->next);
    if (e == DT_PATH_EV_MUTE) /* its proxy lives, and has passed the CANCEL on */
        p->left_at = now + MUTE_LEFT_S * DT_SECOND;
    perform(a, now, path, rule->acts, out);
    note(a, &step, out, before);
}

/* ---- public ---- */

/* Sends lie at (2^k - 1) T1; the next one after the last would come at (2^(repeats+1) - 1) T1. */
dt_time dt_attempt_patience(dt_time t1, unsigned repeats)
{
    return repeats >= 6 ? 64 * t1 : t1 * ((1 << (repeats + 1)) - 1);
}

void dt_attempt_init(struct dt_attempt *a, const struct dt_attempt_config *cfg)
{
    memset(a, 0, sizeof(*a));
    a->cfg = *cfg;
    a->phase = DT_ATTEMPT_TRYING;
    a->asked = true;
    a->err = DT_E_UNREACHABLE;
}

void dt_attempt_found(struct dt_attempt *a, dt_time now, unsigned server,
                      const struct dt_addr *targets, size_t n, int err, struct dt_orders *out)
{
    if (server >= DT_ATTEMPT_SERVERS || a->found[server].known)
        return;
    if (n > DT_ATTEMPT_TARGETS)
        n = DT_ATTEMPT_TARGETS;
    a->found[server].known = true;
    a->found[server].n = (uint8_t)n;
    if (n)
        memcpy(a->found[server].list, targets, n * sizeof(*targets));
    else if (err)
        a->err = err;
    if (a->phase == DT_ATTEMPT_TRYING && a->asked && server == a->server)
        next(a, now, a->anew, out, 0);
}

/* A dead target matters only if there is another that lives. */
static bool leads_on(const struct dt_attempt *a, dt_time now)
{
    if (a->server < a->cfg.servers && a->target < a->found[a->server].n &&
        is_usable(a, now, a->server, a->target))
        return true;
    return has_better(a, now);
}

void dt_attempt_event(struct dt_attempt *a, dt_time now, unsigned path, enum dt_path_event e,
                      int err, struct dt_orders *out)
{
    bool lost = e == DT_PATH_EV_TIMEOUT || e == DT_PATH_EV_ERROR;

    if (path >= a->n_paths || e == DT_PATH_EV_RING_OVER || e == DT_PATH_EV_HANGUP ||
        e == DT_PATH_EV_LEFT || (e == DT_PATH_EV_DEAD && !leads_on(a, now)))
        return;
    if (a->phase == DT_ATTEMPT_TRYING && dt_path_is_open(&a->paths[path]) && e < DT_PATH_EV_DEAD)
        a->err = lost ? err : DT_OK;
    apply(a, now, path, e, out);
}

/* Every path is told; what is still open decides whether the end comes now. */
static void leave(struct dt_attempt *a, dt_time now, enum dt_path_event e, int err,
                  struct dt_orders *out)
{
    a->err = err;
    a->asked = false;
    words(a, false, out, a->n_paths ? a->n_paths - 1 : 0);
    for (unsigned i = 0; i < a->n_paths; i++)
        apply(a, now, i, e, out);
    a->phase = DT_ATTEMPT_LEAVING;
    if (!any_open(a))
        end(a, out, 0, err);
}

void dt_attempt_status(struct dt_attempt *a, unsigned path, int status)
{
    if (path < a->n_paths)
        a->paths[path].status = (uint16_t)status;
}

void dt_attempt_hangup(struct dt_attempt *a, dt_time now, struct dt_orders *out)
{
    if (a->phase == DT_ATTEMPT_TRYING)
        leave(a, now, DT_PATH_EV_HANGUP, DT_OK, out);
    else if (a->phase == DT_ATTEMPT_TAKEN)
        a->phase = DT_ATTEMPT_OVER; /* the BYE is the owner's */
}

dt_time dt_attempt_deadline(const struct dt_attempt *a)
{
    dt_time due = DT_TIME_NEVER;

    for (unsigned i = 0; i < a->n_paths; i++) {
        due = dt_time_min(due, a->paths[i].ring_over);
        due = dt_time_min(due, a->paths[i].left_at);
        due = dt_time_min(due, a->paths[i].keep_until);
    }
    return due;
}

void dt_attempt_tick(struct dt_attempt *a, dt_time now, struct dt_orders *out)
{
    for (unsigned i = 0; i < a->n_paths; i++) {
        struct dt_path *p = &a->paths[i];
        if (p->keep_until <= now)
            p->keep_until = DT_TIME_NEVER;
        if (p->left_at <= now) {
            p->left_at = DT_TIME_NEVER;
            apply(a, now, i, DT_PATH_EV_LEFT, out);
        }
        if (p->ring_over <= now && a->phase == DT_ATTEMPT_TRYING)
            leave(a, now, DT_PATH_EV_RING_OVER, DT_E_TIMEOUT, out);
    }
}

bool dt_attempt_done(const struct dt_attempt *a, dt_time now)
{
    (void)now;
    if (a->phase == DT_ATTEMPT_TRYING || a->phase == DT_ATTEMPT_LEAVING || any_open(a))
        return false;
    for (unsigned i = 0; i < a->n_paths; i++)
        if (a->paths[i].keep_until != DT_TIME_NEVER)
            return false;
    return true;
}
