/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who may register and call: digest with stateless nonces (RFC 3261 22, design.md R14). */
#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#include "dualtone/digest.h"
#include "store/subscribers.h"

#define ALICE "192.0.2.11:5060"
#define BOB "192.0.2.12:5060"

static void load(struct kit_proxy *k, bool sha)
{
    static const char *const users[][2] = {{"alice", "secret"}, {"bob", "other"}};
    struct dt_bytes *text = dt_bytes_copy(&dt_alloc_libc, DT_STR("# test\n")), *next;
    char md5[1024];
    struct dt_writer w = dt_writer(md5, sizeof md5);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(dt_subscribers_put(&dt_alloc_libc, kit_hash, dt_bytes_str(text),
                                            dt_str_z(users[i][0]), DT_STR("example.com"),
                                            dt_str_z(users[i][1]), &next),
                         DT_OK);
        dt_bytes_drop(text);
        text = next;
    }
    struct dt_str rest = dt_bytes_str(text);
    struct dt_subscriber s;
    while (dt_subscribers_next(&rest, &s))
        if (sha || s.hash == DT_HASH_MD5)
            dt_writef(&w, "%.*s %.*s %s %.*s\n", DT_FMT(s.user), DT_FMT(s.realm),
                      s.hash == DT_HASH_MD5 ? "MD5" : "SHA-256", DT_FMT(s.ha1));
    assert_int_equal(dt_proxy_subscribers(k->p, DT_STR("f"), dt_writer_str(&w), NULL), DT_OK);
    dt_bytes_drop(text);
}

static void open_guarded(struct kit_proxy *k)
{
    kit_proxy_open(k, "digest: both\n");
    kit_register(k, BOB, "bob", "sip:bob@192.0.2.12");
    kit_register(k, ALICE, "alice", "sip:alice@192.0.2.11");
    load(k, true);
}

/* The credentials that answer the last challenge sent to `who`; one of four buffers. */
static const char *answer(struct kit_proxy *k, const char *who, const char *user,
                          const char *password, const char *method, const char *uri, uint32_t nc)
{
    static char ring[4][1024];
    static unsigned turn;
    char *out = ring[turn++ % 4];
    struct dt_sip_header headers[64];
    struct dt_sip_msg m;
    struct dt_auth auth;
    enum dt_header_id id;
    struct dt_credentials cred = {dt_str_z(user), dt_str_z(password)};
    assert_int_equal(dt_sip_parse(&m, dt_str_z(kit_last(k, who)), headers, 64), DT_OK);
    assert_true(dt_digest_pick(&m, &auth, &id));
    struct dt_writer w = dt_writer(out, sizeof ring[0] - 1);
    dt_writef(&w, "%s: ", dt_header_name(id));
    assert_int_equal(dt_digest_answer(&w, kit_hash, &auth, &cred, dt_str_z(method), dt_str_z(uri),
                                      DT_STR("cn"), nc),
                     DT_OK);
    dt_write_lit(&w, "\r\n");
    out[w.n] = '\0';
    return out;
}

static bool got(struct kit_proxy *k, const char *who, int status)
{
    char want[16];
    snprintf(want, sizeof want, "SIP/2.0 %d ", status);
    return !strncmp(kit_last(k, who), want, strlen(want));
}

#define BOB_URI "sip:bob@example.com"

/* Guide 3.6: INVITE, 407, ACK, INVITE with credentials. */
static void a_round(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_guarded(&k);
    KIT_SEND(&k, .cseq = 1);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 407 INVITE\n");
    assert_non_null(
        strstr(kit_header(kit_last(&k, ALICE), "Proxy-Authenticate"), "algorithm=SHA-256"));
    assert_non_null(strstr(kit_header(kit_last(&k, ALICE), "Proxy-Authenticate"), " | Digest"));
    const char *cred = answer(&k, ALICE, "alice", "secret", "INVITE", BOB_URI, 1);
    KIT_SEND(&k, .method = "ACK",
             .to_tag = strstr(kit_header(kit_last(&k, ALICE), "To"), "tag=") + 4);
    kit_proxy_log(&k, "");
    KIT_SEND(&k, .cseq = 2, .branch = "z9hG4bKb2", .extra = cred);
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 100 INVITE\n"
                      "0 > 192.0.2.12:5060 INVITE sip:bob@192.0.2.12\n");
    /* consumed here (22.3) */
    assert_string_equal(kit_header(kit_last(&k, BOB), "Proxy-Authorization"), "");
    kit_answer(&k, BOB, "INVITE", 486, "t", NULL);
    kit_proxy_quiet(&k);
    kit_proxy_close(&k);
}

