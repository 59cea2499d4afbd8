/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Targets and attempts as JSON, with what each row of the chooser's table means. */
#include "dualtone/why.h"

static const char *server_name(unsigned server)
{
    return server == 0 ? "primary" : "backup";
}

void dt_why_age(struct dt_json *j, const char *key, dt_time now, dt_time at)
{
    dt_json_int(j, key, (now - at) / DT_MS);
}

static void write_time_left(struct dt_json *j, const char *key, dt_time now, dt_time at)
{
    dt_json_int(j, key, at > now ? (at - now) / DT_MS : 0);
}

void dt_why_addr(struct dt_json *j, const char *key, const struct dt_addr *a)
{
    char text[DT_ADDR_TEXT_MAX];

    dt_json_z(j, key, dt_addr_text(a, text));
    dt_json_z(j, "transport", a->transport == DT_TCP ? "tcp" : "udp");
}

/* ---- targets ---- */

static bool are_twins(const struct dt_target *a, const struct dt_target *b)
{
    return a != b && a->has_node && b->has_node && a->addr.transport == b->addr.transport &&
           dt_str_eq((struct dt_str){a->cluster, a->cluster_n},
                     (struct dt_str){b->cluster, b->cluster_n}) &&
           !dt_str_eq((struct dt_str){a->node, a->node_n}, (struct dt_str){b->node, b->node_n});
}

static void write_node(struct dt_json *j, const struct dt_targets *t, const struct dt_target *g)
{
    char text[DT_ADDR_TEXT_MAX];
    struct dt_writer w = dt_writer(text, sizeof(text));

    if (!g->has_node)
        return;
    dt_json_str(j, "cluster", (struct dt_str){g->cluster, g->cluster_n});
    dt_json_str(j, "node", (struct dt_str){g->node, g->node_n});
    dt_write_u64(&w, g->boot);
    dt_json_str(j, "boot", dt_writer_str(&w)); /* as text: more than 53 bits */
    dt_json_open(j, "twins", '[');
    for (size_t i = 0; i < t->n; i++)
        if (are_twins(g, &t->list[i]))
            dt_json_z(j, NULL, dt_addr_text(&t->list[i].addr, text));
    dt_json_close(j, ']');
}

static void write_history(struct dt_json *j, dt_time now, const struct dt_target *g)
{
    dt_json_open(j, "history", '[');
    for (size_t i = 0; i < g->n_history; i++) {
        dt_json_open(j, NULL, '{');
        dt_why_age(j, "ago_ms", now, g->history[i].at);
        dt_why_age(j, "first_ms", now, g->history[i].first);
        dt_json_int(j, "times", g->history[i].times);
        dt_json_z(j, "evidence", dt_evidence_name(g->history[i].what));
        dt_json_z(j, "health", dt_health_name(g->history[i].then));
        dt_json_close(j, '}');
    }
    dt_json_close(j, ']');
}

void dt_why_target(struct dt_json *j, dt_time now, const struct dt_targets *t,
                   const struct dt_target *g, enum dt_target_need need)
{
    dt_json_open(j, NULL, '{');
    dt_why_addr(j, "address", &g->addr);
    dt_json_z(j, "health", dt_health_name(g->health));
    dt_why_age(j, "since_ms", now, g->since);
    if (g->heard)
        dt_why_age(j, "heard_ms", now, g->heard);
    dt_json_bool(j, "usable", dt_targets_usable(t, now, &g->addr));
    dt_json_int(j, "probes_missed", g->probes_missed);
    dt_json_int(j, "refusals", g->refusals);
    dt_json_int(j, "deaths", g->deaths);
    dt_json_int(j, "good_probes", g->good);
    dt_json_int(j, "good_probes_wanted", g->deaths ? DT_TARGET_GOOD_PROBES : 0);
    if (g->busy_until > now)
        write_time_left(j, "busy_in_ms", now, g->busy_until);
    dt_json_bool(j, "probe_out", g->probing);
    write_time_left(j, "next_probe_in_ms", now, dt_target_due(g, need));
    write_node(j, t, g);
    write_history(j, now, g);
    dt_json_close(j, '}');
}

