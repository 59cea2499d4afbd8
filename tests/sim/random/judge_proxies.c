/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What proxies pass on, beside what they got: nothing is changed that no rule changes (I20); and
 * branches and tags, which do not come again for something else (I9). */
#include "judge.h"

/* ---- I9 ---- */

static struct dt_str class_of(const struct seen *s)
{
    bool invite = s->m->method == DT_INVITE || s->m->method == DT_CANCEL || s->m->method == DT_ACK;
    return invite ? DT_STR("INVITE") : s->m->cseq.method_text;
}

static uint64_t hash_of(const struct dt_str *texts, size_t n)
{
    static const uint64_t key[2] = {0, 0};
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    for (size_t i = 0; i < n; i++)
        dt_siphash_add_str(&h, texts[i]);
    return dt_siphash_end(&h);
}

/* The same request to the same target has the same branch, today as tomorrow (design.md 1). Over a
 * new connection, since the last one is lost, it is another attempt (RFC 3263 4.3). */
static void judge_repeated(const struct seen *s, const struct dt_str request[5])
{
    char buf[48];
    const struct dt_str texts[] = {request[0],
                                   request[1],
                                   request[2],
                                   request[3],
                                   request[4],
                                   s->m->uri_text,
                                   judge_address(&s->item->to, buf)};
    struct memo *r = judge_memo(s, MEMO_PASSED, 0, texts, 7);
    uint64_t branch = judge_hash(s->m->via.branch);
    if (r->used && r->digest != branch && s->item->to.transport == DT_UDP)
        judge_fail(s, "I9", "the same request comes with another branch");
    r->used = true;
    r->digest = branch;
}

/* One branch, one request, of whichever proxy of a pair. */
static void judge_branch(const struct seen *s)
{
    char cseq[12];
    struct dt_writer w = dt_writer(cseq, sizeof cseq);
    dt_write_u64(&w, s->m->cseq.number);
    const struct dt_str texts[] = {s->below, s->m->call_id, s->m->from.tag, dt_writer_str(&w),
                                   class_of(s)};
    struct memo *b = judge_memo(s, MEMO_BRANCH, 0, (struct dt_str[]){s->m->via.branch}, 1);
    uint64_t digest = hash_of(texts, 5);
    bool hop_by_hop = !s->below.n && s->party->proxy; /* CANCEL, ACK: made here of the INVITE */
    if (hop_by_hop)
        return;
    if (b->used && b->digest != digest)
        judge_fail(s, "I9", "a branch comes again for another request");
    b->used = true;
    b->digest = digest;
    if (s->party->proxy)
        judge_repeated(s, texts);
}

/* A To tag is made for one call; who called keeps its From tag where it calls once more (R26). */
static void judge_tag(const struct seen *s)
{
    bool request = s->m->request;
    struct dt_str tag = request ? s->m->from.tag : s->m->to.tag;
    if (s->party->proxy || (!request && s->m->status < 101) || !tag.n)
        return;
    struct memo *t = judge_memo(s, MEMO_TAG, 0, &tag, 1);
    uint64_t call = judge_hash(s->m->call_id);
    t->value |= request && !s->m->to.tag.n;
    if (t->used && !t->value && t->digest != call)
        judge_fail(s, "I9", "a To tag comes again in another call");
    t->used = true;
    t->digest = call;
}

/* ---- I20 ---- */

