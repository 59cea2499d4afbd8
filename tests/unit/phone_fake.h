/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A phone over a user agent that does nothing but write down what it is asked, and says what the
 * test wants: the phone's own rules, words and orders, exactly. */
#ifndef PHONE_FAKE_H
#define PHONE_FAKE_H

#include "testkit.h"

#include <string.h>

#include "dualtone/ua.h"
#include "phone/phone.h"

enum { FAKE_CALLS = 512 };

struct dt_ua {
    const struct dt_ua_user *ops;
    void *user;
    struct dt_ua_config cfg;
};

static struct {
    struct dt_ua ua;
    char text[16384]; /* what was asked of ua and what the phone said, a line each */
    struct dt_writer log;
    void (*then)(void); /* run inside the next entry call */
    struct dt_call_view views[FAKE_CALLS];
    unsigned calls, regs;
    int fails; /* what the next request of the phone gets */
    struct kit_alloc k;
    struct dt_env env;
    struct dt_conf conf;
    struct dt_phone_config cfg;
    struct dt_problem list[4];
    struct dt_problems problems;
    struct dt_phone *phone;
    dt_time now;
} fake;

/* ---- the user agent ---- */

static inline int fake_result(void)
{
    int err = fake.fails;
    fake.fails = DT_OK;
    return err;
}

static inline void fake_server(const char *name, const struct dt_server *s)
{
    if (s->host.n)
        dt_writef(&fake.log, " %s %.*s:%u", name, DT_FMT(s->host), (unsigned)s->port);
}

struct dt_ua *dt_ua_new(const struct dt_ua_config *cfg, struct dt_env *env, struct dt_outbox *out,
                        const struct dt_ua_user *ops, void *user)
{
    fake.ua = (struct dt_ua){ops, user, *cfg};
    void *p = dt_alloc_zero(env->alloc, 1); /* so that the failing allocations reach this one */
    dt_alloc_free(env->alloc, p);
    dt_outbox_put(out, &(struct dt_output){.kind = DT_OUT_LISTEN, .local = cfg->local});
    return p ? &fake.ua : NULL;
}

void dt_ua_free(struct dt_ua *ua)
{
    (void)ua;
}

bool dt_ua_input(struct dt_ua *ua, dt_time now, const struct dt_input *in)
{
    void (*then)(void) = fake.then;
    (void)ua;
    (void)now;
    (void)in;
    fake.then = NULL;
    if (then)
        then();
    return then != NULL;
}

dt_time dt_ua_deadline(const struct dt_ua *ua)
{
    (void)ua;
    return DT_TIME_NEVER;
}

void dt_ua_tick(struct dt_ua *ua, dt_time now)
{
    (void)ua;
    (void)now;
}

int dt_ua_register(struct dt_ua *ua, dt_time now, const struct dt_registration *r, dt_reg_id *id)
{
    (void)ua;
    (void)now;
    *id = ++fake.regs;
    dt_writef(&fake.log, "> register %u sip:%.*s@%.*s", fake.regs, DT_FMT(r->identity.user),
              DT_FMT(r->identity.domain));
    fake_server("at", &r->registrar);
    dt_writef(&fake.log, " as %.*s/%.*s expires %u delta %u user=%.*s\n",
              DT_FMT(r->identity.credentials.user), DT_FMT(r->identity.credentials.password),
              r->expires, r->delta, DT_FMT(r->user_param));
    return fake_result();
}

int dt_ua_unregister(struct dt_ua *ua, dt_time now, dt_reg_id id)
{
    (void)ua;
    (void)now;
    dt_writef(&fake.log, "> unregister %u\n", (unsigned)id);
    return fake_result();
}

static inline void fake_media(const struct dt_media_caps *m)
{
    char text[DT_ADDR_TEXT_MAX];
    dt_writef(&fake.log, " %s", dt_addr_text(&m->local, text));
    for (size_t i = 0; i < m->n; i++)
        dt_writef(&fake.log, " %.*s/%u", DT_FMT(m->codecs[i].name), (unsigned)m->codecs[i].payload);
    dt_write_char(&fake.log, '\n');
}

int dt_ua_call(struct dt_ua *ua, dt_time now, const struct dt_outgoing *o, dt_call_id *id)
{
    (void)ua;
    (void)now;
    *id = ++fake.calls;
    fake.views[fake.calls] = (struct dt_call_view){.caller = true};
    dt_writef(&fake.log, "> call %u %.*s as %.*s", fake.calls, DT_FMT(o->target),
              DT_FMT(o->identity.user));
    fake_server("by", &o->primary);
    fake_server("or", &o->backup);
    dt_writef(&fake.log, "%s%s", o->policy == DT_REACH_FAST ? " fast" : "",
              o->anonymous ? " anonymous" : "");
    fake_media(&o->media);
    return fake_result();
}

int dt_ua_ring(struct dt_ua *ua, dt_time now, dt_call_id call)
{
    (void)ua;
    (void)now;
    dt_writef(&fake.log, "> ring %u\n", (unsigned)call);
    return fake_result();
}

