/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said to the other node of a pair. */
#include "proxy/pair.h"
#include "proxy/copy.h"
#include "proxy/work.h"

static const dt_time retry_after = DT_SECOND, retry_most = 10 * DT_SECOND,
                     retry_refused = 30 * DT_SECOND, ask_again = 5 * DT_SECOND,
                     tables_apart = 2 * DT_SECOND, filled_anyway = 60 * DT_SECOND,
                     quiet_for = 2 * DT_SECOND;

enum { DATAGRAM_MAX = 1300 }; /* RFC 3261 18.1.1 */

uint64_t dt__pair_wall_ms(const struct dt_proxy *p, dt_time now)
{
    return (uint64_t)((now + p->env->wall_offset) / DT_MS);
}

/* ---- out ---- */

/* What is too long for a datagram goes by a stream, where the cluster has them (R1: at the same
 * ports on all nodes). After a failure by datagram: perhaps that was why. */
static bool is_for_stream(const struct dt_proxy *p, const struct dt_bytes *b)
{
    return b->n > DATAGRAM_MAX && p->pair.peer.transport == DT_UDP && !p->pair.silent &&
           dt__self_has(&p->self, DT_TCP, p->pair.peer.family);
}

static struct dt_addr stream_peer(const struct dt_proxy *p)
{
    struct dt_addr to = p->pair.peer;
    to.transport = DT_TCP;
    for (size_t i = 0; i < p->self.n; i++)
        if (!p->pair.own_port && p->self.listen[i].addr.transport == DT_TCP) {
            to.port = p->self.listen[i].addr.port;
            break;
        }
    return to;
}

static int write_request(const struct dt_proxy *p, struct dt_request *r, const struct dt_copy *c)
{
    r->to.remote = p->pair.peer;
    r->bytes = dt__copy_write(p, c, r->to.remote.transport, r->branch);
    if (r->bytes && is_for_stream(p, r->bytes)) {
        dt_bytes_drop(r->bytes);
        r->to.remote = stream_peer(p);
        r->bytes = dt__copy_write(p, c, DT_TCP, r->branch);
    }
    return r->bytes ? dt__self_local(&p->self, &r->to.remote, NULL, &r->to.local) : DT_E_NOMEM;
}

static int launch(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot, struct dt_copy *c)
{
    char branch[35] = "z9hG4bKcopy";
    struct dt_writer b = dt_writer(branch + 11, 8);
    struct dt_request r = {.method = c->kind == DT_PAIR_BINDING ? DT_REGISTER : DT_OPTIONS,
                           .branch = {branch, sizeof branch},
                           .cookie = (uint64_t)(slot - p->pair.slots) << 8 | DT_PAIR_COOKIE,
                           .repeats = UINT32_MAX,
                           .timeout = DT_PAIR_ANSWER_S * DT_SECOND};
    dt_write_hex(&b, p->self.boot, 8); /* also where the generator begins alike each time */
    dt_rng_token(&p->env->rng, branch + 19, 16);
    c->sent = dt__pair_wall_ms(p, now);
    c->boot = p->self.boot;
    slot->kind = c->kind;
    int err = write_request(p, &r, c);
    if (!err)
        err = dt_stack_request(p->stack, now, &r, &slot->tx);
    dt_bytes_drop(r.bytes);
    return err;
}

