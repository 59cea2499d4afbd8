/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is told: each call that went wrong, with its ladder kept; at the end phases, losses, delays.
 */
#include "chaos.h"

#include "trace/ladder.h"
#include "trace/pcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LADDER_BASE = 1 << 14, LADDER_LINE = 400 };

static void keep(const struct chaos *x, const char *name, struct dt_str text)
{
    char path[CHAOS_PATH + 64];
    snprintf(path, sizeof path, "%s/%s", x->folder, name);
    if (!text.p || dt_io_file_write(path, text, 0644))
        fprintf(stderr, "chaos: %s cannot be written\n", path);
}

/* ---- a call that went wrong ---- */

static bool mentions(const struct chaos_call *c, struct dt_str message)
{
    for (size_t i = 0; i < c->n_ids; i++)
        if (dt_str_search(message, dt_str_z(c->ids[i])) < message.n)
            return true;
    return false;
}

static bool belongs(const struct chaos *x, const struct chaos_call *c,
                    const struct dt_record_item *it)
{
    if (it->at < c->dialled || it->kind == DT_REC_FAULT)
        return it->at >= c->dialled;
    if (it->kind == DT_REC_SENT)
        return mentions(c, dt_bytes_str(it->bytes));
    const char *who = it->who < x->record.n_parties ? x->record.parties[it->who].name : "";
    return strcmp(who, c->a->number) == 0 || strcmp(who, c->b->number) == 0;
}

static void keep_ladder(const struct chaos *x, const struct chaos_call *c)
{
    struct dt_record part = x->record; /* parties and addresses are the whole's */
    char name[32];
    part.items = calloc(x->record.n + 1, sizeof *part.items);
    part.n = 0;
    for (size_t i = 0; part.items && i < x->record.n; i++)
        if (belongs(x, c, &x->record.items[i]))
            part.items[part.n++] = x->record.items[i];
    size_t size = LADDER_BASE + part.n * LADDER_LINE;
    char *text = malloc(size);
    struct dt_writer w = dt_writer(text, text ? size : 0);
    const uint16_t lanes[] = {dt_record_whose(&part, &c->a->addr), 0, 1,
                              dt_record_whose(&part, &c->b->addr)};
    const struct dt_ladder l = {.record = &part,
                                .lanes = lanes,
                                .n_lanes = 4,
                                .to = part.n,
                                .zero = c->dialled,
                                .mark = SIZE_MAX,
                                .steps = true};
    dt_writef(&w, "call %u, %s to %s: %s\n", c->number, c->a->number, c->b->number, c->wrong);
    for (size_t i = 0; i < c->n_ids; i++)
        dt_writef(&w, "Call-ID: %s\n", c->ids[i]);
    dt_ladder_write(&l, &w);
    snprintf(name, sizeof name, "call-%u.txt", c->number);
    keep(x, name, dt_writer_str(&w));
    free(part.items);
    free(text);
}

void chaos_report_wrong(struct chaos *x, const struct chaos_call *c)
{
    printf("call %u, %s to %s, Call-ID %s: %s\n", c->number, c->a->number, c->b->number,
           c->n_ids ? c->ids[0] : "none", c->wrong);
    fflush(stdout);
    keep_ladder(x, c);
}

/* ---- delays ---- */

struct delays {
    dt_time *list;
    size_t n;
};

static int by_size(const void *a, const void *b)
{
    dt_time x = *(const dt_time *)a, y = *(const dt_time *)b;
    return (x > y) - (x < y);
}

static double percentile(const struct delays *d, unsigned percent)
{
    if (d->n == 0)
        return 0;
    size_t at = (d->n * percent + 99) / 100;
    return (double)d->list[at > 0 ? at - 1 : 0] / DT_MS;
}

static dt_time later(dt_time a, dt_time b)
{
    return a > b ? a : b;
}

/* From where to where; false: the call had none. */
static bool span(const struct chaos_call *c, int which, dt_time *from, dt_time *to)
{
    *from = which == 0 ? c->dialled : which == 1 ? c->answered : c->hung;
    *to = which == 0 ? c->rang_a : which == 1 ? c->talked_a : later(c->ended_a, c->ended_b);
    return *from && *to && *to >= *from;
}

