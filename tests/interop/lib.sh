# SPDX-License-Identifier: BSD-2-Clause
# What the scripts with foreign peers share. A script starts what it needs on a loopback net of its own
# and ends it by process id. Use: source lib.sh PATH-OF-DUALTONE
set -uo pipefail
dualtone=${1:?path of dualtone}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dualtone-interop-XXXXXX")
net=127.$((RANDOM % 250 + 1)).$((RANDOM % 250))
pids=()

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

# wait_for FILE PATTERN WHAT: until a line of the file matches, 20 s at most; no polling, tail reads on.
wait_for() {
    timeout 20 grep -qm1 -E "$2" <(exec tail -n +1 -F "$1" 2>/dev/null) || fail "$3"
}

# start NAME COMMAND...: in the background, output in NAME.log; its standard input is the fifo NAME.in.
start() {
    local name=$1
    shift
    : >"$work/$name.log"
    mkfifo "$work/$name.in"
    "$@" <>"$work/$name.in" >>"$work/$name.log" 2>&1 &
    pids+=($!)
    declare -g "pid_$name=$!"
}

tell() { # NAME LINE: as typed
    echo "$2" >"$work/$1.in"
}

start_proxy() { # NAME IP [OPTION...]
    local name=$1 ip=$2
    shift 2
    start "$name" "$dualtone" proxy --domain example.com --listen "udp:$ip:5060 tcp:$ip:5060" \
        --key_file "$work/cluster.key" "$@"
    wait_for "$work/$name.log" '^ready' "the proxy $name did not start"
}

start_phone() { # NAME NUMBER IP [OPTION...]
    local name=$1 number=$2 ip=$3
    shift 3
    start "$name" "$dualtone" phone --listen "$ip:5060" --ui plain --line1_name "$number" \
        --line_domain example.com "$@"
    wait_for "$work/$name.log" '^ready' "the phone $name did not start"
}
