/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include "dualtone/digest.h"

/* ---- parse ---- */

static const struct parse_case {
    const char *text;
    int err;
    const char *realm, *nonce, *opaque, *algorithm, *qop;
    bool known, qop_auth;
    enum dt_hash_kind hash;
} parse_cases[] = {
    {"Digest realm=\"a b\", nonce=\"n\"", DT_OK, "a b", "n", "", "", "", true, false, DT_HASH_MD5},
    {"digest realm=r,nonce=n==,opaque=\"\"", DT_OK, "r", "n==", "", "", "", true, false,
     DT_HASH_MD5},
    {"Digest\trealm = \"x\" ,\r\n nonce=\"1,2\", algorithm=MD5, qop=\"auth,auth-int\"", DT_OK, "x",
     "1,2", "", "MD5", "auth,auth-int", true, true, DT_HASH_MD5},
    {"Digest realm=\"x\", nonce=\"n\", algorithm=sha-256, qop=\"auth-int , AUTH\", opaque=\"o\"",
     DT_OK, "x", "n", "o", "sha-256", "auth-int , AUTH", true, true, DT_HASH_SHA256},
    {"Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\"", DT_OK, "x", "n", "", "", "auth-int", true,
     false, DT_HASH_MD5},
    {"Digest realm=\"x\", nonce=\"n\", algorithm=SHA-512-256", DT_OK, "x", "n", "", "SHA-512-256",
     "", false, false, DT_HASH_MD5},
    {"Digest realm=\"x\", nonce=\"n\", algorithm=MD5-sess", DT_OK, "x", "n", "", "MD5-sess", "",
     false, false, DT_HASH_MD5},
    {"Digest realm=\"\\\"q\\\"\", NONCE=\"n\", new=\"thing\", other=1", DT_OK, "\\\"q\\\"", "n", "",
     "", "", true, false, DT_HASH_MD5},
    {"Digest , realm=\"x\",, nonce=\"n\",", DT_OK, "x", "n", "", "", "", true, false, DT_HASH_MD5},
    {"Digest", DT_OK, "", "", "", "", "", true, false, DT_HASH_MD5},
    {"", DT_E_SYNTAX, "", "", "", "", "", true, false, DT_HASH_MD5},
    {"Basic dXNlcjpwYXNz", DT_E_UNSUPPORTED, "", "", "", "", "", true, false, DT_HASH_MD5},
    {"NTLM", DT_E_UNSUPPORTED, "", "", "", "", "", true, false, DT_HASH_MD5},
    {"Digest realm", DT_E_SYNTAX, "", "", "", "", "", true, false, DT_HASH_MD5},
    {"Digest realm=\"x", DT_E_SYNTAX, "", "", "", "", "", true, false, DT_HASH_MD5},
    {"Digest realm=\"x\" nonce=\"n\"", DT_E_SYNTAX, "", "", "", "", "", true, false, DT_HASH_MD5},
    {"Digest realm=\"x\", realm=\"y\"", DT_E_SYNTAX, "", "", "", "", "", true, false, DT_HASH_MD5},
    {"Digest =x", DT_E_SYNTAX, "", "", "", "", "", true, false, DT_HASH_MD5},
};

static void parses_challenges_and_credentials(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parse_cases / sizeof parse_cases[0]; i++) {
        const struct parse_case *c = &parse_cases[i];
        struct dt_str text = kit_guarded(0, dt_str_z(c->text));
        struct dt_auth a;
        int err = dt_auth_parse(&a, text);
        if (err != c->err)
            fail_msg("\"%s\" gives %s", c->text, dt_err_text(err));
        for (size_t n = 0; n < text.n; n++)
            dt_auth_parse(&a, kit_guarded(1, dt_str_sub(text, 0, n)));
        if (err)
            continue;
        assert_int_equal(dt_auth_parse(&a, text), DT_OK);
        kit_assert_str(a.realm, c->realm);
        kit_assert_str(a.nonce, c->nonce);
        kit_assert_str(a.opaque, c->opaque);
        kit_assert_str(a.algorithm, c->algorithm);
        kit_assert_str(a.qop, c->qop);
        assert_int_equal(a.known_algorithm, c->known);
        assert_int_equal(a.qop_auth, c->qop_auth);
        if (c->known)
            assert_int_equal(a.hash, c->hash);
    }
}

