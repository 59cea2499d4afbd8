/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a stream. However they are split they are cut at the same places, and where a
 * message is cut the parser agrees (what one reads as body the other must not read as the next
 * message). The first two bytes choose the limit and the splits. */
#include "dualtone/msg.h"
#include "fuzz.h"
#include "stack/framing.h"

enum { CUTS_MAX = 256 };

/* Where a stream was cut, and what ended it. */
struct cuts {
    size_t at[CUTS_MAX];
    uint8_t kind[CUTS_MAX]; /* 0 message, 1 ping, 2 filler */
    size_t n, left;
    int err, status;
};

/* The parser, given exactly the bytes of one message. */
static void agrees(struct dt_str whole, size_t head)
{
    static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    char *copy = copy_of(whole, DT_PAD);
    if (dt_sip_parse(&m, (struct dt_str){copy, whole.n}, headers, DT_MSG_HEADERS_MAX) == DT_OK) {
        must(m.text.p + m.text.n == copy + whole.n);
        must(m.body.n == whole.n - head);
        must(!m.body.n || m.body.p == copy + head);
    }
    free(copy);
}

/* What lies in front of the cut is not enough, and what lies behind it does not matter. */
static void exact(struct dt_str whole, size_t max)
{
    struct dt__framing f = {.size = 0};
    char *copy = copy_of(whole, 0);
    must(dt__frame(&f, (struct dt_str){copy, whole.n}, max) == DT_OK && f.size == whole.n);
    f = (struct dt__framing){.size = 0};
    must(dt__frame(&f, (struct dt_str){copy, whole.n - 1}, max) == DT_E_MORE);
    free(copy);
}

/* Cuts `all`, of which `step` bytes more are seen at each look. */
static void cut(struct cuts *c, struct dt_str all, size_t max, size_t step, bool check)
{
    struct dt__framing f = {.size = 0};
    size_t from = 0, seen = step;
    memset(c, 0, sizeof *c);
    while (from < all.n && c->n < CUTS_MAX) {
        struct dt_str view = dt_str_sub(all, from, (seen < all.n ? seen : all.n) - from);
        int err = view.n ? dt__frame(&f, view, max) : DT_E_MORE;
        if (err == DT_E_MORE) {
            if (seen >= all.n)
                break;
            seen += step;
            continue;
        }
        c->err = err;
        c->status = f.status;
        if (err)
            break;
        must(f.size > 0 && f.size <= view.n && (f.size <= max || f.ping || f.filler));
        bool message = !f.ping && !f.filler;
        if (check && message) {
            exact(dt_str_sub(view, 0, f.size), max);
            agrees(dt_str_sub(view, 0, f.size), f.head);
        }
        from += f.size;
        c->kind[c->n] = message ? 0 : f.ping ? 1 : 2;
        c->at[c->n++] = from;
        f = (struct dt__framing){.size = 0};
    }
    c->left = all.n - from;
}

/* Filler may be cut finer when it comes in pieces; messages and the end may not. */
static void same(const struct cuts *a, const struct cuts *b)
{
    size_t j = 0;
    if (a->n == CUTS_MAX || b->n == CUTS_MAX)
        return;
    for (size_t i = 0; i < a->n; i++) {
        if (a->kind[i])
            continue;
        while (j < b->n && b->kind[j])
            j++;
        must(j < b->n && a->at[i] == b->at[j]);
        j++;
    }
    while (j < b->n)
        must(b->kind[j++] != 0);
    must((a->err == 0) == (b->err == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cuts whole, pieces;
    struct dt_str in = {(const char *)data, size};
    size_t max = 64 + 16 * (size_t)take_byte(&in), step = 1 + take_byte(&in);
    if (in.n > 8192)
        return 0;
    char *copy = copy_of(in, 0);
    struct dt_str all = {copy, in.n};
    cut(&whole, all, max, all.n + 1, true);
    cut(&pieces, all, max, step, false);
    same(&whole, &pieces);
    free(copy);
    return 0;
}
