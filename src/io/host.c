/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loop: clocks, turns, timers, nodes, its beginning and its end. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/io.h"
#include "io/loop.h"
#include "io/slice.h"

static const dt_time stall_default = 4 * DT_SECOND; /* R10 */
static const dt_time wall_step = DT_SECOND;         /* from here on the nodes are told */
static const dt_time wall_jitter = 250 * DT_MS;     /* from here on stamps are doubted */
static const dt_time end_grace = 500 * DT_MS;       /* for streams that still write */
static const dt_time connect_default = 10 * DT_SECOND;

void dt__host_log(const struct dt_host *h, enum dt_log_level level, const char *fmt, ...)
{
    char line[512];
    const struct dt_log *log = h->cfg.log;
    if (!log || !log->line || level > log->level)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    log->line(log->ctx, level, "io", DT_STR_NONE, dt_str_z(line));
}

/* ---- clocks ---- */

static void tell_all(struct dt_host *h, const struct dt_input *in)
{
    for (int i = 0; i < h->n_places; i++)
        if (h->places[i]->ops)
            dt__place_later(h->places[i], in, NULL, NULL);
}

static void check_wall(struct dt_host *h, int64_t wall)
{
    int64_t moved = wall - h->wall, off = wall - h->wall_told;
    h->wall = wall;
    if (moved > wall_jitter || moved < -wall_jitter)
        h->wall_doubt = h->now + stall_default;
    if (off < wall_step && off > -wall_step)
        return;
    h->wall_told = wall;
    dt__host_log(h, DT_LOG_INFO, "the wall clock was moved by %lld ms", (long long)(off / DT_MS));
    tell_all(h, &(struct dt_input){.kind = DT_IN_WALL_STEP, .wall = wall});
}

/* R10: the loop turns at least four times in the limit, so a longer gap means that the process was
 * stopped, or the machine slept. */
static void check_stall(struct dt_host *h, dt_time gap)
{
    if (gap <= h->cfg.stall)
        return;
    dt__host_log(h, DT_LOG_WARN, "stood still for %lld ms", (long long)(gap / DT_MS));
    tell_all(h, &(struct dt_input){.kind = DT_IN_WOKE, .age = gap});
}

void dt__host_turn(struct dt_host *h)
{
    if (h->now_is_read)
        return;
    dt_time last = h->now;
    h->now = dt_io_now();
    h->now_is_read = true;
    check_wall(h, dt_io_wall_offset());
    check_stall(h, h->now - last);
}

dt_time dt_host_now(struct dt_host *h)
{
    dt__host_turn(h);
    return h->now;
}

static void set_clock(struct dt_host *h, dt_time due)
{
    if (h->clock_due <= due)
        return; /* it fires early and does no harm; saves a system call a turn */
    struct itimerspec at = {
        .it_value = {.tv_sec = due / DT_SECOND, .tv_nsec = (long)(due % DT_SECOND) * 1000}};
    if (timerfd_settime(h->clock_fd, TFD_TIMER_ABSTIME, &at, NULL) == 0)
        h->clock_due = due;
}

static void on_clock(uv_poll_t *handle, int status, int events)
{
    struct dt_host *h = handle->data;
    uint64_t fired;
    (void)status;
    (void)events;
    dt__host_turn(h);
    if (read(h->clock_fd, &fired, sizeof fired) == (ssize_t)sizeof fired)
        h->clock_due = DT_TIME_NEVER;
    if (h->accept_waits)
        dt__tcp_accept_more(h);
}

/* ---- timers ---- */

void dt__timer_init(struct dt_host_timer *t, struct dt_host *h, void (*fire)(void *, dt_time),
                    void *ctx)
{
    *t = (struct dt_host_timer){.host = h, .fire = fire, .ctx = ctx};
    dt_timer_init(&t->timer, 0);
}

