/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parser says of some ten thousand messages has not changed: the torture messages and the
 * benchmark's, each mutated many times by chance with a fixed seed. All that dt_sip_parse,
 * dt_sip_check and the value parsers give back goes into one hash a message, as places in the text,
 * and the sum is compared with the one recorded. A scanner that is made faster must leave it as it
 * is; a rule that is changed on purpose changes it, and then it is recorded anew:
 *
 *   test_sip_verdicts 20000   prints the sum over 20,000 mutations of each message
 */
#include "testkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/msg.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum { MUTATIONS = 1000, TEXT = 8192, FILES = 80, NAME = 64 };
static const uint64_t recorded = 0xc575d9e33847bd01;

/* ---- the hash (FNV-1a over whole words) ---- */

struct sum {
    uint64_t h;
    const char *base;
};

static void add(struct sum *s, uint64_t v)
{
    s->h = (s->h ^ v) * 0x100000001b3u;
    s->h ^= s->h >> 29;
}

static void add_str(struct sum *s, struct dt_str part)
{
    add(s, part.p ? (uint64_t)(part.p - s->base) + 1 : 0);
    add(s, part.n);
}

static void add_uri(struct sum *s, const struct dt_uri *u)
{
    const struct dt_str parts[] = {u->text, u->scheme_text, u->user,   u->password,
                                   u->host, u->params,      u->headers};
    for (size_t i = 0; i < COUNT(parts); i++)
        add_str(s, parts[i]);
    add(s, (uint64_t)u->scheme << 32 | (uint64_t)u->port << 8 | (uint64_t)u->has_user << 1 |
               u->host_v6);
}

static void add_name_addr(struct sum *s, const struct dt_name_addr *a)
{
    const struct dt_str parts[] = {a->text, a->display, a->params, a->tag};
    for (size_t i = 0; i < COUNT(parts); i++)
        add_str(s, parts[i]);
    add_uri(s, &a->uri);
    add(s, a->star);
}

static void add_via(struct sum *s, const struct dt_via *v)
{
    const struct dt_str parts[] = {v->text,   v->transport, v->sent_by,  v->host,
                                   v->params, v->branch,    v->received, v->rport};
    for (size_t i = 0; i < COUNT(parts); i++)
        add_str(s, parts[i]);
    add(s, (uint64_t)v->port << 1 | v->has_rport);
}

static void add_cseq(struct sum *s, const struct dt_cseq *c)
{
    add(s, c->number);
    add(s, c->method);
    add_str(s, c->method_text);
}

/* ---- what is said of a message ---- */

static void add_values(struct sum *s, struct dt_str text)
{
    struct dt_via via;
    struct dt_name_addr addr;
    struct dt_cseq cseq;
    struct dt_uri uri;
    size_t at = 0;
    int err = dt_sip_via(&via, text);
    add(s, (uint64_t)-err);
    if (!err)
        add_via(s, &via);
    err = dt_sip_name_addr(&addr, text);
    add(s, (uint64_t)-err);
    if (!err)
        add_name_addr(s, &addr);
    err = dt_sip_cseq(&cseq, text);
    add(s, (uint64_t)-err);
    if (!err)
        add_cseq(s, &cseq);
    err = dt_uri_parse(&uri, text, &at);
    add(s, (uint64_t)-err);
    if (!err)
        add_uri(s, &uri);
}

static void add_index(struct sum *s, const struct dt_sip_msg *m)
{
    add(s, m->n);
    for (unsigned i = 0; i < m->n; i++) {
        const struct dt_sip_header *h = &m->headers[i];
        add(s, (uint64_t)h->name_at << 48 | (uint64_t)h->name_n << 32 |
                   (uint64_t)h->value_at << 16 | h->value_n);
        add(s, (uint64_t)h->end << 16 | h->next);
        add(s, h->id && dt_sip_first(m, (enum dt_header_id)h->id) == h);
        for (const char *z = dt_header_name((enum dt_header_id)h->id); *z; z++)
            add(s, (unsigned char)*z); /* not the id: rows may move */
        add_values(s, dt_sip_value(m, h));
    }
}

/* Each value of each header that is a list. */
static void add_lists(struct sum *s, const struct dt_sip_msg *m)
{
    for (unsigned i = 0; i < m->n; i++) {
        enum dt_header_id id = (enum dt_header_id)m->headers[i].id;
        if (!id || dt_sip_first(m, id) != &m->headers[i])
            continue;
        struct dt_sip_values values = dt_sip_values(m, id);
        struct dt_str value;
        while (dt_sip_values_next(&values, &value))
            add_str(s, value);
    }
}

static void add_message(struct sum *s, const struct dt_sip_msg *m)
{
    const struct dt_str parts[] = {m->text,   m->method_text, m->uri_text,
                                   m->reason, m->body,        m->call_id};
    for (size_t i = 0; i < COUNT(parts); i++)
        add_str(s, parts[i]);
    for (const char *z = dt_sip_fault_phrase(m->fault); *z; z++)
        add(s, (unsigned char)*z);
    add(s, (uint64_t)m->request << 40 | (uint64_t)m->method << 32 | (uint32_t)m->status);
    add(s, (uint64_t)m->headers_at << 16 | m->headers_end);
    add(s, (uint64_t)(m->max_forwards + 1));
    add_via(s, &m->via);
    add_name_addr(s, &m->from);
    add_name_addr(s, &m->to);
    add_cseq(s, &m->cseq);
    add_uri(s, &m->uri);
    add_index(s, m);
    add_lists(s, m);
}

