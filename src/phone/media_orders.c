/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines of media.h: start and stop, and the answers. */
#include "dualtone/conf.h"
#include "phone/media_internal.h"

enum { CALLS_MAX = 32, WORDS = 8, RETRY_MS = 20, PER_SECOND = 65536 };

/* What a `start` says, understood. */
struct order {
    uint32_t number;
    struct dt_addr local, remote;
    const struct dt_rtp_codec *codec;
    uint8_t payload;
    enum dt_direction direction;
};

/* ---- answers ---- */

static void say_failed(struct dt_media *m, uint32_t number, const char *why)
{
    dt_outbox_event(&m->out, DT_EV_MEDIA, number, "failed %lu %s", (unsigned long)number, why);
}

static void say_started(struct media_call *c)
{
    dt_outbox_event(&c->engine->out, DT_EV_MEDIA, c->number, "started %lu",
                    (unsigned long)c->number);
}

static unsigned long long seconds(dt_time since, dt_time now)
{
    return since == DT_TIME_NEVER ? 0 : (unsigned long long)((now - since) / DT_SECOND);
}

/* guide/behaviour.md 12. */
static int say_stats(const struct media_call *c, dt_time now)
{
    uint64_t late = c->late_before + c->jitter.counts.late;
    uint64_t rtt = (uint64_t)c->round_trip * 1000 / PER_SECOND;
    return dt_outbox_event(
        &c->engine->out, DT_EV_MEDIA, c->number,
        "stats %lu Dur=%llu Pkt=%llu Oct=%llu LatePkt=%llu LostPkt=%llu AvgJit=%llu TxDur=%llu "
        "TxPkt=%llu TxOct=%llu Dropped=%llu RoundTrip=%llu",
        (unsigned long)c->number, seconds(c->rx_since, now),
        (unsigned long long)dt_rtp_source_unique(&c->source), (unsigned long long)c->rx_octets,
        (unsigned long long)late, (unsigned long long)dt_rtp_source_lost(&c->source),
        (unsigned long long)dt_rtp_source_jitter(&c->source), seconds(c->tx_since, now),
        (unsigned long long)c->tx_packets, (unsigned long long)c->tx_octets,
        (unsigned long long)c->dropped, (unsigned long long)rtt);
}

static int say_why(const struct media_call *c)
{
    char addr[DT_ADDR_TEXT_MAX];
    const struct dt_addr *local = &c->sockets[c->err_socket].local;
    return dt_outbox_event(&c->engine->out, DT_EV_MEDIA, c->number, "failed %lu %s %s: %s",
                           (unsigned long)c->number, c->err_socket == DT__RTP ? "RTP" : "RTCP",
                           dt_addr_text(local, addr), dt_err_text(c->err));
}

/* ---- calls ---- */

static struct media_call *find(struct dt_media *m, uint32_t number)
{
    DT_LIST_EACH(e, &m->calls)
    {
        struct media_call *c = DT_OF(e, struct media_call, link);
        if (c->number == number && !c->ending)
            return c;
    }
    return NULL;
}

static int socket_put(struct media_call *c, unsigned i, enum dt_output_kind kind)
{
    return dt_outbox_put(&c->engine->out,
                         &(struct dt_output){.kind = kind, .local = c->sockets[i].local});
}

void dt__media_end(struct media_call *c, dt_time now)
{
    struct dt_media *m = c->engine;
    int err = DT_OK;
    c->report_due = now + RETRY_MS * DT_MS;
    for (unsigned i = 0; i < DT__SOCKETS; i++) {
        if (c->sockets[i].state == DT__SOCKET_NONE)
            continue;
        err = socket_put(c, i, DT_OUT_UNLISTEN);
        if (err)
            return;
        c->sockets[i].state = DT__SOCKET_NONE;
    }
    if (c->err ? say_why(c) : say_stats(c, now))
        return;
    dt_list_del(&c->link);
    m->n_calls--;
    dt_alloc_free(m->env->alloc, c);
}

/* The call is over, because of `err` or for good. */
static void begin_end(struct media_call *c, dt_time now, int err, unsigned socket)
{
    if (dt__media_runs(c))
        dt__media_rtcp_bye(c, now);
    c->ending = true;
    c->err = err;
    c->err_socket = socket;
    dt__media_end(c, now);
}

static void set_addresses(struct media_call *c, const struct order *o)
{
    for (unsigned i = 0; i < DT__SOCKETS; i++) {
        struct media_socket *s = &c->sockets[i];
        struct dt_addr remote = o->remote;
        remote.port = (uint16_t)(remote.port ? remote.port + i : 0);
        if (!dt_addr_eq(&s->remote, &remote))
            s->heard = (struct dt_addr){0};
        s->remote = remote;
        s->local = o->local;
        s->local.port = (uint16_t)(o->local.port + i);
    }
}

static struct media_call *call_new(struct dt_media *m, const struct order *o)
{
    struct media_call *c = dt_alloc_zero(m->env->alloc, sizeof *c);
    if (!c)
        return NULL;
    c->engine = m;
    c->number = o->number;
    c->codec = o->codec;
    c->payload = o->payload;
    c->direction = o->direction;
    c->turn = ++m->turns;
    c->report_due = DT_TIME_NEVER;
    set_addresses(c, o);
    dt__media_stream_init(c);
    dt_list_add(&m->calls, &c->link);
    m->n_calls++;
    return c;
}

