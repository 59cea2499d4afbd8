/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Registrations and questions (OPTIONS) for the load generator: one transaction, or two where the
 * registrar wants a digest. */
#include <stdlib.h>
#include <string.h>

#include "cmd/bench_load.h"
#include "dualtone/digest.h"
#include "io/io.h"

enum { FIRST, WITH_DIGEST };

/* The Call-ID and the Contact are those of the user, so a later REGISTER refreshes. */
#define REGISTER(suffix, cseq) \
    "REGISTER sip:%d SIP/2.0\r\nVia: SIP/2.0/UDP %a;branch=z9hG4bK%k" suffix ";rport\r\n" \
    "Max-Forwards: 70\r\nFrom: <sip:%u@%d>;tag=r%k\r\nTo: <sip:%u@%d>\r\n" \
    "Call-ID: %i-%u-%c@bench\r\nCSeq: " cseq " REGISTER\r\nContact: <sip:%u@%b;line=%c>\r\n" \
    "%zExpires: 3600\r\nUser-Agent: dualtone bench\r\nContent-Length: 0\r\n\r\n"
static const char first[] = REGISTER("f", "%n");
static const char second[] = REGISTER("d", "%m");
static const char question[] =
    "OPTIONS sip:%d SIP/2.0\r\nVia: SIP/2.0/UDP %a;branch=z9hG4bK%k;rport\r\nMax-Forwards: 70\r\n"
    "From: <sip:bench@%d>;tag=a%k\r\nTo: <sip:%d>\r\nCall-ID: %k@bench\r\nCSeq: 1 OPTIONS\r\n"
    "Contact: <sip:bench@%a>\r\nAccept: application/sdp\r\nUser-Agent: dualtone bench\r\n"
    "Content-Length: 0\r\n\r\n";

static void start_register(struct bench_load *l, struct bench_job *j)
{
    dt__bench_send(l, j, BENCH_CALLER, first, DT_STR_NONE);
    dt__bench_repeat(l, j, BENCH_CALLER);
}

/* The Authorization header into j->answer. False: we cannot. */
static bool authorize(struct bench_load *l, struct bench_job *j, struct dt_str value)
{
    struct dt_auth challenge;
    char user[16], uri[300];
    struct dt_writer w = dt_writer(j->answer, sizeof j->answer);
    struct dt_writer u = dt_writer(user, sizeof user), s = dt_writer(uri, sizeof uri);
    dt_writef(&u, "%07u", j->user);
    dt_writef(&s, "sip:%.*s", DT_FMT(l->o->domain));
    const struct dt_credentials who = {dt_writer_str(&u), l->o->password};
    if (dt_auth_parse(&challenge, value))
        return false;
    dt_write_lit(&w, "Authorization: ");
    int err = dt_digest_answer(&w, dt_io_hash, &challenge, &who, DT_STR("REGISTER"),
                               dt_writer_str(&s), DT_STR("5a3f91c2"), 1);
    dt_write_lit(&w, "\r\n");
    j->n_answer = (uint16_t)w.n;
    return !err && !w.err;
}

static void send_second(struct bench_load *l, struct bench_job *j)
{
    dt__bench_send(l, j, BENCH_CALLER, second, (struct dt_str){j->answer, j->n_answer});
}

static void on_challenge(struct bench_load *l, struct bench_job *j, const struct bench_msg *m)
{
    if (j->caller == WITH_DIGEST && dt_str_search(m->cseq, DT_STR("REGISTER")) < m->cseq.n &&
        strtoul(m->cseq.p + sizeof "CSeq:", NULL, 10) % 2 == 0) {
        l->r.repeated++; /* the first 401 once more */
        return;
    }
    if (j->caller == WITH_DIGEST || !authorize(l, j, m->challenge)) {
        dt__bench_fail(l, j, m->status);
        return;
    }
    j->caller = WITH_DIGEST;
    send_second(l, j);
    dt__bench_repeat(l, j, BENCH_CALLER);
}

static void message(struct bench_load *l, enum bench_end end, const struct bench_msg *m)
{
    struct bench_job *j = end == BENCH_CALLER && m->status ? dt__bench_find(l, m->vias[0]) : NULL;
    if (!j) {
        l->r.late++;
    } else if (m->status < 200) {
        dt__bench_still(j, end);
    } else if (m->status == 401 && l->o->digest) {
        on_challenge(l, j, m);
    } else if (m->status >= 300 ||
               (l->flow == &dt__bench_register && l->o->digest && j->caller == FIRST)) {
        dt__bench_fail(l, j, m->status); /* a 200 without a challenge is one too */
    } else {
        dt__bench_delay(l, j);
        dt__bench_end(l, j);
    }
}

static void due_register(struct bench_load *l, struct bench_job *j, enum bench_end end)
{
    if (j->caller == WITH_DIGEST)
        send_second(l, j);
    else
        dt__bench_send(l, j, BENCH_CALLER, first, DT_STR_NONE);
    dt__bench_repeat_more(l, j, end);
}

static void start_question(struct bench_load *l, struct bench_job *j)
{
    dt__bench_send(l, j, BENCH_CALLER, question, DT_STR_NONE);
    dt__bench_repeat(l, j, BENCH_CALLER);
}

static void due_question(struct bench_load *l, struct bench_job *j, enum bench_end end)
{
    dt__bench_send(l, j, BENCH_CALLER, question, DT_STR_NONE);
    dt__bench_repeat_more(l, j, end);
}

const struct bench_flow dt__bench_register = {"register", start_register, message, due_register};
const struct bench_flow dt__bench_ask = {"options", start_question, message, due_question};
