#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# --ui plain: each command, what is not understood, calls between phones through our proxy, the sound of
# both directions, the end of standard input.
source "$(dirname "$0")/../interop/lib.sh"
cd "$work" || exit 1
start_proxy P "$net.1"
registered=(--proxy1_address "$net.1" --proxy_register 1)

# What is answered without a call.
start_phone A 1001 "$net.2" "${registered[@]}" --audio "tone:440" --line1_displayname Anna
seen[A]=$(wc -l <A.log)
tell A help
for command in dial answer reject hangup hold resume show quit help; do
    see A "^reply: ${command}[^:]*: [a-z]" "help lacks $command"
done
tell A '?'
see A '^reply: dial'
tell A show
see A '^reply: screen: 1001$'
see A "^reply: line 1: 1001, registered at $net.1:5060\$"
see A '^reply: no calls$'
for line in 'dance=There is no command "dance"; help lists the commands' \
    'dial=That is not understood; say dial NUMBER' 'dial "1=The quote at column 6 is not closed' \
    'dial 1002 line 4=There is no line 4; show lists the lines' 'dial 1002 on 2="on" is not understood; say dial' \
    'dial sip:@@=.' 'answer=No call is ringing here' 'reject=No call is ringing here' \
    'hangup=There is no call to hang up' 'hold=There is no call to put on hold' 'resume=There is no call on hold' \
    'hangup 7=There is no call 7; show lists the calls' 'quit now="now" is not understood; say quit' \
    'show me=That is not understood; say show'; do
    tell A "${line%%=*}"
    see A "^problem: ${line#*=}.*\.\$" "nothing plain is said to: ${line%%=*}"
done
tell A ''
tell A '   '
head -c 3000 /dev/zero | tr '\0' x >A.in
echo >A.in
see A '^problem: '
printf 'sho\001w \377\n' >A.in
see A '^problem: There is no command "sho'
LC_ALL=C grep -qP '[\x01-\x08\x0b-\x1f\x7f]' A.log && fail "control characters reach the terminal"
printf 'SHOW\r\n' >A.in
see A '^reply: screen: 1001$' "a line that ends with CR LF is not understood"

# A call with sound in both directions; hold and resume from each side.
start_phone B 1002 "$net.3" "${registered[@]}" --audio "file:,B.wav"
start_phone C 1003 "$net.4" "${registered[@]}" --audio tone:880
tell A 'dial 1002'
see A '^call 1: calling 1002$'
see A '^screen: Calling 1002$'
see A '^call 1: ringing 1002$'
see A '^screen: Ringing 1002$'
see B '^call 1: ringing 1001$'
see B '^screen: Anna \(1001\) is calling$'
tell B show
see B '^reply: call 1: Anna \(1001\) is calling$'
tell A 'dial 1003'
see A '^problem: Call 1 with 1002 is on its way; hang it up first\.$'
tell B answer
see B '^call 1: talking 1001$'
see B '^screen: Connected Anna \(1001\)$'
see A '^call 1: talking 1002$'
tell A answer
see A '^problem: No call is ringing here'
tell A hold
see A '^call 1: holding 1002$'
see A '^screen: Holding 1002$'
see B '^call 1: held 1001$'
see B '^screen: Held by'
tell A hold
see A '^problem: There is no call to put on hold'
tell A 'resume 1'
see A '^call 1: talking 1002$'
see B '^call 1: talking 1001$'
tell B hold
see B '^call 1: holding 1001$'
see A '^call 1: held 1002$'
tell B resume
see A '^call 1: talking 1002$'
see B '^call 1: talking 1001$'

# Call waiting: a second call rings at B; B takes it, which puts the first on hold, and goes back.
tell C 'dial 1002'
see B '^call 2: ringing 1003$'
tell B show
see B '^reply: call 1: Connected Anna'
see B '^reply: call 2: 1003 is calling$'
tell B 'answer 2'
see B '^reply: Call 1 goes on hold'
see B '^call 1: holding 1001$'
see B '^call 2: talking 1003$'
see C '^call 1: talking 1002$'
see A '^call 1: held 1002$'
big_enough() { (($(stat -c %s B.wav) > $1)); }
size=$(stat -c %s B.wav)
until_true "C is not recorded" big_enough $((size + 20000)) # over a second
tell B 'resume 1'
see B '^call 2: holding 1003$'
see B '^call 1: talking 1001$'
see C '^call 1: held 1002$'
see A '^call 1: talking 1002$'
size=$(stat -c %s B.wav)
until_true "A is not recorded" big_enough $((size + 20000))
tell A 'dial 1009' # who talks and dials holds first
see A '^call 1: holding 1002$'
see A '^problem: Calling 1009 at .* failed: the answer was 404 Not Found'
tell B hangup
see B '^call 1: ended 1001$'
see A '^call 1: ended 1002$'
tell C hangup # the side that is held hangs up
see C '^call 1: ended 1002$'
see B '^call 2: ended 1003$'

# Rejected; hung up while it rings; to oneself.
tell C 'dial 1002'
see B '^call 1: ringing 1003$'
tell B reject
see C '^call 1: ended 1002$'
see C '^problem: Calling 1002 at .* failed: the answer was 486 Busy Here; dial again later\.$'
see C '^screen: Busy$'
see B '^call 1: ended 1003$'
tell C 'dial 1002'
see B '^call 1: ringing 1003$'
tell C 'hangup'
see C '^call 1: ended 1002$'
see B '^call 1: ended 1003$'
tell C 'dial 1003'
see C '^call 2: ringing 1003$'
tell C hangup
see C '^call [12]: ended'
see C '^call [12]: ended'

# quit in the middle of a call ends it for the other side and removes the binding.
tell C 'dial 1002'
see B '^call 1: ringing 1003$'
tell B answer
see C '^call 1: talking'
see B '^call 1: talking'
tell C quit
ends C 0
see B '^call 1: ended 1003$'
tell A 'dial 1003'
see A '^problem: Calling 1003 at .* failed: the answer was 480'

# The end of standard input: commands before it are carried out, calls may end first.
tell B quit
ends B 0
"$here/tone.py" B.wav 440 || fail "A's tone is not in B's recording"
"$here/tone.py" B.wav 880 || fail "C's tone is not in B's recording"
printf 'dial 1001\nshow\n' | timeout 10 "$dualtone" phone --listen "$net.5" --line1_name 1005 --audio null \
    --line_domain example.com --proxy1_address "$net.1" >piped.log 2>&1 &
piped=$!
see A '^call 1: ringing 1005$'
tell A answer
see A '^call 1: talking 1005$'
tell A hangup
wait "$piped" || fail "a phone whose input ended does not end well"
# Without timeout(1), which sends its signal twice: to the process and to its group.
printf 'dial 1001' | "$dualtone" phone --listen "$net.5" --line1_name 1005 --audio null \
    --ui none --line_domain example.com --proxy1_address "$net.1" >none.log 2>&1 &
piped=$!
see A '^call 1: ringing 1005$' "a last line without its end is not carried out"
tell A reject
see A '^call 1: ended 1005$'
kill "$piped"
wait "$piped" || fail "--ui none does not end with SIGTERM"
[[ ! -s none.log ]] || grep -qv '^problem: ' none.log && fail "--ui none says $(cat none.log)"
stop A
see A '^registration: not registered 1001' "SIGTERM does not remove the binding"
echo "ok: a session in plain lines"
