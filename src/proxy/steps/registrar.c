/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The registrar (RFC 3261 10.3, RFC 3327): REGISTER of our domain becomes one change of the
 * location, all or nothing, and the answer lists what is bound then. */
#include "proxy/work.h"

enum {
    DEFAULT_EXPIRES = 3600,
    LINE_FIXED = 64,
    DATE_MAX = 64,
    ROOM = 640 /* for the lines of an answer: nearly all fit */
};

struct registration {
    struct dt_proxy_work *w;
    struct dt_location_update update;
    struct dt_location_contact contacts[DT_CONTACTS_MAX];
    char aor[DT_AOR_MAX];
    char path[2048];
};

static enum dt_step_result refuse(const struct registration *r, int status, struct dt_str extra)
{
    return dt__answer(r->w, DT_COUNT_ANSWERED_registrar, status, extra);
}

/* ---- reading the request ---- */

/* "0.7" in thousandths (25.1); what is no q counts as none. */
static uint16_t read_q(struct dt_str text)
{
    unsigned value = 0, digits = 0;
    if (!text.n || (text.p[0] != '0' && text.p[0] != '1') || text.n > 5)
        return DT_Q_MAX;
    value = (unsigned)(text.p[0] - '0');
    for (size_t i = 2; i < text.n; i++, digits++) {
        if (!dt_is_digit(text.p[i]))
            return DT_Q_MAX;
        value = value * 10 + (unsigned)(text.p[i] - '0');
    }
    for (; digits < 3; digits++)
        value *= 10;
    return (uint16_t)(value < DT_Q_MAX ? value : DT_Q_MAX);
}

/* 10.3 step 7: the parameter, the header, ours. What is malformed counts as 3600 (20.10). */
static uint32_t read_expires(const struct registration *r, const struct dt_name_addr *a)
{
    struct dt_str value = dt_sip_get(r->w->m, DT_H_EXPIRES);
    uint32_t seconds = DEFAULT_EXPIRES;
    bool given = dt_param(a->params, "expires", &value) || value.n;
    if (given) {
        int err = dt_sip_number(&seconds, value);
        if (err)
            seconds = err == DT_E_RANGE ? UINT32_MAX : DEFAULT_EXPIRES;
    }
    uint32_t most = (uint32_t)r->w->p->cfg->max_expires;
    return seconds < most ? seconds : most;
}

static int read_contact(struct registration *r, struct dt_str value)
{
    struct dt_name_addr a;
    struct dt_location_update *u = &r->update;
    if (dt_sip_name_addr(&a, value))
        return DT_E_SYNTAX;
    if (a.star) {
        u->star = true;
        return DT_OK;
    }
    if (u->n == DT_CONTACTS_MAX)
        return DT_E_LIMIT;
    struct dt_location_contact *c = &r->contacts[u->n++];
    struct dt_str q = DT_STR_NONE;
    *c = (struct dt_location_contact){.uri = a.uri.text, .expires = read_expires(r, &a)};
    dt_param(a.params, "q", &q);
    c->q = q.n ? read_q(q) : DT_Q_MAX;
    dt_param(a.params, "+sip.instance", &c->instance);
    return DT_OK;
}

/* A star stands alone, with Expires: 0 (10.3 step 6). */
static bool is_good_star(const struct registration *r)
{
    uint32_t seconds;
    struct dt_sip_values v = dt_sip_values(r->w->m, DT_H_CONTACT);
    struct dt_str value;
    size_t n = 0;
    while (dt_sip_values_next(&v, &value))
        n++;
    return n == 1 && !dt_sip_number(&seconds, dt_sip_get(r->w->m, DT_H_EXPIRES)) && seconds == 0;
}

static int read_contacts(struct registration *r)
{
    struct dt_sip_values v = dt_sip_values(r->w->m, DT_H_CONTACT);
    struct dt_str value;
    while (dt_sip_values_next(&v, &value)) {
        int err = read_contact(r, value);
        if (err)
            return err;
    }
    return r->update.star && !is_good_star(r) ? DT_E_SYNTAX : DT_OK;
}

/* RFC 3327 5.3: all Path values, in order, as one list. */
static int read_path(struct registration *r)
{
    struct dt_writer w = dt_writer(r->path, sizeof r->path);
    struct dt_sip_values v = dt_sip_values(r->w->m, DT_H_PATH);
    struct dt_str value;
    while (dt_sip_values_next(&v, &value)) {
        if (w.n)
            dt_write_lit(&w, ", ");
        dt_write(&w, value);
    }
    r->update.path = dt_writer_str(&w);
    return w.err;
}

