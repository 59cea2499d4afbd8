/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include "store/location.h"

#define AOR DT_STR("sip:bob@example.com")

struct fixture {
    struct kit_alloc mem;
    struct dt_env env;
    struct dt_location *l;
};

static void open_with(struct fixture *f, uint32_t max_bindings, uint32_t max_contacts)
{
    struct dt_location_config cfg = {.max_bindings = max_bindings, .max_contacts = max_contacts};
    kit_alloc_init(&f->mem);
    dt_env_init(&f->env, 1);
    f->env.alloc = &f->mem.alloc;
    f->l = dt_location_new(&cfg, &f->env);
    assert_non_null(f->l);
}

static void open_default(struct fixture *f)
{
    open_with(f, 100, 10);
}

static void shut(struct fixture *f)
{
    dt_location_free(f->l);
    assert_int_equal(f->mem.live, 0);
}

/* "contact=expires contact=expires ..."; "*" alone is the star. */
static int update_at(struct fixture *f, dt_time now, const char *aor, const char *call_id,
                     uint32_t cseq, const char *contacts)
{
    struct dt_location_contact list[DT_CONTACTS_MAX + 1];
    struct dt_location_update u = {
        .aor = dt_str_z(aor), .call_id = dt_str_z(call_id), .cseq = cseq, .contacts = list};
    struct dt_reader r = dt_reader(dt_str_z(contacts));
    while (!dt_reader_end(&r)) {
        struct dt_str word = dt_reader_until(&r, ' ');
        dt_reader_char(&r, ' ');
        size_t eq = dt_str_find(word, '=');
        uint64_t expires = 0;
        u.star = u.star || dt_str_eq(word, DT_STR("*"));
        dt_str_u64(dt_str_sub(word, eq + 1, word.n), UINT32_MAX, &expires);
        list[u.n++] = (struct dt_location_contact){
            .uri = dt_str_sub(word, 0, eq), .q = DT_Q_MAX, .expires = (uint32_t)expires};
    }
    u.n = u.star ? 0 : u.n;
    return dt_location_update(f->l, now, &u);
}

static int update(struct fixture *f, const char *call_id, uint32_t cseq, const char *contacts)
{
    return update_at(f, 0, "sip:bob@example.com", call_id, cseq, contacts);
}

/* The contacts of AOR, by blanks. */
static void expect_at(struct fixture *f, dt_time now, const char *want)
{
    const struct dt_binding *found[DT_CONTACTS_MAX];
    char text[4096];
    struct dt_writer w = dt_writer(text, sizeof text);
    size_t n = dt_location_find(f->l, now, AOR, found, DT_CONTACTS_MAX, NULL);
    for (size_t i = 0; i < n; i++) {
        if (i)
            dt_write_char(&w, ' ');
        dt_write(&w, dt_binding_contact(found[i]));
    }
    kit_assert_str(dt_writer_str(&w), want);
}

static void expect(struct fixture *f, const char *want)
{
    expect_at(f, 0, want);
}

/* ---- one REGISTER after the other ---- */

static void steps_of_10_3(void **state)
{
    static const struct {
        const char *call_id;
        uint32_t cseq;
        const char *contacts;
        int err;
        const char *then;
    } rows[] = {
        {"c1", 1, "sip:b@h1=60", DT_OK, "sip:b@h1"},
        {"c1", 1, "sip:b@h1=60", DT_OK, "sip:b@h1"},      /* a repeat: idempotent (R14) */
        {"c1", 1, "sip:b@h1=0", DT_E_STALE, "sip:b@h1"},  /* equal CSeq, other contents */
        {"c1", 0, "sip:b@h1=60", DT_E_STALE, "sip:b@h1"}, /* lower CSeq */
        {"c1", 2, "sip:b@h2=60", DT_OK, "sip:b@h1 sip:b@h2"},
        {"c2", 1, "sip:b@h1=60", DT_OK, "sip:b@h1 sip:b@h2"}, /* another Call-ID may */
        {"c2", 1, "sip:b@h3=60 sip:b@h1=60", DT_E_STALE, "sip:b@h1 sip:b@h2"}, /* half a repeat */
        {"c2", 0, "sip:b@h3=60 sip:b@h1=0", DT_E_STALE, "sip:b@h1 sip:b@h2"},  /* all or nothing */
        {"c2", 3, "sip:b@h3=60 sip:b@h1=0", DT_OK, "sip:b@h2 sip:b@h3"},
        {"c2", 3, "sip:b@h3=60 sip:b@h1=0", DT_OK, "sip:b@h2 sip:b@h3"},
        {"c3", 1, "SIP:b@H3=60", DT_OK, "sip:b@h2 SIP:b@H3"}, /* equal by 19.1.4 */
        {"c3", 2, "", DT_OK, "sip:b@h2 SIP:b@H3"},            /* a query */
        {"c3", 3, "sip:b@h9=1 sip:b@h9=1", DT_E_SYNTAX, "sip:b@h2 SIP:b@H3"},
        {"c3", 3, "b@h9=1", DT_E_SYNTAX, "sip:b@h2 SIP:b@H3"},
        {"c1", 2, "*", DT_E_STALE, "sip:b@h2 SIP:b@H3"}, /* h2 has Call-ID c1, CSeq 2 */
        {"c1", 3, "*", DT_OK, ""},
        {"c1", 4, "sip:b@h1=60", DT_OK, "sip:b@h1"},
        {"c1", 3, "*", DT_OK, "sip:b@h1"}, /* the star's repeat */
    };
    struct fixture f;
    (void)state;
    open_default(&f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int err = update(&f, rows[i].call_id, rows[i].cseq, rows[i].contacts);
        if (err != rows[i].err)
            fail_msg("row %zu: %d, not %d", i, err, rows[i].err);
        expect(&f, rows[i].then);
    }
    shut(&f);
}

