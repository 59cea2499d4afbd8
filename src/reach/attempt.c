/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of decisions of one dialling (design.md 5). Each row says under which policy, in which
 * phase of the attempt and in which state of the path an event moves the path, and what is ordered.
 * The columns are the policies of R28. */
#include "dualtone/reach.h"

#include <string.h>

/* ---- names ---- */

static const char *const state_names[] = {
#define X(name, text) text,
    DT_PATH_STATES(X)
#undef X
};
static const char *const event_names[] = {
#define X(name, text) text,
    DT_PATH_EVENTS(X)
#undef X
};
static const char *const order_names[] = {
#define X(name, text) text,
    DT_ORDERS(X)
#undef X
};

const char *dt_path_state_name(enum dt_path_state s)
{
    return (unsigned)s < DT_PATH_STATE_COUNT ? state_names[s] : "?";
}

const char *dt_path_event_name(enum dt_path_event e)
{
    return (unsigned)e < DT_PATH_EVENT_COUNT ? event_names[e] : "?";
}

const char *dt_order_name(enum dt_order_kind k)
{
    return (unsigned)k < DT_ORDER_COUNT ? order_names[k] : "?";
}

/* The rows of R21 by status. */
enum dt_path_event dt_path_event_of(int status)
{
    if (status < 200)
        return status == 100 ? DT_PATH_EV_100 : DT_PATH_EV_1XX;
    if (status < 300)
        return DT_PATH_EV_2XX;
    if (status < 400)
        return DT_PATH_EV_REDIRECT;
    switch (status) {
    case 401:
    case 407:
        return DT_PATH_EV_AUTH;
    case 408:
    case 430:
    case 482:
        return DT_PATH_EV_SOFT;
    case 503:
        return DT_PATH_EV_BUSY_HOP;
    default:
        return status >= 500 && status < 600 ? DT_PATH_EV_SOFT : DT_PATH_EV_FINAL;
    }
}

/* ---- the table ---- */

enum column { GUIDE = 1, FAST = 2, BOTH = GUIDE | FAST };

/* What a row does, done in this order. */
enum {
    WORDS_OFF = 1 << 0,
    ACK = 1 << 1,
    ACK_BYE = 1 << 2,
    ACCEPT = 1 << 3,
    PROGRESS = 1 << 4,
    ARM = 1 << 5, /* the ringing time, if it is not armed (R19) */
    CANCEL = 1 << 6,
    CANCEL_OTHERS = 1 << 7, /* R23: those with a provisional */
    AUTH = 1 << 8,
    REDIRECT = 1 << 9,
    NEXT = 1 << 10,      /* open the next target, or end */
    END = 1 << 11,       /* whatever other paths do */
    END_LAST = 1 << 12,  /* once no path is open */
    NEXT_LAST = 1 << 13, /* the next target, once no path is open */
    NEXT_NEW = 1 << 14,  /* the same with a new Call-ID (R26) */
    WORDS_ON = 1 << 15
};

#define P(name) (1u << DT_ATTEMPT_##name)
#define S(name) (1u << DT_PATH_##name)
#define E(name) (1u << DT_PATH_EV_##name)
#define ANY_PHASE (P(TRYING) | P(TAKEN) | P(LEAVING) | P(OVER))
#define TRIED (S(CALLING) | S(PROCEEDING) | S(RINGING))
#define HEARD (S(PROCEEDING) | S(RINGING))
#define UNWANTED (S(CALLING) | S(CANCELLING))
#define LATE (S(GONE) | S(STOPPED))
#define PROVISIONAL (E(100) | E(1XX))
#define SUCCESS (E(2XX) | E(2XX_FORK))
#define ENDS (E(BUSY_HOP) | E(SOFT) | E(FINAL))
#define FAILURE (ENDS | E(AUTH) | E(REDIRECT))
#define SAME DT_PATH_STATE_COUNT

struct rule {
    uint8_t columns;
    uint8_t phases;
    uint16_t states;
    uint32_t events;
    uint8_t next; /* state of the path, or SAME */
    uint32_t acts;
    const char *why; /* for `dualtone why`: what it means, and what follows */
};

