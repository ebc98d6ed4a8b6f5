"""What a command is given, and gives back: clock, environment, terminal; exit codes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from time import sleep

from reportgen.core.cycle import day_of_instant
from reportgen.core.problem import Problem
from reportgen.terminal import Terminal

DONE, PROBLEMS, USAGE, NOT_TIED_OUT, UNREACHABLE, WARNED = range(6)
"""Exit codes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Handed to every command by the command line, the only reader of clock and environment.

    `arguments` are those of the command line, `secrets` what was read by `secret`: both for the
    report of a bug, which names the first and hides the others. `strict` lets no warning pass as
    success. `executor` and `scheduler` say who draws documents, where it is not this machine.
    """

    now: Callable[[], datetime]
    environment: Mapping[str, str] = field(repr=False)
    terminal: Terminal
    arguments: Sequence[str] = ()
    strict: bool = False
    executor: str = ""
    scheduler: str = ""
    secrets: set[str] = field(default_factory=set, repr=False)
    sleep: Callable[[float], None] = sleep

    def today(self) -> date:
        """Name the running billing day."""
        return day_of_instant(self.now())

    def secret(self, name: str) -> str:
        """Read a secret from the environment, without the newline that a mounted one ends with."""
        value = self.environment.get(name, "").strip()
        if value:
            self.secrets.add(value)
        return value


class WrongUsage(Exception):  # noqa: N818 - a choice of the user, not an error of the program
    """A choice on the command line that names nothing, or more than one."""

    def __init__(self, problem: Problem) -> None:
        """Hold the one line the user reads."""
        self.problem = problem
        super().__init__(str(problem))
