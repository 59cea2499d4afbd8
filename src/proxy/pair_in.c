/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the other node of a pair says: its bindings, and its words about them. */
#include "proxy/copy.h"
#include "proxy/pair.h"
#include "proxy/work.h"

static const dt_time clocks_apart = 60 * DT_SECOND;

/* ---- for people ---- */

/* A row a trouble: how its sentence ends. */
void dt__pair_tell(struct dt_proxy *p, enum dt_pair_trouble trouble, const char *what)
{
    static const char *const remedies[] = {
        [DT_PAIR_REFUSED] =
            "give both the same key_file, and each the address of the other as peer",
        [DT_PAIR_NOT_TAKEN] = "it may know fewer users than this proxy: give both the same limits",
        [DT_PAIR_KEY] = "give both proxies the same key_file",
        [DT_PAIR_WHERE] = "set peer to the address that the other proxy sends from",
        [DT_PAIR_CLOCK] = "set the clocks of both machines",
    };
    char text[DT_ADDR_TEXT_MAX];
    if (p->pair.told >> trouble & 1)
        return;
    p->pair.told |= 1u << trouble;
    dt_outbox_event(&p->out, DT_EV_PROBLEM, 0, "the peer %s %s; %s",
                    dt_addr_text(&p->pair.peer, text), what, remedies[trouble]);
}

void dt__pair_mended(struct dt_proxy *p, enum dt_pair_trouble trouble)
{
    p->pair.told &= ~(1u << trouble);
}

/* ---- is it the twin? ---- */

static bool is_of_the_time(struct dt_proxy *p, dt_time now, const struct dt_copy *c)
{
    int64_t age = (int64_t)(dt__pair_wall_ms(p, now) - c->sent) * DT_MS;
    char what[96];
    struct dt_writer w = dt_writer(what, sizeof what - 1);
    if (age <= clocks_apart && age >= -clocks_apart) {
        dt__pair_mended(p, DT_PAIR_CLOCK);
        return true;
    }
    dt_writef(&w, "has a clock that is %lld s %s, or somebody repeats what it said",
              (long long)((age < 0 ? -age : age) / DT_SECOND), age < 0 ? "ahead" : "behind");
    what[w.err ? 0 : w.n] = '\0';
    dt__pair_tell(p, DT_PAIR_CLOCK, what);
    return false;
}

/* What we said ourselves comes back where the twin's address has moved to this machine, or where
 * somebody repeats it: it tells nothing. */
static bool is_own(const struct dt_proxy *p, const struct dt_copy *c)
{
    return c->boot == p->self.boot;
}

/* A join is heard once. What was noted by a clock that has been set back since says nothing: it
 * would keep the twin out until the clock is there again. */
static bool is_heard(struct dt_proxy *p, dt_time now, const struct dt_copy *c)
{
    uint64_t soonest = dt__pair_wall_ms(p, now) + (uint64_t)(clocks_apart / DT_MS);
    return c->kind == DT_PAIR_JOIN && c->sent <= p->pair.last_join && p->pair.last_join <= soonest;
}

/* Is this from the twin? What a forged one says changes nothing, and is told only where the twin's
 * address makes it likely that the twin itself is meant. */
static enum dt_proxy_count judge(const struct dt_proxy_work *w, const struct dt_copy *c)
{
    struct dt_proxy *p = w->p;
    bool genuine = dt__copy_is_genuine(&p->keys, c);
    bool from_peer = p->pair.peer.family && dt_addr_ip_eq(&w->from.remote, &p->pair.peer);
    if (genuine && is_own(p, c))
        return DT_COUNT_ANSWERED_copy;
    if (!genuine) {
        if (from_peer)
            dt__pair_tell(p, DT_PAIR_KEY, "sends bindings that our key did not sign");
        return DT_COUNT_ANSWERED_copy_forged;
    }
    if (!from_peer) {
        if (p->pair.peer.family)
            dt__pair_tell(p, DT_PAIR_WHERE, "is not where its bindings come from");
        return DT_COUNT_ANSWERED_copy_stranger;
    }
    dt__pair_mended(p, DT_PAIR_KEY);
    if (!is_of_the_time(p, w->now, c) || is_heard(p, w->now, c))
        return DT_COUNT_ANSWERED_copy_old;
    return DT_COUNT_ANSWERED_copy;
}

/* What is old may be said anew at once, in words of now. */
static enum dt_step_result refuse(struct dt_proxy_work *w, enum dt_proxy_count why)
{
    char text[DT_ADDR_TEXT_MAX];
    dt_outbox_event(&w->p->out, DT_EV_DROP, 0, "%s: %.*s from %s", dt__count_name(why),
                    DT_FMT(w->m->cseq.method_text), dt_addr_text(&w->from.remote, text));
    return dt__answer(w, why, why == DT_COUNT_ANSWERED_copy_old ? 500 : 403, DT_STR_NONE);
}

