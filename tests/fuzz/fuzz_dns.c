/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as DNS answers. Read, written as a message and read again they are the same; given to
 * the resolver of reach in answer to its questions they lead to good targets, once, after a bounded
 * number of questions, and nothing stays behind. The input: four bytes (what is looked for, which
 * allocation fails, two of status), then messages, each with two bytes of length. */
#include "dualtone/reach.h"
#include "fuzz.h"
#include "io/dns_parse.h"

enum { QUESTIONS_MAX = 200, ROOM = 1 << 16 };

static const enum dt_dns_type types[] = {DT_DNS_A, DT_DNS_AAAA, DT_DNS_SRV, DT_DNS_NAPTR};

/* ---- written as a message ---- */

static void put(struct dt_writer *w, uint32_t v, unsigned bytes)
{
    while (bytes-- > 0)
        dt_write_char(w, (char)(v >> 8 * bytes));
}

static void put_name(struct dt_writer *w, struct dt_str name)
{
    struct dt_reader r = dt_reader(name);
    while (!dt_reader_end(&r)) {
        struct dt_str label = dt_reader_until(&r, '.');
        dt_reader_char(&r, '.');
        put(w, (uint32_t)label.n, 1);
        dt_write(w, label);
    }
    put(w, 0, 1);
}

static void put_string(struct dt_writer *w, struct dt_str s)
{
    put(w, (uint32_t)s.n, 1);
    dt_write(w, s);
}

static void put_data(struct dt_writer *w, const struct dt_dns_record *d)
{
    if (d->type == DT_DNS_A || d->type == DT_DNS_AAAA) {
        dt_write(w, (struct dt_str){(const char *)d->ip, d->type == DT_DNS_A ? 4 : 16});
        return;
    }
    put(w, d->order, 2);
    put(w, d->weight, 2);
    if (d->type == DT_DNS_SRV)
        put(w, d->port, 2);
    else {
        put_string(w, d->flags);
        put_string(w, d->service);
        put_string(w, DT_STR_NONE);
    }
    put_name(w, d->target);
}

static void put_message(struct dt_writer *w, const struct dt_dns_parsed *p, enum dt_dns_type type)
{
    put(w, 0x12348180, 4);
    put(w, 1, 2);
    put(w, (uint32_t)p->n, 2);
    put(w, 0, 4);
    put_name(w, DT_STR("a.test"));
    put(w, (uint32_t)type << 16 | 1, 4);
    for (size_t i = 0; i < p->n; i++) {
        put(w, 0xc00c, 2); /* the name asked for */
        put(w, (uint32_t)type << 16 | 1, 4);
        put(w, p->records[i].ttl, 4);
        size_t at = w->n;
        put(w, 0, 2);
        put_data(w, &p->records[i]);
        size_t n = w->n - at - 2;
        w->p[at] = (char)(n >> 8);
        w->p[at + 1] = (char)n;
    }
}

static void same(const struct dt_dns_parsed *a, const struct dt_dns_parsed *b)
{
    must(a->n == b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct dt_dns_record *x = &a->records[i], *y = &b->records[i];
        must(x->type == y->type && x->ttl == y->ttl && x->order == y->order);
        must(x->weight == y->weight && x->port == y->port && !memcmp(x->ip, y->ip, sizeof x->ip));
        must(dt_str_eq(x->target, y->target) && dt_str_eq(x->service, y->service));
        must(dt_str_eq(x->flags, y->flags));
    }
}

/* One message; the records stay in `out`. */
static bool parse(struct dt_dns_parsed *out, struct dt_str message, enum dt_dns_type type)
{
    static char text[ROOM];
    static struct dt_dns_parsed second;
    struct dt_writer w = dt_writer(text, sizeof text);
    char *copy = copy_of(message, 0);
    int err = dt_dns_parse(out, (struct dt_str){copy, message.n}, type);
    must(err == DT_OK || (err == DT_E_SYNTAX && out->n == 0));
    free(copy);
    must(out->n <= DT_DNS_RECORDS_MAX && out->text_used <= DT_DNS_TEXT_MAX);
    for (size_t i = 0; i < out->n; i++) {
        const struct dt_dns_record *d = &out->records[i];
        must(d->type == type && d->ttl <= INT32_MAX && d->target.n <= 255);
        inside(d->target, (struct dt_str){out->text, sizeof out->text});
        inside(d->service, (struct dt_str){out->text, sizeof out->text});
        inside(d->flags, (struct dt_str){out->text, sizeof out->text});
    }
    if (err)
        return false;
    put_message(&w, out, type);
    must(w.err == DT_OK && dt_dns_parse(&second, dt_writer_str(&w), type) == DT_OK);
    same(out, &second);
    return true;
}

