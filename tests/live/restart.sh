#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# store: memory:FILE. Bindings outlive the proxy, ended properly or killed; a broken file, and one that
# cannot be written for a while, lose nothing that could be kept.
source "$(dirname "$0")/../interop/lib.sh"
store=$work/store/bindings
mkdir "$work/store"
proxy() { # "start" is in the background, so the name can be used again
    start_proxy P "$net.1" --store "memory:$store" --snapshot_every 1 --max_expires 600
}
written() { # PATTERN
    until_true "the snapshot does not hold $1" grep -qsE -- "$1" "$store"
}
# call WHAT: A reaches B by the binding that there is; B registers nothing meanwhile.
registrations=0
call() {
    tell A "dial 1002"
    see B '^call 1: ringing 1001' "B does not ring: $1"
    tell B answer
    see A '^call 1: talking' "no call: $1"
    see B '^call 1: talking'
    tell A hangup
    see A '^call 1: ended'
    see B '^call 1: ended'
    local now
    now=$(grep -c '^registration' "$work/B.log")
    ((now == registrations)) || fail "B has registered anew: $1"
}

proxy
[[ $(stat -c %a "$store") == 600 ]] || fail "the snapshot can be read by others"
start_phone B 1002 "$net.3" --audio null --proxy1_address "$net.1" --proxy_register 1
start_phone A 1001 "$net.2" --audio null --proxy1_address "$net.1"
registrations=$(grep -c '^registration' "$work/B.log")
call "before anything happened"

stop P # writes at the end what the interval had not written yet
grep -q '^binding sip:1002' "$store" || fail "nothing was written at the end: $(cat "$store")"
proxy
call "after SIGTERM"

# A second phone registers; then the process is killed, once the interval has passed.
start_phone C 1003 "$net.4" --audio null --proxy1_address "$net.1" --proxy_register 1
written '^binding sip:1003'
kill -9 "$pid_P"
wait "$pid_P" 2>/dev/null
proxy
call "after SIGKILL"
tell A "dial 1003"
see C '^call 1: ringing' "C does not ring after SIGKILL"
tell A hangup
see C '^call 1: ended'

# C goes: its binding leaves the file, and does not come back.
tell C quit
ends C 0
is_gone() { ! grep -q '^binding sip:1003@' "$store"; }
until_true "the removed binding stays in the snapshot" is_gone
kill -9 "$pid_P"
wait "$pid_P" 2>/dev/null

# Broken lines are passed over, told, and kept beside the file; good ones count.
cp "$store" "$work/was"
printf 'binding half of a li' >>"$store"
proxy
grep -q '1 broken lines in .*/bindings were passed over; the whole is kept as .*/bindings\.broken$' "$work/P.log" ||
    fail "the broken line is not told: $(cat "$work/P.log")"
grep -q 'half of a li' "$store.broken" || fail "the broken file is not kept"
call "after a broken line"

# The folder cannot be used for a while: told once, written again as soon as it can be.
mv "$work/store" "$work/away"
start_phone C 1003 "$net.4" --audio null --proxy1_address "$net.1" --proxy_register 1
see P 'the bindings cannot be written to .*: not there; it is tried again$'
call "without a disk"
mv "$work/away" "$work/store"
see P 'the bindings are written to .* again$'
written '^binding sip:1003'
(($(grep -c 'cannot be written' "$work/P.log") == 1)) || fail "the same is told again and again"
mv "$work/store" "$work/away"
tell C quit
ends C 0
kill "$pid_P"
ends P 1
mv "$work/away" "$work/store"
grep -q 'cannot be written to' <(tail -n 1 "$work/P.log") || fail "the end does not tell what was lost"
[[ $(find "$work/store" -type f | wc -l) == 2 ]] || fail "temporary files are left: $(ls "$work/store")"
echo "ok: bindings outlive the proxy"
