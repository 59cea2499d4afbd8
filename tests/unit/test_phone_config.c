/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The guide's parameters: guide/configuration.md, row by row. */
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "phone/phone.h"

struct bench {
    struct kit_alloc k;
    struct dt_conf conf;
    struct dt_phone_config cfg;
    struct dt_problem list[8];
    struct dt_problems problems;
};

static int setup(struct bench *b, size_t fail_at)
{
    memset(b, 0, sizeof *b);
    memset(&b->cfg, 0xee, sizeof b->cfg);
    b->problems = (struct dt_problems){.list = b->list, .cap = 8};
    kit_alloc_init(&b->k);
    b->k.fail_at = fail_at;
    int err = dt_conf_init(&b->conf, &b->k.alloc, dt_phone_options, dt_phone_options_n, &b->cfg,
                           &b->problems);
    b->conf.guide_comments = true;
    return err;
}

static int read_text(struct bench *b, const char *file, const char *text)
{
    return dt_conf_read(&b->conf, dt_str_z(file), dt_str_z(text));
}

static void teardown(struct bench *b)
{
    dt_conf_clear(&b->conf);
    assert_int_equal(b->k.live, 0);
}

/* ---- every parameter ---- */

/* guide/configuration.md 3 and 4: name, default, is it used, a value that is good, one that is bad
 * (NULL: any text is good) and what the message says is allowed. */
struct parameter {
    const char *name, *preset;
    bool used;
    const char *good, *bad, *allowed;
};