static const struct rule rules[] = {
    /* An attempt that tries: R21 as R28's guide column has it. Any response stops the count
       (behaviour.md 1, item 2), so what fails ends the call and does not fail over. */
    {BOTH, P(TRYING), S(CALLING), E(100), DT_PATH_PROCEEDING, WORDS_OFF | ARM,
     "the proxy has the call and works on it: from now on the ringing time counts"},
    {BOTH, P(TRYING), TRIED, E(1XX), DT_PATH_RINGING, WORDS_OFF | ARM | PROGRESS,
     "the callee is being called: the ringing time counts, and no other target is tried while this "
     "one lives"},
    {BOTH, P(TRYING), TRIED, SUCCESS, DT_PATH_ANSWERED, WORDS_OFF | ACCEPT | CANCEL_OTHERS,
     "the callee answered: this is the call, and every other path is cancelled"},
    {BOTH, P(TRYING), TRIED, E(AUTH), DT_PATH_CALLING, WORDS_OFF | AUTH,
     "the proxy asks who calls: the same target is asked again with credentials"},
    {BOTH, P(TRYING), TRIED, E(REDIRECT), DT_PATH_CALLING, WORDS_OFF | REDIRECT,
     "the callee is elsewhere: the same server is asked again for the address that was given"},
    {GUIDE, P(TRYING), TRIED, ENDS, DT_PATH_FAILED, WORDS_OFF | CANCEL_OTHERS | END,
     "an answer that refuses ends the call: guide tries the backup only where nothing answered"},
    {GUIDE, P(TRYING), S(CALLING), E(TIMEOUT) | E(ERROR), DT_PATH_GONE, NEXT,
     "nothing answered there: the next target is tried, and without one the call ends"},
    /* It got through to the primary: not for the backup (behaviour.md 1). RFC 3261 8.1.3.1 takes a
       transport error as 503. */
    {GUIDE, P(TRYING), HEARD, E(TIMEOUT) | E(ERROR), DT_PATH_GONE, END,
     "it had got through there and was lost: guide does not try the backup after an answer"},
    {BOTH, P(TRYING), HEARD, E(RING_OVER) | E(HANGUP), DT_PATH_CANCELLING, WORDS_OFF | CANCEL,
     "the call is given up while the callee is being called: CANCEL stops the ringing"},
    /* R23, RFC 3261 9.1: no CANCEL before a provisional. */
    {BOTH, P(TRYING), S(CALLING), E(HANGUP), SAME, WORDS_OFF,
     "the call is given up before any answer: CANCEL has to wait for a provisional one"},
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), S(CALLING), PROVISIONAL, DT_PATH_CANCELLING, CANCEL,
     "a path that nobody wants any more gave a sign of life: now it can be cancelled"},

    /* `fast`, R21: what a hop says of itself leads on; what a callee says ends the call. */
    {FAST, P(TRYING), TRIED, E(BUSY_HOP), DT_PATH_FAILED, WORDS_OFF | NEXT_LAST,
     "the proxy itself refuses: the next target is tried as soon as no other path is open"},
    {FAST, P(TRYING), TRIED, E(SOFT), DT_PATH_FAILED, WORDS_OFF | END_LAST,
     "only this path failed: the call goes on while another path is open, else it ends with this "
     "answer"},
    {FAST, P(TRYING), TRIED, E(FINAL), DT_PATH_FAILED, WORDS_OFF | CANCEL_OTHERS | END,
     "the callee decided: the call ends with this answer, and every other path is cancelled"},
    {FAST, P(TRYING), S(CALLING), E(TIMEOUT) | E(ERROR), DT_PATH_GONE, NEXT_LAST,
     "nothing answered there: the next target is tried as soon as no other path is open"},
    {FAST, P(TRYING), HEARD, E(TIMEOUT) | E(ERROR), DT_PATH_GONE, NEXT_NEW,
     "it had got through there and was lost: the number is dialled anew, once, as soon as no path "
     "is open"},
    {FAST, P(TRYING), TRIED, E(TWIN), SAME, WORDS_ON,
     "the twin of this proxy has the call now: the same path goes on there"},
    /* R25: the first path stays open; a callee that has its copy says 482 to the second. */
    {FAST, P(TRYING), S(CALLING), E(DEAD), SAME, NEXT,
     "the proxy is dead before it answered, and no twin serves: the next target is tried with the "
     "same Call-ID"},
    /* R24, R28: it got through, and is lost or foreign: CANCEL, then a new Call-ID (R26). */
    {FAST, P(TRYING), HEARD, E(DEAD) | E(MUTE), DT_PATH_CANCELLING, CANCEL,
     "it got through, but the proxy died or the callee is mute: CANCEL, and the number is dialled "
     "anew"},
    {FAST, P(TRYING), S(CANCELLING), SUCCESS, DT_PATH_ANSWERED, ACCEPT | CANCEL_OTHERS,
     "the answer crossed the CANCEL: it is taken as the call, and every other path is cancelled"},
    {FAST, P(TRYING), S(CANCELLING), FAILURE, DT_PATH_FAILED, NEXT_NEW,
     "the cancelled path has ended: the number is dialled anew, once, as soon as no path is open"},
    {FAST, P(TRYING), S(CANCELLING), E(TIMEOUT) | E(ERROR) | E(LEFT), DT_PATH_STOPPED, NEXT_NEW,
     "the cancelled path says nothing more: the number is dialled anew, once, as soon as no path "
     "is open"},

    /* Paths that nobody wants any more, with their transaction. */
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), UNWANTED, SUCCESS, DT_PATH_FAILED, ACK_BYE | END_LAST,
     "an answer that nobody wants any more: it is acknowledged and hung up"},
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), UNWANTED, FAILURE, DT_PATH_FAILED, END_LAST,
     "a path that nobody wants any more has ended with a failure"},
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), S(CALLING), E(TIMEOUT) | E(ERROR), DT_PATH_GONE,
     END_LAST,
     "a path that nobody wants any more was never answered; late answers are looked after"},
    {BOTH, P(LEAVING) | P(TAKEN) | P(OVER), S(CANCELLING), E(TIMEOUT) | E(ERROR), DT_PATH_STOPPED,
     END_LAST, "a cancelled path was never ended by the other side; late answers are looked after"},

    /* The answer that was taken: each copy gets its ACK (I6), other forks a BYE too (I13). */
    {BOTH, P(TAKEN) | P(OVER), S(ANSWERED), E(2XX), SAME, ACK,
     "the answer that was taken came again: it is acknowledged again"},
    {BOTH, P(TAKEN) | P(OVER), S(ANSWERED), E(2XX_FORK), SAME, ACK_BYE,
     "a second phone answered: it is acknowledged and hung up, so that there is one call"},
    /* A 2xx of another fork that crossed the failure (16.7 step 5 lets it through). */
    {BOTH, ANY_PHASE, S(FAILED), SUCCESS, SAME, ACK_BYE,
     "an answer came behind the failure of its path: it is acknowledged and hung up"},

    /* R27: late answers, without a transaction. */
    {BOTH, ANY_PHASE, S(GONE), PROVISIONAL, DT_PATH_STOPPED, CANCEL,
     "a path that was given up gave a late sign of life: CANCEL stops the ringing"},
    {BOTH, ANY_PHASE, LATE, SUCCESS, DT_PATH_STOPPED, ACK_BYE,
     "a path that was given up was answered late: it is acknowledged and hung up"},
    {BOTH, ANY_PHASE, LATE, FAILURE, DT_PATH_STOPPED, ACK,
     "a path that was given up failed late: the failure is acknowledged"},
};

