/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "store/location.h"

static const struct dt_location_config config = {.max_bindings = 100, .max_contacts = 10};
static const int64_t wall = 1700000000 * DT_SECOND; /* at now = 0 */

static struct dt_location *fresh(struct dt_env *env)
{
    struct dt_location *l = dt_location_new(&config, env);
    assert_non_null(l);
    return l;
}

/* A node of a pair: removed bindings are kept. */
static struct dt_location *fresh_twin(struct dt_env *env)
{
    struct dt_location_config twin = config;
    twin.twin = true;
    twin.removed_kept = 7200 * DT_SECOND;
    struct dt_location *l = dt_location_new(&twin, env);
    assert_non_null(l);
    return l;
}

static void add(struct dt_location *l, const char *aor, const char *uri, uint32_t expires,
                const char *path, const char *instance, enum dt_transport transport)
{
    struct dt_location_contact c = {
        .uri = dt_str_z(uri), .instance = dt_str_z(instance), .q = 500, .expires = expires};
    struct dt_location_update u = {.aor = dt_str_z(aor),
                                   .call_id = DT_STR("a b%\"@h"),
                                   .cseq = 7,
                                   .wall = 42,
                                   .path = dt_str_z(path),
                                   .contacts = &c,
                                   .n = 1};
    dt_addr_parse(&u.flow.local, DT_STR("192.0.2.1:5060"));
    dt_addr_parse(&u.flow.remote, DT_STR("[2001:db8::1]:5070"));
    u.flow.local.transport = u.flow.remote.transport = (uint8_t)transport;
    u.flow.stream = 9;
    assert_int_equal(dt_location_update(l, 0, &u), DT_OK);
}

#define LINE_1 \
    "binding sip:b@example.com sip:b@h1 a%20b%25\"@h <sip:p;lr>,%20<sip:q;lr> <urn:1> 7 500 " \
    "1700000060000 udp 192.0.2.1:5060 [2001:db8::1]:5070\n"
#define LINE_2 \
    "binding - sip:c@h;x=- a%20b%25\"@h - - 7 500 1700003600000 tcp 192.0.2.1:5060 " \
    "[2001:db8::1]:5070\n"

#define WITH_STAMP(what, stamp) what " sip:a@h sip:b@h c - - 1 1 1700000060000 udp - - " stamp "\n"

static void written_and_read(void **state)
{
    struct dt_env env;
    struct dt_bytes *text, *again;
    const struct dt_binding *found[2];
    unsigned bad;
    (void)state;
    dt_env_init(&env, 1);
    struct dt_location *l = fresh(&env), *m = fresh(&env);
    add(l, "sip:b@example.com", "sip:b@h1", 60, "<sip:p;lr>, <sip:q;lr>", "<urn:1>", DT_UDP);
    add(l, "sip:c@example.com", "sip:c@h;x=-", 3600, "", "", DT_TCP);
    assert_int_equal(dt_location_save(l, DT_SECOND, wall, &dt_alloc_libc, &text), DT_OK);
    kit_assert_str(dt_bytes_str(text),
                   "dualtone-location 2\n"
                   "binding sip:b@example.com sip:b@h1 a%20b%25\"@h <sip:p;lr>,%20<sip:q;lr> "
                   "<urn:1> 7 500 1700000060000 udp 192.0.2.1:5060 [2001:db8::1]:5070 42\n"
                   "binding sip:c@example.com sip:c@h;x=- a%20b%25\"@h - - 7 500 1700003600000 tcp "
                   "192.0.2.1:5060 [2001:db8::1]:5070 42\n");
    /* another run, whose monotonic clock began elsewhere */
    dt_time now = 5000 * DT_SECOND;
    int64_t offset = wall + 10 * DT_SECOND - now;
    assert_int_equal(dt_location_load(m, now, offset, dt_bytes_str(text), &bad), DT_OK);
    assert_int_equal(bad, 0);
    assert_int_equal(dt_location_find(m, now, DT_STR("sip:b@example.com"), found, 2, NULL), 1);
    assert_int_equal(dt_binding_left(found[0], now), 50);
    kit_assert_str(dt_binding_call_id(found[0]), "a b%\"@h");
    kit_assert_str(dt_binding_path(found[0]), "<sip:p;lr>, <sip:q;lr>");
    kit_assert_str(dt_binding_instance(found[0]), "<urn:1>");
    assert_int_equal(found[0]->flow.stream, 0); /* of the earlier run */
    assert_int_equal(found[0]->flow.remote.family, 6);
    assert_int_equal(dt_location_save(m, now, offset, &dt_alloc_libc, &again), DT_OK);
    assert_true(dt_str_eq(dt_bytes_str(again), dt_bytes_str(text)));
    dt_bytes_drop(text);
    dt_bytes_drop(again);
    dt_location_free(l);
    dt_location_free(m);
}

