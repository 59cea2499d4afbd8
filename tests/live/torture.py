#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""torture.py judge|mutate TARGET ... sends torture messages to a running node; see torture.sh.

judge TARGET IP:PORT MY-IP TRACE CORPUS: each message of INDEX.tsv by UDP; what the node's trace says that it
sent because of it must be what the index allows (column `proxy` or `endpoint_or_registrar` by TARGET).
mutate TARGET IP:PORT MY-IP SEED COUNT CORPUS: random changes of all messages, by UDP and by TCP.
After each message (after each 20 mutations) the node must still answer an OPTIONS of ours."""
import csv
import os
import random
import re
import socket
import sys
import time

WAIT = 10  # seconds for an answer that must come


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


def outcomes(trace, message, known=set()):
    """What the node sent since the last call because of it: statuses and "forward". Earlier answers are repeated
    meanwhile: those are known."""
    got = []
    call_id = re.search(rb"(?im)^(?:call-id|i)\s*:\s*(\S+)", message)
    for line in trace.read().split(b"\n"):
        m = re.match(rb"@\d+ sent \S+ \d+ \d+ \S+ \S+ (.*)", line)
        if not m or b"alive%d." % os.getpid() in line or (call_id and call_id[1] not in line):
            continue
        if m[1] in known:
            continue
        known.add(m[1])
        status = re.match(rb"SIP/2\.0 (\d\d\d) ", m[1])
        got.append(status[1].decode() if status else "forward")
    return got


# What the index does not say of an endpoint: it is no registrar, nobody has the number, and an INVITE of
# RFC 2543 without Contact makes no dialog (RFC 3261 8.1.1.8).
OF_A_PHONE = {"REGISTER": ["405"], "INVITE": ["404"], "rfc4475/inv2543.dat": ["400"]}


def allowed(row, column, got):
    """The index is for people; these are its words."""
    text = " ".join((row["expected"], row["also_allowed"], row[column]))
    statuses = re.findall(r"\b[2-6]\d\d\b", text)
    if column != "proxy" and (row["well_formed"] != "no"):
        for key in (row["message"].split()[0], row["file"]):
            statuses += OF_A_PHONE.get(key, [])
    finals = [g for g in got if not g.startswith("1")]
    processed = re.search(r"\b(accept|forward|process|may|either|ignore)\b", text)
    if not finals:  # no answer, or an ACK, or a response
        return bool(re.search(r"\b(drop|consume)\b", text)) or "400" in statuses or bool(processed)
    if row["expected"] == "drop":
        return False
    return all(g in statuses or (processed and g != "400") for g in finals)


def judge(target, address, mine, trace_path, corpus):
    node = Node(address, mine)
    column = "proxy" if target == "proxy" else "endpoint_or_registrar"
    bad = 0
    with open(trace_path, "rb") as trace, open(os.path.join(corpus, "INDEX.tsv"), newline="") as index:
        node.ask()
        for row in csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE):
            with open(os.path.join(corpus, row["file"]), "rb") as f:
                # Several have the branch of another one, and would be its repeat.
                message = f.read().replace(b"z9hG4bK", b"z9hG4bK%d." % node.asked, 1)
            outcomes(trace, message)
            node.send(message)
            node.ask()
            got = outcomes(trace, message)
            if not allowed(row, column, got):
                print("%s %s: %s; the index: %s / %s / %s" % (target, row["file"], got or "nothing", row["expected"],
                                                              row["also_allowed"], row[column]))
                bad += 1
            node.send_tcp(message)
            node.ask()
    sys.exit(1 if bad else 0)


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
