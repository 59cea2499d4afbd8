/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Instructions to parse one INVITE of 900 bytes to a proxy's needs (design.md 4):
 *
 *   valgrind --tool=callgrind --toggle-collect=bench_parse build/release/tests/bench/bench_parse
 *
 * prints the sum of all rounds; divide by ROUNDS, or by the number given as argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dualtone/msg.h"

enum { ROUNDS = 1000 };

static const char invite[] =
    "INVITE sip:+13145551234@proxy.example.com;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK776asdhds83f2a91c0de;rport\r\n"
    "Max-Forwards: 70\r\n"
    "Route: <sip:proxy.example.com;lr>\r\n"
    "From: \"Alice Example\" <sip:1001@example.com>;tag=003094c3f2a10d2e5a7b\r\n"
    "To: <sip:+13145551234@example.com;user=phone>\r\n"
    "Call-ID: 003094c3-8c4a0011-23f0a1b2-71c9d3e4@192.0.2.101\r\n"
    "CSeq: 101 INVITE\r\n"
    "Contact: <sip:1001@192.0.2.101:5060;transport=udp>\r\n"
    "User-Agent: dualtone/0.1 (phone)\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER\r\n"
    "Supported: replaces, timer\r\n"
    "Expires: 180\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 276\r\n"
    "\r\n"
    "v=0\r\n"
    "o=dualtone 2890844526 2890844526 IN IP4 192.0.2.101\r\n"
    "s=SIP Call\r\n"
    "c=IN IP4 192.0.2.101\r\n"
    "t=0 0\r\n"
    "m=audio 25282 RTP/AVP 0 8 18 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:18 G729/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\n"
    "a=ptime:20\r\n"
    "a=sendrecv\r\n";

int bench_parse(struct dt_sip_msg *m, struct dt_str text, struct dt_sip_header *headers);

__attribute__((noinline)) int bench_parse(struct dt_sip_msg *m, struct dt_str text,
                                          struct dt_sip_header *headers)
{
    int err = dt_sip_parse(m, text, headers, DT_MSG_HEADERS_MAX);
    return err ? err : dt_sip_check(m);
}

int main(int argc, char **argv)
{
    static char buf[sizeof invite + DT_PAD];
    static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_str text = {buf, sizeof invite - 1};
    struct dt_sip_msg m;
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
    memcpy(buf, invite, sizeof invite);
    for (long i = 0; i < rounds; i++) {
        if (bench_parse(&m, text, headers)) {
            printf("%s\n", dt_sip_fault_phrase(m.fault));
            return 1;
        }
    }
    printf("%ld rounds of %zu bytes, %u headers\n", rounds, text.n, (unsigned)m.n);
    return 0;
}
