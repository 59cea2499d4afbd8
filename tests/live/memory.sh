#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# phone --memory: a phone that starts while its primary is dead knows who the twin is, and calls at once.
source "$(dirname "$0")/../interop/lib.sh"
pair=(--cluster_address "$net.1")
start_proxy P "$net.1" "${pair[@]}" --peer "$net.2"
start_proxy S "$net.2" "${pair[@]}" --peer "$net.1"
phone() { # NAME NUMBER ADDRESS
    start_phone "$1" "$2" "$3" --audio null --proxy1_address "$net.1" --proxy_backup "$net.2" \
        --proxy_register 1 --proxy_register_backup 1 --proxy_failover fast \
        --memory "$work/$1.memory"
}
phone B 1002 "$net.4"
phone A 1001 "$net.3"
knows_both() { [[ $(grep -oE 'udp:[^ ]+=[^ ]+;node=[^ ]+;boot=[0-9]+' "$work/A.memory" | wc -l) == 2 ]]; }
until_true "the twins are not remembered" knows_both
[[ $(stat -c %a "$work/A.memory") == 600 ]] || fail "the memory can be read by others"
tell A quit
ends A 0

echo "call A: what is here is no memory" >"$work/C.memory"
phone C 1003 "$net.5" # passes it over
tell C quit
ends C 0

stop P # by SIGTERM: it refuses from now on
phone A 1001 "$net.3"
tell A "dial 1002"
see B '^call 1: ringing' "B does not ring"
tell B answer
see A '^call 1: talking' "no call"
tell A hangup
see A '^call 1: ended'
echo "ok"
