/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "store/subscribers.h"

#define MD5_A "0123456789abcdef0123456789abcdef"
#define SHA_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct dt_subscribers *fresh(struct dt_env *env)
{
    dt_env_init(env, 1);
    struct dt_subscribers *s = dt_subscribers_new(env);
    assert_non_null(s);
    return s;
}

static void lines(void **state)
{
    static const struct {
        const char *text;
        int err;
        size_t n;
        const char *problem;
    } rows[] = {
        {"", DT_OK, 0, NULL},
        {"# nobody\n\n", DT_OK, 0, NULL},
        {"a d MD5 " MD5_A "\n", DT_OK, 1, NULL},
        {"  a d md5 " MD5_A " # comment\r\nb d SHA-256 " SHA_A, DT_OK, 2, NULL},
        {"a d MD5\n", DT_E_SYNTAX, 0, "f:1:1: a line is:"},
        {"\na d SHA-1 " MD5_A, DT_E_SYNTAX, 0, "f:2:5: the algorithm is"},
        {"a d MD5 secret", DT_E_SYNTAX, 0, "f:1:9: HA1 is"},
        {"a d MD5 " SHA_A, DT_E_SYNTAX, 0, "f:1:9: HA1 is"},
        {"a d MD5 0123456789ABCDEF0123456789abcdef", DT_E_SYNTAX, 0, "f:1:9: HA1 is"},
        {"a:b d MD5 " MD5_A, DT_E_SYNTAX, 0, "f:1:1: a user name"},
        {"\"a d MD5 " MD5_A, DT_E_SYNTAX, 0, "f:1:1: a quote"},
        {"a d MD5 " MD5_A "\na D MD5 " MD5_A, DT_E_SYNTAX, 0, "f:2:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dt_env env;
        struct dt_problem list[2];
        struct dt_problems problems = {.list = list, .cap = 2};
        struct dt_subscribers *s = fresh(&env);
        struct dt_str text = kit_guarded(0, dt_str_z(rows[i].text));
        int err = dt_subscribers_read(s, DT_STR("f"), text, &problems);
        if (err != rows[i].err || dt_subscribers_n(s) != rows[i].n)
            fail_msg("row %zu: %d, %zu lines", i, err, dt_subscribers_n(s));
        if (rows[i].problem && strncmp(list[0].text, rows[i].problem, strlen(rows[i].problem)))
            fail_msg("row %zu: %s", i, list[0].text);
        dt_subscribers_free(s);
    }
}

static void a_bad_file_leaves_the_old_ones(void **state)
{
    struct dt_env env;
    struct dt_subscribers *s = fresh(&env);
    (void)state;
    assert_int_equal(dt_subscribers_read(s, DT_STR("f"), DT_STR("a d MD5 " MD5_A), NULL), DT_OK);
    assert_int_equal(dt_subscribers_read(s, DT_STR("f"), DT_STR("rubbish"), NULL), DT_E_SYNTAX);
    assert_non_null(dt_subscribers_find(s, DT_STR("a"), DT_STR("D"), DT_HASH_MD5));
    assert_null(dt_subscribers_find(s, DT_STR("a"), DT_STR("d"), DT_HASH_SHA256));
    assert_null(dt_subscribers_find(s, DT_STR("A"), DT_STR("d"), DT_HASH_MD5));
    assert_true(dt_subscribers_has(s, DT_STR("a"), DT_STR("d")));
    assert_false(dt_subscribers_has(s, DT_STR("b"), DT_STR("d")));
    dt_subscribers_free(s);
}

static void what_may_be_offered(void **state)
{
    struct dt_env env;
    struct dt_subscribers *s = fresh(&env);
    (void)state;
    assert_false(dt_subscribers_offer(s, DT_STR("d"), DT_HASH_MD5));
    dt_subscribers_read(s, DT_STR("f"), DT_STR("a d MD5 " MD5_A "\na d SHA-256 " SHA_A "\n"), NULL);
    assert_true(dt_subscribers_offer(s, DT_STR("d"), DT_HASH_MD5));
    assert_true(dt_subscribers_offer(s, DT_STR("d"), DT_HASH_SHA256));
    assert_false(dt_subscribers_offer(s, DT_STR("other"), DT_HASH_MD5));
    dt_subscribers_read(s, DT_STR("f"),
                        DT_STR("a d MD5 " MD5_A "\na d SHA-256 " SHA_A "\nb d MD5 " MD5_A), NULL);
    assert_true(dt_subscribers_offer(s, DT_STR("d"), DT_HASH_MD5));
    assert_false(dt_subscribers_offer(s, DT_STR("d"), DT_HASH_SHA256));
    dt_subscribers_free(s);
}

static void text_is_kept_but_for_the_user(void **state)
{
    struct dt_bytes *a, *b;
    struct dt_digest_hex md5;
    char want[512];
    (void)state;
    struct dt_str before = DT_STR("# mine\n1000 example.com MD5 " MD5_A "\nbroken\n");
    assert_int_equal(dt_subscribers_put(&dt_alloc_libc, kit_hash, before, DT_STR("1001"),
                                        DT_STR("example.com"), DT_STR("secret"), &a),
                     DT_OK);
    dt_digest_ha1(kit_hash, DT_HASH_MD5, DT_STR("1001"), DT_STR("example.com"), DT_STR("secret"),
                  &md5);
    struct dt_writer w = dt_writer(want, sizeof want);
    dt_writef(&w, "1001 example.com MD5 %s\n", md5.text);
    assert_true(dt_str_starts(dt_bytes_str(a), before));
    assert_true(dt_str_ends(dt_bytes_str(a), dt_writer_str(&w)));
    assert_true(dt_str_search(dt_bytes_str(a), DT_STR("secret")) == a->n);
    /* again: replaced, not doubled */
    assert_int_equal(dt_subscribers_put(&dt_alloc_libc, kit_hash, dt_bytes_str(a), DT_STR("1001"),
                                        DT_STR("Example.com"), DT_STR("other"), &b),
                     DT_OK);
    assert_int_equal(b->n, a->n);
    assert_false(dt_str_eq(dt_bytes_str(a), dt_bytes_str(b)));
    dt_bytes_drop(a);
    assert_int_equal(dt_subscribers_remove(&dt_alloc_libc, dt_bytes_str(b), DT_STR("1001"),
                                           DT_STR("example.com"), &a),
                     DT_OK);
    kit_assert_str(dt_bytes_str(a), before.p);
    dt_bytes_drop(b);
    assert_int_equal(dt_subscribers_remove(&dt_alloc_libc, dt_bytes_str(a), DT_STR("1001"),
                                           DT_STR("example.com"), &b),
                     DT_E_ABSENT);
    dt_bytes_drop(a);
}

static void names(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } rows[] = {{"1001", true},  {"a.b-c+d", true}, {"", false},   {"a b", false},
                {"a:b", false},  {"a\"b", false},   {"#a", false}, {"a\n", false},
                {"\x7f", false}, {"\xc3\xa4", true}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (dt_subscriber_name_ok(dt_str_z(rows[i].name)) != rows[i].good)
            fail_msg("row %zu", i);
}

static void every_allocation_may_fail(void **state)
{
    struct dt_str text = DT_STR("a d MD5 " MD5_A "\nb d MD5 " MD5_A "\n");
    int err = DT_E_NOMEM;
    (void)state;
    for (size_t n = 1; err; n++) {
        struct kit_alloc mem;
        struct dt_env env;
        kit_alloc_init(&mem);
        dt_env_init(&env, 1);
        env.alloc = &mem.alloc;
        struct dt_subscribers *s = dt_subscribers_new(&env);
        mem.calls = 0;
        mem.fail_at = n;
        err = dt_subscribers_read(s, DT_STR("f"), text, NULL);
        assert_true(err == DT_OK || err == DT_E_NOMEM);
        assert_int_equal(dt_subscribers_n(s), err ? 0 : 2);
        dt_subscribers_free(s);
        assert_int_equal(mem.live, 0);
        assert_true(n < 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(a_bad_file_leaves_the_old_ones),
        cmocka_unit_test(what_may_be_offered),
        cmocka_unit_test(text_is_kept_but_for_the_user),
        cmocka_unit_test(names),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
