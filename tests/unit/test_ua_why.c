/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a user agent tells of its calls and targets, and what it counts of what it did not believe.
 */
#include "ua_kit.h"

#include <stdio.h>
#include <string.h>

static struct net net;
static char text[64 << 10];

/* A proxy that the test speaks for: it keeps the last INVITE, and answers probes. */
static struct dt_sip_msg *kept;
static const char *node = "Dualtone-Node: c1;node=p;boot=7\r\n";
static void keep(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                 struct net_party *from)
{
    if (!m->request)
        return;
    if (m->method == DT_OPTIONS)
        net_respond(n, self, from, m, 200, "p", node, NULL);
    if (m->method != DT_INVITE)
        return;
    dt_sip_msg_drop(kept);
    kept = dt_sip_msg_keep(&dt_alloc_libc, m);
}

struct world {
    struct net_party *a, *p, *s, *x;
};

static struct world open_world(bool fast)
{
    struct dt_ua_config cfg = {.fast = fast};
    struct world w;

    node = "Dualtone-Node: c1;node=p;boot=7\r\n";
    net_init(&net);
    w.a = net_ua(&net, "A", &cfg);
    w.p = net_script(&net, "P", keep);
    w.s = net_script(&net, "S", keep);
    w.x = net_script(&net, "X", keep); /* a stranger */
    return w;
}

static int dial(struct world *w, bool fast)
{
    struct dt_outgoing o;

    net_outgoing(&o, w->a, "sip:bob@example.com", w->p, w->s);
    o.policy = fast ? DT_REACH_FAST : DT_REACH_GUIDE;
    return net_call(&net, w->a, &o);
}

static void close_world(void)
{
    net_free(&net);
    dt_sip_msg_drop(kept);
    kept = NULL;
}

static int ask_into(struct world *w, const struct dt_ua_question *q, struct dt_writer *out)
{
    struct dt_json j = dt_json(out);
    int err;

    dt_json_open(&j, NULL, '{');
    err = dt_ua_why(w->a->ua, net.now, q, &j);
    dt_json_close(&j, '}');
    return err;
}

static int ask(struct world *w, bool calls, bool targets, const char *which)
{
    const struct dt_ua_question q = {calls, targets, dt_str_z(which)};
    struct dt_writer out = dt_writer(text, sizeof(text) - 1);
    int err = ask_into(w, &q, &out);

    assert_int_equal(out.err, DT_OK);
    text[out.n] = '\0';
    return err;
}

#define has(part) has_at((part), __LINE__)
static void has_at(const char *part, int line)
{
    if (!strstr(text, part))
        fail_msg("line %d: no %s in %s", line, part, text);
}

static unsigned count_calls(void)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, "\"direction\"")) != NULL; p++)
        n++;
    return n;
}

/* ---- tests ---- */

/* Alive, ended, gone: by number, by Call-ID, by who was dialled. */
static void which_call(void **state)
{
    struct world w = open_world(false);
    char call_id[40];

    (void)state;
    assert_int_equal(ask(&w, true, true, ""), DT_OK);
    has("{\"targets\":[],\"calls\":[],\"dropped\":[{\"count\":0,");
    assert_int_equal(dial(&w, false), DT_OK);
    dt_ua_call_number(w.a->ua, w.a->call, 3);
    net_settle(&net);
    snprintf(call_id, sizeof(call_id), "%.*s", DT_FMT(kept->call_id));
    net_respond(&net, w.p, w.a, kept, 180, "p1", NULL, NULL);
    net_until(&net, 1000);
    const char *const names[] = {"3", "bob", "sip:bob@example.com", call_id};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        assert_int_equal(ask(&w, true, false, names[i]), DT_OK);
        assert_int_equal(count_calls(), 1);
        has("\"state\":\"ringing\",\"since_ms\":1000,\"requests\":[],\"policy\":\"guide\"");
        has("\"event\":\"101-199\",\"status\":180,\"before\":\"calling\",\"after\":\"ringing\"");
        has("\"in_ms\":179000");
    }
    assert_int_equal(ask(&w, true, false, "4"), DT_E_ABSENT);
    assert_int_equal(ask(&w, true, false, "bo"), DT_E_ABSENT);
    net_respond(&net, w.p, w.a, kept, 486, "p1", NULL, NULL);
    net_settle(&net);
    assert_int_equal(ask(&w, true, false, "3"), DT_OK);
    has("\"end\":{\"status\":486,");
    net_quiet_end(&net);
    assert_int_equal(ask(&w, true, false, call_id),
                     DT_OK); /* it has gone; it is told all the same */
    has("\"end\":{\"status\":486,");
    has("\"why\":\"an answer that refuses ends the call");
    close_world();
}

