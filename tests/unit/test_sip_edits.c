/* SPDX-License-Identifier: BSD-2-Clause */
#include "testkit.h"

#include <stdlib.h>
#include <string.h>

#include "dualtone/build.h"

static const char request[] = "INVITE sip:b@example.com SIP/2.0\r\n"
                              "Via: A, \"x,y\" , <z,z>\r\n"
                              "v: B\r\n"
                              "Max-Forwards: 70\r\n"
                              "Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\n"
                              "Supported:\r\n"
                              "Via: C\r\n"
                              "\r\n"
                              "body\r\n";

/* A parsed copy of `text` at the end of its page. */
struct parsed {
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
};

static void parse(struct parsed *p, unsigned slot, struct dt_str text)
{
    int err = dt_sip_parse(&p->m, kit_guarded_padded(slot, text), p->headers, DT_MSG_HEADERS_MAX);
    if (err)
        fail_msg("%s:\n%.*s", dt_sip_fault_phrase(p->m.fault), DT_FMT(text));
}

static const struct dt_sip_header *first(const struct dt_sip_edits *e, enum dt_header_id id)
{
    return dt_sip_first(e->m, id);
}

/* ---- one kind of edit after the other, by the whole text ---- */

#define START "INVITE sip:b@example.com SIP/2.0\r\n"
#define VIAS "Via: A, \"x,y\" , <z,z>\r\nv: B\r\n"
#define MAX "Max-Forwards: 70\r\n"
#define ROUTES "Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\n"
#define SUPPORTED "Supported:\r\n"
#define LAST "Via: C\r\n"
#define END "\r\nbody\r\n"

static void edit_nothing(struct dt_sip_edits *e)
{
    (void)e;
}
static void edit_uri(struct dt_sip_edits *e)
{
    dt_sip_edit_uri(e, DT_STR("sip:c@[2001:db8::1]"));
}
static void push_via(struct dt_sip_edits *e)
{
    dt_sip_edit_push(e, DT_H_VIA, DT_STR("N"));
}
static void push_two(struct dt_sip_edits *e)
{
    dt_sip_edit_push(e, DT_H_ROUTE, DT_STR("<sip:second>"));
    dt_sip_edit_push(e, DT_H_ROUTE, DT_STR("<sip:first>"));
}
static void push_absent(struct dt_sip_edits *e)
{
    dt_sip_edit_push(e, DT_H_RECORD_ROUTE, DT_STR("<sip:me;lr>"));
    dt_sip_edit_push(e, DT_H_VIA, DT_STR("N"));
}
static void append_two(struct dt_sip_edits *e)
{
    dt_sip_edit_append(e, DT_H_DIVERSION, DT_STR("1"));
    dt_sip_edit_append(e, DT_H_DIVERSION, DT_STR("2"));
}
static void set_value(struct dt_sip_edits *e)
{
    dt_sip_edit_value(e, first(e, DT_H_MAX_FORWARDS), DT_STR("69"));
}
static void set_empty_value(struct dt_sip_edits *e)
{
    dt_sip_edit_value(e, first(e, DT_H_SUPPORTED), DT_STR(" x"));
}
static void remove_two(struct dt_sip_edits *e)
{
    dt_sip_edit_remove(e, first(e, DT_H_MAX_FORWARDS));
    dt_sip_edit_remove(e, first(e, DT_H_VIA));
}
static void remove_all(struct dt_sip_edits *e)
{
    for (size_t i = e->m->n; i-- > 0;)
        dt_sip_edit_remove(e, &e->m->headers[i]);
}
static void pop_none(struct dt_sip_edits *e)
{
    dt_sip_edit_pop(e, DT_H_VIA, 0);
    dt_sip_edit_pop(e, DT_H_PATH, 1);
}
static void pop_1(struct dt_sip_edits *e)
{
    dt_sip_edit_pop(e, DT_H_VIA, 1);
}
static void pop_2(struct dt_sip_edits *e)
{
    dt_sip_edit_pop(e, DT_H_VIA, 2);
}
static void pop_3(struct dt_sip_edits *e)
{
    dt_sip_edit_pop(e, DT_H_VIA, 3);
}
static void pop_4(struct dt_sip_edits *e)
{
    dt_sip_edit_pop(e, DT_H_VIA, 4);
}
static void pop_all(struct dt_sip_edits *e)
{
    dt_sip_edit_pop(e, DT_H_VIA, 99);
}
static void pop_fold(struct dt_sip_edits *e)
{
    dt_sip_edit_pop(e, DT_H_ROUTE, 1);
}
static void pop_and_push(struct dt_sip_edits *e)
{
    dt_sip_edit_pop(e, DT_H_ROUTE, 2);
    dt_sip_edit_push(e, DT_H_ROUTE, DT_STR("<sip:new>"));
}
static void slice_first_value(struct dt_sip_edits *e)
{
    struct dt_str line = dt_sip_get(e->m, DT_H_VIA);
    dt_sip_edit_slice(e, dt_str_sub(line, 0, 1), DT_STR("A;received=192.0.2.1"));
    dt_sip_edit_push(e, DT_H_VIA, DT_STR("N"));
}
static void insert_before_a_replacement(struct dt_sip_edits *e)
{
    set_value(e);
    dt_sip_edit_slice(e, dt_str_sub(dt_sip_get(e->m, DT_H_MAX_FORWARDS), 0, 0), DT_STR("0"));
}
static void slice_in_body(struct dt_sip_edits *e)
{
    dt_sip_edit_slice(e, dt_str_sub(e->m->body, 0, 4), DT_STR("two\r\nlines"));
}