/* ---- as reach sees them ---- */

struct look {
    struct fuzz_alloc mem;
    struct dt_env env;
    struct dt_outbox out;
    struct dt_resolver *resolver;
    struct dt_str in; /* messages not used yet */
    unsigned statuses;
    unsigned questions, founds;
    bool clean; /* no allocation failed */
    dt_time now;
};

static void check_targets(const struct dt_addr *targets, size_t n)
{
    must(n <= DT_TARGETS_MAX);
    for (size_t i = 0; i < n; i++) {
        must(targets[i].family == 4 || targets[i].family == 6);
        must(targets[i].port != 0 && !dt_addr_is_any(&targets[i]));
        must(targets[i].transport == DT_UDP || targets[i].transport == DT_TCP);
    }
}

static void on_found(void *user, dt_time now, uint64_t cookie, const struct dt_addr *targets,
                     size_t n, int err)
{
    struct look *l = user;
    must(now == l->now && cookie == 7 && l->founds++ == 0);
    must(n > 0 || err != DT_OK);
    check_targets(targets, n);
}

static void reply(struct look *l, uint32_t id, enum dt_dns_type type)
{
    static struct dt_dns_parsed p;
    size_t high = take_byte(&l->in), low = take_byte(&l->in);
    enum dt_dns_status status = (enum dt_dns_status)(l->statuses & 3);
    l->statuses >>= 2;
    bool good = parse(&p, take_bytes(&l->in, high << 8 | low), type);
    if (status == DT_DNS_FOUND && !good)
        status = DT_DNS_FAILED;
    struct dt_dns_answer a = {.id = id, .type = type, .status = status, .records = p.records};
    a.n = status == DT_DNS_FOUND ? p.n : 0;
    struct dt_input in = {.kind = DT_IN_DNS, .dns = &a};
    must(dt_resolver_input(l->resolver, l->now, &in));
    must(!dt_resolver_input(l->resolver, l->now, &in)); /* once is enough */
}

static bool serve(struct look *l)
{
    struct dt_output q[32];
    size_t n = dt_outbox_take(&l->out, q, 32);
    for (size_t i = 0; i < n; i++) {
        must(q[i].kind == DT_OUT_RESOLVE && q[i].text.n > 0 && q[i].text.n <= 253);
        must(++l->questions < QUESTIONS_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        dt_outbox_begin(&l->out);
        reply(l, q[i].dns_id, q[i].dns_type);
        l->now += DT_MS;
    }
    return n > 0;
}

static void look_up(struct look *l, unsigned how)
{
    struct dt_where w = {.host = DT_STR("a.test"),
                         .port = how & 1 ? 5060 : 0,
                         .transport_given = how & 2,
                         .transport = how & 4 ? DT_TCP : DT_UDP};
    struct dt_addr targets[DT_TARGETS_MAX];
    int got = dt_resolver_find(l->resolver, l->now, &w, 7, targets, DT_TARGETS_MAX);
    check_targets(targets, got > 0 ? (size_t)got : 0);
    if (got != 0)
        return;
    for (unsigned i = 0; i < QUESTIONS_MAX && !l->founds && serve(l); i++)
        continue;
    must(l->founds == 1 || !l->clean);
}

static void resolve(struct dt_str in)
{
    static struct look l;
    unsigned how = take_byte(&in), fail_in = take_byte(&in);
    const struct dt_resolver_config cfg = {.tcp = how & 8,
                                           .v4 = !(how & 16),
                                           .v6 = how & 32 || how & 16,
                                           .max_names = how & 64 ? 4 : 0};
    memset(&l, 0, sizeof l);
    fuzz_alloc_init(&l.mem);
    l.mem.fail_in = fail_in;
    l.clean = !fail_in;
    l.statuses = take_byte(&in) << 8;
    l.statuses |= take_byte(&in);
    l.in = in;
    l.now = 1000 * DT_SECOND;
    dt_env_init(&l.env, how);
    l.env.alloc = &l.mem.alloc;
    dt_outbox_init(&l.out, &l.mem.alloc);
    l.resolver = dt_resolver_new(&cfg, &l.env, &l.out, on_found, &l);
    if (l.resolver)
        look_up(&l, how);
    l.founds = 0; /* asked again, it is answered from the cache or put anew */
    dt_outbox_begin(&l.out);
    if (l.clean)
        look_up(&l, how);
    dt_resolver_free(l.resolver);
    dt_outbox_clear(&l.out);
    must(l.mem.live == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dt_dns_parsed parsed;
    struct dt_str in = {(const char *)data, size};
    if (size > 4096)
        return 0;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        parse(&parsed, dt_str_sub(in, 6, in.n), types[i]);
    resolve(in);
    return 0;
}
