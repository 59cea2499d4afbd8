/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each invariant that a record shows: a call made by hand that keeps it passes, the same call with
 * one thing wrong is found, by its number. */
#define _DEFAULT_SOURCE /* clock_gettime */
#include "trace_kit.h"

#include "flow/world.h"

#include <time.h>

enum { A, P, B, REASON = 256 };

static struct kit_alloc k;
static struct dt_flow flow;
static struct dt_record r;
static dt_time now;

/* One message as the table has it. */
struct message {
    int from, to;     /* parties */
    const char *what; /* "INVITE", or "180 INVITE" */
    const char *branch;
    int cseq;
    const char *tag;  /* To tag; NULL: none */
    const char *call; /* NULL: "c1" */
    bool lost;        /* it did not arrive */
    bool two_vias;
};

#define M(f, t, w, b, ...) \
    { \
        .from = (f), .to = (t), .what = (w), .branch = (b), .cseq = __VA_ARGS__ \
    }

static int setup(void **state)
{
    (void)state;
    kit_alloc_init(&k);
    flow = (struct dt_flow){.alloc = &k.alloc, .n_parties = 3};
    flow.parties[A].role = flow.parties[B].role = DT_FLOW_PHONE;
    flow.parties[P].role = DT_FLOW_PROXY;
    for (size_t i = 0; i < flow.n_parties; i++)
        flow.parties[i].peer = -1;
    dt_record_init(&r, &k.alloc);
    kit_parties(&r, "APB");
    now = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dt_record_clear(&r);
    return k.live == 0 ? 0 : -1;
}

static void message(const struct message *m)
{
    char text[1024], start[64];
    const char *space = strchr(m->what, ' '), *method = space ? space + 1 : m->what;
    if (space)
        snprintf(start, sizeof start, "SIP/2.0 %.3s X", m->what);
    else
        snprintf(start, sizeof start, "%s sip:b@example.com SIP/2.0", m->what);
    snprintf(text, sizeof text,
             "%s\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK%s\r\n%s"
             "From: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>%s%s\r\nCall-ID: %s\r\n"
             "CSeq: %d %s\r\nMax-Forwards: 70\r\n%sContent-Length: 0\r\n\r\n",
             start, m->branch, m->two_vias ? "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\n" : "",
             m->tag ? ";tag=" : "", m->tag ? m->tag : "", m->call ? m->call : "c1", m->cseq, method,
             strcmp(m->what, "INVITE") == 0 ? "Contact: <sip:a@192.0.2.1>\r\n" : "");
    kit_packet(&r, now, DT_REC_SENT, (unsigned)m->from, (unsigned)m->to, text);
    if (!m->lost)
        kit_packet(&r, now + 1, DT_REC_ARRIVED, (unsigned)m->from, (unsigned)m->to, text);
    now += 10;
}

static void judged(const char *want)
{
    char reason[REASON];
    int err = dt__flow_invariants(&flow, &r, 0, reason, sizeof reason);
    kit_assert_str(dt_str_z(reason), want);
    assert_int_equal(err, want[0] ? DT_E_STATE : DT_OK);
}

/* A call that is cancelled, one that is challenged and talked, repeats of everything. */
static const struct message good[] = {
    M(A, P, "INVITE", "1", 1, .lost = true),
    M(A, P, "INVITE", "1", 1),
    M(P, A, "407 INVITE", "1", 1, .tag = "p", .lost = true),
    M(P, A, "407 INVITE", "1", 1, .tag = "p"),
    M(A, P, "ACK", "1", 1, .tag = "p"),
    M(A, P, "INVITE", "2", 2),
    M(P, B, "INVITE", "3", 2, .two_vias = true),
    M(P, A, "100 INVITE", "2", 2),
    M(B, P, "180 INVITE", "3", 2, .tag = "b"),
    M(B, P, "180 INVITE", "3", 2, .tag = "b"),
    M(P, A, "180 INVITE", "2", 2, .tag = "b"),
    M(B, P, "200 INVITE", "3", 2, .tag = "b"),
    M(P, A, "200 INVITE", "2", 2, .tag = "b"),
    M(B, P, "200 INVITE", "3", 2, .tag = "b"),
    M(P, A, "200 INVITE", "2", 2, .tag = "b"),
    M(A, P, "ACK", "4", 2, .tag = "b"),
    M(P, B, "ACK", "5", 2, .tag = "b", .two_vias = true),
    M(A, P, "BYE", "6", 3, .tag = "b", .lost = true),
    M(A, P, "INVITE", "7", 1, .call = "c2"),
    M(A, P, "BYE", "6", 3, .tag = "b"),
    M(P, A, "200 BYE", "6", 3, .tag = "b"),
    M(P, A, "100 INVITE", "7", 1, .call = "c2"),
    M(A, P, "CANCEL", "7", 1, .call = "c2"),
    M(P, A, "200 CANCEL", "7", 1, .tag = "p", .call = "c2"),
    M(P, A, "487 INVITE", "7", 1, .tag = "q", .call = "c2"),
    M(A, P, "ACK", "7", 1, .tag = "q", .call = "c2"),
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        message(&good[i]);
    kit_packet(&r, now, DT_REC_SENT, A, P, "\x80\x08voice");
    kit_event(&r, now, DT_EV_SCREEN, A, "INVITE");
    judged("");
}

