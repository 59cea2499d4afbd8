/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/record.h"

#include <string.h>

static const char *const kind_names[] = {
#define X(name, text) text,
    DT_RECORD_KINDS(X)
#undef X
};
enum { KINDS = sizeof kind_names / sizeof *kind_names };

void dt_record_init(struct dt_record *r, const struct dt_alloc *alloc)
{
    *r = (struct dt_record){.alloc = alloc};
}

void dt_record_clear(struct dt_record *r)
{
    for (size_t i = 0; i < r->n; i++)
        dt_bytes_drop(r->items[i].bytes);
    dt_alloc_free(r->alloc, r->items);
    dt_alloc_free(r->alloc, r->parties);
    dt_alloc_free(r->alloc, r->homes);
    dt_record_init(r, r->alloc);
}

/* ---- parties ---- */

static uint16_t party_find(struct dt_record *r, struct dt_str name)
{
    name = dt_str_sub(name, 0, sizeof r->parties[0].name - 1);
    for (size_t i = 0; i < r->n_parties; i++)
        if (dt_str_eq(dt_str_z(r->parties[i].name), name))
            return (uint16_t)i;
    if (r->n_parties == DT_RECORD_PARTIES_MAX || name.n == 0)
        return DT_RECORD_NOBODY;
    struct dt_record_party *more =
        dt_alloc_array(r->alloc, r->parties, r->n_parties + 1, sizeof *more);
    if (!more)
        return DT_RECORD_NOBODY;
    r->parties = more;
    struct dt_record_party *p = &more[r->n_parties];
    memset(p, 0, sizeof *p);
    memcpy(p->name, name.p, name.n);
    return (uint16_t)r->n_parties++;
}

uint16_t dt_record_party(struct dt_record *r, const char *name)
{
    return party_find(r, dt_str_z(name));
}

static bool same_home(const struct dt_addr *a, const struct dt_addr *b)
{
    return a->port == b->port && dt_addr_ip_eq(a, b);
}

/* The row of an address, or the free one where it would stand; there always is a free one. */
static struct dt_record_home *home_of(const struct dt_record *r, const struct dt_addr *a,
                                      uint16_t port)
{
    static const uint64_t key[2] = {0, 0}; /* addresses come from who runs the flow */
    struct dt_siphash h;
    struct dt_addr want = {.port = port, .family = a->family};
    memcpy(want.ip, a->ip, sizeof want.ip);
    dt_siphash_init(&h, key);
    dt_siphash_add(&h, want.ip, sizeof want.ip);
    dt_siphash_add(&h, &want.port, sizeof want.port);
    size_t i = dt_siphash_end(&h) & (r->cap_homes - 1);
    while (r->homes[i].used && !same_home(&r->homes[i].addr, &want))
        i = (i + 1) & (r->cap_homes - 1);
    return &r->homes[i];
}

static void home_add(struct dt_record *r, uint16_t party, const struct dt_addr *addr)
{
    struct dt_record_home *home = home_of(r, addr, addr->port);
    if (home->used && home->party <= party)
        return;
    r->n_homes += !home->used;
    *home = (struct dt_record_home){*addr, party, true};
}

/* A table twice as large, or none at all: then the parties are searched. */
static void homes_grow(struct dt_record *r)
{
    dt_alloc_free(r->alloc, r->homes);
    r->n_homes = 0;
    r->cap_homes = r->cap_homes ? 2 * r->cap_homes : 32;
    r->homes = dt_alloc_zero(r->alloc, r->cap_homes * sizeof *r->homes);
    for (size_t i = 0; r->homes && i < r->n_parties; i++)
        for (size_t k = 0; k < r->parties[i].n_addrs; k++)
            home_add(r, (uint16_t)i, &r->parties[i].addrs[k]);
}

void dt_record_address(struct dt_record *r, uint16_t party, const struct dt_addr *addr)
{
    struct dt_record_party *p = party < r->n_parties ? &r->parties[party] : NULL;
    if (!p || p->n_addrs == sizeof p->addrs / sizeof *p->addrs)
        return;
    for (size_t i = 0; i < p->n_addrs; i++)
        if (same_home(&p->addrs[i], addr))
            return;
    p->addrs[p->n_addrs++] = *addr;
    if (r->homes && r->n_homes < r->cap_homes / 2)
        home_add(r, party, addr);
    else
        homes_grow(r);
}