int dt_ua_answer(struct dt_ua *ua, dt_time now, dt_call_id call, const struct dt_media_caps *media)
{
    (void)ua;
    (void)now;
    dt_writef(&fake.log, "> answer %u", (unsigned)call);
    fake_media(media);
    return fake_result();
}

int dt_ua_reject(struct dt_ua *ua, dt_time now, dt_call_id call, int status, struct dt_str contact)
{
    (void)ua;
    (void)now;
    (void)contact;
    dt_writef(&fake.log, "> reject %u %d\n", (unsigned)call, status);
    return fake_result();
}

void dt_ua_call_number(struct dt_ua *ua, dt_call_id id, uint32_t number)
{
    (void)ua;
    (void)id;
    (void)number;
}

/* "absent", "address" and "big" are what they say. */
int dt_ua_why(const struct dt_ua *ua, dt_time now, const struct dt_ua_question *q,
              struct dt_json *j)
{
    (void)ua;
    (void)now;
    if (dt_str_eq(q->which, DT_STR("absent")))
        return DT_E_ABSENT;
    if (dt_str_eq(q->which, DT_STR("address")))
        return DT_E_SYNTAX;
    dt_json_bool(j, "calls", q->calls);
    dt_json_bool(j, "targets", q->targets);
    dt_json_str(j, "which", q->which);
    for (int i = 0; i < 100000 && dt_str_eq(q->which, DT_STR("big")); i++)
        dt_json_z(j, "more", "of it");
    return DT_OK;
}

int dt_ua_hangup(struct dt_ua *ua, dt_time now, dt_call_id call)
{
    (void)ua;
    (void)now;
    dt_writef(&fake.log, "> hangup %u\n", (unsigned)call);
    return fake_result();
}

int dt_ua_hold(struct dt_ua *ua, dt_time now, dt_call_id call, bool hold)
{
    (void)ua;
    (void)now;
    dt_writef(&fake.log, "> %s %u\n", hold ? "hold" : "resume", (unsigned)call);
    return fake_result();
}

int dt_ua_view(const struct dt_ua *ua, dt_call_id call, struct dt_call_view *out)
{
    (void)ua;
    *out = fake.views[call];
    return DT_OK;
}

void dt_ua_known_write(const struct dt_ua *ua, struct dt_writer *w)
{
    (void)ua;
    dt_write_lit(w, "known");
}

void dt_ua_known_read(struct dt_ua *ua, dt_time now, struct dt_str text)
{
    (void)ua;
    (void)now;
    dt_writef(&fake.log, "> known %.*s\n", DT_FMT(text));
}

void dt_ua_count(const struct dt_ua *ua, struct dt_ua_counts *out)
{
    (void)ua;
    *out = (struct dt_ua_counts){0};
}

/* ---- the phone ---- */

static inline void fake_drain(void)
{
    struct dt_output out[4];
    char addr[DT_ADDR_TEXT_MAX];
    size_t n;
    while ((n = dt_phone_node.output(fake.phone, fake.now, out, 4)) > 0) {
        for (size_t i = 0; i < n; i++) {
            if (out[i].kind == DT_OUT_LISTEN)
                dt_writef(&fake.log, "listen %s\n", dt_addr_text(&out[i].local, addr));
            else if (out[i].event == DT_EV_CALL)
                dt_writef(&fake.log, "call %u: %.*s\n", out[i].call, DT_FMT(out[i].text));
            else
                dt_writef(&fake.log, "%s: %.*s\n", dt_event_name(out[i].event),
                          DT_FMT(out[i].text));
            dt_bytes_drop(out[i].bytes);
        }
    }
}

static inline void fake_input(const struct dt_input *in)
{
    dt_phone_node.input(fake.phone, fake.now, in, 1);
    fake_drain();
}

/* What was written since the last call is exactly `want`. */
#define expect(want) kit_assert_str_at(fake_take(), (want), __FILE__, __LINE__)
static inline struct dt_str fake_take(void)
{
    struct dt_str s = {fake.text, fake.log.n};
    assert_int_equal(fake.log.err, DT_OK);
    fake.log = dt_writer(fake.text, sizeof fake.text);
    return s;
}

static inline void type(const char *line)
{
    fake_input(&(struct dt_input){.kind = DT_IN_COMMAND, .data = dt_str_z(line)});
}

static inline void engine_says(const char *line)
{
    fake_input(&(struct dt_input){
        .kind = DT_IN_COMMAND, .channel = DT_CHANNEL_MEDIA, .data = dt_str_z(line)});
}

static inline void fake_wait(dt_time more)
{
    dt_time until = fake.now + more;
    while (dt_phone_node.deadline(fake.phone) <= until) {
        fake.now = dt_phone_node.deadline(fake.phone);
        dt_phone_node.tick(fake.phone, fake.now);
        fake_drain();
    }
    fake.now = until;
}

