/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The message of the benchmarks: an INVITE of 900 bytes as a phone sends it to its proxy. */
#ifndef BENCH_INVITE_H
#define BENCH_INVITE_H

static const char bench_invite[] =
    "INVITE sip:+13145551234@proxy.example.com;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK776asdhds83f2a;rport\r\n"
    "Max-Forwards: 70\r\n"
    "Route: <sip:proxy.example.com;lr>\r\n"
    "From: \"Alice Example\" <sip:1001@example.com>;tag=003094c3f2a10d2e5a7b\r\n"
    "To: <sip:+13145551234@example.com;user=phone>\r\n"
    "Call-ID: 003094c3-8c4a0011-23f0a1b2-71c9d3e4@192.0.2.101\r\n"
    "CSeq: 101 INVITE\r\n"
    "Contact: <sip:1001@192.0.2.101:5060;transport=udp>\r\n"
    "User-Agent: dualtone/0.1\r\n"
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER\r\n"
    "Supported: replaces, timer\r\n"
    "Expires: 180\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 245\r\n"
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
    "a=fmtp:101 0-15\r\n";

#endif