/* Six that have gone are kept; the newest is meant by a name. */
static void many_calls(void **state)
{
    struct world w = open_world(false);

    (void)state;
    for (uint32_t i = 1; i <= 9; i++) {
        assert_int_equal(dial(&w, false), DT_OK);
        dt_ua_call_number(w.a->ua, w.a->call, i);
        net_settle(&net);
        net_respond(&net, w.p, w.a, kept, 486, "p1", NULL, NULL);
        net_quiet_end(&net);
    }
    assert_int_equal(ask(&w, true, false, ""), DT_OK);
    assert_int_equal(count_calls(), 6);
    assert_int_equal(ask(&w, true, false, "bob"), DT_OK);
    assert_int_equal(count_calls(), 1);
    has("\"calls\":[{\"number\":9,");
    assert_int_equal(ask(&w, true, false, "3"), DT_E_ABSENT);
    assert_int_equal(ask(&w, true, false, "4"), DT_OK);
    close_world();
}

static void which_target(void **state)
{
    struct world w = open_world(true);

    (void)state;
    assert_int_equal(dial(&w, true), DT_OK);
    net_until(&net, 30000);
    assert_int_equal(ask(&w, false, true, ""), DT_OK);
    has("{\"targets\":[{\"address\":\"192.0.2.2:5060\",\"transport\":\"udp\",\"health\":\"up\"");
    has("\"cluster\":\"c1\",\"node\":\"p\",\"boot\":\"7\"");
    has("\"evidence\":\"answered\"");
    assert_int_equal(ask(&w, false, true, "192.0.2.3"), DT_OK);
    has("{\"targets\":[{\"address\":\"192.0.2.3:5060\"");
    assert_null(strstr(text, "{\"address\":\"192.0.2.2"));
    assert_int_equal(ask(&w, false, true, "192.0.2.3:5060"), DT_OK);
    assert_int_equal(ask(&w, false, true, "192.0.2.3:5061"), DT_E_ABSENT);
    assert_int_equal(ask(&w, false, true, "192.0.2.4"), DT_E_ABSENT);
    assert_int_equal(ask(&w, false, true, "P"), DT_E_SYNTAX);
    close_world();
}

/* What is forged, late or unrelated: counted, and nothing else comes of it. */
static void not_believed(void **state)
{
    struct world w = open_world(true);
    struct dt_sip_msg *first;

    (void)state;
    assert_int_equal(dial(&w, true), DT_OK);
    net_settle(&net);
    first = kept;
    kept = NULL;
    net_until(&net, 40000); /* its transaction is gone, late answers are waited for */
    net_respond(&net, w.x, w.a, first, 180, "x", NULL, NULL);
    dt_sip_msg_drop(first);
    net_settle(&net);
    assert_int_equal(ask(&w, true, true, ""), DT_OK);
    has("{\"count\":1,\"what\":\"late responses from an address that the request did not go to\"}");
    net_send(&net, w.x, w.a,
             "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKforged\n"
             "From: <sip:a@b>;tag=1\nTo: <sip:a@b>;tag=2\nCall-ID: forged\nCSeq: 1 OPTIONS\n"
             "Dualtone-Node: c1;node=p;boot=8\nContent-Length: 0\n\n");
    net_settle(&net);
    assert_int_equal(ask(&w, true, true, ""), DT_OK);
    has("{\"count\":1,\"what\":\"Dualtone-Node in a response that was not asked for\"}");
    has("{\"count\":2,\"what\":\"responses that belong to no request of ours\"}");
    has("\"boot\":\"7\""); /* as it was */
    node = "Dualtone-Node: nonsense\r\n";
    net_until(&net, 80000); /* a probe of each is answered so */
    assert_int_equal(ask(&w, true, true, ""), DT_OK);
    assert_null(strstr(text, "{\"count\":0,\"what\":\"Dualtone-Node that cannot be read\"}"));
    has("what\":\"Dualtone-Node that cannot be read\"}");
    has("\"boot\":\"7\"");
    close_world();
}

/* It writes no byte more than there is room for, and says so. */
static void short_of_room(void **state)
{
    struct world w = open_world(true);
    const struct dt_ua_question q = {true, true, DT_STR_NONE};
    struct dt_writer whole = dt_writer(text, sizeof(text));
    static char small[sizeof(text)];

    (void)state;
    assert_int_equal(dial(&w, true), DT_OK);
    net_until(&net, 2000);
    assert_int_equal(ask_into(&w, &q, &whole), DT_OK);
    for (size_t cap = 0; cap <= whole.n; cap += cap < 300 ? 1 : 97) {
        struct dt_writer out = dt_writer(small, cap);
        memset(small, '#', sizeof(small));
        assert_int_equal(ask_into(&w, &q, &out), DT_OK);
        assert_int_equal(out.err, cap < whole.n ? DT_E_LIMIT : DT_OK);
        assert_int_equal(small[cap], '#');
    }
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_call),    cmocka_unit_test(many_calls),
        cmocka_unit_test(which_target),  cmocka_unit_test(not_believed),
        cmocka_unit_test(short_of_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
