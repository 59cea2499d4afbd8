/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the resolver keeps, asks once, and gives up. */
#include "reach_bed.h"

static const struct zone short_zone[] = {
    {"t.example", DT_DNS_A, 0, 0, 0, "192.0.2.1", NULL, 20},
    {"z.example", DT_DNS_SRV, 0, 0, 0, NULL, NULL, 0},
};

static void answers_are_kept_for_their_time(void **state)
{
    struct bed b;
    struct dt_where w = {.host = DT_STR("t.example"), .port = 5060};
    (void)state;
    assert_true(bed_init(&b, &configs[V4_ALL], 0));
    b.zone = short_zone;
    b.n_zone = 1;
    assert_true(look_up(&b, &w));
    assert_int_equal(b.questions, 1);
    b.now += 19 * DT_SECOND;
    assert_true(look_up(&b, &w));
    assert_int_equal(b.questions, 1);
    b.now += 2 * DT_SECOND;
    assert_true(look_up(&b, &w));
    assert_int_equal(b.questions, 2);
    bed_clear(&b);
}

static void ttl_has_bounds(void **state)
{
    static const struct zone zone[] = {
        {"zero.example", DT_DNS_A, 0, 0, 0, "192.0.2.1", NULL, 1},
        {"long.example", DT_DNS_A, 0, 0, 0, "192.0.2.1", NULL, UINT32_MAX},
    };
    struct dt_resolver_config cfg = {.v4 = true, .max_ttl = 60};
    struct dt_where zero = {.host = DT_STR("zero.example"), .port = 1};
    struct dt_where lasting = {.host = DT_STR("long.example"), .port = 1};
    struct bed b;
    (void)state;
    assert_true(bed_init(&b, &cfg, 0));
    b.zone = zone;
    b.n_zone = 2;
    assert_true(look_up(&b, &lasting));
    b.now += 59 * DT_SECOND;
    assert_true(look_up(&b, &lasting));
    assert_int_equal(b.questions, 1);
    b.now += 2 * DT_SECOND;
    assert_true(look_up(&b, &lasting));
    assert_int_equal(b.questions, 2);
    assert_true(look_up(&b, &zero));
    b.now += 1 * DT_SECOND;
    assert_true(look_up(&b, &zero));
    assert_int_equal(b.questions, 4);
    bed_clear(&b);
}

static void what_is_not_there_is_asked_again_soon(void **state)
{
    struct bed b;
    struct dt_where w = {.host = DT_STR("t.example"), .port = 5060};
    (void)state;
    assert_true(bed_init(&b, &configs[V4_ALL], 0));
    assert_true(look_up(&b, &w));
    assert_int_equal(b.err, DT_E_ABSENT);
    b.now += 29 * DT_SECOND;
    assert_true(look_up(&b, &w));
    assert_int_equal(b.questions, 1);
    b.zone = short_zone;
    b.n_zone = 1;
    b.now += 2 * DT_SECOND;
    assert_true(look_up(&b, &w));
    assert_int_equal(b.questions, 2);
    assert_int_equal(b.n, 1);
    bed_clear(&b);
}

/* RFC 8767: old answers while the servers are silent, for a day. */
static void old_answers_serve_while_servers_fail(void **state)
{
    struct bed b;
    struct dt_where w = {.host = DT_STR("t.example"), .port = 5060};
    (void)state;
    assert_true(bed_init(&b, &configs[V4_ALL], 0));
    b.zone = short_zone;
    b.n_zone = 1;
    assert_true(look_up(&b, &w));
    b.servers_fail = true;
    for (int hour = 0; hour < 23; hour++) {
        b.now += 3600 * DT_SECOND;
        assert_true(look_up(&b, &w));
        assert_int_equal(b.n, 1);
    }
    b.now += 25 * 3600 * DT_SECOND;
    assert_true(look_up(&b, &w));
    assert_int_equal(b.n, 0);
    assert_int_equal(b.err, DT_E_TIMEOUT);
    bed_clear(&b);
}

static void equal_questions_are_asked_once(void **state)
{
    struct bed b;
    struct dt_where w = {.host = DT_STR("t.example"), .port = 5060};
    struct dt_where other_port = {.host = DT_STR("T.Example"), .port = 5070};
    (void)state;
    assert_true(bed_init(&b, &configs[V4_ALL], 0));
    b.zone = short_zone;
    b.n_zone = 1;
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 1, b.targets, 4), 0);
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 2, b.targets, 4), 0);
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &other_port, 3, b.targets, 4), 0);
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 4, b.targets, 4), 0);
    dt_resolver_cancel(b.resolver, 1);
    b.cancel_next = 4; /* from inside the callback */
    assert_true(serve(&b));
    assert_int_equal(b.questions, 1);
    assert_int_equal(b.founds, 2);
    assert_int_equal(b.cookie, 3);
    assert_int_equal(b.targets[0].port, 5070);
    bed_clear(&b);
}

