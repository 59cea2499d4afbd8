/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `dualtone why` says of each row of the chooser's table, and of targets, against the texts in
 * tests/golden/why: blocks that begin with "== NAME". A row without a block fails.
 *
 * DT_GOLDEN=FOLDER writes what is said now to files there, to be read and put in their place. */
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/why.h"
#include "dualtone/why.h"

enum { ROWS = 64, DOCUMENT = 64 << 10 };

static struct dt_addr primary = {.ip = {192, 0, 2, 10}, .port = 5060, .family = 4};
static struct dt_addr backup = {.ip = {192, 0, 2, 20}, .port = 5060, .family = 4};

/* ---- from a document to its words ---- */

static char document[DOCUMENT];
static struct dt_writer writer;
static struct dt_json json;

static void begin(const char *list)
{
    writer = dt_writer(document, sizeof(document));
    json = dt_json(&writer);
    dt_json_open(&json, NULL, '{');
    dt_json_open(&json, list, '[');
}

/* The words, to be freed. */
static char *end(void)
{
    char *words = NULL;
    size_t n;
    FILE *to = open_memstream(&words, &n);
    json_t *read;

    dt_json_close(&json, ']');
    dt_json_close(&json, '}');
    assert_int_equal(writer.err, DT_OK);
    read = json_loadb(document, writer.n, 0, NULL);
    assert_non_null(read);
    assert_non_null(to);
    dt__cmd_why_print(to, read);
    fclose(to);
    json_decref(read);
    return words;
}

/* ---- golden files ---- */

static FILE *rewrite(const char *file)
{
    const char *folder = getenv("DT_GOLDEN");
    char path[256];

    if (!folder)
        return NULL;
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    return fopen(path, "w");
}

/* The block of that name: from behind its head to the next head. */
static struct dt_str block(struct dt_str all, const char *name)
{
    char head[100];
    size_t at;
    struct dt_str rest;

    snprintf(head, sizeof(head), "== %s\n", name);
    at = dt_str_search(all, dt_str_z(head));
    if (at == all.n)
        fail_msg("no block \"%s\"", name);
    rest = dt_str_sub(all, at + strlen(head), all.n);
    return dt_str_sub(rest, 0, dt_str_search(rest, DT_STR("== ")));
}

static void compare(FILE *to, struct dt_str all, const char *name, char *words)
{
    if (to) {
        fprintf(to, "== %s\n%s", name, words);
    } else {
        struct dt_str want = block(all, name);
        if (!dt_str_eq(want, dt_str_z(words)))
            fail_msg("%s: want\n%.*s\ngot\n%s", name, DT_FMT(want), words);
    }
    free(words);
}

/* ---- the chooser's table ---- */

struct cell {
    enum dt_attempt_phase phase;
    enum dt_path_state state;
    enum dt_path_event event;
};

static bool find_cell(enum dt_reach_policy policy, int row, struct cell *out)
{
    for (unsigned p = 0; p < DT_ATTEMPT_PHASE_COUNT; p++)
        for (unsigned s = 0; s < DT_PATH_STATE_COUNT; s++)
            for (unsigned e = 0; e < DT_PATH_EVENT_COUNT; e++) {
                *out = (struct cell){(enum dt_attempt_phase)p, (enum dt_path_state)s,
                                     (enum dt_path_event)e};
                if (dt_attempt_rule(policy, out->phase, out->state, out->event) == row)
                    return true;
            }
    return false;
}

/* A dialling whose first path is where the cell has it, 3 s after its INVITE. */
static void set_up(struct dt_attempt *a, enum dt_reach_policy policy, const struct cell *c,
                   struct dt_orders *orders)
{
    struct dt_attempt_config cfg = {.policy = policy,
                                    .servers = 2,
                                    .repeats = 6,
                                    .t1 = 500 * DT_MS,
                                    .ring_time = 180 * DT_SECOND};

    dt_attempt_init(a, &cfg);
    dt_attempt_found(a, 0, 0, &primary, 1, DT_OK, orders);
    dt_attempt_found(a, 0, 1, &backup, 1, DT_OK, orders);
    assert_int_equal(a->n_paths, 1);
    a->phase = c->phase;
    a->paths[0].state = c->state;
    if (c->state == DT_PATH_PROCEEDING || c->state == DT_PATH_RINGING)
        a->paths[0].ring_over = 180 * DT_SECOND;
    if (c->state >= DT_PATH_FAILED)
        a->paths[0].keep_until = 212 * DT_SECOND;
}