static struct dt_copy copy_of(const struct dt_binding *b, dt_time now)
{
    return (struct dt_copy){.kind = DT_PAIR_BINDING,
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

/* The oldest that is owed; it is paid, and owed again if the message fails. */
static int send_binding(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot,
                        const struct dt_binding *b)
{
    struct dt_copy c = copy_of(b, now);
    slot->texts = dt_bytes_new(p->env->alloc, c.aor.n + c.contact.uri.n);
    if (!slot->texts)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(slot->texts->data, slot->texts->cap);
    dt_write(&w, c.aor);
    dt_write(&w, c.contact.uri);
    slot->texts->n = (uint32_t)w.n;
    slot->aor_n = (uint32_t)c.aor.n;
    slot->kind = DT_PAIR_BINDING;
    dt_location_paid(p->location);
    return launch(p, now, slot, &c);
}

static int send_word(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot,
                     enum dt_pair_kind kind, uint32_t number)
{
    char id[16];
    struct dt_copy c = {.kind = kind, .number = number, .call_id = {id, sizeof id}, .cseq = 1};
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

/* After a second first, then after ever longer times. */
static dt_time next_pause(struct dt_pair *t)
{
    dt_time pause = t->silent ? 2 * t->pause : retry_after;
    t->pause = pause < retry_most ? pause : retry_most;
    return t->pause;
}

/* A message was lost, or could not be sent: what it said is to be said again, not before
 * `at_least`. */
static void failed(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot, dt_time at_least)
{
    struct dt_pair *t = &p->pair;
    struct dt_str texts = dt_bytes_str(slot->texts);
    if (slot->texts)
        dt_location_owe(p->location, dt_str_sub(texts, 0, slot->aor_n),
                        dt_str_sub(texts, slot->aor_n, texts.n));
    t->joining = t->joining || slot->kind == DT_PAIR_JOIN;
    t->asked = t->asked || slot->kind >= DT_PAIR_FILLED;
    release(slot);
    if (!t->silent || now >= t->retry_at) { /* one for all that were under way together */
        dt_time pause = next_pause(t);
        t->retry_at = now + (pause > at_least ? pause : at_least);
    }
    t->silent = true;
}

/* ---- what is to be said ---- */

/* Was all that is here bound here, or at this run of the twin's? Then nobody knows of more: what an
 * earlier run knew, and could not tell to the end, was not begun to be told. */
bool dt__pair_is_new(const struct dt_pair *t, uint32_t boot)
{
    return !t->mixed && (!t->got_boot || t->got_boot == boot);
}

static enum dt_pair_kind our_word(const struct dt_proxy *p, dt_time now)
{
    if (dt__pair_is_filled(p, now) || p->pair.restored)
        return DT_PAIR_FILLED;
    return dt__pair_is_new(&p->pair, p->pair.asked_by) ? DT_PAIR_NEW : DT_PAIR_UNFILLED;
}

static int send_join(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot)
{
    p->pair.joining = false;
    p->pair.join_again = now + ask_again;
    return send_word(p, now, slot, DT_PAIR_JOIN, 0);
}

/* The next thing to say. False: there is none, or it failed. */
static bool send_next(struct dt_proxy *p, dt_time now, struct dt_pair_slot *slot)
{
    struct dt_pair *t = &p->pair;
    const struct dt_binding *b = dt_location_owed(p->location);
    int err = DT_OK;
    if (t->joining) {
        err = send_join(p, now, slot);
    } else if (b) {
        err = send_binding(p, now, slot, b);
    } else if (t->asked && !t->table && !busy_slots(t)) {
        t->asked = false;
        err = send_word(p, now, slot, our_word(p, now), t->asked_by);
    } else {
        return false;
    }
    if (err)
        failed(p, now, slot, retry_after);
    return !err;
}

static bool is_waiting(const struct dt_pair *t, dt_time now)
{
    return t->silent && (now < t->retry_at || busy_slots(t));
}

static dt_time next_due(const struct dt_proxy *p, dt_time now)
{
    const struct dt_pair *t = &p->pair;
    dt_time due = DT_TIME_NEVER;
    if (t->silent && !busy_slots(t) &&
        (t->joining || t->asked || t->table || dt_location_owed(p->location)))
        due = t->retry_at;
    if (t->table)
        due = dt_time_min(due,
                          t->silent && t->retry_at > t->table_from ? t->retry_at : t->table_from);
    if (!t->joining && !dt__pair_is_filled(p, now))
        due = dt_time_min(due, t->join_again);
    return due > now ? due : now + 1;
}

void dt__pair_run(struct dt_proxy *p, dt_time now)
{
    struct dt_pair *t = &p->pair;
    struct dt_pair_slot *slot;
    if (!t->peer.family || !p->self.all_up)
        return;
    dt__strays_run(p, now);
    if (now >= t->join_again && !dt__pair_is_filled(p, now))
        t->joining = true;
    if (t->table && now >= t->table_from) {
        t->table = false;
        t->table_from = now + tables_apart;
        dt_location_owe_all(p->location);
    }
    if (!is_waiting(t, now))
        while ((slot = free_slot(t)) && send_next(p, now, slot) && !t->silent)
            ;
    t->due = next_due(p, now);
}

/* ---- answers ---- */

bool dt__pair_is_cookie(uint64_t cookie)
{
    return (cookie & 0xff) == DT_PAIR_COOKIE && cookie >> 8 < DT_PAIR_WINDOW;
}

/* A binding alone may be more than the other node takes; anything else, and 403, is about us. */
static bool is_not_taken(const struct dt_pair_slot *slot, int status)
{
    return slot->kind == DT_PAIR_BINDING && status >= 300 && status < 500 && status != 403;
}

static void taken(struct dt_proxy *p, struct dt_pair_slot *slot)
{
    dt__pair_mended(p, DT_PAIR_REFUSED);
    p->pair.silent = false;
    release(slot);
}

void dt__pair_answered(struct dt_proxy *p, dt_time now, uint64_t cookie, dt_tx tx, int status)
{
    struct dt_pair_slot *slot = &p->pair.slots[cookie >> 8];
    char what[96];
    if (slot->tx != tx || (status >= 100 && status < 200))
        return;
    struct dt_writer w = dt_writer(what, sizeof what - 1);
    if (is_not_taken(slot, status)) { /* it is sent again when the phone refreshes it */
        dt_writef(&w, "does not take a binding (%d)", status);
        what[w.n] = '\0';
        dt__pair_tell(p, DT_PAIR_NOT_TAKEN, what);
        taken(p, slot);
    } else if (status >= 300 && status < 500) {
        dt_writef(&w, "refuses what is bound here (%d)", status);
        what[w.n] = '\0';
        dt__pair_tell(p, DT_PAIR_REFUSED, what);
        failed(p, now, slot, retry_refused);
    } else if (!status || status >= 500) {
        failed(p, now, slot, retry_after);
    } else {
        taken(p, slot);
    }
    dt__pair_run(p, now);
}

/* ---- R12 ---- */

bool dt__pair_is_filled(const struct dt_proxy *p, dt_time now)
{
    const struct dt_pair *t = &p->pair;
    return !t->peer.family || t->filled ||
           now - t->started >= (t->restored ? quiet_for : filled_anyway);
}

bool dt__pair_is_quiet(const struct dt_proxy *p, dt_time now)
{
    return now - p->pair.started < quiet_for;
}

/* Part of a user's bindings would be another fork than the twin's; those of a snapshot are all that
 * there were. */
bool dt__pair_knows(const struct dt_proxy *p, dt_time now, size_t n)
{
    if (dt__pair_is_filled(p, now))
        return true;
    return n && (p->pair.restored || !dt__pair_is_quiet(p, now));
}

/* ---- life ---- */

void dt__pair_init(struct dt_proxy *p)
{
    struct dt_pair *t = &p->pair;
    t->due = DT_TIME_NEVER;
    if (!p->cfg->peers.n || dt_addr_parse(&t->peer, p->cfg->peers.items[0])) {
        t->peer.family = 0;
        return;
    }
    t->own_port = t->peer.port != 0;
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
    struct dt_pair *t = &p->pair;
    for (size_t i = 0; i < DT_PAIR_WINDOW; i++)
        if (t->slots[i].tx)
            failed(p, now, &t->slots[i], retry_after);
    t->silent = false;
    t->joining = t->peer.family != 0; /* what was bound meanwhile */
    t->restored = t->restored || dt__pair_is_filled(p, now);
    t->filled = false;
    t->started = now;
    dt__pair_run(p, now);
}

void dt__pair_clear(struct dt_proxy *p)
{
    for (size_t i = 0; i < DT_PAIR_WINDOW; i++)
        release(&p->pair.slots[i]);
}
