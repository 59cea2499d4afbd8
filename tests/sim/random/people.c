/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The people: each does now and then what the state of the phone allows. Their dice are their own,
 * so that a fault more or less changes as little as may be. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DIALLED_S = 10, SOON_MS = 400, SOON_PERCENT = 20 };

void people_type(struct party *p, const char *fmt, ...)
{
    char text[64];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)dt_record_note(&p->w->record, world_now(p->w), DT_REC_COMMAND, (uint16_t)p->index,
                         dt_str_z(text));
    dt_sim_command(p->w->sim, p->node, DT_CHANNEL_USER, dt_str_z(text));
}

/* ---- what phones say ---- */

static enum call_state state_of(struct dt_str word)
{
    static const char *const names[CALL_STATES] = {
        [CALLING] = "calling", [RINGS] = "ringing",   [ANSWERING] = "answering",
        [TALKING] = "talking", [HOLDING] = "holding", [HELD] = "held",
        [ENDING] = "ending",   [ENDED] = "ended",
    };
    for (int i = CALLING; i < CALL_STATES; i++)
        if (dt_str_eq(word, dt_str_z(names[i])))
            return (enum call_state)i;
    return NO_CALL;
}

static void hear_call(struct party *p, const struct dt_output *ev)
{
    struct world *w = p->w;
    struct dt_str word = dt_str_sub(ev->text, 0, dt_str_find(ev->text, ' '));
    struct dt_str peer = dt_str_sub(ev->text, word.n + 1, ev->text.n);
    enum call_state now = state_of(word);
    if (ev->call == 0 || ev->call > CALLS_MAX || now == NO_CALL) {
        world_fail(w, "%s says \"%.*s\" of call %u", p->name, DT_FMT(ev->text), ev->call);
        return;
    }
    struct call_view *c = &p->calls[ev->call];
    if (c->state == NO_CALL || c->state == ENDED) {
        bool sound = c->sound;
        *c = (struct call_view){.caller = now == CALLING, .sound = sound};
        w->tally->calls += now == CALLING;
        w->tally->rings += now == RINGS;
        /* What fails at once, as with a name that DNS does not know, was never "calling". */
        if (now == ENDED && !p->unsure && world_now(w) - p->dialled > DIALLED_S * DT_SECOND)
            world_fail(w, "I2: %s says of call %u twice that it has ended", p->name, ev->call);
    }
    w->tally->talked += now == TALKING && (c->state == CALLING || (c->caller && c->state == RINGS));
    c->state = now;
    c->since = world_now(w);
    snprintf(c->peer, sizeof c->peer, "%.*s", DT_FMT(peer));
    if (now == ENDED && c->sound && !p->unsure)
        world_fail(w, "I14: call %u of %s has ended, and its sound goes on", ev->call, p->name);
}

static void hear_sound(struct party *p, const struct dt_output *ev)
{
    if (ev->call > 0 && ev->call <= CALLS_MAX)
        p->calls[ev->call].sound = !dt_str_starts(ev->text, DT_STR("stop"));
}

void people_hear(struct party *p, const struct dt_output *ev)
{
    if (ev->event == DT_EV_CALL)
        hear_call(p, ev);
    else if (ev->event == DT_EV_MEDIA)
        hear_sound(p, ev);
    else if (ev->event == DT_EV_READY)
        p->ready = true;
    else if (ev->event == DT_EV_QUIT)
        p->quit = true;
}

bool people_busy(const struct party *p)
{
    for (int i = 1; i <= CALLS_MAX; i++)
        if (p->calls[i].state != NO_CALL && p->calls[i].state != ENDED)
            return true;
    return false;
}

/* ---- what people do ---- */

static int call_in(const struct party *p, unsigned states)
{
    for (int i = 1; i <= CALLS_MAX; i++)
        if (states >> p->calls[i].state & 1)
            return i;
    return 0;
}

static struct party *owner_of(struct world *w, const char *number)
{
    for (int i = w->n_proxies; i < w->n_parties; i++)
        for (unsigned k = 0; k < w->parties[i].n_lines; k++)
            if (strcmp(w->parties[i].numbers[k], number) == 0)
                return &w->parties[i];
    return NULL;
}

static void do_it(struct party *p, enum deed deed, int call, const char *word)
{
    p->w->tally->deeds[deed]++;
    if (call)
        people_type(p, "%s %d", word, call);
    else
        people_type(p, "%s", word);
}

