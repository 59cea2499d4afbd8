#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# hear.py make FILE.wav HZ: a minute of this tone.
# hear.py new GLOB HZ SHARE: is it more than this share of half a second of what such files get from now on,
# within 20 seconds? They may still be written, so of their headers only the rate is believed (0, which is not
# yet known, is 8000).
import glob
import math
import os
import struct
import sys
import time
import wave

HEADER = 44
QUIET = 100 * 100


def share(samples, rate, hz):
    """The tone's part of the energy in the best half second."""
    best, block = 0.0, rate // 2
    for start in range(0, len(samples) - block + 1, block // 4):
        part = samples[start:start + block]
        energy = sum(s * s for s in part)
        if energy / block < QUIET:
            continue
        c = sum(s * math.cos(2 * math.pi * hz * i / rate) for i, s in enumerate(part))
        d = sum(s * math.sin(2 * math.pi * hz * i / rate) for i, s in enumerate(part))
        best = max(best, 2 * (c * c + d * d) / block / energy)
    return best


def size(path):
    return max(0, os.path.getsize(path) - HEADER) // 2 * 2


def read(path, start):
    with open(path, "rb") as f:
        head = f.read(HEADER)
        f.seek(HEADER + start)
        raw = f.read()
    rate = struct.unpack("<I", head[24:28])[0] if len(head) == HEADER else 0
    return rate or 8000, struct.unpack("<%dh" % (len(raw) // 2), raw[:len(raw) // 2 * 2])


def make(path, hz, rate=8000):
    with wave.open(path, "wb") as f:
        f.setnchannels(1), f.setsampwidth(2), f.setframerate(rate)
        f.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * hz * i / rate)))
                               for i in range(60 * rate)))


def wait_new(pattern, hz, enough):
    had = {path: size(path) for path in glob.glob(pattern)}
    best, end = 0.0, time.monotonic() + 20
    while best <= enough and time.monotonic() < end:
        time.sleep(0.1)  # files tell nothing when they grow
        for path in glob.glob(pattern):
            start = had.get(path, 0)
            if size(path) < start:
                start = 0  # written anew
            rate, new = read(path, start)
            if len(new) >= rate // 2:
                best = max(best, share(new, rate, hz))
                start += (len(new) - rate // 2) * 2
            had[path] = start
    print("%.0f Hz: %.3f of the energy in the best half second" % (hz, best))
    return best > enough


if sys.argv[1] == "make":
    make(sys.argv[2], float(sys.argv[3]))
else:
    sys.exit(0 if wait_new(sys.argv[2], float(sys.argv[3]), float(sys.argv[4])) else 1)