/* ---- the sums, as client and as server ---- */

static const struct vector {
    const char *from, *method, *user, *password, *cnonce, *challenge, *uri, *response;
} vectors[] = {
    {"RFC 2617 3.5", "GET", "Mufasa", "Circle Of Life", "0a4f113b",
     "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
     "/dir/index.html", "6629fae49393a05397450978507c4ef1"},
    {"RFC 2069 2.4 with erratum 749", "GET", "Mufasa", "CircleOfLife", "",
     "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
     "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
     "/dir/index.html", "1949323746fe6a43ef61f9606e7febea"},
    {"RFC 7616 3.9.1, MD5", "GET", "Mufasa", "Circle of Life",
     "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
     "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
     "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
     "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
     "/dir/index.html", "8ca523f5e9506fed4657c9700eebdbec"},
    {"RFC 7616 3.9.1, SHA-256", "GET", "Mufasa", "Circle of Life",
     "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
     "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
     "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
     "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
     "/dir/index.html", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
    /* RFC 8760 has no example: its SHA-256 for a SIP method, reckoned with another program. */
    {"RFC 8760, REGISTER", "REGISTER", "bob", "zanzibar", "0a4f113b",
     "Digest realm=\"biloxi.com\", qop=\"auth\", algorithm=SHA-256, "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
     "sip:biloxi.com", "93e0e23c30bf2e3b139a3410a7edc9a5b15b1cfd8fd557ca8ee303e4372339a1"},
    {"RFC 8760, REGISTER, no qop", "REGISTER", "bob", "zanzibar", "",
     "Digest realm=\"biloxi.com\", algorithm=SHA-256, "
     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
     "sip:biloxi.com", "10503915e86126c221a99ecec4bd61ed6a5f0c1bac8125b5df9db47ab06503c1"},
};
enum { VECTORS = sizeof vectors / sizeof vectors[0] };

struct exchange {
    char text[1024];
    size_t n;
    struct dt_auth credentials; /* slices of `text` */
    struct dt_digest_hex ha1;
};

/* The client's answer, parsed again as the server does. */
static void exchange_init(struct exchange *x, const struct vector *v)
{
    struct dt_auth challenge;
    struct dt_credentials cred = {dt_str_z(v->user), dt_str_z(v->password)};
    struct dt_writer w = dt_writer(x->text, sizeof x->text);
    assert_int_equal(dt_auth_parse(&challenge, dt_str_z(v->challenge)), DT_OK);
    assert_int_equal(dt_digest_answer(&w, kit_hash, &challenge, &cred, dt_str_z(v->method),
                                      dt_str_z(v->uri), dt_str_z(v->cnonce), 1),
                     DT_OK);
    x->n = w.n;
    assert_int_equal(dt_auth_parse(&x->credentials, dt_writer_str(&w)), DT_OK);
    assert_int_equal(
        dt_digest_ha1(kit_hash, challenge.hash, cred.user, challenge.realm, cred.password, &x->ha1),
        DT_OK);
}

/* One memo for all: what another request left in it changes no verdict, nor does its want. */
static int verify(const struct exchange *x, const struct vector *v)
{
    static struct dt_digest_memo memo;
    struct dt_str ha1 = dt_str_z(x->ha1.text), method = dt_str_z(v->method);
    int first = dt_digest_verify(kit_hash, &x->credentials, ha1, method, &memo);
    assert_int_equal(dt_digest_verify(kit_hash, &x->credentials, ha1, method, &memo), first);
    assert_int_equal(dt_digest_verify(kit_hash, &x->credentials, ha1, method, NULL), first);
    return first;
}

static void vectors_of_the_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        const struct vector *v = &vectors[i];
        struct exchange x;
        struct dt_auth challenge;
        exchange_init(&x, v);
        dt_auth_parse(&challenge, dt_str_z(v->challenge));
        kit_assert_str(x.credentials.response, v->response);
        kit_assert_str(x.credentials.username, v->user);
        kit_assert_str(x.credentials.uri, v->uri);
        assert_true(dt_str_eq(x.credentials.realm, challenge.realm));
        assert_true(dt_str_eq(x.credentials.nonce, challenge.nonce));
        assert_true(dt_str_eq(x.credentials.opaque, challenge.opaque));
        assert_true(dt_str_eq(x.credentials.algorithm, challenge.algorithm));
        kit_assert_str(x.credentials.nc, *v->cnonce ? "00000001" : "");
        kit_assert_str(x.credentials.qop, *v->cnonce ? "auth" : "");
        assert_int_equal(verify(&x, v), DT_OK);
    }
}

