/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ladder of a world that failed: of the call that the reason names, with all faults; else of
 * the last minute. */
#include "run.h"

#include "trace/ladder.h"

#include <stdio.h>
#include <stdlib.h>

enum { LADDER_SIZE = 8 << 20, LAST_S = 60, LAST_ITEMS = 400 };

/* "..., Call-ID xyz)" */
static struct dt_str call_id_of(const char *reason)
{
    struct dt_str s = dt_str_z(reason), name = DT_STR("Call-ID ");
    size_t at = dt_str_search(s, name);
    if (at == s.n) {
        const char *asked = getenv("TEST_RANDOM_CALL"); /* for who looks for another one */
        return dt_str_z(asked);
    }
    s = dt_str_sub(s, at + name.n, s.n);
    return dt_str_sub(s, 0, dt_str_find(s, ')'));
}

static bool has(const struct dt_record_item *it, struct dt_str id)
{
    struct dt_str text = dt_bytes_str(it->bytes);
    return dt_str_search(text, id) < text.n;
}

/* The items of one call, from its first message on; faults between. */
static void pick_call(const struct dt_record *r, struct dt_str id, struct dt_record *out)
{
    bool begun = false;
    size_t last = 0;
    for (size_t i = 0; i < r->n; i++)
        last = has(&r->items[i], id) ? i : last;
    for (size_t i = 0; i <= last && i < r->n; i++) {
        bool its = has(&r->items[i], id);
        begun = begun || its;
        if (its || (begun && r->items[i].kind == DT_REC_FAULT))
            (void)dt_record_add(out, &r->items[i]);
    }
}

static void pick_last(const struct world *w, const struct dt_record *r, struct dt_record *out)
{
    dt_time from = world_now(w) - LAST_S * DT_SECOND;
    size_t i = r->n > LAST_ITEMS ? r->n - LAST_ITEMS : 0;
    for (; i < r->n; i++)
        if (r->items[i].at >= from)
            (void)dt_record_add(out, &r->items[i]);
}

static bool takes_part(const struct dt_record *r, uint16_t party)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].bytes && r->items[i].kind <= DT_REC_UNHEARD &&
            (dt_record_whose(r, &r->items[i].from) == party ||
             dt_record_whose(r, &r->items[i].to) == party))
            return true;
    return false;
}

void draw_world(const struct world *w)
{
    uint16_t lanes[PARTIES_MAX];
    size_t n = 0;
    struct dt_record part;
    struct dt_str id = call_id_of(w->reason);
    char *text = malloc(LADDER_SIZE);
    if (!text)
        return;
    dt_record_init(&part, &dt_alloc_libc);
    for (size_t i = 0; i < w->record.n_parties; i++) {
        (void)dt_record_party(&part, w->record.parties[i].name);
        dt_record_address(&part, (uint16_t)i, &w->record.parties[i].addrs[0]);
    }
    if (id.n)
        pick_call(&w->record, id, &part);
    else
        pick_last(w, &w->record, &part);
    for (int i = 0; i < w->n_parties; i++)
        if (takes_part(&part, (uint16_t)i))
            lanes[n++] = (uint16_t)i;
    for (size_t i = 0; i < part.n && getenv("TEST_RANDOM_RAW"); i++)
        printf("%lld %d\n%.*s\n", (long long)(part.items[i].at - w->zero), (int)part.items[i].kind,
               DT_FMT(dt_bytes_str(part.items[i].bytes)));
    struct dt_ladder l = {.record = &part, .lanes = lanes, .n_lanes = n, .to = part.n};
    l.zero = w->zero;
    l.hidden = DT_STR("OPTIONS");
    l.mark = w->failed ? part.n : SIZE_MAX;
    l.mark_text = dt_str_z(w->reason);
    struct dt_writer out = dt_writer(text, LADDER_SIZE);
    dt_ladder_write(&l, &out);
    printf("%.*s\n", DT_FMT(dt_writer_str(&out)));
    dt_record_clear(&part);
    free(text);
}
