/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two stacks and a wire that loses packets, in virtual time: every way to lose some of the first
 * ten, for INVITE-180-200-ACK-BYE and for INVITE-180-486-ACK. */
#include "stack_kit.h"

#include <string.h>

enum { MASKED = 10, DELAY_MS = 20, FLIGHTS = 64, RING_MS = 300, TALK_MS = 1000 };

struct flight {
    dt_time due;
    unsigned to;
    struct dt_bytes *bytes;
};

struct party {
    struct kit_stack k;
    struct world *w;
    unsigned number;
    dt_time alarm;    /* when it does what it does next */
    dt_time interval; /* callee: of its 2xx repeats */
    dt_time give_up;
    dt_tx invite;
    unsigned invites, byes, acks; /* callee: requests that came */
    unsigned outcomes;            /* caller: finals and failures of the INVITE */
    int status;                   /* caller: the final */
    bool talked;                  /* caller: a 2xx came, by whatever way */
    unsigned bye_outcomes;
};

struct world {
    struct party caller, callee;
    struct flight flights[FLIGHTS];
    size_t first, n;
    unsigned mask, sent, invites_sent;
    int final;
};

/* ---- the wire ---- */

static void fly(struct kit_stack *k, const struct dt_output *o)
{
    struct party *p = k->world;
    struct world *w = p->w;
    bool lost = w->sent < MASKED && (w->mask >> w->sent & 1);
    w->sent++;
    w->invites_sent += dt_str_starts(dt_bytes_str(o->bytes), DT_STR("INVITE"));
    if (lost)
        return;
    assert_true(w->n < FLIGHTS);
    w->flights[(w->first + w->n++) % FLIGHTS] =
        (struct flight){k->now + DELAY_MS * DT_MS, !p->number, dt_bytes_hold(o->bytes)};
}

static void land(struct world *w)
{
    struct flight f = w->flights[w->first];
    struct party *to = f.to ? &w->callee : &w->caller;
    w->first = (w->first + 1) % FLIGHTS;
    w->n--;
    struct dt_input in = {.kind = DT_IN_DATAGRAM,
                          .local = to->k.local,
                          .remote = kit_addr(f.to ? "192.0.2.1:5060" : "192.0.2.2:5060", DT_UDP),
                          .data = dt_bytes_str(f.bytes)};
    kit_stack_input(&to->k, &in);
    dt_bytes_drop(f.bytes);
}

/* ---- the caller ---- */

enum { INVITE_COOKIE = 1, BYE_COOKIE = 2 };

