/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The line rules are those of dt_sip_parse: a line ends with LF, a CR before it is dropped. What is
 * cut here and what is parsed there must agree, or messages can be smuggled (CVE-2026-23457). */
#include "dualtone/text.h"
#include "stack/framing.h"

static int found(struct dt__framing *f, size_t size)
{
    f->size = size;
    return DT_OK;
}

/* CRs and LFs before a message. Only CRLF CRLF means something. */
static int skip_filler(struct dt__framing *f, struct dt_str bytes)
{
    static const char ping[4] = {'\r', '\n', '\r', '\n'};
    size_t n = 0;
    while (n < sizeof ping && n < bytes.n && bytes.p[n] == ping[n])
        n++;
    if (n < sizeof ping && n == bytes.n) {
        f->filler = true;
        return DT_E_MORE;
    }
    f->ping = n == sizeof ping;
    f->filler = !f->ping;
    return found(f, n ? n : 1); /* n is 0 for a lone LF */
}

/* The offset behind the empty line, or 0. Goes on where it stopped, so that bytes which arrive one
 * by one are each looked at once. */
static size_t find_head(struct dt__framing *f, struct dt_str bytes)
{
    size_t at = f->scanned;
    for (;;) {
        at += dt_str_find(dt_str_sub(bytes, at, bytes.n), '\n');
        if (at >= bytes.n)
            break;
        size_t next = at + 1;
        if (next < bytes.n && bytes.p[next] == '\r')
            next++;
        if (next >= bytes.n)
            break; /* this LF must be looked at again */
        if (bytes.p[next] == '\n')
            return next + 1;
        at++;
    }
    f->scanned = at;
    return 0;
}

/* One header line with its folded ones. */
static struct dt_str take_line(struct dt_reader *r)
{
    struct dt_str all = dt_reader_rest(r);
    size_t n = 0;
    do {
        struct dt_str part = dt_reader_until(r, '\n');
        n += part.n + 1;
        dt_reader_char(r, '\n');
    } while (dt_reader_peek(r) == ' ' || dt_reader_peek(r) == '\t');
    return dt_str_sub(all, 0, n);
}

/* DT_OK, DT_E_ABSENT for another header, DT_E_SYNTAX or DT_E_RANGE for a bad value. */
static int read_length(struct dt_str line, uint64_t max, uint64_t *out)
{
    size_t colon = dt_str_find(line, ':');
    struct dt_str name = dt_str_trim(dt_str_sub(line, 0, colon));
    if (!dt_str_ieq(name, DT_STR("content-length")) && !dt_str_ieq(name, DT_STR("l")))
        return DT_E_ABSENT;
    return dt_str_u64(dt_str_trim(dt_str_sub(line, colon + 1, line.n)), max, out);
}

/* The one Content-Length of a head (20.14: it must be there on a stream). */
static int find_length(struct dt_str head, uint64_t max, uint64_t *out)
{
    struct dt_reader r = dt_reader(head);
    size_t n = 0;
    take_line(&r); /* the start line */
    while (!dt_reader_end(&r)) {
        int err = read_length(take_line(&r), max, out);
        if (err == DT_E_ABSENT)
            continue;
        if (err || ++n > 1)
            return err ? err : DT_E_SYNTAX;
    }
    return n ? DT_OK : DT_E_SYNTAX;
}

int dt__frame(struct dt__framing *f, struct dt_str bytes, size_t max)
{
    uint64_t body = 0;
    if (bytes.n && (bytes.p[0] == '\r' || bytes.p[0] == '\n'))
        return skip_filler(f, bytes);
    f->filler = false;
    if (!f->size) {
        size_t head = find_head(f, bytes);
        if (!head)
            return bytes.n >= max ? DT_E_LIMIT : DT_E_MORE;
        f->head = head;
        if (head > max)
            return DT_E_LIMIT;
        int err = find_length(dt_str_sub(bytes, 0, head), max - head, &body);
        f->status = !err ? 0 : err == DT_E_RANGE ? 513 : 400;
        if (err)
            return err == DT_E_RANGE ? DT_E_LIMIT : DT_E_SYNTAX;
        f->size = head + (size_t)body;
    }
    return bytes.n >= f->size ? DT_OK : DT_E_MORE;
}
