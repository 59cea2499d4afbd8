/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any text as a line of a record: what is read is written and read again as the same; its ladder
 * stays on its lines. */
#include "fuzz.h"
#include "trace/ladder.h"

static void again(struct dt_record *r, const struct dt_record_item *it)
{
    size_t cap = (size_t)it->bytes->n * 4 + DT_RECORD_LINE_HEAD;
    char *text = malloc(cap);
    struct dt_writer w = dt_writer(text, text ? cap : 0);
    struct dt_record_item copy;
    dt_record_write(r, it, &w);
    must(text && !w.err && dt_str_find(dt_writer_str(&w), '\n') == w.n - 1);
    must(dt_record_read(r, (struct dt_str){text, w.n - 1}, &copy) == DT_OK);
    must(copy.at == it->at && copy.kind == it->kind && copy.event == it->event &&
         copy.call == it->call && copy.who == it->who);
    must(dt_addr_eq(&copy.from, &it->from) && dt_addr_eq(&copy.to, &it->to));
    must(dt_str_eq(dt_bytes_str(copy.bytes), dt_bytes_str(it->bytes)));
    dt_bytes_drop(copy.bytes);
    free(text);
}

static void draw(const struct dt_record *r)
{
    static char text[1 << 16];
    const uint16_t lanes[] = {0, 1};
    struct dt_ladder l = {
        .record = r, .lanes = lanes, .n_lanes = r->n_parties < 2 ? r->n_parties : 2};
    struct dt_writer w = dt_writer(text, sizeof text);
    l.to = r->n;
    l.mark = SIZE_MAX;
    dt_ladder_write(&l, &w);
    for (size_t i = 0; i < w.n; i++)
        must(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dt_record r;
    struct dt_str text = {(const char *)data, size};
    struct dt_reader in = dt_reader(text);
    dt_record_init(&r, &dt_alloc_libc);
    while (!dt_reader_end(&in)) {
        struct dt_record_item it;
        struct dt_str line = dt_reader_until(&in, '\n');
        dt_reader_char(&in, '\n');
        if (dt_record_read(&r, line, &it))
            continue;
        again(&r, &it);
        if (it.who < r.n_parties) {
            dt_record_address(&r, it.who, &it.from);
            must(it.from.family == 0 || dt_record_whose(&r, &it.from) <= it.who ||
                 r.parties[it.who].n_addrs == 8);
        }
        dt_record_add(&r, &it);
        dt_bytes_drop(it.bytes);
    }
    draw(&r);
    dt_record_clear(&r);
    return 0;
}
