/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The invariants of reliability.md 4 that a record shows, judged in one pass over a whole run: I1,
 * I6, I7, I8, I11, I13, I23. (I36 is asked of the nodes, in run.c.) What was seen before is kept in
 * a table by its keys, so that a long run takes as long as its messages. */
#include "flow/world.h"

#include "dualtone/msg.h"

#include <string.h>

/* What the checks need of one message; slices into the record. */
struct seen {
    const struct dt_record_item *item;
    uint16_t from, to; /* parties */
    bool request;
    int status;
    enum dt_method method; /* of CSeq */
    uint32_t cseq;
    unsigned vias;
    struct dt_str branch, call_id, from_tag, to_tag;
};

/* What is remembered, and of what: by party, method and two texts. */
enum fact_kind {
    FINAL,       /* the final status that a party sent on a branch */
    PROVISIONAL, /* a response, no challenge, to the INVITE on this branch came to a party */
    INVITED,     /* the CSeq of the INVITE that a party sent on a branch */
    REQUESTED,   /* a party sent a request with this method and branch */
    LAST_CSEQ,   /* the highest CSeq of a party in a call (Call-ID, From tag) or a dialog (both
                    tags), and to whom */
    HOLDS,       /* a request on this branch came to a party; whether it is of a call already */
    RANG,        /* the To tag of a phone's 180 in a call */
    CHALLENGED   /* an INVITE of this call was answered by 401 or 407 */
};
struct fact {
    bool used, stray, moved;
    uint8_t kind, method, life;
    uint16_t party, to;
    struct dt_str a, b; /* the texts of the key */
    uint32_t value, since, cseq;
    uint32_t acked; /* of an INVITE: when, and one second */
    dt_time over;   /* FINAL, of a proxy: from then on its transaction may be gone */
    struct dt_str text;
    struct dt_str older; /* RANG: the tag before this one, which may still ring */
};

/* A party that is started anew, or woken after so long that it acts so (R10), or whose address
 * another node took, is a new node: it has no transactions. */
struct life {
    uint8_t n;
    dt_time hung_at, began_at;
    bool moved; /* what has this address now lives as party `to` does */
    uint16_t to;
};

struct judge {
    const struct dt_flow *f;
    const struct dt_record *r;
    struct fact *facts; /* open addressing; at most half full */
    size_t mask;
    struct life lives[DT_FLOW_PARTIES_MAX];
    char *reason;
    size_t size;
};

/* ---- facts ---- */

static size_t place_of(const struct judge *j, const struct fact *k)
{
    static const uint64_t key[2] = {0, 0}; /* what is judged is our own run */
    const uint8_t head[] = {k->kind, k->method, (uint8_t)(k->party >> 8), (uint8_t)k->party};
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    dt_siphash_add(&h, head, sizeof head);
    dt_siphash_add_str(&h, k->a);
    dt_siphash_add_str(&h, k->b);
    return dt_siphash_end(&h) & j->mask;
}

static bool same_key(const struct fact *x, const struct fact *y)
{
    return x->kind == y->kind && x->method == y->method && x->party == y->party &&
           dt_str_eq(x->a, y->a) && dt_str_eq(x->b, y->b);
}

/* The fact with this key; `used` is false where there was none, and set by who fills it. */
static struct fact *fact(struct judge *j, enum fact_kind kind, uint16_t party,
                         enum dt_method method, struct dt_str a, struct dt_str b)
{
    struct fact k = {.kind = (uint8_t)kind, .method = (uint8_t)method, .party = party};
    k.a = a;
    k.b = b;
    size_t i = place_of(j, &k);
    while (j->facts[i].used && !same_key(&j->facts[i], &k))
        i = (i + 1) & j->mask;
    if (!j->facts[i].used)
        j->facts[i] = k;
    return &j->facts[i];
}

/* ---- messages ---- */