/* ---- what was tried ---- */

static bool was_tried(const struct dt_attempt *a, unsigned server, const struct dt_addr *target)
{
    for (unsigned i = 0; i < a->n_paths; i++)
        if (a->paths[i].server == server && dt_addr_eq(&a->paths[i].target, target))
            return true;
    return false;
}

static void write_candidate(struct dt_json *j, dt_time now, const struct dt_attempt *a,
                            unsigned server, unsigned i)
{
    const struct dt_addr *target = &a->found[server].list[i];

    dt_json_open(j, NULL, '{');
    dt_json_z(j, "server", server_name(server));
    dt_why_addr(j, "address", target);
    dt_json_bool(j, "tried", was_tried(a, server, target));
    dt_json_bool(j, "skipped", a->found[server].skipped >> i & 1);
    if (a->cfg.known)
        dt_json_bool(j, "usable", dt_targets_usable(a->cfg.known, now, target));
    dt_json_close(j, '}');
}

static void write_candidates(struct dt_json *j, dt_time now, const struct dt_attempt *a)
{
    dt_json_open(j, "candidates", '[');
    for (unsigned s = 0; s < a->cfg.servers; s++)
        for (unsigned i = 0; i < a->found[s].n; i++)
            write_candidate(j, now, a, s, i);
    dt_json_close(j, ']');
}

static void write_path(struct dt_json *j, dt_time now, const struct dt_attempt *a, unsigned i,
                       const struct dt_why_more *more)
{
    const struct dt_path *p = &a->paths[i];

    dt_json_open(j, NULL, '{');
    dt_json_int(j, "path", i + 1);
    dt_json_z(j, "server", server_name(p->server));
    dt_why_addr(j, "address", &p->target);
    dt_why_age(j, "sent_ms", now, p->sent);
    dt_json_int(j, "tries", p->tries);
    dt_json_z(j, "state", dt_path_state_name(p->state));
    dt_json_int(j, "status", p->status);
    if (more && more->path)
        more->path(more->ctx, j, i);
    dt_json_close(j, '}');
}

/* ---- what was decided ---- */

static void write_order(struct dt_json *j, const struct dt_order *o)
{
    char text[60];
    struct dt_writer w = dt_writer(text, sizeof(text));

    dt_write_z(&w, dt_order_name(o->kind));
    if (o->kind != DT_ORDER_WORDS_ON && o->kind != DT_ORDER_WORDS_OFF && o->kind != DT_ORDER_END)
        dt_writef(&w, " path %u", o->path + 1u);
    if (o->kind == DT_ORDER_OPEN)
        dt_write_z(&w, o->fresh ? " with a new Call-ID" : " with the same Call-ID");
    dt_json_str(j, NULL, dt_writer_str(&w));
}

static void write_step(struct dt_json *j, dt_time now, const struct dt_attempt_step *s)
{
    dt_json_open(j, NULL, '{');
    dt_why_age(j, "ago_ms", now, s->at);
    dt_json_int(j, "path", s->path + 1);
    dt_json_z(j, "event", dt_path_event_name(s->event));
    dt_json_int(j, "status", s->status);
    dt_json_z(j, "before", dt_path_state_name(s->before));
    dt_json_z(j, "after", dt_path_state_name(s->after));
    dt_json_int(j, "row", s->row);
    dt_json_z(j, "why", dt_attempt_rule_why(s->row));
    dt_json_open(j, "orders", '[');
    for (unsigned i = 0; i < s->n_orders; i++)
        write_order(j, &s->orders[i]);
    dt_json_close(j, ']');
    dt_json_close(j, '}');
}

static void write_steps(struct dt_json *j, dt_time now, const struct dt_attempt *a)
{
    unsigned from = a->n_steps > DT_ATTEMPT_STEPS ? a->n_steps - DT_ATTEMPT_STEPS : 0;

    dt_json_int(j, "forgotten", from);
    dt_json_open(j, "decisions", '[');
    for (unsigned i = from; i < a->n_steps; i++)
        write_step(j, now, &a->steps[i % DT_ATTEMPT_STEPS]);
    dt_json_close(j, ']');
}