static void happen(struct dt_attempt *a, const struct cell *c, struct dt_orders *orders)
{
    static const int statuses[DT_PATH_EVENT_COUNT] = {
        [DT_PATH_EV_100] = 100,      [DT_PATH_EV_1XX] = 180,  [DT_PATH_EV_2XX] = 200,
        [DT_PATH_EV_2XX_FORK] = 200, [DT_PATH_EV_AUTH] = 407, [DT_PATH_EV_REDIRECT] = 302,
        [DT_PATH_EV_BUSY_HOP] = 503, [DT_PATH_EV_SOFT] = 482, [DT_PATH_EV_FINAL] = 486};
    const dt_time now = 3 * DT_SECOND;

    switch (c->event) {
    case DT_PATH_EV_HANGUP:
        dt_attempt_hangup(a, now, orders);
        break;
    case DT_PATH_EV_RING_OVER:
        a->paths[0].ring_over = now;
        dt_attempt_tick(a, now, orders);
        break;
    case DT_PATH_EV_LEFT:
        a->paths[0].left_at = now;
        dt_attempt_tick(a, now, orders);
        break;
    default:
        if (statuses[c->event])
            dt_attempt_status(a, 0, statuses[c->event]);
        dt_attempt_event(a, now, 0, c->event, DT_E_TIMEOUT, orders);
        break;
    }
}

static char *words_of(const struct dt_attempt *a)
{
    begin("calls");
    dt_json_open(&json, NULL, '{');
    dt_json_int(&json, "number", 1);
    dt_json_z(&json, "direction", "out");
    dt_json_z(&json, "who", "sip:1002@example.com");
    dt_json_z(&json, "state", "calling");
    dt_json_int(&json, "since_ms", 4000);
    dt_why_attempt(&json, 4 * DT_SECOND, a, NULL);
    dt_json_close(&json, '}');
    return end();
}

/* Both columns: each row that is reached in one has a text of its own there. */
static void each_row(const char *file, const char *path, enum dt_reach_policy policy)
{
    FILE *to = rewrite(file);
    void *to_free = NULL;
    struct dt_str all = to ? DT_STR_NONE : kit_file(path, &to_free);
    unsigned rows = 0;

    for (int row = 0; row < ROWS; row++) {
        struct dt_attempt a;
        struct dt_orders orders = {.n = 0};
        struct cell c;
        char name[80];
        if (!find_cell(policy, row, &c))
            continue;
        set_up(&a, policy, &c, &orders);
        happen(&a, &c, &orders);
        if (a.n_steps != 1 || a.steps[0].row != row)
            fail_msg("row %d is not what was done (%u steps)", row, a.n_steps);
        static const char *const phases[] = {"trying", "taken", "leaving", "over"};
        snprintf(name, sizeof(name), "%s, %s: %s", phases[c.phase], dt_path_state_name(c.state),
                 dt_path_event_name(c.event));
        compare(to, all, name, words_of(&a));
        rows++;
    }
    assert_true(rows > 20);
    if (to)
        fclose(to);
    free(to_free);
}

static void guide_rows(void **unused)
{
    (void)unused;
    each_row("guide.txt", "golden/why/guide.txt", DT_REACH_GUIDE);
}

static void fast_rows(void **unused)
{
    (void)unused;
    each_row("fast.txt", "golden/why/fast.txt", DT_REACH_FAST);
}

/* Each row has a sentence, and no two the same. */
static void sentences(void **unused)
{
    int n = 0;

    (void)unused;
    for (; dt_attempt_rule_why(n); n++)
        for (int i = 0; i < n; i++)
            assert_string_not_equal(dt_attempt_rule_why(i), dt_attempt_rule_why(n));
    for (int row = n; row < ROWS; row++) {
        struct cell c;
        assert_false(find_cell(DT_REACH_GUIDE, row, &c) || find_cell(DT_REACH_FAST, row, &c));
    }
    assert_true(n > 20);
    assert_null(dt_attempt_rule_why(-1));
}