static void exact_credentials(void **state)
{
    (void)state;
    struct exchange x;
    exchange_init(&x, &vectors[0]);
    const char want[] =
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
        "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
        "response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"0a4f113b\", qop=auth, "
        "nc=00000001, opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    struct dt_str got = {x.text, x.n};
    kit_assert_str(got, want);
}

/* ---- what must not pass ---- */

static const struct forgery {
    const char *name;
    size_t field;
    const char *value;
} forgeries[] = {
    {"another count", offsetof(struct dt_auth, nc), "00000002"},
    {"a short count", offsetof(struct dt_auth, nc), "1"},
    {"no count", offsetof(struct dt_auth, nc), ""},
    {"a count that is none", offsetof(struct dt_auth, nc), "0000000g"},
    {"another cnonce", offsetof(struct dt_auth, cnonce), "0a4f113c"},
    {"no cnonce", offsetof(struct dt_auth, cnonce), ""},
    {"another nonce", offsetof(struct dt_auth, nonce), "dcd98b7102dd2f0e8b11d0f600bfb0c094"},
    {"another uri", offsetof(struct dt_auth, uri), "/dir/index.htm"},
    {"qop taken out", offsetof(struct dt_auth, qop), ""},
    {"another qop", offsetof(struct dt_auth, qop), "auth-int"},
    {"two qops", offsetof(struct dt_auth, qop), "auth,auth-int"},
    {"no response", offsetof(struct dt_auth, response), ""},
    {"a short response", offsetof(struct dt_auth, response), "6629fae49393a05397450978507c4ef"},
    {"a long response", offsetof(struct dt_auth, response), "6629fae49393a05397450978507c4ef10"},
    {"a digit off", offsetof(struct dt_auth, response), "6629fae49393a05397450978507c4ef0"},
};

static void forgeries_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forgeries / sizeof forgeries[0]; i++) {
        struct exchange x;
        exchange_init(&x, &vectors[0]);
        assert_int_equal(verify(&x, &vectors[0]), DT_OK);
        *(struct dt_str *)(void *)((char *)&x.credentials + forgeries[i].field) =
            dt_str_z(forgeries[i].value);
        if (verify(&x, &vectors[0]) != DT_E_AUTH)
            fail_msg("%s passed", forgeries[i].name);
    }
}

static void credentials_are_for_one_method_and_one_secret(void **state)
{
    (void)state;
    struct exchange x, other;
    struct vector wrong = vectors[0];
    exchange_init(&x, &vectors[0]);
    struct dt_str ha1 = dt_str_z(x.ha1.text);
    assert_int_equal(dt_digest_verify(kit_hash, &x.credentials, ha1, DT_STR("POST"), NULL),
                     DT_E_AUTH);
    wrong.password = "circle of life";
    exchange_init(&other, &wrong);
    assert_int_equal(dt_digest_verify(kit_hash, &other.credentials, ha1, DT_STR("GET"), NULL),
                     DT_E_AUTH);
    x.credentials.known_algorithm = false;
    assert_int_equal(verify(&x, &vectors[0]), DT_E_AUTH);
}

/* A count that is not eight digits is refused though the sum over it is right: the server compares
 * counts as numbers. */
