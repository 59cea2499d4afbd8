#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# streams.py IP:PORT MY-IP: what peers do to a TCP port. Who behaves must be answered meanwhile and afterwards.
import os
import random
import socket
import sys

to, me = sys.argv[1].rsplit(":", 1), sys.argv[2]
to = (to[0], int(to[1]))
number = 0


def connect():
    return socket.create_connection(to, 10, (me, 0))


def options(length="0", body=""):
    global number
    number += 1
    return ("OPTIONS sip:%s:%d SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%d.%d;rport\r\nMax-Forwards: 70\r\n"
            "From: <sip:a@invalid>;tag=1\r\nTo: <sip:%s>\r\nCall-ID: %d.%d\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: %s\r\n\r\n%s" % (*to, me, os.getpid(), number, to[0], os.getpid(), number, length, body)
            ).encode()


def check(what, good):
    if not good:
        sys.exit("%s: not as it should be" % what)


def read(s, count):
    """Bytes until so many answers are in, or the other side closes."""
    got = b""
    s.settimeout(10)
    try:
        while got.count(b"SIP/2.0 ") < count or not got.endswith(b"\r\n\r\n"):
            more = s.recv(65536)
            if not more:
                break
            got += more
    except ConnectionError:
        pass
    return got


def works(what):
    with connect() as s:
        s.sendall(options())
        check(what, b"SIP/2.0 200 OK" in read(s, 1))


def closed(what, message, status=None):
    with connect() as s:
        try:
            s.sendall(message)
        except ConnectionError:
            pass
        got = read(s, 1 << 30)
        check("%s (%r)" % (what, got[:60]), got.startswith(b"SIP/2.0 %d " % status) if status else not got)
    works("after: " + what)


works("an OPTIONS")
with connect() as s:
    for byte in options():
        s.sendall(bytes([byte]))
    check("byte by byte", b"SIP/2.0 200" in read(s, 1))
    s.sendall(b"\r\n\r\n")  # RFC 5626 4.4.1
    check("ping", s.recv(10) == b"\r\n")
    s.sendall(b"".join(options() for _ in range(500)))
    check("500 at once", read(s, 500).count(b"SIP/2.0 200") == 500)
    s.sendall(options("4", "body") + options())
    check("a body", read(s, 2).count(b"SIP/2.0 200") == 2)

# RFC 3261 18.3: without a usable Content-Length there is no next message.
for length, status in (("4294967296", 513), ("2147483648", 513), ("10000000", 513), ("-5", 400), ("x", 400), ("1,2", 400)):
    closed("Content-Length: " + length, options(length), status)
closed("no Content-Length", options().replace(b"Content-Length: 0\r\n", b""), 400)
closed("two of them", options().replace(b"CSeq", b"Content-Length: 3\r\nCSeq"), 400)
closed("garbage", random.Random(1).randbytes(4000) + b"\r\n\r\n")
closed("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
closed("a header without end", b"OPTIONS sip:x SIP/2.0\r\nA: " + b"x" * 2000000)
closed("headers without end", b"OPTIONS sip:x SIP/2.0\r\n" + b"A: b\r\n" * 100000)

# More connections than one source may have: the others wait, and nobody else is harmed.
many = [connect() for _ in range(300)]
other = socket.create_connection(to, 10, (me.rsplit(".", 1)[0] + ".200", 0))
other.sendall(options())
check("another source while one has 300 connections", b"SIP/2.0 200" in read(other, 1))
many[0].sendall(options())
check("the first of 300", b"SIP/2.0 200" in read(many[0], 1))
for s in many:
    s.close()
works("after 300 connections")

# Who asks and never reads is left waiting, and does not make others wait.
with connect() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(0.2)
    try:
        for _ in range(20000):
            s.sendall(options())
    except OSError:
        pass
    works("beside somebody who does not read")
works("at the end")