static const struct edit_case {
    const char *name;
    void (*edit)(struct dt_sip_edits *e);
    const char *want;
} edit_cases[] = {
    {"nothing", edit_nothing, START VIAS MAX ROUTES SUPPORTED LAST END},
    {"uri", edit_uri, "INVITE sip:c@[2001:db8::1] SIP/2.0\r\n" VIAS MAX ROUTES SUPPORTED LAST END},
    {"push", push_via, START "Via: N\r\n" VIAS MAX ROUTES SUPPORTED LAST END},
    {"push two", push_two,
     START VIAS MAX "Route: <sip:first>\r\nRoute: <sip:second>\r\n" ROUTES SUPPORTED LAST END},
    {"push what is not there", push_absent,
     START "Via: N\r\nRecord-Route: <sip:me;lr>\r\n" VIAS MAX ROUTES SUPPORTED LAST END},
    {"append", append_two,
     START VIAS MAX ROUTES SUPPORTED LAST "Diversion: 1\r\nDiversion: 2\r\n" END},
    {"value", set_value, START VIAS "Max-Forwards: 69\r\n" ROUTES SUPPORTED LAST END},
    {"empty value", set_empty_value, START VIAS MAX ROUTES "Supported: x\r\n" LAST END},
    {"remove", remove_two, START "v: B\r\n" ROUTES SUPPORTED LAST END},
    {"remove all", remove_all, START END},
    {"pop none", pop_none, START VIAS MAX ROUTES SUPPORTED LAST END},
    {"pop one", pop_1, START "Via: \"x,y\" , <z,z>\r\nv: B\r\n" MAX ROUTES SUPPORTED LAST END},
    {"pop two", pop_2, START "Via: <z,z>\r\nv: B\r\n" MAX ROUTES SUPPORTED LAST END},
    {"pop a line", pop_3, START "v: B\r\n" MAX ROUTES SUPPORTED LAST END},
    {"pop two lines", pop_4, START MAX ROUTES SUPPORTED LAST END},
    {"pop all", pop_all, START MAX ROUTES SUPPORTED END},
    {"pop to a fold", pop_fold, START VIAS MAX "Route: <sip:p2;lr>\r\n" SUPPORTED LAST END},
    {"pop and push", pop_and_push, START VIAS MAX "Route: <sip:new>\r\n" SUPPORTED LAST END},
    {"slice", slice_first_value,
     START "Via: N\r\nVia: A;received=192.0.2.1, \"x,y\" , <z,z>\r\nv: B\r\n" MAX ROUTES SUPPORTED
         LAST END},
    {"insert before a replacement", insert_before_a_replacement,
     START VIAS "Max-Forwards: 069\r\n" ROUTES SUPPORTED LAST END},
    {"slice in the body", slice_in_body,
     START VIAS MAX ROUTES SUPPORTED LAST "\r\ntwo\r\nlines\r\n"},
};