/* Was a proxy dead in that time, or did it die? */
static bool is_touched(const struct chaos *x, dt_time from, dt_time to)
{
    for (unsigned i = 0; i < x->n_kills; i++) {
        const struct chaos_kill *k = &x->kills[i];
        if (to >= k->at && (k->back == 0 || from <= k->back))
            return true;
    }
    return false;
}

static void gather(const struct chaos *x, int which, struct delays out[2])
{
    for (unsigned i = 0; i < x->begun; i++) {
        dt_time from, to;
        if (!span(&x->calls[i], which, &from, &to))
            continue;
        struct delays *d = &out[is_touched(x, from, to)];
        d->list[d->n++] = to - from;
    }
    for (int i = 0; i < 2; i++)
        qsort(out[i].list, out[i].n, sizeof *out[i].list, by_size);
}

static void print_delays(const struct chaos *x)
{
    static const char *const names[] = {"dial to ringing", "answer to connected", "hang-up to end"};
    printf("\n%-22s%-26s%-26s%s\n%-22s%8s%8s%10s%8s%8s%10s%8s%8s\n", "delay in ms",
           "    both proxies up", "    one dead or dying", "    added", "", "calls", "p50", "p99",
           "calls", "p50", "p99", "p50", "p99");
    for (int which = 0; which < 3; which++) {
        struct delays d[2] = {{calloc(x->n_calls, sizeof(dt_time)), 0},
                              {calloc(x->n_calls, sizeof(dt_time)), 0}};
        if (d[0].list && d[1].list)
            gather(x, which, d);
        double usual = percentile(&d[0], 50), p50 = percentile(&d[1], 50);
        double p99 = percentile(&d[1], 99);
        printf("%-22s%8zu%8.1f%10.1f%8zu%8.1f%10.1f%8.1f%8.1f\n", names[which], d[0].n, usual,
               percentile(&d[0], 99), d[1].n, p50, p99, d[1].n ? p50 - usual : 0,
               d[1].n ? p99 - usual : 0);
        free(d[0].list);
        free(d[1].list);
    }
}

/* ---- the whole ---- */

static void print_phases(const struct chaos *x)
{
    printf("%-26s%12s%22s%16s\n", "calls at the kill", "aimed at", "on the killed node",
           "on the other");
    for (int p = 0; p < CHAOS_PHASES_N; p++) {
        unsigned aimed = 0, on_it = 0, elsewhere = 0;
        for (unsigned i = 0; i < x->n_kills; i++) {
            aimed += x->kills[i].aimed == (enum chaos_phase)p;
            on_it += x->kills[i].on_it[p];
            elsewhere += x->kills[i].elsewhere[p];
        }
        printf("%-26s%12u%22u%16u\n", chaos_phase_name((enum chaos_phase)p), aimed, on_it,
               elsewhere);
    }
}

static unsigned ghosts(const struct chaos *x)
{
    unsigned n = 0;
    for (unsigned i = 0; i < x->n_phones; i++) {
        unsigned calls = chaos_phone_calls(&x->phones[i]);
        if (calls)
            printf("%s still has a call\n", x->phones[i].number);
        n += calls;
    }
    return n;
}

int chaos_report(struct chaos *x)
{
    unsigned left = ghosts(x);
    bool good = x->wrong == 0 && x->stray_rings == 0 && left == 0;
    printf("%u calls at %u a second between %u phones, %u kills, seed %llu\n\n", x->n_calls,
           x->rate, x->n_phones, x->n_kills, (unsigned long long)x->seed);
    print_phases(x);
    print_delays(x);
    printf("\nlost or wrong: %u, of these rang twice: %u; rings out of nowhere: %u; ghost calls at "
           "the end: %u\n",
           x->wrong, x->double_rings, x->stray_rings, left);
    if (!good) {
        struct dt_bytes *capture = dt_pcap_make(&x->record, dt_io_wall_offset());
        keep(x, "chaos.pcap", dt_bytes_str(capture));
        dt_bytes_drop(capture);
        printf("Ladders, capture and logs: %s\n", x->folder);
    }
    printf("%s. To repeat: make chaos CALLS=%u RATE=%u SEED=%llu PAUSE=%lld\n",
           good ? "Holds" : "FAILS", x->n_calls, x->rate, (unsigned long long)x->seed,
           (long long)(x->pause / DT_SECOND));
    return good ? 0 : 1;
}
