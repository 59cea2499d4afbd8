#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A live flow with a foreign party: SIPp's built-in callee (uas) is B, and the script of the flow holds; a
# flow that wants another message of B fails at its line.
source "$(dirname "$0")/alone.sh"
need sipp
cd "$work" || exit 1
sed "s/@B@/$net.9:5060/" "$here/foreign.flow" >foreign.flow
start_uas uas "$net.9"
"$dualtone" flow run foreign.flow --live --folder "$work/good" >good.log 2>&1 || fail "the flow did not hold"
cat good.log
grep -q 'flow foreign holds: 6 messages, live' good.log || fail "another number of messages"
sed 's/^B -> A 180$/B -> A 183/' foreign.flow >other.flow
"$dualtone" flow run other.flow --live --folder "$work/other" >other.log 2>&1
(($? == 1)) || fail "a wrong step must fail with exit code 1"
grep -q 'line 9: B -> A 183: another message came: B -> A 180 Ringing' other.log || fail "another reason"
"$dualtone" flow run foreign.flow >sim.log 2>&1 && fail "a foreign party cannot be simulated"
grep -q 'only a run with --live can meet' sim.log || fail "the reason is not told"
echo "ok: a live flow with SIPp as callee"
