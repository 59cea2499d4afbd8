/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Targets: health by evidence, boots, twins, and the pace of probes (R16 to R18, R20). */
#include "testkit.h"

#include <string.h>

#include "dualtone/target.h"

static struct dt_targets known;
static struct dt_addr p_addr = {.ip = {10, 0, 0, 1}, .port = 5060, .family = 4};
static struct dt_addr s_addr = {.ip = {10, 0, 0, 2}, .port = 5060, .family = 4};

static int begin(void **unused)
{
    (void)unused;
    known = (struct dt_targets){.t1 = 500 * DT_MS};
    return 0;
}

static void node_ids(void **unused)
{
    static const struct {
        const char *text;
        int err;
        const char *node;
        uint64_t boot;
    } rows[] = {
        {"c1;node=2;boot=77", DT_OK, "2", 77},
        {" c1;node=0;boot=18446744073709551615 ", DT_OK, "0", UINT64_MAX},
        {"c1;node=2;boot=77;later=1", DT_OK, "2", 77},
        {"c1;node=2;boot=77;later;boot=1", DT_E_SYNTAX, "", 0},
        {"c1;node=2;boot=77;node=3", DT_E_SYNTAX, "", 0},
        {"c1;node=2;boot=77;", DT_OK, "2", 77},
        {"", DT_E_SYNTAX, "", 0},
        {"c1", DT_E_SYNTAX, "", 0},
        {";node=1;boot=1", DT_E_SYNTAX, "", 0},
        {"c1;node=;boot=1", DT_E_SYNTAX, "", 0},
        {"c1;node=1;boot=x", DT_E_SYNTAX, "", 0},
        {"c1;boot=1;node=1", DT_E_SYNTAX, "", 0},
        {"c1;node=1;boot=18446744073709551616", DT_E_SYNTAX, "", 0},
        {"ccccccccccccccccccccccccccccccccc;node=1;boot=1", DT_E_SYNTAX, "", 0},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct dt_node_id id;
        assert_int_equal(dt_node_id_parse(&id, dt_str_z(rows[i].text)), rows[i].err);
        if (rows[i].err)
            continue;
        assert_true(dt_str_eq(id.node, dt_str_z(rows[i].node)));
        assert_true(id.boot == rows[i].boot);
        assert_true(dt_str_eq(id.cluster, DT_STR("c1")));
    }
}

static void evidence(void **unused)
{
    static const struct {
        enum dt_evidence what;
        enum dt_health then;
        bool died;
    } rows[] = {
        {DT_EVIDENCE_RESPONSE, DT_HEALTH_UP, false},
        {DT_EVIDENCE_REFUSED, DT_HEALTH_SUSPECT, false}, /* may be forged */
        {DT_EVIDENCE_REFUSED, DT_HEALTH_DOWN, true},
        {DT_EVIDENCE_SILENCE, DT_HEALTH_DOWN, false},
        {DT_EVIDENCE_RESPONSE, DT_HEALTH_UP, false},
        {DT_EVIDENCE_REFUSED, DT_HEALTH_SUSPECT, false}, /* counted anew */
        {DT_EVIDENCE_SILENCE, DT_HEALTH_SUSPECT, false},
        {DT_EVIDENCE_MISSED, DT_HEALTH_SUSPECT, false},
        {DT_EVIDENCE_MISSED, DT_HEALTH_SUSPECT, false},
        {DT_EVIDENCE_MISSED, DT_HEALTH_DOWN, true},
        {DT_EVIDENCE_MISSED, DT_HEALTH_DOWN, false},
        {DT_EVIDENCE_RESPONSE, DT_HEALTH_UP, false},
        {DT_EVIDENCE_BUSY, DT_HEALTH_UP, false},
    };
    struct dt_target *g = dt_targets_add(&known, 0, &p_addr);

    (void)unused;
    assert_ptr_equal(g, dt_targets_add(&known, 0, &p_addr));
    assert_int_equal(g->health, DT_HEALTH_UNKNOWN);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(dt_target_evidence((dt_time)i, g, rows[i].what), rows[i].died);
        assert_int_equal(g->health, rows[i].then);
    }
    assert_int_equal(g->n_history, DT_EVIDENCE_KEPT);
    assert_int_equal(g->history[DT_EVIDENCE_KEPT - 1].what, DT_EVIDENCE_BUSY);
    assert_int_equal(g->deaths, 2);
}

