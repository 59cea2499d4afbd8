/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a trial found, for people and for programs. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/bench_load.h"

bool dt__bench_clean(const struct bench_result *r)
{
    return r->done == r->started && !r->held && !r->resent && r->done > 0;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t part(const struct bench_result *r, size_t per_mille)
{
    return r->n_delays ? r->delays[(r->n_delays - 1) * per_mille / 1000] : 0;
}

static double per_second(const struct bench_result *r)
{
    return r->elapsed > 0 ? (double)r->done * 1e6 / (double)r->elapsed : 0;
}

static void print_json(const struct bench_result *r)
{
    printf("{\"started\": %llu, \"done\": %llu, \"failed\": %llu, \"first_failure\": %d, "
           "\"lost\": %llu, \"held\": %llu, \"resent\": %llu, \"repeated\": %llu, "
           "\"disordered\": %llu, \"late\": %llu, \"dropped\": %llu, \"rate\": %.1f, "
           "\"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u, \"cpu_us\": %.3f, "
           "\"memory_base\": %lld, \"memory_growth\": %lld}\n",
           (unsigned long long)r->started, (unsigned long long)r->done,
           (unsigned long long)r->failed, r->first_failure, (unsigned long long)r->lost,
           (unsigned long long)r->held, (unsigned long long)r->resent,
           (unsigned long long)r->repeated, (unsigned long long)r->disordered,
           (unsigned long long)r->late, (unsigned long long)r->dropped, per_second(r), part(r, 500),
           part(r, 990), part(r, 1000), r->done ? (double)r->cpu / 1000 / (double)r->done : 0,
           (long long)r->memory_base, (long long)(r->memory - r->memory_base));
}

static void print_text(const struct bench_load *l, const char *what)
{
    const struct bench_result *r = &l->r;
    const char *delay = l->flow == &dt__bench_calls ? "INVITE to 180" : "request to final";
    printf("%-9s %llu started, %llu done, %llu lost", what, (unsigned long long)r->started,
           (unsigned long long)r->done, (unsigned long long)r->lost);
    if (r->failed)
        printf(", %llu failed (the first with %d)", (unsigned long long)r->failed,
               r->first_failure);
    if (r->held)
        printf(", %llu not begun in time", (unsigned long long)r->held);
    printf("; %.0f a second\n", per_second(r));
    printf(
        "          %llu sent again, %llu copies came, %llu out of order, %llu late, %llu dropped "
        "here\n",
        (unsigned long long)r->resent, (unsigned long long)r->repeated,
        (unsigned long long)r->disordered, (unsigned long long)r->late,
        (unsigned long long)r->dropped);
    printf("          %s: p50 %u us, p99 %u us, longest %u us\n", delay, part(r, 500), part(r, 990),
           part(r, 1000));
    if (l->o->account.n && r->done)
        printf("          the accounted: %.2f us of processor each, %.1f KiB of memory more, %.0f "
               "bytes each\n",
               (double)r->cpu / 1000 / (double)r->done, (double)(r->memory - r->memory_base) / 1024,
               (double)(r->memory - r->memory_base) / (double)r->started);
}

void dt__bench_print(const struct bench_load *l, const char *what, bool json)
{
    const struct bench_result *r = &l->r;
    if (r->n_delays)
        qsort(r->delays, r->n_delays, sizeof *r->delays, compare);
    if (json)
        print_json(r);
    else
        print_text(l, what);
}
