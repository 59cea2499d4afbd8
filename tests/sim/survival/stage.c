/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Setting up the network of a cell as the text of a flow, letting time pass, and what the phones
 * say meanwhile. */
#include "stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 4096, LADDER_MAX = 4 << 20 };

/* ---- the network as a flow ---- */

static void write_proxies(const struct cell *c, struct dt_writer *w)
{
    const char *auth = c->auth ? " auth" : "";
    dt_writef(w, "proxy P%s\nproxy S%s\n", auth, auth);
    if (c->kind != KIND_STRANGERS)
        dt_write_lit(w, "pair P S\n");
}

static void write_phone(const struct cell *c, struct dt_writer *w, const char *phone, bool foreign)
{
    struct dt_str name = dt_str_sub(dt_str_z(phone), 0, dt_str_find(dt_str_z(phone), ' '));
    bool one = foreign && c->kind != KIND_STRANGERS; /* knows one proxy only */
    dt_writef(w, "phone %s primary P%s%s\n", phone, one ? "" : " backup S register both",
              c->auth ? " password \"secret\"" : "");
    if (!foreign)
        dt_writef(w, "set %.*s proxy_failover fast\n", DT_FMT(name));
    if (c->tcp)
        dt_writef(w, "set %.*s proxy_transport tcp\n", DT_FMT(name));
}

static bool is_foreign(const struct cell *c, int party)
{
    switch (c->kind) {
    case KIND_CALLEE_FOREIGN:
        return party >= B;
    case KIND_CALLER_FOREIGN:
        return party == A;
    case KIND_STRANGERS:
        return party != A;
    default:
        return false;
    }
}

static void write_flow(const struct cell *c, struct dt_writer *w)
{
    static const char *const callees[] = {"B 1002", "B2 1003", "B3 1004"};
    dt_write_lit(w, "flow survival \"Survival\"\n");
    write_proxies(c, w);
    write_phone(c, w, "A 1001", is_foreign(c, A));
    for (int i = 0; i < (c->contacts ? 3 : 1); i++)
        write_phone(c, w, callees[i], is_foreign(c, B));
    dt_write_lit(w, "wait 1\n"); /* a flow needs a step; it is not played */
}

int last_callee(const struct stage *s)
{
    return s->cell->contacts ? B3 : B;
}

/* ---- life ---- */

static bool parse(struct stage *s)
{
    char text[TEXT_MAX];
    struct dt_writer w = dt_writer(text, sizeof text);
    struct dt_problem problem;
    struct dt_problems problems = {.list = &problem, .cap = 1};
    write_flow(s->cell, &w);
    if (w.err ||
        dt_flow_parse(&s->memory.alloc, DT_STR("cell"), dt_writer_str(&w), &problems, &s->flow)) {
        stage_fail(s, "the flow is wrong: %s", problems.n ? problem.text : "too long");
        return false;
    }
    /* In a file each number is one phone's; here they are the contacts of one user. */
    for (int i = B2; i <= last_callee(s); i++)
        s->flow->parties[i].number = s->flow->parties[B].number;
    return true;
}

bool stage_open(struct stage *s, const struct cell *c, uint64_t seed, unsigned loss)
{
    const uint64_t key[2] = {seed, 0x70656f706c65};
    memset(s, 0, sizeof *s);
    s->cell = c;
    s->seed = seed;
    s->loss = loss;
    s->return_at = s->move_at = DT_TIME_NEVER;
    kit_alloc_init(&s->memory);
    dt_rng_init(&s->rng, key);
    if (!parse(s))
        return false;
    s->options = (struct dt_flow_options){.seed = seed, .loss = loss};
    for (int i = P; i <= last_callee(s); i++)
        s->flow->parties[i].plain = is_foreign(c, i);
    s->options.watch = blow_watch;
    s->options.watch_ctx = s;
    s->result.mark = SIZE_MAX;
    dt_record_init(&s->result.record, s->flow->alloc);
    for (size_t i = 0; i < s->flow->n_parties; i++)
        (void)dt_record_party(&s->result.record, s->flow->parties[i].name);
    s->run = (struct flow_run){.f = s->flow, .o = &s->options, .r = &s->result};
    s->run.w = dt__flow_sim_open(s->flow, &s->options, &s->result.record);
    if (!s->run.w || dt__flow_set_up(&s->run))
        stage_fail(s, "%s", s->run.w ? s->result.reason : "no memory");
    s->read = s->result.from;
    return !s->failed;
}

void stage_close(struct stage *s)
{
    if (s->run.w)
        s->run.w->ops->close(s->run.w);
    if (s->flow) {
        dt_flow_result_clear(&s->result);
        dt_flow_free(s->flow);
    }
    if (s->memory.live > 0)
        stage_fail(s, "%zu pieces of memory were not freed", s->memory.live);
}

void stage_draw(struct stage *s)
{
    static char text[LADDER_MAX];
    struct dt_writer w = dt_writer(text, sizeof text);
    s->result.to = s->result.record.n;
    s->result.held = true;
    dt_flow_draw(s->flow, &s->options, &s->result, &w);
    printf("%.*s\n", DT_FMT(dt_writer_str(&w)));
}

