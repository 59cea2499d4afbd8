/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The record: order, parties by address, digest, and the text between processes. */
#include "trace_kit.h"

static struct kit_alloc k;
static struct dt_record r;

static int setup(void **state)
{
    (void)state;
    kit_alloc_init(&k);
    dt_record_init(&r, &k.alloc);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dt_record_clear(&r);
    return k.live == 0 ? 0 : -1;
}

/* By time; what is equal in time, by arrival. */
static void test_order(void **state)
{
    static const struct {
        dt_time at;
        const char *text;
    } table[] = {{5, "c"}, {7, "f"}, {5, "d"}, {1, "a"}, {5, "e"}, {3, "b"}, {7, "g"}};
    (void)state;
    const size_t places[] = {0, 1, 1, 0, 3, 1, 6};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(
            dt_record_note(&r, table[i].at, DT_REC_COMMAND, 0, dt_str_z(table[i].text)), places[i]);
    char got[8] = "";
    for (size_t i = 0; i < r.n; i++)
        got[i] = r.items[i].bytes->data[0];
    assert_string_equal(got, "abcdefg");
}

static void test_parties(void **state)
{
    (void)state;
    uint16_t a = dt_record_party(&r, "A"), b = dt_record_party(&r, "B");
    assert_int_equal(dt_record_party(&r, "A"), a);
    assert_int_equal(dt_record_party(&r, ""), DT_RECORD_NOBODY);
    const char *longer = "a-name-that-is-longer-than-what-is-kept";
    assert_int_equal(dt_record_party(&r, longer), dt_record_party(&r, longer));
    struct dt_addr any = kit_addr(1), one = kit_addr(1), six = {.family = 6, .ip = {0x20, 1}};
    any.port = 0;
    one.port = 5070;
    struct dt_addr other = one;
    other.port = 5099;
    assert_int_equal(dt_record_whose(&r, &one), DT_RECORD_NOBODY);
    dt_record_address(&r, b, &any);
    dt_record_address(&r, a, &one);
    dt_record_address(&r, b, &six);
    dt_record_address(&r, DT_RECORD_NOBODY, &six);
    assert_int_equal(dt_record_whose(&r, &one), a); /* exact first */
    assert_int_equal(dt_record_whose(&r, &other), b);
    one.transport = DT_TCP;
    assert_int_equal(dt_record_whose(&r, &one), a); /* whatever the transport */
    six.port = 1;
    assert_int_equal(dt_record_whose(&r, &six), b);
    six.family = 4; /* the same bytes */
    assert_int_equal(dt_record_whose(&r, &six), DT_RECORD_NOBODY);
    dt_record_address(&r, b, &other); /* somebody else's IP, more exact */
    dt_record_address(&r, a, &other); /* the first party has it, however late it came */
    assert_int_equal(dt_record_whose(&r, &other), a);
}

/* All parties there can be, all addresses they can have, with and without memory for the index. */
static void test_many_parties(void **state)
{
    (void)state;
    for (int without = 0; without < 2; without++) {
        for (unsigned i = 0; i < DT_RECORD_PARTIES_MAX; i++) {
            char name[16];
            snprintf(name, sizeof name, "p%u", i);
            assert_int_equal(dt_record_party(&r, name), i);
            for (unsigned n = 0; n < 9; n++) {
                const struct dt_addr a = {
                    .ip = {10, (uint8_t)i, (uint8_t)n, 1}, .family = 4, .port = n % 2 ? 5060 : 0};
                k.fail_at = without ? k.calls + 1 : 0; /* the index cannot be made */
                dt_record_address(&r, (uint16_t)i, &a);
                k.fail_at = 0;
            }
        }
        assert_int_equal(dt_record_party(&r, "one more"), DT_RECORD_NOBODY);
        assert_true((r.homes == NULL) == (without != 0));
        for (unsigned i = 0; i < DT_RECORD_PARTIES_MAX; i++)
            for (unsigned n = 0; n < 9; n++) {
                const struct dt_addr a = {
                    .ip = {10, (uint8_t)i, (uint8_t)n, 1}, .family = 4, .port = 5060};
                uint16_t want = n < 8 ? (uint16_t)i : DT_RECORD_NOBODY; /* eight are kept */
                assert_int_equal(dt_record_whose(&r, &a), want);
            }
        dt_record_clear(&r);
    }
}

static uint64_t digest_with(int change)
{
    dt_record_clear(&r);
    kit_parties(&r, "AB");
    struct dt_record_item it = {.at = 5, .kind = DT_REC_SENT, .who = 0, .from = kit_addr(0)};
    it.to = kit_addr(1);
    it.bytes = dt_bytes_copy(&k.alloc, change == 1 ? DT_STR("y") : DT_STR("x"));
    it.at += change == 2;
    it.kind = change == 3 ? DT_REC_LOST : it.kind;
    it.call = change == 4;
    it.to.port = change == 5 ? 1 : it.to.port;
    it.from.transport = change == 6 ? DT_TCP : DT_UDP;
    it.who = change == 7;
    it.event = change == 8 ? DT_EV_CALL : DT_EV_SCREEN;
    dt_record_add(&r, &it);
    dt_bytes_drop(it.bytes);
    if (change == 9)
        dt_record_note(&r, 6, DT_REC_COMMAND, 0, DT_STR(""));
    return dt_record_digest(&r);
}

static void test_digest(void **state)
{
    (void)state;
    uint64_t same = digest_with(0);
    assert_true(digest_with(0) == same);
    for (int change = 1; change <= 9; change++)
        assert_false(digest_with(change) == same);
}

