/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every sequence of events on small diallings, however unlikely, judged after each step by what
 * must always hold (design.md 5, reliability's invariants), and arrow by arrow: each is carried out
 * somewhere, or reach_never.h says why not. States that differ in nothing that matters are
 * visited once, breadth first, so a failure prints a shortest way to it. */
#include "reach_play.h"
#include "reach_never.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRAIL = 64, SLOTS = 1 << 20, SERVERS = DT_ATTEMPT_SERVERS };

/* ---- what is visited ---- */

static const struct world {
    enum dt_reach_policy policy;
    unsigned servers, targets[SERVERS];
    unsigned
        down; /* bit i: target i of the first server is known to be down, 4 + i of the second */
} worlds[] = {
    {DT_REACH_GUIDE, 1, {0, 0}, 0}, {DT_REACH_GUIDE, 1, {1, 0}, 0}, {DT_REACH_GUIDE, 1, {2, 0}, 0},
    {DT_REACH_GUIDE, 2, {0, 1}, 0}, {DT_REACH_GUIDE, 2, {1, 0}, 0}, {DT_REACH_GUIDE, 2, {1, 1}, 0},
    {DT_REACH_FAST, 1, {0, 0}, 0},  {DT_REACH_FAST, 1, {1, 0}, 0},  {DT_REACH_FAST, 1, {2, 0}, 0},
    {DT_REACH_FAST, 2, {0, 1}, 0},  {DT_REACH_FAST, 2, {1, 0}, 0},  {DT_REACH_FAST, 2, {1, 1}, 0},
    {DT_REACH_FAST, 1, {1, 0}, 1},  {DT_REACH_FAST, 2, {1, 1}, 1},
};

/* What the test itself remembers of a path, to judge by. */
struct memory {
    bool heard; /* a provisional came for the request that is under way */
    unsigned cancels;
};
struct node {
    struct play play;
    struct memory paths[DT_ATTEMPT_PATHS];
    unsigned accepts, ends, anew;
    bool left;      /* a path that had a provisional was given up: this Call-ID is used up (R26) */
    bool left_then; /* the same as the last act found it */
    uint8_t trail[TRAIL][2];
    unsigned n_trail;
};
struct level {
    struct node *nodes;
    size_t n, room;
};

static const struct world *world;
static struct dt_targets known;
static bool reached[2][DT_ATTEMPT_PHASE_COUNT][DT_PATH_STATE_COUNT][DT_PATH_EVENT_COUNT];
static uint64_t *seen;
static size_t n_seen;

static void push(struct level *l, const struct node *n)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 256;
        l->nodes = realloc(l->nodes, l->room * sizeof(*l->nodes));
        assert_non_null(l->nodes);
    }
    l->nodes[l->n++] = *n;
}

/* ---- which states are equal ---- */

static uint64_t mixed(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 29) * 0xBF58476D1CE4E5B9u;
    return h ^ h >> 32;
}

static uint64_t mixed_time(uint64_t h, dt_time t, dt_time due)
{
    return mixed(h, t == DT_TIME_NEVER ? 0 : t == due ? 1 : 2);
}

/* All but the hours: of a time it matters whether it is armed, and whether it comes next. */
static uint64_t key_of(const struct node *n)
{
    const struct dt_attempt *a = &n->play.attempt;
    dt_time due = dt_attempt_deadline(a);
    const uint64_t whole[] = {a->phase,  a->words,     a->renewed,       a->asked,   a->server,
                              a->target, a->redirects, (uint64_t)a->err, a->n_paths, n->accepts,
                              n->ends,   n->anew,      n->left};
    uint64_t h = 1;

    for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++)
        h = mixed(h, whole[i]);
    for (unsigned s = 0; s < SERVERS; s++)
        h = mixed(h, a->found[s].known | (uint64_t)a->found[s].skipped << 1);
    for (unsigned i = 0; i < a->n_paths; i++) {
        const struct dt_path *p = &a->paths[i];
        bool open = dt_path_is_open(p), cancels = open || p->state == DT_PATH_GONE;
        h = mixed(h, p->state | (uint64_t)p->server << 8 | (uint64_t)(open ? p->tries : 0) << 16);
        h = mixed(h, cancels ? n->paths[i].heard | (uint64_t)n->paths[i].cancels << 1 : 0);
        h = mixed_time(h, p->ring_over, due);
        h = mixed_time(h, p->left_at, due);
        h = mixed_time(h, p->keep_until, due);
    }
    return h ? h : 1;
}

