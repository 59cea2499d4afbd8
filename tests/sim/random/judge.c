/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge.h"

#include <stdlib.h>

enum { ROOM = 512 /* memos of a block */, STALL_S = 4 /* R10 */ };

struct block {
    struct block *next;
    size_t n;
    struct memo memos[ROOM];
};

/* A question for later. */
struct due {
    size_t item; /* of the record */
    uint32_t life;
    struct memo *memo;
};
/* Those of one kind, in order of time, since all wait as long. */
struct dues {
    struct due *list;
    size_t at, n, cap;
};

/* A party as the judge knows it. */
struct known {
    uint32_t life;
    dt_time steady, hung;
};

struct judge {
    size_t at; /* how far the record is read */
    struct memo **table;
    size_t n, size;
    struct block *blocks;
    struct known parties[PARTIES_MAX];
    struct dues dues[DUE_COUNT];
};

static const uint64_t no_key[2] = {0, 0}; /* what is judged is our own run */

struct judge *judge_new(void)
{
    return calloc(1, sizeof(struct judge));
}

void judge_free(struct judge *j)
{
    if (!j)
        return;
    while (j->blocks) {
        struct block *b = j->blocks;
        j->blocks = b->next;
        free(b);
    }
    for (int i = 0; i < DUE_COUNT; i++)
        free(j->dues[i].list);
    free(j->table);
    free(j);
}

/* ---- memos ---- */

static bool grow(struct judge *j)
{
    size_t size = j->size ? 2 * j->size : 4096;
    struct memo **table = calloc(size, sizeof(struct memo *));
    if (!table)
        return false;
    for (size_t i = 0; i < j->size; i++) {
        size_t at = j->table[i] ? j->table[i]->key & (size - 1) : 0;
        while (j->table[i] && table[at])
            at = (at + 1) & (size - 1);
        if (j->table[i])
            table[at] = j->table[i];
    }
    free(j->table);
    j->table = table;
    j->size = size;
    return true;
}

static struct memo *make(struct judge *j)
{
    if (!j->blocks || j->blocks->n == ROOM) {
        struct block *b = calloc(1, sizeof *b);
        if (!b)
            return NULL;
        b->next = j->blocks;
        j->blocks = b;
    }
    return &j->blocks->memos[j->blocks->n++];
}

/* 64 bits of SipHash are the key: that two of a world's keys are one is not to be expected. */
static struct memo *memo_of(struct judge *j, uint64_t key)
{
    if (2 * j->n >= j->size && !grow(j))
        abort();
    size_t at = key & (j->size - 1);
    while (j->table[at] && j->table[at]->key != key)
        at = (at + 1) & (j->size - 1);
    if (!j->table[at]) {
        j->table[at] = make(j);
        if (!j->table[at])
            abort();
        j->table[at]->key = key;
        j->n++;
    }
    return j->table[at];
}

struct memo *judge_memo(const struct seen *s, enum memo_kind kind, uint32_t owner,
                        const struct dt_str *texts, size_t n)
{
    struct dt_siphash h;
    uint32_t head[] = {(uint32_t)kind, owner};
    dt_siphash_init(&h, no_key);
    dt_siphash_add(&h, head, sizeof head);
    for (size_t i = 0; i < n; i++)
        dt_siphash_add_str(&h, texts[i]);
    return memo_of(s->w->judge, dt_siphash_end(&h));
}

size_t judge_turn(const struct seen *s)
{
    return s->w->judge->at;
}

uint64_t judge_hash(struct dt_str text)
{
    return dt_siphash(no_key, text);
}

uint32_t judge_owner(const struct seen *s)
{
    return s->life << 8 | (uint32_t)(s->party->index + 1);
}

struct dt_str judge_address(const struct dt_addr *a, char buf[48])
{
    struct dt_writer w = dt_writer(buf, 48);
    dt_write(&w, (struct dt_str){(const char *)a->ip, sizeof a->ip});
    dt_write_char(&w, (char)(a->port >> 8));
    dt_write_char(&w, (char)a->port);
    dt_write_char(&w, (char)a->transport);
    return dt_writer_str(&w);
}

struct memo *judge_unheard_at(const struct seen *s, const struct dt_addr *address)
{
    char buf[48];
    struct dt_str texts[] = {judge_address(address, buf)};
    return judge_memo(s, MEMO_ADDRESS, judge_owner(s), texts, 1);
}

dt_time judge_steady_since(const struct party *p)
{
    return p->w->judge->parties[p->index].steady;
}

bool judge_excuses(const struct party *p)
{
    return p->gone || p->unsure || (p->memory.fail_at && p->memory.calls >= p->memory.fail_at);
}

void judge_fail(const struct seen *s, const char *invariant, const char *what)
{
    struct dt_label label;
    dt_time at = s->item->at - s->w->zero; /* as in ladders */
    dt_label_of(&label, s->m->text);
    world_fail(s->w, "%s: %s (%s %s %s at %lld.%03d s, Call-ID %.*s)", invariant, what,
               s->party->name, s->sent ? "sent" : "got", label.text, (long long)(at / DT_SECOND),
               (int)(at % DT_SECOND / DT_MS), DT_FMT(s->m->call_id));
}

