/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages of the load generator: split by line, written from texts with letters in them. */
#include <string.h>

#include "cmd/bench_load.h"

/* ---- in ---- */

enum field { VIA, ROUTE, FROM, TO, CALL_ID, CSEQ, CHALLENGE };
static const struct name {
    struct dt_str text;
    enum field field;
} names[] = {
    {{"via:", 4}, VIA},
    {{"record-route:", 13}, ROUTE},
    {{"from:", 5}, FROM},
    {{"to:", 3}, TO},
    {{"call-id:", 8}, CALL_ID},
    {{"cseq:", 5}, CSEQ},
    {{"www-authenticate:", 17}, CHALLENGE},
};

static void keep(struct dt_str *list, size_t *n, struct dt_str line)
{
    if (*n < BENCH_VIAS)
        list[(*n)++] = line;
}

static void take(struct bench_msg *m, const struct name *name, struct dt_str line)
{
    switch (name->field) {
    case VIA:
        keep(m->vias, &m->n_vias, line);
        break;
    case ROUTE:
        keep(m->routes, &m->n_routes, line);
        break;
    case FROM:
        m->from = line;
        break;
    case TO:
        m->to = line;
        break;
    case CALL_ID:
        m->call_id = line;
        break;
    case CSEQ:
        m->cseq = line;
        break;
    case CHALLENGE:
        m->challenge = dt_str_trim(dt_str_sub(line, name->text.n, line.n));
        break;
    }
}

static void take_line(struct bench_msg *m, struct dt_str line)
{
    char first = dt_lower(line.p[0]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].text.p[0] == first &&
            dt_str_ieq(dt_str_sub(line, 0, names[i].text.n), names[i].text)) {
            take(m, &names[i], line);
            return;
        }
}

bool dt__bench_scan(struct dt_str text, struct bench_msg *m)
{
    const char *p = text.p, *end = text.p + text.n;
    m->status = 0;
    m->n_vias = m->n_routes = 0;
    m->first = m->from = m->to = m->call_id = m->cseq = m->challenge = DT_STR_NONE;
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        if (!eol)
            return false;
        struct dt_str line = {p, (size_t)(eol + 1 - p)};
        p = eol + 1;
        if (!m->first.n)
            m->first = line;
        else if (line.n <= 2)
            break;
        else
            take_line(m, line);
    }
    if (dt_str_starts(m->first, DT_STR("SIP/2.0 ")) && m->first.n > 12)
        m->status = (m->first.p[8] - '0') * 100 + (m->first.p[9] - '0') * 10 + m->first.p[10] - '0';
    return m->n_vias && m->call_id.n && m->cseq.n && m->from.n && m->to.n;
}

/* ---- out ---- */

/* Six digits, so that 100,000 users differ in content only. */
static void write_user(struct dt_writer *w, uint32_t user)
{
    char text[8];
    for (int i = 6; i >= 0; i--, user /= 10)
        text[i] = (char)('0' + user % 10);
    dt_write(w, (struct dt_str){text, 7});
}

static void write_key(struct dt_writer *w, const struct bench_load *l, const struct bench_job *j)
{
    dt_write_hex(w, l->run, 8);
    dt_write_hex(w, (uint64_t)(j - l->slots), 6);
    dt_write_hex(w, j->serial, 8);
}

static void write_letter(struct dt_writer *w, const struct bench_load *l, const struct bench_job *j,
                         enum bench_end end, char letter, struct dt_str extra)
{
    switch (letter) {
    case 'u':
        write_user(w, j->user);
        break;
    case 'd':
        dt_write(w, l->o->domain);
        break;
    case 'a':
        dt_write_z(w, l->addr_text[end]);
        break;
    case 'b':
        dt_write_z(w, l->addr_text[BENCH_CALLEE]);
        break;
    case 'k':
        write_key(w, l, j);
        break;
    case 'r':
        dt_write(w, (struct dt_str){j->route, j->n_route});
        break;
    case 'c':
        dt_write_u64(w, j->contact);
        break;
    case 'i':
        dt_write_hex(w, l->run, 8);
        break;
    case 'n':
        dt_write_u64(w, (uint64_t)j->serial * 2);
        break;
    case 'm':
        dt_write_u64(w, (uint64_t)j->serial * 2 + 1);
        break;
    case 'z':
        dt_write(w, extra);
        break;
    default:
        dt_write_char(w, letter);
    }
}

void dt__bench_send(struct bench_load *l, const struct bench_job *j, enum bench_end end,
                    const char *text, struct dt_str extra)
{
    struct dt_writer w = dt_writer(dt_burst_room(l->ends[end]), DT_BURST_SIZE);
    for (const char *next; (next = strchr(text, '%')); text = next + 2) {
        dt_write(&w, (struct dt_str){text, (size_t)(next - text)});
        write_letter(&w, l, j, end, next[1], extra);
    }
    dt_write_z(&w, text);
    if (!w.err)
        dt_burst_put(l->ends[end], w.n);
}
