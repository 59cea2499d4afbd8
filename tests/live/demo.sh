#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# dualtone demo: three acts, each with its row in the table at the end, and files to look at afterwards;
# exit code 1 when an act does not hold.
source "$(dirname "$0")/../interop/lib.sh"

# All acts in quick time, as a person sees them. Another demo beside it has a net of its own.
folder=$work/all
"$dualtone" demo --quick --act 3 --folder "$work/beside" >"$work/beside.log" 2>&1 &
beside=$!
pids+=($beside)
timeout 50 "$dualtone" demo --quick --folder "$folder" >"$work/all.log" 2>&1 || fail "the demo does not hold"
wait $beside || fail "a demo beside another does not hold"
nets=$(sed -nE 's/.* processes on (127[0-9.]*)\.1 to \.4\.$/\1/p' "$work/all.log" "$work/beside.log" | sort -u)
[[ $(wc -l <<<"$nets") == 2 ]] || fail "two demos at once are not on two nets: $nets"
rows=$(grep -cE '^[123] .* [0-9]+\.[0-9]{2} s (to ringing|for the answer) +[01]\.[0-9]{3} +[01]\.[0-9]{3} +holds$' "$work/all.log")
((rows == 3)) || fail "$rows rows of the table hold, not 3"
for words in '\[ A \| Network Delay, Trying Backup' 'P becomes a black hole' 'P is killed' 'A hangs up'; do
    grep -qE "$words" "$work/all.log" || fail "nothing was seen of: $words"
done
for act in 1 2 3; do
    for file in ladder.txt demo.pcap alice-heard.wav bob-heard.wav A.log P.log; do
        [[ -s $folder/act-$act/$file ]] || fail "act $act left no $file"
    done
done
# The guide's wait is the only one of 64 T1.
waited() { sed -nE "s/^$1 .* ([0-9]+)\.[0-9]{2} s .*/\1/p" "$work/all.log"; }
(($(waited 1) == 3)) || fail "the guide's phone did not wait 64 T1"

# A stranger who has the first address is left alone, also one who has TCP only.
"$dualtone" proxy --domain example.com --listen tcp:127.0.0.1:5060 >"$work/stranger.log" 2>&1 &
stranger=$!
pids+=($stranger)
wait_for "$work/stranger.log" '^ready' "the stranger does not start"
try 0 '^3 .*holds$' "$dualtone" demo --quick --act 3 --folder "$work/elsewhere"
! grep -qF 'processes on 127.0.0.1' <<<"$said" || fail "the demo plays on the address of a stranger"
kill $stranger
wait $stranger

# One who has the port of all addresses leaves no place.
"$dualtone" proxy --domain example.com --listen udp:0.0.0.0:5060 --cluster_address 127.0.0.1 >"$work/everywhere.log" 2>&1 &
pids+=($!)
wait_for "$work/everywhere.log" '^ready' "the stranger does not start"
try 1 'another program has UDP or TCP port 5060 of every loopback address' "$dualtone" demo --quick --act 3 --folder "$work/nowhere"
kill ${pids[-1]}
wait ${pids[-1]}

# What cannot be played does not hold, and the exit code says so.
mkdir -p "$work/one/act-2/alice.wav"
try 1 '^2 .*in vain.*FAILS$' "$dualtone" demo --quick --act 2 --folder "$work/one"
grep -q 'THE DEMO FAILED' <<<"$said" || fail "it does not say that it failed"
! grep -qE '^[13] ' <<<"$said" || fail "--act 2 plays others too"
[[ ! -e $work/one/act-1 && -e $work/one/act-2 ]] || fail "--act 2 leaves folders of others"

try 2 'act is "4"' "$dualtone" demo --act 4
try 2 'use: dualtone demo' "$dualtone" demo 2
