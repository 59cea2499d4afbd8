/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "io/splitter.h"

void dt__splitter_init(struct io_splitter *s, const struct dt_alloc *alloc, size_t max)
{
    *s = (struct io_splitter){.alloc = alloc, .max = max};
}

void dt__splitter_clear(struct io_splitter *s)
{
    dt_alloc_free(s->alloc, s->line);
    s->line = NULL;
    s->n = s->cap = 0;
    s->cut = false;
}

/* Keeps a piece; what does not fit, or has no memory, is cut off. */
static void keep(struct io_splitter *s, struct dt_str piece)
{
    size_t room = s->max - s->n;
    if (s->cut)
        return;
    if (piece.n > room) {
        s->cut = true;
        piece.n = room;
    }
    if (piece.n == 0)
        return;
    if (s->n + piece.n > s->cap) {
        size_t cap = 2 * (s->n + piece.n);
        char *more = dt_alloc_array(s->alloc, s->line, cap, 1);
        if (!more) {
            s->cut = true;
            return;
        }
        s->line = more;
        s->cap = cap;
    }
    memcpy(s->line + s->n, piece.p, piece.n);
    s->n += piece.n;
}

static struct dt_str without_cr(struct dt_str line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

bool dt__splitter_next(struct io_splitter *s, struct dt_str *bytes, struct dt_str *line)
{
    size_t at = dt_str_find(*bytes, '\n');
    struct dt_str piece = dt_str_sub(*bytes, 0, at);
    bool found = at < bytes->n;
    bool whole = found && s->n == 0 && !s->cut && piece.n <= s->max;
    *bytes = dt_str_sub(*bytes, at + found, bytes->n);
    if (!whole)
        keep(s, piece);
    if (!found)
        return false;
    *line = without_cr(whole ? piece : (struct dt_str){s->line, s->n});
    s->n = 0;
    s->cut = false;
    return true;
}

bool dt__splitter_end(struct io_splitter *s, struct dt_str *line)
{
    if (s->n == 0)
        return false;
    *line = without_cr((struct dt_str){s->line, s->n});
    s->n = 0;
    return true;
}
