/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "dualtone/text.h"
#include "dualtone/node.h"

const char *dt_event_name(enum dt_event_kind kind)
{
    static const char *const names[] = {
#define X(name, text) [DT_EV_##name] = (text),
        DT_EVENTS(X)
#undef X
    };
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

void dt_outbox_init(struct dt_outbox *o, const struct dt_alloc *alloc)
{
    *o = (struct dt_outbox){.alloc = alloc};
}

void dt_outbox_clear(struct dt_outbox *o)
{
    for (size_t i = o->taken; i < o->n; i++)
        dt_bytes_drop(o->items[i].bytes);
    for (size_t i = 0; i < o->n_texts; i++)
        dt_bytes_drop(o->texts[i]);
    dt_alloc_free(o->alloc, o->items);
    dt_alloc_free(o->alloc, o->texts);
    o->items = NULL;
    o->texts = NULL;
    o->n = o->taken = o->cap = 0;
    o->n_texts = o->cap_texts = 0;
}

void dt_outbox_begin(struct dt_outbox *o)
{
    /* Texts lie in the order of their outputs, so the first ones belong to what was taken. */
    size_t gone = 0;
    for (size_t i = 0; i < o->taken; i++)
        if (o->items[i].text.n)
            dt_bytes_drop(o->texts[gone++]);
    if (gone)
        memmove(o->texts, o->texts + gone, (o->n_texts - gone) * sizeof(struct dt_bytes *));
    o->n_texts -= gone;
    if (o->taken)
        memmove(o->items, o->items + o->taken, (o->n - o->taken) * sizeof o->items[0]);
    o->n -= o->taken;
    o->taken = 0;
}

/* Room for one more of `size` bytes in the array of `n` at `*items`. */
static int make_room(const struct dt_alloc *alloc, void **items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return DT_OK;
    size_t more = *cap ? *cap * 2 : 16;
    void *p = dt_alloc_array(alloc, *items, more, size);
    if (!p)
        return DT_E_NOMEM;
    *items = p;
    *cap = more;
    return DT_OK;
}

static int put(struct dt_outbox *o, const struct dt_output *out)
{
    void *items = o->items, *texts = o->texts;
    int err = make_room(o->alloc, &items, o->n, &o->cap, sizeof o->items[0]);
    o->items = items;
    if (err)
        return err;
    struct dt_output item = *out;
    if (out->text.n) {
        err = make_room(o->alloc, &texts, o->n_texts, &o->cap_texts, sizeof(struct dt_bytes *));
        o->texts = texts;
        struct dt_bytes *copy = err ? NULL : dt_bytes_copy(o->alloc, out->text);
        if (!copy)
            return DT_E_NOMEM;
        o->texts[o->n_texts++] = copy;
        item.text = dt_bytes_str(copy);
    }
    o->items[o->n++] = item;
    return DT_OK;
}

int dt_outbox_put(struct dt_outbox *o, const struct dt_output *out)
{
    int err = put(o, out);
    if (err) {
        dt_bytes_drop(out->bytes);
        o->lost++;
    }
    return err;
}

int dt_outbox_datagram(struct dt_outbox *o, const struct dt_addr *local,
                       const struct dt_addr *remote, struct dt_bytes *bytes)
{
    return dt_outbox_put(o, &(struct dt_output){
                                .kind = DT_OUT_DATAGRAM,
                                .local = *local,
                                .remote = *remote,
                                .bytes = dt_bytes_hold(bytes),
                            });
}

/* Hosts write events line by line to terminals, and some of the text comes from peers: no control
 * characters, in UTF-8 neither (U+0080 to U+009F are C2 80 to C2 9F). */
static void make_plain(char *line, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)line[i], before = i ? (unsigned char)line[i - 1] : 0;
        if (c == '\r' || c == '\n' || c == '\t')
            line[i] = ' ';
        else if (c < ' ' || c == 0x7f)
            line[i] = '?';
        else if (c >= 0x80 && c <= 0x9f && before == 0xc2)
            line[i - 1] = line[i] = '?';
    }
}

int dt_outbox_event(struct dt_outbox *o, enum dt_event_kind event, uint32_t call, const char *fmt,
                    ...)
{
    char line[2048]; /* what is longer is cut */
    struct dt_writer w = dt_writer(line, sizeof line);
    va_list args;
    va_start(args, fmt);
    dt_vwritef(&w, fmt, args);
    va_end(args);
    make_plain(line, w.n);
    return dt_outbox_put(o,
                         &(struct dt_output){
                             .kind = DT_OUT_EVENT,
                             .channel = event == DT_EV_MEDIA ? DT_CHANNEL_MEDIA : DT_CHANNEL_USER,
                             .event = event,
                             .call = call,
                             .text = dt_writer_str(&w),
                         });
}

int dt_outbox_resolve(struct dt_outbox *o, uint32_t id, enum dt_dns_type type, struct dt_str name)
{
    return dt_outbox_put(o, &(struct dt_output){
                                .kind = DT_OUT_RESOLVE,
                                .dns_id = id,
                                .dns_type = type,
                                .text = name,
                            });
}

size_t dt_outbox_take(struct dt_outbox *o, struct dt_output *out, size_t max)
{
    size_t n = o->n - o->taken;
    if (n > max)
        n = max;
    if (n)
        memcpy(out, o->items + o->taken, n * sizeof *out);
    o->taken += n;
    return n;
}