struct dt_host_timer *dt_host_timer_new(struct dt_host *h, void (*fire)(void *, dt_time), void *ctx)
{
    struct dt_host_timer *t = dt_alloc_zero(h->alloc, sizeof *t);
    if (t)
        dt__timer_init(t, h, fire, ctx);
    return t;
}

void dt_host_timer_at(struct dt_host_timer *t, dt_time due)
{
    if (dt_timers_arm(&t->host->timers, &t->timer, due))
        dt__host_log(t->host, DT_LOG_ERROR, "a timer is lost: out of memory");
}

void dt_host_timer_free(struct dt_host_timer *t)
{
    if (!t)
        return;
    dt_timers_stop(&t->host->timers, &t->timer);
    dt_alloc_free(t->host->alloc, t);
}

/* ---- a turn ---- */

static dt_time next_due(const struct dt_host *h)
{
    dt_time due = h->cfg.stall == DT_TIME_NEVER ? h->now + DT_SECOND : h->now + h->cfg.stall / 4;
    due = dt_time_min(due, dt_timers_next(&h->timers));
    for (int i = 0; i < h->n_places; i++) {
        struct io_place *p = h->places[i];
        if (p->ops)
            due = p->n_pending > 0 ? h->now : dt_time_min(due, p->ops->deadline(p->node));
    }
    return due > 0 ? due : 1; /* 0 would disarm */
}

/* Before each poll: what is due and what is pending. */
static void on_prepare(uv_prepare_t *handle)
{
    struct dt_host *h = handle->data;
    struct dt_timer *due;
    dt__host_turn(h);
    while ((due = dt_timers_due(&h->timers, h->now)) != NULL) {
        struct dt_host_timer *t = DT_OF(due, struct dt_host_timer, timer);
        t->fire(t->ctx, h->now);
    }
    for (int i = 0; i < h->n_places; i++) {
        struct io_place *p = h->places[i];
        if (!p->started || p->n_pending > 0)
            dt__place_settle(p);
        dt__place_tick(p, h->now);
    }
    dt_time next = next_due(h);
    set_clock(h, next);
    if (h->cfg.gather > 0)
        dt__gather(h, next);
    h->now_is_read = false;
}

/* ---- the end ---- */

static void end_now(void *ctx, dt_time now)
{
    struct dt_host *h = ctx;
    (void)now;
    uv_stop(&h->loop);
}

void dt__host_streams_gone(struct dt_host *h)
{
    if (h->ending)
        uv_stop(&h->loop);
}

static void begin_end(struct dt_host *h)
{
    if (h->ending)
        return;
    h->ending = true;
    for (int i = 0; i < h->n_places; i++) {
        dt__place_settle(h->places[i]);
        dt__tcp_unlisten_all(h->places[i]);
        dt__tcp_close_all(h->places[i]);
    }
    if (h->n_streams == 0)
        uv_stop(&h->loop);
    else
        dt_host_timer_at(&h->grace, h->now + end_grace);
}

static void on_wake(uv_async_t *handle)
{
    struct dt_host *h = handle->data;
    dt__host_turn(h);
    dt__links_take(h);
    if (atomic_load(&h->stop))
        begin_end(h);
}

void dt_host_stop(struct dt_host *h)
{
    atomic_store(&h->stop, true);
    uv_async_send(&h->wake);
}

static void on_signal(uv_signal_t *handle, int signo)
{
    struct dt_host *h = handle->data;
    dt__host_turn(h);
    if (h->cfg.watch.signal)
        h->cfg.watch.signal(h->cfg.watch.ctx, signo);
}

/* ---- running ---- */

static void run(void *ctx)
{
    struct dt_host *h = ctx;
    if (h->cfg.slice > 0)
        (void)dt__slice(h->cfg.slice);
    h->now = dt_io_now(); /* the time before the loop ran is no stall */
    uv_run(&h->loop, UV_RUN_DEFAULT);
}