static void twins(void **unused)
{
    struct dt_node_id a = {DT_STR("c"), DT_STR("1"), 5}, b = {DT_STR("c"), DT_STR("2"), 9},
                      c = {DT_STR("c"), DT_STR("3"), 5}, x = {DT_STR("d"), DT_STR("2"), 9};
    struct dt_addr t_addr = {.ip = {10, 0, 0, 3}, .port = 5060, .family = 4};
    struct dt_target *p = dt_targets_add(&known, 0, &p_addr);
    struct dt_target *s = dt_targets_add(&known, 0, &s_addr), *t;

    (void)unused;
    assert_null(dt_targets_twin(&known, &p_addr));
    assert_false(dt_target_node(0, p, &a));
    assert_null(dt_targets_twin(&known, &p_addr));
    assert_false(dt_target_node(0, s, &x)); /* a stranger */
    assert_null(dt_targets_twin(&known, &p_addr));
    assert_false(dt_target_node(0, s, &a)); /* itself by another address */
    assert_null(dt_targets_twin(&known, &p_addr));
    assert_false(dt_target_node(0, s, &b));
    assert_ptr_equal(dt_targets_twin(&known, &p_addr), s);
    assert_ptr_equal(dt_targets_twin(&known, &s_addr), p);
    a.boot = 6;
    assert_true(dt_target_node(0, p, &a)); /* R17 */
    assert_int_equal(p->deaths, 1);
    assert_false(dt_target_node(0, p, &a));
    (void)dt_target_evidence(0, s, DT_EVIDENCE_REFUSED);
    (void)dt_target_evidence(0, s, DT_EVIDENCE_REFUSED);
    assert_ptr_equal(dt_targets_twin(&known, &p_addr), s); /* better than nobody */
    t = dt_targets_add(&known, 0, &t_addr);
    assert_false(dt_target_node(0, t, &c));
    assert_ptr_equal(dt_targets_twin(&known, &p_addr), t);
    s->next_probe = t->next_probe = DT_TIME_NEVER;
    dt_targets_hurry(&known, 7, p);
    assert_int_equal(s->next_probe, 7);
    assert_int_equal(t->next_probe, DT_TIME_NEVER); /* it lives */
}

/* A call waits, and the target dies unnoticed: known within 2.25 s. */
static void death_by_probes(void **unused)
{
    static const struct {
        unsigned at_ms;
        enum dt_target_act act;
    } rows[] = {
        {1000, DT_TARGET_PROBE}, {1500, DT_TARGET_PROBE}, {1750, DT_TARGET_PROBE},
        {2000, DT_TARGET_PROBE}, {2250, DT_TARGET_DIED},
    };
    struct dt_target *g = dt_targets_add(&known, 0, &p_addr);

    (void)unused;
    (void)dt_target_evidence(0, g, DT_EVIDENCE_RESPONSE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        dt_time at = rows[i].at_ms * DT_MS;
        assert_int_equal(dt_target_due(g, DT_NEED_CALL), at);
        assert_int_equal(dt_target_tick(&known, at - 1, g, DT_NEED_CALL, 0), DT_TARGET_WAIT);
        assert_int_equal(dt_target_tick(&known, at, g, DT_NEED_CALL, 0), rows[i].act);
    }
    assert_false(dt_targets_usable(&known, 0, &p_addr));
}

/* Dead by UDP is dead by TCP; another port is another process. */
static void dead_as_a_whole(void **unused)
{
    struct dt_target *g = dt_targets_add(&known, 0, &p_addr);
    struct dt_addr tcp = p_addr, port = p_addr;

    (void)unused;
    tcp.transport = DT_TCP;
    port.port++;
    (void)dt_target_evidence(0, g, DT_EVIDENCE_REFUSED);
    assert_true(dt_targets_usable(&known, 0, &tcp));
    (void)dt_target_evidence(0, g, DT_EVIDENCE_REFUSED);
    assert_false(dt_targets_usable(&known, 0, &tcp));
    assert_true(dt_targets_usable(&known, 0, &port));
}

