#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# tone.py FILE.wav HZ [SHARE]: is this tone most (or this share) of what the file holds, where it is not silent?
import math
import struct
import sys
import wave

with wave.open(sys.argv[1]) as f:
    rate, n = f.getframerate(), f.getnframes()
    samples = struct.unpack("<%dh" % n, f.readframes(n))
hz = float(sys.argv[2])
best, block = 0.0, rate // 2
for start in range(0, n - block, block // 4):
    part = samples[start:start + block]
    energy = sum(s * s for s in part)
    if energy / block < 100 * 100:
        continue
    c = sum(s * math.cos(2 * math.pi * hz * i / rate) for i, s in enumerate(part))
    d = sum(s * math.sin(2 * math.pi * hz * i / rate) for i, s in enumerate(part))
    best = max(best, 2 * (c * c + d * d) / block / energy)
print("%.0f Hz: %.3f of the energy in the best half second" % (hz, best))
sys.exit(0 if best > (float(sys.argv[3]) if len(sys.argv) > 3 else 0.9) else 1)
