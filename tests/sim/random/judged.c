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
    {"I3", "by I36: none is left", "not how long each lasted"},
    {"I4", "-", "not yet: counts of sends under faults; exact in flow 4.2"},
    {"I5", "-", "not yet: unit tests of the stack"},
    {"I6", "record", ""},
    {"I7", "record", "a proxy of a pair may cancel early (R24)"},
    {"I8", "record",
     "a copy that comes to a proxy when its transaction is over (64 T1; T4 behind the ACK of a "
     "failure) begins anew"},
    {"I9", "-", "not yet: unit tests of the proxy"},
    {"I10", "-", "not yet: a node that hangs or drops (R12) has to be told apart"},
    {"I11", "record", "another path: equal CSeq (R25, RFC 3263 4.3)"},
    {"I12", "events: nothing is left when all have hung up",
     "before that a phone whose other side was "
     "killed goes on talking: no session timers yet (I17)"},
    {"I13", "record",
     "phones that are not ours, or that were started anew, forget; what was cancelled rings again "
     "for a later CSeq"},
    {"I14", "events: sound ends with the call", "a phone that lacked memory; not the 32 s"},
    {"I15", "-", "not yet: glare is played, its end judged by I12 and I36 only"},
    {"I16", "-", "not yet: unit tests of the dialog"},
    {"I20", "-", "not yet: unit tests of the proxy"},
    {"I21", "record, as I1", "not that all others are cancelled"},
    {"I22", "-", "no loop can be built here: no forwarding yet"},
    {"I23", "record", "no address, broadcast"},
    {"I24", "quiescence", ""},
    {"I25", "quiescence: none outlives its time",
     "read with a wrong wall clock it lives so much longer; "
     "not the order of CSeq"},
    {"I26", "-", "not yet: as many bindings in both"},
    {"I29", "-", "fuzzers"},
    {"I30", "-", "unit tests of the stack"},
    {"I31", "each turn: at most 2000 at one moment", "not its 5 ms: no timed test"},
    {"I33", "each packet, in worlds with media (one of 128)", "no SRTP yet"},
    {"I34", "each frame heard, each stream's counts at its end, there",
     "that each frame in time is heard: of streams with less than 10 ms of jitter; no exact counts "
     "where RFC 3550 A.1 may doubt a number"},
    {"I35", "-", "no DTMF yet"},
    {"I36", "quiescence: objects; end: memory", ""},
    {"I37", "-", "not yet: caps are the defaults"},
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