/* Without a table: for want of memory, once. */
static uint16_t search(const struct dt_record *r, const struct dt_addr *a, uint16_t port)
{
    for (size_t i = 0; i < r->n_parties; i++)
        for (size_t k = 0; k < r->parties[i].n_addrs; k++) {
            const struct dt_addr *b = &r->parties[i].addrs[k];
            if (dt_addr_ip_eq(a, b) && b->port == port)
                return (uint16_t)i;
        }
    return DT_RECORD_NOBODY;
}

static uint16_t whose(const struct dt_record *r, const struct dt_addr *a, uint16_t port)
{
    if (!r->homes)
        return search(r, a, port);
    const struct dt_record_home *home = home_of(r, a, port);
    return home->used ? home->party : DT_RECORD_NOBODY;
}

uint16_t dt_record_whose(const struct dt_record *r, const struct dt_addr *addr)
{
    uint16_t who = whose(r, addr, addr->port);
    return who != DT_RECORD_NOBODY || addr->port == 0 ? who : whose(r, addr, 0);
}

/* ---- items ---- */

size_t dt_record_add(struct dt_record *r, const struct dt_record_item *item)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 64;
        struct dt_record_item *more = dt_alloc_array(r->alloc, r->items, cap, sizeof *more);
        if (!more) {
            r->lost++;
            return SIZE_MAX;
        }
        r->items = more;
        r->cap = cap;
    }
    size_t at = r->n;
    while (at > 0 && r->items[at - 1].at > item->at)
        at--;
    memmove(&r->items[at + 1], &r->items[at], (r->n - at) * sizeof *r->items);
    r->items[at] = *item;
    if (item->bytes)
        dt_bytes_hold(item->bytes);
    r->n++;
    return at;
}

size_t dt_record_note(struct dt_record *r, dt_time at, enum dt_record_kind kind, uint16_t who,
                      struct dt_str text)
{
    struct dt_record_item item = {.at = at, .kind = kind, .who = who};
    item.bytes = dt_bytes_copy(r->alloc, text);
    size_t index = dt_record_add(r, &item);
    dt_bytes_drop(item.bytes);
    return index;
}

static void hash_addr(struct dt_siphash *h, const struct dt_addr *a)
{
    dt_siphash_add(h, a->ip, sizeof a->ip);
    const uint8_t rest[] = {(uint8_t)(a->port >> 8), (uint8_t)a->port, a->family, a->transport};
    dt_siphash_add(h, rest, sizeof rest);
}

uint64_t dt_record_digest(const struct dt_record *r)
{
    static const uint64_t key[2] = {0, 0};
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    for (size_t i = 0; i < r->n; i++) {
        const struct dt_record_item *it = &r->items[i];
        const int64_t head[] = {it->at, it->kind, it->event, it->call, it->who};
        dt_siphash_add(&h, head, sizeof head);
        hash_addr(&h, &it->from);
        hash_addr(&h, &it->to);
        dt_siphash_add_str(&h, dt_bytes_str(it->bytes));
    }
    return dt_siphash_end(&h);
}

/* ---- as text ---- */

static void write_addr(struct dt_writer *w, const struct dt_addr *a)
{
    if (a->family == 0) {
        dt_write_lit(w, " -");
        return;
    }
    dt_write_z(w, a->transport == DT_TCP ? " tcp:" : " udp:");
    dt_addr_write(w, a);
}

static void write_escaped(struct dt_writer *w, struct dt_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\\')
            dt_write_lit(w, "\\\\");
        else if (c == '\r')
            dt_write_lit(w, "\\r");
        else if (c == '\n')
            dt_write_lit(w, "\\n");
        else if (c >= 32 && c < 127)
            dt_write_char(w, (char)c);
        else {
            dt_write_lit(w, "\\x");
            dt_write_hex(w, c, 2);
        }
    }
}