#define PORT "a number between 1 and 65535"
#define FOUR_WAY "a number between 0 and 3"
#define SWITCH "1 or 0 (also on or off, yes or no, true or false)"
#define HOST "an IP address, an IP address and port, or a host name"
static const struct parameter parameters[] = {
    /* 3.1 */
    {"proxy1_address", "", true, "192.0.2.10", "192.0.2.256", HOST},
    {"proxy6_address", "", true, "sip.example.com", "-x", HOST},
    {"proxy1_port", "5060", true, "65535", "65536", PORT},
    {"proxy6_port", "5060", true, "1", "0", PORT},
    {"proxy_backup", "", true, "192.0.2.20", "1.2.3", HOST},
    {"proxy_backup_port", "5060", true, "5062", "sip", PORT},
    {"proxy_emergency", "", false, "192.0.2.30", "a b", HOST},
    {"proxy_emergency_port", "5060", false, "5060", "-1", PORT},
    {"outbound_proxy", "", true, "edge.example.com", "a..b", HOST},
    {"outbound_proxy_port", "5060", true, "5060", "99999", PORT},
    {"proxy_register", "0", true, "1", "2", SWITCH},
    {"timer_register_expires", "3600", true, "3932100", "3932101", "seconds between 1 and 3932100"},
    {"timer_register_delta", "5", true, "0", "3601", "seconds between 0 and 3600"},
    {"user_info", "none", true, "phone", "fax", "none, phone or ip"},
    {"remote_party_id", "0", false, "1", "x", SWITCH},
    /* 3.2 */
    {"timer_t1", "500", true, "10", "9", "milliseconds between 10 and 5000"},
    {"timer_t1", "500", true, "5000", "5001", "milliseconds between 10 and 5000"},
    {"timer_t1", "500", true, "50", "5s", "milliseconds between 10 and 5000"},
    {"timer_t2", "4000", true, "60000", "60001", "milliseconds between 11 and 60000"},
    {"timer_invite_expires", "180", true, "1", "0", "seconds between 1 and 3600"},
    {"sip_invite_retx", "6", true, "20", "21", "retransmissions between 1 and 20"},
    {"sip_retx", "10", true, "1", "0", "retransmissions between 1 and 40"},
    /* 3.3 */
    {"preferred_codec", "g711ulaw", true, "g711alaw", "opus",
     "g711ulaw, g711alaw, g729a, g729 or none"},
    {"tos_media", "5", false, "0", "6", "a number between 0 and 5"},
    {"enable_vad", "0", false, "1", "2", SWITCH},
    {"start_media_port", "16384", true, "20000", "16383", "a number between 16384 and 32766"},
    {"end_media_port", "32766", true, "16384", "32767", "a number between 16384 and 32766"},
    {"dtmf_inband", "1", false, "0", "no way", SWITCH},
    {"dtmf_db_level", "3", false, "5", "6", "a number between 1 and 5"},
    {"dtmf_outofband", "avt", false, "avt_always", "always", "none, avt or avt_always"},
    {"dtmf_avt_payload", "101", false, "127", "95", "a number between 96 and 255"},
    {"call_stats", "0", false, "1", "yep", SWITCH},
    /* 3.4 */
    {"voip_control_port", "5060", true, "5070", "0", PORT},
    {"nat_enable", "0", false, "1", "2", SWITCH},
    {"nat_address", "", false, "192.0.2.1", "192.0.2", HOST},
    {"nat_received_processing", "0", false, "1", "2", SWITCH},
    /* 3.5 */
    {"dnd_control", "0", true, "3", "4", FOUR_WAY},
    {"callerid_blocking", "0", true, "1", "-1", FOUR_WAY},
    {"anonymous_call_block", "0", true, "2", "4", FOUR_WAY},
    {"call_waiting", "1", true, "0", "on", FOUR_WAY},
    {"call_hold_ringback", "0", false, "1", "4", FOUR_WAY},
    {"stutter_msg_waiting", "0", false, "1", "2", SWITCH},
    {"cnf_join_enable", "1", false, "0", "2", SWITCH},
    {"semi_attended_transfer", "1", false, "0", "2", SWITCH},
    {"transfer_onhook_enabled", "0", false, "1", "2", SWITCH},
    {"auto_answer", "0", false, "63", "64", "a number between 0 and 63"},
    {"autocomplete", "1", false, "0", "2", SWITCH},
    {"local_cfwd_enable", "1", false, "0", "2", SWITCH},
    {"cfwd_url", "", false, "sip:1003@example.com", NULL, NULL},
    {"rfc_2543_hold", "0", true, "1", "2", SWITCH},
    {"messages_uri", "", false, "8000", NULL, NULL},
    {"speed_line1", "", false, "1001", NULL, NULL},
    {"speed_line5", "", false, "1001", NULL, NULL},
    {"speed_label5", "", false, "Bob", NULL, NULL},
    /* 3.6 */
    {"line1_name", "", true, "1001", NULL, NULL},
    {"line6_name", "", true, "1006", NULL, NULL},
    {"line1_shortname", "", true, "A", NULL, NULL},
    {"line1_authname", "", true, "1001", NULL, NULL},
    {"line1_password", "", true, "secret", NULL, NULL},
    {"line1_displayname", "", true, "User A", NULL, NULL},
    {"line6_contact", "", false, "sip:1@h", NULL, NULL},
    {"phone_label", "", true, "User A", NULL, NULL},
    {"phone_prompt", "SIP Phone", false, "p", NULL, NULL},
    {"phone_password", "cisco", false, "p", NULL, NULL},
    /* 3.7 */
    {"sntp_server", "", false, "0.0.0.0", "0.0.0", HOST},
    {"sntp_mode", "directedbroadcast", false, "anycast", "never",
     "unicast, multicast, anycast or directedbroadcast"},
    {"time_zone", "", false, "EST", NULL, NULL},
    {"time_format_24hr", "1", false, "0", "2", SWITCH},
    {"date_format", "M/D/Y", false, "D-M-YY", NULL, NULL},
    {"dst_auto_adjust", "1", false, "0", "2", SWITCH},
    {"dst_offset", "1", false, "2", NULL, NULL},
    {"dst_start_month", "April", false, "March", NULL, NULL},
    {"dst_stop_month", "October", false, "March", NULL, NULL},
    {"dst_start_time", "02:00", false, "02/00", NULL, NULL},
    {"dst_stop_time", "02:00", false, "14:30", NULL, NULL},
    {"dst_start_day", "", false, "31", "32", "a number between 0 and 31"},
    {"dst_stop_day", "", false, "0", "32", "a number between 0 and 31"},
    {"dst_start_day_of_week", "Sun", false, "Sunday", NULL, NULL},
    {"dst_stop_day_of_week", "Sun", false, "1", NULL, NULL},
    {"dst_start_week_of_month", "1", false, "8", "9", "a number between 1 and 8"},
    {"dst_stop_week_of_month", "8", false, "1", "0", "a number between 1 and 8"},
    /* 3.8 */
    {"image_version", "", false, "P0S3-07-4-00", NULL, NULL},
    {"tftp_cfg_dir", "", false, "phones", NULL, NULL},
    {"dial_template", "dialplan", false, "d", NULL, NULL},
    {"sync", "1", false, "2", NULL, NULL},
    {"telnet_level", "0", false, "2", "3", "a number between 0 and 2"},
    {"dyn_dns_addr_1", "", true, "192.0.2.1", "1.2", HOST},
    {"dyn_dns_addr_2", "", true, "192.0.2.1", "1.2", HOST},
    {"dyn_tftp_addr", "", false, "192.0.2.1", "1.2", HOST},
    {"http_proxy_addr", "", false, "192.0.2.1", "1.2", HOST},
    {"http_proxy_port", "80", false, "8080", "0", PORT},
    {"services_url", "", false, "http://h/", NULL, NULL},
    {"directory_url", "", false, "http://h/", NULL, NULL},
    {"logo_url", "", false, "http://h/", NULL, NULL},
    {"language", "", false, "en", NULL, NULL},
    {"network_media_type", "Auto", false, "Full100", NULL, NULL},
    {"network_port2_type", "Hub/Switch", false, "PC", NULL, NULL},
    {"Domain_Name", "", false, "example.com", NULL, NULL},
    /* ours */
    {"proxy_register_backup", "0", true, "1", "2", SWITCH},
    {"proxy_failover", "guide", true, "fast", "slow", "guide or fast"},
    {"sip_tcp", "0", true, "1", "2", SWITCH},
    {"proxy_transport", "auto", true, "tcp", "tls", "auto, udp or tcp"},
    {"line_domain", "", true, "example.com", "exa mple", HOST},
};
enum { N_PARAMETERS = sizeof parameters / sizeof parameters[0] };

