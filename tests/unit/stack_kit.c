/* SPDX-License-Identifier: BSD-2-Clause */
#include "stack_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the log ---- */

static void say(struct kit_stack *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct kit_stack *k, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    k->log_n += (size_t)snprintf(k->log + k->log_n, sizeof k->log - k->log_n, "%lld ",
                                 (long long)(k->now / DT_MS));
    k->log_n += (size_t)vsnprintf(k->log + k->log_n, sizeof k->log - k->log_n, fmt, args);
    k->log_n += (size_t)snprintf(k->log + k->log_n, sizeof k->log - k->log_n, "\n");
    va_end(args);
    assert_true(k->log_n < sizeof k->log - 1);
}

void kit_stack_log_at(struct kit_stack *k, const char *want, const char *file, int line)
{
    if (strcmp(k->log, want)) {
        print_error("%s:%d: got\n%s---- but wanted\n%s----\n", file, line, k->log, want);
        _fail(file, line);
    }
    kit_stack_hush(k);
}

void kit_stack_hush(struct kit_stack *k)
{
    k->log_n = 0;
    k->log[0] = '\0';
}

/* Method or status. */
static struct dt_str gist(struct dt_str text)
{
    if (dt_str_starts(text, DT_STR("SIP/2.0 ")))
        return dt_str_sub(text, 8, 3);
    if (text.n && (unsigned char)text.p[0] < ' ')
        return DT_STR("crlf");
    return dt_str_sub(text, 0, dt_str_find(text, ' '));
}

/* ---- callbacks ---- */

static void on_request(void *user, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                       const struct dt_hop *from)
{
    struct kit_stack *k = user;
    assert_int_equal(now, k->now);
    assert_true(from->remote.family != 0);
    say(k, "request %.*s%s", DT_FMT(m->method_text), tx ? "" : " without transaction");
    k->tx = tx;
    k->from = *from;
    if (k->on_request)
        k->on_request(k, tx, m);
}

static void on_cancel(void *user, dt_time now, dt_tx invite, uint64_t cookie,
                      const struct dt_sip_msg *m)
{
    struct kit_stack *k = user;
    (void)now;
    assert_int_equal(m->method, DT_CANCEL);
    assert_true(invite != 0);
    say(k, "cancel #%u", (unsigned)cookie);
}

static void on_response(void *user, dt_time now, dt_tx tx, uint64_t cookie,
                        const struct dt_sip_msg *m, const struct dt_hop *from)
{
    struct kit_stack *k = user;
    (void)now;
    (void)from;
    if (tx)
        say(k, "response %d #%u", m->status, (unsigned)cookie);
    else
        say(k, "stray %d", m->status);
    k->response_tx = tx;
    if (k->on_response)
        k->on_response(k, tx, m);
}

static void on_failed(void *user, dt_time now, dt_tx tx, uint64_t cookie, int err)
{
    struct kit_stack *k = user;
    struct dt_hop hop;
    (void)now;
    assert_int_equal(dt_stack_hop_of(k->s, tx, &hop), DT_E_STALE);
    say(k, "failed #%u: %s", (unsigned)cookie, dt_err_text(err));
}

static void on_ended(void *user, dt_time now, dt_tx tx, uint64_t cookie)
{
    struct kit_stack *k = user;
    struct dt_hop hop;
    (void)now;
    assert_int_equal(dt_stack_hop_of(k->s, tx, &hop), DT_E_STALE);
    say(k, "ended #%u", (unsigned)cookie);
}

static void on_dropped(void *user, dt_time now, const struct dt_hop *from, const char *why)
{
    (void)now;
    (void)from;
    say(user, "dropped: %s", why);
}

static const struct dt_stack_user ops = {on_request, on_cancel, on_response,
                                         on_failed,  on_ended,  on_dropped};

/* ---- out ---- */

static void log_output(struct kit_stack *k, const struct dt_output *o)
{
    char to[DT_ADDR_TEXT_MAX];
    switch (o->kind) {
    case DT_OUT_DATAGRAM:
        say(k, "> %s %.*s", dt_addr_text(&o->remote, to), DT_FMT(gist(dt_bytes_str(o->bytes))));
        break;
    case DT_OUT_STREAM_DATA:
        say(k, "> stream %u %.*s", (unsigned)o->stream, DT_FMT(gist(dt_bytes_str(o->bytes))));
        break;
    case DT_OUT_CONNECT:
        say(k, "connect %u to %s", (unsigned)o->stream, dt_addr_text(&o->remote, to));
        break;
    case DT_OUT_CLOSE:
        say(k, "close %u", (unsigned)o->stream);
        break;
    default:
        fail_msg("an output of kind %d", (int)o->kind);
    }
}

void kit_stack_drain(struct kit_stack *k)
{
    struct dt_output o;
    while (dt_outbox_take(&k->out, &o, 1)) {
        log_output(k, &o);
        if (k->on_sent)
            k->on_sent(k, &o);
        if (o.bytes) {
            dt_bytes_drop(k->last);
            k->last = o.bytes;
        }
    }
    dt_outbox_begin(&k->out);
}

