/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A user agent against scripted peers: challenges, redirections, forks, and requests that are wrong
 * in one way each. */
#include "ua_kit.h"

#include <stdio.h>
#include <string.h>

static struct net net;
static struct net_party *a, *p;
static struct dt_sip_msg *kept; /* the last INVITE that P got */

static void keep(const struct dt_sip_msg *m)
{
    dt_sip_msg_drop(kept);
    kept = dt_sip_msg_keep(&dt_alloc_libc, m);
}

static char a_tag[64]; /* To tag of A's last answer */

static void note_tag(const struct dt_sip_msg *m)
{
    if (!m->request && m->to.tag.n)
        snprintf(a_tag, sizeof(a_tag), "%.*s", DT_FMT(m->to.tag));
}

static void just_keep(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                      struct net_party *from)
{
    (void)n;
    (void)from;
    self->got++;
    note_tag(m);
    if (m->request && m->method == DT_INVITE)
        keep(m);
}

static void open_peer(net_peer peer, const struct dt_ua_config *cfg)
{
    net_init(&net);
    a = net_ua(&net, "A", cfg);
    p = net_script(&net, "P", peer);
}

static void close_peer(void)
{
    net_quiet_end(&net);
    net_free(&net);
    dt_sip_msg_drop(kept);
    kept = NULL;
}

/* ---- challenges ---- */

#define CHALLENGE "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n"

/* Wants credentials for each request but ACK and CANCEL, and takes any. */
static void wants_credentials(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                              struct net_party *from)
{
    if (m->method == DT_INVITE)
        keep(m);
    if (!m->request || m->method == DT_ACK)
        return;
    if (!dt_sip_first(m, DT_H_PROXY_AUTHORIZATION))
        net_respond(n, self, from, m, 407, "c", CHALLENGE, NULL);
    else
        net_respond(n, self, from, m, 200, "c", NULL, m->method == DT_INVITE ? net_sdp : NULL);
}

static void challenge(void **state)
{
    struct dt_auth auth;

    (void)state;
    open_peer(wants_credentials, NULL);
    net_dial(&net, a, p, NULL, NULL);
    net_until(&net, 1000);
    assert_int_equal(dt_auth_parse(&auth, dt_sip_get(kept, DT_H_PROXY_AUTHORIZATION)), DT_OK);
    kit_assert_str(auth.username, "alice");
    kit_assert_str(auth.nc, "00000001");
    kit_assert_str(auth.uri, "sip:bob@192.0.2.2:5060");
    assert_int_equal(kept->to.tag.n, 0);
    net_hold(&net, a, true); /* the same nonce, counted on */
    net_until(&net, 2000);
    assert_int_equal(dt_auth_parse(&auth, dt_sip_get(kept, DT_H_PROXY_AUTHORIZATION)), DT_OK);
    kit_assert_str(auth.nc, "00000002");
    net_hangup(&net, a);
    net_until(&net, 3000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "0 P > A 407 INVITE\n"
                   "0 A > P ACK 1\n"
                   "0 A > P INVITE 2\n"
                   "0 P > A 200 INVITE\n"
                   "0 A is talking\n"
                   "0 A hears sendrecv\n"
                   "0 A > P ACK 2\n"
                   "1000 A > P INVITE 3\n"
                   "1000 P > A 200 INVITE\n"
                   "1000 A hears sendonly\n"
                   "1000 A > P ACK 3\n"
                   "2000 A is ending\n"
                   "2000 A hears nothing\n"
                   "2000 A > P BYE 4\n"
                   "2000 P > A 200 BYE\n"
                   "2000 A ended 0\n");
    close_peer();
}

/* Takes credentials with the newest nonce only, "n" and the number of those that have run out. */
static void wants_fresh_nonce(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                              struct net_party *from)
{
    struct dt_auth auth;
    char line[200], nonce[16];

    if (m->method == DT_INVITE)
        keep(m);
    if (!m->request || m->method == DT_ACK)
        return;
    snprintf(nonce, sizeof(nonce), "n%d", self->got);
    snprintf(line, sizeof(line),
             "Proxy-Authenticate: Digest realm=\"r\", nonce=\"%s\", qop=\"auth\", stale=true\r\n",
             nonce);
    if (dt_auth_parse(&auth, dt_sip_get(m, DT_H_PROXY_AUTHORIZATION)) != DT_OK ||
        !dt_str_eq(auth.nonce, dt_str_z(nonce)))
        net_respond(n, self, from, m, 407, "c", line, NULL);
    else
        net_respond(n, self, from, m, 200, "c", NULL, m->method == DT_INVITE ? net_sdp : NULL);
}

