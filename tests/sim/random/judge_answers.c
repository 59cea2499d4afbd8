/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether requests are answered in time, and not with too much: I10, I30; and that a
 * registrar takes nothing late: I25. */
#include "judge.h"

enum {
    READY_S = 3, /* R12: whose bindings are not known yet says nothing for 2 s */
    LARGER = 3   /* I30 */
};

static struct memo *of_branch(const struct seen *s)
{
    struct dt_str texts[] = {s->m->via.branch, s->m->cseq.method_text};
    return judge_memo(s, MEMO_TRYING, judge_owner(s), texts, 2);
}

static void got_request(const struct seen *s)
{
    struct memo *b = of_branch(s);
    bool young = s->item->at - judge_steady_since(s->party) < READY_S * DT_SECOND;
    if (!b->used && s->m->method == DT_INVITE && !young)
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

/* 10.3 step 7: what comes late changes nothing. A twin's copies are taken in any order, since the
 * newest of them counts (R13). */
static void accepted_register(const struct seen *s)
{
    uint16_t whose = dt_record_whose(&s->w->record, &s->item->to);
    struct dt_str texts[] = {s->m->call_id, s->m->to.uri.text, s->m->via.branch};
    struct memo *last = judge_memo(s, MEMO_REGISTERED, judge_owner(s), texts, 2);
    struct memo *copy = judge_memo(s, MEMO_REGISTERED, judge_owner(s), texts, 3);
    if (whose < s->w->n_proxies)
        return;
    if (!copy->used && last->used && s->m->cseq.number < last->value)
        judge_fail(s, "I25", "a REGISTER is accepted that is older than the last");
    copy->used = last->used = true;
    if (s->m->cseq.number > last->value)
        last->value = s->m->cseq.number;
}

void judge_answers(const struct seen *s)
{
    if (!s->sent && s->m->request && s->m->method != DT_ACK)
        got_request(s);
    else if (s->sent && !s->m->request)
        sent_response(s);
    if (s->sent && !s->m->request && s->party->proxy && s->m->method == DT_REGISTER &&
        s->m->status == 200)
        accepted_register(s);
}
