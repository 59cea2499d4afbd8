# SPDX-License-Identifier: BSD-2-Clause
"""What the tools/bench-* share: the machine, the commit, and their places in docs/performance.md."""
import datetime
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"


class Failure(Exception):
    """What stops a measurement, in a sentence."""


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def where():
    """Date, commit and machine."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    with open("/proc/cpuinfo", encoding="utf8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    kernel = os.uname()
    return (f"{datetime.date.today()}, commit {commit}, {names[0] if names else kernel.machine}, "
            f"{os.cpu_count()} processors, {kernel.sysname} {kernel.release.split('-')[0]}")


def write(mark, text):
    """Puts the text between <!-- mark --> and <!-- end mark --> of the page."""
    begin, end = f"<!-- {mark} -->", f"<!-- end {mark} -->"
    before, found, rest = PAGE.read_text(encoding="utf8").partition(begin)
    if not found or end not in rest:
        raise Failure(f"{PAGE} has no place for the table: {begin} ... {end}")
    PAGE.write_text(before + begin + "\n" + text + end + rest.partition(end)[2], encoding="utf8")
