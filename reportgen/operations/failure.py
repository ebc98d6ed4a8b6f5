"""The one place where an exception becomes a message and an exit code."""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from traceback import FrameSummary, extract_tb

from reportgen import __version__
from reportgen.core.problem import Problem, Rejected
from reportgen.core.text import said_by_system
from reportgen.delivery.server import MailFailure
from reportgen.documents.render import DrawingError
from reportgen.operations.bug_report import write_report
from reportgen.operations.context import (
    DONE,
    PROBLEMS,
    UNREACHABLE,
    USAGE,
    WARNED,
    Context,
    WrongUsage,
)
from reportgen.operations.interruption import INTERRUPTED, SENTENCE, interruptible
from reportgen.operations.undelivered import Undelivered
from reportgen.operations.unreached import Unreached
from reportgen.operations.unready import Unready
from reportgen.sources.api.client import ApiFailure

NO_MEMORY = Problem(
    source="reportgen",
    message="there is not enough memory",
    hint="raise its limit (`ulimit -v`, or that of a container), then run the command again",
)
CREDIBLE = range(1990, 2100)
"""The years that a clock may say; the parts of a workbook know none before 1980 or after 2107."""
PACKAGE = Path(__file__).parents[1]


def told(command: Callable[[Context], int], context: Context) -> int:
    """Run a command; tell the user what stopped it, and give the exit code."""
    try:
        with interruptible():
            _refuse_clock(context.now())
            code = _judged(command(context), context)
            context.terminal.end()
            return code
    except KeyboardInterrupt:
        context.terminal.problem(SENTENCE)
        return INTERRUPTED
    except BrokenPipeError:  # whoever closed the pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # noqa: BLE001 - whatever it was, nobody is shown a traceback
        problems, code = _meant(error, context)
        values = error.values if isinstance(error, Undelivered | Unready) else {}
        shown = isinstance(error, Unready) and not context.terminal.machine
    context.terminal.problems([] if shown else problems)
    context.terminal.values({**values, "problems": [_values(problem) for problem in problems]})
    context.terminal.end()
    return code


def _refuse_clock(now: datetime) -> None:
    """Raise Rejected where the clock was never set: what is archived says when it was fetched."""
    if now.year not in CREDIBLE:
        message, hint = f"the clock of this machine says {now:%Y-%m-%d}", "set it, then try again"
        raise Rejected([Problem(source="reportgen", message=message, hint=hint)])


def _judged(code: int, context: Context) -> int:
    """Give the exit code of a command that came to its end: with `--strict`, warnings count."""
    count = len(context.terminal.warnings)
    if code != DONE or not context.strict or not count:
        return code
    context.terminal.problem(
        f"--strict: {count} {'warning' if count == 1 else 'warnings'}, so this ends with {WARNED}"
    )
    return WARNED


def _meant(error: Exception, context: Context) -> tuple[Sequence[Problem], int]:
    """Give the problems an exception stands for, and their exit code."""
    match error:
        case Rejected():
            return error.problems, PROBLEMS
        case WrongUsage():
            return [error.problem], USAGE
        case ApiFailure() | MailFailure() | Unreached():
            return [error.problem], UNREACHABLE
        case Undelivered():
            return error.problems, UNREACHABLE
        case OSError() | MemoryError():
            return [_of_the_system(error)], PROBLEMS
        case _:
            return [_of_the_program(error, context)], PROBLEMS


def _values(problem: Problem) -> dict[str, str]:
    return {"source": problem.source, "message": problem.message, "hint": problem.hint}


def _of_the_system(error: OSError | MemoryError) -> Problem:
    if isinstance(error, MemoryError):
        return NO_MEMORY
    source = str(error.filename or "the operating system")
    hint = f"{_remedy(error)}, then run the command again"
    return Problem(source=source, message=said_by_system(error), hint=hint)


def _remedy(error: OSError) -> str:
    return "make room there" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "mend that"


def _of_the_program(error: Exception, context: Context) -> Problem:
    """Name the report, and where the bug is; not what the program held, which may be secret."""
    where = str(error) if isinstance(error, DrawingError) else _place(error)
    message = f"this is a bug of reportgen {__version__} ({where})"
    report = write_report(error, context)
    if report is None:
        hint = "report this line; there was no folder for a report of all that is known"
        return Problem(source="reportgen", message=message, hint=hint)
    hint = "read this file, then report the bug with it"
    return Problem(source=str(report), message=message, hint=hint)


def _place(error: Exception) -> str:
    """Name the kind of an error, with file and line of the last of our own code that ran."""
    frames = [frame for frame in extract_tb(error.__traceback__) if _is_ours(frame)]
    name, line = Path(frames[-1].filename).name, frames[-1].lineno
    return f"{type(error).__name__} in {name}:{line}"


def _is_ours(frame: FrameSummary) -> bool:
    return Path(frame.filename).is_relative_to(PACKAGE)
