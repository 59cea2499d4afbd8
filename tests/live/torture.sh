#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Each message of tests/corpus/torture and 2,000 random changes of them, by UDP and TCP, to a running proxy
# and a running phone: both live on, do as torture.tsv says and INDEX.tsv allows, forward what came with what a
# proxy changes, hold no more memory than before, and a call goes through afterwards. In a network namespace of
# its own, so that no address in them is ever reached; without one it is skipped.
if [[ -z ${DUALTONE_ALONE:-} ]]; then
    if ! unshare -rn ip link set lo up 2>/dev/null; then
        echo "skipped: no network namespace can be made here, and hostile messages name addresses"
        exit 77
    fi
    DUALTONE_ALONE=1 exec unshare -rn "$0" "$@"
fi
ip link set lo up
source "$(dirname "$0")/../interop/lib.sh"
corpus=$here/../corpus/torture
torture=$(dirname "$(realpath "$0")")/torture.py
cd "$work" || exit 1
seed=${TORTURE_SEED:-4475} count=${TORTURE_COUNT:-2000}
# The proxy is responsible for whom the messages ask for, so that it forwards them; torture.py is the name server.
ours="example.net example.org company.com chair-dnrc.example.com registrar.example.com host.example.net"
start_proxy P "$net.1" --timer_t1 10 --timer_t2 100 --dns "$net.9" --alias "$ours 2001:db8::10" --trace P.trace --max_bindings 1000
via=(--proxy1_address "$net.1" --proxy_register 1 --sip_tcp 1 --dyn_dns_addr_1 127.0.0.1:9 --timer_t1 20 --timer_t2 100)
start_phone B 1002 "$net.3" "${via[@]}" --audio null --trace B.trace
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; } # KiB
memory_P=$(memory "$pid_P") memory_B=$(memory "$pid_B")

for run in "judge proxy $net.1:5060 $net.9 P.trace" "judge phone $net.3:5060 $net.8 B.trace" \
    "mutate proxy $net.1:5060 $net.9 $seed $count" "mutate phone $net.3:5060 $net.8 $seed $count"; do
    # shellcheck disable=SC2086 # words
    timeout 60 python3 "$torture" $run "$corpus" || fail "torture: $run (seed $seed)"
done
kill -0 "$pid_P" "$pid_B" || fail "somebody died"

# Counters: all that came (but for what ended with its stream) is accounted for, and nothing is left over once 64 T1 have passed.
counts() {
    kill -USR1 "$pid_P"
    see P '^count objects ' "the proxy tells no counters"
    tac P.log | sed -n '/^count objects/,/^count in /p' | tac >counts
    while read -r _ name value; do declare -g "c_${name//./_}=$value"; done <counts
}
settled() { counts && ((c_objects == 0)); }
until_true "objects are left: $(cat counts 2>/dev/null)" settled
echo "in $c_in: forwarded $c_forwarded, answered $c_answered, dropped $c_dropped; malformed $c_stack_malformed"
((c_in == c_forwarded + c_answered + c_dropped)) || fail "in is not forwarded + answered + dropped: $(cat counts)"
((c_stack_in >= count * 9 / 10 && c_stack_malformed > count / 4 && c_stack_malformed < c_stack_in)) ||
    fail "the counters make no sense: $(cat counts)"
((c_lost_outputs == 0)) || fail "outputs were lost"
for name in P B; do
    pid=pid_$name before=memory_$name
    after=$(memory "${!pid}")
    echo "$name: ${!before} KiB before, $after KiB after"
    ((after < ${!before} + 40000)) || fail "the memory of $name grows: ${!before} to $after KiB"
done

# An ordinary call, as if nothing had been.
# What rings by chance (a request without a user is for line 1) is rejected first.
for _ in 1 2 3; do tell B reject; done
see B '^problem: No call is ringing here'
start_phone A 1001 "$net.2" "${via[@]}" --audio null
tell A 'dial 1002'
see A '^call 1: ringing 1002'
see B '^call [0-9]+: ringing 1001'
call=$(sed -n "${seen[B]}s/^call \([0-9]*\):.*/\1/p" B.log)
tell B "answer $call"
see A '^call 1: talking 1002'
tell A hangup
see A '^call 1: ended 1002'
LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' P.log B.log && fail "control characters reach the terminal"
for name in A B P; do stop "$name"; done
echo "ok: torture"