/* In a call, too, what is asked again with credentials is a request of its own (22.2, I11). */
static void nonces_run_out_in_a_call(void **state)
{
    struct dt_auth auth;

    (void)state;
    open_peer(wants_fresh_nonce, NULL);
    net_dial(&net, a, p, NULL, NULL);
    net_until(&net, 1000);
    net_hush(&net);
    p->got++;
    net_hold(&net, a, true);
    net_until(&net, 2000);
    assert_int_equal(dt_auth_parse(&auth, dt_sip_get(kept, DT_H_PROXY_AUTHORIZATION)), DT_OK);
    kit_assert_str(auth.nonce, "n1");
    kit_assert_str(auth.nc, "00000001");
    p->got++;
    net_hangup(&net, a);
    net_until(&net, 3000);
    net_flow(&net, "1000 A > P INVITE 3\n"
                   "1000 P > A 407 INVITE\n"
                   "1000 A > P ACK 3\n"
                   "1000 A > P INVITE 4\n"
                   "1000 P > A 200 INVITE\n"
                   "1000 A hears sendonly\n"
                   "1000 A > P ACK 4\n"
                   "2000 A is ending\n"
                   "2000 A hears nothing\n"
                   "2000 A > P BYE 5\n"
                   "2000 P > A 407 BYE\n"
                   "2000 A > P BYE 6\n"
                   "2000 P > A 200 BYE\n"
                   "2000 A ended 0\n");
    close_peer();
}

/* A nonce that is never good enough: three tries, then the 407 ends the call (I28). */
static void always_asks(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                        struct net_party *from)
{
    char line[200];

    if (!m->request || m->method == DT_ACK)
        return;
    snprintf(line, sizeof(line), "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n%d\"\r\n",
             self->got++);
    net_respond(n, self, from, m, 407, "c", line, NULL);
}

static void three_tries(void **state)
{
    (void)state;
    open_peer(always_asks, NULL);
    net_dial(&net, a, p, NULL, NULL);
    net_until(&net, 1000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "0 P > A 407 INVITE\n"
                   "0 A > P ACK 1\n"
                   "0 A > P INVITE 2\n"
                   "0 P > A 407 INVITE\n"
                   "0 A > P ACK 2\n"
                   "0 A > P INVITE 3\n"
                   "0 P > A 407 INVITE\n"
                   "0 A ended 407 by peer\n"
                   "0 A > P ACK 3\n");
    close_peer();
}

/* The same nonce refused: the password is wrong, a third try would not help. */
static void refuses(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                    struct net_party *from)
{
    if (m->request && m->method != DT_ACK)
        net_respond(n, self, from, m, 407, "c", CHALLENGE, NULL);
}

static void wrong_password(void **state)
{
    (void)state;
    open_peer(refuses, NULL);
    net_dial(&net, a, p, NULL, NULL);
    net_until(&net, 1000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "0 P > A 407 INVITE\n"
                   "0 A > P ACK 1\n"
                   "0 A > P INVITE 2\n"
                   "0 P > A 407 INVITE\n"
                   "0 A ended 407 by peer\n"
                   "0 A > P ACK 2\n");
    close_peer();
}

static void no_credentials(void **state)
{
    struct dt_outgoing o;

    (void)state;
    open_peer(refuses, NULL);
    net_outgoing(&o, a, "sip:bob@192.0.2.2", NULL, NULL);
    o.identity.credentials = (struct dt_credentials){{NULL, 0}, {NULL, 0}};
    net_call(&net, a, &o);
    net_until(&net, 1000);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "0 P > A 407 INVITE\n"
                   "0 A ended 407 by peer\n"
                   "0 A > P ACK 1\n");
    close_peer();
}

/* ---- redirection ---- */

