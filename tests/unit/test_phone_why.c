/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Questions to a phone, and its answers: one event each, whatever is asked. */
#include "phone_fake.h"

static const char config[] = "line1_name: 1001\n"
                             "proxy1_address: 127.0.0.1\n"
                             "proxy_failover: fast\n";

static void ask(const char *line)
{
    fake_input(&(struct dt_input){
        .kind = DT_IN_COMMAND, .channel = DT_CHANNEL_WHY, .data = dt_str_z(line)});
}

#define PHONE \
    "why: {\"phone\":{\"name\":\"1001\",\"address\":\"192.0.2.1:5060\",\"policy\":\"fast\"," \
    "\"ready\":true,\"screen\":\"1001\",\"lines\":[{\"line\":1,\"name\":\"1001\"," \
    "\"registrations\":[]}]},"
#define WRONG \
    "why: {\"error\":\"That is not understood; say why, why call [WHICH] or why target " \
    "[WHICH].\"}\n"

static void questions(void **unused)
{
    static const struct {
        const char *question, *want;
    } rows[] = {
        {"7 why", PHONE "\"calls\":true,\"targets\":true,\"which\":\"\"}\n"},
        {"7 why call", PHONE "\"calls\":true,\"targets\":false,\"which\":\"\"}\n"},
        {"7 why call 3", PHONE "\"calls\":true,\"targets\":false,\"which\":\"3\"}\n"},
        {"7 why target 1.2.3.4", PHONE "\"calls\":false,\"targets\":true,\"which\":\"1.2.3.4\"}\n"},
        {"7 why call absent",
         "why: {\"error\":\"There is no call absent; \\\"dualtone why call\\\" "
         "lists the calls.\"}\n"},
        {"7 why target absent", "why: {\"error\":\"absent is no proxy that this phone watches; "
                                "\\\"dualtone why target\\\" lists them.\"}\n"},
        {"7 why target address", "why: {\"error\":\"\\\"address\\\" is not an address; use one "
                                 "like 192.0.2.10 or 192.0.2.10:5060.\"}\n"},
        {"7", WRONG},
        {"7 ", WRONG},
        {"7 whynot", WRONG},
        {"7 why \"call", WRONG},
        {"7 why calls", WRONG},
        {"7 why call 1 2", WRONG},
        {"7 dial 1002", WRONG},
        {"7 \x01\xff\xfe{}", WRONG},
        {"", ""}, /* nobody to answer to */
        {"x why", ""},
        {"4294967296 why", ""},
    };

    (void)unused;
    fake_start(config);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ask(rows[i].question);
        expect(rows[i].want);
    }
    fake_end();
}

/* To whom, and on which channel; it grows until it fits. */
static void addressed(void **unused)
{
    struct dt_input in = {.kind = DT_IN_COMMAND,
                          .channel = DT_CHANNEL_WHY,
                          .data = DT_STR("4294967295 why call big")};
    struct dt_output out[4];

    (void)unused;
    fake_start(config);
    dt_phone_node.input(fake.phone, fake.now, &in, 1);
    assert_int_equal(dt_phone_node.output(fake.phone, fake.now, out, 4), 1);
    assert_int_equal(out[0].channel, DT_CHANNEL_WHY);
    assert_int_equal(out[0].event, DT_EV_WHY);
    assert_true(out[0].call == UINT32_MAX);
    assert_true(out[0].text.n > 1000000);
    assert_true(dt_str_ends(out[0].text, DT_STR("}")));
    fake_end();
}

/* Without memory there is no answer, or a plain one; never half a document. */
static void without_memory(void **unused)
{
    bool failed = true;

    (void)unused;
    for (size_t n = 1; failed; n++) {
        struct dt_str said;
        fake_start(config);
        fake.k.calls = 0;
        fake.k.fail_at = n;
        ask("7 why");
        said = fake_take();
        failed = fake.k.calls >= n;
        if (said.n)
            assert_true(dt_str_ends(said, DT_STR("again.\"}\n")) ||
                        dt_str_ends(said, DT_STR("\"which\":\"\"}\n")));
        assert_true(said.n || failed);
        fake.k.fail_at = 0;
        fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions),
        cmocka_unit_test(addressed),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
