/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A record as a ladder: text that is stable to the byte and fit for a diff. */
#ifndef TRACE_LADDER_H
#define TRACE_LADDER_H

#include "trace/record.h"

struct dt_ladder {
    const struct dt_record *record;
    const uint16_t *lanes; /* parties, left to right */
    size_t n_lanes;
    size_t from, to; /* items [from, to) of the record */
    dt_time zero;    /* this moment is 0.000 */
    bool live;       /* times to the hundredth: the last digits are the machine's */
    size_t mark;     /* item before which `mark_text` is drawn; SIZE_MAX: none, `to`: at the
                        end */
    struct dt_str mark_text;
    struct dt_str hidden; /* a method that is not drawn, as OPTIONS that only probe; may be empty */
    bool steps;           /* number the messages, as the guide does */
};
/* Draws into `w`, whose error says if there was room. Retransmissions are folded (x7), dead lanes
 * are dotted, what was lost or unheard ends in an x; events and faults stand on lines of their own.
 */
void dt_ladder_write(const struct dt_ladder *l, struct dt_writer *w);

/* One line of a ladder as it happens, for who watches: "  0.500  A -> P  INVITE". */
void dt_ladder_line(const struct dt_record *r, const struct dt_record_item *item, dt_time zero,
                    struct dt_writer *w);

#endif