static void registering(void **state)
{
    static struct kit_proxy k;
    struct kit_req r = {.method = "REGISTER",
                        .uri = "sip:example.com",
                        .to = "sip:alice@example.com",
                        .extra = "Contact: <sip:alice@192.0.2.11>\r\n"};
    char extra[1500];
    (void)state;
    open_guarded(&k);
    kit_proxy_recv(&k, ALICE, kit_req_text(&r));
    assert_true(got(&k, ALICE, 401));
    snprintf(extra, sizeof extra, "%sContact: <sip:alice@192.0.2.11>\r\n",
             answer(&k, ALICE, "alice", "secret", "REGISTER", "sip:example.com", 1));
    r.extra = extra;
    r.branch = "z9hG4bK2";
    r.cseq = 2;
    kit_proxy_recv(&k, ALICE, kit_req_text(&r));
    assert_true(got(&k, ALICE, 200));
    /* for somebody else's name (10.3 step 4) */
    r.to = BOB_URI;
    r.branch = "z9hG4bK3";
    snprintf(extra, sizeof extra, "%sContact: <sip:alice@192.0.2.11>\r\n", "");
    kit_proxy_recv(&k, ALICE, kit_req_text(&r));
    snprintf(extra, sizeof extra, "%sContact: <sip:alice@192.0.2.11>\r\n",
             answer(&k, ALICE, "alice", "secret", "REGISTER", "sip:example.com", 1));
    r.branch = "z9hG4bK4";
    kit_proxy_recv(&k, ALICE, kit_req_text(&r));
    assert_true(got(&k, ALICE, 403));
    kit_proxy_close(&k);
}

