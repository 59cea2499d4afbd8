/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include "dualtone/containers.h"

/* ---- list ---- */

struct thing {
    int id;
    struct dt_list link;
};

static void list_keeps_order_and_lets_go(void **state)
{
    (void)state;
    struct dt_list head;
    struct thing things[4];
    int sum = 0, count = 0;
    dt_list_init(&head);
    assert_true(dt_list_empty(&head));
    for (int i = 0; i < 4; i++) {
        things[i].id = i;
        dt_list_add(&head, &things[i].link);
    }
    DT_LIST_EACH(e, &head)
    {
        struct thing *t = DT_OF(e, struct thing, link);
        assert_int_equal(t->id, count++);
        if (t->id % 2)
            dt_list_del(&t->link);
    }
    dt_list_del(&things[1].link); /* of no list any more */
    DT_LIST_EACH(e, &head)
    sum = sum * 10 + DT_OF(e, struct thing, link)->id;
    assert_int_equal(count, 4);
    assert_int_equal(sum, 2);
}

/* ---- map ---- */

enum { ENTRIES = 500 };

struct item {
    struct dt_map_entry entry;
    char key[16];
};

static struct dt_str key_of(struct item *it, int i)
{
    it->key[0] = 'k';
    for (int at = 1; at < 5; at++, i /= 10)
        it->key[at] = (char)('0' + i % 10);
    return (struct dt_str){it->key, 5};
}

static struct item *find(const struct dt_map *m, struct dt_str key)
{
    struct dt_map_entry *e = dt_map_first(m, dt_map_hash(m, key));
    for (; e; e = dt_map_next(e)) {
        struct item *it = DT_OF(e, struct item, entry);
        if (dt_str_eq((struct dt_str){it->key, 5}, key))
            return it;
    }
    return NULL;
}

static void map_finds_what_was_added(void **state)
{
    (void)state;
    static struct item items[ENTRIES];
    struct kit_alloc k;
    struct dt_map m;
    kit_alloc_init(&k);
    dt_map_init(&m, &k.alloc, (uint64_t[2]){1, 2});
    assert_null(find(&m, DT_STR("k0000")));
    dt_map_del(&m, &items[0].entry); /* of an empty map */
    for (int i = 0; i < ENTRIES; i++) {
        struct dt_str key = key_of(&items[i], i);
        assert_int_equal(dt_map_add(&m, &items[i].entry, dt_map_hash(&m, key)), DT_OK);
    }
    assert_int_equal(m.n, ENTRIES);
    for (int i = 0; i < ENTRIES; i += 2)
        dt_map_del(&m, &items[i].entry);
    dt_map_del(&m, &items[0].entry); /* twice is harmless */
    assert_int_equal(m.n, ENTRIES / 2);
    for (int i = 0; i < ENTRIES; i++)
        assert_ptr_equal(find(&m, (struct dt_str){items[i].key, 5}), i % 2 ? &items[i] : NULL);
    dt_map_clear(&m);
    assert_int_equal(k.live, 0);
    assert_null(find(&m, DT_STR("k0001")));
}

/* It grows bit by bit: at each moment all is found, each third is taken out again, and an entry
 * added twice under one hash is found newest first. */
static void map_finds_all_while_it_grows(void **state)
{
    enum { MANY = 700 };
    static struct item items[MANY];
    static struct dt_map_entry twins[MANY];
    struct dt_map m;
    (void)state;
    dt_map_init(&m, &dt_alloc_libc, (uint64_t[2]){1, 2});
    for (int i = 0; i < MANY; i++) {
        struct dt_str key = key_of(&items[i], i);
        uint64_t hash = dt_map_hash(&m, key);
        assert_int_equal(dt_map_add(&m, &items[i].entry, hash), DT_OK);
        assert_int_equal(dt_map_add(&m, &twins[i], hash), DT_OK);
        if (i % 3 == 0)
            dt_map_del(&m, &items[i].entry);
        for (int k = 0; k <= i; k++) {
            struct dt_map_entry *e = dt_map_first(&m, twins[k].hash);
            assert_ptr_equal(e, &twins[k]);
            assert_ptr_equal(dt_map_next(e), k % 3 ? &items[k].entry : NULL);
        }
    }
    dt_map_clear(&m);
}