static const struct dt_option *row_of(const char *name)
{
    const struct dt_option *o =
        dt_conf_find(dt_phone_options, dt_phone_options_n, dt_str_z(name), NULL);
    if (!o)
        fail_msg("there is no row for %s", name);
    return o;
}

static void test_every_parameter_has_its_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        const struct dt_option *o = row_of(parameters[i].name);
        kit_assert_str(dt_str_z(o->preset), parameters[i].preset);
        assert_int_equal(dt_phone_option_used(o), parameters[i].used);
        assert_true(dt_str_z(o->help).n > 0);
        assert_true(dt_str_z(o->source).n > 0);
    }
}

/* The other way round: no row that the table above does not know. */
static void test_every_row_is_in_the_guide(void **state)
{
    (void)state;
    for (size_t i = 0; i < dt_phone_options_n; i++) {
        bool found = false;
        for (size_t k = 0; k < N_PARAMETERS; k++)
            found = found || row_of(parameters[k].name) == &dt_phone_options[i];
        if (!found)
            fail_msg("%s is not tested", dt_phone_options[i].name);
    }
}

static void test_good_values_are_taken(void **state)
{
    struct bench b;
    char text[200];
    (void)state;
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        assert_int_equal(setup(&b, 0), DT_OK);
        snprintf(text, sizeof text, "%s: %s\n%s: \"%s\"", parameters[i].name, parameters[i].good,
                 parameters[i].name, parameters[i].good);
        if (read_text(&b, "f", text) || b.problems.n)
            fail_msg("%s: %s", text, b.list[0].text);
        teardown(&b);
    }
}

static void test_bad_values_say_where_and_what(void **state)
{
    struct bench b;
    char text[200], want[300];
    (void)state;
    for (size_t i = 0; i < N_PARAMETERS; i++) {
        const struct parameter *p = &parameters[i];
        if (!p->bad)
            continue;
        assert_int_equal(setup(&b, 0), DT_OK);
        snprintf(text, sizeof text, "# a comment\n  %s :  %s ; why\n", p->name, p->bad);
        assert_int_equal(read_text(&b, "SIPDefault.cnf", text), DT_E_SYNTAX);
        assert_int_equal(b.problems.fatal, 1);
        snprintf(want, sizeof want, "SIPDefault.cnf:2:%zu: %s is \"%s\"; use %s",
                 strlen(p->name) + 7, p->name, p->bad, p->allowed);
        assert_string_equal(b.list[0].text, want);
        teardown(&b);
    }
}

