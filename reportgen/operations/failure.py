"""The one place where an exception becomes a message and an exit code."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb

from reportgen import __version__
from reportgen.core.problem import Problem, Rejected
from reportgen.operations.context import DONE, PROBLEMS, UNREACHABLE, USAGE, Context, NoSuchCycle
from reportgen.sources.api.client import ApiFailure

INTERRUPTED = 130


def told(command: Callable[[Context], int], context: Context) -> int:
    """Run a command; tell the user what stopped it, and give the exit code."""
    try:
        return command(context)
    except Rejected as rejected:
        context.terminal.problems(rejected.problems)
        context.terminal.values({"problems": [_values(problem) for problem in rejected.problems]})
        return PROBLEMS
    except NoSuchCycle as unknown:
        context.terminal.problem(str(unknown))
        context.terminal.values(
            {"problems": [{"source": "--cycle", "message": str(unknown), "hint": ""}]}
        )
        return USAGE
    except ApiFailure as failure:
        context.terminal.problems([failure.problem])
        context.terminal.values({"problems": [_values(failure.problem)]})
        return UNREACHABLE
    except KeyboardInterrupt:
        context.terminal.problem("interrupted; what was collected is kept")
        return INTERRUPTED
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return _unexpected(error, context)


def _unexpected(error: Exception, context: Context) -> int:
    """Tell what the system or the program itself did; whoever closed a pipe has seen enough."""
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    context.terminal.problems(
        [_of_the_system(error) if isinstance(error, OSError) else _of_the_program(error)]
    )
    return PROBLEMS


def _values(problem: Problem) -> dict[str, str]:
    return {"source": problem.source, "message": problem.message, "hint": problem.hint}


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


def _of_the_system(error: OSError) -> Problem:
    source = str(error.filename or "the operating system")
    message = (error.strerror or str(error)).lower()
    return Problem(source=source, message=message, hint="mend that, then run the command again")
