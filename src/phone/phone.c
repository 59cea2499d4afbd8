/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The phone as a node (design.md 3): inputs go to the user agent, commands to their table; when it
 * is ready, and when it has quit. */
#include "phone/internal.h"

enum { QUIT_TIME = 4 }; /* times T1 for calls and registrations to end in: 2 s */

static const char user_agent[] = "dualtone";

void dt__phone_text(char *out, size_t size, struct dt_str text)
{
    size_t n = text.n < size ? text.n : size - 1;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        out[i] = c < ' ' || c == 0x7f ? '?' : text.p[i];
    }
    out[n] = '\0';
}

/* ---- life ---- */

static bool uses_tcp(const struct dt_phone *p)
{
    return p->cfg->sip_tcp || p->cfg->proxy_transport == DT_PHONE_TCP;
}

static struct dt_ua *new_ua(struct dt_phone *p)
{
    const struct dt_phone_config *cfg = p->cfg;
    struct dt_ua_config u = {
        .stack = {.t1 = cfg->timer_t1 * DT_MS,
                  .t2 = cfg->timer_t2 * DT_MS,
                  .server_name = user_agent},
        .local = p->local,
        .tcp = uses_tcp(p),
        .invite_repeats = (unsigned)cfg->sip_invite_retx,
        .other_repeats = (unsigned)cfg->sip_retx,
        .invite_expires = cfg->timer_invite_expires * DT_SECOND,
        .hold = cfg->rfc_2543_hold ? DT_HOLD_RFC2543 : DT_HOLD_RFC3264,
        .fast = cfg->proxy_failover == DT_REACH_FAST,
        .plain = cfg->plain,
        .user_agent = user_agent,
    };
    return dt_ua_new(&u, p->env, &p->out, &dt__phone_ua_user, p);
}

struct dt_phone *dt_phone_new(const struct dt_phone_config *cfg, const struct dt_addr *local,
                              struct dt_env *env)
{
    struct dt_phone *p = dt_alloc_zero(env->alloc, sizeof *p);
    if (!p)
        return NULL;
    p->cfg = cfg;
    p->env = env;
    p->local = *local;
    p->local.transport = DT_UDP;
    if (!p->local.port)
        p->local.port = (uint16_t)cfg->voip_control_port;
    p->quit_until = p->again_at = p->todo_until = p->notice_until = p->register_at = DT_TIME_NEVER;
    dt_list_init(&p->calls);
    dt_outbox_init(&p->out, env->alloc);
    if (dt__phone_lines_init(p) || !(p->ua = new_ua(p))) {
        dt_phone_free(p);
        return NULL;
    }
    dt__phone_screen_update(p, 0);
    return p;
}

void dt_phone_free(struct dt_phone *p)
{
    if (!p)
        return;
    dt_ua_free(p->ua);
    DT_LIST_EACH(e, &p->calls)
    dt_alloc_free(p->env->alloc, DT_OF(e, struct phone_call, link));
    dt__phone_todo_clear(p);
    dt__phone_lines_clear(p);
    dt_outbox_clear(&p->out);
    dt_alloc_free(p->env->alloc, p);
}

void dt_phone_remember(struct dt_phone *p, dt_time now, struct dt_str text)
{
    dt_ua_known_read(p->ua, now, text);
}

unsigned dt_phone_objects(const struct dt_phone *p)
{
    struct dt_ua_counts counts;
    unsigned calls = 0;
    dt_ua_count(p->ua, &counts);
    DT_LIST_EACH(e, &p->calls)
    calls++;
    return counts.transactions + counts.calls + counts.registrations + calls +
           (p->todo != DT__PHONE_NOTHING);
}

/* ---- ready, and the end ---- */

/* What is told once must not get lost: without memory it is told a little later (I39). */
static bool is_told(struct dt_phone *p, dt_time now, int err)
{
    if (err)
        p->again_at = now + p->cfg->timer_t1 * DT_MS;
    return err == DT_OK;
}

static void end(struct dt_phone *p, const char *code)
{
    p->end_code = code;
}

void dt__phone_quit(struct dt_phone *p, dt_time now)
{
    if (p->quitting) {
        p->quit_until = now;
        return;
    }
    p->quitting = true;
    p->quit_until = now + QUIT_TIME * p->cfg->timer_t1 * DT_MS;
    dt__phone_todo_clear(p);
    DT_LIST_EACH(e, &p->calls)
    {
        struct phone_call *c = DT_OF(e, struct phone_call, link);
        if (c->phase != DT__PHONE_ENDING && c->phase != DT__PHONE_OVER)
            dt__phone_call_hangup(p, now, c);
    }
    dt__phone_lines_unregister(p, now);
}

