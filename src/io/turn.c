/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loop turn by turn, for who waits for something (flows, tests). */
#include "io/io.h"
#include "io/loop.h"

static void on_limit(void *ctx, dt_time now)
{
    (void)ctx;
    (void)now;
}

int dt_host_turn(struct dt_host *h, dt_time limit)
{
    if (atomic_load(&h->ran) && h->has_thread)
        return DT_E_STATE;
    if (!atomic_load(&h->ran)) {
        h->thread = uv_thread_self();
        h->now = dt_io_now();
        atomic_store(&h->ran, true);
    }
    h->now_is_read = false; /* the caller has taken its time since the last turn */
    struct dt_host_timer timer;
    dt__timer_init(&timer, h, on_limit, NULL);
    dt_host_timer_at(&timer, limit);
    uv_run(&h->loop, UV_RUN_ONCE);
    dt_host_timer_at(&timer, DT_TIME_NEVER);
    return DT_OK;
}