/* I25: whatever the order of delivery, the set is that of the accepted ones in CSeq order. */
static void any_order_of_delivery(void **state)
{
    static const char *const wants[] = {"sip:b@h1=60", "sip:b@h1=0", "sip:b@h1=60 sip:b@h2=60",
                                        "sip:b@h1=0"};
    static const char *const stars[] = {"sip:b@h1=60", "sip:b@h2=60", "*", "sip:b@h3=60"};
    static const unsigned orders[24][4] = {
        {0, 1, 2, 3}, {0, 1, 3, 2}, {0, 2, 1, 3}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1},
        {1, 0, 2, 3}, {1, 0, 3, 2}, {1, 2, 0, 3}, {1, 2, 3, 0}, {1, 3, 0, 2}, {1, 3, 2, 0},
        {2, 0, 1, 3}, {2, 0, 3, 1}, {2, 1, 0, 3}, {2, 1, 3, 0}, {2, 3, 0, 1}, {2, 3, 1, 0},
        {3, 0, 1, 2}, {3, 0, 2, 1}, {3, 1, 0, 2}, {3, 1, 2, 0}, {3, 2, 0, 1}, {3, 2, 1, 0}};
    (void)state;
    for (size_t o = 0; o < 24; o++) {
        struct fixture f;
        bool accepted[4];
        open_default(&f);
        for (size_t i = 0; i < 4; i++)
            accepted[orders[o][i]] = !update(&f, "c", orders[o][i] + 1, wants[orders[o][i]]);
        expect(&f, accepted[2] ? "sip:b@h2" : ""); /* the last word about h1 is: remove */
        assert_true(accepted[3]);
        shut(&f);
        open_default(&f);
        for (size_t i = 0; i < 4; i++)
            accepted[orders[o][i]] = !update(&f, "c", orders[o][i] + 1, stars[orders[o][i]]);
        if (accepted[2])
            expect(&f, "sip:b@h3");
        else /* refused: it would have removed a later one of its Call-ID (10.3 step 6) */
            assert_int_equal(dt_location_count(f.l).bindings, 1 + accepted[0] + accepted[1]);
        shut(&f);
    }
}

/* ---- time ---- */

static void bindings_run_out(void **state)
{
    struct fixture f;
    (void)state;
    open_default(&f);
    assert_int_equal(update(&f, "c", 1, "sip:b@h1=60 sip:b@h2=30"), DT_OK);
    assert_int_equal(dt_location_deadline(f.l), 30 * DT_SECOND);
    expect_at(&f, 30 * DT_SECOND - 1, "sip:b@h1 sip:b@h2");
    expect_at(&f, 30 * DT_SECOND, "sip:b@h1");
    uint64_t version = dt_location_count(f.l).version;
    dt_location_tick(f.l, 30 * DT_SECOND);
    assert_int_equal(dt_location_count(f.l).bindings, 1);
    assert_true(dt_location_count(f.l).version > version);
    dt_location_tick(f.l, 60 * DT_SECOND);
    assert_int_equal(dt_location_count(f.l).aors, 0);
    assert_true(dt_location_deadline(f.l) == DT_TIME_NEVER);
    shut(&f);
}

static void removed_ones_are_forgotten_in_time(void **state)
{
    struct fixture f;
    bool known;
    const struct dt_binding *found[1];
    (void)state;
    open_default(&f);
    assert_int_equal(update(&f, "c", 1, "sip:b@h1=60"), DT_OK);
    assert_int_equal(update(&f, "c", 2, "sip:b@h1=0"), DT_OK);
    assert_int_equal(dt_location_count(f.l).bindings, 0);
    assert_int_equal(dt_location_count(f.l).removed, 1);
    assert_int_equal(dt_location_find(f.l, 0, AOR, found, 1, &known), 0);
    assert_true(known);
    dt_location_tick(f.l, 64 * DT_SECOND);
    assert_int_equal(dt_location_find(f.l, 0, AOR, found, 1, &known), 0);
    assert_false(known);
    shut(&f);
}

