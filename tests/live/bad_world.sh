#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What the world does wrong: one plain sentence with what to do, exit 1 where a program cannot go on, and
# nothing lost.
source "$(dirname "$0")/../interop/lib.sh"
cd "$work" || exit 1
for user in 1001 1002; do
    echo "secret-$user" | "$dualtone" user add "$user" --realm example.com --file subscribers || fail "no $user"
done
mkdir folder
proxy=("$dualtone" proxy --domain example.com --listen "udp:$net.9:5060")
phone=("$dualtone" phone --listen "$net.8" --line1_name 1001)

# Ports.
start_proxy P "$net.1" --subscribers subscribers
try 1 "cannot listen on udp:$net.1:5060: address in use; end the program that has it, or change listen\$" \
    "$dualtone" proxy --listen "udp:$net.1:5060"
try 1 "cannot listen on tcp:$net.1:5060: address in use; end" \
    "$dualtone" proxy --listen "udp:$net.1:5070 tcp:$net.1:5060"
try 1 "cannot listen on $net.1:5060 \(UDP\): address in use; choose another" \
    "$dualtone" phone --listen "$net.1:5060" --line1_name 1 --audio null
try 1 'cannot listen on udp:192\.0\.2\.1:5060: address not on this machine; change listen' \
    "$dualtone" proxy --listen udp:192.0.2.1:5060
try 1 'cannot listen on 192\.0\.2\.1:5060 \(UDP\): address not on this machine; choose' \
    "$dualtone" phone --listen 192.0.2.1:5060 --line1_name 1 --audio null

# Sound.
try 1 'the sound file nothere\.wav cannot be read: no such file' "${phone[@]}" --audio file:nothere.wav,out.wav
[[ -e out.wav ]] && fail "a recording was begun"
echo "this is no sound" >text.wav
try 1 'the sound file text\.wav cannot be read: .*; give a WAV file' "${phone[@]}" --audio file:text.wav
try 1 'the sound file folder cannot be read' "${phone[@]}" --audio file:folder,out.wav
try 1 'the recording nodir/out\.wav cannot be written; give a path' "${phone[@]}" --audio file:,nodir/out.wav
try 2 'audio tone is "loud"; use tone: and 1 to 3999' "${phone[@]}" --audio tone:loud
try 2 'audio "radio" is not known; use null, tone:440' "${phone[@]}" --audio radio
try 2 'audio file is ""; use file:IN\.wav,OUT\.wav' "${phone[@]}" --audio file:

# The proxy's files.
try 1 'bindings cannot be kept in nodir/b: not there; give .store. a file' "${proxy[@]}" --store memory:nodir/b
try 1 'bindings in folder cannot be read: it is a folder, not a file' "${proxy[@]}" --store memory:folder
cp text.wav bindings
try 1 'bindings does not hold bindings of dualtone; move it away or set store$' "${proxy[@]}" --store memory:bindings
cmp -s text.wav bindings || fail "what is no snapshot was overwritten"
try 1 'key_file nodir/key cannot be read or made: not there; give a file' "${proxy[@]}" --key_file nodir/key
try 1 'key_file folder cannot be read or made: it is a folder' "${proxy[@]}" --key_file folder
try 1 'key_file text\.wav does not hold 32 hex digits, or two lines of them; remove it to have one made$' "${proxy[@]}" --key_file text.wav
try 1 'subscribers file nothere cannot be read: not there; make it with .dualtone user add.$' \
    "${proxy[@]}" --subscribers nothere
try 2 '^text\.wav:1:9: the algorithm is MD5 or SHA-256' "${proxy[@]}" --subscribers text.wav
try 1 'trace nodir/t cannot be written: .*; give a file' "${proxy[@]}" --trace nodir/t
if [[ $(id -u) == 0 ]] && command -v setpriv >/dev/null; then
    chmod 711 "$work"
    cp "$dualtone" dt
    echo x >secret
    chmod 600 secret
    as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups ./dt proxy --listen "udp:$net.9:5060")
    try 1 'key_file secret cannot be read or made: not permitted by the system' "${as_nobody[@]}" --key_file secret
    try 1 'bindings cannot be kept in folder/b: not permitted' "${as_nobody[@]}" --store memory:folder/b
    try 1 'subscribers file secret cannot be read: not permitted' "${as_nobody[@]}" --subscribers secret
fi

# A wrong password: every registration refused ends the phone; one that is good keeps it.
calls=(--line_domain example.com --audio null --proxy1_address "$net.1")
try 1 '^problem: Line 1 is not registered as 1001 at .*: the answer was 401 Unauthorized; check line1_authname' \
    "${phone[@]}" "${calls[@]}" --proxy_register 1 --line1_password wrong
grep -q '^ready' <<<"$said" && fail "the phone calls itself ready"
start_phone A 1001 "$net.2" --audio null --proxy1_address "$net.1" --proxy_register 1 --line1_password wrong \
    --line2_name 1002 --line2_authname 1002 --line2_password secret-1002
see A '^registration: registered 1002'
tell A 'dial 1002'
see A '^problem: Calling 1002 at .* failed: the answer was 407 .*; check line1_authname and line1_password\.$'
see A '^screen: Wrong Password$'

# Nobody has the number, or who has it is not there; each answer in words.
tell A 'dial 4711 line 2'
see A '^problem: Calling 4711 at .* failed: the answer was 404 Not Found; check the number and dial again\.$'
see A '^screen: Not Found$'
tell A 'dial 1001 line 2'
see A '^problem: Calling 1001 at .* failed: the answer was 480 .*; dial again later\.$'
see A '^screen: Unavailable$'
tell A quit
ends A 0

# No proxy at all: refused by ICMP, told at once, and the phone goes on and registers when it comes.
stop P
start_phone A 1001 "$net.2" --audio null --proxy1_address "$net.1" --proxy_register 1 --line1_password secret-1001 \
    --timer_t1 50
see A '^problem: Line 1 is not registered as 1001 at .*: nothing listens there; it is tried again\.$'
tell A 'dial 1002'
see A '^problem: Calling 1002 at .* failed: nothing listens there; check its address and port\.$'
see A '^screen: Not Reachable$'
tell A "dial sip:1002@$net.77"
see A '^problem: Calling 1002 .*failed: nothing listens there'
tell A show
see A '^reply: line 1: 1001, not registered at'
tell A quit
ends A 0
echo "ok: what the world does wrong is told"
