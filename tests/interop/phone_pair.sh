#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# phone_pair.sh DUALTONE PEER: a foreign phone (baresip, linphone) at the second of our two proxies, ours at both:
# registers with digest, is called and calls, hold by either side, hanging up by either side, before and
# after the answer, declined by either side; sound both ways each time; and calls while the first proxy is dead.
source "$(dirname "$0")/alone.sh"
source "$here/phones.sh"
peer=${2:?which phone}
tones
subscribers=$work/subscribers
for user in 1001 1002; do
    echo "secret-$user" | "$dualtone" user add "$user" --realm example.com --file "$subscribers" ||
        fail "the subscriber $user could not be added"
done
start_proxy P "$net.1" --subscribers "$subscribers" --cluster_address "$net.1" --peer "$net.2"
start_proxy S "$net.2" --subscribers "$subscribers" --cluster_address "$net.1" --peer "$net.1"
start_phone A 1001 "$net.3" --proxy1_address "$net.1" --proxy_backup "$net.2" --proxy_register 1 \
    --proxy_register_backup 1 --proxy_failover fast --line1_password secret-1001 \
    --audio "file:$work/a.wav,$work/a-heard.wav"
see A '^registration: registered 1001 at .*\.[12]:'
see A '^registration: registered 1001 at .*\.[12]:'
"${peer}_start" "$net.2"
x_says registered

called() { # we call, and are answered
    tell A "dial 1002"
    x_says ringing
    see A '^call [0-9]+: ringing'
    x answer
    see A '^call [0-9]+: talking'
    x_says talking
}
calls() {
    x dial
    see A '^call [0-9]+: ringing'
    x_says ringback
    tell A answer
    see A '^call [0-9]+: talking'
    x_says talking
}
we_hang_up() {
    tell A hangup
    see A '^call [0-9]+: ended'
    x_says ended
}
it_hangs_up() {
    x hangup
    see A '^call [0-9]+: ended'
    x_says ended
}
holds() { # by either side, and sound again afterwards
    tell A hold
    see A '^call [0-9]+: holding'
    x_says held
    tell A resume
    see A '^call [0-9]+: talking'
    x_says unheld
    both_hear
    x hold
    see A '^call [0-9]+: held'
    x_says holding
    x resume
    see A '^call [0-9]+: talking'
    x_says unheld
    both_hear
}

called
both_hear
echo "called, and both heard"
holds
echo "held and taken back by either side, and both heard"
we_hang_up
calls
both_hear
holds
it_hangs_up
echo "called us, both heard, held by either side; it hung up"
called
it_hangs_up
calls
we_hang_up
echo "the other one hung up"
tell A "dial 1002"
x_says ringing
see A '^call [0-9]+: ringing'
we_hang_up
x dial
see A '^call [0-9]+: ringing'
it_hangs_up
echo "either gave up while it rang"
tell A "dial 1002"
x_says ringing
see A '^call [0-9]+: ringing'
x reject
see A '^call [0-9]+: ended'
x_says ended
x dial
see A '^call [0-9]+: ringing'
tell A reject
see A '^call [0-9]+: ended'
x_says ended
echo "either declined"
kill -KILL "$pid_P"
{ wait "$pid_P"; } 2>/dev/null
called
both_hear
we_hang_up
calls
both_hear
it_hangs_up
echo "both ways with the first proxy dead"
tell A quit
ends A 0
echo "ok: $peer and our phone, through a pair"
