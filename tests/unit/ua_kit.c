/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The little network of the user agent's tests. */
#include "ua_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char net_sdp[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
                       "m=audio 20000 RTP/AVP 0\r\n";

/* ---- log ---- */

__attribute__((format(printf, 2, 3))) static void say(struct net *n, const char *fmt, ...)
{
    va_list args;
    int r;

    if (n->quiet)
        return;
    r = snprintf(n->log + n->log_n, sizeof(n->log) - n->log_n, "%lld ",
                 (long long)(n->now / DT_MS));
    assert_true(r > 0);
    n->log_n += (size_t)r;
    va_start(args, fmt);
    r = vsnprintf(n->log + n->log_n, sizeof(n->log) - n->log_n, fmt, args);
    va_end(args);
    assert_true(r > 0 && n->log_n + (size_t)r + 1 < sizeof(n->log));
    n->log_n += (size_t)r;
    n->log[n->log_n++] = '\n';
    n->log[n->log_n] = '\0';
}

void net_hush(struct net *n)
{
    n->log_n = 0;
    n->log[0] = '\0';
}

void net_flow_at(struct net *n, const char *want, const char *file, int line)
{
    if (strcmp(n->log, want) != 0) {
        fprintf(stderr, "%s:%d: want:\n%s\ngot:\n%s\n", file, line, want, n->log);
        fail();
    }
    net_hush(n);
}

/* ---- messages ---- */

enum { HEADERS = 256 };

static bool parse(struct dt_sip_msg *m, struct dt_str text, struct dt_sip_header *headers)
{
    return dt_sip_parse(m, text, headers, HEADERS) == DT_OK && dt_sip_check(m) == DT_OK;
}

static void say_message(struct net *n, const struct net_party *from, const struct net_party *to,
                        struct dt_str text, const char *what)
{
    struct dt_sip_header headers[HEADERS];
    struct dt_sip_msg m;

    if (n->quiet)
        return;
    if (!parse(&m, text, headers))
        say(n, "%s > %s ?%s", from->name, to->name, what);
    else if (n->no_probes && m.cseq.method == DT_OPTIONS)
        return;
    else if (m.request)
        say(n, "%s > %s %.*s %u%s", from->name, to->name, DT_FMT(m.method_text), m.cseq.number,
            what);
    else
        say(n, "%s > %s %d %.*s%s", from->name, to->name, m.status, DT_FMT(m.cseq.method_text),
            what);
}

static unsigned index_of(const struct net *n, const struct net_party *p)
{
    return (unsigned)(p - n->p);
}

static void enqueue(struct net *n, struct net_party *from, struct net_party *to,
                    struct dt_bytes *bytes, dt_time due, bool icmp)
{
    assert_true(n->n_packets < NET_PACKETS);
    n->packets[n->n_packets++] = (struct net_packet){.due = due,
                                                     .bytes = bytes ? dt_bytes_hold(bytes) : NULL,
                                                     .from = (uint8_t)index_of(n, from),
                                                     .to = (uint8_t)index_of(n, to),
                                                     .icmp = icmp};
}

static void send_datagram(struct net *n, struct net_party *self, struct net_party *to,
                          struct dt_bytes *bytes)
{
    unsigned i = n->sent++;
    bool lost = (i < 64 && (n->lose >> i & 1)) || to->dead;

    say_message(n, self, to, dt_bytes_str(bytes), lost && !to->dead ? " lost" : "");
    if (to->refuses)
        enqueue(n, to, self, bytes, n->now + n->delay, true);
    else if (!lost)
        enqueue(n, self, to, bytes, n->now + n->delay, false);
    if (i < 64 && (n->twice >> i & 1))
        enqueue(n, self, to, bytes, n->now + n->delay + 50 * DT_MS, false);
}

/* ---- connections: opened by user agents, accepted by scripts ---- */

static struct net_stream *stream_between(struct net *n, const struct net_party *a,
                                         const struct net_party *b)
{
    for (unsigned i = 0; i < n->n_streams; i++) {
        struct net_stream *s = &n->streams[i];
        if ((&n->p[s->ua] == a && &n->p[s->peer] == b) ||
            (&n->p[s->ua] == b && &n->p[s->peer] == a))
            return s;
    }
    return NULL;
}

static void stream_packet(struct net *n, struct net_party *from, struct net_party *to,
                          uint64_t stream, struct dt_bytes *bytes, bool opened)
{
    enqueue(n, from, to, bytes, n->now + n->delay, false);
    n->packets[n->n_packets - 1].stream = stream;
    n->packets[n->n_packets - 1].opened = opened;
    n->packets[n->n_packets - 1].closed = !opened && !bytes;
}

