/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether requests are answered in time, and not with too much: I10, I30. */
#include "judge.h"

enum {
    READY_S = 3, /* R12: whose bindings are not known yet says nothing for 2 s */
    LARGER = 3   /* I30 */
};

/* Of all its lives: what stood still may know its requests, or not (R10). */
static struct memo *of_party(const struct seen *s, const struct dt_str texts[2])
{
    return judge_memo(s, MEMO_TRYING, (uint32_t)s->party->index + 1, texts, 2);
}

static struct memo *of_branch(const struct seen *s)
{
    struct dt_str texts[] = {s->m->via.branch, s->m->cseq.method_text};
    return of_party(s, texts);
}

static void got_request(const struct seen *s)
{
    struct memo *b = of_branch(s);
    bool young = s->item->at - judge_steady_since(s->party) < READY_S * DT_SECOND;
    bool moved = s->w->pair && s->w->parties[0].gone; /* whose copy comes where is not to be said */
    if (!b->used && s->m->method == DT_INVITE && !young && !moved)
        judge_wait(s, DUE_TRYING, b);
    b->used = true;
    b->last = (dt_time)s->m->text.n > b->last ? (dt_time)s->m->text.n : b->last; /* bytes */
}

void judge_due_trying(const struct seen *s, struct memo *b)
{
    if (b->n == 0)
        judge_fail(s, "I10", "an INVITE has no response after 200 ms");
}

static void sent_response(const struct seen *s)
{
    struct memo *b = of_branch(s);
    b->n++;
    if (b->used && s->item->to.transport == DT_UDP && s->m->text.n > LARGER * (size_t)b->last)
        judge_fail(s, "I30", "a response is more than 3 times as large as its request");
}

/* A 2xx that goes by is a response, too (docs/survival.md "A 2xx that went by"). */
static void got_2xx(const struct seen *s)
{
    struct dt_str texts[] = {s->below, s->m->cseq.method_text};
    of_party(s, texts)->n++;
}

void judge_answers(const struct seen *s)
{
    if (!s->sent && s->m->request && s->m->method != DT_ACK)
        got_request(s);
    else if (s->sent && !s->m->request)
        sent_response(s);
    else if (!s->sent && s->party->proxy && s->below.n && s->m->status / 100 == 2)
        got_2xx(s);
}
