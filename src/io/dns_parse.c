/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 1035 4.1 (message), RFC 2782 (SRV), RFC 3403 4.1 (NAPTR). Compression is followed backwards
 * only and a bounded number of times (reliability.md 1). */
#include <string.h>

#include "dualtone/text.h"
#include "io/dns_parse.h"

enum { HEADER = 12, JUMPS_MAX = 64, CHAIN_MAX = 16, NAME_MAX_BYTES = 255 };
enum { TYPE_CNAME = 5, CLASS_IN = 1 };

struct name {
    char text[NAME_MAX_BYTES + 1];
    size_t n;
};

struct rr {
    struct name owner;
    uint32_t type, class, ttl;
    struct dt_str data;
};

/* ---- bytes ---- */

static bool take_number(struct dt_reader *r, size_t bytes, uint32_t *out)
{
    struct dt_str s;
    if (!dt_reader_take(r, bytes, &s))
        return false;
    *out = 0;
    for (size_t i = 0; i < bytes; i++)
        *out = *out << 8 | (uint8_t)s.p[i];
    return true;
}

/* A label; one with a dot or something unprintable inside is no host name, and would not be the
 * same name once written as text. */
static bool add_label(struct name *name, struct dt_str label)
{
    if (name->n + label.n + 1 > NAME_MAX_BYTES)
        return false;
    if (name->n > 0)
        name->text[name->n++] = '.';
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        if (c <= ' ' || c == '.' || c == 0x7f)
            return false;
        name->text[name->n++] = c;
    }
    return true;
}

/* The place that a compression pointer names: before `from`, or nowhere. */
static bool jump(struct dt_reader *r, uint32_t high, size_t from)
{
    uint32_t low;
    if (!take_number(r, 1, &low))
        return false;
    size_t to = (high & 0x3f) << 8 | low;
    if (to >= from)
        return false;
    r->p = r->start + to;
    return true;
}

/* `r` goes to behind the name; the labels may lie elsewhere (4.1.4). */
static bool take_name(struct dt_reader *r, struct name *name)
{
    struct dt_reader at = *r;
    size_t lowest = dt_reader_at(&at);
    name->n = 0;
    for (int jumps = 0; jumps < JUMPS_MAX;) {
        uint32_t n;
        struct dt_str label;
        if (!take_number(&at, 1, &n))
            return false;
        if ((n & 0xc0) == 0xc0) {
            bool ok = jump(&at, n, lowest);
            if (jumps++ == 0 && ok)
                r->p += dt_reader_rest(r).n >= 2 ? 2 : 0;
            if (!ok)
                return false;
            lowest = dt_reader_at(&at);
            continue;
        }
        if (n > 63 || !dt_reader_take(&at, n, &label))
            return false;
        if (jumps == 0)
            r->p = at.p;
        if (n == 0)
            return true;
        if (!add_label(name, label))
            return false;
    }
    return false;
}

static bool name_eq(const struct name *a, const struct name *b)
{
    return dt_str_ieq((struct dt_str){a->text, a->n}, (struct dt_str){b->text, b->n});
}

/* ---- records ---- */

static bool skip_name(struct dt_reader *r)
{
    for (;;) {
        uint32_t n;
        struct dt_str label;
        if (!take_number(r, 1, &n))
            return false;
        if ((n & 0xc0) == 0xc0)
            return dt_reader_take(r, 1, &label);
        if (n > 63 || !dt_reader_take(r, n, &label))
            return false;
        if (n == 0)
            return true;
    }
}

/* False when the message ends within it. An owner that is no name stays empty. */
static bool take_rr(struct dt_reader *r, struct rr *rr)
{
    struct dt_reader name = *r;
    uint32_t n;
    if (!skip_name(r))
        return false;
    if (!take_name(&name, &rr->owner))
        rr->owner.n = 0;
    return take_number(r, 2, &rr->type) && take_number(r, 2, &rr->class) &&
           take_number(r, 4, &rr->ttl) && take_number(r, 2, &n) && dt_reader_take(r, n, &rr->data);
}

static struct dt_str keep(struct dt_dns_parsed *out, struct dt_str s)
{
    char *to = out->text + out->text_used;
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    out->text_used += s.n;
    return (struct dt_str){to, s.n};
}

/* A reader over the data of a record that can still follow pointers into the message. */
static struct dt_reader data_reader(struct dt_str message, struct dt_str data)
{
    return (struct dt_reader){data.p, data.p + data.n, message.p};
}

static bool read_address(struct dt_str data, size_t n, struct dt_dns_record *out)
{
    if (data.n != n)
        return false;
    memcpy(out->ip, data.p, n);
    return true;
}

static bool take_u16(struct dt_reader *r, uint16_t *out)
{
    uint32_t v;
    if (!take_number(r, 2, &v))
        return false;
    *out = (uint16_t)v;
    return true;
}

