#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Wrong configuration and wrong usage: file, line and column, what was found, what is allowed; exit 2.
source "$(dirname "$0")/../interop/lib.sh"
cd "$work" || exit 1

# proxy FILE PATTERN: the proxy and `check` both say it and end with 2.
proxy() {
    try 2 "$2" "$dualtone" proxy --config "$1"
    try 2 "$2" "$dualtone" check "$1"
}
# proxy_with LINE PATTERN: the same for a file that has this line as its third.
proxy_with() {
    printf '# our proxy\ndomain: example.com\n%s\nlisten: udp:%s:5060\n' "$1" "$net.1" >dualtone.conf
    proxy dualtone.conf "$2"
}
proxy_with 'timer_t1: 5s' '^dualtone\.conf:3:11: timer_t1 is "5s"; use milliseconds between 10 and 5000$'
proxy_with '  timer_t1:   5' '^dualtone\.conf:3:15: timer_t1 is "5"; use milliseconds between 10 and 5000$'
proxy_with 'timer_t1: 1000000000000000000000' '^dualtone\.conf:3:11: timer_t1 is "10+"; use milliseconds'
proxy_with 'max_contacts: -1' '^dualtone\.conf:3:15: max_contacts is "-1"; use a number between 1 and 60$'
proxy_with 'listn: udp:127.0.0.1:5060' '^dualtone\.conf:3:1: there is no "listn"; did you mean "listen"\?$'
proxy_with 'colour: red' '^dualtone\.conf:3:1: there is no "colour"$'
proxy_with 'store: "memory:bindings' '^dualtone\.conf:3:8: the quote is not closed$'
proxy_with 'store: disk' '^dualtone\.conf:3:8: store is "disk"; use memory or memory:FILE$'
proxy_with 'listen: udp:example.com:5060' '^dualtone\.conf:[34]:9: listen is "udp:example.com:5060"; use udp:ADDRESS'
proxy_with 'listen: udp:0.0.0.0:5060' '^dualtone\.conf:[34]:9: listen is a wildcard, so cluster_address must be set'
proxy_with 'listen: tcp:[::]:5060' '^dualtone\.conf:[34]:9: listen is a wildcard, so cluster_address must be set'
proxy_with 'cluster_address: 1.2.3' '^dualtone\.conf:3:18: cluster_address is "1\.2\.3"; use an IP address'
proxy_with 'include: more.conf' '^dualtone\.conf:3:10: cannot read "more\.conf": not there$'
proxy_with 'include: dualtone.conf' '^dualtone\.conf:3:10: includes are nested more than 8 deep; does a file include itself\?$'
printf 'min_expires: 60\nmin_expires: soon\n' >more.conf
proxy_with 'include: more.conf' '^more\.conf:2:14: min_expires is "soon"; use seconds between 1 and 3600$'
proxy_with 'a line without a colon' '^dualtone\.conf:3:'
proxy_with $'timer_t1: 7\nlistn: x\ntimer_t2: 1' '^dualtone\.conf:3:.*timer_t1'
grep -q '^dualtone\.conf:4:1: .*listn' <<<"$said" || fail "the second mistake is not told"
grep -q '^dualtone\.conf:5:11: timer_t2' <<<"$said" || fail "the third mistake is not told"
head -c 20000 "$dualtone" >dualtone.conf
proxy dualtone.conf '^dualtone\.conf:[0-9]+:[0-9]+: '
LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' <<<"$said" && fail "control characters reach the terminal"
printf 'domain: example.com\n' >dualtone.conf
proxy dualtone.conf '^dualtone\.conf: listen is not set; use udp:ADDRESS:PORT, for example'
proxy absent.conf 'absent\.conf.*cannot be read: not there'
try 2 '^command line: timer_t1 is "5s"; use milliseconds between 10 and 5000$' \
    "$dualtone" proxy --listen "udp:$net.1:5060" --timer_t1 5s
try 2 '^command line: listen is "udp:127\.0\.0\.1:99999"; use udp:ADDRESS:PORT' \
    "$dualtone" proxy --listen udp:127.0.0.1:99999

