/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pair: two processes, and the killer. It aims at a phase of a call, chosen by chance: a phase
 * that lasts a millisecond is hit as often as one that lasts a second. */
#include "chaos.h"

#include <stdio.h>

enum {
    ARGS_MAX = 20,
    READY_S = 10,
    RESTART_S = 2,
    PATIENCE_S = 3, /* for a call of the victim's in the phase; then any moment will do */
    FIRST_MS = 700,
    ONE_IN = 3 /* moments is the one */
};
static const char *const names[] = {"P", "S"};

/* How long after a moment in the phase the victim may be killed; 0: at once, the phase is short. */
static const dt_time spread[CHAOS_PHASES_N] = {
    [CHAOS_RINGING] = DT_SECOND,
    [CHAOS_TALKING] = DT_SECOND,
};

int chaos_pair_which(const struct chaos *x, const struct dt_addr *addr)
{
    for (int i = 0; i < 2; i++)
        if (dt_addr_ip_eq(&x->nodes[i].addr, addr))
            return i;
    return -1;
}

/* ---- processes ---- */

static void on_line(void *ctx, enum dt_process_source source, struct dt_str line)
{
    struct chaos_node *n = ctx;
    (void)source;
    n->ready = n->ready || dt_str_starts(line, DT_STR("ready"));
}

static int start(struct chaos *x, int i)
{
    struct chaos_node *n = &x->nodes[i];
    char listen[DT_ADDR_TEXT_MAX + 8], text[DT_ADDR_TEXT_MAX], key[CHAOS_PATH + 16],
        log[CHAOS_PATH + 16];
    char cluster[DT_ADDR_TEXT_MAX], peer[DT_ADDR_TEXT_MAX];
    snprintf(listen, sizeof listen, "udp:%s", dt_addr_text(&n->addr, text));
    dt_addr_text(&x->nodes[0].addr, cluster);
    dt_addr_text(&x->nodes[1 - i].addr, peer);
    snprintf(key, sizeof key, "%s/cluster.key", x->folder);
    snprintf(log, sizeof log, "%s/%s.log", x->folder, names[i]);
    const char *args[ARGS_MAX] = {x->program,          "proxy", "--domain", "example.com",
                                  "--listen",          listen,  "--peer",   peer,
                                  "--cluster_address", cluster, "--store",  "memory",
                                  "--key_file",        key};
    const struct dt_process_config cfg = {
        .file = x->program, .argv = args, .stderr_path = log, .line = on_line, .ctx = n};
    n->chaos = x;
    n->ready = false;
    n->process = dt_process_start(x->host, &cfg, x->error, sizeof x->error);
    return n->process ? DT_OK : DT_E_IO;
}

int chaos_pair_start(struct chaos *x)
{
    for (int i = 0; i < 2; i++) {
        dt_time limit = dt_io_now() + READY_S * DT_SECOND;
        int err = start(x, i);
        if (err)
            return err;
        while (!x->nodes[i].ready && dt_io_now() < limit)
            dt_host_turn(x->host, limit);
        if (!x->nodes[i].ready) {
            snprintf(x->error, sizeof x->error, "proxy %s is not ready; see its log in %s",
                     names[i], x->folder);
            return DT_E_TIMEOUT;
        }
    }
    x->aim = CHAOS_REST;
    x->aim_at = DT_TIME_NEVER; /* the first call sets it */
    return DT_OK;
}

void chaos_pair_end(struct chaos *x)
{
    for (int i = 0; i < 2; i++)
        dt_process_free(x->nodes[i].process);
}

/* ---- the killer ---- */

static void kill_victim(struct chaos *x, dt_time now)
{
    struct chaos_kill *k = &x->kills[x->n_kills++];
    struct dt_str what = DT_STR("kill");
    (void)dt_process_kill(x->nodes[x->victim].process, DT_PROCESS_KILL);
    *k = (struct chaos_kill){.at = now, .node = x->victim, .aimed = x->aimed};
    dt_record_note(&x->record, now, DT_REC_FAULT, (uint16_t)x->victim, what);
    for (unsigned i = 0; i < x->begun; i++) {
        struct chaos_call *c = &x->calls[i];
        enum chaos_phase phase = chaos_call_phase(c);
        if (c->over)
            continue;
        k->on_it[phase] += c->via == x->victim;
        k->elsewhere[phase] += c->via != x->victim;
        c->touched[phase] = c->touched[phase] || c->via == x->victim;
    }
    x->aim = CHAOS_DOWN;
    x->aim_at = now + RESTART_S * DT_SECOND;
}

void chaos_pair_moment(struct chaos *x, const struct chaos_call *c, enum chaos_phase phase)
{
    if (x->aim != CHAOS_AIM || phase != x->aimed || c->via != x->victim)
        return;
    if (dt_rng_below(&x->rng, ONE_IN) > 0)
        return; /* not this one */
    if (spread[phase] == 0) {
        kill_victim(x, dt_io_now());
        return;
    }
    x->aim = CHAOS_FIRE;
    x->aim_at = dt_io_now() + chaos_between(x, 0, spread[phase]);
}

static void take_aim(struct chaos *x, dt_time now)
{
    bool last = x->begun == x->n_calls || x->n_kills == CHAOS_KILLS_MAX;
    x->aim = last ? CHAOS_OFF : CHAOS_AIM;
    x->aimed = (enum chaos_phase)dt_rng_below(&x->rng, CHAOS_PHASES_N);
    x->aim_at = last ? DT_TIME_NEVER : now + PATIENCE_S * DT_SECOND;
}

/* The node comes back; the next kill takes the other one, when this one has had time to be filled.
 */
static void wait_for_return(struct chaos *x, dt_time now)
{
    struct chaos_kill *k = &x->kills[x->n_kills - 1];
    struct chaos_node *n = &x->nodes[x->victim];
    if (k->back == 0) {
        k->back = now;
        dt_process_free(n->process);
        dt_record_note(&x->record, now, DT_REC_FAULT, (uint16_t)x->victim, DT_STR("restart"));
        if (start(x, x->victim))
            fprintf(stderr, "chaos: %s does not start: %s\n", names[x->victim], x->error);
    }
    x->aim_at = now + 50 * DT_MS; /* to look again */
    if (!n->ready)
        return;
    x->victim = 1 - x->victim;
    x->aim = CHAOS_REST;
    x->aim_at = now + x->pause + chaos_between(x, 0, DT_SECOND);
}

dt_time chaos_pair_step(struct chaos *x, dt_time now)
{
    if (x->begun > 0 && x->n_kills == 0 && x->aim_at == DT_TIME_NEVER && x->aim == CHAOS_REST)
        x->aim_at = now + FIRST_MS * DT_MS;
    if (now < x->aim_at)
        return x->aim_at;
    switch (x->aim) {
    case CHAOS_REST:
        take_aim(x, now);
        break;
    case CHAOS_AIM:
    case CHAOS_FIRE:
        kill_victim(x, now);
        break;
    case CHAOS_DOWN:
        wait_for_return(x, now);
        break;
    case CHAOS_OFF:
        x->aim_at = DT_TIME_NEVER;
    }
    return x->aim_at;
}