/* One change each to credentials that would be right. */
static void wrong_credentials(void **state)
{
    static const struct {
        const char *user, *password, *method, *uri, *from;
        int status;
        bool stale;
        int64_t later; /* seconds */
        const char *source;
    } rows[] = {
        {"alice", "secret", "INVITE", BOB_URI, "alice", 100, false, 0, ALICE},
        {"alice", "wrong", "INVITE", BOB_URI, "alice", 407, false, 0, ALICE},
        {"nobody", "secret", "INVITE", BOB_URI, "nobody", 407, false, 0, ALICE},
        {"alice", "secret", "BYE", BOB_URI, "alice", 407, false, 0, ALICE},
        {"alice", "secret", "INVITE", "sip:carol@example.com", "alice", 400, false, 0, ALICE},
        {"alice", "secret", "INVITE", BOB_URI, "bob", 403, false, 0, ALICE},
        {"alice", "secret", "INVITE", BOB_URI, "alice", 100, false, 59, ALICE},
        {"alice", "secret", "INVITE", BOB_URI, "alice", 407, true, 62, ALICE},
        {"alice", "wrong", "INVITE", BOB_URI, "alice", 407, false, 62, ALICE},
        {"alice", "secret", "INVITE", BOB_URI, "alice", 100, false, 0, "192.0.2.11:6000"},
        {"alice", "secret", "INVITE", BOB_URI, "alice", 407, false, 0, "192.0.2.66:5060"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct kit_proxy k;
        open_guarded(&k);
        KIT_SEND(&k, .cseq = 1);
        const char *cred =
            answer(&k, ALICE, rows[i].user, rows[i].password, rows[i].method, rows[i].uri, 1);
        kit_proxy_until(&k, rows[i].later * 1000);
        kit_proxy_recv(&k, rows[i].source,
                       KIT_REQ(.cseq = 2, .branch = "z9hG4bKb2", .extra = cred,
                               .from = rows[i].from, .via = rows[i].source));
        if (!got(&k, rows[i].source, rows[i].status))
            fail_msg("row %zu: %.12s", i, kit_last(&k, rows[i].source));
        bool stale = strstr(kit_last(&k, rows[i].source), "stale=true") != NULL;
        if (stale != rows[i].stale)
            fail_msg("row %zu: stale %d", i, stale);
        kit_proxy_close(&k);
    }
}

/* I28: the same count for another request is a replay; for the same one it is a repeat. */
static void replays(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_guarded(&k);
    KIT_SEND(&k, .method = "MESSAGE");
    const char *cred = answer(&k, ALICE, "alice", "secret", "MESSAGE", BOB_URI, 1);
    char extra[1024];
    snprintf(extra, sizeof extra, "%s", cred);
    KIT_SEND(&k, .method = "MESSAGE", .cseq = 2, .branch = "z9hG4bK2", .extra = extra);
    assert_int_equal(kit_count(&k, "forwarded.request"), 1);
    KIT_SEND(&k, .method = "MESSAGE", .cseq = 3, .branch = "z9hG4bK3", .extra = extra);
    assert_true(got(&k, ALICE, 407));
    assert_non_null(strstr(kit_last(&k, ALICE), "stale=true"));
    assert_int_equal(kit_count(&k, "forwarded.request"), 1);
    kit_proxy_input(&k, &(struct dt_input){.kind = DT_IN_WOKE, .age = 5 * DT_SECOND});
    KIT_SEND(&k, .method = "MESSAGE", .cseq = 2, .branch = "z9hG4bK2", .extra = extra);
    assert_int_equal(kit_count(&k, "forwarded.request"), 2); /* R14 */
    kit_proxy_close(&k);
}

/* What needs no password, and what a stranger may do. */
static void exceptions(void **state)
{
    static struct kit_proxy k;
    char extra[128];
    (void)state;
    open_guarded(&k);
    KIT_SEND(&k, .method = "OPTIONS", .uri = "sip:example.com");
    assert_true(got(&k, ALICE, 200));
    KIT_SEND(&k, .method = "OPTIONS", .hops = 1000, .branch = "z9hG4bK2");
    assert_true(got(&k, ALICE, 200));
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "ACK", .branch = "z9hG4bK3"); /* cannot be challenged (22.1) */
    kit_proxy_log(&k, "0 > 192.0.2.12:5060 ACK sip:bob@192.0.2.12\n");
    KIT_SEND(&k, .method = "CANCEL", .branch = "z9hG4bK4");
    kit_proxy_log(&k, "0 > 192.0.2.12:5060 CANCEL sip:bob@192.0.2.12\n");
    /* From elsewhere: our users are reached, others not */
    char req[2048];
    snprintf(req, sizeof req, "%s", KIT_REQ(.method = "MESSAGE", .branch = "z9hG4bK5"));
    memcpy(strstr(req, "alice@example.com"), "alice@elsewhere.x", 17);
    kit_proxy_recv(&k, "192.0.2.66:5060", req);
    kit_proxy_log(&k, "0 > 192.0.2.12:5060 MESSAGE sip:bob@192.0.2.12\n");
    snprintf(req, sizeof req, "%s",
             KIT_REQ(.method = "MESSAGE", .branch = "z9hG4bK6", .uri = "sip:x@third.net"));
    memcpy(strstr(req, "alice@example.com"), "alice@elsewhere.x", 17);
    kit_proxy_recv(&k, "192.0.2.66:5060", req);
    assert_true(got(&k, "192.0.2.66:5060", 403));
    /* a registered address is no password */
    KIT_SEND(&k, .method = "MESSAGE", .uri = "sip:x@192.0.2.40", .branch = "z9hG4bK7");
    assert_true(got(&k, ALICE, 407));
    /* inside a call that was let through (R4): its token is in the Record-Route */
    KIT_SEND(&k, .cseq = 7, .branch = "z9hG4bK8");
    KIT_SEND(&k, .cseq = 8, .branch = "z9hG4bK9",
             .extra = answer(&k, ALICE, "alice", "secret", "INVITE", BOB_URI, 1));
    snprintf(extra, sizeof extra, "Route: %s\r\n", kit_header(kit_last(&k, BOB), "Record-Route"));
    kit_proxy_hush(&k);
    KIT_SEND(&k, .method = "BYE", .uri = "sip:bob@192.0.2.12", .to_tag = "t", .extra = extra,
             .branch = "z9hG4bK10");
    kit_proxy_log(&k, "0 > 192.0.2.12:5060 BYE sip:bob@192.0.2.12\n");
    KIT_SEND(&k, .method = "BYE", .uri = "sip:bob@192.0.2.12", .to_tag = "t", .extra = extra,
             .branch = "z9hG4bK11", .call_id = "another");
    kit_proxy_log(&k, "0 > 192.0.2.11:5060 407 BYE\n");
    kit_proxy_close(&k);
}

/* What is not configured is neither offered nor taken: MD5 alone by default, since libre's phones
 * give up at a challenge that names SHA-256. */
