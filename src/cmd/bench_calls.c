/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls for the load generator: INVITE, 180, 200, ACK, BYE, 200 by the proxy, both ends here. */
#include <string.h>

#include "cmd/bench_load.h"

enum caller { CALLING, PROCEEDING, RINGING, TALKING, HANGING_UP };
enum callee { IDLE, ALERTING, ANSWERED, CONFIRMED, OVER };

#define SDP \
    "v=0\r\no=bench 2890844526 2890844526 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n" \
    "t=0 0\r\nm=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n" \
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
#define SDP_LENGTH "212"
_Static_assert(sizeof SDP - 1 == 212, "Content-Length");

#define REQUEST(method, uri, suffix, route, to_tag, cseq) \
    method " sip:%u@" uri " SIP/2.0\r\n" \
           "Via: SIP/2.0/UDP %a;branch=z9hG4bK%k" suffix ";rport\r\n" route "Max-Forwards: 70\r\n" \
           "From: \"Bench\" <sip:bench@%d>;tag=a%k\r\nTo: <sip:%u@%d>" to_tag "\r\n" \
           "Call-ID: %k@bench\r\nCSeq: " cseq " " method "\r\n"

static const char invite[] =
    REQUEST("INVITE", "%d", "i", "", "",
            "1") "Contact: <sip:bench@%a>\r\nUser-Agent: dualtone bench\r\n"
                 "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nContent-Type: application/sdp\r\n"
                 "Content-Length: " SDP_LENGTH "\r\n\r\n" SDP;
static const char ack[] =
    REQUEST("ACK", "%b", "a", "%r", ";tag=b%k", "1") "Content-Length: 0\r\n\r\n";
static const char bye[] =
    REQUEST("BYE", "%b", "b", "%r", ";tag=b%k", "2") "Content-Length: 0\r\n\r\n";
static const char ringing[] = "SIP/2.0 180 Ringing\r\n%zContact: <sip:%u@%b>\r\n"
                              "Content-Length: 0\r\n\r\n";
static const char answered[] = "SIP/2.0 200 OK\r\n%zContact: <sip:%u@%b>\r\n"
                               "Content-Type: application/sdp\r\n"
                               "Content-Length: " SDP_LENGTH "\r\n\r\n" SDP;
static const char bye_done[] = "SIP/2.0 200 OK\r\n%zContent-Length: 0\r\n\r\n";

/* ---- the calling end ---- */

static void start(struct bench_load *l, struct bench_job *j)
{
    dt__bench_send(l, j, BENCH_CALLER, invite, DT_STR_NONE);
    dt__bench_repeat(l, j, BENCH_CALLER);
}

/* Route of what follows inside the call: Record-Route in reverse (RFC 3261 12.1.2). */
static void keep_route(struct bench_job *j, const struct bench_msg *m)
{
    struct dt_writer w = dt_writer(j->route, sizeof j->route);
    for (size_t i = m->n_routes; i > 0; i--)
        dt_write(&w, dt_str_sub(m->routes[i - 1], sizeof "Record-" - 1, SIZE_MAX));
    j->n_route = (uint16_t)w.n;
}

static void hang_up(struct bench_load *l, struct bench_job *j)
{
    j->caller = HANGING_UP;
    dt__bench_send(l, j, BENCH_CALLER, bye, DT_STR_NONE);
    dt__bench_repeat(l, j, BENCH_CALLER);
}

static void on_provisional(struct bench_load *l, struct bench_job *j, int status)
{
    uint8_t state = status == 100 ? PROCEEDING : RINGING;
    dt__bench_still(j, BENCH_CALLER);
    if (j->caller == state)
        l->r.repeated++;
    else if (j->caller > state)
        l->r.disordered++;
    if (state == RINGING && j->caller < RINGING)
        dt__bench_delay(l, j);
    if (j->caller < state)
        j->caller = state;
}

static void on_answer(struct bench_load *l, struct bench_job *j, const struct bench_msg *m)
{
    if (j->caller < TALKING) {
        if (j->caller < RINGING)
            dt__bench_delay(l, j); /* the 180 was overtaken or lost */
        keep_route(j, m);
        j->caller = TALKING;
        dt__bench_still(j, BENCH_CALLER);
        dt__bench_send(l, j, BENCH_CALLER, ack, DT_STR_NONE);
        j->repeat[BENCH_CALLER].due = l->now + l->o->hold;
        if (!l->o->hold)
            hang_up(l, j);
        return;
    }
    l->r.repeated++;
    dt__bench_send(l, j, BENCH_CALLER, ack, DT_STR_NONE);
}

