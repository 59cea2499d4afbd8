/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One side of a call, for the tests of offer and answer. */
#ifndef OA_KIT_H
#define OA_KIT_H

#include "testkit.h"

#include <string.h>

#include "dualtone/sdp.h"

static const struct dt_codec oa_kit_codecs[] = {
    {{"PCMU", 4}, 8000, 0, 1},
    {{"PCMA", 4}, 8000, 8, 1},
    {{"telephone-event", 15}, 8000, 101, 1},
};

/* One side of a call. */
struct side {
    struct dt_oa oa;
    char text[2048];
    struct dt_writer w; /* what it wrote last */
    struct dt_media_agreed agreed;
};

static inline struct dt_addr address(const char *text)
{
    struct dt_addr a;
    assert_int_equal(dt_addr_parse(&a, dt_str_z(text)), DT_OK);
    return a;
}

static inline void side_init(struct side *s, const char *local, uint64_t id)
{
    struct dt_media_caps caps;
    memset(&caps, 0, sizeof caps); /* also what lies between: states are compared as a whole */
    caps.local = address(local);
    caps.codecs = oa_kit_codecs;
    caps.n = 3;
    memset(s, 0, sizeof *s);
    dt_oa_init(&s->oa, &caps, id);
}

static inline int offer_as(struct side *s, enum dt_direction want, enum dt_hold_form form)
{
    s->w = dt_writer(s->text, sizeof s->text);
    return dt_oa_offer(&s->oa, want, form, &s->w);
}

static inline int offer(struct side *s, enum dt_direction want)
{
    return offer_as(s, want, DT_HOLD_RFC3264);
}

static inline int answer(struct side *s, enum dt_direction want)
{
    s->w = dt_writer(s->text, sizeof s->text);
    return dt_oa_answer(&s->oa, want, DT_HOLD_RFC3264, &s->w, &s->agreed);
}

/* What `from` wrote last comes to `to`. */
static inline int deliver(const struct side *from, struct side *to)
{
    return dt_oa_remote(&to->oa, kit_guarded(0, dt_writer_str(&from->w)), &to->agreed);
}

static inline void exchange(struct side *a, enum dt_direction want_a, struct side *b,
                            enum dt_direction want_b)
{
    assert_int_equal(offer(a, want_a), DT_OK);
    assert_int_equal(deliver(a, b), DT_OK);
    assert_int_equal(answer(b, want_b), DT_OK);
    assert_int_equal(deliver(b, a), DT_OK);
}

static inline void pair_init(struct side *a, struct side *b)
{
    side_init(a, "192.0.2.1:5004", 1);
    side_init(b, "192.0.2.2:6004", 2);
}

#endif