static void each_edit(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, 0, DT_STR(request));
    for (size_t i = 0; i < sizeof edit_cases / sizeof edit_cases[0]; i++) {
        struct kit_alloc k;
        struct dt_sip_edits e;
        struct dt_bytes *out = NULL;
        kit_alloc_init(&k);
        dt_sip_edits_init(&e, &p.m);
        edit_cases[i].edit(&e);
        if (dt_sip_forward(&e, &k.alloc, &out))
            fail_msg("%s failed", edit_cases[i].name);
        kit_assert_str(dt_bytes_str(out), edit_cases[i].want);
        assert_int_equal(out->n, out->cap);
        assert_int_equal(k.calls, 1); /* one allocation */
        dt_bytes_drop(out);
        assert_int_equal(k.live, 0);
        kit_alloc_init(&k);
        k.fail_at = 1;
        assert_int_equal(dt_sip_forward(&e, &k.alloc, &out), DT_E_NOMEM);
        assert_int_equal(k.live, 0);
    }
}

/* ---- any order gives the same message ---- */

static void (*const independent[])(struct dt_sip_edits *e) = {
    edit_uri, push_via, set_value, pop_fold, set_empty_value, append_two,
};
enum { INDEPENDENT = sizeof independent / sizeof independent[0] };

static void order_does_not_matter(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, 0, DT_STR(request));
    for (unsigned seed = 0; seed < 720; seed++) {
        void (*todo[INDEPENDENT])(struct dt_sip_edits * e);
        memcpy(todo, independent, sizeof todo);
        struct dt_sip_edits e;
        struct dt_bytes *out;
        dt_sip_edits_init(&e, &p.m);
        unsigned rest = seed;
        for (unsigned n = INDEPENDENT; n; n--) {
            unsigned pick = rest % n;
            rest /= n;
            todo[pick](&e);
            todo[pick] = todo[n - 1];
        }
        assert_int_equal(dt_sip_forward(&e, &dt_alloc_libc, &out), DT_OK);
        kit_assert_str(dt_bytes_str(out),
                       "INVITE sip:c@[2001:db8::1] SIP/2.0\r\nVia: N\r\n" VIAS
                       "Max-Forwards: 69\r\nRoute: <sip:p2;lr>\r\nSupported: x\r\n" LAST
                       "Diversion: 1\r\nDiversion: 2\r\n" END);
        dt_bytes_drop(out);
    }
}

/* ---- what must fail ---- */

static void overlap_value_and_line(struct dt_sip_edits *e)
{
    set_value(e);
    dt_sip_edit_remove(e, first(e, DT_H_MAX_FORWARDS));
}
static void overlap_twice_the_same(struct dt_sip_edits *e)
{
    set_value(e);
    set_value(e);
}
static void overlap_pop_twice(struct dt_sip_edits *e)
{
    pop_1(e);
    pop_2(e);
}
static void insert_inside_a_replacement(struct dt_sip_edits *e)
{
    struct dt_str v = dt_sip_get(e->m, DT_H_ROUTE);
    dt_sip_edit_value(e, first(e, DT_H_ROUTE), DT_STR("<sip:x>"));
    dt_sip_edit_slice(e, dt_str_sub(v, 3, 0), DT_STR("y"));
}
static void slice_elsewhere(struct dt_sip_edits *e)
{
    dt_sip_edit_slice(e, DT_STR("elsewhere"), DT_STR("x"));
}
static void slice_past_the_end(struct dt_sip_edits *e)
{
    struct dt_str text = e->m->text;
    dt_sip_edit_slice(e, (struct dt_str){text.p + text.n - 1, 2}, DT_STR("x"));
}
static void push_other(struct dt_sip_edits *e)
{
    dt_sip_edit_push(e, DT_H_OTHER, DT_STR("x"));
}
static void push_smuggled(struct dt_sip_edits *e)
{
    dt_sip_edit_push(e, DT_H_VIA, DT_STR("x\r\nRoute: y"));
}
static void append_smuggled(struct dt_sip_edits *e)
{
    dt_sip_edit_append(e, DT_H_VIA, DT_STR("x\n"));
}
static void uri_smuggled(struct dt_sip_edits *e)
{
    dt_sip_edit_uri(e, DT_STR("sip:x SIP/2.0\r\nVia: y\r\nX:"));
}
static void value_smuggled(struct dt_sip_edits *e)
{
    dt_sip_edit_value(e, first(e, DT_H_SUPPORTED), DT_STR("a\rb"));
}
static void slice_smuggled(struct dt_sip_edits *e)
{
    dt_sip_edit_slice(e, dt_str_sub(dt_sip_get(e->m, DT_H_VIA), 0, 1), (struct dt_str){"a\0b", 3});
}
static void too_many(struct dt_sip_edits *e)
{
    for (int i = 0; i <= DT_EDITS_MAX; i++)
        append_two(e);
}
static void too_long(struct dt_sip_edits *e)
{
    static char big[DT_MSG_MAX];
    memset(big, 'x', sizeof big);
    dt_sip_edit_value(e, first(e, DT_H_SUPPORTED), (struct dt_str){big, sizeof big});
}
/* Of two errors the first is told. */
static void smuggled_then_too_many(struct dt_sip_edits *e)
{
    push_smuggled(e);
    slice_elsewhere(e);
}