int dt_host_run(struct dt_host *h)
{
    if (atomic_load(&h->ran))
        return DT_E_STATE;
    h->thread = uv_thread_self();
    atomic_store(&h->ran, true);
    run(h);
    return DT_OK;
}

int dt_host_start(struct dt_host *h)
{
    if (atomic_load(&h->ran))
        return DT_E_STATE;
    if (uv_thread_create(&h->thread, run, h))
        return DT_E_IO;
    h->has_thread = true;
    atomic_store(&h->ran, true);
    return DT_OK;
}

void dt_host_join(struct dt_host *h)
{
    if (h->has_thread)
        uv_thread_join(&h->thread);
    h->has_thread = false;
}

/* ---- nodes ---- */

int dt_host_add(struct dt_host *h, const struct dt_node_ops *ops, void *node)
{
    uint64_t key[2];
    struct io_place **more =
        dt_alloc_array(h->alloc, h->places, (size_t)h->n_places + 1, sizeof(struct io_place *));
    if (!more)
        return DT_E_NOMEM;
    h->places = more;
    struct io_place *p = dt_alloc_zero(h->alloc, sizeof *p);
    if (!p)
        return DT_E_NOMEM;
    *p = (struct io_place){.host = h, .ops = ops, .node = node, .number = h->n_places};
    dt_list_init(&p->udp);
    dt_list_init(&p->listeners);
    dt_list_init(&p->streams);
    if (dt_io_random(key, sizeof key))
        memset(key, 0, sizeof key); /* the ids are ours and the node's: no peer can aim */
    dt_map_init(&p->by_id, h->alloc, key);
    p->last_id = UINT64_MAX; /* the first is 1 */
    h->places[h->n_places++] = p;
    return p->number;
}

void dt_host_remove(struct dt_host *h, int node)
{
    if (node >= 0 && node < h->n_places && h->places[node]->ops)
        dt__place_clear(h->places[node]);
}

static bool is_foreign_thread(struct dt_host *h)
{
    uv_thread_t self = uv_thread_self();
    return atomic_load(&h->ran) && !uv_thread_equal(&self, &h->thread);
}

int dt_host_command(struct dt_host *h, int node, enum dt_channel channel, struct dt_str text)
{
    if (is_foreign_thread(h))
        return DT_E_STATE;
    if (node < 0 || node >= h->n_places || !h->places[node]->ops)
        return DT_E_ABSENT;
    struct dt_bytes *line = dt_bytes_copy(h->alloc, text);
    if (!line)
        return DT_E_NOMEM;
    struct dt_input in = {.kind = DT_IN_COMMAND, .channel = channel, .data = dt_bytes_str(line)};
    dt__place_later(h->places[node], &in, line, NULL);
    return DT_OK;
}

const struct dt_host_counts *dt_host_counts(const struct dt_host *h)
{
    return &h->counts;
}

struct uv_loop_s *dt_host_loop(struct dt_host *h)
{
    return &h->loop;
}

/* ---- beginning ---- */

static void fill_defaults(struct dt_host_config *c)
{
    if (c->stall == 0)
        c->stall = stall_default;
    if (c->connect_timeout == 0)
        c->connect_timeout = connect_default;
    if (c->streams_max == 0)
        c->streams_max = 4096;
    if (c->streams_source == 0)
        c->streams_source = 256;
    if (c->stream_queue == 0)
        c->stream_queue = 1 << 20;
    if (c->datagram_queue == 0)
        c->datagram_queue = 4096;
}

/* A write to a peer that has gone shall be an error, not the end of the process. */
static void ignore_sigpipe(void)
{
    struct sigaction old;
    if (sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
}

static int open_signals(struct dt_host *h)
{
    static const int which[2] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        int err = uv_signal_init(&h->loop, &h->signals[i]);
        if (!err)
            err = uv_signal_start(&h->signals[i], on_signal, which[i]);
        if (err)
            return err;
        h->signals[i].data = h;
        uv_unref((uv_handle_t *)&h->signals[i]);
    }
    return 0;
}

