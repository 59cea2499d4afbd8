/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What may not grow without end: in worlds with bindings that lead back to the proxies, how often
 * one INVITE is forwarded (I22, RFC 5393); in worlds with narrow proxies, their transactions (I37).
 * An INVITE that loops may have any answer but a 2xx. */
#include "judge.h"

enum {
    MAX_FORWARDS = 70,
    MAX_BREADTH = 60,
    LINGERING_AS_ONE = 10 /* include/dualtone/stack.h, max_transactions */
};

/* ---- loops ---- */

/* 3001 leads to itself; 3002 and 3003 to each other, by each proxy: whom a loop detection by Via
 * alone forwards more and more often (RFC 5393 3). */
void bounds_bind_loops(struct party *p)
{
    static const char *const from_to[][2] = {{"3001", "3001"}, {"3002", "3003"}, {"3003", "3002"}};
    char text[2048];
    struct dt_writer out = dt_writer(text, sizeof text);
    const struct world *w = p->w;
    int64_t until = (WALL_START + world_now(w) + LOOPED_FOR_S * DT_SECOND) / DT_MS;
    dt_write_lit(&out, "dualtone-location 2\n");
    for (size_t i = 0; i < sizeof from_to / sizeof *from_to; i++)
        for (int k = 0; k < w->n_proxies; k++) {
            struct dt_addr to = party_address(&w->parties[k]);
            dt_writef(&out, "binding sip:%s@example.com sip:%s@", from_to[i][0], from_to[i][1]);
            dt_addr_write(&out, &to);
            dt_writef(&out, " loop%zu%d - - 1 1000 %lld udp - - 0\n", i, k, (long long)until);
        }
    p->kept = dt_bytes_copy(&dt_alloc_libc, dt_writer_str(&out));
}

static bool is_to_loop(const struct seen *s)
{
    return dt_str_starts(s->m->to.uri.user, DT_STR(LOOPED_BEGIN));
}

/* It goes by each of the numbers once: RFC 5393 4.2.2. */
static bool went_round(const struct seen *s)
{
    struct dt_sip_values v = dt_sip_values(s->m, DT_H_VIA);
    struct dt_str value;
    unsigned n = 0;
    while (dt_sip_values_next(&v, &value))
        n++;
    return n > 1 + LOOPED_LAST - LOOPED_FIRST + 1;
}

static void judge_loop(const struct seen *s)
{
    struct dt_str number = {(const char *)&s->m->cseq.number, sizeof s->m->cseq.number};
    struct dt_str texts[] = {s->m->call_id, number};
    struct memo *request = judge_memo(s, MEMO_FORWARDED, 0, texts, 2);
    if (s->m->request) {
        struct memo *branch = judge_memo(s, MEMO_LOOPED, 0, &s->m->via.branch, 1);
        request->n += !branch->used;
        branch->used = true;
        if (request->n > s->w->tally->worst_forwarded)
            s->w->tally->worst_forwarded = request->n;
        if (request->n > MAX_FORWARDS * MAX_BREADTH)
            judge_fail(s, "I22", "one INVITE was forwarded more often than 60 x 70 times");
        if (went_round(s))
            judge_fail(s, "I22", "an INVITE goes round");
    } else if (s->m->status / 100 == 2) {
        judge_fail(s, "I22", "a loop has an answer");
    } else if (s->m->status >= 300 && s->m->status != 401 && s->m->status != 407 &&
               !request->final && !s->below.n) { /* to the caller */
        request->final = s->item->at;
        s->w->tally->loops++;
        s->w->tally->loops_found += s->m->status == 482 || s->m->status == 483;
    }
}

/* ---- caps ---- */

static void judge_cap(const struct seen *s)
{
    const struct party *p = s->party;
    if (!p->proxy_node)
        return;
    uint64_t all = world_count(p, "stack.transactions"), ended = world_count(p, "stack.lingering");
    /* Each INVITE may have its CANCEL on top. */
    if (all - ended + ended / LINGERING_AS_ONE > 2 * (uint64_t)s->w->cap)
        judge_fail(s, "I37", "there are more transactions than max_transactions lets");
}

void judge_bounds(const struct seen *s)
{
    if (s->w->cap && s->party->proxy)
        judge_cap(s);
    if (s->w->looped && s->party->proxy && s->sent && s->m->cseq.method == DT_INVITE &&
        is_to_loop(s))
        judge_loop(s);
}
