#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# dualtone user, the digest of both algorithms over the wire, and the reload of subscribers by SIGHUP.
source "$(dirname "$0")/../interop/lib.sh"
cd "$work" || exit 1
file=subscribers
user() { # CODE PATTERN PASSWORD ARGUMENTS...: the password goes in by standard input
    local code=$1 pattern=$2 password=$3 got
    shift 3
    said=$(printf '%s' "$password" | "$dualtone" user "$@" --realm example.com --file "$file" 2>&1)
    got=$?
    ((got == code)) || fail "exit code $got, not $code, of: user $* -- $said"
    grep -qE -- "$pattern" <<<"$said" || fail "no \"$pattern\" of: user $* -- $said"
}
user 0 '^$' $'Tr0ub4dor&3 x\n' add 1001
user 0 '^$' 'no line end' add 1002
user 1 '1002 .realm example.com. is there already; use .dualtone user passwd' 'other' add 1002
user 1 '1003 .realm example.com. is not there; .dualtone user list. shows .*, .dualtone user add. adds' 'x' passwd 1003
user 1 '1003 .realm example.com. is not there; .dualtone user list. shows' '' delete 1003
user 1 'the password is empty; nothing was changed' $'\n' add 1003
user 1 'standard input gives no password' '' add 1003
user 1 'standard input gives no password; .* at most 254 bytes' "$(printf 'x%.0s' {1..300})" add 1003
user 2 'a user name has no blanks' 'x' add 'a:b'
user 0 '^1001 example\.com SHA-256$' '' list
[[ $said == "1001 example.com SHA-256
1001 example.com MD5
1002 example.com SHA-256
1002 example.com MD5" ]] || fail "the list is $said"
said=$(echo other | "$dualtone" user add 1001 --realm other.org --file "$file" && cat "$file")
(($(wc -l <"$file") == 6)) || fail "the same name in another realm is another: $said"
[[ $(stat -c %a "$file") == 600 ]] || fail "the file can be read by others: $(stat -c %a "$file")"
grep -qE 'Tr0ub|no line' "$file" && fail "a password is in the file"

# Twenty at once lose nothing; no lock or temporary file stays behind.
mkdir many
adders=()
for i in {1..20}; do
    echo "$i" | "$dualtone" user add "u$i" --file many/subscribers &
    adders+=($!)
done
for pid in "${adders[@]}"; do wait "$pid" || fail "somebody could not be added"; done
[[ $("$dualtone" user list --file many/subscribers | wc -l) == 40 && $(ls many) == subscribers ]] ||
    fail "some are lost: $("$dualtone" user list --file many/subscribers)"

# On a terminal: asked twice, without echo, which Ctrl-C gives back.
cat >terminal.py <<'END'
import os, pty, re, sys, termios
def session(keys):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], [sys.argv[1], "user", "add", "t1", "--file", "tty-subscribers"])
    said = b""
    for prompt, key in keys:
        while not said.endswith(prompt):
            said += os.read(fd, 1)
        os.write(fd, key)
    try:
        while more := os.read(fd, 100):
            said += more
    except OSError:
        pass
    echo = bool(termios.tcgetattr(fd)[3] & termios.ECHO) if keys[-1][1] == b"\x03" else True
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode(), echo
P, A = b"Password: ", b"Again: "
for keys, code, words in (([(P, b"abc\n"), (A, b"abd\n")], 1, "the two passwords differ; nothing was changed"),
                          ([(P, b"abc\n"), (A, b"\x03")], 1, ""),  # the terminal may throw away what is said
                          ([(P, b"\n"), (A, b"\n")], 1, "the password is empty"),
                          ([(P, b"abc\n"), (A, b"abc\n")], 0, "")):
    got, said, echo = session(keys)
    if got != code or words not in said or "ab" in said or not echo:
        sys.exit("keys %r: exit code %d, echo %s, said %r" % (keys, got, echo, said))
END
try 0 '' python3 terminal.py "$dualtone"
[[ $("$dualtone" user list --file tty-subscribers | wc -l) == 2 ]] || fail "the terminal's subscriber is not there"

# RFC 7616 3.4.2 and RFC 2617: HA1 = H(user:realm:password).
for algorithm in SHA-256:sha256sum MD5:md5sum; do
    hash=$(printf '1001:example.com:Tr0ub4dor&3 x' | "${algorithm#*:}" | cut -d ' ' -f 1)
    grep -qx "1001 example.com ${algorithm%:*} $hash" "$file" || fail "HA1 of $algorithm is wrong"
done