/* False: such a state was visited already. */
static bool is_new(const struct node *n)
{
    uint64_t key = key_of(n);
    size_t i = key % SLOTS;

    for (; seen[i]; i = (i + 1) % SLOTS)
        if (seen[i] == key)
            return false;
    seen[i] = key;
    assert_true(++n_seen < SLOTS / 2);
    return true;
}

/* ---- saying what is wrong ---- */

static const char *word_of(unsigned what)
{
    static const char *const words[] = {
#define X(word) #word,
        PLAY_EVENTS(X)
#undef X
            "hang-up",
        "tick", "found"};

    return words[what];
}

static void say(const struct node *n, const char *what)
{
    char text[1024] = "";
    size_t at = 0;

    for (unsigned i = 0; i < n->n_trail && at < sizeof(text); i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, " %s/%u", word_of(n->trail[i][0]),
                               n->trail[i][1]);
    fail_msg("%s, %u servers of %u and %u targets, down %#x: %s after%s",
             world->policy == DT_REACH_FAST ? "fast" : "guide", world->servers, world->targets[0],
             world->targets[1], world->down, what, text);
}

#define MUST(n, good, what) \
    do { \
        if (!(good)) \
            say((n), (what)); \
    } while (0)

/* ---- what must hold ---- */

static unsigned count(const struct node *n, enum dt_order_kind kind, unsigned path)
{
    unsigned times = 0;

    for (size_t i = 0; i < n->play.orders.n; i++)
        times += n->play.orders.list[i].kind == kind && n->play.orders.list[i].path == path;
    return times;
}

static unsigned n_open(const struct dt_attempt *a)
{
    unsigned open = 0;

    for (unsigned i = 0; i < a->n_paths; i++)
        open += dt_path_is_open(&a->paths[i]);
    return open;
}

static bool was_tried(const struct dt_attempt *a, const struct dt_addr *target)
{
    for (unsigned i = 0; i < a->n_paths; i++)
        if (memcmp(&a->paths[i].target, target, sizeof(*target)) == 0)
            return true;
    return false;
}

static bool all_tried(const struct node *n)
{
    for (unsigned s = 0; s < world->servers; s++)
        for (unsigned i = 0; i < world->targets[s]; i++) {
            struct dt_addr target = play_target(s, i);
            if (!was_tried(&n->play.attempt, &target))
                return false;
        }
    return true;
}

/* The ends are ends, and nobody waits for what cannot come. */
static void judge_phase(const struct node *n)
{
    const struct dt_attempt *a = &n->play.attempt;
    bool ended = a->phase == DT_ATTEMPT_OVER || a->phase == DT_ATTEMPT_TAKEN;

    MUST(n, n->accepts + n->ends <= 1, "more than one answer or end");
    MUST(n, (n->accepts + n->ends == 1) == ended, "neither an answer nor an end, or too early");
    MUST(n, a->phase != DT_ATTEMPT_TRYING || n_open(a) || (a->asked && !a->found[a->server].known),
         "nothing is tried or waited for");
    MUST(n, a->phase != DT_ATTEMPT_LEAVING || n_open(a), "left, and no end");
    MUST(n, !a->words || a->phase == DT_ATTEMPT_TRYING, "the words stay on");
    MUST(n, world->policy == DT_REACH_FAST || n_open(a) <= 1, "guide with two paths");
    MUST(n, n->anew <= 1 || world->policy == DT_REACH_GUIDE, "a third Call-ID (R26)");
    MUST(n, a->redirects <= DT_ATTEMPT_REDIRECTS, "redirected for ever");
}

/* R23, I7: CANCEL behind a provisional only, once, and never forgotten. */
static void judge_path(const struct node *n, unsigned i)
{
    const struct dt_attempt *a = &n->play.attempt;
    const struct dt_path *p = &a->paths[i];
    const struct memory *m = &n->paths[i];
    bool wanted = a->phase == DT_ATTEMPT_TRYING;

    MUST(n, m->cancels <= 1, "CANCEL twice (I7)");
    MUST(n, !m->cancels || m->heard, "CANCEL before a provisional (R23)");
    MUST(n, (p->state == DT_PATH_CANCELLING) <= (m->cancels == 1), "cancelling without CANCEL");
    MUST(n, wanted || !dt_path_is_open(p) || !m->heard || m->cancels == 1,
         "a path that nobody wants rings on");
    MUST(n, p->tries <= DT_ATTEMPT_TRIES, "credentials for ever (I28)");
    MUST(n, (p->state == DT_PATH_ANSWERED) <= (n->accepts == 1), "answered, and not taken");
}

