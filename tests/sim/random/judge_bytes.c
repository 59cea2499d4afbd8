/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether what is sent can be read, and what is read can be built again: I29. */
#include "judge.h"

#include "dualtone/build.h"

enum { EACH = 8 /* message is built again: it takes as long as all other judges together */ };

static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];

static bool same_value(const struct dt_sip_msg *a, const struct dt_sip_msg *b, size_t i)
{
    const struct dt_sip_header *x = &a->headers[i], *y = &b->headers[i];
    return x->id == y->id && dt_str_eq(dt_sip_name(a, x), dt_sip_name(b, y)) &&
           dt_str_eq(dt_sip_value(a, x), dt_sip_value(b, y));
}

/* With a line more at the end. */
static void forward(const struct seen *s)
{
    struct dt_sip_edits e;
    struct dt_sip_msg again;
    struct dt_bytes *out;
    dt_sip_edits_init(&e, s->m);
    dt_sip_edit_append(&e, DT_H_REASON, DT_STR("x"));
    if (dt_sip_forward(&e, &dt_alloc_libc, &out))
        return judge_fail(s, "I29", "it cannot be passed on");
    bool same = !dt_sip_parse(&again, dt_bytes_str(out), headers, DT_MSG_HEADERS_MAX) &&
                again.n == s->m->n + 1 && dt_str_eq(again.body, s->m->body);
    for (size_t i = 0; same && i < s->m->n; i++)
        same = same_value(s->m, &again, i);
    dt_bytes_drop(out);
    if (!same)
        judge_fail(s, "I29", "passed on, it says something else");
}

static bool same_vias(const struct dt_sip_msg *a, const struct dt_sip_msg *b)
{
    struct dt_sip_values x = dt_sip_values(a, DT_H_VIA), y = dt_sip_values(b, DT_H_VIA);
    struct dt_str v, w;
    bool more, other;
    for (bool first = true;; first = false) {
        more = dt_sip_values_next(&x, &v);
        other = dt_sip_values_next(&y, &w);
        if (!more || more != other || (!first && !dt_str_eq(v, w)))
            return !more && !other;
    }
}

static void answer(const struct seen *s)
{
    const struct dt_sip_answer ans = {
        .status = 200, .to_tag = DT_STR("t"), .source = &s->item->from};
    struct dt_sip_msg again;
    struct dt_bytes *out;
    if (dt_sip_answer(s->m, &ans, &dt_alloc_libc, &out))
        return judge_fail(s, "I29", "it cannot be answered");
    bool same = !dt_sip_parse(&again, dt_bytes_str(out), headers, DT_MSG_HEADERS_MAX) &&
                !dt_sip_check(&again) && again.status == 200 && same_vias(s->m, &again) &&
                dt_str_eq(again.via.branch, s->m->via.branch) &&
                dt_str_eq(again.call_id, s->m->call_id) &&
                dt_str_eq(again.from.tag, s->m->from.tag) &&
                dt_str_eq(again.to.tag, s->m->to.tag.n ? s->m->to.tag : ans.to_tag) &&
                again.cseq.number == s->m->cseq.number && again.cseq.method == s->m->cseq.method;
    dt_bytes_drop(out);
    if (!same)
        judge_fail(s, "I29", "its answer belongs to something else");
}

void judge_bytes(const struct seen *s)
{
    if (!s->sent || judge_turn(s) % EACH)
        return;
    forward(s);
    if (s->m->request && !s->w->failed)
        answer(s);
}
