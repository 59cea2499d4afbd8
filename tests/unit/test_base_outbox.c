/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "dualtone/node.h"

static void events_have_names(void **state)
{
    (void)state;
    assert_string_equal(dt_event_name(DT_EV_SCREEN), "screen");
    assert_string_equal(dt_event_name(DT_EV_QUIT), "quit");
    assert_string_equal(dt_event_name((enum dt_event_kind)99), "unknown");
}

static void outputs_come_in_order(void **state)
{
    (void)state;
    struct kit_alloc k;
    struct dt_outbox o;
    struct dt_output out[2];
    struct dt_addr local = {.family = 4, .port = 1}, remote = {.family = 4, .port = 2};
    char name[] = "example.com";
    kit_alloc_init(&k);
    dt_outbox_init(&o, &k.alloc);
    dt_outbox_begin(&o);
    assert_int_equal(dt_outbox_take(&o, out, 2), 0);

    struct dt_bytes *b = dt_bytes_copy(&k.alloc, DT_STR("INVITE"));
    assert_int_equal(dt_outbox_datagram(&o, &local, &remote, b), DT_OK);
    dt_bytes_drop(b); /* ours; the outbox has its own */
    assert_int_equal(dt_outbox_event(&o, DT_EV_CALL, 7, "%s %d", "ringing", 1), DT_OK);
    assert_int_equal(dt_outbox_event(&o, DT_EV_MEDIA, 7, "start\r\nx"), DT_OK);
    assert_int_equal(dt_outbox_resolve(&o, 5, DT_DNS_SRV, dt_str_z(name)), DT_OK);
    memset(name, '!', sizeof name - 1);

    assert_int_equal(dt_outbox_take(&o, out, 2), 2);
    assert_int_equal(out[0].kind, DT_OUT_DATAGRAM);
    assert_int_equal(out[0].remote.port, 2);
    kit_assert_str(dt_bytes_str(out[0].bytes), "INVITE");
    dt_bytes_drop(out[0].bytes);
    assert_int_equal(out[1].event, DT_EV_CALL);
    assert_int_equal(out[1].channel, DT_CHANNEL_USER);
    assert_int_equal(out[1].call, 7);
    kit_assert_str(out[1].text, "ringing 1");

    assert_int_equal(dt_outbox_take(&o, out, 2), 2);
    assert_int_equal(out[0].channel, DT_CHANNEL_MEDIA);
    kit_assert_str(out[0].text, "start  x"); /* one line, whatever it is made of */
    assert_int_equal(out[1].kind, DT_OUT_RESOLVE);
    assert_int_equal(out[1].dns_id, 5);
    assert_int_equal(out[1].dns_type, DT_DNS_SRV);
    kit_assert_str(out[1].text, "example.com");
    assert_int_equal(dt_outbox_take(&o, out, 2), 0);
    dt_outbox_clear(&o);
    assert_int_equal(k.live, 0);
}

/* What peers write reaches terminals as text. */
static void events_hold_no_control_characters(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"Busy \x1b[2J\x7f\x01", "Busy ?[2J??"},
        {"a\tb\r\nc", "a b  c"},
        {"\xc2\x9b"
         "2J \xc2\xa0 \xc3\x9b",
         "??2J \xc2\xa0 \xc3\x9b"}, /* CSI; others stay */
    };
    (void)state;
    struct kit_alloc k;
    struct dt_outbox o;
    struct dt_output out;
    kit_alloc_init(&k);
    dt_outbox_init(&o, &k.alloc);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dt_outbox_begin(&o);
        assert_int_equal(dt_outbox_event(&o, DT_EV_PROBLEM, 0, "%s", cases[i].in), DT_OK);
        assert_int_equal(dt_outbox_take(&o, &out, 1), 1);
        kit_assert_str(out.text, cases[i].out);
    }
    dt_outbox_clear(&o);
    assert_int_equal(k.live, 0);
}