/* ---- the record ---- */

/* Who is started anew, hung for so long that it acts so (R10), or at another address, remembers
 * nothing. */
static void see_fault(struct judge *j, const struct dt_record_item *it)
{
    struct dt_str what = dt_bytes_str(it->bytes);
    if (it->who >= PARTIES_MAX || dt_str_eq(what, DT_STR("blackhole")))
        return;
    struct known *k = &j->parties[it->who];
    k->steady = it->at;
    if (dt_str_eq(what, DT_STR("hang")))
        k->hung = it->at;
    else if (!dt_str_eq(what, DT_STR("wake")) || it->at - k->hung > STALL_S * DT_SECOND)
        k->life++;
}

/* The values of Via behind the first one, and the branch of the next. */
static void read_vias(struct seen *s)
{
    struct dt_sip_values v = dt_sip_values(s->m, DT_H_VIA);
    struct dt_str value;
    struct dt_via via;
    s->below = s->vias = DT_STR_NONE;
    if (!dt_sip_values_next(&v, &value) || !dt_sip_values_next(&v, &value) ||
        dt_sip_via(&via, value))
        return;
    s->below = via.branch;
    s->vias = value;
    while (dt_sip_values_next(&v, &value))
        s->vias.n = (size_t)(value.p + value.n - s->vias.p);
}

static bool read_message(struct world *w, const struct dt_record_item *it, struct dt_sip_msg *m,
                         struct dt_sip_header *headers, struct seen *s)
{
    *s = (struct seen){.w = w,
                       .item = it,
                       .m = m,
                       .sent = it->kind == DT_REC_SENT,
                       .unheard = it->kind == DT_REC_UNHEARD};
    bool arrived = it->kind == DT_REC_ARRIVED;
    uint16_t who = dt_record_whose(&w->record, arrived ? &it->to : &it->from);
    if (who >= w->n_parties || !it->bytes)
        return false;
    s->party = &w->parties[who];
    s->life = w->judge->parties[who].life;
    if (dt_sip_parse(m, dt_bytes_str(it->bytes), headers, DT_MSG_HEADERS_MAX) || dt_sip_check(m)) {
        world_fail(w, "I29: %s sent what cannot be read:\n%.*s", s->party->name,
                   DT_FMT(dt_bytes_str(it->bytes)));
        return false;
    }
    read_vias(s);
    return true;
}

static void see_message(struct world *w, const struct dt_record_item *it)
{
    static void (*const judges[])(const struct seen *) = {
        judge_transactions, judge_proxies, judge_forks,    judge_answers,
        judge_dialogs,      judge_bytes,   judge_bindings, judge_bounds};
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct seen s;
    if (!read_message(w, it, &m, headers, &s))
        return;
    if (s.unheard) {
        judge_unheard(&s);
        judge_offer_unheard(&s);
        judge_path_unheard(&s);
    }
    for (size_t i = 0; i < sizeof judges / sizeof *judges && !w->failed && !s.unheard; i++)
        judges[i](&s);
}

/* ---- later ---- */

void judge_wait(const struct seen *s, enum due_kind kind, struct memo *memo)
{
    struct dues *d = &s->w->judge->dues[kind];
    if (d->n == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 1024;
        d->list = realloc(d->list, d->cap * sizeof *d->list);
        if (!d->list)
            abort();
    }
    d->list[d->n++] = (struct due){s->w->judge->at, s->life, memo};
}

static void ask(struct world *w, const struct due *due,
                void (*what)(const struct seen *, struct memo *))
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct seen s;
    const struct dt_record_item *it = &w->record.items[due->item];
    if (read_message(w, it, &m, headers, &s) && s.life == due->life && !judge_excuses(s.party) &&
        (judge_steady_since(s.party) <= it->at) && !s.party->down)
        what(&s, due->memo);
}

static void ask_due(struct world *w, dt_time now)
{
    static const struct {
        dt_time wait;
        void (*ask)(const struct seen *s, struct memo *memo);
    } rows[] = {
#define X(id, wait, ask) {wait, ask},
        DUES(X)
#undef X
    };
    for (int i = 0; i < DUE_COUNT; i++) {
        struct dues *d = &w->judge->dues[i];
        for (; d->at < d->n && w->record.items[d->list[d->at].item].at + rows[i].wait < now &&
               !w->failed;
             d->at++)
            ask(w, &d->list[d->at], rows[i].ask);
    }
}

void judge_look(struct world *w)
{
    for (; w->judge->at < w->record.n && !w->failed; w->judge->at++) {
        const struct dt_record_item *it = &w->record.items[w->judge->at];
        ask_due(w, it->at);
        if (it->kind == DT_REC_FAULT)
            see_fault(w->judge, it);
        else if (it->kind == DT_REC_SENT || it->kind == DT_REC_ARRIVED ||
                 it->kind == DT_REC_UNHEARD)
            see_message(w, it);
    }
    ask_due(w, world_now(w));
}
