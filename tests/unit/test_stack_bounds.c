/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory: how much a transaction takes, what happens at the limit, and when there is none. */
#include "stack_kit.h"

#include <stdlib.h>
#include <string.h>

#define PEER "192.0.2.2:5060"
#define RFC3261 .repeats = UINT32_MAX

/* ---- the size of things ---- */

enum { PAIRS = 128 };

/* An allocator that knows how many bytes are out. */
struct counted {
    size_t size;
    max_align_t data[];
};
static void *count_resize(void *ctx, void *p, size_t n)
{
    size_t *total = ctx;
    struct counted *c = p ? DT_OF(p, struct counted, data) : NULL;
    if (c)
        *total -= c->size;
    if (!n) {
        free(c);
        return NULL;
    }
    c = realloc(c, sizeof *c + n);
    c->size = n;
    *total += n;
    return c->data;
}

struct pairs {
    size_t total;
    struct dt_alloc alloc;
    struct dt_env env;
    struct dt_outbox out;
    struct dt_stack *s;
    dt_tx server[PAIRS], client[PAIRS];
    size_t at;
};

static void take_request(void *user, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                         const struct dt_hop *from)
{
    struct pairs *p = user;
    (void)now;
    (void)m;
    (void)from;
    p->server[p->at] = tx;
}
static void no_cancel(void *user, dt_time now, dt_tx tx, uint64_t cookie,
                      const struct dt_sip_msg *m)
{
    (void)user, (void)now, (void)tx, (void)cookie, (void)m;
}
static void no_response(void *user, dt_time now, dt_tx tx, uint64_t cookie,
                        const struct dt_sip_msg *m, const struct dt_hop *from)
{
    (void)user, (void)now, (void)tx, (void)cookie, (void)m, (void)from;
}
static void no_failed(void *user, dt_time now, dt_tx tx, uint64_t cookie, int err)
{
    (void)user, (void)now, (void)tx, (void)cookie, (void)err;
}
static void no_ended(void *user, dt_time now, dt_tx tx, uint64_t cookie)
{
    (void)user, (void)now, (void)tx, (void)cookie;
}
static const struct dt_stack_user counting_ops = {take_request, no_cancel, no_response,
                                                  no_failed,    no_ended,  NULL};

