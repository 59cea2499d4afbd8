/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything in any order, over many seeds: what must hold whatever happens. I1 and I21: one final
 * upstream, or 2xx only; I24: in = forwarded + answered + dropped; I36: nothing is left. */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#define ALICE "192.0.2.11:5060"

enum { SEEDS = 300, STEPS = 80, CALLS = 8 };
static const char *const phones[] = {"192.0.2.21:5060", "192.0.2.22:5060", "192.0.2.23:5060"};
static const char *const methods[] = {"INVITE", "INVITE", "MESSAGE", "CANCEL"};

static void request(struct kit_proxy *k, struct dt_rng *r)
{
    char branch[32];
    const char *method = methods[dt_rng_below(r, 4)];
    snprintf(branch, sizeof branch, "z9hG4bKn%u", (unsigned)dt_rng_below(r, CALLS));
    KIT_SEND(k, .method = method, .branch = branch, .call_id = branch);
}

static void acknowledge(struct kit_proxy *k, struct dt_rng *r)
{
    char branch[32];
    snprintf(branch, sizeof branch, "z9hG4bKn%u", (unsigned)dt_rng_below(r, CALLS));
    KIT_SEND(k, .method = "ACK", .branch = branch, .call_id = branch, .to_tag = "t");
}

static void respond(struct kit_proxy *k, struct dt_rng *r)
{
    static const int statuses[] = {100, 180, 183, 200, 202, 302, 401, 404,
                                   407, 408, 486, 487, 503, 500, 603};
    const char *phone = phones[dt_rng_below(r, 3)];
    const char *method = methods[dt_rng_below(r, 4)];
    int status = statuses[dt_rng_below(r, sizeof statuses / sizeof statuses[0])];
    if (kit_has_request(k, phone, method))
        kit_answer(k, phone, method, status, "t", NULL);
}

static void fault(struct kit_proxy *k, struct dt_rng *r)
{
    struct dt_input in = {.kind = DT_IN_SOCKET_ERROR, .err = DT_E_REFUSED, .local = k->local};
    in.remote = kit_at(phones[dt_rng_below(r, 3)]);
    kit_proxy_input(k, &in);
}

static void pass_time(struct kit_proxy *k, struct dt_rng *r)
{
    static const unsigned most[] = {10, 600, 5000, 40000, 200000};
    kit_proxy_until(k, k->now / DT_MS + (int64_t)dt_rng_below(r, most[dt_rng_below(r, 5)]));
}

static void (*const actions[])(struct kit_proxy *, struct dt_rng *) = {
    request, request, request,     request, respond, respond,  respond,
    respond, respond, acknowledge, respond, fault,   pass_time};

/* The finals that went upstream for the INVITE of one branch: their first status, or -1 if a second
 * one contradicts it. The same call may be made again when its transaction is over, so finals more
 * than 32 s apart are not compared. */
static void check_finals(const struct kit_proxy *k, unsigned seed)
{
    for (unsigned call = 0; call < CALLS; call++) {
        char want[64];
        int first = 0;
        bool again = false;
        snprintf(want, sizeof want, "branch=z9hG4bKn%u\r\n", call);
        for (size_t i = 0; i < k->n_sent; i++) {
            const char *m = k->sent[i].bytes->data;
            if (!strncmp(m, "INVITE ", 7) && strstr(m, want))
                again = true;
            if (strncmp(m, "SIP/2.0 ", 8) || !strstr(m, want) || !strstr(m, " INVITE\r\n"))
                continue;
            int status = (m[8] - '0') * 100 + (m[9] - '0') * 10 + m[10] - '0';
            if (status < 200)
                continue;
            if (again)
                first = 0;
            again = false;
            if (first && status != first && (first >= 300 || status >= 300))
                fail_msg("seed %u call %u: %d after %d", seed, call, status, first);
            first = first ? first : status;
        }
    }
}

/* A 2xx to a branch that was given up here goes on without a transaction (R5), and the caller deals
 * with it (R27): it is no final of ours. */
static void set_stray_apart(struct kit_proxy *k, uint64_t *strays)
{
    size_t i = k->n_sent;
    if (kit_count(k, "forwarded.stray") > *strays) {
        while (i && strncmp(k->sent[i - 1].bytes->data, "SIP/2.0 ", 8)) /* CANCEL to its siblings */
            i--;
        assert_true(i > 0);
        k->sent[i - 1].bytes->data[0] = 'X';
    }
    *strays = kit_count(k, "forwarded.stray");
}

static void anything_goes(void **state)
{
    static struct kit_proxy k;
    (void)state;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct dt_rng r;
        uint64_t strays = 0;
        dt_rng_init(&r, (const uint64_t[2]){seed, 0});
        kit_proxy_open(&k, NULL);
        for (unsigned i = 0; i < 1 + seed % 3; i++) {
            char contact[64];
            snprintf(contact, sizeof contact, "sip:bob@192.0.2.%u", 21 + i);
            kit_register(&k, phones[i], "bob", contact);
        }
        for (unsigned i = 0; i < STEPS; i++) {
            actions[dt_rng_below(&r, sizeof actions / sizeof actions[0])](&k, &r);
            set_stray_apart(&k, &strays);
            k.log_n = 0;
        }
        kit_proxy_until(&k, k.now / DT_MS + 300000); /* timer C, and 64 T1 after it */
        if (dt_proxy_objects(k.p))
            fail_msg("seed %u: %u objects are left", seed, dt_proxy_objects(k.p));
        check_finals(&k, seed);
        kit_proxy_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