/* I6, I13: each 2xx is acknowledged once, whatever has become of its path; so is the failure of a
 * path that has no transaction any more. */
static void judge_answer(const struct node *n, const struct node *before, unsigned what,
                         unsigned path)
{
    enum dt_path_state was = before->play.attempt.paths[path].state;
    unsigned acks = count(n, DT_ORDER_ACK, path);
    unsigned hung = count(n, DT_ORDER_ACK_BYE, path), taken = count(n, DT_ORDER_ACCEPT, path);
    bool late = was == DT_PATH_GONE || was == DT_PATH_STOPPED;

    if (what == PLAY_200 || what == PLAY_fork) {
        MUST(n, acks + hung + taken == 1, "a 2xx without its ACK, or with two");
        MUST(n, (acks == 0) || (what == PLAY_200 && was == DT_PATH_ANSWERED),
             "a second answer without BYE");
    } else {
        MUST(n, hung + taken == 0, "an answer that nobody gave");
        MUST(n, acks == (late && what >= PLAY_401 && what <= PLAY_486), "the ACK of a failure");
    }
}

/* No call is lost while a target is left that nobody has asked (R28), and under `fast` a call that
 * got through and was lost there is dialled anew (R26). */
static void judge_end(const struct node *n, const struct node *before, unsigned what, unsigned path)
{
    enum dt_path_state was = before->play.attempt.paths[path].state;
    bool fast = world->policy == DT_REACH_FAST;
    bool lost = what == PLAY_timeout || what == PLAY_error;
    /* A 401 or 302 too many counts as a 486. */
    bool refused = what == PLAY_486 || what == PLAY_401 || what == PLAY_302;

    if (n->ends == before->ends || before->play.attempt.phase != DT_ATTEMPT_TRYING ||
        what == PLAY_HANGUP)
        return;
    if ((lost && was == DT_PATH_CALLING) || what == PLAY_FOUND ||
        (fast && what == PLAY_503 && was != DT_PATH_CANCELLING))
        MUST(n, all_tried(n), "the end while a target is left");
    if (fast && n->left_then && !(refused && was != DT_PATH_CANCELLING))
        MUST(n, n->anew == 1, "the end, and never dialled anew");
    MUST(n, what > PLAY_fork, "the end by a good answer");
    MUST(n, refused || !n_open(&n->play.attempt), "the end while a path is open");
}

static bool any_got_through(const struct dt_attempt *a)
{
    for (unsigned i = 0; i < a->n_paths; i++)
        if (dt_path_is_open(&a->paths[i]) && a->paths[i].state != DT_PATH_CALLING)
            return true;
    return false;
}

/* A path is opened only while one is looked for, and none beside one that got through (R21). */
static void judge_open(const struct node *n, const struct node *before)
{
    const struct dt_attempt *a = &n->play.attempt;

    for (size_t i = 0; i < n->play.orders.n; i++) {
        const struct dt_order *o = &n->play.orders.list[i];
        bool moved = o->path > 0 && a->paths[o->path].server != a->paths[o->path - 1].server;
        if (o->kind != DT_ORDER_OPEN)
            continue;
        MUST(n, before->play.attempt.phase == DT_ATTEMPT_TRYING && a->phase == DT_ATTEMPT_TRYING,
             "a path for nobody");
        MUST(n, o->path == before->play.attempt.n_paths && a->n_paths == o->path + 1u,
             "two paths at once");
        MUST(n, !any_got_through(a), "a path beside one that got through (R21)");
        if (world->policy == DT_REACH_FAST)
            MUST(n, o->fresh == (n->left_then && n_open(a) == 1),
                 "a new Call-ID where a path that got through was given up and none is open, and "
                 "nowhere else (R25, R26)");
        else
            MUST(n, o->fresh == moved, "the Call-ID is new at another server, else not (R28)");
    }
}

static unsigned n_steps_of(const struct node *n)
{
    return n->play.attempt.n_steps;
}

/* What has no arrow changes nothing. */
static void judge_silence(const struct node *n, const struct node *before, unsigned what,
                          unsigned path)
{
    const struct dt_attempt *a = &before->play.attempt;

    if (what >= PLAY_HANGUP || n_steps_of(n) != n_steps_of(before))
        return;
    MUST(n, n->play.orders.n == 0, "orders without an arrow");
    MUST(n,
         n->play.attempt.phase == a->phase && n->play.attempt.n_paths == a->n_paths &&
             n->play.attempt.paths[path].state == a->paths[path].state,
         "moved without an arrow");
}