static void begin(struct dt_media *m, dt_time now, const struct order *o)
{
    struct media_call *c = m->n_calls < CALLS_MAX ? call_new(m, o) : NULL;
    if (!c) {
        int err = m->n_calls < CALLS_MAX ? DT_E_NOMEM : DT_E_LIMIT;
        say_failed(m, o->number, dt_err_text(err));
        return;
    }
    for (unsigned i = 0; i < DT__SOCKETS; i++) {
        int err = socket_put(c, i, DT_OUT_LISTEN);
        if (err) {
            begin_end(c, now, err, i);
            return;
        }
        c->sockets[i].state = DT__SOCKET_ASKED;
    }
}

static void change(struct media_call *c, const struct order *o)
{
    if (!dt_addr_eq(&c->sockets[DT__RTP].local, &o->local)) {
        say_failed(c->engine, o->number, "a call that runs keeps its local address");
        return;
    }
    bool was_held = c->direction == DT_INACTIVE;
    bool received = (c->direction & DT_RECV) != 0;
    if (was_held && o->direction != DT_INACTIVE)
        c->turn = ++c->engine->turns;
    c->codec = o->codec;
    c->payload = o->payload;
    c->direction = o->direction;
    set_addresses(c, o);
    if (received && !(o->direction & DT_RECV))
        dt__media_stream_restart(c); /* what waits is not played after a hold */
    if (dt__media_runs(c))
        say_started(c);
}

void dt__media_socket_is(struct dt_media *m, dt_time now, const struct dt_addr *local, int err)
{
    DT_LIST_EACH(e, &m->calls)
    {
        struct media_call *c = DT_OF(e, struct media_call, link);
        for (unsigned i = 0; !c->ending && i < DT__SOCKETS; i++) {
            struct media_socket *s = &c->sockets[i];
            if (s->state != DT__SOCKET_ASKED || !dt_addr_eq(&s->local, local))
                continue;
            s->state = err ? DT__SOCKET_NONE : DT__SOCKET_OPEN;
            if (err) {
                begin_end(c, now, err, i);
            } else if (dt__media_runs(c)) {
                dt__media_rtcp_start(c, now);
                say_started(c);
            }
            return;
        }
    }
}

/* ---- orders ---- */

static bool read_codec(struct dt_str word, struct order *o)
{
    size_t slash = dt_str_find(word, '/');
    uint64_t payload;
    o->codec = dt_rtp_codec_find(dt_str_sub(word, 0, slash));
    if (!o->codec || dt_str_u64(dt_str_sub(word, slash + 1, word.n), DT_RTP_PAYLOAD_MAX, &payload))
        return false;
    o->payload = (uint8_t)payload;
    return true;
}

static bool read_direction(struct dt_str word, struct order *o)
{
    for (int d = DT_INACTIVE; d <= DT_SENDRECV; d++)
        if (dt_str_eq(word, dt_str_z(dt_direction_name((enum dt_direction)d)))) {
            o->direction = (enum dt_direction)d;
            return true;
        }
    return false;
}

/* NULL, or what is wrong. */
static const char *read_start(const struct dt_word *words, int n, struct order *o)
{
    if (n != 6)
        return "start takes CALL LOCAL REMOTE CODEC/PAYLOAD DIRECTION";
    if (dt_addr_parse(&o->local, words[2].text) || !o->local.port || o->local.port == UINT16_MAX)
        return "LOCAL is no address with a port";
    if (dt_addr_parse(&o->remote, words[3].text) || o->remote.port == UINT16_MAX)
        return "REMOTE is no address";
    if (o->local.family != o->remote.family)
        return "LOCAL and REMOTE are of different families";
    if (!read_codec(words[4].text, o))
        return "the codec is not supported";
    return read_direction(words[5].text, o) ? NULL : "DIRECTION is not known";
}

static void start(struct dt_media *m, dt_time now, uint32_t number, const struct dt_word *words,
                  int n)
{
    struct order o = {.number = number};
    struct media_call *c = find(m, number);
    const char *wrong = read_start(words, n, &o);
    if (wrong)
        say_failed(m, number, wrong);
    else if (c)
        change(c, &o);
    else
        begin(m, now, &o);
}

static void stop(struct dt_media *m, dt_time now, uint32_t number)
{
    struct media_call *c = find(m, number);
    if (c)
        begin_end(c, now, DT_OK, DT__RTP);
    else
        dt_outbox_event(&m->out, DT_EV_MEDIA, number,
                        "stats %lu Dur=0 Pkt=0 Oct=0 LatePkt=0 LostPkt=0 AvgJit=0 TxDur=0 TxPkt=0 "
                        "TxOct=0 Dropped=0 RoundTrip=0",
                        (unsigned long)number);
}

void dt__media_order(struct dt_media *m, dt_time now, struct dt_str line)
{
    struct dt_word words[WORDS];
    unsigned column;
    uint64_t number;
    int n = dt_words_split(line, "", words, WORDS, &column);
    bool named = n >= 2 && !dt_str_u64(words[1].text, UINT32_MAX, &number);
    if (named && dt_str_eq(words[0].text, DT_STR("start")))
        start(m, now, (uint32_t)number, words, n);
    else if (named && n == 2 && dt_str_eq(words[0].text, DT_STR("stop")))
        stop(m, now, (uint32_t)number);
    else
        dt_log(m->env, DT_LOG_WARN, "media", DT_STR_NONE, "not understood: %.*s", DT_FMT(line));
}