static void caller_hears(struct kit_stack *k, dt_tx tx, const struct dt_sip_msg *m)
{
    struct party *p = k->world;
    if (m->method == DT_BYE) {
        p->bye_outcomes += tx && m->status >= 200;
        return;
    }
    if (m->status < 200)
        return;
    if (tx && tx == p->invite && !p->status) {
        p->outcomes++;
        p->status = m->status;
    }
    if (m->status >= 300)
        return;
    /* The ACK of a 2xx is the user's, one for each copy (13.2.2.4, I6). */
    struct dt_bytes *ack = dt_bytes_copy(
        &dt_alloc_libc, dt_str_z(KIT_MSG(.method = "ACK", .to_tag = "callee",
                                         .via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKack")));
    struct dt_hop to = {.local = k->local, .remote = kit_addr("192.0.2.2:5060", DT_UDP)};
    dt_stack_send(k->s, k->now, ack, &to);
    dt_bytes_drop(ack);
    if (!p->talked)
        p->alarm = k->now + TALK_MS * DT_MS;
    p->talked = true;
}

static void caller_acts(struct party *p)
{
    const char *bye = KIT_MSG(.method = "BYE", .to_tag = "callee", .cseq = 2,
                              .via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKbye");
    dt_tx tx;
    p->alarm = DT_TIME_NEVER;
    kit_stack_request(&p->k, bye, (struct dt_request){.cookie = BYE_COOKIE, .repeats = UINT32_MAX},
                      &tx);
}

/* ---- the callee ---- */

static void callee_hears(struct kit_stack *k, dt_tx tx, const struct dt_sip_msg *m)
{
    struct party *p = k->world;
    if (m->method == DT_INVITE) {
        p->invites++;
        p->invite = tx;
        p->alarm = k->now + RING_MS * DT_MS;
        dt_stack_answer(k->s, k->now, tx, 180, DT_STR("callee"), DT_STR_NONE);
    } else if (m->method == DT_ACK) {
        assert_int_equal(tx, 0);
        p->acks++;
        p->alarm = DT_TIME_NEVER;
    } else if (m->method == DT_BYE) {
        p->byes++;
        dt_stack_answer(k->s, k->now, tx, 200, DT_STR("callee"), DT_STR_NONE);
    }
}

/* The final; a 2xx again and again until its ACK comes (13.3.1.4). The stack has dropped the
 * request by then, so the bytes are kept. */
static void callee_acts(struct party *p)
{
    struct kit_stack *k = &p->k;
    p->alarm = DT_TIME_NEVER;
    if (p->w->final >= 300) {
        dt_stack_answer(k->s, k->now, p->invite, p->w->final, DT_STR("callee"), DT_STR_NONE);
        kit_stack_drain(k);
        return;
    }
    if (!p->give_up)
        p->give_up = k->now + 32 * DT_SECOND;
    if (k->now >= p->give_up)
        return;
    p->interval = p->interval ? dt_time_min(2 * p->interval, 4 * DT_SECOND) : 500 * DT_MS;
    p->alarm = k->now + p->interval;
    kit_stack_respond(k, p->invite, 200,
                      KIT_MSG(.method = "INVITE", .status = 200, .to_tag = "callee"));
}

/* ---- the world ---- */

static void prepare(struct world *w, struct party *p, unsigned number)
{
    kit_stack_open(&p->k, NULL);
    p->k.local = kit_addr(number ? "192.0.2.2:5060" : "192.0.2.1:5060", DT_UDP);
    p->k.world = p;
    p->k.on_sent = fly;
    p->k.on_request = number ? callee_hears : NULL;
    p->k.on_response = number ? NULL : caller_hears;
    p->w = w;
    p->number = number;
    p->alarm = DT_TIME_NEVER;
}

static dt_time next_of(const struct party *p)
{
    return dt_time_min(p->alarm, dt_stack_deadline(p->k.s));
}

static void run(struct world *w)
{
    for (;;) {
        dt_time wire = w->n ? w->flights[w->first].due : DT_TIME_NEVER;
        dt_time now = dt_time_min(wire, dt_time_min(next_of(&w->caller), next_of(&w->callee)));
        if (now == DT_TIME_NEVER)
            return;
        w->caller.k.now = w->callee.k.now = now;
        if (wire == now)
            land(w);
        else if (w->caller.alarm == now)
            caller_acts(&w->caller);
        else if (w->callee.alarm == now)
            callee_acts(&w->callee);
        else
            dt_stack_tick(next_of(&w->caller) == now ? w->caller.k.s : w->callee.k.s, now);
        kit_stack_drain(&w->caller.k);
        kit_stack_drain(&w->callee.k);
    }
}

/* ---- what must hold ---- */

static bool failed(const struct party *p, unsigned cookie)
{
    char want[32];
    struct dt_writer w = dt_writer(want, sizeof want);
    dt_writef(&w, "failed #%u", cookie);
    struct dt_str log = {p->k.log, p->k.log_n};
    return dt_str_search(log, dt_writer_str(&w)) < log.n;
}

#define HOLDS(condition) \
    if (!(condition)) \
    fail_msg("mask %03x, final %d: %s\ncaller\n%scallee\n%s", w->mask, w->final, #condition, \
             w->caller.k.log, w->callee.k.log)

static void check(const struct world *w)
{
    const struct party *a = &w->caller, *b = &w->callee;
    bool a_failed = failed(a, INVITE_COOKIE);
    HOLDS(a->outcomes + a_failed == 1); /* I2 */
    HOLDS(!a->status || a->status == w->final);
    HOLDS(b->invites <= 1 && b->byes <= 1);            /* I5 */
    HOLDS(w->invites_sent <= 7);                       /* I4 */
    HOLDS(dt_stack_counts(a->k.s)->transactions == 0); /* I36 */
    HOLDS(dt_stack_counts(b->k.s)->transactions == 0);
    if (w->final == 200) {
        HOLDS(a->talked == (b->invites == 1)); /* I12 */
        HOLDS(a->talked == (b->acks > 0));
        HOLDS(a->bye_outcomes == a->talked && b->byes == a->talked);
    } else {
        HOLDS(!a->talked && b->acks == 0); /* the ACK of a failure is absorbed */
    }
    if (!w->mask) {
        HOLDS(w->sent == (w->final == 200 ? 6 : 4));
        HOLDS(a->outcomes == 1);
    }
}

static void run_masks(int final)
{
    static struct world w;
    for (unsigned mask = 0; mask < 1u << MASKED; mask++) {
        memset(&w, 0, sizeof w);
        w.mask = mask;
        w.final = final;
        prepare(&w, &w.caller, 0);
        prepare(&w, &w.callee, 1);
        struct dt_request r = {.cookie = INVITE_COOKIE, .repeats = UINT32_MAX};
        kit_stack_request(&w.caller.k, KIT_MSG(.method = "INVITE"), r, &w.caller.invite);
        run(&w);
        check(&w);
        kit_stack_close(&w.caller.k);
        kit_stack_close(&w.callee.k);
    }
}

static void test_answered(void **state)
{
    (void)state;
    run_masks(200);
}

static void test_busy(void **state)
{
    (void)state;
    run_masks(486);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered),
        cmocka_unit_test(test_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
