#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Proxies that are not ours: two Kamailios that share their bindings by DMQ, baresip as the other side,
# our phone with `proxy_failover: fast`. What the pair and the protocol allow is had, no call is made
# twice, and nothing is worse than `guide`, which tries the backup after 32 s.
source "$(dirname "$0")/alone.sh"
source "$here/kamailio/peers.sh"

alice() { # [POLICY [OPTION...]]: fresh, what it knows of the proxies is of this case alone
    [[ -z ${pid_A:-} ]] || { kill -KILL "$pid_A" && wait "$pid_A" 2>/dev/null; }
    rm -f "$work/A.trace"
    start_phone A 1001 "$net.3" --proxy1_address "$net.1" --proxy_backup "$net.2" --proxy_register 1 \
        --proxy_register_backup 1 --proxy_failover "${1:-fast}" --audio null --trace "$work/A.trace" "${@:2}"
    see A 'registered 1001 at .*\.[12]:'
    see A 'registered 1001 at .*\.[12]:'
}
# The trace has a line for each message: @TIME(us) sent|arrived - 0 0 LOCAL REMOTE MESSAGE
sent() { # WHAT HOST: how many such requests left for this proxy
    grep -cE "^@[0-9]+ sent .* udp:$net\.$2:5060 $1 " "$work/A.trace"
}
took() { # ms from dialling (the first INVITE) until the trace says so
    awk -v end="$1" '/ sent .* INVITE /&&!t{t=substr($1,2)} $0~end&&t{print int((substr($1,2)-t)/1000);exit}' \
        "$work/A.trace"
}
see_trace() { # PATTERN: until A's trace has it
    wait_for "$work/A.trace" "$1" "A's trace has no $1"
}
calls=0
more_calls() { # NUMBER: so often has baresip been called since it was asked last
    local got
    got=$(grep -ac 'Incoming call from' "$work/bob.log")
    ((got == (calls += $1))) || fail "baresip was called $((got - calls + $1)) times, not $1"
}

node K1 "$net.1" "$net.2"
node K2 "$net.2" "$net.1"
start_bob "outbound=\"sip:$net.1:5060\";regint=600"
wait_for "$work/bob.log" '200 OK|registered successfully' "baresip did not register"
wait_for "$work/K2.log" 'from the peer: usrloc .*"aor":"1002"' "DMQ did not copy the binding"

# (a) Both live: one path, by the primary; and the other way round.
alice
tell A "dial 1002"
see bob 'Incoming call from'
see A '^call 1: ringing'
bob accept
see A '^call 1: talking'
see bob 'Call established'
tell A hangup
see A '^call 1: ended'
see bob 'session closed'
more_calls 1
(($(sent INVITE 1) == 1 && $(sent INVITE 2) == 0)) || fail "a call with both proxies alive is one INVITE"
bob "dial sip:1001@example.com"
see A '^call 1: ringing'
tell A answer
see A '^call 1: talking'
see bob 'Call established'
bob hangup
see A '^call 1: ended'
(($(grep -c '^call 1: ringing' "$work/A.log") == 2)) || fail "baresip's call rang more than once"
echo "both alive: called and was called"

# (b) The primary is silent, which nobody knows yet: probes tell, then the other one has the call.
# (f) It wakes up while the call is talked, and finds the INVITE: cancelled, and the call is not touched.
alice
send_all STOP K1
tell A "dial 1002"
see bob 'Incoming call from'
more_calls 1
see A '^screen: Network Delay, Trying Backup'
see A '^call 1: ringing'
silent=$(took 'arrived .* 180 Ringing')
((silent < 5000)) || fail "ringing took $silent ms"
bob accept
see A '^call 1: talking'
send_all CONT K1
see_trace 'arrived .* udp:'"$net"'\.1:5060 .* SIP/2.0 48[27] '
tell A hangup
see A '^call 1: ended'
see bob 'session closed'
more_calls 0
(($(sent CANCEL 1) == 1)) || fail "what the woken proxy found was not cancelled"
echo "primary silent: ringing after $silent ms; it woke up, and its copy of the call was merged and cancelled"

