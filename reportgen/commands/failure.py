"""The one place where an exception becomes a message and an exit code."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb

from reportgen import __version__
from reportgen.commands.edge import DONE, PROBLEMS, UNREACHABLE, USAGE, Edge, NoSuchCycle
from reportgen.core.problem import Problem, Rejected
from reportgen.sources.client import ApiFailure

INTERRUPTED = 130


def told(command: Callable[[Edge], int], edge: Edge) -> int:
    """Run a command; tell the user what stopped it, and give the exit code."""
    try:
        return command(edge)
    except Rejected as rejected:
        edge.terminal.problems(rejected.problems)
        edge.terminal.values({"problems": [_values(problem) for problem in rejected.problems]})
        return PROBLEMS
    except NoSuchCycle as unknown:
        edge.terminal.problem(str(unknown))
        edge.terminal.values({"problems": [{"source": "--cycle", "message": str(unknown), "hint": ""}]})
        return USAGE
    except ApiFailure as failure:
        edge.terminal.problems([failure.problem])
        edge.terminal.values({"problems": [_values(failure.problem)]})
        return UNREACHABLE
    except KeyboardInterrupt:
        edge.terminal.problem("interrupted; what was collected is kept")
        return INTERRUPTED
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return _unexpected(error, edge)


def _unexpected(error: Exception, edge: Edge) -> int:
    """Tell what the system or the program itself did; whoever closed a pipe has seen enough."""
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    edge.terminal.problems([_of_the_system(error) if isinstance(error, OSError) else _of_the_program(error)])
    return PROBLEMS


def _values(problem: Problem) -> dict[str, str]:
    return {"source": problem.source, "message": problem.message, "hint": problem.hint}


def _of_the_program(error: Exception) -> Problem:
    """Say where the program went wrong; not what it held in its hands, which may be secret."""
    places = [frame for frame in extract_tb(error.__traceback__) if "reportgen" in Path(frame.filename).parts]
    where = f"{Path(places[-1].filename).name}:{places[-1].lineno}"
    message = f"a mistake of the program itself ({type(error).__name__} in {where})"
    hint = "report this line; `python -X dev -m reportgen` shows more"
    return Problem(source=f"reportgen {__version__}", message=message, hint=hint)


def _of_the_system(error: OSError) -> Problem:
    source = str(error.filename or "the operating system")
    message = (error.strerror or str(error)).lower()
    return Problem(source=source, message=message, hint="mend that, then run the command again")
