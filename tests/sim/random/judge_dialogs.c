/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dialogs of phones: the route set that does not change (I16), one offer at a time, the window
 * after a glare, and the version of what is offered (I15). */
#include "judge.h"

#include <string.h>

enum { OWNER_WAITS_MS = 2100 /* RFC 3261 14.1 */, ROUTES_MAX = 16 };

static struct memo *of_dialog(const struct seen *s, enum memo_kind kind, bool ours)
{
    struct dt_str from = s->m->from.tag, to = s->m->to.tag;
    struct dt_str texts[] = {s->m->call_id, ours ? from : to, ours ? to : from};
    return judge_memo(s, kind, judge_owner(s), texts, 3);
}

/* ---- I16 ---- */

/* The values of Route or Record-Route as a key; `reversed` as who called reads it (12.1.2). */
static struct dt_str routes_of(const struct dt_sip_msg *m, enum dt_header_id id, bool reversed,
                               char buf[ROUTES_MAX * 8])
{
    struct dt_sip_values v = dt_sip_values(m, id);
    uint64_t hashes[ROUTES_MAX];
    size_t n = 0;
    for (struct dt_str value; n < ROUTES_MAX && dt_sip_values_next(&v, &value);)
        hashes[n++] = judge_hash(value);
    for (size_t i = 0; i < n; i++)
        memcpy(buf + 8 * i, &hashes[reversed ? n - 1 - i : i], 8);
    return (struct dt_str){buf, 8 * n};
}

/* What a message with Record-Route may make the route set of a dialog: an INVITE or its answer. */
static struct memo *recorded(const struct seen *s, struct dt_str theirs, struct dt_str routes)
{
    struct dt_str texts[] = {s->m->call_id, theirs, routes};
    return judge_memo(s, MEMO_RECORDED, (uint32_t)s->party->index + 1, texts, 3);
}

static void got_record(const struct seen *s)
{
    char buf[ROUTES_MAX * 8];
    bool request = s->m->request;
    if (request ? s->m->to.tag.n > 0 : s->m->status < 101 || s->m->status >= 300)
        return;
    struct dt_str routes = routes_of(s->m, DT_H_RECORD_ROUTE, !request, buf);
    recorded(s, request ? s->m->from.tag : s->m->to.tag, routes)->used = true;
    if (!request && s->m->status >= 200)
        recorded(s, s->m->to.tag, DT_STR("2xx"))->used = true;
}

static void judge_routes(const struct seen *s)
{
    char buf[ROUTES_MAX * 8];
    struct memo *d = of_dialog(s, MEMO_ROUTE, true);
    struct dt_str routes = routes_of(s->m, DT_H_ROUTE, false, buf);
    uint64_t digest = judge_hash(routes);
    if (s->m->method == DT_ACK && !recorded(s, s->m->to.tag, DT_STR("2xx"))->used)
        return; /* of a failure: of its hop */
    if (d->used && d->digest != digest)
        judge_fail(s, "I16", "the route set of a dialog has changed");
    else if (!recorded(s, s->m->to.tag, routes)->used)
        judge_fail(s, "I16", "the route set is not what Record-Route had");
    d->used = true;
    d->digest = digest;
}

/* ---- I15 ---- */

/* A session description of ours: its version rises by one where it changes, and only there (RFC
 * 3264 8). What was taken back, since it was refused, may have had a version of its own, and with a
 * connection that is lost it is not even sent. Who stood still forgets its transactions and no
 * session, so this is of a party in all its lives. */
static void judge_origin(const struct seen *s)
{
    static struct dt_sdp sdp;
    uint64_t version = 0;
    if (!s->m->body.n || dt_sdp_parse(&sdp, s->m->body, NULL) ||
        dt_str_u64(sdp.version, UINT64_MAX, &version))
        return;
    uint64_t body = judge_hash(s->m->body);
    struct dt_str texts[] = {s->m->call_id, sdp.session_id, sdp.version};
    uint32_t party = (uint32_t)s->party->index;
    struct memo *o = judge_memo(s, MEMO_ORIGIN, party, texts, 2);
    struct memo *same = judge_memo(s, MEMO_ORIGIN, party, texts, 3);
    if (same->used && body != same->digest)
        judge_fail(s, "I15", "a session has changed, and not its version");
    else if (!same->used && o->used && version > o->value + 1 && !s->party->tcp)
        judge_fail(s, "I15", "the version of a session rises by more than one");
    o->used = same->used = true;
    o->value = version > o->value ? (uint32_t)version : o->value;
    same->digest = body;
}