static void connect_stream(struct net *n, struct net_party *p, const struct dt_output *o)
{
    struct net_party *to = net_party_at(n, &o->remote);

    say(n, "%s connects", p->name);
    if (to && to->dead)
        return;
    if (!to || !to->tcp || to->refuses) {
        stream_packet(n, to ? to : p, p, o->stream, NULL, false);
        n->packets[n->n_packets - 1].icmp = true;
        return;
    }
    assert_true(n->n_streams < NET_STREAMS);
    n->streams[n->n_streams++] =
        (struct net_stream){o->stream, (uint8_t)index_of(n, p), (uint8_t)index_of(n, to)};
    stream_packet(n, to, p, o->stream, NULL, true);
}

static void send_stream(struct net *n, struct net_party *p, const struct dt_output *o)
{
    for (unsigned i = 0; i < n->n_streams; i++) {
        struct net_party *to = &n->p[n->streams[i].peer];
        if (n->streams[i].id != o->stream || n->streams[i].ua != index_of(n, p))
            continue;
        say_message(n, p, to, dt_bytes_str(o->bytes), " tcp");
        if (!to->dead)
            stream_packet(n, p, to, o->stream, o->bytes, false);
    }
}

static void close_stream(struct net *n, const struct net_party *p, uint64_t id)
{
    for (unsigned i = 0; i < n->n_streams; i++)
        if (n->streams[i].id == id && n->streams[i].ua == index_of(n, p)) {
            n->streams[i] = n->streams[--n->n_streams];
            return;
        }
}

void net_reset(struct net *n, struct net_party *p)
{
    for (unsigned i = n->n_streams; i-- > 0;) {
        struct net_stream s = n->streams[i];
        if (&n->p[s.peer] != p)
            continue;
        n->streams[i] = n->streams[--n->n_streams];
        stream_packet(n, p, &n->p[s.ua], s.id, NULL, false);
    }
}

/* Where the Via on top says TCP, a script answers by the connection. */
static bool answers_by_stream(struct net *n, const struct net_party *self,
                              const struct net_party *to, struct dt_bytes *bytes)
{
    struct dt_sip_header headers[HEADERS];
    struct dt_sip_msg m;

    return self->peer && stream_between(n, self, to) && parse(&m, dt_bytes_str(bytes), headers) &&
           !m.request && dt_str_ieq(m.via.transport, DT_STR("TCP"));
}

void net_send_bytes(struct net *n, struct net_party *self, struct net_party *to,
                    struct dt_bytes *bytes)
{
    if (answers_by_stream(n, self, to, bytes)) {
        say_message(n, self, to, dt_bytes_str(bytes), " tcp");
        stream_packet(n, self, to, stream_between(n, self, to)->id, bytes, false);
        return;
    }
    send_datagram(n, self, to, bytes);
}

void net_send(struct net *n, struct net_party *self, struct net_party *to, const char *text)
{
    char buf[8192];
    size_t k = 0;
    struct dt_bytes *bytes;

    for (; *text && k + 2 < sizeof(buf); text++) {
        if (*text == '\n' && (k == 0 || buf[k - 1] != '\r'))
            buf[k++] = '\r';
        buf[k++] = *text;
    }
    bytes = dt_bytes_copy(&dt_alloc_libc, (struct dt_str){buf, k});
    net_send_bytes(n, self, to, bytes);
    dt_bytes_drop(bytes);
}

void net_respond(struct net *n, struct net_party *self, struct net_party *to,
                 const struct dt_sip_msg *m, int status, const char *tag, const char *extra,
                 const char *body)
{
    char lines[512];
    struct dt_sip_answer a = {.status = status,
                              .to_tag = dt_str_z(tag),
                              .body = dt_str_z(body),
                              .type = body ? DT_STR("application/sdp") : DT_STR_NONE,
                              .record_routes = status > 100 && status < 300,
                              .source = &to->addr};
    struct dt_bytes *bytes;
    char text[DT_ADDR_TEXT_MAX];

    lines[0] = '\0';
    if (a.record_routes && m->method == DT_INVITE)
        snprintf(lines, sizeof(lines), "Contact: <sip:%s@%s>\r\n%s", self->name,
                 dt_addr_text(&self->addr, text), extra ? extra : "");
    else if (extra)
        snprintf(lines, sizeof(lines), "%s", extra);
    a.extra = dt_str_z(lines);
    assert_int_equal(dt_sip_answer(m, &a, &dt_alloc_libc, &bytes), DT_OK);
    net_send_bytes(n, self, to, bytes);
    dt_bytes_drop(bytes);
}