static void test_defaults_reach_the_fields(void **state)
{
    struct bench b;
    (void)state;
    assert_int_equal(setup(&b, 0), DT_OK);
    const struct {
        int64_t got, want;
    } fields[] = {
        {b.cfg.sip_invite_retx, 6},
        {b.cfg.sip_retx, 10},
        {b.cfg.timer_t1, 500},
        {b.cfg.timer_t2, 4000},
        {b.cfg.timer_invite_expires, 180},
        {b.cfg.timer_register_expires, 3600},
        {b.cfg.timer_register_delta, 5},
        {b.cfg.lines[0].proxy_port, 5060},
        {b.cfg.lines[5].proxy_port, 5060},
        {b.cfg.proxy_backup_port, 5060},
        {b.cfg.proxy_emergency_port, 5060},
        {b.cfg.outbound_proxy_port, 5060},
        {b.cfg.voip_control_port, 5060},
        {b.cfg.start_media_port, 16384},
        {b.cfg.end_media_port, 32766},
        {b.cfg.tos_media, 5},
        {b.cfg.preferred_codec, 0},
        {b.cfg.call_waiting, 1},
        {b.cfg.dnd_control, 0},
        {b.cfg.callerid_blocking, 0},
        {b.cfg.anonymous_call_block, 0},
        {b.cfg.proxy_register, 0},
        {b.cfg.proxy_register_backup, 0},
        {b.cfg.proxy_failover, DT_REACH_GUIDE},
        {b.cfg.rfc_2543_hold, 0},
        {b.cfg.sip_tcp, 0},
        {b.cfg.user_info, 0},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        assert_int_equal(fields[i].got, fields[i].want);
    assert_int_equal(b.cfg.lines[5].name.n, 0);
    teardown(&b);
}

/* ---- files ---- */

/* guide/configuration.md 5, and what the firmware's and CME's files look like. */
static const char default_file[] = "# SIPDefault.cnf\n"
                                   "proxy1_address: 192.0.2.10      ; primary\n"
                                   "proxy1_port: 5060\n"
                                   "proxy_backup: 192.0.2.20\n"
                                   "proxy_backup_port: 5060\n"
                                   "proxy_emergency: 192.0.2.30\n"
                                   "proxy_emergency_port: 5060\n"
                                   "proxy_register: 1\n"
                                   "sip_invite_retx: 6              ; seven tries\n"
                                   "timer_t1: 500\n"
                                   "dial_template: dialplan\n";
static const char phone_file[] = "# SIP001122334455.cnf\r\n"
                                 "line1_name: 5551212\r\n"
                                 "line1_authname: \"5551212\"\r\n"
                                 "line1_password: \"secret\"\r\n"
                                 "line1_displayname: \"User A\"\r\n"
                                 "line2_name : UNPROVISIONED;\r\n"
                                 "timer_t1: 250;\r\n"
                                 "telnet_lvl: 2 ; a name of no release\r\n"
                                 "phone_label: \"User A\"\r\n";

static void test_guide_files(void **state)
{
    struct bench b;
    (void)state;
    assert_int_equal(setup(&b, 0), DT_OK);
    assert_int_equal(read_text(&b, "SIPDefault.cnf", default_file), DT_OK);
    assert_int_equal(b.problems.n, 0);
    assert_int_equal(read_text(&b, "SIP001122334455.cnf", phone_file), DT_OK);
    assert_int_equal(b.problems.n, 1);
    assert_int_equal(b.problems.fatal, 0);
    assert_string_equal(
        b.list[0].text,
        "SIP001122334455.cnf:8:1: there is no \"telnet_lvl\"; did you mean \"telnet_level\"?");
    assert_int_equal(dt_phone_config_check(&b.cfg, &b.problems), DT_OK);
    kit_assert_str(b.cfg.lines[0].proxy, "192.0.2.10");
    kit_assert_str(b.cfg.proxy_backup, "192.0.2.20");
    kit_assert_str(b.cfg.lines[0].name, "5551212");
    kit_assert_str(b.cfg.lines[0].displayname, "User A");
    assert_int_equal(b.cfg.proxy_register, 1);
    assert_int_equal(b.cfg.timer_t1, 250); /* the phone's file over the default file */
    teardown(&b);
}

static void test_unused_parameters_are_told(void **state)
{
    struct bench b;
    (void)state;
    assert_int_equal(setup(&b, 0), DT_OK);
    dt_phone_config_unused(DT_STR("SIPDefault.cnf"), dt_str_z(default_file), &b.problems);
    assert_int_equal(b.problems.n, 3);
    assert_int_equal(b.problems.fatal, 0);
    assert_string_equal(b.list[0].text,
                        "SIPDefault.cnf:6:1: proxy_emergency is known, not yet used");
    assert_string_equal(b.list[2].text,
                        "SIPDefault.cnf:11:1: dial_template is known, not yet used");
    b.problems.n = 0;
    dt_phone_config_unused(DT_STR("f"), DT_STR("sync"), &b.problems);
    dt_phone_config_unused(DT_STR("f"), DT_STR("# sync: 1\n:\n\ntimer_t1: 5"), &b.problems);
    assert_int_equal(b.problems.n, 0);
    for (size_t n = 0; n <= sizeof default_file - 1; n++)
        dt_phone_config_unused(DT_STR("f"), kit_guarded(0, (struct dt_str){default_file, n}),
                               &b.problems);
    teardown(&b);
}

/* ---- what rows cannot say ---- */

static void test_checks(void **state)
{
    static const struct {
        const char *text;
        bool fatal;
        const char *message;
    } cases[] = {
        {"line3_name: 1001", false, NULL},
        {"", true, "configuration: no line has a name; set line1_name to its number"},
        {"line1_name: UNPROVISIONED", true,
         "configuration: no line has a name; set line1_name to its number"},
        {"line1_name: 1\nproxy_register: 1", true,
         "configuration: proxy_register is 1, but there is nowhere to register; set "
         "proxy1_address"},
        {"line1_name: 1\nproxy_register: 1\nproxy2_address: h", true,
         "configuration: proxy_register is 1, but there is nowhere to register; set "
         "proxy1_address"},
        {"line2_name: 1\nproxy_register: 1\nproxy2_address: h", false, NULL},
        {"line1_name: 1\nproxy_register: 1\noutbound_proxy: h", false, NULL},
        {"line1_name: 1\nproxy_register_backup: 1", true,
         "configuration: proxy_register_backup is 1, but there is no backup; set proxy_backup"},
        {"line1_name: 1\ntimer_t1: 4000", true,
         "configuration: timer_t2 is not above timer_t1; raise timer_t2"},
        {"line1_name: 1\nstart_media_port: 20001\nend_media_port: 20002", true,
         "configuration: start_media_port to end_media_port holds no even port with the next one; "
         "raise end_media_port"},
        {"line1_name: 1\nstart_media_port: 20001\nend_media_port: 20003", false, NULL},
        {"line1_name: 1\npreferred_codec: g729a", false,
         "configuration: preferred_codec is g729a, which is not built in; g711ulaw comes first"},
    };
    struct bench b;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(setup(&b, 0), DT_OK);
        assert_int_equal(read_text(&b, "f", cases[i].text), DT_OK);
        assert_int_equal(dt_phone_config_check(&b.cfg, &b.problems),
                         cases[i].fatal ? DT_E_SYNTAX : DT_OK);
        assert_int_equal(b.problems.n, cases[i].message != NULL);
        if (cases[i].message)
            assert_string_equal(b.list[0].text, cases[i].message);
        teardown(&b);
    }
}

static void test_without_memory(void **state)
{
    struct bench b;
    bool whole = false;
    (void)state;
    for (size_t n = 1; !whole; n++) {
        int err = setup(&b, n);
        if (!err)
            err = read_text(&b, "f", default_file);
        if (!err)
            err = read_text(&b, "f", phone_file);
        whole = b.k.calls < n;
        assert_int_equal(err, whole ? DT_OK : DT_E_NOMEM);
        teardown(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_parameter_has_its_default),
        cmocka_unit_test(test_every_row_is_in_the_guide),
        cmocka_unit_test(test_good_values_are_taken),
        cmocka_unit_test(test_bad_values_say_where_and_what),
        cmocka_unit_test(test_defaults_reach_the_fields),
        cmocka_unit_test(test_guide_files),
        cmocka_unit_test(test_unused_parameters_are_told),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