static const struct fail_case {
    const char *name;
    void (*edit)(struct dt_sip_edits *e);
    int want;
} fail_cases[] = {
    {"value and line", overlap_value_and_line, DT_E_STATE},
    {"twice the same", overlap_twice_the_same, DT_E_STATE},
    {"pop twice", overlap_pop_twice, DT_E_STATE},
    {"insert inside", insert_inside_a_replacement, DT_E_STATE},
    {"slice elsewhere", slice_elsewhere, DT_E_STATE},
    {"slice past the end", slice_past_the_end, DT_E_STATE},
    {"push no header", push_other, DT_E_STATE},
    {"push smuggled", push_smuggled, DT_E_SYNTAX},
    {"append smuggled", append_smuggled, DT_E_SYNTAX},
    {"uri smuggled", uri_smuggled, DT_E_SYNTAX},
    {"value smuggled", value_smuggled, DT_E_SYNTAX},
    {"slice smuggled", slice_smuggled, DT_E_SYNTAX},
    {"too many", too_many, DT_E_LIMIT},
    {"too long", too_long, DT_E_LIMIT},
    {"two errors", smuggled_then_too_many, DT_E_SYNTAX},
};

static void what_must_fail(void **state)
{
    (void)state;
    struct parsed p;
    parse(&p, 0, DT_STR(request));
    for (size_t i = 0; i < sizeof fail_cases / sizeof fail_cases[0]; i++) {
        struct kit_alloc k;
        struct dt_sip_edits e;
        struct dt_bytes *out = NULL;
        kit_alloc_init(&k);
        dt_sip_edits_init(&e, &p.m);
        fail_cases[i].edit(&e);
        int err = dt_sip_forward(&e, &k.alloc, &out);
        if (err != fail_cases[i].want || out || k.live)
            fail_msg("%s gives %s", fail_cases[i].name, dt_err_text(err));
    }
}

/* As many edits as there may be, and a message of the greatest size. */
static void up_to_the_limits(void **state)
{
    (void)state;
    struct parsed p;
    struct dt_sip_edits e;
    struct dt_bytes *out;
    parse(&p, 0, DT_STR(request));
    dt_sip_edits_init(&e, &p.m);
    for (int i = 0; i < DT_EDITS_MAX; i++)
        push_via(&e);
    assert_int_equal(dt_sip_forward(&e, &dt_alloc_libc, &out), DT_OK);
    assert_int_equal(out->n, p.m.text.n + DT_EDITS_MAX * (sizeof "Via: N\r\n" - 1));
    dt_bytes_drop(out);
    static char big[DT_MSG_MAX];
    memset(big, 'x', sizeof big);
    dt_sip_edits_init(&e, &p.m);
    dt_sip_edit_value(&e, first(&e, DT_H_SUPPORTED), (struct dt_str){big, DT_MSG_MAX - p.m.text.n});
    assert_int_equal(dt_sip_forward(&e, &dt_alloc_libc, &out), DT_OK);
    assert_int_equal(out->n, DT_MSG_MAX);
    dt_bytes_drop(out);
}