static void on_response(struct bench_load *l, struct bench_job *j, const struct bench_msg *m)
{
    bool of_bye = dt_str_search(m->cseq, DT_STR("BYE")) < m->cseq.n;
    if (m->status < 200 && !of_bye && j->caller < HANGING_UP)
        on_provisional(l, j, m->status);
    else if (m->status < 200)
        l->r.disordered += !of_bye;
    else if (m->status >= 300)
        dt__bench_fail(l, j, m->status);
    else if (!of_bye)
        on_answer(l, j, m);
    else if (j->caller == HANGING_UP)
        dt__bench_end(l, j);
}

/* ---- the called end ---- */

/* What its answers have below their first line. */
static void keep_answer(struct bench_job *j, const struct bench_msg *m)
{
    struct dt_writer w = dt_writer(j->answer, sizeof j->answer);
    for (size_t i = 0; i < m->n_vias; i++)
        dt_write(&w, m->vias[i]);
    for (size_t i = 0; i < m->n_routes; i++)
        dt_write(&w, m->routes[i]);
    dt_write(&w, m->from);
    dt_write(&w, dt_str_trim(m->to));
    if (dt_str_search(m->to, DT_STR(";tag=")) == m->to.n) {
        struct dt_str key = dt_str_trim(dt_str_sub(m->call_id, sizeof "Call-ID:", SIZE_MAX));
        dt_write_lit(&w, ";tag=b");
        dt_write(&w, dt_str_sub(key, 0, dt_str_find(key, '@')));
    }
    dt_write_lit(&w, "\r\n");
    dt_write(&w, m->call_id);
    dt_write(&w, m->cseq);
    j->n_answer = w.err ? 0 : (uint16_t)w.n;
}

static void answer(struct bench_load *l, struct bench_job *j, const char *text)
{
    dt__bench_send(l, j, BENCH_CALLEE, text, (struct dt_str){j->answer, j->n_answer});
}

static void accept_call(struct bench_load *l, struct bench_job *j)
{
    j->callee = ANSWERED;
    answer(l, j, answered);
    dt__bench_repeat(l, j, BENCH_CALLEE);
}

static void on_invite(struct bench_load *l, struct bench_job *j, const struct bench_msg *m)
{
    if (j->callee != IDLE) {
        l->r.repeated++;
        answer(l, j, j->callee == ALERTING ? ringing : answered);
        return;
    }
    keep_answer(j, m);
    answer(l, j, ringing);
    j->callee = ALERTING;
    j->repeat[BENCH_CALLEE].due = l->now + l->o->ring;
    if (!l->o->ring)
        accept_call(l, j);
}

static void on_request(struct bench_load *l, struct bench_job *j, const struct bench_msg *m)
{
    switch (m->first.p[0]) {
    case 'I':
        on_invite(l, j, m);
        break;
    case 'A':
        dt__bench_still(j, BENCH_CALLEE);
        l->r.repeated += j->callee == CONFIRMED;
        l->r.disordered += j->callee == OVER;
        if (j->callee == ANSWERED)
            j->callee = CONFIRMED;
        break;
    case 'B':
        l->r.disordered += j->callee < CONFIRMED;
        l->r.repeated += j->callee == OVER;
        j->callee = OVER;
        dt__bench_still(j, BENCH_CALLEE);
        keep_answer(j, m);
        answer(l, j, bye_done);
        break;
    default:
        break;
    }
}

/* ---- both ---- */

static void message(struct bench_load *l, enum bench_end end, const struct bench_msg *m)
{
    struct bench_job *j = dt__bench_find(l, m->call_id);
    if (!j)
        l->r.late++;
    else if (m->status && end == BENCH_CALLER)
        on_response(l, j, m);
    else if (!m->status && end == BENCH_CALLEE)
        on_request(l, j, m);
}

static void due(struct bench_load *l, struct bench_job *j, enum bench_end end)
{
    if (end == BENCH_CALLEE && j->callee == ALERTING) {
        accept_call(l, j);
    } else if (end == BENCH_CALLEE) {
        answer(l, j, answered);
        dt__bench_repeat_more(l, j, end);
    } else if (j->caller == TALKING) {
        hang_up(l, j);
    } else {
        dt__bench_send(l, j, end, j->caller == HANGING_UP ? bye : invite, DT_STR_NONE);
        dt__bench_repeat_more(l, j, end);
    }
}

const struct bench_flow dt__bench_calls = {"calls", start, message, due};