static bool read_message(const struct judge *j, const struct dt_record_item *it, struct seen *out)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    if (!it->bytes || dt_sip_parse(&m, dt_bytes_str(it->bytes), headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_check(&m))
        return false;
    *out = (struct seen){.item = it, .from = dt_record_whose(j->r, &it->from)};
    out->to = dt_record_whose(j->r, &it->to);
    out->request = m.request;
    out->status = m.status;
    out->method = m.cseq.method;
    out->cseq = m.cseq.number;
    out->branch = m.via.branch;
    out->call_id = m.call_id;
    out->from_tag = m.from.tag;
    out->to_tag = m.to.tag;
    struct dt_sip_values vias = dt_sip_values(&m, DT_H_VIA);
    for (struct dt_str v; dt_sip_values_next(&vias, &v);)
        out->vias++;
    return true;
}

/* A party in its present life, as a key of facts. */
static uint16_t in_life(const struct judge *j, uint16_t party)
{
    return party < DT_FLOW_PARTIES_MAX ? (uint16_t)(party | (unsigned)j->lives[party].n << 8)
                                       : party;
}

/* "loses its address to S" */
static void see_move(struct judge *j, uint16_t from, struct dt_str what)
{
    const struct dt_str words = DT_STR("loses its address to ");
    for (size_t i = 0; dt_str_starts(what, words) && i < j->f->n_parties; i++)
        if (dt_str_eq(dt_str_sub(what, words.n, what.n), dt_str_z(j->f->parties[i].name))) {
            j->lives[from].moved = true;
            j->lives[from].to = (uint16_t)i;
        }
}

static void begin_life(struct judge *j, uint16_t who, dt_time at)
{
    for (size_t i = 0; i < j->f->n_parties; i++) {
        if (i != who && !(j->lives[i].moved && j->lives[i].to == who))
            continue;
        j->lives[i].n++;
        j->lives[i].began_at = at;
    }
}

static void see_fault(struct judge *j, const struct dt_record_item *it)
{
    enum { STALL_S = 4 }; /* R10 */
    struct dt_str what = dt_bytes_str(it->bytes);
    if (it->who >= DT_FLOW_PARTIES_MAX || dt_str_eq(what, DT_STR("blackhole")))
        return;
    struct life *l = &j->lives[it->who];
    if (dt_str_eq(what, DT_STR("hang")))
        l->hung_at = it->at;
    else if (!dt_str_eq(what, DT_STR("wake")) || it->at - l->hung_at > STALL_S * DT_SECOND)
        begin_life(j, it->who, it->at);
    see_move(j, it->who, what);
}

static bool is_plain(const struct judge *j, const struct seen *s)
{
    return j->f->parties[s->from].plain;
}

static bool is_phone(const struct judge *j, const struct seen *s)
{
    return j->f->parties[s->from].role == DT_FLOW_PHONE;
}

static int broken(struct judge *j, const char *invariant, const struct seen *s, const char *what)
{
    struct dt_label label;
    struct dt_writer w = dt_writer(j->reason, j->size - 1);
    dt_label_of(&label, dt_bytes_str(s->item->bytes));
    dt_writef(&w, "%s: %s (%s sent %s, Call-ID %.*s)", invariant, what,
              s->from < j->r->n_parties ? j->r->parties[s->from].name : "?", label.text,
              DT_FMT(s->call_id));
    j->reason[w.n] = '\0';
    return DT_E_STATE;
}

/* ---- the checks: each sees every message that was sent, in order ---- */

static uint32_t seconds(const struct seen *s)
{
    return (uint32_t)(s->item->at / DT_SECOND);
}

/* Has its server transaction ended (timer J)? A copy that comes so late is an old request. */
static bool is_over(const struct seen *s, const struct fact *final)
{
    enum { J_S = 32 };
    return final->used && seconds(s) + 1 >= final->since + J_S;
}

/* ---- how long a proxy's transaction knows its final (17.2.1, RFC 6026 7.1) ---- */

/* Timers H and L: 64 T1; timer I, behind the ACK of a failure: T4 over UDP. A clock may be faster
 * than that of the record. */
static dt_time lasts(dt_time t)
{
    return t - t / 100;
}

static void see_final(const struct seen *s, struct fact *final)
{
    enum { T64_S = 32 };
    final->over = s->item->at + lasts(T64_S * DT_SECOND);
}