static void dial(struct party *p, enum deed deed)
{
    struct world *w = p->w;
    const struct party *to;
    do
        to = &w->parties[pick_between(&p->rng, w->n_proxies, w->n_parties - 1)];
    while (to == p);
    const char *number = to->numbers[dt_rng_below(&p->rng, to->n_lines)];
    unsigned line = 1 + (unsigned)dt_rng_below(&p->rng, p->n_lines);
    w->tally->deeds[deed]++;
    p->dialled = world_now(w);
    if (w->looped && pick_chance(&p->rng, 10))
        people_type(p, "dial %d", (int)pick_between(&p->rng, LOOPED_FIRST, LOOPED_LAST));
    else if (pick_chance(&p->rng, 3))
        people_type(p, "dial 9%d", (int)dt_rng_below(&p->rng, 100)); /* nobody */
    else
        people_type(p, "dial %s line %u", number, line);
}

/* Both at one moment: hold meets hold, or BYE meets BYE. */
static void together(struct party *p, int call, enum deed deed, const char *word)
{
    struct party *peer = owner_of(p->w, p->calls[call].peer);
    int theirs = peer && !peer->down ? call_in(peer, 1u << TALKING) : 0;
    do_it(p, deed, call, word);
    if (theirs && owner_of(p->w, peer->calls[theirs].peer) == p)
        people_type(peer, "%s %d", word, theirs);
}

struct choice {
    enum deed deed;
    unsigned percent; /* what is left of 100: nothing is done */
    const char *word;
};

static void choose(struct party *p, int call, const struct choice *choices, size_t n)
{
    unsigned dice = (unsigned)dt_rng_below(&p->rng, 100);
    for (size_t i = 0; i < n; i++) {
        if (dice >= choices[i].percent) {
            dice -= choices[i].percent;
            continue;
        }
        if (choices[i].deed == DEED_DIAL || choices[i].deed == DEED_SECOND)
            dial(p, choices[i].deed);
        else if (choices[i].deed == DEED_GLARE || choices[i].deed == DEED_BOTH_HANG_UP)
            together(p, call, choices[i].deed, choices[i].word);
        else
            do_it(p, choices[i].deed, call, choices[i].word);
        return;
    }
}

static void act(struct party *p)
{
    static const struct choice idle[] = {{DEED_DIAL, 80, ""}, {DEED_QUIT, 1, "quit"}};
    static const struct choice rings[] = {{DEED_ANSWER, 60, "answer"}, {DEED_REJECT, 12, "reject"}};
    static const struct choice waits[] = {{DEED_CANCEL, 30, "hangup"}};
    static const struct choice talks[] = {
        {DEED_HANGUP, 36, "hangup"},      {DEED_HOLD, 16, "hold"}, {DEED_GLARE, 10, "hold"},
        {DEED_BOTH_HANG_UP, 8, "hangup"}, {DEED_SECOND, 8, ""},
    };
    static const struct choice holds[] = {
        {DEED_RESUME, 50, "resume"}, {DEED_HANGUP, 25, "hangup"}, {DEED_SECOND, 8, ""}};
#define CHOOSE(call, table) choose(p, call, table, sizeof table / sizeof *table)
    int ringing = call_in(p, 1u << RINGS), call;
    if (ringing && !p->calls[ringing].caller)
        CHOOSE(ringing, rings);
    else if ((call = call_in(p, 1u << CALLING | 1u << RINGS)))
        CHOOSE(call, waits);
    else if ((call = call_in(p, 1u << TALKING | 1u << HELD)))
        CHOOSE(call, talks);
    else if ((call = call_in(p, 1u << HOLDING)))
        CHOOSE(call, holds);
    else if (!people_busy(p))
        CHOOSE(0, idle);
#undef CHOOSE
}

static dt_time later(struct party *p)
{
    if (pick_chance(&p->rng, SOON_PERCENT))
        return pick_between(&p->rng, 0, SOON_MS) * DT_MS;
    return (dt_time)dt_rng_below(&p->rng, (uint64_t)(2 * p->w->pace));
}

void people_begin(struct world *w)
{
    for (int i = w->n_proxies; i < w->n_parties; i++)
        w->parties[i].due = w->zero + later(&w->parties[i]);
}

dt_time people_tick(struct world *w)
{
    dt_time now = world_now(w), next = DT_TIME_NEVER;
    for (int i = w->n_proxies; i < w->n_parties && !w->failed; i++) {
        struct party *p = &w->parties[i];
        if (p->due <= now) {
            p->due = now + later(p);
            if (p->quit && !p->down)
                party_comes_back(p);
            else if (!p->down)
                act(p);
        }
        next = dt_time_min(next, p->due);
    }
    return next;
}

void people_hang_up(struct world *w)
{
    for (int i = w->n_proxies; i < w->n_parties; i++)
        for (int k = 1; k <= CALLS_MAX; k++) {
            enum call_state s = w->parties[i].calls[k].state;
            if (s != NO_CALL && s != ENDED && s != ENDING)
                people_type(&w->parties[i], "hangup %d", k);
        }
}
