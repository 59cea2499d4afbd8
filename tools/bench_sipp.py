# SPDX-License-Identifier: BSD-2-Clause
"""SIPp as caller and as callee, with a proxy between them or none: for tools/bench-proxy.

What is told is what SIPp counts itself (-trace_stat), of both ends together, and in all rounds, and whose
receive buffer ran over, as the kernel counts it. The scenarios are tests/bench/sipp_caller.xml and
sipp_callee.xml."""
import csv
import pathlib
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

from bench_page import ROOT, Failure

SCENARIOS = ROOT / "tests/bench"
HOST = "127.0.0.1"
TAIL = 5  # seconds for what is under way when the last call has begun
RATES, RATES_QUICK = (1000, 2000, 3000, 4500, 6000, 7500), (2000, 6000)


class End:
    """One SIPp."""

    def __init__(self, scenario, port, folder, *more):
        self.stats = folder / f"{scenario}.csv"
        # By itself it has socket buffers of 64 KiB, a clock of 10 ms, and remembers ended calls for 33 s.
        self.process = subprocess.Popen(
            ["sipp", "-sf", str(SCENARIOS / f"sipp_{scenario}.xml"), "-i", HOST, "-p", str(port), "-nostdin",
             "-deadcall_wait", "0", "-buff_size", "4194304", "-timer_resol", "1", "-pause_msg_ign", "-trace_stat",
             "-stf", str(self.stats), "-fd", "1", *map(str, more)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)

    def wait(self, seconds):
        """Until it ends; if it does not, it is asked to, twice: the first time it would wait for its calls."""
        for _ in range(2):
            try:
                self.process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGUSR1)
            seconds = 0.5
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def counts(self):
        """The lines of its statistics, one a second: {name: value}."""
        with open(self.stats, encoding="utf8", newline="") as file:
            lines = list(csv.DictReader(file, delimiter=";"))
        if not lines:
            raise Failure(f"SIPp counted nothing: {self.stats}")
        return lines


def wait_for_socket(port, process):
    """SIPp says nothing when its socket is open."""
    hexed = f" 0100007F:{port:04X} "
    while hexed not in pathlib.Path("/proc/net/udp").read_text(encoding="utf8"):
        if process.poll() is not None:
            raise Failure(f"SIPp ended with exit code {process.returncode}")
        time.sleep(0.01)


class Overruns:
    """Datagrams that the kernel threw away because a socket's buffer was full: {port: number}."""

    def __init__(self, *ports):
        self.ports, self.numbers, self.over = ports, {}, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def look(self):
        for line in pathlib.Path("/proc/net/udp").read_text(encoding="utf8").splitlines()[1:]:
            fields = line.split()
            port = int(fields[1].split(":")[1], 16)
            if port in self.ports:
                self.numbers[port] = int(fields[-1])

    def run(self):
        while not self.over.wait(0.02):
            self.look()

    def __enter__(self):
        self.thread.start()
        return self.numbers

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def register(proxy, port):
    """service@localhost is at the callee's port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((HOST, 0))
        s.settimeout(2)
        us = f"{HOST}:{s.getsockname()[1]}"
        s.sendto("\r\n".join((
            "REGISTER sip:localhost SIP/2.0", f"Via: SIP/2.0/UDP {us};branch=z9hG4bKbench", "Max-Forwards: 70",
            "From: <sip:service@localhost>;tag=bench", "To: <sip:service@localhost>", f"Call-ID: bench@{us}",
            "CSeq: 1 REGISTER", f"Contact: <sip:service@{HOST}:{port}>", "Expires: 3600", "Content-Length: 0",
            "", "")).encode(), (HOST, proxy))
        try:
            answer = s.recv(65536).split(b"\r\n")[0].decode()
        except TimeoutError as error:
            raise Failure("the callee could not be registered: no answer") from error
    if " 200 " not in answer:
        raise Failure(f"the callee could not be registered: {answer}")


def trial(port, proxy, rate, seconds):
    """Calls at `rate` for `seconds` from `port` to `port` + 1, by way of port `proxy` (None: straight):
    {"rate": calls begun a second, "lost": calls that did not go well, "again": messages sent again,
    "overrun": datagrams thrown away at SIPp's sockets, "overrun_proxy": at the proxy's}."""
    calls = rate * seconds
    with tempfile.TemporaryDirectory() as name, Overruns(port, port + 1, proxy) as overruns:
        ends = [End("callee", port + 1, pathlib.Path(name))]
        try:
            wait_for_socket(port + 1, ends[0].process)
            if proxy:
                register(proxy, port + 1)
            ends.append(End("caller", port, pathlib.Path(name), f"{HOST}:{proxy or port + 1}", "-m", calls, "-r", rate,
                            "-l", 10 * rate))
            ends[1].wait(seconds + TAIL)
            ends[0].wait(0)
        finally:
            for end in ends:
                end.process.kill()
                end.process.wait()
        counts = [end.counts() for end in ends]
    begun = [float(line["CallRate(P)"]) for line in counts[1] if int(line["OutgoingCall(P)"])]
    return {"rate": statistics.median(begun[:seconds]) if begun else 0,
            "lost": calls - min(int(lines[-1]["SuccessfulCall(C)"]) for lines in counts),
            "again": sum(int(lines[-1]["Retransmissions(C)"]) for lines in counts),
            "overrun": overruns.get(port, 0) + overruns.get(port + 1, 0),
            "overrun_proxy": overruns.get(proxy, 0)}


def is_clean(trials):
    return not any(t["lost"] or t["again"] for t in trials)


FAULTS = (("lost", "lost"), ("again", "sent again"), ("overrun", "thrown away at SIPp's sockets"),
          ("overrun_proxy", "at the proxy's"))


def cell(trials):
    if not trials:
        return ""
    rate = f"{statistics.median(t['rate'] for t in trials):,.0f}"
    faults = ", ".join(f"{sum(t[key] for t in trials):,} {said}" for key, said in FAULTS)
    return rate if is_clean(trials) else f"{rate}: {faults}"


def table(sides, quick):
    """The lines of a table. `sides`: {title: function that starts it and gives a context with `port`, of the
    proxy (None: there is none) and `free`, two of ours}. After two rates with losses a side has no more."""
    seconds, rounds = (2, 1) if quick else (4, 2)
    highest, losing = dict.fromkeys(sides, 0), dict.fromkeys(sides, 0)
    yield "| SIPp at both ends: calls a second asked for | " + " | ".join(sides) + " |"
    yield "|---:" * (len(sides) + 1) + "|"
    for rate in RATES_QUICK if quick else RATES:
        found = {title: [] for title in sides}
        for _ in range(rounds):
            for title, start in sides.items():
                if losing[title] < 2:
                    with start() as side:
                        found[title].append(trial(side.free, side.port, rate, seconds))
        for title, trials in found.items():
            clean = bool(trials) and is_clean(trials)
            losing[title] = 0 if clean else losing[title] + 1
            if clean:
                highest[title] = rate
        yield f"| {rate:,} | " + " | ".join(cell(trials) for trials in found.values()) + " |"
    yield "| highest with nothing lost and nothing sent again | " + " | ".join(
        f"{rate:,}" for rate in highest.values()) + " |"