/* ---- the answer ---- */

/* Two digits, and what stands behind them. */
static void write_two(struct dt_writer *w, int64_t v, char behind)
{
    const char text[] = {(char)('0' + v / 10 % 10), (char)('0' + v % 10), behind};
    dt_write(w, (struct dt_str){text, behind ? 3 : 2});
}

/* "Date: Sat, 13 Nov 2010 23:29:00 GMT" (20.17); days into a date by the 400-year cycle. */
static void make_date(struct dt_writer *w, int64_t unix_seconds)
{
    static const char days[] = "ThuFriSatSunMonTueWed",
                      months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
    int64_t day = unix_seconds / 86400, second = unix_seconds % 86400;
    int64_t since = day + 719468; /* days since 1 March of year 0 */
    int64_t era = since / 146097, of_era = since % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    year += era * 400 + (month > 9);
    dt_write_lit(w, "Date: ");
    dt_write(w, (struct dt_str){days + 3 * (day % 7), 3});
    dt_write_lit(w, ", ");
    write_two(w, of_year - (153 * month + 2) / 5 + 1, ' ');
    dt_write(w, (struct dt_str){months + 3 * month, 3});
    dt_write_char(w, ' ');
    write_two(w, year / 100, '\0');
    write_two(w, year % 100, ' ');
    write_two(w, second / 3600, ':');
    write_two(w, second / 60 % 60, ':');
    write_two(w, second % 60, ' ');
    dt_write_lit(w, "GMT\r\n");
}

/* One line serves all answers of a second. */
static void write_date(struct dt_writer *w, struct dt_date_line *kept, int64_t unix_seconds)
{
    if (!kept->n || kept->second != unix_seconds) {
        struct dt_writer line = dt_writer(kept->text, sizeof kept->text);
        make_date(&line, unix_seconds);
        kept->second = unix_seconds;
        kept->n = line.n;
    }
    dt_write(w, (struct dt_str){kept->text, kept->n});
}

static size_t room_for(const struct dt_binding *const *found, size_t n,
                       const struct registration *r)
{
    size_t room = DATE_MAX + r->update.path.n + LINE_FIXED;
    for (size_t i = 0; i < n; i++)
        room += LINE_FIXED + (size_t)found[i]->contact_n + found[i]->instance_n;
    return room;
}

static void write_binding(struct dt_writer *w, const struct dt_binding *b, dt_time now)
{
    struct dt_str instance = dt_binding_instance(b);
    dt_write_lit(w, "Contact: <");
    dt_write(w, dt_binding_contact(b));
    dt_write_lit(w, ">;expires=");
    dt_write_u64(w, dt_binding_left(b, now));
    if (b->q < DT_Q_MAX)
        dt_writef(w, ";q=0.%03u", (unsigned)b->q);
    if (instance.n) {
        dt_write_lit(w, ";+sip.instance=");
        dt_write_quoted(w, instance);
    }
    dt_write_lit(w, "\r\n");
}

static void write_answer(struct dt_writer *w, const struct registration *r,
                         const struct dt_binding *const *found, size_t n)
{
    for (size_t i = 0; i < n; i++)
        write_binding(w, found[i], r->w->now);
    if (r->update.path.n) {
        dt_write_lit(w, "Path: ");
        dt_write(w, r->update.path);
        dt_write_lit(w, "\r\n");
    }
    write_date(w, &r->w->p->date, (r->w->now + r->w->p->env->wall_offset) / DT_SECOND);
}

static enum dt_step_result list_bindings(const struct registration *r)
{
    const struct dt_proxy *p = r->w->p;
    const struct dt_binding *found[DT_CONTACTS_MAX];
    size_t n =
        dt_location_find(p->location, r->w->now, r->update.aor, found, DT_CONTACTS_MAX, NULL);
    n = n < DT_CONTACTS_MAX ? n : DT_CONTACTS_MAX;
    struct dt_bytes *b = NULL;
    char lines[ROOM];
    struct dt_writer w = dt_writer(lines, sizeof lines);
    size_t room = room_for(found, n, r);
    if (room > sizeof lines) {
        b = dt_bytes_new(p->env->alloc, room);
        if (!b)
            return refuse(r, 500, DT_STR_NONE);
        w = dt_writer(b->data, b->cap);
    }
    write_answer(&w, r, found, n);
    enum dt_step_result result =
        refuse(r, w.err ? 500 : 200, w.err ? DT_STR_NONE : dt_writer_str(&w));
    dt_bytes_drop(b);
    return result;
}

