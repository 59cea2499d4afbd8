/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Registrations against a scripted registrar. */
#include "ua_kit.h"

#include <stdio.h>
#include <string.h>

static struct net net;
static struct net_party *a, *r;

/* What the registrar answers, one after the other; the last one again and again. A status of 0 is
 * silence. `extra` may hold %s for A's Contact. */
static const struct step {
    int status;
    const char *extra;
} * steps;
static struct dt_sip_msg *kept;

static void registrar(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                      struct net_party *from)
{
    const struct step *s = steps;
    char extra[300];

    if (!m->request || m->method != DT_REGISTER)
        return;
    dt_sip_msg_drop(kept);
    kept = dt_sip_msg_keep(&dt_alloc_libc, m);
    if (s->status == 0)
        return;
    if (s[1].status)
        steps++;
    self->got++;
    snprintf(extra, sizeof(extra), "%s", s->extra ? s->extra : "");
    net_respond(n, self, from, m, s->status, "r", extra, NULL);
}

static void start(const struct step *script, uint32_t expires, uint32_t delta)
{
    struct dt_registration cfg = {.identity = {.user = DT_STR("1001"),
                                               .domain = DT_STR("example.com"),
                                               .credentials = {DT_STR("1001"), DT_STR("pw")}},
                                  .registrar = {.host = DT_STR("192.0.2.2"), .port = 5060},
                                  .expires = expires,
                                  .delta = delta,
                                  .user_param = DT_STR("phone")};

    net_init(&net);
    a = net_ua(&net, "A", NULL);
    r = net_script(&net, "R", registrar);
    steps = script;
    assert_int_equal(dt_ua_register(a->ua, net.now, &cfg, &a->reg), DT_OK);
    net_settle(&net);
}

static void take_back(void)
{
    assert_int_equal(dt_ua_unregister(a->ua, net.now, a->reg), DT_OK);
    net_settle(&net);
}

static void stop(void)
{
    struct dt_ua_counts c;

    net_quiet_end(&net);
    dt_ua_count(a->ua, &c);
    assert_int_equal(c.registrations, 0);
    net_free(&net);
    dt_sip_msg_drop(kept);
    kept = NULL;
}

#define CHALLENGE "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n"

/* RFC 3665 2.1: 401, again with credentials, 200; refreshed 5 s early, with the same nonce. */
static void ordinary(void **state)
{
    static const struct step script[] = {{401, CHALLENGE}, {200, "Expires: 3600\r\n"}, {0, NULL}};
    struct dt_auth auth;
    struct dt_name_addr contact;
    struct dt_sip_msg *first;

    (void)state;
    start(script, 3600, 5);
    net_until(&net, 3594999);
    net_flow(&net, "0 A > R REGISTER 1\n"
                   "0 R > A 401 REGISTER\n"
                   "0 A > R REGISTER 2\n"
                   "0 R > A 200 REGISTER\n"
                   "0 A registered 200 3600\n");
    first = kept;
    kept = NULL;
    kit_assert_str(first->uri_text, "sip:example.com");
    assert_int_equal(dt_sip_name_addr(&contact, dt_sip_get(first, DT_H_CONTACT)), DT_OK);
    kit_assert_str(contact.uri.text, "sip:1001@192.0.2.1:5060;user=phone");
    net_until(&net, 3595001);
    net_flow(&net, "3595000 A > R REGISTER 3\n"
                   "3595000 R > A 200 REGISTER\n"
                   "3595000 A registered 200 3600\n");
    assert_true(dt_str_eq(first->call_id, kept->call_id)); /* 10.2 */
    assert_true(dt_str_eq(first->from.tag, kept->from.tag));
    assert_int_equal(dt_auth_parse(&auth, dt_sip_get(kept, DT_H_AUTHORIZATION)), DT_OK);
    kit_assert_str(auth.nc, "00000002");
    dt_sip_msg_drop(first);
    take_back();
    kit_assert_str(dt_sip_get(kept, DT_H_EXPIRES), "0");
    net_flow(&net, "3595001 A > R REGISTER 4\n"
                   "3595001 R > A 200 REGISTER\n"
                   "3595001 A not registered 200 0\n");
    stop();
}