/* ---- parse, forward, parse: identical but for the edits ---- */

static void assert_same_header(const struct dt_sip_msg *a, size_t i, const struct dt_sip_msg *b,
                               size_t j)
{
    assert_int_equal(a->headers[i].id, b->headers[j].id);
    assert_true(dt_str_eq(dt_sip_name(a, &a->headers[i]), dt_sip_name(b, &b->headers[j])));
    assert_true(dt_str_eq(dt_sip_value(a, &a->headers[i]), dt_sip_value(b, &b->headers[j])));
}

/* Via and Record-Route are pushed, Max-Forwards (if there is one) is changed, a line is appended.
 */
static void compare(const struct dt_sip_msg *old, const struct dt_sip_msg *new)
{
    size_t j = 0;
    assert_int_equal(new->n, old->n + 3);
    for (size_t i = 0; i < old->n; i++, j++) {
        while (dt_str_eq(dt_sip_value(new, &new->headers[j]), DT_STR("<sip:pushed;lr>")) ||
               dt_str_eq(dt_sip_value(new, &new->headers[j]), DT_STR("pushed")))
            j++;
        if (old->headers[i].id == DT_H_MAX_FORWARDS)
            kit_assert_str(dt_sip_value(new, &new->headers[j]), "7");
        else
            assert_same_header(old, i, new, j);
    }
    kit_assert_str(dt_sip_value(new, &new->headers[new->n - 1]), "appended");
    kit_assert_str(dt_sip_get(new, DT_H_VIA), "pushed");
    kit_assert_str(dt_sip_get(new, DT_H_RECORD_ROUTE), "<sip:pushed;lr>");
    assert_true(dt_str_eq(old->body, new->body));
    assert_true(dt_str_eq(old->method_text, new->method_text));
    assert_int_equal(old->status, new->status);
    if (new->request)
        kit_assert_str(new->uri_text, "sip:new@example.net");
}

static bool round_trip(struct dt_str text)
{
    struct parsed a, b;
    struct dt_sip_edits e;
    struct dt_bytes *out = NULL;
    if (dt_sip_parse(&a.m, kit_guarded_padded(1, text), a.headers, DT_MSG_HEADERS_MAX))
        return false;
    dt_sip_edits_init(&e, &a.m);
    if (a.m.request)
        dt_sip_edit_uri(&e, DT_STR("sip:new@example.net"));
    if (first(&e, DT_H_MAX_FORWARDS))
        dt_sip_edit_value(&e, first(&e, DT_H_MAX_FORWARDS), DT_STR("7"));
    dt_sip_edit_append(&e, DT_H_REASON, DT_STR("appended"));
    dt_sip_edit_push(&e, DT_H_RECORD_ROUTE, DT_STR("<sip:pushed;lr>"));
    dt_sip_edit_push(&e, DT_H_VIA, DT_STR("pushed"));
    assert_int_equal(dt_sip_forward(&e, &dt_alloc_libc, &out), DT_OK);
    parse(&b, 2, dt_bytes_str(out));
    compare(&a.m, &b.m);
    dt_bytes_drop(out);
    return true;
}

static void torture_messages_round_trip(void **state)
{
    (void)state;
    void *index_memory;
    struct dt_reader index = dt_reader(kit_file("corpus/torture/INDEX.tsv", &index_memory));
    size_t n = 0;
    dt_reader_until(&index, '\n');
    while (dt_reader_char(&index, '\n') && !dt_reader_end(&index)) {
        char path[128];
        void *memory;
        struct dt_writer w = dt_writer(path, sizeof path - 1);
        dt_write_lit(&w, "corpus/torture/");
        dt_write(&w, dt_reader_until(&index, '\t'));
        path[w.n] = '\0';
        n += round_trip(kit_file(path, &memory));
        free(memory);
        dt_reader_until(&index, '\n');
    }
    free(index_memory);
    assert_true(n >= 40); /* the others cannot be parsed, which test_sip_torture looks at */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_edit),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(what_must_fail),
        cmocka_unit_test(up_to_the_limits),
        cmocka_unit_test(torture_messages_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
