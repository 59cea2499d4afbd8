/* SPDX-License-Identifier: BSD-2-Clause
 *
 * bench_parser_NAME parse|forward [ROUNDS]: looks once whether the job is done as parser.h asks for
 * it, then does it ROUNDS times and prints the nanoseconds of CPU time that one took. Instructions:
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_parse \
 *       build/release/tests/bench/bench_parser_dualtone parse 999
 *
 * prints the sum of these rounds and of the one before them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "invite.h"
#include "parser.h"

enum { ROUNDS = 1000, OUT = 4096 };

static void die(const char *what)
{
    fprintf(stderr, "bench_parser: %s\n", what);
    exit(1);
}

/* ---- is it the same job? ---- */

#define FIELDS(X) \
    X(vias, 1) \
    X(routes, 1) \
    X(record_routes, 0) \
    X(contacts, 1) \
    X(credentials, 0) \
    X(cseq, 101) \
    X(max_forwards, 70) \
    X(content_length, 290) \
    X(method, strlen("INVITE")) \
    X(uri_user, strlen("+13145551234")) \
    X(uri_host, strlen("proxy.example.com")) \
    X(via_host, strlen("192.0.2.101")) \
    X(branch, strlen("z9hG4bK776asdhds83f2a")) \
    X(route_host, strlen("proxy.example.com")) \
    X(from_user, strlen("1001")) \
    X(from_tag, strlen("003094c3f2a10d2e5a7b")) \
    X(to_host, strlen("example.com")) \
    X(to_tag, 0) \
    X(call_id, strlen("003094c3-8c4a0011-23f0a1b2-71c9d3e4@192.0.2.101")) \
    X(contact_user, strlen("1001"))

static void look_at_parse(struct bench_text text)
{
    struct bench_found f = {.vias = 0};
    if (!bench_parse(text, &f))
        die("the message was refused");
#define X(field, want) \
    if (f.field != (want)) \
        die(#field " is not what it should be");
    FIELDS(X)
#undef X
}

/* Where `what` stands in the message, which must have it; names may be in any case. */
static size_t place(const char *out, const char *what)
{
    const char *hit = strcasestr(out, what);
    if (!hit)
        die(what);
    return (size_t)(hit - out);
}

static void look_at_forward(struct bench_text text)
{
    static const char *const kept[] = {"z9hG4bK776asdhds83f2a", "proxy.example.com;lr",
                                       "003094c3f2a10d2e5a7b",  "003094c3-8c4a0011-23f0a1b2",
                                       "<sip:1001@192.0.2.101", "101 INVITE",
                                       "dualtone/0.1",          "timer",
                                       "Expires: 180",          "application/sdp",
                                       "Max-Forwards: 69\r\n",  BENCH_RECORD_ROUTE,
                                       BENCH_VIA_OURS};
    static char out[OUT + 1];
    size_t n = bench_forward(text, out, OUT);
    const char *body = strstr(text.p, "\r\n\r\n");
    if (place(out, "INVITE " BENCH_URI " SIP/2.0\r\n"))
        die("the first line is another");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        place(out, kept[i]);
    if (place(out, BENCH_VIA_BRANCH) > place(out, kept[0]))
        die("the new Via is not the top one");
    if (strcmp(out + place(out, "\r\n\r\n"), body) || strlen(out) != n)
        die("the body is another");
}

/* ---- the rounds ---- */

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    struct bench_text text;
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS;
    bool forward = argc > 1 && !strcmp(argv[1], "forward");
    text.p = bench_invite(&text.n);
    if (!text.p || !rounds || argc < 2 || (!forward && strcmp(argv[1], "parse")))
        die("usage: bench_parser_NAME parse|forward [ROUNDS]");
    bench_start();
    if (forward)
        look_at_forward(text);
    else
        look_at_parse(text);
    double start = cpu_ns();
    for (unsigned long i = 0; i < rounds; i++)
        if (forward ? !bench_forward(text, NULL, 0) : !bench_parse(text, NULL))
            die("the message was refused");
    printf("%.1f\n", (cpu_ns() - start) / (double)rounds);
    return 0;
}