/* The ring keeps the newest; the count tells of the others. */
static void forgotten(void **unused)
{
    struct dt_attempt a;
    struct dt_orders orders = {.n = 0};
    struct cell c = {DT_ATTEMPT_TRYING, DT_PATH_CALLING, DT_PATH_EV_1XX};
    char *words;

    (void)unused;
    set_up(&a, DT_REACH_GUIDE, &c, &orders);
    for (unsigned i = 0; i < DT_ATTEMPT_STEPS + 5; i++) {
        orders.n = 0;
        dt_attempt_status(&a, 0, 180 + (int)(i % 4));
        dt_attempt_event(&a, (dt_time)i * DT_MS, 0, DT_PATH_EV_1XX, DT_OK, &orders);
    }
    assert_int_equal(a.n_steps, DT_ATTEMPT_STEPS + 5);
    words = words_of(&a);
    assert_non_null(strstr(words, "  5 earlier decisions are forgotten\n"));
    free(words);
}

/* ---- targets ---- */

static struct dt_targets known;

/* A life: heard, silent, dead, back. What is said at each turn. */
static void targets(void **unused)
{
    static const struct {
        const char *name;
        int64_t ms; /* until then probes go on, and are answered or not */
        bool answers;
    } turns[] = {{"new", 100, false},    {"heard", 500, true},  {"silent", 26000, false},
                 {"down", 40000, false}, {"back", 46000, true}, {"good again", 120000, true}};
    FILE *to = rewrite("targets.txt");
    void *to_free = NULL;
    struct dt_str all = to ? DT_STR_NONE : kit_file("golden/why/targets.txt", &to_free);
    struct dt_node_id p = {DT_STR("c1"), DT_STR("p"), 7}, s = {DT_STR("c1"), DT_STR("s"), 8};
    dt_time now = 0;

    (void)unused;
    known = (struct dt_targets){.t1 = 500 * DT_MS};
    (void)dt_targets_add(&known, now, &primary);
    (void)dt_targets_add(&known, now, &backup);
    for (size_t i = 0; i < sizeof(turns) / sizeof(*turns); i++) {
        struct dt_target *g = &known.list[0];
        if (turns[i].answers && i == 1) {
            (void)dt_target_node(now, g, &p);
            (void)dt_target_node(now, &known.list[1], &s);
            (void)dt_target_evidence(now, g, DT_EVIDENCE_RESPONSE);
        }
        for (; now < turns[i].ms * DT_MS; now += 50 * DT_MS)
            if (dt_target_tick(&known, now, g, DT_NEED_IDLE, 0) == DT_TARGET_PROBE &&
                turns[i].answers)
                (void)dt_target_evidence(now, g, DT_EVIDENCE_RESPONSE);
        begin("targets");
        dt_why_target(&json, now, &known, g, DT_NEED_IDLE);
        compare(to, all, turns[i].name, end());
    }
    if (to)
        fclose(to);
    free(to_free);
}

/* ---- documents of anybody ---- */

static void strange_documents(void **unused)
{
    static const struct {
        const char *document, *want;
    } rows[] = {
        {"{}", ""},
        {"[]", ""},
        {"{\"calls\":[],\"targets\":[],\"dropped\":[]}",
         "no target is watched: that is done under proxy_failover fast\n"
         "no calls so far\n"
         "not believed: nothing so far\n"},
        {"{\"calls\":7,\"targets\":{\"a\":1},\"phone\":\"x\",\"dropped\":\"y\"}", NULL},
        {"{\"calls\":[1,null,[],{\"paths\":[3],\"next\":{},\"decisions\":[{\"orders\":[1]}]}]}",
         NULL},
        {"{\"dropped\":[{\"count\":2,\"what\":\"a\\u001b[2Jb\\u009bc\\u0007\"},{\"count\":1,"
         "\"what\":\"d\"}]}",
         "not believed:\n  2 a?[2Jb??c?\n  1 d\n"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char *words = NULL;
        size_t n;
        FILE *to = open_memstream(&words, &n);
        json_t *read = json_loads(rows[i].document, 0, NULL);
        assert_non_null(read);
        dt__cmd_why_print(to, read);
        fclose(to);
        json_decref(read);
        if (rows[i].want)
            assert_string_equal(words, rows[i].want);
        free(words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guide_rows), cmocka_unit_test(fast_rows),
        cmocka_unit_test(sentences),  cmocka_unit_test(forgotten),
        cmocka_unit_test(targets),    cmocka_unit_test(strange_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
