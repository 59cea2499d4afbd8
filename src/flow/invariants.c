/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The invariants of reliability.md 4 that a record shows, judged over a whole run: I1, I6, I7, I8,
 * I11, I13, I23. (I36 is asked of the nodes, in run.c.) */
#include "flow/world.h"

#include "dualtone/msg.h"

#include <string.h>

/* What the checks need of one message that was sent; slices into the record. */
struct seen {
    const struct dt_record_item *item;
    uint16_t from;
    bool request;
    int status;
    enum dt_method method; /* of CSeq */
    uint32_t cseq;
    struct dt_str branch, call_id, from_tag, to_tag;
};

struct judge {
    const struct dt_flow *f;
    const struct dt_record *r;
    struct seen *list;
    size_t n;
    char *reason;
    size_t size;
};

static bool read_message(const struct judge *j, const struct dt_record_item *it, struct seen *out)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    if (!it->bytes || dt_sip_parse(&m, dt_bytes_str(it->bytes), headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_check(&m))
        return false;
    *out = (struct seen){.item = it, .from = dt_record_whose(j->r, &it->from)};
    out->request = m.request;
    out->status = m.status;
    out->method = m.cseq.method;
    out->cseq = m.cseq.number;
    out->branch = m.via.branch;
    out->call_id = m.call_id;
    out->from_tag = m.from.tag;
    out->to_tag = m.to.tag;
    return true;
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

/* The same transaction at the same sender. */
static bool same_transaction(const struct seen *a, const struct seen *b)
{
    return a->from == b->from && a->method == b->method && dt_str_eq(a->branch, b->branch);
}

static int i1_one_final(struct judge *j, size_t i)
{
    const struct seen *s = &j->list[i];
    if (s->request)
        return DT_OK;
    for (size_t k = 0; k < i; k++) {
        const struct seen *b = &j->list[k];
        if (b->request || b->status < 200 || !same_transaction(b, s))
            continue;
        if (s->status < 200)
            return broken(j, "I8", s, "a provisional response after a final one");
        if (s->status != b->status)
            return broken(j, "I1", s, "two different finals on one branch");
    }
    return DT_OK;
}

static int i8_no_answer_to_ack(struct judge *j, size_t i)
{
    const struct seen *s = &j->list[i];
    if (!s->request && s->method == DT_ACK)
        return broken(j, "I8", s, "an answer to an ACK");
    return DT_OK;
}

/* Did a response with `low` <= status <= `high` of this INVITE's branch reach its sender before? */
static bool arrived(const struct judge *j, const struct seen *s, int low, int high)
{
    for (size_t i = 0; i < j->r->n && j->r->items[i].at <= s->item->at; i++) {
        const struct dt_record_item *it = &j->r->items[i];
        struct seen b;
        if (it->kind == DT_REC_ARRIVED && dt_record_whose(j->r, &it->to) == s->from &&
            read_message(j, it, &b) && !b.request && b.status >= low && b.status <= high &&
            b.method == DT_INVITE && dt_str_eq(b.branch, s->branch))
            return true;
    }
    return false;
}

static int i6_ack_of_failure(struct judge *j, size_t i)
{
    const struct seen *s = &j->list[i];
    if (!s->request || s->method != DT_ACK)
        return DT_OK;
    for (size_t k = 0; k < i; k++) {
        const struct seen *b = &j->list[k];
        if (b->request && b->method == DT_INVITE && b->from == s->from &&
            dt_str_eq(b->branch, s->branch) && b->cseq != s->cseq)
            return broken(j, "I6", s, "the ACK of a failure has another CSeq than its INVITE");
    }
    return DT_OK;
}

static int i7_cancel(struct judge *j, size_t i)
{
    const struct seen *s = &j->list[i];
    if (!s->request || s->method != DT_CANCEL)
        return DT_OK;
    if (!arrived(j, s, 100, 199))
        return broken(j, "I7", s, "a CANCEL before any provisional response");
    return DT_OK;
}

static int i11_cseq_rises(struct judge *j, size_t i)
{
    const struct seen *s = &j->list[i];
    if (!s->request || s->method == DT_ACK || s->method == DT_CANCEL ||
        j->f->parties[s->from].role != DT_FLOW_PHONE)
        return DT_OK;
    for (size_t k = 0; k < i; k++) {
        const struct seen *b = &j->list[k];
        bool same = b->request && b->method != DT_ACK && b->method != DT_CANCEL &&
                    b->from == s->from && dt_str_eq(b->call_id, s->call_id) &&
                    dt_str_eq(b->from_tag, s->from_tag) && !dt_str_eq(b->branch, s->branch);
        bool repeat = false; /* a copy of something older may be sent after something newer */
        for (size_t m = 0; m < k && same; m++)
            repeat = repeat || same_transaction(&j->list[m], s);
        if (same && !repeat && b->cseq >= s->cseq)
            return broken(j, "I11", s, "the CSeq of a new request does not rise");
    }
    return DT_OK;
}

static int i13_one_ring(struct judge *j, size_t i)
{
    const struct seen *s = &j->list[i];
    if (s->request || s->status != 180 || j->f->parties[s->from].role != DT_FLOW_PHONE)
        return DT_OK;
    for (size_t k = 0; k < i; k++) {
        const struct seen *b = &j->list[k];
        if (!b->request && b->status == 180 && b->from == s->from &&
            dt_str_eq(b->call_id, s->call_id) && !dt_str_eq(b->to_tag, s->to_tag))
            return broken(j, "I13", s, "one phone rings twice for one call");
    }
    return DT_OK;
}

static int i23_addresses(struct judge *j, size_t i)
{
    const struct seen *s = &j->list[i];
    if (dt_addr_is_any(&s->item->to) || s->item->to.port == 0)
        return broken(j, "I23", s, "sent to no address");
    return DT_OK;
}

static int (*const checks[])(struct judge *j, size_t i) = {
    i1_one_final,   i6_ack_of_failure, i7_cancel,     i8_no_answer_to_ack,
    i11_cseq_rises, i13_one_ring,      i23_addresses,
};

int dt__flow_invariants(const struct dt_flow *f, const struct dt_record *r, size_t from,
                        char *reason, size_t size)
{
    struct judge j = {.f = f, .r = r, .reason = reason, .size = size};
    j.list = dt_alloc_array(f->alloc, NULL, r->n + 1, sizeof *j.list);
    if (!j.list)
        return DT_E_NOMEM;
    for (size_t i = from; i < r->n; i++)
        if (r->items[i].kind == DT_REC_SENT && read_message(&j, &r->items[i], &j.list[j.n]) &&
            j.list[j.n].from < f->n_parties)
            j.n++;
    int err = DT_OK;
    for (size_t i = 0; i < j.n && !err; i++)
        for (size_t k = 0; k < sizeof checks / sizeof *checks && !err; k++)
            err = checks[k](&j, i);
    dt_alloc_free(f->alloc, j.list);
    return err;
}