static struct net_party *q;
static void redirects(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                      struct net_party *from)
{
    if (m->request && m->method == DT_INVITE)
        net_respond(n, self, from, m, 302, "m",
                    "Contact: <sip:low@192.0.2.9>;q=0.1, <sip:carol@192.0.2.3>;q=0.9, "
                    "<mailto:x@y>\r\n",
                    NULL);
}

static void moved(void **state)
{
    (void)state;
    open_peer(redirects, NULL);
    q = net_script(&net, "Q", just_keep);
    net_dial(&net, a, p, NULL, NULL);
    net_until(&net, 100);
    kit_assert_str(kept->uri_text, "sip:carol@192.0.2.3");
    kit_assert_str(kept->to.uri.text, "sip:bob@192.0.2.2:5060");
    net_respond(&net, q, a, kept, 404, "q", NULL, NULL);
    net_until(&net, 200);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "0 P > A 302 INVITE\n"
                   "0 A > P ACK 1\n"
                   "0 A > Q INVITE 2\n"
                   "100 Q > A 404 INVITE\n"
                   "100 A ended 404 by peer\n"
                   "100 A > Q ACK 2\n");
    close_peer();
}

/* Round and round: bounded. */
static void moves_on(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                     struct net_party *from)
{
    char line[100];

    if (!m->request || m->method != DT_INVITE)
        return;
    snprintf(line, sizeof(line), "Contact: <sip:x%d@192.0.2.2>\r\n", self->got++);
    net_respond(n, self, from, m, 302, "m", line, NULL);
}

static void moved_for_ever(void **state)
{
    (void)state;
    open_peer(moves_on, NULL);
    net.quiet = true;
    net_dial(&net, a, p, NULL, NULL);
    net_until(&net, 100);
    assert_int_equal(p->got, 1 + DT_ATTEMPT_REDIRECTS);
    assert_int_equal(a->end.status, 302);
    close_peer();
}

/* ---- forks ---- */

/* I13: the second 200 gets ACK and BYE; a repeat of either its own ACK, and no BYE again. */
static void two_answers(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    net_dial(&net, a, p, NULL, NULL);
    net_until(&net, 100);
    net_respond(&net, p, a, kept, 180, "x", NULL, NULL);
    net_respond(&net, p, a, kept, 180, "y", NULL, NULL);
    net_respond(&net, p, a, kept, 200, "x", NULL, net_sdp);
    net_respond(&net, p, a, kept, 200, "y", NULL, net_sdp);
    net_settle(&net);
    net_respond(&net, p, a, kept, 200, "x", NULL, net_sdp);
    net_respond(&net, p, a, kept, 200, "y", NULL, net_sdp);
    net_settle(&net);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "100 P > A 180 INVITE\n"
                   "100 P > A 180 INVITE\n"
                   "100 P > A 200 INVITE\n"
                   "100 P > A 200 INVITE\n"
                   "100 A is ringing\n"
                   "100 A is talking\n"
                   "100 A hears sendrecv\n"
                   "100 A > P ACK 1\n"
                   "100 A > P ACK 1\n"
                   "100 A > P BYE 2\n"
                   "100 P > A 200 INVITE\n"
                   "100 P > A 200 INVITE\n"
                   "100 A > P ACK 1\n"
                   "100 A > P ACK 1\n");
    assert_int_equal(a->state, DT_CALL_TALKING);
    net_hangup(&net, a);
    close_peer();
}

/* A 200 without a description, or with one that is none: ACK, BYE (13.2.1). */
static void no_description(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    net_dial(&net, a, p, NULL, NULL);
    net_respond(&net, p, a, kept, 200, "x", NULL, NULL);
    net_until(&net, 100);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "0 P > A 200 INVITE\n"
                   "0 A is ending\n"
                   "0 A > P ACK 1\n"
                   "0 A > P BYE 2\n");
    close_peer();
    assert_int_equal(a->end.err, DT_E_ABSENT);
}

