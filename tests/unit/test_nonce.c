/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "dualtone/digest.h"

enum { LIFE = 60 };
static const int64_t made = 1700000000;
static const struct dt_nonce_key key = {{0x0123456789abcdef, 0xfedcba9876543210}};

static struct dt_addr address(const char *text)
{
    struct dt_addr a;
    assert_int_equal(dt_addr_parse(&a, dt_str_z(text)), DT_OK);
    return a;
}

struct made_nonce {
    char text[32];
    struct dt_addr source;
};

static struct made_nonce make(int64_t wall)
{
    struct made_nonce n = {.source = address("192.0.2.7:5060")};
    struct dt_writer w = dt_writer(n.text, sizeof n.text);
    dt_nonce_write(&w, &key, wall, 42, DT_STR("example.com"), &n.source);
    assert_int_equal(w.err, DT_OK);
    assert_int_equal(w.n, 32);
    return n;
}

static int check(const struct made_nonce *n, int64_t wall)
{
    struct dt_str text = kit_guarded(0, (struct dt_str){n->text, 32});
    return dt_nonce_check(&key, text, wall, LIFE, DT_STR("example.com"), &n->source);
}

static const struct age_case {
    int64_t age;
    int want;
} age_cases[] = {
    {0, DT_OK},
    {1, DT_OK},
    {LIFE, DT_OK},
    {LIFE + 1, DT_E_STALE},
    {-LIFE, DT_OK},
    {-LIFE - 1, DT_E_STALE},
    {86400, DT_E_STALE},
    {1 << 30, DT_E_STALE},
    {-(1 << 30), DT_E_STALE},
};

static void a_nonce_ages(void **state)
{
    (void)state;
    /* Also where 32 bits of seconds run over, in 2106. */
    const int64_t starts[] = {made, 0, 0xffffffff, 0x100000005, 0x7fffffff};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct made_nonce n = make(starts[i]);
        for (size_t j = 0; j < sizeof age_cases / sizeof age_cases[0]; j++)
            assert_int_equal(check(&n, starts[i] + age_cases[j].age), age_cases[j].want);
    }
}

/* R14: behind NAT the port changes, and any node with the key may get the answer. */
static void the_port_does_not_matter(void **state)
{
    (void)state;
    struct made_nonce n = make(made);
    n.source.port = 40000;
    n.source.transport = DT_TCP;
    assert_int_equal(check(&n, made), DT_OK);
}

static void another_place_key_or_realm_is_not_ours(void **state)
{
    (void)state;
    struct made_nonce n = make(made);
    struct dt_str text = {n.text, 32};
    const char *elsewhere[] = {"192.0.2.8:5060", "[2001:db8::7]:5060", "[c000:207::]:5060"};
    for (size_t i = 0; i < 3; i++) {
        struct dt_addr a = address(elsewhere[i]);
        assert_int_equal(dt_nonce_check(&key, text, made, LIFE, DT_STR("example.com"), &a),
                         DT_E_AUTH);
    }
    const struct dt_str realms[] = {DT_STR("example.org"), DT_STR("example.co"), DT_STR("")};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(dt_nonce_check(&key, text, made, LIFE, realms[i], &n.source), DT_E_AUTH);
    const struct dt_nonce_key other = {{key.key[0], key.key[1] ^ 1}};
    assert_int_equal(dt_nonce_check(&other, text, made, LIFE, DT_STR("example.com"), &n.source),
                     DT_E_AUTH);
}

/* Each of its 32 digits counts; time and salt cannot be moved. An old one that was forged is not
 * ours rather than stale. */
static void forged_digits(void **state)
{
    (void)state;
    const char others[] = "0123456789abcdefABCDEFg -\0";
    for (size_t i = 0; i < 32; i++)
        for (size_t j = 0; j < sizeof others; j++) {
            struct made_nonce n = make(made);
            if (n.text[i] == others[j])
                continue;
            n.text[i] = others[j];
            assert_int_equal(check(&n, made), DT_E_AUTH);
            assert_int_equal(check(&n, made + 2 * LIFE), DT_E_AUTH);
        }
}

static void wrong_lengths(void **state)
{
    (void)state;
    struct made_nonce n = make(made);
    char longer[40] = {0};
    memcpy(longer, n.text, 32);
    for (size_t i = 0; i <= sizeof longer; i++) {
        struct dt_str text = kit_guarded(0, (struct dt_str){longer, i});
        assert_int_equal(dt_nonce_check(&key, text, made, LIFE, DT_STR("example.com"), &n.source),
                         i == 32 ? DT_OK : DT_E_AUTH);
    }
}

static void salt_makes_two_of_one_second_differ(void **state)
{
    (void)state;
    char a[32], b[32];
    struct dt_addr source = address("192.0.2.7");
    struct dt_writer wa = dt_writer(a, sizeof a), wb = dt_writer(b, sizeof b);
    dt_nonce_write(&wa, &key, made, 1, DT_STR("r"), &source);
    dt_nonce_write(&wb, &key, made, 2, DT_STR("r"), &source);
    assert_memory_equal(a, b, 8);
    assert_memory_not_equal(a + 8, b + 8, 8);
    assert_memory_not_equal(a + 16, b + 16, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_ages),
        cmocka_unit_test(the_port_does_not_matter),
        cmocka_unit_test(another_place_key_or_realm_is_not_ours),
        cmocka_unit_test(forged_digits),
        cmocka_unit_test(wrong_lengths),
        cmocka_unit_test(salt_makes_two_of_one_second_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
