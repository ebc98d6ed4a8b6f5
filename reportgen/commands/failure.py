"""The one place where an exception becomes a message and an exit code."""

from collections.abc import Callable

from reportgen.commands.edge import PROBLEMS, UNREACHABLE, USAGE, Edge, NoSuchCycle
from reportgen.core.problem import Problem, Rejected
from reportgen.sources.client import ApiFailure

INTERRUPTED = 130


def told(command: Callable[[Edge], int], edge: Edge) -> int:
    """Run a command; tell the user what stopped it, and give the exit code."""
    try:
        return command(edge)
    except Rejected as rejected:
        edge.terminal.problems(rejected.problems)
        return PROBLEMS
    except NoSuchCycle as unknown:
        edge.terminal.problem(str(unknown))
        return USAGE
    except ApiFailure as failure:
        edge.terminal.problems([failure.problem])
        return UNREACHABLE
    except OSError as error:
        edge.terminal.problems([_of_the_system(error)])
        return PROBLEMS
    except KeyboardInterrupt:
        edge.terminal.problem("interrupted; what was collected is kept")
        return INTERRUPTED


def _of_the_system(error: OSError) -> Problem:
    source = str(error.filename or "the operating system")
    message = (error.strerror or str(error)).lower()
    return Problem(source=source, message=message, hint="nothing was written to the documents of the cycle")
