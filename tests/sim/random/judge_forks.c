/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forks: after a 2xx or 6xx each other path that has spoken is cancelled, and one that speaks later
 * then (I21, RFC 3261 16.7 step 10, 9.1). A memo of a group lists its paths; a path's `n` is that
 * it has spoken, `value` that it was cancelled, `final` that it is over, `digest` which item of the
 * record began it. */
#include "judge.h"

static struct memo *group_of(const struct seen *s)
{
    struct dt_str texts[] = {s->below, s->m->call_id};
    return judge_memo(s, MEMO_GROUP, judge_owner(s), texts, 2);
}

static struct memo *path_of(const struct seen *s)
{
    return judge_memo(s, MEMO_PATH, judge_owner(s), &s->m->via.branch, 1);
}

static void sent_request(const struct seen *s)
{
    struct memo *path = path_of(s), *group;
    if (s->m->method == DT_CANCEL)
        path->value = true;
    if (s->m->method != DT_INVITE || !s->below.n || path->used)
        return;
    group = group_of(s);
    path->used = true;
    path->first = s->item->at;
    path->digest = (uint64_t)(s->item - s->w->record.items);
    path->next = group->next;
    group->next = path;
}

/* Over: it has its final; or nobody waits for one any more, by timer B or since the network said
 * that nobody is there (docs/survival.md "An INVITE that was given up"). */
static bool is_over(const struct seen *s, const struct memo *path)
{
    return path->final || (!path->n && s->item->at - path->first >= 64 * T1);
}

static void got_response(const struct seen *s)
{
    struct memo *path = path_of(s), *group = group_of(s);
    bool ends = s->m->status / 100 == 2 || s->m->status / 100 == 6;
    /* Behind its final: repeated; or it was started anew, and says something else to nobody. */
    if (!path->used || s->m->status == 100 || path->final)
        return;
    if (s->m->status >= 200)
        path->final = s->item->at;
    else if (!is_over(s, path)) {
        path->n = 1;
        if (group->value)
            judge_wait(s, DUE_CANCEL, path);
    }
    group->value |= ends;
    for (struct memo *other = group->next; other && ends; other = other->next)
        if (other != path && other->n && !other->final)
            judge_wait(s, DUE_CANCEL, other);
}

/* With its connection; or the proxy was told that nobody is there, by what else it sent there
 * (docs/survival.md "An INVITE that was given up"). */
static bool is_lost(const struct seen *s, const struct memo *path)
{
    const struct dt_addr *to = &s->w->record.items[path->digest].to;
    uint16_t whose = dt_record_whose(&s->w->record, to);
    if (judge_unheard_at(s, to)->last + ICMP_COMES > path->first)
        return true;
    return to->transport == DT_TCP && whose < s->w->n_parties &&
           judge_steady_since(&s->w->parties[whose]) > path->first;
}

void judge_due_cancel(const struct seen *s, struct memo *path)
{
    if (!path->value && !path->final && !is_lost(s, path))
        judge_fail(s, "I21", "another path of the same request is not cancelled");
}

void judge_path_unheard(const struct seen *s)
{
    if (s->party->proxy && s->m->request && s->m->method == DT_INVITE)
        path_of(s)->final = s->item->at;
}

void judge_forks(const struct seen *s)
{
    if (!s->party->proxy)
        return;
    if (s->sent && s->m->request)
        sent_request(s);
    else if (!s->sent && !s->m->request && s->m->method == DT_INVITE && s->below.n)
        got_response(s);
}