static void see_ack(struct fact *final, const struct seen *s)
{
    enum { T4_S = 5 };
    dt_time left = s->item->to.transport == DT_TCP ? 0 : lasts(T4_S * DT_SECOND);
    if (final->used && final->value >= 300)
        final->over = dt_time_min(final->over, s->item->at + left);
}

/* An INVITE came on a branch that may be forgotten: it is a new request, with answers of its own. A
 * phone of ours has R11, and a final of it is not forgotten here. */
static void see_again(struct judge *j, const struct seen *s)
{
    struct fact *final = fact(j, FINAL, in_life(j, s->to), DT_INVITE, s->branch, DT_STR_NONE);
    if (final->used && s->to < j->f->n_parties && j->f->parties[s->to].role == DT_FLOW_PROXY &&
        s->item->at >= final->over)
        final->used = false;
}

/* I1: one final on a branch. I8: no provisional behind it. */
static int one_final(struct judge *j, const struct seen *s)
{
    enum { T4_S = 5, YOUNG_S = 5 };
    if (s->request)
        return DT_OK;
    uint16_t node = in_life(j, s->from);
    /* A phone that is not ours has no R11: for it a late copy is a new request. */
    if (is_phone(j, s) && is_plain(j, s)) {
        struct fact *last = fact(j, FINAL, node, s->method, s->branch, DT_STR_NONE);
        if (s->status >= 200 && !last->used) {
            last->used = true;
            last->value = (uint32_t)s->status;
            last->since = seconds(s);
        }
        return DT_OK;
    }
    /* What is passed on without a transaction (R5) comes as it comes. */
    const struct fact *holds = fact(j, HOLDS, node, s->method, s->branch, DT_STR_NONE);
    bool stray = !is_phone(j, s) && !holds->used;
    bool begins = s->method == DT_INVITE && !holds->value;
    struct fact *final = fact(j, FINAL, node, s->method, s->branch, DT_STR_NONE);
    /* A 503 of a proxy that does not know its bindings yet (R12) is kept by nobody: a copy of its
     * request is a new one (8.2.7). */
    if (final->used && final->value == 503 && !is_phone(j, s) && s->status != 503) {
        final->used = false;
        final->moved = true; /* and may be repeated all the same, until its ACK comes */
    }
    if (final->moved && s->status == 503)
        return DT_OK;
    /* Nor is a challenge to another request than INVITE (26.3.2.4), nor what OPTIONS is told, which
     * at the cap is refused (8.2.7). */
    bool challenge = final->value == 401 || final->value == 407;
    bool kept = s->method == DT_INVITE || (!challenge && s->method != DT_OPTIONS);
    if (!kept && !is_phone(j, s))
        final->used = false;
    /* A phone that lacked the memory for a call has none of it: the copy by the other twin begins
     * anew (I39). */
    bool lacked = final->value == 500 || final->value == 503;
    if (final->used && lacked && is_phone(j, s) && begins && final->to != s->to)
        final->used = false;
    if (final->used && s->status < 200 && stray)
        return DT_OK;
    /* A proxy that passed on a final without a transaction, a 2xx or the failure of an only target
     * (R5), may get its copy of the INVITE later. */
    if (final->used && s->status < 200 && final->stray)
        return DT_OK;
    if (final->stray && !stray && s->status >= 200)
        final->used = final->stray = false; /* then its own transaction's final is the first */
    /* A merged request is told so (8.2.2.2); its copy behind timer I, which is zero over a stream,
     * rings, or gets what R11 remembers. */
    bool stream = s->item->to.transport == DT_TCP;
    if (final->value == 482 && is_phone(j, s) && (stream || seconds(s) >= final->since + T4_S))
        return DT_OK;
    if (final->used && s->status < 200)
        return broken(j, "I8", s, "a provisional response after a final one");
    /* A CANCEL that finds no INVITE, or not yet (9.2), and a copy of a request other than one that
     * begins a call, when its transaction is over (17.2.1, 17.2.2; 12.2.2): told so, and nothing is
     * changed. */
    if (!begins && s->status == 481 && (s->method == DT_CANCEL || final->used))
        return DT_OK;
    if (s->method != DT_INVITE && s->status == 500 && is_over(s, final))
        return DT_OK;
    if (!begins && s->method == DT_INVITE && (s->status == 500 || s->status == 491) && final->used)
        return DT_OK;
    /* 16.7 step 5: a proxy passes every 2xx that it gets on, also behind a failure. */
    bool late_2xx = !is_phone(j, s) && s->method == DT_INVITE && s->status / 100 == 2 &&
                    fact(j, LAST_CSEQ, s->from, DT_INVITE, s->from_tag, s->to_tag)->used;
    if (late_2xx && final->used)
        return DT_OK;
    /* A callee that was started anew rings for a copy that was long under way, and its final comes
     * when nobody waits any more, T4 behind the ACK of another one: passed on as a stray (R5). */
    bool forgotten = final->used && s->item->at >= final->over;
    if (begins && !is_phone(j, s) && s->status >= 300 && (forgotten || is_over(s, final)))
        return DT_OK;
    /* A node that was just started passes a 2xx on (R5) and does not know yet who is bound (R12).
     */
    bool young = s->item->at - j->lives[s->from].began_at < YOUNG_S * DT_SECOND;
    if (begins && !is_phone(j, s) && final->value / 100 == 2 && j->lives[s->from].n > 0 && young)
        return DT_OK;
    if (final->used && s->status != (int) final->value)
        return broken(j, "I1", s, "two different finals on one branch");
    /* To a copy behind timer I a merged request is told so anew (8.2.2.2), and what was refused
     * without a ring is refused again. That it would ring is I13. So is to the copy of another
     * request, such as a CANCEL, behind timer J. */
    bool anew = s->status == 482 || (s->status >= 300 && seconds(s) >= final->since + T4_S) ||
                (s->method != DT_INVITE && is_over(s, final));
    if (final->used && is_phone(j, s) && !anew && !dt_str_eq(final->text, s->to_tag))
        return broken(j, "I1", s, "two finals with different To tags on one branch of a phone");
    if (s->status >= 200) {
        final->stray = final->used ? final->stray : stray;
        if (!final->used) {
            final->since = seconds(s);
            see_final(s, final);
        }
        final->used = true;
        final->to = s->to;
        final->value = (uint32_t)s->status;
        final->text = s->to_tag;
    }
    return DT_OK;
}