static bool may_change(enum dt_header_id id)
{
    static const enum dt_header_id ids[] = {DT_H_VIA,          DT_H_MAX_FORWARDS,
                                            DT_H_MAX_BREADTH,  DT_H_ROUTE,
                                            DT_H_RECORD_ROUTE, DT_H_PROXY_AUTHORIZATION};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static const struct dt_sip_header *next_kept(const struct dt_sip_msg *m, uint16_t *i, bool response)
{
    while (*i < m->n && (m->headers[*i].id == DT_H_VIA ||
                         (!response && may_change((enum dt_header_id)m->headers[*i].id))))
        ++*i;
    return *i < m->n ? &m->headers[(*i)++] : NULL;
}

static bool same_rest(const struct dt_sip_msg *in, const struct dt_sip_msg *out)
{
    uint16_t i = 0, k = 0;
    for (;;) {
        const struct dt_sip_header *a = next_kept(in, &i, !in->request);
        const struct dt_sip_header *b = next_kept(out, &k, !out->request);
        if (!a || !b)
            return a == b && dt_str_eq(in->body, out->body);
        if (!dt_str_eq(dt_sip_name(in, a), dt_sip_name(out, b)) ||
            !dt_str_eq(dt_sip_value(in, a), dt_sip_value(out, b)))
            return false;
    }
}

static unsigned count(const struct dt_sip_msg *m, enum dt_header_id id)
{
    struct dt_sip_values v = dt_sip_values(m, id);
    unsigned n = 0;
    for (struct dt_str value; dt_sip_values_next(&v, &value);)
        n++;
    return n;
}

/* The last `n` values of `of` are the last of `m`, in order. */
static bool ends_alike(const struct dt_sip_msg *m, const struct dt_sip_msg *of, unsigned n,
                       enum dt_header_id id)
{
    unsigned in_m = count(m, id), in_of = count(of, id);
    struct dt_sip_values v = dt_sip_values(m, id), w = dt_sip_values(of, id);
    struct dt_str a = DT_STR_NONE, b = DT_STR_NONE;
    if (in_m < n || in_of < n)
        return false;
    for (unsigned i = 0; i < in_m - n; i++)
        (void)dt_sip_values_next(&v, &a);
    for (unsigned i = 0; i < in_of - n; i++)
        (void)dt_sip_values_next(&w, &b);
    while (dt_sip_values_next(&v, &a) && dt_sip_values_next(&w, &b))
        if (!dt_str_eq(a, b))
            return false;
    return true;
}

/* A Record-Route value that names this party, by an address of its own or one that it took. */
static bool names_party(const struct seen *s, struct dt_str value)
{
    struct dt_name_addr route;
    struct dt_addr a;
    if (dt_sip_name_addr(&route, value) || dt_addr_parse(&a, route.uri.host))
        return false;
    a.port = s->item->from.port;
    a.transport = s->item->from.transport;
    uint16_t whose = dt_record_whose(&s->w->record, &a);
    return whose == s->party->index || (whose < s->w->n_proxies && s->w->parties[whose].gone);
}

/* 16.6 step 4: who forwards an INVITE stays on its path; with two values between two transports
 * (RFC 5658 3.3), or between two addresses, which a node has that took its twin's. */
static bool is_recorded(const struct seen *s, const struct dt_sip_msg *in)
{
    unsigned more = count(s->m, DT_H_RECORD_ROUTE) - count(in, DT_H_RECORD_ROUTE);
    struct dt_sip_values v = dt_sip_values(s->m, DT_H_RECORD_ROUTE);
    struct dt_str value;
    if (s->m->method != DT_INVITE)
        return more == 0;
    for (unsigned i = 0; i < more; i++)
        if (!dt_sip_values_next(&v, &value) || !names_party(s, value))
            return false;
    return more == 1 || more == 2;
}

/* Not the ACK of a pair: one that the twin was sent is passed on as well, and of a failure and a
 * late 2xx both may have one branch. */
static void judge_request(const struct seen *s, const struct dt_sip_msg *in)
{
    const struct dt_sip_msg *out = s->m;
    unsigned vias = count(in, DT_H_VIA), routes = count(out, DT_H_ROUTE);
    if (count(out, DT_H_VIA) != vias + 1 || !ends_alike(out, in, vias - 1, DT_H_VIA))
        judge_fail(s, "I20", "a forwarded request has not one Via more");
    else if (in->max_forwards >= 0 && out->max_forwards != in->max_forwards - 1)
        judge_fail(s, "I20", "Max-Forwards is not one less");
    else if (!ends_alike(out, in, count(in, DT_H_RECORD_ROUTE), DT_H_RECORD_ROUTE))
        judge_fail(s, "I20", "Record-Route below has changed");
    else if (!is_recorded(s, in))
        judge_fail(s, "I20", "Record-Route does not name who forwards, once for each side");
    else if (!ends_alike(out, in, routes, DT_H_ROUTE))
        judge_fail(s, "I20", "a Route that is not ours has changed");
    else if (!(s->w->pair && s->m->method == DT_ACK) && !same_rest(in, out))
        judge_fail(s, "I20", "a forwarded request has changed");
}

static void judge_response(const struct seen *s, const struct dt_sip_msg *in)
{
    /* 16.7 step 7: all challenges in one. And a proxy has failures of its own. */
    bool challenge = in->status == 401 || in->status == 407, own = in->status == 500;
    unsigned vias = count(s->m, DT_H_VIA);
    if (count(in, DT_H_VIA) != vias + 1)
        judge_fail(s, "I20", "a forwarded response has not one Via less");
    else if (!challenge && !own && !same_rest(in, s->m))
        judge_fail(s, "I20", "a forwarded response has changed");
}

/* What came, by what it will have when it leaves. */
static struct memo *of_passage(const struct seen *s, struct dt_str branch)
{
    char status[2] = {(char)(s->m->status >> 8), (char)s->m->status};
    struct dt_str texts[] = {branch,
                             s->m->cseq.method_text,
                             {status, s->m->request ? 0 : 2},
                             s->m->request ? DT_STR_NONE : s->m->to.tag};
    return judge_memo(s, MEMO_CAME, (uint32_t)s->party->index + 1, texts, 4);
}

static void judge_passage(const struct seen *s)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg in;
    const struct memo *came = of_passage(s, s->m->request ? s->below : s->m->via.branch);
    if (!came->used || came->value || (s->m->request && !s->below.n) ||
        dt_sip_parse(&in, came->text, headers, DT_MSG_HEADERS_MAX) || dt_sip_check(&in))
        return;
    if (s->m->request)
        judge_request(s, &in);
    else
        judge_response(s, &in);
}

void judge_proxies(const struct seen *s)
{
    if (s->sent && s->m->request)
        judge_branch(s);
    if (s->sent)
        judge_tag(s);
    if (!s->party->proxy || judge_excuses(s->party))
        return;
    /* What is made here: 100, and the CANCEL of the siblings of a stray 2xx (R5). */
    if (s->m->cseq.method == DT_CANCEL || (!s->m->request && s->m->status == 100))
        return;
    if (s->sent) {
        judge_passage(s);
        return;
    }
    struct memo *came = of_passage(s, s->m->request ? s->m->via.branch : s->below);
    /* Two of one branch that differ, as the ACKs of a failure and of a late 2xx: which of them goes
     * on is not to be seen. */
    came->value |= came->used && !dt_str_eq(came->text, s->m->text);
    came->used = true;
    came->text = s->m->text;
}
