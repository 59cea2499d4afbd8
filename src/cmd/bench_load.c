/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The load generator's engine: slots, pace, what comes in, what is due. */
#include <stdio.h>
#include <string.h>

#include "cmd/bench_load.h"
#include "cmd/command.h"
#include "io/io.h"

/* So many jobs begin between two looks at the sockets; so often deadlines are looked through. */
enum { STARTS = 16, SWEEP_MS = 10, T1_MS = 500, T2_MS = 4000 };

/* ---- jobs ---- */

static struct bench_job *begin(struct bench_load *l)
{
    uint32_t slot = l->n_free ? l->free[--l->n_free] : l->slots_high++;
    struct bench_job *j = &l->slots[slot];
    const struct bench_options *o = l->o;
    uint32_t serial = l->serial++;
    j->serial = serial;
    j->user = (uint32_t)(serial % (uint64_t)o->users);
    j->contact = (uint32_t)(serial / (uint64_t)o->users % (uint64_t)o->contacts);
    j->used = true;
    j->caller = j->callee = 0;
    j->has_final = false;
    j->started = l->now;
    j->n_route = j->n_answer = 0;
    j->nc = 0;
    dt__bench_still(j, BENCH_CALLER);
    dt__bench_still(j, BENCH_CALLEE);
    l->n_used++;
    l->r.started++;
    return j;
}

static void release(struct bench_load *l, struct bench_job *j)
{
    j->used = false;
    l->n_used--;
    l->free[l->n_free++] = (uint32_t)(j - l->slots);
}

void dt__bench_end(struct bench_load *l, struct bench_job *j)
{
    l->r.done++;
    release(l, j);
}

void dt__bench_fail(struct bench_load *l, struct bench_job *j, int status)
{
    if (!l->r.failed++)
        l->r.first_failure = status;
    release(l, j);
}

