/* SPDX-License-Identifier: BSD-2-Clause */
#include "chaos.h"

#include <stdio.h>
#include <stdlib.h>

enum { PHONES_MIN = 24, PHONES_PER_RATE = 12, JOIN_MS = 2500, QUIET_S = 4, LOOK_MS = 5 };

dt_time chaos_between(struct chaos *x, dt_time least, dt_time most)
{
    return least + (dt_time)dt_rng_below(&x->rng, (uint64_t)(most - least) + 1);
}

/* ---- the host's watch ---- */

static void on_message(void *ctx, dt_time now, int node, bool sent, const struct dt_addr *local,
                       const struct dt_addr *remote, struct dt_str bytes)
{
    struct chaos *x = ctx;
    struct dt_record_item item = {.at = now, .kind = DT_REC_SENT, .who = DT_RECORD_NOBODY};
    if (node < 0 || (unsigned)node >= x->n_phones)
        return;
    item.from = sent ? *local : *remote; /* the proxies write no record: what arrived was sent */
    item.to = sent ? *remote : *local;
    item.bytes = dt_bytes_copy(&dt_alloc_libc, bytes);
    dt_record_add(&x->record, &item);
    dt_bytes_drop(item.bytes);
    chaos_calls_message(x, now, &x->phones[node], sent, remote, bytes);
}

static void on_event(void *ctx, dt_time now, int node, const struct dt_output *ev)
{
    struct chaos *x = ctx;
    struct chaos_phone *ph = &x->phones[node];
    struct dt_record_item item = {.at = now, .kind = DT_REC_EVENT, .event = ev->event};
    if (ev->event == DT_EV_MEDIA)
        return;
    item.who = dt_record_party(&x->record, ph->number);
    item.call = ev->call;
    item.bytes = dt_bytes_copy(&dt_alloc_libc, ev->text);
    dt_record_add(&x->record, &item);
    dt_bytes_drop(item.bytes);
    x->n_ready += ev->event == DT_EV_READY && !ph->ready;
    ph->ready = ph->ready || ev->event == DT_EV_READY;
    if (ev->event == DT_EV_CALL)
        chaos_calls_event(x, now, ph, ev);
}

/* ---- the run ---- */

static void pass(struct chaos *x, dt_time t)
{
    dt_time until = dt_io_now() + t;
    while (dt_io_now() < until)
        dt_host_turn(x->host, until);
}

static void run_calls(struct chaos *x)
{
    x->zero = dt_io_now();
    while (x->over < x->n_calls) {
        dt_time now = dt_io_now();
        dt_time next = dt_time_min(chaos_calls_step(x, now), chaos_pair_step(x, now));
        /* what the phones say may make something due at once */
        dt_host_turn(x->host, dt_time_min(next, now + LOOK_MS * DT_MS));
    }
    pass(x, QUIET_S * DT_SECOND);
}

/* The pair at .1 and .2 of a net of its own below 127, one port (R1); phones from .10 on. */
static void give_addresses(struct chaos *x)
{
    for (int i = 0; i < 2; i++) {
        struct dt_addr *a = &x->nodes[i].addr;
        *a = (struct dt_addr){.ip = {127, 0, 0, (uint8_t)(i + 1)}, .port = 5060, .family = 4};
        a->ip[1] = (uint8_t)(1 + x->seed / 250 % 250);
        a->ip[2] = (uint8_t)(x->seed % 250);
        struct dt_addr any_port = *a;
        any_port.port = 0;
        dt_record_address(&x->record, dt_record_party(&x->record, i ? "S" : "P"), &any_port);
    }
}

static int set_up(struct chaos *x)
{
    const struct dt_host_config cfg = {
        .watch = {.message = on_message, .event = on_event, .ctx = x},
    };
    const uint64_t seed[2] = {x->seed, 0};
    dt_rng_init(&x->rng, seed);
    dt_record_init(&x->record, &dt_alloc_libc);
    give_addresses(x);
    x->n_phones = x->rate * PHONES_PER_RATE;
    x->n_phones = x->n_phones < PHONES_MIN ? PHONES_MIN : x->n_phones;
    x->n_phones = x->n_phones > CHAOS_PHONES_MAX ? CHAOS_PHONES_MAX : x->n_phones;
    x->calls = dt_alloc_array(&dt_alloc_libc, NULL, x->n_calls, sizeof *x->calls);
    x->host = dt_host_new(&cfg, x->error, sizeof x->error);
    if (!x->host || !x->calls)
        return DT_E_NOMEM;
    int err = chaos_pair_start(x);
    if (!err)
        err = chaos_phones_start(x);
    if (!err)
        pass(x, JOIN_MS * DT_MS);
    return err;
}

static void clear(struct chaos *x)
{
    chaos_pair_end(x);
    dt_host_free(x->host);
    chaos_phones_end(x);
    dt_record_clear(&x->record);
    dt_alloc_free(&dt_alloc_libc, x->calls);
}

static uint64_t number(const char *text)
{
    uint64_t n = 0;
    return dt_str_u64(dt_str_z(text), UINT32_MAX, &n) ? 0 : n;
}

/* chaos DUALTONE CALLS RATE SEED PAUSE FOLDER; seed 0: by chance. */
int main(int argc, char **argv)
{
    static struct chaos x;
    if (argc != 7 || number(argv[2]) == 0 || number(argv[3]) == 0) {
        fprintf(stderr, "use: chaos DUALTONE CALLS RATE SEED PAUSE FOLDER\n");
        return 2;
    }
    x.program = argv[1];
    x.n_calls = (unsigned)number(argv[2]);
    x.rate = (unsigned)number(argv[3]);
    x.seed = number(argv[4]);
    x.pause = (dt_time)number(argv[5]) * DT_SECOND;
    x.folder = argv[6];
    while (x.seed == 0) {
        uint16_t chance = 0;
        (void)dt_io_random(&chance, sizeof chance);
        x.seed = chance;
    }
    int code = 1;
    if (set_up(&x)) {
        fprintf(stderr, "chaos: it cannot be run: %s\n", x.error[0] ? x.error : "no memory");
    } else {
        run_calls(&x);
        code = chaos_report(&x);
    }
    clear(&x);
    return code;
}