static void broken_lines_are_passed_over(void **state)
{
    static const struct {
        const char *text;
        int err;
        unsigned bad, good;
    } rows[] = {
        {"", DT_OK, 0, 0},
        {"something else\n", DT_E_SYNTAX, 0, 0},
        {"dualtone-location 3\n" LINE_1, DT_E_SYNTAX, 0, 0},
        {"dualtone-location 2\n" LINE_1, DT_OK, 1, 0}, /* no stamp */
        {"dualtone-location 2\n" WITH_STAMP("binding", "9"), DT_OK, 0, 1},
        {"dualtone-location 2\n" WITH_STAMP("binding", "-9"), DT_OK, 1, 0},
        {"dualtone-location 2\n" WITH_STAMP("binding", "9 9"), DT_OK, 1, 0},
        {"dualtone-location 2\n" WITH_STAMP("bound", "9"), DT_OK, 1, 0},
        {"dualtone-location 2\n" WITH_STAMP("removed", "9"), DT_OK, 0, 0}, /* no twin */
        {"dualtone-location 1\n" WITH_STAMP("binding", "9"), DT_OK, 1, 0},
        {"dualtone-location 1\n" LINE_1, DT_OK, 0, 1},
        {"dualtone-location 1\r\n\n# a comment\n" LINE_1 LINE_1, DT_OK, 0, 1},
        {"dualtone-location 1\n" LINE_2, DT_OK, 1, 0}, /* no address of record */
        {"dualtone-location 1\nbinding\nbinding a b\nrubbish\n" LINE_1, DT_OK, 3, 1},
        {"dualtone-location 1\nbinding sip:a@h sip:b@h c - - 1 1 99999999999999999999 udp - -\n",
         DT_OK, 1, 0},
        {"dualtone-location 1\nbinding sip:a@h sip:b@h c - - 1 1001 1700000060000 udp - -\n", DT_OK,
         1, 0},
        {"dualtone-location 1\nbinding sip:a@h sip:b@h c - - 1 1 1700000060000 udp - -\n", DT_OK, 0,
         1},
        {"dualtone-location 1\nbinding sip:a@h sip:b@h c - - 1 1 1700000060000 sctp - -\n", DT_OK,
         1, 0},
        {"dualtone-location 1\nbinding sip:a@h sip:b@h c - - 1 1 1700000060000 udp x -\n", DT_OK, 1,
         0},
        {"dualtone-location 1\nbinding sip:a@h sip:b@h c - - 1 1 1700000060000 udp - - -\n", DT_OK,
         1, 0},
        {"dualtone-location 1\nbinding sip:a@h% sip:b@h c - - 1 1 1700000060000 udp - -\n", DT_OK,
         1, 0},
        {"dualtone-location 1\nbinding sip:a@h%4 sip:b@h c - - 1 1 1700000060000 udp - -\n", DT_OK,
         1, 0},
        {"dualtone-location 1\nbinding sip:a%4g@h sip:b@h c - - 1 1 1700000060000 udp - -\n", DT_OK,
         1, 0},
        {"dualtone-location 1\nbinding sip:a%41@h sip:b@h c - - 1 1 1700000060000 udp - -", DT_OK,
         0, 1},
        {"dualtone-location 1\nbinding sip:a@h sip:b@h c - - 1 1 1600000000000 udp - -\n", DT_OK, 0,
         0},
        {"dualtone-location 1\nbinding a@h sip:b@h c - - 1 1 1700000060000 udp - -\n", DT_OK, 1, 0},
        {"dualtone-location 1\nbinding sip:a@h b@h c - - 1 1 1700000060000 udp - -\n", DT_OK, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dt_env env;
        unsigned bad = 0;
        dt_env_init(&env, 1);
        struct dt_location *l = fresh(&env);
        int err = dt_location_load(l, 0, wall, kit_guarded(0, dt_str_z(rows[i].text)), &bad);
        if (err != rows[i].err || bad != rows[i].bad ||
            dt_location_count(l).bindings != rows[i].good)
            fail_msg("row %zu: %d, %u bad, %u good", i, err, bad, dt_location_count(l).bindings);
        dt_location_free(l);
    }
}

static int one(struct dt_location *l, uint64_t stamp, uint32_t expires, const char *contact,
               const char *call_id, bool copy)
{
    struct dt_location_contact c = {.uri = dt_str_z(contact), .q = DT_Q_MAX, .expires = expires};
    struct dt_location_update u = {.aor = DT_STR("sip:b@h"),
                                   .call_id = dt_str_z(call_id),
                                   .cseq = (uint32_t)stamp,
                                   .wall = stamp,
                                   .contacts = &c,
                                   .n = 1};
    if (!copy && contact[0] == '*') {
        u.star = true;
        u.n = 0;
    }
    return copy ? dt_location_merge(l, 0, &u) : dt_location_update(l, 0, &u);
}

/* What was removed, and when, outlives a restart: a copy of the time before brings nothing back. */
static void removals_and_stamps_are_kept(void **state)
{
    static const struct {
        const char *contact;
        const char *removed_by;
    } rows[] = {{"sip:b@h1", "sip:b@h1"}, {"sip:b@h1", "*"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dt_env env;
        struct dt_bytes *text;
        unsigned bad;
        dt_env_init(&env, 1);
        struct dt_location *l = fresh_twin(&env), *m = fresh_twin(&env);
        assert_int_equal(one(l, 100, 60, rows[i].contact, "c", false), DT_OK);
        assert_int_equal(one(l, 200, 0, rows[i].removed_by, "d", false), DT_OK);
        assert_int_equal(one(l, 300, 60, "sip:b@h2", "c", false), DT_OK);
        assert_int_equal(dt_location_save(l, 0, wall, &dt_alloc_libc, &text), DT_OK);
        assert_int_equal(dt_location_load(m, 0, wall, dt_bytes_str(text), &bad), DT_OK);
        assert_int_equal(bad, 0);
        assert_int_equal(dt_location_count(m).bindings, 1);
        assert_int_equal(dt_location_count(m).removed, 1);
        assert_int_equal(one(m, 100, 60, rows[i].contact, "c", true), DT_OK);
        assert_int_equal(one(m, 299, 60, "sip:b@h2", "e", true), DT_OK); /* ours is newer */
        assert_int_equal(dt_location_count(m).bindings, 1);
        assert_int_equal(one(m, 301, 60, rows[i].contact, "c", true), DT_OK);
        assert_int_equal(dt_location_count(m).bindings, 2);
        dt_bytes_drop(text);
        dt_location_free(l);
        dt_location_free(m);
    }
}

/* I27: torn at any byte, what is whole is read. */
static void torn_anywhere(void **state)
{
    static const char text[] = "dualtone-location 1\n" LINE_1;
    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        struct dt_env env;
        unsigned bad;
        dt_env_init(&env, 1);
        struct dt_location *l = fresh(&env);
        int err = dt_location_load(l, 0, wall, kit_guarded(0, (struct dt_str){text, n}), &bad);
        assert_true(err == DT_OK || (err == DT_E_SYNTAX && n < 19));
        assert_true(dt_location_count(l).bindings + bad <= 1);
        dt_location_free(l);
    }
}

static void without_memory(void **state)
{
    struct kit_alloc mem;
    struct dt_env env;
    struct dt_bytes *text = NULL;
    (void)state;
    dt_env_init(&env, 1);
    struct dt_location *l = fresh(&env);
    kit_alloc_init(&mem);
    mem.fail_at = 1;
    assert_int_equal(dt_location_save(l, 0, wall, &mem.alloc, &text), DT_E_NOMEM);
    assert_null(text);
    dt_location_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(broken_lines_are_passed_over),
        cmocka_unit_test(removals_and_stamps_are_kept),
        cmocka_unit_test(torn_anywhere),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
