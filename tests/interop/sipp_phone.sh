#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# SIPp's built-in callee (uas) is called by our phone, directly; our phone hangs up.
source "$(dirname "$0")/alone.sh"
need sipp
cd "$work" || exit 1
start_uas uas "$net.2" -m 1
start_phone A 1001 "$net.3" --audio tone:440
tell A "dial sip:service@$net.2:5060"
wait_for A.log '^call 1: talking' "SIPp's callee was not reached"
tell A hangup
wait_for A.log '^call 1: ended' "the call did not end"
wait "$pid_uas" || fail "SIPp's callee counts a failed call"
echo "ok: our phone called SIPp"