static void strange_answers_change_nothing(void **state)
{
    struct bed b;
    struct dt_where w = {.host = DT_STR("t.example"), .port = 5060};
    struct dt_output q;
    (void)state;
    assert_true(bed_init(&b, &configs[V4_ALL], 0));
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 1, b.targets, 4), 0);
    assert_int_equal(dt_outbox_take(&b.out, &q, 1), 1);
    struct dt_dns_answer a = {.id = q.dns_id + 1, .type = DT_DNS_A, .status = DT_DNS_NO_NAME};
    struct dt_input in = {.kind = DT_IN_DNS, .dns = &a};
    assert_false(dt_resolver_input(b.resolver, b.now, &in));
    a.id = q.dns_id;
    a.type = DT_DNS_AAAA;
    assert_false(dt_resolver_input(b.resolver, b.now, &in));
    in.kind = DT_IN_COMMAND;
    assert_false(dt_resolver_input(b.resolver, b.now, &in));
    assert_int_equal(b.founds, 0);
    bed_clear(&b); /* with a waiter inside */
}

/* A question whose answer never came (the host had no memory) is put again later. */
static void a_lost_question_is_put_again(void **state)
{
    struct bed b;
    struct dt_where w = {.host = DT_STR("t.example"), .port = 5060};
    struct dt_output q[4];
    (void)state;
    assert_true(bed_init(&b, &configs[V4_ALL], 0));
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 1, b.targets, 4), 0);
    assert_int_equal(dt_outbox_take(&b.out, q, 4), 1);
    b.now += 5 * DT_SECOND;
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 2, b.targets, 4), 0);
    assert_int_equal(dt_outbox_take(&b.out, q, 4), 0);
    b.now += 30 * DT_SECOND;
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 3, b.targets, 4), 0);
    assert_int_equal(dt_outbox_take(&b.out, q, 4), 1);
    b.zone = short_zone;
    b.n_zone = 1;
    answer(&b, q[0].dns_id, DT_DNS_A, DT_STR("t.example"));
    assert_int_equal(b.founds, 3); /* all who waited */
    bed_clear(&b);
}

static void a_full_cache_gives_up_the_oldest(void **state)
{
    struct dt_resolver_config cfg = {.v4 = true, .max_names = 3};
    struct bed b;
    struct zone zone[8];
    char names[8][16];
    (void)state;
    assert_true(bed_init(&b, &cfg, 0));
    for (size_t i = 0; i < 8; i++) {
        snprintf(names[i], sizeof names[i], "h%zu.example", i);
        zone[i] = (struct zone)A(names[i], "192.0.2.1");
    }
    b.zone = zone;
    b.n_zone = 8;
    for (size_t i = 0; i < 8; i++) {
        struct dt_where w = {.host = dt_str_z(names[i]), .port = 5060};
        assert_true(look_up(&b, &w));
        assert_int_equal(b.n, 1);
    }
    struct dt_where last = {.host = dt_str_z(names[7]), .port = 5060};
    struct dt_where first = {.host = dt_str_z(names[0]), .port = 5060};
    assert_true(look_up(&b, &last));
    assert_int_equal(b.questions, 8);
    assert_true(look_up(&b, &first));
    assert_int_equal(b.questions, 9);
    bed_clear(&b);
}

static void a_cache_too_small_ends_with_an_error(void **state)
{
    static const struct zone zone[] = {SRV("_sip._udp.s.example", 1, 1, 1, "a.example"),
                                       SRV("_sip._udp.s.example", 1, 1, 1, "b.example")};
    struct dt_resolver_config cfg = {.v4 = true, .v6 = true, .max_names = 2};
    struct dt_where w = {.host = DT_STR("s.example")};
    struct bed b;
    (void)state;
    assert_true(bed_init(&b, &cfg, 0));
    b.zone = zone;
    b.n_zone = 2;
    assert_true(look_up(&b, &w));
    assert_int_equal(b.n, 0);
    assert_int_equal(b.err, DT_E_LIMIT);
    bed_clear(&b);
}

static void sizes_are_bounded(void **state)
{
    static char host[400];
    struct zone zone[ZONE_MAX];
    struct dt_where w = {.host = {host, 254}, .port = 5060};
    struct bed b;
    char names[ZONE_MAX][20];
    (void)state;
    memset(host, 'a', sizeof host);
    assert_true(bed_init(&b, &configs[ALL], 0));
    assert_true(look_up(&b, &w)); /* over 253 */
    assert_int_equal(b.n, 0);
    w.host.n = 300;
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 1, b.targets, 4), DT_E_SYNTAX);
    w.host.n = 0;
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 1, b.targets, 4), DT_E_SYNTAX);
    for (size_t i = 0; i < ZONE_MAX; i++) {
        snprintf(names[i], sizeof names[i], "192.0.2.%zu", i + 1);
        zone[i] = (struct zone)A("many.example", names[i]);
    }
    b.zone = zone;
    b.n_zone = ZONE_MAX;
    w = (struct dt_where){.host = DT_STR("many.example"), .port = 5060};
    assert_true(look_up(&b, &w));
    assert_int_equal(b.n, DT_TARGETS_MAX);
    assert_int_equal(dt_resolver_find(b.resolver, b.now, &w, 1, b.targets, 2), 2);
    bed_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_kept_for_their_time),
        cmocka_unit_test(ttl_has_bounds),
        cmocka_unit_test(what_is_not_there_is_asked_again_soon),
        cmocka_unit_test(old_answers_serve_while_servers_fail),
        cmocka_unit_test(equal_questions_are_asked_once),
        cmocka_unit_test(strange_answers_change_nothing),
        cmocka_unit_test(a_lost_question_is_put_again),
        cmocka_unit_test(a_full_cache_gives_up_the_oldest),
        cmocka_unit_test(a_cache_too_small_ends_with_an_error),
        cmocka_unit_test(sizes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