struct net_party *net_party_at(struct net *n, const struct dt_addr *a)
{
    for (unsigned i = 0; i < n->n_parties; i++)
        if (dt_addr_ip_eq(&n->p[i].addr, a))
            return &n->p[i];
    return NULL;
}

/* ---- a user agent's user ---- */

/* Which party a callback is for: the world finds it by `user`. */
static struct net *world;

static void on_incoming(void *user, dt_time now, dt_call_id call, const struct dt_sip_msg *m,
                        struct dt_str to_user)
{
    struct net_party *p = user;

    (void)m;
    say(world, "%s is called as %.*s", p->name, DT_FMT(to_user));
    p->call = call;
    p->state = DT_CALL_CALLING;
    p->alive = true;
    p->rings++;
    p->ring_at = p->ring_after < 0 ? DT_TIME_NEVER : now + p->ring_after;
    p->answer_at = p->answer_after < 0 ? DT_TIME_NEVER : now + p->answer_after;
    if (p->ring_at <= now) {
        p->ring_at = DT_TIME_NEVER;
        (void)dt_ua_ring(p->ua, now, call);
    }
}

static void on_state(void *user, dt_time now, dt_call_id call, enum dt_call_state state,
                     const struct dt_call_end *end)
{
    struct net_party *p = user;

    if (state == DT_CALL_ENDED)
        say(world, "%s ended %d%s%s%s", p->name, end->status, end->by_peer ? " by peer" : "",
            end->err ? ": " : "", end->err ? dt_err_text(end->err) : "");
    else
        say(world, "%s is %s", p->name, dt_call_state_name(state));
    p->ends += state == DT_CALL_ENDED;
    if (call != p->call)
        return;
    p->state = state;
    if (state == DT_CALL_TALKING && p->hangup_after >= 0)
        p->hangup_at = now + p->hangup_after;
    if (state != DT_CALL_ENDED)
        return;
    p->alive = false;
    p->answer_at = p->ring_at = p->hangup_at = DT_TIME_NEVER;
    p->end = *end;
    snprintf(p->reason, sizeof(p->reason), "%.*s", DT_FMT(end->reason));
    p->end.reason = dt_str_z(p->reason);
}

static void on_backup(void *user, dt_time now, dt_call_id call, bool trying)
{
    struct net_party *p = user;

    (void)now;
    (void)call;
    p->words = trying;
    say(world, "%s words %s", p->name, trying ? "on" : "off");
}

static void on_media(void *user, dt_time now, dt_call_id call, const struct dt_media_agreed *m)
{
    struct net_party *p = user;

    (void)now;
    (void)call;
    p->media = *m;
    if (m->active)
        say(world, "%s hears %s%s", p->name, dt_direction_name(m->direction),
            m->remote_hold ? " held" : "");
    else
        say(world, "%s hears nothing", p->name);
}

static void on_registration(void *user, dt_time now, dt_reg_id reg, bool registered, int status,
                            int err, uint32_t expires)
{
    struct net_party *p = user;

    (void)now;
    (void)reg;
    p->registered = registered;
    say(world, "%s %s %d%s%s %u", p->name, registered ? "registered" : "not registered", status,
        err ? " " : "", err ? dt_err_text(err) : "", expires);
}

static int on_other(void *user, dt_time now, const struct dt_sip_msg *m)
{
    struct net_party *p = user;

    (void)now;
    (void)m;
    return p->other_status ? p->other_status : 405;
}

static const struct dt_ua_user ops = {.incoming = on_incoming,
                                      .state = on_state,
                                      .backup = on_backup,
                                      .media = on_media,
                                      .registration = on_registration,
                                      .other = on_other};

/* ---- parties ---- */

void net_init(struct net *n)
{
    memset(n, 0, sizeof(*n));
    world = n;
}

static struct net_party *add(struct net *n, const char *name)
{
    struct net_party *p = &n->p[n->n_parties++];

    assert_true(n->n_parties <= NET_PARTIES);
    p->name = name;
    p->addr = (struct dt_addr){.ip = {192, 0, 2, (uint8_t)n->n_parties}, .port = 5060, .family = 4};
    p->ring_after = p->answer_after = p->hangup_after = -1;
    p->ring_at = p->answer_at = p->hangup_at = DT_TIME_NEVER;
    return p;
}

bool net_ua_open(struct net_party *p)
{
    p->ua = dt_ua_new(&p->cfg, &p->env, &p->out, &ops, p);
    return p->ua != NULL;
}