static int see_challenge(struct judge *j, const struct seen *s)
{
    if (!s->request && (s->status == 401 || s->status == 407) && s->method == DT_INVITE)
        fact(j, CHALLENGED, DT_RECORD_NOBODY, DT_INVITE, s->call_id, DT_STR_NONE)->used = true;
    return DT_OK;
}

static int no_answer_to_ack(struct judge *j, const struct seen *s)
{
    if (!s->request && s->method == DT_ACK)
        return broken(j, "I8", s, "an answer to an ACK");
    return DT_OK;
}

static bool is_twin(const struct judge *j, uint16_t party)
{
    return party < j->f->n_parties && j->f->parties[party].peer >= 0;
}

/* Does nobody know the transaction of an ACK any more (timers H and I), so that it goes on as one
 * of a 2xx would (16.11)? */
static bool is_forgotten(const struct seen *s, const struct fact *invite)
{
    enum { T4_S = 5 };
    return is_over(s, invite) || (invite->acked && seconds(s) + 2 > invite->acked + T4_S);
}

/* I6: the ACK of a failure goes on the INVITE's branch (17.1.1.3). R6 passes ACKs on. */
static int ack_of_failure(struct judge *j, const struct seen *s)
{
    if (!s->request || (s->method != DT_ACK && s->method != DT_INVITE))
        return DT_OK;
    struct fact *invite = fact(j, INVITED, in_life(j, s->from), DT_INVITE, s->branch, DT_STR_NONE);
    if (s->method == DT_INVITE) {
        invite->since = invite->used ? invite->since : seconds(s);
        invite->used = true;
        invite->value = s->cseq;
    } else if (invite->used && invite->value != s->cseq) {
        return broken(j, "I6", s, "the ACK of a failure has another CSeq than its INVITE");
    } else if (invite->used && s->vias != 1 && !is_twin(j, s->from) && !is_forgotten(s, invite)) {
        return broken(j, "I6", s, "the ACK of a failure has more than one Via");
    } else if (invite->used && !invite->acked) {
        invite->acked = seconds(s) + 1;
    }
    return DT_OK;
}

