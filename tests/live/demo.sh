#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# dualtone demo: three acts, each with its row in the table at the end, and files to look at afterwards;
# exit code 1 when an act does not hold.
source "$(dirname "$0")/../interop/lib.sh"

# All acts in quick time, as a person sees them.
folder=$work/all
timeout 50 "$dualtone" demo --quick --folder "$folder" >"$work/all.log" 2>&1 || fail "the demo does not hold"
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

# A stranger holds the primary's address: nothing can be shown, and the exit code says so.
"$dualtone" proxy --domain example.com --listen udp:127.0.0.1:5060 >"$work/stranger.log" 2>&1 &
pids+=($!)
wait_for "$work/stranger.log" '^ready' "the stranger does not start"
try 1 '^2 .*in vain.*FAILS$' "$dualtone" demo --quick --act 2 --folder "$work/one"
grep -q 'THE DEMO FAILED' <<<"$said" || fail "it does not say that it failed"
! grep -qE '^[13] ' <<<"$said" || fail "--act 2 plays others too"
[[ ! -e $work/one/act-1 && -e $work/one/act-2 ]] || fail "--act 2 leaves folders of others"

try 2 'act is "4"' "$dualtone" demo --act 4
try 2 'use: dualtone demo' "$dualtone" demo 2
