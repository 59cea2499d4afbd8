#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What peers do to the TCP ports of a proxy and of a phone, and to the ports for sound.
source "$(dirname "$0")/../interop/lib.sh"
live=$(dirname "$(realpath "$0")")
cd "$work" || exit 1
start_proxy P "$net.1"
start_phone B 1002 "$net.3" --proxy1_address "$net.1" --proxy_register 1 --sip_tcp 1 --audio file:,B.wav
for node in 1 3; do
    timeout 60 python3 "$live/streams.py" "$net.$node:5060" "$net.9" || fail "streams to $net.$node"
done
for name in P B; do
    pid=pid_$name
    open=$(find "/proc/${!pid}/fd" -lname 'socket:*' | wc -l)
    ((open < 20)) || fail "$name still has $open sockets"
    memory=$(awk '/^VmRSS/ { print $2 }' "/proc/${!pid}/status")
    ((memory < 100000)) || fail "$name holds $memory KiB"
done

# Garbage, and sound from a stranger, to B's ports while A's tone is on.
start_phone A 1001 "$net.2" --proxy1_address "$net.1" --audio tone:440
tell A 'dial 1002'
see B '^call 1: ringing'
tell B answer
see A '^call 1: talking'
python3 - "$net.3" "$net.9" <<'END' || fail "the flood could not be sent"
import random, socket, struct, sys, time
r = random.Random(1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[2], 16384))
end = time.monotonic() + 1.5
n = 0
while time.monotonic() < end:
    n += 1
    loud = struct.pack(">BBHII", 0x80, 0, n & 0xffff, n * 160, 7) + bytes(r.randrange(256) for _ in range(160))
    junk = r.randbytes(r.randrange(300))
    for port in (16384, 16385):
        for m in (loud, junk, b"", b"\x80", b"\x80\xc8\xff\xff" + junk, b"\xbf\xff" + junk):
            s.sendto(m, (sys.argv[1], port))
    time.sleep(0.01)
END
kill -0 "$pid_B" || fail "B died"
tell A hangup
see B '^call 1: ended'
for name in A B P; do stop "$name"; done
"$here/tone.py" B.wav 440 || fail "the stranger is in the recording in place of A's tone"
echo "ok: hostile streams and sound"