/* A message of about `n` bytes with a branch of its own. */
static struct dt_bytes *sized(struct pairs *p, const char *method, int status, size_t i, size_t n)
{
    char via[80], filler[1500] = "X: ";
    struct dt_writer w = dt_writer(via, sizeof via - 1);
    dt_writef(&w, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%zu", i);
    via[w.n] = '\0';
    struct kit_msg m = {.method = method, .status = status, .via = via, .to_tag = "to"};
    size_t base = strlen(kit_msg_text(&m));
    size_t room = n > base + 5 ? n - base - 5 : 0;
    memset(filler + 3, 'x', room);
    strcpy(filler + 3 + room, "\r\n");
    m.extra = filler;
    return dt_bytes_copy(&p->alloc, dt_str_z(kit_msg_text(&m)));
}

static void flush(struct pairs *p)
{
    struct dt_output o;
    while (dt_outbox_take(&p->out, &o, 1))
        dt_bytes_drop(o.bytes);
    dt_outbox_begin(&p->out);
}

static void open_pair(struct pairs *p, const char *method)
{
    struct dt_hop to = {.local = kit_addr("192.0.2.1:5060", DT_UDP),
                        .remote = kit_addr(PEER, DT_UDP)};
    char branch[40];
    struct dt_writer w = dt_writer(branch, sizeof branch);
    struct dt_bytes *in = sized(p, method, 0, p->at, 900);
    dt_stack_input(p->s, 0,
                   &(struct dt_input){.kind = DT_IN_DATAGRAM,
                                      .local = to.local,
                                      .remote = to.remote,
                                      .data = dt_bytes_str(in)});
    dt_bytes_drop(in);
    struct dt_bytes *trying = sized(p, method, 100, p->at, 350);
    assert_int_equal(dt_stack_respond(p->s, 0, p->server[p->at], 100, trying), DT_OK);
    dt_bytes_drop(trying);
    struct dt_bytes *out = sized(p, method, 0, p->at, 1000);
    dt_writef(&w, "z9hG4bK%zu", p->at);
    struct dt_request r = {.bytes = out,
                           .to = to,
                           .method = dt_method_find(dt_str_z(method)),
                           .branch = dt_writer_str(&w),
                           RFC3261};
    assert_int_equal(dt_stack_request(p->s, 0, &r, &p->client[p->at]), DT_OK);
    dt_bytes_drop(out);
    flush(p);
}

/* The final comes and goes on. */
static void finish_pair(struct pairs *p, const char *method)
{
    struct dt_bytes *final = sized(p, method, 200, p->at, 400);
    dt_stack_input(p->s, 0,
                   &(struct dt_input){.kind = DT_IN_DATAGRAM,
                                      .local = kit_addr("192.0.2.1:5060", DT_UDP),
                                      .remote = kit_addr(PEER, DT_UDP),
                                      .data = dt_bytes_str(final)});
    assert_int_equal(dt_stack_respond(p->s, 0, p->server[p->at], 200, final), DT_OK);
    dt_bytes_drop(final);
    flush(p);
}

static const struct {
    const char *method;
    size_t open_max, linger_max;
} sizes[] = {
    /* 3 KiB with all buffers; then key and state of both, and two words each in heap and map */
    {"INVITE", 3072, 2 * 128 + 64},
    /* the server's final response with its padding besides */
    {"OPTIONS", 3072, 2 * 128 + 64 + 400 + DT_PAD + sizeof(struct dt_bytes)},
};

static void test_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pairs p = {.total = 0};
        p.alloc = (struct dt_alloc){count_resize, &p.total};
        dt_env_init(&p.env, 1);
        p.env.alloc = &p.alloc;
        dt_outbox_init(&p.out, &p.alloc);
        p.s = dt_stack_new(&(struct dt_stack_config){.t1 = 0}, &p.env, &p.out, &counting_ops, &p);
        size_t empty = p.total;
        for (p.at = 0; p.at < PAIRS; p.at++)
            open_pair(&p, sizes[i].method);
        size_t open = (p.total - empty) / PAIRS;
        for (p.at = 0; p.at < PAIRS; p.at++)
            finish_pair(&p, sizes[i].method);
        size_t linger = (p.total - empty) / PAIRS;
        print_message("%s pair: %zu bytes open, %zu lingering\n", sizes[i].method, open, linger);
        assert_true(open <= sizes[i].open_max);
        assert_true(linger <= sizes[i].linger_max);
        dt_stack_free(p.s);
        dt_outbox_clear(&p.out);
        assert_int_equal(p.total, 0);
    }
}

/* ---- the limit (I37) ---- */

static const char *with_tag(const char *method, unsigned n, const char *to_tag)
{
    static char via[80];
    struct dt_writer w = dt_writer(via, sizeof via - 1);
    dt_writef(&w, "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%u", n);
    via[w.n] = '\0';
    return KIT_MSG(.method = method, .via = via, .to_tag = to_tag);
}

static const char *with_branch(const char *method, unsigned n)
{
    return with_tag(method, n, NULL);
}

static void test_limit(void **state)
{
    struct kit_stack k;
    dt_tx first, tx;
    (void)state;
    kit_stack_open(&k, &(struct dt_stack_config){.max_transactions = 2});
    kit_stack_recv(&k, PEER, with_branch("INVITE", 1));
    first = k.tx;
    dt_stack_set_cookie(k.s, first, 7);
    assert_int_equal(kit_stack_request(&k, KIT_MSG(.method = "OPTIONS"),
                                       (struct dt_request){.cookie = 8, RFC3261}, &tx),
                     DT_OK);
    kit_stack_hush(&k);
    kit_stack_recv(&k, PEER, with_branch("INVITE", 2));
    assert_true(dt_str_search(dt_bytes_str(k.last), DT_STR("\r\nRetry-After: ")) < k.last->n);
    kit_stack_recv(&k, PEER, with_branch("ACK", 2)); /* of the 503: for nobody, no answer */
    kit_stack_recv(&k, PEER, with_branch("BYE", 3));
    assert_int_equal(
        kit_stack_request(&k, KIT_MSG(.method = "INFO"), (struct dt_request){RFC3261}, &tx),
        DT_E_LIMIT);
    kit_stack_log(&k, "0 > 192.0.2.2:5060 503\n0 request ACK without transaction\n"
                      "0 > 192.0.2.2:5060 503\n");
    assert_int_equal(dt_stack_counts(k.s)->refused_limit, 2);
    assert_int_equal(dt_stack_counts(k.s)->transactions, 2);
    /* What is under way goes on: repeats, CANCEL, the final, its ACK. */
    kit_stack_recv(&k, PEER, with_branch("INVITE", 1));
    kit_stack_recv(&k, PEER, with_branch("CANCEL", 1));
    dt_stack_answer(k.s, k.now, first, 487, DT_STR("t"), DT_STR_NONE);
    kit_stack_drain(&k);
    kit_stack_recv(&k, PEER, with_branch("ACK", 1));
    kit_stack_recv(&k, PEER, KIT_MSG(.method = "OPTIONS", .status = 200));
    kit_stack_until(&k, 6000);
    kit_stack_log(&k, "0 cancel #7\n0 > 192.0.2.2:5060 200\n0 > 192.0.2.2:5060 487\n"
                      "0 response 200 #8\n5000 ended #7\n5000 ended #8\n");
    kit_stack_recv(&k, PEER, with_branch("INVITE", 2)); /* its copy has been refused */
    kit_stack_recv(&k, PEER, with_branch("INVITE", 4));
    kit_stack_log(&k, "6000 > 192.0.2.2:5060 503\n6000 request INVITE\n");
    kit_stack_close(&k);
}