/* 183 with a description: early media; the 200 decides. */
static void early_media(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    net_dial(&net, a, p, NULL, NULL);
    net_respond(&net, p, a, kept, 183, "x", NULL, net_sdp);
    net_settle(&net);
    net_respond(&net, p, a, kept, 200, "x", NULL, net_sdp);
    net_settle(&net);
    net_flow(&net, "0 A > P INVITE 1\n"
                   "0 P > A 183 INVITE\n"
                   "0 A hears sendrecv\n"
                   "0 P > A 200 INVITE\n"
                   "0 A is talking\n"
                   "0 A hears sendrecv\n"
                   "0 A > P ACK 1\n");
    net_hangup(&net, a);
    close_peer();
}

/* A challenge that belongs to nothing is answered by nobody (CVE-2021-41158). */
static void stray_challenge(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    net_send(&net, p, a,
             "SIP/2.0 407 x\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnone\n"
             "From: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: z\nCSeq: 1 INVITE\n" CHALLENGE
             "Content-Length: 0\n\n");
    net_until(&net, 1000);
    net_flow(&net, "0 P > A 407 INVITE\n");
    close_peer();
}

/* ---- requests, each wrong in one way ---- */

static const char *wanted; /* what the next final must hold */
static void look_at(struct net *n, struct net_party *self, const struct dt_sip_msg *m,
                    struct net_party *from)
{
    (void)n;
    (void)from;
    if (m->request)
        return;
    note_tag(m);
    self->got++;
    if (wanted && m->status >= 200 && dt_str_search(m->text, dt_str_z(wanted)) == m->text.n)
        fail_msg("no \"%s\" in:\n%.*s", wanted, DT_FMT(m->text));
}

/* A request from P; `extra` are header lines. */
static void say_request(const char *method, unsigned cseq, const char *to_tag, const char *branch,
                        const char *extra, const char *body)
{
    char text[4096];

    snprintf(text, sizeof(text),
             "%s sip:alice@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK%s\n"
             "Max-Forwards: 70\nFrom: <sip:p@192.0.2.2>;tag=pt\nTo: <sip:alice@192.0.2.1>%s%s\n"
             "Call-ID: c1\nCSeq: %u %s\n%sContent-Length: %zu\n\n%s",
             method, branch, to_tag ? ";tag=" : "", to_tag ? to_tag : "", cseq, method, extra,
             strlen(body), body);
    net_send(&net, p, a, text);
    net_settle(&net);
}

static void request(const char *method, const char *to_tag, const char *branch, const char *extra,
                    const char *body)
{
    say_request(method, 7, to_tag, branch, extra, body);
}

/* Inside the dialog that A's last answer made. */
static void tagged(const char *method, unsigned cseq, const char *branch, const char *extra,
                   const char *body)
{
    say_request(method, cseq, a_tag, branch, extra, body);
}

#define CONTACT "Contact: <sip:p@192.0.2.2>\n"
#define SDP "Content-Type: application/sdp\n"

/* The 200 was lost and the callee gave up waiting for its ACK: its BYE ends what A thinks is
 * ringing (I12); the same from somebody who does not know A's tag does not. */
static void bye_before_answer(void **state)
{
    char text[400];
    (void)state;
    open_peer(just_keep, NULL);
    net_dial(&net, a, p, NULL, NULL);
    net_until(&net, 100);
    net_respond(&net, p, a, kept, 180, "t", NULL, NULL);
    net_until(&net, 32000);
    net_hush(&net);
    for (int good = 0; good < 2; good++) {
        snprintf(text, sizeof text,
                 "BYE sip:alice@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKe%d\n"
                 "Max-Forwards: 70\nFrom: <sip:bob@192.0.2.2>;tag=t\n"
                 "To: <sip:alice@192.0.2.1>;tag=%.*s\nCall-ID: %.*s\nCSeq: 1 BYE\n"
                 "Content-Length: 0\n\n",
                 good, DT_FMT(good ? kept->from.tag : DT_STR("x")), DT_FMT(kept->call_id));
        net_send(&net, p, a, text);
        net_settle(&net);
    }
    net_flow(&net, "32000 P > A BYE 1\n"
                   "32000 A > P 481 BYE\n"
                   "32000 P > A BYE 1\n"
                   "32000 A ended 0 by peer\n"
                   "32000 A > P 200 BYE\n"
                   "32000 A > P CANCEL 1\n");
    close_peer();
}

