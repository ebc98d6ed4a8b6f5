"""What is told of each part that was looked at."""

from dataclasses import dataclass
from typing import Literal

from reportgen.core.problem import Problem

Health = Literal["ok", "warning", "problem", "not tried"]
PROGRAM = "reportgen"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One part of what a run needs: its state, what was seen, and the remedy where it needs one."""

    part: str
    health: Health
    message: str
    hint: str = ""
    source: str = PROGRAM
    code: str = ""

    @property
    def problem(self) -> Problem:
        """Give it as other commands tell problems and warnings."""
        return Problem(
            source=self.source,
            message=self.message,
            hint=self.hint,
            warning=self.health == "warning",
            code=self.code,
        )


def fine(part: str, message: str) -> Finding:
    """Say that a part is as it has to be."""
    return Finding(part=part, health="ok", message=message)


def untried(part: str, message: str) -> Finding:
    """Say why a part was not looked at."""
    return Finding(part=part, health="not tried", message=message)


def wrong(part: str, message: str, hint: str, source: str = PROGRAM) -> Finding:
    """Say what is wrong with a part, and what to do."""
    return Finding(part=part, health="problem", message=message, hint=hint, source=source)


def told(part: str, problem: Problem) -> Finding:
    """Take over a problem or a warning."""
    return Finding(
        part=part,
        health="warning" if problem.warning else "problem",
        message=problem.message,
        hint=problem.hint,
        source=problem.source,
        code=problem.code,
    )