/* ---- the steps of 10.3 ---- */

static bool is_too_brief(const struct registration *r)
{
    uint32_t min = (uint32_t)r->w->p->cfg->min_expires;
    for (size_t i = 0; i < r->update.n; i++)
        if (r->contacts[i].expires && r->contacts[i].expires < min &&
            r->contacts[i].expires < DEFAULT_EXPIRES)
            return true;
    return false;
}

static enum dt_step_result refuse_brief(const struct registration *r)
{
    char extra[64];
    struct dt_writer w = dt_writer(extra, sizeof extra);
    dt_write_lit(&w, "Min-Expires: ");
    dt_write_u64(&w, (uint64_t)r->w->p->cfg->min_expires);
    dt_write_lit(&w, "\r\n");
    return refuse(r, 423, dt_writer_str(&w));
}

/* A row an error of the location: what the phone is told. */
static int status_of(int err)
{
    static const struct {
        int err, status;
    } rows[] = {{DT_E_STALE, 500}, {DT_E_LIMIT, 403}, {DT_E_RANGE, 503}, {DT_E_SYNTAX, 400}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].err == err)
            return rows[i].status;
    return 500;
}

static enum dt_step_result update(struct registration *r)
{
    const struct dt_proxy_work *w = r->w;
    struct dt_location_update *u = &r->update;
    u->contacts = r->contacts;
    u->call_id = w->m->call_id;
    u->cseq = w->m->cseq.number;
    u->wall = (uint64_t)((w->now + w->p->env->wall_offset) / DT_MS);
    u->flow = (struct dt_binding_flow){w->from.local, w->from.remote, w->from.stream};
    if (u->n || u->star) {
        int err = dt_location_update(w->p->location, w->now, u);
        if (err)
            return refuse(r, status_of(err),
                          err == DT_E_RANGE ? DT_STR("Retry-After: 60\r\n") : DT_STR_NONE);
        dt__pair_run(w->p, w->now);
    }
    return list_bindings(r);
}

/* 8.2.2.3: of what is required, the registrar knows Path. Writes "Unsupported" with the rest. */
static bool requires_more(const struct dt_sip_msg *m, struct dt_writer *out)
{
    struct dt_sip_values v = dt_sip_values(m, DT_H_REQUIRE);
    struct dt_str value;
    bool more = false;
    while (dt_sip_values_next(&v, &value)) {
        if (dt_str_ieq(value, DT_STR("path")))
            continue;
        dt_write(out, more ? DT_STR(", ") : DT_STR("Unsupported: "));
        dt_write(out, value);
        more = true;
    }
    dt_write_lit(out, "\r\n");
    return more;
}

static enum dt_step_result run(struct dt_proxy_work *w)
{
    if (w->m->method != DT_REGISTER || !w->ours)
        return DT_STEP_CONTINUE;
    struct registration r; /* most of it is room, which is not zeroed for each REGISTER */
    r.w = w;
    r.update = (struct dt_location_update){0};
    const struct dt_uri *to = &w->m->to.uri;
    char extra[512];
    struct dt_writer out = dt_writer(extra, sizeof extra);
    if (requires_more(w->m, &out))
        return refuse(&r, 420, out.err ? DT_STR_NONE : dt_writer_str(&out));
    if (to->scheme != DT_URI_SIP && to->scheme != DT_URI_SIPS) /* 10.2; RFC 4475 3.3.4 */
        return refuse(&r, 400, DT_STR_NONE);
    if (dt__self_is_uri(&w->p->self, to, &w->from.local))
        r.update.aor = dt__aor_of(w->p, to, r.aor);
    if (!r.update.aor.n)
        return refuse(&r, 404, DT_STR_NONE);
    if (read_contacts(&r) || read_path(&r))
        return refuse(&r, 400, DT_STR_NONE);
    r.update.contacts = r.contacts;
    if (dt_sip_first(w->m, DT_H_DUALTONE_COPY))
        return dt__pair_binding(w, &r.update);
    if (is_too_brief(&r))
        return refuse_brief(&r);
    return update(&r);
}

const struct dt_proxy_step dt__step_registrar = {"registrar", run};