/* R28: back only after K good probes. */
static void calm_return(void **unused)
{
    struct dt_target *g = dt_targets_add(&known, 0, &p_addr);
    dt_time at = 0;
    unsigned good = 0;

    (void)unused;
    assert_true(dt_targets_usable(&known, 0, &s_addr)); /* not known */
    (void)dt_target_evidence(0, g, DT_EVIDENCE_REFUSED);
    assert_true(dt_target_evidence(0, g, DT_EVIDENCE_REFUSED));
    (void)dt_target_evidence(1, g, DT_EVIDENCE_RESPONSE);
    while (!dt_targets_usable(&known, at, &p_addr)) {
        at = dt_target_due(g, DT_NEED_IDLE);
        assert_int_equal(dt_target_tick(&known, at, g, DT_NEED_IDLE, 500), DT_TARGET_PROBE);
        (void)dt_target_evidence(at + 1, g, DT_EVIDENCE_RESPONSE);
        good++;
    }
    assert_int_equal(good, DT_TARGET_GOOD_PROBES);
    assert_true(at > 60 * DT_SECOND && at < 90 * DT_SECOND);
}

/* R20: what is written is read again; what is not of its form changes nothing. */
static void over_a_restart(void **unused)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "udp",
                                      "udp:=",
                                      "udp:10.0.0.9:5060",
                                      "sctp:10.0.0.9:5060=c;node=1;boot=1",
                                      "udp:10.0.0.9:5060=c;node=1",
                                      "udp:10.0.0.9=c;node=1;boot=1",
                                      "udp:host:5060=c;node=1;boot=1",
                                      "=c;node=1;boot=1"};
    char text[512], again[512];
    struct dt_writer w = dt_writer(text, sizeof(text)), w2 = dt_writer(again, sizeof(again));
    struct dt_node_id p = {DT_STR("c"), DT_STR("p"), 7}, s = {DT_STR("c"), DT_STR("s"), 8};
    struct dt_addr stranger = {.ip = {10, 0, 0, 3}, .port = 5060, .family = 4};
    struct dt_str whole;
    (void)unused;
    p_addr.transport = s_addr.transport = DT_TCP;
    (void)dt_target_node(0, dt_targets_add(&known, 0, &p_addr), &p);
    (void)dt_targets_add(&known, 0, &stranger);
    (void)dt_target_node(0, dt_targets_add(&known, 0, &s_addr), &s);
    dt_targets_write(&known, &w);
    whole = dt_writer_str(&w);
    assert_true(dt_str_eq(
        whole, DT_STR("tcp:10.0.0.1:5060=c;node=p;boot=7 tcp:10.0.0.2:5060=c;node=s;boot=8")));

    known = (struct dt_targets){.t1 = 500 * DT_MS};
    dt_targets_read(&known, DT_SECOND, whole);
    assert_int_equal(known.n, 2);
    assert_ptr_equal(dt_targets_twin(&known, &p_addr), dt_targets_find(&known, &s_addr));
    assert_int_equal(known.list[0].health, DT_HEALTH_UNKNOWN);
    assert_int_equal(known.list[0].boot, 7);
    dt_targets_write(&known, &w2);
    assert_true(dt_str_eq(dt_writer_str(&w2), whole));
    p_addr.transport = s_addr.transport = DT_UDP;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        known = (struct dt_targets){.t1 = 500 * DT_MS};
        dt_targets_read(&known, 0, kit_guarded(0, dt_str_z(bad[i])));
        assert_int_equal(known.n, 0);
    }
    for (size_t cut = 0; cut <= whole.n; cut++) {
        known = (struct dt_targets){.t1 = 500 * DT_MS};
        dt_targets_read(&known, 0, kit_guarded(0, dt_str_sub(whole, 0, cut)));
        assert_true(known.n <= 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(node_ids, begin),
        cmocka_unit_test_setup(evidence, begin),
        cmocka_unit_test_setup(twins, begin),
        cmocka_unit_test_setup(death_by_probes, begin),
        cmocka_unit_test_setup(calm_return, begin),
        cmocka_unit_test_setup(dead_as_a_whole, begin),
        cmocka_unit_test_setup(over_a_restart, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