struct net_party *net_ua(struct net *n, const char *name, const struct dt_ua_config *cfg)
{
    struct net_party *p = add(n, name);

    kit_alloc_init(&p->mem);
    dt_env_init(&p->env, n->n_parties);
    p->env.alloc = &p->mem.alloc;
    p->env.hash = kit_hash;
    dt_outbox_init(&p->out, &p->mem.alloc);
    if (cfg)
        p->cfg = *cfg;
    p->cfg.local = p->addr;
    p->cfg.user_agent = "kit";
    assert_true(net_ua_open(p));
    net_settle(n);
    return p;
}

struct net_party *net_script(struct net *n, const char *name, net_peer peer)
{
    struct net_party *p = add(n, name);

    p->peer = peer;
    return p;
}

void net_free(struct net *n)
{
    for (unsigned i = 0; i < n->n_packets; i++)
        dt_bytes_drop(n->packets[i].bytes);
    n->n_packets = 0;
    for (unsigned i = 0; i < n->n_parties; i++) {
        struct net_party *p = &n->p[i];
        dt_sip_msg_drop(p->invite);
        p->invite = NULL;
        if (p->peer)
            continue;
        dt_ua_free(p->ua);
        dt_outbox_clear(&p->out);
        assert_int_equal(p->mem.live, 0);
    }
}

/* ---- time ---- */

/* Questions wait with the packets. */
static void ask_dns(struct net *n, struct net_party *p, const struct dt_output *o)
{
    struct dt_bytes *name = dt_bytes_copy(&dt_alloc_libc, o->text);

    enqueue(n, p, p, name, n->now + n->delay, false);
    dt_bytes_drop(name);
    n->packets[n->n_packets - 1].dns_id = o->dns_id;
    n->packets[n->n_packets - 1].dns_type = o->dns_type;
}

static void take_output(struct net *n, struct net_party *p, const struct dt_output *o)
{
    struct net_party *to;

    switch (o->kind) {
    case DT_OUT_DATAGRAM:
        to = net_party_at(n, &o->remote);
        if (to)
            net_send_bytes(n, p, to, o->bytes);
        break;
    case DT_OUT_CONNECT:
        connect_stream(n, p, o);
        break;
    case DT_OUT_STREAM_DATA:
        send_stream(n, p, o);
        break;
    case DT_OUT_CLOSE:
        close_stream(n, p, o->stream);
        break;
    case DT_OUT_RESOLVE:
        ask_dns(n, p, o);
        break;
    default:
        break;
    }
    dt_bytes_drop(o->bytes);
}

void net_drain(struct net *n, struct net_party *p)
{
    struct dt_output o[16];
    size_t k;

    while (p->ua && (k = dt_outbox_take(&p->out, o, 16)) > 0)
        for (size_t i = 0; i < k; i++)
            take_output(n, p, &o[i]);
    dt_outbox_begin(&p->out);
}

/* X.test is the party X; other names do not exist. */
static void answer_dns(struct net *n, struct net_party *p, const struct net_packet *k)
{
    struct dt_dns_record r = {.type = DT_DNS_A, .ttl = 60};
    struct dt_dns_answer a = {.id = k->dns_id, .type = k->dns_type, .status = DT_DNS_NO_NAME};
    struct dt_input in = {.kind = DT_IN_DNS, .dns = &a};
    struct dt_str name = dt_bytes_str(k->bytes);

    for (unsigned i = 0; i < n->n_parties; i++) {
        if (name.n != 6 || dt_lower(n->p[i].name[0]) != dt_lower(name.p[0]))
            continue;
        a.status = k->dns_type == DT_DNS_A ? DT_DNS_FOUND : DT_DNS_NO_DATA;
        memcpy(r.ip, n->p[i].addr.ip, 4);
        a.records = &r;
        a.n = k->dns_type == DT_DNS_A;
    }
    (void)dt_ua_input(p->ua, n->now, &in);
    net_drain(n, p);
}

static void by_stream(struct dt_input *in, const struct net_packet *k)
{
    in->kind = k->opened ? DT_IN_STREAM_OPEN : k->closed ? DT_IN_STREAM_CLOSED : DT_IN_STREAM_DATA;
    in->stream = k->stream;
    in->err = !k->closed ? DT_OK : k->icmp ? DT_E_REFUSED : DT_E_CLOSED;
    in->local.transport = in->remote.transport = DT_TCP;
}