/* Nobody heard what it sent: it may be told so, and know that its offers are lost as well. */
static struct memo *unheard(const struct seen *s)
{
    return judge_memo(s, MEMO_OFFER, judge_owner(s), NULL, 0);
}

void judge_offer_unheard(const struct seen *s)
{
    unheard(s)->last = s->item->at;
}

static bool is_open(const struct seen *s, const struct memo *o)
{
    dt_time told = unheard(s)->last + ICMP_COMES;
    return o->n && s->item->at - o->first < 64 * T1 && told < o->first;
}

/* `n`: the CSeq of our re-INVITE that is open; `last`: when the other side said 491. */
static void sent_reinvite(const struct seen *s)
{
    struct memo *o = of_dialog(s, MEMO_OFFER, true);
    if (o->used && o->value == s->m->cseq.number)
        return; /* once more, or by the twin */
    if (is_open(s, o))
        judge_fail(s, "I15", "a second offer while the first is open");
    struct dt_str texts[] = {s->m->call_id};
    bool caller = judge_memo(s, MEMO_CALLER, judge_owner(s), texts, 1)->used;
    if (o->last && caller && s->item->at - o->last < OWNER_WAITS_MS * DT_MS - 5 * DT_MS)
        judge_fail(s, "I15", "the owner of the call does not wait 2.1 s after a glare");
    o->used = true;
    o->value = s->m->cseq.number;
    o->n = s->item->to.transport == DT_UDP; /* a connection may be lost, and the offer with it */
    o->first = s->item->at;
    o->last = o->final = 0;
}

static void got_final(const struct seen *s)
{
    struct memo *o = of_dialog(s, MEMO_OFFER, true);
    if (!o->used || o->value != s->m->cseq.number || s->m->status < 200 || o->final)
        return; /* what the other twin says of it comes too late */
    if (s->m->status == 491 && !o->last && is_open(s, o)) /* else it is of no use to anybody */
        o->last = s->item->at;
    o->final = s->item->at;
    o->n = 0;
}

/* 14.2: who has an offer open answers another one with 491. */
static void sent_answer(const struct seen *s)
{
    struct memo *o = of_dialog(s, MEMO_OFFER, false);
    struct dt_str texts[] = {s->m->via.branch};
    struct memo *first = judge_memo(s, MEMO_ANSWERED, judge_owner(s), texts, 1);
    if (s->m->status / 100 == 2 && !first->used && is_open(s, o))
        judge_fail(s, "I15", "an offer is answered while an own one is open");
    first->used = true;
}

/* RFC 3264 6: as many m-lines as the offer. */
static unsigned streams_of(const struct seen *s)
{
    static struct dt_sdp sdp;
    return !s->m->body.n || dt_sdp_parse(&sdp, s->m->body, NULL) ? 0 : sdp.n_media;
}

static void judge_streams(const struct seen *s)
{
    struct dt_str texts[] = {s->m->via.branch};
    struct memo *offer = judge_memo(s, MEMO_STREAMS, judge_owner(s), texts, 1);
    unsigned n = streams_of(s);
    if (!s->sent && n)
        offer->n = n;
    else if (s->sent && s->m->status / 100 == 2 && offer->n && n != offer->n)
        judge_fail(s, "I15", "an answer has other m-lines than its offer");
}

void judge_dialogs(const struct seen *s)
{
    struct dt_str texts[] = {s->m->call_id};
    bool invite = s->m->method == DT_INVITE, inside = s->m->to.tag.n > 0;
    if (s->party->proxy || judge_excuses(s->party))
        return;
    if (!s->sent && invite)
        got_record(s);
    if (s->sent && s->m->request && inside)
        judge_routes(s);
    if (s->sent && s->m->request && invite && !inside)
        judge_memo(s, MEMO_CALLER, judge_owner(s), texts, 1)->used = true;
    if (s->sent && (invite || s->m->method == DT_ACK))
        judge_origin(s);
    if (invite && s->sent != s->m->request)
        judge_streams(s);
    if (s->sent && s->m->request && invite && inside)
        sent_reinvite(s);
    else if (!s->sent && !s->m->request && invite && inside)
        got_final(s);
    else if (s->sent && !s->m->request && invite && inside && s->m->status >= 200)
        sent_answer(s);
}
