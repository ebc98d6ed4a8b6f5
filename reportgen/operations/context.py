"""What a command is given, and gives back: clock, environment, terminal; exit codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from reportgen.core.cycle import day_of_instant
from reportgen.core.problem import Problem
from reportgen.terminal import Terminal

DONE, PROBLEMS, USAGE, NOT_TIED_OUT, UNREACHABLE = range(5)
"""Exit codes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Handed to every command by the command line, its only reader of clock and environment."""

    now: Callable[[], datetime]
    environment: Mapping[str, str]
    terminal: Terminal

    def today(self) -> date:
        """Name the running billing day."""
        return day_of_instant(self.now())


class WrongUsage(Exception):  # noqa: N818 - a choice of the user, not an error of the program
    """A choice on the command line that names nothing, or more than one."""

    def __init__(self, problem: Problem) -> None:
        """Hold the one line the user reads."""
        self.problem = problem
        super().__init__(str(problem))
