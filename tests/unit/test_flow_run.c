/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs in simulation: what holds, what fails, at which line and why; faults; every allocation that
 * can fail. */
#include "../sim/kit.h"

#include <string.h>

/* A call between two phones, from the dialling to the ACK in lines 4 to 9. */
#define PHONES "flow t\nphone A 1001\nphone B 1002\n"
#define CALL \
    PHONES "A dials 1002\nA -> B INVITE\nB -> A 180\nB answers\nB -> A 200 INVITE\nA -> B ACK\n"
/* And its end, where the table says nothing else. */
#define END "A hangs up\nA -> B BYE\nB -> A 200 BYE\nended A B\n"

static const struct {
    const char *text, *reason; /* reason empty: it holds */
} table[] = {
    {CALL END, ""},
    {CALL "talking A B\nwait 3\n" END, ""},
    {CALL
     "A shows \"Connected 1002\"\nB shows \"1001 is calling\"\nB shows \"Connected 1001\"\n" END,
     ""},
    {CALL "B shows \"Connected 1001\"\nA shows \"Calling 1002\"\n" END, ""},
    {CALL "A shows \"Calling 1002\"\nA shows \"Calling 1002\"\n",
     "line 11: A shows \"Calling 1002\": the screen did not show it; it shows \"Connected 1002\""},
    {CALL "optional A -> B INFO\n" END, ""},
    {CALL END "optional A -> B INFO\n", ""},
    {CALL "A hangs up\noptional A -> B BYE\noptional B -> A 200 BYE\noptional B -> A 481 BYE\n",
     ""},
    {CALL "A hangs up\nunordered\nB -> A 200 BYE\nA -> B BYE\nend\n", ""},
    {CALL "A hangs up\nunordered\noptional B -> A 481\nB -> A 200 BYE\nA -> B BYE\nend\n", ""},
    {CALL "A hangs up\nunordered\noptional B -> A 200\nA -> B BYE\nend\n", ""},
    {CALL "A hangs up\nunordered\nA -> B BYE x2\nB -> A 200\nend\n",
     "line 12: A -> B BYE x2: nothing came any more (1 missing of this unordered block)"},
    {CALL "A hangs up\nunordered\nA -> B BYE\nA -> B INFO\nend\n",
     "line 12: A -> B BYE: a message came that is not in this unordered block: B -> A 200 OK "
     "(BYE)"},
    {CALL "A hangs up\nA -> B BYE at 0\nB -> A 200 BYE at 0.001\n", ""},
    {CALL "A hangs up\nA -> B BYE at 0\nB -> A 200 BYE at 0.002\n",
     "line 12: B -> A 200 BYE at 0.002: copy 1 came at 0.001 s, not at 0.002 s"},
    {CALL "A hangs up\nA -> B BYE has \"CSeq: 2\" lacks \"Route:\"\nB -> A 200 BYE\n", ""},
    {CALL "A hangs up\nA -> B BYE has Route:\n",
     "line 11: A -> B BYE has Route:: it lacks what it should hold: A -> B BYE"},
    {CALL "A hangs up\nA -> B BYE lacks CSeq:\n",
     "line 11: A -> B BYE lacks CSeq:: it holds what it should lack: A -> B BYE"},
    {CALL "A hangs up\nB -> A 200\n", "line 11: B -> A 200: another message came: A -> B BYE"},
    {CALL "A hangs up\n", "after the last step something else came: A -> B BYE"},
    {CALL "A -> B BYE\n", "line 10: A -> B BYE: nothing came any more (copy 1 of 1 is missing)"},
    {CALL "ended B\n", "line 10: ended B: B is not (its call: talking)"},
    {PHONES "A answers\n", "line 4: A answers: A is not (its call: none)"},
    {PHONES "registered A\n", "line 4: registered A: A is not"},
    {PHONES "wake A\n", ""},
    {PHONES "kill B\nwait 1\nkill B\nrestart B\nwait 1\nA dials 1002\nA -> B INVITE\nB -> A 180\n"
            "A hangs up\nA -> B CANCEL\nB -> A 200\nB -> A 487\nA -> B ACK\n",
     ""},
    {PHONES "hang B\nA dials 1002\nA -> B INVITE x2 at 0 0.5\nwait 0.2\nwake B\nB -> A 180 x2\n"
            "A hangs up\nA -> B CANCEL\nB -> A 200\nB -> A 487\nA -> B ACK\n",
     ""},
    {PHONES "hang B\nrestart B\nhang B\nwait 1\n", ""},
    {PHONES "set A timer_invite_expires 0\nA dials 1002\n",
     "setting up A: its configuration is wrong"},
    {"flow t\nphone A 1\nphone B 2 off\nkill B\n", "line 4: kill B: B does not run"},
    {"flow t\nphone A 1\nforeign B 2 at 127.0.0.1:5060\nwait 1\n",
     "it has a foreign party, which only a run with --live can meet"},
};