static void tell_ready(struct dt_phone *p, dt_time now)
{
    char addr[DT_ADDR_TEXT_MAX];
    if (dt__phone_lines_refused(p)) { /* nothing that waiting would mend */
        end(p, "1");
        return;
    }
    int err = dt_outbox_event(&p->out, DT_EV_READY, 0, "%.*s at %s",
                              DT_FMT(p->cfg->lines[dt__phone_line_first(p)].name),
                              dt_addr_text(&p->local, addr));
    p->ready = is_told(p, now, err);
}

static unsigned sockets_wanted(const struct dt_phone *p)
{
    return uses_tcp(p) ? 2 : 1;
}

/* After every entry call. */
static void settle(struct dt_phone *p, dt_time now)
{
    dt__phone_todo_run(p, now);
    dt__phone_calls_sweep(p);
    dt__phone_screen_update(p, now);
    p->again_at = DT_TIME_NEVER;
    if (p->done)
        return;
    bool open = p->listening >= sockets_wanted(p);
    if (!p->ready && !p->quitting && open && dt__phone_lines_settled(p))
        tell_ready(p, now);
    bool idle = dt_list_empty(&p->calls) && p->todo == DT__PHONE_NOTHING;
    if (p->quit_idle && idle && !p->quitting)
        dt__phone_quit(p, now);
    bool over = idle && !dt__phone_lines_live(p);
    if (p->quitting && (over || now >= p->quit_until))
        end(p, "0");
    if (p->end_code)
        p->done = is_told(p, now, dt_outbox_event(&p->out, DT_EV_QUIT, 0, "%s", p->end_code));
}

/* ---- inputs ---- */

static void listening(struct dt_phone *p, dt_time now, const struct dt_input *in)
{
    if (in->local.transport == DT_UDP)
        p->local = in->local;
    if (++p->listening == sockets_wanted(p))
        dt__phone_lines_register(p, now);
}

static void cannot_listen(struct dt_phone *p, const struct dt_input *in)
{
    char addr[DT_ADDR_TEXT_MAX];
    dt_outbox_event(&p->out, DT_EV_PROBLEM, 0,
                    "The phone cannot listen on %s (%s): %s; choose another address or port with "
                    "--listen.",
                    dt_addr_text(&in->local, addr), in->local.transport == DT_TCP ? "TCP" : "UDP",
                    dt_err_text(in->err));
    if (!p->ready && !p->done)
        end(p, "1");
}

static void take(struct dt_phone *p, dt_time now, const struct dt_input *in)
{
    if (in->kind == DT_IN_COMMAND) {
        if (in->channel == DT_CHANNEL_MEDIA)
            dt__phone_sound_report(p, in->data);
        else if (in->channel == DT_CHANNEL_WHY)
            dt__phone_why(p, now, in->data);
        else if (!p->done)
            dt__phone_command(p, now, in->data);
        return;
    }
    dt_ua_input(p->ua, now, in);
    if (in->kind == DT_IN_LISTENING)
        listening(p, now, in);
    else if (in->kind == DT_IN_SOCKET_ERROR && !in->remote.family && in->local.family)
        cannot_listen(p, in);
}

static void phone_input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct dt_phone *p = node;
    dt_outbox_begin(&p->out);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) /* what a message that came with others showed was shown, too */
            dt__phone_screen_update(p, now);
        take(p, now, &in[i]);
    }
    settle(p, now);
}

static dt_time phone_deadline(const void *node)
{
    const struct dt_phone *p = node;
    dt_time due = dt_time_min(dt_ua_deadline(p->ua), p->notice_until);
    due = dt_time_min(due, p->todo_until);
    if (!p->quitting)
        due = dt_time_min(due, p->register_at);
    due = dt_time_min(due, p->again_at);
    return p->done ? due : dt_time_min(due, p->quit_until);
}

static void phone_tick(void *node, dt_time now)
{
    struct dt_phone *p = node;
    dt_outbox_begin(&p->out);
    dt_ua_tick(p->ua, now);
    if (!p->quitting && now >= p->register_at)
        dt__phone_lines_register(p, now);
    settle(p, now);
}

static size_t phone_output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    struct dt_phone *p = node;
    (void)now;
    return dt_outbox_take(&p->out, out, max);
}

const struct dt_node_ops dt_phone_node = {
    .input = phone_input,
    .deadline = phone_deadline,
    .tick = phone_tick,
    .output = phone_output,
};