static int open_handles(struct dt_host *h)
{
    int err = uv_loop_init(&h->loop);
    if (err)
        return err;
    h->loop_is_open = true;
    h->clock_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (h->clock_fd < 0)
        return UV_EMFILE;
    h->prepare.data = h->wake.data = h->clock.data = h;
    if ((err = uv_prepare_init(&h->loop, &h->prepare)) ||
        (err = uv_prepare_start(&h->prepare, on_prepare)) ||
        (err = uv_async_init(&h->loop, &h->wake, on_wake)) ||
        (err = uv_poll_init(&h->loop, &h->clock, h->clock_fd)) ||
        (err = uv_poll_start(&h->clock, UV_READABLE, on_clock)))
        return err;
    return h->cfg.signals ? open_signals(h) : 0;
}

static int init(struct dt_host *h)
{
    h->now = dt_io_now();
    h->wall = h->wall_told = dt_io_wall_offset();
    ignore_sigpipe();
    int e = open_handles(h);
    if (e)
        return dt__sock_err_uv(e);
    e = dt__udp_init(h);
    return e ? e : dt__tcp_init(h);
}

struct dt_host *dt_host_new(const struct dt_host_config *cfg, char *err, size_t err_size)
{
    const struct dt_alloc *alloc = cfg->alloc ? cfg->alloc : &dt_alloc_libc;
    struct dt_host *h = dt_alloc_zero(alloc, sizeof *h);
    int e = h ? DT_OK : DT_E_NOMEM;
    if (h) {
        h->alloc = alloc;
        h->cfg = *cfg;
        fill_defaults(&h->cfg);
        h->clock_fd = -1;
        h->clock_due = DT_TIME_NEVER;
        dt_timers_init(&h->timers, alloc);
        dt_list_init(&h->links);
        dt_list_init(&h->closing);
        dt__timer_init(&h->grace, h, end_now, h);
        e = init(h);
    }
    if (err_size > 0)
        err[0] = '\0';
    if (!e)
        return h;
    snprintf(err, err_size, "the event loop cannot start: %s", dt_err_text(e));
    dt_host_free(h);
    return NULL;
}

static void close_handle(void *handle)
{
    uv_handle_t *h = handle;
    if (h->type != UV_UNKNOWN_HANDLE && !uv_is_closing(h))
        uv_close(h, NULL);
}

static void unref(uv_handle_t *handle, void *arg)
{
    (void)arg;
    uv_unref(handle);
}

static void close_loop(struct dt_host *h)
{
    close_handle(&h->prepare);
    close_handle(&h->wake);
    close_handle(&h->clock);
    close_handle(&h->signals[0]);
    close_handle(&h->signals[1]);
    /* What others forgot to close shall not hold us here. */
    uv_walk(&h->loop, unref, NULL);
    while (uv_run(&h->loop, UV_RUN_DEFAULT))
        continue;
    if (uv_loop_close(&h->loop))
        dt__host_log(h, DT_LOG_ERROR, "something on the loop was not closed");
}

void dt_host_free(struct dt_host *h)
{
    if (!h)
        return;
    dt_host_join(h);
    for (int i = 0; i < h->n_places; i++)
        dt__place_clear(h->places[i]);
    dt__tcp_abort_closing(h);
    dt__links_cut(h);
    dt__dns_exit(h);
    if (h->loop_is_open)
        close_loop(h);
    dt__udp_exit(h);
    dt_alloc_free(h->alloc, h->stream_buffer);
    if (h->clock_fd >= 0)
        close(h->clock_fd);
    for (int i = 0; i < h->n_places; i++) {
        dt_map_clear(&h->places[i]->by_id);
        dt_alloc_free(h->alloc, h->places[i]->pending);
        dt_alloc_free(h->alloc, h->places[i]);
    }
    dt_alloc_free(h->alloc, h->places);
    dt_timers_clear(&h->timers);
    dt_alloc_free(h->alloc, h);
}
