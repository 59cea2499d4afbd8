/* SPDX-License-Identifier: BSD-2-Clause
 *
 * design.md R2: the branch is a pure function, and every input of it matters. */
#include "testkit.h"

#include <stdio.h>
#include <string.h>

#include "proxy/branch.h"

static const uint64_t key[2] = {1, 2}, other_key[2] = {1, 3};
static const struct dt_keyring ring = {{{1, 2}}, 1}, other_ring = {{{1, 3}}, 1};

struct inputs {
    const char *method, *uri, *sent_by, *branch, *from_tag, *to_tag, *call_id, *target;
    unsigned cseq, attempt;
    uint64_t loop;
    const uint64_t *key;
};
static const struct inputs base = {
    .method = "INVITE",
    .uri = "sip:b@d",
    .sent_by = "192.0.2.1",
    .branch = "z9hG4bKx",
    .from_tag = "f",
    .to_tag = "",
    .call_id = "c",
    .target = "sip:b@h",
    .cseq = 1,
    .loop = 7,
    .key = key,
};

static struct dt_branch_text make(const struct inputs *in)
{
    static char text[1024];
    struct dt_sip_header headers[32];
    struct dt_sip_msg m;
    struct dt_branch_text out;
    memset(text, 0, sizeof text);
    snprintf(text, sizeof text - DT_PAD,
             "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s%s%s\r\nFrom: <sip:a@d>;tag=%s\r\n"
             "To: <sip:b@d>%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n"
             "Content-Length: 0\r\n\r\n",
             in->method, in->uri, in->sent_by, *in->branch ? ";branch=" : "", in->branch,
             in->from_tag, *in->to_tag ? ";tag=" : "", in->to_tag, in->call_id, in->cseq,
             in->method);
    assert_int_equal(dt_sip_parse(&m, dt_str_z(text), headers, 32), DT_OK);
    assert_int_equal(dt_sip_check(&m), DT_OK);
    dt__branch_make(&out, in->key, &m, in->loop, dt_str_z(in->target), in->attempt);
    return out;
}

static bool same(const struct inputs *a, const struct inputs *b)
{
    struct dt_branch_text x = make(a), y = make(b);
    return !memcmp(x.text, y.text, sizeof x.text);
}

static void form(void **state)
{
    struct dt_branch_text b = make(&base);
    uint64_t loop = 0;
    (void)state;
    /* two nodes, or the same one restarted: the same bytes, for ever */
    kit_assert_str(dt__branch_str(&b), "z9hG4bK"
                                       "89"
                                       "0000000000000007"
                                       "6abadf3687bf6db8");
    assert_true(dt__branch_loop_of(&ring, dt__branch_str(&b), &loop));
    assert_int_equal(loop, 7);
    assert_false(dt__branch_loop_of(&other_ring, dt__branch_str(&b), &loop));
    for (size_t n = 0; n < DT_BRANCH_N; n++)
        assert_false(
            dt__branch_loop_of(&ring, kit_guarded(0, dt_str_sub(dt__branch_str(&b), 0, n)), &loop));
    b.text[12] = 'g';
    assert_false(dt__branch_loop_of(&ring, dt__branch_str(&b), &loop));
}

#define WITH(field, value) \
    { \
        struct inputs other = base; \
        other.field = (value); \
        rows[n++] = other; \
    }

static void each_input_matters(void **state)
{
    struct inputs rows[16];
    size_t n = 0;
    (void)state;
    assert_true(same(&base, &base));
    rows[n++] = base;
    WITH(branch, "z9hG4bKy")
    WITH(call_id, "d")
    WITH(from_tag, "g")
    WITH(cseq, 2)
    WITH(method, "BYE")
    WITH(method, "MESSAGE")
    WITH(target, "sip:b@i")
    WITH(attempt, 1)
    WITH(loop, 8)
    WITH(key, other_key)
    WITH(branch, "")
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (same(&rows[i], &rows[j]))
                fail_msg("rows %zu and %zu have one branch", i, j);
}

/* What differs between nodes, or between a request and its CANCEL and ACK, does not go in. */
static void what_does_not_matter(void **state)
{
    struct inputs rows[16];
    size_t n = 0;
    (void)state;
    WITH(method, "CANCEL")
    WITH(method, "ACK")
    WITH(sent_by, "192.0.2.2:5070")
    WITH(uri, "sip:b@192.0.2.9")
    WITH(to_tag, "t")
    for (size_t i = 0; i < n; i++)
        if (!same(&rows[i], &base))
            fail_msg("row %zu has another branch", i);
}

/* 16.11: without the magic cookie, a list of fields stands for the incoming branch. */
static void without_cookie(void **state)
{
    struct inputs old = base, rows[16];
    size_t n = 0;
    (void)state;
    old.branch = "1";
    rows[n++] = old;
    static const char *const uris[] = {"sip:c@d"};
    for (size_t i = 0; i < 5; i++) {
        struct inputs other = old;
        if (i == 0)
            other.uri = uris[0];
        else if (i == 1)
            other.sent_by = "192.0.2.2";
        else if (i == 2)
            other.to_tag = "t";
        else if (i == 3)
            other.branch = "";
        else
            other.branch = "2";
        rows[n++] = other;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            assert_false(same(&rows[i], &rows[j]));
    struct inputs cancel = old;
    cancel.method = "CANCEL";
    assert_true(same(&old, &cancel));
}

static void loop_part(void **state)
{
    struct dt_str r[2] = {DT_STR("<sip:a;lr>"), DT_STR("<sip:b;lr>")};
    struct dt_str joined = DT_STR("<sip:a;lr><sip:b;lr>");
    struct dt_str uri = DT_STR("sip:b@d");
    uint64_t values[] = {
        dt__branch_loop(key, uri, r, 0),       dt__branch_loop(key, uri, r, 1),
        dt__branch_loop(key, uri, r + 1, 1),   dt__branch_loop(key, uri, r, 2),
        dt__branch_loop(key, uri, &joined, 1), dt__branch_loop(key, DT_STR("sip:c@d"), r, 0),
        dt__branch_loop(other_key, uri, r, 0), dt__branch_call_token(key, uri),
    };
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (size_t j = i + 1; j < sizeof values / sizeof values[0]; j++)
            assert_true(values[i] != values[j]);
    assert_true(values[0] == dt__branch_loop(key, uri, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form),
        cmocka_unit_test(each_input_matters),
        cmocka_unit_test(what_does_not_matter),
        cmocka_unit_test(without_cookie),
        cmocka_unit_test(loop_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