/* What a rule of design.md section 1 or 5 allows: a node that begins anew (R6, R10), what it passes
 * on without a transaction (R5), the other path to a stranger (R25), a phone that is not ours. */
static void test_lives(void **state)
{
    static const struct {
        const char *fault; /* happens to P behind the first message; NULL: nothing */
        dt_time before;    /* the same long before it: "hang" */
        bool plain;        /* B is not ours */
        struct message messages[3];
        const char *reason;
    } table[] = {
        {NULL,
         0,
         false,
         {M(P, B, "INVITE", "1", 1), M(P, B, "ACK", "1", 1, .tag = "b", .two_vias = true)},
         "I6: the ACK of a failure has more than one Via (P sent ACK, Call-ID c1)"},
        {"restart",
         0,
         false,
         {M(P, B, "INVITE", "1", 1), M(P, B, "ACK", "1", 1, .tag = "b", .two_vias = true)},
         ""},
        {"blackhole",
         0,
         false,
         {M(P, B, "INVITE", "1", 1), M(P, B, "CANCEL", "1", 1)},
         "I7: a CANCEL before any provisional response (P sent CANCEL, Call-ID c1)"},
        {"wake", 5 * DT_SECOND, false, {M(P, B, "INVITE", "1", 1), M(P, B, "CANCEL", "1", 1)}, ""},
        {"wake",
         4 * DT_SECOND,
         false,
         {M(P, B, "INVITE", "1", 1), M(P, B, "CANCEL", "1", 1)},
         "I7: a CANCEL before any provisional response (P sent CANCEL, Call-ID c1)"},
        {NULL,
         0,
         false,
         {M(P, A, "200 INVITE", "1", 1, .tag = "b"), M(A, P, "INVITE", "1", 1),
          M(P, A, "180 INVITE", "1", 1, .tag = "b")},
         ""},
        {NULL,
         0,
         false,
         {M(A, P, "INVITE", "1", 1), M(P, A, "200 INVITE", "1", 1, .tag = "b"),
          M(P, A, "180 INVITE", "1", 1, .tag = "b")},
         "I8: a provisional response after a final one (P sent 180 X, Call-ID c1)"},
        {NULL,
         0,
         false,
         {M(P, A, "486 INVITE", "1", 1, .tag = "b"), M(A, P, "INVITE", "1", 1),
          M(P, A, "100 INVITE", "1", 1)},
         ""},
        {NULL, /* R12 */
         0,
         false,
         {M(A, P, "INVITE", "1", 1), M(P, A, "503 INVITE", "1", 1, .tag = "p"),
          M(P, A, "100 INVITE", "1", 1)},
         ""},
        {NULL,
         0,
         false,
         {M(A, P, "INVITE", "1", 1), M(P, A, "500 INVITE", "1", 1, .tag = "p"),
          M(P, A, "100 INVITE", "1", 1)},
         "I8: a provisional response after a final one (P sent 100 X, Call-ID c1)"},
        {NULL, 0, false, {M(A, P, "INVITE", "1", 1), M(A, B, "INVITE", "2", 1)}, ""},
        {NULL, /* R22, R25: a copy at the other one came between */
         0,
         false,
         {M(A, P, "INVITE", "1", 1), M(A, B, "INVITE", "1", 1), M(A, P, "INVITE", "2", 1)},
         ""},
        {NULL, /* a copy at the same one is none */
         0,
         false,
         {M(A, P, "INVITE", "1", 1), M(A, P, "INVITE", "1", 1), M(A, P, "INVITE", "2", 1)},
         "I11: the CSeq of a new request does not rise (A sent INVITE, Call-ID c1)"},
        {NULL,
         0,
         false,
         {M(A, P, "INVITE", "1", 1), M(A, P, "INVITE", "2", 1)},
         "I11: the CSeq of a new request does not rise (A sent INVITE, Call-ID c1)"},
        {NULL,
         0,
         true,
         {M(B, P, "200 INVITE", "1", 1, .tag = "b"), M(B, P, "482 INVITE", "1", 1, .tag = "c")},
         ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        flow.parties[B].plain = table[i].plain;
        message(&table[i].messages[0]);
        if (table[i].before)
            dt_record_note(&r, now, DT_REC_FAULT, P, DT_STR("hang"));
        now += table[i].before;
        if (table[i].fault)
            dt_record_note(&r, now, DT_REC_FAULT, P, dt_str_z(table[i].fault));
        for (size_t n = 1; n < 3 && table[i].messages[n].what; n++)
            message(&table[i].messages[n]);
        judged(table[i].reason);
        teardown(state);
        setup(state);
    }
}

/* A twin without bindings said 503: asked again in the place of the other one. Not so behind
 * another final, nor at one that has no twin. */
static void test_unready(void **state)
{
    static const struct {
        const char *final;
        int peer;
        const char *reason;
    } table[] = {
        {"503 INVITE", B, ""},
        {"486 INVITE", B,
         "I11: the CSeq of a new request does not rise (A sent INVITE, Call-ID c1)"},
        {"503 INVITE", -1,
         "I11: the CSeq of a new request does not rise (A sent INVITE, Call-ID c1)"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        flow.parties[P].peer = table[i].peer;
        message(&(struct message)M(A, P, "INVITE", "1", 1));
        message(&(struct message)M(P, A, table[i].final, "1", 1, .tag = "p"));
        message(&(struct message)M(A, P, "INVITE", "2", 1));
        judged(table[i].reason);
        teardown(state);
        setup(state);
    }
}

/* A proxy knows its final for 64 T1, that of a failure for T4 behind its ACK (17.2.1, RFC 6026); a
 * phone of ours for longer (R11). A copy that comes later begins anew. */
static void test_over(void **state)
{
    static const struct {
        int from;
        const char *final;
        bool ack;
        int seconds;
        bool over;
    } table[] = {
        {P, "200 INVITE", false, 30, false}, {P, "200 INVITE", false, 32, true},
        {P, "200 INVITE", true, 6, false},   {P, "486 INVITE", false, 30, false},
        {P, "486 INVITE", false, 32, true},  {P, "486 INVITE", true, 4, false},
        {P, "486 INVITE", true, 5, true},    {B, "486 INVITE", true, 40, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int by = table[i].from, to = by == P ? A : P;
        message(&(struct message)M(to, by, "INVITE", "1", 1));
        message(&(struct message)M(by, to, table[i].final, "1", 1, .tag = "b"));
        if (table[i].ack)
            message(&(struct message)M(to, by, "ACK", "1", 1, .tag = "b"));
        now += table[i].seconds * DT_SECOND;
        message(&(struct message)M(to, by, "INVITE", "1", 1));
        message(&(struct message)M(by, to, "100 INVITE", "1", 1));
        judged(table[i].over ? ""
               : by == P
                   ? "I8: a provisional response after a final one (P sent 100 X, Call-ID c1)"
                   : "I8: a provisional response after a final one (B sent 100 X, Call-ID c1)");
        teardown(state);
        setup(state);
    }
}

/* What was cancelled may ring again. What rings
 * on does so beside a later request alone, which has the credentials that one twin asked for. */
static void test_rings_again(void **state)
{
    static const struct {
        const char *final; /* NULL: it still rings */
        bool plain;
        int cseq;
        bool good;
    } table[] = {
        {"487 INVITE", false, 2, true},  {"487 INVITE", true, 1, true},
        {"487 INVITE", false, 1, true},  {"486 INVITE", true, 1, false},
        {"486 INVITE", false, 2, false}, {NULL, true, 1, false},
        {NULL, false, 2, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        flow.parties[B].plain = table[i].plain;
        if (table[i].good && table[i].cseq > 1)
            message(&(struct message)M(P, A, "407 INVITE", "0", 1, .tag = "p"));
        message(&(struct message)M(B, P, "180 INVITE", "1", 1, .tag = "b"));
        if (table[i].final)
            message(&(struct message)M(B, P, table[i].final, "1", 1, .tag = "b"));
        now += 3 * DT_SECOND; /* not on its way when it was said */
        message(&(struct message)M(B, P, "180 INVITE", "2", table[i].cseq, .tag = "c"));
        judged(table[i].good
                   ? ""
                   : "I13: one phone rings twice for one call (B sent 180 X, Call-ID c1)");
        teardown(state);
        setup(state);
    }
}

#define MESSAGES_MAX 4
static const struct {
    const char *invariant;
    struct message messages[MESSAGES_MAX];
    const char *reason;
} bad[] = {
    {"I1",
     {M(B, P, "200 INVITE", "1", 1, .tag = "b"), M(B, P, "486 INVITE", "1", 1, .tag = "b")},
     "two different finals on one branch (B sent 486 X, Call-ID c1)"},
    {"I1",
     {M(P, A, "200 INVITE", "1", 1, .tag = "b"), M(P, A, "486 INVITE", "1", 1, .tag = "b")},
     "two different finals on one branch (P sent 486 X, Call-ID c1)"},
    {"I1",
     {M(B, P, "486 INVITE", "1", 1, .tag = "b"), M(B, P, "200 INVITE", "1", 1, .tag = "b")},
     "two different finals on one branch (B sent 200 X, Call-ID c1)"},
    {"I1",
     {M(P, A, "408 INVITE", "1", 1, .tag = "p"), M(B, P, "200 INVITE", "2", 1, .tag = "b"),
      M(P, A, "200 INVITE", "1", 1, .tag = "b"), M(P, A, "487 INVITE", "1", 1, .tag = "b")},
     "two different finals on one branch (P sent 487 X, Call-ID c1)"},
    {"I1", /* nobody said it */
     {M(P, A, "408 INVITE", "1", 1, .tag = "p"), M(P, A, "200 INVITE", "1", 1, .tag = "b")},
     "two different finals on one branch (P sent 200 X, Call-ID c1)"},
    {"I1",
     {M(P, A, "408 BYE", "1", 1, .tag = "b"), M(P, A, "200 BYE", "1", 1, .tag = "b")},
     "two different finals on one branch (P sent 200 X (BYE), Call-ID c1)"},
    {"I1",
     {M(B, P, "200 INVITE", "1", 1, .tag = "b"), M(B, P, "200 INVITE", "1", 1, .tag = "c")},
     "two finals with different To tags on one branch of a phone (B sent 200 X, Call-ID c1)"},
    {"I6",
     {M(A, P, "INVITE", "1", 1), M(A, P, "ACK", "1", 2, .tag = "b")},
     "the ACK of a failure has another CSeq than its INVITE (A sent ACK, Call-ID c1)"},
    {"I6",
     {M(A, P, "INVITE", "1", 1), M(A, P, "ACK", "1", 1, .tag = "b", .two_vias = true)},
     "the ACK of a failure has more than one Via (A sent ACK, Call-ID c1)"},
    {"I7",
     {M(A, P, "INVITE", "1", 1), M(A, P, "CANCEL", "1", 1)},
     "a CANCEL before any provisional response (A sent CANCEL, Call-ID c1)"},
    {"I7", /* it was sent, and did not arrive */
     {M(A, P, "INVITE", "1", 1), M(P, A, "100 INVITE", "1", 1, .lost = true),
      M(A, P, "CANCEL", "1", 1)},
     "a CANCEL before any provisional response (A sent CANCEL, Call-ID c1)"},
    {"I7", /* of another INVITE; of another method */
     {M(A, P, "INVITE", "1", 1), M(P, A, "100 INVITE", "2", 1), M(P, A, "100 BYE", "1", 1),
      M(A, P, "CANCEL", "1", 1)},
     "a CANCEL before any provisional response (A sent CANCEL, Call-ID c1)"},
    {"I8",
     {M(B, P, "200 INVITE", "1", 1, .tag = "b"), M(B, P, "180 INVITE", "1", 1, .tag = "b")},
     "a provisional response after a final one (B sent 180 X, Call-ID c1)"},
    {"I8",
     {M(B, P, "200 ACK", "1", 1, .tag = "b")},
     "an answer to an ACK (B sent 200 X (ACK), Call-ID c1)"},
    {"I11",
     {M(A, P, "INVITE", "1", 5), M(A, P, "BYE", "2", 5, .tag = "b")},
     "the CSeq of a new request does not rise (A sent BYE, Call-ID c1)"},
    {"I11", /* what came between does not hide it */
     {M(A, P, "INVITE", "1", 5), M(A, P, "INVITE", "2", 1, .call = "c2"),
      M(A, P, "INFO", "3", 6, .tag = "b"), M(A, P, "BYE", "4", 5, .tag = "b")},
     "the CSeq of a new request does not rise (A sent BYE, Call-ID c1)"},
    {"I13",
     {M(B, P, "180 INVITE", "1", 1, .tag = "b"), M(B, P, "180 INVITE", "2", 1, .tag = "c")},
     "one phone rings twice for one call (B sent 180 X, Call-ID c1)"},
};

static void test_bad(void **state)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char want[REASON];
        assert_int_equal(teardown(state), 0);
        setup(state);
        for (size_t m = 0; m < MESSAGES_MAX && bad[i].messages[m].what; m++)
            message(&bad[i].messages[m]);
        snprintf(want, sizeof want, "%s: %s", bad[i].invariant, bad[i].reason);
        judged(want);
        /* What went before the part that is judged does not count. */
        char reason[REASON];
        assert_int_equal(dt__flow_invariants(&flow, &r, r.n, reason, sizeof reason), DT_OK);
    }
}

/* What only phones must keep: a proxy forks and carries the requests of many, and a branch that it
 * gave up may be answered (RFC 3261 16.7, 5). */
static void test_proxies_may(void **state)
{
    static const struct message table[] = {
        M(P, A, "200 INVITE", "1", 1, .tag = "b"),
        M(P, A, "200 INVITE", "1", 1, .tag = "c"),
        M(P, A, "180 INVITE", "9", 1, .tag = "b"),
        M(P, A, "180 INVITE", "9", 1, .tag = "c"),
        M(P, B, "INVITE", "2", 5),
        M(P, B, "INVITE", "3", 5),
        M(P, A, "408 INVITE", "4", 1, .tag = "p"),
        M(B, P, "200 INVITE", "5", 1, .tag = "b"),
        M(P, A, "200 INVITE", "4", 1, .tag = "b"),
        M(P, A, "408 INVITE", "4", 1, .tag = "p"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        message(&table[i]);
    judged("");
}

static void test_addresses(void **state) /* I23 */
{
    static const struct {
        struct dt_addr to;
        const char *what;
    } table[] = {
        {{.port = 5060, .family = 4}, "sent to no address"},
        {{.port = 5060, .family = 6}, "sent to no address"},
        {{.ip = {192, 0, 2, 1}, .family = 4}, "sent to no address"},
        {{.ip = {255, 255, 255, 255}, .port = 5060, .family = 4}, "sent to everybody"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char want[REASON];
        assert_int_equal(teardown(state), 0);
        setup(state);
        message(&(struct message)M(A, P, "INVITE", "1", 1, .lost = true));
        r.items[0].to = table[i].to;
        snprintf(want, sizeof want, "I23: %s (A sent INVITE, Call-ID c1)", table[i].what);
        judged(want);
    }
}

/* 10,000 messages of calls, all alike enough to meet in the table: well under a second. */
static void test_long_run(void **state)
{
    struct timespec from, to;
    (void)state;
    for (int i = 0; i < 5000; i++) {
        char branch[16], call[16];
        snprintf(branch, sizeof branch, "%d", i);
        snprintf(call, sizeof call, "c%d", i / 10);
        message(&(struct message)M(A, P, "INVITE", branch, i % 10 + 1, .call = call));
        message(&(struct message)M(P, A, "100 INVITE", branch, i % 10 + 1, .call = call));
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    judged("");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    long ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
    print_message("20,000 items judged in %ld ms\n", ms);
    assert_true(ms < 5000); /* a quadratic judge takes minutes */
    message(&(struct message)M(A, P, "BYE", "last", 1, .tag = "b",
                               .call = "c0")); /* and it still sees */
    judged("I11: the CSeq of a new request does not rise (A sent BYE, Call-ID c0)");
}

static void test_memory(void **state)
{
    char reason[REASON];
    (void)state;
    message(&good[0]);
    k.fail_at = k.calls + 1;
    assert_int_equal(dt__flow_invariants(&flow, &r, 0, reason, sizeof reason), DT_E_NOMEM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_good),     TEST(test_bad),         TEST(test_proxies_may), TEST(test_addresses),
        TEST(test_long_run), TEST(test_memory),      TEST(test_lives),       TEST(test_unready),
        TEST(test_over),     TEST(test_rings_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
