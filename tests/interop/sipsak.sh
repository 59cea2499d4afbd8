#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# sipsak: OPTIONS to proxy and phone by UDP and TCP, registering with a password, a wrong password, a
# trace of the way through a proxy, and a user whom nobody knows.
source "$(dirname "$0")/alone.sh"
need sipsak
subscribers=$work/subscribers
echo secret | "$dualtone" user add 1001 --realm example.com --file "$subscribers" || fail "no subscriber"
start_proxy P "$net.1" --subscribers "$subscribers"
start_proxy Q "$net.2"
start_phone B 1002 "$net.3" --sip_tcp 1 --proxy1_address "$net.2" --proxy_register 1 --audio null
see B '^registration: registered 1002'

for at in "$net.1" "$net.2" "1002@$net.3"; do
    for by in udp tcp; do
        try 0 'SIP/2.0 200' sipsak -E "$by" -vv -s "sip:$at:5060"
    done
done
try 0 'SIP/2.0 200' sipsak -vv -s "sip:1002@$net.2:5060"
echo "OPTIONS: proxies and phone by UDP and TCP, and the phone by its proxy"
registers() { # CODE PATTERN PASSWORD [OPTION...]
    try "$1" "$2" sipsak -i -vv -U -C "sip:1001@$net.9:5070" -x 60 -u 1001 -a "$3" -s "sip:1001@$net.1:5060" "${@:4}"
}
registers 0 'All usrloc tests completed successful' secret
registers 0 'All usrloc tests completed successful' secret -E tcp
registers 2 'authorization failed' wrong
echo "REGISTER: with a password by UDP and TCP; a wrong one is refused"
try 0 '^0: .* SIP/2.0 200 OK' sipsak -vv -T -s "sip:1002@$net.2:5060"
try 1 'SIP/2.0 404' sipsak -vv -s "sip:1009@$net.2:5060"
echo "ok: sipsak"
