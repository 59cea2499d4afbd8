/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes into lines. */
#ifndef IO_SPLITTER_H
#define IO_SPLITTER_H

#include "dualtone/base.h"

struct io_splitter {
    const struct dt_alloc *alloc;
    char *line; /* a beginning whose end has not come */
    size_t n, cap, max;
    bool cut; /* the rest of this line is dropped */
};

/* Lines longer than `max` are cut there. */
void dt__splitter_init(struct io_splitter *s, const struct dt_alloc *alloc, size_t max);
void dt__splitter_clear(struct io_splitter *s);
/* Takes the next line out of `*bytes`, without its LF or CRLF; false when there is none complete:
 * then `*bytes` is empty and its rest is kept. `*line` is valid until the next call. */
bool dt__splitter_next(struct io_splitter *s, struct dt_str *bytes, struct dt_str *line);
/* At the end of input: what is left without a line end; false if nothing. */
bool dt__splitter_end(struct io_splitter *s, struct dt_str *line);

#endif