static void wrong_requests(void **state)
{
    static const struct {
        const char *method, *to_tag, *extra, *body;
        int status;
        const char *header; /* that the answer has */
    } rows[] = {
        {"INVITE", NULL, CONTACT "Require: 100rel, foo\n", "", 420, "Unsupported: 100rel, foo"},
        {"INVITE", NULL, CONTACT "Content-Type: text/plain\n", "hello", 415, "Accept: app"},
        {"INVITE", NULL, "", "", 400, NULL},
        {"INVITE", "none", CONTACT, "", 481, NULL},
        {"BYE", "none", "", "", 481, NULL},
        {"BYE", NULL, "", "", 481, NULL},
        {"CANCEL", NULL, "", "", 481, NULL},
        {"INFO", NULL, "", "", 405, "Allow: INVITE"},
        {"MESSAGE", NULL, "", "", 405, "Allow: INVITE"},
        {"DANCE", NULL, "", "", 501, "Allow: INVITE"},
        {"OPTIONS", NULL, "", "", 200, "Accept: application/sdp"},
        {"OPTIONS", NULL, "Require: foo\n", "", 420, "Unsupported: foo"},
    };

    (void)state;
    open_peer(just_keep, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char want[100], branch[8];
        net_hush(&net);
        snprintf(branch, sizeof(branch), "w%zu", i);
        p->peer = look_at;
        p->got = 0;
        wanted = rows[i].header;
        request(rows[i].method, rows[i].to_tag, branch, rows[i].extra, rows[i].body);
        snprintf(want, sizeof(want), "%d %s\n", rows[i].status, rows[i].method);
        assert_non_null(strstr(net.log, want));
        assert_int_equal(p->got, 1);
    }
    wanted = NULL;
    request("ACK", "none", "ack", "", ""); /* I8: no answer */
    assert_non_null(strstr(net.log, "P > A ACK 7\n"));
    assert_null(strstr(strstr(net.log, "P > A ACK 7\n"), "A > P"));
    assert_int_equal(a->rings, 0);
    close_peer();
}

/* 8.2.2.2: the same INVITE by another branch while the first one rings. */
static void merged(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    request("INVITE", NULL, "m1", CONTACT, "");
    request("INVITE", NULL, "m2", CONTACT, "");
    net_flow(&net, "0 P > A INVITE 7\n"
                   "0 A is called as alice\n"
                   "0 P > A INVITE 7\n"
                   "0 A > P 482 INVITE\n");
    net_hangup(&net, a);
    close_peer();
}

/* R11: long after the end a copy of the INVITE gets the final that it had, and rings nobody; when
 * that is over too, it is a new call. */
static void late_copy(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    a->ring_after = 0;
    request("INVITE", NULL, "l1", CONTACT "Expires: 60\n", "");
    net_reject(&net, a, 603);
    request("ACK", NULL, "l1", "", "");
    net_until(&net, 91000);
    net_hush(&net);
    request("INVITE", NULL, "l1", CONTACT "Expires: 60\n", "");
    request("ACK", NULL, "l1", "", "");
    net_flow(&net, "91000 P > A INVITE 7\n"
                   "91000 A > P 603 INVITE\n"
                   "91000 P > A ACK 7\n");
    assert_int_equal(a->rings, 1);
    net_until(&net, 191000);
    request("INVITE", NULL, "l1", CONTACT "Expires: 60\n", "");
    assert_int_equal(a->rings, 2);
    net_hangup(&net, a);
    close_peer();
}

/* From a proxy: 100 at once (guide: step 11 of 4.2). Expires runs out: 408 (guide 8.0). */
static void through_a_proxy(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    a->ring_after = 0;
    request("INVITE", NULL, "v1",
            CONTACT "Expires: 10\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK0\n", "");
    net_until(&net, 10000);
    request("ACK", NULL, "v1", "", "");
    net_until(&net, 11000);
    net_flow(&net, "0 P > A INVITE 7\n"
                   "0 A is called as alice\n"
                   "0 A is ringing\n"
                   "0 A > P 100 INVITE\n"
                   "0 A > P 180 INVITE\n"
                   "10000 A ended 408: no answer in time\n"
                   "10000 A > P 408 INVITE\n"
                   "10000 P > A ACK 7\n");
    assert_int_equal(a->end.err, DT_E_TIMEOUT);
    close_peer();
}

