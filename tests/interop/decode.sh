#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What our own nodes say to each other, by tshark: the flows of the guide, of RFC 3665 and of what must be
# survived, live, with sound where a call is answered; phones at a proxy by TCP; the demo. And what is not right
# is seen: a message with a fault in it is reported.
source "$(dirname "$0")/alone.sh"
need tshark
[[ -n $capturing ]] || { echo "skipped: nothing can be captured here"; exit 77; }
cd "$work" || exit 1
flows=(2.4 3.4 3.6 4.2-fast rfc3665-2.1 rfc3665-3.1 rfc3665-3.2 survive-silent survive-ringing survive-cancel survive-talking)
for flow in "${flows[@]}"; do
    "$dualtone" flow run "$flow" --live --t1 200 --ladder none >"$flow.log" 2>&1 || fail "the flow $flow does not hold"
done
echo "${#flows[@]} flows"
"$dualtone" demo --quick --folder demo >demo.log 2>&1 || fail "the demo fails"

start_proxy P "$net.1"
for name in A B; do
    [[ $name == A ]] && number=1001 host=3 || number=1002 host=4
    start_phone $name $number "$net.$host" --proxy1_address "$net.1" --proxy_register 1 --proxy_transport tcp --audio tone:440
    see $name '^registration: registered'
done
tell A "dial 1002"
see B '^call 1: ringing'
tell B answer
see A '^call 1: talking'
tell A hold
see B '^call 1: held'
tell B hangup
see A '^call 1: ended'
capture_ends || exit 1
judge "$captured" ip || exit 1

# What tshark must report: a body that is not there, a faulty Via, and what is no message at all.
number=0
while read -r bad; do
    capture "bad-$((++number)).pcapng"
    # shellcheck disable=SC2059 # its escapes are meant
    printf "$bad" 2>/dev/null >/dev/udp/127.0.0.1/5060 # nobody is there, which the socket may say
    capture_ends || exit 1
    judge "$captured" ip >judged.log && fail "this fault is not seen: $bad"
    grep -q 'FAILED: tshark about what we sent' judged.log || fail "another reason: $(cat judged.log)"
done <<'MESSAGES'
OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nContent-Type: application/sdp\r\nContent-Length: 900\r\n\r\nv=0\r\n
hello
MESSAGES
echo "ok: tshark reads what we say; $number faults were seen"