/* What has ended counts as a tenth, the last eighth is for requests inside dialogs, and a refusal
 * is remembered for 64 T1. */
static void test_room(void **state)
{
    enum { MOST = 16, BEGUN = 14 };
    struct kit_stack k;
    dt_tx txs[MOST];
    (void)state;
    kit_stack_open(&k, &(struct dt_stack_config){.max_transactions = MOST});
    for (unsigned i = 0; i < MOST; i++) {
        kit_stack_recv(&k, PEER, i < BEGUN ? with_branch("OPTIONS", i) : with_tag("INFO", i, "t"));
        txs[i] = k.tx;
        if (i + 1 == BEGUN) {
            kit_stack_hush(&k);
            kit_stack_recv(&k, PEER, with_branch("OPTIONS", 100));
            kit_stack_log(&k, "0 > 192.0.2.2:5060 503\n");
        }
    }
    kit_stack_log(&k, "0 request INFO\n0 request INFO\n");
    kit_stack_recv(&k, PEER, with_tag("INFO", MOST, "t"));
    kit_stack_log(&k, "0 > 192.0.2.2:5060 503\n");
    for (unsigned i = 0; i < MOST; i++)
        assert_int_equal(dt_stack_answer(k.s, k.now, txs[i], 200, DT_STR("t"), DT_STR_NONE), DT_OK);
    kit_stack_drain(&k);
    kit_stack_hush(&k);
    assert_int_equal(dt_stack_counts(k.s)->transactions, MOST);
    assert_int_equal(dt_stack_counts(k.s)->lingering, MOST);
    kit_stack_recv(&k, PEER, with_branch("OPTIONS", 101));
    kit_stack_recv(&k, PEER, with_branch("OPTIONS", 100));
    kit_stack_log(&k, "0 request OPTIONS\n0 > 192.0.2.2:5060 503\n");
    kit_stack_until(&k, 32000);
    kit_stack_hush(&k);
    assert_int_equal(dt_stack_counts(k.s)->lingering, 0);
    kit_stack_recv(&k, PEER, with_branch("OPTIONS", 100));
    kit_stack_log(&k, "32000 request OPTIONS\n");
    kit_stack_close(&k);
}

/* ---- without memory (I39) ---- */

static void stream_event(struct kit_stack *k, enum dt_input_kind kind, uint64_t stream,
                         struct dt_str text)
{
    kit_stack_input(k, &(struct dt_input){.kind = kind,
                                          .stream = stream,
                                          .accepted = stream % 2,
                                          .local = kit_addr("192.0.2.1:5060", DT_TCP),
                                          .remote = kit_addr("192.0.2.2:40000", DT_TCP),
                                          .data = text});
}

static void as_client(struct kit_stack *k)
{
    dt_tx tx, cancel;
    (void)kit_stack_request(k, KIT_MSG(.method = "INVITE"),
                            (struct dt_request){.cookie = 1, RFC3261}, &tx);
    kit_stack_until(k, 600);
    kit_stack_recv(k, PEER, KIT_MSG(.method = "INVITE", .status = 180, .to_tag = "t"));
    (void)dt_stack_cancel(k->s, k->now, tx, 2, &cancel);
    kit_stack_drain(k);
    kit_stack_recv(k, PEER, KIT_MSG(.method = "CANCEL", .status = 200, .to_tag = "t"));
    kit_stack_recv(k, PEER, KIT_MSG(.method = "INVITE", .status = 487, .to_tag = "t"));
    kit_stack_recv(k, PEER, KIT_MSG(.method = "INVITE", .status = 487, .to_tag = "t"));
}

