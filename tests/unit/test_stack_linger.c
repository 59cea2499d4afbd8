/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is left of a transaction: the recipe of an answer, and lanes. */
#include "stack_kit.h"

#include <stdio.h>
#include <string.h>

#include "stack/recipe.h"

#define PEER "192.0.2.2:5060"
#define TWIN "192.0.2.3:5060"
#define TAIL \
    "From: \"Alice\" <sip:1001@example.com>;tag=a\r\n" \
    "To: <sip:1002@example.com>;tag=b\r\n" \
    "Call-ID: 003094c3-8c4a0011-2b6c5d1e-7f00@192.0.2.102\r\nCSeq: 2 BYE\r\n"
#define BELOW "Via: SIP/2.0/UDP 192.0.2.102:5060;branch=z9hG4bKphone\r\n"
#define BYE \
    "BYE sip:1002@192.0.2.1 SIP/2.0\r\n" \
    "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;rport\r\n" BELOW "Max-Forwards: 69\r\n" TAIL \
    "Content-Length: 0\r\n\r\n"
#define OK \
    "SIP/2.0 200 OK\r\n" \
    "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;received=192.0.2.2;rport=5060\r\n" BELOW TAIL \
    "Server: bell/1\r\nContent-Length: 0\r\n\r\n"

/* ---- recipes ---- */

static const struct {
    const char *request, *response;
    bool worth;
} pairs[] = {
    {BYE, OK, true},
    {BYE, BYE, true},
    /* Other order, lines that begin alike. */
    {BYE,
     "SIP/2.0 481 Gone\r\nContent-Length: 0\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\n" BELOW BELOW TAIL
     "\r\n",
     true},
    {BYE, "SIP/2.0 200 OK\r\n" BELOW TAIL "X-No-End: 1", true},
    {"BYE sip:a SIP/2.0\r\n\r\n", OK, false},
    {BYE, "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", true},
    {BYE, "SIP/2.0 200 Fine\r\n\r\n", false},
    {BYE, "", true},
    {"", "", true},
    {"", OK, false},
};

static void test_recipes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct dt_str request = kit_guarded(0, dt_str_z(pairs[i].request));
        struct dt_str response = kit_guarded(1, dt_str_z(pairs[i].response));
        struct dt__recipe *r = dt__recipe_new(&dt_alloc_libc, request, response);
        assert_int_equal(r != NULL, pairs[i].worth);
        if (!r)
            continue;
        assert_true(dt__recipe_is_for(r, request));
        struct dt_bytes *made = dt__recipe_make(r, &dt_alloc_libc, request);
        kit_assert_str(dt_bytes_str(made), pairs[i].response);
        dt_bytes_drop(made);
        assert_true(r->n <= response.n / 2);
        dt_alloc_free(&dt_alloc_libc, r);
    }
}

/* Pieces of both messages in any order, cut anywhere: whatever has a recipe comes out of it. */
static size_t mix(struct dt_rng *rng, char *to, size_t cap)
{
    static const char *const sources[] = {BYE, OK, "\r\n", "Via: SIP/2.0/UDP ", "\n\n\x80\xff"};
    struct dt_writer w = dt_writer(to, cap);
    for (uint64_t n = dt_rng_u64(rng) % 24; n--;) {
        struct dt_str s = dt_str_z(sources[dt_rng_u64(rng) % 5]);
        size_t from = dt_rng_u64(rng) % s.n;
        dt_write(&w, dt_str_sub(s, from, dt_rng_u64(rng) % 120));
    }
    return w.n;
}

static void test_any_pair(void **state)
{
    char a[3000], b[3000];
    struct dt_rng rng;
    unsigned made = 0;
    (void)state;
    dt_rng_init(&rng, (const uint64_t[2]){4, 1});
    for (unsigned i = 0; i < 20000; i++) {
        struct dt_str request = kit_guarded(0, (struct dt_str){a, mix(&rng, a, sizeof a)});
        struct dt_str response = kit_guarded(1, (struct dt_str){b, mix(&rng, b, sizeof b)});
        struct dt__recipe *r = dt__recipe_new(&dt_alloc_libc, request, response);
        if (!r)
            continue;
        struct dt_bytes *bytes = dt__recipe_make(r, &dt_alloc_libc, request);
        assert_true(dt_str_eq(dt_bytes_str(bytes), response));
        dt_bytes_drop(bytes);
        dt_alloc_free(&dt_alloc_libc, r);
        made++;
    }
    assert_in_range(made, 1000, 20000);
}

/* One byte of the request is another one: nothing is made of it. */
static void test_another_request(void **state)
{
    char other[sizeof BYE];
    (void)state;
    struct dt__recipe *r = dt__recipe_new(&dt_alloc_libc, DT_STR(BYE), DT_STR(OK));
    assert_int_equal(r->status, 200);
    for (size_t i = 0; i < sizeof BYE - 1; i++) {
        memcpy(other, BYE, sizeof BYE);
        other[i] ^= 1;
        assert_false(dt__recipe_is_for(r, DT_STR(other)));
    }
    dt_alloc_free(&dt_alloc_libc, r);
}

/* ---- a BYE that comes again ---- */

static void answer_bye(struct kit_stack *k)
{
    kit_stack_recv(k, PEER, BYE);
    assert_int_equal(kit_stack_respond(k, k->tx, 200, OK), DT_OK);
}