/* ---- what comes next ---- */

void dt_why_next(struct dt_json *j, dt_time now, dt_time at, unsigned path, const char *fmt, ...)
{
    char text[240];
    struct dt_writer w = dt_writer(text, sizeof(text));
    va_list args;

    va_start(args, fmt);
    dt_vwritef(&w, fmt, args);
    va_end(args);
    dt_json_open(j, NULL, '{');
    dt_json_int(j, "path", path + 1);
    if (at != DT_TIME_NEVER)
        write_time_left(j, "in_ms", now, at);
    dt_json_str(j, "text", dt_writer_str(&w));
    dt_json_close(j, '}');
}

/* The target behind those that were tried; NULL: none, or it is not known yet. */
static const struct dt_addr *next_target(const struct dt_attempt *a)
{
    unsigned target = a->target;

    for (unsigned s = a->server; s < a->cfg.servers; s++, target = 0)
        if (target < a->found[s].n)
            return &a->found[s].list[target];
    return NULL;
}

static void write_silence(struct dt_json *j, dt_time now, const struct dt_attempt *a, unsigned i)
{
    char text[DT_ADDR_TEXT_MAX];
    dt_time until = a->paths[i].sent + dt_attempt_patience(a->cfg.t1, a->cfg.repeats);
    const struct dt_addr *to = next_target(a);
    const char *dead = a->cfg.policy == DT_REACH_FAST ? ", or when it is found dead" : "";

    if (to)
        dt_why_next(j, now, until, i, "without an answer by then%s, %s is tried", dead,
                    dt_addr_text(to, text));
    else
        dt_why_next(j, now, until, i,
                    "without an answer by then, the path is given up; "
                    "no other target is left");
}

static void write_path_next(struct dt_json *j, dt_time now, const struct dt_attempt *a, unsigned i)
{
    const struct dt_path *p = &a->paths[i];
    bool trying = a->phase == DT_ATTEMPT_TRYING;

    switch (p->state) {
    case DT_PATH_CALLING:
        if (trying)
            write_silence(j, now, a, i);
        else
            dt_why_next(j, now, DT_TIME_NEVER, i,
                        "it is cancelled as soon as a provisional answer comes");
        break;
    case DT_PATH_PROCEEDING:
    case DT_PATH_RINGING:
        dt_why_next(j, now, p->ring_over, i, "without an answer by then, it is cancelled");
        break;
    case DT_PATH_CANCELLING:
        if (trying && p->left_at != DT_TIME_NEVER)
            dt_why_next(j, now, p->left_at, i,
                        "its end is waited for until then; then the number is dialled anew");
        else
            dt_why_next(j, now, DT_TIME_NEVER, i, "its end is waited for");
        break;
    default:
        if (p->keep_until != DT_TIME_NEVER)
            dt_why_next(j, now, p->keep_until, i, "late answers are answered until then");
        break;
    }
}

void dt_why_attempt(struct dt_json *j, dt_time now, const struct dt_attempt *a,
                    const struct dt_why_more *more)
{
    static const char *const phases[] = {
#define X(name, text) text,
        DT_ATTEMPT_PHASES(X)
#undef X
    };

    dt_json_z(j, "policy", a->cfg.policy == DT_REACH_FAST ? "fast" : "guide");
    dt_json_z(j, "phase", phases[a->phase]);
    dt_json_bool(j, "words", a->words);
    dt_json_bool(j, "renewed", a->renewed);
    write_candidates(j, now, a);
    dt_json_open(j, "paths", '[');
    for (unsigned i = 0; i < a->n_paths; i++)
        write_path(j, now, a, i, more);
    dt_json_close(j, ']');
    write_steps(j, now, a);
    dt_json_open(j, "next", '[');
    if (a->asked)
        dt_why_next(j, now, DT_TIME_NEVER, a->n_paths, "the addresses of the %s are looked up",
                    server_name(a->server));
    for (unsigned i = 0; i < a->n_paths; i++)
        write_path_next(j, now, a, i);
    if (more && more->next)
        more->next(more->ctx, j);
    dt_json_close(j, ']');
}