static void judge(const struct node *n, const struct node *before, unsigned what, unsigned path)
{
    MUST(n, n->play.orders.n < DT_ATTEMPT_ORDERS, "no room for the orders");
    judge_phase(n);
    for (unsigned i = 0; i < n->play.attempt.n_paths; i++)
        judge_path(n, i);
    if (what < PLAY_HANGUP)
        judge_answer(n, before, what, path);
    judge_end(n, before, what, path);
    judge_open(n, before);
    judge_silence(n, before, what, path);
}

/* ---- a step ---- */

static void remember_order(struct node *n, const struct dt_order *o)
{
    struct memory *m = &n->paths[o->path];

    m->cancels += o->kind == DT_ORDER_CANCEL;
    if (o->kind == DT_ORDER_AUTH || o->kind == DT_ORDER_REDIRECT)
        *m = (struct memory){0}; /* the request that goes now has been heard of nowhere */
    n->left &= o->kind != DT_ORDER_OPEN || !o->fresh;
    n->left |=
        o->kind == DT_ORDER_CANCEL && n->play.attempt.paths[o->path].state == DT_PATH_CANCELLING;
    n->accepts += o->kind == DT_ORDER_ACCEPT;
    n->ends += o->kind == DT_ORDER_END;
    n->anew += o->kind == DT_ORDER_OPEN && o->fresh;
}

static void act(struct node *n, unsigned what, unsigned path)
{
    enum dt_path_state was = n->play.attempt.paths[path].state;

    if (what == PLAY_100 || what == PLAY_180)
        n->paths[path].heard = true;
    if ((what == PLAY_timeout || what == PLAY_error) &&
        (was == DT_PATH_PROCEEDING || was == DT_PATH_RINGING))
        n->left = true;
    n->left_then = n->left;
    play_act(&n->play, (int)what, path);
    for (size_t i = 0; i < n->play.orders.n; i++)
        remember_order(n, &n->play.orders.list[i]);
}

static void note_arrows(const struct node *n, const struct node *before)
{
    for (unsigned i = n_steps_of(before); i < n_steps_of(n); i++) {
        const struct dt_attempt_step *s = &n->play.attempt.steps[i % DT_ATTEMPT_STEPS];
        reached[world->policy][s->phase][s->before][s->event] = true;
    }
}

static struct node stepped(const struct node *before, unsigned what, unsigned path)
{
    struct node n = *before;

    act(&n, what, path);
    MUST(&n, n.n_trail < TRAIL, "the test has no room");
    n.trail[n.n_trail][0] = (uint8_t)what;
    n.trail[n.n_trail++][1] = (uint8_t)path;
    return n;
}

/* Whatever has happened: when nothing answers any more, and time goes on, all comes to its end. */
static void judge_quiet(struct node n)
{
    for (unsigned round = 0; round < 8 * DT_ATTEMPT_PATHS; round++) {
        for (unsigned i = 0; i < n.play.attempt.n_paths; i++)
            if (dt_path_is_open(&n.play.attempt.paths[i]))
                act(&n, PLAY_timeout, i);
        for (unsigned s = 0; s < world->servers; s++)
            act(&n, PLAY_FOUND, s);
        act(&n, PLAY_TICK, 0);
    }
    MUST(&n, n.accepts + n.ends == 1, "it never ends when nothing answers any more");
    MUST(&n, dt_attempt_done(&n.play.attempt, n.play.now), "never forgotten");
    MUST(&n, dt_attempt_deadline(&n.play.attempt) == DT_TIME_NEVER, "a deadline for nothing");
}

static void expand(const struct node *from, struct level *next)
{
    for (unsigned what = 0; what <= PLAY_FOUND; what++) {
        unsigned times = what < PLAY_HANGUP   ? from->play.attempt.n_paths
                         : what == PLAY_FOUND ? world->servers
                                              : 1;
        for (unsigned i = 0; i < times; i++) {
            struct node n = stepped(from, what, i);
            judge(&n, from, what, i);
            note_arrows(&n, from);
            if (!is_new(&n))
                continue;
            judge_quiet(n);
            push(next, &n);
        }
    }
}

/* ---- the worlds ---- */