/* No description in the INVITE: ours is the offer, theirs comes in the ACK (13.2.2.4). */
static void offer_in_answer(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    a->ring_after = a->answer_after = 0;
    request("INVITE", NULL, "o1", CONTACT, "");
    tagged("ACK", 7, "o2", SDP, net_sdp);
    net_flow(&net, "0 P > A INVITE 7\n"
                   "0 A is called as alice\n"
                   "0 A is ringing\n"
                   "0 A > P 180 INVITE\n"
                   "0 A is talking\n"
                   "0 A > P 200 INVITE\n"
                   "0 P > A ACK 7\n"
                   "0 A hears sendrecv\n");
    tagged("BYE", 8, "o3", "", "");
    close_peer();
}

/* Nothing in common: 488 with Warning 304. */
static void no_codec(void **state)
{
    (void)state;
    open_peer(look_at, NULL);
    wanted = "Warning: 304 ";
    a->answer_after = 0;
    request("INVITE", NULL, "n1", CONTACT SDP,
            "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
            "m=audio 4000 RTP/AVP 18\r\n");
    request("ACK", NULL, "n1", "", "");
    net_flow(&net, "0 P > A INVITE 7\n"
                   "0 A is called as alice\n"
                   "0 A ended 488: not supported\n"
                   "0 A > P 488 INVITE\n"
                   "0 P > A ACK 7\n");
    assert_int_equal(a->end.err, DT_E_UNSUPPORTED);
    close_peer();
}

/* I11: a lower CSeq gets 500, an equal one in another transaction too. */
static void low_cseq(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    a->ring_after = a->answer_after = 0;
    request("INVITE", NULL, "s1", CONTACT SDP, net_sdp);
    tagged("ACK", 7, "s2", "", "");
    net_hush(&net);
    tagged("INFO", 6, "s3", "", "");
    tagged("INVITE", 7, "s4", CONTACT SDP, net_sdp);
    tagged("INFO", 9, "s5", "", "");
    tagged("BYE", 10, "s6", "", "");
    net_flow(&net, "0 P > A INFO 6\n"
                   "0 A > P 500 INFO\n"
                   "0 P > A INVITE 7\n"
                   "0 A > P 500 INVITE\n"
                   "0 P > A INFO 9\n"
                   "0 A > P 405 INFO\n"
                   "0 P > A BYE 10\n"
                   "0 A hears nothing\n"
                   "0 A ended 0 by peer\n"
                   "0 A > P 200 BYE\n");
    close_peer();
}

/* BYE of the caller while it rings (15): 200, and 487 to the INVITE. */
static void early_bye(void **state)
{
    (void)state;
    open_peer(just_keep, NULL);
    a->ring_after = 0;
    request("INVITE", NULL, "e1", CONTACT, "");
    tagged("BYE", 8, "e2", "", "");
    request("ACK", NULL, "e1", "", "");
    net_flow(&net, "0 P > A INVITE 7\n"
                   "0 A is called as alice\n"
                   "0 A is ringing\n"
                   "0 A > P 180 INVITE\n"
                   "0 P > A BYE 8\n"
                   "0 A ended 487 by peer\n"
                   "0 A > P 200 BYE\n"
                   "0 A > P 487 INVITE\n"
                   "0 P > A ACK 7\n");
    close_peer();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenge),       cmocka_unit_test(nonces_run_out_in_a_call),
        cmocka_unit_test(three_tries),     cmocka_unit_test(wrong_password),
        cmocka_unit_test(no_credentials),  cmocka_unit_test(moved),
        cmocka_unit_test(moved_for_ever),  cmocka_unit_test(two_answers),
        cmocka_unit_test(no_description),  cmocka_unit_test(early_media),
        cmocka_unit_test(stray_challenge), cmocka_unit_test(bye_before_answer),
        cmocka_unit_test(wrong_requests),  cmocka_unit_test(merged),
        cmocka_unit_test(late_copy),       cmocka_unit_test(through_a_proxy),
        cmocka_unit_test(offer_in_answer), cmocka_unit_test(no_codec),
        cmocka_unit_test(low_cseq),        cmocka_unit_test(early_bye),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