/* Runs `f` inside an entry call, as ua's callbacks are. */
static inline void inside(void (*f)(void))
{
    fake.then = f;
    fake_input(&(struct dt_input){.kind = DT_IN_DATAGRAM});
}

static inline int fake_new(const char *config, size_t fail_at)
{
    memset(&fake, 0, sizeof fake);
    fake.log = dt_writer(fake.text, sizeof fake.text);
    fake.problems = (struct dt_problems){.list = fake.list, .cap = 4};
    if (dt_conf_init(&fake.conf, &dt_alloc_libc, dt_phone_options, dt_phone_options_n, &fake.cfg,
                     &fake.problems) ||
        dt_conf_read(&fake.conf, DT_STR("config"), dt_str_z(config)))
        fail_msg("%s", fake.list[0].text);
    kit_alloc_init(&fake.k);
    fake.k.fail_at = fail_at;
    dt_env_init(&fake.env, 1);
    fake.env.alloc = &fake.k.alloc;
    struct dt_addr local;
    assert_int_equal(dt_addr_parse(&local, DT_STR("192.0.2.1")), DT_OK);
    fake.phone = dt_phone_new(&fake.cfg, &local, &fake.env);
    if (!fake.phone)
        return DT_E_NOMEM;
    fake_drain();
    return DT_OK;
}

static inline void fake_listens(void)
{
    struct dt_input in = {.kind = DT_IN_LISTENING, .local = fake.ua.cfg.local};
    fake_input(&in);
    if (fake.ua.cfg.tcp) {
        in.local.transport = DT_TCP;
        fake_input(&in);
    }
}

/* A phone that is ready; what it said so far is forgotten. */
static inline void fake_start(const char *config)
{
    assert_int_equal(fake_new(config, 0), DT_OK);
    fake_listens();
    fake_take();
}

static inline void fake_end(void)
{
    dt_phone_free(fake.phone);
    dt_conf_clear(&fake.conf);
    assert_int_equal(fake.k.live, 0);
}

/* ---- what ua says ---- */

struct fake_saying {
    dt_call_id call;
    enum dt_call_state state;
    const struct dt_call_end *end;
    const struct dt_media_agreed *media;
    const struct dt_sip_msg *invite;
    const char *to_user;
    dt_reg_id reg;
    bool flag;
    int status, err;
};
static struct fake_saying fake_saying;

static inline void fake_say_state(void)
{
    fake.ua.ops->state(fake.ua.user, fake.now, fake_saying.call, fake_saying.state,
                       fake_saying.end);
}
static inline void ua_state(dt_call_id call, enum dt_call_state state,
                            const struct dt_call_end *end)
{
    fake_saying = (struct fake_saying){.call = call, .state = state, .end = end};
    inside(fake_say_state);
}

static inline void fake_say_backup(void)
{
    fake.ua.ops->backup(fake.ua.user, fake.now, fake_saying.call, fake_saying.flag);
}
static inline void ua_backup(dt_call_id call, bool trying)
{
    fake_saying = (struct fake_saying){.call = call, .flag = trying};
    inside(fake_say_backup);
}

static inline void fake_say_media(void)
{
    fake.ua.ops->media(fake.ua.user, fake.now, fake_saying.call, fake_saying.media);
}
static inline void ua_media(dt_call_id call, bool active, const char *remote, const char *codec,
                            enum dt_direction direction)
{
    struct dt_media_agreed m = {
        .active = active,
        .codec = {.name = dt_str_z(codec), .clock = 8000, .payload = strcmp(codec, "PCMA") ? 0 : 8},
        .direction = direction};
    assert_int_equal(dt_addr_parse(&m.remote, dt_str_z(remote)), DT_OK);
    fake_saying = (struct fake_saying){.call = call, .media = &m};
    inside(fake_say_media);
}

static inline void fake_say_registration(void)
{
    fake.ua.ops->registration(fake.ua.user, fake.now, fake_saying.reg, fake_saying.flag,
                              fake_saying.status, fake_saying.err, 3600);
}
static inline void ua_registration(dt_reg_id reg, bool registered, int status, int err)
{
    fake_saying =
        (struct fake_saying){.reg = reg, .flag = registered, .status = status, .err = err};
    inside(fake_say_registration);
}

static inline void fake_say_incoming(void)
{
    fake.ua.ops->incoming(fake.ua.user, fake.now, fake_saying.call, fake_saying.invite,
                          dt_str_z(fake_saying.to_user));
}
/* Returns ua's id of the call. */
static inline dt_call_id ua_incoming(const char *from, const char *display, const char *to_user)
{
    struct dt_sip_msg m = {.request = true};
    assert_int_equal(dt_uri_parse(&m.from.uri, dt_str_z(from), NULL), DT_OK);
    m.from.display = dt_str_z(display);
    fake.views[++fake.calls] = (struct dt_call_view){0};
    fake_saying = (struct fake_saying){.call = fake.calls, .invite = &m, .to_user = to_user};
    inside(fake_say_incoming);
    return fake.calls;
}

#endif