static void seconds_left_are_rounded_up(void **state)
{
    struct fixture f;
    const struct dt_binding *found[1];
    (void)state;
    open_default(&f);
    update(&f, "c", 1, "sip:b@h1=60");
    dt_location_find(f.l, 0, AOR, found, 1, NULL);
    assert_int_equal(dt_binding_left(found[0], 0), 60);
    assert_int_equal(dt_binding_left(found[0], 1), 60);
    assert_int_equal(dt_binding_left(found[0], 59 * DT_SECOND + 1), 1);
    assert_int_equal(dt_binding_left(found[0], 61 * DT_SECOND), 0);
    shut(&f);
}

/* ---- what is kept ---- */

static void all_of_a_binding(void **state)
{
    struct fixture f;
    const struct dt_binding *found[3];
    struct dt_binding_flow flow = {.stream = 7, .remote = {.port = 5070, .family = 4}};
    struct dt_location_contact c[2] = {
        {.uri = DT_STR("sip:b@h1"), .q = 300, .expires = 9},
        {.uri = DT_STR("sip:b@h2"), .instance = DT_STR("<urn:uuid:1>"), .q = 700, .expires = 9}};
    struct dt_location_update u = {.aor = AOR,
                                   .call_id = DT_STR("c@h"),
                                   .cseq = 5,
                                   .path = DT_STR("<sip:p1;lr>"),
                                   .flow = flow,
                                   .contacts = c,
                                   .n = 2};
    (void)state;
    open_default(&f);
    assert_int_equal(dt_location_update(f.l, 0, &u), DT_OK);
    assert_int_equal(dt_location_find(f.l, 0, AOR, found, 3, NULL), 2);
    kit_assert_str(dt_binding_contact(found[0]), "sip:b@h2"); /* higher q first */
    kit_assert_str(dt_binding_instance(found[0]), "<urn:uuid:1>");
    kit_assert_str(dt_binding_path(found[0]), "<sip:p1;lr>");
    kit_assert_str(dt_binding_call_id(found[0]), "c@h");
    assert_int_equal(found[0]->cseq, 5);
    assert_int_equal(found[0]->flow.stream, 7);
    assert_int_equal(found[0]->flow.remote.port, 5070);
    assert_int_equal(found[1]->q, 300);
    shut(&f);
}

/* ---- bounds (I37) and memory (I39) ---- */

static void limits(void **state)
{
    struct fixture f;
    (void)state;
    open_with(&f, 3, 2);
    assert_int_equal(update(&f, "c", 1, "sip:b@h1=60 sip:b@h2=60"), DT_OK);
    assert_int_equal(update(&f, "c", 2, "sip:b@h3=60"), DT_E_LIMIT);
    assert_int_equal(update(&f, "c", 3, "sip:b@h1=0 sip:b@h3=60"), DT_OK); /* one goes, one comes */
    expect(&f, "sip:b@h2 sip:b@h3");
    assert_int_equal(update_at(&f, 0, "sip:a", "c", 1, "sip:a@h=60"), DT_OK);
    assert_int_equal(update_at(&f, 0, "sip:c", "c", 1, "sip:c@h=60"), DT_E_RANGE);
    assert_int_equal(update(&f, "c", 4, "sip:b@h2=60"), DT_OK); /* what is there is refreshed */
    assert_int_equal(dt_location_count(f.l).bindings, 3);
    /* what is remembered as removed is bounded too */
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(update_at(&f, 0, "sip:d", "c", i + 1, "sip:d@h=0 sip:e@h=0"), DT_OK);
    assert_true(dt_location_count(f.l).removed <= 4);
    shut(&f);
}

static int scenario(struct fixture *f)
{
    int err = update(f, "c", 1, "sip:b@h1=60 sip:b@h2=60");
    if (!err)
        err = update(f, "c", 2, "sip:b@h1=0 sip:b@h3=60");
    if (!err)
        err = update(f, "c", 3, "*");
    return err ? err : update(f, "c", 4, "sip:b@h4=60");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct fixture f;
        open_default(&f);
        f.mem.calls = 0;
        f.mem.fail_at = n;
        int err = scenario(&f);
        f.mem.fail_at = 0;
        if (err) {
            assert_int_equal(err, DT_E_NOMEM);
            assert_int_equal(update(&f, "c", 9, "sip:b@h9=60"), DT_OK); /* works again */
        }
        shut(&f);
        if (!err)
            break;
        assert_true(n < 100);
    }
}

/* The target is 450 bytes a binding, all told. */
static void memory_of_a_binding(void **state)
{
    struct dt_binding b;
    (void)state;
    assert_true(sizeof b <= 176);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_10_3),
        cmocka_unit_test(any_order_of_delivery),
        cmocka_unit_test(bindings_run_out),
        cmocka_unit_test(removed_ones_are_forgotten_in_time),
        cmocka_unit_test(seconds_left_are_rounded_up),
        cmocka_unit_test(all_of_a_binding),
        cmocka_unit_test(limits),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(memory_of_a_binding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
