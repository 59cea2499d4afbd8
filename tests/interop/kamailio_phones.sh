#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Our phones at a Kamailio that asks for passwords and records its route: register, call, hold by either side,
# sound both ways, hang up, give up, decline, by UDP and TCP; a wrong password; and unregistering.
source "$(dirname "$0")/alone.sh"
source "$here/phones.sh"
source "$here/kamailio/peers.sh"
tones
node K "$net.1" "$net.1" digest

phone() { # NAME NUMBER HOST SOUND TRANSPORT [OPTION...]
    start_phone "$1" "$2" "$net.$3" --proxy1_address "$net.1" --proxy_register 1 --line_domain example.com \
        --line1_authname "$2" --line1_password "secret-$2" --proxy_transport "$5" \
        --audio "file:$work/$4.wav,$work/$1-heard.wav" "${@:6}"
}
both_talk() {
    see A '^call [0-9]+: talking'
    see B '^call [0-9]+: talking'
    hear "$work/A-heard.wav" $x_tone 0.9 A
    hear "$work/B-heard.wav" $a_tone 0.9 B
}
calls() { # FROM TO NUMBER
    tell "$1" "dial $3"
    see "$2" '^call [0-9]+: ringing'
    see "$1" '^call [0-9]+: ringing'
}
ended() {
    see A '^call [0-9]+: ended'
    see B '^call [0-9]+: ended'
}
holds() { # WHO WHOM
    tell "$1" hold
    see "$1" '^call [0-9]+: holding'
    see "$2" '^call [0-9]+: held'
    tell "$1" resume
    both_talk
}

for by in udp tcp; do
    phone A 1001 3 a $by
    phone B 1002 4 x $by
    see A '^registration: registered'
    see B '^registration: registered'
    calls A B 1002
    tell B answer
    both_talk
    holds A B
    holds B A
    tell A hangup
    ended
    calls B A 1001
    tell A answer
    both_talk
    tell A hangup
    ended
    calls A B 1002
    tell A hangup
    ended
    calls B A 1001
    tell A reject
    ended
    for name in A B; do
        tell $name quit
        ends $name 0
    done
    echo "by $by: registered, called, held, hung up, given up, declined"
done
start A "$dualtone" phone --listen "$net.3:5060" --ui plain --line1_name 1001 --line_domain example.com \
    --proxy1_address "$net.1" --proxy_register 1 --line1_password wrong --audio null
see A '^problem: .*401 Unauthorized; check line1_authname and line1_password'
ends A 1
echo "ok: our phones through Kamailio"