static void begin_frees_only_what_was_taken(void **state)
{
    (void)state;
    struct kit_alloc k;
    struct dt_outbox o;
    struct dt_output out[100];
    char want[16];
    kit_alloc_init(&k);
    dt_outbox_init(&o, &k.alloc);
    int put = 0, taken = 0;
    for (int round = 0; round < 20; round++) {
        dt_outbox_begin(&o);
        for (int i = 0; i < 7; i++) {
            assert_int_equal(dt_outbox_event(&o, DT_EV_REPLY, 0, "line %d", put++), DT_OK);
            /* Between those with a text, one without. */
            assert_int_equal(dt_outbox_put(&o, &(struct dt_output){.kind = DT_OUT_CLOSE}), DT_OK);
        }
        size_t n = dt_outbox_take(&o, out, round == 19 ? 100 : 11);
        for (size_t i = 0; i < n; i++) {
            if (out[i].kind != DT_OUT_EVENT)
                continue;
            snprintf(want, sizeof want, "line %d", taken++);
            kit_assert_str(out[i].text, want);
        }
    }
    assert_int_equal(taken, put);
    dt_outbox_begin(&o);
    assert_int_equal(o.n_texts, 0);
    assert_int_equal(k.live, 2); /* the two arrays */
    dt_outbox_clear(&o);
    assert_int_equal(k.live, 0);
}

static void clear_drops_what_nobody_took(void **state)
{
    (void)state;
    struct kit_alloc k;
    struct dt_outbox o;
    struct dt_output out[1];
    struct dt_addr a = {.family = 4};
    kit_alloc_init(&k);
    dt_outbox_init(&o, &k.alloc);
    for (int i = 0; i < 40; i++) {
        struct dt_bytes *b = dt_bytes_copy(&k.alloc, DT_STR("x"));
        assert_int_equal(dt_outbox_datagram(&o, &a, &a, b), DT_OK);
        dt_bytes_drop(b);
        assert_int_equal(dt_outbox_event(&o, DT_EV_DROP, 0, "why"), DT_OK);
    }
    assert_int_equal(dt_outbox_take(&o, out, 1), 1);
    dt_outbox_clear(&o);
    assert_int_equal(k.live, 1); /* that of the one who took it */
    dt_bytes_drop(out[0].bytes);
    assert_int_equal(k.live, 0);
    dt_outbox_clear(&o);
}

static void outbox_outlives_failing_memory(void **state)
{
    (void)state;
    struct dt_addr a = {.family = 4};
    for (size_t fail = 1;; fail++) {
        struct kit_alloc k;
        struct dt_outbox o;
        struct dt_output out[64];
        size_t failed = 0;
        kit_alloc_init(&k);
        struct dt_bytes *b = dt_bytes_copy(&dt_alloc_libc, DT_STR("x"));
        k.fail_at = fail;
        dt_outbox_init(&o, &k.alloc);
        for (int i = 0; i < 20; i++) {
            failed += dt_outbox_datagram(&o, &a, &a, b) == DT_E_NOMEM;
            failed += dt_outbox_event(&o, DT_EV_DROP, 0, "why") == DT_E_NOMEM;
            failed += dt_outbox_resolve(&o, 1, DT_DNS_A, DT_STR("h")) == DT_E_NOMEM;
        }
        assert_int_equal(failed, o.lost);
        assert_int_equal(b->refs, 1 + o.n - o.n_texts);
        size_t n = dt_outbox_take(&o, out, 30);
        assert_int_equal(n, 30);
        for (size_t i = 0; i < n; i++)
            dt_bytes_drop(out[i].bytes);
        dt_outbox_clear(&o);
        assert_int_equal(k.live, 0);
        assert_int_equal(b->refs, 1);
        dt_bytes_drop(b);
        if (k.calls < fail)
            break;
        assert_int_equal(failed, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_have_names),
        cmocka_unit_test(outputs_come_in_order),
        cmocka_unit_test(events_hold_no_control_characters),
        cmocka_unit_test(begin_frees_only_what_was_taken),
        cmocka_unit_test(clear_drops_what_nobody_took),
        cmocka_unit_test(outbox_outlives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
