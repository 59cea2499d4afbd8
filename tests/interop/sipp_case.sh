#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# sipp_case.sh DUALTONE CASE: SIPp with scenarios of our own, through our proxy and with our phone.
source "$(dirname "$0")/alone.sh"
need sipp
cd "$work" || exit 1
caller=1001 who=1001 password=secret

scenario() { # NAME [STATUS [CONTACT]]: its file
    local file=$work/$1${2:+_$2}.xml
    sed "s|@STATUS@|${2:-}|; s|@CONTACT@|${3:-}|" "$here/sipp/$1.xml" >"$file"
    echo "$file"
}
uac() { # FILE SERVICE [OPTION...]: a caller at .9; it must count no failed call
    sipp "$net.1:5060" -sf "$1" -i "$net.9" -p 5060 -s "$2" -auth_uri "${auth_uri:-$2@example.com}" -key caller $caller -au "$who" -ap $password -m 1 -nostdin \
        -timeout 60 -timeout_error -trace_err "${@:3}" >uac.log 2>&1 || fail "SIPp's caller counts a failed call: $1"
}
registers() { # USER CONTACT [OPTION...]: SIPp registers that somebody is there
    sipp "$net.1:5060" -sf "$here/register.xml" -i "$net.8" -p 5060 -s "$1" -key contact "$2" -m 1 -nostdin "${@:3}" \
        >register.log 2>&1 || fail "SIPp could not register $1 at the proxy"
}
callee() { # NAME HOST FILE [OPTION...]: a callee there, registered as NAME
    start_uas "$1" "$net.$2" -sf "$3" -timeout 60 -timeout_error "${@:4}"
    registers "$1" "$net.$2:5060"
}
phone_registers() { # NAME NUMBER HOST [OPTION...]
    start_phone "$1" "$2" "$net.$3" --proxy1_address "$net.1" --proxy_register 1 --line_domain example.com --audio null \
        "${@:4}"
    see "$1" '^registration: registered'
}
dials() { # NUMBER PATTERN...: our phone A, and what it shows
    local pattern
    tell A "dial $1"
    for pattern in "${@:2}"; do see A "$pattern"; done
}
hangs_up() {
    tell A hangup
    see A '^call [0-9]+: ended'
}

# Each callee has a name of its own: a binding to one that has gone would be asked as well, and the kernel may dial it
# from a port whose last connection is not forgotten there (RST, RFC 9293 3.5.2).
tcp() { # MODE: 20 calls by TCP to a callee by TCP, and to one by UDP
    start_proxy P "$net.1"
    for by in t1 u1; do
        start_uas $by "$net.2" -sf "$(scenario callee)" -t $by -m 20
        registers $by "$net.2:5060;transport=$([[ $by == t1 ]] && echo tcp || echo udp)"
        sipp "$net.1:5060" -sn uac -t "$1" -max_socket 100 -i "$net.9" -p 5060 -s $by -m 20 -r 20 -nostdin -trace_err -timeout 60 \
            -timeout_error >uac.log 2>&1 || fail "SIPp's caller counts failed calls, $1 to $by"
        ends $by 0
    done
}
case_tcp_one() { tcp t1; }
case_tcp_each() { tcp tn; }

case_auth() {
    echo $password | "$dualtone" user add $caller --realm example.com --file subscribers || fail "no subscriber"
    echo other | "$dualtone" user add service --realm example.com --file subscribers || fail "no subscriber"
    start_proxy P "$net.1" --subscribers subscribers
    auth_uri=example.com uac "$here/sipp/register_password.xml" $caller -key contact "$net.9:5060"
    auth_uri=example.com password=wrong uac "$here/sipp/register_refused.xml" $caller -key contact "$net.9:5060"
    auth_uri=example.com who=service password=other uac "$here/sipp/register_password.xml" service -key contact "$net.2:5060"
    start_uas service "$net.2" -sf "$here/sipp/callee.xml" -m 1
    uac "$here/sipp/caller_password.xml" service
    ends service 0
}
case_cancel() {
    start_proxy P "$net.1"
    callee service 2 "$here/sipp/callee_cancelled.xml" -m 1
    uac "$here/sipp/caller_cancels.xml" service
    ends service 0
    phone_registers A 1001 3
    uac "$here/sipp/caller_cancels.xml" 1001
    see A '^call [0-9]+: ringing'
    see A '^call [0-9]+: ended'
    callee service 2 "$here/sipp/callee_cancelled.xml" -m 1
    dials service '^call [0-9]+: ringing'
    hangs_up
    ends service 0
}
case_busy() {
    start_proxy P "$net.1"
    callee service 2 "$(scenario callee_refuses 486 '<sip:nobody@example.com>')" -m 1
    uac "$(scenario caller_refused 486)" service
    ends service 0
    phone_registers A 1001 3
    callee service 2 "$(scenario callee_refuses 486 '<sip:nobody@example.com>')" -m 1
    dials service '^call [0-9]+: (busy|ended)'
    ends service 0
    uac "$(scenario caller_refused 486)" 1001 &
    see A '^call [0-9]+: ringing'
    tell A reject
    see A '^call [0-9]+: ended'
    wait $! || fail "our phone was not busy to SIPp"
}
case_redirect() {
    start_proxy P "$net.1"
    callee service 2 "$here/sipp/callee.xml" -m 4
    # The proxy hands the 302 on, as 16.7 lets it: who calls decides.
    callee moved 4 "$(scenario callee_refuses 302 '<sip:service@example.com>')" -m 1
    uac "$(scenario caller_refused 302)" moved
    ends moved 0
    phone_registers A 1001 3
    for status in 300 301 302 305; do
        callee moved 4 "$(scenario callee_refuses $status '<sip:service@example.com>')" -m 1
        dials moved '^call [0-9]+: talking'
        ends moved 0
        hangs_up
    done
    ends service 0
    # Two that send to each other: the phone does not go round for ever. (SIPp must forget the calls that it had.)
    callee here 5 "$(scenario callee_refuses 302 '<sip:there@example.com>')" -deadcall_wait 0
    callee there 6 "$(scenario callee_refuses 302 '<sip:here@example.com>')" -deadcall_wait 0
    dials here '^call [0-9]+: ended'
}
# The caller loses a quarter of what it would send and of what it gets, the callee a quarter of ACK and BYE.
# timer_t1 is SIPp's, 500 ms: a proxy with a shorter one has forgotten a BYE (timer J) that SIPp still repeats.
case_lost() {
    start_proxy P "$net.1"
    callee service 2 "$here/sipp/callee_lossy.xml" -max_invite_retrans 30 -max_retrans 30
    phone_registers A 1001 3
    uac "$here/sipp/caller.xml" service -m 15 -r 15 -lost 25 -max_invite_retrans 30 -max_retrans 30
    for call in 1 2 3 4 5; do
        dials service "^call [0-9]+: talking"
        hangs_up
    done
    # The callee's own count is not asked: to SIPp a late ACK or INVITE after its own losses is a failed call.
}

"case_$2"
echo "ok: SIPp: $2"