static int hex(char c)
{
    c = dt_lower(c);
    return dt_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The key is the first run of 22 hex digits that begins with this run's eight. */
struct bench_job *dt__bench_find(struct bench_load *l, struct dt_str line)
{
    char run[8];
    struct dt_writer w = dt_writer(run, sizeof run);
    dt_write_hex(&w, l->run, 8);
    const char *p = memmem(line.p, line.n, run, sizeof run);
    uint64_t value = 0;
    if (!p || p + 22 > line.p + line.n)
        return NULL;
    for (int i = 8; i < 22; i++) {
        int digit = hex(p[i]);
        if (digit < 0)
            return NULL;
        value = value << 4 | (unsigned)digit;
    }
    uint64_t slot = value >> 32;
    if (slot >= l->slots_high || !l->slots[slot].used || l->slots[slot].serial != (uint32_t)value)
        return NULL;
    return &l->slots[slot];
}

void dt__bench_delay(struct bench_load *l, const struct bench_job *j)
{
    struct bench_result *r = &l->r;
    if (r->n_delays == r->cap_delays) {
        size_t cap = r->cap_delays ? r->cap_delays * 2 : 1 << 14;
        uint32_t *more = dt_alloc_array(&dt_alloc_libc, r->delays, cap, sizeof *more);
        if (!more)
            return;
        r->delays = more;
        r->cap_delays = cap;
    }
    r->delays[r->n_delays++] = (uint32_t)(l->now - j->started);
}

/* ---- repeats ---- */

void dt__bench_repeat(struct bench_load *l, struct bench_job *j, enum bench_end end)
{
    j->repeat[end] = (struct bench_repeat){l->now + T1_MS * DT_MS, T1_MS * DT_MS};
}

void dt__bench_repeat_more(struct bench_load *l, struct bench_job *j, enum bench_end end)
{
    struct bench_repeat *t = &j->repeat[end];
    l->r.resent++;
    t->interval = t->interval * 2 < T2_MS * DT_MS ? t->interval * 2 : T2_MS * DT_MS;
    t->due = l->now + t->interval;
}

void dt__bench_still(struct bench_job *j, enum bench_end end)
{
    j->repeat[end].due = DT_TIME_NEVER;
}

static void sweep(struct bench_load *l)
{
    dt_time oldest = l->now - l->o->patience - l->o->ring - l->o->hold;
    for (uint32_t i = 0; i < l->slots_high && l->n_used; i++) {
        struct bench_job *j = &l->slots[i];
        if (j->used && j->started < oldest) {
            l->r.lost++;
            release(l, j);
        }
        for (int end = 0; end < BENCH_ENDS; end++)
            if (j->used && j->repeat[end].due <= l->now)
                l->flow->due(l, j, (enum bench_end)end);
    }
}

/* ---- the loop ---- */

static size_t receive(struct bench_load *l, enum bench_end end)
{
    struct dt_str list[DT_BURST_BATCH];
    struct bench_msg m;
    size_t n = dt_burst_receive(l->ends[end], list);
    if (n)
        l->now = dt_io_now();
    for (size_t i = 0; i < n; i++)
        if (dt__bench_scan(list[i], &m))
            l->flow->message(l, end, &m);
    return n;
}

/* How many may begin now, and when the next one may. */
static uint64_t wanted(struct bench_load *l, dt_time t0, dt_time *next)
{
    uint64_t due = UINT64_MAX;
    *next = DT_TIME_NEVER;
    if (l->stopping)
        return 0;
    if (l->rate) {
        due = (uint64_t)((l->now - t0) * l->rate / DT_SECOND) + 1 - l->r.started - l->r.held;
        *next = t0 + (dt_time)(l->r.started + l->r.held + due) * DT_SECOND / l->rate;
    } else {
        due = l->n_used < (uint64_t)l->window ? (uint64_t)l->window - l->n_used : 0;
    }
    if (l->count && due > l->count - l->r.started - l->r.held)
        due = l->count - l->r.started - l->r.held;
    return due;
}

static size_t start(struct bench_load *l, dt_time t0, dt_time *next)
{
    uint64_t n = wanted(l, t0, next);
    if (n > STARTS) {
        n = STARTS;
        *next = l->now;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (l->n_used == BENCH_SLOTS)
            l->r.held++;
        else
            l->flow->start(l, begin(l));
    }
    return n;
}

static int stop(struct bench_load *l, struct dt_usage *last)
{
    size_t which;
    l->stopping = true;
    return dt_usage_read(last, l->o->account.pids, l->o->account.n, &which);
}

static int drive(struct bench_load *l)
{
    struct dt_usage last = {0};
    dt_time t0 = dt_io_now(), sweep_at = t0, next;
    int err = DT_OK;
    l->now = t0;
    while (!err && (!l->stopping || l->n_used)) {
        size_t busy = receive(l, BENCH_CALLER) + receive(l, BENCH_CALLEE);
        l->now = dt_io_now();
        if (!l->stopping && ((l->duration && l->now >= t0 + l->duration) ||
                             (l->count && l->r.started + l->r.held >= l->count))) {
            err = stop(l, &last);
            l->r.elapsed = l->now - t0;
            l->r.memory = last.memory;
        }
        busy += start(l, t0, &next);
        if (l->now >= sweep_at) {
            sweep(l);
            sweep_at = l->now + SWEEP_MS * DT_MS;
        }
        for (int end = 0; end < BENCH_ENDS; end++)
            dt_burst_flush(l->ends[end]);
        if (!busy && !l->o->spin)
            dt_burst_wait(l->ends, BENCH_ENDS, dt_time_min(next, sweep_at));
    }
    if (l->count) /* until the last one is done: what a count is timed by */
        l->r.elapsed = dt_io_now() - t0;
    return err;
}

static uint64_t dropped(const struct bench_load *l)
{
    return dt_burst_dropped(l->ends[0]) + dt_burst_dropped(l->ends[1]);
}

int dt__bench_trial(struct bench_load *l, const struct bench_flow *flow, uint64_t count,
                    dt_time duration, int64_t rate, int64_t window)
{
    struct dt_usage before, after;
    size_t which;
    dt_alloc_free(&dt_alloc_libc, l->r.delays);
    l->r = (struct bench_result){0};
    l->flow = flow;
    l->count = count;
    l->duration = duration;
    l->rate = rate;
    l->window = window;
    l->stopping = false;
    uint64_t dropped_before = dropped(l);
    const struct bench_options *o = l->o;
    if (dt_usage_read(&before, o->account.pids, o->account.n, &which) || drive(l) ||
        dt_usage_read(&after, o->account.pids, o->account.n, &which))
        return DT_E_ABSENT;
    l->r.cpu = after.cpu - before.cpu;
    l->r.memory_base = before.memory;
    l->r.dropped = dropped(l) - dropped_before;
    return DT_OK;
}

/* ---- open and close ---- */

static int refuse(const char *what, struct dt_str value, const char *why)
{
    fprintf(stderr, "dualtone bench: %s \"%.*s\": %s\n", what, DT_FMT(value), why);
    return DT_EXIT_FAILED;
}

static int open_ends(struct bench_load *l)
{
    for (int end = 0; end < BENCH_ENDS; end++) {
        int err;
        struct dt_addr to = l->target;
        struct dt_writer w = dt_writer(l->addr_text[end], sizeof l->addr_text[end] - 1);
        if (l->o->port)
            l->addr[end].port = (uint16_t)(l->o->port + end);
        if (l->o->direct) {
            to = l->addr[end];
            to.port = (uint16_t)(l->o->port + (end == BENCH_CALLER));
        }
        l->ends[end] = dt_burst_open(&dt_alloc_libc, &to, &l->addr[end], &err);
        if (!l->ends[end])
            return refuse("a socket to", l->o->target, dt_err_text(err));
        dt_addr_write(&w, &l->addr[end]);
    }
    return DT_EXIT_GOOD;
}

int dt__bench_open(struct bench_load *l, const struct bench_options *o)
{
    *l = (struct bench_load){.o = o};
    if (dt_addr_parse(&l->target, o->target) || !l->target.port)
        return refuse("target", o->target,
                      "use ADDRESS:PORT of a proxy, for example "
                      "127.0.0.1:5060");
    l->target.transport = DT_UDP;
    if (!o->local.n ? dt_io_local_for(&l->target, &l->addr[0])
                    : dt_addr_parse(&l->addr[0], o->local))
        return refuse("local", o->local,
                      "use an IP address of this machine that leads to the "
                      "target");
    l->addr[0].port = 0;
    l->addr[1] = l->addr[0];
    /* Not zeroed: most pages are never touched. */
    l->slots = dt_alloc_array(&dt_alloc_libc, NULL, BENCH_SLOTS, sizeof *l->slots);
    l->free = dt_alloc_array(&dt_alloc_libc, NULL, BENCH_SLOTS, sizeof *l->free);
    if (!l->slots || !l->free)
        return refuse("memory", DT_STR_NONE, dt_err_text(DT_E_NOMEM));
    if (dt_io_random(&l->run, sizeof l->run))
        return refuse("randomness", DT_STR_NONE, dt_err_text(DT_E_IO));
    return open_ends(l);
}

void dt__bench_close(struct bench_load *l)
{
    for (int end = 0; end < BENCH_ENDS; end++)
        dt_burst_close(l->ends[end]);
    dt_alloc_free(&dt_alloc_libc, l->slots);
    dt_alloc_free(&dt_alloc_libc, l->free);
    dt_alloc_free(&dt_alloc_libc, l->r.delays);
}
