#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# RFC 3263 with a real name server: NAPTR, SRV, A and AAAA; a dead target gives way to the next; names that
# nobody knows, and servers that do not answer, are told.
source "$(dirname "$0")/../interop/lib.sh"
need dnsmasq
cd "$work" || exit 1
dns=$net.53:5353
# serve NAME RECORD...: dnsmasq with these records only; what it does not know does not exist.
serve() {
    start "$1" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --pid-file= --user="$(id -un)" \
        --port=5353 --listen-address="$net.53" --bind-interfaces --local=/#/ --log-queries --log-facility=- "${@:2}"
    see "$1" 'started, version' "dnsmasq does not start"
}
srv() { echo "--srv-host=_sip._$1.$2.example.com,$3.example.com,$4,$5,$6"; } # TRANSPORT DOMAIN HOST PORT PRIORITY WEIGHT
hosts=()
for host in p1:1 p2:2 dead:66 old:67; do
    hosts+=("--host-record=${host%:*}.example.com,$net.${host#*:}")
done
records=("${hosts[@]}"
    "$(srv udp one p1 5070 10 0)"                               # SRV alone, with its port
    "$(srv udp two p1 5070 10 0)" "$(srv udp two dead 5060 5 0)" # the first target is dead
    "--naptr-record=three.example.com,20,10,s,SIP+D2U,,_sip._udp.one.example.com"
    "--naptr-record=three.example.com,10,10,s,SIP+D2T,,_sip._tcp.three.example.com"
    "--naptr-record=three.example.com,5,10,s,SIPS+D2T,,_sips._tcp.three.example.com"
    "$(srv tcp three p1 5070 10 0)"
    "--host-record=four.example.com,$net.66" "--host-record=four.example.com,$net.2" # A only, the first one dead
    "$(srv udp six old 5060 5 0)" "$(srv udp six p1 5070 10 0)" # the first one is a black hole
    "--cname=five.example.com,p2.example.com")
serve N "${records[@]}"
both() { # NAME NODE PORT DOMAIN
    # shellcheck disable=SC2086 # the fourth may bring an option with it
    start "$1" "$dualtone" proxy --domain $4 --listen "udp:$net.$2:$3 tcp:$net.$2:$3" --dns "$dns"
    see "$1" '^ready' "the proxy $1 does not start"
}
both P 1 5070 "example.com --alias one.example.com"
both Q 2 5060 example.com

# find NAME ADDRESS PATTERN OPTION...: a phone with this proxy registers where the records lead.
phone=("$dualtone" phone --listen "$net.9" --line1_name 1009 --line_domain example.com --audio null --dyn_dns_addr_1
    "$dns" --proxy_register 1 --timer_t1 50 --trace found.trace)
find_proxy() {
    rm -f found.trace
    try 0 "^registration: registered 1009 at $1" "${phone[@]}" --proxy1_address "$1" "${@:3}"
    grep -aqE "^@[0-9]+ arrived .* $2 .*SIP/2.0 200" found.trace || fail "$1 did not lead to $2"
}
find_proxy one.example.com "udp:$net.1:5070"
find_proxy one.example.com "udp:$net.1:5070" --proxy_transport udp
grep -q 'query\[NAPTR\] one.example.com' N.log || fail "NAPTR is not asked"
find_proxy two.example.com "udp:$net.1:5070"
grep -aqE "^@[0-9]+ sent .* udp:$net.66:5060 REGISTER" found.trace || fail "the target of lower priority was not tried first"
find_proxy three.example.com "udp:$net.1:5070"
find_proxy three.example.com "tcp:$net.1:5070" --sip_tcp 1
find_proxy three.example.com "tcp:$net.1:5070" --proxy_transport tcp
find_proxy four.example.com "udp:$net.2:5060"
find_proxy five.example.com "udp:$net.2:5060"
start hole python3 -c 'import signal, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 5060))
print("ready", flush=True)
signal.pause()' "$net.67"
see hole '^ready'
find_proxy six.example.com "udp:$net.1:5070" --timer_t1 10 # 64 T1 of silence
find_proxy p1.example.com "udp:$net.1:5070" --proxy1_port 5070 # a port: A and AAAA only

# Calls: the primary's name leads to a dead and a living target; a name in the number; a name as backup.
start_phone B 1002 "$net.4" --proxy1_address one.example.com --proxy_register 1 --dyn_dns_addr_1 "$dns" --audio null
start_phone A 1001 "$net.3" --proxy1_address two.example.com --dyn_dns_addr_1 "$dns" --audio null --timer_t1 50
ring() {
    tell "$1" "dial $2"
    see B '^call 1: ringing' "B does not ring for: $2"
    tell B answer
    see "$1" '^call 1: talking'
    tell "$1" hangup
    see "$1" '^call 1: ended'
    see B '^call 1: ended'
}
ring A 1002
stop A
start_phone A 1001 "$net.3" --proxy1_address six.example.com --dyn_dns_addr_1 "$dns" --audio null --timer_t1 10
ring A 1002
stop A
start_phone A 1001 "$net.3" --proxy1_address dead.example.com --proxy_backup one.example.com --dyn_dns_addr_1 "$dns" \
    --audio null --timer_t1 50
ring A 1002
grep -q '^screen: Network Delay, Trying Backup$' A.log || fail "the backup is not told of"
stop A
start_phone A 1001 "$net.3" --dyn_dns_addr_1 "$dns" --audio null --timer_t1 50
ring A sip:1002@one.example.com
# The proxy looks names up too, for numbers of other domains.
stop A
start_phone A 1001 "$net.3" --proxy1_address "$net.2" --proxy_register 1 --audio null --timer_t1 50
ring A sip:1002@one.example.com

# Nobody knows the name; then nobody answers.
tell A 'dial sip:1002@nothere.example.com'
see A '^problem: Calling 1002 at .* failed: the answer was [45][0-9][0-9] .*; .*\.$'
try 0 '^problem: Line 1 .*nothere\.example\.com: DNS does not know the name; it is tried again\.$' "${phone[@]}" \
    --proxy1_address nothere.example.com
stop A
start_phone A 1001 "$net.3" --proxy1_address nothere.example.com --dyn_dns_addr_1 "$dns" --audio null
tell A 'dial 1002'
see A '^problem: Calling 1002 at nothere\.example\.com failed: DNS does not know the name; check the name and dial again\.$'
see A '^screen: Not Found$'
stop N
try 0 '^problem: Line 1 .*nothere\.example\.com: .*; it is tried again\.$' "${phone[@]}" --proxy1_address nothere.example.com
try 2 'dyn_dns_addr_1 is a name; use the name server' "${phone[@]}" --dyn_dns_addr_1 ns.example.com
try 2 'dns is "ns\.example\.com"; use ADDRESS or ADDRESS:PORT' "$dualtone" proxy --listen "udp:$net.8:5060" --dns ns.example.com
echo "ok: names"