static void run_one(const char *text, const char *reason)
{
    struct kit_alloc k;
    struct dt_flow_result r;
    const struct dt_flow_options o = {.seed = 1};
    kit_alloc_init(&k);
    struct dt_flow *f = kit_flow(&k.alloc, "t", dt_str_z(text));
    int err = dt_flow_run(f, &o, &r);
    if (strncmp(r.reason, reason, reason[0] ? strlen(reason) : 1) != 0 ||
        r.held != (reason[0] == '\0')) {
        if (!err)
            kit_show(f, &o, &r);
        fail_msg("%s\ngot  \"%s\"\nwant \"%s\"", text, r.reason, reason);
    }
    dt_flow_result_clear(&r);
    dt_flow_free(f);
    assert_int_equal(k.live, 0);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        run_one(table[i].text, table[i].reason);
}

/* Times of a file are for T1 = 500 ms. */
static void test_t1(void **state)
{
    (void)state;
    for (int64_t t1 = 50; t1 <= 1000; t1 += 475) {
        struct dt_flow_result r;
        const struct dt_flow_options o = {.seed = 1, .t1 = t1 * DT_MS};
        struct dt_flow *f = kit_flow(&dt_alloc_libc, "4.2", kit_flow_text("4.2.flow"));
        assert_int_equal(dt_flow_run(f, &o, &r), DT_OK);
        if (!r.held)
            fail_msg("T1 %d ms: %s", (int)t1, r.reason);
        dt_flow_result_clear(&r);
        dt_flow_free(f);
    }
}

static void count_item(void *ctx, const struct dt_record *r, const struct dt_record_item *item)
{
    assert_true(item >= r->items && item < r->items + r->n);
    ++*(size_t *)ctx;
}

/* Who watches sees every item. */
static void test_watch(void **state)
{
    struct dt_flow_result r;
    size_t items = 0;
    const struct dt_flow_options o = {.seed = 1, .watch = count_item, .watch_ctx = &items};
    (void)state;
    struct dt_flow *f = kit_flow(&dt_alloc_libc, "t", DT_STR(CALL END));
    assert_int_equal(dt_flow_run(f, &o, &r), DT_OK);
    assert_int_equal(items, r.record.n);
    assert_int_equal(r.messages, 6);
    dt_flow_result_clear(&r);
    dt_flow_free(f);
}

static void test_live_takes_no_faults(void **state)
{
    struct dt_flow_result r;
    const struct dt_flow_options o = {.live = true, .loss = 1};
    (void)state;
    struct dt_flow *f = kit_flow(&dt_alloc_libc, "t", DT_STR(CALL END));
    assert_int_equal(dt_flow_run(f, &o, &r), DT_E_UNSUPPORTED);
    assert_true(strlen(r.reason) > 0);
    dt_flow_result_clear(&r);
    dt_flow_free(f);
}

/* I39: the n-th allocation of the flow and the network fails. The run holds or fails, with a
 * reason; nothing is leaked and nothing crashes. */
static void test_memory(void **state)
{
    size_t n = 0, held = 0;
    bool reached = true;
    (void)state;
    while (reached && n < 5000) {
        struct kit_alloc k;
        struct dt_flow_result r;
        const struct dt_flow_options o = {.seed = 1};
        kit_alloc_init(&k);
        struct dt_flow *f = kit_flow(&k.alloc, "4.2", kit_flow_text("4.2.flow"));
        size_t before = k.calls;
        k.fail_at = before + ++n;
        int err = dt_flow_run(f, &o, &r);
        if (!err && r.held)
            held++;
        else
            assert_true(err || r.reason[0]);
        reached = k.calls >= k.fail_at;
        dt_flow_result_clear(&r);
        dt_flow_free(f);
        assert_int_equal(k.live, 0);
    }
    print_message("%zu allocations failed in turn, %zu runs held all the same\n", n - 1, held);
    assert_true(n > 100 && held > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),  cmocka_unit_test(test_t1),
        cmocka_unit_test(test_watch),  cmocka_unit_test(test_live_takes_no_faults),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