/* ---- time and input ---- */

void kit_stack_until(struct kit_stack *k, int64_t ms)
{
    dt_time end = ms * DT_MS, due;
    kit_stack_drain(k);
    while ((due = dt_stack_deadline(k->s)) <= end) {
        if (due > k->now)
            k->now = due;
        dt_stack_tick(k->s, k->now);
        kit_stack_drain(k);
    }
    if (end > k->now)
        k->now = end;
}

void kit_stack_input(struct kit_stack *k, const struct dt_input *in)
{
    dt_stack_input(k->s, k->now, in);
    kit_stack_drain(k);
}

void kit_stack_recv(struct kit_stack *k, const char *from, const char *text)
{
    kit_stack_input(k, &(struct dt_input){
                           .kind = DT_IN_DATAGRAM,
                           .local = k->local,
                           .remote = kit_addr(from, DT_UDP),
                           .data = kit_guarded_padded(0, dt_str_z(text)),
                       });
}

bool kit_stack_try(struct kit_stack *k, const struct dt_stack_config *cfg)
{
    static const struct dt_stack_config defaults;
    dt_env_init(&k->env, 1);
    k->env.alloc = &k->mem.alloc;
    dt_outbox_init(&k->out, &k->mem.alloc);
    k->local = kit_addr("192.0.2.1:5060", DT_UDP);
    k->s = dt_stack_new(cfg ? cfg : &defaults, &k->env, &k->out, &ops, k);
    return k->s;
}

void kit_stack_open(struct kit_stack *k, const struct dt_stack_config *cfg)
{
    memset(k, 0, sizeof *k);
    kit_alloc_init(&k->mem);
    assert_true(kit_stack_try(k, cfg));
}

void kit_stack_close(struct kit_stack *k)
{
    dt_stack_free(k->s);
    dt_outbox_clear(&k->out);
    dt_bytes_drop(k->last);
    k->s = NULL;
    k->last = NULL;
    assert_int_equal(k->mem.live, 0);
}

/* ---- messages ---- */

struct dt_addr kit_addr(const char *text, enum dt_transport transport)
{
    struct dt_addr a;
    assert_int_equal(dt_addr_parse(&a, dt_str_z(text)), DT_OK);
    a.transport = (uint8_t)transport;
    return a;
}

const char *kit_msg_text(const struct kit_msg *m)
{
    static char buffers[8][2048];
    static unsigned next;
    char *text = buffers[next++ % 8];
    struct dt_writer w = dt_writer(text, sizeof buffers[0] - 1);
    if (m->status)
        dt_sip_write_status(&w, m->status, DT_STR_NONE);
    else
        dt_sip_write_request(&w, dt_str_z(m->method), DT_STR("sip:bob@192.0.2.2"));
    dt_sip_write_header(&w, DT_H_VIA,
                        dt_str_z(m->via ? m->via : "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"));
    dt_sip_write_header(&w, DT_H_FROM, DT_STR("<sip:alice@example.com>;tag=from"));
    dt_writef(&w, "To: <sip:bob@example.com>%s%s\r\n", m->to_tag ? ";tag=" : "",
              m->to_tag ? m->to_tag : "");
    dt_sip_write_header(&w, DT_H_CALL_ID, DT_STR("call@example.com"));
    dt_writef(&w, "CSeq: %u %s\r\n", m->cseq ? m->cseq : 1, m->method);
    if (!m->status)
        dt_sip_write_header(&w, DT_H_MAX_FORWARDS, DT_STR("70"));
    dt_write_z(&w, m->extra);
    dt_sip_write_body(&w, DT_STR_NONE, DT_STR_NONE);
    assert_int_equal(w.err, DT_OK);
    text[w.n] = '\0';
    return text;
}

int kit_stack_request(struct kit_stack *k, const char *text, struct dt_request r, dt_tx *tx)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_bytes *bytes = dt_bytes_copy(&dt_alloc_libc, dt_str_z(text));
    assert_int_equal(dt_sip_parse(&m, dt_bytes_str(bytes), headers, DT_MSG_HEADERS_MAX), DT_OK);
    assert_int_equal(dt_sip_check(&m), DT_OK);
    if (!r.to.remote.family)
        r.to.remote = kit_addr("192.0.2.2:5060", DT_UDP);
    r.bytes = bytes;
    r.to.local = k->local;
    r.to.local.transport = r.to.remote.transport;
    r.method = m.method;
    r.branch = m.via.branch;
    int err = dt_stack_request(k->s, k->now, &r, tx);
    dt_bytes_drop(bytes);
    kit_stack_drain(k);
    return err;
}

int kit_stack_respond(struct kit_stack *k, dt_tx tx, int status, const char *text)
{
    struct dt_bytes *bytes = dt_bytes_copy(&dt_alloc_libc, dt_str_z(text));
    int err = dt_stack_respond(k->s, k->now, tx, status, bytes);
    dt_bytes_drop(bytes);
    kit_stack_drain(k);
    return err;
}