static uint16_t whose(const struct judge *j, uint16_t party)
{
    return j->f->parties[party].role == DT_FLOW_PROXY ? DT_RECORD_NOBODY : party;
}

/* I7. Twins are one server with one branch: a provisional at one lets the other cancel (R6, R23),
 * and one that may have died with the other is not waited for (R24, dt_stack_cancel_early). A proxy
 * that did not send the INVITE passes a CANCEL on all the same (R6; 16.10), and makes one for the
 * siblings of a stray 2xx (R5); these have the Via of who called, its own do not. */
static int cancel_after_provisional(struct judge *j, const struct seen *s)
{
    const struct fact *invite =
        fact(j, INVITED, in_life(j, s->from), DT_INVITE, s->branch, DT_STR_NONE);
    if (!s->request || s->method != DT_CANCEL ||
        (!is_phone(j, s) && (!invite->used || s->vias > 1)) ||
        fact(j, PROVISIONAL, whose(j, s->from), DT_INVITE, s->branch, DT_STR_NONE)->used ||
        is_twin(j, s->from))
        return DT_OK;
    return broken(j, "I7", s, "a CANCEL before any provisional response");
}

/* A twin that did not know its bindings yet said 503 (R12), and the path to the other one, which is
 * down, leads to it once more (R22, RFC 3263 4.3: another branch, nothing else). It may have died
 * since. */
static bool was_unready(struct judge *j, const struct seen *s, const struct fact *last)
{
    if (s->to_tag.n > 0 || s->cseq != last->value || !is_twin(j, last->to))
        return false;
    for (unsigned life = 0; life <= j->lives[last->to].n; life++) {
        uint16_t who = (uint16_t)(last->to | life << 8);
        if (fact(j, FINAL, who, DT_INVITE, last->text, DT_STR_NONE)->value == 503)
            return true;
    }
    return false;
}

/* The same request on another path, to another server or over another connection: equal CSeq, new
 * branch (R25; RFC 3263 4.3). So does one who stood still too long, and has no transactions any
 * more (R10). */
static bool is_other_path(const struct judge *j, const struct seen *s, const struct fact *last)
{
    if (s->to_tag.n == 0 && s->to != last->to)
        return true; /* each path may be asked for credentials by itself */
    return s->to_tag.n == 0 && s->cseq == last->value &&
           (last->moved || s->item->to.transport == DT_TCP || last->life != j->lives[s->from].n);
}

/* The first request of a call was sent to the twin, too, with its branch (R22): the next path may
 * then lead to either of them (R25), since both were tried on the one before. */
static void see_copy(struct judge *j, const struct seen *s)
{
    struct fact *first = fact(j, LAST_CSEQ, s->from, DT_METHOD_OTHER, s->call_id, s->from_tag);
    if (s->to_tag.n == 0 && first->used && first->value == s->cseq)
        first->moved = first->moved || s->to != first->to;
}

/* Nobody read the first request of a call: a path that failed by ICMP so soon that its copy had not
 * left for the twin was not tried on both, and the next path asks this one beside the other. */
static void see_unheard(struct judge *j, const struct seen *s)
{
    struct fact *first = fact(j, LAST_CSEQ, s->from, DT_METHOD_OTHER, s->call_id, s->from_tag);
    if (s->request && s->to_tag.n == 0 && dt_str_eq(first->text, s->branch))
        first->moved = true;
}

/* I11: a copy of something older may be sent after something newer. */
static int cseq_rises(struct judge *j, const struct seen *s)
{
    if (!s->request || s->method == DT_ACK || s->method == DT_CANCEL || !is_phone(j, s))
        return DT_OK;
    struct fact *request = fact(j, REQUESTED, s->from, s->method, s->branch, DT_STR_NONE);
    if (request->used) {
        see_copy(j, s);
        return DT_OK;
    }
    request->used = true;
    /* Each dialog that an INVITE made counts on from there by itself (RFC 3261 12.1.2). */
    struct fact *first = fact(j, LAST_CSEQ, s->from, DT_METHOD_OTHER, s->call_id, s->from_tag);
    struct fact before = *first;
    struct fact *last =
        s->to_tag.n > 0 ? fact(j, LAST_CSEQ, s->from, DT_INVITE, s->from_tag, s->to_tag) : first;
    if (last->used)
        before = *last;
    if (before.used && before.value >= s->cseq && !is_other_path(j, s, &before) &&
        !was_unready(j, s, &before))
        return broken(j, "I11", s, "the CSeq of a new request does not rise");
    last->used = true;
    last->moved = last->moved && s->to_tag.n == 0;
    last->life = j->lives[s->from].n;
    last->to = s->to;
    last->text = s->branch;
    last->value = s->cseq;
    return DT_OK;
}