static void deliver(struct net *n, const struct net_packet *k)
{
    struct net_party *to = &n->p[k->to], *from = &n->p[k->from];
    struct dt_input in = {.kind = k->icmp ? DT_IN_SOCKET_ERROR : DT_IN_DATAGRAM,
                          .err = k->icmp ? DT_E_REFUSED : DT_OK,
                          .local = to->addr,
                          .remote = from->addr,
                          .data = dt_bytes_str(k->bytes)};

    if (k->dns_id) {
        answer_dns(n, to, k);
        return;
    }
    if (k->stream)
        by_stream(&in, k);
    if (to->dead)
        return;
    if (to->peer) {
        struct dt_sip_header headers[HEADERS];
        struct dt_sip_msg m;
        if (!parse(&m, in.data, headers))
            fail_msg("%s sent:\n%.*s", from->name, DT_FMT(in.data));
        to->peer(n, to, &m, from);
    } else if (to->ua) {
        (void)dt_ua_input(to->ua, n->now, &in);
        net_drain(n, to);
    }
}

static dt_time *next_wish(struct net *n, struct net_party **whose)
{
    dt_time *best = NULL;

    for (unsigned i = 0; i < n->n_parties; i++) {
        struct net_party *p = &n->p[i];
        dt_time *wishes[] = {&p->ring_at, &p->answer_at, &p->hangup_at};
        for (size_t k = 0; p->ua && k < 3; k++)
            if (!best || *wishes[k] < *best) {
                best = wishes[k];
                *whose = p;
            }
    }
    return best;
}

static void fulfil(struct net *n, struct net_party *p, dt_time *wish)
{
    bool ring = wish == &p->ring_at, answer = wish == &p->answer_at;

    *wish = DT_TIME_NEVER;
    if (ring)
        net_ring(n, p);
    else if (answer)
        net_answer(n, p);
    else
        net_hangup(n, p);
}

static int next_packet(const struct net *n)
{
    int best = -1;

    for (unsigned i = 0; i < n->n_packets; i++)
        if (best < 0 || n->packets[i].due < n->packets[best].due)
            best = (int)i;
    return best;
}

static void deliver_next(struct net *n, int i)
{
    struct net_packet k = n->packets[i];

    memmove(&n->packets[i], &n->packets[i + 1],
            (n->n_packets - (unsigned)i - 1) * sizeof(n->packets[0]));
    n->n_packets--;
    deliver(n, &k);
    dt_bytes_drop(k.bytes);
}

static dt_time next_tick(struct net *n, struct net_party **whose)
{
    dt_time due = DT_TIME_NEVER;

    for (unsigned i = 0; i < n->n_parties; i++) {
        struct net_party *p = &n->p[i];
        if (p->ua && dt_ua_deadline(p->ua) < due) {
            due = dt_ua_deadline(p->ua);
            *whose = p;
        }
    }
    return due;
}

/* The earliest thing up to `until`: packets, then wishes, then ticks. False: nothing more. */
static bool step(struct net *n, dt_time until)
{
    struct net_party *ticker = NULL, *wisher = NULL;
    int i = next_packet(n);
    dt_time packet = i < 0 ? DT_TIME_NEVER : n->packets[i].due;
    dt_time *wish = next_wish(n, &wisher);
    dt_time wished = wish ? *wish : DT_TIME_NEVER;
    dt_time tick = next_tick(n, &ticker);
    dt_time due = dt_time_min(packet, dt_time_min(wished, tick));

    if (due > until)
        return false;
    if (due > n->now)
        n->now = due;
    if (packet == due) {
        deliver_next(n, i);
    } else if (wished == due) {
        fulfil(n, wisher, wish);
    } else {
        dt_ua_tick(ticker->ua, n->now);
        net_drain(n, ticker);
    }
    return true;
}

void net_settle(struct net *n)
{
    for (unsigned i = 0; i < n->n_parties; i++)
        if (!n->p[i].peer)
            net_drain(n, &n->p[i]);
    while (step(n, n->now))
        ;
}

void net_until(struct net *n, int64_t ms)
{
    net_settle(n);
    while (step(n, ms * DT_MS))
        ;
    n->now = ms * DT_MS;
}

void net_quiet_end(struct net *n)
{
    struct dt_ua_counts c;

    net_until(n, n->now / DT_MS + 400000);
    for (unsigned i = 0; i < n->n_parties; i++) {
        if (!n->p[i].ua)
            continue;
        dt_ua_count(n->p[i].ua, &c);
        assert_int_equal(c.transactions, 0);
        assert_int_equal(c.calls, 0);
        assert_int_equal(c.lingering, 0);
    }
}
