/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers in network byte order. */
#ifndef RTP_BYTES_H
#define RTP_BYTES_H

#include "dualtone/text.h"

static inline uint8_t dt__be8(struct dt_str s, size_t at)
{
    return (uint8_t)s.p[at];
}
static inline uint16_t dt__be16(struct dt_str s, size_t at)
{
    return (uint16_t)(dt__be8(s, at) << 8 | dt__be8(s, at + 1));
}
static inline uint32_t dt__be32(struct dt_str s, size_t at)
{
    return (uint32_t)dt__be16(s, at) << 16 | dt__be16(s, at + 2);
}
/* The lower `n` bytes of `v`, the highest first. */
static inline void dt__write_be(struct dt_writer *w, uint64_t v, unsigned n)
{
    while (n-- > 0)
        dt_write_char(w, (char)(uint8_t)(v >> (8 * n)));
}

#endif
