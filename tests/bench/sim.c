/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How fast the simulator is: 100 registered phones and a proxy, one call a second in all, each 60
 * s, without media. Prints virtual seconds a real second. */
#include "phone/phone.h"
#include "proxy/proxy.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PHONES = 100, CALLERS = PHONES / 2, SECONDS = 1800, CALL_S = 60, TEXT = 512 };

struct party {
    struct dt_env env;
    struct dt_conf conf;
    struct dt_phone_config cfg;
    struct dt_phone *phone;
    struct dt_sim_node *node;
    unsigned answered, ended;
};

struct bench {
    struct dt_sim *sim;
    struct dt_env env;
    struct dt_conf conf;
    struct dt_proxy_config cfg;
    struct dt_proxy *proxy;
    struct party phones[PHONES];
    unsigned dialled, talking, ended, packets;
    struct {
        dt_time due;
        unsigned phone;
        uint32_t call;
    } hangups[SECONDS + 1];
    size_t n_hangups, next_hangup;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_sim: %s\n", what);
    exit(1);
}

static void tell(struct bench *b, unsigned phone, const char *verb, unsigned long arg)
{
    char text[TEXT];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_writef(&w, "%s %lu", verb, arg);
    dt_sim_command(b->sim, b->phones[phone].node, DT_CHANNEL_USER, dt_writer_str(&w));
}

static void on_packet(void *ctx, dt_time now, enum dt_sim_fate fate, const struct dt_addr *from,
                      const struct dt_addr *to, struct dt_bytes *bytes)
{
    struct bench *b = ctx;
    (void)now, (void)from, (void)to, (void)bytes;
    b->packets += fate == DT_SIM_SENT;
}

/* The called phone answers what rings; the caller hangs up a minute after it is through. */
static void on_event(void *ctx, dt_time now, struct dt_sim_node *node, const struct dt_output *ev)
{
    struct bench *b = ctx;
    unsigned i = 0;
    while (i < PHONES && b->phones[i].node != node)
        i++;
    if (i == PHONES || ev->event != DT_EV_CALL)
        return;
    if (i >= CALLERS && dt_str_starts(ev->text, DT_STR("ringing")))
        tell(b, i, "answer", ev->call);
    if (i < CALLERS && dt_str_starts(ev->text, DT_STR("talking")) && b->n_hangups < SECONDS) {
        b->hangups[b->n_hangups].due = now + CALL_S * DT_SECOND;
        b->hangups[b->n_hangups].phone = i;
        b->hangups[b->n_hangups++].call = ev->call;
        b->talking++;
    }
    b->ended += i < CALLERS && dt_str_starts(ev->text, DT_STR("ended"));
}

static void make_proxy(struct bench *b)
{
    static const uint64_t key[2] = {1, 2};
    struct dt_problem problem;
    struct dt_problems problems = {.list = &problem, .cap = 1};
    dt_env_init(&b->env, 1);
    if (dt_conf_init(&b->conf, &dt_alloc_libc, dt_proxy_options, dt_proxy_options_n, &b->cfg,
                     &problems) ||
        dt_conf_read(&b->conf, DT_STR("bench"),
                     DT_STR("domain: example.com\nlisten: udp:192.0.2.1:5060\n")))
        die("the proxy's configuration");
    b->proxy = dt_proxy_new(&b->cfg, key, &b->env);
    if (!b->proxy || !dt_sim_attach(b->sim, "proxy", &dt_proxy_node, b->proxy))
        die("the proxy");
}

static void make_phone(struct bench *b, unsigned i)
{
    struct party *p = &b->phones[i];
    char text[TEXT];
    struct dt_problem problem;
    struct dt_problems problems = {.list = &problem, .cap = 1};
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_env_init(&p->env, 100 + i);
    dt_writef(&w,
              "line1_name: %u\nline_domain: example.com\nproxy1_address: 192.0.2.1\n"
              "proxy_register: 1\n",
              1000 + i);
    if (dt_conf_init(&p->conf, &dt_alloc_libc, dt_phone_options, dt_phone_options_n, &p->cfg,
                     &problems) ||
        dt_conf_read(&p->conf, DT_STR("bench"), dt_writer_str(&w)))
        die("a phone's configuration");
    const struct dt_addr local = {.ip = {198, 51, 100, (uint8_t)(i + 1)}, .family = 4};
    p->phone = dt_phone_new(&p->cfg, &local, &p->env);
    p->node = p->phone ? dt_sim_attach(b->sim, "phone", &dt_phone_node, p->phone) : NULL;
    if (!p->node)
        die("a phone");
}

static void second(struct bench *b)
{
    dt_time now = dt_sim_now(b->sim);
    tell(b, b->dialled % CALLERS, "dial", 1000UL + CALLERS + b->dialled % CALLERS);
    b->dialled++;
    while (b->next_hangup < b->n_hangups && b->hangups[b->next_hangup].due <= now) {
        tell(b, b->hangups[b->next_hangup].phone, "hangup", b->hangups[b->next_hangup].call);
        b->next_hangup++;
    }
    dt_sim_run(b->sim, now + DT_SECOND);
}

static double real_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    struct bench *b = calloc(1, sizeof *b);
    const struct dt_sim_watch watch = {on_packet, on_event, b};
    b->sim = dt_sim_new(&dt_alloc_libc, 1, &watch);
    make_proxy(b);
    for (unsigned i = 0; i < PHONES; i++)
        make_phone(b, i);
    dt_sim_run(b->sim, 10 * DT_SECOND);
    double start = real_seconds();
    for (unsigned i = 0; i < SECONDS; i++)
        second(b);
    double took = real_seconds() - start;
    printf("sim: %d phones, %u calls of %d s begun, %u answered, %u ended, %u packets, %d virtual "
           "seconds in %.3f s: %.0f times faster than real time\n",
           PHONES, b->dialled, CALL_S, b->talking, b->ended, b->packets, SECONDS, took,
           SECONDS / took);
    dt_sim_free(b->sim);
    for (unsigned i = 0; i < PHONES; i++) {
        dt_phone_free(b->phones[i].phone);
        dt_conf_clear(&b->phones[i].conf);
    }
    dt_proxy_free(b->proxy);
    dt_conf_clear(&b->conf);
    bool good = b->talking + 1 >= b->dialled;
    free(b);
    return good ? 0 : 1;
}