/* A user that could not answer tries again: nobody else ends an INVITE. */
static void insist(struct kit_stack *k, dt_tx tx, int status)
{
    if (dt_stack_answer(k->s, k->now, tx, status, DT_STR("t"), DT_STR_NONE) == DT_E_NOMEM)
        assert_int_equal(dt_stack_answer(k->s, k->now, tx, status, DT_STR("t"), DT_STR_NONE),
                         DT_OK);
    kit_stack_drain(k);
}

static void as_server(struct kit_stack *k)
{
    k->tx = 0;
    kit_stack_recv(k, PEER, with_branch("INVITE", 1));
    dt_tx invite = k->tx;
    insist(k, invite, 180);
    kit_stack_recv(k, PEER, with_branch("CANCEL", 1));
    kit_stack_recv(k, PEER, with_branch("CANCEL", 1));
    insist(k, invite, 487);
    kit_stack_until(k, 2000);
    kit_stack_recv(k, PEER, with_branch("ACK", 1));
    kit_stack_recv(k, PEER, "BYE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2\r\n\r\n");
}

static void over_streams(struct kit_stack *k)
{
    struct dt_request r = {.to.remote = kit_addr("192.0.2.2:40000", DT_TCP), .cookie = 3, RFC3261};
    struct dt_str text = dt_str_z(with_branch("OPTIONS", 9));
    dt_tx tx;
    (void)kit_stack_request(k, KIT_MSG(.method = "INFO"), r, &tx);
    stream_event(k, DT_IN_STREAM_OPEN, 2, DT_STR_NONE);
    stream_event(k, DT_IN_STREAM_OPEN, 1, DT_STR_NONE);
    stream_event(k, DT_IN_STREAM_DATA, 1, DT_STR("\r\n\r\n"));
    stream_event(k, DT_IN_STREAM_DATA, 1, dt_str_sub(text, 0, 50));
    stream_event(k, DT_IN_STREAM_DATA, 1, dt_str_sub(text, 50, text.n));
    insist(k, k->tx, 200);
    stream_event(k, DT_IN_STREAM_CLOSED, 2, DT_STR_NONE);
}

/* I39: who cannot answer lets go of the request, and its repeat is a new one. */
static void test_unanswered(void **state)
{
    static struct kit_stack k;
    static const char *const methods[] = {"INVITE", "BYE"};
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        kit_stack_open(&k, NULL);
        kit_stack_recv(&k, PEER, with_branch(methods[i], 1));
        dt_stack_set_cookie(k.s, k.tx, 7);
        kit_stack_hush(&k);
        k.mem.fail_at = k.mem.calls + 1;
        assert_int_equal(dt_stack_answer(k.s, k.now, k.tx, 486, DT_STR("t"), DT_STR_NONE),
                         DT_E_NOMEM);
        kit_stack_until(&k, 1);
        kit_stack_log(&k, "0 ended #7\n");
        kit_stack_recv(&k, PEER, with_branch(methods[i], 1));
        assert_int_equal(dt_stack_answer(k.s, k.now, k.tx, 486, DT_STR("t"), DT_STR_NONE), DT_OK);
        dt_stack_unanswered(k.s, k.now, k.tx); /* what is answered stays */
        kit_stack_drain(&k);
        kit_stack_until(&k, 400);
        kit_stack_recv(&k, PEER, with_branch(methods[i], 1));
        char want[128];
        struct dt_writer w = dt_writer(want, sizeof want - 1);
        dt_writef(&w, "1 request %s\n1 > 192.0.2.2:5060 486\n400 > 192.0.2.2:5060 486\n",
                  methods[i]);
        want[w.n] = '\0';
        kit_stack_log(&k, want);
        kit_stack_close(&k);
    }
}

/* I39: a request for which there is no memory is as if it were lost: over UDP it comes again. Over
 * a stream it would not. */