# The phone: a wrong value ends it, an unknown parameter is reported and passed over.
phone() { # TEXT PATTERN
    printf '%s\n' "$1" >SIP001122334455.cnf
    try 2 "$2" "$dualtone" phone --config SIP001122334455.cnf --listen "$net.2" --audio null
    try 2 "$2" "$dualtone" phone --config-dir . --mac 00:11:22:33:44:55 --listen "$net.2" --audio null
    try 2 "$2" "$dualtone" check SIP001122334455.cnf
}
phone $'line1_name: 1001\ntimer_t1: "5s" ; five' 'SIP001122334455\.cnf:2:11: timer_t1 is "5s"; use milliseconds between'
phone $'line1_name: "1001' 'SIP001122334455\.cnf:1:13: the quote is not closed$'
phone $'line1_name: 1001\nproxy1_address: a b' 'SIP001122334455\.cnf:2:17: proxy1_address is "a b"; use an IP address'
phone $'line1_name: 1001\nproxy_register: 2' 'SIP001122334455\.cnf:2:17: proxy_register is "2"; use 1 or 0'
phone $'line1_name: 1001\npreferred_codec: opus' 'SIP001122334455\.cnf:2:18: preferred_codec is "opus"; use g711ulaw'
phone 'line1_shortname: A' 'no line has a name; set line1_name to its number$'
phone $'line1_name: 1001\nproxy_register: 1' 'proxy_register is 1, but there is nowhere to register; set proxy1_address$'
phone $'line1_name: 1001\ntimer_t1: 800\ntimer_t2: 700' 'SIP001122334455\.cnf:3:11: timer_t2 is not above timer_t1; raise timer_t2$'
try 2 'mac is "00:11"; use twelve hex digits' "$dualtone" phone --config-dir . --mac 00:11
try 2 'cannot read absent\.cnf: not there' "$dualtone" phone --config absent.cnf
try 2 'listen is "somewhere"; use one IP address of this machine' "$dualtone" phone --line1-name 1 --listen somewhere
printf 'line1_name: 1001\nlin2_name: 1002\nflavour: mint\n' >SIP001122334455.cnf
try 0 '^ready: 1001 at ' "$dualtone" phone --config SIP001122334455.cnf --listen "$net.2" --audio null
grep -q '^SIP001122334455\.cnf:2:1: there is no "lin2_name"; did you mean "line2_name"?$' <<<"$said" ||
    fail "an unknown parameter is not reported: $said"
grep -q '^SIP001122334455\.cnf:3:1: there is no "flavour"$' <<<"$said" || fail "nor the next: $said"
try 0 '^SIP001122334455\.cnf: a good phone file$' "$dualtone" check SIP001122334455.cnf
grep -q 'lin2_name' <<<"$said" || fail "check does not report it: $said"
echo 'sntp_server: 192.0.2.1' >>SIP001122334455.cnf
try 0 '^SIP001122334455\.cnf:4:1: sntp_server is known, not yet used$' "$dualtone" check SIP001122334455.cnf

# The command line and flow files.
try 2 'there is no command "phne"' "$dualtone" phne
try 2 'use: dualtone COMMAND' "$dualtone"
for command in phone proxy flow demo user check; do
    try 2 'there is no option "--colour"; "dualtone '$command' --help" lists them$' "$dualtone" "$command" --colour red
done
try 2 'there is no option "--lisen"; did you mean "--listen"\?$' "$dualtone" proxy --lisen x
try 2 'option --config needs a value$' "$dualtone" proxy --config
try 2 'ui is "lcd9"; use plain or none$' "$dualtone" phone --ui lcd9
try 2 'use: dualtone flow|say ' "$dualtone" flow juggle
try 2 '"9\.9" is neither a flow' "$dualtone" flow run 9.9
printf 'flow x "wrong"\nproxy P\nphone A 1001 primary P\n\nA dances\n' >wrong.flow
for verb in run check; do
    try 2 '^wrong\.flow:5:[0-9]+: ' "$dualtone" flow "$verb" wrong.flow
done
try 2 'say add NAME' "$dualtone" user promote 1001
try 2 'a user name has no blanks' "$dualtone" user add 'a b'
echo "ok: wrong configuration and usage are told"
