#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""torture.py judge|mutate TARGET ... sends torture messages to a running node; see torture.sh.

judge TARGET IP:PORT MY-IP TRACE CORPUS: each message of INDEX.tsv by UDP; what the node's trace says that it
sent because of it must be what the index allows (column `proxy` or `endpoint_or_registrar` by TARGET), and be
exactly what torture.tsv says. What a proxy forwards comes to us: we are registered for all who are asked for, and
any name that it looks up is ours; it must be what came but for what a proxy changes (I20). Nothing may be sent
but to MY-IP: the namespace has no other, so it would be lost unseen.
mutate TARGET IP:PORT MY-IP SEED COUNT CORPUS: random changes of all messages, by UDP and by TCP.
After each message (after each 20 mutations) the node must still answer an OPTIONS of ours."""
import collections
import csv
import os
import random
import re
import socket
import sys
import threading
import time

WAIT = 3  # seconds for an answer that must come


class Node:
    def __init__(self, address, mine):
        ip, port = address.rsplit(":", 1)
        self.to = (ip, int(port))
        self.mine = mine
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((mine, 0))
        self.asked = 0

    def send(self, message):
        self.udp.sendto(message[:65000], self.to)

    def send_tcp(self, message):
        """Alone on a connection, which we then half close; what comes back is read to its end or for a while."""
        with socket.create_connection(self.to, WAIT, (self.mine, 0)) as s:
            try:
                s.sendall(message)
                s.shutdown(socket.SHUT_WR)
                s.settimeout(1)
                while s.recv(65536):
                    pass
            except OSError:
                pass

    def ask(self):
        """An OPTIONS must be answered; what comes before belongs to earlier messages."""
        self.asked += 1
        branch = "z9hG4bKalive%d.%d" % (os.getpid(), self.asked)
        self.send(("OPTIONS sip:%s:%d SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=%s;rport\r\nMax-Forwards: 70\r\n"
                   "From: <sip:torture@invalid>;tag=1\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n"
                   "Content-Length: 0\r\n\r\n" % (*self.to, *self.udp.getsockname(), branch, self.to[0], branch))
                  .encode())
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            self.udp.settimeout(max(0.01, end - time.monotonic()))
            try:
                answer = self.udp.recv(65536)
            except socket.timeout:
                break
            if branch.encode() in answer:
                return
        sys.exit("%s:%d does not answer any more" % self.to)


# ---- who is registered for everybody ----


class Names(threading.Thread):
    """A name server: the address of every name is ours, and there is nothing else."""

    def __init__(self, mine):
        super().__init__(daemon=True)
        self.address = socket.inet_aton(mine)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((mine, 53))
        self.start()

    def run(self):
        while True:
            query, who = self.socket.recvfrom(4096)
            end = 12
            while query[end]:
                end += 1 + query[end]
            question = query[12:end + 5]
            is_a = question[-4:-2] == b"\0\1"
            head = query[:2] + b"\x85\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0"
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + self.address
            self.socket.sendto(head + question + (record if is_a else b""), who)


def headers(message, names):
    """The values of a header; a folded line counts as one."""
    head = re.sub(rb"\r\n[ \t]+", b" ", message.partition(b"\r\n\r\n")[0])
    return re.findall(rb"(?im)^(?:%s)[ \t]*:[ \t]*(.*?)[ \t]*\r?$" % names, head)


class Catcher:
    """Gets what the proxy forwards, and refuses it."""

    def __init__(self, node):
        self.node = node
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((node.mine, 5060))
        self.names = Names(node.mine)

    def register(self, messages):
        users = set()
        for m in messages:
            asked = re.match(rb"(?!REGISTER)\S+ sip:([^ @<>]+)@", m)
            asks = re.search(rb"(?im)^(?:from|f)[ \t]*:[^\r]*?sips?:([A-Za-z0-9.]+)@", m)
            # Who asks is registered, too: the proxy relays for nobody else.
            users |= {found[1].decode("latin-1") for found in (asked, asks) if found}
        for i, user in enumerate(sorted(users)):
            branch = "z9hG4bKregister%d.%d" % (os.getpid(), i)
            self.node.send(("REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=%s;rport\r\n"
                            "Max-Forwards: 70\r\nFrom: <sip:%s@example.com>;tag=1\r\nTo: <sip:%s@example.com>\r\n"
                            "Call-ID: %s\r\nCSeq: 1 REGISTER\r\nContact: <sip:caught@%s:5060>\r\nExpires: 3600\r\n"
                            "Content-Length: 0\r\n\r\n" % (*self.node.udp.getsockname(), branch, user, user, branch,
                                                           self.node.mine)).encode("latin-1"))
            self.node.ask()
        return len(users)

    def refuse(self, request, who):
        if request.startswith(b"ACK "):
            return
        head = [h for h in request.partition(b"\r\n\r\n")[0].split(b"\r\n")]
        kept, keep = [], False
        for h in head[1:]:
            if not h[:1] in (b" ", b"\t"):
                keep = re.match(rb"(?i)(via|v|from|f|to|t|call-id|i|cseq)\s*:", h)
            if keep:
                kept.append(h)
        self.udp.sendto(b"SIP/2.0 404 Not Found\r\n" + b"\r\n".join(kept) + b"\r\nContent-Length: 0\r\n\r\n", who)

    def take(self, call_id, wanted):
        """The first copy of what has this Call-ID; None if nothing came, which is final if it is not wanted."""
        end = time.monotonic() + (WAIT if wanted else 0)
        found = None
        while not found:
            self.udp.settimeout(max(0.001, end - time.monotonic()))
            try:
                request, who = self.udp.recvfrom(65536)
            except (socket.timeout, BlockingIOError):
                return None
            if request.startswith(b"SIP/2.0 "): # an answer to a Via without a port
                continue
            self.refuse(request, who)
            if not request.startswith(b"ACK ") and headers(request, rb"call-id|i") == call_id:
                found = request
        return found


def forwarded_wrong(came, went):
    """What is wrong with what a proxy made of `came`; RFC 3261 16.6, I20."""
    vias = headers(came, rb"via|v"), headers(went, rb"via|v")
    split = [[v.strip() for value in side for v in value.split(b",")] for side in vias]
    if len(split[1]) != len(split[0]) + 1:
        return "%d Via values became %d" % (len(split[0]), len(split[1]))
    if split[0][1:] != split[1][2:]:
        return "a lower Via was changed"
    hops = headers(came, rb"max-forwards"), headers(went, rb"max-forwards")
    if [int(h) for h in hops[1]] != ([int(hops[0][0]) - 1] if hops[0] else [70]):
        return "Max-Forwards %r became %r" % hops
    own = rb"(?i)(via|v|max-forwards|max-breadth|record-route|route|content-length|l)[ \t]*:"
    rest = []
    for side in (came, went):
        head, _, _ = side.partition(b"\r\n\r\n")
        whole = re.split(rb"\r\n(?![ \t])", head)[1:]
        rest.append([h for h in whole if not re.match(own, h)])
    if rest[0] != rest[1]:
        return "headers changed: %r" % [h for h in rest[0] + rest[1] if h not in rest[0] or h not in rest[1]]
    length = headers(came, rb"content-length|l")
    body = came.partition(b"\r\n\r\n")[2]
    body = body[:int(length[0])] if length else body
    if went.partition(b"\r\n\r\n")[2] != body:
        return "the body was changed"
    return None


# ---- verdicts ----


def outcomes(trace, message, mine, known=set()):
    """What the node sent since the last call because of it: statuses and "forward". Earlier answers are repeated
    meanwhile: those are known."""
    got = []
    call_id = re.search(rb"(?im)^(?:call-id|i)\s*:\s*(\S+)", message)
    for line in trace.read().replace(b"\\\\", b"\\").split(b"\n"):
        m = re.match(rb"@\d+ sent \S+ \d+ \d+ \S+ (\S+) (.*)", line)
        if not m or b"alive%d." % os.getpid() in line or (call_id and call_id[1] not in line):
            continue
        if mine.encode() not in m[1]: # to an address that a message names: there is no way to it
            got.append("to:" + m[1].decode())
        if m[2] in known:
            continue
        known.add(m[2])
        status = re.match(rb"SIP/2\.0 (\d\d\d) ", m[2])
        if not m[2].startswith(b"ACK "):
            got.append(status[1].decode() if status else "forward")
    return got


# What the index does not say of an endpoint: it is no registrar, nobody has the number, and an INVITE of
# RFC 2543 without Contact makes no dialog (RFC 3261 8.1.1.8).
OF_A_PHONE = {"REGISTER": ["405"], "INVITE": ["404"], "rfc4475/inv2543.dat": ["400"]}


def allowed(target, row, column, got):
    """The index is for people; these are its words."""
    text = " ".join((row["expected"], row["also_allowed"], row[column]))
    statuses = re.findall(r"\b[2-6]\d\d\b", text)
    if target == "phone" and (row["well_formed"] != "no"):
        for key in (row["message"].split()[0], row["file"]):
            statuses += OF_A_PHONE.get(key, [])
    finals = [g for g in got if not g.startswith("1")]
    processed = re.search(r"\b(accept|forward|process|may|either|ignore)\b", text)
    if not finals:  # no answer, or an ACK, or a response
        return bool(re.search(r"\b(drop|consume)\b", text)) or "400" in statuses or bool(processed)
    if row["expected"] == "drop":
        return False
    return all(g in statuses or (processed and g != "400") for g in finals)


def table(path):
    with open(path, newline="") as f:
        return list(csv.DictReader((line for line in f if not line.startswith("#")), delimiter="\t",
                                   quoting=csv.QUOTE_NONE))


def alone(message, n):
    """Several messages have the branch or the Call-ID of another one, and would be its repeat."""
    message = message.replace(b"z9hG4bK", b"z9hG4bK%d." % n, 1)
    return re.sub(rb"(?im)^((?:call-id|i)[ \t]*:\s*)", rb"\g<1>%d-" % n, message, count=1)


def judge_one(node, catcher, trace, message, transport, want):
    """What the node did, "200" or "forward 404" or "nothing", and what is wrong with what it forwarded."""
    wrong = None
    outcomes(trace, message, node.mine)
    (node.send if transport == "UDP" else node.send_tcp)(message)
    node.ask()
    if catcher:
        went = catcher.take(headers(message, rb"call-id|i"), "forward" in want.split())
        if went:
            node.ask() # so that its refusal has gone back
            wrong = forwarded_wrong(message, went)
    got = outcomes(trace, message, node.mine)
    return " ".join(g for g in got if g != "100") or "nothing", wrong


def judge(target, address, mine, trace_path, corpus):
    node = Node(address, mine)
    columns = ("proxy", "endpoint_or_registrar")
    index = table(os.path.join(corpus, "INDEX.tsv"))
    index.sort(key=lambda row: row["message"].startswith("REGISTER")) # last: what they bind would be called, too
    exact = {row["file"]: (row[target], row[target + "_tcp"]) for row in table(os.path.join(os.path.dirname(__file__), "torture.tsv"))}
    messages = []
    for row in index:
        with open(os.path.join(corpus, row["file"]), "rb") as f:
            messages.append(f.read())
    catcher = Catcher(node) if target == "proxy" else None
    if catcher:
        print("registered for %d users" % catcher.register(messages))
    counts, bad = collections.Counter(), 0
    with open(trace_path, "rb") as trace:
        node.ask()
        for i, (row, message) in enumerate(zip(index, messages)):
            for k, transport in enumerate(("UDP", "TCP")):
                want = exact.get(row["file"], ("no row in torture.tsv",) * 2)[k]
                said, wrong = judge_one(node, catcher, trace, alone(message, 2 * i + k), transport, want)
                column = columns[target == "phone" or row["message"].startswith("REGISTER")]
                known = [g for g in said.split() if g != "404" or "forward" not in said]
                if said != want:
                    wrong = "%s, not %s" % (said, want)
                elif transport == "UDP" and not allowed(target, row, column, [] if known == ["nothing"] else known):
                    wrong = "the index has %s / %s / %s" % (row["expected"], row["also_allowed"], row[column])
                counts[said] += 1
                if wrong:
                    print("%s %s %s: %s: %s" % (target, transport, row["file"], said, wrong))
                    bad += 1
    print("%s: %d messages judged by UDP and TCP, %d wrong: %s" % (
        target, len(index), bad, ", ".join("%d %s" % (n, what) for what, n in counts.most_common())))
    sys.exit(1 if bad or not index or len(index) != len(exact) else 0)


# ---- changes ----

SPECIAL = [b"\0", b"\r\n", b"\n", b"\r\n\r\n", b"\"", b"<", b">", b";", b",", b"%00", b"%", b"\\", b"[::", b"]", b"\xff",
           b"\xc0\x80", b" ", b"\t", b"\r\n ", b":", b"@", b"=", b"z9hG4bK", b"4294967296", b"-1", b"99999999999999999999",
           b"x" * 3000, b"(" * 200, b"," * 200, b";a" * 500, b"\r\nVia: " * 50]
NUMBER = re.compile(rb"\d+")


def flip(r, m, _):
    i = r.randrange(len(m))
    return m[:i] + bytes([r.randrange(256)]) + m[i + 1:]


def cut(r, m, _):
    return m[:r.randrange(len(m))]


def remove(r, m, _):
    i = r.randrange(len(m))
    return m[:i] + m[i + r.randrange(1, 40):]


def insert(r, m, _):
    i = r.randrange(len(m))
    return m[:i] + r.choice(SPECIAL) + m[i:]


def number(r, m, _):
    found = list(NUMBER.finditer(m))
    if not found:
        return m
    n = r.choice(found)
    return m[:n.start()] + r.choice([b"0", b"-1", b"", b"65536", b"4294967295", b"9" * 30, b"1.5"]) + m[n.end():]


def line(r, m, other):
    """A line doubled, lost, swapped, or taken from another message."""
    lines = m.split(b"\r\n")
    i, j = r.randrange(len(lines)), r.randrange(len(lines))
    kind = r.randrange(4)
    if kind == 0:
        lines.insert(i, lines[j])
    elif kind == 1:
        del lines[i]
    elif kind == 2:
        lines[i], lines[j] = lines[j], lines[i]
    else:
        lines.insert(i, r.choice(other.split(b"\r\n")))
    return b"\r\n".join(lines)


def mutate(target, address, mine, seed, count, corpus):
    node = Node(address, mine)
    r = random.Random(int(seed))
    bases, good = [], []
    for folder, _, names in sorted(os.walk(corpus)):
        for name in sorted(n for n in names if n.endswith(".dat")):
            with open(os.path.join(folder, name), "rb") as f:
                bases.append(f.read())
    for method in ("INVITE", "REGISTER", "OPTIONS", "BYE", "CANCEL", "ACK", "MESSAGE"):
        good.append(("%s sip:1009@example.com SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bKbase;rport\r\n"
                      "Max-Forwards: 70\r\nFrom: \"A\" <sip:1008@example.com>;tag=1\r\nTo: <sip:1009@example.com>\r\n"
                      "Call-ID: base@%s\r\nCSeq: 1 %s\r\nContact: <sip:1009@%s:9>;expires=60;q=0.5\r\n"
                      "Route: <sip:%s:%d;lr>\r\nRequire: path\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n"
                      % (method, *node.udp.getsockname(), mine, method, mine, *node.to)).encode())
    for i in range(int(count)):
        message = r.choice(good if i % 2 else bases).replace(b"z9hG4bK", b"z9hG4bK%d" % i)
        for _ in range(r.choice((1, 1, 1, 2, 4))):
            message = r.choice((flip, cut, remove, insert, number, line))(r, message, r.choice(bases)) or b"\r\n"
        if i % 5 == 4:
            node.send_tcp(message)
        else:
            node.send(message)
        if i % 20 == 19: # so that no datagram is lost in a full socket
            node.ask()
    node.ask()


if __name__ == "__main__":
    {"judge": judge, "mutate": mutate}[sys.argv[1]](*sys.argv[2:])