static void newest_of_equal_hashes_comes_first(void **state)
{
    (void)state;
    static struct item items[200];
    struct dt_map m;
    dt_map_init(&m, &dt_alloc_libc, (uint64_t[2]){1, 2});
    /* Two hashes in turn, and enough of them that the table grows in between. */
    for (int i = 0; i < 200; i++)
        assert_int_equal(dt_map_add(&m, &items[i].entry, i % 2 ? 16 : 0), DT_OK);
    struct dt_map_entry *e = dt_map_first(&m, 16);
    for (int i = 199; i > 0; i -= 2, e = dt_map_next(e))
        assert_ptr_equal(e, &items[i].entry);
    assert_null(e);
    dt_map_clear(&m);
}

static void map_outlives_failing_memory(void **state)
{
    (void)state;
    static struct item items[ENTRIES];
    for (size_t fail = 1; fail < 8; fail++) {
        struct kit_alloc k;
        struct dt_map m;
        size_t failed = 0;
        kit_alloc_init(&k);
        k.fail_at = fail;
        dt_map_init(&m, &k.alloc, (uint64_t[2]){fail, 2});
        for (int i = 0; i < ENTRIES; i++) {
            uint64_t hash = dt_map_hash(&m, key_of(&items[i], i));
            int err = dt_map_add(&m, &items[i].entry, hash);
            failed += err != 0;
            assert_true(!err || err == DT_E_NOMEM);
            assert_int_equal(find(&m, (struct dt_str){items[i].key, 5}) != NULL, !err);
        }
        assert_int_equal(failed, fail == 1); /* later ones only slow it down */
        assert_int_equal(m.n, ENTRIES - failed);
        dt_map_clear(&m);
        assert_int_equal(k.live, 0);
    }
}

/* ---- timers ---- */

static void timers_fire_in_order(void **state)
{
    (void)state;
    static const dt_time dues[] = {50, 10, 30, 10, 40, 30, 10, 20};
    static const uint32_t order[] = {1, 3, 6, 7, 2, 5, 4, 0}; /* equal ones as they were armed */
    struct dt_timer timers[8];
    struct dt_timers t;
    dt_timers_init(&t, &dt_alloc_libc);
    assert_true(dt_timers_next(&t) == DT_TIME_NEVER);
    assert_null(dt_timers_due(&t, DT_TIME_NEVER));
    for (uint32_t i = 0; i < 8; i++) {
        dt_timer_init(&timers[i], i);
        dt_timers_stop(&t, &timers[i]); /* not armed */
        assert_int_equal(dt_timers_arm(&t, &timers[i], dues[i]), DT_OK);
    }
    assert_true(dt_timers_next(&t) == 10);
    assert_null(dt_timers_due(&t, 9));
    for (int i = 0; i < 8; i++) {
        struct dt_timer *e = dt_timers_due(&t, 50);
        assert_non_null(e);
        assert_int_equal(e->kind, order[i]);
        assert_true(e->due == DT_TIME_NEVER);
    }
    assert_null(dt_timers_due(&t, 50));
    dt_timers_clear(&t);
}

static void arming_anew_moves_behind_equals(void **state)
{
    (void)state;
    struct dt_timer a, b;
    struct dt_timers t;
    dt_timers_init(&t, &dt_alloc_libc);
    dt_timer_init(&a, 1);
    dt_timer_init(&b, 2);
    assert_int_equal(dt_timers_arm(&t, &a, 10), DT_OK);
    assert_int_equal(dt_timers_arm(&t, &b, 10), DT_OK);
    assert_int_equal(dt_timers_arm(&t, &a, 10), DT_OK);
    assert_ptr_equal(dt_timers_due(&t, 10), &b);
    assert_int_equal(dt_timers_arm(&t, &a, DT_TIME_NEVER), DT_OK); /* the same as stop */
    assert_null(dt_timers_due(&t, 10));
    assert_int_equal(dt_timers_arm(&t, &a, -5), DT_OK);
    dt_timers_clear(&t);
    assert_true(a.due == DT_TIME_NEVER);
    dt_timers_stop(&t, &a);
}