# By the wire: the proxy offers both; the phone takes the better one; who knows MD5 only is let in too.
start_proxy P "$net.1" --subscribers "$file" --digest both --trace "$work/P.trace"
start_phone A 1001 "$net.2" --audio null --proxy1_address "$net.1" --proxy_register 1 --trace "$work/A.trace" \
    --line1_password 'Tr0ub4dor&3 x'
see A '^reply|^registration: registered 1001' "the right password does not register"
for algorithm in SHA-256 MD5; do
    grep -aq "WWW-Authenticate: Digest[^|]*algorithm=$algorithm" "$work/P.trace" || fail "$algorithm is not offered"
done
grep -aq 'Authorization: Digest[^|]*algorithm=SHA-256' "$work/A.trace" || fail "the better algorithm is not taken"
cat >md5.py <<'END'
import hashlib, os, re, socket, sys
ip, me, user, password, algorithm = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.bind((me, 5060))
h = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
run = os.urandom(8).hex()
d = lambda *p: h(":".join(p).encode()).hexdigest()
def register(cseq, more):
    s.sendto(("REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK%s%d;rport\r\n"
              "From: <sip:%s@example.com>;tag=1\r\nTo: <sip:%s@example.com>\r\nCall-ID: %s\r\nCSeq: %d REGISTER\r\n"
              "Contact: <sip:%s@%s>\r\nMax-Forwards: 70\r\nExpires: 60\r\n%sContent-Length: 0\r\n\r\n"
              % (me, run, cseq, user, user, run, cseq, user, me, more)).encode(), (ip, 5060))
    return s.recv(4096).decode()
def asked(r):
    return [dict(re.findall(r'(\w+)="?([^",\r]+)"?', c)) for c in re.findall("WWW-Authenticate: Digest (.*)", r)]
first = register(1, "")
c = [c for c in asked(first) if c["algorithm"] == algorithm][0]
a1 = d(user, "example.com", password)
a2 = d("REGISTER", "sip:example.com")
def answer(cseq, nc):
    resp = d(a1, c["nonce"], nc, "0a4f", "auth", a2)
    return register(cseq, 'Authorization: Digest username="%s",realm="example.com",nonce="%s",uri="sip:example.com",'
                    'response="%s",algorithm=%s,qop=auth,nc=%s,cnonce="0a4f"\r\n'
                    % (user, c["nonce"], resp, algorithm, nc))
got = answer(2, "00000001")
again = answer(3, "00000001")   # the same count for another request: a replay
print(first.split("\r\n")[0], "/", got.split("\r\n")[0], "/", again.split("\r\n")[0])
END
for algorithm in MD5 SHA-256; do
    try 0 'SIP/2.0 401 .*/ SIP/2.0 200 .*/ SIP/2.0 401' python3 md5.py "$net.1" "$net.4" 1002 'no line end' "$algorithm"
    try 0 'SIP/2.0 401 .*/ SIP/2.0 401 ' python3 md5.py "$net.1" "$net.4" 1002 'wrong' "$algorithm"
    try 0 'SIP/2.0 401 .*/ SIP/2.0 401 ' python3 md5.py "$net.1" "$net.4" nobody 'wrong' "$algorithm"
done

# SIGHUP: what is new counts; a bad file leaves the old one running and is told.
user 0 '^$' 'third' add 1003
kill -HUP "$pid_P"
register=("$dualtone" phone --listen "$net.5" --audio null --line_domain example.com --proxy1_address "$net.1"
    --proxy_register 1 --line1_name 1003 --line1_password)
try 0 '^registration: registered 1003' "${register[@]}" third
cp "$file" good
for bad in 'this is no subscriber at all' $'1003 example.com MD5 12\n' '1003 example.com SHA-512 00'; do
    echo "$bad" >>"$file"
    kill -HUP "$pid_P"
    see P '^subscribers:[0-9]+:[0-9]+: '
    see P 'the subscribers stay as they were$'
    cp good "$file"
done
rm "$file"
kill -HUP "$pid_P"
see P 'subscribers file subscribers cannot be read: not there'
try 0 '^registration: registered 1003' "${register[@]}" third
cp good "$file"
user 0 '^$' 'changed' passwd 1003
user 0 '^$' '' delete 1002
kill -HUP "$pid_P"
try 0 '^registration: registered 1003' "${register[@]}" changed
try 1 '^registration: not registered 1003' "${register[@]}" third
try 0 'SIP/2.0 401 .*/ SIP/2.0 401 ' python3 md5.py "$net.1" "$net.4" 1002 'no line end' MD5
grep -q '^1002' "$file" && fail "1002 is still in the file"
stop P
[[ $(find . -name 'subscribers?*' | wc -l) == 0 ]] || fail "temporary files are left"
echo "ok: subscribers"
