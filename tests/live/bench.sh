#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The load generator: what it says of a proxy that does all, of one that does not, of none; wrong usage.
source "$(dirname "$0")/../interop/lib.sh"
is() { # KEY VALUE: in the JSON that was said last
    grep -qE "\"$1\": $2[,}]" <<<"$said" || fail "$1 is not $2: $said"
}
all_well() { # HOW-MANY
    is started "$1"
    is done "$1"
    for key in failed lost held resent repeated disordered dropped; do is "$key" 0; done
}

start_proxy P "$net.1"
to=(--target "$net.1:5060" --local "$net.2" --domain example.com --users 20 --json)
try 1 '"first_failure": 404' "$dualtone" bench calls "${to[@]}" --registered --count 21
is failed 21
try 0 '"rate"' "$dualtone" bench options "${to[@]}" --count 300
all_well 300
try 0 '"rate"' "$dualtone" bench register "${to[@]}" --contacts 3 --account "$pid_P"
all_well 60
grep -q '"cpu_us": 0.000' <<<"$said" && fail "the proxy took no time: $said"
try 0 '"rate"' "$dualtone" bench register "${to[@]}" --refresh --count 300
all_well 300
try 0 '"rate"' "$dualtone" bench calls "${to[@]}" --count 200
all_well 200
try 0 '"rate"' "$dualtone" bench calls "${to[@]}" --count 100 --rate 200 --ring 20 --hold 30 --spin
all_well 100
try 0 '"rate"' "$dualtone" bench calls "${to[@]}" --count 50 --direct --port 5300
all_well 50
# What it says for people; a digest.
try 0 '20 started, 20 done, 0 lost' "$dualtone" bench register --target "$net.1:5060" --domain example.com \
    --users 20
try 1 'failed' "$dualtone" bench register "${to[@]}" --digest # nobody asked for one
is failed 20
for i in 0 1 2; do echo secret | "$dualtone" user add "000000$i" --realm example.com --file "$work/users"; done
start_proxy D "$net.3" --subscribers "$work/users"
try 0 '"rate"' "$dualtone" bench register --target "$net.3:5060" --domain example.com --users 3 --digest --json
all_well 3
try 1 '"first_failure": 401' "$dualtone" bench register --target "$net.3:5060" --domain example.com --users 3 \
    --digest --password wrong --json
stop P
stop D
try 1 '"lost": 2' "$dualtone" bench options "${to[@]}" --count 2 --patience 1
try 1 'could not be registered' "$dualtone" bench calls "${to[@]}" --patience 1

try 2 'say calls, register or options' "$dualtone" bench
try 2 'target is not set' "$dualtone" bench calls
try 1 'use ADDRESS:PORT' "$dualtone" bench calls --target here
try 2 'between 1 and' "$dualtone" bench calls --users 0
try 2 'for register only' "$dualtone" bench calls --target "$net.1:5060" --digest
try 2 'for calls only' "$dualtone" bench options --target "$net.1:5060" --ring 5
try 2 'wants a --port' "$dualtone" bench calls --target "$net.1:5060" --direct
try 2 'finds the rate itself' "$dualtone" bench calls --target "$net.1:5060" --search --rate 5
try 2 'use process ids' "$dualtone" bench calls --target "$net.1:5060" --account me
try 1 'is not there' "$dualtone" bench options --target "$net.1:5060" --account 999999999
echo "ok: the load generator"
