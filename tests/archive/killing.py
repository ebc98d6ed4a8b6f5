"""Work on the disk that is killed before any of its steps, as when the power fails."""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

STEPS = ("fsync", "rename", "replace", "chmod", "mkdir", "rmdir", "unlink")
"""What changes the disk; a kill between two of them is like one right before the second."""
ENDLESS = 10_000


def killed(work: Callable[[Path], object], path: Path, after: int) -> bool:
    """Do a work in a process that is killed after so many steps; tell whether it came to that."""
    return _taken(work, path, after) is None


def steps_of(work: Callable[[Path], object], path: Path) -> int:
    """Do a work to its end in a process of its own, and count its steps."""
    taken = _taken(work, path, ENDLESS)
    assert taken is not None
    return taken


def _taken(work: Callable[[Path], object], path: Path, after: int) -> int | None:
    fork = get_context("fork")  # what is to be killed has begun in no time
    told, telling = fork.Pipe(duplex=False)
    process = fork.Process(target=_counted, args=(work, path, after, telling))
    process.start()
    telling.close()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}
    return None if process.exitcode else told.recv()


def _counted(work: Callable[[Path], object], path: Path, after: int, telling: Connection) -> None:
    taken = 0

    def counted(call: Callable) -> Callable:
        def step(*arguments: object, **named: object) -> object:
            nonlocal taken
            if taken == after:
                os.kill(os.getpid(), signal.SIGKILL)
            taken += 1
            return call(*arguments, **named)

        return step

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    work(path)
    telling.send(taken)
