/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the value parsers of this folder share. They read from a reader and leave it behind what
 * they took, so that a comma list is walked once. */
#ifndef DUALTONE_SIP_PARTS_H
#define DUALTONE_SIP_PARTS_H

#include <string.h>

#include "dualtone/msg.h"

enum {
    DT__PARAMS_MAX = 64, /* parameters of one value (reliability.md 2) */
    DT__VIAS_MAX = 100,
    DT__ROUTES_MAX = 60
};

/* "Via: " and its sisters, so that nothing is measured when a line is written; empty for OTHER. */
extern const struct dt_str dt__header_heads[DT_H_COUNT];

/* SP, HT and folds; most often there are none. */
static inline void dt__skip(struct dt_reader *r)
{
    if (r->p < r->end && (unsigned char)*r->p <= ' ')
        dt_reader_lws(r);
}

/* dt_reader_run for the hot path: in line, so that the class is a constant. */
static inline struct dt_str dt__run(struct dt_reader *r, unsigned classes)
{
    const char *from = r->p;
    r->p = dt_char_run(from, r->end, classes);
    return (struct dt_str){from, (size_t)(r->p - from)};
}

/* dt_str_ieq with a literal, whose usual spelling is found by one or two words. */
#define DT__IS(s, literal) \
    ((s).n == sizeof(literal) - 1 && \
     (memcmp((s).p, literal, sizeof(literal) - 1) == 0 || dt_str_ieq((s), DT_STR(literal))))

/* From `from` to where the reader is, without the blanks before it. */
static inline struct dt_str dt__taken(const char *from, const struct dt_reader *r)
{
    const char *to = r->p;
    while (to > from && (unsigned char)to[-1] <= ' ')
        to--;
    return (struct dt_str){from, (size_t)(to - from)};
}

/* The same for a list of parameters: without its first ';'. */
static inline struct dt_str dt__params_taken(const char *from, const struct dt_reader *r)
{
    struct dt_str s = dt__taken(from, r);
    if (s.n > 1 && (unsigned char)from[1] > ' ')
        return (struct dt_str){from + 1, s.n - 1};
    return s.n ? dt_str_trim((struct dt_str){from + 1, s.n - 1}) : DT_STR_NONE;
}

/* One header parameter: ;name or ;name=value (RFC 3261 25.1 generic-param). */
struct dt__param {
    struct dt_str name;
    struct dt_str value; /* without quotes, escapes as they are; p NULL: there is no '=' */
};

/* Take the next parameter, blanks around it too. 1: taken; 0: no ';' follows; DT_E_SYNTAX. */
int dt__param_next(struct dt_reader *r, struct dt__param *out);

/* Take an IPv6 reference behind its '['; the brackets are left out of `host`. */
int dt__ip6_take(struct dt_reader *r, struct dt_str *host);
/* Take a host: a name, an IPv4 address, or an IPv6 reference (RFC 3261 25.1). */
static inline int dt__host_take(struct dt_reader *r, struct dt_str *host, bool *v6)
{
    *v6 = dt_reader_char(r, '[');
    if (*v6)
        return dt__ip6_take(r, host);
    *host = dt__run(r, DT_C_HOST);
    return host->n ? DT_OK : DT_E_SYNTAX;
}
/* Take a port behind its colon: 1 to 65535. */
int dt__port_take(struct dt_reader *r, uint16_t *port);
/* The address in `host`, IPv6 without brackets; one colon too many, which the grammar of RFC 3261
 * allowed by mistake, is tolerated (RFC 5118 4.10). DT_OK or DT_E_ABSENT for a name. */
int dt__host_addr(struct dt_str host, struct dt_addr *out);

/* Take one Via value, up to a comma or the end. */
int dt__via_take(struct dt_reader *r, struct dt_via *out);
/* Take one name-addr or addr-spec with its parameters, up to a comma or the end. `angle`: the URI
 * stood in angle brackets. */
int dt__name_addr_take(struct dt_reader *r, struct dt_name_addr *out, bool *angle);

#endif