/* ---- as text ---- */

static struct dt_str as_text(const struct dt_record_item *it, char *out, size_t size)
{
    struct dt_writer w = dt_writer(out, size);
    dt_record_write(&r, it, &w);
    assert_int_equal(w.err, DT_OK);
    return dt_writer_str(&w);
}

static void test_text(void **state)
{
    char text[512];
    (void)state;
    kit_parties(&r, "AB");
    kit_packet(&r, 1500, DT_REC_SENT, 0, 1, "a\\b\r\nc\x01\xff");
    kit_assert_str(as_text(&r.items[0], text, sizeof text),
                   "@1500 sent - 0 0 udp:192.0.2.1:5060 udp:192.0.2.2:5060 "
                   "a\\\\b\\r\\nc\\x01\\xff\n");
    kit_event(&r, 2000, DT_EV_CALL, 1, "talking 1001");
    r.items[1].call = 7;
    kit_assert_str(as_text(&r.items[1], text, sizeof text), "@2000 event B 1 7 - - talking 1001\n");
}

static void same_item(const struct dt_record_item *a, const struct dt_record_item *b)
{
    assert_int_equal(a->at, b->at);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->event, b->event);
    assert_int_equal(a->call, b->call);
    assert_int_equal(a->who, b->who);
    assert_true(dt_addr_eq(&a->from, &b->from) && dt_addr_eq(&a->to, &b->to));
    assert_true(dt_str_eq(dt_bytes_str(a->bytes), dt_bytes_str(b->bytes)));
}

/* Every kind, every byte, both families and transports: read back the same; each truncation is an
 * error or an item with less text, and reads nothing past its end. */
static void test_round_trip(void **state)
{
    (void)state;
    kit_parties(&r, "AB");
    char bytes[256], text[4 * 256 + DT_RECORD_LINE_HEAD];
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    for (int kind = DT_REC_SENT; kind <= DT_REC_FAULT; kind++) {
        struct dt_record_item it = {.at = INT64_MAX - 1, .kind = (enum dt_record_kind)kind};
        it.event = DT_EV_QUIT;
        it.call = UINT32_MAX;
        it.who = kind % 2 ? 1 : DT_RECORD_NOBODY;
        if (kind != DT_REC_EVENT) {
            it.from = kit_addr(0);
            it.from.port = 0;
            it.to = (struct dt_addr){.ip = {0x20, 1, 0xd, 0xb8}, .port = 65535, .family = 6};
            it.to.transport = DT_TCP;
        }
        it.bytes = dt_bytes_copy(&k.alloc, (struct dt_str){bytes, kind == 4 ? 0 : sizeof bytes});
        struct dt_str line = as_text(&it, text, sizeof text), taken;
        struct dt_record_item got;
        line.n--; /* its end */
        assert_true(dt_str_find(line, '\n') == line.n);
        assert_int_equal(dt_record_read(&r, kit_guarded(0, line), &got), DT_OK);
        same_item(&got, &it);
        dt_bytes_drop(got.bytes);
        for (size_t n = 0; n < line.n; n++) {
            taken = kit_guarded(0, dt_str_sub(line, 0, n));
            if (dt_record_read(&r, taken, &got) == DT_OK)
                assert_true(got.bytes->n < it.bytes->n);
            else
                assert_null(got.bytes);
            dt_bytes_drop(got.bytes);
        }
        dt_bytes_drop(it.bytes);
    }
}

static void test_bad_text(void **state)
{
    static const char *const table[] = {
        "",
        "@1",
        "1 sent A 0 0 - - x",
        "@x sent A 0 0 - - x",
        "@-1 sent A 0 0 - - x",
        "@99999999999999999999 sent A 0 0 - - x",
        "@1 seen A 0 0 - - x",
        "@1 sent A 99 0 - - x",
        "@1 sent A 0 4294967296 - - x",
        "@1 sent A 0 0 192.0.2.1:5060 - x",
        "@1 sent A 0 0 sctp:192.0.2.1:5060 - x",
        "@1 sent A 0 0 udp:192.0.2:5060 - x",
        "@1 sent A 0 0 - udp:nobody x",
        "@1 sent  0 0 - - x",
        "@1 sent \x1b[2J 0 0 - - x",
        "@1 sent A 0 0 - -",
        "@1 sent A 0 0 - - \\",
        "@1 sent A 0 0 - - \\q",
        "@1 sent A 0 0 - - \\x4",
        "@1 sent A 0 0 - - \\xG0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct dt_record_item got;
        if (dt_record_read(&r, kit_guarded(0, dt_str_z(table[i])), &got) != DT_E_SYNTAX)
            fail_msg("read: %s", table[i]);
        assert_null(got.bytes);
    }
}

/* I39: an item without memory is counted, the rest stays as it was. */
static void test_memory(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40; n++) {
        kit_alloc_init(&k);
        dt_record_init(&r, &k.alloc);
        k.fail_at = n;
        kit_parties(&r, "AB");
        for (unsigned i = 0; i < 100; i++)
            kit_packet(&r, i, DT_REC_SENT, 0, 1, "x");
        assert_in_range(r.n, 99, 100);
        assert_int_equal(r.n + r.lost, 100);
        struct dt_record_item it;
        int err = dt_record_read(&r, DT_STR("@1 sent A 0 0 - - text"), &it);
        assert_true(err == DT_OK || err == DT_E_NOMEM);
        dt_bytes_drop(it.bytes);
        dt_record_clear(&r);
        assert_int_equal(k.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parties, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_parties, setup, teardown),
        cmocka_unit_test_setup_teardown(test_digest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
