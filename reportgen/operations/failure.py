"""The one place where an exception becomes a message and an exit code."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from traceback import extract_tb

from reportgen import __version__
from reportgen.core.problem import Problem, Rejected
from reportgen.operations.context import DONE, PROBLEMS, UNREACHABLE, USAGE, Context, WrongUsage
from reportgen.sources.api.client import ApiFailure

INTERRUPTED = 130


def told(command: Callable[[Context], int], context: Context) -> int:
    """Run a command; tell the user what stopped it, and give the exit code."""
    try:
        return command(context)
    except KeyboardInterrupt:
        context.terminal.problem("interrupted; what was collected is kept")
        return INTERRUPTED
    except BrokenPipeError:  # whoever closed the pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        problems, code = _meant(error)
    context.terminal.problems(problems)
    context.terminal.values({"problems": [_values(problem) for problem in problems]})
    return code


def _meant(error: Exception) -> tuple[Sequence[Problem], int]:
    """Give the problems an exception stands for, and their exit code."""
    match error:
        case Rejected():
            return error.problems, PROBLEMS
        case WrongUsage():
            return [error.problem], USAGE
        case ApiFailure():
            return [error.problem], UNREACHABLE
        case OSError():
            return [_of_the_system(error)], PROBLEMS
        case _:
            return [_of_the_program(error)], PROBLEMS


def _values(problem: Problem) -> dict[str, str]:
    return {"source": problem.source, "message": problem.message, "hint": problem.hint}


def _of_the_system(error: OSError) -> Problem:
    source = str(error.filename or "the operating system")
    message = (error.strerror or str(error)).lower()
    return Problem(source=source, message=message, hint="mend that, then run the command again")


def _of_the_program(error: Exception) -> Problem:
    """Say where the program went wrong; not what it held in its hands, which may be secret."""
    places = [
        frame
        for frame in extract_tb(error.__traceback__)
        if "reportgen" in Path(frame.filename).parts
    ]
    where = f"{Path(places[-1].filename).name}:{places[-1].lineno}"
    message = f"a mistake of the program itself ({type(error).__name__} in {where})"
    hint = "report this line; `python -X dev -m reportgen` shows more"
    return Problem(source=f"reportgen {__version__}", message=message, hint=hint)