static void count_has_eight_digits(void **state)
{
    (void)state;
    static const struct {
        const char *nc;
        int want;
    } counts[] = {
        {"00000002", DT_OK},      {"0000000A", DT_OK},     {"2", DT_E_AUTH},
        {"000000002", DT_E_AUTH}, {"0000000x", DT_E_AUTH}, {"", DT_E_AUTH},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct exchange x;
        struct dt_digest_hex sum;
        exchange_init(&x, &vectors[0]);
        x.credentials.nc = dt_str_z(counts[i].nc);
        assert_int_equal(dt_digest_response(kit_hash, DT_HASH_MD5, dt_str_z(x.ha1.text),
                                            &x.credentials, DT_STR("GET"), x.credentials.uri, &sum),
                         DT_OK);
        x.credentials.response = dt_str_z(sum.text);
        assert_int_equal(verify(&x, &vectors[0]), counts[i].want);
    }
}

/* A digest in capitals is the same number. */
static void capitals_pass(void **state)
{
    (void)state;
    struct exchange x;
    exchange_init(&x, &vectors[0]);
    x.credentials.response = DT_STR("6629FAE49393A05397450978507C4EF1");
    assert_int_equal(verify(&x, &vectors[0]), DT_OK);
}

/* ---- what cannot be answered ---- */

static const struct refusal {
    const char *challenge;
    int err;
} refusals[] = {
    {"Digest realm=\"r\", nonce=\"n\"", DT_OK},
    {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", DT_E_UNSUPPORTED},
    {"Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", DT_E_UNSUPPORTED},
    {"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", DT_E_UNSUPPORTED},
    {"Digest realm=\"r\"", DT_E_UNSUPPORTED},
    {"Digest nonce=\"n\"", DT_E_UNSUPPORTED},
    {"Digest realm=\"r\r\n s\", nonce=\"n\"", DT_E_SYNTAX}, /* a fold, to be sent back */
};

static int answer(const char *challenge, const char *user, size_t room, dt_hash_fn hash)
{
    char text[512];
    struct dt_auth a;
    struct dt_writer w = dt_writer(text, room);
    struct dt_credentials cred = {dt_str_z(user), DT_STR("p")};
    assert_int_equal(dt_auth_parse(&a, dt_str_z(challenge)), DT_OK);
    return dt_digest_answer(&w, hash, &a, &cred, DT_STR("INVITE"), DT_STR("sip:x"), DT_STR("c"), 1);
}

static int broken_hash(enum dt_hash_kind kind, const struct dt_str *parts, size_t n, uint8_t *out)
{
    (void)kind, (void)parts, (void)n, (void)out;
    return DT_E_UNSUPPORTED;
}

static void what_cannot_be_answered_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        assert_int_equal(answer(refusals[i].challenge, "u", 512, kit_hash), refusals[i].err);
    const char *good = refusals[0].challenge;
    const size_t whole = 32 +
                         sizeof "Digest username=\"u\", realm=\"r\", nonce=\"n\", "
                                "uri=\"sip:x\", response=\"\"" -
                         1;
    assert_int_equal(answer(good, "u", whole, kit_hash), DT_OK);
    for (size_t room = 0; room < whole; room++)
        assert_int_equal(answer(good, "u", room, kit_hash), DT_E_LIMIT);
    assert_int_equal(answer(good, "u\r\nX: y", 512, kit_hash), DT_E_SYNTAX);
    assert_int_equal(answer(good, "u", 512, NULL), DT_E_UNSUPPORTED);
    assert_int_equal(answer(good, "u", 512, broken_hash), DT_E_UNSUPPORTED);
}

static void quotes_in_a_user_name_are_escaped(void **state)
{
    (void)state;
    char text[512];
    struct dt_auth a;
    struct dt_writer w = dt_writer(text, sizeof text);
    struct dt_credentials cred = {DT_STR("a\"b\\c"), DT_STR("p")};
    dt_auth_parse(&a, DT_STR("Digest realm=\"q\\\"r\", nonce=\"n\""));
    assert_int_equal(dt_digest_answer(&w, kit_hash, &a, &cred, DT_STR("INVITE"), DT_STR("sip:x"),
                                      DT_STR("c"), 1),
                     DT_OK);
    assert_int_equal(dt_auth_parse(&a, dt_writer_str(&w)), DT_OK);
    kit_assert_str(a.username, "a\\\"b\\\\c");
    kit_assert_str(a.realm, "q\\\"r"); /* as it came, not escaped twice */
}

