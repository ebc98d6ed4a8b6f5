"""How a command ends when it is told to: by Ctrl-C or SIGTERM, cleanly, and within three seconds.

The first signal is raised as KeyboardInterrupt where the command is, so that whatever it holds is
let go in order; later ones change nothing. Should the first be swallowed on its way, or take too
long, the process ends itself: what it has staged is removed by the next run.
"""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children
from types import FrameType

INTERRUPTED = 130
SENTENCE = "interrupted; run it again to go on"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 2.5
"""Seconds to let go of everything in order."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first signal interrupt what runs within, and end the processes that draw for it."""
    interrupt = partial(_interrupt, os.getpid())
    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        _end_workers()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(command: int, number: int, _frame: FrameType | None) -> None:
    if os.getpid() != command:
        _end_child(number)
        return
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    logging.getLogger("asyncio").disabled = True  # it tells of every task that is interrupted
    signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    raise KeyboardInterrupt


def _end_child(number: int) -> None:
    """End a process that was forked while this held, or leave Ctrl-C to the command it is of."""
    if number == signal.SIGTERM:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _end(_number: int, _frame: FrameType | None) -> None:
    _end_workers()
    os.write(2, f"{SENTENCE}\n".encode())
    os._exit(INTERRUPTED)


def _end_workers() -> None:
    """End the processes that draw: whatever they are at is of no use any more."""
    for process in active_children():
        process.kill()
