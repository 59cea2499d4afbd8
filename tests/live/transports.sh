#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Calls with sound over TCP, between transports, over IPv6 with digest; an INVITE too large for a datagram.
source "$(dirname "$0")/../interop/lib.sh"
cd "$work" || exit 1
heard() { (($(stat -c %s "$1" 2>/dev/null || echo 0) > ${2:-20000})); }
# ring CALLER CALLEE NUMBER [WORD...]: dials; the callee rings and answers; both talk.
ring() {
    tell "$1" "dial ${*:3}"
    see "$2" '^call 1: ringing' "$2 does not ring"
    tell "$2" answer
    see "$1" '^call 1: talking' "no answer arrives at $1"
    see "$2" '^call 1: talking'
}
hang_up() { # BY OTHER
    tell "$1" hangup
    see "$1" '^call 1: ended'
    see "$2" '^call 1: ended'
}
# by TRANSPORT FILE: each message in the trace went by it.
by() {
    grep -aqE "^@[0-9]+ (sent|arrived) .* $1:.* SIP/2.0" "$2" || fail "$2 has nothing by $1"
    grep -aE '^@[0-9]+ (sent|arrived) ' "$2" | grep -avE " $1:[^ ]+ $1:[^ ]+ " && fail "$2: not by $1, see above"
    :
}

# TCP from end to end, from a file and into one; hold and resume; BYE from the other side.
start_proxy P "$net.1" --store "memory:$work/bindings" --snapshot_every 1
via=(--proxy1_address "$net.1" --proxy_register 1)
start_phone A 1001 "$net.2" "${via[@]}" --proxy_transport tcp --audio tone:440 --trace A.trace
start_phone B 1002 "$net.3" "${via[@]}" --proxy_transport tcp --audio file:,B.wav --trace B.trace
ring A B 1002
until_true "B hears nothing by TCP's call" heard B.wav
tell A hold
see B '^call 1: held'
tell A resume
see B '^call 1: talking'
hang_up B A
by tcp A.trace
by tcp B.trace

# Between TCP and UDP: the proxy is in both halves (two Record-Routes), each speaks its own.
start_phone C 1003 "$net.4" "${via[@]}" --proxy_transport udp --audio tone:880 --trace C.trace
ring C B 1002
hang_up C B
ring A C 1003
tell C hold
see A '^call 1: held'
tell C resume
see A '^call 1: talking'
hang_up A C
by udp C.trace
by tcp A.trace

# The proxy goes and comes: connections are made anew from both sides.
stop P
start_proxy P "$net.1" --store "memory:$work/bindings" --snapshot_every 1
ring A B 1002
hang_up A B

# RFC 3261 18.1.1: over 1,300 bytes by TCP, if it is there; by UDP where nobody listens on TCP.
long=$(printf 'x%.0s' {1..300})
start_phone D 1004 "$net.5" "${via[@]}" --sip_tcp 1 --audio null --trace D.trace --line1_displayname "$long"
ring D B "sip:1002@example.com;x=$long"
hang_up D B
grep -aqE '^@[0-9]+ sent .* tcp:.* INVITE ' D.trace || fail "the large INVITE did not go by TCP"
grep -aqE '^@[0-9]+ sent .* udp:.* INVITE ' D.trace && fail "the large INVITE went by UDP too"
grep -aqE '^@[0-9]+ sent .* udp:.* REGISTER ' D.trace || fail "the small REGISTER did not go by UDP"
stop P
start P "$dualtone" proxy --domain example.com --listen "udp:$net.1:5060" --store "memory:$work/bindings"
wait_for P.log '^ready' "the proxy without TCP does not start"
ring D C "sip:1003@example.com;x=$long"
hang_up D C
grep -aqE '^@[0-9]+ sent .* udp:.* INVITE ' D.trace || fail "the large INVITE did not go by UDP"
for name in A B C D P; do stop "$name"; done
"$here/tone.py" B.wav 440 || fail "A's tone is not in B's recording"

# IPv6, with digest, by UDP and by TCP.
port=$((20000 + RANDOM % 20000))
if ! grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
    echo "ok: transports, but there is no IPv6 on this machine"
    exit 0
fi
for user in 1001 1002; do
    echo "secret-$user" | "$dualtone" user add "$user" --realm example.com --file subscribers || fail "no $user"
done
start P "$dualtone" proxy --domain example.com --listen "udp:[::1]:$port tcp:[::1]:$port" --subscribers subscribers
wait_for P.log '^ready: proxy for example.com at udp:\[::1\]' "the proxy does not start on IPv6"
six() { # NAME NUMBER PORT OPTION...
    start "$1" "$dualtone" phone --listen "[::1]:$3" --line1_name "$2" --line1_password "secret-$2" \
        --line_domain example.com --proxy1_address "[::1]:$port" --proxy_register 1 "${@:4}"
    see "$1" '^ready' "$1 does not start on IPv6"
}
six B 1002 $((port + 2)) --audio file:,six.wav --start_media_port 17000 --end_media_port 17100 --trace six.trace
six A 1001 $((port + 1)) --audio tone:440 --start_media_port 18000 --end_media_port 18100
ring A B 1002
until_true "B hears nothing by IPv6" heard six.wav
hang_up A B
grep -aq 'c=IN IP6 ::1' six.trace || fail "the SDP is not IPv6"
stop A
six A 1001 $((port + 1)) --audio null --start_media_port 18000 --end_media_port 18100 --proxy_transport tcp
ring A B 1002
hang_up B A
for name in A B P; do stop "$name"; done
"$here/tone.py" six.wav 440 || fail "A's tone is not in B's recording by IPv6"
echo "ok: TCP, UDP and IPv6"
