"""What a process has cost the machine so far, as Linux counts it: its largest memory, and seconds of a core."""

import re
from pathlib import Path

import psutil


def peak_memory(process: psutil.Process) -> int:
    """The most memory that the process has had in RAM at once, in bytes, what it shares with others included."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[1])


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
