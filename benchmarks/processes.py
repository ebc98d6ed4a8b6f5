"""What a command costs with every process that it starts: clock, processor and peak of memory.

Memory is what /proc calls the proportional set size, summed over the processes at one moment: a
page that three of them share counts once. Elsewhere than on Linux there is no such figure.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

PROC = Path("/proc")
USER, SYSTEM = 11, 12
"""Where a line of /proc/PID/stat has them, counted behind the name."""
EVERY = 0.25
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024


class Cost(NamedTuple):
    """Seconds by the clock and of the processor, and MiB at the peak."""

    clock: float
    processor: float
    peak: float


def cost(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end; raises CalledProcessError with what it said where it fails."""
    begun, before = time.perf_counter(), _of_children()
    process = subprocess.Popen(
        command,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    peaks, ended = [0.0], Event()
    watching = Thread(target=_watch, args=(process.pid, peaks, ended))
    watching.start()
    said, _ = process.communicate()
    clock = time.perf_counter() - begun
    ended.set()
    watching.join()
    if process.returncode:
        sys.stderr.write(said.decode(errors="replace"))
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(clock, _of_children() - before, max(peaks))


def processor() -> float:
    """Give the seconds of processor of this process, of its children, and of theirs that live."""
    living = sum(map(_seconds, _descendants(os.getpid())))
    return time.process_time() + _of_children() + living


def peak() -> float:
    """Give the MiB that this process has held at most, not counting what its parent held."""
    with suppress(OSError):
        for line in (PROC / "self" / "status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / MIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def end_descendants() -> None:
    """End what this process has started, and what that has."""
    for pid in _descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _of_children() -> float:
    """Give the seconds of all children that have been waited for, with theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _watch(pid: int, peaks: list[float], ended: Event) -> None:
    while not ended.wait(EVERY):
        peaks.append(_memory(pid) + sum(map(_memory, _descendants(pid))))


def _descendants(pid: int) -> Iterator[int]:
    """Give the processes that one has started, those that they have started, and so on."""
    for listed in (PROC / str(pid) / "task").glob("*/children"):
        with suppress(OSError):  # it has ended
            for child in map(int, listed.read_text(encoding="ascii").split()):
                yield child
                yield from _descendants(child)


def _fields(pid: int) -> list[str]:
    try:
        return (PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:  # it has ended
        return []


def _seconds(pid: int) -> float:
    fields = _fields(pid)
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS if fields else 0


def _memory(pid: int) -> float:
    """Give the MiB of a process, its part of what it shares with others."""
    try:
        told = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    line = next((line for line in told.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) / MIB