static void test_new_without_memory(void **state)
{
    static struct kit_stack k;
    (void)state;
    kit_stack_open(&k, NULL);
    k.mem.fail_at = k.mem.calls + 1;
    kit_stack_recv(&k, PEER, with_branch("INVITE", 1));
    assert_true(k.mem.calls >= k.mem.fail_at);
    kit_stack_log(&k, "0 dropped: no memory\n");
    kit_stack_recv(&k, PEER, with_branch("INVITE", 1));
    kit_stack_log(&k, "0 request INVITE\n");
    kit_stack_close(&k);
}

/* There is no memory for the CANCEL of an INVITE that rings: 64 T1 later it is over all the same.
 */
static void test_no_memory_to_cancel(void **state)
{
    static struct kit_stack k;
    const struct dt_hop to = {.local = kit_addr("192.0.2.1:5060", DT_UDP),
                              .remote = kit_addr(PEER, DT_UDP)};
    dt_tx tx, cancel;
    (void)state;
    for (size_t n = 1; n <= 2; n++) { /* its bytes; its transaction */
        kit_stack_open(&k, NULL);
        kit_stack_request(&k, KIT_MSG(.method = "INVITE"),
                          (struct dt_request){.cookie = 1, .to = to, .repeats = 6}, &tx);
        kit_stack_recv(&k, PEER, KIT_MSG(.method = "INVITE", .status = 180, .to_tag = "t"));
        kit_stack_until(&k, 1000);
        kit_stack_hush(&k);
        k.mem.fail_at = k.mem.calls + n;
        assert_int_equal(dt_stack_cancel(k.s, k.now, tx, 2, &cancel), DT_E_NOMEM);
        k.mem.fail_at = 0;
        kit_stack_until(&k, 34000);
        kit_stack_log(&k, "33000 failed #1: no answer in time\n");
        kit_stack_close(&k);
    }
}

/* A CANCEL has its effect, whatever allocation fails, and is never refused. */
static void test_cancel_without_memory(void **state)
{
    static struct kit_stack k;
    bool failed = true;
    (void)state;
    for (size_t n = 1; failed; n++) {
        kit_stack_open(&k, NULL);
        kit_stack_recv(&k, PEER, with_branch("INVITE", 1));
        kit_stack_hush(&k);
        k.mem.fail_at = k.mem.calls + n;
        kit_stack_recv(&k, PEER, with_branch("CANCEL", 1));
        failed = k.mem.calls >= k.mem.fail_at;
        k.mem.fail_at = 0;
        struct dt_str log = {k.log, k.log_n};
        assert_true(dt_str_search(log, DT_STR("0 cancel")) < log.n);
        assert_int_equal(dt_str_search(log, DT_STR(" 503")), log.n);
        kit_stack_hush(&k);
        kit_stack_recv(&k, PEER, with_branch("CANCEL", 1));
        kit_stack_log(&k, "0 > 192.0.2.2:5060 200\n");
        kit_stack_close(&k);
    }
}

/* After whatever failed, all works. */
static void check_works(struct kit_stack *k)
{
    kit_stack_until(k, 400000);
    assert_int_equal(dt_stack_counts(k->s)->transactions, 0);
    assert_int_equal(dt_stack_counts(k->s)->streams, 0);
    assert_int_equal(dt_stack_deadline(k->s), DT_TIME_NEVER);
    kit_stack_hush(k);
    kit_stack_recv(k, PEER, with_branch("OPTIONS", 77));
    assert_int_equal(dt_stack_answer(k->s, k->now, k->tx, 200, DT_STR("t"), DT_STR_NONE), DT_OK);
    kit_stack_drain(k);
    kit_stack_log(k, "400000 request OPTIONS\n400000 > 192.0.2.2:5060 200\n");
}

static bool run_failing(size_t nth)
{
    static struct kit_stack k;
    bool failed = true;
    memset(&k, 0, sizeof k);
    kit_alloc_init(&k.mem);
    k.mem.fail_at = nth;
    if (kit_stack_try(&k, NULL)) {
        as_client(&k);
        as_server(&k);
        over_streams(&k);
        kit_stack_until(&k, 300000);
        failed = k.mem.calls >= nth;
        k.mem.fail_at = 0;
        check_works(&k);
    }
    kit_stack_close(&k);
    return failed;
}

static void test_no_memory(void **state)
{
    size_t n = 1;
    (void)state;
    while (run_failing(n))
        n++;
    print_message("%zu calls failed, one at a time\n", n - 1);
    assert_true(n > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_unanswered),
        cmocka_unit_test(test_no_memory_to_cancel),
        cmocka_unit_test(test_cancel_without_memory),
        cmocka_unit_test(test_new_without_memory),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