void dt_record_write(const struct dt_record *r, const struct dt_record_item *item,
                     struct dt_writer *w)
{
    dt_write_char(w, '@');
    dt_write_u64(w, (uint64_t)item->at);
    dt_write_char(w, ' ');
    dt_write_z(w, kind_names[item->kind]);
    dt_write_char(w, ' ');
    dt_write_z(w, item->who < r->n_parties ? r->parties[item->who].name : "-");
    dt_write_char(w, ' ');
    dt_write_u64(w, (uint64_t)item->event);
    dt_write_char(w, ' ');
    dt_write_u64(w, item->call);
    write_addr(w, &item->from);
    write_addr(w, &item->to);
    dt_write_char(w, ' ');
    write_escaped(w, dt_bytes_str(item->bytes));
    dt_write_char(w, '\n');
}

static int read_addr(struct dt_str word, struct dt_addr *out)
{
    *out = (struct dt_addr){0};
    if (dt_str_eq(word, DT_STR("-")))
        return DT_OK;
    bool tcp = dt_str_starts(word, DT_STR("tcp:"));
    if (!tcp && !dt_str_starts(word, DT_STR("udp:")))
        return DT_E_SYNTAX;
    int err = dt_addr_parse(out, dt_str_sub(word, 4, word.n));
    out->transport = tcp ? DT_TCP : DT_UDP;
    return err;
}

static int read_kind(struct dt_str word, enum dt_record_kind *out)
{
    for (int i = 0; i < KINDS; i++)
        if (dt_str_eq(word, dt_str_z(kind_names[i]))) {
            *out = (enum dt_record_kind)i;
            return DT_OK;
        }
    return DT_E_SYNTAX;
}

/* What another process wrote, and what is drawn later: printable. */
static bool is_name(struct dt_str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] <= ' ' || word.p[i] > '~')
            return false;
    return true;
}

enum { HEAD_WORDS = 7 };

static int read_head(struct dt_record *r, struct dt_reader *in, struct dt_record_item *item)
{
    struct dt_str words[HEAD_WORDS];
    for (int i = 0; i < HEAD_WORDS; i++) {
        words[i] = dt_reader_until(in, ' ');
        if (words[i].n == 0 || !dt_reader_char(in, ' '))
            return DT_E_SYNTAX;
    }
    uint64_t at = 0, event = 0, call = 0;
    if (words[0].p[0] != '@' || dt_str_u64(dt_str_sub(words[0], 1, words[0].n), INT64_MAX, &at) ||
        read_kind(words[1], &item->kind) || !is_name(words[2]) ||
        dt_str_u64(words[3], DT_EV_QUIT, &event) || dt_str_u64(words[4], UINT32_MAX, &call) ||
        read_addr(words[5], &item->from) || read_addr(words[6], &item->to))
        return DT_E_SYNTAX;
    item->at = (dt_time)at;
    item->event = (enum dt_event_kind)event;
    item->call = (uint32_t)call;
    item->who = dt_str_eq(words[2], DT_STR("-")) ? DT_RECORD_NOBODY : party_find(r, words[2]);
    return DT_OK;
}

static int hex_digit(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of TEXT, its escape undone; -1 when it is malformed. */
static int read_char(struct dt_reader *in)
{
    struct dt_str s;
    if (!dt_reader_take(in, 1, &s))
        return -1;
    if (s.p[0] != '\\')
        return (unsigned char)s.p[0];
    if (!dt_reader_take(in, 1, &s))
        return -1;
    if (s.p[0] != 'x')
        return s.p[0] == 'r' ? '\r' : s.p[0] == 'n' ? '\n' : s.p[0] == '\\' ? '\\' : -1;
    if (!dt_reader_take(in, 2, &s))
        return -1;
    int high = hex_digit(s.p[0]), low = hex_digit(s.p[1]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int dt_record_read(struct dt_record *r, struct dt_str line, struct dt_record_item *item)
{
    struct dt_reader in = dt_reader(line);
    *item = (struct dt_record_item){0};
    if (read_head(r, &in, item))
        return DT_E_SYNTAX;
    item->bytes = dt_bytes_new(r->alloc, (size_t)(in.end - in.p));
    if (!item->bytes)
        return DT_E_NOMEM;
    while (!dt_reader_end(&in)) {
        int c = read_char(&in);
        if (c < 0) {
            dt_bytes_drop(item->bytes);
            item->bytes = NULL;
            return DT_E_SYNTAX;
        }
        item->bytes->data[item->bytes->n++] = (char)c;
    }
    return DT_OK;
}