static void take_word(struct dt_proxy *p, const struct dt_copy *c)
{
    struct dt_pair *t = &p->pair;
    if (is_own(p, c))
        return;
    t->silent = false;
    if (c->kind == DT_PAIR_JOIN) {
        t->asked = t->table = true;
        t->asked_by = c->boot;
        t->last_join = c->sent;
    } else if (c->number == p->self.boot) {
        /* Of two that know nothing neither can be told more: what was bound since is here. */
        t->filled = t->filled || c->kind == DT_PAIR_FILLED ||
                    (c->kind == DT_PAIR_NEW && dt__pair_is_new(t, c->boot));
    }
}

enum dt_step_result dt__pair_word(struct dt_proxy_work *w)
{
    struct dt_copy c = {.call_id = w->m->call_id, .cseq = w->m->cseq.number};
    if (!dt__copy_read(&c, dt_sip_get(w->m, DT_H_DUALTONE_COPY)) || c.kind == DT_PAIR_BINDING)
        return refuse(w, DT_COUNT_ANSWERED_copy_forged);
    enum dt_proxy_count why = judge(w, &c);
    if (why != DT_COUNT_ANSWERED_copy)
        return refuse(w, why);
    take_word(w->p, &c);
    enum dt_step_result result = dt__answer(w, why, 200, DT_STR_NONE);
    dt__pair_run(w->p, w->now);
    return result;
}

/* The one contact that a copy has. */
static bool read_binding(const struct dt_proxy_work *w, struct dt_copy *c,
                         const struct dt_location_update *u)
{
    static const struct dt_location_contact star = {{"*", 1}, {NULL, 0}, DT_Q_MAX, 0};
    if ((!u->star && u->n != 1) || !dt__copy_read(c, dt_sip_get(w->m, DT_H_DUALTONE_COPY)))
        return false;
    c->aor = u->aor;
    c->call_id = w->m->call_id;
    c->path = u->path;
    c->cseq = w->m->cseq.number;
    c->contact = u->star ? star : u->contacts[0];
    return c->kind == DT_PAIR_BINDING;
}

/* What took longer than a message is repeated was kept back by somebody: it lives no longer for
 * that. False: it is over. */
static bool is_alive(const struct dt_proxy_work *w, const struct dt_copy *c,
                     struct dt_location_contact *contact)
{
    uint64_t wall = dt__pair_wall_ms(w->p, w->now), most = (uint64_t)w->p->cfg->max_expires * 1000;
    uint64_t age = wall > c->sent ? (wall - c->sent) / 1000 : 0;
    if (c->number + most < wall)
        return false; /* removals of that time are forgotten */
    if (!contact->expires || age <= DT_PAIR_ANSWER_S)
        return true;
    contact->expires = contact->expires > age ? contact->expires - (uint32_t)age : 0;
    return contact->expires != 0;
}

static void note_source(struct dt_pair *t, uint32_t boot)
{
    t->mixed = t->mixed || (t->got_boot && t->got_boot != boot);
    t->got_boot = boot;
}

static int merge(const struct dt_proxy_work *w, const struct dt_copy *c)
{
    struct dt_location_contact contact = c->contact;
    if (is_own(w->p, c))
        return DT_OK;
    struct dt_location_update u = {.aor = c->aor,
                                   .call_id = c->call_id,
                                   .cseq = c->cseq,
                                   .wall = c->number,
                                   .path = c->path,
                                   .contacts = &contact,
                                   .n = 1};
    note_source(&w->p->pair, c->boot);
    return is_alive(w, c, &contact) ? dt_location_merge(w->p->location, w->now, &u) : DT_OK;
}

enum dt_step_result dt__pair_binding(struct dt_proxy_work *w, const struct dt_location_update *u)
{
    struct dt_copy c = {.kind = DT_PAIR_BINDING};
    if (!read_binding(w, &c, u))
        return refuse(w, DT_COUNT_ANSWERED_copy_forged);
    enum dt_proxy_count why = judge(w, &c);
    if (why != DT_COUNT_ANSWERED_copy)
        return refuse(w, why);
    int err = merge(w, &c);
    enum dt_step_result result = dt__answer(w, why,
                                            err == DT_E_NOMEM ? 500
                                            : err             ? 400
                                                              : 200,
                                            DT_STR_NONE);
    dt__pair_run(w->p, w->now);
    return result;
}