/* Behind strangers, who go on where they stopped, a phone that is not ours may ring again (R26). */
static bool has_strangers(const struct judge *j)
{
    bool found = false;
    for (size_t i = 0; i < j->f->n_parties; i++)
        found = found || (j->f->parties[i].plain && j->f->parties[i].role == DT_FLOW_PROXY);
    return found;
}

/* A phone that is not ours has forgotten the branch that it has ended: by TCP at once, by UDP,
 * where it refused, after T4 (17.2.1, timer I). The late INVITE of a proxy that wakes up, or of the
 * twin of a dead one, is new to it. */
static bool has_forgotten(struct judge *j, const struct seen *s)
{
    enum { T4_S = 5 };
    const struct fact *final =
        fact(j, FINAL, in_life(j, s->from), DT_INVITE, s->branch, DT_STR_NONE);
    return is_plain(j, s) && final->used &&
           (s->item->from.transport == DT_TCP ||
            (final->value >= 300 && seconds(s) >= final->since + T4_S) || is_over(s, final));
}

static void end_of_ring(struct fact *rang, const struct seen *s)
{
    if (!rang->used || (s->status != 487 && !dt_str_eq(rang->text, s->to_tag)))
        return;
    if (rang->value == 0)
        rang->since = seconds(s);
    rang->value = (uint32_t)s->status;
}

/* A phone that was started anew remembers nothing either. What was cancelled may ring again on
 * another branch: a search may come back (R25, ua/past.c). One that is not ours knows a merged
 * request by what is under way alone (8.2.2.2): the copy by the twin of who has its answer rings it
 * anew, and so does one which stood still and has not heard of its refusal (timer I: T4). */
static int one_ring(struct judge *j, const struct seen *s)
{
    enum { T4_S = 5, CROSSED_S = 1 };
    if (!s->request && s->status >= 200 && is_phone(j, s) && s->method == DT_INVITE)
        end_of_ring(fact(j, RANG, in_life(j, s->from), DT_INVITE, s->call_id, DT_STR_NONE), s);
    if (s->request || s->status != 180 || !is_phone(j, s) || (is_plain(j, s) && has_strangers(j)) ||
        has_forgotten(j, s))
        return DT_OK;
    struct fact *rang = fact(j, RANG, in_life(j, s->from), DT_INVITE, s->call_id, DT_STR_NONE);
    bool crossed = rang->value >= 300 && seconds(s) <= rang->since + CROSSED_S;
    bool stood_still = rang->value >= 300 && seconds(s) >= rang->since + T4_S;
    bool ended = rang->value == 487 ||
                 (is_plain(j, s) && (rang->value / 100 == 2 || stood_still || crossed));
    bool again =
        ended && !fact(j, FINAL, in_life(j, s->from), DT_INVITE, s->branch, DT_STR_NONE)->used;
    /* One twin asked for credentials, and its final let the caller send the INVITE with new ones;
     * the other one had called with the old ones. That is cancelled when it speaks
     * (call_off_outdated in ua/send.c), and rings until then. */
    bool renewed = rang->cseq != s->cseq &&
                   fact(j, CHALLENGED, DT_RECORD_NOBODY, DT_INVITE, s->call_id, DT_STR_NONE)->used;
    bool known = dt_str_eq(rang->text, s->to_tag) || dt_str_eq(rang->older, s->to_tag);
    if (rang->used && !again && !renewed && !known)
        return broken(j, "I13", s, "one phone rings twice for one call");
    if (dt_str_eq(rang->older, s->to_tag))
        return DT_OK;
    if (!dt_str_eq(rang->text, s->to_tag))
        rang->older = rang->text;
    rang->used = true;
    rang->value = 0;
    rang->text = s->to_tag;
    rang->cseq = s->cseq;
    return DT_OK;
}

