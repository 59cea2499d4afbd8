/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which invariants of reliability.md 4 a random world is judged by, where, and under which faults
 * not; what is not judged here says why. */
#include "run.h"

#include <stdio.h>

struct judged {
    const char *invariant, *where, *but;
};
static const struct judged table[] = {
    {"I1", "record",
     "a 503 before the bindings are known (R12), a 2xx behind a failure (16.7 step 5)"},
    {"I2", "events: a call ends once", "a phone that lacked memory may have lost an event"},
    {"I3", "each packet: no request behind its final or 64 T1; by I36: none is left",
     "requests that twins get both (R22), proxies' CANCEL; server side: test_stack_servers"},
    {"I4", "each packet over UDP, times to 0.5 %; over TCP with one proxy",
     "requests that twins get both (R22), an INVITE that a pair forwards, its REGISTER, a proxy's "
     "CANCEL; silent ones of proxies only"},
    {"I5", "each final sent: equal but for the first Via",
     "a node that lacked memory; not what the user layer sees"},
    {"I6", "record", ""},
    {"I7", "record", "a proxy of a pair may cancel early (R24)"},
    {"I8", "record",
     "a copy that comes to a proxy when its transaction is over (64 T1; T4 behind the ACK of a "
     "failure) begins anew"},
    {"I9", "each packet: branches of what is new and of what comes again, To tags",
     "over TCP a lost connection makes another attempt; From tag and Call-ID may come again (R26); "
     "482: test_ua_peers"},
    {"I10", "200 ms after each new INVITE",
     "nodes that hang, end, lack memory or are younger than 3 s (R12)"},
    {"I11", "record", "another path: equal CSeq (R25, RFC 3263 4.3)"},
    {"I12", "events: nothing is left when all have hung up",
     "before that a phone whose other side was "
     "killed goes on talking: no session timers yet (I17)"},
    {"I13", "record",
     "phones that are not ours, or that were started anew, forget; what was cancelled, or one "
     "twin has challenged, rings again"},
    {"I14", "events: sound ends with the call", "a phone that lacked memory; not the 32 s"},
    {"I15",
     "each re-INVITE, SDP and answer of a phone: one offer, 2.1 s after glare, m-lines, versions",
     "over TCP, or with something unheard, an offer may be lost; a taken-back version counts"},
    {"I16", "each request of a phone in a dialog, beside what Record-Route had", ""},
    {"I20", "each request and response beside what came; Record-Route of each INVITE",
     "a pair's ACK: its Via, Route and Max-Forwards only; CANCEL; challenges, which are gathered"},
    {"I21", "record, as I1; after a 2xx each other path that speaks is cancelled",
     "over TCP, who was started anew; nobody here says 6xx"},
    {"I22", "each INVITE that loops, in worlds with bindings that lead back (one of 32)", ""},
    {"I23", "record", "no address, broadcast"},
    {"I24", "quiescence", ""},
    {"I25", "each 200 to a REGISTER, beside it; quiescence: none outlives its time",
     "read or written with a wrong wall clock it lives so much longer; "
     "a REGISTER hardly ever overtakes another here: test_store_location"},
    {"I26", "quiescence: the same bindings in both",
     "a node that took its twin's address; clocks that differed by more than a minute"},
    {"I29", "each message sent can be read; each 8th is built again, passed on and answered",
     "that what is rejected leaves no trace: fuzz_stack"},
    {"I30", "each response over UDP, beside its request", ""},
    {"I31", "each turn: at most 2000 at one moment", "not its 5 ms: no timed test"},
    {"I33", "each packet, in worlds with media (one of 128)", "no SRTP yet"},
    {"I34", "each frame heard, each stream's counts at its end, there",
     "that each frame in time is heard: of streams with less than 10 ms of jitter, where no "
     "phone's clock is wrong; no exact counts "
     "where RFC 3550 A.1 may doubt a number"},
    {"I35", "-", "no DTMF yet"},
    {"I36", "quiescence: objects; end: memory", ""},
    {"I37", "each message, in worlds with narrow proxies (one of 32): max_transactions",
     "the other caps are the defaults: test_stack_bounds, test_proxy_bounds"},
    {"I38", "by the sanitizers, where they are built in", ""},
    {"I39", "by all of these, in worlds where allocations fail", ""},
    {"I40", "each 16th seed is played twice", ""},
};

void judged_print(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        printf("%-12s %s%s%s\n", table[i].invariant, table[i].where, *table[i].but ? "; but: " : "",
               table[i].but);
}