/* I5: the same bytes, or nothing where there is no memory for them (I39). */
static void test_repeat(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    answer_bye(&k);
    kit_stack_recv(&k, PEER, BYE);
    kit_assert_str(dt_bytes_str(k.last), OK);
    k.mem.fail_at = k.mem.calls + 1;
    kit_stack_recv(&k, PEER, BYE);
    k.mem.fail_at = 0;
    kit_stack_recv(&k, PEER, BYE);
    kit_assert_str(dt_bytes_str(k.last), OK);
    kit_stack_until(&k, 33000);
    kit_stack_log(&k, "0 request BYE\n0 > 192.0.2.2:5060 200\n0 > 192.0.2.2:5060 200\n"
                      "0 > 192.0.2.2:5060 200\n32000 ended #0\n");
    kit_stack_close(&k);
}

/* R7: another copy, by the twin, has another Via list, and gets it back. */
static void test_repeat_by_twin(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    answer_bye(&k);
    kit_stack_recv(&k, TWIN,
                   "BYE sip:1002@192.0.2.1 SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1\r\n" TAIL "\r\n");
    kit_assert_str(dt_bytes_str(k.last),
                   "SIP/2.0 200 OK\r\n"
                   "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK1;received=192.0.2.3\r\n" TAIL
                   "Content-Length: 0\r\n\r\n");
    kit_stack_log(&k, "0 request BYE\n0 > 192.0.2.2:5060 200\n0 > 192.0.2.3:5060 200\n");
    kit_stack_close(&k);
}

/* Whatever allocation fails while it is answered: what comes again gets the same bytes, and it ends
 * in time. */
static void test_no_memory(void **state)
{
    bool failed = true;
    (void)state;
    for (size_t n = 1; failed; n++) {
        struct kit_stack k;
        kit_stack_open(&k, NULL);
        kit_stack_recv(&k, PEER, BYE);
        k.mem.fail_at = k.mem.calls + n;
        int err = kit_stack_respond(&k, k.tx, 200, OK);
        failed = k.mem.calls >= k.mem.fail_at;
        k.mem.fail_at = 0;
        assert_int_equal(err, DT_OK);
        kit_stack_hush(&k);
        kit_stack_recv(&k, PEER, BYE);
        kit_assert_str(dt_bytes_str(k.last), OK);
        kit_stack_until(&k, 33000);
        kit_stack_log(&k, "0 > 192.0.2.2:5060 200\n32000 ended #0\n");
        kit_stack_close(&k);
    }
}

/* ---- lanes ---- */

static void begin(struct kit_stack *k, const char *branch, unsigned cookie)
{
    char via[80];
    dt_tx tx;
    snprintf(via, sizeof via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%s", branch);
    const char *request = KIT_MSG(.method = "INFO", .via = via);
    kit_stack_request(k, request, (struct dt_request){.cookie = cookie, .repeats = 6}, &tx);
    kit_stack_recv(k, PEER, KIT_MSG(.method = "INFO", .via = via, .status = 200, .to_tag = "t"));
}

/* Those that linger end each after its own wait, in order, whoever was let go before. */
static void test_lanes(void **state)
{
    struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    answer_bye(&k);
    for (unsigned i = 1; i <= 5; i++) {
        kit_stack_until(&k, 100 * i);
        begin(&k, (char[]){(char)('a' + i), '\0'}, i);
        if (i == 3)
            dt_stack_abandon(k.s, k.now, k.response_tx);
    }
    dt_stack_abandon(k.s, k.now, k.response_tx); /* the last */
    kit_stack_hush(&k);
    assert_int_equal(dt_stack_deadline(k.s), 5100 * DT_MS);
    kit_stack_until(&k, 40000);
    kit_stack_log(&k, "5100 ended #1\n5200 ended #2\n5400 ended #4\n32000 ended #0\n");
    assert_int_equal(dt_stack_counts(k.s)->transactions, 0);
    assert_int_equal(dt_stack_deadline(k.s), DT_TIME_NEVER);
    begin(&k, "z", 9);
    kit_stack_hush(&k);
    kit_stack_until(&k, 50000);
    kit_stack_log(&k, "45000 ended #9\n");
    kit_stack_close(&k);
}

/* What lingers and only absorbs knows no way; of an accepted INVITE the 2xx is repeated by it. */
static void test_ways(void **state)
{
    struct kit_stack k;
    struct dt_hop hop;
    (void)state;
    kit_stack_open(&k, NULL);
    answer_bye(&k);
    assert_int_equal(dt_stack_hop_of(k.s, k.tx, &hop), DT_E_STATE);
    kit_stack_recv(&k, PEER,
                   KIT_MSG(.method = "INVITE", .via = "SIP/2.0/UDP " PEER ";branch=z9hG4bK2"));
    kit_stack_respond(&k, k.tx, 200, OK);
    assert_int_equal(dt_stack_hop_of(k.s, k.tx, &hop), DT_OK);
    assert_int_equal(hop.remote.port, 5060);
    kit_stack_hush(&k);
    kit_stack_respond(&k, k.tx, 200, OK);
    kit_stack_log(&k, "0 > 192.0.2.2:5060 200\n");
    kit_stack_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recipes),         cmocka_unit_test(test_any_pair),
        cmocka_unit_test(test_another_request), cmocka_unit_test(test_repeat),
        cmocka_unit_test(test_repeat_by_twin),  cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_lanes),           cmocka_unit_test(test_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