/* What is granted counts, by our Contact first; a floor of a minute, half of what is less. */
static void refresh_times(void **state)
{
    static const struct {
        const char *extra;
        uint32_t delta;
        int64_t refresh; /* ms */
    } rows[] = {
        {"Expires: 120\r\n", 5, 115000},
        {"Expires: 62\r\n", 5, 60000},
        {"Expires: 60\r\n", 5, 30000},
        {"Expires: 10\r\n", 5, 5000},
        {"Expires: 100\r\n", 500, 60000},
        {"", 5, 3595000}, /* not said: what was asked */
        {"Contact: <sip:other@192.0.2.7>;expires=90, <sip:1001@192.0.2.1:5060>;expires=200\r\n"
         "Expires: 70\r\n",
         5, 195000},
        /* another phone behind our address, our number on another phone, another user of ours */
        {"Contact: <sip:1001@192.0.2.1:5062>;expires=90, <sip:1001@192.0.2.1:5060>;expires=200\r\n",
         5, 195000},
        {"Contact: <sip:1001@192.0.2.7:5060>;expires=90, <sip:1001@192.0.2.1:5060>;expires=200\r\n",
         5, 195000},
        {"Contact: <sip:1002@192.0.2.1:5060>;expires=90, <sip:1001@192.0.2.1:5060>;expires=200\r\n",
         5, 195000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct step script[] = {{200, rows[i].extra}, {0, NULL}};
        start(script, 3600, rows[i].delta);
        net_until(&net, rows[i].refresh - 1);
        assert_int_equal(r->got, 1);
        net_until(&net, rows[i].refresh);
        assert_int_equal(r->got, 2);
        take_back();
        stop();
    }
}

/* 423: asked again for what it wants (10.2.8). */
static void interval_too_brief(void **state)
{
    static const struct step script[] = {
        {423, "Min-Expires: 1800\r\n"}, {200, "Expires: 1800\r\n"}, {0, NULL}};

    (void)state;
    start(script, 60, 5);
    net_until(&net, 1);
    kit_assert_str(dt_sip_get(kept, DT_H_EXPIRES), "1800");
    net_flow(&net, "0 A > R REGISTER 1\n"
                   "0 R > A 423 REGISTER\n"
                   "0 A > R REGISTER 2\n"
                   "0 R > A 200 REGISTER\n"
                   "0 A registered 200 1800\n");
    take_back();
    stop();
}

/* 503: not before Retry-After. */
static void busy_registrar(void **state)
{
    static const struct step script[] = {
        {503, "Retry-After: 20\r\n"}, {200, "Expires: 600\r\n"}, {0, NULL}};

    (void)state;
    start(script, 600, 5);
    net_until(&net, 21000);
    net_flow(&net, "0 A > R REGISTER 1\n"
                   "0 R > A 503 REGISTER\n"
                   "0 A not registered 503 0\n"
                   "20000 A > R REGISTER 2\n"
                   "20000 R > A 200 REGISTER\n"
                   "20000 A registered 200 600\n");
    take_back();
    stop();
}

/* Silence: eleven sends (I4), then again after 30 to 60 s, then 60 to 120 s, ... at most 5 min. */
static void silence(void **state)
{
    static const struct step script[] = {{0, NULL}, {0, NULL}};
    static const int64_t least[] = {30000, 60000, 120000, 150000, 150000};
    static const int64_t most[] = {60000, 120000, 240000, 300000, 300000};
    int64_t at = 0;

    (void)state;
    start(script, 600, 5);
    net_until(&net, 32001);
    net_flow(&net, "0 A > R REGISTER 1\n"
                   "500 A > R REGISTER 1\n"
                   "1500 A > R REGISTER 1\n"
                   "3500 A > R REGISTER 1\n"
                   "7500 A > R REGISTER 1\n"
                   "11500 A > R REGISTER 1\n"
                   "15500 A > R REGISTER 1\n"
                   "19500 A > R REGISTER 1\n"
                   "23500 A > R REGISTER 1\n"
                   "27500 A > R REGISTER 1\n"
                   "31500 A > R REGISTER 1\n"
                   "32000 A not registered 0 no answer in time 0\n");
    at = 32000;
    net.quiet = true;
    for (size_t i = 0; i < 5; i++) {
        dt_sip_msg_drop(kept);
        kept = NULL;
        net_until(&net, at + least[i] - 1);
        assert_null(kept);
        while (!kept && net.now < (at + most[i] + 1) * DT_MS)
            net_until(&net, net.now / DT_MS + 100);
        assert_non_null(kept);
        at = net.now / DT_MS + 32000;
        net_until(&net, at);
        at -= 100; /* it was sent up to 100 ms ago */
    }
    net.quiet = false;
    take_back();
    stop();
}

/* A wrong password: one try with credentials, then later again. */
static void wrong_password(void **state)
{
    static const struct step script[] = {
        {401, CHALLENGE}, {401, CHALLENGE}, {403, NULL}, {0, NULL}};

    (void)state;
    start(script, 600, 5);
    net_until(&net, 1000);
    net_flow(&net, "0 A > R REGISTER 1\n"
                   "0 R > A 401 REGISTER\n"
                   "0 A > R REGISTER 2\n"
                   "0 R > A 401 REGISTER\n"
                   "0 A not registered 401 0\n");
    take_back();
    net_flow(&net, "1000 A not registered 401 0\n");
    stop();
}

/* Taken back while a REGISTER is under way: first its end, then Expires: 0 (10.2). */
static void taken_back_early(void **state)
{
    static const struct step script[] = {{200, "Expires: 600\r\n"}, {0, NULL}};

    (void)state;
    start(script, 600, 5);
    net_hush(&net);
    net.delay = 50 * DT_MS;
    net_until(&net, 595001); /* the refresh is on its way */
    take_back();
    net_until(&net, 600000);
    net_flow(&net, "595000 A > R REGISTER 2\n"
                   "595050 R > A 200 REGISTER\n"
                   "595100 A > R REGISTER 3\n"
                   "595150 R > A 200 REGISTER\n"
                   "595200 A not registered 200 0\n");
    stop();
}

/* The refresh gets no answer: not registered any more, and tried again. */
static void registrar_dies(void **state)
{
    static const struct step script[] = {{200, "Expires: 100\r\n"}, {0, NULL}};

    (void)state;
    start(script, 100, 5);
    net_until(&net, 90000);
    assert_true(a->registered);
    r->dead = true;
    net_until(&net, 130000);
    assert_false(a->registered);
    r->dead = false;
    net_until(&net, 200000);
    assert_true(a->registered);
    take_back();
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary),
        cmocka_unit_test(refresh_times),
        cmocka_unit_test(interval_too_brief),
        cmocka_unit_test(busy_registrar),
        cmocka_unit_test(silence),
        cmocka_unit_test(wrong_password),
        cmocka_unit_test(taken_back_early),
        cmocka_unit_test(registrar_dies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
