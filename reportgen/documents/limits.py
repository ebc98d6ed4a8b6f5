"""The limits of a process that renders documents: what a template cannot be trusted with.

Three, each for what the one before it cannot stop:

    memory      an address space of MEMORY more than the process began with. A template that fills
                it gets Python's MemoryError in the line that asked for too much.
    time        SECONDS of the processor per document, then OutOfTime is raised in the line that is
                being rendered.
    the end     GRACE seconds later, for a loop inside one call of C, which no exception can
                interrupt: the system ends the process, and `render` says which templates it can
                have been.

Measured with one warm worker, a tagged PDF of 3,000 users and a workbook of 200,000 detail rows one
after the other: the address space grew from 121 to 650 MiB, and the slower of the two took 8.7
seconds. So what is well has 3.9 times the memory and 13 times the time that the largest document
took. The limit on memory is relative because a forked worker begins with all that the command
holds. Where the system does not know a limit (macOS has none on the address space), the work goes
on without it.
"""

import ctypes
import gc
import math
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

MEMORY = 2 << 30
SECONDS = 120.0
GRACE = 10.0
WHOLE, RESIDENT = 0, 1
"""What Linux tells of the memory of a process, in this order."""


class OutOfTime(BaseException):
    """A document took longer than any does that is well; it passes every `except Exception`."""


class _Limits:
    """What this process has been given; nothing, unless it is a worker."""

    seconds: float | None = None
    grace = GRACE
    begun = 0


def limit_this_process(
    seconds: float = SECONDS, memory: int = MEMORY, grace: float = GRACE
) -> None:
    """Take the limits on, once, in the main thread of a process that does nothing but render."""
    _Limits.seconds, _Limits.grace, _Limits.begun = seconds, grace, _pages(RESIDENT)
    signal.signal(signal.SIGPROF, _interrupt)
    _limit(resource.RLIMIT_CORE, 0)
    begun = _address_space()
    if begun:
        _limit(resource.RLIMIT_AS, begun + memory)


@contextmanager
def time_for_a_document() -> Iterator[None]:
    """Raise OutOfTime where a document takes longer than this process may; elsewhere do nothing."""
    if _Limits.seconds is None:
        yield
        return
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + _Limits.seconds + _Limits.grace))
    # Again every second: code that the garbage collector runs swallows what is raised in it.
    signal.setitimer(signal.ITIMER_PROF, _Limits.seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def allowed() -> str:
    """Say how long a document may take, for a message."""
    seconds = SECONDS if _Limits.seconds is None else _Limits.seconds
    return f"{seconds:g} {'second' if seconds == 1 else 'seconds'}"


def _interrupt(*_: object) -> NoReturn:
    raise OutOfTime


def _limit(what: int, most: int) -> None:
    """Lower or raise a soft limit, as far as the system and its hard limit allow."""
    with suppress(OSError, ValueError):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(
            what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
        )


def given_back() -> None:
    """Give back what a document has left behind; in a process that does nothing but render.

    Boxes and styles hold one another, so that they stay until they are looked for, and the C
    library keeps what is freed: 50 MiB more after forty invoices, 280 after a page of 3,000 rows.
    """
    if _Limits.seconds is not None:
        give_back()


def give_back() -> None:
    """Look for what nobody holds any more, and give the system what is free."""
    gc.collect()
    _trim()


def grown() -> int:
    """Return how many bytes of memory this process has taken since it began to render."""
    return _pages(RESIDENT) - _Limits.begun if _Limits.begun else 0


def _trim() -> None:
    """Let the C library give what is free to the system, where it is one that can."""
    if trim := _of_the_c_library():
        trim(0)


@cache
def _of_the_c_library() -> Callable[[int], int] | None:
    with suppress(OSError):
        trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
        return trim
    return None


def _address_space() -> int:
    """Return the bytes of address space in use, or 0 where the system does not tell."""
    return _pages(WHOLE)


def _pages(which: int) -> int:
    try:
        told = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(told[which]) * resource.getpagesize()
