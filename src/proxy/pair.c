/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/pair.h"
#include "proxy/work.h"

static const dt_time answer_within = 2 * DT_SECOND, retry_after = DT_SECOND,
                     filled_anyway = 60 * DT_SECOND, quiet_for = 2 * DT_SECOND;

static const char *const kinds[] = {"binding", "join", "filled", "unfilled"};

/* What the MAC covers, as sender and receiver both have it. */
struct copy {
    enum dt_pair_kind kind;
    uint64_t number, mac;
    struct dt_str aor, call_id, path;
    uint32_t cseq;
    struct dt_location_contact contact;
};

static void add_number(struct dt_siphash *h, uint64_t v)
{
    char text[16];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_write_hex(&w, v, sizeof text);
    dt_siphash_add_str(h, dt_writer_str(&w));
}

static uint64_t mac_of(const uint64_t key[2], const struct copy *c)
{
    const struct dt_str texts[] = {c->aor, c->call_id, c->path, c->contact.uri,
                                   c->contact.instance};
    const uint64_t numbers[] = {c->number, c->cseq, c->contact.q, c->contact.expires};
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    dt_siphash_add_str(&h, DT_STR("copy"));
    dt_siphash_add_str(&h, dt_str_z(kinds[c->kind]));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        dt_siphash_add_str(&h, texts[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        add_number(&h, numbers[i]);
    return dt_siphash_end(&h);
}

/* ---- out ---- */

/* The AOR is kept unescaped; in a URI what is not plain is escaped. */
static void write_aor(struct dt_writer *w, struct dt_str aor)
{
    size_t at = aor.n;
    while (at && aor.p[at - 1] != '@')
        at--;
    for (size_t i = 0; i < aor.n; i++) {
        char ch = aor.p[i];
        bool plain = i < 4 || i + 1 >= at || dt_is_digit(ch) || dt_is_alpha(ch);
        if (plain) {
            dt_write_char(w, ch);
        } else {
            dt_write_char(w, '%');
            dt_write_hex(w, (unsigned char)ch, 2);
        }
    }
}

static void write_contact(struct dt_writer *w, const struct copy *c)
{
    if (dt_str_eq(c->contact.uri, DT_STR("*"))) {
        dt_write_lit(w, "Contact: *\r\nExpires: 0\r\n");
        return;
    }
    dt_write_lit(w, "Contact: <");
    dt_write(w, c->contact.uri);
    dt_writef(w, ">;expires=%u", (unsigned)c->contact.expires);
    if (c->contact.q < DT_Q_MAX)
        dt_writef(w, ";q=0.%03u", (unsigned)c->contact.q);
    if (c->contact.instance.n) {
        dt_write_lit(w, ";+sip.instance=");
        dt_write_quoted(w, c->contact.instance);
    }
    dt_write_lit(w, "\r\n");
    if (c->path.n)
        dt_sip_write_header(w, DT_H_PATH, c->path);
}

static void write_copy(struct dt_proxy *p, struct dt_writer *w, const struct copy *c,
                       struct dt_str branch)
{
    bool binding = c->kind == DT_PAIR_BINDING;
    struct dt_str domain = p->cfg->domain;
    unsigned transport = p->pair.peer.transport;
    dt_writef(w, "%s sip:%.*s SIP/2.0\r\n", binding ? "REGISTER" : "OPTIONS", DT_FMT(domain));
    dt_writef(w, "Via: SIP/2.0/%s %.*s;branch=%.*s;rport\r\n", transport == DT_TCP ? "TCP" : "UDP",
              DT_FMT(dt__self_sent_by(&p->self, transport)), DT_FMT(branch));
    dt_writef(w, "Max-Forwards: 1\r\nFrom: <sip:%.*s>;tag=copy\r\nTo: <", DT_FMT(domain));
    if (binding)
        write_aor(w, c->aor);
    else
        dt_writef(w, "sip:%.*s", DT_FMT(domain));
    dt_write_lit(w, ">\r\n");
    dt_sip_write_header(w, DT_H_CALL_ID, c->call_id);
    dt_sip_write_headerf(w, DT_H_CSEQ, "%u %s", (unsigned)c->cseq,
                         binding ? "REGISTER" : "OPTIONS");
    if (binding)
        write_contact(w, c);
    dt_sip_write_headerf(w, DT_H_DUALTONE_COPY, "%s %llu %016llx", kinds[c->kind],
                         (unsigned long long)c->number, (unsigned long long)mac_of(p->key, c));
    dt_sip_write_body(w, DT_STR_NONE, DT_STR_NONE);
}

static int launch(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot, const struct copy *c)
{
    char branch[35] = "z9hG4bKcopy";
    struct dt_writer b = dt_writer(branch + 11, 8);
    struct dt_request r = {.to.remote = p->pair.peer,
                           .method = c->kind == DT_PAIR_BINDING ? DT_REGISTER : DT_OPTIONS,
                           .branch = {branch, sizeof branch},
                           .repeats = UINT32_MAX,
                           .timeout = answer_within};
    size_t room = 1024 + 3 * c->aor.n + c->call_id.n + c->path.n + c->contact.uri.n +
                  2 * c->contact.instance.n + 4 * p->cfg->domain.n;
    dt_write_hex(&b, p->self.boot, 8); /* also where the generator begins alike each time */
    dt_rng_token(&p->env->rng, branch + 19, 16);
    int err = dt__self_local(&p->self, &r.to.remote, NULL, &r.to.local);
    r.bytes = err ? NULL : dt_bytes_new(p->env->alloc, room);
    if (!r.bytes)
        return err ? err : DT_E_NOMEM;
    struct dt_writer w = dt_writer(r.bytes->data, r.bytes->cap);
    write_copy(p, &w, c, r.branch);
    r.bytes->n = (uint32_t)w.n;
    r.cookie = (uint64_t)(slot - p->pair.slots) << 8 | DT_PAIR_COOKIE;
    slot->kind = c->kind;
    err = w.err ? w.err : dt_stack_request(p->stack, now, &r, &slot->tx);
    dt_bytes_drop(r.bytes);
    return err;
}

static struct copy copy_of(const struct dt_binding *b, dt_time now)
{
    return (struct copy){.kind = DT_PAIR_BINDING,
                         .number = b->stamp,
                         .aor = dt_binding_aor(b),
                         .call_id = dt_binding_call_id(b),
                         .path = b->gone ? DT_STR_NONE : dt_binding_path(b),
                         .cseq = b->cseq,
                         .contact = {.uri = dt_binding_contact(b),
                                     .instance = b->gone ? DT_STR_NONE : dt_binding_instance(b),
                                     .q = b->gone ? DT_Q_MAX : b->q,
                                     .expires = b->gone ? 0 : dt_binding_left(b, now)}};
}

static int send_binding(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot,
                        const struct dt_binding *b)
{
    struct copy c = copy_of(b, now);
    slot->texts = dt_bytes_new(p->env->alloc, c.aor.n + c.contact.uri.n);
    if (!slot->texts)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(slot->texts->data, slot->texts->cap);
    dt_write(&w, c.aor);
    dt_write(&w, c.contact.uri);
    slot->texts->n = (uint32_t)w.n;
    slot->aor_n = (uint32_t)c.aor.n;
    dt_location_paid(b);
    return launch(p, now, slot, &c);
}

static int send_word(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot,
                     enum dt_pair_kind kind, uint32_t boot)
{
    char id[16];
    struct copy c = {.kind = kind, .number = boot, .call_id = {id, sizeof id}, .cseq = 1};
    dt_rng_token(&p->env->rng, id, sizeof id);
    return launch(p, now, slot, &c);
}

static unsigned busy_slots(const struct dt_pair *t)
{
    unsigned n = 0;
    for (size_t i = 0; i < DT_PAIR_WINDOW; i++)
        n += t->slots[i].tx != 0;
    return n;
}

static struct dt_pair_slot *free_slot(struct dt_pair *t)
{
    for (size_t i = 0; i < DT_PAIR_WINDOW; i++)
        if (!t->slots[i].tx)
            return &t->slots[i];
    return NULL;
}

static void release(struct dt_pair_slot *slot)
{
    dt_bytes_drop(slot->texts);
    *slot = (struct dt_pair_slot){.tx = 0};
}

/* A message was lost, or could not be sent: what it said is to be said again. */
static void failed(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot)
{
    struct dt_pair *t = &p->pair;
    struct dt_str texts = dt_bytes_str(slot->texts);
    if (slot->kind == DT_PAIR_BINDING)
        dt_location_owe(p->location, dt_str_sub(texts, 0, slot->aor_n),
                        dt_str_sub(texts, slot->aor_n, texts.n));
    t->joining = t->joining || slot->kind == DT_PAIR_JOIN;
    t->asked = t->asked || slot->kind >= DT_PAIR_FILLED;
    release(slot);
    t->silent = true;
    t->retry_at = now + retry_after;
    dt_timers_arm(&p->timers, &t->timer, t->retry_at);
}

/* The next thing to say. False: there is none. */
static bool send_next(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot)
{
    struct dt_pair *t = &p->pair;
    const struct dt_binding *b = dt_location_owed(p->location);
    int err = DT_OK;
    if (t->joining) {
        t->joining = false;
        err = send_word(p, now, slot, DT_PAIR_JOIN, p->self.boot);
    } else if (b) {
        err = send_binding(p, now, slot, b);
    } else if (t->asked && !busy_slots(t)) {
        t->asked = false;
        err = send_word(p, now, slot, t->filled ? DT_PAIR_FILLED : DT_PAIR_UNFILLED, t->asked_by);
    } else {
        return false;
    }
    if (err)
        failed(p, now, slot);
    return !err;
}

void dt__pair_run(struct dt_proxy *p, dt_time now)
{
    struct dt_pair *t = &p->pair;
    struct dt_pair_slot *slot;
    if (!t->peer.family || !p->self.all_up || (t->silent && (now < t->retry_at || busy_slots(t))))
        return;
    while ((slot = free_slot(t)) && send_next(p, now, slot) && !t->silent)
        ;
}

bool dt__pair_is_cookie(uint64_t cookie)
{
    return (cookie & 0xff) == DT_PAIR_COOKIE && cookie >> 8 < DT_PAIR_WINDOW;
}

void dt__pair_answered(struct dt_proxy *p, dt_time now, uint64_t cookie, dt_tx tx, int status)
{
    struct dt_pair_slot *slot = &p->pair.slots[cookie >> 8];
    if (slot->tx != tx || (status >= 100 && status < 200))
        return;
    if (!status || status >= 500) { /* 403: another key, which no repeat mends */
        failed(p, now, slot);
        return;
    }
    p->pair.silent = false;
    release(slot);
    dt__pair_run(p, now);
}

/* ---- in ---- */

static bool read_value(struct copy *c, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    struct dt_str kind = dt_reader_until(&r, ' ');
    size_t i = 0;
    while (i < sizeof kinds / sizeof kinds[0] && !dt_str_eq(kind, dt_str_z(kinds[i])))
        i++;
    c->kind = (enum dt_pair_kind)i;
    return i < sizeof kinds / sizeof kinds[0] && dt_reader_char(&r, ' ') &&
           !dt_reader_u64(&r, INT64_MAX, &c->number) && dt_reader_char(&r, ' ') &&
           !dt__read_hex(dt_reader_rest(&r), &c->mac);
}

static bool is_genuine(const struct dt_proxy *p, const struct copy *c)
{
    bool good = false;
    for (size_t i = 0; i < p->keys.n; i++)
        good |= (mac_of(p->keys.key[i], c) ^ c->mac) == 0;
    return good;
}

static void take_word(struct dt_proxy *p, const struct copy *c)
{
    struct dt_pair *t = &p->pair;
    if (c->kind == DT_PAIR_JOIN) {
        t->asked = true;
        t->asked_by = (uint32_t)c->number;
        t->silent = false;
        dt_location_owe_all(p->location);
    } else if (c->number == p->self.boot) {
        t->filled = t->filled || c->kind == DT_PAIR_FILLED;
    }
}

static enum dt_step_result answer(struct dt_proxy_work *w, bool good, int status)
{
    return dt__answer(w, good ? DT_COUNT_ANSWERED_copy : DT_COUNT_ANSWERED_copy_forged, status,
                      DT_STR_NONE);
}

enum dt_step_result dt__pair_word(struct dt_proxy_work *w)
{
    struct copy c = {.call_id = w->m->call_id, .cseq = w->m->cseq.number};
    if (!read_value(&c, dt_sip_get(w->m, DT_H_DUALTONE_COPY)) || c.kind == DT_PAIR_BINDING ||
        !w->p->pair.peer.family || !is_genuine(w->p, &c))
        return answer(w, false, 403);
    take_word(w->p, &c);
    enum dt_step_result result = answer(w, true, 200);
    dt__pair_run(w->p, w->now);
    return result;
}

enum dt_step_result dt__pair_binding(struct dt_proxy_work *w, struct dt_location_update *u)
{
    static const struct dt_location_contact star = {{"*", 1}, {NULL, 0}, DT_Q_MAX, 0};
    struct dt_proxy *p = w->p;
    struct copy c = {
        .aor = u->aor, .call_id = w->m->call_id, .path = u->path, .cseq = w->m->cseq.number};
    bool one = u->star || u->n == 1;
    if (u->star) {
        u->contacts = &star;
        u->n = 1;
    }
    if (one)
        c.contact = u->contacts[0];
    if (!one || !read_value(&c, dt_sip_get(w->m, DT_H_DUALTONE_COPY)) ||
        c.kind != DT_PAIR_BINDING || !p->pair.peer.family || !is_genuine(p, &c))
        return answer(w, false, 403);
    u->call_id = c.call_id;
    u->cseq = c.cseq;
    u->wall = c.number;
    u->flow = (struct dt_binding_flow){.stream = 0};
    int64_t wall = (w->now + p->env->wall_offset) / DT_MS;
    bool old = (int64_t)c.number + p->cfg->max_expires * 1000 < wall; /* a replay: long over */
    int err = old ? DT_OK : dt_location_merge(p->location, w->now, u);
    enum dt_step_result result = answer(w, true, err == DT_E_NOMEM ? 500 : err ? 400 : 200);
    dt__pair_run(p, w->now);
    return result;
}

/* ---- R12 ---- */

bool dt__pair_is_filled(const struct dt_proxy *p, dt_time now)
{
    const struct dt_pair *t = &p->pair;
    return !t->peer.family || t->filled || now - t->started >= filled_anyway;
}

bool dt__pair_is_quiet(const struct dt_proxy *p, dt_time now)
{
    return now - p->pair.started < quiet_for;
}

/* ---- life ---- */

void dt__pair_init(struct dt_proxy *p)
{
    struct dt_pair *t = &p->pair;
    dt_timer_init(&t->timer, DT_PAIR_TIMER);
    if (!p->cfg->peers.n || dt_addr_parse(&t->peer, p->cfg->peers.items[0])) {
        t->peer.family = 0;
        return;
    }
    t->peer.transport = dt__self_has(&p->self, DT_UDP, 0) ? DT_UDP : DT_TCP;
    t->joining = true;
}

void dt__pair_start(struct dt_proxy *p, dt_time now)
{
    p->pair.started = now;
    if (p->pair.peer.family && !p->pair.peer.port)
        p->pair.peer.port = p->self.listen[0].addr.port;
    dt__pair_run(p, now);
}

void dt__pair_forget(struct dt_proxy *p, dt_time now)
{
    for (size_t i = 0; i < DT_PAIR_WINDOW; i++)
        if (p->pair.slots[i].tx)
            failed(p, now, &p->pair.slots[i]);
    p->pair.joining = p->pair.peer.family != 0; /* what was bound meanwhile */
}

void dt__pair_clear(struct dt_proxy *p)
{
    for (size_t i = 0; i < DT_PAIR_WINDOW; i++)
        release(&p->pair.slots[i]);
}