enum { MODEL = 200 };

/* The first due timer by looking at all of them. */
static struct dt_timer *slow_due(struct dt_timer *timers, dt_time now)
{
    struct dt_timer *best = NULL;
    for (int i = 0; i < MODEL; i++) {
        struct dt_timer *e = &timers[i];
        if (e->due == DT_TIME_NEVER || e->due > now)
            continue;
        if (!best || e->due < best->due || (e->due == best->due && e->order < best->order))
            best = e;
    }
    return best;
}

/* Deadlines up to `span` away: the nearer, the more are equal. */
static void agree_with_a_slow_model(uint64_t seed, uint64_t span)
{
    struct dt_timer timers[MODEL];
    struct dt_timers t;
    struct dt_rng r;
    dt_time now = 0;
    dt_rng_init(&r, (uint64_t[2]){seed, 4});
    dt_timers_init(&t, &dt_alloc_libc);
    for (uint32_t i = 0; i < MODEL; i++)
        dt_timer_init(&timers[i], i);
    for (int step = 0; step < 20000; step++) {
        struct dt_timer *e = &timers[dt_rng_below(&r, MODEL)];
        struct dt_timer *first = slow_due(timers, DT_TIME_NEVER);
        assert_true(dt_timers_next(&t) == (first ? first->due : DT_TIME_NEVER));
        switch (dt_rng_below(&r, 4)) {
        case 0:
        case 1:
            assert_int_equal(dt_timers_arm(&t, e, now + (dt_time)dt_rng_below(&r, span)), DT_OK);
            break;
        case 2:
            dt_timers_stop(&t, e);
            break;
        default:
            now += (dt_time)dt_rng_below(&r, 4);
            e = slow_due(timers, now);
            assert_ptr_equal(dt_timers_due(&t, now), e);
        }
    }
    dt_timers_clear(&t);
}

static void timers_agree_with_a_slow_model(void **state)
{
    (void)state;
    agree_with_a_slow_model(1, 50);
    agree_with_a_slow_model(2, 1000);
    for (uint64_t seed = 3; seed < 60; seed++)
        agree_with_a_slow_model(seed, 4);
}

static void timers_outlive_failing_memory(void **state)
{
    (void)state;
    for (size_t fail = 1; fail < 6; fail++) {
        struct dt_timer timers[MODEL];
        struct kit_alloc k;
        struct dt_timers t;
        uint32_t armed = 0, fired = 0;
        kit_alloc_init(&k);
        k.fail_at = fail;
        dt_timers_init(&t, &k.alloc);
        for (uint32_t i = 0; i < MODEL; i++) {
            dt_timer_init(&timers[i], i);
            int err = dt_timers_arm(&t, &timers[i], 1000 - (dt_time)i);
            assert_true(!err || err == DT_E_NOMEM);
            assert_int_equal(timers[i].due == DT_TIME_NEVER, err != 0);
            armed += !err;
        }
        assert_in_range(armed, MODEL - 1, MODEL);
        while (dt_timers_due(&t, 1000))
            fired++;
        assert_int_equal(fired, armed);
        dt_timers_clear(&t);
        assert_int_equal(k.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_keeps_order_and_lets_go),
        cmocka_unit_test(map_finds_what_was_added),
        cmocka_unit_test(map_finds_all_while_it_grows),
        cmocka_unit_test(newest_of_equal_hashes_comes_first),
        cmocka_unit_test(map_outlives_failing_memory),
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(arming_anew_moves_behind_equals),
        cmocka_unit_test(timers_agree_with_a_slow_model),
        cmocka_unit_test(timers_outlive_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