void stage_fail(struct stage *s, const char *fmt, ...)
{
    if (s->failed)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(s->reason, sizeof s->reason, fmt, args);
    va_end(args);
    s->failed = true;
}

/* ---- what phones say ---- */

static enum call_state state_of(struct dt_str text)
{
    static const char *const names[CALL_STATES] = {
        [CALLING] = "calling", [RINGS] = "ringing",   [ANSWERING] = "answering",
        [TALKING] = "talking", [HOLDING] = "holding", [HELD] = "held",
        [ENDING] = "ending",   [ENDED] = "ended",
    };
    struct dt_str word = dt_str_sub(text, 0, dt_str_find(text, ' '));
    for (int i = CALLING; i < CALL_STATES; i++)
        if (dt_str_eq(word, dt_str_z(names[i])))
            return (enum call_state)i;
    return NO_CALL;
}

enum { BLINK_MS = 20 };

static void hear(struct stage *s, const struct dt_record_item *it)
{
    if (it->kind != DT_REC_EVENT || it->event != DT_EV_CALL || it->who < A || it->who >= PARTIES ||
        it->call > CALLS_MAX)
        return;
    struct phone_view *v = &s->phones[it->who];
    enum call_state old = v->calls[it->call], now = state_of(dt_bytes_str(it->bytes));
    if (now == NO_CALL || now == old)
        return;
    v->rings += now == RINGS && (it->who != A || old == NO_CALL || old == ENDED);
    v->blinks += old == RINGS && now == ENDED && it->at - v->since[RINGS] <= BLINK_MS * DT_MS;
    v->talks += now == TALKING && old != HOLDING && old != HELD;
    v->calls[it->call] = now;
    v->since[now] = it->at;
}

/* "start 1 LOCAL REMOTE CODEC DIRECTION", "stop 1": sound goes by no proxy, so that it must go on.
 */
static void hear_sound(struct stage *s, const struct dt_record_item *it)
{
    if (it->kind != DT_REC_EVENT || it->event != DT_EV_MEDIA || it->who < A || it->who >= PARTIES)
        return;
    struct phone_view *v = &s->phones[it->who];
    bool stop = dt_str_starts(dt_bytes_str(it->bytes), DT_STR("stop"));
    v->sound = dt_str_ends(dt_bytes_str(it->bytes), DT_STR(" sendrecv"));
    v->gaps += stop && !s->hung_up && v->talks > 0;
}

static void hear_refusal(struct stage *s, const struct dt_record_item *it)
{
    if (it->kind == DT_REC_EVENT && it->event == DT_EV_SCREEN && it->who >= A && it->who < PARTIES)
        s->phones[it->who].refused |= dt_str_eq(dt_bytes_str(it->bytes), DT_STR("Not Reachable"));
}

static void listen(struct stage *s)
{
    for (; s->read < s->result.record.n; s->read++) {
        hear(s, &s->result.record.items[s->read]);
        hear_sound(s, &s->result.record.items[s->read]);
        hear_refusal(s, &s->result.record.items[s->read]);
    }
}

bool phone_has(const struct stage *s, int party, enum call_state state)
{
    for (int i = 0; i <= CALLS_MAX; i++)
        if (s->phones[party].calls[i] == state)
            return true;
    return false;
}

bool phone_busy(const struct stage *s, int party)
{
    for (int i = 0; i <= CALLS_MAX; i++)
        if (s->phones[party].calls[i] != NO_CALL && s->phones[party].calls[i] != ENDED)
            return true;
    return false;
}

/* ---- time ---- */

dt_time stage_now(const struct stage *s)
{
    return s->run.w->ops->now(s->run.w);
}

bool stage_until(struct stage *s, stage_test test, dt_time limit)
{
    for (;;) {
        dt_time next = blow_tick(s);
        listen(s);
        if (test && test(s))
            return true;
        if (stage_now(s) >= limit)
            return false;
        s->run.w->ops->advance(s->run.w, dt_time_min(next, limit));
    }
}

void stage_pass(struct stage *s, dt_time t)
{
    (void)stage_until(s, NULL, stage_now(s) + t);
}

dt_time stage_between(struct stage *s, int from_ms, int to_ms)
{
    return (from_ms + (dt_time)dt_rng_below(&s->rng, (uint64_t)(to_ms - from_ms))) * DT_MS;
}

void stage_type(struct stage *s, int party, const char *command)
{
    struct dt_record *r = &s->result.record;
    if (!s->run.acted)
        s->result.zero = stage_now(s);
    s->run.acted = true;
    s->hung_up = s->hung_up || dt_str_eq(dt_str_z(command), DT_STR("hangup"));
    (void)dt_record_note(r, stage_now(s), DT_REC_COMMAND, (uint16_t)party, dt_str_z(command));
    s->run.w->ops->command(s->run.w, party, dt_str_z(command));
}
