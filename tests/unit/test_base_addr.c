/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <string.h>

#include "dualtone/node.h"

static const struct {
    const char *text, *want; /* NULL: malformed */
} vectors[] = {
    {"192.0.2.1", "192.0.2.1:0"},
    {"192.0.2.1:5060", "192.0.2.1:5060"},
    {"0.0.0.0:0", "0.0.0.0:0"},
    {"255.255.255.255:65535", "255.255.255.255:65535"},
    {"[2001:db8::1]:5060", "[2001:db8::1]:5060"},
    {"[2001:DB8::1]", "[2001:db8::1]:0"},
    {"2001:db8::1", "[2001:db8::1]:0"},
    {"::", "[::]:0"},
    {"::1", "[::1]:0"},
    {"1::", "[1::]:0"},
    {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:0"},
    {"1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:0"},
    {"::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]:0"},
    {"1:0:0:2:0:0:0:3", "[1:0:0:2::3]:0"},
    {"1:0:0:2:3:0:0:4", "[1::2:3:0:0:4]:0"},
    {"0001:00a:0bc:def:0:0:0:0", "[1:a:bc:def::]:0"},
    {"::ffff:192.0.2.1", "[::ffff:192.0.2.1]:0"},
    {"64:ff9b::192.0.2.33", "[64:ff9b::c000:221]:0"},
    {"1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]:0"},
    {"", NULL},
    {"1.2.3", NULL},
    {"1.2.3.", NULL},
    {"1.2.3.4.5", NULL},
    {"1.2.3.256", NULL},
    {"1.2.3.04", NULL},
    {"1.2.3.4:", NULL},
    {"1.2.3.4:65536", NULL},
    {"1.2.3.4:5060x", NULL},
    {" 1.2.3.4", NULL},
    {"1.2.3.4 ", NULL},
    {"[1.2.3.4]", NULL},
    {"host", NULL},
    {"[::1", NULL},
    {"::1]", NULL},
    {"[::1]5060", NULL},
    {"[::1]:", NULL},
    {"[]", NULL},
    {"[]:5060", NULL},
    {":", NULL},
    {":::", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1:2:3:4:5:6:7:8::", NULL},
    {"1::2::3", NULL},
    {"12345::", NULL},
    {"1:", NULL},
    {":1:2", NULL},
    {"::1:", NULL},
    {"::g", NULL},
    {"fe80::1%eth0", NULL},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL},
    {"::1.2.3", NULL},
    {"::1.2.3.4:5", NULL},
};

static void addresses_parse_and_print(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct dt_str text = dt_str_z(vectors[i].text);
        struct dt_addr a, again;
        char buf[DT_ADDR_TEXT_MAX];
        memset(&a, 0xee, sizeof a);
        for (size_t n = 0; n < text.n; n++)
            dt_addr_parse(&again, kit_guarded(0, dt_str_sub(text, 0, n)));
        int err = dt_addr_parse(&a, kit_guarded(0, text));
        if (!vectors[i].want) {
            if (err != DT_E_SYNTAX)
                fail_msg("\"%s\" was taken", vectors[i].text);
            assert_int_equal(a.family, 0xee); /* left alone */
            continue;
        }
        if (err)
            fail_msg("\"%s\" was not taken", vectors[i].text);
        assert_string_equal(dt_addr_text(&a, buf), vectors[i].want);
        assert_int_equal(a.transport, DT_UDP);
        assert_int_equal(dt_addr_parse(&again, dt_str_z(buf)), DT_OK);
        assert_memory_equal(&a, &again, sizeof a);
    }
}

static void addresses_print_without_port(void **state)
{
    (void)state;
    struct dt_addr a = {.family = 6, .ip = {[15] = 1}}, none = {0};
    char buf[64];
    struct dt_writer w = dt_writer(buf, sizeof buf);
    dt_addr_write_ip(&w, &a, true);
    dt_addr_write_ip(&w, &a, false);
    dt_write_char(&w, ' ');
    dt_addr_write(&w, &none);
    kit_assert_str(dt_writer_str(&w), "[::1]::1 none");
    memset(a.ip, 0xff, sizeof a.ip);
    a.port = 65535;
    assert_string_equal(dt_addr_text(&a, buf), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void addresses_compare(void **state)
{
    (void)state;
    struct dt_addr a, b;
    assert_int_equal(dt_addr_parse(&a, DT_STR("192.0.2.1:5060")), DT_OK);
    b = a;
    assert_true(dt_addr_eq(&a, &b));
    b.transport = DT_TCP;
    assert_false(dt_addr_eq(&a, &b));
    assert_true(dt_addr_ip_eq(&a, &b));
    b = a;
    b.port++;
    assert_false(dt_addr_eq(&a, &b));
    b = a;
    b.ip[3]++;
    assert_false(dt_addr_ip_eq(&a, &b));
    b = a;
    b.family = 6;
    assert_false(dt_addr_eq(&a, &b));
}

static void any_address_is_known(void **state)
{
    (void)state;
    struct dt_addr a = {0};
    assert_false(dt_addr_is_any(&a));
    assert_int_equal(dt_addr_parse(&a, DT_STR("0.0.0.0:5060")), DT_OK);
    assert_true(dt_addr_is_any(&a));
    assert_int_equal(dt_addr_parse(&a, DT_STR("::")), DT_OK);
    assert_true(dt_addr_is_any(&a));
    assert_int_equal(dt_addr_parse(&a, DT_STR("::1")), DT_OK);
    assert_false(dt_addr_is_any(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_parse_and_print),
        cmocka_unit_test(addresses_print_without_port),
        cmocka_unit_test(addresses_compare),
        cmocka_unit_test(any_address_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