static void know(struct node *n)
{
    memset(&known, 0, sizeof(known));
    for (unsigned i = 0; i < SERVERS * DT_ATTEMPT_TARGETS; i++) {
        struct dt_addr addr = play_target(i / DT_ATTEMPT_TARGETS, i % DT_ATTEMPT_TARGETS);
        struct dt_target *t = dt_targets_add(&known, 0, &addr);
        for (int times = 0; times < 2 && (world->down >> i & 1); times++)
            (void)dt_target_evidence(0, t, DT_EVIDENCE_REFUSED);
        assert_int_equal(dt_targets_usable(&known, 0, &addr), !(world->down >> i & 1));
    }
    n->play.attempt.cfg.known = world->policy == DT_REACH_FAST ? &known : NULL;
}

static struct node beginning(void)
{
    struct node n = {0};

    play_begin(&n.play, world->policy, world->servers, world->targets);
    know(&n);
    return n;
}

static void visit(void)
{
    struct level now = {0}, next = {0}, other;
    struct node first = beginning();

    memset(seen, 0, SLOTS * sizeof(*seen));
    n_seen = 0;
    (void)is_new(&first);
    push(&now, &first);
    while (now.n) {
        for (size_t i = 0; i < now.n; i++)
            expand(&now.nodes[i], &next);
        other = now;
        now = next;
        next = other;
        next.n = 0;
    }
    free(now.nodes);
    free(next.nodes);
}

static void every_sequence(void **state)
{
    (void)state;
    seen = calloc(SLOTS, sizeof(*seen));
    assert_non_null(seen);
    for (size_t i = 0; i < sizeof(worlds) / sizeof(*worlds); i++) {
        world = &worlds[i];
        visit();
    }
    free(seen);
}

/* ---- larger ones: by chance ---- */

static void walk(struct dt_rng *rng)
{
    struct node n = beginning();

    for (unsigned i = 0; i < TRAIL; i++) {
        unsigned what = (unsigned)dt_rng_below(rng, PLAY_FOUND + 1),
                 n_paths = n.play.attempt.n_paths;
        unsigned path = 0;
        struct node before = n;
        if (what < PLAY_HANGUP && n_paths == 0)
            what = PLAY_FOUND;
        if (what < PLAY_HANGUP && n_paths > 0) /* more often the newest */
            path = dt_rng_below(rng, 2) ? n_paths - 1 : (unsigned)dt_rng_below(rng, n_paths);
        if (what == PLAY_FOUND)
            path = (unsigned)dt_rng_below(rng, world->servers);
        if (what == PLAY_HANGUP && dt_rng_below(rng, 8))
            continue;
        n = stepped(&before, what, path);
        judge(&n, &before, what, path);
    }
    judge_quiet(n);
}

static void many_targets(void **state)
{
    const uint64_t seed[2] = {1, 0};
    struct world large = {0};
    struct dt_rng rng;

    (void)state;
    dt_rng_init(&rng, seed);
    for (int i = 0; i < 20000; i++) {
        large = (struct world){.policy = dt_rng_below(&rng, 2) ? DT_REACH_FAST : DT_REACH_GUIDE,
                               .servers = 1 + (unsigned)dt_rng_below(&rng, 2),
                               .down = (unsigned)dt_rng_below(&rng, 256)};
        for (unsigned s = 0; s < large.servers; s++)
            large.targets[s] = (unsigned)dt_rng_below(&rng, DT_ATTEMPT_TARGETS + 1);
        world = &large;
        walk(&rng);
    }
}

/* ---- arrow by arrow ---- */

static void every_arrow(void **state)
{
    unsigned missing = 0;

    (void)state;
    for (unsigned k = 0; k < 2 * DT_ATTEMPT_PHASE_COUNT; k++)
        for (unsigned s = 0; s < DT_PATH_STATE_COUNT; s++)
            for (unsigned e = 0; e < DT_PATH_EVENT_COUNT; e++) {
                enum dt_reach_policy policy = k % 2 ? DT_REACH_FAST : DT_REACH_GUIDE;
                bool there = dt_attempt_rule(policy, k / 2, s, e) >= 0;
                bool never = reach_never_why(policy, k / 2, s) != NULL;
                bool done = reached[policy][k / 2][s][e];
                if (done == (there && !never))
                    continue;
                missing++;
                print_error("%s, phase %u, %s, %s: %s\n", k % 2 ? "fast" : "guide", k / 2,
                            dt_path_state_name(s), dt_path_event_name(e),
                            done ? "reached, though reach_never.h says never" : "never reached");
            }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence), cmocka_unit_test(many_targets),
        cmocka_unit_test(every_arrow), /* behind it: judges what it reached */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
