#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# SIPp's built-in caller (uac) calls SIPp's built-in callee (uas) through our proxy: 100 calls.
source "$(dirname "$0")/alone.sh"
need sipp
calls=100
start_proxy P "$net.1"
cd "$work" || exit 1
sipp "$net.1:5060" -sf "$here/register.xml" -i "$net.2" -p 5070 -s service -key contact "$net.2:5060" \
    -m 1 -nostdin >register.log 2>&1 || fail "SIPp could not register at the proxy"
start_uas uas "$net.2" -m "$calls"
sipp "$net.1:5060" -sn uac -i "$net.3" -p 5060 -s service -m "$calls" -r 50 -nostdin -trace_err \
    >uac.log 2>&1 || fail "SIPp's caller counts failed calls"
grep -aE 'Successful call' uac.log | tail -n 1
grep -aqE "Successful call +\| +[0-9]+ +\| +$calls" uac.log || fail "not all $calls calls went through"
kill "$pid_P"
wait "$pid_P" || fail "the proxy did not end well"
echo "ok: $calls calls of SIPp through the proxy"