static void configured_algorithms(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, NULL);
    load(&k, true);
    KIT_SEND(&k, .cseq = 1);
    assert_non_null(strstr(kit_last(&k, ALICE), "algorithm=MD5"));
    assert_null(strstr(kit_last(&k, ALICE), "SHA-256"));
    const char *md5 = answer(&k, ALICE, "alice", "secret", "INVITE", BOB_URI, 1);
    KIT_SEND(&k, .cseq = 2, .branch = "z9hG4bK2", .extra = md5);
    assert_true(got(&k, ALICE, 480));
    kit_proxy_close(&k);
    kit_proxy_open(&k, "digest: sha256\n");
    load(&k, true);
    KIT_SEND(&k, .cseq = 1);
    assert_non_null(strstr(kit_last(&k, ALICE), "SHA-256"));
    assert_null(strstr(kit_last(&k, ALICE), "algorithm=MD5"));
    KIT_SEND(&k, .cseq = 2, .branch = "z9hG4bK2", .extra = md5); /* no way down */
    assert_true(got(&k, ALICE, 407));
    kit_proxy_close(&k);
}

static void known_users(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, "digest: both\n");
    load(&k, false);
    KIT_SEND(&k, .cseq = 1);
    assert_null(strstr(kit_last(&k, ALICE), "SHA-256")); /* some have no hash for it */
    KIT_SEND(&k, .cseq = 2, .branch = "z9hG4bK2",
             .extra = answer(&k, ALICE, "alice", "secret", "INVITE", BOB_URI, 1));
    assert_true(got(&k, ALICE, 480)); /* a subscriber who is not there */
    KIT_SEND(&k, .cseq = 3, .branch = "z9hG4bK3", .uri = "sip:carol@example.com");
    KIT_SEND(&k, .cseq = 4, .branch = "z9hG4bK4", .uri = "sip:carol@example.com",
             .extra = answer(&k, ALICE, "alice", "secret", "INVITE", "sip:carol@example.com", 1));
    assert_true(got(&k, ALICE, 404)); /* no subscriber */
    kit_proxy_close(&k);
}

/* A file of subscribers that is empty lets nobody in, rather than everybody. */
static void empty_file(void **state)
{
    static struct kit_proxy k;
    (void)state;
    kit_proxy_open(&k, "subscribers: somewhere\n");
    assert_int_equal(dt_proxy_subscribers(k.p, DT_STR("f"), DT_STR("# nobody\n"), NULL), DT_OK);
    KIT_SEND(&k, .method = "REGISTER", .uri = "sip:example.com", .to = "sip:alice@example.com");
    assert_true(got(&k, ALICE, 403));
    kit_proxy_close(&k);
}

/* RFC 3261 26.3.2.4, I28: a challenge leaves nothing behind; a repeat is challenged once more. An
 * INVITE's waits for its ACK. */
static void challenges_take_no_memory(void **state)
{
    static const struct {
        const char *method;
        int status;
        unsigned more; /* transactions */
    } rows[] = {{"REGISTER", 401, 0}, {"MESSAGE", 407, 0}, {"INVITE", 407, 1}};
    static struct kit_proxy k;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char nonce[256];
        open_guarded(&k);
        bool registers = rows[i].status == 401;
        const char *field = registers ? "WWW-Authenticate" : "Proxy-Authenticate";
        const char *req =
            KIT_REQ(.method = rows[i].method, .cseq = 1,
                    .uri = registers ? "sip:example.com" : "sip:bob@example.com",
                    .to = registers ? "sip:alice@example.com" : "sip:bob@example.com");
        unsigned before = dt_proxy_objects(k.p);
        kit_proxy_recv(&k, ALICE, req);
        assert_true(got(&k, ALICE, rows[i].status));
        assert_int_equal(dt_proxy_objects(k.p), before + rows[i].more);
        snprintf(nonce, sizeof nonce, "%s", kit_header(kit_last(&k, ALICE), field));
        kit_proxy_recv(&k, ALICE, req);
        assert_true(got(&k, ALICE, rows[i].status));
        /* the one that was kept comes again as it was */
        assert_int_equal(!strcmp(kit_header(kit_last(&k, ALICE), field), nonce), rows[i].more);
        kit_proxy_close(&k);
    }
}

/* I30: what an unknown sender gets back is no more than three times what he sent. */
static void no_amplification(void **state)
{
    static struct kit_proxy k;
    (void)state;
    open_guarded(&k);
    const char *req = KIT_REQ(.cseq = 1);
    kit_proxy_recv(&k, ALICE, req);
    assert_true(strlen(kit_last(&k, ALICE)) <= 3 * strlen(req));
    kit_proxy_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round),           cmocka_unit_test(registering),
        cmocka_unit_test(wrong_credentials), cmocka_unit_test(replays),
        cmocka_unit_test(exceptions),        cmocka_unit_test(configured_algorithms),
        cmocka_unit_test(known_users),       cmocka_unit_test(empty_file),
        cmocka_unit_test(no_amplification),  cmocka_unit_test(challenges_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