static int addresses(struct judge *j, const struct seen *s)
{
    static const uint8_t broadcast[4] = {255, 255, 255, 255};
    const struct dt_addr *to = &s->item->to;
    if (dt_addr_is_any(to) || to->port == 0)
        return broken(j, "I23", s, "sent to no address");
    if (to->family == 4 && memcmp(to->ip, broadcast, sizeof broadcast) == 0)
        return broken(j, "I23", s, "sent to everybody");
    return DT_OK;
}

static int (*const checks[])(struct judge *j, const struct seen *s) = {
    see_challenge,    one_final,  ack_of_failure, cancel_after_provisional,
    no_answer_to_ack, cseq_rises, one_ring,       addresses,
};

static int see_sent(struct judge *j, const struct seen *s)
{
    /* R24: one that a dead twin was sent lets the other one cancel, all branches of a fork. */
    if (is_twin(j, s->to) && !s->request && s->status < 200 && s->method == DT_INVITE)
        fact(j, PROVISIONAL, DT_RECORD_NOBODY, DT_INVITE, s->call_id, DT_STR_NONE)->used = true;
    int err = DT_OK;
    for (size_t k = 0; k < sizeof checks / sizeof *checks && !err; k++)
        err = checks[k](j, s);
    return err;
}

static void see_arrived(struct judge *j, const struct seen *s)
{
    if (s->request && s->method == DT_ACK)
        see_ack(fact(j, FINAL, in_life(j, s->to), DT_INVITE, s->branch, DT_STR_NONE), s);
    if (s->request && s->method == DT_INVITE)
        see_again(j, s);
    if (s->request) {
        struct fact *holds = fact(j, HOLDS, in_life(j, s->to), s->method, s->branch, DT_STR_NONE);
        holds->used = true;
        holds->value = s->to_tag.n > 0;
    }
    if (!s->request && s->method == DT_INVITE && s->to_tag.n > 0) {
        struct fact *dialog = fact(j, LAST_CSEQ, s->to, DT_INVITE, s->from_tag, s->to_tag);
        dialog->value = dialog->used ? dialog->value : s->cseq;
        dialog->used = true;
    }
    if (!s->request && s->status != 401 && s->status != 407 && s->method == DT_INVITE)
        fact(j, PROVISIONAL, whose(j, s->to), DT_INVITE, s->branch, DT_STR_NONE)->used = true;
}

/* The most facts that one message leaves, looked for ones among them; and half of it stays free.
 */
static bool make_table(struct judge *j, size_t messages)
{
    size_t size = 64;
    while (size < 2 * 6 * messages)
        size *= 2;
    j->mask = size - 1;
    j->facts = dt_alloc_zero(j->f->alloc, size * sizeof *j->facts);
    return j->facts != NULL;
}

int dt__flow_invariants(const struct dt_flow *f, const struct dt_record *r, size_t from,
                        char *reason, size_t size)
{
    struct judge j = {.f = f, .r = r, .reason = reason, .size = size};
    struct seen s;
    int err = DT_OK;
    reason[0] = '\0';
    if (!make_table(&j, r->n - from))
        return DT_E_NOMEM;
    for (size_t i = from; i < r->n && !err; i++) {
        enum dt_record_kind kind = r->items[i].kind;
        if (kind == DT_REC_FAULT)
            see_fault(&j, &r->items[i]);
        bool told = kind == DT_REC_SENT || kind == DT_REC_ARRIVED || kind == DT_REC_UNHEARD;
        if (!told || !read_message(&j, &r->items[i], &s))
            continue;
        if (kind == DT_REC_ARRIVED)
            see_arrived(&j, &s);
        else if (kind == DT_REC_UNHEARD)
            see_unheard(&j, &s);
        else if (s.from < f->n_parties)
            err = see_sent(&j, &s);
    }
    dt_alloc_free(f->alloc, j.facts);
    return err;
}