/* ---- pick ---- */

static const struct pick_case {
    const char *status, *lines;
    bool found;
    const char *nonce;
    enum dt_header_id credentials;
} pick_cases[] = {
    {"401", "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\"\r\n", true, "1", DT_H_AUTHORIZATION},
    {"407", "Proxy-Authenticate: Digest realm=\"r\", nonce=\"1\"\r\n", true, "1",
     DT_H_PROXY_AUTHORIZATION},
    {"407", "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\"\r\n", false, "", 0},
    {"401",
     "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=MD5\r\n"
     "WWW-Authenticate: Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256\r\n"
     "WWW-Authenticate: Digest realm=\"r\", nonce=\"3\", algorithm=SHA-256\r\n",
     true, "2", DT_H_AUTHORIZATION},
    {"401",
     "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=SHA-512-256\r\n"
     "WWW-Authenticate: Basic realm=\"r\"\r\n"
     "WWW-Authenticate: Digest realm=\"r\", nonce=\"2\", qop=\"auth-int\"\r\n"
     "WWW-Authenticate: Digest realm=\"r\", nonce=\r\n"
     "WWW-Authenticate: Digest realm=\"r\", nonce=\"4\"\r\n"
     "WWW-Authenticate: Digest realm=\"r\", nonce=\"5\"\r\n",
     true, "4", DT_H_AUTHORIZATION},
    {"401", "WWW-Authenticate: Basic realm=\"r\"\r\n", false, "", 0},
    {"401", "", false, "", 0},
};

static void picks_the_best_challenge(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pick_cases / sizeof pick_cases[0]; i++) {
        const struct pick_case *c = &pick_cases[i];
        char text[2048];
        struct dt_writer w = dt_writer(text, sizeof text);
        struct dt_sip_header headers[16];
        struct dt_sip_msg m;
        struct dt_auth a;
        enum dt_header_id id = DT_H_OTHER;
        dt_writef(&w, "SIP/2.0 %s X\r\n%s\r\n", c->status, c->lines);
        struct dt_str all = kit_guarded_padded(0, dt_writer_str(&w));
        assert_int_equal(dt_sip_parse(&m, all, headers, 16), DT_OK);
        assert_int_equal(dt_digest_pick(&m, &a, &id), c->found);
        assert_int_equal(id, c->credentials);
        if (c->found)
            kit_assert_str(a.nonce, c->nonce);
    }
}

static void challenge_is_what_a_client_can_answer(void **state)
{
    (void)state;
    char text[256];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_digest_challenge(&w, DT_STR("example.com"), DT_STR("abc"), DT_HASH_SHA256, true);
    kit_assert_str(dt_writer_str(&w), "Digest realm=\"example.com\", nonce=\"abc\", "
                                      "algorithm=SHA-256, qop=\"auth\", stale=true");
    w.n = 0;
    dt_digest_challenge(&w, DT_STR("example.com"), DT_STR("abc"), DT_HASH_MD5, false);
    kit_assert_str(dt_writer_str(&w), "Digest realm=\"example.com\", nonce=\"abc\", "
                                      "algorithm=MD5, qop=\"auth\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_challenges_and_credentials),
        cmocka_unit_test(vectors_of_the_rfcs),
        cmocka_unit_test(exact_credentials),
        cmocka_unit_test(forgeries_fail),
        cmocka_unit_test(credentials_are_for_one_method_and_one_secret),
        cmocka_unit_test(count_has_eight_digits),
        cmocka_unit_test(capitals_pass),
        cmocka_unit_test(what_cannot_be_answered_is_said),
        cmocka_unit_test(quotes_in_a_user_name_are_escaped),
        cmocka_unit_test(picks_the_best_challenge),
        cmocka_unit_test(challenge_is_what_a_client_can_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
