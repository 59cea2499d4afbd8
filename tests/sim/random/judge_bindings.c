/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a registrar says: a 200 lists what its REGISTER bound, for no longer than was asked, and
 * nothing that it unbound; and of a Call-ID no REGISTER is accepted behind a later one (I25, RFC
 * 3261 10.3). */
#include "judge.h"

static uint32_t number(struct dt_str text, uint32_t none)
{
    uint32_t n;
    return text.n && !dt_sip_number(&n, text) ? n : none;
}

static uint32_t expires_of(const struct dt_sip_msg *m, const struct dt_name_addr *contact)
{
    struct dt_str value = DT_STR_NONE;
    if (!dt_param(contact->params, "expires", &value))
        value = dt_sip_get(m, DT_H_EXPIRES);
    return number(value, UINT32_MAX);
}

/* For how long the 200 says that it is bound; 0: it is not. */
static uint32_t bound_for(const struct dt_sip_msg *ok, struct dt_str uri)
{
    struct dt_sip_values v = dt_sip_values(ok, DT_H_CONTACT);
    struct dt_name_addr contact;
    struct dt_str value;
    while (dt_sip_values_next(&v, &value))
        if (!dt_sip_name_addr(&contact, value) && dt_str_eq(contact.uri.text, uri))
            return expires_of(ok, &contact);
    return 0;
}

static void compare(const struct seen *s, struct dt_str request)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_name_addr contact;
    struct dt_str value;
    if (dt_sip_parse(&m, request, headers, DT_MSG_HEADERS_MAX))
        return;
    struct dt_sip_values v = dt_sip_values(&m, DT_H_CONTACT);
    while (dt_sip_values_next(&v, &value)) {
        if (dt_sip_name_addr(&contact, value) || contact.star)
            continue;
        uint32_t asked = expires_of(&m, &contact), bound = bound_for(s->m, contact.uri.text);
        if (!asked != !bound)
            judge_fail(s, "I25", asked ? "what was registered is not bound" : "it is still bound");
        else if (bound > asked + faults_jumped(s->w) / DT_SECOND)
            judge_fail(s, "I25", "it is bound for longer than was asked");
    }
}

static void accepted(const struct seen *s)
{
    struct memo *request = judge_memo(s, MEMO_REGISTER, judge_owner(s), &s->m->via.branch, 1);
    struct memo *last = judge_memo(s, MEMO_ACCEPTED, judge_owner(s), &s->m->call_id, 1);
    if (!request->used || request->final)
        return;
    request->final = s->item->at;
    if (last->used && s->m->cseq.number < last->value)
        judge_fail(s, "I25", "a later REGISTER of this Call-ID was accepted before");
    last->used = true;
    last->value = s->m->cseq.number;
    if (!s->w->failed)
        compare(s, request->text);
}

void judge_bindings(const struct seen *s)
{
    if (!s->party->proxy || s->m->cseq.method != DT_REGISTER)
        return;
    if (!s->sent && s->m->request && !dt_sip_first(s->m, DT_H_DUALTONE_COPY)) { /* no twin's copy */
        struct memo *r = judge_memo(s, MEMO_REGISTER, judge_owner(s), &s->m->via.branch, 1);
        r->used = true;
        r->text = s->m->text;
    } else if (s->sent && s->m->status == 200) {
        accepted(s);
    }
}