/* `text` has DT_PAD bytes behind it. */
static uint64_t verdict(struct dt_str text)
{
    static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct sum s = {0xcbf29ce484222325u, text.p};
    add(&s, (uint64_t)-dt_sip_parse(&m, text, headers, DT_MSG_HEADERS_MAX));
    add(&s, (uint64_t)-dt_sip_check(&m));
    add_message(&s, &m);
    return s.h;
}

/* ---- mutations ---- */

struct chance {
    uint64_t x; /* xorshift, so that a seed means the same for ever */
};

static size_t below(struct chance *c, size_t n)
{
    c->x ^= c->x << 13;
    c->x ^= c->x >> 7;
    c->x ^= c->x << 17;
    return (size_t)(c->x >> 11) % n;
}

/* What lies behind a message is readable, and of no meaning: a part of this. */
static const char behind[] =
    "\r\n:;,\"<>@ \r\n\r\nVia: a\r\n  \t0123456789abcdefghij%%?*\\\"\n\n\r\n\r\n>;z";

/* What means something to a parser of SIP, more than by chance. */
static char byte(struct chance *c)
{
    static const char sharp[] = "\r\n\t :;,<>\"\\@[]%?&=/.*'\0\x7f\xc3"
                                "0fsST9-";
    return below(c, 4) ? sharp[below(c, sizeof sharp - 1)] : (char)below(c, 256);
}

struct text {
    char p[TEXT + DT_PAD];
    size_t n;
};

static void move(struct text *t, size_t from, size_t to)
{
    if (to > from && t->n + (to - from) > TEXT)
        return;
    memmove(t->p + to, t->p + from, t->n - from);
    t->n = t->n + to - from;
}

static void mutate(struct text *t, struct chance *c, struct dt_str other)
{
    size_t at = below(c, t->n), n = 1 + below(c, 12);
    switch (below(c, 6)) {
    case 0:
    case 1:
        t->p[at] = byte(c);
        break;
    case 2: /* a byte more */
        move(t, at, at + 1);
        t->p[at] = byte(c);
        break;
    case 3: /* some bytes fewer */
        move(t, at + n < t->n ? at + n : t->n, at);
        break;
    case 4: /* case of a letter */
        t->p[at] ^= 0x20;
        break;
    default: /* a piece of another message, over what is there */
        for (size_t from = below(c, other.n), i = 0; i < 4 * n; i++)
            if (from + i < other.n && at + i < t->n)
                t->p[at + i] = other.p[from + i];
        break;
    }
}

static uint64_t mutants(struct dt_str seed, struct dt_str other, unsigned rounds, unsigned which)
{
    static struct text t;
    struct chance c = {0x9e3779b97f4a7c15u + which};
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds; i++) {
        t.n = seed.n < TEXT ? seed.n : TEXT;
        memcpy(t.p, seed.p, t.n);
        for (size_t k = i ? 1 + below(&c, 4) : 0; k && t.n > 1; k--)
            mutate(&t, &c, other);
        memcpy(t.p + t.n, behind + DT_PAD * (i % (sizeof behind / DT_PAD)), DT_PAD);
        sum = (sum ^ verdict((struct dt_str){t.p, t.n})) * 0x100000001b3u;
    }
    return sum;
}

/* ---- the messages ---- */

struct seeds {
    struct dt_str text[FILES];
    void *to_free[FILES];
    unsigned n;
};

static void add_seed(struct seeds *s, const char *path)
{
    assert_true(s->n < FILES);
    s->text[s->n] = kit_file(path, &s->to_free[s->n]);
    assert_true(s->text[s->n].n > 0);
    s->n++;
}

/* The benchmark's message and those of the index, whose first column is the file. */
static void read_seeds(struct seeds *s)
{
    void *index;
    struct dt_reader r = dt_reader(kit_file("corpus/torture/INDEX.tsv", &index));
    dt_reader_until(&r, '\n');
    add_seed(s, "bench/invite.sip");
    while (dt_reader_char(&r, '\n') && !dt_reader_end(&r)) {
        char path[NAME + sizeof "corpus/torture/"];
        struct dt_str name = dt_reader_until(&r, '\t');
        snprintf(path, sizeof path, "corpus/torture/%.*s", DT_FMT(name));
        add_seed(s, path);
        dt_reader_until(&r, '\n');
    }
    free(index);
}

static uint64_t sum_of_all(unsigned rounds)
{
    struct seeds s = {.n = 0};
    uint64_t sum = 0;
    read_seeds(&s);
    for (unsigned i = 0; i < s.n; i++)
        sum = (sum ^ mutants(s.text[i], s.text[(i + 7) % s.n], rounds, i)) * 0x100000001b3u;
    for (unsigned i = 0; i < s.n; i++)
        free(s.to_free[i]);
    return sum;
}

static void verdicts_are_the_recorded_ones(void **state)
{
    (void)state;
    uint64_t sum = sum_of_all(MUTATIONS);
    if (sum != recorded)
        fail_msg("the sum is 0x%016llx", (unsigned long long)sum);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts_are_the_recorded_ones)};
    if (argc < 2)
        return cmocka_run_group_tests(tests, NULL, NULL);
    printf("0x%016llx\n", (unsigned long long)sum_of_all((unsigned)strtoul(argv[1], NULL, 10)));
    return 0;
}
