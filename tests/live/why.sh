#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# dualtone why: a pair, two phones under fast; asked before a call, while it rings, after the primary was
# killed, and when the call is over. Then everything that can be asked wrongly, and garbage on the socket.
source "$(dirname "$0")/../interop/lib.sh"
need python3
run=$work/run
why=("$dualtone" why --run-folder "$run")
# json WORDS...: the document is JSON; `d` in the Python expression that stands on standard input
json() {
    "${why[@]}" --phone A --json "$@" >"$work/json" || fail "why --json $* fails"
    python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
wrong = [line for line in sys.stdin if line.strip() and not eval(line)]
sys.exit("not so: " + "".join(wrong) if wrong else 0)' "$work/json" ||
        fail "why --json $*: $(cat "$work/json")"
}
phone() { # NAME NUMBER IP
    start_phone "$1" "$2" "$3" --audio null --proxy1_address "$net.1" --proxy_backup "$net.2" \
        --proxy_register 1 --proxy_register_backup 1 --proxy_failover fast \
        --run_folder "$run" --run_name "$1"
}
try 1 'no phone runs; looked in .*run$' "${why[@]}"
start_proxy P "$net.1" --cluster_address "$net.1" --peer "$net.2"
start_proxy S "$net.2" --cluster_address "$net.1" --peer "$net.1"
phone A 1001 "$net.3"
[[ $(stat -c %a "$run") == 700 && $(stat -c %a "$run/phone-A.sock") == 600 ]] || fail "others can ask"

# Before a call: the only phone is found by itself.
try 0 '^no calls so far$' "${why[@]}"
try 0 "^target $net.1:5060 udp: up since " "${why[@]}"
grep -qE "its twin is $net.2:5060\$" <<<"$said" || fail "the twin is not told: $said"
json <<'PYTHON'
d["phone"]["name"] == "1001" and d["phone"]["policy"] == "fast"
[t["health"] for t in d["targets"]] == ["up", "up"]
d["calls"] == [] and all(x["count"] == 0 for x in d["dropped"])
PYTHON

phone B 1002 "$net.4"
try 2 'several phones run; name one with --phone:' "${why[@]}"
grep -q '^  B (.*/phone-B.sock)$' <<<"$said" || fail "B is not listed: $said"
try 1 'no phone named C runs' "${why[@]}" --phone C

# While it rings.
tell A "dial 1002"
see B '^call 1: ringing'
see A '^call 1: ringing'
for which in 1 1002; do
    try 0 '^call 1 to sip:1002@example.com;user=phone: ringing since' "${why[@]}" --phone A call $which
    grep -qE "^  candidate $net.1:5060 udp \(primary\): tried\$" <<<"$said" || fail "candidates: $said"
    grep -qE '^ +[0-9.]+ s ago  path 1: answered 180, .*-> ringing' <<<"$said" || fail "decisions: $said"
    grep -qE '^  next: path 1, in 17[0-9.]+ s: without an answer by then, it is cancelled' <<<"$said" ||
        fail "the next step: $said"
done
json call 1 <<'PYTHON'
len(d["calls"]) == 1 and d["calls"][0]["state"] == "ringing" and d["calls"][0]["policy"] == "fast"
d["calls"][0]["paths"][0]["status"] == 180
d["calls"][0]["decisions"][-1]["why"].startswith("the callee is being called")
PYTHON
try 0 "^call 1 from sip:1001@example.com.*: ringing since" "${why[@]}" --phone B call 1

# The primary dies; the probes tell.
kill -9 "$pid_P"
wait "$pid_P" 2>/dev/null
is_down() { "${why[@]}" --phone A target "$net.1" 2>&1 | grep -qE "^target $net.1:5060 udp: down since"; }
until_true "A does not find out that P is dead" is_down
try 0 'new calls do not go there: it is down$' "${why[@]}" --phone A target "$net.1:5060"
grep -qE '(probes? not answered|refused).*: down$' <<<"$said" || fail "no evidence: $said"
tell B answer
see A '^call 1: talking'
try 0 ': talking since' "${why[@]}" --phone A call
tell A hangup
see A '^call 1: ended'
see B '^call 1: ended'

# Over; and the next one goes straight to the backup.
try 0 '^  it ended here$' "${why[@]}" --phone A call 1002
try 0 '^  it ended by the other side$' "${why[@]}" --phone B call 1
tell A "dial 1002"
see A '^call 1: ringing'
try 0 "^  candidate $net.1:5060 udp \(primary\): skipped: known to be down" "${why[@]}" --phone A call 1
json <<'PYTHON'
[c["state"] for c in d["calls"]] == ["ringing", "ended"]
d["calls"][0]["paths"][0]["address"] == d["targets"][1]["address"]
PYTHON

# Asked wrongly.
try 1 'There is no call 7; ' "${why[@]}" --phone A call 7
try 1 '"error":"There is no call 7; ' "${why[@]}" --phone A --json call 7
try 1 '1.2.3.4 is no proxy that this phone watches' "${why[@]}" --phone A target 1.2.3.4
try 1 '"nonsense" is not an address' "${why[@]}" --phone A target nonsense
try 2 '"calls" is not understood' "${why[@]}" calls
try 2 '"3" is not understood' "${why[@]}" call 1 3
try 2 'names no call or target' "${why[@]}" call 'a b'
try 2 'timeout is "x"; use milliseconds between' "${why[@]}" --timeout x
try 2 'did you mean "--phone"' "${why[@]}" --phon A

# Garbage, too much, two at once; the phone goes on.
python3 - "$run/phone-A.sock" <<'PYTHON' || fail "bad clients"
import json, socket, sys
def client():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s
def line(s):
    got = b""
    while not got.endswith(b"\n"):
        piece = s.recv(65536)
        if not piece:
            return got
        got += piece
    return got
for garbage in (b"\x00\xff\xfe\n", b"{}\n", b"why why why\n", b"why call \"\n", b"\n"):
    s = client()
    s.sendall(garbage)
    assert "not understood" in json.loads(line(s))["error"], garbage
s = client()
s.sendall(b"x" * 5000)
try:
    assert line(s) == b""
except ConnectionResetError:
    pass
a, b = client(), client()
a.sendall(b"why ca")
b.sendall(b"why target\n")
assert "targets" in json.loads(line(b))
a.sendall(b"ll\n")
assert "calls" in json.loads(line(a))
PYTHON
json <<'PYTHON'
[c["state"] for c in d["calls"]] == ["ringing", "ended"]
PYTHON

# A stopped phone does not answer; a killed one is not seen, and its name can be used again.
kill -STOP "$pid_B"
try 1 'phone B does not answer; is its process stopped' "${why[@]}" --phone B --timeout 200
kill -CONT "$pid_B"
kill -9 "$pid_B"
wait "$pid_B" 2>/dev/null
try 1 'no phone named B runs' "${why[@]}" --phone B
[[ -S $run/phone-B.sock ]] || fail "there is no socket left to be replaced"
phone B 1002 "$net.4"
try 0 '^no calls so far$' "${why[@]}" --phone B
try 1 'another process answers at .*/phone-B.sock' "$dualtone" phone --listen "$net.5:5060" --ui none \
    --line1_name 1003 --audio null --run_folder "$run" --run_name B
chmod 755 "$run"
try 1 'the run folder .* is open to others' "$dualtone" phone --listen "$net.5:5060" --ui none \
    --line1_name 1003 --audio null --run_folder "$run"
chmod 700 "$run"
tell A quit
ends A 0
[[ ! -e $run/phone-A.sock ]] || fail "A leaves its socket"
echo "ok: dualtone why"
