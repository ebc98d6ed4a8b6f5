"""Where the program begins: what is closed or interrupted before there is a command is no error."""

import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

INTERRUPTED = 130
COLLECTED = (100_000, 50, 1_000)
"""The collector's thresholds: of a cycle's records by the million none is ever garbage, and to look
through them again and again took a third of the time."""


def run() -> None:
    """Run the program; until a command begins, a signal ends it at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    _open_streams()
    gc.set_threshold(*COLLECTED)
    os.environ["TZ"] = "UTC"  # no local time is ever shown, and a zone that is none stops libraries
    from reportgen.cli import main  # noqa: PLC0415 - a signal has to wait for nothing

    try:
        main()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _end()
        raise
    except OSError as error:  # of help and of wrong usage, which click writes itself
        from reportgen.core.text import said_by_system  # noqa: PLC0415 - hardly ever needed

        _say(f"standard output: {said_by_system(error)}")
        os._exit(1)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # all is done


def _open_streams() -> None:
    """Put nothing in the place of a stream that is closed: the next file would be taken for it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - till the end
            setattr(sys, name, nowhere)


def _leave(_number: int, _frame: object) -> None:
    """Leave before a command has begun, when there is nothing yet to let go."""
    _say("interrupted before anything was done")
    os._exit(INTERRUPTED)


def _end() -> None:
    """End an interrupted command without waiting for the threads that served its workers."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(INTERRUPTED)


def _say(sentence: str) -> None:
    with suppress(OSError):
        os.write(2, f"{sentence}\n".encode())


if __name__ == "__main__":
    run()
