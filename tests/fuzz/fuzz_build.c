/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any datagram is answered by a message that can be parsed, forwarded as the same but for the
 * edits, and its challenges and credentials are read. Seeds: tests/corpus/torture. */
#include "dualtone/build.h"
#include "dualtone/digest.h"
#include "fuzz.h"

static struct dt_sip_header headers[2][DT_MSG_HEADERS_MAX];

/* ---- answer ---- */

static void answer(const struct dt_sip_msg *m, int status)
{
    struct dt_sip_msg again;
    struct dt_bytes *out;
    struct dt_addr source;
    dt_addr_parse(&source, DT_STR("192.0.2.1:5060"));
    const struct dt_sip_answer ans = {
        .status = status, .to_tag = DT_STR("t"), .record_routes = true, .source = &source};
    int err = dt_sip_answer(m, &ans, &dt_alloc_libc, &out);
    must(err == DT_OK || (err == DT_E_LIMIT && m->text.n > DT_MSG_MAX / 2));
    if (err)
        return;
    err = dt_sip_parse(&again, dt_bytes_str(out), headers[1], DT_MSG_HEADERS_MAX);
    /* A faulty request may have two To lines: so has the answer; and as many lines as there may be,
     * to which Content-Length comes. Nothing else gets through. */
    must(err == DT_OK || again.fault == DT_FAULT_DUPLICATE ||
         (again.fault == DT_FAULT_TOO_MANY && m->n == DT_MSG_HEADERS_MAX));
    must(again.status == status && again.body.n == 0);
    dt_bytes_drop(out);
}

/* ---- forward ---- */

static size_t same_lines(const struct dt_sip_msg *a, const struct dt_sip_msg *b, size_t from)
{
    for (size_t i = 0; i < a->n; i++) {
        must(a->headers[i].id == b->headers[from + i].id);
        must(dt_str_eq(dt_sip_name(a, &a->headers[i]), dt_sip_name(b, &b->headers[from + i])));
        if (a->headers[i].id != DT_H_MAX_FORWARDS)
            must(
                dt_str_eq(dt_sip_value(a, &a->headers[i]), dt_sip_value(b, &b->headers[from + i])));
    }
    return from + a->n;
}

static void forward(const struct dt_sip_msg *m)
{
    struct dt_sip_edits e;
    struct dt_sip_msg again;
    struct dt_bytes *out;
    const struct dt_sip_header *hops = dt_sip_first(m, DT_H_MAX_FORWARDS);
    dt_sip_edits_init(&e, m);
    dt_sip_edit_append(&e, DT_H_REASON, DT_STR("x"));
    if (hops)
        dt_sip_edit_value(&e, hops, DT_STR("69"));
    if (m->request)
        dt_sip_edit_uri(&e, DT_STR("sip:new"));
    int err = dt_sip_forward(&e, &dt_alloc_libc, &out);
    must(err == DT_OK || (err == DT_E_LIMIT && m->text.n > DT_MSG_MAX - 64));
    if (err)
        return;
    err = dt_sip_parse(&again, dt_bytes_str(out), headers[1], DT_MSG_HEADERS_MAX);
    must(err == DT_OK || m->n == DT_MSG_HEADERS_MAX ||
         (again.fault == DT_FAULT_DUPLICATE && m->first[DT_H_REASON]));
    if (!err)
        must(same_lines(m, &again, 0) + 1 == again.n && dt_str_eq(m->body, again.body));
    dt_bytes_drop(out);
}

/* All values of a list are popped, one more than the other time. */
static void pop(const struct dt_sip_msg *m, enum dt_header_id id)
{
    for (unsigned count = 1; count < 4; count++) {
        struct dt_sip_edits e;
        struct dt_sip_msg again;
        struct dt_bytes *out;
        struct dt_sip_values left, all = dt_sip_values(m, id);
        struct dt_str a, b;
        dt_sip_edits_init(&e, m);
        dt_sip_edit_pop(&e, id, count);
        if (dt_sip_forward(&e, &dt_alloc_libc, &out))
            return;
        must(dt_sip_parse(&again, dt_bytes_str(out), headers[1], DT_MSG_HEADERS_MAX) == DT_OK);
        for (unsigned i = 0; i < count; i++)
            dt_sip_values_next(&all, &a);
        left = dt_sip_values(&again, id);
        while (dt_sip_values_next(&left, &b))
            must(dt_sip_values_next(&all, &a) && dt_str_eq(a, b));
        must(!dt_sip_values_next(&all, &a));
        dt_bytes_drop(out);
    }
}

/* ---- digest ---- */

static int no_hash(enum dt_hash_kind kind, const struct dt_str *parts, size_t n, uint8_t *out)
{
    (void)parts;
    memset(out, (int)n, kind == DT_HASH_MD5 ? 16 : 32);
    return DT_OK;
}

static void digest(struct dt_str value)
{
    static char text[2 * DT_MSG_MAX];
    struct dt_auth a, again;
    struct dt_writer w = dt_writer(text, sizeof text);
    const struct dt_credentials cred = {DT_STR("u"), DT_STR("p")};
    if (dt_auth_parse(&a, value))
        return;
    dt_digest_verify(no_hash, &a, DT_STR("0"), DT_STR("INVITE"), NULL);
    if (dt_digest_answer(&w, no_hash, &a, &cred, DT_STR("INVITE"), DT_STR("sip:x"), DT_STR("c"), 1))
        return;
    must(dt_auth_parse(&again, dt_writer_str(&w)) == DT_OK);
    must(dt_str_eq(a.realm, again.realm) && dt_str_eq(a.nonce, again.nonce));
    must(dt_digest_verify(no_hash, &again, DT_STR("0"), DT_STR("INVITE"), NULL) == DT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dt_sip_msg m;
    char *text = calloc(1, size + DT_PAD);
    must(text != NULL);
    if (size)
        memcpy(text, data, size);
    struct dt_str whole = {text, size};
    digest(whole);
    int err = dt_sip_parse(&m, whole, headers[0], DT_MSG_HEADERS_MAX);
    answer(&m, 100);
    answer(&m, 400);
    if (!err) {
        forward(&m);
        pop(&m, DT_H_VIA);
        pop(&m, DT_H_ROUTE);
        for (size_t i = 0; i < m.n; i++)
            digest(dt_sip_value(&m, &m.headers[i]));
    }
    free(text);
    return 0;
}
