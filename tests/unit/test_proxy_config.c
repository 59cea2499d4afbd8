/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "proxy/self.h"

struct fixture {
    struct dt_conf conf;
    struct dt_proxy_config cfg;
    struct dt_problem list[8];
    struct dt_problems problems;
};

static int read_conf(struct fixture *f, const char *text)
{
    *f = (struct fixture){.problems = {.cap = 8}};
    f->problems.list = f->list;
    assert_int_equal(dt_conf_init(&f->conf, &dt_alloc_libc, dt_proxy_options, dt_proxy_options_n,
                                  &f->cfg, &f->problems),
                     DT_OK);
    int err = dt_conf_read(&f->conf, DT_STR("p"), dt_str_z(text));
    return err ? err : dt_proxy_config_check(&f->cfg, &f->problems);
}

static void checks(void **state)
{
    static const struct {
        const char *text;
        const char *problem; /* NULL: good */
    } rows[] = {
        {"listen: udp:192.0.2.1:5060 tcp:192.0.2.1:5060\n", NULL},
        {"listen: udp:[2001:db8::1]\nname: sip.example.com\n", NULL},
        {"listen: udp:0.0.0.0:5060\ncluster_address: 192.0.2.1\n", NULL},
        {"listen: udp:0.0.0.0:5060\nname: sip.example.com\n", NULL},
        {"listen: udp:192.0.2.1:5060\nstore: memory:/tmp/x\npeer: 192.0.2.2\n", NULL},
        {"", "listen is not set"},
        {"listen: 192.0.2.1:5060\n", "listen is \"192.0.2.1:5060\""},
        {"listen: sctp:192.0.2.1:5060\n", "listen is \"sctp:"},
        {"listen: udp:host:5060\n", "listen is \"udp:host:5060\""},
        {"listen: udp:0.0.0.0:5060\n", "listen is a wildcard"},
        {"listen: udp:192.0.2.1\nstore: redis\n", "store is \"redis\""},
        {"listen: udp:192.0.2.1\nstore: memory:\n", "store is \"memory:\""},
        {"listen: udp:192.0.2.1\ntimer_t1: 4000\ntimer_t2: 1000\n", "timer_t2 is 1000"},
        {"listen: udp:192.0.2.1\nmin_expires: 3600\nmax_expires: 60\n", "max_expires is 60"},
        {"listen: udp:192.0.2.1\ndomain: \"a b\"\n", "domain is \"a b\""},
        {"listen: udp:192.0.2.1\ndomain: \"a;b\"\n", "domain is \"a;b\""},
        {"listen: udp:192.0.2.1\nname: a:5060\n", "p:2:7: name is \"a:5060\""},
        {"listen: udp:192.0.2.1\nname: 192.0.2.1:5060\n", "name is \"192.0.2.1:5060\""},
        {"listen: udp:192.0.2.1\ncluster_address: a:5060\n",
         "p:2:18: cluster_address is \"a:5060\""},
        {"listen: udp:192.0.2.1\npeer: bob\n", "peer is \"bob\""},
        {"listen: udp:192.0.2.1\ntimer_c: 180\n", "p:2:10: timer_c is \"180\""},
        {"listen: udp:192.0.2.1\nspeed: 9\n", "p:2:1: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        int err = read_conf(&f, rows[i].text);
        const char *got = f.problems.n ? f.list[0].text : "";
        if ((err == DT_OK) != !rows[i].problem ||
            (rows[i].problem && strncmp(got, rows[i].problem, strlen(rows[i].problem))))
            fail_msg("row %zu: %d \"%s\"", i, err, got);
        dt_conf_clear(&f.conf);
    }
}

/* R1: the same text on all nodes of the cluster, whatever each listens on. */
static void sent_by(void **state)
{
    static const struct {
        const char *conf, *udp, *tcp;
    } rows[] = {
        {"listen: udp:192.0.2.1:5060\n", "192.0.2.1:5060", "192.0.2.1:5060"},
        {"listen: udp:192.0.2.1 tcp:192.0.2.1:5080\n", "192.0.2.1:5060", "192.0.2.1:5080"},
        {"listen: udp:192.0.2.2:5060\ncluster_address: 192.0.2.1\n", "192.0.2.1:5060",
         "192.0.2.1:5060"},
        {"listen: udp:0.0.0.0:5060\ncluster_address: 192.0.2.1:5070\n", "192.0.2.1:5070",
         "192.0.2.1:5070"},
        {"listen: udp:[2001:db8::2]\ncluster_address: 2001:db8::1\n", "[2001:db8::1]:5060",
         "[2001:db8::1]:5060"},
        {"listen: udp:192.0.2.2\ncluster_address: 192.0.2.1\nname: sip.example.com\n",
         "sip.example.com:5060", "sip.example.com:5060"},
        {"listen: udp:192.0.2.2\ncluster_address: one.example.com\n", "one.example.com:5060",
         "one.example.com:5060"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct dt_self s;
        assert_int_equal(read_conf(&f, rows[i].conf), DT_OK);
        dt__self_init(&s, &f.cfg, 1, 2);
        kit_assert_str(dt__self_sent_by(&s, DT_UDP), rows[i].udp);
        kit_assert_str(dt__self_sent_by(&s, DT_TCP), rows[i].tcp);
        assert_true(dt__self_is_sent_by(&s, dt_str_z(rows[i].udp)));
        assert_false(dt__self_is_sent_by(&s, DT_STR("192.0.2.77:5060")));
        dt_conf_clear(&f.conf);
    }
}

/* R4: every name and address of the cluster is us. */
static void hosts_that_are_us(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
        bool us;
    } rows[] = {
        {"example.com", 0, true},   {"EXAMPLE.com", 5060, true},     {"example.com", 5070, false},
        {"alias.net", 0, true},     {"sip.example.com", 5060, true}, {"example.org", 0, false},
        {"192.0.2.1", 5060, true},  {"192.0.2.1", 0, true},          {"192.0.2.1", 5070, false},
        {"192.0.2.9", 5060, true},  {"192.0.2.8", 0, true},          {"192.0.2.8", 5060, true},
        {"192.0.2.8", 5061, false}, {"192.0.2.7", 5080, true},       {"192.0.2.7", 5060, false},
        {"192.0.2.50", 5060, true}, {"192.0.2.51", 5060, false},     {"", 0, false},
    };
    struct fixture f;
    struct dt_self s;
    struct dt_addr local;
    (void)state;
    assert_int_equal(read_conf(&f, "domain: example.com\nalias: alias.net\nname: sip.example.com\n"
                                   "listen: udp:192.0.2.1:5060\ncluster_address: 192.0.2.9\n"
                                   "peer: 192.0.2.8 192.0.2.7:5080\n"),
                     DT_OK);
    dt__self_init(&s, &f.cfg, 1, 2);
    dt_addr_parse(&local, DT_STR("192.0.2.50:5060"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (dt__self_is(&s, dt_str_z(rows[i].host), rows[i].port, &local) != rows[i].us)
            fail_msg("%s:%u", rows[i].host, rows[i].port);
    dt_conf_clear(&f.conf);
}

/* R1, R20: the cluster's name in Dualtone-Node is equal where key and sent-by are. */
static void who_is_a_twin(void **state)
{
    static const struct {
        uint64_t id; /* made from the key */
        const char *conf;
        bool twin;
    } rows[] = {
        {1, "listen: udp:192.0.2.2:5060\ncluster_address: 192.0.2.1\n", true},
        {2, "listen: udp:192.0.2.2:5060\ncluster_address: 192.0.2.1\n", false},
        {1, "listen: udp:192.0.2.2:5060\n", false},
        {1, "listen: udp:192.0.2.2:5070\ncluster_address: 192.0.2.1\n", false},
    };
    struct fixture f;
    struct dt_self first, s;
    (void)state;
    assert_int_equal(read_conf(&f, "listen: udp:192.0.2.1:5060\n"), DT_OK);
    dt__self_init(&first, &f.cfg, 1, 2);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture g;
        struct dt_str a = dt__self_node_line(&first), b;
        assert_int_equal(read_conf(&g, rows[i].conf), DT_OK);
        dt__self_init(&s, &g.cfg, rows[i].id, 2);
        b = dt__self_node_line(&s);
        a.n = dt_str_find(a, ';');
        b.n = dt_str_find(b, ';');
        assert_true(a.n > strlen("Dualtone-Node: "));
        if (dt_str_eq(a, b) != rows[i].twin)
            fail_msg("row %zu", i);
        dt_conf_clear(&g.conf);
    }
    dt_conf_clear(&f.conf);
}

static void ports_chosen_by_the_system(void **state)
{
    struct fixture f;
    struct dt_self s;
    struct dt_addr a;
    (void)state;
    assert_int_equal(read_conf(&f, "listen: udp:127.0.0.1:0 tcp:127.0.0.1:0\n"), DT_OK);
    dt__self_init(&s, &f.cfg, 1, 2);
    dt_addr_parse(&a, DT_STR("127.0.0.1:4000"));
    assert_false(dt__self_up(&s, &a));
    a.transport = DT_TCP;
    a.port = 4001;
    assert_true(dt__self_up(&s, &a));
    assert_false(dt__self_up(&s, &a)); /* no news */
    kit_assert_str(dt__self_sent_by(&s, DT_UDP), "127.0.0.1:4000");
    kit_assert_str(dt__self_sent_by(&s, DT_TCP), "127.0.0.1:4001");
    dt_conf_clear(&f.conf);
}

static void addresses_never_sent_to(void **state)
{
    static const struct {
        const char *addr;
        bool forbidden;
    } rows[] = {{"192.0.2.1:5060", false},     {"192.0.2.1", true},
                {"0.0.0.0:5060", true},        {"0.1.2.3:5060", true},
                {"224.0.1.75:5060", true},     {"255.255.255.255:5060", true},
                {"[::]:5060", true},           {"[ff02::1]:5060", true},
                {"[2001:db8::1]:5060", false}, {"127.0.0.1:1", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dt_addr a;
        assert_int_equal(dt_addr_parse(&a, dt_str_z(rows[i].addr)), DT_OK);
        if (dt__addr_forbidden(&a) != rows[i].forbidden)
            fail_msg("%s", rows[i].addr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks),
        cmocka_unit_test(sent_by),
        cmocka_unit_test(hosts_that_are_us),
        cmocka_unit_test(who_is_a_twin),
        cmocka_unit_test(ports_chosen_by_the_system),
        cmocka_unit_test(addresses_never_sent_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