# (f) It wakes up when the call is over: it still finds the INVITE, which is cancelled at its first answer.
alice
send_all STOP K1
tell A "dial 1002"
see bob 'Incoming call from'
more_calls 1
bob accept
see A '^call 1: talking'
tell A hangup
see A '^call 1: ended'
see bob 'session closed'
send_all CONT K1
see_trace 'arrived .* udp:'"$net"'\.1:5060 .* SIP/2.0 48[27] '
more_calls 0
echo "it woke up after the call: nobody rang"

# The same with `guide`, at a fifth of its times: T1 is 100 ms, so that 32 s are 6.4. Its second call has a
# Call-ID of its own, so baresip cannot know the woken proxy's copy: it may ring until our CANCEL.
alice guide --timer_t1 100
send_all STOP K1
tell A "dial 1002"
see A '^screen: Network Delay, Trying Backup'
see A '^call 1: ringing'
more_calls 1
guide=$(took 'arrived .* 180 Ringing')
((guide >= 6400 && guide * 5 > silent)) || fail "guide was there after $guide ms"
bob accept
see A '^call 1: talking'
tell A hangup
see A '^call 1: ended'
see bob 'session closed'
send_all CONT K1
see_trace 'arrived .* udp:'"$net"'\.1:5060 .* SIP/2.0 487 '
late=$(($(grep -ac 'Incoming call from' "$work/bob.log") - calls)) # none if the CANCEL overtook it
((late <= 1)) || fail "the woken proxy's copy rang $late times"
more_calls "$late"
echo "guide: ringing after $guide ms with a T1 of 100 ms"

# (c) The primary is gone, and its host says so: the backup at once.
alice
send_all KILL K1
tell A "dial 1002"
see bob 'Incoming call from'
see A '^call 1: ringing'
more_calls 1
refused=$(took 'arrived .* 180 Ringing')
((refused < 1000)) || fail "ringing took $refused ms"
bob accept
see A '^call 1: talking'
tell A hangup
see A '^call 1: ended'
see bob 'session closed'
echo "primary gone: ringing after $refused ms"
node K1 "$net.1" "$net.2"
wait_for "$work/K1.log" 'from the peer: usrloc .*"aor":"1002"' "DMQ did not copy the binding back"

# (d) It dies while baresip rings. Nobody but it could stop that ring (its branch is in the CANCEL that
# baresip would know), so the user sees a second call from the same number, and takes that one.
alice
tell A "dial 1002"
see bob 'Incoming call from'
see A '^call 1: ringing'
send_all KILL K1
see bob 'Incoming call from'
see A '^screen: Network Delay, Trying Backup'
see A '^call 1: ringing'
more_calls 2
moved=$(took 'arrived .* udp:'"$net"'\.2:5060 .* 180 Ringing')
((moved < 8000)) || fail "ringing again took $moved ms"
bob 'line 1'
bob hangup
see bob 'rejecting incoming call'
bob accept
see A '^call 1: talking'
tell A hangup
see A '^call 1: ended'
see bob 'session closed'
(($(sent INVITE 1) == 1 && $(sent INVITE 2) == 1)) || fail "more than one call by the backup"
echo "primary died ringing: the backup's call rang $moved ms after dialling"
node K1 "$net.1" "$net.2"
wait_for "$work/K1.log" 'from the peer: usrloc .*"aor":"1002"' "DMQ did not copy the binding back"

# (e) It hangs while they talk, and one hangs up: the BYE is repeated until it wakes.
alice
tell A "dial 1002"
see bob 'Incoming call from'
bob accept
see A '^call 1: talking'
see bob 'Call established'
send_all STOP K1
tell A hangup
see A '^call 1: ending'
send_all CONT K1
see bob 'session closed'
see A '^call 1: ended'
more_calls 1
# It dies: the route set leads by it and nowhere else. Sound goes on; who hangs up is told at once that the
# call is over, and the other one hangs up for himself.
alice
tell A "dial 1002"
see bob 'Incoming call from'
bob accept
see A '^call 1: talking'
see bob 'Call established'
send_all KILL K1
tell A hangup
see A '^call 1: ended'
bob hangup
see bob 'terminate call'
more_calls 1
tell A quit
ends A 0
echo "primary hung and died while they talked: both ends are free"
echo "ok: two Kamailios, baresip, and our phone under fast"