static enum column column_of(enum dt_reach_policy policy)
{
    return policy == DT_REACH_FAST ? FAST : GUIDE;
}

int dt_attempt_rule(enum dt_reach_policy policy, enum dt_attempt_phase phase,
                    enum dt_path_state state, enum dt_path_event e)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        const struct rule *r = &rules[i];
        if ((r->columns & column_of(policy)) && (r->phases & (1u << phase)) &&
            (r->states & (1u << state)) && (r->events & (1u << e)))
            return (int)i;
    }
    return -1;
}

const char *dt_attempt_rule_why(int row)
{
    return row >= 0 && (size_t)row < sizeof(rules) / sizeof(*rules) ? rules[row].why : NULL;
}

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
            a->found[s].skipped &= (uint8_t)~(1u << i);
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

static void next(struct dt_attempt *a, dt_time now, struct dt_orders *out, unsigned path)
{
    if (!advance(a, now, false, out) && !any_open(a))
        end(a, out, path, a->err);
}

/* R26: at the next target, or once more at the last one; once per dialling. */
static void renew(struct dt_attempt *a, dt_time now, struct dt_orders *out, unsigned path)
{
    if (any_open(a))
        return;
    if (a->server >= a->cfg.servers && a->cfg.servers > 0 && !a->renewed) {
        a->server = a->cfg.servers - 1;
        a->target = 0;
    }
    if (a->renewed || !advance(a, now, true, out))
        end(a, out, path, a->err);
    a->renewed = true;
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
    p->tries = redirect ? 1 : (uint8_t)(p->tries + 1);
    p->sent = now;
    p->ring_over = DT_TIME_NEVER;
    order(out, redirect ? DT_ORDER_REDIRECT : DT_ORDER_AUTH, path);
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
    if ((acts & NEXT) || ((acts & NEXT_LAST) && !any_open(a)))
        next(a, now, out, path);
    if (acts & NEXT_NEW)
        renew(a, now, out, path);
    if (acts & END)
        end(a, out, path, a->err);
    if ((acts & END_LAST) && a->phase <= DT_ATTEMPT_LEAVING && a->phase != DT_ATTEMPT_TAKEN &&
        !any_open(a))
        end(a, out, path, a->err);
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
    if (rules[row].next != SAME)
        set_state(a, now, p, rules[row].next);
    if (e == DT_PATH_EV_MUTE) /* its proxy lives, and has passed the CANCEL on */
        p->left_at = now + MUTE_LEFT_S * DT_SECOND;
    perform(a, now, path, rules[row].acts, out);
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
        next(a, now, out, 0);
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