static bool take_string(struct dt_reader *r, struct dt_str *out)
{
    uint32_t n;
    return take_number(r, 1, &n) && dt_reader_take(r, n, out);
}

static bool read_srv(struct dt_dns_parsed *all, struct dt_reader *r, struct dt_dns_record *out)
{
    struct name target;
    if (!take_u16(r, &out->order) || !take_u16(r, &out->weight) || !take_u16(r, &out->port) ||
        !take_name(r, &target))
        return false;
    out->target = keep(all, (struct dt_str){target.text, target.n});
    return true;
}

static bool read_naptr(struct dt_dns_parsed *all, struct dt_reader *r, struct dt_dns_record *out)
{
    struct dt_str flags, service, regexp;
    struct name target;
    if (!take_u16(r, &out->order) || !take_u16(r, &out->weight) || !take_string(r, &flags) ||
        !take_string(r, &service) || !take_string(r, &regexp) || !take_name(r, &target))
        return false;
    out->flags = keep(all, flags);
    out->service = keep(all, service);
    out->target = keep(all, (struct dt_str){target.text, target.n});
    return true;
}

static bool read_record(struct dt_dns_parsed *all, struct dt_str message, const struct rr *rr,
                        struct dt_dns_record *out)
{
    struct dt_reader r = data_reader(message, rr->data);
    switch (out->type) {
    case DT_DNS_A:
        return read_address(rr->data, 4, out);
    case DT_DNS_AAAA:
        return read_address(rr->data, 16, out);
    case DT_DNS_SRV:
        return read_srv(all, &r, out);
    case DT_DNS_NAPTR:
        return read_naptr(all, &r, out);
    }
    return false;
}

/* ---- the message ---- */

struct answers {
    struct dt_str message;
    struct dt_reader first; /* at the answer section */
    uint32_t n;
};

static bool read_header(struct answers *a, struct name *asked)
{
    struct dt_reader r = dt_reader(a->message);
    struct dt_str skipped;
    uint32_t questions, rest;
    if (!dt_reader_take(&r, 4, &skipped) || !take_number(&r, 2, &questions) ||
        !take_number(&r, 2, &a->n) || !take_number(&r, 4, &rest) || questions != 1)
        return false;
    if (!take_name(&r, asked) || !dt_reader_take(&r, 4, &skipped))
        return false;
    a->first = r;
    return true;
}

static uint32_t min_ttl(uint32_t a, uint32_t b)
{
    if (b > INT32_MAX)
        b = 0; /* RFC 2181 8 */
    return a < b ? a : b;
}

/* One step along the CNAMEs of `name`; false if there is none. */
static bool follow(const struct answers *a, struct name *name, uint32_t *ttl)
{
    struct dt_reader r = a->first;
    struct rr rr;
    for (uint32_t i = 0; i < a->n && take_rr(&r, &rr); i++) {
        struct name target;
        struct dt_reader data = data_reader(a->message, rr.data);
        if (rr.type != TYPE_CNAME || rr.class != CLASS_IN || !name_eq(&rr.owner, name) ||
            !take_name(&data, &target) || name_eq(&target, name))
            continue;
        *name = target;
        *ttl = min_ttl(*ttl, rr.ttl);
        return true;
    }
    return false;
}

static bool has_room(const struct dt_dns_parsed *out)
{
    return out->n < DT_DNS_RECORDS_MAX && out->text_used + 3 * NAME_MAX_BYTES <= DT_DNS_TEXT_MAX;
}

static void collect(struct dt_dns_parsed *out, const struct answers *a, enum dt_dns_type type,
                    const struct name *name, uint32_t ttl)
{
    struct dt_reader r = a->first;
    struct rr rr;
    for (uint32_t i = 0; i < a->n && has_room(out) && take_rr(&r, &rr); i++) {
        struct dt_dns_record *record = &out->records[out->n];
        if (rr.type != (uint32_t)type || rr.class != CLASS_IN || !name_eq(&rr.owner, name))
            continue;
        *record = (struct dt_dns_record){.type = type, .ttl = min_ttl(ttl, rr.ttl)};
        out->n += read_record(out, a->message, &rr, record);
    }
}

int dt_dns_parse(struct dt_dns_parsed *out, struct dt_str message, enum dt_dns_type type)
{
    struct answers a = {.message = message};
    struct name name;
    uint32_t ttl = INT32_MAX;
    out->n = out->text_used = 0;
    if (message.n < HEADER || !read_header(&a, &name))
        return DT_E_SYNTAX;
    for (int i = 0; i < CHAIN_MAX && follow(&a, &name, &ttl); i++)
        continue;
    collect(out, &a, type, &name, ttl);
    return DT_OK;
}
