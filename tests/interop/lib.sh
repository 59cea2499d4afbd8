# SPDX-License-Identifier: BSD-2-Clause
# What the scripts with foreign peers share. A script starts what it needs on a loopback net of its own
# and ends it by process id. Use: source lib.sh PATH-OF-DUALTONE
set -uo pipefail
dualtone=$(realpath "${1:?path of dualtone}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dualtone-interop-XXXXXX")
net=127.$((RANDOM % 250 + 1)).$((RANDOM % 250))
pids=()
ours=() # addresses of our nodes

finish() {
    local code=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    if ((code == 0 || code == 77)); then
        rm -rf "$work"
    else
        echo "logs: $work"
        tail -n 25 "$work"/*.log 2>/dev/null
    fi
    exit "$code"
}
trap finish EXIT

need() { # PROGRAM: without it the test is skipped
    command -v "$1" >/dev/null || { echo "skipped: $1 is not installed"; exit 77; }
}

fail() {
    echo "FAILED: $*"
    exit 1
}

# wait_from LINE FILE PATTERN: until a line of the file from LINE on matches, 20 s at most, and prints
# its number, counted from LINE; no polling, tail reads on.
wait_from() {
    local from code
    exec {from}< <(exec tail -n "+$1" -F "$2" 2>/dev/null)
    local tail=$!
    timeout 20 grep -anm1 -E "$3" <&"$from"
    code=$?
    kill "$tail"
    exec {from}<&-
    return "$code"
}

# wait_for FILE PATTERN WHAT: until a line of the file matches.
wait_for() {
    wait_from 1 "$1" "$2" >/dev/null || fail "$3"
}

# see NAME PATTERN [WHAT]: until NAME says it, after what was seen of NAME before.
declare -A seen
see() {
    local line
    line=$(wait_from $((${seen[$1]:-0} + 1)) "$work/$1.log" "$2") ||
        fail "${3:-$1 does not say \"$2\"}"
    seen[$1]=$((${seen[$1]:-0} + ${line%%:*}))
}

# until_true WHAT COMMAND...: for files, which tell nothing when they change: 20 s at most.
until_true() {
    local what=$1 i
    shift
    for ((i = 0; i < 400; i++)); do
        "$@" && return
        read -rt 0.05 <> <(:)
    done
    fail "$what"
}

# try CODE PATTERN COMMAND...: its exit code, and a line of what it says, are as told. What it said is
# in $said.
try() {
    local code=$1 pattern=$2 got
    shift 2
    said=$(timeout 20 "$@" 2>&1 </dev/null)
    got=$?
    ((got == code)) || fail "exit code $got, not $code, of: $* -- $said"
    grep -aqE -- "$pattern" <<<"$said" || fail "no \"$pattern\" in what this says: $* -- $said"
}

# ends NAME CODE: it ends by itself, or has ended, with this exit code.
ends() {
    local pid=pid_$1
    wait "${!pid}"
    local got=$?
    ((got == $2)) || fail "$1 ended with exit code $got, not $2"
}

# stop NAME: SIGTERM, and it must end well.
stop() {
    local pid=pid_$1
    kill "${!pid}"
    ends "$1" 0
}

# start NAME COMMAND...: in the background, output in NAME.log; its standard input is the fifo NAME.in.
start() {
    local name=$1 in
    shift
    : >"$work/$name.log"
    seen[$name]=0
    rm -f "$work/$name.in" # of one that has ended: what it did not read is not for this one
    mkfifo "$work/$name.in"
    exec {in}<>"$work/$name.in"
    "$@" <&"$in" >>"$work/$name.log" 2>&1 &
    pids+=($!)
    declare -g "pid_$name=$!" "in_$name=$in"
}

tell() { # NAME LINE: as typed
    local pid=pid_$1 in=in_$1
    kill -0 "${!pid}" 2>/dev/null || fail "$1 has ended, so it cannot be told \"$2\""
    echo "$2" >&"${!in}"
}

start_proxy() { # NAME IP [OPTION...]
    local name=$1 ip=$2
    shift 2
    ours+=("$ip")
    start "$name" "$dualtone" proxy --domain example.com --listen "udp:$ip:5060 tcp:$ip:5060" \
        --key_file "$work/cluster.key" "$@"
    wait_for "$work/$name.log" '^ready' "the proxy $name did not start"
}

start_phone() { # NAME NUMBER IP [OPTION...]
    local name=$1 number=$2 ip=$3
    shift 3
    ours+=("$ip")
    start "$name" "$dualtone" phone --listen "$ip:5060" --ui plain --line1_name "$number" \
        --line_domain example.com "$@"
    wait_for "$work/$name.log" '^ready' "the phone $name did not start"
}

start_uas() { # NAME IP [OPTION...]: SIPp's built-in callee, or -sf FILE; it says nothing when its socket is open
    local name=$1 ip=$2 a b c d tries
    shift 2
    [[ " $* " == *" -sf "* ]] || set -- -sn uas "$@"
    start "$name" sipp -i "$ip" -p 5060 -nostdin "$@"
    IFS=. read -r a b c d <<<"$ip"
    printf -v a '%02X%02X%02X%02X:13C4' "$d" "$c" "$b" "$a"
    for ((tries = 0; tries < 200; tries++)); do
        cat /proc/net/udp /proc/net/tcp | grep -q " $a " && return
        read -rt 0.05 <>"$work/$name.in" # the callee reads nothing, so this is 50 ms
    done
    fail "SIPp's callee did not start"
}
