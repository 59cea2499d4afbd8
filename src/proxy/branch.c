/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "proxy/branch.h"

#define COOKIE "z9hG4bK"
enum { COOKIE_N = 7 };

/* Each use of the cluster's key begins with a word of its own, so that no output of one can serve
 * as another. */
static void begin(struct dt_siphash *h, const uint64_t key[2], struct dt_str use)
{
    dt_siphash_init(h, key);
    dt_siphash_add_str(h, use);
}

static void add_u32(struct dt_siphash *h, uint32_t v)
{
    uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    dt_siphash_add(h, bytes, sizeof bytes);
}

unsigned dt__branch_key_id(const uint64_t key[2])
{
    struct dt_siphash h;
    begin(&h, key, DT_STR("key id"));
    return (unsigned)(dt_siphash_end(&h) & 0xff);
}

uint64_t dt__branch_loop(const uint64_t key[2], struct dt_str uri, const struct dt_str *routes,
                         size_t n)
{
    struct dt_siphash h;
    begin(&h, key, DT_STR("loop"));
    dt_siphash_add_str(&h, uri);
    for (size_t i = 0; i < n; i++)
        dt_siphash_add_str(&h, routes[i]);
    return dt_siphash_end(&h);
}

int dt__read_hex(struct dt_str s, uint64_t *out)
{
    uint64_t v = 0;
    if (!s.n || s.n > 16)
        return DT_E_SYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!dt_is_digit(c) && (c < 'a' || c > 'f'))
            return DT_E_SYNTAX;
        v = v << 4 | (uint64_t)(dt_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *out = v;
    return DT_OK;
}

bool dt__branch_loop_of(const struct dt_keyring *keys, struct dt_str branch, uint64_t *loop)
{
    uint64_t id;
    if (branch.n != DT_BRANCH_N || !dt_str_starts(branch, DT_STR(COOKIE)) ||
        dt__read_hex(dt_str_sub(branch, COOKIE_N, DT_BRANCH_KEY_DIGITS), &id) ||
        dt__read_hex(dt_str_sub(branch, COOKIE_N + DT_BRANCH_KEY_DIGITS, DT_BRANCH_PART_DIGITS),
                     loop))
        return false;
    for (size_t i = 0; i < keys->n; i++)
        if (dt__branch_key_id(keys->key[i]) == id)
            return true;
    return false;
}

/* INVITE, its CANCEL and the ACK of its failure are one class: they must meet at the callee. */
static struct dt_str class_of(const struct dt_sip_msg *m)
{
    if (m->method == DT_INVITE || m->method == DT_CANCEL || m->method == DT_ACK)
        return DT_STR("INVITE");
    return m->method_text;
}

/* RFC 3261 16.11: what stands for the incoming branch when it lacks the magic cookie. */
static void add_incoming(struct dt_siphash *h, const struct dt_sip_msg *m)
{
    if (dt_via_has_cookie(&m->via)) {
        dt_siphash_add_str(h, m->via.branch);
        return;
    }
    dt_siphash_add_str(h, m->via.text);
    dt_siphash_add_str(h, m->to.tag);
    dt_siphash_add_str(h, m->uri.text);
}

void dt__branch_make(struct dt_branch_text *out, const uint64_t key[2], const struct dt_sip_msg *m,
                     uint64_t loop, struct dt_str target, unsigned attempt)
{
    struct dt_siphash h;
    struct dt_writer w = dt_writer(out->text, sizeof out->text);
    begin(&h, key, DT_STR("branch"));
    add_incoming(&h, m);
    dt_siphash_add_str(&h, m->call_id);
    dt_siphash_add_str(&h, m->from.tag);
    add_u32(&h, m->cseq.number);
    dt_siphash_add_str(&h, class_of(m));
    dt_siphash_add_str(&h, target);
    add_u32(&h, attempt);
    dt_write_lit(&w, COOKIE);
    dt_write_hex(&w, dt__branch_key_id(key), DT_BRANCH_KEY_DIGITS);
    dt_write_hex(&w, loop, DT_BRANCH_PART_DIGITS);
    dt_write_hex(&w, dt_siphash_end(&h), DT_BRANCH_PART_DIGITS);
}

uint64_t dt__branch_call_token(const uint64_t key[2], struct dt_str call_id)
{
    struct dt_siphash h;
    begin(&h, key, DT_STR("call"));
    dt_siphash_add_str(&h, call_id);
    return dt_siphash_end(&h);
}
