#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# sound_card.py FOLDER HZ: a sound card of two fifos at 8,000 samples a second, for ALSA's file device: what
# is captured is a tone, what is played goes into FOLDER/played.wav. Says "ready", ends with SIGTERM.
import fcntl
import math
import os
import signal
import struct
import sys
import time
import wave

folder, hz = sys.argv[1], float(sys.argv[2])
RATE, FRAME, F_SETPIPE_SZ = 8000, 160, 1031
fds = []
for name in ("play", "capture"):
    os.mkfifo(os.path.join(folder, name))
    fds.append(os.open(os.path.join(folder, name), os.O_RDWR | os.O_NONBLOCK))
    fcntl.fcntl(fds[-1], F_SETPIPE_SZ, 4096)  # a quarter of a second of delay
with open(os.path.join(folder, "asound.conf"), "w") as f:
    f.write('pcm.!default { type asym playback.pcm "play" capture.pcm "capture" }\n'
            'pcm.play { type file slave.pcm "null" file "%s/play" format raw }\n'
            'pcm.capture { type file slave.pcm "null" file /dev/null infile "%s/capture" format raw }\n'
            'pcm.null { type null }\nctl.!default { type hw card 0 }\n' % (folder, folder))
out = wave.open(os.path.join(folder, "played.wav"), "wb")
out.setparams((1, 2, RATE, 0, "NONE", ""))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True)
try:
    due, n = time.monotonic(), 0
    while True:
        due += FRAME / RATE
        time.sleep(max(0, due - time.monotonic()))
        tone = struct.pack("<%dh" % FRAME, *(int(9000 * math.sin(2 * math.pi * hz * (n + i) / RATE))
                                             for i in range(FRAME)))
        n += FRAME
        try:
            os.write(fds[1], tone)
        except BlockingIOError:
            pass  # nobody captures
        try:
            out.writeframes(os.read(fds[0], 2 * FRAME))
        except BlockingIOError:
            pass  # nobody plays
finally:
    out.close()
