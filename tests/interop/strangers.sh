#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Proxies that are strangers to each other, `proxy_failover: fast`: a dualtone and a Kamailio, either of
# them silent; two dualtones without a common key, with baresip as the callee, which says 482 to the copy
# that the woken one brings.
source "$(dirname "$0")/alone.sh"
need sipp
source "$here/kamailio/peers.sh"

stop_proxy() { # SIGNAL
    kill "-$1" "$pid_P"
}
leave_all() {
    local code=$?
    stop_proxy CONT 2>/dev/null
    (exit "$code")
    leave
}
trap 'leave_all; leave_capture' EXIT
phone() { # NAME NUMBER IP PRIMARY BACKUP
    [[ -z $(eval "echo \${pid_$1:-}") ]] || stop "$1"
    rm -f "$work/$1.trace"
    start_phone "$1" "$2" "$net.$3" --proxy1_address "$net.$4" --proxy_backup "$net.$5" --proxy_register 1 \
        --proxy_register_backup 1 --proxy_failover fast --audio null --trace "$work/$1.trace"
    see "$1" 'registered .* at .*\.[0-9]:'
    see "$1" 'registered .* at .*\.[0-9]:'
}
# The primary at .$1 is silent when A dials B. It wakes up while B rings, and when the call is over: B has
# one call, and its user hears one ring.
case_silent() { # PRIMARY BACKUP HOW-TO-SIGNAL...
    local primary=$1 backup=$2
    shift 2
    for wakes in ringing over; do
        phone A 1001 3 "$primary" "$backup"
        phone B 1002 4 "$primary" "$backup"
        "$1" STOP "${@:2}"
        tell A "dial 1002"
        see B '^call 1: ringing'
        see A '^call 1: ringing'
        [[ $wakes != ringing ]] || wake "$primary" "$@"
        tell B answer
        see A '^call 1: talking'
        tell A hangup
        see A '^call 1: ended'
        see B '^call 1: ended'
        [[ $wakes != over ]] || wake "$primary" "$@"
        (($(grep -c ': ringing' "$work/B.log") == 1)) || fail "B rang more than once"
        (($(grep -cE ' sent .* INVITE sip:1002' "$work/A.trace") <= 5)) || fail "too many INVITEs"
    done
}
wake() { # PRIMARY HOW-TO-SIGNAL...: what it makes of the INVITE that waited comes to nothing
    "$2" CONT "${@:3}"
    wait_for "$work/A.trace" "arrived .* udp:$net\.$1:5060 .* SIP/2.0 48[27] " "the woken proxy's copy does not end"
}

node K "$net.2" "$net.2"
start_proxy P "$net.1"
case_silent 1 2 stop_proxy
echo "the dualtone is silent: by the Kamailio"
case_silent 2 1 send_all K
echo "the Kamailio is silent: by the dualtone"
stop B

start_proxy Q "$net.5" --key_file "$work/other.key"
for at in 1 5; do
    sipp "$net.$at:5060" -sf "$here/register.xml" -i "$net.9" -p 5070 -s 1002 -key contact "127.0.0.1:$bob_port" \
        -m 1 -nostdin >"$work/register.log" 2>&1 || fail "SIPp could not register baresip"
done
start_bob "regint=0"
see bob 'baresip is ready'
phone A 1001 3 1 5
stop_proxy STOP
tell A "dial 1002"
see A '^call 1: ringing'
see bob 'Incoming call from'
wake 1 stop_proxy
bob accept
see A '^call 1: talking'
tell A hangup
see A '^call 1: ended'
see bob 'session closed'
(($(grep -ac 'Incoming call from' "$work/bob.log") == 1)) || fail "baresip was called twice"
(($(grep -c 'arrived .* SIP/2.0 482 ' "$work/A.trace") == 1)) || fail "the copy was not answered with 482"
echo "ok: strangers as proxies, and a callee that merges"
