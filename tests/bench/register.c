/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Instructions that a registration costs one proxy, from what comes in to what lies in the outbox,
 * with the timers of the transactions until they are forgotten:
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_step \
 *     build/release/tests/bench/bench_register new|refreshed [digest] [ROUNDS]
 *
 * prints the sum of all rounds, in turns of USERS: with "new" each turn begins when the bindings of
 * the one before have run out, which is counted too. With a digest each is two transactions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/digest.h"
#include "io/io.h"
#include "node.h"

enum { ROUNDS = 4000, USERS = 1000, EXPIRES_S = 3600, APART_US = 50 };

static struct {
    bool refreshed, digest;
    unsigned long rounds, serial;
    char answer[1024];
} r = {.rounds = ROUNDS};

/* ---- the subscribers' file ---- */

static void write_subscriber(struct dt_writer *w, unsigned user)
{
    char name[16];
    struct dt_digest_hex ha1;
    snprintf(name, sizeof name, "%07u", user);
    if (dt_digest_ha1(dt_io_hash, DT_HASH_MD5, dt_str_z(name), DT_STR("example.com"),
                      DT_STR("secret"), &ha1))
        bench_die("no digest");
    dt_writef(w, "%s example.com MD5 %s\n", name, ha1.text);
}

static const char *subscribers(void)
{
    static char text[USERS * 80];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    for (unsigned i = 0; i < USERS; i++)
        write_subscriber(&w, i);
    return text;
}

/* ---- a registration ---- */

static void send_register(unsigned user, const char *credentials)
{
    char text[BENCH_TEXT];
    unsigned long serial = r.serial++;
    int n = snprintf(text, sizeof text,
                     "REGISTER sip:example.com SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP " BOB ";branch=z9hG4bK2f9c0a17%014lx;rport\r\n"
                     "Max-Forwards: 70\r\nFrom: <sip:%07u@example.com>;tag=r%022lx\r\n"
                     "To: <sip:%07u@example.com>\r\nCall-ID: 2f9c0a17-%07u-0@bench\r\n"
                     "CSeq: %lu REGISTER\r\nContact: <sip:%07u@" BOB ";line=0>\r\n"
                     "%sExpires: %d\r\nUser-Agent: dualtone bench\r\nContent-Length: 0\r\n\r\n",
                     serial, user, serial, user, user, serial + 1, user, credentials, EXPIRES_S);
    bench_receive(&b.bob, (struct dt_str){text, (size_t)n});
}

/* What the 401 asks for. */
static const char *credentials(unsigned user)
{
    struct dt_sip_msg m;
    struct dt_auth challenge;
    char name[16];
    struct dt_writer w = dt_writer(r.answer, sizeof r.answer - 1);
    snprintf(name, sizeof name, "%07u", user);
    const struct dt_credentials who = {dt_str_z(name), DT_STR("secret")};
    bench_must_be(1, "SIP/2.0 401");
    if (dt_sip_parse(&m, dt_bytes_str(b.last[1]), b.headers, DT_MSG_HEADERS_MAX) ||
        dt_auth_parse(&challenge, dt_sip_get(&m, DT_H_WWW_AUTHENTICATE)))
        bench_die("no challenge");
    dt_write_lit(&w, "Authorization: ");
    if (dt_digest_answer(&w, dt_io_hash, &challenge, &who, DT_STR("REGISTER"),
                         DT_STR("sip:example.com"), DT_STR("5a3f91c2"), 1))
        bench_die("no answer");
    dt_write_lit(&w, "\r\n");
    r.answer[w.n] = '\0';
    return r.answer;
}

static void one(unsigned user)
{
    send_register(user, "");
    if (r.digest)
        send_register(user, credentials(user));
    bench_must_be(1, "SIP/2.0 200");
    bench_until(b.now + APART_US);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "refreshed"))
            r.refreshed = true;
        else if (!strcmp(argv[i], "digest"))
            r.digest = true;
        else if (strcmp(argv[i], "new"))
            r.rounds = strtoul(argv[i], NULL, 10);
    }
    bench_open(r.digest ? subscribers() : NULL);
    for (unsigned long i = 0; i < r.rounds; i++) {
        if (i % USERS == 0 && !r.refreshed)
            bench_until(b.now + (EXPIRES_S + 60) * DT_SECOND);
        one((unsigned)(i % USERS));
    }
    if (r.refreshed) /* the last turn's bindings run out */
        bench_until(b.now + (EXPIRES_S + 60) * DT_SECOND);
    bench_close();
    printf("%lu registrations\n", r.rounds);
    return 0;
}
