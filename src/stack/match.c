/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which transaction a message belongs to: RFC 3261 17.1.3 and 17.2.3. sent-by and branch are
 * compared byte for byte: whoever repeats, acknowledges or cancels writes them as before. */
#include <string.h>

#include "stack/private.h"

/* `kind` parts the keys of clients from those of servers; a method that we know is its number. */
static struct dt_siphash begin(const struct dt_stack *s, char kind, enum dt_method method,
                               const struct dt_sip_msg *m)
{
    struct dt_siphash h;
    const uint64_t head = (uint64_t)(unsigned char)kind << 32 | (unsigned)method;
    dt_siphash_init_wide(&h, s->txs.key);
    dt_siphash_add(&h, &head, sizeof head);
    if (method == DT_METHOD_OTHER)
        dt_siphash_add_str(&h, m ? m->method_text : DT_STR_NONE);
    return h;
}

static struct dt__key end(struct dt_siphash *h)
{
    uint64_t out[2];
    dt_siphash_end_wide(h, out);
    return (struct dt__key){out[0], out[1]};
}

struct dt__key dt__key_request(const struct dt_stack *s, const struct dt_sip_msg *m,
                               enum dt_method method, struct dt_str to_tag)
{
    bool cookie = dt_via_has_cookie(&m->via);
    struct dt_siphash h = begin(s, cookie ? 's' : 'o', method, m);
    if (cookie) {
        dt_siphash_add_str(&h, m->via.branch);
        dt_siphash_add_str(&h, m->via.sent_by);
        return end(&h);
    }
    /* A peer of RFC 2543 */
    uint32_t number = m->cseq.number;
    dt_siphash_add_str(&h, m->uri_text);
    dt_siphash_add_str(&h, m->from.tag);
    dt_siphash_add_str(&h, to_tag);
    dt_siphash_add_str(&h, m->call_id);
    dt_siphash_add_str(&h, (struct dt_str){(const char *)&number, sizeof number});
    dt_siphash_add_str(&h, m->via.text);
    return end(&h);
}

struct dt__key dt__key_response(const struct dt_stack *s, struct dt_str branch,
                                enum dt_method method)
{
    struct dt_siphash h = begin(s, 'c', method, NULL);
    dt_siphash_add_str(&h, branch);
    return end(&h);
}

static struct dt__tx *tx_of_entry(struct dt_map_entry *e, uint64_t check)
{
    for (; e; e = dt_map_next(e)) {
        struct dt__tx *tx = DT_OF(e, struct dt__tx, entry);
        if (tx->check == check)
            return tx;
    }
    return NULL;
}

struct dt__tx *dt__find_server(const struct dt_stack *s, const struct dt__key *key)
{
    return tx_of_entry(dt_map_first(&s->txs, key->hash), key->check);
}

/* Was `tag` the To tag of the response that was kept? */
static bool answered_with_tag(const struct dt__tx *tx, struct dt_str tag)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_name_addr to;
    if (dt_sip_parse(&m, dt_bytes_str(dt__message_of(tx)), headers, DT_MSG_HEADERS_MAX) ||
        dt_sip_name_addr(&to, dt_sip_get(&m, DT_H_TO)))
        return false;
    return dt_str_eq(to.tag, tag);
}

struct dt__tx *dt__find_acked(const struct dt_stack *s, const struct dt_sip_msg *ack)
{
    struct dt__key key = dt__key_request(s, ack, DT_INVITE, ack->to.tag);
    struct dt__tx *tx = dt__find_server(s, &key);
    if (tx || dt_via_has_cookie(&ack->via))
        return tx;
    /* The INVITE of an RFC 2543 peer had no To tag yet; its ACK has that of our response. */
    key = dt__key_request(s, ack, DT_INVITE, DT_STR_NONE);
    tx = dt__find_server(s, &key);
    return tx && dt__message_of(tx) && !answered_with_tag(tx, ack->to.tag) ? NULL : tx;
}

static bool is_open(const struct dt__tx *tx)
{
    return tx->state == ST_CALLING || tx->state == ST_TRYING || tx->state == ST_PROCEEDING;
}

uint32_t dt__hash_ip(const struct dt_addr *a)
{
    uint64_t half[2];
    _Static_assert(sizeof half == sizeof a->ip, "an address is two words");
    memcpy(half, a->ip, sizeof half);
    uint64_t h = (half[0] ^ a->family) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 32 ^ half[1]) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32);
}

bool dt__is_remote(const struct dt__tx *tx, const struct dt_addr *a)
{
    return tx->remote_ip == dt__hash_ip(a) && tx->remote_port == a->port &&
           tx->reliable == (a->transport != DT_UDP);
}

static int rank_of_hop(const struct dt__tx *tx, const struct dt_hop *from)
{
    const struct dt__way *way = dt__way(tx);
    if (from->stream && way && way->hop.stream == from->stream)
        return 4;
    if (dt__is_remote(tx, &from->remote))
        return 3;
    if (tx->remote_ip == dt__hash_ip(&from->remote))
        return 2;
    return is_open(tx);
}

/* How well a response from `from` fits. Of two to the same place the one that was left comes
 * second: the other one was sent after it, and waits. So does the one that has its final: the same
 * request was sent once more, with the same branch (design.md R2), and what comes now is its
 * answer; the first would absorb it (17.1.1.2), and the second be repeated in vain. */
static int rank(const struct dt__tx *tx, const struct dt_hop *from)
{
    return 4 * rank_of_hop(tx, from) + 2 * !tx->left + is_open(tx);
}

struct dt__tx *dt__find_client(const struct dt_stack *s, const struct dt__key *key,
                               const struct dt_hop *from)
{
    struct dt__tx *best = NULL;
    /* The map gives the newest first, so the last of equal rank is the oldest. */
    for (struct dt_map_entry *e = dt_map_first(&s->txs, key->hash); e; e = dt_map_next(e)) {
        struct dt__tx *tx = DT_OF(e, struct dt__tx, entry);
        if (tx->check == key->check && (!best || rank(tx, from) >= rank(best, from)))
            best = tx;
    }
    return best;
}
